/**
 * Compiling by shape is compiling: whatever the statement, and whatever was compiled before it, the same SQL and the same
 * parameters come out as of an engine that keeps nothing.
 */

import { isDeepStrictEqual as equals } from 'node:util'
import { fc, test } from '@fast-check/vitest'
import {
  bigint,
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
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import {
  ColumnNode,
  type Dialect,
  DummyDriver,
  type ExpressionBuilder,
  ExpressionWrapper,
  Kysely,
  MysqlAdapter,
  MysqlQueryCompiler,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RootOperationNode,
  sql,
} from 'kysely'
import { afterAll, expect } from 'vitest'
import { model, plain } from './fixture.js'

/** The same names as in the fixture's model, which mean other columns here. */
const other = defineModel({
  User: entity('User', 'users', {
    id: pipe(integer, primaryKey),
    name: pipe(text, named('full name')),
    age: pipe(column(isoDate, 'text'), nullable),
    joined: integer,
    big: pipe(bigint, nullable),
  }),
})(() => ({}))

const models = [model, other, plain]

const keeping = (compiler: Compiler, compiledStatements: number): Compiler => ({
  ...compiler,
  compile: (node) => compiler.compile(node),
  compiledStatements,
})

const dummy = (
  createQueryCompiler: Dialect['createQueryCompiler'],
  createAdapter: Dialect['createAdapter'],
): Dialect => ({
  createAdapter,
  createDriver: () => new DummyDriver(),
  createIntrospector: (instance) => new PostgresIntrospector(instance),
  createQueryCompiler,
})
const postgresDialect = dummy(
  () => new PostgresQueryCompiler(),
  () => new PostgresAdapter(),
)
const postgres = kyselyEngine(postgresDialect)
const mysql = kyselyEngine(
  dummy(
    () => new MysqlQueryCompiler(),
    () => new MysqlAdapter(),
  ),
)
const sqlite = sqliteEngine(new Database(':memory:'))

/** Beside each engine that keeps what it compiles, one that keeps nothing. One of them is small enough to be full. */
const engines = [sqlite, postgres, mysql, sqlite].map((compiler, i) => ({
  kept: keeping(compiler, i === 3 ? 20 : 10_000),
  bare: keeping(compiler, 0),
}))

// names, operators and values are random, so the types cannot follow
// biome-ignore lint/suspicious/noExplicitAny: see above
type Any = any
type Eb = ExpressionBuilder<Any, Any>

const db = new Kysely<Any>({ dialect: postgresDialect })

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

/** Where the values of a statement come from. */
interface Source {
  readonly value: () => unknown
  /** A list of a length that is padded to `power(length)`; so long by hand, where that is asked for. */
  readonly values: (length: number) => ReadonlyArray<unknown>
}

const sourceOf = (seed: ReadonlyArray<number>, isPadded: boolean): Source => {
  let next = 0
  const nat = (): number => (seed[next++ % seed.length] ?? 0) + (next >> 3)
  const value = (): unknown => someValues[nat() % someValues.length]
  return {
    value,
    values: (length) => {
      const least = power(length) / 2
      const actual = length < 3 ? length : least + 1 + (nat() % least)
      const values = Array.from({ length: actual }, value)
      return isPadded ? Array.from({ length: power(actual) }, (_, i) => values[Math.min(i, actual - 1)]) : values
    },
  }
}

/** Where the structure of a statement comes from: one of some options at a time. */
type Pick = <A>(options: ReadonlyArray<A>) => A

const pickOf = (genes: ReadonlyArray<number>): Pick => {
  let next = 0
  return (options) => options[(genes[next++ % genes.length] ?? 0) % options.length] as Any
}

const attributes = [
  'id',
  'name',
  'age',
  'joined',
  'tags',
  'grade',
  'users.joined',
  'users.grade',
  'u.age',
  's.users.age',
]
const names = ['a', 'a b', 'a"b', "a'b", 'a`b', 'é', '1', '12', '', 'a:1', '\u0000', 'x'.repeat(200)]
const comparisons = ['=', '!=', '<', '>=', 'is', 'is not', 'like', 'is distinct from', '->']
const immediates = [0, 1, -1, -0, 1.5, true, false, null]
const lengths = [0, 1, 2, 3, 5, 9]

const nameOf = (name: string): ExpressionWrapper<Any, Any, Any> => new ExpressionWrapper(ColumnNode.create(name))

const tuples = (eb: Eb, isFirst: boolean, values: ReadonlyArray<unknown>) =>
  values.map((each) => (isFirst ? eb.tuple(each, 1) : eb.tuple(1, each)))

const condition = (eb: Eb, pick: Pick, source: Source, depth: number): Any => {
  const { value, values } = source
  const attribute = (): string => pick(attributes)
  const operator = (): '=' => pick(comparisons) as '='
  const membership = (): 'in' => pick(['in', 'not in']) as 'in'
  const inner = (): Any => condition(eb, pick, source, depth + 1)
  const atoms = [
    () => eb(attribute(), operator(), value()),
    () => eb(attribute(), operator(), value()),
    () => eb(eb.val(value()), operator(), eb.ref(attribute())),
    () => eb(attribute(), membership(), values(pick(lengths))),
    () =>
      eb(
        attribute(),
        membership(),
        values(pick(lengths)).map((each) => eb.val(each)),
      ),
    () =>
      eb(
        eb.refTuple(attribute(), attribute()),
        membership() as Any,
        tuples(eb, pick([true, false]), values(pick([1, 2, 3, 5]))) as Any,
      ),
    () => eb(attribute(), membership(), [value(), eb.ref(attribute()), eb.lit(pick(immediates) as null)]),
    () => eb(attribute(), '=', eb.lit(pick(immediates))),
    () => eb(eb.fn(pick(['coalesce', 'max', 'f']), [attribute(), eb.val(value())]), operator(), value()),
    () => eb(nameOf(pick(names)), '=', eb.case().when(attribute(), '=', value()).then(value()).else(value()).end()),
    () => eb.between(attribute(), value(), value()),
    () => sql`${sql.raw(pick(names))} ${value()} ${sql.id(pick(names))} ${sql.lit(pick(names))} ${value()}`,
    () =>
      eb.exists(
        eb
          .selectFrom(pick(['addresses as a', 'users as a', 's.users as a', 'r.users as a']))
          .select([eb.val(value()).as(pick(names)), 'a.joined'])
          .where(attribute(), '=', value()),
      ),
    () =>
      eb(
        attribute(),
        membership(),
        eb
          .selectFrom('users')
          .select(attribute())
          .limit(pick([1, 2])),
      ),
  ]
  const compounds = [
    () => eb.and([inner(), inner()]),
    () => eb.or([inner(), inner()]),
    () => eb.not(inner()),
    () => eb.parens(inner()),
  ]
  return pick(depth < 2 ? [...atoms, ...compounds, ...compounds] : atoms)()
}

const select = (pick: Pick, source: Source): Any => {
  const { value } = source
  const some = (eb: Eb): Any => condition(eb, pick, source, 0)
  const computed = (eb: Eb): Any =>
    pick([
      () => eb.fn.coalesce(eb.val(value()), eb.fn.sum(pick(['big', 'users.big', 'age']))),
      () => eb(eb.fn.sum('big'), '+', value() as number),
      () => eb.case().when('age', '=', value()).then(value()).else(eb.fn.sum('big')).end(),
      () => eb.val(value()),
      () => some(eb),
    ])().as(pick(['big', 'a']))
  const starts = [
    () => db.selectFrom('users'),
    () => db.selectFrom('users as u'),
    () => db.selectFrom('s.users'),
    () => db.selectFrom('r.users'),
    () =>
      db.with('users', (qb) => qb.selectFrom('users as u').select(['id', 'joined']).where(some)).selectFrom('users'),
  ]
  const steps: ReadonlyArray<(query: Any) => Any> = [
    (query) => query.where(some),
    (query) => query.where(some),
    (query) =>
      query[pick(['innerJoin', 'leftJoin'])](pick(['addresses as a', 'users as a', 'cities as u']), (join: Any) =>
        join.on(some),
      ),
    (query) => query.select((eb: Eb) => eb.ref(pick(attributes)).as(pick(names))),
    (query) => query.select((eb: Eb) => computed(eb)),
    (query) => query.limit(pick([() => value(), () => sql.lit(3)])()),
    (query) => query.offset(value()),
    (query) => query.distinct(),
    (query) => query.selectAll(pick(['users', 'u'])),
    (query) => query[pick(['forUpdate', 'forShare', 'skipLocked'])](),
    (query) => query.groupBy(pick(attributes)).having((eb: Eb) => eb(eb.fn.countAll(), '>', value() as number)),
    (query) => query.orderBy(pick(attributes), pick(['asc', 'desc', (order: Any) => order.asc().nullsLast()])),
    (query) => query[pick(['union', 'unionAll'])](db.selectFrom('users').select('id').where('joined', '=', value())),
  ]
  let query = (pick(starts)() as Any).select(pick(attributes))
  for (let step = pick([0, 1, 2, 3]); step > 0; step--) query = pick(steps)(query)
  return query
}

const statement = (pick: Pick, source: Source): RootOperationNode => {
  const { value } = source
  const some = (eb: Eb): Any => condition(eb, pick, source, 0)
  const column = (): string => pick(['name', 'joined', 'age', 'grade'])
  const row = (): object => ({ name: value(), joined: value() })
  return pick([
    () => select(pick, source),
    () => select(pick, source),
    () => select(pick, source),
    () =>
      db
        .updateTable('users')
        .set((eb: Eb) => ({ [column()]: value(), age: eb('age', '+', value() as number) }))
        .where(some),
    () => db.deleteFrom('users').where(some).returning(column()),
    () =>
      db
        .insertInto('users')
        .values(pick([[row()], [row(), row()], [row(), { name: value(), grade: value() }]]))
        .onConflict((conflict) => conflict.column(column()).doUpdateSet({ joined: value() })),
  ])().toOperationNode()
}

const nats = fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 12 })
const genes = fc.array(fc.nat({ max: 1000 }), { minLength: 12, maxLength: 24 })

