/**
 * Values of several shards that are the same to their databases.
 *
 * What a group or DISTINCT puts together on one database has to come together here. Of texts, not every database tells
 * whether `Tokyo` and `TOKYO` are the same: that hangs on a collation. Where two texts may be the same to it and are not the
 * same texts, the answer is that it is not known, never a guess.
 */
import { type ColumnKind, parseDecimal, type TextComparison } from '@unitary/core'

/** How sure texts are: as they are written, or as a collation has them that nobody knows here. */
export type Likeness = 'exact' | 'numbers' | 'collation'

/** How texts of a kind are told apart on databases that compare them in some ways. */
export const likenessOf = (kind: ColumnKind | null, comparisons: ReadonlyArray<TextComparison>): Likeness => {
  const isCollated = comparisons.includes('collation')
  if (kind === 'text' || kind === 'enum') return isCollated ? 'collation' : 'exact'
  // of what nothing is known, text may be a number too, which some databases write in more than one way
  if (kind === null) return isCollated ? 'collation' : comparisons.includes('equality') ? 'numbers' : 'exact'
  return 'exact'
}

/** A value in its one form: equal values are equal texts. Left to `Likenesses` is what a collation may take for the same. */
export const identityOf = (value: unknown, kind: ColumnKind | null): string => {
  if (value === null || value === undefined) return '-'
  if (kind === 'decimal' && typeof value === 'string') {
    const parsed = parseDecimal(value)
    return `n${parsed._tag === 'Some' ? parsed.value : value}`
  }
  if (typeof value === 'number' || typeof value === 'bigint') return `n${value}`
  if (typeof value === 'boolean') return `b${value}`
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`
  if (value instanceof Date) return `d${value.getTime()}`
  return typeof value === 'string' ? `t${value}` : `j${JSON.stringify(value)}`
}

/** The texts of one column that have been met. */
export class Likenesses {
  readonly #likeness: Likeness
  readonly #met = new Map<string, string>()
  /** A text of which nothing tells what a collation makes of it. */
  #strange: string | null = null
  #some: string | null = null

  constructor(likeness: Likeness) {
    this.#likeness = likeness
  }

  /** A text that was met before and that the database may take for this one; null where there is none. */
  clash(value: unknown): string | null {
    if (this.#likeness === 'exact' || typeof value !== 'string') return null
    const form = this.#likeness === 'numbers' ? numberForm(value) : collatedForm(value)
    if (form === null) {
      const other = this.#some !== null && this.#some !== value ? this.#some : null
      this.#strange ??= value
      this.#some ??= value
      return other
    }
    if (this.#strange !== null) return this.#strange
    if (this.#likeness === 'collation') this.#some ??= value
    const known = this.#met.get(form)
    if (known === undefined) this.#met.set(form, value)
    return known === undefined || known === value ? null : known
  }
}

const numberForm = (text: string): string => {
  const number = parseDecimal(text)
  return number._tag === 'Some' ? number.value : text
}

/**
 * A form that texts share wherever a collation may take them for the same: without case, accents, and spaces at the end.
 * Null where the letters are none that this is known of.
 */
const collatedForm = (text: string): string | null => {
  const form = text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .trimEnd()
  return /^[\x20-\x7e]*$/.test(form) ? form : null
}
