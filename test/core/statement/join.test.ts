import {
  analyse,
  any,
  compile,
  deleteFrom,
  has,
  join,
  joinOn,
  leftJoin,
  leftJoinOn,
  limit,
  orderBy,
  renderStatementError,
  select,
  ValueSet,
  where,
} from '@unitary/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import { flow, pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { compiled, model, sqlite, tail } from './fixture.js'

const users = select(model.User)
const date = new Date(0)
const iso = date.toISOString()

/** The text after the selections, and the parameters. */
const shown = (statement: Parameters<typeof compiled>[0]): readonly [string, ReadonlyArray<unknown>] => {
  const made = compiled(statement)
  return [tail(made).replace('select ... from ', ''), made.parameters]
}

describe('join', () => {
  test('keeps the selections, and compares the keys', () => {
    const { sql: text } = compiled(pipe(users, join('addresses')))
    expect(text.replace(/ inner join.*$/, '')).toBe(compiled(users).sql)
    expect(shown(pipe(users, join('addresses', 'a')))).toEqual([
      '"users" inner join "addresses" as "a" on "a"."user_id" = "users"."id"',
      [],
    ])
    expect(shown(pipe(select(model.Address), leftJoin('city')))[0]).toBe(
      '"addresses" left join "cities" as "city" on "city"."id" = "addresses"."city_id"',
    )
  })

  test('goes on from an alias', () => {
    expect(shown(pipe(users, join('addresses', 'a'), leftJoin('a.city', 'c'), join('a.user', 'again')))[0]).toBe(
      '"users" inner join "addresses" as "a" on "a"."user_id" = "users"."id" ' +
        'left join "cities" as "c" on "c"."id" = "a"."city_id" ' +
        'inner join "users" as "again" on "again"."id" = "a"."user_id"',
    )
  })

  test('encodes values by the columns of the alias', () => {
    expect(
      shown(
        pipe(
          users,
          join('addresses', 'a'),
          where((eb) => eb.and([eb('a.since', '>', date), eb('a.userId', 'in', [1, 2])])),
        ),
      ),
    ).toEqual([
      '"users" inner join "addresses" as "a" on "a"."user_id" = "users"."id" ' +
        'where ("a"."since" > ? and "a"."user_id" in (?, ?))',
      [iso, 1, 2],
    ])
  })

  test('leaves names without a table to the entity, before and after it', () => {
    expect(
      shown(
        pipe(
          users,
          where((eb) => eb('id', '=', 1)),
          orderBy((eb) => eb.ref('name')),
          join('addresses', 'a'),
          where('id', '=', 2),
          where((eb) => eb.or([eb('id', '=', 3), eb('email', '=', 'x')])),
          orderBy((eb) => eb.ref('joined')),
        ),
      ),
    ).toEqual([
      '"users" inner join "addresses" as "a" on "a"."user_id" = "users"."id" ' +
        'where "users"."id" = ? and "users"."id" = ? and ("users"."id" = ? or "a"."email" = ?) ' +
        'order by "users"."name", "users"."joined_at"',
      [1, 2, 3, 'x'],
    ])
  })

  test('leaves the names of subqueries to them', () => {
    expect(
      shown(
        pipe(
          users,
          where((eb) =>
            eb.exists(eb.selectFrom('stays').select('nights').where('userId', '=', 1).where('name', '=', 'x')),
          ),
          join('addresses', 'a'),
        ),
      )[0],
    ).toBe(
      '"users" inner join "addresses" as "a" on "a"."user_id" = "users"."id" ' +
        'where exists (select "nights" from "stays" where "user_id" = ? and "users"."name" = ?)',
    )
  })
})

describe('a refinement', () => {
  test('is part of the condition of the join, under the alias', () => {
    expect(
      shown(
        pipe(
          users,
          leftJoin(
            'addresses',
            'a',
            flow(
              where('since', '<', date),
              where((eb) =>
                eb.or([
                  eb('email', '=', 'x'),
                  eb.exists(
                    eb
                      .selectFrom('stays')
                      .select('nights')
                      .whereRef('stays.userId', '=', 'addresses.userId')
                      .where('since', '=', date),
                  ),
                ]),
              ),
              orderBy('email'),
            ),
          ),
        ),
      ),
    ).toEqual([
      '"users" left join "addresses" as "a" on "a"."user_id" = "users"."id" and "a"."since" < ? and ("a"."email" = ? or ' +
        'exists (select "nights" from "stays" where "stays"."user_id" = "a"."user_id" and "a"."since" = ?))',
      [iso, 'x', iso],
    ])
  })

  test('is a subquery where it is text, or more than a condition', () => {
    const text = pipe(
      users,
      leftJoin(
        'addresses',
        'a',
        where(() => sql<boolean>`email like 'x' or false`),
      ),
    )
    const few = pipe(users, join('addresses', 'a', flow(orderBy('email'), limit(3))))
    const table = '"addresses"."id", "addresses"."email", "addresses"."user_id" as "userId"'
    expect(shown(text)[0]).toMatch(`"users" left join (select ${table}`)
    expect(shown(text)[0]).toMatch(/where \(email like 'x' or false\)\) as "a" on "a"\."userId" = "users"\."id"$/)
    expect(shown(few)[0]).toMatch(/order by "addresses"\."email" limit \?\) as "a" on "a"\."userId" = "users"\."id"$/)
  })
})

