/**
 * Two sessions on one database: what one sees of the other, what happens where they meet, and what the isolation level
 * changes about it.
 */
import {
  createAll,
  defineModel,
  type Engine,
  entity,
  generated,
  type IsolationLevel,
  integer,
  type Managed,
  primaryKey,
  select,
  text,
  unique,
  version,
  where,
  withOptions,
} from '@unitary/core'
import * as Session from '@unitary/session'
import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Host,
  mysqlHost,
  postgresHost,
  skipped,
  sqliteHost,
  type TestDatabase,
} from '../../core/engine/databases.js'
import { errorOf, model, resultOf, services } from '../app.js'

/** Versioned, with a unique name. */
const Page = entity('Page', 'pages', {
  id: pipe(integer, primaryKey, generated),
  slug: pipe(text, unique),
  body: text,
  revision: pipe(integer, version),
})
const pages = defineModel({ Page })(() => ({}))

type User = Managed<typeof model, 'User'>

/** One session, which waits for its database. */
class Client {
  readonly store: Session.Store
  constructor(runtime: Session.Runtime) {
    this.store = Session.createStore(runtime)
  }
  attempt<E, A>(program: Session.Program<E, A>): Promise<Either<E, A>> {
    return this.store.run(program)()
  }
  async run<E, A>(program: Session.Program<E, A>): Promise<A> {
    return resultOf(await this.attempt(program))
  }
  async fails<E, A>(program: Session.Program<E, A>): Promise<E> {
    return errorOf(await this.attempt(program))
  }
}

interface Clients {
  readonly open: (isolationLevel?: IsolationLevel) => Client
  readonly openPages: () => Client
}

const suite = (host: Host, tests: (clients: Clients) => void): void => {
  const why = skipped(host)
  describe.skipIf(why !== null)(why === null ? host.name : `${host.name} (${why})`, () => {
    let database: TestDatabase
    let engines: Engine[] = []
    let clients: Client[] = []
    beforeEach(async () => {
      database = await host.create()
      const engine = database.open()
      engines = [engine]
      clients = []
      resultOf(await createAll(model)(engine)())
      resultOf(await createAll(pages)(engine)())
      const setting = new Client(Session.runtime(model, engine, { services: () => services }))
      await setting.run(Session.addAll(model.User, [{ name: 'ed', addresses: [{ email: 'a' }] }, { name: 'wendy' }]))
      await setting.run(Session.commit)
    })
    afterEach(async () => {
      for (const client of clients) await client.store.close()
      for (const engine of engines) await engine.close()
      await database.drop()
    })
    const made = (client: Client): Client => {
      clients.push(client)
      return client
    }
    // a connection of its own for each session, as in processes of their own
    const engine = (): Engine => {
      const opened = database.open(1)
      engines.push(opened)
      return opened
    }
    tests({
      open: (isolationLevel) =>
        made(
          new Client(
            Session.runtime(model, engine(), {
              services: () => services,
              ...(isolationLevel === undefined ? {} : { isolationLevel }),
            }),
          ),
        ),
      openPages: () => made(new Client(Session.runtime(pages, engine()))),
    })
  })
}

const ed = Session.one(pipe(select(model.User), where('id', '=', 1)))
const wendy = Session.one(pipe(select(model.User), where('id', '=', 2)))
const edAsItIs = Session.one(pipe(select(model.User), where('id', '=', 1), withOptions({ populateExisting: true })))
const rename = (name: string, whom = ed) =>
  Session.gen(function* () {
    const user = yield* whom
    yield* Session.set(model.User, { name })(user)
    yield* Session.flush
  })
const nameOf = (program: Session.Program<unknown, User>) => Session.map(({ name }: User) => name)(program)
const then =
  <E2, B>(next: Session.Program<E2, B>) =>
  <E, A>(first: Session.Program<E, A>): Session.Program<E | E2, B> =>
    Session.chain(() => next)(first)

