/**
 * Rows of tables of links: which come and which go with a flush.
 *
 * Both sides of a many-to-many may know of one link; it is written once. Links go before anything else is written, and are
 * found by the keys that their ends have until then; they come when all rows are there, with the keys that these have by
 * then. Where the database does not carry a key that changes, the links of its row go and come again.
 */
import { encodedKeyOf, type InstanceId, type RelationshipMapping } from '@unitary/core'
import * as Collection from '../state/collection.js'
import * as Instance from '../state/instance.js'
import * as IntSet from '../state/int-set.js'
import { instanceAt, isExpired, type SessionState } from '../state/session-state.js'
import { type KeyPart, keyAfter, outside } from './cells.js'
import type { ChangeSet } from './change-set.js'
import { isRenamed } from './changed-keys.js'
import type { LinkStep, PlanColumn, PlanNotice, UnlinkStep } from './step.js'

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
  readonly notices: ReadonlyArray<PlanNotice>
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
  const orphans = new Set(changes.orphans)
  for (const set of [state.added, state.changed]) {
    IntSet.forEach(set, (id) => {
      if (!changes.isDeleted(id) && !orphans.has(id)) gather.changesOf(instanceAt(state, id))
    })
  }
  for (const instances of changes.deletes) for (const owner of instances) gather.allOf(owner)
  for (const replaced of changes.switches.values()) gather.allOf(replaced)
  const [added, removed] = [[...gather.added.values()], [...gather.removed.values()]]
  return changes.switches.size === 0
    ? { added, removed, notices: gather.notices }
    : { ...withoutKept(state, changes, added, removed), notices: gather.notices }
}

const toText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)

/** A row that is taken over keeps the links that the new one has, too. */
const withoutKept = (
  state: SessionState,
  changes: ChangeSet,
  added: ReadonlyArray<Links>,
  removed: ReadonlyArray<Links>,
): Omit<LinkChanges, 'notices'> => {
  const textsOf = (links: Links, keyOf: KeyOf): ReadonlyArray<string> => {
    const columns = columnNames(links)
    // either side tells its own columns first
    const order = columns.map((_, i) => i).sort((a, b) => ((columns[a] as string) < (columns[b] as string) ? -1 : 1))
    return rowsOf(links, keyOf).map((cells) =>
      JSON.stringify([links.relationship.through?.table, order.map((i) => [cells[i]?.value, cells[i]?.of])], toText),
    )
  }
  const coming = new Set(added.flatMap((links) => textsOf(links, keysAfter(state, changes))))
  const kept = new Set<string>()
  const without = (all: ReadonlyArray<Links>, keyOf: KeyOf, isKept: (text: string) => boolean): ReadonlyArray<Links> =>
    all.flatMap((links) => {
      const texts = textsOf(links, keyOf)
      const stays = texts.map((text) => !isKept(text))
      const owners = links.owners.filter((_, i) => stays[i])
      return owners.length === 0 ? [] : [{ ...links, owners, targets: links.targets.filter((_, i) => stays[i]) }]
    })
  const going = without(removed, keysBefore(state, changes), (text) => {
    if (coming.has(text)) kept.add(text)
    return coming.has(text)
  })
  return { removed: going, added: without(added, keysAfter(state, changes), (text) => kept.has(text)) }
}

const isLink = (relationship: RelationshipMapping): boolean => relationship.through !== null && !relationship.viewonly

class Gatherer {
  readonly added = new Map<string, Links>()
  readonly removed = new Map<string, Links>()
  readonly notices: PlanNotice[] = []
  readonly #state: SessionState
  readonly #changes: ChangeSet
  readonly #told = new Map<string, Told>()

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
      if (!relationship.passiveUpdates && isRenamed(owner)) this.#renew(owner, relationship, many)
      for (const target of Collection.toArray(many.added)) {
        const instance = instanceAt(this.#state, target)
        if (!Instance.isInUnitOfWork(instance)) this.notices.push(outside(owner, relationship.name, instance))
        else if (!this.#changes.isDeleted(target)) this.#put(this.added, relationship, owner.id, target)
      }
    }
  }

