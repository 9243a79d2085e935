import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  bigint,
  column,
  createAllSync,
  defineModel,
  entity,
  generated,
  integer,
  isoDate,
  nullable,
  primaryKey,
  type Snapshot,
  select,
  text,
  unique,
  where,
  withOptions,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { left } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { afterEach, describe, expect, test } from 'vitest'
import { type App, errorOf, model, open, openOn, resultOf, services } from './app.js'

/** After a failure: the session works again, and nothing of what failed is there. */
const worksAgain = (app: App, table: string, expected: ReadonlyArray<unknown>): void => {
  app.run(Session.rollback)
  expect(app.database.inTransaction).toBe(false)
  expect(app.rows(table)).toMatchObject(expected)
  app.run(Session.add(model.Country, { code: 'ok', title: 'works again' }))
  app.run(Session.commit)
  expect(app.rows('countries')).toContainEqual({ code: 'ok', title: 'works again' })
}

describe('a row that its codec rejects', () => {
  const insertBad = (app: App) =>
    app.database.exec(`
      insert into users (id, name, joined_at) values (1, 'ed', '2026-01-01T00:00:00.000Z');
      insert into users (id, name, joined_at) values (7, 'wendy', 'yesterday')`)

  test.each([
    ['a query', () => Session.query(select(model.User))],
    ['a get', () => Session.get(model.User, 7)],
  ])('is a DecodeError that says what stands where, from %s', (_, program) => {
    const app = open()
    insertBad(app)
    const before = app.store.getState()
    expect(app.fails(program() as Session.Program<unknown, unknown>)).toEqual({
      _tag: 'DecodeError',
      entity: 'User',
      table: 'users',
      attribute: 'joined',
      column: 'joined_at',
      key: 7,
      value: 'yesterday',
      expected: 'isoDate',
      shard: null,
    })
    expect(app.store.getState()).toBe(before)
    expect(app.run(Session.get(model.User, 1))).toMatchObject({ value: { name: 'ed' } })
    worksAgain(app, 'users', [{ id: 1 }, { id: 7 }])
  })

  test('is a DecodeError where it is loaded beside another', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.database.exec("insert into addresses (id, email, is_primary, user_id) values (3, 'a', 2, 1)")
    expect(app.fails(Session.load(model.User, 'addresses')(ed))).toMatchObject({
      _tag: 'DecodeError',
      entity: 'Address',
      attribute: 'isPrimary',
      column: 'is_primary',
      key: 3,
      value: 2,
      expected: 'boolean',
    })
    app.database.exec('update addresses set is_primary = 1')
    expect(app.run(Session.load(model.User, 'addresses')(ed))).toMatchObject([{ isPrimary: true }])
  })

  test('names all parts of a key of several columns', () => {
    const app = open()
    app.database.exec(`
      pragma foreign_keys = off;
      insert into visits (user_id, country_code, times) values (1, 'fr', 'often')`)
    expect(app.fails(Session.query(select(model.Visit)))).toMatchObject({ key: [1, 'fr'], value: 'often' })
  })

  test('is taken as it is where the query is not strict and the codec only checks', () => {
    const app = open()
    app.database.exec(`
      pragma foreign_keys = off;
      insert into visits (user_id, country_code, times) values (1, 'fr', 'often')`)
    const trusting = pipe(select(model.Visit), withOptions({ strict: false }))
    expect(app.run(Session.query(trusting))).toMatchObject([{ times: 'often' }])
  })
})

