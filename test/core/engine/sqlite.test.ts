import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answer, EngineCall, EngineError, SyncConnection } from '@unitary/core'
import { type SqliteEngineOptions, sqliteEngine } from '@unitary/core/engine/sqlite'
import Database from 'better-sqlite3'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { begin, commit, insert, leftOf, names, raw, rightOf, rollback } from './engine-conformance.js'

const folder = mkdtempSync(join(tmpdir(), 'unitary-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const newFile = (): string => join(folder, `${files++}.db`)

const schema = `
  create table users (id integer primary key, name text not null unique, note text);
  create table points (id integer primary key, n integer);
`

const memory = (): Database.Database => {
  const database = new Database(':memory:')
  database.exec(schema)
  return database
}

const connectionOf = (database: Database.Database, options: SqliteEngineOptions = {}): SyncConnection =>
  rightOf(sqliteEngine(database, options).connectSync?.() ?? expect.fail('not synchronous'))

const ask = <C extends EngineCall>(connection: SyncConnection, call: C): Answer<C> => rightOf(connection.call(call))
const failure = (connection: SyncConnection, call: EngineCall): EngineError => leftOf(connection.call(call))

const query = (text: string, ...parameters: unknown[]) =>
  ({ _tag: 'Query', statement: { sql: text, parameters } }) as const

const pragma = (database: Database.Database, name: string): unknown => database.pragma(name, { simple: true })

describe('settings', () => {
  test('make a file WAL, enforce foreign keys and wait for locks', () => {
    const database = new Database(newFile())
    connectionOf(database, { busyTimeout: 1234 })
    expect(pragma(database, 'journal_mode')).toBe('wal')
    expect(pragma(database, 'synchronous')).toBe(1)
    expect(pragma(database, 'foreign_keys')).toBe(1)
    expect(pragma(database, 'busy_timeout')).toBe(1234)
  })

  test('can leave a file as it is', () => {
    const database = new Database(newFile())
    connectionOf(database, { journalMode: 'keep', foreignKeys: false })
    expect(pragma(database, 'journal_mode')).toBe('delete')
    expect(pragma(database, 'synchronous')).toBe(2)
    expect(pragma(database, 'foreign_keys')).toBe(0)
  })

  test('that cannot be made are an error of the connection', () => {
    const file = newFile()
    writeFileSync(file, 'this is no database '.repeat(100))
    const answer = sqliteEngine(new Database(file)).connectSync?.()
    expect(answer).toMatchObject({ left: { reason: { _tag: 'ConnectionLost' }, retryable: false } })
  })
})

describe('rows', () => {
  test('are plain objects, whatever their columns are called', () => {
    const connection = connectionOf(memory())
    const { rows } = ask(connection, query(`select 1 as "a.b", 2 as "__proto__", 3 as "it's", 4 as x, 5 as x`))
    expect(Object.getPrototypeOf(rows[0])).toBe(Object.prototype)
    expect(Object.entries(rows[0] ?? {})).toEqual([
      ['a.b', 1],
      ['__proto__', 2],
      ["it's", 3],
      ['x', 5],
    ])
  })

  test('of all columns have those that a table was given since', () => {
    const file = newFile()
    const database = new Database(file)
    database.exec('create table t (id integer primary key, big bigint); insert into t values (1, 9007199254740993)')
    const connection = connectionOf(database)
    const all = query('select * from t')
    expect(ask(connection, all).rows).toEqual([{ id: 1, big: 9007199254740993n }])
    expect(ask(connection, query('select id, big from t')).rows).toEqual([{ id: 1, big: 9007199254740993n }])
    const other = new Database(file)
    other.exec(`alter table t add column name text default 'new'`)
    other.close()
    expect(ask(connection, all).rows).toEqual([{ id: 1, big: 9007199254740993n, name: 'new' }])
  })
})

describe('the connection', () => {
  test('is one: connectSync does not wait for it', () => {
    const engine = sqliteEngine(memory())
    const connection = rightOf(engine.connectSync?.() ?? expect.fail())
    expect(engine.connectSync?.()).toMatchObject({ left: { reason: { _tag: 'Unavailable' } } })
    connection.release()
    expect(engine.connectSync?.()).toMatchObject({ _tag: 'Right' })
  })

  test('does not end a transaction that the application began', () => {
    const database = memory()
    database.transaction(() => {
      const connection = connectionOf(database)
      ask(connection, insert('users', ['name'], names(3), 'id'))
      expect(failure(connection, begin).message).toContain('within a transaction')
      connection.release()
      expect(database.inTransaction).toBe(true)
    })()
    expect(database.prepare('select count(*) from users').pluck().get()).toBe(3)
  })

  test('of a database that is closed underneath is Unavailable', () => {
    const database = memory()
    const engine = sqliteEngine(database)
    const connection = rightOf(engine.connectSync?.() ?? expect.fail())
    ask(connection, query('select 1'))
    database.close()
    const calls: ReadonlyArray<EngineCall> = [
      query('select 1'),
      query('select 2'),
      begin,
      commit,
      insert('users', ['name'], names(2)),
      { _tag: 'Savepoint', name: 's' },
    ]
    for (const call of calls) {
      expect(failure(connection, call)).toMatchObject({ reason: { _tag: 'Unavailable' } })
    }
    connection.release()
    expect(engine.connectSync?.()).toMatchObject({ left: { reason: { _tag: 'Unavailable' } } })
  })

  test('is Unavailable while the application reads a statement of its own', () => {
    const database = memory()
    const connection = connectionOf(database)
    const reading = database.prepare('select 1 union select 2').iterate()
    reading.next()
    expect(failure(connection, insert('users', ['name'], names(1)))).toMatchObject({
      reason: { _tag: 'Unavailable' },
    })
    reading.return?.()
    ask(connection, insert('users', ['name'], names(1)))
  })
})

describe('generated values', () => {
  const withTrigger = (): Database.Database => {
    const database = memory()
    // each new row brings another, so that ids of one statement leave gaps
    database.exec(
      `create trigger twin after insert on points when new.n >= 0 begin insert into points (n) values (-1); end`,
    )
    return database
  }

  test('that cannot be told apart are refused, and nothing is kept', () => {
    const database = withTrigger()
    const error = failure(connectionOf(database), insert('points', ['n'], [[1], [2], ...Array(20).fill([3])], 'id'))
    expect(error.reason).toEqual({ _tag: 'Unsupported' })
    expect(error.message).toContain('rowByRow: true')
    expect(database.prepare('select count(*) from points').pluck().get()).toBe(0)
  })

  test('are right in any case row by row', () => {
    const database = withTrigger()
    const connection = connectionOf(database, { rowByRow: true })
    const rows = Array.from({ length: 12 }, (_, i) => [i])
    const [ids] = ask(connection, insert('points', ['n'], rows, 'id'))
    const found = database.prepare('select id from points where n >= 0 order by n').pluck().all()
    expect(ids).toEqual(found)
  })

  test('of a default expression are right row by row', () => {
    const database = memory()
    database.exec(`create table tokens (token text primary key default (hex(randomblob(8))), name text)`)
    const [ids] = ask(connectionOf(database, { rowByRow: true }), insert('tokens', ['name'], names(3), 'token'))
    expect(ids).toEqual(database.prepare('select token from tokens order by name').pluck().all())
    expect(connectionOf(database).call(insert('tokens', ['name'], names(30), 'token'))).toMatchObject({
      left: { reason: { _tag: 'Unsupported' } },
    })
  })
})

describe('keys of many rows', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => [i])
  const counted = (table: string) => `create table ${table} (id integer primary key, n integer)`
  const idsIn = (database: Database.Database, table: string): unknown[] =>
    database.prepare(`select id from ${table} order by n`).pluck().all()
  /** Has the table's key been read off without RETURNING? */
  const isSilent = (statements: ReadonlyArray<string>): boolean =>
    statements.some((text) => /^insert/i.test(text) && !/returning/i.test(text))

  const traced = (schema: string) => {
    const statements: string[] = []
    const database = new Database(':memory:', { verbose: (text) => statements.push(String(text)) })
    database.exec(schema)
    statements.length = 0
    return { database, statements }
  }

  test.each([
    ['an empty table', counted('t'), 't'],
    ['a table with rows', `${counted('t')}; insert into t values (-7, -2), (41, -1)`, 't'],
    [
      'a table that never uses a key again',
      `create table t (id integer primary key autoincrement, n integer); insert into t values (500, -1); delete from t`,
      't',
    ],
    [
      'a table whose new rows replace others',
      `create table t (id integer primary key, n integer unique on conflict replace); insert into t (n) values (7), (2500), (1)`,
      't',
    ],
    [
      'an attached table',
      `attach ':memory:' as app; ${counted('app.t')}; ${counted('t')}; insert into t (n) values (1), (2)`,
      'app.t',
    ],
  ])('follow one another in %s', (_, schema, table) => {
    const { database, statements } = traced(schema)
    // a trigger on another table is none of its business
    database.exec('create table other (n integer); create trigger none after insert on other begin select 1; end')
    const connection = connectionOf(database)
    const [ids] = ask(connection, insert(table, ['n'], many(3_333), 'id'))
    expect(ids).toEqual(database.prepare(`select id from ${table} where n >= 0 order by n`).pluck().all())
    expect(isSilent(statements)).toBe(true)
    // a transaction that reads first does not wait for another's lock
    const isOf = (pattern: RegExp) => statements.findIndex((text) => pattern.test(text))
    expect(isOf(/^insert/i)).toBeLessThan(isOf(/schema_version/))
  })

  test.each([
    ['no row id, for an old slip', 'create table t (id integer primary key desc default 1, n integer)'],
    ['given by an expression', 'create table t (id int primary key default (abs(random())), n integer)'],
    [
      'of a table without row ids',
      'create table t (id integer primary key default (abs(random())), n integer) without rowid',
    ],
    [
      'of a table that a trigger writes to',
      `${counted('t')}; create trigger twin after insert on T when new.n > 3000 begin insert into t (n) values (-1); end`,
    ],
    [
      'of a table that a temporary trigger writes to',
      `${counted('t')}; create temp trigger twin after insert on t when new.n > 3000 begin insert into t (n) values (-1); end`,
    ],
    [
      'of a view',
      `${counted('u')}; create view t as select * from u; create trigger into_u instead of insert on t begin insert into u (n) values (new.n); end`,
    ],
    [
      'given out at random, as none is above the largest',
      `${counted('t')}; insert into t values (9223372036854775807, -1)`,
    ],
  ])('%s, are refused, and nothing is kept', (_, schema) => {
    const { database, statements } = traced(schema)
    const before = idsIn(database, 't')
    expect(failure(connectionOf(database), insert('t', ['n'], many(3_333), 'id'))).toMatchObject({
      reason: { _tag: expect.stringMatching(/^(Unsupported|UniqueViolation)$/) },
    })
    expect(idsIn(database, 't')).toEqual(before)
    expect(isSilent(statements)).toBe(false)
  })

  test('are asked for again when the schema changes', () => {
    const { database, statements } = traced(`${counted('t')}; create table log (n integer)`)
    const connection = connectionOf(database)
    const call = insert('t', ['n'], many(2_500), 'id')
    const asked = (): boolean => {
      statements.length = 0
      const [ids] = ask(connection, call)
      expect(ids).toHaveLength(2_500)
      return !isSilent(statements)
    }
    expect([asked(), asked()]).toEqual([false, false])
    database.exec('create trigger logs after insert on t begin insert into log values (new.n); end')
    expect(asked()).toBe(true)
    database.exec('drop trigger logs')
    expect(asked()).toBe(false)
    database.exec('create temp table t (id integer primary key default 1, n integer)')
    expect(asked()).toBe(true)
  })

  test('are those of the rows, where one among them fails', () => {
    const { database } = traced('create table t (id integer primary key, n integer unique)')
    const connection = connectionOf(database)
    const rows = many(3_000).with(2_222, [5])
    expect(failure(connection, insert('t', ['n'], rows, 'id'))).toMatchObject({
      reason: { _tag: 'UniqueViolation' },
      row: 2_222,
    })
    const [ids] = ask(connection, insert('t', ['n'], many(3_000), 'id'))
    expect(ids).toEqual(idsIn(database, 't'))
  })
})

