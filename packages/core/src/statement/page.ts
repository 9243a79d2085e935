/**
 * Pages by position: the rows after a row, in the order of the query, however many come before it.
 *
 * The order is made complete by keys, so that no two rows have the same place, and it says where NULL stands: a page is told
 * by the values of the row that it comes after, and what is inserted or deleted meanwhile moves no other row from one page
 * to another.
 *
 * @example
 * // order by "users"."name", "users"."id"
 * // where "users"."name" >= $1 and ("users"."name", "users"."id") > ($1, $2)
 */
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  CollateNode,
  IdentifierNode,
  type JoinNode,
  LimitNode,
  type OperationNode,
  OperatorNode,
  OrderByItemNode,
  OrNode,
  ParensNode,
  QueryNode,
  RawNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
  TupleNode,
  ValueNode,
} from 'kysely'
import { type Attribute, type Mapping, mayHaveSeveral } from '../model/mapping.js'
import type { Alias } from './alias.js'
import { encodedNode } from './encoded.js'
import { invalidClause, type StatementError } from './error.js'
import { find } from './find.js'
import { isOutput, outputNames } from './names.js'
import { scopeOf } from './qualify.js'
import { columnIn, linkAlias } from './relation.js'
import type { AnySelect } from './select.js'
import type { Scope } from './source.js'
import { attributeNode, mappingsOf } from './statement.js'
import { mapChange, mapChildren } from './tree.js'

/**
 * One attribute that rows are ordered by.
 *
 * @category model
 */
export interface PageTerm {
  /** The table or alias whose attribute it is. */
  readonly table: string
  readonly attribute: Attribute
  readonly direction: 'asc' | 'desc'
  /** Where NULL stands; null where it cannot be. */
  readonly nulls: 'first' | 'last' | null
  /** Under which name the rows have its value, as the database has it. */
  readonly column: string
}

/**
 * The terms by which a query's rows are told apart and ordered: its own order, and the keys that make it complete. Where the
 * order does not say it, NULL is below every value, whatever the database thinks.
 *
 * Left, an `InvalidClause`, where a page of the query would not be one: where it is ordered by expressions, or limited or
 * grouped itself.
 *
 * @category constructors
 */
export const pageTerms = (query: AnySelect): Either<StatementError, ReadonlyArray<PageTerm>> => {
  const problem = problemOf(query)
  if (problem !== null) return left(invalid(query, problem))
  const { aliases, entity, node } = query
  const { key, table } = entity.mapping
  const scope = scopeOf(mappingsOf(query), node)
  const terms: Array<Omit<PageTerm, 'column'>> = []
  for (const item of node.orderBy?.items ?? []) {
    const term = termOf(scope, node, aliases, item)
    if (term === null) {
      return left(invalid(query, 'it is ordered by something that is no attribute; order by attributes, asc or desc'))
    }
    if (!has(terms, term.table, term.attribute)) terms.push(term)
  }
  const isDistinct = node.frontModifiers !== undefined
  if (isDistinct && terms.some((term) => term.table !== table)) {
    return left(invalid(query, 'it is distinct, and ordered by what it joined; order by its own attributes'))
  }
  const { direction } = terms[terms.length - 1] ?? { direction: 'asc' }
  const complete = (name: string, attributes: ReadonlyArray<Attribute>, isOptional: boolean): void => {
    for (const attribute of attributes) {
      if (has(terms, name, attribute)) continue
      terms.push({ table: name, attribute, direction, nulls: isOptional ? nullsOf(direction, undefined) : null })
    }
  }
  complete(table, key, false)
  if (!isDistinct) {
    for (const { isOptional, mapping, name } of aliases.filter(isMany)) complete(name, mapping.key, isOptional)
  }
  return right(terms.map((term, i) => ({ ...term, column: `unitary_page_${i}` })))
}

/**
 * A place in an order: the values that a row there has, as its database has them, in the order of the terms.
 *
 * @category model
 */
export interface Place {
  readonly values: ReadonlyArray<unknown>
  /** The shard that the row is on, where there are several: each may have a row at the same place. */
  readonly shard: string | null
}

/**
 * The first rows of a query by its terms, `count` of them, or the first after a place.
 *
 * @category combinators
 */
