/**
 * What can be wrong with a statement before any database sees it.
 */
import type { Dialect } from '../engine/dialect.js'
import type { Mapping } from '../model/mapping.js'

/**
 * A value that its column's codec cannot encode.
 *
 * @category errors
 */
export interface EncodeError {
  readonly _tag: 'EncodeError'
  readonly entity: string
  readonly attribute: string
  readonly value: unknown
  /** What the codec threw. */
  readonly cause: unknown
  /** The row of an insert that holds it, from 0 on; null where it stands elsewhere. */
  readonly row: number | null
}

/**
 * Something is compared by order with NULL or a truth value. `attribute` is empty where it is an expression.
 *
 * @category errors
 */
export interface UnorderedValue {
  readonly _tag: 'UnorderedValue'
  readonly entity: string
  readonly attribute: string
  readonly operator: string
  readonly value: unknown
}

/**
 * A write that one statement cannot do, since the rows stand in several tables: an insert of a subtype, an update of attributes
 * that stand in more than one of them, an update or delete of an entity with concrete subtypes.
 *
 * @category errors
 */
export interface SeveralTables {
  readonly _tag: 'SeveralTables'
  readonly entity: string
  readonly operation: 'insert' | 'update' | 'delete'
  /** The tables that it would write. */
  readonly tables: ReadonlyArray<string>
}

/**
 * A row has a value for what is no attribute of the entity.
 *
 * @category errors
 */
export interface UnknownAttribute {
  readonly _tag: 'UnknownAttribute'
  readonly entity: string
  readonly attribute: string
  /** The first row that has it, from 0 on. */
  readonly row: number
}

/**
 * A row lacks a value that nothing gives it: neither a default nor the database, and the column does not hold NULL.
 *
 * @category errors
 */
export interface MissingValue {
  readonly _tag: 'MissingValue'
  readonly entity: string
  readonly attribute: string
  /** From 0 on; null where a query gives the rows. */
  readonly row: number | null
}

/**
 * An upsert names attributes that no unique key of the model consists of, so that no row can conflict by them.
 *
 * @category errors
 */
export interface NoUniqueKey {
  readonly _tag: 'NoUniqueKey'
  readonly entity: string
  readonly attributes: ReadonlyArray<string>
}

/**
 * What a database has no words for.
 *
 * @category errors
 */
export interface NotPortable {
  readonly _tag: 'NotPortable'
  readonly entity: string
  readonly dialect: Dialect['name']
  readonly problem: string
}

/**
 * A clause that a query cannot have: a join along something that is no relationship, an alias that is taken.
 *
 * @category errors
 */
export interface InvalidClause {
  readonly _tag: 'InvalidClause'
  readonly entity: string
  readonly clause: Clause
  /** What the clause names. */
  readonly name: string
  readonly problem: string
}

/** @category errors */
export type Clause =
  | 'join'
  | 'any'
  | 'has'
  | 'containsEager'
  | 'page'
  | 'lock'
  | 'fromQuery'
  | 'selectRows'
  | 'union'
  | 'set'
  | 'expression'
  | 'valueThrough'

/** @category errors */
export type StatementError =
  | EncodeError
  | UnorderedValue
  | InvalidClause
  | UnknownAttribute
  | MissingValue
  | NoUniqueKey
  | NotPortable
  | SeveralTables

/** @category constructors */
export const encodeError = (
  entity: string,
  attribute: string,
  value: unknown,
  cause: unknown,
  row: number | null = null,
): EncodeError => ({ _tag: 'EncodeError', entity, attribute, value, cause, row })

/** @category constructors */
export const unorderedValue = (
  entity: string,
  attribute: string,
  operator: string,
  value: unknown,
): UnorderedValue => ({ _tag: 'UnorderedValue', entity, attribute, operator, value })

/** @category constructors */
export const severalTables = (
  { name, parts }: Mapping,
  operation: SeveralTables['operation'],
  tables: ReadonlyArray<string> = parts.map(({ table }) => table),
): SeveralTables => ({ _tag: 'SeveralTables', entity: name, operation, tables })

/** @category constructors */
export const unknownAttribute = (entity: string, attribute: string, row: number): UnknownAttribute => ({
  _tag: 'UnknownAttribute',
  entity,
  attribute,
  row,
})

/** @category constructors */
export const missingValue = (entity: string, attribute: string, row: number | null): MissingValue => ({
  _tag: 'MissingValue',
  entity,
  attribute,
  row,
})

/** @category constructors */
export const noUniqueKey = (entity: string, attributes: ReadonlyArray<string>): NoUniqueKey => ({
  _tag: 'NoUniqueKey',
  entity,
  attributes,
})

/** @category constructors */
export const notPortable = (entity: string, dialect: Dialect['name'], problem: string): NotPortable => ({
  _tag: 'NotPortable',
  entity,
  dialect,
  problem,
})

/** @category constructors */
export const invalidClause = (entity: string, clause: Clause, name: string, problem: string): InvalidClause => ({
  _tag: 'InvalidClause',
  entity,
  clause,
  name,
  problem,
})

/**
 * A sentence for people: what failed, where, and the cure.
 *
 * @category interpreters
 */
export const renderStatementError = (error: StatementError): string => {
  switch (error._tag) {
    case 'EncodeError':
      return `${error.entity}.${error.attribute}${inRow(error.row)}: its codec cannot encode ${show(error.value)} (${reason(error.cause)}); give a value that the codec's \`is\` accepts`
    case 'UnorderedValue':
      return `${error.attribute === '' ? error.entity : `${error.entity}.${error.attribute}`}: \`${error.operator}\` compares with ${String(error.value)}, which has no order; compare by \`=\`, \`is\` or \`is not\``
    case 'SeveralTables':
      return `${error.entity}: one ${error.operation} cannot write the tables ${error.tables.join(', ')}; ${error.operation === 'insert' ? 'add instances to a session' : 'say it of each by a statement of its own'}`
    case 'UnknownAttribute':
      return `${error.entity}${inRow(error.row)} has no attribute '${error.attribute}'; leave it out, or add it to the entity`
    case 'MissingValue':
      return `${error.entity}.${error.attribute}${inRow(error.row)} has no value; give one, or give the column a default`
    case 'NoUniqueKey':
      return `${error.entity}: no unique key consists of ${error.attributes.join(', ')}, so that no row can conflict by it; name the primary key, or declare what is unique in the model`
    case 'NotPortable':
      return `${error.entity}: ${error.problem} (${error.dialect})`
    case 'InvalidClause':
      return `${error.clause} of ${error.name} in a query of ${error.entity}: ${error.problem}`
  }
}

const inRow = (row: number | null): string => (row === null ? '' : ` (row ${row})`)

const show = (value: unknown): string => {
  const text = typeof value === 'string' ? JSON.stringify(value) : `${String(value)} (${typeof value})`
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
