/**
 * Conditions and assignments evaluated on rows in memory, as the database would evaluate them.
 *
 * A bulk update or delete changes rows that a session may hold; evaluating its criteria on them tells which, without
 * asking the database. Logic is SQL's, of three values. What is not understood is refused by name, never guessed.
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  type OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  PrimitiveValueListNode,
  ReferenceNode,
  UnaryOperationNode,
  ValueListNode,
  ValueNode,
} from 'kysely'
import type { Attribute, Mapping } from '../model/mapping.js'
import type { AnyDelete } from './delete.js'
import type { AnyUpdate } from './update.js'

/** An expression that only the database can evaluate. @category model */
export interface NotEvaluable {
  readonly _tag: 'NotEvaluable'
  readonly entity: string
  /** What it is: an operator, a function, a kind of node. */
  readonly expression: string
}

type Row = Readonly<Record<string, unknown>>

/** True, false, null (SQL's unknown), or undefined where the row does not know an attribute that decides. */
export type Truth = boolean | null | undefined

/** A part of an expression: gives the encoded value, null for NULL, undefined where the row does not know it. */
type Evaluate = (row: Row) => unknown

/** A value, and the column that says how it is encoded. */
interface Term {
  readonly evaluate: Evaluate
  readonly attribute: Attribute | null
  /** Not encoded yet: the column that it meets does that. */
  readonly literal: { readonly value: unknown } | null
}

type Result<A> = Either<NotEvaluable, A>

/**
 * For each row, whether the statement's conditions let it through.
 *
 * @example
 * const isOld = evaluateCriteria(pipe(deleteFrom(model.User), where('age', '>', 90)))
 *
 * @category interpreters
 */
export const evaluateCriteria = (statement: AnyUpdate | AnyDelete): Result<(row: Row) => Truth> => {
  const { mapping } = statement.entity
  const { node } = statement
  const isJoined = node.kind === 'UpdateQueryNode' ? node.from !== undefined : node.using !== undefined
  if (isJoined || node.joins !== undefined || node.limit !== undefined) return refuse(mapping, 'a join or limit')
  if (node.where === undefined) return right(() => true)
  const condition = truth(mapping, node.where.where)
  return isLeft(condition) ? condition : right(condition.right as (row: Row) => Truth)
}

/**
 * The attributes that an update sets, each with its value for a row; null in place of a value that only the database
 * can tell.
 *
 * @category interpreters
 */
export const evaluateChanges = (
  statement: AnyUpdate,
): ReadonlyArray<readonly [attribute: Attribute, value: ((row: Row) => unknown) | null]> => {
  const { mapping } = statement.entity
  return (statement.node.updates ?? []).flatMap((update): ReadonlyArray<readonly [Attribute, Evaluate | null]> => {
    const attribute = attributeAt(mapping, update.column)
    if (attribute === null) return []
    const value = term(mapping, update.value)
    if (isLeft(value)) return [[attribute, null]]
    const { literal, evaluate } = value.right
    return [[attribute, literal === null ? (row) => decoded(attribute, evaluate(row)) : () => literal.value]]
  })
}

const refuse = (mapping: Mapping, expression: string): Either<NotEvaluable, never> =>
  left({ _tag: 'NotEvaluable', entity: mapping.name, expression })

const decoded = (attribute: Attribute, value: unknown): unknown => {
  if (value === undefined) return undefined
  const decoding = attribute.column.codec.decode(value)
  return isLeft(decoding) ? undefined : decoding.right
}

const truth = (mapping: Mapping, node: OperationNode): Result<Evaluate> => {
  if (ParensNode.is(node)) return truth(mapping, node.node)
  if (AndNode.is(node) || OrNode.is(node)) {
    const a = truth(mapping, node.left)
    if (isLeft(a)) return a
    const b = truth(mapping, node.right)
    if (isLeft(b)) return b
    // what decides alone: false for AND, true for OR
    const decides = OrNode.is(node)
    return right((row) => joined(a.right(row), b.right(row), decides))
  }
  if (UnaryOperationNode.is(node)) {
    const operator = operatorOf(node.operator)
    if (operator !== 'not') return refuse(mapping, operator)
    const operand = truth(mapping, node.operand)
    return isLeft(operand) ? operand : right((row) => negated(operand.right(row)))
  }
  if (BinaryOperationNode.is(node)) return comparison(mapping, node)
  if (ValueNode.is(node) && typeof node.value === 'boolean') return right(() => node.value)
  return refuse(mapping, node.kind)
}

const joined = (a: unknown, b: unknown, decides: boolean): unknown => {
  if (a === decides || b === decides) return decides
  if (a === undefined || b === undefined) return undefined
  return a === null || b === null ? null : !decides
}

const negated = (value: unknown): unknown => (typeof value === 'boolean' ? !value : value)

const operatorOf = (node: OperationNode): string => (OperatorNode.is(node) ? node.operator : node.kind)

