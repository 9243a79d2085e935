/**
 * A starting model as source, from the tables of a database: to read, rename and go on from.
 */
import { escaped, quoted } from './builder-call.js'
import {
  beginsWith,
  type DatabaseSchema,
  type ForeignKeySchema,
  type IndexSchema,
  plainColumns,
  type TableSchema,
} from './database-schema.js'
import { migratorTables } from './drift.js'
import { uniqueIndex } from './identity.js'
import {
  type AttributeDraft,
  draftOf,
  type EntityDraft,
  type ModelDraft,
  type RelationshipDraft,
} from './model-draft.js'
import { fitting, postgresNaming, unqualified } from './naming.js'
import { saidForeignKeys } from './reference-source.js'

/**
 * The source of a model, in TypeScript: its entities with their columns, keys and constraints, and the relationships that
 * foreign keys suggest, from both sides. Tables of links are relationships of many to many.
 *
 * What cannot be said in a model, or is worth a look, stands in comments above it. Without any, the database has no drift
 * from the model.
 *
 * @example
 * const read = await introspect(engine)()
 * if (isRight(read)) await writeFile('model.ts', modelSource(read.right))
 *
 * @category interpreters
 */
export const modelSource = (schema: DatabaseSchema): string => {
  const draft = draftOf({ ...schema, tables: schema.tables.filter(({ name }) => !migratorTables.has(name)) })
  const untold: string[] = []
  const entities = draft.entities.map((entity) => entitySource(entity, draft, schema.dialect, untold))
  const notes = [...draft.notes.map(({ table, message }) => `// ${table}: ${message}`), ...untold]
  const body = [...entities, modelText(draft)].join('\n\n')
  return [...imports(body), '', ...notes, ...(notes.length > 0 ? [''] : []), body, ''].join('\n')
}

const combinators = [
  'arrayOf',
  'bigint',
  'blob',
  'boolean',
  'decimal',
  'defineModel',
  'entity',
  'enumOf',
  'generated',
  'instant',
  'integer',
  'jsonOf',
  'named',
  'nullable',
  'ofType',
  'plainDate',
  'plainTime',
  'primaryKey',
  'real',
  'references',
  'text',
  'unique',
  'uuid',
  'withServerDefault',
]

/** What a source uses, outside of its texts. */
const imports = (body: string): ReadonlyArray<string> => {
  const code = body.replaceAll(/'(?:[^'\\]|\\.)*'|(?:<boolean>)?`(?:[^`\\]|\\.)*`/gs, '``')
  const used = (name: string): boolean => new RegExp(`(?<![\\w.])${name}(?![\\w:])`).test(code)
  return [
    `import { ${combinators.filter(used).join(', ')} } from '@unitary/core'`,
    ...(used('pipe') ? ["import { pipe } from 'fp-ts/lib/function.js'"] : []),
    ...(used('t') ? ["import * as t from 'io-ts'"] : []),
    ...(used('sql') ? ["import { sql } from 'kysely'"] : []),
  ]
}

type DialectName = DatabaseSchema['dialect']

const entitySource = (entity: EntityDraft, draft: ModelDraft, dialect: DialectName, untold: string[]): string => {
  const { name, table, attributes } = entity
  const nameOf = (column: string): string => attributes.find((a) => a.column.name === column)?.name ?? column
  const references = saidForeignKeys(entity, draft, untold)
  const own = new Map<string, ForeignKeySchema>()
  for (const foreignKey of references) {
    const [column, ...more] = foreignKey.columns
    if (column !== undefined && more.length === 0 && !own.has(column)) own.set(column, foreignKey)
  }
  const columns = attributes.map(
    (attribute) =>
      `  ${attribute.name}: ${columnText(attribute, entity, own.get(attribute.column.name), dialect, untold)},`,
  )
  const list = (names: ReadonlyArray<string>): string => `[${names.map((column) => quoted(nameOf(column))).join(', ')}]`
  const options = [
    optionText('unique', uniqueTexts(table, list)),
    optionText('indexes', indexTexts(table, references, dialect, nameOf, untold)),
    optionText(
      'checks',
      entity.checks.map(({ name: check, expression }) => {
        const condition = `() => sql<boolean>\`${escaped(expression)}\``
        return check === null ? condition : `{ check: ${condition}, name: ${quoted(check)} }`
      }),
    ),
    optionText(
      'foreignKeys',
      references
        .filter((foreignKey) => own.get(foreignKey.columns[0] ?? '') !== foreignKey)
        .map((foreignKey) => {
          const targets = foreignKey.targetColumns.map((column) => quoted(`${foreignKey.table}.${column}`))
          const said = referenceOptions(foreignKey, table, dialect)
          return `{ ${[`attributes: ${list(foreignKey.columns)}`, `references: [${targets.join(', ')}]`, ...said].join(', ')} }`
        }),
    ),
  ].flat()
  const head = `export const ${name} = entity(${quoted(name)}, ${quoted(table.name)}, {`
  return [head, ...columns, ...(options.length === 0 ? ['})'] : ['}, {', ...options, '})'])].join('\n')
}

