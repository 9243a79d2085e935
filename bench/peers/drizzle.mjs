// Drizzle: no session and no identity map; plain objects, and statements built for each use.
import { eq, relations } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { serve } from '../dist/contest/serve.js'
import { close, customers, family, open, seedCustomers, seedFamilies, shuffled } from '../dist/database.js'

const customer = sqliteTable('customer', {
  id: integer('id').primaryKey(),
  name: text('name').notNull(),
  description: text('description').notNull(),
})
const parent = sqliteTable('parent', { id: integer('id').primaryKey(), name: text('name').notNull() })
const child = sqliteTable('child', {
  id: integer('id').primaryKey(),
  parent_id: integer('parent_id').notNull(),
  name: text('name').notNull(),
})
const grandchild = sqliteTable('grandchild', {
  id: integer('id').primaryKey(),
  child_id: integer('child_id').notNull(),
  name: text('name').notNull(),
})
const schema = {
  customer,
  parent,
  child,
  grandchild,
  parentRelations: relations(parent, ({ many }) => ({ children: many(child) })),
  childRelations: relations(child, ({ one, many }) => ({
    parent: one(parent, { fields: [child.parent_id], references: [parent.id] }),
    grandchildren: many(grandchild),
  })),
  grandchildRelations: relations(grandchild, ({ one }) => ({
    child: one(child, { fields: [grandchild.child_id], references: [child.id] }),
  })),
}

const opened = (seed) => {
  const file = open(seed)
  return { ...file, db: drizzle(file.database, { schema }) }
}

const chunk = 500

const insertRows = (db, table, rows, valuesOf, wantsIds) => {
  for (let from = 0; from < rows.length; from += chunk) {
    const some = rows.slice(from, from + chunk)
    const insert = db.insert(table).values(some.map(valuesOf))
    if (!wantsIds) {
      insert.run()
      continue
    }
    insert
      .returning({ id: table.id })
      .all()
      .forEach(({ id }, i) => {
        some[i].id = id
      })
  }
}

serve({
  insert: (size) => ({
    prepare: () => opened(),
    run: ({ db }) => {
      const rows = customers(size).map((row) => ({ id: 0, ...row }))
      db.transaction((t) => insertRows(t, customer, rows, ({ name, description }) => ({ name, description }), true))
    },
    dispose: close,
  }),
  insertWithIds: (size) => ({
    prepare: () => opened(),
    run: ({ db }) => {
      const rows = customers(size).map((row, i) => ({ id: i + 1, ...row }))
      db.transaction((t) => insertRows(t, customer, rows, (row) => row, false))
    },
    dispose: close,
  }),
  insertGraph: (size) => ({
    prepare: () => opened(),
    run: ({ db }) =>
      db.transaction((t) => {
        const parents = Array.from({ length: size }, (_, i) => ({ id: 0, ...family(i) }))
        insertRows(t, parent, parents, ({ name }) => ({ name }), true)
        const children = parents.flatMap(({ id, children }) =>
          children.map(({ name }) => ({ id: 0, parent_id: id, name })),
        )
        insertRows(t, child, children, ({ parent_id, name }) => ({ parent_id, name }), true)
      }),
    dispose: close,
  }),
  getMiss: (size) => ({
    prepare: () => ({ ...opened(seedCustomers(size)), ids: shuffled(size) }),
    run: ({ db, ids }) => {
      for (const id of ids) db.select().from(customer).where(eq(customer.id, id)).get()
    },
    dispose: close,
  }),
  flushAll: (size) => ({
    prepare: () => opened(seedCustomers(size)),
    run: ({ db }) =>
      db.transaction((t) => {
        for (let id = 1; id <= size; id++) {
          t.update(customer)
            .set({ description: `changed ${id}` })
            .where(eq(customer.id, id))
            .run()
        }
      }),
    dispose: close,
  }),
  loadJoined: (size) => ({
    prepare: () => opened(seedFamilies(size)),
    run: ({ db }) => db.query.parent.findMany({ with: { children: { with: { grandchildren: true } } } }).sync(),
    dispose: close,
  }),
  transactions: (size) => ({
    prepare: () => opened(),
    run: ({ db }) => {
      for (const row of customers(size)) db.transaction((t) => t.insert(customer).values(row).run())
    },
    dispose: close,
  }),
})
