import {
  analyse,
  bigint,
  bind,
  type Compiler,
  column,
  compile,
  compileNode,
  compileStatistics,
  defineModel,
  entity,
  insertInto,
  integer,
  isoDate,
  limit,
  modify,
  named,
  orderBy,
  primaryKey,
  real,
  refineByAttributes,
  select,
  selectByKey,
  selectOfOwners,
  selectRows,
  text,
  values,
  where,
  withOptions,
} from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import {
  CamelCasePlugin,
  DummyDriver,
  Kysely,
  type KyselyPlugin,
  PostgresAdapter,
  PostgresDialect,
  type RootOperationNode,
  SqliteDialect,
  sql,
} from 'kysely'
import { describe, expect, test } from 'vitest'
import { compiled, model, mysql, postgres, rightOf, sqlite, tail } from './fixture.js'

/** One that shares nothing with other tests. */
const engineOf = (compiledStatements?: number, compiler: Compiler = sqlite): Compiler => ({
  ...compiler,
  compile: (node) => compiler.compile(node),
  ...(compiledStatements === undefined ? {} : { compiledStatements }),
})

const called = (name: string) => pipe(select(model.User), where('name', '=', name))

const statistics = (engine: Compiler) => {
  const { hits, misses, size, evictions } = compileStatistics(engine)
  return { hits, misses, size, evictions }
}

describe('a statement is compiled once', () => {
  test('for all values, which are encoded each time', () => {
    const engine = engineOf()
    const since = (day: Date) => pipe(select(model.User), where('joined', '>', day), where('grade', '=', 'good'))
    const [first, second] = [new Date(0), new Date(1)].map((day) => compiled(since(day), engine))
    expect(first?.parameters).toEqual(['1970-01-01T00:00:00.000Z', 'G'])
    expect(second?.parameters).toEqual(['1970-01-01T00:00:00.001Z', 'G'])
    expect(second?.sql).toBe(first?.sql)
    expect(statistics(engine)).toEqual({ hits: 1, misses: 1, size: 1, evictions: 0 })
  })

  test('for NULL as well, where it is a parameter', () => {
    const engine = engineOf()
    for (const age of [1, null])
      expect(compiled(pipe(select(model.User), where('age', '=', age)), engine).parameters).toEqual([age])
    expect(statistics(engine)).toMatchObject({ hits: 1, misses: 1 })
    expect(compiled(pipe(select(model.User), where('age', 'is', null)), engine).sql).toContain('is null')
    expect(statistics(engine)).toMatchObject({ hits: 1, misses: 2 })
  })

  test('whatever it is of: rows to insert, the limit, the parameters of raw SQL', () => {
    const engine = engineOf()
    const statementsOf = (n: number) => [
      pipe(insertInto(model.Stay), values([{ userId: n, from: new Date(n), nights: n }])),
      pipe(select(model.User), limit(n)),
      pipe(
        select(model.User),
        where(() => sql`length(name) > ${n}`),
      ),
    ]
    for (const n of [1, 2, 3]) {
      for (const statement of statementsOf(n)) expect(compiled(statement, engine).parameters).toContain(n)
    }
    expect(statistics(engine)).toMatchObject({ hits: 6, misses: 3 })
  })

  test('which the text of raw SQL and the literals in it belong to', () => {
    const engine = engineOf()
    const texts = [
      sql`a = 1`,
      sql`a = 2`,
      sql`${sql.lit(1)}`,
      sql`${sql.lit('1')}`,
      sql`${sql.lit(-0)}`,
      sql`${sql.id('a')}`,
    ]
    const compiledTexts = texts.map((some) =>
      compiled(
        pipe(
          select(model.User),
          where(() => some as never),
        ),
        engine,
      ),
    )
    expect(new Set(compiledTexts.map((some) => some.sql)).size).toBe(6)
    expect(statistics(engine)).toMatchObject({ hits: 0, misses: 6 })
  })

  test('though execution options differ', () => {
    const engine = engineOf()
    for (const shard of ['asia', 'europe']) compiled(pipe(called('ed'), withOptions({ shard, strict: false })), engine)
    expect(statistics(engine)).toMatchObject({ hits: 1, misses: 1 })
  })

  test('and so is a template, and a tree of Kysely', () => {
    const engine = engineOf()
    const template = selectByKey(model.City.mapping)
    for (const id of [1, 2]) expect(compiled(bind(template, [id]), engine).parameters).toEqual([id])
    expect(statistics(engine)).toMatchObject({ hits: 1, misses: 1 })
    const compileUser = compileNode(engine, model.mappings)
    expect(compileUser(called('ed').node)).toEqual(compileUser(called('ed').node))
    expect(statistics(engine)).toMatchObject({ hits: 2, misses: 2 })
  })

  test('and a template made for each request finds what was compiled for another', () => {
    const engine = engineOf()
    const template = (age: number) => {
      const refined = pipe(select(model.Stay), where('from', '>', new Date(age)))
      return refineByAttributes(refined, refined.entity.mapping.key, 1, [])
    }
    const keys = [1, new Date(0)]
    expect(compiled(bind(template(5), keys), engine).parameters).toEqual([
      '1970-01-01T00:00:00.005Z',
      1,
      '1970-01-01T00:00:00.000Z',
    ])
    expect(compiled(bind(template(7), keys), engine).parameters[0]).toBe('1970-01-01T00:00:00.007Z')
    expect(statistics(engine)).toMatchObject({ hits: 1, misses: 1 })
  })
})

