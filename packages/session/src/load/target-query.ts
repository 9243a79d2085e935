/**
 * The query of a relationship's targets, with the condition that the relationship itself has.
 */
import {
  type AnyModel,
  type AnySelect,
  alsoSelecting,
  applyActive,
  type ExecutionOptions,
  joinsOnlySubtypes,
  type Mapped,
  type Mapping,
  mayHaveSeveral,
  orderBy,
  type RelationshipMapping,
  selectOwn,
  shownThrough,
  where,
} from '@unitary/core'
import { criteriaUnder, type SessionState } from '../state/session-state.js'

const conditions = new WeakMap<RelationshipMapping, AnySelect>()

/**
 * A query with the relationship's condition, null where that is simply all targets.
 *
 * @category constructors
 */
export const targetQuery = (
  model: AnyModel,
  relationship: RelationshipMapping,
  query: AnySelect | null,
): AnySelect | null => {
  const { where: condition } = relationship
  if (condition === null) return query
  if (query !== null) return where<AnySelect>(condition as never)(query)
  const known = conditions.get(relationship)
  if (known !== undefined) return known
  const made = where<AnySelect>(condition as never)(selectOwn(targetOf(model, relationship)))
  conditions.set(relationship, made)
  return made
}

/** A query of targets, and the key of the criteria that narrow it; null where none do. */
export interface Targets {
  readonly query: AnySelect | null
  readonly narrowed: string | null
}

/** Without criteria. @category constructors */
export const whole = (query: AnySelect | null): Targets => ({ query, narrowed: null })

/**
 * A query of a relationship's targets under the session's criteria.
 *
 * @category combinators
 */
export const filtered = (
  state: SessionState,
  relationship: RelationshipMapping,
  query: AnySelect | null,
  options: ExecutionOptions,
): Targets => {
  const active = criteriaUnder(state, options)
  const { between, target } = relationship
  const isOpen = (one: Mapping): boolean => active === null || active.conditionOf(one) === null
  if (active === null || (query === null && isOpen(target) && between.every(([, one]) => isOpen(one)))) {
    return whole(query)
  }
  const given = query ?? selectOwn(targetOf(state.model, relationship))
  const shown = shownThrough(active, relationship)(applyActive(active)(given))
  return shown === given ? whole(query) : { query: shown, narrowed: active.key }
}

/**
 * The key of the criteria under which all targets of a relationship are loaded with some options; null where none hide any.
 *
 * @category combinators
 */
export const narrowedBy = (
  state: SessionState,
  relationship: RelationshipMapping,
  options: ExecutionOptions,
): string | null =>
  state.criteria === null
    ? null
    : filtered(state, relationship, targetQuery(state.model, relationship, null), options).narrowed

/** Does a refinement give all the targets that a relationship has, in its order, for the session to keep? @category guards */
export const isWhole = (query: AnySelect | null): boolean =>
  query === null ||
  (query.node.where === undefined &&
    query.node.orderBy === undefined &&
    query.node.limit === undefined &&
    query.node.offset === undefined &&
    joinsOnlySubtypes(query) &&
    query.node.groupBy === undefined)

const inOrder = new WeakMap<RelationshipMapping, WeakMap<object, AnySelect>>()

/**
 * A query of targets in the order of the relationship, after its own. The same value for the same query.
 *
 * @category combinators
 */
export const ordered = (relationship: RelationshipMapping, query: AnySelect): AnySelect => {
  if (relationship.orderBy.length === 0 || !mayHaveSeveral(relationship)) return query
  let byNode = inOrder.get(relationship)
  if (byNode === undefined) {
    byNode = new WeakMap()
    inOrder.set(relationship, byNode)
  }
  const known = byNode.get(query.node)
  if (known !== undefined) return { ...query, node: known.node }
  const made = relationship.orderBy.reduce(
    (so: AnySelect, [attribute, direction]) => orderBy<AnySelect>(attribute.name as never, direction)(so),
    query,
  )
  byNode.set(query.node, made)
  return made
}

/** The entity of a relationship's targets. @category combinators */
export const targetOf = (model: AnyModel, { target }: RelationshipMapping): Mapped<unknown, string> =>
  (model as unknown as Readonly<Record<string, Mapped<unknown, string>>>)[target.name] as Mapped<unknown, string>

/**
 * A query of the targets of a collection with what the collection is kept by, which the query may leave out. The same query
 * where it leaves out nothing of that.
 *
 * @category combinators
 */
export const withKeys = ({ collection, target }: RelationshipMapping, query: AnySelect): AnySelect =>
  collection.attributes.length === 0
    ? query
    : alsoSelecting(
        query,
        collection.attributes.flatMap((name) => target.attributeOf.get(name) ?? []),
      )
