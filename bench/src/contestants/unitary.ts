/**
 * Unitary: through the session, checked rows (`strict`), as anyone would write it.
 */
import {
  defineModel,
  type ExecutionOptions,
  entity,
  generated,
  insertInto,
  integer,
  joined,
  limit,
  named,
  orderBy,
  primaryKey,
  select,
  selectin,
  text,
  values,
  withOptions,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { choosers, onlyOn, type ShardedRuntime, shardedRuntime, shardMap } from '@unitary/shard'
import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Contestant } from '../contest/workload.js'
import {
  close,
  customers,
  family,
  type Opened,
  open,
  seedCustomers,
  seedFamilies,
  seedShard,
  shuffled,
} from '../database.js'

const Customer = entity('Customer', 'customer', {
  id: pipe(integer, primaryKey, generated),
  name: text,
  description: text,
})
const Parent = entity('Parent', 'parent', { id: pipe(integer, primaryKey, generated), name: text })
const Child = entity('Child', 'child', {
  id: pipe(integer, primaryKey, generated),
  parentId: pipe(integer, named('parent_id')),
  name: text,
})
const Grandchild = entity('Grandchild', 'grandchild', {
  id: pipe(integer, primaryKey, generated),
  childId: pipe(integer, named('child_id')),
  name: text,
})

export const model = defineModel({ Customer, Parent, Child, Grandchild })((r) => ({
  Parent: { children: r.Parent.hasMany('Child', { foreignKey: 'parentId', inverse: 'parent' }) },
  Child: {
    parent: r.Child.belongsTo('Parent', { foreignKey: 'parentId', inverse: 'children' }),
    grandchildren: r.Child.hasMany('Grandchild', { foreignKey: 'childId', inverse: 'child' }),
  },
  Grandchild: { child: r.Grandchild.belongsTo('Child', { foreignKey: 'childId', inverse: 'grandchildren' }) },
}))

/** A bench has no use for a failure: it ends the run. */
export const orDie = <E, A>(result: Either<E, A>): A => {
  if (result._tag === 'Left') throw new Error(JSON.stringify(result.left))
  return result.right
}

export const runtimeOf = ({ database }: Opened): Session.Runtime => Session.runtime(model, sqliteEngine(database))

/** Where new rows would go; none is written here. */
const anywhere = onlyOn('a')
const onFirst = choosers(model)({
  Customer: { ...anywhere, shardsOf: () => null },
  Parent: anywhere,
  Child: anywhere,
  Grandchild: anywhere,
})

interface Shards {
  readonly files: ReadonlyArray<Opened>
  readonly app: ShardedRuntime
}

const openShards = (size: number): Shards => {
  const [a, b, c, d] = [0, 1, 2, 3].map((shard) => open(seedShard(shard, 4, size))) as [Opened, Opened, Opened, Opened]
  // connected to before it is measured, as the connections by hand are set up before
  const engineOf = ({ database }: Opened) => {
    const engine = sqliteEngine(database)
    const connected = engine.connectSync?.()
    if (connected !== undefined) orDie(connected).release()
    return engine
  }
  const shards = shardMap({ a: engineOf(a), b: engineOf(b), c: engineOf(c), d: engineOf(d) })
  return { files: [a, b, c, d], app: shardedRuntime(model, { shards, choosers: onFirst }) }
}

const closeShards = ({ files }: Shards): void => files.forEach(close)

const commitAfter = Session.chain(() => Session.commit)

/** What is loaded stands in a session that a store holds. */
const loadedSession = (size: number) => {
  const opened = open(seedCustomers(size))
  const store = Session.createStore(runtimeOf(opened))
  const all = orDie(store.runSync(Session.query(select(model.Customer))))
  return { opened, store, all }
}

type LoadedSession = ReturnType<typeof loadedSession>

const closeSession = ({ opened, store }: LoadedSession): void => {
  store.closeSync()
  close(opened)
}

const change = Session.traverseArrayWithIndex((i: number, instance: LoadedSession['all'][number]) =>
  pipe(instance, Session.set(model.Customer, { description: `changed ${i}` })),
)

