/**
 * Changes of a collection that name a place in it: an index of a list, or a key. It is loaded first where it is not.
 */
import type {
  CollectionKeyOf,
  CollectionWith,
  GivenTo,
  InstanceId,
  KeyedCollectionName,
  Mapped,
  RelationshipMapping,
  Snapshot,
  TakenBy,
  WritableCollection,
} from '@unitary/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import { memberAt } from '../load/shown.js'
import * as Collection from '../state/collection.js'
import * as Instance from '../state/instance.js'
import { instanceAt, isExpired, type SessionState } from '../state/session-state.js'
import { move as moveWith, noCollection } from '../transition/collect.js'
import { misfit } from '../transition/draft.js'
import { instanceOf, resolve } from '../transition/transition.js'
import { chain, fail, type Program, suspend, transition } from './program.js'
import { onLoaded, type ReplaceError } from './replace.js'
import { append, detach } from './work.js'

/** The names of collections that are lists: by place or not. @category model */
export type ListName<M, N> = {
  [K in WritableCollection<M, N>]: CollectionWith<M, N, K, never> extends ReadonlyArray<never> ? K : never
}[WritableCollection<M, N>]

/**
 * Puts a draft or an instance into a list, before what stands at `index`: from 0 to the number of members.
 *
 * @example
 * pipe(slide, Session.insertAt(model.Slide, 'bullets', 0, { text: 'first of all' }))
 *
 * @category work
 */
export const insertAt =
  <M, N extends string, K extends ListName<M, N>>(
    entity: Mapped<M, N>,
    name: K,
    index: number,
    member: GivenTo<M, N, K>,
  ) =>
  <S extends Snapshot<N>>(owner: S): Program<ReplaceError, S> =>
    onList(entity, name, owner, (relationship, before) =>
      isPlace(index, before.length)
        ? chain(() =>
            onList(entity, name, owner, (_, { length }) =>
              length > before.length
                ? transition(moveWith(entity, name, length - 1, index, owner))
                : fail(misfit(relationship, member, 'it is in the collection already; move it')),
            ),
          )(append(entity, name as never, member as never)(owner))
        : fail(misfit(relationship, index, `it has places from 0 to ${before.length}`)),
    )

/**
 * Moves a member of a list to another place, counted without it: from 0 to the number of the others.
 *
 * @example
 * pipe(slide, Session.move(model.Slide, 'bullets', bullet, 0))
 *
 * @category work
 */
export const move =
  <M, N extends string, K extends ListName<M, N>>(
    entity: Mapped<M, N>,
    name: K,
    member: Snapshot<TakenBy<M, N, K>>,
    index: number,
  ) =>
  <S extends Snapshot<N>>(owner: S): Program<ReplaceError, S> =>
    onList(entity, name, owner, (relationship, members, state) => {
      const found = instanceOf(state, member)
      if (found === undefined) return fail({ _tag: 'NotInSession', entity: relationship.target.name })
      const from = members.indexOf(found.id)
      if (from < 0) return fail(misfit(relationship, member, notThere))
      return isPlace(index, members.length - 1)
        ? transition(moveWith(entity, name, from, index, owner))
        : fail(misfit(relationship, index, `it has places from 0 to ${members.length - 1}`))
    })

/**
 * Takes what stands under a key out of a collection.
 *
 * @example
 * pipe(ed, Session.removeKey(model.User, 'notes', 'title'))
 *
 * @category work
 */
export const removeKey =
  <M, N extends string, K extends KeyedCollectionName<M, N> & WritableCollection<M, N>>(
    entity: Mapped<M, N>,
    name: K,
    key: CollectionKeyOf<M, N, K>,
  ) =>
  <S extends Snapshot<N>>(owner: S): Program<ReplaceError, S> =>
    onMembers(entity, name, owner, (relationship, members, state) => {
      const id = memberAt(state, relationship, members, key as never)
      return id === undefined
        ? fail(misfit(relationship, key, notThere))
        : detach(entity, name, instanceAt(state, id).snapshot as never)(owner)
    })

const notThere = 'it is not in the collection'

const isPlace = (index: number, last: number): boolean => Number.isInteger(index) && index >= 0 && index <= last

type OnMembers<S, Members, E = ReplaceError> = (
  relationship: RelationshipMapping,
  members: Members,
  state: SessionState,
) => Program<E, S>

const onList = <M, N extends string, S extends Snapshot<N>>(
  entity: Mapped<M, N>,
  name: string,
  owner: S,
  change: OnMembers<S, ReadonlyArray<InstanceId>>,
): Program<ReplaceError, S> =>
  onMembers(entity, name, owner, (relationship, members, state) =>
    change(relationship, Collection.toArray(members), state),
  )

/**
 * A change of a collection by the members that it has once it is loaded.
 *
 * @category combinators
 */
export const onMembers = <M, N extends string, S extends Snapshot<N>, E = never>(
  entity: Mapped<M, N>,
  name: string,
  owner: S,
  change: OnMembers<S, Collection.Collection, E | ReplaceError>,
): Program<E | ReplaceError, S> =>
  onLoaded(
    entity,
    name,
    owner,
    suspend((state): Program<E | ReplaceError, S> => {
      const found = resolve(state, entity, owner)
      if (isLeft(found)) return fail(found.left)
      const relationship = entity.mapping.relationshipOf.get(name)
      if (relationship?.isCollection !== true) return fail(noCollection(entity.name, name))
      const known = isExpired(state, found.right) ? undefined : Instance.relatedOf(found.right, relationship)
      const members = known?._tag === 'Many' ? known.members : null
      return change(relationship, members ?? Collection.empty, state)
    }),
  )
