import {
  type Draft,
  deferred,
  defineModel,
  entity,
  generated,
  integer,
  type Managed,
  nullable,
  type Pending,
  primaryKey,
  type Snapshot,
  select,
  text,
  version,
  withInsertDefault,
} from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { type App, now, open, openOn, resultOf, model as users } from '../app.js'

const Shelf = entity('Shelf', 'shelves', {
  id: pipe(integer, primaryKey, generated),
  label: text,
  revision: pipe(integer, version),
})

/** Goes with its shelf, and is an orphan without it. */
const Book = entity('Book', 'books', {
  id: pipe(integer, primaryKey, generated),
  title: text,
  subtitle: pipe(text, nullable),
  language: pipe(
    text,
    withInsertDefault(() => 'en'),
  ),
  fullText: pipe(text, nullable, deferred),
  shelfId: pipe(integer, nullable),
  sequelOfId: pipe(integer, nullable),
})

const Tag = entity('Tag', 'tags', { name: pipe(text, primaryKey), color: pipe(text, nullable) })

/** Of one book; merge does not reach it. */
const Note = entity('Note', 'notes', {
  id: pipe(integer, primaryKey, generated),
  body: text,
  bookId: pipe(integer, nullable),
})

const links = { table: 'book_tags', own: ['bookId'], target: ['tagName'] } as const

const model = defineModel({ Shelf, Book, Tag, Note })((r) => ({
  Shelf: {
    books: r.Shelf.hasMany('Book', {
      foreignKey: 'shelfId',
      inverse: 'shelf',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
      orderBy: 'id',
    }),
    titled: r.Shelf.hasMany('Book', { foreignKey: 'shelfId', viewonly: true, orderBy: 'title' }),
  },
  Book: {
    shelf: r.Book.belongsTo('Shelf', { foreignKey: 'shelfId', inverse: 'books' }),
    sequelOf: r.Book.belongsTo('Book', { foreignKey: 'sequelOfId', inverse: 'sequel' }),
    sequel: r.Book.hasOne('Book', { foreignKey: 'sequelOfId', inverse: 'sequelOf' }),
    tags: r.Book.manyToMany('Tag', { through: links, orderBy: 'name' }),
    notes: r.Book.hasMany('Note', { foreignKey: 'bookId', cascade: ['save-update'], orderBy: 'id' }),
  },
}))

type M = typeof model
type LibraryApp = App & { readonly dump: () => unknown }

/** A shelf with two books, of which the first has a tag; all of it stored, and nothing known to the session. */
const arrange = (options: Session.RuntimeOptions = {}): LibraryApp => {
  const app = openOn(model, options)
  app.run(
    Session.add(model.Shelf, {
      label: 'fiction',
      books: [{ title: 'Emma', subtitle: 'a novel', tags: [{ name: 'classic' }] }, { title: 'Ulysses' }],
    }),
  )
  app.run(Session.commit)
  app.run(Session.expungeAll)
  app.run(Session.commit)
  app.clear()
  return { ...app, dump: () => ['shelves', 'books', 'tags', 'book_tags', 'notes'].map((table) => app.rows(table)) }
}

const some = <A>(option: { readonly _tag: 'Some'; readonly value: A } | { readonly _tag: 'None' }): A => {
  if (option._tag === 'None') throw new Error('nothing found')
  return option.value
}

/** Another session on the same database. */
const another = (app: App, options: Session.RuntimeOptions = {}) => {
  const store = Session.createStore({ ...app.runtime, options: { ...app.runtime.options, ...options } })
  const run = <E, A>(program: Session.Program<E, A>): A => resultOf(store.runSync(program))
  return { store, run }
}

const inspected = (app: App, snapshot: Snapshot) => Session.inspect(app.store.getState(), snapshot)