describe('joinOn', () => {
  test('joins on a condition, whose names are those of the query first', () => {
    expect(
      shown(
        pipe(
          users,
          joinOn(model.City, 'c', (eb) => eb('name', '=', eb.ref('c.name'))),
          leftJoinOn(model.Stay, 's', (eb) => eb.and([eb('s.userId', '=', eb.ref('id')), eb('s.from', '>', date)])),
          where((eb) => eb('s.nights', 'is', null)),
        ),
      ),
    ).toEqual([
      '"users" inner join "cities" as "c" on "users"."name" = "c"."name" ' +
        'left join "stays" as "s" on ("s"."user_id" = "users"."id" and "s"."from_day" > ?) where "s"."nights" is null',
      [iso],
    ])
  })
})

describe('any and has', () => {
  test('ask for a row that is related, under an alias of their own', () => {
    expect(shown(pipe(users, where(any('addresses', where('since', '>', date)))))).toEqual([
      '"users" where exists (select 1 as "found" from "addresses" as "unitary_any_0" ' +
        'where "unitary_any_0"."user_id" = "users"."id" and "unitary_any_0"."since" > ?)',
      [iso],
    ])
    expect(shown(pipe(select(model.Address), where(has('user', where(any('addresses'))))))[0]).toBe(
      '"addresses" where exists (select 1 as "found" from "users" as "unitary_any_1" ' +
        'where "unitary_any_1"."id" = "addresses"."user_id" and exists (select 1 as "found" ' +
        'from "addresses" as "unitary_any_0" where "unitary_any_0"."user_id" = "unitary_any_1"."id"))',
    )
  })

  test('of a statement that writes', () => {
    expect(
      compiled(
        pipe(
          deleteFrom(model.User),
          where((eb) => eb.not(any(eb, 'addresses'))),
        ),
      ).sql,
    ).toBe(
      'delete from "users" where not exists (select 1 as "found" from "addresses" as "unitary_any_0" ' +
        'where "unitary_any_0"."user_id" = "users"."id")',
    )
  })
})

describe('what cannot be joined', () => {
  const faultOf = (statement: Parameters<typeof compiled>[0]): string => {
    const made = compile(sqlite)(statement)
    return isLeft(made) ? renderStatementError(made.left) : 'nothing'
  }

  test('is a name that is taken', () => {
    const problem = 'the query has a table of that name already; give the join an alias of its own'
    expect(faultOf(pipe(users, join('addresses', 'a'), join('addresses', 'a' as 'b')))).toBe(
      `join of a in a query of User: ${problem}`,
    )
    expect(faultOf(pipe(users, join('addresses', 'users' as 'b')))).toBe(`join of users in a query of User: ${problem}`)
    expect(
      faultOf(
        pipe(
          users,
          joinOn(model.City, 'users' as 'c', (eb) => eb('c.id', '=', 1)),
        ),
      ),
    ).toContain(problem)
  })

  test('is what is no relationship', () => {
    expect(faultOf(pipe(users, join('adresses' as 'addresses')))).toBe(
      'join of adresses in a query of User: adresses is no relationship of User',
    )
    const beyond = join('b.city' as never) as unknown as (self: typeof users) => typeof users
    expect(faultOf(beyond(users))).toBe('join of city in a query of User: city is no relationship of b')
  })

  test('fails what it refines, too', () => {
    const wrong: <S>(self: S) => S = join('adresses' as never) as never
    expect(faultOf(pipe(select(model.Address), join('user', 'u', wrong)))).toContain('adresses is no relationship')
  })
})

describe('analyse', () => {
  test('reads the conditions on an alias', () => {
    const query = pipe(
      users,
      join('addresses', 'a', where('email', '=', 'x')),
      where((eb) => eb('a.cityId', 'in', [1, 2])),
      where('id', '=', 3),
    )
    const analysis = analyse(query)
    expect(analysis.valuesOf('a', 'email')).toEqual(ValueSet.oneOf(['x']))
    expect(analysis.valuesOf(model.User, 'id')).toEqual(ValueSet.oneOf([3]))
  })
})
