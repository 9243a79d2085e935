/**
 * Unique keys in the order of a plan: a row gives a value up before another takes it.
 *
 * A plan is made without regard to them, and stays as it is where every value that a row takes is free by then. Where one
 * is not, the write that gives it up moves to the front of the plan, with all that has to be done before it: what refers to
 * a row that is deleted lets go of it first, and values that the moved write takes itself are given up first. Where that
 * comes around (rows that swap values), or waits for a row that is inserted later, the value is vacated: a temporary one
 * takes its place for the time being. Where neither can be done the flush is refused.
 *
 * Values are compared as they are encoded; what a collation holds to be the same besides is not seen. Where nothing that a
 * plan does both gives up and takes values of one unique key, this costs nothing; O(rows) else.
 */
import {
  type AnyModel,
  type Attribute,
  type InstanceId,
  type Mapping,
  storedMappings,
  type TablePart,
} from '@unitary/core'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { UniqueClash } from '../error.js'
import type { Instance } from '../state/instance.js'
import type { SessionState } from '../state/session-state.js'
import { PlannedRows, tableOf, touches, type Write, writtenBy } from './planned-rows.js'
import { type Need, Needs, type UniqueKey } from './prerequisites.js'
import { reorder } from './reorder.js'
import type { Step } from './step.js'
import { temporaryValue, type Vacated } from './vacate.js'

/**
 * The steps of a plan in an order that respects unique keys. The same steps where theirs does.
 *
 * @category combinators
 */
export const inUniqueOrder = (
  state: SessionState,
  switches: ReadonlyMap<InstanceId, Instance>,
  steps: ReadonlyArray<Step>,
): Either<UniqueClash, ReadonlyArray<Step>> => {
  if (!steps.some((step) => freesAny(state.model, step))) return right(steps)
  const rows = new PlannedRows(state, switches, steps)
  const contested = contestedKeys(state.model, rows)
  if (contested.size === 0) return right(steps)
  const untangler = new Untangler(state.model, contested, rows)
  const clash = untangler.untangle()
  if (clash !== null) return left(clash)
  return right(untangler.moved.size + untangler.vacated.size === 0 ? steps : reorder(steps, untangler))
}

/** The unique keys of which steps both give up and take values, as far as their columns tell. */
const contestedKeys = (model: AnyModel, rows: PlannedRows): ReadonlyMap<Mapping, ReadonlyArray<UniqueKey>> => {
  const found = new Map<Mapping, ReadonlyArray<UniqueKey>>()
  for (const mapping of storedMappings(model.mappings)) {
    const steps = rows.stepsOf(mapping)
    const keys = uniqueKeysOf(mapping).filter(
      (key) => steps.some((step) => frees(step, key)) && steps.some((step) => takes(step, key)),
    )
    if (keys.length > 0) found.set(mapping, keys)
  }
  return found
}

const uniqueKeysOf = ({ key, uniqueKeys }: Mapping): ReadonlyArray<UniqueKey> => [key, ...uniqueKeys]

const freesAny = (model: AnyModel, step: Step): boolean =>
  (step._tag === 'Update' || step._tag === 'Delete') &&
  uniqueKeysOf(tableOf(model, step)).some((key) => frees(step, key))

const frees = (step: Step, key: UniqueKey): boolean =>
  step._tag === 'Delete' || (step._tag === 'Update' && touches(step.set, key))

const takes = (step: Step, key: UniqueKey): boolean =>
  step._tag === 'Insert'
    ? key.every((attribute) => touches(step.columns, [attribute]))
    : step._tag === 'Update' && touches(step.set, key)

/** A write on its way to the front: what it needs, and how many of that is met. */
interface Move {
  readonly write: Write
  readonly needs: ReadonlyArray<Need>
  met: number
  level: number
}

/**
 * Decides which writes of one plan move, and what is vacated.
 */
class Untangler {
  /** Writes that stand at the front, with their levels. */
  readonly moved = new Map<Write, number>()
  readonly vacated = new Map<InstanceId, Vacated>()
  readonly #model: AnyModel
  readonly #contested: ReadonlyMap<Mapping, ReadonlyArray<UniqueKey>>
  readonly #rows: PlannedRows
  readonly #needs: Needs
  /** Writes that cannot move. */
  readonly #stuck = new Set<Write>()

