import { defineModel, entity, generated, integer, named, nullable, primaryKey, text, version } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, explained, found, openOn } from '../app.js'
import { openOnServer, servers } from '../server-app.js'

const id = pipe(integer, primaryKey, generated)

/** A person has balls, and one of them is the favourite: each refers to the other. */
const Person = entity('Person', 'persons', {
  id,
  name: text,
  favouriteId: pipe(integer, nullable, named('favourite_id')),
})
const Ball = entity('Ball', 'balls', { id, colour: text, ownerId: pipe(integer, nullable, named('owner_id')) })
const model = defineModel({ Person, Ball })((r) => ({
  Person: {
    balls: r.Person.hasMany('Ball', { foreignKey: 'ownerId', inverse: 'owner', orderBy: 'id' }),
    favourite: r.Person.belongsTo('Ball', { foreignKey: 'favouriteId', postUpdate: true }),
  },
  Ball: { owner: r.Ball.belongsTo('Person', { foreignKey: 'ownerId', inverse: 'balls' }) },
}))

/** Ed has a red ball and a blue one, which he likes best. */
const arrange = () => {
  const app = openOn(model, { autoflush: false })
  const red = app.run(Session.make(model.Ball, { colour: 'red' }))
  const blue = app.run(Session.make(model.Ball, { colour: 'blue' }))
  const ed = app.run(Session.add(model.Person, { name: 'ed', balls: [red, blue], favourite: blue }))
  return { app, ed, red, blue }
}

const persons = (app: App) => app.rows('persons')

