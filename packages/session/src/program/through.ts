/**
 * Changing what a proxy leads to, as if the owner had it itself.
 *
 * Adding makes a link, removing takes the link away (and deletes it, where the links cascade delete-orphan). What links are kept by
 * names them: what stands under a key is set on the link that is there. What a proxy of the far side leads to is changed by that
 * proxy.
 */
import {
  type AnyThrough,
  type CollectionKey,
  formThrough,
  type InstanceId,
  type Reach,
  type Snapshot,
  type Through,
  type ThroughLinks,
  type WritableCollection,
} from '@unitary/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import { isNone, type Option, type Some } from 'fp-ts/lib/Option.js'
import type { InvalidValue } from '../error.js'
import type { LoadError } from '../load/error.js'
import { memberAt } from '../load/shown.js'
import { targetOf } from '../load/target-query.js'
import { loadThrough, type Trail, trailOf } from '../load/through.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import type { ChangeError } from '../transition/set.js'
import { onMembers, removeKey } from './place.js'
import { chain, fail, map, of, type Program, suspend, traverseArray } from './program.js'
import { draftUnder, farKeyOf, isMany, linksAlong, linksOf, type Put, relinked, waysOf } from './relink.js'
import { type ReplaceError, replace } from './replace.js'
import { append, detach, set } from './work.js'

/** Why what a proxy leads to cannot be changed. @category errors */
export type ThroughError = LoadError | ChangeError | ReplaceError

/** A proxy that leads over a list or a set of links. */
type Unkeyed<R extends Reach> = R['links'] extends 'one'
  ? { readonly fault: 'it leads over one link: see setThrough' }
  : R['form'] extends 'list' | 'set'
    ? unknown
    : { readonly fault: 'its links are kept by key: see setKeyThrough, replaceThrough' }

/** A proxy that leads over links that are kept by key. */
type Keyed<R extends Reach> = R['links'] extends 'one'
  ? { readonly fault: 'it leads over one link: see setThrough' }
  : [R['key']] extends [never]
    ? { readonly fault: 'its links are not kept by key: see appendThrough, replaceThrough' }
    : unknown

/** A proxy that leads over a collection of links. */
type Collected<R extends Reach> = R['links'] extends 'one'
  ? { readonly fault: 'it leads over one link: see setThrough' }
  : unknown

/** What a change can put again. */
type Modifiable<R extends Reach> = R['links'] extends 'one'
  ? unknown
  : { readonly make: (far: never, key: never) => unknown }

/** A proxy that leads over one link. */
type Single<R extends Reach> = R['links'] extends 'one'
  ? unknown
  : { readonly fault: 'it leads over many links: see replaceThrough' }

/**
 * Adds to a proxy, by links that its `make` gives drafts of. Nothing is loaded, but for a set, which makes no second link to
 * what it has. O(links) for a set: give many at once.
 *
 * @example
 * pipe(order, Session.appendThrough(items, apple, { name: 'pear', price: 2 }))
 *
 * @category work
 */
export const appendThrough =
  <M, N extends string, R extends Reach>(
    proxy: ThroughLinks<M, N, R> & Unkeyed<R>,
    ...far: ReadonlyArray<NoInfer<R>['given']>
  ) =>
  <S extends Snapshot<N>>(owner: S): Program<ThroughError, S> => {
    const made = (things: ReadonlyArray<unknown>): Program<ThroughError, S> =>
      append(
        proxy.entity,
        nameOf(proxy),
        ...(things.map((one) => proxy.make(one as never, null as never)) as never[]),
      )(owner)
    if (!isOverSet(proxy)) return made(far)
    return onTrail(proxy, owner, (state, trail) => {
      const there = new Set(waysOf(state, proxy, trail).map(({ far: key }) => key))
      const missing = new Map(far.map((one) => [farKeyOf(proxy, one), one]))
      return made([...missing].flatMap(([key, one]) => (there.has(key) ? [] : [one])))
    })
  }

/**
 * Takes something away from a proxy: the first link to it leaves the owner, of a set all. Links are loaded where they are not.
 *
 * `InvalidValue` where no link leads to it.
 *
 * @example
 * pipe(order, Session.detachThrough(items, apple))
 *
 * @category work
 */
