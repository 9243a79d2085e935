/**
 * A Unitary model from a scenario's description.
 */
import {
  type AnyCollectionKind,
  type AnyColumn,
  type AnyEntity,
  type AnyModel,
  asSet,
  boolean,
  type Cascade,
  column,
  deferred,
  defineModel,
  entity,
  generated,
  integer,
  keyedBy,
  type Mapped,
  nullable,
  primaryKey,
  type ReferentialAction,
  real,
  references,
  subtype,
  text,
  unique,
  version,
  withInsertDefault,
  withServerDefault,
  withUpdateDefault,
} from '@unitary/core'
import * as t from 'io-ts'
import { sql } from 'kysely'
import { conditionOn } from './condition.js'
import type {
  ColumnDescription,
  EntityDescription,
  ModelDescription,
  RelationshipDescription,
  TableRow,
} from './scenario.js'

/** An entity whose types no description can tell. */
export type AnyMapped = Mapped<unknown, string>

/** A model, and what the adapter reads of its description. */
export interface ScenarioModel {
  readonly description: ModelDescription
  readonly model: AnyModel
  readonly entity: (name: string) => AnyMapped
  readonly relationship: (entity: string, name: string) => RelationshipDescription | undefined
  /** A row with booleans where the columns hold them. */
  readonly portable: (table: string, row: Readonly<Record<string, unknown>>) => TableRow
}

const models = new WeakMap<ModelDescription, ScenarioModel>()

/** The model of a description, made once. */
export const modelOf = (description: ModelDescription): ScenarioModel => {
  const known = models.get(description)
  if (known !== undefined) return known
  const made = makeModel(description)
  models.set(description, made)
  return made
}

const makeModel = (given: ModelDescription): ScenarioModel => {
  const description = withInherited(given)
  const entities = entitiesOf(given)
  const model = defineModel(entities as never)(((r: Builders) =>
    mapValues(given.entities, (owner, { relationships }) =>
      mapValues(relationships ?? {}, (_, given) => relationshipOf(r[owner] as Builder, given, description)),
    )) as never) as unknown as AnyModel
  const booleans = new Map(
    Object.entries(description.entities).map(([name, { table, columns }]) => [
      table ?? name,
      Object.keys(columns).filter((column) => columns[column]?.type === 'boolean'),
    ]),
  )
  return {
    description,
    model,
    entity: (name) => (model as unknown as Readonly<Record<string, AnyMapped>>)[name] as AnyMapped,
    relationship: (owner, name) => description.entities[owner]?.relationships?.[name],
    portable: (table, row) => {
      const copy: Record<string, unknown> = { ...row }
      for (const column of booleans.get(table) ?? []) {
        if (typeof copy[column] === 'number') copy[column] = copy[column] !== 0
      }
      return copy as TableRow
    },
  }
}

const mapValues = <A, B>(record: Readonly<Record<string, A>>, f: (key: string, value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(key, value)]))

/** The same with what entities inherit said of each of them. */
const withInherited = (model: ModelDescription): ModelDescription => {
  const whole = (given: EntityDescription): EntityDescription => {
    const parent = given.inherits === undefined ? undefined : model.entities[given.inherits]
    if (parent === undefined) return given
    const { columns, relationships } = whole(parent)
    return {
      ...given,
      columns: { ...columns, ...given.columns },
      relationships: { ...relationships, ...given.relationships },
    }
  }
  return { ...model, entities: mapValues(model.entities, (_, given) => whole(given)) }
}

/** The entities of a model, each made after the one that it inherits from. */
const entitiesOf = (model: ModelDescription): Readonly<Record<string, AnyEntity>> => {
  const made = new Map<string, AnyEntity>()
  const make = (name: string): AnyEntity => {
    const known = made.get(name)
    if (known !== undefined) return known
    const given = model.entities[name] as EntityDescription
    const one = given.inherits === undefined ? entityOf(name, given) : subtypeOf(make(given.inherits), name, given)
    made.set(name, one)
    return one
  }
  return mapValues(model.entities, make)
}

const entityOf = (name: string, { table, columns, discriminator, identity }: EntityDescription): AnyEntity =>
  (entity as (...given: ReadonlyArray<unknown>) => AnyEntity)(
    name,
    table ?? name,
    mapValues(columns, (column, given) =>
      // the corpus gives it to every row, whatever its column says
      column === discriminator ? columnOf({ ...given, nullable: false }) : columnOf(given),
    ),
    discriminator === undefined ? {} : { discriminator, identity },
  )

