/**
 * Updates and deletes by criteria.
 */
import {
  type AnyDelete,
  type AnyUpdate,
  changesKey,
  checkStatement,
  type EvaluableCriteria,
  evaluateCriteria,
  missingUpdateDefaults,
  type NotEvaluable,
  type Services,
  type TextComparison,
  withUpdateDefaults,
} from '@unitary/core'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import { invalidStatement, type ModelMismatch, type RequestError } from '../error.js'
import { hooked, underCriteria } from '../hook/execute.js'
import { autoflush, type FlushError, unlessFailed } from '../program/flush.js'
import { ask, chain, fail, map, type Outcome, of, type Program, request } from '../program/program.js'
import { operationOf } from '../program/request.js'
import { bulkWritten } from '../transition/bulk.js'
import { checkModel } from '../transition/transition.js'

/** Why a bulk statement fails. @category errors */
export type BulkError = FlushError | ModelMismatch | NotEvaluable

/**
 * How instances that the session holds learn of a bulk statement.
 *
 * - `evaluate`: its criteria are evaluated on what the session knows of them, and `NotEvaluable` names what only the
 *   database can. Instances that have expired are left to their next load; of one that is known too little to tell, what
 *   the statement sets is expired, and all of it where the statement deletes or changes keys.
 * - `fetch`: the database tells the keys of the rows that it met: the statement returns them where it can (SQLite and
 *   PostgreSQL; MariaDB for DELETE, see the engine's option `returning`), else they are selected first.
 * - `auto`: the first where that is as good as the second, which is where the criteria can be evaluated as the database
 *   does and the statement changes no key; else the second.
 * - `none`: not at all, until they expire.
 *
 * Attributes that an update sets have their new value, where it is a value or simple arithmetic, or else are expired. Of
 * instances that it concerns, changes to those attributes that no flush has written are forgotten.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/queryguide/dml.html#selecting-a-synchronization-strategy
 * @category model
 */
export type Synchronize = 'auto' | 'evaluate' | 'fetch' | 'none'

/**
 * Runs an update or delete by criteria, on every shard that it concerns, and gives the number of rows that it met.
 *
 * @category queries
 */
export const executeByCriteria =
  (options: { readonly synchronize?: Synchronize }) =>
  (statement: AnyUpdate | AnyDelete): Program<BulkError, number> =>
    unlessFailed((state): Program<BulkError, number> => {
      const checked = checkModel(state, statement.entity)
      if (isLeft(checked)) return fail(checked.left)
      return chain((asked: AnyUpdate | AnyDelete) => writeChecked(asked, options.synchronize ?? 'auto'))(
        chain((asked: AnyUpdate | AnyDelete) => underCriteria(asked))(hooked(statement, 'bulk')),
      )
    })

const writeChecked = (statement: AnyUpdate | AnyDelete, synchronize: Synchronize): Program<BulkError, number> => {
  const wrong = checkStatement(statement)
  if (wrong !== null) return fail(invalidStatement(operationOf(statement), wrong))
  const flushed = statement.options.autoflush === false ? of(undefined) : autoflush
  return chain(() => chain((complete: AnyUpdate | AnyDelete) => write(complete, synchronize))(withDefaults(statement)))(
    flushed,
  )
}

const withDefaults = (statement: AnyUpdate | AnyDelete): Program<RequestError, AnyUpdate | AnyDelete> =>
  statement._tag === 'Update' && missingUpdateDefaults(statement).length > 0
    ? map((services: Services) => withUpdateDefaults(services)(statement))(ask({ _tag: 'Services' }))
    : of(statement)

const write = (
  statement: AnyUpdate | AnyDelete,
  synchronize: Synchronize,
): Program<RequestError | NotEvaluable, number> => {
  const chosen = synchronization(statement, synchronize)
  if (isLeft(chosen)) return fail(chosen.left)
  const { criteria, keysOn } = chosen.right
  return request({ _tag: 'Write', statement, keysOn }, (answer, state): Outcome<RequestError, number> => {
    if (isLeft(answer)) return [answer, state]
    const { batches } = answer.right
    const affected = batches.reduce((sum, written) => sum + written.affected, 0)
    return [right(affected), bulkWritten(state, statement, batches, criteria)]
  })
}

/** How it is told which instances a statement concerns: by keys on some databases, on the others by its criteria, if at all. */
interface Synchronization {
  readonly keysOn: ReadonlyArray<TextComparison>
  readonly criteria: EvaluableCriteria | null
}

const byKeys: Synchronization = { keysOn: ['code points', 'equality', 'collation'], criteria: null }
const notAtAll: Synchronization = { keysOn: [], criteria: null }

const synchronization = (
  statement: AnyUpdate | AnyDelete,
  synchronize: Synchronize,
): Either<NotEvaluable, Synchronization> => {
  if (synchronize === 'none') return right(notAtAll)
  // which row has which key now is not to be told of instances that have expired
  if (synchronize === 'fetch' || (synchronize === 'auto' && changesKey(statement))) return right(byKeys)
  const criteria = evaluateCriteria(statement)
  if (isLeft(criteria)) return synchronize === 'auto' ? right(byKeys) : criteria
  return right({ criteria: criteria.right, keysOn: synchronize === 'auto' ? criteria.right.unsureOn : [] })
}
