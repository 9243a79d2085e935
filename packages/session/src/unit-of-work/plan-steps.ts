/**
 * The steps of a plan in the making, each after those that have to be done before it.
 */
import type { AnyModel, Mapping } from '@unitary/core'
import { cyclicEntities, referredRoots, rootsOf } from './dependencies.js'
import type { Step } from './step.js'

/**
 * The steps of a plan so far. A flush saves rows of what is referred to first, and deletes them last: what is added is told which
 * steps it comes after, before it is added.
 *
 * @category model
 */
export class PlanSteps {
  readonly all: Step[] = []
  readonly #model: AnyModel
  /** Mappings whose instances are sorted one by one. */
  readonly #cyclic: ReadonlySet<Mapping>
  /** Steps that save rows of each hierarchy, by its root, then those that delete them. */
  readonly #saved: number[][] = []
  readonly #deleted: number[][] = []
  /** Steps that delete links, before all others. */
  readonly #unlinked: number[] = []

  constructor(model: AnyModel) {
    this.#model = model
    this.#cyclic = cyclicEntities(model)
  }

  /** The id of the step that is added next. */
  get next(): number {
    return this.all.length
  }

  /** Adds a step that saves rows of a hierarchy, or links of them. */
  save(root: Mapping, step: Step): void {
    this.all.push(step)
    note(this.#saved, root, step.id)
  }

  /** Adds a step that deletes rows of a hierarchy. */
  delete(root: Mapping, step: Step): void {
    this.all.push(step)
    note(this.#deleted, root, step.id)
  }

  /** Adds a step that deletes links. */
  unlink(step: Step): void {
    this.all.push(step)
    this.#unlinked.push(step.id)
  }

  /** What rows of a hierarchy are saved after: what they refer to, and what was saved of the hierarchy before. */
  beforeSave(root: Mapping): ReadonlyArray<number> {
    return ascending(this.#saves(root))
  }

  /** What a key of a hierarchy is changed after: links that hold it are gone by then. */
  beforeRename(root: Mapping): ReadonlyArray<number> {
    return ascending([...this.#unlinked, ...this.#saves(root)])
  }

  /** What links of two hierarchies come after: both ends are there by then. */
  beforeLink(owner: Mapping, target: Mapping): ReadonlyArray<number> {
    return ascending([...(this.#saved[owner.index] ?? []), ...(this.#saved[target.index] ?? [])])
  }

  /** What rows of a hierarchy are deleted after: all that is saved, and the deletes of those that refer to them. */
  beforeDelete(root: Mapping): ReadonlyArray<number> {
    const roots = rootsOf(this.#model)
    const referring = roots.filter((other) => referredRoots(this.#model, other).includes(root))
    return ascending([
      ...this.#unlinked,
      ...roots.flatMap((other) => this.#stepsOf(this.#saved, other)),
      ...[root, ...referring].flatMap((other) => this.#stepsOf(this.#deleted, other)),
    ])
  }

  #saves(root: Mapping): ReadonlyArray<number> {
    return [root, ...referredRoots(this.#model, root)].flatMap((other) => this.#stepsOf(this.#saved, other))
  }

  /**
   * The steps of a mapping so far. Those of one that refers to itself form a chain, as long as the longest line of
   * descent: its last step stands for all.
   */
  #stepsOf(steps: ReadonlyArray<ReadonlyArray<number>>, mapping: Mapping): ReadonlyArray<number> {
    const own = steps[mapping.index] ?? []
    return this.#cyclic.has(mapping) ? own.slice(-1) : own
  }
}

/** Notes a step of a hierarchy, by its root. */
const note = (steps: number[][], root: Mapping, id: number): void => {
  const known = steps[root.index]
  if (known === undefined) steps[root.index] = [id]
  else known.push(id)
}

const ascending = (ids: ReadonlyArray<number>): ReadonlyArray<number> =>
  ids.length < 2 ? ids : [...new Set(ids)].sort((a, b) => a - b)
