/**
 * What tables are called in a database.
 */

/**
 * How the tables of a model are called. Pure; a name may have a schema (`app.users`).
 *
 * @category model
 */
export interface TableNames {
  /** A table's name in the database, by its name in the model. */
  readonly table: (name: string) => string
  /** The name of a constraint or an index. */
  readonly constraint: (name: string) => string
  /** What the model calls a table or a constraint that the database has named, as errors do; without a schema. */
  readonly inModel: (name: string) => string
}