describe('what is wrong with a value', () => {
  test('is told of a statement that was compiled before', () => {
    const engine = engineOf()
    const graded = (grade: 'good' | 'bad') =>
      pipe(select(model.User), where('grade', '=', grade), where('name', '=', ''))
    expect(compiled(graded('good'), engine).parameters).toEqual(['G', ''])
    expect(compile(engine)(graded('ugly' as never))).toMatchObject({
      left: { _tag: 'EncodeError', entity: 'User', attribute: 'grade', value: 'ugly' },
    })
    expect(compiled(graded('bad'), engine).parameters).toEqual(['B', ''])
  })

  test('is told of the first of several', () => {
    const engine = engineOf()
    const graded = (a: string, b: string) =>
      pipe(select(model.User), where('grade', '=', a as never), where('grade', '<>', b as never))
    compiled(graded('good', 'bad'), engine)
    expect(compile(engine)(graded('ugly', 'worse'))).toEqual(compile(engineOf(0))(graded('ugly', 'worse')))
  })

  test('is told where something has no order', () => {
    const engine = engineOf()
    const older = (age: number | null) => pipe(select(model.User), where('age', '>', age as number))
    expect(compiled(older(1), engine).parameters).toEqual([1])
    expect(compile(engine)(older(null))).toMatchObject({ left: { _tag: 'UnorderedValue', attribute: 'age' } })
  })
})

