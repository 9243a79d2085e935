/**
 * How time grows with size: what a row costs where there are more of them.
 */
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import type { Outcome, Score } from '../contest/contest.js'
import { model, orDie } from '../contestants/unitary.js'
import { loaded } from './phases.js'

/** What takes how long at several sizes, by what it takes at the first of them. */
export interface Level {
  readonly name: string
  readonly from: number
  readonly growth: ReadonlyArray<readonly [size: number, ratio: number]>
  readonly isWithin: boolean
}

/** What a row may cost at a hundred times the size. */
export const mostGrowth = 1.3

/** Below, a run is too short: it is the warming up that is measured. */
const smallest = 10_000

const flushes = 500

const perRow = ({ workload: { count } }: Outcome, { fastestMs }: Score): number => fastestMs / count

const level = (name: string, times: ReadonlyArray<readonly [size: number, ns: number]>): Level => {
  const [first = [0, Number.NaN] as const, ...others] = times
  const growth = others.map(([size, ns]) => [size, ns / first[1]] as const)
  return { name, from: first[0], growth, isWithin: growth.every(([, ratio]) => ratio <= mostGrowth) }
}

/** What a row costs each contestant, by fastest runs: other work on the machine makes runs slower only. */
export const levels = (outcomes: ReadonlyArray<Outcome>): ReadonlyArray<Level> =>
  [...new Set(outcomes.map(({ workload }) => workload.name))].flatMap((name) => {
    const grown = outcomes.filter(({ workload }) => workload.name === name && workload.size >= smallest)
    return (grown[0]?.scores ?? []).map(({ contestant }) =>
      level(
        `${name}, ${contestant}`,
        grown.flatMap((outcome) =>
          outcome.scores
            .filter((score) => score.contestant === contestant)
            .map((score) => [outcome.workload.size, perRow(outcome, score)] as const),
        ),
      ),
    )
  })

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
  return level('a change of a hundred, flushed, without a database', times)
}
