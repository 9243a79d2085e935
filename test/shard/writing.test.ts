import { select, where } from '@unitary/core'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { isSome } from 'fp-ts/lib/Option.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { outage } from './counting-engine.js'
import { cities, filledWorld, leftOf, model, openWorld, rightOf, rowsIn, type World } from './weather.js'

let world: World
beforeEach(() => {
  world = openWorld()
})
afterEach(() => world.close())

const runSync = <E, A>(program: Session.Program<E, A>): A => rightOf(Session.runSync(world.runtime)(program))

const refill = (): void => {
  world.close()
  world = filledWorld()
}

/** What was asked of transactions. */
const transactionsAsked = (): ReadonlyArray<string> =>
  world.journal.asked
    .splice(0)
    .flatMap(({ shard, call }) =>
      call._tag === 'Query' || 'rows' in call ? [] : [`${shard}: ${call._tag}${'name' in call ? ` ${call.name}` : ''}`],
    )

const counts = (table: string): ReadonlyArray<number> => Object.values(rowsIn(world, table)).map((rows) => rows.length)

const cityOf = (id: number, shard: string) =>
  pipe(
    Session.get(model.Location, id, { shard }),
    Session.chain((found) => (isSome(found) ? Session.of(found.value) : Session.fail('no such city' as const))),
  )

describe('a flush', () => {
  it('puts each row on its shard, children beside their parents', () => {
    runSync(
      pipe(
        Session.addAll(model.Location, cities),
        Session.chain(() => Session.commit),
      ),
    )
    expect(world.asked()).toEqual([
      'north_america: insert weather_locations (2)',
      'north_america: insert weather_reports (2)',
      'asia: insert weather_locations (1)',
      'asia: insert weather_reports (1)',
      'europe: insert weather_locations (2)',
      'europe: insert weather_reports (2)',
      'south_america: insert weather_locations (2)',
      'south_america: insert weather_reports (2)',
    ])
    expect(rowsIn(world, 'weather_reports')).toEqual({
      north_america: [
        { id: 1, location_id: 2, temperature: 75 },
        { id: 2, location_id: 3, temperature: 60 },
      ],
      asia: [{ id: 1, location_id: 1, temperature: 80 }],
      europe: [
        { id: 1, location_id: 4, temperature: 65 },
        { id: 2, location_id: 5, temperature: null },
      ],
      south_america: [
        { id: 1, location_id: 6, temperature: 85 },
        { id: 2, location_id: 7, temperature: 70 },
      ],
    })
  })

  it('is planned with its shards, and touches none of them', () => {
    const plan = runSync(
      pipe(
        Session.addAll(model.Location, cities.slice(0, 3)),
        Session.chain(() => Session.flushPlan),
      ),
    )
    expect(Session.explain(plan)).toMatchInlineSnapshot(`
      "1. insert into weather_locations on north_america (2 rows)
           #2: id = 2, continent = 'North America', city = 'New York'
           #4: id = 3, continent = 'North America', city = 'Toronto'
      2. insert into weather_locations on asia (1 row)
           #0: id = 1, continent = 'Asia', city = 'Tokyo'
      3. insert into weather_reports on north_america (2 rows), after 1
           #3: locationId = 2, temperature = 75; the database gives id
           #5: locationId = 3, temperature = 60; the database gives id
      4. insert into weather_reports on asia (1 row), after 2
           #1: locationId = 1, temperature = 80; the database gives id"
    `)
    expect(world.journal.asked).toEqual([])
  })

  it('gives instances the shard in their identity', () => {
    const [tokyo, state] = Session.runStateSync(world.runtime)(
      pipe(
        Session.add(model.Location, { id: 1, continent: 'Asia', city: 'Tokyo' }),
        Session.chainFirst(() => Session.flush),
      ),
    )
    expect(Session.inspect(state, rightOf(tokyo))?.identity).toEqual({ entity: 'Location', key: 1, shard: 'asia' })
  })

  it('sends updates and deletes to the shards of their rows only', () => {
    refill()
    runSync(
      pipe(
        cityOf(1, 'asia'),
        Session.chain(Session.set(model.Location, { city: 'Edo' })),
        Session.chain(() => cityOf(4, 'europe')),
        Session.chain(Session.remove(model.Location)),
        Session.chain(() => Session.commit),
      ),
    )
    expect(world.asked()).toEqual([
      'asia: select weather_locations',
      'asia: update weather_locations (1)',
      'europe: select weather_locations',
      'europe: select weather_reports',
      'europe: update weather_reports (1)',
      'europe: delete weather_locations (1)',
    ])
    expect(counts('weather_locations')).toEqual([2, 1, 1, 2])
  })

  it('puts a new child beside a parent that is stored, and one that names a stored parent by its key', () => {
    refill()
    runSync(
      pipe(
        cityOf(3, 'north_america'),
        Session.chain(Session.append(model.Location, 'reports', { temperature: 1 })),
        Session.chain(() => Session.add(model.Report, { locationId: 3, temperature: 2 })),
        Session.chain(() => Session.commit),
      ),
    )
    expect(world.asked()).toEqual([
      'north_america: select weather_locations',
      'north_america: insert weather_reports (2)',
    ])
  })
})

