/**
 * Names of objects: which name of the corpus stands for which instance of which session.
 */
import { type AnyModel, decodedKeyOf, type InstanceId, type Mapping } from '@unitary/core'
import { type Inspected, inspectAll, type SessionState } from '@unitary/session'

export interface Named {
  readonly name: string
  readonly session: string
  readonly entity: string
  readonly id: InstanceId
}

export class Objects {
  readonly #keyOf: (inspected: Inspected) => ReadonlyArray<unknown>
  readonly #byName = new Map<string, Named>()
  readonly #byInstance = new Map<string, Named>()
  readonly #settled = new Set<string>()

  /** Given the keys that names are made of. */
  constructor(keyOf: (inspected: Inspected) => ReadonlyArray<unknown>) {
    this.#keyOf = keyOf
  }

  get(name: string): Named | undefined {
    return this.#byName.get(name)
  }

  /** The corpus has named these: they are not given away any more. */
  settle(states: Readonly<Record<string, unknown>> | undefined): void {
    for (const name in states) this.#settled.add(name)
  }

  nameOf(session: string, id: InstanceId): string | undefined {
    return this.#byInstance.get(`${session}/${id}`)?.name
  }

  /** Gives a name; an instance keeps the first that it got. */
  give(name: string, session: string, entity: string, id: InstanceId): void {
    if (this.nameOf(session, id) !== undefined) return
    const named = { name, session, entity, id }
    const before = this.#byName.get(name)
    if (before !== undefined) this.#byInstance.delete(`${before.session}/${before.id}`)
    this.#byName.set(name, named)
    this.#byInstance.set(`${session}/${id}`, named)
  }

  /** Names what a session has met since: by entity and key, numbered where that name is another object's. */
  meet(session: string, state: SessionState): void {
    for (const inspected of inspectAll(state)) {
      if (inspected.identity === null || this.nameOf(session, inspected.id) !== undefined) continue
      const { shard } = inspected.identity
      const plain = `${inspected.entity}:${this.#keyOf(inspected).join(',')}${shard === null ? '' : `@${shard}`}`
      let name = plain
      // an object that only this side has loaded has no claim to the name
      for (let number = 2; this.#settled.has(name); number++) name = `${plain}#${number}`
      this.give(name, session, inspected.entity, inspected.id)
    }
  }

  /** Names what a merge made, after the objects that it was made of. */
  meetMerged(session: string, state: SessionState, from: Named, sources: SessionState, merged: InstanceId): void {
    const source = new Map(inspectAll(sources).map((inspected) => [inspected.id, inspected]))
    const result = new Map(inspectAll(state).map((inspected) => [inspected.id, inspected]))
    const seen = new Set<InstanceId>()
    const visit = (sourceId: InstanceId, resultId: InstanceId): void => {
      const original = source.get(sourceId)
      const copy = result.get(resultId)
      if (original === undefined || copy === undefined || seen.has(sourceId)) return
      seen.add(sourceId)
      const name = this.nameOf(from.session, sourceId)
      if (name !== undefined && copy.identity === null && this.nameOf(session, resultId) === undefined) {
        let copied = `${name}'`
        while (this.#byName.has(copied)) copied += "'"
        this.give(copied, session, copy.entity, resultId)
      }
      for (const [relationship, related] of Object.entries(original.related)) {
        const copies = listOf(copy.related[relationship])
        const originals = listOf(related)
        // a collection holds the copies in the order of the originals, at its end where it had members before
        const from = copies.length - originals.length
        for (const [i, id] of originals.entries()) {
          const target = copies[from + i]
          if (target !== undefined) visit(id, target)
        }
      }
    }
    visit(from.id, merged)
  }
}

const listOf = (related: InstanceId | null | ReadonlyArray<InstanceId> | undefined): ReadonlyArray<InstanceId> =>
  related === undefined || related === null ? [] : typeof related === 'number' ? [related] : related

/** The values of an instance's primary key, in its order. */
export const keyOf = (model: AnyModel, { entity, identity }: Inspected): ReadonlyArray<unknown> => {
  const mapping: Mapping | undefined = model.mappingOf.get(entity)
  return identity === null || mapping === undefined ? [] : decodedKeyOf(mapping, identity.key)
}
