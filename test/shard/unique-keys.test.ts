import {
  createAllSync,
  defineModel,
  type Engine,
  entity,
  integer,
  primaryKey,
  type Snapshot,
  text,
  unique,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { byAttribute, choosers, shardedRuntime, shardMap } from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import { rightOf } from './weather.js'

const Seat = entity('Seat', 'seats', { id: pipe(integer, primaryKey), zone: text, name: pipe(text, unique) })
const model = defineModel({ Seat })(() => ({}))

const arrange = () => {
  const open = (): Engine => {
    const engine = sqliteEngine(new Database(':memory:'))
    rightOf(createAllSync(model)(engine))
    return engine
  }
  const shards = shardMap({ asia: open(), europe: open() })
  const rules = choosers(model)({ Seat: byAttribute('zone', { asia: 'asia', europe: 'europe' }) })
  const store = Session.createStore(
    shardedRuntime(model, { shards, choosers: rules, autoflush: false, expireOnCommit: false }),
  )
  const run = <E, A>(program: Session.Program<E, A>): A => rightOf(store.runSync(program))
  const seats = run(
    Session.addAll(
      model.Seat,
      ['asia', 'asia', 'europe', 'europe'].map((zone, id) => ({ id, zone, name: `${zone[0]}${id % 2}` })),
    ),
  )
  run(Session.commit)
  const rename = (id: number, name: string) => run(Session.set(model.Seat, { name })(seats[id] as Snapshot<'Seat'>))
  return { run, rename, planned: () => Session.explain(run(Session.flushPlan)) }
}

test('a value that is given up on one shard and taken on another is no clash', () => {
  const { run, rename, planned } = arrange()
  rename(0, 'e0')
  rename(2, 'a0')
  expect(planned()).toMatchInlineSnapshot(`
    "1. update seats on asia (1 row)
         #0: name = 'e0' where id = 0
    2. update seats on europe (1 row)
         #2: name = 'a0' where id = 2"
  `)
  run(Session.commit)
})

test('a swap within a shard makes no other shard wait', () => {
  const { run, rename, planned } = arrange()
  rename(0, 'a1')
  rename(1, 'a0')
  rename(2, 'other')
  expect(planned()).toMatchInlineSnapshot(`
    "1. vacate in seats on asia (1 row)
         #1: name = 'unitary:1:1' where id = 1
    2. update seats on asia (1 row), after 1
         #0: name = 'a1' where id = 0
    3. update seats on asia (1 row), after 2
         #1: name = 'a0' where id = 1
    4. update seats on europe (1 row)
         #2: name = 'other' where id = 2"
  `)
  run(Session.commit)
})