describe('a constraint violation', () => {
  const Thing = entity('Thing', 'things', {
    id: pipe(integer, primaryKey, generated),
    name: pipe(text, unique),
    at: pipe(column(isoDate, 'text'), nullable, unique),
    size: integer,
    ownerId: pipe(integer, nullable, unique),
  })
  const Owner = entity('Owner', 'owners', { id: pipe(integer, primaryKey, generated), name: text })
  const things = defineModel({ Thing, Owner })((r) => ({
    Thing: { owner: r.Thing.belongsTo('Owner', { foreignKey: 'ownerId' }) },
  }))
  const arrange = () => {
    const app = openOn(things)
    app.database.exec(`
      drop table things;
      create table things (
        id integer primary key, name text not null unique, at text unique, size integer not null check (size > 0),
        ownerId integer unique references owners (id))`)
    return app
  }
  const nothingWritten = (app: App): void => {
    expect(app.fails(Session.commit)).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.rollback)
    expect(app.database.inTransaction).toBe(false)
    expect(app.rows('things')).toEqual([])
    app.run(Session.add(things.Thing, { name: 'good', size: 1 }))
    app.run(Session.commit)
    expect(app.rows('things')).toMatchObject([{ name: 'good' }])
  }

  test('of uniqueness names the attribute and the value, of the one row among many that was refused', () => {
    const app = arrange()
    const drafts = Array.from({ length: 250 }, (_, i) => ({ name: i === 201 ? 'n7' : `n${i}`, size: 1 }))
    app.run(Session.addAll(things.Thing, drafts))
    expect(app.fails(Session.flush)).toMatchObject({
      _tag: 'IntegrityError',
      reason: { _tag: 'UniqueViolation', table: 'things', columns: ['name'] },
      entity: 'Thing',
      table: 'things',
      attributes: ['name'],
      values: ['n7'],
      shard: null,
      cause: { _tag: 'EngineError', row: 201 },
    })
    nothingWritten(app)
  })

  test('of uniqueness shows the value of a foreign key that the same flush gave', () => {
    const app = arrange()
    const owner = { name: 'o' }
    app.database.exec("insert into owners (id, name) values (100, 'first')")
    app.run(
      Session.addAll(things.Thing, [
        { name: 'a', size: 1, owner },
        { name: 'b', size: 1, owner },
      ]),
    )
    expect(app.fails(Session.flush)).toMatchObject({ attributes: ['ownerId'], values: [101] })
    nothingWritten(app)
  })

  test('of NOT NULL names the attribute', () => {
    const app = arrange()
    app.run(Session.add(things.Thing, { name: 'a' } as never))
    expect(app.fails(Session.flush)).toMatchObject({
      _tag: 'IntegrityError',
      reason: { _tag: 'NotNullViolation' },
      entity: 'Thing',
    })
    nothingWritten(app)
  })

  test('of a CHECK names the entity', () => {
    const app = arrange()
    app.run(Session.add(things.Thing, { name: 'a', size: -1 }))
    expect(app.fails(Session.flush)).toMatchObject({
      _tag: 'IntegrityError',
      reason: { _tag: 'CheckViolation' },
      entity: 'Thing',
      table: 'things',
    })
    nothingWritten(app)
  })

  test('of a foreign key names the entity', () => {
    const app = arrange()
    app.run(Session.add(things.Thing, { name: 'a', size: 1, ownerId: 99 }))
    expect(app.fails(Session.flush)).toMatchObject({
      _tag: 'IntegrityError',
      reason: { _tag: 'ForeignKeyViolation' },
      entity: 'Thing',
      table: 'things',
    })
    nothingWritten(app)
  })

  test('of an update names the key of the row, and the update is undone', () => {
    const app = arrange()
    const [a, b] = app.run(
      Session.addAll(things.Thing, [
        { name: 'a', size: 1 },
        { name: 'b', size: 1 },
      ]),
    ) as unknown as readonly [Snapshot<'Thing'>, Snapshot<'Thing'>]
    app.run(Session.commit)
    app.run(Session.set(things.Thing, { name: 'c' })(a))
    app.run(Session.set(things.Thing, { name: 'c' })(b))
    expect(app.fails(Session.commit)).toMatchObject({
      _tag: 'IntegrityError',
      reason: { _tag: 'UniqueViolation' },
      attributes: ['name'],
      values: ['c'],
      key: 2,
    })
    app.run(Session.rollback)
    expect(app.rows('things')).toMatchObject([{ name: 'a' }, { name: 'b' }])
    expect(app.run(Session.read(things.Thing)(a))).toMatchObject({ name: 'a' })
  })

  test('of a delete names the key of the row', () => {
    const app = arrange()
    app.run(Session.add(things.Thing, { name: 'a', size: 1, owner: { name: 'o' } }))
    app.run(Session.commit)
    const owner = app.run(Session.get(things.Owner, 1))
    if (owner._tag === 'None') throw new Error('no owner')
    app.run(Session.remove(things.Owner)(owner.value))
    expect(app.fails(Session.commit)).toMatchObject({
      _tag: 'IntegrityError',
      reason: { _tag: 'ForeignKeyViolation' },
      entity: 'Owner',
      key: 1,
    })
    app.run(Session.rollback)
    expect(app.rows('owners')).toHaveLength(1)
  })

  test('of a key of 64 bits in several columns is told like any other', () => {
    const Pair = entity('Pair', 'pairs', {
      a: pipe(bigint, primaryKey),
      b: pipe(bigint, primaryKey),
      name: pipe(text, unique),
    })
    const pairs = defineModel({ Pair })(() => ({}))
    const app = openOn(pairs)
    const [, second] = app.run(
      Session.addAll(pairs.Pair, [
        { a: 1n, b: 2n, name: 'x' },
        { a: 2n ** 60n, b: 3n, name: 'y' },
      ]),
    )
    app.run(Session.commit)
    app.run(Session.set(pairs.Pair, { name: 'x' })(second as Snapshot<'Pair'>))
    const error = app.fails(Session.flush)
    expect(error).toMatchObject({ _tag: 'IntegrityError', key: [2n ** 60n, 3n], values: ['x'] })
    expect(Session.render(error)).toContain('Pair ["1152921504606846976n","3n"]')
    app.run(Session.rollback)
    expect(app.run(Session.read(pairs.Pair)(second as Snapshot<'Pair'>))).toMatchObject({ name: 'y' })
  })

  test('renders as a sentence with the place and the value', () => {
    const app = arrange()
    app.run(
      Session.addAll(things.Thing, [
        { name: 'a', size: 1 },
        { name: 'a', size: 1 },
      ]),
    )
    expect(Session.render(app.fails(Session.flush))).toBe(
      'Thing was refused by table things: UNIQUE constraint failed: things.name (name = "a").',
    )
  })
})