export const pageAfter = (
  query: AnySelect,
  terms: ReadonlyArray<PageTerm>,
  after: Place | null,
  count: number,
): AnySelect => {
  const { mapping } = query.entity
  const reference = referenceIn(mapping)
  const { orderBy: _orderBy, ...rest } = query.node
  const selected = SelectQueryNode.cloneWithSelections(
    rest,
    terms.map((term) => SelectionNode.create(AliasNode.create(reference(term), IdentifierNode.create(term.column)))),
  )
  const ordered = QueryNode.cloneWithOrderByItems(
    selected,
    terms.map((term) => ({
      ...OrderByItemNode.create(reference(term), RawNode.createWithSql(term.direction)),
      ...(term.nulls === null ? {} : { nulls: term.nulls }),
    })),
  ) as SelectQueryNode
  const narrowed =
    after === null
      ? ordered
      : (QueryNode.cloneWithWhere(ordered, placeNode({ terms, after }, reference, false)) as SelectQueryNode)
  return { ...query, node: SelectQueryNode.cloneWithLimit(narrowed, LimitNode.create(ValueNode.create(count))) }
}

/** What the condition of a page says. */
interface After {
  readonly terms: ReadonlyArray<PageTerm>
  readonly after: Place
}

/** Such a condition, which knows it. */
interface AfterNode extends ParensNode {
  readonly page: After
}

const placeNode = (page: After, reference: Reference, isInclusive: boolean): AfterNode =>
  Object.freeze({ ...ParensNode.create(isAfter(page.terms, reference, page.after.values, isInclusive)), page })

const isAfterNode = (node: OperationNode): node is AfterNode => ParensNode.is(node) && 'page' in node

/**
 * The place after which the rows of a query start; null where it is no page, or the first.
 *
 * @category interpreters
 */
export const placeOf = ({ where }: SelectQueryNode): Place | null => {
  let found: Place | null = null
  const visit = (child: OperationNode): OperationNode => {
    if (isAfterNode(child)) found = child.page.after
    return found === null ? mapChildren(child, visit) : child
  }
  if (where !== undefined) mapChildren(where, visit)
  return found
}

/**
 * A page as one of several databases is asked for it, whose rows are merged: by the collations that they are merged by (null
 * for the column's own), and with a row at the place itself where the database comes after the one that the place is on.
 *
 * @category combinators
 */
export const pageAmongOthers = (
  mapping: Mapping,
  node: SelectQueryNode,
  collationOf: (attribute: Attribute) => string | null,
  isInclusive: boolean,
): SelectQueryNode => {
  const reference = referenceIn(mapping)
  const collated: Reference = (term) => {
    const collation = collationOf(term.attribute)
    return collation === null
      ? reference(term)
      : RawNode.create(['', ' ', ''], [reference(term), CollateNode.create(collation)])
  }
  const visit = (child: OperationNode): OperationNode =>
    isAfterNode(child) ? placeNode(child.page, collated, isInclusive) : mapChildren(child, visit)
  return node.where === undefined ? node : mapChange(node, 'where', (where) => where && mapChildren(where, visit))
}

const referenceIn =
  (mapping: Mapping) =>
  (term: PageTerm): ReferenceNode =>
    term.table === mapping.table ? attributeNode(mapping, term.attribute) : columnIn(term.table, term.attribute.name)

const invalid = ({ entity }: AnySelect, problem: string): StatementError =>
  invalidClause(entity.name, 'page', entity.name, problem)

const problemOf = ({ aliases, loads, node }: AnySelect): string | null => {
  if (node.limit !== undefined || node.offset !== undefined || node.fetch !== undefined || node.top !== undefined) {
    return 'it has a limit or offset of its own; give the size of the page instead'
  }
  if (node.groupBy !== undefined || node.having !== undefined || node.setOperations !== undefined) {
    return 'its rows are groups or a union, whose order no key completes; page through a query of the entity'
  }
  if (node.distinctOn !== undefined) return 'it is DISTINCT ON; use distinct'
  const known = new Set(aliases.flatMap(({ name }) => [name, linkAlias(name)]))
  if (node.frontModifiers === undefined && (node.joins ?? []).some((join) => !known.has(joinedName(join)))) {
    return 'it joins a table by hand, whose rows no key tells apart; join along a relationship, or use distinct'
  }
  return loads.some(({ alias, relationship }) => alias !== null && isCollection(aliases, alias, relationship))
    ? 'its rows are members of a collection, which a page would cut; load it by selectin'
    : null
}

const isCollection = (aliases: ReadonlyArray<Alias>, alias: string, relationship: string): boolean =>
  aliases.some(
    ({ name, path }) =>
      name === alias && (path === null || path.relationship.name !== relationship || mayHaveSeveral(path.relationship)),
  )

const joinedName = ({ table }: JoinNode): string =>
  AliasNode.is(table) && IdentifierNode.is(table.alias) ? table.alias.name : ''

/** May an owner have several rows of it? */
const isMany = ({ path }: Alias): boolean => path === null || mayHaveSeveral(path.relationship)

const has = (terms: ReadonlyArray<Omit<PageTerm, 'column'>>, table: string, attribute: Attribute): boolean =>
  terms.some((term) => term.table === table && term.attribute === attribute)

