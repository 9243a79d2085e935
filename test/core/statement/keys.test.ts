import {
  type AnyDelete,
  type AnyUpdate,
  canReturnKeys,
  changesKey,
  compileStatistics,
  deleteFrom,
  keyReaderOf,
  modify,
  returningKeys,
  selectingKeys,
  set,
  sqliteDialect,
  update,
  where,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import type { RootOperationNode } from 'kysely'
import { describe, expect, test } from 'vitest'
import { compiled, model, mysql, postgres, sqlite } from './fixture.js'

const older = pipe(update(model.User), set({ age: 30 }), where('age', '>', 20))
const gone = pipe(deleteFrom(model.Stay), where('nights', '=', 0))
const from = new Date('2026-01-31T00:00:00.000Z')
const moved = pipe(
  update(model.Stay),
  set((eb) => ({ from, userId: eb('userId', '+', 10), nights: 2 })),
  where('nights', '=', 1),
)

const engineOf = (compiler: typeof sqlite, ...kinds: ReadonlyArray<'insert' | 'update' | 'delete'>) => ({
  ...compiler,
  capabilities: {
    synchronous: false,
    twoPhase: false,
    cursors: 'concurrent' as const,
    returning: {
      insert: kinds.includes('insert'),
      update: kinds.includes('update'),
      delete: kinds.includes('delete'),
      triggered: false,
    },
  },
})

describe('a statement returns keys', () => {
  test('where the database can return columns of such statements', () => {
    const all = engineOf(sqlite, 'insert', 'update', 'delete')
    const some = engineOf(mysql, 'insert', 'delete')
    expect([older, gone].map((statement) => canReturnKeys(all, statement))).toEqual([true, true])
    expect([older, gone].map((statement) => canReturnKeys(some, statement))).toEqual([false, true])
  })

  test('but not where it changes them, since the new ones tell nothing of what was met', () => {
    expect([older, gone, moved].map(changesKey)).toEqual([false, false, true])
    expect(canReturnKeys(engineOf(postgres, 'update'), moved)).toBe(false)
  })

  test('nor of several tables on MariaDB', () => {
    const joined = pipe(
      gone,
      modify((qb) => qb.using('users').whereRef('users.id', '=', 'stays.userId')),
    )
    expect(canReturnKeys(engineOf(mysql, 'delete'), joined)).toBe(false)
    expect(canReturnKeys(engineOf(postgres, 'delete'), joined)).toBe(true)
  })

  test('under the names of the attributes, in place of what else it returns', () => {
    const returned = pipe(
      gone,
      modify((qb) => qb.returning('nights')),
      returningKeys,
    )
    expect(compiled(returned, postgres).sql).toBe(
      'delete from "stays" where "stays"."nights" = $1 returning "stays"."user_id" as "userId", "stays"."from_day" as "from"',
    )
    expect(compiled(returningKeys(older), sqlite)).toEqual({
      sql: 'update "users" set "age" = ? where "users"."age" > ? returning "users"."id"',
      parameters: [30, 20],
    })
  })

  test('and is compiled once, however often it runs', () => {
    const engine = { ...sqlite, compile: (node: RootOperationNode) => sqlite.compile(node) }
    expect(returningKeys(older).node).toBe(returningKeys(older).node)
    expect(compiled(returningKeys(older), engine)).toEqual(compiled(returningKeys(older), engine))
    expect(compileStatistics(engine)).toMatchObject({ hits: 1, misses: 1 })
  })
})

describe('the keys of the rows that a statement will meet', () => {
  const selected = (statement: AnyUpdate | AnyDelete, on = sqlite) => compiled(selectingKeys(statement, on.dialect), on)

  test('are selected, and nothing else of the rows', () => {
    expect(selected(older)).toEqual({
      sql: 'select "users"."id" from "users" where "users"."age" > ?',
      parameters: [20],
    })
  })

  test('are locked where the database can, in the table that is written', () => {
    expect(selected(gone, mysql).sql).toBe(
      'select `stays`.`user_id` as `userId`, `stays`.`from_day` as `from` from `stays` where `stays`.`nights` = ? for update',
    )
    expect(selected(older, postgres).sql).toBe(
      'select "users"."id" from "users" where "users"."age" > $1 for update of "users"',
    )
  })

  test('are those of the joins and limits of the statement', () => {
    const joined = pipe(
      older,
      modify((qb) => qb.from('addresses').whereRef('addresses.userId', '=', 'users.id')),
    )
    expect(selected(joined).sql).toBe(
      'select "users"."id" from "users", "addresses" where "users"."age" > ? and "addresses"."user_id" = "users"."id"',
    )
    const limited = pipe(
      gone,
      modify((qb) => qb.using('stays').orderBy('nights').limit(3)),
    )
    expect(selected(limited, mysql).sql).toBe(
      'select `stays`.`user_id` as `userId`, `stays`.`from_day` as `from` from `stays` where `stays`.`nights` = ? order by `nights` limit ? for update',
    )
  })

  test('are told together with what becomes of them', () => {
    expect(selected(moved)).toEqual({
      sql: 'select "stays"."user_id" as "userId", "stays"."from_day" as "from", "user_id" + ? as "unitary_key_0" from "stays" where "stays"."nights" = ?',
      parameters: [10, 1],
    })
    const read = keyReaderOf(moved, sqliteDialect)
    const day = '2026-01-01T00:00:00.000Z'
    expect(read({ userId: 1, from: day, unitary_key_0: 11 })).toEqual({
      before: JSON.stringify([1, day]),
      after: JSON.stringify([11, from.toISOString()]),
    })
  })
})

test('a row whose key is none to its codecs is told of by none', () => {
  const read = keyReaderOf(gone, sqliteDialect)
  expect(read({ userId: 1, from: 'soon' })).toBeNull()
  expect(read({ userId: 1, from: '2026-01-01T00:00:00.000Z' })).toMatchObject({
    before: '[1,"2026-01-01T00:00:00.000Z"]',
  })
})
