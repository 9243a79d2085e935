import {
  type AnyEntity,
  type AnyModel,
  defineModel,
  entity,
  generated,
  integer,
  nullable,
  primaryKey,
  type Snapshot,
  text,
} from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import { type App, openOn } from '../session/app.js'

/** Entities E0, E1, ... with their references: each from one entity to another, or itself, with or without inverse. */
interface Shape {
  readonly entities: number
  readonly references: ReadonlyArray<{ readonly from: number; readonly to: number; readonly hasInverse: boolean }>
  /** Whether the program gives the keys, by entity. */
  readonly givesKeys: ReadonlyArray<boolean>
}

/** Rows in an order in which each refers to earlier ones only; `targets` by the entity's references. */
interface Row {
  readonly entity: number
  readonly targets: ReadonlyArray<number | null>
}

const shape: fc.Arbitrary<Shape> = fc.integer({ min: 1, max: 5 }).chain((entities) =>
  fc.record({
    entities: fc.constant(entities),
    references: fc.array(
      fc.record({ from: fc.nat(entities - 1), to: fc.nat(entities - 1), hasInverse: fc.boolean() }),
      { maxLength: 7 },
    ),
    givesKeys: fc.array(fc.boolean(), { minLength: entities, maxLength: entities }),
  }),
)

const rowsOf = ({ entities, references }: Shape): fc.Arbitrary<ReadonlyArray<Row>> =>
  fc
    .array(fc.tuple(fc.nat(entities - 1), fc.array(fc.option(fc.nat(30)), { minLength: 7, maxLength: 7 })), {
      maxLength: 14,
    })
    .map((chosen) => {
      const rows: Row[] = []
      for (const [entity, wanted] of chosen) {
        const targets = references.map(({ from, to }, i) => {
          const earlier = rows.flatMap((row, at) => (row.entity === to ? [at] : []))
          const index = wanted[i] ?? null
          return from !== entity || index === null || earlier.length === 0
            ? null
            : (earlier[index % earlier.length] as number)
        })
        rows.push({ entity, targets })
      }
      return rows
    })

interface Case {
  readonly shape: Shape
  readonly rows: ReadonlyArray<Row>
  /** The order in which the rows are added. */
  readonly order: ReadonlyArray<number>
  readonly removed: ReadonlyArray<number>
  /** Rows that refer elsewhere in a second flush. */
  readonly moved: ReadonlyArray<number>
}

const aCase: fc.Arbitrary<Case> = shape.chain((s) =>
  rowsOf(s).chain((rows) => {
    const places = rows.map((_, i) => i)
    return fc.record({
      shape: fc.constant(s),
      rows: fc.constant(rows),
      order: fc.shuffledSubarray(places, { minLength: places.length, maxLength: places.length }),
      removed: fc.subarray(places),
      moved: fc.subarray(places),
    })
  }),
)

const modelOf = ({ entities, references, givesKeys }: Shape): AnyModel => {
  const all: Record<string, AnyEntity> = {}
  for (let i = 0; i < entities; i++) {
    all[`E${i}`] = entity(`E${i}`, `e${i}`, {
      id: givesKeys[i] === true ? pipe(integer, primaryKey) : pipe(integer, primaryKey, generated),
      label: text,
      ...Object.fromEntries(
        references.flatMap(({ from }, n) => (from === i ? [[`ref${n}Id`, pipe(integer, nullable)]] : [])),
      ),
    })
  }
  // types cannot follow a model that is made up at run time
  return (defineModel as unknown as (e: typeof all) => (f: (r: never) => unknown) => AnyModel)(all)((r: never) => {
    const builders = r as Record<string, Record<string, (target: string, options: object) => unknown>>
    const declared: Record<string, Record<string, unknown>> = {}
    for (const name of Object.keys(all)) declared[name] = {}
    references.forEach(({ from, to, hasInverse }, n) => {
      const foreignKey = `ref${n}Id`
      const own = declared[`E${from}`] as Record<string, unknown>
      own[`ref${n}`] = builders[`E${from}`]?.belongsTo?.(`E${to}`, {
        foreignKey,
        ...(hasInverse ? { inverse: `many${n}` } : {}),
      })
      if (!hasInverse) return
      const other = declared[`E${to}`] as Record<string, unknown>
      other[`many${n}`] = builders[`E${to}`]?.hasMany?.(`E${from}`, { foreignKey, inverse: `ref${n}` })
    })
    return declared
  })
}

type AnyMapped = Parameters<typeof Session.make>[0]

const entityAt = (model: AnyModel, i: number): AnyMapped =>
  (model as unknown as Record<string, AnyMapped>)[`E${i}`] as AnyMapped

