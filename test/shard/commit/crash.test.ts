/**
 * Processes that commit over several databases and are killed at each step: after a recovery all is there or nothing is.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAll, defineModel, type Engine, entity, integer, primaryKey, text } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import { createCommitTables, type RecoveryReport, recover, shardMap } from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createMysql, mysqlHost, mysqlServer, skipped } from '../../core/engine/databases.js'
import { ask, connect, raw } from '../../core/engine/engine-conformance.js'
import { clusterMissing, type PostgresCluster, startCluster } from '../../core/engine/postgres-cluster.js'
import { rightOf } from '../weather.js'
import { type Bundled, bundled } from './bundled.js'
import type { Death, Moment, Orders, Place, Said } from './crash-child.js'

const Item = entity('Item', 'items', { id: pipe(integer, primaryKey), home: text })
const model = defineModel({ Item })(() => ({}))

interface Shard {
  readonly place: Place
  readonly engine: Engine
}

/** Shards by token, in the order of the map, and what is to be done when they are not needed any more. */
interface Site {
  readonly shards: Readonly<Record<string, Shard>>
  readonly drop: () => Promise<void>
}

interface Ended {
  readonly signal: string | null
  readonly said: string
}

let child: Bundled | null = null
beforeAll(async () => {
  child = await bundled(new URL('crash-child.ts', import.meta.url))
}, 60_000)
afterAll(() => child?.remove())

/** Commits in a process of its own. */
const commitIn = ({ shards }: Site, death: Death): Promise<Ended> =>
  new Promise((resolve) => {
    const places = Object.fromEntries(Object.entries(shards).map(([token, { place }]) => [token, place]))
    const orders: Orders = { places, ...death }
    const started = spawn(process.execPath, [child?.file ?? '', JSON.stringify(orders)])
    let said = ''
    const hear = (text: Buffer): void => {
      said += text.toString()
    }
    started.stdout.on('data', hear)
    started.stderr.on('data', hear)
    started.on('close', (_, signal) => resolve({ signal, said }))
  })

/** Does the work of all, so many at a time. */
const inLanes = async <A>(lanes: number, items: ReadonlyArray<A>, work: (item: A) => Promise<void>): Promise<void> => {
  const left = [...items]
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
    }),
  )
}

const far = 1_000_000

/**
 * Kills processes at each moment of each call of a commit, so many times, and recovers after each time, or after each death
 * where there is one lane. `decider` is the shard whose COMMIT decides.
 */
const killEverywhere = async (
  site: Site,
  decider: string,
  moments: ReadonlyArray<Moment>,
  { lanes, times }: { readonly lanes: number; readonly times: number },
): Promise<{ readonly kills: number; readonly committed: number }> => {
  const { shards } = site
  const living = await commitIn(site, { item: 0, call: far, when: 'before' })
  const { asks, error } = JSON.parse(living.said) as Said
  expect(error).toBe(null)
  const decided = asks.indexOf(`${decider} Commit`)
  expect(decided).toBeGreaterThan(0)
  const deaths: Death[] = []
  for (let time = 0; time < times; time++) {
    const before = deaths.length
    for (let call = 0; call < asks.length; call++) {
      for (const when of moments) deaths.push({ item: deaths.length + 1, call, when })
    }
    await inLanes(lanes, deaths.slice(before), async (death) => {
      expect(await commitIn(site, death)).toEqual({ signal: 'SIGKILL', said: '' })
      if (lanes === 1) await expectRecovered(site)
    })
    await expectRecovered(site)
  }
  const all = Object.keys(shards).length
  // a server that notices a death late shows what it has prepared late
  return vi.waitFor(
    async () => {
      await expectRecovered(site)
      const places = await placesOf(site)
      expect(places.get(0)).toBe(all)
      let committed = 0
      for (const { call, item, when } of deaths) {
        const found = places.get(item) ?? 0
        const isAfter = call > decided || (call === decided && when === 'after')
        const isBefore = call < decided || (call === decided && when === 'before')
        const due = isAfter ? [all] : isBefore ? [0] : [0, all]
        expect(due, `item ${item}, killed ${when} ${asks[call]}`).toContain(found)
        if (found === all) committed++
      }
      return { kills: deaths.length, committed }
    },
    { timeout: 15_000, interval: 100 },
  )
}

const mapOf = ({ shards }: Pick<Site, 'shards'>) =>
  shardMap(Object.fromEntries(Object.entries(shards).map(([token, { engine }]) => [token, engine])))

