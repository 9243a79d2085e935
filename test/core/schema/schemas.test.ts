/**
 * Tables in a schema that is named: an attached database of SQLite, a schema of PostgreSQL, another database of MariaDB.
 */
import {
  counter,
  createAll,
  ddlOf,
  defineModel,
  dropAll,
  type Engine,
  entity,
  generated,
  generatedBy,
  hiLo,
  integer,
  nullable,
  orderBy,
  primaryKey,
  references,
  renderDdl,
  select,
  sqliteDialect,
  subtype,
  text,
  unique,
  where,
  withSubtypes,
} from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import { diffToMigration, drift, introspect, modelFrom, renderDrift } from '@unitary/core/schema'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { Kysely, type Migration, MysqlDialect, PostgresDialect, SqliteDialect, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createMysql,
  createPostgres,
  mysqlHost,
  mysqlPool,
  postgresHost,
  postgresPool,
  skipped,
} from '../engine/databases.js'
import { rightOf } from '../engine/engine-conformance.js'
import { type Printed, printed } from './printed.js'

/** Databases of MariaDB are everyone's. */
const archive = `unitary_archive_${process.pid}` as 'archive'

const id = pipe(integer, primaryKey, generated)

const Author = entity(
  'Author',
  `${archive}.authors`,
  { id, name: pipe(text, unique), born: pipe(integer, nullable) },
  {
    checks: [(eb) => eb('born', '>', 0)],
    indexes: [{ attributes: ['born'], where: (eb) => eb('born', 'is not', null) }],
  },
)
const Work = entity(
  'Work',
  `${archive}.works`,
  {
    id,
    kind: text,
    title: text,
    authorId: pipe(integer, nullable, references(`${archive}.authors.id`, { onDelete: 'set null' })),
    basedOnId: pipe(integer, nullable, references(`${archive}.works.id`)),
  },
  { discriminator: 'kind', identity: 'work' },
)
const Letter = subtype(Work)('Letter', `${archive}.letters`, { addressee: text }, { identity: 'letter' })
const Tag = entity('Tag', `${archive}.tags`, {
  id: pipe(integer, primaryKey, generatedBy(pipe(counter(`${archive}.counters`, 'tags'), hiLo({ block: 10 })))),
  name: text,
})
/** In the schema that is searched first. */
const Note = entity('Note', 'notes', { id, body: text, workId: pipe(integer, references(`${archive}.works.id`)) })

const model = defineModel({ Author, Work, Letter, Tag, Note })((r) => ({
  Author: { works: r.Author.hasMany('Work', { foreignKey: 'authorId', inverse: 'author' }) },
  Work: {
    author: r.Work.belongsTo('Author', { foreignKey: 'authorId', inverse: 'works' }),
    tags: r.Work.manyToMany('Tag', {
      through: { table: `${archive}.works_tags`, own: ['work_id'], target: ['tag_id'] },
    }),
    notes: r.Work.hasMany('Note', { foreignKey: 'workId' }),
  },
}))

/** The same tables a while ago. */
const older = defineModel({
  Author: entity('Author', `${archive}.authors`, { id, name: text, age: pipe(integer, nullable) }),
  Work: entity('Work', `${archive}.works`, { id, title: text }),
})(() => ({}))

interface Host {
  readonly name: string
  readonly why: string | null
  readonly create: () => Promise<{
    readonly engine: Engine
    readonly db: Kysely<unknown>
    readonly drop: () => Promise<void>
  }>
}

const attached = (): Database.Database => {
  const database = new Database(':memory:')
  database.exec(`attach ':memory:' as ${archive}`)
  return database
}

const hosts: ReadonlyArray<Host> = [
  {
    name: 'SQLite, attached',
    why: null,
    create: async () => {
      const database = attached()
      const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) })
      return { engine: sqliteEngine(database), db, drop: async () => {} }
    },
  },
  {
    name: 'PostgreSQL',
    why: skipped(postgresHost),
    create: async () => {
      const { drop, name } = await createPostgres()
      const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: postgresPool(name, 4) }) })
      const engine = kyselyEngine(db)
      return {
        engine,
        db,
        drop: async () => {
          await engine.close()
          await db.destroy()
          await drop()
        },
      }
    },
  },
  {
    name: 'MariaDB',
    why: skipped(mysqlHost),
    create: async () => {
      const { drop, name } = await createMysql()
      const db = new Kysely<unknown>({ dialect: new MysqlDialect({ pool: mysqlPool(name, {}) }) })
      const engine = kyselyEngine(db)
      return {
        engine,
        db,
        drop: async () => {
          await sql`drop database if exists ${sql.id(archive)}`.execute(db)
          await engine.close()
          await db.destroy()
          await drop()
        },
      }
    },
  },
]

