/**
 * The shape of a tree: all of it but the values of its parameters, as a list of tokens, and those values beside it. Two
 * trees of one model with the same tokens compile to the same SQL on the same engine, and differ in parameters only.
 *
 * The tokens are a prefix code: signs, which are numbers, say what follows them, so that trees which differ in anything
 * that a compiler reads never have the same tokens. They are made anew for every statement that runs, in one pass. The
 * nodes that queries by condition consist of have signs of their own; all others are spelt out, property by property, so
 * that nothing can be forgotten. A tree that holds what cannot be spelt (an object of no known kind where nodes and names
 * belong) has no shape.
 *
 * @example
 * // select ... where id = 1  and  select ... where id = 2: the same tokens, with the values [1] and [2]
 */
import {
  type AndNode,
  type BinaryOperationNode,
  type ColumnNode,
  type OperationNode,
  OperatorNode,
  type OrNode,
  type ParensNode,
  PrimitiveValueListNode,
  type ReferenceNode,
  type RootOperationNode,
  type SelectionNode,
  type SelectQueryNode,
  type TableNode,
  type TupleNode,
  type ValueListNode,
  type ValueNode,
  type WhereNode,
} from 'kysely'
import { Encoded } from './encoded.js'
import { Fault } from './fault.js'
import { referred } from './find.js'
import { formOf, listOf, paddedLength } from './lists.js'
import { slotType } from './slot.js'
import { isNode } from './tree.js'
import { isUnorderedOperation } from './unordered.js'

/** A sign, a count, a name, a literal, or a part that is shared. */
export type Token = number | string | bigint | boolean | object | null | undefined

/**
 * What one pass over a tree has found. There is one, which the next pass overwrites: a list of tokens for each statement
 * that runs would cost as much as the pass itself. Only `values` are made anew.
 */
export interface Shape {
  readonly tokens: ReadonlyArray<Token>
  /** How many of the tokens are of this tree. */
  readonly length: number
  /** Of the tokens; the same for the same tokens. */
  readonly hash: number
  /** Characters in all of the names. */
  readonly characters: number
  /** The values of the parameters, in the order in which they were met. Lists are padded (see `lists.ts`). */
  readonly values: ReadonlyArray<unknown>
  /** Whether there is anything that `checkStatement` refuses. */
  readonly isSuspect: boolean
}

/** Parameters of the largest statement that has a shape, its lists padded. Far below what any database takes. */
export const mostValues = 2048

/** Tokens of the largest statement that has a shape. */
const mostTokens = 8192

/**
 * The shape of a tree; null where it has none or is too large. It holds until the next call. O(nodes).
 *
 * @category interpreters
 */
export const shapeOf = (node: RootOperationNode): Shape | null => {
  // a statement is checked before it is compiled, and compiled for each of some shards
  if (node === run.node) return isShape() ? run : null
  run.node = null
  run.length = 0
  run.hash = 0
  run.characters = 0
  run.values = []
  run.isSuspect = false
  run.selecting = 0
  run.isWhole = true
  read(node)
  run.node = node
  return isShape() ? run : null
}

/** Whether a tree's tokens are these. */
export const hasTokens = (tokens: ReadonlyArray<Token>, shape: Shape): boolean => {
  const { length } = shape
  if (tokens.length !== length) return false
  for (let i = 0; i < length; i++) if (tokens[i] !== shape.tokens[i]) return false
  return true
}

interface Run {
  node: RootOperationNode | null
  readonly tokens: Token[]
  length: number
  hash: number
  characters: number
  values: unknown[]
  isSuspect: boolean
  /** How many selections are being read, one within the other. */
  selecting: number
  /** Whether all that was met could be spelt. */
  isWhole: boolean
}

const run: Run = {
  node: null,
  tokens: [],
  length: 0,
  hash: 0,
  characters: 0,
  values: [],
  isSuspect: false,
  selecting: 0,
  isWhole: true,
}

const isShape = (): boolean => run.isWhole && !isTooLarge()

const isTooLarge = (): boolean => run.values.length > mostValues || run.length > mostTokens

