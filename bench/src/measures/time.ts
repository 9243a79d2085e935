/**
 * Timing within this process: the median of several runs after warm-ups, garbage collected before each.
 */
import { median } from '../contest/contest.js'

/** Nanoseconds for each of `count` repetitions that one `run` does. `prepare` is not measured. */
export const nsPer = async <Context>(
  count: number,
  prepare: () => Context | Promise<Context>,
  run: (context: Context) => unknown,
  runs = 9,
): Promise<number> => {
  const taken: number[] = []
  for (let i = -3; i < runs; i++) {
    const context = await prepare()
    globalThis.gc?.()
    const start = performance.now()
    const result = run(context)
    if (result instanceof Promise) await result
    const ms = performance.now() - start
    if (i >= 0) taken.push(ms)
  }
  return (median(taken) * 1e6) / count
}
