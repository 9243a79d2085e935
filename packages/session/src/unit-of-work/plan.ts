/**
 * The planner: from a state to the plan of its flush. Pure, deterministic, and without a connection.
 *
 * Entities that are referred to are written before those that refer to them, and deleted after. Where entities refer to
 * each other or to themselves, their instances are sorted instead. Within one entity updates stand before inserts, and
 * inserts in the order in which the instances became pending, which is what fixes their generated keys. Links go first, and
 * come when both ends are there; foreign keys of `postUpdate` relationships are written by updates of
 * their own. Where unique keys ask for another order, `unique-keys.ts` finds it in the end.
 *
 * O(changes + links between them).
 */
import {
  type AnyModel,
  type Attribute,
  type InstanceId,
  type Mapping,
  rowClassOf,
  type Services,
  type SqlDefault,
  type TablePart,
  withDescendants,
} from '@unitary/core'
import { type Either, left, map, right } from 'fp-ts/lib/Either.js'
import type { BlanksPrimaryKey, CircularDependency, MissingKey, UniqueClash } from '../error.js'
import * as Instance from '../state/instance.js'
import { edit, hasWork, instanceAt, type SessionState } from '../state/session-state.js'
import { noServices } from '../transition/add.js'
import { referredAt } from '../transition/referred.js'
import { findTarget, foreignKeyOf } from '../transition/target.js'
import {
  absent,
  type Cells,
  clear,
  compact,
  compactBefore,
  computedColumns,
  fillReferences,
  hasCell,
  isBlank,
  isShape,
  keyAfter,
  keyFound,
  literal,
  literalColumns,
  noCells,
  type OpenStep,
  openStep,
  referencesOf,
  shapeColumns,
} from './cells.js'
import { type ChangeSet, changeSet } from './change-set.js'
import type { Carried } from './changed-keys.js'
import { cyclicEntities, entityGroups, hasPostUpdates, isPostUpdate, rootsOf } from './dependencies.js'
import type { Reference } from './imposed.js'
import { type LinkChanges, linkChanges, linkSteps, unlinkStep } from './links.js'
import { placed } from './places.js'
import {
  countUp,
  dropUnchanged,
  fillChanged,
  fillInsertDefaults,
  fillSwitched,
  fillUpdateDefaults,
  givenKeyColumns,
  nullDefaults,
  touchVersion,
  whereColumns,
  whereOf,
} from './rows.js'
import {
  type CarriedKey,
  emptyPlan,
  type FlushPlan,
  type PlanColumn,
  type PlanNotice,
  type ReturnedColumn,
  type Step,
} from './step.js'
import {
  addInsert,
  addRoot,
  addUpdate,
  inPart,
  isRootPart,
  isWritten,
  isWrittenByTables,
  partOf,
  type TableRows,
  tableHolders,
} from './table-rows.js'
import { sortByLevels } from './topological-sort.js'
import { inUniqueOrder } from './unique-keys.js'

type Instance = Instance.Instance

/** Why no plan can be made. */
export type PlanError = CircularDependency | MissingKey | BlanksPrimaryKey | UniqueClash

/**
 * The plan of the next flush. Of a state without work it is empty, and costs nothing. `services` are what defaults on
 * insert and update ask.
 *
 * @category constructors
 */
export const plan = (given: SessionState, services: Services = noServices): Either<PlanError, FlushPlan> => {
  if (!hasWork(given)) return right(emptyPlan)
  const state = placed(given)
  const changes = changeSet(state)
  const planner = new Planner(state, changes, services)
  const fault = planner.plan()
  if (fault !== null) return left(fault)
  return map(
    (steps: ReadonlyArray<Step>): FlushPlan => ({
      _tag: 'FlushPlan',
      steps,
      notices: planner.notices,
      orphans: changes.orphans,
      switches: Array.from(changes.switches, ([inserted, { id }]) => ({ inserted, deleted: id })),
      carried: changes.carried.map(carriedKey),
    }),
  )(inUniqueOrder(state, changes.switches, planner.steps))
}

const carriedKey = ({ instance, relationship, target }: Carried): CarriedKey => ({
  instance,
  target,
  attributes: relationship.foreignKey.map(({ name }, i) => [name, (relationship.key[i] as Attribute).name]),
})

