import {
  groupBy,
  having,
  limit,
  type Managed,
  orderBy,
  type ResultOf,
  type Rows,
  real,
  select,
  selectin,
  selectRows,
  selectScalar,
  where,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
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
