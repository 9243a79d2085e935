import {
  type AnyDelete,
  type AnySelect,
  type AnyUpdate,
  deleteFrom,
  immediate,
  insertInto,
  joined,
  mapRows,
  orderBy,
  returningEntities,
  select,
  selectin,
  set,
  subquery,
  update,
  values,
  where,
  whereOf,
  withOptions,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { isNone, isSome } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { now, openOn } from '../app.js'
import { blog } from './blog.js'

const { accept, defineHooks, keep, refuse } = Session

/** Shows the posts of one tenant, and changes no others. */
const tenancy = (tenant: string): Session.Hooks =>
  defineHooks(blog)({
    Post: { beforeExecute: ({ statement }) => accept(pipe(statement, where('tenant', '=', tenant))) },
  })

/** Hides what is deleted, and shows nothing that is hidden. */
const softDelete: Session.Hooks = defineHooks(blog)({
  Comment: {
    beforeExecute: ({ statement, services }) =>
      accept(
        pipe(
          statement._tag === 'Delete'
            ? pipe(update(blog.Comment), set({ hiddenAt: services.now }), whereOf(statement))
            : statement,
          where('hiddenAt', 'is', null),
        ),
      ),
  },
})

const fill = (app: ReturnType<typeof openOn>): void => {
  app.database.exec(`
    insert into posts (id, tenant, title, commentCount) values (1, 'acme', 'a', 0), (2, 'acme', 'b', 0), (3, 'other', 'c', 0);
    insert into comments (id, body, postId, hiddenAt) values (1, 'x', 1, null), (2, 'y', 1, '2020-01-01T00:00:00.000Z'), (3, 'z', 1, null);
  `)
}

const opened = (hooks: Session.Hooks): ReturnType<typeof openOn> => {
  const app = openOn(blog, { hooks })
  fill(app)
  return app
}

const found = <A>(option: { readonly _tag: string; readonly value?: A }): A => {
  if (option._tag === 'None') throw new Error('not found')
  return option.value as A
}

describe('a statement', () => {
  test('is narrowed before it runs', () => {
    const app = opened(tenancy('acme'))
    const titles = app.run(Session.query(pipe(select(blog.Post), orderBy('title')))).map(({ title }) => title)
    expect(titles).toEqual(['a', 'b'])
    expect(isSome(app.run(Session.first(pipe(select(blog.Post), where('title', '=', 'c')))))).toBe(false)
  })

  test('of a get is narrowed: what is there and not shown is not found, and not taken for deleted', () => {
    const app = opened(tenancy('acme'))
    expect(isSome(app.run(Session.get(blog.Post, 1)))).toBe(true)
    expect(isNone(app.run(Session.get(blog.Post, 3)))).toBe(true)
    const post = found(app.run(Session.get(blog.Post, 2)))
    app.database.exec(`update posts set tenant = 'other' where id = 2`)
    app.run(Session.commit)
    expect(isNone(app.run(Session.get(blog.Post, 2)))).toBe(true)
    expect(Session.inspect(app.store.getState(), post)?.status).toBe('persistent')
    // it is known to the session, which may ask for its row
    expect(app.run(Session.read(blog.Post)(post)).tenant).toBe('other')
  })

  test('that loads a relationship is narrowed, and what it gives is what the relationship holds', () => {
    const app = opened(softDelete)
    const post = found(app.run(Session.get(blog.Post, 1)))
    const comments = app.run(Session.load(blog.Post, 'comments')(post))
    expect(comments.map(({ body }) => body)).toEqual(['x', 'z'])
    app.clear()
    expect(app.run(Session.related(blog.Post, 'comments')(post))).toEqual(comments)
    expect(app.run(Session.load(blog.Post, 'comments')(post))).toEqual(comments)
    expect(app.asked()).toEqual([])
    app.run(Session.refresh(blog.Post, 'comments')(post))
    expect(app.run(Session.related(blog.Post, 'comments')(post))).toHaveLength(2)
  })

  test('of an eager load is narrowed, beside its refinement', () => {
    const app = opened(softDelete)
    const [post] = app.run(Session.query(pipe(select(blog.Post), where('id', '=', 1), selectin('comments'))))
    expect(post?.comments.map(({ body }) => body)).toEqual(['x', 'z'])
    const refined = pipe(
      select(blog.Post),
      where('id', '=', 1),
      selectin('comments', (comments) => pipe(comments, where('body', '>', 'x'))),
    )
    expect(app.run(Session.query(refined))[0]?.comments.map(({ body }) => body)).toEqual(['z'])
  })

  test.each(['joined', 'subquery', 'immediate'] as const)('of an eager load that is %s is narrowed', (strategy) => {
    const load = { joined, subquery, immediate }[strategy]
    const app = opened(softDelete)
    const [post] = app.run(Session.query(pipe(select(blog.Post), where('id', '=', 1), load('comments'))))
    if (post === undefined) throw new Error('no post')
    expect(post.comments.map(({ body }) => body)).toEqual(['x', 'z'])
    // and the relationship holds what it gave
    app.clear()
    expect(app.run(Session.load(blog.Post, 'comments')(post))).toHaveLength(2)
    expect(app.asked()).toEqual([])
  })

  test('of what is joined below what is joined is narrowed', () => {
    const app = opened(softDelete)
    const [comment] = app.run(
      Session.query(
        pipe(
          select(blog.Comment),
          where('id', '=', 1),
          joined('post', (post) => pipe(post, joined('comments'))),
        ),
      ),
    )
    if (comment?.post._tag !== 'Some') throw new Error('no post')
    expect(comment.post.value.comments.map(({ body }) => body)).toEqual(['x', 'z'])
    const others = opened(tenancy('other'))
    const [hidden] = others.run(Session.query(pipe(select(blog.Comment), where('id', '=', 1), joined('post'))))
    expect(hidden?.post).toEqual({ _tag: 'None' })
  })

  test('that replaces a collection takes out what is shown', () => {
    const app = opened(softDelete)
    const post = found(app.run(Session.get(blog.Post, 1)))
    app.run(Session.replace(blog.Post, 'comments', [])(post))
    app.run(Session.commit)
    expect(app.rows('comments')).toMatchObject([{ body: 'y' }])
  })

  test('of a reference is narrowed', () => {
    const hooks = defineHooks(blog)({
      Post: { beforeExecute: ({ statement }) => accept(pipe(statement, where('tenant', '=', 'other'))) },
    })
    const app = opened(hooks)
    const comment = found(app.run(Session.get(blog.Comment, 1)))
    expect(isNone(app.run(Session.load(blog.Comment, 'post')(comment)))).toBe(true)
    app.run(Session.commit)
    expect(app.rows('comments')).toMatchObject([{ postId: 1 }, { postId: 1 }, { postId: 1 }])
  })

  test('by criteria is narrowed, on the rows and on the instances', () => {
    const app = opened(tenancy('acme'))
    const post = found(app.run(Session.get(blog.Post, 1)))
    expect(app.run(pipe(update(blog.Post), set({ editedBy: 'ed' }), Session.execute()))).toBe(2)
    expect(app.run(Session.read(blog.Post)(post)).editedBy).toBe('ed')
    expect(app.rows('posts')).toMatchObject([{ editedBy: 'ed' }, { editedBy: 'ed' }, { editedBy: null }])
    expect(app.run(pipe(deleteFrom(blog.Post), where('id', '>', 1), Session.execute()))).toBe(1)
    expect(app.rows('posts')).toMatchObject([{ id: 1 }, { id: 3 }])
  })

  test.each(['evaluate', 'fetch'] as const)(
    'that deletes becomes one that updates, synchronised by %s',
    (synchronize) => {
      const app = opened(softDelete)
      const [x, z] = app.run(Session.query(pipe(select(blog.Comment), orderBy('id'))))
      if (x === undefined || z === undefined) throw new Error('no comments')
      expect(
        app.run(pipe(deleteFrom(blog.Comment), where('body', 'in', ['x', 'y']), Session.execute({ synchronize }))),
      ).toBe(1)
      expect(app.run(Session.read(blog.Comment)(x)).hiddenAt).toEqual(now)
      expect(app.run(Session.read(blog.Comment)(z)).hiddenAt).toBeNull()
      expect(Session.inspect(app.store.getState(), x)?.status).toBe('persistent')
      app.run(Session.commit)
      expect(app.rows('comments')).toMatchObject([
        { hiddenAt: now.toISOString() },
        { hiddenAt: '2020-01-01T00:00:00.000Z' },
        { hiddenAt: null },
      ])
    },
  )

  test('is rewritten for what a removal takes along neither by it nor by the flush', () => {
    const app = opened(softDelete)
    const post = found(app.run(Session.get(blog.Post, 1)))
    app.run(Session.remove(blog.Post)(post))
    expect(app.run(Session.commit)).toMatchObject({ deleted: 4 })
    expect(app.rows('comments')).toEqual([])
  })

  test('is told why it runs', () => {
    const told: string[] = []
    const tell = (by: string) => (context: Session.ExecuteContext<AnySelect | AnyUpdate | AnyDelete>) => {
      const { purpose, relationship, statement } = context
      told.push(
        `${by}: ${statement._tag} ${statement.entity.name} for a ${purpose}${relationship === null ? '' : ` of ${relationship.entity}.${relationship.name}`}`,
      )
      return keep()
    }
    const app = opened(
      Session.combineHooks(
        defineHooks(blog)({}, { beforeExecute: tell('session') }),
        defineHooks(blog)({ Comment: { beforeExecute: tell('own') as never } }),
      ),
    )
    const [post] = app.run(Session.query(pipe(select(blog.Post), where('id', '=', 1))))
    if (post === undefined) throw new Error('no post')
    const comment = found(app.run(Session.get(blog.Comment, 1)))
    app.run(Session.load(blog.Post, 'comments')(post))
    app.run(pipe(update(blog.Comment), set({ body: 'w' }), Session.execute({ synchronize: 'fetch' })))
    app.run(pipe(deleteFrom(blog.Comment), Session.execute({ synchronize: 'none' })))
    app.run(Session.merge(blog.Post, { id: 2, tenant: 'acme', title: 'q' }))
    expect(told.splice(0)).toEqual([
      'session: Select Post for a query',
      'own: Select Comment for a get',
      'session: Select Comment for a get',
      'own: Select Comment for a load of Post.comments',
      'session: Select Comment for a load of Post.comments',
      'own: Update Comment for a bulk',
      'session: Update Comment for a bulk',
      'own: Delete Comment for a bulk',
      'session: Delete Comment for a bulk',
      'session: Select Post for a get',
    ])
    // what the session knows needs no statement
    app.run(Session.get(blog.Post, 1))
    app.run(Session.load(blog.Post, 'comments')(post))
    app.run(Session.commit)
    app.run(Session.read(blog.Post)(post))
    expect(told).toEqual([])
    expect(comment.id).toBe(1)
  })

  test('passes through several hooks, each with what the one before it made', () => {
    const seen: number[] = []
    const by = (title: string) =>
      defineHooks(blog)({
        Post: {
          beforeExecute: ({ statement }) => {
            seen.push(JSON.stringify(statement.node).split('"title"').length)
            return accept(pipe(statement, where('title', '<>', title)))
          },
        },
      })
    const app = opened(Session.combineHooks(by('a'), by('b')))
    expect(app.run(Session.query(select(blog.Post))).map(({ title }) => title)).toEqual(['c'])
    expect(seen[1]).toBeGreaterThan(seen[0] as number)
  })

  test('is rewritten before the autoflush, which it may leave out', () => {
    const hooks = defineHooks(blog)(
      {},
      { beforeExecute: ({ statement }) => accept(withOptions({ autoflush: false })(statement)) },
    )
    const app = opened(hooks)
    app.run(Session.add(blog.Post, { tenant: 'acme', title: 'd' }))
    app.clear()
    expect(app.run(Session.query(select(blog.Post)))).toHaveLength(3)
    expect(app.asked().some((call) => call.startsWith('Insert'))).toBe(false)
  })

  test('keeps its own order, options and eager loads', () => {
    const app = opened(tenancy('acme'))
    const posts = app.run(
      Session.query(
        pipe(select(blog.Post), orderBy('title', 'desc'), selectin('comments'), withOptions({ strict: false })),
      ),
    )
    expect(posts.map(({ title, comments }) => [title, comments.length])).toEqual([
      ['b', 0],
      ['a', 3],
    ])
  })

  test('is refused', () => {
    const hooks = defineHooks(blog)(
      { Comment: { beforeExecute: () => refuse('comments are closed') } },
      { beforeExecute: ({ statement }) => (statement._tag === 'Select' ? keep() : refuse('it is read only')) },
    )
    const app = opened(hooks)
    app.clear()
    expect(app.fails(pipe(deleteFrom(blog.Post), Session.execute()))).toMatchObject({
      _tag: 'HookRefused',
      hook: 'beforeExecute',
      entity: null,
      attribute: null,
      reason: 'it is read only',
    })
    expect(app.fails(Session.query(select(blog.Comment)))).toMatchObject({ entity: 'Comment' })
    expect(app.fails(Session.get(blog.Comment, 1))).toMatchObject({ _tag: 'HookRefused' })
    expect(app.asked()).toEqual([])
    expect(app.run(Session.query(select(blog.Post)))).toHaveLength(3)
  })

  test('stays on its entity, and a query stays a query', () => {
    const elsewhere = defineHooks(blog)({}, { beforeExecute: () => accept(select(blog.Entry)) })
    expect(opened(elsewhere).fails(Session.query(select(blog.Post)))).toMatchObject({
      _tag: 'HookRefused',
      reason: 'it may rewrite a statement only into one on the same entity, and a select only into a select',
    })
    const write = defineHooks(blog)({ Post: { beforeExecute: () => accept(deleteFrom(blog.Post)) } })
    const app = opened(write)
    expect(app.fails(Session.query(select(blog.Post)))).toMatchObject({ _tag: 'HookRefused', entity: 'Post' })
    expect(app.fails(Session.get(blog.Post, 1))).toMatchObject({ _tag: 'HookRefused', entity: 'Post' })
    expect(app.rows('posts')).toHaveLength(3)
  })

  test('asks for changes of the state', () => {
    const queries = Session.info('queries', 0)
    const hooks = defineHooks(blog)({}, { beforeExecute: () => keep(queries.update((n) => n + 1)) })
    const app = opened(hooks)
    app.run(Session.query(pipe(select(blog.Post), selectin('comments'))))
    expect(app.run(Session.gets(queries.get))).toBe(2)
  })
})

describe('an insert past the unit of work', () => {
  const posts = pipe(
    insertInto(blog.Post),
    values([
      { title: 'a', tenant: 'other', commentCount: 0 },
      { title: 'b', commentCount: sql<number>`1 + 1` } as never,
    ]),
  )

  test('is rewritten before it runs, by the entity and then by the session', () => {
    const asked: string[] = []
    const hooks = defineHooks(blog)(
      {
        Post: {
          beforeInsert: ({ statement }) => {
            asked.push('Post')
            return accept(
              pipe(
                statement,
                mapRows((row) => ({ ...row, tenant: 'acme' })),
              ),
            )
          },
        },
      },
      {
        beforeInsert: ({ statement }) => {
          asked.push(statement.entity.name)
          return keep()
        },
      },
    )
    const app = openOn(blog, { hooks })
    expect(app.run(Session.execute()(posts))).toBe(2)
    expect(app.rows('posts')).toMatchObject([
      { title: 'a', tenant: 'acme' },
      { title: 'b', tenant: 'acme', commentCount: 2 },
    ])
    expect(asked).toEqual(['Post', 'Post'])
  })

  test('is refused before anything is asked', () => {
    const hooks = defineHooks(blog)({ Post: { beforeInsert: () => refuse('posts are written one by one') } })
    const app = openOn(blog, { hooks })
    expect(app.fails(Session.execute()(posts))).toMatchObject({
      _tag: 'HookRefused',
      hook: 'beforeInsert',
      entity: 'Post',
    })
    expect(app.asked()).toEqual([])
  })

  test('stays one of the same entity that answers the same', () => {
    const hooks = defineHooks(blog)({ Post: { beforeInsert: ({ statement }) => accept(returningEntities(statement)) } })
    expect(openOn(blog, { hooks }).fails(Session.execute()(posts))).toMatchObject({ _tag: 'HookRefused' })
  })

  test('is no business of beforeExecute', () => {
    const app = openOn(blog, { hooks: tenancy('acme') })
    expect(
      app.run(
        Session.execute()(
          pipe(
            posts,
            mapRows((row) => ({ ...row, tenant: 'x' })),
          ),
        ),
      ),
    ).toBe(2)
  })

  test('tells load hooks of what it returns', () => {
    const seen: unknown[] = []
    const hooks = defineHooks(blog)({
      Post: {
        load: ({ instance }) => {
          seen.push(instance.title)
          return keep()
        },
      },
    })
    const app = openOn(blog, { hooks })
    const made = pipe(
      posts,
      mapRows((row) => ({ ...row, tenant: 'x' })),
      returningEntities,
    )
    app.run(Session.execute()(made))
    expect(seen).toEqual(['a', 'b'])
  })
})
