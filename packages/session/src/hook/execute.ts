/**
 * Statements before they run: hooks may rewrite them, then criteria narrow them.
 */
import {
  type AnyDelete,
  type AnyInsert,
  type AnySelect,
  type AnyStatement,
  type AnyUpdate,
  applyActive,
  type ExecutionOptions,
  type Mapped,
  type Mapping,
  type RelationshipMapping,
  selectOwn,
} from '@unitary/core'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { HookError } from '../error.js'
import { map, of, type Program, suspend, transition } from '../program/program.js'
import { criteriaUnder, optionsIn, type SessionState } from '../state/session-state.js'
import type { ExecuteContext } from './definition.js'
import { hooksOnStatement, type StatementEvent } from './hooks.js'
import { consult, type Due, type Origin, perform, refusal, withServices } from './react.js'

type Executable = AnySelect | AnyUpdate | AnyDelete
type Statement = Executable | AnyInsert

/** What a statement runs for. */
type Purpose = Pick<ExecuteContext<Executable>, 'purpose' | 'relationship'>

/**
 * A statement as the hooks let it run, with the session's options under its own. A select stays a select, of the same entity;
 * an update by criteria may become a delete, and a delete an update.
 *
 * @category requests
 */
export const hooked = <S extends Executable>(
  statement: S,
  purpose: 'query' | 'bulk',
): Program<HookError, S extends AnySelect ? AnySelect : AnyUpdate | AnyDelete> =>
  // `consulted` lets nothing else through
  suspend((state) =>
    consulted('beforeExecute', underOptions(state, statement), { purpose, relationship: null }),
  ) as Program<never, never>

/**
 * An insert past the unit of work as the hooks let it run: an insert of the same entity, which answers the same.
 *
 * @category requests
 */
export const rewrittenInsert = (statement: AnyInsert): Program<HookError, AnyInsert> =>
  consulted('beforeInsert', statement, {}) as Program<HookError, AnyInsert>

/**
 * A statement under the criteria that hold for its options.
 *
 * @category requests
 */
export const underCriteria = <S extends AnyStatement>(statement: S): Program<never, S> =>
  suspend((state) => of(narrowedBy(state)(statement)))

const underOptions = (state: SessionState, statement: Executable): Executable => {
  const options = optionsIn(state, statement.options)
  return options === statement.options ? statement : { ...statement, options }
}

const narrowedBy =
  (state: SessionState) =>
  <S extends AnyStatement>(statement: S): S => {
    const active = criteriaUnder(state, statement.options)
    return active === null ? statement : applyActive(active)(statement)
  }

/**
 * The query that a get with some options is narrowed to by the hooks and criteria; null where it is not.
 *
 * @category requests
 */
export const narrowedGet = (mapping: Mapping, options: ExecutionOptions): Program<HookError, AnySelect | null> =>
  suspend((state): Program<HookError, AnySelect | null> => {
    const asked = narrowed(mapping, null, { purpose: 'get', relationship: null }, options)
    if (state.criteria === null) return asked
    return map((query: AnySelect | null): AnySelect | null => {
      const given = query ?? { ...selectOwn(entityOf(state, mapping)), options }
      const shown = narrowedBy(state)(given)
      return shown === given ? query : shown
    })(asked)
  })

/**
 * The query that the load of a relationship is narrowed to: the one given, as the hooks let it run; null where it is simply
 * all of the target. (Criteria come to it with the relationship's own condition, see `../load/targets.ts`.)
 *
 * @category requests
 */
export const narrowedLoad = (
  { name, owner, target }: RelationshipMapping,
  query: AnySelect | null,
): Program<HookError, AnySelect | null> =>
  narrowed(target, query, { purpose: 'load', relationship: { entity: owner.name, name } }, {})

const narrowed = (
  mapping: Mapping,
  query: AnySelect | null,
  purpose: Purpose,
  options: ExecutionOptions,
): Program<HookError, AnySelect | null> =>
  suspend((state): Program<HookError, AnySelect | null> => {
    const [own, session] = hooksOnStatement(state.hooks, 'beforeExecute', mapping)
    if (own.length === 0 && session.length === 0) return of(query)
    const given = query ?? { ...selectOwn(entityOf(state, mapping)), options }
    return map((asked: Statement) => (asked === given ? query : (asked as AnySelect)))(
      consulted('beforeExecute', given, purpose),
    )
  })

const entityOf = ({ model }: SessionState, { name }: Mapping): Mapped<unknown, string> =>
  (model as unknown as Readonly<Record<string, Mapped<unknown, string>>>)[name] as Mapped<unknown, string>

const consulted = (event: StatementEvent, statement: Statement, context: object): Program<HookError, Statement> =>
  suspend((before): Program<HookError, Statement> => {
    const { mapping } = statement.entity
    const [own, session] = hooksOnStatement(before.hooks, event, mapping)
    if (own.length === 0 && session.length === 0) return of(statement)
    return withServices((services) =>
      transition((state) => {
        const due: Due[] = []
        const ownOrigin: Origin = { hook: event, entity: mapping.name, attribute: null }
        const origin: Origin = { ...ownOrigin, entity: null }
        const contextOf = (current: unknown) => ({ state, services, ...context, statement: current })
        const first = consult(own, ownOrigin, statement, contextOf, due)
        if (isLeft(first)) return first
        if (!fits(statement, first.right)) return left(misplaced(ownOrigin))
        const last = consult(session, origin, first.right, contextOf, due)
        if (isLeft(last)) return last
        if (!fits(statement, last.right)) return left(misplaced(origin))
        const next = perform(state, due, services)
        return isLeft(next) ? next : right([last.right as Statement, next.right])
      }),
    )
  })

const misplaced = (origin: Origin) =>
  refusal(
    origin,
    origin.hook === 'beforeInsert'
      ? 'it may rewrite an insert only into one of the same entity, which answers the same'
      : 'it may rewrite a statement only into one on the same entity, and a select only into a select',
  )

const fits = (given: Statement, rewrittenTo: unknown): boolean => {
  const statement = rewrittenTo as Statement
  if (statement.entity.mapping !== given.entity.mapping) return false
  return given._tag === 'Insert'
    ? statement._tag === 'Insert' && statement.answers === given.answers
    : statement._tag !== 'Insert' && (statement._tag === 'Select') === (given._tag === 'Select')
}
