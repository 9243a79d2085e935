/**
 * What a model gives its entities beside their columns: attributes that an SQL expression computes, and other names of
 * attributes. It stands in the model rather than in its entities, since an expression may speak of all of them.
 *
 * @example
 * const model = defineModel({ User, Address })(
 *   (r) => ({ User: { addresses: r.User.hasMany('Address', { foreignKey: 'userId' }) } }),
 *   (a) => ({
 *     User: {
 *       fullName: a.User.expression(text, (eb) => eb.fn('concat', ['first', 'last'])),
 *       login: a.User.synonym('email'),
 *     },
 *   }),
 * )
 */
import { type Expression, type ExpressionBuilder, expressionBuilder, isOperationNodeSource } from 'kysely'
import { nameFault } from './check-name.js'
import type { AnyColumn, Column, ColumnFlag } from './column.js'
import type {
  AncestorsOf,
  AnyEntity,
  Columns,
  ColumnsOf,
  Entity,
  FlagsOf,
  Inheritance,
  Simplify,
  Table,
} from './entity.js'
import type { ModelFault } from './fault.js'
import type { Entities } from './relationship.js'

/**
 * An attribute that no column holds: the database computes it for each row that is read.
 *
 * @category model
 */
export interface ExpressionAttribute<out C extends AnyColumn = AnyColumn> {
  readonly _tag: 'Expression'
  /** What kind of value it has. */
  readonly column: C
  readonly expression: (eb: never) => Expression<unknown>
}

/** Another name of an attribute. @category model */
export interface Synonym<out A extends string = string> {
  readonly _tag: 'Synonym'
  readonly of: A
}

/** What a model gives one entity, by the names of attributes. @category model */
export type Extension = Readonly<Record<string, ExpressionAttribute | Synonym>>

/** What a model gives its entities, by their names. @category model */
export type Extensions<Es> = { readonly [N in keyof Es]?: Extension }

type TablesOf<Es extends Entities> = { readonly [N in keyof Es as Es[N]['table']]: Table<Es[N]> }

/**
 * Makes attributes of one entity that stand beside its columns.
 *
 * @category constructors
 */
export interface ExtensionBuilder<Es extends Entities, N extends keyof Es> {
  /**
   * An attribute that the database computes for each row, by an expression over the columns of its entity, and subqueries of
   * others. `column` says what the values are; `deferred` leaves it to those who ask for it.
   *
   * It is read with its row, like a column, and can stand wherever a query names one. It cannot be set. A flush that writes
   * the row makes it unknown, until the row is read again. A subquery that reads the entity's own table needs an alias there.
   *
   * @example
   * a.User.expression(integer, (eb) =>
   *   eb.selectFrom('addresses').whereRef('addresses.userId', '=', 'users.id').select(({ fn }) => fn.countAll().as('n')),
   * )
   *
   * @see https://docs.sqlalchemy.org/en/21/orm/mapped_sql_expr.html#using-column-property
   */
  readonly expression: <C extends AnyColumn>(
    column: C,
    expression: (eb: ExpressionBuilder<TablesOf<Es>, Es[N]['table'] & keyof TablesOf<Es>>) => Expression<unknown>,
  ) => ExpressionAttribute<C>
  /**
   * Another name of an attribute: it is read from snapshots, set, and named in queries, as if it were the attribute.
   *
   * @see https://docs.sqlalchemy.org/en/21/orm/mapped_attributes.html#synonyms
   */
  readonly synonym: <const A extends keyof ColumnsOf<Es[N]> & string>(of: A) => Synonym<A>
}

/** The one builder: what it makes depends on no entity. */
export const extensionBuilder: ExtensionBuilder<Entities, string> = {
  expression: (column, expression) => ({ _tag: 'Expression', column, expression }),
  synonym: (of) => ({ _tag: 'Synonym', of }),
}

/**
 * An entity as a model extends it.
 *
 * @category model
 */
export interface ExtendedEntity<Name extends string, Table extends string, C extends Columns, X extends Extension>
  extends Entity<Name, Table, C> {
  readonly extension: X
}

/** The same of a hierarchy. */
interface ExtendedPolymorphic<
  Name extends string,
  Table extends string,
  C extends Columns,
  X extends Extension,
  I extends Inheritance,