describe('a database that is not as it should be', () => {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  test('a missing table is a DatabaseError, from a read and from a flush', () => {
    const app = open()
    app.database.exec('drop table comments')
    expect(app.fails(Session.query(select(model.Comment)))).toMatchObject({
      _tag: 'DatabaseError',
      operation: 'query',
      entity: 'Comment',
      shard: null,
      retryable: false,
      cause: { reason: { _tag: 'UnknownTable', table: 'comments' } },
    })
    // a read that failed costs nothing
    app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    app.run(Session.add(model.Comment, { body: 'x' }))
    expect(app.fails(Session.flush)).toMatchObject({
      _tag: 'DatabaseError',
      operation: 'insert',
      entity: 'Comment',
      cause: { reason: { _tag: 'UnknownTable' } },
    })
    worksAgain(app, 'users', [])
  })

  test('a missing column is a DatabaseError', () => {
    const app = open()
    app.database.exec('alter table users drop column nickname')
    expect(app.fails(Session.query(select(model.User)))).toMatchObject({
      _tag: 'DatabaseError',
      cause: { reason: { _tag: 'UnknownColumn' } },
    })
    worksAgain(app, 'users', [])
  })

  test('a closed engine is a DatabaseError, for reads and writes, with and without waiting', async () => {
    const engine = sqliteEngine(new Database(':memory:'))
    resultOf(createAllSync(model)(engine))
    const runtime = Session.runtime(model, engine, { services: () => services })
    const store = Session.createStore(runtime)
    const ed = resultOf(store.runSync(Session.add(model.User, { name: 'ed' })))
    await engine.close()
    const closed = { _tag: 'DatabaseError', operation: 'connect', cause: { reason: { _tag: 'Unavailable' } } }
    expect(errorOf(store.runSync(Session.flush))).toMatchObject(closed)
    resultOf(store.runSync(Session.rollback))
    expect(errorOf(store.runSync(Session.get(model.User, 1)))).toMatchObject(closed)
    expect(await Session.run(runtime)(Session.get(model.User, 1))()).toMatchObject(left(closed))
    expect(Session.inspect(store.getState(), ed)).toMatchObject({ status: 'transient' })
  })

  test('an engine that closes within a transaction is a DatabaseError, and nothing is half written', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'unitary-'))
    folders.push(folder)
    const engine = sqliteEngine(new Database(join(folder, 'test.db')))
    resultOf(createAllSync(model)(engine))
    const store = Session.createStore(Session.runtime(model, engine, { services: () => services }))
    resultOf(store.runSync(Session.add(model.User, { name: 'ed' })))
    resultOf(store.runSync(Session.flush))
    await engine.close()
    expect(errorOf(store.runSync(Session.commit))).toMatchObject({
      _tag: 'DatabaseError',
      operation: 'commit',
      cause: { reason: { _tag: 'Unavailable' } },
    })
    const reopened = new Database(join(folder, 'test.db'))
    expect(reopened.prepare('select * from users').all()).toEqual([])
    reopened.close()
  })

  test('a file that is locked is a DatabaseError that may be tried again', () => {
    const folder = mkdtempSync(join(tmpdir(), 'unitary-'))
    folders.push(folder)
    const file = join(folder, 'test.db')
    const engine = sqliteEngine(new Database(file), { busyTimeout: 1 })
    resultOf(createAllSync(model)(engine))
    const other = new Database(file)
    other.exec('begin immediate')
    const store = Session.createStore(Session.runtime(model, engine, { services: () => services }))
    resultOf(store.runSync(Session.add(model.User, { name: 'ed' })))
    expect(errorOf(store.runSync(Session.commit))).toMatchObject({ _tag: 'DatabaseError', retryable: true })
    other.exec('rollback')
    other.close()
    resultOf(store.runSync(Session.rollback))
    resultOf(store.runSync(Session.add(model.User, { name: 'ed' })))
    expect(resultOf(store.runSync(Session.commit)).inserted).toBe(1)
  })
})

