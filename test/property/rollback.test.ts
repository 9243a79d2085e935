import * as Session from '@unitary/session'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type App, open } from '../session/app.js'
import { type Action, action, attempt, dump, noRefs, type Refs, work } from './actions.js'

const before = fc.array(action, { maxLength: 20, size: 'max' })
const within = fc.array(work, { maxLength: 20, size: 'max' })

const performAll = (app: App, refs: Refs, actions: ReadonlyArray<Action>): void => {
  for (const one of actions) app.run(attempt(refs, one))
}

/** What a state knows, without what was made or loaded after another. */
const knownSince = (state: Session.SessionState, earlier: Session.SessionState) =>
  Session.inspectAll(state).filter(({ id }) => id >= earlier.nextInstance)

/** A rolled back state is the one before, with what was made or loaded meanwhile beside it. */
const isReturnTo = (state: Session.SessionState, earlier: Session.SessionState): void => {
  if (state.nextInstance === earlier.nextInstance) {
    expect(state).toBe(earlier)
    return
  }
  expect(Session.inspectAll(state).slice(0, Session.inspectAll(earlier).length)).toEqual(Session.inspectAll(earlier))
  for (const { status, attributes } of knownSince(state, earlier)) {
    if (status === 'persistent') expect(attributes).toEqual({})
    else expect(['transient', 'detached']).toContain(status)
  }
  for (const name of ['added', 'changed', 'deleted', 'gone', 'frames', 'failure', 'epoch', 'options'] as const) {
    expect(state[name]).toEqual(earlier[name])
  }
}

/** Every row is known once, under its own key. */
const isConsistent = (state: Session.SessionState): void => {
  const persistent = Session.inspectAll(state).filter(({ status }) => status === 'persistent')
  const identities = persistent.map(({ identity }) => JSON.stringify(identity))
  expect(new Set(identities).size).toBe(identities.length)
}

test('a savepoint that is rolled back leaves the state and the database as they were', () => {
  fc.assert(
    fc.property(before, within, (earlier, actions) => {
      const app = open()
      const refs = noRefs()
      performAll(app, refs, earlier)
      // begins with a flush, which may fail for what came before
      const begun = app.run(Session.attempt(Session.beginNested))
      if (begun._tag === 'Left') return
      const state = app.store.getState()
      const kept = (state.frames as NonNullable<typeof state.frames>).before
      const rows = dump(app.rows)
      for (const one of actions) {
        app.run(Session.attempt(Session.suspend(() => attempt(refs, one))))
        // a failed flush has ended the savepoint already
        if (app.store.getState().frames !== state.frames) break
      }
      if (app.store.getState().frames === state.frames) app.run(Session.rollbackNested)
      isReturnTo(app.store.getState(), kept)
      isConsistent(app.store.getState())
      expect(dump(app.rows)).toEqual(rows)
      app.run(Session.attempt(Session.commit))
    }),
    { numRuns: 200 },
  )
})

test('a transaction that is rolled back leaves the state and the database as they were', () => {
  fc.assert(
    fc.property(before, fc.array(action, { maxLength: 20, size: 'max' }), (earlier, actions) => {
      const app = open()
      const refs = noRefs()
      performAll(app, refs, earlier)
      if (app.run(Session.attempt(Session.commit))._tag === 'Left') return
      const state = app.store.getState()
      const rows = dump(app.rows)
      for (const one of actions) if (one._tag !== 'commit') app.run(attempt(refs, one))
      app.run(Session.rollback)
      isReturnTo(app.store.getState(), state)
      isConsistent(app.store.getState())
      expect(dump(app.rows)).toEqual(rows)
      expect(app.database.inTransaction).toBe(false)
    }),
    { numRuns: 200 },
  )
})

test('what a session knows after a rollback is what the database holds', () => {
  fc.assert(
    fc.property(before, (actions) => {
      const app = open()
      const refs = noRefs()
      performAll(app, refs, actions)
      app.run(Session.rollback)
      const ids = new Set(app.rows('users').map((row) => (row as { id: number }).id))
      for (const user of refs.users) {
        const known = Session.inspect(app.store.getState(), user)
        if (known?.status === 'persistent') expect(ids).toContain(known.identity?.key)
      }
    }),
    { numRuns: 100 },
  )
})
