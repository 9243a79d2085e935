/**
 * A persistent set of small non-negative integers: the instances that a flush is about.
 *
 * These are few among many, or many that stand together. So members share words, 32 to one, a bit each; and words stand in a
 * radix trie whose nodes are no longer than what they hold: which slots are filled, bit by bit, and then what is in those. A
 * change copies a short array a level; one in the word that was changed last, which stands beside the trie, copies none.
 */
import { popCount } from './pop-count.js'

const bits = 5
const width = 1 << bits
const mask = width - 1

/** The filled slots, and then words on the last level and nodes on the others. */
type Node = ReadonlyArray<unknown>

/**
 * @category model
 */
export interface IntSet {
  readonly _tag: 'IntSet'
  readonly size: number
  /** Bits of a word's key below the root's own: 0 where the root holds words. */
  readonly shift: number
  readonly root: Node | null
  /** The word that was changed last, in place of what the trie has there. */
  readonly word: number
  /** What the members of that word share: their higher bits; -1 where there is none. */
  readonly wordKey: number
}

/** @category constructors */
export const empty: IntSet = Object.freeze({ _tag: 'IntSet', size: 0, shift: 0, root: null, word: 0, wordKey: -1 })

const isFilled = (filled: number, slot: number): boolean => ((filled >>> slot) & 1) === 1

/** Where in a node the content of a slot stands, whether or not it is there. */
const placeOf = (filled: number, slot: number): number => 1 + popCount(filled & ((1 << slot) - 1))

const wordIn = (root: Node | null, rootShift: number, key: number): number => {
  if (root === null || key >>> rootShift >= width) return 0
  let node = root
  for (let shift = rootShift; ; shift -= bits) {
    const filled = node[0] as number
    const slot = (key >>> shift) & mask
    if (!isFilled(filled, slot)) return 0
    const content = node[placeOf(filled, slot)]
    if (shift === 0) return content as number
    node = content as Node
  }
}

/** The node with another word at a key that it covers; null where none is left. */
const withWord = (node: Node | null, shift: number, key: number, word: number): Node | null => {
  const filled = node === null ? 0 : (node[0] as number)
  const slot = (key >>> shift) & mask
  const place = placeOf(filled, slot)
  const known = node !== null && isFilled(filled, slot) ? node[place] : null
  const content = shift > 0 ? withWord(known as Node | null, shift - bits, key, word) : word === 0 ? null : word
  if (content === known) return node
  if (node === null) return [1 << slot, content]
  if (content === null) return without(node, slot, place)
  if (known === null) return withMore(node, slot, place, content)
  const copy = node.slice()
  copy[place] = content
  return copy
}

const without = (node: Node, slot: number, place: number): Node | null => {
  if (node.length === 2) return null
  const copy = new Array<unknown>(node.length - 1)
  copy[0] = (node[0] as number) & ~(1 << slot)
  for (let i = 1; i < copy.length; i++) copy[i] = node[i < place ? i : i + 1]
  return copy
}

const withMore = (node: Node, slot: number, place: number, content: unknown): Node => {
  const copy = new Array<unknown>(node.length + 1)
  copy[0] = (node[0] as number) | (1 << slot)
  for (let i = 1; i < copy.length; i++) copy[i] = i === place ? content : node[i < place ? i : i - 1]
  return copy
}

/** @category guards */
export const has = (self: IntSet, member: number): boolean => {
  const key = member >>> bits
  return isFilled(key === self.wordKey ? self.word : wordIn(self.root, self.shift, key), member & mask)
}

/**
 * Editing in bulk.
 *
 * @category combinators
 */
export interface IntSetEdit {
  readonly has: (member: number) => boolean
  readonly add: (member: number) => void
  readonly delete: (member: number) => void
  /** The set as it stands. The edit must not be used after it. */
  readonly done: () => IntSet
}

