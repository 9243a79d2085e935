/**
 * What is evaluated in memory is what databases give: on SQLite by properties, on the servers by a sample.
 */
import { fc, test } from '@fast-check/vitest'
import {
  type Attribute,
  bigint,
  blob,
  boolean,
  type Connection,
  column,
  compile,
  createAll,
  type Decimal,
  type Dialect,
  decimal,
  defineModel,
  type Engine,
  type EvaluableCriteria,
  entity,
  enumOf,
  evaluateChanges,
  evaluateCriteria,
  integer,
  isoDate,
  nullable,
  parseDecimal,
  plainDate,
  plainTime,
  primaryKey,
  real,
  select,
  set,
  text,
  update,
  uuid,
  where,
} from '@unitary/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { toNullable } from 'fp-ts/lib/Option.js'
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Host, mysqlHost, postgresHost, skipped, sqliteHost, type TestDatabase } from '../engine/databases.js'
import { ask, begin, connect, insert, rightOf, rollback } from '../engine/engine-conformance.js'

const Sample = entity('Sample', 'samples', {
  id: pipe(integer, primaryKey),
  n: pipe(integer, nullable),
  m: pipe(integer, nullable),
  r: pipe(real, nullable),
  s: pipe(text, nullable),
  t: pipe(text, nullable),
  isOpen: pipe(boolean, nullable),
  seen: pipe(column(isoDate, 'timestamp'), nullable),
  bytes: pipe(blob, nullable),
  price: pipe(decimal(30, 10), nullable),
  day: pipe(plainDate, nullable),
  at: pipe(plainTime, nullable),
  ident: pipe(uuid, nullable),
  state: pipe(enumOf('b', 'a', 'c'), nullable),
  big: pipe(bigint, nullable),
})
const model = defineModel({ Sample })(() => ({}))

const number = (digits: string): Decimal | null => toNullable(parseDecimal(digits))

const days = ['2026-01-31T12:00:00.000Z', '2026-02-01T00:00:00.000Z'].map((day) => new Date(day))
const bytes = [[1, 2], [1, 10], [200]].map((list) => Uint8Array.from(list))
// U+FFEE is below U+1F600, which UTF-16 writes by smaller units
const texts = ['a', 'A', 'b', 'é', 'e', '', 'a ', '\u{1F600}', '\uffee', '10', '9']

const domains: Readonly<Record<string, ReadonlyArray<unknown>>> = {
  n: [null, -7, 0, 3, 8],
  m: [null, 0, 3, 4],
  r: [null, -1.5, 0, 3, 3.25],
  s: [null, ...texts],
  t: [null, 'a', 'b', 'A'],
  isOpen: [null, true, false],
  seen: [null, ...days],
  bytes: [null, ...bytes],
  price: [null, ...['-12.5', '-12', '0', '9', '10.0000000001', '10.0000000002', '12345678901234567890'].map(number)],
  day: [null, '0001-01-01', '2026-01-31', '2026-02-01'],
  at: [null, '00:00:00', '09:30:00', '09:30:00.5', '23:59:59.999'],
  ident: [null, '00000000-0000-0000-0000-00000000000a', 'f0000000-0000-0000-0000-000000000000'],
  state: [null, 'a', 'b', 'c'],
  big: [null, -(2n ** 63n), 2n ** 53n, 2n ** 53n + 1n],
}
const attributes = Object.keys(domains)

/** Every value of every domain, each with many of the others. */
const rows = Array.from(
  { length: 60 },
  (_, id): Readonly<Record<string, unknown>> => ({
    id,
    ...Object.fromEntries(
      attributes.map((name, i) => {
        const values = domains[name] as ReadonlyArray<unknown>
        return [name, values[(id * (i + 3) + Math.floor(id / (i + 2))) % values.length]]
      }),
    ),
  }),
)

// operators and values are random, so the types cannot follow
// biome-ignore lint/suspicious/noExplicitAny: see above
type Eb = ExpressionBuilder<any, any>
type Condition = (eb: Eb) => Expression<SqlBool>
type Compute = (eb: Eb) => Expression<unknown>

