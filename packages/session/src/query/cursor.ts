/**
 * Places in the order of a query, as text: what a page is asked for after.
 *
 * A place is the values of one row, as its database has them. Whoever holds it can read them, and can make up another place,
 * but is shown no other rows than the query lets through; what comes back is checked before a database sees it.
 */
import type { Dialect, DriverRow, PageTerm, Place } from '@unitary/core'
import { type Either, isRight, left, right, tryCatch } from 'fp-ts/lib/Either.js'
import type { InvalidValue } from '../error.js'
import type { ShardToken } from '../state/identity-map.js'

declare const cursor: unique symbol

/**
 * A place in the order of a query: URL-safe text without meaning for whoever passes it on.
 *
 * @category model
 */
export type PageCursor = string & { readonly [cursor]: never }

/** A row, and where it is from. */
export interface AnsweredRow {
  readonly row: DriverRow
  readonly dialect: Dialect
  readonly token: ShardToken | null
}

/**
 * The place of a row in the order that some terms make.
 *
 * @category constructors
 */
export const cursorOf = (terms: ReadonlyArray<PageTerm>, { dialect, row, token }: AnsweredRow): PageCursor =>
  encoded([
    orderOf(terms),
    token,
    ...terms.map(({ attribute, column }): unknown => {
      const given = row[column]
      const convert = dialect.fromDriver(attribute.column.kind)
      const value = convert === null ? given : convert(given)
      return typeof value === 'bigint' ? String(value) : value
    }),
  ])

/**
 * The place that a text stands for.
 *
 * @category combinators
 */
export const placeIn = (entity: string, terms: ReadonlyArray<PageTerm>, text: string): Either<InvalidValue, Place> => {
  const wrong = (problem: string): Either<InvalidValue, never> =>
    left({ _tag: 'InvalidValue', entity, attribute: 'after', value: text, problem })
  const parsed = decoded(text)
  if (parsed === null) return wrong('it is no cursor; give one that a page has ended with')
  const [order, shard, ...values] = parsed
  const isPlace = (shard === null || typeof shard === 'string') && values.length === terms.length
  if (order !== orderOf(terms) || !isPlace) {
    return wrong('it is the cursor of another query; start at the first page again')
  }
  const restored: unknown[] = []
  for (const [i, term] of terms.entries()) {
    const value = restoredValue(term, values[i])
    if (value === undefined) return wrong(`${term.attribute.name} cannot have its value; start at the first page again`)
    restored.push(value)
  }
  return right({ values: restored, shard })
}

/** Undefined where no row can hold it. */
const restoredValue = ({ attribute: { column }, nulls }: PageTerm, given: unknown): unknown => {
  if (given === null) return nulls === null ? undefined : null
  if (typeof given !== 'string' && typeof given !== 'number' && typeof given !== 'boolean') return undefined
  // databases refuse it, or end the text there
  if (typeof given === 'string' && given.includes('\0')) return undefined
  const value = column.kind === 'bigint' ? bigintOf(given) : given
  return value !== undefined && isRight(column.codec.decode(value)) ? value : undefined
}

const bigintOf = (given: string | number | boolean): bigint | undefined => {
  const read = tryCatch(
    () => BigInt(given),
    () => undefined,
  )
  return isRight(read) ? read.right : undefined
}

const orderOf = (terms: ReadonlyArray<PageTerm>): string =>
  terms
    .map(({ attribute, direction, nulls, table }) => `${table}.${attribute.name} ${direction} ${nulls ?? ''}`.trim())
    .join(', ')

const encoded = (value: unknown): PageCursor =>
  Buffer.from(JSON.stringify(value), 'utf8').toString('base64url') as PageCursor

const decoded = (text: string): ReadonlyArray<unknown> | null => {
  const read = tryCatch(
    (): unknown => JSON.parse(Buffer.from(text, 'base64url').toString('utf8')),
    () => null,
  )
  return isRight(read) && Array.isArray(read.right) ? read.right : null
}
