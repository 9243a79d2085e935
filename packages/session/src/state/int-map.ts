/**
 * A persistent map from small non-negative integers, for what a session keeps by instance id.
 *
 * A radix trie of 32-way nodes, keyed by the bits of the integer from the high end, so that dense keys fill whole
 * leaves. Reading costs the depth (four levels at a million keys), a change copies one node a level. `edit` works on
 * nodes of its own and copies each of them at most once, which makes bulk changes cost what a mutable array does.
 *
 * Each node is an array of 34: 32 slots, which of them hold something, bit by bit, and the edit that owns it. So a node of
 * few is gone through as fast as its few. An edit ends with the function that made it, so a node that anyone else can see is
 * never written again.
 *
 * A program changes instance after instance, and mostly in the order of their ids. So a map keeps the leaf that was changed
 * last beside its trie: the next change in that leaf, or edit that begins there, copies it alone, and the nodes above it are
 * copied once, when another leaf has its turn.
 */

const bits = 5
const width = 1 << bits
const mask = width - 1
const filledSlot = width
const ownerSlot = width + 1

type Owner = object
type Node = unknown[]

/**
 * @category model
 */
export interface IntMap<out A> {
  readonly _tag: 'IntMap'
  readonly size: number
  /** Leaves that were made, each with room for 32 values: what the map takes, beside what it holds. */
  readonly leaves: number
  /** Bits below the root's own: 0 where the root is a leaf. */
  readonly shift: number
  readonly root: ReadonlyArray<unknown> | null
  /** The leaf that was changed last, in place of the one that the trie has there; null where the trie has all. */
  readonly leaf: ReadonlyArray<unknown> | null
  /** What the keys of that leaf share: their higher bits; -1 where there is none. */
  readonly leafKey: number
  /** Carries the type; never there. */
  readonly _A?: A
}

/** @category constructors */
export const empty: IntMap<never> = Object.freeze({
  _tag: 'IntMap',
  size: 0,
  leaves: 0,
  shift: 0,
  root: null,
  leaf: null,
  leafKey: -1,
})

/**
 * The value at a key, or undefined. O(log32 n).
 *
 * @category combinators
 */
export const get = <A>(self: IntMap<A>, key: number): A | undefined => {
  if (self.leaf !== null && key >>> bits === self.leafKey) return self.leaf[key & mask] as A | undefined
  let node = self.root as Node | null
  if (node === null || key >>> self.shift >= width) return undefined
  for (let shift = self.shift; shift > 0; shift -= bits) {
    node = node[(key >>> shift) & mask] as Node | undefined as Node | null
    if (node === undefined || node === null) return undefined
  }
  return node[key & mask] as A | undefined
}

/** @category guards */
export const has = <A>(self: IntMap<A>, key: number): boolean => get(self, key) !== undefined

/**
 * Editing in bulk: writes go to nodes that the edit owns.
 *
 * @category combinators
 */
export interface IntMapEdit<A> {
  readonly get: (key: number) => A | undefined
  /** `value` must not be undefined. */
  readonly set: (key: number, value: A) => void
  readonly delete: (key: number) => void
  readonly size: () => number
  readonly leaves: () => number
  /** Is there a leaf for the key already, whether or not it holds a value there? */
  readonly hasLeaf: (key: number) => boolean
  /** The map as it stands. The edit must not be used after it. */
  readonly done: () => IntMap<A>
}

/** The leaf that a trie has for a key; null where it has none. */
const leafIn = (root: Node | null, rootShift: number, key: number): Node | null => {
  if (root === null || key >>> rootShift >= width) return null
  let node = root
  for (let shift = rootShift; shift > 0; shift -= bits) {
    const child = node[(key >>> shift) & mask] as Node | undefined
    if (child === undefined) return null
    node = child
  }
  return node
}

const isEmpty = (node: Node): boolean => node[filledSlot] === 0

const fill = (node: Node, slot: number, value: unknown): void => {
  node[slot] = value
  node[filledSlot] = (node[filledSlot] as number) | (1 << slot)
}

const vacate = (node: Node, slot: number): void => {
  node[slot] = undefined
  node[filledSlot] = (node[filledSlot] as number) & ~(1 << slot)
}

class Edit<A> implements IntMapEdit<A> {
  #from: IntMap<A>
  #owner: Owner = {}
  #size: number
  #leaves: number
  #shift: number
  #root: Node | null
  // the leaf last written, since changes run through neighbouring keys
  #leaf: Node | null
  #leafKey: number
  /** May the trie have another leaf in its place? */
  #isBeside: boolean
  #changed = false

  constructor(from: IntMap<A>) {
    this.#from = from
    this.#size = from.size
    this.#leaves = from.leaves
    this.#shift = from.shift
    this.#root = from.root as Node | null
    this.#leaf = from.leaf as Node | null
    this.#leafKey = from.leafKey
    this.#isBeside = from.leaf !== null
  }

