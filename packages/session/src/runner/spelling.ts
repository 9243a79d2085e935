/**
 * The cells of a plan as a database takes them. A plan is made for any database: its cells are portable values.
 */
import type { AnyModel, Attribute, ColumnKind, Dialect, Mapping } from '@unitary/core'
import { columnsOf, type PlanColumn, type Step } from '../unit-of-work/step.js'

type Kinds = ReadonlyMap<string, ColumnKind>
type Row = ReadonlyArray<unknown>

/**
 * The kinds of a step's columns, by their names in the table. O(columns).
 *
 * @category combinators
 */
export const kindsOf = ({ mappings }: Pick<AnyModel, 'mappings'>, step: Step): Kinds => {
  const mapping = mappings.find(({ name }) => name === step.entity)
  if (mapping === undefined) return new Map()
  return 'relationship' in step ? linkKinds(mapping, step.relationship) : ownKinds(mapping)
}

const known = new WeakMap<Mapping, Kinds>()

const ownKinds = (mapping: Mapping): Kinds => {
  const kinds =
    known.get(mapping) ?? new Map(mapping.attributes.map(({ column, columnName }) => [columnName, column.kind]))
  known.set(mapping, kinds)
  return kinds
}

const linkKinds = (mapping: Mapping, name: string): Kinds => {
  const relationship = mapping.relationshipOf.get(name)
  if (relationship === undefined || relationship.through === null) return new Map()
  const { own, target } = relationship.through
  const kinds = (columns: ReadonlyArray<string>, { key }: Mapping) =>
    columns.map((column, i) => [column, (key[i] as Attribute).column.kind] as const)
  return new Map([...kinds(own, mapping), ...kinds(target, relationship.target)])
}

/**
 * Rows of a step as the dialect writes them. The same rows where it writes all of their columns as they are.
 *
 * @category combinators
 */
export const spelt = (rows: ReadonlyArray<Row>, step: Step, kinds: Kinds, dialect: Dialect): ReadonlyArray<Row> => {
  const writes: Array<readonly [place: number, write: (value: unknown) => unknown]> = []
  const columns = columnsOf(step)
  for (let i = 0; i < columns.length; i++) {
    const kind = kinds.get((columns[i] as PlanColumn).column)
    const write = kind === undefined ? null : dialect.written(kind)
    if (write !== null) writes.push([i, write])
  }
  if (writes.length === 0) return rows
  return rows.map((row) => {
    const copy = row.slice()
    for (const [i, write] of writes) copy[i] = write(copy[i])
    return copy
  })
}

const asTheyAre: { readonly kinds?: Kinds } = {}

/**
 * The kinds of columns that the dialect does not select as they are, as a call has them.
 *
 * @category combinators
 */
export const selectedKinds = (
  columns: ReadonlyArray<string>,
  kinds: Kinds,
  dialect: Dialect,
): { readonly kinds?: Kinds } => {
  let found: Map<string, ColumnKind> | null = null
  for (const column of columns) {
    const kind = kinds.get(column)
    if (kind === undefined || dialect.selectedAs(kind) === null) continue
    found = (found ?? new Map<string, ColumnKind>()).set(column, kind)
  }
  return found === null ? asTheyAre : { kinds: found }
}
