import {
  any,
  containsEager,
  deleteFrom,
  distinct,
  forShare,
  forUpdate,
  has,
  join,
  joinOn,
  leftJoin,
  leftJoinOn,
  loadOnly,
  type Managed,
  orderBy,
  type ResultOf,
  select,
  selectin,
  update,
  where,
} from '@unitary/core'
import { flow, pipe } from 'fp-ts/lib/function.js'
import type { Option } from 'fp-ts/lib/Option.js'
import type { Expression } from 'kysely'
import { describe, expectTypeOf, test } from 'vitest'
import { model } from './fixture.js'

type M = ReturnType<typeof model.User.model>
const users = select(model.User)
const addresses = select(model.Address)
const date = new Date(0)

describe('join', () => {
  test('gives the alias the columns of its target', () => {
    const query = pipe(
      users,
      join('addresses'),
      where((eb) => eb('addresses.email', 'like', '%@example.org')),
      where((eb) => eb('addresses.since', '>', date)),
      where((eb) => eb.or([eb('users.name', '=', 'ed'), eb('addresses.cityId', 'is', null)])),
      where('name', '=', 'ed'),
      orderBy((eb) => eb.ref('addresses.email')),
      orderBy('name'),
      distinct,
      selectin('addresses'),
    )
    expectTypeOf<ResultOf<typeof query>['name']>().toEqualTypeOf<string>()
    expectTypeOf<ResultOf<typeof query>['addresses']>().toEqualTypeOf<ReadonlyArray<Managed<M, 'Address'>>>()
  })

  test('goes on from an alias', () => {
    pipe(
      users,
      join('addresses', 'a'),
      join('a.city'),
      join('a.user', 'u'),
      where((eb) => eb.and([eb('city.name', '=', 'x'), eb('u.joined', '>', date)])),
    )
  })

  test('narrows its target', () => {
    pipe(
      users,
      leftJoin('addresses', 'a', where('email', '=', 'x')),
      leftJoin('a.city', 'c', (cities) =>
        pipe(
          cities,
          where((eb) => eb('name', '=', 'x')),
        ),
      ),
      join('addresses', 'b', flow(where('email', '=', 'x'), where('id', '>', 3))),
      where((eb) => eb('a.email', 'is', null)),
    )
    // @ts-expect-error a misspelt attribute of the target
    pipe(users, join('addresses', 'a', where('emial', '=', 'x')))
  })

  test('makes columns nullable where it is an outer one', () => {
    pipe(
      users,
      leftJoin('addresses', 'a'),
      join('addresses', 'b'),
      where((eb) => {
        expectTypeOf(eb.ref('a.email')).toExtend<Expression<string | null>>()
        expectTypeOf(eb.ref('a.email')).not.toExtend<Expression<string>>()
        expectTypeOf(eb.ref('b.email')).toExtend<Expression<string>>()
        expectTypeOf(eb.ref('users.name')).toExtend<Expression<string>>()
        return eb('a.email', 'is', null)
      }),
    )
  })

  test('of the same entity', () => {
    pipe(
      addresses,
      join('user'),
      join('user.addresses', 'sibling'),
      where((eb) => eb('sibling.id', '!=', eb.ref('addresses.id'))),
    )
  })

  test('knows relationships and aliases', () => {
    // @ts-expect-error a misspelt relationship
    pipe(users, join('adresses'))
    // @ts-expect-error an attribute is no relationship
    pipe(users, join('name'))
    // @ts-expect-error a relationship of an alias that there is not
    pipe(users, join('addresses', 'a'), join('b.city'))
    // @ts-expect-error a relationship that the alias has not
    pipe(users, join('addresses', 'a'), join('a.addresses'))
    pipe(
      users,
      join('addresses', 'a'),
      // @ts-expect-error a misspelt attribute of an alias
      where((eb) => eb('a.emial', '=', 'x')),
    )
    pipe(
      users,
      join('addresses', 'a'),
      // @ts-expect-error a value of the wrong type
      where((eb) => eb('a.email', '=', 3)),
    )
    pipe(
      users,
      // @ts-expect-error an alias that was not joined
      where((eb) => eb('a.email', '=', 'x')),
    )
  })

  test('needs another name where one is taken', () => {
    // @ts-expect-error the alias of an earlier join
    pipe(users, join('addresses'), join('addresses'))
    // @ts-expect-error the alias of an earlier join
    pipe(users, join('addresses', 'a'), join('addresses', 'a'))
    // @ts-expect-error the table of the query itself
    pipe(users, join('addresses', 'users'))
    pipe(users, join('addresses'), join('addresses', 'b'))
  })
})

