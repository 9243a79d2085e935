/**
 * Changing the tables of PostgreSQL, MySQL and MariaDB in place.
 *
 * What stands in the way goes first - foreign keys, checks, indexes -, then tables and columns change, then what was
 * missing is added. Foreign keys over columns that change are dropped and added again.
 */
import { building, type Call, call, rawSql } from './builder-call.js'
import {
  addingRemarks,
  type Change,
  chain,
  ofKind,
  parentsFirst,
  renameRemarks,
  type Step,
  statement,
} from './change.js'
import {
  beginsWith,
  type ColumnSchema,
  type ForeignKeySchema,
  type IndexSchema,
  type KeySchema,
  plainColumns,
  type TableSchema,
} from './database-schema.js'
import type { Difference } from './difference.js'
import { uniqueIndex } from './identity.js'
import { schemaIn } from './naming.js'
import {
  addCheck,
  addForeignKeyCalls,
  addPrimaryKey,
  addUnique,
  columnArguments,
  createIndexCalls,
  createTableCalls,
  foreignKeyName,
  keyName,
  quotedIndex,
  quotedName,
  quotedTable,
  typeText,
} from './table-calls.js'

export const serverSteps = (change: Change): ReadonlyArray<Step> => {
  const { differences } = change
  const again = disturbed(change)
  const extra = parentsFirst(ofKind(differences, 'ExtraTable').map(({ database }) => database))
  return [
    ...[
      ...ofKind(differences, 'ExtraForeignKey'),
      ...ofKind(differences, 'ForeignKeyRules'),
      ...again.map(({ table, database }) => ({ table, database })),
      ...[...extra.closing].flatMap(([table, keys]) => keys.map((database) => ({ table, database }))),
    ].map(({ table, database }) => dropConstraint(table, foreignKeyName(table, database))),
    ...(change.dialect === 'mysql' ? leftIndexes(change) : []),
    ...[...ofKind(differences, 'ExtraCheck'), ...ofKind(differences, 'CheckExpression')].flatMap(
      ({ table, database }) => (database.name === null ? [] : [dropConstraint(table, database.name)]),
    ),
    ...ofKind(differences, 'ExtraUnique').map(({ table, database }) => dropUnique(table, database, change)),
    ...[...ofKind(differences, 'ExtraIndex'), ...ofKind(differences, 'IndexDefinition')].map(({ table, database }) =>
      dropIndex(table, database.name, change),
    ),
    ...extra.ordered.toReversed().map(({ name }) => chain([call('dropTable', name)], `the rows of ${name} are lost`)),
    ...ofKind(differences, 'ExtraSequence').map(({ table }) =>
      statement(`drop sequence ${quotedTable(table, change.dialect)}`, `what ${table} has counted is lost`),
    ),
    ...madeSchemas(change).map((name) => chain([call('createSchema', name), call('ifNotExists')])),
    ...ofKind(differences, 'MissingSequence').map(({ table }) =>
      statement(`create sequence ${quotedTable(table, change.dialect)}`),
    ),
    ...(change.dialect === 'postgres' ? postgresColumns(change) : mysqlColumns(change)),
    ...ofKind(differences, 'MissingUnique').map(({ table, model }) => addUniqueStep(table, model, change)),
    ...createTables(change),
    ...[...ofKind(differences, 'MissingIndex'), ...ofKind(differences, 'IndexDefinition')].map(({ table, model }) =>
      chain(createIndexCalls(table, model, change.dialect)),
    ),
    ...[...ofKind(differences, 'MissingCheck'), ...ofKind(differences, 'CheckExpression')].map(({ table, model }) =>
      chain([call('alterTable', table), addCheck(table, model)], `rows of ${table} for which it is false are an error`),
    ),
    ...[...ofKind(differences, 'MissingForeignKey'), ...ofKind(differences, 'ForeignKeyRules'), ...again].map(
      ({ table, model }) => chain(addForeignKeyCalls(table, model)),
    ),
  ]
}

