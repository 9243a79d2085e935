/**
 * Which shards a request concerns. Pure.
 */
import {
  type AnyDelete,
  type AnyUpdate,
  type Attribute,
  analyse,
  assignmentsOf,
  type Filterable,
  type Mapping,
} from '@unitary/core'
import type { LookupRequest, RoutingError, SessionState, SqlRequest } from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { Basis, Choosers, KeyContext, StatementContext } from '../chooser/chooser.js'
import { changesShard, type NamedBy, noShardNamed, notMergeable, readsBoth, unknownShard } from '../error.js'
import type { ShardMap } from '../shard-map.js'
import { isEverywhere, readsSpread } from './everywhere.js'

/** The tokens of shards, in the order in which they are asked. */
export type Tokens = ReadonlyArray<string>

/**
 * Where a statement goes, and why.
 *
 * @category model
 */
export interface Route {
  readonly operation: StatementContext['operation']
  readonly entity: string
  /** The shards that are asked, in the order of their answers. */
  readonly shards: Tokens
  /**
   * `pinned` by `onShard` or the option; `chosen` by its conditions; `everywhere`, as they do not tell, or as rows that are on
   * every shard are written; `anywhere`, as such rows are read; `nowhere`, as its conditions contradict each other.
   */
  readonly because: 'pinned' | 'chosen' | 'everywhere' | 'anywhere' | 'nowhere'
}

/**
 * The route of a query or bulk statement: to the one shard that it is pinned to, or those that the choosers name, or all.
 * To none where its conditions contradict each other.
 *
 * @category interpreters
 */
export const routeStatement = (
  state: SessionState,
  operation: StatementContext['operation'],
  statement: Filterable,
  shards: ShardMap,
  choosers: Choosers,
): Either<RoutingError, Route> => {
  const { options } = statement
  const entity = statement.entity.name
  const to = (tokens: Tokens, because: Route['because']): Route => ({ operation, entity, shards: tokens, because })
  if (options.shard !== undefined) {
    const pinned = checked(shards, operation, entity, [options.shard], 'onShard')
    return isLeft(pinned) ? pinned : right(to(pinned.right, 'pinned'))
  }
  // there is nothing to choose between
  if (shards.tokens.length === 1) return right(to(shards.tokens, 'everywhere'))
  const analysis = analyse(statement)
  if (analysis.isEmpty) return right(to([], 'nowhere'))
  if (isEverywhere(choosers, statement.entity.mapping)) {
    if (readsSpread(state.model, choosers, statement.node)) return left(readsBoth(operation, entity))
    return right(operation === 'query' ? to(shards.tokens.slice(0, 1), 'anywhere') : to(shards.tokens, 'everywhere'))
  }
  const chosen = choosers.shardsOf(analysis, { operation, entity, statement, options, state })
  if (chosen === null) return right(to(shards.tokens, 'everywhere'))
  if (chosen.length === 0) return left(noShardNamed(operation, entity, 'shardsOf'))
  const known = checked(shards, operation, entity, chosen, 'shardsOf')
  return isLeft(known) ? known : right(to(known.right, 'chosen'))
}

/** The shards of that route. @category interpreters */
export const shardsOfStatement = (
  state: SessionState,
  operation: StatementContext['operation'],
  statement: Filterable,
  shards: ShardMap,
  choosers: Choosers,
): Either<RoutingError, Tokens> => {
  const route = routeStatement(state, operation, statement, shards, choosers)
  return isLeft(route) ? route : right(route.right.shards)
}

/**
 * The shards of a lookup: the one that it is for, or those that the choosers name for its keys, or else for the query that it
 * is narrowed to, or all.
 *
 * @category interpreters
 */
