/**
 * Eager loads: what is loaded beside instances, relationship by relationship and level by level, each by its strategy.
 */
import {
  type AnySelect,
  type ExecutionOptions,
  type InstanceId,
  type JoinedLoad,
  optionsOver,
  selectOwn,
  targetsOfOwners,
} from '@unitary/core'
import { right } from 'fp-ts/lib/Either.js'
import { chain, map, of, type Program, suspend, transition, traverseArray } from '../program/program.js'
import { done, edit, instanceAt, type SessionState } from '../state/session-state.js'
import type { LoadError } from './error.js'
import type { JoinedTargets } from './joined.js'
import { allTargets, type LoadedTargets } from './known.js'
import { joiningsOf, originOf, type PlannedLoad } from './planned-load.js'
import { loadRelated } from './related.js'
import { loadSubtypes } from './subtypes.js'
import type { Asking, Fetched } from './target-lookup.js'
import { filtered, isWhole, targetOf, targetQuery } from './target-query.js'
import { plainly } from './targets.js'

/**
 * What was loaded of a relationship: the targets of each owner, and what was loaded of those.
 *
 * @category model
 */
export interface LoadedRelationship {
  readonly load: PlannedLoad
  readonly targets: LoadedTargets
  /** Of a relationship to the entity itself: the same relationship of the targets, as far as it was loaded. */
  readonly deeper: LoadedRelationship | 'all' | null
  readonly nested: ReadonlyArray<LoadedRelationship>
}

/** Where the owners come from. */
export interface Owners {
  /** The query that gave them, where there is one. */
  readonly query: AnySelect | null
  readonly joined: JoinedTargets
  /** With which its statement ran, and those of the loads beside it run. */
  readonly options: ExecutionOptions
}

const nowhere: Owners = { query: null, joined: new Map(), options: {} }

/**
 * Makes the loads for some owners, one after another.
 *
 * @category loading
 */
export const loadPlanned = (
  loads: ReadonlyArray<PlannedLoad>,
  owners: ReadonlyArray<InstanceId>,
  from: Owners = nowhere,
): Program<LoadError, ReadonlyArray<LoadedRelationship>> =>
  loads.length === 0 ? of([]) : traverseArray((load: PlannedLoad) => loadOne(load, owners, from))(loads)

const loadOne = (
  load: PlannedLoad,
  owners: ReadonlyArray<InstanceId>,
  from: Owners,
): Program<LoadError, LoadedRelationship> =>
  load.depth > 1
    ? loadLevels(load, owners, from)
    : chain((fetched: Fetched) => loadNested(load, fetched, from))(fetch(load, owners, from))

/** What is loaded of targets, where the query that gives them is not known any more. */
const loadNested = (
  load: PlannedLoad,
  { targets, joined }: Fetched,
  from: Owners,
): Program<LoadError, LoadedRelationship> => {
  const found = [...new Set(allTargets(targets))]
  const options = optionsOf(load, from)
  return chain(() =>
    suspend((state): Program<LoadError, LoadedRelationship> => {
      const query = load.strategy === 'subquery' ? queryOf(state, load, from.query, options) : null
      return map(
        (nested: ReadonlyArray<LoadedRelationship>): LoadedRelationship => ({
          load,
          targets,
          deeper: null,
          nested,
        }),
      )(loadPlanned(load.nested, found, { query, joined, options }))
    }),
  )(chain(() => loadSubtypes(load.subtypes, found))(withOrigin({ loads: load.loads, options }, found)))
}

const nothingFetched: JoinedTargets = new Map()

/** The targets of all owners: those that came with them, and the others by the load's strategy. */
const fetch = (load: PlannedLoad, owners: ReadonlyArray<InstanceId>, from: Owners): Program<LoadError, Fetched> => {
  const { joining, relationship, strategy } = load
  if (strategy === 'none') return of({ targets: new Map(owners.map((id) => [id, []])), joined: nothingFetched })
  const known = joining === null ? undefined : from.joined.get(joining)
  // what the rows do not have is not there
  if (strategy === 'contained') return of({ targets: known ?? new Map(), joined: from.joined })
  if (joining !== null && known !== undefined) {
    const missing = owners.filter((id) => !known.has(id))
    if (missing.length === 0) return of({ targets: known, joined: from.joined })
    return map(
      ({ targets, joined }: Fetched): Fetched => ({
        targets: new Map([...known, ...targets]),
        joined: merged(from.joined, joined),
      }),
    )(fetchBy(load, missing, from))
  }
  if (strategy !== 'immediate') return fetchBy(load, owners, from)
  return map(
    (each: ReadonlyArray<Fetched>): Fetched => ({
      targets: new Map(each.flatMap(({ targets }) => [...targets])),
      joined: each.reduce((all, { joined }) => merged(all, joined), nothingFetched),
    }),
  )(traverseArray((id: InstanceId) => loadRelated([id], relationship, asking(load, from, null)))([...new Set(owners)]))
}

