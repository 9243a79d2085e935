import {
  fromQuery,
  fromSql,
  groupBy,
  having,
  join,
  leftJoin,
  limit,
  loadOnly,
  type Managed,
  orderBy,
  type ResultOf,
  type Rows,
  real,
  type Select,
  select,
  selectin,
  selectRows,
  selectScalar,
  union,
  where,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import type { Option } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { describe, expectTypeOf, test } from 'vitest'
import { model } from './fixture.js'

type M = ReturnType<typeof model.User.model>
type User = Managed<M, 'User'>
const users = select(model.User)

describe('selectRows', () => {
  test('gives what is asked for under its names', () => {
    const query = pipe(
      users,
      selectRows((q) => ({
        user: q.entity(),
        name: q.ref('users.name'),
        age: q.ref('age'),
        joined: q.ref('joined'),
        users: q.fn.countAll(),
        ages: q.fn.count('age'),
        sum: q.fn.sum('age'),
        sure: q.fn.sum<number>('age'),
        mean: q.fn.avg('age'),
        latest: q.fn.max('joined'),
        oldest: q.fn.max<number>('age'),
        first: q.fn.min('users.name'),
        isEd: q('name', '=', 'ed'),
        addresses: q
          .selectFrom('addresses')
          .select((a) => a.fn.countAll().as('n'))
          .whereRef('addresses.userId', '=', 'users.id'),
        either: q.fn.coalesce('age', q.lit(0)),
        raw: sql<number>`1 + 1`,
        read: q.readAs(real, sql`1.5`),
        place: q.fn.agg<number>('row_number').over((over) => over.orderBy('users.name')),
      })),
    )
    expectTypeOf<ResultOf<typeof query>>().toEqualTypeOf<{
      readonly user: User
      readonly name: string
      readonly age: number | null
      readonly joined: Date
      readonly users: number
      readonly ages: number
      readonly sum: number | null
      readonly sure: number
      readonly mean: number | null
      readonly latest: Date | null
      readonly oldest: number
      readonly first: string | null
      readonly isEd: boolean
      readonly addresses: number | null
      readonly either: number
      readonly raw: number
      readonly read: number
      readonly place: number
    }>()
  })

  test('gives tuples, single values, and attributes by their names', () => {
    const tuples = pipe(
      users,
      selectRows((q) => [q.entity(), q.ref('users.name'), q.fn.countAll()]),
    )
    expectTypeOf<ResultOf<typeof tuples>>().toEqualTypeOf<readonly [User, string, number]>()
    const named = pipe(users, selectRows('id', 'joined'))
    expectTypeOf<ResultOf<typeof named>>().toEqualTypeOf<{ readonly id: number; readonly joined: Date }>()
    expectTypeOf(pipe(users, selectScalar('joined'))).toEqualTypeOf<Rows<M, 'User', Date>>()
    expectTypeOf(
      pipe(
        users,
        selectScalar((q) => q.fn.max('age')),
      ),
    ).toEqualTypeOf<Rows<M, 'User', number | null>>()
  })

  test('entities have what the query loads beside them', () => {
    const loaded = pipe(
      users,
      selectin('addresses'),
      selectRows((q) => ({ user: q.entity() })),
    )
    expectTypeOf<ResultOf<typeof loaded>['user']['addresses']>().toEqualTypeOf<ReadonlyArray<Managed<M, 'Address'>>>()
  })

  test('keeps its type through clauses, which know the names of its values', () => {
    const counted = pipe(
      users,
      selectRows((q) => ({ age: q.ref('age'), n: q.fn.countAll() })),
    )
    const query = pipe(
      counted,
      where('name', '<>', 'ed'),
      groupBy('age'),
      having((eb) => eb(eb.fn.countAll(), '>', 1)),
      orderBy('n', 'desc'),
      orderBy((eb) => eb.fn.max('joined')),
      limit(3),
    )
    expectTypeOf(query).toEqualTypeOf<typeof counted>()
    // @ts-expect-error a name of nothing
    pipe(counted, orderBy('m'))
    // @ts-expect-error a name of nothing
    pipe(counted, groupBy('m'))
    // @ts-expect-error a single value has no name
    pipe(users, selectScalar('joined'), orderBy('getTime'))
    // @ts-expect-error of entities only attributes are known
    pipe(users, orderBy('n'))
  })

  test('knows its columns', () => {
    pipe(
      users,
      // @ts-expect-error a column that is not there
      selectRows((q) => ({ name: q.ref('users.nmae') })),
    )
    pipe(
      users,
      // @ts-expect-error a table that was not joined
      selectRows((q) => ({ email: q.ref('addresses.email') })),
    )
    pipe(
      users,
      // @ts-expect-error an alias that was not joined
      selectRows((q) => ({ address: q.entity('a') })),
    )
    // @ts-expect-error an attribute that is not there
    pipe(users, selectRows('id', 'nmae'))
    // @ts-expect-error an attribute that is not there
    pipe(users, selectScalar('nmae'))
    pipe(
      users,
      // @ts-expect-error a value that is no expression
      selectRows(() => ({ five: 5 })),
    )
  })
})

describe('joined entities', () => {
  const joined = pipe(users, join('addresses', 'a'), leftJoin('a.city', 'c'))

  test('are options where a row may have none', () => {
    const query = pipe(
      joined,
      selectRows((q) => ({
        user: q.entity(),
        address: q.entity('a'),
        city: q.entity('c'),
        email: q.ref('a.email'),
        name: q.ref('c.name'),
      })),
    )
    expectTypeOf<ResultOf<typeof query>>().toEqualTypeOf<{
      readonly user: User
      readonly address: Managed<M, 'Address'>
      readonly city: Option<Managed<M, 'City'>>
      readonly email: string
      readonly name: string | null
    }>()
  })

  test('are known to clauses that come after', () => {
    pipe(
      joined,
      selectRows((q) => ({ user: q.entity() })),
      where((eb) => eb('a.email', '=', 'x')),
      orderBy((eb) => eb.ref('c.population')),
      groupBy((eb) => eb.ref('a.id')),
    )
    pipe(
      joined,
      // @ts-expect-error a column that the alias has not
      selectRows((q) => ({ name: q.ref('a.name') })),
    )
    pipe(
      joined,
      // @ts-expect-error an alias that was not joined
      selectRows((q) => ({ other: q.entity('b') })),
    )
  })
})

describe('set operations', () => {
  test('keep what is loaded, and forget what was joined', () => {
    const query = pipe(users, selectin('addresses'), join('addresses', 'a'), union(users))
    expectTypeOf<ResultOf<typeof query>['addresses']>().toEqualTypeOf<ReadonlyArray<Managed<M, 'Address'>>>()
    expectTypeOf(pipe(users, union(users))).toEqualTypeOf<Select<M, 'User'>>()
    pipe(
      query,
      // @ts-expect-error an alias that a subquery has
      where((eb) => eb('a.email', '=', 'x')),
    )
    // @ts-expect-error another entity
    pipe(users, union(select(model.City)))
  })
})

describe('fromQuery', () => {
  test('gives what the query selects', () => {
    const whole = fromQuery(model.City, (db) => db.selectFrom('cities').selectAll())
    expectTypeOf(whole).toEqualTypeOf<Select<M, 'City'>>()
    const partial = fromQuery(model.City, (db) => db.selectFrom('cities').select(['id', 'name']))
    expectTypeOf<keyof ResultOf<typeof partial>>().toEqualTypeOf<'id' | 'name'>()
    const other = fromQuery(model.City, (db) =>
      db
        .selectFrom('addresses')
        .innerJoin('cities', 'cities.id', 'addresses.cityId')
        .selectAll('cities')
        .select('email'),
    )
    expectTypeOf(other).toEqualTypeOf<Select<M, 'City'>>()
  })

  test('wants the key, and tables of the model', () => {
    // @ts-expect-error a query without the key
    fromQuery(model.City, (db) => db.selectFrom('cities').select('name'))
    // @ts-expect-error a table that the model has not
    fromQuery(model.City, (db) => db.selectFrom('towns').selectAll())
    // @ts-expect-error a column that the table has not
    fromQuery(model.City, (db) => db.selectFrom('cities').select('nmae'))
  })
})

test('fromSql gives whole entities, or the parts that are said', () => {
  expectTypeOf(fromSql(model.City, sql`select * from cities`)).toEqualTypeOf<Select<M, 'City'>>()
  const partial = pipe(fromSql(model.City, sql`select id, name from cities`), loadOnly('name'))
  expectTypeOf<keyof ResultOf<typeof partial>>().toEqualTypeOf<'id' | 'name'>()
})
