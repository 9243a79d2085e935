/**
 * What tables a database has, whichever it is: the queries to ask, and the schema that their answers make.
 */
import type { Dialect } from '../engine/dialect.js'
import type { DatabaseSchema } from './database-schema.js'
import { introspectMysql } from './introspect-mysql.js'
import { introspectPostgres } from './introspect-postgres.js'
import { introspectSqlite } from './introspect-sqlite.js'
import type { Reading } from './reading.js'

/**
 * @category model
 */
export interface IntrospectOptions {
  /** Schemas (MySQL's databases, SQLite's attached ones) to read besides the one that is searched first. */
  readonly schemas?: ReadonlyArray<string>
}

/** Reads the tables of a database. */
export const reading = (dialect: Dialect, { schemas = [] }: IntrospectOptions): Reading<DatabaseSchema> => {
  switch (dialect.name) {
    case 'sqlite':
      return introspectSqlite(schemas)
    case 'postgres':
      return introspectPostgres(schemas)
    case 'mysql':
      return introspectMysql(schemas)
  }
}
