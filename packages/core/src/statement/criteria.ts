/**
 * Conditions: which rows a query reads, an update changes, a delete removes.
 */
import {
  type ComparisonOperator,
  type Expression,
  type ExpressionBuilder,
  ExpressionWrapper,
  type OperationNode,
  ParensNode,
  QueryNode,
  RawNode,
  type SqlBool,
} from 'kysely'
import type { RowOf } from '../model/infer.js'
import { byOwnNames } from '../model/validate.js'
import { expressions } from './builder.js'
import type { AnyDelete } from './delete.js'
import { qualified } from './qualify.js'
import type { AnyQuery } from './rows.js'
import {
  attributeNode,
  type ExpressionsOf,
  expressionsOf,
  type ModelOf,
  mappingsOf,
  type NameOf,
  type Statement,
} from './statement.js'
import type { AnyUpdate } from './update.js'

/** A statement that conditions can narrow. @category model */
export type Filterable = AnyQuery | AnyUpdate | AnyDelete

/** What a value of type `V` can be compared with by an operator: values, expressions, subqueries. @category model */
export type Operand<V, Op> = Op extends 'in' | 'not in'
  ? ReadonlyArray<V> | Computed<V>
  : Op extends 'is' | 'is not'
    ? Extract<V, boolean> | null
    : Op extends '<' | '<=' | '>' | '>='
      ? // neither NULL nor a truth value has an order (see `check.ts`)
        Exclude<V, boolean | null> | Computed<V>
      : V | Computed<V>

/** A subquery is an expression of its rows. */
type Computed<V> = Expression<V> | Expression<Readonly<Record<string, V>>>

type Value<S, A> = A extends keyof RowOf<ModelOf<S>, NameOf<S>> ? RowOf<ModelOf<S>, NameOf<S>>[A] : never

/**
 * Narrows a select, update or delete, in addition to the conditions that it has.
 *
 * Values are the program's own; they are encoded by the column's codec when the statement is compiled.
 *
 * @example
 * pipe(select(model.User), where((eb) => eb.or([eb('name', '=', 'ed'), eb('nickname', 'is', null)])))
 * pipe(deleteFrom(model.User), where('joined', '<', new Date(0)))
 *
 * @category combinators
 */
export function where<S extends Filterable>(condition: (eb: ExpressionsOf<S>) => Expression<SqlBool>): (self: S) => S
export function where<
  S extends Filterable,
  A extends keyof RowOf<ModelOf<S>, NameOf<S>> & string,
  Op extends ComparisonOperator,
>(attribute: A, operator: Op, value: Operand<Value<S, A>, Op>): (self: S) => S
export function where<S extends Filterable>(
  condition: string | ((eb: ExpressionsOf<S>) => Expression<SqlBool>),
  operator?: ComparisonOperator,
  value?: unknown,
): (self: S) => S {
  return (self) =>
    narrow(
      self,
      typeof condition === 'function'
        ? inQuery(self, condition(expressionsOf(self)).toOperationNode())
        : comparison(self, condition, operator as ComparisonOperator, value),
    )
}

/** Attributes and the values that they must have. @category model */
export type Criteria<S> = Partial<RowOf<ModelOf<S>, NameOf<S>>>

/**
 * Rows whose attributes have the given values; null matches NULL, and JSON's null in a JSON column without NULL.
 *
 * @example
 * pipe(select(model.User), filterBy({ name: 'ed', nickname: null }))
 *
 * @category combinators
 */
export const filterBy =
  <S extends Filterable>(criteria: Criteria<S>) =>
  (self: S): S =>
    Object.entries(byOwnNames(self.entity.mapping, criteria)).reduce(
      (narrowed, [attribute, value]) =>
        narrow(narrowed, comparison(self, attribute, value === null && !isJson(self, attribute) ? 'is' : '=', value)),
      self,
    )

/**
 * Narrows a statement by the conditions of another on the same entity, in addition to its own: only by these, not by the
 * other's joins or limit.
 *
 * @example
 * // a delete that becomes an update
 * pipe(update(model.Post), set({ isHidden: true }), whereOf(statement))
 *
 * @category combinators
 */
export const whereOf =
  <M, N extends string>(other: Filterable & Statement<M, N>) =>
  <S extends Filterable & Statement<M, N>>(self: S): S => {
    const { where: conditions } = other.node
    if (conditions === undefined) return self
    // beside others an OR would come apart
    return narrow(self, self.node.where === undefined ? conditions.where : ParensNode.create(conditions.where))
  }

const narrow = <S extends Filterable>(self: S, condition: OperationNode): S => ({
  ...self,
  // raw text may hold an OR, which would come apart beside other conditions
  node: QueryNode.cloneWithWhere(self.node, RawNode.is(condition) ? ParensNode.create(condition) : condition),
})

/** Beside other tables a name is that of the first which has it: the entity's own where it is an attribute. */
const inQuery = (self: Filterable, condition: OperationNode): OperationNode =>
  'aliases' in self && (self._tag === 'Rows' || self.aliases.length > 0)
    ? qualified(mappingsOf(self), self.node, condition)
    : condition

/** Is a null of the attribute JSON's own, since the column holds no NULL? */
const isJson = ({ entity }: Filterable, name: string): boolean => {
  const { attributeOf, synonyms } = entity.mapping
  const attribute = attributeOf.get(name) ?? synonyms.get(name)
  return attribute?.column.kind === 'json' && !attribute.isNullable
}

/** `table.attribute operator value`, as Kysely's own builder makes it. */
const comparison = (self: Filterable, attribute: string, operator: ComparisonOperator, value: unknown): OperationNode =>
  (expressions as ExpressionBuilder<unknown, never>)(
    new ExpressionWrapper(attributeNode(self.entity.mapping, { name: attribute })),
    operator,
    value,
  ).toOperationNode()
