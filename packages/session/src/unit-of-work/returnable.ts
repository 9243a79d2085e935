/**
 * What of a plan's returned columns a database can give back. Pure.
 *
 * A plan is made for any database: it names all that the table fills in by itself. Where there is no RETURNING only
 * generated keys come back, and where RETURNING does not see what triggers do, no versions: what does not come back is read
 * when the instance is read.
 */
import type { Capabilities } from '@unitary/core'
import type { FlushPlan, Step } from './step.js'

/**
 * A step as a database with these capabilities runs it; the same step where it can do all of it.
 *
 * @example
 * executeStep(connection, { model, dialect: engine.dialect }, returnable(step, engine.capabilities), given)
 *
 * @category combinators
 */
export const returnable = (step: Step, { returning }: Capabilities): Step => {
  if (step._tag !== 'Insert' && step._tag !== 'Update') return step
  const canReturn = step._tag === 'Insert' ? returning.insert : returning.update
  const kept = step.returning.filter(
    ({ gives }) => gives === 'key' || (canReturn && (gives === 'default' || returning.triggered)),
  )
  return kept.length === step.returning.length ? step : { ...step, returning: kept }
}

/**
 * A plan as the databases of its steps run it.
 *
 * @example
 * returnablePlan(plan, () => engine.capabilities)
 *
 * @category combinators
 */
export const returnablePlan = (plan: FlushPlan, capabilitiesOf: (step: Step) => Capabilities): FlushPlan => {
  const steps = plan.steps.map((step) => returnable(step, capabilitiesOf(step)))
  return steps.every((step, i) => step === plan.steps[i]) ? plan : { ...plan, steps }
}
