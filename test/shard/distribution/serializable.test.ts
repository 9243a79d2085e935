/**
 * A program as it runs on a database that distributes itself: SERIALIZABLE, every statement of one tenant, transactions
 * that meet run again. On PostgreSQL, which is strict about all of that.
 */
import { randomUUID } from 'node:crypto'
import { createAll, type Engine, orderBy, select, set, update, where, withOptions } from '@unitary/core'
import * as Session from '@unitary/session'
import { refuseScattered } from '@unitary/shard'
import { isRight } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { postgresHost, skipped, type TestDatabase } from '../../core/engine/databases.js'
import { errorOf, resultOf } from '../../session/app.js'
import { bank, byTenant } from './bank.js'

const why = skipped(postgresHost)

describe.skipIf(why !== null)(`on ${postgresHost.name}${why === null ? '' : ` (${why})`}`, () => {
  let database: TestDatabase
  let engine: Engine
  let app: Session.Runtime
  const run = async <E, A>(program: Session.Program<E, A>): Promise<A> => resultOf(await Session.run(app)(program)())

  beforeEach(async () => {
    database = await postgresHost.create()
    engine = database.open(8)
    resultOf(await createAll(bank)(engine)())
    app = Session.runtime(bank, engine, { isolationLevel: 'serializable', hooks: refuseScattered(bank, byTenant) })
  })
  afterEach(async () => {
    await engine.close()
    await database.drop()
  })

  const open = Session.gen(function* () {
    const id = randomUUID()
    const tenant = yield* Session.add(bank.Tenant, {
      id,
      name: 'acme',
      accounts: [
        { kind: 'current', owner: 'ed', balance: 100 },
        { kind: 'current', owner: 'wendy', balance: 100 },
      ],
    })
    yield* Session.add(bank.Savings, { tenant, owner: 'jack', balance: 100, interest: 2 })
    yield* Session.commit
    return id
  })

  const accounts = (tenant: string) =>
    pipe(select(bank.Account), where('tenantId', '=', tenant), orderBy('owner'), Session.query)

  /** Moves 1 from one account to the next, and books both. */
  const transfer = (tenant: string, from: number, to: number) =>
    Session.gen(function* () {
      const all = yield* accounts(tenant)
      for (const [place, amount] of [
        [from, -1],
        [to, 1],
      ] as const) {
        const account = all[place]
        if (account === undefined) return yield* Session.fail({ _tag: 'NoAccount' as const, place })
        yield* Session.set(bank.Account, { balance: account.balance + amount })(account)
        yield* Session.append(bank.Account, 'bookings', { amount, currencyCode: null })(account)
      }
      return undefined
    })

  test('transfers that meet all come through, and balances are what was booked', async () => {
    const tenants = [await run(open), await run(open)]
    const times = 24
    const policy: Session.RetryPolicy = { attempts: 200, delay: Session.backoff({ first: 2, most: 50 }) }
    const results = await Promise.all(
      Array.from({ length: times }, (_, i) =>
        Session.run(app)(
          Session.transactRetrying(policy)(transfer(tenants[i % 2] as string, i % 3, (i + 1 + (i % 2)) % 3)),
        )(),
      ),
    )
    expect(results.filter(isRight)).toHaveLength(times)
    let booked = 0
    for (const tenant of tenants) {
      const all = await run(accounts(tenant))
      expect(all.reduce((sum, { balance }) => sum + balance, 0)).toBe(300)
      for (const account of all) {
        const bookings = await run(
          pipe(
            select(bank.Booking),
            where('tenantId', '=', tenant),
            where('accountId', '=', account.id),
            Session.query,
          ),
        )
        expect(bookings.reduce((sum, { amount }) => sum + amount, 100)).toBe(account.balance)
        booked += bookings.length
      }
    }
    expect(booked).toBe(times * 2)
  })

  test('a statement that does not say which tenant is refused, unless it is meant so', async () => {
    const tenant = await run(open)
    const all = select(bank.Account)
    const fails = async <E, A>(program: Session.Program<E, A>): Promise<E> => errorOf(await Session.run(app)(program)())
    const scattered = { _tag: 'HookRefused', hook: 'beforeExecute', reason: expect.stringContaining('which tenantId') }
    expect(await fails(Session.query(all))).toMatchObject(scattered)
    expect(await fails(Session.query(pipe(all, where('owner', '=', 'ed'))))).toMatchObject(scattered)
    expect(await fails(Session.query(pipe(all, where('tenantId', 'in', [tenant, bankless]))))).toMatchObject(scattered)
    expect(
      await fails(pipe(update(bank.Account), set({ balance: 0 }), where('owner', '=', 'ed'), Session.execute())),
    ).toMatchObject(scattered)
    expect(await run(pipe(all, withOptions({ scattered: true }), Session.query))).toHaveLength(3)
    expect(await run(pipe(all, where('tenantId', '=', tenant), Session.query))).toHaveLength(3)
    // gets, and loads of what is related, have the tenant in their keys
    const [ed] = await run(accounts(tenant))
    if (ed === undefined) throw new Error('no account')
    expect(await run(Session.get(bank.Account, { tenantId: tenant, id: ed.id }))).toMatchObject({
      value: { owner: 'ed' },
    })
    const loaded = Session.gen(function* () {
      const [first] = yield* accounts(tenant)
      return first === undefined ? [] : yield* Session.load(bank.Account, 'bookings')(first)
    })
    expect(await run(loaded)).toEqual([])
  })
})

const bankless = '00000000-0000-4000-8000-000000000000'
