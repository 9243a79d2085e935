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
import {
  DecodeFault,
  rawKeyOf,
  rawKeyOfValue,
  rowClassOf,
  rowColumns,
  rowReaderOf,
  withDescendants,
} from '@unitary/core'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { DecodeError } from '../error.js'
import type { ShardToken } from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import { homeOf, type SessionState, type StateEdit } from '../state/session-state.js'
import { standingAt } from './standing.js'

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
  /** The same for the attributes of a subtype; those of the entity alone where it is null. */
  readonly columnsAs: ((subtype: Mapping) => RowColumns | null) | null
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
  const home = homeOf(state, mapping, token)
  const keyName = plainKeyName(mapping, from.dialect, options.columns)
  const only = mapping.subtypes.length === 0 ? readingOf(mapping, from.dialect, options.columns, options) : null
  // a row of its key can be no other entity's
  const isAlone = only !== null && mapping.discriminator === null
  const readingFor = only === null ? readingsOf(mapping, from.dialect, options) : null
  const ids = new Array<InstanceId>(rows.length)
  // a join gives rows that repeat an instance one after another, and nothing else in them is new
  const mayRepeat = isAlone && !options.populateExisting
  let lastKey: unknown = null
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as DriverRow
    const reading = only ?? (readingFor as ReadingFor)(row)
    if (reading === null) return left(unknownKind(mapping, from, row, options.columns))
    // the key as the driver gives it, where that is the raw key already: what is known need not be decoded again
    const plainKey = keyName === null ? null : row[keyName]
    if (typeof plainKey === 'number' || typeof plainKey === 'string') {
      if (plainKey === lastKey) {
        ids[i] = ids[i - 1] as InstanceId
        continue
      }
      if (mayRepeat) lastKey = plainKey
      const known = isAlone
        ? edit.identityMap.get(mapping, token, plainKey)
        : knownAs(edit, reading.mapping, token, plainKey)
      if (known !== undefined && isCurrent(state, edit, known, reading, options)) {
        ids[i] = known
        continue
      }
    }
    const id = edit.nextInstance
    const snapshot = reading.read(row, id)
    if (snapshot instanceof DecodeFault) {
      return left(decodeError(reading.mapping, from.dialect, row, snapshot, token, reading.columns))
    }
    const key = rawKeyOf(reading.mapping, snapshot as never) as RawKey
    const known = isAlone ? edit.identityMap.get(mapping, token, key) : knownAs(edit, reading.mapping, token, key)
    if (known === undefined) {
      edit.nextInstance = id + 1
      const made = Instance.make(id, reading.mapping, 'persistent', key, home, snapshot, state.epoch, null, 0)
      edit.instances.set(id, reading.partial ? { ...made, partial: true } : made)
      edit.identityMap.set(reading.mapping, token, key, id)
      options.arrived?.set(id, false)
      ids[i] = id
    } else {
      if (!isCurrent(state, edit, known, reading, options)) renew(state, edit, known, row, reading, options)
      ids[i] = known
    }
  }
  return right(ids)
}

/** The instance that stands for a row. One of another entity does so no more: the row is what its discriminator says. */
const knownAs = (edit: StateEdit, mapping: Mapping, token: ShardToken | null, key: RawKey): InstanceId | undefined => {
  const id = edit.identityMap.get(mapping, token, key)
  const instance = id === undefined ? undefined : edit.instances.get(id)
  if (id === undefined || instance === undefined || instance.mapping === mapping) return id
  edit.instances.set(id, { ...instance, status: 'detached', committed: null })
  edit.changed.delete(id)
  edit.deleted.delete(id)
  return undefined
}

/** How rows of one entity are read. */
interface Reading {
  readonly mapping: Mapping
  readonly columns: RowColumns | null
  readonly read: RowReader
  /** Do the rows leave out what an instance should have? */
  readonly partial: boolean
  /** May the rows have what an instance can be whole without? */
  readonly isDeferring: boolean
}

const readingOf = (
  mapping: Mapping,
  dialect: Dialect,
  columns: RowColumns | null,
  { mode }: AbsorbOptions,
): Reading => ({
  mapping,
  columns,
  read: rowReaderOf(mapping, dialect, mode, columns),
  partial: isPartial(mapping, columns),
  isDeferring: mapping.attributes.some(({ isDeferred }) => isDeferred),
})

type ReadingFor = (row: DriverRow) => Reading | null

