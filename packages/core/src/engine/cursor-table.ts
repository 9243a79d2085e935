/**
 * The open cursors of one connection, and what becomes of them where transactions and savepoints end.
 *
 * This is the same for every database; what a cursor is, the engines know. What has to be ended there, the table gives
 * back, for the engine to end it where the database has not done so by itself.
 */

interface Entry<C> {
  readonly cursor: C
  readonly hold: boolean
  /** How many savepoints were open when it was opened; null once a commit has kept it. */
  depth: number | null
}

export class CursorTable<C> {
  readonly #entries = new Map<string, Entry<C>>()
  /** From the outermost to the innermost. */
  #savepoints: string[] = []

  get(name: string): C | undefined {
    return this.#entries.get(name)?.cursor
  }

  /** All that are open. */
  all(): ReadonlyArray<C> {
    return Array.from(this.#entries.values(), ({ cursor }) => cursor)
  }

  add(name: string, cursor: C, hold: boolean): void {
    this.#entries.set(name, { cursor, hold, depth: this.#savepoints.length })
  }

  remove(name: string): C | undefined {
    const cursor = this.get(name)
    this.#entries.delete(name)
    return cursor
  }

  savepoint(name: string): void {
    this.#savepoints.push(name)
  }

  /** What was opened in the savepoint belongs to what is around it. */
  releaseSavepoint(name: string): void {
    const at = this.#savepoints.lastIndexOf(name)
    if (at < 0) return
    this.#savepoints.length = at
    for (const entry of this.#entries.values()) if (entry.depth !== null) entry.depth = Math.min(entry.depth, at)
  }

  /** Ends what was opened in the savepoint, which stays. */
  rollbackToSavepoint(name: string): ReadonlyArray<C> {
    const at = this.#savepoints.lastIndexOf(name)
    if (at < 0) return []
    this.#savepoints.length = at + 1
    return this.#end(({ depth }) => depth !== null && depth > at)
  }

  /** Before a commit: ends what is not to outlive it. */
  endUnheld(): ReadonlyArray<C> {
    return this.#end(({ depth, hold }) => depth !== null && !hold)
  }

  /** After it: what is still open is kept. */
  commit(): void {
    this.#savepoints = []
    for (const entry of this.#entries.values()) entry.depth = null
  }

  /** Ends what no commit has kept. */
  rollback(): ReadonlyArray<C> {
    this.#savepoints = []
    return this.#end(({ depth }) => depth !== null)
  }

  /** Ends everything. */
  clear(): ReadonlyArray<C> {
    this.#savepoints = []
    return this.#end(() => true)
  }

  #end(isEnded: (entry: Entry<C>) => boolean): ReadonlyArray<C> {
    const ended: C[] = []
    for (const [name, entry] of this.#entries) {
      if (!isEnded(entry)) continue
      this.#entries.delete(name)
      ended.push(entry.cursor)
    }
    return ended
  }
}
