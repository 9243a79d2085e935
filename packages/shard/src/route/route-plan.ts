/**
 * Routing a flush plan: from steps to steps for each shard. Pure.
 *
 * A step is split by the shards of its rows: of pending instances by the choosers, so that what is colocated follows
 * its parent even where that is in the same plan, of all others by their tokens. The parts of a step stand in the
 * order of the shard map, and wait for what is on their own shard only, unless a row holds the key of a row that
 * another shard gives.
 */
import type { Engine, InstanceId } from '@unitary/core'
import {
  columnsOf,
  type FlushPlan,
  instanceAt,
  type RoutingError,
  returnedKey,
  type SessionState,
  type Step,
} from '@unitary/session'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { Choosers } from '../chooser/chooser.js'
import { generatesKeys } from '../error.js'
import type { ShardMap } from '../shard-map.js'
import { isEverywhere } from './everywhere.js'
import { PagedInts } from './paged-ints.js'
import { nowhere, Placing } from './placing.js'

type Row = ReadonlyArray<unknown>

/** Rows of one step on one shard. */
interface Part {
  readonly instances: InstanceId[]
  readonly rows: Row[]
}

/**
 * The plan with each step on its shard. O(rows); a step whose rows are all on one shard is not copied.
 *
 * @category interpreters
 */
export const routePlan = (
  state: SessionState,
  plan: FlushPlan,
  shards: ShardMap,
  choosers: Choosers,
): Either<RoutingError, FlushPlan> => {
  const router = new Router(state, plan, shards, choosers)
  for (const step of plan.steps) {
    const fault = router.route(step)
    if (fault !== null) return left(fault)
  }
  return right({ ...plan, steps: router.steps })
}

/**
 * The steps of a routed plan that can run side by side: those of each database, or all one after another where some wait
 * for the keys that another database gives.
 *
 * @category combinators
 */
export const lanesOf = (
  { steps }: FlushPlan,
  databaseOf: (step: Step) => Engine,
): ReadonlyArray<ReadonlyArray<Step>> => {
  const databases = steps.map(databaseOf)
  if (steps.some(({ after, id }) => after.some((other) => databases[other] !== databases[id]))) return [steps]
  const lanes = new Map<Engine | undefined, Step[]>()
  for (const step of steps) {
    const lane = lanes.get(databases[step.id])
    if (lane === undefined) lanes.set(databases[step.id], [step])
    else lane.push(step)
  }
  return [...lanes.values()]
}

class Router {
  readonly steps: Step[] = []
  readonly #shards: ShardMap
  readonly #state: SessionState
  /** Entities whose rows are on every shard. */
  readonly #everywhere: ReadonlySet<string>
  readonly #placing: Placing
  readonly #width: number
  /** Do rows hold keys that the database is still to give? */
  readonly #hasKeys: boolean
  /** For each step of the plan and each shard, the number of its part in `steps`, from 1 on; 0 where it has none. */
  readonly #parts: number[] = []
  /** The steps that give rows their keys, from 1 on. */
  readonly #givenBy = new PagedInts()

  constructor(state: SessionState, plan: FlushPlan, shards: ShardMap, choosers: Choosers) {
    this.#hasKeys = plan.steps.some((step) => keyPlaces(step).length > 0)
    this.#shards = shards
    this.#state = state
    this.#everywhere = new Set(
      state.model.mappings.filter((mapping) => isEverywhere(choosers, mapping)).map(({ name }) => name),
    )
    this.#placing = new Placing(state, shards, choosers)
    this.#width = shards.tokens.length
  }

  route(step: Step): RoutingError | null {
    const { instances, rows } = step
    if (this.#everywhere.size > 0 && this.#everywhere.has(step.entity)) return this.#routeToAll(step)
    const keys = keyPlaces(step)
    const gives = this.#hasKeys && returnedKey(step) >= 0
    /** Parts of other shards that a shard's rows hold keys of. */
    let crossing: Map<number, Set<number>> | null = null
    let parts: Array<Part | undefined> | null = null
    let only = nowhere
    for (let i = 0; i < instances.length; i++) {
      const id = instances[i] as InstanceId
      const row = rows[i] as Row
      const place = step._tag === 'Update' ? this.#placing.placeOfChanged(id) : this.#placing.placeOf(id)
      if (place === nowhere) return this.#placing.fault
      if (parts === null && place !== only) {
        if (only !== nowhere) {
          parts = new Array<Part | undefined>(this.#width).fill(undefined)
          parts[only] = { instances: instances.slice(0, i), rows: rows.slice(0, i) }
        }
        only = place
      }
      if (parts !== null) {
        const part = parts[place]
        if (part === undefined) parts[place] = { instances: [id], rows: [row] }
        else {
          part.instances.push(id)
          part.rows.push(row)
        }
      }
      if (gives) this.#givenBy.set(id, step.id + 1)
      for (const at of keys) {
        const from = row[at] as InstanceId
        const giver = this.#placing.placeOf(from)
        if (giver === place || giver === nowhere || this.#isEverywhere(from)) continue
        crossing ??= new Map()
        const waited = crossing.get(place) ?? new Set()
        waited.add(this.#partOf(this.#givenBy.get(from) - 1, giver))
        crossing.set(place, waited)
      }
    }
    for (let place = 0; place < this.#width; place++) {
      const part = parts === null ? (place === only ? step : undefined) : parts[place]
      this.#parts.push(part === undefined ? 0 : this.#add(step, place, part, crossing?.get(place) ?? null))
    }
    return null
  }

  /** The same rows on every shard; the first is that of the session, the others are its copies. */
  #routeToAll(step: Step): RoutingError | null {
    if (step._tag === 'Insert' && returnedKey(step) >= 0) return generatesKeys('insert', step.entity)
    for (let place = 0; place < this.#width; place++) {
      this.#parts.push(this.#add(place === 0 ? step : { ...step, isCopy: true }, place, step, null))
    }
    return null
  }

  #isEverywhere(id: InstanceId): boolean {
    return this.#everywhere.size > 0 && this.#everywhere.has(instanceAt(this.#state, id).mapping.name)
  }

  /** The part of a step on a shard; -1 where there is none. */
  #partOf(step: number, place: number): number {
    return (this.#parts[step * this.#width + place] ?? 0) - 1
  }

  #add(
    step: Step,
    place: number,
    part: Pick<Part, 'instances' | 'rows'> | Step,
    crossing: ReadonlySet<number> | null,
  ): number {
    const id = this.steps.length
    const after: number[] = []
    for (const other of step.after) {
      const own = this.#partOf(other, place)
      if (own >= 0) after.push(own)
    }
    if (crossing !== null) {
      for (const other of crossing) if (other >= 0) after.push(other)
      after.sort((a, b) => a - b)
    }
    this.steps.push({
      ...step,
      id,
      token: this.#shards.tokens[place] as string,
      instances: part.instances,
      rows: part.rows,
      after,
    })
    return id + 1
  }
}

/** Where the rows of a step hold instances that stand for their keys. */
const keyPlaces = (step: Step): ReadonlyArray<number> =>
  columnsOf(step).flatMap(({ source }, i) => (source._tag === 'Key' ? [i] : []))
