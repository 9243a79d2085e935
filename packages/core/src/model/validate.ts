/**
 * What is wrong with values that are to become a row: found without a session, all of it at once.
 */
import type { RowOf } from './infer.js'
import type { Mapping } from './mapping.js'
import type { Mapped } from './model.js'

type Values = Readonly<Record<string, unknown>>

/**
 * A value that cannot be an attribute's, and why: a sentence that goes on from the value, such as `it is no positive number`.
 *
 * @category model
 */
export interface ValueFault {
  readonly attribute: string
  readonly value: unknown
  readonly problem: string
}

/**
 * All that is wrong with a draft's own attributes: names that the entity does not have, values that its codecs and rules refuse,
 * and what it says of rows as a whole (see `validate`). What a session refuses it refuses for the first of these.
 *
 * @example
 * faultsOf(model.Item)({ name: '', price: -1 })
 * // => [{ attribute: 'price', value: -1, problem: 'it is no positive number' }]
 *
 * @category guards
 */
export const faultsOf =
  <M, N extends string>({ mapping }: Mapped<M, N>) =>
  (values: Readonly<Partial<Record<keyof RowOf<M, N>, unknown>>>): ReadonlyArray<ValueFault> => [
    ...valueFaults(mapping, byOwnNames(mapping, values)),
    ...rowFaults(mapping, byOwnNames(mapping, values)),
  ]

/**
 * Values by the attributes' own names, where they are given by others. The very same values where the entity has no synonyms. A
 * synonym that is given beside the name itself stays, which is a fault (see {@link valueFaults}).
 *
 * @category combinators
 */
export const byOwnNames = ({ synonyms }: Mapping, values: Values): Values => {
  if (synonyms.size === 0 || typeof values !== 'object' || values === null) return values
  const named: Record<string, unknown> = { ...values }
  for (const [synonym, { name }] of synonyms) {
    const value = values[synonym]
    if (value === undefined || named[name] !== undefined) continue
    delete named[synonym]
    named[name] = value
  }
  return named
}

/** What is wrong with values one by one. @category guards */
export const valueFaults = (mapping: Mapping, values: Values): ReadonlyArray<ValueFault> =>
  Object.entries(values).flatMap(([attribute, value]): ReadonlyArray<ValueFault> => {
    const known = mapping.attributeOf.get(attribute)
    if (known === undefined) {
      const same = mapping.synonyms.get(attribute)
      if (same !== undefined) {
        return [{ attribute, value, problem: `it is another name of '${same.name}', which is given too` }]
      }
      const problem = `${mapping.name} has no attribute or relationship of that name`
      return mapping.relationshipOf.has(attribute) ? [] : [{ attribute, value, problem }]
    }
    const { codec } = known.column
    if (value === undefined) return []
    if (!known.isStored) return [{ attribute, value, problem: 'the database computes it; leave it out' }]
    return codec.is(value)
      ? brokenRules(mapping, attribute, value)
      : [{ attribute, value, problem: `it is no ${codec.name}` }]
  })

/** What rules say of values that their codecs take, and of no others. @category guards */
export const ruleFaults = (mapping: Mapping, values: Values): ReadonlyArray<ValueFault> =>
  mapping.ruled.flatMap(({ name }) => (values[name] === undefined ? [] : brokenRules(mapping, name, values[name])))

const brokenRules = (mapping: Mapping, attribute: string, value: unknown): ReadonlyArray<ValueFault> =>
  (mapping.attributeOf.get(attribute)?.column.rules ?? [])
    .filter(({ holds }) => !holds(value))
    .map(({ name }) => ({ attribute, value, problem: `it is no ${name}` }))

/** What the entity says of a row as a whole. @category guards */
export const rowFaults = ({ validators }: Mapping, row: Values): ReadonlyArray<ValueFault> =>
  validators.flatMap((validate) =>
    Object.entries(validate(row as never)).flatMap(([attribute, problem]) =>
      problem === undefined ? [] : [{ attribute, value: row[attribute], problem }],
    ),
  )
