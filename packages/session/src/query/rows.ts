/**
 * Queries of rows of any shape, and of how many rows there are.
 */
import {
  type AnyQuery,
  type AnyRows,
  type AnySelect,
  checkStatement,
  type Extent,
  entitiesOf,
  type InstanceId,
  ofEntities,
  type RowShape,
  type Rows,
} from '@unitary/core'
import { isLeft, right } from 'fp-ts/lib/Either.js'
import { none, some } from 'fp-ts/lib/Option.js'
import { type DecodeError, type HookError, invalidStatement, type RequestError } from '../error.js'
import { underCriteria } from '../hook/execute.js'
import { requestRows } from '../hook/loaded.js'
import { type LoadedRelationship, loadPlanned, withOrigin } from '../load/eager.js'
import { plannedLoads } from '../load/planned-load.js'
import { type TakenOutput, takeRows } from '../load/take-rows.js'
import { snapshots, type View, viewOf } from '../load/view.js'
import { autoflush } from '../program/flush.js'
import {
  ask,
  chain,
  fail,
  gets,
  map,
  type Outcome,
  of,
  type Program,
  suspend,
  traverseArray,
} from '../program/program.js'
import type { SessionState } from '../state/session-state.js'
import { asHooked, asRewritten, type QueryError } from './query.js'

/**
 * The rows of a query, in its order: each has the instances, with what the query loads beside them, and the values that it
 * was asked for. Pending changes are flushed first.
 *
 * @example
 * pipe(
 *   select(model.User),
 *   selectRows((q) => ({ user: q.entity(), posts: q.selectFrom('posts').select((p) => p.fn.countAll().as('n')) })),
 *   Session.rows,
 * )
 *
 * @category queries
 */
export const rows = <M, N extends string, A, X extends Extent>(
  statement: Rows<M, N, A, X>,
): Program<QueryError, ReadonlyArray<A>> =>
  chain((asked: AnyRows) =>
    chain((taken: ReadonlyArray<TakenOutput>) =>
      map((found: ReadonlyArray<unknown>) => found as ReadonlyArray<A>)(showRows(asked, taken)),
    )(takenFrom(asked)),
  )(asRewrittenQuery(statement))

/**
 * How many rows a query gives: its limit, DISTINCT and groups count in. Pending changes are flushed first.
 *
 * @category queries
 */
export const count = (statement: AnyQuery): Program<QueryError, number> => counted(statement, 'count')

/**
 * Whether a query gives any row. Pending changes are flushed first.
 *
 * @category queries
 */
export const exists = (statement: AnyQuery): Program<QueryError, boolean> =>
  map((found: number) => found > 0)(counted(statement, 'exists'))

const counted = (statement: AnyQuery, purpose: 'count' | 'exists'): Program<QueryError, number> =>
  chain((asked: AnyQuery) => flushedFirst(asked, purpose, ask({ _tag: 'Count', purpose, statement: asked })))(
    asRewrittenQuery(statement),
  )

/**
 * A query as hooks and criteria let it run. Hooks are shown the query of entities that rows are made of; criteria are of all
 * that they read.
 */
export const asRewrittenQuery = <S extends AnyQuery>(statement: S): Program<QueryError, S> => {
  if (statement._tag === 'Select') return asRewritten(statement) as Program<QueryError, never>
  const before = entitiesOf(statement)
  return chain((after: AnySelect) => underCriteria(after === before ? statement : (ofEntities(statement, after) as S)))(
    asHooked(before),
  )
}

const flushedFirst = <E, A>(
  statement: AnyQuery,
  operation: string,
  program: Program<E, A>,
): Program<E | QueryError, A> => {
  const wrong = checkStatement(statement)
  if (wrong !== null) return fail(invalidStatement(operation, wrong))
  return statement.options.autoflush === false ? program : chain((): Program<E | QueryError, A> => program)(autoflush)
}

const takenFrom = (statement: AnyRows): Program<QueryError, ReadonlyArray<TakenOutput>> =>
  suspend((state) =>
    flushedFirst(
      statement,
      'query',
      requestRows(
        state,
        { _tag: 'Query', statement, joined: null },
        (answer, current, given): Outcome<RequestError | DecodeError | HookError, ReadonlyArray<TakenOutput>> => {
          if (isLeft(answer)) return [answer, current]
          const taken = takeRows(current, statement, answer.right, given)
          return isLeft(taken) ? [taken, current] : [right(taken.right[0]), taken.right[1]]
        },
      ),
    ),
  )

/** What stands in each row under one name. */
type Column = ReadonlyArray<unknown>

/** How instances are shown alone. */
type Showing = (state: SessionState) => View

/**
 * What was taken of rows, as a program sees it: instances with what is loaded beside them, by one statement a relationship.
 *
 * @category queries
 */
export const showRows = (
  statement: AnyRows,
  taken: ReadonlyArray<TakenOutput>,
  showing: Showing = snapshots,
): Program<QueryError, ReadonlyArray<unknown>> =>
  map((columns: ReadonlyArray<Column>) => assembled(statement, columns))(
    traverseArray((output: TakenOutput) => shownOf(statement, output, showing))(taken),
  )

/** Entities are shown with what is loaded beside them; that of the query with the loads of the query. */
const shownOf = (statement: AnyRows, taken: TakenOutput, showing: Showing): Program<QueryError, Column> => {
  if (taken._tag === 'Values') return of(taken.values)
  const { alias, isOptional, mapping } = taken.output
  const { options, query } = statement
  return suspend((state): Program<QueryError, Column> => {
    const loads = plannedLoads(state, mapping, alias === null ? query.loads : [], options)
    if (isLeft(loads)) return fail(loads.left)
    const ids = taken.ids.filter((id): id is InstanceId => id !== null)
    const loaded = chain(() => loadPlanned(loads.right, ids, { query: null, joined: new Map(), options }))(
      withOrigin({ loads: alias === null ? query.loads : [], options }, ids),
    )
    return chain((beside: ReadonlyArray<LoadedRelationship>) =>
      gets((current): Column => {
        const view = viewOf(current, mapping, beside, showing(current))
        const show = (id: InstanceId | null): unknown => (id === null ? none : isOptional ? some(view(id)) : view(id))
        return taken.ids.map(show)
      }),
    )(loaded)
  })
}

const assembled = ({ outputs, shape }: AnyRows, columns: ReadonlyArray<Column>): ReadonlyArray<unknown> => {
  const [first = []] = columns
  if (shape === 'scalar') return first
  const names = outputs.map(({ name }) => name)
  return first.map((_, i) => rowOf(shape, names, columns, i))
}

const rowOf = (shape: RowShape, names: ReadonlyArray<string>, columns: ReadonlyArray<Column>, at: number): unknown => {
  if (shape === 'tuple') return columns.map((column) => column[at])
  const row: Record<string, unknown> = {}
  for (let i = 0; i < names.length; i++) row[names[i] as string] = (columns[i] as Column)[at]
  return row
}
