/**
 * Entities as values of the program's own: instances of its classes, records of a library, opaque types. Two functions say how
 * a row becomes such a value, and how it becomes a row again; what is here is the work of a session in terms of these values.
 *
 * The session never changes a value, and never needs it to be changeable. It calls no constructor: `fromRow` does, where it
 * wants to. Whatever a session can do that is not here takes the snapshot of a value's instance (`snapshot`), and the snapshots
 * that it gives are shown as values again (`show`).
 *
 * @example
 * const users = Session.represent(model.User, {
 *   fromRow: ({ id, name }) => new User(id, name),
 *   toRow: (user) => ({ id: user.id, name: user.name }),
 * })
 *
 * const ed = yield* users.add(new User(undefined, 'ed'))
 * yield* pipe(ed, users.set((user) => user.renamed('edward')))
 * const found = yield* pipe(select(model.User), where('name', '=', 'edward'), users.query)
 */
import {
  type Draft,
  type InstanceId,
  type KeyOf,
  type Managed,
  type Mapped,
  type Mapping,
  type Pending,
  type Select,
  Snapshot,
} from '@unitary/core'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import { isNone, none, type Option, some } from 'fp-ts/lib/Option.js'
import type { Misrepresented, NotInSession } from '../error.js'
import type { GetError, ReadError } from '../load/error.js'
import { get } from '../load/get.js'
import { read } from '../load/refresh.js'
import { reloadExpired } from '../load/reload.js'
import { type MergeError, merge } from '../program/merge.js'
import { chain, fail, fromEither, map, of, type Program, suspend, traverseArray } from '../program/program.js'
import { type RemoveError, remove } from '../program/remove.js'
import { addAll, type Patch, set } from '../program/work.js'
import { type QueryError, query } from '../query/query.js'
import { type Instance, isPartialAs } from '../state/instance.js'
import { instanceAt, isExpired, type SessionState } from '../state/session-state.js'
import type { AddError } from '../transition/add.js'
import type { ChangeError } from '../transition/set.js'
import { resolve } from '../transition/transition.js'
import {
  changeOf,
  type Isomorphism,
  instanceFor,
  type RepresentedRow,
  rowOf,
  shownAs,
  valueFor,
} from './isomorphism.js'

type Values = Readonly<Record<string, unknown>>

/**
 * An entity whose instances a program sees as values `A`.
 *
 * @category model
 */
export interface Represented<M, N extends string, A extends object> extends Isomorphism<M, N, A> {
  readonly _tag: 'Represented'
  /** Adds an instance with the row of a value, which stands for it from then on. A value that is there already is left as it is. */
  readonly add: (value: A) => Program<AddError | Misrepresented, A>
  readonly addAll: (values: ReadonlyArray<A>) => Program<AddError | Misrepresented, ReadonlyArray<A>>
  readonly get: (key: KeyOf<M, N>) => Program<GetError | Misrepresented, Option<A>>
  /** The results of a query as values. What it loads beside them is in the session. */
  readonly query: (statement: Select<M, N>) => Program<QueryError | Misrepresented, ReadonlyArray<A>>
  /** The value that a value's instance has by now: the same one, if it has not changed. What is not known of it is loaded. */
  readonly read: (value: A) => Program<ReadError | Misrepresented, A>
  /** Sets what differs between a value and what `change` makes of it, and gives the value that stands for the instance now. */
  readonly set: (change: (value: A) => A) => (value: A) => Program<ChangeError | ReadError | Misrepresented, A>
  /** Merges the row of a value: what stands for its instance is another value then. */
  readonly merge: (value: A) => Program<MergeError | ReadError | Misrepresented, A>
  readonly remove: (value: A) => Program<RemoveError, undefined>
  /** The value of an instance that a program has a snapshot of, as one related to another. */
  readonly show: (snapshot: Snapshot<N>) => Program<ReadError | Misrepresented, A>
  /** The same for many, with one statement for all that have to be loaded. */
  readonly showAll: (snapshots: ReadonlyArray<Snapshot<N>>) => Program<ReadError | Misrepresented, ReadonlyArray<A>>
  /** The snapshot of a value's instance, for all else that a session does with one. */
  readonly snapshot: (value: A) => Program<NotInSession, Pending<M, N>>
}

