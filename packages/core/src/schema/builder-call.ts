/**
 * Statements of Kysely's schema builder as data: the calls of which they are made. They are carried out (`ddlOf`) and
 * printed as source (`diffToMigration`), so that both make the same tables.
 */
import { NOOP_QUERY_EXECUTOR, type RootOperationNode, SchemaModule, sql } from 'kysely'

/** One call of a chain. */
export interface Call {
  readonly method: string
  readonly args: ReadonlyArray<Argument>
}

/** A name, several names, SQL as it is written, or what is done to a builder that the call hands over. */
export type Argument = string | ReadonlyArray<string> | Sql | Build

interface Sql {
  readonly _tag: 'Sql'
  /** What it gives, where that matters. */
  readonly type: 'boolean' | null
  readonly text: string
}

interface Build {
  readonly _tag: 'Build'
  readonly parameter: string
  readonly calls: ReadonlyArray<Call>
}

export const call = (method: string, ...args: ReadonlyArray<Argument>): Call => ({ method, args })

export const rawSql = (text: string, type: Sql['type'] = null): Argument => ({ _tag: 'Sql', text, type })

/** As the last argument of a call; nothing where there is nothing to do. */
export const building = (parameter: string, calls: ReadonlyArray<Call>): ReadonlyArray<Argument> =>
  calls.length === 0 ? [] : [{ _tag: 'Build', parameter, calls }]

const schema = new SchemaModule(NOOP_QUERY_EXECUTOR)

/** Any builder of Kysely's, of which only the methods that are called matter. */
type Builder = Readonly<Record<string, (...args: ReadonlyArray<unknown>) => Builder>>

/** The statement that a chain of calls on Kysely's `schema` makes. */
export const statementOf = (calls: ReadonlyArray<Call>): RootOperationNode =>
  (
    carriedOut(schema as unknown as Builder, calls) as unknown as { toOperationNode(): RootOperationNode }
  ).toOperationNode()

const carriedOut = (builder: Builder, calls: ReadonlyArray<Call>): Builder =>
  calls.reduce((made, { method, args }) => (made[method] as Builder[string]).apply(made, args.map(given)), builder)

const given = (argument: Argument): unknown => {
  if (typeof argument === 'string' || !('_tag' in argument)) return argument
  switch (argument._tag) {
    case 'Sql':
      return sql.raw(argument.text)
    case 'Build':
      return (builder: Builder) => carriedOut(builder, argument.calls)
  }
}

/** The same as source: a chain on `db.schema`, a line for each call. */
export const sourceOf = (calls: ReadonlyArray<Call>): string =>
  calls.map(({ method, args }) => `.${method}(${args.map(argumentSource).join(', ')})`).join('\n')

const argumentSource = (argument: Argument): string => {
  if (typeof argument === 'string') return quoted(argument)
  if (!('_tag' in argument)) return `[${argument.map(quoted).join(', ')}]`
  switch (argument._tag) {
    case 'Sql':
      return `sql${argument.type === null ? '' : `<${argument.type}>`}\`${escaped(argument.text)}\``
    case 'Build':
      return `(${argument.parameter}) => ${argument.parameter}${sourceOf(argument.calls).replaceAll('\n', '')}`
  }
}

/** A literal of TypeScript. */
export const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`

/** Text inside a template literal. */
export const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${')
