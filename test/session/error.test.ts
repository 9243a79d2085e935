import type { EngineError } from '@unitary/core'
import * as Session from '@unitary/session'
import { describe, expect, test } from 'vitest'

const cause: EngineError = {
  _tag: 'EngineError',
  reason: { _tag: 'LockTimeout' },
  message: 'database is locked',
  retryable: true,
  sql: null,
  row: null,
  cause: null,
}

const hook = { hook: 'set', entity: 'User', attribute: 'name' } as const

const sentences: ReadonlyArray<readonly [Session.SessionError, string]> = [
  [
    { _tag: 'HookRefused', ...hook, reason: 'a user has a name', detail: undefined, cause: null },
    'The set hook of User.name refused: a user has a name.',
  ],
  [
    { _tag: 'HookRefused', hook: 'load', entity: 'User', attribute: null, reason: 'no.', detail: 1, cause: null },
    'The load hook of User refused: no.',
  ],
  [
    { _tag: 'HookLoop', hook: 'afterFlush', entity: null, attribute: null, depth: 100 },
    'The afterFlush hook of the session asked for changes that call it again, 100 times over; let it keep what is in step already.',
  ],
  [
    { _tag: 'PartlyCommitted', committed: ['asia'], shard: 'europe', cause },
    "The commit failed on shard 'europe': database is locked; asia had been committed, and stay so. Give the runtime the level atomic, where all or none is wanted.",
  ],
  [
    { _tag: 'CommitUnknown', transaction: null, shard: null, cause },
    'Whether the commit was done cannot be told: database is locked. Look before trying again; with exactlyOnce there is an answer.',
  ],
  [
    { _tag: 'CommitUnknown', transaction: 'shop.0mwq.asia', shard: 'asia', cause },
    "Whether the commit was done cannot be told: database is locked on shard 'asia'. Ask outcomeOf for shop.0mwq.asia before trying again.",
  ],
  [
    { _tag: 'NotInSession', entity: 'User' },
    'The value given for User is no snapshot of an instance in this session; get or add it first.',
  ],
  [
    { _tag: 'ModelMismatch', entity: 'User' },
    "User belongs to another model than the session's; use the model that the runtime was made with.",
  ],
  [
    { _tag: 'InvalidValue', entity: 'User', attribute: 'name', value: 5, problem: 'it is no string' },
    'User.name cannot be 5: it is no string.',
  ],
  [
    { _tag: 'InvalidValue', entity: 'User', attribute: '', value: null, problem: 'it is no object' },
    'User cannot be null: it is no object.',
  ],
  [
    { _tag: 'InvalidState', entity: 'User', key: 1, status: 'deleted', operation: 'add' },
    'add is not for User 1, which is deleted.',
  ],
  [
    { _tag: 'NotLoaded', entity: 'User', key: 1, attribute: 'addresses' },
    'User.addresses of 1 is not loaded; load it first.',
  ],
  [
    {
      _tag: 'DecodeError',
      entity: 'User',
      table: 'users',
      attribute: 'joined',
      column: 'joined_at',
      key: 7n,
      value: 'yesterday',
      expected: 'isoDate',
      shard: 'asia',
    },
    'users.joined_at of the row 7n on shard \'asia\' holds "yesterday", which is no isoDate (User.joined).',
  ],
  [
    { _tag: 'DatabaseError', operation: 'query', entity: 'User', shard: null, retryable: true, cause },
    'query of User failed: database is locked (LockTimeout, may be tried again).',
  ],
  [
    { _tag: 'DatabaseError', operation: 'commit', entity: null, shard: 'asia', retryable: false, cause },
    "commit failed on shard 'asia': database is locked (LockTimeout).",
  ],
  [
    { _tag: 'StaleData', entity: 'User', table: 'users', key: 1, matched: 0, shard: null },
    'The update of User 1 in users matched 0 rows instead of one: it was changed or deleted elsewhere; refresh it.',
  ],
  [
    { _tag: 'ObjectDeleted', entity: 'User', key: [1, 'x'], shard: 'asia' },
    'The row of User [1,"x"] is gone on shard \'asia\'.',
  ],
  [
    { _tag: 'MultipleResults', entity: 'User', count: 2, shards: ['asia', 'europe'] },
    '2 rows of User answer where one was asked for, on shards asia, europe; name the shard.',
  ],
  [
    { _tag: 'MultipleResults', entity: 'User', count: 2, shards: [] },
    '2 rows of User answer where one was asked for; narrow the query.',
  ],
  [{ _tag: 'NoResult', entity: 'User' }, 'No row of User answers the query.'],
  [
    { _tag: 'CircularDependency', path: ['A 1', 'B #2', 'A 1'] },
    'No order of writes exists for A 1 -> B #2 -> A 1: each row needs the key of the next.',
  ],
  [
    {
      _tag: 'UniqueClash',
      entity: 'Member',
      attributes: ['tenantId', 'email'],
      values: [1, 'ed'],
      path: ['Member 3', 'Member #7'],
    },
    'No order of writes lets Member #7 take tenantId = 1, email = "ed" from Member 3, and no temporary value would do; flush once in between, or let one of the columns be nullable.',
  ],
  [
    { _tag: 'MissingKey', entity: 'Country', attributes: ['code'] },
    'Country has no value for its key (code); give one, or mark the column as generated.',
  ],
  [{ _tag: 'PendingRollback', message: 'no' }, 'The transaction failed earlier (no); roll back before going on.'],
  [{ _tag: 'NoSavepoint' }, 'No savepoint is open; begin one with beginNested.'],
  [
    {
      _tag: 'RoutingError',
      reason: 'NoShard',
      operation: 'query',
      entity: null,
      shard: null,
      attribute: null,
      value: null,
      message: 'no shard',
    },
    'no shard',
  ],
  [{ _tag: 'NotSynchronous', operation: 'a task' }, 'a task needs to wait; use run instead of runSync.'],
]

describe('render', () => {
  test.each(sentences)('says what, where and what to do: %o', (error, sentence) => {
    expect(Session.render(error)).toBe(sentence)
  })

  test('cuts long values short, and has words for what JSON cannot say', () => {
    const of = (value: unknown) =>
      Session.render({ _tag: 'InvalidValue', entity: 'User', attribute: 'name', value, problem: 'no' })
    expect(of('x'.repeat(100))).toBe(`User.name cannot be "${'x'.repeat(56)}...: no.`)
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    expect(of(cycle)).toBe('User.name cannot be [object Object]: no.')
    expect(of(undefined)).toBe('User.name cannot be undefined: no.')
    expect(of({ a: 1n })).toBe('User.name cannot be {"a":"1n"}: no.')
  })
})
