/**
 * From a query of entities to one of rows: what each of them is to hold.
 */
import type { Option } from 'fp-ts/lib/Option.js'
import {
  type AggregateFunctionBuilder,
  AliasNode,
  type Expression,
  ExpressionWrapper,
  type ExtractTypeFromReferenceExpression,
  type FunctionModule,
  IdentifierNode,
  type OperationNode,
  ParensNode,
  RawNode,
  type ReferenceExpression,
  SelectionNode,
  type SqlBool,
} from 'kysely'
import type { Decimal } from '../codec/decimal.js'
import type { AnyColumn } from '../model/column.js'
import type { ValueOf } from '../model/entity.js'
import type { Managed, RowOf } from '../model/infer.js'
import { columnsOf, rowColumns } from './attributes.js'
import type { ComputedAttribute } from './computed.js'
import { uncontained } from './contains.js'
import { invalidClause } from './error.js'
import type { AliasOf, ExtentOf, JoinedAs } from './extent.js'
import { faultNode } from './fault.js'
import { qualified, qualifiedQuery } from './qualify.js'
import { columnIn } from './relation.js'
import type { Output, ResultOf, RowShape, Rows } from './rows.js'
import type { AnySelect } from './select.js'
import {
  attributeNode,
  type DatabaseOf,
  type ExpressionsOf,
  expressionsOf,
  type ModelOf,
  mappingsOf,
  type NameOf,
  type TablesOf,
} from './statement.js'

/** An entity that rows are to hold. Made by `RowExpressions.entity`. @category model */
export interface EntityPart<out A> {
  readonly _tag: 'EntityPart'
  readonly alias: string | null
  /** Never there: carries `A`. */
  readonly [part]?: A
}

/** An expression that is read as a column's values. Made by `RowExpressions.readAs`. @category model */
export interface ReadPart<out A> {
  readonly _tag: 'ReadPart'
  readonly expression: Expression<unknown>
  readonly column: AnyColumn
  /** Never there: carries `A`. */
  readonly [part]?: A
}

declare const part: unique symbol

/** What rows can hold: entities and values. @category model */
export type RowPart = EntityPart<unknown> | ReadPart<unknown> | Expression<unknown>

/**
 * Kysely's functions, with aggregates as rows read them: a count is a number on every database, and an aggregate of nothing
 * is null. Say `fn.sum<number>('age')` where there always is something.
 *
 * @category model
 */
export interface RowFunctions<DB, TB extends keyof DB> extends FunctionModule<DB, TB> {
  count<RE extends ReferenceExpression<DB, TB>>(expr: RE): AggregateFunctionBuilder<DB, TB, number>
  count<O extends number | string | bigint, RE extends ReferenceExpression<DB, TB> = ReferenceExpression<DB, TB>>(
    expr: RE,
  ): AggregateFunctionBuilder<DB, TB, O>
  countAll(): AggregateFunctionBuilder<DB, TB, number>
  countAll<T extends TB>(table: T): AggregateFunctionBuilder<DB, TB, number>
  countAll<O extends number | string | bigint, T extends TB = TB>(table?: T): AggregateFunctionBuilder<DB, TB, O>
  sum<RE extends ReferenceExpression<DB, TB>>(
    expr: RE,
  ): AggregateFunctionBuilder<DB, TB, SumOf<ExtractTypeFromReferenceExpression<DB, TB, RE>> | null>
  sum<O extends number | string | bigint | null, RE extends ReferenceExpression<DB, TB> = ReferenceExpression<DB, TB>>(
    expr: RE,
  ): AggregateFunctionBuilder<DB, TB, O>
  avg<RE extends ReferenceExpression<DB, TB>>(
    expr: RE,
  ): AggregateFunctionBuilder<DB, TB, MeanOf<ExtractTypeFromReferenceExpression<DB, TB, RE>> | null>
  avg<O extends number | string | null, RE extends ReferenceExpression<DB, TB> = ReferenceExpression<DB, TB>>(
    expr: RE,
  ): AggregateFunctionBuilder<DB, TB, O>
  max<RE extends ReferenceExpression<DB, TB>>(
    expr: RE,
  ): AggregateFunctionBuilder<DB, TB, ExtractTypeFromReferenceExpression<DB, TB, RE> | null>
  max<
    O extends number | string | Date | bigint | null,
    RE extends ReferenceExpression<DB, TB> = ReferenceExpression<DB, TB>,
  >(expr: RE): AggregateFunctionBuilder<DB, TB, O>
  min<RE extends ReferenceExpression<DB, TB>>(
    expr: RE,
  ): AggregateFunctionBuilder<DB, TB, ExtractTypeFromReferenceExpression<DB, TB, RE> | null>
  min<
    O extends number | string | Date | bigint | null,
    RE extends ReferenceExpression<DB, TB> = ReferenceExpression<DB, TB>,
  >(expr: RE): AggregateFunctionBuilder<DB, TB, O>
}

