/**
 * What has to be done before a write, wherever in the plan that stands: what the database demands of single rows.
 */
import {
  type AnyModel,
  type Attribute,
  type ForeignKeyConstraint,
  foreignKeysOf,
  type Mapping,
  type RawKey,
  storedMappings,
} from '@unitary/core'
import { type PlannedRows, tableOf, touches, type Write, writtenBy } from './planned-rows.js'
import { columnsOf, type UpdateStep } from './step.js'

/** Attributes whose values, taken together, no two rows of an entity share. @category model */
export type UniqueKey = ReadonlyArray<Attribute>

/**
 * A write that has to be done before another. `frees`: it does not matter itself, only that it gives up a value of that
 * key.
 *
 * @category model
 */
export interface Need {
  readonly write: Write
  readonly frees: UniqueKey | null
}

/**
 * Answers about the writes of one plan. `contested` are the unique keys that matter in it.
 */
export class Needs {
  readonly #model: AnyModel
  readonly #contested: ReadonlyMap<Mapping, ReadonlyArray<UniqueKey>>
  readonly #rows: PlannedRows
  #foreignKeys: ReadonlyMap<Mapping, ReadonlyArray<ForeignKeyConstraint>> | null = null

  constructor(model: AnyModel, contested: ReadonlyMap<Mapping, ReadonlyArray<UniqueKey>>, rows: PlannedRows) {
    this.#model = model
    this.#contested = contested
    this.#rows = rows
  }

  /** By the table that holds them. Most plans have no clash, and never ask. */
  get foreignKeys(): ReadonlyMap<Mapping, ReadonlyArray<ForeignKeyConstraint>> {
    this.#foreignKeys ??= foreignKeysOf(storedMappings(this.#model.mappings))
    return this.#foreignKeys
  }

  /** Null where the write waits for a row that is inserted. */
  of(write: Write): ReadonlyArray<Need> | null {
    const { step } = write
    switch (step._tag) {
      case 'Update':
        return this.#ofUpdate(write, step)
      case 'Delete':
        return [...this.#rows.earlier(write), ...this.#referring(write)].map(alone)
      case 'Unlink':
        return []
      case 'Insert':
      case 'Link':
      case 'Vacate':
        return null
    }
  }

  /** Writes of other rows that give up the values of a unique key which the write takes. */
  freersFor(taker: Write, key: UniqueKey): ReadonlyArray<Write> {
    const value = this.#rows.after(taker, key)
    if (value === undefined || value === null) return []
    return this.#holding(taker, this.#mappingOf(taker), key, value).filter((other) => this.#changes(other, key))
  }

  #ofUpdate(write: Write, step: UpdateStep): ReadonlyArray<Need> | null {
    if (columnsOf(step).some(({ source }) => source._tag === 'Key')) return null
    const mapping = this.#mappingOf(write)
    const needs = this.#rows.earlier(write).map(alone)
    for (const frees of this.#contested.get(mapping) ?? []) {
      if (!touches(step.set, frees)) continue
      for (const freer of this.freersFor(write, frees)) needs.push({ write: freer, frees })
    }
    for (const { attributes, target, targetAttributes } of this.foreignKeys.get(mapping) ?? []) {
      const value = touches(step.set, attributes) ? this.#rows.after(write, attributes) : null
      if (value === undefined || value === null) continue
      for (const giver of this.#rows.gaining(target, targetAttributes).get(value) ?? []) {
        if (!this.#areApart(write, giver)) continue
        if (giver.step._tag === 'Insert') return null
        if (this.#changes(giver, targetAttributes)) needs.push(alone(giver))
      }
    }
    return needs
  }

  /** Writes of rows that refer to one that is deleted: all that is done to them is done while it is there. Links are gone by then. */
  #referring(write: Write): ReadonlyArray<Write> {
    const mapping = this.#mappingOf(write)
    return [...this.foreignKeys].flatMap(([holder, constraints]) =>
      constraints.flatMap(({ attributes, target, targetAttributes }) => {
        const value = target === mapping ? this.#rows.before(write, targetAttributes) : null
        if (value === undefined || value === null) return []
        const { unknown } = this.#rows.losing(holder, attributes)
        return [
          ...this.#holding(write, holder, attributes, value),
          ...unknown.filter((other) => this.#areApart(write, other)),
        ]
      }),
    )
  }

  #mappingOf({ step }: Write): Mapping {
    return tableOf(this.#model, step)
  }

  /** Writes of other rows that hold the value before. */
  #holding(write: Write, mapping: Mapping, attributes: UniqueKey, value: RawKey): ReadonlyArray<Write> {
    const holding = this.#rows.losing(mapping, attributes).of.get(value) ?? []
    return holding.filter((other) => this.#areApart(write, other))
  }

  #changes(write: Write, attributes: UniqueKey): boolean {
    return this.#rows.before(write, attributes) !== this.#rows.after(write, attributes)
  }

  /** Are they of two rows, on one database as far as that is known? */
  #areApart(a: Write, b: Write): boolean {
    const one = this.#rows.rowOf(writtenBy(a))
    const other = this.#rows.rowOf(writtenBy(b))
    return one !== other && (one.token === null || other.token === null || one.token === other.token)
  }
}

const alone = (write: Write): Need => ({ write, frees: null })
