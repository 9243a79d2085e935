/**
 * Which row that a database gives back stands for which row of an insert.
 *
 * No database promises an order for RETURNING, and an upsert may leave rows alone, or write those that were there. So rows
 * are told apart by the values of a key that they bring along, or else are written one by one.
 */
import { QueryNode, SelectionNode } from 'kysely'
import type { DriverRow } from '../engine/call.js'
import type { Dialect } from '../engine/dialect.js'
import type { Attribute, Mapping } from '../model/mapping.js'
import { rawKeyOfValue } from '../model/raw-key.js'
import { conflictAssignments, conflictTarget, uniqueKeysOf } from './conflict.js'
import type { AnyInsert } from './insert.js'
import { Computed, type InsertRows, type RowRun } from './insert-rows.js'
import { partReader } from './keys.js'
import { attributeNode } from './statement.js'

/** May an insert leave rows alone: those that are there, or of them those that do not meet a condition? @category guards */
export const canSkip = ({ node: { onConflict } }: AnyInsert): boolean =>
  onConflict !== undefined && (onConflict.updates === undefined || onConflict.updateWhere !== undefined)

/** The attributes that an instance is read with, but for what is computed, which no database has in the place of a column. @category combinators */
export const loadedAttributes = ({ entity: { mapping } }: AnyInsert): ReadonlyArray<Attribute> =>
  mapping.attributes.filter(({ isDeferred, isStored }) => !isDeferred && isStored)

/** The insert, returning its rows as a query would give them, by attribute names. @category combinators */
export const returningRows = (statement: AnyInsert): AnyInsert => ({
  ...statement,
  node: QueryNode.cloneWithReturning(
    QueryNode.cloneWithoutReturning(statement.node),
    loadedAttributes(statement).map((attribute) =>
      SelectionNode.create(attributeNode(statement.entity.mapping, attribute)),
    ),
  ),
})

/**
 * The attributes by which rows are told apart that several statements' worth of rows gives back: a key whose values the rows
 * bring along, and keep. Null where there is none.
 *
 * @category combinators
 */
export const tellingApart = (
  statement: AnyInsert,
  rows: InsertRows,
  { from, to, places }: RowRun,
  { name, textComparison }: Dialect,
): ReadonlyArray<Attribute> | null => {
  const { mapping } = statement.entity
  const { onConflict } = statement.node
  const set = onConflict === undefined ? new Set<Attribute>() : conflictAssignments(mapping, onConflict)
  const given = new Set(places.map((place) => rows.attributes[place]))
  const isBrought = (attribute: Attribute): boolean => {
    if (!given.has(attribute) || set.has(attribute) || !isComparable(attribute)) return false
    const place = rows.attributes.indexOf(attribute)
    for (let i = from; i < to; i++) if (!isPlain(rows.encoded[i]?.[place])) return false
    return true
  }
  const keys = uniqueKeysOf(mapping)
  const target = conflictTarget(mapping, statement.node)
  if (onConflict?.updates === undefined) return keys.find((key) => key.every(isBrought)) ?? null
  // what is updated is another row than the one given: it has the values of the target in common, and maybe nothing else
  if (target === null || !target.every(isBrought)) return null
  // a collation may find that texts are equal which are not, and MySQL updates by whichever unique key
  if (textComparison === 'collation' && target.some(({ column }) => column.kind === 'text')) return null
  const mayConflict = keys.filter((key) => key.every((attribute) => given.has(attribute)))
  return name === 'mysql' && mayConflict.length > 1 ? null : target
}

/** Does a value come back as it was given, so far as that can be told? */
const isComparable = ({ column }: Attribute): boolean => column.kind !== 'blob' && column.kind !== 'json'

const isPlain = (cell: unknown): boolean => cell !== undefined && cell !== null && !(cell instanceof Computed)

/**
 * The rows that came back for those given from one place to another, in their order; undefined for one that was left alone.
 * Null where rows came back that are none of them. Where rows may be left alone, of several with one key the first is the one
 * that was written.
 *
 * @category interpreters
 */
export const inGivenOrder = (
  attributes: ReadonlyArray<Attribute>,
  rows: InsertRows,
  from: number,
  to: number,
  answered: ReadonlyArray<DriverRow>,
  dialect: Dialect,
  isOnce: boolean,
): ReadonlyArray<DriverRow | undefined> | null => {
  const read = attributes.map((attribute) => partReader(attribute, dialect))
  const encoded = (attribute: Attribute, value: unknown): unknown =>
    value === null || value === undefined ? null : attribute.encode(value)
  const byKey = new Map(
    answered.map((row) => [
      keyText(attributes.map((attribute, j) => encoded(attribute, read[j]?.(row[attribute.name])))),
      row,
    ]),
  )
  const places = attributes.map((attribute) => rows.attributes.indexOf(attribute))
  const found: Array<DriverRow | undefined> = []
  const seen = new Set<string | number | null>()
  for (let i = from; i < to; i++) {
    const key = keyText(places.map((place) => rows.encoded[i]?.[place]))
    found.push(isOnce && seen.has(key) ? undefined : byKey.get(key))
    seen.add(key)
  }
  for (const key of byKey.keys()) if (!seen.has(key)) return null
  return found
}

const keyText = (values: ReadonlyArray<unknown>): string | number | null =>
  values.length === 1 ? rawKeyOfValue(values[0]) : JSON.stringify(values.map(rawKeyOfValue))

/**
 * The keys by which an upsert may have updated a row of another primary key than the one given. MySQL knows no target: it
 * may be any that is unique.
 *
 * @category interpreters
 */
export const conflictKeys = (
  { entity: { mapping }, node }: AnyInsert,
  { name }: Dialect,
): ReadonlyArray<ReadonlyArray<Attribute>> => {
  const { onConflict, onDuplicateKey } = node
  if (onConflict?.updates === undefined && onDuplicateKey === undefined) return []
  const target = name === 'mysql' ? null : conflictTarget(mapping, node)
  return target === null ? mapping.uniqueKeys : isKey(mapping, target) ? [] : [target]
}

const isKey = ({ key }: Mapping, attributes: ReadonlyArray<Attribute>): boolean =>
  attributes.length === key.length && key.every((attribute) => attributes.includes(attribute))
