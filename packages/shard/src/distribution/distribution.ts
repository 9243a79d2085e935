/**
 * Where a database that distributes itself is to put the tables of a model: Citus, Vitess, CockroachDB and their like.
 *
 * Such a database is one engine to a session, and its shards are its own business. What it has to be told is what the
 * choosers of a sharded session say anyway: by which attribute the rows of each entity are spread, and which entities are
 * everywhere. So it follows from them, and a model that is sharded over engines today can move.
 */
import type { AnyModel, Dialect } from '@unitary/core'
import { type SchemaOptions, schemaOf, type TableSchema } from '@unitary/core/schema'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import { isNonEmpty } from 'fp-ts/lib/ReadonlyArray.js'
import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type { Choosers } from '../chooser/chooser.js'
import { type DistributionFault, faultsOf } from './fault.js'
import { type Placement, placementsOf } from './placement.js'

/** A table, and where its rows are. @category model */
export interface PlacedTable {
  readonly table: TableSchema
  readonly placement: Placement
}

/** The tables of a model: those that are everywhere first, then parents before children. @category model */
export interface Distribution {
  readonly dialect: Dialect['name']
  readonly tables: ReadonlyArray<PlacedTable>
}

/**
 * How the tables of a model are to be distributed, by the strategies of its choosers: `byAttribute` and its like spread a
 * table by that attribute's column (`byParts` by the one that chooses the part), `withParent` by the columns that hold the
 * parent's, `everywhere` keeps it whole on every node. A table of links goes with the foreign key that holds the column of either end.
 *
 * Left are all reasons for which such databases would refuse it, or could not keep what belongs together together: a key or
 * unique constraint without the column, a foreign key that leads away from it.
 *
 * @example
 * const placed = distributionOf(model, byTenant)(postgresDialect)
 *
 * @see https://docs.citusdata.com/en/stable/develop/reference_ddl.html
 * @category constructors
 */
export const distributionOf =
  (model: AnyModel, choosers: Choosers, options: SchemaOptions = {}) =>
  (dialect: Dialect): Either<ReadonlyNonEmptyArray<DistributionFault>, Distribution> => {
    const { tables } = schemaOf(model, options)(dialect)
    const placements = placementsOf(model, choosers, tables)
    const placed = tables.flatMap((table): PlacedTable[] => {
      const placement = placements.get(table.name)
      return placement === undefined || placement._tag === 'Unplaced' ? [] : [{ table, placement }]
    })
    const faults = faultsOf(tables, placements)
    if (isNonEmpty(faults)) return left(faults)
    const isEverywhere = ({ placement }: PlacedTable): boolean => placement._tag === 'Everywhere'
    return right({
      dialect: dialect.name,
      tables: [...placed.filter(isEverywhere), ...placed.filter((table) => !isEverywhere(table))],
    })
  }
