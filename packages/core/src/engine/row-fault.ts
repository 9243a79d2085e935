/**
 * Which failures of a statement that writes many rows are one row's fault.
 */
import type { EngineError, EngineReason } from './error.js'
import { codeOf, textOf } from './error-parts.js'

const rowFaults: ReadonlySet<EngineReason['_tag']> = new Set([
  'UniqueViolation',
  'ForeignKeyViolation',
  'NotNullViolation',
  'CheckViolation',
])

/** Whether a failed multi-row statement failed for one of its rows, so that running them alone tells which. */
export const isFaultOfRow = ({ reason, cause }: EngineError): boolean =>
  rowFaults.has(reason._tag) ||
  cause instanceof TypeError ||
  cause instanceof RangeError ||
  // class 22 of SQLSTATE: data that the column does not take
  /^22|^SQLITE_MISMATCH/.test(textOf(cause, 'sqlState') ?? codeOf(cause))
