/**
 * What Vitess is told of a distribution.
 */
import type { Distribution } from './distribution.js'

/**
 * The VSchema of a sharded keyspace, as `vtctldclient ApplyVSchema` reads it.
 *
 * @category model
 */
export interface VSchema {
  readonly sharded: true
  readonly vindexes: Readonly<Record<string, { readonly type: string }>>
  readonly tables: Readonly<Record<string, VSchemaTable>>
}

/** @category model */
export type VSchemaTable =
  | { readonly type: 'reference' }
  | {
      readonly column_vindexes: ReadonlyArray<{ readonly column: string; readonly name: string }>
      readonly auto_increment?: { readonly column: string; readonly sequence: string }
    }

/**
 * The VSchema of the tables of a model: the primary vindex of each that is spread is a hash of its column, those that are
 * everywhere are reference tables. A key that the database counts up takes its values from a sequence `TABLE_seq` of an
 * unsharded keyspace, which is to be made there.
 *
 * @example
 * writeFileSync('vschema.json', JSON.stringify(vschemaOf(distribution), null, 2))
 *
 * @see https://vitess.io/docs/reference/features/vschema/
 * @category interpreters
 */
export const vschemaOf = ({ tables }: Distribution): VSchema => ({
  sharded: true,
  vindexes: { hash: { type: 'xxhash' } },
  tables: Object.fromEntries(
    tables.map(({ table, placement }): [string, VSchemaTable] => {
      if (placement._tag === 'Everywhere') return [table.name, { type: 'reference' }]
      const counted = table.columns.find(({ isCounted }) => isCounted)
      return [
        table.name,
        {
          column_vindexes: [{ column: placement.column, name: 'hash' }],
          ...(counted === undefined ? {} : { auto_increment: { column: counted.name, sequence: `${table.name}_seq` } }),
        },
      ]
    }),
  ),
})
