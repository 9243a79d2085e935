import {
  type AnyModel,
  asSet,
  type CollectionShape,
  collectionKind,
  createAllSync,
  defineModel,
  entity,
  generated,
  groupedBy,
  integer,
  keyedBy,
  nullable,
  positioned,
  primaryKey,
  select,
  selectin,
  text,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const id = pipe(integer, primaryKey, generated)
const slideId = pipe(integer, nullable)

const Slide = entity('Slide', 'slides', { id, title: text })
const Bullet = entity('Bullet', 'bullets', { id, words: text, position: integer, slideId })
const Tag = entity('Tag', 'tags', { id, label: text })
const Note = entity('Note', 'notes', { id, name: text, words: pipe(text, nullable), slideId })
const Figure = entity('Figure', 'figures', { id, kind: text, file: text, slideId })

const model = defineModel({ Slide, Bullet, Tag, Note, Figure })((r) => ({
  Slide: {
    bullets: r.Slide.hasMany('Bullet', { foreignKey: 'slideId', collection: positioned('position') }),
    tags: r.Slide.manyToMany('Tag', {
      through: { table: 'slide_tags', own: ['slide_id'], target: ['tag_id'] },
      collection: asSet,
    }),
    notes: r.Slide.hasMany('Note', {
      foreignKey: 'slideId',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
      collection: keyedBy('name'),
    }),
    figures: r.Slide.hasMany('Figure', { foreignKey: 'slideId', collection: groupedBy('kind') }),
  },
}))
// #endregion

const example = examplesOf('collections')

/** Examples that are the body of a program. */
const program =
  (on: AnyModel) =>
  (name: string, body: () => Generator<Session.Program<unknown, unknown>, void, never>): void =>
    example(name, () => {
      const engine = sqliteEngine(new Database(':memory:'))
      resultOf(createAllSync(on)(engine))
      resultOf(Session.runSync(Session.runtime(on, engine))(Session.gen(body) as Session.Program<unknown, void>))
    })

program(model)('all', function* () {
  // #region all
  const slide = yield* Session.add(model.Slide, {
    title: 'Collections',
    bullets: [{ words: 'lists' }, { words: 'sets' }, { words: 'maps' }],
    tags: new Set([{ label: 'draft' }]),
    notes: new Map([['speaker', { name: 'speaker', words: 'slowly' }]]),
    figures: [
      { kind: 'png', file: 'tree.png' },
      { kind: 'svg', file: 'map.svg' },
      { kind: 'png', file: 'list.png' },
    ],
  })
  yield* Session.commit

  const figures = yield* pipe(slide, Session.load(model.Slide, 'figures'))
  console.log(figures.get('png')?.map(({ file }) => file)) // => [ 'tree.png', 'list.png' ]
  const [found] = yield* pipe(select(model.Slide), selectin('notes'), selectin('tags'), Session.query)
  console.log(found?.notes.get('speaker')?.words) // => slowly
  console.log(found?.tags.size) // => 1
  // #endregion

  // #region all
  const [tag] = yield* Session.query(select(model.Tag))
  if (tag === undefined) return
  yield* pipe(slide, Session.append(model.Slide, 'tags', tag, { label: 'new' }))
  const tags = yield* pipe(slide, Session.load(model.Slide, 'tags'))
  console.log([...tags].map(({ label }) => label)) // => [ 'draft', 'new' ]
  // #endregion

  // #region all
  yield* pipe(
    slide,
    Session.append(model.Slide, 'notes', { name: 'speaker', words: 'loudly' }, { name: 'reader', words: 'aloud' }),
  )
  const notes = yield* pipe(slide, Session.load(model.Slide, 'notes'))
  console.log([...notes].map(([name, { words }]) => `${name}: ${words}`)) // => [ 'speaker: loudly', 'reader: aloud' ]

  yield* pipe(slide, Session.removeKey(model.Slide, 'notes', 'reader'))
  yield* Session.commit
  console.log((yield* Session.query(select(model.Note))).map(({ words }) => words)) // => [ 'loudly' ]
  // #endregion

  // #region all
  const speaker = (yield* pipe(slide, Session.load(model.Slide, 'notes'))).get('speaker')
  if (speaker === undefined) return
  yield* pipe(speaker, Session.set(model.Note, { name: 'host' }))
  console.log([...(yield* pipe(slide, Session.load(model.Slide, 'notes'))).keys()]) // => [ 'speaker' ]
  yield* Session.commit
  console.log([...(yield* pipe(slide, Session.load(model.Slide, 'notes'))).keys()]) // => [ 'host' ]
  // #endregion

  // #region all
  const bullets = yield* pipe(slide, Session.load(model.Slide, 'bullets'))
  const [, sets] = bullets
  if (sets === undefined) return
  yield* pipe(slide, Session.move(model.Slide, 'bullets', sets, 0))
  yield* pipe(slide, Session.insertAt(model.Slide, 'bullets', 3, { words: 'groups' }))
  console.log(Session.explain(yield* Session.flushPlan))
  // #endregion
})

// #region own model
interface Recent<out A> {
  readonly _tag: 'Recent'
  readonly newestFirst: ReadonlyArray<A>
}

interface RecentShape extends CollectionShape {
  readonly shown: Recent<this['member']>
  readonly key: never
}

const recent = <A extends { readonly year: number }>(members: ReadonlyArray<A>): Recent<A> => ({
  _tag: 'Recent',
  newestFirst: [...members].sort((a, b) => b.year - a.year).slice(0, 2),
})

const asRecent = collectionKind<RecentShape, { readonly year: number }>({
  name: 'recent',
  is: (value) => typeof value === 'object' && value !== null && '_tag' in value && value._tag === 'Recent',
  from: recent,
  to: ({ newestFirst }) => newestFirst,
  add:
    (member) =>
    ({ newestFirst }) =>
      recent([...newestFirst, member]),
})

const Author = entity('Author', 'authors', { id, name: text })
const Book = entity('Book', 'books', { id, title: text, year: integer, authorId: pipe(integer, nullable) })
const library = defineModel({ Author, Book })((r) => ({
  Author: { books: r.Author.hasMany('Book', { foreignKey: 'authorId', collection: asRecent }) },
}))
// #endregion

program(library)('own', function* () {
  // #region own
  const author = yield* Session.add(library.Author, {
    name: 'ann',
    books: [
      { title: 'first', year: 2001 },
      { title: 'second', year: 2010 },
    ],
  })
  yield* pipe(author, Session.append(library.Author, 'books', { title: 'third', year: 2020 }))
  const books = yield* pipe(author, Session.load(library.Author, 'books'))
  console.log(books.newestFirst.map(({ title }) => title)) // => [ 'third', 'second' ]
  // #endregion
})
