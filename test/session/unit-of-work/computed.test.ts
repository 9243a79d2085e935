/**
 * Defaults that the database computes as part of an INSERT or UPDATE: on every database.
 */
import {
  createAll,
  defineModel,
  entity,
  generated,
  insertInto,
  integer,
  named,
  nullable,
  primaryKey,
  returningEntities,
  set,
  subtype,
  text,
  update,
  values,
  version,
  where,
  withInsertDefault,
  withUpdateDefault,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { explain } from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { some } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { describe, expect, onTestFinished, test } from 'vitest'
import { kyselySqliteHost, mysqlHost, postgresHost, skipped, sqliteHost } from '../../core/engine/databases.js'
import { resultOf } from '../app.js'
import { briefly, isStatement, recordingEngine } from '../recording-engine.js'

const Page = entity(
  'Page',
  'pages',
  {
    id: pipe(integer, primaryKey, generated),
    kind: text,
    title: text,
    state: pipe(text, named('page_state'), nullable, withInsertDefault(sql<string>`lower(${"It's NEW"})`)),
    saves: pipe(
      integer,
      named('times_saved'),
      withInsertDefault(sql<number>`${40} + 2`),
      withUpdateDefault(sql<number>`${sql.ref('saves')} + 1`),
    ),
  },
  { discriminator: 'kind', identity: 'page' },
)
const Letter = subtype(Page)('Letter', 'letters', { to: pipe(text, named('addressee')) }, { identity: 'letter' })

const Note = entity('Note', 'notes', {
  id: pipe(integer, primaryKey, generated),
  body: text,
  state: pipe(text, named('note_state'), nullable, withInsertDefault(sql<string>`lower(${"It's NEW"})`)),
  saves: pipe(
    integer,
    named('times_saved'),
    withInsertDefault(sql<number>`${40} + 2`),
    withUpdateDefault(sql<number>`${sql.ref('saves')} + 1`),
  ),
  revision: pipe(integer, version),
})

const model = defineModel({ Page, Letter, Note })(() => ({}))

const hosts = [sqliteHost('SQLite'), kyselySqliteHost, postgresHost, mysqlHost].map((host) => {
  const why = skipped(host)
  return { host, title: why === null ? host.name : `${host.name} (${why})`, isMissing: why !== null }
})

describe.each(hosts)('on $title', ({ host, isMissing }) => {
  const open = async () => {
    const database = await host.create()
    const { calls, clear, engine } = recordingEngine(database.open())
    onTestFinished(async () => {
      await engine.close()
      await database.drop()
    })
    resultOf(await createAll(model)(engine)())
    clear()
    const store = Session.createStore(Session.runtime(model, engine))
    return {
      run: async <E, A>(program: Session.Program<E, A>): Promise<A> => resultOf(await store.run(program)()),
      state: () => store.getState(),
      engine,
      statements: () => {
        const ran = calls.filter(isStatement).map(briefly)
        clear()
        return ran
      },
    }
  }

  test.skipIf(isMissing)('an INSERT computes what its rows lack, and it is known after the flush', async () => {
    const app = await open()
    const notes = await app.run(
      Session.addAll(model.Note, [
        { body: 'a' },
        { body: 'b', state: 'given' },
        { body: 'c', state: null },
        { body: 'd', saves: 7 },
      ]),
    )
    expect(explain(await app.run(Session.flushPlan))).toContain(
      "body = 'a', revision = 1; the database computes state, saves; the database gives id",
    )
    await app.run(Session.flush)
    app.statements()
    const read = await app.run(Session.all(notes.map(Session.read(model.Note))))
    expect(read.map(({ saves, state }) => [state, saves])).toEqual([
      ["it's new", 42],
      ['given', 42],
      ["it's new", 42],
      ["it's new", 7],
    ])
    if (app.engine.capabilities.returning.insert) expect(app.statements()).toEqual([])
  })

  test.skipIf(isMissing)('an UPDATE computes what it leaves alone', async () => {
    const app = await open()
    const { Note: noteOf } = model
    const note = await app.run(Session.add(noteOf, { body: 'a' }))
    await app.run(Session.commit)
    await app.run(Session.set(noteOf, { body: 'b' })(note))
    expect(explain(await app.run(Session.flushPlan))).toBe(
      [
        '1. update notes (1 row)',
        "     #0: body = 'b', revision = 2 where id = 1, revision = 1; the database computes saves",
      ].join('\n'),
    )
    await app.run(Session.flush)
    app.statements()
    expect(await app.run(Session.read(noteOf)(note))).toMatchObject({ body: 'b', saves: 43, revision: 2 })
    expect(app.statements()).toHaveLength(app.engine.capabilities.returning.update ? 0 : 1)
    await app.run(Session.set(noteOf, { body: 'c', saves: 1 })(note))
    await app.run(Session.flush)
    expect(await app.run(Session.read(noteOf)(note))).toMatchObject({ body: 'c', saves: 1, revision: 3 })
    await app.run(Session.set(noteOf, { body: 'd' })(note))
    await app.run(Session.commit)
    expect(await app.run(Session.read(noteOf)(note))).toMatchObject({ body: 'd', saves: 2 })
  })

  test.skipIf(isMissing)('an UPDATE of many rows computes them for each', async () => {
    const app = await open()
    const notes = await app.run(
      Session.addAll(model.Note, [
        { body: 'a', saves: 1 },
        { body: 'b', saves: 2 },
      ]),
    )
    await app.run(Session.commit)
    await app.run(Session.all(notes.map((note) => Session.set(model.Note, { body: 'c' })(note))))
    await app.run(Session.flush)
    const read = await app.run(Session.all(notes.map(Session.read(model.Note))))
    expect(read.map(({ body, saves }) => [body, saves])).toEqual([
      ['c', 2],
      ['c', 3],
    ])
  })

  test.skipIf(isMissing)('a row of several tables is computed in the one that has the column', async () => {
    const app = await open()
    const letter = await app.run(Session.add(model.Letter, { title: 'a', to: 'ed' }))
    await app.run(Session.flush)
    expect(await app.run(Session.read(model.Letter)(letter))).toMatchObject({ state: "it's new", saves: 42 })
    await app.run(Session.set(model.Letter, { to: 'wendy' })(letter))
    await app.run(Session.flush)
    expect(await app.run(Session.read(model.Letter)(letter))).toMatchObject({ to: 'wendy', saves: 43 })
  })

  test.skipIf(isMissing)('statements past the unit of work compute them too', async () => {
    const app = await open()
    const entities = await app.run(
      pipe(
        insertInto(model.Note),
        values([
          { id: 1, body: 'a', revision: 1 },
          { id: 2, body: 'b', revision: 1, saves: 7 },
        ]),
        returningEntities,
        Session.execute(),
      ),
    )
    expect(entities.map(({ saves, state }) => [state, saves])).toEqual([
      ["it's new", 42],
      ["it's new", 7],
    ])
    await app.run(pipe(update(model.Note), set({ body: 'c' }), where('id', '=', 1), Session.execute()))
    expect(await app.run(Session.get(model.Note, 1))).toMatchObject(some({ body: 'c', saves: 43 }))
    await app.run(Session.updateMany(model.Note, [{ id: 2, body: 'd' }]))
    expect(await app.run(Session.get(model.Note, 2))).toMatchObject(some({ body: 'd', saves: 8, revision: 2 }))
  })

  test.skipIf(isMissing)('an insert that is undone leaves nothing of what it computed', async () => {
    const app = await open()
    const note = await app.run(Session.add(model.Note, { body: 'a' }))
    await app.run(Session.flush)
    await app.run(Session.rollback)
    const undone = Session.inspect(app.state(), note)
    expect(undone?.attributes).toEqual({ body: 'a' })
  })
})
