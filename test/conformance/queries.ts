/**
 * Queries and bulk statements of the corpus.
 */
import * as Core from '@unitary/core'
import { inspect, type SessionState } from '@unitary/session'
import { referenceTo } from './api.js'
import { conditionOn, type ValuesOf } from './condition.js'
import { orderOf } from './model.js'
import type { Step } from './scenario.js'
import type { Situation } from './situation.js'

type Statement = unknown
type Combinator = (self: Statement) => Statement

/** The statement builders, for statements whose types no description can tell. */
interface Builders {
  readonly select: (entity: unknown) => Statement
  readonly update: (entity: unknown) => Statement
  readonly deleteFrom: (entity: unknown) => Statement
  readonly where: (condition: unknown) => Combinator
  readonly orderBy: (attribute: string, direction: 'asc' | 'desc') => Combinator
  readonly limit: (count: number) => Combinator
  readonly offset: (count: number) => Combinator
  readonly selectin: (relationship: string, refine?: Combinator) => Combinator
  readonly joined: (relationship: string, refine?: Combinator) => Combinator
  readonly subquery: (relationship: string, refine?: Combinator) => Combinator
  readonly immediate: (relationship: string, refine?: Combinator) => Combinator
  readonly recursively: (relationship: string, levels: number) => Combinator
  readonly raise: (relationship: string) => Combinator
  readonly lazy: (relationship: string) => Combinator
  readonly withOptions: (options: unknown) => Combinator
  readonly set: (changes: unknown) => Combinator
  readonly withSubtypes: (...subtypes: ReadonlyArray<string>) => Combinator
  readonly selectinSubtypes: (...subtypes: ReadonlyArray<string>) => Combinator
  readonly defer: (...attributes: ReadonlyArray<string>) => Combinator
  readonly undefer: (...attributes: ReadonlyArray<string>) => Combinator
}

const build = Core as unknown as Builders

const apply = (statement: Statement, combinators: ReadonlyArray<Combinator>): Statement =>
  combinators.reduce((current, combinator) => combinator(current), statement)

/** The values of an object, as the state knows them: in its own session. */
const valuesIn =
  (at: Situation, state: SessionState): ValuesOf =>
  (name) => {
    const named = at.objects.get(name)
    return named === undefined ? {} : (inspect(state, referenceTo(named.id))?.attributes ?? {})
  }

export const selection = (at: Situation, step: Step, state: SessionState): Statement => {
  const entity = step.entity as string
  const { where, orderBy = [], limit, offset, options = [], populateExisting } = step
  return apply(build.select(at.model.entity(entity)), [
    ...(where === undefined
      ? []
      : [build.where(conditionOn(at.model.description, entity, where, valuesIn(at, state)))]),
    ...orderBy.map((by) => build.orderBy(...orderOf(by))),
    ...(limit === undefined ? [] : [build.limit(limit)]),
    ...(offset === undefined ? [] : [build.offset(offset)]),
    ...loadsOf(options),
    ...options.flatMap((option) => columnsOf(option)),
    ...subtypesOf(at, step),
    ...(populateExisting === true ? [build.withOptions({ populateExisting: true })] : []),
    ...pinned(step),
  ])
}

/** The one shard that a statement is for. What it loads is looked for beside the rows that it belongs to anyway. */
const pinned = ({ options = [], shard }: Step): ReadonlyArray<Combinator> => {
  const tokens = [shard, ...options.flatMap((option) => [option.shard, option.shardLeadOnly])]
  return tokens.flatMap((token) => (token === undefined ? [] : [build.withOptions({ shard: token })]))
}

/** The subtypes whose attributes come with the query: as it says, or as its entity does. */
const subtypesOf = (at: Situation, { entity = '', options = [], withPolymorphic }: Step): ReadonlyArray<Combinator> => {
  const isWide = (withPolymorphic ?? at.model.description.entities[entity]?.withPolymorphic) !== undefined
  return [
    ...(isWide ? [build.withSubtypes('*')] : []),
    ...options.flatMap(({ selectinPolymorphic }) =>
      Array.isArray(selectinPolymorphic) ? [build.selectinSubtypes(...(selectinPolymorphic as string[]))] : [],
    ),
  ]
}

const columnsOf = (option: Readonly<Record<string, unknown>>): ReadonlyArray<Combinator> => {
  if (typeof option.defer === 'string') return [build.defer(option.defer)]
  if (typeof option.undefer === 'string') return [build.undefer(option.undefer)]
  if (typeof option.raise === 'string') return [build.raise(option.raise)]
  if (typeof option.lazy === 'string') return [build.lazy(option.lazy)]
  return []
}

const strategies = ['selectin', 'joined', 'subquery', 'immediate'] as const
type Strategy = (typeof strategies)[number]

interface Loads {
  readonly [relationship: string]: {
    readonly strategy: Strategy
    readonly depth: number | null
    readonly nested: Loads
  }
}

/** Eager loads by path, as one tree. */
const loadsOf = (options: NonNullable<Step['options']>): ReadonlyArray<Combinator> => {
  const tree: Record<string, { strategy: Strategy; depth: number | null; nested: Loads }> = {}
  for (const option of options) {
    const strategy = strategies.find((name) => typeof option[name] === 'string')
    if (strategy === undefined) continue
    let level: Record<string, { strategy: Strategy; depth: number | null; nested: Loads }> = tree
    for (const name of (option[strategy] as string).split('.')) {
      const next = level[name] ?? { strategy, depth: (option.depth as number | undefined) ?? null, nested: {} }
      level[name] = next
      level = next.nested as typeof level
    }
  }
  return combinatorsOf(tree)
}

const combinatorsOf = (loads: Loads): ReadonlyArray<Combinator> =>
  Object.entries(loads).map(([relationship, { strategy, depth, nested }]) => {
    // the corpus counts the levels after the first
    if (depth !== null) return build.recursively(relationship, depth < 0 ? Number.POSITIVE_INFINITY : depth + 1)
    const inner = combinatorsOf(nested)
    return inner.length === 0
      ? build[strategy](relationship)
      : build[strategy](relationship, (target) => apply(target, inner))
  })

const filtered = (at: Situation, step: Step): ReadonlyArray<Combinator> =>
  step.where == null ? [] : [build.where(conditionOn(at.model.description, step.entity as string, step.where))]

type Expressions = (column: string, operator: string, value: unknown) => unknown

/** The new values: plain, or `{ expr: [operator, column, number] }`. */
const changesOf =
  (values: Readonly<Record<string, unknown>>) =>
  (eb: Expressions): Readonly<Record<string, unknown>> =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => {
        if (typeof value !== 'object' || value === null) return [name, value]
        const [operator, column, operand] = (value as { readonly expr: readonly [string, string, number] }).expr
        return [name, eb(column, operator, operand)]
      }),
    )

export const updating = (at: Situation, step: Step): Statement =>
  apply(build.update(at.model.entity(step.entity as string)), [
    build.set(changesOf(step.values ?? {})),
    ...filtered(at, step),
    ...pinned(step),
  ])

export const deletion = (at: Situation, step: Step): Statement =>
  apply(build.deleteFrom(at.model.entity(step.entity as string)), [...filtered(at, step), ...pinned(step)])
