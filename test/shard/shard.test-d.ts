import { type Engine, select, update } from '@unitary/core'
import * as Session from '@unitary/session'
import {
  type Atomic,
  atomic,
  bestEffort,
  byAttribute,
  type Choosers,
  choosers,
  custom,
  onlyOn,
  onShard,
  type ShardedRuntime,
  type ShardMap,
  shardedRuntime,
  shardMap,
  singleShard,
  withParent,
} from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expectTypeOf, it } from 'vitest'
import { byContinent, continents, model, type Shard } from './weather.js'

declare const engine: Engine
declare const shards: ShardMap<Shard>

describe('shard maps', () => {
  it('know their tokens', () => {
    expectTypeOf(shardMap({ asia: engine, europe: engine })).toEqualTypeOf<ShardMap<'asia' | 'europe'>>()
    expectTypeOf(shardedRuntime(model, { shards, choosers: byContinent })).toEqualTypeOf<
      ShardedRuntime<Shard, 'best-effort'>
    >()
  })

  it('tell what their commits promise', () => {
    const given = { shards, choosers: byContinent }
    expectTypeOf(shardedRuntime(model, { ...given, commit: singleShard }).atomicity).toEqualTypeOf<'single-shard'>()
    expectTypeOf(shardedRuntime(model, { ...given, commit: bestEffort }).atomicity).toEqualTypeOf<'best-effort'>()
    const whole = shardedRuntime(model, { ...given, commit: atomic({ application: 'weather' }) })
    expectTypeOf(whole).toEqualTypeOf<ShardedRuntime<Shard, 'atomic'>>()

    const needsAll = (_: ShardedRuntime<string, 'atomic'>): void => {}
    needsAll(whole)
    // @ts-expect-error it commits one shard after another
    needsAll(shardedRuntime(model, given))
    // @ts-expect-error nor does it help to say otherwise
    shardedRuntime<Shard, Atomic>(model, given)
  })

  it('have no misspelt token', () => {
    shardedRuntime(model, {
      shards,
      // @ts-expect-error there is no shard 'azia'
      choosers: choosers(model)({ Location: onlyOn('azia'), Report: withParent('location') }),
    })
    pipe(select(model.Location), onShard(shards, 'asia'), Session.query)
    // @ts-expect-error there is no shard 'azia'
    pipe(select(model.Location), onShard(shards, 'azia'), Session.query)
    pipe(update(model.Location), onShard('asia'))
  })
})

describe('choosers', () => {
  it('name the shards of all strategies', () => {
    expectTypeOf(byContinent).toEqualTypeOf<Choosers<Shard>>()
    expectTypeOf(
      choosers(model)({ Location: onlyOn('asia'), Report: withParent('location', onlyOn('europe')) }),
    ).toEqualTypeOf<Choosers<'asia' | 'europe'>>()
  })

  it('have a strategy for every entity of the model, and for no other', () => {
    // @ts-expect-error Report has none
    choosers(model)({ Location: byAttribute('continent', continents) })
    // @ts-expect-error there is no entity Reprot
    choosers(model)({ Location: onlyOn('asia'), Report: onlyOn('asia'), Reprot: onlyOn('asia') })
  })

  it('take attributes of the entity', () => {
    // @ts-expect-error Location has no attribute 'contient'
    choosers(model)({ Location: byAttribute('contient', continents), Report: withParent('location') })
    choosers(model)({
      Location: byAttribute('id', (id: number) => (id < 10 ? 'asia' : 'europe')),
      Report: withParent('location'),
    })
    choosers(model)({
      // @ts-expect-error an id is a number
      Location: byAttribute('id', (id: string) => (id === '' ? 'asia' : 'europe')),
      Report: withParent('location'),
    })
  })

  it('take relationships to one, by which the entity has a foreign key', () => {
    // @ts-expect-error Report has no relationship 'loction'
    choosers(model)({ Location: onlyOn('asia'), Report: withParent('loction') })
    // @ts-expect-error reports are many
    choosers(model)({ Location: withParent('reports'), Report: onlyOn('asia') })
  })

  it('show a custom strategy the attributes and parents of the entity', () => {
    choosers(model)({
      Location: custom({
        shardOf: ({ values }) => {
          expectTypeOf(values.continent).toEqualTypeOf<string | undefined>()
          expectTypeOf(values.id).toEqualTypeOf<number | undefined>()
          return values.continent === 'Asia' ? 'asia' : 'europe'
        },
        shardsOfKey: ({ id }) => (id === 1 ? ['asia'] : null),
      }),
      Report: custom({
        shardOf: (report) => {
          const location = report.related('location')
          expectTypeOf(location?.values.city).toEqualTypeOf<string | undefined>()
          // @ts-expect-error there is no such relationship
          report.related('loction')
          return location?.values.continent === 'Asia' ? 'asia' : 'europe'
        },
      }),
    })
  })
})
