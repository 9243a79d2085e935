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
 * Mostly there is one token: none over one database, or that of the shard to which all belongs. Where rows are on every shard
 * an identity is the same whichever is named.
 */
type ByToken =
  | { readonly _tag: 'One'; readonly token: ShardToken | null; readonly keys: Keys }
  | { readonly _tag: 'Many'; readonly keys: ReadonlyMap<ShardToken | null, Keys> }
  | { readonly _tag: 'Every'; readonly keys: Keys }

/**
 * By the index of the entity whose identities they are (a subtype's are its root's), then by token.
 *
 * @category model
 */
export type IdentityMap = ReadonlyArray<ByToken | undefined>

/** @category constructors */
export const empty: IdentityMap = Object.freeze([])

const noKeys: Keys = { dense: IntMap.empty, sparse: HashMap.empty }

/** An empty map in which the rows of some entities are the same on every shard. @category constructors */
export const emptyWith = (everywhere: ReadonlyArray<Mapping>): IdentityMap => {
  if (everywhere.length === 0) return empty
  const map: Array<ByToken | undefined> = []
  for (const { root } of everywhere) map[root.index] = { _tag: 'Every', keys: noKeys }
  return Object.freeze(map)
}

const keysFor = (tokens: ByToken | undefined, token: ShardToken | null): Keys | undefined => {
  if (tokens === undefined) return undefined
  switch (tokens._tag) {
    case 'One':
      return tokens.token === token ? tokens.keys : undefined
    case 'Many':
      return tokens.keys.get(token)
    case 'Every':
      return tokens.keys
  }
}

const tokensOf = (tokens: ByToken | undefined): Iterable<ShardToken | null> => {
  switch (tokens?._tag) {
    case undefined:
      return []
    case 'One':
      return [tokens.token]
    case 'Many':
      return tokens.keys.keys()
    case 'Every':
      return [null]
  }
}

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
  const keys = keysFor(self[mapping.root.index], token)
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
  for (const token of tokensOf(self[mapping.root.index])) {
    const id = get(self, mapping, token, key)
    if (id !== undefined) found.push([token, id])
  }
  return found
}

/** Are instances of the entity held for named shards? @category guards */
export const isSharded = (self: IdentityMap, mapping: Mapping): boolean => {
  const tokens = self[mapping.root.index]
  return tokens?._tag === 'Many' || (tokens?._tag === 'One' && tokens.token !== null)
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

const allKeys = (tokens: ByToken | undefined): Map<ShardToken | null, Keys> =>
  new Map(tokens?._tag === 'Many' ? tokens.keys : tokens?._tag === 'One' ? [[tokens.token, tokens.keys]] : [])

class Edit implements IdentityMapEdit {
  readonly #from: IdentityMap
  // bulk changes stay with one entity and shard
  #last: KeysEdit | null = null
  #lastMapping: Mapping | null = null
  #lastToken: ShardToken | null = null
  /** By entity and token; null where the last is the only one. */
  #edits: Array<Map<ShardToken | null, KeysEdit> | undefined> | null = null

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
    if (this.#last === null || this.#lastMapping === null) return this.#from
    if (this.#edits === null) return this.#with(this.#from, this.#lastMapping.index, [[this.#lastToken, this.#last]])
    let all = this.#from
    for (let index = 0; index < this.#edits.length; index++) {
      const edits = this.#edits[index]
      if (edits !== undefined) all = this.#with(all, index, edits)
    }
    return all
  }

  /** With what has become of an entity's keys. The same map where nothing has. */
  #with(before: IdentityMap, index: number, edits: Iterable<readonly [ShardToken | null, KeysEdit]>): IdentityMap {
    const tokens = before[index]
    let next: ByToken | null = null
    let many: Map<ShardToken | null, Keys> | null = null
    for (const [token, edit] of edits) {
      const keys = edit.done()
      if (keys === (keysFor(tokens, token) ?? noKeys)) continue
      if (tokens?._tag === 'Every') {
        next = { _tag: 'Every', keys }
        continue
      }
      const isOnly =
        many === null && next === null && (tokens === undefined || (tokens._tag === 'One' && tokens.token === token))
      if (isOnly) {
        next = { _tag: 'One', token, keys }
        continue
      }
      many ??= allKeys(next ?? tokens)
      many.set(token, keys)
    }
    if (many !== null) next = { _tag: 'Many', keys: many }
    if (next === null) return before
    const all = before.slice()
    all[index] = next
    return all
  }

  #keys(mapping: Mapping, named: ShardToken | null): KeysEdit {
    const { root } = mapping
    const token = named !== null && this.#from[root.index]?._tag === 'Every' ? null : named
    if (this.#last !== null && root === this.#lastMapping && token === this.#lastToken) return this.#last
    if (this.#last !== null && this.#edits === null) {
      this.#edits = []
      this.#note(this.#edits, this.#lastMapping as Mapping, this.#lastToken, this.#last)
    }
    let keys = this.#edits?.[root.index]?.get(token)
    if (keys === undefined) {
      keys = new KeysEdit(keysFor(this.#from[root.index], token) ?? noKeys)
      if (this.#edits !== null) this.#note(this.#edits, root, token, keys)
    }
    this.#last = keys
    this.#lastMapping = root
    this.#lastToken = token
    return keys
  }

  #note(
    edits: Array<Map<ShardToken | null, KeysEdit> | undefined>,
    { index }: Mapping,
    token: ShardToken | null,
    keys: KeysEdit,
  ): void {
    edits[index] = (edits[index] ?? new Map<ShardToken | null, KeysEdit>()).set(token, keys)
  }
}

/** Starts an edit. @category combinators */
export const edit = (self: IdentityMap): IdentityMapEdit => new Edit(self)
