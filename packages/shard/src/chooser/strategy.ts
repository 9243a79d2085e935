/**
 * A strategy: the choosers of one entity.
 */
import type { Analysis, Mapping, RelationshipName, RelationshipsOf, RowOf, StoredRow, TargetOf } from '@unitary/core'
import type { Basis, InstanceView, KeyContext, StatementContext, Values } from './chooser.js'

/** What a strategy may look at: the attributes of an entity, and those of what it refers to. */
export interface Subject {
  readonly attributes: object
  readonly references: object
}

/** The relationships whose foreign key the entity itself holds. */
type ParentName<M, N> = {
  [K in RelationshipName<M, N>]: RelationshipsOf<M, N>[K] extends { readonly _tag: 'BelongsTo' } ? K : never
}[RelationshipName<M, N>]

/** The subject that an entity of a model is. @category model */
export interface SubjectOf<M, N extends string> {
  readonly attributes: StoredRow<M, N>
  readonly references: { readonly [K in ParentName<M, N>]: RowOf<M, TargetOf<M, N, K>> }
}

/** What a strategy is told beside the question. @category model */
export interface StrategyContext {
  readonly mapping: Mapping
  /** The answer of another entity's strategy, for what is left to it. */
  readonly shardsOfKey: (target: Mapping, key: Values, asked: KeyContext) => ReadonlyArray<string> | null
}

/**
 * How the rows of one entity are spread. It answers what the choosers are asked, with null where it cannot tell: of a
 * new row that is an error, of a key or statement it means every shard.
 *
 * `S` is what it looks at, so that it fits only entities that have the attribute or relationship.
 *
 * @category model
 */
export interface Strategy<in S extends Subject, out Token extends string> {
  /** Never there: carries `S`. */
  readonly looksAt?: (subject: S) => void
  readonly basis: Basis | null
  /** All shards that it can name; null where that is not known. */
  readonly tokens: ReadonlyArray<Token> | null
  readonly shardOf: (instance: InstanceView) => Token | null
  readonly shardsOfKey: (key: Values, asked: KeyContext, context: StrategyContext) => ReadonlyArray<Token> | null
  readonly shardsOf: (
    analysis: Analysis,
    asked: StatementContext,
    context: StrategyContext,
  ) => ReadonlyArray<Token> | null
}

/**
 * Each once, in the order in which they first came; null where one of them is null: then nothing can be told.
 */
export const known = <Token extends string>(tokens: ReadonlyArray<Token | null>): ReadonlyArray<Token> | null =>
  tokens.includes(null) ? null : [...new Set(tokens as ReadonlyArray<Token>)]
