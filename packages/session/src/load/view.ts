/**
 * Instances with what was loaded beside them, as the program sees them.
 */
import { type InstanceId, type Mapping, type RowViewer, rowClassOf, Snapshot } from '@unitary/core'
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
  const drain = drainer()
  const own: View = (id) => {
    const known = seen.get(id)
    if (known !== undefined) return known
    // filled in after the instance is known, which its targets may lead back to
    const fill: Array<() => void> = []
    // of what is no list only once its members are there
    const gathered: Array<(made: Record<string, unknown>) => void> = []
    const related = loaded.map((part, i) => {
      const targets = part.targets.get(id) ?? []
      const show = views[i] as View
      if (part.load.relationship.isCollection) {
        const members: Snapshot[] = []
        fill.push(() => {
          for (const target of targets) members.push(show(target))
          Object.freeze(members)
        })
        const { relationship } = part.load
        if (isList(relationship)) return members
        gathered.push((made) => {
          made[relationship.name] = shownMembers(state, id, relationship, targets, members)
        })
        return undefined
      }
      const only = targets[0]
      if (only === undefined) return none
      const one = some(undefined as Snapshot | undefined) as { value: Snapshot | undefined }
      fill.push(() => {
        one.value = show(only)
      })
      return one
    })
    const alone = plain(id)
    const made = viewFor(id)(alone, Snapshot.instanceOf(alone) as InstanceId, related)
    seen.set(id, made)
    if (gathered.length === 0) Object.freeze(made)
    else fill.unshift(() => finish(made, gathered))
    drain(fill)
    return made
  }
  const views = loaded.map((part): View => {
    const { deeper, load, nested } = part
    if (deeper === 'all') return loaded.length === 1 ? own : viewing(state, mapping, [part], plain)
    return viewOf(state, load.relationship.target, deeper === null ? nested : [deeper], plain)
  })
  return own
}

/** Gives an instance the collections that are made of members which are there by now. */
const finish = (made: Snapshot, gathered: ReadonlyArray<(made: Record<string, unknown>) => void>): void => {
  for (const give of gathered) give(made as unknown as Record<string, unknown>)
  Object.freeze(made)
}

/** Runs steps that lead to more steps one after another, however deep they lead. */
const drainer = (): ((steps: ReadonlyArray<() => void>) => void) => {
  const pending: Array<() => void> = []
  let isRunning = false
  return (steps) => {
    pending.push(...steps)
    if (isRunning) return
    isRunning = true
    for (let step = pending.pop(); step !== undefined; step = pending.pop()) step()
    isRunning = false
  }
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
