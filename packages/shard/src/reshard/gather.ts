/**
 * What moves in one batch: rows with all that belongs beside them, table by table.
 */
import type { EngineError } from '@unitary/core'
import type { Effect } from '@unitary/session'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import type { Family, MovedColumn, MovedTable } from './moved-tables.js'
import { type At, type Cells, placesOf, rowsWith } from './table-rows.js'

/** Whole rows of a table. */
export interface Gathered {
  readonly table: MovedTable
  readonly rows: ReadonlyArray<Cells>
}

/**
 * The rows with certain keys and what is beside them, all locked where the database can: tables in the order in which they can
 * be inserted. `families` stand in that order. Rows that are not there are left out.
 */
export function* gather(
  at: At,
  families: ReadonlyArray<Family>,
  family: Family,
  keys: ReadonlyArray<Cells>,
  withBeside: boolean,
): Effect<Either<EngineError, ReadonlyArray<Gathered>>> {
  const gathering = new Gathering(at, withBeside)
  const done = yield* gathering.take(family, keys)
  return isLeft(done) ? done : right(gathering.inOrder(families))
}

class Gathering {
  readonly #at: At
  readonly #withBeside: boolean
  /** By table: rows by their keys, as text. */
  readonly #rows = new Map<string, Map<string, Cells>>()
  readonly #links = new Map<string, MovedTable>()

  constructor(at: At, withBeside: boolean) {
    this.#at = at
    this.#withBeside = withBeside
  }

  inOrder(families: ReadonlyArray<Family>): ReadonlyArray<Gathered> {
    const tables = [...families.flatMap((family) => family.tables), ...this.#links.values()]
    return tables.flatMap((table) => {
      const rows = this.#rows.get(table.table)
      return rows === undefined || rows.size === 0 ? [] : [{ table, rows: [...rows.values()] }]
    })
  }

  *take(family: Family, keys: ReadonlyArray<Cells>): Effect<Either<EngineError, undefined>> {
    const [root] = family.tables
    if (root === undefined || keys.length === 0) return right(undefined)
    const found = yield* this.#add(root, root.key, keys)
    if (isLeft(found)) return found
    const fresh = keysIn(root, root.key, found.right)
    // those that have been taken already have brought along what is beside them
    if (fresh.length === 0) return right(undefined)
    const added = new Map<string, ReadonlyArray<Cells>>([[root.table, found.right]])
    for (const table of family.tables.slice(1)) {
      const more = yield* this.#add(table, table.key, fresh)
      if (isLeft(more)) return more
      added.set(table.table, more.right)
    }
    if (!this.#withBeside) return right(undefined)
    for (const { own, table } of family.links) {
      this.#links.set(table.table, table)
      const links = yield* this.#add(table, own, fresh)
      if (isLeft(links)) return links
    }
    for (const { family: child, foreignKey, key, parent, table } of family.beside) {
      const parents = keysIn(parent, key, added.get(parent.table) ?? [])
      const children = yield* rowsWith(this.#at, table, table.key, foreignKey, parents, true)
      if (isLeft(children)) return children
      const taken = yield* this.take(child, children.right)
      if (isLeft(taken)) return taken
    }
    return right(undefined)
  }

  /** Reads whole rows; gives those that are new. */
  *#add(
    table: MovedTable,
    by: ReadonlyArray<MovedColumn>,
    values: ReadonlyArray<Cells>,
  ): Effect<Either<EngineError, ReadonlyArray<Cells>>> {
    const rows = yield* rowsWith(this.#at, table, table.columns, by, values, true)
    if (isLeft(rows)) return rows
    const known = this.#rows.get(table.table) ?? new Map<string, Cells>()
    this.#rows.set(table.table, known)
    const keys = keysIn(table, table.key, rows.right)
    return right(
      rows.right.filter((row, i) => {
        const text = JSON.stringify(keys[i])
        if (known.has(text)) return false
        known.set(text, row)
        return true
      }),
    )
  }
}

/** The values of some columns in whole rows. */
export const keysIn = (
  { columns }: MovedTable,
  some: ReadonlyArray<MovedColumn>,
  rows: ReadonlyArray<Cells>,
): ReadonlyArray<Cells> => {
  const places = placesOf(some, columns)
  return rows.map((row) => places.map((place) => row[place]))
}
