import type { Connection, Engine } from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { PostgresDialect, sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createMysql, createPostgres, mysqlHost, postgresHost, postgresPool, skipped, sqliteHost } from './databases.js'
import {
  ask,
  begin,
  commit,
  connect,
  failure,
  insert,
  raw,
  rightOf,
  rollback,
  rollbackTo,
  savepoint,
} from './engine-conformance.js'
import { clusterMissing, type PostgresCluster, startCluster } from './postgres-cluster.js'

let made = 0
const run = `${process.pid.toString(36)}${Date.now().toString(36)}`
/** A branch of a transaction that no other test has. */
const newBranch = () => ({ transaction: `test.${run}.${made++}`, branch: 'a' })

const createNotes = sql`create table notes (id integer primary key, body varchar(20))`

const suite = (
  name: string,
  missing: string | null,
  make: () => Promise<{ readonly open: () => Engine; readonly drop: () => Promise<void> }>,
) =>
  describe.skipIf(missing !== null)(
    `prepared transactions of ${name}${missing === null ? '' : ` (${missing})`}`,
    () => {
      let engine: Engine
      let drop = async (): Promise<void> => {}
      const connections: Connection[] = []
      const open = async (): Promise<Connection> => {
        const connection = await connect(engine)
        connections.push(connection)
        return connection
      }
      const bodies = async (): Promise<ReadonlyArray<unknown>> => {
        const connection = await open()
        const { rows } = await ask(connection, raw(engine, sql`select body from notes order by id`))
        return rows.map(({ body }) => body)
      }
      /** The branches of a transaction that are prepared. */
      const prepared = async (transaction: string) => {
        const listed = await ask(await open(), { _tag: 'ListPrepared' })
        return listed.filter((branch) => branch.transaction === transaction)
      }
      const prepare = async (connection: Connection, branch = newBranch()) => {
        await ask(connection, { ...begin, branch })
        await ask(
          connection,
          insert(
            'notes',
            ['id', 'body'],
            [
              [1, 'a'],
              [2, 'b'],
            ],
          ),
        )
        await ask(connection, { _tag: 'Prepare', branch })
        return branch
      }

      beforeAll(async () => {
        const database = await make()
        engine = database.open()
        drop = database.drop
        await ask(await open(), raw(engine, createNotes))
      })
      beforeEach(async () => {
        for (const connection of connections.splice(0)) await connection.release()
        await ask(await open(), raw(engine, sql`delete from notes`))
      })
      afterAll(async () => {
        // what a test that failed has left would be in the way
        await Promise.all(connections.splice(0).map(async (connection) => connection.release()))
        const connection = await open()
        for (const branch of await ask(connection, { _tag: 'ListPrepared' })) {
          if (branch.transaction.startsWith(`test.${run}.`)) await connection.call({ _tag: 'RollbackPrepared', branch })
        }
        await engine?.close()
        await drop()
      })

      test('hide what they have written until they are committed', async () => {
        expect(engine.capabilities.twoPhase).toBe(true)
        const connection = await open()
        const branch = await prepare(connection)
        expect(await bodies()).toEqual([])
        expect(await prepared(branch.transaction)).toEqual([branch])
        expect(await ask(connection, { _tag: 'CommitPrepared', branch })).toBe(true)
        expect(await bodies()).toEqual(['a', 'b'])
        expect(await prepared(branch.transaction)).toEqual([])
        // and the connection goes on as before
        await ask(connection, begin)
        await ask(connection, insert('notes', ['id', 'body'], [[3, 'c']]))
        await ask(connection, commit)
        expect(await bodies()).toEqual(['a', 'b', 'c'])
      })

      test('leave nothing where they are rolled back', async () => {
        const connection = await open()
        const branch = await prepare(connection)
        expect(await ask(connection, { _tag: 'RollbackPrepared', branch })).toBe(true)
        expect(await bodies()).toEqual([])
      })

      test('are ended once, and say when they are not there', async () => {
        const connection = await open()
        const branch = await prepare(connection)
        await ask(connection, { _tag: 'CommitPrepared', branch })
        expect(await ask(connection, { _tag: 'CommitPrepared', branch })).toBe(false)
        expect(await ask(connection, { _tag: 'RollbackPrepared', branch })).toBe(false)
      })

      test('outlive their connection, and are ended by another', async () => {
        const branch = await prepare(await open())
        await connections[connections.length - 1]?.release()
        const other = await open()
        await expect.poll(() => other.call({ _tag: 'CommitPrepared', branch })).toEqual({ _tag: 'Right', right: true })
        expect(await bodies()).toEqual(['a', 'b'])
      })

      test('may as well be committed at once, or rolled back, savepoints included', async () => {
        const connection = await open()
        await ask(connection, { ...begin, isolationLevel: 'repeatable read', branch: newBranch() })
        await ask(connection, insert('notes', ['id', 'body'], [[1, 'a']]))
        await ask(connection, savepoint('s'))
        await ask(connection, insert('notes', ['id', 'body'], [[2, 'b']]))
        await ask(connection, rollbackTo('s'))
        await ask(connection, { _tag: 'ReleaseSavepoint', name: 's' })
        await ask(connection, commit)
        expect(await bodies()).toEqual(['a'])
        await ask(connection, { ...begin, branch: newBranch() })
        await ask(connection, insert('notes', ['id', 'body'], [[3, 'c']]))
        await ask(connection, rollback)
        expect(await bodies()).toEqual(['a'])
      })

      test('keep their savepoints and what came of them', async () => {
        const connection = await open()
        const branch = newBranch()
        await ask(connection, { ...begin, branch })
        await ask(connection, savepoint('s'))
        await ask(connection, insert('notes', ['id', 'body'], [[1, 'a']]))
        await ask(connection, rollbackTo('s'))
        await ask(connection, insert('notes', ['id', 'body'], [[2, 'b']]))
        await ask(connection, { _tag: 'Prepare', branch })
        await ask(connection, { _tag: 'CommitPrepared', branch })
        expect(await bodies()).toEqual(['b'])
      })

      test('are refused names that SQL would not take', async () => {
        const connection = await open()
        for (const transaction of ["it's", '', 'x'.repeat(65), 'a/b']) {
          const error = await failure(connection, { ...begin, branch: { transaction, branch: 'a' } })
          expect(error.reason._tag).toBe('Unsupported')
        }
      })

      test('are not made of a transaction that was begun as none', async () => {
        const connection = await open()
        await ask(connection, begin)
        const error = await failure(connection, { _tag: 'Prepare', branch: newBranch() })
        expect(error.reason._tag).toBe('Unsupported')
        expect(await failure(await open(), { _tag: 'Prepare', branch: newBranch() })).toMatchObject({
          message: 'no transaction is open',
        })
      })
    },
  )

