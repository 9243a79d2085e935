import { deleteFrom, joined, orderBy, select, set, update, where, whereOf } from '@unitary/core'
import * as Session from '@unitary/session'
import { onShard } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { filledWorld, leftOf, model, openWorld, rightOf, rowsIn, type World } from './weather.js'

const { accept, combineHooks, defineHooks, keep, refuse } = Session

const inWorld = (hooks: Session.Hooks, f: (world: World, run: <E, A>(program: Session.Program<E, A>) => A) => void) => {
  const world = filledWorld()
  const runtime: Session.Runtime = { ...world.runtime, options: { ...world.runtime.options, hooks } }
  const store = Session.createStore(runtime)
  try {
    f({ ...world, runtime: runtime as World['runtime'] }, (program) => rightOf(store.runSync(program)))
  } finally {
    store.closeSync()
    world.close()
  }
}

describe('hooks of a sharded session', () => {
  test('come by the options of its runtime', () => {
    const hooks = defineHooks(model)({ Location: { set: { city: ({ value }) => accept(value.toUpperCase()) } } })
    const world = openWorld({ runtime: { hooks } })
    const program = pipe(
      Session.add(model.Location, { id: 9, continent: 'Asia', city: 'Osaka' }),
      Session.chainFirst(() => Session.commit),
    )
    expect(rightOf(Session.runSync(world.runtime)(program)).city).toBe('OSAKA')
    expect(rowsIn(world, 'weather_locations').asia).toMatchObject([{ city: 'OSAKA' }])
    world.close()
  })

  test('are told of loaded instances in the order of the merged rows, with the shards that they came from', () => {
    const told: string[] = []
    const hooks = defineHooks(model)({
      Location: {
        load: ({ state, instance }) => {
          told.push(`${instance.city} ${Session.inspect(state, instance)?.identity?.shard}`)
          return keep()
        },
      },
    })
    inWorld(hooks, (_, run) => {
      run(Session.query(pipe(select(model.Location), orderBy('city'))))
      expect(told.splice(0)).toEqual([
        'Brasilia south_america',
        'Dublin europe',
        'London europe',
        'New York north_america',
        'Quito south_america',
        'Tokyo asia',
        'Toronto north_america',
      ])
    })
  })

  test('decide on what decides the shard', () => {
    const hooks = defineHooks(model)({
      Location: { set: { continent: ({ value }) => accept(value === 'Eurasia' ? 'Asia' : value) } },
    })
    inWorld(hooks, (world, run) => {
      run(Session.add(model.Location, { id: 8, continent: 'Eurasia', city: 'Istanbul' }))
      run(Session.commit)
      expect(rowsIn(world, 'weather_locations').asia).toMatchObject([{ city: 'Tokyo' }, { city: 'Istanbul' }])
    })
  })

  test('narrow statements to fewer shards', () => {
    const hooks = defineHooks(model)({
      Location: { beforeExecute: ({ statement }) => accept(pipe(statement, where('continent', '=', 'Europe'))) },
    })
    inWorld(hooks, (world, run) => {
      expect(run(Session.query(pipe(select(model.Location), orderBy('city')))).map(({ city }) => city)).toEqual([
        'Dublin',
        'London',
      ])
      expect(world.asked()).toEqual(['europe: select weather_locations'])
      expect(run(pipe(update(model.Location), set({ city: 'Paris' }), Session.execute()))).toBe(2)
      expect(rowsIn(world, 'weather_locations').asia).toMatchObject([{ city: 'Tokyo' }])
    })
  })

  test('pin statements to a shard', () => {
    const hooks = defineHooks(model)({}, { beforeExecute: ({ statement }) => accept(onShard('asia')(statement)) })
    inWorld(hooks, (world, run) => {
      expect(run(Session.query(select(model.Location)))).toHaveLength(1)
      expect(run(Session.get(model.Location, 4))).toEqual({ _tag: 'None' })
      expect(world.asked()).toEqual(['asia: select weather_locations', 'asia: select weather_locations'])
    })
  })

  test('keep the loads of relationships on the shards of their owners', () => {
    const hooks = defineHooks(model)({
      Report: { beforeExecute: ({ statement }) => accept(pipe(statement, where('temperature', '>', 70))) },
    })
    inWorld(hooks, (world, run) => {
      const locations = run(Session.query(pipe(select(model.Location), orderBy('id'))))
      world.asked()
      const found = run(Session.traverseArray(Session.load(model.Location, 'reports'))(locations))
      expect(found.flat().map(({ temperature }) => temperature)).toEqual([80, 75, 85])
      expect(world.asked()[0]).toBe('asia: select weather_reports')
    })
  })

  test('narrow what is joined, which several shards load by keys', () => {
    const hooks = defineHooks(model)({
      Report: { beforeExecute: ({ statement }) => accept(pipe(statement, where('temperature', '>', 70))) },
    })
    inWorld(hooks, (world, run) => {
      const query = pipe(select(model.Location), orderBy('id'), joined('reports'))
      const found = run(Session.query(query))
      expect(found.flatMap(({ reports }) => reports.map(({ temperature }) => temperature))).toEqual([80, 75, 85])
      run(Session.expireAll)
      world.asked()
      const inAsia = run(Session.query(pipe(query, onShard('asia'))))
      expect(inAsia.flatMap(({ reports }) => reports.map(({ temperature }) => temperature))).toEqual([80])
    })
  })

  test('turn a bulk delete into an update on every shard', () => {
    const hooks = defineHooks(model)({
      Report: {
        beforeExecute: ({ statement }) =>
          statement._tag === 'Delete'
            ? accept(pipe(update(model.Report), set({ temperature: null }), whereOf(statement)))
            : keep(),
      },
    })
    inWorld(hooks, (_, run) => {
      expect(run(pipe(deleteFrom(model.Report), where('temperature', '>=', 75), Session.execute()))).toBe(3)
      const left = run(Session.query(select(model.Report)))
      expect(left.filter(({ temperature }) => temperature === null)).toHaveLength(4)
    })
  })

  test('add to a flush, on the shards that it concerns, and are told where each step ran', () => {
    const shards = Session.info<ReadonlyArray<unknown>>('shards', [])
    const hooks = defineHooks(model)(
      {},
      {
        beforeFlush: ({ state }) =>
          keep(
            ...Session.unitOfWork(model.Location)(state).added.map((location) =>
              Session.append(model.Location, 'reports', { temperature: 0 })(location),
            ),
          ),
        afterFlush: ({ plan }) => keep(shards.set(plan.steps.map(({ entity, token }) => `${entity} ${token}`))),
      },
    )
    inWorld(hooks, (world, run) => {
      run(
        Session.addAll(model.Location, [
          { id: 8, continent: 'Asia', city: 'Osaka' },
          { id: 9, continent: 'Europe', city: 'Rome' },
        ]),
      )
      expect(Session.explain(run(Session.flushPlan))).toContain('weather_reports')
      run(Session.commit)
      expect(run(Session.gets(shards.get))).toEqual([
        'Location asia',
        'Location europe',
        'Report asia',
        'Report europe',
      ])
      expect(rowsIn(world, 'weather_reports').europe).toHaveLength(3)
    })
  })

  test('refuse a flush on all shards', () => {
    const hooks = combineHooks(
      defineHooks(model)(
        {},
        { afterFlush: ({ flushed }) => (flushed.inserted > 1 ? refuse('one at a time') : keep()) },
      ),
    )
    inWorld(hooks, (world) => {
      const program = pipe(
        Session.addAll(model.Location, [
          { id: 8, continent: 'Asia', city: 'Osaka' },
          { id: 9, continent: 'Europe', city: 'Rome' },
        ]),
        Session.chain(() => Session.commit),
      )
      expect(leftOf(Session.runSync(world.runtime)(program))).toMatchObject({ _tag: 'HookRefused', hook: 'afterFlush' })
      expect(rowsIn(world, 'weather_locations')).toMatchObject({ asia: [{ id: 1 }], europe: [{ id: 4 }, { id: 5 }] })
    })
  })
})
