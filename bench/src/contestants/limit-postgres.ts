/**
 * The limit on PostgreSQL: `pg` by hand, arrays of ten thousand values a statement.
 */
import { serve } from '../contest/serve.js'
import type { Contestant } from '../contest/workload.js'
import { customers } from '../database.js'
import { dropPostgres, type OpenedPostgres, openPostgres } from '../postgres.js'

const chunk = 10_000

const close = async ({ name, pool }: OpenedPostgres): Promise<void> => {
  await pool.end()
  await dropPostgres(name)
}

const limit: Contestant = {
  insert: (size) => ({
    prepare: () => openPostgres(0),
    run: async ({ pool }: OpenedPostgres) => {
      const rows = customers(size).map((row) => ({ id: 0, ...row }))
      const client = await pool.connect()
      await client.query('begin')
      for (let from = 0; from < size; from += chunk) {
        const some = rows.slice(from, from + chunk)
        const { rows: given } = await client.query<{ readonly id: number }>(
          'insert into customer(name, description) select * from unnest($1::text[], $2::text[]) returning id',
          [some.map(({ name }) => name), some.map(({ description }) => description)],
        )
        some.forEach((row, i) => {
          row.id = given[i]?.id ?? 0
        })
      }
      await client.query('commit')
      client.release()
      return rows
    },
    dispose: close,
  }),
  load: (size) => ({
    prepare: () => openPostgres(size),
    run: async ({ pool }: OpenedPostgres) => {
      const identityMap = new Map<number, unknown>()
      const { rows } = await pool.query<{ readonly id: number }>('select id, name, description from customer')
      for (const row of rows) identityMap.set(row.id, row)
      return identityMap
    },
    dispose: close,
  }),
  flushAll: (size) => ({
    prepare: () => openPostgres(size),
    run: async ({ pool }: OpenedPostgres) => {
      const ids = Array.from({ length: size }, (_, i) => i + 1)
      const client = await pool.connect()
      await client.query('begin')
      await client.query(
        `update customer set description = changed.description
         from unnest($1::int[], $2::text[]) as changed(id, description) where customer.id = changed.id`,
        [ids, ids.map((id) => `changed ${id}`)],
      )
      await client.query('commit')
      client.release()
    },
    dispose: close,
  }),
}

serve(limit)