/** Schemas that something new is in, and nothing of before. */
const madeSchemas = ({ differences, from }: Change): ReadonlyArray<string> => {
  const known = new Set([...from.keys()].map(schemaIn))
  const wanted = differences
    .filter(({ _tag }) => _tag === 'MissingTable' || _tag === 'MissingSequence')
    .map(({ table }) => schemaIn(table))
  return [...new Set(wanted)].filter((schema) => schema !== null && !known.has(schema)) as ReadonlyArray<string>
}

const dropConstraint = (table: string, name: string): Step =>
  chain([call('alterTable', table), call('dropConstraint', name)])

interface Kept {
  readonly table: string
  readonly database: ForeignKeySchema
  readonly model: ForeignKeySchema
}

/** Foreign keys that stay, and stand in the way meanwhile: over columns that change, or on an index that goes. */
const disturbed = ({ differences, from, to, dialect }: Change): ReadonlyArray<Kept> => {
  const changed = new Set(
    differences.flatMap((difference) => {
      switch (difference._tag) {
        case 'ColumnType':
          return [cell(difference.table, difference.column)]
        case 'Nullability':
        case 'Default':
        case 'Counting':
          // MODIFY says all of a column anew
          return dialect === 'mysql' ? [cell(difference.table, difference.column)] : []
        case 'PrimaryKey':
          return [...(difference.model?.columns ?? []), ...(difference.database?.columns ?? [])].map((column) =>
            cell(difference.table, column),
          )
        default:
          return []
      }
    }),
  )
  const gone = differences.filter(
    (difference) => ofAny(difference, ['ForeignKeyRules', 'ExtraForeignKey']) && 'database' in difference,
  )
  const dropped = new Set(gone.map((difference) => 'database' in difference && difference.database))
  return [...from.values()].flatMap((table) =>
    table.foreignKeys.flatMap((foreignKey): ReadonlyArray<Kept> => {
      const kept = to.get(table.name)?.foreignKeys.find((other) => isSame(other, foreignKey))
      if (kept === undefined || dropped.has(foreignKey)) return []
      const isOverChanged =
        foreignKey.columns.some((column) => changed.has(cell(table.name, column))) ||
        foreignKey.targetColumns.some((column) => changed.has(cell(foreignKey.table, column)))
      return isOverChanged || (dialect === 'mysql' && losesIndex(differences, table.name, foreignKey))
        ? [{ table: table.name, database: foreignKey, model: kept }]
        : []
    }),
  )
}

const cell = (table: string, column: string): string => `${table}\n${column}`

const ofAny = (difference: Difference, tags: ReadonlyArray<Difference['_tag']>): boolean =>
  tags.includes(difference._tag)

const isSame = (a: ForeignKeySchema, b: ForeignKeySchema): boolean =>
  a.table === b.table &&
  a.columns.join('\n') === b.columns.join('\n') &&
  a.targetColumns.join('\n') === b.targetColumns.join('\n')

/** InnoDB keeps the index that serves a foreign key. */
const losesIndex = (differences: ReadonlyArray<Difference>, table: string, { columns }: ForeignKeySchema): boolean =>
  differences.some((difference) => {
    if (difference.table !== table) return false
    switch (difference._tag) {
      case 'ExtraUnique':
        return beginsWith(difference.database.columns, columns)
      case 'ExtraIndex':
      case 'IndexDefinition':
        return beginsWith(plainColumns(difference.database) ?? partColumns(difference.database), columns)
      default:
        return false
    }
  })

const partColumns = ({ parts }: IndexSchema): ReadonlyArray<string> =>
  parts.map((part) => (part._tag === 'Column' ? part.column : ''))

/** The index that InnoDB has made for a foreign key. */
const isImplied =
  (table: TableSchema) =>
  (index: IndexSchema): boolean => {
    const columns = index.unique ? null : plainColumns(index)
    return (
      columns !== null && table.foreignKeys.some((foreignKey) => foreignKey.columns.join('\n') === columns.join('\n'))
    )
  }

