/**
 * What names mean inside a tree: which tables a query reads, under which names, with which columns.
 *
 * A scope is one query's sources, inside the scope of the query around it. Names are the program's, so a scope is
 * always made from a tree that is not yet translated.
 */
import {
  AggregateFunctionNode,
  AliasNode,
  CaseNode,
  ColumnNode,
  type CommonTableExpressionNameNode,
  type CommonTableExpressionNode,
  type DeleteQueryNode,
  FunctionNode,
  IdentifierNode,
  type InsertQueryNode,
  ListNode,
  type OperationNode,
  ParensNode,
  ReferenceNode,
  SelectAllNode,
  type SelectionNode,
  SelectQueryNode,
  TableNode,
  type UpdateQueryNode,
} from 'kysely'
import { type Attribute, isKindOf, type Mapping } from '../model/mapping.js'
import {
  introducing,
  isDerived,
  isOwnTable,
  lastPart,
  ownAttributes,
  ownTable,
  sharing,
  subtypeColumn,
} from '../model/parts.js'

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

const references = new WeakMap<ReferenceNode, Column>()

/** A reference to a column of a table of links, which no entity has: it holds a key of the entity that it links. */
export const referringTo = (node: ReferenceNode, mapping: Mapping, attribute: Attribute): ReferenceNode => {
  if (ColumnNode.is(node.column)) references.set(node, { mapping, attribute, columnName: node.column.column.name })
  return node
}

/** The column that a reference was made for by `referringTo`. */
export const referred = (node: ReferenceNode): Column | null => references.get(node) ?? null

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