describe('merge of plain data', () => {
  test('that has no key makes a pending instance, and asks nothing', () => {
    const app = arrange()
    const [shelf, statements] = app.counted(Session.merge(model.Shelf, { label: 'poetry' }))
    expect(statements).toEqual([])
    expect(inspected(app, shelf)).toMatchObject({ status: 'pending', attributes: { label: 'poetry' } })
    app.run(Session.commit)
    expect(app.rows('shelves')).toMatchObject([{ label: 'fiction' }, { label: 'poetry' }])
  })

  test('that has a key without a row makes a pending instance of that key', () => {
    const app = arrange()
    const [shelf, statements] = app.counted(Session.merge(model.Shelf, { id: 7, label: 'poetry' }))
    expect(statements).toHaveLength(1)
    expect(inspected(app, shelf)?.status).toBe('pending')
    app.run(Session.commit)
    expect(app.rows('shelves')[1]).toMatchObject({ id: 7, label: 'poetry' })
  })

  test('gives the instance that the session has for its key, loaded where it has none', () => {
    const app = arrange()
    const [first, loading] = app.counted(Session.merge(model.Book, { id: 1, title: 'Emma!' }))
    expect(loading).toHaveLength(1)
    expect(inspected(app, first)).toMatchObject({ status: 'persistent', changed: ['title'] })
    const [second, none] = app.counted(
      Session.noAutoflush(Session.merge(model.Book, { id: 1, title: 'Emma!!', subtitle: null })),
    )
    expect(none).toEqual([])
    expect(inspected(app, second)?.id).toBe(inspected(app, first)?.id)
    expect(second).toMatchObject({ id: 1, title: 'Emma!!', subtitle: null })
    expect(first.title).toBe('Emma!')
  })

  test('leaves alone what it does not give: attributes, defaults and relationships', () => {
    const app = arrange()
    app.database.exec("update books set language = 'fr'")
    app.run(Session.merge(model.Book, { id: 1, title: 'Emma!' }))
    expect(app.counted(Session.flush)[1]).toEqual(['Update books 1'])
    app.run(Session.commit)
    expect(app.rows('books')[0]).toMatchObject({
      title: 'Emma!',
      subtitle: 'a novel',
      language: 'fr',
      shelfId: 1,
    })
    expect(app.rows('book_tags')).toEqual([{ bookId: 1, tagName: 'classic' }])
  })

  test('takes an attribute that is undefined for one that is not given, and null for a value', () => {
    const app = arrange()
    app.run(Session.merge(model.Book, { id: 1, title: 'Emma', subtitle: undefined } as never))
    expect(app.run(Session.flush).updated).toBe(0)
    app.run(Session.merge(model.Book, { id: 1, title: 'Emma', subtitle: null }))
    app.run(Session.commit)
    expect(app.rows('books')[0]).toMatchObject({ subtitle: null })
  })

  test('with equal values is no change', () => {
    const app = arrange()
    const book = app.run(Session.merge(model.Book, { id: 1, title: 'Emma', subtitle: 'a novel', shelfId: 1 }))
    expect(inspected(app, book)?.changed).toEqual([])
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
  })

  test('gives what a client-side default gives only to what is new', () => {
    const app = open()
    app.run(Session.add(users.User, { name: 'ed', joined: new Date(0) }))
    app.run(Session.commit)
    app.run(Session.merge(users.User, { id: 1, name: 'edward' }))
    expect(app.run(Session.merge(users.User, { name: 'wendy' })).joined).toEqual(now)
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([
      { joined_at: new Date(0).toISOString() },
      { joined_at: now.toISOString() },
    ])
  })

  test('flushes first, so that a key which is pending is met', () => {
    const app = arrange()
    const tag = app.run(Session.add(model.Tag, { name: 'new' }))
    const merged = app.run(Session.merge(model.Tag, { name: 'new', color: 'red' }))
    expect(inspected(app, merged)?.id).toBe(inspected(app, tag)?.id)
    app.run(Session.commit)
    expect(app.rows('tags')).toContainEqual({ name: 'new', color: 'red' })
  })

  test('makes known again what had expired only as far as it is given', () => {
    const app = arrange()
    app.run(Session.get(model.Book, 1))
    app.run(Session.commit)
    const [book, statements] = app.counted(Session.merge(model.Book, { id: 1, title: 'Emma!' }))
    expect(statements).toEqual([])
    expect(inspected(app, book)).toMatchObject({ attributes: { id: 1, title: 'Emma!' }, changed: ['title'] })
    app.run(Session.commit)
    expect(app.rows('books')[0]).toMatchObject({ title: 'Emma!', subtitle: 'a novel', shelfId: 1 })
  })

  test('of a key of several columns meets the row that has all of it', () => {
    const app = open()
    app.run(Session.add(users.User, { name: 'ed' }))
    app.run(Session.flush)
    app.run(Session.add(users.Visit, { userId: 1, times: 3, country: { code: 'fr', title: 'France' } }))
    app.run(Session.commit)
    app.run(Session.merge(users.Visit, { userId: 1, countryCode: 'fr', times: 4 }))
    app.run(Session.commit)
    expect(app.rows('visits')).toEqual([{ user_id: 1, country_code: 'fr', times: 4 }])
  })

  test('refuses what does not fit its entity, as add does, and changes nothing', () => {
    const app = arrange()
    const state = app.store.getState()
    const refused = (draft: unknown) => app.fails(Session.merge(model.Shelf, draft as never))
    expect(refused({ id: 1, label: 5 })).toEqual({
      _tag: 'InvalidValue',
      entity: 'Shelf',
      attribute: 'label',
      value: 5,
      problem: 'it is no string',
    })
    expect(refused({ id: 'one', label: 'x' })).toMatchObject({ _tag: 'InvalidValue', attribute: 'id', value: 'one' })
    expect(refused({ id: 1, lable: 'x' })).toMatchObject({ _tag: 'InvalidValue', entity: 'Shelf', attribute: 'lable' })
    expect(refused(null)).toMatchObject({ _tag: 'InvalidValue', entity: 'Shelf', value: null })
    expect(refused({ label: 'x', books: {} })).toMatchObject({ _tag: 'InvalidValue', attribute: 'books', value: {} })
    expect(refused({ label: 'x', books: ['Emma'] })).toMatchObject({ _tag: 'InvalidValue', value: 'Emma' })
    expect(app.store.getState()).toBe(state)
    expect(app.asked()).toEqual([])
  })
})

