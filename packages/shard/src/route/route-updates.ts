/**
 * Routing an update of many rows: its rows, by shard. Pure.
 */
import { decodedKeyOf, type RawKey } from '@unitary/core'
import {
  heldAnywhere,
  type KeyedRun,
  type RoutingError,
  type SessionState,
  type UpdateRowsRequest,
} from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { Choosers } from '../chooser/chooser.js'
import { changesShard, noShardForVersion, unknownShard } from '../error.js'
import type { ShardMap } from '../shard-map.js'
import { decidingAttribute, shardsOfLookup, type Tokens } from './choose.js'
import { isEverywhere } from './everywhere.js'

const operation = 'update of many rows'

/**
 * The runs of each shard. A row goes where the session holds it, else where its key can be: that may be several shards, unless
 * its version is to be checked. O(rows).
 *
 * @category interpreters
 */
export const routeUpdates = (
  state: SessionState,
  { mapping, options, runs }: UpdateRowsRequest,
  shards: ShardMap,
  choosers: Choosers,
): Either<RoutingError, ReadonlyMap<string, ReadonlyArray<KeyedRun>>> => {
  const { shard } = options
  if (shard !== undefined) {
    return shards.places.has(shard)
      ? right(new Map([[shard, runs]]))
      : left(unknownShard(shards, operation, mapping.name, shard, 'the shard option'))
  }
  if (isEverywhere(choosers, mapping)) return right(new Map(shards.tokens.map((token) => [token, runs])))
  const parts = new Map<string, PartRun[]>()
  for (const run of runs) {
    const moved = decidingAttribute(mapping, run.set, choosers)
    if (moved !== null) return left(changesShard(operation, mapping.name, moved))
    const open = new Map<string, PartRun>()
    for (let i = 0; i < run.keys.length; i++) {
      const key = run.keys[i] as RawKey
      const tokens = tokensOf(state, { mapping, options, runs }, key, shards, choosers)
      if (isLeft(tokens)) return tokens
      if (mapping.version !== null && tokens.right.length !== 1) return left(noShardForVersion(mapping.name, key))
      for (const token of tokens.right) {
        let part = open.get(token)
        if (part === undefined) {
          part = { ...run, rows: [], values: [], keys: [], places: [] }
          open.set(token, part)
          const others = parts.get(token)
          if (others === undefined) parts.set(token, [part])
          else others.push(part)
        }
        part.rows.push(run.rows[i] as KeyedRun['rows'][number])
        part.values.push(run.values[i] as KeyedRun['values'][number])
        part.keys.push(key)
        part.places.push(run.places[i] as number)
      }
    }
  }
  return right(parts)
}

interface PartRun extends KeyedRun {
  readonly rows: Array<KeyedRun['rows'][number]>
  readonly values: Array<KeyedRun['values'][number]>
  readonly keys: RawKey[]
  readonly places: number[]
}

const tokensOf = (
  state: SessionState,
  { mapping, options }: Pick<UpdateRowsRequest, 'mapping' | 'options' | 'runs'>,
  key: RawKey,
  shards: ShardMap,
  choosers: Choosers,
): Either<RoutingError, Tokens> => {
  const [held, another] = heldAnywhere(state.identityMap, mapping, key)
  if (held !== undefined && another === undefined && held[0] !== null) return right([held[0]])
  const lookup = {
    _tag: 'Lookup',
    purpose: 'get',
    mapping,
    attributes: mapping.key,
    link: null,
    through: null,
    keys: decodedKeyOf(mapping, key),
    orderBy: [],
    query: null,
    token: null,
    options,
  } as const
  return shardsOfLookup(state, lookup, shards, choosers)
}
