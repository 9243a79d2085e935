/**
 * Rows of an insert are the tree that Kysely makes of them, whether all of them are plain values or not.
 */
import { fc, test } from '@fast-check/vitest'
import { type InsertRow, insertInto, values } from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely'
import { describe, expect } from 'vitest'
import { model } from './fixture.js'

const kysely = new Kysely<{ users: Readonly<Record<string, unknown>> }>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

const expression = sql`1 + 1`
const given = insertInto(model.User)
type Row = InsertRow<typeof given>

const plain = fc.oneof(
  fc.integer(),
  fc.string(),
  fc.constant(null),
  fc.date({ noInvalidDate: true }),
  fc.array(fc.nat()),
)
const any = fc.oneof(
  { weight: 9, arbitrary: plain },
  fc.constantFrom(undefined, expression, () => expression),
)

/** Often with the same attributes, as rows mostly are. */
const rowsOf = (cell: fc.Arbitrary<unknown>): fc.Arbitrary<ReadonlyArray<Row>> =>
  fc.oneof(
    fc.array(fc.record({ name: cell, age: cell, id: cell }), { minLength: 1, maxLength: 5 }),
    fc.array(fc.record({ id: cell, age: cell, name: cell }, { requiredKeys: ['name'] }), {
      minLength: 1,
      maxLength: 5,
    }),
  ) as never

describe('rows of an insert', () => {
  test.prop([fc.oneof(rowsOf(plain), rowsOf(any))], { numRuns: 500 })('are the tree that Kysely makes', (rows) => {
    const { columns, values: made } = pipe(given, values<typeof given>(rows)).node
    const expected = kysely
      .insertInto('users')
      .values(rows as never)
      .toOperationNode()
    expect({ columns, values: made }).toEqual({ columns: expected.columns, values: expected.values })
  })
})
