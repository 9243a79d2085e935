/**
 * Whether two types of columns are one, by whatever names: `int4` and `integer`, `varchar` and `character varying`, a
 * boolean and the `tinyint(1)` that MySQL makes of it.
 */
import type { Dialect } from '../engine/dialect.js'

/** A name that is the same for types that are the same. */
export const canonicalType = (type: string, dialect: Dialect['name']): string => {
  const name = withoutCase(type.trim().replaceAll(/\s+/g, ' '))
  switch (dialect) {
    case 'sqlite':
      return affinity(name)
    case 'postgres':
      return postgresType(name)
    case 'mysql':
      return mysqlType(name)
  }
}

/** In lower case but for what is quoted: the values of an enumeration, a name. */
const withoutCase = (type: string): string =>
  type.replaceAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[^'"]+/g, (part) =>
    part.startsWith("'") || part.startsWith('"')
      ? part
      : part.toLowerCase().replaceAll(/\s*([(,])\s*|\s+(?=\))/g, '$1'),
  )

/**
 * What a column of SQLite prefers to hold. Integers of 64 bits are told apart, since they are read in another way.
 *
 * @see https://www.sqlite.org/datatype3.html#determination_of_column_affinity
 */
const affinity = (type: string): string => {
  if (/^(?:unsigned )?big ?int|^int8$/.test(type)) return 'bigint'
  if (type.includes('int')) return 'integer'
  if (/char|clob|text/.test(type)) return 'text'
  if (type === '' || type.includes('blob')) return 'blob'
  return /real|floa|doub/.test(type) ? 'real' : 'numeric'
}

const postgresNames: Readonly<Record<string, string>> = {
  int: 'integer',
  int4: 'integer',
  int8: 'bigint',
  int2: 'smallint',
  float4: 'real',
  float8: 'double precision',
  float: 'double precision',
  bool: 'boolean',
  varchar: 'character varying',
  char: 'character',
  bpchar: 'character',
  decimal: 'numeric',
  varbit: 'bit varying',
  timestamptz: 'timestamp with time zone',
  timestamp: 'timestamp without time zone',
  timetz: 'time with time zone',
  time: 'time without time zone',
}

const postgresType = (type: string): string => {
  const [, element = type, arrays = ''] = /^(.*?)((?:\[\d*\])*)$/.exec(type) ?? []
  const [, base = element, length = '', rest = ''] =
    /^([^(]*?)(\(.*?\))?( with(?:out)? time zone)?$/.exec(element) ?? []
  // one that has its zone named needs no other name
  const name = rest === '' ? (postgresNames[base] ?? base) : `${base}${rest}`
  const bounds = name === 'numeric' ? length.replace(/^\((\d+)\)$/, '($1,0)') : length
  const one = name === 'character' && bounds === '(1)' ? '' : bounds
  return `${name}${one}${arrays.replaceAll(/\d/g, '')}`
}

const mysqlNames: Readonly<Record<string, string>> = {
  integer: 'int',
  bool: 'tinyint(1)',
  boolean: 'tinyint(1)',
  'double precision': 'double',
  real: 'double',
  dec: 'decimal',
  numeric: 'decimal',
  fixed: 'decimal',
  'character varying': 'varchar',
  character: 'char',
}

const mysqlType = (type: string): string => {
  const [, base = type, length = '', rest = ''] = /^([^(]*?)(\(.*?\))?((?: unsigned| zerofill)*)$/.exec(type) ?? []
  const name = mysqlNames[base] ?? base
  if (name === 'tinyint' && length === '(1)') return `tinyint(1)${rest}`
  // how wide an integer is shown says nothing about it
  if (/^(?:tiny|small|medium|big)?int$/.test(name)) return `${name}${rest}`
  if (name === 'decimal') return `decimal${length === '' ? '(10,0)' : length.replace(/^\((\d+)\)$/, '($1,0)')}${rest}`
  return `${name}${name === 'char' && length === '' ? '(1)' : length}${rest}`
}
