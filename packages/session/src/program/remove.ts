/**
 * Removing instances: loads what goes along, then marks it for the next flush.
 */
import type { InstanceId, Mapped, Snapshot } from '@unitary/core'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { InvalidState, ModelMismatch, NotInSession, NotLoaded, ObjectDeleted } from '../error.js'
import { loadNeeded } from '../load/needed.js'
import { done, edit } from '../state/session-state.js'
import { join as reattach } from '../transition/cascade.js'
import { loadsForRemoval, mark } from '../transition/remove.js'
import { resolve } from '../transition/transition.js'
import { needKey } from '../unit-of-work/needs.js'
import { autoflush, type FlushError } from './flush.js'
import { chain, fail, type Program, suspend, transition } from './program.js'

/** Why an instance cannot be removed. @category errors */
export type RemoveError = FlushError | ModelMismatch | NotInSession | InvalidState | ObjectDeleted

/**
 * Marks a persistent instance for deletion, with all that its delete cascade reaches; the next flush deletes them. What the
 * cascade needs to know is loaded first, after a flush as with any load. Children that do not go along lose their foreign
 * key.
 *
 * @example
 * pipe(ed, Session.remove(model.User))
 *
 * @category work
 */
export const remove =
  <M, N extends string>(entity: Mapped<M, N>) =>
  (instance: Snapshot<N>): Program<RemoveError, undefined> =>
    suspend((state): Program<RemoveError, undefined> => {
      const found = resolve(state, entity, instance)
      if (isLeft(found)) return fail(found.left)
      const { id, status } = found.right
      return status === 'detached' ? chain(() => loadAndMark(id))(attach(id)) : loadAndMark(id)
    })

/**
 * The same without asking a database, for hooks: `NotLoaded` where the delete cascade reaches what is not loaded.
 *
 * @example
 * beforeFlush: ({ state }) => Session.keep(...expiredTokens(state).map(Session.removeLoaded(model.Token)))
 *
 * @category work
 */
export const removeLoaded =
  <M, N extends string>(entity: Mapped<M, N>) =>
  (instance: Snapshot<N>): Program<ModelMismatch | NotInSession | InvalidState | NotLoaded, undefined> =>
    suspend((state): Program<ModelMismatch | NotInSession | InvalidState | NotLoaded, undefined> => {
      const found = resolve(state, entity, instance)
      if (isLeft(found)) return fail(found.left)
      const { id } = found.right
      const [missing] = loadsForRemoval(state, id)
      if (missing === undefined) return marking(id)
      const { key, mapping } = missing.instance
      const attribute = missing.relationship?.name ?? mapping.key.map(({ name }) => name).join(', ')
      return fail({ _tag: 'NotLoaded', entity: mapping.name, key, attribute })
    })

const marking = (id: InstanceId): Program<InvalidState, undefined> =>
  transition((state) => {
    const marked = mark(state, id)
    return marked._tag === 'SessionState' ? right([undefined, marked]) : left(marked)
  })

/** What is detached belongs to the session again, to be deleted by it. */
const attach = (id: InstanceId): Program<InvalidState, undefined> =>
  transition((state) => {
    const changes = edit(state)
    const refused = reattach(state, changes, id)
    return refused === null ? right([undefined, done(state, changes)]) : left(refused)
  })

/** Each round loads what the round before made reachable: as many statements as relationships, not as instances. */
const loadAndMark = (id: InstanceId, asked: ReadonlySet<string> = new Set()): Program<RemoveError, undefined> =>
  suspend((state): Program<RemoveError, undefined> => {
    const needed = loadsForRemoval(state, id)
    if (needed.length === 0) return marking(id)
    const gone = needed.find((need) => asked.has(needKey(need)))?.instance
    if (gone !== undefined) {
      return fail({ _tag: 'ObjectDeleted', entity: gone.mapping.name, key: gone.key, shard: gone.token })
    }
    return chain(() => chain(() => loadAndMark(id, new Set([...asked, ...needed.map(needKey)])))(loadNeeded(needed)))(
      autoflush,
    )
  })
