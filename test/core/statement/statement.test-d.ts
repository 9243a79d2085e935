import {
  deleteFrom,
  filterBy,
  fromSelect,
  insertInto,
  limit,
  type Managed,
  modify,
  onConflictDoNothing,
  onConflictDoUpdate,
  orderBy,
  type ResultOf,
  returningEntities,
  type Select,
  select,
  selectin,
  set,
  update,
  values,
  where,
  whereOf,
  withOptions,
} from '@unitary/core'
import { flow, pipe } from 'fp-ts/lib/function.js'
import type { Option } from 'fp-ts/lib/Option.js'
import { describe, expectTypeOf, test } from 'vitest'
import { model } from './fixture.js'

type M = ReturnType<typeof model.User.model>
const users = select(model.User)
const date = new Date(0)

describe('select', () => {
  test('gives snapshots of its entity', () => {
    expectTypeOf(users).toEqualTypeOf<Select<M, 'User'>>()
    expectTypeOf<ResultOf<typeof users>>().toEqualTypeOf<Managed<M, 'User'>>()
  })

  test('keeps its type through every combinator', () => {
    const query = pipe(
      users,
      where((eb) => eb('name', '=', 'ed')),
      where('joined', '>', date),
      where('name', 'in', ['ed']),
      where('age', 'is', null),
      filterBy({ name: 'ed', age: null }),
      orderBy('name', 'desc'),
      orderBy((eb) => eb.fn('length', ['name'])),
      limit(10),
      withOptions({ shard: 'asia' }),
      modify((qb) => qb.innerJoin('addresses', 'addresses.userId', 'users.id').where('addresses.since', '<', date)),
    )
    expectTypeOf(query).toEqualTypeOf<Select<M, 'User'>>()
  })

  test('knows its attributes and their values', () => {
    pipe(
      users,
      // @ts-expect-error a misspelt attribute in an expression
      where((eb) => eb('nmae', '=', 'ed')),
    )
    pipe(
      users,
      // @ts-expect-error a value of the wrong type in an expression
      where((eb) => eb('name', '=', 3)),
    )
    pipe(
      users,
      // @ts-expect-error a condition that is no condition
      where((eb) => eb('age', '+', 3)),
    )
    // @ts-expect-error a misspelt attribute
    pipe(users, where('nmae', '=', 'ed'))
    // @ts-expect-error a value of the wrong type
    pipe(users, where('name', '=', 3))
    // @ts-expect-error the encoded side of a value
    pipe(users, where('joined', '=', '2026-01-31T12:00:00.000Z'))
    // @ts-expect-error one value for a list
    pipe(users, where('name', 'in', 'ed'))
    // @ts-expect-error an attribute that is never NULL
    pipe(users, where('name', '=', null))
    // @ts-expect-error a comparison by order with NULL, which has none
    pipe(users, where('age', '<', null))
    // @ts-expect-error a misspelt attribute in a record
    pipe(users, filterBy({ nmae: 'ed' }))
    // @ts-expect-error a value of the wrong type in a record
    pipe(users, filterBy({ name: 3 }))
    // @ts-expect-error undefined, which would filter by nothing
    pipe(users, filterBy({ name: undefined }))
    // @ts-expect-error a misspelt attribute in the order
    pipe(users, orderBy('nmae'))
    pipe(
      users,
      // @ts-expect-error a misspelt column of another table
      modify((qb) => qb.innerJoin('addresses', 'addresses.usrId', 'users.id')),
    )
  })
})

describe('selectin', () => {
  test('adds what it loads to each result', () => {
    const query = pipe(users, selectin('addresses'))
    expectTypeOf<ResultOf<typeof query>['addresses']>().toEqualTypeOf<ReadonlyArray<Managed<M, 'Address'>>>()
    expectTypeOf<ResultOf<typeof query>['name']>().toEqualTypeOf<string>()
    const reference = pipe(select(model.Address), selectin('city'), limit(3), selectin('user'))
    expectTypeOf<ResultOf<typeof reference>['city']>().toEqualTypeOf<Option<Managed<M, 'City'>>>()
    expectTypeOf<ResultOf<typeof reference>['user']>().toEqualTypeOf<Option<Managed<M, 'User'>>>()
  })

  test('nests, however its refinement is written', () => {
    type Nested = ReadonlyArray<Managed<M, 'Address'> & { readonly city: Option<Managed<M, 'City'>> }>
    const piped = pipe(
      users,
      selectin('addresses', (address) => pipe(address, where('email', '=', 'x'), selectin('city'))),
      limit(3),
    )
    expectTypeOf<ResultOf<typeof piped>['addresses']>().toEqualTypeOf<Nested>()
    const direct = pipe(users, selectin('addresses', selectin('city')))
    expectTypeOf<ResultOf<typeof direct>['addresses']>().toEqualTypeOf<Nested>()
    const flowed = pipe(users, selectin('addresses', flow(orderBy('email'), selectin('city'))))
    expectTypeOf<ResultOf<typeof flowed>['addresses']>().toEqualTypeOf<Nested>()
  })

  test('knows the relationships and their targets', () => {
    // @ts-expect-error a misspelt relationship
    pipe(users, selectin('adresses'))
    // @ts-expect-error an attribute is no relationship
    pipe(users, selectin('name'))
    // @ts-expect-error a misspelt attribute of the target
    pipe(users, selectin('addresses', where('emial', '=', 'x')))
    pipe(
      users,
      // @ts-expect-error a query of another entity
      selectin('addresses', () => select(model.City)),
    )
    // @ts-expect-error a load that was not asked for
    expectTypeOf<ResultOf<typeof users>['addresses']>().toBeAny()
  })
})

