import {
  type AnyDelete,
  defineModel,
  deleteFrom,
  type ExpressionsOf,
  entity,
  evaluateChanges,
  evaluateCriteria,
  integer,
  modify,
  mysqlDialect,
  nullable,
  postgresDialect,
  primaryKey,
  type Services,
  set,
  sqliteDialect,
  text,
  update,
  where,
  withUpdateDefault,
  withUpdateDefaults,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { type Expression, type SqlBool, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { compiled, model, rightOf } from './fixture.js'

const users = deleteFrom(model.User)
type Users = ExpressionsOf<typeof users>
const on = (condition: (eb: Users) => Expression<SqlBool>) => pipe(users, where(condition))
const truth = (statement: AnyDelete, row: Readonly<Record<string, unknown>>, dialect = sqliteDialect) =>
  rightOf(evaluateCriteria(statement)).truth(row, dialect)

const ed = { id: 1, name: 'ed', age: 30, grade: null, joined: new Date(0) }

describe('criteria', () => {
  test('are true, false or unknown as in SQL', () => {
    const eitherWay = on((eb) => eb.or([eb('age', '>', 20), eb('grade', '=', 'good')]))
    expect(truth(eitherWay, ed)).toBe(true)
    expect(truth(eitherWay, { ...ed, age: 10 })).toBeNull()
    expect(truth(eitherWay, { ...ed, age: 10, grade: 'bad' })).toBe(false)
    expect(truth(pipe(users, where('age', '=', null)), { ...ed, age: null })).toBeNull()
    expect(
      truth(
        on((eb) => eb.not(eb('age', 'not in', [1, null as never]))),
        ed,
      ),
    ).toBeNull()
  })

  test('are undefined where an attribute that decides is not known, and told where none does', () => {
    const statement = on((eb) => eb.or([eb('age', '=', 30), eb('name', '=', 'ed')]))
    expect(truth(statement, { age: 30 })).toBe(true)
    expect(truth(statement, { age: 31 })).toBeUndefined()
    expect(
      truth(
        on((eb) => eb.and([eb('age', '=', 30), eb('name', '=', 'ed')])),
        { age: 31 },
      ),
    ).toBe(false)
  })

  test('compare as the columns are written: by what a codec makes of a value', () => {
    expect(truth(pipe(users, where('joined', '<', new Date(1))), ed)).toBe(true)
    expect(truth(pipe(users, where('grade', 'in', ['good', 'bad'])), { ...ed, grade: 'good' })).toBe(true)
  })

  test('tell of texts what every collation of the database agrees in', () => {
    const named = pipe(users, where('name', '=', 'Ed'))
    const before = pipe(users, where('name', '<', 'f'))
    expect(rightOf(evaluateCriteria(named)).unsureOn).toEqual(['collation'])
    expect(rightOf(evaluateCriteria(before)).unsureOn).toEqual(['equality', 'collation'])
    expect(rightOf(evaluateCriteria(pipe(users, where('name', 'is', null as never)))).unsureOn).toEqual([])
    const dialects = [sqliteDialect, postgresDialect, mysqlDialect]
    expect(dialects.map((dialect) => truth(named, ed, dialect))).toEqual([false, false, undefined])
    expect(dialects.map((dialect) => truth(named, { name: 'Ed' }, dialect))).toEqual([true, true, true])
    expect(dialects.map((dialect) => truth(before, ed, dialect))).toEqual([true, undefined, undefined])
    expect(dialects.map((dialect) => truth(before, { name: 'f' }, dialect))).toEqual([false, false, false])
  })

  test('that hold a value which no codec encodes are left to the compiler', () => {
    const statement = pipe(users, where('grade', '=', 'ugly' as never))
    expect(truth(statement, { ...ed, grade: 'good' })).toBeUndefined()
  })

  test.each<readonly [string, AnyDelete]>([
    ['like', pipe(users, where('name', 'like', 'e%'))],
    ['between', on((eb) => eb.between('age', 1, 2))],
    ['exists', on((eb) => eb.exists(eb.selectFrom('cities').select('id')))],
    ['/', on((eb) => eb(eb('age', '/', 2), '=', 1))],
    ['* without parentheses', on((eb) => eb(eb(eb('age', '+', 1), '*', 2), '=', 62))],
    ['a comparison of JSON', on((eb) => eb('tags', '=', eb.ref('tags')))],
    ['RawNode', on(() => sql<SqlBool>`age > 3`)],
    ['in SelectQueryNode', on((eb) => eb('age', 'in', eb.selectFrom('cities').select('population')))],
    ['FunctionNode', on((eb) => eb(eb.fn('lower', ['name']), '=', 'ed'))],
    [
      'a join or limit',
      pipe(
        users,
        modify((qb) => qb.limit(1)),
      ),
    ],
  ])('are refused by the name of what only the database can evaluate: %s', (expression, statement) => {
    expect(evaluateCriteria(statement)).toEqual({
      _tag: 'Left',
      left: { _tag: 'NotEvaluable', entity: 'User', expression },
    })
  })

  test('are refused where a key becomes what only the database can tell', () => {
    const renumbered = pipe(
      update(model.User),
      set((eb) => ({ id: eb.fn('abs', ['id']) as never })),
    )
    expect(evaluateCriteria(renumbered)).toMatchObject({ left: { expression: 'FunctionNode' } })
  })
})

describe('changes', () => {
  const changed = (change: ReturnType<typeof set<typeof before>>, dialect = sqliteDialect) =>
    evaluateChanges(change(before)).valuesOf(ed, dialect)
  const before = update(model.User)

  test('are values, and what arithmetic makes of the old row', () => {
    const change = set<typeof before>((eb) => ({ name: 'wendy', age: eb(eb('id', '+', 1), '*', 1) }))
    expect(changed(change)).toEqual({ name: 'wendy', age: undefined })
    expect(changed(set((eb) => ({ age: eb(eb.parens(eb('age', '+', 1)), '*', 2) })))).toEqual({ age: 62 })
    expect(changed(set((eb) => ({ age: eb('age', '*', Number.MAX_SAFE_INTEGER) })))).toEqual({ age: undefined })
  })

  test('are made one after another on MySQL, and all from the old row elsewhere', () => {
    const change = set<typeof before>((eb) => ({ age: 1, id: eb('age', '+', 1) as never }))
    expect(changed(change)).toEqual({ age: 1, id: 31 })
    expect(changed(change, mysqlDialect)).toEqual({ age: 1, id: 2 })
  })
})

describe('what an update sets by itself', () => {
  const Note = entity('Note', 'notes', {
    id: pipe(integer, primaryKey),
    body: text,
    edited: pipe(
      text,
      nullable,
      withUpdateDefault(({ uuid }): string | null => uuid()),
    ),
  })
  const notes = defineModel({ Note })(() => ({}))
  const services: Services = { now: new Date(0), random: () => 0, uuid: () => 'u' }
  const complete = withUpdateDefaults(services)

  test('is set where the statement leaves it alone', () => {
    const statement = pipe(update(notes.Note), set({ body: 'b' }), complete)
    expect(compiled(statement)).toEqual({ sql: 'update "notes" set "body" = ?, "edited" = ?', parameters: ['b', 'u'] })
  })

  test('is left alone where the statement sets it, or sets nothing', () => {
    const statement = pipe(update(notes.Note), set({ edited: null }))
    expect(complete(statement)).toBe(statement)
    expect(complete(update(notes.Note))).toEqual(update(notes.Note))
  })
})
