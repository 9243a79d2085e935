/**
 * The tables of a model as they are on a dialect.
 *
 * What the dialect cannot have is left out, with a note that says so: deferrable constraints and partial indexes on MySQL
 * and MariaDB.
 */
import { isLeft } from 'fp-ts/lib/Either.js'
import type { Dialect } from '../engine/dialect.js'
import type { Check, Index } from '../model/constraint.js'
import { type ForeignKeyConstraint, foreignKeysOf, parentsFirst } from '../model/foreign-keys.js'
import { type LinkTable, linkTablesOf } from '../model/link-tables.js'
import type { Attribute, Mapping } from '../model/mapping.js'
import type { AnyModel } from '../model/model.js'
import type { ReferentialAction } from '../model/reference.js'
import { entitiesIn, storedMappings } from '../model/stored.js'
import { conditionText, defaultText } from './condition-text.js'
import {
  beginsWith,
  type CheckSchema,
  type ColumnSchema,
  type DatabaseSchema,
  type ForeignKeySchema,
  type IndexPart,
  type IndexSchema,
  type KeySchema,
  plainColumns,
  type SchemaNote,
  type TableSchema,
} from './database-schema.js'
import { counterTables, sequencesOf } from './generator-schema.js'
import { fitting, type NamedThing, type NamingConvention, postgresNaming, schemaIn, unqualified } from './naming.js'
import { withCollation } from './table-calls.js'

/**
 * @category model
 */
export interface SchemaOptions {
  /** Names what the model does not. */
  readonly naming?: NamingConvention
}

/**
 * The tables of a model, parents before children as far as no cycle of them prevents it, and tables of links last.
 *
 * @example
 * schemaOf(model)(postgresDialect).tables.map(({ name }) => name) // ['users', 'addresses']
 *
 * @category constructors
 */
export const schemaOf =
  (model: AnyModel, { naming = postgresNaming }: SchemaOptions = {}) =>
  (dialect: Dialect): DatabaseSchema => {
    const mappings = storedMappings(model.mappings)
    const foreignKeys = foreignKeysOf(mappings)
    const making: Making = { dialect, naming, inKeys: keyAttributes(foreignKeys), notes: [] }
    const tables = parentsFirst(mappings, foreignKeys).map((mapping) =>
      tableOf(mapping, foreignKeys.get(mapping) ?? [], making),
    )
    const links = linkTablesOf(mappings).map((link) => linkTable(link, making))
    return {
      dialect: dialect.name,
      searched: null,
      collation: null,
      tables: [...tables, ...links, ...counterTables(mappings, [...tables, ...links], naming, dialect)],
      views: [],
      sequences: sequencesOf(mappings, dialect, making.notes),
      notes: making.notes,
    }
  }

interface Making {
  readonly dialect: Dialect
  readonly naming: NamingConvention
  /** Attributes that stand in a key, a constraint or an index, and may need a type that can. */
  readonly inKeys: ReadonlySet<Attribute>
  readonly notes: SchemaNote[]
}

const columnNames = (attributes: ReadonlyArray<Attribute>): ReadonlyArray<string> =>
  attributes.map(({ columnName }) => columnName)

const keyAttributes = (
  foreignKeys: ReadonlyMap<Mapping, ReadonlyArray<ForeignKeyConstraint>>,
): ReadonlySet<Attribute> => {
  const all = new Set<Attribute>()
  const add = (attributes: ReadonlyArray<Attribute>): void => {
    for (const attribute of attributes) all.add(attribute)
  }
  for (const [mapping, constraints] of foreignKeys) {
    for (const attributes of [mapping.key, ...mapping.uniqueKeys]) add(attributes)
    for (const entity of entitiesIn(mapping)) {
      for (const index of entity.constraints.indexes) add(indexed(entity, index))
    }
    for (const { attributes, targetAttributes } of constraints) {
      add(attributes)
      add(targetAttributes)
    }
  }
  return all
}

