/**
 * The entities and relationships that a database suggests, as data.
 *
 * Every table with a primary key is an entity, but for tables of links: two foreign keys and nothing else, which are
 * relationships of many to many. Each foreign key to a primary key is a relationship of both its ends.
 */
import type { Dialect } from '../engine/dialect.js'
import type { ColumnKind } from '../model/column.js'
import { type ColumnSource, columnSource } from './column-source.js'
import {
  beginsWith,
  type ColumnSchema,
  type DatabaseSchema,
  type ForeignKeySchema,
  plainColumns,
  type SchemaNote,
  type TableSchema,
} from './database-schema.js'
import { camelCase, capitalised, entityName, freeName, plural, singular } from './model-names.js'
import { unqualified } from './naming.js'
import { canonical } from './same-expression.js'
import { canonicalType } from './same-type.js'

export interface ModelDraft {
  readonly entities: ReadonlyArray<EntityDraft>
  readonly notes: ReadonlyArray<SchemaNote>
}

export interface EntityDraft {
  readonly name: string
  readonly table: TableSchema
  readonly attributes: ReadonlyArray<AttributeDraft>
  /** Checks that no column says itself. */
  readonly checks: TableSchema['checks']
  readonly relationships: ReadonlyArray<RelationshipDraft>
}

export interface AttributeDraft {
  readonly name: string
  readonly column: ColumnSchema
  readonly source: ColumnSource
}

export interface RelationshipDraft {
  readonly _tag: 'HasMany' | 'HasOne' | 'BelongsTo' | 'ManyToMany'
  readonly name: string
  readonly target: string
  readonly inverse: string
  /** Attributes that hold the key, in the order of the key; none of many to many. */
  readonly foreignKey: ReadonlyArray<string>
  /** Attributes of the other side that it refers to; null for the primary key. */
  readonly references: ReadonlyArray<string> | null
  readonly onDelete: ForeignKeySchema['onDelete']
  readonly through: LinkDraft | null
}

export interface LinkDraft {
  readonly table: string
  readonly own: ReadonlyArray<string>
  readonly target: ReadonlyArray<string>
  readonly onDelete: ForeignKeySchema['onDelete']
  readonly isIndexed: boolean
  /** Does the database carry a changed key of the owner to the links? */
  readonly isCarried: boolean
}

/** What a database suggests. */
export const draftOf = (schema: DatabaseSchema): ModelDraft => {
  const notes: SchemaNote[] = [...schema.notes]
  const note = (table: string, message: string): void => {
    notes.push({ _tag: 'Unreadable', table, message })
  }
  for (const { name } of schema.views) {
    note(name, 'it is a view: an entity may map it, with a primary key that you know of')
  }
  for (const { isUsed, name } of schema.sequences) {
    if (!isUsed) note(name, `it is a sequence: a key may be drawn from it, by generatedBy(sequence('${name}'))`)
  }
  const keyed = schema.tables.filter((table) => {
    if (table.primaryKey === null) note(table.name, 'it has no primary key, by which an entity tells its rows apart')
    return table.primaryKey !== null
  })
  const links = linksOf(keyed, schema)
  const names = new Set<string>()
  const drafts = new Map<string, Drafting>()
  for (const table of ownersFirst(
    keyed.filter(({ name }) => !links.has(name)),
    [...links.values()],
  )) {
    drafts.set(table.name, entityOf(table, freeName(names, entityName(unqualified(table.name))), schema, note))
  }
  for (const draft of drafts.values()) relate(draft, drafts, note)
  for (const link of links.values()) linked(link, drafts)
  return { entities: [...drafts.values()], notes }
}

interface Drafting extends EntityDraft {
  readonly attributes: AttributeDraft[]
  readonly relationships: RelationshipDraft[]
  /** Names of its attributes and relationships. */
  readonly taken: Set<string>
}

type Note = (table: string, message: string) => void

