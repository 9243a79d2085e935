/**
 * Queries of entities.
 */
import {
  type AnySelect,
  checkStatement,
  columnsAs,
  columnsOf,
  type Extent,
  type InstanceId,
  type Mapping,
  type Resulting,
  type Select,
  type Whole,
  withoutOffset,
  withoutPartialKeys,
} from '@unitary/core'
import { isLeft, right } from 'fp-ts/lib/Either.js'
import { type DecodeError, type HookError, invalidStatement, type ModelMismatch, type RequestError } from '../error.js'
import { hooked, underCriteria } from '../hook/execute.js'
import { requestRows } from '../hook/loaded.js'
import { joiningsFor, type LoadedRelationship, loadPlanned, withOrigin } from '../load/eager.js'
import type { LoadError } from '../load/error.js'
import { type JoinedTargets, joinTo, ownRows, repeats, takeJoined } from '../load/joined.js'
import { type PlannedLoad, plannedLoads } from '../load/planned-load.js'
import { populate } from '../load/populate.js'
import { loadSubtypes } from '../load/subtypes.js'
import { viewOf } from '../load/view.js'
import { autoflush, unlessFailed } from '../program/flush.js'
import { chain, fail, gets, map, type Outcome, type Program, suspend } from '../program/program.js'
import type { QueryAnswer } from '../program/request.js'
import { checkModel } from '../transition/transition.js'

/** Why a query fails. @category errors */
export type QueryError = LoadError | ModelMismatch

/**
 * A result of a query: the snapshot, and what its eager loads add. (Signatures spell it out, so that an editor shows the row
 * rather than the whole model.)
 *
 * @category model
 */
export type Result<M, N extends string, L, X extends Extent = Whole> = Resulting<M, N, L, X>

/**
 * The instances of a query's rows, in its order, with what it loads beside them. Pending changes are flushed first. An
 * instance that stands in several rows is given once for each.
 *
 * @example
 * pipe(select(model.User), where('name', '=', 'ed'), selectin('addresses'), Session.query)
 *
 * @category queries
 */
export const query = <M, N extends string, L, X extends Extent>(
  statement: Select<M, N, L, X>,
): Program<QueryError, ReadonlyArray<Resulting<M, N, L, X>>> =>
  chain((asked: AnySelect) =>
    chain((found: Found<null>) => resultsOf<M, N, L, X>(asked, found, found.ids))(rowsOf(asked, readNothing)),
  )(asRewritten(statement))

/** Instances as a query's results, with what is loaded beside them. */
export const resultsOf = <M, N extends string, L, X extends Extent>(
  asked: AnySelect,
  { joined, loads, owners }: Found<unknown>,
  ids: ReadonlyArray<InstanceId>,
): Program<LoadError, ReadonlyArray<Result<M, N, L, X>>> =>
  chain((loaded: ReadonlyArray<LoadedRelationship>) =>
    gets((state) => {
      const view = viewOf(state, asked.entity.mapping, loaded)
      return ids.map(view) as unknown as ReadonlyArray<Result<M, N, L, X>>
    }),
  )(loadPlanned(loads, ids, { query: owners, joined, options: asked.options }))

/** The instances of a query's rows, and what is to be loaded beside them. */
export interface Found<A> {
  readonly ids: ReadonlyArray<InstanceId>
  readonly loads: ReadonlyArray<PlannedLoad>
  readonly joined: JoinedTargets
  /** The query as it gives at least the instances on each database. */
  readonly owners: AnySelect
  /** What was read of the answer itself. */
  readonly read: A
}

/**
 * Reads more of an answer than instances, once it is there. `own` are the rows that stand for the instances, one for each;
 * null where all of them do.
 */
export type ReadAnswer<A> = (answer: QueryAnswer, own: ReadonlyArray<number> | null) => A

const readNothing: ReadAnswer<null> = () => null

const nothingJoined: JoinedTargets = new Map()

/** The statement as hooks and criteria let it run, if it is of the session's model. */
export const asRewritten = (statement: AnySelect): Program<QueryError, AnySelect> =>
  chain((asked: AnySelect) => underCriteria(asked))(asHooked(statement))

/** The same without the criteria. */
export const asHooked = (statement: AnySelect): Program<QueryError, AnySelect> =>
  unlessFailed((state): Program<QueryError, AnySelect> => {
    const checked = checkModel(state, statement.entity)
    return isLeft(checked) ? fail(checked.left) : map(withoutPartialKeys)(hooked(statement, 'query'))
  })

/** Runs a query, and takes its rows into the state. Pending changes are flushed first. */
export const rowsOf = <A>(statement: AnySelect, read: ReadAnswer<A>): Program<QueryError, Found<A>> =>
  suspend((state): Program<QueryError, Found<A>> => {
    const wrong = checkStatement(statement)
    if (wrong !== null) return fail(invalidStatement('query', wrong))
    const { mapping } = statement.entity
    const loads = plannedLoads(state, mapping, statement.loads, statement.options)
    if (isLeft(loads)) return fail(loads.left)
    const joined = joinTo(state, statement, joiningsFor(loads.right))
    const asked = requestRows(
      state,
      { _tag: 'Query', statement, joined: joined?.statement ?? null },
      (answer, current, given): Outcome<RequestError | DecodeError | HookError, Found<A>> => {
        if (isLeft(answer)) return [answer, current]
        const options = {
          ...statement.options,
          columns: columnsOf(statement),
          columnsAs: (subtype: Mapping) => columnsAs(statement, subtype),
        }
        const populated = populate(current, mapping, answer.right, options, given)
        if (isLeft(populated)) return [populated, current]
        const [ids, next] = populated.right
        const isSharded = answer.right.batches.some(({ token }) => token !== null)
        const owners = isSharded ? withoutOffset(statement) : statement
        const found = (rows: ReadonlyArray<number> | null, targets: JoinedTargets): Found<A> => ({
          ids: rows === null ? ids : rows.map((row) => ids[row] as InstanceId),
          loads: loads.right,
          joined: targets,
          owners,
          read: read(answer.right, rows),
        })
        const parts = answer.right.isJoined ? joined?.parts : joined?.contained
        if (parts === undefined || parts.length === 0) return [right(found(null, nothingJoined)), next]
        const taken = takeJoined(next, parts, answer.right, ids, options, given)
        if (isLeft(taken)) return [taken, current]
        const own = repeats(parts) ? ownRows(parts, answer.right, ids) : null
        return [right(found(own, taken.right[0])), taken.right[1]]
      },
    )
    const found = chain((rows: Found<A>) =>
      map(() => rows)(chain(() => loadSubtypes(statement.subtypes, rows.ids))(withOrigin(statement, rows.ids))),
    )(asked)
    return statement.options.autoflush === false ? found : chain(() => found)(autoflush)
  })
