import {
  compile,
  compileNode,
  distinct,
  filterBy,
  forShare,
  forUpdate,
  join,
  limit,
  modify,
  offset,
  orderBy,
  select,
  selectin,
  where,
  withOptions,
} from '@unitary/core'
import { flow, pipe } from 'fp-ts/lib/function.js'
import { expressionBuilder, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { compiled, model, mysql, postgres, sqlite, tail } from './fixture.js'

const date = new Date('2026-01-31T12:00:00.000Z')

describe('select', () => {
  test('selects every attribute under its own name', () => {
    expect(compiled(select(model.Address)).sql).toMatchInlineSnapshot(
      `"select "addresses"."id", "addresses"."email", "addresses"."user_id" as "userId", "addresses"."city_id" as "cityId", "addresses"."since" from "addresses""`,
    )
  })

  test('narrows, orders and cuts', () => {
    const query = pipe(
      select(model.User),
      where((eb) => eb.or([eb('name', '=', 'ed'), eb('age', '>', 30)])),
      where('joined', '>', date),
      orderBy('joined', 'desc'),
      orderBy((eb) => eb.fn('length', ['name'])),
      limit(10),
      offset(20),
      distinct,
    )
    expect(tail(compiled(query))).toMatchInlineSnapshot(
      `"select distinct ... from "users" where ("name" = ? or "age" > ?) and "users"."joined_at" > ? order by "users"."joined_at" desc, length("name") limit ? offset ?"`,
    )
    expect(compiled(query).parameters).toEqual(['ed', 30, '2026-01-31T12:00:00.000Z', 10, 20])
  })

  test('takes lists, NULL, ranges of nulls, expressions and subqueries for values', () => {
    const query = pipe(
      select(model.User),
      where('name', 'in', ['ed', 'wendy']),
      where('age', 'is', null),
      where('age', 'is not', null),
      where('id', '=', sql<number>`abs(${-5})`),
      where(
        'id',
        'in',
        expressionBuilder<{ addresses: { userId: number } }>().selectFrom('addresses').select('userId'),
      ),
      orderBy('age', (order) => order.desc().nullsLast()),
    )
    expect(tail(compiled(query))).toMatchInlineSnapshot(
      `"select ... from "users" where "users"."name" in (?, ?) and "users"."age" is null and "users"."age" is not null and "users"."id" = abs(?) and "users"."id" in (select "user_id" as "userId" from "addresses") order by "users"."age" desc nulls last"`,
    )
  })

  test('filters by values that attributes must have', () => {
    const query = pipe(select(model.User), filterBy({ name: 'ed', age: null, grade: 'good' }))
    expect(tail(compiled(query))).toMatchInlineSnapshot(
      `"select ... from "users" where "users"."name" = ? and "users"."age" is null and "users"."grade" = ?"`,
    )
    expect(compiled(query).parameters).toEqual(['ed', 'G'])
  })

  test('keeps raw conditions together', () => {
    const query = pipe(
      select(model.City),
      where('id', '=', 1),
      where(() => sql<boolean>`1 = 2 or 3 = 3`),
    )
    expect(tail(compiled(query))).toMatchInlineSnapshot(
      `"select ... from "cities" where "cities"."id" = ? and (1 = 2 or 3 = 3)"`,
    )
  })

  test('is changed by the whole of Kysely', () => {
    const query = pipe(
      select(model.User),
      modify((qb) =>
        qb
          .innerJoin('addresses as a', 'a.userId', 'users.id')
          .where('a.since', '<', date)
          .groupBy('users.id')
          .having((eb) => eb(eb.fn.countAll(), '>', 1)),
      ),
      orderBy('name'),
    )
    expect(tail(compiled(query))).toMatchInlineSnapshot(
      `"select ... from "users" inner join "addresses" as "a" on "a"."user_id" = "users"."id" where "a"."since" < ? group by "users"."id" having count(*) > ? order by "users"."name""`,
    )
    expect(compiled(query).parameters).toEqual(['2026-01-31T12:00:00.000Z', 1])
  })

  test('never changes what it was given', () => {
    const all = select(model.User)
    const before = compiled(all)
    pipe(all, where('name', '=', 'ed'), limit(3), selectin('addresses'), withOptions({ shard: 'asia' }))
    expect(compiled(all)).toEqual(before)
    expect(all).toMatchObject({ loads: [], options: {} })
  })

  test('adds options to those it has', () => {
    const query = pipe(select(model.User), withOptions({ shard: 'asia', strict: false }), withOptions({ strict: true }))
    expect(query.options).toEqual({ shard: 'asia', strict: true })
  })
})

describe('selectin', () => {
  test('adds a load, with the query of its targets where it is refined', () => {
    const query = pipe(
      select(model.User),
      selectin('addresses', flow(where('email', 'like', '%@x.org'), orderBy('email'), selectin('city'))),
    )
    expect(query.loads).toMatchObject([
      { strategy: 'selectin', relationship: 'addresses', refine: { entity: { name: 'Address' } } },
    ])
    const refine = query.loads[0]?.refine
    expect(refine?.loads).toEqual([{ strategy: 'selectin', relationship: 'city', refine: null, depth: 1, alias: null }])
    expect(refine && tail(compiled(refine))).toMatchInlineSnapshot(
      `"select ... from "addresses" where "addresses"."email" like ? order by "addresses"."email""`,
    )
  })

  test('replaces an earlier load of the same relationship', () => {
    const query = pipe(select(model.Address), selectin('city'), selectin('user'), selectin('city', limit(1)))
    expect(query.loads.map((load) => [load.relationship, load.refine !== null])).toEqual([
      ['user', false],
      ['city', true],
    ])
  })
})

describe('compile', () => {
  test('speaks each dialect', () => {
    const query = pipe(select(model.City), where('id', '=', 1))
    expect(compiled(query, postgres).sql).toMatchInlineSnapshot(
      `"select "cities"."id", "cities"."name", "cities"."population" from "cities" where "cities"."id" = $1"`,
    )
    expect(compiled(query, mysql).sql).toMatchInlineSnapshot(
      `"select \`cities\`.\`id\`, \`cities\`.\`name\`, \`cities\`.\`population\` from \`cities\` where \`cities\`.\`id\` = ?"`,
    )
  })

  test('sets a limit beside an offset where the dialect asks for one', () => {
    const query = pipe(select(model.City), offset(5))
    expect(tail(compiled(query, sqlite))).toBe('select ... from "cities" limit -1 offset ?')
    expect(tail(compiled(query, mysql))).toBe('select ... from `cities` limit 18446744073709551615 offset ?')
    expect(tail(compiled(query, postgres))).toBe('select ... from "cities" offset $1')
  })

  test('takes empty lists on every dialect', () => {
    const query = pipe(select(model.City), where('id', 'in', []), where('name', 'not in', []))
    expect(tail(compiled(query, sqlite))).toBe(
      'select ... from "cities" where "cities"."id" in () and "cities"."name" not in ()',
    )
    expect(tail(compiled(query, postgres))).toBe('select ... from "cities" where 1 = 0 and 1 = 1')
  })

  test('locks rows where the dialect has such locks, as it spells them', () => {
    const shared = pipe(
      select(model.City),
      modify((query) => query.forShare()),
    )
    expect(tail(compiled(shared, sqlite))).toBe('select ... from "cities"')
    expect(tail(compiled(shared, postgres))).toBe('select ... from "cities" for share')
    expect(tail(compiled(shared, mysql))).toBe('select ... from `cities` lock in share mode')
    const free = pipe(
      select(model.City),
      modify((query) => query.forUpdate().skipLocked()),
    )
    expect(tail(compiled(free, sqlite))).toBe('select ... from "cities"')
    expect(tail(compiled(free, mysql))).toBe('select ... from `cities` for update skip locked')
  })

  test('locks rows by combinators, and refuses to where there are no locks', () => {
    const addresses = pipe(select(model.Address), join('city', 'c'))
    const joined = '"cities" as "c" on "c"."id" = "addresses"."city_id"'
    const free = pipe(addresses, forUpdate({ of: ['addresses', 'c'], wait: 'skipLocked' }))
    expect(tail(compiled(free, postgres))).toBe(
      `select ... from "addresses" inner join ${joined} for update of "addresses", "c" skip locked`,
    )
    expect(tail(compiled(free, mysql))).toMatch(/ for update \/\*!80000 of `addresses`, `c` \*\/ skip locked$/)
    const shared = pipe(select(model.City), forShare({ wait: 'noWait' }))
    expect(tail(compiled(shared, postgres))).toBe('select ... from "cities" for share nowait')
    expect(tail(compiled(shared, mysql))).toBe(
      'select ... from `cities` /*M! lock in share mode */ /*!80000 for share */ nowait',
    )
    expect(tail(compiled(pipe(select(model.City), forUpdate()), mysql))).toBe('select ... from `cities` for update')
    expect(tail(compiled(pipe(select(model.City), forShare()), mysql))).toBe(
      'select ... from `cities` lock in share mode',
    )
    expect(compile(sqlite)(shared)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'InvalidClause', entity: 'City', clause: 'lock' },
    })
  })

  test('gives a value that no codec encodes as an error', () => {
    const statement = pipe(select(model.User), filterBy({ grade: 'ugly' as 'good' }))
    expect(compile(sqlite)(statement)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'EncodeError', entity: 'User', attribute: 'grade', value: 'ugly' },
    })
  })

  test("compiles queries of Kysely's own builders", () => {
    const node = expressionBuilder<never>()
      .selectFrom('users' as never)
      .select('joined' as never)
      .toOperationNode()
    expect(compileNode(sqlite, model.mappings)(node)).toMatchObject({
      right: { sql: 'select "joined_at" as "joined" from "users"' },
    })
  })
})
