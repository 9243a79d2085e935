/**
 * A set of tables for each shard, in one database.
 */
import { type Engine, renamedEngine } from '@unitary/core'

/**
 * The engine with its tables, their constraints and indexes under names that begin with a prefix: `asia_users`. A table's schema
 * stays what it is.
 *
 * Engines over the same one share its connections, and one transaction of a session; `createAll` makes their tables.
 *
 * @example
 * const engine = sqliteEngine(new Database('shop.db'))
 * shardMap({ asia: tablePrefix('asia_')(engine), europe: tablePrefix('europe_')(engine) })
 *
 * @category layouts
 */
export const tablePrefix =
  (prefix: string) =>
  (engine: Engine): Engine =>
    renamedEngine(engine, {
      table: (name) => {
        const own = name.lastIndexOf('.') + 1
        return `${name.slice(0, own)}${prefix}${name.slice(own)}`
      },
      constraint: (name) => (name.startsWith(prefix) ? name : `${prefix}${name}`),
      inModel: (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name),
    })
