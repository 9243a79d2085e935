/**
 * What can be wrong with an attribute that types let through.
 */
import { tableFault } from './check-name.js'
import { type AnyColumn, type ColumnDetail, type ColumnKind, hasFlag } from './column.js'
import { generatorName } from './generator.js'
import type { Attribute, Mapping } from './mapping.js'

/**
 * The faults of one attribute, each with its cure.
 *
 * @category guards
 */
export const columnFaults = (mapping: Mapping, attribute: Attribute): ReadonlyArray<string> =>
  [
    attribute.columnName === '' ? 'its column has no name; give named one, or leave it out' : null,
    typeFault(attribute.column),
    ...(attribute.isKey ? keyFaults(mapping, attribute) : []),
    ...generatedFaults(mapping, attribute),
    ...(isVersion(attribute) ? versionFaults(mapping, attribute) : []),
    generatorFault(attribute.column),
    detailFault(attribute.column.detail),
  ].filter((message) => message !== null)

type Faults = ReadonlyArray<string | null>

const keyFaults = ({ key }: Mapping, { column, isDeferred, isNullable }: Attribute): Faults => [
  isNullable && key.every((other) => other.isNullable)
    ? 'a primary key needs a column that cannot be nullable; leave nullable out'
    : null,
  isDeferred ? 'a primary key is loaded with its row, and cannot be deferred; leave deferred out' : null,
  column.insertExpression === null
    ? null
    : 'a primary key cannot be an expression, since its row is found by it; give it a value, or draw it by generatedBy',
  hasUpdateDefault(column)
    ? 'an update cannot give a row another primary key by itself; leave withUpdateDefault out'
    : null,
]

const hasUpdateDefault = ({ updateExpression, updateValue }: AnyColumn): boolean =>
  updateValue !== null || updateExpression !== null

const generatedFaults = ({ key }: Mapping, { column, isGenerated, isKey }: Attribute): Faults => {
  if (!isGenerated) return []
  const hasDefault =
    column.defaultValue !== null ||
    column.insertValue !== null ||
    column.insertExpression !== null ||
    column.generator !== null
  return [
    isKey ? null : 'only a primary key column can be generated; say withServerDefault or generatedBy of others',
    key.length > 1
      ? 'a generated column must be the whole primary key; draw it by generatedBy, or take the others out of the key'
      : null,
    hasDefault ? 'what the database generates has no default; leave one of them out' : null,
  ]
}

const isVersion = ({ column }: Attribute): boolean => hasFlag(column, 'version') || hasFlag(column, 'serverVersion')

const versionFaults = ({ attributes }: Mapping, attribute: Attribute): Faults => {
  const first = attributes.find(isVersion)
  return [
    attribute.isDeferred ? 'a version is loaded with its row, and cannot be deferred; leave deferred out' : null,
    attribute.isKey
      ? 'a version changes with every update, and cannot be part of the primary key; give it a column of its own'
      : null,
    attribute.isNullable && hasFlag(attribute.column, 'version')
      ? 'every row has a version; it cannot be nullable'
      : null,
    hasFlag(attribute.column, 'version') && attribute.column.kind !== 'integer'
      ? `a version counts, and the column is ${attribute.column.kind}; make it an integer`
      : null,
    hasFlag(attribute.column, 'version') && hasUpdateDefault(attribute.column)
      ? 'a version counts by itself; leave withUpdateDefault out'
      : null,
    first === attribute ? null : `an entity has one version, and '${first?.name}' is it already; leave one out`,
  ]
}

const generatorFault = ({ defaultValue, generator, insertExpression, insertValue, kind }: AnyColumn): string | null => {
  if (generator === null) return null
  const name = generatorName(generator)
  if (generator.name === '') return `its ${generator._tag.toLowerCase()} has no name; give it one`
  if (generator._tag === 'Counter' && tableFault(generator.table) !== null) {
    return `${name} counts in '${generator.table}', which names no table; say 'table' or 'schema.table'`
  }
  if (kind !== 'integer' && kind !== 'bigint')
    return `${name} gives integers, and the column is ${kind}; make it integer or bigint`
  if (!Number.isSafeInteger(generator.block) || generator.block < 1) {
    return `${name} cannot give ids in blocks of ${generator.block}; a block has 1 at the least`
  }
  const hasDefault = defaultValue !== null || insertValue !== null || insertExpression !== null
  return hasDefault ? `${name} gives its value, and it has a default too; leave one of them out` : null
}

/** A type of its own that is none. */
const typeFault = ({ sqlType }: AnyColumn): string | null =>
  sqlType !== null && (typeof sqlType === 'string' ? [sqlType] : Object.values(sqlType)).includes('')
    ? 'its type in the table is empty; give ofType one, or leave it out'
    : null

/** What no database could make a column of; null for what all of them can. */
const detailFault = (detail: ColumnDetail | null): string | null => {
  switch (detail?._tag) {
    case 'Decimal': {
      const { precision, scale } = detail
      const isWhole = Number.isInteger(precision) && Number.isInteger(scale)
      return isWhole && precision >= 1 && precision <= 65 && scale >= 0 && scale <= 30 && scale <= precision
        ? null
        : `decimal(${precision}, ${scale}) is none: it has 1 to 65 digits, at most 30 of them after the point`
    }
    case 'Enum':
      if (detail.values.length === 0) return 'the enum has no values; give it one at the least'
      return new Set(detail.values).size === detail.values.length ? null : 'the enum names a value twice; leave one out'
    case 'Array':
      return nested.has(detail.item.kind)
        ? `an array cannot hold ${detail.item.kind}; keep such lists as JSON, by jsonOf`
        : detailFault(detail.item.detail)
    case undefined:
      return null
  }
}

const nested: ReadonlySet<ColumnKind> = new Set(['array', 'json', 'blob'])
