/**
 * A flush plan: what a flush will write, as data, before any of it is written.
 *
 * A step is one table, one kind of write and one shape, for any number of rows. A plan is made without a connection, so it
 * can hold keys that do not exist yet: a column whose source is `key` holds, in each row, the number of an instance, and
 * stands for the key that this instance will have been given by then.
 */
import type { Attribute, ColumnKind, InstanceId, Mapping, Returned, SqlDefault } from '@unitary/core'
import type { ShardToken } from '../state/identity-map.js'

/**
 * Where the cells of a column come from. `literal`: they are the values, encoded for the database. `key`: they are instance
 * ids, each standing for that instance's value of the attribute `of`.
 *
 * @category model
 */
export type Source = { readonly _tag: 'Literal' } | { readonly _tag: 'Key'; readonly of: string }

/** @category model */
export interface PlanColumn {
  readonly attribute: string
  readonly column: string
  readonly source: Source
  /** The entity that the column's values refer to, where it is part of a foreign key. */
  readonly refersTo?: string
}

/**
 * A column whose values the database gives, and gives back with the rows that it writes: a generated key, a default of the
 * table or of the statement, or a version.
 *
 * @category model
 */
export interface ReturnedColumn {
  readonly gives: 'key' | 'default' | 'version'
  readonly attribute: string
  readonly column: string
  readonly kind: ColumnKind
}

interface StepBase {
  /** Its place in the plan. */
  readonly id: number
  readonly entity: string
  readonly table: string
  /** The shard that it is for; null before routing, and in a session over one database. */
  readonly token: ShardToken | null
  /** Does it repeat on another shard what an earlier step writes, of rows that are on every shard? */
  readonly isCopy?: true
  /** The instances whose rows these are, in the order of `rows`. */
  readonly instances: ReadonlyArray<InstanceId>
  /** Steps that have to be done before this one. */
  readonly after: ReadonlyArray<number>
}

/** @category model */
export interface InsertStep extends StepBase {
  readonly _tag: 'Insert'
  readonly columns: ReadonlyArray<PlanColumn>
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
  /** Columns beside those of the rows, which the database computes; absent where there are none. */
  readonly computed?: ReadonlyArray<SqlDefault>
  /** The columns of the table's primary key. */
  readonly key: ReadonlyArray<string>
  /** What the database gives each row, and the INSERT gives back. */
  readonly returning: ReadonlyArray<ReturnedColumn>
}

/** Rows are the values of `set`, then those of `where`. @category model */
export interface UpdateStep extends StepBase {
  readonly _tag: 'Update'
  readonly set: ReadonlyArray<PlanColumn>
  readonly where: ReadonlyArray<PlanColumn>
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
  /** Columns that are set beside those of `set`, to what the database computes; absent where there are none. */
  readonly computed?: ReadonlyArray<SqlDefault>
  /** What the database gives each row, and the UPDATE gives back. */
  readonly returning: ReadonlyArray<ReturnedColumn>
}

/**
 * Rows that give up unique values for the time being, so that others can take them: an UPDATE of its own, to NULL or to
 * values that no row is likely to have. Later steps write what the rows hold in the end, or delete them. Rows are the
 * values of `set`, then those of `where`.
 *
 * @example
 * // users that swap their seats
 * // 1. vacate in users (1 row)
 * //      #1: seat = null where id = 2
 * // 2. update users (1 row), after 1
 * //      #0: seat = 2 where id = 1
 * // 3. update users (1 row), after 2
 * //      #1: seat = 1 where id = 2
 *
 * @category model
 */
export interface VacateStep extends StepBase {
  readonly _tag: 'Vacate'
  readonly set: ReadonlyArray<PlanColumn>
  /** The key, and after it a version that the database changes with this write: no later step can check it. */
  readonly where: ReadonlyArray<PlanColumn>
  /** The attribute of that version, the last of `where`; null where `where` is the key alone. */
  readonly version: string | null
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
}

/** @category model */
export interface DeleteStep extends StepBase {
  readonly _tag: 'Delete'
  readonly where: ReadonlyArray<PlanColumn>
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
}

/** Rows of a table of links, which stand for no instance: `instances` are the owners. @category model */
export interface LinkStep extends StepBase {
  readonly _tag: 'Link'
  readonly relationship: string
  readonly columns: ReadonlyArray<PlanColumn>
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
}

/** Links that go. @category model */
export interface UnlinkStep extends StepBase {
  readonly _tag: 'Unlink'
  readonly relationship: string
  readonly where: ReadonlyArray<PlanColumn>
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
}

/** @category model */
export type Step = InsertStep | UpdateStep | VacateStep | DeleteStep | LinkStep | UnlinkStep

