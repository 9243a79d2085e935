import { select } from '@unitary/core'
import * as Session from '@unitary/session'
import { right } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { now, openOn } from '../app.js'
import { blog } from './blog.js'

const { accept, defineHooks, keep, refuse } = Session

const counting = defineHooks(blog)({
  Post: {
    append: {
      comments: ({ instance }) =>
        keep(Session.set(blog.Post, { commentCount: (instance.commentCount ?? 0) + 1 })(instance)),
    },
    remove: {
      comments: ({ instance }) =>
        keep(Session.set(blog.Post, { commentCount: (instance.commentCount ?? 0) - 1 })(instance)),
    },
  },
})

describe('a change that a hook asks for', () => {
  test('is done right after the change, and seen by the next hook of the same step', () => {
    const app = openOn(blog, { hooks: counting })
    const post = app.run(Session.add(blog.Post, { tenant: 't', title: 'p', comments: [{ body: 'a' }, { body: 'b' }] }))
    expect(post.commentCount).toBe(2)
    app.run(Session.append(blog.Post, 'comments', { body: 'c' }, { body: 'd' })(post))
    app.run(Session.flush)
    expect(app.rows('posts')).toMatchObject([{ commentCount: 4 }])
    const comments = app.run(Session.load(blog.Post, 'comments')(post))
    app.run(Session.replace(blog.Post, 'comments', [...comments.slice(2), { body: 'e' }])(post))
    app.run(Session.commit)
    expect(app.rows('posts')).toMatchObject([{ commentCount: 3 }])
  })

  test('follows the other side too', () => {
    const app = openOn(blog, { hooks: counting })
    const post = app.run(Session.add(blog.Post, { tenant: 't', title: 'p' }))
    const other = app.run(Session.add(blog.Post, { tenant: 't', title: 'q' }))
    const comment = app.run(Session.add(blog.Comment, { body: 'a', post }))
    app.run(Session.set(blog.Comment, { post: other })(comment))
    app.run(Session.commit)
    expect(app.rows('posts')).toMatchObject([{ commentCount: 0 }, { commentCount: 1 }])
  })

  test('is part of what the step gives', () => {
    const hooks = defineHooks(blog)({
      Post: {
        set: { title: ({ instance, services }) => keep(Session.set(blog.Post, { hiddenAt: services.now })(instance)) },
      },
    })
    const app = openOn(blog, { hooks })
    const post = app.run(Session.add(blog.Post, { tenant: 't', title: 'p' }))
    expect(post.hiddenAt).toEqual(now)
  })

  test('may add instances, with services for their defaults', () => {
    const hooks = defineHooks(blog)({
      Post: { set: { title: ({ value }) => keep(Session.add(blog.Entry, { action: `title: ${value}` })) } },
    })
    const app = openOn(blog, { hooks })
    app.run(Session.add(blog.Post, { tenant: 't', title: 'p' }))
    app.run(Session.commit)
    expect(app.rows('entries')).toEqual([{ id: 1, action: 'title: p', at: now.toISOString() }])
  })

  test('comes in the order in which it was asked for', () => {
    const order = Session.info<ReadonlyArray<string>>('order', [])
    const mark = (name: string) => order.update((names) => [...names, name])
    const hooks = defineHooks(blog)({
      Post: {
        set: {
          title: ({ value }) => accept(value, mark('title 1'), mark('title 2')),
          editedBy: () => keep(mark('editedBy')),
        },
        append: { comments: ({ value }) => keep(mark(`append ${value.body}`)) },
      },
      Comment: { set: { post: () => keep(mark('post')), body: ({ value }) => keep(mark(`body ${value}`)) } },
    })
    const app = openOn(blog, { hooks })
    app.run(
      Session.add(blog.Post, {
        tenant: 't',
        editedBy: 'ed',
        title: 'p',
        comments: [{ body: 'a' }, { body: 'b' }],
      }),
    )
    expect(order.get(app.store.getState())).toEqual([
      'body a',
      'body b',
      'title 1',
      'title 2',
      'editedBy',
      'append a',
      'post',
      'append b',
      'post',
    ])
  })

  test('of a replaced collection comes once all of it is in place', () => {
    const order = Session.info<ReadonlyArray<string>>('order', [])
    const mark = (name: string) => order.update((names) => [...names, name])
    const hooks = defineHooks(blog)({
      Post: {
        replace: { comments: ({ value }) => keep(mark(`replace by ${value.length}`)) },
        append: { comments: ({ value }) => keep(mark(`append ${value.body}`)) },
        remove: { comments: ({ value }) => keep(mark(`remove ${value.body}`)) },
      },
    })
    const app = openOn(blog, { hooks })
    const post = app.run(Session.add(blog.Post, { tenant: 't', title: 'p', comments: [{ body: 'a' }] }))
    expect(app.run(Session.gets(order.get))).toEqual(['append a', 'replace by 1'])
    const comments = app.run(Session.load(blog.Post, 'comments')(post))
    app.run(order.set([]))
    app.run(Session.replace(blog.Post, 'comments', comments)(post))
    expect(app.run(Session.gets(order.get))).toEqual(['replace by 1'])
    app.run(order.set([]))
    app.run(Session.replace(blog.Post, 'comments', [{ body: 'b' }, { body: 'c' }])(post))
    expect(app.run(Session.gets(order.get))).toEqual(['append b', 'append c', 'remove a', 'replace by 2'])
  })

  test('that fails refuses the whole step, and says what it failed with', () => {
    const hooks = defineHooks(blog)({
      Post: {
        set: {
          title: ({ instance }) =>
            keep(Session.add(blog.Entry, { action: 'a' }), Session.set(blog.Post, { commentCount: 1.5 })(instance)),
        },
      },
    })
    const app = openOn(blog, { hooks })
    const post = app.run(Session.make(blog.Post, { tenant: 't' } as never))
    const before = app.store.getState()
    const error = app.fails(Session.set(blog.Post, { tenant: 'u', title: 'p' })(post))
    expect(error).toEqual({
      _tag: 'HookRefused',
      hook: 'set',
      entity: 'Post',
      attribute: 'title',
      reason: 'Post.commentCount cannot be 1.5: it is no integer.',
      detail: undefined,
      cause: {
        _tag: 'InvalidValue',
        entity: 'Post',
        attribute: 'commentCount',
        value: 1.5,
        problem: 'it is no integer',
      },
    })
    expect(Session.render(error)).toBe(
      'The set hook of Post.title refused: Post.commentCount cannot be 1.5: it is no integer.',
    )
    expect(app.store.getState()).toBe(before)
  })

  test('that another hook refuses is refused by that one', () => {
    const hooks = defineHooks(blog)({
      Post: {
        set: {
          title: ({ instance }) => keep(Session.set(blog.Post, { editedBy: 'nobody' })(instance)),
          editedBy: ({ value }) => (value === 'nobody' ? refuse('somebody edits') : keep()),
        },
      },
    })
    const app = openOn(blog, { hooks })
    expect(app.fails(Session.add(blog.Post, { tenant: 't', title: 'p' }))).toMatchObject({
      _tag: 'HookRefused',
      attribute: 'editedBy',
      reason: 'somebody edits',
      cause: null,
    })
  })

  test('may handle its own failures', () => {
    const hooks = defineHooks(blog)({
      Post: {
        set: {
          title: ({ instance }) => keep(Session.attempt(Session.set(blog.Post, { commentCount: 1.5 })(instance))),
        },
      },
    })
    const app = openOn(blog, { hooks })
    expect(app.run(Session.add(blog.Post, { tenant: 't', title: 'p' })).commentCount).toBe(0)
  })

  test('calls hooks itself, until there is nothing to change', () => {
    // each is half the other
    const hooks = defineHooks(blog)({
      Post: {
        set: {
          commentCount: ({ instance, value, before }) =>
            value > 1 && !(before._tag === 'Some' && before.value === value)
              ? keep(Session.set(blog.Post, { commentCount: Math.floor(value / 2) })(instance))
              : keep(),
        },
      },
    })
    const app = openOn(blog, { hooks })
    expect(app.run(Session.add(blog.Post, { tenant: 't', title: 'p', commentCount: 1000 })).commentCount).toBe(1)
  })

  test('that calls itself for ever is told so', () => {
    const hooks = defineHooks(blog)({
      Post: {
        set: {
          title: ({ instance, value }) => keep(Session.set(blog.Post, { editedBy: value })(instance)),
          editedBy: ({ instance, value }) => keep(Session.set(blog.Post, { title: `${value}!` })(instance)),
        },
      },
    })
    const app = openOn(blog, { hooks })
    const error = app.fails(Session.add(blog.Post, { tenant: 't', title: 'p' }))
    expect(error).toEqual({ _tag: 'HookLoop', hook: 'set', entity: 'Post', attribute: 'title', depth: 32 })
    expect(Session.render(error)).toBe(
      'The set hook of Post.title asked for changes that call it again, 32 times over; let it keep what is in step already.',
    )
    expect(Session.inspectAll(app.store.getState())).toEqual([])
    // and it is no matter of the state
    expect(app.store.getState().hookDepth).toBe(0)
  })

  test('that is one of many costs no depth', () => {
    const hooks = defineHooks(blog)({
      Post: { append: { comments: () => keep(Session.add(blog.Entry, { action: 'comment' })) } },
    })
    const app = openOn(blog, { hooks })
    const comments = Array.from({ length: 200 }, (_, i) => ({ body: `${i}` }))
    app.run(Session.add(blog.Post, { tenant: 't', title: 'p', comments }))
    app.run(Session.commit)
    expect(app.rows('entries')).toHaveLength(200)
  })

  test('may not ask a database, whatever it makes of the answer', () => {
    const asking = [
      pipe(
        Session.noAutoflush(Session.query(select(blog.Post))),
        Session.catchError(() => Session.of([])),
      ),
      Session.attempt(Session.flush),
      Session.fromTask(async () => 1),
    ]
    for (const [i, program] of asking.entries()) {
      const hooks = defineHooks(blog)({ Post: { set: { title: () => keep(program) } } })
      const app = openOn(blog, { hooks })
      app.run(Session.add(blog.Entry, { action: 'a' }))
      app.clear()
      expect(app.fails(Session.add(blog.Post, { tenant: 't', title: 'p' }))).toMatchObject({
        _tag: 'HookRefused',
        hook: 'set',
        attribute: 'title',
        reason: `it may ask for changes of the state only, and not for a ${['query', 'flush', 'task'][i]}`,
      })
      expect(app.asked()).toEqual([])
    }
  })

  test('begins a transaction that a rollback undoes', () => {
    const hooks = defineHooks(blog)({
      Post: { load: () => keep(Session.add(blog.Entry, { action: 'loaded' })) },
    })
    const app = openOn(blog, { hooks })
    app.database.exec("insert into posts (tenant, title, commentCount) values ('t', 'p', 0)")
    expect(app.run(Session.query(select(blog.Post)))).toHaveLength(1)
    app.run(Session.rollback)
    const state = app.store.getState()
    expect(Session.unitOfWork(blog.Entry)(state).added).toEqual([])
    expect([state.frames, state.hookDepth]).toEqual([null, 0])
  })

  test('is any transition', () => {
    const stamp: Session.Transition<never, undefined> = (state) => right([undefined, { ...state, nextOrder: 77 }])
    const hooks = defineHooks(blog)({ Post: { set: { title: () => keep(Session.transition(stamp)) } } })
    const app = openOn(blog, { hooks })
    app.run(Session.make(blog.Post, { tenant: 't', title: 'p' }))
    expect(app.store.getState().nextOrder).toBe(77)
  })
})
