/**
 * A database on a server, with tables as the model's own DDL makes them.
 *
 * It outlives its scenarios: tables are made anew where a scenario has others than the one before, and only emptied where
 * it has the same.
 */
import {
  type AsyncConnection,
  createAll,
  ddlOf,
  dropAll,
  type Engine,
  type EngineCall,
  type EngineError,
  storedMappings,
} from '@unitary/core'
import { type Either, isLeft } from 'fp-ts/lib/Either.js'
import { CompiledQuery, type DatabaseConnection } from 'kysely'
import type { Case } from '../corpus.js'
import type { Host, ScenarioDatabase } from '../database.js'
import type { ScenarioModel } from '../model.js'
import type { Scenario, TableRow, Tables } from '../scenario.js'

/** A database of a server, and what it has words of its own for. */
export interface Server {
  readonly name: string
  readonly engine: Engine
  /** Turns foreign keys off for a connection, and on again. */
  readonly unchecked: string
  readonly checked: string
  /** Lets a table generate keys from the one given. */
  readonly startAt: (table: string, column: string, key: number) => string
  readonly drop: () => Promise<void>
}

/** Are there foreign keys that are checked at the end of a transaction only? */
export const hasDeferredKeys = ({ model }: Case): boolean =>
  Object.values(model.entities)
    .flatMap(({ columns }) => Object.values(columns))
    .some(({ foreignKey }) => foreignKey?.deferred === true)

/** Settings of every connection of a pool. */
export const withSettings =
  (...settings: ReadonlyArray<string>) =>
  async (connection: DatabaseConnection): Promise<void> => {
    for (const setting of settings) await connection.executeQuery(CompiledQuery.raw(setting))
  }

/** Far from the keys of any scenario, so that one that holds here holds whatever keys the database generates. */
const firstKey = 1001

/** A host over a server's database, which is dropped when it is closed. */
export const hostOf = (server: Server): Host => {
  const { engine, name } = server
  let current: { readonly model: ScenarioModel; readonly ddl: string } | null = null

  const become = async (model: ScenarioModel): Promise<void> => {
    const ddl = ddlTextOf(engine, model)
    if (current?.ddl === ddl) return
    if (current !== null) must(await dropAll(current.model.model)(engine)())
    // where this fails some of the tables are there, and are dropped with those of the model
    current = { model, ddl: '' }
    must(await createAll(model.model)(engine)())
    await connected(engine, async (call) => {
      for (const { table, generatedKey } of storedMappings(model.model.mappings)) {
        if (generatedKey !== null) await call(statementCall(server.startAt(table, generatedKey.columnName, firstKey)))
      }
    })
    current = { model, ddl }
  }

  const open = async (scenario: Scenario, model: ScenarioModel): Promise<ScenarioDatabase> => {
    await become(model)
    await connected(engine, (call) => fill(server, call, scenario.rows, model))
    return {
      // an engine lends each session a connection of its own
      engine: () => engine,
      external: (statements) =>
        connected(engine, async (call) => {
          for (const statement of statements) await call(statementCall(statement))
        }),
      contents: () => connected(engine, (call) => contentsOf(server, call, model)),
      close: async () => {},
    }
  }

  return {
    name,
    isRecorded: false,
    open,
    close: async () => {
      await engine.close()
      await server.drop()
    },
  }
}

type Call = (call: EngineCall) => Promise<unknown>

/** Setting a scenario up is no part of it: what goes wrong there is the test's own failure. */
const must = <A>(answer: Either<EngineError, A>): A => {
  if (isLeft(answer)) throw new Error(`${answer.left.message}\n${answer.left.sql ?? ''}`, { cause: answer.left.cause })
  return answer.right
}

const connected = async <A>(engine: Engine, work: (call: Call) => Promise<A>): Promise<A> => {
  const connection = must(await engine.connect()) as AsyncConnection
  try {
    return await work(async (call) => must(await connection.call(call)))
  } finally {
    await connection.release()
  }
}

const statementCall = (sql: string): EngineCall => ({ _tag: 'Query', statement: { sql, parameters: [] } })

const ddlTextOf = (engine: Engine, { model }: ScenarioModel): string =>
  ddlOf(model)(engine.dialect)
    .create.map(({ node }) => engine.compile(node).sql)
    .join('\n')

const tablesOf = ({ description }: ScenarioModel): ReadonlyArray<string> => [
  ...new Set([
    ...Object.entries(description.entities).flatMap(([name, { inherits, table }]) =>
      table === undefined && inherits !== undefined ? [] : [table ?? name],
    ),
    ...Object.keys(description.tables ?? {}),
  ]),
]

const nameIn = ({ engine }: Server, name: string): string =>
  engine.dialect.name === 'mysql' ? `\`${name}\`` : `"${name}"`

const fill = async (server: Server, call: Call, rows: Tables, model: ScenarioModel): Promise<void> => {
  await call({ _tag: 'Begin', isolationLevel: null })
  // rows stand in the order of the corpus, which is not that of their references
  await call(statementCall(server.unchecked))
  for (const table of tablesOf(model)) await call(statementCall(`delete from ${nameIn(server, table)}`))
  for (const [table, given] of Object.entries(rows)) {
    // backwards, so that lists come in the order of the recording only where they are ordered
    for (const row of given.toReversed()) {
      const columns = Object.keys(row)
      const portable = model.portable(table, row)
      const values = columns.map((column) => portable[column])
      await call({ _tag: 'Insert', table, columns, rows: [values], key: [], returning: [] })
    }
  }
  await call(statementCall(server.checked))
  await call({ _tag: 'Commit' })
}

const contentsOf = async (server: Server, call: Call, model: ScenarioModel): Promise<Tables> => {
  const found: Record<string, ReadonlyArray<TableRow>> = {}
  for (const table of tablesOf(model)) {
    const { rows } = (await call(statementCall(`select * from ${nameIn(server, table)}`))) as {
      readonly rows: ReadonlyArray<TableRow>
    }
    if (rows.length > 0) found[table] = rows.map((row) => model.portable(table, row))
  }
  return found
}
