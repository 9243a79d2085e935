/**
 * Updates of many rows by their primary keys.
 */
import {
  type ExecutionOptions,
  type KeyedChanges,
  type Mapped,
  type Mapping,
  missingValue,
  type RawKey,
  type Services,
  type UpdateRun,
  updateRowsOf,
} from '@unitary/core'
import { isLeft, right } from 'fp-ts/lib/Either.js'
import { type InvalidStatement, invalidStatement, type ModelMismatch, type StaleData } from '../error.js'
import { allOrNone } from '../program/all-or-none.js'
import { autoflush, type FlushError, unlessFailed } from '../program/flush.js'
import {
  ask,
  chain,
  fail,
  map,
  type Outcome,
  of,
  type Program,
  request,
  suspend,
  transition,
} from '../program/program.js'
import * as IdentityMap from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import { instanceAt, isExpired, type SessionState } from '../state/session-state.js'
import { checkModel } from '../transition/transition.js'
import { type KeyedRun, rowsUpdated, type UpdatedRows } from '../transition/updated-rows.js'

/** Why an update of many rows fails. @category errors */
export type UpdateManyError = FlushError | ModelMismatch

/**
 * Updates many rows, each found by its own primary key, past the unit of work, and gives the number of rows that it met.
 * Pending changes are flushed first; the rows are checked before that, and written all or none, a batch for those beside each
 * other that change the same attributes. What updates set by themselves (`withUpdateDefault`) is set.
 *
 * Of an entity with a version each row is to have the one that it gives, or else that of the instance that the session holds
 * (a row without either is refused), and gets the next: `StaleData` where someone else has changed it, and then nothing is
 * written. Instances that the session holds of the rows have the new values.
 *
 * @example
 * Session.updateMany(model.User, [{ id: 1, name: 'ed' }, { id: 2, name: 'wendy' }])
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/queryguide/dml.html#orm-bulk-update-by-primary-key
 * @category queries
 */
export const updateMany = <M, N extends string>(
  entity: Mapped<M, N>,
  rows: ReadonlyArray<KeyedChanges<M, N>>,
  options: ExecutionOptions = {},
): Program<UpdateManyError, number> =>
  unlessFailed((before): Program<UpdateManyError, number> => {
    const checked = checkModel(before, entity)
    if (isLeft(checked)) return fail(checked.left)
    const mapping = checked.right
    return chain((defaults: Values): Program<UpdateManyError, number> => {
      const runs = updateRowsOf(mapping, rows as unknown as ReadonlyArray<Values>, defaults)
      if (isLeft(runs)) return fail(refused(runs.left))
      if (runs.right.length === 0) return of(0)
      const flushed = options.autoflush === false ? of(undefined) : autoflush
      return chain(() => suspend((state) => versioned(state, mapping, runs.right, options)))(flushed)
    })(defaultsOf(mapping))
  })

type Values = Readonly<Record<string, unknown>>

const refused = (cause: Parameters<typeof invalidStatement>[1]): InvalidStatement =>
  invalidStatement('update of many rows', cause)

const defaultsOf = (mapping: Mapping): Program<UpdateManyError, Values> =>
  mapping.updateDefaults.length === 0
    ? of({})
    : map(
        (services: Services): Values =>
          Object.fromEntries(mapping.updateDefaults.map(({ column, name }) => [name, column.updateValue?.(services)])),
      )(ask({ _tag: 'Services' }))

const versioned = (
  state: SessionState,
  mapping: Mapping,
  runs: ReadonlyArray<UpdateRun>,
  options: ExecutionOptions,
): Program<UpdateManyError, number> => {
  const keyed: KeyedRun[] = []
  for (const run of runs) {
    const found = withVersions(state, mapping, run, options)
    if (typeof found === 'number') {
      return fail(refused(missingValue(mapping.name, mapping.version?.name ?? '', found)))
    }
    keyed.push(found)
  }
  const isOne = keyed.length === 1 && keyed[0]?.rows.length === 1
  const written = write(mapping, keyed, options)
  return isOne ? written : allOrNone(written)
}

/** The run with the versions that its rows are to have, and the next ones; the place of a row of which none is known. */
const withVersions = (
  state: SessionState,
  mapping: Mapping,
  run: UpdateRun,
  options: ExecutionOptions,
): KeyedRun | number => {
  const { serverVersion, version } = mapping
  if (version === null) return { ...run, where: mapping.key }
  const at = run.set.indexOf(version)
  const isCounted = serverVersion === null
  const set = run.set.filter((attribute) => attribute !== version)
  const rows: Array<ReadonlyArray<unknown>> = []
  const values: Values[] = []
  for (let i = 0; i < run.rows.length; i++) {
    const cells = run.rows[i] as ReadonlyArray<unknown>
    const given = run.values[i] as Values
    const known = given[version.name] ?? heldVersion(state, mapping, run.keys[i] as RawKey, options)
    if (known === undefined || known === null) return run.places[i] as number
    const encoded = version.encode(known)
    const own = at < 0 ? cells : cells.toSpliced(at, 1)
    const next = isCounted ? (known as number) + 1 : undefined
    rows.push([...own.slice(0, set.length), ...(isCounted ? [next] : []), ...own.slice(set.length), encoded])
    values.push({ ...given, [version.name]: next })
  }
  return {
    ...run,
    set: isCounted ? [...set, version] : set,
    where: [...mapping.key, version],
    rows,
    values,
  }
}

/** The version of the instance that the session holds of a row, where it is known. */
const heldVersion = (state: SessionState, mapping: Mapping, key: RawKey, { shard }: ExecutionOptions): unknown => {
  const held = IdentityMap.anywhere(state.identityMap, mapping, key).filter(
    ([token]) => shard === undefined || token === shard,
  )
  const [only] = held
  if (only === undefined || held.length > 1 || mapping.version === null) return undefined
  const instance = instanceAt(state, only[1])
  return isExpired(state, instance) ? undefined : Instance.committedAt(instance, mapping.version)
}

const write = (
  mapping: Mapping,
  runs: ReadonlyArray<KeyedRun>,
  options: ExecutionOptions,
): Program<UpdateManyError, number> =>
  chain((batches: ReadonlyArray<UpdatedRows>): Program<UpdateManyError, number> => {
    const counts = new Map<number, number>()
    for (const { matched } of batches) {
      for (const [place, count] of matched) counts.set(place, (counts.get(place) ?? 0) + count)
    }
    const stale = mapping.version === null ? null : staleIn(mapping, runs, counts, batches)
    if (stale !== null) return fail(stale)
    let met = 0
    for (const count of counts.values()) met += count
    return transition((state) => right([met, rowsUpdated(state, mapping, runs, batches)]))
  })(
    request(
      { _tag: 'UpdateRows', mapping, runs, options },
      (answer, state): Outcome<UpdateManyError, ReadonlyArray<UpdatedRows>> => [
        isLeft(answer) ? answer : right(answer.right.batches),
        state,
      ],
    ),
  )

const staleIn = (
  mapping: Mapping,
  runs: ReadonlyArray<KeyedRun>,
  counts: ReadonlyMap<number, number>,
  batches: ReadonlyArray<UpdatedRows>,
): StaleData | null => {
  for (const { keys, places } of runs) {
    const at = places.findIndex((place) => counts.get(place) !== 1)
    if (at < 0) continue
    const place = places[at] as number
    return {
      _tag: 'StaleData',
      entity: mapping.name,
      table: mapping.table,
      key: keys[at] as RawKey,
      matched: counts.get(place) ?? 0,
      shard: batches.find(({ matched }) => matched.has(place))?.token ?? null,
    }
  }
  return null
}
