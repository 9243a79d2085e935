/**
 * One random suite for every layout: programs over four shards leave what a model in memory says, shard by shard.
 */
import { fc } from '@fast-check/vitest'
import { deleteFrom, orderBy, select, set, update, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { shardedRuntime, shardMap } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { byContinent, continents, model, rightOf, type Shard, tokens } from '../weather.js'
import { ask, createOnAll, type LaidOut, layouts, rowsOn } from './layouts.js'

type Continent = keyof typeof continents

/** What the databases should hold: a city and the temperatures of its reports, by the id of its location. */
interface City {
  readonly continent: Continent
  readonly city: string
  readonly temperatures: ReadonlyArray<number>
}
type World = ReadonlyMap<number, City>

type Step =
  | { readonly _tag: 'Add'; readonly continent: Continent; readonly temperatures: ReadonlyArray<number> }
  | { readonly _tag: 'Report'; readonly which: number; readonly temperature: number }
  | { readonly _tag: 'Rename'; readonly which: number; readonly city: string }
  | { readonly _tag: 'Remove'; readonly which: number }
  | { readonly _tag: 'Warm'; readonly above: number }
  | { readonly _tag: 'Forget'; readonly continent: Continent }
  | { readonly _tag: 'Nested'; readonly steps: ReadonlyArray<Step>; readonly isKept: boolean }
  | { readonly _tag: 'End'; readonly isCommitted: boolean }

const continent = fc.constantFrom<Continent>(...(Object.keys(continents) as ReadonlyArray<Continent>))
const temperature = fc.integer({ min: -5, max: 5 })
const which = fc.nat(7)

const { step } = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 2 },
    fc.record({ _tag: fc.constant('Add' as const), continent, temperatures: fc.array(temperature, { maxLength: 3 }) }),
    fc.record({ _tag: fc.constant('Report' as const), which, temperature }),
    fc.record({ _tag: fc.constant('Rename' as const), which, city: fc.constantFrom('x', 'y', 'z') }),
    fc.record({ _tag: fc.constant('Remove' as const), which }),
    fc.record({ _tag: fc.constant('Warm' as const), above: temperature }),
    fc.record({ _tag: fc.constant('Forget' as const), continent }),
    fc.record({
      _tag: fc.constant('Nested' as const),
      steps: fc.array(tie('step'), { minLength: 1, maxLength: 4 }).map((steps) =>
        // the transaction ends outside of a savepoint
        steps.filter(({ _tag }) => _tag !== 'End'),
      ),
      isKept: fc.boolean(),
    }),
    fc.record({ _tag: fc.constant('End' as const), isCommitted: fc.boolean() }),
  ),
}))

type Program = Session.Program<unknown, World>

const locations = select(model.Location)

/** The instance of the n-th city, and its id; null where there is none. */
const pick = (world: World, n: number): number | null => [...world.keys()][n % Math.max(world.size, 1)] ?? null

const located = (id: number) => Session.query(pipe(locations, where('id', '=', id)))

