/**
 * The model that the session's tests share, and sessions over it.
 */
import {
  type AnyModel,
  boolean,
  column,
  createAllSync,
  defineModel,
  type Engine,
  entity,
  generated,
  integer,
  isoDate,
  type KeyOf,
  type Managed,
  type Mapped,
  named,
  nullable,
  primaryKey,
  references,
  type Services,
  text,
  unique,
  withDefault,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { briefly, isStatement, recordingEngine } from './recording-engine.js'

const User = entity('User', 'users', {
  id: pipe(integer, primaryKey, generated),
  name: text,
  nickname: pipe(text, nullable),
  joined: pipe(
    column(isoDate, 'text'),
    named('joined_at'),
    withDefault((services) => services.now),
  ),
})

/** Its foreign key may be null, and nothing goes with its user. */
const Address = entity('Address', 'addresses', {
  id: pipe(integer, primaryKey, generated),
  email: pipe(text, unique),
  isPrimary: pipe(
    boolean,
    named('is_primary'),
    withDefault(() => false),
  ),
  userId: pipe(integer, named('user_id'), nullable),
})

/** It must have an author, goes with it, and is an orphan without it. */
const Post = entity('Post', 'posts', {
  id: pipe(integer, primaryKey, generated),
  title: text,
  authorId: pipe(integer, named('author_id')),
})

/** Its post knows it; it does not know its post. */
const Comment = entity('Comment', 'comments', {
  id: pipe(integer, primaryKey, generated),
  body: text,
  postId: pipe(integer, named('post_id'), nullable),
})

/** A tree. */
const Node = entity('Node', 'nodes', {
  id: pipe(integer, primaryKey, generated),
  label: text,
  parentId: pipe(integer, named('parent_id'), nullable),
})

/** A key that the program gives. */
const Country = entity('Country', 'countries', { code: pipe(text, primaryKey), title: text })

/** A key of two columns. */
const Visit = entity('Visit', 'visits', {
  userId: pipe(integer, named('user_id'), primaryKey, references('users.id')),
  countryCode: pipe(text, named('country_code'), primaryKey),
  times: integer,
})

export const model = defineModel({ User, Address, Post, Comment, Node, Country, Visit })((r) => ({
  User: {
    addresses: r.User.hasMany('Address', { foreignKey: 'userId', inverse: 'user', orderBy: 'id' }),
    posts: r.User.hasMany('Post', {
      foreignKey: 'authorId',
      inverse: 'author',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
      orderBy: 'id',
    }),
  },
  Address: { user: r.Address.belongsTo('User', { foreignKey: 'userId', inverse: 'addresses' }) },
  Post: {
    author: r.Post.belongsTo('User', { foreignKey: 'authorId', inverse: 'posts' }),
    comments: r.Post.hasMany('Comment', { foreignKey: 'postId', orderBy: 'id' }),
  },
  Node: {
    parent: r.Node.belongsTo('Node', { foreignKey: 'parentId', inverse: 'children' }),
    children: r.Node.hasMany('Node', {
      foreignKey: 'parentId',
      inverse: 'parent',
      cascade: ['save-update', 'merge', 'delete'],
      orderBy: 'id',
    }),
  },
  Visit: { country: r.Visit.belongsTo('Country', { foreignKey: 'countryCode' }) },
}))

/** The instant at which all tests run. */
export const now = new Date('2026-11-21T12:00:00.000Z')

export const services: Services = {
  now,
  random: () => 0.5,
  uuid: () => '00000000-0000-4000-8000-000000000000',
  remember: Session.remembering(),
}

export interface App {
  readonly engine: Engine
  readonly runtime: Session.Runtime
  readonly database: Database.Database
  readonly store: Session.Store
  /** The program's value; throws where it fails. */
  readonly run: <E, A>(program: Session.Program<E, A>) => A
  /** What the program fails with; throws where it does not. */
  readonly fails: <E, A>(program: Session.Program<E, A>) => E
  /** The program's value, and the statements that it took. */
  readonly counted: <E, A>(program: Session.Program<E, A>) => readonly [value: A, statements: ReadonlyArray<string>]
  /** What was asked of the engine since the last `clear`, transactions included. */
  readonly asked: () => ReadonlyArray<string>
  readonly clear: () => void
  /** Rows of the database itself, in the order of their first column. */
  readonly rows: (table: string) => ReadonlyArray<unknown>
}

export const resultOf = <E, A>(result: Either<E, A>): A => {
  if (result._tag === 'Left') throw new Error(`failed: ${JSON.stringify(result.left)}`)
  return result.right
}

export const errorOf = <E, A>(result: Either<E, A>): E => {
  if (result._tag === 'Right') throw new Error(`succeeded: ${JSON.stringify(result.right)}`)
  return result.left
}

/** The plan of the next flush, as text. */
export const explained = (app: App): string => Session.explain(app.run(Session.flushPlan))

/** What was asked since the last `clear`, queries by the table that they are about; without the transactions. */
export const tablesAsked = (app: App): ReadonlyArray<string> =>
  app
    .asked()
    .filter((call) => !/^(Begin|Commit|Rollback|Savepoint|Release)/.test(call))
    .map((call) => call.replace(/^select .*? from ["`](\w+)["`].*$/s, 'select $1'))

/** The instance with a key; throws where there is none. */
export const found = <M, N extends string>(app: App, entity: Mapped<M, N>, key: KeyOf<M, N>): Managed<M, N> => {
  const one = app.run(Session.get(entity, key))
  if (one._tag === 'None') throw new Error(`no ${entity.name} ${JSON.stringify(key)}`)
  return one.value
}

/** One session over a database of its own, in memory. */
export const openOn = (on: AnyModel, options: Session.RuntimeOptions = {}): App => {
  const database = new Database(':memory:')
  const { engine, calls, clear } = recordingEngine(sqliteEngine(database))
  resultOf(createAllSync(on)(engine))
  const runtime = Session.runtime(on, engine, { services: () => services, ...options })
  const store = Session.createStore(runtime)
  const run: App['run'] = (program) => resultOf(store.runSync(program))
  clear()
  return {
    engine,
    runtime,
    database,
    store,
    run,
    fails: (program) => errorOf(store.runSync(program)),
    counted: (program) => {
      const before = calls.length
      const value = run(program)
      return [value, calls.slice(before).filter(isStatement).map(briefly)]
    },
    asked: () => calls.map(briefly),
    clear,
    rows: (table) => database.prepare(`select * from ${table} order by 1`).all(),
  }
}

/** The same over the tests' own model. */
export const open = (options: Session.RuntimeOptions = {}): App => openOn(model, options)
