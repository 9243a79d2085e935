/**
 * A persistent map from raw keys (numbers and strings), for identity maps whose keys are not small integers.
 *
 * A compressed hash array mapped prefix tree (Steindorfer and Vinju, "Optimizing Hash-Array Mapped Tries for Fast and Lean
 * Immutable JVM Collections", 2015): a trie of 32-way nodes by the bits of the hash. Each node is one array: the edit that
 * owns it, which of its slots hold an entry and which a node below, bit by bit; then the entries, key and value side by side;
 * then, from the end, the nodes. Reading a key of a hundred thousand touches four arrays and nothing else, and an array is
 * never larger than what it holds. `edit` works on nodes of its own, as in `int-map`.
 */
import type { RawKey } from '@unitary/core'
import { popCount } from './pop-count.js'

const bits = 5
const mask = 31
/** The last level by hash. Below it hashes are equal: nodes there are entries alone, one after another. */
const maxShift = 30

const ownerSlot = 0
const entriesSlot = 1
const nodesSlot = 2
/** Where entries begin. */
const first = 3

type Owner = object
type Node = unknown[]

/**
 * @category model
 */
export interface HashMap<out A> {
  readonly _tag: 'HashMap'
  readonly size: number
  readonly root: ReadonlyArray<unknown> | null
  /** Carries the type; never there. */
  readonly _A?: A
}

/** @category constructors */
export const empty: HashMap<never> = Object.freeze({ _tag: 'HashMap', size: 0, root: null })

const hashOf = (key: RawKey): number => {
  if (typeof key === 'number') {
    // both halves of a double's integer part, mixed (the finaliser of MurmurHash3)
    let h = (key | 0) ^ Math.imul(Math.floor(key / 4294967296) | 0, 0x9e3779b1)
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    return (h ^ (h >>> 16)) >>> 0
  }
  let h = 0x811c9dc5
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193)
  return (h ^ (h >>> 15)) >>> 0
}

const bitOf = (hash: number, shift: number): number => 1 << ((hash >>> shift) & mask)

/** The place of the entry of a bit, whether or not it is there. */
const placeOfEntry = (node: Node, bit: number): number =>
  first + 2 * popCount((node[entriesSlot] as number) & (bit - 1))

/** The place of the node of a bit, which is there. */
const placeOfNode = (node: Node, bit: number): number =>
  node.length - 1 - popCount((node[nodesSlot] as number) & (bit - 1))

/** The place of a key among entries whose hashes are equal; that of a next one where it is not there. */
const placeAmongEqual = (node: Node, key: RawKey): number => {
  let place = first
  while (place < node.length && node[place] !== key) place += 2
  return place
}

/**
 * The value at a key, or undefined. O(log32 n).
 *
 * @category combinators
 */
export const get = <A>(self: HashMap<A>, key: RawKey): A | undefined =>
  self.root === null ? undefined : (valueIn(self.root as Node, key) as A | undefined)

const valueIn = (root: Node, key: RawKey): unknown => {
  const hash = hashOf(key)
  let node = root
  for (let shift = 0; shift <= maxShift; shift += bits) {
    const bit = bitOf(hash, shift)
    if (((node[entriesSlot] as number) & bit) !== 0) {
      const place = placeOfEntry(node, bit)
      return node[place] === key ? node[place + 1] : undefined
    }
    if (((node[nodesSlot] as number) & bit) === 0) return undefined
    node = node[placeOfNode(node, bit)] as Node
  }
  const place = placeAmongEqual(node, key)
  return place < node.length ? node[place + 1] : undefined
}

/** @category combinators */
export interface HashMapEdit<A> {
  readonly get: (key: RawKey) => A | undefined
  /** `value` must not be undefined. */
  readonly set: (key: RawKey, value: A) => void
  readonly delete: (key: RawKey) => void
  /** The map as it stands. The edit must not be used after it. */
  readonly done: () => HashMap<A>
}

class Edit<A> implements HashMapEdit<A> {
  #from: HashMap<A>
  #owner: Owner = {}
  #size: number
  #root: Node | null
  #changed = false

  constructor(from: HashMap<A>) {
    this.#from = from
    this.#size = from.size
    this.#root = from.root as Node | null
  }

  get(key: RawKey): A | undefined {
    return this.#root === null ? undefined : (valueIn(this.#root, key) as A | undefined)
  }

  set(key: RawKey, value: A): void {
    this.#root = this.#put(this.#root ?? [this.#owner, 0, 0], 0, hashOf(key), key, value)
  }