/**
 * Something a plan, or a flush that ran it, noticed that is no error.
 *
 * @category model
 */
export type PlanNotice =
  /** A deleted row was gone already. */
  | { readonly _tag: 'AlreadyGone'; readonly entity: string; readonly key: unknown; readonly shard: ShardToken | null }
  /** An instance refers to one that is not in the unit of work; the reference was not written. */
  | {
      readonly _tag: 'NotInUnitOfWork'
      readonly entity: string
      readonly relationship: string
      readonly target: string
    }

/**
 * A transaction over several shards is committed, and these have yet to learn it: what they are to have is stored there, and
 * `recover` of the shard package finishes it.
 *
 * @category model
 */
export interface CommittedPending {
  readonly _tag: 'CommittedPending'
  readonly transaction: string
  readonly shards: ReadonlyArray<ShardToken>
}

/**
 * Something a flush or commit noticed that is no error.
 *
 * @category model
 */
export type Notice = PlanNotice | CommittedPending

/**
 * @category model
 */
export interface FlushPlan {
  readonly _tag: 'FlushPlan'
  /** In an order in which they can run one after another. */
  readonly steps: ReadonlyArray<Step>
  readonly notices: ReadonlyArray<PlanNotice>
  /** Pending instances that turned out to be orphans and are not inserted. */
  readonly orphans: ReadonlyArray<InstanceId>
  /** Pending instances that take over the row of one that is deleted, and that one: the row is updated. */
  readonly switches: ReadonlyArray<RowSwitch>
  /** Instances whose foreign keys the database changes along with the key that they refer to. */
  readonly carried: ReadonlyArray<CarriedKey>
  /** What was drawn from generators to make it; absent where nothing was. */
  readonly draws?: ReadonlyArray<DrawnIds>
}

/** Ids of a generator that rows of a plan have. @category model */
export interface DrawnIds {
  readonly generator: string
  readonly count: number
}

/** @category model */
export interface RowSwitch {
  readonly inserted: InstanceId
  readonly deleted: InstanceId
}

/** @category model */
export interface CarriedKey {
  readonly instance: InstanceId
  readonly target: InstanceId
  /** The attribute of the foreign key, and the key's attribute whose value it takes. */
  readonly attributes: ReadonlyArray<readonly [foreignKey: string, key: string]>
}

/** @category constructors */
export const emptyPlan: FlushPlan = {
  _tag: 'FlushPlan',
  steps: [],
  notices: [],
  orphans: [],
  switches: [],
  carried: [],
}

/**
 * What running a step gave: how many rows each row of an update or delete matched, and the values of each column that it
 * returns, in the order of its rows (undefined where one could not be told).
 *
 * @category model
 */
export type StepResult =
  | { readonly _tag: 'Inserted'; readonly returned: Returned }
  | { readonly _tag: 'Matched'; readonly counts: ReadonlyArray<number>; readonly returned: Returned }

/**
 * The place of the generated key among what a step returns; -1 where it returns none.
 *
 * @example
 * const keys = returned[returnedKey(step)]
 *
 * @category combinators
 */
export const returnedKey = (step: Step): number =>
  step._tag === 'Insert' ? step.returning.findIndex(({ gives }) => gives === 'key') : -1

/** The columns of a step, in the order of its cells. @category combinators */
export const columnsOf = (step: Step): ReadonlyArray<PlanColumn> => {
  switch (step._tag) {
    case 'Insert':
    case 'Link':
      return step.columns
    case 'Update':
    case 'Vacate':
      return [...step.set, ...step.where]
    case 'Delete':
    case 'Unlink':
      return step.where
  }
}

/**
 * Has a step not found a row that it had to find? Then a flush ends with it: the row has not given up what others are to
 * take.
 *
 * @example
 * isStale(step, { _tag: 'Matched', counts: [1, 0], returned: [] }) // true for an Update
 *
 * @category guards
 */
export const isStale = (step: Step, result: StepResult): boolean => {
  if (result._tag !== 'Matched') return false
  if (step._tag === 'Vacate') return step.version !== null && result.counts.includes(0)
  return step._tag === 'Update' && result.counts.some((count) => count !== 1)
}

/** A column that a step gives back, and as what. @category constructors */
export const returnedColumn = (mapping: Mapping, attribute: Attribute): ReturnedColumn => ({
  gives: attribute === mapping.generatedKey ? 'key' : attribute === mapping.version ? 'version' : 'default',
  attribute: attribute.name,
  column: attribute.columnName,
  kind: attribute.column.kind,
})

/** The part of a step that says what the database computes; absent where that is nothing. @category constructors */
export const computing = (computed: ReadonlyArray<SqlDefault>): { readonly computed?: ReadonlyArray<SqlDefault> } =>
  computed.length === 0 ? {} : { computed }
