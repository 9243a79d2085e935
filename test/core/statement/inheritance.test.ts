import {
  analyse,
  compile,
  deleteFrom,
  insertInto,
  loadOnly,
  modify,
  orderBy,
  select,
  set,
  update,
  values,
  where,
  withSubtypes,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import Database from 'better-sqlite3'
import { isLeft } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { staff } from '../model/staff.js'

const engine = sqliteEngine(new Database(':memory:'))

const sqlOf = (statement: Parameters<ReturnType<typeof compile>>[0]) => {
  const compiled = compile(engine)(statement)
  if (isLeft(compiled)) throw new Error(compiled.left._tag)
  return { sql: compiled.right.sql, parameters: compiled.right.parameters }
}

describe('a select', () => {
  test('of an entity with subtypes reads its own table', () => {
    expect(sqlOf(select(staff.Person))).toMatchInlineSnapshot(`
      {
        "parameters": [],
        "sql": "select "people"."id", "people"."kind", "people"."full_name" as "name", "people"."company_id" as "companyId" from "people"",
      }
    `)
  })

  test('of a joined subtype reads its tables as one', () => {
    const query = pipe(select(staff.Engineer), where('language', '=', 'ts'), where('name', '=', 'ed'), orderBy('id'))
    expect(sqlOf(query)).toMatchInlineSnapshot(`
      {
        "parameters": [
          "ts",
          "ed",
        ],
        "sql": "select "engineers"."id", "engineers"."kind", "engineers"."name", "engineers"."companyId", "engineers"."language", "engineers"."mentorId" from (select "people"."id" as "id", "people"."kind" as "kind", "people"."full_name" as "name", "people"."company_id" as "companyId", "engineers"."lang" as "language", "engineers"."mentor_id" as "mentorId", "engineers"."team" as "Lead.team" from "people" inner join "engineers" on "engineers"."person_id" = "people"."id") as "engineers" where "engineers"."language" = ? and "engineers"."name" = ? order by "engineers"."id"",
      }
    `)
  })

  test('of one below that reads three, without those that share one of them', () => {
    expect(sqlOf(pipe(select(staff.Architect), loadOnly('style')))).toMatchInlineSnapshot(`
      {
        "parameters": [],
        "sql": "select "architects"."id", "architects"."kind", "architects"."style" from (select "people"."id" as "id", "people"."kind" as "kind", "people"."full_name" as "name", "people"."company_id" as "companyId", "engineers"."lang" as "language", "engineers"."mentor_id" as "mentorId", "architects"."style" as "style" from "people" inner join "engineers" on "engineers"."person_id" = "people"."id" inner join "architects" on "architects"."id" = "people"."id") as "architects"",
      }
    `)
  })

  test('of a single-table subtype reads the rows that are its own', () => {
    expect(sqlOf(pipe(select(staff.Lead), where('team', '=', 'core')))).toMatchInlineSnapshot(`
      {
        "parameters": [
          "lead",
          "core",
        ],
        "sql": "select "Lead"."id", "Lead"."kind", "Lead"."name", "Lead"."companyId", "Lead"."language", "Lead"."mentorId", "Lead"."team" from (select "people"."id" as "id", "people"."kind" as "kind", "people"."full_name" as "name", "people"."company_id" as "companyId", "engineers"."lang" as "language", "engineers"."mentor_id" as "mentorId", "engineers"."team" as "team" from "people" inner join "engineers" on "engineers"."person_id" = "people"."id" where "people"."kind" in (?)) as "Lead" where "Lead"."team" = ?",
      }
    `)
    expect(
      sqlOf(
        pipe(
          select(staff.Manager),
          where((eb) => eb('Manager.level', '>', 1)),
        ),
      ),
    ).toMatchInlineSnapshot(`
      {
        "parameters": [
          "manager",
          1,
        ],
        "sql": "select "Manager"."id", "Manager"."kind", "Manager"."name", "Manager"."companyId", "Manager"."level" from (select "people"."id" as "id", "people"."kind" as "kind", "people"."full_name" as "name", "people"."company_id" as "companyId", "people"."level" as "level" from "people" where "people"."kind" in (?)) as "Manager" where "Manager"."level" > ?",
      }
    `)
  })

  test('joins a subtype to what refers to it', () => {
    const query = pipe(
      select(staff.Machine),
      modify((qb) =>
        qb
          .innerJoin('engineers as e', 'e.id', 'machines.engineerId')
          .where('e.name', '=', 'ed')
          .where('e.language', '=', 'ts'),
      ),
    )
    expect(sqlOf(query)).toMatchInlineSnapshot(`
      {
        "parameters": [
          "ed",
          "ts",
        ],
        "sql": "select "machines"."id", "machines"."label", "machines"."engineer_id" as "engineerId" from "machines" inner join (select "people"."id" as "id", "people"."kind" as "kind", "people"."full_name" as "name", "people"."company_id" as "companyId", "engineers"."lang" as "language", "engineers"."mentor_id" as "mentorId", "engineers"."team" as "Lead.team" from "people" inner join "engineers" on "engineers"."person_id" = "people"."id") as "e" on "e"."id" = "machines"."engineer_id" where "e"."name" = ? and "e"."language" = ?",
      }
    `)
  })

  test('with subtypes joins the tables that they brought', () => {
    const query = pipe(
      select(staff.Person),
      withSubtypes('*'),
      where('id', '>', 1),
      where('name', '=', 'ed'),
      orderBy('id'),
    )
    expect(sqlOf(query)).toMatchInlineSnapshot(`
      {
        "parameters": [
          1,
          "ed",
        ],
        "sql": "select "people"."id", "people"."kind", "people"."full_name" as "name", "people"."company_id" as "companyId", "Engineer"."lang" as "Engineer.language", "Engineer"."mentor_id" as "Engineer.mentorId", "Architect"."style" as "Architect.style", "Engineer"."team" as "Lead.team", "people"."level" as "Manager.level" from "people" left join "engineers" as "Engineer" on "Engineer"."person_id" = "people"."id" left join "architects" as "Architect" on "Architect"."id" = "people"."id" where "people"."id" > ? and "people"."full_name" = ? order by "people"."id"",
      }
    `)
    expect(sqlOf(pipe(select(staff.Person), withSubtypes('*'), withSubtypes('Lead')))).toEqual(
      sqlOf(pipe(select(staff.Person), withSubtypes('*'))),
    )
  })

  test('with subtypes of a subtype', () => {
    expect(sqlOf(pipe(select(staff.Engineer), withSubtypes('Lead', 'Architect')))).toMatchInlineSnapshot(`
      {
        "parameters": [],
        "sql": "select "engineers"."id", "engineers"."kind", "engineers"."name", "engineers"."companyId", "engineers"."language", "engineers"."mentorId", "Architect"."style" as "Architect.style", "engineers"."Lead.team" as "Lead.team" from (select "people"."id" as "id", "people"."kind" as "kind", "people"."full_name" as "name", "people"."company_id" as "companyId", "engineers"."lang" as "language", "engineers"."mentor_id" as "mentorId", "engineers"."team" as "Lead.team" from "people" inner join "engineers" on "engineers"."person_id" = "people"."id") as "engineers" left join "architects" as "Architect" on "Architect"."id" = "engineers"."id"",
      }
    `)
  })

  test('tells which values an inherited attribute can have', () => {
    const query = pipe(select(staff.Engineer), where('companyId', 'in', [1, 2]))
    expect(analyse(query).valuesOf(staff.Engineer, 'companyId')).toEqual(
      analyse(pipe(select(staff.Person), where('companyId', 'in', [1, 2]))).valuesOf(staff.Person, 'companyId'),
    )
    const wide = pipe(select(staff.Person), withSubtypes('*'), where('companyId', '=', 1))
    expect(analyse(wide).valuesOf(staff.Person, 'companyId')).toMatchObject({ _tag: 'OneOf' })
  })
})

describe('a write', () => {
  test('of a base entity is of its table', () => {
    expect(sqlOf(pipe(update(staff.Person), set({ name: 'x' }), where('id', '=', 1)))).toMatchInlineSnapshot(`
      {
        "parameters": [
          "x",
          1,
        ],
        "sql": "update "people" set "full_name" = ? where "people"."id" = ?",
      }
    `)
  })

  test('of a joined subtype is of the table that holds what it sets', () => {
    const own = pipe(update(staff.Engineer), set({ language: 'js' }), where('name', '=', 'ed'))
    expect(sqlOf(own)).toMatchInlineSnapshot(`
      {
        "parameters": [
          "js",
          "ed",
        ],
        "sql": "update "engineers" set "lang" = ? where "engineers"."person_id" in (select "unitary_keys"."id" from (select distinct "engineers"."id" from (select "people"."id" as "id", "people"."kind" as "kind", "people"."full_name" as "name", "people"."company_id" as "companyId", "engineers"."lang" as "language", "engineers"."mentor_id" as "mentorId", "engineers"."team" as "Lead.team" from "people" inner join "engineers" on "engineers"."person_id" = "people"."id") as "engineers" where "engineers"."name" = ?) as "unitary_keys")",
      }
    `)
    const inherited = pipe(
      update(staff.Engineer),
      set((eb) => ({ companyId: eb('companyId', '+', 1) })),
      where('language', '=', 'ts'),
    )
    expect(sqlOf(inherited)).toMatchInlineSnapshot(`
      {
        "parameters": [
          1,
          "ts",
        ],
        "sql": "update "people" set "company_id" = "people"."company_id" + ? where "people"."id" in (select "unitary_keys"."id" from (select distinct "engineers"."id" from (select "people"."id" as "id", "people"."kind" as "kind", "people"."full_name" as "name", "people"."company_id" as "companyId", "engineers"."lang" as "language", "engineers"."mentor_id" as "mentorId", "engineers"."team" as "Lead.team" from "people" inner join "engineers" on "engineers"."person_id" = "people"."id") as "engineers" where "engineers"."language" = ?) as "unitary_keys")",
      }
    `)
  })

  test('of a single-table subtype is of the table that it shares', () => {
    expect(sqlOf(pipe(update(staff.Manager), set({ level: 2 }), where('level', '<', 2)))).toMatchInlineSnapshot(`
      {
        "parameters": [
          2,
          "manager",
          2,
        ],
        "sql": "update "people" set "level" = ? where "people"."id" in (select "unitary_keys"."id" from (select distinct "Manager"."id" from (select "people"."id" as "id", "people"."kind" as "kind", "people"."full_name" as "name", "people"."company_id" as "companyId", "people"."level" as "level" from "people" where "people"."kind" in (?)) as "Manager" where "Manager"."level" < ?) as "unitary_keys")",
      }
    `)
    expect(sqlOf(pipe(update(staff.Lead), set({ team: 'x' })))).toMatchInlineSnapshot(`
      {
        "parameters": [
          "x",
          "lead",
        ],
        "sql": "update "engineers" set "team" = ? where "engineers"."person_id" in (select "unitary_keys"."id" from (select distinct "Lead"."id" from (select "people"."id" as "id", "people"."kind" as "kind", "people"."full_name" as "name", "people"."company_id" as "companyId", "engineers"."lang" as "language", "engineers"."mentor_id" as "mentorId", "engineers"."team" as "team" from "people" inner join "engineers" on "engineers"."person_id" = "people"."id" where "people"."kind" in (?)) as "Lead") as "unitary_keys")",
      }
    `)
  })

  test('of several tables is refused', () => {
    const both = pipe(update(staff.Engineer), set({ language: 'js', name: 'x' }))
    expect(compile(engine)(both)).toMatchObject({
      left: { _tag: 'SeveralTables', entity: 'Engineer', operation: 'update', tables: ['people', 'engineers'] },
    })
    const insert = pipe(insertInto(staff.Engineer), values({ name: 'x', language: 'y', kind: 'engineer' }))
    expect(compile(engine)(insert)).toMatchObject({ left: { _tag: 'SeveralTables', operation: 'insert' } })
  })

  test('that deletes is of the root, with which the others go', () => {
    expect(sqlOf(pipe(deleteFrom(staff.Engineer), where('language', '=', 'ts')))).toMatchInlineSnapshot(`
      {
        "parameters": [
          "ts",
        ],
        "sql": "delete from "people" where "people"."id" in (select "unitary_keys"."id" from (select distinct "engineers"."id" from (select "people"."id" as "id", "people"."kind" as "kind", "people"."full_name" as "name", "people"."company_id" as "companyId", "engineers"."lang" as "language", "engineers"."mentor_id" as "mentorId", "engineers"."team" as "Lead.team" from "people" inner join "engineers" on "engineers"."person_id" = "people"."id") as "engineers" where "engineers"."language" = ?) as "unitary_keys")",
      }
    `)
  })
})
