/**
 * `Rows`: a query of rows of any shape, as a value. Each row has what was asked for: entities, columns, whatever an
 * expression gives.
 *
 * Rows are made of a query of an entity (see `select-rows.ts`), and keep what that has: its conditions, joins, order and
 * limit. Clauses may be added before or after.
 *
 * @example
 * const perCity = pipe(
 *   select(model.User),
 *   selectRows((q) => ({ city: q.ref('users.city'), users: q.fn.countAll() })),
 *   groupBy('city'),
 *   orderBy('users', 'desc'),
 * ) // Rows of { city: string; users: number }
 */
import { AliasNode, IdentifierNode, type OperationNode, type SelectQueryNode } from 'kysely'
import type { RowColumns } from '../codec/row-class.js'
import type { AnyColumn, ColumnKind } from '../model/column.js'
import type { Mapping } from '../model/mapping.js'
import type { Mapped } from '../model/model.js'
import type { Alias } from './alias.js'
import type { Extended, Extent, Whole } from './extent.js'
import type { AnySelect, Resulting, Select } from './select.js'
import type { AnyStatement, Statement } from './statement.js'

declare const row: unique symbol

/**
 * A query of rows, each an `A`. `N` is the entity of the query that it was made of, `X` what that joined.
 *
 * @category model
 */
export interface Rows<out M, out N extends string, out A, out X extends Extent = Whole>
  extends Statement<M, N>,
    Extended<X> {
  readonly _tag: 'Rows'
  readonly entity: Mapped<M, N>
  readonly node: SelectQueryNode
  /** What it was made of: its loads are made for the entity among the outputs. */
  readonly query: AnySelect
  /** What that joined, in the order of the joins. */
  readonly aliases: ReadonlyArray<Alias>
  readonly shape: RowShape
  /** What a row holds, in order. */
  readonly outputs: ReadonlyArray<Output>
  /** Never there: carries `A`. */
  readonly [row]?: A
}

/** A query of rows of any shape. @category model */
export type AnyRows = Rows<unknown, string, unknown, Extent>

/** A query: of entities, or of rows of any shape. @category model */
export type AnyQuery = AnySelect | AnyRows

/** Whether a row is an object by names, a tuple, or the one value itself. @category model */
export type RowShape = 'record' | 'tuple' | 'scalar'

/** What stands in a row. @category model */
export type Output = EntityOutput | ValueOutput

/**
 * An entity, whose attributes stand in several columns of the row.
 *
 * @category model
 */
export interface EntityOutput {
  readonly _tag: 'Entity'
  readonly name: string
  readonly mapping: Mapping
  /** The alias that it is of; null for the query's own entity. */
  readonly alias: string | null
  /** Whether a row may have none, as an outer join leaves it. */
  readonly isOptional: boolean
  readonly columns: RowColumns
}

/**
 * A value: what an expression gives.
 *
 * @category model
 */
export interface ValueOutput {
  readonly _tag: 'Value'
  readonly name: string
  /** Its column in the row. */
  readonly column: string
  /** The column as whose values it is read, where that was said. */
  readonly readAs: AnyColumn | null
}

/** What a query gives for each row. @category model */
export type ResultOf<S> = S extends { readonly _tag: 'Rows'; readonly [row]?: infer A }
  ? A
  : S extends Select<infer M, infer N, infer L, infer X>
    ? Resulting<M, N, L, X>
    : never

export const noKinds: ReadonlyMap<string, ColumnKind> = new Map()

/** What is said of how columns of the result are read; nothing of entities and most values, which tell it themselves. */
export const readKinds = (statement: AnyStatement): ReadonlyMap<string, ColumnKind> => {
  if (!('outputs' in statement)) return noKinds
  const said = (statement as AnyRows).outputs.flatMap((output) =>
    output._tag === 'Value' && output.readAs !== null ? [[output.column, output.readAs.kind] as const] : [],
  )
  return said.length === 0 ? noKinds : new Map(said)
}

/** The expression that a query selects under a name; null where there is none. */
export const selectedAs = ({ selections = [] }: SelectQueryNode, name: string): OperationNode | null => {
  for (const { selection } of selections) {
    if (AliasNode.is(selection) && IdentifierNode.is(selection.alias) && selection.alias.name === name) {
      return selection.node
    }
  }
  return null
}

/**
 * The query of entities that rows are made of, with the clauses that the rows have by now.
 *
 * @category combinators
 */
export const entitiesOf = ({ node, options, query }: AnyRows): AnySelect => ({
  ...query,
  options,
  node: { ...node, selections: query.node.selections ?? [] },
})

/**
 * The rows of another query of the same entity, which has the aliases that they speak of.
 *
 * @category combinators
 */
export const ofEntities = (rows: AnyRows, query: AnySelect): AnyRows => ({
  ...rows,
  query,
  options: query.options,
  node: { ...query.node, selections: rows.node.selections ?? [] },
})
