import {
  createAll,
  defineModel,
  deleteFrom,
  type Engine,
  entity,
  generated,
  type IsolationLevel,
  integer,
  type Managed,
  nullable,
  primaryKey,
  select,
  text,
  unique,
} from '@unitary/core'
import * as Session from '@unitary/session'
import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import {
  type Host,
  mysqlHost,
  postgresHost,
  skipped,
  sqliteHost,
  type TestDatabase,
} from '../../core/engine/databases.js'
import { errorOf, openOn, resultOf } from '../app.js'

const Tag = entity('Tag', 'tags', {
  id: pipe(integer, primaryKey, generated),
  name: pipe(text, unique),
  color: pipe(text, nullable, unique),
})
const Post = entity('Post', 'posts', { id: pipe(integer, primaryKey, generated), title: pipe(text, unique) })
const model = defineModel({ Tag, Post })((r) => ({
  Post: {
    tags: r.Post.manyToMany('Tag', {
      through: { table: 'post_tags', own: ['postId'], target: ['tagId'] },
      orderBy: 'id',
    }),
  },
}))

type Tagged = Managed<typeof model, 'Tag'>

const tagged = (name: string) => Session.unique(model.Tag, { name }, () => ({ name }))

describe('unique', () => {
  test('makes the instance where there is none: two statements within a savepoint, and its key is known', () => {
    const app = openOn(model)
    expectTypeOf(tagged('red')).toEqualTypeOf<Session.Program<Session.UniqueError, Tagged>>()
    const red = app.run(tagged('red'))
    expect(red).toMatchObject({ id: 1, name: 'red', color: null })
    expect(app.asked().map((asked) => asked.replace(/^select.*/, 'select'))).toEqual([
      'Begin',
      'select',
      'Savepoint unitary_1',
      'Insert tags 1',
      'ReleaseSavepoint unitary_1',
    ])
    app.run(Session.commit)
    expect(app.rows('tags')).toEqual([{ id: 1, name: 'red', color: null }])
  })

  test('gives the one that is there, by one statement, and does not make the draft', () => {
    const app = openOn(model)
    app.run(Session.add(model.Tag, { name: 'red' }))
    app.run(Session.commit)
    let drafts = 0
    const wanted = Session.unique(model.Tag, { name: 'red' }, () => {
      drafts++
      return { name: 'red' }
    })
    const [red, statements] = app.counted(wanted)
    expect(red).toMatchObject({ id: 1 })
    expect(statements).toHaveLength(1)
    expect(drafts).toBe(0)
    expect(app.run(wanted)).toBe(red)
  })

  test('finds what the session itself has pending, with autoflush and without', () => {
    for (const autoflush of [true, false]) {
      const app = openOn(model, { autoflush })
      const pending = app.run(Session.add(model.Tag, { name: 'red' }))
      const found = app.run(tagged('red'))
      const ids = [pending, found].map((one) => Session.inspect(app.store.getState(), one)?.id)
      expect(ids[0]).toBe(ids[1])
      app.run(Session.commit)
      expect(app.rows('tags')).toHaveLength(1)
    }
  })

  test('is one instance for all who ask within a program', () => {
    const app = openOn(model)
    const titles = ['a', 'b', 'c']
    app.run(
      Session.traverseArray((title: string) =>
        Session.gen(function* () {
          const tags = yield* Session.traverseArray(tagged)(['red', title])
          yield* Session.add(model.Post, { title, tags })
        }),
      )(titles),
    )
    app.run(Session.commit)
    expect(app.rows('tags').map((row) => (row as { name: string }).name)).toEqual(['red', 'a', 'b', 'c'])
    expect(app.rows('post_tags')).toHaveLength(6)
  })

  test('is undone with the savepoint or transaction that it is in', () => {
    const app = openOn(model)
    app.run(Session.beginNested)
    const red = app.run(tagged('red'))
    app.run(Session.rollbackNested)
    expect(Session.inspect(app.store.getState(), red)?.status).toBe('transient')
    app.run(tagged('red'))
    app.run(Session.rollback)
    expect(app.rows('tags')).toEqual([])
  })

  test('fails with the database’s refusal where another constraint is what the draft does not keep', () => {
    const app = openOn(model)
    app.run(Session.add(model.Tag, { name: 'red', color: 'f00' }))
    app.run(Session.commit)
    const crimson = Session.unique(model.Tag, { name: 'crimson' }, () => ({ name: 'crimson', color: 'f00' }))
    expect(app.fails(crimson)).toMatchObject({
      _tag: 'IntegrityError',
      reason: { _tag: 'UniqueViolation' },
      attributes: ['color'],
      values: ['f00'],
    })
    // and costs its savepoint alone
    app.run(Session.add(model.Tag, { name: 'blue' }))
    app.run(Session.commit)
    expect(app.rows('tags')).toMatchObject([{ name: 'red' }, { name: 'blue' }])
  })

  test('fails with the flush’s own error where it is something else that cannot be written', () => {
    const app = openOn(model, { autoflush: false })
    app.run(Session.add(model.Post, { title: 'a' }))
    app.run(Session.commit)
    app.run(Session.add(model.Post, { title: 'a' }))
    expect(app.fails(tagged('red'))).toMatchObject({ _tag: 'IntegrityError', entity: 'Post', attributes: ['title'] })
    expect(app.fails(tagged('red'))).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.rollback)
    app.run(tagged('red'))
  })

  test('refuses a draft that does not fit, and inserts nothing', () => {
    const app = openOn(model)
    expect(app.fails(Session.unique(model.Tag, { name: 'red' }, () => ({ name: 5 }) as never))).toMatchObject({
      _tag: 'InvalidValue',
      attribute: 'name',
    })
    expect(app.run(Session.commit).inserted).toBe(0)
  })
})

