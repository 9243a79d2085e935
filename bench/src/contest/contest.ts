/**
 * A contest: every contestant does a workload in a process of its own, and they take turns, so that whatever else the
 * machine does slows all of them. What counts is the ratio of medians to the limit's.
 */
import { type ChildProcess, fork } from 'node:child_process'
import type { Answer, Question } from './serve.js'
import type { Workload } from './workload.js'

/** A library and the program that answers for it (see `serve.ts`). */
export interface Entry {
  readonly name: string
  readonly program: string
  /** Runs that count, where it is too slow for as many as the others get. */
  readonly runs?: number
}

export interface Score {
  readonly contestant: string
  /** The median. */
  readonly ms: number
  readonly fastestMs: number
  readonly slowestMs: number
  /** To the limit's median in the same contest. */
  readonly ratio: number
  /** What its process held at the most until its first run was over, the making of the data included. */
  readonly peakMiB: number
  readonly runs: number
}

/** Who cannot do a workload, or failed at it. */
export interface Absence {
  readonly contestant: string
  readonly reason: string
}

export interface Outcome {
  readonly workload: Workload
  readonly scores: ReadonlyArray<Score>
  readonly absent: ReadonlyArray<Absence>
}

/** How thoroughly a workload is measured. */
export interface Effort {
  /** Runs of each contestant that count. */
  readonly runs: number
  /** Three times as many where a run by hand takes less than this, since times are spread wider then; in ms. */
  readonly shortMs: number
  /**
   * Until so much has been run, in ms, runs only warm up: code is compiled, files are cached. What is over in a few milliseconds
   * would be measured while it is still compiled.
   */
  readonly warmUpMs: number
}

/** As figures are published. */
export const thorough: Effort = { runs: 7, shortMs: 50, warmUpMs: 500 }

/** For a first look. */
export const quick: Effort = { runs: 3, shortMs: 0, warmUpMs: 20 }

const warmUpRuns = { least: 2, most: 25 }

/** How long a contestant may take for one run before it is given up. */
const patienceMs = 180_000

class Opponent {
  readonly entry: Entry
  readonly taken: number[] = []
  peakMiB = 0
  private asked = 0
  failure: string | null = null
  private readonly process: ChildProcess

  constructor(entry: Entry) {
    this.entry = entry
    this.process = fork(entry.program, { execArgv: ['--expose-gc'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  }

  /** Waits for the next answer. */
  private answer(): Promise<Answer> {
    return new Promise((resolve) => {
      let errors = ''
      const listen = (chunk: Buffer): void => {
        errors += String(chunk)
      }
      const settle = (answer: Answer): void => {
        clearTimeout(timer)
        this.process.off('exit', leave).off('message', settle)
        this.process.stderr?.off('data', listen)
        resolve(answer)
      }
      const leave = (): void => settle({ _tag: 'Failed', reason: errors.trim().split('\n').slice(-1)[0] || 'it ended' })
      const timer = setTimeout(() => {
        this.process.kill('SIGKILL')
        settle({ _tag: 'Failed', reason: `no answer within ${patienceMs / 1000} s` })
      }, patienceMs)
      this.process.on('exit', leave).on('message', settle)
      this.process.stderr?.on('data', listen)
    })
  }

  async ready(workload: Workload): Promise<void> {
    const answer = await this.answer()
    if (answer._tag === 'Failed') this.failure = answer.reason
    else if (answer._tag === 'Ready' && !answer.workloads.includes(workload.name)) this.failure = 'not comparable'
  }

  /** One run's milliseconds; `NaN` where it failed. */
  private async timed(workload: Workload): Promise<number> {
    const question: Question = { workload: workload.name, size: workload.size, run: ++this.asked }
    const answered = this.answer()
    this.process.send(question)
    const answer = await answered
    if (answer._tag === 'Failed') this.failure = answer.reason
    if (answer._tag !== 'Taken') return Number.NaN
    if (this.asked === 1) this.peakMiB = answer.peakMiB
    return answer.ms
  }

  /** Milliseconds of its last run. */
  async warmUp(workload: Workload, forMs: number): Promise<number> {
    let [last, spent] = [Number.NaN, 0]
    for (let run = 1; this.failure === null && run <= warmUpRuns.most; run++) {
      last = await this.timed(workload)
      spent += last
      if (run >= warmUpRuns.least && spent >= forMs) break
    }
    return last
  }

  async run(workload: Workload): Promise<void> {
    if (this.failure !== null || this.taken.length >= (this.entry.runs ?? Number.POSITIVE_INFINITY)) return
    const ms = await this.timed(workload)
    if (this.failure === null) this.taken.push(ms)
  }

  leave(): void {
    this.process.kill()
  }
}

export const median = (values: ReadonlyArray<number>): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** Runs a workload for each entry, in turns, after it has warmed up. The first entry is the limit. */
export const contest = async (
  entries: ReadonlyArray<Entry>,
  workload: Workload,
  { runs, shortMs, warmUpMs }: Effort,
): Promise<Outcome> => {
  const opponents = entries.map((entry) => new Opponent(entry))
  await Promise.all(opponents.map((opponent) => opponent.ready(workload)))
  const warm: number[] = []
  for (const opponent of opponents) warm.push(await opponent.warmUp(workload, warmUpMs))
  const rounds = (warm[0] as number) < shortMs ? 3 * runs : runs
  for (let round = 0; round < rounds; round++) {
    for (const opponent of opponents) await opponent.run(workload)
  }
  for (const opponent of opponents) opponent.leave()
  const limit = median(opponents[0]?.taken ?? [])
  return {
    workload,
    scores: opponents
      .filter(({ failure }) => failure === null)
      .map(({ entry, peakMiB, taken }) => ({
        contestant: entry.name,
        ms: median(taken),
        fastestMs: Math.min(...taken),
        slowestMs: Math.max(...taken),
        ratio: median(taken) / limit,
        peakMiB,
        runs: taken.length,
      })),
    absent: opponents.flatMap(({ entry, failure }) =>
      failure === null ? [] : [{ contestant: entry.name, reason: failure }],
    ),
  }
}
