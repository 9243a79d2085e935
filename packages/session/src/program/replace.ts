/**
 * Replacing the members of a collection: what it holds is loaded first, since those that are not among the new ones leave it.
 */
import type { AnySelect, CollectionGiven, GivenTo, Mapped, Snapshot, WritableCollection } from '@unitary/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import type { DecodeError, RaisedLoad, RequestError } from '../error.js'
import { narrowedLoad } from '../hook/execute.js'
import { areMembersKnown } from '../load/known.js'
import { narrowedBy } from '../load/target-query.js'
import { fetchWith, plainly } from '../load/targets.js'
import type { ChangeError } from '../transition/set.js'
import { resolve } from '../transition/transition.js'
import { chain, fail, type Program, suspend } from './program.js'
import { replaceLoaded } from './work.js'

/** Why the members of a collection cannot be replaced. @category errors */
export type ReplaceError = ChangeError | RequestError | DecodeError | RaisedLoad

/**
 * Makes the members of a collection those given, in their order, or what a value of its own kind holds; those that are not
 * among them are detached. A collection that is not loaded is loaded first, as far as hooks and criteria show it: what they hide
 * stays. Of one that is `writeOnly` that is refused: `RaisedLoad`.
 *
 * @example
 * pipe(ed, Session.replace(model.User, 'addresses', [home, { email: 'new@example.org' }]))
 *
 * @category work
 */
export const replace =
  <M, N extends string, K extends WritableCollection<M, N>>(
    entity: Mapped<M, N>,
    name: K,
    members: CollectionGiven<M, N, K, GivenTo<M, N, K>>,
  ) =>
  <S extends Snapshot<N>>(owner: S): Program<ReplaceError, S> =>
    onLoaded(entity, name, owner, replaceLoaded(entity, name, members)(owner))

/**
 * Takes all members out of a collection, as `replace` does with none.
 *
 * @example
 * pipe(ed, Session.clear(model.User, 'addresses'))
 *
 * @category work
 */
export const clear = <M, N extends string, K extends WritableCollection<M, N>>(
  entity: Mapped<M, N>,
  name: K,
): (<S extends Snapshot<N>>(owner: S) => Program<ReplaceError, S>) => replace(entity, name, [] as never)

/**
 * A change of a collection once it is loaded.
 *
 * @category combinators
 */
export const onLoaded = <M, N extends string, E, A>(
  entity: Mapped<M, N>,
  name: string,
  owner: Snapshot<N>,
  change: Program<E | ReplaceError, A>,
): Program<E | ReplaceError, A> =>
  suspend((state): Program<E | ReplaceError, A> => {
    const found = resolve(state, entity, owner)
    const relationship = entity.mapping.relationshipOf.get(name)
    // what is wrong with the call the change itself tells
    if (isLeft(found) || relationship?.isCollection !== true || found.right.status !== 'persistent') return change
    const instance = found.right
    const options = instance.origin?.options ?? {}
    // what was loaded under other criteria is not what is to be changed
    if (areMembersKnown(state, instance, relationship, narrowedBy(state, relationship, options))) return change
    if (relationship.load === 'writeOnly') {
      const { key, mapping } = instance
      return fail({ _tag: 'RaisedLoad', entity: mapping.name, key, relationship: name, strategy: 'writeOnly' })
    }
    // what hooks and criteria hide of it stays
    return chain((query: AnySelect | null) =>
      chain(() => change)(
        fetchWith([instance.id], relationship, { ...plainly, query, isHooked: query !== null, options }),
      ),
    )(narrowedLoad(relationship, null))
  })
