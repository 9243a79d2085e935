/**
 * Sessions over databases, servers above all, for tests of what differs between them. Each has a database of its own, which is
 * dropped when the test is over.
 */
import { type AnyModel, createAll, type Engine } from '@unitary/core'
import * as Session from '@unitary/session'
import { sql } from 'kysely'
import { onTestFinished } from 'vitest'
import { type Host, kyselySqliteHost, mysqlHost, postgresHost, skipped, sqliteHost } from '../core/engine/databases.js'
import { errorOf, resultOf } from './app.js'

const described = (host: Host) => {
  const why = skipped(host)
  return { host, title: why === null ? host.name : `${host.name} (${why})`, isMissing: why !== null }
}

/** The servers, each with why it is not there. */
export const servers = [postgresHost, mysqlHost].map(described)

/** A database of each kind. */
export const hosts = [described(sqliteHost('SQLite')), ...servers]

/** All databases: SQLite by either engine, and the servers. */
export const databases = [described(sqliteHost('SQLite')), described(kyselySqliteHost), ...servers]

export interface ServerApp {
  readonly engine: Engine
  readonly runtime: Session.Runtime
  readonly store: Session.Store
  /** The program's value; throws where it fails. */
  readonly run: <E, A>(program: Session.Program<E, A>) => Promise<A>
  /** What the program fails with; throws where it does not. */
  readonly fails: <E, A>(program: Session.Program<E, A>) => Promise<E>
  /** Rows of the database itself, in the order of their first column. */
  readonly rows: (table: string) => Promise<ReadonlyArray<Record<string, unknown>>>
}

/** One session over a new database with the tables of a model. */
export const openOnServer = async (
  host: Host,
  model: AnyModel,
  options: Session.RuntimeOptions = {},
): Promise<ServerApp> => {
  const database = await host.create()
  const engine = database.open()
  onTestFinished(async () => {
    await engine.close()
    await database.drop()
  })
  resultOf(await createAll(model)(engine)())
  const runtime = Session.runtime(model, engine, options)
  const store = Session.createStore(runtime)
  const run: ServerApp['run'] = async (program) => resultOf(await store.run(program)())
  return {
    engine,
    runtime,
    store,
    run,
    fails: async (program) => errorOf(await store.run(program)()),
    rows: async (table) => {
      const rows = await Session.run(runtime)(
        Session.sql<Record<string, unknown>>(sql`select * from ${sql.table(table)} order by 1`),
      )()
      return resultOf(rows)
    },
  }
}
