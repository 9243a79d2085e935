/**
 * Lists that are padded find the rows that they find as they are written, on every database.
 */
import {
  compile,
  createAll,
  defineModel,
  type Engine,
  entity,
  insertInto,
  integer,
  nullable,
  orderBy,
  primaryKey,
  select,
  text,
  values,
  where,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, onTestFinished, test } from 'vitest'
import { mysqlHost, postgresHost, skipped, sqliteHost } from '../engine/databases.js'
import { rightOf } from './fixture.js'

const Thing = entity('Thing', 'things', { id: pipe(integer, primaryKey), a: pipe(integer, nullable), b: text })
const model = defineModel({ Thing })(() => ({}))
const things = select(model.Thing)

const rows = [1, 2, 3, 4, 5, 6, null].flatMap((a, i) => ['x', 'y'].map((b, j) => ({ id: 2 * i + j, a, b })))

/** Each with lists of a length, of 0 to 9. */
const queries = (length: number) => {
  const numbers = Array.from({ length }, (_, i) => (i * 5) % 7)
  const withNull = numbers.map((n) => (n === 5 ? null : n))
  return [
    pipe(things, where('a', 'in', numbers)),
    pipe(things, where('a', 'not in', numbers)),
    pipe(things, where('a', 'in', withNull)),
    pipe(things, where('a', 'not in', withNull)),
    pipe(
      things,
      where((eb) => eb.not(eb.or([eb('a', 'in', numbers), eb('b', 'in', ['x', 'x', 'z'])]))),
    ),
    ...(length === 0
      ? []
      : [
          pipe(
            things,
            where((eb) =>
              eb(
                eb.refTuple('a', 'b'),
                'in',
                numbers.map((n) => eb.tuple(n, n % 2 === 0 ? 'x' : 'y')),
              ),
            ),
          ),
        ]),
  ].map((query) => pipe(query, orderBy('id')))
}

describe.each([sqliteHost('SQLite'), postgresHost, mysqlHost])('$name', (host) => {
  test.skipIf(skipped(host) !== null)('finds the same rows', async () => {
    const database = await host.create()
    const engine = database.open()
    onTestFinished(async () => {
      await engine.close()
      await database.drop()
    })
    rightOf(await createAll(model)(engine)())
    const connection = rightOf(await engine.connect())
    const asked = async (
      compiler: Pick<Engine, 'compile' | 'dialect' | 'compiledStatements'>,
      statement: typeof things,
    ) => {
      const answer = await connection.call({ _tag: 'Query', statement: rightOf(compile(compiler)(statement)) })
      return rightOf(answer).rows.map((row) => row.id)
    }
    rightOf(
      await connection.call({
        _tag: 'Query',
        statement: rightOf(compile(engine)(pipe(insertInto(model.Thing), values(rows)))),
      }),
    )
    const asWritten = {
      ...engine,
      compile: (node: Parameters<Engine['compile']>[0]) => engine.compile(node),
      compiledStatements: 0,
    }
    for (let length = 0; length < 10; length++) {
      for (const query of queries(length)) expect(await asked(engine, query)).toEqual(await asked(asWritten, query))
    }
    await connection.release()
  })
})