const shared = new WeakMap<object, number>()
let shares = 0

/**
 * Has a part of trees stand for itself from now on, instead of being read each time: one that many statements have in
 * common, and that holds no values. Lists of selections and FROM clauses can.
 */
export const shareShape = (part: object): void => {
  run.node = null
  shared.set(part, shares++)
}

// tokens

const signs = {
  parameter: 1,
  immediate: 2,
  literal: 3,
  negativeZero: 4,
  values: 5,
  list: 6,
  items: 7,
  operation: 8,
  computedOperation: 9,
  column: 10,
  reference: 11,
  qualified: 12,
  tableColumn: 13,
  table: 14,
  tableInSchema: 15,
  selection: 16,
  where: 17,
  and: 18,
  or: 19,
  parens: 20,
  select: 21,
  node: 22,
  array: 23,
  shared: 24,
  referring: 25,
  encoded: 29,
  number: 27,
  boolean: 28,
  end: 26,
} as const

/** What is selected is read by its type where it is no column's (see `reading.ts`). */
const selected = { number: signs.number, boolean: signs.boolean, other: signs.parameter } as const

/** A sign, a count or another number. */
const sign = (given: number): void => {
  run.tokens[run.length++] = given
  run.hash = (Math.imul(run.hash, 31) + given) | 0
}

const name = (given: string): void => {
  if (typeof given !== 'string') {
    // no types kept it out; Kysely says what is wrong
    run.isWhole = false
    return
  }
  const { length } = given
  run.tokens[run.length++] = given
  run.characters += length
  // a few characters tell most names apart, and tokens are compared in any case
  const some =
    length === 0
      ? 0
      : given.charCodeAt(0) + 7 * given.charCodeAt(length >> 1) + 49 * given.charCodeAt(length - 1) + 343 * length
  run.hash = (Math.imul(run.hash, 31) + some) | 0
}

/** What is neither a node nor a list. */
const literal = (given: unknown): void => {
  switch (typeof given) {
    case 'string':
      sign(signs.literal)
      name(given)
      break
    case 'number':
      // zeros are equal, though codecs may tell them apart
      sign(Object.is(given, -0) ? signs.negativeZero : signs.literal)
      sign(given)
      break
    case 'bigint':
    case 'boolean':
    case 'undefined':
      sign(signs.literal)
      run.tokens[run.length++] = given
      break
    default:
      sign(signs.literal)
      run.tokens[run.length++] = null
      if (given !== null) run.isWhole = false
  }
}

// nodes

type SignedNode =
  | AndNode
  | BinaryOperationNode
  | ColumnNode
  | OrNode
  | ParensNode
  | PrimitiveValueListNode
  | ReferenceNode
  | SelectionNode
  | SelectQueryNode
  | TableNode
  | ValueNode
  | WhereNode

const read = (node: OperationNode): void => {
  const any = node as SignedNode
  switch (any.kind) {
    case 'ValueNode':
      value(any)
      break
    case 'PrimitiveValueListNode':
      sign(signs.values)
      sign(any.values.length)
      valuesIn(any.values)
      break
    case 'BinaryOperationNode':
      operation(any)
      break
    case 'ReferenceNode':
      reference(any)
      break
    case 'ColumnNode':
      sign(signs.column)
      name(any.column.name)
      break
    case 'TableNode':
      table(any)
      break
    case 'SelectionNode':
      sign(signs.selection)
      run.selecting++
      read(any.selection)
      run.selecting--
      break
    case 'WhereNode':
      sign(signs.where)
      read(any.where)
      break
    case 'AndNode':
      sign(signs.and)
      read(any.left)
      read(any.right)
      break
    case 'OrNode':
      sign(signs.or)
      read(any.left)
      read(any.right)
      break
    case 'ParensNode':
      sign(signs.parens)
      read(any.node)
      break
    case 'SelectQueryNode':
      sign(signs.select)
      properties(any)
      break
    default:
      sign(signs.node)
      name(node.kind)
      properties(node)
  }
}

