/**
 * `npm run bench`: the workloads, as ratios to bare better-sqlite3.
 */
import type { Measured } from './harness.js'
import {
  changeHeld,
  flushChanged,
  get,
  type Held,
  insert,
  insertGraph,
  insertPast,
  load,
  planChanged,
  stream,
  streamHeld,
} from './workloads.js'

const quick = process.argv.includes('--quick')
const scale = quick ? 0.1 : 1
const runs = quick ? 5 : 9

const line = (cells: ReadonlyArray<string>): string =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(26) : cell.padStart(12))).join('')

const show = ({ workload, count, limitMs, oursMs, ratio, spread }: Measured): string =>
  line([
    workload,
    String(count),
    limitMs.toFixed(2),
    oursMs.toFixed(2),
    `${ratio.toFixed(2)}x`,
    `${spread[0].toFixed(2)}-${spread[1].toFixed(2)}`,
  ])

console.log(line(['workload', 'rows', 'limit ms', 'unitary ms', 'ratio', 'spread']))
const report = (measured: Measured): void => console.log(show(measured))

report(insert(100_000 * scale, runs))
report(insertPast(10_000, runs))
report(insertGraph(10_000 * scale, runs))
report(load(100_000 * scale, runs))
report(stream(1_000_000 * scale, quick ? 3 : 5))
report(get(10_000 * scale, runs))
report(flushChanged(1_000, runs * 2))
report(flushChanged(100_000, runs * 2))
console.log('\nthe same changes and plan, with many loaded over with few loaded:')
report(planChanged(1_000, 100_000, runs * 2))

console.log('\nthe most that is held beside what was before, garbage apart:')
const reportHeld = ({ workload, count, bytes }: Held): void =>
  console.log(line([workload, String(count), `${(bytes / 2 ** 20).toFixed(2)} MiB`]))
for (const count of [10_000, 1_000_000 * scale]) reportHeld(streamHeld(count))
for (const count of [10_000, 1_000_000 * scale]) reportHeld(changeHeld(count))
