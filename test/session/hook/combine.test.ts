import { createAllSync, defineModel, entity, integer, ModelError, primaryKey, text } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { concatAll } from 'fp-ts/lib/Monoid.js'
import { describe, expect, test } from 'vitest'
import { openOn } from '../app.js'
import { blog } from './blog.js'

const { accept, combineHooks, defineHooks, HooksMonoid, keep, refuse } = Session

const suffix = (mark: string): Session.Hooks =>
  defineHooks(blog)(
    { Post: { set: { title: ({ value }) => accept(`${value}${mark}`) } } },
    { afterFlush: () => keep(marks.update((all) => `${all}${mark}`)) },
  )

const marks = Session.info('marks', '')

/** What hooks make of a title, and in which order they are told of a flush. */
const outcome = (hooks: Session.Hooks): readonly [string | undefined, string] => {
  const app = openOn(blog, { hooks })
  const post = app.run(Session.add(blog.Post, { tenant: 't', title: '' }))
  app.run(Session.flush)
  return [post.title, app.run(Session.gets(marks.get))]
}

describe('hooks put together', () => {
  test('are asked in their order, each with what the one before it accepted', () => {
    expect(outcome(combineHooks(suffix('a'), suffix('b'), suffix('c')))).toEqual(['abc', 'abc'])
    expect(outcome(combineHooks())).toEqual(['', ''])
  })

  test('stop at the first refusal', () => {
    const asked: string[] = []
    const refusing = defineHooks(blog)({ Post: { set: { title: () => refuse('no') } } })
    const later = defineHooks(blog)({
      Post: {
        set: {
          title: () => {
            asked.push('later')
            return keep()
          },
        },
      },
    })
    const app = openOn(blog, { hooks: combineHooks(refusing, later) })
    expect(app.fails(Session.add(blog.Post, { tenant: 't', title: '' }))).toMatchObject({ _tag: 'HookRefused' })
    expect(asked).toEqual([])
  })

  test('are a monoid', () => {
    const some = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 })
    fc.assert(
      fc.property(some, some, some, (x, y, z) => {
        const [a, b, c] = [x, y, z].map((names) => concatAll(HooksMonoid)(names.map(suffix))) as [
          Session.Hooks,
          Session.Hooks,
          Session.Hooks,
        ]
        const { concat, empty } = HooksMonoid
        expect(outcome(concat(concat(a, b), c))).toEqual(outcome(concat(a, concat(b, c))))
        expect(outcome(concat(a, empty))).toEqual(outcome(a))
        expect(outcome(concat(empty, a))).toEqual(outcome(a))
        expect(outcome(concat(a, b))[0]).toBe([...x, ...y].join(''))
      }),
      { numRuns: 20 },
    )
  })
})

describe('the hooks of a session', () => {
  test('are those of its state, wherever that goes', () => {
    const app = openOn(blog)
    const state = Session.empty(blog, { hooks: suffix('a'), autoflush: false })
    expect(state.options).toEqual({
      autoflush: false,
      executionOptions: {},
      expireOnCommit: true,
      tokens: [],
      everywhere: [],
    })
    const add = Session.add(blog.Post, { tenant: 't', title: '' })
    const [, after] = Session.runStateSync(app.runtime, state)(add)
    const [result] = Session.runStateSync(app.runtime, after)(add)
    expect(result).toMatchObject({ right: { title: 'a' } })
    const store = Session.createStore(app.runtime, after)
    expect(
      store.runSync(
        pipe(
          Session.rollback,
          Session.chain(() => add),
        ),
      ),
    ).toMatchObject({ right: { title: 'a' } })
    // and another session of the same runtime has none
    expect(app.run(add).title).toBe('')
  })

  test('have to be of its model', () => {
    const Other = entity('Post', 'posts', { id: pipe(integer, primaryKey), title: text })
    const other = defineModel({ Post: Other })(() => ({}))
    const strange = defineHooks(other)({ Post: { set: { title: () => refuse('never asked') } } })
    expect(() => Session.empty(blog, { hooks: strange })).toThrow(ModelError)
    const engine = sqliteEngine(new Database(':memory:'))
    createAllSync(blog)(engine)
    const runtime = Session.runtime(blog, engine, { hooks: combineHooks(suffix('a'), strange) })
    expect(() => Session.runSync(runtime)(Session.of(1))).toThrow(/Post: the session's hooks/)
  })
})