const entityOf = (table: TableSchema, name: string, schema: DatabaseSchema, note: Note): Drafting => {
  const taken = new Set<string>()
  const inKeys = keyColumns(table, schema)
  const values = valuesOf(table, schema.dialect)
  const key = table.primaryKey?.columns ?? []
  // the order of a key is that of its attributes
  const columns = [
    ...key.flatMap((column) => table.columns.find((other) => other.name === column) ?? []),
    ...table.columns.filter((column) => !key.includes(column.name)),
  ]
  const attributes = columns.map((column): AttributeDraft => {
    const check = values.get(column.name) ?? null
    const isKey = inKeys.has(column.name)
    const source = columnSource(column, schema.collation, schema.dialect, isKey, check?.values ?? null)
    if (source.note !== null) note(table.name, `${column.name}: ${source.note}`)
    if (column.computed !== null) note(table.name, `${column.name}: the database computes it; never set it`)
    return { name: freeName(taken, camelCase(column.name)), column, source }
  })
  const said = new Set(
    attributes.flatMap(({ column, source }) => (source.type.kind === 'enum' ? [values.get(column.name)?.check] : [])),
  )
  return { name, table, attributes, checks: table.checks.filter((check) => !said.has(check)), relationships: [], taken }
}

/** Columns in a key, a constraint or an index, whose type may be another. */
const keyColumns = (table: TableSchema, { tables }: DatabaseSchema): ReadonlySet<string> =>
  new Set([
    ...(table.primaryKey?.columns ?? []),
    ...table.unique.flatMap(({ columns }) => columns),
    ...table.foreignKeys.flatMap(({ columns }) => columns),
    ...table.indexes.flatMap(({ parts }) => parts.flatMap((part) => (part._tag === 'Column' ? [part.column] : []))),
    ...tables.flatMap(({ foreignKeys }) =>
      foreignKeys.flatMap((foreignKey) => (foreignKey.table === table.name ? foreignKey.targetColumns : [])),
    ),
  ])

interface AllowedValues {
  readonly check: TableSchema['checks'][number]
  readonly values: ReadonlyArray<string>
}

/** The texts that a check allows a column, by the column. */
const valuesOf = (table: TableSchema, dialect: Dialect['name']): ReadonlyMap<string, AllowedValues> => {
  const allowed = new Map<string, AllowedValues>()
  const byLowerCase = new Map(table.columns.map(({ name }) => [name.toLowerCase(), name]))
  for (const check of table.checks) {
    const term = JSON.parse(canonical(check.expression, dialect)) as { operator?: string; operands?: unknown[] }
    if (term.operator !== 'in' && term.operator !== '=') continue
    const [column, ...literals] = term.operands ?? []
    const name = typeof column === 'string' ? byLowerCase.get(column) : undefined
    const values = literals.flatMap((literal) =>
      typeof literal === 'string' && literal.startsWith("'") ? [literal.slice(1, -1).replaceAll("''", "'")] : [],
    )
    if (name !== undefined && values.length === literals.length)
      allowed.set(name, { check, values: [...new Set(values)] })
  }
  return allowed
}

const attributeNames = ({ attributes }: EntityDraft, columns: ReadonlyArray<string>): ReadonlyArray<string> =>
  columns.flatMap((column) => attributes.find((attribute) => attribute.column.name === column)?.name ?? [])

const sameColumns = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((column) => b.includes(column))

/**
 * Columns of a foreign key and those that it refers to, in the order of the primary key where it refers to that; null where it
 * refers to what several rows may have alike.
 */
const pairsOf = (
  { columns, targetColumns }: ForeignKeySchema,
  target: TableSchema,
): {
  readonly columns: ReadonlyArray<string>
  readonly key: ReadonlyArray<string>
  readonly isPrimary: boolean
} | null => {
  const key = target.primaryKey?.columns ?? []
  if (sameColumns(targetColumns, key)) {
    return { columns: key.map((column) => columns[targetColumns.indexOf(column)] as string), key, isPrimary: true }
  }
  const isUnique = target.unique.some((unique) => sameColumns(targetColumns, unique.columns))
  return isUnique ? { columns, key: targetColumns, isPrimary: false } : null
}

/** Does the table give a row that leaves the column out a value? */
const isGiven = ({ columns }: TableSchema, name: string): boolean =>
  columns.some(
    (column) => column.name === name && (column.default !== null || column.computed !== null || column.isCounted),
  )

const kindsOf = ({ attributes }: EntityDraft, columns: ReadonlyArray<string>): ReadonlyArray<ColumnKind | undefined> =>
  columns.map((name) => attributes.find(({ column }) => column.name === name)?.source.type.kind)

