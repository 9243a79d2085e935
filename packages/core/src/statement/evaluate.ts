/**
 * Conditions and assignments evaluated on rows in memory, as the database would evaluate them.
 *
 * A bulk update or delete changes rows that a session may hold; evaluating its criteria on them tells which, without
 * asking the database. Logic is SQL's, of three values. What is not understood is refused by name, never guessed:
 * subqueries, raw SQL, LIKE, since databases differ in whether case counts, division, since they differ in what becomes of the
 * rest. They also differ in how texts compare; where one may see it otherwise than memory does, the answer is that it is not
 * known.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/queryguide/dml.html#selecting-a-synchronization-strategy
 */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import {
  AndNode,
  BinaryOperationNode,
  type OperationNode,
  OrNode,
  ParensNode,
  PrimitiveValueListNode,
  ReferenceNode,
  TupleNode,
  UnaryOperationNode,
  ValueListNode,
  ValueNode,
} from 'kysely'
import type { Dialect, TextComparison } from '../engine/dialect.js'
import type { AnyColumn } from '../model/column.js'
import type { Attribute, Mapping } from '../model/mapping.js'
import type { compareEncoded } from './compare.js'
import { holdsTogether } from './condition.js'
import type { AnyDelete } from './delete.js'
import {
  asWritten,
  comparisonOf,
  type Evaluate,
  encoded,
  type NotEvaluable,
  nameOf,
  noteText,
  operatorOf,
  type Reading,
  type Result,
  refuse,
  type Term,
  term,
} from './evaluate-term.js'
import { type AnyUpdate, assignmentsOf } from './update.js'

type Row = Readonly<Record<string, unknown>>

/** True, false, null (SQL's unknown), or undefined where it cannot be told in memory. */
export type Truth = boolean | null | undefined

/**
 * The conditions of a statement, evaluated in memory.
 *
 * @category model
 */
export interface EvaluableCriteria {
  /** Does the row meet them? Undefined where an attribute that decides is not known, or the database's collation decides. */
  readonly truth: (row: Row, dialect: Dialect) => Truth
  /** The databases, by how they compare texts, on which a row that is known in full may yet give undefined. */
  readonly unsureOn: ReadonlyArray<TextComparison>
}

/**
 * What an update sets, evaluated in memory.
 *
 * @category model
 */
export interface EvaluableChanges {
  /** Each attribute that is set, once. */
  readonly attributes: ReadonlyArray<Attribute>
  /** Their new values, by name; undefined where only the database can tell. */
  readonly valuesOf: (row: Row, dialect: Dialect) => Row
}

/**
 * For each row, whether the statement's conditions let it through. Refused too is what sets a key to what only the
 * database can tell: then nothing in memory would know the row any more.
 *
 * @example
 * const criteria = evaluateCriteria(pipe(deleteFrom(model.User), where('age', '>', 90)))
 * // right: criteria.right.truth(ed, sqliteDialect) === false
 *
 * @category interpreters
 */
export const evaluateCriteria = (statement: AnyUpdate | AnyDelete): Result<EvaluableCriteria> => {
  const { mapping } = statement.entity
  const { node } = statement
  const reading = readingOf(mapping)
  const isJoined = node.kind === 'UpdateQueryNode' ? node.from !== undefined : node.using !== undefined
  if (isJoined || node.joins !== undefined || node.limit !== undefined || node.top !== undefined) {
    return refuse(reading, 'a join or limit')
  }
  const keys = statement._tag === 'Update' ? keyChanges(reading, statement) : null
  if (keys !== null) return keys
  if (node.where === undefined) return right({ truth: () => true, unsureOn: [] })
  if (!holdsTogether(node.where.where)) return refuse(reading, 'an OR without parentheses')
  const condition = truth(reading, node.where.where)
  if (isLeft(condition)) return condition
  const evaluate = condition.right as (row: Row, texts: TextComparison) => Truth
  return right({
    truth: (row, dialect) => evaluate(row, dialect.textComparison),
    unsureOn: [...reading.unsureOn],
  })
}

const keyChanges = (reading: Reading, statement: AnyUpdate): Result<never> | null => {
  for (const [{ isKey }, node] of assignmentsOf(statement)) {
    if (!isKey) continue
    const own = readingOf(reading.mapping)
    const value = term(own, node)
    if (isLeft(value)) return value
    // a row whose key may not be told is one that may be lost
    if (own.unsureOn.size > 0) return refuse(reading, nameOf(node))
  }
  return null
}

/**
 * The attributes that an update sets, with their values for a row.
 *
 * @category interpreters
 */
