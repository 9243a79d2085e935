// Prisma, by its adapter to better-sqlite3: plain objects, no session and no identity map.
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
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
import { PrismaClient } from './prisma-client/index.js'

const opened = async (seed) => {
  const file = openFile(seed)
  const client = new PrismaClient({ adapter: new PrismaBetterSqlite3({ url: `file:${file.file}` }) })
  for (const pragma of pragmas) await client.$queryRawUnsafe(`PRAGMA ${pragma}`)
  return { ...file, client }
}
const close = async (context) => {
  await context.client.$disconnect()
  removeFile(context)
}

const patience = { timeout: 170_000, maxWait: 10_000 }
const chunk = 1_000

serve({
  insert: (size) => ({
    prepare: () => opened(),
    run: ({ client }) =>
      client.$transaction(async (t) => {
        const rows = customers(size)
        for (let from = 0; from < size; from += chunk) {
          await t.customer.createManyAndReturn({ data: rows.slice(from, from + chunk), select: { id: true } })
        }
      }, patience),
    dispose: close,
  }),
  insertWithIds: (size) => ({
    prepare: () => opened(),
    run: ({ client }) =>
      client.$transaction(async (t) => {
        const rows = customers(size).map((row, i) => ({ id: i + 1, ...row }))
        for (let from = 0; from < size; from += chunk) {
          await t.customer.createMany({ data: rows.slice(from, from + chunk) })
        }
      }, patience),
    dispose: close,
  }),
  insertGraph: (size) => ({
    prepare: () => opened(),
    run: ({ client }) =>
      client.$transaction(async (t) => {
        for (let i = 0; i < size; i++) {
          const { children, name } = family(i)
          await t.parent.create({ data: { name, children: { create: [...children] } }, include: { children: true } })
        }
      }, patience),
    dispose: close,
  }),
  load: (size) => ({
    prepare: () => opened(seedCustomers(size)),
    run: ({ client }) => client.customer.findMany(),
    dispose: close,
  }),
  getMiss: (size) => ({
    prepare: async () => ({ ...(await opened(seedCustomers(size))), ids: shuffled(size) }),
    run: async ({ client, ids }) => {
      for (const id of ids) await client.customer.findUnique({ where: { id } })
    },
    dispose: close,
  }),
  flushAll: (size) => ({
    prepare: () => opened(seedCustomers(size)),
    run: ({ client }) =>
      client.$transaction(async (t) => {
        for (let id = 1; id <= size; id++) {
          await t.customer.update({ where: { id }, data: { description: `changed ${id}` } })
        }
      }, patience),
    dispose: close,
  }),
  loadSelectin: (size) => ({
    prepare: () => opened(seedFamilies(size)),
    run: ({ client }) => client.parent.findMany({ include: { children: { include: { grandchildren: true } } } }),
    dispose: close,
  }),
  transactions: (size) => ({
    prepare: () => opened(),
    run: async ({ client }) => {
      for (const row of customers(size)) await client.customer.create({ data: { ...row } })
    },
    dispose: close,
  }),
})
