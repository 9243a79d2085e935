import {
  any,
  containsEager,
  createAllSync,
  defineModel,
  distinct,
  entity,
  forUpdate,
  generated,
  has,
  integer,
  join,
  joined,
  joinOn,
  leftJoin,
  limit,
  nullable,
  orderBy,
  primaryKey,
  select,
  text,
  where,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { none, some } from 'fp-ts/lib/Option.js'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const id = pipe(integer, primaryKey, generated)

const Publisher = entity('Publisher', 'publishers', { id, name: text })
const Author = entity('Author', 'authors', { id, name: text })
const Book = entity('Book', 'books', {
  id,
  title: text,
  year: pipe(integer, nullable),
  authorId: integer,
  publisherId: pipe(integer, nullable),
})
const Tag = entity('Tag', 'tags', { id, name: text })
const Subject = entity('Subject', 'subjects', { id, name: text, parentId: pipe(integer, nullable) })

const model = defineModel({ Publisher, Author, Book, Tag, Subject })((r) => ({
  Author: { books: r.Author.hasMany('Book', { foreignKey: 'authorId', inverse: 'author', orderBy: 'id' }) },
  Book: {
    author: r.Book.belongsTo('Author', { foreignKey: 'authorId', inverse: 'books' }),
    publisher: r.Book.belongsTo('Publisher', { foreignKey: 'publisherId' }),
    tags: r.Book.manyToMany('Tag', { through: { table: 'books_tags', own: ['book_id'], target: ['tag_id'] } }),
  },
  Subject: {
    parent: r.Subject.belongsTo('Subject', { foreignKey: 'parentId', inverse: 'children' }),
    children: r.Subject.hasMany('Subject', { foreignKey: 'parentId', inverse: 'parent', orderBy: 'id' }),
  },
}))

/** Some books. */
const open = () => {
  const database = new Database(':memory:')
  const engine = sqliteEngine(database)
  createAllSync(model)(engine)
  database.exec(`
    insert into publishers values (1, 'Ace'), (2, 'Harper');
    insert into authors values (1, 'Le Guin'), (2, 'Lem'), (3, 'Butler');
    insert into books (id, title, year, authorId, publisherId) values
      (1, 'Rocannon''s World', 1966, 1, 1), (2, 'The Dispossessed', 1974, 1, 2), (3, 'Solaris', 1961, 2, 2),
      (4, 'Fiasco', null, 2, null);
    insert into tags values (1, 'classic'), (2, 'utopia');
    insert into books_tags (book_id, tag_id) values (2, 2), (2, 1), (3, 1);
    insert into subjects values (1, 'Fiction', null), (2, 'Novels', 1), (3, 'Poems', 1), (4, 'Space opera', 2);
  `)
  return Session.runtime(model, engine)
}

/** What a program fails with, in a sentence. */
const failure = <A>(program: Session.Program<Session.SessionError, A>) =>
  pipe(
    program,
    Session.map(() => 'nothing'),
    Session.catchError((error: Session.SessionError) => Session.of(Session.render(error))),
  )

const authors = pipe(select(model.Author), orderBy('id'))
const books = pipe(select(model.Book), orderBy('id'))
const subjects = pipe(select(model.Subject), orderBy('id'))

const names = (found: ReadonlyArray<{ readonly name: string }>) => found.map(({ name }) => name)
const titles = (found: ReadonlyArray<{ readonly title: string }>) => found.map(({ title }) => title)
// #endregion

const example = examplesOf('joins')

/** Examples that are the body of a program, run on some books. */
const program = (name: string, body: () => Generator<Session.Program<unknown, unknown>, void, never>): void =>
  example(name, () => {
    resultOf(Session.runSync(open())(Session.gen(body)))
  })

program('joins', function* () {
  // #region joins
  const query = pipe(
    select(model.Book),
    join('author', 'a'),
    join('publisher'),
    where((eb) => eb.and([eb('a.name', '=', 'Le Guin'), eb('publisher.name', '=', 'Harper')])),
    where('year', '>', 1970),
  )
  console.log(titles(yield* Session.query(query))) // => [ 'The Dispossessed' ]

  const novels = pipe(
    books,
    join('author', 'a'),
    join('a.books', 'other'),
    where((eb) => eb('other.title', '=', 'Solaris')),
  )
  console.log(titles(yield* Session.query(novels))) // => [ 'Solaris', 'Fiasco' ]

  pipe(
    books,
    join('author', 'a'),
    // @ts-expect-error the alias has no such attribute
    where((eb) => eb('a.title', '=', 'Solaris')),
  )
  // @ts-expect-error the name is taken
  pipe(books, join('author'), join('author'))
  // #endregion
})

program('repeats', function* () {
  // #region repeats
  console.log(names(yield* Session.query(pipe(authors, join('books'))))) // => [ 'Le Guin', 'Le Guin', 'Lem', 'Lem' ]
  console.log(names(yield* Session.query(pipe(authors, join('books'), distinct)))) // => [ 'Le Guin', 'Lem' ]
  // #endregion
})

program('outer', function* () {
  // #region outer
  const without = pipe(
    authors,
    leftJoin('books', 'b', where('year', '<', 1970)),
    where((eb) => eb('b.id', 'is', null)),
  )
  console.log(names(yield* Session.query(without))) // => [ 'Butler' ]
  // #endregion
})

program('ways', function* () {
  // #region ways
  const classic = pipe(books, join('tags', 't', where('name', '=', 'classic')))
  console.log(titles(yield* Session.query(classic))) // => [ 'The Dispossessed', 'Solaris' ]

  const deep = pipe(
    subjects,
    join('parent', 'p'),
    join('p.parent', 'g'),
    where((eb) => eb('g.name', '=', 'Fiction')),
  )
  console.log(names(yield* Session.query(deep))) // => [ 'Space opera' ]

  const later = pipe(
    books,
    joinOn(model.Book, 'earlier', (eb) => eb('earlier.year', '<', eb.ref('books.year'))),
    distinct,
  )
  console.log(titles(yield* Session.query(later))) // => [ "Rocannon's World", 'The Dispossessed' ]
  // #endregion
})

program('any', function* () {
  // #region any
  console.log(names(yield* Session.query(pipe(authors, where(any('books')))))) // => [ 'Le Guin', 'Lem' ]

  const utopians = pipe(authors, where(any('books', where(any('tags', where('name', '=', 'utopia'))))))
  console.log(names(yield* Session.query(utopians))) // => [ 'Le Guin' ]

  const others = pipe(
    books,
    where((eb) => eb.or([eb('year', 'is', null), eb.not(any(eb, 'tags'))])),
    where(has('author')),
  )
  console.log(titles(yield* Session.query(others))) // => [ "Rocannon's World", 'Fiasco' ]
  // #endregion
})

program('contains', function* () {
  // #region contains
  const query = pipe(
    authors,
    join('books', 'b'),
    leftJoin('b.publisher', 'p'),
    where((eb) => eb('b.year', '>', 1965)),
    orderBy((eb) => eb.ref('b.year'), 'desc'),
    containsEager('books', 'b', containsEager('publisher', 'p')),
  )
  for (const { books: own, name } of yield* Session.query(query)) console.log(name, titles(own)) // => Le Guin [ 'The Dispossessed', "Rocannon's World" ]

  const [leGuin] = yield* pipe(query, limit(1), Session.query)
  console.log(leGuin?.books.map(({ publisher }) => publisher)) // => [ { _tag: 'Some', value: Publisher { id: 2, name: 'Harper' } } ]
  // #endregion
})

program('pages', function* () {
  // #region pages
  const byYear = pipe(select(model.Book), orderBy('year', 'desc'), joined('author'))
  const first = yield* pipe(byYear, Session.page({ size: 3, after: none }))
  console.log(titles(first.rows)) // => [ 'The Dispossessed', "Rocannon's World", 'Solaris' ]

  const second = yield* pipe(byYear, Session.page({ size: 3, after: first.next }))
  console.log(titles(second.rows), second.next) // => [ 'Fiasco' ] { _tag: 'None' }

  const forged = yield* failure(pipe(byYear, Session.page({ size: 3, after: some('W10') })))
  console.log(forged) // => Book.after cannot be "W10": it is the cursor of another query; start at the first page again.
  // #endregion
})

program('locks', function* () {
  // #region locks
  const job = pipe(books, where('year', 'is', null), limit(1), forUpdate({ wait: 'skipLocked' }))
  console.log(yield* failure(Session.query(job))) // => The query cannot run: lock of books in a query of Book: SQLite has no locks of rows; leave it out there, since a transaction that writes has the database to itself.
  // #endregion
})
