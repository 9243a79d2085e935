/**
 * A schema for each shard, in one database.
 */
import { type Engine, renamedEngine } from '@unitary/core'

/** Schemas by those that the model names; `''` is for tables without one. */
export interface SchemaMap {
  readonly [schema: string]: string
}

/**
 * The engine with its tables in another schema: of PostgreSQL a schema, of MySQL and MariaDB a database of the server, of
 * SQLite an attached file (`attach 'asia.db' as asia`). With a text, tables without a schema are in that; with a record, those of each schema
 * that it names are in the one named for it, under the key `''` those without one.
 *
 * Engines over the same one share its connections, and one transaction of a session; `createAll` makes their tables in their
 * schemas, which PostgreSQL and MySQL make if they are not there.
 *
 * @example
 * const engine = kyselyEngine(new PostgresDialect({ pool }))
 * shardMap({ asia: schemaTranslate('asia')(engine), europe: schemaTranslate('europe')(engine) })
 *
 * @see https://docs.sqlalchemy.org/en/21/core/connections.html#translation-of-schema-names
 * @category layouts
 */
export const schemaTranslate = (to: string | SchemaMap): ((engine: Engine) => Engine) => {
  const schemas = new Map(Object.entries(typeof to === 'string' ? { '': to } : to))
  const table = (name: string): string => {
    const dot = name.indexOf('.')
    const [schema, own] = dot === -1 ? ['', name] : [name.slice(0, dot), name.slice(dot + 1)]
    const other = schemas.get(schema)
    return other === undefined ? name : `${other}.${own}`
  }
  // a schema has names of its own for all that is in it
  return (engine) => renamedEngine(engine, { table, constraint: same, inModel: same })
}

const same = (name: string): string => name
