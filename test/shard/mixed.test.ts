/**
 * One session over SQLite, PostgreSQL and MariaDB.
 */
import {
  boolean,
  createAll,
  defineModel,
  distinct,
  type Engine,
  entity,
  groupBy,
  integer,
  limit,
  nullable,
  offset,
  orderBy,
  primaryKey,
  real,
  select,
  selectRows,
  selectScalar,
  set,
  text,
  update,
  where,
  withServerDefault,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { byAttribute, choosers, onShard, shardedRuntime, shardMap } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { none, type Option } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mysqlHost, postgresHost, skipped, sqliteHost, type TestDatabase } from '../core/engine/databases.js'
import { leftOf, rightOf } from './weather.js'

const Thing = entity('Thing', 'things', {
  id: pipe(integer, primaryKey),
  home: text,
  title: pipe(text, nullable),
  size: pipe(real, nullable),
  isOpen: pipe(boolean, nullable),
  state: pipe(text, withServerDefault(sql`'new'`)),
})
const model = defineModel({ Thing })(() => ({}))

const rules = choosers(model)({
  Thing: byAttribute('home', { lite: 'lite', postgres: 'postgres', maria: 'maria' }),
})

const titles = ['b', 'a', 'B', null, 'é', 'Z', '10', '9', '😀', 'z']

const things = titles.map((title, id) => ({
  id,
  home: (['lite', 'postgres', 'maria'] as const)[id % 3] as string,
  title,
  size: title === null ? null : title.length * (id % 4) - 1.5,
  isOpen: id % 4 === 0 ? null : id % 2 === 0,
}))

const hosts = { lite: sqliteHost('SQLite'), postgres: postgresHost, maria: mysqlHost }
const missing = skipped(postgresHost) ?? skipped(mysqlHost)

