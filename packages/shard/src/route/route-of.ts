/**
 * Asking where a statement goes, without running it.
 */
import type { AnyDelete, AnyQuery, AnyUpdate } from '@unitary/core'
import { empty, optionsIn, type RoutingError, type SessionState } from '@unitary/session'
import { chain, type Either } from 'fp-ts/lib/Either.js'
import type { ShardedRuntime } from '../runner/runtime.js'
import { type Route, routeStatement, shardsOfWrite } from './choose.js'

/**
 * The shards that a query, update or delete concerns, as data: what the runtime will do with it in that session, or else in
 * an empty one. Pure; nothing is run.
 *
 * Criteria of entities and hooks may narrow a query further when it runs.
 *
 * @example
 * routeOf(app)(pipe(select(model.Location), where('continent', 'in', ['Asia', 'Europe'])))
 * // right({ operation: 'query', entity: 'Location', shards: ['asia', 'europe'], because: 'chosen' })
 *
 * @category interpreters
 */
export const routeOf =
  ({ choosers, model, options, shards }: ShardedRuntime, state: SessionState = empty(model, options)) =>
  (given: AnyQuery | AnyUpdate | AnyDelete): Either<RoutingError, Route> => {
    const statement = { ...given, options: optionsIn(state, given.options) }
    if (statement._tag !== 'Update' && statement._tag !== 'Delete') {
      return routeStatement(state, 'query', statement, shards, choosers)
    }
    const operation = statement._tag === 'Update' ? 'bulk update' : 'bulk delete'
    // what will not run has no route
    return chain(() => routeStatement(state, operation, statement, shards, choosers))(
      shardsOfWrite(state, statement, shards, choosers),
    )
  }
