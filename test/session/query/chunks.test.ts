import { limit, orderBy, type Snapshot, select, selectin, where, withOptions } from '@unitary/core'
import * as Session from '@unitary/session'
import { isLeft, isRight } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { type App, model, open } from '../app.js'
import { heapGrowth } from '../heap-growth.js'

/** So many users, each with an address. */
const filled = (users: number, options: Session.RuntimeOptions = {}): App => {
  const app = open(options)
  const insertUser = app.database.prepare("insert into users (name, joined_at) values (?, '2026-01-01T00:00:00.000Z')")
  const insertAddress = app.database.prepare('insert into addresses (email, is_primary, user_id) values (?, 0, ?)')
  app.database.transaction(() => {
    for (let i = 1; i <= users; i++) {
      insertUser.run(`user ${i}`)
      insertAddress.run(`${i}@example.org`, i)
    }
  })()
  return app
}

const byId = pipe(select(model.User), orderBy('id'))
const names = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `user ${from + i}`)
const namesOf = (users: ReadonlyArray<{ readonly name: string }>) => users.map(({ name }) => name)
const held = (app: App) => Session.inspectAll(app.store.getState())
const set = (name: string) => Session.set(model.User, { name })

const chunked = (app: App, chunk: number) =>
  app.run(
    pipe(
      byId,
      Session.foldChunks(
        [] as ReadonlyArray<ReadonlyArray<string>>,
        (all, users) => Session.of([...all, namesOf(users)]),
        { chunk },
      ),
    ),
  )

