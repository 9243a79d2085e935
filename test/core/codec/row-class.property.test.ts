import {
  bigint,
  blob,
  boolean,
  column,
  DecodeFault,
  type Dialect,
  deferred,
  defineModel,
  entity,
  generated,
  integer,
  isoDate,
  json,
  named,
  nullable,
  primaryKey,
  real,
  Snapshot,
  text,
  withDefault,
} from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { PostgresDialect } from 'kysely'
import { Pool } from 'pg'
import { describe, expect, test } from 'vitest'
import { generateRowClass, plainRowClass, type RowClass } from '../../../packages/core/src/codec/row-class.js'

const Colour = t.union([t.literal('red'), t.literal('gr"een'), t.literal(3), t.null])

// a column of each sort of codec: checked in place, called, both of them nullable; names that need quoting
const Thing = entity('Thing', 'things', {
  id: pipe(integer, primaryKey, generated),
  name: text,
  'odd name"\\\n': pipe(text, nullable),
  size: real,
  isBig: pipe(boolean, named('is_big')),
  colour: column(Colour, 'text'),
  kind: column(t.keyof({ a: null, b: null }), 'text'),
  count: pipe(bigint, nullable),
  data: pipe(blob, nullable),
  at: pipe(
    column(isoDate, 'text'),
    withDefault((services) => services.now),
  ),
  seen: pipe(column(isoDate, 'text'), nullable),
  tags: column(json(t.array(t.string)), 'json'),
  rank: pipe(
    integer,
    withDefault((services) => services.random() * 10),
  ),
  notes: pipe(text, deferred),
})
const Other = entity('Other', 'others', { id: pipe(integer, primaryKey), thingId: integer })
const model = defineModel({ Thing, Other })((r) => ({
  Thing: { others: r.Thing.hasMany('Other', { foreignKey: 'thingId' }) },
}))
const { mapping } = model.Thing

const services = {
  now: new Date(1),
  random: () => 0.5,
  uuid: () => 'u',
  remember: <L, A>(_: string, next: (last: L | null) => readonly [A, L]): A => next(null)[0],
}
const sqlite = sqliteEngine(new Database(':memory:')).dialect
const postgres = kyselyEngine(new PostgresDialect({ pool: new Pool({ max: 1 }) })).dialect
const dialects = [sqlite, postgres]

const valueOfColumn: Record<string, fc.Arbitrary<unknown>> = {
  id: fc.maxSafeInteger(),
  name: fc.string(),
  'odd name"\\\n': fc.option(fc.string()),
  size: fc.double(),
  isBig: fc.boolean(),
  colour: fc.constantFrom('red', 'gr"een', 3, null),
  kind: fc.constantFrom('a', 'b'),
  count: fc.option(fc.bigInt()),
  data: fc.option(fc.uint8Array()),
  at: fc.date({ noInvalidDate: true }),
  seen: fc.option(fc.date({ noInvalidDate: true })),
  tags: fc.array(fc.string()),
  rank: fc.integer(),
  notes: fc.string(),
}

const anyValue = fc.oneof(
  fc.anything(),
  fc.constantFrom<unknown>(undefined, null, 0, 1, 1.5, Number.NaN, '', 'red', '1', '[]', '["a"]', true, 5n, 'x'),
)

/** A record of some of the columns: valid values, and anything in so many of a hundred. */
const values = (wrong: number): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(
    Object.fromEntries(
      Object.entries(valueOfColumn).map(([name, value]) => [
        name,
        fc.oneof({ weight: 100 - wrong, arbitrary: value }, { weight: wrong, arbitrary: anyValue }),
      ]),
    ),
    { requiredKeys: [] },
  )

const whole = fc.record(valueOfColumn)

/** The row as a driver gives it. */
const driverRow = (row: Record<string, unknown>, dialect: Dialect): Record<string, unknown> =>
  Object.fromEntries(
    mapping.attributes.map(({ name, encode }) => [
      name,
      row[name] === undefined ? undefined : dialect.toDriver(encode(row[name])),
    ]),
  )

const generatedClass = generateRowClass(mapping)
const plainClass = plainRowClass(mapping)
const both = <A>(f: (rows: RowClass) => A): readonly [A, A] => [f(generatedClass), f(plainClass)]

