import {
  compile,
  insertInto,
  onConflictDoNothing,
  onConflictDoUpdate,
  renderStatementError,
  values,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { model, mysql, postgres, sqlite } from './fixture.js'

const row = { id: 1, name: 'ed', age: 3 }
const insert = pipe(insertInto(model.User), values(row))

type Statement = typeof insert

const compilers = { sqlite, postgres, mysql }

const sqlOn = (dialect: keyof typeof compilers, statement: Statement): unknown => {
  const compiled = compile(compilers[dialect])(statement)
  return compiled._tag === 'Right' ? compiled.right.sql : compiled.left
}

describe('an upsert', () => {
  test('is ON CONFLICT, or ON DUPLICATE KEY UPDATE', () => {
    const named = pipe(insert, onConflictDoUpdate('id', ['name']))
    expect(sqlOn('postgres', named)).toMatchInlineSnapshot(
      `"insert into "users" ("id", "name", "age") values ($1, $2, $3) on conflict ("id") do update set "name" = "excluded"."name""`,
    )
    expect(sqlOn('mysql', named)).toMatchInlineSnapshot(
      `"insert into \`users\` (\`id\`, \`name\`, \`age\`) values (?, ?, ?) on duplicate key update \`name\` = values(\`name\`)"`,
    )
    const nothing = pipe(insert, onConflictDoNothing('id'))
    expect(sqlOn('sqlite', nothing)).toMatchInlineSnapshot(
      `"insert into "users" ("id", "name", "age") values (?, ?, ?) on conflict ("id") do nothing"`,
    )
    expect(sqlOn('mysql', nothing)).toMatchInlineSnapshot(
      `"insert into \`users\` (\`id\`, \`name\`, \`age\`) values (?, ?, ?) on duplicate key update \`id\` = \`id\`"`,
    )
    expect(sqlOn('mysql', pipe(insert, onConflictDoNothing()))).toMatchInlineSnapshot(
      `"insert into \`users\` (\`id\`, \`name\`, \`age\`) values (?, ?, ?) on duplicate key update \`id\` = \`id\`"`,
    )
  })

  test('names the table where an expression names no more than an attribute', () => {
    const adding = pipe(
      insert,
      onConflictDoUpdate(
        'id',
        (eb) => ({ age: eb('age', '+', eb.ref('excluded.age')) }),
        (eb) => eb('name', '<>', eb.ref('excluded.name')),
      ),
    )
    expect(sqlOn('sqlite', adding)).toMatchInlineSnapshot(
      `"insert into "users" ("id", "name", "age") values (?, ?, ?) on conflict ("id") do update set "age" = "users"."age" + "excluded"."age" where "users"."name" <> "excluded"."name""`,
    )
    expect(sqlOn('mysql', adding)).toMatchInlineSnapshot(
      `"insert into \`users\` (\`id\`, \`name\`, \`age\`) values (?, ?, ?) on duplicate key update \`age\` = case when \`users\`.\`name\` <> values(\`name\`) then \`users\`.\`age\` + values(\`age\`) else \`age\` end"`,
    )
  })

  test('sets on MySQL last what the others and the condition read', () => {
    const adding = pipe(
      insert,
      onConflictDoUpdate('id', (eb) => ({ age: eb('age', '+', 1), name: eb.fn('concat', ['name', 'age']) })),
    )
    expect(sqlOn('mysql', adding)).toMatch(/`name` = concat.*, `age` =/)
  })

  test('asks on MySQL once whether its condition holds, where that reads what is set', () => {
    const changed = pipe(
      insert,
      onConflictDoUpdate('id', ['name', 'age'], (eb) =>
        eb.or([eb('name', '<>', eb.ref('excluded.name')), eb('age', '<>', eb.ref('excluded.age'))]),
      ),
    )
    expect(sqlOn('mysql', changed)).toMatchInlineSnapshot(
      `"insert into \`users\` (\`id\`, \`name\`, \`age\`) values (?, ?, ?) on duplicate key update \`name\` = case when (@unitary_met := ((\`users\`.\`name\` <> values(\`name\`) or \`users\`.\`age\` <> values(\`age\`)))) then values(\`name\`) else \`name\` end, \`age\` = case when @unitary_met then values(\`age\`) else \`age\` end"`,
    )
  })

  test('that sets in a circle what it reads is none for MySQL', () => {
    const swapping = pipe(
      insert,
      onConflictDoUpdate('id', (eb) => ({ name: eb.fn('hex', ['age']), age: eb.fn('length', ['name']) })),
    )
    expect(sqlOn('postgres', swapping)).toEqual(expect.any(String))
    const error = sqlOn('mysql', swapping)
    expect(error).toMatchObject({ _tag: 'NotPortable', entity: 'User', dialect: 'mysql' })
    expect(renderStatementError(error as never)).toMatchInlineSnapshot(
      `"User: what its upsert sets reads, in a circle, what it sets elsewhere, and assignments are made one by one (mysql)"`,
    )
  })
})
