/**
 * Values are encoded wherever a statement has one for a column, so that the row that is meant is found: every kind of column in
 * every place, on every database.
 */
import {
  compileNode,
  createAll,
  defineModel,
  deleteFrom,
  distinct,
  entity,
  filterBy,
  insertInto,
  integer,
  modify,
  nullable,
  orderBy,
  primaryKey,
  select,
  set,
  update,
  values,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RootOperationNode,
} from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ask, connect } from '../../core/engine/engine-conformance.js'
import { resultOf } from '../app.js'
import { type Opened, type Setup, setups } from './databases.js'
import { type Kind, kinds } from './kinds.js'

process.env.TZ = 'Europe/Berlin'

const modelOf = ({ column }: Kind, i: number) => {
  const Item = entity('Item', `items_${i}`, {
    id: pipe(integer, primaryKey),
    value: column,
    maybe: pipe(column, nullable),
  })
  const Part = entity('Part', `parts_${i}`, { id: pipe(integer, primaryKey), itemId: integer, value: column })
  return defineModel({ Item, Part })((r) => ({
    Item: { parts: r.Item.hasMany('Part', { foreignKey: 'itemId' }) },
  }))
}
type Model = ReturnType<typeof modelOf>

/** Without JSON's null, which is told apart from NULL in `json-null.test.ts`. */
const valued = kinds.map((kind) => ({ ...kind, values: kind.values.filter((value) => value !== null) }))
const models = valued.map((kind, i) => ({ kind, model: modelOf(kind, i), items: `items_${i}`, parts: `parts_${i}` }))

/** Builds trees and runs nothing. */
const db = new Kysely<Record<string, { id: number; itemId: number; value: unknown; maybe: unknown }>>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (kysely) => new PostgresIntrospector(kysely),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

// biome-ignore lint/suspicious/noExplicitAny: tables and values of any kind, which Kysely's types would have to know
type Loose = any
const allOf = (model: Model) => select(model.Item)
type Query = ReturnType<typeof allOf>
const whereAny = (condition: (eb: Loose) => Loose) => where<Query>(condition)
const modifyAny = (change: (qb: Loose) => Loose) => modify<Query>(change)

