/**
 * What a scenario needs that is still to come: the one place that knows.
 */
import type { Case } from './corpus.js'
import type { ModelDescription, RelationshipDescription } from './scenario.js'

const laterAreas: ReadonlyMap<string, string> = new Map([
  ['inheritance', 'inheritance'],
  ['keyed', 'keyed collections'],
  ['sharding', 'sharding'],
])

const entitiesOf = (model: ModelDescription) => Object.values(model.entities)

const relationshipsOf = (model: ModelDescription): ReadonlyArray<RelationshipDescription> =>
  entitiesOf(model).flatMap((description) => Object.values(description.relationships ?? {}))

/** The feature still to come that a scenario needs, or null. */
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
