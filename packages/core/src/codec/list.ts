/**
 * Lists kept as JSON text.
 */
import { isLeft } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

/**
 * Lists of a codec's values as JSON text. `isExact`: the items are numbers that a double may not hold, and never go through
 * one.
 *
 * @category codecs
 */
export const listOf = <A, O>(
  item: t.Type<A, O, unknown>,
  isExact: boolean,
): t.Type<ReadonlyArray<A>, string, unknown> =>
  new t.Type<ReadonlyArray<A>, string, unknown>(
    `list(${item.name})`,
    (u): u is ReadonlyArray<A> => Array.isArray(u) && u.every(item.is),
    (u, c) => {
      const items = typeof u === 'string' ? parsed(u, isExact) : u
      if (!Array.isArray(items)) return t.failure(u, c)
      const decoded: A[] = []
      for (const [i, value] of items.entries()) {
        const one = item.validate(value, t.appendContext(c, String(i), item, value))
        if (isLeft(one)) return one
        decoded.push(one.right)
      }
      return t.success(decoded)
    },
    (list) => {
      const items = list.map(item.encode)
      return isExact ? `[${items.map(String).join()}]` : JSON.stringify(items)
    },
  )

/** Undefined for what is no JSON. */
const parsed = (text: string, isExact: boolean): unknown => {
  try {
    return JSON.parse(isExact ? text.replace(/(?<!["\d.])-?\d+(?:\.\d+)?(?!["\d.])/g, '"$&"') : text)
  } catch {
    return undefined
  }
}
