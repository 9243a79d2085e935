/**
 * The identity map: which instance stands for which row.
 *
 * An identity is an entity, a primary key and, in a sharded session, the token of the shard that holds the row: the same
 * key on two shards is two instances. There is one small map for each entity and token, with raw keys.
 */
import type { InstanceId, Mapping, RawKey } from '@unitary/core'
import * as HashMap from './hash-map.js'
import * as IntMap from './int-map.js'

declare const shardToken: unique symbol

/**
 * Names the shard that a row lives on; null in a session over one database. The session only carries it.
 *
 * @category model
 */
export type ShardToken = string & { readonly [shardToken]?: never }

/** Keys that are small integers, as most are, in a trie by integer; all others in a hash map. */
interface Keys {
  readonly dense: IntMap.IntMap<InstanceId>
  readonly sparse: HashMap.HashMap<InstanceId>
}

/**
 * By the index of the entity whose identities they are (a subtype's are its root's), then by token.
 *
 * @category model
 */
export type IdentityMap = ReadonlyArray<ReadonlyMap<ShardToken | null, Keys> | undefined>

/** @category constructors */
export const empty: IdentityMap = Object.freeze([])

/**
 * The keys of an entity whose rows are on every shard: whichever is named, an identity is the same.
 */
class OnEvery extends Map<ShardToken | null, Keys> {
  override get(): Keys | undefined {
    return super.get(null)
  }
}

/** An empty map in which the rows of some entities are the same on every shard. @category constructors */
export const emptyWith = (everywhere: ReadonlyArray<Mapping>): IdentityMap => {
  if (everywhere.length === 0) return empty
  const map: Array<ReadonlyMap<ShardToken | null, Keys> | undefined> = []
  for (const { root } of everywhere) map[root.index] = new OnEvery()
  return Object.freeze(map)
}

const noKeys: Keys = { dense: IntMap.empty, sparse: HashMap.empty }

const isSmall = (key: RawKey): key is number => typeof key === 'number' && key >= 0 && key < 2 ** 30 && key % 1 === 0

/**
 * The instance of an identity, or undefined. O(log32 n).
 *
 * @category combinators
 */
export const get = (
  self: IdentityMap,
  mapping: Mapping,
  token: ShardToken | null,
  key: RawKey,
): InstanceId | undefined => {
  const keys = self[mapping.root.index]?.get(token)
  if (keys === undefined) return undefined
  const found = isSmall(key) ? IntMap.get(keys.dense, key) : undefined
  return found !== undefined || keys.sparse.size === 0 ? found : HashMap.get(keys.sparse, key)
}

/**
 * The instances that have the key, on whichever shard, with their tokens.
 *
 * @category combinators
 */
export const anywhere = (
  self: IdentityMap,
  mapping: Mapping,
  key: RawKey,
): ReadonlyArray<readonly [token: ShardToken | null, id: InstanceId]> => {
  const found: Array<readonly [ShardToken | null, InstanceId]> = []
  for (const token of self[mapping.root.index]?.keys() ?? []) {
    const id = get(self, mapping, token, key)
    if (id !== undefined) found.push([token, id])
  }
  return found
}

/** Are instances of the entity held for named shards? @category guards */
export const isSharded = (self: IdentityMap, mapping: Mapping): boolean => {
  const tokens = self[mapping.root.index]
  return tokens !== undefined && (tokens.size > 1 || !tokens.has(null))
}

/** @category combinators */
export interface IdentityMapEdit {
  readonly get: (mapping: Mapping, token: ShardToken | null, key: RawKey) => InstanceId | undefined
  readonly set: (mapping: Mapping, token: ShardToken | null, key: RawKey, id: InstanceId) => void
  readonly delete: (mapping: Mapping, token: ShardToken | null, key: RawKey) => void
  /** The map as it stands. The edit must not be used after it. */
  readonly done: () => IdentityMap
}

class KeysEdit {
  readonly #from: Keys
  readonly #dense: IntMap.IntMapEdit<InstanceId>
  #sparse: HashMap.HashMapEdit<InstanceId> | null = null
  constructor(from: Keys) {
    this.#from = from
    this.#dense = IntMap.edit(from.dense)
  }

