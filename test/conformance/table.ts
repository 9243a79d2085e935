/**
 * The table by area that `npm run conformance` prints.
 */

/** What came of a scenario. */
export type Outcome = 'passed' | 'differing' | 'skipped' | 'failed'

export interface Replayed {
  readonly area: string
  readonly database: string
  readonly outcome: Outcome
  /** Why it was skipped. */
  readonly reason: string | null
}

const columns: ReadonlyArray<readonly [title: string, outcome: Outcome]> = [
  ['passed', 'passed'],
  ['differing', 'differing'],
  ['skipped', 'skipped'],
  ['failed', 'failed'],
]

const width = (text: string): number => Math.max(9, text.length)

/** As long as the longest area on the longest layout. */
const longest = 52

const line = (name: string, all: ReadonlyArray<Replayed>): string =>
  [
    name.padEnd(longest),
    ...columns.map(([title, outcome]) =>
      String(all.filter((one) => one.outcome === outcome).length).padStart(width(title)),
    ),
  ].join('  ')

/** The database of the recording, of which the table says nothing. */
const recorded = 'SQLite'

/**
 * Areas in the order in which they were first met, on one database after the other; then all of them together, and why
 * some were skipped.
 */
export const renderTable = (all: ReadonlyArray<Replayed>): string => {
  const others = [...new Set(all.map(({ database }) => database))].filter((name) => name !== recorded).sort()
  const rows = [recorded, ...others].flatMap((database) => {
    const replayed = all.filter((one) => one.database === database)
    return [...new Set(replayed.map(({ area }) => area))].map((area) =>
      line(
        database === recorded ? area : `${area} on ${database}`,
        replayed.filter((one) => one.area === area),
      ),
    )
  })
  const skipped = all.filter(({ outcome }) => outcome === 'skipped')
  const reasons = [...new Set(skipped.map(({ database, reason }) => `${database}: ${reason}`))]
  return [
    ['area'.padEnd(longest), ...columns.map(([title]) => title.padStart(width(title)))].join('  '),
    ...rows,
    line('all', all),
    ...reasons.map((why) => {
      const count = skipped.filter(({ database, reason }) => `${database}: ${reason}` === why).length
      return `${count} skipped on ${why}`
    }),
  ].join('\n')
}
