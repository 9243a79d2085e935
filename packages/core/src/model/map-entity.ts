/**
 * Mappings made of entities, before their relationships are known.
 */
import * as t from 'io-ts'
import { type AnyColumn, hasFlag } from './column.js'
import type { Constraints } from './constraint.js'
import type { AnyEntity, Columns } from './entity.js'
import { extensionOf } from './extension.js'
import { type Attribute, type Mapping, type TablePart, withoutDiscriminator } from './mapping.js'

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