> extends ExtendedEntity<Name, Table, C, X> {
  readonly inheritance: I
}

/** Attributes that are given beside columns as the columns that programs see. */
type ExtensionColumns<C, X> = {
  readonly [K in keyof X]: X[K] extends ExpressionAttribute<infer E>
    ? ExpressionColumn<E>
    : X[K] extends Synonym<infer A>
      ? A extends keyof C
        ? SynonymColumn<C[A]>
        : never
      : never
}

type ExpressionColumn<C> = C extends Column<infer A, infer O, infer F> ? Column<A, O, F | 'expression'> : never

type SynonymColumn<C> =
  C extends Column<infer A, infer O, infer _F> ? Column<A, O, Extract<FlagsOf<C>, 'deferred'> | 'synonym'> : never

type Extending<E, X extends Extension> =
  E extends Entity<infer Name, infer Table, infer C>
    ? E extends { readonly inheritance: infer I extends Inheritance }
      ? ExtendedPolymorphic<Name, Table, Simplify<C & ExtensionColumns<C, X>>, X, I>
      : ExtendedEntity<Name, Table, Simplify<C & ExtensionColumns<C, X>>, X>
    : never

/** The names of an entity and of what it is a subtype of, as far as they are extended. */
type Extended<Es, Xs, N extends keyof Es> = Extract<N | AncestorsOf<Es[N]>, keyof Xs>

type Merged<U> = (U extends unknown ? (u: U) => void : never) extends (all: infer I) => void ? I : never

/** The entities as a model extends them, each by what its parents are given, too. @category model */
export type ExtendedEntities<Es extends Entities, Xs> = {
  readonly [N in keyof Es]: [Extended<Es, Xs, N>] extends [never]
    ? Es[N]
    : Simplify<Merged<NonNullable<Xs[Extended<Es, Xs, N>]>>> extends infer X extends Extension
      ? Extending<Es[N], X>
      : never
}

/** The attributes of an entity that no draft, change or insert names: expressions, and other names. */
export type ExtensionAttribute<E> = E extends { readonly extension: infer X } ? keyof X : never

/** The attributes of an entity that an SQL expression computes. */
export type ExpressionAttributeOf<E> = E extends { readonly extension: infer X }
  ? { readonly [K in keyof X]: X[K] extends ExpressionAttribute ? K : never }[keyof X]
  : never

/** The other names that attributes of an entity have. */
export type SynonymOf<E> = E extends { readonly extension: infer X }
  ? { readonly [K in keyof X]: X[K] extends Synonym ? K : never }[keyof X]
  : never

/** The attribute that a synonym of an entity is another name of. */
export type NamedBy<E, K> = E extends { readonly extension: infer X }
  ? K extends keyof X
    ? X[K] extends Synonym<infer A>
      ? A
      : never
    : never
  : never

/** What a model gives an entity itself, at runtime. */
export const extensionOf = (entity: AnyEntity): Extension =>
  (entity as { readonly extension?: Extension }).extension ?? nothing

const nothing: Extension = {}

/**
 * Entities with what a model gives them. Subtypes get what their parents are given. The very same where nothing is given.
 *
 * @category combinators
 */
export const extended = (entities: Entities, given: Extensions<Entities>, faults: ModelFault[]): Entities => {
  const named = new Map(Object.entries(entities).map(([name, entity]) => [entity, name]))
  const made = new Map<AnyEntity, AnyEntity>()
  const extend = (entity: AnyEntity): AnyEntity => {
    const known = made.get(entity)
    if (known !== undefined) return known
    const own = given[named.get(entity) ?? ''] ?? nothing
    const parent = parentOf(entity)
    const above = parent === null ? null : extend(parent)
    const extension = above === null ? own : { ...extensionOf(above), ...own }
    const result = above === parent && own === nothing ? entity : extending(entity, above, own, extension)
    made.set(entity, result)
    return result
  }
  for (const name of Object.keys(given)) {
    const entity = entities[name]
    if (entity === undefined) {
      faults.push({ path: name, message: 'attributes are given to it, but it is no entity of the model' })
    } else checkExtension(name, entity, given, named, faults)
  }
  return Object.fromEntries(Object.entries(entities).map(([name, entity]) => [name, extend(entity)]))
}