class Planner {
  readonly steps: Step[] = []
  readonly notices: PlanNotice[] = []
  readonly #state: SessionState
  readonly #changes: ChangeSet
  readonly #services: Services
  /** Steps that save rows of each hierarchy, by its root, then those that delete them. */
  readonly #saved: number[][] = []
  readonly #deleted: number[][] = []
  /** Steps that delete links, before all others. */
  readonly #unlinked: number[] = []
  /** Entities of whose instances, or whose subtypes' instances, keys change. */
  readonly #renamed: ReadonlySet<Mapping>
  /** Mappings whose instances are sorted one by one. */
  readonly #cyclic: ReadonlySet<Mapping>
  /** Instances to be deleted whose version an update of the same plan checks, and changes. */
  readonly #checked = new Set<InstanceId>()

  constructor(state: SessionState, changes: ChangeSet, services: Services) {
    this.#state = state
    this.#changes = changes
    this.#services = services
    this.#renamed =
      changes.renamed.size === 0
        ? nowhere
        : new Set(Array.from(changes.renamed, (id) => instanceAt(state, id).mapping.root))
    this.#cyclic = cyclicEntities(state.model)
  }

  plan(): PlanError | null {
    const links = linkChanges(this.#state, this.#changes)
    this.#unlink(links)
    const fault = this.#saves()
    if (fault !== null) return fault
    this.#postUpdates()
    this.#link(links)
    return this.#deletes()
  }

  #saves(): PlanError | null {
    const { inserts, updates } = this.#changes
    for (const group of entityGroups(this.#state.model)) {
      if (!group.isCyclic) {
        const mapping = group.mappings[0] as Mapping
        const fault =
          this.#update(mapping, updates[mapping.index] ?? []) ?? this.#insert(mapping, inserts[mapping.index] ?? [])
        if (fault !== null) return fault
        continue
      }
      const instances = group.mappings.flatMap((mapping) => [
        ...(updates[mapping.index] ?? []),
        ...(inserts[mapping.index] ?? []),
      ])
      if (instances.length === 0) continue
      const recorded = sortByLevels(instances, (instance) => this.#referredTo(instance, () => true))
      // rows that change places have an order all the same: what is there already need not come first
      const sorted =
        recorded._tag === 'Levels'
          ? recorded
          : sortByLevels(instances, (instance) => this.#referredTo(instance, this.#changes.isInserted))
      if (sorted._tag === 'Cycle') return { _tag: 'CircularDependency', path: sorted.cycle.map(nameOf) }
      for (const level of sorted.levels) {
        for (const mapping of group.mappings) {
          const own = level.filter((instance) => instance.mapping.root === mapping)
          const { isInserted } = this.#changes
          const fault =
            this.#update(
              mapping,
              own.filter(({ id }) => !isInserted(id)),
            ) ??
            this.#insert(
              mapping,
              own.filter(({ id }) => isInserted(id)),
            )
          if (fault !== null) return fault
        }
      }
    }
    return null
  }

  #deletes(): PlanError | null {
    const { deletes } = this.#changes
    if (deletes.every(({ length }) => length === 0)) return null
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
            level.filter((instance) => instance.mapping.root === mapping),
          )
        }
      }
    }
    return null
  }

  #referredTo(instance: Instance, counts: (target: InstanceId) => boolean): ReadonlyArray<Instance> {
    return referencesOf(this.#changes, instance, false).flatMap(({ target }) =>
      target !== null && counts(target) && !hasKey(instanceAt(this.#state, target), instance)
        ? [instanceAt(this.#state, target)]
        : [],
    )
  }

  #deletedReferrers(instances: ReadonlyArray<Instance>): ReadonlyMap<Instance, ReadonlyArray<Instance>> {
    const referrers = new Map<Instance, Instance[]>()
    const refers = (instance: Instance, target: InstanceId | null | undefined): void => {
      if (target === null || target === undefined || target === instance.id || !this.#changes.isDeleted(target)) return
      const referred = instanceAt(this.#state, target)
      const list = referrers.get(referred)
      if (list === undefined) referrers.set(referred, [instance])
      else list.push(instance)
    }
    const identityMap = edit(this.#state)
    for (const instance of instances) {
      for (const relationship of instance.mapping.relationships) {
        if (relationship.through !== null || relationship.viewonly || isPostUpdate(relationship)) continue
        if (relationship.kind === 'BelongsTo') {
          refers(instance, this.#committedTarget(identityMap, instance, relationship))
          continue
        }
        // members know by themselves where they belong, but for those of a relationship without inverse
        const related = relationship.inverse === null ? Instance.relatedOf(instance, relationship) : undefined
        if (related === undefined) continue
        for (const id of [...(Instance.membersOf(related) ?? []), ...Instance.removedFrom(related)]) {
          if (this.#changes.isDeleted(id)) refers(instanceAt(this.#state, id), instance.id)
        }
      }
    }
    return referrers
  }

  /** What a row refers to in the database, whatever has been set since. */
  #committedTarget(
    identityMap: Parameters<typeof findTarget>[1],
    instance: Instance,
    relationship: Mapping['relationships'][number],
  ): InstanceId | null | undefined {
    const one = Instance.relatedOf(instance, relationship)
    if (one?._tag !== 'One' || !one.changed) return findTarget(this.#state, identityMap, instance, relationship)
    if (one.committed !== Instance.unknown) return one.committed
    // the row may have been loaded since it was set
    const key = foreignKeyOf(instance, relationship, Instance.committedAt)
    return key === undefined || key === null
      ? key
      : referredAt(this.#state, relationship, relationship.target, instance.token, key)?.id
  }

  #insert(mapping: Mapping, instances: ReadonlyArray<Instance>): MissingKey | null {
    if (instances.length === 0) return null
    if (isWrittenByTables(mapping)) return this.#insertTables(mapping, instances)
    const { encode } = rowClassOf(mapping)
    const kinds = new Uint8Array(mapping.attributes.length)
    const of: Array<string | null> = new Array(mapping.attributes.length).fill(null)
    const mayRefer = this.#changes.imposed.size > 0 || mapping.relationships.length > 0
    let open: OpenStep | null = null
    for (const instance of instances) {
      const values = encode(instance.snapshot)
      const cells: Cells = { values, kinds, of }
      const fault = this.#fillInsert(instance, cells, mayRefer)
      if (fault !== null) return fault
      if (open === null || !isShape(open, kinds)) {
        if (open !== null) this.#closeInsert(open)
        open = openStep(mapping, cells)
      }
      open.instances.push(instance.id)
      open.rows.push(compact(cells))
    }
    if (open !== null) this.#closeInsert(open)
    return null
  }

  /** What is inserted of an instance: its values, what it refers to, and what fills itself in. */
  #fillInsert(instance: Instance, cells: Cells, mayRefer: boolean): MissingKey | null {
    const { mapping } = instance
    const { kinds, values } = cells
    nullDefaults(mapping, values)
    for (let i = 0; i < values.length; i++) kinds[i] = values[i] === undefined ? absent : literal
    if (mayRefer) {
      fillReferences(
        this.#state,
        this.#changes,
        instance,
        referencesOf(this.#changes, instance, false),
        cells,
        this.notices,
      )
    }
    fillInsertDefaults(mapping, cells, this.#services)
    for (const { position, isGenerated, isNullable } of mapping.key) {
      if (kinds[position] !== absent && (isNullable || values[position] !== null)) continue
      if (!isGenerated) {
        return { _tag: 'MissingKey', entity: mapping.name, attributes: mapping.key.map(({ name }) => name) }
      }
      kinds[position] = absent
    }
    return null
  }

  /** Rows of a hierarchy: first those of the root's table, which are given their keys in order, then those of the others. */
  #insertTables(root: Mapping, instances: ReadonlyArray<Instance>): MissingKey | null {
    const written: Array<readonly [Instance, Cells]> = []
    for (const instance of instances) {
      const cells: Cells = {
        ...noCells(instance.mapping),
        values: rowClassOf(instance.mapping).encode(instance.snapshot),
      }
      const fault = this.#fillInsert(instance, cells, true)
      if (fault !== null) return fault
      written.push([instance, cells])
    }
    const first: TableRows[] = []
    for (const [instance, cells] of written) addRoot(first, instance, instance.mapping.parts[0] as TablePart, cells)
    for (const rows of first) this.#pushInsert(root, rows)
    for (const holder of tableHolders(root).slice(1)) {
      const byShape = new Map<string, TableRows>()
      for (const [instance, cells] of written) {
        const part = partOf(instance.mapping, holder)
        if (part !== undefined) addInsert(byShape, instance, part, cells)
      }
      for (const rows of byShape.values()) this.#pushInsert(root, rows)
    }
    return null
  }

  #pushInsert(root: Mapping, { columns, computed, instances, mapping, part, rows }: TableRows): void {
    const id = this.steps.length
    const names = new Set(columns.map(({ attribute }) => attribute))
    const given = mapping.givenOnInsert.filter(
      (attribute) => part.attributes.includes(attribute) && !names.has(attribute.name),
    )
    this.steps.push({
      _tag: 'Insert',
      id,
      entity: part.mapping.name,
      table: part.table,
      token: null,
      columns,
      instances,
      rows,
      ...computing(computed),
      key: part.key,
      returning: given.map((attribute) => returnedColumn(mapping, attribute)),
      after: this.#savesBefore(root),
    })
    note(this.#saved, root, id)
  }

  #closeInsert(open: OpenStep): void {
    const { mapping } = open
    const given = mapping.givenOnInsert.filter(({ position }) => !hasCell(open.kinds[position]))
    const id = this.steps.length
    this.steps.push({
      _tag: 'Insert',
      id,
      entity: mapping.name,
      table: mapping.table,
      token: null,
      columns: shapeColumns(open),
      instances: open.instances,
      rows: open.rows,
      ...computing(computedColumns(mapping, open.kinds, mapping.attributes, 'insert')),
      key: mapping.key.map(({ columnName }) => columnName),
      returning: given.map((attribute) => returnedColumn(mapping, attribute)),
      after: this.#savesBefore(mapping),
    })
    note(this.#saved, mapping, id)
  }

  #update(mapping: Mapping, instances: ReadonlyArray<Instance>): BlanksPrimaryKey | null {
    if (instances.length === 0) return null
    if (isWrittenByTables(mapping)) return this.#updateTables(mapping, instances)
    const byShape = new Map<string, OpenStep>()
    const cells = noCells(mapping)
    // rows come in runs of one shape
    let open: OpenStep | null = null
    for (const instance of instances) {
      const row = this.#rowOf(instance)
      clear(cells)
      const fault = this.#fillUpdate(instance, row, cells)
      if (fault !== null) return fault
      if (isBlank(cells)) continue
      if (open === null || !isShape(open, cells.kinds)) open = stepOf(byShape, mapping, cells)
      open.instances.push(instance.id)
      open.rows.push(compactBefore(cells, this.#whereOf(row)))
    }
    for (const open of byShape.values()) {
      const computed = computedColumns(mapping, open.kinds, mapping.attributes, 'update')
      const part = mapping.parts[0] as TablePart
      this.#pushUpdate(mapping, part, { ...open, computed }, shapeColumns(open), whereColumns(mapping))
    }
    return null
  }

  /** The row as the database has it: the instance's own, or the one that it takes over. */
  #rowOf(instance: Instance): Instance {
    const { switches } = this.#changes
    return switches.size === 0 ? instance : (switches.get(instance.id) ?? instance)
  }

  /** What is updated of a row. The cells stay blank where nothing is. */
  #fillUpdate(instance: Instance, row: Instance, cells: Cells): BlanksPrimaryKey | null {
    if (row === instance) fillChanged(instance, cells)
    else fillSwitched(instance, cells)
    const references = referencesOf(this.#changes, instance, false)
    // what was set by itself is known to differ
    if (references.length > 0 || row !== instance) {
      fillReferences(this.#state, this.#changes, instance, references, cells, this.notices)
      dropUnchanged(row, cells, this.#carriedAway(references))
    }
    if (isBlank(cells)) return null
    const blanked = blankedKey(row, cells)
    if (blanked !== null) return blanked
    countUp(row, cells)
    fillUpdateDefaults(instance, cells, this.#services)
    return null
  }

  /** Of each row of a hierarchy the tables of which something changes. A version stands in the root's, and counts for all. */
  #updateTables(root: Mapping, instances: ReadonlyArray<Instance>): BlanksPrimaryKey | null {
    const byShape = new Map<string, TableRows>()
    for (const instance of instances) {
      const row = this.#rowOf(instance)
      const cells = noCells(instance.mapping)
      const fault = this.#fillUpdate(instance, row, cells)
      if (fault !== null) return fault
      if (isBlank(cells)) continue
      touchVersion(instance, cells)
      for (const part of instance.mapping.parts) {
        if (!isWritten(part, cells)) continue
        addUpdate(byShape, instance, part, cells, {
          columns: isRootPart(part)
            ? whereColumns(row.mapping)
            : inPart(literalColumns(row.mapping.key), row.mapping, part),
          values: isRootPart(part) ? this.#whereOf(row) : this.#keyInPart(row, cells),
        })
      }
    }
    for (const holder of tableHolders(root)) {
      for (const open of byShape.values()) {
        const { columns, mapping, part, where } = open
        if (part.mapping === holder) this.#pushUpdate(mapping, part, open, columns, where)
      }
    }
    return null
  }

  /** By then the root's table has the key that the row is given, and the others follow. */
  #keyInPart(row: Instance, { kinds, values }: Cells): ReadonlyArray<unknown> {
    const found = keyFound(this.#state, this.#changes, row)
    return row.mapping.key.map(({ position }, i) => (kinds[position] === literal ? values[position] : found[i]))
  }

  #whereOf(row: Instance): ReadonlyArray<unknown> {
    return whereOf(row, keyFound(this.#state, this.#changes, row))
  }

  /** Foreign keys that the database may carry elsewhere before they are written, so that they are written in any case. */
  #carriedAway(references: ReadonlyArray<Reference>): ReadonlyArray<Attribute> {
    if (this.#renamed.size === 0) return []
    return references.flatMap(({ relationship, target }) => {
      const referred = relationship.kind === 'BelongsTo' ? relationship.target : relationship.owner
      return target !== null && this.#renamed.has(referred.root) ? relationship.foreignKey : []
    })
  }

  #pushUpdate(
    mapping: Mapping,
    part: TablePart,
    { computed, instances, rows }: Pick<TableRows, 'computed' | 'instances' | 'rows'>,
    set: ReadonlyArray<PlanColumn>,
    where: ReadonlyArray<PlanColumn>,
  ): void {
    const id = this.steps.length
    const isRenaming = set.some(({ attribute }) => mapping.attributeOf.get(attribute)?.isKey)
    const after = ascending([...(isRenaming ? this.#unlinked : []), ...this.#savesBefore(mapping.root)])
    const { serverVersion } = mapping
    const given = computed.map(({ attribute }) => mapping.attributeOf.get(attribute) as Attribute)
    this.steps.push({
      _tag: 'Update',
      id,
      entity: part.mapping.name,
      table: part.table,
      token: null,
      set,
      where,
      instances,
      rows,
      ...computing(computed),
      returning: [
        ...(serverVersion === null || !isRootPart(part) ? [] : [serverVersion]),
        ...given.filter(({ isDeferred }) => !isDeferred),
      ].map((attribute) => returnedColumn(mapping, attribute)),
      after,
    })
    note(this.#saved, mapping.root, id)
  }

  /** Foreign keys that are written once all rows are there, and emptied before any goes. */
  #postUpdates(): void {
    if (!hasPostUpdates(this.#state.model)) return
    const { inserts, updates, deletes } = this.#changes
    for (const mapping of rootsOf(this.#state.model)) {
      const saved = [...(updates[mapping.index] ?? []), ...(inserts[mapping.index] ?? [])]
      const rows = saved.flatMap((instance) => {
        const references = referencesOf(this.#changes, instance, true)
        return references.length === 0 ? [] : [[instance, references] as const]
      })
      const identityMap = edit(this.#state)
      for (const instance of deletes[mapping.index] ?? []) {
        const references = instance.mapping.relationships.flatMap((relationship) =>
          relationship.kind === 'BelongsTo' &&
          isPostUpdate(relationship) &&
          this.#committedTarget(identityMap, instance, relationship) !== null
            ? [{ relationship, target: null }]
            : [],
        )
        if (references.length > 0) rows.push([instance, references])
      }
      this.#postUpdate(rows)
    }
  }

  #postUpdate(rows: ReadonlyArray<readonly [Instance, ReturnType<typeof referencesOf>]>): void {
    const byShape = new Map<string, TableRows>()
    for (const [instance, references] of rows) {
      const { mapping } = instance
      const cells = noCells(mapping)
      fillReferences(this.#state, this.#changes, instance, references, cells, this.notices)
      if (instance.status !== 'pending') dropUnchanged(instance, cells, this.#carriedAway(references))
      if (isBlank(cells)) continue
      for (const part of mapping.parts) {
        if (!isWritten(part, cells)) continue
        const isChecked = isRootPart(part) && this.#isChecked(instance)
        if (isChecked) this.#checked.add(instance.id)
        const key = keyAfter(this.#state, this.#changes, instance)
        const columns = isChecked ? whereColumns(mapping) : inPart(givenKeyColumns(mapping, key), mapping, part)
        const values = isChecked ? this.#whereOf(instance) : key.map(({ value }) => value)
        addUpdate(byShape, instance, part, cells, { columns, values })
      }
    }
    for (const open of byShape.values()) this.#pushUpdate(open.mapping, open.part, open, open.columns, open.where)
  }

  /** A row whose update gives it another version is checked by that rather than by its delete. */
  #isChecked({ id, key, mapping }: Instance): boolean {
    return key !== null && mapping.serverVersion !== null && this.#changes.isDeleted(id)
  }

  #unlink({ removed }: LinkChanges): void {
    for (const links of removed) {
      this.#unlinked.push(this.steps.length)
      this.steps.push(unlinkStep(this.#state, this.#changes, links, this.steps.length))
    }
  }

  #link({ added, notices }: LinkChanges): void {
    this.notices.push(...notices)
    for (const links of added) {
      const { owner, target } = links.relationship
      const after = ascending([...(this.#saved[owner.root.index] ?? []), ...(this.#saved[target.root.index] ?? [])])
      for (const step of linkSteps(this.#state, this.#changes, links, this.steps.length, after)) {
        this.steps.push(step)
        note(this.#saved, owner.root, step.id)
      }
    }
  }

  #delete(mapping: Mapping, instances: ReadonlyArray<Instance>): void {
    for (const holder of tableHolders(mapping).slice(1).reverse()) this.#deleteFrom(holder, instances)
    const isChecked = ({ id }: Instance): boolean => this.#checked.has(id)
    const [checked, others] = [instances.filter(isChecked), instances.filter((instance) => !isChecked(instance))]
    this.#pushDelete(mapping, others, whereColumns(mapping), (instance) => this.#whereOf(instance))
    this.#pushDelete(mapping, checked, literalColumns(mapping.key), (instance) =>
      keyFound(this.#state, this.#changes, instance),
    )
  }

  /** What the table of a joined subtype has of instances goes before the rest. */
  #deleteFrom(holder: Mapping, instances: ReadonlyArray<Instance>): void {
    const part = holder.parts.at(-1) as TablePart
    this.#pushDelete(
      holder,
      instances.filter(({ mapping }) => partOf(mapping, holder) !== undefined),
      inPart(literalColumns(holder.key), holder, part),
      (instance) => keyFound(this.#state, this.#changes, instance),
    )
  }

  #pushDelete(
    mapping: Mapping,
    instances: ReadonlyArray<Instance>,
    where: ReadonlyArray<PlanColumn>,
    rowOf: (instance: Instance) => ReadonlyArray<unknown>,
  ): void {
    if (instances.length === 0) return
    const id = this.steps.length
    const { root } = mapping
    const roots = rootsOf(this.#state.model)
    const referring = roots.filter((other) => referredRoots(this.#state.model, other).includes(root))
    this.steps.push({
      _tag: 'Delete',
      id,
      entity: mapping.name,
      table: mapping.table,
      token: null,
      where,
      instances: instances.map((instance) => instance.id),
      rows: instances.map(rowOf),
      after: ascending([
        ...this.#unlinked,
        ...roots.flatMap((other) => this.#stepsOf(this.#saved, other)),
        ...[root, ...referring].flatMap((other) => this.#stepsOf(this.#deleted, other)),
      ]),
    })
    note(this.#deleted, root, id)
  }

  #savesBefore(mapping: Mapping): ReadonlyArray<number> {
    const referred = referredRoots(this.#state.model, mapping)
    return ascending([mapping, ...referred].flatMap((other) => this.#stepsOf(this.#saved, other)))
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

const nowhere: ReadonlySet<Mapping> = new Set()

/** Notes a step of a hierarchy, by its root. */
const note = (steps: number[][], root: Mapping, id: number): void => {
  const known = steps[root.index]
  if (known === undefined) steps[root.index] = [id]
  else known.push(id)
}

/** The step of a row's shape, opened where it is the first of it. */
const stepOf = (byShape: Map<string, OpenStep>, mapping: Mapping, cells: Cells): OpenStep => {
  const shape = cells.kinds.join()
  const known = byShape.get(shape)
  if (known !== undefined) return known
  const open = openStep(mapping, cells)
  byShape.set(shape, open)
  return open
}

const computing = (computed: ReadonlyArray<SqlDefault>): { readonly computed?: ReadonlyArray<SqlDefault> } =>
  computed.length === 0 ? {} : { computed }

const returnedColumn = (mapping: Mapping, attribute: Attribute): ReturnedColumn => ({
  gives: attribute === mapping.generatedKey ? 'key' : attribute === mapping.version ? 'version' : 'default',
  attribute: attribute.name,
  column: attribute.columnName,
  kind: attribute.column.kind,
})

const ascending = (ids: ReadonlyArray<number>): ReadonlyArray<number> =>
  ids.length < 2 ? ids : [...new Set(ids)].sort((a, b) => a - b)

const referred = new WeakMap<Mapping, ReadonlyArray<Mapping>>()

/** The hierarchies whose rows those of another refer to. */
const referredRoots = (model: AnyModel, root: Mapping): ReadonlyArray<Mapping> => {
  const known = referred.get(root) ?? rootsOf(model).filter((other) => refersTo(root, other))
  referred.set(root, known)
  return known
}

/** Do rows of a hierarchy refer to rows of another? Both are told by their roots. */
const refersTo = (from: Mapping, to: Mapping): boolean =>
  withDescendants(from).some(
    ({ attributes, relationships }) =>
      relationships.some(({ kind, target }) => kind === 'BelongsTo' && target.root === to) ||
      attributes.some(({ column: { foreignKey } }) => foreignKey !== null && isTableOf(to, foreignKey.table)),
  ) ||
  withDescendants(to).some(({ relationships }) =>
    relationships.some(({ kind, target }) => (kind === 'HasMany' || kind === 'HasOne') && target.root === from),
  )

const isTableOf = (root: Mapping, table: string): boolean =>
  withDescendants(root).some(({ parts }) => parts.some((part) => part.table === table))

/** A relationship that would leave a row without its key. What the program itself set to null the database refuses. */
const blankedKey = ({ committed, key, mapping }: Instance, { kinds, values }: Cells): BlanksPrimaryKey | null => {
  const isBlanked = ({ isNullable, name, position }: Attribute): boolean =>
    !isNullable && kinds[position] !== absent && values[position] === null && !(committed !== null && name in committed)
  return mapping.key.some(isBlanked)
    ? {
        _tag: 'BlanksPrimaryKey',
        entity: mapping.name,
        key,
        attributes: mapping.key.filter(isBlanked).map(({ name }) => name),
      }
    : null
}

const nameOf = (instance: Instance): string => `${instance.mapping.name} ${instance.key ?? `#${instance.id}`}`

/** A row may refer to itself where its key is given: one INSERT then holds both. */
const hasKey = (target: Instance, from: Instance): boolean =>
  target === from && target.mapping.key.every((attribute) => Instance.valueAt(target, attribute) !== undefined)