const pick = fc.nat()
const ordering: ReadonlySet<string> = new Set(['<', '<=', '>', '>='])
const valueIn = (name: string, n: number, op: string): unknown => {
  const values = (domains[name] as ReadonlyArray<unknown>).filter((value) => value !== null || !ordering.has(op))
  return values[n % values.length]
}
const hasOrder = (name: string, op: string): boolean => name !== 'isOpen' || !ordering.has(op)

const place = fc.constantFrom(...attributes)
const numeric = fc.constantFrom('n', 'm')
const operators = ['=', '<>', '!=', '<', '<=', '>', '>='] as const
const operator = fc.constantFrom(...operators)

/** What databases compute of numbers. */
const computed: fc.Arbitrary<Compute> = fc.oneof(
  fc.tuple(numeric, numeric, fc.nat({ max: 4 })).map(
    ([a, b, n]): Compute =>
      (eb) =>
        eb.fn.coalesce(a, b, eb.val(n)),
  ),
  fc.tuple(numeric, pick).map(
    ([a, n]): Compute =>
      (eb) =>
        eb.fn('nullif', [a, eb.val(valueIn(a, n, '<'))]),
  ),
  numeric.map(
    (a): Compute =>
      (eb) =>
        eb.fn('abs', [eb(a, '-', 4)]),
  ),
  numeric.map(
    (a): Compute =>
      (eb) =>
        eb.neg(eb.ref(a)) as never,
  ),
  fc.constantFrom('s', 't').map(
    (a): Compute =>
      (eb) =>
        eb.fn('length', [a]),
  ),
  fc.tuple(numeric, numeric, operator, pick, fc.boolean()).map(
    ([a, b, op, n, hasElse]): Compute =>
      (eb) => {
        const cases = eb
          .case()
          .when(a, op as '=', valueIn(a, n, '<') as never)
          .then(eb(b, '+', 1))
          .when(b, 'is', null)
          .then(eb.ref(a))
        return hasElse ? cases.else(eb(a, '*', 2)).end() : cases.end()
      },
  ),
  fc.tuple(numeric, numeric, pick).map(
    ([a, b, n]): Compute =>
      (eb) =>
        eb
          .case(a)
          .when(valueIn(a, n, '<') as never)
          .then(eb.ref(b))
          .else(eb.ref(a))
          .end(),
  ),
)

/** What databases make of texts. */
const worded: fc.Arbitrary<Compute> = fc
  .tuple(fc.constantFrom('lower', 'upper', 'trim', 'coalesce'), fc.constantFrom('s', 't'))
  .map(
    ([name, a]): Compute =>
      (eb) =>
        name === 'coalesce' ? eb.fn.coalesce(a, 't', eb.val('b')) : eb.fn(name, [a]),
  )

