/**
 * Rows as values of the program's own: the two functions that lead from one to the other, and which value stands for which
 * instance of a session.
 *
 * A session's own state stays made of snapshots. Beside it, each session remembers the value that it has shown for a snapshot,
 * and the instance that a value stands for: so an instance that has not changed is shown by the very same value, and a value
 * leads back to its instance though it knows nothing of sessions.
 */
import {
  type Attribute,
  type Draft,
  type InstanceId,
  isKindOf,
  type Managed,
  type Mapped,
  noInstance,
  type RelationshipName,
  type RowOf,
  rowClassOf,
  type Snapshot,
  withDescendants,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { Misrepresented, NotInSession } from '../error.js'
import type { Instance } from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import { isSame } from '../transition/set.js'

/** What a value of the program's own gives of a row: what a draft gives, less related drafts. @category model */
export type RepresentedRow<M, N extends string> = Omit<Draft<M, N>, RelationshipName<M, N>>

/**
 * From a row to a value, and back: `toRow(fromRow(row))` is the row again, but for what expressions compute. Neither is to
 * change what it is given, or to give one object for two rows.
 *
 * @category model
 */
export interface Isomorphism<M, N extends string, A extends object> {
  readonly entity: Mapped<M, N>
  readonly fromRow: (row: Managed<M, N>) => A
  readonly toRow: (value: A) => RepresentedRow<M, N>
}

type Values = Readonly<Record<string, unknown>>

/** What one session has shown by one representation. Nobody else sees it. */
interface Memo {
  readonly values: WeakMap<Snapshot, object>
  readonly instances: WeakMap<object, InstanceId>
}

const memoOf = ({ memo }: SessionState, key: object): Memo => {
  const known = memo.get(key)
  if (known !== undefined) return known as Memo
  const made: Memo = { values: new WeakMap(), instances: new WeakMap() }
  memo.set(key, made)
  return made
}

/**
 * The instance that a value stands for.
 *
 * @category combinators
 */
export const instanceFor = <M, N extends string, A extends object>(
  state: SessionState,
  { entity, fromRow }: Isomorphism<M, N, A>,
  value: A,
): Either<NotInSession, Instance> => {
  const id = isObject(value) ? memoOf(state, fromRow).instances.get(value) : undefined
  const instance = id === undefined ? undefined : IntMap.get(state.instances, id)
  return instance === undefined || !isKindOf(instance.mapping, entity.mapping)
    ? left({ _tag: 'NotInSession', entity: entity.name })
    : right(instance)
}

/**
 * The value of an instance as it is now: the same one as long as the instance does not change.
 *
 * @category combinators
 */
export const valueFor = <M, N extends string, A extends object>(
  state: SessionState,
  of: Isomorphism<M, N, A>,
  id: InstanceId,
): Either<Misrepresented, A> => {
  const { snapshot } = instanceAt(state, id)
  const known = memoOf(state, of.fromRow).values.get(snapshot)
  if (known !== undefined) return right(known as A)
  const value = attempt(of, 'fromRow', () => of.fromRow(snapshot as never))
  return isLeft(value) ? value : shownAs(state, of, id, value.right)
}

/**
 * Shows an instance by a value from now on, until it changes.
 *
 * @category combinators
 */
export const shownAs = <M, N extends string, A extends object>(
  state: SessionState,
  { entity, fromRow }: Isomorphism<M, N, A>,
  id: InstanceId,
  value: A,
): Either<Misrepresented, A> => {
  const { instances, values } = memoOf(state, fromRow)
  const other = instances.get(value)
  if (other !== undefined && other !== id) {
    const problem = 'the object that it gave stands for another instance already'
    return left({ _tag: 'Misrepresented', entity: entity.name, step: 'fromRow', problem, cause: null })
  }
  instances.set(value, id)
  values.set(instanceAt(state, id).snapshot, value)
  return right(value)
}

/** The row of a value, less what expressions compute, which nobody gives. @category combinators */
export const rowOf = <M, N extends string, A extends object>(
  of: Isomorphism<M, N, A>,
  value: A,
): Either<Misrepresented, RepresentedRow<M, N>> => {
  const row = attempt(of, 'toRow', () => of.toRow(value))
  const computed = withDescendants(of.entity.mapping).flatMap(({ expressions }) => expressions)
  if (isLeft(row) || !computed.some(({ name }) => name in row.right)) return row
  const names = new Set(computed.map(({ name }) => name))
  return right(Object.fromEntries(Object.entries(row.right).filter(([name]) => !names.has(name))) as typeof row.right)
}

/** What differs from one row to another. @category combinators */
export const changeOf =
  ({ attributes }: { readonly attributes: ReadonlyArray<Attribute> }) =>
  (before: Values, after: Values): Values => {
    const changes: Record<string, unknown> = {}
    for (const attribute of attributes) {
      const value = after[attribute.name]
      if (value === undefined || isSameValue(attribute, before[attribute.name], value)) continue
      changes[attribute.name] = value
    }
    return changes
  }

/** What a codec cannot encode is refused where it is set. */
const isSameValue = (attribute: Attribute, a: unknown, b: unknown): boolean => {
  if (a === undefined) return false
  const { codec } = attribute.column
  return codec.is(a) && codec.is(b) ? isSame(attribute, a, b) : Object.is(a, b)
}

const attempt = <M, N extends string, A extends object, B extends object>(
  { entity }: Isomorphism<M, N, A>,
  step: Misrepresented['step'],
  run: () => B,
): Either<Misrepresented, B> => {
  try {
    const made = run()
    if (isObject(made)) return right(made)
    const problem = `it gave ${made === null ? 'null' : typeof made}, which is no object`
    return left({ _tag: 'Misrepresented', entity: entity.name, step, problem, cause: null })
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause)
    return left({ _tag: 'Misrepresented', entity: entity.name, step, problem, cause })
  }
}

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

