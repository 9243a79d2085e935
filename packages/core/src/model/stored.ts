/**
 * The tables of a model as they are stored: a mapping for each table rather than for each entity.
 *
 * An entity that stands alone has one table, and its mapping is that of the table. A joined subtype's table has its key and
 * what it adds; the table of an entity with single-table subtypes has what these add too, in columns that may be NULL.
 */
import type { AnyColumn } from './column.js'
import type { Attribute, Mapping, RelationshipMapping } from './mapping.js'
import { commonTarget, isOnlyJoined, withDescendants } from './mapping.js'
import { hasTable, isDerived } from './parts.js'

const stored = new WeakMap<ReadonlyArray<Mapping>, ReadonlyArray<Mapping>>()

/**
 * The tables of some mappings, in their order. The very same list where no entity is a subtype, or has
 * attributes that no table holds.
 *
 * @example
 * storedMappings(model.mappings).map(({ table }) => table) // ['people', 'engineers']
 *
 * @category combinators
 */
export const storedMappings = (mappings: ReadonlyArray<Mapping>): ReadonlyArray<Mapping> => {
  const known = stored.get(mappings)
  if (known !== undefined) return known
  const made = mappings.some((mapping) => isDerived(mapping) || mapping.expressions.length > 0)
    ? tablesOf(mappings)
    : mappings
  stored.set(mappings, made)
  return made
}

const entities = new WeakMap<Mapping, ReadonlyArray<Mapping>>()

/**
 * The entities that a table has rows of, each with its own names for the table's attributes: single-table subtypes may call
 * different columns by one name, and one column by different names. The table's mapping itself where no entity is a subtype.
 *
 * @category combinators
 */
export const entitiesIn = (table: Mapping): ReadonlyArray<Mapping> => entities.get(table) ?? [table]

type Draft<T> = { -readonly [K in keyof T]: T[K] }

/** A table, and which of its attributes are those of the entities. */
interface Stored {
  readonly mapping: Draft<Mapping>
  readonly attributeOf: ReadonlyMap<Attribute, Attribute>
}

const tablesOf = (mappings: ReadonlyArray<Mapping>): ReadonlyArray<Mapping> => {
  const tables = new Map<Mapping, Stored>()
  for (const mapping of mappings) {
    if (tableOwner(mapping) === mapping && hasTable(mapping)) tables.set(mapping, tableOf(mapping))
  }
  const tableFor = (mapping: Mapping): Stored | undefined => tables.get(tableOwner(mapping))
  for (const [mapping, { mapping: table }] of tables) {
    if (mapping.parent !== null) table.parent = tableFor(mapping.parent)?.mapping ?? null
    table.root = tableFor(mapping.root)?.mapping ?? table
  }
  for (const mapping of mappings) {
    const table = tableFor(mapping)?.mapping
    if (table === undefined) continue
    const own = mapping.relationships.filter(({ owner }) => owner === mapping)
    table.relationships = [
      ...table.relationships,
      ...own.flatMap((relationship) => storedRelationship(relationship, tableFor) ?? []),
    ]
  }
  return [...tables.values()].map(({ mapping }) => mapping)
}

/** The entity that brought the last of an entity's tables: the one that its own attributes stand in. */
const tableOwner = (mapping: Mapping): Mapping => mapping.parts.at(-1)?.mapping ?? mapping

