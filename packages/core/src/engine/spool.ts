/**
 * A spool: rows set aside, to be read once in the order in which they came.
 *
 * A connection that has to do something else gets free by that: what is left of its query waits here. One block of rows
 * stays in memory; where there are more, they go to a temporary file, so that however many there are they take no memory.
 * Nobody but this process can read that file: it is made for its owner alone, and loses its name as soon as it is open
 * (where the system allows that; otherwise when the spool is closed).
 *
 * Values have to be data: what Node's structured clone keeps, dates, bytes and bigints among them.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import type { DriverRow } from './call.js'

/** Before each block in the file: its length in bytes. */
const headerBytes = 4

export class Spool {
  readonly #blockRows: number
  /** The columns' names, once for all rows. */
  #names: ReadonlyArray<string> | null = null
  #file: TemporaryFile | null = null
  /** Rows that came last and are in no file. */
  #tail: DriverRow[] = []
  /** The block that is being read, and its next row. */
  #head: ReadonlyArray<DriverRow> = []
  #next = 0

  /** `blockRows`: how many rows are held in memory at a time. */
  constructor(blockRows: number) {
    this.#blockRows = blockRows
  }

  /** Adds a row. Can throw where the file cannot be written. */
  append(row: DriverRow): void {
    if (this.#tail.length >= this.#blockRows) this.#writeTail()
    this.#tail.push(row)
  }

  /** The next rows: as many as asked for, and fewer only at the end. Can throw where the file cannot be read. */
  take(count: number): ReadonlyArray<DriverRow> {
    const taken: DriverRow[] = []
    while (taken.length < count) {
      if (this.#next === this.#head.length && !this.#readHead()) break
      const end = Math.min(this.#head.length, this.#next + count - taken.length)
      for (; this.#next < end; this.#next++) taken.push(this.#head[this.#next] as DriverRow)
    }
    return taken
  }

  /** Gives back what it takes. Nothing can be read after it. */
  close(): void {
    this.#file?.close()
    this.#file = null
    this.#head = []
    this.#next = 0
    this.#tail = []
  }

  #writeTail(): void {
    const names = this.#names ?? Object.keys(this.#tail[0] as DriverRow)
    this.#names = names
    const values: unknown[] = []
    for (const row of this.#tail) for (const name of names) values.push(row[name])
    this.#file ??= new TemporaryFile()
    this.#file.append(serialize(values))
    this.#tail = []
  }

  #readHead(): boolean {
    const block = this.#file?.read() ?? null
    this.#head = block === null ? this.#tail : rowsOf(this.#names as ReadonlyArray<string>, deserialize(block))
    if (block === null) this.#tail = []
    this.#next = 0
    return this.#head.length > 0
  }
}

const rowsOf = (names: ReadonlyArray<string>, values: ReadonlyArray<unknown>): ReadonlyArray<DriverRow> => {
  const rows: DriverRow[] = []
  for (let at = 0; at < values.length; at += names.length) {
    const row: Record<string, unknown> = {}
    for (let i = 0; i < names.length; i++) row[names[i] as string] = values[at + i]
    rows.push(row)
  }
  return rows
}

/** Blocks, written one after another and read in the same order. */
class TemporaryFile {
  readonly #descriptor: number
  readonly #path: string
  #isNamed = true
  #written = 0
  #read = 0

  constructor() {
    this.#path = join(tmpdir(), `unitary-${randomUUID()}`)
    this.#descriptor = openSync(this.#path, 'wx+', 0o600)
    this.#unlink()
  }

  append(block: Uint8Array): void {
    const header = Buffer.alloc(headerBytes)
    header.writeUInt32LE(block.length)
    this.#write(header)
    this.#write(block)
  }

  /** The next block; null after the last. */
  read(): Buffer | null {
    if (this.#read === this.#written) return null
    const length = this.#take(headerBytes).readUInt32LE()
    return this.#take(length)
  }

  close(): void {
    closeSync(this.#descriptor)
    if (this.#isNamed) this.#unlink()
  }

  #write(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const count = writeSync(this.#descriptor, bytes, from, bytes.length - from, this.#written)
      from += count
      this.#written += count
    }
  }

  #take(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    for (let from = 0; from < length; ) {
      const count = readSync(this.#descriptor, bytes, from, length - from, this.#read)
      // shorter than what was written to it: the reader of the block fails
      if (count === 0) return bytes.subarray(0, 0)
      from += count
      this.#read += count
    }
    return bytes
  }

  #unlink(): void {
    try {
      unlinkSync(this.#path)
      this.#isNamed = false
    } catch {
      // not while it is open: it keeps its name until it is closed
    }
  }
}
