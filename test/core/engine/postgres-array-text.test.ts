import * as fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrayText } from '../../../packages/core/src/engine/postgres-array-text.js'
import { createPostgres, postgresHost, type ServerDatabase, skipped } from './databases.js'
import { ask, connect, raw } from './engine-conformance.js'

describe('an array as text', () => {
  test.each([
    ['{"a","NULL",""}', ['a', 'NULL', '']],
    ['{"{},"," b "}', ['{},', ' b ']],
    ['{"a\\"b","c"}', ['a"b', 'c']],
    ['{"a\\",\\"b"}', ['a","b']],
    ['{"a\\\\"}', ['a\\']],
    ['{NULL,"null",NULL}', [null, 'null', undefined]],
    ['{1,-0.5,NaN,10,true}', [1, -0.5, Number.NaN, 10n, true]],
    ['{"\\\\x0022ff","\\\\x"}', [new Uint8Array([0, 34, 255]), new Uint8Array()]],
  ])('is %s', (text, values) => {
    expect(arrayText(values)).toBe(text)
  })

  test('is left to the driver where it holds what has no text of its own', () => {
    expect(arrayText(['a', { toPostgres: () => 'b' }])).toBe(null)
    expect(arrayText([['a']])).toBe(null)
  })

  test('is left to the driver where it may be too long for a text', () => {
    const long = 'x'.repeat(2 ** 26)
    expect(arrayText([long, long, 'x'])).toBe(null)
    expect(arrayText([long, long, null])).toBe(null)
  })

  describe.skipIf(skipped(postgresHost) !== null)('on PostgreSQL', () => {
    let database: ServerDatabase
    beforeAll(async () => {
      database = await createPostgres()
    })
    afterAll(() => database?.drop())

    test('is read as what it was made of', async () => {
      const engine = database.open()
      const connection = await connect(engine)
      const character = fc.constantFrom(...'"\\{},\' \n\té\u{1f600}NULx')
      const text = fc.oneof(fc.string({ unit: character }), fc.string({ unit: 'binary' }))
      const item = fc.oneof({ weight: 5, arbitrary: text.map((some) => some.replaceAll('\0', '')) }, fc.constant(null))
      await fc.assert(
        fc.asyncProperty(fc.array(item, { minLength: 1 }), async (values) => {
          const query = raw(engine, sql`select to_json(${arrayText(values)}::text[])::text as found`)
          const { rows } = await ask(connection, query)
          expect(JSON.parse(String(rows[0]?.found))).toEqual(values)
        }),
      )
      await connection.release()
      await engine.close()
    })
  })
})
