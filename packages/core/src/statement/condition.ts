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
import { bigInt, NullableType } from '../codec/codecs.js'
import { InstantType } from '../codec/time.js'
import type { Attribute } from '../model/mapping.js'
import type { Domain } from './domain.js'
import * as Domains from './domain.js'
import { Encoded } from './encoded.js'
import { find } from './find.js'
import * as Range from './ranges.js'
import { and, columnKey, everything, nothing, or, type Restriction, restricted } from './restriction.js'
import { Slot } from './slot.js'
import { isOwnSource, type Scope } from './source.js'
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

/** Each operator and the one that says the same with its sides exchanged, where that is another. */
const mirrored: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' }

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
  return and(side(scope, left, name, right), side(scope, right, mirrored[name] ?? name, left))
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

const allowed = (attribute: Attribute, operator: string, other: OperationNode): Domain => {
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
      return lenient(literal(other), (value) => (value === null ? onlyNull : equalTo(attribute, value)))
    case 'is not':
    case 'is distinct from':
      return lenient(literal(other), (value) =>
        value === null ? notNull : Domains.union(differentFrom(attribute, value), onlyNull),
      )
    case 'in':
      return listed(attribute, other)
    case 'not in':
      return unlisted(attribute, other)
    case '<':
    case '<=':
    case '>':
    case '>=':
      return strict(literal(other), (value) => ranging(attribute, operator, value))
    case 'between':
    case 'not between':
      return AndNode.is(other)
        ? between(attribute, operator === 'between', literal(other.left), literal(other.right))
        : notNull
    default:
      // a pattern: true of no NULL
      return notNull
  }
}

const notNull: Domain = Domains.values(Values.notNull)

/** Comparisons that are never true of NULL, on either side. */
const strict = (other: Literal | null, f: (value: unknown) => Domain): Domain =>
  other === null ? notNull : other.value === null ? Domains.none : f(other.value)

/** Comparisons that take NULL for a value like any other. */
const lenient = (other: Literal | null, f: (value: unknown) => Domain): Domain =>
  other === null ? Domains.any : f(other.value)

const listed = (attribute: Attribute, other: OperationNode): Domain => {
  const items = literals(other)
  // an item that is no value could be any
  if (items === null || items.includes(null)) return notNull
  const known: unknown[] = []
  for (const item of items) {
    if (item === null || item.value === null) continue
    const read = readOf(attribute, item.value)
    if (!Values.isComparable(read)) return notNull
    known.push(read)
  }
  return single(attribute, Values.oneOf(known))
}

const unlisted = (attribute: Attribute, other: OperationNode): Domain => {
  const items = literals(other)
  // NULL is outside of a list without members, as a subquery's may be
  if (items === null || items.length === 0) return Domains.any
  return items
    .map((item) => strict(item, (value) => differentFrom(attribute, value)))
    .reduce(Domains.intersection, Domains.any)
}

// ranges

const ranging = (attribute: Attribute, operator: string, value: unknown): Domain => {
  const order = orderOf(attribute)
  if (order === null || !Range.isOrdinal(value)) return notNull
  // a database may keep an instant more exactly than it is read, which is by the milliseconds that are over
  const isClosed = operator.endsWith('=') || (order === 'instant' && operator === '>')
  return inOrder(order, operator.startsWith('<') ? Range.below(value, isClosed) : Range.above(value, isClosed))
}

const between = (attribute: Attribute, isInside: boolean, low: Literal | null, high: Literal | null): Domain => {
  const from = low === null ? notNull : strict(low, (value) => ranging(attribute, isInside ? '>=' : '<', value))
  const to = high === null ? notNull : strict(high, (value) => ranging(attribute, isInside ? '<=' : '>', value))
  if (isInside) return Domains.intersection(from, to)
  // beyond an end that is NULL there is nothing, beyond the other there may be
  return Domains.union(from, to)
}

/** How the values of an attribute are ordered, on every database as in the program; null where that cannot be said. */
type Order = 'integer' | 'number' | 'instant'

const orderOf = ({ column: { codec, kind }, encode }: Attribute): Order | null => {
  const plain = codec instanceof NullableType ? codec.type : codec
  switch (kind) {
    case 'integer':
    case 'bigint':
      return encode === t.identity && (plain === bigInt || checkExpression(plain, 'v') !== null) ? 'integer' : null
    case 'real':
      return encode === t.identity && checkExpression(plain, 'v') !== null ? 'number' : null
    case 'timestamp':
      return plain instanceof InstantType ? 'instant' : null
    default:
      return null
  }
}

const inOrder = (order: Order, ranges: Range.Ranges): Domain =>
  Domains.within(order === 'number' ? ranges : Range.integers(ranges))

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

const onlyNull: Domain = Domains.ordered(Values.oneOf([null]))

/** What a row's attribute is where its column holds the value. */
const equalTo = (attribute: Attribute, value: unknown): Domain => {
  const read = readOf(attribute, value)
  return Values.isComparable(read) ? single(attribute, Values.oneOf([read])) : notNull
}

const single = (attribute: Attribute, values: Values.ValueSet): Domain => {
  const order = orderOf(attribute)
  if (order === null) return Domains.values(values)
  const domain = Domains.ordered(values)
  return order === 'number' ? domain : { ...domain, ranges: Range.integers(domain.ranges) }
}

const readOf = (attribute: Attribute, value: unknown): unknown =>
  isPlain(attribute) ? value : reread(attribute, value)

/** A codec that reads several texts as one value leaves that value possible where one of them is excluded. */
const differentFrom = (attribute: Attribute, value: unknown): Domain =>
  isPlain(attribute) && Values.isComparable(value) ? single(attribute, Values.noneOf([value, null])) : notNull

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
        return item === undefined ? Domains.any : allowed(found.attribute, '=', item)
      })
      return restricted(found.key, sets.reduce(Domains.union, Domains.none))
    })
    .reduce(and, everything)
}

const tuplesIn = (node: OperationNode): ReadonlyArray<TupleNode> | null =>
  ValueListNode.is(node) && node.values.every(TupleNode.is) ? (node.values as ReadonlyArray<TupleNode>) : null
