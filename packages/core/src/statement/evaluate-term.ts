/**
 * Values in expressions that are evaluated in memory: attributes, literals, arithmetic, CASE, and the functions that all
 * databases agree on.
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import {
  BinaryOperationNode,
  CaseNode,
  ColumnNode,
  FunctionNode,
  type OperationNode,
  OperatorNode,
  ParensNode,
  ReferenceNode,
  UnaryOperationNode,
  ValueNode,
} from 'kysely'
import { compareDecimals } from '../codec/decimal.js'
import type { TextComparison } from '../engine/dialect.js'
import type { Attribute, Mapping } from '../model/mapping.js'
import { compareEncoded } from './compare.js'
import { holdsTogether } from './condition.js'
import { functions } from './evaluate-function.js'
import { tableName } from './source.js'

/** An expression that only the database can evaluate. @category model */
export interface NotEvaluable {
  readonly _tag: 'NotEvaluable'
  readonly entity: string
  /** What it is: an operator, a function, a kind of node. */
  readonly expression: string
}

type Row = Readonly<Record<string, unknown>>

/** A part of an expression: gives the encoded value, null for NULL, undefined where it cannot be told. */
export type Evaluate = (row: Row, texts: TextComparison) => unknown

export type Result<A> = Either<NotEvaluable, A>

/** An expression being read; seen by one call only. */
export interface Reading {
  readonly mapping: Mapping
  /** The databases on which a row that is known in full may yet be unsure. */
  readonly unsureOn: Set<TextComparison>
  /** Reads a condition, which a CASE may hold. */
  readonly condition: (reading: Reading, node: OperationNode) => Result<Evaluate>
}

/** A value. */
export interface Term {
  /** Its encoded value where it meets a column, which says how literals are encoded; null where it meets none. */
  readonly meeting: (column: Attribute | null) => Evaluate
  /** The column whose values it takes, if any. */
  readonly column: Attribute | null
  readonly literal: { readonly value: unknown } | null
  readonly isText: boolean
  /** Decimals are text on the portable side, and compare as numbers. */
  readonly isDecimal: boolean
  /** Why nobody can compare it: databases compare JSON and arrays as documents or as text. */
  readonly document: string | null
}

export const refuse = ({ mapping }: Reading, expression: string): Either<NotEvaluable, never> =>
  left({ _tag: 'NotEvaluable', entity: mapping.name, expression })

/** What an expression is called that is refused. */
export const nameOf = (node: OperationNode): string => {
  if (ParensNode.is(node)) return nameOf(node.node)
  if (FunctionNode.is(node)) return `${node.func}()`
  if (UnaryOperationNode.is(node)) return operatorOf(node.operator)
  return names[node.kind] ?? node.kind
}

const names: Readonly<Record<string, string>> = {
  RawNode: 'raw SQL',
  SelectQueryNode: 'a subquery',
  AggregateFunctionNode: 'an aggregate',
  CaseNode: 'case',
  CastNode: 'cast',
  ReferenceNode: 'a column of another table',
  ValueNode: 'a value',
  ValueListNode: 'a list of expressions',
  PrimitiveValueListNode: 'a list',
}

export const operatorOf = (node: OperationNode): string => (OperatorNode.is(node) ? node.operator : node.kind)

/** Databases whose collation may see it otherwise than memory does. */
export const noteText = ({ unsureOn }: Reading, isEquality: boolean): void => {
  if (!isEquality) unsureOn.add('equality')
  unsureOn.add('collation')
}

/** How two values compare. */
export const comparisonOf = (a: Term, b: Term): typeof compareEncoded =>
  a.isDecimal || b.isDecimal ? compareExact : compareEncoded

const compareExact: typeof compareEncoded = (a, b) =>
  typeof a === 'string' && typeof b === 'string' ? compareDecimals(a, b) : undefined

/** Instants, days and UUIDs are written in one way, which sorts by any collation as they do. */
export const asWritten: TextComparison = 'code points'

/** Undefined where the codec cannot encode it: then the statement cannot be compiled, and never runs. */
export const encoded = (attribute: Attribute | null, value: unknown): unknown => {
  if (attribute === null || value === null || value === undefined) return value
  try {
    return attribute.encode(value)
  } catch {
    return undefined
  }
}

