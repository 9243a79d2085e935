/**
 * Conditions and assignments evaluated on rows in memory, as the database would evaluate them.
 *
 * A bulk update or delete changes rows that a session may hold; evaluating its criteria on them tells which, without
 * asking the database. Logic is SQL's, of three values. What is not understood is refused by name, never guessed: LIKE,
 * since databases differ in whether case counts, division, since they differ in what becomes of the rest. Databases also
 * differ in how texts compare; where one may see it otherwise than memory does, the answer is that it is not known.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/queryguide/dml.html#selecting-a-synchronization-strategy
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
import { compareDecimals } from '../codec/decimal.js'
import type { Dialect, TextComparison } from '../engine/dialect.js'
import type { Attribute, Mapping } from '../model/mapping.js'
import { compareEncoded } from './compare.js'
import { holdsTogether } from './condition.js'
import type { AnyDelete } from './delete.js'
import { tableName } from './scope.js'
import { type AnyUpdate, assignmentsOf } from './update.js'

/** An expression that only the database can evaluate. @category model */
export interface NotEvaluable {
  readonly _tag: 'NotEvaluable'
  readonly entity: string
  /** What it is: an operator, a function, a kind of node. */
  readonly expression: string
}

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

/** A part of an expression: gives the encoded value, null for NULL, undefined where it cannot be told. */
type Evaluate = (row: Row, texts: TextComparison) => unknown

/** A value, and the column that says how it is encoded. */
interface Term {
  readonly evaluate: Evaluate
  readonly attribute: Attribute | null
  /** Not encoded yet: the column that it meets does that. */
  readonly literal: { readonly value: unknown } | null
}

type Result<A> = Either<NotEvaluable, A>

/** An expression being read; seen by one call only. */
interface Reading {
  readonly mapping: Mapping
  /** What it compares of texts. */
  compares: 'nothing' | 'equality' | 'order'
}

const unsure: Readonly<Record<Reading['compares'], ReadonlyArray<TextComparison>>> = {
  nothing: [],
  equality: ['collation'],
  order: ['equality', 'collation'],
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
  const reading: Reading = { mapping, compares: 'nothing' }
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
    unsureOn: unsure[reading.compares],
  })
}

const keyChanges = (reading: Reading, statement: AnyUpdate): Either<NotEvaluable, never> | null => {
  for (const [{ isKey }, node] of assignmentsOf(statement)) {
    const value = isKey ? term({ ...reading }, node) : null
    if (value !== null && isLeft(value)) return value
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
    const value = term({ mapping, compares: 'nothing' }, node)
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

/** The program's value that an attribute gets. */
const assigned = (attribute: Attribute, { literal, evaluate }: Term): Evaluate =>
  literal === null ? (row, texts) => decoded(attribute, evaluate(row, texts)) : () => literal.value

const refuse = ({ mapping }: Reading, expression: string): Either<NotEvaluable, never> =>
  left({ _tag: 'NotEvaluable', entity: mapping.name, expression })

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
  if (ValueNode.is(node) && typeof node.value === 'boolean') return right(() => node.value)
  return refuse(reading, node.kind)
}

const joined = (a: unknown, b: unknown, decides: boolean): unknown => {
  if (a === decides || b === decides) return decides
  if (a === undefined || b === undefined) return undefined
  return a === null || b === null ? null : !decides
}

const negated = (value: unknown): unknown => (typeof value === 'boolean' ? !value : value)

const operatorOf = (node: OperationNode): string => (OperatorNode.is(node) ? node.operator : node.kind)

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
  const operator = operatorOf(node.operator)
  const a = term(reading, node.leftOperand)
  if (isLeft(a)) return a
  if (operator === 'in' || operator === 'not in') {
    return membership(reading, a.right, node.rightOperand, operator === 'in')
  }
  const compare = comparisons[operator]
  const identify = identities[operator]
  const decide = compare ?? identify
  if (decide === undefined) return refuse(reading, operator)
  const b = term(reading, node.rightOperand)
  if (isLeft(b)) return b
  const x = meeting(a.right, b.right)
  const y = meeting(b.right, a.right)
  const isNullCheck = identify !== undefined && (isNull(a.right) || isNull(b.right))
  const document = documentOf(a.right) ?? documentOf(b.right)
  if (!isNullCheck && document !== null) return refuse(reading, document)
  const compareValues = comparisonOf(a.right, b.right)
  const isOfTexts = isText(a.right) || isText(b.right)
  if (isOfTexts && !isNullCheck) noteText(reading, decide === isEqual || decide === isUnequal)
  return right((row, texts) => {
    const one = x(row, texts)
    const other = y(row, texts)
    if (one === undefined || other === undefined) return undefined
    if (one !== null && other !== null) return decide(compareValues(one, other, isOfTexts ? texts : asWritten))
    return identify === undefined ? null : identify(one === other ? 0 : 'unequal')
  })
}

