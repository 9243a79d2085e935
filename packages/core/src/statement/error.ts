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

/** @category errors */
export type StatementError = EncodeError

/** @category constructors */
export const encodeError = (entity: string, attribute: string, value: unknown, cause: unknown): EncodeError => ({
  _tag: 'EncodeError',
  entity,
  attribute,
  value,
  cause,
})

/**
 * A sentence for people: what failed, where, and the cure.
 *
 * @category interpreters
 */
export const renderStatementError = (error: StatementError): string =>
  `${error.entity}.${error.attribute}: its codec cannot encode ${show(error.value)} (${reason(error.cause)}); give a value that the codec's \`is\` accepts`

const show = (value: unknown): string => {
  const text = typeof value === 'string' ? JSON.stringify(value) : `${String(value)} (${typeof value})`
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
