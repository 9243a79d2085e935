/**
 * What a scenario needs that is still to come: the one place that knows.
 */
import type { Case } from './corpus.js'

/** The feature still to come that a scenario needs, or null. */
export const later = ({ scenario }: Case): string | null =>
  scenario.area === 'sharding' || scenario.session.sharding !== undefined ? 'sharding' : null
