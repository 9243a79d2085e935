// TypeORM: entities without an identity map; it looks for what changed when it saves.
import 'reflect-metadata'
import { DataSource, EntitySchema } from 'typeorm'
import { serve } from '../dist/contest/serve.js'
import {
  customers,
  family,
  openFile,
  pragmas,
  removeFile,
  seedCustomers,
  seedFamilies,
  shuffled,
} from '../dist/database.js'

class Customer {}
class Parent {}
class Child {}
class Grandchild {}

const id = { type: 'integer', primary: true, generated: 'increment' }
const name = { type: 'text' }
const entities = [
  new EntitySchema({
    name: 'Customer',
    target: Customer,
    tableName: 'customer',
    columns: { id, name, description: { type: 'text' } },
  }),
  new EntitySchema({
    name: 'Parent',
    target: Parent,
    tableName: 'parent',
    columns: { id, name },
    relations: { children: { type: 'one-to-many', target: 'Child', inverseSide: 'parent', cascade: true } },
  }),
  new EntitySchema({
    name: 'Child',
    target: Child,
    tableName: 'child',
    columns: { id, name },
    relations: {
      parent: {
        type: 'many-to-one',
        target: 'Parent',
        inverseSide: 'children',
        joinColumn: { name: 'parent_id' },
      },
      grandchildren: { type: 'one-to-many', target: 'Grandchild', inverseSide: 'child', cascade: true },
    },
  }),
  new EntitySchema({
    name: 'Grandchild',
    target: Grandchild,
    tableName: 'grandchild',
    columns: { id, name },
    relations: {
      child: { type: 'many-to-one', target: 'Child', inverseSide: 'grandchildren', joinColumn: { name: 'child_id' } },
    },
  }),
]

const opened = async (seed) => {
  const file = openFile(seed)
  const source = new DataSource({
    type: 'better-sqlite3',
    database: file.file,
    entities,
    prepareDatabase: (database) => {
      for (const pragma of pragmas) database.pragma(pragma)
    },
  })
  await source.initialize()
  return { ...file, source }
}
const close = async (context) => {
  await context.source.destroy()
  removeFile(context)
}

const made = (Class, values) => Object.assign(new Class(), values)

const save = (source, Class, entities, chunk) =>
  source.transaction((manager) => manager.save(Class, entities, { chunk, transaction: false }))

serve({
  insert: (size) => ({
    prepare: () => opened(),
    run: ({ source }) =>
      save(
        source,
        Customer,
        customers(size).map((row) => made(Customer, row)),
        1_000,
      ),
    dispose: close,
  }),
  insertGraph: (size) => ({
    prepare: () => opened(),
    run: ({ source }) => {
      const parents = Array.from({ length: size }, (_, i) => {
        const { children, name } = family(i)
        return made(Parent, { name, children: children.map((child) => made(Child, child)) })
      })
      return save(source, Parent, parents, 100)
    },
    dispose: close,
  }),
  load: (size) => ({
    prepare: () => opened(seedCustomers(size)),
    run: ({ source }) => source.manager.find(Customer),
    dispose: close,
  }),
  getMiss: (size) => ({
    prepare: async () => ({ ...(await opened(seedCustomers(size))), ids: shuffled(size) }),
    run: async ({ ids, source }) => {
      for (const id of ids) await source.manager.findOneBy(Customer, { id })
    },
    dispose: close,
  }),
  flushAll: (size) => ({
    prepare: async () => {
      const context = await opened(seedCustomers(size))
      return { ...context, all: await context.source.manager.find(Customer) }
    },
    run: ({ all, source }) => {
      all.forEach((one, i) => {
        one.description = `changed ${i}`
      })
      return save(source, Customer, all, 1_000)
    },
    dispose: close,
  }),
  loadJoined: (size) => ({
    prepare: () => opened(seedFamilies(size)),
    run: ({ source }) => source.manager.find(Parent, { relations: { children: { grandchildren: true } } }),
    dispose: close,
  }),
  transactions: (size) => ({
    prepare: () => opened(),
    run: async ({ source }) => {
      for (const row of customers(size)) await source.manager.save(made(Customer, row))
    },
    dispose: close,
  }),
})
