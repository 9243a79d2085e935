import { locksRows, operationOf, type Request, type SessionState } from '@unitary/session'
import type { Asking } from '../fan-out/asking.js'
import { type FanOutPolicy, settingsOf } from '../fan-out/policy.js'

/** What a request is called, which entity it is about, and how it is asked. */
export const askingOf = (
  request: Request,
  { options: { executionOptions } }: SessionState,
  policy: FanOutPolicy | undefined,
): Asking => {
  const statement = 'statement' in request ? request.statement : null
  const own = statement?.options ?? ('options' in request ? request.options : undefined)
  const reads =
    request._tag === 'Lookup'
      ? request.query === null || !locksRows(request.query)
      : (request._tag === 'Query' || request._tag === 'Count' || request._tag === 'OpenCursor') &&
        !locksRows(request.statement)
  return {
    operation: nameOf(request),
    entity: statement?.entity.name ?? ('mapping' in request ? request.mapping.name : null),
    settings: settingsOf([own?.fanOut, executionOptions.fanOut, policy]),
    reads,
  }
}

/** Requests that end what was begun, whatever the policy is. */
export const endings: ReadonlySet<Request['_tag']> = new Set([
  'Commit',
  'Rollback',
  'ReleaseSavepoint',
  'RollbackToSavepoint',
  'CloseCursor',
  'EndPartial',
])

/** What a request is called in errors. */
const nameOf = (request: Request): string => {
  switch (request._tag) {
    case 'Count':
    case 'Lookup':
      return request.purpose
    case 'Write':
      return operationOf(request.statement)
    default:
      return nameOfRequest[request._tag]
  }
}

const nameOfRequest = {
  Flush: 'flush',
  Route: 'route',
  Draw: 'draw ids',
  Query: 'query',
  OpenCursor: 'query',
  Fetch: 'query',
  CloseCursor: 'query',
  Insert: 'insert',
  UpdateRows: 'update of many rows',
  Sql: 'sql',
  Commit: 'commit',
  Rollback: 'rollback',
  Savepoint: 'savepoint',
  ReleaseSavepoint: 'savepoint',
  RollbackToSavepoint: 'savepoint',
  Services: 'services',
  Task: 'task',
  Pause: 'pause',
  BeginPartial: 'query',
  EndPartial: 'query',
} as const satisfies Readonly<Record<Exclude<Request['_tag'], 'Count' | 'Lookup' | 'Write'>, string>>
