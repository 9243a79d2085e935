import type { Attribute } from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { model, open } from '../session/app.js'
import { keeping } from '../session/hook/keeping.js'
import { type Action, action, attempt, dump, noRefs } from './actions.js'
import { deepFreeze } from './deep-freeze.js'

const manyActions = fc.array(action, { maxLength: 40, size: 'max' })

/** What can be seen of a state. Of what has no row yet everything is a change, whether or not it is noted as one. */
const seen = (state: Session.SessionState) => ({
  instances: Session.inspectAll(state).map((one) => (one.identity === null ? { ...one, changed: [] } : one)),
  plan: Session.plan(state),
  failure: state.failure,
  epoch: state.epoch,
  next: [state.nextInstance, state.nextOrder],
})

test('hooks that keep what they are given change nothing', () => {
  fc.assert(
    fc.property(manyActions, (actions) => {
      const [plain, hooked] = [open(), open({ hooks: keeping(model) })]
      const refs = [noRefs(), noRefs()] as const
      for (const one of actions) {
        const result = plain.run(attempt(refs[0], one))
        expect(JSON.stringify(hooked.run(attempt(refs[1], one)))).toBe(JSON.stringify(result))
        expect(seen(hooked.store.getState())).toEqual(seen(plain.store.getState()))
      }
      expect(hooked.asked()).toEqual(plain.asked())
      expect(dump(hooked.rows)).toEqual(dump(plain.rows))
    }),
    { numRuns: 60 },
  )
})

test('nothing that hooks are given can be changed, and nothing of it is changed later', () => {
  fc.assert(
    fc.property(manyActions, (actions) => {
      const held: Array<readonly [Session.SessionState, string]> = []
      const look = (state: Session.SessionState): string => JSON.stringify(Session.inspectAll(state))
      const hooks = keeping(model, (_event, _place, context) => {
        const { state, ...rest } = context
        deepFreeze(state)
        for (const one of Object.values(rest)) if (Array.isArray(one)) deepFreeze(one)
        if (held.length < 50) held.push([state, look(state)])
        const { instance } = context as unknown as Readonly<Record<string, object | undefined>>
        expect(instance === undefined || Object.isFrozen(instance)).toBe(true)
      })
      const app = open({ hooks })
      const refs = noRefs()
      for (const one of actions) app.run(attempt(refs, one))
      for (const [state, before] of held) expect(look(state)).toBe(before)
    }),
    { numRuns: 60 },
  )
})

/** Actions that ask no database. */
const transitions: ReadonlySet<Action['_tag']> = new Set([
  'addUser',
  'makeUser',
  'addMade',
  'addAddress',
  'addNode',
  'rename',
  'setEmail',
  'setUser',
  'setParent',
  'append',
  'appendPost',
  'detach',
  'detachPost',
] as const)

test('where a hook refuses, the state is what it was', () => {
  fc.assert(
    fc.property(manyActions, fc.infiniteStream(fc.boolean()), (actions, refusals) => {
      const deny = () => (refusals.next().value === true ? Session.refuse('not now') : Session.keep())
      const names = (attributes: ReadonlyArray<Pick<Attribute, 'name'>>) =>
        Object.fromEntries(attributes.map(({ name }) => [name, deny]))
      const hooks = Session.defineHooks(model)({
        User: { set: names(model.User.mapping.attributes), append: { addresses: deny, posts: deny } },
        Address: { set: { user: deny }, load: deny },
        Post: { set: { title: deny } },
        Node: { set: { parent: deny }, remove: { children: deny } },
      })
      const app = open({ hooks })
      const refs = noRefs()
      for (const one of actions) {
        const before = app.store.getState()
        const result = app.run(attempt(refs, one)) as {
          readonly _tag: string
          readonly left?: { readonly _tag: string }
        }
        if (result._tag === 'Left' && result.left?._tag === 'HookRefused' && transitions.has(one._tag)) {
          expect(app.store.getState()).toBe(before)
        }
        expect(app.store.getState().hookDepth).toBe(0)
      }
    }),
    { numRuns: 60 },
  )
})

test('both interpreters ask the same hooks the same', async () => {
  await fc.assert(
    fc.asyncProperty(manyActions, async (actions) => {
      const told: readonly [string[], string[]] = [[], []]
      const [waiting, not] = told.map((calls) =>
        open({
          hooks: keeping(model, (event, place, context) => {
            const { instance } = context as unknown as Readonly<Record<string, object | undefined>>
            calls.push(`${event} ${place} ${JSON.stringify(instance)}`)
          }),
        }),
      ) as [ReturnType<typeof open>, ReturnType<typeof open>]
      const program = () =>
        Session.suspend(() => {
          const refs = noRefs()
          return Session.traverseArray((one: (typeof actions)[number]) => attempt(refs, one))(actions)
        })
      await Session.run(waiting.runtime)(program())()
      Session.runSync(not.runtime)(program())
      expect(told[0]).toEqual(told[1])
    }),
    { numRuns: 30 },
  )
})
