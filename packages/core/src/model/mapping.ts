/**
 * The model as the machinery reads it: attributes by position, keys, relationships with both ends resolved.
 *
 * A mapping is made once, by `defineModel`, from an entity and its relationships. Types stay with the entity; a mapping
 * speaks of any of them alike.
 */
import * as t from 'io-ts'
import type { OperationNode } from 'kysely'
import type { AnyCollectionKind } from './collection.js'
import { type AnyColumn, hasFlag } from './column.js'
import type { Constraints } from './constraint.js'
import type { AnyEntity, Columns, RowValidator, SubtypeLoad } from './entity.js'
import { extensionOf } from './extension.js'
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
  /** Of a key of several columns some may be, as the view of an outer join has them. */
  readonly isNullable: boolean
  /** Does an insert that leaves it out store NULL? */
  readonly isNullByDefault: boolean
  /** Loaded only when it is asked for. */
  readonly isDeferred: boolean
  /** Does a table hold it, rather than an expression compute it? */
  readonly isStored: boolean
  /** To the portable database side; `t.identity` where the two sides are the same. */
  readonly encode: (value: unknown) => unknown
}

/**
 * A relationship with both ends resolved. `foreignKey` are attributes of the side that holds the key, `key` those of the
 * side that it refers to, in the same order. Over a table of links, and where it is only joined, `foreignKey` is empty, and
 * `key` is the owner's.
 *
 * @category model
 */
export interface RelationshipMapping extends Omit<Behaviour, 'cascade' | 'on' | 'orderBy'> {
  readonly kind: Relationship['_tag']
  readonly name: string
  /** Its place among the owner's relationships. */
  readonly position: number
  readonly owner: Mapping
  readonly target: Mapping
  readonly foreignKey: ReadonlyArray<Attribute>
  readonly key: ReadonlyArray<Attribute>
  /** Is `key` the primary key, by which the identity map knows instances? */
  readonly isByIdentity: boolean
  readonly through: Link | null
  /** What else, or only, must be so of the sides, `owner` and `target`, and what lies between. */
  readonly on: OperationNode | null
  /** Entities that the condition goes through, each by its name there. */
  readonly between: ReadonlyArray<readonly [name: string, mapping: Mapping]>
  /** What tells of an owner which targets are its own. */
  readonly ownerAttributes: ReadonlyArray<Attribute>
  /** Entities beside the target whose instances it takes. */
  readonly accepts: ReadonlyArray<Mapping>
  /** Does it hold many, or one at most? */
  readonly isCollection: boolean
  /** As what a collection is shown; of a reference a list, which nobody sees. */
  readonly collection: AnyCollectionKind
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
  /** Attributes by other names that they have. */
  readonly synonyms: ReadonlyMap<string, Attribute>
  /** Attributes that the database computes for each row that is read; no table holds them. */
  readonly expressions: ReadonlyArray<Attribute>
  /** All mappings of its model, of which expressions may speak. */
  readonly model: ReadonlyArray<Mapping>
  /** The primary key's attributes, at least one. */
  readonly key: ReadonlyArray<Attribute>
  /** Lists of attributes whose values, taken together, no two rows share; the primary key is not among them. */
  readonly uniqueKeys: ReadonlyArray<ReadonlyArray<Attribute>>
  /** What the entity says of its table as a whole; a subtype says it of the table that holds its own attributes. */
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
  /** Attributes that the database computes for an insert that leaves them out, and for an update that leaves them alone. */
  readonly insertExpressions: ReadonlyArray<Attribute>
  readonly updateExpressions: ReadonlyArray<Attribute>
  /** Attributes that a flush draws from generators. */
  readonly drawn: ReadonlyArray<Attribute>
  /** What the table gives a row that leaves it out, or the INSERT computes: the generated key first, then all others that a row is loaded with. */
  readonly givenOnInsert: ReadonlyArray<Attribute>
  /** The version, where the database gives a row another with every write; null where there is none, or it is counted. */
  readonly serverVersion: Attribute | null
  /** Attributes whose columns have rules. */
  readonly ruled: ReadonlyArray<Attribute>
  /** What looks at its rows as a whole: its parents' first. */
  readonly validators: ReadonlyArray<RowValidator>
  readonly relationships: ReadonlyArray<RelationshipMapping>
  readonly relationshipOf: ReadonlyMap<string, RelationshipMapping>
  /** The entity that it is a subtype of. Its attributes, key and relationships come first, and are the very same. */
  readonly parent: Mapping | null
  /** The entity that it is a concrete subtype of: they have attributes in common, and neither tables nor keys. */
  readonly concreteOf: Mapping | null
  /** The first of its line of parents, which gives all below it their identities: itself where it has no parent. */
  readonly root: Mapping
  /** Its own subtypes, in the model's order. */
  readonly subtypes: ReadonlyArray<Mapping>
  /** How queries of what it is a subtype of load what it adds; null where they do not. */
  readonly load: SubtypeLoad | null
  /** The attribute that tells the entities of a hierarchy apart; null where an entity stands alone. */
  readonly discriminator: Attribute | null
  /** Its own value of the discriminator; null where it is abstract, and where it stands alone. */
  readonly identity: unknown
  /** The tables that hold its rows, the root's first. */
  readonly parts: ReadonlyArray<TablePart>
}