describe.skipIf(missing !== null)(
  `one session over three kinds of database${missing === null ? '' : ` (${missing})`}`,
  () => {
    const databases: TestDatabase[] = []
    const engines: Partial<Record<keyof typeof hosts, Engine>> = {}
    const run = <E, A>(program: Session.Program<E, A>) => Session.run(app())(program)()
    const app = () => shardedRuntime(model, { shards: shardMap(engines as Required<typeof engines>), choosers: rules })

    beforeAll(async () => {
      for (const name of ['lite', 'postgres', 'maria'] as const) {
        const database = await hosts[name].create()
        databases.push(database)
        engines[name] = database.open()
        rightOf(await createAll(model)(engines[name] as Engine)())
      }
      rightOf(
        await run(
          pipe(
            Session.addAll(model.Thing, things),
            Session.chain(() => Session.commit),
          ),
        ),
      )
    })
    afterAll(async () => {
      for (const engine of Object.values(engines)) await engine.close()
      for (const database of databases) await database.drop()
    })

    const titlesOf = async (query: ReturnType<typeof all>) =>
      rightOf(await run(Session.query(query))).map(({ title }) => title)
    const all = () => select(model.Thing)

    it('gives the pages that the whole result falls into', async () => {
      const orders = [
        pipe(all(), orderBy('title')),
        pipe(all(), orderBy('title', 'desc')),
        pipe(
          all(),
          orderBy('isOpen', 'desc'),
          orderBy('title', (order) => order.asc().nullsLast()),
        ),
        pipe(all(), orderBy('size', 'desc'), orderBy('id', 'desc')),
      ]
      for (const order of orders) {
        const whole = rightOf(await run(Session.query(order))).map(({ id }) => id)
        for (const size of [1, 3, 4]) {
          const pages: number[] = []
          let after: Option<string> = none
          do {
            const found: Session.Page<{ readonly id: number }> = rightOf(
              await run(pipe(order, Session.page({ size, after }))),
            )
            pages.push(...found.rows.map(({ id }) => id))
            after = found.next
          } while (after._tag === 'Some')
          // all titles are different, and all ids
          expect(pages).toEqual(whole)
        }
      }
    })

    it('streams rows in the order in which it queries them, in portions of any size', async () => {
      for (const query of [
        pipe(all(), orderBy('title'), orderBy('id')),
        pipe(all(), orderBy('size', 'desc'), orderBy('id'), offset(1), limit(7)),
        all(),
      ]) {
        const expected = rightOf(await run(Session.query(query)))
        for (const chunk of [1, 3, 100]) {
          const found: unknown[] = []
          for await (const thing of Session.stream(app(), { chunk })(query)) found.push(rightOf(thing))
          expect(found).toEqual(expected)
          for await (const _ of Session.stream(app(), { chunk })(query)) break
        }
        const folded = pipe(
          query,
          Session.foldChunks(
            [] as typeof expected,
            (sum, some) =>
              pipe(
                Session.query(pipe(all(), limit(1))),
                Session.chain(() => Session.commit),
                Session.map(() => [...sum, ...some]),
              ),
            { chunk: 3 },
          ),
        )
        expect(rightOf(await run(folded))).toEqual(expected)
      }
    })

    it('orders text by its code points and NULL first, whatever each database does by itself', async () => {
      const sorted = [null, '10', '9', 'B', 'Z', 'a', 'b', 'z', 'é', '😀']
      expect(await titlesOf(pipe(all(), orderBy('title')))).toEqual(sorted)
      expect(await titlesOf(pipe(all(), orderBy('title', 'desc')))).toEqual([...sorted].reverse())
      expect(await titlesOf(pipe(all(), orderBy('title'), offset(2), limit(3)))).toEqual(['9', 'B', 'Z'])
    })

    it('orders numbers and booleans alike', async () => {
      const bySize = pipe(all(), orderBy('isOpen'), orderBy('size', 'desc'), orderBy('id'))
      const rank = (value: boolean | null): number => (value === null ? 0 : value ? 2 : 1)
      const expected = [...things].sort(
        (a, b) =>
          rank(a.isOpen) - rank(b.isOpen) ||
          (b.size ?? Number.NEGATIVE_INFINITY) - (a.size ?? Number.NEGATIVE_INFINITY) ||
          a.id - b.id,
      )
      expect(rightOf(await run(Session.query(bySize))).map(({ id }) => id)).toEqual(expected.map(({ id }) => id))
    })

    it('orders by expressions that are numbers, and refuses text that a database would order its own way', async () => {
      const byLength = pipe(
        all(),
        where('title', 'in', ['10', 'a', 'B']),
        orderBy((eb) => eb.fn('length', ['title']), 'desc'),
        orderBy('id'),
      )
      expect(await titlesOf(byLength)).toEqual(['10', 'a', 'B'])
      const byUpper = pipe(
        all(),
        orderBy((eb) => eb.fn('upper', ['title'])),
      )
      expect(leftOf(await run(Session.query(byUpper)))).toMatchObject({ _tag: 'RoutingError', reason: 'NotMergeable' })
    })

    it('merges rows by their names, whatever they stand for, and counts them', async () => {
      const sorted = [null, '10', '9', 'B', 'Z', 'a', 'b', 'z', 'é', '😀']
      const renamed = pipe(
        all(),
        selectRows((q) => ({
          id: q.ref('title'),
          title: q.ref('things.id'),
          isOpen: q.ref('isOpen'),
          twice: q('size', '*', 2),
          isBig: q('size', '>', 0),
        })),
      )
      const found = rightOf(await run(pipe(renamed, orderBy('id'), Session.rows)))
      expect(found.map(({ id }) => id)).toEqual(sorted)
      expect([...found].sort((a, b) => a.title - b.title)).toEqual(
        things.map(({ id, title, size, isOpen }) => ({
          id: title,
          title: id,
          isOpen,
          twice: size === null ? null : size * 2,
          isBig: size === null ? null : size > 0,
        })),
      )
      const byTwice = pipe(renamed, orderBy('twice', 'desc'), orderBy('title'), limit(4))
      const bySize = [...things].sort(
        (a, b) => (b.size ?? Number.NEGATIVE_INFINITY) - (a.size ?? Number.NEGATIVE_INFINITY) || a.id - b.id,
      )
      expect(rightOf(await run(Session.rows(byTwice))).map(({ title }) => title)).toEqual(
        bySize.slice(0, 4).map(({ id }) => id),
      )
      const grouped = pipe(
        all(),
        groupBy('id', 'title'),
        selectRows((q) => ({ title: q.ref('title'), rows: q.fn.countAll(), sum: q.fn.sum('id') })),
        orderBy('sum', 'desc'),
        limit(2),
      )
      expect(rightOf(await run(Session.rows(grouped)))).toEqual([
        { title: 'z', rows: 1, sum: 9 },
        { title: '😀', rows: 1, sum: 8 },
      ])
      expect(rightOf(await run(pipe(all(), orderBy('title'), limit(7), offset(4), Session.count)))).toBe(6)
      expect(rightOf(await run(pipe(all(), where('title', '=', '😀'), Session.exists)))).toBe(true)
      const streamed: unknown[] = []
      for await (const row of Session.stream(app(), { chunk: 2 })(byTwice)) streamed.push(rightOf(row))
      expect(streamed).toEqual(rightOf(await run(Session.rows(byTwice))))
    })

    it('puts groups together, whose values the databases spell each in a way of its own', async () => {
      const perState = pipe(
        all(),
        groupBy('isOpen'),
        selectRows((q) => ({
          isOpen: q.ref('isOpen'),
          things: q.fn.countAll(),
          ids: q.fn.sum('id'),
          size: q.fn.sum('size'),
          mean: q.fn.avg('size'),
          least: q.fn.min('size'),
        })),
        orderBy('isOpen', (order) => order.desc().nullsLast()),
      )
      const groups = [true, false, null].map((isOpen) => {
        const of = things.filter((thing) => thing.isOpen === isOpen)
        const sizes = of.flatMap(({ size }) => (size === null ? [] : [size]))
        const sum = sizes.reduce((all, size) => all + size, 0)
        return {
          isOpen,
          things: of.length,
          ids: of.reduce((all, { id }) => all + id, 0),
          size: sum,
          mean: sum / sizes.length,
          least: Math.min(...sizes),
        }
      })
      expect(rightOf(await run(Session.rows(perState)))).toEqual(groups)
      expect(rightOf(await run(Session.rows(pipe(perState, limit(1), offset(1)))))).toEqual(groups.slice(1, 2))
      // one of the databases may take some of these titles for the same
      const perTitle = pipe(all(), selectScalar('title'), distinct)
      expect(leftOf(await run(Session.rows(perTitle)))).toMatchObject({ _tag: 'RoutingError', reason: 'NotMergeable' })
    })

    it('undoes a bulk update everywhere where it fails on one', async () => {
      // only SQLite takes a text for a number
      const wrong = pipe(
        update(model.Thing),
        set((eb) => ({ size: eb.cast<number>('title', 'integer') })),
      )
      const { failed, after } = rightOf(
        await run(
          pipe(
            Session.Do,
            Session.bind('failed', () => Session.attempt(Session.execute({ synchronize: 'none' })(wrong))),
            Session.bind('after', () => Session.query(pipe(all(), where('title', '=', '10'), onShard('lite')))),
          ),
        ),
      )
      expect(after.map(({ size }) => size)).toEqual([things[6]?.size])
      expect(leftOf(failed)).toMatchObject({ _tag: 'DatabaseError', operation: 'bulk update' })
      const sizes = rightOf(await run(Session.query(pipe(all(), orderBy('id'))))).map(({ size }) => size)
      expect(sizes).toEqual(things.map(({ size }) => size))
    })

    it('gives each instance what its table fills in with the insert, where its database can', async () => {
      // MariaDB as if it were MySQL
      const { maria } = engines as Required<typeof engines>
      const shards = shardMap({
        ...(engines as Required<typeof engines>),
        maria: {
          ...maria,
          capabilities: {
            ...maria.capabilities,
            returning: { insert: false, update: false, delete: false, triggered: false },
          },
        },
      })
      const added = [
        { id: 200, home: 'maria' },
        { id: 201, home: 'lite' },
        { id: 202, home: 'postgres' },
      ]
      const { plan, known } = rightOf(
        await Session.run(shardedRuntime(model, { shards, choosers: rules }))(
          pipe(
            Session.Do,
            Session.bind('made', () => Session.addAll(model.Thing, added)),
            Session.bind('plan', () => Session.flushPlan),
            Session.bind('flushed', () => Session.flush),
            Session.bind('known', ({ made }) =>
              Session.gets((state) => made.map((one) => Session.inspect(state, one)?.attributes)),
            ),
            Session.chainFirst(() => Session.rollback),
          ),
        )(),
      )
      expect(Session.explain(plan)).toMatchInlineSnapshot(`
        "1. insert into things on lite (1 row)
             #1: id = 201, home = 'lite', title = null, size = null, isOpen = null; the database gives state
        2. insert into things on postgres (1 row)
             #2: id = 202, home = 'postgres', title = null, size = null, isOpen = null; the database gives state
        3. insert into things on maria (1 row)
             #0: id = 200, home = 'maria', title = null, size = null, isOpen = null"
      `)
      expect(known).toMatchObject([{ id: 200 }, { state: 'new' }, { state: 'new' }])
      expect(known[0]).not.toHaveProperty('state')
    })

    it('tells instances of a bulk statement by what each database returns of it, or holds before it', async () => {
      const known = (state: Session.SessionState) =>
        Object.fromEntries(Session.inspectAll(state).map(({ attributes }) => [attributes.id, attributes.size]))
      const [affected, after, rows] = rightOf(
        await run(
          pipe(
            Session.query(all()),
            Session.chain(() =>
              pipe(update(model.Thing), set({ size: 9 }), where('title', '>', 'a'), Session.execute()),
            ),
            Session.bindTo('affected'),
            Session.bind('after', () => Session.gets(known)),
            Session.bind('rows', () =>
              Session.chain(() => Session.chain(() => Session.gets(known))(Session.query(all())))(Session.expireAll),
            ),
            Session.map(({ affected, after, rows }) => [affected, after, rows] as const),
          ),
        ),
      )
      expect(affected).toBeGreaterThan(2)
      expect(after).toEqual(rows)
      expect(Object.values(after).filter((size) => size === 9)).toHaveLength(affected)
    })

    it('leaves nothing of a flush that fails on one of them', async () => {
      const again = [
        { id: 100, home: 'lite' },
        { id: 101, home: 'postgres' },
        { id: 2, home: 'maria' },
      ]
      const error = leftOf(
        await run(
          pipe(
            Session.addAll(model.Thing, again),
            Session.chain(() => Session.flush),
          ),
        ),
      )
      expect(error).toMatchObject({ _tag: 'IntegrityError', entity: 'Thing', shard: 'maria' })
      expect(rightOf(await run(Session.query(all())))).toHaveLength(things.length)
    })
  },
)
