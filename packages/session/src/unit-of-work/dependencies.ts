/**
 * In which order the tables of a model can be written.
 *
 * The order follows from the relationships alone, so it is found once for a model: entities in groups, those that are
 * referred to before those that refer. Entities that refer to each other, or to themselves, share a group, and a flush
 * sorts their instances instead. An entity stands for its subtypes, whose rows are in its table too.
 */
import { type AnyModel, type Mapping, type RelationshipMapping, withDescendants } from '@unitary/core'
import { components } from './topological-sort.js'

/**
 * @category model
 */
export interface EntityGroup {
  readonly mappings: ReadonlyArray<Mapping>
  /** Do instances of the group refer to instances of the group? */
  readonly isCyclic: boolean
}

const groups = new WeakMap<AnyModel, ReadonlyArray<EntityGroup>>()

/**
 * The groups of a model's entities, those that are referred to first.
 *
 * @category combinators
 */
export const entityGroups = (model: AnyModel): ReadonlyArray<EntityGroup> => {
  const known = groups.get(model)
  if (known !== undefined) return known
  const edges = referredBy(model.mappings)
  const dependsOn = (mapping: Mapping): ReadonlyArray<Mapping> => edges.get(mapping) ?? []
  const found = components(rootsOf(model), dependsOn).map((component) => {
    const mappings = [...component].sort((a, b) => a.index - b.index)
    return { mappings, isCyclic: mappings.some((mapping) => dependsOn(mapping).some((to) => mappings.includes(to))) }
  })
  groups.set(model, found)
  return found
}

const cyclic = new WeakMap<AnyModel, ReadonlySet<Mapping>>()

/** Entities whose instances are sorted one by one. @category combinators */
export const cyclicEntities = (model: AnyModel): ReadonlySet<Mapping> => {
  const found =
    cyclic.get(model) ?? new Set(entityGroups(model).flatMap((group) => (group.isCyclic ? group.mappings : [])))
  cyclic.set(model, found)
  return found
}

/** The entities that are no subtypes, in the model's order. @category combinators */
export const rootsOf = ({ mappings }: AnyModel): ReadonlyArray<Mapping> =>
  mappings.filter(({ parent }) => parent === null)

/**
 * Do the relationship's two ends share a group, so that it says something about the order of instances?
 *
 * @category guards
 */
export const isWithinGroup = (model: AnyModel, relationship: RelationshipMapping): boolean =>
  !relationship.viewonly &&
  !isPostUpdate(relationship) &&
  entityGroups(model).some(
    ({ isCyclic, mappings }) =>
      isCyclic && mappings.includes(relationship.owner.root) && mappings.includes(relationship.target.root),
  )

/** Both sides of a relationship speak of one foreign key: what one says holds for it. @category guards */
export const isPostUpdate = ({ postUpdate, inverse }: RelationshipMapping): boolean =>
  postUpdate || inverse?.postUpdate === true

const postUpdates = new WeakMap<AnyModel, boolean>()

/** Has the model relationships that an UPDATE of their own writes? @category guards */
export const hasPostUpdates = (model: AnyModel): boolean => {
  const found = postUpdates.get(model) ?? model.mappings.some(({ relationships }) => relationships.some(isPostUpdate))
  postUpdates.set(model, found)
  return found
}

/** Each entity with those that its rows refer to, by relationships of either side and by declared foreign keys. */
const referredBy = (mappings: ReadonlyArray<Mapping>): ReadonlyMap<Mapping, ReadonlyArray<Mapping>> => {
  const edges = new Map<Mapping, Set<Mapping>>(mappings.map(({ root }) => [root, new Set()]))
  const byTable = new Map(mappings.flatMap(({ parts, root }) => parts.map(({ table }) => [table, root] as const)))
  for (const mapping of mappings) {
    for (const relationship of mapping.relationships) {
      // neither what is never written nor what an UPDATE of its own writes later says anything about the order
      if (relationship.viewonly || relationship.postUpdate || relationship.through !== null) continue
      if (relationship.kind === 'BelongsTo') edges.get(mapping.root)?.add(relationship.target.root)
      else edges.get(relationship.target.root)?.add(mapping.root)
    }
    const later = new Set(mapping.relationships.flatMap((own) => (isPostUpdate(own) ? own.foreignKey : [])))
    for (const attribute of mapping.attributes) {
      const { column } = attribute
      if (later.has(attribute)) continue
      const target = column.foreignKey === null ? undefined : byTable.get(column.foreignKey.table)
      // a plain foreign key to its own table says nothing about instances that the session could see
      if (target !== undefined && target !== mapping.root) edges.get(mapping.root)?.add(target)
    }
  }
  return new Map([...edges].map(([mapping, targets]) => [mapping, [...targets]]))
}

const referred = new WeakMap<Mapping, ReadonlyArray<Mapping>>()

/** The hierarchies whose rows those of another refer to. @category combinators */
export const referredRoots = (model: AnyModel, root: Mapping): ReadonlyArray<Mapping> => {
  const known = referred.get(root) ?? rootsOf(model).filter((other) => refersTo(root, other))
  referred.set(root, known)
  return known
}

/** Do rows of a hierarchy refer to rows of another? Both are told by their roots. */
const refersTo = (from: Mapping, to: Mapping): boolean =>
  withDescendants(from).some(
    ({ attributes, relationships }) =>
      relationships.some(({ kind, target }) => kind === 'BelongsTo' && target.root === to) ||
      attributes.some(({ column: { foreignKey } }) => foreignKey !== null && isTableOf(to, foreignKey.table)),
  ) ||
  withDescendants(to).some(({ relationships }) =>
    relationships.some(({ kind, target }) => (kind === 'HasMany' || kind === 'HasOne') && target.root === from),
  )

const isTableOf = (root: Mapping, table: string): boolean =>
  withDescendants(root).some(({ parts }) => parts.some((part) => part.table === table))