describe('another model', () => {
  const Other = entity('User', 'users', { id: pipe(integer, primaryKey), name: text })
  const otherModel = defineModel({ User: Other })(() => ({}))
  const mismatch = { _tag: 'ModelMismatch', entity: 'User' }

  test('is a ModelMismatch, whatever is done with it', () => {
    const app = open()
    const ed = app.run(Session.make(model.User, { name: 'ed' })) as Snapshot<'User'>
    const programs: ReadonlyArray<Session.Program<unknown, unknown>> = [
      Session.add(otherModel.User, { id: 1, name: 'ed' }),
      Session.make(otherModel.User, { id: 1, name: 'ed' }),
      Session.get(otherModel.User, 1),
      Session.query(select(otherModel.User)),
      Session.set(otherModel.User, { name: 'x' })(ed),
      Session.read(otherModel.User)(ed),
      Session.refresh(otherModel.User)(ed),
      Session.expire(otherModel.User)(ed),
      Session.remove(otherModel.User)(ed),
    ]
    for (const program of programs) expect(app.fails(program)).toEqual(mismatch)
    expect(app.run(Session.flush)).toMatchObject({ inserted: 0 })
  })

  test('a state of another model does not run programs of this one', () => {
    const app = open()
    const [, state] = Session.runStateSync(openOn(otherModel).runtime)(
      Session.add(otherModel.User, { id: 1, name: 'ed' }),
    )
    expect(Session.runStateSync(app.runtime, state)(Session.get(model.User, 1))[0]).toEqual(left(mismatch))
  })
})