export const evaluateChanges = (statement: AnyUpdate): EvaluableChanges => {
  const { mapping } = statement.entity
  const assignments = assignmentsOf(statement).map(([attribute, node]) => {
    const value = term(readingOf(mapping), node)
    return [attribute, isLeft(value) ? () => undefined : assigned(attribute, value.right)] as const
  })
  return {
    attributes: [...new Set(assignments.map(([attribute]) => attribute))],
    valuesOf: (row, { name, textComparison }) => {
      const values: Record<string, unknown> = {}
      for (const [attribute, evaluate] of assignments) {
        // MySQL sets one after another, each from what those before it have set; others set all from the old row
        const from = name === 'mysql' ? { ...row, ...values } : row
        values[attribute.name] = evaluate(from, textComparison)
      }
      return values
    },
  }
}

/**
 * The values of an expression, as those of a column.
 *
 * @category interpreters
 */
export const evaluateExpression = (
  mapping: Mapping,
  node: OperationNode,
  { codec }: AnyColumn,
): Result<(row: object, dialect: Dialect | null) => Either<NotEvaluable, unknown>> => {
  const value = term(readingOf(mapping), node)
  const read = isLeft(value) ? truth(readingOf(mapping), node) : right(value.right.meeting(null))
  if (isLeft(read)) return isLeft(value) ? value : read
  const evaluate = read.right
  return right((row, dialect) => {
    const found = evaluate(row as Row, dialect?.textComparison ?? 'collation')
    const decoding = found === undefined ? null : codec.decode(found)
    return decoding === null || isLeft(decoding)
      ? refuse(readingOf(mapping), nameOf(node))
      : right(decoding.right as unknown)
  })
}

/** The program's value that an attribute gets. */
const assigned = (attribute: Attribute, { literal, meeting }: Term): Evaluate => {
  if (literal !== null) return () => literal.value
  const evaluate = meeting(attribute)
  return (row, texts) => decoded(attribute, evaluate(row, texts))
}

const readingOf = (mapping: Mapping): Reading => ({ mapping, unsureOn: new Set(), condition: truth })

const decoded = (attribute: Attribute, value: unknown): unknown => {
  if (value === undefined) return undefined
  const decoding = attribute.column.codec.decode(value)
  return isLeft(decoding) ? undefined : decoding.right
}

// conditions

const truth = (reading: Reading, node: OperationNode): Result<Evaluate> => {
  if (ParensNode.is(node)) return truth(reading, node.node)
  if (AndNode.is(node) || OrNode.is(node)) {
    const a = truth(reading, node.left)
    if (isLeft(a)) return a
    const b = truth(reading, node.right)
    if (isLeft(b)) return b
    // what decides alone: false for AND, true for OR
    const decides = OrNode.is(node)
    return right((row, texts) => joined(a.right(row, texts), b.right(row, texts), decides))
  }
  if (UnaryOperationNode.is(node)) {
    const operator = operatorOf(node.operator)
    if (operator !== 'not') return refuse(reading, operator)
    const operand = truth(reading, node.operand)
    return isLeft(operand) ? operand : right((row, texts) => negated(operand.right(row, texts)))
  }
  if (BinaryOperationNode.is(node)) return comparison(reading, node)
  if (ValueNode.is(node) && (typeof node.value === 'boolean' || node.value === null)) return right(() => node.value)
  const value = ReferenceNode.is(node) ? term(reading, node) : null
  return value !== null && !isLeft(value) && value.right.column?.column.kind === 'boolean'
    ? right(value.right.meeting(null))
    : refuse(reading, nameOf(node))
}

const joined = (a: unknown, b: unknown, decides: boolean): unknown => {
  if (a === decides || b === decides) return decides
  if (a === undefined || b === undefined) return undefined
  return a === null || b === null ? null : !decides
}

const negated = (value: unknown): unknown => (typeof value === 'boolean' ? !value : value)

/** How two values compare, see `compareEncoded`. */
type Order = ReturnType<typeof compareEncoded>
type Decide = (order: Order) => boolean | undefined

const isEqual: Decide = (order) => (order === undefined ? undefined : order === 0)
const isUnequal: Decide = (order) => (order === undefined ? undefined : order !== 0)
const ordered =
  (decide: (order: number) => boolean): Decide =>
  (order) =>
    typeof order === 'number' ? decide(order) : undefined

const comparisons: Readonly<Record<string, Decide>> = {
  '=': isEqual,
  '==': isEqual,
  '<>': isUnequal,
  '!=': isUnequal,
  '<': ordered((order) => order < 0),
  '<=': ordered((order) => order <= 0),
  '>': ordered((order) => order > 0),
  '>=': ordered((order) => order >= 0),
}

/** Comparisons for which NULL is a value like any other. */
const identities: Readonly<Record<string, Decide>> = {
  is: isEqual,
  'is not': isUnequal,
  'is not distinct from': isEqual,
  'is distinct from': isUnequal,
}