  get(key: number): A | undefined {
    const isNear = this.#leaf !== null && key >>> bits === this.#leafKey
    return (isNear ? this.#leaf : leafIn(this.#root, this.#shift, key))?.[key & mask] as A | undefined
  }

  set(key: number, value: A): void {
    let leaf = key >>> bits === this.#leafKey && this.#leaf !== null ? this.#leaf : this.#turnTo(key)
    const slot = key & mask
    const old = leaf[slot]
    if (old === value) return
    if (leaf[ownerSlot] !== this.#owner) {
      leaf = this.#own(leaf)
      this.#leaf = leaf
      this.#isBeside = true
    }
    if (old === undefined) {
      this.#size++
      fill(leaf, slot, value)
    } else leaf[slot] = value
    this.#changed = true
  }

  delete(key: number): void {
    if (this.get(key) === undefined) return
    const leaf = this.#ownLeaf(key)
    vacate(leaf, key & mask)
    this.#size--
    this.#changed = true
    if (isEmpty(leaf)) this.#prune(key)
  }

  size(): number {
    return this.#size
  }

  leaves(): number {
    return this.#leaves
  }

  hasLeaf(key: number): boolean {
    return (this.#leaf !== null && key >>> bits === this.#leafKey) || leafIn(this.#root, this.#shift, key) !== null
  }

  done(): IntMap<A> {
    if (!this.#changed) return this.#from
    if (this.#size === 0) return empty as IntMap<A>
    return {
      _tag: 'IntMap',
      size: this.#size,
      leaves: this.#leaves,
      shift: this.#shift,
      root: this.#root,
      leaf: this.#leaf,
      leafKey: this.#leafKey,
    }
  }

  /** The trie with all that the map holds. */
  root(): Node | null {
    if (this.#isBeside) this.#putLeaf(this.#leaf as Node, this.#leafKey)
    return this.#root
  }

  /** Puts the leaf that stands beside the trie into it, where it has one already. */
  #putLeaf(leaf: Node, leafKey: number): void {
    this.#isBeside = false
    let node = this.#root as Node
    for (let shift = this.#shift; shift > 0; shift -= bits) node = node[((leafKey << bits) >>> shift) & mask] as Node
    if (node === leaf) return
    if (this.#shift === 0) {
      this.#root = leaf
      return
    }
    node = this.#own(this.#root as Node)
    this.#root = node
    for (let shift = this.#shift; shift > bits; shift -= bits) {
      const slot = ((leafKey << bits) >>> shift) & mask
      const child = this.#own(node[slot] as Node)
      node[slot] = child
      node = child
    }
    node[leafKey & mask] = leaf
  }

  /** Takes out the leaf of a key, which is empty, and what is empty without it. The edit owns the path to it. */
  #prune(key: number): void {
    this.#leaf = null
    this.#leafKey = -1
    this.#leaves--
    const path: Node[] = []
    let node = this.#root as Node
    for (let shift = this.#shift; shift > 0; shift -= bits) {
      path.push(node)
      node = node[(key >>> shift) & mask] as Node
    }
    for (let shift = bits; shift <= this.#shift; shift += bits) {
      const parent = path.pop() as Node
      vacate(parent, (key >>> shift) & mask)
      if (!isEmpty(parent)) return
    }
    this.#root = null
    this.#shift = 0
  }

  #own(node: Node | undefined): Node {
    if (node === undefined) {
      const fresh: Node = new Array(width + 2).fill(undefined)
      fresh[filledSlot] = 0
      fresh[ownerSlot] = this.#owner
      return fresh
    }
    if (node[ownerSlot] === this.#owner) return node
    const copy = node.slice()
    copy[ownerSlot] = this.#owner
    return copy
  }

  /** The leaf of a key, made where there is none. The edit need not own it: it is copied when it is written. */
  #turnTo(key: number): Node {
    const leaf = leafIn(this.root(), this.#shift, key)
    if (leaf === null) return this.#ownLeaf(key)
    this.#leaf = leaf
    this.#leafKey = key >>> bits
    return leaf
  }

  /** The leaf of a key, in a path that the edit owns. */
  #ownLeaf(key: number): Node {
    let root = this.root()
    if (root === null) {
      while (key >>> this.#shift >= width) this.#shift += bits
      root = this.#own(undefined)
      if (this.#shift === 0) this.#leaves++
    } else {
      while (key >>> this.#shift >= width) {
        const parent = this.#own(undefined)
        fill(parent, 0, root)
        root = parent
        this.#shift += bits
      }
      root = this.#own(root)
    }
    this.#root = root
    let node = root
    for (let shift = this.#shift; shift > 0; shift -= bits) {
      const slot = (key >>> shift) & mask
      const known = node[slot] as Node | undefined
      if (shift === bits && known === undefined) this.#leaves++
      const child = this.#own(known)
      fill(node, slot, child)
      node = child
    }
    this.#leaf = node
    this.#leafKey = key >>> bits
    return node
  }
}

/**
 * Starts an edit. For a change or two use `set` and `remove`.
 *
 * @category combinators
 */
export const edit = <A>(self: IntMap<A>): IntMapEdit<A> => new Edit(self)

/**
 * The map with the value at the key; the same map where it is there already. `value` must not be undefined.
 *
 * @category combinators
 */
export const set = <A>(self: IntMap<A>, key: number, value: A): IntMap<A> => {
  if (self.leaf === null || key >>> bits !== self.leafKey) {
    const changes = new Edit(self)
    changes.set(key, value)
    return changes.done()
  }
  const slot = key & mask
  const old = self.leaf[slot]
  if (old === value) return self
  const leaf = self.leaf.slice()
  fill(leaf, slot, value)
  // no edit owns what a map shows
  leaf[ownerSlot] = undefined
  return {
    _tag: 'IntMap',
    size: old === undefined ? self.size + 1 : self.size,
    leaves: self.leaves,
    shift: self.shift,
    root: self.root,
    leaf,
    leafKey: self.leafKey,
  }
}

/** The trie with all that the map holds. Of a small map the leaf is all of it. */
const rootOf = (self: IntMap<unknown>): Node | null => {
  if (self.leaf === null) return self.root as Node | null
  return self.shift === 0 ? (self.leaf as Node) : new Edit(self).root()
}

/**
 * The map without the key; the same map where it is not there.
 *
 * @category combinators
 */
export const remove = <A>(self: IntMap<A>, key: number): IntMap<A> => {
  const changes = new Edit(self)
  changes.delete(key)
  return changes.done()
}

/**
 * Calls `f` for each entry, in the order of the keys, from key `from` on. O(n) of the entries visited.
 *
 * @category combinators
 */
export const forEach = <A>(self: IntMap<A>, f: (value: A, key: number) => void, from = 0): void => {
  const root = rootOf(self)
  if (root !== null) visit(root, self.shift, 0, from, f as (value: unknown, key: number) => void)
}

const visit = (
  node: Node,
  shift: number,
  base: number,
  from: number,
  f: (value: unknown, key: number) => void,
): void => {
  // the lowest of the bits that are left goes each time
  for (let left = node[filledSlot] as number; left !== 0; left &= left - 1) {
    const slot = 31 - Math.clz32(left & -left)
    const key = base + slot * 2 ** shift
    if (shift === 0) {
      if (key >= from) f(node[slot], key)
    } else if (key + 2 ** shift > from) {
      visit(node[slot] as Node, shift - bits, key, from, f)
    }
  }
}

/**
 * Calls `f` for each entry of a map that is not the same in another, with keys below `to`, in the order of the keys. What
 * the maps share is not visited: O(32 log n) for each difference at the most.
 *
 * @category combinators
 */
export const forEachDifference = <A>(
  self: IntMap<A>,
  from: IntMap<A>,
  f: (value: A, key: number) => void,
  to = Number.POSITIVE_INFINITY,
): void => {
  const root = rootOf(self)
  let other = rootOf(from)
  if (root === null || root === other) return
  // a map with fewer levels is what a taller one has in its first slots
  for (let shift = from.shift; other !== null && shift < self.shift; shift += bits) other = [other]
  // and of a taller one the rest is not here
  for (let shift = from.shift; other !== null && shift > self.shift; shift -= bits) {
    other = (other[0] as Node | undefined) ?? null
  }
  visitDifference(root, other, self.shift, 0, to, f as (value: unknown, key: number) => void)
}

const visitDifference = (
  node: Node,
  other: Node | null,
  shift: number,
  base: number,
  to: number,
  f: (value: unknown, key: number) => void,
): void => {
  for (let left = node[filledSlot] as number; left !== 0; left &= left - 1) {
    const slot = 31 - Math.clz32(left & -left)
    const child = node[slot]
    const key = base + slot * 2 ** shift
    if (key >= to || child === other?.[slot]) continue
    if (shift === 0) f(child, key)
    else visitDifference(child as Node, (other?.[slot] as Node | undefined) ?? null, shift - bits, key, to, f)
  }
}

/** The values in the order of their keys. @category combinators */
export const values = <A>(self: IntMap<A>): ReadonlyArray<A> => {
  const all: A[] = []
  forEach(self, (value) => all.push(value))
  return all
}

/** The keys in ascending order. @category combinators */
export const keys = <A>(self: IntMap<A>): ReadonlyArray<number> => {
  const all: number[] = []
  forEach(self, (_, key) => all.push(key))
  return all
}
