/**
 * The class of an entity's snapshots, and the functions that make them.
 *
 * Snapshots are made a hundred thousand at a time, so their class is generated from the attribute list: every snapshot
 * of an entity has the same hidden class, and none is ever copied to be frozen. Where generated code is barred (a
 * content security policy), plain closures do the same, slower.
 */
import * as t from 'io-ts'
import type { DriverRow } from '../engine/call.js'
import type { Dialect } from '../engine/dialect.js'
import type { Attribute, Mapping } from '../model/mapping.js'
import { Snapshot } from '../model/snapshot.js'
import type { Services } from '../services.js'
import { checkExpression, onlyChecks } from './check.js'
import { mayGenerate } from './generated-code.js'

/**
 * A value that its column's codec rejects, as the driver gave it. A reader returns it in place of a snapshot.
 */
export class DecodeFault {
  readonly attribute: Attribute
  readonly value: unknown
  readonly errors: t.Errors
  constructor(attribute: Attribute, value: unknown, errors: t.Errors) {
    this.attribute = attribute
    this.value = value
    this.errors = errors
  }
}

/** Reads a driver's row, by attribute names, into the snapshot of an instance. */
export type RowReader = (row: DriverRow, instance: number) => Snapshot | DecodeFault

/** `strict` checks every value; `trusted` takes those whose codec only checks (a brand of `t.brand`, say) as they are. */
export type ReadMode = 'strict' | 'trusted'

/**
 * Under which name each attribute stands in a row, by position; null where it was not selected.
 *
 * @category model
 */
export type RowColumns = ReadonlyArray<string | null>

type Values = Readonly<Record<string, unknown>>

/**
 * Makes the snapshots of one entity. Attributes that are not given are undefined.
 */
export interface RowClass {
  readonly make: (instance: number, values: Values) => Snapshot
  /** Of a draft: what it leaves out gets its default, if it has one. */
  readonly draft: (instance: number, draft: Values, services: Services) => Snapshot
  /** Does a draft or patch name attributes and relationships of the entity only, with values that their codecs know? */
  readonly fits: (values: Values) => boolean
  /**
   * The attributes' values in order, encoded for the database; undefined where the snapshot has none. In an array that is
   * given, where one will do for many rows.
   */
  readonly encode: (snapshot: Snapshot, into?: unknown[]) => unknown[]
  /** The same with some attributes changed; an undefined value in `patch` changes nothing. */
  readonly patch: (snapshot: Snapshot, instance: number, patch: Values) => Snapshot
  /**
   * The same for a row that was inserted: what it has no value for is null, where nothing else filled the column. The very
   * same snapshot where it has all of that already.
   */
  readonly inserted: (snapshot: Snapshot, instance: number, patch: Values) => Snapshot
  /** `columns` where they are not those of every row. */
  readonly reader: (dialect: Dialect, mode: ReadMode, columns?: RowColumns | null) => RowReader
  /** Makes snapshots that show related instances too, under these names, beside the attributes. */
  readonly viewer: (names: ReadonlyArray<string>) => RowViewer
}

/** The snapshot with the related given, in the order of the viewer's names; to be frozen once they are all there. */
export type RowViewer = (snapshot: Snapshot, instance: number, related: ReadonlyArray<unknown>) => Snapshot

const encodeOptional =
  (attribute: Attribute): ReadValue =>
  (value) =>
    value === undefined ? undefined : attribute.encode(value)

/** Counting the names that a generated check has met says nothing where some of them hold undefined. */
const hasKnownNames =
  (mapping: Mapping): ((values: Values) => boolean) =>
  (values) => {
    for (const name in values) if (!mapping.attributeOf.has(name) && !mapping.relationshipOf.has(name)) return false
    return true
  }

const isValid =
  (attribute: Attribute): ((value: unknown) => boolean) =>
  (value) =>
    value === undefined || (attribute.isStored && attribute.column.codec.is(value))

/** How one attribute is read; the fallback calls it, generated code calls it only where it must. */
type ReadValue = (value: unknown) => unknown

