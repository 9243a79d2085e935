import { select } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { now, openOn, resultOf } from '../app.js'
import { blog } from './blog.js'

const { defineHooks, keep, refuse, unitOfWork } = Session

/** The editor's name in every post that a flush writes. */
const audit = (editor: string): Session.Hooks =>
  defineHooks(blog)(
    {},
    {
      beforeFlush: ({ state }) => {
        const { added, changed } = unitOfWork(blog.Post)(state)
        return keep(...[...added, ...changed].map(Session.set(blog.Post, { editedBy: editor })))
      },
    },
  )

describe('before a flush', () => {
  test('more work is added, changed and removed', () => {
    const hooks = defineHooks(blog)(
      {},
      {
        beforeFlush: ({ state, services }) => {
          const posts = unitOfWork(blog.Post)(state)
          return keep(
            ...posts.added.map(Session.set(blog.Post, { hiddenAt: services.now })),
            ...posts.added.map(({ title }) => Session.add(blog.Entry, { action: `added ${title}` })),
            ...posts.changed.map(Session.removeLoaded(blog.Post)),
          )
        },
      },
    )
    const app = openOn(blog, { hooks })
    const post = app.run(Session.add(blog.Post, { tenant: 't', title: 'p', comments: [] }))
    expect(app.run(Session.flush)).toMatchObject({ inserted: 2 })
    expect(app.rows('posts')).toMatchObject([{ hiddenAt: now.toISOString() }])
    expect(app.rows('entries')).toMatchObject([{ action: 'added p' }])
    app.run(Session.set(blog.Post, { title: 'q' })(post))
    expect(app.run(Session.commit)).toMatchObject({ updated: 0, deleted: 1 })
  })

  test('hooks are asked once a flush, and never where there is nothing to flush', () => {
    let asked = 0
    const hooks = defineHooks(blog)(
      {},
      {
        beforeFlush: () => {
          asked++
          return keep()
        },
      },
    )
    const app = openOn(blog, { hooks })
    app.run(Session.flush)
    app.run(Session.commit)
    expect(asked).toBe(0)
    app.run(Session.add(blog.Post, { tenant: 't', title: 'p' }))
    app.run(Session.query(select(blog.Post)))
    expect(asked).toBe(1)
    app.run(Session.commit)
    expect(asked).toBe(1)
    app.run(Session.add(blog.Post, { tenant: 't', title: 'q' }))
    app.run(Session.commit)
    expect(asked).toBe(2)
  })

  test('hooks that leave no work leave nothing to be written', () => {
    const hooks = defineHooks(blog)(
      {},
      { beforeFlush: ({ state }) => keep(...unitOfWork(blog.Post)(state).added.map(Session.expunge(blog.Post))) },
    )
    const app = openOn(blog, { hooks })
    app.run(Session.add(blog.Post, { tenant: 't', title: 'p' }))
    app.clear()
    expect(app.run(Session.flush)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
    expect(app.asked()).toEqual([])
  })

  test('the plan shows what hooks would add, and leaves the state as it was', () => {
    const app = openOn(blog, { hooks: audit('ed') })
    app.run(Session.add(blog.Post, { tenant: 't', title: 'p' }))
    const before = app.store.getState()
    expect(Session.explain(app.run(Session.flushPlan))).toContain("editedBy = 'ed'")
    expect(app.store.getState()).toBe(before)
    expect(app.run(Session.commit).inserted).toBe(1)
    expect(app.rows('posts')).toMatchObject([{ editedBy: 'ed' }])
  })

  test('a plan that hooks refuse is no failed flush', () => {
    const hooks = defineHooks(blog)({}, { beforeFlush: () => refuse('not now') })
    const app = openOn(blog, { hooks })
    app.run(Session.add(blog.Post, { tenant: 't', title: 'p' }))
    const before = app.store.getState()
    expect(app.fails(Session.flushPlan)).toMatchObject({ _tag: 'HookRefused' })
    expect(app.store.getState()).toBe(before)
  })

  test('a refusal is a failed flush', () => {
    const hooks = defineHooks(blog)(
      {},
      {
        beforeFlush: ({ state }) =>
          unitOfWork(blog.Post)(state).added.some(({ title }) => title === '') ? refuse('posts have titles') : keep(),
      },
    )
    const app = openOn(blog, { hooks })
    app.run(Session.add(blog.Entry, { action: 'before' }))
    app.run(Session.flush)
    app.run(Session.add(blog.Post, { tenant: 't', title: '' }))
    const error = app.fails(Session.flush)
    expect(error).toEqual({
      _tag: 'HookRefused',
      hook: 'beforeFlush',
      entity: null,
      attribute: null,
      reason: 'posts have titles',
      detail: undefined,
      cause: null,
    })
    expect(Session.render(error)).toBe('The beforeFlush hook of the session refused: posts have titles.')
    expect(app.fails(Session.commit)).toMatchObject({
      _tag: 'PendingRollback',
      message: 'The beforeFlush hook of the session refused: posts have titles.',
    })
    app.run(Session.rollback)
    expect(app.rows('entries')).toEqual([])
    app.run(Session.add(blog.Post, { tenant: 't', title: 'p' }))
    app.run(Session.commit)
    expect(app.rows('posts')).toHaveLength(1)
  })

  test('a refusal within a savepoint undoes that alone', () => {
    const hooks = defineHooks(blog)(
      {},
      {
        beforeFlush: ({ state }) => (unitOfWork(blog.Post)(state).added.length > 0 ? refuse('no posts') : keep()),
      },
    )
    const app = openOn(blog, { hooks })
    app.run(Session.add(blog.Entry, { action: 'kept' }))
    const result = app.run(Session.attempt(Session.nested(Session.add(blog.Post, { tenant: 't', title: 'p' }))))
    expect(result).toMatchObject({ _tag: 'Left', left: { _tag: 'HookRefused' } })
    app.run(Session.commit)
    expect(app.rows('entries')).toHaveLength(1)
  })
})

describe('after a flush', () => {
  test('hooks are given the plan as it ran, and what it wrote', () => {
    const seen: Session.FlushedContext[] = []
    const hooks = defineHooks(blog)(
      {},
      {
        afterFlush: (context) => {
          seen.push(context)
          return keep()
        },
      },
    )
    const app = openOn(blog, { hooks })
    const post = app.run(Session.add(blog.Post, { tenant: 't', title: 'p', comments: [{ body: 'a' }, { body: 'b' }] }))
    const flushed = app.run(Session.flush)
    expect(seen).toHaveLength(1)
    const [{ plan, state, ...context }] = seen as [Session.FlushedContext]
    expect(context.flushed).toEqual(flushed)
    expect(plan.steps.map(({ _tag, entity, rows }) => [_tag, entity, rows.length])).toEqual([
      ['Insert', 'Post', 1],
      ['Insert', 'Comment', 2],
    ])
    // the results are in the state
    expect(Session.inspect(state, post)?.attributes.id).toBe(1)
  })

  test('the work that they leave is written by the same commit', () => {
    const hooks = defineHooks(blog)(
      {},
      {
        afterFlush: ({ plan }) =>
          keep(
            ...plan.steps.flatMap(({ _tag, entity, rows }) =>
              entity === 'Entry' ? [] : [Session.add(blog.Entry, { action: `${_tag} ${entity} ${rows.length}` })],
            ),
          ),
      },
    )
    const app = openOn(blog, { hooks })
    const post = app.run(Session.add(blog.Post, { tenant: 't', title: 'p' }))
    expect(app.run(Session.commit)).toMatchObject({ inserted: 2 })
    app.run(Session.set(blog.Post, { title: 'q' })(post))
    app.run(Session.flush)
    expect(unitOfWork(blog.Entry)(app.store.getState()).added).toHaveLength(1)
    app.run(Session.commit)
    expect(app.rows('entries')).toMatchObject([{ action: 'Insert Post 1' }, { action: 'Update Post 1' }])
  })

  test('a refusal undoes what was written', () => {
    const hooks = defineHooks(blog)(
      {},
      { afterFlush: ({ flushed }) => (flushed.inserted > 2 ? refuse('too many at once') : keep()) },
    )
    const app = openOn(blog, { hooks })
    app.run(Session.add(blog.Post, { tenant: 't', title: 'p', comments: [{ body: 'a' }, { body: 'b' }] }))
    expect(app.fails(Session.commit)).toMatchObject({ _tag: 'HookRefused', hook: 'afterFlush' })
    expect(app.fails(Session.commit)).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.rollback)
    app.run(Session.add(blog.Post, { tenant: 't', title: 'p', comments: [{ body: 'a' }] }))
    app.run(Session.commit)
    expect(app.rows('comments')).toHaveLength(1)
  })

  test('work that never ends is a loop, and nothing of it is committed', () => {
    const hooks = defineHooks(blog)({}, { afterFlush: () => keep(Session.add(blog.Entry, { action: 'again' })) })
    const app = openOn(blog, { hooks })
    app.run(Session.add(blog.Entry, { action: 'first' }))
    expect(app.fails(Session.commit)).toEqual({
      _tag: 'HookLoop',
      hook: 'afterFlush',
      entity: null,
      attribute: null,
      depth: 100,
    })
    app.run(Session.rollback)
    expect(app.rows('entries')).toEqual([])
  })
})

