/**
 * The planner: from a state to the plan of its flush. Pure, deterministic, and without a connection.
 *
 * Entities that are referred to are written before those that refer to them, and deleted after. Where entities refer to
 * each other or to themselves, their instances are sorted instead. Within one entity updates stand before inserts, and
 * inserts in the order in which the instances became pending, which is what fixes their generated keys.
 *
 * O(changes + links between them).
 */
import { type Attribute, encodedKeyOf, type InstanceId, type Mapping, rowClassOf } from '@unitary/core'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { CircularDependency, MissingKey } from '../error.js'
import * as Instance from '../state/instance.js'
import { edit, hasWork, instanceAt, type SessionState } from '../state/session-state.js'
import { targetOf } from '../transition/relate.js'
import { type ChangeSet, changeSet, type Reference } from './change-set.js'
import { entityGroups } from './dependencies.js'
import { emptyPlan, type FlushPlan, type Notice, type PlanColumn, type Step } from './step.js'
import { sortByLevels } from './topological-sort.js'

type Instance = Instance.Instance

/** Why no plan can be made. */
export type PlanError = CircularDependency | MissingKey

/**
 * The plan of the next flush. Of a state without work it is empty, and costs nothing.
 *
 * @category constructors
 */
export const plan = (state: SessionState): Either<PlanError, FlushPlan> => {
  if (!hasWork(state)) return right(emptyPlan)
  const changes = changeSet(state)
  const planner = new Planner(state, changes)
  const fault = planner.saves() ?? planner.deletes()
  return fault === null
    ? right({ _tag: 'FlushPlan', steps: planner.steps, notices: planner.notices, orphans: changes.orphans })
    : left(fault)
}

/** What a cell of a row holds: nothing (the column is left out), a value, or an instance whose key it stands for. */
const absent = 0
const literal = 1
const key = 2

/** A step that is being filled. Rows join it as long as they have its shape. */
interface OpenStep {
  readonly mapping: Mapping
  readonly kinds: Uint8Array
  /** For cells that hold an instance: the attribute whose value they stand for. */
  readonly of: ReadonlyArray<string | null>
  readonly instances: InstanceId[]
  readonly rows: unknown[][]
}

class Planner {
  readonly steps: Step[] = []
  readonly notices: Notice[] = []
  readonly #state: SessionState
  readonly #changes: ChangeSet
  /** Steps that save rows of each mapping, then those that delete them. */
  readonly #saved: number[][]
  readonly #deleted: number[][]

  constructor(state: SessionState, changes: ChangeSet) {
    this.#state = state
    this.#changes = changes
    this.#saved = state.model.mappings.map(() => [])
    this.#deleted = state.model.mappings.map(() => [])
  }

  saves(): PlanError | null {
    const { inserts, updates } = this.#changes
    for (const group of entityGroups(this.#state.model)) {
      if (!group.isCyclic) {
        const mapping = group.mappings[0] as Mapping
        this.#update(mapping, updates[mapping.index] ?? [])
        const fault = this.#insert(mapping, inserts[mapping.index] ?? [])
        if (fault !== null) return fault
        continue
      }
      const instances = group.mappings.flatMap((mapping) => [
        ...(updates[mapping.index] ?? []),
        ...(inserts[mapping.index] ?? []),
      ])
      if (instances.length === 0) continue
      const sorted = sortByLevels(instances, (instance) => this.#insertsReferredTo(instance))
      if (sorted._tag === 'Cycle') return { _tag: 'CircularDependency', path: sorted.cycle.map(nameOf) }
      for (const level of sorted.levels) {
        for (const mapping of group.mappings) {
          const own = level.filter((instance) => instance.mapping === mapping)
          this.#update(
            mapping,
            own.filter((instance) => instance.status === 'persistent'),
          )
          const fault = this.#insert(
            mapping,
            own.filter((instance) => instance.status === 'pending'),
          )
          if (fault !== null) return fault
        }
      }
    }
    return null
  }

  deletes(): PlanError | null {
    const { deletes } = this.#changes
    const groups = entityGroups(this.#state.model)
    for (let i = groups.length - 1; i >= 0; i--) {
      const group = groups[i] as (typeof groups)[number]
      const instances = group.mappings.flatMap((mapping) => deletes[mapping.index] ?? [])
      if (instances.length === 0) continue
      if (!group.isCyclic) {
        this.#delete(group.mappings[0] as Mapping, instances)
        continue
      }
      const referrers = this.#deletedReferrers(instances)
      const sorted = sortByLevels(instances, (instance) => referrers.get(instance) ?? [])
      if (sorted._tag === 'Cycle') return { _tag: 'CircularDependency', path: sorted.cycle.map(nameOf) }
      for (const level of sorted.levels) {
        for (const mapping of group.mappings) {
          this.#delete(
            mapping,
            level.filter((instance) => instance.mapping === mapping),
          )
        }
      }
    }
    return null
  }

