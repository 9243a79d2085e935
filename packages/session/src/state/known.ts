/**
 * What a session knows of an instance.
 */
import type { RowOf, Snapshot } from '@unitary/core'

/**
 * A snapshot of what a session knows of an instance, whatever its standing: attributes that it does not know - since the
 * instance has expired, or the database has not given them yet - are absent.
 *
 * @category model
 */
export type Known<M, N extends string> = Partial<RowOf<M, N>> & Snapshot<N>