describe('integers', () => {
  const wide = (): Database.Database => {
    const database = new Database(':memory:')
    database.exec('create table t (id integer primary key, small bigint, large bigint)')
    return database
  }

  test('are bigint only where a double does not hold them', () => {
    const connection = connectionOf(wide())
    ask(connection, insert('t', ['small', 'large'], [[7n, 9_007_199_254_740_993n]]))
    expect(ask(connection, query('select * from t')).rows).toEqual([{ id: 1, small: 7, large: 9_007_199_254_740_993n }])
    expect(ask(connection, query('select large - 1 as less, large from t')).rows).toEqual([
      { less: 9_007_199_254_740_992n, large: 9_007_199_254_740_993n },
    ])
  })

  test('follow the table when its columns change', () => {
    const connection = connectionOf(new Database(':memory:'))
    const select = query('select n from t')
    const insertLarge = query(`insert into t values (9007199254740993)`)
    ask(connection, query('create table t (n integer)'))
    ask(connection, insertLarge)
    expect(ask(connection, select).rows).toEqual([{ n: 9_007_199_254_740_992 }])
    ask(connection, query('drop table t'))
    ask(connection, query('create table t (n bigint)'))
    ask(connection, insertLarge)
    expect(ask(connection, select).rows).toEqual([{ n: 9_007_199_254_740_993n }])
  })
})

