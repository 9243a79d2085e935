import {
  composite,
  defineModel,
  entity,
  filterBy,
  generated,
  integer,
  nullable,
  orderBy,
  primaryKey,
  select,
  text,
} from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { none, type Option, some } from 'fp-ts/lib/Option.js'
import { expect, expectTypeOf, test } from 'vitest'
import { found, openOn } from '../../session/app.js'

const Edge = entity('Edge', 'edges', {
  id: pipe(integer, primaryKey, generated),
  name: text,
  x1: integer,
  y1: integer,
  x2: pipe(integer, nullable),
  y2: pipe(integer, nullable),
})
const model = defineModel({ Edge })(() => ({}))

class Point {
  readonly x: number
  readonly y: number
  constructor(x: number, y: number) {
    this.x = x
    this.y = y
  }
}

const start = composite(
  model.Edge,
  { x: 'x1', y: 'y1' },
  { make: ({ x, y }) => new Point(x, y), parts: ({ x, y }) => ({ x, y }) },
)
const end = composite(
  model.Edge,
  { x: 'x2', y: 'y2' },
  {
    make: ({ x, y }): Option<Point> => (x === null || y === null ? none : some(new Point(x, y))),
    parts: (point) => (point._tag === 'None' ? { x: null, y: null } : point.value),
  },
)

test('a composite is read from snapshots, and given to drafts, changes and conditions', () => {
  const app = openOn(model)
  app.run(Session.add(model.Edge, { name: 'a', ...start.of(new Point(1, 2)), ...end.of(some(new Point(3, 4))) }))
  app.run(Session.add(model.Edge, { name: 'b', ...start.of(new Point(0, 0)) }))
  app.run(Session.commit)
  const edge = found(app, model.Edge, 1)
  expect(start.get(edge)).toEqual(new Point(1, 2))
  expect(end.get(edge)).toEqual(some(new Point(3, 4)))
  expect(end.get(found(app, model.Edge, 2))).toEqual(none)

  app.run(pipe(edge, Session.set(model.Edge, start.of(new Point(7, 8)))))
  app.run(pipe(edge, Session.set(model.Edge, end.of(none))))
  app.run(Session.commit)
  expect(app.rows('edges')[0]).toEqual({ id: 1, name: 'a', x1: 7, y1: 8, x2: null, y2: null })

  const there = app.run(pipe(select(model.Edge), filterBy(start.of(new Point(7, 8))), Session.query))
  expect(there.map(({ name }) => name)).toEqual(['a'])
  const open = app.run(pipe(select(model.Edge), filterBy(end.of(none)), orderBy('id'), Session.query))
  expect(open.map(({ name }) => name)).toEqual(['a', 'b'])
})

test('a composite is a lens', () => {
  const point = fc.record({ x: fc.integer(), y: fc.integer() }).map(({ x, y }) => new Point(x, y))
  const row = fc.record({ name: fc.string(), x1: fc.integer(), y1: fc.integer() })
  fc.assert(
    fc.property(row, point, point, (given, a, b) => {
      expect(start.set(start.get(given))(given)).toEqual(given)
      expect(start.get(start.set(a)(given))).toEqual(a)
      expect(start.set(b)(start.set(a)(given))).toEqual(start.set(b)(given))
      expect(start.modify(({ x, y }) => new Point(y, x))(given)).toEqual({ ...given, x1: given.y1, y1: given.x1 })
    }),
  )
})

test('no attribute is two parts of one', () => {
  const both = { make: () => 0, parts: () => ({ x: 0, y: 0 }) }
  // @ts-expect-error x1 is another part already
  composite(model.Edge, { x: 'x1', y: 'x1' }, both)
  // @ts-expect-error there is no such attribute
  composite(model.Edge, { x: 'x1', y: 'z1' }, both)
  expect(composite(model.Edge, { x: 'x1', y: 'y1' }, both)._tag).toBe('Composite')
})

test('its types follow from the entity', () => {
  expectTypeOf(start.get).returns.toEqualTypeOf<Point>()
  expectTypeOf(end.of(none)).toEqualTypeOf<{ readonly x2: number | null; readonly y2: number | null }>()
  // @ts-expect-error no such attribute
  composite(model.Edge, { x: 'z' }, { make: (parts) => parts, parts: (parts) => parts })
  const parts = { x: 'x1', y: 'y1' } as const
  // @ts-expect-error a part is missing
  composite(model.Edge, parts, { make: ({ x, y }) => new Point(x, y), parts: ({ x }) => ({ x }) })
})
