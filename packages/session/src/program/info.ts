/**
 * What programs and hooks keep in the state beside instances: counters, lists of what has happened, who is at work.
 *
 * It is part of the state like all else, so that a rollback returns to what it was.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/session_api.html#sqlalchemy.orm.Session.info
 */
import { right } from 'fp-ts/lib/Either.js'
import type { SessionState } from '../state/session-state.js'
import { type Program, transition } from './program.js'

/**
 * A place in the state for a value.
 *
 * @category model
 */
export interface Info<A> {
  readonly name: string
  readonly get: (state: SessionState) => A
  readonly set: (value: A) => Program<never, undefined>
  readonly update: (f: (value: A) => A) => Program<never, undefined>
}

/**
 * A place for a value, by its name within the session, and what it holds at first.
 *
 * @example
 * const written = Session.info('rows written', 0)
 * const hooks = Session.defineHooks(model)({}, {
 *   afterFlush: ({ flushed }) => Session.keep(written.update((rows) => rows + flushed.inserted)),
 * })
 * Session.gets(written.get)
 *
 * @category constructors
 */
export const info = <A>(name: string, initial: A): Info<A> => {
  const get = (state: SessionState): A => (Object.hasOwn(state.info, name) ? (state.info[name] as A) : initial)
  const update = (f: (value: A) => A): Program<never, undefined> =>
    transition((state) => {
      const before = get(state)
      const value = f(before)
      // it begins no transaction: nothing of it goes to a database
      return right([undefined, Object.is(before, value) ? state : { ...state, info: { ...state.info, [name]: value } }])
    })
  return { name, get, set: (value) => update(() => value), update }
}
