import {
  combineCriteria,
  containsEager,
  criteria,
  deleteFrom,
  immediate,
  joined,
  lazy,
  leftJoin,
  modify,
  orderBy,
  select,
  selectin,
  set,
  subquery,
  update,
  where,
  withOptions,
  withoutCriteria,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { isLeft } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { isNone, isSome } from 'fp-ts/lib/Option.js'
import { describe, expect, test } from 'vitest'
import { type App, found, openOn, model as otherModel, tablesAsked } from '../app.js'
import { fill, opened, press, rules } from './press.js'

const articles = pipe(select(press.Article), orderBy('id'))

const ids = (rows: ReadonlyArray<{ readonly id: number }>): ReadonlyArray<number> => rows.map(({ id }) => id)

const article = (app: App, id = 1) => found(app, press.Article, id)

describe('a query', () => {
  test('shows what its criteria let through', () => {
    const app = opened()
    expect(ids(app.run(Session.query(articles)))).toEqual([1, 2])
    expect(isNone(app.run(Session.first(pipe(articles, where('id', '=', 3)))))).toBe(true)
  })

  test('is under the criteria of what it joins and asks for, too', () => {
    const app = opened()
    const ofShown = pipe(
      articles,
      modify((qb) => qb.innerJoin('authors as w', 'w.id', 'articles.authorId')),
    )
    expect(ids(app.run(Session.query(ofShown)))).toEqual([1])
    const commented = pipe(
      select(press.Author),
      where((eb) =>
        eb.exists(
          eb
            .selectFrom('articles')
            .innerJoin('comments', 'comments.articleId', 'articles.id')
            .select('articles.id')
            .whereRef('articles.authorId', '=', 'authors.id')
            .where('comments.body', 'in', ['y', 'w']),
        ),
      ),
    )
    expect(app.run(Session.query(commented))).toEqual([])
  })

  test('without its criteria shows everything, and so do its loads', () => {
    const app = opened()
    const everything = pipe(articles, withoutCriteria(rules, 'visible'), selectin('comments'))
    expect(app.run(Session.query(everything)).map(({ comments }) => ids(comments))).toEqual([[1, 2, 3], [], [4]])
    const comments = pipe(articles, selectin('comments', withoutCriteria(rules, 'visible')))
    expect(app.run(Session.query(comments)).map((row) => ids(row.comments))).toEqual([[1, 2, 3], []])
  })

  test('is streamed and read in chunks under criteria', () => {
    const app = opened()
    const query = pipe(articles, selectin('comments'))
    const streamed = [...Session.streamSync(app.runtime)(query)].map((row) =>
      isLeft(row) ? [] : ids(row.right.comments),
    )
    expect(streamed).toEqual([[1, 3], []])
    const seen: number[] = []
    app.run(
      pipe(
        query,
        Session.forEachChunk((chunk) => Session.of(seen.push(...chunk.flatMap((row) => ids(row.comments)))), {
          chunk: 1,
        }),
      ),
    )
    expect(seen).toEqual([1, 3])
  })

  test('of another entity costs nothing', () => {
    const app = openOn(press, { criteria: criteria(press)({ Tag: { visible: (eb) => eb('isHidden', '=', false) } }) })
    fill(app)
    const [, statements] = app.counted(Session.query(articles))
    expect(statements.join()).not.toMatch(/where/)
  })

  test('of a runtime sees its pending changes first', () => {
    const app = opened()
    const one = article(app)
    app.run(Session.set(press.Article, { isHidden: true })(one))
    expect(ids(app.run(Session.query(articles)))).toEqual([2])
  })
})

describe('a get', () => {
  test('finds nothing hidden, and does not take it for deleted', () => {
    const app = opened()
    expect(isNone(app.run(Session.get(press.Article, 3)))).toBe(true)
    expect(isSome(app.run(Session.get(press.Article, 3, { withoutCriteria: ['visible'] })))).toBe(true)
    expect(isSome(app.run(pipe(Session.get(press.Article, 3), Session.withoutCriteria(rules))))).toBe(true)
  })

  test('of what the identity map has asks nobody, and what is known again is not under criteria', () => {
    const app = opened()
    const hidden = app.run(Session.one(pipe(articles, where('id', '=', 3), withoutCriteria(rules))))
    expect(isSome(app.run(Session.get(press.Article, 3)))).toBe(true)
    app.run(Session.expireAll)
    expect(app.run(Session.read(press.Article)(hidden)).title).toBe('c')
    expect(app.run(Session.refresh(press.Article)(hidden)).title).toBe('c')
    app.run(Session.expireAll)
    expect(isNone(app.run(Session.get(press.Article, 3)))).toBe(true)
    expect(app.run(Session.read(press.Article)(hidden)).title).toBe('c')
  })
})

describe('loads', () => {
  const strategies = { selectin, joined, subquery, immediate }

  test.each(['selectin', 'joined', 'subquery', 'immediate'] as const)('are under criteria: %s', (name) => {
    const by = strategies[name]
    const app = opened()
    const query = pipe(articles, by('comments'), by('tags'), by('author'), by('cover'))
    const rows = app.run(Session.query(query)).map(({ id, author, comments, cover, tags }) => ({
      id,
      author: isSome(author) ? author.value.id : null,
      comments: ids(comments),
      cover: isSome(cover) ? cover.value.id : null,
      tags: ids(tags),
    }))
    expect(rows).toEqual([
      { id: 1, author: 1, comments: [1, 3], cover: null, tags: [1] },
      { id: 2, author: null, comments: [], cover: 2, tags: [] },
    ])
  })

  test('that are joined stay one statement, with the criteria in ON', () => {
    const app = opened()
    const [, statements] = app.counted(Session.query(pipe(articles, joined('author'))))
    expect(statements.map((sql) => sql.replace(/^select .*? from/, 'select ... from'))).toMatchInlineSnapshot(`
      [
        "select ... from "articles" left join "authors" as "unitary_0" on "unitary_0"."id" = "articles"."author_id" and "unitary_0"."is_hidden" = ? where "articles"."is_hidden" = ? order by "articles"."id"",
      ]
    `)
  })

  test('out of a query’s own joins are under criteria', () => {
    const app = opened()
    const query = pipe(
      articles,
      leftJoin('comments', 'c'),
      leftJoin('author', 'w'),
      containsEager('comments', 'c'),
      containsEager('author', 'w'),
    )
    const rows = app.run(Session.query(query))
    expect(rows.map(({ comments }) => ids(comments))).toEqual([[1, 3], []])
    expect(rows.map(({ author }) => isSome(author))).toEqual([true, false])
  })

  test('of one instance are under criteria, and are kept', () => {
    const app = opened()
    const one = article(app)
    app.clear()
    expect(ids(app.run(Session.load(press.Article, 'comments')(one)))).toEqual([1, 3])
    expect(ids(app.run(Session.load(press.Article, 'comments')(one)))).toEqual([1, 3])
    expect(ids(app.run(Session.related(press.Article, 'comments')(one)))).toEqual([1, 3])
    expect(ids(app.run(Session.load(press.Article, 'tags')(one)))).toEqual([1])
    expect(tablesAsked(app)).toEqual(['select comments', 'select tags'])
    expect(isNone(app.run(Session.load(press.Article, 'cover')(one)))).toBe(true)
    expect(isNone(app.run(Session.load(press.Article, 'author')(article(app, 2))))).toBe(true)
  })

  test('that follow a query without criteria are without them, as are those of what they load', () => {
    const app = opened()
    const [one] = app.run(Session.query(pipe(articles, withoutCriteria(rules), selectin('author'), lazy('comments'))))
    if (one === undefined) throw new Error('no article')
    expect(ids(app.run(Session.load(press.Article, 'comments')(one)))).toEqual([1, 2, 3])
    if (isNone(one.author)) throw new Error('no author')
    expect(ids(app.run(Session.load(press.Author, 'articles')(one.author.value)))).toEqual([1, 3])
  })

  test('under other criteria are asked for again', () => {
    const app = opened()
    const one = article(app)
    app.run(Session.load(press.Article, 'comments')(one))
    const all = pipe(articles, selectin('comments', withoutCriteria(rules)))
    expect(app.run(Session.query(all)).map((row) => ids(row.comments))).toEqual([[1, 2, 3], []])
    expect(app.fails(Session.related(press.Article, 'comments')(one))).toMatchObject({ _tag: 'NotLoaded' })
    expect(ids(app.run(Session.load(press.Article, 'comments')(one)))).toEqual([1, 3])
    expect(ids(app.run(Session.query(pipe(articles, joined('comments'))))[0]?.comments ?? [])).toEqual([1, 3])
  })

  test('of members, as a query, are under criteria', () => {
    const app = opened()
    const comments = app.run(Session.members(press.Article, 'comments')(article(app)))
    expect(ids(app.run(Session.query(comments)))).toEqual([1, 3])
  })

  test('that the model makes by itself are under criteria', () => {
    const app = opened()
    const one = article(app)
    expect(app.run(Session.refresh(press.Article, 'comments')(one)).id).toBe(1)
    expect(ids(app.run(Session.related(press.Article, 'comments')(one)))).toEqual([1, 3])
  })
})

describe('what the session does for itself sees what is hidden', () => {
  test('a delete takes hidden children along, whether or not the others are loaded', () => {
    for (const isLoaded of [false, true]) {
      const app = opened()
      const one = article(app)
      if (isLoaded) {
        app.run(Session.load(press.Article, 'comments')(one))
        app.run(Session.load(press.Article, 'cover')(one))
        app.run(Session.load(press.Article, 'tags')(one))
      }
      app.run(Session.remove(press.Article)(one))
      app.run(Session.commit)
      expect(app.rows('comments')).toMatchObject([{ id: 4 }])
      expect(app.rows('covers')).toMatchObject([{ id: 2 }])
      expect(app.rows('article_tags')).toEqual([{ article_id: 2, tag_id: 2 }])
    }
  })

  test('a delete lets go of hidden children that do not go along', () => {
    const app = opened()
    const ann = found(app, press.Author, 1)
    app.run(Session.load(press.Author, 'articles')(ann))
    app.run(Session.remove(press.Author)(ann))
    app.run(Session.commit)
    expect(app.rows('articles')).toMatchObject([{ author_id: null }, { author_id: 2 }, { author_id: null }])
  })

  test('of a hook too', () => {
    const hooks = Session.defineHooks(press)({
      Comment: { beforeExecute: ({ statement }) => Session.accept(pipe(statement, where('body', '<>', 'z'))) },
    })
    const app = openOn(press, { hooks })
    fill(app)
    const one = article(app)
    expect(ids(app.run(Session.load(press.Article, 'comments')(one)))).toEqual([1, 2])
    app.clear()
    expect(ids(app.run(Session.load(press.Article, 'comments')(one)))).toEqual([1, 2])
    expect(app.asked()).toEqual([])
    app.run(Session.remove(press.Article)(one))
    app.run(Session.commit)
    expect(app.rows('comments')).toMatchObject([{ id: 4 }])
  })

  test('what is replaced is what is shown; what is hidden stays', () => {
    for (const isLoaded of [false, true]) {
      const app = opened()
      const one = article(app)
      if (isLoaded) app.run(Session.load(press.Article, 'comments')(one))
      app.run(Session.replace(press.Article, 'comments', [{ body: 'new' }])(one))
      app.run(Session.replace(press.Article, 'tags', [])(one))
      app.run(Session.commit)
      expect(app.rows('comments')).toMatchObject([{ id: 2, body: 'y' }, { id: 4 }, { body: 'new', article_id: 1 }])
      expect(app.rows('article_tags')).toEqual([
        { article_id: 1, tag_id: 2 },
        { article_id: 2, tag_id: 2 },
      ])
    }
  })

  test('what was loaded whole, by a query without criteria, is replaced as far as it is shown now', () => {
    const app = opened()
    const one = article(app)
    app.run(pipe(Session.load(press.Article, 'comments')(one), Session.withoutCriteria()))
    app.run(Session.replace(press.Article, 'comments', [])(one))
    app.run(Session.commit)
    expect(app.rows('comments')).toMatchObject([{ id: 2 }, { id: 4 }])
  })

  test('changes of a narrowed collection leave it narrowed', () => {
    const app = opened()
    const one = article(app)
    const [first] = app.run(Session.load(press.Article, 'comments')(one))
    if (first === undefined) throw new Error('no comment')
    app.run(Session.append(press.Article, 'comments', { body: 'new' })(one))
    app.run(Session.detach(press.Article, 'comments', first)(one))
    app.run(Session.flush)
    app.run(Session.remove(press.Article)(one))
    app.run(Session.commit)
    expect(app.rows('comments')).toMatchObject([{ id: 4 }])
  })

  test('a reference to what is hidden keeps its foreign key', () => {
    const app = opened()
    const two = article(app, 2)
    app.run(Session.load(press.Article, 'author')(two))
    app.run(Session.set(press.Article, { title: 'new' })(two))
    app.run(Session.commit)
    expect(app.rows('articles')[1]).toMatchObject({ title: 'new', author_id: 2 })
  })
})

describe('bulk statements', () => {
  test('meet what a query would show, in the database and on instances', () => {
    const app = opened()
    const all = app.run(Session.query(pipe(articles, withoutCriteria(rules))))
    expect(app.run(pipe(update(press.Article), set({ title: 'new' }), Session.execute()))).toBe(2)
    const titles = all.map((one) => app.run(Session.read(press.Article)(one)).title)
    expect(titles).toEqual(['new', 'new', 'c'])
    expect(app.run(pipe(deleteFrom(press.Comment), Session.execute()))).toBe(3)
    expect(app.rows('comments')).toMatchObject([{ id: 2 }])
    expect(app.run(pipe(deleteFrom(press.Comment), withoutCriteria(rules), Session.execute()))).toBe(1)
  })
})

describe('merge', () => {
  test('finds what a get would find', () => {
    const app = opened()
    app.run(Session.merge(press.Article, { id: 1, title: 'new', tenant: 'acme' }))
    app.run(Session.commit)
    expect(app.rows('articles')[0]).toMatchObject({ title: 'new' })
    app.run(Session.merge(press.Article, { id: 3, title: 'new', tenant: 'acme' }))
    expect(app.fails(Session.commit)).toMatchObject({ _tag: 'IntegrityError' })
    app.run(Session.rollback)
    app.run(pipe(Session.merge(press.Article, { id: 3, title: 'new', tenant: 'acme' }), Session.withoutCriteria(rules)))
    app.run(Session.commit)
    expect(app.rows('articles')[2]).toMatchObject({ title: 'new' })
  })
})

describe('options', () => {
  const tenantOf = (options: Session.RuntimeOptions = {}): App =>
    opened({ executionOptions: { tenant: 'acme' }, ...options })

  test('of the session hold for every statement, those of a statement over them', () => {
    const app = tenantOf()
    expect(ids(app.run(Session.query(articles)))).toEqual([1])
    expect(ids(app.run(Session.query(pipe(articles, withOptions({ tenant: 'other' })))))).toEqual([2])
    expect(ids(app.run(pipe(Session.query(articles), Session.withOptions({ tenant: 'other' }))))).toEqual([2])
    expect(isNone(app.run(Session.get(press.Article, 2, { tenant: 'acme' })))).toBe(false)
    expect(
      ids([...Session.streamSync(tenantOf().runtime)(articles)].flatMap((row) => (isLeft(row) ? [] : [row.right]))),
    ).toEqual([1])
  })

  test('of a program end with it, and outlast a rollback in it', () => {
    const app = tenantOf()
    const twice = Session.gen(function* () {
      yield* Session.add(press.Tag, { label: 'new' })
      const before = yield* Session.query(articles)
      yield* Session.rollback
      const after = yield* Session.query(articles)
      return [ids(before), ids(after)]
    })
    expect(app.run(Session.withOptions({ tenant: 'other' })(twice))).toEqual([[2], [2]])
    app.run(pipe(Session.fail('no'), Session.withOptions({ tenant: 'other' }), Session.attempt))
    expect(ids(app.run(Session.query(articles)))).toEqual([1])
    app.run(Session.withOptions({ tenant: 'other' })(Session.add(press.Tag, { label: 'new' })))
    app.run(Session.rollback)
    expect(ids(app.run(Session.query(articles)))).toEqual([1])
  })

  test('of a program end with it where it is cut off', () => {
    const app = tenantOf()
    const buggy = pipe(
      Session.add(press.Tag, { label: 'new' }),
      Session.chain(() => Session.flush),
      Session.map(() => {
        throw new Error('bug')
      }),
      Session.withoutCriteria(rules),
    )
    expect(() => app.store.runSync(buggy)).toThrow('bug')
    expect(ids(app.run(Session.query(articles)))).toEqual([1])
  })

  test('of the query that gave an instance are those of its later loads, others are the session’s of the moment', () => {
    const app = tenantOf()
    const ann = found(app, press.Author, 1)
    expect(ids(app.run(Session.load(press.Author, 'articles')(ann)))).toEqual([1])
    const other = Session.load(press.Author, 'articles')(ann)
    expect(ids(app.run(Session.withOptions({ tenant: 'other' })(other)))).toEqual([])
    const asked = app.run(Session.one(pipe(select(press.Author), withOptions({ tenant: 'none' }))))
    expect(ids(app.run(Session.load(press.Author, 'articles')(asked)))).toEqual([])
    expect(ids(app.run(Session.withOptions({ tenant: 'acme' })(other)))).toEqual([])
  })

  test('switch criteria off together, wherever they are given', () => {
    const app = tenantOf()
    const both = pipe(
      Session.query(pipe(articles, withoutCriteria(rules, 'tenant'))),
      Session.withoutCriteria(rules, 'visible'),
    )
    expect(ids(app.run(both))).toEqual([1, 2, 3])
  })
})

describe('criteria of a session', () => {
  test('are of its model', () => {
    const strange = criteria(otherModel)({ User: { named: (eb) => eb('name', '<>', '') } })
    expect(() => Session.empty(press, { criteria: strange })).toThrow(/criteria were defined for another model/)
  })

  test('come after what hooks make of a statement', () => {
    const hooks = Session.defineHooks(press)({
      Article: {
        beforeExecute: ({ statement }) => Session.accept(pipe(statement, withoutCriteria(rules, 'visible'))),
      },
      Comment: {
        beforeExecute: ({ statement }) => Session.accept(pipe(statement, withoutCriteria(rules, 'visible'))),
      },
    })
    const app = opened({ hooks })
    expect(ids(app.run(Session.query(pipe(articles, joined('comments')))))).toEqual([1, 2, 3])
    expect(ids(app.run(Session.load(press.Article, 'comments')(article(app))))).toEqual([1, 2, 3])
    expect(isSome(app.run(Session.get(press.Article, 3)))).toBe(true)
  })

  test('hold together', () => {
    const short = criteria(press)({ Article: { short: (eb) => eb('title', '<>', 'b') } })
    const app = opened({ criteria: combineCriteria(rules, short) })
    expect(ids(app.run(Session.query(articles)))).toEqual([1])
    expect(ids(app.run(Session.query(pipe(articles, withoutCriteria(short)))))).toEqual([1, 2])
  })
})
