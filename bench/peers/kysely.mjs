// Kysely by itself: statements built and compiled for each use, as its users write them; graphs put together by hand.
import { Kysely, SqliteDialect } from 'kysely'
import { serve } from '../dist/contest/serve.js'
import {
  customers,
  family,
  open,
  removeFile,
  seedCustomers,
  seedFamilies,
  seedShard,
  shuffled,
} from '../dist/database.js'

const opened = (seed) => {
  const file = open(seed)
  return { ...file, db: new Kysely({ dialect: new SqliteDialect({ database: file.database }) }) }
}
const close = async (context) => {
  await context.db.destroy()
  removeFile(context)
}

const chunk = 500

const insertRows = async (db, table, rows, valuesOf, wantsIds) => {
  for (let from = 0; from < rows.length; from += chunk) {
    const some = rows.slice(from, from + chunk)
    const insert = db.insertInto(table).values(some.map(valuesOf))
    if (!wantsIds) {
      await insert.execute()
      continue
    }
    const ids = await insert.returning('id').execute()
    ids.forEach(({ id }, i) => {
      some[i].id = id
    })
  }
}

const customerColumns = ['id', 'name', 'description']

const openShards = (size) => [0, 1, 2, 3].map((shard) => opened(seedShard(shard, 4, size)))

const ordered = async (shards, limit) => {
  const queries = shards.map(({ db }) => {
    const query = db.selectFrom('customer').select(customerColumns).orderBy('name')
    return (limit === null ? query : query.limit(limit)).execute()
  })
  const rows = (await Promise.all(queries)).flat().sort((a, b) => (a.name < b.name ? -1 : 1))
  return limit === null ? rows : rows.slice(0, limit)
}

serve({
  insert: (size) => ({
    prepare: () => opened(),
    run: ({ db }) => {
      const rows = customers(size).map((row) => ({ id: 0, ...row }))
      return db
        .transaction()
        .execute((t) => insertRows(t, 'customer', rows, ({ name, description }) => ({ name, description }), true))
    },
    dispose: close,
  }),
  insertWithIds: (size) => ({
    prepare: () => opened(),
    run: ({ db }) => {
      const rows = customers(size).map((row, i) => ({ id: i + 1, ...row }))
      return db.transaction().execute((t) => insertRows(t, 'customer', rows, (row) => row, false))
    },
    dispose: close,
  }),
  insertGraph: (size) => ({
    prepare: () => opened(),
    run: ({ db }) =>
      db.transaction().execute(async (t) => {
        const parents = Array.from({ length: size }, (_, i) => ({ id: 0, ...family(i) }))
        await insertRows(t, 'parent', parents, ({ name }) => ({ name }), true)
        const children = parents.flatMap(({ id, children }) =>
          children.map(({ name }) => ({ id: 0, parent_id: id, name })),
        )
        await insertRows(t, 'child', children, ({ parent_id, name }) => ({ parent_id, name }), true)
      }),
    dispose: close,
  }),
  getMiss: (size) => ({
    prepare: () => ({ ...opened(seedCustomers(size)), ids: shuffled(size) }),
    run: async ({ db, ids }) => {
      for (const id of ids) {
        await db.selectFrom('customer').select(customerColumns).where('id', '=', id).executeTakeFirst()
      }
    },
    dispose: close,
  }),
  flushAll: (size) => ({
    prepare: () => opened(seedCustomers(size)),
    run: ({ db }) =>
      db.transaction().execute(async (t) => {
        for (let id = 1; id <= size; id++) {
          await t
            .updateTable('customer')
            .set({ description: `changed ${id}` })
            .where('id', '=', id)
            .execute()
        }
      }),
    dispose: close,
  }),
  loadSelectin: (size) => ({
    prepare: () => opened(seedFamilies(size)),
    run: async ({ db }) => {
      const parents = new Map()
      for (const row of await db.selectFrom('parent').select(['id', 'name']).execute()) {
        parents.set(row.id, { ...row, children: [] })
      }
      const children = new Map()
      const childRows = await db
        .selectFrom('child')
        .select(['id', 'parent_id', 'name'])
        .where('parent_id', 'in', [...parents.keys()])
        .execute()
      for (const row of childRows) {
        const child = { ...row, grandchildren: [] }
        children.set(row.id, child)
        parents.get(row.parent_id).children.push(child)
      }
      const grandchildRows = await db
        .selectFrom('grandchild')
        .select(['id', 'child_id', 'name'])
        .where('child_id', 'in', [...children.keys()])
        .execute()
      for (const row of grandchildRows) children.get(row.child_id).grandchildren.push(row)
      return parents
    },
    dispose: close,
  }),
  transactions: (size) => ({
    prepare: () => opened(),
    run: async ({ db }) => {
      for (const row of customers(size)) {
        await db.transaction().execute((t) => t.insertInto('customer').values(row).executeTakeFirst())
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
