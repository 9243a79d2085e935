/**
 * Rows of a hierarchy, table by table: an instance of a joined subtype has a row in each of its tables, under one key.
 */
import {
  type Attribute,
  type InstanceId,
  type Mapping,
  type SqlDefault,
  type TablePart,
  withDescendants,
} from '@unitary/core'
import type { Instance } from '../state/instance.js'
import { absent, type Cells, computedColumns, hasCell, key, literal, shapeColumnsIn } from './cells.js'
import type { PlanColumn } from './step.js'

/** Rows of one table and shape that are being gathered into a step. */
export interface TableRows {
  readonly shape: string
  /** Of the first of its instances; all of them have the table. */
  readonly mapping: Mapping
  readonly part: TablePart
  readonly columns: ReadonlyArray<PlanColumn>
  /** What the database computes beside them. */
  readonly computed: ReadonlyArray<SqlDefault>
  /** Of an update, by which its rows are found. */
  readonly where: ReadonlyArray<PlanColumn>
  readonly instances: InstanceId[]
  readonly rows: unknown[][]
}

/**
 * The entities of a hierarchy that have a table of their own, parents first. Each stands for its table.
 *
 * @category combinators
 */
export const tableHolders = (root: Mapping): ReadonlyArray<Mapping> =>
  withDescendants(root).filter((mapping) => mapping.parts.at(-1)?.mapping === mapping)

/** Do its instances have rows in several tables, or attributes that none has? @category guards */
export const isWrittenByTables = ({ concreteOf, subtypes }: Mapping): boolean =>
  subtypes.length > 0 || concreteOf !== null

/** The table of an entity among those of an instance's rows. @category combinators */
export const partOf = ({ parts }: Mapping, holder: Mapping): TablePart | undefined =>
  parts.find(({ mapping }) => mapping === holder)

/** Does the part hold the key that the others refer to? @category guards */
export const isRootPart = ({ mapping }: TablePart): boolean => mapping.parent === null

/** Are any of a part's attributes written? @category guards */
export const isWritten = ({ attributes }: TablePart, { kinds }: Cells): boolean =>
  attributes.some(({ position }) => kinds[position] !== absent)

/** Rows of one shape can share a step, whichever entity they are of. */
const shapeOf = ({ attributes }: TablePart, { kinds, of }: Cells): string =>
  attributes.map(({ columnName, position }) => `${columnName} ${kinds[position]} ${of[position] ?? ''}`).join()

const valuesOf = (attributes: ReadonlyArray<Attribute>, { kinds, values }: Cells): unknown[] => {
  const row: unknown[] = []
  for (const { position } of attributes) if (hasCell(kinds[position])) row.push(values[position])
  return row
}

/** The columns by which a table other than the root's has the key: as it is given, or as the root's will be given it. */
const keyColumns = ({ key: attributes, parent }: Mapping, part: TablePart, cells: Cells): ReadonlyArray<PlanColumn> =>
  attributes.map(({ name, position }, i): PlanColumn => {
    const kind = cells.kinds[position]
    const column = { attribute: name, column: part.key[i] ?? name, refersTo: parent?.name ?? '' }
    if (kind === literal) return { ...column, source: { _tag: 'Literal' } }
    return { ...column, source: { _tag: 'Key', of: kind === key ? (cells.of[position] ?? name) : name } }
  })

const opened = (
  shape: string,
  mapping: Mapping,
  part: TablePart,
  columns: ReadonlyArray<PlanColumn>,
  computed: ReadonlyArray<SqlDefault>,
  where: ReadonlyArray<PlanColumn> = [],
): TableRows => ({ shape, mapping, part, columns, computed, where, instances: [], rows: [] })

const columnsIn = (mapping: Mapping, part: TablePart, { kinds, of }: Cells): ReadonlyArray<PlanColumn> =>
  shapeColumnsIn({ mapping, kinds, of }, part.attributes)

const computedIn = (
  mapping: Mapping,
  part: TablePart,
  { kinds }: Cells,
  write: 'insert' | 'update',
): ReadonlyArray<SqlDefault> => computedColumns(mapping, kinds, part.attributes, write)

/**
 * Gathers the rows that insert instances into the root's table: with those before where they have one shape. The others begin
 * anew, since keys are given in order.
 *
 * @category combinators
 */
export const addRoot = (all: TableRows[], { id, mapping }: Instance, part: TablePart, cells: Cells): void => {
  const shape = shapeOf(part, cells)
  let open = all.at(-1)
  if (open === undefined || open.shape !== shape) {
    open = opened(shape, mapping, part, columnsIn(mapping, part, cells), computedIn(mapping, part, cells, 'insert'))
    all.push(open)
  }
  open.instances.push(id)
  open.rows.push(valuesOf(part.attributes, cells))
}

/**
 * Gathers the rows that insert instances into another of their tables, by their shapes.
 *
 * @category combinators
 */
export const addInsert = (
  all: Map<string, TableRows>,
  { id, mapping }: Instance,
  part: TablePart,
  cells: Cells,
): void => {
  const columns = keyColumns(mapping, part, cells)
  const shape = `${shapeOf(part, cells)} ${columns.map(({ source }) => (source._tag === 'Key' ? source.of : '')).join()}`
  let open = all.get(shape)
  if (open === undefined) {
    open = opened(
      shape,
      mapping,
      part,
      [...columns, ...columnsIn(mapping, part, cells)],
      computedIn(mapping, part, cells, 'insert'),
    )
    all.set(shape, open)
  }
  open.instances.push(id)
  const key = mapping.key.map(({ position }) => (cells.kinds[position] === absent ? id : cells.values[position]))
  open.rows.push([...key, ...valuesOf(part.attributes, cells)])
}

/** How a row is found: columns, and the values that it has there. */
export interface Found {
  readonly columns: ReadonlyArray<PlanColumn>
  readonly values: ReadonlyArray<unknown>
}

/**
 * Gathers the rows that update instances in one table.
 *
 * @category combinators
 */
export const addUpdate = (
  all: Map<string, TableRows>,
  { id, mapping }: Instance,
  part: TablePart,
  cells: Cells,
  found: Found,
): void => {
  const by = found.columns.map(({ column, source }) => `${column} ${source._tag === 'Key' ? source.of : ''}`)
  const shape = `${part.table} ${shapeOf(part, cells)} ${by.join()}`
  let open = all.get(shape)
  if (open === undefined) {
    open = opened(
      shape,
      mapping,
      part,
      columnsIn(mapping, part, cells),
      computedIn(mapping, part, cells, 'update'),
      found.columns,
    )
    all.set(shape, open)
  }
  open.instances.push(id)
  open.rows.push([...valuesOf(part.attributes, cells), ...found.values])
}

/** Columns of the key, by the names that a part has for them. @category combinators */
export const inPart = (
  columns: ReadonlyArray<PlanColumn>,
  { key: attributes }: Mapping,
  part: TablePart,
): ReadonlyArray<PlanColumn> =>
  isRootPart(part)
    ? columns
    : columns.map((column) => {
        const at = attributes.findIndex(({ name }) => name === column.attribute)
        return at < 0 ? column : { ...column, column: part.key[at] ?? column.column }
      })