describe('a list', () => {
  const ages = (length: number, operator: 'in' | 'not in' = 'in') =>
    pipe(
      select(model.User),
      where(
        'age',
        operator,
        Array.from({ length }, (_, i) => i),
      ),
    )

  test('is as long as the next power of two, by its last value', () => {
    expect(compiled(ages(5)).parameters).toEqual([0, 1, 2, 3, 4, 4, 4, 4])
    expect(tail(compiled(ages(3, 'not in'), postgres))).toBe(
      'select ... from "users" where "users"."age" not in ($1, $2, $3, $4)',
    )
    expect(compiled(ages(4)).parameters).toEqual([0, 1, 2, 3])
  })

  test('of tuples too', () => {
    const cities = pipe(
      select(model.City),
      where((eb) => eb(eb.refTuple('id', 'name'), 'in', [eb.tuple(1, 'a'), eb.tuple(2, 'b'), eb.tuple(3, 'c')])),
    )
    expect(compiled(cities).parameters).toEqual([1, 'a', 2, 'b', 3, 'c', 3, 'c'])
  })

  test('means what it meant where it is empty', () => {
    expect(tail(compiled(ages(0)))).toBe('select ... from "users" where "users"."age" in ()')
    expect(tail(compiled(ages(0, 'not in'), mysql))).toBe('select ... from `users` where 1 = 1')
  })

  test('is left alone where it holds more than values, which may not be asked for twice', () => {
    const random = pipe(
      select(model.City),
      where((eb) => eb('id', 'in', [1, 2, sql<number>`abs(random()) % 10`])),
    )
    expect(compiled(random)).toMatchObject({ sql: expect.stringContaining('in (?, ?, abs(random()) % 10)') })
  })

  test('of any length fills the cache with a few shapes', () => {
    const engine = engineOf()
    for (let length = 0; length <= 1000; length++) compiled(ages(length), engine)
    expect(statistics(engine)).toMatchObject({ hits: 989, misses: 12, size: 12 })
  })

  test('is as it was to analysis', () => {
    expect([...analyse(ages(3)).valuesOf(model.User, 'age').members.values()]).toEqual([0, 1, 2])
  })

  test('that is long is as it is written, and many of them never meet the limits of a database', () => {
    const engine = engineOf()
    expect(compiled(ages(3000), engine).parameters).toHaveLength(3000)
    const lists = Array.from({ length: 60 }).reduce<ReturnType<typeof ages>>(
      (query) =>
        pipe(
          query,
          where(
            'id',
            'in',
            Array.from({ length: 513 }, (_, i) => i),
          ),
        ),
      select(model.User),
    )
    expect(compiled(lists, engine).parameters).toHaveLength(60 * 513)
    expect(statistics(engine)).toMatchObject({ misses: 2, size: 0 })
  })
})

describe('what is kept', () => {
  test('is so many shapes, and those that are used stay', () => {
    const engine = engineOf(10)
    const ordered = (n: number) =>
      pipe(
        select(model.City),
        orderBy((eb) => eb('id', '%', eb.lit(n))),
      )
    for (let n = 0; n < 100; n++) {
      compiled(ordered(n), engine)
      compiled(called('ed'), engine)
    }
    expect(compileStatistics(engine)).toEqual({ size: 10, capacity: 10, hits: 99, misses: 101, evictions: 91 })
  })

  test('is 500 where an engine does not say, and none where it says 0', () => {
    expect(compileStatistics(engineOf()).capacity).toBe(500)
    const engine = engineOf(0)
    compiled(called('ed'), engine)
    compiled(called('wendy'), engine)
    expect(compileStatistics(engine)).toEqual({ size: 0, capacity: 0, hits: 0, misses: 2, evictions: 0 })
  })

  test('is nothing that is large', () => {
    const engine = engineOf()
    const raw = pipe(
      select(model.User),
      where(() => sql.raw(`'${'x'.repeat(20_000)}' = ''`)),
    )
    const rows = pipe(
      insertInto(model.Stay),
      values(Array.from({ length: 700 }, (_, i) => ({ userId: i, from: new Date(i), nights: 1 }))),
    )
    expect(compiled(raw, engine).sql).toContain('xxxxx')
    expect(compiled(rows, engine).parameters).toHaveLength(2100)
    expect(statistics(engine)).toEqual({ hits: 0, misses: 2, size: 0, evictions: 0 })
    // the very same tree needs no shape
    compiled(rows, engine)
    expect(statistics(engine)).toEqual({ hits: 1, misses: 2, size: 0, evictions: 0 })
  })

  test('is counted for each engine, which says how many', () => {
    const [first, second] = [
      sqliteEngine(new Database(':memory:'), { compiledStatements: 7 }),
      sqliteEngine(new Database(':memory:')),
    ]
    compiled(called('ed'), first)
    expect(compileStatistics(first)).toEqual({ size: 1, capacity: 7, hits: 0, misses: 1, evictions: 0 })
    expect(compileStatistics(second)).toEqual({ size: 0, capacity: 500, hits: 0, misses: 0, evictions: 0 })
  })
})

