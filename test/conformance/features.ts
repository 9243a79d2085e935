/**
 * What a scenario needs, and whether it is there: the one place that knows what is still to come.
 *
 * `later` are the areas of later issues, which count as pending. `missing` names what this issue has promised and the
 * packages do not export yet.
 */
import * as Core from '@unitary/core'
import { defineModel, entity, integer, primaryKey } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import type { Case } from './corpus.js'
import type { ColumnDescription, ModelDescription, RelationshipDescription, Step } from './scenario.js'

const laterAreas: ReadonlyMap<string, string> = new Map([
  ['inheritance', 'inheritance'],
  ['keyed', 'keyed collections'],
  ['loading', 'loading options'],
  ['sharding', 'sharding'],
])

const entitiesOf = (model: ModelDescription) => Object.values(model.entities)

const relationshipsOf = (model: ModelDescription): ReadonlyArray<RelationshipDescription> =>
  entitiesOf(model).flatMap((description) => Object.values(description.relationships ?? {}))

const columnsOf = (model: ModelDescription): ReadonlyArray<ColumnDescription> =>
  entitiesOf(model).flatMap((description) => Object.values(description.columns))

/** The feature of a later issue that a scenario needs, or null. */
export const later = ({ scenario, model }: Case): string | null => {
  const area = laterAreas.get(scenario.area)
  if (area !== undefined) return area
  if (scenario.session.sharding !== undefined) return 'sharding'
  if (entitiesOf(model).some(({ inherits, withPolymorphic }) => (inherits ?? withPolymorphic) !== undefined)) {
    return 'inheritance'
  }
  if (scenario.steps.some(({ withPolymorphic }) => withPolymorphic !== undefined)) return 'inheritance'
  for (const { collection } of relationshipsOf(model)) {
    if (collection === 'set') return 'set collections'
    if (typeof collection === 'object') return 'keyed collections'
  }
  return null
}

const inSession = (name: string): boolean => name in Session
const inCore = (name: string): boolean => name in Core

let builders: Readonly<Record<string, unknown>> = {}
defineModel({ Probe: entity('Probe', 'probe', { id: pipe(integer, primaryKey) }) })((r) => {
  builders = r.Probe as unknown as typeof builders
  return {}
})

interface Feature {
  readonly name: string
  readonly isThere: boolean
  readonly isNeeded: (given: Case) => boolean
}

const byModel = (name: string, isThere: boolean, needs: (model: ModelDescription) => boolean): Feature => ({
  name,
  isThere,
  isNeeded: ({ model }) => needs(model),
})

const byStep = (name: string, isThere: boolean, needs: (step: Step) => boolean): Feature => ({
  name,
  isThere,
  isNeeded: ({ scenario }) => scenario.steps.some(needs),
})

const byRelationship = (name: string, isThere: boolean, needs: (relationship: RelationshipDescription) => boolean) =>
  byModel(name, isThere, (model) => relationshipsOf(model).some(needs))

const byColumn = (name: string, isThere: boolean, needs: (column: ColumnDescription) => boolean) =>
  byModel(name, isThere, (model) => columnsOf(model).some(needs))

const byOption = (name: string, isThere: boolean): Feature =>
  byStep(name, isThere, ({ options = [] }) => options.some((option) => name in option))

const programs: ReadonlyArray<readonly [kind: string, name: string]> = [
  ['merge', 'merge'],
  ['expunge', 'expunge'],
  ['expungeAll', 'expungeAll'],
  ['makeTransient', 'makeTransient'],
  ['makeDetached', 'makeDetached'],
  ['close', 'close'],
  ['history', 'history'],
  ['sql', 'sql'],
]

const features: ReadonlyArray<Feature> = [
  byRelationship('hasOne', 'hasOne' in builders, ({ kind }) => kind === 'oneToOne'),
  byRelationship('manyToMany', 'manyToMany' in builders, ({ kind }) => kind === 'manyToMany'),
  byColumn('version', inCore('version'), ({ version }) => version === true),
  byColumn('deferred', inCore('deferred'), ({ deferred }) => deferred === true),
  byColumn('withUpdateDefault', inCore('withUpdateDefault'), ({ onUpdate }) => onUpdate !== undefined),
  byColumn('withServerDefault', inCore('withServerDefault'), ({ serverDefault }) => serverDefault !== undefined),
  byStep('noAutoflush', inSession('noAutoflush'), ({ autoflush }) => autoflush === false),
  byOption('defer', inCore('defer')),
  byOption('undefer', inCore('undefer')),
  ...programs.map(([kind, name]) => byStep(name, inSession(name), (step) => step.do === kind)),
]

/** What a scenario needs that is not there yet. */
export const missing = (given: Case): ReadonlyArray<string> =>
  features.filter(({ isThere, isNeeded }) => !isThere && isNeeded(given)).map(({ name }) => name)

/** A function of core, by a name that may not be there yet. */
export const coreFunction = <F>(name: string): F => (Core as Readonly<Record<string, unknown>>)[name] as F

export const has = inSession
