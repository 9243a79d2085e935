import {
  type EngineCall,
  engineError,
  limit,
  orderBy,
  select,
  selectScalar,
  set,
  update,
  withOptions,
} from '@unitary/core'
import * as Session from '@unitary/session'
import type { FanOutPolicy } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest'
import { outage } from '../counting-engine.js'
import { filledWorld, leftOf, model, openWorld, rightOf, rowsIn, tokens, type World } from '../weather.js'

const locations = select(model.Location)
const byCity = pipe(locations, orderBy('city'))
const cities = (rows: ReadonlyArray<{ readonly city: string }>) => rows.map(({ city }) => city)

let world: World
const filled = (fanOut: FanOutPolicy, runtime: Session.RuntimeOptions = {}): World => {
  world = filledWorld({ runtime: { ...runtime, fanOut } })
  return world
}
afterEach(() => {
  vi.useRealTimers()
  world.close()
})

const runSync = <E, A>(program: Session.Program<E, A>) => Session.runSync(world.runtime)(program)

/** Fails so many statements of one shard. */
const failing = (shard: string, times: number, error = outage('it is away')) => {
  let left = times
  world.journal.fault = (asked, call: EngineCall) =>
    asked === shard && (call._tag === 'Query' || call._tag === 'Insert') && left-- > 0 ? error : null
}

describe('a retry policy', () => {
  const delays: Array<readonly [failures: number, random: number]> = []
  const retry: Session.RetryPolicy = {
    attempts: 3,
    delay: (failures, { random }) => {
      delays.push([failures, random()])
      return failures
    },
  }
  const services = () => ({ ...Session.systemServices(), random: () => 0.25 })

  it('asks a shard again that fails for a while, after the delays that it names', () => {
    filled({ retry }, { services })
    delays.length = 0
    failing('europe', 2)
    expect(rightOf(runSync(Session.query(byCity)))).toHaveLength(7)
    expect(delays).toEqual([
      [1, 0.25],
      [2, 0.25],
    ])
    expect(world.asked()).toEqual([
      'north_america: select weather_locations',
      'asia: select weather_locations',
      'europe: select weather_locations',
      'europe: select weather_locations',
      'europe: select weather_locations',
      'south_america: select weather_locations',
    ])
  })

  it('ends with the last failure, and asks no more often than it says', () => {
    filled({ retry }, { services })
    failing('asia', 3)
    expect(leftOf(runSync(Session.query(byCity)))).toMatchObject({ shard: 'asia', retryable: true })
    expect(world.asked().filter((asked) => asked.startsWith('asia'))).toHaveLength(3)
  })

  it('is not for what another attempt does not mend', () => {
    filled({ retry })
    failing('asia', 1, engineError({ _tag: 'SyntaxError' }, 'no'))
    expect(leftOf(runSync(Session.query(byCity)))).toMatchObject({ shard: 'asia' })
    expect(world.asked().filter((asked) => asked.startsWith('asia'))).toHaveLength(1)
  })

  it('is not for what writes, nor for what is read where something was written', () => {
    filled({ retry })
    failing('asia', 1)
    const tried = pipe(
      Session.add(model.Location, { id: 20, continent: 'Asia', city: 'Osaka' }),
      Session.chain(() => Session.flush),
    )
    expect(leftOf(runSync(tried))).toMatchObject({ shard: 'asia' })
    const written = pipe(
      Session.add(model.Location, { id: 20, continent: 'Asia', city: 'Osaka' }),
      Session.chain(() => Session.flush),
      Session.chain(() => {
        failing('asia', 1)
        return Session.query(byCity)
      }),
    )
    expect(leftOf(runSync(written))).toMatchObject({ shard: 'asia' })
    expect(rowsIn(world, 'weather_locations').asia).toHaveLength(1)
  })

  it('is for later reads only where the transaction may see other rows than before', () => {
    const twice = pipe(
      Session.query(byCity),
      Session.chain(() => {
        failing('asia', 1)
        return Session.query(pipe(byCity, limit(3)))
      }),
    )
    filled({ retry })
    expect(rightOf(runSync(twice))).toHaveLength(3)
    world.close()
    filled({ retry }, { isolationLevel: 'serializable' })
    expect(leftOf(runSync(twice))).toMatchObject({ shard: 'asia' })
    failing('asia', 1)
    expect(rightOf(runSync(Session.query(byCity)))).toHaveLength(7)
  })
})

