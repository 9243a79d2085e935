/**
 * Statements that a distributed database has to ask of every machine.
 */
import { type AnyModel, analyse, ValueSet } from '@unitary/core'
import { defineHooks, type Hooks, keep, refuse } from '@unitary/session'
import { isSome } from 'fp-ts/lib/Option.js'
import type { Choosers } from '../chooser/chooser.js'
import { placementOf } from './placement.js'

declare module '@unitary/core' {
  interface ExecutionOptions {
    /** Whether the statement may concern every machine, where hooks of `refuseScattered` would refuse that. */
    readonly scattered?: boolean
  }
}

/**
 * Hooks that refuse queries and bulk statements whose conditions do not say one value of the attribute by which their
 * entity is spread: scatter queries, as Vitess calls them, which cost as much as all machines together and wait for the
 * slowest. One that is meant so says `withOptions({ scattered: true })`. Gets and loads go by keys, and are not asked.
 *
 * @example
 * const app = Session.runtime(model, engine, { hooks: refuseScattered(model, byTenant) })
 *
 * @category constructors
 */
export const refuseScattered = (model: AnyModel, choosers: Choosers): Hooks => {
  const attributes = new Map(
    model.mappings.flatMap((mapping) => {
      const told = placementOf(mapping, choosers)
      return told._tag === 'By' ? [[mapping, told.attribute] as const] : []
    }),
  )
  return defineHooks(model)(
    {},
    {
      beforeExecute: ({ statement, purpose }) => {
        const attribute = attributes.get(statement.entity.mapping)
        if (attribute === undefined || statement.options.scattered === true) return keep()
        if (purpose === 'get' || purpose === 'load') return keep()
        const values = ValueSet.values(analyse(statement).valuesOf(statement.entity, attribute))
        return isSome(values) && values.value.length < 2
          ? keep()
          : refuse(
              `a ${purpose === 'bulk' ? 'bulk statement on' : 'query of'} ${statement.entity.name} does not say which ${attribute}, and would ask every machine; add a condition, or withOptions({ scattered: true })`,
            )
      },
    },
  )
}
