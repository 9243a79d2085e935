/**
 * Criteria: conditions that every query of an entity has, wherever it reads the entity's table, unless it switches them off.
 *
 * They are values, named, and may depend on the options that a query runs with. What they do to a statement is in
 * `apply-criteria.ts`.
 *
 * @example
 * const rules = criteria(model)({
 *   Post: {
 *     visible: (eb) => eb('isHidden', '=', false),
 *     tenant: (eb, { tenant }) => eb('tenantId', '=', tenant),
 *   },
 *   Comment: { visible: (eb) => eb('isHidden', '=', false) },
 * })
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/queryguide/api.html#sqlalchemy.orm.with_loader_criteria
 */
import { AndNode, type Expression, type SqlBool } from 'kysely'
import { type BoundedCache, boundedCache } from '../engine/bounded-cache.js'
import type { Mapping } from '../model/mapping.js'
import type { AnyModel, Mapped, Model } from '../model/model.js'
import type { Entities } from '../model/relationship.js'
import { type EntityCondition, entityCondition, parenthesised } from './entity-condition.js'
import { type Select, selectOwn } from './select.js'
import {
  type AnyStatement,
  type ExecutionOptions,
  type ExpressionsOf,
  expressionsOf,
  optionsOver,
} from './statement.js'

/**
 * The options that criteria may depend on: those that an application adds to `ExecutionOptions`.
 *
 * @category model
 */
export type CriteriaOptions = Omit<
  ExecutionOptions,
  'shard' | 'populateExisting' | 'autoflush' | 'strict' | 'withoutCriteria'
>

/**
 * What is so of every row of an entity that a query may see; null where that is every row. To be a function of its
 * arguments: it is called once for each set of options.
 *
 * @category model
 */
export type Criterion<M, N extends string> = (
  eb: ExpressionsOf<Select<M, N>>,
  options: CriteriaOptions,
) => Expression<SqlBool> | null

/** Criteria by their names, for entities of a model. @category model */
export type CriteriaOf<M, Names extends string = string> =
  M extends Model<infer Es extends Entities, infer Rs>
    ? { readonly [N in keyof Es & string]?: { readonly [K in Names]?: Criterion<Model<Es, Rs>, N> } }
    : never

declare const names: unique symbol

interface NamedCriterion {
  readonly name: string
  readonly condition: Criterion<never, never>
}

/**
 * Criteria of a model's entities, made by `criteria`.
 *
 * @category model
 */
export interface EntityCriteria<out Names extends string = string> {
  readonly _tag: 'EntityCriteria'
  readonly model: AnyModel
  /** In the order in which they were defined. */
  readonly entities: ReadonlyMap<Mapping, ReadonlyArray<NamedCriterion>>
  readonly names: ReadonlySet<string>
  /** Never there: carries `Names`. */
  readonly [names]?: Names
}

const make = <Names extends string>(model: AnyModel, entities: EntityCriteria['entities']): EntityCriteria<Names> => ({
  _tag: 'EntityCriteria',
  model,
  entities,
  names: new Set([...entities.values()].flatMap((own) => own.map(({ name }) => name))),
})

/**
 * Defines criteria for entities of a model, each by a name: the same name may stand for several entities. Those of an entity
 * hold for its subtypes too; a query of the entity is held to its own alone, whatever its rows are of.
 *
 * @example
 * const app = Session.runtime(model, engine, {
 *   criteria: criteria(model)({ Post: { tenant: (eb, { tenant }) => eb('tenantId', '=', tenant) } }),
 *   executionOptions: { tenant: 'acme' },
 * })
 *
 * @category constructors
 */
export const criteria =
  <M extends AnyModel>(model: M) =>
  <Names extends string>(definition: CriteriaOf<M, Names>): EntityCriteria<Names> => {
    const defined = definition as Readonly<
      Record<string, Readonly<Record<string, Criterion<never, never> | undefined>>>
    >
    return make(
      model,
      new Map(
        model.mappings.flatMap((mapping) => {
          // those of a base hold for its subtypes
          const all = lineOf(mapping).flatMap(({ name: entity }) =>
            Object.entries(defined[entity] ?? {}).flatMap(([name, condition]) =>
              condition === undefined ? [] : [{ name, condition }],
            ),
          )
          return all.length === 0 ? [] : [[mapping, all] as const]
        }),
      ),
    )
  }

/** What an entity is a subtype of, the root first, and the entity. */
const lineOf = (mapping: Mapping): ReadonlyArray<Mapping> => {
  const above = mapping.parent ?? mapping.concreteOf
  return above === null ? [mapping] : [...lineOf(above), mapping]
}

/**
 * Criteria of one model put together: all of them hold. Those of one name are switched off together.
 *
 * @example
 * Session.runtime(model, engine, { criteria: combineCriteria(softDelete, tenancy) })
 *
 * @category combinators
 */
export const combineCriteria = <Names extends string>(
  first: EntityCriteria<Names>,
  ...others: ReadonlyArray<EntityCriteria<Names>>
): EntityCriteria<Names> => {
  const entities = new Map(first.entities)
  for (const { entities: some } of others) {
    for (const [mapping, own] of some) entities.set(mapping, [...(entities.get(mapping) ?? []), ...own])
  }
  return make(first.model, entities)
}

