import { defineModel, entity, generated, integer, nullable, primaryKey, text } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, explained, found, openOn, tablesAsked } from '../app.js'

const id = pipe(integer, primaryKey, generated)

const Post = entity('Post', 'posts', { id, title: text })
const Tag = entity('Tag', 'tags', { id, name: text })
const Reader = entity('Reader', 'readers', { id, name: text })
/** It does not know who reads about it. */
const Topic = entity('Topic', 'topics', { id, name: text })
const Person = entity('Person', 'persons', { id, name: text })

const model = defineModel({ Post, Tag, Reader, Topic, Person })((r) => ({
  Post: {
    tags: r.Post.manyToMany('Tag', {
      through: { table: 'post_tags', own: ['post_id'], target: ['tag_id'] },
      inverse: 'posts',
      orderBy: 'id',
    }),
  },
  Tag: {
    posts: r.Tag.manyToMany('Post', {
      through: { table: 'post_tags', own: ['tag_id'], target: ['post_id'] },
      inverse: 'tags',
      orderBy: 'id',
    }),
  },
  Reader: {
    topics: r.Reader.manyToMany('Topic', {
      through: { table: 'reader_topics', own: ['reader_id'], target: ['topic_id'] },
      orderBy: 'id',
    }),
  },
  Person: {
    follows: r.Person.manyToMany('Person', {
      through: { table: 'follows', own: ['follower_id'], target: ['followed_id'] },
      inverse: 'followers',
      orderBy: 'id',
    }),
    followers: r.Person.manyToMany('Person', {
      through: { table: 'follows', own: ['followed_id'], target: ['follower_id'] },
      inverse: 'follows',
      orderBy: 'id',
    }),
  },
}))

const links = (app: App, table: string, own: string, target: string) =>
  app.rows(table).map((row) => {
    const { [own]: a, [target]: b } = row as Record<string, unknown>
    return `${String(a)}-${String(b)}`
  })

/** The steps of the next flush. */
const written = (app: App) =>
  app.run(Session.flushPlan).steps.map(({ _tag, table, rows }) => `${_tag} ${table} ${rows.length}`)

const tagged = (app: App) => links(app, 'post_tags', 'post_id', 'tag_id')

/** Post 1 has the tags 1 and 2, post 2 has none; of tag 3 nobody has heard. */
const arrange = (isLoaded: boolean) => {
  const app = openOn(model)
  const x = app.run(Session.add(model.Tag, { name: 'x' }))
  const y = app.run(Session.add(model.Tag, { name: 'y' }))
  const z = app.run(Session.add(model.Tag, { name: 'z' }))
  const a = app.run(Session.add(model.Post, { title: 'a', tags: [x, y] }))
  const b = app.run(Session.add(model.Post, { title: 'b' }))
  app.run(Session.commit)
  if (isLoaded) {
    for (const post of [a, b]) app.run(Session.load(model.Post, 'tags')(post))
    for (const tag of [x, y, z]) {
      app.run(Session.read(model.Tag)(tag))
      app.run(Session.load(model.Tag, 'posts')(tag))
    }
  }
  app.clear()
  return { app, a, b, x, y, z }
}