describe('a flush that fails on one shard', () => {
  const addAll = Session.addAll(model.Location, cities)

  it('leaves nothing on any, and the session works again after a rollback', () => {
    world.databases.europe.exec('drop table weather_reports')
    const [outcome, state] = Session.runStateSync(world.runtime)(
      pipe(
        addAll,
        Session.chain(() => Session.attempt(Session.flush)),
        Session.bindTo('failed'),
        Session.bind('refused', () => Session.attempt(Session.query(select(model.Location)))),
        Session.chainFirst(() => Session.rollback),
        Session.bind('found', () => Session.query(select(model.Location))),
        Session.chainFirst(() => Session.add(model.Location, { id: 1, continent: 'Asia', city: 'Tokyo' })),
        Session.chainFirst(() => Session.commit),
      ),
    )
    const { failed, refused, found } = rightOf(outcome)
    expect(leftOf(failed)).toMatchObject({
      _tag: 'DatabaseError',
      operation: 'insert',
      entity: 'Report',
      shard: 'europe',
      cause: { reason: { _tag: 'UnknownTable', table: 'weather_reports' } },
    })
    expect(Session.render(leftOf(failed))).toBe(
      "insert of Report failed on shard 'europe': no such table: weather_reports (UnknownTable).",
    )
    expect(leftOf(refused)).toMatchObject({ _tag: 'PendingRollback' })
    expect(found).toEqual([])
    expect(counts('weather_locations')).toEqual([0, 1, 0, 0])
    expect(Session.inspectAll(state).filter(({ status }) => status === 'persistent')).toHaveLength(1)
  })

  it('names the row that was refused, and its shard', () => {
    world.databases.europe.exec("insert into weather_locations values (4, 'Europe', 'Paris')")
    const error = leftOf(
      Session.runSync(world.runtime)(
        pipe(
          addAll,
          Session.chain(() => Session.flush),
        ),
      ),
    )
    expect(error).toMatchObject({ _tag: 'IntegrityError', entity: 'Location', shard: 'europe', attributes: ['id'] })
    expect(counts('weather_locations')).toEqual([0, 0, 1, 0])
  })

  it('undoes the savepoint it stands in, on every shard, and no more', () => {
    const found = runSync(
      pipe(
        Session.addAll(model.Location, cities.slice(0, 2)),
        Session.chain(() => Session.beginNested),
        Session.chain(() => Session.addAll(model.Location, cities.slice(2))),
        Session.chainFirst(() =>
          Session.fromIO(() => {
            world.journal.fault = (shard, call) =>
              shard === 'south_america' && call._tag === 'Insert' ? outage('cable cut') : null
          }),
        ),
        Session.chain(() => Session.attempt(Session.flush)),
        Session.chainFirst(() => Session.rollbackNested),
        Session.chain(() => Session.query(select(model.Location))),
        Session.chainFirst(() => Session.commit),
      ),
    )
    expect(found.map(({ city }) => city)).toEqual(['New York', 'Tokyo'])
    expect(counts('weather_locations')).toEqual([1, 1, 0, 0])
  })

  it('stops the work on the other shards', () => {
    world.journal.fault = (shard) => (shard === 'north_america' ? outage('cable cut') : null)
    leftOf(
      Session.runSync(world.runtime)(
        pipe(
          addAll,
          Session.chain(() => Session.flush),
        ),
      ),
    )
    expect(world.asked()).toEqual([])
  })
})

describe('a savepoint', () => {
  it('is undone on every shard, those first touched in it too', () => {
    refill()
    const cities = runSync(
      pipe(
        cityOf(3, 'north_america'),
        Session.chain((toronto) =>
          pipe(
            Session.beginNested,
            Session.chain(() => Session.set(model.Location, { city: 'York' })(toronto)),
            Session.chain(() => cityOf(4, 'europe')),
            Session.chain(Session.set(model.Location, { city: 'Londinium' })),
            Session.chain(() => Session.flush),
          ),
        ),
        Session.chain(() => Session.rollbackNested),
        Session.chain(() => Session.all([cityOf(3, 'north_america'), cityOf(4, 'europe')])),
      ),
    )
    expect(cities.map(({ city }) => city)).toEqual(['Toronto', 'London'])
    expect(transactionsAsked()).toEqual([
      'north_america: Begin',
      'north_america: Savepoint unitary_1',
      'europe: Begin',
      'europe: Savepoint unitary_1',
      'north_america: RollbackToSavepoint unitary_1',
      'north_america: ReleaseSavepoint unitary_1',
      'europe: RollbackToSavepoint unitary_1',
      'europe: ReleaseSavepoint unitary_1',
      'north_america: Rollback',
      'europe: Rollback',
    ])
  })

  it('that ends well is kept on every shard', () => {
    refill()
    runSync(
      pipe(
        Session.beginNested,
        Session.chain(() => cityOf(4, 'europe')),
        Session.chain(Session.set(model.Location, { city: 'Londinium' })),
        Session.chain(() => Session.commitNested),
        Session.chain(() => Session.commit),
      ),
    )
    expect(rowsIn(world, 'weather_locations').europe).toContainEqual({
      id: 4,
      continent: 'Europe',
      city: 'Londinium',
    })
  })
})