const conditionOf = (identities: ReadonlyArray<string>): fc.Arbitrary<Condition> => {
  const atom: fc.Arbitrary<Condition> = fc.oneof(
    fc
      .tuple(place, fc.constantFrom(...operators, ...identities), pick, fc.boolean())
      .filter(([name, op]) => hasOrder(name, op))
      .map(([name, op, n, isFlipped]): Condition => {
        const value = valueIn(name, n, op)
        return (eb) => (isFlipped ? eb(eb.val(value), op as '=', eb.ref(name)) : eb(name, op as '=', value))
      }),
    place.map(
      (name): Condition =>
        (eb) =>
          eb(name, 'is', null),
    ),
    fc.tuple(place, fc.constantFrom('in', 'not in'), fc.array(pick, { maxLength: 3 })).map(
      ([name, op, picks]): Condition =>
        (eb) =>
          eb(
            name,
            op as 'in',
            picks.map((n) => valueIn(name, n, op)),
          ),
    ),
    fc.tuple(fc.constantFrom(['n', 'm'], ['n', 'r'], ['s', 't']), operator).map(
      ([[a, b], op]): Condition =>
        (eb) =>
          eb(a as string, op, eb.ref(b as string)),
    ),
    fc.tuple(numeric, numeric, fc.constantFrom('+', '-', '*'), fc.constantFrom('%', '*', '-'), operator, pick).map(
      ([a, b, outer, inner, op, n]): Condition =>
        (eb) =>
          eb(eb.parens(eb(a, outer, eb.parens(eb(b, inner, (n % 5) + 1)))), op, n % 7),
    ),
    fc.tuple(numeric, fc.constantFrom('+', '-', '*', '%'), fc.constantFrom('+', '-', '*', '%'), operator, pick).map(
      ([a, inner, outer, op, n]): Condition =>
        (eb) =>
          eb(eb(eb(a, inner, (n % 3) + 2), outer, (n % 4) + 1), op, n % 9),
    ),
  )
  const more: fc.Arbitrary<Condition> = fc.oneof(
    fc.tuple(fc.constantFrom('n', 'm', 'r', 's', 'seen'), pick, pick).map(
      ([name, a, b]): Condition =>
        (eb) =>
          eb.between(name, valueIn(name, a, '<'), valueIn(name, b, '<')),
    ),
    fc
      .tuple(fc.constantFrom('in', 'not in', '=', '<>'), fc.array(fc.tuple(pick, pick), { minLength: 1, maxLength: 3 }))
      .map(([op, picks]): Condition => {
        const pair = (eb: Eb, [a, b]: readonly [number, number]) =>
          eb.tuple(valueIn('n', a, '='), valueIn('t', b, '=') as never)
        return (eb) =>
          op.includes('in')
            ? eb(eb.refTuple('n', 't'), op as 'in', picks.map((one) => pair(eb, one)) as never)
            : eb(eb.refTuple('n', 't'), op as '=', pair(eb, picks[0] as [number, number]) as never)
      }),
    fc.tuple(computed, operator, fc.nat({ max: 6 })).map(
      ([compute, op, n]): Condition =>
        (eb) =>
          eb(compute(eb) as never, op, (n - 2) as never),
    ),
    fc.tuple(worded, fc.constantFrom('=', '<>'), fc.constantFrom('a', 'A', 'b', '')).map(
      ([compute, op, word]): Condition =>
        (eb) =>
          eb(compute(eb) as never, op as '=', word as never),
    ),
    fc.tuple(fc.boolean(), fc.boolean()).map(
      ([isNot, isFlag]): Condition =>
        (eb) => {
          const flag = (isFlag ? eb.ref('isOpen') : eb('isOpen', 'is', true)) as Expression<SqlBool>
          return isNot ? (eb.not(flag) as Expression<SqlBool>) : flag
        },
    ),
  )
  return fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      atom,
      more,
      fc.tuple(fc.boolean(), fc.array(tie('condition'), { minLength: 1, maxLength: 3 })).map(
        ([isAnd, parts]): Condition =>
          (eb) =>
            eb[isAnd ? 'and' : 'or'](parts.map((part) => part(eb))),
      ),
      tie('condition').map(
        (part): Condition =>
          (eb) =>
            eb.not(part(eb)) as Expression<SqlBool>,
      ),
    ),
  })).condition
}

const written = ({ written }: Dialect, { column, encode }: Attribute, value: unknown): unknown => {
  const write = written(column.kind)
  return write === null ? encode(value) : write(encode(value))
}

/** A database with the rows in it, for as long as a suite runs. */
const filled = (host: Host) => {
  const held: { database?: TestDatabase; engine?: Engine; connection?: Connection } = {}
  beforeAll(async () => {
    held.database = await host.create()
    held.engine = held.database.open()
    rightOf(await createAll(model)(held.engine)())
    held.connection = await connect(held.engine)
    const { attributes: all } = model.Sample.mapping
    const { dialect } = held.engine
    const values = rows.map((row) => all.map((attribute) => written(dialect, attribute, row[attribute.name])))
    await ask(
      held.connection,
      insert(
        'samples',
        all.map(({ columnName }) => columnName),
        values,
      ),
    )
  })
  afterAll(async () => {
    await held.connection?.release()
    await held.engine?.close()
    await held.database?.drop()
  })
  return {
    engine: () => held.engine as Engine,
    connection: () => held.connection as Connection,
    idsWhere: async (condition: Condition): Promise<ReadonlySet<unknown>> => {
      const query = pipe(select(model.Sample), where(condition as never))
      const statement = rightOf(compile(held.engine as Engine)(query))
      const answer = await ask(held.connection as Connection, { _tag: 'Query', statement })
      return new Set(answer.rows.map(({ id }) => id))
    },
  }
}

