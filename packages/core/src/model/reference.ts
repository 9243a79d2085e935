/**
 * A foreign key constraint: which column a column refers to, and what becomes of it when that changes.
 */
/**
 * What happens to a referencing row when the referenced one goes or changes its key.
 *
 * @category model
 */
export type ReferentialAction = 'cascade' | 'set null' | 'set default' | 'restrict' | 'no action'

/**
 * When a deferrable constraint is checked where a transaction says nothing about it. MySQL and MariaDB have none that is.
 *
 * @category model
 */
export type Deferrable = 'initially deferred' | 'initially immediate'

/**
 * What a foreign key says beyond its columns.
 *
 * @category model
 */
export interface ReferenceOptions {
  readonly onDelete?: ReferentialAction
  readonly onUpdate?: ReferentialAction
  /** Whether its check may wait for the end of the transaction, and does so unless told otherwise. */
  readonly deferrable?: Deferrable
  /** The constraint's, where it is not to be made of the table's and the columns'. */
  readonly name?: string
  /** Whether its columns get an index where no key serves as one; they do where nothing is said. */
  readonly index?: boolean
}

/**
 * A foreign key of one column. For a key of several columns the entity's options or the relationship name them.
 *
 * @category model
 */
export interface ForeignKey {
  readonly table: string
  readonly column: string
  readonly onDelete: ReferentialAction | null
  readonly onUpdate: ReferentialAction | null
  readonly deferrable: Deferrable | null
  /** The constraint's, where it is not to be made of the table's and the column's. */
  readonly name: string | null
  /** Whether the column gets an index where no key serves as one. */
  readonly index: boolean
}

/** The two parts of `'table.column'`, of which the table's may have a schema. */
export const columnReference = (target: string): { readonly table: string; readonly column: string } => {
  const dot = target.lastIndexOf('.')
  return { table: target.slice(0, dot), column: target.slice(dot + 1) }
}