const suite = (host: Host, tests: (open: (isolationLevel?: IsolationLevel) => Session.Store) => void): void => {
  const why = skipped(host)
  describe.skipIf(why !== null)(why === null ? host.name : `${host.name} (${why})`, () => {
    let database: TestDatabase
    let engines: Engine[] = []
    let stores: Session.Store[] = []
    beforeEach(async () => {
      database = await host.create()
      engines = [database.open()]
      stores = []
      resultOf(await createAll(model)(engines[0] as Engine)())
    })
    afterEach(async () => {
      for (const store of stores) await store.close()
      for (const engine of engines) await engine.close()
      await database.drop()
    })
    tests((isolationLevel) => {
      const engine = database.open(1)
      engines.push(engine)
      const store = Session.createStore(
        Session.runtime(model, engine, isolationLevel === undefined ? {} : { isolationLevel }),
      )
      stores.push(store)
      return store
    })
  })
}

const run = async <E, A>(store: Session.Store, program: Session.Program<E, A>): Promise<A> =>
  resultOf(await store.run(program)())

const names = async (store: Session.Store) =>
  (await run(store, Session.query(select(model.Tag)))).map(({ name }) => name).toSorted()

/** Every one asks at the same time, and commits. */
const allAtOnce = async (stores: ReadonlyArray<Session.Store>): Promise<void> => {
  const programs = stores.map((store) =>
    store.run(Session.chain((tag: Tagged) => Session.map(() => tag)(Session.commit))(tagged('red')))(),
  )
  const found = (await Promise.all(programs)).map(resultOf)
  expect(new Set(found.map(({ id }) => id)).size).toBe(1)
  expect(await names(stores[0] as Session.Store)).toEqual(['red'])
}

/** The first looks, the second inserts and commits, and then the first inserts. */
const secondComes = async (a: Session.Store, b: Session.Store): Promise<Either<Session.UniqueError, Tagged>> => {
  await run(a, Session.query(select(model.Tag)))
  const theirs = await run(b, Session.chain((tag: Tagged) => Session.map(() => tag)(Session.commit))(tagged('red')))
  const outcome = await a.run(tagged('red'))()
  if (outcome._tag === 'Right') expect(outcome.right).toMatchObject({ id: theirs.id, name: 'red' })
  return outcome
}

