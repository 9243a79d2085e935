/**
 * The model as the machinery reads it: attributes by position, keys, relationships with both ends resolved.
 *
 * A mapping is made once, by `defineModel`, from an entity and its relationships. Types stay with the entity; a mapping
 * speaks of any of them alike.
 */
import * as t from 'io-ts'
import { type AnyColumn, hasFlag } from './column.js'
import type { Constraints } from './constraint.js'
import type { AnyEntity } from './entity.js'
import type { Behaviour, Cascade, Link, OrderDirection, Relationship } from './relationship.js'

/**
 * @category model
 */
export interface Attribute {
  /** Its name in the program. */
  readonly name: string
  /** Its name in the table. */
  readonly columnName: string
  readonly column: AnyColumn
  /** Its place among the mapping's attributes. */
  readonly position: number
  readonly isKey: boolean
  readonly isGenerated: boolean
  readonly isNullable: boolean
  /** Does an insert that leaves it out store NULL? */
  readonly isNullByDefault: boolean
  /** Loaded only when it is asked for. */
  readonly isDeferred: boolean
  /** To the portable database side; `t.identity` where the two sides are the same. */
  readonly encode: (value: unknown) => unknown
}

/**
 * A relationship with both ends resolved. `foreignKey` are attributes of the side that holds the key, `key` those of the
 * side that it refers to, in the same order. Over a table of links `foreignKey` is empty, and `key` is the owner's.
 *
 * @category model
 */
export interface RelationshipMapping extends Omit<Behaviour, 'cascade' | 'orderBy'> {
  readonly kind: Relationship['_tag']
  readonly name: string
  /** Its place among the owner's relationships. */
  readonly position: number
  readonly owner: Mapping
  readonly target: Mapping
  readonly foreignKey: ReadonlyArray<Attribute>
  readonly key: ReadonlyArray<Attribute>
  readonly through: Link | null
  /** Does it hold many, or one at most? */
  readonly isCollection: boolean
  readonly inverse: RelationshipMapping | null
  readonly cascade: ReadonlySet<Cascade>
  readonly orderBy: ReadonlyArray<readonly [attribute: Attribute, direction: OrderDirection]>
}

/**
 * @category model
 */
export interface Mapping {
  readonly _tag: 'Mapping'
  readonly name: string
  readonly table: string
  /** Its place among the model's mappings. */
  readonly index: number
  readonly attributes: ReadonlyArray<Attribute>
  readonly attributeOf: ReadonlyMap<string, Attribute>
  /** The primary key's attributes, at least one. */
  readonly key: ReadonlyArray<Attribute>
  /** Lists of attributes whose values, taken together, no two rows share; the primary key is not among them. */
  readonly uniqueKeys: ReadonlyArray<ReadonlyArray<Attribute>>
  /** What the entity says of its table as a whole. */
  readonly constraints: Constraints
  /** The attribute that the database gives on insert, where there is one. */
  readonly generatedKey: Attribute | null
  /** The attribute that tells the versions of a row apart, where there is one. */
  readonly version: Attribute | null
  /** Has any attribute a default that drafts get? */
  readonly hasDefaults: boolean
  /** Attributes that an insert fills by itself. */
  readonly insertDefaults: ReadonlyArray<Attribute>
  /** Attributes that an update sets by itself. */
  readonly updateDefaults: ReadonlyArray<Attribute>
  /** What the table gives a row that leaves it out: the generated key first, then all others that a row is loaded with. */
  readonly givenOnInsert: ReadonlyArray<Attribute>
  /** The version, where the database gives a row another with every write; null where there is none, or it is counted. */
  readonly serverVersion: Attribute | null
  readonly relationships: ReadonlyArray<RelationshipMapping>
  readonly relationshipOf: ReadonlyMap<string, RelationshipMapping>
}

/**
 * A primary key as identity maps hold it: the encoded value itself for a key of one column, canonical text for one of
 * several.
 *
 * @category model
 */
export type RawKey = number | string

/** Does the table give a row a value that leaves the column out? */
const isFilledIn = (column: AnyColumn): boolean => column.serverDefault !== null || hasFlag(column, 'serverVersion')

const attributeOf = (name: string, column: AnyColumn, position: number): Attribute => ({
  name,
  columnName: column.columnName ?? name,
  column,
  position,
  isKey: hasFlag(column, 'primaryKey'),
  isGenerated: hasFlag(column, 'generated'),
  isNullable: hasFlag(column, 'nullable'),
  isNullByDefault: hasFlag(column, 'nullable') && !hasFlag(column, 'primaryKey') && !isFilledIn(column),
  isDeferred: hasFlag(column, 'deferred'),
  encode: column.codec.encode,
})

/** Of unique constraints, and of unique indexes that have all rows in them. */
const uniqueNames = ({ unique, indexes }: Constraints): ReadonlyArray<ReadonlyArray<string>> => [
  ...unique.map(({ attributes }) => attributes),
  ...indexes.flatMap((index) =>
    index.unique && index.where === null ? [index.attributes.map(([attribute]) => attribute)] : [],
  ),
]

/**
 * The mapping of one entity, its relationships still to come (`relate`).
 *
 * @category constructors
 */
export const mapEntity = (entity: AnyEntity, index: number): Mapping => {
  const attributes = Object.entries(entity.columns as Record<string, AnyColumn>).map(([name, column], position) =>
    attributeOf(name, column, position),
  )
  const byName = new Map(attributes.map((attribute) => [attribute.name, attribute]))
  const key = attributes.filter((attribute) => attribute.isKey)
  const generatedKey = key.find((attribute) => attribute.isGenerated) ?? null
  const serverVersion = attributes.find(({ column }) => hasFlag(column, 'serverVersion')) ?? null
  return {
    _tag: 'Mapping',
    name: entity.name,
    table: entity.table,
    index,
    attributes,
    attributeOf: byName,
    key,
    uniqueKeys: [
      ...attributes.flatMap((attribute) => (attribute.column.unique ? [[attribute]] : [])),
      // names that are no attributes are a fault of the model, which `defineModel` reports
      ...uniqueNames(entity.constraints).map((names) => names.flatMap((name) => byName.get(name) ?? [])),
    ],
    constraints: entity.constraints,
    generatedKey,
    version: serverVersion ?? attributes.find(({ column }) => hasFlag(column, 'version')) ?? null,
    serverVersion,
    hasDefaults: attributes.some((attribute) => attribute.column.defaultValue !== null),
    insertDefaults: attributes.filter((attribute) => attribute.column.insertValue !== null),
    updateDefaults: attributes.filter((attribute) => attribute.column.updateValue !== null),
    givenOnInsert: [
      ...(generatedKey === null ? [] : [generatedKey]),
      ...attributes.filter(
        (attribute) => attribute !== generatedKey && isFilledIn(attribute.column) && !attribute.isDeferred,
      ),
    ],
    relationships: [],
    relationshipOf: new Map(),
  }
}

/**
 * The raw form of an encoded key value of one column.
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
    if (value === null || value === undefined) return null
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
  const parts = JSON.parse(key as string) as ReadonlyArray<string>
  return mapping.key.map(({ column }, i) => (column.kind === 'bigint' ? BigInt(parts[i] as string) : parts[i]))
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