describe('a snapshot that does not belong', () => {
  test('to the entity is NotInSession', () => {
    const app = open()
    const country = app.run(Session.add(model.Country, { code: 'fr', title: 'France' }))
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    const notUser = { _tag: 'NotInSession', entity: 'User' }
    expect(app.fails(Session.set(model.User, { name: 'x' })(country as never))).toEqual(notUser)
    expect(app.fails(Session.add(model.User, country as never))).toEqual(notUser)
    expect(app.fails(Session.read(model.User)(country as never))).toEqual(notUser)
    expect(app.fails(Session.remove(model.User)(country as never))).toEqual(notUser)
    expect(app.fails(Session.load(model.User, 'addresses')(country as never))).toEqual(notUser)
    expect(app.fails(Session.append(model.User, 'addresses', { email: 'a' })(country as never))).toEqual(notUser)
    expect(app.fails(Session.append(model.User, 'addresses', ed as never)(ed))).toEqual({
      _tag: 'NotInSession',
      entity: 'Address',
    })
    expect(app.fails(Session.add(model.Address, { email: 'a', user: country as never }))).toEqual(notUser)
  })

  test('to this session’s state is NotInSession', () => {
    const [made] = Session.runStateSync(open().runtime)(Session.add(model.User, { name: 'ed' }))
    const app = open()
    expect(app.fails(Session.read(model.User)(resultOf(made)))).toEqual({ _tag: 'NotInSession', entity: 'User' })
  })

  // a snapshot knows its number only, and another session may have an instance of that number
  test.fails('to this session, whose number another instance of this session has, is NotInSession', () => {
    const ed = open().run(Session.add(model.User, { name: 'ed' }))
    const app = open()
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    app.store.runSync(Session.set(model.User, { nickname: 'meant for ed' })(ed))
    expect(app.run(Session.read(model.User)(wendy)).nickname).toBeNull()
  })

  test.each([
    ['null', null],
    ['a number', 5],
    ['plain data', { name: 'ed' }],
    ['nothing', undefined],
  ])('%s is no snapshot', (_, value) => {
    const app = open()
    expect(app.fails(Session.read(model.User)(value as never))).toEqual({ _tag: 'NotInSession', entity: 'User' })
  })
})

