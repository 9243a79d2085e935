/**
 * Whatever the statement, however the session learns of it, and whatever it knew before: what it knows after it is what
 * the database has.
 */
import { fc, test } from '@fast-check/vitest'
import {
  defineModel,
  deleteFrom,
  entity,
  insertInto,
  integer,
  nullable,
  primaryKey,
  returningEntities,
  select,
  set,
  text,
  update,
  values as valuesOf,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import { expect, it } from 'vitest'
import { openOn } from '../app.js'
import { openOnServer, servers } from '../server-app.js'

const Thing = entity('Thing', 'things', {
  id: pipe(integer, primaryKey),
  name: pipe(text, nullable),
  qty: pipe(integer, nullable),
})
const model = defineModel({ Thing })(() => ({}))

// operators and values are random, so the types cannot follow
// biome-ignore lint/suspicious/noExplicitAny: see above
type Eb = ExpressionBuilder<any, any>
type Condition = (eb: Eb) => Expression<SqlBool>

const values: Readonly<Record<string, ReadonlyArray<unknown>>> = {
  id: [0, 1, 2, 3],
  name: ['a', 'b', 'c'],
  qty: [0, 1, 2],
}
const pick = fc.nat({ max: 11 })
const attribute = fc.constantFrom('id', 'name', 'qty')
const valueFor = (name: string, n: number): unknown => {
  const domain = values[name] as ReadonlyArray<unknown>
  return domain[n % domain.length]
}

const atom: fc.Arbitrary<Condition> = fc.oneof(
  fc.tuple(attribute, fc.constantFrom('=', '!=', '<', '>=', 'is not'), pick).map(
    ([name, op, n]): Condition =>
      (eb) =>
        op === 'is not' ? eb(name, op, null) : eb(name, op as '=', valueFor(name, n)),
  ),
  fc.tuple(attribute, pick, pick).map(
    ([name, n, m]): Condition =>
      (eb) =>
        eb(name, 'in', [valueFor(name, n), valueFor(name, m)]),
  ),
  fc.tuple(fc.constantFrom('id', 'qty'), pick, pick).map(
    ([name, n, m]): Condition =>
      (eb) =>
        eb.between(name, valueFor(name, n), valueFor(name, m)),
  ),
  fc.tuple(pick, pick).map(
    ([n, m]): Condition =>
      (eb) =>
        eb(eb.refTuple('id', 'qty'), 'in', [eb.tuple(valueFor('id', n), valueFor('qty', m)) as never]),
  ),
  fc.constantFrom<Condition>(
    (eb) => eb(eb.fn.coalesce('qty', 'id'), '=', 2),
    (eb) => eb(eb.fn('upper', ['name']), '=', 'A'),
    (eb) => eb(eb.case().when('qty', '>', 0).then(eb.ref('id')).else(eb.ref('qty')).end(), '=', 1),
    (eb) => eb(eb.fn('nullif', ['id', 'qty']), 'is', null),
    (eb) => eb('name', 'like', 'a%'),
  ),
)
const condition: fc.Arbitrary<Condition> = fc.oneof(
  atom,
  fc.tuple(atom, atom, fc.boolean()).map(
    ([a, b, isAnd]): Condition =>
      (eb) =>
        eb[isAnd ? 'and' : 'or']([a(eb), b(eb)]),
  ),
  atom.map(
    (a): Condition =>
      (eb) =>
        eb.not(a(eb)) as never,
  ),
)

type Change = (eb: Eb) => Readonly<Record<string, unknown>>

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constantFrom('a', 'b', null).map((name) => () => ({ name })),
  fc.constantFrom(0, 2, null).map((qty) => () => ({ qty, name: 'z' })),
  fc.constantFrom<Change>(
    (eb) => ({ qty: eb('qty', '+', 1) }),
    (eb) => ({ qty: eb.ref('id'), name: eb.fn('upper', ['name']) }),
    (eb) => ({
      qty: eb
        .case()
        .when('qty', 'is', null)
        .then(eb.ref('id'))
        .else(eb('qty', '*', 2))
        .end(),
    }),
    (eb) => ({ qty: eb.fn.coalesce('qty', eb.val(7)), name: eb.case().when('id', '=', 1).then('one').end() }),
    (eb) => ({ qty: eb.fn('length', ['name']), name: eb.fn('replace', ['name', eb.val('a'), eb.val('b')]) }),
    (eb) => ({ id: eb('id', '+', 10) }),
    (eb) => ({ id: eb.fn('abs', [eb('id', '-', 100)]), qty: eb.ref('id') }),
  ),
)

/** What the session knows of an instance before: all, nothing, all but an attribute, or a change to be flushed. */
const knowledge = fc.oneof(
  fc.constantFrom<'all' | 'nothing' | 'not name' | 'not qty'>('all', 'nothing', 'not name', 'not qty'),
  fc.record({ isExpired: fc.boolean(), name: fc.constantFrom('a', 'b', 'c') }),
)

