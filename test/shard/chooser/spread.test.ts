import { fc, test as property } from '@fast-check/vitest'
import {
  analyse,
  defineModel,
  entity,
  type Filterable,
  instant,
  integer,
  nullable,
  primaryKey,
  select,
  text,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import {
  byDirectory,
  byHash,
  byParts,
  byRange,
  byRendezvous,
  type Choosers,
  canonicalText,
  choosers,
  directory,
  hash,
  onlyOn,
  readDirectory,
} from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { openOn } from '../../session/app.js'

const Customer = entity('Customer', 'customers', {
  id: pipe(integer, primaryKey),
  region: text,
  tier: pipe(integer, nullable),
  since: instant,
})
const Place = entity('Place', 'places', { id: pipe(integer, primaryKey), shard: text })
const model = defineModel({ Customer, Place })(() => ({}))
const state = Session.empty(model)

type Of = Parameters<ReturnType<typeof choosers<typeof model>>>[0]['Customer']

const rules = <S extends Of>(Customer: S): Choosers => choosers(model)({ Customer, Place: onlyOn('a') }) as Choosers

const ofKey = (by: Choosers, key: Readonly<Record<string, unknown>>) =>
  by.shardsOfKey('Customer', key, { operation: 'get', loading: null, options: {}, state })

const of = (by: Choosers, statement: Filterable) =>
  by.shardsOf(analyse(statement), { operation: 'query', entity: 'Customer', statement, options: {}, state })

const customers = select(model.Customer)

describe('the hash', () => {
  it('is MurmurHash3 of 32 bits', () => {
    expect(hash('')).toBe(0)
    expect(hash('', 1)).toBe(0x514e28b7)
    expect(hash('hello')).toBe(0x248bfa47)
    expect(hash('hello, world')).toBe(0x149bbb7f)
    expect(hash('The quick brown fox jumps over the lazy dog')).toBe(0x2e4ff723)
    expect(hash('aaaa', 0x9747b28c)).toBe(0x5a97808a)
  })

  it('takes values for the same that databases take for the same', () => {
    expect(canonicalText(7)).toBe(canonicalText(7n))
    expect(canonicalText(-0)).toBe('n0')
    expect(canonicalText(1e21)).toBe('n1000000000000000000000')
    expect(canonicalText('7')).toBe('s7')
    expect(canonicalText(true)).toBe('btrue')
    expect(canonicalText(new Date(5))).toBe('d5')
    expect(canonicalText(new Uint8Array([1, 255]))).toBe('x01ff')
    expect(canonicalText(null)).toBe(null)
  })
})

describe('by hash', () => {
  const shards = ['a', 'b', 'c'] as const

  it('spreads keys evenly, and always to the same shards', () => {
    const by = rules(byHash('id', shards))
    const counts = { a: 0, b: 0, c: 0 } as Record<string, number>
    for (let id = 0; id < 30_000; id++) {
      const [token] = ofKey(by, { id }) as [string]
      counts[token] = (counts[token] ?? 0) + 1
    }
    for (const count of Object.values(counts)) expect(Math.abs(count - 10_000)).toBeLessThan(400)
    // where rows are follows from these: they never change
    expect([1, 2, 3, 4, 5].map((id) => ofKey(by, { id })?.[0])).toEqual(['b', 'c', 'a', 'a', 'b'])
  })

  it('a query goes where its keys are', () => {
    const by = rules(byHash('id', shards))
    expect(of(by, pipe(customers, where('id', '=', 1)))).toEqual(ofKey(by, { id: 1 }))
    expect(of(by, pipe(customers, where('region', '=', 'eu')))).toBe(null)
  })
})

describe('by rendezvous hashing', () => {
  const shardOf = (by: Choosers, id: number): string => (ofKey(by, { id }) as [string])[0]

  property.prop([fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 6 }), fc.integer()])(
    'moves only the values of a shard that is removed',
    (shards, id) => {
      const [first, ...others] = shards as [string, string, ...string[]]
      const before = shardOf(rules(byRendezvous('id', [first, ...others])), id)
      const after = shardOf(rules(byRendezvous('id', others as [string])), id)
      if (before !== first) expect(after).toBe(before)
      else expect(others).toContain(after)
    },
  )

  property.prop([fc.shuffledSubarray(['a', 'b', 'c', 'd'], { minLength: 4 }), fc.integer()])(
    'does not depend on the order in which shards are named',
    (shards, id) => {
      expect(shardOf(rules(byRendezvous('id', shards as [string])), id)).toBe(
        shardOf(rules(byRendezvous('id', ['a', 'b', 'c', 'd'])), id),
      )
    },
  )

  it('gives a shard as many values as its weight says', () => {
    const by = rules(byRendezvous('id', { a: 1, b: 2, c: 1, d: 0 }))
    const counts: Record<string, number> = {}
    for (let id = 0; id < 40_000; id++) counts[shardOf(by, id)] = (counts[shardOf(by, id)] ?? 0) + 1
    expect(Object.keys(counts).sort()).toEqual(['a', 'b', 'c'])
    expect(Math.abs((counts.b as number) - 20_000)).toBeLessThan(600)
    expect(Math.abs((counts.a as number) - 10_000)).toBeLessThan(600)
  })

  it('puts values where it always has', () => {
    const by = rules(byRendezvous('id', ['a', 'b', 'c']))
    expect([1, 2, 3, 4, 5].map((id) => shardOf(by, id))).toMatchInlineSnapshot(`
      [
        "c",
        "c",
        "b",
        "b",
        "b",
      ]
    `)
  })
})