const fault = (attribute: Attribute, value: unknown, given: unknown): DecodeFault => {
  const decoded = attribute.column.codec.decode(value)
  return new DecodeFault(attribute, given, decoded._tag === 'Left' ? decoded.left : [])
}

/** The same, of what the driver gave before it was converted. */
const asGiven = ({ attribute, errors }: DecodeFault, given: unknown): DecodeFault =>
  new DecodeFault(attribute, given, errors)

const validate =
  (attribute: Attribute): ReadValue =>
  (value) => {
    const decoded = attribute.column.codec.decode(value)
    return decoded._tag === 'Left' ? new DecodeFault(attribute, value, decoded.left) : decoded.right
  }

/** Reads what may not have been selected. */
const readOptional = (attribute: Attribute, dialect: Dialect): ReadValue => {
  const convert = dialect.fromDriver(attribute.column.kind)
  const read = validate(attribute)
  return convert === null
    ? (value) => (value === undefined ? undefined : read(value))
    : (value) => (value === undefined ? undefined : converted(read, convert(value), value))
}

const converted = (read: ReadValue, value: unknown, given: unknown): unknown => {
  const found = read(value)
  return found instanceof DecodeFault ? asGiven(found, given) : found
}

const isPlain = (attribute: Attribute): boolean =>
  attribute.encode === t.identity && checkExpression(attribute.column.codec, 'v') !== null

/** Does the codec but check what it reads? */
const isChecked = (attribute: Attribute): boolean =>
  attribute.encode === t.identity && onlyChecks(attribute.column.codec)

/**
 * The row class of a mapping, by generated code.
 */
