/**
 * The tables of a model, as Kysely schema statements: data, in the order in which they run.
 *
 * Tables are made if they are not there; what is there already is left as it is, whatever it looks like. Changing tables
 * is the business of migrations.
 */
import {
  type ColumnDefinitionBuilder,
  ColumnNode,
  CreateIndexNode,
  type CreateTableBuilder,
  NOOP_QUERY_EXECUTOR,
  type OperationNode,
  type RawBuilder,
  RawNode,
  type RootOperationNode,
  SchemaModule,
  sql,
  ValueNode,
} from 'kysely'
import type { Dialect } from '../engine/dialect.js'
import { type ForeignKeyConstraint, foreignKeysOf, parentsFirst } from './foreign-keys.js'
import { type LinkTable, linkTablesOf } from './link-tables.js'
import type { Attribute, Mapping } from './mapping.js'
import type { AnyModel } from './model.js'
import { storedMappings } from './stored.js'

/**
 * A statement of a model's DDL. With a condition it runs only where the table's constraint exists, or does not: not
 * every database can say so in the statement itself.
 *
 * @category model
 */
export interface DdlStatement {
  readonly node: RootOperationNode
  readonly condition: { readonly table: string; readonly constraint: string; readonly exists: boolean } | null
}

/**
 * The statements that create the tables of a model, parents before children, and those that drop them, children before
 * parents.
 *
 * @category model
 */
export interface Ddl {
  readonly create: ReadonlyArray<DdlStatement>
  readonly drop: ReadonlyArray<DdlStatement>
}

const schema = new SchemaModule(NOOP_QUERY_EXECUTOR)

/**
 * The DDL of a model: tables with their keys, unique constraints and foreign keys, and an index on each foreign key that
 * no key covers. Foreign keys that close a cycle of tables are added after the tables, except on SQLite, where a table
 * may refer to one that is not there yet.
 *
 * @example
 * for (const { node } of ddlOf(model)(engine.dialect).create) console.log(engine.compile(node).sql)
 *
 * @category constructors
 */
export const ddlOf =
  (model: AnyModel) =>
  (dialect: Dialect): Ddl => {
    const mappings = storedMappings(model.mappings)
    const foreignKeys = foreignKeysOf(mappings)
    const tables = parentsFirst(mappings, foreignKeys)
    const inKeys = keyAttributes(foreignKeys)
    const create: DdlStatement[] = []
    const later: ForeignKeyConstraint[] = []
    const made = new Set<Mapping>()
    for (const mapping of tables) {
      made.add(mapping)
      const own = foreignKeys.get(mapping) ?? []
      const within = own.filter(({ target }) => made.has(target) || dialect.name === 'sqlite')
      later.push(...own.filter((foreignKey) => !within.includes(foreignKey)))
      create.push(always(createTable(mapping, within, inKeys, dialect).toOperationNode()))
      // InnoDB makes an index for each foreign key by itself
      if (dialect.name !== 'mysql')
        create.push(...own.filter(needsIndex).map((foreignKey) => always(createIndex(foreignKey))))
    }
    create.push(...later.map(addForeignKey))
    const links = linkTablesOf(mappings)
    create.push(...links.map((link) => always(createLinkTable(link, dialect).toOperationNode())))
    return {
      create,
      drop: [
        ...links.map(({ link }) => always(schema.dropTable(link.table).ifExists().toOperationNode())),
        ...dropStatements(tables, foreignKeys, later, dialect),
      ],
    }
  }

const always = (node: RootOperationNode): DdlStatement => ({ node, condition: null })

const columnNames = (attributes: ReadonlyArray<Attribute>): string[] => attributes.map(({ columnName }) => columnName)

/** Attributes that stand in a key or a constraint, and may need a type that can. */
const keyAttributes = (
  foreignKeys: ReadonlyMap<Mapping, ReadonlyArray<ForeignKeyConstraint>>,
): ReadonlySet<Attribute> => {
  const all = new Set<Attribute>()
  for (const [mapping, constraints] of foreignKeys) {
    for (const attributes of [mapping.key, ...mapping.uniqueKeys])
      for (const attribute of attributes) all.add(attribute)
    for (const { attributes, targetAttributes } of constraints) {
      for (const attribute of attributes) all.add(attribute)
      for (const attribute of targetAttributes) all.add(attribute)
    }
  }
  return all
}

/** What every table of PostgreSQL has of itself. */
const systemColumns: ReadonlySet<string> = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid'])

type TableBuilder = CreateTableBuilder<string, string>