const onAny = ({ open, openPages }: Clients): void => {
  test('what one has not committed the other does not see, nor what it rolls back', async () => {
    const [a, b] = [open(), open()]
    await a.run(rename('edward'))
    await a.run(Session.add(model.User, { name: 'jack' }))
    await a.run(Session.flush)
    expect((await b.run(Session.query(select(model.User)))).map(({ name }) => name).toSorted()).toEqual(['ed', 'wendy'])
    await b.run(Session.rollback)
    await a.run(Session.rollback)
    expect(await b.run(Session.query(select(model.User)))).toHaveLength(2)
  })

  test('what is known stays as it was read, until it expires', async () => {
    const [a, b] = [open(), open()]
    const user = await a.run(ed)
    expect(await a.run(Session.load(model.User, 'addresses')(user))).toHaveLength(1)
    await b.run(rename('edward'))
    await b.run(Session.append(model.User, 'addresses', { email: 'b' })(await b.run(ed)))
    await b.run(Session.commit)
    expect(await a.run(nameOf(ed))).toBe('ed')
    expect(await a.run(Session.load(model.User, 'addresses')(user))).toHaveLength(1)
    await a.run(Session.commit)
    expect(await a.run(nameOf(Session.read(model.User)(user)))).toBe('edward')
    expect(await a.run(Session.load(model.User, 'addresses')(user))).toHaveLength(2)
  })

  test('a rollback ends what was seen, too', async () => {
    const [a, b] = [open(), open()]
    const user = await a.run(ed)
    await b.run(pipe(rename('edward'), then(Session.commit)))
    await a.run(Session.rollback)
    expect(await a.run(nameOf(Session.read(model.User)(user)))).toBe('edward')
  })

  test('changes of different attributes of one row both survive', async () => {
    const [a, b] = [open(), open()]
    const user = await a.run(ed)
    await a.run(Session.rollback)
    await b.run(pipe(rename('edward'), then(Session.commit)))
    await a.run(Session.set(model.User, { nickname: 'e' })(user))
    await a.run(Session.commit)
    expect(await b.run(Session.read(model.User)(user))).toMatchObject({ name: 'edward', nickname: 'e' })
  })

  test('the second to change one versioned row is StaleData, and may read and change it then', async () => {
    const [a, b] = [openPages(), openPages()]
    await a.run(pipe(Session.add(pages.Page, { slug: 'home', body: '' }), then(Session.commit)))
    const write = (body: string) =>
      Session.gen(function* () {
        const page = yield* Session.one(select(pages.Page))
        return yield* Session.set(pages.Page, { body })(page)
      })
    await a.run(Session.noAutoflush(write('a')))
    // what was read stays known without a transaction: nothing holds the other up
    const [found] = Session.inspectAll(a.store.getState())
    expect(found).toMatchObject({ attributes: { body: 'a' }, changed: ['body'] })
    await a.store.close()
    await b.run(pipe(write('b'), then(Session.commit)))
    expect(await a.fails(Session.commit)).toEqual({
      _tag: 'StaleData',
      entity: 'Page',
      table: 'pages',
      key: 1,
      matched: 0,
      shard: null,
    })
    await a.run(Session.rollback)
    await a.run(pipe(write('a'), then(Session.commit)))
    expect(await b.run(Session.one(select(pages.Page)))).toMatchObject({ body: 'a', revision: 3 })
  })

  test('the second to insert one unique value is an IntegrityError that names it', async () => {
    const [a, b] = [openPages(), openPages()]
    await a.run(Session.add(pages.Page, { slug: 'home', body: 'a' }))
    await b.run(pipe(Session.add(pages.Page, { slug: 'home', body: 'b' }), then(Session.commit)))
    expect(await a.fails(Session.commit)).toMatchObject({
      _tag: 'IntegrityError',
      reason: { _tag: 'UniqueViolation' },
      entity: 'Page',
    })
    await a.run(Session.rollback)
    expect(await a.run(Session.query(select(pages.Page)))).toMatchObject([{ body: 'b' }])
  })

  test('one deletes what the other changes: StaleData; and what the other deletes: a notice', async () => {
    const [a, b] = [open(), open()]
    const mine = await a.run(wendy)
    await a.run(Session.rollback)
    await b.run(
      Session.gen(function* () {
        yield* Session.remove(model.User)(yield* wendy)
        yield* Session.commit
      }),
    )
    await a.run(Session.set(model.User, { name: 'w' })(mine))
    expect(await a.fails(Session.commit)).toMatchObject({ _tag: 'StaleData', entity: 'User', key: 2, matched: 0 })
    await a.run(Session.rollback)
    expect(await a.fails(Session.read(model.User)(mine))).toMatchObject({ _tag: 'ObjectDeleted', key: 2 })
  })

  test('each has an instance of its own for one row', async () => {
    const [a, b] = [open(), open()]
    const user = await a.run(ed)
    await b.run(Session.add(model.User, { name: 'before' }))
    const other = await b.run(ed)
    await b.run(Session.set(model.User, { name: 'edward' })(other))
    expect(await a.run(nameOf(Session.read(model.User)(user)))).toBe('ed')
    await a.run(Session.rollback)
    await b.run(Session.rollback)
  })
}

