import {
  defineModel,
  deleteFrom,
  entity,
  generated,
  integer,
  type Managed,
  nullable,
  primaryKey,
  type Snapshot,
  select,
  text,
  unique,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { type App, model, open, openOn } from '../app.js'

type M = typeof model

/** Ed and an address of his, stored; both are known, his collections are not. */
const arrange = (options: Session.RuntimeOptions = {}) => {
  const app = open(options)
  app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
  app.run(Session.commit)
  app.run(Session.expungeAll)
  app.run(Session.commit)
  const ed = app.run(Session.one(select(model.User)))
  const address = app.run(Session.one(select(model.Address)))
  app.clear()
  return { app, ed, address }
}

interface Known {
  readonly ed: Managed<M, 'User'>
  readonly address: Managed<M, 'Address'>
}

const isPending = (app: App, one: Snapshot): boolean => Session.inspect(app.store.getState(), one)?.status === 'pending'

describe('autoflush', () => {
  const asking: ReadonlyArray<readonly [string, (known: Known) => Session.Program<unknown, unknown>]> = [
    ['a query', () => Session.query(select(model.Node))],
    ['a first', () => Session.first(select(model.Node))],
    ['a get of what is not known', () => Session.get(model.Node, 1)],
    ['a get that asks all the same', () => Session.get(model.User, 1, { populateExisting: true })],
    ['a refresh', ({ ed }) => Session.refresh(model.User)(ed)],
    [
      'a read of what has expired',
      ({ ed }) =>
        pipe(
          ed,
          Session.expire(model.User),
          Session.chain(() => Session.read(model.User)(ed)),
        ),
    ],
    ['a load of a collection', ({ ed }) => Session.load(model.User, 'addresses')(ed)],
    [
      'a load of a reference',
      ({ address }) =>
        pipe(
          Session.expireAll,
          Session.chain(() => Session.load(model.Address, 'user')(address)),
        ),
    ],
    ['a merge', () => Session.merge(model.Country, { code: 'fr', title: 'France' })],
    [
      'a bulk statement',
      () => pipe(deleteFrom(model.Node), where('id', '=', 1), Session.execute({ synchronize: 'none' })),
    ],
    ['a statement of the application’s own', () => Session.sql(sql`select 1`)],
    ['the beginning of a savepoint', () => Session.beginNested],
  ]

  test.each(asking)('%s flushes first', (_, program) => {
    const { app, ...known } = arrange()
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(program(known))
    expect(isPending(app, wendy)).toBe(false)
    expect(app.asked().find((asked) => asked !== 'Begin')).toBe('Insert users 1')
  })

  test.each(asking.slice(0, -1))('%s does not where it is told not to', (_, program) => {
    const { app, ...known } = arrange()
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.noAutoflush(program(known)))
    expect(isPending(app, wendy)).toBe(true)
    app.run(Session.commit)
    expect(app.rows('users')).toHaveLength(2)
    const never = arrange({ autoflush: false })
    const jack = never.app.run(Session.add(model.User, { name: 'jack' }))
    never.app.run(program(never))
    expect(isPending(never.app, jack)).toBe(true)
  })

  const answering: ReadonlyArray<readonly [string, (known: Known) => Session.Program<unknown, unknown>]> = [
    ['a get of what is known', () => Session.get(model.User, 1)],
    ['a read of what is known', ({ ed }) => Session.read(model.User)(ed)],
    ['a load of a reference to what is known', ({ address }) => Session.load(model.Address, 'user')(address)],
    ['a change', ({ ed }) => Session.set(model.User, { name: 'edward' })(ed)],
    [
      'a change of a collection that is not loaded',
      ({ ed }) => Session.append(model.User, 'addresses', { email: 'b' })(ed),
    ],
    ['a history', ({ ed }) => Session.history(model.User, 'name')(ed)],
    ['a plan', () => Session.flushPlan],
    ['an expiry', ({ ed }) => Session.expire(model.User)(ed)],
  ]

  test.each(answering)('%s asks nothing, and so flushes nothing', (_, program) => {
    const { app, ...known } = arrange()
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(program(known))
    expect(isPending(app, wendy)).toBe(true)
    expect(app.asked()).toEqual([])
  })

  test('what it writes is seen by what asked', () => {
    const { app, ed } = arrange()
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    expect(app.run(pipe(select(model.User), where('name', '=', 'edward'), Session.query))).toHaveLength(1)
    app.run(Session.remove(model.Address)(app.run(Session.one(select(model.Address)))))
    expect(app.run(Session.query(select(model.Address)))).toEqual([])
  })

  test('options are restored by noAutoflush, at any depth and after any failure', () => {
    const { app } = arrange()
    const flushes = Session.gets((state) => state.options.autoflush)
    const seen = app.run(
      Session.gen(function* () {
        const inside = yield* Session.noAutoflush(
          Session.gen(function* () {
            yield* Session.attempt(Session.noAutoflush(Session.fail('no')))
            yield* Session.beginNested
            yield* Session.rollbackNested
            return yield* flushes
          }),
        )
        return [inside, yield* flushes]
      }),
    )
    expect(seen).toEqual([false, true])
  })
})