const named = (mapping: Mapping, names: ReadonlyArray<string>): ReadonlyArray<Attribute> =>
  names.map((name) => mapping.attributeOf.get(name) as Attribute)

const indexed = (mapping: Mapping, { attributes }: Index): ReadonlyArray<Attribute> =>
  named(
    mapping,
    attributes.map(([name]) => name),
  )

/** What every table of PostgreSQL has of itself. */
const systemColumns: ReadonlySet<string> = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid'])

const tableOf = (mapping: Mapping, constraints: ReadonlyArray<ForeignKeyConstraint>, making: Making): TableSchema => {
  const { dialect } = making
  const nameOf = namesOf(mapping.table, making.naming)
  const indexes = entitiesIn(mapping).flatMap((entity) =>
    entity.constraints.indexes.flatMap((index) => indexOf(mapping, entity, index, nameOf, making) ?? []),
  )
  const key = columnNames(mapping.key)
  // a primary key takes no NULL
  const isPartial = mapping.key.some(({ isNullable }) => isNullable)
  const primaryKey = isPartial ? null : { name: nameOf('pkey', []), columns: key }
  const unique = [...(isPartial ? [{ name: nameOf('key', key), columns: key }] : []), ...uniqueOf(mapping, nameOf)]
  const own = {
    name: mapping.table,
    columns: mapping.attributes
      .filter(({ columnName }) => dialect.name !== 'postgres' || !systemColumns.has(columnName))
      .map((attribute) => columnOf(mapping, attribute, making)),
    primaryKey,
    unique,
    checks: checksOf(mapping, nameOf, making),
  }
  return {
    ...own,
    foreignKeys: constraints
      .map((constraint) => ({
        name: fitting(constraint.name ?? nameOf('fkey', columnNames(constraint.attributes))),
        columns: columnNames(constraint.attributes),
        table: constraint.target.table,
        targetColumns: columnNames(constraint.targetAttributes),
        onDelete: actionOf(constraint, 'onDelete', making),
        onUpdate: actionOf(constraint, 'onUpdate', making),
        deferrable: deferrableOf(constraint, making),
      }))
      .filter(isWithin(making, mapping.table)),
    indexes: [
      ...indexes,
      ...foreignKeyIndexes(
        [...(primaryKey === null ? [] : [primaryKey]), ...unique],
        indexes,
        constraints.filter(({ index }) => index).map(({ attributes }) => columnNames(attributes)),
        nameOf,
        dialect,
      ),
    ],
  }
}

/** A foreign key of SQLite leads to a table of the same database, attached or not. */
const isWithin =
  (making: Making, table: string) =>
  (foreignKey: ForeignKeySchema): boolean => {
    if (making.dialect.name !== 'sqlite' || databaseOf(table) === databaseOf(foreignKey.table)) return true
    const columns = foreignKey.columns.join(', ')
    const message = `foreign key (${columns}): ${foreignKey.table} is in another database, where none can lead; it is left out`
    unsupported(making, table, message)
    return false
  }

const databaseOf = (table: string): string => schemaIn(table) ?? 'main'

type NameOf = (kind: NamedThing['kind'], columns: ReadonlyArray<string>) => string

const namesOf =
  (table: string, naming: NamingConvention): NameOf =>
  (kind, columns) =>
    fitting(naming({ kind, table: unqualified(table), columns }))

const columnOf = (mapping: Mapping, attribute: Attribute, { dialect, inKeys }: Making): ColumnSchema => {
  const { column, columnName, isNullable } = attribute
  const isCounted =
    attribute.isGenerated &&
    column.serverDefault === null &&
    mapping.key.length === 1 &&
    (column.kind === 'integer' || column.kind === 'bigint')
  // a counted key of SQLite is the row id itself, which must be of type INTEGER by that name
  const type = isCounted && dialect.name === 'sqlite' ? 'integer' : typeOf(attribute, inKeys.has(attribute), dialect)
  return {
    name: columnName,
    ...withCollation(type),
    isNullable,
    default: column.serverDefault === null ? null : defaultText(attribute, column.serverDefault, dialect),
    isCounted,
    computed: null,
  }
}

