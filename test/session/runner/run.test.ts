import { select } from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { left, right } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { SqliteDialect } from 'kysely'
import { describe, expect, test } from 'vitest'
import { model, open } from '../app.js'

const addEd = Session.add(model.User, { name: 'ed' })
const everyone = Session.map((found: ReadonlyArray<unknown>) => found.length)(Session.query(select(model.User)))

describe('run and runSync', () => {
  test('are sessions of their own, rolled back where they do not commit', async () => {
    const app = open()
    expect(
      Session.runSync(app.runtime)(
        pipe(
          addEd,
          Session.chain(() => everyone),
        ),
      ),
    ).toEqual(right(1))
    expect(app.asked().at(-1)).toBe('Rollback')
    expect(
      await Session.run(app.runtime)(
        pipe(
          addEd,
          Session.chain(() => everyone),
        ),
      )(),
    ).toEqual(right(1))
    expect(app.database.inTransaction).toBe(false)
    expect(app.rows('users')).toEqual([])
  })

  test('keep what they commit', async () => {
    const app = open()
    const program = pipe(
      addEd,
      Session.chain(() => Session.commit),
    )
    await Session.run(app.runtime)(program)()
    Session.runSync(app.runtime)(program)
    expect(app.rows('users')).toHaveLength(2)
  })

  test('roll back after a failure, and after a defect', async () => {
    const app = open()
    const flushed = pipe(
      addEd,
      Session.chain(() => Session.flush),
    )
    Session.runSync(app.runtime)(
      pipe(
        flushed,
        Session.chain(() => Session.fail('no')),
      ),
    )
    expect(app.database.inTransaction).toBe(false)
    const buggy = pipe(
      flushed,
      Session.map(() => {
        throw new Error('bug')
      }),
    )
    expect(() => Session.runSync(app.runtime)(buggy)).toThrow('bug')
    expect(app.database.inTransaction).toBe(false)
    await expect(Session.run(app.runtime)(buggy)()).rejects.toThrow('bug')
    expect(app.database.inTransaction).toBe(false)
    expect(app.rows('users')).toEqual([])
  })

  test('runs that are started together take the one connection in turns', async () => {
    const app = open()
    const program = pipe(
      addEd,
      Session.chain(() => Session.flush),
      Session.chain(() => Session.fromTask(() => new Promise((resolve) => setTimeout(resolve, 5)))),
      Session.chain(() => everyone),
      Session.chainFirst(() => Session.commit),
    )
    const results = await Promise.all([1, 2, 3].map(() => Session.run(app.runtime)(program)()))
    expect(results).toEqual([right(1), right(2), right(3)])
  })

  test('an engine that has to be waited for runs under run, and not under runSync', async () => {
    const database = new Database(':memory:')
    database.exec('create table users (id integer primary key, name text, nickname text, joined_at text)')
    const runtime = Session.runtime(model, kyselyEngine(new SqliteDialect({ database })))
    const program = pipe(
      addEd,
      Session.chain(() => Session.commit),
      Session.chain(() => everyone),
    )
    expect(await Session.run(runtime)(program)()).toEqual(right(1))
    expect(Session.runSync(runtime)(program)).toMatchObject(left({ _tag: 'NotSynchronous', operation: 'the engine' }))
  })
})

describe('an aborted run', () => {
  const countdown = (abort: () => void) =>
    Session.gen(function* () {
      yield* addEd
      yield* Session.flush
      abort()
      yield* Session.commit
    })

  test('ends before its next request, and leaves nothing written', async () => {
    const app = open()
    const controller = new AbortController()
    const program = countdown(() => controller.abort())
    expect(await Session.run(app.runtime, { signal: controller.signal })(program)()).toEqual(
      left({ _tag: 'Interrupted' }),
    )
    expect(app.database.inTransaction).toBe(false)
    expect(app.rows('users')).toEqual([])
  })

  test('is not to be caught, but closes the generators that it leaves', async () => {
    const app = open()
    const controller = new AbortController()
    const left_: string[] = []
    const program = Session.gen(function* () {
      try {
        yield* countdown(() => controller.abort())
      } finally {
        left_.push('closed')
      }
    })
    const caught = pipe(
      Session.nested(program),
      Session.catchError(() => Session.of('caught')),
    )
    expect(await Session.run(app.runtime, { signal: controller.signal })(caught)()).toMatchObject({ _tag: 'Left' })
    expect(left_).toEqual(['closed'])
  })

  test('of a store rolls back its transaction, in the state too', async () => {
    const app = open()
    app.run(Session.add(model.Country, { code: 'fr', title: 'France' }))
    app.run(Session.commit)
    const before = app.store.getState()
    const controller = new AbortController()
    const program = countdown(() => controller.abort())
    expect(await app.store.run(program, { signal: controller.signal })()).toEqual(left({ _tag: 'Interrupted' }))
    expect(app.database.inTransaction).toBe(false)
    expect(app.store.getState().added.size + app.store.getState().changed.size).toBe(0)
    expect(app.store.getState().frames).toBe(before.frames)
    app.run(Session.chain(() => Session.commit)(addEd))
    expect(app.rows('users')).toHaveLength(1)
  })
})

