/**
 * Ids that a flush draws from a database before it inserts rows: on every database, and no id twice.
 */
import {
  bigint,
  counter,
  createAll,
  createAllSync,
  defineModel,
  type Engine,
  entity,
  generatedBy,
  hiLo,
  integer,
  nullable,
  primaryKey,
  sequence,
  text,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { explain } from '@unitary/session'
import { byAttribute, choosers, onlyOn, shardedRuntime, shardMap } from '@unitary/shard'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  type Host,
  kyselySqliteHost,
  mysqlHost,
  postgresHost,
  skipped,
  sqliteHost,
} from '../../core/engine/databases.js'
import { errorOf, resultOf } from '../app.js'
import { briefly, isStatement, recordingEngine } from '../recording-engine.js'

const Counter = entity('Counter', 'counters', { name: pipe(text, primaryKey), next: integer })
/** Ids one by one. */
const Author = entity('Author', 'authors', {
  id: pipe(integer, primaryKey, generatedBy(counter('counters', 'authors'))),
  name: text,
})
/** Ids by the block. */
const Book = entity('Book', 'books', {
  id: pipe(bigint, primaryKey, generatedBy(pipe(counter('counters', 'books'), hiLo({ block: 10 })))),
  title: text,
  authorId: pipe(integer, nullable),
})
const model = defineModel({ Counter, Author, Book })((r) => ({
  Author: { books: r.Author.hasMany('Book', { foreignKey: 'authorId', inverse: 'author' }) },
  Book: { author: r.Book.belongsTo('Author', { foreignKey: 'authorId', inverse: 'books' }) },
}))

const Event = entity('Event', 'events', {
  id: pipe(integer, primaryKey, generatedBy(sequence('event_ids'))),
  name: text,
})
const Trace = entity('Trace', 'traces', {
  id: pipe(integer, primaryKey, generatedBy(pipe(sequence('trace_blocks'), hiLo({ block: 1000 })))),
  name: text,
})
const events = defineModel({ Event, Trace })(() => ({}))

const described = (hosts: ReadonlyArray<Host>) =>
  hosts.map((host) => {
    const why = skipped(host)
    return { host, title: why === null ? host.name : `${host.name} (${why})`, isMissing: why !== null }
  })

const sessionOn = (engine: Engine, of: Session.Runtime['model'] = model) => {
  const store = Session.createStore(Session.runtime(of, engine))
  return {
    run: async <E, A>(program: Session.Program<E, A>): Promise<A> => resultOf(await store.run(program)()),
    state: () => store.getState(),
  }
}

const open = async (host: Host, of: Session.Runtime['model'] = model) => {
  const database = await host.create()
  const { calls, clear, engine } = recordingEngine(database.open())
  const opened: Engine[] = [engine]
  onTestFinished(async () => {
    for (const each of opened) await each.close()
    await database.drop()
  })
  resultOf(await createAll(of)(engine)())
  clear()
  return {
    ...sessionOn(engine, of),
    engine,
    /** A session of another process. */
    another: () => {
      const other = database.open()
      opened.push(other)
      return sessionOn(other, of)
    },
    statements: () => {
      const ran = calls.filter(isStatement).map(briefly)
      clear()
      return ran
    },
  }
}

const titles = (count: number) => Array.from({ length: count }, (_, i) => ({ title: `t${i}` }))

