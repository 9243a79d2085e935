/**
 * Versions that the database gives, by triggers on every database and by `xmin` on PostgreSQL.
 */
import {
  blob,
  createAll,
  defineModel,
  type Engine,
  entity,
  generated,
  integer,
  named,
  nullable,
  orderBy,
  primaryKey,
  references,
  select,
  serverVersion,
  set,
  text,
  unique,
  update,
  where,
  withServerDefault,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Host,
  kyselySqliteHost,
  mysqlHost,
  postgresHost,
  skipped,
  sqliteHost,
  type TestDatabase,
} from '../../core/engine/databases.js'
import { errorOf, resultOf, services } from '../app.js'
import { briefly, isStatement, type Recording, recordingEngine } from '../recording-engine.js'

const counted = pipe(integer, withServerDefault(sql`1`), serverVersion)

const Doc = entity('Doc', 'docs', {
  id: pipe(integer, primaryKey, generated),
  title: text,
  body: pipe(text, nullable),
  version: counted,
})
/** It refers to another of its kind, which may refer to it. */
const Page = entity('Page', 'pages', {
  id: pipe(integer, primaryKey, generated),
  label: text,
  nextId: pipe(integer, named('next_id'), nullable),
  version: counted,
})
/** Its key may change, and its items' foreign keys with it. */
const Tag = entity('Tag', 'tags', { code: pipe(text, primaryKey), label: pipe(text, nullable), version: counted })
const Item = entity('Item', 'items', {
  id: pipe(integer, primaryKey, generated),
  label: text,
  tagCode: pipe(text, named('tag_code'), references('tags.code', { onUpdate: 'cascade' })),
  version: counted,
})
/** Its version is no number, and never changes. */
const Seal = entity('Seal', 'seals', {
  id: pipe(integer, primaryKey),
  label: pipe(text, nullable),
  stamp: pipe(blob, nullable, serverVersion),
})
/** No two may stand at one place. */
const Desk = entity('Desk', 'desks', {
  id: pipe(integer, primaryKey),
  place: pipe(text, unique),
  version: counted,
})
const tables = ['docs', 'pages', 'tags', 'items', 'desks']

const model = defineModel({ Doc, Page, Tag, Item, Seal, Desk })((r) => ({
  Page: { next: r.Page.belongsTo('Page', { foreignKey: 'nextId', postUpdate: true }) },
  Tag: { items: r.Tag.hasMany('Item', { foreignKey: 'tagCode', inverse: 'tag' }) },
  Item: { tag: r.Item.belongsTo('Tag', { foreignKey: 'tagCode', inverse: 'items' }) },
}))

/** Counts the version up with every update of a row, whatever is updated. */
const triggers: Readonly<Record<Engine['dialect']['name'], (table: string) => ReadonlyArray<string>>> = {
  sqlite: (table) => [
    `create trigger ${table}_version after update on ${table} when new.version = old.version
       begin update ${table} set version = old.version + 1 where rowid = new.rowid; end`,
  ],
  postgres: (table) => [
    `create or replace function count_up() returns trigger language plpgsql as
       'begin new.version := old.version + 1; return new; end'`,
    `create trigger counting before update on ${table} for each row execute function count_up()`,
  ],
  mysql: (table) => [
    `create trigger ${table}_version before update on ${table} for each row set new.version = old.version + 1`,
  ],
}

interface Manner {
  /** Does an INSERT, and an UPDATE, give back the version? */
  readonly returns: { readonly insert: boolean; readonly update: boolean }
  /** Does the database fire triggers for what it changes along with a key? */
  readonly carriesVersions: boolean
}

