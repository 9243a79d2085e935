/**
 * The column of a model that stands for one of a database: its kind, and its type where that is not the kind's own.
 */
import type { Dialect } from '../engine/dialect.js'
import { mysqlDialect } from '../engine/mysql-dialect.js'
import { postgresDialect } from '../engine/postgres-dialect.js'
import { sqliteDialect } from '../engine/sqlite-dialect.js'
import type { ColumnKind, ColumnType } from '../model/column.js'
import { quoted } from './builder-call.js'
import type { ColumnSchema } from './database-schema.js'
import { canonicalType } from './same-type.js'

export interface ColumnSource {
  /** As it is written: `integer`, `decimal(12, 2)`. */
  readonly base: string
  readonly type: ColumnType
  /** Its type, where the kind has another here. */
  readonly sqlType: string | null
  /** What is worth a look. */
  readonly note: string | null
}

/** Chooses the kind of a column. `values` are those that a check allows it. */
export const columnSource = (
  column: ColumnSchema,
  schemaCollation: string | null,
  dialect: Dialect['name'],
  isKey: boolean,
  values: ReadonlyArray<string> | null,
): ColumnSource => {
  const name = canonicalType(column.type, dialect)
  const chosen = kinds[dialect](name, column.type.toLowerCase())
  const isDefault = (type: ColumnType): boolean =>
    isOfType(dialects[dialect].columnType(type, isKey), column, schemaCollation, dialect)
  const listed: Kind = { base: `enumOf(${(values ?? []).map(quoted).join(', ')})`, ...plain('enum') }
  const kind = values !== null && values.length > 0 && isDefault(listed.type) ? listed : chosen
  const { type, collation } = column
  return {
    base: kind.base,
    type: kind.type,
    sqlType: isDefault(kind.type) ? null : collation === null ? type : `${type} collate ${collation}`,
    note: kind.note ?? null,
  }
}

interface Kind {
  readonly base: string
  readonly type: ColumnType
  readonly note?: string
}

const dialects: Readonly<Record<Dialect['name'], Dialect>> = {
  sqlite: sqliteDialect,
  postgres: postgresDialect,
  mysql: mysqlDialect,
}

const isOfType = (
  given: string,
  { type, collation }: ColumnSchema,
  schemaCollation: string | null,
  dialect: Dialect['name'],
): boolean => {
  const [, bare = given, own = null] = /^(.*?)(?: character set \w+)? collate "?([^"]+)"?$/i.exec(given) ?? []
  const isSame = canonicalType(bare, dialect) === canonicalType(type, dialect)
  return isSame && (collation === null || (own ?? schemaCollation)?.toLowerCase() === collation.toLowerCase())
}

const plain = (kind: ColumnKind): { readonly type: ColumnType } => ({ type: { kind, detail: null } })

const simple = (base: string, kind: ColumnKind = base as ColumnKind): Kind => ({ base, ...plain(kind) })

const integer = simple('integer')
const bigint = simple('bigint')
const real = simple('real')
const text = simple('text')
const boolean = simple('boolean')
const instant = simple('instant', 'timestamp')
const plainDate = simple('plainDate', 'date')
const plainTime = simple('plainTime', 'time')
const json = simple('jsonOf(t.unknown)', 'json')
const blob = simple('blob')
const uuid = simple('uuid')

const decimal = (precision: number, scale: number): Kind => ({
  base: `decimal(${precision}, ${scale})`,
  type: { kind: 'decimal', detail: { _tag: 'Decimal', precision, scale } },
})

/** As many digits as a decimal of a model can have; a number with more is text. */
const exact = (name: string): Kind => {
  const [, digits, fraction] = /\((\d+),(-?\d+)\)/.exec(name) ?? []
  if (digits === undefined) return decimal(65, 30)
  const precision = Number(digits)
  const scale = Number(fraction)
  return precision <= 65 && scale >= 0 && scale <= Math.min(30, precision) ? decimal(precision, scale) : textual(name)
}

const textual = (type: string): Kind => ({ ...text, note: `${type} is read and written as text` })

const kinds: Readonly<Record<Dialect['name'], (name: string, declared: string) => Kind>> = {
  sqlite: (name, declared) => {
    if (declared.startsWith('bool')) return boolean
    if (/^(?:datetime|timestamp)/.test(declared)) return instant
    if (declared === 'date') return plainDate
    if (declared === 'time') return plainTime
    if (/^jsonb?$/.test(declared)) return json
    switch (name) {
      case 'integer':
        return integer
      case 'bigint':
        return bigint
      case 'text':
        return text
      case 'blob':
        return blob
      case 'real':
        return real
      default:
        return { ...real, note: `${declared} holds numbers as they come: they are read as floating point` }
    }
  },
  postgres: (name, declared) => {
    if (name.endsWith('[]')) {
      const item = kinds.postgres(name.slice(0, -2), declared.replace('[]', ''))
      if (/^(?:array|json|blob)$/.test(item.type.kind)) return textual(declared)
      return { base: `arrayOf(${item.base})`, type: { kind: 'array', detail: { _tag: 'Array', item: item.type } } }
    }
    if (/^(?:smallint|integer)$/.test(name)) return integer
    if (name === 'bigint') return bigint
    if (/^(?:real|double precision)$/.test(name)) return real
    if (name.startsWith('numeric')) return exact(name)
    if (/^(?:text|character varying|character)\b/.test(name)) return text
    if (name === 'boolean') return boolean
    if (name.startsWith('timestamp with time zone')) return instant
    if (name.startsWith('timestamp without'))
      return { ...instant, note: `${declared} has no time zone: its instants are the session's, better is timestamptz` }
    if (name === 'date') return plainDate
    if (name.startsWith('time without')) return plainTime
    if (/^jsonb?$/.test(name)) return json
    if (name === 'bytea') return blob
    return name === 'uuid' ? uuid : textual(declared)
  },
  mysql: (name, declared) => {
    if (name === 'tinyint(1)') return boolean
    if (/^(?:tiny|small|medium)?int/.test(name)) return integer
    if (name.startsWith('bigint')) return bigint
    if (/^(?:double|float)/.test(name)) return real
    if (name.startsWith('decimal')) return exact(name)
    if (name === 'char(36)') return uuid
    if (/^(?:tiny|medium|long)?text$|^(?:var)?char\(/.test(name)) return text
    if (/^(?:datetime|timestamp)/.test(name)) return instant
    if (name === 'date') return plainDate
    if (/^time(?:\(|$)/.test(name)) return plainTime
    if (name === 'json') return json
    if (/blob$|binary\(/.test(name)) return blob
    return textual(declared)
  },
}
