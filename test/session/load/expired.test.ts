import {
  deferred,
  defineModel,
  entity,
  generated,
  integer,
  type Managed,
  nullable,
  orderBy,
  primaryKey,
  type Snapshot,
  select,
  text,
  withOptions,
  withServerDefault,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { type App, model, open, openOn } from '../app.js'

type M = typeof model

const inspect = (app: App, snapshot: Snapshot) => Session.inspect(app.store.getState(), snapshot)

/** Two users, the first with two addresses; all of it stored, the first user and his addresses known. */
const arrange = (options: Session.RuntimeOptions = {}) => {
  const app = open(options)
  app.run(
    Session.addAll(model.User, [
      { name: 'ed', nickname: 'e', addresses: [{ email: 'a' }, { email: 'b' }] },
      { name: 'wendy' },
    ]),
  )
  app.run(Session.commit)
  app.run(Session.expungeAll)
  app.run(Session.commit)
  const [ed, wendy] = app.run(Session.query(pipe(select(model.User), orderBy('id')))) as readonly [User, User]
  const addresses = app.run(Session.load(model.User, 'addresses')(ed)) as readonly [Address, Address]
  app.clear()
  return { app, ed, wendy, addresses }
}

type User = Managed<M, 'User'>
type Address = Managed<M, 'Address'>

describe('an expired instance', () => {
  test('is still known by its key: found by it, and asked for by it', () => {
    const { app, ed } = arrange()
    app.run(Session.expire(model.User)(ed))
    expect(inspect(app, ed)).toMatchObject({ identity: { entity: 'User', key: 1, shard: null }, attributes: {} })
    const [found, statements] = app.counted(Session.get(model.User, 1))
    expect(statements).toHaveLength(1)
    expect(found).toMatchObject({ value: { name: 'ed' } })
    if (found._tag === 'Some') expect(inspect(app, found.value)?.id).toBe(inspect(app, ed)?.id)
  })

  test('gives its key to those that come to refer to it, without being loaded', () => {
    const { app, ed } = arrange()
    app.run(Session.commit)
    app.clear()
    app.run(Session.append(model.User, 'addresses', { email: 'c' })(ed))
    app.run(Session.add(model.Address, { email: 'd', user: ed }))
    app.run(Session.flush)
    expect(app.asked()).toEqual(['Begin', 'Insert addresses 2'])
    expect(app.rows('addresses').slice(2)).toMatchObject([{ user_id: 1 }, { user_id: 1 }])
  })

  test('is removed without its row being read, where nothing has to be known of it', () => {
    const { app, addresses } = arrange()
    app.run(Session.commit)
    app.clear()
    app.run(Session.remove(model.Address)(addresses[0]))
    app.run(Session.flush)
    expect(app.asked()).toEqual(['Begin', 'Delete addresses 1'])
  })

  test('is changed without its row being read, and what is set is known before the rest', () => {
    const { app, ed } = arrange()
    app.run(Session.expire(model.User)(ed))
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    expect(inspect(app, ed)).toMatchObject({ attributes: { id: 1, name: 'edward' }, changed: ['name'] })
    expect(app.asked()).toEqual([])
    const [read, statements] = app.counted(Session.noAutoflush(Session.read(model.User)(ed)))
    expect(read).toMatchObject({ name: 'edward', nickname: 'e' })
    expect(statements).toHaveLength(1)
  })

  test('has no history, and what is set of it has one without what was before', () => {
    const { app, ed } = arrange()
    app.run(Session.expire(model.User)(ed))
    expect(app.run(Session.history(model.User, 'name')(ed))).toEqual({ added: [], unchanged: [], deleted: [] })
    app.run(Session.set(model.User, { name: 'ed' })(ed))
    expect(app.run(Session.history(model.User, 'name')(ed))).toEqual({ added: ['ed'], unchanged: [], deleted: [] })
    expect(app.run(Session.flush).updated).toBe(1)
  })

  test('whose row is gone is ObjectDeleted, whatever is read of it', () => {
    const { app, ed, addresses } = arrange()
    app.run(Session.expireAll)
    app.database.exec('delete from addresses where id = 1; update addresses set user_id = null; delete from users')
    const gone = { _tag: 'ObjectDeleted', entity: 'User', key: 1, shard: null }
    const error = app.fails(Session.read(model.User)(ed))
    expect(error).toEqual(gone)
    expect(Session.render(error as Session.SessionError)).toBe('The row of User 1 is gone.')
    expect(app.fails(Session.refresh(model.User)(ed))).toEqual(gone)
    expect(app.fails(Session.load(model.Address, 'user')(addresses[0]))).toEqual({ ...gone, entity: 'Address' })
    // a collection is asked for by the key alone
    expect(app.run(Session.load(model.User, 'addresses')(ed))).toEqual([])
    expect(inspect(app, ed)?.status).toBe('persistent')
    // a get looks for a row, and there is none
    expect(app.run(Session.get(model.User, 1))).toEqual({ _tag: 'None' })
    expect(inspect(app, ed)?.status).toBe('deleted')
    expect(app.fails(Session.read(model.User)(ed))).toEqual(gone)
  })
})

describe('expire with names', () => {
  test('takes the names of attributes and relationships, and no others', () => {
    const { app, ed } = arrange()
    app.run(Session.expire(model.User, 'name', 'posts')(ed))
    // @ts-expect-error a misspelt attribute
    app.run(Session.expire(model.User, 'nane')(ed))
    // @ts-expect-error a relationship of another entity
    app.run(Session.refresh(model.User, 'user')(ed))
    expect(inspect(app, ed)?.attributes).toMatchObject({ id: 1, name: 'ed' })
  })

  test('of attributes loads the row once for all of them, and keeps changes of the others', () => {
    const { app, ed } = arrange()
    app.database.exec("update users set name = 'theirs', nickname = 'theirs'")
    app.run(Session.noAutoflush(Session.set(model.User, { nickname: 'mine' })(ed)))
    app.run(Session.expire(model.User, 'name', 'joined')(ed))
    expect(Object.keys(inspect(app, ed)?.attributes ?? {}).toSorted()).toEqual(['id', 'nickname'])
    const [read, statements] = app.counted(Session.noAutoflush(Session.read(model.User)(ed)))
    expect(read).toMatchObject({ name: 'theirs', nickname: 'mine' })
    expect(statements).toHaveLength(1)
    expect(app.run(Session.history(model.User, 'nickname')(ed))).toEqual({
      added: ['mine'],
      unchanged: [],
      deleted: ['e'],
    })
  })

  test('of an attribute forgets its change, and the flush writes the others', () => {
    const { app, ed } = arrange()
    app.run(Session.set(model.User, { name: 'never', nickname: 'n' })(ed))
    app.run(Session.expire(model.User, 'name')(ed))
    expect(app.run(Session.commit).updated).toBe(1)
    expect(app.rows('users')[0]).toMatchObject({ name: 'ed', nickname: 'n' })
  })

  test('of a relationship keeps the attributes, and what came into it is theirs', () => {
    const { app, ed, addresses } = arrange()
    app.run(Session.append(model.User, 'addresses', { email: 'c' })(ed))
    app.run(Session.detach(model.User, 'addresses', addresses[0])(ed))
    app.run(Session.expire(model.User, 'addresses')(ed))
    expect(inspect(app, ed)).toMatchObject({ attributes: { name: 'ed' }, changed: [], related: {} })
    expect(app.counted(Session.read(model.User)(ed))[1]).toEqual([])
    // the other sides know what has become of them
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([{ user_id: null }, { user_id: 1 }, { email: 'c', user_id: 1 }])
  })

  test('of an instance that has expired changes nothing', () => {
    const { app, ed } = arrange()
    app.run(Session.expire(model.User)(ed))
    app.run(Session.expire(model.User, 'name')(ed))
    expect(inspect(app, ed)?.attributes).toEqual({})
    expect(app.counted(Session.read(model.User)(ed))[1]).toHaveLength(1)
  })

  test('is for what is persistent', () => {
    const { app, ed } = arrange()
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    const refusal = { _tag: 'InvalidState', entity: 'User', key: null, status: 'pending' }
    expect(app.fails(Session.expire(model.User)(wendy))).toEqual({ ...refusal, operation: 'expire' })
    expect(app.fails(Session.expire(model.User, 'name')(wendy))).toEqual({ ...refusal, operation: 'expire' })
    expect(app.fails(Session.refresh(model.User)(wendy))).toEqual({ ...refusal, operation: 'refresh' })
    app.run(Session.expunge(model.User)(ed))
    expect(app.fails(Session.refresh(model.User)(ed))).toEqual({
      ...refusal,
      key: 1,
      status: 'detached',
      operation: 'refresh',
    })
  })
})

describe('the refresh-expire cascade', () => {
  const Order = entity('Order', 'orders', {
    id: pipe(integer, primaryKey, generated),
    customer: text,
    total: pipe(integer, withServerDefault(sql`0`)),
  })
  const Line = entity('Line', 'order_lines', {
    id: pipe(integer, primaryKey, generated),
    article: text,
    orderId: pipe(integer, nullable),
    alternativeToId: pipe(integer, nullable),
  })
  const cascade = ['save-update', 'merge', 'refresh-expire'] as const
  const orders = defineModel({ Order, Line })((r) => ({
    Order: { lines: r.Order.hasMany('Line', { foreignKey: 'orderId', cascade, orderBy: 'id' }) },
    Line: {
      alternatives: r.Line.hasMany('Line', { foreignKey: 'alternativeToId', cascade, orderBy: 'id' }),
    },
  }))
  const arrangeOrder = () => {
    const app = openOn(orders)
    const order = app.run(
      Session.add(orders.Order, {
        customer: 'ed',
        lines: [{ article: 'pen', alternatives: [{ article: 'pencil' }] }, { article: 'ink' }],
      }),
    )
    app.run(Session.flush)
    app.run(Session.read(orders.Order)(order))
    const [pen, ink] = app.run(Session.related(orders.Order, 'lines')(order)) as readonly [
      Managed<typeof orders, 'Line'>,
      Managed<typeof orders, 'Line'>,
    ]
    const [pencil] = app.run(Session.related(orders.Line, 'alternatives')(pen)) as readonly [
      Managed<typeof orders, 'Line'>,
    ]
    return { app, order, pen, ink, pencil }
  }

  test('expires with an instance all that it reaches, with their changes', () => {
    const { app, order, pen, ink, pencil } = arrangeOrder()
    app.run(Session.set(orders.Line, { article: 'never' })(pencil))
    app.run(Session.expire(orders.Order)(order))
    for (const one of [order, pen, ink, pencil])
      expect(inspect(app, one)).toMatchObject({ attributes: {}, changed: [] })
    expect(app.run(Session.commit).updated).toBe(0)
  })

  test('starts where the expiry does, and leaves what is pending', () => {
    const { app, order, pen, ink, pencil } = arrangeOrder()
    app.run(Session.append(orders.Line, 'alternatives', { article: 'chalk' })(pen))
    app.run(Session.expire(orders.Line)(pen))
    expect([order, pen, ink, pencil].map((one) => Object.keys(inspect(app, one)?.attributes ?? {}).length > 0)).toEqual(
      [true, false, true, false],
    )
    app.run(Session.commit)
    expect(app.rows('order_lines')).toContainEqual(expect.objectContaining({ article: 'chalk' }))
  })

  test('takes along what is pending and an orphan without what expires, and what that holds', () => {
    const Owner = entity('Owner', 'owners', { id: pipe(integer, primaryKey, generated), name: text })
    const Part = entity('Part', 'parts', {
      id: pipe(integer, primaryKey, generated),
      name: text,
      ownerId: pipe(integer, nullable),
      partId: pipe(integer, nullable),
    })
    const orphaning = [...cascade, 'delete', 'delete-orphan'] as const
    const owners = defineModel({ Owner, Part })((r) => ({
      Owner: { parts: r.Owner.hasMany('Part', { foreignKey: 'ownerId', cascade: orphaning }) },
      Part: { parts: r.Part.hasMany('Part', { foreignKey: 'partId', cascade: orphaning }) },
    }))
    const app = openOn(owners)
    const owner = app.run(Session.add(owners.Owner, { name: 'a', parts: [{ name: 'old' }] }))
    app.run(Session.commit)
    app.run(Session.load(owners.Owner, 'parts')(owner))
    app.run(Session.append(owners.Owner, 'parts', { name: 'new', parts: [{ name: 'newer' }] })(owner))
    const alone = app.run(Session.add(owners.Part, { name: 'alone' }))
    app.run(Session.expire(owners.Owner)(owner))
    expect(inspect(app, alone)?.status).toBe('pending')
    app.run(Session.commit)
    expect(app.rows('parts')).toMatchObject([{ name: 'old' }, { name: 'alone' }])
  })

  test('is not followed where names are given', () => {
    const { app, order, pen } = arrangeOrder()
    app.run(Session.expire(orders.Order, 'customer', 'lines')(order))
    expect(inspect(app, pen)?.attributes).toMatchObject({ article: 'pen' })
  })

  test('is followed by refresh: what it reached is loaded again when it is read', () => {
    const { app, order, pen } = arrangeOrder()
    app.database.exec("update order_lines set article = 'theirs'")
    expect(app.counted(Session.refresh(orders.Order)(order))[1]).toHaveLength(1)
    const [line, statements] = app.counted(Session.read(orders.Line)(pen))
    expect(line.article).toBe('theirs')
    expect(statements).toHaveLength(1)
  })
})

describe('refresh with names', () => {
  test('of attributes loads the row, and overwrites these alone', () => {
    const { app, ed } = arrange({ autoflush: false })
    app.run(Session.set(model.User, { name: 'mine', nickname: 'mine' })(ed))
    app.database.exec("update users set name = 'theirs', nickname = 'theirs'")
    const [read, statements] = app.counted(Session.refresh(model.User, 'name')(ed))
    expect(read).toMatchObject({ name: 'theirs', nickname: 'mine' })
    expect(statements).toHaveLength(1)
    expect(inspect(app, ed)?.changed).toEqual(['nickname'])
  })

  test('of a collection loads it in one statement, and nothing else', () => {
    const { app, ed } = arrange()
    app.database.exec("update users set name = 'theirs'; delete from addresses where id = 1")
    const [read, statements] = app.counted(Session.refresh(model.User, 'addresses')(ed))
    expect(statements).toHaveLength(1)
    expect(read.name).toBe('ed')
    expect(app.counted(Session.related(model.User, 'addresses')(ed))).toMatchObject([[{ email: 'b' }], []])
  })

  test('of a reference follows the foreign key that is stored now', () => {
    const { app, addresses } = arrange()
    app.run(Session.load(model.Address, 'user')(addresses[0]))
    app.database.exec('update addresses set user_id = 2')
    app.run(Session.refresh(model.Address, 'userId', 'user')(addresses[0]))
    expect(app.counted(Session.related(model.Address, 'user')(addresses[0]))).toMatchObject([
      { value: { name: 'wendy' } },
      [],
    ])
  })

  test('flushes what else there is to write first, unless the session does not', () => {
    for (const autoflush of [true, false]) {
      const { app, ed, wendy } = arrange({ autoflush })
      app.run(Session.set(model.User, { name: 'never' })(ed))
      app.run(Session.set(model.User, { name: 'wanda' })(wendy))
      const [read, statements] = app.counted(Session.refresh(model.User)(ed))
      expect(read.name).toBe('ed')
      expect(statements.filter((statement) => statement.startsWith('Update'))).toEqual(
        autoflush ? ['Update users 1'] : [],
      )
      app.run(Session.commit)
      expect(app.rows('users')).toMatchObject([{ name: 'ed' }, { name: 'wanda' }])
    }
  })
})

describe('populateExisting', () => {
  const users = pipe(select(model.User), orderBy('id'))

  test('of a get asks although the identity map could answer, and overwrites changes', () => {
    const { app, ed } = arrange({ autoflush: false })
    app.run(Session.set(model.User, { nickname: 'mine' })(ed))
    app.database.exec("update users set name = 'theirs'")
    expect(app.counted(Session.get(model.User, 1))).toMatchObject([{ value: { name: 'ed', nickname: 'mine' } }, []])
    const [found, statements] = app.counted(Session.get(model.User, 1, { populateExisting: true }))
    expect(found).toMatchObject({ value: { name: 'theirs', nickname: 'e' } })
    expect(statements).toHaveLength(1)
    expect(inspect(app, ed)).toMatchObject({ changed: [], attributes: { name: 'theirs' } })
  })

  test('forgets what is known of relationships too', () => {
    const { app, ed } = arrange()
    app.database.exec("update addresses set email = 'c', user_id = 2 where id = 2")
    app.run(Session.query(pipe(users, withOptions({ populateExisting: true }))))
    const [addresses, statements] = app.counted(Session.load(model.User, 'addresses')(ed))
    expect(addresses).toMatchObject([{ email: 'a' }])
    expect(statements).toHaveLength(1)
  })

  test('flushes first where the session does: then the changes are what it finds', () => {
    const { app, ed } = arrange()
    app.run(Session.set(model.User, { nickname: 'mine' })(ed))
    expect(app.run(Session.get(model.User, 1, { populateExisting: true }))).toMatchObject({
      value: { nickname: 'mine' },
    })
    app.run(Session.commit)
    expect(app.rows('users')[0]).toMatchObject({ nickname: 'mine' })
  })

  test('leaves what is to be deleted to be deleted', () => {
    const { app, ed } = arrange({ autoflush: false })
    app.run(Session.remove(model.User)(ed))
    app.run(Session.query(pipe(users, withOptions({ populateExisting: true }))))
    expect(inspect(app, ed)).toMatchObject({ isMarkedForDeletion: true })
    // and whom it is to leave behind is known still
    expect(app.counted(Session.commit)[1].filter((ran) => ran.includes('from "addresses"'))).toEqual([])
    expect(app.rows('users')).toMatchObject([{ name: 'wendy' }])
    expect(app.rows('addresses')).toMatchObject([{ user_id: null }, { user_id: null }])
  })
})

describe('a commit', () => {
  test('that expires costs one statement for each instance that is read then, and none for others', () => {
    const { app, ed } = arrange()
    app.run(Session.commit)
    expect(app.counted(Session.read(model.User)(ed))[1]).toHaveLength(1)
    expect(app.counted(Session.read(model.User)(ed))[1]).toEqual([])
  })

  test('that does not keeps attributes and relationships, however stale', () => {
    const { app, ed, addresses } = arrange({ expireOnCommit: false })
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.commit)
    app.database.exec("update users set name = 'theirs'; update addresses set email = 'c' where id = 1")
    const known = Session.gen(function* () {
      const user = yield* Session.read(model.User)(ed)
      const address = yield* Session.read(model.Address)(addresses[0])
      return [user.name, address.email, (yield* Session.load(model.User, 'addresses')(ed)).length]
    })
    expect(app.counted(known)).toEqual([['edward', 'a', 2], []])
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
    // until it is told to forget
    app.run(Session.expire(model.User)(ed))
    expect(app.run(Session.read(model.User)(ed)).name).toBe('theirs')
  })

  test('that does not still leaves a rollback after it to expire everything', () => {
    const { app, ed } = arrange({ expireOnCommit: false })
    app.run(Session.commit)
    app.run(Session.set(model.User, { name: 'never' })(ed))
    app.database.exec("update users set name = 'theirs' where id = 1")
    app.run(Session.rollback)
    expect(inspect(app, ed)).toMatchObject({ attributes: {}, changed: [] })
    expect(app.run(Session.read(model.User)(ed)).name).toBe('theirs')
  })

  test('a deleted instance is detached by it, or stays deleted where nothing expires', () => {
    for (const expireOnCommit of [true, false]) {
      const { app, wendy } = arrange({ expireOnCommit })
      app.run(Session.remove(model.User)(wendy))
      app.run(Session.commit)
      expect(inspect(app, wendy)?.status).toBe(expireOnCommit ? 'detached' : 'deleted')
    }
  })
})

