import { type AnyModel, createAll } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import { drift, driftSync, introspect, introspectSync, modelSource, renderDrift } from '@unitary/core/schema'
import Database from 'better-sqlite3'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rightOf } from '../engine/engine-conformance.js'
import { everythingDropped, type KyselyDatabase, kyselyHosts } from './kysely-hosts.js'
import { market, oldMarket } from './market.js'
import { type Printed, printed } from './printed.js'
import { modelArbitrary } from './random-model.js'

const clean = 'the database is as the model says'

describe.each(kyselyHosts)('a model from a database on $name', ({ name, why, create }) => {
  const runs = { SQLite: 30, PostgreSQL: 15 }[name] ?? 8
  let database: KyselyDatabase
  let files: Printed
  let made = 0
  beforeAll(async () => {
    if (why !== null) return
    files = printed()
    database = await create()
  })
  afterAll(async () => {
    await database?.drop()
    files?.remove()
  })

  const hasNoDrift = async (from: AnyModel): Promise<void> => {
    const { engine } = database
    let source = ''
    try {
      rightOf(await createAll(from)(engine)())
      source = modelSource(rightOf(await introspect(engine)()))
      const { model } = await files.load<{ model: AnyModel }>(`model${made++}`, source)
      expect(renderDrift(rightOf(await drift(model)(engine)()))).toBe(clean)
    } catch (error) {
      throw new Error(source, { cause: error })
    } finally {
      await everythingDropped(database)
    }
  }

  test.skipIf(why !== null)('has no drift against it, and types that hold', async () => {
    await hasNoDrift(market)
    await hasNoDrift(oldMarket)
    expect(files.check()).toBe('')
  })

  test.skipIf(why !== null)('has no drift against it, whatever the database', { timeout: 120_000 }, async () => {
    await fc.assert(fc.asyncProperty(modelArbitrary, hasNoDrift), { numRuns: runs })
  })
})

describe('the source of a model', () => {
  const library = `
    create table authors (id integer primary key, "Full Name" varchar(80) not null default 'N. N.', born date);
    create table books (
      isbn text primary key, title text not null, state text not null check (state in ('new', 'it''s old')),
      author_id integer not null references authors on delete cascade, editor_id integer references authors(id) on delete set null,
      price decimal(8, 2) check (price >= 0), length as (length(title))
    );
    create index books_author on books (author_id);
    create index books_title on books (lower(title));
    create table covers (isbn text primary key references books(isbn), picture blob not null);
    create table tags (name text primary key);
    create table book_tags (
      isbn text not null references books(isbn), tag text not null references tags(name) on update cascade, primary key (isbn, tag)
    );
    create table categories (id integer primary key, parent_id integer references categories(id), name text unique);
    create table log (at text, what text);
    create view titles as select title from books;
  `

  test('names entities and relationships, and tells what it leaves out', async () => {
    const database = new Database(':memory:')
    database.exec(library)
    const engine = sqliteEngine(database)
    const source = modelSource(rightOf(introspectSync(engine)))
    expect(source).toMatchSnapshot()
    const files = printed()
    const { model } = await files.load<{ model: AnyModel }>('library', source)
    expect(files.check()).toBe('')
    files.remove()
    expect(renderDrift(rightOf(driftSync(model)(engine)))).toMatchInlineSnapshot(`
      "books: the index books_title (lower(title)) is in the database, and not in the model
      log: the table (at, what) is in the database, and not in the model"
    `)
  })
})
