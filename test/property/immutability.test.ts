import * as Session from '@unitary/session'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { model, open } from '../session/app.js'
import { action, attempt, noRefs } from './actions.js'
import { deepFreeze } from './deep-freeze.js'

test('no step changes the state that it is given, nor one before it', () => {
  fc.assert(
    fc.property(fc.array(deepFreezable(action), { maxLength: 40, size: 'max' }), (actions) => {
      const app = open()
      const refs = noRefs()
      const held: Array<readonly [Session.SessionState, ReadonlyArray<Session.Inspected>]> = []
      for (const one of actions) {
        const state = deepFreeze(app.store.getState())
        held.push([state, Session.inspectAll(state)])
        app.run(attempt(refs, one))
      }
      for (const [state, seen] of held.slice(-5)) expect(Session.inspectAll(state)).toEqual(seen)
    }),
    { numRuns: 150 },
  )
})

test('drafts and patches are not changed', () => {
  const app = open()
  const shared = { name: 'ed', posts: [{ title: 'p', comments: [{ body: 'x' }] }] }
  const drafts = deepFreeze([
    { email: 'a', user: shared },
    { email: 'b', user: shared },
  ])
  const [a] = app.run(Session.addAll(model.Address, drafts))
  app.run(Session.set(model.Address, deepFreeze({ email: 'c', user: { name: 'wendy' } }))(a as never))
  app.run(Session.commit)
  expect(app.rows('users')).toHaveLength(2)
})

test('plans and their results are not changed by applying them', () => {
  const app = open()
  app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
  const state = deepFreeze(app.store.getState())
  const plan = deepFreeze(Session.plan(state))
  app.run(Session.flush)
  expect(Session.plan(state)).toEqual(plan)
})

test('a program is data that runs do not change', () => {
  const program = deepFreeze(
    Session.chain(() => Session.flush)(
      Session.traverseArray((name: string) => Session.add(model.User, { name }))(['a', 'b']),
    ),
  )
  const app = open()
  app.run(program)
  app.run(program)
  expect(app.rows('users')).toHaveLength(4)
})

function deepFreezable<A>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<A> {
  return arbitrary.map(deepFreeze)
}
