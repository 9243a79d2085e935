/**
 * Rows as every database gives them.
 */
import {
  bigint,
  column,
  distinct,
  groupBy,
  having,
  isoDate,
  join,
  leftJoin,
  limit,
  offset,
  orderBy,
  real,
  select,
  selectin,
  selectRows,
  selectScalar,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { none, some } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { resultOf } from '../app.js'
import { date, filled, hosts, model } from './library.js'

describe.each(hosts)('rows on $title', ({ host, isMissing }) => {
  test.skipIf(isMissing)('columns are decoded by their codecs, through whatever chooses among values', async () => {
    const { run } = await filled(host)
    const found = await run(
      pipe(
        select(model.Author),
        where('id', '=', 1),
        selectRows((q) => ({
          name: q.ref('authors.name'),
          born: q.ref('born'),
          isActive: q.ref('authors.isActive'),
          tags: q.ref('tags'),
          either: q.fn.coalesce('tags', q.val(['none'])),
          chosen: q.case().when('name', '=', 'Lem').then(q.ref('born')).else(q.ref('born')).end(),
          latest: q
            .selectFrom('authors as others')
            .select((o) => o.fn.max('others.born').as('latest'))
            .whereRef('others.name', '<>', 'authors.name'),
        })),
        Session.rows,
      ),
    )
    expect(found).toEqual([
      {
        name: 'Le Guin',
        born: date(1929),
        isActive: true,
        tags: ['sf'],
        either: ['sf'],
        chosen: date(1929),
        latest: date(1947),
      },
    ])
  })

  test.skipIf(isMissing)('aggregates are numbers, comparisons booleans', async () => {
    const { run } = await filled(host)
    const found = await run(
      pipe(
        select(model.Book),
        selectRows((q) => ({
          rows: q.fn.countAll(),
          pages: q.fn.count('pages'),
          authors: q.fn.count('authorId').distinct(),
          sum: q.fn.sum('pages'),
          mean: q.fn.avg('pages'),
          price: q.fn.sum('price'),
          twice: q(q.fn.sum('pages'), '*', 2),
          sure: q.fn.coalesce(q.fn.sum<number>('pages'), q.lit(0)),
          first: q.fn.min('title'),
          most: q.fn.min('copies'),
          isMany: q(q.fn.countAll(), '>', 3),
          none: q
            .selectFrom('books as b')
            .select((b) => b.fn.sum('b.pages').as('sum'))
            .where('b.id', '>', 9),
          count: q.selectFrom('authors').select((a) => a.fn.countAll().as('n')),
          isThere: q.exists(q.selectFrom('authors').select('authors.id').where('authors.id', '=', 1)),
          isNot: q.not(q.exists(q.selectFrom('authors').select('authors.id').where('authors.id', '=', 9))),
          text: q.readAs(real, sql`sum(${q.ref('price')})`),
        })),
        Session.one,
      ),
    )
    expect(found).toEqual({
      rows: 4,
      pages: 3,
      authors: 2,
      sum: 600,
      mean: 200,
      price: 10,
      twice: 1200,
      sure: 600,
      first: 'Beowulf',
      most: 1n,
      isMany: true,
      none: null,
      count: 3,
      isThere: true,
      isNot: true,
      text: 10,
    })
  })

  test.skipIf(isMissing)('what is computed of 64-bit integers is exact, and orders as numbers do', async () => {
    const { run } = await filled(host)
    const found = await run(
      pipe(
        select(model.Book),
        groupBy('authorId'),
        selectRows((q) => ({
          most: q.fn.max('copies'),
          sum: q.fn.sum('copies'),
          next: q(q.fn.max('copies'), '+', 1n),
          read: q.readAs(bigint, sql`min(copies)`),
        })),
        orderBy('sum', 'desc'),
        Session.rows,
      ),
    )
    expect(found).toEqual([
      { most: 9_007_199_254_740_993n, sum: 9_007_199_254_741_003n, next: 9_007_199_254_740_994n, read: 10n },
      { most: 7n, sum: 7n, next: 8n, read: 7n },
      { most: 1n, sum: 1n, next: 2n, read: 1n },
    ])
  })

  test.skipIf(isMissing)('sums of decimals are exact, or an error where the database cannot add them', async () => {
    const { fails, run } = await filled(host)
    const sum = pipe(
      select(model.Book),
      selectRows((q) => ({ sum: q.fn.sum('cost'), max: q.fn.max('cost'), mean: q.fn.avg('cost') })),
    )
    if (host.name === 'SQLite') {
      expect(await fails(Session.one(sum))).toMatchObject({ _tag: 'DecodeError', attribute: 'cost' })
    } else {
      expect(await run(Session.one(sum))).toEqual({ sum: '0.3', max: '0.2', mean: '0.15' })
    }
    expect(
      await run(
        pipe(
          select(model.Book),
          selectScalar((q) => q.fn.max('cost')),
          Session.one,
        ),
      ),
    ).toBe('0.2')
  })

  test.skipIf(isMissing)('instants, documents and raw text are read as what they are', async () => {
    const { run } = await filled(host)
    const born = column(isoDate, 'timestamp')
    const found = await run(
      pipe(
        select(model.Author),
        selectRows((q) => ({
          latest: q.fn.max('born'),
          again: q.parens(q.fn.max('born')),
          read: q.readAs(born, sql`min(${q.ref('born')})`),
          before: q.selectFrom('authors as o').select('o.tags').where('o.name', '=', 'Butler').limit(1),
        })),
        Session.one,
      ),
    )
    expect(found).toEqual({ latest: date(1947), again: date(1947), read: date(1921), before: ['sf', 'us'] })
    const lagging = pipe(
      select(model.Author),
      orderBy('born'),
      selectScalar((q) => q.fn.agg<Date | null>('lag', ['born']).over((over) => over.orderBy('born'))),
    )
    expect(await run(Session.rows(lagging))).toEqual([null, date(1921), date(1929)])
  })

  test.skipIf(isMissing)('groups, and orders and filters by what it computes', async () => {
    const { run } = await filled(host)
    const perAuthor = pipe(
      select(model.Book),
      leftJoin('author', 'a'),
      selectRows((q) => ({ name: q.ref('a.name'), books: q.fn.countAll(), isLong: q('pages', '>', 150) })),
      groupBy('name', 'isLong'),
      orderBy('books', 'desc'),
      orderBy('name'),
      orderBy('isLong'),
    )
    expect(await run(pipe(perAuthor, where('pages', 'is not', null), Session.rows))).toEqual([
      { name: 'Le Guin', books: 1, isLong: false },
      { name: 'Le Guin', books: 1, isLong: true },
      { name: 'Lem', books: 1, isLong: true },
    ])
    const prolific = pipe(
      select(model.Book),
      groupBy('authorId'),
      having((eb) => eb(eb.fn.countAll(), '>', 1)),
      selectRows((q) => [q.ref('authorId'), q.fn.max('price')]),
    )
    expect(await run(Session.rows(prolific))).toEqual([[1, 2.5]])
    expect(await run(Session.count(prolific))).toBe(1)
  })

  test.skipIf(isMissing)('names of columns do not mean values of the same name', async () => {
    const { run } = await filled(host)
    const books = select(model.Book)
    const before = pipe(
      books,
      orderBy((eb) => eb.ref('title')),
      selectRows((q) => ({ title: q.ref('id'), id: q.ref('title') })),
    )
    const after = pipe(
      books,
      selectRows((q) => ({ title: q.ref('id'), id: q.ref('title') })),
      orderBy((eb) => eb.ref('title')),
    )
    const byValue = pipe(
      books,
      selectRows((q) => ({ title: q.ref('id'), id: q.ref('title') })),
      orderBy('title', 'desc'),
    )
    const titles = async (rows: typeof before) => (await run(Session.rows(rows))).map(({ title }) => title)
    expect(await titles(before)).toEqual([4, 2, 1, 3])
    expect(await titles(after)).toEqual([4, 2, 1, 3])
    expect(await titles(byValue)).toEqual([4, 3, 2, 1])
  })

  test.skipIf(isMissing)('entities stand beside columns, as options where a row may have none', async () => {
    const { run } = await filled(host)
    const found = await run(
      pipe(
        select(model.Book),
        leftJoin('author', 'a'),
        orderBy('id'),
        selectRows((q) => [q.ref('title'), q.entity(), q.entity('a'), q.ref('a.born')]),
        Session.rows,
      ),
    )
    const lem = await run(Session.get(model.Author, 2))
    expect(found).toMatchObject([
      ['Rocannon', { id: 1 }, some({ id: 1, born: date(1929) }), date(1929)],
      ['Dispossessed', { id: 2, copies: 9_007_199_254_740_993n }, some({ id: 1 }), date(1929)],
      ['Solaris', { id: 3 }, some({ id: 2, name: 'Lem' }), date(1921)],
      ['Beowulf', { id: 4 }, none, null],
    ])
    expect(found[2]?.[2]).toEqual(lem)
    expect(
      found[0]?.[2]._tag === 'Some' && found[1]?.[2]._tag === 'Some' && found[0][2].value === found[1][2].value,
    ).toBe(true)
  })

  test.skipIf(isMissing)('window functions see all rows', async () => {
    const { run } = await filled(host)
    const ranked = pipe(
      select(model.Book),
      orderBy('id'),
      selectRows((q) => ({
        id: q.ref('id'),
        place: q.fn.agg<number>('row_number').over((over) => over.orderBy('price', 'desc')),
        before: q.fn.agg<string | null>('lag', ['title']).over((over) => over.orderBy('id')),
        ofAuthor: q.fn.countAll().over((over) => over.partitionBy('authorId')),
        running: q.fn.sum('pages').over((over) => over.orderBy('id')),
      })),
    )
    expect(await run(Session.rows(ranked))).toEqual([
      { id: 1, place: 4, before: null, ofAuthor: 2, running: 100 },
      { id: 2, place: 2, before: 'Rocannon', ofAuthor: 2, running: 400 },
      { id: 3, place: 3, before: 'Dispossessed', ofAuthor: 1, running: 600 },
      { id: 4, place: 1, before: 'Solaris', ofAuthor: 1, running: 600 },
    ])
  })

  test.skipIf(isMissing)('counts what a query gives, and tells whether it gives anything', async () => {
    const { run } = await filled(host)
    const books = select(model.Book)
    const withAuthor = pipe(books, join('author', 'a'))
    expect(await run(Session.count(books))).toBe(4)
    expect(await run(pipe(books, orderBy('title'), where('pages', '>', 150), Session.count))).toBe(2)
    expect(await run(pipe(books, orderBy('title'), limit(3), offset(2), Session.count))).toBe(2)
    expect(await run(pipe(withAuthor, Session.count))).toBe(3)
    expect(await run(pipe(select(model.Author), join('books'), Session.count))).toBe(3)
    const authorsOfBooks = pipe(withAuthor, selectScalar('authorId'))
    expect(await run(Session.count(authorsOfBooks))).toBe(3)
    expect(await run(pipe(authorsOfBooks, distinct, Session.count))).toBe(2)
    expect(
      await run(
        pipe(
          books,
          selectScalar((q) => q.fn.countAll()),
          Session.count,
        ),
      ),
    ).toBe(1)
    expect(await run(pipe(books, where('pages', '>', 150), Session.exists))).toBe(true)
    expect(await run(pipe(books, where('pages', '>', 900), Session.exists))).toBe(false)
    expect(await run(pipe(books, limit(0), Session.exists))).toBe(false)
    expect(await run(pipe(books, orderBy('id'), offset(4), Session.exists))).toBe(false)
    expect(await run(pipe(books, orderBy('id'), offset(3), Session.exists))).toBe(true)
    expect(await run(pipe(authorsOfBooks, distinct, offset(1), Session.exists))).toBe(true)
    expect(await run(pipe(authorsOfBooks, distinct, offset(2), Session.exists))).toBe(false)
  })

  test.skipIf(isMissing)('are streamed, and gone through in chunks', async () => {
    const { run, runtime } = await filled(host)
    const asked = pipe(
      select(model.Book),
      leftJoin('author', 'a'),
      selectin('author'),
      orderBy('id'),
      selectRows((q) => ({ book: q.entity(), author: q.entity('a'), born: q.ref('a.born') })),
    )
    const expected = await run(Session.rows(asked))
    // SQLite has one connection
    await run(Session.close)
    for (const chunk of [1, 3, 100]) {
      const streamed: unknown[] = []
      for await (const row of Session.stream(runtime, { chunk })(asked)) streamed.push(resultOf(row))
      expect(streamed).toEqual(expected)
      const folded = pipe(
        asked,
        Session.foldChunks(
          [] as Array<string | null>,
          (titles, some) => Session.of([...titles, ...some.map(({ book, author }) => book.title + author._tag)]),
          { chunk },
        ),
      )
      expect(await run(folded)).toEqual(['RocannonSome', 'DispossessedSome', 'SolarisSome', 'BeowulfNone'])
      await run(Session.close)
    }
    const titles = pipe(select(model.Book), orderBy('id'), selectScalar('title'))
    const chunks: unknown[] = []
    for await (const some of Session.streamChunks(runtime, { chunk: 3 })(titles)) chunks.push(resultOf(some))
    expect(chunks).toEqual([['Rocannon', 'Dispossessed', 'Solaris'], ['Beowulf']])
  })
})
