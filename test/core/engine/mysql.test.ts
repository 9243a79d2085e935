import type { Engine } from '@unitary/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { returningOf } from '../../../packages/core/src/engine/mysql-dialect.js'
import { createMysql, mysqlHost, skipped } from './databases.js'
import { ask, begin, commit, connect, failure, insert, leftOf, names, raw, rollback } from './engine-conformance.js'

describe.skipIf(skipped(mysqlHost) !== null)('MariaDB', () => {
  let database: Awaited<ReturnType<typeof createMysql>>
  let engine: Engine
  beforeAll(async () => {
    database = await createMysql()
    engine = database.open()
  })
  afterAll(async () => {
    await engine?.close()
    await database?.drop()
  })

  const run = async (statement: ReturnType<typeof sql>): Promise<void> => {
    const connection = await connect(engine)
    await ask(connection, raw(engine, statement))
    await connection.release()
  }

  beforeEach(async () => {
    await run(sql`drop table if exists u`)
    await run(sql`drop table if exists t`)
    await run(sql`create table t (id int auto_increment primary key, name varchar(20) unique, n int)`)
    await run(sql`insert into t (name, n) values ('a', 1), ('b', 1)`)
  })

  const update = (name: string, n = 2) =>
    ({ _tag: 'Update', returning: [], table: 't', set: ['n'], where: ['name'], rows: [[n, name]] }) as const

  test('updates count the rows that they match, though the driver is told to count those that change', async () => {
    const own = database.openWith({ flags: ['-FOUND_ROWS'] })
    const connection = await connect(own)
    const rows = [
      [1, 'a'],
      [2, 'b'],
      [2, 'b'],
      [1, 'nobody'],
    ]
    expect(await ask(connection, { ...update('a'), rows })).toEqual({ matched: [1, 1, 1, 0], returned: [] })
    await connection.release()
    await own.close()
  })

  test('generated values of a column that is not AUTO_INCREMENT are refused', async () => {
    await run(sql`create table u (id int primary key default 7, name varchar(20))`)
    const connection = await connect(engine)
    expect(await failure(connection, insert('u', ['name'], names(1), 'id'))).toMatchObject({
      reason: { _tag: 'Unsupported' },
      message: expect.stringContaining('AUTO_INCREMENT'),
    })
    await connection.release()
  })

  test('the server says what it can return, once it is connected to', async () => {
    const own = database.open()
    expect(own.capabilities.returning).toEqual({ insert: false, update: false, delete: false, triggered: false })
    await (await connect(own)).release()
    expect(own.capabilities.returning).toEqual({ insert: true, update: false, delete: true, triggered: true })
    await own.close()
  })

  test.each([
    ['10.11.19-MariaDB-0+deb12u1', true, true],
    ['11.4.2-MariaDB-log', true, true],
    ['10.5.0-MariaDB', true, true],
    ['10.4.34-MariaDB', false, true],
    ['10.0.38-MariaDB', false, true],
    ['5.5.68-MariaDB', false, false],
    ['8.4.3', false, false],
    ['10.1.0', false, false],
  ])('a server of version %s can return what it inserts: %s, what it deletes: %s', (version, insert, deletes) => {
    expect(returningOf(version)).toEqual({ insert, update: false, delete: deletes, triggered: insert })
  })

  test('what is returned is what triggers have made of the row', async () => {
    await run(sql`create trigger counting before insert on t for each row set new.n = coalesce(new.n, 0) + 100`)
    const connection = await connect(engine)
    const rows = [
      ['x', 1],
      ['y', 2],
    ]
    const answer = await ask(connection, insert('t', ['name', 'n'], rows, ['id', 'n']))
    expect(answer[1]).toEqual([101, 102])
    const { rows: found } = await ask(connection, raw(engine, sql`select id from t where n > 100 order by n`))
    expect(answer[0]).toEqual(found.map(({ id }) => id))
    await connection.release()
  })

  describe('failures', () => {
    test('of a foreign key name the constraint, table and columns', async () => {
      await run(sql`create table u (id int primary key, t_id int, constraint u_t foreign key (t_id) references t (id))`)
      const connection = await connect(engine)
      const reason = { _tag: 'ForeignKeyViolation', constraint: 'u_t', table: 'u', columns: ['t_id'] }
      expect(
        await failure(
          connection,
          insert(
            'u',
            ['id', 't_id'],
            [
              [1, 1],
              [2, 99],
            ],
          ),
        ),
      ).toMatchObject({ reason, row: 1 })
      await connection.release()
    })

    test('of locks', async () => {
      const [a, b] = [await connect(engine), await connect(engine)]
      await ask(b, raw(engine, sql`set innodb_lock_wait_timeout = 1`))
      await ask(a, begin)
      await ask(a, update('a'))
      expect(await failure(b, update('a'))).toMatchObject({ reason: { _tag: 'LockTimeout' }, retryable: true })
      await ask(b, begin)
      await ask(b, update('b'))
      const crossing = await Promise.all([a.call(update('b', 3)), b.call(update('a', 3))])
      expect(crossing.filter(isLeft).map(({ left }) => left)).toMatchObject([
        { reason: { _tag: 'Deadlock' }, retryable: true },
      ])
      const [victim, other] = isLeft(crossing[0]) ? [a, b] : [b, a]
      // MySQL has rolled back already, and would run what follows outside any transaction
      for (const call of [insert('t', ['name'], [['c']]), commit]) {
        expect(await failure(victim, call)).toMatchObject({ reason: { _tag: 'Deadlock' }, retryable: true })
      }
      await ask(victim, rollback)
      await ask(other, commit)
      expect((await ask(a, raw(engine, sql`select name from t order by name`))).rows).toEqual([
        { name: 'a' },
        { name: 'b' },
      ])
      await Promise.all([a.release(), b.release()])
    })

    test('of a statement that takes too long', async () => {
      const connection = await connect(engine)
      await ask(connection, raw(engine, sql`set max_statement_time = 0.05`))
      expect((await failure(connection, raw(engine, sql`select sleep(1)`))).reason).toEqual({
        _tag: 'StatementTimeout',
      })
      await ask(connection, raw(engine, sql`set max_statement_time = 0`))
      await connection.release()
    })

    test('of a connection that breaks', async () => {
      const own = database.openWith({ connectionLimit: 1 })
      const connection = await connect(own)
      const { rows } = await ask(connection, raw(own, sql`select connection_id() as id`))
      const sleeping = connection.call(raw(own, sql`select sleep(5)`))
      await run(sql`kill ${sql.lit(rows[0]?.id as number)}`)
      expect(leftOf(await sleeping)).toMatchObject({ reason: { _tag: 'ConnectionLost' }, retryable: true })
      await connection.release()
      const next = await connect(own)
      expect((await ask(next, raw(own, sql`select 1 as one`))).rows).toEqual([{ one: 1 }])
      await next.release()
      await own.close()
    })

    test('to connect', async () => {
      const refused = database.openWith({ port: 1 })
      expect(leftOf(await refused.connect())).toMatchObject({ reason: { _tag: 'ConnectionLost' }, retryable: true })
      const denied = database.openWith({ user: 'nobody_here', password: 'wrong' })
      expect(leftOf(await denied.connect())).toMatchObject({ reason: { _tag: 'AuthenticationFailed' } })
      await Promise.all([refused.close(), denied.close()])
    })
  })
})
