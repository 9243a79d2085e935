/**
 * What a table holds its rows to beyond its columns and its primary key: unique constraints, indexes, checks and foreign
 * keys of several columns. Written beside an entity's columns, in terms of its attributes.
 */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { ReferenceOptions } from './reference.js'

/** At least one attribute. */
type Attributes<A extends string> = readonly [A, ...ReadonlyArray<A>]

/**
 * An index as an entity's options say it: its attributes, or these with more about them.
 *
 * @example
 * { attributes: ['tenantId', ['created', 'desc']], where: (eb) => eb('isOpen', '=', true) }
 *
 * @category model
 */
export interface IndexOptions<A extends string, Database, Table extends keyof Database> {
  /** In the order of the index, each ascending where it does not say otherwise. */
  readonly attributes: readonly [IndexedAttribute<A>, ...ReadonlyArray<IndexedAttribute<A>>]
  readonly name?: string
  /** No two of its rows have the same values. */
  readonly unique?: boolean
  /** Only rows for which it holds are in the index; where the database has no such indexes, all of them are. */
  readonly where?: (eb: ExpressionBuilder<Database, Table>) => Expression<SqlBool>
}

/** @category model */
export type IndexedAttribute<A extends string> = A | readonly [attribute: A, direction: 'asc' | 'desc']

/**
 * A unique constraint with a name of its own.
 *
 * @category model
 */
export interface UniqueOptions<A extends string> {
  readonly attributes: Attributes<A>
  readonly name?: string
}

/**
 * A check with a name of its own.
 *
 * @category model
 */
export interface CheckOptions<Database, Table extends keyof Database> {
  readonly check: (eb: ExpressionBuilder<Database, Table>) => Expression<SqlBool>
  readonly name?: string
}

/**
 * A foreign key, of several columns or one. `references` names a column for each attribute, all of one table. Where a
 * relationship goes over the same attributes, this says the rest about its constraint.
 *
 * @example
 * { attributes: ['orderId', 'position'], references: ['items.order_id', 'items.position'], onDelete: 'cascade' }
 *
 * @category model
 */
export interface ForeignKeyOptions<A extends string> extends ReferenceOptions {
  readonly attributes: Attributes<A>
  readonly references: readonly [`${string}.${string}`, ...ReadonlyArray<`${string}.${string}`>]
}

/**
 * What an entity says of its table as a whole.
 *
 * @category model
 */
export interface TableOptions<A extends string, Database, Table extends keyof Database> {
  /**
   * Unique constraints: lists of attributes whose values, taken together, no two rows share. Rows in which one of them is
   * NULL are not compared. For a single attribute say `unique` of its column.
   */
  readonly unique?: ReadonlyArray<Attributes<A> | UniqueOptions<A>>
  readonly indexes?: ReadonlyArray<Attributes<A> | IndexOptions<A, Database, Table>>
  /** What must not be false of any row. */
  readonly checks?: ReadonlyArray<
    ((eb: ExpressionBuilder<Database, Table>) => Expression<SqlBool>) | CheckOptions<Database, Table>
  >
  readonly foreignKeys?: ReadonlyArray<ForeignKeyOptions<A>>
}

// biome-ignore lint/suspicious/noExplicitAny: the typed builder is given where the entity is declared
type Condition = (eb: ExpressionBuilder<any, any>) => Expression<SqlBool>

/** A unique constraint, by the names of its attributes. @category model */
export interface UniqueConstraint {
  readonly attributes: ReadonlyArray<string>
  readonly name: string | null
}

/** An index, by the names of its attributes. @category model */
export interface Index {
  readonly attributes: ReadonlyArray<readonly [attribute: string, direction: 'asc' | 'desc']>
  readonly name: string | null
  readonly unique: boolean
  readonly where: Condition | null
}

/** @category model */
export interface Check {
  readonly name: string | null
  readonly condition: Condition
}

/** A foreign key that an entity names beside its columns. @category model */
export interface TableForeignKey {
  readonly attributes: ReadonlyArray<string>
  readonly references: ReadonlyArray<string>
  readonly options: ReferenceOptions
}

/**
 * The constraints and indexes of an entity's table.
 *
 * @category model
 */
export interface Constraints {
  readonly unique: ReadonlyArray<UniqueConstraint>
  readonly indexes: ReadonlyArray<Index>
  readonly checks: ReadonlyArray<Check>
  readonly foreignKeys: ReadonlyArray<TableForeignKey>
}

/** Options of an entity whose types no longer matter. */
interface LooseOptions {
  readonly unique?: ReadonlyArray<ReadonlyArray<string> | UniqueOptions<string>>
  // biome-ignore lint/suspicious/noExplicitAny: as for conditions
  readonly indexes?: ReadonlyArray<ReadonlyArray<string> | IndexOptions<string, any, any>>
  // biome-ignore lint/suspicious/noExplicitAny: as for conditions
  readonly checks?: ReadonlyArray<Condition | CheckOptions<any, any>>
  readonly foreignKeys?: ReadonlyArray<ForeignKeyOptions<string>>
}

/** Options with their short forms spelt out. */
export const constraintsOf = ({
  unique = [],
  indexes = [],
  checks = [],
  foreignKeys = [],
}: LooseOptions): Constraints => ({
  unique: unique.map((given) =>
    isList(given) ? { attributes: given, name: null } : { attributes: given.attributes, name: given.name ?? null },
  ),
  indexes: indexes.map((given): Index => {
    const { attributes, name, unique: isUnique, where } = isList(given) ? { attributes: given, ...noOptions } : given
    return {
      attributes: attributes.map((attribute) => (typeof attribute === 'string' ? [attribute, 'asc'] : attribute)),
      name: name ?? null,
      unique: isUnique ?? false,
      where: where ?? null,
    }
  }),
  checks: checks.map((given) =>
    typeof given === 'function'
      ? { name: null, condition: given }
      : { name: given.name ?? null, condition: given.check },
  ),
  foreignKeys: foreignKeys.map(({ attributes, references, ...options }) => ({ attributes, references, options })),
})

const noOptions = { name: undefined, unique: undefined, where: undefined }

const isList = <A>(given: ReadonlyArray<string> | A): given is ReadonlyArray<string> => Array.isArray(given)
