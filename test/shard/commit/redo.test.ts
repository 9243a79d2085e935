/**
 * Files of SQLite that cannot prepare, committed together by records of what they have to do.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  bigint,
  blob,
  createAllSync,
  defineModel,
  type Engine,
  entity,
  fromSelect,
  generated,
  insertInto,
  integer,
  nullable,
  primaryKey,
  real,
  references,
  select,
  set,
  text,
  update,
  version,
  where,
  withServerDefault,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import {
  atomic,
  bestEffort,
  byAttribute,
  type CommitLevel,
  choosers,
  createCommitTablesSync,
  onShard,
  recoverSync,
  shardedRuntime,
  shardMap,
  withParent,
} from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { afterEach, describe, expect, it } from 'vitest'
import { leftOf, rightOf } from '../weather.js'
import { fails, type Intercept, intercepted, lost, once } from './intercepted.js'

const Account = entity('Account', 'accounts', {
  id: pipe(integer, primaryKey, generated),
  home: text,
  balance: integer,
  big: pipe(bigint, nullable),
  data: pipe(blob, nullable),
  rate: pipe(real, nullable),
  code: pipe(text, withServerDefault(sql`(hex(randomblob(8)))`)),
  revision: pipe(integer, version),
})
const Entry = entity('Entry', 'entries', {
  id: pipe(integer, primaryKey, generated),
  accountId: pipe(integer, nullable, references('accounts.id')),
  amount: integer,
})
const model = defineModel({ Account, Entry })((r) => ({
  Account: {
    entries: r.Account.hasMany('Entry', { foreignKey: 'accountId', inverse: 'account', orderBy: 'id' }),
  },
  Entry: { account: r.Entry.belongsTo('Account', { foreignKey: 'accountId', inverse: 'entries' }) },
}))
const homes = ['a', 'b', 'c'] as const
const rules = choosers(model)({
  Account: byAttribute('home', { a: 'a', b: 'b', c: 'c' }),
  Entry: withParent('account'),
})

type Home = (typeof homes)[number]

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Three files, and a way to get in the way of each. */
const openBank = (intercepts: Partial<Record<Home, Intercept>> = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'unitary-redo-'))
  folders.push(folder)
  const file = (home: Home): string => join(folder, `${home}.db`)
  const engine = (home: Home): Engine => {
    const plain = sqliteEngine(new Database(file(home), { timeout: 100 }))
    rightOf(createAllSync(model)(plain))
    rightOf(createCommitTablesSync(plain))
    const intercept = intercepts[home]
    return intercept === undefined ? plain : intercepted(plain, intercept)
  }
  const shards = shardMap({ a: engine('a'), b: engine('b'), c: engine('c') })
  const app = (commit: CommitLevel) => shardedRuntime(model, { shards, choosers: rules, commit })
  return { shards, file, app, atomic: app(atomic({ application: 'bank' })) }
}

type Bank = ReturnType<typeof openBank>

/** The rows of a table on a shard, as another connection sees them. */
const rowsOn = ({ file }: Bank, home: Home, table: string): ReadonlyArray<Readonly<Record<string, unknown>>> => {
  const database = new Database(file(home))
  try {
    return database.prepare(`select * from ${table} order by id`).safeIntegers().all() as ReadonlyArray<
      Record<string, unknown>
    >
  } finally {
    database.close()
  }
}

const bytes = new Uint8Array([0, 1, 254, 255])

