/**
 * What generators draw from: made, dropped, compared and migrated with the tables that need it.
 */
import {
  bigint,
  counter,
  createAll,
  ddlOf,
  defineModel,
  dropAll,
  entity,
  generated,
  generatedBy,
  hiLo,
  integer,
  mysqlDialect,
  orderBy,
  postgresDialect,
  primaryKey,
  renderDdl,
  select,
  sequence,
  sqliteDialect,
  text,
} from '@unitary/core'
import { diffToMigration, drift, introspect, modelFrom, renderDrift } from '@unitary/core/schema'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { type Migration, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rightOf } from '../engine/engine-conformance.js'
import { type KyselyDatabase, kyselyHosts } from './kysely-hosts.js'
import { type Printed, printed } from './printed.js'

const counted = {
  Author: entity('Author', 'authors', {
    id: pipe(integer, primaryKey, generatedBy(counter('counters', 'authors'))),
    name: text,
  }),
  Book: entity('Book', 'books', {
    id: pipe(bigint, primaryKey, generatedBy(pipe(counter('counters', 'books'), hiLo({ block: 1000 })))),
    title: text,
  }),
}
const counters = defineModel(counted)(() => ({}))

const Event = entity('Event', 'events', {
  id: pipe(integer, primaryKey, generatedBy(sequence('event_ids'))),
  name: text,
})
const Trace = entity('Trace', 'traces', {
  id: pipe(integer, primaryKey, generatedBy(pipe(sequence('trace_blocks'), hiLo({ block: 1000 })))),
})
const sequences = defineModel({ ...counted, Event, Trace })(() => ({}))
/** The table counts, and there is nothing to draw from. */
const older = defineModel({
  Event: entity('Event', 'events', { id: pipe(integer, primaryKey, generated), name: text }),
})(() => ({}))

const clean = 'the database is as the model says'

test('the DDL has the table of counters, and sequences, once each', () => {
  expect(renderDdl(ddlOf(sequences)(postgresDialect))).toMatchInlineSnapshot(`
    "create sequence if not exists "event_ids";
    create sequence if not exists "trace_blocks";
    create table if not exists "authors" (
      "id" integer not null primary key,
      "name" text not null
    );
    create table if not exists "books" (
      "id" bigint not null primary key,
      "title" text not null
    );
    create table if not exists "events" (
      "id" integer not null primary key,
      "name" text not null
    );
    create table if not exists "traces" (
      "id" integer not null primary key
    );
    create table if not exists "counters" (
      "name" text not null primary key,
      "next" bigint not null
    );"
  `)
  const onMysql = renderDdl(ddlOf(sequences)(mysqlDialect))
  expect(onMysql).toContain('create sequence if not exists `trace_blocks`')
  expect(onMysql).toContain('`name` varchar(255) collate utf8mb4_bin not null primary key')
})

test('a table of counters that an entity maps is as the entity says', () => {
  const Counter = entity('Counter', 'counters', { name: pipe(text, primaryKey), next: integer })
  const ddl = renderDdl(ddlOf(defineModel({ Counter, ...counted })(() => ({})))(postgresDialect))
  expect(ddl.match(/create table/g)).toHaveLength(3)
  expect(ddl).toContain('"next" integer not null')
})

test('SQLite has no sequences, and is told of', () => {
  const { create, notes } = ddlOf(sequences)(sqliteDialect)
  expect(create).toHaveLength(5)
  expect(notes.map(({ table, message }) => `${table}: ${message}`)).toEqual([
    'events: id: there are no sequences here, and none to draw from by the name of event_ids; say counter',
    'traces: id: there are no sequences here, and none to draw from by the name of trace_blocks; say counter',
  ])
})

