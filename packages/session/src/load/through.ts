/**
 * Loading what a proxy leads to: one statement for each relationship on its way, however many links there are.
 */
import {
  type AnyThrough,
  type Attribute,
  type CollectionKey,
  formOver,
  type InstanceId,
  type Linked,
  type Reach,
  type RelationshipMapping,
  relationshipsThrough,
  type Snapshot,
  type Through,
  type ThroughTo,
  walkThrough,
} from '@unitary/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import type { InvalidValue } from '../error.js'
import { chain, fail, gets, map, of, type Program, suspend } from '../program/program.js'
import * as Instance from '../state/instance.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import type { LoadError } from './error.js'
import type { LoadedTargets } from './known.js'
import { find, loadTargets } from './relationship.js'
import { keysOf } from './shown.js'

/**
 * What stands along the way of a proxy from an instance.
 *
 * @category model
 */
export interface Trail {
  readonly from: InstanceId
  /** For each of its relationships what that leads to. */
  readonly levels: ReadonlyArray<LoadedTargets>
}

/**
 * What a proxy shows of an instance, loaded where it is not: in the form of the collection that it leads over, or an option.
 * Links that lead nowhere show nothing.
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
    chain((trail: Trail) => gets((state) => shownThrough(state, proxy, trail) as ThroughTo<R>))(
      trailOf(proxy, instance),
    )

/**
 * Loads all that stands along the way of a proxy.
 *
 * @category loading
 */
export const trailOf = (proxy: AnyThrough, owner: Snapshot): Program<LoadError, Trail> =>
  suspend((state) => {
    const found = find(state, proxy.entity, proxy.path[0] as string, owner as Snapshot<never>)
    if (isLeft(found)) return fail(found.left)
    const [{ id: from }] = found.right
    const relationships = relationshipsThrough(proxy)
    const missing = relationships.indexOf(null)
    if (missing >= 0) return fail(noRelationship(relationships[missing - 1], proxy.path[missing] as string))
    const whole = (relationships as ReadonlyArray<RelationshipMapping>).reduce<Program<LoadError, Walked>>(
      (walked, relationship) => chain(further(relationship))(walked),
      of({ levels: [], reached: [from] }),
    )
    return map(({ levels }: Walked): Trail => ({ from, levels }))(whole)
  })

/** How far a way is loaded, and what it has reached. */
interface Walked {
  readonly levels: ReadonlyArray<LoadedTargets>
  readonly reached: ReadonlyArray<InstanceId>
}

const further =
  (relationship: RelationshipMapping) =>
  ({ levels, reached }: Walked): Program<LoadError, Walked> =>
    map(
      (targets: LoadedTargets): Walked => ({
        levels: [...levels, targets],
        reached: [...new Set(reached.flatMap((id) => targets.get(id) ?? []))],
      }),
    )(loadTargets(reached, relationship))

/**
 * What a proxy shows along a trail that was loaded for it.
 *
 * @category combinators
 */
export const shownThrough = (state: SessionState, proxy: AnyThrough, { from, levels }: Trail): unknown =>
  walkThrough<InstanceId>(proxy, {
    linked: (id, relationship, level) => linkedFrom(state, relationship, levels[level], id),
    shown: (end) => valueShown(instanceAt(state, end), proxy.attribute),
  })(from)

/**
 * What a relationship leads to from an instance, each with what it stands under.
 *
 * @category combinators
 */
export const linkedFrom = (
  state: SessionState,
  relationship: RelationshipMapping,
  targets: LoadedTargets | undefined,
  owner: InstanceId,
): ReadonlyArray<Linked<InstanceId>> => {
  const ids = targets?.get(owner) ?? []
  const form = formOver(relationship)
  switch (form?._tag) {
    case undefined:
    case 'List':
    case 'Set':
      return ids.map((to) => ({ key: null, to }))
    case 'Keyed': {
      const keys = keysOf(state, owner, relationship, ids)
      return ids.map((to, i) => ({ key: keys[i] as CollectionKey, to }))
    }
    case 'Grouped':
      return ids.map((to) => {
        const member = instanceAt(state, to)
        const by = member.mapping.attributeOf.get(form.by) as Attribute
        return { key: Instance.valueAt(member, by) as CollectionKey, to }
      })
  }
}

const valueShown = (end: Instance.Instance, name: string | null): unknown => {
  const attribute = name === null ? undefined : end.mapping.attributeOf.get(name)
  return attribute === undefined ? end.snapshot : Instance.valueAt(end, attribute)
}

const noRelationship = (from: RelationshipMapping | null | undefined, name: string): InvalidValue => {
  const entity = from?.target.name ?? ''
  return {
    _tag: 'InvalidValue',
    entity,
    attribute: name,
    value: name,
    problem: `${entity} has no attribute or relationship of that name`,
  }
}
