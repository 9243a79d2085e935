/**
 * Four shards on one server, each a database of its own behind a proxy of its own.
 */
import { createAll, defineModel, type Engine, entity, integer, nullable, primaryKey, text } from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import type { RuntimeOptions } from '@unitary/session'
import * as Session from '@unitary/session'
import {
  byAttribute,
  type CommitLevel,
  choosers,
  type FanOutPolicy,
  type ShardedRuntime,
  shardedRuntime,
  shardMap,
} from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { MysqlDialect, PostgresDialect } from 'kysely'
import { createPool, type Pool as MysqlPool } from 'mysql2'
import { Pool } from 'pg'
import {
  createMysql,
  createPostgres,
  mysqlHost,
  postgresHost,
  type ServerDatabase,
  skipped,
} from '../../core/engine/databases.js'
import { rightOf } from '../weather.js'
import { openProxy, type TcpProxy } from './proxy.js'

const Item = entity('Item', 'items', {
  id: pipe(integer, primaryKey),
  home: text,
  n: pipe(integer, nullable),
})
export const model = defineModel({ Item })(() => ({}))
export const homes = ['one', 'two', 'three', 'four'] as const
export type Home = (typeof homes)[number]

export interface Shards {
  readonly proxies: Readonly<Record<Home, TcpProxy>>
  readonly engines: Readonly<Record<Home, Engine>>
  readonly app: (
    fanOut?: FanOutPolicy,
    options?: RuntimeOptions & { readonly commit?: CommitLevel },
  ) => ShardedRuntime<Home>
  /** The same databases by connections of their own, without proxies. */
  readonly direct: ShardedRuntime<Home>
  /** Connections that the pool of a shard has, whoever uses them. */
  readonly pooled: (home: Home) => number
  readonly close: () => Promise<void>
}

export interface ShardsHost {
  readonly name: string
  readonly missing: string | null
  readonly open: (options?: { readonly isPoolKnown?: boolean }) => Promise<Shards>
  /** A condition that takes a while. */
  readonly sleeps: (seconds: number) => string
}

interface Server {
  readonly port: number
  readonly create: () => Promise<ServerDatabase>
  readonly engine: (database: string, port: number, isPoolKnown: boolean) => readonly [Engine, () => number]
}

const postgres: Server = {
  port: 5432,
  create: createPostgres,
  engine: (database, port, isPoolKnown) => {
    const pool = new Pool({ host: '127.0.0.1', port, user: 'root', database, max: 4, connectionTimeoutMillis: 500 })
    pool.on('error', () => {})
    pool.on('connect', (client) => client.on('error', () => {}))
    return [kyselyEngine(new PostgresDialect({ pool }), isPoolKnown ? { pool } : {}), () => pool.totalCount]
  },
}

/** `mysql2` counts its connections for itself. */
const pooledBy = (pool: MysqlPool): number =>
  (pool as unknown as { readonly _allConnections: { readonly length: number } })._allConnections.length

const mysql: Server = {
  port: 3306,
  create: createMysql,
  engine: (database, port, isPoolKnown) => {
    const pool = createPool({
      host: '127.0.0.1',
      port,
      user: 'root',
      database,
      connectionLimit: 4,
      connectTimeout: 500,
    })
    return [kyselyEngine(new MysqlDialect({ pool }), isPoolKnown ? { pool } : {}), () => pooledBy(pool)]
  },
}

const openOn =
  (server: Server): ShardsHost['open'] =>
  async ({ isPoolKnown = true } = {}) => {
    const made = await Promise.all(
      homes.map(async (home) => {
        const database = await server.create()
        const proxy = await openProxy(server.port)
        const [engine, pooled] = server.engine(database.name, proxy.port, isPoolKnown)
        const direct = database.open(2)
        rightOf(await createAll(model)(direct)())
        return { home, database, proxy, engine, pooled, direct }
      }),
    )
    const by = <A>(value: (one: (typeof made)[number]) => A) =>
      Object.fromEntries(made.map((one) => [one.home, value(one)])) as Record<Home, A>
    const rules = choosers(model)({
      Item: byAttribute('home', { one: 'one', two: 'two', three: 'three', four: 'four' }),
    })
    const app: Shards['app'] = (fanOut, options) =>
      shardedRuntime(model, {
        shards: shardMap(by(({ engine }) => engine)),
        choosers: rules,
        ...(fanOut === undefined ? {} : { fanOut }),
        ...options,
      })
    const direct = shardedRuntime(model, { shards: shardMap(by((one) => one.direct)), choosers: rules })
    const items = homes.flatMap((home, at) => [0, 1, 2].map((n) => ({ id: at * 10 + n, home, n })))
    rightOf(
      await Session.run(direct)(
        pipe(
          Session.addAll(model.Item, items),
          Session.chain(() => Session.commit),
        ),
      )(),
    )
    const pools = by(({ pooled }) => pooled)
    return {
      proxies: by(({ proxy }) => proxy),
      engines: by(({ engine }) => engine),
      app,
      direct,
      pooled: (home) => pools[home](),
      close: async () => {
        for (const one of made) {
          await Promise.race([one.engine.close(), new Promise((resolve) => setTimeout(resolve, 300))])
          await one.proxy.close()
          await one.direct.close()
          await one.database.drop()
        }
      },
    }
  }

export const hosts: ReadonlyArray<ShardsHost> = [
  {
    name: 'PostgreSQL',
    missing: skipped(postgresHost),
    open: openOn(postgres),
    sleeps: (seconds) => `pg_sleep(${seconds}) is not null`,
  },
  { name: 'MariaDB', missing: skipped(mysqlHost), open: openOn(mysql), sleeps: (seconds) => `sleep(${seconds}) = 0` },
]
