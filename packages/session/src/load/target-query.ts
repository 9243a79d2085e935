/**
 * The query of a relationship's targets, with the condition that the relationship itself has.
 */
import { type AnyModel, type AnySelect, type Mapped, type RelationshipMapping, select, where } from '@unitary/core'

const conditions = new WeakMap<RelationshipMapping, AnySelect>()

/**
 * A query with the relationship's condition, null where that is simply all targets.
 *
 * @category constructors
 */
export const targetQuery = (
  model: AnyModel,
  relationship: RelationshipMapping,
  query: AnySelect | null,
): AnySelect | null => {
  const { where: condition } = relationship
  if (condition === null) return query
  if (query !== null) return where<AnySelect>(condition as never)(query)
  const known = conditions.get(relationship)
  if (known !== undefined) return known
  const made = where<AnySelect>(condition as never)(select(targetOf(model, relationship)))
  conditions.set(relationship, made)
  return made
}

/** The entity of a relationship's targets. @category combinators */
export const targetOf = (model: AnyModel, { target }: RelationshipMapping): Mapped<unknown, string> =>
  (model as unknown as Readonly<Record<string, Mapped<unknown, string>>>)[target.name] as Mapped<unknown, string>
