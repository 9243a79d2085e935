/**
 * How time grows with size: what a row costs where there are more of them.
 */
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { type Effort, type Outcome, thorough } from '../contest/contest.js'
import type { WorkloadName } from '../contest/workload.js'
import { model, orDie } from '../contestants/unitary.js'
import { loaded } from './phases.js'

/** What a row takes where there are so many. */
export interface Level {
  readonly name: string
  readonly contestant: string
  readonly times: ReadonlyArray<readonly [rows: number, ns: number]>
  /** From the first size that is no warming up to the largest. */
  readonly growth: number
  /** The same over the limit's growth: the database has larger files to look into, and both have more memory to look after. */
  readonly beyondLimit: number
}

/** How much more a row may cost at the largest size, beyond what it costs the limit more. */
export const mostGrowth = 1.3

/** Below, a run is too short: it is the warming up that is measured. */
const smallest = 10_000

/** Of the runs of a workload at one size the fastest counts. */
export const growthEffort: Effort = { ...thorough, runs: 3 }

const flushes = 500

const growthOf = (times: Level['times'], from: number): number => {
  const first = times.find(([rows]) => rows >= from)?.[1] ?? Number.NaN
  return (times.at(-1)?.[1] ?? Number.NaN) / first
}

/** How many rows a workload is measured over. Reading is to be level further than writing. */
export const growingOver = (name: WorkloadName): ReadonlyArray<number> =>
  name === 'load' || name === 'stream' || name === 'flushFew'
    ? [1_000, 10_000, 100_000, 1_000_000]
    : [1_000, 10_000, 100_000]

/**
 * What a row costs each contestant in one workload over several numbers of rows, by fastest runs: other work on the machine makes
 * runs slower only.
 */
export const levels = (outcomes: ReadonlyArray<readonly [rows: number, outcome: Outcome]>): ReadonlyArray<Level> => {
  const timesOf = (contestant: string): Level['times'] =>
    outcomes.flatMap(([rows, { scores, workload }]) =>
      scores
        .filter((score) => score.contestant === contestant)
        .map(({ fastestMs }) => [rows, (fastestMs * 1e6) / workload.count] as const),
    )
  const first = outcomes[0]?.[1]
  const [limit] = first?.scores ?? []
  const limitGrowth = growthOf(timesOf(limit?.contestant ?? ''), smallest)
  return (first?.scores ?? []).map(({ contestant }) => {
    const times = timesOf(contestant)
    const growth = growthOf(times, smallest)
    return { name: first?.workload.title ?? '', contestant, times, growth, beyondLimit: growth / limitGrowth }
  })
}

/**
 * Changing and flushing a hundred of so many instances, without a database: a database has the more pages to write the
 * further its rows are apart.
 */
export const levelOfFew = (sizes: ReadonlyArray<number>): Level => {
  const times: Array<readonly [size: number, ns: number]> = []
  for (const size of sizes) {
    const { all, store } = loaded(size)
    const some = Array.from({ length: 100 }, (_, i) => all[i * (size / 100)] as (typeof all)[number])
    const change = (run: number) =>
      Session.traverseArray((one: (typeof all)[number]) =>
        pipe(one, Session.set(model.Customer, { description: `changed ${run}` })),
      )(some)
    // over and over in one session, as in a long-lived one
    const taken = Array.from({ length: flushes }, (_, run) => {
      const program = change(run)
      const start = performance.now()
      orDie(store.runSync(program))
      orDie(store.runSync(Session.flush))
      return performance.now() - start
    })
    const ns = (Math.min(...taken) * 1e6) / some.length
    times.push([size, ns])
  }
  const growth = growthOf(times, 0)
  return { name: 'a change of a hundred, no database', contestant: 'Unitary', times, growth, beyondLimit: growth }
}
