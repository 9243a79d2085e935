/**
 * The public API as the adapter calls it: with entities and values that only a description knows.
 *
 * What users write is typed by their model; here the same functions take anything, and answer by their errors.
 */
import type { InstanceId } from '@unitary/core'
import { Snapshot } from '@unitary/core'
import * as Session from '@unitary/session'
import type { AnyMapped } from './model.js'

export type AnyProgram = Session.Program<unknown, unknown>

type OnInstance = (reference: Snapshot) => AnyProgram

interface Api {
  readonly make: (entity: AnyMapped, draft: unknown) => AnyProgram
  readonly add: (entity: AnyMapped, value: unknown) => AnyProgram
  readonly attach: (entity: AnyMapped, reference: Snapshot, from: Session.SessionState) => AnyProgram
  readonly set: (entity: AnyMapped, patch: unknown) => OnInstance
  readonly append: (entity: AnyMapped, name: string, member: unknown) => OnInstance
  readonly detach: (entity: AnyMapped, name: string, member: unknown) => OnInstance
  readonly replace: (entity: AnyMapped, name: string, members: ReadonlyArray<unknown>) => OnInstance
  readonly insertAt: (entity: AnyMapped, name: string, index: number, member: unknown) => OnInstance
  readonly removeKey: (entity: AnyMapped, name: string, key: unknown) => OnInstance
  readonly clear: (entity: AnyMapped, name: string) => OnInstance
  readonly remove: (entity: AnyMapped) => OnInstance
  readonly get: (entity: AnyMapped, key: unknown, options: unknown) => AnyProgram
  readonly read: (entity: AnyMapped) => OnInstance
  readonly loadAttributes: (entity: AnyMapped, ...attributes: ReadonlyArray<string>) => OnInstance
  readonly load: (entity: AnyMapped, name: string) => OnInstance
  readonly related: (entity: AnyMapped, name: string) => OnInstance
  readonly refresh: (entity: AnyMapped, ...attributes: ReadonlyArray<string>) => OnInstance
  readonly expire: (entity: AnyMapped, ...attributes: ReadonlyArray<string>) => OnInstance
  readonly query: (statement: unknown) => AnyProgram
  readonly first: (statement: unknown) => AnyProgram
  readonly one: (statement: unknown) => AnyProgram
  readonly execute: (options: unknown) => (statement: unknown) => AnyProgram
  readonly merge: (entity: AnyMapped, value: unknown, options: unknown) => AnyProgram
  readonly expunge: (entity: AnyMapped) => OnInstance
  readonly makeTransient: (entity: AnyMapped) => OnInstance
  readonly makeDetached: (entity: AnyMapped) => OnInstance
  readonly history: (entity: AnyMapped, name: string) => OnInstance
  readonly noAutoflush: (program: AnyProgram) => AnyProgram
  readonly sql: (statement: unknown, options: unknown) => AnyProgram
  readonly begin: AnyProgram
  readonly close: AnyProgram
  readonly expungeAll: AnyProgram
  readonly expireAll: AnyProgram
  readonly flush: AnyProgram
  readonly commit: AnyProgram
  readonly rollback: AnyProgram
  readonly beginNested: AnyProgram
  readonly commitNested: AnyProgram
  readonly rollbackNested: AnyProgram
}

export const api = Session as unknown as Api

/** A reference to an instance by its number: all that a function needs of a snapshot to know which one is meant. */
export const referenceTo = (id: InstanceId): Snapshot => new Snapshot(id)