type Compare = (a: never, b: never) => boolean

const comparisons: Readonly<Record<string, Compare>> = {
  '=': (a, b) => same(a, b),
  '==': (a, b) => same(a, b),
  '<>': (a, b) => !same(a, b),
  '!=': (a, b) => !same(a, b),
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

const same = (a: unknown, b: unknown): boolean =>
  a === b ||
  (a instanceof Date && b instanceof Date && a.getTime() === b.getTime()) ||
  (a instanceof Uint8Array && b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]))

const comparison = (mapping: Mapping, node: BinaryOperationNode): Result<Evaluate> => {
  const operator = operatorOf(node.operator)
  const a = term(mapping, node.leftOperand)
  if (isLeft(a)) return a
  if (operator === 'in' || operator === 'not in')
    return membership(mapping, a.right, node.rightOperand, operator === 'in')
  const b = term(mapping, node.rightOperand)
  if (isLeft(b)) return b
  const [x, y] = encodedTogether(a.right, b.right)
  if (operator === 'is' || operator === 'is not') {
    const isIs = operator === 'is'
    return right((row) => {
      const one = x(row)
      const other = y(row)
      return one === undefined || other === undefined ? undefined : same(one, other) === isIs
    })
  }
  const compare = comparisons[operator]
  if (compare === undefined) return refuse(mapping, operator)
  return right((row) => {
    const one = x(row)
    const other = y(row)
    if (one === undefined || other === undefined) return undefined
    return one === null || other === null ? null : compare(one as never, other as never)
  })
}

const membership = (mapping: Mapping, item: Term, list: OperationNode, isIn: boolean): Result<Evaluate> => {
  const values = listed(list)
  if (values === null) return refuse(mapping, `${isIn ? 'in' : 'not in'} ${list.kind}`)
  const encoded = values.map((value) => encode(item.attribute, value))
  const hasNull = encoded.includes(null)
  return right((row) => {
    const value = item.evaluate(row)
    if (value === undefined || (value === null && encoded.length > 0)) return value
    if (encoded.some((member) => member !== null && same(member, value))) return isIn
    return hasNull ? null : !isIn
  })
}

const listed = (node: OperationNode): ReadonlyArray<unknown> | null => {
  if (ParensNode.is(node)) return listed(node.node)
  if (PrimitiveValueListNode.is(node)) return node.values
  if (ValueListNode.is(node) && node.values.every(ValueNode.is))
    return node.values.map((value) => (value as ValueNode).value)
  return null
}

const encode = (attribute: Attribute | null, value: unknown): unknown =>
  attribute === null || value === null || value === undefined ? value : attribute.encode(value)

const encodedTogether = (a: Term, b: Term): readonly [Evaluate, Evaluate] => [meeting(a, b), meeting(b, a)]

/** A literal is encoded by the column that it meets. */
const meeting = (self: Term, other: Term): Evaluate => {
  if (self.literal === null) return self.evaluate
  const encoded = encode(other.attribute, self.literal.value)
  return () => encoded
}

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
}

const term = (mapping: Mapping, node: OperationNode): Result<Term> => {
  if (ParensNode.is(node)) return term(mapping, node.node)
  if (ValueNode.is(node)) {
    const { value } = node
    return right({ evaluate: () => value, attribute: null, literal: { value } })
  }
  const attribute = attributeAt(mapping, node)
  if (attribute !== null) {
    const { name } = attribute
    return right({
      evaluate: (row) => encode(attribute, row[name]),
      attribute,
      literal: null,
    })
  }
  if (BinaryOperationNode.is(node)) {
    const operator = operatorOf(node.operator)
    const operation = arithmetic[operator]
    if (operation === undefined) return refuse(mapping, operator)
    const a = term(mapping, node.leftOperand)
    if (isLeft(a)) return a
    const b = term(mapping, node.rightOperand)
    if (isLeft(b)) return b
    return right({ evaluate: calculated(operation, a.right, b.right), attribute: null, literal: null })
  }
  return refuse(mapping, node.kind)
}

/** Arithmetic on numbers; on anything else the database's own rules hold, which are not ours to repeat. */
const calculated = (operation: (a: number, b: number) => number, a: Term, b: Term): Evaluate => {
  const [x, y] = encodedTogether(a, b)
  return (row) => {
    const one = x(row)
    const other = y(row)
    if (one === null || other === null) return null
    return typeof one === 'number' && typeof other === 'number' ? operation(one, other) : undefined
  }
}

const attributeAt = (mapping: Mapping, node: OperationNode): Attribute | null => {
  if (ColumnNode.is(node)) return mapping.attributeOf.get(node.column.name) ?? null
  if (!ReferenceNode.is(node) || !ColumnNode.is(node.column)) return null
  const isOwn = node.table === undefined || node.table.table.identifier.name === mapping.table
  return isOwn ? (mapping.attributeOf.get(node.column.column.name) ?? null) : null
}