describe('begin', () => {
  test('begins the transaction that a rollback returns from, and asks nothing', () => {
    const app = open()
    app.run(Session.begin)
    expect(app.asked()).toEqual([])
    const error = app.fails(Session.begin)
    expect(error).toEqual({ _tag: 'TransactionBegun' })
    expect(Session.render(error)).toBe(
      'A transaction is open already; commit it or roll it back before beginning another.',
    )
  })

  test('is for when none has: each change and each question begins one by itself, and the end of it allows another', () => {
    const { app, ed } = arrange()
    expect(app.fails(Session.begin)).toEqual({ _tag: 'TransactionBegun' })
    for (const end of [Session.commit, Session.rollback, Session.close]) {
      app.run(end as Session.Program<unknown, unknown>)
      app.run(Session.begin)
      expect(app.fails(Session.begin)).toEqual({ _tag: 'TransactionBegun' })
    }
    app.run(Session.rollback)
    app.run(Session.add(model.User, { name: 'wendy' }))
    expect(app.fails(Session.begin)).toEqual({ _tag: 'TransactionBegun' })
    app.run(Session.rollback)
    app.run(Session.beginNested)
    expect(app.fails(Session.begin)).toEqual({ _tag: 'TransactionBegun' })
    expect(Session.inspect(app.store.getState(), ed)?.status).toBe('detached')
  })

  test('what is read without a change begins none in the session', () => {
    const app = open()
    app.run(Session.gets((state) => state))
    app.run(Session.attempt(Session.add(model.User, { name: 5 } as never)))
    app.run(Session.begin)
  })
})