const membership = (reading: Reading, item: Term, list: OperationNode, isIn: boolean): Result<Evaluate> => {
  const values = listed(list)
  if (values === null) return refuse(reading, `${isIn ? 'in' : 'not in'} ${list.kind}`)
  const document = documentOf(item)
  if (document !== null) return refuse(reading, document)
  const compareValues = comparisonOf(item, item)
  const isOfTexts = isText(item)
  if (isOfTexts) noteText(reading, true)
  const members = values.map((value) => encoded(item.attribute, value))
  return right((row, texts) => {
    const value = item.evaluate(row, texts)
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

/** Databases compare JSON and arrays as documents or as text. */
const documentOf = ({ attribute }: Term): string | null => {
  const kind = attribute?.column.kind
  return kind === 'json' ? 'a comparison of JSON' : kind === 'array' ? 'a comparison of arrays' : null
}

const isText = ({ attribute, literal }: Term): boolean =>
  attribute === null
    ? typeof literal?.value === 'string'
    : attribute.column.kind === 'text' || attribute.column.kind === 'enum'

const comparisonOf = (a: Term, b: Term): typeof compareEncoded =>
  isDecimalTerm(a) || isDecimalTerm(b) ? compareExact : compareEncoded

const isDecimalTerm = ({ attribute }: Term): boolean => attribute?.column.kind === 'decimal'

/** Decimals are text on the portable side, and compare as numbers. */
const compareExact: typeof compareEncoded = (a, b) =>
  typeof a === 'string' && typeof b === 'string' ? compareDecimals(a, b) : undefined

/** Instants, days and UUIDs are written in one way, which sorts by any collation as they do. */
const asWritten: TextComparison = 'code points'

const noteText = (reading: Reading, isEquality: boolean): void => {
  if (reading.compares !== 'order') reading.compares = isEquality ? 'equality' : 'order'
}

// values

/** Undefined where the codec cannot encode it: then the statement cannot be compiled, and never runs. */
const encoded = (attribute: Attribute | null, value: unknown): unknown => {
  if (attribute === null || value === null || value === undefined) return value
  try {
    return attribute.encode(value)
  } catch {
    return undefined
  }
}

/** A literal is encoded by the column that it meets. */
const meeting = (self: Term, other: Term): Evaluate => {
  if (self.literal === null) return self.evaluate
  const value = encoded(other.attribute, self.literal.value)
  return () => value
}

const term = (reading: Reading, node: OperationNode): Result<Term> => {
  if (ParensNode.is(node)) return term(reading, node.node)
  if (ValueNode.is(node)) {
    const { value } = node
    return right({ evaluate: () => value, attribute: null, literal: { value } })
  }
  const attribute = attributeAt(reading.mapping, node)
  if (attribute !== null) {
    const { name } = attribute
    return right({ evaluate: (row) => encoded(attribute, row[name]), attribute, literal: null })
  }
  return BinaryOperationNode.is(node) ? calculation(reading, node) : refuse(reading, node.kind)
}

const attributeAt = (mapping: Mapping, node: OperationNode): Attribute | null => {
  if (!ReferenceNode.is(node) || !ColumnNode.is(node.column)) return null
  const isOwn = node.table === undefined || tableName(node.table) === mapping.table
  return isOwn ? (mapping.attributeOf.get(node.column.column.name) ?? null) : null
}

/** Kysely sets no parentheses: what stands without is read again, by how strongly operators bind. */
const strength: Readonly<Record<string, number>> = { '+': 1, '-': 1, '*': 2, '%': 2 }

const calculation = (reading: Reading, node: BinaryOperationNode): Result<Term> => {
  const operator = operatorOf(node.operator)
  const binds = strength[operator]
  if (binds === undefined) return refuse(reading, operator)
  const { leftOperand, rightOperand } = node
  const inner = BinaryOperationNode.is(leftOperand) ? (strength[operatorOf(leftOperand.operator)] ?? 0) : binds
  if (inner < binds || BinaryOperationNode.is(rightOperand)) return refuse(reading, `${operator} without parentheses`)
  const a = term(reading, leftOperand)
  if (isLeft(a)) return a
  const b = term(reading, rightOperand)
  if (isLeft(b)) return b
  const x = meeting(a.right, b.right)
  const y = meeting(b.right, a.right)
  return right({
    evaluate: (row, texts) => {
      const one = x(row, texts)
      const other = y(row, texts)
      return one === null || other === null ? null : calculated(operator, one, other)
    },
    attribute: null,
    literal: null,
  })
}

/** Arithmetic on numbers; on anything else the database's own rules hold, which are not ours to repeat. */
const calculated = (operator: string, a: unknown, b: unknown): unknown => {
  if (typeof a === 'number' && typeof b === 'number') {
    const isInteger = Number.isInteger(a) && Number.isInteger(b)
    if (operator === '%' && !isInteger) return undefined
    const result = operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : a % b
    // a rest of a division by zero is NULL, where it is no error; beyond 2^53 only the database is exact
    if (Number.isNaN(result)) return operator === '%' ? null : undefined
    return isInteger && !Number.isSafeInteger(result) ? undefined : result + 0
  }
  const x = integerOf(a)
  const y = integerOf(b)
  if (x === null || y === null) return undefined
  if (operator === '%' && y === 0n) return null
  const result = operator === '+' ? x + y : operator === '-' ? x - y : operator === '*' ? x * y : x % y
  return BigInt.asIntN(64, result) === result ? result : undefined
}

const integerOf = (value: unknown): bigint | null =>
  typeof value === 'bigint' ? value : Number.isInteger(value) ? BigInt(value as number) : null