/**
 * What is wrong with a representation, as far as one row shows it; empty where its laws hold. For properties over any rows.
 *
 * - `toRow(fromRow(row))` has the row's values.
 * - It is the same for the value that comes of that row again.
 * - Two values of one row are two objects.
 *
 * @example
 * fc.assert(fc.property(anyRow, (row) => representationFaults(users)(row).length === 0))
 *
 * @category guards
 */
export const representationFaults =
  <M, N extends string, A extends object>(of: Isomorphism<M, N, A>) =>
  (row: Partial<RowOf<M, N>>): ReadonlyArray<string> => {
    const { mapping } = of.entity
    const stored = mapping.attributes.filter(({ isStored }) => isStored)
    const there = (values: Values): ReturnType<typeof roundTrip<M, N, A>> =>
      roundTrip(of, rowClassOf(mapping).make(noInstance, values))
    const once = there(row)
    if (isLeft(once)) return [once.left.problem]
    const lost = stored
      .filter((attribute) => {
        const value = (row as Values)[attribute.name]
        return value !== undefined && !isSameValue(attribute, once.right.row[attribute.name], value)
      })
      .map(({ name }) => `toRow(fromRow(row)) has another value for '${name}'`)
    const again = there(once.right.row)
    if (isLeft(again)) return [...lost, again.left.problem]
    const unsettled = Object.keys(changeOf({ attributes: stored })(once.right.row, again.right.row))
    return [
      ...lost,
      ...unsettled.map((name) => `'${name}' changes with each way there and back`),
      ...(once.right.value === again.right.value ? ['fromRow gives one object for two rows'] : []),
    ]
  }

const roundTrip = <M, N extends string, A extends object>(
  of: Isomorphism<M, N, A>,
  row: Snapshot,
): Either<Misrepresented, { readonly value: A; readonly row: Values }> => {
  const value = attempt(of, 'fromRow', () => of.fromRow(row as never))
  if (isLeft(value)) return value
  const back = rowOf(of, value.right)
  return isLeft(back) ? back : right({ value: value.right, row: back.right as Values })
}