const shown = (made: unknown): unknown =>
  made instanceof DecodeFault
    ? { fault: made.attribute.name, value: made.value, errors: made.errors.map(({ value }) => value) }
    : {
        name: (made as object).constructor.name,
        keys: Object.keys(made as object),
        row: { ...(made as object) },
        id: Snapshot.instanceOf(made),
        isFrozen: Object.isFrozen(made),
      }

/** What no driver gives, such as JSON with a bigint in it, may be a defect: the same one then. */
const orThrown = (f: () => unknown): unknown => {
  try {
    return f()
  } catch (error) {
    return String(error)
  }
}

const agree = (f: (rows: RowClass) => unknown): void => {
  const [a, b] = both((rows) => shown(f(rows)))
  expect(a).toEqual(b)
}

describe('the generated row class and the plain one agree', () => {
  test('on the snapshots of values', () => {
    fc.assert(fc.property(values(20), fc.nat(), (row, id) => agree((rows) => rows.make(id, row))))
  })

  test('on drafts', () => {
    fc.assert(fc.property(values(10), fc.nat(), (draft, id) => agree((rows) => rows.draft(id, draft, services))))
  })

  test('on whether a draft fits', () => {
    const more = fc.dictionary(fc.constantFrom('others', 'colour', 'toString', 'age', '', 'Name'), anyValue)
    fc.assert(
      fc.property(values(3), more, (draft, others) => {
        const given: Record<string, unknown> = { ...draft, ...others }
        const expected =
          Object.keys(given).every((name) => mapping.attributeOf.has(name) || name === 'others') &&
          mapping.attributes.every(({ name, column: { codec } }) => given[name] === undefined || codec.is(given[name]))
        expect(both((rows) => rows.fits(given))).toEqual([expected, expected])
      }),
      { numRuns: 300 },
    )
  })

  test('on patches', () => {
    fc.assert(
      fc.property(whole, values(10), fc.nat(), (row, patch, id) => {
        agree((rows) => rows.patch(rows.make(1, row), id, patch))
        const patched = generatedClass.patch(generatedClass.make(1, row), id, patch) as unknown as Record<
          string,
          unknown
        >
        for (const { name } of mapping.attributes) {
          expect(patched[name]).toBe(patch[name] === undefined ? row[name] : patch[name])
        }
      }),
    )
  })

  test('on what is inserted, which is the same snapshot where nothing is added', () => {
    fc.assert(
      fc.property(whole, values(10), fc.nat(), (row, patch, id) => {
        agree((rows) => rows.inserted(rows.make(id, row), id, patch))
        for (const rows of [generatedClass, plainClass]) {
          const snapshot = rows.make(id, row)
          const isSame = mapping.attributes.every(({ name }) => patch[name] === undefined || patch[name] === row[name])
          expect(rows.inserted(snapshot, id, patch) === snapshot).toBe(isSame)
        }
      }),
    )
  })

  test('on encoding', () => {
    fc.assert(
      fc.property(values(0), (row) => {
        const [a, b] = both((rows) => rows.encode(rows.make(1, row)))
        expect(a).toEqual(b)
        expect(a).toEqual(
          mapping.attributes.map(({ name, encode }) => (row[name] === undefined ? undefined : encode(row[name]))),
        )
        const into = mapping.attributes.map(() => 'of the row before')
        const [same, other] = both((rows) => rows.encode(rows.make(1, row), [...into]))
        expect([same, other]).toEqual([a, a])
      }),
    )
  })

  test.each(
    dialects.flatMap((dialect) => [
      ['strict', dialect.name, dialect] as const,
      ['trusted', dialect.name, dialect] as const,
    ]),
  )('on reading rows, %s, of %s', (mode, _, dialect) => {
    const readers = both((rows) => rows.reader(dialect, mode))
    fc.assert(
      fc.property(whole, values(50), fc.nat(), (row, spoilt, id) => {
        const given = { ...driverRow(row, dialect), ...spoilt }
        const [a, b] = readers.map((read) => orThrown(() => shown(read(given, id))))
        expect(a).toEqual(b)
      }),
    )
  })

  test('on snapshots that show what is related', () => {
    agree((rows) => rows.viewer(['others', 'odd "name'])(rows.make(3, { id: 1 }), 3, [[1], 2]))
    expect(generatedClass.viewer(['others'])(generatedClass.make(3, { id: 1 }), 3, [[1]])).toMatchObject({
      id: 1,
      others: [1],
    })
  })
})