/** A relationship on either side of each foreign key. */
const relate = (holder: Drafting, drafts: ReadonlyMap<string, Drafting>, note: Note): void => {
  const { table } = holder
  for (const foreignKey of table.foreignKeys) {
    const target = drafts.get(foreignKey.table)
    if (target === undefined) {
      note(
        table.name,
        `its foreign key (${foreignKey.columns.join(', ')}) refers to ${foreignKey.table}, which is no entity`,
      )
      continue
    }
    const pairs = pairsOf(foreignKey, target.table)
    if (pairs === null) continue
    const { columns, isPrimary, key } = pairs
    if (!isPrimary && key.some((name) => isGiven(target.table, name))) {
      note(table.name, `(${columns.join(', ')}) refers to what the database gives beside a key: it is no relationship`)
      continue
    }
    if (kindsOf(holder, columns).join() !== kindsOf(target, key).join()) {
      note(table.name, `(${columns.join(', ')}) is not of the type of the key that it refers to: it is no relationship`)
      continue
    }
    const isOnly = table.foreignKeys.filter((other) => other.table === foreignKey.table).length === 1
    const { name: base, stem } = referenceNames(columns, target, isOnly)
    const name = freeName(holder.taken, base, `${base}${target.name}`)
    const isOne = [table.primaryKey, ...table.unique].some(
      (unique) => unique !== null && sameColumns(unique.columns, columns),
    )
    const own = camelCase(unqualified(table.name))
    const many = isOne ? singular(own) : plural(own)
    const isSelf = holder === target
    const inverse = freeName(
      target.taken,
      ...(isSelf && stem === 'parent' && !isOne ? ['children'] : []),
      ...(isOnly && !isSelf ? [many] : []),
      `${stem}${capitalised(many)}`,
    )
    const shared = {
      foreignKey: attributeNames(holder, columns),
      references: isPrimary ? null : attributeNames(target, key),
      onDelete: foreignKey.onDelete,
      through: null,
    }
    holder.relationships.push({ _tag: 'BelongsTo', name, target: target.name, inverse, ...shared })
    target.relationships.push({
      _tag: isOne ? 'HasOne' : 'HasMany',
      name: inverse,
      target: holder.name,
      inverse: name,
      ...shared,
    })
  }
}

/**
 * `author_id` refers to the `author`. A column that says no more refers to what the target is, as far as no other does; and
 * so do several columns.
 */
const referenceNames = (
  columns: ReadonlyArray<string>,
  { name: entity }: EntityDraft,
  isOnly: boolean,
): { readonly name: string; readonly stem: string } => {
  const [column = '', ...others] = columns
  const target = entity.charAt(0).toLowerCase() + entity.slice(1)
  if (others.length > 0) return { name: target, stem: target }
  const stem = stemOf(column)
  const whole = camelCase(column)
  return stem === null ? { name: isOnly ? target : `${whole}${entity}`, stem: whole } : { name: stem, stem }
}

/** The name of a column that ends in what says that it is a key, without that. */
const stemOf = (column: string): string | null => {
  const [, stem] = /^(.+?)_?(?:id|Id|ID|fk|key)$/.exec(column) ?? []
  return stem === undefined ? null : camelCase(stem)
}

interface FoundLink {
  readonly table: TableSchema
  /** The one whose columns begin the primary key, then the other. */
  readonly ends: readonly [ForeignKeySchema, ForeignKeySchema]
  readonly isIndexed: boolean
}

/** Tables that are two foreign keys and no more. */
const linksOf = (tables: ReadonlyArray<TableSchema>, schema: DatabaseSchema): ReadonlyMap<string, FoundLink> => {
  const byName = new Map(tables.map((table) => [table.name, table]))
  const referred = new Set(schema.tables.flatMap(({ foreignKeys }) => foreignKeys.map(({ table }) => table)))
  const found = new Map<string, FoundLink>()
  for (const table of tables) {
    const link = referred.has(table.name) ? null : linkOf(table, byName, schema)
    if (link !== null) found.set(table.name, link)
  }
  return found
}

