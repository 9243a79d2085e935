/**
 * Which attributes a query selects: parts of an entity, and what is deferred beside the rest.
 *
 * What a query leaves out is not in its results' type. The instances know that it is missing, and `Session.read` loads it.
 */
import { AliasNode, ColumnNode, IdentifierNode, ReferenceNode, SelectionNode, type SelectQueryNode } from 'kysely'
import type { RowColumns } from '../codec/row-class.js'
import { hasFlag } from '../model/column.js'
import type { DeferredAttribute, DeferredIn, KeyAttribute, OwnName, RowOf } from '../model/infer.js'
import { type Attribute, type Mapping, withDescendants } from '../model/mapping.js'
import { introducing, ownAttributes, subtypeColumn } from '../model/parts.js'
import type { Extent } from './extent.js'
import type { AnySelect, Select } from './select.js'
import { tableName } from './source.js'
import { attributeNode } from './statement.js'

/** Attributes that a row has unless it is said otherwise. @category model */
export type Plain<M, N extends string> = Exclude<OwnName<M, N>, DeferredAttribute<M, N>>

/** The extent of a query that leaves out attributes besides. @category model */
export interface Omitting<X extends Extent, A> extends Extent {
  readonly joined: X['joined']
  readonly omitted: X['omitted'] | (A & string)
}

/**
 * Leaves attributes out of the rows. Primary keys are always selected.
 *
 * @example
 * pipe(select(model.Book), defer('summary'))
 *
 * @category combinators
 */
export const defer =
  <M, N extends string, L, X extends Extent, A extends Plain<M, N>>(...names: readonly [A, ...ReadonlyArray<A>]) =>
  (self: Select<M, N, L, X>): Select<M, N, L, Omitting<X, A>> =>
    selecting(self, (attribute, isSelected) => isSelected && !names.includes(attribute.name as A)) as never

/**
 * Selects these attributes and the primary key, and no others.
 *
 * @example
 * pipe(select(model.Book), loadOnly('title'))
 *
 * @category combinators
 */
export const loadOnly =
  <M, N extends string, L, X extends Extent, A extends OwnName<M, N>>(...names: readonly [A, ...ReadonlyArray<A>]) =>
  (
    self: Select<M, N, L, X>,
  ): Select<
    M,
    N,
    L & Pick<RowOf<M, N>, Extract<A, DeferredAttribute<M, N>>>,
    Omitting<X, Exclude<Plain<M, N>, A | KeyAttribute<M, N>>>
  > =>
    selecting(self, ({ name }) => names.includes(name as A)) as never

/**
 * Selects attributes that are deferred, beside the others.
 *
 * @example
 * pipe(select(model.Book), undefer('fullText'))
 *
 * @category combinators
 */
export const undefer =
  <M, N extends string, L, X extends Extent, A extends DeferredAttribute<M, N> & keyof RowOf<M, N> & string>(
    ...names: readonly [A, ...ReadonlyArray<A>]
  ) =>
  (self: Select<M, N, L, X>): Select<M, N, L & Pick<RowOf<M, N>, A>, X> =>
    selecting(self, ({ name }, isSelected) => isSelected || names.includes(name as A)) as never

/**
 * Selects the attributes of a group that are deferred together (see `deferred`), beside the others.
 *
 * @example
 * pipe(select(model.Book), undeferGroup('texts'))
 *
 * @category combinators
 */
export const undeferGroup =
  <M, N extends string, L, X extends Extent, const G extends string>(group: G) =>
  (self: Select<M, N, L, X>): Select<M, N, L & Pick<RowOf<M, N>, DeferredIn<M, N, G> & keyof RowOf<M, N>>, X> =>
    selecting(self, ({ column }, isSelected) => isSelected || hasFlag(column, `group ${group}`)) as never

/**
 * Selects attributes beside the others, whatever its results' type says: what a load needs to tell whose its rows are. The
 * same query where it selects them already.
 *
 * @category combinators
 */
export const alsoSelecting = (self: AnySelect, attributes: ReadonlyArray<Attribute>): AnySelect => {
  const selected = columnsOf(self)
  return attributes.every(({ isDeferred, position }) => (selected === null ? !isDeferred : selected[position] !== null))
    ? self
    : selecting(self, (attribute, isSelected) => isSelected || attributes.includes(attribute))
}

const selecting = (self: AnySelect, isWanted: (attribute: Attribute, isSelected: boolean) => boolean): AnySelect => {
  const { mapping } = self.entity
  const selected = selectedBy(mapping, self.node)
  const others = (self.node.selections ?? []).filter((selection) => attributeOf(mapping, selection) === null)
  const attributes = mapping.attributes.filter(
    (attribute) =>
      attribute.isKey || attribute === mapping.discriminator || isWanted(attribute, selected.has(attribute)),
  )
  const selections = attributes.map((attribute) => SelectionNode.create(attributeNode(mapping, attribute)))
  return { ...self, node: Object.freeze({ ...self.node, selections: Object.freeze([...selections, ...others]) }) }
}

