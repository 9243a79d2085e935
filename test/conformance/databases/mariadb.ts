import { kyselyEngine } from '@unitary/core/engine/kysely'
import { MysqlDialect } from 'kysely'
import { createMysql, mysqlHost, mysqlPool, skipped } from '../../core/engine/databases.js'
import type { Service } from '../database.js'
import { hasDeferredKeys, hostOf, withSettings } from './server.js'

/** In seconds. Nothing of a scenario waits long for another session, nor a change of tables for one that is left open. */
const settings = withSettings('set innodb_lock_wait_timeout = 3', 'set lock_wait_timeout = 5')

export const mariadb: Service = {
  name: 'MariaDB',
  missing: skipped(mysqlHost),
  lacks: (given) => (hasDeferredKeys(given) ? 'it checks every foreign key at once' : null),
  connect: async () => {
    const { name, drop } = await createMysql()
    const pool = mysqlPool(name, { connectionLimit: 4 })
    return hostOf({
      name: 'MariaDB',
      engine: kyselyEngine(new MysqlDialect({ pool, onCreateConnection: settings })),
      unchecked: 'set foreign_key_checks = 0',
      checked: 'set foreign_key_checks = 1',
      startAt: (table, _column, key) => `alter table \`${table}\` auto_increment = ${key}`,
      drop,
    })
  },
}