describe.each(kyselyHosts)('what generators draw from on $name', ({ name, why, create }) => {
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
  const rendered = async (model = sequences): Promise<string> => {
    const found = rightOf(await drift(model)(database.engine)())
    return renderDrift({ ...found, model: { ...found.model, notes: [] } })
  }

  test.skipIf(why !== null)('is made by createAll, drawn from, and dropped by dropAll', async () => {
    const { engine } = database
    rightOf(await createAll(counters)(engine)())
    rightOf(await createAll(counters)(engine)())
    expect(await rendered(counters as never)).toBe(clean)
    const app = Session.runtime(counters, engine)
    const added = Session.gen(function* () {
      const book = yield* Session.add(counters.Book, { title: 'Maps' })
      const author = yield* Session.add(counters.Author, { name: 'ann' })
      yield* Session.commit
      return [(yield* Session.read(counters.Book)(book)).id, (yield* Session.read(counters.Author)(author)).id]
    })
    expect(rightOf(await Session.run(app)(added)())).toEqual([1n, 1])
    rightOf(await dropAll(counters)(engine)())
    expect(rightOf(await introspect(engine)())).toMatchObject({ tables: [], sequences: [] })
  })

  const hasSequences = name !== 'SQLite'

  test.skipIf(why !== null || !hasSequences)('of sequences too, which drift knows of', async () => {
    const { db, engine } = database
    rightOf(await createAll(sequences)(engine)())
    rightOf(await createAll(sequences)(engine)())
    expect(await rendered()).toBe(clean)
    const app = Session.runtime(sequences, engine)
    const added = Session.gen(function* () {
      const event = yield* Session.add(sequences.Event, { name: 'begun' })
      yield* Session.commit
      return (yield* Session.read(sequences.Event)(event)).id
    })
    expect(rightOf(await Session.run(app)(added)())).toBe(1)
    await sql`drop sequence event_ids`.execute(db)
    await sql`create sequence stray`.execute(db)
    expect(await rendered()).toBe(
      [
        'event_ids: the sequence is in the model, and not in the database',
        'stray: the sequence is in the database, and not in the model',
      ].join('\n'),
    )
    const ignoring = rightOf(await drift(sequences, { ignore: (table) => table === 'stray' })(engine)())
    expect(ignoring.differences.map(({ _tag, table }) => [_tag, table])).toEqual([['MissingSequence', 'event_ids']])
    expect(rightOf(await modelFrom(engine)())).toContain(
      "// stray: it is a sequence: a key may be drawn from it, by generatedBy(sequence('stray'))",
    )
    await sql`drop sequence stray`.execute(db)
    rightOf(await dropAll(sequences)(engine)())
    expect(rightOf(await introspect(engine)())).toMatchObject({ tables: [], sequences: [] })
  })

  test.skipIf(why !== null || !hasSequences)('is called as it is written, in a schema too', async () => {
    const { db, engine } = database
    const ledger = `ledger_${process.pid}`
    const Entry = entity('Entry', 'entries', {
      id: pipe(integer, primaryKey, generatedBy(sequence('entryIds'))),
      number: pipe(integer, generatedBy(sequence(`${ledger}.Numbers`))),
    })
    const entries = defineModel({ Entry })(() => ({}))
    try {
      rightOf(await createAll(entries)(engine)())
      expect(await rendered(entries as never)).toBe(clean)
      const added = Session.gen(function* () {
        yield* Session.addAll(entries.Entry, [{}, {}])
        yield* Session.commit
        return yield* pipe(select(entries.Entry), orderBy('id'), Session.query)
      })
      const found = rightOf(await Session.run(Session.runtime(entries, engine))(added)())
      expect(found.map(({ id, number }) => [id, number])).toEqual([
        [1, 1],
        [2, 2],
      ])
      rightOf(await dropAll(entries)(engine)())
    } finally {
      await sql`drop schema if exists ${sql.id(ledger)}`.execute(db)
    }
  })

  test.skipIf(why !== null || !hasSequences)('of sequences that columns use is as the columns are', async () => {
    const { db, engine } = database
    await sql`create sequence tickets`.execute(db)
    await sql`create table queue (id integer not null primary key, ticket integer default ${sql.raw(
      engine.dialect.name === 'postgres' ? "nextval('tickets')" : 'nextval(tickets)',
    )})`.execute(db)
    if (engine.dialect.name === 'postgres') await sql`create table serials (id serial primary key)`.execute(db)
    const { sequences: found } = rightOf(await introspect(engine)())
    expect(found.map(({ isUsed }) => isUsed)).toEqual(found.map(() => true))
    expect(found.length).toBeGreaterThan(0)
    await sql`drop table queue`.execute(db)
    if (engine.dialect.name === 'postgres') await sql`drop table serials`.execute(db)
    await sql`drop sequence tickets`.execute(db)
  })

  test.skipIf(why !== null || !hasSequences)('comes with a migration, and goes with it', async () => {
    const { db, engine } = database
    rightOf(await createAll(older)(engine)())
    const before = await rendered()
    const migration = await files.load<Migration>('drawn', diffToMigration(rightOf(await drift(sequences)(engine)())))
    expect(files.check()).toBe('')
    await migration.up(db)
    expect(await rendered()).toBe(clean)
    await migration.down?.(db)
    expect(await rendered()).toBe(before)
    expect(await rendered(older as never)).toBe(clean)
    rightOf(await dropAll(older)(engine)())
  })
})