describe('two sessions on one database', () => {
  suite(sqliteHost('SQLite', { busyTimeout: 20 }), (clients) => {
    onAny(clients)
    const { open } = clients

    test('a transaction sees one state of the database, whatever is committed meanwhile', async () => {
      const [a, b] = [open(), open()]
      await a.run(ed)
      await b.run(pipe(rename('edward'), then(Session.commit)))
      expect(await a.run(nameOf(edAsItIs))).toBe('ed')
      await a.run(Session.commit)
      expect(await a.run(nameOf(edAsItIs))).toBe('edward')
    })

    test('one that has read cannot write once the other has: it may be tried again', async () => {
      const [a, b] = [open(), open()]
      await a.run(wendy)
      await b.run(pipe(rename('edward'), then(Session.commit)))
      const error = await a.fails(rename('w', wendy))
      expect(error).toMatchObject({
        _tag: 'DatabaseError',
        operation: 'update',
        entity: 'User',
        retryable: true,
        cause: { reason: { _tag: 'SerializationFailure' } },
      })
      expect(await a.fails(wendy)).toMatchObject({ _tag: 'PendingRollback' })
      await a.run(Session.rollback)
      await a.run(pipe(rename('w', wendy), then(Session.commit)))
      expect((await b.run(Session.query(select(model.User)))).map(({ name }) => name).toSorted()).toEqual([
        'edward',
        'w',
      ])
    })

    test('two cannot write at once: the second may be tried again, when the first is done', async () => {
      const [a, b] = [open(), open()]
      await a.run(rename('edward'))
      const error = await b.fails(pipe(Session.add(model.User, { name: 'jack' }), then(Session.flush)))
      expect(error).toMatchObject({
        _tag: 'DatabaseError',
        retryable: true,
        cause: { reason: { _tag: 'LockTimeout' } },
      })
      await b.run(Session.rollback)
      await a.run(Session.commit)
      await b.run(pipe(Session.add(model.User, { name: 'jack' }), then(Session.commit)))
      expect(await a.run(Session.query(select(model.User)))).toHaveLength(3)
    })
  })

  suite(postgresHost, (clients) => {
    onAny(clients)
    const { open } = clients
    const level = Session.map(
      (rows: ReadonlyArray<{ readonly transaction_isolation: string }>) => rows[0]?.transaction_isolation,
    )(Session.sql<{ readonly transaction_isolation: string }>(sql`show transaction_isolation`))

    test.each(['read committed', 'repeatable read', 'serializable'] as const)(
      'every transaction of a session is %s where the runtime says so',
      async (isolationLevel) => {
        const a = open(isolationLevel)
        expect(await a.run(level)).toBe(isolationLevel)
        await a.run(Session.commit)
        expect(await a.run(level)).toBe(isolationLevel)
        await a.run(Session.rollback)
        expect(await a.run(level)).toBe(isolationLevel)
        expect(await open().run(level)).toBe('read committed')
      },
    )

    test('read committed: what is asked for again is as it was committed meanwhile', async () => {
      const [a, b] = [open('read committed'), open()]
      await a.run(ed)
      await b.run(pipe(rename('edward'), then(Session.commit)))
      expect(await a.run(nameOf(ed))).toBe('ed')
      expect(await a.run(nameOf(edAsItIs))).toBe('edward')
    })

    test('repeatable read: a transaction sees one state, and cannot change what was changed meanwhile', async () => {
      const [a, b] = [open('repeatable read'), open()]
      await a.run(ed)
      await b.run(pipe(rename('edward'), then(Session.commit)))
      expect(await a.run(nameOf(edAsItIs))).toBe('ed')
      const error = await a.fails(rename('mine'))
      expect(error).toMatchObject({
        _tag: 'DatabaseError',
        operation: 'update',
        entity: 'User',
        retryable: true,
        cause: { reason: { _tag: 'SerializationFailure' } },
      })
      expect(await a.fails(ed)).toMatchObject({ _tag: 'PendingRollback' })
      await a.run(Session.rollback)
      expect(await a.run(nameOf(ed))).toBe('edward')
      await a.run(pipe(rename('mine'), then(Session.commit)))
      expect(await b.run(nameOf(edAsItIs))).toBe('mine')
    })

    test('serializable: of two that each decide by what the other changes, one fails and may be tried again', () =>
      eitherDecides(open('serializable'), open('serializable')))

    test('repeatable read lets both decide', async () => {
      const [a, b] = [open('repeatable read'), open('repeatable read')]
      await Promise.all([a.run(leave(1)), b.run(leave(2))])
      await Promise.all([a.run(Session.commit), b.run(Session.commit)])
      expect(await a.run(present)).toEqual([])
    })
  })

  suite(mysqlHost, (clients) => {
    onAny(clients)
    const { open } = clients

    test('repeatable read, its own default: a transaction sees one state of the database', async () => {
      for (const a of [open(), open('repeatable read')]) {
        const b = open()
        await a.run(ed)
        const before = await b.run(nameOf(ed))
        await b.run(pipe(rename(`${before}!`), then(Session.commit)))
        expect(await a.run(nameOf(edAsItIs))).toBe(before)
        await a.run(Session.commit)
        expect(await a.run(nameOf(edAsItIs))).toBe(`${before}!`)
        await a.run(Session.commit)
      }
    })

    test('read committed: what is asked for again is as it was committed meanwhile', async () => {
      const [a, b] = [open('read committed'), open()]
      await a.run(ed)
      await b.run(pipe(rename('edward'), then(Session.commit)))
      expect(await a.run(nameOf(ed))).toBe('ed')
      expect(await a.run(nameOf(edAsItIs))).toBe('edward')
    })

    test('serializable: of two that each decide by what the other changes, one fails and may be tried again', () =>
      eitherDecides(open('serializable'), open('serializable')))
  })
})