describe('merge of a graph', () => {
  test('goes from a parent to its children, which are new or stored, and those that are left out go', () => {
    const app = arrange()
    const [shelf, statements] = app.counted(
      Session.merge(model.Shelf, {
        id: 1,
        label: 'novels',
        books: [{ title: 'Orlando' }, { id: 2, title: 'Ulysses!' }],
      }),
    )
    // the shelf and its books; the collection has brought what is stored of them
    expect(statements).toHaveLength(2)
    expect(app.run(Session.related(model.Shelf, 'books')(shelf)).map(({ title }) => title)).toEqual([
      'Orlando',
      'Ulysses!',
    ])
    expect(app.run(Session.commit)).toMatchObject({ inserted: 1, updated: 2, deleted: 1 })
    expect(app.rows('shelves')).toMatchObject([{ label: 'novels' }])
    expect(app.rows('books')).toMatchObject([
      { id: 2, title: 'Ulysses!', shelfId: 1 },
      { id: 3, title: 'Orlando', shelfId: 1 },
    ])
  })

  test('takes an empty collection for what there is to be, and one that is left out for unknown', () => {
    const app = arrange()
    app.run(Session.merge(model.Book, { id: 1, title: 'Emma', tags: [] }))
    app.run(Session.commit)
    expect(app.rows('book_tags')).toEqual([])
    expect(app.rows('tags')).toHaveLength(1)
    app.run(Session.merge(model.Shelf, { id: 1, label: 'fiction', books: [] }))
    app.run(Session.commit)
    expect(app.rows('books')).toEqual([])
  })

  test('goes from a child to its parent, and the other side follows', () => {
    const app = arrange()
    const book = app.run(Session.merge(model.Book, { id: 1, title: 'Emma', shelf: { label: 'classics' } }))
    const shelf = some(app.run(Session.related(model.Book, 'shelf')(book)))
    expect(app.run(Session.related(model.Shelf, 'books')(shelf))).toHaveLength(1)
    app.run(Session.commit)
    expect(app.rows('shelves')).toMatchObject([{ label: 'fiction' }, { label: 'classics' }])
    expect(app.rows('books')).toMatchObject([{ shelfId: 2 }, { shelfId: 1 }])
  })

  test('comes around: data that refers to itself is merged once', () => {
    const app = arrange()
    const shelf = { id: 1, label: 'fiction', books: [] as object[] }
    const emma = { id: 1, title: 'Emma!', shelf }
    const ulysses = { id: 2, title: 'Ulysses!', shelf, sequelOf: emma }
    shelf.books = [emma, ulysses]
    const [merged] = app.counted(Session.merge(model.Shelf, shelf as Draft<M, 'Shelf'>))
    expect(app.run(Session.commit)).toMatchObject({ inserted: 0, updated: 2, deleted: 0 })
    expect(app.rows('books')).toMatchObject([
      { title: 'Emma!', shelfId: 1, sequelOfId: null },
      { title: 'Ulysses!', shelfId: 1, sequelOfId: 1 },
    ])
    expect(inspected(app, merged)?.identity?.key).toBe(1)
  })

  test('makes one instance of an object that stands in it twice, with a key and without', () => {
    const app = arrange()
    const red = { name: 'red' }
    const shelf = { label: 'shared' }
    const books = [
      { title: 'a', tags: [red], shelf },
      { title: 'b', tags: [red], shelf },
    ]
    app.run(Session.traverseArray((book: Draft<M, 'Book'>) => Session.merge(model.Book, book))(books.slice(0, 1)))
    app.run(Session.commit)
    app.run(Session.merge(model.Book, { title: 'c', shelf, sequelOf: { title: 'd', shelf, tags: [red] }, tags: [red] }))
    app.run(Session.commit)
    expect(app.rows('tags')).toMatchObject([{ name: 'classic' }, { name: 'red' }])
    // each merge has made the shelf anew, since it has no key, and each made it once
    expect(app.rows('shelves')).toMatchObject([{ label: 'fiction' }, { label: 'shared' }, { label: 'shared' }])
    expect(app.rows('books').slice(2)).toMatchObject([
      { title: 'a', shelfId: 2 },
      { title: 'd', shelfId: 3 },
      { title: 'c', shelfId: 3 },
    ])
  })

  test('makes one instance of two objects with one key, also where no row has it', () => {
    const app = arrange()
    app.run(
      Session.merge(model.Book, {
        id: 1,
        title: 'Emma',
        tags: [{ name: 'new' }],
        sequelOf: { title: 'Before', tags: [{ name: 'new', color: 'red' }] },
      }),
    )
    app.run(Session.commit)
    expect(app.rows('tags')).toEqual([
      { name: 'classic', color: null },
      { name: 'new', color: 'red' },
    ])
    expect(app.rows('book_tags')).toEqual([
      { bookId: 1, tagName: 'new' },
      { bookId: 3, tagName: 'new' },
    ])
  })

  test('is followed over relationships that cascade merge, and over no others', () => {
    const app = arrange()
    app.run(Session.merge(model.Book, { id: 1, title: 'Emma', notes: [{ body: 'a note' }] }))
    app.run(Session.commit)
    expect(app.rows('notes')).toEqual([])
  })

  test('shows what a viewonly relationship is given, and writes nothing of it', () => {
    const app = arrange()
    const shelf = app.run(Session.merge(model.Shelf, { id: 1, label: 'fiction', titled: [{ id: 1, title: 'Emma!' }] }))
    expect(app.run(Session.related(model.Shelf, 'titled')(shelf))).toMatchObject([{ title: 'Emma!' }])
    app.run(Session.commit)
    expect(app.rows('books')).toMatchObject([
      { title: 'Emma!', shelfId: 1 },
      { title: 'Ulysses', shelfId: 1 },
    ])
    expect(app.run(Session.load(model.Shelf, 'titled')(shelf))).toHaveLength(2)
  })

  test('sets a reference to null where it is given as null, even beside its foreign key', () => {
    const app = arrange()
    app.run(Session.merge(model.Book, { id: 1, title: 'Emma', shelfId: 1, shelf: null }))
    app.run(Session.merge(model.Book, { id: 5, title: 'new', shelfId: 1, shelf: null }))
    app.run(Session.merge(model.Book, { id: 6, title: 'kept', shelfId: 1 }))
    app.run(Session.commit)
    expect(app.rows('books')).toMatchObject([
      { id: 1, shelfId: null },
      { id: 2, shelfId: 1 },
      { id: 5, shelfId: null },
      { id: 6, shelfId: 1 },
    ])
  })

  test('of a has-one replaces what it held', () => {
    const app = arrange()
    app.run(Session.merge(model.Book, { id: 1, title: 'Emma', sequel: { id: 2, title: 'Ulysses' } }))
    app.run(Session.commit)
    expect(app.rows('books')).toMatchObject([{ sequelOfId: null }, { sequelOfId: 1 }])
    app.run(Session.merge(model.Book, { id: 1, title: 'Emma', sequel: { title: 'Emma returns' } }))
    app.run(Session.commit)
    expect(app.rows('books')).toMatchObject([{ sequelOfId: null }, { sequelOfId: null }, { sequelOfId: 1 }])
  })

  test('that is very deep costs no stack', () => {
    const app = openOn(model)
    let book: Draft<M, 'Book'> = { title: 'first' }
    for (let i = 0; i < 5_000; i++) book = { title: `${i}`, sequelOf: book }
    app.run(Session.merge(model.Book, book))
    app.run(Session.commit)
    expect(app.rows('books')).toHaveLength(5_001)
  })
})

