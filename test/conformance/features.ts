/**
 * What a scenario needs that is still to come: the one place that knows.
 */
import type { Case } from './corpus.js'
import type { ModelDescription, RelationshipDescription } from './scenario.js'

const laterAreas: ReadonlyMap<string, string> = new Map([
  ['keyed', 'keyed collections'],
  ['sharding', 'sharding'],
])

const relationshipsOf = (model: ModelDescription): ReadonlyArray<RelationshipDescription> =>
  Object.values(model.entities).flatMap((description) => Object.values(description.relationships ?? {}))

/** The feature still to come that a scenario needs, or null. */
export const later = ({ scenario, model }: Case): string | null => {
  const area = laterAreas.get(scenario.area)
  if (area !== undefined) return area
  if (scenario.session.sharding !== undefined) return 'sharding'
  for (const { collection } of relationshipsOf(model)) {
    if (collection === 'set') return 'set collections'
    if (typeof collection === 'object') return 'keyed collections'
  }
  return null
}
