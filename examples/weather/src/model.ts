/**
 * The model: cities of the world, their weather reports, and the counters that give both their ids.
 */
import { type Draft, defineModel, entity, integer, primaryKey, real, text } from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'

const Location = entity('Location', 'locations', {
  id: pipe(integer, primaryKey),
  continent: text,
  country: text,
  name: text,
  latitude: real,
  longitude: real,
})

const Report = entity('Report', 'reports', {
  id: pipe(integer, primaryKey),
  locationId: integer,
  month: integer,
  temperature: real,
})

const Counter = entity('Counter', 'counters', {
  name: pipe(text, primaryKey),
  next: integer,
})

export const model = defineModel({ Location, Report, Counter })((r) => ({
  Location: {
    reports: r.Location.hasMany('Report', { foreignKey: 'locationId', inverse: 'location', orderBy: 'id' }),
  },
  Report: {
    location: r.Report.belongsTo('Location', { foreignKey: 'locationId', inverse: 'reports' }),
  },
}))

/** A city to be, with its reports nested in it. */
export type LocationDraft = Draft<typeof model, 'Location'>
