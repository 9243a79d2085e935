/**
 * A rollback restores what the session has in memory: what follows it is what would have followed without what it undid.
 */
import { select } from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type App, model, open } from '../session/app.js'
import { type Action, action, attempt, dump, noRefs, type Refs, work } from './actions.js'

const before = fc.array(action, { maxLength: 15, size: 'max' })
// what it undoes ends nothing that was begun before it
const undone = fc.array(work, { minLength: 1, maxLength: 15, size: 'max' })
const after = fc.array(action, { maxLength: 15, size: 'max' })

const timeout = 120_000

const copied = (refs: Refs): Refs => ({
  users: [...refs.users],
  addresses: [...refs.addresses],
  posts: [...refs.posts],
  nodes: [...refs.nodes],
})

/** Everything that there is, known: what a rollback leaves loaded makes no difference then. */
const knowAll = Session.all<unknown, unknown>([
  Session.query(select(model.User)),
  Session.query(select(model.Address)),
  Session.query(select(model.Post)),
  Session.query(select(model.Node)),
])

/** What each action gives and what it leaves, without the numbers of instances, of which a rollback gives none back. */
const perform = (app: App, refs: Refs, actions: ReadonlyArray<Action>): ReadonlyArray<string> =>
  actions.map((one) => {
    const outcome = shown(app.run(attempt(refs, one)))
    return `${one._tag} ${outcome} ${JSON.stringify(dump(app.rows))}`
  })

const shown = (outcome: unknown): string => JSON.stringify(outcome).replaceAll(/#\d+/g, '#')

const finish = (app: App) => [
  shown(app.run(Session.attempt(Session.commit))),
  dump(app.rows),
  app.database.inTransaction,
]

test(
  'what follows the rollback of a transaction is what follows without it',
  () => {
    fc.assert(
      fc.property(before, undone, after, (earlier, lost, later) => {
        const run = (isTried: boolean) => {
          const app = open()
          const refs = noRefs()
          perform(app, refs, earlier)
          if (app.run(Session.attempt(Session.commit))._tag === 'Left') app.run(Session.rollback)
          const kept = copied(refs)
          if (isTried) {
            perform(app, refs, lost)
            app.run(Session.rollback)
          }
          return [perform(app, kept, later), finish(app)]
        }
        expect(run(true)).toEqual(run(false))
      }),
      { numRuns: 200 },
    )
  },
  timeout,
)

test(
  'what follows the rollback of a savepoint is what follows without it',
  () => {
    fc.assert(
      fc.property(before, undone, after, fc.integer({ min: 1, max: 3 }), (earlier, lost, later, depth) => {
        const run = (isTried: boolean) => {
          const app = open()
          const refs = noRefs()
          perform(app, refs, earlier)
          for (let i = 0; i < depth; i++) app.run(Session.attempt(Session.beginNested))
          if (app.store.getState().failure !== null) app.run(Session.rollback)
          app.run(knowAll)
          app.run(Session.beginNested)
          const { frames } = app.store.getState()
          const kept = copied(refs)
          if (isTried) {
            for (const one of lost) {
              // a flush that fails ends the savepoint
              if (app.store.getState().frames === frames) app.run(attempt(refs, one))
            }
          }
          if (app.store.getState().frames === frames) app.run(Session.rollbackNested)
          return [perform(app, kept, later), finish(app)]
        }
        expect(run(true)).toEqual(run(false))
      }),
      { numRuns: 200 },
    )
  },
  timeout,
)

test(
  'nothing undone is inserted again, until it is added again: then it is inserted once',
  () => {
    fc.assert(
      fc.property(before, undone, (earlier, lost) => {
        const app = open()
        const refs = noRefs()
        perform(app, refs, earlier)
        if (app.run(Session.attempt(Session.commit))._tag === 'Left') app.run(Session.rollback)
        const rows = dump(app.rows)
        const { nextInstance } = app.store.getState()
        perform(app, refs, lost)
        app.run(Session.rollback)
        expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
        expect(dump(app.rows)).toEqual(rows)
        for (const user of refs.users) {
          const state = app.store.getState()
          const known = Session.inspect(state, user)
          if (known?.status !== 'transient' || known.id < nextInstance) continue
          // it has no row, and so nothing that only a row has
          expect(known.identity).toBeNull()
          expect(known.attributes).not.toHaveProperty('id')
          // what it had come to hold may be gone by now
          if (app.run(Session.attempt(Session.add(model.User, user)))._tag === 'Left') continue
          const added = app.store.getState()
          for (const one of Session.walk(added, user)) {
            expect(Session.inspect(added, one)?.status).not.toBe('transient')
          }
          const written = app.run(Session.attempt(Session.commit))
          // and its values may be others'
          if (written._tag === 'Left') app.run(Session.rollback)
          else expect(written.right).toMatchObject({ inserted: added.added.size, deleted: 0, notices: [] })
        }
      }),
      { numRuns: 200 },
    )
  },
  timeout,
)