test('whatever the application reads its own integers as, rows have numbers', () => {
  const connection = connectionOf(memory().defaultSafeIntegers(true))
  expect(ask(connection, insert('users', ['name'], names(11), 'id'))[0]?.[10]).toBe(11)
  expect(ask(connection, query('select id from users where id = 11')).rows).toEqual([{ id: 11 }])
})

describe('a transaction that SQLite itself rolls back', () => {
  const strict = (): Database.Database => {
    const database = new Database(':memory:')
    database.exec('create table t (id integer primary key, name text unique on conflict rollback)')
    return database
  }
  const rows = names(50).map((row, i) => (i === 30 ? ['name 1'] : row))

  test('takes no more calls until it is rolled back here', () => {
    const database = strict()
    const connection = connectionOf(database)
    ask(connection, begin)
    ask(connection, insert('t', ['name'], [['before']]))
    const first = failure(connection, insert('t', ['name'], rows, 'id'))
    expect(first).toMatchObject({ reason: { _tag: 'UniqueViolation' } })
    for (const call of [insert('t', ['name'], [['after']]), query('select 1'), begin, commit]) {
      expect(failure(connection, call)).toMatchObject({ reason: { _tag: 'UniqueViolation' }, cause: first })
    }
    ask(connection, rollback)
    ask(connection, insert('t', ['name'], [['later']]))
    expect(database.prepare('select name from t').pluck().all()).toEqual(['later'])
  })

  test('leaves nothing of a call outside a transaction', () => {
    const database = strict()
    const connection = connectionOf(database)
    expect(failure(connection, insert('t', ['name'], rows))).toMatchObject({ reason: { _tag: 'UniqueViolation' } })
    expect(database.prepare('select count(*) from t').pluck().get()).toBe(0)
    ask(connection, insert('t', ['name'], names(3)))
  })
})

