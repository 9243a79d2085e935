/**
 * What a hook answers: keep what is given, take another value instead, or refuse; and the changes that are to follow.
 */
import type {
  HookError,
  InvalidState,
  InvalidValue,
  ModelMismatch,
  NotInSession,
  NotLoaded,
  SingleParent,
} from '../error.js'
import type { Program } from '../program/program.js'

/**
 * What a change may fail with that a hook asks for: what programs fail with that ask nothing of a database.
 *
 * @category errors
 */
export type FurtherError =
  | ModelMismatch
  | NotInSession
  | InvalidValue
  | InvalidState
  | SingleParent
  | NotLoaded
  | HookError

/**
 * A change that a hook asks for: a program that asks no database, such as `set`, `append`, `add`, `expire` or any
 * `transition`.
 *
 * @category model
 */
export type Further<E = FurtherError> = Program<E, unknown>

/** What was given is kept. @category model */
export interface Kept<out E = FurtherError> {
  readonly _tag: 'Kept'
  readonly further: ReadonlyArray<Further<E>>
}

/** Another value takes its place. @category model */
export interface Accepted<out A, out E = FurtherError> {
  readonly _tag: 'Accepted'
  readonly value: A
  readonly further: ReadonlyArray<Further<E>>
}

/** It is not to be. @category model */
export interface Refused {
  readonly _tag: 'Refused'
  readonly reason: string
  readonly detail: unknown
}

/** The answer of a hook that cannot change a value. @category model */
export type Reaction = Kept | Refused

/** The answer of a hook that can. @category model */
export type Verdict<A> = Kept | Accepted<A> | Refused

type ErrorOf<P> = P extends Program<infer E, unknown> ? E : never

/**
 * Keeps what is given. The programs are run right after the change, in their order.
 *
 * @example
 * set: { title: ({ instance, services }) => keep(Session.set(model.Post, { edited: services.now })(instance)) }
 *
 * @category constructors
 */
export const keep = <P extends ReadonlyArray<Further<unknown>>>(...further: P): Kept<ErrorOf<P[number]>> => ({
  _tag: 'Kept',
  further: further as ReadonlyArray<Further<ErrorOf<P[number]>>>,
})

/**
 * Takes a value in the place of the one given. The programs are run right after the change, in their order.
 *
 * @example
 * set: { email: ({ value }) => accept(value.toLowerCase()) }
 *
 * @category constructors
 */
export const accept = <A, P extends ReadonlyArray<Further<unknown>>>(
  value: A,
  ...further: P
): Accepted<A, ErrorOf<P[number]>> => ({
  _tag: 'Accepted',
  value,
  further: further as ReadonlyArray<Further<ErrorOf<P[number]>>>,
})

/**
 * Refuses: what was to happen does not, and fails with `HookRefused`. The reason completes a sentence; `detail` is for
 * whoever handles the error.
 *
 * @example
 * set: { email: ({ value }) => (value.includes('@') ? keep() : refuse('an email has an @')) }
 *
 * @category constructors
 */
export const refuse = (reason: string, detail?: unknown): Refused => ({ _tag: 'Refused', reason, detail })