describe('a draft or patch that does not fit', () => {
  const refuse = (app: App, draft: object): unknown => {
    const before = app.store.getState()
    const error = app.fails(Session.add(model.User, draft as never))
    expect(app.store.getState()).toBe(before)
    return error
  }

  test('with a name that the entity does not have is an InvalidValue', () => {
    expect(refuse(open(), { name: 'ed', age: 5 })).toEqual({
      _tag: 'InvalidValue',
      entity: 'User',
      attribute: 'age',
      value: 5,
      problem: 'User has no attribute or relationship of that name',
    })
    expect(refuse(open(), { name: 'ed', nickname: undefined, age: undefined })).toMatchObject({ attribute: 'age' })
  })

  test('with a value of the wrong type is an InvalidValue that names it', () => {
    expect(refuse(open(), { name: 5 })).toEqual({
      _tag: 'InvalidValue',
      entity: 'User',
      attribute: 'name',
      value: 5,
      problem: 'it is no string',
    })
    expect(refuse(open(), { name: 'ed', joined: '2026' })).toMatchObject({
      attribute: 'joined',
      problem: 'it is no isoDate',
    })
    expect(refuse(open(), { name: 'ed', joined: new Date(Number.NaN) })).toMatchObject({ attribute: 'joined' })
    expect(refuse(open(), { name: 'ed', id: 1.5 })).toMatchObject({ attribute: 'id', problem: 'it is no integer' })
    expect(refuse(open(), { name: null })).toMatchObject({ attribute: 'name', value: null })
  })

  test('with a wrong value deep inside names the entity that it is in', () => {
    expect(
      refuse(open(), { name: 'ed', posts: [{ title: 'p' }, { title: 'q', comments: [{ body: 7 }] }] }),
    ).toMatchObject({
      _tag: 'InvalidValue',
      entity: 'Comment',
      attribute: 'body',
      value: 7,
    })
  })

  test('with something else than related drafts is an InvalidValue', () => {
    expect(refuse(open(), { name: 'ed', addresses: { email: 'a' } })).toMatchObject({
      attribute: 'addresses',
      problem: 'a collection is given as an array',
    })
    expect(refuse(open(), { name: 'ed', addresses: ['a'] })).toMatchObject({ attribute: 'addresses', value: 'a' })
    expect(refuse(open(), { name: 'ed', addresses: null })).toMatchObject({ attribute: 'addresses', value: null })
    const app = open()
    expect(app.fails(Session.add(model.Address, { email: 'a', user: 5 } as never))).toMatchObject({
      _tag: 'InvalidValue',
      entity: 'Address',
      attribute: 'user',
      value: 5,
    })
  })

  test('is an InvalidValue where it is no object at all', () => {
    const app = open()
    for (const draft of [null, 5, 'ed', undefined]) {
      expect(app.fails(Session.add(model.User, draft as never))).toMatchObject({
        _tag: 'InvalidValue',
        entity: 'User',
        value: draft,
      })
    }
  })

  test('a patch is refused for the same reasons, and changes nothing', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    const before = app.store.getState()
    expect(app.fails(Session.set(model.User, { name: 5 } as never)(ed))).toMatchObject({
      _tag: 'InvalidValue',
      attribute: 'name',
    })
    expect(app.fails(Session.set(model.User, { age: 5 } as never)(ed))).toMatchObject({
      _tag: 'InvalidValue',
      attribute: 'age',
    })
    const address = app.run(Session.make(model.Address, { email: 'a' }))
    const withAddress = app.store.getState()
    expect(app.fails(Session.set(model.Address, { email: 'b', user: { name: 5 } } as never)(address))).toMatchObject({
      _tag: 'InvalidValue',
      entity: 'User',
      attribute: 'name',
    })
    expect(app.store.getState()).toBe(withAddress)
    expect(before).not.toBe(withAddress)
  })

  test('a collection or relationship of no such name is an InvalidValue', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    const noSuch = { _tag: 'InvalidValue', entity: 'User', attribute: 'pets' }
    expect(app.fails(Session.append(model.User, 'pets' as never, {} as never)(ed))).toMatchObject(noSuch)
    expect(app.fails(Session.load(model.User, 'pets' as never)(ed))).toMatchObject(noSuch)
    expect(app.fails(Session.related(model.User, 'pets' as never)(ed))).toMatchObject(noSuch)
  })
})

describe('a key or condition that does not fit', () => {
  test('a key without all its parts is an InvalidValue', () => {
    const app = open()
    expect(app.fails(Session.get(model.Visit, { userId: 1 } as never))).toMatchObject({
      _tag: 'InvalidValue',
      entity: 'Visit',
      attribute: 'userId, countryCode',
    })
    expect(app.fails(Session.get(model.User, null as never))).toMatchObject({ _tag: 'InvalidValue', attribute: 'id' })
  })

  test('a key of the wrong type is an InvalidValue', () => {
    const app = open()
    expect(app.fails(Session.get(model.User, 'one' as never))).toMatchObject({
      _tag: 'InvalidValue',
      entity: 'User',
      attribute: 'id',
      value: 'one',
    })
    expect(app.fails(Session.get(model.Visit, { userId: 1, countryCode: 5 } as never))).toMatchObject({
      _tag: 'InvalidValue',
      entity: 'Visit',
    })
  })

  test('a condition with a value of the wrong type is an InvalidStatement', () => {
    const app = open()
    const wrong = pipe(select(model.User), where('joined', '=', 'yesterday' as never))
    expect(app.fails(Session.query(wrong))).toMatchObject({
      _tag: 'InvalidStatement',
      entity: 'User',
      attribute: 'joined',
      value: 'yesterday',
    })
    worksAgain(app, 'users', [])
  })
})
