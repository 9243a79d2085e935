/**
 * What can be wrong with constraints and indexes that types let through.
 */
import type { ModelFault } from './fault.js'
import type { Attribute, Mapping } from './mapping.js'
import { hasTable, lastPart } from './parts.js'

/** Notes the faults of what an entity says of its table as a whole. */
export const checkConstraints = (mapping: Mapping, faults: ModelFault[]): void => {
  const { checks, unique, indexes, foreignKeys } = mapping.constraints
  if (!hasTable(mapping) && unique.length + indexes.length + foreignKeys.length + checks.length > 0) {
    const message = 'it has no table, since it is abstract and its subtypes are concrete; give these the constraints'
    faults.push({ path: mapping.name, message })
  }
  checkConstraintNames(mapping, faults)
  for (const { attributes } of unique) checkNames(mapping, attributes, 'unique', 'a unique constraint', faults)
  for (const { attributes } of indexes) {
    const names = attributes.map(([attribute]) => attribute)
    checkNames(mapping, names, 'indexes', 'an index', faults)
  }
  for (const { attributes, references } of foreignKeys) {
    checkNames(mapping, attributes, 'foreignKeys', 'a foreign key', faults)
    if (attributes.length === references.length) continue
    const path = `${mapping.name}.foreignKeys`
    const message = `[${attributes.join(', ')}] cannot refer to [${references.join(', ')}]: give a column for each attribute`
    faults.push({ path, message })
  }
}

/** Notes names that two constraints or indexes of a table are given. */
const checkConstraintNames = (mapping: Mapping, faults: ModelFault[]): void => {
  const { checks, foreignKeys, indexes, unique } = mapping.constraints
  const taken = new Set<string>()
  const given = [
    ...lastPart(mapping).attributes.map(({ column, name }) => [name, column.foreignKey?.name ?? null] as const),
    ...unique.map(({ name }) => ['unique', name] as const),
    ...checks.map(({ name }) => ['checks', name] as const),
    ...indexes.map(({ name }) => ['indexes', name] as const),
    ...foreignKeys.map(({ options }) => ['foreignKeys', options.name ?? null] as const),
  ]
  for (const [option, name] of given) {
    if (name === null) continue
    const path = `${mapping.name}.${option}`
    if (name === '') faults.push({ path, message: 'its name is empty; give it one, or leave the name out' })
    else if (taken.has(name))
      faults.push({ path, message: `the table has something named '${name}' already; choose another` })
    taken.add(name)
  }
}

const checkNames = (
  mapping: Mapping,
  names: ReadonlyArray<string>,
  option: keyof Mapping['constraints'],
  what: string,
  faults: ModelFault[],
): void => {
  const path = `${mapping.name}.${option}`
  if (names.length === 0) faults.push({ path, message: `${what} names no attribute; name one, or leave it out` })
  if (new Set(names).size < names.length) {
    faults.push({ path, message: `[${names.join(', ')}] names an attribute twice; leave one out` })
  }
  for (const name of names) {
    const attribute = mapping.attributeOf.get(name)
    if (attribute === undefined)
      faults.push({ path, message: `'${name}' is no attribute of ${mapping.name}; name one that it has` })
    else if (!isStored(mapping, attribute)) {
      faults.push({
        path,
        message: `'${name}' does not stand in the table of ${mapping.name}; leave it out, or say it of the entity whose table has it`,
      })
    }
  }
}

/** Is an attribute in the table that holds what the entity itself has? */
const isStored = (mapping: Mapping, attribute: Attribute): boolean => {
  const { attributes: stored } = lastPart(mapping)
  return mapping.key.includes(attribute) || stored.includes(attribute)
}
