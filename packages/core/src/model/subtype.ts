/**
 * Subtypes: entities that have all that their parent has, and more.
 *
 * Every row of a subtype is one of its parent too, under the same key: a query of the parent gives it, a relationship to the
 * parent may lead to it. The parent's discriminator tells them apart. What a subtype adds stands in a table of its own
 * (joined) or in the table of its parent (single). Subtypes may have subtypes, of either kind. A concrete subtype has all of
 * its rows in a table of its own, and keys of its own.
 *
 * @example
 * const Person = entity(
 *   'Person',
 *   'people',
 *   { id: pipe(integer, primaryKey, generated), kind: text, name: text },
 *   { discriminator: 'kind', identity: 'person' },
 * )
 * const Engineer = subtype(Person)('Engineer', 'engineers', { language: text }, { identity: 'engineer' })
 * const Manager = subtype(Person)('Manager', { level: integer }, { identity: 'manager' })
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/inheritance.html
 */
import { constraintsOf } from './constraint.js'
import type {
  AnyEntity,
  AttributesWith,
  Columns,
  ColumnsOf,
  Discriminating,
  EntityOptions,
  FamilyOf,
  Inheritance,
  Polymorphic,
  Simplify,
  SubtypeLoad,
} from './entity.js'

type AnyPolymorphic = AnyEntity & { readonly inheritance: Inheritance }

/**
 * What a subtype says of itself. Without an identity it is abstract, and all its rows are of its own subtypes.
 *
 * Constraints and indexes are of the table that holds what it adds, and speak of what stands there: of a joined subtype the
 * key and its own attributes. In the table of its parent rows of others are held to them too, and have NULL for what is
 * not theirs.
 *
 * @category model
 */
export interface SubtypeOptions<
  Table extends string,
  C extends Columns,
  I,
  All extends Columns = C,
  Load = SubtypeLoad | null,
> extends EntityOptions<Table, C, All> {
  /** The value of the discriminator in its rows. */
  readonly identity?: I
  /**
   * Queries of what it is a subtype of load what it adds, too: `inline`, in the same statement as `withSubtypes` does, or by one
   * more, `selectin`, as `selectinSubtypes`. `selectOwn` is a query without that.
   *
   * @see https://docs.sqlalchemy.org/en/21/orm/queryguide/inheritance.html#configuring-selectin-polymorphic-on-mappers
   */
  readonly load?: Load
}

/** @category model */
export interface JoinedOptions<
  Table extends string,
  C extends Columns,
  I,
  All extends Columns = C,
  Load = SubtypeLoad | null,
> extends SubtypeOptions<Table, C, I, All, Load> {
  /** The column of its table that holds the key, or the columns in the key's order, where they are not called as the parent's. */
  readonly key?: string | ReadonlyArray<string>
}

/** The columns of a subtype: the parent's, its discriminator known by its value, and its own. */
type SubtypeColumns<P, C extends Columns, I> = Simplify<
  {
    readonly [K in keyof ColumnsOf<P>]: K extends FamilyOf<P>['discriminator']
      ? Discriminating<ColumnsOf<P>[K], [I] extends [null] ? FamilyOf<P>['value'] : I>
      : ColumnsOf<P>[K]
  } & C
>

/** What stands in the table of a joined subtype: the key, and what it adds. */
type JoinedColumns<P, C extends Columns> = Simplify<Pick<ColumnsOf<P>, AttributesWith<ColumnsOf<P>, 'primaryKey'>> & C>

interface FamilyUnder<P extends AnyEntity, I, Load extends SubtypeLoad | null> {
  readonly discriminator: FamilyOf<P>['discriminator']
  readonly value: FamilyOf<P>['value']
  readonly identity: I
  readonly ancestors: FamilyOf<P>['ancestors'] | P['name']
  readonly relatives: FamilyOf<P>['relatives'] | P['name']
  readonly load: Load
}

interface ConcreteUnder<P extends AnyEntity, I, Load extends SubtypeLoad | null> extends FamilyUnder<P, I, Load> {
  readonly relatives: never
}

/**
 * Makes subtypes of one entity.
 *
 * @category constructors
 */