describe('a flush that cannot be planned', () => {
  const Team = entity('Team', 'teams', {
    id: pipe(integer, primaryKey, generated),
    name: text,
    rank: pipe(integer, nullable, unique),
    captainId: integer,
  })
  const Player = entity('Player', 'players', {
    id: pipe(integer, primaryKey, generated),
    name: text,
    teamId: integer,
  })
  const Seat = entity('Seat', 'seats', {
    playerId: pipe(integer, primaryKey),
    row: pipe(text, primaryKey),
  })
  const league = defineModel({ Team, Player, Seat })((r) => ({
    Team: { captain: r.Team.belongsTo('Player', { foreignKey: 'captainId' }) },
    Player: {
      team: r.Player.belongsTo('Team', { foreignKey: 'teamId' }),
      seats: r.Player.hasMany('Seat', { foreignKey: 'playerId', inverse: 'player' }),
    },
    Seat: { player: r.Seat.belongsTo('Player', { foreignKey: 'playerId', inverse: 'seats' }) },
  }))

  /** What each of these is like: nothing was written, and the session refuses to work until it is rolled back. */
  const refuses = (app: App, added: Snapshot, expected: object): void => {
    app.run(Session.add(league.Team, { name: 'left', captainId: 1 } as never))
    app.clear()
    const error = app.fails(Session.flush)
    expect(error).toEqual(expected)
    expect(app.asked().filter((asked) => asked !== 'Rollback')).toEqual([])
    expect(Session.inspect(app.store.getState(), added)?.status).toBe('transient')
    expect(app.store.getState().added.size).toBe(0)
    // nothing is left to be flushed
    expect(app.run(Session.flush)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
    expect(app.fails(Session.commit)).toEqual({
      _tag: 'PendingRollback',
      message: Session.render(error as Session.SessionError),
    })
    app.run(Session.add(league.Player, { name: 'while failed', teamId: 1 } as never))
    expect(app.fails(Session.flush)).toMatchObject({ _tag: 'PendingRollback' })
    expect(app.fails(Session.query(select(league.Team)))).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.rollback)
    expect(app.run(Session.query(select(league.Team)))).toEqual([])
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
  }

  test('since rows need each other’s keys names their path', () => {
    const app = openOn(league)
    const team = app.run(Session.make(league.Team, { name: 't' }))
    app.run(Session.set(league.Team, { captain: { name: 'p', team } })(team))
    app.run(Session.add(league.Team, team))
    refuses(app, team, {
      _tag: 'CircularDependency',
      path: expect.arrayContaining([expect.stringMatching(/^Team/), expect.stringMatching(/^Player/)]),
    })
  })

  test('since a key is missing names the attributes of that key', () => {
    const app = openOn(league)
    const seat = app.run(Session.add(league.Seat, { row: 'A' }))
    refuses(app, seat, { _tag: 'MissingKey', entity: 'Seat', attributes: ['playerId', 'row'] })
  })

  test('since a row would lose its key names the row', () => {
    const app = open()
    const Owner = entity('Owner', 'owners', { id: pipe(integer, primaryKey, generated), name: text })
    const Part = entity('Part', 'parts', { ownerId: pipe(integer, primaryKey), name: pipe(text, primaryKey) })
    const owners = defineModel({ Owner, Part })((r) => ({
      Owner: { parts: r.Owner.hasMany('Part', { foreignKey: 'ownerId', inverse: 'owner' }) },
      Part: { owner: r.Part.belongsTo('Owner', { foreignKey: 'ownerId', inverse: 'parts' }) },
    }))
    const other = openOn(owners)
    const owner = other.run(Session.add(owners.Owner, { name: 'o', parts: [{ name: 'p' }] }))
    const [part] = other.run(Session.related(owners.Owner, 'parts')(owner))
    other.run(Session.flush)
    other.run(Session.detach(owners.Owner, 'parts', part as Snapshot<'Part'>)(owner))
    const error = other.fails(Session.flush)
    expect(error).toEqual({ _tag: 'BlanksPrimaryKey', entity: 'Part', key: '[1,"p"]', attributes: ['ownerId'] })
    expect(other.fails(Session.commit)).toMatchObject({ _tag: 'PendingRollback' })
    other.run(Session.rollback)
    expect(other.rows('parts')).toEqual([])
    expect(app.rows('users')).toEqual([])
  })

  test('within a savepoint costs that alone', () => {
    const app = open()
    app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.beginNested)
    app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.flush)
    const visit = app.run(Session.add(model.Visit, { times: 1, userId: 1 }))
    expect(app.fails(Session.flush)).toEqual({
      _tag: 'MissingKey',
      entity: 'Visit',
      attributes: ['userId', 'countryCode'],
    })
    expect(Session.inspect(app.store.getState(), visit)?.status).toBe('transient')
    // what the savepoint had written before is undone with it
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }])
    expect(app.fails(Session.commitNested)).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.rollbackNested)
    app.run(Session.add(model.User, { name: 'jack' }))
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }, { name: 'jack' }])
  })
})

