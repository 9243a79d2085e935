/**
 * A place in a tree where a value goes later (see `template.ts`).
 */
import type { Column } from './scope.js'

/**
 * Stands for the value at `index` among those that a template is bound to. When the tree is resolved, it learns which
 * column encodes the value; null where none has to.
 */
export class Slot {
  readonly index: number
  readonly column: Column | null
  constructor(index: number, column: Column | null = null) {
    this.index = index
    this.column = column
  }
}
