/**
 * A place in a tree where a value goes later (see `template.ts`).
 */

/**
 * Stands for the value at `index` among those that a template is bound to; `encode` is set when the tree is resolved,
 * by the column that the slot is compared with.
 */
export class Slot {
  readonly index: number
  readonly encode: ((value: unknown) => unknown) | null
  /** Which attribute the value belongs to, for errors. */
  readonly entity: string
  readonly attribute: string
  constructor(index: number, encode: ((value: unknown) => unknown) | null = null, entity = '', attribute = '') {
    this.index = index
    this.encode = encode
    this.entity = entity
    this.attribute = attribute
  }
}