const tableOf = (mapping: Mapping): Stored => {
  const part = mapping.parts.at(-1)
  const attributeOf = new Map<Attribute, Attribute>()
  const attributes: Draft<Attribute>[] = []
  const byColumn = new Map<string, Draft<Attribute>>()
  const put = (from: Attribute, changes: Partial<Attribute>): void => {
    // subtypes that share a table may share a column of it
    const known = byColumn.get(changes.columnName ?? from.columnName)
    if (known !== undefined) known.column = sharedColumn(known.column, from.column)
    const made = known ?? { ...from, ...changes, position: attributes.length }
    if (known === undefined) {
      attributes.push(made)
      byColumn.set(made.columnName, made)
    }
    attributeOf.set(from, made)
  }
  if (mapping.parent !== null) {
    mapping.key.forEach((key, i) => {
      const columnName = part?.key[i] ?? key.columnName
      const column = { ...key.column, foreignKey: null, serverDefault: null, unique: false }
      put(key, { columnName, column, isGenerated: false })
    })
  }
  for (const attribute of part?.attributes ?? []) put(attribute, {})
  for (const subtype of withDescendants(mapping)) {
    if (subtype === mapping || tableOwner(subtype) !== mapping) continue
    for (const attribute of subtype.attributes.slice(subtype.parent?.attributes.length)) {
      if (attribute.isStored) put(attribute, { isNullable: true })
    }
  }
  const key = mapping.key.map((attribute) => attributeOf.get(attribute) as Attribute)
  // each entity has a discriminator of its own, which is one column
  const storedAs = (attribute: Attribute): Attribute | undefined =>
    attributeOf.get(mapping.attributes[attribute.position] ?? attribute)
  const held = withDescendants(mapping).filter((one) => tableOwner(one) === mapping)
  const uniqueKeys = held
    .flatMap((one) => one.uniqueKeys)
    .filter((attributes, i, all) => all.indexOf(attributes) === i)
    .map((attributes) => attributes.map(storedAs))
    .filter((attributes): attributes is Attribute[] => !attributes.includes(undefined))
  const table: Draft<Mapping> = {
    ...mapping,
    attributes,
    attributeOf: new Map(attributes.map((attribute) => [attribute.name, attribute])),
    expressions: [],
    key,
    uniqueKeys,
    generatedKey: key.find(({ isGenerated }) => isGenerated) ?? null,
    relationships: [],
    relationshipOf: new Map(),
    subtypes: [],
  }
  entities.set(
    table,
    held.map((entity) => entityIn(table, entity, storedAs)),
  )
  return { attributeOf, mapping: table }
}

/** An entity as if the table were its alone. */
const entityIn = (
  table: Mapping,
  entity: Mapping,
  storedAs: (attribute: Attribute) => Attribute | undefined,
): Mapping => {
  const stored = entity.attributes.flatMap((attribute) => {
    const found = storedAs(attribute)
    return found === undefined ? [] : [[attribute.name, found] as const]
  })
  const { constraints, name } = entity
  return { ...table, name, table: entity.table, constraints, attributeOf: new Map(stored) }
}

/** A column that subtypes share: what one of them asks of it holds for all, and each allows its own values of an enum. */
const sharedColumn = (self: AnyColumn, other: AnyColumn): AnyColumn => {
  const shared = {
    ...self,
    foreignKey: self.foreignKey ?? other.foreignKey,
    unique: self.unique || other.unique,
  }
  if (self.detail?._tag !== 'Enum' || other.detail?._tag !== 'Enum') return shared
  const values = [...new Set([...self.detail.values, ...other.detail.values])]
  return { ...shared, detail: { ...self.detail, values } }
}

/** A relationship between tables; null where no single table holds its foreign key. */
const storedRelationship = (
  relationship: RelationshipMapping,
  tableFor: (mapping: Mapping) => Stored | undefined,
): RelationshipMapping | null => {
  const { kind, owner, foreignKey, isByIdentity, key } = relationship
  // a foreign key refers to what all have that it may refer to
  const target = kind === 'BelongsTo' || kind === 'ManyToMany' ? commonTarget(relationship) : relationship.target
  const [ownTable, targetTable] = [tableFor(owner)?.mapping, tableFor(target)?.mapping]
  if (ownTable === undefined || targetTable === undefined) return null
  if (kind === 'ManyToMany') return { ...relationship, owner: ownTable, target: targetTable }
  // what nobody writes has no foreign key
  if (isOnlyJoined(relationship)) return null
  const holder = kind === 'BelongsTo' ? owner : target
  const holding = holdingTable(holder, foreignKey, tableFor)
  if (holding === null) return null
  const referred = kind === 'BelongsTo' ? target : owner
  // the primary key stands in all of an entity's tables
  const referredTable = isByIdentity ? tableFor(referred) : holdingTable(referred, key, tableFor)
  if (referredTable === undefined || referredTable === null) return null
  return {
    ...relationship,
    owner: kind === 'BelongsTo' ? holding.mapping : referredTable.mapping,
    target: kind === 'BelongsTo' ? referredTable.mapping : holding.mapping,
    foreignKey: foreignKey.map((attribute) => holding.attributeOf.get(attribute) as Attribute),
    key: isByIdentity
      ? referredTable.mapping.key
      : key.map((attribute) => referredTable.attributeOf.get(attribute) as Attribute),
  }
}

const holdingTable = (
  holder: Mapping,
  foreignKey: ReadonlyArray<Attribute>,
  tableFor: (mapping: Mapping) => Stored | undefined,
): Stored | null => {
  for (let at: Mapping | null = holder; at !== null; at = at.parent) {
    const table = tableFor(at)
    if (table !== undefined && foreignKey.every((attribute) => table.attributeOf.has(attribute))) return table
  }
  return null
}
