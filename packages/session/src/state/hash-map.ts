/**
 * A persistent map from raw keys (numbers and strings), for identity maps whose keys are not small integers.
 *
 * A hash array mapped trie (Bagwell, "Ideal Hash Trees", 2001) of 32-way nodes, with the dense representation of
 * compressed entries: a bitmap tells which slots are there. `edit` works on nodes of its own, as in `int-map`.
 */
import type { RawKey } from '@unitary/core'

const bits = 5
const mask = 31
/** Below the last level hashes are equal, and entries stand in a list. */
const maxShift = 30

type Owner = object

interface Leaf<A> {
  readonly key: RawKey
  readonly hash: number
  readonly value: A
}

class Branch<A> {
  bitmap: number
  readonly slots: Array<Branch<A> | Leaf<A> | ReadonlyArray<Leaf<A>>>
  readonly owner: Owner | null
  constructor(bitmap: number, slots: Array<Branch<A> | Leaf<A> | ReadonlyArray<Leaf<A>>>, owner: Owner | null) {
    this.bitmap = bitmap
    this.slots = slots
    this.owner = owner
  }
}

type Slot<A> = Branch<A> | Leaf<A> | ReadonlyArray<Leaf<A>>

/**
 * @category model
 */
export interface HashMap<out A> {
  readonly _tag: 'HashMap'
  readonly size: number
  readonly root: Branch<A> | null
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

const popCount = (n: number): number => {
  let v = n - ((n >>> 1) & 0x55555555)
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333)
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/**
 * The value at a key, or undefined. O(log32 n).
 *
 * @category combinators
 */
export const get = <A>(self: HashMap<A>, key: RawKey): A | undefined => {
  const hash = hashOf(key)
  let node: Slot<A> | null = self.root
  for (let shift = 0; node instanceof Branch; shift += bits) {
    const bit = 1 << ((hash >>> shift) & mask)
    if ((node.bitmap & bit) === 0) return undefined
    node = node.slots[popCount(node.bitmap & (bit - 1))] as Slot<A>
  }
  if (node === null) return undefined
  if (isList(node)) return node.find((leaf) => leaf.key === key)?.value
  return node.key === key ? node.value : undefined
}

const isList = <A>(slot: Slot<A>): slot is ReadonlyArray<Leaf<A>> => Array.isArray(slot)

/** @category combinators */
export interface HashMapEdit<A> {
  readonly get: (key: RawKey) => A | undefined
  readonly set: (key: RawKey, value: A) => void
  readonly delete: (key: RawKey) => void
  /** The map as it stands. The edit must not be used after it. */
  readonly done: () => HashMap<A>
}

class Edit<A> implements HashMapEdit<A> {
  #from: HashMap<A>
  #owner: Owner = {}
  #size: number
  #root: Branch<A> | null
  #changed = false

  constructor(from: HashMap<A>) {
    this.#from = from
    this.#size = from.size
    this.#root = from.root
  }

  get(key: RawKey): A | undefined {
    return get({ _tag: 'HashMap', size: this.#size, root: this.#root }, key)
  }

  set(key: RawKey, value: A): void {
    if (this.get(key) === value) return
    const leaf: Leaf<A> = { key, hash: hashOf(key), value }
    this.#root = this.#put(this.#own(this.#root ?? new Branch<A>(0, [], this.#owner)), 0, leaf)
    this.#changed = true
  }

  delete(key: RawKey): void {
    if (this.#root === null || this.get(key) === undefined) return
    this.#root = this.#drop(this.#own(this.#root), 0, hashOf(key), key)
    this.#size--
    this.#changed = true
  }

  done(): HashMap<A> {
    if (!this.#changed) return this.#from
    return this.#size === 0 ? (empty as HashMap<A>) : { _tag: 'HashMap', size: this.#size, root: this.#root }
  }

  #own(node: Branch<A>): Branch<A> {
    return node.owner === this.#owner ? node : new Branch(node.bitmap, node.slots.slice(), this.#owner)
  }

  #put(node: Branch<A>, shift: number, leaf: Leaf<A>): Branch<A> {
    const bit = 1 << ((leaf.hash >>> shift) & mask)
    const index = popCount(node.bitmap & (bit - 1))
    if ((node.bitmap & bit) === 0) {
      node.slots.splice(index, 0, leaf)
      node.bitmap |= bit
      this.#size++
      return node
    }
    const slot = node.slots[index] as Slot<A>
    if (slot instanceof Branch) {
      node.slots[index] = this.#put(this.#own(slot), shift + bits, leaf)
    } else if (isList(slot)) {
      const others = slot.filter((other) => other.key !== leaf.key)
      if (others.length === slot.length) this.#size++
      node.slots[index] = [...others, leaf]
    } else if (slot.key === leaf.key) {
      node.slots[index] = leaf
    } else if (shift >= maxShift) {
      this.#size++
      node.slots[index] = [slot, leaf]
    } else {
      const below = new Branch<A>(1 << ((slot.hash >>> (shift + bits)) & mask), [slot], this.#owner)
      node.slots[index] = this.#put(below, shift + bits, leaf)
    }
    return node
  }

  #drop(node: Branch<A>, shift: number, hash: number, key: RawKey): Branch<A> {
    const bit = 1 << ((hash >>> shift) & mask)
    const index = popCount(node.bitmap & (bit - 1))
    const slot = node.slots[index] as Slot<A>
    if (slot instanceof Branch) {
      const below = this.#drop(this.#own(slot), shift + bits, hash, key)
      if (below.slots.length > 0) {
        node.slots[index] = below
        return node
      }
    } else if (isList(slot) && slot.length > 1) {
      node.slots[index] = slot.filter((leaf) => leaf.key !== key)
      return node
    }
    node.slots.splice(index, 1)
    node.bitmap &= ~bit
    return node
  }
}

/** Starts an edit. @category combinators */
export const edit = <A>(self: HashMap<A>): HashMapEdit<A> => new Edit(self)
