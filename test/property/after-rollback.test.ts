/**
 * A rollback restores what the session has in memory: what follows it is what would have followed without what it undid.
 */
import { select, set, update, where } from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import { type App, model, open } from '../session/app.js'
import { type Action, action, attempt, dump, noRefs, type Refs, work } from './actions.js'

const word = fc.constantFrom('a', 'b', 'c', 'd')
const at = fc.nat(20)

/** Work that leaves or enters the session by other ways, too. */
type Work =
  | Action
  | { readonly _tag: 'expunge' | 'makeTransient'; readonly user: number }
  | { readonly _tag: 'expungeAll' }
  | {
      readonly _tag: 'merge'
      readonly id: number
      readonly name: string
      readonly emails: ReadonlyArray<string> | null
    }
  | { readonly _tag: 'execute'; readonly from: string; readonly to: string }
  | { readonly _tag: 'nested'; readonly all: ReadonlyArray<Action>; readonly fails: boolean }

const more: fc.Arbitrary<Work> = fc.oneof(
  { weight: 8, arbitrary: work as fc.Arbitrary<Work> },
  fc.record({ _tag: fc.constantFrom('expunge' as const, 'makeTransient' as const), user: at }),
  fc.record({ _tag: fc.constant('expungeAll' as const) }),
  fc.record({
    _tag: fc.constant('merge' as const),
    id: fc.integer({ min: 1, max: 4 }),
    name: word,
    emails: fc.option(fc.uniqueArray(word, { maxLength: 2 })),
  }),
  fc.record({ _tag: fc.constant('execute' as const), from: word, to: word }),
  fc.record({ _tag: fc.constant('nested' as const), all: fc.array(work, { maxLength: 5 }), fails: fc.boolean() }),
)

const tryOne = (refs: Refs, one: Work): Session.Program<never, unknown> => {
  switch (one._tag) {
    case 'expunge':
    case 'makeTransient': {
      const user = refs.users[one.user % refs.users.length]
      const leave = one._tag === 'expunge' ? Session.expunge : Session.makeTransient
      return user === undefined ? Session.of(null) : Session.attempt(leave(model.User)(user))
    }
    case 'expungeAll':
      return Session.expungeAll
    case 'merge': {
      const { emails, id, name } = one
      const addresses = emails === null ? {} : { addresses: emails.map((email) => ({ email })) }
      return Session.attempt(Session.merge(model.User, { id, name, ...addresses }))
    }
    case 'execute':
      return Session.attempt(
        pipe(update(model.User), set({ name: one.to }), where('name', '=', one.from), Session.execute()),
      )
    case 'nested': {
      const all = Session.traverseArray((each: Action) => attempt(refs, each))(one.all)
      const end = one.fails ? Session.fail('no') : Session.of(null)
      return Session.attempt(Session.nested(Session.chain(() => end)(all)))
    }
    default:
      return attempt(refs, one)
  }
}

const before = fc.array(action, { maxLength: 15, size: 'max' })
// what it undoes ends nothing that was begun before it
const undone = fc.array(more, { minLength: 1, maxLength: 15, size: 'max' })
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
const perform = (app: App, refs: Refs, actions: ReadonlyArray<Work>): ReadonlyArray<string> =>
  actions.map((one) => {
    const outcome = shown(app.run(tryOne(refs, one)))
    return `${one._tag} ${outcome} ${JSON.stringify(dump(app.rows))}`
  })

const shown = (outcome: unknown): string => (JSON.stringify(outcome) ?? '').replaceAll(/#\d+/g, '#')

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
              if (app.store.getState().frames === frames) app.run(tryOne(refs, one))
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
          expect(known.identity).toBeNull()
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
