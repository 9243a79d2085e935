/**
 * What references lead to: the columns of sources, by the names that they have in a scope.
 */
import { ColumnNode, type OperationNode, ReferenceNode, SelectAllNode, type TableNode } from 'kysely'
import { type Attribute, isKindOf, type Mapping } from '../model/mapping.js'
import { introducing, isDerived, subtypeColumn } from '../model/parts.js'
import { type Catalog, type Column, type Computed, isOwnSource, type Scope, type Source, tableName } from './source.js'

const references = new WeakMap<ReferenceNode, Column>()

/** A reference to a column of a table of links, which no entity has: it holds a key of the entity that it links. */
export const referringTo = (node: ReferenceNode, mapping: Mapping, attribute: Attribute): ReferenceNode => {
  if (ColumnNode.is(node.column)) references.set(node, { mapping, attribute, columnName: node.column.column.name })
  return node
}

/** The column that a reference was made for by `referringTo`. */
export const referred = (node: ReferenceNode): Column | null => references.get(node) ?? null

/** The sources that `*` or `table.*` stands for; null for any other selection. */
export const starred = (scope: Scope, selection: OperationNode): ReadonlyArray<Source> | null => {
  if (SelectAllNode.is(selection)) return scope.sources
  if (!ReferenceNode.is(selection) || !SelectAllNode.is(selection.column) || selection.table === undefined) return null
  const source = sourceNamed(scope, tableName(selection.table))
  return source === null ? [] : [source]
}

const sourceNamed = (scope: Scope, name: string): Source | null => {
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    const source = at.sources.find((candidate) => candidate.name === name)
    if (source !== undefined) return source
  }
  return null
}

/** A column and the source that it is of. */
export interface Found {
  readonly source: Source
  readonly column: Column
}

/**
 * What a reference means; null where it leads to no attribute. An unqualified name is looked for in the innermost
 * query first, and not past one that reads a table of unknown columns.
 */
export const find = (scope: Scope, { table, column }: ReferenceNode): Found | null => {
  if (!ColumnNode.is(column)) return null
  const { name } = column.column
  if (table !== undefined) return foundIn(sourceNamed(scope, tableName(table)), name) ?? inherited(scope, table, name)
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    const source = at.sources.find((candidate) => candidate.columns.has(name) && !isOwnSource(candidate))
    if (source !== undefined) return foundIn(source, name)
    if (at.sources.some((candidate) => candidate.isOpen)) return null
  }
  return null
}

/** What computes the column that a reference leads to, where it is of no attribute. */
export const computedAt = (scope: Scope, { table, column }: ReferenceNode): Computed | null => {
  if (!ColumnNode.is(column)) return null
  const { name } = column.column
  if (table !== undefined) return sourceNamed(scope, tableName(table))?.computed.get(name) ?? null
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    const source = at.sources.find((candidate) => candidate.columns.has(name))
    if (source !== undefined) return source.computed.get(name) ?? null
    if (at.sources.some((candidate) => candidate.isOpen)) return null
  }
  return null
}

const foundIn = (source: Source | null, name: string): Found | null => {
  const column = source?.columns.get(name) ?? null
  return source === null || column === null ? null : { source, column }
}

/**
 * An attribute of a subtype by the subtype's name, where its table is not what has it: that of a parent does, with which it
 * shares the table or to which it is joined. Or one by the table of a parent, in a query of the subtype that does not read
 * that table.
 */
const inherited = (scope: Scope, table: TableNode, name: string): Found | null => {
  const given = tableName(table)
  if (sourceNamed(scope, given) === null) {
    const base = scope.catalog.get(given)
    const found = base === undefined || base.subtypes.length === 0 ? null : inSubtype(scope, base, name)
    if (found !== null) return found
  }
  const mapping = sourceNamed(scope, given)?.mapping ?? entityNamed(scope.catalog, given)
  const attribute = mapping?.attributeOf.get(name)
  if (mapping === null || attribute === undefined) return null
  const shared = subtypeColumn(introducing(mapping, attribute), attribute)
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    for (const source of at.sources) {
      if (source.mapping === null || !isKindOf(mapping, source.mapping)) continue
      const found = foundIn(source, shared) ?? foundIn(source, name)
      if (found !== null) return found
    }
  }
  return null
}

/** An attribute of a parent in what a query reads of one of its subtypes. */
const inSubtype = (scope: Scope, base: Mapping, name: string): Found | null => {
  if (!base.attributeOf.has(name) && !base.synonyms.has(name)) return null
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    const source = at.sources.find((one) => one.mapping !== null && isKindOf(one.mapping, base) && !isOwnSource(one))
    if (source !== undefined) return foundIn(source, name)
  }
  return null
}

const entityNamed = (catalog: Catalog, name: string): Mapping | null => {
  for (const mapping of catalog.values()) if (isDerived(mapping) && mapping.name === name) return mapping
  return null
}
