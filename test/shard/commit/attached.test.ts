/**
 * Files of SQLite that are attached to one connection: committed together by SQLite itself, or refused.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SqliteEngineOptions, sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { isLeft } from 'fp-ts/lib/Either.js'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { addEverywhere, attachedRuntime, openAttached } from './attached-model.js'
import { type Bundled, bundled } from './bundled.js'

const folders: string[] = []
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'unitary-attached-'))
  folders.push(folder)
  return folder
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Why a session that commits atomically gets no further; null where it does. */
const refusal = (database: Database.Database, options: SqliteEngineOptions): string | null => {
  const done = Session.runSync(attachedRuntime(sqliteEngine(database, options)))(addEverywhere(1))
  database.close()
  return isLeft(done) ? Session.render(done.left) : null
}

/** The same with settings of all three files. */
const refusalWith = (pragma: string, options: SqliteEngineOptions): string | null => {
  const database = openAttached(newFolder())
  for (const name of ['main', 'b', 'c']) database.pragma(`${name}.${pragma}`)
  return refusal(database, options)
}

/** How the engine is told to leave the journal as it is. */
const keep: SqliteEngineOptions = { journalMode: 'keep' }

const ending = 'or have them on connections of their own, each as a shard (Unsupported).'

describe('attached files', () => {
  it.each(['delete', 'truncate', 'persist'])('are committed together with a journal of mode %s', (mode) => {
    expect(refusalWith(`journal_mode = ${mode}`, keep)).toBe(null)
  })

  it('are refused in WAL mode, as the engine sets it by default', () => {
    expect(refusal(openAttached(newFolder()), {})).toBe(
      `connect failed on shard 'only': SQLite does not commit the attached files 'main', 'b', 'c' together, since the journal_mode of 'main', 'b', 'c' is wal; set it to delete, truncate or persist (journalMode of sqliteEngine), ${ending}`,
    )
    const database = openAttached(newFolder())
    database.pragma('c.journal_mode = wal')
    expect(refusal(database, keep)).toContain("since the journal_mode of 'c' is wal")
  })

  it('are refused with the journal in memory', () => {
    expect(refusalWith('journal_mode = memory', keep)).toContain(
      "'main' half written, since its journal_mode is memory",
    )
  })

  it('are refused where nobody waits for the disk', () => {
    expect(refusalWith('synchronous = off', keep)).toContain(
      "'main' half written, since its synchronous is off; set it to full",
    )
  })

  it('are refused under a main database in memory', () => {
    expect(refusal(openAttached(newFolder(), ':memory:'), keep)).toBe(
      `connect failed on shard 'only': SQLite does not commit the attached files 'b', 'c' together, since the main database is in memory; make it a file, ${ending}`,
    )
  })

  it('are taken for what they are: a single file, and databases in memory, need no journal in common', () => {
    const alone = new Database(join(newFolder(), 'a.db'))
    alone.exec("create table items (id integer primary key); attach ':memory:' as b; attach ':memory:' as c")
    alone.exec('create table b.items (id integer primary key); create table c.items (id integer primary key)')
    expect(refusal(alone, {})).toBe(null)
  })
})

describe('a process that commits over attached files', () => {
  let child: Bundled | null = null
  beforeAll(async () => {
    child = await bundled(new URL('attached-child.ts', import.meta.url))
  })
  afterAll(() => child?.remove())

  /** Lets it commit for so many ms. */
  const killAfter = (folder: string, first: number, ms: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const started = spawn(process.execPath, [child?.file ?? '', folder, String(first)])
      started.stdout.once('data', () => setTimeout(() => started.kill('SIGKILL'), ms))
      started.stderr.on('data', (text: Buffer) => reject(new Error(text.toString())))
      started.on('close', () => resolve())
    })

  it('and is killed at any time leaves all or nothing', async () => {
    const folder = newFolder()
    let last = 0
    for (let time = 0; time < 24; time++) {
      await killAfter(folder, last + 1, 10 + ((time * 37) % 160))
      // the next to read rolls back what is half written, or finishes it
      const database = openAttached(folder)
      const [here, there, yonder] = ['items', 'b.items', 'c.items'].map((table) =>
        database.prepare(`select count(*), max(id) from ${table}`).raw().get(),
      )
      database.close()
      expect(there).toEqual(here)
      expect(yonder).toEqual(here)
      const [count, most] = here as readonly [number, number | null]
      expect(count).toBe(most ?? 0)
      expect(count).toBeGreaterThanOrEqual(last)
      last = count
    }
    // each process has had its turn of a few
    expect(last).toBeGreaterThan(5)
  })
})
