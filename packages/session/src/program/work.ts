/**
 * Programs that change the session's state: adding, changing, relating, removing. None of them asks a database, but for
 * `remove`, which loads what goes along.
 */
import type {
  CollectionGiven,
  Draft,
  DraftOrInstance,
  ExpressionName,
  GivenTo,
  Mapped,
  OwnName,
  Pending,
  RelationshipName,
  RowOf,
  Services,
  Snapshot,
  TakenBy,
  WritableCollection,
  WritableReference,
} from '@unitary/core'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { InvalidState, ModelMismatch, NotInSession, RequestError } from '../error.js'
import { areOnChanges } from '../hook/hooks.js'
import { withServices } from '../hook/react.js'
import * as Hooked from '../hook/work.js'
import { type History, historyOf } from '../state/history.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import { type AddError, addAll as addAllWith, make as makeWith, needsServices, noServices } from '../transition/add.js'
import { attach as attachTo } from '../transition/attach.js'
import { append as appendWith, detach as detachWith, replace as replaceWith } from '../transition/collect.js'
import { type ChangeError, set as setWith } from '../transition/set.js'
import { checkModel, resolve, type Transition } from '../transition/transition.js'
import { ask, map, type Program, suspend, transition } from './program.js'

/** The services of this step. @category requests */
export const services: Program<RequestError, Services> = ask({ _tag: 'Services' })

/** A change, as it is made where hooks are asked about it and where there are none. */
const change = <M, N extends string, E, A>(
  entity: Mapped<M, N>,
  plain: (services: Services) => Transition<E, A>,
  hooked: (services: Services) => Transition<E, A>,
): Program<E, A> =>
  suspend((state) => {
    if (areOnChanges(state.hooks)) return withServices((given) => transition(hooked(given)))
    return needsServices(entity) ? withServices((given) => transition(plain(given))) : transition(plain(noServices))
  })

/**
 * Makes an instance, transient, of a draft and the drafts nested in it. The session knows it, and its unit of work does
 * not until `add`: so graphs with cycles can be built and changed first.
 *
 * @category work
 */
export const make = <M, N extends string>(entity: Mapped<M, N>, draft: Draft<M, N>): Program<AddError, Pending<M, N>> =>
  change(
    entity,
    (given) => makeWith(entity, draft, given),
    (given) => Hooked.make(entity, draft, given),
  )

/**
 * Brings a draft, or an instance that is transient, into the unit of work, with all that the save-update cascade reaches.
 * The next flush inserts it.
 *
 * @example
 * Session.add(model.User, { name: 'ed', addresses: [{ email: 'ed@example.org' }] })
 *
 * @category work
 */
export const add = <M, N extends string>(
  entity: Mapped<M, N>,
  draft: DraftOrInstance<M, NoInfer<N>>,
): Program<AddError, Pending<M, N>> =>
  map((added: ReadonlyArray<Pending<M, N>>) => added[0] as Pending<M, N>)(addAll(entity, [draft]))

/**
 * The same for many at once, in their order. Drafts that stand in it twice are one instance.
 *
 * @category work
 */
export const addAll = <M, N extends string>(
  entity: Mapped<M, N>,
  drafts: ReadonlyArray<DraftOrInstance<M, NoInfer<N>>>,
): Program<AddError, ReadonlyArray<Pending<M, N>>> =>
  change(
    entity,
    (given) => addAllWith(entity, drafts as never, given),
    (given) => Hooked.addAll(entity, drafts as never, given),
  )

/**
 * Brings an instance of another session's state into this one, with all that the save-update cascade reaches there, and
 * with the changes that no flush has written. It has to be transient or detached there; as states are values, it stays
 * there too.
 *
 * @example
 * Session.attach(model.User, ed, otherStore.getState())
 *
 * @category work
 */