const criteriaOf = (condition: Condition): EvaluableCriteria | null => {
  const evaluated = evaluateCriteria(pipe(update(model.Sample), set({ n: 1 }), where(condition as never)))
  return isLeft(evaluated) ? null : evaluated.right
}

/** What is told is what the database says, of rows known in full and in part; and all is told that can be. */
const check = async (on: ReturnType<typeof filled>, condition: Condition, hidden: string): Promise<void> => {
  const criteria = criteriaOf(condition)
  if (criteria === null) return
  const { dialect } = on.engine()
  const met = await on.idsWhere(condition)
  for (const row of rows) {
    const whole = criteria.truth(row, dialect)
    const isSure = !criteria.unsureOn.includes(dialect.textComparison)
    if (isSure || whole !== undefined) expect({ row, met: whole === true }).toEqual({ row, met: met.has(row.id) })
    const partial = criteria.truth({ ...row, [hidden]: undefined }, dialect)
    if (partial !== undefined) expect({ row, met: partial === true }).toEqual({ row, met: met.has(row.id) })
  }
}

/** The update sets what the database sets, of rows known in full and in part; the rows are as before after it. */
const checkChange = async (on: ReturnType<typeof filled>, compute: Compute, hidden: string): Promise<void> => {
  const change = pipe(update(model.Sample), set(((eb: Eb) => ({ n: compute(eb), m: eb.ref('n') })) as never))
  const { valuesOf, attributes: changed } = evaluateChanges(change)
  expect(changed.map(({ name }) => name)).toEqual(['n', 'm'])
  const connection = on.connection()
  const engine = on.engine()
  await ask(connection, begin)
  await ask(connection, { _tag: 'Query', statement: rightOf(compile(engine)(change)) })
  const statement = rightOf(compile(engine)(select(model.Sample)))
  const answer = await ask(connection, { _tag: 'Query', statement })
  await ask(connection, rollback)
  for (const after of answer.rows) {
    const row = rows[after.id as number] as Readonly<Record<string, unknown>>
    const told = valuesOf(row, engine.dialect)
    // operators of different strength without parentheses are the database's to read
    if (told.n !== undefined) expect(told).toEqual({ n: after.n, m: after.m })
    const partial = valuesOf({ ...row, [hidden]: undefined }, engine.dialect)
    if (partial.n !== undefined) expect(partial.n).toEqual(after.n)
  }
}

const arithmetic: fc.Arbitrary<Compute> = fc
  .tuple(numeric, numeric, fc.constantFrom('+', '-', '*', '%'), fc.constantFrom('+', '-', '*'), pick, fc.boolean())
  .map(
    ([a, b, inner, outer, n, isGrouped]) =>
      (eb) =>
        isGrouped
          ? eb(eb.parens(eb(a, inner, (n % 5) + 1)), outer, eb.ref(b))
          : eb(eb(a, inner, (n % 5) + 1), outer, eb.ref(a)),
  )

const computation = fc.oneof(arithmetic, computed)

const lawful = 'criteria let through the rows that the database lets through, and no others'
const exact = 'changes have the values that the database computes'

describe('on SQLite', () => {
  const lite = filled(sqliteHost('SQLite'))

  test.prop([conditionOf(['is distinct from', 'is not distinct from']), place], { numRuns: 500 })(
    lawful,
    (condition, hidden) => check(lite, condition, hidden),
  )

  test.prop([computation, place], { numRuns: 150 })(exact, (compute, hidden) => checkChange(lite, compute, hidden))
})

for (const host of [postgresHost, mysqlHost]) {
  const why = skipped(host)
  describe.skipIf(why !== null)(`on ${host.name}${why === null ? '' : ` (${why})`}`, () => {
    const server = filled(host)

    // MariaDB has no `is distinct from`
    it(lawful, async () => {
      const arbitrary = fc.tuple(
        conditionOf(host === postgresHost ? ['is distinct from', 'is not distinct from'] : []),
        place,
      )
      for (const [condition, hidden] of fc.sample(arbitrary, { numRuns: 300, seed: 7 })) {
        await check(server, condition, hidden)
      }
    })

    it(exact, async () => {
      for (const [compute, hidden] of fc.sample(fc.tuple(computation, place), { numRuns: 50, seed: 7 })) {
        await checkChange(server, compute, hidden)
      }
    })
  })
}
