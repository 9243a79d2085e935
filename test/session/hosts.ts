/** Sessions over SQLite in memory and over each server that is there, for tests that are the same on all of them. */
import { type AnyModel, createAllSync } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { test } from 'vitest'
import { errorOf, resultOf } from './app.js'
import { openOnServer, type ServerApp, servers } from './server-app.js'

/** One session over a new database. */
export type HostApp = Pick<ServerApp, 'run' | 'fails' | 'store'>

const openSqlite = async (model: AnyModel): Promise<HostApp> => {
  const engine = sqliteEngine(new Database(':memory:'))
  resultOf(createAllSync(model)(engine))
  const store = Session.createStore(Session.runtime(model, engine))
  return {
    store,
    run: async (program) => resultOf(store.runSync(program)),
    fails: async (program) => errorOf(store.runSync(program)),
  }
}

/** For each database its name, and tests that are given a session over a new one; skipped where it is not there. */
export const hostsOf = (model: AnyModel) =>
  [
    { title: 'sqlite', isMissing: false, open: () => openSqlite(model) },
    ...servers.map(({ host, isMissing, title }) => ({ title, isMissing, open: () => openOnServer(host, model) })),
  ].map(({ isMissing, open, title }) => ({
    title,
    onHost: (name: string, body: (app: HostApp) => Promise<void>) =>
      test.skipIf(isMissing)(name, async () => body(await open())),
  }))