describe('writes', () => {
  test('share conditions with queries', () => {
    const changed = pipe(
      update(model.User),
      set({ name: 'x', joined: date }),
      set((eb) => ({ age: eb('age', '+', 1) })),
      where((eb) => eb('name', '=', 'x')),
      where('id', '=', 3),
      filterBy({ id: 3 }),
      modify((qb) => qb.returning('id')),
    )
    expectTypeOf(changed).toEqualTypeOf(update(model.User))
    const removed = pipe(
      deleteFrom(model.User),
      where((eb) => eb('name', '=', 'x')),
      where('id', '=', 3),
      filterBy({ id: 3 }),
    )
    expectTypeOf(removed).toEqualTypeOf(deleteFrom(model.User))
    const added = pipe(
      insertInto(model.User),
      values({ name: 'x' }),
      modify((qb) => qb.onConflict((oc) => oc.doNothing())),
    )
    expectTypeOf(added).toEqualTypeOf(insertInto(model.User))
  })

  test('know the attributes and their values', () => {
    // @ts-expect-error a misspelt attribute
    pipe(update(model.User), set({ nmae: 'x' }))
    // @ts-expect-error a value of the wrong type
    pipe(update(model.User), set({ name: 3 }))
    pipe(
      update(model.User),
      // @ts-expect-error a misspelt attribute in an expression
      set((eb) => ({ age: eb('aeg', '+', 1) })),
    )
    // @ts-expect-error a misspelt attribute in a condition
    pipe(deleteFrom(model.User), where('nmae', '=', 'x'))
    // @ts-expect-error a delete has no order
    pipe(deleteFrom(model.User), orderBy('name'))
    // @ts-expect-error an insert has no conditions
    pipe(insertInto(model.User), where('name', '=', 'x'))
    pipe(update(model.User), whereOf(deleteFrom(model.User)))
    // @ts-expect-error the conditions of another entity
    pipe(update(model.User), whereOf(deleteFrom(model.Address)))
    // @ts-expect-error a missing attribute
    pipe(insertInto(model.User), values({ age: 3 }))
    // @ts-expect-error a value of the wrong type
    pipe(insertInto(model.User), values({ name: 3 }))
    // @ts-expect-error a misspelt attribute
    pipe(insertInto(model.User), values([{ name: 'x', nmae: 'x' }]))
  })

  test('know what an upsert and an insert from a query may name', () => {
    const upserted = pipe(
      insertInto(model.User),
      values({ name: 'x' }),
      onConflictDoNothing('name'),
      onConflictDoUpdate('id', ['name', 'age']),
      onConflictDoUpdate(
        ['id'],
        (eb) => ({ age: eb('age', '+', eb.ref('excluded.age')), name: 'x' }),
        (eb) => eb('excluded.joined', '>', eb.ref('users.joined')),
      ),
    )
    expectTypeOf(upserted).toEqualTypeOf(insertInto(model.User))
    // @ts-expect-error a misspelt target
    pipe(insertInto(model.User), onConflictDoNothing('nmae'))
    // @ts-expect-error a misspelt attribute
    pipe(insertInto(model.User), onConflictDoUpdate('id', ['nmae']))
    pipe(
      insertInto(model.User),
      // @ts-expect-error a value of the wrong type
      onConflictDoUpdate('id', () => ({ age: 'x' })),
    )
    pipe(
      insertInto(model.User),
      // @ts-expect-error a misspelt attribute of what was to be inserted
      onConflictDoUpdate('id', (eb) => ({ age: eb.ref('excluded.aeg') })),
    )
    const copied = pipe(
      insertInto(model.User),
      fromSelect(['name', 'age'], (eb) => eb.selectFrom('users').select(['users.name', 'users.age'])),
    )
    expectTypeOf(copied).toEqualTypeOf(insertInto(model.User))
    pipe(
      insertInto(model.User),
      // @ts-expect-error a misspelt attribute
      fromSelect(['nmae'], (eb) => eb.selectFrom('users').select(['users.name'])),
    )
    pipe(
      insertInto(model.User),
      // @ts-expect-error what no attribute takes
      fromSelect(['age'], (eb) => eb.selectFrom('users').select(['users.joined'])),
    )
    expectTypeOf(returningEntities(copied).answers).toEqualTypeOf<'entities'>()
  })
})
