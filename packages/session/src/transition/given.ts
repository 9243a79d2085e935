/**
 * What a flush gives a row by itself, and how an instance is without it.
 */
import { type AnyModel, type Attribute, isKindOf, type Mapping, rowClassOf } from '@unitary/core'
import * as Collection from '../state/collection.js'
import * as Instance from '../state/instance.js'

type Instance = Instance.Instance

const found = new WeakMap<Mapping, ReadonlySet<Attribute>>()

/**
 * Attributes that a flush fills: keys that the database gives, foreign keys of relationships of either side, defaults of
 * inserts and updates, version counters, and what expressions compute of the row.
 *
 * @category combinators
 */
export const givenByFlush = (model: AnyModel, mapping: Mapping): ReadonlySet<Attribute> => {
  const known = found.get(mapping)
  if (known !== undefined) return known
  const { drawn, expressions, generatedKey, insertDefaults, insertExpressions } = mapping
  const { updateDefaults, updateExpressions, version } = mapping
  const computed = [...insertExpressions, ...updateExpressions, ...expressions]
  const given = new Set([...insertDefaults, ...updateDefaults, ...computed, ...drawn])
  for (const attribute of [generatedKey, version]) if (attribute !== null) given.add(attribute)
  // a has-many without inverse fills the keys of an entity that does not know it
  for (const { kind, owner, target, foreignKey } of model.mappings.flatMap(({ relationships }) => relationships)) {
    if (!isKindOf(mapping, kind === 'BelongsTo' ? owner : target)) continue
    for (const attribute of foreignKey) given.add(attribute)
  }
  found.set(mapping, given)
  return given
}

/**
 * An instance whose insert is undone: transient, with what the program has set by now and without what the flush gave.
 * `pending` is the instance as it was flushed.
 *
 * @category combinators
 */
export const ungiven = (model: AnyModel, instance: Instance, pending: Instance): Instance => {
  const { id, mapping } = pending
  const given = givenByFlush(model, mapping)
  const values: Record<string, unknown> = {}
  for (const attribute of mapping.attributes) {
    const now = Instance.valueAt(instance, attribute)
    const isFilled = now === null || given.has(attribute) || attribute.column.serverDefault !== null
    const isGiven = isFilled && Instance.valueAt(pending, attribute) === undefined
    if (!isGiven) values[attribute.name] = now
  }
  return {
    ...pending,
    status: 'transient',
    order: 0,
    snapshot: rowClassOf(mapping).make(id, values),
    related: instance.related?.map(asNew) ?? null,
  }
}

/** Of what has no row, all is still to be written. */
const asNew = (related: Instance.Related | undefined): Instance.Related | undefined => {
  if (related === undefined) return undefined
  if (related._tag === 'One') return { _tag: 'One', target: related.target, changed: true, committed: null }
  const members = related.members ?? related.added
  const added = Collection.from(Collection.toArray(members))
  return { _tag: 'Many', members, added, removed: Collection.empty, narrowed: null }
}
