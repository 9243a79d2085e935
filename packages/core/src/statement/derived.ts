/**
 * Entities from any query: what it gives stands in the place of their table, and more can be said around it.
 *
 * @example
 * // the nodes below one, however deep
 * fromQuery(model.Node, (db) =>
 *   db
 *     .withRecursive('below', (cte) =>
 *       cte
 *         .selectFrom('nodes')
 *         .selectAll()
 *         .where('parentId', '=', 1)
 *         .unionAll(cte.selectFrom('nodes').innerJoin('below', 'below.id', 'nodes.parentId').selectAll('nodes')),
 *     )
 *     .selectFrom('below')
 *     .selectAll(),
 * )
 */
import {
  AliasNode,
  type Expression,
  IdentifierNode,
  type OperationNode,
  ParensNode,
  QueryCreator,
  QueryNode,
  type RawBuilder,
  SelectionNode,
  SelectQueryNode,
} from 'kysely'
import type { Database } from '../model/database.js'
import type { DeferredAttribute, KeyAttribute, RowOf } from '../model/infer.js'
import type { Attribute, Mapping } from '../model/mapping.js'
import type { Mapped } from '../model/model.js'
import type { Omitting, Plain } from './attributes.js'
import { unbound } from './builder.js'
import { invalidClause, type StatementError } from './error.js'
import type { Whole } from './extent.js'
import { faultNode } from './fault.js'
import { outputOf } from './scope.js'
import { type AnySelect, type Select, selectOwn } from './select.js'
import { catalogOf, outermost } from './source.js'
import { attributeNode, mappingsOf } from './statement.js'

/** A select query of Kysely's whose rows are `O`. @category model */
export interface QueryOf<out O> extends Expression<O> {
  readonly isSelectQueryBuilder: true
  readonly toOperationNode: () => SelectQueryNode
}

/** A query of Kysely's over a model's tables: built already, or built by a callback. @category model */
export type QueryOver<M, O> = QueryOf<O> | ((db: QueryCreator<Database<M>>) => QueryOf<O>)

/** What a query has to give to give entities: at least their keys. @category model */
export type KeyRow<M, N extends string> = { readonly [K in KeyAttribute<M, N> & keyof RowOf<M, N>]: RowOf<M, N>[K] }

/** Entities as rows of `O` have them. @category model */
export type Given<M, N extends string, O> = Select<
  M,
  N,
  unknown extends O
    ? unknown
    : [Extract<keyof O, DeferredAttribute<M, N>>] extends [never]
      ? unknown
      : Pick<RowOf<M, N>, Extract<keyof O, DeferredAttribute<M, N> & keyof RowOf<M, N>>>,
  [Exclude<Plain<M, N>, keyof O>] extends [never] ? Whole : Omitting<Whole, Exclude<Plain<M, N>, keyof O>>
>

/**
 * The entities whose rows a query of Kysely's gives. Its columns are named by attributes, as everything in such a query is;
 * those that are no attributes are ignored, and attributes that are missing are absent, as by `loadOnly`. It has to give the
 * key, else running it is an `InvalidClause`.
 *
 * What it gives stands in a subquery, in place of the entity's table: conditions, joins, orders, limits and loads say more
 * around it. Its own order is lost there, unless it has a limit: order around it.
 *
 * @example
 * pipe(
 *   fromQuery(model.User, (db) => db.selectFrom('users').selectAll().where('age', '>', 17)),
 *   where('name', '<>', 'ed'),
 *   selectin('addresses'),
 *   Session.query,
 * )
 *
 * @category constructors
 */
export const fromQuery = <M, N extends string, O extends KeyRow<M, N>>(
  entity: Mapped<M, N>,
  query: QueryOver<M, O>,
): Given<M, N, O> => {
  const built = typeof query === 'function' ? query(new QueryCreator<Database<M>>(unbound)) : query
  const node = built.toOperationNode()
  const self: AnySelect = selectOwn(entity)
  const { mapping } = entity
  const output = outputOf(outermost(catalogOf(mappingsOf(self))), node, '')
  const given = mapping.attributes.filter(({ isDeferred, name }) =>
    output.isOpen ? !isDeferred : output.columns.has(name),
  )
  const fault = missingKey(mapping, given)
  const derived = derivedNode(mapping, node, given)
  return { ...self, node: fault === null ? derived : QueryNode.cloneWithWhere(derived, faultNode(fault)) } as never
}

const missingKey = (mapping: Mapping, given: ReadonlyArray<Attribute>): StatementError | null => {
  // of which subtype a row is, its discriminator says
  const needed = mapping.discriminator === null ? mapping.key : [...mapping.key, mapping.discriminator]
  const missing = needed.filter((attribute) => !given.includes(attribute)).map(({ name }) => name)
  return missing.length === 0
    ? null
    : invalidClause(
        mapping.name,
        'fromQuery',
        missing.join(', '),
        `the query does not select it; select the whole key${mapping.discriminator === null ? '' : ' and the discriminator'}`,
      )
}

/**
 * The entities whose rows a statement of raw text gives. Its columns are named as the table's; others are ignored, and a
 * missing one is the database's error, which names it. `loadOnly` and `defer` say that attributes are missing on purpose.
 *
 * The text stands in a subquery, in place of the entity's table, so that conditions, joins, orders, limits and loads say more
 * around it. Over several shards it runs on each of them.
 *
 * @example
 * pipe(fromSql(model.User, sql`select * from users where name similar to ${pattern}`), orderBy('name'), Session.query)
 * pipe(fromSql(model.User, sql`select id, name from users`), loadOnly('name'), Session.query)
 *
 * @category constructors
 */
export const fromSql = <M, N extends string>(entity: Mapped<M, N>, text: RawBuilder<unknown>): Select<M, N> => {
  const { mapping } = entity
  const loaded = mapping.attributes.filter(({ isDeferred }) => !isDeferred)
  return { ...selectOwn(entity), node: derivedNode(mapping, ParensNode.create(text.toOperationNode()), loaded) }
}

/** `select table.attribute, ... from (...) as table`: a subquery in place of an entity's table. */
export const derivedNode = (
  mapping: Mapping,
  query: OperationNode,
  attributes: ReadonlyArray<Attribute>,
): SelectQueryNode =>
  SelectQueryNode.cloneWithSelections(
    SelectQueryNode.createFrom([AliasNode.create(query, IdentifierNode.create(mapping.table))]),
    attributes.map((attribute) => SelectionNode.create(attributeNode(mapping, attribute))),
  )
