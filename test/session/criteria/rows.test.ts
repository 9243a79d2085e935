import { join, orderBy, select, selectin, selectRows, where, withoutCriteria } from '@unitary/core'
import * as Session from '@unitary/session'
import { isLeft } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { opened, press, rules } from './press.js'

const articles = pipe(select(press.Article), orderBy('id'))

const counted = pipe(
  articles,
  selectRows((q) => ({
    id: q.ref('articles.id'),
    comments: q
      .selectFrom('comments')
      .select((c) => c.fn.countAll<number>().as('n'))
      .whereRef('comments.articleId', '=', 'articles.id'),
  })),
)

describe('rows under criteria', () => {
  test('read nothing hidden, in their subqueries neither', () => {
    const app = opened()
    expect(app.run(Session.rows(counted))).toEqual([
      { id: 1, comments: 2 },
      { id: 2, comments: 0 },
    ])
    expect(app.run(Session.rows(pipe(counted, withoutCriteria(rules))))).toEqual([
      { id: 1, comments: 3 },
      { id: 2, comments: 0 },
      { id: 3, comments: 1 },
    ])
  })

  test('show entities with what is loaded beside them, under criteria', () => {
    const app = opened()
    const query = pipe(
      articles,
      join('comments', 'c'),
      selectin('comments'),
      selectRows((q) => ({ article: q.entity(), comment: q.entity('c') })),
    )
    const found = app.run(Session.rows(query))
    expect(found.map(({ article, comment }) => [article.comments.length, comment.id])).toEqual([
      [2, 1],
      [2, 3],
    ])
  })

  test('are counted, and asked whether there are any', () => {
    const app = opened()
    expect(app.run(Session.count(articles))).toBe(2)
    expect(app.run(Session.exists(pipe(articles, where('id', '=', 3))))).toBe(false)
    expect(app.run(Session.exists(pipe(articles, where('id', '=', 3), withoutCriteria(rules))))).toBe(true)
  })

  test('are streamed', () => {
    const found = [...Session.streamSync(opened().runtime)(counted)]
    expect(found.map((row) => (isLeft(row) ? null : row.right.comments))).toEqual([2, 0])
  })
})