describe('merge of instances', () => {
  /** Ed's session: it has read the shelf and its books, and is closed. */
  const theirs = (app: LibraryApp) => {
    const other = another(app)
    const shelf = some(other.run(Session.get(model.Shelf, 1)))
    const books = other.run(Session.load(model.Shelf, 'books')(shelf))
    return { other, shelf, books }
  }

  test('of another session brings its changes, and leaves that session as it is', () => {
    const app = arrange()
    const { other, shelf, books } = theirs(app)
    other.run(Session.set(model.Shelf, { label: 'novels' })(shelf))
    other.run(Session.set(model.Book, { title: 'Emma!' })(books[0] as Managed<M, 'Book'>))
    other.run(Session.append(model.Shelf, 'books', { title: 'Orlando' })(shelf))
    const from = other.store.getState()
    other.store.closeSync()
    const merged = app.run(Session.merge(model.Shelf, shelf, { from }))
    expect(inspected(app, merged)).toMatchObject({ status: 'persistent', attributes: { label: 'novels' } })
    expect(app.run(Session.commit)).toMatchObject({ inserted: 1, updated: 2, deleted: 0 })
    expect(app.rows('books')).toMatchObject([
      { title: 'Emma!' },
      { title: 'Ulysses' },
      { title: 'Orlando', shelfId: 1 },
    ])
    expect(other.store.getState()).toBe(from)
  })

  test('merges what that session knows, and nothing of what it does not', () => {
    const app = arrange()
    const other = another(app)
    const book = some(other.run(Session.get(model.Book, 1)))
    const shelf = some(other.run(Session.get(model.Shelf, 1)))
    other.store.closeSync()
    app.database.exec("update books set fullText = 'theirs', title = 'Emma (2)'")
    const from = other.store.getState()
    // its collections were not loaded, and so they are not emptied
    const [, forShelf] = app.counted(Session.merge(model.Shelf, shelf, { from }))
    expect(forShelf).toHaveLength(1)
    app.run(Session.merge(model.Book, book, { from }))
    app.run(Session.commit)
    expect(app.rows('books')[0]).toMatchObject({ fullText: 'theirs', title: 'Emma', shelfId: 1 })
    expect(app.rows('books')).toHaveLength(2)
  })

  test('that has expired there changes nothing', () => {
    const app = arrange()
    const { other, shelf } = theirs(app)
    other.run(Session.set(model.Shelf, { label: 'never' })(shelf))
    other.run(Session.expireAll)
    other.store.closeSync()
    const merged = app.run(Session.merge(model.Shelf, shelf, { from: other.store.getState() }))
    expect(inspected(app, merged)).toMatchObject({ changed: [], attributes: { label: 'fiction' } })
  })

  test('that is transient there, or pending, becomes pending here, with what it reaches', () => {
    const app = arrange()
    const other = another(app)
    const made = other.run(Session.make(model.Book, { title: 'made', shelf: { label: 'made' } }))
    const added = other.run(Session.add(model.Book, { title: 'added', tags: [{ name: 'classic' }] }))
    const from = other.store.getState()
    app.run(Session.merge(model.Book, made, { from }))
    const merged = app.run(Session.merge(model.Book, added, { from }))
    expect(inspected(app, merged)?.status).toBe('pending')
    app.run(Session.commit)
    expect(app.rows('books').slice(2)).toMatchObject([
      { title: 'made', shelfId: 2 },
      { title: 'added', shelfId: null },
    ])
    expect(app.rows('book_tags')).toContainEqual({ bookId: 4, tagName: 'classic' })
  })

  test('that is this session’s own gives itself, and asks nothing', () => {
    const app = arrange()
    const book = some(app.run(Session.get(model.Book, 1)))
    const state = app.store.getState()
    const [merged, statements] = app.counted(Session.merge(model.Book, book))
    expect(merged).toBe(book)
    expect(statements).toEqual([])
    expect(app.store.getState()).toBe(state)
  })

  test('that is detached here meets the instance that has its key by now', () => {
    const app = arrange()
    const book = some(app.run(Session.get(model.Book, 1)))
    app.run(Session.set(model.Book, { title: 'while detached' })(book))
    app.run(Session.expunge(model.Book)(book))
    const current = some(app.run(Session.get(model.Book, 1)))
    const merged = app.run(Session.merge(model.Book, book))
    expect(inspected(app, merged)?.id).toBe(inspected(app, current)?.id)
    expect(inspected(app, book)?.status).toBe('detached')
    app.run(Session.commit)
    expect(app.rows('books')[0]).toMatchObject({ title: 'while detached', shelfId: 1 })
  })

  test('goes beside plain data in one graph', () => {
    const app = arrange()
    const { other, books } = theirs(app)
    const from = other.store.getState()
    other.store.closeSync()
    app.run(
      Session.merge(model.Shelf, { label: 'new', books: [books[1] as Managed<M, 'Book'>, { title: 'x' }] }, { from }),
    )
    app.run(Session.commit)
    expect(app.rows('books')).toMatchObject([
      { shelfId: 1 },
      { title: 'Ulysses', shelfId: 2 },
      { title: 'x', shelfId: 2 },
    ])
  })

  test('of another entity is NotInSession', () => {
    const app = arrange()
    const book = some(app.run(Session.get(model.Book, 1)))
    expect(app.fails(Session.merge(model.Shelf, book as never))).toEqual({ _tag: 'NotInSession', entity: 'Shelf' })
    const shelf = { label: 'x', books: [{ title: 'y', tags: [book] }] }
    expect(app.fails(Session.merge(model.Shelf, shelf as never))).toEqual({ _tag: 'NotInSession', entity: 'Tag' })
  })

  test('into a session of another model is a ModelMismatch, and into one that has failed a PendingRollback', () => {
    const app = arrange()
    expect(app.fails(Session.merge(users.User, { name: 'ed' }))).toEqual({ _tag: 'ModelMismatch', entity: 'User' })
    app.run(Session.add(model.Tag, { name: 'classic' }))
    expect(app.fails(Session.merge(model.Shelf, { label: 'x' }))).toMatchObject({ _tag: 'IntegrityError' })
    expect(app.fails(Session.merge(model.Shelf, { label: 'x' }))).toMatchObject({ _tag: 'PendingRollback' })
  })
})