  /** The references that a row's foreign keys follow from: its own, then those imposed on it. */
  #references(instance: Instance): ReadonlyArray<Reference> {
    const imposed = this.#changes.imposed.get(instance.id)
    if (instance.related === null) return imposed ?? []
    const references: Reference[] = []
    for (const relationship of instance.mapping.relationships) {
      if (relationship.kind !== 'BelongsTo') continue
      const one = Instance.relatedOf(instance, relationship)
      if (one?._tag === 'One' && (one.changed || (instance.status === 'pending' && one.target !== null))) {
        references.push({ relationship, target: one.target })
      }
    }
    return imposed === undefined ? references : [...references, ...imposed]
  }

  #insertsReferredTo(instance: Instance): ReadonlyArray<Instance> {
    return this.#references(instance).flatMap(({ target }) =>
      target !== null && this.#changes.isInserted(target) ? [instanceAt(this.#state, target)] : [],
    )
  }

  #deletedReferrers(instances: ReadonlyArray<Instance>): ReadonlyMap<Instance, ReadonlyArray<Instance>> {
    const referrers = new Map<Instance, Instance[]>()
    const identityMap = edit(this.#state)
    for (const instance of instances) {
      for (const relationship of instance.mapping.relationships) {
        if (relationship.kind !== 'BelongsTo') continue
        const one = Instance.relatedOf(instance, relationship)
        const target =
          one?._tag === 'One' && one.changed && one.committed !== Instance.unknown
            ? one.committed
            : targetOf(this.#state, identityMap, instance, relationship)
        if (target === null || target === undefined || target === instance.id || !this.#changes.isDeleted(target)) {
          continue
        }
        const referred = instanceAt(this.#state, target)
        const list = referrers.get(referred)
        if (list === undefined) referrers.set(referred, [instance])
        else list.push(instance)
      }
    }
    return referrers
  }

  /** Writes the foreign keys that follow from references into cells by attribute position. */
  #fillReferences(instance: Instance, cells: unknown[], kinds: Uint8Array, of: Array<string | null>): void {
    for (const { relationship, target } of this.#references(instance)) {
      if (target === null) {
        for (const { position } of relationship.foreignKey) {
          cells[position] = null
          kinds[position] = literal
        }
        continue
      }
      const referred = instanceAt(this.#state, target)
      if (!Instance.isInUnitOfWork(referred) && referred.status !== 'deleted') {
        this.notices.push({
          _tag: 'NotInUnitOfWork',
          entity: instance.mapping.name,
          relationship: relationship.name,
          target: referred.mapping.name,
        })
        continue
      }
      const known = referred.key === null ? undefined : encodedKeyOf(referred.mapping, referred.key)
      for (let i = 0; i < relationship.foreignKey.length; i++) {
        const { position } = relationship.foreignKey[i] as Attribute
        const keyAttribute = relationship.key[i] as Attribute
        const value = known?.[i] ?? encodedOf(referred, keyAttribute)
        if (value === undefined) {
          cells[position] = target
          kinds[position] = key
          of[position] = keyAttribute.name
        } else {
          cells[position] = value
          kinds[position] = literal
        }
      }
    }
  }

  #insert(mapping: Mapping, instances: ReadonlyArray<Instance>): MissingKey | null {
    const { attributes } = mapping
    const { encode } = rowClassOf(mapping)
    const kinds = new Uint8Array(attributes.length)
    const mayRefer = this.#changes.imposed.size > 0 || mapping.relationships.length > 0
    let of: Array<string | null> = new Array(attributes.length).fill(null)
    let open: OpenStep | null = null
    for (const instance of instances) {
      const cells = encode(instance.snapshot)
      for (let i = 0; i < cells.length; i++) kinds[i] = cells[i] === undefined ? absent : literal
      if (mayRefer) this.#fillReferences(instance, cells, kinds, of)
      for (const attribute of mapping.key) {
        if (kinds[attribute.position] === absent && !attribute.isGenerated) {
          return { _tag: 'MissingKey', entity: mapping.name, attributes: mapping.key.map(({ name }) => name) }
        }
      }
      if (open === null || !isShape(open, kinds)) {
        if (open !== null) this.#closeInsert(open)
        open = { mapping, kinds: kinds.slice(), of, instances: [], rows: [] }
        of = of.slice()
      }
      open.instances.push(instance.id)
      open.rows.push(compact(cells, kinds))
    }
    if (open !== null) this.#closeInsert(open)
    return null
  }

  #closeInsert(open: OpenStep): void {
    const { mapping } = open
    const { generatedKey } = mapping
    const id = this.steps.length
    this.steps.push({
      _tag: 'Insert',
      id,
      entity: mapping.name,
      table: mapping.table,
      token: null,
      columns: columnsOf(open),
      instances: open.instances,
      rows: open.rows,
      returning:
        generatedKey !== null && open.kinds[generatedKey.position] === absent
          ? { attribute: generatedKey.name, column: generatedKey.columnName, kind: generatedKey.column.kind }
          : null,
      after: this.#savesBefore(mapping),
    })
    this.#saved[mapping.index]?.push(id)
  }

  #update(mapping: Mapping, instances: ReadonlyArray<Instance>): void {
    if (instances.length === 0) return
    const byShape = new Map<string, OpenStep>()
    for (const instance of instances) {
      const cells: unknown[] = new Array(mapping.attributes.length).fill(undefined)
      const kinds = new Uint8Array(mapping.attributes.length)
      const of: Array<string | null> = new Array(mapping.attributes.length).fill(null)
      for (const name in instance.committed) {
        const attribute = mapping.attributeOf.get(name) as Attribute
        cells[attribute.position] = encodedOf(instance, attribute)
        kinds[attribute.position] = literal
      }
      this.#fillReferences(instance, cells, kinds, of)
      dropUnchanged(instance, cells, kinds)
      if (!kinds.some((kind) => kind !== absent)) continue
      const shape = kinds.join()
      let open = byShape.get(shape)
      if (open === undefined) {
        open = { mapping, kinds, of, instances: [], rows: [] }
        byShape.set(shape, open)
      }
      open.instances.push(instance.id)
      open.rows.push([...compact(cells, kinds), ...encodedKeyOf(mapping, instance.key as string)])
    }
    for (const open of byShape.values()) {
      const id = this.steps.length
      this.steps.push({
        _tag: 'Update',
        id,
        entity: mapping.name,
        table: mapping.table,
        token: null,
        set: columnsOf(open),
        where: keyColumns(mapping),
        instances: open.instances,
        rows: open.rows,
        after: this.#savesBefore(mapping),
      })
      this.#saved[mapping.index]?.push(id)
    }
  }

  #delete(mapping: Mapping, instances: ReadonlyArray<Instance>): void {
    if (instances.length === 0) return
    const id = this.steps.length
    const referring = this.#state.model.mappings.filter((other) => refersTo(other, mapping))
    this.steps.push({
      _tag: 'Delete',
      id,
      entity: mapping.name,
      table: mapping.table,
      token: null,
      where: keyColumns(mapping),
      instances: instances.map((instance) => instance.id),
      rows: instances.map((instance) => encodedKeyOf(mapping, instance.key as string)),
      after: ascending([
        ...this.#saved.flat(),
        ...[mapping, ...referring].flatMap((other) => this.#deleted[other.index] ?? []),
      ]),
    })
    this.#deleted[mapping.index]?.push(id)
  }

  #savesBefore(mapping: Mapping): ReadonlyArray<number> {
    const referred = this.#state.model.mappings.filter((other) => refersTo(mapping, other))
    return ascending([mapping, ...referred].flatMap((other) => this.#saved[other.index] ?? []))
  }
}