export const attach = <M, N extends string>(
  entity: Mapped<M, N>,
  instance: Snapshot<NoInfer<N>>,
  from: SessionState,
): Program<ModelMismatch | NotInSession | InvalidState, Pending<M, N>> =>
  transition((state) => {
    const checked = checkModel(state, entity)
    if (isLeft(checked)) return checked
    const found = resolve(from, entity, instance)
    if (isLeft(found)) return found
    const attached = attachTo(state, from, found.right)
    if ('_tag' in attached) return left(attached)
    const [id, next] = attached
    return right([instanceAt(next, id).snapshot as unknown as Pending<M, N>, next])
  })

/** What an expression computes cannot be set. */
type SettableRow<M, N extends string> = [ExpressionName<M, N>] extends [never]
  ? Partial<RowOf<M, N>>
  : Partial<Omit<RowOf<M, N>, ExpressionName<M, N>>>

/** What `set` can change: attributes, and references to one. @category model */
export type Patch<M, N extends string> = SettableRow<M, N> & {
  readonly [K in WritableReference<M, N>]?: GivenTo<M, N, K> | null
}

/**
 * Sets attributes and references of an instance. Gives its snapshot with the changes; the one given stays as it is.
 *
 * @example
 * pipe(ed, Session.set(model.User, { name: 'edward' }))
 *
 * @category work
 */
export const set =
  <M, N extends string>(entity: Mapped<M, N>, patch: Patch<M, N>) =>
  <S extends Snapshot<N>>(instance: S): Program<ChangeError, S> =>
    change(
      entity,
      (given) => setWith(entity, patch, instance, given),
      (given) => Hooked.set(entity, patch, instance, given),
    )

/**
 * Adds a draft or an instance to a collection; its other side follows.
 *
 * @example
 * pipe(ed, Session.append(model.User, 'addresses', { email: 'ed@example.org' }))
 *
 * @category work
 */
export const append =
  <M, N extends string, K extends WritableCollection<M, N>>(
    entity: Mapped<M, N>,
    name: K,
    ...members: ReadonlyArray<GivenTo<M, N, K>>
  ) =>
  <S extends Snapshot<N>>(owner: S): Program<ChangeError, S> =>
    change(
      entity,
      (given) => appendWith(entity, name, members, owner, given),
      (given) => Hooked.append(entity, name, members, owner, given),
    )

/**
 * Takes an instance out of a collection; its other side follows.
 *
 * @category work
 */
export const detach =
  <M, N extends string, K extends WritableCollection<M, N>>(
    entity: Mapped<M, N>,
    name: K,
    member: Snapshot<TakenBy<M, N, K>>,
  ) =>
  <S extends Snapshot<N>>(owner: S): Program<ChangeError, S> =>
    change(
      entity,
      (given) => detachWith(entity, name, member, owner, given),
      (given) => Hooked.detach(entity, name, member, owner, given),
    )

/**
 * Makes the members of a collection those given, in their order, without asking a database: for hooks. The collection has to
 * be loaded, or the instance new.
 *
 * @example
 * keep(Session.replaceLoaded(model.Post, 'tags', [])(instance))
 *
 * @category work
 */
export const replaceLoaded =
  <M, N extends string, K extends WritableCollection<M, N>>(
    entity: Mapped<M, N>,
    name: K,
    members: CollectionGiven<M, N, K, GivenTo<M, N, K>>,
  ) =>
  <S extends Snapshot<N>>(owner: S): Program<ChangeError, S> =>
    change(
      entity,
      (given) => replaceWith(entity, name, members, owner, given),
      (given) => Hooked.replace(entity, name, members, owner, given),
    )

/**
 * What has changed about an attribute or relationship since it was last in step with the database. Never loads.
 *
 * @category work
 */
export const history =
  <M, N extends string>(entity: Mapped<M, N>, name: OwnName<M, N> | RelationshipName<M, N>) =>
  (instance: Snapshot<N>): Program<ModelMismatch | NotInSession, History> =>
    transition((state) => {
      const found = resolve(state, entity, instance)
      return isLeft(found) ? found : right([historyOf(state, found.right, name), state])
    })