describe('a foreign key attribute', () => {
  test('that is changed does not move a loaded reference, nor collections, until they expire', () => {
    const { app, ed, wendy, addresses } = arrange()
    const [a] = addresses
    app.run(Session.load(model.Address, 'user')(a))
    app.run(Session.load(model.User, 'addresses')(wendy))
    app.run(Session.set(model.Address, { userId: 2 })(a))
    const held = Session.gen(function* () {
      const user = yield* Session.load(model.Address, 'user')(a)
      const his = yield* Session.load(model.User, 'addresses')(ed)
      const hers = yield* Session.load(model.User, 'addresses')(wendy)
      return [user._tag === 'Some' ? user.value.name : null, his.length, hers.length]
    })
    expect(app.run(held)).toEqual(['ed', 2, 0])
    app.run(Session.flush)
    expect(app.rows('addresses')).toMatchObject([{ user_id: 2 }, { user_id: 1 }])
    expect(app.run(held)).toEqual(['ed', 2, 0])
    app.run(Session.expire(model.Address, 'user')(a))
    expect(app.run(held)).toEqual(['wendy', 2, 0])
    app.run(Session.commit)
    expect(app.run(held)).toEqual(['wendy', 1, 1])
  })

  test('that is changed before its reference is known decides what that is', () => {
    const { app, addresses } = arrange()
    app.run(Session.set(model.Address, { userId: 2 })(addresses[0]))
    expect(app.run(Session.load(model.Address, 'user')(addresses[0]))).toMatchObject({ value: { name: 'wendy' } })
  })

  test('of what is new leads to whom it names, where the session knows', () => {
    const { app, wendy } = arrange()
    const address = app.run(Session.add(model.Address, { email: 'c', userId: 2 } as never)) as Snapshot<'Address'>
    const [user, statements] = app.counted(Session.noAutoflush(Session.load(model.Address, 'user')(address)))
    expect(user).toMatchObject({ value: { name: wendy.name } })
    expect(statements).toEqual([])
  })
})

