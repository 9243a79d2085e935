/**
 * Users with addresses in cities, tags over links, and a tree: what the tests of joins ask.
 */
import {
  column,
  createAll,
  defineModel,
  type Engine,
  entity,
  generated,
  integer,
  isoDate,
  named,
  nullable,
  primaryKey,
  text,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { type Host, mysqlHost, postgresHost, skipped, sqliteHost } from '../../core/engine/databases.js'
import { errorOf, resultOf } from '../app.js'
import { briefly, isStatement, recordingEngine } from '../recording-engine.js'

const City = entity('City', 'cities', { id: pipe(integer, primaryKey), name: text })

const User = entity('User', 'users', { id: pipe(integer, primaryKey, generated), name: text })

const Address = entity('Address', 'addresses', {
  id: pipe(integer, primaryKey, generated),
  email: text,
  since: pipe(column(isoDate, 'text'), nullable, named('since_day')),
  userId: pipe(integer, named('user_id'), nullable),
  cityId: pipe(integer, named('city_id'), nullable),
})

const Tag = entity('Tag', 'tags', { id: pipe(integer, primaryKey), name: text })

const Node = entity('Node', 'nodes', {
  id: pipe(integer, primaryKey),
  label: text,
  parentId: pipe(integer, named('parent_id'), nullable),
})

export const model = defineModel({ City, User, Address, Tag, Node })((r) => ({
  User: {
    addresses: r.User.hasMany('Address', { foreignKey: 'userId', inverse: 'user', orderBy: 'id' }),
    recent: r.User.hasMany('Address', { foreignKey: 'userId', where: (eb) => eb('since', '>', recently) }),
    tags: r.User.manyToMany('Tag', { through: { table: 'user_tags', own: ['user_id'], target: ['tag_id'] } }),
  },
  Address: {
    user: r.Address.belongsTo('User', { foreignKey: 'userId', inverse: 'addresses' }),
    city: r.Address.belongsTo('City', { foreignKey: 'cityId' }),
  },
  Node: {
    parent: r.Node.belongsTo('Node', { foreignKey: 'parentId', inverse: 'children' }),
    children: r.Node.hasMany('Node', { foreignKey: 'parentId', inverse: 'parent', orderBy: 'id' }),
  },
}))

export const recently = new Date('2020-01-01T00:00:00.000Z')

/** One statement each, since not every driver takes several. */
const rows = [
  `insert into cities (id, name) values (1, 'Paris'), (2, 'Bonn')`,
  `insert into users (id, name) values (1, 'ed'), (2, 'wendy'), (3, 'jack')`,
  `insert into addresses (id, email, since_day, user_id, city_id) values
    (1, 'ed@a', '2021-01-01T00:00:00.000Z', 1, 1), (2, 'ed@b', '2001-01-01T00:00:00.000Z', 1, null),
    (3, 'wendy@a', null, 2, 2), (4, 'nobody@a', null, null, 1)`,
  `insert into tags (id, name) values (1, 'red'), (2, 'blue'), (3, 'green')`,
  `insert into user_tags (user_id, tag_id) values (1, 1), (1, 2), (2, 2)`,
  `insert into nodes (id, label, parent_id) values (1, 'root', null), (2, 'a', 1), (3, 'b', 1), (4, 'aa', 2), (5, 'ab', 2)`,
]

export interface JoinsApp {
  readonly engine: Engine
  readonly close: () => Promise<void>
  readonly run: <E, A>(program: Session.Program<E, A>) => Promise<A>
  readonly fails: <E, A>(program: Session.Program<E, A>) => Promise<E>
  /** The value, and the statements that it took. */
  readonly counted: <E, A>(program: Session.Program<E, A>) => Promise<readonly [A, ReadonlyArray<string>]>
}

export const hosts = [sqliteHost('SQLite'), postgresHost, mysqlHost].map((host) => {
  const why = skipped(host)
  return { host, title: why === null ? host.name : `${host.name} (${why})`, isMissing: why !== null }
})

/** A new database with all of it; each program runs in a session of its own, which knows nothing yet. */
export const openJoins = async (host: Host): Promise<JoinsApp> => {
  const database = await host.create()
  const recording = recordingEngine(database.open())
  const { engine, calls } = recording
  resultOf(await createAll(model)(engine)())
  const runtime = Session.runtime(model, engine)
  const store = Session.createStore(runtime)
  for (const row of rows) resultOf(await store.run(Session.sql(sql.raw(row)))())
  resultOf(await store.run(Session.commit)())
  const run: JoinsApp['run'] = async (program) => resultOf(await Session.run(runtime)(program)())
  return {
    engine,
    close: async () => {
      await engine.close()
      await database.drop()
    },
    run,
    fails: async (program) => errorOf(await Session.run(runtime)(program)()),
    counted: async (program) => {
      const before = calls.length
      const value = await run(program)
      return [value, calls.slice(before).filter(isStatement).map(briefly)]
    },
  }
}
