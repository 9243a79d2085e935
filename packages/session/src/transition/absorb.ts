/**
 * Taking rows into the state.
 *
 * A row becomes an instance, or meets the one that stands for it. What the session knows already is not overwritten
 * (pending changes least of all) unless that is asked for; what had expired is known again.
 */
import type {
  Attribute,
  Dialect,
  DriverRow,
  InstanceId,
  Mapping,
  RawKey,
  ReadMode,
  RowColumns,
  RowReader,
  Snapshot,
} from '@unitary/core'
import { DecodeFault, rawKeyOf, rowClassOf, rowReaderOf } from '@unitary/core'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { DecodeError } from '../error.js'
import type { ShardToken } from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import type { SessionState, StateEdit } from '../state/session-state.js'

/**
 * Rows of one entity from one database, by attribute names.
 *
 * @category model
 */
export interface Rows {
  readonly dialect: Dialect
  readonly token: ShardToken | null
  readonly rows: ReadonlyArray<DriverRow>
}

/** @category model */
export interface AbsorbOptions {
  /** Overwrite what is known, pending changes included. */
  readonly populateExisting: boolean
  readonly mode: ReadMode
  /** Where the rows have the attributes, if not under their names or not all of them. */
  readonly columns: RowColumns | null
  /** Where instances are noted that a row has made known: is it known again? */
  readonly arrived: Map<InstanceId, boolean> | null
}

/**
 * The instances of the rows, in their order. O(rows).
 *
 * @category transitions
 */
export const absorb = (
  state: SessionState,
  edit: StateEdit,
  mapping: Mapping,
  from: Rows,
  options: AbsorbOptions,
): Either<DecodeError, ReadonlyArray<InstanceId>> => {
  const { rows, token } = from
  const { columns } = options
  const read = rowReaderOf(mapping, from.dialect, options.mode, columns)
  const keyName = plainKeyName(mapping, from.dialect, columns)
  const partial = isPartial(mapping, columns)
  const ids = new Array<InstanceId>(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as DriverRow
    // the key as the driver gives it, where that is the raw key already: what is known need not be decoded again
    const plainKey = keyName === null ? null : row[keyName]
    if (typeof plainKey === 'number' || typeof plainKey === 'string') {
      const known = edit.identityMap.get(mapping, token, plainKey)
      if (known !== undefined && isCurrent(state, edit, known, options)) {
        ids[i] = known
        continue
      }
    }
    const id = edit.nextInstance
    const snapshot = read(row, id)
    if (snapshot instanceof DecodeFault) return left(decodeError(mapping, from.dialect, row, snapshot, token, columns))
    const key = rawKeyOf(mapping, snapshot as never) as RawKey
    const known = edit.identityMap.get(mapping, token, key)
    if (known === undefined) {
      edit.nextInstance = id + 1
      const made = Instance.make(id, mapping, 'persistent', key, token, snapshot, state.epoch, null, 0)
      edit.instances.set(id, partial ? { ...made, partial } : made)
      edit.identityMap.set(mapping, token, key, id)
      options.arrived?.set(id, false)
      ids[i] = id
    } else {
      if (!isCurrent(state, edit, known, options)) renew(state, edit, known, row, read, options)
      ids[i] = known
    }
  }
  return right(ids)
}

/** The key's attribute, where the driver gives its raw form. */
const plainKeyName = (mapping: Mapping, dialect: Dialect, columns: RowColumns | null): string | null => {
  const [only, another] = mapping.key
  return only !== undefined &&
    another === undefined &&
    only.encode === t.identity &&
    (only.column.kind === 'integer' || only.column.kind === 'text') &&
    dialect.fromDriver(only.column.kind) === null
    ? (columns?.[only.position] ?? only.name)
    : null
}

/** Does a query leave out what an instance should have? */
const isPartial = (mapping: Mapping, columns: RowColumns | null): boolean =>
  columns !== null && mapping.attributes.some(({ isDeferred, position }) => !isDeferred && columns[position] === null)

/** Does the session know all that the rows could tell of an instance? */
const isCurrent = (state: SessionState, edit: StateEdit, id: InstanceId, options: AbsorbOptions): boolean => {
  const instance = edit.instances.get(id) as Instance.Instance
  if (instance.epoch !== state.epoch || instance.unset !== null || options.populateExisting) return false
  const { columns } = options
  if (columns === null) return !instance.partial
  return instance.mapping.attributes.every(
    (attribute) => columns[attribute.position] === null || Instance.valueAt(instance, attribute) !== undefined,
  )
}

/** Makes known again what had expired, or all of it. The row has been read once already, so it decodes. */
const renew = (
  state: SessionState,
  edit: StateEdit,
  id: InstanceId,
  row: DriverRow,
  read: RowReader,
  options: AbsorbOptions,
): void => {
  const instance = edit.instances.get(id) as Instance.Instance
  const snapshot = read(row, id) as Snapshot
  const isWhole = options.populateExisting || instance.epoch < state.epoch
  if (options.arrived?.has(id) === false) options.arrived.set(id, true)
  if (isWhole) edit.changed.delete(id)
  const { mapping } = instance
  const known = isWhole
    ? snapshot
    : rowClassOf(mapping).patch(snapshot, id, instance.snapshot as unknown as Record<string, unknown>)
  edit.instances.set(id, {
    ...instance,
    snapshot: known,
    epoch: state.epoch,
    partial: options.columns !== null && isIncomplete(mapping, known),
    unset: null,
    committed: isWhole ? null : instance.committed,
    // the flush that deletes a row needs to know what refers to it
    related: isWhole && edit.deleted.get(id) === undefined ? null : instance.related,
  })
}

const isIncomplete = ({ attributes }: Mapping, snapshot: Snapshot): boolean =>
  attributes.some(
    ({ isDeferred, name }: Attribute) =>
      !isDeferred && (snapshot as unknown as Readonly<Record<string, unknown>>)[name] === undefined,
  )

/**
 * The error of a row that does not decode. Its key is the program's where that decodes.
 *
 * @category constructors
 */
export const decodeError = (
  mapping: Mapping,
  dialect: Dialect,
  row: DriverRow,
  fault: DecodeFault,
  shard: ShardToken | null,
  columns: RowColumns | null,
): DecodeError => {
  const key = mapping.key.map((attribute) => keyPart(attribute, dialect, row, columns))
  return {
    _tag: 'DecodeError',
    entity: mapping.name,
    table: mapping.table,
    attribute: fault.attribute.name,
    column: fault.attribute.columnName,
    key: key.length === 1 ? key[0] : key,
    value: fault.value,
    expected: fault.attribute.column.codec.name,
    shard,
  }
}

const keyPart = (
  { column, name, position }: Attribute,
  dialect: Dialect,
  row: DriverRow,
  columns: RowColumns | null,
): unknown => {
  const given = row[columns?.[position] ?? name]
  const decoded = column.codec.decode(dialect.fromDriver(column.kind)?.(given) ?? given)
  return decoded._tag === 'Right' ? decoded.right : given
}
