/**
 * Routing is sound and tight whatever the strategy: for random data and conditions, the routed answer is that of all shards,
 * and a condition on what decides, with any other beside it, asks no shard that cannot have rows.
 */
import { fc, test } from '@fast-check/vitest'
import {
  createAllSync,
  defineModel,
  entity,
  integer,
  modify,
  nullable,
  primaryKey,
  select,
  text,
  where,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import {
  byAttribute,
  byDirectory,
  byHash,
  byParts,
  byRange,
  byRendezvous,
  type Choosers,
  choosers,
  directory,
  routeOf,
  shardedRuntime,
  shardMap,
  withParent,
} from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import { describe, expect } from 'vitest'
import { rightOf } from '../weather.js'

const Thing = entity('Thing', 'things', {
  id: pipe(integer, primaryKey),
  bucket: integer,
  size: pipe(integer, nullable),
})
const Note = entity('Note', 'notes', {
  id: pipe(integer, primaryKey),
  thingId: integer,
  label: text,
})
const model = defineModel({ Thing, Note })((r) => ({
  Thing: { notes: r.Thing.hasMany('Note', { foreignKey: 'thingId', inverse: 'thing' }) },
  Note: { thing: r.Note.belongsTo('Thing', { foreignKey: 'thingId', inverse: 'notes' }) },
}))

const tokens = ['a', 'b', 'c', 'd'] as const
type Token = (typeof tokens)[number]

const named: Readonly<Record<string, Token>> = { '0': 'a', '1': 'b', '2': 'c', '3': 'd', '4': 'a', '5': 'b' }

const strategies = {
  attribute: byAttribute('bucket', (bucket: number) => tokens[((bucket % 4) + 4) % 4] as Token),
  record: byAttribute('bucket', named),
  hash: byHash('bucket', tokens),
  rendezvous: byRendezvous('bucket', { a: 1, b: 2, c: 1, d: 1 }),
  range: byRange(
    'bucket',
    [
      { below: 1, shard: 'a' },
      { below: 3, shard: 'b' },
      { below: 4, shard: 'c' },
    ],
    'd',
  ),
  directory: byDirectory(
    'bucket',
    directory<number, Token>(Object.entries(named).map(([bucket, token]) => [Number(bucket), token])),
  ),
  parts: byParts('bucket', {
    0: byHash('id', ['a', 'b']),
    1: byHash('id', ['c']),
    2: byHash('id', ['d', 'a']),
    3: byHash('id', ['b']),
    4: byHash('id', ['a', 'b']),
    5: byHash('id', ['c', 'd']),
  }),
} as const

/** Where the things of a bucket can be, by parts. */
const partsOf: Readonly<Record<number, ReadonlyArray<Token>>> = {
  0: ['a', 'b'],
  1: ['c'],
  2: ['d', 'a'],
  3: ['b'],
  4: ['a', 'b'],
  5: ['c', 'd'],
}

type Name = keyof typeof strategies

const rules = (name: Name): Choosers<Token> =>
  choosers(model)({ Thing: strategies[name] as typeof strategies.hash, Note: withParent('thing') })

// conditions, as data

type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>='

type Condition =
  | { readonly _tag: 'Compare'; readonly operator: Comparison; readonly value: number; readonly isFlipped: boolean }
  | { readonly _tag: 'Between'; readonly low: number; readonly high: number }
  | { readonly _tag: 'In'; readonly operator: 'in' | 'not in'; readonly values: ReadonlyArray<number> }
  | { readonly _tag: 'And' | 'Or'; readonly parts: ReadonlyArray<Condition> }
  | { readonly _tag: 'Not'; readonly part: Condition }

const bucket = fc.integer({ min: 0, max: 5 })

const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({
    _tag: fc.constant('Compare' as const),
    operator: fc.constantFrom<Comparison>('=', '!=', '<', '<=', '>', '>='),
    value: bucket,
    isFlipped: fc.boolean(),
  }),
  fc.record({ _tag: fc.constant('Between' as const), low: bucket, high: bucket }),
  fc.record({
    _tag: fc.constant('In' as const),
    operator: fc.constantFrom('in' as const, 'not in' as const),
    values: fc.array(bucket, { minLength: 1, maxLength: 3 }),
  }),
)

const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.record({
      _tag: fc.constantFrom('And' as const, 'Or' as const),
      parts: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ _tag: fc.constant('Not' as const), part: tie('condition') }),
  ),
}))

// biome-ignore lint/suspicious/noExplicitAny: columns of whichever table or alias
type Eb = ExpressionBuilder<any, any>

const expressed = (eb: Eb, column: string, given: Condition): Expression<SqlBool> => {
  switch (given._tag) {
    case 'Compare':
      return given.isFlipped
        ? eb(eb.val(given.value), mirrored[given.operator], eb.ref(column))
        : eb(column, given.operator, given.value)
    case 'Between':
      return eb.between(column, given.low, given.high)
    case 'In':
      return eb(column, given.operator, given.values)
    case 'And':
      return eb.and(given.parts.map((part) => expressed(eb, column, part)))
    case 'Or':
      return eb.or(given.parts.map((part) => expressed(eb, column, part)))
    case 'Not':
      return eb.not(eb.parens(expressed(eb, column, given.part)))
  }
}

const mirrored: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
}

