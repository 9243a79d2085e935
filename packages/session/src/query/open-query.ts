/**
 * Queries that are open, to be read in portions.
 */
import {
  type AnyQuery,
  type AnyRows,
  checkStatement,
  columnsAs,
  columnsOf,
  containedParts,
  type InstanceId,
  invalidClause,
  type JoinedPart,
  type Mapping,
  type RowColumns,
  type Services,
  type StatementError,
} from '@unitary/core'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { type DecodeError, type HookError, type InvalidValue, invalidStatement } from '../error.js'
import { joiningsFor, type LoadedRelationship, loadPlanned, withOrigin } from '../load/eager.js'
import { type JoinedTargets, takeJoined } from '../load/joined.js'
import { type PlannedLoad, plannedLoads } from '../load/planned-load.js'
import { populate } from '../load/populate.js'
import { loadSubtypes } from '../load/subtypes.js'
import { type TakenOutput, takeRows } from '../load/take-rows.js'
import { snapshots, type View, viewOf } from '../load/view.js'
import { ask, chain, fail, gets, map, type Program, suspend } from '../program/program.js'
import type { CursorId, QueryAnswer } from '../program/request.js'
import type { SessionState } from '../state/session-state.js'
import type { QueryError } from './query.js'
import { asRewrittenQuery, showRows } from './rows.js'

/**
 * A query whose rows are fetched in portions.
 *
 * @category model
 */
export interface OpenQuery {
  readonly cursor: CursorId
  /** As the hooks let it run. */
  readonly statement: AnyQuery
  readonly mapping: Mapping
  /** Where its rows have the attributes, if not where every row has them. */
  readonly columns: RowColumns | null
  readonly loads: ReadonlyArray<PlannedLoad>
  /** What its rows have of relationships, since it joins them itself. */
  readonly contained: ReadonlyArray<JoinedPart>
}

/** Rows of a portion where nobody says. */
export const defaultChunk = 1000

/**
 * Opens a query that is read so many rows at a time. `isAlone`: nothing but reading is done until it is closed.
 *
 * @category queries
 */
export const openQuery = (statement: AnyQuery, chunk: number, isAlone: boolean): Program<QueryError, OpenQuery> => {
  const fault = chunkFault(statement, chunk)
  return fault === null ? chain((asked: AnyQuery) => opened(asked, isAlone))(asRewrittenQuery(statement)) : fail(fault)
}

const chunkFault = (statement: AnyQuery, chunk: number): InvalidValue | null =>
  Number.isSafeInteger(chunk) && chunk > 0
    ? null
    : {
        _tag: 'InvalidValue',
        entity: statement.entity.name,
        attribute: 'chunk',
        value: chunk,
        problem: 'a chunk is a whole number of rows, at least one',
      }

const opened = (statement: AnyQuery, isAlone: boolean): Program<QueryError, OpenQuery> =>
  suspend((state): Program<QueryError, OpenQuery> => {
    const wrong = checkStatement(statement)
    if (wrong !== null) return fail(invalidStatement('query', wrong))
    const { mapping } = statement.entity
    const loads =
      statement._tag === 'Rows' ? right([]) : plannedLoads(state, mapping, statement.loads, statement.options)
    if (isLeft(loads)) return fail(loads.left)
    const columns = statement._tag === 'Rows' ? null : columnsOf(statement)
    const contained = containedParts(joiningsFor(loads.right))
    const collection = contained.find(({ relationship }) => relationship.isCollection)
    if (collection !== undefined) return fail(invalidStatement('query', lyingAcross(collection)))
    return map(
      (cursor: CursorId): OpenQuery => ({ cursor, statement, mapping, columns, loads: loads.right, contained }),
    )(ask({ _tag: 'OpenCursor', statement, isAlone }))
  })

const lyingAcross = ({ relationship: { name, owner } }: JoinedPart): StatementError =>
  invalidClause(
    owner.name,
    'containsEager',
    name,
    'rows are read in portions, and those of one collection may come in several; load it by selectin',
  )

/**
 * What a portion brought: the instances of its rows, or what its rows hold.
 *
 * @category model
 */
export type Portion =
  | {
      readonly _tag: 'Instances'
      readonly size: number
      readonly ids: ReadonlyArray<InstanceId>
      readonly joined: JoinedTargets
    }
  | { readonly _tag: 'Rows'; readonly size: number; readonly rows: AnyRows; readonly taken: ReadonlyArray<TakenOutput> }

/**
 * Takes a portion into the state, and what its rows contain of relationships.
 *
 * @category transitions
 */
export const takePortion = (
  state: SessionState,
  { columns, contained, mapping, statement }: OpenQuery,
  answer: QueryAnswer,
  services: Services,
): Either<DecodeError | HookError, readonly [Portion, SessionState]> => {
  const size = answer.batches.reduce((sum, { rows }) => sum + rows.length, 0)
  if (statement._tag === 'Rows') {
    const taken = takeRows(state, statement, answer, services)
    return isLeft(taken)
      ? taken
      : right([{ _tag: 'Rows', size, rows: statement, taken: taken.right[0] }, taken.right[1]])
  }
  const options = {
    ...statement.options,
    columns,
    columnsAs: (subtype: Mapping) => columnsAs(statement, subtype),
  }
  const populated = populate(state, mapping, answer, options, services)
  if (isLeft(populated)) return populated
  const [ids, next] = populated.right
  if (contained.length === 0) return right([{ _tag: 'Instances', size, ids, joined: nothingJoined }, next])
  const taken = takeJoined(next, contained, answer, ids, options, services)
  return isLeft(taken) ? taken : right([{ _tag: 'Instances', size, ids, joined: taken.right[0] }, taken.right[1]])
}

const nothingJoined: JoinedTargets = new Map()

/**
 * The results of a portion, with what the query loads beside them: by the portion's keys, whatever the strategy, since
 * neither a join nor the query itself would keep to its rows.
 *
 * @category loading
 */
export const showPortion = (
  { loads, mapping, statement }: OpenQuery,
  portion: Portion,
  showing: (state: SessionState) => View = snapshots,
): Program<QueryError, ReadonlyArray<unknown>> => {
  if (portion._tag === 'Rows') return showRows(portion.rows, portion.taken, showing)
  const { ids, joined } = portion
  return pipe(
    withOrigin({ loads: statement._tag === 'Rows' ? [] : statement.loads, options: statement.options }, ids),
    chain(() => loadSubtypes(statement._tag === 'Rows' ? [] : statement.subtypes, ids)),
    chain(() => loadPlanned(loads, ids, { query: null, joined, options: statement.options })),
    chain((beside: ReadonlyArray<LoadedRelationship>) =>
      gets((state) => ids.map(viewOf(state, mapping, beside, showing(state)))),
    ),
  )
}
