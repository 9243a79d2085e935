/**
 * Generators: what a database is asked for the ids of new rows, before they are inserted.
 *
 * An id that a generator gives is known before its INSERT, which then takes many rows at once on every database, and it is
 * unique over all shards, whichever of them the row goes to. A flush asks each generator once for all of its rows.
 */

/**
 * A sequence of PostgreSQL or MariaDB. `block`: how many ids each of its values stands for.
 *
 * @category model
 */
export interface Sequence {
  readonly _tag: 'Sequence'
  readonly name: string
  readonly block: number
  /** The shard that has it; null for the first one. */
  readonly shard: string | null
}

/**
 * A row of a table of counters, which has the columns `name` (its key) and `next`, the id that is to come next. `block`: how
 * many ids are taken at once, at the least.
 *
 * @category model
 */
export interface Counter {
  readonly _tag: 'Counter'
  readonly table: string
  readonly name: string
  readonly block: number
  /** The shard that has it; null for the first one. */
  readonly shard: string | null
}

/** @category model */
export type Generator = Sequence | Counter

/** @category model */
export interface GeneratorOptions {
  /** The shard that has it, where there are several. Default: the first of them. */
  readonly shard?: string
}

/**
 * Ids from a sequence: it gives no id twice, whatever is rolled back, and nobody waits for another.
 *
 * @example
 * const id = pipe(integer, primaryKey, generatedBy(sequence('user_ids')))
 *
 * @category constructors
 */
export const sequence = (name: string, { shard }: GeneratorOptions = {}): Sequence => ({
  _tag: 'Sequence',
  name,
  block: 1,
  shard: shard ?? null,
})

/**
 * Ids from the counter called `name` in a table of counters, on any database. The first draw makes its row.
 *
 * It is part of the transaction: who draws ids has the counter locked until the commit, and what is rolled back was never
 * drawn. With blocks (`hiLo`) that is once per block.
 *
 * @example
 * const Counter = entity('Counter', 'counters', { name: pipe(text, primaryKey), next: integer })
 * const id = pipe(integer, primaryKey, generatedBy(counter('counters', 'users')))
 *
 * @category constructors
 */
export const counter = (table: string, name: string, { shard }: GeneratorOptions = {}): Counter => ({
  _tag: 'Counter',
  table,
  name,
  block: 1,
  shard: shard ?? null,
})

/**
 * Draws ids by the block: the database is asked once for so many of them. What is left of a block is kept for all sessions of
 * the process, once the transaction that drew it is committed; what is left at the end of the process is never used.
 *
 * A sequence counts blocks: its value 1 stands for the ids from 1 to `block`. It has to increment by one, and the block is to
 * stay what it is.
 *
 * @example
 * const id = pipe(integer, primaryKey, generatedBy(pipe(sequence('user_blocks'), hiLo({ block: 1000 }))))
 *
 * @category combinators
 */
export const hiLo =
  ({ block }: { readonly block: number }) =>
  <G extends Generator>(self: G): G => ({ ...self, block })

/**
 * What a generator is called.
 *
 * @example
 * generatorName(counter('counters', 'users')) // 'counter users'
 *
 * @category interpreters
 */
export const generatorName = (generator: Generator): string =>
  generator._tag === 'Sequence' ? `sequence ${generator.name}` : `counter ${generator.name}`