/**
 * The option that switches criteria off: those of the names given, or all of a value's.
 *
 * @example
 * Session.get(model.Post, 1, criteriaOff(rules, 'visible'))
 *
 * @category constructors
 */
export const criteriaOff = <Names extends string>(
  { names: all }: EntityCriteria<Names>,
  ...some: ReadonlyArray<NoInfer<Names>>
): Pick<ExecutionOptions, 'withoutCriteria'> => ({ withoutCriteria: some.length === 0 ? [...all] : some })

/** @category constructors */
export const allCriteriaOff: Pick<ExecutionOptions, 'withoutCriteria'> = { withoutCriteria: ['*'] }

/**
 * Switches criteria off for a statement: those of the names given, or all of a value's; without arguments all that there
 * are. It holds for what the statement loads beside its rows, and for later loads of the relationships of its results.
 *
 * @example
 * pipe(select(model.Post), withoutCriteria(rules, 'visible'), selectin('comments'))
 * pipe(select(model.Post), withoutCriteria())
 *
 * @category combinators
 */
export const withoutCriteria =
  <Names extends string = never>(from?: EntityCriteria<Names>, ...some: ReadonlyArray<NoInfer<Names>>) =>
  <S extends AnyStatement>(self: S): S => ({
    ...self,
    options: optionsOver(self.options)(from === undefined ? allCriteriaOff : criteriaOff(from, ...some)),
  })

/**
 * Criteria as they stand under some options.
 *
 * @category model
 */
export interface ActiveCriteria {
  readonly _tag: 'ActiveCriteria'
  readonly mappings: ReadonlyArray<Mapping>
  /** The same for options under which the same criteria say the same. */
  readonly key: string
  /** Those of an entity put together; null where it has none. */
  readonly conditionOf: (mapping: Mapping) => EntityCondition | null
}

/** Sets of options for which criteria are remembered: one for each tenant, say. */
const mostActive = 1024

const active = new WeakMap<EntityCriteria, BoundedCache<ActiveCriteria>>()

/**
 * Criteria under some options; null where none is left. The same value for the same options.
 *
 * @category constructors
 */
export const activeCriteria = (from: EntityCriteria, options: ExecutionOptions): ActiveCriteria | null => {
  const { withoutCriteria: off = [] } = options
  if (from.entities.size === 0 || off.includes('*')) return null
  const key = keyOf(from, options)
  let byKey = active.get(from)
  if (byKey === undefined) {
    byKey = boundedCache(mostActive)
    active.set(from, byKey)
  }
  const known = byKey.get(key) ?? byKey.set(key, activate(from, options, key))
  return off.length > 0 && [...from.names].every((name) => off.includes(name)) ? null : known
}

const activate = (from: EntityCriteria, options: ExecutionOptions, key: string): ActiveCriteria => {
  const { autoflush: _a, populateExisting: _p, shard: _sh, strict: _st, withoutCriteria: off = [], ...given } = options
  const conditions = new Map<Mapping, EntityCondition | null>()
  return {
    _tag: 'ActiveCriteria',
    mappings: from.model.mappings,
    key,
    conditionOf: (mapping) => {
      const own = from.entities.get(mapping)
      if (own === undefined) return null
      const known = conditions.get(mapping)
      if (known !== undefined) return known
      const eb = expressionsOf(selectOwn(entityOf(from.model, mapping)))
      const made = own.flatMap(({ name, condition }) =>
        off.includes(name) ? [] : (condition(eb as never, given)?.toOperationNode() ?? []),
      )
      const [first, ...others] = made.map(parenthesised)
      const together =
        first === undefined
          ? null
          : entityCondition(
              from.model.mappings,
              mapping,
              others.reduce((a, b) => AndNode.create(a, b), first),
            )
      conditions.set(mapping, together)
      return together
    },
  }
}

const entityOf = (model: AnyModel, { name }: Mapping): Mapped<unknown, string> =>
  (model as unknown as Readonly<Record<string, Mapped<unknown, string>>>)[name] as Mapped<unknown, string>

const statementsOwn: ReadonlySet<string> = new Set([
  'autoflush',
  'populateExisting',
  'shard',
  'strict',
  'withoutCriteria',
])

/** Options as a text: what criteria may depend on, and which of them are off. */
const keyOf = (from: EntityCriteria, options: ExecutionOptions): string => {
  const parts: string[] = []
  for (const [name, value] of Object.entries(options)) {
    if (!statementsOwn.has(name) && value !== undefined) parts.push(`${name}=${textOf(value)}`)
  }
  for (const name of options.withoutCriteria ?? []) if (from.names.has(name)) parts.push(`-${name}`)
  return parts.length === 0 ? '' : parts.sort().join(' ')
}

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value)
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? `#${numberOf(value)}`
    : `${typeof value}:${String(value)}`
}

const numbers = new WeakMap<object, number>()
let next = 0

/** Objects are told apart by their identity. */
const numberOf = (value: object): number => {
  const known = numbers.get(value) ?? next++
  numbers.set(value, known)
  return known
}