describe.each(hosts)('tables in a schema on $name', ({ create, why }) => {
  let engine: Engine
  let db: Kysely<unknown>
  let drop: (() => Promise<void>) | null = null
  let files: Printed
  beforeAll(async () => {
    if (why !== null) return
    files = printed()
    ;({ engine, db, drop } = await create())
  })
  afterAll(async () => {
    files?.remove()
    await drop?.()
  })

  const found = async () => rightOf(await drift(model)(engine)())
  const rendered = async (): Promise<string> => {
    const now = await found()
    return renderDrift({ ...now, model: { ...now.model, notes: [] } })
  }

  test.skipIf(why !== null)('are made with all that they have, used, compared and dropped', async () => {
    rightOf(await createAll(model)(engine)())
    rightOf(await createAll(model)(engine)())
    expect(await rendered()).toBe('the database is as the model says')
    const app = Session.runtime(model, engine)
    const read = Session.gen(function* () {
      const [tag] = yield* Session.addAll(model.Tag, [{ name: 'old' }])
      yield* Session.add(model.Author, {
        name: 'ann',
        works: [{ title: 'Sonnets', tags: tag === undefined ? [] : [tag], notes: [{ body: 'read it' }] }],
      })
      yield* Session.add(model.Letter, { title: 'To Bob', addressee: 'bob' })
      yield* Session.commit
      const works = yield* pipe(
        select(model.Work),
        withSubtypes('*'),
        where((eb) => eb.or([eb('Letter.addressee', '=', 'bob'), eb('title', '=', 'Sonnets')])),
        orderBy('title'),
        Session.query,
      )
      const sonnets = works[0]
      const tags = sonnets === undefined ? [] : yield* Session.load(model.Work, 'tags')(sonnets)
      return [works.map((work) => (work.kind === 'letter' ? work.addressee : work.title)), tags.map(({ name }) => name)]
    })
    expect(rightOf(await Session.run(app)(read)())).toEqual([['Sonnets', 'bob'], ['old']])
    rightOf(await dropAll(model)(engine)())
    rightOf(await dropAll(model)(engine)())
    expect(rightOf(await introspect(engine, { schemas: [archive] })()).tables).toEqual([])
  })

  test.skipIf(why !== null)('are what a model begins with', async () => {
    rightOf(await createAll(model)(engine)())
    const source = rightOf(await modelFrom(engine, { schemas: [archive] })())
    const begun = await files.load<{ readonly model: typeof model }>('begun', source)
    expect(files.check()).toBe('')
    expect(renderDrift(rightOf(await drift(begun.model)(engine)()))).toBe('the database is as the model says')
    rightOf(await dropAll(model)(engine)())
  })

  test.skipIf(why !== null)('are migrated, and back', async () => {
    rightOf(await createAll(older)(engine)())
    await sql`insert into ${sql.table(`${archive}.authors`)} (name, age) values ('ann', 30)`.execute(db)
    const before = await rendered()
    const migration = await files.load<Migration>('migrated', diffToMigration(await found()))
    expect(files.check()).toBe('')
    await migration.up(db)
    expect(await rendered()).toBe('the database is as the model says')
    const authors = await sql`select name, born from ${sql.table(`${archive}.authors`)}`.execute(db)
    expect(authors.rows).toEqual([{ name: 'ann', born: null }])
    await migration.down?.(db)
    expect(await rendered()).toBe(before)
    rightOf(await dropAll(older)(engine)())
  })

  test.skipIf(why !== null)('have indexes that are migrated, and back', async () => {
    rightOf(await createAll(model)(engine)())
    const authors = sql.table(`${archive}.authors`)
    const dialect = engine.dialect.name
    const index = (name: string) => (dialect === 'mysql' ? sql.id(name) : sql.id(archive, name))
    await sql`drop index ${index('authors_born_idx')} ${dialect === 'mysql' ? sql`on ${authors}` : sql``}`.execute(db)
    await (dialect === 'sqlite'
      ? sql`create index ${index('other')} on authors (name, born)`
      : sql`create index other on ${authors} (name, born)`
    ).execute(db)
    const before = await rendered()
    expect(before).toContain('authors_born_idx')
    const migration = await files.load<Migration>('indexes', diffToMigration(await found()))
    await migration.up(db)
    expect(await rendered()).toBe('the database is as the model says')
    await migration.down?.(db)
    expect(await rendered()).toBe(before)
    rightOf(await dropAll(model)(engine)())
  })
})

test('a foreign key of SQLite that leads to another database is left out, and told', () => {
  const ddl = ddlOf(defineModel({ Author, Work, Note })(() => ({})))(sqliteDialect)
  expect(ddl.notes.map(({ table, message }) => `${table}: ${message}`)).toContain(
    `notes: foreign key (workId): ${archive}.works is in another database, where none can lead; it is left out`,
  )
  expect(renderDdl(ddl)).toContain(
    `create index if not exists "${archive}"."works_basedOnId_idx" on "works" ("basedOnId")`,
  )
  expect(renderDdl(ddl)).toContain('references "works" ("id")')
})
