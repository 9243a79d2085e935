/**
 * What can go wrong in routing, with the sentences for it: what was to be done, what it hung on, the cure.
 */
import { engineError } from '@unitary/core'
import { type DatabaseError, databaseError, type RoutingError } from '@unitary/session'
import type { Basis } from './chooser/chooser.js'
import type { ShardMap } from './shard-map.js'

const quoted = (tokens: ReadonlyArray<string>): string => tokens.map((token) => `'${token}'`).join(', ')

/** A value, shortly. */
const show = (value: unknown): string => {
  const text =
    typeof value === 'bigint'
      ? `${value}n`
      : typeof value === 'symbol'
        ? String(value)
        : (JSON.stringify(value) ?? String(value))
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** Who named a shard that is not in the map. */
export type NamedBy =
  | 'shardOf'
  | 'shardsOfKey'
  | 'shardsOf'
  | 'onShard'
  | 'the shard option'
  | 'the generator'
  | 'its row'
  | 'moveToShard'

export const unknownShard = (
  shards: ShardMap,
  operation: string,
  entity: string | null,
  shard: string,
  by: NamedBy,
): RoutingError => ({
  _tag: 'RoutingError',
  reason: 'UnknownShard',
  operation,
  entity,
  attribute: null,
  value: null,
  shard,
  message: `${operation}${entity === null ? '' : ` of ${entity}`}: ${by} names the shard ${show(shard)}, which is not in the shard map; it has ${quoted(shards.tokens)}`,
})

/** Nothing tells where a new row goes. */
export const noShardForRow = (
  operation: string,
  entity: string,
  basis: Basis | null,
  value: unknown,
): RoutingError => ({
  _tag: 'RoutingError',
  reason: 'NoShard',
  operation,
  entity,
  attribute: basis?.name ?? null,
  value: value ?? null,
  shard: null,
  message: `${operation} of ${entity}: ${whyNone(entity, basis, value)}`,
})

const whyNone = (entity: string, basis: Basis | null, value: unknown): string =>
  basis === null
    ? `shardOf names no shard for it; let it name one for every instance of ${entity}`
    : basis.kind === 'relationship'
      ? `it goes where its ${basis.name} is, which is not set or not known to the session; set ${entity}.${basis.name}, or load what it refers to first`
      : value === undefined || value === null
        ? `${entity}.${basis.name} decides the shard and has no value; give it one`
        : `no shard is named for ${entity}.${basis.name} = ${show(value)}; name one in the strategy of ${entity}, or correct the value`

/** Nobody can tell where the rows go that a query gives an insert. */
export const noShardForQuery = (entity: string): RoutingError => ({
  _tag: 'RoutingError',
  reason: 'NoShard',
  operation: 'insert',
  entity,
  attribute: null,
  value: null,
  shard: null,
  message: `insert of ${entity}: nothing tells on which shards the rows of a query belong before it has run; pin it to one shard with onShard, which has both`,
})

/** A row whose version is to be checked may be on several shards. */
export const noShardForVersion = (entity: string, key: unknown): RoutingError => ({
  _tag: 'RoutingError',
  reason: 'NoShard',
  operation: 'update of many rows',
  entity,
  attribute: null,
  value: null,
  shard: null,
  message: `update of many rows of ${entity} ${show(key)}: nothing tells the one shard of its row, whose version is to be checked; load it first, or name the shard in the options`,
})

/** A chooser gave an empty list. */
export const noShardNamed = (operation: string, entity: string, by: 'shardsOfKey' | 'shardsOf'): RoutingError => ({
  _tag: 'RoutingError',
  reason: 'NoShard',
  operation,
  entity,
  attribute: null,
  value: null,
  shard: null,
  message: `${operation} of ${entity}: ${by} names no shard; let it name at least one, or give null for all of them`,
})

/** An instance of a session over one database: it has a row and no shard. */
export const noToken = (operation: string, entity: string, key: unknown): RoutingError => ({
  _tag: 'RoutingError',
  reason: 'NoShard',
  operation,
  entity,
  attribute: null,
  value: null,
  shard: null,
  message: `${operation} of ${entity} ${show(key)}: its row has no shard, since it was loaded over one database; load it in a sharded session`,
})

/** What changed of an instance puts it on another shard than its row is on. */
export const shardsDiffer = (
  entity: string,
  key: unknown,
  home: string,
  shard: string,
  basis: Basis | null,
  value: unknown,
): RoutingError => ({
  _tag: 'RoutingError',
  reason: 'ShardsDiffer',
  operation: 'update',
  entity,
  attribute: basis?.name ?? null,
  value: value ?? null,
  shard,
  message: `update of ${entity} ${show(key)}: its row is on shard '${home}', and ${
    basis === null
      ? 'what was changed of it'
      : `its ${basis.kind === 'attribute' ? `${basis.name} = ${show(value)}` : basis.name}`
  } puts it on '${shard}'; rows do not move by themselves: remove it, and add it anew`,
})

/** A bulk update would leave rows on shards where nobody looks for them. */
export const changesShard = (operation: string, entity: string, attribute: string): RoutingError => ({
  _tag: 'RoutingError',
  reason: 'ShardsDiffer',
  operation,
  entity,
  attribute,
  value: null,
  shard: null,
  message: `${operation} of ${entity}: ${entity}.${attribute} decides the shard, and rows do not move by themselves; leave it out, or pin the statement with onShard to the one shard that the new value belongs to`,
})

/** What several shards answer cannot be put together. */
export const notMergeable = (operation: string, entity: string, problem: string): RoutingError => ({
  _tag: 'RoutingError',
  reason: 'NotMergeable',
  operation,
  entity,
  attribute: null,
  value: null,
  shard: null,
  message: `${operation} of ${entity} over several shards: ${problem}, or pin it to one shard with onShard`,
})

/** Rows that are on every shard cannot be asked for beside rows that are spread. */
export const readsBoth = (operation: string, entity: string): RoutingError => ({
  _tag: 'RoutingError',
  reason: 'NotMergeable',
  operation,
  entity,
  attribute: null,
  value: null,
  shard: null,
  message: `${operation} of ${entity}: its rows are on every shard, and each would answer by the rows that only it has of what is joined; ask from the other side, or pin it to one shard with onShard`,
})

/** The key of a row that is on every shard has to be the same on all. */
export const generatesKeys = (operation: string, entity: string): RoutingError => ({
  _tag: 'RoutingError',
  reason: 'NoShard',
  operation,
  entity,
  attribute: null,
  value: null,
  shard: null,
  message: `${operation} of ${entity}: its rows are on every shard, and each would generate another key; give it one`,
})

/** A transaction would write on a second shard, where the runtime commits on one. */
export const severalShards = (operation: string, tokens: ReadonlyArray<string>): RoutingError => ({
  _tag: 'RoutingError',
  reason: 'SeveralShards',
  operation,
  entity: null,
  attribute: null,
  value: null,
  shard: null,
  message: `${operation}: the transaction would write on shards ${quoted(tokens)}, and the runtime commits on a single shard; commit in between, or give the runtime another level: commit: atomic({ application: ... })`,
})

/** More shards than one were written that cannot promise to commit, or one where another decides. */
export const cannotPrepare = (tokens: ReadonlyArray<string>, decider: string): RoutingError => ({
  _tag: 'RoutingError',
  reason: 'SeveralShards',
  operation: 'commit',
  entity: null,
  attribute: null,
  value: null,
  shard: tokens[0] ?? null,
  message:
    tokens.length > 1
      ? `commit: shards ${quoted(tokens)} cannot prepare a transaction, and only one that cannot may be written together with others; write on it in a transaction of its own`
      : `commit: shard ${quoted(tokens)} cannot prepare a transaction, and does not go together with MySQL or MariaDB, whose transactions are bound from the beginning to '${decider}' as the one that decides; write on it in a transaction of its own`,
})

/** The shard map itself cannot be used. */
export const faultyMap = (operation: string, message: string): RoutingError => unusable('FaultyMap', operation, message)

/** What says how shards are asked says nothing that can be done. */
export const faultyPolicy = (operation: string, message: string): RoutingError =>
  unusable('FaultyPolicy', operation, message)

const unusable = (reason: 'FaultyMap' | 'FaultyPolicy', operation: string, message: string): RoutingError => ({
  _tag: 'RoutingError',
  reason,
  operation,
  entity: null,
  attribute: null,
  value: null,
  shard: null,
  message,
})

/** A shard has not answered in its time. */
export const noAnswer = (operation: string, entity: string | null, shard: string, timeout: number): DatabaseError =>
  databaseError(
    operation,
    entity,
    shard,
    engineError({ _tag: 'StatementTimeout' }, `the shard '${shard}' has not answered within ${timeout} ms`),
  )
