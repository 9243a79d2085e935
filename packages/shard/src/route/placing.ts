/**
 * Which shard each instance of a flush belongs to, decided once.
 */
import { type ExecutionOptions, type InstanceId, type Mapping, rowClassOf } from '@unitary/core'
import {
  type Instance,
  instanceAt,
  isExpired,
  makeInstance,
  type RoutingError,
  referredTo,
  type SessionState,
} from '@unitary/session'
import type { Choosers, InstanceView, Values } from '../chooser/chooser.js'
import { noShardForRow, noToken, shardsDiffer, unknownShard } from '../error.js'
import type { ShardMap } from '../shard-map.js'
import { isEverywhere } from './everywhere.js'
import { PagedInts } from './paged-ints.js'

/** What is kept of an instance's shard: its place in the map from 1 on, or one of these. */
const undecided = 0
const deciding = -1
const impossible = -2

/** There is no place; `fault` says why. */
export const nowhere = -1

/**
 * Decides shards, as places in the shard map. It belongs to the routing of one plan.
 */
export class Placing {
  /** Why the last instance that was asked for has no place. */
  fault: RoutingError | null = null
  readonly #state: SessionState
  readonly #shards: ShardMap
  readonly choosers: Choosers
  readonly #decided = new PagedInts()

  constructor(state: SessionState, shards: ShardMap, choosers: Choosers) {
    this.#state = state
    this.#shards = shards
    this.choosers = choosers
  }

  /** The place of an instance's row: where it is, or where it goes. */
  placeOf(id: InstanceId): number {
    const place = this.#decided.get(id)
    return place > 0 ? place - 1 : this.#place(instanceAt(this.#state, id))
  }

  /**
   * The place of the row of a persistent instance that has changed: where it is, unless the change puts it elsewhere.
   */
  placeOfChanged(id: InstanceId): number {
    const instance = instanceAt(this.#state, id)
    const place = this.#place(instance)
    if (place === nowhere || instance.token === null || this.#shards.tokens.length === 1) return place
    const chosen = this.choosers.shardOf(new View(this, this.#state, instance, false))
    if (chosen === null || chosen === instance.token) return place
    // a row that was elsewhere before the change stays where it is
    if (chosen === this.choosers.shardOf(new View(this, this.#state, instance, true))) return place
    const { name } = instance.mapping
    const basis = this.choosers.basisOf?.(name) ?? null
    const value = basis?.kind === 'attribute' ? valuesOf(instance)[basis.name] : null
    this.fault = shardsDiffer(name, instance.key, instance.token, chosen, basis, value)
    return nowhere
  }

  /** The place of a row that an insert past the unit of work gives, the n-th. */
  placeOfRow(mapping: Mapping, values: Values, row: number): number {
    // the id of no instance
    const id = this.#state.nextInstance
    this.#decided.set(id, undecided)
    const snapshot = rowClassOf(mapping).make(id, values)
    return this.#choose(
      makeInstance(id, mapping, 'transient', null, null, snapshot, 0, null, 0),
      `insert of row ${row}`,
    )
  }

  /** The token of an instance's shard; null where there is none, or where it depends on itself. */
  tokenOf(instance: Instance): string | null {
    if (instance.token !== null) return instance.token
    if (this.#decided.get(instance.id) === deciding) return null
    const place = this.#place(instance)
    return place === nowhere ? null : (this.#shards.tokens[place] as string)
  }

  #place(instance: Instance): number {
    const { id, token } = instance
    const decided = this.#decided.get(id)
    if (decided > undecided) return decided - 1
    const place = token === null ? this.#choose(instance) : this.#home(instance, token)
    this.#decided.set(id, place === nowhere ? impossible : place + 1)
    return place
  }

  #home(instance: Instance, token: string): number {
    const place = this.#shards.places.get(token)
    if (place !== undefined) return place
    this.fault = unknownShard(this.#shards, 'flush', instance.mapping.name, token, 'its row')
    return nowhere
  }

  #choose(instance: Instance, operation = 'insert'): number {
    const { id, key, mapping, status } = instance
    if (status === 'persistent' || status === 'deleted') {
      this.fault = noToken('flush', mapping.name, key)
      return nowhere
    }
    // there is nothing to choose between
    if (this.#shards.tokens.length === 1 || isEverywhere(this.choosers, mapping)) return 0
    this.#decided.set(id, deciding)
    this.fault = null
    const token = this.choosers.shardOf(new View(this, this.#state, instance, false))
    if (token === null || token === undefined) {
      const basis = this.choosers.basisOf?.(mapping.name) ?? null
      const value = basis?.kind === 'attribute' ? valuesOf(instance)[basis.name] : null
      // where it hangs on another instance that has no shard, that is the reason
      this.fault ??= noShardForRow(operation, mapping.name, basis, value)
      return nowhere
    }
    const place = this.#shards.places.get(token)
    if (place !== undefined) return place
    this.fault = unknownShard(this.#shards, operation, mapping.name, token, 'shardOf')
    return nowhere
  }
}

const nothingKnown: Values = Object.freeze({})

const valuesOf = (instance: Instance): Values => instance.snapshot as unknown as Values

/** An instance as choosers see it: as it is, or as it was before it was changed. */
class View implements InstanceView {
  readonly #placing: Placing
  readonly #instance: Instance
  readonly #isBefore: boolean
  readonly state: SessionState

  constructor(placing: Placing, state: SessionState, instance: Instance, isBefore: boolean) {
    this.#placing = placing
    this.#instance = instance
    this.#isBefore = isBefore
    this.state = state
  }

  get entity(): string {
    return this.#instance.mapping.name
  }

  get operation(): 'insert' | 'update' {
    return this.#instance.key === null ? 'insert' : 'update'
  }

  get options(): ExecutionOptions {
    return this.state.options.executionOptions
  }

  get values(): Values {
    // what has expired may have changed, and a row put in the wrong place is worse than one that is refused
    if (isExpired(this.state, this.#instance)) return nothingKnown
    return this.#isBefore ? valuesBefore(this.#instance) : valuesOf(this.#instance)
  }

  get shard(): string | null {
    // what is on every shard is on none that others could go to
    if (isEverywhere(this.#placing.choosers, this.#instance.mapping)) return null
    return this.#placing.tokenOf(this.#instance)
  }

  related(name: string): InstanceView | null {
    const relationship = this.#instance.mapping.relationshipOf.get(name)
    if (relationship?.kind !== 'BelongsTo') return null
    const known = this.#isBefore ? this.#instance.related?.[relationship.position] : undefined
    if (known?._tag === 'One' && known.changed) {
      return typeof known.committed === 'number' ? this.#viewOf(instanceAt(this.state, known.committed)) : null
    }
    const target = referredTo(this.state, this.#instance, relationship)
    return target === null ? null : this.#viewOf(target)
  }

  #viewOf(instance: Instance): View {
    return new View(this.#placing, this.state, instance, false)
  }
}

/** The attributes as the database has them; undefined where that is not known. */
const valuesBefore = (instance: Instance): Values => {
  const values: Record<string, unknown> = { ...valuesOf(instance) }
  for (const [name, value] of Object.entries(instance.committed ?? {})) {
    values[name] = typeof value === 'symbol' ? undefined : value
  }
  return values
}
