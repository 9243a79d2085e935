/**
 * Checksums of rows that do not hang on their order: a sum of the rows' digests. Pure.
 *
 * A sum, not an exclusive or, so that a row that is there twice is not taken for none.
 */
import { parseDecimal, sortableDecimal } from '@unitary/core'
import { digestOf } from '../commit/transaction-id.js'
import type { MovedColumn } from './moved-tables.js'
import type { Cells } from './table-rows.js'

/** How many rows, and their checksum: the sum of the first 128 bits of their SHA-256. @category model */
export interface Tally {
  readonly rows: number
  /** 32 hexadecimal digits. */
  readonly checksum: string
}

const modulus = 1n << 128n

/** Collects rows. */
export class Tallying {
  readonly #columns: ReadonlyArray<MovedColumn>
  #rows = 0
  #sum = 0n

  constructor(columns: ReadonlyArray<MovedColumn>) {
    this.#columns = columns
  }

  add(rows: ReadonlyArray<Cells>): void {
    this.#rows += rows.length
    for (const row of rows) {
      const digest = digestOf([rowText(this.#columns, row)]).slice(0, 32)
      this.#sum = (this.#sum + BigInt(`0x${digest}`)) % modulus
    }
  }

  get tally(): Tally {
    return { rows: this.#rows, checksum: this.#sum.toString(16).padStart(32, '0') }
  }
}

/** A row as text: the same for the same row, whatever database it came from. */
export const rowText = (columns: ReadonlyArray<MovedColumn>, row: Cells): string =>
  columns.map((column, i) => valueText(column, row[i])).join('\u0000')

const valueText = ({ kind }: MovedColumn, value: unknown): string => {
  if (value === null || value === undefined) return '-'
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`
  if (kind === 'json' || kind === 'array') return `j${JSON.stringify(sorted(parsed(value)))}`
  if (kind === 'decimal' && (typeof value === 'string' || typeof value === 'number')) {
    const decimal = parseDecimal(String(value))
    if (decimal._tag === 'Some') return `d${sortableDecimal(decimal.value)}`
  }
  return typeof value === 'bigint'
    ? `v${value}`
    : `v${typeof value === 'string' ? value : JSON.stringify(sorted(value))}`
}

const parsed = (value: unknown): unknown => {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

/** Databases keep the members of JSON objects in orders of their own. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  )
}