/** Indexes that InnoDB has made for foreign keys that go, and keeps: a model's schema does not list them. */
const leftIndexes = (change: Change): ReadonlyArray<Step> =>
  ofKind(change.differences, 'ExtraForeignKey').flatMap(({ table, database }) => {
    const from = change.from.get(table)
    const to = change.to.get(table)
    if (from === undefined || to === undefined) return []
    const isExact = (columns: ReadonlyArray<string> | null): boolean =>
      columns?.join('\n') === database.columns.join('\n')
    const isWanted =
      to.foreignKeys.some(({ columns }) => isExact(columns)) || to.indexes.some((index) => isExact(plainColumns(index)))
    if (isWanted) return []
    const listed = from.indexes.filter((index) => isImplied(from)(index) && isExact(plainColumns(index)))
    if (listed.length > 0) return listed.map(({ name }) => dropIndex(table, name, change))
    const serving = [
      from.primaryKey?.columns ?? [],
      ...from.unique.map(({ columns }) => columns),
      ...from.indexes.map(partColumns),
    ]
    return serving.some((columns) => beginsWith(columns, database.columns))
      ? []
      : [dropIndex(table, foreignKeyName(table, database), change)]
  })

/** The index behind a unique key, where it is no constraint. */
const indexBehind = (table: TableSchema | undefined, key: KeySchema): IndexSchema | undefined =>
  table?.indexes.find((index) => index.name === key.name && uniqueIndex(index) !== null)

const dropUnique = (table: string, key: KeySchema, change: Change): Step =>
  change.dialect === 'mysql' || indexBehind(change.from.get(table), key) !== undefined
    ? dropIndex(table, key.name ?? '', change)
    : dropConstraint(table, key.name ?? '')

const addUniqueStep = (table: string, key: KeySchema, { to, dialect }: Change): Step => {
  const index = indexBehind(to.get(table), key)
  return chain(
    index === undefined ? [call('alterTable', table), addUnique(table, key)] : createIndexCalls(table, index, dialect),
    `rows of ${table} that share ${key.columns.join(', ')} are an error`,
  )
}

const dropIndex = (table: string, name: string, { dialect }: Change): Step => {
  if (dialect === 'mysql') return chain([call('dropIndex', name), call('on', table)])
  return schemaIn(table) === null
    ? chain([call('dropIndex', name)])
    : statement(`drop index ${quotedIndex(table, name, dialect)}`)
}

const createTables = ({ differences, dialect }: Change): ReadonlyArray<Step> => {
  const { ordered, closing } = parentsFirst(ofKind(differences, 'MissingTable').map(({ model }) => model))
  return [
    ...ordered.flatMap((table) => {
      const later = closing.get(table.name) ?? []
      const within = table.foreignKeys.filter((foreignKey) => !later.includes(foreignKey))
      return [
        chain(createTableCalls(table, within, dialect)),
        ...table.indexes
          .filter((index) => dialect !== 'mysql' || !isImplied(table)(index))
          .map((index) => chain(createIndexCalls(table.name, index, dialect))),
      ]
    }),
    ...[...closing].flatMap(([table, keys]) => keys.map((key) => chain(addForeignKeyCalls(table, key)))),
  ]
}

const addedColumns = ({ differences, dialect }: Change): ReadonlyArray<Step> => {
  const begun = new Set<string>()
  return ofKind(differences, 'MissingColumn').map(({ table, column, model }) => {
    const isFirst = !begun.has(table)
    begun.add(table)
    return chain(
      [call('alterTable', table), call('addColumn', column, ...columnArguments(model, dialect, false))],
      ...(isFirst ? renameRemarks(differences, table, dialect) : []),
      ...addingRemarks(table, model),
    )
  })
}

