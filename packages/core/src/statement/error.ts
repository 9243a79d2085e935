/**
 * What can be wrong with a statement before any database sees it.
 */

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
export type Clause = 'join' | 'any' | 'has' | 'containsEager' | 'fromQuery' | 'selectRows' | 'union'

/** @category errors */
export type StatementError = EncodeError | UnorderedValue | InvalidClause

/** @category constructors */
export const encodeError = (entity: string, attribute: string, value: unknown, cause: unknown): EncodeError => ({
  _tag: 'EncodeError',
  entity,
  attribute,
  value,
  cause,
})

/** @category constructors */
export const unorderedValue = (
  entity: string,
  attribute: string,
  operator: string,
  value: unknown,
): UnorderedValue => ({ _tag: 'UnorderedValue', entity, attribute, operator, value })

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
      return `${error.entity}.${error.attribute}: its codec cannot encode ${show(error.value)} (${reason(error.cause)}); give a value that the codec's \`is\` accepts`
    case 'UnorderedValue':
      return `${error.attribute === '' ? error.entity : `${error.entity}.${error.attribute}`}: \`${error.operator}\` compares with ${String(error.value)}, which has no order; compare by \`=\`, \`is\` or \`is not\``
    case 'InvalidClause':
      return `${error.clause} of ${error.name} in a query of ${error.entity}: ${error.problem}`
  }
}

const show = (value: unknown): string => {
  const text = typeof value === 'string' ? JSON.stringify(value) : `${String(value)} (${typeof value})`
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
