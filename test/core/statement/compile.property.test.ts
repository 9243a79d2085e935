/**
 * Compiling by shape is compiling: whatever the statement, and whatever was compiled before it, the same SQL and the same
 * parameters come out as of an engine that keeps nothing.
 */

import { isDeepStrictEqual as equals } from 'node:util'
import { fc, test } from '@fast-check/vitest'
import {
  type Compiler,
  column,
  compileNode,
  compileStatistics,
  defineModel,
  entity,
  integer,
  isoDate,
  named,
  nullable,
  primaryKey,
  text,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import {
  ColumnNode,
  DummyDriver,
  type Expression,
  type ExpressionBuilder,
  ExpressionWrapper,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RootOperationNode,
  type SqlBool,
  sql,
} from 'kysely'
import { afterAll, expect } from 'vitest'
import { model, mysql, plain, postgres, sqlite } from './fixture.js'

/** The same names as in the fixture's model, which mean other columns here. */
const other = defineModel({
  User: entity('User', 'users', {
    id: pipe(integer, primaryKey),
    name: pipe(text, named('full name')),
    age: pipe(column(isoDate, 'text'), nullable),
    joined: integer,
  }),
})(() => ({}))

const models = [model.mappings, other.mappings, plain.mappings]

const keeping = (compiler: Compiler, compiledStatements: number): Compiler => ({
  ...compiler,
  compile: (node) => compiler.compile(node),
  compiledStatements,
})

/** Beside each engine that keeps what it compiles, one that keeps nothing. One of them is small enough to be full. */
const engines = [sqlite, postgres, mysql, sqlite].map((compiler, i) => ({
  kept: keeping(compiler, i === 3 ? 20 : 10_000),
  bare: keeping(compiler, 0),
}))

// names, operators and values are random, so the types cannot follow
// biome-ignore lint/suspicious/noExplicitAny: see above
type Any = any
type Eb = ExpressionBuilder<Any, Any>

const db = new Kysely<Any>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (instance) => new PostgresIntrospector(instance),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

/** What makes statements of one structure differ: where values come from, and whether lists are padded by hand. */
interface Source {
  readonly value: () => unknown
  /** So many values, at least; which lengths come together, padding tells. */
  readonly values: (length: number) => ReadonlyArray<unknown>
}

type Build<A> = (source: Source) => A
type Condition = (eb: Eb, source: Source) => Expression<SqlBool>

const someValues: ReadonlyArray<unknown> = [
  0,
  1,
  -0,
  1.5,
  12n,
  true,
  false,
  null,
  undefined,
  '',
  'ed',
  "o'hara",
  '?',
  '$1',
  'good',
  'bad',
  'ugly',
  new Date(0),
  new Date('2026-01-31T12:00:00.000Z'),
  [],
  ['a', 'b'],
  { kind: 'ValueNode', value: 1 },
  new Uint8Array([1, 2]),
]

const power = (length: number): number => (length < 2 ? length : 2 ** Math.ceil(Math.log2(length)))

const sourceOf = (seed: ReadonlyArray<number>, isPadded: boolean): Source => {
  let next = 0
  const nat = (): number => (seed[next++ % seed.length] ?? 0) + (next >> 3)
  const value = (): unknown => someValues[nat() % someValues.length]
  return {
    value,
    values: (length) => {
      // lists of one padded length, of any length that has it
      const least = power(length) / 2
      const actual = length < 3 ? length : least + 1 + (nat() % least)
      const values = Array.from({ length: actual }, value)
      return isPadded ? Array.from({ length: power(actual) }, (_, i) => values[Math.min(i, actual - 1)]) : values
    },
  }
}

const attribute = fc.constantFrom(
  'id',
  'name',
  'age',
  'joined',
  'tags',
  'grade',
  'users.joined',
  'users.grade',
  'u.age',
)
const odd = fc.constantFrom('a', 'a b', 'a"b', "a'b", 'a`b', 'é', '1', '12', '', 'a:1', '\u0000', 'x'.repeat(200))
const comparison = fc.constantFrom('=', '!=', '<', '>=', 'is', 'is not', 'like', 'is distinct from', '->')
const membership = fc.constantFrom('in', 'not in')
const immediate = fc.constantFrom(0, 1, -1, -0, 1.5, true, false, null)

const nameOf = (name: string): ExpressionWrapper<Any, Any, Any> => new ExpressionWrapper(ColumnNode.create(name))

const atom: fc.Arbitrary<Condition> = fc.oneof(
  fc.tuple(attribute, comparison).map(
    ([at, op]): Condition =>
      (eb, { value }) =>
        eb(at, op as '=', value()),
  ),
  fc.tuple(attribute, comparison, odd).map(
    ([at, op, name]): Condition =>
      (eb, { value }) =>
        eb(eb.val(value()), op as '=', eb.case().when(at, '=', value()).then(nameOf(name)).else(value()).end()),
  ),
  fc.tuple(attribute, membership, fc.nat({ max: 20 })).map(
    ([at, op, length]): Condition =>
      (eb, { values }) =>
        eb(at, op as 'in', values(length)),
  ),
  fc.tuple(attribute, membership, fc.integer({ min: 1, max: 9 })).map(
    ([at, op, length]): Condition =>
      (eb, { values }) =>
        eb(
          at,
          op as 'in',
          values(length).map((value) => eb.val(value)),
        ),
  ),
  fc.tuple(attribute, attribute, membership, fc.integer({ min: 1, max: 9 })).map(
    ([a, b, op, length]): Condition =>
      (eb, { values }) =>
        eb(eb.refTuple(a, b), op as 'in', values(length).map((value) => eb.tuple(value, value)) as Any) as Any,
  ),
  fc.tuple(attribute, membership, attribute).map(
    ([at, op, ref]): Condition =>
      (eb, { value }) =>
        eb(at, op as 'in', [value(), eb.ref(ref), eb.lit(1), eb.selectFrom('cities').select('id').limit(1)]),
  ),
  fc.tuple(attribute, immediate).map(
    ([at, given]): Condition =>
      (eb) =>
        eb(at, '=', eb.lit(given)),
  ),
  fc.tuple(attribute, attribute, comparison).map(
    ([a, b, op]): Condition =>
      (eb, { value }) =>
        eb(eb.fn.coalesce(a, eb.val(value())), op as '=', eb.ref(b)),
  ),
  attribute.map(
    (at): Condition =>
      (eb, { value }) =>
        eb.between(at, value(), value()),
  ),
  fc.tuple(odd, odd, odd).map(
    ([a, b, c]): Condition =>
      (_, { value }) =>
        sql<SqlBool>`${sql.raw(a)} ${value()} ${sql.id(b)} ${sql.lit(c)} ${sql.join([value(), value()])}`,
  ),
  fc.tuple(attribute, odd, fc.boolean()).map(
    ([at, name, isLateral]): Condition =>
      (eb, { value }) =>
        eb.exists(
          eb
            .selectFrom(isLateral ? 'addresses as a' : 'users as a')
            .select([eb.val(value()).as(name), 'a.joined'])
            .where(at, '=', value()),
        ),
  ),
)

const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    atom,
    fc.tuple(fc.boolean(), fc.array(tie('condition'), { maxLength: 3 })).map(
      ([isAnd, parts]): Condition =>
        (eb, source) =>
          eb[isAnd ? 'and' : 'or'](parts.map((part) => part(eb, source))),
    ),
    tie('condition').map(
      (part): Condition =>
        (eb, source) =>
          eb.not(part(eb, source)) as Expression<SqlBool>,
    ),
  ),
}))

