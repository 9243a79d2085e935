/**
 * What every statement on an entity has: the entity, Kysely's tree, and how it is to be executed.
 *
 * A statement is a plain value. Its tree speaks the program's language - attribute names, decoded values - and is
 * translated into the table's when it is compiled (see `resolve.ts`).
 */
import {
  ColumnNode,
  type ExpressionBuilder,
  expressionBuilder,
  ReferenceNode,
  type RootOperationNode,
  type TableNode,
} from 'kysely'
import type { Attribute, Mapping } from '../model/mapping.js'
import type { AnyModel, Mapped } from '../model/model.js'
import type { ExtentOf, JoinedDatabase, JoinedTables } from './extent.js'
import { namedTable } from './source.js'

/**
 * How a statement is executed, beyond what its SQL says. A record that packages and applications widen by declaration
 * merging (`declare module '@unitary/core' { interface ExecutionOptions { readonly tenant?: string } }`).
 *
 * @category model
 */
export interface ExecutionOptions {
  /** The shard that the statement is pinned to. */
  readonly shard?: string
  /** Rows overwrite what the session holds of their instances, pending changes too. */
  readonly populateExisting?: boolean
  /** Whether pending changes are flushed first; the session's own setting where it is absent. */
  readonly autoflush?: boolean
  /**
   * Whether a row counts whose primary key is NULL in part, as the view of an outer join may have it; true where it is absent,
   * as SQLAlchemy's `allow_partial_pks` is. Without it, such rows are left out. Only keys of several columns, some of them
   * nullable, can be NULL in part.
   */
  readonly allowPartialKeys?: boolean
  /** Whether every value that is read is checked by its codec; true where it is absent. */
  readonly strict?: boolean
  /** The names of criteria that do not hold, of those that else hold for every query; `*` for all of them. */
  readonly withoutCriteria?: ReadonlyArray<string>
}

/**
 * What `Select`, `Update`, `Delete` and `Insert` have in common.
 *
 * @category model
 */
export interface Statement<out M, out N extends string> {
  readonly entity: Mapped<M, N>
  readonly node: RootOperationNode
  readonly options: ExecutionOptions
}

/** A statement on any entity of any model. @category model */
export type AnyStatement = Statement<unknown, string>

/** The model of a statement. @category model */
export type ModelOf<S> = S extends Statement<infer M, string> ? M : never

/** The name of a statement's entity. @category model */
export type NameOf<S> = S extends Statement<unknown, infer N> ? N : never

/** The tables of a statement's model, and the aliases that it joined, as Kysely's `DB`. @category model */
export type DatabaseOf<S> = JoinedDatabase<ModelOf<S>, ExtentOf<S>>

/** The tables that a statement reads: its entity's own, and the aliases that it joined. @category model */
export type TablesOf<S> = JoinedTables<ModelOf<S>, NameOf<S>, ExtentOf<S>>

const statement: unique symbol = Symbol('statement')

/**
 * Kysely's expression builder over what a statement reads: its entity's table and the aliases that it joined. Attribute
 * names and decoded values throughout.
 *
 * @category model
 */
export interface ExpressionsOf<S> extends ExpressionBuilder<DatabaseOf<S>, TablesOf<S>> {
  readonly [statement]: S
}

/** The expression builder of a statement, which knows it. */
export const expressionsOf = <S extends AnyStatement>(self: S): ExpressionsOf<S> =>
  Object.assign(expressionBuilder(), { [statement]: self }) as unknown as ExpressionsOf<S>

/**
 * Sets execution options, over those set before.
 *
 * @example
 * pipe(select(model.User), withOptions({ shard: 'asia' }))
 *
 * @category combinators
 */
export const withOptions =
  (options: ExecutionOptions) =>
  <S extends AnyStatement>(self: S): S => ({ ...self, options: { ...self.options, ...options } })

/**
 * Options over others: each holds where it is given, and what either switches off is off. The very same options where
 * nothing is to be put together.
 *
 * @category combinators
 */
export const optionsOver =
  (base: ExecutionOptions) =>
  (options: ExecutionOptions): ExecutionOptions => {
    if (isEmpty(base)) return options
    if (isEmpty(options)) return base
    const off = base.withoutCriteria
    return off === undefined || options.withoutCriteria === undefined
      ? { ...base, ...options }
      : { ...base, ...options, withoutCriteria: [...new Set([...off, ...options.withoutCriteria])] }
  }

const isEmpty = (options: object): boolean => {
  for (const _ in options) return false
  return true
}

/** The statement that an expression builder was made for. */
export const statementOf = <S>(expressions: ExpressionsOf<S>): S => expressions[statement]
/**
 * Takes what the database holds at its word: values that their codecs would but check are not checked, in the query's rows and
 * in all that it loads beside them or later. What codecs and drivers have to convert is converted all the same.
 *
 * For large results of tables that only this program writes to. A wrong value then goes on into the program, where it would
 * have been a `DecodeError`.
 *
 * @example
 * pipe(select(model.User), trusted, Session.query)
 *
 * @category combinators
 */
export const trusted = <S extends AnyStatement>(self: S): S => withOptions({ strict: false })(self)

/** The table of a mapping as a node. */
export const tableNode = (mapping: Mapping): TableNode => namedTable(mapping.table)

/** `table.attribute` as a node, for trees that speak the program's language. */
export const attributeNode = (mapping: Mapping, attribute: Pick<Attribute, 'name'>): ReferenceNode =>
  ReferenceNode.create(ColumnNode.create(attribute.name), tableNode(mapping))

/** The mappings of a statement's model. */
export const mappingsOf = (statement: AnyStatement): ReadonlyArray<Mapping> =>
  (statement.entity.model() as AnyModel).mappings
