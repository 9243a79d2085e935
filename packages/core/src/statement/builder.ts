/**
 * Kysely's query builders over a tree, bound to no database: they build and never execute.
 */
import {
  createSelectQueryBuilder,
  DeleteQueryBuilder,
  type DeleteQueryNode,
  type DeleteResult,
  type ExpressionBuilder,
  expressionBuilder,
  InsertQueryBuilder,
  type InsertQueryNode,
  type InsertResult,
  NOOP_QUERY_EXECUTOR,
  type QueryCreatorProps,
  type QueryId,
  type SelectQueryBuilder,
  type SelectQueryNode,
  UpdateQueryBuilder,
  type UpdateQueryNode,
  type UpdateResult,
} from 'kysely'

/** Kysely tells executions apart by it; nothing is executed here, and a fixed one keeps building pure. */
const queryId: QueryId = { queryId: 'unitary' }

const props = <Node>(queryNode: Node): { queryId: QueryId; executor: typeof NOOP_QUERY_EXECUTOR; queryNode: Node } => ({
  queryId,
  executor: NOOP_QUERY_EXECUTOR,
  queryNode,
})

/** Kysely's expression builder: one for all, since it holds nothing and takes longer to make than a condition. */
export const expressions: ExpressionBuilder<never, never> = expressionBuilder()

export const selectBuilder = <DB, TB extends keyof DB>(
  node: SelectQueryNode,
): SelectQueryBuilder<DB, TB, Record<never, never>> => createSelectQueryBuilder(props(node))

export const updateBuilder = <DB, TB extends keyof DB>(
  node: UpdateQueryNode,
): UpdateQueryBuilder<DB, TB, TB, UpdateResult> => new UpdateQueryBuilder(props(node))

export const deleteBuilder = <DB, TB extends keyof DB>(
  node: DeleteQueryNode,
): DeleteQueryBuilder<DB, TB, DeleteResult> => new DeleteQueryBuilder(props(node))

export const insertBuilder = <DB, TB extends keyof DB>(
  node: InsertQueryNode,
): InsertQueryBuilder<DB, TB, InsertResult> => new InsertQueryBuilder(props(node))

/** What a builder of whole queries needs that is bound to no database. */
export const unbound: QueryCreatorProps = { executor: NOOP_QUERY_EXECUTOR }
