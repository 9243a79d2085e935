/**
 * Ids that were drawn from generators and not used yet.
 *
 * What a transaction draws is its own until it is committed: a counter that is rolled back gives the same ids again. Then it
 * is for all sessions of the process. No id is given twice; one that was given and not stored is a gap.
 */
import type { Engine } from '@unitary/core'
import type { ShardToken } from '../state/identity-map.js'

/** Ids from one to another, the last not included. */
export interface IdRange {
  readonly from: bigint
  readonly to: bigint
}

type Kept = Map<string, IdRange[]>

/** By engine, since two databases may have generators of the same name. */
const shared = new WeakMap<Engine, Kept>()

interface Own {
  readonly engine: Engine
  readonly kept: Kept
}

/** Takes ids off the ranges, as many as there are up to `count`. */
const takeFrom = (ranges: IdRange[], count: number): IdRange[] => {
  const taken: IdRange[] = []
  let missing = BigInt(count)
  while (missing > 0n) {
    const first = ranges.shift()
    if (first === undefined) break
    const size = first.to - first.from
    const end = size > missing ? first.from + missing : first.to
    if (end < first.to) ranges.unshift({ from: end, to: first.to })
    taken.push({ from: first.from, to: end })
    missing -= end - first.from
  }
  return taken
}

const rangesOf = (kept: Kept, name: string): IdRange[] => {
  const known = kept.get(name)
  if (known !== undefined) return known
  const ranges: IdRange[] = []
  kept.set(name, ranges)
  return ranges
}

/** How many ids ranges have. */
export const sizeOf = (ranges: ReadonlyArray<IdRange>): number =>
  Number(ranges.reduce((sum, { from, to }) => sum + to - from, 0n))

/** What is left of the blocks that one session's transactions have drawn. */
export class Blocks {
  readonly #own = new Map<ShardToken | null, Own>()

  /** Ids of a generator, as many as are left up to `count`: those of the transaction itself first. */
  take(engine: Engine, token: ShardToken | null, name: string, count: number): ReadonlyArray<IdRange> {
    const own = this.#own.get(token)?.kept.get(name)
    const taken = own === undefined ? [] : takeFrom(own, count)
    const others = shared.get(engine)?.get(name)
    return others === undefined ? taken : [...taken, ...takeFrom(others, count - sizeOf(taken))]
  }

  /** Takes ids off what was drawn, and keeps the rest. */
  keep(
    engine: Engine,
    token: ShardToken | null,
    name: string,
    drawn: ReadonlyArray<IdRange>,
    count: number,
  ): ReadonlyArray<IdRange> {
    const ranges = [...drawn]
    const taken = takeFrom(ranges, count)
    if (ranges.length > 0) {
      const own = this.#own.get(token) ?? { engine, kept: new Map() }
      this.#own.set(token, own)
      rangesOf(own.kept, name).push(...ranges)
    }
    return taken
  }

  /** A database is committed: what was drawn from it is for all. */
  committed(token: ShardToken | null): void {
    const own = this.#own.get(token)
    if (own === undefined) return
    this.#own.delete(token)
    const all = shared.get(own.engine) ?? new Map<string, IdRange[]>()
    shared.set(own.engine, all)
    for (const [name, ranges] of own.kept) rangesOf(all, name).push(...ranges)
  }

  /** Something was rolled back, and maybe what was drawn with it. */
  forget(): void {
    this.#own.clear()
  }
}