/** Everything that a session writes with: drafts, changes, removals, savepoints, bulk statements, text. */
const work = Session.gen(function* () {
  const accounts = yield* Session.addAll(
    model.Account,
    homes.map((home, i) => ({
      home,
      balance: 10 * i,
      big: 2n ** 60n + BigInt(i),
      data: bytes,
      rate: 0.1 + 0.2,
      entries: [{ amount: 1 }, { amount: 2 }],
    })),
  )
  yield* Session.flush
  for (const account of accounts) yield* pipe(account, Session.set(model.Account, { balance: account.balance + 1 }))
  yield* Session.flush
  yield* Session.attempt(
    Session.nested(
      Session.gen(function* () {
        yield* Session.addAll(
          model.Account,
          homes.map((home) => ({ home, balance: -1, big: null, data: null, rate: null })),
        )
        yield* Session.flush
        return yield* Session.fail('undone' as const)
      }),
    ),
  )
  yield* pipe(
    update(model.Account),
    set((eb) => ({ balance: eb('balance', '*', 2) })),
    where('balance', '>', 0),
    Session.execute(),
  )
  for (const home of homes) {
    yield* pipe(
      insertInto(model.Entry),
      fromSelect(['accountId', 'amount'], (eb) =>
        eb.selectFrom('accounts').select(['accounts.id', 'accounts.balance']),
      ),
      onShard(home),
      Session.execute(),
    )
    yield* Session.sql(sql`delete from entries where amount = 2`, { shard: home })
  }
})

/** What differs from run to run. */
const withoutCodes = (rows: ReturnType<typeof rowsOn>) => rows.map(({ code: _, ...row }) => row)

/** A bank whose shard `a` does not get to apply what it has promised. */
const pendingBank = () => {
  // after the flush, the next transaction there is the one that applies
  const failing = once(({ _tag }) => _tag === 'Begin', fails(lost))
  const bank = openBank({ a: failing.intercept })
  const add = Session.gen(function* () {
    const accounts = yield* Session.addAll(
      model.Account,
      homes.map((home) => ({ home, balance: 5, big: null, data: null, rate: null })),
    )
    yield* Session.flush
    yield* Session.fromIO(failing.arm)
    const { notices } = yield* Session.commit
    return { accounts, notices }
  })
  return { bank, add }
}

