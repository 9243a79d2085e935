/**
 * Ids from a counter: a row on one shard that says which id is next, for rows on all of them.
 */
import { select, set, update, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import type { Journal } from './journal.js'
import { model } from './model.js'
import { number } from './print.js'

/**
 * Takes a block of `amount` ids and gives the first of them. To be run in a session of its own: it commits, so that the
 * counter is locked no longer than that takes. The update comes first, so that two who ask at once get different blocks.
 */
export const takeIds = (
  { measured }: Journal,
  name: string,
  amount: number,
): Session.Program<Session.SessionError, number> =>
  pipe(
    Session.gen(function* () {
      const met = yield* pipe(
        update(model.Counter),
        set((eb) => ({ next: eb('next', '+', amount) })),
        where('name', '=', name),
        Session.execute(),
      )
      if (met === 0) yield* Session.add(model.Counter, { name, next: 1 + amount })
      const { next } = yield* pipe(select(model.Counter), where('name', '=', name), Session.one)
      yield* Session.commit
      return next - amount
    }),
    measured(`take ids of ${name}`, (first) => `${number(first)} to ${number(first + amount - 1)}`),
  )