test.prop([genes, fc.nat(), fc.nat(), fc.nat({ max: 2 }), fc.nat({ max: 2 }), nats, nats], { numRuns: 3000 })(
  'gives the SQL, the parameters and the errors of compiling anew',
  (some, at, gene, first, second, ...seeds) => {
    // statements that differ a little are those that could be taken for each other
    const alike = some.with(at % some.length, gene % 1000)
    for (const [structure, which] of [
      [some, first],
      [alike, first],
      [some, second],
    ] as const) {
      const { mappings } = models[which] as (typeof models)[number]
      for (const values of seeds) {
        const asWritten = statement(pickOf(structure), sourceOf(values, false))
        const padded = statement(pickOf(structure), sourceOf(values, true))
        for (const { kept, bare } of engines) {
          const compiled = compileNode(kept, mappings)(asWritten)
          const anew = compileNode(bare, mappings)(padded)
          // an array that may be one value has no shape, and what has none is not padded
          expect(compiled).toEqual(equals(compiled, anew) ? anew : compileNode(bare, mappings)(asWritten))
        }
      }
    }
  },
)

afterAll(() => {
  // it would not say much if everything were compiled anew
  for (const { kept } of engines) {
    const { hits, misses } = compileStatistics(kept)
    expect(hits).toBeGreaterThan(misses)
  }
  expect(compileStatistics(engines[3]?.kept as Compiler).evictions).toBeGreaterThan(1000)
})