  constructor(model: AnyModel, contested: ReadonlyMap<Mapping, ReadonlyArray<UniqueKey>>, rows: PlannedRows) {
    this.#model = model
    this.#contested = contested
    this.#rows = rows
    this.#needs = new Needs(model, contested, rows)
  }

  untangle(): UniqueClash | null {
    for (const [mapping, keys] of this.#contested) {
      for (const key of keys) {
        for (const step of this.#rows.stepsOf(mapping)) {
          if (!takes(step, key)) continue
          for (const taker of this.#rows.writesOf(step)) {
            for (const freer of this.#needs.freersFor(taker, key)) {
              if (freer.step.id < step.id || this.#move(freer) || this.#vacate(freer, key)) continue
              return this.#clash(freer, taker, key)
            }
          }
        }
      }
    }
    return null
  }

  /** Moves a write to the front, after all that it needs. False where that cannot be. */
  #move(first: Write): boolean {
    const moves: Move[] = []
    const open = new Set<Write>()
    const start = (write: Write): void => {
      const needs = this.#needs.of(write)
      if (needs === null) {
        this.#stuck.add(write)
        return
      }
      moves.push({ write, needs, met: 0, level: 1 })
      open.add(write)
    }
    if (!this.moved.has(first) && !this.#stuck.has(first)) start(first)
    for (let move = moves.at(-1); move !== undefined; move = moves.at(-1)) {
      const need = move.needs[move.met]
      const level = need === undefined ? undefined : this.moved.get(need.write)
      if (need === undefined) {
        this.moved.set(move.write, move.level)
      } else if (level !== undefined) {
        move.level = Math.max(move.level, level + 1)
        move.met++
        continue
      } else if (!open.has(need.write) && !this.#stuck.has(need.write)) {
        start(need.write)
        continue
      } else if (need.frees !== null && this.#vacate(need.write, need.frees)) {
        move.met++
        continue
      } else {
        this.#stuck.add(move.write)
      }
      moves.pop()
      open.delete(move.write)
    }
    return this.moved.has(first)
  }

  /** Has a row give up its value of a key by a temporary one. False where none would do. */
  #vacate(write: Write, key: UniqueKey): boolean {
    const { step } = write
    const id = writtenBy(write)
    const row = this.#rows.rowOf(id)
    const known = this.vacated.get(id)
    // what another of its tables holds for the time being is for another step
    if (known !== undefined && known.part.table !== step.table) return false
    const held = known?.values ?? new Map<Attribute, unknown>()
    // the write itself, and none before it, has to bring what belongs there
    const earlier = this.#rows.earlier(write)
    const candidates = key.filter(
      (attribute) =>
        (step._tag === 'Delete' ? !attribute.isKey : frees(step, [attribute])) &&
        !earlier.some((other) => frees(other.step, [attribute])),
    )
    if (candidates.some((attribute) => held.has(attribute))) return true
    const values = candidates.map((attribute) => temporaryValue(attribute, row, this.#isReference(attribute, step)))
    const place = values.includes(null) ? values.indexOf(null) : values.findIndex((value) => value !== undefined)
    const chosen = candidates[place]
    if (chosen === undefined) return false
    const { mapping } = row
    const part = mapping.parts.find(({ table }) => table === step.table) ?? (mapping.parts[0] as TablePart)
    this.vacated.set(id, { id, row, part, values: new Map(held).set(chosen, values[place]) })
    return true
  }

  #isReference(attribute: Attribute, step: Step): boolean {
    const constraints = this.#needs.foreignKeys.get(tableOf(this.#model, step)) ?? []
    return constraints.some(({ attributes }) => attributes.includes(attribute))
  }

  #clash(freer: Write, taker: Write, key: UniqueKey): UniqueClash {
    return {
      _tag: 'UniqueClash',
      entity: taker.step.entity,
      attributes: key.map(({ name }) => name),
      values: this.#rows.valuesAfter(taker, key),
      path: [this.#nameOf(freer), this.#nameOf(taker)],
    }
  }

  #nameOf(write: Write): string {
    const id = writtenBy(write)
    return `${write.step.entity} ${this.#rows.rowOf(id).key ?? `#${id}`}`
  }
}
