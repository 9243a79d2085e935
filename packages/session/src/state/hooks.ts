/**
 * Hooks, as the state carries them: what they are made of is the business of `../hook`.
 */
import type { Mapping } from '@unitary/core'

/**
 * What a session calls when something happens to it: pure functions, made by `defineHooks` and put together by
 * `combineHooks`.
 *
 * @category model
 */
export interface Hooks {
  readonly _tag: 'Hooks'
  /** The entities that they are for. */
  readonly mappings: ReadonlyArray<Mapping>
}