describe('the settings of a fan-out', () => {
  it('are those of the statement, over those of the program, over those of the runtime', () => {
    const once: Session.RetryPolicy = { attempts: 1, delay: () => 0 }
    const twice: Session.RetryPolicy = { attempts: 2, delay: () => 0 }
    filled({ retry: twice })
    const fails = (program: Session.Program<unknown, unknown>): boolean => {
      failing('asia', 1)
      return runSync(program)._tag === 'Left'
    }
    expect(fails(Session.query(byCity))).toBe(false)
    expect(fails(Session.withOptions({ fanOut: { retry: once } })(Session.query(byCity)))).toBe(true)
    expect(fails(Session.query(pipe(byCity, withOptions({ fanOut: { retry: null } }))))).toBe(true)
    expect(
      fails(
        Session.withOptions({ fanOut: { retry: once } })(
          Session.query(pipe(byCity, withOptions({ fanOut: { retry: twice } }))),
        ),
      ),
    ).toBe(false)
  })

  it('that say nothing that can be done are an error that names the cure', () => {
    filled({})
    const message = (fanOut: FanOutPolicy): string => {
      const error = leftOf(runSync(Session.query(pipe(byCity, withOptions({ fanOut }))))) as Session.RoutingError
      expect(error).toMatchObject({ _tag: 'RoutingError', reason: 'FaultyPolicy', operation: 'query' })
      return error.message
    }
    expect(message({ concurrency: 0 })).toBe(
      'fanOut.concurrency is 0; give a whole number from 1, or null for all shards',
    )
    expect(message({ timeout: Number.NaN })).toMatch(/^fanOut.timeout is NaN; give milliseconds above 0/)
    expect(message({ timeout: 2 ** 31 })).toMatch(/at most 2147483647/)
    expect(message({ retry: { attempts: 0.5, delay: () => 0 } })).toMatch(/^fanOut.retry.attempts is 0.5/)
    expect(world.asked()).toEqual([])
  })

  it('hold no more shards at a time than they say', async () => {
    world = openWorld({ waits: true, runtime: { fanOut: { concurrency: 2 } } })
    let under = 0
    let most = 0
    for (const engine of world.shards.engines.values()) {
      const { connect } = engine
      ;(engine as { connect: typeof connect }).connect = async () => {
        const connected = await connect()
        if (connected._tag === 'Left') return connected
        const { call } = connected.right
        return {
          ...connected,
          right: {
            ...connected.right,
            call: async (asked: EngineCall) => {
              if (asked._tag !== 'Query') return call(asked)
              most = Math.max(most, ++under)
              const answer = await call(asked)
              under--
              return answer
            },
          } as never,
        }
      }
    }
    expect(rightOf(await Session.run(world.runtime)(Session.query(byCity))())).toEqual([])
    expect(most).toBe(2)
    await Session.run(world.runtime)(Session.query(pipe(byCity, withOptions({ fanOut: { concurrency: 1 } }))))()
    expect(under).toBe(0)
    most = 0
    const all = Session.query(pipe(byCity, withOptions({ fanOut: { concurrency: null } })))
    await Session.run(world.runtime)(all)()
    expect(most).toBe(tokens.length)
  })
})

