/**
 * However a query is read - at once, as a stream, in chunks within a session - it gives the same, on every database.
 */
import {
  createAll,
  defer,
  defineModel,
  deleteFrom,
  entity,
  type InsertCall,
  immediate,
  integer,
  joined,
  limit,
  loadOnly,
  nullable,
  offset,
  orderBy,
  primaryKey,
  recursively,
  select,
  selectin,
  set,
  subquery,
  text,
  update,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Host,
  kyselySqliteHost,
  mysqlHost,
  postgresHost,
  skipped,
  sqliteHost,
  type TestDatabase,
} from '../../core/engine/databases.js'
import { resultOf } from '../app.js'

const Author = entity('Author', 'authors', { id: pipe(integer, primaryKey), name: text })
const Book = entity('Book', 'books', {
  id: pipe(integer, primaryKey),
  title: text,
  authorId: pipe(integer, nullable),
  sequelTo: pipe(integer, nullable),
})
const model = defineModel({ Author, Book })((r) => ({
  Author: { books: r.Author.hasMany('Book', { foreignKey: 'authorId', inverse: 'author', orderBy: 'id' }) },
  Book: {
    author: r.Book.belongsTo('Author', { foreignKey: 'authorId', inverse: 'books' }),
    former: r.Book.belongsTo('Book', { foreignKey: 'sequelTo', inverse: 'sequels' }),
    sequels: r.Book.hasMany('Book', { foreignKey: 'sequelTo', inverse: 'former', orderBy: 'id' }),
  },
}))

const library = fc.record({
  authors: fc.array(fc.string({ maxLength: 5, unit: 'grapheme-ascii' }), { maxLength: 6 }),
  books: fc.array(
    fc.record({
      title: fc.constantFrom('a', 'b', 'c', 'd'),
      author: fc.option(fc.nat(5)),
      former: fc.option(fc.nat(11)),
    }),
    { maxLength: 12 },
  ),
})

type Library = typeof library extends fc.Arbitrary<infer A> ? A : never

const rowsOf = ({ authors, books }: Library) => ({
  authors: authors.map((name, id) => [id, name]),
  // no row refers to one that is not there
  books: books.map(({ title, author, former }, id) => [
    id,
    title,
    author !== null && author < authors.length ? author : null,
    former !== null && former < id ? former : null,
  ]),
})

const queries = {
  all: pipe(select(model.Book), orderBy('id')),
  some: pipe(
    select(model.Book),
    where((eb) => eb('title', '!=', 'b')),
    orderBy('title', 'desc'),
    orderBy('id'),
    offset(1),
    limit(6),
  ),
  loading: pipe(
    select(model.Author),
    orderBy('id', 'desc'),
    selectin('books', (books) =>
      pipe(
        books,
        where((eb) => eb('title', '!=', 'c')),
        orderBy('title'),
        orderBy('id'),
        selectin('sequels', selectin('author')),
      ),
    ),
  ),
  joined: pipe(
    select(model.Author),
    orderBy('name'),
    orderBy('id'),
    limit(5),
    joined('books', joined('former', subquery('sequels'))),
  ),
  subqueries: pipe(select(model.Author), orderBy('id'), subquery('books', subquery('sequels'))),
  parts: pipe(select(model.Book), loadOnly('title'), orderBy('id'), immediate('author', defer('name'))),
  allTheWay: pipe(select(model.Book), orderBy('id', 'desc'), recursively('sequels')),
  around: pipe(select(model.Book), orderBy('id'), selectin('former', selectin('sequels')), selectin('author')),
}

const collect = async <A>(items: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const all: A[] = []
  for await (const item of items) all.push(item)
  return all
}

const agreement = (host: Host, numRuns: number): void => {
  const why = skipped(host)
  describe.skipIf(why !== null)(why === null ? host.name : `${host.name} (${why})`, () => {
    let database: TestDatabase
    let runtime: Session.Runtime
    let close: () => Promise<void>
    let fill: (rows: ReturnType<typeof rowsOf>) => Promise<void>

    beforeAll(async () => {
      database = await host.create()
      // one connection: whoever does not give it back stops all that comes after
      const engine = database.open(1)
      resultOf(await createAll(model)(engine)())
      runtime = Session.runtime(model, engine)
      close = () => engine.close()
      fill = async ({ authors, books }) => {
        const clear = pipe(
          // MySQL checks references row by row
          pipe(update(model.Book), set({ sequelTo: null }), Session.execute()),
          Session.chain(() => pipe(deleteFrom(model.Book), Session.execute())),
          Session.chain(() => pipe(deleteFrom(model.Author), Session.execute())),
          Session.chain(() => Session.commit),
        )
        resultOf(await Session.run(runtime)(clear)())
        const connection = resultOf(await engine.connect())
        const insert = async (table: string, columns: InsertCall['columns'], rows: InsertCall['rows']) =>
          resultOf(await connection.call({ _tag: 'Insert', table, columns, rows, key: ['id'], returning: [] }))
        if (authors.length > 0) await insert('authors', ['id', 'name'], authors)
        if (books.length > 0) await insert('books', ['id', 'title', 'authorId', 'sequelTo'], books)
        await connection.release()
      }
    })
    afterAll(async () => {
      await close?.()
      await database?.drop()
    })

    it(
      'gives the same however it is read',
      () =>
        fc.assert(
          fc.asyncProperty(
            library,
            fc.constantFrom(...(Object.keys(queries) as ReadonlyArray<keyof typeof queries>)),
            fc.integer({ min: 1, max: 14 }),
            async (books, name, chunk) => {
              await fill(rowsOf(books))
              const query = queries[name] as typeof queries.all
              const expected = resultOf(await Session.run(runtime)(Session.query(query))())
              const streamed = await collect(Session.stream(runtime, { chunk })(query))
              expect(streamed.map(resultOf)).toEqual(expected)
              const inChunks = (await collect(Session.streamChunks(runtime, { chunk })(query))).map(resultOf)
              expect(inChunks.flat()).toEqual(expected)
              expect(inChunks.slice(0, -1).every(({ length }) => length === chunk)).toBe(true)
              // within a session: all at once, and chunk by chunk with statements and a commit in between
              for (const between of [Session.of(undefined), Session.query(queries.all), Session.commit]) {
                const folded = pipe(
                  query,
                  Session.foldChunks(
                    [] as typeof expected,
                    (all, some) =>
                      pipe(
                        between as Session.Program<Session.QueryError, unknown>,
                        Session.map(() => [...all, ...some]),
                      ),
                    { chunk },
                  ),
                )
                expect(resultOf(await Session.run(runtime)(folded)())).toEqual(expected)
              }
            },
          ),
          { numRuns },
        ),
      60_000,
    )

    it(
      'gives the first of them, and stops',
      () =>
        fc.assert(
          fc.asyncProperty(library, fc.integer({ min: 1, max: 5 }), fc.nat(6), async (books, chunk, count) => {
            await fill(rowsOf(books))
            const taken: unknown[] = []
            for await (const book of Session.stream(runtime, { chunk })(queries.around)) {
              taken.push(resultOf(book))
              if (taken.length > count) break
            }
            const expected = resultOf(await Session.run(runtime)(Session.query(queries.around))())
            expect(taken).toEqual(expected.slice(0, count + 1))
          }),
          { numRuns },
        ),
      60_000,
    )
  })
}

agreement(sqliteHost('SQLite'), 60)
agreement(kyselySqliteHost, 15)
agreement(postgresHost, 15)
agreement(mysqlHost, 15)
