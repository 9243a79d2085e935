/**
 * Conditions of the corpus as Kysely expressions.
 */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { ModelDescription, RelationshipDescription, Where } from './scenario.js'

// biome-ignore lint/suspicious/noExplicitAny: an expression builder over tables that only a description knows
type Builder = ExpressionBuilder<any, any>
type Condition = Expression<SqlBool>

/** The values of a named object, for conditions that compare with one. */
export type ValuesOf = (name: string) => Readonly<Record<string, unknown>>

interface Scope {
  readonly model: ModelDescription
  readonly entity: string
  /** The table, or its alias in a subquery. */
  readonly table: string
  readonly depth: number
  readonly valuesOf: ValuesOf
}

const comparisons: Readonly<Record<string, '=' | '!=' | '<' | '<=' | '>' | '>='>> = {
  eq: '=',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
}

const noObjects: ValuesOf = () => ({})

/** The condition on the rows of an entity. */
export const conditionOn =
  (model: ModelDescription, entity: string, where: Where, valuesOf: ValuesOf = noObjects) =>
  (eb: Builder): Condition =>
    build(eb, { model, entity, table: model.entities[entity]?.table ?? entity, depth: 0, valuesOf }, where)

const build = (eb: Builder, scope: Scope, where: Where): Condition => {
  const [operator, first, second] = where
  const column = `${scope.table}.${String(first)}`
  const comparison = comparisons[operator]
  if (comparison !== undefined) {
    if (second === null) return eb(column, operator === 'eq' ? 'is' : 'is not', null)
    return eb(column, comparison, second)
  }
  switch (operator) {
    case 'in':
      return (second as ReadonlyArray<unknown>).length === 0 ? eb.val(false) : eb(column, 'in', second)
    case 'isNull':
      return eb(column, 'is', null)
    case 'notNull':
      return eb(column, 'is not', null)
    case 'like':
      return eb(column, 'like', second)
    case 'and':
      return eb.and(where.slice(1).map((part) => build(eb, scope, part as Where)))
    case 'or':
      return eb.or(where.slice(1).map((part) => build(eb, scope, part as Where)))
    case 'not':
      return eb.not(build(eb, scope, first as Where))
    case 'is':
      return refersTo(eb, scope, String(first), second as string | null)
    case 'contains':
      return containing(eb, scope, String(first), String(second))
    case 'any':
    case 'has':
      return related(eb, scope, String(first), second as Where | undefined)
    default:
      throw new Error(`no condition of the corpus: ${operator}`)
  }
}

const keyOf = (model: ModelDescription, entity: string): ReadonlyArray<string> => {
  const columns = model.entities[entity]?.columns ?? {}
  return Object.keys(columns).filter((name) => columns[name]?.primaryKey === true)
}

const relationshipOf = (scope: Scope, name: string): RelationshipDescription =>
  scope.model.entities[scope.entity]?.relationships?.[name] as RelationshipDescription

const refersTo = (eb: Builder, scope: Scope, name: string, target: string | null): Condition => {
  const relationship = relationshipOf(scope, name)
  const key = keyOf(scope.model, relationship.target)
  const values = target === null ? {} : scope.valuesOf(target)
  return eb.and(
    (relationship.foreignKey ?? []).map((column, i) =>
      target === null
        ? eb(`${scope.table}.${column}`, 'is', null)
        : eb(`${scope.table}.${column}`, '=', values[key[i] as string]),
    ),
  )
}

const containing = (eb: Builder, scope: Scope, name: string, member: string): Condition => {
  const { foreignKey = [], secondary, target } = relationshipOf(scope, name)
  const values = scope.valuesOf(member)
  const key = keyOf(scope.model, scope.entity)
  if (secondary === undefined) {
    return eb.and(key.map((column, i) => eb(`${scope.table}.${column}`, '=', values[foreignKey[i] as string])))
  }
  const targetKey = keyOf(scope.model, target)
  const links = eb.selectFrom(secondary.table).select(eb.lit(1).as('one'))
  const owned = secondary.own.reduce(
    (query, column, i) => query.whereRef(`${secondary.table}.${column}`, '=', `${scope.table}.${key[i]}`),
    links,
  )
  return eb.exists(
    secondary.target.reduce(
      (query, column, i) => query.where(`${secondary.table}.${column}`, '=', values[targetKey[i] as string]),
      owned,
    ),
  )
}

const related = (eb: Builder, scope: Scope, name: string, where: Where | undefined): Condition => {
  const { foreignKey = [], kind, target } = relationshipOf(scope, name)
  const alias = `r${scope.depth}`
  const inner = { ...scope, entity: target, table: alias, depth: scope.depth + 1 }
  const [here, there] =
    kind === 'manyToOne' ? [foreignKey, keyOf(scope.model, target)] : [keyOf(scope.model, scope.entity), foreignKey]
  const rows = eb.selectFrom(`${scope.model.entities[target]?.table} as ${alias}`).select(eb.lit(1).as('one'))
  const joined = here.reduce(
    (query, column, i) => query.whereRef(`${alias}.${there[i]}`, '=', `${scope.table}.${column}`),
    rows,
  )
  return eb.exists(where === undefined ? joined : joined.where((within: Builder) => build(within, inner, where)))
}