const typeOf = ({ column }: Attribute, isKey: boolean, dialect: Dialect): string => {
  const { sqlType } = column
  const own = typeof sqlType === 'string' ? sqlType : sqlType?.[dialect.name]
  return own ?? dialect.columnType(column, isKey)
}

const uniqueOf = (mapping: Mapping, nameOf: NameOf): ReadonlyArray<KeySchema> => [
  ...mapping.attributes.flatMap(({ column, columnName }) =>
    column.unique ? [{ name: nameOf('key', [columnName]), columns: [columnName] }] : [],
  ),
  ...entitiesIn(mapping)
    .flatMap((entity) =>
      entity.constraints.unique.map(({ attributes, name }) => ({ name, attributes: named(entity, attributes) })),
    )
    // the column says it already
    .filter(({ attributes }) => !(attributes.length === 1 && attributes[0]?.column.unique === true))
    .map(({ name, attributes }) => {
      const columns = columnNames(attributes)
      return { name: fitting(name ?? nameOf('key', columns)), columns }
    }),
]

const indexOf = (
  { table }: Mapping,
  entity: Mapping,
  index: Index,
  nameOf: NameOf,
  making: Making,
): IndexSchema | null => {
  const columns = columnNames(indexed(entity, index))
  const name = fitting(index.name ?? nameOf('idx', columns))
  const parts = index.attributes.map(
    ([, direction], i): IndexPart => ({ _tag: 'Column', column: columns[i] as string, direction }),
  )
  const whole: IndexSchema = { name, parts, unique: index.unique, where: null, method: null }
  if (index.where === null) return whole
  if (making.dialect.name === 'mysql') {
    const cure = index.unique
      ? 'it is left out, and rows may share its values'
      : 'the index is made without its condition'
    unsupported(making, table, `index '${name}': there are no partial indexes here; ${cure}`)
    return index.unique ? null : whole
  }
  const where = conditionText(entity, making.dialect)(index.where)
  if (isLeft(where)) unencodable(making, table, `index '${name}': ${where.left}`)
  return isLeft(where) ? null : { ...whole, where: where.right.text }
}

const checksOf = (mapping: Mapping, nameOf: NameOf, making: Making): ReadonlyArray<CheckSchema> => {
  const used = new Set<string>()
  const own = entitiesIn(mapping).flatMap((entity) =>
    entity.constraints.checks.map((check) => [entity, check] as const),
  )
  return [...enumChecks(mapping), ...own].flatMap(([entity, { name, condition }]) => {
    const check = conditionText(entity, making.dialect)(condition)
    if (isLeft(check)) {
      unencodable(making, mapping.table, `check: ${check.left}`)
      return []
    }
    const { text, columns } = check.right
    // as PostgreSQL has it: the column's name where there is only one, and a number where the name is taken
    const base = nameOf('check', columns.length === 1 ? columns : [])
    let free = name ?? base
    for (let i = 1; used.has(free); i++) free = fitting(`${name ?? base}${i}`)
    used.add(free)
    return [{ name: fitting(free), expression: text }]
  })
}

/** The values of an enum are its column's only ones. */
const enumChecks = (mapping: Mapping): ReadonlyArray<readonly [Mapping, Check]> => {
  // subtypes in one table may have different attributes of one name
  const attributeOf = new Map(mapping.attributes.map((attribute) => [attribute.columnName, attribute]))
  const byColumn = { ...mapping, attributeOf }
  return mapping.attributes.flatMap(({ columnName, column: { detail } }) =>
    detail?._tag === 'Enum'
      ? [[byColumn, { name: null, condition: (eb) => eb(columnName, 'in', detail.values) }] as const]
      : [],
  )
}

