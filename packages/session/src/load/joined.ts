/**
 * Joined loads: what a statement's rows tell of relationships beside the entity that they are of.
 */
import {
  type AnySelect,
  canJoin,
  containedParts,
  type DriverRow,
  type InstanceId,
  type JoinedLoad,
  type JoinedPart,
  joinedColumnsAs,
  joinedParts,
  joinedRow,
  joinedSelect,
  joinsInPlace,
  mayHaveSeveral,
  type Services,
} from '@unitary/core'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import type { DecodeError, HookError } from '../error.js'
import { hasLoadHooks, hooksOnStatement } from '../hook/hooks.js'
import { loaded } from '../hook/loaded.js'
import type { QueryAnswer } from '../program/request.js'
import type { Hooks } from '../state/hooks.js'
import * as Instance from '../state/instance.js'
import { done, edit, instanceAt, type SessionState, type StateEdit } from '../state/session-state.js'
import { absorb } from '../transition/absorb.js'
import { keepMembers, knownTargets, type LoadedTargets } from './known.js'
import { inOrder, type PopulateOptions, presentBy } from './populate.js'

/** A statement with relationships joined. */
export interface Joined {
  readonly statement: AnySelect
  readonly parts: ReadonlyArray<JoinedPart>
  /** Those that the query joins itself: its rows have them, wherever they come from. */
  readonly contained: ReadonlyArray<JoinedPart>
}

/** The targets of what was joined, by owners. */
export type JoinedTargets = ReadonlyMap<JoinedLoad, LoadedTargets>

/** Nothing is joined whose targets hooks look at or narrow, since they are told of statements of their own. */
const areUnseen = (hooks: Hooks, joinings: ReadonlyArray<JoinedLoad>): boolean =>
  joinings.every(
    ({ contained, joinings: nested, relationship: { target } }) =>
      (contained !== null ||
        (!hasLoadHooks(hooks, target) &&
          hooksOnStatement(hooks, 'beforeExecute', target).every((some) => some.length === 0))) &&
      areUnseen(hooks, nested),
  )

const known = new WeakMap<ReadonlyArray<JoinedLoad>, WeakMap<object, Joined>>()

/**
 * The query with relationships joined; null where there are none, or one statement cannot do it. The same value for the same
 * query and list.
 *
 * @category constructors
 */
export const joinTo = (
  { hooks }: SessionState,
  query: AnySelect,
  joinings: ReadonlyArray<JoinedLoad>,
): Joined | null => {
  if (joinings.length === 0) return null
  if (!canJoin(query) || (hooks !== null && !areUnseen(hooks, joinings))) return onlyContained(query, joinings)
  const joined = remembered(query, joinings)
  return tablesOf(joined.parts) > mostTables ? onlyContained(query, joinings) : joined
}

/** MariaDB takes 61 tables in a join and SQLite 64; the query itself may have some. */
const mostTables = 48

const tablesOf = (parts: ReadonlyArray<JoinedPart>): number =>
  parts.reduce(
    (count, { isContained, relationship: { target, through } }) =>
      count + (isContained ? 0 : (through === null ? 0 : 1) + target.parts.length),
    0,
  )

/**
 * The same for a query that is to be narrowed after it.
 *
 * @category constructors
 */
export const joinInPlace = (
  state: SessionState,
  query: AnySelect,
  joinings: ReadonlyArray<JoinedLoad>,
): Joined | null => {
  const joined = joinTo(state, query, joinings)
  return joined === null || joinsInPlace(query, joined.parts) ? joined : onlyContained(query, joinings)
}

const onlyContained = (statement: AnySelect, joinings: ReadonlyArray<JoinedLoad>): Joined | null => {
  const contained = containedParts(joinings)
  return contained.length === 0 ? null : { statement, parts: contained, contained }
}

const remembered = (query: AnySelect, joinings: ReadonlyArray<JoinedLoad>): Joined => {
  let byNode = known.get(joinings)
  if (byNode === undefined) {
    byNode = new WeakMap()
    known.set(joinings, byNode)
  }
  const found = byNode.get(query.node)
  if (found !== undefined) return { ...found, statement: { ...query, node: found.statement.node } }
  const parts = joinedParts(joinings)
  const made = { statement: joinedSelect(query, parts), parts, contained: containedParts(joinings) }
  byNode.set(query.node, made)
  return made
}

/** Can a row of the query come several times, once for each member of a collection? @category guards */
export const repeats = (parts: ReadonlyArray<JoinedPart>): boolean =>
  parts.some(({ relationship }) => mayHaveSeveral(relationship))

/**
 * The rows that stand for the query's own, of rows that a join repeats: by their number where they were counted. The query's
 * own rows repeat an instance whose collection they contain.
 *
 * @category combinators
 */
export const ownRows = (
  parts: ReadonlyArray<JoinedPart>,
  answer: QueryAnswer,
  ids: ReadonlyArray<InstanceId>,
): ReadonlyArray<number> => {
  const isContained = repeats(parts.filter((part) => part.isContained))
  const rows = isContained
    ? []
    : inOrder(
        answer.batches.map((batch) => batch.rows),
        answer.order,
      )
  const seen = new Set<unknown>()
  const own: number[] = []
  let last: unknown = null
  for (let i = 0; i < ids.length; i++) {
    const row = rows[i]?.[joinedRow] ?? ids[i]
    // those that a join repeats mostly follow one another
    if (row === last || seen.has(row)) continue
    last = row
    seen.add(row)
    own.push(i)
  }
  return own
}

/**
 * Takes the joined targets into the state: `roots` are the instances of the rows, one for each.
 *
 * @category transitions
 */
