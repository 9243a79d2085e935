/**
 * In which order shards are asked while rows move between them. Pure.
 *
 * A row that moves is on both shards for a moment, and never on none. Who asks the shard that it leaves before the one that it
 * comes to sees it once or twice; who asks them the other way round, or at the same time, may see it on neither. So shards are
 * asked in waves: each before those to which its rows go. Where rows go in circles there is no such order, and all of the circle
 * are asked twice: the first round comes before the second, and a row moves once.
 */

/** From where to where rows move, by tokens. */
export type Directions = ReadonlyArray<readonly [from: string, to: string]>

/** @category model */
export interface Waves {
  /** Each shard once; those of one wave may be asked side by side. */
  readonly first: ReadonlyArray<ReadonlyArray<string>>
  /** Shards that have to be asked again after all of them. */
  readonly again: ReadonlyArray<string>
}

/** Shards between which rows move. */
export class Moving {
  readonly #targets = new Map<string, Set<string>>()
  readonly #known = new Map<string, Waves>()

  constructor(directions: Directions) {
    for (const [from, to] of directions) {
      const targets = this.#targets.get(from) ?? new Set()
      this.#targets.set(from, targets.add(to))
    }
  }

  /** The waves in which some shards are asked. */
  waves(tokens: ReadonlyArray<string>): Waves {
    const key = JSON.stringify(tokens)
    const known = this.#known.get(key) ?? this.#order(tokens)
    this.#known.set(key, known)
    return known
  }

  /** A shard, and those to which its rows may have moved since. */
  from(token: string): ReadonlyArray<string> {
    return [token, ...(this.#targets.get(token) ?? [])]
  }

  /** The shards from which rows may come to one. */
  sources(token: string): ReadonlyArray<string> {
    return [...this.#targets].flatMap(([from, targets]) => (targets.has(token) ? [from] : []))
  }

  /** Topological layers (Kahn); what is left over lies on circles, or behind them. */
  #order(tokens: ReadonlyArray<string>): Waves {
    const left = new Set(tokens)
    const first: string[][] = []
    while (left.size > 0) {
      const reached = new Set([...left].flatMap((token) => [...(this.#targets.get(token) ?? [])]))
      const wave = [...left].filter((token) => !reached.has(token))
      if (wave.length === 0) return { first: [...first, [...left]], again: [...left] }
      first.push(wave)
      for (const token of wave) left.delete(token)
    }
    return { first, again: [] }
  }
}