const droppedColumns = ({ differences }: Change): ReadonlyArray<Step> =>
  ofKind(differences, 'ExtraColumn').map(({ table, column }) =>
    chain([call('alterTable', table), call('dropColumn', column)], `what ${table}.${column} holds is lost`),
  )

const nullRemark = (table: string, column: string): string =>
  `rows of ${table} that have no ${column} are an error: fill them first`

const typeRemark = (table: string, column: string, from: string, to: string): string =>
  `${table}.${column} becomes ${to} from ${from}: values that do not fit are an error, or are rounded or cut`

const postgresColumns = (change: Change): ReadonlyArray<Step> => {
  const { differences, from, to } = change
  const keys = ofKind(differences, 'PrimaryKey')
  const counted = ofKind(differences, 'Counting')
  const retyped = new Set(ofKind(differences, 'ColumnType').map(({ table, column }) => cell(table, column)))
  const alter = (table: string, column: string, alteration: Call, ...remarks: ReadonlyArray<string>): Step =>
    chain([call('alterTable', table), call('alterColumn', column, ...building('column', [alteration]))], ...remarks)
  return [
    ...keys.flatMap(({ table, database }) =>
      database === null ? [] : [dropConstraint(table, keyName(table, database))],
    ),
    ...addedColumns(change),
    ...droppedColumns(change),
    // what is counted has to be an integer
    ...counted.filter(({ model }) => !model).flatMap(({ table, column }) => notCounting(table, column)),
    ...ofKind(differences, 'ColumnType').flatMap(({ table, column, ...sides }) => {
      const model = columnIn(to, table, column)
      if (model === undefined) return []
      const type = typeText(model, 'postgres')
      const old = columnIn(from, table, column)
      const cast = `${type} using ${castText(column, old?.type ?? '', model.type)}`
      const given = old?.default ?? null
      return [
        // a default is not cast with its column
        ...(given === null ? [] : [alter(table, column, call('dropDefault'))]),
        alter(table, column, call('setDataType', rawSql(cast)), typeRemark(table, column, sides.database, sides.model)),
        ...(given === null || model.default === null
          ? []
          : [alter(table, column, call('setDefault', rawSql(model.default)))]),
      ]
    }),
    ...ofKind(differences, 'Nullability').map(({ table, column, model }) =>
      model
        ? alter(table, column, call('dropNotNull'))
        : alter(table, column, call('setNotNull'), nullRemark(table, column)),
    ),
    ...ofKind(differences, 'Default')
      .filter(({ table, column, database }) => database === null || !retyped.has(cell(table, column)))
      .map(({ table, column, model }) =>
        alter(table, column, model === null ? call('dropDefault') : call('setDefault', rawSql(model))),
      ),
    ...counted.filter(({ model }) => model).flatMap(({ table, column }) => counting(table, column)),
    ...keys.flatMap(({ table, model }) =>
      model === null ? [] : [chain([call('alterTable', table), addPrimaryKey(table, model)])],
    ),
  ]
}

/** What types have no cast between them have one by way of text. */
const castText = (column: string, from: string, to: string): string => {
  const isDirect = [from, to].every((type) => numeric.test(type)) || [from, to].some((type) => textual.test(type))
  return `${quotedName(column, 'postgres')}${isDirect ? '' : '::text'}::${to}`
}

