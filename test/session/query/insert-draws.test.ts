/**
 * Inserts past the unit of work get the keys that their rows leave out: drawn from generators, one question a block, or made by
 * the program.
 */
import {
  bigint,
  counter,
  createAll,
  createAllSync,
  defineModel,
  entity,
  fromSelect,
  generatedBy,
  hiLo,
  insertInto,
  integer,
  nullable,
  onConflictDoUpdate,
  primaryKey,
  returningEntities,
  sequence,
  snowflake,
  text,
  unique,
  uuid,
  uuidV7,
  values,
  withDefault,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { byAttribute, choosers, onlyOn, shardedRuntime, shardMap } from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
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

const Author = entity('Author', 'authors', {
  id: pipe(integer, primaryKey, generatedBy(counter('counters', 'authors'))),
  email: pipe(text, unique),
  name: text,
})
const Book = entity('Book', 'books', {
  id: pipe(bigint, primaryKey, generatedBy(pipe(counter('counters', 'books'), hiLo({ block: 1000 })))),
  title: text,
  /** Beside the key, and by the same counter. */
  shelf: pipe(bigint, generatedBy(pipe(counter('counters', 'books'), hiLo({ block: 1000 }))), nullable),
})
const Message = entity('Message', 'messages', { id: pipe(uuid, primaryKey, withDefault(uuidV7)), body: text })
const Reading = entity('Reading', 'readings', {
  id: pipe(bigint, primaryKey, withDefault(snowflake(7))),
  degrees: integer,
})
const model = defineModel({ Author, Book, Message, Reading })(() => ({}))

const Event = entity('Event', 'events', {
  id: pipe(integer, primaryKey, generatedBy(pipe(sequence('event_blocks'), hiLo({ block: 100 })))),
  name: text,
})
const events = defineModel({ Event })(() => ({}))

const described = (hosts: ReadonlyArray<Host>) =>
  hosts.map((host) => {
    const why = skipped(host)
    return { host, title: why === null ? host.name : `${host.name} (${why})`, isMissing: why !== null }
  })

const open = async (host: Host, of: Session.Runtime['model'] = model) => {
  const database = await host.create()
  const { calls, clear, engine } = recordingEngine(database.open())
  onTestFinished(async () => {
    await engine.close()
    await database.drop()
  })
  resultOf(await createAll(of)(engine)())
  clear()
  const store = Session.createStore(Session.runtime(of, engine))
  return {
    run: async <E, A>(program: Session.Program<E, A>): Promise<A> => resultOf(await store.run(program)()),
    fails: async <E, A>(program: Session.Program<E, A>): Promise<E> => errorOf(await store.run(program)()),
    /** What was asked of generators since the last time. */
    drawing: () => {
      const asked = calls.filter(isStatement).map(briefly)
      clear()
      return asked.filter((said) => /counters|nextval/.test(said))
    },
  }
}

const books = (count: number) => Array.from({ length: count }, (_, i) => ({ title: `t${i}` }))

describe.each(described([sqliteHost('SQLite'), kyselySqliteHost, postgresHost, mysqlHost]))(
  'an insert on $title',
  ({ host, isMissing }) => {
    test.skipIf(isMissing)('draws the keys that its rows leave out, in their order', async () => {
      const app = await open(host)
      const rows = [
        { email: 'a', name: 'a' },
        { id: 77, email: 'b', name: 'b' },
        { email: 'c', name: 'c' },
      ]
      const made = await app.run(pipe(insertInto(model.Author), values(rows), returningEntities, Session.execute()))
      expect(made.map(({ id, name }) => [id, name])).toEqual([
        [1, 'a'],
        [77, 'b'],
        [2, 'c'],
      ])
    })

    test.skipIf(isMissing)('costs one question a block, which flushes go on with', async () => {
      const app = await open(host)
      expect(await app.run(pipe(insertInto(model.Book), values(books(300)), Session.execute()))).toBe(300)
      expect(app.drawing().length).toBeLessThanOrEqual(3)
      await app.run(Session.commit)
      await app.run(pipe(insertInto(model.Book), values(books(100)), Session.execute()))
      const book = await app.run(Session.add(model.Book, { title: 'one more' }))
      await app.run(Session.commit)
      expect(app.drawing()).toEqual([])
      expect((await app.run(Session.read(model.Book)(book))).id).toBe(801n)
    })

    test.skipIf(isMissing)('draws for each attribute of its own, and leaves NULL alone that is given', async () => {
      const app = await open(host)
      const rows = [{ title: 'a' }, { title: 'b', shelf: null }]
      const made = await app.run(pipe(insertInto(model.Book), values(rows), returningEntities, Session.execute()))
      const [first, second] = made
      expect(second?.shelf).toBe(null)
      expect(new Set([first?.id, first?.shelf, second?.id])).toEqual(new Set([1n, 2n, 3n]))
    })

    test.skipIf(isMissing)('draws for an upsert, whose rows keep the keys that they have', async () => {
      const app = await open(host)
      const upsert = (...rows: ReadonlyArray<{ readonly email: string; readonly name: string }>) =>
        app.run(pipe(insertInto(model.Author), values(rows), onConflictDoUpdate('email', ['name']), Session.execute()))
      await upsert({ email: 'a', name: 'a' })
      await upsert({ email: 'a', name: 'A' }, { email: 'b', name: 'b' })
      const found = await app.run(Session.get(model.Author, 1))
      expect(found).toMatchObject({ value: { id: 1, name: 'A' } })
      expect(await app.run(Session.get(model.Author, 3))).toMatchObject({ value: { name: 'b' } })
    })

    test.skipIf(isMissing)('makes UUIDs and snowflakes of its rows, in their order', async () => {
      const app = await open(host)
      const bodies = ['a', 'b', 'c'].map((body) => ({ body }))
      const messages = await app.run(
        pipe(insertInto(model.Message), values(bodies), returningEntities, Session.execute()),
      )
      const ids = messages.map(({ id }) => id)
      expect(ids).toEqual(ids.toSorted())
      expect(new Set(ids).size).toBe(3)
      const degrees = [1, 2, 3].map((one) => ({ degrees: one }))
      const readings = await app.run(
        pipe(insertInto(model.Reading), values(degrees), returningEntities, Session.execute()),
      )
      const numbers = readings.map(({ id }) => id)
      expect(numbers.every((id, i) => i === 0 || id > (numbers[i - 1] as bigint))).toBe(true)
    })

    test.skipIf(isMissing)('draws nothing where it is refused', async () => {
      const app = await open(host)
      const wrong = values([{ email: 'a', nickname: 'b' }] as never)
      await app.fails(pipe(insertInto(model.Author), wrong, Session.execute()))
      await app.run(pipe(insertInto(model.Author), values([]), Session.execute()))
      const made = await app.run(
        pipe(insertInto(model.Author), values([{ email: 'a', name: 'a' }]), returningEntities, Session.execute()),
      )
      expect(made.map(({ id }) => id)).toEqual([1])
    })

    test.skipIf(isMissing)('of a query has to bring keys along', async () => {
      const app = await open(host)
      const copy = pipe(
        insertInto(model.Book),
        fromSelect(['title'], (eb) => eb.selectFrom('books').select('books.title')),
      )
      expect(Session.render(await app.fails(pipe(copy, Session.execute())))).toContain(
        'Book.id has no value; give one, or give the column a default',
      )
    })
  },
)

describe.each(described([postgresHost, mysqlHost]))('an insert on $title', ({ host, isMissing }) => {
  test.skipIf(isMissing)('draws from a sequence by the block', async () => {
    const app = await open(host, events)
    const rows = Array.from({ length: 150 }, (_, i) => ({ name: `e${i}` }))
    const insert = pipe(insertInto(events.Event), values(rows), returningEntities, Session.execute())
    const made = await app.run(insert)
    expect(made.map(({ id }) => id)).toEqual(rows.map((_, i) => i + 1))
    expect(app.drawing()).toHaveLength(1)
  })
})

test('one shard draws for the rows of all', () => {
  const Place = entity('Place', 'places', {
    id: pipe(integer, primaryKey, generatedBy(counter('counters', 'places', { shard: 'europe' }))),
    home: text,
  })
  const Counter = entity('Counter', 'counters', { name: pipe(text, primaryKey), next: integer })
  const places = defineModel({ Counter, Place })(() => ({}))
  const [asia, europe] = [sqliteEngine(new Database(':memory:')), sqliteEngine(new Database(':memory:'))]
  for (const engine of [asia, europe]) resultOf(createAllSync(places)(engine))
  const app = shardedRuntime(places, {
    shards: shardMap({ asia, europe }),
    choosers: choosers(places)({
      Place: byAttribute('home', { asia: 'asia', europe: 'europe' }),
      Counter: onlyOn('europe'),
    }),
  })
  const rows = ['asia', 'europe', 'asia'].map((home) => ({ home }))
  const insert = pipe(insertInto(places.Place), values(rows), returningEntities, Session.execute())
  expect(resultOf(Session.runSync(app)(insert)).map(({ id, home }) => [id, home])).toEqual([
    [1, 'asia'],
    [2, 'europe'],
    [3, 'asia'],
  ])
})