const attributeOf = (mapping: Mapping, { selection }: SelectionNode): Attribute | null => {
  if (AliasNode.is(selection)) {
    return IdentifierNode.is(selection.alias) ? (mapping.attributeOf.get(selection.alias.name) ?? null) : null
  }
  if (!ReferenceNode.is(selection) || !ColumnNode.is(selection.column)) return null
  return selection.table === undefined || tableName(selection.table) === mapping.table
    ? (mapping.attributeOf.get(selection.column.column.name) ?? null)
    : null
}

/** The attributes that a query selects, in their order. */
export const selectedAttributes = (query: AnySelect): ReadonlyArray<Attribute> => {
  const selected = columnsOf(query)
  const { attributes } = query.entity.mapping
  return attributes.filter(({ isDeferred, position }) =>
    selected === null ? !isDeferred : selected[position] !== null,
  )
}

const selectedBy = (mapping: Mapping, { selections = [] }: SelectQueryNode): ReadonlySet<Attribute> =>
  new Set(selections.flatMap((selection) => attributeOf(mapping, selection) ?? []))

const columns = new WeakMap<object, RowColumns | null>()

/**
 * The columns of a query's rows that hold the entity's attributes, where they are not those of every row: null where all is
 * selected but what is deferred. O(attributes), once for each list of selections.
 *
 * @category interpreters
 */
export const columnsOf = ({ entity: { mapping }, node }: AnySelect): RowColumns | null => {
  const { selections } = node
  if (selections === undefined) return null
  let known = columns.get(selections)
  if (known === undefined) {
    const selected = selectedBy(mapping, node)
    // where nothing is told apart, as by `select *`, everything may be there
    const isUsual = selected.size === 0 || mapping.attributes.every((a) => selected.has(a) !== a.isDeferred)
    known = isUsual ? null : rowColumns(mapping, (attribute) => (selected.has(attribute) ? attribute.name : null))
    columns.set(selections, known)
  }
  return known
}

const subtypeColumns = new WeakMap<object, Map<Mapping, RowColumns>>()

/**
 * The columns of a query's rows that hold the attributes of one of its entity's subtypes: those of the entity, and those that the
 * query selects of subtypes (`withSubtypes`). O(attributes), once for each list of selections and subtype.
 *
 * @category interpreters
 */
export const columnsAs = (self: AnySelect, subtype: Mapping): RowColumns | null => {
  const { entity, node } = self
  const own = columnsOf(self)
  if (subtype === entity.mapping) return own
  const { selections = [] } = node
  const known = subtypeColumns.get(selections)?.get(subtype)
  if (known !== undefined) return known
  const names = new Set(selections.map(outputName))
  const made = rowColumns(subtype, (attribute) => {
    if (attribute.position >= entity.mapping.attributes.length) {
      const name = subtypeColumn(introducing(subtype, attribute), attribute)
      return names.has(name) ? name : null
    }
    return own === null ? (attribute.isDeferred ? null : attribute.name) : (own[attribute.position] ?? null)
  })
  const bySubtype = subtypeColumns.get(selections) ?? new Map<Mapping, RowColumns>()
  subtypeColumns.set(selections, bySubtype.set(subtype, made))
  return made
}

/** The columns that a query selects of its entity's subtypes. */
export const selectedOfSubtypes = ({ entity: { mapping }, node }: AnySelect): ReadonlyArray<string> => {
  const [, ...subtypes] = withDescendants(mapping)
  if (subtypes.length === 0) return []
  const names = new Set((node.selections ?? []).map(outputName))
  return subtypes.flatMap((subtype) =>
    ownAttributes(subtype)
      .map((attribute) => subtypeColumn(subtype, attribute))
      .filter((name) => names.has(name)),
  )
}

/** The name of a column of the result; null where the database gives it one. */
const outputName = ({ selection }: SelectionNode): string | null => {
  if (AliasNode.is(selection)) return IdentifierNode.is(selection.alias) ? selection.alias.name : null
  return ReferenceNode.is(selection) && ColumnNode.is(selection.column) ? selection.column.column.name : null
}

const interned = new WeakMap<Mapping, Map<string, RowColumns>>()

/**
 * The same columns for the same names, so that what reads them is made once.
 *
 * @category constructors
 */
export const rowColumns = (mapping: Mapping, nameOf: (attribute: Attribute) => string | null): RowColumns => {
  const made = mapping.attributes.map(nameOf)
  let byNames = interned.get(mapping)
  if (byNames === undefined) {
    byNames = new Map()
    interned.set(mapping, byNames)
  }
  const key = JSON.stringify(made)
  const known = byNames.get(key) ?? made
  byNames.set(key, known)
  return known
}
