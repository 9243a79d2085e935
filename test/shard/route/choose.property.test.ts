/**
 * Routing never misses a shard: for random data and conditions, the routed answer is that of one database that has
 * everything. And it is tight: conditions on what decides the shard touch only shards that can have rows.
 */
import { fc, test } from '@fast-check/vitest'
import { createAllSync, select, where } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import type { Expression, SqlBool } from 'kysely'
import { describe, expect } from 'vitest'
import { continents, model, openWorld, rightOf, type World } from '../weather.js'

const names = Object.keys(continents) as ReadonlyArray<keyof typeof continents>

type Condition =
  | { readonly _tag: 'Continent'; readonly operator: '=' | '!='; readonly value: string }
  | { readonly _tag: 'In'; readonly operator: 'in' | 'not in'; readonly values: ReadonlyArray<string> }
  | { readonly _tag: 'Id'; readonly operator: '=' | '<' | '>='; readonly value: number }
  | { readonly _tag: 'And' | 'Or'; readonly parts: ReadonlyArray<Condition> }
  | { readonly _tag: 'Not'; readonly part: Condition }

const name = fc.constantFrom(...names)

const onContinent: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({
    _tag: fc.constant('Continent' as const),
    operator: fc.constantFrom('=' as const, '!=' as const),
    value: name,
  }),
  fc.record({
    _tag: fc.constant('In' as const),
    operator: fc.constantFrom('in' as const, 'not in' as const),
    values: fc.array(name, { minLength: 1, maxLength: 3 }),
  }),
)

const onId: fc.Arbitrary<Condition> = fc.record({
  _tag: fc.constant('Id' as const),
  operator: fc.constantFrom('=' as const, '<' as const, '>=' as const),
  value: fc.nat(20),
})

const tree = (leaf: fc.Arbitrary<Condition>): fc.Arbitrary<Condition> =>
  fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.record({
        _tag: fc.constantFrom('And' as const, 'Or' as const),
        parts: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ _tag: fc.constant('Not' as const), part: tie('condition') }),
    ),
  })).condition

type Builder = Parameters<Extract<Parameters<typeof where<ReturnType<typeof all>>>[0], (eb: never) => unknown>>[0]

const all = () => select(model.Location)

const expressed = (eb: Builder, condition: Condition): Expression<SqlBool> => {
  switch (condition._tag) {
    case 'Continent':
      return eb('continent', condition.operator, condition.value)
    case 'In':
      return eb('continent', condition.operator, condition.values)
    case 'Id':
      return eb('id', condition.operator, condition.value)
    case 'And':
      return eb.and(condition.parts.map((part) => expressed(eb, part)))
    case 'Or':
      return eb.or(condition.parts.map((part) => expressed(eb, part)))
    case 'Not':
      return eb.not(eb.parens(expressed(eb, condition.part)))
  }
}

/** Can the condition be true of a row of a continent? */
const allows = (condition: Condition, continent: string): boolean => {
  switch (condition._tag) {
    case 'Continent':
      return (condition.value === continent) === (condition.operator === '=')
    case 'In':
      return condition.values.includes(continent) === (condition.operator === 'in')
    case 'And':
      return condition.parts.every((part) => allows(part, continent))
    case 'Or':
      return condition.parts.some((part) => allows(part, continent))
    case 'Not':
      return !allows(condition.part, continent)
    case 'Id':
      return true
  }
}

const fill = (continentsOf: ReadonlyArray<keyof typeof continents>): readonly [World, Session.Runtime] => {
  const world = openWorld()
  const plain = sqliteEngine(new Database(':memory:'))
  rightOf(createAllSync(model)(plain))
  const single = Session.runtime(model, plain)
  const cities = continentsOf.map((continent, id) => ({ id, continent, city: `city ${id}` }))
  for (const runtime of [world.runtime, single]) {
    rightOf(
      Session.runSync(runtime)(
        pipe(
          Session.addAll(model.Location, cities),
          Session.chain(() => Session.commit),
        ),
      ),
    )
  }
  world.asked()
  return [world, single]
}

const rows = fc.array(name, { maxLength: 20 })

describe('a routed query', () => {
  test.prop([rows, tree(fc.oneof(onContinent, onId))])('has the rows of all shards together', (data, condition) => {
    const [world, single] = fill(data)
    const query = pipe(
      all(),
      where((eb) => expressed(eb, condition)),
    )
    const idsOf = (runtime: Session.Runtime) =>
      rightOf(Session.runSync(runtime)(Session.query(query)))
        .map(({ id }) => id)
        .sort((a, b) => a - b)
    expect(idsOf(world.runtime)).toEqual(idsOf(single))
    world.close()
  })

  test.prop([tree(onContinent)])(
    'touches no shard that cannot have rows, where its values can be listed',
    (condition) => {
      const [world] = fill([])
      const query = pipe(
        all(),
        where((eb) => expressed(eb, condition)),
      )
      rightOf(Session.runSync(world.runtime)(Session.query(query)))
      const touched = new Set(world.asked().map((asked) => asked.slice(0, asked.indexOf(':'))))
      const possible = new Set(names.filter((continent) => allows(condition, continent)).map((n) => continents[n]))
      // a continent of no shard could be on any of them
      if (allows(condition, 'Atlantis')) expect(touched.size).toBe(4)
      else expect(touched).toEqual(possible)
      world.close()
    },
  )
})