describe('rows', () => {
  test('with a value that SQLite cannot hold are found', () => {
    const connection = connectionOf(memory())
    const rows = names(250).map(([name], i) => [name, i === 42 ? { not: 'a value' } : 'fine'])
    expect(failure(connection, insert('users', ['name', 'note'], rows))).toMatchObject({
      reason: { _tag: 'Unsupported' },
      row: 42,
    })
    const dates = names(250).map(([name], i) => [name, new Date(i === 201 ? Number.NaN : 0)])
    expect(failure(connection, insert('users', ['name', 'note'], dates))).toMatchObject({ row: 201 })
    expect(ask(connection, query('select count(*) as n from users')).rows).toEqual([{ n: 0 }])
  })

  test('of very many columns are inserted', () => {
    const database = new Database(':memory:')
    const columns = Array.from({ length: 1000 }, (_, i) => `c${i}`)
    database.exec(`create table wide (${columns.join(', ')})`)
    const rows = Array.from({ length: 77 }, (_, i) => columns.map((_column, j) => i * j))
    expect(ask(connectionOf(database), insert('wide', columns, rows))).toEqual([])
    expect(database.prepare('select count(*), sum(c999) from wide').raw().get()).toEqual([77, (999 * 76 * 77) / 2])
  })

  test('count what RETURNING queries wrote', () => {
    const connection = connectionOf(memory())
    expect(ask(connection, query(`insert into users (name) values ('a'), ('b') returning id`))).toEqual({
      rows: [{ id: 1 }, { id: 2 }],
      affected: 2,
    })
  })

  test('are found by the key', () => {
    const database = memory()
    const engine = sqliteEngine(database)
    const connection = rightOf(engine.connectSync?.() ?? expect.fail())
    const plans: string[] = []
    const prepare = database.prepare.bind(database)
    const spy = (text: string) => {
      if (/^(update|delete)/.test(text)) {
        const parameters = Array.from(text.matchAll(/\?/g), () => null)
        for (const { detail } of prepare(`explain query plan ${text}`).all(parameters) as { detail: string }[]) {
          plans.push(detail)
        }
      }
      return prepare(text)
    }
    database.prepare = spy as typeof database.prepare
    ask(connection, { _tag: 'Update', returning: [], table: 'users', set: ['note'], where: ['id'], rows: [['x', 1]] })
    ask(connection, {
      _tag: 'Update',
      returning: [],
      table: 'users',
      set: ['note'],
      where: ['id', 'note'],
      rows: [['x', 1, null]],
    })
    ask(connection, { _tag: 'Delete', table: 'users', where: ['name'], rows: [['x']] })
    expect(plans).toEqual([
      'SEARCH users USING INTEGER PRIMARY KEY (rowid=?)',
      'SEARCH users USING INTEGER PRIMARY KEY (rowid=?)',
      'SEARCH users USING INDEX sqlite_autoindex_users_1 (name=?)',
    ])
  })

  test('are inserted with few statement texts, each prepared once', () => {
    const database = memory()
    const connection = connectionOf(database)
    const prepared: string[] = []
    const prepare = database.prepare.bind(database)
    database.prepare = ((text: string) => {
      prepared.push(text)
      return prepare(text)
    }) as typeof database.prepare
    ask(connection, begin)
    for (const count of [1, 99, 100, 101, 257, 1000]) {
      ask(
        connection,
        insert(
          'points',
          ['n'],
          Array.from({ length: count }, (_, i) => [i]),
          'id',
        ),
      )
    }
    expect(prepared.filter((text) => text.startsWith('insert')).map((text) => text.match(/\?/g)?.length)).toEqual([
      1, 10, 100,
    ])
  })
})

