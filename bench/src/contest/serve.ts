/**
 * A contestant's process: it is told to run a workload, and answers how long that took.
 *
 * Each contestant does each workload in a process of its own, so that none is slowed or warmed by what another has left
 * behind, and the most memory that it has held is its own.
 */
import { type Contestant, type WorkloadName, workloadNames } from './workload.js'

/** What a contestant is asked. */
export interface Question {
  readonly workload: WorkloadName
  readonly size: number
  readonly run: number
}

/** What it answers: milliseconds, and MiB that the process has held at the most; or that it cannot do it. */
export type Answer =
  | { readonly _tag: 'Ready'; readonly workloads: ReadonlyArray<WorkloadName> }
  | { readonly _tag: 'Taken'; readonly ms: number; readonly peakMiB: number }
  | { readonly _tag: 'Failed'; readonly reason: string }

const time = async (contestant: Contestant, { workload, size, run }: Question): Promise<Answer> => {
  const make = contestant[workload]
  if (make === undefined) return { _tag: 'Failed', reason: 'it has no way to do this' }
  const { prepare, run: perform, dispose } = make(size)
  const context = await prepare(run)
  // a full collection would throw away optimised code with the garbage, which no program meets before each piece of work
  globalThis.gc?.({ type: 'minor' })
  const start = performance.now()
  const result: unknown = perform(context)
  // nothing is waited for where there is no promise; some are promises in name only, and begin when they are awaited
  if (typeof (result as { readonly then?: unknown } | null)?.then === 'function') await result
  const ms = performance.now() - start
  await dispose(context)
  return { _tag: 'Taken', ms, peakMiB: process.resourceUsage().maxRSS / 1024 }
}

const send = (answer: Answer): void => {
  process.send?.(answer)
}

/** Answers questions until the one who asks goes. */
export const serve = (contestant: Contestant): void => {
  process.on('message', (question: Question) => {
    time(contestant, question).then(send, (error: unknown) =>
      send({ _tag: 'Failed', reason: error instanceof Error ? error.message : JSON.stringify(error) }),
    )
  })
  process.on('disconnect', () => process.exit())
  send({ _tag: 'Ready', workloads: workloadNames.filter((name) => contestant[name] !== undefined) })
}
