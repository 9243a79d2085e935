/**
 * UUIDs as text.
 */
import * as t from 'io-ts'

const canonical = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const isUuid = (value: unknown): value is string => typeof value === 'string' && canonical.test(value)

/**
 * UUIDs in canonical form, which is of lower case: two that are equal are equal values. Reads upper case too, and writes lower
 * case.
 *
 * @category codecs
 */
export const uuid: t.Type<string, string, unknown> = new t.Type(
  'uuid',
  isUuid,
  (u, c) => {
    const text = typeof u === 'string' ? u.toLowerCase() : u
    return isUuid(text) ? t.success(text) : t.failure(u, c)
  },
  (text) => text.toLowerCase(),
)
