/**
 * What can be wrong with the options of a relationship that types let through.
 */
import { type AnyColumn, hasFlag } from './column.js'
import type { ModelFault } from './fault.js'
import { linkSide, ownerSide, targetSide } from './join-condition.js'
import type { Attribute, Mapping, RelationshipMapping } from './mapping.js'
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
  if (relationship._tag === 'BelongsTo' && relationship.on !== null) {
    const message = 'it goes by its foreign key; joinsOne goes by a condition'
    faults.push({ path: `${path}.on`, message })
  }
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
  const names = isLinked
    ? [...relationship.through.own, ...relationship.through.target]
    : 'foreignKey' in relationship
      ? relationship.foreignKey
      : []
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice !== undefined) {
    const message = isLinked
      ? `column '${twice}' cannot hold two parts of the keys of a link`
      : `it names '${twice}' twice`
    faults.push({ path: isLinked ? `${path}.through` : `${path}.foreignKey`, message })
  }
}

/** Notes what is wrong with attributes that a foreign key refers to in place of the primary key. */
export const checkReferred = (
  path: string,
  foreignKey: ReadonlyArray<string>,
  references: ReadonlyArray<string>,
  key: ReadonlyArray<Attribute>,
  referred: Mapping,
  faults: ModelFault[],
): void => {
  if (references.length !== foreignKey.length) {
    const message = `[${foreignKey.join(', ')}] cannot refer to [${references.join(', ')}]: give an attribute for each`
    faults.push({ path, message })
    return
  }
  for (const { column, isDeferred, isKey, name } of key) {
    if (isKey || !(isDeferred || isGivenLate(column))) continue
    const message = `'${name}' is not known when a row comes to refer to it; it is to be given before, and not deferred`
    faults.push({ path, message })
  }
  if (key.length < references.length || isUnique(referred, key)) return
  const message = `several rows of ${referred.name} may have the same ${references.join(', ')}; make it unique`
  faults.push({ path, message })
}

/** Is a value made by the flush or the database, where a draft gives none? */
const isGivenLate = (column: AnyColumn): boolean =>
  column.serverDefault !== null ||
  column.insertExpression !== null ||
  column.insertValue !== null ||
  column.updateValue !== null ||
  column.updateExpression !== null ||
  hasFlag(column, 'serverVersion')

const isUnique = (mapping: Mapping, attributes: ReadonlyArray<Attribute>): boolean =>
  [mapping.key, ...mapping.uniqueKeys].some(
    (key) => key.length === attributes.length && key.every((attribute) => attributes.includes(attribute)),
  )

/** Notes entities that a relationship cannot take: `owned` are the attributes that it goes over, of either side. */
export const checkAccepted = (
  path: string,
  accepts: ReadonlyArray<Mapping>,
  target: Mapping,
  owned: ReadonlyArray<Attribute>,
  isLinked: boolean,
  faults: ModelFault[],
): void => {
  for (const accepted of accepts) {
    if (accepted.root !== target.root) {
      faults.push({ path, message: `${accepted.name} shares no table with ${target.name}` })
      continue
    }
    const missing = isLinked
      ? undefined
      : owned.find((attribute) => target.attributes.includes(attribute) && !accepted.attributes.includes(attribute))
    if (missing !== undefined) {
      faults.push({ path, message: `${accepted.name} has no '${missing.name}', which ${target.name} is told by` })
    }
  }
}

/** Notes names between two sides that a condition has already. */
export const checkBetween = (path: string, between: RelationshipMapping['between'], faults: ModelFault[]): void => {
  for (const [name] of between) {
    if (name === ownerSide || name === targetSide || name === linkSide) {
      faults.push({ path, message: `'${name}' is the name of a side; choose another` })
    }
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
