/**
 * Computed attributes: values that follow from a row, defined once, as an expression. In queries it is evaluated by the
 * database, on a snapshot in memory, by the rules by which bulk statements are.
 *
 * @example
 * const total = computed(model.Line, integer, (eb) => eb('quantity', '*', eb.ref('price')))
 *
 * pipe(select(model.Line), where((eb) => eb(total(eb), '>', 100)), orderBy((eb) => total(eb)))
 * pipe(select(model.Line), selectRows((q) => ({ line: q.entity(), total: q.computed(total) })), Session.rows)
 * computedValue(total)(line) // right(120)
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/extensions/hybrid.html
 */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import { type Expression, ExpressionWrapper, type OperationNode } from 'kysely'
import type { Dialect } from '../engine/dialect.js'
import type { AnyColumn } from '../model/column.js'
import type { ValueOf } from '../model/entity.js'
import type { Managed } from '../model/infer.js'
import type { Mapped } from '../model/model.js'
import { operand } from './attribute-expression.js'
import { evaluateExpression } from './evaluate.js'
import type { NotEvaluable, Result } from './evaluate-term.js'
import { type Select, selectOwn } from './select.js'
import { type ExpressionsOf, expressionsOf, type Statement } from './statement.js'

/**
 * A computed attribute: with the expression builder of a statement on its entity it is an expression.
 *
 * @category model
 */
export interface ComputedAttribute<out M, out N extends string, C extends AnyColumn> {
  <S extends Statement<M, N>>(eb: ExpressionsOf<S>): ExpressionWrapper<never, never, ValueOf<C>>
  readonly _tag: 'ComputedAttribute'
  readonly entity: Mapped<M, N>
  /** What kind of value it has. */
  readonly column: C
  /** The value of a row, by the comparison of texts on the given database. */
  readonly read: (row: object, dialect: Dialect | null) => Either<NotEvaluable, ValueOf<C>>
}

/**
 * Computes an attribute by an expression over the attributes of its entity. `column` says what the values are.
 *
 * What only the database can evaluate needs a `value` besides: functions of its own, division, LIKE, subqueries. It has to come
 * to the same.
 *
 * @example
 * const fullName = computed(model.User, text, (eb) => eb.fn('concat', ['first', eb.val(' '), 'last']))
 * const isAdult = computed(model.User, boolean, (eb) => eb('age', '>=', 18))
 * const domain = computed(model.User, text, (eb) => sql`substr(email, instr(email, '@') + 1)`, {
 *   value: ({ email }) => email.slice(email.indexOf('@') + 1),
 * })
 *
 * @category constructors
 */
export const computed = <M, N extends string, C extends AnyColumn>(
  entity: Mapped<M, N>,
  column: C,
  expression: (eb: ExpressionsOf<Select<M, N>>) => Expression<unknown>,
  options: { readonly value?: (row: Managed<M, N>) => ValueOf<NoInfer<C>> } = {},
): ComputedAttribute<M, N, C> => {
  const { value } = options
  const nodeFor = (eb: ExpressionsOf<Select<M, N>>): OperationNode => operand(expression(eb).toOperationNode())
  let evaluable: Result<(row: object, dialect: Dialect | null) => Either<NotEvaluable, unknown>> | null = null
  const read = (row: object, dialect: Dialect | null): Either<NotEvaluable, unknown> => {
    if (value !== undefined) return right(value(row as Managed<M, N>))
    evaluable ??= evaluateExpression(entity.mapping, nodeFor(expressionsOf(selectOwn(entity))), column)
    return isLeft(evaluable) ? evaluable : evaluable.right(row, dialect)
  }
  return Object.assign((eb: ExpressionsOf<Select<M, N>>) => new ExpressionWrapper(nodeFor(eb)), {
    _tag: 'ComputedAttribute',
    entity,
    column,
    read,
  }) as never
}

/**
 * The value of a computed attribute for a snapshot: what all databases agree on, or what the given one has. `NotEvaluable` where
 * only the database can tell, since an attribute is not loaded, or its collation decides.
 *
 * @category combinators
 */
export const computedValue =
  <M, N extends string, C extends AnyColumn>(attribute: ComputedAttribute<M, N, C>, dialect: Dialect | null = null) =>
  (row: Managed<M, N>): Either<NotEvaluable, ValueOf<C>> =>
    attribute.read(row, dialect)
