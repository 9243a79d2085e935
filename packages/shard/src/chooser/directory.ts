/**
 * Rows by a directory: a table that names the shard of each value, kept in memory.
 */
import { type Mapped, type RowOf, select } from '@unitary/core'
import { map, type Program, type QueryError, query } from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { canonicalText, type Hashable } from '../hash.js'
import { byValue, type Looking } from './by-value.js'
import type { Strategy } from './strategy.js'

/**
 * The shards of values, as they were last read. It is the one thing that choosers look at which changes: a value is given
 * its shard once, before it has rows, and keeps it.
 *
 * @category model
 */
export interface Directory<in V extends Hashable, Token extends string> {
  /** The shard of a value; null where it has none. */
  readonly tokenOf: (value: V) => Token | null
  /** Names the shard of a value that the table has by now. */
  readonly set: (value: V, token: Token) => void
  /** Forgets all values, and has those given. */
  readonly replace: (entries: Iterable<readonly [V, Token]>) => void
  readonly size: () => number
}

/**
 * A directory with the entries given: none, before it is read.
 *
 * @example
 * const tenants = directory<number, 'first' | 'second'>()
 *
 * @category constructors
 */
export const directory = <V extends Hashable, Token extends string>(
  entries: Iterable<readonly [V, Token]> = [],
): Directory<V, Token> => {
  const tokens = new Map<string | null, Token>()
  const set = (value: V, token: Token): void => {
    tokens.set(canonicalText(value), token)
  }
  const replace = (given: Iterable<readonly [V, Token]>): void => {
    tokens.clear()
    for (const [value, token] of given) set(value, token)
  }
  replace(entries)
  return { tokenOf: (value) => tokens.get(canonicalText(value)) ?? null, set, replace, size: () => tokens.size }
}

/**
 * Reads a directory from its table: the attributes that have the value and the token of its shard. Gives how many there are.
 * The table can be in any database, or on one of the shards (see `onlyOn`).
 *
 * @example
 * const read = readDirectory(tenants, model.TenantShard, { value: 'tenantId', shard: 'shard' })
 * await run(app)(read)()
 *
 * @category queries
 */
export const readDirectory = <
  M,
  N extends string,
  A extends keyof RowOf<M, N> & string,
  S extends keyof RowOf<M, N> & string,
>(
  into: Directory<RowOf<M, N>[A] & Hashable, RowOf<M, N>[S] & string>,
  entity: Mapped<M, N>,
  { shard, value }: { readonly value: A; readonly shard: S },
): Program<QueryError, number> =>
  pipe(
    query(select(entity)),
    map((found) => {
      const rows = found as unknown as ReadonlyArray<RowOf<M, N>>
      into.replace(rows.map((row) => [row[value] as never, row[shard] as never]))
      return into.size()
    }),
  )

/**
 * Puts each row on the shard that a directory names for an attribute's value. A value that is not in it cannot be written,
 * and is looked for on all shards.
 *
 * @example
 * choosers(model)({ Order: byDirectory('tenantId', tenants) })
 *
 * @category strategies
 */
export const byDirectory = <const A extends string, V extends Hashable, const Token extends string>(
  attribute: A,
  entries: Directory<V, Token>,
): Strategy<Looking<A, V>, Token> => byValue(attribute, (value) => entries.tokenOf(value), null)
