/**
 * Classifies the errors of MySQL and MariaDB by their number. The symbolic code that `mysql2` gives is MySQL's name of
 * the number, which is wrong where MariaDB uses the number for something else; constraints, tables and columns are in
 * the message only.
 *
 * @see https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
 * @see https://mariadb.com/kb/en/mariadb-error-code-reference/
 */
import { type EngineError, type EngineReason, engineError } from './error.js'
import { codeOf, connectionReason, type ErrorDetails, firstGroup, messageOf, plain } from './error-parts.js'

/** `Duplicate entry '1' for key 'users.email'`; MariaDB leaves the table out. */
const duplicate = (message: string): EngineReason => {
  const key = firstGroup(/for key '(.+)'$/, message)
  const dot = key?.lastIndexOf('.') ?? -1
  return {
    _tag: 'UniqueViolation',
    constraint: key === null ? null : key.slice(dot + 1),
    table: key === null || dot === -1 ? null : key.slice(0, dot),
    columns: [],
  }
}

const identifiers = (list: string): ReadonlyArray<string> =>
  Array.from(list.matchAll(/`((?:[^`]|``)+)`/g), (match) => (match[1] ?? '').replaceAll('``', '`'))

/** ``... fails (`db`.`addresses`, CONSTRAINT `fk` FOREIGN KEY (`user_id`) REFERENCES ...)`` */
const foreignKey = (message: string): EngineReason => ({
  _tag: 'ForeignKeyViolation',
  constraint: firstGroup(/CONSTRAINT `(.+?)` FOREIGN KEY/, message),
  table: firstGroup(/fails \(`.+?`\.`(.+?)`,/, message),
  columns: identifiers(firstGroup(/FOREIGN KEY \((.+?)\) REFERENCES/, message) ?? ''),
})

/** MySQL: `Check constraint 'c' is violated.`; MariaDB: ``CONSTRAINT `c` failed for `db`.`t` ``. */
const check = (message: string): EngineReason => ({
  _tag: 'CheckViolation',
  constraint: firstGroup(/constraint [`'](.+?)[`'] (?:is violated|failed)/i, message),
  table: firstGroup(/failed for `.+?`\.`(.+?)`/, message),
})

const reasonOf = (errno: number, message: string, code: string): EngineReason => {
  switch (errno) {
    case 1062:
    case 1586:
      return duplicate(message)
    case 1216:
    case 1217:
    case 1451:
    case 1452:
      return foreignKey(message)
    case 1048:
    case 1364:
      return {
        _tag: 'NotNullViolation',
        table: null,
        columns: [firstGroup(/'(.+?)'/, message)].filter((c) => c !== null),
      }
    case 3819:
    case 4025:
      return check(message)
    case 1051:
    case 1146:
      return { _tag: 'UnknownTable', table: firstGroup(/[Tt]able '(?:[^']*?\.)?([^']+)'/, message) }
    case 1054:
      return { _tag: 'UnknownColumn', column: firstGroup(/column '(.+?)'/, message) }
    case 1064:
    case 1149:
      return plain('SyntaxError')
    case 1020: // MariaDB with innodb_snapshot_isolation: the row has changed since it was read
      return plain('SerializationFailure')
    case 1213:
    case 1614: // of a branch of XA
      return plain('Deadlock')
    case 1205:
    case 1613: // of a branch of XA
    case 3572:
      return plain('LockTimeout')
    case 1969:
    case 3024:
      return plain('StatementTimeout')
    case 1044:
    case 1045:
    case 1698:
      return plain('AuthenticationFailed')
    case 1290:
    case 1792:
    case 1836:
      return plain('ReadOnly')
    case 1021:
    case 1114:
      return plain('Full')
    case 1235:
      return plain('Unsupported')
    case 1040:
    case 1053:
    case 1203:
    case 1927:
    case 2006:
    case 2013:
      return plain('ConnectionLost')
    default:
      return (
        connectionReason(code, message) ?? plain(code === 'PROTOCOL_CONNECTION_LOST' ? 'ConnectionLost' : 'Unknown')
      )
  }
}

const errnoOf = (cause: unknown): number => {
  const errno = typeof cause === 'object' && cause !== null && 'errno' in cause ? cause.errno : null
  return typeof errno === 'number' ? errno : 0
}

/**
 * @category errors
 */
export const mysqlError = (cause: unknown, details: ErrorDetails = {}): EngineError => {
  const message = messageOf(cause)
  return engineError(reasonOf(errnoOf(cause), message, codeOf(cause)), message, { ...details, cause })
}
