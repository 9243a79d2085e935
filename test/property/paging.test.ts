/**
 * Pages put together are the whole result in its order, whatever it is ordered by, on each database.
 */
import * as Core from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { none, type Option } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mysqlHost, postgresHost, skipped, type TestDatabase } from '../core/engine/databases.js'
import { resultOf } from '../session/app.js'

const Thing = Core.entity('Thing', 'things', {
  id: pipe(Core.integer, Core.primaryKey),
  part: pipe(Core.text, Core.primaryKey, Core.named('part_no')),
  rank: pipe(Core.integer, Core.nullable),
  label: pipe(Core.text, Core.named('label_text')),
  isOpen: pipe(Core.boolean, Core.nullable),
  size: Core.real,
  made: pipe(Core.instant, Core.nullable),
  price: pipe(Core.decimal(12, 2), Core.nullable),
  day: Core.plainDate,
  time: Core.plainTime,
  total: Core.bigint,
})
const Note = Core.entity('Note', 'notes', {
  id: pipe(Core.integer, Core.primaryKey),
  thingId: Core.integer,
  thingPart: Core.text,
  weight: pipe(Core.integer, Core.nullable),
})
const model = Core.defineModel({ Thing, Note })((r) => ({
  Thing: { notes: r.Thing.hasMany('Note', { foreignKey: ['thingId', 'thingPart'], orderBy: 'id' }) },
}))

type Row = Readonly<Record<string, number | string | boolean | bigint | Date | null>>

interface Term {
  readonly table: 'things' | 'n'
  readonly name: string
  readonly isDescending: boolean
  readonly nulls: 'first' | 'last' | null
}

const things: fc.Arbitrary<ReadonlyArray<Row>> = fc.uniqueArray(
  fc.record({
    id: fc.nat({ max: 4 }),
    part: fc.constantFrom('a', 'b', 'c'),
    rank: fc.option(fc.nat({ max: 2 })),
    label: fc.constantFrom('x', 'y', 'zz'),
    isOpen: fc.option(fc.boolean()),
    size: fc.constantFrom(0.1, 0.25, 1e10),
    made: fc.option(fc.constantFrom(new Date(0), new Date(1_700_000_000_123), new Date(1_700_000_000_124))),
    price: fc.option(fc.constantFrom('9.5', '10', '-3.25')),
    day: fc.constantFrom('2026-01-31', '2026-11-02'),
    time: fc.constantFrom('09:30:00', '09:30:00.5'),
    total: fc.constantFrom(1n, 2n ** 60n, 2n ** 60n + 1n),
  }),
  { selector: ({ id, part }) => `${id} ${part}`, maxLength: 10 },
)

const notes: fc.Arbitrary<ReadonlyArray<readonly [thing: number, weight: number | null]>> = fc.array(
  fc.tuple(fc.nat({ max: 20 }), fc.option(fc.nat({ max: 2 }), { nil: null })),
  { maxLength: 8 },
)

const terms: fc.Arbitrary<ReadonlyArray<Term>> = fc.array(
  fc.record({
    table: fc.constant('things' as const),
    name: fc.constantFrom('id', 'part', 'rank', 'label', 'isOpen', 'size', 'made', 'price', 'day', 'time', 'total'),
    isDescending: fc.boolean(),
    nulls: fc.constantFrom(null, 'first' as const, 'last' as const),
  }),
  { maxLength: 4 },
)

const cases = fc.record({
  things,
  notes,
  terms,
  /** Whether notes are joined, and where their weight stands among the terms. */
  joined: fc.option(fc.record({ isOptional: fc.boolean(), at: fc.nat({ max: 4 }), isDescending: fc.boolean() })),
  loads: fc.constantFrom('none' as const, 'joined' as const, 'selectin' as const, 'subquery' as const),
  size: fc.integer({ min: 1, max: 6 }),
})

type Case = typeof cases extends fc.Arbitrary<infer A> ? A : never

/** The builders, for queries of which no description can tell the type. */
// biome-ignore lint/suspicious/noExplicitAny: the query is known at run time only
type Any = any

const allTerms = ({ joined, terms: own }: Case): ReadonlyArray<Term> => {
  if (joined === null) return own
  const weight: Term = { table: 'n', name: 'weight', isDescending: joined.isDescending, nulls: null }
  return [...own.slice(0, joined.at), weight, ...own.slice(joined.at)]
}

/** The rows of a case as the database has them: a thing, and a note where they are joined. */
const expectedOf = (given: Case): ReadonlyArray<string> => {
  const rows = given.things.flatMap((thing, i): ReadonlyArray<readonly [Row, Row | null]> => {
    if (given.joined === null) return [[thing, null]]
    const own = notesOf(given).filter(({ thing: at }) => at === i)
    return own.length > 0
      ? own.map(({ note }) => [thing, note] as const)
      : given.joined.isOptional
        ? [[thing, null]]
        : []
  })
  // an attribute that is named again says nothing more
  const order = allTerms(given).filter(
    (term, i, all) => all.findIndex(({ name, table }) => name === term.name && table === term.table) === i,
  )
  const last = order[order.length - 1]?.isDescending ?? false
  const complete: ReadonlyArray<Term> = [
    ...order,
    ...(['id', 'part'] as const).map((name) => ({ table: 'things' as const, name, isDescending: last, nulls: null })),
    { table: 'n', name: 'id', isDescending: last, nulls: null },
  ]
  return rows
    .toSorted((a, b) => {
      for (const term of complete) {
        const order = compared(
          term,
          a[term.table === 'n' ? 1 : 0]?.[term.name] ?? null,
          b[term.table === 'n' ? 1 : 0]?.[term.name] ?? null,
        )
        if (order !== 0) return order
      }
      return 0
    })
    .map(([thing]) => `${String(thing.id)} ${String(thing.part)}`)
}

