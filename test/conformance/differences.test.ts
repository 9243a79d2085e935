/**
 * What users meet where Unitary differs from the recording on purpose: one behaviour for each reason of `differences.ts`.
 */
import {
  defineModel,
  entity,
  generated,
  integer,
  limit,
  nullable,
  orderBy,
  primaryKey,
  type Snapshot,
  select,
  text,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, openOn } from '../session/app.js'
import { filledWorld, rightOf, model as weather } from '../shard/weather.js'

const User = entity('User', 'users', { id: pipe(integer, primaryKey, generated), name: text })
const Post = entity('Post', 'posts', {
  id: pipe(integer, primaryKey, generated),
  title: text,
  authorId: pipe(integer, nullable),
})
const Node = entity('Node', 'nodes', {
  id: pipe(integer, primaryKey, generated),
  label: text,
  parentId: pipe(integer, nullable),
})
const Thing = entity('Thing', 'things', { id: pipe(integer, primaryKey), name: text })

const model = defineModel({ User, Post, Node, Thing })((r) => ({
  User: {
    posts: r.User.hasMany('Post', {
      foreignKey: 'authorId',
      inverse: 'author',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
    }),
  },
  Post: { author: r.Post.belongsTo('User', { foreignKey: 'authorId', inverse: 'posts' }) },
  Node: {
    children: r.Node.hasMany('Node', { foreignKey: 'parentId', inverse: 'parent' }),
    parent: r.Node.belongsTo('Node', { foreignKey: 'parentId', inverse: 'children', postUpdate: true }),
  },
}))

const statusOf = (app: App, instance: Snapshot): string | undefined =>
  Session.inspect(app.store.getState(), instance)?.status

describe('pure mutators', () => {
  test('a pending child that goes to another parent stays pending, and is inserted there', () => {
    const app = openOn(model)
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    const post = app.run(Session.add(model.Post, { title: 'p', author: ed }))
    app.run(Session.set(model.Post, { author: wendy })(post))
    expect(statusOf(app, post)).toBe('pending')
    app.run(Session.commit)
    expect(app.rows('posts')).toEqual([{ id: 1, title: 'p', authorId: 2 }])
  })

  test('a refused detach changes nothing, on neither side', () => {
    const app = openOn(model)
    const ed = app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 'p' }] }))
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.flush)
    const [post] = app.run(Session.load(model.User, 'posts')(ed))
    app.run(Session.load(model.User, 'posts')(wendy))
    const before = app.store.getState()
    expect(app.fails(Session.detach(model.User, 'posts', post as Snapshot<'Post'>)(wendy))).toMatchObject({
      _tag: 'InvalidValue',
      attribute: 'posts',
    })
    expect(app.store.getState()).toBe(before)
  })
})

describe('outside objects stay outside', () => {
  test('a flush sets no keys on what was expunged, and says what it did not write', () => {
    const app = openOn(model)
    const ed = app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 'p' }] }))
    app.run(Session.commit)
    const [post] = app.run(Session.load(model.User, 'posts')(ed))
    app.run(Session.expunge(model.Post)(post as Snapshot<'Post'>))
    app.run(Session.remove(model.User)(ed))
    // the row still refers to the user
    expect(app.fails(Session.flush)).toMatchObject({ _tag: 'IntegrityError', reason: { _tag: 'ForeignKeyViolation' } })
    app.run(Session.rollback)
    const other = app.run(Session.make(model.User, { name: 'outside' }))
    const late = app.run(Session.noAutoflush(Session.make(model.Post, { title: 'late', author: other })))
    app.run(Session.add(model.Post, late))
    app.run(Session.expunge(model.User)(other))
    expect(app.run(Session.flush).notices).toEqual([
      { _tag: 'NotInUnitOfWork', entity: 'Post', relationship: 'author', target: 'User' },
    ])
    expect(Session.inspect(app.store.getState(), other)).toMatchObject({ status: 'transient', identity: null })
  })
})