describe('what hooks of the session are asked about', () => {
  test('each sees what those before it left', () => {
    const counts: number[] = []
    const adding = defineHooks(blog)(
      {},
      {
        beforeFlush: ({ state }) => {
          counts.push(unitOfWork(blog.Entry)(state).added.length)
          return keep(Session.add(blog.Entry, { action: 'one' }), Session.add(blog.Entry, { action: 'two' }))
        },
      },
    )
    const app = openOn(blog, { hooks: Session.combineHooks(adding, adding, audit('ed')) })
    app.run(Session.add(blog.Post, { tenant: 't', title: 'p' }))
    app.run(Session.commit)
    expect(counts).toEqual([0, 2])
    expect(app.rows('posts')).toMatchObject([{ editedBy: 'ed' }])
  })

  test('both interpreters ask them alike', async () => {
    const program = Session.gen(function* () {
      const post = yield* Session.add(blog.Post, { tenant: 't', title: 'p' })
      yield* Session.commit
      yield* pipe(post, Session.set(blog.Post, { title: 'q' }))
      return yield* Session.commit
    })
    const [sync, waiting] = [openOn(blog, { hooks: audit('ed') }), openOn(blog, { hooks: audit('ed') })]
    const [result, state] = Session.runStateSync(sync.runtime)(program)
    const [other, otherState] = await Session.runState(waiting.runtime)(program)()
    expect(resultOf(result)).toEqual(resultOf(other))
    expect(Session.inspectAll(state)).toEqual(Session.inspectAll(otherState))
    expect(sync.rows('posts')).toEqual(waiting.rows('posts'))
    expect(sync.rows('posts')).toMatchObject([{ title: 'q', editedBy: 'ed' }])
  })
})
