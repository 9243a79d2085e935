// MikroORM: entities, identity map and unit of work, a fork of the entity manager for each use.
import { BetterSqliteDriver } from '@mikro-orm/better-sqlite'
import { Collection, EntitySchema, LoadStrategy, MikroORM } from '@mikro-orm/core'
import { serve } from '../dist/contest/serve.js'
import {
  customers,
  family,
  openFile,
  pragmas,
  removeFile,
  seedCustomers,
  seedFamilies,
  seedShard,
  shuffled,
} from '../dist/database.js'

class Customer {
  constructor(name, description) {
    this.name = name
    this.description = description
  }
}
class Parent {
  children = new Collection(this)
  constructor(name) {
    this.name = name
  }
}
class Child {
  grandchildren = new Collection(this)
  constructor(name) {
    this.name = name
  }
}
class Grandchild {}

const id = { type: 'number', primary: true }
const entities = [
  new EntitySchema({
    class: Customer,
    tableName: 'customer',
    properties: { id, name: { type: 'string' }, description: { type: 'string' } },
  }),
  new EntitySchema({
    class: Parent,
    tableName: 'parent',
    properties: { id, name: { type: 'string' }, children: { kind: '1:m', entity: () => Child, mappedBy: 'parent' } },
  }),
  new EntitySchema({
    class: Child,
    tableName: 'child',
    properties: {
      id,
      name: { type: 'string' },
      parent: { kind: 'm:1', entity: () => Parent, fieldName: 'parent_id' },
      grandchildren: { kind: '1:m', entity: () => Grandchild, mappedBy: 'child' },
    },
  }),
  new EntitySchema({
    class: Grandchild,
    tableName: 'grandchild',
    properties: { id, name: { type: 'string' }, child: { kind: 'm:1', entity: () => Child, fieldName: 'child_id' } },
  }),
]

const opened = async (seed) => {
  const file = openFile(seed)
  const orm = await MikroORM.init({ driver: BetterSqliteDriver, dbName: file.file, entities, debug: false })
  for (const pragma of pragmas) await orm.em.getConnection().execute(`PRAGMA ${pragma}`)
  return { ...file, orm }
}
const close = async (context) => {
  await context.orm.close(true)
  removeFile(context)
}

const openShards = (size) => Promise.all([0, 1, 2, 3].map((shard) => opened(seedShard(shard, 4, size))))

const ordered = async (shards, limit) => {
  const queries = shards.map(({ orm }) =>
    orm.em.fork().find(Customer, {}, { orderBy: { name: 1 }, ...(limit === null ? {} : { limit }) }),
  )
  const rows = (await Promise.all(queries)).flat().sort((a, b) => (a.name < b.name ? -1 : 1))
  return limit === null ? rows : rows.slice(0, limit)
}

const loaded = async (size) => {
  const context = await opened(seedCustomers(size))
  const em = context.orm.em.fork()
  return { ...context, em, all: await em.find(Customer, {}) }
}

const populate = (strategy) => (size) => ({
  prepare: () => opened(seedFamilies(size)),
  run: ({ orm }) => orm.em.fork().find(Parent, {}, { populate: ['children.grandchildren'], strategy }),
  dispose: close,
})

serve({
  insert: (size) => ({
    prepare: () => opened(),
    run: ({ orm }) => {
      const em = orm.em.fork()
      for (const { name, description } of customers(size)) em.persist(new Customer(name, description))
      return em.flush()
    },
    dispose: close,
  }),
  insertWithIds: (size) => ({
    prepare: () => opened(),
    run: ({ orm }) => {
      const em = orm.em.fork()
      customers(size).forEach(({ name, description }, i) => {
        em.persist(Object.assign(new Customer(name, description), { id: i + 1 }))
      })
      return em.flush()
    },
    dispose: close,
  }),
  insertGraph: (size) => ({
    prepare: () => opened(),
    run: ({ orm }) => {
      const em = orm.em.fork()
      for (let i = 0; i < size; i++) {
        const { children, name } = family(i)
        const parent = new Parent(name)
        for (const child of children) parent.children.add(new Child(child.name))
        em.persist(parent)
      }
      return em.flush()
    },
    dispose: close,
  }),
  load: (size) => ({
    prepare: () => opened(seedCustomers(size)),
    run: ({ orm }) => orm.em.fork().find(Customer, {}),
    dispose: close,
  }),
  getMiss: (size) => ({
    prepare: async () => ({ ...(await opened(seedCustomers(size))), ids: shuffled(size) }),
    run: async ({ orm, ids }) => {
      const em = orm.em.fork()
      for (const id of ids) await em.findOne(Customer, id)
    },
    dispose: close,
  }),
  // the fastest way that it has: getReference; findOne walks all that is loaded, for half a minute
  getHit: (size) => ({
    prepare: async () => ({ ...(await loaded(size)), ids: shuffled(size) }),
    run: ({ em, ids }) => ids.map((id) => em.getReference(Customer, id)),
    dispose: close,
  }),
  flushAll: (size) => ({
    prepare: () => loaded(size),
    run: ({ all, em }) => {
      all.forEach((one, i) => {
        one.description = `changed ${i}`
      })
      return em.flush()
    },
    dispose: close,
  }),
  flushFew: (size) => ({
    prepare: () => loaded(size),
    run: ({ all, em }) => {
      for (let i = 0; i < 100; i++) all[i * (size / 100)].description = `changed ${i}`
      return em.flush()
    },
    dispose: close,
  }),
  loadSelectin: populate(LoadStrategy.SELECT_IN),
  loadJoined: populate(LoadStrategy.JOINED),
  transactions: (size) => ({
    prepare: () => opened(),
    run: async ({ orm }) => {
      for (const { name, description } of customers(size)) {
        const em = orm.em.fork()
        em.persist(new Customer(name, description))
        await em.flush()
      }
    },
    dispose: close,
  }),
  shardsLimit: (size) => ({
    prepare: () => openShards(size),
    run: (shards) => ordered(shards, 1_000),
    dispose: (shards) => Promise.all(shards.map(close)),
  }),
  shardsAll: (size) => ({
    prepare: () => openShards(size),
    run: (shards) => ordered(shards, null),
    dispose: (shards) => Promise.all(shards.map(close)),
  }),
})
