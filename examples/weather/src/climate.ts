/**
 * Temperatures, computed. They are no measurements: this is how high the sun stands, and nothing else.
 */

/**
 * The mean temperature in °C that a latitude would have in a month, by a formula: warmest where the noon sun stands
 * highest, which in July is north of the equator and in January south of it.
 */
export const temperatureAt = (latitude: number, month: number): number => {
  const season = 15 * Math.cos((2 * Math.PI * (month - 7)) / 12)
  return 55 * Math.cos(((latitude - season) * Math.PI) / 180) - 25
}

/** The months of `count` reports, spread over the year and beginning with July. */
export const monthsOf = (count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, i) => ((6 + Math.floor((i * 12) / count)) % 12) + 1)