/** Is the condition true of a value? */
const allows = (given: Condition, value: number): boolean => {
  switch (given._tag) {
    case 'Compare':
      return {
        '=': value === given.value,
        '!=': value !== given.value,
        '<': value < given.value,
        '<=': value <= given.value,
        '>': value > given.value,
        '>=': value >= given.value,
      }[given.operator]
    case 'Between':
      return given.low <= value && value <= given.high
    case 'In':
      return given.values.includes(value) === (given.operator === 'in')
    case 'And':
      return given.parts.every((part) => allows(part, value))
    case 'Or':
      return given.parts.some((part) => allows(part, value))
    case 'Not':
      return !allows(given.part, value)
  }
}

// the statements that a condition is put into

const things = select(model.Thing)
const notes = select(model.Note)

/** A condition on a column, whatever the tables. */
const on = (column: string, given: Condition) => ((eb: Eb) => expressed(eb, column, given)) as never

/** Queries in which the condition is all that decides. */
const shapes = {
  own: (given: Condition) => pipe(things, where(on('bucket', given))),
  withOther: (given: Condition) =>
    pipe(
      things,
      where(on('things.bucket', given)),
      where((eb) => eb.or([eb('size', '>', 1), eb('size', 'is', null)])),
    ),
  subquery: (given: Condition) =>
    pipe(
      things,
      where(on('bucket', given)),
      where((eb) =>
        eb.exists(
          eb
            .selectFrom('notes')
            .select('notes.id')
            .whereRef('notes.thingId', '=', 'things.id')
            .where('label', '=', 'x'),
        ),
      ),
    ),
  joined: (given: Condition) =>
    pipe(
      notes,
      modify((qb) => qb.innerJoin('things as t', 't.id', 'notes.thingId')),
      where(on('t.bucket', given)),
    ),
} as const

/** Queries of which only so much is told that no row is missed. */
const loose = {
  disjunction: (given: Condition) =>
    pipe(things, where(((eb: Eb) => eb.or([expressed(eb, 'bucket', given), eb('size', '=', 1)])) as never)),
  within: (given: Condition) =>
    pipe(
      notes,
      where(((eb: Eb) =>
        eb('thingId', 'in', eb.selectFrom('things').select('things.id').where(on('bucket', given)))) as never),
    ),
  outer: (given: Condition) =>
    pipe(
      notes,
      modify((qb) =>
        qb.leftJoin('things as t', (join) => join.onRef('t.id', '=', 'notes.thingId').on(on('t.bucket', given))),
      ),
    ),
} as const

const strategy = fc.constantFrom(...(Object.keys(strategies) as ReadonlyArray<Name>))
const rows = fc.array(
  fc.record({ bucket, size: fc.option(fc.nat(3)), labels: fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }) }),
  { maxLength: 15 },
)

const open = (by: Choosers<Token>) => {
  const databases = tokens.map(() => new Database(':memory:'))
  const engines = databases.map((database) => {
    const engine = sqliteEngine(database)
    rightOf(createAllSync(model)(engine))
    return engine
  })
  const shards = shardMap(Object.fromEntries(tokens.map((token, i) => [token, engines[i]])) as never)
  return {
    runtime: shardedRuntime<Token>(model, { shards: shards as never, choosers: by }),
    everywhere: shardedRuntime<Token>(model, { shards: shards as never, choosers: { ...by, shardsOf: () => null } }),
    close: () => {
      for (const database of databases) database.close()
    },
  }
}

describe('a routed query', () => {
  const sound = { ...shapes, ...loose }
  const shape = fc.constantFrom(...(Object.keys(sound) as ReadonlyArray<keyof typeof sound>))

  test.prop([strategy, rows, shape, condition], { numRuns: 300 })(
    'has the rows of all shards',
    (name, data, which, given) => {
      const { close, everywhere, runtime } = open(rules(name))
      const drafts = data.map(({ labels, ...thing }, id) => ({
        id,
        ...thing,
        notes: labels.map((label, n) => ({ id: id * 10 + n, label })),
      }))
      rightOf(
        Session.runSync(runtime)(
          pipe(
            Session.addAll(model.Thing, drafts),
            Session.chain(() => Session.commit),
          ),
        ),
      )
      const query = sound[which](given) as ReturnType<typeof shapes.own>
      const idsOf = (on: Session.Runtime) =>
        rightOf(Session.runSync(on)(Session.query(query)))
          .map(({ id }) => id)
          .sort((a, b) => a - b)
      expect(idsOf(runtime)).toEqual(idsOf(everywhere))
      close()
    },
  )
})

describe('a route', () => {
  const shape = fc.constantFrom(...(Object.keys(shapes) as ReadonlyArray<keyof typeof shapes>))
  /** Beyond the buckets in use on both sides, where each shard has some. */
  const universe = Array.from({ length: 200 }, (_, i) => i - 100)

  test.prop([strategy, shape, condition], { numRuns: 1000 })(
    'has no shard that no row of the condition can be on',
    (name, which, given) => {
      const by = rules(name)
      const { close, runtime } = open(by)
      const shardsOf = (value: number): ReadonlyArray<string> | null =>
        name === 'parts'
          ? (partsOf[value] ?? null)
          : by.shardsOfKey(
              'Thing',
              { bucket: value },
              { operation: 'get', loading: null, options: {}, state: Session.empty(model) },
            )
      const possible = universe.filter((value) => allows(given, value)).map(shardsOf)
      const { shards } = rightOf(routeOf(runtime)(shapes[which](given) as never))
      // a value that no shard is named for could be on any
      expect(new Set(shards)).toEqual(new Set(possible.includes(null) ? tokens : possible.flat()))
      close()
    },
  )
})