/** The table that a joined subtype brought, alone: the key, and its own attributes. */
const ownSourceOf = (mapping: Mapping, name: string): Source => {
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

/** The column that a query's output has of one that it selects. */
const given = (column: Column | null, columnName: string): Column | null =>
  column && { mapping: column.mapping, attribute: column.attribute, columnName }

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

const unknownSource = (name: string): Source => ({
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

/** The scope inside a query: its sources, and those of the queries around it. */
export const within = (parent: Scope, tables: ReadonlyArray<OperationNode>): Scope => {
  const sources: Source[] = []
  // the list grows while it is read: a lateral subquery sees the sources before it
  const scope: Scope = { catalog: parent.catalog, sources, expressions: new Map(), parent }
  for (const table of tables) sources.push(...sourcesIn(scope, table))
  return scope
}

const sourcesIn = (scope: Scope, node: OperationNode): ReadonlyArray<Source> => {
  if (ListNode.is(node)) return node.items.flatMap((item) => sourcesIn(scope, item))
  if (TableNode.is(node)) return [tableSource(scope, node, tableName(node))]
  if (!AliasNode.is(node)) return [unknownSource('')]
  const name = IdentifierNode.is(node.alias) ? node.alias.name : ''
  if (TableNode.is(node.node)) return [tableSource(scope, node.node, name)]
  if (SelectQueryNode.is(node.node)) return [outputOf(scope, node.node, name)]
  return [textSource(scope, name)]
}

/** Raw text under the name of an entity's table gives what that has, under the names of the table's columns. */
const textSource = (scope: Scope, name: string): Source => {
  const mapping = scope.catalog.get(name)
  return mapping === undefined ? unknownSource(name) : { ...sourceOf(mapping, name), mapping: null, isOpen: true }
}

const tableSource = (scope: Scope, node: TableNode, name: string): Source => {
  const table = tableName(node)
  const expression = expressionNamed(scope, table)
  if (expression !== undefined) return { ...expression, name }
  const mapping = scope.catalog.get(table)
  if (mapping === undefined) return unknownSource(name)
  return isOwnTable(table) ? ownSourceOf(mapping, name) : sourceOf(mapping, name)
}

const expressionNamed = (scope: Scope, table: string): Source | undefined => {
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    const expression = at.expressions.get(table)
    if (expression !== undefined) return expression
  }
  return undefined
}

/** Is a table of the name a CTE? */
export const isExpression = (scope: Scope, table: string): boolean => expressionNamed(scope, table) !== undefined

/** The tables that a query reads or writes, in order. */
export const tablesOf = (node: SelectQueryNode | UpdateQueryNode | DeleteQueryNode): ReadonlyArray<OperationNode> => {
  const joined = (node.joins ?? []).map((join) => join.table)
  switch (node.kind) {
    case 'SelectQueryNode':
      return [...(node.from?.froms ?? []), ...joined]
    case 'UpdateQueryNode':
      return [...(node.table === undefined ? [] : [node.table]), ...(node.from?.froms ?? []), ...joined]
    case 'DeleteQueryNode':
      return [...node.from.froms, ...(node.using?.tables ?? []), ...joined]
  }
}

/** What a subquery gives, as a source. */
export const outputOf = (parent: Scope, query: SelectQueryNode, name: string): Source =>
  selected(within(withExpressions(parent, query.with?.expressions ?? []), tablesOf(query)), query.selections, name)

const selected = (scope: Scope, selections: ReadonlyArray<SelectionNode> | undefined, name: string): Source => {
  const columns = new Map<string, Column | null>()
  const computed = new Map<string, Computed>()
  let isOpen = selections === undefined
  for (const { selection } of selections ?? []) {
    const stars = starred(scope, selection)
    if (stars !== null) {
      for (const source of stars) {
        for (const [name, column] of source.columns) columns.set(name, given(column, name))
        for (const [name, at] of source.computed) computed.set(name, at)
        isOpen ||= source.isOpen
      }
    } else if (ReferenceNode.is(selection) && ColumnNode.is(selection.column)) {
      const output = selection.column.column.name
      const column = columnOf(scope, selection)
      columns.set(output, given(column, output))
      if (column === null) computed.set(output, { scope, node: selection })
    } else if (AliasNode.is(selection) && IdentifierNode.is(selection.alias)) {
      const output = selection.alias.name
      const column = columnOf(scope, selection.node)
      columns.set(output, given(column, output))
      if (column === null) computed.set(output, { scope, node: selection.node })
    } else {
      isOpen = true
    }
  }
  return { name, mapping: null, columns, computed, isOpen }
}

/** The sources that `*` or `table.*` stands for; null for any other selection. */
export const starred = (scope: Scope, selection: OperationNode): ReadonlyArray<Source> | null => {
  if (SelectAllNode.is(selection)) return scope.sources
  if (!ReferenceNode.is(selection) || !SelectAllNode.is(selection.column) || selection.table === undefined) return null
  const source = sourceNamed(scope, tableName(selection.table))
  return source === null ? [] : [source]
}

/** A scope that knows some CTEs, each of which may read those before it. */
export const withExpressions = (parent: Scope, nodes: ReadonlyArray<CommonTableExpressionNode>): Scope => {
  if (nodes.length === 0) return parent
  const expressions = new Map<string, Source>()
  const scope: Scope = { catalog: parent.catalog, sources: [], expressions, parent }
  for (const { name, expression } of nodes) {
    const table = tableName(name.table)
    const output = SelectQueryNode.is(expression)
      ? outputOf(scope, expression, table)
      : returned(scope, expression, table)
    expressions.set(table, named(output, name))
  }
  return scope
}

/** What an INSERT, UPDATE or DELETE in a CTE gives back. */
const returned = (parent: Scope, node: OperationNode, name: string): Source => {
  const query = node as UpdateQueryNode | DeleteQueryNode | InsertQueryNode
  switch (query.kind) {
    case 'UpdateQueryNode':
    case 'DeleteQueryNode':
      return selected(within(parent, tablesOf(query)), query.returning?.selections, name)
    case 'InsertQueryNode':
      return selected(within(parent, query.into === undefined ? [] : [query.into]), query.returning?.selections, name)
    default:
      return unknownSource(name)
  }
}

/** `with name (a, b) as ...` names the columns anew. */
const named = (source: Source, name: CommonTableExpressionNameNode): Source => {
  if (name.columns === undefined) return source
  const outputs = [...source.columns.values()]
  const names = [...source.columns.keys()]
  return {
    ...source,
    isOpen: false,
    computed: new Map(
      name.columns.flatMap(({ column }, i) => {
        const at = source.isOpen ? undefined : source.computed.get(names[i] ?? '')
        return at === undefined ? [] : [[column.name, at]]
      }),
    ),
    columns: new Map(
      name.columns.map(({ column }, i) => {
        // the columns cannot be counted where the query's are not all known
        const known = source.isOpen ? null : (outputs[i] ?? null)
        return [column.name, given(known, column.name)]
      }),
    ),
  }
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

/** Is it the table of a joined subtype alone? Names without a table are never its columns. */
export const isOwnSource = ({ mapping, columns }: Source): boolean =>
  mapping !== null && ownColumnsOf.get(mapping) === columns

/** Functions that give one of their arguments. */
const choosing: ReadonlySet<string> = new Set(['coalesce', 'ifnull', 'nullif', 'greatest', 'least', 'max', 'min'])

/** Whether a function's values are those of its arguments. */
export const isChoosing = (node: FunctionNode | AggregateFunctionNode): boolean => choosing.has(node.func.toLowerCase())

/**
 * The column whose values an expression takes: the column itself, or one of several that it chooses from. Null where it
 * computes something else.
 */
export const columnOf = (scope: Scope, node: OperationNode): Column | null => {
  if (ReferenceNode.is(node)) return referred(node) ?? find(scope, node)?.column ?? null
  if (ParensNode.is(node) || AliasNode.is(node)) return columnOf(scope, node.node)
  if (FunctionNode.is(node)) return isChoosing(node) ? firstColumn(scope, node.arguments) : null
  if (AggregateFunctionNode.is(node)) return isChoosing(node) ? firstColumn(scope, node.aggregated) : null
  if (CaseNode.is(node)) return firstColumn(scope, branches(node))
  if (SelectQueryNode.is(node)) return [...outputOf(scope, node, '').columns.values()][0] ?? null
  return null
}

/** What a CASE can give. */
export const branches = (node: CaseNode): ReadonlyArray<OperationNode> =>
  [...(node.when ?? []).map((when) => when.result), node.else].flatMap((branch) =>
    branch === undefined ? [] : [branch],
  )

const firstColumn = (scope: Scope, nodes: ReadonlyArray<OperationNode>): Column | null => {
  for (const node of nodes) {
    const column = columnOf(scope, node)
    if (column !== null) return column
  }
  return null
}
