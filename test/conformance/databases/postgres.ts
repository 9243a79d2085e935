import { kyselyEngine } from '@unitary/core/engine/kysely'
import { PostgresDialect } from 'kysely'
import { createPostgres, postgresHost, postgresPool, skipped } from '../../core/engine/databases.js'
import type { Service } from '../database.js'
import { hasDeferredKeys, hostOf, withSettings } from './server.js'

/** Nothing of a scenario waits long for another session, and no commit for the disk. */
const settings = withSettings('set lock_timeout = 3000', 'set synchronous_commit = off')

export const postgres: Service = {
  name: 'PostgreSQL',
  missing: skipped(postgresHost),
  lacks: (given) => (hasDeferredKeys(given) ? "the model's DDL cannot defer a foreign key" : null),
  connect: async () => {
    const { name, drop } = await createPostgres()
    return hostOf({
      name: 'PostgreSQL',
      engine: kyselyEngine(new PostgresDialect({ pool: postgresPool(name, 4), onCreateConnection: settings })),
      unchecked: 'set session_replication_role = replica',
      checked: 'set session_replication_role = origin',
      startAt: (table, column, key) => `alter table "${table}" alter column "${column}" restart with ${key}`,
      drop,
    })
  },
}