/**
 * A table that holds some of the attributes of an entity's rows.
 *
 * @category model
 */
export interface TablePart {
  /** The first entity that has it. */
  readonly mapping: Mapping
  readonly table: string
  /** The columns that hold the key, in the key's order. */
  readonly key: ReadonlyArray<string>
  /** Its attributes, the root's with the key. Of single-table subtypes those of the entity's own line. */
  readonly attributes: ReadonlyArray<Attribute>
}

/**
 * A primary key as identity maps hold it: the encoded value itself for a key of one column, canonical text for one of
 * several.
 *
 * @category model
 */
export type RawKey = number | string

/** Does the database give a row a value that leaves the column out? */
const isFilledIn = (column: AnyColumn): boolean =>
  column.serverDefault !== null || column.insertExpression !== null || hasFlag(column, 'serverVersion')

const attributeOf = (name: string, column: AnyColumn, position: number): Attribute => ({
  name,
  columnName: column.columnName ?? name,
  column,
  position,
  isKey: hasFlag(column, 'primaryKey'),
  isGenerated: hasFlag(column, 'generated'),
  isNullable: hasFlag(column, 'nullable'),
  isNullByDefault: hasFlag(column, 'nullable') && !isFilledIn(column) && column.expression === null,
  isDeferred: hasFlag(column, 'deferred'),
  isStored: column.expression === null,
  encode: column.codec.encode,
})

/** Of unique constraints, and of unique indexes that have all rows in them. */
const uniqueNames = ({ unique, indexes }: Constraints): ReadonlyArray<ReadonlyArray<string>> => [
  ...unique.map(({ attributes }) => attributes),
  ...indexes.flatMap((index) =>
    index.unique && index.where === null ? [index.attributes.map(([attribute]) => attribute)] : [],
  ),
]

/** What a mapping is made with that stands alone. */
interface Line {
  readonly parent: Mapping | null
  readonly concreteOf: Mapping | null
  readonly attributes: ReadonlyArray<Attribute>
  readonly uniqueKeys: ReadonlyArray<ReadonlyArray<Attribute>>
  readonly discriminator: Attribute | null
  readonly identity: unknown
}

/**
 * The mapping of one entity, its relationships still to come (`relate`), and its subtypes too. `parentOf` gives the mapping of
 * the entity that it is a subtype of, which has been made before.
 *
 * @category constructors
 */
