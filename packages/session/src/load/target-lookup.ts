/**
 * How the targets of a relationship are asked for, in one way for all owners, and taken into the state.
 */
import {
  type AnySelect,
  alsoSelecting,
  columnsAs,
  columnsOf,
  type ExecutionOptions,
  type InstanceId,
  type JoinedLoad,
  optionsOver,
  type RelationshipMapping,
  type Services,
  selectOwn,
  targetsOfOwners,
  withoutPartialKeys,
} from '@unitary/core'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import type { DecodeError, HookError, RequestError } from '../error.js'
import type { LookupRequest, QueryAnswer, QueryRequest } from '../program/request.js'
import type { ShardToken } from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import { optionsIn, type SessionState } from '../state/session-state.js'
import { type Joined, type JoinedTargets, joinInPlace, takeJoined } from './joined.js'
import type { LoadedTargets } from './known.js'
import { type PopulateOptions, populate } from './populate.js'
import { filtered, ordered, targetOf, targetQuery, whole } from './target-query.js'

/** Why targets cannot be loaded. @category errors */
export type TargetsError = RequestError | DecodeError | HookError

/**
 * What is asked of the targets of a relationship, beside which owners they are of.
 *
 * @category model
 */
export interface Asking {
  /** The query of the targets, where it is not all of them. */
  readonly query: AnySelect | null
  /** Have hooks narrowed it? */
  readonly isHooked: boolean
  /** Do the session's criteria hold? Not where the session itself has to know what there is. */
  readonly isFiltered: boolean
  /** Is it all that the relationship has, for the session to keep? */
  readonly isWhole: boolean
  /** What is joined to it. */
  readonly joinings: ReadonlyArray<JoinedLoad>
  /** The query that gave the owners, where it is to stand in place of their keys. */
  readonly owners: AnySelect | null
  readonly options: ExecutionOptions
}

/** Targets by their owners, and what was joined to them. @category model */
export interface Fetched {
  readonly targets: LoadedTargets
  readonly joined: JoinedTargets
}

/** The one way in which the targets of all owners are asked for. @category model */
export interface Lookup {
  readonly query: AnySelect | null
  readonly joined: Joined | null
  /** Is it all that the relationship has, for the session to keep? */
  readonly isWhole: boolean
  /** What keeps it from being so, for whom it is to be. */
  readonly narrowed: string | null
  readonly owners: AnySelect | null
  readonly options: ExecutionOptions
}

/**
 * How the targets of a relationship are asked for: the query with the session's criteria, and what is joined to it.
 *
 * @category combinators
 */
export const lookupOf = (state: SessionState, relationship: RelationshipMapping, asking: Asking): Lookup => {
  const given = targetQuery(state.model, relationship, asking.query)
  const options = optionsIn(state, given === null ? asking.options : optionsOver(asking.options)(given.options))
  const { narrowed, query: filteredQuery } = asking.isFiltered
    ? filtered(state, relationship, given, options)
    : whole(given)
  const shown = withEntireKeys(state, relationship, filteredQuery, options)
  const { foreignKey, key, kind } = relationship
  // a condition may speak of any table of the model, which the query tells
  const asked = shown ?? (relationship.on === null ? null : selectOwn(targetOf(state.model, relationship)))
  const query = asked === null ? null : alsoSelecting(asked, kind === 'BelongsTo' ? key : foreignKey)
  // what is joined is ordered after the targets themselves
  const targets = ordered(relationship, query ?? selectOwn(targetOf(state.model, relationship)))
  const joined = joinInPlace(state, targets, asking.joinings)
  return {
    query,
    joined,
    isWhole: asking.isWhole && shown === filteredQuery,
    narrowed: narrowed ?? (asking.isHooked ? Instance.byHooks : null),
    owners: asking.owners,
    options,
  }
}

/** Without targets whose key is NULL in part, where the options leave them out. */
const withEntireKeys = (
  state: SessionState,
  relationship: RelationshipMapping,
  query: AnySelect | null,
  options: ExecutionOptions,
): AnySelect | null =>
  options.allowPartialKeys !== false || relationship.target.key.every(({ isNullable }) => !isNullable)
    ? query
    : withoutPartialKeys({ ...(query ?? selectOwn(targetOf(state.model, relationship))), options })

/** Asks for the targets of owners by their keys, or by the query of them. @category combinators */
export const targetsRequest = (
  state: SessionState,
  token: ShardToken | null,
  relationship: RelationshipMapping,
  { joined, options, owners, query }: Lookup,
  by: Pick<LookupRequest, 'attributes' | 'keys' | 'orderBy' | 'through'>,
): LookupRequest | QueryRequest => {
  const asked = joined?.statement ?? query
  if (owners === null) {
    return {
      _tag: 'Lookup',
      purpose: 'load',
      mapping: relationship.target,
      relationship,
      ...by,
      orderBy: joined === null ? by.orderBy : [],
      query: asked,
      token,
      options,
    }
  }
  const targets = asked ?? selectOwn(targetOf(state.model, relationship))
  const statement = targetsOfOwners(targets, relationship, owners)
  return {
    _tag: 'Query',
    statement: { ...statement, options: token === null ? options : { ...options, shard: token } },
    joined: null,
  }
}

/** Takes the targets into the state, and what was joined to them. @category combinators */
export const takeTargets = (
  state: SessionState,
  { target }: RelationshipMapping,
  { joined, options: given, query }: Lookup,
  answer: QueryAnswer,
  services: Services,
): Either<DecodeError | HookError, readonly [ReadonlyArray<InstanceId>, JoinedTargets, SessionState]> => {
  const options: PopulateOptions =
    query === null ? given : { ...given, columns: columnsOf(query), columnsAs: (subtype) => columnsAs(query, subtype) }
  const populated = populate(state, target, answer, options, services)
  if (isLeft(populated)) return populated
  const [ids, next] = populated.right
  if (joined === null) return right([ids, new Map(), next])
  const taken = takeJoined(next, joined.parts, answer, ids, options, services)
  return isLeft(taken) ? taken : right([ids, taken.right[0], taken.right[1]])
}
