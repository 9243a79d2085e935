import {
  compileStatistics,
  containsEager,
  distinct,
  join,
  leftJoin,
  limit,
  modify,
  orderBy,
  select,
  selectin,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { isSome, none, type Option, some } from 'fp-ts/lib/Option.js'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import { hosts, type JoinsApp, model, openJoins } from './joins-app.js'

const [sqlite] = hosts
const nodes = select(model.Node)
const first = (size: number): Session.PageOptions => ({ size, after: none })

const given = <A>(option: Option<A>): A => {
  if (!isSome(option)) throw new Error('none')
  return option.value
}

const decoded = (cursor: string): unknown => JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url')

let app: JoinsApp
beforeAll(async () => {
  app = await openJoins((sqlite as NonNullable<typeof sqlite>).host)
})
afterAll(() => app.close())

describe('page', () => {
  test('gives rows and where the next page starts, by one statement each', async () => {
    const query = pipe(nodes, orderBy('label', 'desc'))
    const [one, asked] = await app.counted(pipe(query, Session.page(first(2))))
    expect(one.rows.map(({ label }) => label)).toEqual(['root', 'b'])
    expect(asked).toHaveLength(1)
    expect(asked[0]).toMatch(/order by "nodes"\."label" desc, "nodes"\."id" desc limit \?$/)
    const [two, again] = await app.counted(pipe(query, Session.page({ size: 2, after: one.next })))
    expect(two.rows.map(({ label }) => label)).toEqual(['ab', 'aa'])
    expect(again[0]).toContain(
      'where ("nodes"."label" <= ? and (("nodes"."label", "nodes"."id") < (?, ?))) order by "nodes"."label" desc',
    )
    const three = await app.run(pipe(query, Session.page({ size: 2, after: two.next })))
    expect(three).toMatchObject({ rows: [{ label: 'a' }], next: none })
    expect(await app.run(pipe(query, where('id', '<', 0), Session.page(first(2))))).toEqual({ rows: [], next: none })
  })

  test('compiles the pages after the first once', async () => {
    const query = pipe(nodes, orderBy('label', 'desc'))
    let after: Session.PageOptions['after'] = none
    const misses: number[] = []
    for (let i = 0; i < 3; i++) {
      const page = await app.run(pipe(query, Session.page({ size: 1, after })))
      after = page.next
      misses.push(compileStatistics(app.engine).misses)
    }
    const [, second = 0, third] = misses
    expect(third).toBe(second)
  })

  test('keeps to the conditions and loads of the query', async () => {
    const query = pipe(
      select(model.User),
      join('addresses', 'a'),
      where((eb) => eb('a.email', 'like', '%@%')),
      orderBy((eb) => eb.ref('a.email')),
      selectin('tags'),
    )
    const one = await app.run(pipe(query, Session.page(first(2))))
    expect(one.rows).toMatchObject([
      { name: 'ed', tags: [{}, {}] },
      { name: 'ed', tags: [{}, {}] },
    ])
    expectTypeOf(one.rows[0]?.tags[0]?.name).toEqualTypeOf<string | undefined>()
    const two = await app.run(pipe(query, Session.page({ size: 2, after: one.next })))
    expect(two).toMatchObject({ rows: [{ name: 'wendy', tags: [{ name: 'blue' }] }], next: none })
  })

  test('of distinct rows', async () => {
    const query = pipe(select(model.User), join('addresses'), distinct, orderBy('name', 'desc'))
    const one = await app.run(pipe(query, Session.page(first(1))))
    const two = await app.run(pipe(query, Session.page({ size: 1, after: one.next })))
    expect([one, two].map(({ rows }) => rows[0]?.name)).toEqual(['wendy', 'ed'])
    expect(two.next).toEqual(none)
  })

  test('moves no row to another page when rows come and go', async () => {
    const other = await openJoins((sqlite as NonNullable<typeof sqlite>).host)
    const query = pipe(nodes, orderBy('id'))
    const one = await other.run(pipe(query, Session.page(first(2))))
    await other.run(
      pipe(
        Session.add(model.Node, { id: 0, label: 'new' }),
        Session.chain(() => Session.commit),
      ),
    )
    const two = await other.run(pipe(query, Session.page({ size: 2, after: one.next })))
    expect(two.rows.map(({ id }) => id)).toEqual([3, 4])
    await other.close()
  })
})

describe('a cursor', () => {
  const query = pipe(nodes, orderBy('parentId'), orderBy('label'))

  test('has the values that the last row is ordered by, URL-safe', async () => {
    const { next } = await app.run(pipe(query, Session.page(first(1))))
    expect(given(next)).toMatch(/^[\w-]+$/)
    expect(decoded(given(next))).toEqual([
      'nodes.parentId asc first, nodes.label asc, nodes.id asc',
      null,
      null,
      'root',
      1,
    ])
  })

  test.each([
    ['no text of ours', 'hello'],
    ['nothing', ''],
    ['another value', encoded({ a: 1 })],
    ['too few values', encoded(['nodes.parentId asc first, nodes.label asc, nodes.id asc', null, null])],
    [
      'a value of another type',
      encoded(['nodes.parentId asc first, nodes.label asc, nodes.id asc', null, null, 'x', 'y']),
    ],
    ['an object', encoded(['nodes.parentId asc first, nodes.label asc, nodes.id asc', null, null, 'x', { a: 1 }])],
    [
      'NULL where it cannot be',
      encoded(['nodes.parentId asc first, nodes.label asc, nodes.id asc', null, null, null, 1]),
    ],
    [
      'text that no database takes',
      encoded(['nodes.parentId asc first, nodes.label asc, nodes.id asc', null, 1, 'a\0', 1]),
    ],
    ['another order', encoded(['nodes.label asc, nodes.id asc', null, 'x', 1])],
  ])('that was made up of %s is refused before anything is asked', async (_, after) => {
    expect(await app.fails(pipe(query, Session.page({ size: 1, after: some(after) })))).toMatchObject({
      _tag: 'InvalidValue',
      entity: 'Node',
      attribute: 'after',
    })
  })

  test('that was made up well is a place like any other', async () => {
    const after = encoded(['nodes.parentId asc first, nodes.label asc, nodes.id asc', null, 1, 'aaa', 7])
    const { rows } = await app.run(pipe(query, Session.page({ size: 2, after: some(after) })))
    expect(rows.map(({ label }) => label)).toEqual(['b', 'aa'])
  })
})

describe('a page is refused', () => {
  test('of no rows', async () => {
    for (const size of [0, -1, 1.5, Number.NaN]) {
      expect(await app.fails(pipe(nodes, Session.page(first(size))))).toMatchObject({
        _tag: 'InvalidValue',
        attribute: 'size',
      })
    }
  })

  const users = select(model.User)
  test.each([
    ['with a limit of its own', pipe(users, limit(3)), /limit or offset/],
    [
      'ordered by an expression',
      pipe(
        users,
        orderBy((eb) => eb.fn('length', ['name'])),
      ),
      /no attribute/,
    ],
    [
      'that joins by hand',
      pipe(
        users,
        modify((qb) => qb.innerJoin('addresses', 'addresses.userId', 'users.id')),
      ),
      /by hand/,
    ],
    [
      'distinct, and ordered by what it joined',
      pipe(
        users,
        join('addresses', 'a'),
        distinct,
        orderBy((eb) => eb.ref('a.email')),
      ),
      /distinct/,
    ],
    [
      'that is grouped',
      pipe(
        users,
        modify((qb) => qb.groupBy('users.id')),
      ),
      /groups/,
    ],
    [
      'whose rows are members',
      pipe(users, leftJoin('addresses', 'a'), containsEager('addresses', 'a')),
      /members of a collection/,
    ],
  ])('of a query %s', async (_, query, problem) => {
    const error = await app.fails(pipe(query, Session.page(first(1))))
    expect(error).toMatchObject({ _tag: 'InvalidStatement', cause: { _tag: 'InvalidClause', clause: 'page' } })
    expect(Session.render(error)).toMatch(problem)
  })
})
