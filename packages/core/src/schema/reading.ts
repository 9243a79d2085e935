/**
 * Reading a database's catalogue: queries, each asked for with the rows of the one before, whichever engine answers them.
 */
import type { RawBuilder, RootOperationNode } from 'kysely'
import { sql } from 'kysely'
import type { DriverRow } from '../engine/call.js'
import type { ReferentialAction } from '../model/reference.js'
import type { ForeignKeySchema } from './database-schema.js'

/** Yields queries, is given their rows, and returns what it has read. */
export type Reading<A> = Generator<RootOperationNode, A, ReadonlyArray<DriverRow>>

/** A row as text by the names of its columns in lower case, as not every server gives them; null is NULL. */
export type CatalogueRow = Readonly<Record<string, string | null>>

/** Asks for rows. */
export function* rowsOf(query: RawBuilder<unknown>): Reading<ReadonlyArray<CatalogueRow>> {
  const rows = yield query.toOperationNode() as RootOperationNode
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name.toLowerCase(),
        value === null || value === undefined ? null : textOf(value),
      ]),
    ),
  )
}

/** Drivers give some of a catalogue's text as bytes. */
const textOf = (value: unknown): string => {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean | bigint)
}

/** Rows by one of their columns, in their order. */
export const groupedBy = (
  rows: ReadonlyArray<CatalogueRow>,
  keyOf: (row: CatalogueRow) => string,
): ReadonlyMap<string, ReadonlyArray<CatalogueRow>> => {
  const groups = new Map<string, CatalogueRow[]>()
  for (const row of rows) {
    const key = keyOf(row)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return groups
}

/** A column of a row that is never NULL. */
export const said = (row: CatalogueRow | undefined, column: string): string => row?.[column] ?? ''

/** Several values for an IN. */
export const listed = (values: ReadonlyArray<string>): RawBuilder<unknown> =>
  sql.join(values.map((value) => sql`${value}`))

/** An action as a catalogue spells it. */
export const actionNamed = (name: string): ForeignKeySchema['onDelete'] => {
  const action = name.toLowerCase() as ReferentialAction
  return action === 'no action' ? null : action
}