/** The rows in the database, as the labels that each refers to. */
const stored = (app: App, { entities, references }: Shape): Record<string, ReadonlyArray<string | null>> => {
  const tables = Array.from({ length: entities }, (_, i) => app.rows(`e${i}`) as ReadonlyArray<Record<string, unknown>>)
  const labelOf = (table: number, id: unknown): string | null =>
    id === null ? null : ((tables[table]?.find((row) => row.id === id)?.label as string | undefined) ?? 'dangling')
  return Object.fromEntries(
    tables.flatMap((rows, i) =>
      rows.map((row) => [
        row.label,
        references.flatMap(({ from, to }, n) => (from === i ? [labelOf(to, row[`ref${n}Id`])] : [])),
      ]),
    ),
  )
}

const expected = (
  rows: ReadonlyArray<Row | null>,
  { references }: Shape,
): Record<string, ReadonlyArray<string | null>> =>
  Object.fromEntries(
    rows.flatMap((row, at) =>
      row === null
        ? []
        : [
            [
              `row ${at}`,
              references.flatMap(({ from }, n) => {
                if (from !== row.entity) return []
                const target = row.targets[n] ?? null
                return [target === null ? null : `row ${target}`]
              }),
            ],
          ],
    ),
  )

/** Each step stands after those that it waits for. */
const waitsForEarlier = ({ steps }: Session.FlushPlan): void => {
  for (const { id, after } of steps) for (const other of after) expect(other).toBeLessThan(id)
}

test('the order of a flush respects every foreign key of any model, and what is stored is what was asked for', () => {
  fc.assert(
    fc.property(aCase, ({ shape, rows, order, removed, moved }) => {
      const model = modelOf(shape)
      // immediate constraints: every statement has to find what it refers to
      const app = openOn(model)
      const made: Array<Snapshot<string>> = []
      rows.forEach((row, at) => {
        const references = shape.references.flatMap(({ from }, n) => {
          const target = row.targets[n] ?? null
          return from !== row.entity ? [] : [[`ref${n}`, target === null ? null : made[target]] as const]
        })
        const draft = {
          label: `row ${at}`,
          ...(shape.givesKeys[row.entity] === true ? { id: 100 - at } : {}),
          ...Object.fromEntries(references),
        }
        made.push(app.run(Session.make(entityAt(model, row.entity), draft as never)) as Snapshot<string>)
      })
      for (const at of order) app.run(Session.add(entityAt(model, rows[at]?.entity as number), made[at] as never))
      waitsForEarlier(app.run(Session.flushPlan))
      app.run(Session.commit)
      expect(stored(app, shape)).toEqual(expected(rows, shape))

      // some rows let go of everything, or refer to the first row that they may; others go, with all that refer to them
      const gone = new Set(removed)
      const next: Array<Row | null> = rows.map((row, at) => ({
        ...row,
        targets: row.targets.map((target, n) => {
          if (!moved.includes(at)) return target
          const first = rows.findIndex((other, i) => i < at && other.entity === shape.references[n]?.to && !gone.has(i))
          return shape.references[n]?.from !== row.entity || first < 0 ? null : first
        }),
      }))
      for (let changed = true; changed; ) {
        changed = false
        next.forEach((row, at) => {
          // what referred to it before the flush has no time to let go where the two are deleted together
          if (
            row === null ||
            gone.has(at) ||
            ![...row.targets, ...(rows[at] as Row).targets].some((t) => t !== null && gone.has(t))
          )
            return
          gone.add(at)
          changed = true
        })
      }
      const quiet = Session.transition((state) => ({
        _tag: 'Right',
        right: [undefined, { ...state, options: { ...state.options, autoflush: false } }],
      }))
      app.run(quiet)
      moved.forEach((at) => {
        if (gone.has(at)) return
        const row = next[at] as Row
        const patch = shape.references.flatMap(({ from }, n) => {
          const target = row.targets[n] ?? null
          return from !== row.entity ? [] : [[`ref${n}`, target === null ? null : made[target]] as const]
        })
        app.run(Session.set(entityAt(model, row.entity), Object.fromEntries(patch) as never)(made[at] as never))
      })
      for (const at of gone) app.run(Session.remove(entityAt(model, rows[at]?.entity as number))(made[at] as never))
      waitsForEarlier(app.run(Session.flushPlan))
      app.run(Session.commit)
      expect(stored(app, shape)).toEqual(
        expected(
          next.map((row, at) => (gone.has(at) ? null : row)),
          shape,
        ),
      )
    }),
    { numRuns: 250 },
  )
})
