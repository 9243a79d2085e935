import { createAllSync, defineModel, entity, integer, postgresDialect, primaryKey, real, text } from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import { diffToMigration, drift, driftBetween, driftSync, renderDrift, schemaOf } from '@unitary/core/schema'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { Kysely, type Migration, SqliteDialect, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { rightOf } from '../engine/engine-conformance.js'
import { printed } from './printed.js'

const key = { id: pipe(integer, primaryKey) }
const Book = entity('Book', 'books', { ...key, title: text, price: integer })
const older = defineModel({ Book })(() => ({}))
const newer = defineModel({ Book: entity('Book', 'books', { ...key, title: text, price: real }) })(() => ({}))

describe('a view', () => {
  const Title = entity('Title', 'titles', { ...key, title: text, pages: integer })
  const model = defineModel({ Book, Title })(() => ({}))

  test('that an entity maps has the columns of it, and is no table to make or to drop', () => {
    const database = new Database(':memory:')
    const engine = sqliteEngine(database)
    rightOf(createAllSync(older)(engine))
    database.exec('create view titles as select id, title from books')
    const found = rightOf(driftSync(model)(engine))
    expect(renderDrift(found)).toBe(
      'titles.pages: the column integer not null is in the model, and not in the database',
    )
    expect(diffToMigration(found)).not.toContain('titles')
  })

  test('and triggers are left when a table of SQLite is made anew', async () => {
    const database = new Database(':memory:')
    const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) })
    const engine = kyselyEngine(db)
    rightOf(createAllSync(older)(sqliteEngine(database)))
    database.exec(`
      create view titles as select id, title from books;
      create trigger loud after insert on books begin update books set title = upper(title) where id = new.id; end;
    `)
    const files = printed()
    const migration = await files.load<Migration>('remade', diffToMigration(rightOf(await drift(newer)(engine)())))
    files.remove()
    await migration.up(db)
    expect(renderDrift(rightOf(await drift(newer)(engine)()))).toBe('the database is as the model says')
    await sql`insert into books (id, title, price) values (1, 'solaris', 1.5)`.execute(db)
    expect((await sql`select title from titles`.execute(db)).rows).toEqual([{ title: 'SOLARIS' }])
    expect(database.pragma('foreign_keys', { simple: true })).toBe(1)
  })
})

test('a table is the same with and without the name of the schema that is searched first', () => {
  const plain = schemaOf(older)(postgresDialect)
  const qualified = defineModel({ Book: entity('Book', 'public.books', { ...key, title: text, price: integer }) })
  const model = schemaOf(qualified(() => ({})))(postgresDialect)
  expect(driftBetween(model, { ...plain, searched: 'public' }).differences).toEqual([])
  expect(driftBetween(model, { ...plain, searched: 'other' }).differences.map(({ _tag }) => _tag)).toEqual([
    'MissingTable',
    'ExtraTable',
  ])
})
