/**
 * Rows of shards between which rows move: the same row from two shards is taken once.
 */
import { type AnyQuery, type ColumnKind, linkedOwner, type Mapping, type RelationshipMapping } from '@unitary/core'
import type { Rows } from '@unitary/session'

/** Where rows have what tells them apart. */
export type KeyColumns = ReadonlyArray<readonly [column: string, kind: ColumnKind | null]>

/** Of an entity's rows. */
export const keyColumnsOf = ({ key }: Mapping): KeyColumns => key.map(({ column, name }) => [name, column.kind])

/** Of the targets of a relationship that are told beside their owners: one may be there for each of several. */
export const linkColumnsOf = (mapping: Mapping, { owner }: RelationshipMapping): KeyColumns => [
  ...owner.key.map((_, i) => [linkedOwner(i), null] as const),
  ...keyColumnsOf(mapping),
]

/** Of a query's rows; null where nothing in them tells which row of the entity they are of. */
export const keyColumnsIn = (statement: AnyQuery): KeyColumns | null => {
  const { mapping } = statement.entity
  if (statement._tag === 'Select') return keyColumnsOf(mapping)
  for (const output of statement.outputs) {
    if (output._tag === 'Entity' && output.alias === null) {
      return mapping.key.map(({ column, position }) => [output.columns[position] as string, column.kind])
    }
  }
  return null
}

/** The batches without rows that an earlier one has. A row that one shard gives several times, as a join does, stays so. */
export const distinct = (batches: ReadonlyArray<Rows>, columns: KeyColumns): ReadonlyArray<Rows> => {
  const seen = new Set<string>()
  return batches.map((batch) => {
    const convert = columns.map(([, kind]) => (kind === null ? null : batch.dialect.fromDriver(kind)))
    const textOf = (row: Rows['rows'][number]): string =>
      columns.map(([column], i) => String(convert[i]?.(row[column]) ?? row[column])).join('\u0000')
    const texts = batch.rows.map(textOf)
    const rows = batch.rows.filter((_, i) => !seen.has(texts[i] as string))
    for (const text of texts) seen.add(text)
    return rows.length === batch.rows.length ? batch : { ...batch, rows }
  })
}