describe('by range', () => {
  const by = rules(
    byRange(
      'id',
      [
        { below: 2000, shard: 'b' },
        { below: 1000, shard: 'a' },
      ],
      'c',
    ),
  )

  it('a value is on the shard of the first bound that it is below', () => {
    expect([-5, 999, 1000, 1999, 2000].map((id) => ofKey(by, { id })?.[0])).toEqual(['a', 'a', 'b', 'b', 'c'])
  })

  it('a query goes to the ranges that its conditions reach into', () => {
    expect(of(by, pipe(customers, where('id', '<', 1000)))).toEqual(['a'])
    expect(of(by, pipe(customers, where('id', '<=', 1000)))).toEqual(['a', 'b'])
    expect(of(by, pipe(customers, where('id', '>', 999), where('id', '<', 1500)))).toEqual(['b'])
    expect(
      of(
        by,
        pipe(
          customers,
          where((eb) => eb.between('id', 1500, 5000)),
        ),
      ),
    ).toEqual(['b', 'c'])
    expect(
      of(
        by,
        pipe(
          customers,
          where((eb) => eb.not(eb.between('id', 1000, 1999))),
        ),
      ),
    ).toEqual(['a', 'c'])
    expect(of(by, pipe(customers, where('id', 'in', [5000, 1])))).toEqual(['c', 'a'])
    expect(of(by, pipe(customers, where('id', '!=', 5)))).toEqual(['a', 'b', 'c'])
    expect(of(by, customers)).toBe(null)
  })

  it('of timestamps', () => {
    const recent = rules(byRange('since', [{ below: new Date('2025-01-01'), shard: 'a' }], 'b'))
    expect(of(recent, pipe(customers, where('since', '>=', new Date('2025-01-01'))))).toEqual(['b'])
    expect(of(recent, pipe(customers, where('since', '<', new Date('2025-01-01'))))).toEqual(['a'])
    // a database may have it later in the same millisecond
    expect(of(recent, pipe(customers, where('since', '<=', new Date('2024-12-31T23:59:59.999Z'))))).toEqual(['a'])
  })

  it('of what may have no value, and of texts, only what is named', () => {
    const nullable = rules(byRange('tier', [{ below: 10, shard: 'a' }], 'b'))
    expect(of(nullable, pipe(customers, where('tier', '>', 10)))).toEqual(['b'])
    expect(
      of(
        nullable,
        pipe(
          customers,
          where((eb) => eb.or([eb('tier', '>', 10), eb('tier', 'is', null)])),
        ),
      ),
    ).toBe(null)
    const texts = rules(byRange('region', [{ below: 'm', shard: 'a' }], 'b'))
    expect(of(texts, pipe(customers, where('region', '=', 'eu')))).toEqual(['a'])
    expect(of(texts, pipe(customers, where('region', '<', 'c')))).toBe(null)
  })
})

describe('by directory', () => {
  it('is read from a table, and by value', () => {
    const app = openOn(model)
    app.database.exec("insert into places values (7, 'a'), (8, 'b')")
    const places = directory<number, string>()
    const by = rules(byDirectory('id', places))
    expect(ofKey(by, { id: 7 })).toBe(null)
    expect(app.run(readDirectory(places, model.Place, { value: 'id', shard: 'shard' }))).toBe(2)
    expect(ofKey(by, { id: 7 })).toEqual(['a'])
    expect(of(by, pipe(customers, where('id', 'in', [8, 7])))).toEqual(['b', 'a'])
    expect(of(by, pipe(customers, where('id', 'in', [8, 9])))).toBe(null)
    places.set(9, 'c')
    expect(ofKey(by, { id: 9 })).toEqual(['c'])
  })
})

describe('by parts', () => {
  const by = rules(
    byParts('region', {
      eu: byRange('id', [{ below: 100, shard: 'eu1' }], 'eu2'),
      us: onlyOn('us'),
    }),
  )

  it('asks the strategy of each value', () => {
    expect(of(by, pipe(customers, where('region', '=', 'eu'), where('id', '=', 5)))).toEqual(['eu1'])
    expect(of(by, pipe(customers, where('region', '=', 'eu')))).toEqual(['eu1', 'eu2'])
    expect(of(by, pipe(customers, where('region', '=', 'us'), where('id', '=', 5)))).toEqual(['us'])
    expect(of(by, pipe(customers, where('id', '=', 5)))).toEqual(['eu1', 'us'])
    expect(of(by, pipe(customers, where('region', '=', 'asia')))).toBe(null)
    expect(ofKey(by, { id: 5 })).toEqual(['eu1', 'eu2', 'us'])
  })
})
