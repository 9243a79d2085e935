/**
 * Random programs over the four shards, run with and without waiting: the same results, the same state, the same rows.
 */
import { fc, test } from '@fast-check/vitest'
import {
  deleteFrom,
  type EngineCall,
  limit,
  offset,
  orderBy,
  select,
  selectin,
  set,
  update,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { onShard } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect } from 'vitest'
import { outage } from './counting-engine.js'
import { model, openWorld, rowsIn, tokens, type World } from './weather.js'

type Step = Session.Program<never, unknown>

const attempt = (program: Session.Program<unknown, unknown>): Step => Session.attempt(program)

/** Does something with one of the instances that the session has. */
const withOne = (
  entity: 'Location' | 'Report',
  which: number,
  f: (snapshot: never) => Session.Program<unknown, unknown>,
): Step =>
  attempt(
    Session.suspend((state) => {
      const all = Session.inspectAll(state).filter((one) => one.entity === entity)
      const one = all[which % Math.max(all.length, 1)]
      return one === undefined ? Session.of(null) : f(Session.instanceAt(state, one.id).snapshot as never)
    }),
  )

const continent = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('Asia', 'Europe', 'North America', 'South America') },
  { weight: 1, arbitrary: fc.constant('Atlantis') },
)
const id = fc.nat(6)
const which = fc.nat(9)
const shard = fc.constantFrom(...tokens)
const temperature = fc.option(fc.integer({ min: -5, max: 5 }))

const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({ id, continent, temperatures: fc.array(temperature, { maxLength: 2 }) })
    .map(({ temperatures, ...given }) =>
      attempt(
        Session.add(model.Location, {
          ...given,
          city: `city ${given.id}`,
          reports: temperatures.map((degrees) => ({ temperature: degrees })),
        }),
      ),
    ),
  fc
    .tuple(which, temperature)
    .map(([at, degrees]) =>
      withOne('Location', at, Session.append(model.Location, 'reports', { temperature: degrees })),
    ),
  fc.tuple(which, continent).map(([at, to]) => withOne('Location', at, Session.set(model.Location, { continent: to }))),
  fc.tuple(which, id).map(([at, n]) => withOne('Location', at, Session.set(model.Location, { city: `town ${n}` }))),
  fc
    .tuple(which, which)
    .map(([at, to]) =>
      withOne('Report', at, (report) =>
        withOne('Location', to, Session.append(model.Location, 'reports', report as never)),
      ),
    ),
  which.map((at) => withOne('Location', at, Session.remove(model.Location))),
  which.map((at) => withOne('Report', at, Session.remove(model.Report))),
  which.map((at) => withOne('Location', at, Session.load(model.Location, 'reports'))),
  which.map((at) => withOne('Report', at, Session.load(model.Report, 'location'))),
  which.map((at) => withOne('Location', at, Session.refresh(model.Location))),
  id.map((key) => attempt(Session.get(model.Location, key))),
  fc.tuple(id, shard).map(([key, on]) => attempt(Session.get(model.Location, key, { shard: on }))),
  fc
    .tuple(fc.nat(4), fc.nat(3))
    .map(([most, skipped]) =>
      attempt(
        Session.query(
          pipe(
            select(model.Location),
            orderBy('city'),
            orderBy('id', 'desc'),
            limit(most),
            offset(skipped),
            selectin('reports'),
          ),
        ),
      ),
    ),
  continent.map((of) =>
    attempt(Session.query(pipe(select(model.Location), where('continent', '=', of), orderBy('id')))),
  ),
  temperature.map((degrees) =>
    attempt(pipe(update(model.Report), set({ temperature: degrees }), where('temperature', '<', 0), Session.execute())),
  ),
  shard.map((on) =>
    attempt(pipe(deleteFrom(model.Report), where('temperature', '>', 3), onShard(on), Session.execute())),
  ),
  fc.constantFrom<Step>(
    attempt(Session.flush),
    attempt(Session.commit),
    attempt(Session.rollback),
    attempt(Session.beginNested),
    attempt(Session.commitNested),
    attempt(Session.rollbackNested),
    Session.expireAll,
  ),
)

/** What can be seen of a run from outside. */
const seen = (world: World, [result, state]: Session.Finished<never, unknown>) => ({
  results: JSON.parse(JSON.stringify(result, (key, value) => (key === 'cause' ? undefined : value))),
  state: Session.inspectAll(state),
  rows: [rowsIn(world, 'weather_locations'), rowsIn(world, 'weather_reports')],
})

/** A city that no shard takes. */
const unlucky = (shard: string, call: EngineCall) =>
  call._tag === 'Insert' && call.table === 'weather_locations' && call.rows.some(([id]) => id === 6)
    ? outage(`${shard} does not take it`)
    : null

const callsOf = (world: World) => world.journal.asked.map((asked) => JSON.stringify(asked))

describe('a random program over several shards', () => {
  test.prop([fc.array(step, { minLength: 5, maxLength: 40, size: 'max' })], { numRuns: 60 })(
    'does the same under run and runSync',
    async (steps) => {
      const program = Session.all(steps)
      const [direct, plain, waiting] = [openWorld(), openWorld(), openWorld({ waits: true })]
      for (const world of [direct, plain, waiting]) world.journal.fault = unlucky
      const expected = seen(direct, Session.runStateSync(direct.runtime)(program))
      expect(seen(plain, await Session.runState(plain.runtime)(program)())).toEqual(expected)
      expect(callsOf(plain)).toEqual(callsOf(direct))
      // where shards work at the same time, others have gone on when one fails
      expect(seen(waiting, await Session.runState(waiting.runtime)(program)())).toEqual(expected)
      for (const world of [direct, plain, waiting]) world.close()
    },
  )
})