class Edit implements IntSetEdit {
  readonly #from: IntSet
  #size: number
  #shift: number
  #root: Node | null
  #word: number
  #wordKey: number
  #changed = false

  constructor(from: IntSet) {
    this.#from = from
    this.#size = from.size
    this.#shift = from.shift
    this.#root = from.root
    this.#word = from.word
    this.#wordKey = from.wordKey
  }

  has(member: number): boolean {
    if (this.#size === 0) return false
    const key = member >>> bits
    return isFilled(key === this.#wordKey ? this.#word : wordIn(this.#root, this.#shift, key), member & mask)
  }

  add(member: number): void {
    this.#turnTo(member >>> bits)
    if (isFilled(this.#word, member & mask)) return
    this.#word |= 1 << (member & mask)
    this.#size++
    this.#changed = true
  }

  delete(member: number): void {
    if (!this.has(member)) return
    this.#turnTo(member >>> bits)
    this.#word &= ~(1 << (member & mask))
    this.#size--
    this.#changed = true
  }

  done(): IntSet {
    if (!this.#changed) return this.#from
    if (this.#size === 0) return empty
    return {
      _tag: 'IntSet',
      size: this.#size,
      shift: this.#shift,
      root: this.#root,
      word: this.#word,
      wordKey: this.#wordKey,
    }
  }

  forEach(f: (member: number) => void): void {
    this.#putWord()
    if (this.#root !== null) visit(this.#root, this.#shift, 0, f)
  }

  /** Puts the word that stands beside the trie into it, and another in its place. */
  #turnTo(key: number): void {
    if (key === this.#wordKey) return
    this.#putWord()
    this.#wordKey = key
    this.#word = wordIn(this.#root, this.#shift, key)
  }

  #putWord(): void {
    if (this.#wordKey < 0) return
    while (this.#wordKey >>> this.#shift >= width) {
      if (this.#root !== null) this.#root = [1, this.#root]
      this.#shift += bits
    }
    this.#root = withWord(this.#root, this.#shift, this.#wordKey, this.#word)
  }
}

/**
 * Starts an edit. For a change or two use `add` and `remove`.
 *
 * @category combinators
 */
export const edit = (self: IntSet): IntSetEdit => new Edit(self)

/** The set with a member; the same set where it is one already. @category combinators */
export const add = (self: IntSet, member: number): IntSet => {
  if (member >>> bits === self.wordKey) {
    const { root, shift, size, word, wordKey } = self
    return isFilled(word, member & mask)
      ? self
      : { _tag: 'IntSet', size: size + 1, shift, root, word: word | (1 << (member & mask)), wordKey }
  }
  const changes = new Edit(self)
  changes.add(member)
  return changes.done()
}

/** The set without a member; the same set where it is none. @category combinators */
export const remove = (self: IntSet, member: number): IntSet => {
  if (self.size === 0) return self
  const changes = new Edit(self)
  changes.delete(member)
  return changes.done()
}

/**
 * Calls `f` for each member, in ascending order. O(members).
 *
 * @category combinators
 */
export const forEach = (self: IntSet, f: (member: number) => void): void => {
  if (self.size > 0) new Edit(self).forEach(f)
}

const visit = (node: Node, shift: number, base: number, f: (member: number) => void): void => {
  let place = 1
  // the lowest of the bits that are left goes each time
  for (let left = node[0] as number; left !== 0; left &= left - 1) {
    const key = (base << bits) | lowest(left)
    const content = node[place++]
    if (shift > 0) visit(content as Node, shift - bits, key, f)
    else for (let word = content as number; word !== 0; word &= word - 1) f((key << bits) | lowest(word))
  }
}

/** The place of the lowest bit. */
const lowest = (word: number): number => 31 - Math.clz32(word & -word)

/** The members in ascending order. @category combinators */
export const members = (self: IntSet): ReadonlyArray<number> => {
  const all: number[] = []
  forEach(self, (member) => all.push(member))
  return all
}