const createTable = (
  mapping: Mapping,
  foreignKeys: ReadonlyArray<ForeignKeyConstraint>,
  inKeys: ReadonlySet<Attribute>,
  dialect: Dialect,
): TableBuilder => {
  const hasOneKey = mapping.key.length === 1
  let table: TableBuilder = schema.createTable(mapping.table).ifNotExists()
  for (const attribute of mapping.attributes) {
    if (dialect.name === 'postgres' && systemColumns.has(attribute.columnName)) continue
    const isOnlyKey = attribute.isKey && hasOneKey
    table =
      isOnlyKey && attribute.isGenerated
        ? addGeneratedKey(table, attribute, dialect)
        : table.addColumn(
            attribute.columnName,
            sql.raw(dialect.columnType(attribute.column, inKeys.has(attribute))),
            definition(attribute, isOnlyKey, dialect),
          )
  }
  if (mapping.key.some(({ isNullable }) => isNullable)) {
    // a primary key takes no NULL
    table = table.addUniqueConstraint(constraintName(mapping, mapping.key, 'key'), columnNames(mapping.key))
  } else if (!hasOneKey) {
    table = table.addPrimaryKeyConstraint(constraintName(mapping, [], 'pkey'), columnNames(mapping.key))
  }
  for (const attributes of mapping.uniqueKeys) {
    if (saysItself(attributes)) continue
    table = table.addUniqueConstraint(constraintName(mapping, attributes, 'key'), columnNames(attributes))
  }
  for (const attribute of mapping.attributes) {
    const { detail } = attribute.column
    if (detail?._tag !== 'Enum') continue
    const values = sql.join(detail.values.map((value) => sql.lit(value)))
    table = table.addCheckConstraint(
      constraintName(mapping, [attribute], 'check'),
      sql<boolean>`${sql.ref(attribute.columnName)} in (${values})`,
    )
  }
  return foreignKeys.reduce(
    (builder, foreignKey) =>
      builder.addForeignKeyConstraint(
        foreignKeyName(foreignKey),
        columnNames(foreignKey.attributes),
        foreignKey.target.table,
        columnNames(foreignKey.targetAttributes),
        (constraint) => withActions(constraint, foreignKey),
      ),
    table,
  )
}

/** Is it one column, whose own definition says that it is unique? */
const saysItself = (attributes: ReadonlyArray<Attribute>): boolean =>
  attributes.length === 1 && attributes[0]?.column.unique === true

/** A table of links has the keys of both ends for its own key, goes with either end, and follows their keys. */
const createLinkTable = ({ link, owner, target, carries }: LinkTable, dialect: Dialect): TableBuilder => {
  const ends = [
    { mapping: owner, columns: link.own, isCarried: carries.owner },
    { mapping: target, columns: link.target, isCarried: carries.target },
  ]
  let table: TableBuilder = schema.createTable(link.table).ifNotExists()
  for (const { mapping, columns } of ends) {
    columns.forEach((column, i) => {
      const type = dialect.columnType((mapping.key[i] as Attribute).column, true)
      table = table.addColumn(column, sql.raw(type), (definition) => definition.notNull())
    })
  }
  table = table.addPrimaryKeyConstraint(nameOf(link.table, [], 'pkey'), [...link.own, ...link.target])
  for (const { mapping, columns, isCarried } of ends) {
    table = table.addForeignKeyConstraint(
      nameOf(link.table, columns, 'fkey'),
      [...columns],
      mapping.table,
      columnNames(mapping.key),
      (constraint) => {
        const deleting = constraint.onDelete('cascade')
        return isCarried ? deleting.onUpdate('cascade') : deleting
      },
    )
  }
  return table
}