  get(key: RawKey): InstanceId | undefined {
    const found = isSmall(key) ? this.#dense.get(key) : undefined
    if (found !== undefined) return found
    return this.#sparse === null
      ? this.#from.sparse.size === 0
        ? undefined
        : HashMap.get(this.#from.sparse, key)
      : this.#sparse.get(key)
  }

  set(key: RawKey, id: InstanceId): void {
    // a trie by integer is small only where its keys stand together, wherever that is
    const room = 4 * (this.#dense.size() + 1024)
    if (isSmall(key) && (this.#dense.hasLeaf(key) || 32 * this.#dense.leaves() <= room)) this.#dense.set(key, id)
    else this.#editSparse().set(key, id)
  }

  delete(key: RawKey): void {
    if (isSmall(key)) this.#dense.delete(key)
    if (this.#sparse !== null || this.#from.sparse.size > 0) this.#editSparse().delete(key)
  }

  done(): Keys {
    const dense = this.#dense.done()
    const sparse = this.#sparse === null ? this.#from.sparse : this.#sparse.done()
    return dense === this.#from.dense && sparse === this.#from.sparse ? this.#from : { dense, sparse }
  }

  #editSparse(): HashMap.HashMapEdit<InstanceId> {
    this.#sparse ??= HashMap.edit(this.#from.sparse)
    return this.#sparse
  }
}

const nothing: ReadonlyMap<ShardToken | null, KeysEdit> = new Map()

/** A copy that is to get new keys for a token: mostly the only one there is. */
const withoutToken = (
  before: ReadonlyMap<ShardToken | null, Keys> | undefined,
  token: ShardToken | null,
): Map<ShardToken | null, Keys> =>
  before instanceof OnEvery
    ? new OnEvery(before)
    : before === undefined || (before.size === 1 && before.has(token))
      ? new Map()
      : new Map(before)

class Edit implements IdentityMapEdit {
  readonly #from: IdentityMap
  readonly #edits: Array<Map<ShardToken | null, KeysEdit> | undefined> = []
  // bulk changes stay with one entity and shard
  #last: KeysEdit | null = null
  #lastMapping: Mapping | null = null
  #lastToken: ShardToken | null = null

  constructor(from: IdentityMap) {
    this.#from = from
  }

  get(mapping: Mapping, token: ShardToken | null, key: RawKey): InstanceId | undefined {
    return this.#keys(mapping, token).get(key)
  }

  set(mapping: Mapping, token: ShardToken | null, key: RawKey, id: InstanceId): void {
    const keys = this.#keys(mapping, token)
    const known = keys.get(key)
    if (known === id) return
    // one place only, whether or not the key was far from the others when it came
    if (known !== undefined) keys.delete(key)
    keys.set(key, id)
  }

  delete(mapping: Mapping, token: ShardToken | null, key: RawKey): void {
    this.#keys(mapping, token).delete(key)
  }

  done(): IdentityMap {
    let all: Array<IdentityMap[number]> | null = null
    for (let index = 0; index < this.#edits.length; index++) {
      const before = this.#from[index]
      let tokens: Map<ShardToken | null, Keys> | null = null
      for (const [token, keys] of this.#edits[index] ?? nothing) {
        const done = keys.done()
        if (done === (before?.get(token) ?? noKeys)) continue
        tokens ??= withoutToken(before, token)
        tokens.set(token, done)
      }
      if (tokens === null) continue
      all ??= this.#from.slice()
      all[index] = tokens
    }
    return all ?? this.#from
  }

  #keys(mapping: Mapping, named: ShardToken | null): KeysEdit {
    if (this.#last !== null && mapping.root === this.#lastMapping && named === this.#lastToken) return this.#last
    const token = this.#from[mapping.root.index] instanceof OnEvery ? null : named
    let byToken = this.#edits[mapping.root.index]
    if (byToken === undefined) {
      byToken = new Map()
      this.#edits[mapping.root.index] = byToken
    }
    let keys = byToken.get(token)
    if (keys === undefined) {
      keys = new KeysEdit(this.#from[mapping.root.index]?.get(token) ?? noKeys)
      byToken.set(token, keys)
    }
    this.#last = keys
    this.#lastMapping = mapping.root
    this.#lastToken = named
    return keys
  }
}

/** Starts an edit. @category combinators */
export const edit = (self: IdentityMap): IdentityMapEdit => new Edit(self)
