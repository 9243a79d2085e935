/**
 * The model as Kysely's `DB`: tables by name, attributes by their names in the program, values as the program has them.
 *
 * Expressions are written against it, so that conditions speak the program's language; attribute names and values are
 * translated in the tree before it is compiled (see `statement/resolve`).
 */
import type { Table } from './entity.js'
import type { EntityOf } from './infer.js'
import type { Model } from './model.js'
import type { Entities } from './relationship.js'

/**
 * @example
 * declare const db: Kysely<Database<typeof model>>
 *
 * @category model
 */
export type Database<M> =
  M extends Model<infer Es extends Entities, infer _Rs>
    ? { readonly [N in keyof Es as Es[N]['table']]: Table<Es[N]> }
    : never

/** The table of the entity called `N`. @category model */
export type TableOf<M, N> = EntityOf<M, N>['table'] & keyof Database<M> & string
