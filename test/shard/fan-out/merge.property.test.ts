/**
 * Ordered queries over several shards against the plain thing: all rows in one table, sorted by SQLite itself.
 */
import { fc, test } from '@fast-check/vitest'
import {
  createAllSync,
  deferred,
  defineModel,
  entity,
  integer,
  limit,
  named,
  nullable,
  offset,
  orderBy,
  primaryKey,
  real,
  select,
  text,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { byAttribute, choosers, shardedRuntime, shardMap } from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import type { OrderByItemBuilder } from 'kysely'
import { describe, expect } from 'vitest'
import { rightOf } from '../weather.js'

const Thing = entity('Thing', 'things', {
  id: pipe(integer, primaryKey),
  home: text,
  a: pipe(integer, nullable),
  b: pipe(text, named('b_text'), nullable),
  c: pipe(real, nullable),
  note: pipe(text, nullable, deferred),
})
const model = defineModel({ Thing })(() => ({}))

const shards = ['one', 'two', 'three'] as const

const open = () => {
  const engine = () => {
    const made = sqliteEngine(new Database(':memory:'))
    rightOf(createAllSync(model)(made))
    return made
  }
  return {
    plain: Session.runtime(model, engine()),
    sharded: shardedRuntime(model, {
      shards: shardMap({ one: engine(), two: engine(), three: engine() }),
      choosers: choosers(model)({ Thing: byAttribute('home', { one: 'one', two: 'two', three: 'three' }) }),
    }),
  }
}

const row = fc.record({
  home: fc.constantFrom(...shards),
  a: fc.option(fc.integer({ min: -2, max: 2 })),
  b: fc.option(fc.constantFrom('', 'a', 'A', 'b', 'é', '\uffff', '😀', 'aa')),
  c: fc.option(fc.constantFrom(-1.5, 0, 0.25, 10)),
  note: fc.option(fc.constantFrom('x', 'Y', 'z')),
})

const term = fc.record({
  by: fc.constantFrom('a', 'b', 'c', 'note', 'length', 'sum', 'nocase'),
  direction: fc.constantFrom('asc', 'desc'),
  nulls: fc.constantFrom(null, 'first', 'last'),
})

type Term = typeof term extends fc.Arbitrary<infer A> ? A : never

const ordered = (terms: ReadonlyArray<Term>) =>
  terms.reduce((query, { by, direction, nulls }) => {
    const modifiers = (order: OrderByItemBuilder) => {
      const directed = direction === 'asc' ? order.asc() : order.desc()
      const collated = by === 'nocase' ? directed.collate('nocase') : directed
      return nulls === null ? collated : nulls === 'first' ? collated.nullsFirst() : collated.nullsLast()
    }
    switch (by) {
      case 'length':
        return orderBy<typeof query>((eb) => eb.fn('length', ['b']), modifiers)(query)
      case 'sum':
        return orderBy<typeof query>((eb) => eb('a', '+', eb.ref('c')), modifiers)(query)
      case 'nocase':
        return orderBy<typeof query>('b', modifiers)(query)
      default:
        return orderBy<typeof query>(by as 'a' | 'b' | 'c' | 'note', modifiers)(query)
    }
  }, select(model.Thing))

describe('a query over several shards', () => {
  test.prop([
    fc.array(row, { maxLength: 40 }),
    fc.array(term, { minLength: 1, maxLength: 3 }),
    fc.option(fc.nat(12)),
    fc.option(fc.nat(12)),
    fc.integer({ min: 1, max: 15 }),
  ])('gives the rows of one table, in its order, at once as in portions', (rows, terms, most, skipped, chunk) => {
    const { plain, sharded } = open()
    const things = rows.map((given, id) => ({ ...given, id }))
    const insert = pipe(
      Session.addAll(model.Thing, things),
      Session.chainFirst(() => Session.commit),
    )
    rightOf(Session.runSync(plain)(insert))
    rightOf(Session.runSync(sharded)(insert))
    // the id ends what the terms leave open
    const whole = orderBy<ReturnType<typeof ordered>>('id')(ordered(terms))
    const query = pipe(
      whole,
      (q) => (most === null ? q : limit(most)(q)),
      (q) => (skipped === null ? q : offset(skipped)(q)),
    )
    const expected = rightOf(Session.runSync(plain)(Session.query(query)))
    const [found, state] = Session.runStateSync(sharded)(Session.query(query))
    expect(rightOf(found)).toEqual(expected)
    // rows outside of the window are not in the session either
    expect(Session.inspectAll(state)).toHaveLength(expected.length)
    const chunks = [...Session.streamChunksSync(sharded, { chunk })(query)].map(rightOf)
    expect(chunks.flat()).toEqual(expected)
    expect(chunks.slice(0, -1).every(({ length }) => length === chunk)).toBe(true)
    const folded = pipe(
      query,
      Session.foldChunks([] as typeof expected, (all, some) => Session.of([...all, ...some]), { chunk }),
    )
    expect(rightOf(Session.runSync(sharded)(folded))).toEqual(expected)
  })

  test.prop([
    fc.array(row, { maxLength: 40 }),
    fc.option(fc.nat(12)),
    fc.option(fc.nat(12)),
    fc.integer({ min: 1, max: 15 }),
  ])('or those of one shard after the other, where it is not ordered', (rows, most, skipped, chunk) => {
    const { sharded } = open()
    const insert = pipe(
      Session.addAll(
        model.Thing,
        rows.map((given, id) => ({ ...given, id })),
      ),
      Session.chainFirst(() => Session.commit),
    )
    rightOf(Session.runSync(sharded)(insert))
    const query = pipe(
      select(model.Thing),
      (q) => (most === null ? q : limit(most)(q)),
      (q) => (skipped === null ? q : offset(skipped)(q)),
    )
    const expected = rightOf(Session.runSync(sharded)(Session.query(query)))
    const chunks = [...Session.streamChunksSync(sharded, { chunk })(query)].map(rightOf)
    expect(chunks.flat()).toEqual(expected)
    expect(chunks.slice(0, -1).every(({ length }) => length === chunk)).toBe(true)
    const folded = pipe(
      query,
      Session.foldChunks([] as typeof expected, (all, some) => Session.of([...all, ...some]), { chunk }),
    )
    expect(rightOf(Session.runSync(sharded)(folded))).toEqual(expected)
  })
})
