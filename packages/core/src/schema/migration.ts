/**
 * From drift to the first draft of a migration for Kysely's own migrator: source to read, change and keep.
 */
import { escaped, quoted, sourceOf } from './builder-call.js'
import { changeOf, type Remake, type Step } from './change.js'
import { serverSteps } from './change-server.js'
import { sqliteSteps } from './change-sqlite.js'
import type { DatabaseSchema, TableSchema } from './database-schema.js'
import type { Drift } from './drift.js'
import { schemaIn } from './naming.js'
import { settledIn } from './settled-names.js'

/**
 * The source of a migration, in TypeScript: its `up` gives the database what the model says, its `down` takes that back.
 *
 * It is a draft. Comments say where rows or values are lost, where rows may stand in the way, and which columns may have
 * been renamed. On SQLite, tables that cannot be changed in place are made anew with their rows.
 *
 * @example
 * const found = await drift(model)(engine)()
 * if (isRight(found)) await writeFile('migrations/2026-02-01-prices.ts', diffToMigration(found.right))
 *
 * @see https://kysely.dev/docs/migrations
 * @category interpreters
 */
export const diffToMigration = ({ dialect, model, database }: Drift): string => {
  const settled = settledIn(database, model)
  const up = stepsBetween(database, settled)
  const down = stepsBetween(settled, database)
  const notes = [...model.notes, ...database.notes].map(({ table, message }) => `// ${table}: ${message}`)
  const steps = [...up, ...down]
  const isRemade = steps.some(({ _tag }) => _tag === 'Remake')
  const isLoose = dialect === 'sqlite' && steps.some(isLossy)
  const body = [
    exported('up', up, isLoose),
    exported('down', down, isLoose),
    ...(isRemade ? [remakeSource] : []),
    ...(isLoose ? [looseSource(schemasIn([...model.tables, ...database.tables]))] : []),
  ].join('\n\n')
  const types = isRemade ? ['type CreateTableBuilder', 'type Kysely', 'type RawBuilder'] : ['type Kysely']
  const imports = [...types, ...(/\bsql[`.<]/.test(body) ? ['sql'] : [])]
  return [
    `import { ${imports.join(', ')} } from 'kysely'`,
    '',
    ...notes,
    ...(notes.length > 0 ? [''] : []),
    body,
    '',
  ].join('\n')
}

/** The databases of SQLite that have the tables. */
const schemasIn = (tables: ReadonlyArray<TableSchema>): ReadonlyArray<string> => [
  ...new Set(tables.map(({ name }) => schemaIn(name) ?? 'main')),
]

const stepsBetween = (from: DatabaseSchema, to: DatabaseSchema): ReadonlyArray<Step> => {
  const change = changeOf(from, to)
  return change.dialect === 'sqlite' ? sqliteSteps(change) : serverSteps(change)
}

/** Whether rows of other tables may refer to what is dropped. */
const isLossy = (step: Step): boolean =>
  step._tag === 'Remake' || (step._tag === 'Chain' && step.calls[0]?.method === 'dropTable')

const exported = (name: 'up' | 'down', steps: ReadonlyArray<Step>, isLoose: boolean): string => {
  const lines = steps.flatMap(stepSource)
  const inside = (lines.length === 0 ? ['// nothing to do'] : lines).map((line) => `  ${line}`).join('\n')
  return isLoose
    ? `export const ${name} = (connection: Kysely<unknown>): Promise<void> => withoutForeignKeys(connection, async (db) => {\n${inside}\n})`
    : `export const ${name} = async (db: Kysely<unknown>): Promise<void> => {\n${inside}\n}`
}

const stepSource = (step: Step): ReadonlyArray<string> => [
  ...step.remarks.map((remark) => `// ${remark}`),
  ...codeOf(step).split('\n'),
]

const codeOf = (step: Step): string => {
  switch (step._tag) {
    case 'Chain': {
      const chained = sourceOf(step.calls).split('\n')
      return chained.length <= 2
        ? `await db.schema${chained.join('')}.execute()`
        : ['await db.schema', ...chained.map((line) => `  ${line}`), '  .execute()'].join('\n')
    }
    case 'Statement':
      return `await sql\`${escaped(step.sql)}\`.execute(db)`
    case 'Remake':
      return remakeCode(step)
  }
}

const remakeCode = ({ table, create, columns, values }: Remake): string =>
  [
    `await remake(db, ${quoted(table)}, {`,
    '  create: db.schema',
    ...sourceOf(create)
      .split('\n')
      .map((line, i, lines) => `    ${line}${i === lines.length - 1 ? ',' : ''}`),
    `  columns: sql\`${escaped(columns.join(', '))}\`,`,
    `  values: sql\`${escaped(values.join(', '))}\`,`,
    '})',
  ].join('\n')

const remakeSource = `/** Makes a table anew, as \`new_...\` until it has the rows of the old one, with its triggers. */
const remake = async (
  db: Kysely<unknown>,
  table: string,
  { create, columns, values }: { create: CreateTableBuilder<string, string>; columns: RawBuilder<unknown>; values: RawBuilder<unknown> },
): Promise<void> => {
  const [name = '', schema = 'main'] = table.split('.').reverse()
  const made = \`\${schema}.new_\${name}\`
  const triggers = await sql<{ sql: string }>\`select sql from \${sql.table(\`\${schema}.sqlite_schema\`)} where type = 'trigger' and tbl_name = \${name}\`.execute(db)
  await create.execute()
  await sql\`insert into \${sql.table(made)} (\${columns}) select \${values} from \${sql.table(table)}\`.execute(db)
  await db.schema.dropTable(table).execute()
  await db.schema.alterTable(made).renameTo(name).execute()
  for (const trigger of triggers.rows) await sql.raw(trigger.sql.replace('CREATE TRIGGER ', \`CREATE TRIGGER \${schema}.\`)).execute(db)
}`

const looseSource = (
  schemas: ReadonlyArray<string>,
): string => `/** Dropping a table deletes its rows, which others may refer to: references are checked in the end. */
const withoutForeignKeys = async (
  connection: Kysely<unknown>,
  change: (db: Kysely<unknown>) => Promise<void>,
): Promise<void> => {
  const before = await sql<{ foreign_keys: number }>\`pragma foreign_keys\`.execute(connection)
  const schemas = [${schemas.map(quoted).join(', ')}]
  // neither can change inside a transaction; with the latter, renaming a table leaves views and references to it alone
  await sql\`pragma foreign_keys = off\`.execute(connection)
  await sql\`pragma legacy_alter_table = on\`.execute(connection)
  try {
    await connection.transaction().execute(async (db) => {
      await change(db)
      for (const schema of schemas) {
        const broken = await sql\`pragma \${sql.id(schema)}.foreign_key_check\`.execute(db)
        if (broken.rows.length > 0) throw new Error(\`rows refer to rows that are not there: \${JSON.stringify(broken.rows)}\`)
      }
    })
  } finally {
    await sql\`pragma legacy_alter_table = off\`.execute(connection)
    if (before.rows[0]?.foreign_keys === 1) await sql\`pragma foreign_keys = on\`.execute(connection)
  }
}`