const fetchBy = (load: PlannedLoad, owners: ReadonlyArray<InstanceId>, from: Owners): Program<LoadError, Fetched> =>
  loadRelated(owners, load.relationship, asking(load, from, load.strategy === 'subquery' ? from.query : null))

const asking = (load: PlannedLoad, from: Owners, owners: AnySelect | null): Asking => ({
  ...plainly,
  query: load.query,
  isWhole: isWhole(load.query),
  joinings: joiningsFor(load.nested),
  owners,
  options: optionsOf(load, from),
})

/** Those of the query, without its shard: owners are loaded from their own. */
const optionsOf = ({ options }: PlannedLoad, from: Owners): ExecutionOptions => {
  const { shard: _shard, ...given } = optionsOver(from.options)(options)
  return given
}

const lists = new WeakMap<ReadonlyArray<PlannedLoad>, ReadonlyArray<JoinedLoad>>()

/** The same list for the same loads, so that their statement is made once. */
export const joiningsFor = (loads: ReadonlyArray<PlannedLoad>): ReadonlyArray<JoinedLoad> => {
  const known = lists.get(loads) ?? joiningsOf(loads)
  lists.set(loads, known)
  return known
}

const merged = (some: JoinedTargets, more: JoinedTargets): JoinedTargets => {
  const all = new Map(some)
  for (const [joining, targets] of more) all.set(joining, new Map([...(all.get(joining) ?? []), ...targets]))
  return all
}

/** The query that gives the targets of a subquery load, for the loads that nest in it. */
const queryOf = (
  state: SessionState,
  { query, relationship }: PlannedLoad,
  owners: AnySelect | null,
  options: ExecutionOptions,
): AnySelect | null => {
  if (owners === null) return null
  const targets = targetQuery(state.model, relationship, query)
  const shown = filtered(state, relationship, targets, options).query ?? selectOwn(targetOf(state.model, relationship))
  return targetsOfOwners(shown, relationship, owners)
}

/** Level by level, for as long as there are targets whose own have not been loaded. */
const loadLevels = (
  load: PlannedLoad,
  owners: ReadonlyArray<InstanceId>,
  { options }: Owners,
): Program<LoadError, LoadedRelationship> => {
  const from = { ...nowhere, options }
  return load.depth === Number.POSITIVE_INFINITY
    ? loadAllLevels(load, owners, from)
    : loadSomeLevels(load, owners, from, load.depth)
}

const loadSomeLevels = (
  load: PlannedLoad,
  owners: ReadonlyArray<InstanceId>,
  from: Owners,
  levels: number,
): Program<LoadError, LoadedRelationship> =>
  chain(({ targets }: Fetched): Program<LoadError, LoadedRelationship> => {
    const made = (deeper: LoadedRelationship | null): LoadedRelationship => ({ load, targets, deeper, nested: [] })
    const next = [...new Set(allTargets(targets))]
    return levels === 1 ? of(made(null)) : map(made)(loadSomeLevels(load, next, from, levels - 1))
  })(fetchBy(load, owners, from))

const loadAllLevels = (
  load: PlannedLoad,
  owners: ReadonlyArray<InstanceId>,
  from: Owners,
): Program<LoadError, LoadedRelationship> => {
  const all = new Map<InstanceId, ReadonlyArray<InstanceId>>()
  const level = (next: ReadonlyArray<InstanceId>): Program<LoadError, LoadedRelationship> =>
    chain(({ targets }: Fetched): Program<LoadError, LoadedRelationship> => {
      for (const [id, some] of targets) all.set(id, some)
      const unloaded = [...new Set(allTargets(targets))].filter((id) => !all.has(id))
      return unloaded.length === 0 ? of({ load, targets: all, deeper: 'all', nested: [] }) : level(unloaded)
    })(fetchBy(load, next, from))
  return level([...new Set(owners)])
}

/**
 * Tells instances what the query that gave them says of later loads.
 *
 * @category transitions
 */
export const withOrigin = (
  query: Pick<AnySelect, 'loads' | 'options'>,
  ids: ReadonlyArray<InstanceId>,
): Program<never, undefined> =>
  ids.length === 0 || (query.loads.length === 0 && Object.keys(query.options).length === 0)
    ? of(undefined)
    : transition((state) => {
        const origin = originOf(query, state)
        if (origin === null) return right([undefined, state])
        const changes = edit(state)
        for (const id of ids) changes.instances.set(id, { ...instanceAt(state, id), origin })
        return right([undefined, done(state, changes)])
      })