/**
 * Represents an entity by values of the program's own. `fromRow` and `toRow` are each other's inverse, which
 * {@link representationFaults} tells of any row.
 *
 * @category constructors
 */
export const represent = <M, N extends string, A extends object>(
  entity: Mapped<M, N>,
  {
    fromRow,
    toRow,
  }: {
    readonly fromRow: (row: Managed<M, N>) => A
    readonly toRow: (value: A) => RepresentedRow<M, N>
  },
): Represented<M, N, A> => {
  const as: Isomorphism<M, N, A> = { entity, fromRow, toRow }
  const showAll = (snapshots: ReadonlyArray<Snapshot>) => shown(as, snapshots)
  const show = (snapshot: Snapshot) => map(firstOf<A>)(showAll([snapshot]))
  return {
    _tag: 'Represented',
    ...as,
    add: (value) => map(firstOf<A>)(added(as, [value])),
    addAll: (values) => added(as, values),
    get: (key) =>
      chain(
        (found: Option<Snapshot>): Program<ReadError | Misrepresented, Option<A>> =>
          isNone(found) ? of(none) : map((value: A) => some(value))(show(found.value)),
      )(get(entity, key) as Program<GetError, Option<Snapshot>>),
    query: (statement) => chain(showAll)(query(statement) as Program<QueryError, ReadonlyArray<Snapshot>>),
    read: (value) => chain((instance: Instance) => show(instance.snapshot))(standingFor(as, value)),
    set: (change) => (value) => changed(as, change, value),
    merge: (value) => merged(as, value),
    remove: (value) =>
      chain(({ snapshot }: Instance) => remove(entity)(snapshot as Snapshot<N>))(standingFor(as, value)),
    show,
    showAll,
    snapshot: (value) => map(({ snapshot }: Instance) => snapshot as unknown as Pending<M, N>)(standingFor(as, value)),
  }
}

const firstOf = <A>(values: ReadonlyArray<A>): A => values[0] as A

const standingFor = <M, N extends string, A extends object>(
  as: Isomorphism<M, N, A>,
  value: A,
): Program<NotInSession, Instance> => suspend((state) => fromEither(instanceFor(state, as, value)))

/** What `body` gives of the row of a value. */
const withRow = <M, N extends string, A extends object, E, B>(
  as: Isomorphism<M, N, A>,
  value: A,
  body: (row: RepresentedRow<M, N>) => Program<E, B>,
): Program<E | Misrepresented, B> => chain(body)(fromEither(rowOf(as, value)))

const shown = <M, N extends string, A extends object>(
  as: Isomorphism<M, N, A>,
  snapshots: ReadonlyArray<Snapshot>,
): Program<ReadError | Misrepresented, ReadonlyArray<A>> =>
  suspend((state): Program<ReadError | Misrepresented, ReadonlyArray<A>> => {
    const { entity } = as
    const ids: InstanceId[] = []
    for (const snapshot of snapshots) {
      const found = resolve(state, entity, snapshot as Snapshot<N>)
      if (isLeft(found)) return fail(found.left)
      ids.push(found.right.id)
    }
    const isUnknown = (current: SessionState, id: InstanceId): boolean => {
      const instance = instanceAt(current, id)
      return isExpired(current, instance) || (instance.status === 'persistent' && isPartialAs(instance, entity.mapping))
    }
    const values = suspend((current) => fromEither(valuesOf(current, as, ids)))
    if (!ids.some((id) => isUnknown(state, id))) return values
    // what is still not known has no row any more, as reading it says
    const complete = suspend((current) => {
      const missing = ids.filter((id) => isUnknown(current, id)).map((id) => instanceAt(current, id).snapshot)
      return traverseArray((snapshot: Snapshot) => read(entity)(snapshot as Snapshot<N>))(missing)
    })
    return chain(() => chain(() => values)(complete))(reloadExpired(entity.mapping, ids))
  })

