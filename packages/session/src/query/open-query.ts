/**
 * Queries that are open, to be read in portions.
 */
import {
  type AnySelect,
  checkStatement,
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
import type { LoadError } from '../load/error.js'
import { type JoinedTargets, takeJoined } from '../load/joined.js'
import { originOf, type PlannedLoad, plannedLoads } from '../load/planned-load.js'
import { populate } from '../load/populate.js'
import { ask, chain, fail, map, type Program, suspend } from '../program/program.js'
import type { CursorId, QueryAnswer } from '../program/request.js'
import type { SessionState } from '../state/session-state.js'
import { asRewritten, type QueryError } from './query.js'

/**
 * A query whose rows are fetched in portions.
 *
 * @category model
 */
export interface OpenQuery {
  readonly cursor: CursorId
  /** As the hooks let it run. */
  readonly statement: AnySelect
  readonly mapping: Mapping
  /** Where its rows have the attributes, if not where every row has them. */
  readonly columns: RowColumns | null
  readonly loads: ReadonlyArray<PlannedLoad>
  /** What its rows have of relationships, since it joins them itself. */
  readonly contained: ReadonlyArray<JoinedPart>
}

/** What a portion of rows brought. */
export interface Portion {
  readonly ids: ReadonlyArray<InstanceId>
  readonly joined: JoinedTargets
}

/** Rows of a portion where nobody says. */
export const defaultChunk = 1000

/**
 * Opens a query that is read so many rows at a time. `isAlone`: nothing but reading is done until it is closed.
 *
 * @category queries
 */
export const openQuery = (statement: AnySelect, chunk: number, isAlone: boolean): Program<QueryError, OpenQuery> => {
  const fault = chunkFault(statement, chunk)
  return fault === null ? chain((asked: AnySelect) => opened(asked, isAlone))(asRewritten(statement)) : fail(fault)
}

const chunkFault = (statement: AnySelect, chunk: number): InvalidValue | null =>
  Number.isSafeInteger(chunk) && chunk > 0
    ? null
    : {
        _tag: 'InvalidValue',
        entity: statement.entity.name,
        attribute: 'chunk',
        value: chunk,
        problem: 'a chunk is a whole number of rows, at least one',
      }

const opened = (statement: AnySelect, isAlone: boolean): Program<QueryError, OpenQuery> =>
  suspend((state): Program<QueryError, OpenQuery> => {
    const wrong = checkStatement(statement)
    if (wrong !== null) return fail(invalidStatement('query', wrong))
    const { mapping } = statement.entity
    const loads = plannedLoads(state.model, mapping, statement.loads)
    if (isLeft(loads)) return fail(loads.left)
    const columns = columnsOf(statement)
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
 * Takes a portion into the state, and gives the instances of its rows, and what those contain of relationships.
 *
 * @category transitions
 */
export const takePortion = (
  state: SessionState,
  { columns, contained, mapping, statement }: OpenQuery,
  answer: QueryAnswer,
  services: Services,
): Either<DecodeError | HookError, readonly [Portion, SessionState]> => {
  const options = { ...statement.options, columns }
  const populated = populate(state, mapping, answer, options, services)
  if (isLeft(populated)) return populated
  const [ids, next] = populated.right
  if (contained.length === 0) return right([{ ids, joined: nothingJoined }, next])
  const taken = takeJoined(next, contained, answer, ids, options, services)
  return isLeft(taken) ? taken : right([{ ids, joined: taken.right[0] }, taken.right[1]])
}

const nothingJoined: JoinedTargets = new Map()

/**
 * Loads what the query loads beside a portion: by the portion's keys, whatever the strategy, since neither a join nor the
 * query itself would keep to its rows.
 *
 * @category loading
 */
export const loadBeside = (
  { loads, statement }: OpenQuery,
  { ids, joined }: Portion,
): Program<LoadError, ReadonlyArray<LoadedRelationship>> =>
  pipe(
    withOrigin(originOf(statement), ids),
    chain(() => loadPlanned(loads, ids, { query: null, joined, options: statement.options })),
  )
