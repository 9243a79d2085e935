/**
 * Primary keys as identity maps hold them.
 */
import * as t from 'io-ts'
import type { Attribute, Mapping } from './mapping.js'

/**
 * A primary key as identity maps hold it: the encoded value itself for a key of one column, canonical text for one of
 * several.
 *
 * @category model
 */
export type RawKey = number | string

/**
 * The raw form of an encoded key value of one column.
 *
 * @category combinators
 */
export const rawKeyOfValue = (encoded: unknown): RawKey | null => {
  switch (typeof encoded) {
    case 'number':
    case 'string':
      return encoded
    case 'bigint':
    case 'boolean':
      return String(encoded)
    default:
      return encoded === null || encoded === undefined ? null : JSON.stringify(encoded)
  }
}

/**
 * The raw key from attributes of the program (a row, a snapshot, a key record); null where a part is missing, as it is
 * before the database has given it.
 *
 * @category combinators
 */
export const rawKeyOf = (mapping: Mapping, values: Readonly<Record<string, unknown>>): RawKey | null => {
  const only = mapping.key[0]
  if (mapping.key.length === 1 && only !== undefined) {
    const value = values[only.name]
    return value === null || value === undefined
      ? null
      : rawKeyOfValue(only.encode === t.identity ? value : only.encode(value))
  }
  const parts: unknown[] = []
  for (const attribute of mapping.key) {
    const value = values[attribute.name]
    if (value === undefined || (value === null && !attribute.isNullable)) return null
    const encoded = attribute.encode(value)
    parts.push(typeof encoded === 'bigint' ? String(encoded) : encoded)
  }
  return JSON.stringify(parts)
}

/**
 * The encoded values of a raw key, in the order of the key's attributes: what `rawKeyOf` made it of.
 *
 * @category combinators
 */
export const encodedKeyOf = (mapping: Mapping, key: RawKey): ReadonlyArray<unknown> => {
  const only = mapping.key[0] as Attribute
  if (mapping.key.length === 1) return [only.column.kind === 'bigint' ? BigInt(key) : key]
  const parts = JSON.parse(key as string) as ReadonlyArray<string | null>
  return mapping.key.map(({ column }, i) => {
    const part = parts[i] ?? null
    return part === null || column.kind !== 'bigint' ? part : BigInt(part)
  })
}

/**
 * The program's values of a raw key, in the order of the key's attributes.
 *
 * @category combinators
 */
export const decodedKeyOf = (mapping: Mapping, key: RawKey): ReadonlyArray<unknown> =>
  encodedKeyOf(mapping, key).map((value, i) => {
    const { column, encode } = mapping.key[i] as Attribute
    if (encode === t.identity) return value
    const decoded = column.codec.decode(value)
    // it was encoded by the same codec
    return decoded._tag === 'Right' ? decoded.right : value
  })