export const generateRowClass = (mapping: Mapping): RowClass => {
  const { attributes } = mapping
  const args = attributes.map((_, i) => `a${i}`).join(', ')
  const property = (object: string, attribute: Attribute): string => `${object}[${JSON.stringify(attribute.name)}]`
  const from = (object: string): string => attributes.map((attribute) => property(object, attribute)).join(', ')
  const made = new Function(
    'Snapshot',
    'name',
    'attributes',
    'encode',
    'isValid',
    'hasKnownNames',
    `'use strict'
    const Row = { [name]: class extends Snapshot {
      constructor(n, ${args}) { super(n); ${attributes.map((a, i) => `${property('this', a)} = a${i}`).join('; ')} }
      ${[...mapping.synonyms].map(([name, a]) => `get ${JSON.stringify(name)}() { return ${property('this', a)} }`).join('\n      ')}
    } }[name]
    return {
      Row,
      make: (n, v) => Object.freeze(new Row(n, ${from('v')})),
      patch: (s, n, p) => Object.freeze(new Row(n, ${attributes
        .map((a) => `${property('p', a)} !== undefined ? ${property('p', a)} : ${property('s', a)}`)
        .join(', ')})),
      inserted: (s, n, p) => {
        const ${attributes
          .map((a, i) => {
            const known = `${property('p', a)} !== undefined ? ${property('p', a)} : ${property('s', a)}`
            return `a${i} = ${a.isNullByDefault ? `${known} !== undefined ? ${property('s', a)} : null` : known}`
          })
          .join(', ')}
        return ${attributes.map((a, i) => `a${i} === ${property('s', a)}`).join(' && ')} ? s : Object.freeze(new Row(n, ${args}))
      },
      draft: (n, v, services) => Object.freeze(new Row(n, ${attributes
        .map((a, i) => {
          const value = property('v', a)
          return a.column.defaultValue === null
            ? value
            : `${value} !== undefined ? ${value} : attributes[${i}].column.defaultValue(services)`
        })
        .join(', ')})),
      fits: (v) => {
        let a, given = 0
        for (const name in v) given++
        ${attributes
          .map((a, i) => {
            if (!a.isStored) return `if (${property('v', a)} !== undefined) return false`
            const check = checkExpression(a.column.codec, 'a')
            return `a = ${property('v', a)}; if (a !== undefined) { if (!(${check ?? `isValid[${i}](a)`})) return false; given-- }`
          })
          .join('\n        ')}
        ${mapping.relationships.map(({ name }) => `if (v[${JSON.stringify(name)}] !== undefined) given--`).join('; ')}
        return given === 0 || hasKnownNames(v)
      },
      encode: (s, v = new Array(${attributes.length})) => {
        ${attributes
          .map((a, i) => {
            const value = a.encode === t.identity ? property('s', a) : `encode[${i}](${property('s', a)})`
            return `v[${i}] = ${a.isStored ? value : 'undefined'}`
          })
          .join('; ')}
        return v
      },
    }`,
  )(
    Snapshot,
    mapping.name,
    attributes,
    attributes.map(encodeOptional),
    attributes.map(isValid),
    hasKnownNames(mapping),
  ) as Omit<RowClass, 'reader' | 'viewer'> & { readonly Row: unknown }

  const reader: RowClass['reader'] = (dialect, mode, columns = null) => {
    const convert = attributes.map((attribute) => dialect.fromDriver(attribute.column.kind))
    const lines = attributes.map((attribute, i) => {
      const column = columns === null ? attribute.name : (columns[i] ?? null)
      if (column === null) return `const a${i} = undefined`
      const raw = `row[${JSON.stringify(column)}]`
      const value = `const a${i} = ${convert[i] === null ? raw : `convert[${i}](${raw})`}`
      const check = isPlain(attribute) ? checkExpression(attribute.column.codec, `a${i}`) : null
      if (attribute.isDeferred && columns === null) {
        // undefined where it was not selected
        return `const a${i} = optional[${i}](${raw}); if (a${i} instanceof DecodeFault) return a${i}`
      }
      if (mode === 'trusted' && isChecked(attribute)) return value
      if (check === null) {
        return `${value.replace(`a${i}`, `r${i}`)}; const a${i} = validate[${i}](r${i}); if (a${i} instanceof DecodeFault) return asGiven(a${i}, ${raw})`
      }
      return `${value}; if (!(${check})) return fault(attributes[${i}], a${i}, ${raw})`
    })
    return new Function(
      'Row',
      'DecodeFault',
      'attributes',
      'convert',
      'validate',
      'fault',
      'asGiven',
      'optional',
      `'use strict'
      return (row, n) => {
        ${lines.join('\n')}
        return Object.freeze(new Row(n, ${args}))
      }`,
    )(
      made.Row,
      DecodeFault,
      attributes,
      convert,
      attributes.map(validate),
      fault,
      asGiven,
      attributes.map((_, i) => readOptional(attributes[i] as Attribute, dialect)),
    ) as RowReader
  }
  const viewer: RowClass['viewer'] = (names) =>
    new Function(
      'Row',
      `'use strict'
      const View = { [${JSON.stringify(mapping.name)}]: class extends Row {
        constructor(n, ${args}, r) {
          super(n, ${args})
          ${names.map((name, i) => `this[${JSON.stringify(name)}] = r[${i}]`).join('\n          ')}
        }
      } }[${JSON.stringify(mapping.name)}]
      return (s, n, r) => new View(n, ${from('s')}, r)`,
    )(made.Row) as RowViewer
  return {
    make: made.make,
    draft: made.draft,
    viewer,
    fits: made.fits,
    encode: made.encode,
    patch: made.patch,
    inserted: made.inserted,
    reader,
  }
}

/**
 * The row class of a mapping, without generated code.
 */
