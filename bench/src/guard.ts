/**
 * `npm run bench:guard`: fails where a workload has become twice as slow, over bare better-sqlite3, as it was.
 *
 * The fastest of many short runs is what counts, since other work on a machine makes runs slower and never faster; and only
 * ratios are compared, since machines differ.
 */
import { contest, thorough } from './contest/contest.js'
import { type WorkloadName, workload } from './contest/workload.js'
import { limit, unitary } from './contestants/entries.js'
import { figures } from './report/table.js'

/** The ratios of the fastest runs at these sizes, as they were measured on a quiet machine. */
const expected: Readonly<Partial<Record<WorkloadName, number>>> = {
  insert: 2,
  insertGraph: 2.5,
  load: 1.5,
  getMiss: 2,
  flushAll: 3,
  loadSelectin: 2,
  loadJoined: 2.5,
  transactions: 2.5,
}

/** Of their sizes; those of graphs are small as they are. */
const scale = 0.05
const isGraph: ReadonlySet<WorkloadName> = new Set(['loadSelectin', 'loadJoined'])
const effort = { ...thorough, runs: 15, shortMs: 0 }
const tolerance = 2

const rows: [string, string, string, string][] = []
let isSlow = false
for (const [name, ratio] of Object.entries(expected) as [WorkloadName, number][]) {
  const { absent, scores } = await contest([limit, unitary], workload(name, isGraph.has(name) ? 1 : scale), effort)
  const [byHand, ours] = scores
  if (byHand === undefined || ours === undefined) throw new Error(absent.map(({ reason }) => reason).join('; '))
  const now = ours.fastestMs / byHand.fastestMs
  const slow = now > tolerance * ratio
  isSlow ||= slow
  rows.push([name, `${now.toFixed(2)}x`, `${ratio.toFixed(2)}x`, slow ? 'too slow' : ''])
}
console.log(figures('fastest runs over bare better-sqlite3: now, expected', rows))
if (isSlow) {
  console.error(`A workload is more than ${tolerance} times as slow as expected. Profile it (see bench/NOTES.md).`)
  process.exitCode = 1
}