describe('merge with a version', () => {
  const stale = { _tag: 'StaleData', entity: 'Shelf', table: 'shelves', key: 1, matched: 0, shard: null }

  test('that is not the row’s own is StaleData, and writes nothing', () => {
    const app = arrange()
    const other = another(app)
    const shelf = some(other.run(Session.get(model.Shelf, 1)))
    other.store.closeSync()
    some(app.run(Session.get(model.Shelf, 1)))
    app.run(Session.merge(model.Shelf, { id: 1, label: 'changed meanwhile' }))
    app.run(Session.commit)
    app.run(Session.get(model.Shelf, 1))
    expect(app.fails(Session.merge(model.Shelf, shelf, { from: other.store.getState() }))).toEqual(stale)
    expect(app.fails(Session.merge(model.Shelf, { id: 1, label: 'x', revision: 1 }))).toEqual(stale)
    expect(app.run(Session.commit).updated).toBe(0)
    expect(app.rows('shelves')).toMatchObject([{ label: 'changed meanwhile', revision: 2 }])
  })

  test('that is the row’s own, or is not given, is counted up', () => {
    const app = arrange()
    app.run(Session.merge(model.Shelf, { id: 1, label: 'a', revision: 1 }))
    app.run(Session.commit)
    app.run(Session.merge(model.Shelf, { id: 1, label: 'b' }))
    app.run(Session.commit)
    expect(app.rows('shelves')).toMatchObject([{ label: 'b', revision: 3 }])
  })

  test('is not compared with one that has expired, but by the flush with the row', () => {
    const app = arrange()
    app.run(Session.get(model.Shelf, 1))
    app.run(Session.commit)
    const other = another(app)
    other.run(Session.merge(model.Shelf, { id: 1, label: 'theirs' }))
    other.run(Session.commit)
    const shelf = some(other.run(Session.get(model.Shelf, 1)))
    other.run(Session.set(model.Shelf, { label: 'newer' })(shelf))
    const from = other.store.getState()
    other.store.closeSync()
    app.run(Session.merge(model.Shelf, shelf, { from }))
    app.run(Session.commit)
    expect(app.rows('shelves')).toMatchObject([{ label: 'newer', revision: 3 }])
    app.run(Session.merge(model.Shelf, { id: 1, label: 'older', revision: 2 }))
    expect(app.fails(Session.commit)).toEqual(stale)
    app.run(Session.rollback)
    expect(app.rows('shelves')).toMatchObject([{ label: 'newer', revision: 3 }])
  })
})

