/**
 * What the constraints of a model do in a database: they are tried with rows, and their violations name them.
 */
import {
  createAll,
  ddlOf,
  defineModel,
  type Engine,
  entity,
  integer,
  mysqlDialect,
  nullable,
  primaryKey,
  references,
  text,
  unique,
  withServerDefault,
} from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { Kysely, SqliteDialect, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rightOf } from '../engine/engine-conformance.js'
import { type KyselyDatabase, kyselyHosts } from './kysely-hosts.js'

const id = pipe(integer, primaryKey)
const Parent = entity(
  'Parent',
  'parents',
  { id, code: pipe(text, unique), size: integer, state: pipe(text, withServerDefault(sql`'open'`)) },
  {
    unique: [{ attributes: ['size', 'state'], name: 'one_size_a_state' }],
    checks: [{ check: (eb) => eb('size', '>', 0), name: 'has_size' }],
    indexes: [{ attributes: ['state'], unique: true, name: 'one_large_a_state', where: (eb) => eb('size', '>', 100) }],
  },
)
const parentId = pipe(integer, nullable)
const child = (name: string, table: string, options: Parameters<typeof references>[1]) =>
  entity(name, table, { id, parentId: pipe(parentId, references('parents.id', options)) })
const model = defineModel({
  Parent,
  Cascaded: child('Cascaded', 'cascaded', { onDelete: 'cascade', onUpdate: 'cascade' }),
  Nulled: child('Nulled', 'nulled', { onDelete: 'set null', onUpdate: 'set null' }),
  Restricted: child('Restricted', 'restricted', { onDelete: 'restrict' }),
  Defaulted: entity('Defaulted', 'defaulted', {
    id,
    parentId: pipe(integer, withServerDefault(sql`3`), references('parents.id', { onDelete: 'set default' })),
  }),
  Deferred: child('Deferred', 'deferred', { deferrable: 'initially deferred' }),
})(() => ({}))

describe.each(kyselyHosts)('constraints on $name', ({ create, name, why }) => {
  let database: KyselyDatabase
  let db: Kysely<unknown>
  let engine: Engine
  beforeAll(async () => {
    if (why !== null) return
    database = await create()
    ;({ db, engine } = database)
    rightOf(await createAll(model)(engine)())
    if (name === 'SQLite') await sql`pragma foreign_keys = on`.execute(db)
    await sql`insert into parents (id, code, size) values (1, 'a', 1), (2, 'b', 2), (3, 'c', 3), (4, 'd', 4)`.execute(
      db,
    )
  })
  afterAll(async () => {
    await database?.drop()
  })
  const rows = async (table: string) => (await sql`select * from ${sql.table(table)} order by id`.execute(db)).rows
  const refused = (statement: ReturnType<typeof sql>) => expect(statement.execute(db)).rejects

  test.skipIf(why !== null)(
    'of uniqueness, of one column or several, and checks, refuse rows by their names',
    async () => {
      await refused(sql`insert into parents (id, code, size) values (9, 'a', 9)`).toThrow(/parents.code/)
      // SQLite names the columns of it
      await refused(sql`insert into parents (id, code, size) values (9, 'z', 1)`).toThrow(
        /one_size_a_state|parents.size/,
      )
      await refused(sql`insert into parents (id, code, size) values (9, 'z', 0)`).toThrow(/has_size/)
    },
  )

  test.skipIf(why !== null)('of uniqueness among some rows hold for those, where there are such', async () => {
    await sql`insert into parents (id, code, size) values (10, 'x', 101)`.execute(db)
    const other = sql`insert into parents (id, code, size) values (11, 'y', 102)`
    // of MySQL and MariaDB the index is left out, since its condition would be
    if (name === 'MariaDB') await other.execute(db)
    else await refused(other).toThrow(/one_large_a_state|parents.state/)
    await sql`delete from parents where id > 9`.execute(db)
  })

  test.skipIf(why !== null)('carry deletes and changes of keys along, or refuse them', async () => {
    await sql`insert into cascaded values (1, 1), (2, 2)`.execute(db)
    await sql`insert into nulled values (1, 1), (2, 2)`.execute(db)
    await sql`insert into restricted values (1, 3)`.execute(db)
    await sql`insert into defaulted values (1, 4)`.execute(db)
    await sql`delete from parents where id = 1`.execute(db)
    expect(await rows('cascaded')).toEqual([{ id: 2, parentId: 2 }])
    expect(await rows('nulled')).toEqual([
      { id: 1, parentId: null },
      { id: 2, parentId: 2 },
    ])
    await sql`update parents set id = 20 where id = 2`.execute(db)
    expect(await rows('cascaded')).toEqual([{ id: 2, parentId: 20 }])
    expect(await rows('nulled')).toEqual([
      { id: 1, parentId: null },
      { id: 2, parentId: null },
    ])
    // InnoDB knows no such action, and the model is made without it
    const emptied = sql`delete from parents where id = 4`
    if (name === 'MariaDB') await refused(emptied).toThrow(/foreign key/i)
    else {
      await emptied.execute(db)
      expect(await rows('defaulted')).toEqual([{ id: 1, parentId: 3 }])
    }
    await refused(sql`delete from parents where id = 3`).toThrow(/foreign key|restricted/i)
  })

  test.skipIf(why !== null)('wait for the end of the transaction, where they can', async () => {
    const childFirst = db.transaction().execute(async (transaction) => {
      await sql`insert into deferred values (1, 50)`.execute(transaction)
      await sql`insert into parents (id, code, size) values (50, 'late', 50)`.execute(transaction)
    })
    if (name === 'MariaDB') {
      await expect(childFirst).rejects.toThrow(/foreign key/i)
      return
    }
    await childFirst
    expect(await rows('deferred')).toEqual([{ id: 1, parentId: 50 }])
    const never = db
      .transaction()
      .execute((transaction) => sql`insert into deferred values (2, 99)`.execute(transaction))
    await expect(never).rejects.toThrow(/foreign key/i)
  })
})

test('what MySQL and MariaDB would leave out in silence is told', () => {
  expect(ddlOf(model)(mysqlDialect).notes.map(({ table, message }) => `${table}: ${message}`)).toEqual([
    "parents: index 'one_large_a_state': there are no partial indexes here; it is left out, and rows may share its values",
    'defaulted: foreign key (parentId): there is no set default here; a delete is refused',
    'deferred: foreign key (parentId): there are no deferrable constraints here; it is checked row by row',
  ])
})

test('constraints are made on an engine over a Kysely instance of the application', async () => {
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database: new Database(':memory:') }) })
  rightOf(await createAll(model)(kyselyEngine(db))())
  await expect(sql`insert into parents (id, code, size) values (1, 'a', 0)`.execute(db)).rejects.toThrow(/has_size/)
})
