/**
 * What can be wrong with the generators of a model, taken together.
 */
import type { ColumnKind } from './column.js'
import type { ModelFault } from './fault.js'
import { type Counter, generatorName, type Sequence } from './generator.js'
import type { Mapping } from './mapping.js'

/** Notes sequences that count in several ways, and tables of counters that are of another form. */
export const checkGenerators = (tables: ReadonlyArray<Mapping>, faults: ModelFault[]): void => {
  const byTable = new Map(tables.map((mapping) => [mapping.table, mapping]))
  const sequences = new Map<string, { readonly path: string; readonly sequence: Sequence }>()
  for (const mapping of tables) {
    for (const { column, name } of mapping.attributes) {
      const { generator } = column
      const path = `${mapping.name}.${name}`
      if (generator?._tag === 'Counter') {
        const message = counterFault(generator, byTable.get(generator.table))
        if (message !== null) faults.push({ path, message })
      } else if (generator !== null) {
        const known = sequences.get(generator.name)
        if (known === undefined) sequences.set(generator.name, { path, sequence: generator })
        else if (known.sequence.block !== generator.block) {
          const message = `${generatorName(generator)} counts blocks of ${known.sequence.block} for ${known.path}, and of ${generator.block} here; give it one size`
          faults.push({ path, message })
        }
      }
    }
  }
}

const columns: ReadonlyArray<readonly [name: string, kinds: ReadonlyArray<ColumnKind>]> = [
  ['name', ['text']],
  ['next', ['integer', 'bigint']],
]

/** Why a counter cannot count in the table of an entity; null where it can, and where no entity has the table. */
const counterFault = (counter: Counter, table: Mapping | undefined): string | null => {
  if (table === undefined) return null
  const place = `${generatorName(counter)} counts in '${counter.table}', the table of ${table.name}`
  for (const [name, kinds] of columns) {
    const found = table.attributes.find(({ columnName }) => columnName === name)
    if (found === undefined) return `${place}, which has no column '${name}'; add it, or count in another table`
    if (!kinds.includes(found.column.kind)) {
      return `${place}, whose column '${name}' is ${found.column.kind}; make it ${kinds.join(' or ')}`
    }
  }
  const isKey = table.key.length === 1 && table.key[0]?.columnName === 'name'
  return isKey ? null : `${place}, whose key is not 'name'; make it so, or count in another table`
}
