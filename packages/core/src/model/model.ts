/**
 * A model: entities, and the relationships between them, in two steps that keep cyclic types inferable.
 *
 * @example
 * const model = defineModel({ User, Address })((r) => ({
 *   User: { addresses: r.User.hasMany('Address', { foreignKey: 'userId', inverse: 'user' }) },
 *   Address: { user: r.Address.belongsTo('User', { foreignKey: 'userId', inverse: 'addresses' }) },
 * }))
 * model.User // the mapped entity, first argument of everything that concerns users
 */

import { checkCollection } from './check-collection.js'
import { columnFaults } from './check-column.js'
import { checkConstraints } from './check-constraint.js'
import { checkGenerators } from './check-generator.js'
import { checkInheritance } from './check-inheritance.js'
import { nameFault, tableFault } from './check-name.js'
import { checkReferences } from './check-reference.js'
import { checkAccepted, checkBetween, checkLinks, checkReferred, checkRelationship } from './check-relationship.js'
import { asList } from './collection.js'
import type { AnyEntity } from './entity.js'
import {
  type ExtendedEntities,
  type ExtensionBuilder,
  type Extensions,
  extended,
  extensionBuilder,
} from './extension.js'
import { ModelError, type ModelFault } from './fault.js'
import {
  attributesOfSide,
  checkCondition,
  conditionNode,
  ownerSide,
  type SideTables,
  targetSide,
} from './join-condition.js'
import { mapEntity } from './map-entity.js'
import {
  type Attribute,
  isOnlyJoined,
  type Mapping,
  type RelationshipMapping,
  type TablePart,
  withDescendants,
  withoutDiscriminator,
} from './mapping.js'
import { hasConcretes } from './parts.js'
import type { Between, Entities, Relationship, Relationships } from './relationship.js'
import type { RelationshipBuilder } from './relationship-builder.js'
import { relationshipBuilder } from './relationship-builder.js'
import { storedMappings } from './stored.js'

/**
 * @category model
 */
export interface Model<Es extends Entities, Rs> {
  readonly _tag: 'Model'
  readonly entities: Es
  readonly relationships: Rs
  /** The same, as the machinery reads it, in the order of the entities. */
  readonly mappings: ReadonlyArray<Mapping>
  readonly mappingOf: ReadonlyMap<string, Mapping>
}

/** A model of whichever entities. @category model */
// biome-ignore lint/suspicious/noExplicitAny: a model of any entities, whose codecs are invariant
export type AnyModel = Model<any, any>

/**
 * One entity within its model: `model.User`. `M` and `N` carry the types.
 *
 * @category model
 */
export interface Mapped<out M, out N extends string> {
  readonly _tag: 'Mapped'
  readonly name: N
  readonly mapping: Mapping
  /** The model that it belongs to; a function, since the two refer to each other. */
  readonly model: () => M
}

/** A type that says what is wrong, where a call does not fit. */
export interface TypeFault<Message extends string> {
  readonly fault: Message
}

type CheckedInverse<Rs, R> = R extends { readonly target: infer T extends string; readonly inverse: infer I }
  ? I extends string
    ? T extends keyof Rs
      ? I extends keyof Rs[T]
        ? unknown
        : TypeFault<`'${I}' is no relationship of ${T}`>
      : TypeFault<`'${I}' is no relationship of ${T}`>
    : unknown
  : unknown

type CheckedInverses<Rs> = {
  readonly [N in keyof Rs]: { readonly [K in keyof Rs[N]]: CheckedInverse<Rs, Rs[N][K]> }
}

/**
 * The second step of a model: the relationships of its entities, and the attributes that it gives them beside their columns.
 *
 * @category constructors
 */
