/**
 * The types of hooks: what each is given, and what it may answer.
 */
import type {
  AnyDelete,
  AnyInsert,
  AnySelect,
  AnyUpdate,
  Delete,
  Entities,
  EntityOf,
  ExtensionAttribute,
  Insert,
  Model,
  RowOf,
  Select,
  Services,
  Snapshot,
  TargetOf,
  Update,
  WritableCollection,
  WritableReference,
} from '@unitary/core'
import type { Option } from 'fp-ts/lib/Option.js'
import type { Flushed } from '../flushed/applied.js'
import type { ShardToken } from '../state/identity-map.js'
import type { Known } from '../state/known.js'
import type { Frame, SessionState } from '../state/session-state.js'
import type { FlushPlan } from '../unit-of-work/step.js'
import type { Kept, Reaction, Verdict } from './verdict.js'

/** What every hook is given. @category model */
export interface HookContext {
  /** The state before the change; after what happened, for `load` and hooks whose names begin with `after`. */
  readonly state: SessionState
  /** The clock, chance and ids of this step. */
  readonly services: Services
}

/** What a hook on an attribute or relationship is given. @category model */
export interface ChangeContext<M, N extends string, K extends string> extends HookContext {
  /** The instance as it is before the change; of a draft, as it was given. */
  readonly instance: Known<M, N>
  readonly attribute: K
  /** Is it a side of a relationship that follows the other one? What is related is decided there then. */
  readonly follows: boolean
}

/** What a `set` hook is given: of an attribute, or of a reference. @category model */
export interface SetContext<M, N extends string, K extends string, V> extends ChangeContext<M, N, K> {
  readonly value: V
  /** The value before, where the session knows it. A draft has none. */
  readonly before: Option<V>
}

/** What `append` and `remove` hooks are given: one member of a collection. @category model */
export interface MemberContext<M, N extends string, K extends string> extends ChangeContext<M, N, K> {
  readonly value: Known<M, TargetOf<M, N, K>>
}

/** What a `replace` hook is given: a collection as a whole. @category model */
export interface ReplaceContext<M, N extends string, K extends string> extends ChangeContext<M, N, K> {
  /** The members to be. */
  readonly value: ReadonlyArray<Known<M, TargetOf<M, N, K>>>
  /** The members before, where the collection is loaded. A draft has none. */
  readonly before: Option<ReadonlyArray<Known<M, TargetOf<M, N, K>>>>
}

/** What a `load` hook is given. @category model */
export interface LoadContext<M, N extends string> extends HookContext {
  readonly instance: Known<M, N>
  /** Was the instance in the session already, and is known again? */
  readonly isRefresh: boolean
  /** The shard that its row came from; null where there is one database only. */
  readonly shard: ShardToken | null
}

/**
 * Why a statement runs. `query`: a query of the application's. `load`: the targets of a relationship. `get`: an instance by
 * its key. `bulk`: an update or delete by criteria.
 *
 * @category model
 */
export type ExecutePurpose = 'query' | 'load' | 'get' | 'bulk'

/** What a `beforeExecute` hook is given. @category model */
export interface ExecuteContext<S> extends HookContext {
  readonly statement: S
  readonly purpose: ExecutePurpose
  /** The relationship that is loaded, and the entity that has it; null for other purposes. */
  readonly relationship: { readonly entity: string; readonly name: string } | null
}

/** What a `beforeInsert` hook is given. @category model */
export interface InsertContext<S> extends HookContext {
  /** As it was written: its defaults are not filled in. */
  readonly statement: S
}

/** What an `afterFlush` hook is given. @category model */
export interface FlushedContext extends HookContext {
  /** The plan as it ran, each step with its shard. */
  readonly plan: FlushPlan
  readonly flushed: Flushed
}

/** What `afterCommit` and `afterRollback` hooks are given. @category model */
export interface EndedContext extends HookContext {
  /** What was ended: the transaction, or a savepoint in it. */
  readonly frame: Frame['kind']
}

