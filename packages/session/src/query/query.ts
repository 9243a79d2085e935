/**
 * Queries of entities.
 */
import {
  type AnySelect,
  type InstanceId,
  type Load,
  type Managed,
  type Mapping,
  type RelationshipMapping,
  type RowViewer,
  rowClassOf,
  type Select,
  type Snapshot,
  select,
} from '@unitary/core'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import { none, type Option, some } from 'fp-ts/lib/Option.js'
import type { DecodeError, HookError, ModelMismatch, MultipleResults, NoResult, RequestError } from '../error.js'
import { rewritten } from '../hook/execute.js'
import { requestRows } from '../hook/loaded.js'
import { populate } from '../load/populate.js'
import { type LoadError, loadRelated } from '../load/relationship.js'
import type { LoadedTargets } from '../load/targets.js'
import { autoflush, unlessFailed } from '../program/flush.js'
import { chain, fail, gets, map, type Outcome, of, type Program, suspend, traverseArray } from '../program/program.js'
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
  chain((asked: AnySelect) =>
    chain((ids: ReadonlyArray<InstanceId>) =>
      chain((views: Views) =>
        gets((state) => ids.map((id) => views(state, id)) as unknown as ReadonlyArray<Result<M, N, L>>),
      )(loadAll(asked, ids)),
    )(rowsOf(asked)),
  )(asRewritten(statement))

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

const asRewritten = (statement: AnySelect): Program<QueryError, AnySelect> =>
  unlessFailed((state): Program<QueryError, AnySelect> => {
    const checked = checkModel(state, statement.entity)
    return isLeft(checked) ? fail(checked.left) : rewritten(statement, 'query')
  })

const rowsOf = (statement: AnySelect): Program<QueryError, ReadonlyArray<InstanceId>> =>
  suspend((state): Program<QueryError, ReadonlyArray<InstanceId>> => {
    const { mapping } = statement.entity
    const asked = requestRows(
      state,
      { _tag: 'Query', statement },
      (answer, current, given): Outcome<RequestError | DecodeError | HookError, ReadonlyArray<InstanceId>> => {
        if (isLeft(answer)) return [answer, current]
        const populated = populate(current, mapping, answer.right, statement.options, given)
        return isLeft(populated) ? [left(populated.left), current] : [right(populated.right[0]), populated.right[1]]
      },
    )
    return statement.options.autoflush === false ? asked : chain(() => asked)(autoflush)
  })

/** How the instances of a query are shown: by their snapshots, or with what was loaded beside them. */
type Views = (state: SessionState, id: InstanceId) => Snapshot

const snapshots: Views = (state, id) => instanceAt(state, id).snapshot

/** Loads what a query asks for, level by level: one statement a relationship, however many instances there are. */
const loadAll = (statement: AnySelect, ids: ReadonlyArray<InstanceId>): Program<LoadError, Views> => {
  const { loads } = statement
  if (loads.length === 0) return of(snapshots)
  const { mapping } = statement.entity
  return map((parts: ReadonlyArray<LoadedView>) => viewsOf(mapping, parts))(
    traverseArray((load: Load) => loadOne(mapping, load, ids))(loads),
  )
}

interface LoadedView {
  readonly relationship: RelationshipMapping
  readonly targets: LoadedTargets
  readonly views: Views
}

const loadOne = (mapping: Mapping, load: Load, ids: ReadonlyArray<InstanceId>): Program<LoadError, LoadedView> => {
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
      refine === null ? of(snapshots) : loadAll(refine, [...new Set([...targets.values()].flat())]),
    ),
  )(loadRelated(ids, relationship, isNarrowed ? refine : null))
}

/** Shows instances with their related ones; each instance once, so that results share what they share. */
const viewsOf = (mapping: Mapping, parts: ReadonlyArray<LoadedView>): Views => {
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
    const made = view(instanceAt(state, id).snapshot, id, related)
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
