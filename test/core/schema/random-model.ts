/** Models of any tables, for properties of DDL. */
import {
  type AnyColumn,
  type AnyEntity,
  type AnyModel,
  arrayOf,
  bigint,
  blob,
  boolean,
  concrete,
  ddlOf,
  decimal,
  defineModel,
  entity,
  enumOf,
  generated,
  instant,
  integer,
  jsonOf,
  named,
  nullable,
  plainDate,
  plainTime,
  primaryKey,
  type ReferentialAction,
  real,
  references,
  renderDdl,
  sqliteDialect,
  subtype,
  text,
  unique,
  uuid,
  withServerDefault,
} from '@unitary/core'
import * as fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { type Expression, type ExpressionBuilder, sql } from 'kysely'

interface Kind {
  readonly column: AnyColumn
  readonly defaults: ReadonlyArray<Expression<unknown>>
  readonly canBeKey: boolean
}

const kinds: ReadonlyArray<Kind> = [
  { column: integer, defaults: ['0', '42', '-7'].map((text) => sql.raw(text)), canBeKey: true },
  { column: bigint, defaults: [sql`0`, sql.val(9007199254740993n)], canBeKey: true },
  { column: real, defaults: ['0', '1.5', '-2.25'].map((text) => sql.raw(text)), canBeKey: false },
  { column: decimal(12, 2), defaults: [sql.val('-1.50'), sql.val('3.00')], canBeKey: true },
  { column: text, defaults: ["'new'", "'it''s'", "''"].map((text) => sql.raw(text)), canBeKey: true },
  { column: enumOf('one', "it's", 'three'), defaults: [sql.val('one'), sql.val("it's")], canBeKey: true },
  { column: uuid, defaults: [], canBeKey: true },
  { column: boolean, defaults: [sql`true`, sql`false`, sql.val(true)], canBeKey: false },
  { column: instant, defaults: [sql.val(new Date(0)), sql`current_timestamp`], canBeKey: true },
  { column: plainDate, defaults: [sql.val('2026-01-31')], canBeKey: true },
  { column: plainTime, defaults: [sql.val('09:30:00'), sql.val('23:59:59.5')], canBeKey: true },
  { column: jsonOf(t.unknown), defaults: [], canBeKey: false },
  { column: arrayOf(text), defaults: [], canBeKey: false },
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
      ...(given === undefined ? [] : [withServerDefault(given)]),
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
    subtypes: fc.oneof(
      { weight: 2, arbitrary: fc.constant<ReadonlyArray<Subtype>>([]) },
      fc.array(subtypeArbitrary(['joined', 'single']), { minLength: 1, maxLength: 3 }),
      fc.array(subtypeArbitrary(['concrete']), { minLength: 1, maxLength: 2 }),
    ),
  })

interface Subtype {
  readonly way: 'joined' | 'single' | 'concrete'
  /** Of the last of the line rather than the first. */
  readonly isBelow: boolean
  readonly columns: ReadonlyArray<(i: number) => readonly [string, AnyColumn]>
  readonly isIndexed: boolean
  readonly isUnique: boolean
  readonly isChecked: boolean
}

const subtypeArbitrary = (ways: ReadonlyArray<Subtype['way']>): fc.Arbitrary<Subtype> =>
  fc.record({
    way: fc.constantFrom(...ways),
    isBelow: fc.boolean(),
    columns: fc.array(columnArbitrary, { maxLength: 3 }),
    isIndexed: fc.boolean(),
    isUnique: fc.boolean(),
    isChecked: fc.boolean(),
  })

/** Models of up to four tables that refer to each other in any way, with subtypes of any kind. */
export const modelArbitrary: fc.Arbitrary<AnyModel> = fc
  .integer({ min: 1, max: 4 })
  .chain((size) => fc.array(tableArbitrary(size), { minLength: size, maxLength: size }))
  .map((tables) => {
    const keyed = (i: number) => tables[i]?.key ?? []
    const entities = tables.flatMap(
      ({ key, columns, references: referred, checks: own, index, isUnique, subtypes }, i) => {
        const foreign = referred.flatMap(({ target, ...options }, n) => {
          const [only, ...more] = keyed(target)
          if (only === undefined || more.length > 0) return []
          const { kind } = only
          const bare: AnyColumn = kind === 'text' ? text : kind === 'bigint' ? bigint : integer
          return [[`f${n}`, pipe(bare, nullable, references(`t${target}.id0`, definedOnly(options)))] as const]
        })
        const isBase = subtypes.length > 0
        const base: AnyEntity = entity(
          `T${i}`,
          `t${i}`,
          {
            ...Object.fromEntries(key.map((self, n) => [`id${n}`, self])),
            a: integer,
            b: pipe(text, nullable),
            ...(isBase ? { kind: text } : {}),
            ...Object.fromEntries(columns.map((make, n) => make(n))),
            ...Object.fromEntries(foreign),
          },
          {
            checks: own,
            indexes: index as never,
            unique: isUnique ? [['a', 'id0'] as never] : [],
            ...(isBase ? { discriminator: 'kind', identity: 'base' } : {}),
          } as object,
        )
        const line = [base]
        subtypes.forEach((given, n) => {
          line.push(below(line, given, n))
        })
        return line
      },
    )
    const model = defineModel(Object.fromEntries(entities.map((one) => [one.name, one])))(() => ({}))
    return Object.assign(model, { [fc.toStringMethod]: () => renderDdl(ddlOf(model)(sqliteDialect)) })
  })

/** One more subtype of the first of a line, or of the last. */
const below = (
  line: ReadonlyArray<AnyEntity>,
  { way, isBelow, columns, isIndexed, isUnique, isChecked }: Subtype,
  n: number,
): AnyEntity => {
  const [base] = line as readonly [AnyEntity]
  const name = `${base.name}S${n}`
  const own = { [`n${n}`]: integer, ...Object.fromEntries(columns.map((make, i) => make(10 * (n + 1) + i))) }
  const options = {
    identity: `s${n}`,
    indexes: isIndexed ? [[`n${n}`, 'id0']] : [],
    unique: isUnique ? [['id0', `n${n}`]] : [],
    checks: isChecked ? [(eb: AnyBuilder) => eb(`n${n}`, '>', 7)] : [],
  }
  if (way === 'concrete') return concrete(base as never)(name, name.toLowerCase(), own, options as never) as AnyEntity
  const make = subtype((isBelow ? line.at(-1) : base) as never)
  return way === 'joined'
    ? (make(name, name.toLowerCase(), own, options as never) as AnyEntity)
    : (make(name, own, options as never) as AnyEntity)
}

const definedOnly = <A extends object>(options: A): { [K in keyof A]: Exclude<A[K], undefined> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
