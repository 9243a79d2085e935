/**
 * Instances that rows have made known, and the hooks that look at them.
 */
import type { InstanceId, Services } from '@unitary/core'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import type { HookError, RequestError } from '../error.js'
import { type Outcome, type Program, request } from '../program/program.js'
import type { AnswerOf, FetchRequest, InsertRequest, LookupRequest, QueryRequest } from '../program/request.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import { noServices } from '../transition/add.js'
import { freshen } from '../transition/standing.js'
import { areOnLoads, hooksOnLoad } from './hooks.js'
import { consult, type Due, type Origin, perform, withServices } from './react.js'

/**
 * Asks for rows. The services are for the hooks that look at what is loaded, and asked for only where there are such.
 *
 * @category requests
 */
export const requestRows = <R extends QueryRequest | FetchRequest | LookupRequest | InsertRequest, E, A>(
  { hooks }: SessionState,
  asked: R,
  resume: (answer: Either<RequestError, AnswerOf<R>>, state: SessionState, services: Services) => Outcome<E, A>,
): Program<E, A> =>
  areOnLoads(hooks)
    ? withServices((given) => request(asked, (answer, state) => resume(answer, state, given)))
    : request(asked, (answer, state) => resume(answer, state, noServices))

/**
 * Tells hooks of the instances that an answer has made known, in the order of its rows, each once. What a hook asks for is
 * done before the next one is told. `arrived` says which were known before.
 *
 * @category transitions
 */
export const loaded = (
  state: SessionState,
  ids: ReadonlyArray<InstanceId>,
  arrived: ReadonlyMap<InstanceId, boolean>,
  services: Services,
): Either<HookError, SessionState> => {
  const told = new Set<InstanceId>()
  let current = state
  for (const id of ids) {
    const isRefresh = arrived.get(id)
    if (isRefresh === undefined || told.has(id)) continue
    told.add(id)
    const { mapping } = instanceAt(state, id)
    const origin: Origin = { hook: 'load', entity: mapping.name, attribute: null }
    for (const hook of hooksOnLoad(state.hooks, mapping)) {
      const before = current
      const due: Due[] = []
      const { snapshot, token } = freshen(before, instanceAt(before, id))
      const answer = consult(
        [hook],
        origin,
        null,
        () => ({ state: before, services, instance: snapshot, isRefresh, shard: token }),
        due,
      )
      if (isLeft(answer)) return answer
      const next = due.length === 0 ? right(before) : perform(before, due, services)
      if (isLeft(next)) return next
      current = next.right
    }
  }
  return right(current)
}
