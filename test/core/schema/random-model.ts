/** Models of any tables, for properties of DDL. */
import {
  type AnyColumn,
  type AnyModel,
  bigint,
  blob,
  boolean,
  column,
  defineModel,
  entity,
  generated,
  integer,
  isoDate,
  json,
  named,
  nullable,
  primaryKey,
  type ReferentialAction,
  real,
  references,
  text,
  unique,
  withServerDefault,
} from '@unitary/core'
import * as fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { type ExpressionBuilder, sql } from 'kysely'

interface Kind {
  readonly column: AnyColumn
  readonly defaults: ReadonlyArray<string>
  readonly canBeKey: boolean
}

const kinds: ReadonlyArray<Kind> = [
  { column: integer, defaults: ['0', '42', '-7'], canBeKey: true },
  { column: bigint, defaults: ['0', '9007199254740993'], canBeKey: true },
  { column: real, defaults: ['0', '1.5', '-2.25'], canBeKey: false },
  { column: text, defaults: ["'new'", "'it''s'", "''"], canBeKey: true },
  { column: boolean, defaults: ['true', 'false'], canBeKey: false },
  { column: column(isoDate, 'timestamp'), defaults: [], canBeKey: true },
  { column: column(json(t.unknown), 'json'), defaults: [], canBeKey: false },
  { column: blob, defaults: [], canBeKey: false },
]

// biome-ignore lint/suspicious/noExplicitAny: of whatever columns
type AnyBuilder = ExpressionBuilder<any, any>

/** Conditions on an integer, `a`. */
const checks = [
  (eb: AnyBuilder) => eb('a', '>=', 0),
  (eb: AnyBuilder) => eb('a', '>', -5),
  (eb: AnyBuilder) => eb.between('a', -1, 9),
  (eb: AnyBuilder) => eb('a', 'in', [1, 2, 3]),
  (eb: AnyBuilder) => eb('a', 'not in', [4]),
  (eb: AnyBuilder) => eb.not(eb('a', '=', 3)),
  (eb: AnyBuilder) => eb.or([eb('a', '=', 1), eb.and([eb('a', '<>', 2), eb('b', 'is not', null)])]),
  (eb: AnyBuilder) => eb.and([eb.or([eb('a', '<', 5), eb('b', '=', 'x; {y}')]), eb('a', '!=', 6)]),
  (eb: AnyBuilder) => eb('b', 'like', 'a%'),
  (eb: AnyBuilder) => eb('b', 'in', ["it's", 'one', 'two']),
  (eb: AnyBuilder) => eb(eb('a', '+', 1), '<', eb('a', '*', 2)),
  (eb: AnyBuilder) => eb(eb.fn('lower', ['b']), '=', eb.ref('b')),
  (eb: AnyBuilder) => eb(eb.fn.coalesce('a', eb.lit(0)), '<', 100),
]

const actions: ReadonlyArray<ReferentialAction | undefined> = [undefined, 'cascade', 'restrict', 'no action']

const columnArbitrary = fc
  .record({
    kind: fc.constantFrom(...kinds),
    isNullable: fc.boolean(),
    isUnique: fc.boolean(),
    isRenamed: fc.boolean(),
    isGiven: fc.nat({ max: 3 }),
  })
  .map(({ kind, isNullable, isUnique, isRenamed, isGiven }) => (i: number): readonly [string, AnyColumn] => {
    const given = kind.defaults[isGiven]
    const parts: ReadonlyArray<(self: AnyColumn) => AnyColumn> = [
      ...(given === undefined ? [] : [withServerDefault(sql.raw(given))]),
      ...(isNullable ? [nullable] : []),
      ...(isUnique && kind.canBeKey ? [unique] : []),
      ...(isRenamed ? [named(`column ${i}`)] : []),
    ]
    return [`c${i}`, parts.reduce((self, part) => part(self), kind.column)]
  })

const tableArbitrary = (tables: number) =>
  fc.record({
    key: fc.constantFrom<ReadonlyArray<AnyColumn>>(
      [pipe(integer, primaryKey, generated)],
      [pipe(bigint, primaryKey, generated)],
      [pipe(integer, primaryKey)],
      [pipe(text, primaryKey)],
      [pipe(integer, primaryKey), pipe(text, primaryKey)],
    ),
    columns: fc.array(columnArbitrary, { maxLength: 5 }),
    checks: fc.subarray([...checks], { maxLength: 3 }),
    references: fc.array(
      fc.record({
        target: fc.nat({ max: tables - 1 }),
        onDelete: fc.constantFrom(...actions),
        onUpdate: fc.constantFrom(...actions),
        deferrable: fc.constantFrom(undefined, 'initially deferred', 'initially immediate'),
        index: fc.boolean(),
      }),
      { maxLength: 2 },
    ),
    index: fc.constantFrom(
      [],
      [['a']],
      [{ attributes: [['a', 'desc'], 'id0'], unique: true }],
      [{ attributes: ['a'], where: (eb: AnyBuilder) => eb('a', '>', 3), unique: true }],
      [{ attributes: ['a', 'id0'], where: (eb: AnyBuilder) => eb('b', 'is not', null) }],
    ),
    isUnique: fc.boolean(),
  })

/** Models of up to four tables that refer to each other in any way. */
export const modelArbitrary: fc.Arbitrary<AnyModel> = fc
  .integer({ min: 1, max: 4 })
  .chain((size) => fc.array(tableArbitrary(size), { minLength: size, maxLength: size }))
  .map((tables) => {
    const keyed = (i: number) => tables[i]?.key ?? []
    const entities = tables.map(({ key, columns, references: referred, checks: own, index, isUnique }, i) => {
      const foreign = referred.flatMap(({ target, ...options }, n) => {
        const [only, ...more] = keyed(target)
        if (only === undefined || more.length > 0) return []
        const { kind } = only
        const bare: AnyColumn = kind === 'text' ? text : kind === 'bigint' ? bigint : integer
        return [[`f${n}`, pipe(bare, nullable, references(`t${target}.id0`, definedOnly(options)))] as const]
      })
      return entity(
        `T${i}`,
        `t${i}`,
        {
          ...Object.fromEntries(key.map((self, n) => [`id${n}`, self])),
          a: integer,
          b: pipe(text, nullable),
          ...Object.fromEntries(columns.map((make, n) => make(n))),
          ...Object.fromEntries(foreign),
        },
        { checks: own, indexes: index as never, unique: isUnique ? [['a', 'id0'] as never] : [] },
      )
    })
    return defineModel(Object.fromEntries(entities.map((one) => [one.name, one])))(() => ({}))
  })

const definedOnly = <A extends object>(options: A): { [K in keyof A]: Exclude<A[K], undefined> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
