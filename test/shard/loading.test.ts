import { joined, orderBy, select, selectin, subquery, where, withOptions } from '@unitary/core'
import * as Session from '@unitary/session'
import { onShard } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { isSome } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { filledWorld, leftOf, model, rightOf, type World } from './weather.js'

type Run = <E, A>(program: Session.Program<E, A>) => A

const inWorld = (f: (world: World, run: Run, store: Session.Store) => void, options: Session.RuntimeOptions = {}) => {
  const world = filledWorld()
  const runtime: Session.Runtime = { ...world.runtime, options: { ...world.runtime.options, ...options } }
  const store = Session.createStore(runtime)
  try {
    f(world, (program) => rightOf(store.runSync(program)), store)
  } finally {
    store.closeSync()
    world.close()
  }
}

const locations = pipe(select(model.Location), orderBy('id'))
const fresh = withOptions({ populateExisting: true })

const cityOf = ({ city }: { readonly city: string }): string => city

/** What others write, in the same transactions. */
const renamed = Session.sql(sql`update weather_locations set city = upper(city)`)
const warmer = Session.sql(sql`update weather_reports set temperature = temperature + 1`)
const reported = Session.sql(sql`insert into weather_reports (location_id, temperature) values (1, 90)`, {
  shard: 'asia',
})

describe('populateExisting over shards', () => {
  test('of a query overwrites what is known, and changes that no flush has written', () => {
    inWorld(
      (_, run, store) => {
        const [tokyo, york] = run(Session.query(locations))
        if (tokyo === undefined || york === undefined) throw new Error('no cities')
        run(Session.set(model.Location, { city: 'mine' })(york))
        run(renamed)
        expect(run(Session.query(locations)).map(cityOf).slice(0, 3)).toEqual(['Tokyo', 'mine', 'Toronto'])
        expect(
          run(Session.query(fresh(locations)))
            .map(cityOf)
            .slice(0, 3),
        ).toEqual(['TOKYO', 'NEW YORK', 'TORONTO'])
        expect(store.getState().changed.size).toBe(0)
        expect(run(Session.read(model.Location)(tokyo)).city).toBe('TOKYO')
      },
      { autoflush: false },
    )
  })

  test('of a query pinned to a shard leaves the others', () => {
    inWorld((_, run) => {
      run(Session.query(locations))
      run(renamed)
      run(Session.query(pipe(locations, fresh, onShard('asia'))))
      expect(run(Session.query(locations)).map(cityOf).slice(0, 2)).toEqual(['TOKYO', 'New York'])
    })
  })

  test('of a get asks the shard of the instance, whoever is named', () => {
    inWorld((world, run) => {
      run(Session.query(locations))
      run(renamed)
      world.asked()
      expect(run(Session.get(model.Location, 1))).toMatchObject({ value: { city: 'Tokyo' } })
      expect(world.asked()).toEqual([])
      expect(run(Session.get(model.Location, 1, { populateExisting: true }))).toMatchObject({
        value: { city: 'TOKYO' },
      })
      expect(world.asked()).toEqual(['asia: select weather_locations'])
    })
  })

  test.each([
    ['selectin', selectin],
    ['joined', joined],
    ['subquery', subquery],
  ] as const)('overwrites what is loaded beside: %s', (_, by) => {
    for (const on of [onShard('asia'), where('id', '=', 1), where('id', '>', 0)] as const) {
      inWorld((_world, run) => {
        const query = pipe(locations, on as typeof fresh, by('reports'))
        const [tokyo] = run(Session.query(query))
        if (tokyo === undefined) throw new Error('no Tokyo')
        run(warmer)
        run(reported)
        const temperatures = (found: typeof tokyo) => found.reports.map(({ temperature }) => temperature)
        expect(run(Session.query(query)).slice(0, 1).map(temperatures)).toEqual([[80]])
        expect(
          run(Session.query(fresh(query)))
            .slice(0, 1)
            .map(temperatures),
        ).toEqual([[81, 90]])
        expect(run(Session.related(model.Location, 'reports')(tokyo))).toHaveLength(2)
      })
    }
  })
})

