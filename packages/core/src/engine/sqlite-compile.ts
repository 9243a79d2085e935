/**
 * Compiles operation node trees to SQLite's SQL.
 */
import { createQueryId, type RootOperationNode, SqliteQueryCompiler } from 'kysely'
import type { CompiledStatement } from './call.js'

const compiler = new SqliteQueryCompiler()
const queryId = createQueryId()

export const compileForSqlite = (node: RootOperationNode): CompiledStatement => {
  const { sql, parameters } = compiler.compileQuery(node, queryId)
  return { sql, parameters }
}