  delete(key: RawKey): void {
    if (this.#root === null || this.get(key) === undefined) return
    this.#root = this.#drop(this.#root, 0, hashOf(key), key)
    this.#size--
    this.#changed = true
  }

  done(): HashMap<A> {
    if (!this.#changed) return this.#from
    return this.#size === 0 ? (empty as HashMap<A>) : { _tag: 'HashMap', size: this.#size, root: this.#root }
  }

  #own(node: Node): Node {
    if (node[ownerSlot] === this.#owner) return node
    const copy = node.slice()
    copy[ownerSlot] = this.#owner
    return copy
  }

  /** A copy with `room` places more at `place`, or less where it is negative, which is the edit's own. */
  #resized(node: Node, place: number, room: number): Node {
    const copy: Node = new Array(node.length + room)
    for (let i = 0; i < place; i++) copy[i] = node[i]
    const from = room < 0 ? place - room : place
    for (let i = from; i < node.length; i++) copy[i + room] = node[i]
    copy[ownerSlot] = this.#owner
    return copy
  }

  /** With an entry: the same node where it is there, or where the edit owns it and all above. */
  #put(node: Node, shift: number, hash: number, key: RawKey, value: A): Node {
    if (shift > maxShift) {
      const place = placeAmongEqual(node, key)
      return place < node.length ? this.#replaced(node, place, value) : this.#inserted(node, place, key, value)
    }
    const bit = bitOf(hash, shift)
    if (((node[nodesSlot] as number) & bit) !== 0) {
      const place = placeOfNode(node, bit)
      const before = node[place] as Node
      const below = this.#put(before, shift + bits, hash, key, value)
      if (below === before) return node
      const own = this.#own(node)
      own[place] = below
      return own
    }
    const place = placeOfEntry(node, bit)
    if (((node[entriesSlot] as number) & bit) === 0) {
      const own = this.#inserted(node, place, key, value)
      own[entriesSlot] = (own[entriesSlot] as number) | bit
      return own
    }
    return node[place] === key
      ? this.#replaced(node, place, value)
      : this.#lowered(node, place, bit, shift, hash, key, value)
  }

  #replaced(node: Node, place: number, value: A): Node {
    if (node[place + 1] === value) return node
    const own = this.#own(node)
    own[place + 1] = value
    this.#changed = true
    return own
  }

  #inserted(node: Node, place: number, key: RawKey, value: A): Node {
    const own = this.#resized(node, place, 2)
    own[place] = key
    own[place + 1] = value
    this.#size++
    this.#changed = true
    return own
  }

  /** Where two keys have one slot, both stand in a node below. */
  #lowered(node: Node, place: number, bit: number, shift: number, hash: number, key: RawKey, value: A): Node {
    const other = node[place] as RawKey
    const below = this.#pair(shift + bits, hashOf(other), other, node[place + 1], hash, key, value)
    const own: Node = new Array(node.length - 1)
    const placeBelow = node.length - 2 - popCount((node[nodesSlot] as number) & (bit - 1))
    for (let i = 0; i < place; i++) own[i] = node[i]
    for (let i = place; i < placeBelow; i++) own[i] = node[i + 2]
    own[placeBelow] = below
    for (let i = placeBelow + 1; i < own.length; i++) own[i] = node[i + 1]
    own[ownerSlot] = this.#owner
    own[entriesSlot] = (node[entriesSlot] as number) & ~bit
    own[nodesSlot] = (node[nodesSlot] as number) | bit
    this.#size++
    this.#changed = true
    return own
  }

  #pair(shift: number, hashA: number, keyA: RawKey, a: unknown, hashB: number, keyB: RawKey, b: unknown): Node {
    if (shift > maxShift) return [this.#owner, 0, 0, keyA, a, keyB, b]
    const [bitA, bitB] = [bitOf(hashA, shift), bitOf(hashB, shift)]
    if (bitA === bitB) return [this.#owner, 0, bitA, this.#pair(shift + bits, hashA, keyA, a, hashB, keyB, b)]
    // the highest bit makes a number negative
    return bitA >>> 0 < bitB >>> 0
      ? [this.#owner, bitA | bitB, 0, keyA, a, keyB, b]
      : [this.#owner, bitA | bitB, 0, keyB, b, keyA, a]
  }

  /** Without a key that is there; null where nothing is left. */
  #drop(node: Node, shift: number, hash: number, key: RawKey): Node | null {
    if (shift > maxShift) return node.length === first + 2 ? null : this.#resized(node, placeAmongEqual(node, key), -2)
    const bit = bitOf(hash, shift)
    if (((node[entriesSlot] as number) & bit) !== 0) {
      if (node.length === first + 2) return null
      const own = this.#resized(node, placeOfEntry(node, bit), -2)
      own[entriesSlot] = (own[entriesSlot] as number) & ~bit
      return own
    }
    const place = placeOfNode(node, bit)
    const below = this.#drop(node[place] as Node, shift + bits, hash, key)
    if (below === null) {
      if (node.length === first + 1) return null
      const own = this.#resized(node, place, -1)
      own[nodesSlot] = (own[nodesSlot] as number) & ~bit
      return own
    }
    const own = this.#own(node)
    own[place] = below
    return own
  }
}

/** Starts an edit. @category combinators */
export const edit = <A>(self: HashMap<A>): HashMapEdit<A> => new Edit(self)