const value = ({ immediate, value: given }: ValueNode): void => {
  if (given instanceof Encoded && immediate === undefined) {
    // the column says how it is written, and stands nowhere else in the tree
    sign(signs.encoded)
    run.tokens[run.length++] = given.attribute
    run.values.push(given.value)
    if (run.selecting > 0) run.isWhole = false
    return
  }
  if (immediate === undefined) {
    sign(run.selecting === 0 ? signs.parameter : selected[slotType(given) ?? 'other'])
    run.values.push(given)
    if (given instanceof Fault) run.isSuspect = true
    return
  }
  // it stands in the SQL itself
  sign(signs.immediate)
  literal(immediate)
  literal(given)
}

const valuesIn = (given: ReadonlyArray<unknown>): void => {
  for (let i = 0; i < given.length && run.values.length <= mostValues; i++) run.values.push(given[i])
}

const reference = (node: ReferenceNode): void => {
  const { table: of, column } = node
  const known = referred(node)
  if (known !== null) {
    sign(signs.referring)
    run.tokens[run.length++] = known.mapping
    run.tokens[run.length++] = known.attribute
  }
  if (of === undefined) {
    sign(signs.reference)
    read(column)
  } else if (of.table.schema === undefined && column.kind === 'ColumnNode') {
    sign(signs.tableColumn)
    name(of.table.identifier.name)
    name(column.column.name)
  } else {
    sign(signs.qualified)
    table(of)
    read(column)
  }
}

const table = ({ table: { schema, identifier } }: TableNode): void => {
  sign(schema === undefined ? signs.table : signs.tableInSchema)
  if (schema !== undefined) name(schema.name)
  name(identifier.name)
}

const operation = (node: BinaryOperationNode): void => {
  const { leftOperand, operator, rightOperand } = node
  if (OperatorNode.is(operator)) {
    sign(signs.operation)
    name(operator.operator)
  } else {
    sign(signs.computedOperation)
    read(operator)
  }
  if (isUnorderedOperation(node)) run.isSuspect = true
  read(leftOperand)
  const list = listOf(node)
  if (list !== null) listed(list)
  // whether this is a list or one value that is an array, the column tells
  else if (PrimitiveValueListNode.is(rightOperand)) run.isWhole = false
  else read(rightOperand)
}

const listed = (list: PrimitiveValueListNode | ValueListNode): void => {
  const { length } = list.values
  if (length > mostValues) {
    run.isWhole = false
    return
  }
  const wanted = paddedLength(length)
  if (PrimitiveValueListNode.is(list)) {
    sign(signs.list)
    sign(wanted)
    valuesIn(list.values)
    for (let i = length; i < wanted; i++) run.values.push(list.values[length - 1])
    return
  }
  const form = formOf(list)
  if (form === null) {
    read(list)
    return
  }
  sign(signs.items)
  sign(form)
  sign(wanted)
  for (let i = 0; i < wanted; i++) item(list.values[i < length ? i : length - 1] as ValueNode | TupleNode)
}

const item = (node: ValueNode | TupleNode): void => {
  if (node.kind === 'ValueNode') run.values.push(node.value)
  else for (const part of node.values) run.values.push((part as ValueNode).value)
}

const properties = (node: OperationNode): void => {
  for (const property in node) {
    if (property === 'kind') continue
    name(property)
    const given: unknown = node[property as 'kind']
    if ((property === 'selections' || property === 'from') && isShared(given)) continue
    part(given)
  }
  sign(signs.end)
}

const isShared = (given: unknown): boolean => {
  const known = shared.get(given as object)
  if (known === undefined) return false
  sign(signs.shared)
  run.tokens[run.length++] = given as object
  run.hash = (Math.imul(run.hash, 31) + known) | 0
  return true
}

const part = (given: unknown): void => {
  if (typeof given !== 'object' || given === null) literal(given)
  else if (Array.isArray(given)) parts(given)
  else if (isNode(given)) read(given)
  else run.isWhole = false
}

const parts = (list: ReadonlyArray<unknown>): void => {
  sign(signs.array)
  sign(list.length)
  for (let i = 0; i < list.length && !isTooLarge(); i++) part(list[i])
}
