/**
 * Relationships of instances that have no row yet, loaded by the keys that they have been given.
 */
import { defineModel, entity, integer, nullable, primaryKey, text, unique } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { hosts, openOnServer } from '../server-app.js'

const id = pipe(integer, primaryKey)

const Author = entity('Author', 'authors', { id, name: text, pen: pipe(text, nullable, unique) })
const Book = entity('Book', 'books', {
  id,
  title: text,
  authorId: pipe(integer, nullable),
  editorId: pipe(integer, nullable),
  pen: pipe(text, nullable),
})
const Note = entity('Note', 'notes', { id, bookId: pipe(integer, nullable) })

const model = defineModel({ Author, Book, Note })((r) => ({
  Book: {
    author: r.Book.belongsTo('Author', { foreignKey: 'authorId', loadOnPending: true }),
    editor: r.Book.belongsTo('Author', { foreignKey: 'editorId' }),
    signed: r.Book.belongsTo('Author', { foreignKey: 'pen', references: 'pen', loadOnPending: true }),
    // a note may come before its book where nothing but the program keeps them together
    notes: r.Book.hasMany('Note', { foreignKey: 'bookId', orderBy: 'id', loadOnPending: true, viewonly: true }),
  },
}))

describe.each(hosts)('what is pending, on $title', ({ host, isMissing }) => {
  const opened = async () => {
    const app = await openOnServer(host, model)
    await app.run(
      Session.gen(function* () {
        yield* Session.addAll(model.Author, [
          { id: 1, name: 'ann', pen: 'A.' },
          { id: 2, name: 'bob', pen: null },
        ])
        yield* Session.addAll(model.Note, [
          { id: 1, bookId: 7 },
          { id: 2, bookId: 8 },
          { id: 3, bookId: 7 },
        ])
        yield* Session.commit
        yield* Session.expungeAll
      }),
    )
    return app
  }

  test.skipIf(isMissing)(
    'loads by the keys that it was given, where the relationship says so, and is not written',
    async () => {
      const app = await opened()
      const found = await app.run(
        Session.gen(function* () {
          const book = yield* Session.add(model.Book, { id: 7, title: 'a', authorId: 1, editorId: 2, pen: 'A.' })
          const author = yield* Session.load(model.Book, 'author')(book)
          const related = yield* Session.related(model.Book, 'author')(book)
          const signed = yield* Session.load(model.Book, 'signed')(book)
          const notes = yield* Session.load(model.Book, 'notes')(book)
          const editor = yield* Session.noAutoflush(Session.load(model.Book, 'editor')(book))
          return { author, related, signed, notes, editor, book }
        }),
      )
      expect(found.author).toMatchObject({ value: { name: 'ann' } })
      expect(found.related).toEqual(found.author)
      expect(found.signed).toEqual(found.author)
      expect(found.notes.map((note) => note.id)).toEqual([1, 3])
      expect(found.editor).toEqual({ _tag: 'None' })
      expect(Session.inspect(app.store.getState(), found.book)).toMatchObject({ status: 'pending' })
    },
  )

  test.skipIf(isMissing)('goes on being what its foreign key says', async () => {
    const app = await opened()
    const second = await app.run(
      Session.gen(function* () {
        const book = yield* Session.add(model.Book, { id: 7, title: 'a', authorId: 1 })
        yield* Session.load(model.Book, 'author')(book)
        yield* Session.set(model.Book, { authorId: 2 })(book)
        const author = yield* Session.load(model.Book, 'author')(book)
        yield* Session.commit
        return author
      }),
    )
    expect(second).toMatchObject({ value: { name: 'bob' } })
    expect(await app.rows('books')).toMatchObject([{ authorId: 2 }])
  })

  test.skipIf(isMissing)('has nothing by a key that it was not given, or that leads nowhere', async () => {
    const app = await opened()
    const found = await app.run(
      Session.gen(function* () {
        const none = yield* Session.add(model.Book, { id: 7, title: 'a' })
        const wrong = yield* Session.add(model.Book, { id: 8, title: 'b', authorId: 99 })
        return [
          yield* Session.load(model.Book, 'author')(none),
          yield* Session.load(model.Book, 'author')(wrong),
          yield* Session.load(model.Book, 'signed')(none),
        ]
      }),
    )
    expect(found).toEqual(Array(3).fill({ _tag: 'None' }))
  })
})
