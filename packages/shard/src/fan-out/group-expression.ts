/**
 * Expressions over groups whose aggregates are put together from several shards: what a row holds, a HAVING, an ORDER BY.
 *
 * What has no aggregate in it hangs on the group alone: the shards compute it, each as its database does. What has one is
 * computed here, and what memory cannot tell as a database would is refused by name.
 */
import { type AnyRows, type ColumnKind, type Reading, readingIn, type TextComparison } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import {
  AndNode,
  BinaryOperationNode,
  FunctionNode,
  type OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  PrimitiveValueListNode,
  UnaryOperationNode,
  ValueListNode,
  ValueNode,
} from 'kysely'
import { compareAs, isNumeric } from './aggregate.js'
import { called, callIn } from './calls.js'
import { arithmetic, compareNumeric, type Numeric, negate, numericOf } from './exact.js'

/** The values of a group, by slot. */
export type Group = ReadonlyArray<unknown>

/** What an expression gives for a group; undefined where only a database could tell. */
export type Evaluate = (group: Group) => unknown

export interface Term {
  readonly evaluate: Evaluate
  /** How its values are read. */
  readonly reading: Reading
  /** The value that it is, for what has none of its own kind; null for anything else. */
  readonly literal: ValueNode | null
}

/** Where expressions get what they are made of. */
export interface Slots {
  readonly statement: AnyRows
  readonly comparisons: ReadonlyArray<TextComparison>
  /** What the name of a value of the rows stands for; anything else as it is, without parentheses around it. */
  readonly expanded: (node: OperationNode) => OperationNode
  /** The slot of an aggregate call, or of what hangs on the group alone; why there is none. */
  readonly slotOf: (node: OperationNode) => Either<string, number>
}

const unread: Reading = { kind: null, codec: null, source: null }

/**
 * An expression over groups, or what of it is not computed in memory.
 *
 * @category constructors
 */
export const termOf = (slots: Slots, given: OperationNode): Either<string, Term> => {
  const node = slots.expanded(given)
  if (ValueNode.is(node)) {
    return right({ evaluate: () => node.value, reading: unread, literal: node })
  }
  const call = callIn(node)
  if (call === null || call.node === node) {
    const slot = slots.slotOf(node)
    if (isLeft(slot)) return slot
    const at = slot.right
    return right({ evaluate: (group) => group[at], reading: readingIn(slots.statement, node), literal: null })
  }
  const computed = computedOf(slots, node)
  return computed === null
    ? left(
        `it computes with the ${called(call)} in a way that is not done over several shards (${nameOf(node)}); ask for the aggregate itself`,
      )
    : isLeft(computed)
      ? computed
      : right({ evaluate: computed.right, reading: readingIn(slots.statement, node), literal: null })
}

/** How an expression is computed that has aggregates in it; null where it is not. */
const computedOf = (slots: Slots, node: OperationNode): Either<string, Evaluate> | null => {
  if (AndNode.is(node)) return joined(slots, node, false)
  if (OrNode.is(node)) return joined(slots, node, true)
  if (UnaryOperationNode.is(node)) {
    const operator = operatorOf(node.operator)
    if (operator !== 'not' && operator !== '-') return null
    const operand = termOf(slots, node.operand)
    if (isLeft(operand)) return operand
    const { evaluate } = operand.right
    return right(operator === 'not' ? (group) => not(evaluate(group)) : (group) => onNumbers([evaluate(group)], negate))
  }
  if (FunctionNode.is(node)) {
    const name = node.func.toLowerCase()
    return name === 'coalesce' || name === 'ifnull' ? coalesced(slots, node.arguments) : null
  }
  return BinaryOperationNode.is(node) ? binary(slots, node) : null
}

const coalesced = (slots: Slots, nodes: ReadonlyArray<OperationNode>): Either<string, Evaluate> => {
  const terms = allTerms(slots, nodes)
  if (isLeft(terms)) return terms
  return right((group) => {
    for (const { evaluate } of terms.right) {
      const value = evaluate(group)
      if (value !== null) return value
    }
    return null
  })
}

const allTerms = (slots: Slots, nodes: ReadonlyArray<OperationNode>): Either<string, ReadonlyArray<Term>> => {
  const terms: Term[] = []
  for (const node of nodes) {
    const term = termOf(slots, node)
    if (isLeft(term)) return term
    terms.push(term.right)
  }
  return right(terms)
}

const joined = (slots: Slots, { left: a, right: b }: AndNode | OrNode, decides: boolean): Either<string, Evaluate> => {
  const terms = allTerms(slots, [a, b])
  if (isLeft(terms)) return terms
  const [first, second] = terms.right as [Term, Term]
  return right((group) => either(truth(first.evaluate(group)), truth(second.evaluate(group)), decides))
}

/** SQL's logic of three values, and a fourth for what cannot be told here. */
const either = (a: unknown, b: unknown, decides: boolean): unknown => {
  if (a === decides || b === decides) return decides
  if (a === undefined || b === undefined) return undefined
  return a === null || b === null ? null : !decides
}

const not = (value: unknown): unknown => {
  const given = truth(value)
  return typeof given === 'boolean' ? !given : given
}

/** Databases without booleans have 0 and 1. */
export const truth = (value: unknown): unknown => (isNumeric(value) ? compareNumeric(value, 0) !== 0 : value)

type Decide = (order: number) => boolean

