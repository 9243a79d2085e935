import { orderBy, select, selectin, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { openOn, resultOf } from '../app.js'
import { blog } from './blog.js'

const { accept, defineHooks, keep, refuse } = Session

/** An app over posts of two tenants, with two comments each. */
const opened = (hooks: Session.Hooks) => {
  const app = openOn(blog, { hooks })
  for (let i = 1; i <= 6; i++) {
    app.database.exec(
      `insert into posts (id, tenant, title, commentCount) values (${i}, '${i % 2 === 0 ? 'acme' : 'other'}', 'p${i}', 0)`,
    )
    app.database.exec(`insert into comments (body, postId) values ('a${i}', ${i}), ('b${i}', ${i})`)
  }
  app.clear()
  return app
}

const posts = pipe(select(blog.Post), orderBy('id'), selectin('comments'))

const tenancy = defineHooks(blog)({
  Post: { beforeExecute: ({ statement }) => accept(pipe(statement, where('tenant', '=', 'acme'))) },
  Comment: { beforeExecute: ({ statement }) => accept(pipe(statement, where('body', 'like', 'a%'))) },
})

const shown = (
  found: ReadonlyArray<{ readonly title: string; readonly comments: ReadonlyArray<{ readonly body: string }> }>,
) => found.map(({ title, comments }) => [title, comments.map(({ body }) => body)])

describe('hooks of what is read in chunks', () => {
  test('rewrite the query, and the loads beside it', () => {
    const app = opened(tenancy)
    const expected = [
      ['p2', ['a2']],
      ['p4', ['a4']],
      ['p6', ['a6']],
    ]
    expect(shown([...Session.streamSync(app.runtime, { chunk: 2 })(posts)].map(resultOf))).toEqual(expected)
    const folded = pipe(
      posts,
      Session.foldChunks([] as ReadonlyArray<unknown>, (all, some) => Session.of([...all, ...shown(some)]), {
        chunk: 2,
      }),
    )
    expect(app.run(folded)).toEqual(expected)
  })

  test('refuse it as a value', () => {
    const app = opened(defineHooks(blog)({ Post: { beforeExecute: () => refuse('closed') } }))
    expect([...Session.streamSync(app.runtime)(posts)]).toMatchObject([
      { left: { _tag: 'HookRefused', reason: 'closed' } },
    ])
    expect(
      app.fails(
        pipe(
          posts,
          Session.forEachChunk(() => Session.of(1)),
        ),
      ),
    ).toMatchObject({ _tag: 'HookRefused' })
    expect(app.database.inTransaction).toBe(false)
  })

  test('are told of what is loaded, chunk by chunk', () => {
    const told: string[] = []
    const app = opened(
      defineHooks(blog)({
        Post: {
          load: ({ instance }) => {
            told.push(String(instance.title))
            return keep()
          },
        },
      }),
    )
    const plain = pipe(select(blog.Post), orderBy('id'))
    const seen: unknown[] = []
    for (const chunk of Session.streamChunksSync(app.runtime, { chunk: 2 })(plain)) {
      seen.push([told.splice(0), resultOf(chunk).map(({ title }) => title)])
    }
    expect(seen).toEqual([
      [
        ['p1', 'p2'],
        ['p1', 'p2'],
      ],
      [
        ['p3', 'p4'],
        ['p3', 'p4'],
      ],
      [
        ['p5', 'p6'],
        ['p5', 'p6'],
      ],
    ])
    app.run(
      pipe(
        plain,
        Session.forEachChunk(() => Session.of(told.push('|')), { chunk: 4 }),
      ),
    )
    expect(told).toEqual(['p1', 'p2', 'p3', 'p4', '|', 'p5', 'p6', '|'])
  })

  test('change pictures, and write nothing by that', () => {
    const app = opened(
      defineHooks(blog)({
        Post: {
          load: ({ instance }) => keep(pipe(instance, Session.set(blog.Post, { title: `${instance.title}!` }))),
        },
      }),
    )
    expect(
      shown([...Session.streamSync(app.runtime, { chunk: 4 })(posts)].map(resultOf)).map(([title]) => title),
    ).toEqual(['p1!', 'p2!', 'p3!', 'p4!', 'p5!', 'p6!'])
    expect(app.asked().filter((text) => text.startsWith('Update'))).toEqual([])
    expect(app.rows('posts')).toMatchObject([{ title: 'p1' }, {}, {}, {}, {}, {}])
  })
})
