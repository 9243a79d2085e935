import { deleteFrom, modify, orderBy, select, set, update, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { onShard } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { outage } from './counting-engine.js'
import { filledWorld, leftOf, model, rightOf, rowsIn, type World } from './weather.js'

let world: World
beforeEach(() => {
  world = filledWorld()
})
afterEach(() => world.close())

const runSync = <E, A>(program: Session.Program<E, A>): A => rightOf(Session.runSync(world.runtime)(program))

const allReports = Session.query(pipe(select(model.Report), orderBy('temperature')))

const temperatures = (): ReadonlyArray<ReadonlyArray<unknown>> =>
  Object.values(rowsIn(world, 'weather_reports')).map((rows) =>
    rows.map((row) => (row as { temperature: unknown }).temperature),
  )

const warmer = pipe(
  update(model.Report),
  set((eb) => ({ temperature: eb('temperature', '+', 6) })),
  where('temperature', '>=', 80),
)

const hot = pipe(deleteFrom(model.Report), where('temperature', '>=', 80))

describe('a bulk update', () => {
  for (const synchronize of ['evaluate', 'fetch', 'auto'] as const) {
    it(`changes the rows of every shard, and the instances by ${synchronize}`, () => {
      const [affected, seen] = runSync(
        pipe(
          allReports,
          Session.chain((before) =>
            Session.all<unknown, unknown>([
              Session.execute({ synchronize })(warmer),
              Session.traverseArray(Session.read(model.Report))(before),
            ]),
          ),
        ),
      )
      expect(affected).toBe(2)
      expect((seen as ReadonlyArray<{ temperature: unknown }>).map(({ temperature }) => temperature)).toEqual([
        null,
        60,
        65,
        70,
        75,
        86,
        91,
      ])
      expect(world.asked().filter((asked) => asked.includes('bulk'))).toEqual([
        'north_america: bulk update weather_reports',
        'asia: bulk update weather_reports',
        'europe: bulk update weather_reports',
        'south_america: bulk update weather_reports',
      ])
    })
  }

  it('of keys keeps the instances of each shard to their rows', () => {
    const renumber = pipe(
      update(model.Report),
      set((eb) => ({ id: eb('id', '+', 10) })),
      where('temperature', '>=', 75),
    )
    const after = runSync(
      pipe(
        allReports,
        Session.chainFirst(() => Session.commit),
        Session.chainFirst(() => Session.execute()(renumber)),
        Session.chain(Session.traverseArray(Session.read(model.Report))),
      ),
    )
    expect(after.map(({ id, temperature }) => [id, temperature])).toEqual([
      [2, null],
      [2, 60],
      [1, 65],
      [2, 70],
      [11, 75],
      [11, 80],
      [11, 85],
    ])
  })

  it('goes to the shards of its conditions', () => {
    const affected = runSync(
      pipe(
        update(model.Location),
        set({ city: 'Springfield' }),
        where('continent', 'in', ['Asia', 'Europe']),
        Session.execute(),
        Session.chainFirst(() => Session.commit),
      ),
    )
    expect(affected).toBe(3)
    expect(world.asked()).toEqual(['asia: bulk update weather_locations', 'europe: bulk update weather_locations'])
  })

  it('that is pinned concerns the instances of its shard only', () => {
    const seen = runSync(
      pipe(
        allReports,
        Session.chainFirst(() =>
          pipe(update(model.Report), set({ temperature: 0 }), onShard(world.shards, 'asia'), Session.execute()),
        ),
        Session.chain(Session.traverseArray(Session.read(model.Report))),
      ),
    )
    expect(seen.map(({ temperature }) => temperature)).toEqual([null, 60, 65, 70, 75, 0, 85])
    expect(world.asked().slice(4)).toEqual(['asia: bulk update weather_reports'])
  })

  it('that fails on one shard changes nothing on the others, and the transaction goes on', () => {
    world.journal.fault = (shard, call) =>
      shard === 'europe' && call._tag === 'Query' && call.statement.sql.startsWith('update')
        ? outage('cable cut')
        : null
    const failure = runSync(
      pipe(
        Session.attempt(Session.execute()(warmer)),
        Session.chainFirst(() => Session.commit),
      ),
    )
    expect(leftOf(failure)).toMatchObject({ _tag: 'DatabaseError', operation: 'bulk update', shard: 'europe' })
    expect(temperatures()).toEqual([[75, 60], [80], [65, null], [85, 70]])
  })

  it('does not change what decides the shard', () => {
    const moved = pipe(update(model.Location), set({ continent: 'Europe' }), where('id', '=', 1))
    const error = leftOf(Session.runSync(world.runtime)(Session.execute()(moved)))
    expect(error).toMatchObject({ _tag: 'RoutingError', reason: 'ShardsDiffer', attribute: 'continent' })
    expect(Session.render(error as never)).toBe(
      'bulk update of Location: Location.continent decides the shard, and rows do not move by themselves; leave it out, or pin the statement with onShard to the one shard that the new value belongs to',
    )
    const adopted = pipe(update(model.Report), set({ locationId: 1 }))
    expect(leftOf(Session.runSync(world.runtime)(Session.execute()(adopted)))).toMatchObject({
      attribute: 'locationId',
    })
    expect(world.asked()).toEqual([])
    expect(runSync(pipe(moved, onShard('europe'), Session.execute()))).toBe(0)
  })
})

describe('a bulk delete', () => {
  for (const synchronize of ['evaluate', 'fetch', 'auto'] as const) {
    it(`deletes the rows of every shard, and the instances by ${synchronize}`, () => {
      const [affected, left] = runSync(
        pipe(
          allReports,
          Session.chain(() =>
            pipe(deleteFrom(model.Report), where('temperature', '>=', 80), Session.execute({ synchronize })),
          ),
          Session.bindTo('affected'),
          Session.bind('left', () => allReports),
          Session.map(({ affected, left }) => [affected, left] as const),
        ),
      )
      expect(affected).toBe(2)
      expect(left.map(({ temperature }) => temperature)).toEqual([null, 60, 65, 70, 75])
    })
  }

  it('by fetch has each shard return its keys, which other shards may have too', () => {
    const statuses = runSync(
      pipe(
        allReports,
        Session.chainFirst(() => Session.commit),
        Session.chain((before) => {
          world.asked()
          return pipe(
            Session.execute({ synchronize: 'fetch' })(hot),
            Session.chain(() =>
              Session.gets((state) =>
                before.map((report) => [report.id, Session.inspect(state, report)?.status] as const),
              ),
            ),
          )
        }),
      ),
    )
    expect(statuses).toEqual([
      [2, 'persistent'],
      [2, 'persistent'],
      [1, 'persistent'],
      [2, 'persistent'],
      [1, 'persistent'],
      [1, 'deleted'],
      [1, 'deleted'],
    ])
    expect(world.asked()).toEqual([
      'north_america: bulk delete weather_reports',
      'asia: bulk delete weather_reports',
      'europe: bulk delete weather_reports',
      'south_america: bulk delete weather_reports',
    ])
  })

  it('with a limit is refused over several shards', () => {
    const some = pipe(
      deleteFrom(model.Report),
      modify((qb) => qb.limit(1)),
    )
    expect(leftOf(Session.runSync(world.runtime)(Session.execute({ synchronize: 'none' })(some)))).toMatchObject({
      _tag: 'RoutingError',
      reason: 'NotMergeable',
      operation: 'bulk delete',
    })
  })
})

describe('a statement of raw SQL', () => {
  const count = sql<{ readonly rows: number }>`select count(*) as rows from weather_locations`

  it('runs on the shard that is named', () => {
    expect(runSync(Session.sql(count, { shard: 'asia' }))).toEqual([{ rows: 1 }])
    expect(world.asked()).toEqual(['asia: select weather_locations'])
  })

  it('runs on all where none is named', () => {
    expect(runSync(Session.sql(count))).toEqual([{ rows: 2 }, { rows: 1 }, { rows: 2 }, { rows: 2 }])
  })

  it('does not run on a shard that is not there', () => {
    expect(leftOf(Session.runSync(world.runtime)(Session.sql(count, { shard: 'azia' })))).toMatchObject({
      reason: 'UnknownShard',
      operation: 'sql',
    })
  })
})
