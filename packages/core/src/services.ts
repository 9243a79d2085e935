/**
 * What a program may know about the world besides its data: the clock, chance, fresh ids.
 *
 * Client-side defaults and generators take them from here and never from ambient globals, so that a run can be
 * repeated exactly. The runner supplies them; tests supply fixed ones.
 */

/**
 * Supplied by the runner, one value for each program step that asks for it. Applications add their own services by
 * declaration merging (`declare module '@unitary/core' { interface Services { readonly tenant: string } }`).
 *
 * @category model
 */
export interface Services {
  /** The instant at which the step runs. */
  readonly now: Date
  /** A number in [0, 1). */
  readonly random: () => number
  /** A fresh UUID in its canonical text form. */
  readonly uuid: () => string
  /**
   * A value that follows from the one before it: what `next` is given is what it gave the last time for that name, and null
   * the first time. For generators whose ids are in order. `remembering` of the session package makes it.
   */
  readonly remember: <Last, A>(name: string, next: (last: Last | null) => readonly [value: A, last: Last]) => A
}