export const plainRowClass = (mapping: Mapping): RowClass => {
  const { attributes } = mapping
  const Row = {
    [mapping.name]: class extends Snapshot {
      constructor(instance: number, values: Values) {
        super(instance)
        const self = this as Record<string, unknown>
        for (const { name } of attributes) self[name] = values[name]
      }
    },
  }[mapping.name] as new (
    instance: number,
    values: Values,
  ) => Snapshot
  for (const [name, attribute] of mapping.synonyms) {
    const get = function (this: Values): unknown {
      return this[attribute.name]
    }
    Object.defineProperty(Row.prototype, name, { get })
  }
  const make: RowClass['make'] = (instance, values) => {
    const snapshot = new Row(instance, values)
    Object.freeze(snapshot)
    return snapshot
  }
  return {
    make,
    draft: (instance, draft, services) => {
      const values: Record<string, unknown> = {}
      for (const { name, column } of attributes) {
        values[name] = draft[name] !== undefined ? draft[name] : column.defaultValue?.(services)
      }
      return make(instance, values)
    },
    fits: (values) => hasKnownNames(mapping)(values) && attributes.every((a) => isValid(a)(values[a.name])),
    encode: (snapshot, into = new Array<unknown>(attributes.length)) => {
      const values = snapshot as unknown as Values
      for (const attribute of attributes) {
        const { isStored, name, position } = attribute
        into[position] = isStored ? encodeOptional(attribute)(values[name]) : undefined
      }
      return into
    },
    patch: (snapshot, instance, patch) => {
      const values: Record<string, unknown> = { ...snapshot }
      for (const { name } of attributes) if (patch[name] !== undefined) values[name] = patch[name]
      return make(instance, values)
    },
    inserted: (snapshot, instance, patch) => {
      const values: Record<string, unknown> = { ...snapshot }
      for (const { name, isNullByDefault } of attributes) {
        if (patch[name] !== undefined) values[name] = patch[name]
        else if (isNullByDefault) values[name] ??= null
      }
      const known = snapshot as unknown as Values
      return attributes.every(({ name }) => values[name] === known[name]) ? snapshot : make(instance, values)
    },
    reader: (dialect, mode, columns = null) => {
      const read = attributes.map((attribute): ReadValue => {
        if (attribute.isDeferred && columns === null) return readOptional(attribute, dialect)
        const convert = dialect.fromDriver(attribute.column.kind)
        const check = mode === 'trusted' && isChecked(attribute) ? (value: unknown) => value : validate(attribute)
        return convert === null ? check : (value) => converted(check, convert(value), value)
      })
      return (row, instance) => {
        const values: Record<string, unknown> = {}
        for (const { name, position } of attributes) {
          const column = columns === null ? name : columns[position]
          if (column === null || column === undefined) continue
          const value = (read[position] as ReadValue)(row[column])
          if (value instanceof DecodeFault) return value
          values[name] = value
        }
        return make(instance, values)
      }
    },
    viewer: (names) => (snapshot, instance, related) => {
      const view = new Row(instance, snapshot as unknown as Values)
      for (let i = 0; i < names.length; i++)
        (view as unknown as Record<string, unknown>)[names[i] as string] = related[i]
      return view
    },
  }
}

const rowClasses = new WeakMap<Mapping, RowClass>()

/**
 * The row class of a mapping, made once.
 */
export const rowClassOf = (mapping: Mapping): RowClass => {
  const known = rowClasses.get(mapping)
  if (known !== undefined) return known
  const made = mayGenerate() ? generateRowClass(mapping) : plainRowClass(mapping)
  rowClasses.set(mapping, made)
  return made
}

type Readers = Record<ReadMode, WeakMap<Dialect, WeakMap<RowColumns, RowReader>>>

const readers = new WeakMap<Mapping, Readers>()

/** In place of the columns of every row. */
const usual: RowColumns = []

/**
 * The reader of a mapping's rows as a dialect's drivers give them, made once for each list of columns.
 */
export const rowReaderOf = (
  mapping: Mapping,
  dialect: Dialect,
  mode: ReadMode,
  columns: RowColumns | null = null,
): RowReader => {
  let known = readers.get(mapping)
  if (known === undefined) {
    known = { strict: new WeakMap(), trusted: new WeakMap() }
    readers.set(mapping, known)
  }
  let byColumns = known[mode].get(dialect)
  if (byColumns === undefined) {
    byColumns = new WeakMap()
    known[mode].set(dialect, byColumns)
  }
  const reader = byColumns.get(columns ?? usual)
  if (reader !== undefined) return reader
  const made = rowClassOf(mapping).reader(dialect, mode, columns)
  byColumns.set(columns ?? usual, made)
  return made
}
