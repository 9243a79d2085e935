/**
 * The moment at which work is waited for no longer.
 *
 * An `AbortSignal` would do, but for its cost and its warnings where many listen: each call of each shard does.
 */
export class Cutoff {
  readonly #listeners = new Set<() => void>()
  #isReached = false

  get isReached(): boolean {
    return this.#isReached
  }

  /** It is now. */
  reach(): void {
    if (this.#isReached) return
    this.#isReached = true
    const listeners = [...this.#listeners]
    this.#listeners.clear()
    for (const listener of listeners) listener()
  }

  /** Calls the listener when it comes, or at once where it has come; ends that by what it returns. */
  onReached(listener: () => void): () => void {
    if (this.#isReached) listener()
    else this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
