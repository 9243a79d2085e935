import { fc, test } from '@fast-check/vitest'
import Database from 'better-sqlite3'
import { describe, expect } from 'vitest'
import { type Collation, compareValues } from '../../../packages/shard/src/fan-out/compare.js'

const database = new Database(':memory:')
database.exec('create table t (v)')

/** The values in the order in which SQLite puts them. */
const sorted = (values: ReadonlyArray<unknown>, collation: Collation): ReadonlyArray<unknown> => {
  const insert = database.prepare('insert into t values (?)')
  database.exec('delete from t')
  for (const value of values) insert.run(value)
  return database.prepare(`select v from t order by v collate ${collation}, rowid`).pluck().all()
}

const value = fc.oneof(
  fc.integer(),
  // SQLite keeps no sign of a zero
  fc.double({ noNaN: true }).map((double) => (double === 0 ? 0 : double)),
  fc.constantFrom(0, 1, 1.5, '', 'a', 'A', 'ab', 'Ab', 'B', 'é', 'z', '\uffff', '\ue000', '😀', '𝒳', '1', '10'),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
)

describe('values compare', () => {
  test.prop([fc.array(value, { maxLength: 30 }), fc.constantFrom<Collation>('binary', 'nocase')])(
    'as SQLite orders them',
    (values, collation) => {
      expect([...values].sort((a, b) => compareValues(a, b, collation))).toEqual(sorted(values, collation))
    },
  )

  test('text by code points, not by UTF-16 units', () => {
    expect(compareValues('\uffff', '😀', 'binary')).toBeLessThan(0)
    expect(['😀', '\uffff'].sort()).toEqual(['😀', '\uffff'])
  })

  test('big integers as numbers', () => {
    expect(compareValues(9007199254740993n, 9007199254740992, 'binary')).toBeGreaterThan(0)
    expect(compareValues(5n, 5, 'binary')).toBe(0)
    expect(compareValues(true, false, 'binary')).toBeGreaterThan(0)
  })
})