/** Reads a value. */
export const term = (reading: Reading, node: OperationNode): Result<Term> => {
  if (ParensNode.is(node)) return term(reading, node.node)
  if (ValueNode.is(node)) return right(literalTerm(node.value))
  const attribute = attributeAt(reading.mapping, node)
  if (attribute?.isStored === false) return refuse(reading, 'an attribute that an SQL expression computes')
  if (attribute !== null) return right(attributeTerm(attribute))
  if (BinaryOperationNode.is(node)) return calculation(reading, node)
  if (UnaryOperationNode.is(node)) return negation(reading, node)
  if (CaseNode.is(node)) return choice(reading, node)
  return FunctionNode.is(node) ? call(reading, node) : refuse(reading, nameOf(node))
}

const literalTerm = (value: unknown): Term => ({
  meeting: (column) => {
    const known = encoded(column, value)
    return () => known
  },
  column: null,
  literal: { value },
  isText: typeof value === 'string',
  isDecimal: false,
  document: null,
})

const attributeTerm = (attribute: Attribute): Term => {
  const { column, name } = attribute
  const evaluate: Evaluate = (row) => encoded(attribute, row[name])
  return {
    meeting: () => evaluate,
    column: attribute,
    literal: null,
    isText: column.kind === 'text' || column.kind === 'enum',
    isDecimal: column.kind === 'decimal',
    document:
      column.kind === 'json' ? 'a comparison of JSON' : column.kind === 'array' ? 'a comparison of arrays' : null,
  }
}

const attributeAt = (mapping: Mapping, node: OperationNode): Attribute | null => {
  if (!ReferenceNode.is(node) || !ColumnNode.is(node.column)) return null
  const isOwn = node.table === undefined || tableName(node.table) === mapping.table
  const { name } = node.column.column
  return isOwn ? (mapping.attributeOf.get(name) ?? mapping.synonyms.get(name) ?? null) : null
}

/** What is computed, of no column. */
const computed = (evaluate: Evaluate, isText = false): Term => ({
  meeting: () => evaluate,
  column: null,
  literal: null,
  isText,
  isDecimal: false,
  document: null,
})

/** One of several values: literals are encoded by the column that it meets, or else by the first of its own. */
const oneOf = (terms: ReadonlyArray<Term>, choose: (values: ReadonlyArray<Evaluate>) => Evaluate): Term => {
  const own = terms.find(({ column }) => column !== null)?.column ?? null
  return {
    meeting: (column) => choose(terms.map((one) => one.meeting(column ?? own))),
    column: own,
    literal: null,
    isText: terms.some(({ isText }) => isText),
    isDecimal: terms.some(({ isDecimal }) => isDecimal),
    document: terms.find(({ document }) => document !== null)?.document ?? null,
  }
}

const allTerms = (reading: Reading, nodes: ReadonlyArray<OperationNode>): Result<ReadonlyArray<Term>> => {
  const terms: Term[] = []
  for (const node of nodes) {
    const read = term(reading, node)
    if (isLeft(read)) return read
    terms.push(read.right)
  }
  return right(terms)
}

// CASE

const choice = (reading: Reading, { value, when = [], else: otherwise }: CaseNode): Result<Term> => {
  const compared = value === undefined ? null : term(reading, value)
  if (compared !== null && isLeft(compared)) return compared
  const conditions: Evaluate[] = []
  for (const { condition } of when) {
    const met =
      compared === null
        ? holdsTogether(condition)
          ? reading.condition(reading, condition)
          : refuse(reading, 'an OR without parentheses')
        : equals(reading, compared.right, condition)
    if (isLeft(met)) return met
    conditions.push(met.right)
  }
  const missing = ValueNode.create(null)
  const results = allTerms(reading, [...when.map(({ result }) => result ?? missing), otherwise ?? missing])
  if (isLeft(results)) return results
  return right(
    oneOf(results.right, (values) => (row, texts) => {
      for (let i = 0; i < conditions.length; i++) {
        const isMet = conditions[i]?.(row, texts)
        if (isMet === undefined) return undefined
        if (isMet === true) return values[i]?.(row, texts)
      }
      return values[conditions.length]?.(row, texts)
    }),
  )
}

