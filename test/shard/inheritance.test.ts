import {
  createAllSync,
  defineModel,
  entity,
  generated,
  integer,
  orderBy,
  primaryKey,
  select,
  set,
  subtype,
  text,
  update,
  where,
  withSubtypes,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { byAttribute, choosers, shardedRuntime, shardMap } from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import { rightOf } from './weather.js'

const Account = entity(
  'Account',
  'accounts',
  { id: pipe(integer, primaryKey, generated), kind: text, region: text, owner: text },
  { discriminator: 'kind', identity: 'plain' },
)
const Business = subtype(Account)('Business', 'businesses', { taxId: text }, { identity: 'business' })
const Student = subtype(Account)('Student', { school: text }, { identity: 'student' })
const model = defineModel({ Account, Business, Student })(() => ({}))

const byRegion = choosers(model)({ Account: byAttribute('region', { asia: 'asia', europe: 'europe' }) })

const open = () => {
  const databases = { asia: new Database(':memory:'), europe: new Database(':memory:') }
  const [asia, europe] = [sqliteEngine(databases.asia), sqliteEngine(databases.europe)]
  for (const engine of [asia, europe]) rightOf(createAllSync(model)(engine))
  const store = Session.createStore(shardedRuntime(model, { shards: shardMap({ asia, europe }), choosers: byRegion }))
  return {
    run: <E, A>(program: Session.Program<E, A>): A => rightOf(store.runSync(program)),
    rows: (shard: keyof typeof databases, table: string) => databases[shard].prepare(`select * from ${table}`).all(),
  }
}

test('subtypes live on the shards that their base chooses, with all of their rows', () => {
  const { run, rows } = open()
  run(Session.add(model.Business, { region: 'asia', owner: 'li', taxId: 'x1' }))
  run(Session.add(model.Student, { region: 'europe', owner: 'eva', school: 'eth' }))
  run(Session.add(model.Account, { region: 'europe', owner: 'max' }))
  run(Session.commit)
  expect(rows('asia', 'businesses')).toEqual([{ id: 1, taxId: 'x1' }])
  expect(rows('europe', 'businesses')).toEqual([])
  expect(rows('europe', 'accounts')).toMatchObject([{ kind: 'student' }, { kind: 'plain' }])

  run(Session.expungeAll)
  const all = run(pipe(select(model.Account), withSubtypes('*'), orderBy('owner'), Session.query))
  expect(
    all.map((one) => (one.kind === 'business' ? one.taxId : one.kind === 'student' ? one.school : one.owner)),
  ).toEqual(['eth', 'x1', 'max'])
  const [business] = run(pipe(select(model.Business), where('region', '=', 'asia'), Session.query))
  if (business === undefined) throw new Error('no business')
  run(Session.set(model.Business, { taxId: 'x2', owner: 'liu' })(business))
  run(Session.commit)
  expect(rows('asia', 'businesses')).toEqual([{ id: 1, taxId: 'x2' }])
  const renamed = pipe(update(model.Student), set({ school: 'eth zurich' }), where('owner', '=', 'eva'))
  expect(run(Session.execute()(renamed))).toBe(1)
  expect(run(Session.get(model.Student, 1, { shard: 'europe' }))).toMatchObject({ value: { school: 'eth zurich' } })
})