type Step = (query: Any, source: Source) => Any

const step: fc.Arbitrary<Step> = fc.oneof(
  condition.map(
    (some): Step =>
      (query, source) =>
        query.where((eb: Eb) => some(eb, source)),
  ),
  fc.tuple(fc.constantFrom('innerJoin', 'leftJoin'), odd, condition).map(
    ([kind, name, on]): Step =>
      (query, source) =>
        query[kind](`addresses as ${name === '' ? 'a' : name.replaceAll(' ', '_')}`, (join: Any) =>
          join.on((eb: Eb) => on(eb, source)),
        ),
  ),
  fc.tuple(attribute, odd).map(
    ([at, name]): Step =>
      (query) =>
        query.select((eb: Eb) => eb.ref(at).as(name)),
  ),
  fc.constantFrom<Step>(
    (query, { value }) => query.limit(value() as number),
    (query, { value }) => query.offset(value() as number),
    (query) => query.offset(sql.lit(3)),
    (query) => query.distinct(),
    (query) => query.selectAll('users'),
    (query) => query.forUpdate(),
    (query) => query.groupBy('name').having((eb: Eb) => eb(eb.fn.countAll(), '>', 1)),
    (query, { value }) => query.orderBy('joined', 'desc').orderBy((eb: Eb) => eb.val(value())),
    (query) => query.orderBy('name', (order: Any) => order.asc().nullsLast()),
    (query, { value }) => query.union(db.selectFrom('users').select('id').where('joined', '=', value())),
  ),
)

