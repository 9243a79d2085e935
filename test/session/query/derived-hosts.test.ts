/**
 * Entities from set operations, CTEs, any query of Kysely's and raw text, on every database.
 */
import {
  distinct,
  except,
  fromQuery,
  fromSql,
  intersect,
  join,
  joined,
  leftJoin,
  limit,
  loadOnly,
  offset,
  orderBy,
  select,
  selectin,
  selectRows,
  selectScalar,
  subquery,
  union,
  unionAll,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { date, filled, hosts, model } from './library.js'

const ids = (rows: ReadonlyArray<{ readonly id: number }>) => rows.map(({ id }) => id)

const long = pipe(select(model.Book), where('pages', '>', 150))
const ofLeGuin = pipe(select(model.Book), where('authorId', '=', 1))

describe.each(hosts)('entities on $title', ({ host, isMissing }) => {
  test.skipIf(isMissing)('set operations take two queries together, and are queries', async () => {
    const { run } = await filled(host)
    const byId = orderBy<typeof long>('id')
    expect(ids(await run(pipe(long, union(ofLeGuin), byId, Session.query)))).toEqual([1, 2, 3])
    expect(ids(await run(pipe(long, unionAll(ofLeGuin), byId, Session.query)))).toEqual([1, 2, 2, 3])
    expect(ids(await run(pipe(long, intersect(ofLeGuin), Session.query)))).toEqual([2])
    expect(ids(await run(pipe(long, except(ofLeGuin), Session.query)))).toEqual([3])
    expect(ids(await run(pipe(long, union(ofLeGuin), except(long), Session.query)))).toEqual([1])
    const both = pipe(long, union(ofLeGuin))
    expect(
      ids(await run(pipe(both, where('price', '>=', 2), orderBy('title'), limit(1), offset(1), Session.query))),
    ).toEqual([3])
    expect(await run(Session.count(both))).toBe(3)
    expect(
      await run(
        pipe(
          both,
          selectScalar((q) => q.fn.sum('pages')),
          Session.one,
        ),
      ),
    ).toBe(600)
  })

  test.skipIf(isMissing)('each query keeps its own order and limit', async () => {
    const { run } = await filled(host)
    const first = pipe(select(model.Book), orderBy('id'), limit(1))
    const last = pipe(select(model.Book), orderBy('id', 'desc'), limit(1))
    expect(ids(await run(pipe(first, union(last), orderBy('id'), Session.query)))).toEqual([1, 4])
    expect(ids(await run(pipe(first, unionAll(pipe(first, union(last))), orderBy('id'), Session.query)))).toEqual([
      1, 1, 4,
    ])
  })

  test.skipIf(isMissing)('entities of set operations are whole, with what is loaded beside them', async () => {
    const { run } = await filled(host)
    const authors = pipe(
      select(model.Author),
      where('name', '=', 'Lem'),
      union(pipe(select(model.Author), where('born', '>', date(1940)))),
      orderBy('name'),
    )
    for (const load of [selectin, joined, subquery]) {
      const found = await run(pipe(authors, load('books'), Session.query))
      expect(found).toMatchObject([
        { id: 3, name: 'Butler', born: date(1947), isActive: true, tags: ['sf', 'us'], books: [] },
        { id: 2, name: 'Lem', born: date(1921), isActive: false, tags: null, books: [{ title: 'Solaris' }] },
      ])
      await run(Session.expungeAll)
    }
    const books = pipe(
      authors,
      join('books', 'b'),
      selectRows((q) => [q.entity(), q.entity('b')]),
    )
    expect(await run(Session.rows(books))).toMatchObject([[{ name: 'Lem' }, { title: 'Solaris' }]])
  })

  test.skipIf(isMissing)('a query of Kysely gives entities, and more can be said around it', async () => {
    const { run } = await filled(host)
    const prolific = fromQuery(model.Author, (db) =>
      db
        .with('counted', (cte) =>
          cte
            .selectFrom('books')
            .select(({ fn }) => ['authorId', fn.countAll<number>().as('books')])
            .groupBy('authorId'),
        )
        .selectFrom('authors')
        .innerJoin('counted', 'counted.authorId', 'authors.id')
        .where('counted.books', '>', 1)
        .selectAll('authors')
        .select('counted.books as books'),
    )
    const [leGuin] = await run(pipe(prolific, where('born', '<', date(1930)), selectin('books'), Session.query))
    expect(leGuin).toMatchObject({ id: 1, name: 'Le Guin', born: date(1929), isActive: true, tags: ['sf'] })
    expect(ids(leGuin?.books ?? [])).toEqual([1, 2])
    expect(await run(pipe(prolific, leftJoin('books', 'b'), distinct, Session.query))).toEqual([
      await run(Session.one(prolific)),
    ])
  })

  test.skipIf(isMissing)('a recursive CTE goes all the way', async () => {
    const { run } = await filled(host)
    // 4, 3, 2, 1: each book leads to the one before
    const before = fromQuery(model.Book, (db) =>
      db
        .withRecursive('earlier', (cte) =>
          cte
            .selectFrom('books')
            .selectAll()
            .where('id', '=', 3)
            .unionAll((eb) =>
              eb
                .selectFrom('books')
                .innerJoin('earlier', (on) => on.on((e) => e('earlier.id', '=', e(e.ref('books.id'), '+', 1))))
                .selectAll('books'),
            ),
        )
        .selectFrom('earlier')
        .selectAll(),
    )
    const found = await run(pipe(before, orderBy('id'), Session.query))
    expect(ids(found)).toEqual([1, 2, 3])
    expect(found[1]).toMatchObject({ copies: 9_007_199_254_740_993n })
  })

  test.skipIf(isMissing)('window functions choose among entities', async () => {
    const { run } = await filled(host)
    const longest = fromQuery(model.Book, (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('books')
            .selectAll('books')
            .select(({ fn }) =>
              fn
                .agg<number>('row_number')
                .over((over) => over.partitionBy('authorId').orderBy('pages', 'desc'))
                .as('place'),
            )
            .where('authorId', 'is not', null)
            .as('ranked'),
        )
        .where('place', '=', 1)
        .selectAll(),
    )
    expect(ids(await run(pipe(longest, orderBy('id'), Session.query)))).toEqual([2, 3])
  })

  test.skipIf(isMissing)('what a query leaves out is absent, and read later', async () => {
    const { run } = await filled(host)
    const partial = fromQuery(model.Author, (db) => db.selectFrom('authors').select(['id', 'name as name']))
    const [first] = await run(pipe(partial, where('name', '=', 'Lem'), Session.query))
    if (first === undefined) throw new Error('nobody')
    expect({ ...first }).toEqual({ id: 2, name: 'Lem', born: undefined, isActive: undefined, tags: undefined })
    expect(await run(Session.read(model.Author)(first))).toMatchObject({ born: date(1921), isActive: false })
  })

  test.skipIf(isMissing)('raw text gives entities by the names of its columns', async () => {
    const { fails, run } = await filled(host)
    const name = 'Le%'
    const text = fromSql(
      model.Author,
      sql`select a.*, 1 as ${sql.ref('extra')} from authors a where full_name like ${name}`,
    )
    expect(await run(pipe(text, where('born', '<', date(1925)), selectin('books'), Session.query))).toMatchObject([
      { id: 2, name: 'Lem', born: date(1921), isActive: false, tags: null, books: [{ id: 3 }] },
    ])
    expect(ids(await run(pipe(text, orderBy('name', 'desc'), limit(1), Session.query)))).toEqual([2])
    const some = fromSql(model.Author, sql`select id, full_name from authors`)
    expect(await fails(Session.query(some))).toMatchObject({
      _tag: 'DatabaseError',
      entity: 'Author',
      cause: { reason: { _tag: 'UnknownColumn' }, message: expect.stringContaining('born_at') },
    })
    await run(Session.rollback)
    const [first] = await run(pipe(some, loadOnly('name'), orderBy('id'), Session.query))
    expect(first).toMatchObject({ id: 1, name: 'Le Guin' })
  })

  test.skipIf(isMissing)('a query without the key is refused before it runs', async () => {
    const { fails } = await filled(host)
    const keyless = fromQuery(model.Author, (db) => db.selectFrom('authors').select('name') as never)
    expect(await fails(Session.query(keyless))).toMatchObject({
      _tag: 'InvalidStatement',
      cause: { _tag: 'InvalidClause', clause: 'fromQuery', entity: 'Author', name: 'id' },
    })
  })
})