describe.each(described([sqliteHost('SQLite'), kyselySqliteHost, postgresHost, mysqlHost]))(
  'counters on $title',
  ({ host, isMissing }) => {
    test.skipIf(isMissing)('a flush asks each once for all of its rows', async () => {
      const app = await open(host)
      const author = await app.run(
        Session.add(model.Author, { name: 'a', books: [{ title: 'x' }, { title: 'y' }, { title: 'z' }] }),
      )
      expect(author.id).toBeUndefined()
      const planned = explain(await app.run(Session.flushPlan))
      expect(planned).toBe(
        [
          'drawn: 1 id from counter authors',
          'drawn: 3 ids from counter books',
          '1. insert into authors (1 row)',
          "     #0: id = 1, name = 'a'",
          '2. insert into books (3 rows), after 1',
          "     #1: id = 1n, title = 'x', authorId = 1",
          "     #2: id = 2n, title = 'y', authorId = 1",
          "     #3: id = 3n, title = 'z', authorId = 1",
        ].join('\n'),
      )
      app.statements()
      await app.run(Session.flush)
      const statements = app.statements()
      const drawing = statements.filter((text) => text.includes('counters'))
      expect(statements.filter((text) => !drawing.includes(text))).toHaveLength(2)
      expect(drawing.length).toBeLessThanOrEqual(2)
      const read = await app.run(Session.read(model.Author)(author))
      // what the plan drew is not drawn again
      expect(read.id).toBe(2)
      await app.run(Session.commit)
      expect((await app.run(Session.load(model.Author, 'books')(author))).map(({ id }) => id)).toEqual([4n, 5n, 6n])
    })

    test.skipIf(isMissing)('a block costs one draw, whichever session uses it up', async () => {
      const app = await open(host)
      await app.run(Session.addAll(model.Book, titles(4)))
      await app.run(Session.commit)
      app.statements()
      const other = sessionOn(app.engine)
      const books = await other.run(Session.addAll(model.Book, titles(6)))
      await other.run(Session.commit)
      expect(app.statements().filter((text) => text.includes('counters'))).toEqual([])
      const read = await other.run(Session.all(books.map(Session.read(model.Book))))
      expect(read.map(({ id }) => id)).toEqual([5n, 6n, 7n, 8n, 9n, 10n])
    })

    test.skipIf(isMissing)('what is rolled back is drawn anew', async () => {
      const app = await open(host)
      const [book] = await app.run(Session.addAll(model.Book, titles(2)))
      await app.run(Session.flush)
      await app.run(Session.rollback)
      expect(book === undefined ? null : Session.inspect(app.state(), book)?.attributes).toEqual({ title: 't0' })
      await app.run(Session.addAll(model.Book, titles(12)))
      await app.run(Session.commit)
      await app.run(Session.addAll(model.Book, titles(9)))
      await app.run(Session.commit)
      expect(await app.run(Session.sql<{ readonly n: number }>(sql`select count(*) as n from books`))).toHaveLength(1)
    })

    test.skipIf(isMissing)('an id that the program gives is left alone', async () => {
      const app = await open(host)
      await app.run(Session.add(model.Book, { id: 77n, title: 't' }))
      expect(explain(await app.run(Session.flushPlan))).not.toContain('drawn')
      await app.run(Session.commit)
      expect(app.statements().filter((text) => text.includes('counters'))).toEqual([])
    })
  },
)

describe.each(described([postgresHost, mysqlHost]))('two processes on $title', ({ host, isMissing }) => {
  test.skipIf(isMissing)('never have an id in common', async () => {
    const app = await open(host)
    const insert = async (session: ReturnType<typeof sessionOn>) => {
      for (let i = 0; i < 8; i++) {
        await session.run(Session.addAll(model.Book, titles(7)))
        await session.run(Session.flush)
        await session.run(i % 3 === 2 ? Session.rollback : Session.commit)
      }
    }
    await Promise.all([insert(app.another()), insert(app.another()), insert(app)])
    const rows = await app.run(Session.sql<{ readonly id: unknown }>(sql`select id from books`))
    expect(new Set(rows.map(({ id }) => String(id))).size).toBe(3 * 6 * 7)
  })

  test.skipIf(isMissing)('sequences give ids one by one, and by the block', async () => {
    const app = await open(host, events)
    const made = await app.run(Session.addAll(events.Event, [{ name: 'a' }, { name: 'b' }, { name: 'c' }]))
    const traces = await app.run(Session.addAll(events.Trace, [{ name: 'a' }, { name: 'b' }]))
    await app.run(Session.commit)
    expect(app.statements().filter((text) => text.includes('nextval'))).toHaveLength(2)
    const ids = (await app.run(Session.all(made.map(Session.read(events.Event))))).map(({ id }) => id)
    expect(ids).toEqual([1, 2, 3])
    expect((await app.run(Session.all(traces.map(Session.read(events.Trace))))).map(({ id }) => id)).toEqual([1, 2])
    const other = app.another()
    const others = await other.run(Session.addAll(events.Trace, [{ name: 'c' }]))
    await other.run(Session.commit)
    expect((await other.run(Session.all(others.map(Session.read(events.Trace))))).map(({ id }) => id)).toEqual([1001])
    app.statements()
    await app.run(
      Session.addAll(
        events.Trace,
        Array.from({ length: 998 }, () => ({ name: 'd' })),
      ),
    )
    await app.run(Session.commit)
    expect(app.statements().filter((text) => text.includes('nextval'))).toEqual([])
  })
})

