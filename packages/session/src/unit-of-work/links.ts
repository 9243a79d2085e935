/**
 * Rows of tables of links: which come and which go with a flush.
 *
 * Both sides of a many-to-many may know of one link; it is written once.
 */
import { encodedKeyOf, type InstanceId, type RelationshipMapping } from '@unitary/core'
import * as Collection from '../state/collection.js'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import { instanceAt, isExpired, type SessionState } from '../state/session-state.js'
import { outside } from './cells.js'
import type { ChangeSet } from './change-set.js'
import type { LinkStep, Notice, PlanColumn, UnlinkStep } from './step.js'

type Instance = Instance.Instance

/** Links of one table that come, or that go. */
interface Links {
  readonly relationship: RelationshipMapping
  readonly owners: InstanceId[]
  readonly targets: InstanceId[]
}

/**
 * @category model
 */
export interface LinkChanges {
  readonly added: ReadonlyArray<Links>
  readonly removed: ReadonlyArray<Links>
  readonly notices: ReadonlyArray<Notice>
}

/**
 * The links that a flush writes and deletes. O(changed links, and links of deleted instances).
 *
 * @category constructors
 */
export const linkChanges = (state: SessionState, changes: ChangeSet): LinkChanges => {
  const linked = state.model.mappings.some(({ relationships }) => relationships.some(isLink))
  if (!linked) return { added: [], removed: [], notices: [] }
  const gather = new Gatherer(state, changes)
  for (const set of [state.added, state.changed]) {
    IntMap.forEach(set, (_, id) => {
      const owner = instanceAt(state, id)
      if (!changes.isDeleted(id) && (owner.status !== 'pending' || changes.isInserted(id))) gather.changesOf(owner)
    })
  }
  for (const instances of changes.deletes) for (const owner of instances) gather.allOf(owner)
  return { added: [...gather.added.values()], removed: [...gather.removed.values()], notices: gather.notices }
}

const isLink = (relationship: RelationshipMapping): boolean => relationship.through !== null && !relationship.viewonly

class Gatherer {
  readonly added = new Map<string, Links>()
  readonly removed = new Map<string, Links>()
  readonly notices: Notice[] = []
  readonly #state: SessionState
  readonly #changes: ChangeSet
  /** Links met so far, with the relationship that told of them. */
  readonly #seen = new Map<string, RelationshipMapping>()

  constructor(state: SessionState, changes: ChangeSet) {
    this.#state = state
    this.#changes = changes
  }

  /** What was added to and taken from an instance's collections. */
  changesOf(owner: Instance): void {
    for (const relationship of owner.mapping.relationships) {
      const many = isLink(relationship) ? Instance.relatedOf(owner, relationship) : undefined
      if (many?._tag !== 'Many') continue
      for (const target of Collection.toArray(many.removed)) this.#put(this.removed, relationship, owner.id, target)
      for (const target of Collection.toArray(many.added)) {
        const instance = instanceAt(this.#state, target)
        if (!Instance.isInUnitOfWork(instance)) this.notices.push(outside(owner, relationship.name, instance))
        else if (!this.#changes.isDeleted(target)) this.#put(this.added, relationship, owner.id, target)
      }
    }
  }

  /** All links of an instance that goes. */
  allOf(owner: Instance): void {
    if (isExpired(this.#state, owner)) return
    for (const relationship of owner.mapping.relationships) {
      const many = isLink(relationship) ? Instance.relatedOf(owner, relationship) : undefined
      if (many?._tag !== 'Many' || relationship.passiveDeletes === 'all') continue
      const members = [...Collection.toArray(many.members ?? Collection.empty), ...Collection.toArray(many.removed)]
      for (const target of members) {
        if (!Collection.has(many.added, target)) this.#put(this.removed, relationship, owner.id, target)
      }
    }
  }

  #put(all: Map<string, Links>, relationship: RelationshipMapping, owner: InstanceId, target: InstanceId): void {
    const { table, own } = relationship.through as NonNullable<RelationshipMapping['through']>
    // the same link seen from the other side has its columns the other way round
    const isFirst = relationship.inverse === null || own.join() <= (relationship.inverse.through?.own.join() ?? '')
    const link = isFirst ? `${table} ${owner} ${target}` : `${table} ${target} ${owner}`
    const seen = `${all === this.added} ${link}`
    const teller = this.#seen.get(seen)
    // what a list holds twice comes twice, for the database to accept or not
    if (teller !== undefined && (teller !== relationship || all === this.removed)) return
    this.#seen.set(seen, relationship)
    const key = `${relationship.owner.name}.${relationship.name}`
    const links = all.get(key) ?? { relationship, owners: [], targets: [] }
    links.owners.push(owner)
    links.targets.push(target)
    all.set(key, links)
  }
}

/**
 * The step that writes links; one for each relationship and shape.
 *
 * @category constructors
 */
export const linkSteps = (
  state: SessionState,
  links: Links,
  firstId: number,
  after: ReadonlyArray<number>,
): ReadonlyArray<LinkStep> => {
  const steps = new Map<string, { columns: ReadonlyArray<PlanColumn>; instances: InstanceId[]; rows: unknown[][] }>()
  for (let i = 0; i < links.owners.length; i++) {
    const owner = links.owners[i] as InstanceId
    const [columns, row] = linkRow(state, links.relationship, owner, links.targets[i] as InstanceId)
    const shape = columns.map(({ source }) => source._tag).join()
    const step = steps.get(shape) ?? { columns, instances: [], rows: [] }
    step.instances.push(owner)
    step.rows.push(row)
    steps.set(shape, step)
  }
  return [...steps.values()].map((step, i) => ({ _tag: 'Link', id: firstId + i, ...common(links), ...step, after }))
}

/**
 * The step that deletes links.
 *
 * @category constructors
 */
export const unlinkStep = (state: SessionState, links: Links, id: number, after: ReadonlyArray<number>): UnlinkStep => {
  const rows = links.owners.map((owner, i) => linkRow(state, links.relationship, owner, links.targets[i] as InstanceId))
  return {
    _tag: 'Unlink',
    id,
    ...common(links),
    instances: links.owners,
    where: rows[0]?.[0] ?? [],
    rows: rows.map(([, row]) => row),
    after,
  }
}

const common = ({ relationship }: Links) => ({
  entity: relationship.owner.name,
  relationship: relationship.name,
  table: relationship.through?.table ?? '',
  token: null,
})

/** The columns and cells of one link: keys that are known, and instances whose keys are still to be given. */
const linkRow = (
  state: SessionState,
  relationship: RelationshipMapping,
  owner: InstanceId,
  target: InstanceId,
): readonly [ReadonlyArray<PlanColumn>, unknown[]] => {
  const columns: PlanColumn[] = []
  const row: unknown[] = []
  const put = (names: ReadonlyArray<string>, id: InstanceId): void => {
    const instance = instanceAt(state, id)
    const known = instance.key === null ? null : encodedKeyOf(instance.mapping, instance.key)
    instance.mapping.key.forEach((attribute, i) => {
      const name = names[i] as string
      const value = known?.[i] ?? Instance.valueAt(instance, attribute)
      const isKnown = value !== undefined && value !== null
      columns.push({
        attribute: name,
        column: name,
        source: isKnown ? { _tag: 'Literal' } : { _tag: 'Key', of: attribute.name },
      })
      row.push(isKnown ? (known === null ? attribute.encode(value) : value) : id)
    })
  }
  const { own, target: other } = relationship.through as NonNullable<RelationshipMapping['through']>
  put(own, owner)
  put(other, target)
  return [columns, row]
}