export const mapEntity = (
  entity: AnyEntity,
  index: number,
  parentOf: (parent: AnyEntity) => Mapping | undefined,
): Mapping => {
  const line = lineOf(entity, parentOf)
  const { parent, attributes, uniqueKeys } = line
  const key = parent?.key ?? attributes.filter((attribute) => attribute.isKey)
  const generatedKey = key.find((attribute) => attribute.isGenerated) ?? null
  const serverVersion = attributes.find(({ column }) => hasFlag(column, 'serverVersion')) ?? null
  const mapping: Draft<Mapping> = {
    _tag: 'Mapping',
    name: entity.name,
    table: entity.table,
    index,
    attributes,
    attributeOf: new Map(attributes.map((attribute) => [attribute.name, attribute])),
    synonyms: synonymsOf(entity, attributes),
    expressions: attributes.filter(({ isStored }) => !isStored),
    model: [],
    key,
    uniqueKeys,
    constraints: entity.constraints,
    generatedKey,
    version: serverVersion ?? attributes.find(({ column }) => hasFlag(column, 'version')) ?? null,
    serverVersion,
    // its own identity asks no service
    hasDefaults: attributes.some(
      (attribute) => attribute !== line.discriminator && attribute.column.defaultValue !== null,
    ),
    insertDefaults: attributes.filter((attribute) => attribute.column.insertValue !== null),
    updateDefaults: attributes.filter((attribute) => attribute.column.updateValue !== null),
    insertExpressions: attributes.filter((attribute) => attribute.column.insertExpression !== null),
    updateExpressions: attributes.filter((attribute) => attribute.column.updateExpression !== null),
    drawn: attributes.filter((attribute) => attribute.column.generator !== null),
    givenOnInsert: [
      ...(generatedKey === null ? [] : [generatedKey]),
      ...attributes.filter(
        (attribute) => attribute !== generatedKey && isFilledIn(attribute.column) && !attribute.isDeferred,
      ),
    ],
    ruled: attributes.filter(({ column }) => column.rules.length > 0),
    validators: [
      ...((parent ?? line.concreteOf)?.validators ?? []),
      ...(entity.validate === null ? [] : [entity.validate]),
    ],
    relationships: [],
    relationshipOf: new Map(),
    parent,
    concreteOf: line.concreteOf,
    root: null as never,
    subtypes: [],
    load: (entity.inheritance !== null && 'load' in entity.inheritance && entity.inheritance.load) || null,
    discriminator: line.discriminator,
    identity: line.identity,
    parts: [],
  }
  mapping.root = parent?.root ?? mapping
  mapping.parts = partsOf(entity, mapping)
  return mapping
}

type Draft<T> = { -readonly [K in keyof T]: T[K] }

/** Names that lead nowhere are a fault of the model, which `defineModel` reports. */
const synonymsOf = (entity: AnyEntity, attributes: ReadonlyArray<Attribute>): ReadonlyMap<string, Attribute> =>
  new Map(
    Object.entries(extensionOf(entity)).flatMap(([name, synonym]) => {
      const named =
        synonym._tag === 'Synonym' ? attributes.find((attribute) => attribute.name === synonym.of) : undefined
      return named === undefined ? [] : [[name, named] as const]
    }),
  )

const uniqueKeysOf = (
  attributes: ReadonlyArray<Attribute>,
  own: ReadonlyArray<Attribute>,
  constraints: Constraints,
): ReadonlyArray<ReadonlyArray<Attribute>> => [
  ...own.flatMap((attribute) => (attribute.column.unique ? [[attribute]] : [])),
  // names that are no attributes are a fault of the model, which `defineModel` reports
  ...uniqueNames(constraints).map((names) =>
    names.flatMap((name) => attributes.find((attribute) => attribute.name === name) ?? []),
  ),
]

const lineOf = (entity: AnyEntity, parentOf: (parent: AnyEntity) => Mapping | undefined): Line => {
  const { constraints, inheritance } = entity
  const above = (inheritance !== null && inheritance._tag !== 'Base' && parentOf(inheritance.parent)) || null
  const [parent, concreteOf] = inheritance?._tag === 'Concrete' ? [null, above] : [above, null]
  if (inheritance === null || inheritance._tag === 'Base' || inheritance._tag === 'Concrete' || parent === null) {
    const attributes = attributesOf(entity.columns as Columns, 0)
    const uniqueKeys = uniqueKeysOf(attributes, attributes, constraints)
    if (inheritance === null || (inheritance._tag !== 'Base' && concreteOf === null)) {
      return { parent, concreteOf, attributes, uniqueKeys, discriminator: null, identity: null }
    }
    return { parent, concreteOf, ...discriminated(attributes, uniqueKeys, entity, inheritance.identity) }
  }
  const own = attributesOf(inheritance.own, parent.attributes.length)
  const attributes = [...parent.attributes, ...own]
  const uniqueKeys = [...parent.uniqueKeys, ...uniqueKeysOf(attributes, own, constraints)]
  return {
    parent,
    concreteOf,
    ...discriminated(attributes, uniqueKeys, entity, inheritance.identity),
  }
}

const attributesOf = (columns: Columns, from: number): ReadonlyArray<Attribute> =>
  Object.entries(columns).map(([name, column], i) => attributeOf(name, column, from + i))

