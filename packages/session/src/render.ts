/**
 * The sentences for what can go wrong in a session.
 */
import { renderStatementError } from '@unitary/core'
import type { DecodeError, HookLoop, HookRefused, SessionError } from './error.js'
import type { ShardToken } from './state/identity-map.js'

const on = (shard: ShardToken | null): string => (shard === null ? '' : ` on shard '${shard}'`)

/** Where the driver has made of a value what it was not. */
const cureOf = ({ value }: DecodeError): string =>
  value instanceof Date
    ? '; the driver made a Date of it, in a time zone that nobody can tell: have it give text (mysql2: dateStrings)'
    : typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? '; the driver has rounded it: have it give text (mysql2: supportBigNumbers)'
      : ''

const show = (value: unknown): string => {
  const text = typeof value === 'bigint' ? `${value}n` : (toText(value) ?? String(value))
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** Undefined for what JSON cannot say: functions, cycles. */
const toText = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))
  } catch {
    return undefined
  }
}

/** Where a hook belongs: `User.name`, `User`, or the session. */
const belongsTo = ({ entity, attribute }: HookRefused | HookLoop): string =>
  entity === null ? 'the session' : attribute === null ? entity : `${entity}.${attribute}`

/**
 * One sentence for a person: the thing, the place, the cure.
 *
 * @category interpreters
 */
export const render = (error: SessionError): string => {
  switch (error._tag) {
    case 'NotEvaluable':
      return `Only the database can evaluate '${error.expression}' in a bulk statement on ${error.entity}; synchronize by 'fetch' instead.`
    case 'NotInSession':
      return `The value given for ${error.entity} is no snapshot of an instance in this session; get or add it first.`
    case 'ModelMismatch':
      return `${error.entity} belongs to another model than the session's; use the model that the runtime was made with.`
    case 'InvalidValue':
      return `${error.attribute === '' ? error.entity : `${error.entity}.${error.attribute}`} cannot be ${show(error.value)}: ${error.problem}.`
    case 'Misrepresented':
      return `${error.step} of the representation of ${error.entity} failed: ${error.problem}.`
    case 'InvalidState':
      return `${error.operation} is not for ${error.entity} ${show(error.key)}, which is ${error.status}.`
    case 'NotLoaded':
      return `${error.entity}.${error.attribute} of ${show(error.key)} is not loaded; load it first.`
    case 'RaisedLoad':
      return error.strategy === 'raise'
        ? `${error.entity}.${error.relationship} of ${show(error.key)} may not be loaded one by one: load it with the query that gives its owners (selectin, joined), or say lazy there.`
        : `${error.entity}.${error.relationship} of ${show(error.key)} is never loaded as a whole; Session.members gives a query of it.`
    case 'DecodeError':
      return `${error.table}.${error.column} of the row ${show(error.key)}${on(error.shard)} holds ${show(error.value)}, which is no ${error.expected} (${error.entity}.${error.attribute})${cureOf(error)}.`
    case 'IntegrityError':
      return `${error.entity} ${error.key === null ? '' : `${show(error.key)} `}was refused by table ${error.table}${on(error.shard)}: ${error.cause.message}${
        error.attributes.length === 0
          ? ''
          : ` (${error.attributes.map((attribute, i) => (i < error.values.length ? `${attribute} = ${show(error.values[i])}` : attribute)).join(', ')})`
      }.`
    case 'InvalidStatement':
      return `The ${error.operation} cannot run: ${renderStatementError(error.cause)}.`
    case 'DatabaseError':
      return `${error.operation}${error.entity === null ? '' : ` of ${error.entity}`} failed${on(error.shard)}: ${error.cause.message} (${error.cause.reason._tag}${error.retryable ? ', may be tried again' : ''}).`
    case 'StaleData':
      return `The update of ${error.entity} ${show(error.key)} in ${error.table}${on(error.shard)} matched ${error.matched} rows instead of one: it was changed or deleted elsewhere; refresh it.`
    case 'ObjectDeleted':
      return `The row of ${error.entity} ${show(error.key)} is gone${on(error.shard)}.`
    case 'MultipleResults':
      return `${error.count} rows of ${error.entity} answer where one was asked for${
        error.shards.length === 0 ? '; narrow the query' : `, on shards ${error.shards.join(', ')}; name the shard`
      }.`
    case 'NoResult':
      return `No row of ${error.entity} answers the query.`
    case 'CircularDependency':
      return `No order of writes exists for ${error.path.join(' -> ')}: each row needs the key of the next.`
    case 'UniqueClash':
      return `No order of writes lets ${error.path[1]} take ${error.attributes.map((attribute, i) => `${attribute} = ${show(error.values[i])}`).join(', ')} from ${error.path[0]}, and no temporary value would do; flush once in between, or let one of the columns be nullable.`
    case 'MissingKey':
      return `${error.entity} has no value for its key (${error.attributes.join(', ')}); give one, or mark the column as generated.`
    case 'SingleParent':
      return `${error.target} ${error.key === null ? '' : `${show(error.key)} `}belongs to another ${error.entity} by ${error.relationship}, which allows one only; take it from there first.`
    case 'BlanksPrimaryKey':
      return `${error.entity} ${show(error.key)} would lose its key (${error.attributes.join(', ')}) with the relationship that fills it; remove it, or relate it to another.`
    case 'PendingRollback':
      return `The transaction failed earlier (${error.message}); roll back before going on.`
    case 'Interrupted':
      return 'The run was aborted; what it had not committed is rolled back.'
    case 'TransactionBegun':
      return 'A transaction is open already; commit it or roll it back before beginning another.'
    case 'NoSavepoint':
      return 'No savepoint is open; begin one with beginNested.'
    case 'RoutingError':
      return error.message
    case 'PartlyCommitted':
      return `The commit failed${on(error.shard)}: ${error.cause.message}; ${error.committed.join(', ')} had been committed, and stay so. Give the runtime the level atomic, where all or none is wanted.`
    case 'CommitUnknown':
      return `Whether the commit was done cannot be told: ${error.cause.message}${on(error.shard)}. ${
        error.transaction === null
          ? 'Look before trying again; with exactlyOnce there is an answer.'
          : `Ask outcomeOf for ${error.transaction} before trying again.`
      }`
    case 'NotSynchronous':
      return `${error.operation} needs to wait; use run instead of runSync.`
    case 'HookRefused':
      return `The ${error.hook} hook of ${belongsTo(error)} refused: ${error.reason.replace(/\.$/, '')}.`
    case 'HookLoop':
      return `The ${error.hook} hook of ${belongsTo(error)} asked for changes that call it again, ${error.depth} times over; let it keep what is in step already.`
  }
}
