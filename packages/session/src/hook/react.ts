/**
 * Asking hooks, and doing what they ask for.
 */
import type { Services } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { HookError, HookEvent, HookLoop, HookRefused } from '../error.js'
import { Machine, type Progress } from '../program/machine.js'
import { ask, chain, type Program } from '../program/program.js'
import { render } from '../render.js'
import type { SessionState } from '../state/session-state.js'
import type { HookContext } from './definition.js'
import type { Hook } from './hooks.js'
import type { Further, FurtherError } from './verdict.js'

/** Which hook it is. */
export interface Origin {
  readonly hook: HookEvent
  readonly entity: string | null
  readonly attribute: string | null
}

/** A change that a hook asked for, and which hook that was. */
export interface Due {
  readonly origin: Origin
  readonly program: Further<unknown>
}

/** How deep changes may follow from changes. */
const deepest = 32

/**
 * Asks hooks one after another, each with the value that the one before it accepted. Gives the last one's, and adds what
 * is to follow to `due`.
 *
 * @category interpreters
 */
export const consult = (
  hooks: ReadonlyArray<Hook>,
  origin: Origin,
  given: unknown,
  contextOf: (value: unknown) => HookContext & Readonly<Record<string, unknown>>,
  due: Due[],
): Either<HookRefused, unknown> => {
  let value = given
  for (const hook of hooks) {
    const verdict = hook(contextOf(value))
    if (verdict._tag === 'Refused') return left(refusal(origin, verdict.reason, verdict.detail))
    if (verdict._tag === 'Accepted') value = verdict.value
    for (const program of verdict.further) due.push({ origin, program })
  }
  return right(value)
}

/** @category constructors */
export const refusal = (
  origin: Origin,
  reason: string,
  detail?: unknown,
  cause: HookRefused['cause'] = null,
): HookRefused => ({ _tag: 'HookRefused', ...origin, reason, detail, cause })

/** @category constructors */
export const loop = (origin: Origin, depth: number): HookLoop => ({ _tag: 'HookLoop', ...origin, depth })

/**
 * Does what hooks asked for, one after another: the state after all of it, or the first failure.
 *
 * @category transitions
 */
export const perform = (
  state: SessionState,
  due: ReadonlyArray<Due>,
  services: Services,
): Either<HookError, SessionState> => {
  let current = state
  for (const one of due) {
    const next = performOne(current, one, services)
    if (isLeft(next)) return next
    current = next.right
  }
  return right(current)
}

const performOne = (
  state: SessionState,
  { origin, program }: Due,
  services: Services,
): Either<HookError, SessionState> => {
  if (state.hookDepth >= deepest) return left(loop(origin, deepest))
  const inside: SessionState = { ...state, hookDepth: state.hookDepth + 1 }
  const machine = new Machine(inside)
  let progress: Progress = machine.start(program as Program<unknown, unknown>)
  while (progress._tag === 'Asking') {
    const { _tag } = progress.request
    if (_tag !== 'Services') {
      machine.abandon()
      return left(refusal(origin, `it may ask for changes of the state only, and not for a ${_tag.toLowerCase()}`))
    }
    progress = machine.answer(right(services))
  }
  const [result, after] = progress.outcome
  if (isLeft(result)) return left(failureOf(origin, result.left as FurtherError))
  return right(after === inside ? state : outside(after, state))
}

/** A transaction that the change began returns to where no hook was at work. */
const outside = (after: SessionState, { frames, hookDepth }: SessionState): SessionState => {
  const begun = after.frames
  return frames !== null || begun === null
    ? { ...after, hookDepth }
    : { ...after, hookDepth, frames: { ...begun, before: { ...begun.before, hookDepth } } }
}

/** Who refused says so itself; whatever else failed did so for the hook. */
const failureOf = (origin: Origin, error: FurtherError): HookError =>
  error._tag === 'HookRefused' || error._tag === 'HookLoop' ? error : refusal(origin, render(error), undefined, error)

/**
 * A program that is given the services of its step. They always answer.
 *
 * @category requests
 */
export const withServices = <E, A>(f: (services: Services) => Program<E, A>): Program<E, A> =>
  chain(f)(ask({ _tag: 'Services' })) as Program<E, A>