/** Each entity has the discriminator for itself: it fills it in, and takes no other value than its own. */
const discriminated = (
  attributes: ReadonlyArray<Attribute>,
  uniqueKeys: Line['uniqueKeys'],
  entity: AnyEntity,
  identity: unknown,
): Omit<Line, 'parent' | 'concreteOf'> => {
  const root = rootEntity(entity)
  const name = root.inheritance?._tag === 'Base' ? root.inheritance.discriminator : ''
  const found = attributes.find((attribute) => attribute.name === name)
  if (found === undefined) return { attributes, uniqueKeys, discriminator: null, identity }
  const general = (root.columns as Columns)[name] as AnyColumn
  const own = identity === null ? general : { ...general, defaultValue: () => identity, codec: only(general, identity) }
  const discriminator: Attribute = { ...found, column: own, encode: own.codec.encode }
  const replace = (attribute: Attribute): Attribute => (attribute === found ? discriminator : attribute)
  return {
    attributes: attributes.map(replace),
    uniqueKeys: uniqueKeys.map((key) => (key.includes(found) ? key.map(replace) : key)),
    discriminator,
    identity,
  }
}

/** The first of an entity's line of parents. */
export const rootEntity = (entity: AnyEntity): AnyEntity =>
  entity.inheritance === null || entity.inheritance._tag === 'Base' ? entity : rootEntity(entity.inheritance.parent)

/** The codec of one value of another. */
const only = ({ codec }: AnyColumn, value: unknown): AnyColumn['codec'] =>
  // one that generated checks understand
  typeof value === 'string' && codec.encode === t.identity
    ? t.literal(value)
    : new t.Type(
        JSON.stringify(value),
        (u): u is unknown => u === value,
        (u, context) => {
          const validated = codec.validate(u, context)
          return validated._tag === 'Left' || validated.right === value ? validated : t.failure(u, context)
        },
        codec.encode,
      )

/** The attributes that are stored where tables rather than a column tell entities apart. */
export const withoutDiscriminator = ({ attributes, discriminator }: Mapping): ReadonlyArray<Attribute> =>
  attributes.filter((attribute) => attribute !== discriminator && attribute.isStored)

const partsOf = ({ inheritance, table }: AnyEntity, mapping: Mapping): ReadonlyArray<TablePart> => {
  const { attributes, key, parent } = mapping
  if (parent === null) {
    // the table says it by itself
    const stored =
      mapping.concreteOf === null ? attributes.filter(({ isStored }) => isStored) : withoutDiscriminator(mapping)
    return [{ mapping, table, key: key.map(({ columnName }) => columnName), attributes: stored }]
  }
  const own = attributes.slice(parent.attributes.length).filter(({ isStored }) => isStored)
  // the discriminator is the entity's own
  const inherited = parent.parts.map((part) => ({
    ...part,
    attributes: part.attributes.map(({ position }) => attributes[position] as Attribute),
  }))
  if (inheritance?._tag === 'Joined') {
    const columns = inheritance.key ?? parent.root.key.map(({ columnName }) => columnName)
    return [...inherited, { mapping, table, key: columns, attributes: own }]
  }
  return inherited.map((part, i) =>
    i === inherited.length - 1 ? { ...part, attributes: [...part.attributes, ...own] } : part,
  )
}

/**
 * Is an instance of the one an instance of the other: is it the entity itself, or a subtype of it?
 *
 * @category guards
 */
export const isKindOf = (self: Mapping, other: Mapping): boolean => {
  for (let at: Mapping | null = self; at !== null; at = at.parent ?? at.concreteOf) if (at === other) return true
  return false
}

/**
 * Does a relationship take instances of an entity?
 *
 * @category guards
 */
export const takes = ({ accepts, target }: RelationshipMapping, mapping: Mapping): boolean =>
  isKindOf(mapping, target) || accepts.some((accepted) => isKindOf(mapping, accepted))

/**
 * The nearest entity that all instances are that a relationship takes.
 *
 * @category combinators
 */
export const commonTarget = ({ accepts, target }: RelationshipMapping): Mapping => {
  let common = target
  while (common.parent !== null && !accepts.every((accepted) => isKindOf(accepted, common))) common = common.parent
  return common
}

/**
 * Is it only joined, by a condition, so that nothing writes it?
 *
 * @category guards
 */
export const isOnlyJoined = ({ kind }: RelationshipMapping): boolean => kind === 'JoinsMany' || kind === 'JoinsOne'

/**
 * May several rows be targets of one owner: all of them, or to choose one from?
 *
 * @category guards
 */
export const mayHaveSeveral = ({ isCollection, kind }: RelationshipMapping): boolean =>
  isCollection || kind === 'JoinsOne'

/**
 * An entity and all that are subtypes of it, each before its own subtypes.
 *
 * @category combinators
 */
export const withDescendants = (self: Mapping): ReadonlyArray<Mapping> =>
  self.subtypes.length === 0 ? [self] : [self, ...self.subtypes.flatMap(withDescendants)]

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