export interface ModelBuilder<Es extends Entities> {
  <const Rs extends Relationships<Es>>(
    relationships: (r: { readonly [N in keyof Es]: RelationshipBuilder<Es, N> }) => Rs & CheckedInverses<Rs>,
  ): Model<Es, Rs> & { readonly [N in keyof Es & string]: Mapped<Model<Es, Rs>, N> }
  <const Rs extends Relationships<Es>, const Xs extends Extensions<Es>>(
    relationships: (r: { readonly [N in keyof Es]: RelationshipBuilder<Es, N> }) => Rs & CheckedInverses<Rs>,
    attributes: (a: { readonly [N in keyof Es]: ExtensionBuilder<Es, N> }) => Xs,
  ): Model<ExtendedEntities<Es, Xs>, Rs> & {
    readonly [N in keyof Es & string]: Mapped<Model<ExtendedEntities<Es, Xs>, Rs>, N>
  }
}

/** The same builder for each entity. */
const forEach = <A>(entities: Entities, builder: A): Readonly<Record<string, A>> =>
  Object.fromEntries(Object.keys(entities).map((name) => [name, builder]))

/**
 * Makes a model of entities, then of their relationships, and of attributes that they have beside their columns.
 *
 * A misspelt target, foreign key or inverse does not compile. What types cannot see (no primary key, a foreign key that
 * does not fit its target's key, two entities on one table, ...) throws a {@link ModelError} that lists every fault.
 *
 * @category constructors
 */
export const defineModel =
  <const Es extends Entities>(given: Es): ModelBuilder<Es> =>
  (
    relationships: (r: never) => Readonly<Record<string, Declared>>,
    attributes: ((a: never) => Extensions<Entities>) | null = null,
  ): never => {
    const declared = relationships(forEach(given, relationshipBuilder) as never)
    const faults: ModelFault[] = []
    const entities =
      attributes === null ? given : extended(given, attributes(forEach(given, extensionBuilder) as never), faults)
    const mappings = resolve(entities, declared, faults)
    // biome-ignore lint/plugin: a faulty model is a defect of the program, see ModelError
    if (faults.length > 0) throw new ModelError(faults)
    const model: Record<string, unknown> = {
      _tag: 'Model',
      entities,
      relationships: declared,
      mappings,
      mappingOf: new Map(mappings.map((mapping) => [mapping.name, mapping])),
    }
    for (const mapping of mappings) {
      model[mapping.name] = { _tag: 'Mapped', name: mapping.name, mapping, model: () => model }
    }
    return model as never
  }

type Declared = Readonly<Record<string, Relationship>>

const reserved = new Set(['_tag', 'entities', 'relationships', 'mappings', 'mappingOf'])

type Draft<T> = { -readonly [K in keyof T]: T[K] }

const resolve = (
  entities: Entities,
  declared: Readonly<Record<string, Declared>>,
  faults: ModelFault[],
): ReadonlyArray<Mapping> => {
  const mappings = mapEntities(entities)
  const owners = new Map<string, string>()
  for (const [name, entity] of Object.entries(entities)) {
    const mapping = mappings.get(name) as Mapping
    if (entity.name !== name) {
      faults.push({ path: name, message: `the entity is called '${entity.name}'; give it the same name here` })
    }
    if (reserved.has(name)) faults.push({ path: name, message: 'the name is reserved; choose another' })
    const other = owners.get(entity.table)
    if (other !== undefined) {
      faults.push({
        path: name,
        message: `table '${entity.table}' belongs to ${other} already; name another, or make it a subtype`,
      })
    }
    owners.set(entity.table, name)
    for (const message of [nameFault(name), tableFault(entity.table)]) {
      if (message !== null) faults.push({ path: name, message })
    }
    checkEntity(mapping, faults)
    checkConstraints(mapping, faults)
    checkInheritance(mapping, entity, faults)
  }
  for (const name of Object.keys(declared)) {
    if (mappings.has(name)) continue
    faults.push({ path: name, message: 'relationships are declared for it, but it is no entity of the model' })
  }
  for (const root of mappings.values()) {
    // what a subtype inherits is there before what it adds
    if (root.parent !== null) continue
    for (const owner of withDescendants(root)) {
      if (owner.root === root) relate(owner, declared[owner.name] ?? {}, mappings, faults)
    }
  }
  checkLinks(mappings, faults)
  for (const mapping of mappings.values()) linkInverses(mapping, declared[mapping.name] ?? {}, faults)
  const all = [...mappings.values()]
  for (const mapping of all) (mapping as Draft<Mapping>).model = all
  const tables = storedMappings(all)
  checkReferences(tables, faults)
  checkGenerators(tables, faults)
  return all
}