describe('a part of the shards', () => {
  it('is a value with the faults beside it, and its type says so', () => {
    filled({})
    failing('asia', 1)
    const asked = Session.partially(Session.query(byCity))
    const found = rightOf(runSync(asked))
    expectTypeOf(found.faults).toEqualTypeOf<ReadonlyArray<Session.DatabaseError>>()
    expectTypeOf(found.value[0]?.city).toEqualTypeOf<string | undefined>()
    expect(cities(found.value)).toEqual(['Brasilia', 'Dublin', 'London', 'New York', 'Quito', 'Toronto'])
    expect(found.faults).toMatchObject([
      { _tag: 'DatabaseError', shard: 'asia', operation: 'query', entity: 'Location' },
    ])
    // and nothing is left of it
    expect(rightOf(runSync(asked))).toMatchObject({ faults: [] })
    failing('asia', 1)
    expect(leftOf(runSync(Session.query(byCity)))).toMatchObject({ shard: 'asia' })
  })

  it('may be one shard, or none', () => {
    filled({})
    failing('asia', 9)
    const tokyo = pipe(locations, orderBy('city'), withOptions({ shard: 'asia' }), Session.query, Session.partially)
    expect(rightOf(runSync(tokyo))).toMatchObject({ value: [], faults: [{ shard: 'asia' }] })
    world.journal.fault = (_, call) => (call._tag === 'Query' ? outage('all are away') : null)
    const sum = pipe(
      locations,
      selectScalar((q) => q.fn.countAll()),
      Session.rows,
      Session.partially,
    )
    const { faults, value } = rightOf(runSync(sum))
    expect(value).toEqual([0])
    expect(faults.map(({ shard }) => shard)).toEqual(tokens)
  })

  it('is not taken for a statement that is refused, nor where something was written', () => {
    filled({})
    failing('asia', 1, engineError({ _tag: 'UnknownTable', table: 'x' }, 'no such table'))
    expect(leftOf(runSync(Session.partially(Session.query(byCity))))).toMatchObject({ shard: 'asia' })
    const written = pipe(
      Session.add(model.Location, { id: 20, continent: 'Asia', city: 'Osaka' }),
      Session.chain(() => Session.flush),
      Session.chain(() => {
        failing('asia', 1)
        return Session.partially(Session.query(byCity))
      }),
    )
    expect(leftOf(runSync(written))).toMatchObject({ shard: 'asia' })
  })

  it('is not taken for what is missing where rows are looked for by key', () => {
    filled({})
    failing('asia', 1)
    expect(leftOf(runSync(Session.partially(Session.get(model.Location, 1))))).toMatchObject({ shard: 'asia' })
  })

  it('is told to each of the programs that take it', () => {
    filled({})
    const query = Session.query(byCity)
    const program = pipe(
      Session.partially(
        Session.suspend(() => {
          failing('asia', 1)
          return query
        }),
      ),
      Session.chain((inner) =>
        Session.map((outer: ReadonlyArray<unknown>) => [inner.faults.length, outer.length])(
          Session.suspend(() => {
            failing('europe', 1)
            return query
          }),
        ),
      ),
      Session.partially,
    )
    const { faults, value } = rightOf(runSync(program))
    expect(value).toEqual([1, 5])
    expect(faults.map(({ shard }) => shard)).toEqual(['asia', 'europe'])
  })

  it('ends with a program that fails', () => {
    filled({})
    const program = pipe(
      Session.partially(Session.fail('for its own reasons')),
      Session.catchError(() => {
        failing('asia', 1)
        return Session.query(byCity)
      }),
    )
    expect(leftOf(runSync(program))).toMatchObject({ shard: 'asia' })
  })

  it('of one database is all of it', () => {
    world = filledWorld()
    const [engine] = [...world.shards.engines.values()]
    if (engine === undefined) return
    const one = Session.runtime(model, engine)
    const found = rightOf(Session.runSync(one)(Session.partially(Session.query(byCity))))
    expect([cities(found.value), found.faults]).toEqual([['New York', 'Toronto'], []])
  })
})

describe('what reads after a shard was left out', () => {
  it('asks it again, in a transaction of its own', () => {
    filled({})
    failing('asia', 1)
    const program = pipe(
      Session.partially(Session.query(byCity)),
      Session.chain(() => Session.query(byCity)),
      Session.chainFirst(() =>
        pipe(update(model.Location), set({ city: 'Edo' }), withOptions({ shard: 'asia' }), Session.execute()),
      ),
      Session.chainFirst(() => Session.commit),
    )
    expect(rightOf(runSync(program))).toHaveLength(7)
    expect(rowsIn(world, 'weather_locations').asia).toMatchObject([{ city: 'Edo' }])
  })
})
