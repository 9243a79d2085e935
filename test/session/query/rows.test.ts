import {
  containsEager,
  defineModel,
  entity,
  fromQuery,
  fromSql,
  immediate,
  integer,
  join,
  joined,
  leftJoin,
  limit,
  loadOnly,
  orderBy,
  primaryKey,
  select,
  selectin,
  selectRows,
  selectScalar,
  subquery,
  union,
  where,
  withOptions,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { none, some } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { model, open, openOn } from '../app.js'

const arrange = (options: Session.RuntimeOptions = {}) => {
  const app = open(options)
  app.run(
    Session.addAll(model.User, [
      { name: 'ed', addresses: [{ email: 'a' }, { email: 'b' }], posts: [{ title: 'p', comments: [{ body: 'x' }] }] },
      { name: 'wendy', addresses: [{ email: 'c' }] },
      { name: 'jack' },
    ]),
  )
  app.run(Session.commit)
  app.run(Session.expungeAll)
  return app
}

const users = pipe(select(model.User), orderBy('id'))
const byAddress = pipe(
  users,
  leftJoin('addresses', 'a'),
  orderBy((eb) => eb.ref('a.id')),
  selectRows((q) => ({ user: q.entity(), email: q.ref('a.email'), address: q.entity('a') })),
)

describe('rows', () => {
  test('take one statement, and give the instances of the session', () => {
    const app = arrange()
    const [found, statements] = app.counted(Session.rows(byAddress))
    expect(statements).toHaveLength(1)
    expect(found).toMatchObject([
      { user: { name: 'ed' }, email: 'a', address: some({ email: 'a' }) },
      { user: { name: 'ed' }, email: 'b', address: some({ email: 'b' }) },
      { user: { name: 'wendy' }, email: 'c', address: some({ email: 'c' }) },
      { user: { name: 'jack' }, email: null, address: none },
    ])
    expect(found[0]?.user).toBe(found[1]?.user)
    const known = app.run(Session.query(users))
    expect(known[0]).toBe(found[0]?.user)
    const edited = app.run(Session.set(model.User, { name: 'edward' })(known[0] as never))
    expect(app.run(Session.rows(byAddress))[0]?.user).toBe(edited)
  })

  test('of columns make no instances', () => {
    const app = arrange()
    const before = app.store.getState().nextInstance
    const names = pipe(users, selectRows('id', 'name'))
    expect(app.run(Session.rows(names))).toEqual([
      { id: 1, name: 'ed' },
      { id: 2, name: 'wendy' },
      { id: 3, name: 'jack' },
    ])
    expect(app.run(pipe(users, selectScalar('name'), Session.rows))).toEqual(['ed', 'wendy', 'jack'])
    expect(app.store.getState().nextInstance).toBe(before)
  })

  test('have what the query loads beside its entity, and what the model loads', () => {
    for (const load of [selectin, joined, subquery, immediate]) {
      const app = arrange()
      const [found, statements] = app.counted(
        pipe(
          select(model.Address),
          load('user', selectin('posts')),
          orderBy('id'),
          selectRows((q) => [q.entity(), q.ref('email')]),
          Session.rows,
        ),
      )
      expect(found).toMatchObject([
        [{ user: some({ name: 'ed', posts: [{ title: 'p' }] }) }, 'a'],
        [{ user: some({ name: 'ed' }) }, 'b'],
        [{ user: some({ name: 'wendy', posts: [] }) }, 'c'],
      ])
      expect(statements).toHaveLength(load === immediate ? 4 : 3)
    }
  })

  test('have parts of entities, which know what they miss', () => {
    const app = arrange()
    const [first] = app.run(
      pipe(
        users,
        loadOnly('name'),
        selectRows((q) => ({ user: q.entity() })),
        Session.rows,
      ),
    )
    expect(first?.user).toMatchObject({ id: 1, name: 'ed', joined: undefined })
    const [read, statements] = app.counted(Session.read(model.User)(first?.user as never))
    expect(read).toMatchObject({ name: 'ed', nickname: null })
    expect(statements).toHaveLength(1)
  })

  test('flush first, unless the query, the program or the session says otherwise', () => {
    const names = pipe(users, selectScalar('name'))
    const after = (options: Session.RuntimeOptions, asked: Session.Program<unknown, ReadonlyArray<string>>) => {
      const app = arrange(options)
      app.run(Session.add(model.User, { name: 'mary' }))
      return app.run(asked).length
    }
    expect(after({}, Session.rows(names))).toBe(4)
    expect(after({}, Session.noAutoflush(Session.rows(names)))).toBe(3)
    expect(after({}, pipe(names, withOptions({ autoflush: false }), Session.rows))).toBe(3)
    expect(after({ autoflush: false }, Session.rows(names))).toBe(3)
    const app = arrange()
    app.run(Session.add(model.User, { name: 'mary' }))
    expect(app.run(pipe(users, where('name', '=', 'mary'), Session.exists))).toBe(true)
    app.run(Session.add(model.User, { name: 'mary' }))
    expect(app.run(Session.count(users))).toBe(5)
    app.run(Session.add(model.Address, { email: 'a' }))
    expect(app.fails(Session.count(users))).toMatchObject({ _tag: 'IntegrityError' })
    expect(app.fails(Session.rows(names))).toMatchObject({ _tag: 'PendingRollback' })
  })

  test('overwrite what is known only where they are told to', () => {
    const app = arrange()
    app.run(Session.query(users))
    app.database.exec("update users set name = 'theirs' where id = 1")
    const rows = pipe(
      users,
      limit(1),
      selectRows((q) => [q.entity(), q.ref('name')]),
    )
    expect(app.run(Session.rows(rows))).toMatchObject([[{ name: 'ed' }, 'theirs']])
    expect(app.run(pipe(rows, withOptions({ populateExisting: true }), Session.rows))).toMatchObject([
      [{ name: 'theirs' }, 'theirs'],
    ])
  })

  test('check what they read, unless they are told to trust it', () => {
    const app = arrange()
    app.database.exec("update users set name = x'00' where id = 1")
    const names = pipe(users, limit(1), selectScalar('name'))
    expect(app.fails(Session.rows(names))).toMatchObject({
      _tag: 'DecodeError',
      entity: 'User',
      table: 'users',
      attribute: 'name',
      column: 'name',
      expected: 'string',
    })
    expect(app.run(pipe(names, withOptions({ strict: false }), Session.one))).toBeInstanceOf(Uint8Array)
    const entities = pipe(
      users,
      selectRows((q) => ({ user: q.entity() })),
    )
    expect(app.fails(Session.rows(entities))).toMatchObject({ _tag: 'DecodeError', attribute: 'name', key: 1 })
  })

  test('are rewritten by the hooks of their entity, and so is what is counted', () => {
    const hooks = Session.defineHooks(model)({
      User: { beforeExecute: ({ statement }) => Session.accept(pipe(statement, where('name', '<>', 'jack'))) },
    })
    const app = arrange({ hooks })
    expect(app.run(pipe(users, selectScalar('name'), Session.rows))).toEqual(['ed', 'wendy'])
    expect(app.run(Session.rows(byAddress)).map(({ email }) => email)).toEqual(['a', 'b', 'c'])
    expect(app.run(Session.count(users))).toBe(2)
    expect(app.run(pipe(users, where('name', '=', 'jack'), Session.exists))).toBe(false)
    const refusing = Session.defineHooks(model)({ User: { beforeExecute: () => Session.refuse('no') } })
    expect(arrange({ hooks: refusing }).fails(Session.count(users))).toMatchObject({ _tag: 'HookRefused' })
  })

  test('tell the hooks of what they have loaded', () => {
    const loaded: Array<string | undefined> = []
    const seen = (name: string | undefined) => {
      loaded.push(name)
      return Session.keep()
    }
    const hooks = Session.defineHooks(model)({
      User: { load: ({ instance }) => seen(instance.name) },
      Address: { load: ({ instance }) => seen(instance.email) },
    })
    arrange({ hooks }).run(Session.rows(byAddress))
    expect(loaded).toEqual(['ed', 'wendy', 'jack', 'a', 'b', 'c'])
  })

  test('are refused where the statement is faulty, or of another model', () => {
    const app = arrange()
    app.clear()
    const faulty = pipe(
      users,
      where((eb) => eb('nickname', '>', null)),
      selectScalar('name'),
    )
    expect(app.fails(Session.rows(faulty))).toMatchObject({ _tag: 'InvalidStatement' })
    expect(app.fails(Session.count(faulty))).toMatchObject({ _tag: 'InvalidStatement', operation: 'count' })
    expect(app.fails(Session.exists(faulty))).toMatchObject({ _tag: 'InvalidStatement', operation: 'exists' })
    const nobody = pipe(
      users,
      selectRows((q) => ({ user: q.entity('a' as never) })),
    )
    expect(app.fails(Session.rows(nobody))).toMatchObject({
      cause: { _tag: 'InvalidClause', clause: 'selectRows', name: 'a' },
    })
    const nothing = pipe(
      users,
      selectRows(() => ({})),
    )
    expect(app.fails(Session.rows(nothing))).toMatchObject({ cause: { _tag: 'InvalidClause', clause: 'selectRows' } })
    const other = defineModel({ Thing: entity('Thing', 'things', { id: pipe(integer, primaryKey) }) })(() => ({}))
    expect(app.fails(pipe(select(other.Thing), selectScalar('id'), Session.rows))).toMatchObject({
      _tag: 'ModelMismatch',
      entity: 'Thing',
    })
    expect(app.asked()).toEqual([])
  })
})

describe('what a query contains of relationships', () => {
  const contained = pipe(users, join('addresses', 'a'), containsEager('addresses', 'a'))

  test('is no part of rows and set operations, which say so', () => {
    const app = arrange()
    const asRows = pipe(
      contained,
      selectRows((q) => ({ user: q.entity() })),
    )
    expect(app.fails(Session.rows(asRows))).toMatchObject({
      _tag: 'InvalidStatement',
      cause: { _tag: 'InvalidClause', clause: 'selectRows', name: 'addresses' },
    })
    expect(app.fails(pipe(contained, union(users), Session.query))).toMatchObject({
      _tag: 'InvalidStatement',
      cause: { _tag: 'InvalidClause', clause: 'union', name: 'addresses' },
    })
  })

  test('does not change how many rows there are', () => {
    const [found, statements] = arrange().counted(Session.count(contained))
    expect(found).toBe(3)
    expect(statements[0]).toMatch(/^select count\(\*\) as "unitary_count" from "users" inner join/)
  })
})

describe('one, oneOrNone and first', () => {
  const namesOf = (...names: ReadonlyArray<string>) => pipe(users, where('name', 'in', names), selectScalar('name'))

  test('are for rows as for entities', () => {
    const app = arrange()
    expect(app.run(Session.one(namesOf('ed')))).toBe('ed')
    expect(app.fails(Session.one(namesOf('nobody')))).toEqual({ _tag: 'NoResult', entity: 'User' })
    expect(app.fails(Session.one(namesOf('ed', 'jack')))).toMatchObject({ _tag: 'MultipleResults', count: 2 })
    expect(app.run(Session.first(namesOf('ed', 'jack')))).toEqual(some('ed'))
    expect(app.run(Session.first(namesOf()))).toEqual(none)
  })

  test('oneOrNone is none where there is nothing, and MultipleResults where there are several', () => {
    const app = arrange()
    expect(app.run(Session.oneOrNone(namesOf('ed')))).toEqual(some('ed'))
    expect(app.run(Session.oneOrNone(namesOf('nobody')))).toEqual(none)
    expect(app.fails(Session.oneOrNone(namesOf('ed', 'jack')))).toMatchObject({ _tag: 'MultipleResults', count: 2 })
    expect(app.run(pipe(users, where('name', '=', 'ed'), Session.oneOrNone))).toMatchObject(some({ id: 1 }))
  })
})

describe('count and exists', () => {
  test('ask one statement, without order and loads', () => {
    const app = arrange()
    const [found, statements] = app.counted(
      pipe(users, selectin('addresses'), join('addresses', 'a'), where('id', '<', 3), Session.count),
    )
    expect(found).toBe(3)
    expect(statements).toEqual([
      'select count(*) as "unitary_count" from "users" inner join "addresses" as "a" on "a"."user_id" = "users"."id" where "users"."id" < ?',
    ])
    expect(app.counted(pipe(users, where('id', '=', 1), Session.exists))[1]).toEqual([
      'select 1 as "unitary_count" from "users" where "users"."id" = ? limit 1',
    ])
    expect(app.counted(pipe(users, limit(2), Session.count))[1]).toEqual([
      'select count(*) as "unitary_count" from (select 1 as "unitary_count" from "users" limit ?) as "unitary_rows"',
    ])
  })

  test('of a derived query', () => {
    const app = arrange()
    const derived = fromQuery(model.User, (db) => db.selectFrom('users').selectAll().orderBy('name').limit(2))
    expect(app.run(Session.count(derived))).toBe(2)
    expect(app.run(pipe(derived, where('name', '=', 'wendy'), Session.exists))).toBe(false)
  })
})

test('a table with a schema is queried as any other, and so is what stands in its place', () => {
  const Thing = entity('Thing', 'main.things', { id: pipe(integer, primaryKey), size: integer })
  const on = defineModel({ Thing })(() => ({}))
  const app = openOn(on)
  app.run(
    Session.addAll(
      on.Thing,
      [1, 2, 3].map((id) => ({ id, size: id * 10 })),
    ),
  )
  const small = pipe(select(on.Thing), where('size', '<', 25))
  const sizes = (query: typeof small) =>
    app.run(pipe(query, orderBy('size', 'desc'), selectScalar('size'), Session.rows))
  expect(sizes(small)).toEqual([20, 10])
  expect(sizes(pipe(small, union(pipe(select(on.Thing), where('id', '=', 3)))))).toEqual([30, 20, 10])
  const derived = fromQuery(on.Thing, (db) => db.selectFrom('main.things').selectAll())
  expect(app.run(pipe(derived, where('size', '>', 10), orderBy('id'), Session.query))).toMatchObject([
    { id: 2, size: 20 },
    { id: 3, size: 30 },
  ])
  expect(sizes(fromSql(on.Thing, sql`select id, size from main.things`))).toEqual([30, 20, 10])
})