/** Of 64-bit integers a sum is one too, and of decimals a decimal. */
type SumOf<V> = [Extract<V, bigint>] extends [never] ? MeanOf<V> : bigint

type MeanOf<V> = [Extract<V, Decimal>] extends [never] ? number : Decimal

/**
 * What rows are asked for with: Kysely's expression builder over the query's tables, and its entities.
 *
 * @category model
 */
export interface RowExpressions<S> extends ExpressionsOf<S> {
  readonly fn: RowFunctions<DatabaseOf<S>, TablesOf<S>>
  /** The entity of the query, or what an alias stands for: an `Option` where a row may have none. */
  entity(): EntityPart<ResultOf<S>>
  entity<A extends AliasOf<ExtentOf<S>>>(alias: A): EntityPart<AliasedResult<S, A>>
  /**
   * An expression of which nothing else tells how it is to be read, as raw text: as the values of a column.
   *
   * @example
   * q.readAs(real, sql`avg(price) filter (where sold)`)
   */
  readAs<C extends AnyColumn>(column: C, expression: Expression<unknown>): ReadPart<ValueOf<C>>
  /**
   * An attribute that is computed of the query's entity, read as its own column.
   *
   * @example
   * selectRows((q) => ({ line: q.entity(), total: q.computed(total) }))
   */
  computed<C extends AnyColumn>(attribute: ComputedAttribute<ModelOf<S>, NameOf<S>, C>): ReadPart<ValueOf<C>>
}

/** What an alias gives in each row. @category model */
export type AliasedResult<S, A> = A extends keyof ExtentOf<S>['joined']
  ? ExtentOf<S>['joined'][A] extends JoinedAs<infer N, infer Optional>
    ? Optional extends true
      ? Option<Managed<ModelOf<S>, N>>
      : Managed<ModelOf<S>, N>
    : never
  : never

/** What a part of a row gives. @category model */
export type PartResult<P> =
  P extends EntityPart<infer A>
    ? A
    : P extends ReadPart<infer A>
      ? A
      : P extends { readonly isSelectQueryBuilder: true; readonly expressionType?: infer O }
        ? Read<NonNullable<O>[keyof NonNullable<O>]> | null
        : P extends Expression<infer V>
          ? Read<V>
          : never

/** As rows give it: truth values are booleans on every database, and numbers are numbers. */
type Read<V> = [SqlBool] extends [V]
  ? Exclude<V, 0 | 1>
  : [number | string | bigint] extends [V]
    ? Exclude<V, string | bigint>
    : V

/** A row of parts: an object or tuple of what they give. @category model */
export type RowResult<O> = { readonly [K in keyof O]: PartResult<O[K]> } & {}