const comparisons: Readonly<Record<string, Decide>> = {
  '=': (order) => order === 0,
  '==': (order) => order === 0,
  '<>': (order) => order !== 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

/** Comparisons for which NULL is a value like any other; are they of what is the same? */
const identities: Readonly<Record<string, boolean>> = {
  is: true,
  'is not distinct from': true,
  'is not': false,
  'is distinct from': false,
}

const binary = (slots: Slots, node: BinaryOperationNode): Either<string, Evaluate> | null => {
  const operator = operatorOf(node.operator)
  const { leftOperand, rightOperand } = node
  switch (operator) {
    case 'in':
    case 'not in': {
      const list = listed(rightOperand)
      return list === null ? null : membership(slots, leftOperand, list, operator === 'in')
    }
    case 'between': {
      if (!AndNode.is(rightOperand)) return null
      const terms = allTerms(slots, [leftOperand, rightOperand.left, rightOperand.right])
      if (isLeft(terms)) return terms
      const [item, low, high] = terms.right as [Term, Term, Term]
      const above = comparing(slots, item, low, (order) => order >= 0)
      const below = comparing(slots, item, high, (order) => order <= 0)
      return right((group) => either(above(group), below(group), false))
    }
  }
  const compute = arithmetic[operator]
  const decide = comparisons[operator]
  const isSame = identities[operator]
  if (compute === undefined && decide === undefined && isSame === undefined) return null
  const terms = allTerms(slots, [leftOperand, rightOperand])
  if (isLeft(terms)) return terms
  const [a, b] = terms.right as [Term, Term]
  if (compute !== undefined) {
    return right((group) => onNumbers([a.evaluate(group), b.evaluate(group)], (x, y) => compute(x, y as Numeric)))
  }
  return right(decide === undefined ? identity(slots, a, b, isSame === true) : comparing(slots, a, b, decide))
}

const onNumbers = (values: ReadonlyArray<unknown>, compute: (a: Numeric, b?: Numeric) => Numeric): unknown => {
  const numbers: Numeric[] = []
  for (const value of values) {
    if (value === null) return null
    const number = isNumeric(value) && typeof value !== 'number' ? value : numericOf(value)
    if (number === null) return undefined
    numbers.push(number)
  }
  return compute(numbers[0] as Numeric, numbers[1])
}

const comparing = (slots: Slots, a: Term, b: Term, decide: Decide): Evaluate => {
  const compare = comparisonOf(slots, a, b)
  return (group) => {
    const order = compare(group)
    return typeof order === 'number' ? decide(order) : order
  }
}

const identity = (slots: Slots, a: Term, b: Term, isSame: boolean): Evaluate => {
  const compare = comparisonOf(slots, a, b)
  return (group) => {
    const [x, y] = [a.evaluate(group), b.evaluate(group)]
    if (x === null || y === null) return (x === y) === isSame
    const order = compare(group)
    return typeof order === 'number' ? (order === 0) === isSame : order
  }
}

const membership = (
  slots: Slots,
  node: OperationNode,
  list: ReadonlyArray<OperationNode>,
  isIn: boolean,
): Either<string, Evaluate> => {
  const terms = allTerms(slots, [node, ...list])
  if (isLeft(terms)) return terms
  const [item, ...members] = terms.right as [Term, ...Term[]]
  const equals = members.map((member) => comparing(slots, item, member, (order) => order === 0))
  return right((group) => {
    const found = equals.reduce<unknown>((all, equal) => either(all, equal(group), true), false)
    return isIn ? found : not(found)
  })
}

const listed = (node: OperationNode): ReadonlyArray<OperationNode> | null =>
  ParensNode.is(node)
    ? listed(node.node)
    : PrimitiveValueListNode.is(node)
      ? node.values.map((value) => ValueNode.create(value))
      : ValueListNode.is(node)
        ? node.values
        : null

/** How the values of two terms compare; null where one is NULL, undefined where only a database could tell. */
const comparisonOf = (slots: Slots, a: Term, b: Term): Evaluate => {
  const [x, y] = [meeting(a, b), meeting(b, a)]
  const kind: ColumnKind | null = a.reading.kind ?? b.reading.kind
  const operand = { kind, isColumn: false, comparisons: slots.comparisons }
  return (group) => {
    const [one, other] = [x(group), y(group)]
    if (one === null || other === null) return null
    if (one === undefined || other === undefined) return undefined
    if (isNumeric(one) || isNumeric(other)) {
      const [p, q] = [asNumber(one), asNumber(other)]
      return p === null || q === null ? undefined : compareNumeric(p, q)
    }
    return compareAs(one, other, operand) ?? undefined
  }
}

const asNumber = (value: unknown): Numeric | null =>
  isNumeric(value) && typeof value !== 'number' ? value : numericOf(value)

/** A literal is the program's value of what it meets, and is encoded as that is. */
const meeting = ({ evaluate, literal }: Term, { reading: { codec } }: Term): Evaluate => {
  if (literal === null) return evaluate
  const { value } = literal
  const isCodecs = codec !== null && value !== null && codec.is(value)
  const encoded: unknown = isCodecs ? codec.encode(value) : value instanceof Date ? value.toISOString() : value
  return () => encoded
}

const operatorOf = (node: OperationNode): string => (OperatorNode.is(node) ? node.operator : '')

/** What an expression is called in errors. */
const nameOf = (node: OperationNode): string =>
  BinaryOperationNode.is(node) || UnaryOperationNode.is(node)
    ? operatorOf(node.operator)
    : FunctionNode.is(node)
      ? node.func
      : node.kind.replace(/Node$/, '').toLowerCase()
