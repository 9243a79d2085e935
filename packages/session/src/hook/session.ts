/**
 * Hooks of the whole session, as programs: each is asked about the state that the one before it left.
 */
import type { Services } from '@unitary/core'
import { isLeft, right } from 'fp-ts/lib/Either.js'
import type { HookError, HookLoop } from '../error.js'
import type { Flushed } from '../flushed/applied.js'
import { of, type Program, suspend, transition } from '../program/program.js'
import type { Frame, SessionState } from '../state/session-state.js'
import type { Transition } from '../transition/transition.js'
import type { FlushPlan } from '../unit-of-work/step.js'
import { type Hook, hooksOnSession } from './hooks.js'
import { consult, type Due, loop, type Origin, perform, withServices } from './react.js'

type Event = 'beforeFlush' | 'afterFlush' | 'afterCommit' | 'afterRollback'

const originOf = (hook: Event): Origin => ({ hook, entity: null, attribute: null })

const asked =
  (
    hooks: ReadonlyArray<Hook>,
    origin: Origin,
    context: Readonly<Record<string, unknown>>,
    services: Services,
  ): Transition<HookError, undefined> =>
  (state) => {
    let current = state
    for (const hook of hooks) {
      const before = current
      const due: Due[] = []
      const answer = consult([hook], origin, null, () => ({ ...context, state: before, services }), due)
      if (isLeft(answer)) return answer
      const next = perform(before, due, services)
      if (isLeft(next)) return next
      current = next.right
    }
    return right([undefined, current])
  }

const ask = (event: Event, context: Readonly<Record<string, unknown>>): Program<HookError, undefined> =>
  suspend((state): Program<HookError, undefined> => {
    const hooks = hooksOnSession(state.hooks, event)
    return hooks.length === 0
      ? of(undefined)
      : withServices((services) => transition(asked(hooks, originOf(event), context, services)))
  })

/** What hooks add to a flush before it is planned. @category transactions */
export const beforeFlush: Program<HookError, undefined> = ask('beforeFlush', {})

/** Are hooks asked before a flush is planned? @category guards */
export const changesFlush = (state: SessionState): boolean => hooksOnSession(state.hooks, 'beforeFlush').length > 0

/** What hooks add once a flush is written. @category transactions */
export const afterFlush = (plan: FlushPlan, flushed: Flushed): Program<HookError, undefined> =>
  ask('afterFlush', { plan, flushed })

/** What hooks make of a commit: it is done, and they cannot refuse it. @category transactions */
export const afterCommit = (frame: Frame['kind']): Program<never, undefined> => unfailing(ask('afterCommit', { frame }))

/** The same of a rollback. @category transactions */
export const afterRollback = (frame: Frame['kind']): Program<never, undefined> =>
  unfailing(ask('afterRollback', { frame }))

/** By their types these hooks ask for nothing that can fail: only a defect of theirs does. */
const unfailing = (program: Program<HookError, undefined>): Program<never, undefined> =>
  program as unknown as Program<never, undefined>

/** Hooks left work after every flush of a commit. @category constructors */
export const endlessFlushes = (flushes: number): HookLoop => loop(originOf('afterFlush'), flushes)
