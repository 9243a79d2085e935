/**
 * What can be wrong with the options of a relationship that types let through.
 */
import type { ModelFault } from './fault.js'
import type { Mapping } from './mapping.js'
import type { Cascade, Relationship } from './relationship.js'

const writing: ReadonlyArray<Cascade> = ['save-update', 'delete', 'delete-orphan']

/** Notes the faults of one relationship, whatever it leads to. */
export const checkRelationship = (
  path: string,
  relationship: Relationship,
  owner: Mapping,
  faults: ModelFault[],
): void => {
  const { cascade, passiveDeletes, singleParent, viewonly } = relationship
  const isLinked = relationship._tag === 'ManyToMany'
  const written = writing.filter((one) => cascade.includes(one))
  if (viewonly && written.length > 0) {
    const message = `what is viewonly writes nothing, and cannot cascade ${written.join(', ')}`
    faults.push({ path: `${path}.cascade`, message })
  }
  const mayBeShared = isLinked || relationship._tag === 'BelongsTo'
  if (mayBeShared && cascade.includes('delete-orphan') && !singleParent) {
    faults.push({
      path: `${path}.cascade`,
      message: `delete-orphan would delete what another ${owner.name} may have too; say singleParent, or leave it out`,
    })
  }
  if (passiveDeletes === 'all' && (cascade.includes('delete') || cascade.includes('delete-orphan'))) {
    const message = "'all' leaves every delete to the database, and so the cascade cannot have delete or delete-orphan"
    faults.push({ path: `${path}.passiveDeletes`, message })
  }
  const names = isLinked ? [...relationship.through.own, ...relationship.through.target] : relationship.foreignKey
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice !== undefined) {
    const message = isLinked
      ? `column '${twice}' cannot hold two parts of the keys of a link`
      : `it names '${twice}' twice`
    faults.push({ path: isLinked ? `${path}.through` : `${path}.foreignKey`, message })
  }
}

/** Notes tables of links that an entity has: two would write them. */
export const checkLinks = (mappings: ReadonlyMap<string, Mapping>, faults: ModelFault[]): void => {
  const byTable = new Map(Array.from(mappings.values(), (mapping) => [mapping.table, mapping]))
  for (const mapping of mappings.values()) {
    for (const { name, owner, through, viewonly } of mapping.relationships) {
      const mapped = through === null || viewonly || owner !== mapping ? undefined : byTable.get(through.table)
      if (mapped === undefined) continue
      const message = `table '${through?.table}' belongs to ${mapped.name}, whose rows would be links too; say viewonly`
      faults.push({ path: `${owner.name}.${name}.through`, message })
    }
  }
}