let cluster: PostgresCluster | null = null
afterAll(() => cluster?.remove())

suite('PostgreSQL', clusterMissing, async () => {
  cluster = startCluster()
  const { create, open } = cluster
  await create('two_phase')
  return { open: () => open('two_phase', 20), drop: async () => {} }
})

suite('MariaDB', skipped(mysqlHost), async () => {
  const database = await createMysql()
  return { open: () => database.open(20), drop: database.drop }
})

test.skipIf(skipped(mysqlHost) !== null)(
  'MariaDB prepares a branch as what it was begun as, and as no other',
  async () => {
    const database = await createMysql()
    const engine = database.open(2)
    try {
      const connection = await connect(engine)
      await ask(connection, { ...begin, branch: newBranch() })
      expect(await failure(connection, { _tag: 'Prepare', branch: newBranch() })).toMatchObject({
        reason: { _tag: 'Unsupported' },
        message: 'the transaction was not begun as the branch that it is to be prepared as',
      })
    } finally {
      await engine.close()
      await database.drop()
    }
  },
)

test.skipIf(skipped(mysqlHost) !== null)(
  'a branch that another living connection of MariaDB holds is held by a lock',
  async () => {
    const database = await createMysql()
    const engine = database.open(4)
    try {
      const [first, second] = [await connect(engine), await connect(engine)]
      const branch = newBranch()
      await ask(first, { ...begin, branch })
      await ask(first, { _tag: 'Prepare', branch })
      expect(await failure(second, { _tag: 'CommitPrepared', branch })).toMatchObject({
        reason: { _tag: 'LockTimeout' },
        retryable: true,
      })
      expect(await ask(first, { _tag: 'RollbackPrepared', branch })).toBe(true)
    } finally {
      await engine.close()
      await database.drop()
    }
  },
)

test.skipIf(skipped(postgresHost) !== null)('PostgreSQL says what to set where it does not allow them', async () => {
  const database = await createPostgres()
  const engine = kyselyEngine(new PostgresDialect({ pool: postgresPool(database.name, 2) }))
  try {
    const connection = await connect(engine)
    const { rows } = await ask(connection, raw(engine, sql`show max_prepared_transactions`))
    if (rows[0]?.max_prepared_transactions !== '0') return
    const branch = newBranch()
    await ask(connection, { ...begin, branch })
    expect(await failure(connection, { _tag: 'Prepare', branch })).toMatchObject({
      reason: { _tag: 'Unsupported' },
      message:
        'prepared transactions are disabled; set max_prepared_transactions to a number of connections, and restart the server',
    })
  } finally {
    await engine.close()
    await database.drop()
  }
})

test('an engine without them says so', async () => {
  const database = await sqliteHost('SQLite').create()
  const engine = database.open()
  const connection = await connect(engine)
  expect(engine.capabilities.twoPhase).toBe(false)
  const error = await failure(connection, { _tag: 'ListPrepared' })
  expect(error.reason._tag).toBe('Unsupported')
  expect(rightOf(await connection.call(begin))).toBe(undefined)
  await engine.close()
  await database.drop()
})
