/**
 * What tables fill in by themselves, and sessions know after the flush: on every database.
 */
import {
  bigint,
  boolean,
  column,
  createAll,
  deferred,
  defineModel,
  type Engine,
  entity,
  generated,
  type InsertCall,
  integer,
  isoDate,
  json,
  named,
  nullable,
  primaryKey,
  select,
  text,
  withServerDefault,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
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

const Ticket = entity('Ticket', 'tickets', {
  id: pipe(integer, primaryKey, generated),
  title: text,
  state: pipe(text, withServerDefault(sql`'open'`)),
  isPublic: pipe(boolean, named('is_public'), withServerDefault(sql`true`)),
  since: pipe(column(isoDate, 'timestamp'), withServerDefault(sql.val(new Date('2026-01-31T12:34:56.789Z')))),
  note: pipe(text, nullable, withServerDefault(sql`'none'`)),
  total: pipe(bigint, withServerDefault(sql`7`)),
  options: pipe(column(json(t.unknown), 'json'), withServerDefault(sql`'{"a":[1]}'`)),
  fullText: pipe(text, named('full_text'), withServerDefault(sql`'...'`), deferred),
})
const Step = entity('Step', 'steps', {
  id: pipe(integer, primaryKey, generated),
  label: text,
  state: pipe(text, withServerDefault(sql`'to do'`)),
  ticketId: pipe(integer, named('ticket_id')),
})
/** The program gives its key. */
const Seat = entity('Seat', 'seats', {
  code: pipe(text, primaryKey),
  state: pipe(text, withServerDefault(sql`'free'`)),
})
/** Its table fills in what its codec does not take. */
const Odd = entity('Odd', 'odds', {
  id: pipe(integer, primaryKey),
  flag: pipe(column(t.literal('yes'), 'text'), withServerDefault(sql`'no'`)),
})

const model = defineModel({ Ticket, Step, Seat, Odd })((r) => ({
  Ticket: { steps: r.Ticket.hasMany('Step', { foreignKey: 'ticketId', inverse: 'ticket', orderBy: 'id' }) },
  Step: { ticket: r.Step.belongsTo('Ticket', { foreignKey: 'ticketId', inverse: 'steps' }) },
}))

const filledIn = {
  state: 'open',
  isPublic: true,
  since: new Date('2026-01-31T12:34:56.789Z'),
  note: 'none',
  total: 7n,
  options: { a: [1] },
}

const onDatabase = (host: Host): void => {
  const why = skipped(host)
  describe.skipIf(why !== null)(why === null ? host.name : `${host.name} (${why})`, () => {
    let database: TestDatabase
    let engine: Engine
    let recording: Recording
    let store: Session.Store
    beforeAll(async () => {
      database = await host.create()
      engine = database.open()
      resultOf(await createAll(model)(engine)())
    })
    beforeEach(() => {
      recording = recordingEngine(engine)
      store = storeOn(recording.engine)
    })
    afterEach(() => store.close())
    afterAll(async () => {
      await engine?.close()
      await database?.drop()
    })
    const storeOn = (on: Engine): Session.Store =>
      Session.createStore(Session.runtime(model, on, { services: () => services }))
    const run = async <E, A>(program: Session.Program<E, A>): Promise<A> => resultOf(await store.run(program)())
    const statements = (): ReadonlyArray<string> => recording.calls.filter(isStatement).map(briefly)

    test('an instance is whole after its flush, without another statement', async () => {
      const made = await run(Session.add(model.Ticket, { title: 'a' }))
      await run(Session.flush)
      expect(await run(Session.read(model.Ticket)(made))).toMatchObject({
        title: 'a',
        ...filledIn,
        id: expect.any(Number),
      })
      expect(statements()).toEqual(['Insert tickets 1'])
      await run(Session.rollback)
    })

    test('each of many instances has what is its own', async () => {
      const titles = Array.from({ length: 257 }, (_, i) => `ticket ${(i * 89) % 257}`)
      const made = await run(
        Session.addAll(
          model.Ticket,
          titles.map((title, i) => ({ title, ...(i < 200 ? {} : { state: 'closed' }) })),
        ),
      )
      await run(Session.flush)
      const known = await run(Session.traverseArray(Session.read(model.Ticket))(made))
      expect(statements()).toEqual(['Insert tickets 200', 'Insert tickets 57'])
      await run(Session.expireAll)
      const found = await run(Session.query(select(model.Ticket)))
      const rowOf = new Map(found.map((row) => [row.id, row]))
      expect(known.map(({ id }) => rowOf.get(id))).toEqual(known)
      expect(known.map(({ title }) => title)).toEqual(titles)
      expect(known.map(({ state }) => state)).toEqual(titles.map((_, i) => (i < 200 ? 'open' : 'closed')))
      await run(Session.rollback)
    })

    test('so has each of many that bring their keys', async () => {
      const made = await run(
        Session.addAll(
          model.Seat,
          Array.from({ length: 123 }, (_, i) => ({ code: `seat ${(i * 7) % 123}` })),
        ),
      )
      await run(Session.flush)
      const known = await run(Session.traverseArray(Session.read(model.Seat))(made))
      expect(known.map(({ code, state }) => [code, state])).toEqual(made.map(({ code }) => [code, 'free']))
      expect(statements()).toEqual(['Insert seats 123'])
      await run(Session.rollback)
    })

    test('what the program gives is kept, null too', async () => {
      const made = await run(Session.add(model.Ticket, { title: 'a', note: null, total: 2n ** 40n, isPublic: false }))
      await run(Session.flush)
      const { note, total, isPublic, state } = await run(Session.read(model.Ticket)(made))
      expect([note, total, isPublic, state]).toEqual([null, 2n ** 40n, false, 'open'])
      expect(statements()).toEqual(['Insert tickets 1'])
      await run(Session.rollback)
    })

    test('keys that are given back reach the rows that refer to them', async () => {
      const made = await run(
        Session.add(model.Ticket, { title: 'a', steps: [{ label: 'first' }, { label: 'second', state: 'done' }] }),
      )
      await run(Session.flush)
      const ticket = await run(Session.read(model.Ticket)(made))
      const steps = await run(Session.load(model.Ticket, 'steps')(ticket))
      expect(steps.map(({ label, state, ticketId }) => [label, state, ticketId])).toEqual([
        ['first', 'to do', ticket.id],
        ['second', 'done', ticket.id],
      ])
      expect(statements()).toEqual(['Insert tickets 1', 'Insert steps 1', 'Insert steps 1'])
      await run(Session.rollback)
    })

    test('what is deferred is loaded only when it is asked for', async () => {
      const made = await run(Session.add(model.Ticket, { title: 'a' }))
      await run(Session.flush)
      expect((await run(Session.read(model.Ticket)(made))) as object).toMatchObject({ fullText: undefined })
      expect(statements()).toHaveLength(1)
      const loaded = await run(Session.loadAttributes(model.Ticket, 'fullText')(made as never))
      expect(loaded.fullText).toBe('...')
      await run(Session.rollback)
    })

    test('a rollback takes away what the table has filled in, and the next flush gives it again', async () => {
      const made = await run(Session.make(model.Ticket, { title: 'a' }))
      await run(Session.add(model.Ticket, made))
      await run(Session.flush)
      await run(Session.rollback)
      const after = Session.inspect(store.getState(), made)
      expect(after?.attributes).toEqual({ title: 'a' })
      await run(Session.add(model.Ticket, made))
      await run(Session.flush)
      expect(await run(Session.read(model.Ticket)(made as never))).toMatchObject(filledIn)
      await run(Session.rollback)
    })

    test('the plan names what comes back', async () => {
      // a server says what it can do once it is connected to
      await run(Session.query(select(model.Seat)))
      await run(Session.add(model.Ticket, { title: 'a', note: null, options: 1, since: filledIn.since }))
      await run(Session.add(model.Seat, { code: 'x' }))
      const plan = await run(Session.flushPlan)
      expect(Session.explain(plan)).toMatchInlineSnapshot(`
        "1. insert into tickets (1 row)
             #0: title = 'a', since = '2026-01-31T12:34:56.789Z', note = null, options = '1'; the database gives id, state, isPublic, total
        2. insert into seats (1 row)
             #1: code = 'x'; the database gives state"
      `)
      expect(Session.toJson(plan)).toMatchObject({
        steps: [
          {
            key: ['id'],
            returning: [
              { attribute: 'id', column: 'id', kind: 'integer' },
              { attribute: 'state', column: 'state', kind: 'text' },
              { attribute: 'isPublic', column: 'is_public', kind: 'boolean' },
              { attribute: 'total', column: 'total', kind: 'bigint' },
            ],
          },
          { key: ['code'], returning: [{ attribute: 'state', column: 'state', kind: 'text' }] },
        ],
      })
      await run(Session.rollback)
    })

    test('what the codec does not take fails the reader, not the flush', async () => {
      const made = await run(Session.add(model.Odd, { id: 1 }))
      await run(Session.flush)
      expect(errorOf(await store.run(Session.read(model.Odd)(made))())).toMatchObject({
        _tag: 'DecodeError',
        attribute: 'flag',
        value: 'no',
      })
      await run(Session.rollback)
    })

    describe('without RETURNING', () => {
      let plain: Session.Store
      beforeEach(() => {
        const { capabilities } = recording.engine
        plain = storeOn({
          ...recording.engine,
          capabilities: {
            ...capabilities,
            returning: { insert: false, update: false, delete: false, triggered: false },
          },
        })
      })
      afterEach(() => plain.close())
      const runPlain = async <E, A>(program: Session.Program<E, A>): Promise<A> => resultOf(await plain.run(program)())

      test('only the key comes back, and the rest is read with the instance', async () => {
        const made = await runPlain(Session.add(model.Ticket, { title: 'a' }))
        await runPlain(Session.flush)
        const [insert] = recording.calls.filter((call): call is InsertCall => call._tag === 'Insert')
        expect(insert?.returning).toEqual(['id'])
        expect(Session.inspect(plain.getState(), made)?.attributes).toEqual({ title: 'a', id: expect.any(Number) })
        expect(await runPlain(Session.read(model.Ticket)(made))).toMatchObject({ title: 'a', ...filledIn })
        expect(statements()).toEqual(['Insert tickets 1', expect.stringMatching(/^select .*tickets/)])
        await runPlain(Session.rollback)
      })

      test('the plan names the key alone', async () => {
        await runPlain(Session.add(model.Ticket, { title: 'a' }))
        await runPlain(Session.add(model.Seat, { code: 'x' }))
        expect(Session.explain(await runPlain(Session.flushPlan))).toMatchInlineSnapshot(`
          "1. insert into tickets (1 row)
               #0: title = 'a'; the database gives id
          2. insert into seats (1 row)
               #1: code = 'x'"
        `)
        await runPlain(Session.rollback)
      })
    })
  })
}

onDatabase(sqliteHost('SQLite'))
onDatabase(kyselySqliteHost)
onDatabase(postgresHost)
onDatabase(mysqlHost)