describe('files of SQLite', () => {
  it('hold after an atomic commit what they hold after any, values that the database gave too', () => {
    const best = openBank()
    const whole = openBank()
    rightOf(Session.runSync(best.app(bestEffort))(Session.transact(work)))
    const known = rightOf(
      Session.runSync(whole.atomic)(
        Session.gen(function* () {
          yield* work
          const accounts = yield* Session.query(select(model.Account))
          yield* Session.commit
          return accounts
        }),
      ),
    )
    for (const [i, home] of homes.entries()) {
      const rows = rowsOn(whole, home, 'accounts')
      expect(withoutCodes(rows)).toEqual(withoutCodes(rowsOn(best, home, 'accounts')))
      expect(rows).toMatchObject([
        {
          id: 1n,
          balance: BigInt(2 * (10 * i + 1)),
          big: 2n ** 60n + BigInt(i),
          data: Buffer.from(bytes),
          rate: 0.1 + 0.2,
        },
      ])
      // the session knows the code that is stored: it was made once
      expect(rows.map(({ code }) => code)).toEqual([known[i]?.code])
      expect(rowsOn(whole, home, 'entries')).toEqual(rowsOn(best, home, 'entries'))
      expect(rowsOn(whole, home, 'unitary_redo')).toEqual([])
    }
  })

  it('of one process are asked by one session at a time, one after another', async () => {
    const bank = openBank()
    const deposit = Session.gen(function* () {
      for (const home of homes) {
        const found = yield* Session.query(pipe(select(model.Account), onShard(home)))
        const [account] = found
        if (account === undefined) {
          yield* Session.add(model.Account, { home, balance: 1, big: null, data: null, rate: null })
        } else yield* pipe(account, Session.set(model.Account, { balance: account.balance + 1 }))
      }
      yield* Session.commit
    })
    const done = await Promise.all(Array.from({ length: 20 }, () => Session.run(bank.atomic)(deposit)()))
    for (const one of done) rightOf(one)
    for (const home of homes) expect(rowsOn(bank, home, 'accounts')).toMatchObject([{ balance: 20n }])
  })

  it('are committed where one could not be told, which is said, and told by a recovery', () => {
    const { add, bank } = pendingBank()
    const { notices } = rightOf(Session.runSync(bank.atomic)(add))
    expect(notices).toEqual([
      { _tag: 'CommittedPending', transaction: expect.stringMatching(/^bank\..*\.c$/), shards: ['a'] },
    ])
    expect(homes.map((home) => rowsOn(bank, home, 'accounts').length)).toEqual([0, 1, 1])
    const [notice] = notices as ReadonlyArray<Session.CommittedPending>
    expect(rightOf(recoverSync(bank.shards, { application: 'bank' }))).toEqual({
      committed: [{ transaction: notice?.transaction, shards: ['a'] }],
      rolledBack: [],
      unfinished: [],
      unreachable: [],
      forgotten: 0,
    })
    expect(homes.map((home) => rowsOn(bank, home, 'accounts').length)).toEqual([1, 1, 1])
  })

  it('are reserved until what was promised is done', () => {
    const { add, bank } = pendingBank()
    rightOf(Session.runSync(bank.atomic)(add))
    const program = Session.query(pipe(select(model.Account), onShard('a')))
    expect(leftOf(Session.runSync(bank.atomic)(program))).toMatchObject({
      _tag: 'DatabaseError',
      shard: 'a',
      retryable: true,
      cause: { reason: { _tag: 'LockTimeout' }, message: expect.stringContaining('reserved by the commit bank.') },
    })
    rightOf(recoverSync(bank.shards, { application: 'bank' }))
    expect(rightOf(Session.runSync(bank.atomic)(program))).toHaveLength(1)
  })

  it('keep what was promised where someone who did not ask has come in between, and say so', () => {
    const { add, bank } = pendingBank()
    rightOf(Session.runSync(bank.atomic)(add))
    const stranger = new Database(bank.file('a'))
    stranger.exec("insert into accounts (id, home, balance, revision) values (1, 'a', 0, 1)")
    const report = () => rightOf(recoverSync(bank.shards, { application: 'bank' }))
    for (let time = 0; time < 2; time++) {
      expect(report()).toMatchObject({
        committed: [],
        unfinished: [{ shard: 'a', cause: { reason: { _tag: 'UniqueViolation' } } }],
      })
    }
    stranger.exec('delete from accounts')
    stranger.close()
    expect(report()).toMatchObject({ committed: [{ shards: ['a'] }], unfinished: [] })
    expect(rowsOn(bank, 'a', 'accounts')).toMatchObject([{ balance: 5n }])
  })

  it('tell a row that has been changed since from the one that was promised', () => {
    const failing = once(({ _tag }) => _tag === 'Begin', fails(lost))
    const bank = openBank({ a: failing.intercept })
    const accounts = homes.map((home) => ({ home, balance: 5, big: null, data: null, rate: null }))
    rightOf(Session.runSync(bank.atomic)(Session.transact(Session.addAll(model.Account, accounts))))
    rightOf(
      Session.runSync(bank.atomic)(
        Session.gen(function* () {
          for (const account of yield* Session.query(select(model.Account))) {
            yield* pipe(account, Session.set(model.Account, { balance: 6 }))
          }
          yield* Session.flush
          yield* Session.fromIO(failing.arm)
          yield* Session.commit
        }),
      ),
    )
    const stranger = new Database(bank.file('a'))
    stranger.exec('update accounts set balance = 100, revision = revision + 1')
    stranger.close()
    expect(rightOf(recoverSync(bank.shards, { application: 'bank' }))).toMatchObject({
      unfinished: [
        { shard: 'a', cause: { message: expect.stringContaining('rows of accounts have been changed since') } },
      ],
    })
    expect(rowsOn(bank, 'a', 'accounts')).toMatchObject([{ balance: 100n }])
  })

  it('wait for their disk', () => {
    const bank = openBank()
    const levels = () =>
      homes.map((home) =>
        rightOf(
          Session.runSync(bank.app(bestEffort))(
            Session.sql<{ synchronous: number }>(sql`pragma synchronous`, { shard: home }),
          ),
        ).map(({ synchronous }) => synchronous),
      )
    expect(levels()).toEqual([[1], [1], [1]])
    rightOf(Session.runSync(bank.atomic)(Session.transact(work)))
    expect(levels()).toEqual([[2], [2], [2]])
  })
})