describe('a deferred attribute', () => {
  const Page = entity('Page', 'pages', {
    id: pipe(integer, primaryKey, generated),
    title: text,
    body: pipe(text, nullable, deferred),
    notes: pipe(text, nullable, deferred),
  })
  const pages = defineModel({ Page })(() => ({}))
  const arrangePage = () => {
    const app = openOn(pages)
    app.run(Session.add(pages.Page, { title: 't', body: 'long', notes: 'n' }))
    app.run(Session.commit)
    app.run(Session.expungeAll)
    const page = app.run(Session.one(select(pages.Page)))
    app.clear()
    return { app, page }
  }

  test('is not loaded with the row, and is no reason to load it again', () => {
    const { app, page } = arrangePage()
    expect(Object.entries(page).filter(([, value]) => value !== undefined)).toEqual([
      ['id', 1],
      ['title', 't'],
    ])
    expectTypeOf(page).not.toHaveProperty('body')
    expect(app.counted(Session.read(pages.Page)(page))).toEqual([page, []])
  })

  test('is loaded when it is asked for, several at once, and kept until it expires', () => {
    const { app, page } = arrangePage()
    const [whole, statements] = app.counted(Session.loadAttributes(pages.Page, 'body', 'notes')(page))
    expect([whole.body, whole.notes, whole.title]).toEqual(['long', 'n', 't'])
    expect(statements).toHaveLength(1)
    expect(app.counted(Session.loadAttributes(pages.Page, 'body')(page))[1]).toEqual([])
    app.run(Session.expire(pages.Page)(page))
    app.run(Session.read(pages.Page)(page))
    expect(inspect(app, page)?.attributes).not.toHaveProperty('body')
  })

  test('does not bring along what has changed of the others', () => {
    const { app, page } = arrangePage()
    app.database.exec("update pages set title = 'theirs', body = 'theirs'")
    const whole = app.run(Session.loadAttributes(pages.Page, 'body')(page))
    expect([whole.title, whole.body]).toEqual(['t', 'theirs'])
  })

  test('is written where it is set without being known, also to what is stored', () => {
    const { app, page } = arrangePage()
    app.run(Session.set(pages.Page, { body: 'long' })(page))
    expect(app.counted(Session.flush)).toMatchObject([{ updated: 1 }, ['Update pages 1']])
    const whole = app.run(Session.loadAttributes(pages.Page, 'body')(page))
    app.run(Session.set(pages.Page, { body: 'long' })(whole))
    expect(app.run(Session.flush).updated).toBe(0)
  })

  test('is refreshed where it is named', () => {
    const { app, page } = arrangePage()
    app.run(Session.loadAttributes(pages.Page, 'body', 'notes')(page))
    app.database.exec("update pages set body = 'theirs', notes = 'theirs', title = 'theirs'")
    expect(app.counted(Session.refresh(pages.Page, 'body')(page))[1]).toHaveLength(1)
    expect(inspect(app, page)?.attributes).toEqual({ id: 1, title: 't', body: 'theirs', notes: 'n' })
    app.run(Session.expire(pages.Page, 'body')(page))
    expect(app.counted(Session.read(pages.Page)(page))).toMatchObject([{ title: 't', notes: 'n' }, []])
    expect(inspect(app, page)?.attributes).not.toHaveProperty('body')
  })

  test('of a row that is gone is ObjectDeleted', () => {
    const { app, page } = arrangePage()
    app.database.exec('delete from pages')
    expect(app.fails(Session.loadAttributes(pages.Page, 'body')(page))).toEqual({
      _tag: 'ObjectDeleted',
      entity: 'Page',
      key: 1,
      shard: null,
    })
  })

  test('is loaded only for what is persistent', () => {
    const { app, page } = arrangePage()
    const made = app.run(Session.add(pages.Page, { title: 'new' }))
    const refusal = { _tag: 'InvalidState', entity: 'Page', operation: 'load' }
    expect(app.fails(Session.loadAttributes(pages.Page, 'body')(made))).toEqual({
      ...refusal,
      key: null,
      status: 'pending',
    })
    app.run(Session.expunge(pages.Page)(page))
    app.run(Session.get(pages.Page, 1))
    expect(app.fails(Session.loadAttributes(pages.Page, 'body')(page))).toEqual({
      ...refusal,
      key: 1,
      status: 'detached',
    })
  })
})
