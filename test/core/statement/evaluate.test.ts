import {
  type AnyDelete,
  column,
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
import * as t from 'io-ts'
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

  test('put texts together, and say nothing where one of them is NULL', () => {
    const graded = on((eb) => eb(eb.fn('concat', ['name', eb.val('-'), 'grade']), '=', 'ed-G'))
    expect(truth(graded, { ...ed, grade: 'good' })).toBe(true)
    expect(truth(graded, { ...ed, grade: 'bad' })).toBe(false)
    expect(truth(graded, ed)).toBeUndefined()
    expect(evaluateCriteria(on((eb) => eb(eb.fn('concat', ['name', 'age']), '=', 'ed30')))).toMatchObject({
      left: { expression: 'concat()' },
    })
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

  test.each<readonly [string, (eb: Users) => Expression<unknown>, boolean | null]>([
    ['between', (eb) => eb.between('age', 30, 31), true],
    ['in of tuples', (eb) => eb(eb.refTuple('age', 'name'), 'in', [eb.tuple(30, 'ed'), eb.tuple(1, 'x')]), true],
    ['= of tuples', (eb) => eb(eb.refTuple('age', 'name'), '=', eb.tuple(30, 'x') as never), false],
    ['coalesce', (eb) => eb(eb.fn.coalesce('grade', eb.val('good')), '=', 'good'), true],
    ['nullif', (eb) => eb(eb.fn<number | null>('nullif', ['age', eb.val(30)]), 'is', null), true],
    ['abs', (eb) => eb(eb.fn<number>('abs', [eb('age', '-', 40)]), '=', 10), true],
    ['length', (eb) => eb(eb.fn<number>('length', ['name']), '=', 2), true],
    ['lower', (eb) => eb(eb.fn<string>('lower', ['name']), '=', 'ed'), true],
    ['upper', (eb) => eb(eb.fn<string>('upper', ['name']), '=', 'ED'), true],
    ['trim', (eb) => eb(eb.fn<string>('trim', [eb.val(' ed ')]), '=', eb.ref('name')), true],
    ['minus', (eb) => eb(eb.neg(eb.ref('id')), '=', -1), true],
    ['case', (eb) => eb(eb.case().when('age', '>', 20).then('good').else('bad').end(), '=', 'good'), true],
    ['case of a value', (eb) => eb(eb.case('id').when(1).then(eb.ref('age')).end(), '=', 30), true],
  ])('know what databases agree on: %s', (_, condition, expected) => {
    const statement = on(condition as (eb: Users) => Expression<SqlBool>)
    for (const dialect of [sqliteDialect, postgresDialect, mysqlDialect]) {
      const told = truth(statement, ed, dialect)
      const isSure = !rightOf(evaluateCriteria(statement)).unsureOn.includes(dialect.textComparison)
      if (isSure || told !== undefined) expect(told).toBe(expected)
    }
    expect(truth(statement, ed, sqliteDialect)).toBe(expected)
  })

  test('tell what only some databases can, of those', () => {
    const dialects = [sqliteDialect, postgresDialect, mysqlDialect]
    const truths = (condition: (eb: Users) => Expression<unknown>, name: string) => {
      const statement = on(condition as (eb: Users) => Expression<SqlBool>)
      return dialects.map((dialect) => truth(statement, { ...ed, name }, dialect))
    }
    // which letters have another case
    const isLower = (eb: Users) => eb(eb.fn<string>('lower', ['name']), '=', eb.ref('name'))
    expect(truths(isLower, 'é')).toEqual([true, undefined, undefined])
    expect(truths(isLower, 'i')).toEqual([true, undefined, undefined])
    expect(truths(isLower, 'ab')).toEqual([true, true, true])
    // characters or bytes
    expect(truths((eb) => eb(eb.fn<number>('length', ['name']), '=', 1), '\u{1F600}')).toEqual([true, true, undefined])
  })

  test('take a number in arithmetic for itself, whatever a codec makes of the column', () => {
    const cents = column(
      new t.Type<number, number, unknown>(
        'cents',
        t.number.is,
        (u, c) => t.number.validate(u, c),
        (n) => n * 100,
      ),
      'integer',
    )
    const Item = entity('Item', 'items', { id: pipe(integer, primaryKey), price: cents })
    const items = defineModel({ Item })(() => ({}))
    const dearer = pipe(
      deleteFrom(items.Item),
      where((eb) => eb(eb('price', '+', 1), '=', 301)),
    )
    expect(rightOf(evaluateCriteria(dearer)).truth({ id: 1, price: 3 }, sqliteDialect)).toBe(true)
  })

  test('that hold a value which no codec encodes are left to the compiler', () => {
    const statement = pipe(users, where('grade', '=', 'ugly' as never))
    expect(truth(statement, { ...ed, grade: 'good' })).toBeUndefined()
  })

  test.each<readonly [string, AnyDelete]>([
    ['like', pipe(users, where('name', 'like', 'e%'))],
    ['between symmetric', on((eb) => eb.betweenSymmetric('age', 1, 2))],
    ['exists', on((eb) => eb.exists(eb.selectFrom('cities').select('id')))],
    ['/', on((eb) => eb(eb('age', '/', 2), '=', 1))],
    ['* without parentheses', on((eb) => eb(eb(eb('age', '+', 1), '*', 2), '=', 62))],
    ['a comparison of JSON', on((eb) => eb('tags', '=', eb.ref('tags')))],
    ['raw SQL', on(() => sql<SqlBool>`age > 3`)],
    ['in a subquery', on((eb) => eb('age', 'in', eb.selectFrom('cities').select('population')))],
    ['replace()', on((eb) => eb(eb.fn('replace', ['name', eb.val('a'), eb.val('b')]), '=', 'ed'))],
    ['length()', on((eb) => eb(eb.fn<number>('length', ['age']), '=', 1))],
    ['greatest()', on((eb) => eb(eb.fn<number>('greatest', ['age', 'id']), '=', 1))],
    ['cast', on((eb) => eb(eb.cast<string>('age', 'text'), '=', 'x'))],
    [
      'in of tuples',
      on((eb) => eb(eb.refTuple('age', 'id'), 'in', eb.selectFrom('users').select(['age', 'id']) as never)),
    ],
    ['a subquery', on((eb) => eb('age', '=', eb.selectFrom('cities').select('population').limit(1)))],
    ['ilike', pipe(users, where('name', 'ilike', 'e%'))],
    [
      'an OR without parentheses',
      on((eb) => eb(eb.case().when(sql<SqlBool>`age = 1 or age = 2`).then(1).end() as never, '=', 1 as never)),
    ],
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
      set((eb) => ({ id: eb.fn('mod', ['id', eb.val(7)]) as never })),
    )
    expect(evaluateCriteria(renumbered)).toMatchObject({ left: { expression: 'mod()' } })
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
  const services: Services = {
    now: new Date(0),
    random: () => 0,
    uuid: () => 'u',
    remember: <L, A>(_: string, next: (last: L | null) => readonly [A, L]): A => next(null)[0],
  }
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