export const detachThrough =
  <M, N extends string, R extends Reach>(proxy: ThroughLinks<M, N, R> & Unkeyed<R>, far: NoInfer<R>['given']) =>
  <S extends Snapshot<N>>(owner: S): Program<ThroughError, S> =>
    onTrail(proxy, owner, (state, trail) => {
      const wanted = farKeyOf(proxy, far)
      const found = waysOf(state, proxy, trail).filter((way) => way.far === wanted)
      if (found.length === 0) return fail(noMember(proxy, far))
      const leaving = isOverSet(proxy) ? found : found.slice(0, 1)
      return leaving.reduce<Program<ThroughError, S>>(
        (before, { link }) =>
          chain((one: S) => detach(proxy.entity, nameOf(proxy), instanceAt(state, link).snapshot as never)(one))(
            before,
          ),
        of(owner),
      )
    })

/**
 * Makes what a proxy leads to what is given, in its order. Links to what stays stay themselves, with all else that they hold, and
 * by key those under keys that stay; links that lead nowhere stay too, at the end.
 *
 * So it is a lens with `loadThrough`: to put what was got changes nothing, and what was put is got.
 *
 * @example
 * pipe(order, Session.replaceThrough(items, [pear, apple]))
 * pipe(user, Session.replaceThrough(settings, new Map([['colour', 'red']])))
 *
 * @category work
 */
export const replaceThrough =
  <M, N extends string, R extends Reach>(proxy: ThroughLinks<M, N, R> & Collected<R>, whole: NoInfer<R>['whole']) =>
  <S extends Snapshot<N>>(owner: S): Program<ThroughError, S> =>
    putLinks(proxy, whole, owner)

/**
 * Sets what a proxy leads to over a reference, on the link that is there. Where there is none its `make` gives one; a proxy that
 * has no `make` fails with `InvalidValue`.
 *
 * @example
 * const bio = through(model.User, 'profile', 'bio', { make: (bio) => ({ bio }) })
 * pipe(user, Session.setThrough(bio, 'a painter'))
 *
 * @category work
 */
export const setThrough =
  <M, N extends string, R extends Reach>(proxy: Through<M, N, R> & Single<R>, far: NoInfer<R>['whole']) =>
  <S extends Snapshot<N>>(owner: S): Program<ThroughError, S> =>
    putOne(proxy, far, owner)

/**
 * Makes what a proxy has under a key what is given: on the link that is there, or by a new one.
 *
 * @example
 * pipe(user, Session.setKeyThrough(settings, 'colour', 'red'))
 *
 * @category work
 */
export const setKeyThrough =
  <M, N extends string, R extends Reach>(
    proxy: ThroughLinks<M, N, R> & Keyed<R>,
    key: NoInfer<R>['key'],
    far: NoInfer<R>['given'],
  ) =>
  <S extends Snapshot<N>>(owner: S): Program<ThroughError, S> =>
    onMembers(proxy.entity, nameOf(proxy), owner, (links, members, state): Program<ThroughError, S> => {
      const link = memberAt(state, links, members, key as CollectionKey)
      if (link !== undefined) return map(() => owner)(putFar(proxy, link, far))
      const draft = draftUnder(proxy, key as CollectionKey, far)
      return isLeft(draft) ? fail(draft.left) : append(proxy.entity, nameOf(proxy), draft.right as never)(owner)
    })

/**
 * Takes away what a proxy has under a key: the link leaves the owner. `InvalidValue` where there is none.
 *
 * @example
 * pipe(user, Session.removeKeyThrough(settings, 'colour'))
 *
 * @category work
 */
export const removeKeyThrough = <M, N extends string, R extends Reach>(
  proxy: Through<M, N, R> & Keyed<R>,
  key: NoInfer<R>['key'],
): (<S extends Snapshot<N>>(owner: S) => Program<ThroughError, S>) =>
  removeKey(proxy.entity, proxy.path[0] as never, key as never)

