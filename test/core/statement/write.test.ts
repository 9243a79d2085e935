import {
  deleteFrom,
  filterBy,
  insertInto,
  modify,
  select,
  set,
  update,
  values,
  where,
  whereOf,
  withDefaults,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { compiled, model, postgres } from './fixture.js'

const date = new Date('2026-01-31T12:00:00.000Z')
const services = {
  now: date,
  random: () => 0.5,
  uuid: () => '0',
  remember: <L, A>(_: string, next: (last: L | null) => readonly [A, L]): A => next(null)[0],
}

describe('update', () => {
  test('sets values and expressions in the rows that conditions let through', () => {
    const statement = pipe(
      update(model.User),
      set({ joined: date, grade: 'bad' }),
      set((eb) => ({ age: eb('age', '+', 1) })),
      where((eb) => eb('name', '=', 'ed')),
      where('joined', '<', date),
    )
    expect(compiled(statement)).toEqual({
      sql: 'update "users" set "joined_at" = ?, "grade" = ?, "age" = "age" + ? where "name" = ? and "users"."joined_at" < ?',
      parameters: ['2026-01-31T12:00:00.000Z', 'B', 1, 'ed', '2026-01-31T12:00:00.000Z'],
    })
  })

  test('is changed by the whole of Kysely', () => {
    const statement = pipe(
      update(model.Address),
      set((eb) => ({ since: eb.ref('users.joined' as never) })),
      modify((qb) => qb.from('users').whereRef('users.id', '=', 'addresses.userId').returning('addresses.id')),
    )
    expect(compiled(statement, postgres).sql).toMatchInlineSnapshot(
      `"update "addresses" set "since" = "users"."joined_at" from "users" where "users"."id" = "addresses"."user_id" returning "addresses"."id""`,
    )
  })
})

describe('delete', () => {
  test('removes the rows that conditions let through', () => {
    const statement = pipe(deleteFrom(model.Stay), filterBy({ userId: 7, from: date }))
    expect(compiled(statement)).toEqual({
      sql: 'delete from "stays" where "stays"."user_id" = ? and "stays"."from_day" = ?',
      parameters: [7, '2026-01-31T12:00:00.000Z'],
    })
  })
})

describe('whereOf', () => {
  const either = pipe(
    deleteFrom(model.User),
    where((eb) => eb('name', '=', 'ed').or('age', '>', 90)),
  )

  test('takes over the conditions of another statement', () => {
    expect(compiled(pipe(update(model.User), set({ grade: 'bad' }), whereOf(either)))).toEqual({
      sql: 'update "users" set "grade" = ? where ("name" = ? or "age" > ?)',
      parameters: ['B', 'ed', 90],
    })
  })

  test('adds them to those that are there, as a whole', () => {
    const raw = pipe(
      deleteFrom(model.User),
      modify((qb) => qb.where((eb) => eb.or([eb('age', '<', 1), eb('age', '>', 90)]))),
    )
    expect(compiled(pipe(select(model.User), where('name', '=', 'ed'), whereOf(raw))).sql).toMatch(
      / where "users"."name" = \? and \(+"age" < \? or "age" > \?\)+$/,
    )
  })

  test('changes nothing where the other has none', () => {
    const all = deleteFrom(model.User)
    expect(whereOf(select(model.User))(all)).toBe(all)
  })
})

describe('insert', () => {
  test('puts rows in, with expressions among their values', () => {
    const statement = pipe(
      insertInto(model.User),
      values([
        { name: 'ed', joined: date },
        { name: 'wendy', joined: date, age: (eb) => eb.fn<number>('abs', [eb.val(-3)]) },
      ]),
      modify((qb) => qb.returning('joined')),
    )
    expect(compiled(statement, postgres)).toEqual({
      sql: 'insert into "users" ("name", "joined_at", "age") values ($1, $2, default), ($3, $4, abs($5)) returning "joined_at" as "joined"',
      parameters: ['ed', '2026-01-31T12:00:00.000Z', 'wendy', '2026-01-31T12:00:00.000Z', -3],
    })
  })

  test('fills in the defaults of the attributes that rows leave out', () => {
    const none = withDefaults(services)(pipe(insertInto(model.User), values({ name: 'ed' })))
    expect(compiled(none)).toEqual({
      sql: 'insert into "users" ("name", "joined_at") values (?, ?)',
      parameters: ['ed', '2026-01-31T12:00:00.000Z'],
    })
    const some = pipe(insertInto(model.User), values([{ name: 'ed' }, { name: 'wendy', joined: new Date(0) }]))
    expect(compiled(withDefaults(services)(some))).toEqual({
      sql: 'insert into "users" ("name", "joined_at") values (?, ?), (?, ?)',
      parameters: ['ed', '2026-01-31T12:00:00.000Z', 'wendy', '1970-01-01T00:00:00.000Z'],
    })
  })

  test('gives the same value where there is no default to fill in', () => {
    const given = pipe(insertInto(model.User), values({ name: 'ed', joined: date }))
    expect(withDefaults(services)(given)).toBe(given)
    const city = pipe(insertInto(model.City), values({ id: 1, name: 'Oslo' }))
    expect(withDefaults(services)(city)).toBe(city)
  })
})
