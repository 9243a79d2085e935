/**
 * What stands for the table of a subtype where a query reads it: for the program an entity is one table, whatever holds its rows.
 *
 * A subtype becomes a subquery under its name, of its tables joined, or of the rows in its parent's table that are its own.
 * Databases merge such a subquery with the query around it. An entity that stands alone is read as it is.
 *
 * @example
 * // from "engineers"  ->  from (select "people"."id" as "id", ..., "engineers"."lang" as "language"
 * //   from "people" inner join "engineers" on "engineers"."person_id" = "people"."id") as "engineers"
 */
import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  IdentifierNode,
  JoinNode,
  type OperationNode,
  OperatorNode,
  PrimitiveValueListNode,
  QueryNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
  SetOperationNode,
  ValueNode,
} from 'kysely'
import { type Attribute, isKindOf, type Mapping, type TablePart, withDescendants } from '../model/mapping.js'
import { hasConcretes, isSingle, lastPart, ownAttributes, sharing, subtypeColumn } from '../model/parts.js'
import { namedTable } from './source.js'

const columnOf = (part: TablePart, name: string): ReferenceNode =>
  ReferenceNode.create(ColumnNode.create(name), namedTable(part.table))

const isStored = (attribute: Attribute): boolean => attribute.isStored

const queries = new WeakMap<Mapping, SelectQueryNode>()

/** The rows of a subtype, by the names of their attributes. It speaks the tables' language. */
export const derivedQuery = (mapping: Mapping): SelectQueryNode => {
  const known = queries.get(mapping)
  if (known !== undefined) return known
  const made = hasConcretes(mapping) ? unionOf(mapping) : rowsOf(mapping)
  queries.set(mapping, made)
  return made
}

/** The rows of an entity and of its concrete subtypes, each with the attributes of all: NULL where a row has none. */
const unionOf = (mapping: Mapping): SelectQueryNode => {
  const kinds = withDescendants(mapping).filter(({ identity }) => identity !== null)
  const all = kinds.map((kind) => {
    const [part] = kind.parts as readonly [TablePart]
    const inherited = mapping.attributes
      .filter(isStored)
      .map((attribute) => selectedOf(kind, kind.attributes[attribute.position] as Attribute, attribute.name))
    const added = sharing(mapping).flatMap((subtype) =>
      ownAttributes(subtype)
        .filter(isStored)
        .map((attribute) => {
          const name = subtypeColumn(subtype, attribute)
          return isKindOf(kind, subtype)
            ? selectedOf(kind, kind.attributes[attribute.position] as Attribute, name)
            : missing(subtype, attribute, name)
        }),
    )
    return SelectQueryNode.cloneWithSelections(SelectQueryNode.createFrom([namedTable(part.table)]), [
      ...inherited,
      ...added,
    ])
  })
  const [first, ...others] = all as [SelectQueryNode, ...SelectQueryNode[]]
  return SelectQueryNode.cloneWithSetOperations(
    first,
    others.map((other) => SetOperationNode.create('union', other, true)),
  )
}

/** An attribute of a concrete entity: its discriminator is no column. */
const selectedOf = (mapping: Mapping, attribute: Attribute, name: string): SelectionNode => {
  const part = lastPart(mapping)
  return attribute === mapping.discriminator && !part.attributes.includes(attribute)
    ? SelectionNode.create(AliasNode.create(constant(attribute.encode(mapping.identity)), IdentifierNode.create(name)))
    : selected(part, attribute.columnName, name)
}

/** A parameter that is compared with nothing is text for some databases; text itself is never spliced into SQL. */
const constant = (value: unknown): ValueNode =>
  typeof value === 'number' || typeof value === 'boolean' ? ValueNode.createImmediate(value) : ValueNode.create(value)

/** NULL, of the type that the column has where rows have it. */
const missing = (subtype: Mapping, { columnName }: Attribute, name: string): SelectionNode => {
  const part = lastPart(subtype)
  const nothing = QueryNode.cloneWithWhere(
    SelectQueryNode.cloneWithSelections(SelectQueryNode.createFrom([namedTable(part.table)]), [
      SelectionNode.create(columnOf(part, columnName)),
    ]),
    BinaryOperationNode.create(ValueNode.createImmediate(1), OperatorNode.create('='), ValueNode.createImmediate(0)),
  )
  return SelectionNode.create(AliasNode.create(nothing, IdentifierNode.create(name)))
}

const selected = (part: TablePart, column: string, name: string): SelectionNode =>
  SelectionNode.create(AliasNode.create(columnOf(part, column), IdentifierNode.create(name)))

const rowsOf = (mapping: Mapping): SelectQueryNode => {
  const [first, ...others] = mapping.parts as readonly [TablePart, ...ReadonlyArray<TablePart>]
  const selections = mapping.parts.flatMap((part) =>
    part.attributes.map(({ columnName, name }) => selected(part, columnName, name)),
  )
  if (mapping.concreteOf !== null && mapping.discriminator !== null) {
    selections.push(selectedOf(mapping, mapping.discriminator, mapping.discriminator.name))
  }
  for (const subtype of sharing(mapping)) {
    for (const attribute of ownAttributes(subtype).filter(isStored)) {
      selections.push(selected(lastPart(mapping), attribute.columnName, subtypeColumn(subtype, attribute)))
    }
  }
  let node: SelectQueryNode = SelectQueryNode.cloneWithSelections(
    SelectQueryNode.createFrom([namedTable(first.table)]),
    selections,
  )
  for (const part of others) {
    const on = sameKey(
      (i) => columnOf(part, part.key[i] ?? ''),
      (i) => columnOf(first, first.key[i] ?? ''),
      first.key.length,
    )
    node = QueryNode.cloneWithJoin(node, JoinNode.createWithOn('InnerJoin', namedTable(part.table), on))
  }
  return isSingle(mapping)
    ? QueryNode.cloneWithWhere(node, isOfKind(mapping, columnOf(first, kindColumn(mapping))))
    : node
}

const kindColumn = ({ discriminator }: Mapping): string => discriminator?.columnName ?? ''

/** Two keys of several columns are the same. */
export const sameKey = (
  a: (i: number) => OperationNode,
  b: (i: number) => OperationNode,
  width: number,
): OperationNode =>
  Array.from(
    { length: width },
    (_, i): OperationNode => BinaryOperationNode.create(a(i), OperatorNode.create('='), b(i)),
  ).reduce((x, y) => AndNode.create(x, y))

/** Is a row, by its discriminator, of the entity or one of its subtypes? Values are encoded. */
export const isOfKind = (mapping: Mapping, discriminator: OperationNode): OperationNode =>
  BinaryOperationNode.create(
    discriminator,
    OperatorNode.create('in'),
    PrimitiveValueListNode.create(
      withDescendants(mapping).flatMap((one) =>
        one.identity === null || one.discriminator === null ? [] : [one.discriminator.encode(one.identity)],
      ),
    ),
  )