/**
 * Asks a query for rows: objects of entities, columns and whatever else Kysely's expression builder can say, or tuples of
 * them.
 *
 * Entities are the session's instances, with what the query loads beside them. Columns are decoded by their codecs, through
 * aliases, subqueries and functions that choose among values (`min`, `coalesce`, `case`, `lag`). Counts, ranks and sums are
 * numbers, comparisons booleans. Raw text is read as the driver gives it, unless `readAs` says how.
 *
 * @example
 * pipe(
 *   select(model.User),
 *   join('addresses', 'a'),
 *   selectRows((q) => ({ user: q.entity(), email: q.ref('a.email') })),
 *   Session.rows,
 * ) // ReadonlyArray<{ user: User; email: string }>
 *
 * @example
 * pipe(select(model.User), selectRows((q) => [q.entity(), q.ref('users.name')])) // [User, string]
 * pipe(select(model.User), selectRows('id', 'name')) // { id: number; name: string }
 *
 * @category constructors
 */
export function selectRows<
  S extends AnySelect,
  const O extends Readonly<Record<string, RowPart>> | ReadonlyArray<RowPart>,
>(parts: (q: RowExpressions<S>) => O): (self: S) => Rows<ModelOf<S>, NameOf<S>, RowResult<O>, ExtentOf<S>>
export function selectRows<S extends AnySelect, A extends keyof RowOf<ModelOf<S>, NameOf<S>> & string>(
  ...attributes: readonly [A, ...ReadonlyArray<A>]
): (self: S) => Rows<ModelOf<S>, NameOf<S>, Pick<RowOf<ModelOf<S>, NameOf<S>>, A>, ExtentOf<S>>
export function selectRows(
  first: string | ((q: RowExpressions<AnySelect>) => Parts),
  ...others: ReadonlyArray<string>
): (self: AnySelect) => Rows<unknown, string, never> {
  return (self) => {
    if (typeof first === 'string') return made(self, 'record', attributesOf(self, [first, ...others]))
    const parts = first(rowExpressionsOf(self))
    return Array.isArray(parts)
      ? made(
          self,
          'tuple',
          parts.map((asked: RowPart, i) => [`unitary_${i}`, asked]),
        )
      : made(self, 'record', Object.entries(parts))
  }
}

/**
 * Asks a query for one value a row: an attribute, an entity, what an expression gives.
 *
 * @example
 * pipe(select(model.User), where('age', '>', 17), selectScalar('name'), Session.rows) // ReadonlyArray<string>
 * pipe(select(model.User), selectScalar((q) => q.fn.max('age')), Session.one) // number | null
 *
 * @category constructors
 */
export function selectScalar<S extends AnySelect, P extends RowPart>(
  part: (q: RowExpressions<S>) => P,
): (self: S) => Rows<ModelOf<S>, NameOf<S>, PartResult<P>, ExtentOf<S>>
export function selectScalar<S extends AnySelect, A extends keyof RowOf<ModelOf<S>, NameOf<S>> & string>(
  attribute: A,
): (self: S) => Rows<ModelOf<S>, NameOf<S>, RowOf<ModelOf<S>, NameOf<S>>[A], ExtentOf<S>>
export function selectScalar(
  asked: string | ((q: RowExpressions<AnySelect>) => RowPart),
): (self: AnySelect) => Rows<unknown, string, never> {
  return (self) =>
    typeof asked === 'string'
      ? made(self, 'scalar', attributesOf(self, [asked]))
      : made(self, 'scalar', [['unitary_0', asked(rowExpressionsOf(self))]])
}

type Parts = Readonly<Record<string, RowPart>> | ReadonlyArray<RowPart>

/** Parts of a row by their names. */
type NamedParts = ReadonlyArray<readonly [name: string, part: RowPart]>

const attributesOf = (self: AnySelect, names: ReadonlyArray<string>): NamedParts =>
  names.map((name) => [name, new ExpressionWrapper(attributeNode(self.entity.mapping, { name }))])

const rowExpressionsOf = (self: AnySelect): RowExpressions<AnySelect> => {
  const eb = expressionsOf(self)
  return Object.assign(eb, {
    entity: (alias: string | null = null): EntityPart<never> => ({ _tag: 'EntityPart', alias }),
    readAs,
    computed: (attribute: ComputedAttribute<unknown, string, AnyColumn>): ReadPart<never> =>
      readAs(attribute.column, attribute(eb)),
  }) as never
}