describe('joinOn', () => {
  test('joins any entity on a condition', () => {
    pipe(
      users,
      joinOn(model.City, 'c', (eb) => eb('c.name', '=', eb.ref('users.name'))),
      leftJoinOn(model.Stay, 's', (eb) => eb.and([eb('s.userId', '=', eb.ref('users.id')), eb('s.nights', '>', 3)])),
      where((eb) => eb('s.nights', 'is', null)),
      where('name', '=', 'x'),
    )
    pipe(
      users,
      // @ts-expect-error a misspelt attribute
      joinOn(model.City, 'c', (eb) => eb('c.nmae', '=', 'x')),
    )
    pipe(
      users,
      // @ts-expect-error a name that is taken
      joinOn(model.City, 'users', (eb) => eb('users.name', '=', 'x')),
    )
  })
})

describe('any and has', () => {
  test('are conditions, alone and among others', () => {
    pipe(users, where(any('addresses')))
    pipe(users, where(any('addresses', where('email', '=', 'x'))))
    pipe(
      users,
      where(
        any(
          'addresses',
          where((eb) => eb.or([eb('email', '=', 'x'), has(eb, 'city', where('name', '=', 'x'))])),
        ),
      ),
      where((eb) => eb.not(any(eb, 'addresses', where(has('city'))))),
    )
    pipe(deleteFrom(model.User), where(any('addresses')))
    pipe(
      update(model.Address),
      where((eb) => eb.and([has(eb, 'user'), eb('id', '>', 3)])),
    )
  })

  test('start at aliases', () => {
    pipe(users, join('addresses', 'a'), where(has('a.city', where('name', '=', 'x'))))
    pipe(
      addresses,
      join('user', 'u'),
      where((eb) => eb.not(any(eb, 'u.addresses'))),
    )
    // @ts-expect-error an alias that was not joined
    pipe(users, where(has('a.city')))
  })

  test('tell collections and references apart', () => {
    // @ts-expect-error a misspelt relationship
    pipe(users, where(any('adresses')))
    // @ts-expect-error a collection
    pipe(users, where(has('addresses')))
    // @ts-expect-error a reference
    pipe(addresses, where(any('user')))
    // @ts-expect-error a misspelt attribute of the target
    pipe(users, where(any('addresses', where('emial', '=', 'x'))))
    pipe(
      users,
      // @ts-expect-error a misspelt relationship
      where((eb) => any(eb, 'adresses')),
    )
    pipe(
      users,
      // @ts-expect-error a misspelt attribute of the target
      where((eb) => any(eb, 'addresses', where('emial', '=', 'x'))),
    )
  })
})

describe('containsEager', () => {
  test('adds what the rows have to each result', () => {
    const query = pipe(users, leftJoin('addresses', 'a'), containsEager('addresses', 'a'), where('id', '=', 1))
    expectTypeOf<ResultOf<typeof query>['addresses']>().toEqualTypeOf<ReadonlyArray<Managed<M, 'Address'>>>()
    const named = pipe(addresses, join('city'), containsEager('city'))
    expectTypeOf<ResultOf<typeof named>['city']>().toEqualTypeOf<Option<Managed<M, 'City'>>>()
  })

  test('nests', () => {
    const query = pipe(
      users,
      join('addresses', 'a'),
      join('a.city', 'c'),
      containsEager('addresses', 'a', flow(containsEager('city', 'c'), selectin('user'))),
    )
    type Found = ResultOf<typeof query>['addresses'][number]
    expectTypeOf<Found['city']>().toEqualTypeOf<Option<Managed<M, 'City'>>>()
    expectTypeOf<Found['user']>().toEqualTypeOf<Option<Managed<M, 'User'>>>()
    const part = pipe(users, join('addresses', 'a'), containsEager('addresses', 'a', loadOnly('email')))
    expectTypeOf<ResultOf<typeof part>['addresses'][number]['email']>().toEqualTypeOf<string>()
    expectTypeOf<ResultOf<typeof part>['addresses'][number]>().not.toHaveProperty('cityId')
  })

  test('takes aliases of the targets only', () => {
    // @ts-expect-error it was not joined
    pipe(users, containsEager('addresses'))
    // @ts-expect-error it was joined under another name
    pipe(users, join('addresses', 'a'), containsEager('addresses'))
    // @ts-expect-error an alias that there is not
    pipe(users, join('addresses', 'a'), containsEager('addresses', 'b'))
    // @ts-expect-error the alias of another entity
    pipe(users, join('addresses', 'a'), join('a.city', 'c'), containsEager('addresses', 'c'))
    // @ts-expect-error a misspelt relationship
    pipe(users, join('addresses', 'a'), containsEager('adresses', 'a'))
  })
})

describe('locks', () => {
  test('are of the tables of the query', () => {
    pipe(users, forUpdate(), where('id', '=', 1))
    pipe(users, join('addresses', 'a'), forShare({ of: ['a', 'users'], wait: 'noWait' }))
    // @ts-expect-error an alias that was not joined
    pipe(users, forUpdate({ of: ['a'] }))
    // @ts-expect-error another way to wait
    pipe(users, forUpdate({ wait: 'maybe' }))
  })
})
