import {
  any,
  boolean,
  column,
  compileStatistics,
  createAllSync,
  defineModel,
  deleteFrom,
  distinct,
  entity,
  except,
  filterBy,
  forUpdate,
  fromQuery,
  fromSql,
  generated,
  groupBy,
  has,
  having,
  insertInto,
  integer,
  isoDate,
  join,
  joinOn,
  leftJoin,
  limit,
  loadOnly,
  modify,
  named,
  nullable,
  offset,
  onConflictDoNothing,
  orderBy,
  primaryKey,
  real,
  select,
  selectin,
  selectRows,
  selectScalar,
  set,
  text,
  union,
  update,
  values,
  where,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { isRight } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const id = pipe(integer, primaryKey, generated)

const Author = entity('Author', 'authors', { id, name: text, born: column(isoDate, 'timestamp') })
const Book = entity('Book', 'books', {
  id,
  title: text,
  year: integer,
  price: pipe(real, nullable),
  isInPrint: pipe(boolean, named('in_print')),
  authorId: pipe(integer, named('author_id'), nullable),
})
const Tag = entity('Tag', 'tags', { name: pipe(text, primaryKey) })
const Subject = entity('Subject', 'subjects', { id, name: text, parentId: pipe(integer, nullable) })

const model = defineModel({ Author, Book, Tag, Subject })((r) => ({
  Author: { books: r.Author.hasMany('Book', { foreignKey: 'authorId', inverse: 'author', orderBy: 'id' }) },
  Book: {
    author: r.Book.belongsTo('Author', { foreignKey: 'authorId', inverse: 'books' }),
    tags: r.Book.manyToMany('Tag', {
      through: { table: 'books_tags', own: ['book_id'], target: ['tag'] },
      orderBy: 'name',
    }),
  },
  Subject: { parent: r.Subject.belongsTo('Subject', { foreignKey: 'parentId' }) },
}))

/** Some books. */
const open = () => {
  const database = new Database(':memory:')
  const engine = sqliteEngine(database)
  createAllSync(model)(engine)
  database.exec(`
    insert into authors values (1, 'Le Guin', '1929-10-21'), (2, 'Lem', '1921-09-12'), (3, 'Butler', '1947-06-22');
    insert into books values
      (1, 'Rocannon''s World', 1966, 7.5, 0, 1), (2, 'The Dispossessed', 1974, 12, 1, 1),
      (3, 'Solaris', 1961, 9, 1, 2), (4, 'Kindred', 1979, 11, 1, 3), (5, 'Beowulf', 1000, null, 1, null);
    insert into tags values ('classic'), ('utopia');
    insert into books_tags (book_id, tag) values (2, 'utopia'), (2, 'classic'), (3, 'classic');
    insert into subjects values (1, 'Fiction', null), (2, 'Novels', 1), (3, 'Poems', 1), (4, 'Space opera', 2);
  `)
  return Session.runtime(model, engine)
}

const authors = pipe(select(model.Author), orderBy('id'))
const books = pipe(select(model.Book), orderBy('id'))

/** What a query gives, by title. */
const titles = (query: typeof books) =>
  pipe(
    Session.query(query),
    Session.map((found) => found.map(({ title }) => title)),
  )
// #endregion

const example = examplesOf('querying')

/** Examples that are the body of a program, run on some books. */
const program = (name: string, body: () => Generator<Session.Program<unknown, unknown>, void, never>): void =>
  example(name, () => {
    resultOf(Session.runSync(open())(Session.gen(body)))
  })

program('conditions', function* () {
  // #region conditions
  const found = pipe(
    books,
    where('year', '>', 1960),
    where('price', 'is not', null),
    where((eb) => eb.or([eb('title', 'like', 'The %'), eb('isInPrint', '=', false)])),
  )
  console.log(yield* titles(found)) // => [ "Rocannon's World", 'The Dispossessed' ]

  const [lem] = yield* pipe(authors, where('born', '<', new Date('1925-01-01')), Session.query)
  console.log(lem) // => Author { id: 2, name: 'Lem', born: 1921-09-12T00:00:00.000Z }
  // #endregion
  // #region conditions
  console.log(yield* titles(pipe(books, filterBy({ year: 1961, authorId: 2 })))) // => [ 'Solaris' ]
  console.log(yield* titles(pipe(books, filterBy({ price: null })))) // => [ 'Beowulf' ]
  // #endregion
  // #region conditions
  const tagged = pipe(books, where(any('tags', where('name', '=', 'utopia'))))
  const byButler = pipe(books, where(has('author', where('name', '=', 'Butler'))))
  const anonymous = pipe(
    books,
    where((eb) => eb.not(has(eb, 'author'))),
  )
  console.log(yield* Session.all([titles(tagged), titles(byButler), titles(anonymous)]))
  // => [ [ 'The Dispossessed' ], [ 'Kindred' ], [ 'Beowulf' ] ]
  // #endregion
})

program('joins', function* () {
  // #region joins
  const byBirth = pipe(
    books,
    leftJoin('author', 'a'),
    where((eb) => eb.or([eb('a.name', 'like', 'Le%'), eb('a.id', 'is', null)])),
    orderBy((eb) => eb.ref('a.born'), 'desc'),
  )
  console.log(yield* titles(byBirth)) // => [ "Rocannon's World", 'The Dispossessed', 'Solaris', 'Beowulf' ]
  // #endregion
  // #region joins
  const withTags = pipe(authors, join('books', 'b'), join('b.tags', 't'))
  const names = (query: typeof withTags) => pipe(query, selectScalar('name'), Session.rows)
  console.log(yield* names(withTags)) // => [ 'Le Guin', 'Le Guin', 'Lem' ]
  console.log(yield* names(pipe(withTags, distinct))) // => [ 'Le Guin', 'Lem' ]
  // #endregion
  // #region joins
  // pairs of books, by no relationship
  const earlier = pipe(
    books,
    where('year', '>', 1970),
    joinOn(model.Book, 'e', (eb) => eb('e.year', '<', eb.ref('books.year'))),
    where((eb) => eb('e.year', '>', 1970)),
    selectRows((q) => [q.ref('title'), q.ref('e.title')]),
  )
  console.log(yield* Session.rows(earlier)) // => [ [ 'Kindred', 'The Dispossessed' ] ]
  // #endregion
})

program('order', function* () {
  // #region order
  const byPrice = pipe(
    select(model.Book),
    orderBy('price', (order) => order.desc().nullsLast()),
    orderBy('id'),
  )
  console.log(yield* titles(pipe(byPrice, limit(2)))) // => [ 'The Dispossessed', 'Kindred' ]
  console.log(yield* titles(pipe(byPrice, offset(2), limit(2)))) // => [ 'Solaris', "Rocannon's World" ]
  // #endregion
  // #region order
  const after = (last: { readonly year: number; readonly id: number }) =>
    where<typeof books>((eb) => eb(eb.refTuple('year', 'id'), '>', eb.tuple(last.year, last.id)))
  const byYear = pipe(select(model.Book), orderBy('year'), orderBy('id'), limit(2))

  const page = yield* Session.query(byYear)
  const last = page[1]
  if (last !== undefined) console.log(yield* titles(pipe(byYear, after(last)))) // => [ "Rocannon's World", 'The Dispossessed' ]
  // #endregion
})

program('one', function* () {
  // #region one
  const titled = (title: string) => pipe(books, where('title', '=', title))
  console.log((yield* Session.one(titled('Solaris'))).year) // => 1961
  console.log(yield* Session.oneOrNone(titled('Sonnets'))) // => { _tag: 'None' }
  console.log(yield* pipe(books, selectScalar('title'), Session.first)) // => { _tag: 'Some', value: "Rocannon's World" }

  const failure = yield* Session.attempt(Session.one(books))
  if (failure._tag === 'Left') console.log(Session.render(failure.left)) // => 5 rows of Book answer where one was asked for; narrow the query.
  // #endregion
  // #region one
  console.log(yield* pipe(books, where('year', '>', 1970), Session.count)) // => 2
  console.log(yield* pipe(books, limit(3), Session.count)) // => 3
  console.log(yield* pipe(books, where('price', '>', 100), Session.exists)) // => false
  // #endregion
})

program('rows', function* () {
  // #region rows
  const shelf = pipe(
    books,
    where('year', '>', 1970),
    leftJoin('author', 'a'),
    selectin('tags'),
    selectRows((q) => ({ book: q.entity(), author: q.entity('a'), born: q.ref('a.born') })),
  )
  for (const { book, author, born } of yield* Session.rows(shelf)) {
    console.log(book.title, book.tags.length, author._tag, born?.getFullYear())
  }
  // #endregion
  // #region rows
  const pairs = pipe(
    books,
    where('price', '>', 10),
    selectRows((q) => [q.ref('title'), q.ref('price')]),
  )
  console.log(yield* Session.rows(pairs)) // => [ [ 'The Dispossessed', 12 ], [ 'Kindred', 11 ] ]
  console.log(yield* pipe(authors, limit(1), selectRows('id', 'born'), Session.rows)) // => [ { id: 1, born: 1929-10-21T00:00:00.000Z } ]
  console.log(yield* pipe(authors, selectScalar('name'), Session.rows)) // => [ 'Le Guin', 'Lem', 'Butler' ]
  // #endregion
})

program('aggregates', function* () {
  // #region aggregates
  const perAuthor = pipe(
    select(model.Book),
    join('author', 'a'),
    groupBy((eb) => eb.ref('a.name')),
    having((eb) => eb(eb.fn.max('year'), '>', 1970)),
    selectRows((q) => ({ name: q.ref('a.name'), books: q.fn.countAll(), mean: q.fn.avg('price') })),
    orderBy('books', 'desc'),
    orderBy('name'),
  )
  for (const row of yield* Session.rows(perAuthor)) console.log(row)
  // #endregion
  // #region aggregates
  const mostly = pipe(
    select(model.Book),
    selectScalar((q) => q.fn.sum('price')),
  )
  console.log(yield* Session.one(mostly)) // => 39.5
  console.log(yield* pipe(mostly, where('year', '>', 2000), Session.one)) // => null
  // #endregion
})

program('subqueries', function* () {
  // #region subqueries
  const counted = pipe(
    authors,
    selectRows((q) => ({
      name: q.ref('name'),
      books: q
        .selectFrom('books')
        .whereRef('books.authorId', '=', 'authors.id')
        .select((b) => b.fn.countAll().as('n')),
    })),
  )
  console.log(yield* pipe(counted, limit(2), Session.rows)) // => [ { name: 'Le Guin', books: 2 }, { name: 'Lem', books: 1 } ]

  const dearest = where<typeof books>((eb) =>
    eb(
      'price',
      '=',
      eb.selectFrom('books as others').select((o) => o.fn.max('others.price').as('most')),
    ),
  )
  console.log(yield* titles(pipe(books, dearest))) // => [ 'The Dispossessed' ]
  // #endregion
  // #region subqueries
  const ranked = pipe(
    books,
    where('authorId', 'is not', null),
    selectRows((q) => [
      q.ref('title'),
      q.fn.agg<number>('rank').over((over) => over.orderBy('price', 'desc')),
      q.fn.agg<string | null>('lag', ['title']).over((over) => over.partitionBy('authorId').orderBy('year')),
    ]),
  )
  for (const row of yield* Session.rows(ranked)) console.log(row)
  // #endregion
})

program('set operations', function* () {
  // #region set operations
  const old = pipe(select(model.Book), where('year', '<', 1962))
  const classic = pipe(select(model.Book), where(any('tags', where('name', '=', 'classic'))))

  console.log(yield* titles(pipe(old, union(classic), orderBy('title')))) // => [ 'Beowulf', 'Solaris', 'The Dispossessed' ]
  console.log(yield* titles(pipe(old, except(classic)))) // => [ 'Beowulf' ]
  // #endregion
  // #region set operations
  // the two dearest, and what is not in print
  const dear = pipe(
    select(model.Book),
    orderBy('price', (order) => order.desc().nullsLast()),
    limit(2),
  )
  const shown = pipe(
    dear,
    union(pipe(select(model.Book), where('isInPrint', '=', false))),
    orderBy('id'),
    selectin('author'),
  )
  for (const { title, author } of yield* Session.query(shown)) console.log(title, author._tag)
  // #endregion
})

program('ctes', function* () {
  // #region ctes
  const prolific = fromQuery(model.Author, (db) =>
    db
      .with('counts', (cte) =>
        cte
          .selectFrom('books')
          .select(({ fn }) => ['authorId', fn.countAll<number>().as('books')])
          .groupBy('authorId'),
      )
      .selectFrom('authors')
      .innerJoin('counts', 'counts.authorId', 'authors.id')
      .where('counts.books', '>', 1)
      .selectAll('authors'),
  )
  const [author] = yield* pipe(prolific, where('born', '<', new Date()), selectin('books'), Session.query)
  console.log(author?.name, author?.books.length) // => Le Guin 2
  // #endregion
  // #region ctes
  const below = (root: number) =>
    fromQuery(model.Subject, (db) =>
      db
        .withRecursive('below', (cte) =>
          cte
            .selectFrom('subjects')
            .selectAll()
            .where('parentId', '=', root)
            .unionAll((eb) =>
              eb.selectFrom('subjects').innerJoin('below', 'below.id', 'subjects.parentId').selectAll('subjects'),
            ),
        )
        .selectFrom('below')
        .selectAll(),
    )
  console.log(yield* pipe(below(1), orderBy('name'), selectScalar('name'), Session.rows)) // => [ 'Novels', 'Poems', 'Space opera' ]
  // #endregion
  // #region ctes
  const parts = fromQuery(model.Subject, (db) => db.selectFrom('subjects').select(['id', 'name']))
  const part = yield* pipe(parts, where('name', '=', 'Poems'), Session.one)
  console.log(part) // => Subject { id: 3, name: 'Poems', parentId: undefined }
  // @ts-expect-error the query does not give it
  console.log(part.parentId) // => undefined
  // #endregion
})

program('text', function* () {
  // #region text
  const pattern = '%ell%'
  const matching = fromSql(model.Book, sql`select * from books where title like ${pattern} or in_print = 0`)
  console.log(yield* titles(pipe(matching, where('year', '>', 1900)))) // => [ "Rocannon's World" ]

  const brief = pipe(fromSql(model.Book, sql`select id, title from books`), loadOnly('title'), limit(1))
  console.log((yield* Session.one(brief)).title) // => Rocannon's World
  // #endregion
  // #region text
  const decades = pipe(
    select(model.Book),
    selectRows((q) => ({
      decade: q.readAs(integer, sql`(${q.ref('year')} / 10) * 10`),
      latest: q.readAs(column(isoDate, 'timestamp'), sql`max(${q.ref('year')}) || '-01-01'`),
    })),
    groupBy('decade'),
    orderBy('decade', 'desc'),
    limit(1),
  )
  console.log(yield* Session.rows(decades)) // => [ { decade: 1970, latest: 1979-01-01T00:00:00.000Z } ]
  // #endregion
  // #region text
  const ordered = modify<typeof books>((query) => query.clearOrderBy().orderBy(sql`length(title)`))
  console.log(yield* pipe(books, ordered, limit(2), titles)) // => [ 'Solaris', 'Kindred' ]

  yield* Session.sql(sql`update books set price = price + 1`)
  console.log(yield* Session.sql<{ sum: number }>(sql`select sum(price) as sum from books`)) // => [ { sum: 43.5 } ]
  // #endregion
})

program('locks', function* () {
  // #region locks
  const next = pipe(books, limit(1), forUpdate({ wait: 'skipLocked' }))
  const locked = yield* Session.attempt(Session.query(next))
  console.log(locked._tag) // => Left
  // #endregion
})

program('bulk', function* () {
  // #region bulk
  const raised = yield* pipe(
    update(model.Book),
    set((eb) => ({ price: eb('price', '*', 2) })),
    where('year', '>', 1970),
    Session.execute(),
  )
  const gone = yield* pipe(
    deleteFrom(model.Book),
    where((eb) => eb.not(has(eb, 'author'))),
    Session.execute({ synchronize: 'fetch' }),
  )
  console.log(raised, gone, yield* Session.count(books)) // => 2 1 4
  // #endregion
})

program('upserts', function* () {
  // #region upserts
  const stock = pipe(
    insertInto(model.Tag),
    values([{ name: 'classic' }, { name: 'satire' }, { name: 'space' }]),
    onConflictDoNothing('name'),
  )
  console.log(yield* pipe(stock, Session.execute())) // => 2
  // #endregion
})

example('streams', () => {
  // #region streams
  const priced = pipe(
    books,
    where('price', 'is not', null),
    selectRows((q) => ({ title: q.ref('title'), price: q.ref('price') })),
  )
  for (const row of Session.streamSync(open(), { chunk: 2 })(priced)) {
    if (isRight(row)) console.log(row.right.title, row.right.price)
  }
  // #endregion
})

example('compiled', () => {
  // #region compiled
  const engine = sqliteEngine(new Database(':memory:'))
  createAllSync(model)(engine)
  const program = pipe(
    ['Solaris', 'Kindred', 'Fiasco'],
    Session.traverseArray((title) => pipe(books, where('title', '=', title), Session.query)),
  )
  Session.runSync(Session.runtime(model, engine))(program)
  console.log(compileStatistics(engine)) // => { size: 1, capacity: 500, hits: 2, misses: 1, evictions: 0 }
  // #endregion
})