describe('the laws of merge', () => {
  interface BookData {
    readonly id?: number
    readonly title: string
    readonly subtitle?: string | null
    readonly tags?: ReadonlyArray<{ readonly name: string; readonly color?: string | null }>
  }
  const word = fc.constantFrom('a', 'b', 'c')
  const bookData = (id: fc.Arbitrary<number>): fc.Arbitrary<BookData> =>
    fc.record(
      {
        id,
        title: word,
        subtitle: fc.option(word),
        tags: fc.uniqueArray(fc.record({ name: word, color: fc.option(word) }, { requiredKeys: ['name'] }), {
          selector: ({ name }) => name,
        }),
      },
      { requiredKeys: ['title'] },
    )
  interface ShelfData {
    readonly id: number
    readonly label: string
    readonly books?: ReadonlyArray<BookData>
  }
  const shelfData: fc.Arbitrary<ShelfData> = fc.record(
    {
      id: fc.constantFrom(1, 7),
      label: word,
      books: fc.uniqueArray(bookData(fc.constantFrom(1, 2, 10)), {
        maxLength: 4,
        comparator: (a, b) => a !== undefined && a === b,
        selector: ({ id }) => id,
      }),
    },
    { requiredKeys: ['id', 'label'] },
  )

  /** What the rows should be like where the data says anything. */
  const says = (app: LibraryApp, shelf: ShelfData): void => {
    expect(app.rows('shelves')).toContainEqual(expect.objectContaining({ id: shelf.id, label: shelf.label }))
    if (shelf.books === undefined) return
    const rows = app.rows('books') as ReadonlyArray<{ id: number; shelfId: number | null; title: string }>
    const stored = rows.filter(({ shelfId }) => shelfId === shelf.id)
    expect(stored.map(({ title }) => title).toSorted()).toEqual(shelf.books.map(({ title }) => title).toSorted())
    const tagged = app.rows('book_tags') as ReadonlyArray<{ bookId: number; tagName: string }>
    for (const { id, tags, title, subtitle } of shelf.books) {
      if (id === undefined) continue
      expect(stored).toContainEqual(
        expect.objectContaining({ id, title, ...(subtitle === undefined ? {} : { subtitle }) }),
      )
      if (tags === undefined) continue
      expect(
        tagged
          .filter(({ bookId }) => bookId === id)
          .map(({ tagName }) => tagName)
          .toSorted(),
      ).toEqual(tags.map(({ name }) => name).toSorted())
    }
  }

  test('after a commit the rows are what the graph says', () => {
    fc.assert(
      fc.property(fc.array(shelfData, { minLength: 1, maxLength: 3 }), (graphs) => {
        const app = arrange()
        // generated keys are beyond those that are given
        app.database.exec("insert into books (id, title, language) values (1000, 'last', 'en')")
        for (const graph of graphs) {
          app.run(Session.merge(model.Shelf, graph))
          app.run(Session.commit)
          says(app, graph)
        }
      }),
      { numRuns: 100 },
    )
  }, 60_000)

  test('what is merged twice is merged once, where all of it has keys', () => {
    const keyed = shelfData.map(({ books, ...shelf }) => ({
      ...shelf,
      ...(books === undefined ? {} : { books: books.map((book, i) => ({ ...book, id: book.id ?? 11 + i })) }),
    }))
    fc.assert(
      fc.property(keyed, fc.boolean(), (graph, commits) => {
        const app = arrange()
        const first = app.run(Session.merge(model.Shelf, graph))
        app.run(commits ? Session.commit : Session.flush)
        const rows = app.dump()
        const second = app.run(Session.merge(model.Shelf, graph))
        expect(inspected(app, second)?.id).toBe(inspected(app, first)?.id)
        expect(app.run(Session.flush)).toMatchObject({ inserted: 0, deleted: 0 })
        app.run(Session.commit)
        const withoutVersions = (dump: unknown): unknown =>
          JSON.parse(JSON.stringify(dump, (name, value: unknown) => (name === 'revision' ? null : value)))
        expect(withoutVersions(app.dump())).toEqual(withoutVersions(rows))
      }),
      { numRuns: 100 },
    )
  }, 60_000)

  test('merging what is stored changes nothing, with or without loading', () => {
    fc.assert(
      fc.property(shelfData, fc.boolean(), fc.boolean(), (graph, load, isKnown) => {
        const app = arrange()
        app.run(Session.merge(model.Shelf, graph))
        app.run(Session.commit)
        const other = another(app)
        const shelf = some(other.run(Session.get(model.Shelf, graph.id)))
        for (const book of other.run(Session.load(model.Shelf, 'books')(shelf))) {
          other.run(Session.load(model.Book, 'tags')(book))
        }
        other.store.closeSync()
        if (isKnown) app.run(Session.query(select(model.Book)))
        else app.run(Session.expungeAll)
        if (isKnown) app.run(Session.get(model.Shelf, graph.id))
        const state = app.store.getState()
        const rows = app.dump()
        app.run(Session.merge(model.Shelf, shelf, { from: other.store.getState(), load }))
        expect(app.store.getState().changed).toBe(state.changed)
        expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
        expect(app.dump()).toEqual(rows)
      }),
      { numRuns: 100 },
    )
  }, 60_000)
})