describe('a failed flush', () => {
  test('leaves the state in which the transaction began, and its rollback too', () => {
    const { app, ed } = arrange()
    app.run(Session.commit)
    app.run(Session.read(model.User)(ed))
    app.run(Session.set(model.User, { name: 'never' })(ed))
    app.run(Session.flush)
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.add(model.Address, { email: 'a' }))
    const error = app.fails(Session.flush)
    expect(error).toMatchObject({
      _tag: 'IntegrityError',
      reason: { _tag: 'UniqueViolation', table: 'addresses', columns: ['email'] },
      entity: 'Address',
      table: 'addresses',
      attributes: ['email'],
      values: ['a'],
      key: null,
      shard: null,
    })
    expect(Session.render(error)).toContain('email = "a"')
    expect(app.database.inTransaction).toBe(false)
    expect(Session.inspect(app.store.getState(), ed)).toMatchObject({ attributes: {}, changed: [] })
    expect(Session.inspect(app.store.getState(), wendy)?.status).toBe('transient')
    app.run(Session.rollback)
    expect(app.run(Session.read(model.User)(ed)).name).toBe('ed')
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
  })

  test('is told by everything that works on the database, and by nothing that does not', () => {
    const { app, ed, address } = arrange()
    app.run(Session.add(model.Address, { email: 'a' }))
    app.fails(Session.flush)
    const refused = { _tag: 'PendingRollback' }
    const working: ReadonlyArray<Session.Program<unknown, unknown>> = [
      Session.query(select(model.User)),
      Session.get(model.User, 1),
      Session.refresh(model.User)(ed),
      Session.load(model.User, 'posts')(ed),
      Session.merge(model.User, { name: 'x' }),
      Session.sql(sql`select 1`),
      pipe(deleteFrom(model.Node), where('id', '=', 1), Session.execute({ synchronize: 'none' })),
      Session.commit,
      Session.beginNested,
      Session.commitNested,
      Session.flushPlan,
    ]
    for (const program of working) expect(app.fails(program)).toMatchObject(refused)
    app.run(Session.set(model.Address, { email: 'b' })(address))
    app.run(Session.add(model.User, { name: 'while failed' }))
    app.run(Session.expunge(model.User)(ed))
    app.run(Session.rollback)
    // what was done meanwhile is undone with the rest
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
    expect(app.rows('addresses')).toMatchObject([{ email: 'a' }])
  })

  test('of an autoflush fails what asked, with the flush’s own error', () => {
    const { app } = arrange()
    app.run(Session.add(model.Address, { email: 'a' }))
    expect(app.fails(Session.get(model.Node, 1))).toMatchObject({ _tag: 'IntegrityError', entity: 'Address' })
    expect(app.fails(Session.get(model.Node, 1))).toMatchObject({ _tag: 'PendingRollback' })
  })

  test('that ends a savepoint leaves it to be rolled back, and what is around it is kept', () => {
    const { app } = arrange()
    app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.beginNested)
    app.run(Session.add(model.Address, { email: 'a' }))
    expect(app.fails(Session.commitNested)).toMatchObject({ _tag: 'IntegrityError' })
    expect(app.fails(Session.commitNested)).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.rollbackNested)
    expect(app.fails(Session.rollbackNested)).toEqual({ _tag: 'NoSavepoint' })
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }, { name: 'wendy' }])
  })

  test('that was to begin a savepoint begins none', () => {
    const { app } = arrange()
    app.run(Session.add(model.Address, { email: 'a' }))
    expect(app.fails(Session.beginNested)).toMatchObject({ _tag: 'IntegrityError' })
    expect(app.fails(Session.rollbackNested)).toEqual({ _tag: 'NoSavepoint' })
    expect(app.asked().filter((asked) => asked.startsWith('Savepoint'))).toEqual([])
    app.run(Session.rollback)
    app.run(Session.beginNested)
    app.run(Session.rollbackNested)
  })

  test('in the innermost of several savepoints costs that one', () => {
    const { app } = arrange()
    for (const email of ['b', 'c', 'd']) {
      app.run(Session.beginNested)
      app.run(Session.add(model.Address, { email }))
    }
    app.run(Session.add(model.Address, { email: 'a' }))
    app.fails(Session.flush)
    app.run(Session.rollbackNested)
    app.run(Session.commitNested)
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([{ email: 'a' }, { email: 'b' }, { email: 'c' }])
  })
})