/** The mappings of the entities, in their order; each knows its parent and its subtypes. */
const mapEntities = (entities: Entities): ReadonlyMap<string, Mapping> => {
  const places = new Map(Object.entries(entities).map(([name, entity], index) => [entity, { name, index }]))
  const made = new Map<AnyEntity, Draft<Mapping>>()
  const map = (entity: AnyEntity): Mapping | undefined => {
    const place = places.get(entity)
    const known = made.get(entity)
    if (place === undefined || known !== undefined) return known
    const mapping = mapEntity(entity, place.index, map)
    made.set(entity, mapping)
    return mapping
  }
  for (const entity of places.keys()) map(entity)
  const mappings = new Map([...places].map(([entity, { name }]) => [name, made.get(entity) as Draft<Mapping>]))
  for (const mapping of mappings.values()) {
    const parent = (mapping.parent ?? mapping.concreteOf) as Draft<Mapping> | null
    if (parent === null) continue
    parent.subtypes = [...parent.subtypes, mapping]
    if (mapping.concreteOf === null) continue
    parent.parts = parent.parts.map((part) => ({ ...part, attributes: withoutDiscriminator(parent) }))
  }
  return mappings
}

const checkEntity = (mapping: Mapping, faults: ModelFault[]): void => {
  if (mapping.key.length === 0) {
    faults.push({ path: mapping.name, message: 'no column is a primaryKey, which tells its rows apart; make one so' })
  }
  const part = mapping.parts.at(-1) as TablePart
  const columns = new Map<string, string>(part.key.map((column, i) => [column, mapping.key[i]?.name ?? '']))
  for (const attribute of part.attributes) {
    const path = `${mapping.name}.${attribute.name}`
    const other = columns.get(attribute.columnName)
    if (other !== undefined && other !== attribute.name) {
      faults.push({
        path,
        message: `column '${attribute.columnName}' belongs to attribute '${other}' already; say named for one of them`,
      })
    }
    columns.set(attribute.columnName, attribute.name)
    // of what is inherited its own entity is told
    if (attribute.position < (mapping.parent?.attributes.length ?? 0)) continue
    const named = (mapping.parent ?? mapping.concreteOf)?.synonyms.get(attribute.name)
    if (named !== undefined) faults.push({ path, message: `it is another name of '${named.name}' already` })
    const unfit = nameFault(attribute.name)
    if (unfit !== null) faults.push({ path, message: unfit })
    for (const message of columnFaults(mapping, attribute)) faults.push({ path, message })
  }
}