describe('merge without loading', () => {
  const cached = (app: LibraryApp) => {
    const other = another(app)
    const shelf = some(other.run(Session.get(model.Shelf, 1)))
    const books = other.run(Session.load(model.Shelf, 'books')(shelf))
    for (const book of books) other.run(Session.load(model.Book, 'tags')(book))
    other.store.closeSync()
    app.clear()
    return { other, shelf, books, from: other.store.getState() }
  }

  test('takes a graph for what the database has: no statement, nothing to write', () => {
    const app = arrange()
    const { shelf, from } = cached(app)
    const [merged, none] = app.counted(Session.merge(model.Shelf, shelf, { from, load: false }))
    expect(none).toEqual([])
    expect(inspected(app, merged)).toMatchObject({ status: 'persistent', changed: [] })
    const known = Session.gen(function* () {
      const books = yield* Session.load(model.Shelf, 'books')(merged)
      const tags = yield* Session.load(model.Book, 'tags')(books[0] as Managed<M, 'Book'>)
      const { label } = yield* Session.read(model.Shelf)(merged)
      const [, second] = yield* Session.traverseArray(Session.read(model.Book))(books)
      return [label, books.map(({ title }) => title), tags.map(({ name }) => name), second?.title]
    })
    expect(app.counted(known)).toEqual([['fiction', ['Emma', 'Ulysses'], ['classic'], 'Ulysses'], []])
    expect(app.counted(Session.get(model.Book, 2))[1]).toEqual([])
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
    expect(app.asked()).toEqual([])
  })

  test('is read from the database again after a commit', () => {
    const app = arrange()
    const { shelf, from } = cached(app)
    const merged = app.run(Session.merge(model.Shelf, shelf, { from, load: false }))
    app.run(Session.commit)
    app.database.exec("update shelves set label = 'now'")
    expect(app.run(Session.read(model.Shelf)(merged)).label).toBe('now')
  })

  test('overwrites what is known, and changes of what it gives', () => {
    const app = arrange()
    const { books, from } = cached(app)
    const mine = some(app.run(Session.get(model.Book, 1)))
    app.run(Session.set(model.Book, { title: 'mine' })(mine))
    const [merged, none] = app.counted(Session.merge(model.Book, books[0] as Managed<M, 'Book'>, { from, load: false }))
    expect(none).toEqual([])
    expect(inspected(app, merged)).toMatchObject({ attributes: { title: 'Emma' }, changed: [] })
    expect(app.run(Session.commit).updated).toBe(0)
  })

  test('refuses what is new, and what has changes that nobody has written', () => {
    const app = arrange()
    const { other, shelf } = cached(app)
    const refusal = { _tag: 'InvalidState', operation: 'merge without loading' }
    expect(app.fails(Session.merge(model.Shelf, { label: 'new' }, { load: false }))).toEqual({
      ...refusal,
      entity: 'Shelf',
      key: null,
      status: 'transient',
    })
    expect(app.fails(Session.merge(model.Shelf, { id: 1, label: 'fiction' }, { load: false }))).toMatchObject({
      ...refusal,
      key: 1,
      status: 'transient',
    })
    other.run(Session.set(model.Shelf, { label: 'changed' })(shelf))
    const from = other.store.getState()
    const error = app.fails(Session.merge(model.Shelf, shelf, { from, load: false }))
    expect(error).toEqual({ ...refusal, entity: 'Shelf', key: 1, status: 'changed' })
    expect(Session.render(error)).toBe('merge without loading is not for Shelf 1, which is changed.')
    expect(app.asked()).toEqual([])
  })
})

