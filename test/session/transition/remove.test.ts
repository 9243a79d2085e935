import { defineModel, entity, generated, integer, nullable, primaryKey, type Snapshot, text } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { model, open, openOn } from '../app.js'

describe('remove', () => {
  test('deletes the row at the next flush, and the instance is deleted from then on, detached after the commit', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.remove(model.User)(ed))
    expect(Session.inspect(app.store.getState(), ed)).toMatchObject({ status: 'persistent', isMarkedForDeletion: true })
    expect(app.run(Session.flush)).toMatchObject({ deleted: 1 })
    expect(app.rows('users')).toEqual([])
    expect(Session.inspect(app.store.getState(), ed)).toMatchObject({ status: 'deleted', isMarkedForDeletion: false })
    expect(app.run(Session.get(model.User, 1))).toEqual({ _tag: 'None' })
    app.run(Session.commit)
    expect(Session.inspect(app.store.getState(), ed)).toMatchObject({ status: 'detached' })
  })

  test('children that do not go along lose their foreign key, whether or not they were loaded', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }, { email: 'b' }] }))
    app.run(Session.commit)
    const a = app.run(Session.get(model.Address, 1))
    app.run(Session.remove(model.User)(ed))
    app.run(Session.flush)
    expect(app.rows('addresses')).toMatchObject([{ user_id: null }, { user_id: null }])
    if (a._tag === 'None') throw new Error('no address')
    expect(app.run(Session.read(model.Address)(a.value))).toMatchObject({ userId: null })
  })

  test('the delete cascade takes along what it reaches, children before parents', () => {
    const app = open()
    const ed = app.run(
      Session.add(model.User, {
        name: 'ed',
        posts: [{ title: 'p', comments: [{ body: 'x' }] }, { title: 'q' }],
      }),
    )
    app.run(Session.commit)
    const [, statements] = app.counted(Session.remove(model.User)(ed))
    // its posts
    expect(statements).toHaveLength(1)
    app.clear()
    expect(app.run(Session.flush)).toEqual({ inserted: 0, updated: 1, deleted: 3, notices: [] })
    // its addresses, and the comments of both posts at once, only lose their foreign key
    expect(app.asked()).toEqual([
      expect.stringMatching(/from "addresses" where "addresses"."user_id" = \?/),
      expect.stringMatching(/from "comments" where "comments"."post_id" in \(\?, \?\)/),
      'Update comments 1',
      'Delete posts 2',
      'Delete users 1',
    ])
    expect(app.rows('posts')).toEqual([])
    expect(app.rows('comments')).toEqual([{ id: 1, body: 'x', post_id: null }])
  })

  test('deletes a tree from its leaves', () => {
    const app = open()
    const root = app.run(
      Session.add(model.Node, {
        label: 'root',
        children: [{ label: 'a', children: [{ label: 'aa' }] }, { label: 'b' }],
      }),
    )
    app.run(Session.commit)
    app.run(Session.remove(model.Node)(root))
    app.run(Session.commit)
    expect(app.rows('nodes')).toEqual([])
  })

  test('deletes a tree from its leaves where only parents know their children', () => {
    const Folder = entity('Folder', 'folders', {
      id: pipe(integer, primaryKey, generated),
      name: text,
      parentId: pipe(integer, nullable),
    })
    const folders = defineModel({ Folder })((r) => ({
      Folder: {
        folders: r.Folder.hasMany('Folder', { foreignKey: 'parentId', cascade: ['save-update', 'delete'] }),
      },
    }))
    const app = openOn(folders)
    const root = app.run(
      Session.add(folders.Folder, { name: 'root', folders: [{ name: 'a', folders: [{ name: 'aa' }] }] }),
    )
    app.run(Session.commit)
    app.run(Session.remove(folders.Folder)(root))
    app.run(Session.commit)
    expect(app.rows('folders')).toEqual([])
  })

  test('what is pending and refers to what goes is refused by the database', () => {
    const app = open({ autoflush: false })
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.load(model.User, 'posts')(ed))
    app.run(Session.append(model.User, 'posts', { title: 'p' })(ed))
    app.run(Session.remove(model.User)(ed))
    expect(app.fails(Session.commit)).toMatchObject({ _tag: 'IntegrityError', reason: { _tag: 'ForeignKeyViolation' } })
    app.run(Session.rollback)
    expect(app.rows('users')).toHaveLength(1)
    expect(app.rows('posts')).toEqual([])
  })

  test('adding a marked instance keeps it', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.remove(model.User)(ed))
    app.run(Session.add(model.User, ed))
    expect(app.run(Session.commit)).toMatchObject({ deleted: 0 })
    expect(app.rows('users')).toHaveLength(1)
  })

  test('is not for what has no row', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    expect(app.fails(Session.remove(model.User)(ed))).toEqual({
      _tag: 'InvalidState',
      entity: 'User',
      key: null,
      status: 'pending',
      operation: 'remove',
    })
  })

  test('a row that is gone already is a notice', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    app.database.exec('delete from users')
    app.run(Session.remove(model.User)(ed))
    expect(app.run(Session.flush)).toEqual({
      inserted: 0,
      updated: 0,
      deleted: 1,
      notices: [{ _tag: 'AlreadyGone', entity: 'User', key: 1, shard: null }],
    })
  })
})

