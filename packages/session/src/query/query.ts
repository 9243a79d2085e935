/**
 * Queries of entities.
 */
import {
  type AnySelect,
  checkStatement,
  type InstanceId,
  type Load,
  type Managed,
  type Mapping,
  type RelationshipMapping,
  type RowViewer,
  rowClassOf,
  type Select,
  Snapshot,
  select,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { none, type Option, some } from 'fp-ts/lib/Option.js'
import {
  type DecodeError,
  type InvalidStatement,
  invalidStatement,
  type ModelMismatch,
  type MultipleResults,
  type NoResult,
  type RequestError,
} from '../error.js'
import { populate } from '../load/populate.js'
import { type LoadError, loadRelated } from '../load/relationship.js'
import type { LoadedTargets } from '../load/targets.js'
import { autoflush, unlessFailed } from '../program/flush.js'
import { chain, fail, gets, map, type Outcome, of, type Program, request, traverseArray } from '../program/program.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import { checkModel } from '../transition/transition.js'

/** Why a query fails. @category errors */
export type QueryError = LoadError | ModelMismatch

/**
 * A result of a query: the snapshot, and what its eager loads add. (Signatures spell it out, so that an editor shows the row
 * rather than the whole model.)
 *
 * @category model
 */
export type Result<M, N extends string, L> = Managed<M, N> & L

/**
 * The instances of a query's rows, in its order, with what it loads beside them. Pending changes are flushed first. An
 * instance that stands in several rows is given once for each.
 *
 * @example
 * pipe(select(model.User), where('name', '=', 'ed'), selectin('addresses'), Session.query)
 *
 * @category queries
 */
export const query = <M, N extends string, L>(
  statement: Select<M, N, L>,
): Program<QueryError, ReadonlyArray<Managed<M, N> & L>> =>
  chain((ids: ReadonlyArray<InstanceId>) =>
    chain((views: Views) =>
      gets((state) => ids.map((id) => views(state, id)) as unknown as ReadonlyArray<Result<M, N, L>>),
    )(loadAll(statement, ids)),
  )(rowsOf(statement))

/**
 * The first result, if there is one. The query should say what is first, and ask for one row.
 *
 * @category queries
 */
export const first = <M, N extends string, L>(
  statement: Select<M, N, L>,
): Program<QueryError, Option<Managed<M, N> & L>> =>
  map((found: ReadonlyArray<Result<M, N, L>>) => (found.length === 0 ? none : some(found[0] as Result<M, N, L>)))(
    query(statement),
  )

/**
 * The only result: `NoResult` where there is none, `MultipleResults` where there are several.
 *
 * @category queries
 */
export const one = <M, N extends string, L>(
  statement: Select<M, N, L>,
): Program<QueryError | NoResult | MultipleResults, Managed<M, N> & L> =>
  chain((found: ReadonlyArray<Result<M, N, L>>): Program<NoResult | MultipleResults, Result<M, N, L>> => {
    const entity = statement.entity.name
    if (found.length === 1) return of(found[0] as Result<M, N, L>)
    return found.length === 0
      ? fail({ _tag: 'NoResult', entity })
      : fail({ _tag: 'MultipleResults', entity, count: found.length, shards: [] })
  })(query(statement))

/**
 * Is the statement one that the session can run? Its entity's mapping.
 *
 * @category guards
 */
export const checkSelect = (
  state: SessionState,
  statement: AnySelect,
): Either<ModelMismatch | InvalidStatement, Mapping> => {
  const checked = checkModel(state, statement.entity)
  if (isLeft(checked)) return checked
  const wrong = checkStatement(statement)
  return wrong === null ? checked : left(invalidStatement('query', wrong))
}

const rowsOf = (statement: AnySelect): Program<QueryError, ReadonlyArray<InstanceId>> =>
  unlessFailed((state): Program<QueryError, ReadonlyArray<InstanceId>> => {
    const checked = checkSelect(state, statement)
    if (isLeft(checked)) return fail(checked.left)
    const asked = request(
      { _tag: 'Query', statement },
      (answer, current): Outcome<RequestError | DecodeError, ReadonlyArray<InstanceId>> => {
        if (isLeft(answer)) return [answer, current]
        const populated = populate(current, checked.right, answer.right, statement.options)
        return isLeft(populated) ? [left(populated.left), current] : [right(populated.right[0]), populated.right[1]]
      },
    )
    return statement.options.autoflush === false ? asked : chain(() => asked)(autoflush)
  })

/** How the instances of a query are shown: by their snapshots, or with what was loaded beside them. */
export type Views = (state: SessionState, id: InstanceId) => Snapshot

/** Instances as they are shown to a program: their snapshots. */
const snapshots: Views = (state, id) => instanceAt(state, id).snapshot

/**
 * Loads what a query asks for, level by level: one statement a relationship, however many instances there are. `show` is
 * how an instance is shown beside which nothing is loaded.
 *
 * @category loading
 */
export const loadAll = (
  statement: AnySelect,
  ids: ReadonlyArray<InstanceId>,
  show: Views = snapshots,
): Program<LoadError, Views> => {
  const { loads } = statement
  if (loads.length === 0) return of(show)
  const { mapping } = statement.entity
  return map((parts: ReadonlyArray<LoadedView>) => viewsOf(mapping, parts, show))(
    traverseArray((load: Load) => loadOne(mapping, load, ids, show))(loads),
  )
}

interface LoadedView {
  readonly relationship: RelationshipMapping
  readonly targets: LoadedTargets
  readonly views: Views
}

const loadOne = (
  mapping: Mapping,
  load: Load,
  ids: ReadonlyArray<InstanceId>,
  show: Views,
): Program<LoadError, LoadedView> => {
  const relationship = mapping.relationshipOf.get(load.relationship)
  if (relationship === undefined) {
    return fail({
      _tag: 'InvalidValue',
      entity: mapping.name,
      attribute: load.relationship,
      value: load.relationship,
      problem: `${mapping.name} has no relationship of that name`,
    })
  }
  const { refine } = load
  if (refine?.node.limit !== undefined || refine?.node.offset !== undefined) {
    return fail({
      _tag: 'InvalidValue',
      entity: mapping.name,
      attribute: load.relationship,
      value: 'limit',
      problem: 'a limit or offset in a selectin would hold for all owners together; query the targets instead',
    })
  }
  // a refinement that only loads more needs no statement of its own
  const isNarrowed = refine !== null && refine.node !== select(refine.entity).node
  return chain((targets: LoadedTargets) =>
    map((views: Views): LoadedView => ({ relationship, targets, views }))(
      refine === null ? of(show) : loadAll(refine, [...new Set([...targets.values()].flat())], show),
    ),
  )(loadRelated(ids, relationship, isNarrowed ? refine : null))
}

/** Shows instances with their related ones; each instance once, so that results share what they share. */
const viewsOf = (mapping: Mapping, parts: ReadonlyArray<LoadedView>, show: Views): Views => {
  const view = viewerOf(
    mapping,
    parts.map(({ relationship }) => relationship.name),
  )
  const shown = new Map<InstanceId, Snapshot>()
  return (state, id) => {
    const known = shown.get(id)
    if (known !== undefined) return known
    const related = parts.map(({ relationship, targets, views }) => {
      const all = (targets.get(id) ?? []).map((target) => views(state, target))
      const only = all[0]
      return relationship.isCollection ? all : only === undefined ? none : some(only)
    })
    const own = show(state, id)
    const made = view(own, Snapshot.instanceOf(own) as InstanceId, related)
    shown.set(id, made)
    return made
  }
}

const viewers = new WeakMap<Mapping, Map<string, RowViewer>>()

const viewerOf = (mapping: Mapping, names: ReadonlyArray<string>): RowViewer => {
  let known = viewers.get(mapping)
  if (known === undefined) {
    known = new Map()
    viewers.set(mapping, known)
  }
  const key = names.join()
  const viewer = known.get(key) ?? rowClassOf(mapping).viewer(names)
  known.set(key, viewer)
  return viewer
}