const parentOf = ({ inheritance }: AnyEntity): AnyEntity | null =>
  inheritance === null || inheritance._tag === 'Base' ? null : inheritance.parent

const extending = (entity: AnyEntity, above: AnyEntity | null, own: Extension, extension: Extension): AnyEntity => {
  const { inheritance, table } = entity
  const added = expressionColumns(own, table)
  const isSubtype = inheritance !== null && inheritance._tag !== 'Base'
  const columns = isSubtype
    ? { ...(above?.columns as Columns), ...inheritance.own, ...added }
    : { ...(entity.columns as Columns), ...added }
  return {
    ...entity,
    columns,
    inheritance: isSubtype
      ? { ...inheritance, parent: above as AnyEntity, own: { ...inheritance.own, ...added } }
      : inheritance,
    extension,
  } as AnyEntity
}

const expressionColumns = (own: Extension, table: string): Columns =>
  Object.fromEntries(
    Object.entries(own).flatMap(([name, attribute]) =>
      attribute._tag === 'Synonym'
        ? []
        : [[name, { ...attribute.column, expression: { build: attribute.expression, table } }]],
    ),
  )

const checkExtension = (
  entityName: string,
  entity: AnyEntity,
  given: Extensions<Entities>,
  named: ReadonlyMap<AnyEntity, string>,
  faults: ModelFault[],
): void => {
  const columns = entity.columns as Columns
  const inherited = new Map<string, string>()
  for (let at = parentOf(entity); at !== null; at = parentOf(at)) {
    const name = named.get(at) ?? at.name
    for (const attribute of Object.keys(given[name] ?? {})) inherited.set(attribute, name)
  }
  for (const [name, attribute] of Object.entries(given[entityName] ?? {})) {
    const path = `${entityName}.${name}`
    if (Object.hasOwn(columns, name)) faults.push({ path, message: 'a column has the same name' })
    const holder = inherited.get(name)
    if (holder !== undefined) faults.push({ path, message: `${holder} has an attribute of that name` })
    const unfit = nameFault(name)
    if (unfit !== null) faults.push({ path, message: unfit })
    const message =
      attribute._tag === 'Synonym'
        ? synonymFault({ entity: entityName, discriminator: discriminatorOf(entity) }, attribute.of, columns, {
            ...given[entityName],
            ...Object.fromEntries(inherited),
          })
        : (buildFault(attribute.expression) ?? expressionFault(attribute.column))
    if (message !== null) faults.push({ path, message })
  }
}

const discriminatorOf = (entity: AnyEntity): string | null => {
  const { inheritance } = entity
  if (inheritance === null) return null
  return inheritance._tag === 'Base' ? inheritance.discriminator : discriminatorOf(inheritance.parent)
}

const synonymFault = (
  { entity, discriminator }: { readonly entity: string; readonly discriminator: string | null },
  of: string,
  columns: Columns,
  others: object,
): string | null => {
  if (of === discriminator) return `'${of}' tells ${entity} from others in drafts, by that name alone`
  if (Object.hasOwn(columns, of)) return null
  return Object.hasOwn(others, of)
    ? `'${of}' is no column of ${entity} itself; a synonym is another name of a column`
    : `'${of}' is no attribute of ${entity}`
}

const possible = (flag: ColumnFlag): boolean => flag === 'nullable' || flag === 'deferred' || flag.startsWith('group ')

/** What is said of a column in a table means nothing where there is none. */
const buildFault = (expression: (eb: never) => Expression<unknown>): string | null =>
  isOperationNodeSource(expression(expressionBuilder() as never))
    ? null
    : 'it gives no expression; return one of the builder, as in (eb) => eb.fn(...)'

const expressionFault = (column: AnyColumn): string | null => {
  const flag = column.flags.find((one: ColumnFlag) => !possible(one))
  const said =
    flag === undefined ? settings.find((setting) => column[setting] !== null && column[setting] !== false) : flag
  if (said === undefined && column.rules.length === 0) return null
  return `an expression has no column, which could be '${said ?? 'validate'}'; say of its values only whether they are nullable and deferred`
}

const settings = [
  'columnName',
  'defaultValue',
  'insertValue',
  'updateValue',
  'insertExpression',
  'updateExpression',
  'serverDefault',
  'generator',
  'foreignKey',
  'unique',
  'sqlType',
] as const