describe('the delete-orphan cascade', () => {
  test('deletes what left its parent and went to no other', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 'p' }, { title: 'q' }] }))
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.commit)
    const [p, q] = app.run(Session.load(model.User, 'posts')(ed))
    app.run(Session.detach(model.User, 'posts', p as Snapshot<'Post'>)(ed))
    app.run(Session.append(model.User, 'posts', q as Snapshot<'Post'>)(wendy))
    expect(app.run(Session.commit)).toMatchObject({ updated: 1, deleted: 1 })
    expect(app.rows('posts')).toEqual([{ id: 2, title: 'q', author_id: 2 }])
  })

  test('deletes what left a parent that has expired since', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 'p' }] }))
    app.run(Session.flush)
    const [p] = app.run(Session.related(model.User, 'posts')(ed))
    app.run(Session.detach(model.User, 'posts', p as Snapshot<'Post'>)(ed))
    app.run(Session.expire(model.User)(ed))
    app.run(Session.commit)
    expect(app.rows('posts')).toEqual([])
  })

  test('deletes what was told that it belongs to nothing', () => {
    const app = open()
    app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 'p' }] }))
    app.run(Session.commit)
    app.run(Session.expungeAll)
    const p = app.run(Session.get(model.Post, 1))
    app.run(Session.get(model.User, 1))
    if (p._tag === 'Some') app.run(Session.set(model.Post, { author: null })(p.value))
    app.run(Session.commit)
    expect(app.rows('posts')).toEqual([])
  })

  // a flush does not load: what refers to an orphan has to be loaded before, as remove does it
  test('what refers to an orphan loses its foreign key, whether or not it was loaded', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 'p', comments: [{ body: 'x' }] }] }))
    app.run(Session.commit)
    const [p] = app.run(Session.load(model.User, 'posts')(ed))
    app.run(Session.detach(model.User, 'posts', p as Snapshot<'Post'>)(ed))
    app.run(Session.commit)
    expect(app.rows('posts')).toEqual([])
    expect(app.rows('comments')).toEqual([{ id: 1, body: 'x', post_id: null }])
  })

  test('deletes what a replaced collection does not hold any more', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 'p' }, { title: 'q' }] }))
    app.run(Session.flush)
    app.run(Session.replace(model.User, 'posts', [{ title: 'r' }])(ed))
    app.run(Session.commit)
    expect(app.rows('posts')).toEqual([{ id: 3, title: 'r', author_id: 1 }])
  })

  test('a pending orphan is not inserted, and is transient again', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 'p' }] }))
    const [p] = app.run(Session.related(model.User, 'posts')(ed))
    app.run(Session.detach(model.User, 'posts', p as Snapshot<'Post'>)(ed))
    expect(app.run(Session.flush)).toMatchObject({ inserted: 1 })
    expect(app.rows('posts')).toEqual([])
    expect(Session.inspect(app.store.getState(), p as Snapshot<'Post'>)).toMatchObject({ status: 'transient' })
  })

  test('an orphan that something else refers to is left out of it, with a notice', () => {
    const Tag = entity('Tag', 'tags', { id: pipe(integer, primaryKey, generated), name: text, noteId: integer })
    const Note = entity('Note', 'notes', { id: pipe(integer, primaryKey, generated), bookId: integer })
    const Book = entity('Book', 'books', { id: pipe(integer, primaryKey, generated), title: text })
    const Mark = entity('Mark', 'marks', { id: pipe(integer, primaryKey, generated), noteId: pipe(integer, nullable) })
    const books = defineModel({ Tag, Note, Book, Mark })((r) => ({
      Book: {
        notes: r.Book.hasMany('Note', {
          foreignKey: 'bookId',
          inverse: 'book',
          cascade: ['save-update', 'delete', 'delete-orphan'],
        }),
      },
      Note: { book: r.Note.belongsTo('Book', { foreignKey: 'bookId', inverse: 'notes' }) },
      Mark: { note: r.Mark.belongsTo('Note', { foreignKey: 'noteId' }) },
    }))
    const app = openOn(books)
    const book = app.run(Session.add(books.Book, { title: 'b', notes: [{}] }))
    const [note] = app.run(Session.related(books.Book, 'notes')(book))
    app.run(Session.add(books.Mark, { note: note as Snapshot<'Note'> }))
    app.run(Session.detach(books.Book, 'notes', note as Snapshot<'Note'>)(book))
    expect(app.run(Session.flush).notices).toEqual([
      { _tag: 'NotInUnitOfWork', entity: 'Mark', relationship: 'note', target: 'Note' },
    ])
    expect(app.rows('marks')).toEqual([{ id: 1, noteId: null }])
  })

  test('without inverse, a child that moves to another collection is no orphan', () => {
    const Parent = entity('Parent', 'parents', { id: pipe(integer, primaryKey, generated), name: text })
    const Child = entity('Child', 'children', {
      id: pipe(integer, primaryKey, generated),
      parentId: pipe(integer, nullable),
    })
    const families = defineModel({ Parent, Child })((r) => ({
      Parent: {
        children: r.Parent.hasMany('Child', {
          foreignKey: 'parentId',
          cascade: ['save-update', 'delete', 'delete-orphan'],
        }),
      },
    }))
    const app = openOn(families)
    const [a, b] = app.run(
      Session.addAll(families.Parent, [{ name: 'a', children: [{}, {}] }, { name: 'b' }]),
    ) as unknown as readonly [Snapshot<'Parent'>, Snapshot<'Parent'>]
    app.run(Session.commit)
    const [x, y] = app.run(Session.load(families.Parent, 'children')(a)) as unknown as readonly [
      Snapshot<'Child'>,
      Snapshot<'Child'>,
    ]
    app.run(Session.detach(families.Parent, 'children', x)(a))
    app.run(Session.detach(families.Parent, 'children', y)(a))
    app.run(Session.append(families.Parent, 'children', y)(b))
    expect(app.run(Session.commit)).toMatchObject({ updated: 1, deleted: 1 })
    expect(app.rows('children')).toEqual([{ id: 2, parentId: 2 }])
  })
})
