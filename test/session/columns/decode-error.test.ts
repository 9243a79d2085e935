/**
 * A row that does not decode is an error that says which value of which row, wherever the row was read; and the session is as it
 * was before.
 */
import {
  createAll,
  defineModel,
  entity,
  enumOf,
  generated,
  immediate,
  instant,
  integer,
  joined,
  nullable,
  orderBy,
  primaryKey,
  select,
  selectin,
  subquery,
  text,
  trusted,
  where,
  withServerDefault,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { errorOf, resultOf } from '../app.js'
import { type Opened, setups } from './databases.js'
import { type Kind, kinds } from './kinds.js'

type DialectName = 'sqlite' | 'postgres' | 'mysql'

/** What a database holds that no program of ours has written: by kind, as SQL; where the database itself refuses it, none. */
const corrupt: Readonly<Record<string, Partial<Record<DialectName, string>>>> = {
  integer: { sqlite: "'x'" },
  branded: { sqlite: '-1', postgres: '-1', mysql: '-1' },
  bigint: { sqlite: "'x'" },
  real: { sqlite: "'x'" },
  text: { sqlite: "x'00'" },
  boolean: { sqlite: '7', mysql: '7' },
  blob: { sqlite: "'x'" },
  decimal: { sqlite: "'12.50'", postgres: "'NaN'" },
  instant: { sqlite: "'2026-01-31 12:00'", postgres: "'infinity'", mysql: "'0000-00-00 00:00:00'" },
  plainDate: { sqlite: "'2026-02-30'", postgres: "'infinity'", mysql: "'0000-00-00'" },
  plainTime: { sqlite: "'9:30'", postgres: "'24:00:00'", mysql: "'-01:00:00'" },
  uuid: { sqlite: "'x'", mysql: "'x'" },
  json: { sqlite: "'{'" },
  'array of text': { sqlite: "'{}'", postgres: "'{NULL}'", mysql: "'{}'" },
  'array of bigints': { sqlite: "'[1.5]'", postgres: "'{NULL}'", mysql: "'[1.5]'" },
}

const corrupted = kinds.filter(({ name }) => corrupt[name] !== undefined)

const modelOf = ({ column }: Kind, i: number) => {
  const Owner = entity('Owner', `owners_${i}`, { id: pipe(integer, primaryKey), name: text })
  const Item = entity('Item', `items_${i}`, {
    id: pipe(integer, primaryKey),
    ownerId: pipe(integer, nullable),
    value: pipe(column, nullable),
  })
  return defineModel({ Owner, Item })((r) => ({
    Owner: { items: r.Owner.hasMany('Item', { foreignKey: 'ownerId', inverse: 'owner', orderBy: 'id' }) },
    Item: { owner: r.Item.belongsTo('Owner', { foreignKey: 'ownerId', inverse: 'items' }) },
  }))
}

const models = corrupted.map((kind, i) => ({
  kind,
  model: modelOf(kind, i),
  table: `items_${i}`,
  owners: `owners_${i}`,
}))

describe.each(setups.map((setup) => [setup.name, setup] as const))('%s', (_, setup) => {
  describe.skipIf(setup.isMissing)('a row that does not decode', () => {
    let opened: Opened
    beforeAll(async () => {
      opened = await setup.open()
      for (const { model } of models) resultOf(await createAll(model)(opened.engine)())
    })
    afterAll(() => opened?.drop())

    describe.each(models.map((one) => [one.kind.name, one] as const))(
      'of %s',
      (name, { kind, model, table, owners }) => {
        let store: Session.Store
        let isRefused = false
        beforeAll(async () => {
          const literal = corrupt[name]?.[opened.engine.dialect.name]
          isRefused = literal === undefined
          if (literal === undefined) return
          const runtime = Session.runtime(model, opened.engine)
          const write = Session.gen(function* () {
            yield* Session.add(model.Owner, { id: 1, name: 'ann', items: [{ id: 1, value: kind.values[0] }] })
            yield* Session.flush
            if (opened.engine.dialect.name === 'mysql') yield* Session.sql(sql`set sql_mode = ''`)
            yield* Session.sql(sql`insert into ${sql.table(table)} values (2, 1, ${sql.raw(literal)})`)
            yield* Session.commit
          })
          resultOf(await Session.run(runtime)(write)())
        })
        beforeEach((context) => {
          if (isRefused) context.skip('the database refuses it')
          store = Session.createStore(Session.runtime(model, opened.engine))
        })
        afterEach(() => (isRefused ? undefined : store.close()))

        const expected = {
          _tag: 'DecodeError',
          entity: 'Item',
          table,
          attribute: 'value',
          column: 'value',
          key: 2,
          expected: `${kind.column.codec.name} | null`,
          shard: null,
        }
        /** Fails as it should, and leaves the state as it was. */
        const fails = async <E, A>(program: Session.Program<E, A>) => {
          const before = store.getState()
          const error = errorOf(await store.run(program)()) as Session.SessionError
          expect(error).toMatchObject(expected)
          expect(store.getState().instances.size).toBe(before.instances.size)
          expect(store.getState().identityMap).toEqual(before.identityMap)
          const sentence = Session.render(error)
          expect(sentence).toContain(`${table}.value of the row 2 holds `)
          expect(sentence.length).toBeLessThan(400)
        }
        const items = pipe(select(model.Item), orderBy('id'))

        test('read by a query', () => fails(Session.query(items)))
        test('read by a get', () => fails(Session.get(model.Item, 2)))
        test('read by a stream', () =>
          fails(
            pipe(
              items,
              Session.forEachChunk(() => Session.of(undefined)),
            ),
          ))
        test('of a collection, loaded by each strategy', async () => {
          const all = select(model.Owner)
          await fails(pipe(all, joined('items'), Session.query))
          for (const load of [selectin, subquery, immediate]) {
            const error = errorOf(await store.run(pipe(all, load('items'), Session.query))())
            expect(error).toMatchObject(expected)
            resultOf(await store.run(Session.expungeAll)())
          }
        })
        test('of a collection, loaded later', async () => {
          const ann = resultOf(await store.run(Session.get(model.Owner, 1))())
          expect(ann._tag).toBe('Some')
          if (ann._tag === 'Some') await fails(Session.load(model.Owner, 'items')(ann.value))
        })
        test('read again', async () => {
          const good = resultOf(await store.run(pipe(items, where('id', '=', 1), Session.query))())
          const [item] = good
          const literal = corrupt[name]?.[opened.engine.dialect.name] ?? ''
          const swap = (from: number, to: number) =>
            Session.sql(sql`update ${sql.table(table)} set id = ${sql.lit(to)} where id = ${sql.lit(from)}`)
          // the row that is known becomes the one that does not decode, for this transaction
          expect(literal).not.toBe('')
          resultOf(await store.run(swap(1, 3))())
          resultOf(await store.run(swap(2, 1))())
          const error = errorOf(await store.run(Session.refresh(model.Item)(item as NonNullable<typeof item>))())
          expect(error).toMatchObject({ ...expected, key: 1 })
          // it has expired, so that whoever reads it is told the same, until the row is another
          const again = Session.read(model.Item)(item as NonNullable<typeof item>)
          expect(errorOf(await store.run(again)())).toEqual(error)
          resultOf(await store.run(Session.rollback)())
          expect(resultOf(await store.run(again)())).toEqual(item)
        })
        test('is taken at its word where it is trusted, if its codec but checks', async () => {
          const rows = await store.run(pipe(items, trusted, Session.query))()
          const isTaken = ['integer', 'branded', 'real', 'text', 'boolean'].includes(name)
          expect(rows._tag).toBe(isTaken ? 'Right' : 'Left')
          if (rows._tag === 'Right') expect(rows.right).toHaveLength(2)
          // what hangs on it is trusted too
          const loaded = await store.run(pipe(select(model.Owner), trusted, selectin('items'), Session.query))()
          expect(loaded._tag).toBe(isTaken ? 'Right' : 'Left')
          const beside = await store.run(pipe(select(model.Owner), trusted, joined('items'), Session.query))()
          expect(beside._tag).toBe(isTaken ? 'Right' : 'Left')
        })
        test('does no harm to what is written beside it', async () => {
          await fails(Session.query(items))
          const program = Session.gen(function* () {
            yield* Session.add(model.Owner, { id: 5, name: 'bob' })
            yield* Session.flush
            return yield* pipe(select(model.Owner), where('id', '=', 5), Session.query)
          })
          expect(resultOf(await store.run(program)())).toMatchObject([{ name: 'bob' }])
          resultOf(await store.run(Session.rollback)())
          expect(owners).not.toBe(table)
        })
      },
    )
  })
})

const Ticket = entity('Ticket', 'tickets', {
  id: pipe(integer, primaryKey, generated),
  title: text,
  state: pipe(enumOf('open', 'done'), withServerDefault(sql`'open'`)),
  since: pipe(instant, withServerDefault(sql.val(new Date('2026-01-31T12:00:00.000Z')))),
})
const ticketModel = defineModel({ Ticket })(() => ({}))

describe.each(setups.map((setup) => [setup.name, setup] as const))('%s', (_, setup) => {
  test.skipIf(setup.isMissing)('what the table gives an inserted row is decoded like any other', async () => {
    const { engine, drop } = await setup.open()
    resultOf(await createAll(ticketModel)(engine)())
    const store = Session.createStore(Session.runtime(ticketModel, engine))
    const made = resultOf(
      await store.run(
        Session.gen(function* () {
          const ticket = yield* Session.add(ticketModel.Ticket, { title: 'a' })
          yield* Session.flush
          return yield* Session.read(ticketModel.Ticket)(ticket)
        }),
      )(),
    )
    expect(made).toMatchObject({ id: 1, state: 'open', since: new Date('2026-01-31T12:00:00.000Z') })
    await store.close()
    await drop()
  })
})