const notesOf = (given: Case): ReadonlyArray<{ readonly thing: number; readonly note: Row }> =>
  given.things.length === 0
    ? []
    : given.notes.map(([seed, weight], id) => {
        const thing = seed % given.things.length
        return {
          thing,
          note: { id, weight, thingId: given.things[thing]?.id ?? 0, thingPart: given.things[thing]?.part ?? '' },
        }
      })

const compared = (term: Term, a: Row[string], b: Row[string]): number => {
  const { isDescending, name, nulls } = term
  if (a === null || b === null) {
    if (a === b) return 0
    const isFirst = (nulls ?? (isDescending ? 'last' : 'first')) === 'first'
    return (a === null) === isFirst ? -1 : 1
  }
  if (name === 'price') return compared({ ...term, name: '' }, Number(a), Number(b))
  const order = a < b ? -1 : a > b ? 1 : 0
  return isDescending ? -order : order
}

const queryOf = (given: Case): Any => {
  const start: Any = Core.select(model.Thing)
  const { joined } = given
  const joining: Any = joined?.isOptional === true ? Core.leftJoin : Core.join
  const from = joined === null ? start : joining('notes', 'n')(start)
  const loading: Any = { none: null, joined: Core.joined, selectin: Core.selectin, subquery: Core.subquery }[
    given.loads
  ]
  const loaded = loading === null ? from : loading('notes')(from)
  return allTerms(given).reduce((query, { isDescending, name, nulls, table }) => {
    const order = (ob: Any) => {
      const directed = isDescending ? ob.desc() : ob.asc()
      return nulls === null ? directed : nulls === 'first' ? directed.nullsFirst() : directed.nullsLast()
    }
    const by: Any = table === 'n' ? (eb: Any) => eb.ref(`n.${name}`) : name
    return (Core.orderBy as Any)(by, order)(query)
  }, loaded)
}

const allPages = (query: Any, size: number): Session.Program<unknown, ReadonlyArray<ReadonlyArray<string>>> => {
  const from = (after: Option<string>, pages: ReadonlyArray<ReadonlyArray<string>>): Any =>
    pipe(
      Session.page({ size, after })(query),
      Session.chain(({ rows, next }: Session.Page<Any>) => {
        const read = [...pages, rows.map(({ id, part }) => `${id} ${part}`)]
        return next._tag === 'None' ? Session.of(read) : from(next, read)
      }),
    )
  return from(none, [])
}

const checked = (given: Case, pages: ReadonlyArray<ReadonlyArray<string>>): void => {
  expect(pages.flat()).toEqual(expectedOf(given))
  for (const page of pages.slice(0, -1)) expect(page.length).toBe(given.size)
  // no page is empty but of an empty result
  expect(pages.length === 1 || (pages[pages.length - 1]?.length ?? 0) > 0).toBe(true)
}

const inserting = (given: Case): Session.Program<unknown, unknown> =>
  pipe(
    Session.addAll(model.Thing, given.things as Any),
    Session.chain(() => Session.flush),
    Session.chain(() => Session.addAll(model.Note, notesOf(given).map(({ note }) => note) as Any)),
    Session.chain(() => Session.commit),
  )

test('on SQLite', () => {
  const engine = sqliteEngine(new Database(':memory:'))
  resultOf(Core.createAllSync(model)(engine))
  const runtime = Session.runtime(model, engine)
  fc.assert(
    fc.property(cases, (given) => {
      for (const table of ['notes', 'things']) {
        resultOf(
          Session.runSync(runtime)(Session.chain(() => Session.commit)(Session.sql(sql.raw(`delete from ${table}`)))),
        )
      }
      resultOf(Session.runSync(runtime)(inserting(given)))
      checked(given, resultOf(Session.runSync(runtime)(allPages(queryOf(given), given.size))))
    }),
    { numRuns: 300 },
  )
})

for (const host of [postgresHost, mysqlHost]) {
  const why = skipped(host)
  describe.skipIf(why !== null)(why === null ? host.name : `${host.name} (${why})`, () => {
    let database: TestDatabase
    beforeAll(async () => {
      database = await host.create()
    })
    afterAll(() => database.drop())

    test('gives the same pages', async () => {
      const engine = database.open()
      resultOf(await Core.createAll(model)(engine)())
      const runtime = Session.runtime(model, engine)
      await fc.assert(
        fc.asyncProperty(cases, async (given) => {
          for (const table of ['notes', 'things']) {
            resultOf(
              await Session.run(runtime)(
                Session.chain(() => Session.commit)(Session.sql(sql.raw(`delete from ${table}`))),
              )(),
            )
          }
          resultOf(await Session.run(runtime)(inserting(given))())
          checked(given, resultOf(await Session.run(runtime)(allPages(queryOf(given), given.size))()))
        }),
        { numRuns: 60 },
      )
      await engine.close()
    }, 60_000)
  })
}