type Knowledge = typeof knowledge extends fc.Arbitrary<infer K> ? K : never

const prepare = (thing: unknown, what: Knowledge): Session.Program<unknown, unknown> => {
  const one = thing as never
  if (what === 'all') return Session.of(undefined)
  if (what === 'nothing') return Session.expire(model.Thing)(one)
  if (what === 'not name') return Session.expire(model.Thing, 'name')(one)
  if (what === 'not qty') return Session.expire(model.Thing, 'qty')(one)
  const { isExpired, name } = what
  const before = isExpired ? Session.expire(model.Thing)(one) : Session.of(undefined)
  return Session.chain(() => Session.set(model.Thing, { name })(one))(before)
}

const synchronize = fc.constantFrom<Session.Synchronize>('auto', 'evaluate', 'fetch')
const row = fc.record({ name: fc.constantFrom('a', 'b', 'c', null), qty: fc.constantFrom(0, 1, 2, null) })

test.prop(
  [
    fc.array(fc.tuple(row, knowledge), { minLength: 1, maxLength: 4 }),
    condition,
    fc.option(change, { nil: null }),
    synchronize,
  ],
  { numRuns: 400 },
)('what the session knows after a bulk statement is what the database has', (given, conditionOf, changes, how) => {
  const app = openOn(model)
  app.run(
    Session.addAll(
      model.Thing,
      given.map(([thing], id) => ({ id, ...thing })),
    ),
  )
  app.run(Session.commit)
  const things = app.run(Session.query(select(model.Thing)))
  things.forEach((thing, i) => {
    app.run(prepare(thing, given[i]?.[1] ?? 'all'))
  })
  const statement =
    changes === null
      ? pipe(deleteFrom(model.Thing), where(conditionOf as never))
      : pipe(update(model.Thing), set(changes as never), where(conditionOf as never))
  const result = app.store.runSync(Session.execute({ synchronize: how })(statement))
  if (result._tag === 'Left') {
    expect(result.left).toMatchObject({ _tag: 'NotEvaluable' })
    expect(how).toBe('evaluate')
    return
  }
  const rows = new Map((app.rows('things') as ReadonlyArray<{ readonly id: number }>).map((one) => [one.id, one]))
  const seen = Session.inspectAll(app.store.getState())
  for (const { attributes, identity, status, changed } of seen) {
    expect(changed).toEqual([])
    if (status !== 'persistent' || Object.keys(attributes).length === 0) continue
    expect(rows.get(identity?.key as number)).toMatchObject(attributes)
  }
  // by keys nothing is missed: every instance is where its row is, or gone with it
  if (how !== 'evaluate') {
    const alive = things.filter((thing) => Session.inspect(app.store.getState(), thing)?.status === 'persistent')
    const isExact = how === 'fetch' || changes !== null
    if (isExact) expect(alive).toHaveLength(rows.size)
    const again = alive.map((thing) => app.store.runSync(Session.read(model.Thing)(thing)))
    if (isExact) expect(again.map((read) => read._tag)).toEqual(alive.map(() => 'Right'))
  }
})

for (const { host, isMissing, title } of servers) {
  it.skipIf(isMissing)(
    `and so on ${title}`,
    async () => {
      const app = await openOnServer(host, model)
      const arbitrary = fc.tuple(
        fc.array(fc.tuple(row, knowledge), { minLength: 1, maxLength: 4 }),
        condition,
        fc.option(change, { nil: null }),
        synchronize,
      )
      for (const [given, conditionOf, changes, how] of fc.sample(arbitrary, { numRuns: 150, seed: 11 })) {
        await app.run(Session.expungeAll)
        await app.run(Session.sql(sql`delete from things`))
        const made = given.map(([thing], id) => ({ id, ...thing }))
        const things = await app.run(
          pipe(insertInto(model.Thing), valuesOf(made), returningEntities, Session.execute()),
        )
        await app.run(Session.commit)
        await app.run(Session.query(select(model.Thing)))
        for (const [i, thing] of things.entries()) await app.run(prepare(thing, given[i]?.[1] ?? 'all'))
        const statement =
          changes === null
            ? pipe(deleteFrom(model.Thing), where(conditionOf as never))
            : pipe(update(model.Thing), set(changes as never), where(conditionOf as never))
        const result = await app.store.run(Session.execute({ synchronize: how })(statement))()
        if (result._tag === 'Left') {
          expect(result.left).toMatchObject({ _tag: 'NotEvaluable' })
          continue
        }
        const stored = await app.run(Session.sql<{ readonly id: number }>(sql`select * from things`))
        const rows = new Map(stored.map((one) => [one.id, one]))
        for (const { attributes, identity, status } of Session.inspectAll(app.store.getState())) {
          if (status !== 'persistent' || Object.keys(attributes).length === 0) continue
          expect(rows.get(identity?.key as number)).toMatchObject(attributes)
        }
        await app.run(Session.commit)
      }
    },
    60_000,
  )
}