const actionOf = (
  { attributes, holder, ...actions }: ForeignKeyConstraint,
  event: 'onDelete' | 'onUpdate',
  making: Making,
): ForeignKeySchema['onDelete'] => {
  const action = ownAction(actions[event], making.dialect)
  if (action !== 'set default' || making.dialect.name !== 'mysql') return action
  // InnoDB takes it, and does nothing of the kind
  const columns = columnNames(attributes).join(', ')
  const refused = event === 'onDelete' ? 'a delete' : 'a change of the key'
  unsupported(making, holder.table, `foreign key (${columns}): there is no set default here; ${refused} is refused`)
  return null
}

/** InnoDB's RESTRICT and NO ACTION are one. */
const ownAction = (action: ReferentialAction | null, dialect: Dialect): ForeignKeySchema['onDelete'] =>
  action === 'no action' || (action === 'restrict' && dialect.name === 'mysql') ? null : action

const deferrableOf = (constraint: ForeignKeyConstraint, making: Making): ForeignKeySchema['deferrable'] => {
  const { deferrable, holder, attributes } = constraint
  if (deferrable === null || making.dialect.name !== 'mysql') return deferrable
  const columns = columnNames(attributes).join(', ')
  unsupported(
    making,
    holder.table,
    `foreign key (${columns}): there are no deferrable constraints here; it is checked row by row`,
  )
  return null
}

/** An index on the columns of each foreign key that begin no key and no other index of all rows. */
const foreignKeyIndexes = (
  keys: ReadonlyArray<KeySchema>,
  indexes: ReadonlyArray<IndexSchema>,
  wanted: ReadonlyArray<ReadonlyArray<string>>,
  nameOf: NameOf,
  dialect: Dialect,
): ReadonlyArray<IndexSchema> => {
  // InnoDB makes an index for each foreign key by itself
  if (dialect.name === 'mysql') return []
  const serving = [...keys.map(({ columns }) => columns), ...indexes.flatMap(servingOf)]
  const made: IndexSchema[] = []
  for (const columns of wanted) {
    if (serving.some((other) => beginsWith(other, columns))) continue
    serving.push(columns)
    const parts = columns.map((column): IndexPart => ({ _tag: 'Column', column, direction: 'asc' }))
    made.push({ name: nameOf('idx', columns), parts, unique: false, where: null, method: null })
  }
  return made
}

const servingOf = (index: IndexSchema): ReadonlyArray<ReadonlyArray<string>> => {
  const columns = index.where === null ? plainColumns(index) : null
  return columns === null ? [] : [columns]
}

/** A table of links has the keys of both ends for its own key, goes with either end, and follows their keys. */
const linkTable = ({ link, owner, target, carries }: LinkTable, making: Making): TableSchema => {
  const { dialect, naming } = making
  const nameOf = namesOf(link.table, naming)
  const ends = [
    { mapping: owner, columns: link.own, isCarried: carries.owner },
    { mapping: target, columns: link.target, isCarried: carries.target },
  ]
  const primaryKey = { name: nameOf('pkey', []), columns: [...link.own, ...link.target] }
  return {
    name: link.table,
    columns: ends.flatMap(({ mapping, columns }) =>
      columns.map((name, i) => ({
        name,
        ...withCollation(typeOf(mapping.key[i] as Attribute, true, dialect)),
        isNullable: false,
        default: null,
        isCounted: false,
        computed: null,
      })),
    ),
    primaryKey,
    unique: [],
    foreignKeys: ends
      .map(({ mapping, columns, isCarried }) => ({
        name: nameOf('fkey', columns),
        columns,
        table: mapping.table,
        targetColumns: columnNames(mapping.key),
        onDelete: ownAction(link.onDelete ?? 'cascade', dialect),
        onUpdate: isCarried ? ('cascade' as const) : null,
        deferrable: null,
      }))
      .filter(isWithin(making, link.table)),
    indexes: link.index === false ? [] : foreignKeyIndexes([primaryKey], [], [link.own, link.target], nameOf, dialect),
    checks: [],
  }
}

const unsupported = ({ notes }: Making, table: string, message: string): void => {
  notes.push({ _tag: 'Unsupported', table, message })
}

const unencodable = ({ notes }: Making, table: string, message: string): void => {
  notes.push({ _tag: 'Unencodable', table, message })
}