export const takeJoined = (
  state: SessionState,
  parts: ReadonlyArray<JoinedPart>,
  answer: QueryAnswer,
  roots: ReadonlyArray<InstanceId>,
  options: PopulateOptions,
  services: Services,
): Either<DecodeError | HookError, readonly [JoinedTargets, SessionState]> => {
  const changes = edit(state)
  const instances = new Map<JoinedPart | null, ReadonlyArray<InstanceId | null>>([[null, roots]])
  const found = new Map<JoinedLoad, LoadedTargets>()
  const arrivals: Arrival[] = []
  for (const part of parts) {
    const arrival = { part, arrived: new Map<InstanceId, boolean>() }
    const targets = targetsIn(state, changes, arrival, answer, options)
    if (isLeft(targets)) return targets
    if (arrival.arrived.size > 0) arrivals.push(arrival)
    instances.set(part, targets.right)
    const owners = instances.get(part.owner) as ReadonlyArray<InstanceId | null>
    found.set(part.joining, gathered(owners, targets.right))
  }
  const absorbed = done(state, changes)
  const keeping = edit(absorbed)
  const kept = new Map<JoinedLoad, LoadedTargets>()
  for (const [joining, targets] of found) kept.set(joining, keep(absorbed, keeping, joining, targets, options))
  let next = done(absorbed, keeping)
  for (const { arrived } of arrivals) {
    const told = loaded(next, [...arrived.keys()], arrived, services)
    if (isLeft(told)) return told
    next = told.right
  }
  return right([kept, next])
}

/** Instances of a part that its rows have made known: were they known before? */
interface Arrival {
  readonly part: JoinedPart
  readonly arrived: Map<InstanceId, boolean>
}

/** The part's instance in each row, in the order of the answer; null in those that have none. */
const targetsIn = (
  state: SessionState,
  changes: StateEdit,
  { arrived, part }: Arrival,
  { batches, order }: QueryAnswer,
  options: PopulateOptions,
): Either<DecodeError, ReadonlyArray<InstanceId | null>> => {
  const { populateExisting = false, strict } = options
  const { columns, relationship } = part
  const { target } = relationship
  const keys = presentBy(target, columns, options)
  const isSeen = hasLoadHooks(state.hooks, target)
  const targets: Array<ReadonlyArray<InstanceId | null>> = []
  for (const { dialect, rows, token } of batches) {
    const isThere = (row: DriverRow): boolean => keys.every((key) => row[key] !== null)
    const present = rows.every(isThere) ? rows : rows.filter(isThere)
    const absorbed = absorb(
      state,
      changes,
      target,
      { dialect, token, rows: present },
      {
        populateExisting,
        mode: strict === false ? 'trusted' : 'strict',
        columns,
        columnsAs: (subtype) => joinedColumnsAs(part, subtype),
        arrived: isSeen ? arrived : null,
      },
    )
    if (isLeft(absorbed)) return absorbed
    if (present === rows) {
      targets.push(absorbed.right)
      continue
    }
    let next = 0
    targets.push(rows.map((row) => (row === present[next] ? (absorbed.right[next++] as InstanceId) : null)))
  }
  return right(inOrder(targets, order))
}

/** The targets of each owner, each once. What repeats mostly stands in rows that follow one another. */
const gathered = (
  owners: ReadonlyArray<InstanceId | null>,
  targets: ReadonlyArray<InstanceId | null>,
): ReadonlyMap<InstanceId, ReadonlyArray<InstanceId>> => {
  const members = new Map<InstanceId, Gathered>()
  let last: InstanceId | null = null
  let some: Gathered = { targets: [], seen: null }
  for (let i = 0; i < owners.length; i++) {
    const owner = owners[i] as InstanceId | null
    if (owner === null) continue
    if (owner !== last) {
      some = members.get(owner) ?? { targets: [], seen: null }
      members.set(owner, some)
      last = owner
    }
    const target = targets[i] as InstanceId | null
    if (target !== null && target !== some.targets.at(-1)) gather(some, target)
  }
  const all = new Map<InstanceId, ReadonlyArray<InstanceId>>()
  for (const [owner, { targets: own }] of members) all.set(owner, own)
  return all
}

interface Gathered {
  readonly targets: InstanceId[]
  /** The same as a set, once there are many. */
  seen: Set<InstanceId> | null
}

const gather = (some: Gathered, target: InstanceId): void => {
  const { targets } = some
  if (some.seen === null && targets.length >= manyTargets) some.seen = new Set(targets)
  if (some.seen === null ? targets.includes(target) : some.seen.has(target)) return
  targets.push(target)
  some.seen?.add(target)
}

const manyTargets = 16

/** What the session knew already stays; a narrowed load is only shown. */
const keep = (
  state: SessionState,
  changes: StateEdit,
  { isWhole, narrowed, relationship }: JoinedLoad,
  targets: LoadedTargets,
  { populateExisting = false }: PopulateOptions,
): LoadedTargets => {
  if (!isWhole) return targets
  const kept = new Map<InstanceId, ReadonlyArray<InstanceId>>()
  for (const [id, loaded] of targets) {
    const owner = instanceAt(state, id)
    const before = populateExisting ? null : knownTargets(state, owner, relationship, narrowed)
    if (before !== null && relationship.kind === 'BelongsTo' && Instance.relatedOf(owner, relationship) === undefined) {
      changes.instances.set(id, Instance.withRelated(owner, relationship, Instance.one(before[0] ?? null)))
    }
    kept.set(id, before ?? keepMembers(state, changes, id, relationship, loaded, narrowed))
  }
  return kept
}
