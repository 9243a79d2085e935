import { type AnyModel, createAll, dropAll } from '@unitary/core'
import { type Drift, diffToMigration, drift, renderDrift } from '@unitary/core/schema'
import * as fc from 'fast-check'
import { type Kysely, type Migration, Migrator, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rightOf } from '../engine/engine-conformance.js'
import { everythingDropped, type KyselyDatabase, kyselyHosts } from './kysely-hosts.js'
import { market, oldMarket } from './market.js'
import { type Printed, printed } from './printed.js'
import { modelArbitrary } from './random-model.js'

const clean = 'the database is as the model says'

describe.each(kyselyHosts)('a draft of a migration on $name', ({ name, why, create }) => {
  const runs = { SQLite: 30, PostgreSQL: 8 }[name] ?? 4
  let database: KyselyDatabase
  let files: Printed
  beforeAll(async () => {
    if (why !== null) return
    files = printed()
    database = await create()
  })
  afterAll(async () => {
    await database?.drop()
    files?.remove()
  })

  const driftOf = async (model: AnyModel): Promise<Drift> => rightOf(await drift(model)(database.engine)())
  const rendered = async (model: AnyModel): Promise<string> => {
    const found = await driftOf(model)
    const lines = renderDrift({ ...found, model: { ...found.model, notes: [] } }).split('\n')
    return lines.toSorted().join('\n')
  }

  const migratorOf = (db: Kysely<unknown>, migration: Migration): Migrator =>
    new Migrator({ db, provider: { getMigrations: async () => ({ draft: migration }) } })

  const migrated = async (migrator: Migrator, direction: 'up' | 'down'): Promise<void> => {
    const { error, results } = await (direction === 'up' ? migrator.migrateToLatest() : migrator.migrateDown())
    if (error !== undefined) throw error
    expect(results).toMatchObject([{ status: 'Success', direction: direction === 'up' ? 'Up' : 'Down' }])
  }

  test.skipIf(why !== null)('takes drift away, and brings it back, with the rows that are there', async () => {
    const { db, engine } = database
    rightOf(await createAll(oldMarket)(engine)())
    await sql`insert into sellers (email, joined) values ('a@x', '2026-01-31 12:00:00')`.execute(db)
    await sql`insert into offers (seller_id, title, price, state) values (1, 'Lamp', 5, 'new')`.execute(db)
    await sql`insert into rates (id, value) values (7, 1.5)`.execute(db)
    const before = await rendered(market)
    const source = diffToMigration(await driftOf(market))
    expect(source).toMatchSnapshot()
    const migration = await files.load<Migration>('market', source)
    expect(files.check()).toBe('')
    const migrator = migratorOf(db, migration)
    await migrated(migrator, 'up')
    expect(await rendered(market)).toBe(clean)
    const joined =
      await sql`select email, country, title, price, stock from sellers join offers on seller_id = sellers.id`.execute(
        db,
      )
    expect(joined.rows).toEqual([{ email: 'a@x', country: 'de', title: 'Lamp', price: 5, stock: 5 }])
    await sql`insert into rates (value) values (2.5)`.execute(db)
    const rates = await sql`select id, value from rates order by id`.execute(db)
    expect(rates.rows).toEqual([
      { id: 7, value: 1.5 },
      { id: 8, value: 2.5 },
    ])
    await migrated(migrator, 'down')
    expect(await rendered(market)).toBe(before)
    expect(await rendered(oldMarket)).toBe(clean)
    expect((await sql`select title, price from offers`.execute(db)).rows).toEqual([{ title: 'Lamp', price: 5 }])
    rightOf(await dropAll(oldMarket)(engine)())
    await sql`drop table kysely_migration`.execute(db)
    await sql`drop table kysely_migration_lock`.execute(db)
  })

  test.skipIf(why !== null)('leads from any model to any other', { timeout: 120_000 }, async () => {
    const { db, engine } = database
    let made = 0
    const leads = async (from: AnyModel, to: AnyModel): Promise<void> => {
      rightOf(await createAll(from)(engine)())
      let source = ''
      try {
        const before = await rendered(to)
        source = diffToMigration(await driftOf(to))
        const migration = await files.load<Migration>(`any${made++}`, source)
        await migration.up(db)
        expect(await rendered(to)).toBe(clean)
        await migration.down?.(db)
        expect(await rendered(from)).toBe(clean)
        expect(await rendered(to)).toBe(before)
      } catch (error) {
        throw new Error(source, { cause: error })
      } finally {
        await everythingDropped(database)
      }
    }
    await fc.assert(fc.asyncProperty(modelArbitrary, modelArbitrary, leads), { numRuns: runs })
  })
})