export interface SubtypeBuilder<P extends AnyPolymorphic> {
  /** A joined subtype: what it adds stands in a table of its own, whose key refers to the parent's. */
  <
    const Name extends string,
    const Table extends string,
    C extends Columns,
    const I extends FamilyOf<P>['value'] | null = null,
    const Load extends SubtypeLoad | null = null,
  >(
    name: Name,
    table: Table,
    columns: C,
    options: JoinedOptions<NoInfer<Table>, JoinedColumns<P, NoInfer<C>>, I, SubtypeColumns<P, NoInfer<C>, null>, Load>,
  ): Polymorphic<Name, Table, SubtypeColumns<P, C, I>, FamilyUnder<P, I, Load>>
  /**
   * A single-table subtype: what it adds stands in the table of its parent, in columns that rows of others leave NULL. In
   * expressions its rows are a table of the entity's name.
   */
  <
    const Name extends string,
    C extends Columns,
    const I extends FamilyOf<P>['value'] | null = null,
    const Load extends SubtypeLoad | null = null,
  >(
    name: Name,
    columns: C,
    options: SubtypeOptions<
      NoInfer<Name>,
      SubtypeColumns<P, NoInfer<C>, null>,
      I,
      SubtypeColumns<P, NoInfer<C>, null>,
      Load
    >,
  ): Polymorphic<Name, Name, SubtypeColumns<P, C, I>, FamilyUnder<P, I, Load>>
}

type Options = JoinedOptions<string, Columns, unknown>

/**
 * A subtype of an entity that has a discriminator, or of another subtype.
 *
 * @example
 * const Engineer = subtype(Person)('Engineer', 'engineers', { language: text }, { identity: 'engineer' })
 * const Lead = subtype(Engineer)('Lead', { team: text }, { identity: 'lead' })
 *
 * @category constructors
 */
export const subtype = <P extends AnyPolymorphic>(parent: P): SubtypeBuilder<P> =>
  ((...given: readonly [string, string, Columns, Options] | readonly [string, Columns, Options]): AnyEntity => {
    const [name, table, own, options] = isJoined(given) ? given : ([given[0], null, given[1], given[2]] as const)
    const { identity = null, key = null, load = null, validate = null } = options
    const inheritance: Inheritance =
      table === null
        ? { _tag: 'Single', parent, own, identity, load }
        : { _tag: 'Joined', parent, own, identity, load, key: typeof key === 'string' ? [key] : key }
    return {
      _tag: 'Entity',
      name,
      table: table ?? name,
      columns: { ...(parent.columns as Columns), ...own },
      constraints: constraintsOf(options),
      validate,
      inheritance,
    }
  }) as unknown as SubtypeBuilder<P>

const isJoined = (
  given: readonly [string, string, Columns, Options] | readonly [string, Columns, Options],
): given is readonly [string, string, Columns, Options] => typeof given[1] === 'string'

/**
 * Makes concrete subtypes of one entity.
 *
 * @category constructors
 */
export type ConcreteBuilder<P extends AnyPolymorphic> = <
  const Name extends string,
  const Table extends string,
  C extends Columns,
  const I extends FamilyOf<P>['value'] | null = null,
  const Load extends SubtypeLoad | null = null,
>(
  name: Name,
  table: Table,
  columns: C,
  options: SubtypeOptions<
    NoInfer<Table>,
    SubtypeColumns<P, NoInfer<C>, null>,
    I,
    SubtypeColumns<P, NoInfer<C>, null>,
    Load
  >,
) => Polymorphic<Name, Table, SubtypeColumns<P, C, I>, ConcreteUnder<P, I, Load>>

/**
 * A concrete subtype: a table of its own has its rows with all their attributes, and its keys are its own. A query of the parent
 * reads a union of the tables, in which the discriminator says what each row is; no table has a column of it. An entity with
 * concrete subtypes has no others, and no relationships: declare these for each.
 *
 * @example
 * const Shape = entity('Shape', 'shapes', { id, kind: text, name: text }, { discriminator: 'kind' })
 * const Circle = concrete(Shape)('Circle', 'circles', { radius: real }, { identity: 'circle' })
 * const Square = concrete(Shape)('Square', 'squares', { side: real }, { identity: 'square' })
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/inheritance.html#concrete-table-inheritance
 * @category constructors
 */
export const concrete =
  <P extends AnyPolymorphic>(parent: P): ConcreteBuilder<P> =>
  (name, table, columns, options) =>
    ({
      _tag: 'Entity',
      name,
      table,
      columns: { ...(parent.columns as Columns), ...columns },
      constraints: constraintsOf(options),
      validate: options.validate ?? null,
      inheritance: {
        _tag: 'Concrete',
        parent,
        own: columns,
        identity: options.identity ?? null,
        load: options.load ?? null,
      },
    }) as never
