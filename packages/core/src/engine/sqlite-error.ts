/**
 * Classifies the errors of SQLite's drivers.
 *
 * The extended result code tells the reason, and the message the table and columns: SQLite has no structured form of
 * these. Messages come from SQLite itself, so they are the same for better-sqlite3 and for other drivers, some of which
 * put the code before them.
 */
import { type EngineError, type EngineReason, engineError } from './error.js'
import { codeOf, type ErrorDetails, firstGroup, messageOf, plain } from './error-parts.js'

/** `users.email, users.name` as the table and its columns. */
const qualified = (names: string): { readonly table: string | null; readonly columns: ReadonlyArray<string> } => {
  const parts = names.split(', ').map((name) => ({ name, dot: name.indexOf('.') }))
  const first = parts[0]
  return {
    table: first === undefined || first.dot === -1 ? null : first.name.slice(0, first.dot),
    columns: parts.map(({ name, dot }) => name.slice(dot + 1)),
  }
}

const reasonOfMessage = (message: string): EngineReason | null => {
  const index = firstGroup(/UNIQUE constraint failed: index '(.+)'/, message)
  if (index !== null) return { _tag: 'UniqueViolation', constraint: index, table: null, columns: [] }
  const unique = firstGroup(/UNIQUE constraint failed: (.+)/, message)
  if (unique !== null) return { _tag: 'UniqueViolation', constraint: null, ...qualified(unique) }
  const notNull = firstGroup(/NOT NULL constraint failed: (.+)/, message)
  if (notNull !== null) return { _tag: 'NotNullViolation', ...qualified(notNull) }
  const check = firstGroup(/CHECK constraint failed: (.+)/, message)
  if (check !== null) return { _tag: 'CheckViolation', constraint: check, table: null }
  if (message.includes('FOREIGN KEY constraint failed')) {
    return { _tag: 'ForeignKeyViolation', constraint: null, table: null, columns: [] }
  }
  const table = firstGroup(/no such table: (\S+)/, message)
  if (table !== null) return { _tag: 'UnknownTable', table }
  const column =
    firstGroup(/no such column: "?([^"]+?)"?(?: - .*)?$/, message) ?? firstGroup(/has no column named (.+)/, message)
  if (column !== null) return { _tag: 'UnknownColumn', column }
  if (/syntax error|incomplete input|unrecognized token/.test(message)) return plain('SyntaxError')
  return reasonOfDriverMessage(message)
}

/** What better-sqlite3 and Kysely say themselves, without a code. */
const reasonOfDriverMessage = (message: string): EngineReason | null => {
  if (/connection is not open|connection is busy|driver has already been destroyed/.test(message))
    return plain('Unavailable')
  if (/can only bind|is too big|(?:more than one|no) statements?|parameter values? were provided/.test(message)) {
    return plain('Unsupported')
  }
  return null
}

const reasonOfCode = (code: string): EngineReason => {
  // the transaction reads an old snapshot and cannot write any more: waiting does not help, a new transaction does
  if (code === 'SQLITE_BUSY_SNAPSHOT') return plain('SerializationFailure')
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return plain('LockTimeout')
  if (code.startsWith('SQLITE_READONLY')) return plain('ReadOnly')
  if (code === 'SQLITE_FULL') return plain('Full')
  if (/^SQLITE_(CANTOPEN|NOTADB)/.test(code)) return plain('ConnectionLost')
  if (code === 'SQLITE_AUTH') return plain('AuthenticationFailed')
  return plain('Unknown')
}

/** No database at all where one was expected: trying again does not help. */
const isLasting = (code: string): boolean => code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CANTOPEN')

/**
 * @category errors
 */
export const sqliteError = (cause: unknown, details: ErrorDetails = {}): EngineError => {
  const message = messageOf(cause)
  const code = codeOf(cause)
  const error = engineError(reasonOfMessage(message) ?? reasonOfCode(code), message, { ...details, cause })
  return isLasting(code) ? { ...error, retryable: false } : error
}
