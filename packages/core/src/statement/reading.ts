/**
 * How the values of rows are read: as those of the column that an expression takes its values from, or by what it computes.
 *
 * Drivers differ in what they give for what is computed: PostgreSQL's has counts as text, MySQL's sums, and truth values are
 * numbers on two of three databases.
 */
import { isLeft, isRight } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import {
  AggregateFunctionNode,
  AliasNode,
  AndNode,
  ARITHMETIC_OPERATORS,
  BinaryOperationNode,
  CaseNode,
  CastNode,
  COMPARISON_OPERATORS,
  DataTypeNode,
  FunctionNode,
  type OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  ReferenceNode,
  SelectQueryNode,
  UnaryOperationNode,
  ValueNode,
} from 'kysely'
import { onlyChecks } from '../codec/check.js'
import { bigInt, IntegerType } from '../codec/codecs.js'
import { DecimalType } from '../codec/decimal.js'
import type { ReadMode } from '../codec/row-class.js'
import type { Dialect } from '../engine/dialect.js'
import type { AnyColumn, ColumnKind } from '../model/column.js'
import type { Attribute, Mapping } from '../model/mapping.js'
import { computedAt } from './find.js'
import { type AnyQuery, type AnyRows, selectedAs, type ValueOutput } from './rows.js'
import { branches, columnOf, outputOf, tablesOf, withExpressions, within } from './scope.js'
import { slotType } from './slot.js'
import { catalogOf, outermost, type Scope } from './source.js'
import { mappingsOf } from './statement.js'

/**
 * How a value is read.
 *
 * @category model
 */
export interface Reading {
  /** How the driver spells it; null where nobody knows, so that it stays as the driver gives it. */
  readonly kind: ColumnKind | null
  /** What decodes it; null where it is a plain value. */
  readonly codec: AnyColumn['codec'] | null
  /** Whose values it has. */
  readonly source: { readonly mapping: Mapping; readonly attribute: Attribute } | null
}

/** A value that its codec rejects. A reader gives it in place of one. @category model */
export class ReadFault {
  readonly value: unknown
  readonly expected: string
  constructor(value: unknown, expected: string) {
    this.value = value
    this.expected = expected
  }
}

const asGiven: Reading = { kind: null, codec: null, source: null }
const aBoolean: Reading = { ...asGiven, kind: 'boolean' }
const aNumber: Reading = { ...asGiven, kind: 'real' }
const anInteger: Reading = { ...asGiven, kind: 'integer' }

const known = new WeakMap<AnyRows['node'], ReadonlyMap<string, Reading>>()

/**
 * How a value of rows is read. O(nodes) once for each tree.
 *
 * @category interpreters
 */
export const readingOf = (rows: AnyRows, { column, readAs }: ValueOutput): Reading => {
  if (readAs !== null) return asColumn(readAs)
  let readings = known.get(rows.node)
  if (readings === undefined) {
    readings = readingsOf(rows)
    known.set(rows.node, readings)
  }
  return readings.get(column) ?? asGiven
}

/**
 * How the values of an expression in a query are read.
 *
 * @category interpreters
 */
export const readingIn = (statement: AnyQuery, node: OperationNode): Reading => reading(scopeOf(statement), node)

const scopeOf = (statement: AnyQuery): Scope => {
  const { node } = statement
  const outside = withExpressions(outermost(catalogOf(mappingsOf(statement))), node.with?.expressions ?? [])
  return within(outside, tablesOf(node))
}

const readingsOf = (rows: AnyRows): ReadonlyMap<string, Reading> => {
  const scope = scopeOf(rows)
  return new Map(
    rows.outputs.flatMap((output) => {
      const selected = output._tag === 'Value' ? selectedAs(rows.node, output.column) : null
      return selected === null || output._tag === 'Entity' ? [] : [[output.column, reading(scope, selected)]]
    }),
  )
}

/**
 * The kind of the values of an expression that is no column itself, where a codec reads them; null where it is a column, or
 * nothing tells.
 */
export const computedKind = (scope: Scope, node: OperationNode): ColumnKind | null => {
  if (ReferenceNode.is(node) || ParensNode.is(node)) return null
  const { codec, kind } = reading(scope, node)
  return codec === null ? null : kind
}

const asColumn = ({ codec, kind }: AnyColumn): Reading => ({ kind, codec, source: null })

const reading = (scope: Scope, node: OperationNode): Reading => {
  const column = columnOf(scope, node)
  return column === null ? computed(scope, node) : { ...asColumn(column.attribute.column), source: column }
}

const computed = (scope: Scope, node: OperationNode): Reading => {
  if (ReferenceNode.is(node)) {
    const at = computedAt(scope, node)
    return at === null ? asGiven : reading(at.scope, at.node)
  }
  if (ParensNode.is(node) || AliasNode.is(node)) return reading(scope, node.node)
  if (AggregateFunctionNode.is(node)) return called(scope, node.func, node.aggregated)
  if (FunctionNode.is(node)) return called(scope, node.func, node.arguments)
  if (BinaryOperationNode.is(node)) return operated(scope, node)
  if (UnaryOperationNode.is(node)) return operatorOf(node) === '-' ? reading(scope, node.operand) : aBoolean
  if (AndNode.is(node) || OrNode.is(node)) return aBoolean
  if (CaseNode.is(node)) return firstReading(scope, branches(node))
  if (CastNode.is(node)) return cast(node.dataType)
  if (ValueNode.is(node)) return literal(node.value)
  if (SelectQueryNode.is(node)) {
    const [only] = outputOf(scope, node, '').computed.values()
    return only === undefined ? asGiven : reading(only.scope, only.node)
  }
  return asGiven
}