/** Runs a step, and gives the world after it. `committed` is what a rollback returns to. */
const run =
  (committed: { world: World; nextId: number }) =>
  (given: Step, world: World): Program => {
    switch (given._tag) {
      case 'Add': {
        const id = committed.nextId++
        const { continent, temperatures } = given
        const reports = temperatures.map((degrees) => ({ temperature: degrees }))
        return pipe(
          Session.add(model.Location, { id, continent, city: 'new', reports }),
          Session.map(() => new Map([...world, [id, { continent, city: 'new', temperatures }]])),
        )
      }
      case 'Report':
      case 'Rename':
      case 'Remove': {
        const id = pick(world, given.which)
        const city = id === null ? undefined : world.get(id)
        if (id === null || city === undefined) return Session.of(world)
        return pipe(
          located(id),
          Session.chain(([found]): Program => {
            if (found === undefined) return Session.fail(`location ${id} is not there`)
            switch (given._tag) {
              case 'Report':
                return pipe(
                  Session.append(model.Location, 'reports', { temperature: given.temperature })(found),
                  Session.map(
                    () =>
                      new Map([...world, [id, { ...city, temperatures: [...city.temperatures, given.temperature] }]]),
                  ),
                )
              case 'Rename':
                return pipe(
                  Session.set(model.Location, { city: given.city })(found),
                  Session.map(() => new Map([...world, [id, { ...city, city: given.city }]])),
                )
              case 'Remove':
                return pipe(
                  deleteFrom(model.Report),
                  where('locationId', '=', id),
                  Session.execute(),
                  Session.chain(() => Session.remove(model.Location)(found)),
                  Session.map(() => new Map([...world].filter(([other]) => other !== id))),
                )
            }
          }),
        )
      }
      case 'Warm':
        return pipe(
          update(model.Report),
          set((eb) => ({ temperature: eb('temperature', '+', 1) })),
          where('temperature', '>', given.above),
          Session.execute(),
          Session.map(
            () =>
              new Map(
                Array.from(world, ([id, city]) => [
                  id,
                  { ...city, temperatures: city.temperatures.map((t) => (t > given.above ? t + 1 : t)) },
                ]),
              ),
          ),
        )
      case 'Forget':
        return pipe(
          update(model.Location),
          set({ city: 'forgotten' }),
          where('continent', '=', given.continent),
          Session.execute(),
          Session.map(
            () =>
              new Map(
                Array.from(world, ([id, city]) => [
                  id,
                  city.continent === given.continent ? { ...city, city: 'forgotten' } : city,
                ]),
              ),
          ),
        )
      case 'Nested':
        return pipe(
          Session.beginNested,
          Session.chain(() => runAll(committed)(given.steps, world)),
          Session.chain(
            (after): Program =>
              given.isKept
                ? Session.map(() => after)(Session.commitNested)
                : Session.map(() => world)(Session.rollbackNested),
          ),
        )
      case 'End': {
        const before = committed.world
        return given.isCommitted
          ? Session.map(() => {
              committed.world = world
              return world
            })(Session.commit)
          : Session.map(() => before)(Session.rollback)
      }
    }
  }

const runAll =
  (committed: { world: World; nextId: number }) =>
  (steps: ReadonlyArray<Step>, world: World): Program =>
    steps.reduce<Program>(
      (before, next) => Session.chain((after: World) => Session.suspend(() => run(committed)(next, after)))(before),
      Session.of(world),
    )

/** What a shard holds, as the model in memory has it. */
const stored = async (laidOut: LaidOut, token: string): Promise<World> => {
  const reports = await rowsOn(laidOut, token, 'weather_reports')
  const rows = await rowsOn(laidOut, token, 'weather_locations')
  return new Map(
    rows.map((row) => [
      Number(row.id),
      {
        continent: row.continent as Continent,
        city: row.city as string,
        temperatures: reports
          .filter((report) => report.location_id === row.id)
          .map((report) => Number(report.temperature))
          .sort((a, b) => a - b),
      },
    ]),
  )
}

const expectedOn = (world: World, token: string): World =>
  new Map(
    [...world]
      .filter(([, city]) => continents[city.continent] === token)
      .map(([id, city]) => [id, { ...city, temperatures: [...city.temperatures].sort((a, b) => a - b) }]),
  )

describe.each(layouts)('on $name', ({ missing, name, open }) => {
  test.skipIf(missing !== null)(
    missing === null ? 'random programs leave what they should' : `${name} (${missing})`,
    async () => {
      const laidOut = await open(tokens)
      try {
        await createOnAll(laidOut, model)
        const runtime = shardedRuntime<Shard>(model, {
          shards: shardMap(laidOut.engines as never) as never,
          choosers: byContinent,
        })
        await fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
            for (const engine of Object.values(laidOut.engines)) {
              await ask(engine, sql`delete from ${sql.table('weather_reports')}`)
              await ask(engine, sql`delete from ${sql.table('weather_locations')}`)
            }
            const committed = { world: new Map() as World, nextId: 1 }
            const program = pipe(
              runAll(committed)(steps, committed.world),
              Session.chainFirst(() => Session.commit),
              Session.chain((world) =>
                pipe(
                  Session.query(pipe(locations, orderBy('id'))),
                  Session.map((found) => ({ world, ids: found.map(({ id }) => id) })),
                ),
              ),
            )
            const { ids, world } = rightOf(await Session.run(runtime)(program)())
            expect(ids).toEqual([...world.keys()].sort((a, b) => a - b))
            for (const token of tokens) expect(await stored(laidOut, token)).toEqual(expectedOn(world, token))
          }),
          { numRuns: 25 },
        )
      } finally {
        await laidOut.close()
      }
    },
    120_000,
  )
})