const ascending = (ids: ReadonlyArray<number>): ReadonlyArray<number> => [...new Set(ids)].sort((a, b) => a - b)

const refersTo = (from: Mapping, to: Mapping): boolean =>
  from.relationships.some((relationship) => relationship.kind === 'BelongsTo' && relationship.target === to) ||
  to.relationships.some((relationship) => relationship.kind === 'HasMany' && relationship.target === from)

const nameOf = (instance: Instance): string => `${instance.mapping.name} ${instance.key ?? `#${instance.id}`}`

const isShape = (open: OpenStep, kinds: Uint8Array): boolean => {
  for (let i = 0; i < kinds.length; i++) if (open.kinds[i] !== kinds[i]) return false
  return true
}

/** The cells that are there, in order. */
const compact = (cells: unknown[], kinds: Uint8Array): unknown[] => {
  let present = 0
  for (let i = 0; i < kinds.length; i++) if (kinds[i] !== absent) present++
  if (present === cells.length) return cells
  const row = new Array(present)
  for (let i = 0, at = 0; i < kinds.length; i++) if (kinds[i] !== absent) row[at++] = cells[i]
  return row
}

const columnsOf = (open: OpenStep): ReadonlyArray<PlanColumn> =>
  open.mapping.attributes.flatMap((attribute) => {
    const kind = open.kinds[attribute.position]
    if (kind === absent) return []
    const of = open.of[attribute.position]
    return [
      {
        attribute: attribute.name,
        column: attribute.columnName,
        source: kind === key && of !== null && of !== undefined ? { _tag: 'Key', of } : { _tag: 'Literal' },
      },
    ]
  })

const keyColumns = (mapping: Mapping): ReadonlyArray<PlanColumn> =>
  mapping.key.map(({ name, columnName }) => ({ attribute: name, column: columnName, source: { _tag: 'Literal' } }))

const encodedOf = (instance: Instance, attribute: Attribute): unknown => {
  const value = Instance.valueAt(instance, attribute)
  return value === undefined ? undefined : attribute.encode(value)
}

/** A foreign key that a relationship sets to what it is already is no change. */
const dropUnchanged = (instance: Instance, cells: ReadonlyArray<unknown>, kinds: Uint8Array): void => {
  for (const { position, name } of instance.mapping.attributes) {
    if (kinds[position] !== literal || (instance.committed !== null && name in instance.committed)) continue
    const attribute = instance.mapping.attributes[position] as Attribute
    if (encodedOf(instance, attribute) === cells[position]) kinds[position] = absent
  }
}