const definition =
  (attribute: Attribute, isOnlyKey: boolean, dialect: Dialect) =>
  (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => {
    const { serverDefault } = attribute.column
    const filled =
      serverDefault === null
        ? column
        : column.defaultTo(constantOf(attribute, serverDefault.toOperationNode(), dialect) ?? serverDefault)
    const nullability = attribute.isNullable ? filled : filled.notNull()
    if (isOnlyKey) return nullability.primaryKey()
    return attribute.column.unique ? nullability.unique() : nullability
  }

/** A default that is but a value of the column, as the database has it; DDL takes no parameters. */
const constantOf = (
  { column, encode }: Attribute,
  node: OperationNode,
  dialect: Dialect,
): RawBuilder<unknown> | null => {
  const given = RawNode.is(node) && node.sqlFragments.every((text) => text === '') ? node.parameters[0] : undefined
  if (given === undefined || !ValueNode.is(given)) return null
  const encoded = encode(given.value)
  const value = dialect.toDriver(dialect.written(column.kind)?.(encoded) ?? encoded)
  return typeof value === 'bigint' ? sql.raw(String(value)) : sql.lit(value)
}

/** A key that the database counts up. */
const addGeneratedKey = (table: TableBuilder, attribute: Attribute, dialect: Dialect): TableBuilder => {
  const { detail, kind } = attribute.column
  const isCounted = kind === 'integer' || kind === 'bigint'
  // on SQLite the rowid itself, which must be of type INTEGER by that name
  const type = dialect.columnType({ kind: isCounted && dialect.name === 'sqlite' ? 'integer' : kind, detail }, true)
  return table.addColumn(attribute.columnName, sql.raw(type), (column) => {
    const key = column.notNull().primaryKey()
    if (!isCounted || dialect.name === 'sqlite') return key
    return dialect.name === 'mysql' ? key.autoIncrement() : key.generatedByDefaultAsIdentity()
  })
}

interface Actions<B> {
  readonly onDelete: (action: NonNullable<ForeignKeyConstraint['onDelete']>) => B
  readonly onUpdate: (action: NonNullable<ForeignKeyConstraint['onUpdate']>) => B
}

const withActions = <B extends Actions<B>>(builder: B, { onDelete, onUpdate }: ForeignKeyConstraint): B => {
  const deleting = onDelete === null ? builder : builder.onDelete(onDelete)
  return onUpdate === null ? deleting : deleting.onUpdate(onUpdate)
}

/** Whether neither the primary key nor a unique constraint serves as the index, by its first columns. */
const needsIndex = ({ holder, attributes }: ForeignKeyConstraint): boolean =>
  [holder.key, ...holder.uniqueKeys].every((key) => attributes.some((attribute, i) => key[i] !== attribute))

const createIndex = ({ holder, attributes }: ForeignKeyConstraint): CreateIndexNode =>
  CreateIndexNode.cloneWithColumns(
    schema
      .createIndex(constraintName(holder, attributes, 'idx'))
      .ifNotExists()
      .on(holder.table)
      .toOperationNode(),
    attributes.map(({ columnName }) => ColumnNode.create(columnName)),
  )

const addForeignKey = (foreignKey: ForeignKeyConstraint): DdlStatement => {
  const { holder, attributes, target, targetAttributes } = foreignKey
  const constraint = foreignKeyName(foreignKey)
  const added = schema
    .alterTable(holder.table)
    .addForeignKeyConstraint(constraint, columnNames(attributes), target.table, columnNames(targetAttributes))
  return {
    node: withActions(added, foreignKey).toOperationNode(),
    condition: { table: holder.table, constraint, exists: false },
  }
}

const dropStatements = (
  tables: ReadonlyArray<Mapping>,
  foreignKeys: ReadonlyMap<Mapping, ReadonlyArray<ForeignKeyConstraint>>,
  later: ReadonlyArray<ForeignKeyConstraint>,
  dialect: Dialect,
): ReadonlyArray<DdlStatement> => {
  const position = new Map(tables.map((mapping, i) => [mapping, i]))
  const isCyclic = tables.some((mapping, i) =>
    foreignKeys.get(mapping)?.some(({ target }) => (position.get(target) ?? 0) > i),
  )
  const loosened =
    dialect.name === 'sqlite' && isCyclic
      ? // dropping a table deletes its rows, which rows of the others may still refer to
        [always(sql`pragma defer_foreign_keys = on`.toOperationNode() as RawNode)]
      : later.map(dropForeignKey)
  const dropped = tables.toReversed().map(({ table }) => always(schema.dropTable(table).ifExists().toOperationNode()))
  return [...loosened, ...dropped]
}

const dropForeignKey = (foreignKey: ForeignKeyConstraint): DdlStatement => {
  const constraint = foreignKeyName(foreignKey)
  const { table } = foreignKey.holder
  return {
    node: schema.alterTable(table).dropConstraint(constraint).toOperationNode(),
    condition: { table, constraint, exists: true },
  }
}

const foreignKeyName = ({ holder, attributes }: ForeignKeyConstraint): string =>
  constraintName(holder, attributes, 'fkey')

/** PostgreSQL cuts names off at 63 bytes, MySQL refuses those of more than 64 characters. */
const longestName = 63

/** The name that PostgreSQL itself would choose; one that is too long ends in a hash of all of it. */
const constraintName = (mapping: Mapping, attributes: ReadonlyArray<Attribute>, suffix: string): string =>
  nameOf(mapping.table, columnNames(attributes), suffix)

const nameOf = (qualified: string, columns: ReadonlyArray<string>, suffix: string): string => {
  const table = qualified.slice(qualified.lastIndexOf('.') + 1)
  const name = [table, ...columns, suffix].join('_')
  return name.length <= longestName ? name : `${name.slice(0, longestName - 9)}_${hash(name)}`
}

/** FNV-1a of 32 bits, as 8 hexadecimal digits. */
const hash = (text: string): string => {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return (value >>> 0).toString(16).padStart(8, '0')
}