/** An entity without collections has no hooks on them: an object type without properties would take any. */
type OnCollections<M, N extends string, Hooks> = [WritableCollection<M, N>] extends [never]
  ? Readonly<Record<string, never>>
  : Hooks

/**
 * The hooks of one entity.
 *
 * @category model
 */
export interface HooksOf<M, N extends string> {
  /** An instance came by a row for the first time, or is known again. */
  readonly load?: (context: LoadContext<M, N>) => Reaction
  /** An attribute is set, or a reference; by drafts and merges too. */
  readonly set?: {
    readonly [K in Exclude<keyof RowOf<M, N> & string, ExtensionAttribute<EntityOf<M, N>>>]?: (
      context: SetContext<M, N, K, RowOf<M, N>[K]>,
    ) => Verdict<RowOf<M, N>[K]>
  } & {
    readonly [K in WritableReference<M, N>]?: (
      context: SetContext<M, N, K, Known<M, TargetOf<M, N, K>> | null>,
    ) => Verdict<Snapshot<TargetOf<M, N, K>> | null>
  }
  /** A member joins a collection. */
  readonly append?: OnCollections<
    M,
    N,
    {
      readonly [K in WritableCollection<M, N>]?: (
        context: MemberContext<M, N, K>,
      ) => Verdict<Snapshot<TargetOf<M, N, K>>>
    }
  >
  /** A member leaves a collection. */
  readonly remove?: OnCollections<
    M,
    N,
    { readonly [K in WritableCollection<M, N>]?: (context: MemberContext<M, N, K>) => Reaction }
  >
  /** A collection is given as a whole, before `append` and `remove` are asked about its members. */
  readonly replace?: OnCollections<
    M,
    N,
    {
      readonly [K in WritableCollection<M, N>]?: (
        context: ReplaceContext<M, N, K>,
      ) => Verdict<ReadonlyArray<Snapshot<TargetOf<M, N, K>>>>
    }
  >
  /** A statement on the entity is about to run. A select stays a select; an update may become a delete, and back. */
  readonly beforeExecute?: (
    context: ExecuteContext<Select<M, N> | Update<M, N> | Delete<M, N>>,
  ) => Verdict<Select<M, N> | Update<M, N> | Delete<M, N>>
  /** An insert past the unit of work is about to run, or an upsert. What a flush inserts is `set`'s and `beforeFlush`'s. */
  readonly beforeInsert?: (context: InsertContext<Insert<M, N>>) => Verdict<Insert<M, N>>
}

/** Hooks for entities of a model, by their names. @category model */
export type EntityHooks<M> =
  M extends Model<infer Es extends Entities, infer Rs>
    ? { readonly [N in keyof Es & string]?: HooksOf<Model<Es, Rs>, N> }
    : never

/** Hooks of the whole session. @category model */
export interface SessionHooks {
  /** There is work, and a flush is about to be planned. */
  readonly beforeFlush?: (context: HookContext) => Reaction
  /** A flush has been written, and its results are in the state. */
  readonly afterFlush?: (context: FlushedContext) => Reaction
  /** A transaction was committed, or a savepoint released. */
  readonly afterCommit?: (context: EndedContext) => Kept<never>
  /** A transaction was rolled back by the program, or a savepoint. */
  readonly afterRollback?: (context: EndedContext) => Kept<never>
  /** A statement on any entity is about to run; asked after the entity's own hook. */
  readonly beforeExecute?: (
    context: ExecuteContext<AnySelect | AnyUpdate | AnyDelete>,
  ) => Verdict<AnySelect | AnyUpdate | AnyDelete>
  /** An insert past the unit of work is about to run, of any entity; asked after the entity's own hook. */
  readonly beforeInsert?: (context: InsertContext<AnyInsert>) => Verdict<AnyInsert>
}