describe.each([
  ['loaded', true],
  ['not loaded', false],
])('over links, where both sides are %s', (_, isLoaded) => {
  test('appending from either side writes one link', () => {
    const { app, a, b, z } = arrange(isLoaded)
    app.run(Session.append(model.Post, 'tags', z)(a))
    app.run(Session.append(model.Tag, 'posts', b)(z))
    expect(written(app)).toEqual(['Link post_tags 2'])
    app.run(Session.commit)
    expect(tagged(app)).toEqual(['1-1', '1-2', '1-3', '2-3'])
    expect(app.run(Session.load(model.Tag, 'posts')(z))).toMatchObject([{ title: 'a' }, { title: 'b' }])
  })

  test('detaching from either side deletes one link', () => {
    const { app, a, x, y } = arrange(isLoaded)
    app.run(Session.detach(model.Post, 'tags', x)(a))
    app.run(Session.detach(model.Tag, 'posts', a)(y))
    expect(tablesAsked(app)).toEqual([])
    app.run(Session.flush)
    expect(tablesAsked(app)).toEqual(['Delete post_tags 2'])
    expect(tagged(app)).toEqual([])
    expect(app.rows('tags')).toHaveLength(3)
  })

  test('what goes by one side and comes back by the other is no change', () => {
    const { app, a, x } = arrange(isLoaded)
    app.run(Session.detach(model.Post, 'tags', x)(a))
    app.run(Session.append(model.Tag, 'posts', a)(x))
    expect(app.store.getState().changed.size).toBe(0)
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
    expect(tagged(app)).toEqual(['1-1', '1-2'])
  })

  test('a link of two new rows is written once both are there', () => {
    const { app, a } = arrange(isLoaded)
    app.run(Session.append(model.Post, 'tags', { name: 'w', posts: [{ title: 'c' }] })(a))
    // which end has its key already makes two shapes
    expect(written(app)).toEqual(['Insert posts 1', 'Insert tags 1', 'Link post_tags 1', 'Link post_tags 1'])
    app.run(Session.commit)
    expect(tagged(app)).toEqual(['1-1', '1-2', '1-4', '3-4'])
  })

  test.each([
    ['of the owner', 'Post'],
    ['of the target', 'Tag'],
  ] as const)('the end %s goes with its links, and the other end stays', (_end, kind) => {
    const { app, a, x } = arrange(isLoaded)
    app.run(kind === 'Post' ? Session.remove(model.Post)(a) : Session.remove(model.Tag)(x))
    app.clear()
    app.run(Session.flush)
    expect(tablesAsked(app)).toEqual(
      kind === 'Post'
        ? [...(isLoaded ? [] : ['select tags']), 'Delete post_tags 2', 'Delete posts 1']
        : [...(isLoaded ? [] : ['select posts']), 'Delete post_tags 1', 'Delete tags 1'],
    )
    expect(tagged(app)).toEqual(kind === 'Post' ? [] : ['1-2'])
  })

  test('both ends may go at once', () => {
    const { app, a, x } = arrange(isLoaded)
    app.run(Session.noAutoflush(Session.all([Session.remove(model.Post)(a), Session.remove(model.Tag)(x)])))
    expect(app.run(Session.commit)).toMatchObject({ deleted: 2, notices: [] })
    expect(tagged(app)).toEqual([])
    expect(app.rows('tags')).toMatchObject([{ name: 'y' }, { name: 'z' }])
  })

  test('a link to what goes by the same flush is not written', () => {
    const { app, b, x } = arrange(isLoaded)
    app.run(
      Session.noAutoflush(
        Session.gen(function* () {
          yield* Session.remove(model.Tag)(x)
          yield* Session.append(model.Post, 'tags', x)(b)
        }),
      ),
    )
    app.run(Session.commit)
    expect(tagged(app)).toEqual(['1-2'])
  })
})