const readAs = (column: AnyColumn, expression: Expression<unknown>): ReadPart<never> => ({
  _tag: 'ReadPart',
  expression,
  column,
})

const made = (self: AnySelect, shape: RowShape, parts: NamedParts): Rows<unknown, string, never> => {
  const selected = parts.map(([name, part], i) =>
    isEntity(part) ? entitySelected(self, name, part, `unitary_${i}`) : valueSelected(self, name, part),
  )
  const selections = selected.flatMap(({ columns }) => columns.map(([column, node]) => selection(node, column)))
  const { aliases, entity, node, options } = uncontained(
    self,
    'selectRows',
    'ask for the alias by `entity`, or load the relationship by selectin',
  )
  return {
    _tag: 'Rows',
    entity,
    node: {
      // what was said of columns is not to mean values of the same name
      ...qualifiedQuery(mappingsOf(self), node),
      selections: selections.length === 0 ? [selection(nothingAsked(self), '')] : selections,
    },
    query: self,
    aliases,
    shape,
    outputs: selected.map(({ output }) => output),
    options,
  }
}

/** What stands in a row, and the columns that it takes. */
interface Selected {
  readonly output: Output
  readonly columns: ReadonlyArray<readonly [column: string, node: OperationNode]>
}

const selection = (node: OperationNode, column: string): SelectionNode =>
  SelectionNode.create(AliasNode.create(node, IdentifierNode.create(column)))

const nothingAsked = ({ entity }: AnySelect): OperationNode =>
  faultNode(invalidClause(entity.name, 'selectRows', entity.name, 'a row has to hold something; ask for a value'))

const isEntity = (part: RowPart): part is EntityPart<unknown> => '_tag' in part && part._tag === 'EntityPart'

const isRead = (part: RowPart): part is ReadPart<unknown> => '_tag' in part && part._tag === 'ReadPart'

const valueSelected = (self: AnySelect, name: string, part: Exclude<RowPart, EntityPart<unknown>>): Selected => {
  const expression = isRead(part) ? part.expression : part
  return {
    output: { _tag: 'Value', name, column: name, readAs: isRead(part) ? part.column : null },
    columns: [[name, qualified(mappingsOf(self), self.node, bare(expression.toOperationNode()))]],
  }
}

/** Parentheses around the whole mean nothing, but for text, which may be anything. */
const bare = (node: OperationNode): OperationNode =>
  ParensNode.is(node) && !RawNode.is(node.node) ? bare(node.node) : node

const entitySelected = (self: AnySelect, name: string, { alias }: EntityPart<unknown>, prefix: string): Selected => {
  const joined = alias === null ? null : (self.aliases.find((candidate) => candidate.name === alias) ?? null)
  const mapping = joined?.mapping ?? self.entity.mapping
  const selected = joined === null ? columnsOf(self) : null
  const columns = rowColumns(mapping, ({ isDeferred, name: attribute, position }) =>
    (selected === null ? isDeferred : selected[position] === null) ? null : `${prefix}.${attribute}`,
  )
  const isOptional = joined?.isOptional ?? false
  return {
    output: { _tag: 'Entity', name, mapping, alias, isOptional, columns },
    columns:
      alias !== null && joined === null
        ? [[prefix, noAlias(self, alias)]]
        : mapping.attributes.flatMap((attribute) => {
            const column = columns[attribute.position] ?? null
            const node = alias === null ? attributeNode(mapping, attribute) : columnIn(alias, attribute.name)
            return column === null ? [] : [[column, node] as const]
          }),
  }
}

const noAlias = ({ entity }: AnySelect, alias: string): OperationNode =>
  faultNode(invalidClause(entity.name, 'selectRows', alias, 'no join of the query has that alias; join it first'))