describe('rollback is the earlier value', () => {
  test('the key that a flush gave is gone with it, and the next insert gets one of its own', () => {
    const app = openOn(model)
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    app.run(Session.rollback)
    expect(Session.inspect(app.store.getState(), ed)).toMatchObject({ status: 'transient', attributes: { name: 'ed' } })
    app.database.exec("insert into users values (1, 'other')")
    app.run(Session.add(model.User, ed))
    app.run(Session.commit)
    expect(app.rows('users')).toEqual([
      { id: 1, name: 'other' },
      { id: 2, name: 'ed' },
    ])
  })

  test('what was transient is what it was when the transaction began', () => {
    const app = openOn(model)
    const ed = app.run(Session.make(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.rollback)
    expect(Session.inspect(app.store.getState(), ed)).toMatchObject({ attributes: { name: 'ed' } })
  })

  test('what was expunged since belongs to the session again', () => {
    const app = openOn(model)
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.beginNested)
    app.run(Session.expunge(model.User)(ed))
    expect(statusOf(app, ed)).toBe('detached')
    app.run(Session.rollbackNested)
    expect(statusOf(app, ed)).toBe('persistent')
  })

  test('an outer savepoint takes along what an inner one wrote', () => {
    const app = openOn(model)
    app.run(Session.beginNested)
    app.run(Session.beginNested)
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    app.run(Session.rollbackNested)
    app.run(Session.rollbackNested)
    expect(statusOf(app, ed)).toBe('transient')
    app.run(Session.commit)
    expect(app.rows('users')).toEqual([])
  })
})

describe('solvable is solved', () => {
  test('parent and child exchange places', () => {
    const app = openOn(model)
    const root = app.run(Session.add(model.Node, { label: 'root', children: [{ label: 'leaf' }] }))
    app.run(Session.commit)
    const [leaf] = app.run(Session.load(model.Node, 'children')(root))
    if (leaf === undefined) throw new Error('no child')
    app.run(Session.set(model.Node, { parent: null })(leaf))
    app.run(Session.set(model.Node, { parent: leaf })(root))
    app.run(Session.commit)
    expect(app.rows('nodes')).toEqual([
      { id: 1, label: 'root', parentId: 2 },
      { id: 2, label: 'leaf', parentId: null },
    ])
  })

  test('a row refers to itself', () => {
    const app = openOn(model)
    const own = app.run(Session.make(model.Node, { label: 'own' }))
    app.run(Session.set(model.Node, { parent: own })(own))
    app.run(Session.add(model.Node, own))
    app.run(Session.commit)
    expect(app.rows('nodes')).toEqual([{ id: 1, label: 'own', parentId: 1 }])
  })

  test('rows exchange their keys by way of a temporary one', () => {
    const app = openOn(model, { autoflush: false })
    app.database.exec("insert into things values (1, 'a'), (2, 'b')")
    for (const thing of app.run(Session.query(select(model.Thing)))) {
      app.run(Session.set(model.Thing, { id: 3 - thing.id })(thing))
    }
    app.run(Session.commit)
    expect(app.rows('things')).toEqual([
      { id: 1, name: 'b' },
      { id: 2, name: 'a' },
    ])
  })
})

describe('row switch only within one class', () => {
  test('a row that is taken over as it is needs no write', () => {
    const app = openOn(model)
    app.database.exec("insert into things values (1, 'a')")
    const old = app.run(Session.get(model.Thing, 1))
    if (old._tag === 'None') throw new Error('not found')
    app.run(Session.remove(model.Thing)(old.value))
    const next = app.run(Session.add(model.Thing, { id: 1, name: 'a' }))
    app.clear()
    expect(app.run(Session.flush)).toMatchObject({ inserted: 0, updated: 0, deleted: 0 })
    expect(app.asked()).toEqual([])
    expect(statusOf(app, next)).toBe('persistent')
    expect(statusOf(app, old.value)).toBe('deleted')
  })
})

describe('explicit loads', () => {
  test('a refresh loads the row, and nothing that a query loaded beside it', () => {
    const app = openOn(model)
    const ed = app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 'p' }] }))
    app.run(Session.commit)
    app.run(Session.load(model.User, 'posts')(ed))
    app.run(Session.refresh(model.User)(ed))
    expect(app.fails(Session.related(model.User, 'posts')(ed))).toMatchObject({ _tag: 'NotLoaded', attribute: 'posts' })
  })

  test('an update does not look whether its row is there before it writes', () => {
    const app = openOn(model)
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.database.exec('delete from users')
    app.clear()
    expect(app.fails(Session.flush)).toMatchObject({ _tag: 'StaleData', entity: 'User', key: 1 })
    expect(app.asked().filter((asked) => asked.startsWith('select'))).toEqual([])
  })
})

describe('shards merge', () => {
  test('a limit holds for all shards together, and loads nothing of the others', () => {
    const world = filledWorld()
    const inOrder = pipe(select(weather.Location), orderBy('id'), limit(2))
    const { found, loaded } = rightOf(
      Session.runSync(world.runtime)(
        pipe(
          Session.query(inOrder),
          Session.chain((found) => Session.gets((state) => ({ found, loaded: Session.inspectAll(state).length }))),
        ),
      ),
    )
    expect(found.map(({ city }) => city)).toEqual(['Tokyo', 'New York'])
    expect(loaded).toBe(2)
    world.close()
  })
})