/** Recovers until there is nothing left to, which servers that have not noticed a death yet may put off. */
const expectRecovered = async (site: Site): Promise<void> => {
  const shards = mapOf(site)
  const options = { application: 'crash' }
  const both = await Promise.all([recover(shards, options)(), recover(shards, options)()])
  for (const report of both) expect(rightOf(report).unreachable).toEqual([])
  const nothing: RecoveryReport = { committed: [], rolledBack: [], unfinished: [], unreachable: [], forgotten: 0 }
  const recovered = async () => expect(rightOf(await recover(shards, options)())).toEqual(nothing)
  await vi.waitFor(recovered, { timeout: 10_000, interval: 50 })
}

/** On how many shards each item is. */
const placesOf = async ({ shards }: Site): Promise<ReadonlyMap<number, number>> => {
  const places = new Map<number, number>()
  for (const { engine } of Object.values(shards)) {
    const connection = await connect(engine)
    const { rows } = await ask(connection, raw(engine, sql`select id from items`))
    await connection.release()
    for (const { id } of rows) places.set(Number(id), (places.get(Number(id)) ?? 0) + 1)
  }
  return places
}

const withTables = async (place: Place, engine: Engine): Promise<Shard> => {
  rightOf(await createAll(model)(engine)())
  rightOf(await createCommitTables(engine)())
  return { place, engine }
}

let cluster: PostgresCluster | null = null
const openCluster = (): PostgresCluster => {
  cluster ??= startCluster()
  return cluster
}
afterAll(() => cluster?.remove())

const postgresShard = async (database: string): Promise<Shard> => {
  const { create, host, open } = openCluster()
  await create(database)
  return withTables({ kind: 'postgres', host, database }, open(database))
}

const closing = async (shards: Site['shards']): Promise<void> => {
  for (const { engine } of Object.values(shards)) await engine.close()
}

/** What a suite needs, and why it is not there. */
const needs = (...reasons: ReadonlyArray<string | null>): string | null =>
  reasons.find((reason) => reason !== null) ?? null

const suite = (name: string, missing: string | null, open: () => Promise<Site>, body: (site: () => Site) => void) =>
  describe.skipIf(missing !== null)(`${name}${missing === null ? '' : ` (${missing})`}`, () => {
    let site: Site | null = null
    beforeAll(async () => {
      site = await open()
    }, 60_000)
    afterAll(async () => {
      if (site !== null) await site.drop()
    })
    body(() => site as Site)
  })

suite(
  'a process that commits over three databases of PostgreSQL',
  clusterMissing,
  async () => {
    const shards = { a: await postgresShard('a'), b: await postgresShard('b'), c: await postgresShard('c') }
    return { shards, drop: () => closing(shards) }
  },
  (site) => {
    test('and is killed on the way leaves all or nothing', async () => {
      // two prepared, the record, COMMIT, two finished
      const { committed, kills } = await killEverywhere(site(), 'c', ['before', 'during', 'after'], {
        lanes: 4,
        times: 5,
      })
      expect(kills).toBe(90)
      expect(committed).toBeGreaterThanOrEqual(5 * 7)
    })
  },
)

suite(
  'a process that commits over MariaDB and PostgreSQL',
  needs(clusterMissing, skipped(mysqlHost)),
  async () => {
    const databases = [await createMysql(), await createMysql()] as const
    const maria = ({ name, open }: (typeof databases)[number]) =>
      withTables({ kind: 'mysql', ...mysqlServer, database: name }, open())
    const shards = { m: await maria(databases[0]), n: await maria(databases[1]), p: await postgresShard('p') }
    const drop = async (): Promise<void> => {
      // what is still prepared after a failure would be in the way
      await recover(mapOf({ shards }), { application: 'crash' })()
      await closing(shards)
      for (const database of databases) await database.drop()
    }
    return { shards, drop }
  },
  (site) => {
    test('and is killed on the way leaves all or nothing', async () => {
      const { committed, kills } = await killEverywhere(site(), 'm', ['before', 'during', 'after'], {
        lanes: 4,
        times: 5,
      })
      expect(kills).toBe(90)
      expect(committed).toBeGreaterThanOrEqual(5 * 7)
    })
  },
)

suite(
  'a process that commits over three files of SQLite',
  null,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'unitary-crash-'))
    const file = (name: string): Promise<Shard> => {
      const path = join(folder, `${name}.db`)
      return withTables({ kind: 'sqlite', file: path }, sqliteEngine(new Database(path)))
    }
    const shards = { a: await file('a'), b: await file('b'), c: await file('c') }
    const drop = async (): Promise<void> => {
      await closing(shards)
      rmSync(folder, { recursive: true, force: true })
    }
    return { shards, drop }
  },
  (site) => {
    test('and is killed on the way leaves all or nothing', async () => {
      const { committed, kills } = await killEverywhere(site(), 'c', ['before', 'after'], { lanes: 1, times: 1 })
      expect(kills).toBeGreaterThan(20)
      expect(committed).toBeGreaterThan(10)
    })
  },
)