describe('one state, many programs', () => {
  test('run at once from one state, and none sees what another does to it', async () => {
    const app = open()
    const [, from] = Session.runStateSync(app.runtime)(Session.chain(() => Session.commit)(addEd))
    const rename = (name: string) =>
      pipe(
        Session.get(model.User, 1),
        Session.chain((found) => (found._tag === 'None' ? Session.fail('gone') : Session.of(found.value))),
        Session.chain(Session.set(model.User, { name })),
        Session.chain(() => Session.fromTask(() => new Promise((resolve) => setTimeout(resolve, 5)))),
        // the name that this program has given, and what it would write
        Session.chain(() => Session.flushPlan),
        Session.map(Session.explain),
      )
    const names = ['edward', 'edwin', 'edgar']
    const runs = await Promise.all(names.map((name) => Session.runState(app.runtime, from)(rename(name))()))
    runs.forEach(([plan, state], i) => {
      expect(plan).toEqual(right(`1. update users (1 row)\n     #0: name = '${names[i]}' where id = 1`))
      expect(state.changed.size).toBe(1)
    })
    expect(from.changed.size).toBe(0)
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }])
  })

  test('the last to commit wins where nothing checks, and all of them had the same start', async () => {
    const app = open()
    const [, from] = Session.runStateSync(app.runtime)(Session.chain(() => Session.commit)(addEd))
    const add = (name: string) => Session.chain(() => Session.commit)(Session.add(model.User, { name }))
    const [first, second] = await Promise.all([
      Session.runState(app.runtime, from)(add('wendy'))(),
      Session.runState(app.runtime, from)(add('jack'))(),
    ])
    expect([first?.[0]._tag, second?.[0]._tag]).toEqual(['Right', 'Right'])
    expect(app.rows('users')).toHaveLength(3)
    // each state knows its own new instance, under the same number
    const names = [first, second].map((done) => Session.inspectAll((done as typeof first)[1]).map(({ id }) => id))
    expect(names[0]).toEqual(names[1])
  })
})

describe('runState and runStateSync', () => {
  test('give the state too, after a failure as well', async () => {
    const app = open()
    const program = pipe(
      addEd,
      Session.chain(() => Session.fail('no')),
    )
    const [result, state] = Session.runStateSync(app.runtime)(program)
    expect(result).toEqual(left('no'))
    expect(state.added.size).toBe(1)
    const [again, same] = await Session.runState(app.runtime)(program)()
    expect(again).toEqual(left('no'))
    expect(same).toEqual(state)
  })

  test('what was flushed and not committed is rolled back with the run, and the state has to be as well', () => {
    const app = open()
    const [, flushed] = Session.runStateSync(app.runtime)(Session.chain(() => Session.flush)(addEd))
    const [refused] = Session.runStateSync(app.runtime, flushed)(Session.commit)
    expect(refused).toMatchObject(left({ _tag: 'PendingRollback' }))
    const again = pipe(
      Session.rollback,
      Session.chain(() => addEd),
      Session.chain(() => Session.commit),
    )
    Session.runStateSync(app.runtime, flushed)(again)
    expect(app.rows('users')).toHaveLength(1)
  })

  test('go on from a state, and leave it as it was', () => {
    const app = open()
    const [, added] = Session.runStateSync(app.runtime)(addEd)
    const [, committed] = Session.runStateSync(app.runtime, added)(Session.commit)
    expect(app.rows('users')).toHaveLength(1)
    expect(added.added.size).toBe(1)
    expect(committed.added.size).toBe(0)
    // the older state is a value like any other: another branch goes on from it
    Session.runStateSync(app.runtime, added)(Session.commit)
    expect(app.rows('users')).toHaveLength(2)
  })
})
