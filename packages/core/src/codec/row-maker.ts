/**
 * Makes objects of rows that a driver gives as arrays, by generated code: a literal of the columns' names.
 */
import type { DriverRow } from '../engine/call.js'
import { mayGenerate } from './generated-code.js'

/** Makes the rows in the array that it is given, so that no more than one row is held twice. */
export type RowMaker = (given: unknown[]) => ReadonlyArray<DriverRow>

const canGenerate = mayGenerate()

/**
 * The maker of rows with these columns, each value as `convert` makes it; null where no code may be generated. Where several
 * columns have one name the last one counts.
 */
export const rowMakerOf = (
  names: ReadonlyArray<string>,
  convert: ((value: unknown) => unknown) | null,
): RowMaker | null => {
  if (!canGenerate) return null
  const properties = names.map((name, i) => {
    const value = convert === null ? `row[${i}]` : `convert(row[${i}])`
    // in brackets `__proto__` is a name like any other
    return `${name === '__proto__' ? `['${name}']` : JSON.stringify(name)}: ${value}`
  })
  return new Function(
    'convert',
    `'use strict'
    return (rows) => {
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]
        rows[i] = { ${properties.join(', ')} }
      }
      return rows
    }`,
  )(convert) as RowMaker
}
