import { containsEager, join, joined, modify, orderBy, select, withOptions } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { openOn } from '../app.js'
import { blog } from './blog.js'

const { defineHooks, keep, refuse } = Session

const fill = (app: ReturnType<typeof openOn>, posts: number): void => {
  for (let i = 1; i <= posts; i++) {
    app.database.exec(`insert into posts (id, tenant, title, commentCount) values (${i}, 't', 'p${i}', 0)`)
    app.database.exec(`insert into comments (body, postId) values ('a${i}', ${i}), ('b${i}', ${i})`)
  }
}

/** An app over two posts with two comments each, and what its load hooks are told. */
const loading = () => {
  const told: string[] = []
  const hooks = defineHooks(blog)({
    Post: {
      load: ({ instance, isRefresh }) => {
        told.push(`${isRefresh ? 'refreshed' : 'loaded'} ${instance.title}`)
        return keep()
      },
    },
    Comment: {
      load: ({ instance, isRefresh }) => {
        told.push(`${isRefresh ? 'refreshed' : 'loaded'} ${instance.body}`)
        return keep()
      },
    },
  })
  const app = openOn(blog, { hooks })
  fill(app, 2)
  return { ...app, told: () => told.splice(0) }
}

describe('a load hook', () => {
  test('is told of each instance that a query brings, in the order of its rows, and not of those that are known', () => {
    const app = loading()
    // each post once for each of its comments
    const twice = pipe(
      select(blog.Post),
      modify((qb) => qb.innerJoin('comments', 'comments.postId', 'posts.id')),
      orderBy('title', 'desc'),
    )
    expect(app.run(Session.query(twice))).toHaveLength(4)
    expect(app.told()).toEqual(['loaded p2', 'loaded p1'])
    app.run(Session.query(twice))
    expect(app.told()).toEqual([])
    app.run(Session.query(withOptions({ populateExisting: true })(twice)))
    expect(app.told()).toEqual(['refreshed p2', 'refreshed p1'])
  })

  test('is told of no shard where there is one database', () => {
    const told: unknown[] = []
    const hooks = defineHooks(blog)({
      Post: {
        load: ({ shard }) => {
          told.push(shard)
          return keep()
        },
      },
    })
    const app = openOn(blog, { hooks })
    fill(app, 1)
    app.run(Session.query(select(blog.Post)))
    expect(told).toEqual([null])
  })

  test('is told of the targets that a query has joined itself, after its own rows', () => {
    const app = loading()
    const query = pipe(select(blog.Post), join('comments', 'c'), containsEager('comments', 'c'), orderBy('title'))
    const [found, statements] = app.counted(Session.query(query))
    expect(found.map(({ comments }) => comments.map(({ body }) => body))).toEqual([
      ['a1', 'b1'],
      ['a2', 'b2'],
    ])
    expect(statements).toHaveLength(1)
    expect(app.told()).toEqual(['loaded p1', 'loaded p2', 'loaded a1', 'loaded b1', 'loaded a2', 'loaded b2'])
    app.run(Session.query(query))
    expect(app.told()).toEqual([])
  })

  test('is told of what gets, loads, reads and refreshes bring', () => {
    const app = loading()
    const post = app.run(
      pipe(
        Session.get(blog.Post, 2),
        Session.map((found) => (found._tag === 'Some' ? found.value : null)),
      ),
    )
    if (post === null) throw new Error('no post')
    expect(app.told()).toEqual(['loaded p2'])
    app.run(Session.load(blog.Post, 'comments')(post))
    expect(app.told()).toEqual(['loaded a2', 'loaded b2'])
    app.run(Session.commit)
    app.run(Session.read(blog.Post)(post))
    expect(app.told()).toEqual(['refreshed p2'])
    app.run(Session.read(blog.Post)(post))
    expect(app.told()).toEqual([])
    app.run(Session.expire(blog.Post, 'title')(post))
    app.run(Session.read(blog.Post)(post))
    expect(app.told()).toEqual(['refreshed p2'])
    app.run(Session.refresh(blog.Post)(post))
    expect(app.told()).toEqual(['refreshed p2'])
  })

  test('is told of what is joined after the query’s own', () => {
    const app = loading()
    app.run(Session.query(pipe(select(blog.Post), orderBy('id'), joined('comments'))))
    expect(app.told()).toEqual(['loaded p1', 'loaded p2', 'loaded a1', 'loaded b1', 'loaded a2', 'loaded b2'])
  })

  test('shows what it changed in what was loaded', () => {
    const hooks = defineHooks(blog)({
      Post: { load: ({ instance }) => keep(Session.set(blog.Post, { editedBy: 'hook' })(instance)) },
    })
    const app = openOn(blog, { hooks })
    fill(app, 1)
    const found = app.run(Session.get(blog.Post, 1))
    expect(found).toMatchObject({ value: { editedBy: 'hook' } })
    if (found._tag === 'None') throw new Error('no post')
    app.run(Session.commit)
    app.database.exec('update posts set editedBy = null')
    expect(app.run(Session.read(blog.Post)(found.value)).editedBy).toBe('hook')
  })

  test('is told of a merge that loads, and not of what was added or flushed', () => {
    const app = loading()
    app.run(Session.add(blog.Post, { tenant: 't', title: 'new' }))
    app.run(Session.flush)
    expect(app.told()).toEqual([])
    app.run(Session.merge(blog.Post, { id: 1, tenant: 't', title: 'merged' }))
    expect(app.told()).toEqual(['loaded p1'])
  })

  test('sees all of the answer, and asks for changes', () => {
    const seen: number[] = []
    const hooks = defineHooks(blog)({
      Post: {
        load: ({ state, instance }) => {
          seen.push(Session.inspectAll(state).length)
          return keep(Session.set(blog.Post, { editedBy: `reader of ${instance.title}` })(instance))
        },
      },
    })
    const app = openOn(blog, { hooks })
    fill(app, 3)
    const posts = app.run(Session.query(select(blog.Post)))
    expect(seen).toEqual([3, 3, 3])
    expect(posts.map(({ editedBy }) => editedBy)).toEqual(['reader of p1', 'reader of p2', 'reader of p3'])
    expect(app.run(Session.commit).updated).toBe(3)
  })

  test('may ask for changes of what comes after it', () => {
    const hooks = defineHooks(blog)({
      Post: {
        load: ({ instance }) => (instance.title === 'p1' ? keep(Session.expireAll) : keep()),
      },
    })
    const app = openOn(blog, { hooks })
    fill(app, 2)
    app.run(Session.query(select(blog.Post)))
    expect(Session.inspectAll(app.store.getState()).map(({ attributes }) => attributes)).toEqual([{}, {}])
  })

  test('refuses, and nothing of the answer is in the state', () => {
    const hooks = defineHooks(blog)({
      Post: { load: ({ instance }) => (instance.title === 'p2' ? refuse('it is not for you') : keep()) },
    })
    const app = openOn(blog, { hooks })
    fill(app, 3)
    const before = app.store.getState()
    for (const program of [
      Session.query(select(blog.Post)),
      Session.get(blog.Post, 2),
      Session.merge(blog.Post, { id: 2, tenant: 't', title: 'x' }),
    ]) {
      expect(app.fails<Session.MergeError, unknown>(program)).toMatchObject({
        _tag: 'HookRefused',
        hook: 'load',
        entity: 'Post',
        attribute: null,
        reason: 'it is not for you',
      })
    }
    expect(Session.inspectAll(app.store.getState())).toEqual(Session.inspectAll(before))
  })

  test('costs no statement, and asks for services only where it is there', () => {
    let asked = 0
    const services = () => {
      asked++
      return {
        now: new Date(0),
        random: () => 0,
        uuid: () => '',
        remember: <L, A>(_: string, next: (last: L | null) => readonly [A, L]): A => next(null)[0],
      }
    }
    openOn(blog, { services }).run(Session.query(select(blog.Post)))
    expect(asked).toBe(0)
    const hooks = defineHooks(blog)({ Post: { load: () => keep() } })
    const app = openOn(blog, { hooks, services })
    fill(app, 1)
    const [, statements] = app.counted(Session.query(select(blog.Post)))
    expect([statements.length, asked]).toEqual([1, 1])
  })
})
