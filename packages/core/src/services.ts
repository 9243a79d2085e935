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
}
