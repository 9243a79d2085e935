/** What servers say that the tests' own servers cannot be made to say. */
import type { EngineError } from '@unitary/core'
import { describe, expect, test } from 'vitest'
import { mysqlError } from '../../../packages/core/src/engine/mysql-error.js'
import { postgresError } from '../../../packages/core/src/engine/postgres-error.js'
import { sqliteError } from '../../../packages/core/src/engine/sqlite-error.js'

const thrown = (message: string, fields: Readonly<Record<string, unknown>> = {}): Error =>
  Object.assign(new Error(message), fields)

const expectReason = (error: EngineError, reason: EngineError['reason'] | EngineError['reason']['_tag']): void =>
  expect(error.reason).toEqual(typeof reason === 'string' ? { _tag: reason } : reason)

describe('errors of PostgreSQL', () => {
  test.each([
    ['53100', 'could not extend file', 'Full'],
    ['57P03', 'the database system is starting up', 'ConnectionLost'],
    ['53300', 'sorry, too many clients already', 'ConnectionLost'],
    ['28P01', 'password authentication failed for user "root"', 'AuthenticationFailed'],
    ['0A000', 'not implemented', 'Unsupported'],
    ['57014', 'canceling statement due to user request', 'Unknown'],
    ['XX000', 'oops', 'Unknown'],
  ] as const)('%s: %s', (code, message, reason) => expectReason(postgresError(thrown(message, { code })), reason))

  test('of keys with names to be quoted', () => {
    const error = postgresError(
      thrown('duplicate key value violates unique constraint "k"', {
        code: '23505',
        constraint: 'k',
        table: 't',
        detail: 'Key ("userId", "a ""b""", plain)=(1, x, y) already exists.',
      }),
    )
    expectReason(error, { _tag: 'UniqueViolation', constraint: 'k', table: 't', columns: ['userId', 'a "b"', 'plain'] })
  })

  test('of several failed attempts to connect speak by the first', () => {
    const error = postgresError(
      Object.assign(new AggregateError([thrown('connect ECONNREFUSED ::1:5432')], ''), { code: 'ECONNREFUSED' }),
    )
    expect(error).toMatchObject({ reason: { _tag: 'ConnectionLost' }, message: 'connect ECONNREFUSED ::1:5432' })
  })
})

describe('errors of MySQL', () => {
  test.each([
    [
      1062,
      "Duplicate entry 'a' for key 'users.by_name'",
      { _tag: 'UniqueViolation', constraint: 'by_name', table: 'users', columns: [] },
    ],
    [3819, "Check constraint 'positive' is violated.", { _tag: 'CheckViolation', constraint: 'positive', table: null }],
    [
      1217,
      'Cannot delete or update a parent row: a foreign key constraint fails',
      { _tag: 'ForeignKeyViolation', constraint: null, table: null, columns: [] },
    ],
    [1364, "Field 'name' doesn't have a default value", { _tag: 'NotNullViolation', table: null, columns: ['name'] }],
    [1054, "Unknown column 'u.nope' in 'field list'", { _tag: 'UnknownColumn', column: 'u.nope' }],
    [1051, "Unknown table 'shop.nowhere'", { _tag: 'UnknownTable', table: 'nowhere' }],
    [1020, "Record has changed since last read in table 't'", 'SerializationFailure'],
    [3024, 'Query execution was interrupted, maximum statement execution time exceeded', 'StatementTimeout'],
    [1290, 'running with the --read-only option', 'ReadOnly'],
    [1114, "The table 't' is full", 'Full'],
    [1040, 'Too many connections', 'ConnectionLost'],
    [1406, "Data too long for column 'a' at row 1", 'Unknown'],
  ] as const)('%i: %s', (errno, message, reason) => expectReason(mysqlError(thrown(message, { errno })), reason))
})

describe('errors of SQLite', () => {
  test.each([
    ['SQLITE_CORRUPT', 'database disk image is malformed', 'Unknown'],
    ['SQLITE_IOERR_WRITE', 'disk I/O error', 'Unknown'],
    ['SQLITE_AUTH', 'not authorized', 'AuthenticationFailed'],
    ['SQLITE_LOCKED_SHAREDCACHE', 'database table is locked: t', 'LockTimeout'],
    ['SQLITE_CONSTRAINT_TRIGGER', 'the application says no', 'Unknown'],
  ] as const)('%s: %s', (code, message, reason) => expectReason(sqliteError(thrown(message, { code })), reason))

  test('of other drivers, which put the code first', () => {
    expectReason(sqliteError(thrown('SQLITE_CONSTRAINT: SQLite error: UNIQUE constraint failed: t.a')), {
      _tag: 'UniqueViolation',
      constraint: null,
      table: 't',
      columns: ['a'],
    })
  })
})

test('what is thrown and is no error is an unknown failure', () => {
  for (const classify of [sqliteError, postgresError, mysqlError]) {
    expect(classify('broken', { sql: 'select 1', row: 3 })).toEqual({
      _tag: 'EngineError',
      reason: { _tag: 'Unknown' },
      message: 'broken',
      retryable: false,
      sql: 'select 1',
      row: 3,
      cause: 'broken',
    })
    expect(classify(undefined)).toMatchObject({ reason: { _tag: 'Unknown' } })
  }
})
