/**
 * What an insert gives rows that leave something out, before it is compiled: defaults of the program, and what is drawn from
 * generators.
 */
import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type InsertQueryNode,
  type OperationNode,
  PrimitiveValueListNode,
  SelectAllNode,
  SelectionNode,
  SelectQueryNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
} from 'kysely'
import type { Generator } from '../model/generator.js'
import type { Attribute } from '../model/mapping.js'
import type { Services } from '../services.js'
import { withConflictDefaults } from './conflict.js'
import type { AnyInsert } from './insert.js'

/**
 * Fills in the client-side defaults of attributes that rows leave out, once for each row; and what an upsert sets by itself
 * where it updates (`withUpdateDefault`), once for all of them. What runs an insert does so before it is compiled, since
 * defaults may need services. The same value is given back where there is none to fill.
 *
 * @category combinators
 */
export const withDefaults =
  (services: Services) =>
  <S extends AnyInsert>(self: S): S => {
    const { mapping } = self.entity
    const filled = withConflictDefaults(
      mapping,
      fill(self.node, mapping.attributes.filter(hasDefault), (attribute) => defaultOf(attribute, services)),
      services,
    )
    return filled === self.node ? self : { ...self, node: filled }
  }

/** Has an insert anything to be filled in, whatever its rows? @category guards */
export const canHaveDefaults = ({ entity: { mapping } }: AnyInsert): boolean =>
  mapping.updateDefaults.length + mapping.updateExpressions.length > 0 || mapping.attributes.some(hasDefault)

const hasDefault = ({ column }: Attribute): boolean =>
  column.defaultValue !== null || column.insertValue !== null || column.insertExpression !== null

const defaultOf = ({ column }: Attribute, services: Services): OperationNode =>
  column.defaultValue === null && column.insertExpression !== null
    ? column.insertExpression.toOperationNode()
    : ValueNode.create((column.defaultValue ?? column.insertValue)?.(services))

/**
 * What an insert is to draw from generators: a value for each of its rows that leaves an attribute out, in the order of the
 * generators' names. Nothing where a query gives the rows, whose number nobody knows.
 *
 * @example
 * insertDraws(pipe(insertInto(model.Order), values([{ customer: 'ann' }]))) // [{ generator: counter('counters', 'orders'), count: 1 }]
 *
 * @category combinators
 */
export const insertDraws = ({ entity: { mapping }, node }: AnyInsert): ReadonlyArray<InsertDraw> => {
  const { columns = [], values: given } = node
  if (mapping.drawn.length === 0 || given === undefined || !ValuesNode.is(given)) return []
  const counts = new Map<string, InsertDraw>()
  for (const attribute of mapping.drawn) {
    const { generator } = attribute.column
    const place = columns.findIndex(({ column }) => column.name === attribute.name)
    const lacking =
      place === -1
        ? given.values
        : given.values.filter((row) => !PrimitiveValueListNode.is(row) && isDefault(row.values[place]))
    if (generator === null || lacking.length === 0) continue
    const name = JSON.stringify(generator)
    counts.set(name, { generator, count: lacking.length + (counts.get(name)?.count ?? 0) })
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, draw]) => draw)
}

/** So many values of a generator. @category model */
export interface InsertDraw {
  readonly generator: Generator
  readonly count: number
}

/**
 * The insert with what was drawn for it, as `insertDraws` asks for it; with 0 for what was not, which is as good where the rows
 * are only to be checked.
 *
 * @category combinators
 */
export const withDrawnValues =
  (draws: ReadonlyArray<InsertDraw>, drawn: ReadonlyArray<ReadonlyArray<bigint>>) =>
  <S extends AnyInsert>(self: S): S => {
    if (draws.length === 0) return self
    const left = new Map(draws.map(({ generator }, i) => [JSON.stringify(generator), (drawn[i] ?? []).values()]))
    const { mapping } = self.entity
    const sources = new Map(mapping.drawn.map((one) => [one, left.get(JSON.stringify(one.column.generator))]))
    const lacking = mapping.drawn.filter((one) => sources.get(one) !== undefined)
    const node = fill(self.node, lacking, (attribute) => {
      const value = sources.get(attribute)?.next().value ?? 0n
      return ValueNode.create(attribute.column.kind === 'bigint' ? value : Number(value))
    })
    return { ...self, node }
  }

type Row = ValuesNode['values'][number]

/** Gives rows what they leave out, row by row. */
const fill = (
  node: InsertQueryNode,
  defaults: ReadonlyArray<Attribute>,
  give: (attribute: Attribute) => OperationNode,
): InsertQueryNode => {
  const { columns = [], values: given } = node
  if (given === undefined || defaults.length === 0) return node
  const place = new Map(columns.map(({ column }, i) => [column.name, i]))
  const absent = defaults.filter(({ name }) => !place.has(name))
  const all = [...columns, ...absent.map(({ name }) => ColumnNode.create(name))]
  if (!ValuesNode.is(given)) {
    return absent.length === 0 ? node : { ...node, columns: all, values: extended(given, absent, give) }
  }
  const present = defaults.filter(({ name }) => place.has(name))
  const isWhole = (row: Row): boolean =>
    PrimitiveValueListNode.is(row) || !present.some(({ name }) => isDefault(row.values[place.get(name) as number]))
  if (absent.length === 0 && given.values.every(isWhole)) return node
  const rows = given.values.map((row): Row => {
    const more = absent.map(give)
    if (PrimitiveValueListNode.is(row) && more.every(ValueNode.is)) {
      return PrimitiveValueListNode.create([...row.values, ...more.map(({ value }) => value)])
    }
    const items = PrimitiveValueListNode.is(row)
      ? row.values.map((value): OperationNode => ValueNode.create(value))
      : [...row.values]
    for (const attribute of present) {
      const at = place.get(attribute.name) as number
      if (isDefault(items[at])) items[at] = give(attribute)
    }
    for (const value of more) items.push(value)
    return ValueListNode.create(items)
  })
  return { ...node, columns: all, values: ValuesNode.create(rows) }
}

const isDefault = (node: OperationNode | undefined): boolean => node?.kind === 'DefaultInsertValueNode'

/** A query that gives the defaults beside its own columns. */
const extended = (
  query: OperationNode,
  absent: ReadonlyArray<Attribute>,
  give: (attribute: Attribute) => OperationNode,
): SelectQueryNode =>
  SelectQueryNode.cloneWithSelections(
    SelectQueryNode.createFrom([AliasNode.create(query, IdentifierNode.create('given'))]),
    [
      SelectionNode.create(SelectAllNode.create()),
      ...absent.map((attribute) =>
        SelectionNode.create(AliasNode.create(give(attribute), IdentifierNode.create(attribute.name))),
      ),
    ],
  )
