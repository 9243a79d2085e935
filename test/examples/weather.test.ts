/**
 * The weather example, run as a user runs it. `npm test` builds it first.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

// a process each
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const main = fileURLToPath(new URL('../../examples/weather/dist/main.js', import.meta.url))

interface Run {
  readonly status: number | null
  readonly output: string
  readonly errors: string
}

const weather = (...args: ReadonlyArray<string>): Run => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: temporary },
  })
  return { status, output: stdout, errors: stderr }
}

const temporary = mkdtempSync(join(tmpdir(), 'unitary-weather-test-'))
afterAll(() => rmSync(temporary, { recursive: true, force: true }))

/** What stands between the rules of the tables that hold a line: its cells. */
const tableRows = (output: string): ReadonlyArray<ReadonlyArray<string>> =>
  output
    .split('\n')
    .filter((line) => line.trimStart().startsWith('│'))
    .map((line) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )

const amount = (text: string | undefined): number => Number(text?.replaceAll(',', ''))

const world = ['africa', 'antarctica', 'asia', 'europe', 'north_america', 'oceania', 'south_america']

describe('500 cities', () => {
  let run: Run
  /** Shards, statements and rows of each step. */
  const steps = new Map<string, { readonly shards: string; readonly statements: number; readonly rows: number }>()
  const folder = join(temporary, 'kept')

  beforeAll(() => {
    run = weather('--cities', '500', '--keep', folder)
    const all = tableRows(run.output.slice(run.output.indexOf('All steps')))
    for (const [step = '', shards = '', statements, rows] of all) {
      steps.set(step, { shards, statements: amount(statements), rows: amount(rows) })
    }
  })

  it('ends well, and says nothing on its error output where that is no terminal', () => {
    expect(run).toMatchObject({ status: 0, errors: '' })
    expect(run.output).toContain('500 cities on 7 shards')
    expect(run.output).toContain('temperatures computed from latitude and month')
    expect(run.output).toMatch(/\d s in all, peak memory \d+ MiB/)
  })

  it('plans a city with its four reports in full, beside it on its shard', () => {
    expect(run.output).toMatch(
      /1\. insert into locations on (\w+) \(1 row\)\n.*\n +2\. insert into reports on \1 \(4 rows\), after 1/,
    )
  })

  it('plans a step for each table and shard, and 2,500 rows in all, before it flushes them', () => {
    const planned = tableRows(run.output.slice(0, run.output.indexOf('- flush'))).filter(
      ([write]) => write === 'insert',
    )
    const shardsOf = (table: string): ReadonlyArray<string | undefined> =>
      planned.filter((cells) => cells[1] === table).map(([, , shard]) => shard)
    const rowsOf = (table: string): number =>
      planned.filter((cells) => cells[1] === table).reduce((sum, cells) => sum + amount(cells[4]), 0)
    expect(shardsOf('locations')).toEqual(world)
    expect(shardsOf('reports')).toEqual(world)
    expect(rowsOf('locations')).toBe(500)
    expect(rowsOf('reports')).toBe(2000)
    expect(steps.get('flush')).toEqual({ shards: 'all 7', statements: 14, rows: 2500 })
  })

  it('takes ids from one shard, in two blocks', () => {
    expect(run.output).toContain('1 to 500\n')
    expect(run.output).toContain('1 to 2,000\n')
    expect(steps.get('take ids of cities')).toMatchObject({ shards: 'europe' })
  })

  it('asks no shard that it need not', () => {
    const asked = Object.fromEntries([...steps].map(([step, { shards, statements }]) => [step, [shards, statements]]))
    expect(asked).toMatchObject({
      'plan of one city, in full': ['none', 0],
      'add all drafts': ['none', 0],
      'plan of all cities, in short': ['none', 0],
      commit: ['all 7', 0],
      'cities of one continent': ['africa', 1],
      'cities of two continents': ['antarctica, oceania', 2],
      'cities of one name': ['all 7', 7],
      'pinned to a shard': ['europe', 1],
      'a city by its key': ['all 7', 7],
      'its reports, on demand': [expect.stringMatching(/^[a-z_]+$/), 1],
      'a continent with its reports': ['south_america', 2],
      'plan the change': ['none', 0],
    })
    expect(steps.get('its reports, on demand')?.rows).toBe(4)
  })

  it('merges the hottest cities of all shards in one order, and gives ten', () => {
    const lines = run.output.match(/^ +[\d.]+ °C {2}.*$/gm) ?? []
    expect(lines).toHaveLength(10)
    expect(new Set(lines.map((line) => line.slice(-3, -1))).size).toBeGreaterThan(1)
  })

  it('takes a flushed change back, in the state and in the databases', () => {
    expect(steps.get('flush in a savepoint')?.rows).toBeGreaterThan(10)
    expect(run.output).toContain('state: as before, the very same value')
    expect(run.output).toContain('database: as before, every row')
  })

  it('commits the same change, and reads it in another session', () => {
    const { statements, rows } = steps.get('flush in a savepoint') ?? {}
    expect(steps.get('change again and commit')).toEqual({ shards: 'all 7', statements, rows })
    expect(steps.get('read what was committed')).toEqual({ shards: 'all 7', statements: 7, rows: 10 })
  })

  it('keeps the files, in which every report is beside its city and the counters are on one shard', () => {
    expect(readdirSync(folder).sort()).toEqual(world.map((shard) => `${shard}.db`))
    const counts = world.map((shard) => {
      const database = new Database(join(folder, `${shard}.db`), { readonly: true })
      const count = (what: string): unknown => database.prepare(`SELECT count(*) FROM ${what}`).pluck().get()
      const counted = {
        cities: Number(count('locations')),
        reports: Number(count('reports JOIN locations ON locations.id = reports.locationId')),
        renamed: Number(count("locations WHERE name LIKE '% (__)'")),
        counters: Number(count('counters')),
      }
      database.close()
      return counted
    })
    const sum = (of: 'cities' | 'reports' | 'renamed'): number => counts.reduce((total, shard) => total + shard[of], 0)
    expect({ cities: sum('cities'), reports: sum('reports'), renamed: sum('renamed') }).toEqual({
      cities: 500,
      reports: 2000,
      renamed: 10,
    })
    expect(counts.map(({ counters }) => counters)).toEqual([0, 0, 0, 2, 0, 0, 0])
  })

  it('leaves a folder alone that has a world already', () => {
    expect(weather('--cities', '7', '--keep', folder)).toEqual({
      status: 2,
      output: '',
      errors: `weather: ${join(folder, 'africa.db')} is there already; name a folder without it\n`,
    })
  })
})

