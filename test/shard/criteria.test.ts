import {
  criteria,
  deleteFrom,
  joined,
  orderBy,
  select,
  selectin,
  set,
  update,
  withOptions,
  withoutCriteria,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { isLeft } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { isNone, isSome } from 'fp-ts/lib/Option.js'
import { describe, expect, test } from 'vitest'
import { filledWorld, model, rightOf, rowsIn, type World } from './weather.js'

declare module '@unitary/core' {
  interface ExecutionOptions {
    readonly tenant?: string
  }
}

/** Tenants are continents, and what is not measured is hidden. */
const rules = criteria(model)({
  Location: { tenant: (eb, { tenant }) => (tenant === undefined ? null : eb('continent', '=', tenant)) },
  Report: { measured: (eb) => eb('temperature', 'is not', null) },
})

const inWorld = (
  executionOptions: Session.SessionOptions['executionOptions'],
  f: (world: World, run: <E, A>(program: Session.Program<E, A>) => A) => void,
) => {
  const world = filledWorld({ runtime: { criteria: rules, executionOptions } })
  const store = Session.createStore(world.runtime)
  try {
    f(world, (program) => rightOf(store.runSync(program)))
  } finally {
    store.closeSync()
    world.close()
  }
}

const locations = pipe(select(model.Location), orderBy('id'))

describe('criteria of a sharded session', () => {
  test('say where queries go', () => {
    inWorld({ tenant: 'Europe' }, (world, run) => {
      expect(run(Session.query(locations)).map(({ city }) => city)).toEqual(['London', 'Dublin'])
      expect(world.asked()).toEqual(['europe: select weather_locations'])
      expect(run(Session.query(pipe(locations, withOptions({ tenant: 'Asia' })))).map(({ city }) => city)).toEqual([
        'Tokyo',
      ])
      expect(world.asked()).toEqual(['asia: select weather_locations'])
      expect(run(Session.query(pipe(locations, withoutCriteria(rules))))).toHaveLength(7)
      expect(world.asked()).toHaveLength(4)
    })
  })

  test('say where a get by key goes, and hide what is elsewhere', () => {
    inWorld({ tenant: 'Europe' }, (world, run) => {
      expect(isSome(run(Session.get(model.Location, 4)))).toBe(true)
      expect(isNone(run(Session.get(model.Location, 1)))).toBe(true)
      expect(world.asked()).toEqual(['europe: select weather_locations', 'europe: select weather_locations'])
      expect(isSome(run(pipe(Session.get(model.Location, 1), Session.withoutCriteria(rules))))).toBe(true)
      expect(world.asked()).toHaveLength(4)
    })
  })

  test('hold for loads on every shard, whatever their strategy', () => {
    for (const by of [selectin, joined]) {
      inWorld({}, (world, run) => {
        const found = run(Session.query(pipe(locations, by('reports'))))
        expect(found.map(({ reports }) => reports.length)).toEqual([1, 1, 1, 1, 0, 1, 1])
        const [dublin] = found.filter(({ city }) => city === 'Dublin')
        if (dublin === undefined) throw new Error('no Dublin')
        world.asked()
        expect(run(Session.load(model.Location, 'reports')(dublin))).toEqual([])
        expect(world.asked()).toEqual([])
        const all = pipe(Session.load(model.Location, 'reports')(dublin), Session.withoutCriteria(rules))
        expect(run(all)).toHaveLength(1)
        expect(world.asked()).toEqual(['europe: select weather_reports'])
      })
    }
  })

  test('are part of a joined load on one shard', () => {
    inWorld({ tenant: 'Europe' }, (world, run) => {
      const found = run(Session.query(pipe(locations, joined('reports'))))
      expect(found.map(({ reports }) => reports.length)).toEqual([1, 0])
      expect(world.asked()).toEqual(['europe: select weather_locations'])
    })
  })

  test('hold for streams and bulk statements', () => {
    inWorld({ tenant: 'Europe' }, (world, run) => {
      const streamed = [...Session.streamSync(world.runtime)(locations)].map((row) =>
        isLeft(row) ? '' : row.right.city,
      )
      expect(streamed).toEqual(['London', 'Dublin'])
      world.asked()
      expect(run(pipe(update(model.Location), set({ city: 'Paris' }), Session.execute()))).toBe(2)
      expect(run(pipe(deleteFrom(model.Report), Session.execute()))).toBe(6)
      expect(rowsIn(world, 'weather_locations').asia).toMatchObject([{ city: 'Tokyo' }])
      expect(rowsIn(world, 'weather_reports').europe).toMatchObject([{ temperature: null }])
    })
  })

  test('are not in the way of what a delete lets go of', () => {
    inWorld({ tenant: 'Europe' }, (world, run) => {
      const found = run(Session.query(pipe(locations, selectin('reports'))))
      for (const location of found) run(Session.remove(model.Location)(location))
      run(Session.commit)
      expect(rowsIn(world, 'weather_reports').europe).toMatchObject([{ location_id: null }, { location_id: null }])
    })
  })
})
