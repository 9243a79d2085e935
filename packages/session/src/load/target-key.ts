/**
 * The keys by which owners and their targets find each other, as the database has them.
 */
import {
  type Attribute,
  type Dialect,
  type DriverRow,
  decodedKeyOf,
  type RawKey,
  type RelationshipMapping,
  rawKeyOfValue,
} from '@unitary/core'
import * as t from 'io-ts'
import * as Instance from '../state/instance.js'
import { rawOf } from '../transition/referred.js'

type Instance = Instance.Instance

/**
 * Are targets told by more than their own columns, so that they are asked for by their owners' primary keys?
 *
 * @category guards
 */
export const isByOwner = ({ on, through }: RelationshipMapping): boolean => on !== null || through !== null

/**
 * By what the targets of an owner are asked for: what their foreign keys hold of it, or its primary key. As the database has it,
 * whatever it has been set to since. Null where it is not known, or NULL.
 *
 * @category combinators
 */
export const keyHeld = (
  owner: Instance,
  relationship: RelationshipMapping,
): { readonly key: RawKey; readonly values: ReadonlyArray<unknown> } | null => {
  const { key, mapping } = owner
  const { isByIdentity, key: attributes } = relationship
  if (isByOwner(relationship)) return key === null ? null : { key, values: decodedKeyOf(mapping, key) }
  if (key !== null && isByIdentity) return { key, values: decodedKeyOf(mapping, key) }
  const read = key === null ? Instance.valueAt : Instance.committedAt
  const raw = rawOf(owner, attributes, read)
  return raw === null || raw === undefined
    ? null
    : { key: raw, values: attributes.map((attribute) => read(owner, attribute)) }
}

/**
 * Reads the raw key that attributes of a row make, as the database has it, whatever has been set since.
 *
 * @category combinators
 */
export const keyReader = (
  attributes: ReadonlyArray<Attribute>,
  nameOf: (attribute: Attribute, i: number) => string,
  dialect: Dialect,
): ((row: DriverRow) => RawKey | null) => {
  const parts = attributes.map((attribute, i) => keyPartReader(attribute, nameOf(attribute, i), dialect))
  const [only, another] = parts
  if (only !== undefined && another === undefined) {
    return (row) => {
      const value = only(row)
      return value === null ? null : rawKeyOfValue(value)
    }
  }
  return (row) => {
    const values = parts.map((part) => part(row))
    return values.includes(null) ? null : JSON.stringify(values)
  }
}

/** Reads a part of a key, encoded; null where the row has none. */
const keyPartReader = (attribute: Attribute, name: string, dialect: Dialect): ((row: DriverRow) => unknown) => {
  const convert = dialect.fromDriver(attribute.column.kind)
  const isPlain = attribute.encode === t.identity
  return (row) => {
    const given = row[name]
    if (given === null || given === undefined) return null
    const value = convert === null ? given : convert(given)
    const encoded = isPlain ? value : normalised(attribute, value)
    return typeof encoded === 'bigint' ? String(encoded) : encoded
  }
}

/** A codec may read several forms of a value, and writes one. */
const normalised = (attribute: Attribute, value: unknown): unknown => {
  const decoded = attribute.column.codec.decode(value)
  return decoded._tag === 'Right' ? attribute.encode(decoded.right) : value
}
