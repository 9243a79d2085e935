/**
 * Instances with what was loaded beside them, as the program sees them.
 */
import {
  type InstanceId,
  type Mapping,
  type RelationshipMapping,
  type RowViewer,
  rowClassOf,
  Snapshot,
} from '@unitary/core'
import { none, some } from 'fp-ts/lib/Option.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import type { LoadedRelationship } from './eager.js'
import { isList, shownMembers } from './shown.js'

/** How an instance is shown: by its snapshot, or with what was loaded beside it. */
export type View = (id: InstanceId) => Snapshot

/** Instances by their snapshots. */
export const snapshots =
  (state: SessionState): View =>
  (id) =>
    instanceAt(state, id).snapshot

/**
 * Shows instances of an entity with what was loaded; each instance once, so that results share what they share, and results
 * refer to each other in a circle where their rows do. `plain` is how instances are shown alone, where not by their
 * snapshots.
 *
 * @category combinators
 */
export const viewOf = (
  state: SessionState,
  mapping: Mapping,
  loaded: ReadonlyArray<LoadedRelationship>,
  plain: View = snapshots(state),
): View => {
  const shown = loaded.filter(({ load }) => load.isShown)
  return shown.length === 0 ? plain : viewing(state, mapping, shown, plain)
}

const viewing = (
  state: SessionState,
  mapping: Mapping,
  loaded: ReadonlyArray<LoadedRelationship>,
  plain: View,
): View => {
  const names = loaded.map(({ load }) => load.relationship.name)
  const view = viewerOf(mapping, names)
  // what is of a subtype is shown with its own attributes
  const viewFor =
    mapping.subtypes.length === 0 ? () => view : (id: InstanceId) => viewerOf(instanceAt(state, id).mapping, names)
  const seen = new Map<InstanceId, Snapshot>()
  const pending: Step[] = []
  let isDraining = false
  const own: View = (id) => {
    const known = seen.get(id)
    if (known !== undefined) return known
    const related = new Array<unknown>(loaded.length)
    // what is made of members is given once they are there: it is taken up after them
    let finish: Finish | null = null
    const first = pending.length
    for (let i = 0; i < loaded.length; i++) {
      const { load, targets } = loaded[i] as LoadedRelationship
      const { relationship } = load
      const ids = targets.get(id) ?? nobody
      const show = views[i] as View
      if (relationship.isCollection) {
        const members: Snapshot[] = []
        if (isList(relationship)) related[i] = members
        else {
          finish ??= { _tag: 'Finish', id, made: null, gathered: [] }
          finish.gathered.push({ relationship, ids, members })
        }
        // what shows nothing beside itself leads nowhere
        if (show === plain) fillMembers(members, ids, show)
        else pending.push({ _tag: 'Members', members, ids, show })
        continue
      }
      const only = ids[0]
      if (only === undefined) {
        related[i] = none
        continue
      }
      const one = some(undefined as Snapshot | undefined) as { value: Snapshot | undefined }
      related[i] = one
      if (show === plain) one.value = show(only)
      else pending.push({ _tag: 'One', one, id: only, show })
    }
    const alone = plain(id)
    const made = viewFor(id)(alone, Snapshot.instanceOf(alone) as InstanceId, related)
    // filled in after the instance is known, which its targets may lead back to
    seen.set(id, made)
    if (finish === null) Object.freeze(made)
    else {
      finish.made = made
      pending.splice(first, 0, finish)
    }
    if (!isDraining) drain()
    return made
  }
  // one step after another, however deep they lead
  const drain = (): void => {
    isDraining = true
    for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
      switch (step._tag) {
        case 'Members':
          fillMembers(step.members, step.ids, step.show)
          break
        case 'One':
          step.one.value = step.show(step.id)
          break
        case 'Finish':
          giveGathered(state, step)
          break
      }
    }
    isDraining = false
  }
  const views = loaded.map((part): View => {
    const { deeper, load, nested } = part
    if (deeper === 'all') return loaded.length === 1 ? own : viewing(state, mapping, [part], plain)
    return viewOf(state, load.relationship.target, deeper === null ? nested : [deeper], plain)
  })
  return own
}

const nobody: ReadonlyArray<InstanceId> = []

/** What is still to be filled in of an instance that is shown. */
type Step =
  | {
      readonly _tag: 'Members'
      readonly members: Snapshot[]
      readonly ids: ReadonlyArray<InstanceId>
      readonly show: View
    }
  | {
      readonly _tag: 'One'
      readonly one: { value: Snapshot | undefined }
      readonly id: InstanceId
      readonly show: View
    }
  | Finish

/** Collections that are no lists, made of their members. */
interface Finish {
  readonly _tag: 'Finish'
  readonly id: InstanceId
  made: Snapshot | null
  readonly gathered: Array<{
    readonly relationship: RelationshipMapping
    readonly ids: ReadonlyArray<InstanceId>
    readonly members: ReadonlyArray<Snapshot>
  }>
}

const fillMembers = (members: Snapshot[], ids: ReadonlyArray<InstanceId>, show: View): void => {
  for (let i = 0; i < ids.length; i++) members.push(show(ids[i] as InstanceId))
  Object.freeze(members)
}

/** Gives an instance the collections that are made of members which are there by now. */
const giveGathered = (state: SessionState, { gathered, id, made }: Finish): void => {
  for (const { ids, members, relationship } of gathered) {
    ;(made as unknown as Record<string, unknown>)[relationship.name] = shownMembers(
      state,
      id,
      relationship,
      ids,
      members,
    )
  }
  Object.freeze(made)
}

const viewers = new WeakMap<Mapping, Map<string, RowViewer>>()

const viewerOf = (mapping: Mapping, names: ReadonlyArray<string>): RowViewer => {
  let known = viewers.get(mapping)
  if (known === undefined) {
    known = new Map()
    viewers.set(mapping, known)
  }
  const key = names.join()
  const viewer = known.get(key) ?? rowClassOf(mapping).viewer(names)
  known.set(key, viewer)
  return viewer
}