const linkOf = (
  table: TableSchema,
  byName: ReadonlyMap<string, TableSchema>,
  { dialect }: DatabaseSchema,
): FoundLink | null => {
  const key = table.primaryKey?.columns ?? []
  const [a, b, ...more] = table.foreignKeys
  if (a === undefined || b === undefined || more.length > 0) return null
  const [first, second] = beginsWith(key, a.columns) ? [a, b] : [b, a]
  const isLink =
    table.unique.length === 0 &&
    table.checks.length === 0 &&
    table.columns.length === key.length &&
    table.columns.every((column) => column.default === null && column.computed === null && !column.isCounted) &&
    key.join('\n') === [...first.columns, ...second.columns].join('\n') &&
    first.onDelete === second.onDelete &&
    [first, second].every(({ onUpdate, deferrable, ...end }) => {
      const target = byName.get(end.table)
      const isCarried = onUpdate === null || onUpdate === 'cascade'
      return (
        isCarried &&
        deferrable === null &&
        target !== undefined &&
        // in the order of the key
        end.targetColumns.join('\n') === target.primaryKey?.columns.join('\n') &&
        end.columns.every((name, i) => isOfType(table, name, target, end.targetColumns[i], dialect))
      )
    })
  if (!isLink) return null
  const serving = table.indexes.map((index) => plainColumns(index)?.join('\n'))
  const isIndexed =
    serving.length === 1 && serving[0] === second.columns.join('\n') && table.indexes[0]?.unique === false
  return serving.length === 0 || isIndexed
    ? { table, ends: [first, second], isIndexed: isIndexed || dialect === 'mysql' }
    : null
}

const isOfType = (
  table: TableSchema,
  name: string,
  target: TableSchema,
  targetName: string | undefined,
  dialect: Dialect['name'],
): boolean => {
  const own = table.columns.find((column) => column.name === name)
  const other = target.columns.find((column) => column.name === targetName)
  const typeOf = (column: ColumnSchema | undefined): string =>
    `${canonicalType(column?.type ?? '', dialect)} ${column?.collation ?? ''}`
  return typeOf(own) === typeOf(other)
}

/** Owners of links before their targets, as far as they can be: the first that declares a link has the key begin with it. */
const ownersFirst = (
  tables: ReadonlyArray<TableSchema>,
  links: ReadonlyArray<FoundLink>,
): ReadonlyArray<TableSchema> => {
  const owners = new Map<string, string[]>()
  for (const { ends } of links) {
    const [{ table: owner }, { table: target }] = ends
    owners.set(target, [...(owners.get(target) ?? []), owner])
  }
  const byName = new Map(tables.map((table) => [table.name, table]))
  const ordered = new Set<TableSchema>()
  const entered = new Set<string>()
  const enter = (name: string): void => {
    const table = byName.get(name)
    if (table === undefined || entered.has(name)) return
    entered.add(name)
    for (const owner of owners.get(name) ?? []) enter(owner)
    ordered.add(table)
  }
  for (const { name } of tables) enter(name)
  return [...ordered]
}

/** A collection on either side of a table of links. */
const linked = ({ table, ends, isIndexed }: FoundLink, drafts: ReadonlyMap<string, Drafting>): void => {
  const [first, second] = ends
  const owner = drafts.get(first.table)
  const target = drafts.get(second.table)
  if (owner === undefined || target === undefined) return
  const manyOf = (end: ForeignKeySchema, entity: Drafting): ReadonlyArray<string> => {
    const many = plural(camelCase(unqualified(entity.table.name)))
    const [column = '', ...others] = end.columns
    const byColumn = plural(others.length === 0 ? (stemOf(column) ?? camelCase(column)) : many)
    return owner === target ? [byColumn] : [many, byColumn]
  }
  const byTable = camelCase(unqualified(table.name))
  const name = freeName(owner.taken, ...manyOf(second, target), byTable)
  const inverse = freeName(target.taken, ...manyOf(first, owner), byTable)
  const sides = [
    { on: owner, name, inverse, to: target, own: first, other: second },
    { on: target, name: inverse, inverse: name, to: owner, own: second, other: first },
  ]
  for (const side of sides) {
    side.on.relationships.push({
      _tag: 'ManyToMany',
      name: side.name,
      target: side.to.name,
      inverse: side.inverse,
      foreignKey: [],
      references: null,
      onDelete: null,
      through: {
        table: table.name,
        own: side.own.columns,
        target: side.other.columns,
        onDelete: first.onDelete,
        isIndexed,
        isCarried: side.own.onUpdate === 'cascade',
      },
    })
  }
}
