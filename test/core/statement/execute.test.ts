/**
 * Statements against SQLite itself: what is written by attributes is found by attributes.
 */
import {
  bind,
  deleteFrom,
  insertInto,
  modify,
  orderBy,
  select,
  selectByAttributes,
  selectByKey,
  set,
  update,
  values,
  where,
} from '@unitary/core'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import { compiled, model } from './fixture.js'

const day = (n: number): Date => new Date(Date.UTC(2026, 0, n))

const open = () => {
  const db = new Database(':memory:')
  db.exec('create table stays (user_id integer, from_day text, nights integer, primary key (user_id, from_day))')
  return {
    all: (statement: Parameters<typeof compiled>[0]) => {
      const { sql, parameters } = compiled(statement)
      const prepared = db.prepare(sql)
      return prepared.reader ? prepared.all(...parameters) : prepared.run(...parameters).changes
    },
  }
}

const stays = [
  { userId: 1, from: day(1), nights: 2 },
  { userId: 1, from: day(5), nights: 1 },
  { userId: 2, from: day(1), nights: 7 },
]
const row = (userId: number, from: number, nights: number) => ({ userId, from: day(from).toISOString(), nights })

test('writes and reads by attributes', () => {
  const { all } = open()
  expect(all(pipe(insertInto(model.Stay), values(stays)))).toBe(3)
  expect(all(pipe(select(model.Stay), where('from', '>', day(1))))).toEqual([row(1, 5, 1)])
  expect(
    all(
      pipe(
        update(model.Stay),
        set((eb) => ({ nights: eb('nights', '+', 1), from: day(9) })),
        where('from', 'in', [day(5), day(6)]),
        modify((qb) => qb.returningAll()),
      ),
    ),
  ).toEqual([row(1, 9, 2)])
  expect(all(pipe(deleteFrom(model.Stay), where('from', '=', day(1)), where('userId', '=', 1)))).toBe(1)
  expect(all(pipe(select(model.Stay), orderBy('from')))).toEqual([row(2, 1, 7), row(1, 9, 2)])
})

test('finds rows by templates', () => {
  const { all } = open()
  all(pipe(insertInto(model.Stay), values(stays)))
  const { mapping } = model.Stay
  const [userId, from, nights] = mapping.attributes
  if (userId === undefined || from === undefined || nights === undefined) throw new Error('three attributes')
  expect(all(bind(selectByKey(mapping), [1, day(5)]))).toEqual([row(1, 5, 1)])
  expect(
    all(
      bind(
        selectByAttributes(mapping, [userId], 3, [
          [from, 'desc'],
          [nights, 'asc'],
        ]),
        [1, 2, 9],
      ),
    ),
  ).toEqual([row(1, 5, 1), row(1, 1, 2), row(2, 1, 7)])
  expect(all(bind(selectByAttributes(mapping, mapping.key, 3, []), [1, day(1), 2, day(1), 3, day(1)]))).toHaveLength(2)
})

test('finds rows by a thousand keys of two parts', () => {
  const { all } = open()
  all(pipe(insertInto(model.Stay), values(stays)))
  const { mapping } = model.Stay
  const keys = Array.from({ length: 1000 }, (_, i) => [i, day(1)]).flat()
  expect(all(bind(selectByAttributes(mapping, mapping.key, 1000, []), keys))).toHaveLength(2)
})
