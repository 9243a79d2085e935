/**
 * Where choosers put rows as they stand in their tables, without a session. Pure.
 */
import type { AnyModel, Attribute, Mapping } from '@unitary/core'
import { empty, type SessionState } from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { Basis, Choosers, InstanceView, Values } from '../chooser/chooser.js'
import { type UnplacedRow, unplaced, unreadable } from './error.js'
import type { Family, MovedColumn, MovedTable } from './moved-tables.js'
import { type Cells, placesOf } from './table-rows.js'

/** How rows of a family are asked where they belong. */
export interface PlacedRows {
  /** What has to be read of each row. */
  readonly columns: ReadonlyArray<MovedColumn>
  readonly keyOf: (row: Cells) => Cells
  /** The shard of a row; null for one that goes where its parent is. */
  readonly shardOf: (row: Cells, on: string) => Either<UnplacedRow, string | null>
}

interface Member {
  readonly mapping: Mapping
  readonly attributes: ReadonlyArray<readonly [Attribute, number]>
  /** The foreign key of what it belongs beside; empty where it belongs beside nothing. */
  readonly beside: ReadonlyArray<number>
}

/** Null where every row of the family belongs beside another. */
export const placedRows = (
  model: AnyModel,
  family: Family,
  choosers: Choosers,
  tokens: ReadonlySet<string>,
): PlacedRows | null => {
  const bases = family.members.map((mapping) => choosers.basisOf?.(mapping.name) ?? null)
  const [table] = family.tables
  if (table === undefined || family.members.every((mapping, i) => hasAlwaysParent(mapping, bases[i] ?? null)))
    return null
  const columns = columnsFor(family, table, bases)
  const placeOf = (attribute: Attribute): number => columns.findIndex(({ name }) => name === attribute.columnName)
  const members = family.members.map((mapping, i): Member => {
    const basis = bases[i] ?? null
    return {
      mapping,
      attributes: mapping.attributes.flatMap((attribute) => {
        const place = attribute.isStored ? placeOf(attribute) : -1
        return place < 0 ? [] : [[attribute, place] as const]
      }),
      beside: basis?.kind === 'relationship' ? foreignKeyOf(mapping, basis).map(placeOf) : [],
    }
  })
  const memberOf = membersBy(family, members, placeOf)
  const places = placesOf(table.key, columns)
  const keyOf = (row: Cells): Cells => places.map((place) => row[place])
  const state = empty(model)
  return {
    columns,
    keyOf,
    shardOf: (row, on) => {
      const { attributes, beside, mapping } = memberOf(row)
      // a foreign key in another table is that of a row beside another
      if (beside.length > 0 && beside.every((place) => place < 0 || row[place] !== null)) return right(null)
      const values: Record<string, unknown> = {}
      for (const [attribute, place] of attributes) {
        const value = decoded(attribute, row[place])
        if (isLeft(value)) return left(unreadable(mapping.name, on, keyOf(row), attribute.name))
        values[attribute.name] = value.right
      }
      const token = choosers.shardOf(viewOf(mapping, values, state))
      return token === null || !tokens.has(token) ? left(unplaced(mapping.name, on, keyOf(row), token)) : right(token)
    },
  }
}

const hasAlwaysParent = (mapping: Mapping, basis: Basis | null): boolean =>
  basis?.kind === 'relationship' && foreignKeyOf(mapping, basis).some(({ isNullable }) => !isNullable)

const foreignKeyOf = (mapping: Mapping, { name }: Basis): ReadonlyArray<Attribute> =>
  mapping.relationshipOf.get(name)?.foreignKey ?? []

/** The key, and what decides; all of the table where that is not known. */
const columnsFor = (
  { members, root }: Family,
  table: MovedTable,
  bases: ReadonlyArray<Basis | null>,
): ReadonlyArray<MovedColumn> => {
  const deciding = new Set<string>()
  const note = (mapping: Mapping, basis: Basis | null): boolean => {
    if (basis === null) return false
    if (basis.kind === 'relationship') {
      // who decides where there is no parent may look at anything
      for (const { columnName } of foreignKeyOf(mapping, basis)) deciding.add(columnName)
      return false
    }
    const attribute = mapping.attributeOf.get(basis.name)
    if (attribute !== undefined) deciding.add(attribute.columnName)
    return (basis.besides ?? []).every((other) => note(mapping, other))
  }
  const isKnown = members.map((mapping, i) => note(mapping, bases[i] ?? null)).every((known) => known)
  if (!isKnown) return table.columns
  const { discriminator } = root
  if (discriminator?.isStored === true) deciding.add(discriminator.columnName)
  return table.columns.filter(
    (column) => deciding.has(column.name) || table.key.includes(column) || isKeyOf(table, column),
  )
}

const isKeyOf = ({ key }: MovedTable, { name }: MovedColumn): boolean => key.some((column) => column.name === name)

const membersBy = (
  { root }: Family,
  members: ReadonlyArray<Member>,
  placeOf: (attribute: Attribute) => number,
): ((row: Cells) => Member) => {
  const [first] = members as [Member]
  const place = root.discriminator === null ? -1 : placeOf(root.discriminator)
  if (place < 0) return () => first
  const byIdentity = new Map(
    members.map((member) => [member.mapping.discriminator?.encode(member.mapping.identity), member]),
  )
  return (row) => byIdentity.get(row[place]) ?? first
}

const decoded = ({ column }: Attribute, value: unknown): Either<unknown, unknown> =>
  value === null ? right(null) : column.codec.decode(value)

const viewOf = ({ name }: Mapping, values: Values, state: SessionState): InstanceView => ({
  entity: name,
  operation: 'insert',
  values,
  shard: null,
  related: () => null,
  options: state.options.executionOptions,
  state,
})
