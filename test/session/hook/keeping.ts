/**
 * Hooks on everything that there is, which keep what they are given.
 */
import type { AnyModel, Mapping } from '@unitary/core'
import * as Session from '@unitary/session'

/** A call of a hook: the event, and where it belongs. */
export type Called = (event: Session.HookEvent, place: string, context: Session.HookContext) => void

/** Hooks for every event of every entity of a model; each tells `called`, and keeps. */
export const keeping = (model: AnyModel, called: Called = () => undefined): Session.Hooks => {
  const on = (event: Session.HookEvent, place: string) => (context: Session.HookContext) => {
    called(event, place, context)
    return Session.keep()
  }
  const named = (event: Session.HookEvent, { name }: Mapping, names: ReadonlyArray<string>) =>
    Object.fromEntries(names.map((attribute) => [attribute, on(event, `${name}.${attribute}`)]))
  const definitions = model.mappings.map((mapping) => {
    const { attributes, name, relationships } = mapping
    const collections = relationships.flatMap((one) => (one.isCollection ? [one.name] : []))
    const references = relationships.flatMap((one) => (one.isCollection ? [] : [one.name]))
    const hooks = {
      load: on('load', name),
      set: named('set', mapping, [...attributes.map((attribute) => attribute.name), ...references]),
      append: named('append', mapping, collections),
      remove: named('remove', mapping, collections),
      replace: named('replace', mapping, collections),
      beforeExecute: on('beforeExecute', name),
    }
    return [name, hooks] as const
  })
  return Session.defineHooks(model)(Object.fromEntries(definitions) as never, {
    beforeFlush: on('beforeFlush', ''),
    afterFlush: on('afterFlush', ''),
    afterCommit: on('afterCommit', ''),
    afterRollback: on('afterRollback', ''),
    beforeExecute: on('beforeExecute', ''),
  })
}