const present = Session.map((users: ReadonlyArray<User>) => users.map(({ id }) => id).toSorted((x, y) => x - y))(
  Session.query(pipe(select(model.User), where('nickname', 'is', null))),
)

/** Marks a user as gone, as long as another one is there. */
const leave = (id: number) =>
  Session.gen(function* () {
    const there = yield* present
    if (there.length < 2) return false
    const user = yield* Session.one(pipe(select(model.User), where('id', '=', id)))
    yield* Session.set(model.User, { nickname: 'gone' })(user)
    yield* Session.flush
    return true
  })

const eitherDecides = async (a: Client, b: Client): Promise<void> => {
  // both look before either changes anything
  expect(await a.run(present)).toHaveLength(2)
  expect(await b.run(present)).toHaveLength(2)
  const decided = async (client: Client, id: number): Promise<Either<unknown, unknown>> => {
    const left = await client.attempt(leave(id))
    return left._tag === 'Left' ? left : await client.attempt(Session.commit)
  }
  const outcomes = await Promise.all([decided(a, 1), decided(b, 2)])
  expect(outcomes.map(({ _tag }) => _tag).toSorted()).toEqual(['Left', 'Right'])
  const at = outcomes.findIndex(({ _tag }) => _tag === 'Left')
  const error = errorOf(outcomes[at] as Either<unknown, unknown>)
  expect(error).toMatchObject({ _tag: 'DatabaseError', retryable: true })
  expect(['SerializationFailure', 'Deadlock']).toContain((error as Session.DatabaseError).cause.reason._tag)
  expect(Session.render(error as Session.DatabaseError)).toContain('may be tried again')
  const loser = at === 0 ? a : b
  expect(await loser.fails(Session.commit)).toMatchObject({ _tag: 'PendingRollback' })
  await loser.run(Session.rollback)
  // tried again, it sees what the other has decided
  expect(await loser.run(leave(at + 1))).toBe(false)
  expect(await loser.run(present)).toEqual([at + 1])
}