const valuesOf = <M, N extends string, A extends object>(
  state: SessionState,
  as: Isomorphism<M, N, A>,
  ids: ReadonlyArray<InstanceId>,
): Either<Misrepresented, ReadonlyArray<A>> => {
  const values: A[] = []
  for (const id of ids) {
    const value = valueFor(state, as, id)
    if (isLeft(value)) return value
    values.push(value.right)
  }
  return right(values)
}

const added = <M, N extends string, A extends object>(
  as: Isomorphism<M, N, A>,
  values: ReadonlyArray<A>,
): Program<AddError | Misrepresented, ReadonlyArray<A>> =>
  suspend((state): Program<AddError | Misrepresented, ReadonlyArray<A>> => {
    const drafts = new Map<A, unknown>()
    for (const value of values) {
      const known = instanceFor(state, as, value)
      const given = isLeft(known) ? rowOf(as, value) : right(known.right.snapshot)
      if (isLeft(given)) return fail(given.left)
      drafts.set(value, given.right)
    }
    return chain((instances: ReadonlyArray<unknown>) =>
      suspend((current): Program<Misrepresented, ReadonlyArray<A>> => {
        const fault = [...drafts.keys()]
          .map((value, i) => shownAs(current, as, Snapshot.instanceOf(instances[i]) as InstanceId, value))
          .find(isLeft)
        return fault === undefined ? of(values) : fail(fault.left)
      }),
    )(addAll(as.entity, [...drafts.values()] as ReadonlyArray<Draft<M, NoInfer<N>>>))
  })

const changed = <M, N extends string, A extends object>(
  as: Isomorphism<M, N, A>,
  change: (value: A) => A,
  value: A,
): Program<ChangeError | ReadError | Misrepresented, A> =>
  chain((instance: Instance) => {
    const next = change(value)
    if (next === value) return of(value)
    return withRow(as, value, (before) =>
      withRow(as, next, (after): Program<ChangeError | ReadError | Misrepresented, A> => {
        const patch = changeOf(instance.mapping)(before as Values, after as Values)
        return chain(() =>
          suspend((state): Program<ReadError | Misrepresented, A> => {
            const { snapshot } = instanceAt(state, instance.id)
            // it may have been changed since the value was shown, and a hook may have accepted another
            return agrees(instance.mapping, snapshot, after as Values)
              ? fromEither(shownAs(state, as, instance.id, next))
              : map(firstOf<A>)(shown(as, [snapshot]))
          }),
        )(set(as.entity, patch as Patch<M, N>)(instance.snapshot as Snapshot<N>))
      }),
    )
  })(standingFor(as, value))

/** Has an instance what a row says, as far as both are known? */
const agrees = ({ attributes }: Mapping, snapshot: Snapshot, row: Values): boolean => {
  const known = attributes.filter(({ name }) => (snapshot as unknown as Values)[name] !== undefined)
  return Object.keys(changeOf({ attributes: known })(snapshot as unknown as Values, row)).length === 0
}

const merged = <M, N extends string, A extends object>(
  as: Isomorphism<M, N, A>,
  value: A,
): Program<MergeError | ReadError | Misrepresented, A> =>
  withRow(as, value, (row) =>
    chain((target: unknown) =>
      suspend((state): Program<ReadError | Misrepresented, A> => {
        const id = Snapshot.instanceOf(target) as InstanceId
        // what has no row yet is what the value says
        return instanceAt(state, id).status === 'pending' && isLeft(instanceFor(state, as, value))
          ? fromEither(shownAs(state, as, id, value))
          : map(firstOf<A>)(shown(as, [target as Snapshot]))
      }),
    )(merge(as.entity, row as Draft<M, NoInfer<N>>)),
  )
