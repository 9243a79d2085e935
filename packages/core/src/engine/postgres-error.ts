/**
 * Classifies the errors of PostgreSQL by their SQLSTATE, which the driver gives with the constraint, table and column.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
import { type EngineError, type EngineReason, engineError } from './error.js'
import { codeOf, connectionReason, type ErrorDetails, firstGroup, messageOf, plain, textOf } from './error-parts.js'

/**
 * The columns in `Key (email, "userId")=(...) already exists.` An index over an expression names no column, and is left
 * as it is written.
 */
const keyColumns = (detail: string | null): ReadonlyArray<string> => {
  const list = detail === null ? null : firstGroup(/^Key \((.+?)\)=\(/, detail)
  return list === null ? [] : (list.match(/"(?:[^"]|"")+"|[^,]+/g) ?? []).map((name) => unquoted(name.trim()))
}

const unquoted = (name: string): string =>
  name.startsWith('"') && name.endsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name

const column = (cause: unknown): ReadonlyArray<string> => {
  const name = textOf(cause, 'column')
  return name === null ? [] : [name]
}

const reasonOf = (code: string, message: string, cause: unknown): EngineReason => {
  const constraint = textOf(cause, 'constraint')
  const table = textOf(cause, 'table')
  const detail = textOf(cause, 'detail')
  switch (code) {
    case '23505':
    case '23P01': // an exclusion constraint, of which a unique one is a case
      return { _tag: 'UniqueViolation', constraint, table, columns: keyColumns(detail) }
    case '23503':
    case '23001':
      // where a row is still referenced the key in the detail is that of the other table
      return {
        _tag: 'ForeignKeyViolation',
        constraint,
        table,
        columns: message.startsWith('insert or update') ? keyColumns(detail) : [],
      }
    case '23502':
      return { _tag: 'NotNullViolation', table, columns: column(cause) }
    case '23514':
      return { _tag: 'CheckViolation', constraint, table }
    case '42P01':
      return { _tag: 'UnknownTable', table: firstGroup(/(?:relation|table) "(.+)" does not exist/, message) }
    case '42703':
      return { _tag: 'UnknownColumn', column: firstGroup(/column "?([^"\s]+)"?/, message) }
    case '42601':
      return plain('SyntaxError')
    case '40001':
      return plain('SerializationFailure')
    case '40P01':
      return plain('Deadlock')
    case '55P03':
      return plain('LockTimeout')
    case '57014':
      return plain(message.includes('timeout') ? 'StatementTimeout' : 'Unknown')
    case '28000':
    case '28P01':
      return plain('AuthenticationFailed')
    case '25006':
      return plain('ReadOnly')
    case '53100':
      return plain('Full')
    case '0A000':
      return plain('Unsupported')
    case '55000':
      // of a prepared transaction that another connection is just ending
      return plain(prepareIsOff.test(message) ? 'Unsupported' : message.endsWith('is busy') ? 'LockTimeout' : 'Unknown')
    default:
      return connectionReason(code, message) ?? plain(/^(08|57P|53300|25P03)/.test(code) ? 'ConnectionLost' : 'Unknown')
  }
}

const prepareIsOff = /prepared transactions are disabled/

/** What the server gives as a hint where it says why. */
const cured = (message: string): string =>
  prepareIsOff.test(message) || message === 'maximum number of prepared transactions reached'
    ? `${message}; set max_prepared_transactions to a number of connections, and restart the server`
    : message

/**
 * @category errors
 */
export const postgresError = (cause: unknown, details: ErrorDetails = {}): EngineError => {
  const message = cured(messageOf(cause))
  return engineError(reasonOf(codeOf(cause), message, cause), message, { ...details, cause })
}
