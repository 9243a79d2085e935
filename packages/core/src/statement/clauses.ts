/**
 * The clauses of a query beside its conditions: order, limits, groups, and whether rows may repeat.
 */
import {
  AliasNode,
  ColumnNode,
  type Expression,
  ExpressionWrapper,
  LimitNode,
  OffsetNode,
  type OperationNode,
  type OrderByModifiers,
  ReferenceNode,
  SelectModifierNode,
  SelectQueryNode,
  type SqlBool,
  ValueNode,
} from 'kysely'
import type { RowOf } from '../model/infer.js'
import { selectBuilder } from './builder.js'
import { qualified } from './qualify.js'
import { type AnyQuery, type ResultOf, selectedAs } from './rows.js'
import { attributeNode, type ExpressionsOf, expressionsOf, type ModelOf, mappingsOf, type NameOf } from './statement.js'

const withNode = <S extends AnyQuery>(self: S, node: SelectQueryNode): S => ({ ...self, node })

/** Beside other tables a name is that of the first which has it, and beside the names of values that of a column. */
const inQuery = <V>(self: AnyQuery, expression: Expression<V>): Expression<V> =>
  self._tag === 'Select' && self.aliases.length === 0
    ? expression
    : new ExpressionWrapper(qualified(mappingsOf(self), self.node, expression.toOperationNode()))

/** The attributes of a query's entity, and the names of what its rows hold. @category model */
export type NamedIn<S> = (keyof RowOf<ModelOf<S>, NameOf<S>> & string) | OutputName<S>

type OutputName<S> = S extends { readonly _tag: 'Rows' } ? NameIn<ResultOf<S>> : never

/** Tuples and single values have no names. */
type NameIn<A> = A extends string | number | bigint | boolean | null | Date | Uint8Array | ReadonlyArray<unknown>
  ? never
  : keyof A & string

/**
 * Orders by an attribute, by a value of the rows by its name, or by an expression, after what is ordered by already.
 *
 * @example
 * pipe(select(model.User), orderBy('name'), orderBy((eb) => eb.fn('length', ['nickname']), 'desc'))
 * pipe(select(model.User), orderBy('nickname', (order) => order.desc().nullsLast()))
 *
 * @category combinators
 */
export const orderBy =
  <S extends AnyQuery>(
    by: NamedIn<S> | ((eb: ExpressionsOf<S>) => Expression<unknown>),
    direction?: OrderByModifiers,
  ) =>
  (self: S): S => {
    const expression =
      typeof by === 'string'
        ? new ExpressionWrapper(outputNode(self, by) ?? attributeNode(self.entity.mapping, { name: by }))
        : inQuery(self, by(expressionsOf(self)))
    return withNode(self, selectBuilder(self.node).orderBy(expression, direction).toOperationNode())
  }

/** The name of a value of the rows, which ORDER BY takes for itself. */
const outputNode = (self: AnyQuery, name: string): ReferenceNode | null =>
  self._tag === 'Rows' && self.outputs.some((output) => output._tag === 'Value' && output.column === name)
    ? ReferenceNode.create(ColumnNode.create(name))
    : null

/**
 * At most so many rows.
 *
 * @category combinators
 */
export const limit =
  (count: number) =>
  <S extends AnyQuery>(self: S): S =>
    withNode(self, SelectQueryNode.cloneWithLimit(self.node, LimitNode.create(ValueNode.create(count))))

/**
 * Leaves out so many rows at the start of the order.
 *
 * @category combinators
 */
export const offset =
  (count: number) =>
  <S extends AnyQuery>(self: S): S =>
    withNode(self, SelectQueryNode.cloneWithOffset(self.node, OffsetNode.create(ValueNode.create(count))))

/**
 * Leaves out repeated rows, as a join can make them.
 *
 * @category combinators
 */
export const distinct = <S extends AnyQuery>(self: S): S =>
  withNode(self, SelectQueryNode.cloneWithFrontModifier(self.node, SelectModifierNode.create('Distinct')))

/**
 * One row for all rows in which something is the same: attributes, values of the rows by their names, or expressions. What
 * a row holds is then either of these or an aggregate.
 *
 * @example
 * pipe(
 *   select(model.Post),
 *   groupBy('authorId'),
 *   selectRows((q) => ({ author: q.ref('posts.authorId'), posts: q.fn.countAll() })),
 * )
 *
 * @category combinators
 */
export const groupBy =
  <S extends AnyQuery>(...by: ReadonlyArray<NamedIn<S> | ((eb: ExpressionsOf<S>) => Expression<unknown>)>) =>
  (self: S): S => {
    const terms = by.map((term) =>
      typeof term === 'string'
        ? new ExpressionWrapper(groupedOutput(self, term) ?? attributeNode(self.entity.mapping, { name: term }))
        : inQuery(self, term(expressionsOf(self))),
    )
    return withNode(
      self,
      selectBuilder(self.node)
        .groupBy(terms as never)
        .toOperationNode(),
    )
  }

/**
 * A value of the rows where GROUP BY has it: some databases take its name for a column's first. It is named by its place where
 * it is computed, since an expression with parameters is not seen to be the one that is selected.
 */
const groupedOutput = (self: AnyQuery, name: string): OperationNode | null => {
  if (outputNode(self, name) === null) return null
  const selected = selectedAs(self.node, name)
  const place = (self.node.selections ?? []).findIndex(
    ({ selection }) => AliasNode.is(selection) && selection.node === selected,
  )
  return selected !== null && ReferenceNode.is(selected) ? selected : ValueNode.createImmediate(place + 1)
}

/**
 * Keeps the groups for which a condition holds, which may speak of aggregates.
 *
 * @example
 * pipe(select(model.Post), groupBy('authorId'), having((eb) => eb(eb.fn.countAll(), '>', 2)), selectRows(...))
 *
 * @category combinators
 */
export const having =
  <S extends AnyQuery>(condition: (eb: ExpressionsOf<S>) => Expression<SqlBool>) =>
  (self: S): S =>
    withNode(
      self,
      selectBuilder(self.node)
        .having(inQuery(self, condition(expressionsOf(self))))
        .toOperationNode(),
    )
