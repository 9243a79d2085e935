import * as Session from '@unitary/session'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { open } from '../session/app.js'
import { type Action, action, attempt, dump, noRefs } from './actions.js'

/** All actions, one after another, with what each gave: as plain data. */
const programOf = (actions: ReadonlyArray<Action>): Session.Program<never, string> =>
  Session.suspend(() => {
    const refs = noRefs()
    return Session.map((results: ReadonlyArray<unknown>) => JSON.stringify(results))(
      Session.traverseArray((one: Action) => attempt(refs, one))(actions),
    )
  })

const manyActions = fc.array(action, { maxLength: 40, size: 'max' })

test('run and runSync agree on the results, the state and the database', async () => {
  await fc.assert(
    fc.asyncProperty(manyActions, async (actions) => {
      const waiting = open()
      const not = open()
      const program = programOf(actions)
      const [result, state] = await Session.runState(waiting.runtime)(program)()
      const [resultSync, stateSync] = Session.runStateSync(not.runtime)(program)
      expect(result).toEqual(resultSync)
      expect({ ...state, model: null }).toEqual({ ...stateSync, model: null })
      expect(waiting.asked()).toEqual(not.asked())
      expect(dump(waiting.rows)).toEqual(dump(not.rows))
    }),
    { numRuns: 60 },
  )
})

test('a store that waits, one that does not, and one run agree', async () => {
  await fc.assert(
    fc.asyncProperty(manyActions, async (actions) => {
      const waiting = open()
      const not = open()
      const whole = open()
      const refs = [noRefs(), noRefs()] as const
      for (const one of actions) {
        const result = await waiting.store.run(attempt(refs[0], one))()
        expect(JSON.stringify(not.store.runSync(attempt(refs[1], one)))).toBe(JSON.stringify(result))
      }
      const [, state] = Session.runStateSync(whole.runtime)(programOf(actions))
      expect(Session.inspectAll(waiting.store.getState())).toEqual(Session.inspectAll(state))
      expect(Session.inspectAll(not.store.getState())).toEqual(Session.inspectAll(state))
      await waiting.store.close()
      not.store.closeSync()
      expect(dump(waiting.rows)).toEqual(dump(whole.rows))
      expect(dump(not.rows)).toEqual(dump(whole.rows))
    }),
    { numRuns: 40 },
  )
})

test('the same program does the same each time', () => {
  fc.assert(
    fc.property(manyActions, (actions) => {
      const [a, b] = [open(), open()]
      const program = programOf(actions)
      expect(Session.runSync(a.runtime)(program)).toEqual(Session.runSync(b.runtime)(program))
      expect(a.asked()).toEqual(b.asked())
    }),
    { numRuns: 40 },
  )
})
