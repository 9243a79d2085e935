/**
 * Streams over servers: what they hold, and what they give back when they stop early.
 */
import {
  createAll,
  defineModel,
  type Engine,
  entity,
  integer,
  limit,
  modify,
  orderBy,
  primaryKey,
  select,
  text,
} from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import * as Session from '@unitary/session'
import { isLeft, isRight } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { Kysely, type LogEvent, MysqlDialect, PostgresDialect, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createMysql,
  createPostgres,
  mysqlHost,
  mysqlPool,
  postgresHost,
  postgresPool,
  type ServerDatabase,
  skipped,
} from '../../core/engine/databases.js'
import { errorOf, resultOf } from '../app.js'
import { heapGrowth } from '../heap-growth.js'

const Thing = entity('Thing', 'things', { id: pipe(integer, primaryKey), name: text })
const model = defineModel({ Thing })(() => ({}))
const byId = pipe(select(model.Thing), orderBy('id'))
const rows = 100_000

interface Server {
  readonly name: string
  readonly missing: string | null
  readonly create: () => Promise<ServerDatabase>
  readonly fill: ReturnType<typeof sql>
  /** An engine with so many connections, and what it logs. */
  readonly open: (database: ServerDatabase, connections: number, log: (event: LogEvent) => void) => Engine
  /** Breaks the connections of a database but the one that asks. */
  readonly breakOthers: (database: ServerDatabase) => ReturnType<typeof sql>
  readonly interruption: ReadonlyArray<string>
}