describe('the smallest world', () => {
  it('has a city on each continent, and leaves no folder behind', () => {
    const { status, output } = weather('--cities', '7', '--reports', '1')
    expect(status).toBe(0)
    expect(tableRows(output).filter(([write, table]) => write === 'insert' && table === 'locations')).toHaveLength(7)
    expect(readdirSync(temporary).filter((name) => name.startsWith('unitary-weather-'))).toEqual([])
  })
})

describe('a disk that takes no more', () => {
  it.skipIf(process.platform === 'win32')(
    'ends it with the error as a sentence, exit code 1, and no folder behind',
    () => {
      // no file may grow beyond 200 KiB or so, as the shell counts
      const { status, stderr } = spawnSync(
        'sh',
        ['-c', 'ulimit -f 400 && exec "$@"', 'sh', process.execPath, main, '--cities', '5000'],
        {
          encoding: 'utf8',
          env: { ...process.env, TMPDIR: temporary },
        },
      )
      expect(status).toBe(1)
      // a flush that fails, or a commit that others have done already
      expect(stderr).toMatch(/^(The commit|\w+( of \w+)?) failed on shard '\w+': .+\n$/)
      expect(readdirSync(temporary).filter((name) => name.startsWith('unitary-weather-'))).toEqual([])
    },
  )
})

describe('bad arguments', () => {
  it.each([
    [['--cities', '0'], "--cities wants a whole number of at least 7, not '0'"],
    [['--cities', 'abc'], "--cities wants a whole number of at least 7, not 'abc'"],
    [['--cities', '6.5'], "--cities wants a whole number of at least 7, not '6.5'"],
    [['--cities'], "Option '--cities <value>' argument missing"],
    [['--reports', '13'], "--reports wants a whole number from 1 to 12, not '13'"],
    [['--citis', '500'], "Unknown option '--citis'"],
    [['500'], "Unexpected argument '500'"],
    [['--keep', '/dev/null/world'], "ENOTDIR: not a directory, mkdir '/dev/null/world'"],
  ])('%j are refused in one line, with exit code 2', (args, message) => {
    expect(weather(...args)).toEqual({ status: 2, output: '', errors: `weather: ${message}\n` })
  })
})