describe.each([
  ['generated', generatedClass],
  ['plain', plainClass],
])('rows read by the %s class', (_, rows) => {
  test('are what was written', () => {
    fc.assert(
      fc.property(whole, fc.nat(), (row, id) => {
        for (const mode of ['strict', 'trusted'] as const) {
          const read = rows.reader(sqlite, mode)(driverRow(row, sqlite), id)
          expect({ ...read }).toEqual(row)
          expect(Snapshot.instanceOf(read)).toBe(id)
        }
      }),
    )
  })

  const plainRow = {
    id: 1,
    name: 'n',
    'odd name"\\\n': null,
    size: 1,
    isBig: 1,
    colour: 'red',
    kind: 'a',
    count: null,
    data: null,
    at: '1970-01-01T00:00:00.000Z',
    seen: null,
    tags: '[]',
    rank: 1,
  }

  test('name the attribute and the value of the first column that is wrong', () => {
    const read = rows.reader(sqlite, 'strict')
    const wrong: ReadonlyArray<readonly [string, unknown]> = [
      ['id', '1'],
      ['name', null],
      ['isBig', 2],
      ['colour', 'blue'],
      ['kind', 'c'],
      ['count', 'x'],
      ['at', 'yesterday'],
      ['tags', '[1]'],
      ['rank', undefined],
      ['notes', 5],
    ]
    for (const [name, value] of wrong) {
      const fault = read({ ...plainRow, [name]: value }, 1)
      expect(fault).toBeInstanceOf(DecodeFault)
      expect(fault).toMatchObject({ attribute: { name }, value })
      expect((fault as DecodeFault).errors.length).toBeGreaterThan(0)
    }
    expect(read({ ...plainRow, rank: 'x', name: 5 }, 1)).toMatchObject({ attribute: { name: 'name' }, value: 5 })
  })

  test('leave out what is deferred and was not selected', () => {
    const read = rows.reader(sqlite, 'strict')
    expect(read(plainRow, 1)).toMatchObject({ name: 'n', notes: undefined })
    expect(read({ ...plainRow, notes: 'long' }, 1)).toMatchObject({ notes: 'long' })
  })

  test('are trusted where their codec only checks, and decoded where it does more', () => {
    const read = rows.reader(sqlite, 'trusted')
    expect(read({ ...plainRow, id: 'x', name: undefined, count: 1 }, 1)).toMatchObject({
      id: 'x',
      name: undefined,
      at: new Date(0),
      count: 1n,
    })
    expect(read({ ...plainRow, at: 'yesterday' }, 1)).toMatchObject({ attribute: { name: 'at' }, value: 'yesterday' })
  })
})

describe('of attributes beside columns', () => {
  const extended = defineModel({ Thing })(
    () => ({}),
    (a) => ({
      Thing: {
        loud: a.Thing.expression(pipe(text, nullable), (eb) => eb.fn('upper', ['name'])),
        title: a.Thing.synonym('name'),
      },
    }),
  ).Thing.mapping
  const classes = [generateRowClass(extended), plainRowClass(extended)]

  test.each(classes)('synonyms are read, and no properties; what is computed is never written', (rows) => {
    const snapshot = rows.make(3, { name: 'a', loud: 'A' })
    expect((snapshot as unknown as { readonly title: string }).title).toBe('a')
    expect(Object.keys(snapshot)).not.toContain('title')
    expect(snapshot).toMatchObject({ name: 'a', loud: 'A' })
    const position = extended.attributeOf.get('loud')?.position ?? -1
    expect(rows.encode(snapshot)[position]).toBeUndefined()
    expect(rows.fits({ name: 'a' })).toBe(true)
    expect(rows.fits({ loud: 'A' })).toBe(false)
    // nobody says that it is NULL but the database
    expect(rows.inserted(snapshot, 3, { loud: undefined })).toMatchObject({ loud: 'A' })
    expect((rows.inserted(rows.make(3, {}), 3, {}) as unknown as { readonly loud?: unknown }).loud).toBeUndefined()
    const view = rows.viewer(['others'])(snapshot, 3, [[]])
    expect((view as unknown as { readonly title: string }).title).toBe('a')
  })
})