const optionText = (name: string, items: ReadonlyArray<string>): ReadonlyArray<string> =>
  items.length === 0 ? [] : [`  ${name}: [`, ...items.map((item) => `    ${item},`), '  ],']

const columnText = (
  { name, column, source }: AttributeDraft,
  { table }: EntityDraft,
  foreignKey: ForeignKeySchema | undefined,
  dialect: DialectName,
  untold: string[],
): string => {
  const key = table.primaryKey?.columns ?? []
  const isKey = key.includes(column.name)
  const isGenerated = column.isCounted && isKey && key.length === 1 && /^(?:integer|bigint)$/.test(source.base)
  if (column.isCounted && !isGenerated) {
    untold.push(
      `// ${table.name}: ${column.name}: the database counts it up, as a model says of a whole primary key only`,
    )
  }
  // what is computed is given like a default: inserts leave it out
  const given = column.computed ?? (column.default?.toLowerCase() === 'null' ? null : column.default)
  const parts = [
    ...(isKey ? ['primaryKey'] : []),
    ...(isGenerated ? ['generated'] : []),
    ...(name === column.name ? [] : [`named(${quoted(column.name)})`]),
    ...(source.sqlType === null ? [] : [`ofType(${quoted(source.sqlType)})`]),
    ...(given === null ? [] : [`withServerDefault(sql\`${escaped(given)}\`)`]),
    ...(column.isNullable && !isKey ? ['nullable'] : []),
    ...(isUniqueAlone(table, column.name) ? ['unique'] : []),
    ...(foreignKey === undefined ? [] : [referenceText(foreignKey, table, dialect)]),
  ]
  return parts.length === 0 ? source.base : `pipe(${[source.base, ...parts].join(', ')})`
}

const referenceText = (foreignKey: ForeignKeySchema, table: TableSchema, dialect: DialectName): string => {
  const target = quoted(`${foreignKey.table}.${foreignKey.targetColumns[0] ?? ''}`)
  const said = referenceOptions(foreignKey, table, dialect)
  return said.length === 0 ? `references(${target})` : `references(${target}, { ${said.join(', ')} })`
}

const referenceOptions = (
  foreignKey: ForeignKeySchema,
  table: TableSchema,
  dialect: DialectName,
): ReadonlyArray<string> => {
  const { columns, onDelete, onUpdate, deferrable, name } = foreignKey
  const serving = [
    ...[table.primaryKey, ...table.unique].map((key) => key?.columns ?? []),
    ...table.indexes.flatMap((index) => (index.where === null ? [plainColumns(index) ?? []] : [])),
  ]
  const isIndexed = dialect === 'mysql' || serving.some((other) => beginsWith(other, columns))
  return [
    ...(onDelete === null ? [] : [`onDelete: ${quoted(onDelete)}`]),
    ...(onUpdate === null ? [] : [`onUpdate: ${quoted(onUpdate)}`]),
    ...(deferrable === null ? [] : [`deferrable: ${quoted(deferrable)}`]),
    ...(name === null || name === usual('fkey', table, columns) ? [] : [`name: ${quoted(name)}`]),
    ...(isIndexed ? [] : ['index: false']),
  ]
}

/** The name that it would get anyway. */
const usual = (kind: 'key' | 'fkey' | 'idx', table: TableSchema, columns: ReadonlyArray<string>): string =>
  fitting(postgresNaming({ kind, table: unqualified(table.name), columns }))

/** Whether a constraint of the column alone has no name that has to be said. */
const isUniqueAlone = (table: TableSchema, column: string): boolean =>
  table.unique.some(
    ({ columns, name }) => columns.length === 1 && columns[0] === column && isUsual(table, columns, name),
  )

const isUsual = (table: TableSchema, columns: ReadonlyArray<string>, name: string | null): boolean =>
  name === null || name === usual('key', table, columns)