const subtypeOf = (parent: AnyEntity, name: string, { table, columns, identity }: EntityDescription): AnyEntity => {
  const key = Object.keys(columns).filter((column) => columns[column]?.primaryKey === true)
  const own = Object.fromEntries(Object.entries(columns).filter(([column]) => !key.includes(column)))
  const made = mapValues(own, (_, column) => columnOf(column))
  const make = subtype(parent as never) as unknown as (...given: ReadonlyArray<unknown>) => AnyEntity
  return table === undefined ? make(name, made, { identity }) : make(name, table, made, { identity, key })
}

const kinds: Readonly<Record<ColumnDescription['type'], AnyColumn>> = { integer, text, real, boolean }

/** Keys and others that need a value may be set to null in a scenario: what comes of it is for the database to say. */
const orNull = (self: AnyColumn): AnyColumn => column(t.union([self.codec, t.null]), self.kind)

const neededKinds: typeof kinds = {
  integer: orNull(integer),
  text: orNull(text),
  real: orNull(real),
  boolean: orNull(boolean),
}

const columnOf = (given: ColumnDescription): AnyColumn => {
  const { foreignKey } = given
  const isNeeded = given.version !== true && (given.primaryKey === true || given.nullable === false)
  let made: AnyColumn = (isNeeded ? neededKinds : kinds)[given.type]
  if (given.version === true) return version(made)
  if (given.primaryKey === true) made = primaryKey(made)
  if (given.generated === true) made = generated(made)
  if (given.primaryKey !== true && given.nullable !== false) made = nullable(made)
  if (given.unique === true) made = unique(made)
  if (given.default !== undefined) made = withInsertDefault(() => given.default)(made)
  if (given.serverDefault !== undefined) {
    made = withServerDefault(sql.lit(given.serverDefault))(made)
  }
  if (given.onUpdate !== undefined) {
    made = withUpdateDefault(() => given.onUpdate)(made)
  }
  if (given.deferred === true) made = deferred(made)
  if (foreignKey !== undefined) {
    made = references(`${foreignKey.table}.${foreignKey.column}`, {
      ...actionOf('onDelete', foreignKey.onDelete),
      ...actionOf('onUpdate', foreignKey.onUpdate),
    })(made)
  }
  return made
}

const actionOf = (name: 'onDelete' | 'onUpdate', action: string | undefined) =>
  action === undefined ? {} : { [name]: action.toLowerCase() as ReferentialAction }

type Options = Readonly<Record<string, unknown>>
type Builder = Readonly<Record<string, (target: string, options: Options) => unknown>>
type Builders = Readonly<Record<string, Builder>>

const makers: Readonly<Record<RelationshipDescription['kind'], string>> = {
  oneToMany: 'hasMany',
  manyToOne: 'belongsTo',
  oneToOne: 'hasOne',
  manyToMany: 'manyToMany',
}

const relationshipOf = (builder: Builder, given: RelationshipDescription, model: ModelDescription): unknown => {
  const { secondary, filter } = given
  return builder[makers[given.kind]]?.(
    given.target,
    present({
      foreignKey: given.foreignKey,
      through: secondary,
      inverse: given.backPopulates,
      cascade: given.cascade as ReadonlyArray<Cascade> | undefined,
      orderBy: given.orderBy?.map(orderOf),
      passiveDeletes: given.passiveDeletes,
      passiveUpdates: given.passiveUpdates,
      viewonly: given.viewonly,
      singleParent: given.singleParent,
      postUpdate: given.postUpdate,
      collection: collectionOf(given.collection),
      load: given.lazy === 'select' ? 'lazy' : given.lazy,
      where: filter === undefined ? undefined : conditionOn(model, given.target, filter),
    }),
  )
}

const collectionOf = (kind: RelationshipDescription['collection']): AnyCollectionKind | undefined => {
  if (kind === undefined || kind === 'list') return undefined
  return kind === 'set' ? asSet : keyedBy(kind.keyedBy)
}

/** `-name` is descending. */
export const orderOf = (by: string): readonly [attribute: string, direction: 'asc' | 'desc'] =>
  by.startsWith('-') ? [by.slice(1), 'desc'] : [by, 'asc']

const present = (options: Options): Options =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