/** The workloads, whose loads have the given options. */
export const contestant = (options: ExecutionOptions): Contestant => ({
  insert: (size) => ({
    prepare: () => open(),
    run: (opened: Opened) =>
      orDie(Session.runSync(runtimeOf(opened))(pipe(Session.addAll(model.Customer, customers(size)), commitAfter))),
    dispose: close,
  }),
  insertWithIds: (size) => ({
    prepare: () => open(),
    run: (opened: Opened) => {
      const rows = customers(size).map((row, i) => ({ id: i + 1, ...row }))
      return orDie(Session.runSync(runtimeOf(opened))(pipe(Session.addAll(model.Customer, rows), commitAfter)))
    },
    dispose: close,
  }),
  insertPast: (size) => ({
    prepare: () => open(),
    run: (opened: Opened) =>
      orDie(
        Session.runSync(runtimeOf(opened))(
          pipe(insertInto(model.Customer), values(customers(size)), Session.execute(), commitAfter),
        ),
      ),
    dispose: close,
  }),
  insertGraph: (size) => ({
    prepare: () => open(),
    run: (opened: Opened) => {
      const drafts = Array.from({ length: size }, (_, i) => family(i))
      return orDie(Session.runSync(runtimeOf(opened))(pipe(Session.addAll(model.Parent, drafts), commitAfter)))
    },
    dispose: close,
  }),
  load: (size) => ({
    prepare: () => open(seedCustomers(size)),
    run: (opened: Opened) =>
      orDie(Session.runSync(runtimeOf(opened))(pipe(select(model.Customer), withOptions(options), Session.query))),
    dispose: close,
  }),
  stream: (size) => ({
    prepare: () => open(seedCustomers(size)),
    run: (opened: Opened) => {
      let length = 0
      for (const row of Session.streamSync(runtimeOf(opened))(pipe(select(model.Customer), withOptions(options)))) {
        length += orDie(row).name.length
      }
      return length
    },
    dispose: close,
  }),
  getMiss: (size) => ({
    prepare: () => ({ opened: open(seedCustomers(size)), ids: shuffled(size) }),
    run: ({ opened, ids }) => {
      const get = Session.traverseArray((id: number) => Session.get(model.Customer, id))
      return orDie(Session.runSync(runtimeOf(opened))(get(ids)))
    },
    dispose: ({ opened }) => close(opened),
  }),
  getHit: (size) => ({
    prepare: () => ({ ...loadedSession(size), ids: shuffled(size) }),
    run: ({ store, ids }: LoadedSession & { readonly ids: ReadonlyArray<number> }) =>
      orDie(store.runSync(Session.traverseArray((id: number) => Session.get(model.Customer, id))(ids))),
    dispose: closeSession,
  }),
  flushAll: (size) => ({
    prepare: () => loadedSession(size),
    run: ({ store, all }: LoadedSession) => orDie(store.runSync(pipe(change(all), commitAfter))),
    dispose: closeSession,
  }),
  flushFew: (size) => ({
    prepare: () => loadedSession(size),
    run: ({ store, all }: LoadedSession) =>
      orDie(
        store.runSync(
          pipe(
            change(Array.from({ length: 100 }, (_, i) => all[i * (size / 100)] as (typeof all)[number])),
            commitAfter,
          ),
        ),
      ),
    dispose: closeSession,
  }),
  loadSelectin: (size) => ({
    prepare: () => open(seedFamilies(size)),
    run: (opened: Opened) =>
      orDie(
        Session.runSync(runtimeOf(opened))(
          pipe(
            select(model.Parent),
            withOptions(options),
            selectin('children', (children) => pipe(children, selectin('grandchildren'))),
            Session.query,
          ),
        ),
      ),
    dispose: close,
  }),
  loadJoined: (size) => ({
    prepare: () => open(seedFamilies(size)),
    run: (opened: Opened) =>
      orDie(
        Session.runSync(runtimeOf(opened))(
          pipe(
            select(model.Parent),
            withOptions(options),
            joined('children', (children) => pipe(children, joined('grandchildren'))),
            Session.query,
          ),
        ),
      ),
    dispose: close,
  }),
  transactions: (size) => ({
    prepare: () => open(),
    run: (opened: Opened) => {
      const run = Session.runSync(runtimeOf(opened))
      for (const row of customers(size)) orDie(run(pipe(Session.add(model.Customer, row), commitAfter)))
    },
    dispose: close,
  }),
  shardsLimit: (size) => ({
    prepare: () => openShards(size),
    run: ({ app }: Shards) =>
      orDie(
        Session.runSync(app)(
          pipe(select(model.Customer), withOptions(options), orderBy('name'), limit(1_000), Session.query),
        ),
      ),
    dispose: closeShards,
  }),
  shardsAll: (size) => ({
    prepare: () => openShards(size),
    run: ({ app }: Shards) =>
      orDie(Session.runSync(app)(pipe(select(model.Customer), withOptions(options), orderBy('name'), Session.query))),
    dispose: closeShards,
  }),
})
