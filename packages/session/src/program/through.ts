/**
 * Association proxies in a session: what stands at the far side of links, loaded and changed as if the owner had it itself.
 *
 * Adding makes a link, removing takes the link away (and deletes it, where the links cascade delete-orphan). Loading takes one
 * statement for each relationship on the way, however many links there are.
 */
import {
  type Attribute,
  type InstanceId,
  type Mapping,
  type Reach,
  type RelationshipMapping,
  rawKeyOfValue,
  Snapshot,
  type Through,
  type ThroughLinks,
  type ThroughTo,
  type WritableCollection,
} from '@unitary/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import { none, some } from 'fp-ts/lib/Option.js'
import type { InvalidValue } from '../error.js'
import type { LoadError } from '../load/error.js'
import type { LoadedTargets } from '../load/known.js'
import { find, loadTargets } from '../load/relationship.js'
import * as Instance from '../state/instance.js'
import { instanceAt } from '../state/session-state.js'
import type { ChangeError } from '../transition/set.js'
import { chain, fail, gets, map, of, type Program, suspend } from './program.js'
import { type ReplaceError, replace } from './replace.js'
import { append, detach } from './work.js'

/** Why what a proxy leads to cannot be changed. @category errors */
export type ThroughError = LoadError | ChangeError | ReplaceError

/** One end of a proxy's ways, and the instance next to the owner that it was reached by: the link. */
interface Way {
  readonly link: InstanceId
  readonly end: InstanceId
}

/**
 * What a proxy shows of an instance, loaded where it is not: a list in the order of the links, or an option. Links that lead
 * nowhere show nothing.
 *
 * @example
 * pipe(order, Session.loadThrough(items))
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/extensions/associationproxy.html
 * @category loading
 */
export const loadThrough =
  <M, N extends string, R extends Reach>(proxy: Through<M, N, R>) =>
  (instance: Snapshot<N>): Program<LoadError, ThroughTo<R>> =>
    chain((ways: ReadonlyArray<Way>) =>
      gets((state) => {
        const shown = ways.map(({ end }) => shownAt(proxy, instanceAt(state, end)))
        return (proxy.isCollection ? shown : shown.length === 0 ? none : some(shown[0])) as ThroughTo<R>
      }),
    )(waysOf(proxy, instance))

/**
 * Adds to a proxy, by links that its `make` gives drafts of. Nothing is loaded.
 *
 * @example
 * pipe(order, Session.appendThrough(items, apple, { name: 'pear', price: 2 }))
 *
 * @category work
 */
export const appendThrough =
  <M, N extends string, R extends Reach, G>(proxy: ThroughLinks<M, N, R, G>, ...far: ReadonlyArray<NoInfer<G>>) =>
  <S extends Snapshot<N>>(owner: S): Program<ChangeError, S> =>
    append(proxy.entity, linksOf(proxy), ...far.map((one) => proxy.make(one as never) as never))(owner)

/**
 * Takes something away from a proxy: the first link to it leaves the owner. Links are loaded where they are not.
 *
 * `InvalidValue` where no link leads to it.
 *
 * @example
 * pipe(order, Session.detachThrough(items, apple))
 *
 * @category work
 */
export const detachThrough =
  <M, N extends string, R extends Reach, G>(proxy: ThroughLinks<M, N, R, G>, far: NoInfer<G>) =>
  <S extends Snapshot<N>>(owner: S): Program<ThroughError, S> =>
    chain((ways: ReadonlyArray<Way>) =>
      suspend((state): Program<ThroughError, S> => {
        const wanted = keyOf(proxy, endOf(proxy), far)
        const found = ways.find(({ end }) => keyAt(proxy, instanceAt(state, end)) === wanted)
        if (found === undefined) return fail(noMember(proxy, far))
        return detach(proxy.entity, linksOf(proxy), instanceAt(state, found.link).snapshot as never)(owner)
      }),
    )(waysOf(proxy, owner))

/**
 * Makes what a proxy leads to what is given, in its order. Links to what stays stay themselves, with all else that they hold;
 * links that lead nowhere stay at the end.
 *
 * So it is a lens with `loadThrough`: to put what was got changes nothing, and what was put is got.
 *
 * @example
 * pipe(order, Session.replaceThrough(items, [pear, apple]))
 *
 * @category work
 */
