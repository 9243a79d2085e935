/**
 * Conditions as restrictions: what a tree of AND, OR, NOT and comparisons says of single columns.
 *
 * Whatever is not understood restricts nothing, so that the answer is always sound: a row for which the condition is true
 * has its values in the sets. Equality is the program's; where a database's collation takes more texts for the same
 * (MySQL's default does, in tables that are not made by a model's DDL), restrictions on such columns are narrower than its
 * answers.
 */
import { isRight } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  type OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  PrimitiveValueListNode,
  RawNode,
  ReferenceNode,
  TupleNode,
  UnaryOperationNode,
  ValueListNode,
  ValueNode,
} from 'kysely'
import { checkExpression } from '../codec/check.js'
import type { Attribute } from '../model/mapping.js'
import { Encoded } from './encoded.js'
import { and, columnKey, everything, nothing, or, type Restriction, restricted } from './restriction.js'
import { find, isOwnSource, type Scope } from './scope.js'
import { Slot } from './slot.js'
import type { ValueSet } from './value-set.js'
import * as Values from './value-set.js'

/**
 * What is so of every row for which the condition is true.
 */
export const restrictionOf = (scope: Scope, condition: OperationNode): Restriction =>
  holdsTogether(condition) ? restrict(scope, condition, true) : everything

/**
 * Whether the tree means what its text will: Kysely sets no parentheses, and an OR inside raw text or right under an AND
 * would come apart.
 */
export const holdsTogether = (node: OperationNode): boolean => {
  if (AndNode.is(node)) return [node.left, node.right].every((side) => !OrNode.is(side) && holdsTogether(side))
  if (OrNode.is(node)) return holdsTogether(node.left) && holdsTogether(node.right)
  if (UnaryOperationNode.is(node)) return isOperand(node.operand)
  if (BinaryOperationNode.is(node)) {
    const { leftOperand: left, rightOperand: right } = node
    const sides = AndNode.is(right) && isBetween(node) ? [left, right.left, right.right] : [left, right]
    return sides.every(isOperand)
  }
  return !RawNode.is(node) || !node.sqlFragments.some((fragment) => /\b(or|xor)\b|\|\||--|\/\*/i.test(fragment))
}

const isOperand = (node: OperationNode): boolean => !AndNode.is(node) && !OrNode.is(node) && holdsTogether(node)

const isBetween = ({ operator }: BinaryOperationNode): boolean =>
  OperatorNode.is(operator) && operator.operator.startsWith('between')

/** What is so of every row for which the condition is true, or false. */
const restrict = (scope: Scope, node: OperationNode, isTrue: boolean): Restriction => {
  if (ParensNode.is(node)) return holdsTogether(node.node) ? restrict(scope, node.node, isTrue) : everything
  if (AndNode.is(node) || OrNode.is(node)) {
    const left = restrict(scope, node.left, isTrue)
    const right = restrict(scope, node.right, isTrue)
    return AndNode.is(node) === isTrue ? and(left, right) : or(left, right)
  }
  if (UnaryOperationNode.is(node)) {
    const isNot = OperatorNode.is(node.operator) && node.operator.operator === 'not'
    return isNot ? restrict(scope, node.operand, !isTrue) : everything
  }
  if (BinaryOperationNode.is(node)) return compare(scope, node, isTrue)
  if (ValueNode.is(node) && typeof node.value === 'boolean') return node.value === isTrue ? everything : nothing
  return everything
}

/** Each operator and the one that is true where it is false. */
const opposites: Readonly<Record<string, string>> = {
  '=': '<>',
  '==': '<>',
  '<>': '=',
  '!=': '=',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
  in: 'not in',
  'not in': 'in',
  is: 'is not',
  'is not': 'is',
  '<=>': 'is not',
  'is not distinct from': 'is not',
  'is distinct from': 'is',
  like: 'not like',
  'not like': 'like',
  ilike: 'not ilike',
  'not ilike': 'ilike',
  between: 'not between',
}

const compare = (scope: Scope, node: BinaryOperationNode, isTrue: boolean): Restriction => {
  const { leftOperand: left, rightOperand: right, operator } = node
  const written = OperatorNode.is(operator) ? operator.operator : ''
  const name = isTrue ? written : opposites[written]
  if (name === undefined || opposites[written] === undefined) return everything
  if (TupleNode.is(left)) return compareTuples(scope, left, name, right)
  const constant = literal(left)
  if (constant !== null && isNumber(constant) && isNumber(literal(right))) {
    return constants(constant.value as number, name, literal(right)?.value as number)
  }
  return and(side(scope, left, name, right), side(scope, right, name, left))
}

const isNumber = (found: Literal | null): boolean => typeof found?.value === 'number'

const constants = (a: number, operator: string, b: number): Restriction =>
  ((operator === '=' || operator === '==') && a !== b) || ((operator === '<>' || operator === '!=') && a === b)
    ? nothing
    : everything

/** What a comparison says of the column on one of its sides. */
const side = (scope: Scope, node: OperationNode, operator: string, other: OperationNode): Restriction => {
  const found = columnAt(scope, node)
  return found === null ? everything : restricted(found.key, allowed(found.attribute, operator, other))
}

interface At {
  readonly key: string
  readonly attribute: Attribute
}

