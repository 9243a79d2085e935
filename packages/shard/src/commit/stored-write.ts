/**
 * Writes of a shard's slice of a plan, stored to be done later: as they were made, with what they gave, and with what they
 * have to meet when they are done again.
 *
 * What the database gave the rows (keys, defaults) is written out, so that they are the same whenever the slice is applied.
 * Versions stand in the conditions of updates and deletes; how many rows each has to match is stored beside it.
 */
import type {
  Answer,
  ComputedColumn,
  DeleteCall,
  InsertCall,
  QueryAnswer,
  QueryCall,
  Returned,
  UpdateAnswer,
  UpdateCall,
} from '@unitary/core'

/** A call that writes. */
export type WriteCall = InsertCall | UpdateCall | DeleteCall | QueryCall

/** A write, and what it has to match: rows for each of its own, or in all; null for rows that are new. */
export interface StoredWrite {
  readonly call: WriteCall
  readonly expected: ReadonlyArray<number> | number | null
}

type Row = ReadonlyArray<unknown>

/** A write as it is done again, from its call and its answer. */
export const storedWrite = (call: WriteCall, answer: Answer<WriteCall>): StoredWrite => {
  switch (call._tag) {
    case 'Insert': {
      const given = givenBy(call.returning, answer as Returned, call.columns)
      const { kinds: _, ...bare } = call
      return {
        call: {
          ...bare,
          columns: [...call.columns, ...given.columns],
          rows: given.columns.length === 0 ? call.rows : call.rows.map((row, i) => [...row, ...given.cellsOf(i)]),
          ...notComputing(call.computed, given.columns),
          returning: [],
        },
        expected: null,
      }
    }
    case 'Update': {
      const { matched, returned } = answer as UpdateAnswer
      const given = givenBy(call.returning, returned, call.set)
      const { kinds: _, ...bare } = call
      return {
        call: {
          ...bare,
          set: [...call.set, ...given.columns],
          rows:
            given.columns.length === 0
              ? call.rows
              : call.rows.map((row, i) => [
                  ...row.slice(0, call.set.length),
                  ...given.cellsOf(i),
                  ...row.slice(call.set.length),
                ]),
          ...notComputing(call.computed, given.columns),
          returning: [],
        },
        expected: matched,
      }
    }
    case 'Delete':
      return { call, expected: answer as Answer<DeleteCall> }
    case 'Query':
      return { call, expected: (answer as QueryAnswer).affected }
  }
}

/** The columns that the database has given values that are all known, but for those of the program's own. */
const givenBy = (
  returning: ReadonlyArray<string>,
  returned: Returned,
  own: ReadonlyArray<string>,
): { readonly columns: ReadonlyArray<string>; readonly cellsOf: (row: number) => Row } => {
  const places = returning.flatMap((column, i) =>
    own.includes(column) || returned[i] === undefined || returned[i].includes(undefined) ? [] : [i],
  )
  return {
    columns: places.map((place) => returning[place] as string),
    cellsOf: (row) => places.map((place) => returned[place]?.[row]),
  }
}

const notComputing = (
  computed: ReadonlyArray<ComputedColumn> | undefined,
  given: ReadonlyArray<string>,
): { readonly computed?: ReadonlyArray<ComputedColumn> } =>
  computed === undefined ? {} : { computed: computed.filter(({ column }) => !given.includes(column)) }

/** Values that JSON does not have, as objects of one key that no other value has. */
const tag = '$unitary'

const replaced = (value: unknown): unknown =>
  typeof value === 'bigint'
    ? { [tag]: 'bigint', text: String(value) }
    : value instanceof Uint8Array
      ? { [tag]: 'bytes', text: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
      : value instanceof Date
        ? { [tag]: 'date', text: value.toISOString() }
        : typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
          ? { [tag]: 'number', text: Object.is(value, -0) ? '-0' : String(value) }
          : value === undefined
            ? null
            : value

const restored = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || !(tag in value) || !('text' in value)) return value
  const text = String(value.text)
  switch (value[tag]) {
    case 'bigint':
      return BigInt(text)
    case 'bytes':
      return new Uint8Array(Buffer.from(text, 'base64'))
    case 'date':
      return new Date(text)
    case 'number':
      return Number(text)
    default:
      return value
  }
}

/** Cells are looked at one by one: `JSON.stringify` shows a replacer what `toJSON` has made of dates and buffers. */
const cells = (row: Row): Row => row.map(replaced)

const plainCall = (call: WriteCall): unknown =>
  call._tag === 'Query'
    ? { ...call, statement: { ...call.statement, parameters: cells(call.statement.parameters) } }
    : { ...call, rows: call.rows.map(cells) }

/** One write as text. */
export const encodeWrite = (call: WriteCall): string => JSON.stringify(plainCall(call), bigintsToo)

/** Constants stand in expressions, too. */
const bigintsToo = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? replaced(value) : value)

/** Writes as text. */
export const encodeWrites = (writes: ReadonlyArray<StoredWrite>): string =>
  JSON.stringify(
    writes.map(({ call, expected }) => ({ call: plainCall(call), expected })),
    bigintsToo,
  )

/** The writes of a text; null where it is none of `encodeWrites`. */
export const decodeWrites = (text: string): ReadonlyArray<StoredWrite> | null => {
  try {
    const writes: unknown = JSON.parse(text, (_, value: unknown) => restored(value))
    return Array.isArray(writes) && writes.every(isStoredWrite) ? writes : null
  } catch {
    return null
  }
}

const isStoredWrite = (value: unknown): value is StoredWrite =>
  typeof value === 'object' &&
  value !== null &&
  'expected' in value &&
  'call' in value &&
  typeof value.call === 'object' &&
  value.call !== null &&
  '_tag' in value.call &&
  ['Insert', 'Update', 'Delete', 'Query'].includes(String(value.call._tag))
