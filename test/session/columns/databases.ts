/**
 * Databases for the tests of columns, set up as awkwardly as an application may have it: time zones of the server, the driver
 * and the process that differ, and drivers that make of values what they like.
 */
import type { Engine } from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { MysqlDialect, PostgresDialect } from 'kysely'
import type { PoolOptions } from 'mysql2'
import { type CustomTypesConfig, Pool, types } from 'pg'
import {
  createMysql,
  createPostgres,
  kyselySqliteHost,
  mysqlHost,
  mysqlPool,
  postgresHost,
  skipped,
  sqliteHost,
} from '../../core/engine/databases.js'

export interface Opened {
  readonly engine: Engine
  readonly drop: () => Promise<void>
}

export interface Setup {
  readonly name: string
  readonly isMissing: boolean
  readonly open: () => Promise<Opened>
}

/** All that the application could have pg parse otherwise. */
const lossy: CustomTypesConfig = {
  getTypeParser: (oid, format) => {
    if (format === 'binary') return types.getTypeParser(oid, 'binary')
    switch (oid as number) {
      // int8, numeric
      case 20:
      case 1700:
        return Number.parseFloat as never
      // date, timestamptz, json, jsonb, arrays
      case 1082:
      case 1184:
      case 114:
      case 3802:
      case 1009:
        return (text: string) => text
      default:
        return types.getTypeParser(oid, 'text')
    }
  },
}

const postgres = (name: string, zone: string, custom?: CustomTypesConfig): Setup => ({
  name: `PostgreSQL, ${name}`,
  isMissing: skipped(postgresHost) !== null,
  open: async () => {
    const database = await createPostgres()
    const pool = new Pool({
      host: '127.0.0.1',
      port: 5432,
      user: 'root',
      database: database.name,
      max: 2,
      options: `-c timezone=${zone}`,
      ...(custom === undefined ? {} : { types: custom }),
    })
    pool.on('error', () => {})
    const engine = kyselyEngine(new PostgresDialect({ pool }))
    return {
      engine,
      drop: async () => {
        await engine.close()
        await database.drop()
      },
    }
  },
})

const mysql = (name: string, zone: string, options: PoolOptions): Setup => ({
  name: `MariaDB, ${name}`,
  isMissing: skipped(mysqlHost) !== null,
  open: async () => {
    const database = await createMysql()
    const pool = mysqlPool(database.name, { supportBigNumbers: false, ...options })
    pool.on('connection', (connection) => {
      connection.query(`set time_zone = '${zone}'`)
    })
    const engine = kyselyEngine(new MysqlDialect({ pool }))
    return {
      engine,
      drop: async () => {
        await engine.close()
        await database.drop()
      },
    }
  },
})

const sqlite = (host: typeof kyselySqliteHost): Setup => ({
  name: host.name,
  isMissing: false,
  open: async () => {
    const database = await host.create()
    const engine = database.open()
    return {
      engine,
      drop: async () => {
        await engine.close()
        await database.drop()
      },
    }
  },
})

/** One of each database. */
export const setups: ReadonlyArray<Setup> = [
  sqlite(sqliteHost('SQLite')),
  postgres('in another time zone', 'Asia/Kolkata'),
  mysql('in another time zone', '-09:30', {}),
]

/** The ways in which a driver can be set up. */
export const drivers: ReadonlyArray<Setup> = [
  sqlite(kyselySqliteHost),
  postgres('whose driver parses otherwise', 'America/St_Johns', lossy),
  mysql('whose driver reads UTC', '+05:30', { timezone: 'Z' }),
  mysql('whose driver reads another zone', '+00:00', { timezone: '+05:30' }),
  mysql('whose driver gives text', '+01:00', { dateStrings: true, jsonStrings: true }),
  mysql('whose driver gives numbers', '+01:00', {
    decimalNumbers: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
  }),
]
