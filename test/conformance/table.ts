/**
 * The table by area that `npm run conformance` prints.
 */

/** What came of a scenario. `missing`: it needs what is not there yet. */
export type Outcome = 'passed' | 'differing' | 'pending' | 'missing' | 'failed'

export interface Replayed {
  readonly area: string
  readonly outcome: Outcome
}

const columns: ReadonlyArray<readonly [title: string, outcome: Outcome]> = [
  ['passed', 'passed'],
  ['differing', 'differing'],
  ['pending', 'pending'],
  ['not there yet', 'missing'],
  ['failed', 'failed'],
]

const width = (text: string): number => Math.max(9, text.length)

const line = (name: string, all: ReadonlyArray<Replayed>): string =>
  [
    name.padEnd(24),
    ...columns.map(([title, outcome]) =>
      String(all.filter((one) => one.outcome === outcome).length).padStart(width(title)),
    ),
  ].join('  ')

/** Areas in the order in which they were first met, then all of them together. */
export const renderTable = (all: ReadonlyArray<Replayed>): string => {
  const areas = [...new Set(all.map(({ area }) => area))]
  return [
    ['area'.padEnd(24), ...columns.map(([title]) => title.padStart(width(title)))].join('  '),
    ...areas.map((area) =>
      line(
        area,
        all.filter((one) => one.area === area),
      ),
    ),
    line('all', all),
  ].join('\n')
}
