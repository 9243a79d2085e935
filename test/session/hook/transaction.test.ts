import * as Session from '@unitary/session'
import { describe, expect, test } from 'vitest'
import { openOn } from '../app.js'
import { blog } from './blog.js'

const { defineHooks, keep } = Session

const ended = Session.info<ReadonlyArray<string>>('ended', [])

/** What was ended, as far as the state remembers. */
const noting = defineHooks(blog)(
  {},
  {
    afterCommit: ({ frame }) => keep(ended.update((all) => [...all, `commit of the ${frame}`])),
    afterRollback: ({ frame }) => keep(ended.update((all) => [...all, `rollback of the ${frame}`])),
  },
)

const entry = Session.add(blog.Entry, { action: 'a' })

const noted = (app: ReturnType<typeof openOn>): ReadonlyArray<string> => app.run(Session.gets(ended.get))

describe('hooks at the end of a transaction', () => {
  test('are told of commits and rollbacks, of transactions and of savepoints', () => {
    const app = openOn(blog, { hooks: noting })
    app.run(entry)
    app.run(Session.commit)
    expect(noted(app)).toEqual(['commit of the transaction'])
    app.run(entry)
    app.run(Session.beginNested)
    app.run(Session.commitNested)
    app.run(Session.beginNested)
    app.run(Session.rollbackNested)
    expect(noted(app)).toEqual(['commit of the transaction', 'commit of the savepoint', 'rollback of the savepoint'])
    // and what they noted in the transaction goes with it
    app.run(Session.rollback)
    expect(noted(app)).toEqual(['commit of the transaction', 'rollback of the transaction'])
  })

  test('are not told of a rollback of nothing', () => {
    const app = openOn(blog, { hooks: noting })
    app.run(Session.rollback)
    expect(noted(app)).toEqual([])
  })

  test('are told of the program’s own rollback, not of the one that a failed flush does', () => {
    const app = openOn(blog, { hooks: noting })
    app.run(Session.add(blog.Entry, { id: 1, action: 'a' }))
    app.run(Session.add(blog.Entry, { id: 1, action: 'b' }))
    app.fails(Session.flush)
    expect(noted(app)).toEqual([])
    app.run(Session.rollback)
    expect(noted(app)).toEqual(['rollback of the transaction'])
  })

  test('are not told of a commit that fails', () => {
    const app = openOn(blog, { hooks: noting })
    app.run(Session.add(blog.Entry, { id: 1, action: 'a' }))
    app.run(Session.add(blog.Entry, { id: 1, action: 'b' }))
    app.fails(Session.commit)
    expect(noted(app)).toEqual([])
  })

  test('see the state after it, and leave no transaction open that they do not need', () => {
    const seen: unknown[] = []
    const hooks = defineHooks(blog)(
      {},
      {
        afterCommit: ({ state }) => {
          seen.push([state.frames, Session.inspectAll(state).map(({ attributes }) => attributes)])
          return keep(ended.update((all) => all))
        },
      },
    )
    const app = openOn(blog, { hooks: Session.combineHooks(hooks, noting) })
    app.run(entry)
    app.run(Session.commit)
    expect(seen).toEqual([[null, [{}]]])
    expect(app.store.getState().frames).toBeNull()
    app.run(Session.begin)
  })

  test('start the next transaction with what they ask for', () => {
    const hooks = defineHooks(blog)(
      {},
      {
        afterRollback: ({ frame }) => keep(Session.attempt(Session.add(blog.Entry, { action: `${frame} failed` }))),
      },
    )
    const app = openOn(blog, { hooks })
    const failing = Session.transact(Session.chain(() => Session.fail('no' as const))(entry))
    expect(app.fails(failing)).toBe('no')
    app.run(Session.commit)
    expect(app.rows('entries')).toMatchObject([{ action: 'transaction failed' }])
    expect(app.store.getState().hookDepth).toBe(0)
  })

  test('what they began is rolled back to where no hook was at work', () => {
    const hooks = defineHooks(blog)(
      {},
      { afterCommit: () => keep(Session.attempt(Session.make(blog.Entry, { action: 'next' }))) },
    )
    const app = openOn(blog, { hooks })
    app.run(entry)
    app.run(Session.commit)
    app.run(Session.rollback)
    expect(app.store.getState().hookDepth).toBe(0)
    app.run(entry)
    app.run(Session.commit)
    expect(app.rows('entries')).toHaveLength(2)
  })

  test('are not asked by close', () => {
    const app = openOn(blog, { hooks: noting })
    app.run(entry)
    app.run(Session.close)
    expect(noted(app)).toEqual([])
  })

  test('a run that ends without commit tells nobody', () => {
    let asked = 0
    const hooks = defineHooks(blog)(
      {},
      {
        afterRollback: () => {
          asked++
          return keep()
        },
      },
    )
    const app = openOn(blog, { hooks })
    Session.runSync(app.runtime)(entry)
    expect(asked).toBe(0)
  })
})
