/**
 * What a query loads beside its rows: its own loads, and those that the model asks for, as a tree over the relationships.
 */
import {
  type ActiveCriteria,
  type AnyModel,
  type AnySelect,
  activeCriteria,
  applyActive,
  canBeJoined,
  containedColumns,
  type EntityCriteria,
  type ExecutionOptions,
  type JoinedLoad,
  type Load,
  type Mapping,
  optionsOver,
  type RelationshipMapping,
  selectOwn,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { InvalidValue } from '../error.js'
import type { Origin } from '../state/instance.js'
import { criteriaUnder, optionsIn, type SessionState } from '../state/session-state.js'
import { isWhole, targetQuery, withKeys } from './target-query.js'

/**
 * One relationship that is loaded, and what is loaded of its targets.
 *
 * @category model
 */
export interface PlannedLoad {
  readonly relationship: RelationshipMapping
  readonly strategy: Load['strategy']
  /** The query of the targets, where the load narrows, orders or extends it. */
  readonly query: AnySelect | null
  /** Of a relationship to the entity itself: so many levels. */
  readonly depth: number
  /** Did the query ask for it, so that its results show it? */
  readonly isShown: boolean
  /** Options of its own, over those of the query. */
  readonly options: ExecutionOptions
  readonly nested: ReadonlyArray<PlannedLoad>
  /** Subtypes of the targets' entity whose attributes are loaded by statements of their own. */
  readonly subtypes: ReadonlyArray<Mapping>
  /** How it stands in the statement of its owners, where it can. */
  readonly joining: JoinedLoad | null
  /** What is said of loads of its targets' relationships, later ones too. */
  readonly loads: ReadonlyArray<Load>
}

type Planned = Either<InvalidValue, ReadonlyArray<PlannedLoad>>

const nothing: Planned = right([])

type ByLoads = WeakMap<ReadonlyArray<Load>, WeakMap<Mapping, Planned>>

const underNone: ByLoads = new WeakMap()
const byCriteria = new WeakMap<ActiveCriteria, ByLoads>()

const plansUnder = (active: ActiveCriteria | null): ByLoads => {
  if (active === null) return underNone
  const known = byCriteria.get(active) ?? new WeakMap()
  byCriteria.set(active, known)
  return known
}

/** Where a query says nothing of loads. */
const silent: ReadonlyArray<Load> = []

/**
 * The loads of a query that runs with some options, in the order in which they are made. The same value for the same list of
 * loads, under the same criteria.
 *
 * @category constructors
 */
export const plannedLoads = (
  state: SessionState,
  mapping: Mapping,
  loads: ReadonlyArray<Load>,
  options: ExecutionOptions,
): Planned => {
  if (loads.length === 0 && !hasDefaults(mapping)) return nothing
  const key = loads.length === 0 ? silent : loads
  const { criteria, model } = state
  const byLoads = plansUnder(criteriaUnder(state, options))
  let byMapping = byLoads.get(key)
  if (byMapping === undefined) {
    byMapping = new WeakMap()
    byLoads.set(key, byMapping)
  }
  const planning: Planning = { model, criteria, options: optionsIn(state, options) }
  const known = byMapping.get(mapping) ?? plan(planning, mapping, loads, [mapping])
  byMapping.set(mapping, known)
  return known
}

/** Under which loads are planned. */
interface Planning {
  readonly model: AnyModel
  readonly criteria: EntityCriteria | null
  readonly options: ExecutionOptions
}

const hasDefaults = ({ relationships }: Mapping): boolean => relationships.some(({ load }) => isEager(load))

const isEager = (strategy: Load['strategy']): boolean =>
  strategy === 'selectin' ||
  strategy === 'joined' ||
  strategy === 'subquery' ||
  strategy === 'immediate' ||
  strategy === 'contained'

const plan = (
  planning: Planning,
  mapping: Mapping,
  loads: ReadonlyArray<Load>,
  path: ReadonlyArray<Mapping>,
): Planned => {
  const planned: PlannedLoad[] = []
  for (const load of loads) {
    if (load.relationship === '*') continue
    const relationship = mapping.relationshipOf.get(load.relationship)
    if (relationship === undefined) return left(noRelationship(mapping, load.relationship))
    if (!isEager(load.strategy) && load.strategy !== 'none') continue
    const made = planOne(planning, relationship, load, true, [...path, relationship.target])
    if (isLeft(made)) return made
    planned.push(made.right)
  }
  if (loads.some(({ relationship }) => relationship === '*')) return right(planned)
  for (const relationship of mapping.relationships) {
    if (!isEager(relationship.load) || loads.some((load) => load.relationship === relationship.name)) continue
    // what the model loads by itself ends where it would come round again
    if (path.includes(relationship.target)) continue
    const load: Load = {
      strategy: relationship.load,
      relationship: relationship.name,
      refine: null,
      depth: 1,
      alias: null,
    }
    const made = planOne(planning, relationship, load, false, [...path, relationship.target])
    if (isLeft(made)) return made
    planned.push(made.right)
  }
  return right(planned)
}

const planOne = (
  planning: Planning,
  relationship: RelationshipMapping,
  { alias, strategy, refine: given, depth }: Load,
  isShown: boolean,
  path: ReadonlyArray<Mapping>,
): Either<InvalidValue, PlannedLoad> => {
  if (relationship.load === 'writeOnly' && strategy !== 'none') {
    return left({
      _tag: 'InvalidValue',
      entity: relationship.owner.name,
      attribute: relationship.name,
      value: strategy,
      problem: 'it is write-only, and never loaded as a whole; Session.members gives a query of it',
    })
  }
  const refine = given === null || alias !== null ? given : withKeys(relationship, given)
  if (refine?.node.limit !== undefined || refine?.node.offset !== undefined) {
    return left({
      _tag: 'InvalidValue',
      entity: relationship.owner.name,
      attribute: relationship.name,
      value: 'limit',
      problem: `a limit or offset in a ${strategy} would hold for all owners together; query the targets instead`,
    })
  }
  const under = refine === null ? planning : { ...planning, options: optionsOver(planning.options)(refine.options) }
  const nested = plan(under, relationship.target, refine?.loads ?? [], path)
  if (isLeft(nested)) return nested
  // a refinement that only loads more needs no statement of its own
  const query = refine !== null && alias === null && refine.node !== selectOwn(refine.entity).node ? refine : null
  return right({
    relationship,
    strategy,
    query,
    depth,
    isShown,
    options: refine?.options ?? {},
    nested: nested.right,
    subtypes: refine?.subtypes ?? [],
    joining:
      alias !== null && refine !== null
        ? containedIn(relationship, alias, refine, nested.right)
        : joiningOf(under, relationship, strategy, query, nested.right),
    loads: refine?.loads ?? [],
  })
}

/** What the query's own rows have of a relationship is what it lets through. */
const containedIn = (
  relationship: RelationshipMapping,
  alias: string,
  targets: AnySelect,
  nested: ReadonlyArray<PlannedLoad>,
): JoinedLoad => ({
  relationship,
  query: null,
  isWhole: false,
  condition: null,
  narrowed: null,
  joinings: joiningsOf(nested),
  contained: { alias, columns: containedColumns(alias, targets) },
})

const joiningOf = (
  { criteria, model, options }: Planning,
  relationship: RelationshipMapping,
  strategy: PlannedLoad['strategy'],
  query: AnySelect | null,
  nested: ReadonlyArray<PlannedLoad>,
): JoinedLoad | null => {
  // what a condition goes through would repeat targets
  if (strategy !== 'joined' || relationship.between.length > 0) return null
  const targets = targetQuery(model, relationship, query)
  if (targets !== null && !canBeJoined(targets)) return null
  const active = criteria === null ? null : activeCriteria(criteria, options)
  const shown = targets === null || active === null ? targets : applyActive(active)(targets)
  const condition = targets === null && active !== null ? active.conditionOf(relationship.target) : null
  return {
    relationship,
    query: shown,
    isWhole: isWhole(query),
    condition,
    narrowed: active !== null && (condition !== null || shown !== targets) ? active.key : null,
    joinings: joiningsOf(nested),
    contained: null,
  }
}

/** What can be joined of some loads. @category combinators */
export const joiningsOf = (loads: ReadonlyArray<PlannedLoad>): ReadonlyArray<JoinedLoad> =>
  loads.flatMap(({ joining }) => joining ?? [])

/**
 * What a query says of later loads: which of them are errors, what they load beside, and the options that they run with.
 *
 * @category constructors
 */
export const originOf = (
  { loads, options }: Pick<AnySelect, 'loads' | 'options'>,
  { options: { executionOptions } }: Pick<SessionState, 'options'>,
): Origin | null => {
  const later = loads.filter(({ strategy }) => strategy === 'raise' || strategy === 'lazy')
  const flowing = flowingFrom(options, executionOptions)
  if (later.length === 0 && Object.keys(flowing).length === 0) return null
  // a load that the query makes is allowed, whatever it says of the others
  return { loads: later.length === 0 ? later : loads, options: flowing }
}

/** Those that are not of the one statement, nor those of the session that it would run with anyway. */
const flowingFrom = (options: ExecutionOptions, ofSession: ExecutionOptions): ExecutionOptions => {
  const { autoflush: _autoflush, populateExisting: _populate, shard: _shard, ...flowing } = options
  if (options === ofSession) return {}
  const known = ofSession as Readonly<Record<string, unknown>>
  return Object.fromEntries(Object.entries(flowing).filter(([name, value]) => known[name] !== value))
}

const noRelationship = (mapping: Mapping, name: string): InvalidValue => ({
  _tag: 'InvalidValue',
  entity: mapping.name,
  attribute: name,
  value: name,
  problem: `${mapping.name} has no relationship of that name`,
})
