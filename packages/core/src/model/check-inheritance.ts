/**
 * What can be wrong with an entity of a hierarchy that types let through.
 */
import { type AnyColumn, hasFlag } from './column.js'
import type { AnyEntity, Columns, Inheritance } from './entity.js'
import type { ModelFault } from './fault.js'
import { rootEntity } from './map-entity.js'
import type { Attribute, Mapping, TablePart } from './mapping.js'
import { withDescendants } from './mapping.js'
import { hasConcretes } from './parts.js'

/** Notes the faults of an entity as a base or subtype; none of one that stands alone. */
export const checkInheritance = (mapping: Mapping, entity: AnyEntity, faults: ModelFault[]): void => {
  const { inheritance } = entity
  if (inheritance === null) return
  if (inheritance._tag === 'Base') checkBase(mapping, entity, inheritance.discriminator, faults)
  else {
    const parent = mapping.parent ?? mapping.concreteOf
    if (parent === null) {
      const message = `it is a subtype of ${inheritance.parent.name}, which is not in the model; add it`
      faults.push({ path: mapping.name, message })
      return
    }
    checkSubtype(mapping, parent, inheritance, faults)
  }
  const { discriminator, identity, name } = mapping
  const path = `${name}.identity`
  if (identity === null) {
    if (mapping.subtypes.length > 0) return
    const cure = 'give it an identity, or the model a subtype of it'
    faults.push({ path, message: `without one it is abstract, and it has no subtype; ${cure}` })
  } else if (discriminator !== null) {
    const { codec } = (rootEntity(entity).columns as Columns)[discriminator.name] as AnyColumn
    if (!codec.is(identity)) {
      faults.push({ path, message: `${show(identity)} is no value of '${discriminator.name}'; give one that is` })
    }
  }
}

const show = (value: unknown): string => JSON.stringify(value) ?? String(value)

const checkBase = (mapping: Mapping, entity: AnyEntity, name: string, faults: ModelFault[]): void => {
  const path = `${mapping.name}.discriminator`
  const { discriminator } = mapping
  if (discriminator === null) {
    faults.push({ path, message: `'${name}' is no attribute of ${mapping.name}; name one that it has` })
    return
  }
  const wrong = unfit(discriminator, (entity.columns as Columns)[name] as AnyColumn)
  if (wrong !== null) faults.push({ path, message: `'${name}' ${wrong}` })
  const known = new Map<unknown, string>()
  for (const { identity, name: entity } of withDescendants(mapping)) {
    if (identity === null) continue
    const other = known.get(identity)
    if (other !== undefined) {
      faults.push({
        path: `${entity}.identity`,
        message: `${show(identity)} is the identity of ${other} already; choose another`,
      })
    }
    known.set(identity, entity)
  }
}

/** Why an attribute cannot tell entities apart. */
const unfit = ({ isDeferred, isKey, isNullable }: Attribute, column: AnyColumn): string | null => {
  if (isKey) return 'is part of the primary key, and cannot be the discriminator; take another attribute'
  if (isNullable) return 'may be null, and every row has a discriminator; leave nullable out'
  if (isDeferred) return 'is deferred, and every row is read with its discriminator; leave deferred out'
  const { defaultValue, generator, insertExpression, insertValue } = column
  const hasDefault = defaultValue !== null || insertValue !== null || insertExpression !== null || generator !== null
  return hasDefault ? 'is given by the entity of a row; leave its default out' : null
}

const checkSubtype = (
  mapping: Mapping,
  parent: Mapping,
  inheritance: Exclude<Inheritance, { readonly _tag: 'Base' }>,
  faults: ModelFault[],
): void => {
  const { name } = mapping
  if (parent.discriminator === null && inheritance.parent.inheritance === null) {
    faults.push({
      path: name,
      message: `${parent.name} has no discriminator, and so can have no subtypes; give it one`,
    })
  }
  for (const [attribute, column] of Object.entries(inheritance.own as Columns)) {
    const path = `${name}.${attribute}`
    if (parent.attributeOf.has(attribute)) {
      faults.push({ path, message: `${parent.name} has an attribute of that name; choose another` })
    }
    const flag = rootOnly(column)
    if (flag !== null)
      faults.push({
        path,
        message: `${flag} is for ${mapping.root.name} to have, whose key it shares; declare it there`,
      })
  }
  if (mapping.load !== null && mapping.load !== 'inline' && mapping.load !== 'selectin') {
    faults.push({
      path: `${name}.load`,
      message: `${show(mapping.load)} is no load of a subtype; say 'inline' or 'selectin'`,
    })
  }
  if (inheritance._tag === 'Joined') {
    const { key } = mapping.parts.at(-1) as TablePart
    if (key.length !== mapping.key.length) {
      const message = `${key.length} columns cannot hold the key of ${parent.name}, which has ${mapping.key.length}`
      faults.push({ path: `${name}.key`, message })
    }
  } else if (inheritance._tag === 'Single') checkShared(mapping, faults)
  checkConcretes(parent, mapping, faults)
}

/** What only the first of a line can have. */
const rootOnly = (column: AnyColumn): string | null => {
  if (hasFlag(column, 'primaryKey')) return 'a primary key'
  return hasFlag(column, 'version') || hasFlag(column, 'serverVersion') ? 'a version' : null
}

/** Subtypes in one table may share its columns where these are of one kind. */
const checkShared = (mapping: Mapping, faults: ModelFault[]): void => {
  const { mapping: owner } = mapping.parts.at(-1) as TablePart
  const own = (one: Mapping): ReadonlyArray<Attribute> => one.attributes.slice(one.parent?.attributes.length)
  for (const other of withDescendants(owner)) {
    if (other === mapping) return
    if (other.parts.at(-1)?.mapping !== owner || other === owner) continue
    for (const { column, columnName, name } of own(mapping)) {
      const shared = own(other).find((attribute) => attribute.columnName === columnName)
      if (shared === undefined || shared.column.kind === column.kind) continue
      const path = `${mapping.name}.${name}`
      faults.push({
        path,
        message: `column '${columnName}' is ${shared.column.kind} for ${other.name}; give both one kind, or say named for one`,
      })
    }
  }
}

/** Rows of several tables are one entity's where all of its subtypes are concrete. */
const checkConcretes = (parent: Mapping, mapping: Mapping, faults: ModelFault[]): void => {
  const isMixed = hasConcretes(parent) && (mapping.concreteOf === null || parent.parent !== null)
  if (!isMixed) return
  const message = `${parent.name} has concrete subtypes, and so can neither have others nor be one`
  faults.push({ path: mapping.name, message })
}
