/**
 * Sources: tables, subqueries and CTEs under the names by which a query refers to them, with their columns.
 */
import { type OperationNode, TableNode } from 'kysely'
import type { Attribute, Mapping } from '../model/mapping.js'
import { isDerived, lastPart, ownAttributes, ownTable, sharing, subtypeColumn } from '../model/parts.js'

/** A column that a name leads to, and the attribute whose values it holds. */
export interface Column {
  readonly mapping: Mapping
  readonly attribute: Attribute
  /** Its name where it is referred to: that of the table, or of the subquery's output. */
  readonly columnName: string
  /** Is it computed by an expression of the attribute where it is referred to? */
  readonly isComputed?: boolean
  /** Where a value of it stands, if not beside it: assigned to it, or alone among the results of an expression. */
  readonly place?: 'assigned' | 'alone'
}

/** An expression, and what its names mean. */
export interface Computed {
  readonly scope: Scope
  readonly node: OperationNode
}

/** A table, subquery or CTE under the name by which a query refers to it. */
export interface Source {
  readonly name: string
  /** The entity whose table it is, where it is one. */
  readonly mapping: Mapping | null
  /** By the names that the program gives them; null for a column of no attribute. */
  readonly columns: ReadonlyMap<string, Column | null>
  /** What the columns of no attribute are computed by, as far as that is known. */
  readonly computed: ReadonlyMap<string, Computed>
  /** It may have columns beside these. */
  readonly isOpen: boolean
}

/** The entities of a model, by their tables. */
export type Catalog = ReadonlyMap<string, Mapping>

/** What the names of one query mean, inside the query around it. */
export interface Scope {
  readonly catalog: Catalog
  readonly sources: ReadonlyArray<Source>
  /** CTEs, which hide tables of the same name. */
  readonly expressions: ReadonlyMap<string, Source>
  readonly parent: Scope | null
}

const catalogs = new WeakMap<ReadonlyArray<Mapping>, Catalog>()

/** The same catalog for the same mappings. */
export const catalogOf = (mappings: ReadonlyArray<Mapping>): Catalog => {
  const known = catalogs.get(mappings)
  if (known !== undefined) return known
  const catalog = new Map(mappings.map((mapping) => [mapping.table, mapping]))
  for (const mapping of mappings) if (isDerived(mapping)) catalog.set(ownTable(mapping), mapping)
  catalogs.set(mappings, catalog)
  return catalog
}

/** The scope of no query. */
export const outermost = (catalog: Catalog): Scope => ({
  catalog,
  sources: [],
  expressions: new Map(),
  parent: null,
})

type Columns = ReadonlyMap<string, Column>

const columnsOf = new WeakMap<Mapping, Columns>()

const ownColumnsOf = new WeakMap<Mapping, Columns>()

/** The table of a mapping under a name; a subtype's is a subquery, which has its attributes by their own names. */
export const sourceOf = (mapping: Mapping, name: string): Source => {
  const isNamed = isDerived(mapping)
  const columns = remembered(columnsOf, mapping, () => [
    ...mapping.attributes.map((attribute) => [attribute.name, column(mapping, attribute, isNamed)] as const),
    ...[...mapping.synonyms].map(([name, attribute]) => [name, column(mapping, attribute, isNamed)] as const),
    ...sharedColumns(mapping, isNamed),
  ])
  return { name, mapping, columns, computed: nothingComputed, isOpen: false }
}

/** The table that a joined subtype brought, alone: the key, and its own attributes. @category constructors */
export const ownSourceOf = (mapping: Mapping, name: string): Source => {
  const { key } = lastPart(mapping)
  const columns = remembered(ownColumnsOf, mapping, () => [
    ...mapping.key.map((attribute, i) => [attribute.name, { mapping, attribute, columnName: key[i] ?? '' }] as const),
    ...lastPart(mapping).attributes.map((attribute) => [attribute.name, column(mapping, attribute, false)] as const),
    ...ownAttributes(mapping)
      .filter(({ isStored }) => !isStored)
      .map((attribute) => [attribute.name, column(mapping, attribute, false)] as const),
    ...ownSynonyms(mapping),
    ...sharedColumns(mapping, false),
  ])
  return { name, mapping, columns, computed: nothingComputed, isOpen: false }
}

const remembered = (
  known: WeakMap<Mapping, Columns>,
  mapping: Mapping,
  columns: () => ReadonlyArray<readonly [string, Column]>,
): Columns => {
  const found = known.get(mapping) ?? new Map(columns())
  known.set(mapping, found)
  return found
}

const column = (mapping: Mapping, attribute: Attribute, isNamed: boolean): Column => {
  const columnName = isNamed ? attribute.name : attribute.columnName
  return attribute.isStored ? { mapping, attribute, columnName } : { mapping, attribute, columnName, isComputed: true }
}

/** Other names of what stands in the table that a joined subtype brought. */
const ownSynonyms = (mapping: Mapping): ReadonlyArray<readonly [string, Column]> => {
  const { attributes } = lastPart(mapping)
  return [...mapping.synonyms].flatMap(([name, attribute]) =>
    attributes.includes(attribute) ? [[name, column(mapping, attribute, false)] as const] : [],
  )
}

/** What subtypes without a table of their own have in this one. */
const sharedColumns = (mapping: Mapping, isNamed: boolean): ReadonlyArray<readonly [string, Column]> =>
  sharing(mapping).flatMap((subtype) =>
    ownAttributes(subtype).map((attribute) => {
      const name = subtypeColumn(subtype, attribute)
      const shared = column(subtype, attribute, false)
      return [name, isNamed ? { ...shared, columnName: name } : shared] as const
    }),
  )

const nothingKnown: ReadonlyMap<string, Column | null> = new Map()

const nothingComputed: ReadonlyMap<string, Computed> = new Map()

/** A source of which nothing but its name is known. @category constructors */
export const unknownSource = (name: string): Source => ({
  name,
  mapping: null,
  columns: nothingKnown,
  computed: nothingComputed,
  isOpen: true,
})

/** The name of a table, with its schema where it has one. */
export const tableName = ({ table }: TableNode): string =>
  table.schema === undefined ? table.identifier.name : `${table.schema.name}.${table.identifier.name}`

/** A table by its name, with its schema where it has one. */
export const namedTable = (name: string): TableNode => {
  const dot = name.indexOf('.')
  return dot === -1 ? TableNode.create(name) : TableNode.createWithSchema(name.slice(0, dot), name.slice(dot + 1))
}

/** Is it the table of a joined subtype alone? Names without a table are never its columns. */
export const isOwnSource = ({ mapping, columns }: Source): boolean =>
  mapping !== null && ownColumnsOf.get(mapping) === columns
