/**
 * What rows consist of when they move: the tables of an entity and its subtypes with all of their columns, what belongs beside
 * them, and the links from and to them. Read off a model and its choosers once.
 */
import {
  type AnyModel,
  type Attribute,
  type ColumnKind,
  type Mapping,
  type RelationshipMapping,
  withDescendants,
} from '@unitary/core'
import type { Choosers } from '../chooser/chooser.js'

export interface MovedColumn {
  readonly name: string
  readonly kind: ColumnKind
}

export interface MovedTable {
  /** The entity that a failure is told of. */
  readonly entity: string
  readonly table: string
  /** Every column that is written: not what the database gives each version of a row. */
  readonly columns: ReadonlyArray<MovedColumn>
  /** The columns that tell its rows apart: of an entity its key, of links both ends. */
  readonly key: ReadonlyArray<MovedColumn>
}

/** A table of links, as one of its ends has it. */
export interface LinkTable {
  readonly table: MovedTable
  readonly own: ReadonlyArray<MovedColumn>
}

/** Rows that belong beside those of a family, by a foreign key. */
export interface Beside {
  readonly family: Family
  /** The table that holds the foreign key. */
  readonly table: MovedTable
  readonly foreignKey: ReadonlyArray<MovedColumn>
  /** The columns of the parents that it refers to, and the table that holds them. */
  readonly parent: MovedTable
  readonly key: ReadonlyArray<MovedColumn>
}

/** An entity with its subtypes. */
export interface Family {
  readonly root: Mapping
  readonly members: ReadonlyArray<Mapping>
  /** The root's first. */
  readonly tables: ReadonlyArray<MovedTable>
  readonly links: ReadonlyArray<LinkTable>
  readonly beside: ReadonlyArray<Beside>
}

const columnOf = ({ column, columnName }: Attribute, name = columnName): MovedColumn => ({ name, kind: column.kind })

type Draft<T> = { -readonly [K in keyof T]: T[K] extends ReadonlyArray<infer A> ? A[] : T[K] }

/** The families of a model: parents before what refers to them. O(model). */
export const familiesOf = (model: AnyModel, choosers: Choosers): ReadonlyArray<Family> => {
  const roots = model.mappings.filter(({ parent }) => parent === null)
  const families = new Map(
    roots.map((root): [Mapping, Draft<Family>] => {
      const members = [...withDescendants(root)]
      return [root, { root, members, tables: tablesOf(root, members), links: [], beside: [] }]
    }),
  )
  const familyOf = ({ root }: Mapping): Draft<Family> => families.get(root) as Draft<Family>
  // links with an entity of their own go as its rows do
  const isEntityTable = (table: string | undefined): boolean =>
    [...families.values()].some(({ tables }) => tables.some((one) => one.table === table))
  for (const mapping of model.mappings) {
    for (const relationship of mapping.relationships) {
      if (relationship.owner === mapping && !isEntityTable(relationship.through?.table))
        addLinks(relationship, familyOf)
    }
    const basis = choosers.basisOf?.(mapping.name) ?? null
    const relationship = basis?.kind === 'relationship' ? mapping.relationshipOf.get(basis.name) : undefined
    // a subtype comes with the entity that it is one of
    if (relationship === undefined || relationship.owner !== mapping) continue
    const [child, parent] = [familyOf(mapping), familyOf(relationship.target)]
    const [held, referred] = [tableWith(child, relationship.foreignKey), tableWith(parent, relationship.key)]
    if (held === undefined || referred === undefined) continue
    parent.beside.push({
      family: child,
      table: held,
      foreignKey: relationship.foreignKey.map((attribute) => columnOf(attribute)),
      parent: referred,
      key: relationship.key.map((attribute) => columnOf(attribute)),
    })
  }
  return inOrder([...families.values()])
}

const tablesOf = (root: Mapping, members: ReadonlyArray<Mapping>): MovedTable[] => {
  const tables = new Map<string, { key: MovedColumn[]; columns: Map<string, MovedColumn> }>()
  for (const member of members) {
    for (const { attributes, key, table } of member.parts) {
      const keys = key.map((name, i) => columnOf(root.key[i] as Attribute, name))
      const known = tables.get(table) ?? { key: keys, columns: new Map(keys.map((column) => [column.name, column])) }
      tables.set(table, known)
      for (const attribute of attributes) {
        if (attribute !== member.serverVersion) known.columns.set(attribute.columnName, columnOf(attribute))
      }
    }
  }
  return Array.from(tables, ([table, { columns, key }]) => ({
    entity: root.name,
    table,
    key,
    columns: [...columns.values()],
  }))
}

const tableWith = ({ tables }: Draft<Family>, attributes: ReadonlyArray<Attribute>): MovedTable | undefined =>
  tables.find(({ columns }) => attributes.every(({ columnName }) => columns.some(({ name }) => name === columnName)))

/** Both ends have the links, whichever of them has the relationship. */
const addLinks = (
  { owner, target, through }: RelationshipMapping,
  familyOf: (mapping: Mapping) => Draft<Family>,
): void => {
  if (through === null) return
  const own = through.own.map((name, i) => columnOf(owner.key[i] as Attribute, name))
  const other = through.target.map((name, i) => columnOf(target.key[i] as Attribute, name))
  const ends = [...own, ...other]
  const table: MovedTable = { entity: owner.name, table: through.table, columns: ends, key: ends }
  add(familyOf(owner), { table, own })
  add(familyOf(target), { table, own: other })
}

const add = ({ links }: Draft<Family>, link: LinkTable): void => {
  const isKnown = links.some(
    ({ own, table }) => table.table === link.table.table && own.every(({ name }, i) => name === link.own[i]?.name),
  )
  if (!isKnown) links.push(link)
}

/** What a family's rows refer to comes before it; where they refer to each other, as they come. */
const inOrder = (families: ReadonlyArray<Family>): ReadonlyArray<Family> => {
  const ordered = new Set<Family>()
  const begun = new Set<Family>()
  const visit = (family: Family): void => {
    if (begun.has(family)) return
    begun.add(family)
    for (const { relationships } of family.members) {
      for (const { foreignKey, kind, target } of relationships) {
        const other = families.find(({ root }) => root === target.root)
        if (kind === 'BelongsTo' && foreignKey.length > 0 && other !== undefined) visit(other)
      }
    }
    ordered.add(family)
  }
  for (const family of families) visit(family)
  return [...ordered]
}