/**
 * Changes what a proxy shows by a function: loads it, and puts what that gives. Of an option it changes what there is.
 *
 * @example
 * pipe(user, Session.modifyThrough(settings, (all) => new Map([...all, ['colour', 'red']])))
 * pipe(user, Session.modifyThrough(bio, (words) => words.trim()))
 *
 * @category work
 */
export const modifyThrough =
  <M, N extends string, R extends Reach>(
    proxy: Through<M, N, R> & Modifiable<R>,
    change: (shown: R['form'] extends 'one' ? R['member'] : R['shown']) => NoInfer<R>['whole'],
  ) =>
  <S extends Snapshot<N>>(owner: S): Program<ThroughError, S> =>
    chain((shown: unknown): Program<ThroughError, S> => {
      const isOption = formThrough(proxy) === 'one'
      if (isOption && isNone(shown as Option<unknown>)) return of(owner)
      const far = change((isOption ? (shown as Some<unknown>).value : shown) as never)
      return put(proxy, far, owner)
    })(loadThrough(proxy)(owner))

type Change<S> = Program<ThroughError, S>

/** Puts what a proxy of any kind leads to. */
const put = <S extends Snapshot>(proxy: AnyThrough, whole: unknown, owner: S): Change<S> =>
  isOverMany(proxy) ? putLinks(proxy, whole, owner) : putOne(proxy, whole, owner)

const putLinks = <S extends Snapshot>(proxy: AnyThrough, whole: unknown, owner: S): Change<S> =>
  onTrail(proxy, owner, (state, trail) => {
    const links = relinked(state, proxy, trail, whole)
    if (isLeft(links)) return fail(links.left)
    const { changed, members } = links.right
    return chain(
      () => replace(proxy.entity, linksOf(proxy).name as never, members as never)(owner as never) as Change<S>,
    )(traverseArray(({ far, link }: Put) => putFar(proxy, link, far))(changed))
  })

const putOne = <S extends Snapshot>(proxy: AnyThrough, far: unknown, owner: S): Change<S> =>
  onTrail(headOf(proxy), owner, (state, trail): Change<S> => {
    const link = linksAlong(state, proxy, trail)[0]
    if (link !== undefined) return map(() => owner)(putFar(proxy, link.to, far))
    const draft = draftUnder(proxy, null, far)
    if (isLeft(draft)) return fail(draft.left)
    return set(proxy.entity, { [linksOf(proxy).name]: draft.right } as never)(owner as never) as Change<S>
  })

/** Puts what stands at the far side of a link. */
const putFar = (proxy: AnyThrough, link: InstanceId, far: unknown): Change<unknown> =>
  suspend((state): Change<unknown> => {
    const { snapshot } = instanceAt(state, link)
    const beyond = proxy.far
    if (typeof beyond !== 'string') return put(beyond, far, snapshot)
    const links = linksOf(proxy)
    const target = targetOf(state.model, links)
    return isMany(beyond, links)
      ? replace(target, beyond as never, far as never)(snapshot as never)
      : set(target, { [beyond]: far } as never)(snapshot as never)
  })

/** Its name, where it is a collection. */
const nameOf = <M, N extends string>({ path }: Through<M, N, Reach>): WritableCollection<M, N> =>
  path[0] as WritableCollection<M, N>

const isOverSet = (proxy: AnyThrough): boolean => linksOf(proxy).collection.form._tag === 'Set'

const isOverMany = (proxy: AnyThrough): boolean => linksOf(proxy).isCollection

/** The proxy up to its links. */
const headOf = (proxy: AnyThrough): AnyThrough => ({ ...proxy, path: proxy.path.slice(0, 1) })

/** A change by what stands along the way of a proxy, which is loaded where it is not. */
const onTrail = <A>(
  proxy: AnyThrough,
  owner: Snapshot,
  change: (state: SessionState, trail: Trail) => Change<A>,
): Change<A> => chain((trail: Trail) => suspend((state) => change(state, trail)))(trailOf(proxy, owner))

const noMember = ({ entity, path }: AnyThrough, value: unknown): InvalidValue => ({
  _tag: 'InvalidValue',
  entity: entity.name,
  attribute: path.join('.'),
  value,
  problem: 'no link leads to it',
})
