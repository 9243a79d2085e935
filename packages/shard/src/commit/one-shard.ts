/**
 * The level `single-shard`: which shard the open transaction writes on, and refusing another.
 */
import { type CommitProtocol, oneAfterAnother, type RoutingError } from '@unitary/session'
import { severalShards } from '../error.js'

/** Of one run's transactions. */
export class OneShard {
  #written: string | null = null

  /** There is one to commit, and others that were read. */
  readonly protocol: CommitProtocol = {
    ...oneAfterAnother,
    ended: () => {
      this.#written = null
    },
  }

  /** What is to be written on these shards: why it is not, or null. */
  refuse(operation: string, tokens: Iterable<string>): RoutingError | null {
    const written = new Set(this.#written === null ? tokens : [this.#written, ...tokens])
    if (written.size > 1) return severalShards(operation, [...written])
    for (const token of written) this.#written = token
    return null
  }
}
