import { select } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { model, open } from '../app.js'

const users = Session.query(select(model.User))

describe('without autoflush', () => {
  test('a query does not see what is pending, and one after it does', () => {
    const app = open()
    const found = app.run(
      Session.gen(function* () {
        yield* Session.add(model.User, { name: 'ed' } as never)
        const before = yield* Session.noAutoflush(users)
        const after = yield* users
        return [before.length, after.length]
      }),
    )
    expect(found).toEqual([0, 1])
  })

  test('a program that changes nothing leaves the very same state', () => {
    const app = open()
    const state = app.store.getState()
    app.run(Session.noAutoflush(users))
    expect(app.store.getState()).toBe(state)
  })

  test('a rollback afterwards returns to the options before', () => {
    const app = open()
    app.run(Session.noAutoflush(Session.add(model.User, { name: 'ed' } as never)))
    app.run(Session.rollback)
    expect(app.store.getState().options.autoflush).toBe(true)
  })

  test('a failure leaves the options as they were', () => {
    const app = open()
    app.run(pipe(Session.noAutoflush(Session.fail('no')), Session.attempt))
    expect(app.store.getState().options.autoflush).toBe(true)
  })
})