test('a database without sequences says so', () => {
  const engine = sqliteEngine(new Database(':memory:'))
  resultOf(createAllSync(events)(engine))
  const app = Session.runtime(events, engine)
  const program = pipe(
    Session.add(events.Event, { name: 'a' }),
    Session.chain(() => Session.flush),
  )
  expect(Session.render(errorOf(Session.runSync(app)(program)))).toContain('draw ids from sequence event_ids')
})

test('one shard has the counter for the rows of all', () => {
  const Place = entity('Place', 'places', {
    id: pipe(
      integer,
      primaryKey,
      generatedBy(pipe(counter('counters', 'places', { shard: 'europe' }), hiLo({ block: 4 }))),
    ),
    home: text,
  })
  const places = defineModel({ Counter, Place })(() => ({}))
  const [asia, europe] = [
    recordingEngine(sqliteEngine(new Database(':memory:'))),
    recordingEngine(sqliteEngine(new Database(':memory:'))),
  ]
  for (const { clear, engine } of [asia, europe]) {
    resultOf(createAllSync(places)(engine))
    clear()
  }
  const app = shardedRuntime(places, {
    shards: shardMap({ asia: asia.engine, europe: europe.engine }),
    choosers: choosers(places)({
      Place: byAttribute('home', { asia: 'asia', europe: 'europe' }),
      Counter: onlyOn('europe'),
    }),
  })
  const homes = ['asia', 'europe', 'asia', 'asia', 'europe'].map((home) => ({ home }))
  const program = pipe(
    Session.addAll(places.Place, homes),
    Session.chainFirst(() => Session.commit),
    Session.chain((made) => Session.all(made.map(Session.read(places.Place)))),
  )
  expect(resultOf(Session.runSync(app)(program)).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5])
  expect(resultOf(Session.runSync(app)(program)).map(({ id }) => id)).toEqual([6, 7, 8, 9, 10])
  const counting = ({ calls }: typeof asia) =>
    calls.filter((call) => isStatement(call) && briefly(call).includes('counters'))
  expect(counting(asia)).toEqual([])
  expect(counting(europe).length).toBeGreaterThan(0)
})

/** What a session may do to a transaction. */
const step = fc.oneof(
  fc.integer({ min: 1, max: 13 }).map((count) => ({ _tag: 'Add', count }) as const),
  fc
    .constantFrom('Flush', 'Commit', 'Rollback', 'Nest', 'CommitNested', 'RollbackNested')
    .map((_tag) => ({ _tag }) as const),
)

test('whatever is rolled back, no id is stored twice', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const engine = sqliteEngine(new Database(':memory:'))
      resultOf(createAllSync(model)(engine))
      const store = Session.createStore(Session.runtime(model, engine))
      let depth = 0
      for (const one of steps) {
        switch (one._tag) {
          case 'Add':
            resultOf(store.runSync(Session.addAll(model.Book, titles(one.count))))
            break
          case 'Flush':
            resultOf(store.runSync(Session.flush))
            break
          case 'Commit':
            resultOf(store.runSync(Session.commit))
            depth = 0
            break
          case 'Rollback':
            resultOf(store.runSync(Session.rollback))
            depth = 0
            break
          case 'Nest':
            resultOf(store.runSync(Session.beginNested))
            depth++
            break
          default:
            if (depth-- > 0)
              resultOf(store.runSync(one._tag === 'CommitNested' ? Session.commitNested : Session.rollbackNested))
            else depth = 0
        }
      }
    }),
    { numRuns: 200 },
  )
})
