/**
 * The whole of Kysely's query builders, for what has no combinator of its own.
 */
import type {
  DeleteQueryBuilder,
  DeleteResult,
  InsertQueryBuilder,
  InsertResult,
  OperationNodeSource,
  RootOperationNode,
  SelectQueryBuilder,
  UpdateQueryBuilder,
  UpdateResult,
} from 'kysely'
import type { Database, TableOf } from '../model/database.js'
import type { RowOf } from '../model/infer.js'
import { deleteBuilder, insertBuilder, selectBuilder, updateBuilder } from './builder.js'
import type { AnyDelete } from './delete.js'
import type { AnyInsert } from './insert.js'
import type { AnyQuery, AnyRows } from './rows.js'
import type { AnySelect } from './select.js'
import type { DatabaseOf, ModelOf, NameOf, TablesOf } from './statement.js'
import type { AnyUpdate } from './update.js'

type Modifiable = AnyQuery | AnyUpdate | AnyDelete | AnyInsert

/** Kysely's builder for a kind of statement. @category model */
export type BuilderOf<S> = S extends AnySelect
  ? SelectQueryBuilder<DatabaseOf<S>, TablesOf<S>, RowOf<ModelOf<S>, NameOf<S>>>
  : S extends AnyRows
    ? SelectQueryBuilder<DatabaseOf<S>, TablesOf<S>, Record<never, never>>
    : S extends AnyUpdate
      ? UpdateQueryBuilder<
          Database<ModelOf<S>>,
          TableOf<ModelOf<S>, NameOf<S>>,
          TableOf<ModelOf<S>, NameOf<S>>,
          UpdateResult
        >
      : S extends AnyDelete
        ? DeleteQueryBuilder<Database<ModelOf<S>>, TableOf<ModelOf<S>, NameOf<S>>, DeleteResult>
        : S extends AnyInsert
          ? InsertQueryBuilder<Database<ModelOf<S>>, TableOf<ModelOf<S>, NameOf<S>>, InsertResult>
          : never

/** The builder that a callback gives back: of the same kind, over whatever tables it joined. */
interface Modified<Kind extends RootOperationNode> extends OperationNodeSource {
  readonly toOperationNode: () => Kind
}

type ModifiedOf<S> = S extends AnyQuery
  ? // biome-ignore lint/suspicious/noExplicitAny: joins and selections of the callback's own choice
    SelectQueryBuilder<any, any, any>
  : S extends { readonly node: infer Node extends RootOperationNode }
    ? Modified<Node>
    : never

/**
 * Changes a statement by Kysely's own builder: joins, groups, row locks, upserts, RETURNING, ...
 *
 * A query of entities stays one: its attributes are selected already, and what the callback selects besides is there to
 * order or filter by.
 *
 * @example
 * pipe(
 *   select(model.User),
 *   modify((qb) => qb.innerJoin('addresses', 'addresses.userId', 'users.id').where('addresses.email', 'like', '%@x.org')),
 *   distinct,
 * )
 *
 * @category combinators
 */
export const modify =
  <S extends Modifiable>(change: (builder: BuilderOf<S>) => ModifiedOf<S>) =>
  (self: S): S => ({
    ...self,
    node: (change(builderOf(self) as BuilderOf<S>) as OperationNodeSource).toOperationNode(),
  })

const builderOf = (self: Modifiable): unknown => {
  switch (self._tag) {
    case 'Select':
    case 'Rows':
      return selectBuilder(self.node)
    case 'Update':
      return updateBuilder(self.node)
    case 'Delete':
      return deleteBuilder(self.node)
    case 'Insert':
      return insertBuilder(self.node)
  }
}