const equals = (reading: Reading, a: Term, node: OperationNode): Result<Evaluate> => {
  const b = term(reading, node)
  if (isLeft(b)) return b
  const document = a.document ?? b.right.document
  if (document !== null) return refuse(reading, document)
  const compare = comparisonOf(a, b.right)
  const isOfTexts = a.isText || b.right.isText
  if (isOfTexts) noteText(reading, true)
  const x = a.meeting(b.right.column)
  const y = b.right.meeting(a.column)
  return right((row, texts) => {
    const one = x(row, texts)
    const other = y(row, texts)
    if (one === undefined || other === undefined) return undefined
    if (one === null || other === null) return null
    const order = compare(one, other, isOfTexts ? texts : asWritten)
    return order === undefined ? undefined : order === 0
  })
}

// functions

const call = (reading: Reading, node: FunctionNode): Result<Term> => {
  const name = node.func.toLowerCase()
  const args = allTerms(reading, node.arguments)
  if (isLeft(args)) return args
  const [only, another, ...others] = args.right
  if (only === undefined) return refuse(reading, nameOf(node))
  if (name === 'coalesce' || name === 'ifnull') return right(oneOf(args.right, firstKnown))
  if (name === 'nullif' && another !== undefined && others.length === 0) return nullIf(reading, node, [only, another])
  if (name === 'concat' && args.right.every(({ isText }) => isText)) return right(joinedTexts(reading, args.right))
  const ofOne = another === undefined ? functions[name] : undefined
  if (ofOne === undefined || ofOne.isOfText !== only.isText || only.document !== null)
    return refuse(reading, nameOf(node))
  for (const texts of ofOne.unsureOn) reading.unsureOn.add(texts)
  const evaluate = only.meeting(null)
  const apply = (row: Row, texts: TextComparison): unknown => {
    const value = evaluate(row, texts)
    return value === null || value === undefined ? value : ofOne.apply(value, texts)
  }
  return right(computed(apply, ofOne.givesText))
}

/** With NULL among them it is NULL for some databases, and for others the rest. */
const joinedTexts = ({ unsureOn }: Reading, terms: ReadonlyArray<Term>): Term => {
  for (const texts of ['code points', 'equality', 'collation'] as const) unsureOn.add(texts)
  const parts = terms.map((one) => one.meeting(null))
  return computed((row, texts) => {
    let text = ''
    for (const part of parts) {
      const value = part(row, texts)
      if (typeof value !== 'string') return undefined
      text += value
    }
    return text
  }, true)
}

const firstKnown =
  (values: ReadonlyArray<Evaluate>): Evaluate =>
  (row, texts) => {
    for (const evaluate of values) {
      const value = evaluate(row, texts)
      if (value !== null) return value
    }
    return null
  }

const nullIf = (reading: Reading, node: FunctionNode, terms: readonly [Term, Term]): Result<Term> => {
  const equal = equals(reading, terms[0], node.arguments[1] as OperationNode)
  if (isLeft(equal)) return equal
  const { right: isEqual } = equal
  return right(
    oneOf(terms, ([value]) => (row, texts) => {
      const found = value?.(row, texts)
      if (found === undefined || found === null) return found
      const isSame = isEqual(row, texts)
      return isSame === undefined ? undefined : isSame === true ? null : found
    }),
  )
}

// arithmetic

const negation = (reading: Reading, { operand, operator }: UnaryOperationNode): Result<Term> => {
  const name = operatorOf(operator)
  if (name !== '-') return refuse(reading, name)
  // `-a + b` would be read otherwise than the tree has it
  if (BinaryOperationNode.is(operand)) return refuse(reading, '- without parentheses')
  const negated = term(reading, operand)
  if (isLeft(negated)) return negated
  const evaluate = negated.right.meeting(null)
  return right(
    computed((row, texts) => {
      const value = evaluate(row, texts)
      return value === null ? null : calculated('-', 0, value)
    }),
  )
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
  // a literal in arithmetic is no value of a column
  const x = a.right.meeting(null)
  const y = b.right.meeting(null)
  return right(
    computed((row, texts) => {
      const one = x(row, texts)
      const other = y(row, texts)
      return one === null || other === null ? null : calculated(operator, one, other)
    }),
  )
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