const comparison = (reading: Reading, node: BinaryOperationNode): Result<Evaluate> => {
  const { leftOperand, rightOperand } = node
  const operator = operatorOf(node.operator)
  if (TupleNode.is(leftOperand)) return tupleComparison(reading, leftOperand, operator, rightOperand)
  if (operator === 'between symmetric') return refuse(reading, operator)
  const a = term(reading, leftOperand)
  if (isLeft(a)) return a
  switch (operator) {
    case 'in':
    case 'not in':
      return membership(reading, a.right, rightOperand, operator === 'in')
    case 'between':
      return range(reading, a.right, rightOperand)
    default: {
      const b = term(reading, rightOperand)
      return isLeft(b) ? b : compared(reading, a.right, operator, b.right)
    }
  }
}

const compared = (reading: Reading, a: Term, operator: string, b: Term): Result<Evaluate> => {
  const compare = comparisons[operator]
  const identify = identities[operator]
  const decide = compare ?? identify
  if (decide === undefined) return refuse(reading, operator)
  const x = a.meeting(b.column)
  const y = b.meeting(a.column)
  const isNullCheck = identify !== undefined && (isNull(a) || isNull(b))
  const document = a.document ?? b.document
  if (!isNullCheck && document !== null) return refuse(reading, document)
  const compareValues = comparisonOf(a, b)
  const isOfTexts = a.isText || b.isText
  if (isOfTexts && !isNullCheck) noteText(reading, decide === isEqual || decide === isUnequal)
  return right((row, texts) => {
    const one = x(row, texts)
    const other = y(row, texts)
    if (one === undefined || other === undefined) return undefined
    if (one !== null && other !== null) return decide(compareValues(one, other, isOfTexts ? texts : asWritten))
    return identify === undefined ? null : identify(one === other ? 0 : 'unequal')
  })
}

/** `a between b and c` is `a >= b and a <= c`. */
const range = (reading: Reading, item: Term, bounds: OperationNode): Result<Evaluate> => {
  if (!AndNode.is(bounds)) return refuse(reading, 'between')
  const low = term(reading, bounds.left)
  if (isLeft(low)) return low
  const high = term(reading, bounds.right)
  if (isLeft(high)) return high
  return both(compared(reading, item, '>=', low.right), compared(reading, item, '<=', high.right), false)
}

const both = (a: Result<Evaluate>, b: Result<Evaluate>, decides: boolean): Result<Evaluate> => {
  if (isLeft(a)) return a
  return isLeft(b) ? b : right((row, texts) => joined(a.right(row, texts), b.right(row, texts), decides))
}

/** Tuples are equal where their parts are, and unequal where any two of them are. */
const tupleComparison = (
  reading: Reading,
  item: TupleNode,
  operator: string,
  against: OperationNode,
): Result<Evaluate> => {
  const isIn = operator === 'in' || operator === 'not in'
  const tuples = isIn ? (ValueListNode.is(against) ? against.values : []) : [against]
  const isKnown = isIn || operator === '=' || operator === '<>' || operator === '!='
  if (!isKnown || (isIn && !ValueListNode.is(against))) return refuse(reading, `${operator} of tuples`)
  let found: Result<Evaluate> = right(() => false)
  for (const tuple of tuples) {
    if (!TupleNode.is(tuple) || tuple.values.length !== item.values.length) return refuse(reading, nameOf(tuple))
    let equal: Result<Evaluate> = right(() => true)
    for (let i = 0; i < item.values.length; i++) {
      const a = term(reading, item.values[i] as OperationNode)
      if (isLeft(a)) return a
      const b = term(reading, tuple.values[i] as OperationNode)
      if (isLeft(b)) return b
      equal = both(equal, compared(reading, a.right, '=', b.right), false)
    }
    found = both(found, equal, true)
  }
  const isPositive = operator === 'in' || operator === '='
  if (isLeft(found) || isPositive) return found
  const { right: evaluate } = found
  return right((row, texts) => negated(evaluate(row, texts)))
}

const membership = (reading: Reading, item: Term, list: OperationNode, isIn: boolean): Result<Evaluate> => {
  const values = listed(list)
  if (values === null) return refuse(reading, `${isIn ? 'in' : 'not in'} ${nameOf(list)}`)
  if (item.document !== null) return refuse(reading, item.document)
  const compareValues = comparisonOf(item, item)
  const isOfTexts = item.isText
  if (isOfTexts) noteText(reading, true)
  const evaluate = item.meeting(null)
  const members = values.map((value) => encoded(item.column, value))
  return right((row, texts) => {
    const value = evaluate(row, texts)
    if (members.length === 0) return !isIn
    if (value === undefined || value === null) return value
    let isSure = true
    let hasNull = false
    for (const member of members) {
      if (member === null) {
        hasNull = true
        continue
      }
      const isMember =
        member === undefined ? undefined : isEqual(compareValues(value, member, isOfTexts ? texts : asWritten))
      if (isMember === true) return isIn
      if (isMember === undefined) isSure = false
    }
    if (!isSure) return undefined
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

const isNull = ({ literal }: Term): boolean => literal !== null && literal.value === null
