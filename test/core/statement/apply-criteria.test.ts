import {
  type AnyStatement,
  analyse,
  applyCriteria,
  combineCriteria,
  criteria,
  type Database,
  defineModel,
  deleteFrom,
  type EntityCriteria,
  entity,
  insertInto,
  integer,
  join,
  leftJoin,
  limit,
  modify,
  orderBy,
  primaryKey,
  select,
  set,
  text,
  update,
  where,
  withOptions,
  withoutCriteria,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { compiled, model, tail } from './fixture.js'

declare module '@unitary/core' {
  interface ExecutionOptions {
    readonly tenant?: string
  }
}

const linked = defineModel({
  Article: entity('Article', 'articles', { id: pipe(integer, primaryKey) }),
  Tag: entity('Tag', 'tags', { id: pipe(integer, primaryKey), name: text }),
})((r) => ({
  Article: {
    tags: r.Article.manyToMany('Tag', { through: { table: 'article_tags', own: ['article_id'], target: ['tag_id'] } }),
  },
}))

const rules = criteria(model)({
  User: { adult: (eb) => eb('age', '>=', 18), named: (eb) => eb('users.name', '<>', '') },
  Address: { ours: (eb) => eb('userId', 'in', [1, 2]) },
})

const narrowed = (statement: AnyStatement, by: EntityCriteria = rules): string =>
  tail(compiled(applyCriteria(by)(statement)))

const users = select(model.User)

const nowhere = new Kysely<Database<typeof model>>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

describe('applyCriteria', () => {
  test('adds the criteria of an entity to the conditions of its query', () => {
    expect(narrowed(pipe(users, where('name', '=', 'ed'), orderBy('id'), limit(3)))).toMatchInlineSnapshot(
      `"select ... from "users" where "users"."name" = ? and "users"."age" >= ? and "users"."name" <> ? order by "users"."id" limit ?"`,
    )
  })

  test('keeps conditions together that raw text would take apart', () => {
    const either = pipe(
      users,
      where(() => sql<boolean>`1 = 1 or 2 = 2`),
    )
    expect(narrowed(either)).toMatchInlineSnapshot(
      `"select ... from "users" where (1 = 1 or 2 = 2) and "users"."age" >= ? and "users"."name" <> ?"`,
    )
    const modified = pipe(
      users,
      modify((qb) => qb.where(sql<boolean>`1 = 1 or 2 = 2`)),
    )
    expect(narrowed(modified)).toMatchInlineSnapshot(
      `"select ... from "users" where (1 = 1 or 2 = 2) and "users"."age" >= ? and "users"."name" <> ?"`,
    )
  })

  test('says them of what is joined in ON, under its alias', () => {
    const joined = pipe(
      users,
      modify((qb) =>
        qb
          .leftJoin('addresses as a', (on) => on.onRef('a.userId', '=', 'users.id').on('a.email', 'like', '%x%'))
          .innerJoin('users as other', 'other.id', 'a.cityId')
          .crossJoin('addresses as b'),
      ),
    )
    expect(narrowed(joined)).toMatchInlineSnapshot(
      `"select ... from "users" left join "addresses" as "a" on "a"."user_id" = "users"."id" and "a"."email" like ? and "a"."user_id" in (?, ?) inner join "users" as "other" on "other"."id" = "a"."city_id" and "other"."age" >= ? and "other"."name" <> ? cross join "addresses" as "b" where "users"."age" >= ? and "users"."name" <> ? and "b"."user_id" in (?, ?)"`,
    )
  })

  test('says them of the links on the way, which else would keep rows of their own', () => {
    const by = criteria(linked)({ Tag: { shown: (eb) => eb('name', '<>', 'old') } })
    expect(narrowed(pipe(select(linked.Article), leftJoin('tags', 't')), by)).toMatchInlineSnapshot(
      `"select ... from "articles" left join "article_tags" as "unitary_link_t" on "unitary_link_t"."article_id" = "articles"."id" and "unitary_link_t"."tag_id" in (select "tags"."id" from "tags" where "tags"."name" <> ?) left join "tags" as "t" on "t"."id" = "unitary_link_t"."tag_id""`,
    )
    expect(narrowed(pipe(select(linked.Article), join('tags', 't')), by)).toMatchInlineSnapshot(
      `"select ... from "articles" inner join "article_tags" as "unitary_link_t" on "unitary_link_t"."article_id" = "articles"."id" inner join "tags" as "t" on "t"."id" = "unitary_link_t"."tag_id" and "t"."name" <> ?"`,
    )
    const refined = pipe(select(linked.Article), leftJoin('tags', 't', where('name', '<>', 'x')))
    expect(narrowed(refined, by)).toMatchInlineSnapshot(
      `"select ... from "articles" left join (select "t"."id", "t"."name", "unitary_link_t"."article_id" as "unitary_link.article_id" from "tags" as "t" inner join "article_tags" as "unitary_link_t" on "t"."id" = "unitary_link_t"."tag_id" and "t"."name" <> ? where "t"."name" <> ?) as "t" on "t"."unitary_link.article_id" = "articles"."id""`,
    )
  })

  test('takes the rows of a table first where a RIGHT or FULL join may show none of them', () => {
    const joined = pipe(
      select(model.Address),
      modify((qb) => qb.rightJoin('users', 'users.id', 'addresses.userId')),
    )
    expect(narrowed(joined)).toMatchInlineSnapshot(
      `"select ... from (select "addresses"."id", "addresses"."email", "addresses"."user_id" as "userId", "addresses"."city_id" as "cityId", "addresses"."since" from "addresses" where "addresses"."user_id" in (?, ?)) as "addresses" right join (select "users"."id", "users"."name", "users"."age", "users"."joined_at" as "joined", "users"."tags", "users"."grade" from "users" where "users"."age" >= ? and "users"."name" <> ?) as "users" on "users"."id" = "addresses"."userId""`,
    )
  })

  test('reaches subqueries, UNIONs and CTEs, and leaves a CTE of the name of a table alone', () => {
    const query = pipe(
      users,
      where((eb) =>
        eb.or([
          eb.exists(eb.selectFrom('addresses as a').select('a.id').whereRef('a.userId', '=', 'users.id')),
          eb(
            'id',
            'in',
            eb.selectFrom('addresses').select('userId as n').union(eb.selectFrom('users').select('id as n')),
          ),
        ]),
      ),
    )
    expect(narrowed(query)).toMatchInlineSnapshot(
      `"select ... from "users" where (exists (select "a"."id" from "addresses" as "a" where "a"."user_id" = "users"."id" and "a"."user_id" in (?, ?)) or "id" in (select "user_id" as "n" from "addresses" where "addresses"."user_id" in (?, ?) union select "id" as "n" from "users" where "users"."age" >= ? and "users"."name" <> ?)) and "users"."age" >= ? and "users"."name" <> ?"`,
    )
    const node = nowhere
      .with('users', (db) => db.selectFrom('users').select('users.id'))
      .selectFrom('addresses')
      .innerJoin('users', 'users.id', 'addresses.userId')
      .select('addresses.id')
      .toOperationNode()
    expect(narrowed({ ...select(model.Address), node })).toMatchInlineSnapshot(
      `"with "users" as (select "users"."id" from "users" where "users"."age" >= ? and "users"."name" <> ?) select "addresses"."id" from "addresses" inner join "users" on "users"."id" = "addresses"."user_id" where "addresses"."user_id" in (?, ?)"`,
    )
  })

  test('narrows what is updated and deleted, and what an INSERT reads, not what it writes', () => {
    expect(narrowed(pipe(update(model.User), set({ name: 'x' })))).toMatchInlineSnapshot(
      `"update "users" set "name" = ? where "users"."age" >= ? and "users"."name" <> ?"`,
    )
    expect(narrowed(pipe(deleteFrom(model.User), where('id', '=', 1)))).toMatchInlineSnapshot(
      `"delete from "users" where "users"."id" = ? and "users"."age" >= ? and "users"."name" <> ?"`,
    )
    const copied = pipe(
      insertInto(model.Address),
      modify((qb) => qb.columns(['email']).expression((eb) => eb.selectFrom('users').select('users.name')) as never),
    )
    expect(narrowed(copied)).toMatchInlineSnapshot(
      `"insert into "addresses" ("email") select "users"."name" from "users" where "users"."age" >= ? and "users"."name" <> ?"`,
    )
  })

  test('says by keys what text or a name of its own would make mean something else', () => {
    const raw = criteria(model)({ User: { adult: () => sql`age >= 18` } })
    const own = criteria(model)({
      User: {
        housed: (eb) => eb.exists(eb.selectFrom('addresses as a').select('a.id').whereRef('a.userId', '=', 'users.id')),
      },
    })
    const alias = pipe(
      select(model.Address),
      modify((qb) => qb.innerJoin('users as a', 'a.id', 'addresses.userId')),
    )
    expect(narrowed(users, raw)).toMatchInlineSnapshot(`"select ... from "users" where age >= 18"`)
    expect(narrowed(alias, raw)).toMatchInlineSnapshot(
      `"select ... from "addresses" inner join "users" as "a" on "a"."id" = "addresses"."user_id" and "a"."id" in (select "users"."id" from "users" where age >= 18)"`,
    )
    expect(narrowed(users, own)).toMatchInlineSnapshot(
      `"select ... from "users" where exists (select "a"."id" from "addresses" as "a" where "a"."user_id" = "users"."id")"`,
    )
    expect(narrowed(alias, own)).toMatchInlineSnapshot(
      `"select ... from "addresses" inner join "users" as "a" on "a"."id" = "addresses"."user_id" and "a"."id" in (select "users"."id" from "users" where exists (select "a"."id" from "addresses" as "a" where "a"."user_id" = "users"."id"))"`,
    )
  })

  test('leaves what criteria themselves read alone', () => {
    const housed = criteria(model)({
      User: { housed: (eb) => eb('id', 'in', eb.selectFrom('addresses').select('userId')) },
    })
    expect(
      narrowed(users, combineCriteria(housed, criteria(model)({ Address: rulesOfAddress }))),
    ).toMatchInlineSnapshot(
      `"select ... from "users" where "users"."id" in (select "user_id" as "userId" from "addresses")"`,
    )
  })

  test('gives the same tree for the same tree, and the very same statement where nothing concerns it', () => {
    const cities = select(model.City)
    expect(applyCriteria(rules)(cities)).toBe(cities)
    const once = applyCriteria(rules)(users)
    expect(applyCriteria(rules)(users).node).toBe(once.node)
    expect(applyCriteria(rules)(once)).toBe(once)
  })

  test('can be switched off, one or all', () => {
    expect(narrowed(pipe(users, withoutCriteria(rules, 'adult')))).toMatchInlineSnapshot(
      `"select ... from "users" where "users"."name" <> ?"`,
    )
    expect(narrowed(pipe(users, withoutCriteria(rules, 'adult'), withoutCriteria(rules, 'named')))).not.toMatch(/where/)
    expect(narrowed(pipe(users, withoutCriteria(rules)))).not.toMatch(/where/)
    expect(narrowed(pipe(users, withoutCriteria()))).not.toMatch(/where/)
  })

  test('is what analysis, and so routing, sees', () => {
    expect(analyse(applyCriteria(rules)(select(model.Address))).valuesOf(model.Address, 'userId')).toEqual(
      analyse(pipe(select(model.Address), where('userId', 'in', [1, 2]))).valuesOf(model.Address, 'userId'),
    )
  })
})

const rulesOfAddress = { ours: () => sql<boolean>`0` }

describe('criteria that depend on options', () => {
  const byTenant = criteria(model)({
    User: { tenant: (eb, { tenant }) => (tenant === undefined ? null : eb('name', '=', tenant)) },
  })

  test('are those of the options given, under those of the statement', () => {
    const of = (tenant: string) => applyCriteria(byTenant, { tenant })
    expect(compiled(of('a')(users)).parameters).toEqual(['a'])
    expect(compiled(of('b')(users)).parameters).toEqual(['b'])
    expect(compiled(pipe(users, withOptions({ tenant: 'c' }), of('b'))).parameters).toEqual(['c'])
    expect(applyCriteria(byTenant)(users)).toBe(users)
    expect(of('a')(users).node).toBe(of('a')(users).node)
  })
})
