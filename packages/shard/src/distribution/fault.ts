/**
 * What keeps a model from being distributed.
 */
import type { ForeignKeySchema, TableSchema } from '@unitary/core/schema'
import type { Placements } from './placement.js'

/**
 * Why a table cannot be distributed as the choosers say.
 *
 * - `Unplaced`: nothing tells where its rows are to be.
 * - `KeyWithoutColumn`: its primary key or a unique constraint does not hold the column that spreads it, so that no node by
 *   itself could keep rows apart.
 * - `ForeignKeyAway`: a foreign key leads to rows that may be on another node.
 *
 * @category model
 */
export interface DistributionFault {
  readonly _tag: 'Unplaced' | 'KeyWithoutColumn' | 'ForeignKeyAway'
  readonly table: string
  /** Those of the key or foreign key. */
  readonly columns: ReadonlyArray<string>
  /** The thing, the place and the cure, in a line. */
  readonly message: string
}

export const faultsOf = (
  tables: ReadonlyArray<TableSchema>,
  placements: Placements,
): ReadonlyArray<DistributionFault> =>
  tables.flatMap((table) => {
    const placement = placements.get(table.name)
    if (placement === undefined) return []
    if (placement._tag === 'Unplaced')
      return [
        { _tag: 'Unplaced' as const, table: table.name, columns: [], message: `${table.name}: ${placement.problem}.` },
      ]
    return [
      ...(placement._tag === 'By' ? keyFaults(table, placement.column) : []),
      ...table.foreignKeys.flatMap((foreignKey) => foreignKeyFault(table, foreignKey, placements) ?? []),
    ]
  })

const keyFaults = (
  { name, primaryKey, unique, indexes }: TableSchema,
  column: string,
): ReadonlyArray<DistributionFault> => {
  const keys = [
    ...(primaryKey === null ? [] : [['primary key', primaryKey.columns] as const]),
    ...unique.map(({ columns }) => ['unique constraint', columns] as const),
    ...indexes
      .filter((index) => index.unique)
      .map(
        ({ parts }) =>
          ['unique index', parts.flatMap((part) => (part._tag === 'Column' ? [part.column] : []))] as const,
      ),
  ]
  return keys.flatMap(([kind, columns]) =>
    columns.includes(column)
      ? []
      : [
          {
            _tag: 'KeyWithoutColumn' as const,
            table: name,
            columns,
            message: `${name}: the ${kind} (${columns.join(', ')}) does not hold ${column}, by which its rows are spread; add it.`,
          },
        ],
  )
}

const foreignKeyFault = (
  { name }: TableSchema,
  { columns, table: target, targetColumns }: ForeignKeySchema,
  placements: Placements,
): DistributionFault | null => {
  const [own, other] = [placements.get(name), placements.get(target)]
  if (other?._tag !== 'By') return null
  const [from, to] = [`${name} (${columns.join(', ')})`, `${target} (${targetColumns.join(', ')})`]
  const away = (why: string): DistributionFault => ({
    _tag: 'ForeignKeyAway',
    table: name,
    columns,
    message: `${from} refers to ${to}: ${why}.`,
  })
  if (own?._tag !== 'By') return away(`${name} is on every node and ${target} is not; spread ${name} too`)
  const holder = columns[targetColumns.indexOf(other.column)]
  return holder === own.column
    ? null
    : away(`its rows may be on another node; have the foreign key pair ${own.column} with ${other.column}`)
}
