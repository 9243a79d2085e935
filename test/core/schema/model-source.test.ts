import { type AnyModel, createAll } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import { drift, driftSync, introspect, modelFrom, modelFromSync, modelSource, renderDrift } from '@unitary/core/schema'
import Database from 'better-sqlite3'
import * as fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rightOf } from '../engine/engine-conformance.js'
import { everythingDropped, type KyselyDatabase, type KyselyHost, kyselyHosts } from './kysely-hosts.js'
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
  test('tells of foreign keys that a model would refuse, and leaves them out', async () => {
    const files = printed()
    const database = new Database(':memory:')
    database.exec(`
      create table people (id integer primary key, name text not null);
      create table letters (
        id integer primary key,
        sender text references people (id),
        about text references people (name),
        receiver integer not null references people (id) on delete set null
      );
    `)
    const engine = sqliteEngine(database)
    const source = rightOf(modelFromSync(engine))
    expect(source.split('\n').filter((line) => line.startsWith('// '))).toEqual([
      '// letters: (sender) is not of the type of the key that it refers to: it is no relationship',
      '// letters: foreign key (sender): sender is of another type than what it refers to, and a model does not say it',
      '// letters: foreign key (about): what it refers to, people (name), is not unique, and a model does not say it',
      '// letters: foreign key (receiver): it sets receiver to NULL, which may not be NULL: a model does not say so',
    ])
    const { model } = await files.load<{ model: AnyModel }>('refused', source)
    expect(rightOf(driftSync(model)(engine)).differences.map(({ _tag }) => _tag)).toEqual([
      'ForeignKeyRules',
      'ExtraForeignKey',
      'ExtraForeignKey',
    ])
    files.remove()
  })

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
    const source = rightOf(modelFromSync(engine))
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

  const [, postgres, mariadb] = kyselyHosts

  const legacy = async (
    host: KyselyHost | undefined,
    schemas: ReadonlyArray<string>,
    statements: ReadonlyArray<string>,
  ) => {
    const { db, engine, drop } = await (host as KyselyHost).create()
    const files = printed()
    try {
      for (const statement of statements) await sql.raw(statement).execute(db)
      const source = rightOf(await modelFrom(engine, { schemas })())
      const { model } = await files.load<{ model: AnyModel }>('legacy', source)
      expect(files.check()).toBe('')
      return { source, differences: renderDrift(rightOf(await drift(model)(engine)())) }
    } finally {
      files.remove()
      await drop()
    }
  }

  test.skipIf(postgres?.why !== null)('knows what PostgreSQL has', async () => {
    const { source, differences } = await legacy(
      postgres,
      ['archive'],
      [
        `create type mood as enum ('sad', 'happy')`,
        'create schema archive',
        `create table people (
        id serial primary key, ref uuid not null default gen_random_uuid() unique, born date, mood mood, height numeric(4, 2),
        weight numeric, seen timestamp without time zone default now(), made timestamptz not null default now(),
        labels varchar(20)[] not null default '{}', about json, address inet, code char(3), age smallint check (age > 0),
        shout text generated always as (upper(code)) stored, constraint "Adults" check (age >= 18 or mood = 'sad')
      )`,
        'create index people_labels on people using gin (labels)',
        'create unique index people_code on people (code desc) where age is not null',
        `create table archive.letters (number bigint generated always as identity primary key,
        sender int references people on delete set null deferrable, receiver int not null references people)`,
        'create table bookings (id int primary key, during tsrange, exclude using gist (during with &&))',
        'create table follows (follower int references people on delete cascade, followed int references people on delete cascade, primary key (follower, followed))',
        'create materialized view adults as select * from people where age >= 18',
      ],
    )
    expect(source).toMatchSnapshot()
    expect(differences).toMatchInlineSnapshot(`
      "people: the index people_labels gin (labels) is in the database, and not in the model
      bookings: 'bookings_during_excl' is an exclusion constraint"
    `)
  })

  test.skipIf(mariadb?.why !== null)('knows what MariaDB has', async () => {
    const { source, differences } = await legacy(
      mariadb,
      [],
      [
        `create table people (
        id int unsigned auto_increment primary key, ref char(36) not null default uuid() unique, born date,
        mood enum('sad', 'it''s fine') default 'sad', height decimal(4, 2), seen datetime default current_timestamp(),
        made timestamp not null default current_timestamp(), about json, code char(3) collate latin1_bin, age smallint,
        views mediumint unsigned default 0, older int generated always as (age + 1) stored, note text,
        constraint adults check (age >= 18 or mood = 'sad'), key by_code (code), fulltext key words (note)
      )`,
        `create table letters (number bigint auto_increment primary key, sender int unsigned references people (id) on delete set null,
        receiver int unsigned not null, constraint reaches foreign key (receiver) references people (id) on update cascade)`,
        'create view adults as select * from people where age >= 18',
      ],
    )
    expect(source).toMatchSnapshot()
    expect(differences).toMatchInlineSnapshot(
      `"people: the index words fulltext (note) is in the database, and not in the model"`,
    )
  })
})
