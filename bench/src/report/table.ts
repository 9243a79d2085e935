/**
 * Figures as lines of text.
 */
import type { Outcome, Score } from '../contest/contest.js'
import type { Level } from '../measures/growth.js'

const wide = 36

const line = (first: string, cells: ReadonlyArray<string>): string =>
  first.padEnd(wide) + cells.map((cell) => cell.padStart(11)).join('')

/** Milliseconds, with as many digits as tell something. */
export const milliseconds = (ms: number): string => (ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0))

/** Nanoseconds or microseconds. */
export const nanoseconds = (ns: number): string =>
  ns < 1_000 ? `${ns.toFixed(0)} ns` : `${(ns / 1_000).toFixed(ns < 10_000 ? 2 : 1)} us`

const row = ({ contestant, fastestMs, ms, peakMiB, ratio, slowestMs }: Score, count: number): string =>
  line(`  ${contestant}`, [
    milliseconds(ms),
    `${ratio.toFixed(2)}x`,
    nanoseconds((ms * 1e6) / count),
    `${(fastestMs / ms).toFixed(2)}-${(slowestMs / ms).toFixed(2)}`,
    `${peakMiB.toFixed(0)} MiB`,
  ])

/** What the columns of `outcomeTable` are. */
export const heading: string = line('', ['median ms', 'ratio', 'per row', 'spread', 'peak RSS'])

/** One contest: who took how long, and who took no part. */
export const outcomeTable = ({ absent, scores, workload: { count, size, title } }: Outcome): string =>
  [
    `${title}: ${count.toLocaleString('en')}${count < size ? ` of ${size.toLocaleString('en')}` : ''}`,
    ...scores.map((score) => row(score, count)),
    ...absent
      .filter(({ reason }) => reason !== 'not comparable')
      .map(({ contestant, reason }) => `  ${contestant.padEnd(wide - 2)}${reason}`),
  ].join('\n')

/** What the columns of `growthTable` are. */
export const growthHeading: string = line('\ntime per row over so many rows', [
  '1,000',
  '10,000',
  '100,000',
  '1,000,000',
  'growth',
  'beyond',
])

/** What a row takes at each size, how much that grows, and how much beyond the limit's growth; `most` is how much it may. */
export const growthTable = (levels: ReadonlyArray<Level>, most: number): string =>
  [
    levels[0]?.name ?? '',
    ...levels.map(({ beyondLimit, contestant, growth, times }) => {
      const cells = times.map(([, ns]) => nanoseconds(ns))
      return line(`  ${contestant}`, [
        ...cells,
        ...Array<string>(4 - cells.length).fill(''),
        `${growth.toFixed(2)}x`,
        `${beyondLimit.toFixed(2)}x`,
        beyondLimit > most ? 'more' : '',
      ])
    }),
  ].join('\n')

/** Lines of a name and figures. */
export const figures = (title: string, rows: ReadonlyArray<readonly [name: string, ...cells: string[]]>): string =>
  [title, ...rows.map(([name, ...cells]) => line(`  ${name}`, cells))].join('\n')