describe('what has expired over shards', () => {
  test('is known again by a query that finds it, without another statement', () => {
    const told: string[] = []
    const hooks = Session.defineHooks(model)({
      Location: {
        load: ({ instance, isRefresh, shard }) => {
          told.push(`${isRefresh ? 'refreshed' : 'loaded'} ${instance.city} ${shard}`)
          return Session.keep()
        },
      },
    })
    inWorld(
      (world, run) => {
        const inEurope = pipe(locations, where('continent', '=', 'Europe'))
        const [london, dublin] = run(Session.query(inEurope))
        if (london === undefined || dublin === undefined) throw new Error('no cities')
        run(Session.expire(model.Location)(london))
        run(renamed)
        world.asked()
        told.length = 0
        expect(run(Session.query(inEurope)).map(cityOf)).toEqual(['LONDON', 'Dublin'])
        expect(world.asked()).toEqual(['europe: select weather_locations'])
        expect(told).toEqual(['refreshed LONDON europe'])
        run(Session.query(pipe(locations, where('id', 'in', [1, 4]))))
        expect(told.slice(1)).toEqual(['loaded TOKYO asia'])
      },
      { hooks },
    )
  })

  test('is known again where it lives: by a read, a refresh, a load of what refers to it', () => {
    inWorld((world, run) => {
      const reports = run(Session.query(pipe(select(model.Report), orderBy('temperature'), joined('location'))))
      const locationsOf = reports.flatMap(({ location }) => (isSome(location) ? [location.value] : []))
      const tokyo = locationsOf.find(({ city }) => city === 'Tokyo')
      const report = reports.find(({ temperature }) => temperature === 80)
      if (tokyo === undefined || report === undefined) throw new Error('no Tokyo')
      run(Session.expireAll)
      world.asked()
      expect(run(Session.read(model.Location)(tokyo)).city).toBe('Tokyo')
      expect(run(Session.refresh(model.Location, 'reports')(tokyo)).city).toBe('Tokyo')
      expect(new Set(world.asked().map((call) => call.split(':')[0]))).toEqual(new Set(['asia']))
      run(Session.expireAll)
      expect(isSome(run(Session.load(model.Report, 'location')(report)))).toBe(true)
      expect(new Set(world.asked().map((call) => call.split(':')[0]))).toEqual(new Set(['asia']))
    })
  })
})

describe('load hooks over shards', () => {
  test('are told the shard of each row, of what is loaded beside and later too', () => {
    const told: Array<string | null> = []
    const hooks = Session.defineHooks(model)({
      Location: {
        load: ({ shard }) => {
          told.push(shard)
          return Session.keep()
        },
      },
      Report: {
        load: ({ instance, shard }) => {
          told.push(`${instance.temperature} ${shard}`)
          return Session.keep()
        },
      },
    })
    inWorld(
      (_, run) => {
        const [tokyo] = run(Session.query(pipe(locations, selectin('reports'), where('id', 'in', [1, 4]))))
        expect(told.splice(0)).toEqual(['asia', 'europe', '80 asia', '65 europe'])
        const [brasilia] = run(Session.query(pipe(locations, where('id', '=', 6))))
        if (tokyo === undefined || brasilia === undefined) throw new Error('no cities')
        run(Session.load(model.Location, 'reports')(brasilia))
        expect(told.splice(0)).toEqual(['south_america', '85 south_america'])
        run(Session.refresh(model.Location)(tokyo))
        expect(told).toEqual(['asia'])
      },
      { hooks },
    )
  })
})

describe('options of a query over shards', () => {
  const unreadable = Session.sql(sql`update weather_reports set temperature = 'hot'`)

  test('flow to later loads of what it gave, but for its shard: that is the owner’s own', () => {
    inWorld((world, run, store) => {
      const [tokyo, york] = run(Session.query(locations))
      if (tokyo === undefined || york === undefined) throw new Error('no cities')
      run(unreadable)
      const load = Session.load(model.Location, 'reports')
      expect(leftOf(store.runSync(load(tokyo)))).toMatchObject({ _tag: 'DecodeError', shard: 'asia' })
      run(Session.query(pipe(locations, withOptions({ strict: false }))))
      world.asked()
      expect(run(load(tokyo))).toMatchObject([{ temperature: 'hot' }])
      expect(run(load(york))).toMatchObject([{ temperature: 'hot' }])
      expect(world.asked()).toEqual(['asia: select weather_reports', 'north_america: select weather_reports'])
    })
  })

  test('of what is loaded beside flow on, too', () => {
    inWorld((_, run) => {
      const reports = pipe(select(model.Report), where('temperature', '=', 80), withOptions({ strict: false }))
      const [report] = run(Session.query(pipe(reports, selectin('location'))))
      const location = report?.location
      if (location === undefined || location._tag === 'None') throw new Error('no location')
      run(unreadable)
      run(Session.expireAll)
      run(Session.read(model.Location)(location.value))
      expect(run(Session.load(model.Location, 'reports')(location.value))).toMatchObject([{ temperature: 'hot' }])
    })
  })

  test('of a session or program hold for its loads, and name the shard of a query', () => {
    inWorld(
      (world, run) => {
        expect(run(Session.query(locations))).toHaveLength(1)
        expect(world.asked()).toEqual(['asia: select weather_locations'])
        const inEurope = Session.withOptions({ shard: 'europe' })
        expect(run(inEurope(Session.query(locations)))).toHaveLength(2)
        expect(world.asked()).toEqual(['europe: select weather_locations'])
        const [, dublin] = run(inEurope(Session.query(locations)))
        if (dublin === undefined) throw new Error('no Dublin')
        world.asked()
        expect(run(Session.load(model.Location, 'reports')(dublin))).toHaveLength(1)
        expect(world.asked()).toEqual(['europe: select weather_reports'])
        expect(run(Session.get(model.Location, 6))).toMatchObject({ _tag: 'None' })
      },
      { executionOptions: { shard: 'asia' } },
    )
  })
})
