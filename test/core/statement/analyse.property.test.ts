/**
 * Soundness: whatever the condition, every row that SQLite gives has its values in the sets.
 */

import { fc, test } from '@fast-check/vitest'
import {
  analyse,
  column,
  defineModel,
  entity,
  integer,
  isoDate,
  modify,
  named,
  nullable,
  primaryKey,
  Ranges,
  select,
  text,
  ValueSet as Values,
  where,
} from '@unitary/core'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import { expect } from 'vitest'
import { compiled, rightOf } from './fixture.js'

const Left = entity('Left', 'lefts', {
  id: pipe(integer, primaryKey),
  a: pipe(integer, named('b'), nullable),
  b: pipe(text, named('a'), nullable),
  day: pipe(column(isoDate, 'text'), nullable),
})
const Right = entity('Right', 'rights', {
  id: pipe(integer, primaryKey),
  c: pipe(integer, nullable),
  d: pipe(text, nullable),
})
const model = defineModel({ Left, Right })(() => ({}))

const db = new Database(':memory:')
db.exec('create table lefts (id integer primary key, b integer, a text, day text)')
db.exec('create table rights (id integer primary key, c integer, d text)')

const days = ['2026-01-01', '2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z']
const numbers = [0, 1, 2, null]
const texts = ['x', 'y', 'z', null]
let id = 0
for (const a of numbers)
  for (const b of texts)
    for (const day of [...days, null]) {
      db.prepare('insert into lefts values (?, ?, ?, ?)').run(id++, a, b, day)
    }
for (const c of numbers) for (const d of texts) db.prepare('insert into rights values (?, ?, ?)').run(id++, c, d)

const domains: Readonly<Record<string, ReadonlyArray<unknown>>> = {
  a: numbers,
  b: texts,
  day: [new Date(days[0] as string), new Date(days[2] as string), null],
  c: numbers,
  d: texts,
}
const tables: Readonly<Record<string, string>> = { a: 'lefts', b: 'lefts', day: 'lefts', c: 'r', d: 'r' }

// the operators and values are random, so the types cannot follow
// biome-ignore lint/suspicious/noExplicitAny: see above
type Eb = ExpressionBuilder<any, any>
type Condition = (eb: Eb) => Expression<SqlBool>

const attributes = fc.constantFrom('a', 'b', 'day', 'c', 'd')
const place = fc.tuple(attributes, fc.boolean()).map(([name, isQualified]) => ({
  name,
  ref: isQualified ? `${tables[name]}.${name}` : name,
  values: domains[name] as ReadonlyArray<unknown>,
}))
const operator = fc.constantFrom('=', '==', '<>', '!=', '<', '<=', '>', '>=', 'is', 'is not', 'is distinct from')
const ordering: ReadonlySet<string> = new Set(['<', '<=', '>', '>='])
const flipped: Readonly<Record<string, boolean>> = { is: true, 'is not': true }

const atom: fc.Arbitrary<Condition> = fc.oneof(
  fc.tuple(place, operator, fc.nat(), fc.boolean()).map(([at, op, pick, isFlipped]): Condition => {
    // what compares by order with NULL is refused
    const values = ordering.has(op) ? at.values.filter((value) => value !== null) : at.values
    const value = values[pick % values.length]
    return (eb) =>
      isFlipped && flipped[op] === undefined
        ? eb(eb.val(value), op as '=', eb.ref(at.ref))
        : eb(at.ref, op as '=', value)
  }),
  fc.tuple(place, fc.constantFrom('in', 'not in'), fc.array(fc.nat(), { maxLength: 3 })).map(
    ([at, op, picks]): Condition =>
      (eb) =>
        eb(
          at.ref,
          op as 'in',
          picks.map((pick) => at.values[pick % at.values.length]),
        ),
  ),
  fc.tuple(place, place, operator).map(
    ([at, other, op]): Condition =>
      (eb) =>
        eb(at.ref, op as '=', eb.ref(other.ref)),
  ),
  fc.tuple(place, fc.constantFrom('in', 'not in'), fc.boolean()).map(
    ([at, op, isEmpty]): Condition =>
      (eb) =>
        eb(
          at.ref,
          op as 'in',
          eb
            .selectFrom('rights as s')
            .select('s.c')
            .where('s.id', isEmpty ? '<' : '>', 0),
        ),
  ),
  fc.tuple(place, fc.nat(), fc.nat()).map(
    ([at, from, to]): Condition =>
      (eb) =>
        eb.between(at.ref, at.values[from % at.values.length], at.values[to % at.values.length]),
  ),
  place.map(
    (at): Condition =>
      (eb) =>
        eb(at.ref, 'like', '%x%'),
  ),
  fc.boolean().map(
    (value): Condition =>
      (eb) =>
        eb.lit(value) as never,
  ),
  fc.constantFrom<Condition>(
    () => sql<SqlBool>`1 = 1 or r.c = 1`,
    () => sql<SqlBool>`r.c = 1`,
    (eb) => eb.exists(eb.selectFrom('rights as s').select('s.c').where('s.c', '=', 1)),
    (eb) => eb(eb.fn.coalesce('a', eb.val(1)), '=', 1),
  ),
)

const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    atom,
    fc.array(tie('condition'), { maxLength: 3 }).map(
      (parts): Condition =>
        (eb) =>
          eb.and(parts.map((part) => part(eb))),
    ),
    fc.array(tie('condition'), { maxLength: 3 }).map(
      (parts): Condition =>
        (eb) =>
          eb.or(parts.map((part) => part(eb))),
    ),
    tie('condition').map(
      (part): Condition =>
        (eb) =>
          eb.not(part(eb)) as Expression<SqlBool>,
    ),
    tie('condition').map(
      (part): Condition =>
        (eb) =>
          eb.parens(part(eb) as never) as never,
    ),
  ),
}))

const kinds = fc.constantFrom('innerJoin', 'leftJoin', 'rightJoin', 'fullJoin')

/** What is read of a row, as the program has it. */
const read = (name: string, value: unknown): unknown =>
  name === 'day' && value !== null ? rightOf(isoDate.decode(value)) : value

test.prop([kinds, condition, fc.array(condition, { maxLength: 2 })], { numRuns: 3000 })(
  'every row is within what the analysis says of its values',
  (kind, on, conditions) => {
    const joined = pipe(
      select(model.Left),
      modify((qb) =>
        qb[kind as 'innerJoin']('rights as r', (join) => join.on(((eb: Eb) => on(eb)) as never)).select([
          'c',
          'd',
        ] as never),
      ),
    )
    const query = conditions.reduce((narrowed, f) => pipe(narrowed, where(f as never)), joined)
    const analysis = analyse(query)
    const { sql: text, parameters } = compiled(query)
    const rows = db.prepare(text).all(...parameters) as ReadonlyArray<Readonly<Record<string, unknown>>>
    if (analysis.isEmpty) expect(rows).toEqual([])
    for (const row of rows) {
      for (const name of ['a', 'b', 'day', 'c', 'd']) {
        const table = name === 'c' || name === 'd' ? 'r' : model.Left
        const found = analysis.valuesOf(table, name)
        if (!Values.has(read(name, row[name]))(found)) {
          expect({
            text,
            parameters,
            name,
            value: row[name],
            found: [found._tag, [...found.members.values()]],
          }).toBeNull()
        }
        const ranges = analysis.rangesOf(table, name)
        if (typeof row[name] === 'number' && !Ranges.has(row[name])(ranges)) {
          expect({ text, parameters, name, value: row[name], ranges }).toBeNull()
        }
      }
    }
  },
)
