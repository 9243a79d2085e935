import { createAll, limit, orderBy, select, selectin, withOptions } from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { type Either, isLeft, isRight, left, right } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { none, toNullable } from 'fp-ts/lib/Option.js'
import { SqliteDialect } from 'kysely'
import { describe, expect, it } from 'vitest'
import { errorOf, model, open, resultOf } from '../app.js'
import { heapGrowth } from '../heap-growth.js'

/** So many users, each with as many addresses as its number has remainder by three. */
const filled = (users: number, options: Session.RuntimeOptions = {}) => {
  const app = open(options)
  app.run(
    pipe(
      Session.addAll(
        model.User,
        Array.from({ length: users }, (_, i) => ({
          name: `user ${i + 1}`,
          addresses: Array.from({ length: (i + 1) % 3 }, (_, j) => ({ email: `${i + 1}.${j}@example.org` })),
        })),
      ),
      Session.chain(() => Session.commit),
    ),
  )
  app.clear()
  return app
}

const byId = pipe(select(model.User), orderBy('id'))
const names = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `user ${from + i}`)
const nameOf = (item: Either<unknown, { readonly name: string }>) => (isRight(item) ? item.right.name : item.left)

const collect = async <A>(items: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const all: A[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Is the engine's one connection free, and no transaction open? */
const isFree = ({ database, runtime }: ReturnType<typeof filled>): boolean =>
  !database.inTransaction && isRight(Session.runSync(runtime)(Session.query(pipe(select(model.User), limit(1)))))

describe('streamSync', () => {
  it('gives the results of a query one by one, as the query gives them', () => {
    const app = filled(7)
    const items = [...Session.streamSync(app.runtime, { chunk: 3 })(byId)]
    expect(items.map(resultOf)).toEqual(app.run(Session.query(byId)))
    expect(isFree({ ...app })).toBe(false)
    app.store.closeSync()
    expect(isFree(app)).toBe(true)
  })

  it('asks one query, in one transaction that is rolled back, and fetches chunk by chunk', () => {
    const app = filled(7)
    expect([...Session.streamSync(app.runtime, { chunk: 3 })(byId)]).toHaveLength(7)
    expect(app.asked().map((text) => text.split(' ')[0])).toEqual([
      'Begin',
      'OpenCursor',
      'Fetch',
      'Fetch',
      'Fetch',
      'Rollback',
    ])
  })

  it('loads what the query loads by one statement a relationship and chunk', () => {
    const app = filled(7)
    const withAddresses = pipe(byId, selectin('addresses', orderBy('email')))
    app.clear()
    const streamed = [...Session.streamSync(app.runtime, { chunk: 3 })(withAddresses)].map(resultOf)
    expect(app.asked().filter((text) => text.startsWith('select'))).toHaveLength(3)
    expect(streamed).toEqual(app.run(Session.query(withAddresses)))
    expect(streamed.map(({ addresses }) => addresses.length)).toEqual([1, 2, 0, 1, 2, 0, 1])
  })

  it('shows what is shared within a chunk once', () => {
    const app = filled(2)
    const addresses = pipe(select(model.Address), orderBy('id'), selectin('user'))
    const [, second, third] = [...Session.streamSync(app.runtime)(addresses)].map(resultOf)
    const users = [second, third].map((address) => toNullable(address?.user ?? none))
    expect(users[0]).toMatchObject({ name: 'user 2' })
    expect(users[0]).toBe(users[1])
  })

  it('is lazy, and can be iterated again', () => {
    const app = filled(3)
    const users = Session.streamSync(app.runtime)(byId)
    expect(app.asked()).toEqual([])
    expect([...users].map(nameOf)).toEqual(names(1, 3))
    app.database.exec("insert into users (name, joined_at) values ('user 4', '2026-01-01T00:00:00.000Z')")
    expect([...users].map(nameOf)).toEqual(names(1, 4))
  })

  it('gives nothing where there is nothing', () => {
    const app = filled(0)
    expect([...Session.streamSync(app.runtime)(byId)]).toEqual([])
    expect([...Session.streamChunksSync(app.runtime)(byId)]).toEqual([])
    expect(isFree(app)).toBe(true)
  })

  it.each([1, 2, 3, 6, 7, 8])('gives no empty chunk, and no row twice, in chunks of %i', (chunk) => {
    const app = filled(6)
    const chunks = [...Session.streamChunksSync(app.runtime, { chunk })(byId)].map(resultOf)
    expect(chunks.map(({ length }) => length)).toEqual(
      Array.from({ length: Math.ceil(6 / chunk) }, (_, i) => Math.min(chunk, 6 - i * chunk)),
    )
    expect(chunks.flat().map(({ name }) => name)).toEqual(names(1, 6))
  })

  it('gives everything back when the consumer stops', () => {
    const app = filled(7)
    for (const user of Session.streamSync(app.runtime, { chunk: 2 })(byId)) {
      expect(nameOf(user)).toBe('user 1')
      break
    }
    expect(isFree(app)).toBe(true)
    expect(() => {
      for (const _ of Session.streamSync(app.runtime, { chunk: 2 })(byId)) throw new Error('enough')
    }).toThrow('enough')
    expect(isFree(app)).toBe(true)
    // the database takes writes, which it does not while a query is being read
    app.database.exec("update users set name = 'x'")
  })

  it('holds the connection meanwhile: another session of the same engine is told so', () => {
    const app = filled(2)
    for (const _ of Session.streamSync(app.runtime)(byId)) {
      expect(errorOf(Session.runSync(app.runtime)(Session.query(byId)))).toMatchObject({
        _tag: 'DatabaseError',
        cause: { reason: { _tag: 'Unavailable' } },
      })
    }
    expect(isFree(app)).toBe(true)
  })

  it('ends with the failure where a row does not decode, after the chunks before it', () => {
    const app = filled(5)
    app.database.exec("update users set joined_at = 'yesterday' where id = 4")
    const items = [...Session.streamSync(app.runtime, { chunk: 2 })(byId)]
    expect(items.map(nameOf)).toEqual([
      'user 1',
      'user 2',
      expect.objectContaining({ _tag: 'DecodeError', key: 4, value: 'yesterday', column: 'joined_at' }),
    ])
    expect(isFree(app)).toBe(true)
  })

  it('ends with the failure of a load', () => {
    const app = filled(2)
    app.database.exec("update addresses set is_primary = 'maybe'")
    const items = [...Session.streamSync(app.runtime)(pipe(byId, selectin('addresses')))]
    expect(items.map((item) => errorOf(item))).toMatchObject([{ _tag: 'DecodeError', entity: 'Address' }])
    expect(isFree(app)).toBe(true)
  })

  it('takes values as they come where the query trusts them', () => {
    const app = filled(1)
    app.database.exec("update users set name = x'00' where id = 1")
    const items = [...Session.streamSync(app.runtime)(pipe(byId, withOptions({ strict: false })))]
    expect(items.map(resultOf)).toMatchObject([{ name: expect.any(Uint8Array) }])
  })

  it.each([
    ['of a table that is not there', 'DatabaseError'],
    ['of another model', 'ModelMismatch'],
    ['in chunks of no rows', 'InvalidValue'],
  ])('fails as a value: %s', (what, tag) => {
    const app = filled(1)
    if (what.includes('table')) app.database.exec('alter table users rename to people')
    const runtime = what.includes('model')
      ? { ...app.runtime, model: { ...model, mappingOf: new Map() } as never }
      : app.runtime
    const items = [...Session.streamSync(runtime, { chunk: what.includes('no rows') ? 0 : 10 })(byId)]
    expect(items.map((item) => errorOf(item)._tag)).toEqual([tag])
  })

  it('says so where the engine has to be waited for', () => {
    const database = new Database(':memory:')
    const runtime = Session.runtime(model, kyselyEngine(new SqliteDialect({ database })))
    expect([...Session.streamSync(runtime)(byId)].map((item) => errorOf(item)._tag)).toEqual(['NotSynchronous'])
  })

  it('gives pictures that are no instances of any session', () => {
    const app = filled(2)
    const [user] = [...Session.streamSync(app.runtime)(pipe(byId, selectin('addresses')))].map(resultOf)
    if (user === undefined) throw new Error('no user')
    expect(Object.isFrozen(user)).toBe(true)
    const known = app.run(Session.query(byId))
    expect(known).toHaveLength(2)
    expect(app.fails(Session.set(model.User, { name: 'x' })(user))).toMatchObject({ _tag: 'NotInSession' })
    expect(app.fails(Session.read(model.User)(user))).toMatchObject({ _tag: 'NotInSession' })
    for (const address of user.addresses) {
      expect(app.fails(Session.remove(model.Address)(address))).toMatchObject({ _tag: 'NotInSession' })
    }
  })

  it('gives pictures that a session merges, with what was loaded beside them', () => {
    const app = filled(2)
    const users = [...Session.streamSync(app.runtime)(pipe(byId, selectin('addresses')))].map(resultOf)
    const addresses = [
      ...Session.streamSync(app.runtime)(pipe(select(model.Address), orderBy('id'), selectin('user'))),
    ].map(resultOf)
    app.database.exec("update users set name = 'changed'; update addresses set email = id")
    app.run(
      pipe(
        users,
        Session.traverseArray((user) => Session.merge(model.User, user)),
        Session.chain(() => Session.commit),
      ),
    )
    expect(app.rows('users')).toMatchObject([{ name: 'user 1' }, { name: 'user 2' }])
    app.database.exec('update addresses set email = -id, user_id = null')
    app.run(
      pipe(
        addresses,
        Session.traverseArray((address) => Session.merge(model.Address, address)),
        Session.chain(() => Session.commit),
      ),
    )
    expect(app.rows('addresses')).toMatchObject(addresses.map(({ email, userId }) => ({ email, user_id: userId })))
    expect(app.run(Session.merge(model.User, users[0] as never, { load: false }))).toMatchObject({ id: 1 })
  })
})

describe('stream', () => {
  it('gives the results of a query one by one, as the query gives them', async () => {
    const app = filled(7)
    const withAddresses = pipe(byId, selectin('addresses'))
    const items = await collect(Session.stream(app.runtime, { chunk: 3 })(withAddresses))
    const chunks = (await collect(Session.streamChunks(app.runtime, { chunk: 3 })(byId))).map(resultOf)
    expect(items.map(resultOf)).toEqual(app.run(Session.query(withAddresses)))
    expect(chunks.map(({ length }) => length)).toEqual([3, 3, 1])
  })

  it('gives everything back when the consumer stops', async () => {
    const app = filled(7)
    for await (const _ of Session.stream(app.runtime, { chunk: 2 })(byId)) break
    expect(isFree(app)).toBe(true)
    const failing = async () => {
      for await (const _ of Session.streamChunks(app.runtime, { chunk: 2 })(byId)) throw new Error('enough')
    }
    await expect(failing()).rejects.toThrow('enough')
    expect(isFree(app)).toBe(true)
    app.database.exec("update users set name = 'x'")
  })

  it('takes nothing before the first item is asked for', async () => {
    const app = filled(2)
    const iterator = Session.stream(app.runtime)(byId)[Symbol.asyncIterator]()
    expect(app.asked()).toEqual([])
    expect(isFree(app)).toBe(true)
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  it('answers what is asked at the same time in order', async () => {
    const app = filled(5)
    const iterator = Session.stream(app.runtime, { chunk: 2 })(byId)[Symbol.asyncIterator]()
    const steps = await Promise.all(Array.from({ length: 7 }, () => iterator.next()))
    expect(steps.map((step) => (step.done === true ? null : nameOf(step.value)))).toEqual([...names(1, 5), null, null])
    expect(isFree(app)).toBe(true)
  })

  it('ends with the failure where a row does not decode', async () => {
    const app = filled(5)
    app.database.exec("update users set joined_at = 'yesterday' where id = 4")
    const items = await collect(Session.stream(app.runtime, { chunk: 2 })(byId))
    expect(items.map(nameOf)).toEqual(['user 1', 'user 2', expect.objectContaining({ _tag: 'DecodeError' })])
    expect(isFree(app)).toBe(true)
  })

  it('gives everything back after a defect, too', async () => {
    const app = filled(5)
    const broken: Session.Runtime = {
      ...app.runtime,
      open: () => {
        const interpreter = app.runtime.open()
        return {
          ...interpreter,
          *answer(request, state) {
            if (request._tag === 'Fetch') throw new Error('a bug')
            return yield* interpreter.answer(request, state)
          },
        }
      },
    }
    await expect(collect(Session.stream(broken)(byId))).rejects.toThrow('a bug')
    expect(isFree(app)).toBe(true)
    expect(() => [...Session.streamSync(broken)(byId)]).toThrow('a bug')
    expect(isFree(app)).toBe(true)
  })

  it('reads on other engines, beside which other programs run', async () => {
    const database = new Database(':memory:')
    const engine = kyselyEngine(new SqliteDialect({ database }))
    resultOf(await createAll(model)(engine)())
    const runtime = Session.runtime(model, engine)
    const drafts = Array.from({ length: 5 }, (_, i) => ({ name: `user ${i + 1}`, addresses: [{ email: `${i}` }] }))
    resultOf(
      await Session.run(runtime)(
        pipe(
          Session.addAll(model.User, drafts),
          Session.chain(() => Session.commit),
        ),
      )(),
    )
    const users = (await collect(Session.stream(runtime, { chunk: 2 })(pipe(byId, selectin('addresses'))))).map(
      resultOf,
    )
    expect(users.map(({ name, addresses }) => [name, addresses.length])).toEqual(names(1, 5).map((name) => [name, 1]))
    expect(database.inTransaction).toBe(false)
    await engine.close()
  })

  describe('with a signal', () => {
    it('ends as Interrupted when it is aborted between two items, and gives the connection back without being asked', async () => {
      const app = filled(5)
      const controller = new AbortController()
      const iterator = Session.stream(app.runtime, { chunk: 2, signal: controller.signal })(byId)[
        Symbol.asyncIterator
      ]()
      expect(await iterator.next()).toMatchObject({ value: right({ name: 'user 1' }) })
      controller.abort()
      await new Promise((resolve) => setImmediate(resolve))
      expect(isFree(app)).toBe(true)
      expect(await iterator.next()).toEqual({ done: false, value: left({ _tag: 'Interrupted' }) })
      expect(await iterator.next()).toEqual({ done: true, value: undefined })
    })

    it('ends as Interrupted when it is aborted while it waits', async () => {
      const app = filled(5)
      const controller = new AbortController()
      const items: unknown[] = []
      for await (const chunk of Session.streamChunks(app.runtime, { chunk: 2, signal: controller.signal })(byId)) {
        items.push(isLeft(chunk) ? chunk.left : chunk.right.length)
        queueMicrotask(() => controller.abort())
      }
      expect(items).toEqual([2, { _tag: 'Interrupted' }])
      expect(isFree(app)).toBe(true)
    })

    it('hears of it while neither the engine nor the consumer ever waits', async () => {
      const app = filled(1)
      app.database.exec(
        `with recursive n(i) as (select 2 union all select i + 1 from n where i < 100000)
         insert into users (name, joined_at) select i, '2026-01-01T00:00:00.000Z' from n`,
      )
      const soon = () => {
        const controller = new AbortController()
        setTimeout(() => controller.abort(), 1)
        return { signal: controller.signal, chunk: 10 }
      }
      let count = 0
      let last: Either<unknown, unknown> = right(null)
      for await (const user of Session.stream(app.runtime, soon())(byId)) {
        count++
        last = user
      }
      expect(count).toBeLessThan(100_000)
      expect(last).toEqual(left({ _tag: 'Interrupted' }))
      const program = pipe(
        byId,
        Session.forEachChunk(() => Session.of(1), { chunk: 10 }),
      )
      expect(await Session.run(app.runtime, soon())(program)()).toEqual(left({ _tag: 'Interrupted' }))
      expect(isFree(app)).toBe(true)
    })

    it('asks nothing where it is aborted already', async () => {
      const app = filled(5)
      const items = await collect(Session.stream(app.runtime, { signal: AbortSignal.abort() })(byId))
      expect(items).toEqual([left({ _tag: 'Interrupted' })])
      expect(app.asked()).toEqual([])
    })

    it('says nothing more when the consumer has stopped, and is not listened to any more', async () => {
      const app = filled(5)
      const controller = new AbortController()
      const listening = new Set<unknown>()
      const { signal } = controller
      const add = signal.addEventListener.bind(signal)
      const remove = signal.removeEventListener.bind(signal)
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listening.add(args[1])
        add(...args)
      }
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listening.delete(args[1])
        remove(...args)
      }
      for await (const _ of Session.stream(app.runtime, { chunk: 2, signal })(byId)) {
        expect(listening.size).toBe(1)
        break
      }
      expect(listening.size).toBe(0)
      expect(await collect(Session.stream(app.runtime, { signal })(byId))).toHaveLength(5)
      expect(listening.size).toBe(0)
      const iterator = Session.stream(app.runtime, { chunk: 2, signal })(byId)[Symbol.asyncIterator]()
      await iterator.next()
      controller.abort()
      expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
      expect(await iterator.next()).toEqual({ done: true, value: undefined })
      expect(isFree(app)).toBe(true)
    })
  })
})

describe('a stream of many rows', () => {
  it('holds no more of them than a chunk', () => {
    const app = filled(0)
    const rows = 200_000
    app.database.exec(
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows})
       insert into users (name, joined_at) select 'a name of some length, number ' || i, '2026-01-01T00:00:00.000Z' from n`,
    )
    const growth = heapGrowth()
    let count = 0
    for (const chunk of Session.streamChunksSync(app.runtime)(byId)) {
      count += resultOf(chunk).length
      if (count % 20_000 === 0) growth.measure()
    }
    expect(count).toBe(rows)
    // all of them take fifty times as much
    expect(growth.most()).toBeLessThan(2_000_000)
  }, 20_000)
})