/** The column that a reference leads to beyond doubt: an unqualified name must be that of one source only. */
const columnAt = (scope: Scope, node: OperationNode): At | null => {
  if (ParensNode.is(node)) return columnAt(scope, node.node)
  if (!ReferenceNode.is(node) || !ColumnNode.is(node.column)) return null
  const { name } = node.column.column
  if (node.table === undefined) {
    const candidates = scope.sources.filter(
      (source) => source.isOpen || (source.columns.has(name) && !isOwnSource(source)),
    )
    if (candidates.length !== 1) return null
  }
  const found = find(scope, node)
  if (found === null || found.source.mapping === null || !scope.sources.includes(found.source)) return null
  const { attribute } = found.column
  const own = found.source.mapping.synonyms.has(name) ? attribute.name : name
  return { key: columnKey(found.source.name, own), attribute }
}

const allowed = (attribute: Attribute, operator: string, other: OperationNode): ValueSet => {
  switch (operator) {
    case '=':
    case '==':
      return strict(literal(other), (value) => equalTo(attribute, value))
    case '<>':
    case '!=':
      return strict(literal(other), (value) => differentFrom(attribute, value))
    case 'is':
    case '<=>':
    case 'is not distinct from':
      return lenient(literal(other), (value) => (value === null ? Values.oneOf([null]) : equalTo(attribute, value)))
    case 'is not':
    case 'is distinct from':
      return lenient(literal(other), (value) =>
        value === null ? Values.notNull : Values.union(differentFrom(attribute, value), Values.oneOf([null])),
      )
    case 'in':
      return listed(attribute, other)
    case 'not in':
      return unlisted(attribute, other)
    default:
      // an order, a pattern, a range: true of no NULL
      return Values.notNull
  }
}

/** Comparisons that are never true of NULL, on either side. */
const strict = (other: Literal | null, f: (value: unknown) => ValueSet): ValueSet =>
  other === null ? Values.notNull : other.value === null ? Values.none : f(other.value)

/** Comparisons that take NULL for a value like any other. */
const lenient = (other: Literal | null, f: (value: unknown) => ValueSet): ValueSet =>
  other === null ? Values.any : f(other.value)

const listed = (attribute: Attribute, other: OperationNode): ValueSet => {
  const items = literals(other)
  // an item that is no value could be any
  if (items === null || items.includes(null)) return Values.notNull
  return items.map((item) => strict(item, (value) => equalTo(attribute, value))).reduce(Values.union, Values.none)
}

const unlisted = (attribute: Attribute, other: OperationNode): ValueSet => {
  const items = literals(other)
  // NULL is outside of a list without members, as a subquery's may be
  if (items === null || items.length === 0) return Values.any
  return items
    .map((item) => strict(item, (value) => differentFrom(attribute, value)))
    .reduce(Values.intersection, Values.any)
}

// values

/** A value that stands in the tree. */
interface Literal {
  readonly value: unknown
}

const literal = (node: OperationNode): Literal | null => {
  if (ParensNode.is(node)) return literal(node.node)
  return ValueNode.is(node) && !(node.value instanceof Slot) && !(node.value instanceof Encoded) ? node : null
}

/** The items of a list, null for each that is no value; null for anything but a list. */
const literals = (node: OperationNode): ReadonlyArray<Literal | null> | null => {
  if (PrimitiveValueListNode.is(node)) return node.values.map((value) => ({ value }))
  return ValueListNode.is(node) ? node.values.map(literal) : null
}

/** What a row's attribute is where its column holds the value. */
const equalTo = (attribute: Attribute, value: unknown): ValueSet => {
  const read = isPlain(attribute) ? value : reread(attribute, value)
  return Values.isComparable(read) ? Values.oneOf([read]) : Values.notNull
}

/** A codec that reads several texts as one value leaves that value possible where one of them is excluded. */
const differentFrom = (attribute: Attribute, value: unknown): ValueSet =>
  isPlain(attribute) && Values.isComparable(value) ? Values.noneOf([value, null]) : Values.notNull

const isPlain = (attribute: Attribute): boolean =>
  attribute.encode === t.identity && checkExpression(attribute.column.codec, 'v') !== null

/** The value as it comes back from the database; undefined where it does not. */
const reread = (attribute: Attribute, value: unknown): unknown => {
  try {
    const decoded = attribute.column.codec.decode(attribute.encode(value))
    return isRight(decoded) ? decoded.right : undefined
  } catch {
    return undefined
  }
}

// tuples

const compareTuples = (scope: Scope, left: TupleNode, operator: string, right: OperationNode): Restriction => {
  const tuples = operator === '=' && TupleNode.is(right) ? [right] : operator === 'in' ? tuplesIn(right) : null
  if (tuples === null) return everything
  return left.values
    .map((node, i): Restriction => {
      const found = columnAt(scope, node)
      if (found === null) return everything
      const sets = tuples.map((tuple) => {
        const item = tuple.values[i]
        return item === undefined ? Values.any : allowed(found.attribute, '=', item)
      })
      return restricted(found.key, sets.reduce(Values.union, Values.none))
    })
    .reduce(and, everything)
}

const tuplesIn = (node: OperationNode): ReadonlyArray<TupleNode> | null =>
  ValueListNode.is(node) && node.values.every(TupleNode.is) ? (node.values as ReadonlyArray<TupleNode>) : null
