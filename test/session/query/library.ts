/**
 * Authors and books on every database, for tests of what queries give.
 */
import {
  type AnyModel,
  bigint,
  boolean,
  column,
  decimal,
  defineModel,
  entity,
  integer,
  isoDate,
  json,
  named,
  nullable,
  parseDecimal,
  primaryKey,
  real,
  text,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { toNullable } from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { type Host, mysqlHost, postgresHost, skipped, sqliteHost } from '../../core/engine/databases.js'
import { openOnServer, type ServerApp } from '../server-app.js'

const Author = entity('Author', 'authors', {
  id: pipe(integer, primaryKey),
  name: pipe(text, named('full_name')),
  born: pipe(column(isoDate, 'timestamp'), named('born_at')),
  isActive: pipe(boolean, named('is_active')),
  tags: pipe(column(json(t.array(t.string)), 'json'), nullable),
})
const Book = entity('Book', 'books', {
  id: pipe(integer, primaryKey),
  title: text,
  pages: pipe(integer, nullable),
  price: real,
  copies: bigint,
  cost: pipe(decimal(10, 2), nullable),
  authorId: pipe(integer, named('author_id'), nullable),
})

export const model = defineModel({ Author, Book })((r) => ({
  Author: { books: r.Author.hasMany('Book', { foreignKey: 'authorId', inverse: 'author', orderBy: 'id' }) },
  Book: { author: r.Book.belongsTo('Author', { foreignKey: 'authorId', inverse: 'books' }) },
}))

export const date = (year: number) => new Date(Date.UTC(year, 0, 1))

/** Exact numbers, of which a double would not give the sum. */
const costs = ['0.1', '0.2'].map((text) => toNullable(parseDecimal(text)))

/** The databases, each with whether it is missing. */
export const hosts = [sqliteHost('SQLite'), postgresHost, mysqlHost].map((host) => ({
  host,
  title: host.name,
  isMissing: skipped(host) !== null,
}))

/** A session over the rows, of which it holds nothing yet. */
export const filled = async (host: Host): Promise<ServerApp> => {
  const app = await openOnServer(host, model as AnyModel)
  await app.run(
    Session.addAll(model.Author, [
      { id: 1, name: 'Le Guin', born: date(1929), isActive: true, tags: ['sf'] },
      { id: 2, name: 'Lem', born: date(1921), isActive: false, tags: null },
      { id: 3, name: 'Butler', born: date(1947), isActive: true, tags: ['sf', 'us'] },
    ]),
  )
  await app.run(
    Session.addAll(model.Book, [
      { id: 1, title: 'Rocannon', pages: 100, price: 1.5, copies: 10n, cost: costs[0] ?? null, authorId: 1 },
      {
        id: 2,
        title: 'Dispossessed',
        pages: 300,
        price: 2.5,
        copies: 9_007_199_254_740_993n,
        cost: costs[1] ?? null,
        authorId: 1,
      },
      { id: 3, title: 'Solaris', pages: 200, price: 2, copies: 7n, authorId: 2 },
      { id: 4, title: 'Beowulf', pages: null, price: 4, copies: 1n, authorId: null },
    ]),
  )
  await app.run(Session.commit)
  await app.run(Session.expungeAll)
  return app
}
