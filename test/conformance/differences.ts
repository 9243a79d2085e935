/**
 * Where Unitary differs from the recording on purpose: the scenario, why that is allowed, and what happens instead.
 *
 * Each has a test of its own in differences.test.ts.
 */

/** Why a scenario may differ; the README says what each means. */
export type Reason =
  | 'explicit loads'
  | 'pure mutators'
  | 'outside objects stay outside'
  | 'rollback is the earlier value'
  | 'solvable is solved'
  | 'row switch only within one class'
  | 'shards merge'

export interface Difference {
  readonly reason: Reason
  readonly instead: string
}

export const differences: Readonly<Record<string, Difference>> = {
  'uow/pk_swap': {
    reason: 'solvable is solved',
    instead: 'rows exchange their keys by way of a temporary one',
  },
}