describe('foldChunks', () => {
  it('folds the results of a query, chunk by chunk, in its order', () => {
    const app = filled(5)
    expect(chunked(app, 2)).toEqual([names(1, 2), names(3, 4), names(5, 5)])
    expect(chunked(app, 5)).toEqual([names(1, 5)])
    expect(chunked(app, 100)).toEqual([names(1, 5)])
    expect(chunked(filled(0), 2)).toEqual([])
  })

  it('asks the query once, and loads beside it by one statement a relationship and chunk', () => {
    const app = filled(5)
    const count = pipe(
      byId,
      selectin('addresses'),
      Session.foldChunks(
        0,
        (sum, users) => Session.of(users.reduce((all, { addresses }) => all + addresses.length, sum)),
        { chunk: 2 },
      ),
    )
    expect(app.run(count)).toBe(5)
    const kinds = app.asked().map((text) => text.split(' ')[0])
    expect(kinds).toEqual([
      'Begin',
      'OpenCursor',
      'Fetch',
      'select',
      'Fetch',
      'select',
      'Fetch',
      'select',
      'CloseCursor',
    ])
  })

  it('goes through many thousands of chunks without a deeper stack', () => {
    const app = filled(1)
    app.database.exec(
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
       insert into users (name, joined_at) select i, '2026-01-01T00:00:00.000Z' from n`,
    )
    const count = pipe(
      byId,
      limit(20_000),
      Session.foldChunks(0, (sum, users) => Session.of(sum + users.length), { chunk: 1 }),
    )
    expect(app.run(count)).toBe(20_000)
  })

  it('refuses chunks of no rows, and of half a row', () => {
    const app = filled(1)
    for (const chunk of [0, -1, 1.5, Number.NaN]) {
      const program = pipe(
        byId,
        Session.forEachChunk(() => Session.of(1), { chunk }),
      )
      expect(app.fails(program)).toMatchObject({ _tag: 'InvalidValue', attribute: 'chunk' })
    }
  })
})

describe('forEachChunk', () => {
  it('flushes what is pending before the query', () => {
    const app = filled(1)
    const seen: string[] = []
    app.run(
      pipe(
        Session.add(model.User, { name: 'new' }),
        Session.chain(() =>
          pipe(
            byId,
            Session.forEachChunk((users) => Session.of(seen.push(...namesOf(users)))),
          ),
        ),
      ),
    )
    expect(seen).toEqual(['user 1', 'new'])
    const without = pipe(
      Session.add(model.User, { name: 'newer' }),
      Session.chain(() =>
        pipe(
          byId,
          withOptions({ autoflush: false }),
          Session.foldChunks(0, (sum, users) => Session.of(sum + users.length)),
        ),
      ),
    )
    expect(app.run(without)).toBe(2)
  })

  it('lets the program change its instances, and writes that chunk by chunk', () => {
    const app = filled(5)
    app.run(
      pipe(
        byId,
        Session.forEachChunk(
          Session.traverseArray((user) => pipe(user, set(`${user.name}!`))),
          { chunk: 2 },
        ),
        Session.chain(() => Session.commit),
      ),
    )
    expect(app.rows('users')).toMatchObject(names(1, 5).map((name) => ({ name: `${name}!` })))
    expect(app.asked().filter((text) => text.startsWith('Update'))).toEqual([
      'Update users 2',
      'Update users 2',
      'Update users 1',
    ])
  })

  it('gives the rows that there were when it began, whatever is written meanwhile', () => {
    const app = filled(6)
    const seen: string[] = []
    app.run(
      pipe(
        byId,
        Session.forEachChunk(
          (users) =>
            pipe(
              Session.sql(sql`update users set name = 'x'`),
              Session.chain(() => Session.sql(sql`delete from addresses`)),
              Session.chain(() => Session.sql(sql`delete from users where id = 5`)),
              Session.chain(() => Session.add(model.User, { name: 'one more' })),
              Session.map(() => seen.push(...namesOf(users))),
            ),
          { chunk: 2 },
        ),
      ),
    )
    expect(seen).toEqual(names(1, 6))
  })

  it('goes on after a commit of the program', () => {
    const app = filled(5)
    const seen: string[] = []
    app.run(
      pipe(
        byId,
        Session.forEachChunk(
          (users) =>
            pipe(
              users,
              Session.traverseArray((user) => pipe(user, set('done'))),
              Session.chain(() => Session.commit),
              Session.map(() => seen.push(...namesOf(users))),
            ),
          { chunk: 2 },
        ),
      ),
    )
    expect(seen).toEqual(names(1, 5))
    expect(app.rows('users')).toMatchObject(names(1, 5).map(() => ({ name: 'done' })))
    expect(app.database.inTransaction).toBe(false)
    // and the connection has been given back with the last commit
    expect(isRight(Session.runSync(app.runtime)(Session.query(byId)))).toBe(true)
  })

  it('goes on after a chunk that fails and has a savepoint of its own', () => {
    const app = filled(6)
    const seen: string[] = []
    app.run(
      pipe(
        byId,
        Session.forEachChunk(
          (users) =>
            pipe(
              users,
              Session.traverseArray((user) => pipe(user, set('done'))),
              Session.chain(() => Session.flush),
              Session.chain(() => (users[0]?.id === 3 ? Session.fail('no' as const) : Session.of(undefined))),
              Session.nested,
              Session.catchError(() => Session.of(undefined)),
              Session.map(() => seen.push(...namesOf(users))),
            ),
          { chunk: 2 },
        ),
        Session.chain(() => Session.commit),
      ),
    )
    expect(seen).toEqual(names(1, 6))
    expect((app.rows('users') as ReadonlyArray<{ readonly name: string }>).map(({ name }) => name)).toEqual([
      'done',
      'done',
      'user 3',
      'user 4',
      'done',
      'done',
    ])
  })

  it('fails after a rollback of the program, where rows are left', () => {
    const app = filled(4)
    const rollingBack = pipe(
      byId,
      Session.forEachChunk(() => Session.rollback, { chunk: 3 }),
    )
    expect(app.fails(rollingBack)).toMatchObject({
      _tag: 'DatabaseError',
      operation: 'query',
      cause: { reason: { _tag: 'Unavailable' } },
    })
    expect(
      app.run(
        pipe(
          byId,
          limit(2),
          Session.forEachChunk(() => Session.rollback, { chunk: 3 }),
        ),
      ),
    ).toBeUndefined()
    expect(app.run(Session.query(byId))).toHaveLength(4)
  })

  it('goes on after a rollback that comes after a commit', () => {
    const app = filled(6)
    let chunks = 0
    app.run(
      pipe(
        byId,
        Session.forEachChunk(() => (++chunks === 1 ? Session.commit : Session.rollback), { chunk: 2 }),
      ),
    )
    expect(chunks).toBe(3)
  })

  it('ends with the failure of the program, and can be gone through again', () => {
    const app = filled(5)
    const failing = pipe(
      byId,
      Session.forEachChunk((users) => (users[0]?.id === 3 ? Session.fail('no' as const) : Session.of(1)), { chunk: 2 }),
    )
    expect(app.fails(failing)).toBe('no')
    expect(app.asked().at(-1)).toMatch(/^CloseCursor/)
    // the transaction goes on
    app.run(
      pipe(
        Session.add(model.User, { name: 'new' }),
        Session.chain(() => Session.commit),
      ),
    )
    expect(chunked(app, 4)).toEqual([names(1, 4), ['user 5', 'new']])
  })

  it('does not go on while a failed flush waits to be rolled back', () => {
    const app = filled(4)
    const broken = pipe(
      byId,
      Session.forEachChunk(
        () =>
          pipe(
            Session.add(model.Address, { email: '1@example.org' }),
            Session.chain(() => Session.flush),
            Session.catchError(() => Session.of(undefined)),
          ),
        { chunk: 2 },
      ),
    )
    expect(app.fails(broken)).toMatchObject({ _tag: 'PendingRollback' })
  })

  it('ends with the failure to decode a row', () => {
    const app = filled(5)
    app.database.exec("update users set joined_at = 'yesterday' where id = 4")
    const seen: unknown[] = []
    expect(
      app.fails(
        pipe(
          byId,
          Session.forEachChunk((users) => Session.of(seen.push(...users)), { chunk: 2 }),
        ),
      ),
    ).toMatchObject({ _tag: 'DecodeError', key: 4 })
    expect(seen).toHaveLength(2)
  })

  it('is given up with everything else after a defect, and when it is aborted', async () => {
    const app = filled(5)
    const buggy = pipe(
      byId,
      Session.forEachChunk((): Session.Program<never, never> => {
        throw new Error('a bug')
      }),
    )
    expect(() => Session.runSync(app.runtime)(buggy)).toThrow('a bug')
    expect(() => app.run(buggy)).toThrow('a bug')
    const controller = new AbortController()
    const aborted = await Session.run(app.runtime, { signal: controller.signal })(
      pipe(
        byId,
        Session.forEachChunk(() => Session.of(controller.abort()), { chunk: 2 }),
      ),
    )()
    expect(isLeft(aborted) && aborted.left).toEqual({ _tag: 'Interrupted' })
    app.database.exec("update users set name = 'free'")
  })

  it('gives back a connection that it has kept over a commit, however it ends', async () => {
    const ends: ReadonlyArray<(controller: AbortController) => Session.Program<'no', unknown>> = [
      () => Session.fail('no'),
      (controller) => Session.of(controller.abort()),
      () => {
        throw new Error('a bug')
      },
    ]
    for (const end of ends) {
      const app = filled(5)
      const program = (controller: AbortController) =>
        pipe(
          byId,
          Session.forEachChunk(
            () =>
              pipe(
                Session.commit,
                Session.chain(() => end(controller)),
              ),
            { chunk: 2 },
          ),
        )
      const outcome = async (run: (controller: AbortController) => () => Promise<unknown>) => {
        const controller = new AbortController()
        try {
          await run(controller)()
        } catch {
          // the bug
        }
        expect(isRight(Session.runSync(app.runtime)(Session.query(byId)))).toBe(true)
      }
      await outcome((controller) => Session.run(app.runtime, controller)(program(controller)))
      await outcome((controller) => app.store.run(program(controller), controller))
      // and a store goes on
      expect(chunked(app, 3)).toEqual([names(1, 3), names(4, 5)])
      app.store.closeSync()
    }
  })

  it('goes through one query within another', () => {
    const app = filled(3)
    const pairs: Array<readonly [number, number]> = []
    app.run(
      pipe(
        byId,
        Session.forEachChunk(
          (outer) =>
            pipe(
              byId,
              Session.forEachChunk(
                (inner) =>
                  Session.of(pairs.push(...outer.flatMap((one) => inner.map((other) => [one.id, other.id] as const)))),
                { chunk: 2 },
              ),
            ),
          { chunk: 2 },
        ),
      ),
    )
    expect(new Set(pairs.map(String)).size).toBe(9)
    expect(held(app)).toEqual([])
  })

  it('gives the same under both interpreters', async () => {
    const app = filled(5)
    const program = pipe(
      byId,
      selectin('addresses'),
      Session.foldChunks(
        [] as ReadonlyArray<unknown>,
        (all, users) =>
          pipe(
            users,
            Session.traverseArray((user) => pipe(user, set('x'))),
            Session.map((changed) => [...all, users, changed]),
          ),
        { chunk: 2 },
      ),
    )
    const sync = Session.runSync(app.runtime)(program)
    expect(await Session.run(app.runtime)(program)()).toEqual(sync)
    expect(isRight(sync) && sync.right).toHaveLength(6)
  })
})

describe('what a chunk has brought', () => {
  const keeping = (app: App, chunk: number) =>
    app.run(
      pipe(
        byId,
        selectin('addresses'),
        Session.foldChunks([] as ReadonlyArray<Snapshot<'User'>>, (all, users) => Session.of([...all, ...users]), {
          chunk,
        }),
      ),
    )

  it('is gone after it, with what was loaded beside it', () => {
    const app = filled(5)
    const users = keeping(app, 2)
    expect(held(app)).toEqual([])
    expect(users).toHaveLength(5)
    for (const user of users) {
      expect(app.fails(pipe(user, Session.read(model.User)))).toMatchObject({ _tag: 'NotInSession' })
    }
    // what is loaded later is something else
    const again = app.run(Session.query(byId))
    expect(again.map((user) => app.run(pipe(user, Session.read(model.User))).id)).toEqual([1, 2, 3, 4, 5])
    for (const user of users) expect(app.fails(pipe(user, set('x')))).toMatchObject({ _tag: 'NotInSession' })
  })

  it('stays where it is to be kept', () => {
    const app = filled(5)
    app.run(
      pipe(
        byId,
        Session.forEachChunk(() => Session.of(1), { chunk: 2, keep: true }),
      ),
    )
    expect(held(app).map(({ identity }) => identity?.key)).toEqual([1, 2, 3, 4, 5])
    app.clear()
    app.run(Session.get(model.User, 3))
    expect(app.asked()).toEqual([])
  })

  it('does not take along what the session had before', () => {
    const app = filled(5)
    const before = app.run(
      Session.query(
        pipe(
          byId,
          where((eb) => eb('id', 'in', [2, 3])),
        ),
      ),
    )
    const all = keeping(app, 2)
    // nor what was loaded of it
    expect(held(app).map(({ entity, identity }) => [entity, identity?.key])).toEqual([
      ['User', 2],
      ['User', 3],
      ['Address', 2],
      ['Address', 3],
    ])
    expect(before.map((user) => app.run(pipe(user, Session.read(model.User))))).toEqual(before)
    expect(app.run(pipe(all[1] as Snapshot<'User'>, Session.read(model.User)))).toBe(before[0])
    expect(app.run(pipe(before[0] as Snapshot<'User'>, Session.related(model.User, 'addresses')))).toHaveLength(1)
  })

  it('stays where an instance that stays has come to refer to it', () => {
    const app = filled(4)
    const user = app.run(
      pipe(
        Session.add(model.User, { name: 'collector' }),
        Session.chainFirst(() => Session.flush),
        Session.chainFirst(Session.load(model.User, 'addresses')),
      ),
    )
    app.run(
      pipe(
        select(model.Address),
        orderBy('id'),
        Session.forEachChunk(
          (addresses) =>
            addresses[0]?.id === 3
              ? pipe(user, Session.append(model.User, 'addresses', addresses[0]))
              : Session.of(undefined),
          { chunk: 2 },
        ),
        Session.chain(() => Session.commit),
      ),
    )
    expect(held(app).map(({ entity, identity }) => [entity, identity?.key])).toEqual([
      ['User', 5],
      ['Address', 3],
    ])
    expect(app.rows('addresses')).toMatchObject([{ user_id: 1 }, { user_id: 2 }, { user_id: 5 }, { user_id: 4 }])
  })

  it('stays as long as no flush has written its changes', () => {
    const app = filled(3, { autoflush: false })
    app.run(
      pipe(
        byId,
        Session.forEachChunk(
          Session.traverseArray((user) => (user.id === 2 ? pipe(user, set('x')) : Session.of(user))),
          {
            chunk: 2,
          },
        ),
      ),
    )
    expect(held(app).map(({ identity, changed }) => [identity?.key, changed])).toEqual([[2, ['name']]])
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'user 1' }, { name: 'x' }, { name: 'user 3' }])
  })

  it('is gone where it was deleted, whether or not that is committed', () => {
    for (const end of [Session.flush, Session.commit]) {
      const app = filled(4)
      app.run(
        pipe(
          select(model.Address),
          Session.forEachChunk(
            (addresses) =>
              pipe(
                addresses,
                Session.traverseArray(Session.remove(model.Address)),
                Session.chain((): Session.Program<Session.FlushError, unknown> => end),
              ),
            { chunk: 3 },
          ),
        ),
      )
      expect(held(app)).toEqual([])
      expect(app.rows('addresses')).toEqual([])
      app.run(Session.rollback)
      expect(app.rows('addresses')).toHaveLength(end === Session.flush ? 4 : 0)
      expect(app.run(Session.query(select(model.Address)))).toHaveLength(end === Session.flush ? 4 : 0)
    }
  })

  it('does not come back with a rollback, and what the program has added does', () => {
    const app = filled(3)
    const add = (user: { readonly name: string }) => Session.add(model.User, { name: `copy of ${user.name}` })
    const copies = app.run(
      pipe(
        byId,
        Session.foldChunks(
          [] as ReadonlyArray<Snapshot<'User'>>,
          (all, users) =>
            pipe(
              users,
              Session.traverseArray((user) =>
                pipe(
                  user,
                  set('changed'),
                  Session.chain(() => add(user)),
                ),
              ),
              Session.map((added) => [...all, ...added]),
            ),
          { chunk: 2 },
        ),
      ),
    )
    expect(held(app).map(({ status, attributes }) => [status, attributes.name])).toEqual(
      names(1, 3).map((name) => ['persistent', `copy of ${name}`]),
    )
    app.run(Session.rollback)
    expect(held(app).map(({ status }) => status)).toEqual(['transient', 'transient', 'transient'])
    expect(app.rows('users')).toMatchObject(names(1, 3).map((name) => ({ name })))
    app.run(
      pipe(
        copies,
        Session.traverseArray((copy) => Session.add(model.User, copy)),
        Session.chain(() => Session.commit),
      ),
    )
    expect(app.rows('users')).toHaveLength(6)
  })

  it('leaves a session that works, whatever a savepoint around it does', () => {
    const app = filled(4)
    const changing = pipe(
      byId,
      selectin('addresses'),
      Session.forEachChunk(
        Session.traverseArray((user) => pipe(user, set('changed'))),
        { chunk: 3 },
      ),
    )
    app.run(
      pipe(
        Session.get(model.User, 1),
        Session.chain(() => Session.beginNested),
        Session.chain(() => changing),
        Session.chain(() => Session.rollbackNested),
      ),
    )
    expect(held(app).map(({ entity, identity }) => [entity, identity?.key])).toEqual([
      ['User', 1],
      ['Address', 1],
    ])
    expect(app.run(Session.query(byId)).map(({ name }) => name)).toEqual(names(1, 4))
    app.run(
      pipe(
        Session.beginNested,
        Session.chain(() => changing),
        Session.chain(() => Session.commitNested),
        Session.chain(() => Session.commit),
      ),
    )
    expect(app.run(Session.query(byId)).map(({ name }) => name)).toEqual(names(1, 4).map(() => 'changed'))
  })

  it('takes no memory, however many rows there are, also where they are written', () => {
    const app = filled(1)
    const rows = 40_000
    app.database.exec(
      `with recursive n(i) as (select 2 union all select i + 1 from n where i < ${rows})
       insert into users (name, joined_at) select 'a name of some length, number ' || i, '2026-01-01T00:00:00.000Z' from n`,
    )
    app.clear()
    const growth = heapGrowth()
    let count = 0
    app.run(
      pipe(
        byId,
        Session.forEachChunk(
          (users) => {
            count += users.length
            app.clear()
            if (count % 10_000 === 0) growth.measure()
            return pipe(
              users,
              Session.traverseArray((user) => pipe(user, set('changed'))),
            )
          },
          { chunk: 500 },
        ),
      ),
    )
    expect(count).toBe(rows)
    // all of them take ten times as much
    expect(growth.most()).toBeLessThan(2_000_000)
    expect(held(app)).toEqual([])
  }, 20_000)
})
