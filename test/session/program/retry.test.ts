/**
 * Transactions that are run again: which failures, how often, from which state; and on databases that refuse one of two
 * transactions that meet.
 */
import { defineModel, type Engine, entity, integer, primaryKey, type Services, select } from '@unitary/core'
import * as Session from '@unitary/session'
import { type Either, isLeft, isRight, left } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { model as app, open as openApp, services } from '../app.js'
import { openOnServer, servers } from '../server-app.js'

const Account = entity('Account', 'accounts', { id: pipe(integer, primaryKey), balance: integer })
const model = defineModel({ Account })(() => ({}))

const atOnce: Session.RetryPolicy = { attempts: 3, delay: () => 0 }
const busy = (operation: string, reason: 'SerializationFailure' | 'ConnectionLost'): Session.DatabaseError => ({
  _tag: 'DatabaseError',
  operation,
  entity: null,
  shard: null,
  retryable: true,
  cause: {
    _tag: 'EngineError',
    reason: { _tag: reason },
    message: 'refused',
    retryable: true,
    sql: null,
    row: null,
    cause: null,
  },
})

const unknown: Session.CommitUnknown = {
  _tag: 'CommitUnknown',
  transaction: null,
  shard: null,
  cause: busy('commit', 'ConnectionLost').cause,
}

/** Adds a user, and fails so many times. */
const failing = (times: number, error: unknown = busy('flush', 'SerializationFailure')) => {
  const seen: number[] = []
  const program = Session.gen(function* () {
    seen.push(yield* Session.gets((state) => state.added.size))
    const user = yield* Session.add(app.User, { name: 'ed' })
    yield* Session.flush
    return seen.length > times ? user : yield* Session.fail(error)
  })
  return { program, seen }
}

describe('a transaction that is run again', () => {
  test('begins each time with the state from before, and is committed once', () => {
    const session = openApp()
    const { program, seen } = failing(2)
    expect(session.run(Session.transactRetrying(atOnce)(program))).toMatchObject({ name: 'ed' })
    expect(seen).toEqual([0, 0, 0])
    expect(session.rows('users')).toHaveLength(1)
    const attempt = (end: string) => ['Begin', 'Insert users 1', end]
    expect(session.asked()).toEqual([...attempt('Rollback'), ...attempt('Rollback'), ...attempt('Commit')])
  })

  test('gives up after so many attempts, with the last failure', () => {
    const session = openApp()
    const { program, seen } = failing(3)
    expect(session.fails(Session.transactRetrying(atOnce)(program))).toEqual(busy('flush', 'SerializationFailure'))
    expect(seen).toHaveLength(3)
    expect(session.rows('users')).toEqual([])
    expect(session.store.getState().frames).toBeNull()
  })

  test.each([
    ["an error of the application's own", { _tag: 'OutOfStock' }],
    ['a commit of which nobody knows whether it is done', unknown],
    ['what is no error at all', null],
  ])('is not run again for %s', (_, error) => {
    const session = openApp()
    const { program, seen } = failing(1, error)
    expect(session.fails(Session.transactRetrying(atOnce)(program))).toEqual(error)
    expect(seen).toHaveLength(1)
  })

  test('is run again for what the policy says', () => {
    const session = openApp()
    const { program, seen } = failing(1, { _tag: 'StaleData' })
    const mayRetry = (error: unknown) => (error as { readonly _tag: string })._tag === 'StaleData'
    session.run(Session.transactRetrying({ ...atOnce, mayRetry })(program))
    expect(seen).toHaveLength(2)
  })

  test('is the whole of a transaction: what was done before it would not be done again', () => {
    const session = openApp()
    session.run(Session.add(app.User, { name: 'before' }))
    const { program, seen } = failing(0)
    const error = session.fails(Session.transactRetrying(atOnce)(program))
    expect(error).toEqual({ _tag: 'TransactionBegun' })
    expect(seen).toEqual([])
    expect(session.store.getState().added.size).toBe(1)
  })

  test('has the failures of its program, of a flush, and of a transaction that is open', () => {
    const program = Session.transactRetrying()(Session.fail({ _tag: 'OutOfStock' as const }))
    expectTypeOf(program).toEqualTypeOf<
      Session.Program<{ _tag: 'OutOfStock' } | Session.FlushError | Session.TransactionBegun, never>
    >()
  })

  test('waits as the policy says, with the services of the runtime, whichever way it is run', async () => {
    const asked: Array<readonly [number, number]> = []
    const policy: Session.RetryPolicy = {
      attempts: 3,
      delay: (failures, { random }) => {
        asked.push([failures, random()])
        return 15
      },
    }
    const session = openApp()
    const began = performance.now()
    session.run(Session.transactRetrying(policy)(failing(2).program))
    const between = performance.now()
    await Session.run(session.runtime)(Session.transactRetrying(policy)(failing(2).program))()
    const ended = performance.now()
    expect(asked).toEqual([
      [1, 0.5],
      [2, 0.5],
      [1, 0.5],
      [2, 0.5],
    ])
    expect(between - began).toBeGreaterThan(28)
    expect(ended - between).toBeGreaterThan(28)
  })

  test('a backoff doubles up to its most, of which chance takes a part', () => {
    const at = (random: number): Services => ({ ...services, random: () => random })
    const delay = Session.backoff({ first: 10, most: 60 })
    expect([1, 2, 3, 4, 50].map((failures) => delay(failures, at(1)))).toEqual([10, 20, 40, 60, 60])
    expect(delay(3, at(0.25))).toBe(10)
    expect(delay(3, at(0))).toBe(0)
  })

  test('a commit that is lost on the way is not done again', async () => {
    const session = openApp()
    const { program, seen } = failing(0)
    const runtime = Session.runtime(app, losingCommits(session.engine))
    const result = await Session.run(runtime)(Session.transactRetrying(atOnce)(program))()
    expect(result).toMatchObject({ left: { _tag: 'CommitUnknown', transaction: null } })
    expect(seen).toHaveLength(1)
    expect(session.rows('users')).toHaveLength(1)
  })
})

