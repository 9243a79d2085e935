/**
 * What a step is about, and in which session.
 */
import type { Snapshot } from '@unitary/core'
import type { SessionState } from '@unitary/session'
import type { ScenarioModel } from './model.js'
import type { Objects } from './objects.js'

/** What is merged: an instance, and the state that it belongs to where that is another session's. */
export interface MergeSource {
  readonly entity: string
  readonly reference: Snapshot
  readonly from: { readonly from?: SessionState }
}

/** What a step is about, and in which session. */
export interface Situation {
  readonly model: ScenarioModel
  readonly objects: Objects
  readonly sourceOf: (name: string) => MergeSource
  /** How many savepoints are open that began after the one named, itself included. */
  readonly savepointsDownTo: (name: string) => number
}
