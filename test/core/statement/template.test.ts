import {
  bind,
  compile,
  orderBy,
  refineByAttributes,
  select,
  selectByAttributes,
  selectByKey,
  where,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { compiled, model, mysql, postgres, rightOf, sqlite, tail } from './fixture.js'

const { mapping: users } = model.User
const { mapping: addresses } = model.Address
const { mapping: stays } = model.Stay
const attribute = (mapping: typeof users, name: string) => {
  const found = mapping.attributeOf.get(name)
  if (found === undefined) throw new Error(name)
  return found
}
const userId = attribute(addresses, 'userId')
const date = new Date('2026-01-31T12:00:00.000Z')

describe('templates', () => {
  test('find a row by its key', () => {
    const found = compiled(bind(selectByKey(users), [7]))
    expect(tail(found)).toBe('select ... from "users" where "users"."id" = ?')
    expect(found.parameters).toEqual([7])
  })

  test('find a row by a key of several parts, each encoded by its column', () => {
    const found = compiled(bind(selectByKey(stays), [7, date]), postgres)
    expect(tail(found)).toBe('select ... from "stays" where ("stays"."user_id" = $1 and "stays"."from_day" = $2)')
    expect(found.parameters).toEqual([7, '2026-01-31T12:00:00.000Z'])
  })

  test('list keys up to the next power of two, and repeat the last', () => {
    const template = selectByAttributes(addresses, [userId], 3, [[attribute(addresses, 'email'), 'desc']])
    expect(template.capacity).toBe(4)
    const found = compiled(bind(template, [1, 2, 3]))
    expect(tail(found)).toBe(
      'select ... from "addresses" where "addresses"."user_id" in (?, ?, ?, ?) order by "addresses"."email" desc',
    )
    expect(found.parameters).toEqual([1, 2, 3, 3])
    expect(compiled(bind(template, [1, 2, 3, 4])).parameters).toEqual([1, 2, 3, 4])
  })

  test('list keys of several parts as alternatives, nested no deeper than need be', () => {
    const template = selectByAttributes(stays, stays.key, 3, [])
    const found = compiled(bind(template, [1, date, 2, date, 3, date]))
    expect(tail(found).replaceAll('"stays".', '')).toBe(
      'select ... from "stays" where ((("user_id" = ? and "from_day" = ?) or ("user_id" = ? and "from_day" = ?)) or (("user_id" = ? and "from_day" = ?) or ("user_id" = ? and "from_day" = ?)))',
    )
    expect(found.parameters.filter((_, i) => i % 2 === 0)).toEqual([1, 2, 3, 3])
    expect(new Set(found.parameters.filter((_, i) => i % 2 === 1))).toEqual(new Set(['2026-01-31T12:00:00.000Z']))
  })

  test('are made once for each shape, and compiled once for each dialect', () => {
    expect(selectByKey(users)).toBe(selectByKey(users))
    expect(selectByAttributes(addresses, [userId], 3, [])).toBe(selectByAttributes(addresses, [userId], 4, []))
    expect(selectByAttributes(addresses, [userId], 5, [])).not.toBe(selectByAttributes(addresses, [userId], 4, []))
    let count = 0
    const counting = {
      ...sqlite,
      compile: (node: Parameters<typeof sqlite.compile>[0]) => {
        count++
        return sqlite.compile(node)
      },
    }
    for (const id of [1, 2, 3]) rightOf(compile(counting)(bind(selectByKey(users), [id])))
    expect(count).toBe(1)
    expect(compiled(bind(selectByKey(users), [1]), mysql).sql).toContain('`users`.`id` = ?')
  })

  test('narrow a query, with its own parameters in their places', () => {
    const refined = pipe(select(model.Address), where('since', '>', date), orderBy('id'))
    const template = refineByAttributes(refined, [userId], 2, [[attribute(addresses, 'email'), 'asc']])
    const found = compiled(bind(template, [5, 6]), postgres)
    expect(tail(found)).toBe(
      'select ... from "addresses" where "addresses"."since" > $1 and "addresses"."user_id" in ($2, $3) order by "addresses"."id", "addresses"."email" asc',
    )
    expect(found.parameters).toEqual(['2026-01-31T12:00:00.000Z', 5, 6])
    expect(refineByAttributes(refined, [userId], 2, [[attribute(addresses, 'email'), 'asc']])).toBe(template)
  })

  test('give a value that no codec encodes as an error', () => {
    expect(compile(sqlite)(bind(selectByKey(stays), [1, 'no date']))).toMatchObject({
      left: { _tag: 'EncodeError', entity: 'Stay', attribute: 'from', value: 'no date' },
    })
  })
})