/** Commits, and loses the answer. */
const losingCommits = (engine: Engine): Engine => ({
  ...engine,
  connectSync: null,
  connect: async () => {
    const connected = await engine.connect()
    if (isLeft(connected)) return connected
    const { release, call } = connected.right
    return {
      ...connected,
      right: {
        _tag: 'AsyncConnection',
        release: async () => release(),
        call: async (asked) => {
          const answer: Either<unknown, unknown> = await call(asked)
          return (asked._tag === 'Commit' ? left(busy('commit', 'ConnectionLost').cause) : answer) as never
        },
      },
    }
  },
})

describe.each(servers)('on $title', ({ host, isMissing }) => {
  test.skipIf(isMissing)(
    'serializable transactions that meet all come through, and nothing is lost or doubled',
    async () => {
      const { engine, run, rows } = await openOnServer(host, model)
      await run(
        Session.addAll(model.Account, [
          { id: 1, balance: 100 },
          { id: 2, balance: 100 },
        ]),
      )
      await run(Session.commit)
      const serializable = Session.runtime(model, engine, { isolationLevel: 'serializable' })
      let attempts = 0
      const transfer = Session.gen(function* () {
        attempts += 1
        const [one, two] = yield* Session.query(select(model.Account))
        if (one === undefined || two === undefined) return yield* Session.fail({ _tag: 'NoAccounts' as const })
        yield* Session.set(model.Account, { balance: one.balance - 1 })(one)
        yield* Session.set(model.Account, { balance: two.balance + 1 })(two)
      })
      const times = 12
      const policy: Session.RetryPolicy = { attempts: 200, delay: Session.backoff({ first: 2, most: 40 }) }
      const runs = (program: Session.Program<unknown, unknown>) =>
        Promise.all(Array.from({ length: times }, () => Session.run(serializable)(program)()))

      const alone = await runs(Session.transact(transfer))
      const done = alone.filter(isRight).length
      // the database refuses some: without that this test would show nothing
      expect(done).toBeLessThan(times)
      expect(alone.filter(isLeft).every((result) => Session.isTransient(result.left))).toBe(true)

      attempts = 0
      expect((await runs(Session.transactRetrying(policy)(transfer))).every(isRight)).toBe(true)
      expect(attempts).toBeGreaterThan(times)
      expect(await rows('accounts')).toEqual([
        { id: 1, balance: 100 - done - times },
        { id: 2, balance: 100 + done + times },
      ])
    },
  )
})