export const replaceThrough =
  <M, N extends string, R extends Reach, G>(proxy: ThroughLinks<M, N, R, G>, far: ReadonlyArray<NoInfer<G>>) =>
  <S extends Snapshot<N>>(owner: S): Program<ThroughError, S> =>
    chain((links: ReadonlyArray<InstanceId>) =>
      chain((ways: ReadonlyArray<Way>) =>
        suspend((state): Program<ThroughError, S> => {
          const linked = new Map<unknown, InstanceId[]>()
          // from the last to the first, so that the first is taken first
          for (let i = ways.length - 1; i >= 0; i--) {
            const { end, link } = ways[i] as Way
            const key = keyAt(proxy, instanceAt(state, end))
            const known = linked.get(key)
            if (known === undefined) linked.set(key, [link])
            else known.push(link)
          }
          const mapping = endOf(proxy)
          const leading = new Set(ways.map(({ link }) => link))
          const snapshotAt = (id: InstanceId): unknown => instanceAt(state, id).snapshot
          const members = far.map((one) => {
            const link = linked.get(keyOf(proxy, mapping, one))?.pop()
            return link === undefined ? proxy.make(one as never) : snapshotAt(link)
          })
          const astray = links.filter((link) => !leading.has(link)).map(snapshotAt)
          return replace(proxy.entity, linksOf(proxy), [...members, ...astray] as never)(owner)
        }),
      )(goOn(proxy, links)),
    )(linksFrom(proxy, owner))

/** The collection of links. */
const linksOf = <M, N extends string>({ path }: Through<M, N, Reach>): WritableCollection<M, N> =>
  path[0] as WritableCollection<M, N>

/** The entity at the end, whose attribute or rows are shown. */
const endOf = ({ entity, path }: Through<unknown, string, Reach>): Mapping =>
  path.reduce((at, name) => (at.relationshipOf.get(name) as RelationshipMapping).target, entity.mapping)

/** All ends that a proxy leads to, in order, each with its link. */
const waysOf = <M, N extends string>(
  proxy: Through<M, N, Reach>,
  owner: Snapshot<N>,
): Program<LoadError, ReadonlyArray<Way>> =>
  chain((links: ReadonlyArray<InstanceId>) => goOn(proxy, links))(linksFrom(proxy, owner))

/** What the first relationship leads to. */
const linksFrom = <M, N extends string>(
  { entity, path }: Through<M, N, Reach>,
  owner: Snapshot<N>,
): Program<LoadError, ReadonlyArray<InstanceId>> =>
  suspend((state) => {
    const found = find(state, entity, path[0] as string, owner)
    if (isLeft(found)) return fail(found.left)
    const [{ id }, relationship] = found.right
    return map((targets: LoadedTargets) => targets.get(id) ?? [])(loadTargets([id], relationship))
  })

/** And from there the others, for all at once. */
const goOn = (
  { entity, path }: Through<unknown, string, Reach>,
  links: ReadonlyArray<InstanceId>,
): Program<LoadError, ReadonlyArray<Way>> => {
  const first = entity.mapping.relationshipOf.get(path[0] as string)
  let at = first?.target
  let ways: Program<LoadError, ReadonlyArray<Way>> = of(links.map((link) => ({ link, end: link })))
  for (const name of path.slice(1)) {
    const relationship = at?.relationshipOf.get(name)
    if (at === undefined || relationship === undefined) return fail(noRelationship(at?.name ?? entity.name, name))
    at = relationship.target
    ways = chain((reached: ReadonlyArray<Way>) =>
      map((targets: LoadedTargets) =>
        reached.flatMap(({ end, link }) => (targets.get(end) ?? []).map((target): Way => ({ link, end: target }))),
      )(
        loadTargets(
          reached.map(({ end }) => end),
          relationship,
        ),
      ),
    )(ways)
  }
  return ways
}

const shownAt = (proxy: Through<unknown, string, Reach>, end: Instance.Instance): unknown => {
  const attribute = proxy.attribute === null ? undefined : end.mapping.attributeOf.get(proxy.attribute)
  return attribute === undefined ? end.snapshot : Instance.valueAt(end, attribute)
}

/** What tells one far side from another: which instance it is, or the value as the database has it. */
const keyAt = (proxy: Through<unknown, string, Reach>, end: Instance.Instance): unknown => {
  const attribute = proxy.attribute === null ? undefined : end.mapping.attributeOf.get(proxy.attribute)
  return attribute === undefined ? end.id : valueKey(attribute, Instance.valueAt(end, attribute))
}

/** The same of what is given. What pictures no instance yet is like nothing that is there. */
const keyOf = (proxy: Through<unknown, string, Reach>, end: Mapping, far: unknown): unknown => {
  const attribute = proxy.attribute === null ? undefined : end.attributeOf.get(proxy.attribute)
  return attribute === undefined ? (Snapshot.instanceOf(far) ?? far) : valueKey(attribute, far)
}

const valueKey = (attribute: Attribute, value: unknown): unknown =>
  value === undefined ? undefined : rawKeyOfValue(attribute.column.codec.is(value) ? attribute.encode(value) : value)

const noMember = ({ entity, path }: Through<unknown, string, Reach>, value: unknown): InvalidValue => ({
  _tag: 'InvalidValue',
  entity: entity.name,
  attribute: path.join('.'),
  value,
  problem: 'no link leads to it',
})

const noRelationship = (entity: string, name: string): InvalidValue => ({
  _tag: 'InvalidValue',
  entity,
  attribute: name,
  value: name,
  problem: `${entity} has no attribute or relationship of that name`,
})