/** Fills the relationships of a mapping; the mappings are not yet seen by anyone else. */
const relate = (
  owner: Mapping,
  declared: Declared,
  mappings: ReadonlyMap<string, Mapping>,
  faults: ModelFault[],
): void => {
  const resolved: RelationshipMapping[] = [...(owner.parent?.relationships ?? [])]
  const inherited = new Set(resolved.map(({ name }) => name))
  for (const name of inherited) {
    if (!owner.attributeOf.has(name)) continue
    faults.push({ path: `${owner.name}.${name}`, message: `${owner.parent?.name} has a relationship of that name` })
  }
  for (const [name, relationship] of Object.entries(declared)) {
    const path = `${owner.name}.${name}`
    const target = mappings.get(relationship.target)
    if (target === undefined) {
      faults.push({ path, message: `target '${relationship.target}' is no entity of the model` })
      continue
    }
    if (owner.attributeOf.has(name)) faults.push({ path, message: 'a column has the same name' })
    const named = owner.synonyms.get(name)
    if (named !== undefined) faults.push({ path, message: `'${name}' is another name of '${named.name}' already` })
    const unfit = nameFault(name)
    if (unfit !== null) faults.push({ path, message: unfit })
    if (hasConcretes(owner))
      faults.push({ path, message: `${owner.name} has concrete subtypes; declare it for each of them` })
    if (hasConcretes(target) && !relationship.viewonly) {
      faults.push({ path, message: `${target.name} has concrete subtypes, and rows in several tables; say viewonly` })
    }
    if (inherited.has(name)) faults.push({ path, message: `${owner.parent?.name} has a relationship of that name` })
    const isKeyed = 'foreignKey' in relationship
    const isLinked = relationship._tag === 'ManyToMany'
    const [holder, referred] = relationship._tag === 'BelongsTo' ? [owner, target] : [target, owner]
    const foreignKey = isKeyed ? attributes(holder, relationship.foreignKey, `${path}.foreignKey`, faults) : []
    const references = isKeyed ? relationship.references : null
    const key = references === null ? referred.key : attributes(referred, references, `${path}.references`, faults)
    const between = isKeyed || isLinked ? [] : betweenOf(relationship.through, mappings, `${path}.through`, faults)
    const on = relationship.on === null ? null : conditionNode(`${path}.on`, relationship.on, faults)
    const accepts =
      'accepts' in relationship ? entitiesNamed(relationship.accepts, mappings, `${path}.accepts`, faults) : []
    if (isLinked) {
      checkLink(relationship.through.own, owner, `${path}.through.own`, faults)
      checkLink(relationship.through.target, target, `${path}.through.target`, faults)
    } else if (isKeyed && references === null && relationship.foreignKey.length !== referred.key.length) {
      faults.push({
        path: `${path}.foreignKey`,
        message: `${relationship.foreignKey.length} attributes cannot hold the key of ${referred.name}, which has ${referred.key.length}`,
      })
    }
    if (references !== null && isKeyed) {
      checkReferred(`${path}.references`, relationship.foreignKey, references, key, referred, faults)
    }
    checkRelationship(path, relationship, owner, faults)
    checkAccepted(`${path}.accepts`, accepts, target, [...foreignKey, ...key], isLinked, faults)
    checkBetween(`${path}.through`, between, faults)
    const sides: SideTables = new Map([...between, [ownerSide, owner], [targetSide, target]])
    if (on !== null) checkCondition(`${path}.on`, on, sides, faults)
    if ('collection' in relationship) checkCollection(relationship, target, `${path}.collection`, faults)
    foreignKey.forEach(({ name: held, column }, i) => {
      const to = key[i]
      if (to === undefined || to.column.kind === column.kind) return
      faults.push({
        path: `${path}.foreignKey`,
        message: `'${held}' is ${column.kind}, and ${referred.name}.${to.name} is ${to.column.kind}`,
      })
    })
    const { viewonly, passiveDeletes, passiveUpdates, postUpdate, singleParent, load, where, loadOnPending } =
      relationship
    const own = relationship._tag === 'BelongsTo' ? foreignKey : key
    resolved.push({
      kind: relationship._tag,
      name,
      position: resolved.length,
      owner,
      target,
      foreignKey,
      key,
      isByIdentity: key.length === referred.key.length && key.every((attribute, i) => attribute === referred.key[i]),
      through: isLinked ? relationship.through : null,
      on,
      between,
      ownerAttributes: on === null ? own : [...new Set([...own, ...attributesOfSide(on, ownerSide, owner)])],
      accepts,
      isCollection: isLinked || relationship._tag === 'HasMany' || relationship._tag === 'JoinsMany',
      collection: 'collection' in relationship ? relationship.collection : asList,
      inverse: null,
      cascade: new Set(relationship.cascade),
      orderBy: relationship.orderBy.flatMap(([attribute, direction]) =>
        attributes(target, [attribute], `${path}.orderBy`, faults).map((a) => [a, direction] as const),
      ),
      where,
      viewonly,
      passiveDeletes,
      passiveUpdates,
      postUpdate,
      singleParent,
      load,
      loadOnPending,
    })
  }
  const mutable = owner as Draft<Mapping>
  mutable.relationships = resolved
  mutable.relationshipOf = new Map(resolved.map((relationship) => [relationship.name, relationship]))
}