describe('what is kept is never another’s', () => {
  test('dialect’s', () => {
    const query = called('ed')
    const shared = (node: RootOperationNode) => ({ sql: node.kind, parameters: [] })
    expect([sqlite, postgres, mysql].map((engine) => compiled(query, engine).sql.slice(-1))).toEqual(['?', '1', '?'])
    // one function for two dialects
    const locked = pipe(
      select(model.User),
      modify((qb) => qb.forUpdate()),
    )
    const one = (dialect: Compiler['dialect']): Compiler => ({ dialect, compile: sqlite.compile })
    expect(compiled(locked, one(sqlite.dialect)).sql).not.toContain('for update')
    expect(compiled(locked, one(postgres.dialect)).sql).toContain('for update')
    expect(compiled(query, { dialect: sqlite.dialect, compile: shared }).sql).toBe('SelectQueryNode')
  })

  test('model’s, though their names are the same', () => {
    const modelOf = (column: string) =>
      defineModel({
        User: entity('User', 'users', { id: pipe(integer, primaryKey), name: pipe(text, named(column)) }),
      })(() => ({}))
    const engine = engineOf()
    const whereOf = (column: string) =>
      compiled(pipe(select(modelOf(column).User), where('name', '=', 'ed')), engine).sql.replace(/.* where /, '')
    expect(['a', 'b'].map(whereOf)).toEqual(['"users"."a" = ?', '"users"."b" = ?'])
    expect(statistics(engine)).toMatchObject({ hits: 0, misses: 2 })
  })

  test('engine’s that writes tables otherwise, as a schema of a shard', () => {
    const inSchema = (schema: string): Compiler =>
      engineOf(500, {
        ...postgres,
        compile: (node) => {
          const { sql: written, parameters } = postgres.compile(node)
          return { sql: written.replaceAll('"users"', `"${schema}"."users"`), parameters }
        },
      })
    const [asia, europe] = [inSchema('asia'), inSchema('europe')]
    for (const [engine, schema] of [
      [asia, 'asia'],
      [europe, 'europe'],
      [asia, 'asia'],
    ] as const) {
      expect(compiled(called('ed'), engine).sql).toContain(`from "${schema}"."users"`)
    }
    // an engine that is another but for a few functions
    const other: Compiler = { ...asia, compile: europe.compile }
    expect(compiled(called('ed'), other).sql).toContain('from "europe"."users"')
  })

  test('statement’s that criteria were added to', () => {
    const engine = engineOf()
    const visible = pipe(called('ed'), where('age', '>', 18))
    expect(compiled(called('ed'), engine).parameters).toEqual(['ed'])
    expect(compiled(visible, engine).parameters).toEqual(['ed', 18])
    expect(compiled(called('wendy'), engine).parameters).toEqual(['wendy'])
    expect(compiled(pipe(visible, where('age', '>', 21)), engine).parameters).toEqual(['ed', 18, 21])
  })
})

test('what a result is read as is part of what is compiled', () => {
  const engine = kyselyEngine(new SqliteDialect({ database: new Database(':memory:') }))
  const read = (as: typeof bigint | typeof real) =>
    compiled(
      pipe(
        select(model.City),
        selectRows((q) => ({ most: q.readAs(as as typeof real, sql`max(population)`) })),
      ),
      engine,
    ).sql
  expect([read(bigint), read(real), read(bigint)].map((text) => text.includes('as text'))).toEqual([true, false, true])
  expect(compileStatistics(engine)).toMatchObject({ hits: 1, misses: 2 })
})