describe('a collection over links', () => {
  test('is replaced by writing the difference, and takes the order given', () => {
    const { app, a, x, y, z } = arrange(true)
    app.run(Session.replace(model.Post, 'tags', [z, y])(a))
    expect(app.run(Session.related(model.Post, 'tags')(a)).map(({ name }) => name)).toEqual(['z', 'y'])
    expect(app.run(Session.related(model.Tag, 'posts')(x))).toEqual([])
    expect(app.run(Session.related(model.Tag, 'posts')(z))).toMatchObject([{ title: 'a' }])
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. unlink in post_tags (1 row)
           #0: where tag_id = 1, post_id = 1
      2. link in post_tags (1 row)
           #2: tag_id = 3, post_id = 1"
    `)
    app.run(Session.commit)
    expect(tagged(app)).toEqual(['1-2', '1-3'])
  })

  test('is replaced from the other side', () => {
    const { app, a, b, x } = arrange(true)
    app.run(Session.replace(model.Tag, 'posts', [b])(x))
    expect(app.run(Session.related(model.Post, 'tags')(a)).map(({ name }) => name)).toEqual(['y'])
    expect(app.run(Session.related(model.Post, 'tags')(b)).map(({ name }) => name)).toEqual(['x'])
    app.run(Session.commit)
    expect(tagged(app)).toEqual(['1-2', '2-1'])
  })

  test('is known from either side of a draft', () => {
    const app = openOn(model)
    const a = app.run(Session.add(model.Post, { title: 'a', tags: [{ name: 'x' }, { name: 'y' }] }))
    const [x] = app.run(Session.related(model.Post, 'tags')(a))
    expect(x === undefined ? [] : app.run(Session.related(model.Tag, 'posts')(x))).toMatchObject([{ title: 'a' }])
    app.run(Session.commit)
    expect(tagged(app)).toEqual(['1-1', '1-2'])
  })

  test('shares a target among the drafts of one call', () => {
    const app = openOn(model)
    const x = { name: 'x' }
    app.run(
      Session.addAll(model.Post, [
        { title: 'a', tags: [x] },
        { title: 'b', tags: [x] },
      ]),
    )
    app.run(Session.commit)
    expect(app.rows('tags')).toHaveLength(1)
    expect(tagged(app)).toEqual(['1-1', '2-1'])
  })

  test('shows what was appended and detached before it was loaded', () => {
    const { app, a, x, z } = arrange(false)
    app.run(Session.append(model.Post, 'tags', z)(a))
    app.run(Session.detach(model.Post, 'tags', x)(a))
    const tags = app.run(Session.noAutoflush(Session.load(model.Post, 'tags')(a)))
    expect(tags.map(({ name }) => name)).toEqual(['y', 'z'])
    app.run(Session.commit)
    expect(tagged(app)).toEqual(['1-2', '1-3'])
  })

  test.each([true, false])(
    'holds a member twice where it is appended again, and the database refuses that (loaded: %s)',
    (isLoaded) => {
      const { app, b, z } = arrange(isLoaded)
      app.run(Session.append(model.Post, 'tags', z, z)(b))
      if (isLoaded) {
        expect(app.run(Session.related(model.Post, 'tags')(b)).map(({ name }) => name)).toEqual(['z', 'z'])
      }
      const error = app.fails(Session.flush)
      expect(error).toMatchObject({
        _tag: 'IntegrityError',
        reason: { _tag: 'UniqueViolation' },
        table: 'post_tags',
      })
      // told by whichever end the step is of
      expect('attributes' in error ? error.attributes.toSorted() : []).toEqual(['post_id', 'tag_id'])
      app.run(Session.rollback)
      expect(tagged(app)).toEqual(['1-1', '1-2'])
    },
  )

  test('loses one of two where it is detached', () => {
    const { app, b, z } = arrange(true)
    app.run(Session.append(model.Post, 'tags', z, z)(b))
    app.run(Session.detach(model.Post, 'tags', z)(b))
    expect(app.run(Session.related(model.Post, 'tags')(b)).map(({ name }) => name)).toEqual(['z'])
    app.run(Session.commit)
    expect(tagged(app)).toEqual(['1-1', '1-2', '2-3'])
  })

  test('does not know what is in the database: a link that is there already is refused', () => {
    const { app, a, x } = arrange(false)
    app.run(Session.append(model.Post, 'tags', x)(a))
    expect(app.fails(Session.flush)).toMatchObject({
      _tag: 'IntegrityError',
      reason: { _tag: 'UniqueViolation' },
      table: 'post_tags',
    })
  })

  test('does not know what is in the database: a link that is not there is stale', () => {
    const { app, b, x } = arrange(false)
    app.run(Session.detach(model.Post, 'tags', x)(b))
    const error = app.fails(Session.flush)
    // of the end that was added first, since both tell of it
    expect(error).toEqual({
      _tag: 'StaleData',
      entity: 'Tag',
      table: 'post_tags',
      key: 1,
      matched: 0,
      shard: null,
    })
    expect(Session.render(error)).toMatchInlineSnapshot(
      `"The update of Tag 1 in post_tags matched 0 rows instead of one: it was changed or deleted elsewhere; refresh it."`,
    )
    app.run(Session.rollback)
    expect(tagged(app)).toEqual(['1-1', '1-2'])
  })

  test('of what is not in the unit of work writes nothing, and the flush says so', () => {
    const { app, a, x } = arrange(true)
    app.run(Session.expunge(model.Tag)(x))
    app.run(Session.set(model.Post, { title: 'A' })(a))
    const w = app.run(Session.make(model.Tag, { name: 'w', posts: [a] }))
    expect(Session.inspect(app.store.getState(), w)).toMatchObject({ status: 'transient' })
    expect(app.run(Session.flush)).toMatchObject({
      updated: 1,
      notices: [{ _tag: 'NotInUnitOfWork', entity: 'Post', relationship: 'tags', target: 'Tag' }],
    })
    expect(tagged(app)).toEqual(['1-1', '1-2'])
  })

  test('is undone by a rollback, in memory too', () => {
    const { app, a, x, z } = arrange(true)
    app.run(Session.beginNested)
    app.run(Session.replace(model.Post, 'tags', [z])(a))
    app.run(Session.flush)
    expect(tagged(app)).toEqual(['1-3'])
    app.run(Session.rollbackNested)
    expect(app.run(Session.related(model.Post, 'tags')(a)).map(({ name }) => name)).toEqual(['x', 'y'])
    expect(app.run(Session.related(model.Tag, 'posts')(x))).toHaveLength(1)
    expect(tagged(app)).toEqual(['1-1', '1-2'])
  })
})

describe('links without inverse', () => {
  const arrangeTopics = () => {
    const app = openOn(model)
    const x = app.run(Session.add(model.Topic, { name: 'x' }))
    const y = app.run(Session.add(model.Topic, { name: 'y' }))
    const a = app.run(Session.add(model.Reader, { name: 'a', topics: [x] }))
    app.run(Session.commit)
    return { app, a, x, y }
  }
  const topics = (app: App) => links(app, 'reader_topics', 'reader_id', 'topic_id')

  test('are appended, detached and replaced', () => {
    const { app, a, x, y } = arrangeTopics()
    app.run(Session.append(model.Reader, 'topics', y)(a))
    app.run(Session.commit)
    expect(topics(app)).toEqual(['1-1', '1-2'])
    app.run(Session.detach(model.Reader, 'topics', x)(a))
    app.run(Session.commit)
    expect(topics(app)).toEqual(['1-2'])
    app.run(Session.load(model.Reader, 'topics')(a))
    app.run(Session.replace(model.Reader, 'topics', [x])(a))
    app.run(Session.commit)
    expect(topics(app)).toEqual(['1-1'])
  })

  test('go with the end that does not know them, as the database is told', () => {
    const { app, x } = arrangeTopics()
    app.run(Session.remove(model.Topic)(x))
    app.run(Session.commit)
    expect(topics(app)).toEqual([])
  })
})

describe('links of an entity to itself', () => {
  const arrangePersons = () => {
    const app = openOn(model)
    const ed = app.run(Session.add(model.Person, { name: 'ed' }))
    const wendy = app.run(Session.add(model.Person, { name: 'wendy', follows: [ed] }))
    app.run(Session.commit)
    for (const one of [ed, wendy]) {
      app.run(Session.load(model.Person, 'follows')(one))
      app.run(Session.load(model.Person, 'followers')(one))
    }
    return { app, ed, wendy }
  }
  const follows = (app: App) => links(app, 'follows', 'follower_id', 'followed_id')

  test('go one way, and are told from the other end', () => {
    const { app, ed, wendy } = arrangePersons()
    expect(follows(app)).toEqual(['2-1'])
    expect(app.run(Session.related(model.Person, 'followers')(ed))).toMatchObject([{ name: 'wendy' }])
    expect(app.run(Session.related(model.Person, 'follows')(ed))).toEqual([])
    app.run(Session.append(model.Person, 'followers', ed)(wendy))
    expect(app.run(Session.related(model.Person, 'follows')(ed))).toMatchObject([{ name: 'wendy' }])
    app.run(Session.commit)
    expect(follows(app).toSorted()).toEqual(['1-2', '2-1'])
  })

  test('may lead from a row to itself', () => {
    const { app, ed } = arrangePersons()
    app.run(Session.append(model.Person, 'follows', ed)(ed))
    expect(app.run(Session.related(model.Person, 'followers')(ed)).map(({ name }) => name)).toEqual(['wendy', 'ed'])
    app.run(Session.commit)
    expect(follows(app).toSorted()).toEqual(['1-1', '2-1'])
    app.run(Session.detach(model.Person, 'followers', ed)(ed))
    app.run(Session.commit)
    expect(follows(app)).toEqual(['2-1'])
  })

  test('of a row to itself are there from the start, where its key is to come', () => {
    const { app } = arrangePersons()
    const jack = app.run(Session.make(model.Person, { name: 'jack' }))
    app.run(Session.append(model.Person, 'follows', jack)(jack))
    app.run(Session.add(model.Person, jack))
    app.run(Session.commit)
    expect(follows(app).toSorted()).toEqual(['2-1', '3-3'])
  })

  test('go with either end', () => {
    const { app, ed } = arrangePersons()
    app.run(Session.append(model.Person, 'follows', ed)(ed))
    app.run(Session.commit)
    app.run(Session.remove(model.Person)(ed))
    app.run(Session.commit)
    expect(follows(app)).toEqual([])
    expect(app.rows('persons')).toMatchObject([{ name: 'wendy' }])
  })
})

describe('passive deletes of links', () => {
  const passive = (passiveDeletes: true | 'all') => {
    const many = defineModel({ Post, Tag })((r) => ({
      Post: {
        tags: r.Post.manyToMany('Tag', {
          through: { table: 'post_tags', own: ['post_id'], target: ['tag_id'] },
          passiveDeletes,
        }),
      },
    }))
    const app = openOn(many)
    const a = app.run(Session.add(many.Post, { title: 'a', tags: [{ name: 'x' }, { name: 'y' }] }))
    app.run(Session.commit)
    app.clear()
    return { app, a, many }
  }

  test('leave links that are not loaded to the database', () => {
    const { app, a, many } = passive(true)
    // somebody else has deleted one, which is nobody's business then
    app.database.exec('delete from post_tags where tag_id = 1')
    app.run(Session.remove(many.Post)(a))
    app.run(Session.commit)
    expect(tablesAsked(app)).toEqual(['Delete posts 1'])
    expect(tagged(app)).toEqual([])
  })

  test('delete links that are loaded', () => {
    const { app, a, many } = passive(true)
    app.run(Session.load(many.Post, 'tags')(a))
    app.clear()
    app.run(Session.remove(many.Post)(a))
    app.run(Session.commit)
    expect(tablesAsked(app)).toEqual(['Delete post_tags 2', 'Delete posts 1'])
  })

  test('of all leave these to the database, too', () => {
    const { app, a, many } = passive('all')
    app.run(Session.load(many.Post, 'tags')(a))
    app.clear()
    app.run(Session.remove(many.Post)(a))
    app.run(Session.commit)
    expect(tablesAsked(app)).toEqual(['Delete posts 1'])
    expect(tagged(app)).toEqual([])
  })
})

describe('links of keys of several columns', () => {
  const Doc = entity('Doc', 'docs', { space: pipe(text, primaryKey), number: pipe(integer, primaryKey), title: text })
  const Label = entity('Label', 'labels', { group: pipe(text, primaryKey), name: pipe(text, primaryKey) })
  const docs = defineModel({ Doc, Label })((r) => ({
    Doc: {
      labels: r.Doc.manyToMany('Label', {
        through: { table: 'doc_labels', own: ['doc_space', 'doc_number'], target: ['label_group', 'label_name'] },
        inverse: 'docs',
        orderBy: 'name',
      }),
    },
    Label: {
      docs: r.Label.manyToMany('Doc', {
        through: { table: 'doc_labels', own: ['label_group', 'label_name'], target: ['doc_space', 'doc_number'] },
        inverse: 'labels',
      }),
    },
  }))

  test('are written, loaded from either side and deleted', () => {
    const app = openOn(docs)
    const doc = app.run(
      Session.add(docs.Doc, {
        space: 's',
        number: 1,
        title: 'a',
        labels: [
          { group: 'g', name: 'x' },
          { group: 'g', name: 'y' },
        ],
      }),
    )
    app.run(Session.add(docs.Doc, { space: 's', number: 2, title: 'b' }))
    app.run(Session.commit)
    expect(app.rows('doc_labels')).toEqual([
      { doc_space: 's', doc_number: 1, label_group: 'g', label_name: 'x' },
      { doc_space: 's', doc_number: 1, label_group: 'g', label_name: 'y' },
    ])
    expect(app.run(Session.load(docs.Doc, 'labels')(doc)).map(({ name }) => name)).toEqual(['x', 'y'])
    const x = found(app, docs.Label, { group: 'g', name: 'x' })
    expect(app.run(Session.load(docs.Label, 'docs')(x))).toMatchObject([{ number: 1 }])
    app.run(Session.append(docs.Label, 'docs', found(app, docs.Doc, { space: 's', number: 2 }))(x))
    app.run(Session.detach(docs.Doc, 'labels', x)(doc))
    app.run(Session.commit)
    expect(app.rows('doc_labels')).toEqual([
      { doc_space: 's', doc_number: 1, label_group: 'g', label_name: 'y' },
      { doc_space: 's', doc_number: 2, label_group: 'g', label_name: 'x' },
    ])
  })

  test('tell the key of the owner whose link was not there', () => {
    const app = openOn(docs)
    const doc = app.run(Session.add(docs.Doc, { space: 's', number: 1, title: 'a' }))
    const label = app.run(Session.add(docs.Label, { group: 'g', name: 'x' }))
    app.run(Session.commit)
    app.run(Session.detach(docs.Doc, 'labels', label)(doc))
    expect(app.fails(Session.flush)).toMatchObject({ _tag: 'StaleData', entity: 'Doc', key: '["s",1]', matched: 0 })
  })
})

describe('links of keys that change', () => {
  const Page = entity('Page', 'pages', { slug: pipe(text, primaryKey), title: pipe(text, nullable) })
  const Keyword = entity('Keyword', 'keywords', { word: pipe(text, primaryKey) })
  const open = (passiveUpdates: boolean) => {
    const pages = defineModel({ Page, Keyword })((r) => ({
      Page: {
        keywords: r.Page.manyToMany('Keyword', {
          through: { table: 'page_keywords', own: ['slug'], target: ['word'] },
          inverse: 'pages',
          orderBy: 'word',
          passiveUpdates,
        }),
      },
      Keyword: {
        pages: r.Keyword.manyToMany('Page', {
          through: { table: 'page_keywords', own: ['word'], target: ['slug'] },
          inverse: 'keywords',
          orderBy: 'slug',
          passiveUpdates,
        }),
      },
    }))
    const app = openOn(pages)
    const x = app.run(Session.add(pages.Keyword, { word: 'x' }))
    const y = app.run(Session.add(pages.Keyword, { word: 'y' }))
    const z = app.run(Session.add(pages.Keyword, { word: 'z' }))
    const page = app.run(Session.add(pages.Page, { slug: 'p', keywords: [x, y] }))
    app.run(Session.commit)
    app.clear()
    return { app, pages, page, x, y, z }
  }
  const words = (app: App) => links(app, 'page_keywords', 'slug', 'word')

  describe.each([true, false])('with passive updates: %s', (passiveUpdates) => {
    test('follow the key of either end', () => {
      const { app, pages, page, x } = open(passiveUpdates)
      app.run(Session.set(pages.Page, { slug: 'q' })(page))
      app.run(Session.set(pages.Keyword, { word: 'w' })(x))
      app.run(Session.commit)
      expect(words(app).toSorted()).toEqual(['q-w', 'q-y'])
      expect(app.run(Session.load(pages.Page, 'keywords')(page))).toMatchObject([{ word: 'w' }, { word: 'y' }])
    })

    test('come and go in the same flush', () => {
      const { app, pages, page, x, z } = open(passiveUpdates)
      app.run(Session.set(pages.Page, { slug: 'q' })(page))
      app.run(Session.detach(pages.Page, 'keywords', x)(page))
      app.run(Session.append(pages.Page, 'keywords', z)(page))
      app.run(Session.commit)
      expect(words(app).toSorted()).toEqual(['q-y', 'q-z'])
    })

    test('come and go with an end that is given another key', () => {
      const { app, pages, page, x, z } = open(passiveUpdates)
      app.run(Session.set(pages.Keyword, { word: 'v' })(x))
      app.run(Session.set(pages.Keyword, { word: 'w' })(z))
      app.run(Session.detach(pages.Page, 'keywords', x)(page))
      app.run(Session.append(pages.Page, 'keywords', z)(page))
      app.run(Session.commit)
      expect(words(app).toSorted()).toEqual(['p-w', 'p-y'])
    })

    test('go with an end that was given another key before it was removed', () => {
      const { app, pages, page } = open(passiveUpdates)
      app.run(Session.load(pages.Page, 'keywords')(page))
      app.run(
        Session.noAutoflush(
          Session.gen(function* () {
            yield* Session.set(pages.Page, { slug: 'q' })(page)
            yield* Session.remove(pages.Page)(page)
          }),
        ),
      )
      app.run(Session.commit)
      expect(words(app)).toEqual([])
    })
  })

  test('are exchanged where a new row takes over the row of their owner', () => {
    const { app, pages, page, y, z } = open(true)
    app.run(Session.load(pages.Page, 'keywords')(page))
    app.run(
      Session.noAutoflush(
        Session.gen(function* () {
          yield* Session.remove(pages.Page)(page)
          yield* Session.add(pages.Page, { slug: 'p', title: 'new', keywords: [y, z] })
        }),
      ),
    )
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. unlink in page_keywords (1 row)
           #3: where slug = 'p', word = 'x'
      2. update pages (1 row)
           #4: title = 'new' where slug = 'p'
      3. link in page_keywords (1 row), after 2
           #4: slug = 'p', word = 'z'"
    `)
    app.run(Session.commit)
    expect(words(app).toSorted()).toEqual(['p-y', 'p-z'])
    expect(app.rows('pages')).toEqual([{ slug: 'p', title: 'new' }])
  })
})
