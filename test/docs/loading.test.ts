import {
  type AnyModel,
  createAllSync,
  defer,
  deferred,
  deferredIn,
  defineModel,
  distinct,
  entity,
  generated,
  immediate,
  integer,
  joined,
  lazy,
  limit,
  loadOnly,
  modify,
  none,
  nullable,
  orderBy,
  primaryKey,
  raise,
  recursively,
  select,
  selectin,
  subquery,
  text,
  undefer,
  undeferGroup,
  where,
  withOptions,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { isLeft } from 'fp-ts/lib/Either.js'
import { flow, pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const id = pipe(integer, primaryKey, generated)

const Publisher = entity('Publisher', 'publishers', { id, name: text })
const Author = entity('Author', 'authors', { id, name: text })
const Book = entity('Book', 'books', {
  id,
  title: text,
  year: integer,
  summary: pipe(text, nullable, deferred),
  firstChapter: pipe(text, nullable, deferredIn('texts')),
  lastChapter: pipe(text, nullable, deferredIn('texts')),
  authorId: pipe(integer, nullable),
  publisherId: integer,
})
const Tag = entity('Tag', 'tags', { name: pipe(text, primaryKey) })
const Sale = entity('Sale', 'sales', { id, price: integer, bookId: pipe(integer, nullable) })
const Subject = entity('Subject', 'subjects', { id, name: text, parentId: pipe(integer, nullable) })

const entities = { Publisher, Author, Book, Tag, Sale, Subject }

const model = defineModel(entities)((r) => ({
  Author: { books: r.Author.hasMany('Book', { foreignKey: 'authorId', inverse: 'author', orderBy: 'id' }) },
  Book: {
    author: r.Book.belongsTo('Author', { foreignKey: 'authorId', inverse: 'books' }),
    publisher: r.Book.belongsTo('Publisher', { foreignKey: 'publisherId' }),
    tags: r.Book.manyToMany('Tag', {
      through: { table: 'books_tags', own: ['book_id'], target: ['tag'] },
      orderBy: 'name',
    }),
    sales: r.Book.hasMany('Sale', { foreignKey: 'bookId', orderBy: 'id', load: 'writeOnly' }),
  },
  Subject: {
    parent: r.Subject.belongsTo('Subject', { foreignKey: 'parentId', inverse: 'children' }),
    children: r.Subject.hasMany('Subject', { foreignKey: 'parentId', inverse: 'parent', orderBy: 'id' }),
  },
}))

/** What the database is asked; the names of columns are left out. */
const log: string[] = []
const verbose = (statement: unknown) => {
  log.push(
    String(statement)
      .replaceAll(/select (distinct )?.*? from/g, 'select $1... from')
      .replaceAll(/"|\.0\b/g, ''),
  )
}

/** Some books. */
const open = (on: AnyModel = model) => {
  const database = new Database(':memory:', { verbose })
  const engine = sqliteEngine(database)
  createAllSync(model)(engine)
  database.exec(`
    insert into publishers values (1, 'Ace'), (2, 'Harper');
    insert into authors values (1, 'Le Guin'), (2, 'Lem'), (3, 'Butler');
    insert into books (id, title, year, summary, firstChapter, authorId, publisherId) values
      (1, 'Rocannon''s World', 1966, 'A world is visited', 'How can you tell', 1, 1),
      (2, 'The Dispossessed', 1974, 'Two worlds', 'There was a wall', 1, 2),
      (3, 'Solaris', 1961, null, null, 2, 2);
    insert into tags values ('classic'), ('utopia');
    insert into books_tags (book_id, tag) values (2, 'utopia'), (2, 'classic'), (3, 'classic');
    insert into sales values (1, 12, 2), (2, 9, 2), (3, 15, 3);
    insert into subjects values (1, 'Fiction', null), (2, 'Novels', 1), (3, 'Poems', 1), (4, 'Space opera', 2);
  `)
  return Session.runtime(on, engine)
}

/** The queries since it was last asked for them. */
const queries = Session.fromIO(() => log.splice(0).filter((statement) => statement.startsWith('select')))

/** What a program fails with, in a sentence. */
const failure = <A>(program: Session.Program<Session.SessionError, A>) =>
  pipe(
    program,
    Session.map(() => 'nothing'),
    Session.catchError((error: Session.SessionError) => Session.of(Session.render(error))),
  )

const authors = pipe(select(model.Author), orderBy('id'))
const books = pipe(select(model.Book), orderBy('id'))
const solaris = pipe(books, where('title', '=', 'Solaris'))
const leGuin = pipe(authors, where('name', '=', 'Le Guin'))
// #endregion

const example = examplesOf('loading')

/** Examples that are the body of a program, run on some books. */
const programOn =
  (on: AnyModel) =>
  (name: string, body: () => Generator<Session.Program<unknown, unknown>, void, never>): void =>
    example(name, () => {
      const app = open(on)
      log.length = 0
      resultOf(Session.runSync(app)(Session.gen(body)))
    })

const program = programOn(model)

program('types', function* () {
  // #region types
  const author = yield* Session.one(leGuin)
  // @ts-expect-error nobody has loaded it
  console.log(author.books) // => undefined

  const loaded = yield* pipe(leGuin, selectin('books'), Session.one)
  console.log(loaded.books.map(({ title }) => title)) // => [ "Rocannon's World", 'The Dispossessed' ]
  // #endregion
})

program('one by one', function* () {
  // #region one by one
  const book = yield* Session.one(solaris)
  const publisher = yield* pipe(book, Session.load(model.Book, 'publisher'))
  const tags = yield* pipe(book, Session.load(model.Book, 'tags'))
  console.log(publisher) // => { _tag: 'Some', value: Publisher { id: 2, name: 'Harper' } }
  console.log(tags) // => [ Tag { name: 'classic' } ]
  console.log((yield* queries).length) // => 3

  yield* pipe(book, Session.load(model.Book, 'tags'))
  console.log((yield* queries).length) // => 0
  // #endregion
  // #region one by one
  // another book, of the same publisher
  const other = yield* pipe(books, where('title', '=', 'The Dispossessed'), Session.one)
  yield* queries
  const same = yield* pipe(other, Session.related(model.Book, 'publisher'))
  console.log(same) // => { _tag: 'Some', value: Publisher { id: 2, name: 'Harper' } }
  console.log(yield* failure(pipe(other, Session.related(model.Book, 'tags')))) // => Book.tags of 2 is not loaded; load it first.
  console.log((yield* queries).length) // => 0
  // #endregion
})

program('nested', function* () {
  // #region nested
  const shelf = pipe(
    authors,
    selectin('books', flow(where('year', '>', 1965), orderBy('year', 'desc'), joined('publisher'), selectin('tags'))),
  )
  for (const author of yield* Session.query(shelf)) {
    console.log(
      author.name,
      author.books.map((book) => [book.title, book.tags.map(({ name }) => name)]),
    )
  }
  console.log((yield* queries).length, 'queries')
  // #endregion
})

program('narrowed', function* () {
  // #region narrowed
  const author = yield* pipe(leGuin, selectin('books', where('year', '>', 1970)), Session.one)
  const all = yield* pipe(author, Session.load(model.Author, 'books'))
  console.log(author.books.length, all.length) // => 1 2
  // #endregion
  // #region narrowed
  const newest = pipe(authors, selectin('books', flow(orderBy('year', 'desc'), limit(1))))
  console.log(yield* failure(Session.query(newest)))
  // #endregion
})

program('strategies', function* () {
  // #region strategies
  yield* pipe(authors, where('id', '<', 3), selectin('books'), Session.query)
  console.log((yield* queries).join('\n'))
  // #endregion
  yield* Session.expungeAll
  // #region strategies
  yield* pipe(books, joined('author'), joined('publisher'), Session.query)
  console.log((yield* queries).join('\n'))
  // #endregion
  yield* Session.expungeAll
  // #region strategies
  yield* pipe(authors, limit(2), subquery('books'), Session.query)
  console.log((yield* queries).join('\n'))
  // #endregion
  yield* Session.expungeAll
  // #region strategies
  yield* pipe(books, immediate('publisher'), Session.query)
  console.log((yield* queries).join('\n'))
  // #endregion
  yield* Session.expungeAll
  // #region strategies
  const [first] = yield* pipe(solaris, none('tags'), Session.query)
  console.log(first?.tags, (yield* queries).length) // => [] 1
  // #endregion
})

program('joined', function* () {
  // #region joined
  const page = pipe(authors, limit(2), joined('books'))
  for (const { name, books } of yield* Session.query(page)) console.log(name, books.length)
  console.log((yield* queries).join('\n'))
  // #endregion
})

program('fallback', function* () {
  // #region fallback
  yield* pipe(authors, distinct, joined('books'), Session.query)
  console.log((yield* queries).length) // => 2
  yield* Session.expungeAll
  yield* pipe(
    authors,
    modify((qb) => qb.groupBy('authors.id')),
    joined('books'),
    Session.query,
  )
  console.log((yield* queries).length) // => 2
  yield* Session.expungeAll
  yield* pipe(
    select(model.Author),
    modify((qb) => qb.union(qb)),
    joined('books'),
    Session.query,
  )
  console.log((yield* queries).length) // => 2
  yield* Session.expungeAll
  yield* pipe(authors, joined('books', distinct), Session.query)
  console.log((yield* queries).length) // => 2
  // #endregion
})

program('tree', function* () {
  // #region tree
  const roots = pipe(select(model.Subject), where('parentId', 'is', null))
  const [fiction] = yield* pipe(roots, recursively('children'), Session.query)
  console.log(fiction?.children[0]?.children[0]?.name) // => Space opera
  console.log(fiction?.children[0]?.children[0]?.children) // => []
  console.log((yield* queries).length) // => 4
  // #endregion
  yield* Session.expungeAll
  // #region tree
  const [top] = yield* pipe(roots, recursively('children', 1), Session.query)
  console.log(top?.children.map(({ name }) => name)) // => [ 'Novels', 'Poems' ]
  // @ts-expect-error no second level was asked for
  console.log(top?.children[0]?.children) // => undefined
  console.log((yield* queries).length) // => 2
  // #endregion
  // #region tree
  const opera = pipe(select(model.Subject), where('name', '=', 'Space opera'))
  yield* Session.sql(sql`update subjects set parentId = 4 where id = 1`)
  yield* Session.expireAll
  const around = yield* pipe(opera, recursively('parent'), Session.one)
  const path = [around.name]
  for (let at = around.parent; at._tag === 'Some' && at.value !== around; at = at.value.parent) path.push(at.value.name)
  console.log(path) // => [ 'Space opera', 'Novels', 'Fiction' ]
  // #endregion
})

program('raise', function* () {
  // #region raise
  const author = yield* pipe(leGuin, selectin('books', raise('tags')), raise('*'), Session.one)
  console.log(author.books.length)
  const [book] = author.books
  if (book !== undefined) console.log(yield* failure(pipe(book, Session.load(model.Book, 'tags'))))
  // #endregion
})

program('raise later', function* () {
  // #region raise later
  const author = yield* pipe(leGuin, lazy('books', raise('*')), Session.one)
  const [book] = yield* pipe(author, Session.load(model.Author, 'books'))
  if (book !== undefined) console.log(yield* failure(pipe(book, Session.load(model.Book, 'tags'))))
  // #endregion
})

program('raise scope', function* () {
  // #region raise scope
  yield* Session.query(select(model.Publisher))
  const book = yield* pipe(solaris, raise('*'), Session.one)
  console.log((yield* pipe(book, Session.related(model.Book, 'publisher')))._tag)
  console.log(yield* failure(pipe(book, Session.load(model.Book, 'publisher'))))

  yield* pipe(book, Session.refresh(model.Book, 'publisher'))
  console.log((yield* pipe(book, Session.load(model.Book, 'publisher')))._tag)

  // a query that says nothing of it changes nothing
  yield* Session.one(solaris)
  console.log(yield* failure(pipe(book, Session.load(model.Book, 'tags'))))
  yield* pipe(solaris, lazy('*'), Session.one)
  console.log((yield* pipe(book, Session.load(model.Book, 'tags'))).length)
  // #endregion
})

// #region guarded
const guarded = defineModel(entities)((r) => ({
  Author: { books: r.Author.hasMany('Book', { foreignKey: 'authorId', load: 'raise' }) },
}))
// #endregion

programOn(guarded)('guarded', function* () {
  // #region guarded
  const [author] = yield* Session.query(select(guarded.Author))
  if (author !== undefined) console.log(yield* failure(pipe(author, Session.load(guarded.Author, 'books'))))
  // #endregion
  // #region guarded
  const [allowed] = yield* pipe(select(guarded.Author), lazy('books'), Session.query)
  if (allowed !== undefined) console.log((yield* pipe(allowed, Session.load(guarded.Author, 'books'))).length) // => 2
  // #endregion
})

// #region eager
const eager = defineModel(entities)((r) => ({
  Author: { books: r.Author.hasMany('Book', { foreignKey: 'authorId', orderBy: 'id', load: 'selectin' }) },
  Book: { publisher: r.Book.belongsTo('Publisher', { foreignKey: 'publisherId', load: 'joined' }) },
}))
// #endregion

programOn(eager)('eager', function* () {
  // #region eager
  const author = yield* pipe(select(eager.Author), where('id', '=', 1), Session.one)
  console.log((yield* queries).length) // => 2
  // @ts-expect-error the query does not name it
  console.log(author.books) // => undefined
  const loaded = yield* pipe(author, Session.related(eager.Author, 'books'))
  console.log(loaded.length, (yield* queries).length) // => 2 0

  yield* Session.expireAll
  yield* pipe(author, Session.read(eager.Author))
  console.log((yield* queries).length) // => 1
  // #endregion
  yield* Session.expungeAll
  // #region eager
  yield* pipe(select(eager.Author), lazy('*'), Session.query)
  console.log((yield* queries).length) // => 1
  // #endregion
})

program('write only', function* () {
  // #region write only
  const book = yield* pipe(books, where('title', '=', 'The Dispossessed'), Session.one)
  const sales = yield* pipe(book, Session.members(model.Book, 'sales'))
  const [cheap] = yield* pipe(sales, where('price', '<', 10), limit(1), Session.query)
  console.log(cheap) // => Sale { id: 2, price: 9, bookId: 2 }
  yield* queries

  if (cheap !== undefined) yield* pipe(book, Session.detach(model.Book, 'sales', cheap))
  yield* pipe(book, Session.append(model.Book, 'sales', { price: 20 }))
  yield* Session.flush
  console.log((yield* queries).length) // => 0
  console.log((yield* Session.query(sales)).map(({ price }) => price)) // => [ 12, 20 ]
  // #endregion
  // #region write only
  console.log(yield* failure(pipe(book, Session.load(model.Book, 'sales'))))
  // #endregion
  yield* queries
  // #region write only
  yield* pipe(book, Session.remove(model.Book))
  yield* Session.flush
  console.log((yield* queries).filter((query) => query.includes('from sales')).length) // => 1
  // #endregion
})

program('parts', function* () {
  // #region parts
  const book = yield* pipe(solaris, defer('year'), Session.one)
  // @ts-expect-error the query left it out
  console.log(book.year) // => undefined
  yield* queries
  console.log((yield* pipe(book, Session.read(model.Book))).year, (yield* queries).length) // => 1961 1
  // #endregion
  yield* Session.expungeAll
  // #region parts
  const author = yield* pipe(leGuin, selectin('books', loadOnly('title')), Session.one)
  console.log(author.books.map(({ id, title }) => [id, title])) // => [ [ 1, "Rocannon's World" ], [ 2, 'The Dispossessed' ] ]
  yield* queries
  console.log(yield* failure(pipe(author, Session.related(model.Author, 'books')))) // => Author.books of 1 is not loaded; load it first.
  const whole = yield* pipe(author, Session.load(model.Author, 'books'))
  console.log(
    whole.map(({ year }) => year),
    (yield* queries).length,
  ) // => [ 1966, 1974 ] 1
  // #endregion
})

program('deferred', function* () {
  // #region deferred
  const first = yield* pipe(books, limit(1), undefer('summary'), Session.one)
  console.log(first.summary) // => A world is visited
  const texts = yield* pipe(books, limit(1), undeferGroup('texts'), Session.one)
  console.log(texts.firstChapter, texts.lastChapter) // => How can you tell null
  const only = yield* pipe(books, limit(1), loadOnly('title', 'summary'), Session.one)
  console.log(only.title, only.summary) // => Rocannon's World A world is visited
  // #endregion
  yield* queries
  // #region deferred
  const again = yield* pipe(first, Session.loadAttributes(model.Book, 'summary', 'firstChapter'))
  console.log(again.firstChapter, (yield* queries).length) // => How can you tell 0
  // #endregion
})

program('known', function* () {
  // #region known
  const book = yield* pipe(solaris, selectin('tags'), Session.one)
  yield* Session.sql(sql`update books set year = 1962 where id = 3`)
  yield* Session.sql(sql`insert into books_tags (book_id, tag) values (3, 'utopia')`)

  const held = yield* pipe(solaris, selectin('tags'), Session.one)
  console.log(held.year, held.tags.length) // => 1961 1
  const fresh = yield* pipe(solaris, selectin('tags'), withOptions({ populateExisting: true }), Session.one)
  console.log(fresh.year, fresh.tags.length) // => 1962 2
  console.log(book.year, book.tags.length) // => 1961 1
  // #endregion
})

program('again', function* () {
  // #region again
  const book = yield* pipe(solaris, selectin('tags'), Session.one)
  yield* Session.sql(sql`insert into books_tags (book_id, tag) values (3, 'utopia')`)
  yield* queries

  yield* pipe(book, Session.expire(model.Book, 'tags'))
  console.log(yield* failure(pipe(book, Session.related(model.Book, 'tags')))) // => Book.tags of 3 is not loaded; load it first.
  console.log((yield* pipe(book, Session.load(model.Book, 'tags'))).length) // => 2
  console.log((yield* queries).length) // => 1

  yield* Session.sql(sql`delete from books_tags`)
  yield* pipe(book, Session.refresh(model.Book, 'tags'))
  console.log(yield* pipe(book, Session.related(model.Book, 'tags'))) // => []
  // #endregion
})

program('options', function* () {
  // #region options
  yield* Session.sql(sql`update books set year = 'long ago' where id = 3`)
  const lem = pipe(authors, where('name', '=', 'Lem'))
  const author = yield* Session.one(lem)
  console.log(yield* failure(pipe(author, Session.load(model.Author, 'books'))))

  yield* pipe(lem, withOptions({ strict: false }), Session.one)
  const [book] = yield* pipe(author, Session.load(model.Author, 'books'))
  console.log(book?.year)
  // #endregion
})

program('autoflush', function* () {
  // #region autoflush
  const author = yield* Session.one(leGuin)
  yield* pipe(author, Session.append(model.Author, 'books', { title: 'Lavinia', year: 2008, publisherId: 2 }))
  console.log((yield* pipe(books, withOptions({ autoflush: false }), Session.query)).length) // => 3

  const unflushed = yield* Session.noAutoflush(pipe(author, Session.load(model.Author, 'books')))
  console.log(unflushed.map(({ id }) => id)) // => [ 1, 2, undefined ]
  console.log((yield* Session.query(books)).length) // => 4
  // #endregion
})

example('stream', async () => {
  // #region stream
  for await (const book of Session.stream(open(), { chunk: 2 })(pipe(books, selectin('tags')))) {
    if (isLeft(book)) console.log(Session.render(book.left))
    else console.log(book.right.title, book.right.tags.length)
  }
  // #endregion
})

program('chunks', function* () {
  // #region chunks
  const year = yield* pipe(
    books,
    Session.foldChunks(
      0,
      (latest, some) =>
        pipe(
          some,
          Session.traverseArray((book) => pipe(book, Session.set(model.Book, { year: book.year + 1 }))),
          Session.chainFirst(() => Session.commit),
          Session.map((changed) => Math.max(latest, ...changed.map((book) => book.year))),
        ),
      { chunk: 2 },
    ),
  )
  console.log(year) // => 1975
  console.log((yield* Session.query(books)).map((book) => book.year)) // => [ 1967, 1975, 1962 ]
  // #endregion
})