/** Of these the database's order is not one by their values. */
const unordered: ReadonlySet<string> = new Set(['json', 'array', 'blob'])

const termOf = (
  scope: Scope,
  node: SelectQueryNode,
  aliases: ReadonlyArray<Alias>,
  item: OrderByItemNode,
): Omit<PageTerm, 'column'> | null => {
  const direction = directionOf(item)
  if (direction === null || item.collation !== undefined || !ReferenceNode.is(item.orderBy)) return null
  const found = isOutput(item.orderBy, outputNames(node)) ? null : find(scope, item.orderBy)
  if (found === null || unordered.has(found.column.attribute.column.kind)) return null
  const { attribute } = found.column
  const { name } = found.source
  const mayBeNull = attribute.isNullable || aliases.some((alias) => alias.name === name && alias.isOptional)
  return { table: name, attribute, direction, nulls: mayBeNull ? nullsOf(direction, item.nulls) : null }
}

const directionOf = ({ direction }: OrderByItemNode): 'asc' | 'desc' | null => {
  if (direction === undefined) return 'asc'
  const text = RawNode.is(direction) ? direction.sqlFragments.join('').trim().toLowerCase() : ''
  return text === 'asc' || text === 'desc' ? text : null
}

const nullsOf = (direction: 'asc' | 'desc', given: 'first' | 'last' | undefined): 'first' | 'last' =>
  given ?? (direction === 'asc' ? 'first' : 'last')

const compare = (left: OperationNode, operator: '=' | '>' | '<' | '>=' | '<=', right: OperationNode): OperationNode =>
  BinaryOperationNode.create(left, OperatorNode.create(operator), right)

const isNull = (reference: OperationNode, operator: 'is' | 'is not'): OperationNode =>
  BinaryOperationNode.create(reference, OperatorNode.create(operator), ValueNode.createImmediate(null))

const beyond = ({ direction }: PageTerm): '>' | '<' => (direction === 'asc' ? '>' : '<')

/** A term's column, or what is compared in place of it. */
type Reference = (term: PageTerm) => OperationNode

const isAfter = (
  terms: ReadonlyArray<PageTerm>,
  reference: Reference,
  values: ReadonlyArray<unknown>,
  isInclusive: boolean,
): OperationNode => {
  const first = terms[0] as PageTerm
  const operator = isInclusive ? (`${beyond(first)}=` as const) : beyond(first)
  const exactly = isUniform(terms)
    ? compare(
        TupleNode.create(terms.map(reference)),
        operator,
        TupleNode.create(terms.map(({ attribute }, i) => encodedNode(attribute, values[i]))),
      )
    : afterOneByOne(terms, reference, values, isInclusive)
  if (first.nulls !== null || terms.length === 1) return exactly
  // says nothing more, but not every database finds the start in an index by what it is beside
  const bound = compare(reference(first), `${beyond(first)}=`, encodedNode(first.attribute, values[0]))
  return AndNode.create(bound, ParensNode.create(exactly))
}

const isUniform = (terms: ReadonlyArray<PageTerm>): boolean =>
  terms.every(({ direction, nulls }) => nulls === null && direction === terms[0]?.direction)

/** `a > $1 or (a = $1 and b > $2) or ...` */
const afterOneByOne = (
  terms: ReadonlyArray<PageTerm>,
  reference: Reference,
  values: ReadonlyArray<unknown>,
  isInclusive: boolean,
): OperationNode => {
  const choices: OperationNode[] = []
  const same: OperationNode[] = []
  terms.forEach((term, i) => {
    const value = values[i]
    const later = isLater(term, reference(term), value)
    if (later !== null) choices.push([...same, later].reduce((a, b) => AndNode.create(a, b)))
    same.push(
      value === null
        ? isNull(reference(term), 'is')
        : compare(reference(term), '=', encodedNode(term.attribute, value)),
    )
  })
  if (isInclusive) choices.push(same.reduce((a, b) => AndNode.create(a, b)))
  // nothing is after a row whose every value is the last
  if (choices.length === 0) return compare(ValueNode.createImmediate(1), '=', ValueNode.createImmediate(0))
  return choices.map((choice): OperationNode => ParensNode.create(choice)).reduce((a, b) => OrNode.create(a, b))
}

/** Is a term's value after the given one? Null where none can be. */
const isLater = (term: PageTerm, reference: OperationNode, value: unknown): OperationNode | null => {
  if (value === null) return term.nulls === 'first' ? isNull(reference, 'is not') : null
  const later = compare(reference, beyond(term), encodedNode(term.attribute, value))
  return term.nulls === 'last' ? ParensNode.create(OrNode.create(later, isNull(reference, 'is'))) : later
}
