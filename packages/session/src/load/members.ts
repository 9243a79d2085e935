/**
 * Relationships as queries: for those that are too large to be loaded.
 */
import {
  type Mapped,
  type RelationshipMapping,
  type RelationshipName,
  type Select,
  type Snapshot,
  selectOwn,
  type TargetOf,
  targetsWithOwner,
  withOptions,
} from '@unitary/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import type { InvalidState, InvalidValue, ModelMismatch, NotInSession } from '../error.js'
import { fail, of, type Program, suspend } from '../program/program.js'
import * as Instance from '../state/instance.js'
import { shardFor } from '../state/session-state.js'
import { find } from './relationship.js'
import { keyHeld } from './target-key.js'
import { ordered, targetOf, targetQuery } from './target-query.js'

/** Why there is no query of what a relationship holds. @category errors */
export type MembersError = ModelMismatch | NotInSession | InvalidValue | InvalidState

/**
 * A query of what a relationship of an instance holds in the database, to be narrowed, counted, paged or streamed. It loads
 * nothing by itself, whatever the relationship's strategy; `Session.append` and `Session.detach` change the collection
 * without loading it.
 *
 * The instance must have a row: `InvalidState` where it is pending.
 *
 * @example
 * pipe(
 *   account,
 *   Session.members(model.Account, 'entries'),
 *   Session.chain((entries) => pipe(entries, where('amount', '>', 100), limit(10), Session.query)),
 * )
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/large_collections.html#write-only-relationships
 * @category loading
 */
export const members =
  <M, N extends string, K extends RelationshipName<M, N>>(entity: Mapped<M, N>, name: K) =>
  (instance: Snapshot<N>): Program<MembersError, Select<M, TargetOf<M, N, K>>> =>
    suspend((state): Program<MembersError, Select<M, TargetOf<M, N, K>>> => {
      const found = find(state, entity, name, instance)
      if (isLeft(found)) return fail(found.left)
      const [owner, relationship] = found.right
      const { key, mapping, status } = owner
      const token = shardFor(state, owner, relationship.target)
      const values = key === null ? null : heldBy(owner, relationship)
      if (values === null || status !== 'persistent') {
        return fail({ _tag: 'InvalidState', entity: mapping.name, key, status, operation: 'members' })
      }
      const targets = targetQuery(state.model, relationship, null) ?? selectOwn(targetOf(state.model, relationship))
      const narrowed = ordered(relationship, targetsWithOwner(targets, relationship, values))
      const query = token === null ? narrowed : withOptions({ shard: token })(narrowed)
      return of(query as unknown as Select<M, TargetOf<M, N, K>>)
    })

/** What the targets hold of an owner, or it of them. */
const heldBy = (owner: Instance.Instance, relationship: RelationshipMapping): ReadonlyArray<unknown> | null => {
  if (relationship.kind === 'BelongsTo') {
    const values = relationship.foreignKey.map((attribute) => Instance.valueAt(owner, attribute))
    return values.includes(undefined) ? null : values
  }
  return keyHeld(owner, relationship)?.values ?? null
}