test('the type of a value that is selected is part of what is compiled, since it tells how the result is read', () => {
  const engine = kyselyEngine(new SqliteDialect({ database: new Database(':memory:') }))
  const Sale = entity('Sale', 'sales', { id: pipe(integer, primaryKey), amount: bigint })
  const sales = defineModel({ Sale })(() => ({}))
  const total = (instead: number | null) =>
    compiled(
      pipe(
        select(sales.Sale),
        selectRows((q) => ({ total: q.fn.coalesce(q.val(instead), q.fn.sum('amount')) })),
      ),
      engine,
    )
  const texts = [null, 0, null, 1].map((instead) => total(instead).sql.includes('as text'))
  expect(texts).toEqual([true, false, true, false])
  expect(compileStatistics(engine)).toMatchObject({ hits: 2, misses: 2 })
})

describe('an engine with plugins', () => {
  /** Writes numbers into the SQL, which a plugin that sees places for values cannot do. */
  const inlining: KyselyPlugin = {
    transformQuery: ({ node }) =>
      JSON.parse(JSON.stringify(node).replace(/"value":(\d+)/g, '"value":$1,"immediate":true')),
    transformResult: async ({ result }) => result,
  }
  const dialect = new (class extends PostgresDialect {
    override createDriver = () => new DummyDriver()
    override createAdapter = () => new PostgresAdapter()
  })({ pool: null as never })
  const population = (n: number) => pipe(select(model.City), where('population', '>', n))

  test('keeps nothing unless it is told to', () => {
    const engine = kyselyEngine(new Kysely({ dialect, plugins: [inlining] }))
    expect([1, 2].map((n) => compiled(population(n), engine).sql.slice(-3))).toEqual(['> 1', '> 2'])
    expect(compileStatistics(engine).capacity).toBe(0)
    expect(compileStatistics(kyselyEngine(dialect)).capacity).toBe(500)
    const told = kyselyEngine(new Kysely({ dialect, plugins: [new CamelCasePlugin()] }), { compiledStatements: 50 })
    expect([1, 2].map((n) => compiled(population(n), told).parameters)).toEqual([[1], [2]])
    expect(compileStatistics(told)).toMatchObject({ capacity: 50, hits: 1, misses: 1 })
  })
})

test('a tree that holds what Kysely has no node for is compiled each time', () => {
  const engine = engineOf()
  const array = pipe(select(model.User), where('tags', '=', ['a', 'b']))
  expect(rightOf(compile(engine)(array)).parameters).toEqual(['["a","b"]'])
  expect(statistics(engine)).toMatchObject({ misses: 1, size: 0 })
})

test('columns of a table of links hold what their reference says, which no name does', () => {
  const Day = entity('Day', 'days', { day: pipe(column(isoDate, 'text'), primaryKey) })
  const Tag = entity('Tag', 'tags', { id: pipe(integer, primaryKey) })
  const linked = defineModel({ Day, Tag })((r) => ({
    Day: { tags: r.Day.manyToMany('Tag', { through: { table: 'day_tags', own: ['day'], target: ['tag_id'] } }) },
  }))
  const relationship = linked.Day.mapping.relationshipOf.get('tags')
  if (relationship === undefined || relationship.through === null) throw new Error('no links')
  const template = selectOfOwners(null, relationship, 1, [])
  // the same tree, but for what its references are known to hold
  const copy = <A>(value: A): A =>
    Array.isArray(value)
      ? (value.map(copy) as A)
      : typeof value === 'object' && value !== null && !(value instanceof Date) && value.constructor === Object
        ? (Object.fromEntries(Object.entries(value).map(([name, each]) => [name, copy(each)])) as A)
        : value
  const engine = engineOf()
  for (const some of [template, { ...template, node: copy(template.node) }, template]) {
    const bound = bind(some, [new Date(0)])
    expect(compile(engine)(bound)).toEqual(compile(engineOf(0))(bound))
  }
  expect(compiled(bind(template, [new Date(0)]), engine).parameters).toEqual(['1970-01-01T00:00:00.000Z'])
  expect(statistics(engine)).toMatchObject({ misses: 2, size: 2 })
})