const uniqueTexts = (table: TableSchema, list: (columns: ReadonlyArray<string>) => string): ReadonlyArray<string> =>
  table.unique
    .filter(({ columns, name }) => columns.length > 1 || !isUsual(table, columns, name))
    .map(({ columns, name }) =>
      isUsual(table, columns, name) ? list(columns) : `{ attributes: ${list(columns)}, name: ${quoted(name ?? '')} }`,
    )

const indexTexts = (
  table: TableSchema,
  references: ReadonlyArray<ForeignKeySchema>,
  dialect: DialectName,
  nameOf: (column: string) => string,
  untold: string[],
): ReadonlyArray<string> =>
  table.indexes.flatMap((index) => {
    const columns = plainColumns(index)
    const implied = references.some((foreignKey) => foreignKey.columns.join('\n') === columns?.join('\n'))
    const isUsualName = columns !== null && index.name === usual('idx', table, columns)
    // the model makes these, or the database by itself
    if (uniqueIndex(index) === null && implied && (isUsualName || dialect === 'mysql')) return []
    if (index.method !== null || index.parts.some(({ _tag }) => _tag === 'Expression')) {
      untold.push(
        `// ${table.name}: the index ${index.name} is of a kind, or on expressions, that a model does not say`,
      )
      return []
    }
    return [indexText(index, isUsualName, nameOf)]
  })

const indexText = (index: IndexSchema, isUsualName: boolean, nameOf: (column: string) => string): string => {
  const attributes = index.parts.map((part) => {
    const attribute = quoted(part._tag === 'Column' ? nameOf(part.column) : part.expression)
    return part.direction === 'desc' ? `[${attribute}, 'desc']` : attribute
  })
  const said = [
    ...(isUsualName ? [] : [`name: ${quoted(index.name)}`]),
    ...(index.unique ? ['unique: true'] : []),
    ...(index.where === null ? [] : [`where: () => sql<boolean>\`${escaped(index.where)}\``]),
  ]
  const isShort = said.length === 0 && index.parts.every(({ direction }) => direction === 'asc')
  return isShort
    ? `[${attributes.join(', ')}]`
    : `{ ${[`attributes: [${attributes.join(', ')}]`, ...said].join(', ')} }`
}

const modelText = ({ entities }: ModelDraft): string => {
  const names = `{ ${entities.map(({ name }) => name).join(', ')} }`
  const related = entities.filter(({ relationships }) => relationships.length > 0)
  if (related.length === 0) return `export const model = defineModel(${names})(() => ({}))`
  return [
    `export const model = defineModel(${names})((r) => ({`,
    ...related.flatMap(({ name, relationships }) => [
      `  ${name}: {`,
      ...relationships.map((relationship) => `    ${relationship.name}: ${relationshipText(name, relationship)},`),
      '  },',
    ]),
    '}))',
  ].join('\n')
}

const relationshipText = (owner: string, relationship: RelationshipDraft): string => {
  const { _tag, target, inverse, foreignKey, onDelete, references, through } = relationship
  const method = `${_tag.charAt(0).toLowerCase()}${_tag.slice(1)}`
  const names = (list: ReadonlyArray<string>): string => `[${list.map(quoted).join(', ')}]`
  const oneOrMany = (list: ReadonlyArray<string>): string => (list.length === 1 ? quoted(list[0] ?? '') : names(list))
  const options = [
    ...(through === null
      ? [
          `foreignKey: ${oneOrMany(foreignKey)}`,
          ...(references === null ? [] : [`references: ${oneOrMany(references)}`]),
        ]
      : [
          `through: { ${[
            `table: ${quoted(through.table)}`,
            `own: ${names(through.own)}`,
            `target: ${names(through.target)}`,
            ...(through.onDelete === 'cascade' ? [] : [`onDelete: ${quoted(through.onDelete ?? 'no action')}`]),
            ...(through.isIndexed ? [] : ['index: false']),
          ].join(', ')} }`,
          ...(through.isCarried ? [] : ['passiveUpdates: false']),
        ]),
    `inverse: ${quoted(inverse)}`,
    ...(_tag === 'BelongsTo' || onDelete === null ? [] : onDeleteOptions(onDelete)),
  ]
  return `r.${owner}.${method}(${quoted(target)}, { ${options.join(', ')} })`
}

/** What the database does with what refers to a row that is deleted, as far as a relationship says it. */
const onDeleteOptions = (onDelete: NonNullable<ForeignKeySchema['onDelete']>): ReadonlyArray<string> => {
  switch (onDelete) {
    case 'cascade':
      return ["cascade: ['save-update', 'merge', 'delete']", 'passiveDeletes: true']
    case 'set null':
      return ['passiveDeletes: true']
    case 'set default':
    case 'restrict':
      return []
  }
}
