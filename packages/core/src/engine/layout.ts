/**
 * Layouts: the tables of a model under other names in a database, so that one database can hold several sets of them.
 */
import { type Either, isLeft, left } from 'fp-ts/lib/Either.js'
import { renameTables } from '../statement/rename-tables.js'
import type { Answer, ComputedColumn, EngineCall } from './call.js'
import type { AsyncConnection, Connection, Engine, SyncConnection } from './engine.js'
import type { EngineError, EngineReason } from './error.js'
import type { TableNames } from './table-names.js'

/**
 * An engine on the database of another, with its tables under the names given. Statements are changed node by node before
 * they are compiled, never in their text; what an application writes as text is its own.
 *
 * In a shard map, engines on the same database share one connection and one transaction of a session.
 *
 * @example
 * const names = { table: (name) => `asia_${name}`, constraint: (name) => `asia_${name}`, inModel: (name) => name.slice(5) }
 * const asia = renamedEngine(engine, names)
 *
 * @category constructors
 */
export const renamedEngine = (base: Engine, names: TableNames): Engine => {
  const rename = renameTables(names)
  const over = <C extends Connection>(connection: C): C =>
    (connection._tag === 'SyncConnection'
      ? overSync(connection, names, rename)
      : overAsync(connection, names, rename)) as Connection as C
  const { connectSync, layout } = base
  return {
    ...base,
    layout: {
      engine: layout?.engine ?? base,
      names: layout === undefined ? names : composed(names, layout.names),
      over: layout === undefined ? over : (connection) => over(layout.over(connection)),
    },
    // they may become more with the first connection
    get capabilities() {
      return base.capabilities
    },
    compile: (node) => base.compile(rename(node)),
    connect: async () => lent(await base.connect(), over),
    connectSync: connectSync === null ? null : () => lent(connectSync(), over),
  }
}

/** First those of the inner engine's own model, then where it has them. */
const composed = (inner: TableNames, outer: TableNames): TableNames => ({
  table: (name) => outer.table(inner.table(name)),
  constraint: (name) => outer.constraint(inner.constraint(name)),
  inModel: (name) => inner.inModel(outer.inModel(name)),
})

const lent = <C extends Connection>(
  connected: Either<EngineError, C>,
  over: (connection: C) => C,
): Either<EngineError, C> => (isLeft(connected) ? connected : { _tag: 'Right', right: over(connected.right) })

type Rename = ReturnType<typeof renameTables>

const overSync = (connection: SyncConnection, names: TableNames, rename: Rename): SyncConnection => ({
  ...connection,
  call: <C extends EngineCall>(call: C): Either<EngineError, Answer<C>> =>
    answered(connection.call(named(call, names, rename)), names),
})

const overAsync = (connection: AsyncConnection, names: TableNames, rename: Rename): AsyncConnection => ({
  ...connection,
  call: async <C extends EngineCall>(call: C): Promise<Either<EngineError, Answer<C>>> =>
    answered(await connection.call(named(call, names, rename)), names),
})

/** A call of rows names its table; statements are compiled with theirs. */
const named = <C extends EngineCall>(call: C, names: TableNames, rename: Rename): C => {
  switch (call._tag) {
    case 'Insert':
    case 'Update':
      return call.computed === undefined
        ? { ...call, table: names.table(call.table) }
        : { ...call, table: names.table(call.table), computed: call.computed.map(renamedColumn(rename)) }
    case 'Delete':
      return { ...call, table: names.table(call.table) }
    default:
      return call
  }
}

const renamedColumn =
  (rename: Rename) =>
  ({ column, expression }: ComputedColumn): ComputedColumn => ({ column, expression: rename(expression) })

const answered = <A>(answer: Either<EngineError, A>, names: TableNames): Either<EngineError, A> =>
  isLeft(answer) ? left({ ...answer.left, reason: inModel(answer.left.reason, names) }) : answer

const inModel = (reason: EngineReason, names: TableNames): EngineReason => {
  const own = (name: string | null): string | null => (name === null ? null : names.inModel(name))
  switch (reason._tag) {
    case 'UniqueViolation':
    case 'ForeignKeyViolation':
    case 'CheckViolation':
      return { ...reason, table: own(reason.table), constraint: own(reason.constraint) }
    case 'NotNullViolation':
    case 'UnknownTable':
      return { ...reason, table: own(reason.table) }
    default:
      return reason
  }
}
