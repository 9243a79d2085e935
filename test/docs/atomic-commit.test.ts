import { createAllSync, defineModel, entity, integer, orderBy, primaryKey, select, text } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import {
  atomic,
  byAttribute,
  choosers,
  createCommitTablesSync,
  outcomeOfSync,
  recoverSync,
  type ShardedRuntime,
  shardedRuntime,
  shardMap,
  singleShard,
} from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const Account = entity('Account', 'accounts', {
  id: pipe(integer, primaryKey),
  city: text,
  balance: integer,
})
const model = defineModel({ Account })(() => ({}))

const byCity = choosers(model)({ Account: byAttribute('city', { Oslo: 'north', Rome: 'south' }) })

const accounts = [
  { id: 1, city: 'Oslo', balance: 100 },
  { id: 2, city: 'Rome', balance: 0 },
]
// #endregion

/** Two files, in memory. */
const open = () => {
  const databases = { north: new Database(':memory:'), south: new Database(':memory:') }
  const shards = shardMap({ north: sqliteEngine(databases.north), south: sqliteEngine(databases.south) })
  for (const engine of shards.engines.values()) resultOf(createAllSync(model)(engine))
  const records = (name: 'north' | 'south') =>
    databases[name].prepare('select outcome, shards from unitary_commits').all()
  return { shards, records }
}

const example = examplesOf('atomic-commit')

example('levels', () => {
  const { shards } = open()
  // #region levels
  const careful = shardedRuntime(model, { shards, choosers: byCity, commit: singleShard })
  console.log(careful.atomicity)
  const refused = Session.runSync(careful)(Session.transact(Session.addAll(model.Account, accounts)))
  if (refused._tag === 'Left') console.log(Session.render(refused.left))
  // #endregion
})

example('atomic', () => {
  const { shards } = open()
  // #region atomic
  const transfer = (bank: ShardedRuntime<'north' | 'south', 'atomic'>, amount: number) =>
    Session.runSync(bank)(
      Session.gen(function* () {
        const [from, to] = yield* Session.query(pipe(select(model.Account), orderBy('id')))
        if (from === undefined || to === undefined) return yield* Session.fail('no such account' as const)
        yield* pipe(from, Session.set(model.Account, { balance: from.balance - amount }))
        yield* pipe(to, Session.set(model.Account, { balance: to.balance + amount }))
        return yield* Session.commit
      }),
    )
  // #endregion

  // #region atomic
  for (const engine of shards.engines.values()) createCommitTablesSync(engine)

  const bank = shardedRuntime(model, { shards, choosers: byCity, commit: atomic({ application: 'bank' }) })
  Session.runSync(bank)(Session.transact(Session.addAll(model.Account, accounts)))
  console.log(transfer(bank, 30))
  // #endregion

  // #region atomic
  const unknown = 'bank.0mwqv0w1t3f29c1de0a5b7c8d9e6f.south' // the transaction of a CommitUnknown
  console.log(outcomeOfSync(shards, unknown)) // => { _tag: 'Right', right: { isCommitted: false, digest: null } }
  // #endregion

  // #region atomic
  console.log(recoverSync(shards, { application: 'bank' }))
  // #endregion
})

example('once', () => {
  const { records, shards } = open()
  for (const engine of shards.engines.values()) createCommitTablesSync(engine)
  // #region once
  const once = shardedRuntime(model, {
    shards,
    choosers: byCity,
    commit: atomic({ application: 'bank', exactlyOnce: true }),
  })
  Session.runSync(once)(Session.transactRetrying()(Session.add(model.Account, { id: 3, city: 'Oslo', balance: 5 })))
  console.log(records('north')) // => [ { outcome: 'commit', shards: '["north"]' } ]
  // #endregion
})