describe('a reference that is written by an update of its own', () => {
  test('lets rows refer to each other that come with one flush', () => {
    const { app } = arrange()
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. insert into persons (1 row)
           #2: name = 'ed', favouriteId = null; the database gives id
      2. insert into balls (2 rows), after 1
           #0: colour = 'red', ownerId = id of #2; the database gives id
           #1: colour = 'blue', ownerId = id of #2; the database gives id
      3. update persons (1 row), after 1, 2
           #2: favouriteId = id of #1 where id = id of #2"
    `)
    expect(app.run(Session.commit)).toMatchObject({ inserted: 3, updated: 1 })
    expect(persons(app)).toEqual([{ id: 1, name: 'ed', favourite_id: 2 }])
    expect(app.rows('balls')).toMatchObject([{ owner_id: 1 }, { owner_id: 1 }])
  })

  test('is known in memory once it is written', () => {
    const { app, ed } = arrange()
    app.run(Session.flush)
    expect(found(app, model.Person, 1)).toMatchObject({ favouriteId: 2 })
    expect(app.counted(Session.load(model.Person, 'favourite')(ed))).toMatchObject([{ value: { colour: 'blue' } }, []])
  })

  test('changes with what else changes, each by its own update', () => {
    const { app, ed, red } = arrange()
    app.run(Session.commit)
    app.run(Session.set(model.Person, { name: 'edward', favourite: red })(ed))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update persons (1 row)
           #2: name = 'edward' where id = 1
      2. update persons (1 row), after 1
           #2: favouriteId = 1 where id = 1"
    `)
    app.run(Session.commit)
    expect(persons(app)).toEqual([{ id: 1, name: 'edward', favourite_id: 1 }])
  })

  test('is emptied before the rows go, which refer to each other', () => {
    const { app, ed, red, blue } = arrange()
    app.run(Session.commit)
    for (const ball of [red, blue]) app.run(Session.remove(model.Ball)(ball))
    app.run(Session.remove(model.Person)(ed))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update persons (1 row)
           #2: favouriteId = null where id = 1
      2. delete from balls (2 rows), after 1
           #0: where id = 1
           #1: where id = 2
      3. delete from persons (1 row), after 1, 2
           #2: where id = 1"
    `)
    app.run(Session.commit)
    expect([persons(app), app.rows('balls')]).toEqual([[], []])
  })

  test('is emptied before the rows go, though it was set anew and nobody knew what it held', () => {
    const { app, ed, red, blue } = arrange()
    app.run(Session.commit)
    app.run(Session.set(model.Person, { favourite: null })(ed))
    for (const ball of [red, blue]) app.run(Session.remove(model.Ball)(ball))
    app.run(Session.remove(model.Person)(ed))
    app.run(Session.commit)
    expect([persons(app), app.rows('balls')]).toEqual([[], []])
  })

  test('is let go of where what it refers to goes alone', () => {
    const { app, ed, blue } = arrange()
    app.run(Session.commit)
    app.run(Session.set(model.Person, { favourite: null })(ed))
    app.run(Session.remove(model.Ball)(blue))
    app.run(Session.commit)
    expect(persons(app)).toMatchObject([{ favourite_id: null }])
  })

  test('is refused by the database where what it refers to goes, and nobody lets go', () => {
    const { app, blue } = arrange()
    app.run(Session.commit)
    app.run(Session.remove(model.Ball)(blue))
    expect(app.fails(Session.commit)).toMatchObject({
      _tag: 'IntegrityError',
      reason: { _tag: 'ForeignKeyViolation' },
      entity: 'Ball',
    })
  })

  test('goes from one row to another', () => {
    const { app, ed, blue } = arrange()
    const wendy = app.run(Session.add(model.Person, { name: 'wendy' }))
    app.run(Session.commit)
    app.run(Session.set(model.Person, { favourite: null })(ed))
    app.run(Session.set(model.Person, { favourite: blue })(wendy))
    app.run(Session.set(model.Ball, { owner: wendy })(blue))
    app.run(Session.commit)
    expect(persons(app)).toMatchObject([{ favourite_id: null }, { favourite_id: 2 }])
    expect(app.rows('balls')).toMatchObject([{ owner_id: 1 }, { owner_id: 2 }])
  })

  test('writes nothing where it is set to what it holds', () => {
    const { app, ed, blue } = arrange()
    app.run(Session.commit)
    app.run(Session.load(model.Person, 'favourite')(ed))
    app.run(Session.set(model.Person, { favourite: blue })(ed))
    expect(explained(app)).toBe('nothing to flush')
  })

  test('of what is outside of the unit of work is not written, and the flush says so', () => {
    const { app, ed } = arrange()
    app.run(Session.commit)
    const loose = app.run(Session.make(model.Ball, { colour: 'green' }))
    app.run(Session.set(model.Person, { favourite: loose })(ed))
    app.run(Session.expunge(model.Ball)(loose))
    expect(app.run(Session.flush)).toMatchObject({
      notices: [{ _tag: 'NotInUnitOfWork', entity: 'Person', relationship: 'favourite', target: 'Ball' }],
    })
  })
})

describe('rows of one entity', () => {
  const Peer = entity('Peer', 'peers', { id, name: text, friendId: pipe(integer, nullable), count: version(integer) })
  const peers = defineModel({ Peer })((r) => ({
    Peer: { friend: r.Peer.belongsTo('Peer', { foreignKey: 'friendId', postUpdate: true }) },
  }))

  test('refer to each other, and to themselves', () => {
    const app = openOn(peers, { autoflush: false })
    const a = app.run(Session.make(peers.Peer, { name: 'a' }))
    const b = app.run(Session.make(peers.Peer, { name: 'b', friend: a }))
    const c = app.run(Session.make(peers.Peer, { name: 'c' }))
    app.run(Session.set(peers.Peer, { friend: b })(a))
    app.run(Session.set(peers.Peer, { friend: c })(c))
    app.run(Session.addAll(peers.Peer, [a, b, c]))
    app.run(Session.commit)
    // the second write is no second version
    expect(app.rows('peers')).toMatchObject([
      { name: 'a', friendId: 2, count: 1 },
      { name: 'b', friendId: 1, count: 1 },
      { name: 'c', friendId: 3, count: 1 },
    ])
    for (const peer of [a, b, c]) app.run(Session.remove(peers.Peer)(peer))
    app.run(Session.commit)
    expect(app.rows('peers')).toEqual([])
  })
})

describe('a collection whose foreign keys are written by updates of their own', () => {
  const Page = entity('Page', 'pages', { id, name: text, bookId: pipe(integer, nullable) })
  const Book = entity('Book', 'books', { id, title: text, coverId: pipe(integer, nullable) })
  const books = defineModel({ Page, Book })((r) => ({
    Book: {
      pages: r.Book.hasMany('Page', { foreignKey: 'bookId', inverse: 'book', postUpdate: true, orderBy: 'id' }),
      cover: r.Book.belongsTo('Page', { foreignKey: 'coverId' }),
    },
    Page: { book: r.Page.belongsTo('Book', { foreignKey: 'bookId', inverse: 'pages' }) },
  }))

  test('comes, changes and goes, whichever side says so', () => {
    const app = openOn(books, { autoflush: false })
    const cover = app.run(Session.make(books.Page, { name: 'cover' }))
    const one = app.run(Session.make(books.Page, { name: 'one' }))
    const book = app.run(Session.add(books.Book, { title: 'a', pages: [cover, one], cover }))
    app.run(Session.commit)
    expect(app.rows('pages')).toMatchObject([{ bookId: 1 }, { bookId: 1 }])
    expect(app.rows('books')).toMatchObject([{ coverId: 1 }])
    app.run(Session.set(books.Page, { book: null })(one))
    app.run(Session.append(books.Book, 'pages', { name: 'two' })(book))
    app.run(Session.commit)
    expect(app.rows('pages')).toMatchObject([{ bookId: 1 }, { bookId: null }, { bookId: 1 }])
    app.run(Session.remove(books.Book)(book))
    app.run(Session.remove(books.Page)(cover))
    app.run(Session.commit)
    expect(app.rows('pages')).toMatchObject([{ bookId: null }, { bookId: null }])
  })
})

for (const { host, title, isMissing } of servers) {
  describe.skipIf(isMissing)(title, () => {
    test('takes rows that refer to each other, and lets them go', async () => {
      const app = await openOnServer(host, model)
      const blue = await app.run(Session.make(model.Ball, { colour: 'blue' }))
      const ed = await app.run(Session.add(model.Person, { name: 'ed', balls: [blue], favourite: blue }))
      await app.run(Session.commit)
      expect(await app.rows('persons')).toEqual([{ id: 1, name: 'ed', favourite_id: 1 }])
      expect(await app.rows('balls')).toEqual([{ id: 1, colour: 'blue', owner_id: 1 }])
      await app.run(
        Session.noAutoflush(
          Session.gen(function* () {
            yield* Session.remove(model.Ball)(blue)
            yield* Session.remove(model.Person)(ed)
          }),
        ),
      )
      await app.run(Session.commit)
      expect(await app.rows('persons')).toEqual([])
      expect(await app.rows('balls')).toEqual([])
    })
  })
}