const numeric = /^(?:smallint|integer|bigint|real|double precision|numeric|decimal)/i
const textual = /^(?:text|character|varchar|char)[^[]*$/i

const counting = (table: string, column: string): ReadonlyArray<Step> => {
  const on = quotedTable(table, 'postgres')
  const name = quotedName(column, 'postgres')
  const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
  return [
    statement(`alter table ${on} alter column ${name} add generated by default as identity`),
    statement(
      `select setval(pg_get_serial_sequence(${text(on)}, ${text(column)}), coalesce(max(${name}), 0) + 1, false) from ${on}`,
    ),
  ]
}

const notCounting = (table: string, column: string): ReadonlyArray<Step> => {
  const alter = `alter table ${quotedTable(table, 'postgres')} alter column ${quotedName(column, 'postgres')}`
  // the latter is what is left of a column of type serial
  return [statement(`${alter} drop identity if exists`), statement(`${alter} drop default`)]
}

const columnIn = (tables: ReadonlyMap<string, TableSchema>, table: string, column: string): ColumnSchema | undefined =>
  tables.get(table)?.columns.find(({ name }) => name === column)

/**
 * MODIFY says all of a column. What comes into a key has to be fit for it before, what leaves it can be anything
 * afterwards, and only a key can be counted up.
 */
const mysqlColumns = (change: Change): ReadonlyArray<Step> => {
  const { differences, from, to } = change
  const keys = ofKind(differences, 'PrimaryKey')
  const isKept = (table: string, column: string): boolean =>
    to.get(table)?.primaryKey?.columns.includes(column) === true
  const modify = (table: string, column: ColumnSchema, ...remarks: ReadonlyArray<string>): Step =>
    chain(
      [call('alterTable', table), call('modifyColumn', column.name, ...columnArguments(column, 'mysql', false))],
      ...remarks,
    )
  const counted = keys.flatMap(({ table }) =>
    (from.get(table)?.columns ?? []).filter(({ isCounted }) => isCounted).map((column) => ({ table, column })),
  )
  const modified = modifiedColumns(change)
  // one that was counted up, and is in a key that changes, is counted up again in the end
  for (const { table, column } of counted) {
    const place = cell(table, column.name)
    if (!modified.has(place)) modified.set(place, { table, column: column.name, remarks: [] })
  }
  const steps = [...modified.values()].flatMap(({ table, column: name, remarks }) => {
    const column = columnIn(to, table, name)
    return column === undefined ? [] : [{ table, column, step: modify(table, column, ...remarks) }]
  })
  const plain = steps.filter(({ column }) => !column.isCounted)
  return [
    ...addedColumns(change),
    ...counted.map(({ table, column }) => modify(table, { ...column, isCounted: false })),
    ...plain.filter(({ table, column }) => isKept(table, column.name)).map(({ step }) => step),
    ...keys.map(({ table, model, database }) => {
      const key = (model?.columns ?? []).map((column) => quotedName(column, 'mysql')).join(', ')
      const parts = [
        ...(database === null ? [] : ['drop primary key']),
        ...(model === null ? [] : [`add primary key (${key})`]),
      ]
      return statement(`alter table ${quotedTable(table, 'mysql')} ${parts.join(', ')}`)
    }),
    ...droppedColumns(change),
    ...plain.filter(({ table, column }) => !isKept(table, column.name)).map(({ step }) => step),
    ...steps.filter(({ column }) => column.isCounted).map(({ step }) => step),
  ]
}

interface Modified {
  readonly table: string
  readonly column: string
  readonly remarks: string[]
}

/** Each column of which anything changes, once. */
const modifiedColumns = ({ differences }: Change): Map<string, Modified> => {
  const modified = new Map<string, Modified>()
  const add = (table: string, column: string, ...remarks: ReadonlyArray<string>): void => {
    const known = modified.get(cell(table, column)) ?? { table, column, remarks: [] }
    known.remarks.push(...remarks)
    modified.set(cell(table, column), known)
  }
  for (const difference of differences) {
    switch (difference._tag) {
      case 'ColumnType':
        add(
          difference.table,
          difference.column,
          typeRemark(difference.table, difference.column, difference.database, difference.model),
        )
        break
      case 'Nullability':
        add(
          difference.table,
          difference.column,
          ...(difference.model ? [] : [nullRemark(difference.table, difference.column)]),
        )
        break
      case 'Default':
      case 'Counting':
        add(difference.table, difference.column)
        break
      default:
    }
  }
  return modified
}