const onDatabase = (host: Host, { returns, carriesVersions }: Manner): void => {
  const why = skipped(host)
  describe.skipIf(why !== null)(why === null ? host.name : `${host.name} (${why})`, () => {
    let database: TestDatabase
    let engine: Engine
    let recording: Recording
    let store: Session.Store
    beforeEach(async () => {
      database = await host.create()
      engine = database.open()
      resultOf(await createAll(model)(engine)())
      recording = recordingEngine(engine)
      store = open()
      for (const table of tables) {
        for (const text of triggers[engine.dialect.name](table)) await run(Session.sql(sql.raw(text)))
      }
      await run(Session.commit)
      recording.clear()
    })
    afterEach(async () => {
      await store.close()
      await engine.close()
      await database.drop()
    })
    const open = (options: Session.RuntimeOptions = {}): Session.Store =>
      Session.createStore(Session.runtime(model, recording.engine, { services: () => services, ...options }))
    const run = async <E, A>(program: Session.Program<E, A>): Promise<A> => resultOf(await store.run(program)())
    const fails = async <E, A>(program: Session.Program<E, A>): Promise<E> => errorOf(await store.run(program)())
    const taken = (): ReadonlyArray<string> => {
      const statements = recording.calls.filter(isStatement).map(briefly)
      recording.clear()
      return statements.map((statement) => (statement.startsWith('select') ? 'select' : statement))
    }
    /** What someone else commits. */
    const elsewhere = async <E, A>(program: Session.Program<E, A>): Promise<void> => {
      const other = Session.createStore(Session.runtime(model, engine, { services: () => services }))
      resultOf(await other.run(Session.chain(() => Session.commit)(program))())
      await other.close()
    }

    test('are known after the flush, or with the next read', async () => {
      const doc = await run(Session.add(model.Doc, { title: 'a' }))
      await run(Session.flush)
      expect(await run(Session.read(model.Doc)(doc))).toMatchObject({ title: 'a', version: 1 })
      expect(taken()).toEqual(returns.insert ? ['Insert docs 1'] : ['Insert docs 1', 'select'])
      await run(Session.set(model.Doc, { title: 'b' })(doc))
      await run(Session.flush)
      expect(await run(Session.read(model.Doc)(doc))).toMatchObject({ title: 'b', version: 2 })
      expect(taken()).toEqual(returns.update ? ['Update docs 1'] : ['Update docs 1', 'select'])
    })

    test('are checked by the updates and deletes of a row, each by the one before', async () => {
      const doc = await run(Session.add(model.Doc, { title: 'a' }))
      for (const title of ['b', 'c', 'd']) {
        await run(Session.set(model.Doc, { title })(doc))
        await run(Session.flush)
      }
      expect(await run(Session.read(model.Doc)(doc))).toMatchObject({ title: 'd', version: 3 })
      await run(Session.remove(model.Doc)(doc))
      await run(Session.commit)
      expect(await run(Session.query(select(model.Doc)))).toEqual([])
    })

    test('that someone else has changed make an update and a delete stale', async () => {
      for (const change of [Session.set(model.Doc, { body: 'x' }), Session.remove(model.Doc)]) {
        const doc = await run(Session.add(model.Doc, { title: 'a' }))
        await run(Session.commit)
        const { id } = await run(Session.read(model.Doc)(doc))
        // a transaction that reads would keep others from writing on SQLite
        await run(Session.rollback)
        store = open({ expireOnCommit: false })
        const known = await run(Session.one(pipe(select(model.Doc), where('id', '=', id))))
        await run(Session.commit)
        await elsewhere(
          pipe(
            Session.one(pipe(select(model.Doc), where('id', '=', id))),
            Session.chain((theirs) => Session.set(model.Doc, { title: 'theirs' })(theirs)),
          ),
        )
        await run(change(known) as Session.Program<unknown, unknown>)
        expect(await fails(Session.flush)).toMatchObject({
          _tag: 'StaleData',
          entity: 'Doc',
          table: 'docs',
          matched: 0,
        })
        await run(Session.rollback)
      }
    })

    test.each([false, true])(
      'are read with all of a row, where they are read later (updated: %s)',
      async (isUpdated) => {
        store = open({ expireOnCommit: false })
        const doc = await run(Session.add(model.Doc, { title: 'a', body: 'mine' }))
        await run(Session.commit)
        if (isUpdated) await run(Session.set(model.Doc, { title: 'b' })(doc))
        await run(Session.commit)
        await elsewhere(
          pipe(
            Session.one(select(model.Doc)),
            Session.chain((theirs) => Session.set(model.Doc, { body: 'theirs' })(theirs)),
          ),
        )
        const seen = await run(Session.read(model.Doc)(doc))
        const isKnown = isUpdated ? returns.update : returns.insert
        const before = isUpdated ? 2 : 1
        expect([seen.body, seen.version]).toEqual(isKnown ? ['mine', before] : ['theirs', before + 1])
      },
    )

    test('that a bulk update has changed are read again', async () => {
      const doc = await run(Session.add(model.Doc, { title: 'a' }))
      await run(Session.flush)
      await run(Session.read(model.Doc)(doc))
      await run(pipe(update(model.Doc), set({ body: 'bulk' }), where('title', '=', 'a'), Session.execute()))
      await run(Session.set(model.Doc, { title: 'b' })(doc))
      await run(Session.flush)
      expect(await run(Session.read(model.Doc)(doc))).toMatchObject({ title: 'b', body: 'bulk', version: 3 })
    })

    test('that a bulk update has changed under changes of the session are read again too', async () => {
      const doc = await run(Session.add(model.Doc, { title: 'a' }))
      await run(Session.flush)
      await run(Session.read(model.Doc)(doc))
      await run(Session.set(model.Doc, { title: 'b' })(doc))
      const bulk = pipe(update(model.Doc), set({ body: 'bulk' }), where('version', '=', 1), Session.execute())
      await run(Session.noAutoflush(bulk))
      await run(Session.flush)
      expect(await run(Session.read(model.Doc)(doc))).toMatchObject({ title: 'b', body: 'bulk', version: 3 })
    })

    test('go back with a savepoint', async () => {
      const doc = await run(Session.add(model.Doc, { title: 'a' }))
      await run(Session.flush)
      const change = (title: string) => Session.set(model.Doc, { title })(doc)
      await run(Session.beginNested)
      await run(change('lost'))
      await run(Session.flush)
      await run(Session.rollbackNested)
      await run(change('b'))
      await run(Session.flush)
      expect(await run(Session.read(model.Doc)(doc))).toMatchObject({ title: 'b', version: 2 })
    })

    test('are gone from what a rollback makes transient', async () => {
      const doc = await run(Session.make(model.Doc, { title: 'a' }))
      await run(Session.add(model.Doc, doc))
      await run(Session.flush)
      await run(Session.rollback)
      expect(Session.inspect(store.getState(), doc)?.attributes).toEqual({ title: 'a' })
    })

    test('count with updates of references that stand for themselves, and do not keep rows from being deleted', async () => {
      const first = await run(Session.add(model.Page, { label: 'first' }))
      const second = await run(Session.add(model.Page, { label: 'second', next: first }))
      await run(Session.set(model.Page, { next: second })(first))
      await run(Session.flush)
      expect(await run(Session.read(model.Page)(first as never))).toMatchObject({ version: 2 })
      await run(Session.set(model.Page, { label: 'last' })(second))
      await run(Session.flush)
      expect(await run(Session.read(model.Page)(second as never))).toMatchObject({ label: 'last', version: 3 })
      await run(Session.remove(model.Page)(first as never))
      await run(Session.remove(model.Page)(second as never))
      await run(Session.commit)
      expect(await run(Session.query(select(model.Page)))).toEqual([])
    })

    test('of a row with such references are checked when it is deleted', async () => {
      await run(Session.add(model.Page, { label: 'a', next: { label: 'b' } }))
      await run(Session.commit)
      store = open({ expireOnCommit: false })
      const known = await run(Session.one(pipe(select(model.Page), where('label', '=', 'a'))))
      await run(Session.load(model.Page, 'next')(known))
      await run(Session.commit)
      await elsewhere(
        pipe(
          Session.one(pipe(select(model.Page), where('label', '=', 'a'))),
          Session.chain((theirs) => Session.set(model.Page, { label: 'theirs' })(theirs)),
        ),
      )
      await run(Session.remove(model.Page)(known))
      expect(await fails(Session.flush)).toMatchObject({ _tag: 'StaleData', entity: 'Page' })
      await run(Session.rollback)
    })

    test('of a row that another instance takes over go on', async () => {
      const old = await run(Session.add(model.Tag, { code: 'x', label: 'old' }))
      await run(Session.flush)
      await run(Session.remove(model.Tag)(old))
      const taken = await run(Session.add(model.Tag, { code: 'x', label: 'new' }))
      await run(Session.flush)
      expect(await run(Session.read(model.Tag)(taken))).toMatchObject({ label: 'new', version: 2 })
      await run(Session.set(model.Tag, { label: 'newer' })(taken))
      await run(Session.commit)
      expect(await run(Session.read(model.Tag)(taken))).toMatchObject({ label: 'newer', version: 3 })
    })

    test('of rows whose foreign keys follow a key are read again', async () => {
      const tag = await run(Session.add(model.Tag, { code: 'x', items: [{ label: 'i' }] }))
      await run(Session.flush)
      const [item] = await run(Session.load(model.Tag, 'items')(tag))
      await run(Session.set(model.Tag, { code: 'y' })(tag))
      await run(Session.flush)
      await run(Session.set(model.Item, { label: 'j' })(item as never))
      await run(Session.flush)
      expect(await run(Session.read(model.Item)(item as never))).toMatchObject({
        label: 'j',
        tagCode: 'y',
        version: carriesVersions ? 3 : 2,
      })
    })

    describe('of rows that swap unique values', () => {
      const places = ['a', 'b', 'c']
      const swap = (desks: ReadonlyArray<object>) =>
        Session.traverseArray((i: number) =>
          Session.set(model.Desk, { place: places[(i + 1) % 3] as string })(desks[i] as never),
        )([0, 1, 2])
      const add = Session.addAll(
        model.Desk,
        places.map((place, i) => ({ id: i + 1, place })),
      )
      const found = async () => {
        await run(Session.expireAll)
        const rows = await run(Session.query(pipe(select(model.Desk), orderBy('id'))))
        return rows.map(({ id, place }) => [id, place])
      }

      test('are checked by the first write of each', async () => {
        const desks = await run(add)
        await run(Session.flush)
        await run(Session.traverseArray(Session.read(model.Desk))(desks))
        await run(swap(desks))
        await run(Session.flush)
        const known = await run(Session.traverseArray(Session.read(model.Desk))(desks as never[]))
        await run(Session.expireAll)
        expect(await run(Session.traverseArray(Session.read(model.Desk))(desks as never[]))).toEqual(known)
        // one of them is written twice
        expect(known.reduce((sum, { version }) => sum + version, 0)).toBe(2 + 2 + 3)
        expect(await found()).toEqual([
          [1, 'b'],
          [2, 'c'],
          [3, 'a'],
        ])
      })

      test.each([0, 1, 2])('make the flush stale where someone else has changed one of them (%i)', async (i) => {
        await run(add)
        await run(Session.commit)
        store = open({ expireOnCommit: false })
        const known = await run(Session.query(pipe(select(model.Desk), orderBy('id'))))
        await run(Session.commit)
        const theirs = pipe(update(model.Desk), set({ version: 1 }), where('id', '=', i + 1), Session.execute())
        await elsewhere(theirs)
        await run(swap(known))
        expect(await fails(Session.flush)).toMatchObject({ _tag: 'StaleData', entity: 'Desk', key: i + 1, matched: 0 })
        await run(Session.rollback)
      })
    })

    test('of bytes are the same where their bytes are', async () => {
      const seal = await run(Session.add(model.Seal, { id: 1, stamp: new Uint8Array([1, 2]) }))
      await run(Session.commit)
      const known = await run(Session.read(model.Seal)(seal))
      const merged = await run(Session.merge(model.Seal, { id: 1, label: 'b', stamp: known.stamp?.slice() ?? null }))
      expect(merged).toMatchObject({ id: 1, label: 'b' })
      // a version is compared where it is known, and by the flush where it has expired
      await run(Session.chain(() => Session.read(model.Seal)(seal))(Session.flush))
      expect(await fails(Session.merge(model.Seal, { id: 1, stamp: new Uint8Array([9]) }))).toMatchObject({
        _tag: 'StaleData',
      })
    })

    test('are shown in the plan where they come back', async () => {
      const doc = await run(Session.add(model.Doc, { title: 'a' }))
      const given = (plan: Session.FlushPlan): ReadonlyArray<string> =>
        Session.explain(plan)
          .split('\n')
          .map((line) => line.split('; ')[1] ?? '')
          .slice(1)
      expect(given(await run(Session.flushPlan))).toEqual([`the database gives id${returns.insert ? ', version' : ''}`])
      await run(Session.flush)
      await run(Session.set(model.Doc, { title: 'b' })(doc))
      expect(given(await run(Session.flushPlan))).toEqual([returns.update ? 'the database gives version' : ''])
    })
  })
}

