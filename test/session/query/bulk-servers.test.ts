/**
 * Bulk statements where databases differ: in what they return, and in how they compare texts.
 */
import {
  type AnyDelete,
  type AnyUpdate,
  createAll,
  defineModel,
  deleteFrom,
  entity,
  integer,
  nullable,
  primaryKey,
  select,
  set,
  text,
  update,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  kyselySqliteHost,
  mysqlHost,
  postgresHost,
  skipped,
  sqliteHost,
  type TestDatabase,
} from '../../core/engine/databases.js'
import { resultOf } from '../app.js'
import { briefly, isStatement, type Recording, recordingEngine } from '../recording-engine.js'

const Thing = entity('Thing', 'things', {
  id: pipe(integer, primaryKey),
  name: text,
  qty: pipe(integer, nullable),
})
const model = defineModel({ Thing })(() => ({}))

const things = ['ann', 'Bob', 'cid'].map((name, id) => ({ id, name, qty: id * 10 }))

/** What runs, by its first word, so that it does not matter how a database quotes. */
const kindOf = (statement: string): string =>
  `${/^\w+/.exec(statement)?.[0]}${/\breturning\b/.test(statement) ? ' returning' : ''}`

const all = update(model.Thing)

interface Expected {
  readonly update: ReadonlyArray<string>
  readonly delete: ReadonlyArray<string>
  /** Where texts are equal, and where they are in order. */
  readonly equal: ReadonlyArray<string>
  readonly ordered: ReadonlyArray<string>
}

const returned: Expected = {
  update: ['update returning'],
  delete: ['delete returning'],
  equal: ['update'],
  ordered: ['update'],
}

for (const { host, expected } of [
  { host: sqliteHost('SQLite'), expected: returned },
  { host: kyselySqliteHost, expected: returned },
  { host: postgresHost, expected: { ...returned, ordered: ['update returning'] } },
  {
    host: mysqlHost,
    expected: {
      update: ['select', 'update'],
      delete: ['delete returning'],
      equal: ['select', 'update'],
      ordered: ['select', 'update'],
    },
  },
]) {
  const why = skipped(host)
  describe.skipIf(why !== null)(why === null ? host.name : `${host.name} (${why})`, () => {
    let database: TestDatabase
    let recording: Recording
    let store: Session.Store

    beforeAll(async () => {
      database = await host.create()
      recording = recordingEngine(database.open())
      resultOf(await createAll(model)(recording.engine)())
    })
    afterAll(async () => {
      await recording?.engine.close()
      await database?.drop()
    })
    beforeEach(async () => {
      store = Session.createStore(Session.runtime(model, recording.engine))
      await run(Session.execute({ synchronize: 'none' })(deleteFrom(model.Thing)))
      await run(Session.addAll(model.Thing, things))
      await run(Session.commit)
      await run(Session.query(select(model.Thing)))
    })
    afterEach(() => store.close())

    const run = async <E, A>(program: Session.Program<E, A>): Promise<A> => resultOf(await store.run(program)())

    /** Executes a statement: the rows that it met, and which statements that took. */
    const execute = async (statement: AnyUpdate | AnyDelete, synchronize: Session.Synchronize = 'auto') => {
      recording.clear()
      const affected = await run(Session.execute({ synchronize })(statement))
      return { affected, ran: recording.calls.filter(isStatement).map(briefly).map(kindOf) }
    }

    /** What the session knows of the instances, in the order of their keys. */
    const known = () =>
      Session.inspectAll(store.getState())
        .filter(({ status }) => status === 'persistent')
        .map(({ attributes }) => attributes)
        .sort((a, b) => Number(a.id) - Number(b.id))

    /** The rows themselves. */
    const stored = async () => {
      await run(Session.expireAll)
      const rows = await run(Session.query(select(model.Thing)))
      return rows.map(({ id, name, qty }) => ({ id, name, qty })).sort((a, b) => a.id - b.id)
    }

    it('an update by fetch concerns what the database met, and expired instances stay expired', async () => {
      const more = pipe(
        all,
        set((eb) => ({ qty: eb('qty', '+', 5) })),
        where('qty', '>', 5),
      )
      expect(await execute(more, 'fetch')).toEqual({ affected: 2, ran: expected.update })
      const after = things.map((thing) => ({ ...thing, qty: thing.qty > 5 ? thing.qty + 5 : thing.qty }))
      expect(known()).toEqual(after)
      await run(Session.commit)
      expect(await execute(more, 'fetch')).toEqual({ affected: 2, ran: expected.update })
      expect(known()).toEqual([{}, {}, {}])
    })

    it('a delete by fetch deletes what the database met, expired or not', async () => {
      await run(Session.commit)
      const low = pipe(deleteFrom(model.Thing), where('qty', '<', 15))
      expect(await execute(low, 'fetch')).toEqual({ affected: 2, ran: expected.delete })
      expect(await run(Session.get(model.Thing, 0))).toEqual({ _tag: 'None' })
      expect(await stored()).toEqual([things[2]])
    })

    it('numbers are evaluated, by one statement that returns nothing', async () => {
      const none = pipe(all, set({ qty: null }), where('qty', 'in', [10, 30]))
      expect(await execute(none)).toEqual({ affected: 1, ran: ['update'] })
      expect(known()).toEqual(await stored())
    })

    it('texts are compared as the database compares them', async () => {
      const bob = pipe(all, set({ qty: 1 }), where('name', '=', 'BOB'))
      expect((await execute(bob)).ran).toEqual(expected.equal)
      expect(known()).toEqual(await stored())
      const early = pipe(all, set({ qty: 2 }), where('name', '<', 'b'))
      expect((await execute(early)).ran).toEqual(expected.ordered)
      expect(known()).toEqual(await stored())
    })

    it('and where they are evaluated all the same, nothing wrong is told of them', async () => {
      for (const condition of [where('name', '=', 'BOB'), where('name', '<', 'b'), where('name', '!=', 'ANN')]) {
        const some = pipe(all, set({ qty: 7 }), condition as (self: typeof all) => typeof all)
        expect((await execute(some, 'evaluate')).ran).toEqual(['update'])
        const before = known()
        const rows = await stored()
        for (const [i, attributes] of before.entries()) expect(rows[i]).toMatchObject(attributes)
      }
    })

    it('an update of keys moves the instances with their rows', async () => {
      const moved = pipe(
        all,
        set((eb) => ({ id: eb('id', '+', 100), qty: eb('id', '+', 1) })),
        where('name', 'like', '%i%'),
      )
      const cid = await run(Session.one(pipe(select(model.Thing), where('id', '=', 2))))
      await run(Session.commit)
      expect(await execute(moved)).toEqual({ affected: 1, ran: ['select', 'update'] })
      // MySQL sets one after another
      expect(await run(Session.read(model.Thing)(cid))).toMatchObject({ id: 102, qty: host === mysqlHost ? 103 : 3 })
      expect(await run(Session.get(model.Thing, 2))).toEqual({ _tag: 'None' })
    })
  })
}