  /** The links that stay, of an owner whose key the database does not carry. */
  #renew(owner: Instance, relationship: RelationshipMapping, { added, members }: Instance.Many): void {
    for (const target of Collection.toArray(members ?? Collection.empty)) {
      if (Collection.has(added, target)) continue
      this.#put(this.removed, relationship, owner.id, target)
      if (!this.#changes.isDeleted(target)) this.#put(this.added, relationship, owner.id, target)
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
    if (!this.#isNews(all, link, relationship)) return
    const key = `${relationship.owner.name}.${relationship.name}`
    const links = all.get(key) ?? { relationship, owners: [], targets: [] }
    links.owners.push(owner)
    links.targets.push(target)
    all.set(key, links)
  }

  /** What a list holds twice comes twice, for the database to accept or not, whichever side has the list. */
  #isNews(all: Map<string, Links>, link: string, relationship: RelationshipMapping): boolean {
    const key = `${all === this.added} ${link}`
    const told = this.#told.get(key)
    if (told === undefined) {
      this.#told.set(key, { by: relationship, times: 1, timesByOther: 0 })
      return true
    }
    if (all === this.removed) return false
    const before = Math.max(told.times, told.timesByOther)
    if (told.by === relationship) told.times++
    else told.timesByOther++
    return Math.max(told.times, told.timesByOther) > before
  }
}

/** How often a link was told, by the relationship that told it first and by its inverse. */
interface Told {
  readonly by: RelationshipMapping
  times: number
  timesByOther: number
}

/**
 * The step that writes links; one for each relationship and shape.
 *
 * @category constructors
 */
export const linkSteps = (
  state: SessionState,
  changes: ChangeSet,
  links: Links,
  firstId: number,
  after: ReadonlyArray<number>,
): ReadonlyArray<LinkStep> => {
  const steps = new Map<string, { columns: ReadonlyArray<PlanColumn>; instances: InstanceId[]; rows: unknown[][] }>()
  rowsOf(links, keysAfter(state, changes)).forEach((cells, i) => {
    const shape = cells.map(({ of }) => of).join()
    const step = steps.get(shape) ?? { columns: columnsOf(links, cells), instances: [], rows: [] }
    step.instances.push(links.owners[i] as InstanceId)
    step.rows.push(cells.map(({ value }) => value))
    steps.set(shape, step)
  })
  return [...steps.values()].map((step, i) => ({ _tag: 'Link', id: firstId + i, ...common(links), ...step, after }))
}

/**
 * The step that deletes links.
 *
 * @category constructors
 */
export const unlinkStep = (state: SessionState, changes: ChangeSet, links: Links, id: number): UnlinkStep => {
  const rows = rowsOf(links, keysBefore(state, changes))
  return {
    _tag: 'Unlink',
    id,
    ...common(links),
    instances: links.owners,
    where: columnsOf(links, rows[0] ?? []),
    rows: rows.map((cells) => cells.map(({ value }) => value)),
    after: [],
  }
}

const common = ({ relationship }: Links) => ({
  entity: relationship.owner.name,
  relationship: relationship.name,
  table: relationship.through?.table ?? '',
  token: null,
})

type KeyOf = (id: InstanceId) => ReadonlyArray<KeyPart>

/** The keys that rows have before the flush. */
const keysBefore =
  (state: SessionState, changes: ChangeSet): KeyOf =>
  (id) => {
    const { key, mapping } = changes.switches.get(id) ?? instanceAt(state, id)
    return key === null ? [] : encodedKeyOf(mapping, key).map((value): KeyPart => ({ value, of: null }))
  }

/** The keys that rows have after they are written. */
const keysAfter =
  (state: SessionState, changes: ChangeSet): KeyOf =>
  (id) =>
    keyAfter(state, changes, instanceAt(state, id))

/** The cells of links: those of the owners' keys, then those of the targets'. */
const rowsOf = ({ owners, targets }: Links, keyOf: KeyOf): ReadonlyArray<ReadonlyArray<KeyPart>> =>
  owners.map((owner, i) => [...keyOf(owner), ...keyOf(targets[i] as InstanceId)])

const columnNames = ({ relationship }: Links): ReadonlyArray<string> => {
  const { own, target } = relationship.through as NonNullable<RelationshipMapping['through']>
  return [...own, ...target]
}

const columnsOf = (links: Links, cells: ReadonlyArray<KeyPart>): ReadonlyArray<PlanColumn> =>
  columnNames(links).map((column, i) => {
    const of = cells[i]?.of ?? null
    return { attribute: column, column, source: of === null ? { _tag: 'Literal' } : { _tag: 'Key', of } }
  })
