import {
  analyse,
  column,
  type Database,
  defineModel,
  deleteFrom,
  entity,
  filterBy,
  integer,
  isoDate,
  modify,
  primaryKey,
  select,
  set,
  update,
  ValueSet as Values,
  where,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { type Expression, type ExpressionBuilder, expressionBuilder, type SqlBool, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { model } from './fixture.js'

const { any, noneOf, none, notNull, oneOf } = Values
const date = new Date('2026-01-31T12:00:00.000Z')
const users = select(model.User)

type Expressions = ExpressionBuilder<Database<typeof model>, 'users'>
type Condition = (eb: Expressions) => Expression<unknown>

/** What a condition on users says of an attribute. */
const valuesOf = (attribute: string, condition: Condition): Values.ValueSet =>
  analyse(pipe(users, where(condition as never))).valuesOf(model.User, attribute)

const same = (found: Values.ValueSet, expected: Values.ValueSet): void =>
  expect([found._tag, [...found.members.values()]]).toEqual([expected._tag, [...expected.members.values()]])

describe('comparisons', () => {
  test('restrict the column to what they are true of', () => {
    same(
      valuesOf('name', (eb) => eb('name', '=', 'ed')),
      oneOf(['ed']),
    )
    same(
      valuesOf('name', (eb) => eb('name', '<>', 'ed')),
      noneOf(['ed', null]),
    )
    same(
      valuesOf('name', (eb) => eb('name', 'in', ['ed', 'wendy'])),
      oneOf(['ed', 'wendy']),
    )
    same(
      valuesOf('name', (eb) => eb('name', 'not in', ['ed', 'wendy'])),
      noneOf(['ed', null, 'wendy']),
    )
    same(
      valuesOf('age', (eb) => eb('age', 'is', null)),
      oneOf([null]),
    )
    same(
      valuesOf('age', (eb) => eb('age', 'is not', null)),
      notNull,
    )
    same(
      valuesOf('age', (eb) => eb('age', '>', 5)),
      notNull,
    )
    same(
      valuesOf('age', (eb) => eb.between('age', 5, 6)),
      notNull,
    )
    same(
      valuesOf('age', (eb) => eb('age', 'is distinct from', 5)),
      noneOf([5]),
    )
    same(
      valuesOf('age', (eb) => eb('age', 'is not distinct from', 5)),
      oneOf([5]),
    )
  })

  test('are the same from either side, and of any name of the column', () => {
    same(
      valuesOf('age', (eb) => eb(eb.val(5), '=', eb.ref('age'))),
      oneOf([5]),
    )
    same(
      valuesOf('age', (eb) => eb('users.age', '=', 5)),
      oneOf([5]),
    )
    same(
      valuesOf('age', (eb) => eb(eb.parens(eb.ref('age')) as never, '=', eb.parens(eb.val(5)) as never)),
      oneOf([5]),
    )
  })

  test('with NULL are never true', () => {
    const analysis = analyse(
      pipe(
        users,
        where((eb) => eb('name', '=', null as never)),
      ),
    )
    expect(analysis.isEmpty).toBe(true)
    same(analysis.valuesOf(model.User, 'age'), none)
    expect(
      analyse(
        pipe(
          users,
          where((eb) => eb('age', 'not in', [1, null])),
        ),
      ).isEmpty,
    ).toBe(true)
    same(
      valuesOf('age', (eb) => eb('age', 'in', [1, null])),
      oneOf([1]),
    )
  })

  test('with an empty list are true of nothing, or of everything', () => {
    expect(analyse(pipe(users, where('age', 'in', []))).isEmpty).toBe(true)
    same(
      valuesOf('age', (eb) => eb('age', 'not in', [])),
      any,
    )
  })

  test('of a column that is read otherwise than it is written speak of what is read', () => {
    const day = new Date('2026-01-31')
    same(
      valuesOf('joined', (eb) => eb('joined', '=', day)),
      oneOf([day]),
    )
    same(
      valuesOf('grade', (eb) => eb('grade', '=', 'good')),
      oneOf(['good']),
    )
    // several texts are read as one date
    expect(isoDate.decode('2026-01-31')).toEqual(isoDate.decode('2026-01-31T00:00:00.000Z'))
    same(
      valuesOf('joined', (eb) => eb('joined', '<>', day)),
      notNull,
    )
    same(
      valuesOf('tags', (eb) => eb('tags', '=', ['a'] as never)),
      notNull,
    )
  })

  test('of a codec that keeps less than the value speak of what is kept', () => {
    const day = new t.Type<Date, string, unknown>('day', isoDate.is, isoDate.validate, (d) =>
      d.toISOString().slice(0, 10),
    )
    const Event = entity('Event', 'events', { id: pipe(integer, primaryKey), day: column(day, 'text') })
    const events = defineModel({ Event })(() => ({}))
    const query = pipe(select(events.Event), where('day', '=', date))
    same(analyse(query).valuesOf(events.Event, 'day'), oneOf([new Date('2026-01-31')]))
  })

  test('of tuples restrict each part', () => {
    const found = analyse(
      pipe(
        select(model.Stay),
        where((eb) => eb(eb.refTuple('userId', 'nights'), 'in', [eb.tuple(1, 5), eb.tuple(2, 5)])),
      ),
    )
    same(found.valuesOf(model.Stay, 'userId'), oneOf([1, 2]))
    same(found.valuesOf(model.Stay, 'nights'), oneOf([5]))
  })

  test('that are not understood restrict nothing', () => {
    const unknown: ReadonlyArray<Condition> = [
      (eb) => eb(eb.fn('abs', ['age']), '=', 5) as never,
      (eb) => eb('age', 'not in', eb.selectFrom('cities').select('id')) as never,
      (eb) => eb.not(eb('age', 'in', eb.selectFrom('cities').select('id'))) as never,
      (eb) => eb.exists(eb.selectFrom('cities').where('cities.id', '=', 5)) as never,
      (eb) => eb.or([eb('age', '=', 5), sql<SqlBool>`1 = 1`]) as never,
      () => sql<SqlBool>`age = 5` as never,
    ]
    for (const condition of unknown) same(valuesOf('age', condition), any)
  })
})

describe('logic', () => {
  test('AND intersects, OR unites, NOT turns round', () => {
    same(
      valuesOf('age', (eb) => eb.and([eb('age', 'in', [1, 2]), eb('age', '<>', 1)])),
      oneOf([2]),
    )
    same(
      valuesOf('age', (eb) => eb.or([eb('age', '=', 1), eb('age', 'is', null)])),
      oneOf([1, null]),
    )
    same(
      valuesOf('age', (eb) => eb.or([eb('age', '=', 1), eb('name', '=', 'ed')])),
      any,
    )
    same(
      valuesOf('age', (eb) => eb.not(eb('age', '=', 1)) as never),
      noneOf([1, null]),
    )
    same(
      valuesOf('age', (eb) => eb.not(eb.or([eb('age', '=', 1), eb.not(eb('age', 'in', [1, 2]))])) as never),
      oneOf([2]),
    )
    same(
      valuesOf('age', (eb) => eb.and([eb.lit(true), eb('age', '=', 1)]) as never),
      oneOf([1]),
    )
  })

  test('leaves out the branches that are never true', () => {
    same(
      valuesOf('age', (eb) => eb.or([eb('age', '=', 1), eb.and([eb('age', '=', 2), eb.lit(false)])]) as never),
      oneOf([1]),
    )
    same(
      valuesOf('age', (eb) => eb.or([eb('age', '=', 1), eb.or([])])),
      oneOf([1]),
    )
    expect(analyse(pipe(users, where('age', '=', 1), where('age', '=', 2))).isEmpty).toBe(true)
  })

  test('does not trust what raw text can break apart', () => {
    const raw = pipe(
      users,
      where('age', '=', 1),
      modify((qb) => qb.where(sql<SqlBool>`name = 'a' or name = 'b'`)),
    )
    same(analyse(raw).valuesOf(model.User, 'age'), any)
    const safe = pipe(
      users,
      where('age', '=', 1),
      where(() => sql<SqlBool>`name = 'a' or name = 'b'`),
    )
    same(analyse(safe).valuesOf(model.User, 'age'), oneOf([1]))
  })
})

describe('statements', () => {
  test('of every kind are analysed', () => {
    same(analyse(pipe(users, filterBy({ name: 'ed' }))).valuesOf(model.User, 'name'), oneOf(['ed']))
    same(
      analyse(pipe(update(model.User), set({ name: 'wendy' }), where('name', '=', 'ed'))).valuesOf(model.User, 'name'),
      oneOf(['ed']),
    )
    same(analyse(pipe(deleteFrom(model.User), where('name', '=', 'ed'))).valuesOf(model.User, 'name'), oneOf(['ed']))
  })

  test('may name a table by an alias, several times', () => {
    const query = pipe(
      users,
      where('name', '=', 'ed'),
      modify((qb) =>
        qb.innerJoin('users as other', (join) =>
          join.onRef('other.age', '=', 'users.age').on('other.name', '=', 'wendy'),
        ),
      ),
    )
    const analysis = analyse(query)
    same(analysis.valuesOf('users', 'name'), oneOf(['ed']))
    same(analysis.valuesOf('other', 'name'), oneOf(['wendy']))
    same(analysis.valuesOf(model.User, 'name'), oneOf(['ed', 'wendy']))
    same(analysis.valuesOf('other', 'age'), notNull)
  })

  test('are restricted by inner joins, and by outer joins on the side that is filled with NULL only', () => {
    const joined = (kind: 'innerJoin' | 'leftJoin' | 'rightJoin' | 'fullJoin') =>
      analyse(
        pipe(
          users,
          modify((qb) =>
            qb[kind as 'innerJoin']('addresses', (join) =>
              join
                .onRef('addresses.userId', '=', 'users.id')
                .on('addresses.email', '=', 'x')
                .on('users.name', '=', 'ed'),
            ),
          ),
        ),
      )
    const sets = (kind: Parameters<typeof joined>[0]) => [
      joined(kind).valuesOf(model.User, 'name'),
      joined(kind).valuesOf(model.Address, 'email'),
    ]
    expect(sets('innerJoin')).toEqual([oneOf(['ed']), oneOf(['x'])])
    expect(sets('leftJoin')).toEqual([any, oneOf(['x', null])])
    expect(sets('rightJoin')).toEqual([any, any])
    expect(sets('fullJoin')).toEqual([any, any])
  })

  test('of several queries, or over tables of unknown columns, are not restricted by chance', () => {
    const compound = pipe(
      users,
      where('name', '=', 'ed'),
      modify((qb) =>
        qb.union(
          expressionBuilder<never>()
            .selectFrom('users' as never)
            .selectAll() as never,
        ),
      ),
    )
    same(analyse(compound).valuesOf(model.User, 'name'), any)
    const unknown = pipe(
      users,
      modify((qb) => qb.innerJoin('unknown' as never, 'unknown.id' as never, 'users.id' as never) as never),
      where((eb) => eb('name', '=', 'ed')),
    )
    same(analyse(unknown).valuesOf(model.User, 'name'), any)
  })

  test('are analysed once', () => {
    const query = pipe(users, where('name', '=', 'ed'))
    expect(analyse(query)).toBe(analyse({ ...query, options: { shard: 'x' } }))
  })
})
