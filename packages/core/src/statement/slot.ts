/**
 * A place in a tree where a value goes later (see `template.ts` and `slotted.ts`).
 */
import type { Column } from './source.js'

/** What is known of a value that is not there yet: what `typeof` says of it, where SQL may depend on that. */
export type SlotType = 'number' | 'boolean' | null

/**
 * Stands for the value at `index` among those that a template or a shape is bound to. When the tree is resolved, it learns
 * which column encodes the value; null where none has to.
 */
export class Slot {
  readonly index: number
  readonly column: Column | null
  readonly type: SlotType
  constructor(index: number, column: Column | null = null, type: SlotType = null) {
    this.index = index
    this.column = column
    this.type = type
  }
}

/** The type of a value, or of the one that a slot stands for. */
export const slotType = (value: unknown): SlotType => {
  if (value instanceof Slot) return value.type
  return typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'boolean' : null
}