const entitiesNamed = (
  names: ReadonlyArray<string>,
  mappings: ReadonlyMap<string, Mapping>,
  path: string,
  faults: ModelFault[],
): ReadonlyArray<Mapping> =>
  names.flatMap((name) => {
    const mapping = mappings.get(name)
    if (mapping === undefined) faults.push({ path, message: `'${name}' is no entity of the model` })
    return mapping ?? []
  })

const betweenOf = (
  through: Between,
  mappings: ReadonlyMap<string, Mapping>,
  path: string,
  faults: ModelFault[],
): RelationshipMapping['between'] =>
  Object.entries(through).flatMap(([alias, name]) =>
    entitiesNamed([name], mappings, path, faults).map((mapping) => [alias, mapping] as const),
  )

const checkLink = (columns: ReadonlyArray<string>, mapping: Mapping, path: string, faults: ModelFault[]): void => {
  if (columns.length !== mapping.key.length) {
    faults.push({
      path,
      message: `${columns.length} columns cannot hold the key of ${mapping.name}, which has ${mapping.key.length}`,
    })
  }
}

const attributes = (
  mapping: Mapping,
  names: ReadonlyArray<string>,
  path: string,
  faults: ModelFault[],
): ReadonlyArray<Attribute> =>
  names.flatMap((name) => {
    const attribute = mapping.attributeOf.get(name)
    if (attribute === undefined) {
      faults.push({ path, message: `'${name}' is no attribute of ${mapping.name}` })
      return []
    }
    return [attribute]
  })

const linkInverses = (mapping: Mapping, declared: Declared, faults: ModelFault[]): void => {
  for (const relationship of mapping.relationships) {
    const name = relationship.owner === mapping ? (declared[relationship.name]?.inverse ?? null) : null
    if (name === null) continue
    const path = `${mapping.name}.${relationship.name}.inverse`
    const inverse = relationship.target.relationshipOf.get(name)
    if (inverse === undefined) {
      faults.push({ path, message: `'${name}' is no relationship of ${relationship.target.name}` })
    } else if (inverse.owner !== relationship.target) {
      faults.push({
        path,
        message: `'${name}' is a relationship of ${inverse.owner.name}; declare one of ${relationship.target.name}`,
      })
    } else if (inverse.target !== mapping || !areInverse(relationship, inverse)) {
      faults.push({ path, message: `${relationship.target.name}.${name} does not lead back to ${mapping.name}` })
    } else if (inverse.foreignKey.some((attribute, i) => attribute !== relationship.foreignKey[i])) {
      faults.push({ path, message: `${relationship.target.name}.${name} goes over another foreign key` })
    } else if (inverse.through === null && inverse.key.some((attribute, i) => attribute !== relationship.key[i])) {
      faults.push({ path, message: `${relationship.target.name}.${name} refers to other attributes` })
    } else if (!relationship.viewonly && !inverse.viewonly) {
      // what is only viewed is not kept in step
      ;(relationship as Draft<RelationshipMapping>).inverse = inverse
    }
  }
}

/** One side holds the key and the other does not, or both go over the same links from opposite ends. */
const areInverse = (a: RelationshipMapping, b: RelationshipMapping): boolean =>
  !isOnlyJoined(a) &&
  !isOnlyJoined(b) &&
  (a.through === null || b.through === null
    ? (a.kind === 'BelongsTo') !== (b.kind === 'BelongsTo') && a.through === b.through
    : a.through.table === b.through.table &&
      a.through.own.join() === b.through.target.join() &&
      a.through.target.join() === b.through.own.join())