test('a draft for merge is the draft that add takes, keys and instances within it included', () => {
  const app = arrange()
  const shelf = some(app.run(Session.get(model.Shelf, 1)))
  const draft: Draft<M, 'Book'> = { id: 1, title: 'Emma', shelf, tags: [{ name: 'classic' }] }
  expectTypeOf(Session.merge<M, 'Book'>)
    .parameter(1)
    .toEqualTypeOf<Draft<M, 'Book'> | Snapshot<'Book'>>()
  expectTypeOf(Session.merge(model.Book, draft)).toEqualTypeOf<
    Session.Program<Session.MergeError, Pending<M, 'Book'>>
  >()
  const wrong = () => [
    // @ts-expect-error what an insert needs has to be given, since there may be no row
    Session.merge(model.Book, { id: 1 }),
    // @ts-expect-error a misspelt attribute
    Session.merge(model.Book, { id: 1, title: 'x', subtilte: 'y' }),
    // @ts-expect-error a key of the wrong type
    Session.merge(model.Book, { id: '1', title: 'x' }),
    // @ts-expect-error a snapshot of another entity
    Session.merge(model.Book, shelf),
    // @ts-expect-error a collection is an array
    Session.merge(model.Book, { title: 'x', tags: { name: 'classic' } }),
    // @ts-expect-error a related draft of another entity
    Session.merge(model.Book, { title: 'x', shelf: { name: 'classic' } }),
  ]
  expect(wrong).toBeTypeOf('function')
  // it may be new: then it has no key yet
  const merged = app.run(Session.merge(model.Shelf, { label: 'new' }))
  expectTypeOf(merged.id).toEqualTypeOf<number | undefined>()
  expect(merged.id).toBeUndefined()
})