export const shardsOfLookup = (
  state: SessionState,
  request: LookupRequest,
  shards: ShardMap,
  choosers: Choosers,
): Either<RoutingError, Tokens> => {
  const { attributes, keys, through, mapping, options, purpose, query, relationship, token } = request
  const pinned = token ?? options.shard
  if (pinned !== undefined) {
    return checked(shards, purpose, mapping.name, [pinned], token === null ? 'onShard' : 'the shard option')
  }
  // through a table of links it is looked for by the keys of other entities
  if (through !== null || shards.tokens.length === 1) return right(shards.tokens)
  if (isEverywhere(choosers, mapping)) return right(shards.tokens.slice(0, 1))
  const loading =
    relationship === undefined ? null : { entity: relationship.owner.name, relationship: relationship.name }
  const context: KeyContext = { operation: purpose, loading, options, state }
  const found = new Set<string>()
  for (let at = 0; at < keys.length; at += attributes.length) {
    const key = Object.fromEntries(attributes.map(({ name }, i) => [name, keys[at + i]]))
    const chosen = choosers.shardsOfKey(mapping.name, key, context)
    // where the key does not tell, what the rows are narrowed to may
    if (chosen === null) {
      return query === null ? right(shards.tokens) : shardsOfStatement(state, 'query', query, shards, choosers)
    }
    if (chosen.length === 0) return left(noShardNamed(purpose, mapping.name, 'shardsOfKey'))
    const known = checked(shards, purpose, mapping.name, chosen, 'shardsOfKey')
    if (isLeft(known)) return known
    for (const one of chosen) found.add(one)
  }
  return right([...found])
}

/**
 * The shards of a bulk update or delete. It must not change what decides where its rows are, nor meet only so many
 * rows of each of several shards.
 *
 * @category interpreters
 */
export const shardsOfWrite = (
  state: SessionState,
  statement: AnyUpdate | AnyDelete,
  shards: ShardMap,
  choosers: Choosers,
): Either<RoutingError, Tokens> => {
  const operation = statement._tag === 'Update' ? 'bulk update' : 'bulk delete'
  const entity = statement.entity.name
  const tokens = shardsOfStatement(state, operation, statement, shards, choosers)
  if (isLeft(tokens) || statement.options.shard !== undefined) return tokens
  const moved = statement._tag === 'Update' ? decidingChange(statement, choosers) : null
  if (moved !== null) return left(changesShard(operation, entity, moved))
  return tokens.right.length > 1 && (statement.node.limit !== undefined || statement.node.top !== undefined)
    ? left(notMergeable(operation, entity, 'its limit would hold on each of them; leave it out'))
    : tokens
}

/** The shards of a statement that is only text: the one that it is sent to, or all. @category interpreters */
export const shardsOfSql = ({ token }: SqlRequest, shards: ShardMap): Either<RoutingError, Tokens> =>
  token === null ? right(shards.tokens) : checked(shards, 'sql', null, [token], 'the shard option')

/** The attribute that an update sets and that decides the shard of its rows, if there is one. */
const decidingChange = (statement: AnyUpdate, choosers: Choosers): string | null =>
  decidingAttribute(
    statement.entity.mapping,
    assignmentsOf(statement).map(([attribute]) => attribute),
    choosers,
  )

/** Which of the attributes that are set decides the shard of a row, if there is one. */
export const decidingAttribute = (
  mapping: Mapping,
  set: ReadonlyArray<Attribute>,
  choosers: Choosers,
): string | null => {
  const basis = choosers.basisOf?.(mapping.name) ?? null
  if (basis === null) return null
  const deciding = attributesIn(mapping, basis)
  const changed = set.map(({ name }) => name)
  return deciding.find((name) => changed.includes(name)) ?? null
}

const attributesIn = (mapping: Mapping, { besides = [], kind, name }: Basis): ReadonlyArray<string> => [
  ...(kind === 'attribute' ? [name] : (mapping.relationshipOf.get(name)?.foreignKey ?? []).map((key) => key.name)),
  ...besides.flatMap((basis) => attributesIn(mapping, basis)),
]

const checked = (
  shards: ShardMap,
  operation: string,
  entity: string | null,
  tokens: Tokens,
  by: NamedBy,
): Either<RoutingError, Tokens> => {
  const unknown = tokens.find((token) => !shards.places.has(token))
  return unknown === undefined
    ? right([...new Set(tokens)])
    : left(unknownShard(shards, operation, entity, unknown, by))
}
