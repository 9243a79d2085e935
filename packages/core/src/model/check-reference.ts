/**
 * What can be wrong with foreign keys that columns and entities name.
 */
import type { ColumnKind } from './column.js'
import type { ModelFault } from './fault.js'
import type { Attribute, Mapping } from './mapping.js'
import { columnReference, type ReferenceOptions, type ReferentialAction } from './reference.js'
import { entitiesIn } from './stored.js'

/** Notes foreign keys that lead nowhere, or to what they cannot, and actions that their columns do not allow. */
export const checkReferences = (tables: ReadonlyArray<Mapping>, faults: ModelFault[]): void => {
  const byTable = new Map(tables.map((mapping) => [mapping.table, mapping]))
  for (const mapping of tables) {
    for (const attribute of mapping.attributes) {
      const { foreignKey } = attribute.column
      if (foreignKey === null) continue
      const path = `${mapping.name}.${attribute.name}.references`
      const { column, table } = foreignKey
      check({ path, attributes: [attribute], references: [{ table, column }], actions: foreignKey }, byTable, faults)
    }
    for (const { attributeOf, constraints, name } of entitiesIn(mapping)) {
      const path = `${name}.foreignKeys`
      for (const { attributes, options, references } of constraints.foreignKeys) {
        const own = attributes.flatMap((one) => attributeOf.get(one) ?? [])
        const referred = references.map(columnReference)
        check({ path, attributes: own, references: referred, actions: options }, byTable, faults)
        if (new Set(referred.map(({ table }) => table)).size > 1) {
          faults.push({ path, message: `[${references.join(', ')}] are columns of several tables; refer to one` })
        }
      }
    }
  }
}

interface Referring {
  readonly path: string
  readonly attributes: ReadonlyArray<Attribute>
  readonly references: ReadonlyArray<{ readonly table: string; readonly column: string }>
  readonly actions: { readonly [K in 'onDelete' | 'onUpdate']?: ReferenceOptions[K] | null }
}

const check = (
  { actions, attributes, path, references }: Referring,
  byTable: ReadonlyMap<string, Mapping>,
  faults: ModelFault[],
): void => {
  const add = (message: string): void => {
    faults.push({ path, message })
  }
  const found: Attribute[] = []
  for (const [i, { column, table }] of references.entries()) {
    const target = byTable.get(table)
    const referred = target?.attributes.find((attribute) => attribute.columnName === column)
    if (target === undefined)
      add(`no entity has the table '${table}'; add one to the model, or leave the reference out`)
    else if (referred === undefined) add(`'${table}' has no column '${column}'; ${columnCure(target, column)}`)
    else {
      found.push(referred)
      const own = attributes[i]
      if (own !== undefined && kindFamily(own.column.kind) !== kindFamily(referred.column.kind)) {
        add(
          `'${own.name}' is ${own.column.kind}, and ${table}.${column} is ${referred.column.kind}; give both one kind`,
        )
      }
    }
  }
  const target = byTable.get(references[0]?.table ?? '')
  const isWhole =
    found.length === references.length &&
    attributes.length === references.length &&
    references.every(({ table }) => table === target?.table)
  if (target !== undefined && isWhole && !isUnique(target, found)) {
    const columns = references.map(({ column }) => column).join(', ')
    add(`several rows of '${target.table}' may have the same ${columns}; make it unique, or refer to the primary key`)
  }
  for (const [event, action] of [['delete', actions.onDelete] as const, ['update', actions.onUpdate] as const]) {
    const message = actionFault(event, action ?? null, attributes)
    if (message !== null) add(message)
  }
}

/** What is meant may be the attribute of that name. */
const columnCure = ({ attributes }: Mapping, name: string): string => {
  const meant = attributes.find((attribute) => attribute.name === name)
  return meant === undefined ? 'name one that it has' : `the column of its attribute '${name}' is '${meant.columnName}'`
}

/** The kind that stands for all that databases compare with each other. */
export const kindFamily = (kind: ColumnKind): string =>
  kind === 'bigint' ? 'integer' : kind === 'enum' ? 'text' : kind

const isUnique = ({ key, uniqueKeys }: Mapping, referred: ReadonlyArray<Attribute>): boolean =>
  [key, ...uniqueKeys].some(
    (attributes) => attributes.length === referred.length && attributes.every((one) => referred.includes(one)),
  )

/** Why an action cannot do to the columns what it does. */
const actionFault = (
  event: 'delete' | 'update',
  action: ReferentialAction | null,
  attributes: ReadonlyArray<Attribute>,
): string | null => {
  const required = attributes.find(({ isNullable }) => !isNullable)
  if (required === undefined) return null
  if (action === 'set null') {
    return `on ${event} set null needs columns that may be NULL; make '${required.name}' nullable, or choose another action`
  }
  return action === 'set default' && required.column.serverDefault === null
    ? `on ${event} set default needs a default of the table; give '${required.name}' one by withServerDefault, or choose another action`
    : null
}