/** How each row is read, which may be of any subtype; null for one whose discriminator is that of none. */
const readingsOf = (mapping: Mapping, dialect: Dialect, options: AbsorbOptions): ReadingFor => {
  const { columns } = options
  const column = discriminatorName(mapping, columns)
  const convert = dialect.fromDriver(mapping.discriminator?.column.kind ?? 'text')
  const byIdentity = mappingsByIdentity(mapping)
  const readings = new Map<unknown, Reading>()
  return (row) => {
    const value = rawKeyOfValue(convert === null ? row[column] : convert(row[column]))
    const known = readings.get(value)
    if (known !== undefined) return known
    const found = byIdentity.get(value)
    if (found === undefined) return null
    const own = found === mapping ? columns : (options.columnsAs ?? inherited(mapping, columns))(found)
    const made = readingOf(found, dialect, own, options)
    readings.set(value, made)
    return made
  }
}

const discriminatorName = ({ discriminator }: Mapping, columns: RowColumns | null): string =>
  discriminator === null ? '' : (columns?.[discriminator.position] ?? discriminator.name)

const byIdentities = new WeakMap<Mapping, ReadonlyMap<unknown, Mapping>>()

/** An entity and its subtypes by the encoded values of their discriminators. */
const mappingsByIdentity = (mapping: Mapping): ReadonlyMap<unknown, Mapping> => {
  const known =
    byIdentities.get(mapping) ??
    new Map(
      withDescendants(mapping).flatMap(
        (one): ReadonlyArray<readonly [unknown, Mapping]> =>
          one.identity === null || one.discriminator === null
            ? []
            : [[rawKeyOfValue(one.discriminator.encode(one.identity)), one]],
      ),
    )
  byIdentities.set(mapping, known)
  return known
}

/** The columns of a subtype in rows that have what it inherits, and nothing of its own. */
const inherited =
  (mapping: Mapping, columns: RowColumns | null) =>
  (subtype: Mapping): RowColumns =>
    rowColumns(subtype, ({ isDeferred, name, position }) => {
      if (position >= mapping.attributes.length) return null
      return columns === null ? (isDeferred ? null : name) : (columns[position] ?? null)
    })

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
const isCurrent = (
  state: SessionState,
  edit: StateEdit,
  id: InstanceId,
  { columns, isDeferring }: Reading,
  options: AbsorbOptions,
): boolean => {
  const instance = standingAt(edit, id)
  if (instance.epoch !== state.epoch || instance.unset !== null || options.populateExisting) return false
  if (columns === null) return !instance.partial
  if (!instance.partial && !isDeferring) return true
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
  reading: Reading,
  options: AbsorbOptions,
): void => {
  const instance = standingAt(edit, id)
  const snapshot = reading.read(row, id) as Snapshot
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
    partial: reading.columns !== null && isIncomplete(mapping, known),
    unset: null,
    committed: isWhole ? null : instance.committed,
    // the flush that deletes a row needs to know what refers to it
    related: isWhole && !edit.deleted.has(id) ? null : instance.related,
  })
}

const isIncomplete = ({ attributes }: Mapping, snapshot: Snapshot): boolean =>
  attributes.some(
    ({ isDeferred, name }: Attribute) =>
      !isDeferred && (snapshot as unknown as Readonly<Record<string, unknown>>)[name] === undefined,
  )

/** A row whose discriminator no entity has. */
const unknownKind = (
  mapping: Mapping,
  { dialect, token }: Rows,
  row: DriverRow,
  columns: RowColumns | null,
): DecodeError => {
  const identities = withDescendants(mapping).flatMap(({ identity }) => (identity === null ? [] : [identity]))
  return {
    _tag: 'DecodeError',
    entity: mapping.name,
    table: mapping.table,
    attribute: mapping.discriminator?.name ?? '',
    column: mapping.discriminator?.columnName ?? '',
    key: keyIn(mapping, dialect, row, columns),
    value: row[discriminatorName(mapping, columns)],
    expected: `one of ${identities.map((identity) => JSON.stringify(identity)).join(', ')}`,
    shard: token,
  }
}

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
): DecodeError => ({
  _tag: 'DecodeError',
  entity: mapping.name,
  table: mapping.table,
  attribute: fault.attribute.name,
  column: fault.attribute.columnName,
  key: keyIn(mapping, dialect, row, columns),
  value: fault.value,
  expected: fault.attribute.column.codec.name,
  shard,
})

const keyIn = (mapping: Mapping, dialect: Dialect, row: DriverRow, columns: RowColumns | null): unknown => {
  const key = mapping.key.map((attribute) => keyPart(attribute, dialect, row, columns))
  return key.length === 1 ? key[0] : key
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
