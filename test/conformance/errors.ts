/**
 * Errors of Unitary in the corpus's terms.
 */

export interface CorpusError {
  readonly type: string
  readonly detail?: string
}

interface Failure {
  readonly _tag: string
  readonly reason?: { readonly _tag: string }
  readonly cause?: { readonly reason?: { readonly _tag: string } }
  readonly status?: string
  readonly operation?: string
  readonly problem?: string
}

const violations: Readonly<Record<string, string>> = {
  UniqueViolation: 'unique',
  ForeignKeyViolation: 'foreignKey',
  NotNullViolation: 'notNull',
  CheckViolation: 'check',
}

/** Errors that have other names in the corpus. */
const names: Readonly<Record<string, string>> = {
  MissingKey: 'FlushError',
  NoSavepoint: 'ClosedTransaction',
  NotInSession: 'InvalidRequest',
  NotLoaded: 'InvalidRequest',
  RaisedLoad: 'InvalidRequest',
  NotEvaluable: 'InvalidRequest',
  InvalidState: 'InvalidRequest',
  TransactionBegun: 'InvalidRequest',
  SingleParent: 'InvalidRequest',
  ModelMismatch: 'Argument',
  InvalidValue: 'Argument',
  InvalidStatement: 'Argument',
}

const reading = new Set(['read', 'load'])

export const errorOf = (error: unknown): CorpusError => {
  const failure = error as Failure
  const reason = failure.reason?._tag ?? failure.cause?.reason?._tag ?? ''
  const detail = violations[reason]
  if (failure._tag === 'IntegrityError' || (failure._tag === 'DatabaseError' && detail !== undefined)) {
    return { type: 'IntegrityError', ...(detail === undefined ? {} : { detail }) }
  }
  if (failure._tag === 'InvalidState' && failure.status === 'detached' && reading.has(failure.operation ?? '')) {
    return { type: 'DetachedInstance' }
  }
  if (failure._tag === 'InvalidValue' && failure.problem === 'it is not in the collection') {
    return { type: 'NotInCollection' }
  }
  return { type: names[failure._tag] ?? failure._tag }
}