describe('two sessions that want the same one', () => {
  suite(postgresHost, (open) => {
    test('get the same, when all ask at once', () => allAtOnce(Array.from({ length: 6 }, () => open())))

    test('the second gets what the first has inserted, and its transaction goes on', async () => {
      const [a, b] = [open(), open()]
      await run(a, Session.add(model.Post, { title: 'kept' }))
      expect(await secondComes(a, b)).toMatchObject({ _tag: 'Right' })
      await run(a, Session.commit)
      expect(await run(b, Session.query(select(model.Post)))).toHaveLength(1)
      expect(await names(b)).toEqual(['red'])
    })

    test('the second waits for the first, and inserts where that is rolled back', async () => {
      const [a, b] = [open(), open()]
      await run(a, tagged('red'))
      const waiting = run(b, tagged('red'))
      await new Promise((resolve) => setTimeout(resolve, 50))
      await run(a, Session.rollback)
      expect(await waiting).toMatchObject({ name: 'red' })
      await run(b, Session.commit)
      expect(await names(a)).toEqual(['red'])
    })

    test('one that sees an older state is refused, and may look again in another transaction', async () => {
      for (const level of ['repeatable read', 'serializable'] as const) {
        const [a, b] = [open(level), open()]
        const error = errorOf(await secondComes(a, b))
        expect(['IntegrityError', 'DatabaseError']).toContain(error._tag)
        await run(a, Session.rollback)
        expect(await run(a, tagged('red'))).toMatchObject({ name: 'red' })
        await run(a, Session.execute({ synchronize: 'none' })(deleteFrom(model.Tag)))
        await run(a, Session.commit)
      }
    })
  })

  suite(mysqlHost, (open) => {
    test('get the same, when all ask at once', () => allAtOnce(Array.from({ length: 6 }, () => open())))

    test.each(['read committed', 'repeatable read'] as const)(
      '%s: the second gets what the first has inserted, and its transaction goes on',
      async (level) => {
        const [a, b] = [open(level), open(level)]
        await run(a, Session.add(model.Post, { title: 'kept' }))
        expect(await secondComes(a, b)).toMatchObject({ _tag: 'Right' })
        await run(a, Session.commit)
        expect(await run(b, Session.query(select(model.Post)))).toHaveLength(1)
        expect(await names(b)).toEqual(['red'])
      },
    )
  })

  suite(sqliteHost('SQLite', { busyTimeout: 20 }), (open) => {
    test('get the same, one after another', async () => {
      const [a, b] = [open(), open()]
      const mine = await run(a, tagged('red'))
      await run(a, Session.commit)
      expect(await run(b, tagged('red'))).toMatchObject({ id: mine.id })
    })

    test('the second is told to try again where it has looked before the first wrote', async () => {
      const [a, b] = [open(), open()]
      expect(errorOf(await secondComes(a, b))).toMatchObject({
        _tag: 'DatabaseError',
        retryable: true,
        cause: { reason: { _tag: 'SerializationFailure' } },
      })
      await run(a, Session.rollback)
      expect(await run(a, tagged('red'))).toMatchObject({ id: 1, name: 'red' })
      await run(a, Session.commit)
      expect(await names(b)).toEqual(['red'])
    })

    test('the second is told to try again while the first has not committed', async () => {
      const [a, b] = [open(), open()]
      await run(a, tagged('red'))
      expect(errorOf(await b.run(tagged('red'))())).toMatchObject({
        _tag: 'DatabaseError',
        retryable: true,
        cause: { reason: { _tag: 'LockTimeout' } },
      })
      await run(a, Session.commit)
      await run(b, Session.rollback)
      expect(await run(b, tagged('red'))).toMatchObject({ id: 1 })
    })
  })
})
