/**
 * The order of hooks, row by row of the table in `hook/hooks.ts`.
 */
import { deleteFrom, select } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { model, open } from '../app.js'
import { keeping } from './keeping.js'

const ordered = () => {
  const called: string[] = []
  const app = open({
    hooks: keeping(model, (event, place, context) => {
      const { follows } = context as { readonly follows?: boolean }
      called.push(`${event}${place === '' ? '' : ` ${place}`}${follows === true ? ' (follows)' : ''}`)
    }),
  })
  /** What is called, and which statements run, in one order. */
  const order = (program: Session.Program<unknown, unknown>): ReadonlyArray<string> => {
    called.length = 0
    app.clear()
    app.run(program)
    return called.slice()
  }
  return { ...app, order }
}

describe('hooks are asked in this order', () => {
  test('set: attributes, references, and after each reference its other sides', () => {
    const app = ordered()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    const address = app.run(Session.add(model.Address, { email: 'a', user: ed }))
    expect(app.order(Session.set(model.Address, { user: wendy, isPrimary: true, email: 'b' })(address))).toEqual([
      'set Address.email',
      'set Address.isPrimary',
      'set Address.user',
      'remove User.addresses (follows)',
      'append User.addresses (follows)',
    ])
  })

  test('append: the collection, the member, the collection that it leaves', () => {
    const app = ordered()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }, { email: 'b' }] }))
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    const addresses = app.run(Session.load(model.User, 'addresses')(ed))
    expect(app.order(Session.append(model.User, 'addresses', ...addresses)(wendy))).toEqual([
      'append User.addresses',
      'set Address.user (follows)',
      'remove User.addresses (follows)',
      'append User.addresses',
      'set Address.user (follows)',
      'remove User.addresses (follows)',
    ])
  })

  test('detach: the collection, the member', () => {
    const app = ordered()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    const [address] = app.run(Session.load(model.User, 'addresses')(ed))
    if (address === undefined) throw new Error('no address')
    expect(app.order(Session.detach(model.User, 'addresses', address)(ed))).toEqual([
      'remove User.addresses',
      'set Address.user (follows)',
    ])
  })

  test('replace: the whole, what is new, what goes; drafts before all', () => {
    const app = ordered()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    expect(app.order(Session.replace(model.User, 'addresses', [{ email: 'b' }])(ed))).toEqual([
      'set Address.email',
      'replace User.addresses',
      'append User.addresses',
      'set Address.user (follows)',
      'remove User.addresses',
      'set Address.user (follows)',
    ])
  })

  test('add: nested drafts first, then attributes and relationships as they are declared', () => {
    const app = ordered()
    const draft = { posts: [{ comments: [{ body: 'x' }], title: 'p' }], addresses: [{ email: 'a' }], name: 'ed' }
    expect(app.order(Session.add(model.User, draft))).toEqual([
      'set Address.email',
      'set Comment.body',
      'set Post.title',
      'replace Post.comments',
      'append Post.comments',
      'set User.name',
      'replace User.addresses',
      'append User.addresses',
      'set Address.user (follows)',
      'replace User.posts',
      'append User.posts',
      'set Post.author (follows)',
    ])
  })

  test('merge: as with set and replace', () => {
    const app = ordered()
    app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    app.run(Session.flush)
    const graph = { id: 1, name: 'ed', addresses: [{ email: 'b' }] }
    expect(app.order(Session.merge(model.User, graph))).toEqual([
      'set User.id',
      'set User.name',
      'set Address.email',
      'replace User.addresses',
      'append User.addresses',
      'set Address.user (follows)',
      'remove User.addresses',
      'set Address.user (follows)',
    ])
  })

  test('a query: the statement, the autoflush, the rows', () => {
    const app = ordered()
    app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.add(model.Node, { label: 'n' }))
    const order = app.order(Session.query(select(model.User)))
    expect(order).toEqual(['beforeExecute User', 'beforeExecute', 'beforeFlush', 'afterFlush', 'load User'])
    expect(app.asked().map((call) => call.split(' ')[0])).toEqual(['Begin', 'Insert', 'select'])
  })

  test('a get and a load: the same', () => {
    const app = ordered()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    app.run(Session.commit)
    app.run(Session.expunge(model.User)(ed))
    expect(app.order(Session.get(model.User, 1))).toEqual(['beforeExecute User', 'beforeExecute', 'load User'])
    const [user] = app.run(Session.query(select(model.User)))
    if (user === undefined) throw new Error('no user')
    expect(app.order(Session.load(model.User, 'addresses')(user))).toEqual([
      'beforeExecute Address',
      'beforeExecute',
      'load Address',
    ])
  })

  test('a bulk statement: the statement, the autoflush', () => {
    const app = ordered()
    app.run(Session.add(model.User, { name: 'ed' }))
    expect(app.order(pipe(deleteFrom(model.Node), Session.execute()))).toEqual([
      'beforeExecute Node',
      'beforeExecute',
      'beforeFlush',
      'afterFlush',
    ])
  })

  test('flush, commit and rollback', () => {
    const app = ordered()
    const work = Session.add(model.Node, { label: 'n' })
    app.run(work)
    expect(app.order(Session.flush)).toEqual(['beforeFlush', 'afterFlush'])
    app.run(work)
    expect(app.order(Session.commit)).toEqual(['beforeFlush', 'afterFlush', 'afterCommit'])
    expect(app.order(Session.commit)).toEqual(['afterCommit'])
    app.run(work)
    expect(app.order(Session.rollback)).toEqual(['afterRollback'])
    app.run(work)
    expect(app.order(Session.beginNested)).toEqual(['beforeFlush', 'afterFlush'])
    app.run(work)
    expect(app.order(Session.commitNested)).toEqual(['beforeFlush', 'afterFlush', 'afterCommit'])
    app.run(Session.beginNested)
    expect(app.order(Session.rollbackNested)).toEqual(['afterRollback'])
  })
})
