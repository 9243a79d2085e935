/**
 * Choosers: the three pure questions that decide where rows live and where they are looked for, as in SQLAlchemy's
 * horizontal sharding: the shard of a new row, the shards that could have a key, the shards that a statement concerns.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/extensions/horizontal_shard.html
 */
import type { Analysis, ExecutionOptions, Filterable } from '@unitary/core'
import type { SessionState } from '@unitary/session'

/** Attributes by name. */
export type Values = Readonly<Record<string, unknown>>

/**
 * An instance as choosers see it.
 *
 * @category model
 */
export interface InstanceView {
  readonly entity: string
  /** What is to be done with its row. */
  readonly operation: 'insert' | 'update'
  /**
   * What is known of its attributes, changes included; undefined where one is not known, has expired or is not given
   * yet.
   */
  readonly values: Values
  /** The shard that it lives on, or will, once that is decided; null where nothing tells. */
  readonly shard: string | null
  /** What a relationship to one refers to; null where it refers to none, and where that is not known. */
  readonly related: (relationship: string) => InstanceView | null
  /** The options that the session's statements run with. */
  readonly options: ExecutionOptions
  readonly state: SessionState
}

/**
 * What a lookup by key is for.
 *
 * @category model
 */
export interface KeyContext {
  readonly operation: 'get' | 'load' | 'refresh'
  /** Of a load, the relationship whose targets are looked for; null where that is not known. */
  readonly loading: { readonly entity: string; readonly relationship: string } | null
  readonly options: ExecutionOptions
  readonly state: SessionState
}

/**
 * What a statement is.
 *
 * @category model
 */
export interface StatementContext {
  readonly operation: 'query' | 'bulk update' | 'bulk delete'
  readonly entity: string
  readonly statement: Filterable
  readonly options: ExecutionOptions
  readonly state: SessionState
}

/**
 * The attribute, or the relationship, that decides the shard of an entity's rows; or that they are on every shard, by no name.
 *
 * @category model
 */
export interface Basis {
  readonly kind: 'attribute' | 'relationship' | 'everywhere'
  readonly name: string
  /** What decides beside it. */
  readonly besides?: ReadonlyArray<Basis>
}

/**
 * The choosers of a session. All of them are pure: the same question has the same answer.
 *
 * Written by hand they are a record of three functions; `choosers` puts one together from ready-made strategies.
 *
 * @example
 * const byRegion: Choosers<'asia' | 'europe'> = {
 *   shardOf: ({ values }) => (values['region'] === 'asia' ? 'asia' : 'europe'),
 *   shardsOfKey: () => null,
 *   shardsOf: () => null,
 * }
 *
 * @category model
 */
export interface Choosers<out Token extends string = string> {
  /**
   * The shard for the row of a new instance; null where nothing tells, which fails the flush. It is asked again when an
   * instance changes, and a changed answer fails the flush too: rows do not move by themselves.
   */
  readonly shardOf: (instance: InstanceView) => Token | null
  /** The shards that could have a key, given by attribute; null for all of them. */
  readonly shardsOfKey: (entity: string, key: Values, context: KeyContext) => ReadonlyArray<Token> | null
  /** The shards that could have rows for a statement, in the order of their answers; null for all of them. */
  readonly shardsOf: (analysis: Analysis, context: StatementContext) => ReadonlyArray<Token> | null
  /** What decides, for error messages and for bulk updates, which must not change it. Null where it cannot be said. */
  readonly basisOf?: (entity: string) => Basis | null
}