const sqlite = { returns: { insert: false, update: false }, carriesVersions: true }
onDatabase(sqliteHost('SQLite'), sqlite)
onDatabase(kyselySqliteHost, sqlite)
onDatabase(postgresHost, { returns: { insert: true, update: true }, carriesVersions: true })
// InnoDB changes foreign keys beneath the triggers
onDatabase(mysqlHost, { returns: { insert: true, update: false }, carriesVersions: false })

const whyNot = skipped(postgresHost)
describe.skipIf(whyNot !== null)(whyNot === null ? 'xmin' : `xmin (${whyNot})`, () => {
  const Note = entity('Note', 'notes', {
    id: pipe(integer, primaryKey, generated),
    label: text,
    writtenBy: pipe(text, named('xmin'), serverVersion),
  })
  const notes = defineModel({ Note })(() => ({}))

  test('is a version of PostgreSQL that tables need no column for', async () => {
    const database = await postgresHost.create()
    const engine = database.open()
    resultOf(await createAll(notes)(engine)())
    const { engine: recorded, calls } = recordingEngine(engine)
    const store = Session.createStore(Session.runtime(notes, recorded, { expireOnCommit: false }))
    const run = async <E, A>(program: Session.Program<E, A>): Promise<A> => resultOf(await store.run(program)())
    const [note, other] = await run(
      Session.addAll(
        notes.Note,
        Array.from({ length: 150 }, (_, i) => ({ label: `${i}` })),
      ),
    )
    await run(Session.commit)
    const inserted = await run(Session.read(notes.Note)(note as never))
    expect(inserted.writtenBy).toMatch(/^\d+$/)
    for (const label of ['b', 'c']) {
      await run(Session.set(notes.Note, { label })(note as never))
      await run(Session.commit)
    }
    const updated = await run(Session.read(notes.Note)(note as never))
    expect(Number(updated.writtenBy)).toBeGreaterThan(Number(inserted.writtenBy))
    expect(calls.filter(isStatement).map(briefly)).toEqual(['Insert notes 150', 'Update notes 1', 'Update notes 1'])
    const theirs = Session.createStore(Session.runtime(notes, engine))
    const change = pipe(update(notes.Note), set({ label: 'theirs' }), where('label', '=', 'c'), Session.execute())
    resultOf(await theirs.run(Session.chain(() => Session.commit)(change))())
    await run(Session.set(notes.Note, { label: 'mine' })(other as never))
    await run(Session.flush)
    await run(Session.set(notes.Note, { label: 'mine' })(note as never))
    expect(errorOf(await store.run(Session.flush)())).toMatchObject({ _tag: 'StaleData', entity: 'Note' })
    await theirs.close()
    await store.close()
    await engine.close()
    await database.drop()
  })
})
