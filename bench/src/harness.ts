/**
 * Measuring against the limit: the same work by hand with bare better-sqlite3, in the same process and minute.
 *
 * Runs of both sides take turns, so that whatever else the machine does slows both. What is reported is the ratio of the
 * medians; the milliseconds beside it are only there to judge it by.
 */

/** One side of a comparison. `prepare` and `dispose` are not measured. */
export interface Side<Context> {
  readonly prepare: (run: number) => Context
  readonly run: (context: Context) => void
  readonly dispose: (context: Context) => void
}

export interface Measured {
  readonly workload: string
  /** Rows or operations. */
  readonly count: number
  readonly limitMs: number
  readonly oursMs: number
  readonly ratio: number
  /** Fastest and slowest of our runs, over the median: how far to trust it. */
  readonly spread: readonly [number, number]
}

const sorted = (values: ReadonlyArray<number>): ReadonlyArray<number> => [...values].sort((a, b) => a - b)

const median = (values: ReadonlyArray<number>): number => sorted(values)[values.length >> 1] ?? Number.NaN

const time = <Context>(side: Side<Context>, run: number): number => {
  const context = side.prepare(run)
  globalThis.gc?.()
  const start = performance.now()
  side.run(context)
  const taken = performance.now() - start
  side.dispose(context)
  return taken
}

/** Measures both sides `runs` times, in turns, after one warm-up each. */
export const compare = <A, B>(
  workload: string,
  count: number,
  runs: number,
  sides: { readonly limit: Side<A>; readonly ours: Side<B> },
): Measured => {
  const limit: number[] = []
  const ours: number[] = []
  for (let run = 0; run <= runs; run++) {
    const limitMs = time(sides.limit, run)
    const oursMs = time(sides.ours, run)
    if (run === 0) continue
    limit.push(limitMs)
    ours.push(oursMs)
  }
  const oursMs = median(ours)
  return {
    workload,
    count,
    limitMs: median(limit),
    oursMs,
    ratio: oursMs / median(limit),
    spread: [Math.min(...ours) / oursMs, Math.max(...ours) / oursMs],
  }
}