const servers: ReadonlyArray<Server> = [
  {
    name: 'PostgreSQL',
    missing: skipped(postgresHost),
    create: createPostgres,
    fill: sql`insert into things select n, 'the name of thing ' || n from generate_series(1, ${sql.lit(rows)}) as n`,
    open: ({ name }, connections, log) =>
      kyselyEngine(new Kysely({ dialect: new PostgresDialect({ pool: postgresPool(name, connections) }), log })),
    breakOthers: ({ name }) =>
      sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name} and pid <> pg_backend_pid()`,
    interruption: [],
  },
  {
    name: 'MariaDB',
    missing: skipped(mysqlHost),
    create: createMysql,
    fill: sql`insert into things select seq, concat('the name of thing ', seq) from ${sql.table(`seq_1_to_${rows}`)}`,
    open: ({ name }, connectionLimit, log) =>
      kyselyEngine(new Kysely({ dialect: new MysqlDialect({ pool: mysqlPool(name, { connectionLimit }) }), log })),
    breakOthers: ({ name }) =>
      sql`select id from information_schema.processlist where db = ${name} and id <> connection_id()`,
    interruption: ['kill query'],
  },
]

describe.each(servers)('$name', (server) => {
  describe.skipIf(server.missing !== null)(server.missing ?? 'streams', () => {
    let database: ServerDatabase
    const opened: Engine[] = []

    const open = (connections: number) => {
      const events: LogEvent[] = []
      const engine = server.open(database, connections, (event) => events.push(event))
      opened.push(engine)
      return { engine, events, runtime: Session.runtime(model, engine) }
    }

    const run = <E, A>(runtime: Session.Runtime, program: Session.Program<E, A>) => Session.run(runtime)(program)()

    /** All connections can be had, and work. */
    const areFree = async (engine: Engine, connections: number): Promise<boolean> => {
      const held = (await Promise.all(Array.from({ length: connections }, () => engine.connect()))).map(resultOf)
      const statement = engine.compile(sql`select 1 as one`.toOperationNode() as never)
      const answers = await Promise.all(held.map(async (connection) => connection.call({ _tag: 'Query', statement })))
      await Promise.all(held.map(async (connection) => connection.release()))
      return answers.every(isRight)
    }

    beforeAll(async () => {
      database = await server.create()
      const { engine, runtime } = open(1)
      resultOf(await createAll(model)(engine)())
      resultOf(
        await run(
          runtime,
          pipe(
            Session.sql(server.fill),
            Session.chain(() => Session.commit),
          ),
        ),
      )
    }, 30_000)
    afterAll(async () => {
      for (const engine of opened) await engine.close()
      await database?.drop()
    })

    it('give every row, and hold no more of them than a chunk', async () => {
      const { runtime } = open(1)
      const growth = heapGrowth()
      let count = 0
      for await (const chunk of Session.streamChunks(runtime, { chunk: 500 })(byId)) {
        for (const { id } of resultOf(chunk)) if (id !== ++count) expect(id).toBe(count)
        if (count % 10_000 === 0) growth.measure()
      }
      expect(count).toBe(rows)
      // all of them take five times as much
      expect(growth.most()).toBeLessThan(3_000_000)
    }, 30_000)

    it.each([1, 3])(
      'give their connection back whenever they stop early, of %i',
      async (connections) => {
        const { engine, runtime } = open(connections)
        for (let i = 0; i < 3; i++) {
          for await (const thing of Session.stream(runtime, { chunk: 100 })(byId)) {
            expect(resultOf(thing).id).toBe(1)
            break
          }
          const throwing = async () => {
            for await (const _ of Session.streamChunks(runtime, { chunk: 100 })(byId)) throw new Error('enough')
          }
          await expect(throwing()).rejects.toThrow('enough')
          const controller = new AbortController()
          const iterator = Session.stream(runtime, { chunk: 100, signal: controller.signal })(byId)[
            Symbol.asyncIterator
          ]()
          await iterator.next()
          controller.abort()
          // nobody asks on: the connection comes back all the same
          expect(await areFree(engine, connections)).toBe(true)
          expect(await iterator.next()).toMatchObject({ value: { left: { _tag: 'Interrupted' } } })
          const missing = pipe(
            byId,
            modify((query) => query.where(sql`no_such_column`, '=', 1) as never),
          )
          for await (const thing of Session.stream(runtime)(missing)) {
            expect(errorOf(thing)).toMatchObject({
              _tag: 'DatabaseError',
              cause: { reason: { _tag: 'UnknownColumn' } },
            })
          }
        }
        expect(await areFree(engine, connections)).toBe(true)
      },
      60_000,
    )

    it('do not read on for nobody, where another connection can be had', async () => {
      const { engine, events, runtime } = open(2)
      for await (const _ of Session.stream(runtime, { chunk: 100 })(byId)) break
      const texts = events.map(({ query }) => query.sql.toLowerCase())
      expect(texts.filter((text) => text.startsWith('kill query')).length).toBe(server.interruption.length)
      expect(await areFree(engine, 2)).toBe(true)
    }, 30_000)

    it('fail when the connection breaks before all rows have come, and the pool goes on', async () => {
      const { engine, runtime } = open(2)
      const other = open(1).runtime
      const items: unknown[] = []
      for await (const chunk of Session.streamChunks(runtime, { chunk: 100 })(byId)) {
        items.push(isLeft(chunk) ? chunk.left : chunk.right.length)
        if (items.length > 1) continue
        const broken = resultOf(
          await run(other, Session.sql<{ readonly id?: number }>(server.breakOthers(database) as never)),
        )
        for (const { id } of broken) if (id !== undefined) await run(other, Session.sql(sql`kill ${sql.lit(id)}`))
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      // what the server has sent already still comes: all of it, if nothing was left to be sent
      const count = items.reduce((sum: number, item) => sum + (typeof item === 'number' ? item : 0), 0)
      if (count !== rows) {
        expect(items.at(-1)).toMatchObject({ _tag: 'DatabaseError', operation: 'query', retryable: true })
      }
      expect(await areFree(engine, 2)).toBe(true)
    }, 30_000)

    it('let a session write and commit between chunks, on one connection', async () => {
      const { engine, events, runtime } = open(1)
      const first = pipe(byId, limit(2500))
      const renamed = pipe(
        first,
        Session.foldChunks(
          0,
          (count, things) =>
            pipe(
              things,
              Session.traverseArray((thing) => pipe(thing, Session.set(model.Thing, { name: `renamed ${thing.id}` }))),
              Session.chain(() => Session.commit),
              Session.map(() => count + things.length),
            ),
          { chunk: 1000 },
        ),
      )
      expect(resultOf(await run(runtime, renamed))).toBe(2500)
      expect(events.filter(({ query }) => /^commit$/i.test(query.sql)).length).toBe(3)
      const things = resultOf(await run(runtime, Session.query(pipe(byId, limit(2501)))))
      expect(things.map(({ name }) => name.split(' ')[0])).toEqual([
        ...Array.from({ length: 2500 }, () => 'renamed'),
        'the',
      ])
      expect(await areFree(engine, 1)).toBe(true)
    }, 30_000)

    it('leave nothing open behind them', async () => {
      if (server.name !== 'PostgreSQL') return
      const { runtime } = open(1)
      const program = (end: Session.Program<Session.FlushError | 'no', unknown>) =>
        pipe(
          byId,
          limit(10),
          Session.forEachChunk(
            () =>
              pipe(
                Session.commit,
                Session.chain(() => end),
              ),
            { chunk: 4 },
          ),
        )
      for (const end of [Session.of(1), Session.fail('no' as const), Session.rollback as never])
        await run(runtime, program(end))
      expect(resultOf(await run(runtime, Session.sql(sql`select name from pg_cursors`)))).toEqual([])
    })

    it('of a query that locks its rows end with the transaction', async () => {
      const { engine, runtime } = open(1)
      const locking = pipe(
        byId,
        limit(10),
        modify((query) => query.forUpdate()),
      )
      const seen: number[] = []
      const through = (end: Session.Program<Session.FlushError, unknown>) =>
        pipe(
          locking,
          Session.forEachChunk(
            (things) =>
              pipe(
                end,
                Session.map(() => seen.push(...things.map(({ id }) => id))),
              ),
            { chunk: 4 },
          ),
        )
      resultOf(await run(runtime, through(Session.of(1))))
      expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      expect(errorOf(await run(runtime, through(Session.commit)))).toMatchObject({
        _tag: 'DatabaseError',
        cause: { reason: { _tag: 'Unavailable' } },
      })
      expect(await areFree(engine, 1)).toBe(true)
    })
  })
})
