/**
 * A PostgreSQL server of a test file's own, for what the server that is there does not allow: prepared transactions, a
 * crash. It is reached by a socket in its own folder, and is gone with it.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Engine } from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { PostgresDialect } from 'kysely'
import { Client, Pool } from 'pg'

export interface PostgresCluster {
  /** Where its socket is: the `host` of its clients. */
  readonly host: string
  readonly create: (name: string) => Promise<void>
  readonly open: (name: string, connections?: number) => Engine
  readonly query: (name: string, sql: string) => Promise<ReadonlyArray<Record<string, unknown>>>
  /** Kills the server, as a failure of the machine would, and starts it again. */
  readonly crash: () => void
  readonly start: () => void
  readonly stop: () => void
  /** Stops it, and removes its folder. */
  readonly remove: () => void
}

const versions = '/usr/lib/postgresql'

/** The newest server programs that are there; null where none are. */
const binaries = (): string | null => {
  const installed = existsSync(versions)
    ? readdirSync(versions)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(versions, version, 'bin'))
    : []
  const folders = [...installed, ...(process.env.PATH ?? '').split(delimiter)]
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'pg_ctl'))) ?? null
}

const isRoot = process.getuid?.() === 0

/** Runs a program of the server: not as root, which it refuses. */
const runServerProgram = (program: string, args: ReadonlyArray<string>): void => {
  const [command, given] = isRoot ? ['runuser', ['-u', 'postgres', '--', program, ...args]] : [program, args]
  const { error, status, stderr } = spawnSync(command, given, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: '/',
  })
  if (error !== undefined || status !== 0) throw new Error(`${program}: ${error?.message ?? stderr}`)
}

const found = binaries()

const missing =
  found === null
    ? 'no server programs of PostgreSQL (initdb, pg_ctl) are installed'
    : isRoot && spawnSync('id', ['-u', 'postgres']).status !== 0
      ? 'root cannot run a server of PostgreSQL, and there is no user postgres'
      : null

/** Why there can be no server; null where there can. Where CI promises one, a test runs and fails instead. */
export const clusterMissing: string | null = process.env.CI === 'true' ? null : missing

/** Starts a server; `settings` beside those that tests want. */
export const startCluster = (settings: Readonly<Record<string, string | number>> = {}): PostgresCluster => {
  if (missing !== null || found === null) throw new Error(missing ?? '')
  const bin = found
  const folder = mkdtempSync(join(tmpdir(), 'unitary-pg-'))
  // the server's own user has to write into it
  chmodSync(folder, 0o777)
  const data = join(folder, 'data')
  const socket = join(folder, 's')
  mkdirSync(socket)
  chmodSync(socket, 0o777)
  runServerProgram(join(bin, 'initdb'), [
    '--no-sync',
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C',
  ])
  const options = Object.entries({
    listen_addresses: "''",
    unix_socket_directories: socket,
    max_prepared_transactions: 64,
    max_connections: 100,
    fsync: 'off',
    ...settings,
  }).map(([name, value]) => `-c ${name}=${value}`)
  const control = (...args: ReadonlyArray<string>): void =>
    runServerProgram(join(bin, 'pg_ctl'), [
      '-D',
      data,
      '-w',
      '-l',
      join(folder, 'log'),
      '-o',
      options.join(' '),
      ...args,
    ])
  control('start')
  const query = async (name: string, sql: string): Promise<ReadonlyArray<Record<string, unknown>>> => {
    const client = new Client({ host: socket, user: 'postgres', database: name })
    await client.connect()
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }
  return {
    host: socket,
    query,
    create: async (name) => {
      await query('postgres', `create database ${name}`)
    },
    open: (name, connections = 4) => {
      const pool = new Pool({ host: socket, user: 'postgres', database: name, max: connections })
      // a connection that breaks while nobody asks it anything would end the process
      pool.on('error', () => {})
      pool.on('connect', (client) => client.on('error', () => {}))
      return kyselyEngine(new PostgresDialect({ pool }))
    },
    crash: () => {
      control('stop', '-m', 'immediate')
      control('start')
    },
    start: () => control('start'),
    stop: () => control('stop', '-m', 'immediate'),
    remove: () => {
      try {
        control('stop', '-m', 'immediate')
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  }
}
