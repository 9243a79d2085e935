/**
 * Collections, against the entities of their members.
 */
import type { ModelFault } from './fault.js'
import type { Mapping } from './mapping.js'
import type { HasMany, JoinsMany, ManyToMany } from './relationship.js'

/** What is wrong with a relationship's kind of collection: what it reads of its members is there when they are. */
export const checkCollection = (
  {
    _tag,
    collection,
    orderBy,
  }: HasMany<string, string, string | null> | ManyToMany<string, string | null> | JoinsMany<string>,
  target: Mapping,
  path: string,
  faults: ModelFault[],
): void => {
  const { position } = collection
  for (const name of collection.attributes) {
    const attribute = target.attributeOf.get(name)
    if (attribute === undefined) {
      faults.push({ path, message: `'${name}' is no attribute of ${target.name}` })
      continue
    }
    if (attribute.isDeferred) {
      faults.push({ path, message: `'${attribute.name}' is deferred, and ${collection.name} has to know it` })
    }
    if (position !== null && attribute.column.kind !== 'integer') {
      faults.push({
        path,
        message: `'${attribute.name}' holds places, and is ${attribute.column.kind}; make it an integer`,
      })
    }
  }
  if (position === null) return
  if (_tag === 'JoinsMany') {
    faults.push({ path, message: 'nothing writes what is only joined, and so nobody would keep its places' })
    return
  }
  if (_tag === 'ManyToMany') {
    // a table of links has keys only, and a place of the target's own would be the same for all who share it
    const message = `'${position.attribute}' is one place for all who share a ${target.name}; map the links as an entity that holds it, and lead on by through()`
    faults.push({ path, message })
  }
  const [first, ...others] = orderBy
  if (first?.[0] !== position.attribute || first[1] !== 'asc' || others.length > 0) {
    faults.push({ path, message: `it loads in the order of '${position.attribute}'; leave orderBy out` })
  }
}