describe('other connections to the file', () => {
  const two = () => {
    const file = newFile()
    const first = new Database(file, { timeout: 10 })
    first.exec(schema)
    return [connectionOf(first), connectionOf(new Database(file, { timeout: 10 }))] as const
  }

  test('that write make a writer wait, then fail with LockTimeout', () => {
    const [a, b] = two()
    ask(a, begin)
    ask(a, insert('users', ['name'], names(1)))
    expect(failure(b, insert('users', ['name'], names(1)))).toMatchObject({
      reason: { _tag: 'LockTimeout' },
      retryable: true,
    })
    expect(failure(b, insert('users', ['name'], names(200))).reason).toEqual({ _tag: 'LockTimeout' })
    ask(a, rollback)
    ask(b, insert('users', ['name'], names(1)))
  })

  test('that have written since make a reader that writes fail with SerializationFailure', () => {
    const [a, b] = two()
    ask(a, begin)
    ask(a, query('select * from users'))
    ask(b, insert('users', ['name'], names(1)))
    expect(failure(a, insert('users', ['name'], names(1)))).toMatchObject({
      reason: { _tag: 'SerializationFailure' },
      retryable: true,
    })
    ask(a, rollback)
    ask(a, insert('users', ['name'], [['other']]))
  })
})

describe('failures', () => {
  test('of a read-only database', () => {
    const file = newFile()
    new Database(file).exec(schema).close()
    const connection = connectionOf(new Database(file, { readonly: true }))
    expect(failure(connection, insert('users', ['name'], names(1))).reason).toEqual({ _tag: 'ReadOnly' })
  })

  test('of a full database leave a transaction that can be rolled back', () => {
    const database = memory()
    const connection = connectionOf(database)
    database.pragma('max_page_count = 10')
    ask(connection, begin)
    const error = failure(connection, insert('users', ['name', 'note'], [['a', 'x'.repeat(1_000_000)]]))
    expect(error.reason).toEqual({ _tag: 'Full' })
    ask(connection, rollback)
    expect(ask(connection, query('select count(*) as n from users')).rows).toEqual([{ n: 0 }])
  })

  test.each([
    [
      "insert into users (name) values ('ed')",
      { _tag: 'UniqueViolation', constraint: null, table: 'users', columns: ['name'] },
    ],
    [
      "insert into pairs values (1, 2, 'other')",
      { _tag: 'UniqueViolation', constraint: null, table: 'pairs', columns: ['a', 'b'] },
    ],
    [
      "insert into pairs values (9, 9, 'LOW')",
      { _tag: 'UniqueViolation', constraint: 'by_low', table: null, columns: [] },
    ],
    ['insert into users (name) values (null)', { _tag: 'NotNullViolation', table: 'users', columns: ['name'] }],
    ['select * from main.nowhere', { _tag: 'UnknownTable', table: 'main.nowhere' }],
    ['select "u"."absent" from users as u', { _tag: 'UnknownColumn', column: 'u.absent' }],
    ['insert into users (absent) values (1)', { _tag: 'UnknownColumn', column: 'absent' }],
    ['select', { _tag: 'SyntaxError' }],
    ['select 1; select 2', { _tag: 'Unsupported' }],
    ['select abs(-9223372036854775808)', { _tag: 'Unknown' }],
  ])('are told by what SQLite says: %s', (text, reason) => {
    const database = memory()
    database.exec(`
      insert into users (name) values ('ed');
      create table pairs (a, b, low text, primary key (a, b));
      create unique index by_low on pairs (lower(low));
      insert into pairs values (1, 2, 'low');
    `)
    expect(failure(connectionOf(database), query(text))).toMatchObject({ reason, sql: text })
  })
})

test('statements are compiled for SQLite', () => {
  const engine = sqliteEngine(memory())
  expect(raw(engine, sql`select ${1} from ${sql.table('t')}`).statement).toEqual({
    sql: 'select ? from "t"',
    parameters: [1],
  })
})

test('no more statements are kept than wanted', () => {
  const connection = connectionOf(memory(), { cachedStatements: 2 })
  for (let i = 0; i < 10; i++) expect(ask(connection, query(`select ${i % 4} as n`)).rows).toEqual([{ n: i % 4 }])
})