const selecting: fc.Arbitrary<Build<RootOperationNode>> = fc
  .tuple(fc.boolean(), fc.boolean(), fc.array(step, { maxLength: 4 }), condition)
  .map(([isAliased, isNested, steps, inner]) => (source) => {
    const start: Any = isNested
      ? db
          .with('users', (qb) =>
            qb
              .selectFrom('users as u')
              .select(['id', 'name', 'joined'])
              .where((eb: Eb) => inner(eb, source)),
          )
          .selectFrom('users')
      : db.selectFrom(isAliased ? 'users as u' : 'users')
    return steps.reduce((query, each) => each(query, source), start.select('name')).toOperationNode()
  })

const writing: fc.Arbitrary<Build<RootOperationNode>> = fc.oneof(
  fc.tuple(attribute, condition).map(
    ([at, some]): Build<RootOperationNode> =>
      (source) =>
        db
          .updateTable('users')
          .set((eb: Eb) => ({
            [at.replace(/.*\./, '')]: source.value(),
            age: eb('age', '+', source.value() as number),
          }))
          .where((eb: Eb) => some(eb, source))
          .toOperationNode(),
  ),
  condition.map(
    (some): Build<RootOperationNode> =>
      (source) =>
        db
          .deleteFrom('users')
          .where((eb: Eb) => some(eb, source))
          .returning('joined')
          .toOperationNode(),
  ),
  fc.integer({ min: 1, max: 3 }).map(
    (rows): Build<RootOperationNode> =>
      ({ value }) =>
        db
          .insertInto('users')
          .values(Array.from({ length: rows }, () => ({ name: value(), joined: value(), grade: value() })))
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ joined: value() }))
          .toOperationNode(),
  ),
)

const seed = fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 12 })
const statements = fc.array(
  fc.tuple(fc.oneof({ weight: 3, arbitrary: selecting }, writing), fc.nat({ max: models.length - 1 }), seed, seed),
  { minLength: 1, maxLength: 3 },
)

test.prop([statements], { numRuns: 1000 })('gives the SQL, the parameters and the errors of compiling anew', (some) => {
  for (const [build, which, first, second] of [...some, ...some]) {
    const mappings = models[which] as (typeof models)[number]
    for (const values of [first, second]) {
      const asWritten = build(sourceOf(values, false))
      const padded = build(sourceOf(values, true))
      for (const { kept, bare } of engines) {
        const compiled = compileNode(kept, mappings)(asWritten)
        const anew = compileNode(bare, mappings)(padded)
        // an array that may be one value has no shape, and what has none is not padded
        expect(compiled).toEqual(equals(compiled, anew) ? anew : compileNode(bare, mappings)(asWritten))
      }
    }
  }
})

afterAll(() => {
  // it would not say much if everything were compiled anew
  for (const { kept } of engines) {
    const { hits, misses } = compileStatistics(kept)
    expect(hits).toBeGreaterThan(misses)
  }
  expect(compileStatistics(engines[3]?.kept as Compiler).evictions).toBeGreaterThan(1000)
})
