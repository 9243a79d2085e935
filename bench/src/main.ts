/**
 * `npm run bench`: Unitary beside bare better-sqlite3, which is the limit, and beside its peers.
 */
import { parseArgs } from 'node:util'
import { contest, type Outcome, quick, thorough } from './contest/contest.js'
import { type WorkloadName, workload, workloadNames, workloadOver } from './contest/workload.js'
import { limit, peers, postgres, trusted, unitary } from './contestants/entries.js'
import { allocation } from './measures/allocation.js'
import { type FanOutFigure, fanOutAsync, fanOutSync } from './measures/fan-out.js'
import { growingOver, growthEffort, type Level, levelOfFew, levels, mostGrowth } from './measures/growth.js'
import { changeHeld, memory, mostBeyondRow, streamHeld } from './measures/memory.js'
import { phases } from './measures/phases.js'
import { statements } from './measures/statements.js'
import { steps } from './measures/steps.js'
import { typeCost } from './measures/types.js'
import { missingPostgres } from './postgres.js'
import { chart } from './report/chart.js'
import { writePicture, writeResults } from './report/results.js'
import { figures, growthHeading, growthTable, heading, nanoseconds, outcomeTable } from './report/table.js'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    'no-peers': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(`npm run bench -- [options]

  --quick          a tenth of the rows, fewer runs, checked rows only: under two minutes
  --only NAME      one of: ${[...workloadNames, 'postgres', 'growth', 'phases', 'steps', 'statements', 'memory', 'types', 'fan-out'].join(', ')}; may be repeated
  --no-peers       only the limit and Unitary`)
  process.exit()
}

const isWanted = (name: string): boolean => values.only === undefined || values.only.includes(name)
const scale = values.quick ? 0.1 : 1
const effort = values.quick ? quick : thorough
const entries = [limit, unitary, ...(values.quick ? [] : [trusted]), ...(values['no-peers'] ? [] : peers)]

const show = (outcome: Outcome): Outcome => {
  console.log(outcomeTable(outcome))
  return outcome
}

console.log(heading)
const outcomes: Outcome[] = []
for (const name of workloadNames.filter(isWanted))
  outcomes.push(show(await contest(entries, workload(name, scale), effort)))
if (outcomes.length > 0) {
  writeResults(values.quick ? 'contests-quick' : 'contests', outcomes)
  if (outcomes.length === workloadNames.length) writePicture('contests', chart(outcomes))
}

if (isWanted('postgres')) {
  const missing = await missingPostgres()
  console.log(`\non PostgreSQL${missing === null ? '' : `: left out, ${missing}`}`)
  const measured: Outcome[] = []
  for (const name of missing === null ? (['insert', 'load', 'flushAll'] as const) : []) {
    measured.push(show(await contest(postgres, workload(name, scale), effort)))
  }
  writeResults('postgres', measured)
}

if (isWanted('growth')) {
  const most = values.quick ? 10_000 : 1_000_000
  const growing: ReadonlyArray<WorkloadName> = values.quick ? ['insert', 'load', 'flushFew'] : workloadNames
  console.log(growthHeading)
  const measured: Level[] = []
  const note = (grown: ReadonlyArray<Level>): void => {
    console.log(growthTable(grown, mostGrowth))
    measured.push(...grown)
  }
  for (const name of growing) {
    const outcomes: Array<readonly [rows: number, outcome: Outcome]> = []
    for (const rows of growingOver(name).filter((each) => each <= most))
      outcomes.push([
        rows,
        await contest([limit, unitary], workloadOver(name, rows), values.quick ? quick : growthEffort),
      ])
    note(levels(outcomes))
  }
  note([levelOfFew([1_000, 10_000, 100_000, 1_000_000].filter((each) => each <= most))])
  writeResults('growth', measured)
}

if (isWanted('phases')) {
  const measured = await phases(100_000 * scale)
  console.log(
    figures(
      '\neach phase by itself, without a database, for an instance',
      measured.map(([name, ns]) => [name, nanoseconds(ns)]),
    ),
  )
  writeResults('phases', measured)
}

if (isWanted('steps')) {
  const measured = await steps(100_000 * scale)
  console.log(
    figures(
      '\na step of a program',
      measured.map(([name, ns]) => [name, nanoseconds(ns)]),
    ),
  )
  writeResults('steps', measured)
}

if (isWanted('statements')) {
  const measured = await statements(20_000 * scale)
  console.log(
    figures(
      '\na statement, built anew each time',
      measured.map(([name, ns]) => [name, nanoseconds(ns)]),
    ),
  )
  writeResults('statements', measured)
}

if (isWanted('memory')) {
  const measured = memory(values.quick ? 20_000 : 100_000)
  console.log(
    figures(
      `\nwhat is held for an instance of three columns: beyond the row ${mostBeyondRow} bytes at the most`,
      measured.map(([name, bytes, bound]) => [
        name,
        `${bytes.toFixed(0)} bytes`,
        bound === null || bytes <= bound ? '' : 'more',
      ]),
    ),
  )
  const sizes = [10_000, 1_000_000 * scale]
  const streamed = [...sizes.map(streamHeld), ...sizes.map(changeHeld)]
  console.log(
    figures(
      '\nthe most that is held beside what was before',
      streamed.map(({ bytes, count, workload: name }) => [
        `${name}, ${count.toLocaleString('en')} rows`,
        `${(bytes / 2 ** 20).toFixed(2)} MiB`,
      ]),
    ),
  )
  const allocated = await allocation(0.1)
  console.log(
    figures(
      '\nwhat is allocated for a row or an operation, garbage included',
      allocated.map(({ bytes, workload: name }) => [name, `${bytes.toFixed(0)} bytes`]),
    ),
  )
  writeResults('memory', { instance: measured, streamed, allocated })
}

if (isWanted('types')) {
  const measured = (values.quick ? [10] : [10, 100]).map(typeCost)
  console.log(
    figures(
      '\ntype-checking a model: instantiations, seconds to check, seconds in all',
      measured.map(({ checkSeconds, entities, instantiations, relationships, totalSeconds }) => [
        `${entities} entities, ${relationships} relationships`,
        instantiations.toLocaleString('en'),
        checkSeconds.toFixed(2),
        totalSeconds.toFixed(2),
      ]),
    ),
  )
  writeResults('types', measured)
}

if (isWanted('fan-out')) {
  const rows = 20_000 * scale
  const show = (title: string, measured: ReadonlyArray<FanOutFigure>): void =>
    console.log(
      figures(
        title,
        measured.map(({ beside, fanOut, ratio, workload: name }) => [
          name,
          `${fanOut.toFixed(2)} ms`,
          `${beside.toFixed(2)} ms`,
          `${ratio.toFixed(2)}x`,
        ]),
      ),
    )
  const synchronous = fanOutSync(rows, effort.runs)
  show(
    `\n${rows.toLocaleString('en')} rows on four shards of SQLite, beside the same query on each by itself`,
    synchronous,
  )
  const missing = await missingPostgres()
  const asynchronous = missing === null ? await fanOutAsync(rows / 10, effort.runs) : []
  if (missing === null)
    show(
      `\n${(rows / 10).toLocaleString('en')} rows on PostgreSQL, taking 20 to 50 ms, beside the slowest shard`,
      asynchronous,
    )
  else console.log(`\non PostgreSQL: left out, ${missing}`)
  writeResults('fan-out', { synchronous, asynchronous })
}