describe('a commit', () => {
  it('commits the shards one after another', () => {
    runSync(
      pipe(
        Session.addAll(model.Location, cities.slice(0, 2)),
        Session.chain(() => Session.commit),
      ),
    )
    expect(transactionsAsked()).toEqual([
      'north_america: Begin',
      'asia: Begin',
      'north_america: Commit',
      'asia: Commit',
    ])
  })

  it('that fails on one shard leaves those before it committed, and says which failed', () => {
    world.journal.fault = (shard, call) => (shard === 'asia' && call._tag === 'Commit' ? outage('cable cut') : null)
    const [outcome] = Session.runStateSync(world.runtime)(
      pipe(
        Session.addAll(model.Location, cities),
        Session.chain(() => Session.attempt(Session.commit)),
        Session.chainFirst(() => Session.rollback),
      ),
    )
    expect(leftOf(rightOf(outcome))).toMatchObject({
      _tag: 'PartlyCommitted',
      committed: ['north_america'],
      shard: 'asia',
      cause: { message: 'cable cut' },
    })
    expect(counts('weather_locations')).toEqual([2, 0, 0, 0])
  })

  it('is nothing where a shard was not touched', () => {
    runSync(
      pipe(
        Session.query(pipe(select(model.Location), where('continent', '=', 'Asia'))),
        Session.chain(() => Session.commit),
      ),
    )
    expect(transactionsAsked()).toEqual(['asia: Begin', 'asia: Commit'])
  })
})

describe('shards that have to be waited for', () => {
  it('are asked side by side, and flushed side by side', async () => {
    world.close()
    world = openWorld({ waits: true })
    const program = pipe(
      Session.addAll(model.Location, cities),
      Session.chain(() => Session.commit),
      Session.chain(() => Session.query(select(model.Location))),
    )
    expect(rightOf(await Session.run(world.runtime)(program)())).toHaveLength(7)
    expect(world.journal.asked.slice(0, 4).map(({ shard, call }) => `${shard}: ${call._tag}`)).toEqual([
      'north_america: Begin',
      'asia: Begin',
      'europe: Begin',
      'south_america: Begin',
    ])
    const inserts = world.asked().filter((asked) => asked.includes('insert'))
    expect(inserts.slice(0, 4).every((asked) => asked.includes('weather_locations'))).toBe(true)
    expect(inserts.slice(4).every((asked) => asked.includes('weather_reports'))).toBe(true)
  })

  it('fail with the error that they would have one after another', async () => {
    const outcomes = [openWorld(), openWorld({ waits: true })].map(async (other) => {
      // the later shard fails first
      other.journal.fault = (shard, call) =>
        call._tag === 'Insert' &&
        ((shard === 'asia' && call.table === 'weather_reports') ||
          (shard === 'europe' && call.table !== 'weather_reports'))
          ? outage(`${shard} is down`)
          : null
      const program = pipe(
        Session.addAll(model.Location, cities),
        Session.chain(() => Session.flush),
      )
      const error = leftOf(await Session.run(other.runtime)(program)())
      expect(Object.values(rowsIn(other, 'weather_locations')).flat()).toEqual([])
      other.close()
      return error
    })
    const [first, second] = await Promise.all(outcomes)
    expect(first).toMatchObject({ entity: 'Report', shard: 'asia' })
    expect(second).toEqual(first)
  })

  it('need run', () => {
    world.close()
    world = openWorld({ waits: true })
    const error = leftOf(Session.runSync(world.runtime)(Session.query(select(model.Location))))
    expect(error).toMatchObject({ _tag: 'DatabaseError', operation: 'connect', shard: 'north_america' })
  })
})

describe('shards in files', () => {
  it('show others what is committed, and nothing before', () => {
    world.close()
    world = openWorld({ files: true })
    const others = Object.values(world.databases).map(({ name }) => new Database(name, { readonly: true }))
    const countAll = () =>
      others.map((other) => other.prepare('select count(*) from weather_locations').pluck().get() as number)
    const [before, after] = runSync(
      pipe(
        Session.addAll(model.Location, cities),
        Session.chain(() => Session.flush),
        Session.chain(() => Session.fromIO(countAll)),
        Session.bindTo('before'),
        Session.chainFirst(() => Session.commit),
        Session.bind('after', () => Session.fromIO(countAll)),
        Session.map(({ before, after }) => [before, after] as const),
      ),
    )
    expect(before).toEqual([0, 0, 0, 0])
    expect(after).toEqual([2, 1, 2, 2])
    for (const other of others) other.close()
  })
})

describe('a rollback', () => {
  it('is one on every shard', () => {
    const found = runSync(
      pipe(
        Session.addAll(model.Location, cities),
        Session.chain(() => Session.flush),
        Session.chain(() => Session.rollback),
        Session.chain(() => Session.query(select(model.Location))),
      ),
    )
    expect(found).toEqual([])
    expect(counts('weather_locations')).toEqual([0, 0, 0, 0])
  })
})
