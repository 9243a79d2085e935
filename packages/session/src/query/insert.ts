/**
 * Inserts past the unit of work.
 */
import {
  type AnyInsert,
  canHaveDefaults,
  checkStatement,
  type InsertRows,
  type InstanceId,
  insertDraws,
  insertRowsOf,
  type Mapping,
  type RowColumns,
  rowColumns,
  type Services,
  Snapshot,
  withDefaults,
  withDrawnValues,
} from '@unitary/core'
import { isLeft, right } from 'fp-ts/lib/Either.js'
import {
  type DecodeError,
  type HookError,
  type InvalidStatement,
  invalidStatement,
  type ModelMismatch,
  type RequestError,
} from '../error.js'
import { rewrittenInsert } from '../hook/execute.js'
import { requestRows } from '../hook/loaded.js'
import { populate } from '../load/populate.js'
import { reloadExpired } from '../load/reload.js'
import { allOrNone } from '../program/all-or-none.js'
import { autoflush, type FlushError, unlessFailed } from '../program/flush.js'
import { ask, chain, fail, map, type Outcome, of, type Program, suspend } from '../program/program.js'
import { instanceAt } from '../state/session-state.js'
import { type Inserted, inserted } from '../transition/inserted.js'
import { checkModel } from '../transition/transition.js'

/** Why an insert past the unit of work fails. @category errors */
export type InsertError = FlushError | ModelMismatch | DecodeError

/** What an insert answers: how many rows it wrote, or those. */
type Answer = number | ReadonlyArray<Snapshot>

/**
 * Runs an insert past the unit of work: see `execute`.
 *
 * @category queries
 */
export const executeInsert = (statement: AnyInsert): Program<InsertError, Answer> =>
  unlessFailed((state): Program<InsertError, Answer> => {
    const checked = checkModel(state, statement.entity)
    if (isLeft(checked)) return fail(checked.left)
    return chain((asked: AnyInsert): Program<InsertError, Answer> => {
      const wrong = checkStatement(asked)
      return wrong === null
        ? chain(insertComplete)(chain(drawn)(filled(asked)))
        : fail(invalidStatement('insert', wrong))
    })(rewrittenInsert(statement))
  })

const filled = (statement: AnyInsert): Program<RequestError, AnyInsert> =>
  canHaveDefaults(statement)
    ? map((services: Services) => withDefaults(services)(statement))(ask({ _tag: 'Services' }))
    : of(statement)

/** The insert with the ids that its rows leave out: each generator is asked once for all of them, and only for rows that are fit. */
const drawn = (statement: AnyInsert): Program<RequestError | InvalidStatement, AnyInsert> => {
  const draws = insertDraws(statement)
  if (draws.length === 0) return of(statement)
  const rows = insertRowsOf(withDrawnValues(draws, [])(statement))
  if (isLeft(rows)) return fail(invalidStatement('insert', rows.left))
  return map((ids: ReadonlyArray<ReadonlyArray<bigint>>) => withDrawnValues(draws, ids)(statement))(
    ask({ _tag: 'Draw', draws }),
  )
}

const insertComplete = (statement: AnyInsert): Program<InsertError, Answer> => {
  const rows = insertRowsOf(statement)
  if (isLeft(rows)) return fail(invalidStatement('insert', rows.left))
  // no row, no statement
  if (rows.right?.given.length === 0) return of(statement.answers === 'entities' ? [] : 0)
  const flushed = statement.options.autoflush === false ? of(undefined) : autoflush
  const isOne = rows.right === null || rows.right.given.length === 1
  const written = write(statement, rows.right)
  return chain(() => completed(statement, isOne ? written : allOrNone(written)))(flushed)
}

const write = (
  statement: AnyInsert,
  rows: InsertRows | null,
): Program<RequestError | DecodeError | HookError, Answer> =>
  suspend((before) =>
    requestRows(
      before,
      { _tag: 'Insert', statement, rows },
      (answer, state, services): Outcome<RequestError | DecodeError | HookError, Answer> => {
        if (isLeft(answer)) return [answer, state]
        const { batches } = answer.right
        const current = inserted(state, statement, rows, batches)
        if (statement.answers === 'count') {
          return [right(batches.reduce((sum, { affected }) => sum + affected, 0)), current]
        }
        const { mapping } = statement.entity
        const { strict = true } = statement.options
        const columns = mapping.expressions.length === 0 ? null : storedColumns(mapping)
        const populated = populate(current, mapping, answerOf(batches), { strict, columns }, services)
        if (isLeft(populated)) return [populated, current]
        const [ids, next] = populated.right
        return [right(ids.map((id: InstanceId) => instanceAt(next, id).snapshot)), next]
      },
    ),
  )

/** What expressions compute of rows that were written is read once they are there. */
const completed = (
  { answers, entity: { mapping } }: AnyInsert,
  written: Program<InsertError, Answer>,
): Program<InsertError, Answer> =>
  answers === 'count' || mapping.expressions.every(({ isDeferred }) => isDeferred)
    ? written
    : chain((answer: Answer) => {
        const ids = (answer as ReadonlyArray<Snapshot>).map((one) => Snapshot.instanceOf(one) as InstanceId)
        return chain(() => suspend((state) => of<Answer>(ids.map((id) => instanceAt(state, id).snapshot))))(
          reloadExpired(mapping, ids),
        )
      })(written)

/** A written row has what tables hold. */
const storedColumns = (mapping: Mapping): RowColumns =>
  rowColumns(mapping, ({ isDeferred, isStored, name }) => (isDeferred || !isStored ? null : name))

/** The rows of all databases, in the order of those given. */
const answerOf = (batches: ReadonlyArray<Inserted>) => ({
  batches: batches.map(({ dialect, rows, token }) => ({ dialect, token, rows: rows ?? [] })),
  order: batches.length < 2 ? null : orderOf(batches),
  isJoined: false,
})

const orderOf = (batches: ReadonlyArray<Inserted>): ReadonlyArray<number> =>
  batches
    .flatMap(({ places }, batch) => (places ?? []).map((place) => ({ batch, place })))
    .toSorted((a, b) => a.place - b.place)
    .map(({ batch }) => batch)