/** Functions that count. */
const counting: ReadonlySet<string> = new Set(['count', 'row_number', 'rank', 'dense_rank', 'ntile'])
/** Functions that give a value of another row. */
const looking: ReadonlySet<string> = new Set(['lag', 'lead', 'first_value', 'last_value', 'nth_value'])
const measuring: ReadonlySet<string> = new Set(['percent_rank', 'cume_dist'])
/** Functions that give one of their arguments, where none of them is a column. */
const choosing: ReadonlySet<string> = new Set(['coalesce', 'ifnull', 'nullif', 'greatest', 'least', 'max', 'min'])

const called = (scope: Scope, func: string, args: ReadonlyArray<OperationNode>): Reading => {
  const name = func.toLowerCase()
  const [first] = args
  if (counting.has(name)) return anInteger
  if (choosing.has(name)) return firstReading(scope, args)
  if (measuring.has(name)) return aNumber
  if (first === undefined) return asGiven
  if (looking.has(name)) return reading(scope, first)
  if (name === 'avg') return averageOf(reading(scope, first))
  return name === 'sum' || name === 'abs' ? sumOf(reading(scope, first)) : asGiven
}

/** The sum of integers is one, and fails to be read where it is too large for what it is read as; that of decimals too. */
const sumOf = ({ kind, source }: Reading): Reading =>
  kind === 'decimal'
    ? { kind, codec: anyDecimal, source }
    : kind === 'bigint'
      ? { kind, codec: bigInt, source }
      : source !== null && kind === 'integer'
        ? { kind, codec: integerCodec, source }
        : aNumber

const integerCodec = new IntegerType()
/** More digits than any database has. On SQLite decimals are text, which sorts as they do and adds up to nothing. */
const anyDecimal = new DecimalType(20_000, 10_000)

const averageOf = (given: Reading): Reading => (given.kind === 'decimal' ? sumOf(given) : aNumber)

const arithmetic: ReadonlySet<string> = new Set(ARITHMETIC_OPERATORS)
const comparing: ReadonlySet<string> = new Set(
  [...COMPARISON_OPERATORS, 'between', 'between symmetric'].filter((operator) => operator !== '<->'),
)

const operated = (scope: Scope, node: BinaryOperationNode): Reading => {
  const operator = operatorOf(node)
  if (comparing.has(operator)) return aBoolean
  if (!arithmetic.has(operator)) return asGiven
  const sides = [reading(scope, node.leftOperand), reading(scope, node.rightOperand)]
  const exact = sides.find(({ kind }) => kind === 'decimal') ?? sides.find(({ kind }) => kind === 'bigint')
  return exact === undefined ? aNumber : sumOf(exact)
}

const operatorOf = ({ operator }: BinaryOperationNode | UnaryOperationNode): string =>
  OperatorNode.is(operator) ? operator.operator : ''

const firstReading = (scope: Scope, nodes: ReadonlyArray<OperationNode>): Reading => {
  for (const node of nodes) {
    const found = reading(scope, node)
    if (found.kind !== null) return found
  }
  return asGiven
}

const cast = (type: OperationNode): Reading => {
  const name = DataTypeNode.is(type) ? type.dataType : ''
  if (/^(integer|int[248]|smallint|bigint)$/.test(name)) return anInteger
  if (/^(real|double precision|float[48]|decimal|numeric)/.test(name)) return aNumber
  return name === 'boolean' ? aBoolean : asGiven
}

const literal = (value: unknown): Reading => {
  const type = slotType(value)
  return type === 'number' ? aNumber : type === 'boolean' ? aBoolean : asGiven
}

/**
 * Reads a value as a driver gives it. A `ReadFault` where its codec rejects it.
 *
 * NULL is what the codec makes of it, or null: an outer join and an aggregate of nothing give it for any column.
 *
 * @category interpreters
 */
export const valueReaderOf = (
  { codec, kind }: Reading,
  dialect: Dialect,
  mode: ReadMode,
): ((value: unknown) => unknown) => {
  const convert = kind === null ? null : dialect.fromDriver(kind)
  const isTaken = codec === null || (mode === 'trusted' && isChecked(codec))
  if (isTaken) return convert ?? ((value) => value)
  const ofNull = codec.decode(null)
  const whenNull = isRight(ofNull) ? ofNull.right : null
  return (value) => {
    const given = convert === null ? value : convert(value)
    if (given === null || given === undefined) return whenNull
    const decoded = codec.decode(given)
    return isLeft(decoded) ? new ReadFault(given, codec.name) : decoded.right
  }
}

const isChecked = (codec: AnyColumn['codec']): boolean => codec.encode === t.identity && onlyChecks(codec)