const places = (setup: Setup): void => {
  describe.skipIf(setup.isMissing)(setup.name, () => {
    let opened: Opened
    beforeAll(async () => {
      opened = await setup.open()
      for (const { model } of models) resultOf(await createAll(model)(opened.engine)())
    })
    afterAll(() => opened?.drop())

    describe.each(models.map((one) => [one.kind.name, one] as const))('%s', (_, { kind, model, items, parts }) => {
      const { isOrdered } = kind
      // rows 1, 2, ...; the second has no `maybe`
      const all = kind.values.map((value, i) => ({ id: i + 1, value, maybe: i === 1 ? null : value }))
      const ids = all.map(({ id }) => id)
      const [low, middle] = kind.values
      const high = kind.values.at(-1)
      const last = ids.length
      const others = ids.filter((id) => id !== 2)
      const run = async <E, A>(program: Session.Program<E, A>): Promise<A> =>
        resultOf(await Session.run(Session.runtime(model, opened.engine))(program)())

      beforeAll(async () => {
        await run(
          Session.gen(function* () {
            // not in their order
            for (const row of all.toReversed()) {
              yield* Session.add(model.Item, { ...row, parts: [{ id: row.id, value: row.value }] })
            }
            yield* Session.commit
          }),
        )
      })

      const found = async (...narrow: ReadonlyArray<(query: Query) => Query>): Promise<ReadonlyArray<number>> => {
        const query = narrow.reduce((so, next) => next(so), pipe(select(model.Item), orderBy('id')))
        const rows = await run(Session.query(query))
        for (const { id, value } of rows) expect(value).toEqual(all[id - 1]?.value)
        return rows.map(({ id }) => id)
      }
      /** The ids that a tree of Kysely's gives, run as it is compiled. */
      const given = async (node: RootOperationNode) => {
        const compiled = compileNode(opened.engine, model.mappings)(node)
        const connection = await connect(opened.engine)
        const { rows } = await ask(connection, { _tag: 'Query', statement: resultOf(compiled) })
        await connection.release()
        return rows.map(({ id }) => Number(id))
      }

      test('=', async () => expect(await found(where('value', '=', middle))).toEqual([2]))
      test('= on the other side', async () =>
        expect(await found(whereAny((eb) => eb(eb.val(middle), '=', eb.ref('value'))))).toEqual([2]))
      test('<>', async () => expect(await found(where('value', '<>', middle))).toEqual(others))
      test('in', async () => expect(await found(where('value', 'in', [low, high]))).toEqual([1, last]))
      test('not in', async () => expect(await found(where('value', 'not in', [middle]))).toEqual(others))
      test('filterBy', async () => expect(await found(filterBy({ value: middle }))).toEqual([2]))
      test('filterBy null', async () => expect(await found(filterBy({ maybe: null }))).toContain(2))
      test('is null', async () => expect(await found(where('maybe', 'is', null))).toContain(2))
      // a truth value has no order
      test.runIf(isOrdered && kind.name !== 'boolean')('<, <=, >, >=', async () => {
        expect(await found(whereAny((eb) => eb('value', '<', middle)))).toEqual([1])
        expect(await found(whereAny((eb) => eb('value', '<=', middle)))).toEqual([1, 2])
        expect(await found(whereAny((eb) => eb('value', '>', middle)))).toEqual(ids.slice(2))
        expect(await found(whereAny((eb) => eb('value', '>=', middle)))).toEqual(ids.slice(1))
      })
      test.runIf(isOrdered)('between', async () => {
        expect(await found(whereAny((eb) => eb.between('value', low, middle)))).toEqual([1, 2])
      })
      test('in a list of tuples', async () => {
        const among = whereAny((eb) => eb(eb.refTuple('value', 'id'), 'in', [eb.tuple(middle, 2), eb.tuple(middle, 1)]))
        expect(await found(among)).toEqual([2])
      })
      test('the results of CASE', async () => {
        const chosen = whereAny((eb) => eb('value', '=', eb.case().when('id', '=', 2).then(middle).else(low).end()))
        expect(await found(chosen)).toEqual([1, 2])
      })
      test('what CASE compares', async () => {
        const chosen = whereAny((eb) => eb(eb.case('value').when(middle).then(1).else(0).end(), '=', 1))
        expect(await found(chosen)).toEqual([2])
      })
      test('conditions of CASE', async () => {
        const chosen = whereAny((eb) => eb(eb.case().when('value', '=', middle).then(1).else(0).end(), '=', 1))
        expect(await found(chosen)).toEqual([2])
      })
      test('coalesce', async () => {
        const filled = whereAny((eb) => eb(eb.fn.coalesce('maybe', eb.val(middle)), '=', middle))
        expect(await found(filled)).toEqual([2])
        expect(await found(whereAny((eb) => eb('value', '=', eb.fn.coalesce(eb.val(middle), eb.val(low)))))).toEqual([
          2,
        ])
      })
      test('nullif', async () => {
        const without = whereAny((eb) => eb(eb.fn('nullif', ['value', eb.val(middle)]), 'is', null))
        expect(await found(without)).toEqual([2])
      })
      test('having', async () => {
        const grouped = modifyAny((qb) =>
          qb.groupBy([`${items}.id`, `${items}.value`, `${items}.maybe`]).having(`${items}.value`, '=', middle),
        )
        expect(await found(grouped)).toEqual([2])
      })
      test('through an alias', async () => {
        const joined = modifyAny((qb) =>
          qb.innerJoin(`${items} as other`, 'other.id', `${items}.id`).where('other.value', '=', middle),
        )
        expect(await found(joined)).toEqual([2])
      })
      test('of a joined table', async () => {
        const joined = modifyAny((qb) =>
          qb.innerJoin(parts, `${parts}.itemId`, `${items}.id`).where(`${parts}.value`, '=', middle),
        )
        expect(await found(joined)).toEqual([2])
      })
      test('in the condition of a join', async () => {
        const joined = modifyAny((qb) =>
          qb.innerJoin(parts, (join: Loose) =>
            join.onRef(`${parts}.itemId`, '=', `${items}.id`).on(`${parts}.value`, 'in', [middle]),
          ),
        )
        expect(await found(joined)).toEqual([2])
      })
      test('in a subquery', async () => {
        const among = whereAny((eb) =>
          eb('id', 'in', eb.selectFrom(`${parts} as p`).select('p.itemId').where('p.value', '=', middle)),
        )
        expect(await found(among)).toEqual([2])
      })
      test('compared with a subquery, and with what one gives', async () => {
        const one = whereAny((eb) =>
          eb('value', '=', eb.selectFrom(`${parts} as p`).select('p.value').where('p.id', '=', 2)),
        )
        expect(await found(one)).toEqual([2])
        const other = whereAny((eb) =>
          eb(eb.selectFrom(`${parts} as p`).select('p.value').whereRef('p.itemId', '=', `${items}.id`), '=', middle),
        )
        expect(await found(other)).toEqual([2])
      })
      test('exists', async () => {
        const there = whereAny((eb) =>
          eb.exists(
            eb
              .selectFrom(`${parts} as p`)
              .select('p.id')
              .whereRef('p.itemId', '=', `${items}.id`)
              .where('p.value', '=', middle),
          ),
        )
        expect(await found(there)).toEqual([2])
      })
      test('of a derived table', async () => {
        const joined = modifyAny((qb) =>
          qb
            .innerJoin(
              (eb: Loose) => eb.selectFrom(parts).select(['itemId as of', 'value as held']).as('held'),
              'held.of',
              `${items}.id`,
            )
            .where('held.held', '=', middle),
        )
        expect(await found(joined)).toEqual([2])
      })
      test('of a CTE', async () => {
        const node = db
          .with('held', (with_) => with_.selectFrom(items).select(['id', 'value as held']))
          .selectFrom('held')
          .select('held.id')
          .where('held.held', '=', middle)
        expect(await given(node.toOperationNode())).toEqual([2])
      })
      test('in all queries of a union, each once', async () => {
        const united = modifyAny((qb) =>
          qb
            .clearOrderBy()
            .where('value', '=', low)
            .union((eb: Loose) =>
              eb.selectFrom(items).select(['id', 'value', 'maybe']).where('value', 'in', [low, middle]),
            )
            .orderBy('id'),
        )
        expect(await found(united)).toEqual([1, 2])
      })
      test('distinct', async () => {
        expect(await found(distinct, where('value', 'in', [low, middle]))).toEqual([1, 2])
      })

      const ordered = async (...narrow: ReadonlyArray<(query: Query) => Query>) => {
        const rows = await run(Session.query(narrow.reduce((so, next) => next(so), select(model.Item))))
        for (const { id, value } of rows) expect(value).toEqual(all[id - 1]?.value)
        return rows.map(({ id }) => id)
      }
      test.runIf(isOrdered)('in an order', async () => {
        expect(await ordered(orderBy('value'))).toEqual(ids)
        expect(await ordered(orderBy('value', 'desc'))).toEqual(ids.toReversed())
        expect(await ordered(distinct, orderBy('value', 'desc'))).toEqual(ids.toReversed())
        // by the name in the result, which has to be the column all the same
        expect(await ordered(modifyAny((qb) => qb.orderBy('value', 'desc')))).toEqual(ids.toReversed())
        expect(
          await ordered(
            distinct,
            modifyAny((qb) => qb.orderBy('value', 'desc')),
          ),
        ).toEqual(ids.toReversed())
      })
      test('distinct, in an order that is not selected, where the database has that', async () => {
        const query = pipe(
          allOf(model),
          distinct,
          where('id', 'in', [1, 2]),
          orderBy((eb: Loose) => eb('id', '*', -1)),
        )
        const rows = await Session.run(Session.runtime(model, opened.engine))(Session.query(query))()
        if (opened.engine.dialect.name === 'postgres') expect(rows._tag).toBe('Left')
        else
          expect(resultOf(rows).map(({ id, value }) => [id, value])).toEqual([
            [2, middle],
            [1, low],
          ])
      })
      test('that cannot be encoded, is an error that names the attribute', async () => {
        const wrong = { instant: new Date(Number.NaN), json: { n: 1n }, 'array of text': 'text' }[kind.name]
        if (wrong === undefined) return
        for (const statement of [
          where<Query>((eb: Loose) => eb('value', '=', wrong)),
          where<Query>((eb: Loose) => eb('value', 'in', [middle, wrong])),
        ]) {
          const failed = await Session.run(Session.runtime(model, opened.engine))(
            Session.query(statement(allOf(model))),
          )()
          expect(failed).toMatchObject({
            left: {
              _tag: 'InvalidStatement',
              entity: 'Item',
              attribute: 'value',
              value: wrong,
              cause: { _tag: 'EncodeError' },
            },
          })
        }
        const set_ = pipe(update(model.Item), set({ value: wrong }))
        expect(await Session.run(Session.runtime(model, opened.engine))(Session.execute()(set_))()).toMatchObject({
          left: { _tag: 'InvalidStatement', attribute: 'value', cause: { _tag: 'EncodeError' } },
        })
      })
      test.runIf(isOrdered)('in the order of a union', async () => {
        const united = modifyAny((qb) =>
          qb
            .where('value', '=', low)
            .union((eb: Loose) => eb.selectFrom(items).select(['id', 'value', 'maybe']))
            .orderBy('value', 'desc'),
        )
        expect(await ordered(united)).toEqual(ids.toReversed())
      })
      test('in the order of a CASE', async () => {
        const first = orderBy<Query>((eb: Loose) => eb.case().when('value', '=', middle).then(0).else(1).end())
        expect(await ordered(first, orderBy('id'))).toEqual([2, ...others])
      })
      test('the largest and the smallest', async () => {
        // PostgreSQL has none of these
        if (!isOrdered || ['uuid', 'boolean', 'blob'].includes(kind.name)) return
        const largest = whereAny((eb) =>
          eb(
            'value',
            '=',
            eb.selectFrom(`${items} as i`).select((sub: Loose) => sub.fn.max('i.value').as('most')),
          ),
        )
        expect(await found(largest)).toEqual([last])
      })

      describe('written', () => {
        const restore = () =>
          run(
            Session.gen(function* () {
              yield* pipe(deleteFrom(model.Item), where('id', '>', last), Session.execute())
              for (const row of all)
                yield* pipe(update(model.Item), set(row), where('id', '=', row.id), Session.execute())
              yield* Session.commit
            }),
          )
        beforeEach(restore)
        afterEach(restore)
        const valuesNow = () =>
          run(
            Session.map((rows: ReadonlyArray<{ readonly value: unknown }>) => rows.map(({ value }) => value))(
              Session.query(pipe(select(model.Item), orderBy('id'))),
            ),
          )
        const but = (id: number, value: unknown) => all.map((row) => (row.id === id ? value : row.value))
        const changed = (statement: Parameters<ReturnType<typeof Session.execute>>[0]) =>
          run(Session.chain(() => Session.commit)(Session.execute({ synchronize: 'none' })(statement)))

        test('by set', async () => {
          await changed(pipe(update(model.Item), set({ value: low }), where('value', '=', middle)))
          expect(await valuesNow()).toEqual(but(2, low))
        })
        test('by set to an expression', async () => {
          const statement = pipe(
            update(model.Item),
            set((eb: Loose) => ({ value: eb.fn.coalesce('maybe', eb.val(low)) })),
          )
          await changed(statement)
          expect(await valuesNow()).toEqual(but(2, low))
        })
        test('by set to a CASE', async () => {
          const statement = pipe(
            update(model.Item),
            set((eb: Loose) => ({ value: eb.case().when('value', '=', middle).then(low).else(eb.ref('value')).end() })),
          )
          await changed(statement)
          expect(await valuesNow()).toEqual(but(2, low))
        })
        test('by insert and upsert', async () => {
          const row = { id: last + 1, value: high, maybe: null }
          await given(pipe(insertInto(model.Item), values([row as never])).node)
          expect((await valuesNow()).at(-1)).toEqual(high)
          const upsert = pipe(
            insertInto(model.Item),
            values([{ ...row, value: low } as never]),
            modify((qb: Loose) =>
              opened.engine.dialect.name === 'mysql'
                ? qb.onDuplicateKeyUpdate({ value: middle })
                : qb.onConflict((conflict: Loose) => conflict.column('id').doUpdateSet({ value: middle })),
            ),
          )
          await given(upsert.node)
          expect((await valuesNow()).at(-1)).toEqual(middle)
        })
        test('by a flush, found by what it was', async () => {
          await run(
            Session.gen(function* () {
              const item = yield* pipe(select(model.Item), where('value', '=', low), Session.query)
              yield* Session.set(model.Item, { value: high })(item[0] as never)
              yield* Session.commit
            }),
          )
          expect(await valuesNow()).toEqual(but(1, high))
        })
        test('by delete', async () => {
          await changed(pipe(deleteFrom(model.Item), where('id', '>', last)))
          expect(await valuesNow()).toEqual(kind.values)
        })
      })
    })
  })
}

for (const setup of setups) places(setup)
