/**
 * Rows beside the row that they belong to.
 */
import { type RelationshipMapping, ValueSet } from '@unitary/core'
import { isNone } from 'fp-ts/lib/Option.js'
import type { KeyContext, Values } from './chooser.js'
import type { Strategy, StrategyContext, Subject } from './strategy.js'

/**
 * Puts each row on the shard of what a relationship of it refers to, so that joins and loads stay within a shard. The
 * parent may be as new as the row. `otherwise` decides where there is no parent, as for the roots of a tree.
 *
 * Lookups and queries that name the foreign key go where the parent's strategy looks for that key.
 *
 * @example
 * choosers(model)({ Location: byAttribute('continent', continents), Report: withParent('location') })
 *
 * @category strategies
 */
export function withParent<const R extends string>(relationship: R): Strategy<Child<R>, never>
export function withParent<const R extends string, S extends Subject, const Token extends string>(
  relationship: R,
  otherwise: Strategy<S, Token>,
): Strategy<S & Child<R>, Token>
export function withParent(relationship: string, otherwise?: Strategy<never, string>): Strategy<Subject, never> {
  const strategy: Strategy<Subject, string> = {
    basis: { kind: 'relationship', name: relationship },
    tokens: null,
    shardOf: (instance) => {
      const parent = instance.related(relationship)
      return parent === null ? (otherwise?.shardOf(instance) ?? null) : parent.shard
    },
    shardsOfKey: (key, asked, context) => {
      const { foreignKey } = relationshipOf(context, relationship)
      return otherwise === undefined && foreignKey.length > 0
        ? ofParent(
            context,
            relationship,
            foreignKey.map(({ name }) => key[name]),
            asked,
          )
        : null
    },
    shardsOf: (analysis, { options, state }, context) => {
      const [only, another] = relationshipOf(context, relationship).foreignKey
      if (otherwise !== undefined || only === undefined || another !== undefined) return null
      const keys = ValueSet.values(analysis.valuesOf(context.mapping, only.name))
      if (isNone(keys)) return null
      const found = new Set<string>()
      for (const key of keys.value) {
        const tokens = ofParent(context, relationship, [key], { operation: 'get', loading: null, options, state })
        if (tokens === null) return null
        for (const token of tokens) found.add(token)
      }
      return [...found]
    },
  }
  // what it adds to the tokens of `otherwise` are those of the parent's strategy
  return strategy as Strategy<Subject, never>
}

/** What has a relationship to one. */
interface Child<R extends string> {
  readonly attributes: object
  readonly references: { readonly [K in R]: object }
}

type Reference = Pick<RelationshipMapping, 'foreignKey' | 'key'> & {
  readonly target: RelationshipMapping['target'] | null
}

const unknown: Reference = { foreignKey: [], key: [], target: null }

/** A name that is no relationship does not compile; unchecked it decides nothing. */
const relationshipOf = ({ mapping }: StrategyContext, name: string): Reference =>
  mapping.relationshipOf.get(name) ?? unknown

const ofParent = (
  context: StrategyContext,
  relationship: string,
  foreignKey: ReadonlyArray<unknown>,
  asked: KeyContext,
): ReadonlyArray<string> | null => {
  const { key, target } = relationshipOf(context, relationship)
  if (target === null || foreignKey.includes(undefined) || foreignKey.includes(null)) return null
  const values: Values = Object.fromEntries(key.map(({ name }, i) => [name, foreignKey[i]]))
  return context.shardsOfKey(target, values, asked)
}
