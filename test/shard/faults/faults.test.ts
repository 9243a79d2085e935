/**
 * Shards that hang, are down, lose connections or refuse to serialize: an error or another attempt in time, nothing lost,
 * nothing doubled, nothing left behind.
 */
import { deleteFrom, limit, orderBy, select, selectScalar, set, update, where, withOptions } from '@unitary/core'
import * as Session from '@unitary/session'
import { atomic, createCommitTables, onShard } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { leftOf, rightOf } from '../weather.js'
import { type Home, homes, hosts, model, type Shards } from './hosts.js'

const items = select(model.Item)
const byId = pipe(items, orderBy('id'))
const ids = (rows: ReadonlyArray<{ readonly id: number }>) => rows.map(({ id }) => id)
const everyId = [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32]
const without = (...homesLeftOut: ReadonlyArray<Home>) =>
  everyId.filter((id) => !homesLeftOut.includes(homes[Math.floor(id / 10)] as Home))

/** Runs something, with how long it took. */
const timed = async <A>(work: () => Promise<A>): Promise<readonly [A, milliseconds: number]> => {
  const begun = performance.now()
  const value = await work()
  return [value, performance.now() - begun]
}

const soon = async (check: () => boolean | Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 100; tries++) {
    if (await check()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(await check()).toBe(true)
}

const retry: Session.RetryPolicy = { attempts: 4, delay: () => 20 }

describe.each(hosts)('shards of $name', ({ missing, name, open, sleeps }) => {
  describe.skipIf(missing !== null)(missing ?? 'behind proxies', () => {
    let shards: Shards
    beforeAll(async () => {
      shards = await open()
    }, 30_000)
    afterAll(() => shards.close(), 30_000)

    const heal = async () => {
      for (const home of homes) shards.proxies[home].pass()
      // connections that hang are nobody's any more
      expect(ids(rightOf(await Session.run(shards.app())(Session.query(byId))()))).toEqual(everyId)
    }
    const direct = <E, A>(program: Session.Program<E, A>) => Session.run(shards.direct)(program)()
    /** How many statements or transactions the server is at for others. */
    const busy = async (home: Home): Promise<number> => {
      const text =
        name === 'PostgreSQL'
          ? sql<{
              n: number
            }>`select count(*) as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`
          : sql<{
              n: number
            }>`select count(*) as n from information_schema.processlist where db = database() and id <> connection_id() and command <> 'Sleep'`
      const [row] = rightOf(await direct(Session.sql(text, { shard: home })))
      return Number(row?.n)
    }

    it('that hang fail in their time, and leave no connection behind', async () => {
      const app = shards.app({ timeout: 250 })
      await heal()
      shards.proxies.two.hang()
      const [failed, took] = await timed(Session.run(app)(Session.query(byId)))
      expect(leftOf(failed)).toMatchObject({
        _tag: 'DatabaseError',
        operation: 'query',
        entity: 'Item',
        shard: 'two',
        cause: { reason: { _tag: 'StatementTimeout' }, message: "the shard 'two' has not answered within 250 ms" },
      })
      expect(took).toBeGreaterThan(240)
      expect(took).toBeLessThan(1000)
      await soon(() => shards.pooled('two') === 0)
      await heal()
      await soon(async () => (await busy('two')) === 0)
    })

    it('that are busy for too long have their statement ended', async () => {
      await heal()
      const slow = pipe(
        byId,
        where(() => sql<boolean>`${sql.raw(sleeps(20))}`),
        onShard('three'),
        withOptions({ fanOut: { timeout: 200 } }),
      )
      const [failed, took] = await timed(Session.run(shards.app())(Session.query(slow)))
      expect(leftOf(failed)).toMatchObject({ shard: 'three', cause: { reason: { _tag: 'StatementTimeout' } } })
      expect(took).toBeLessThan(1000)
      await soon(async () => (await busy('three')) === 0)
      await heal()
    })

    it('that hang are left out where a part is taken, with the fault beside', async () => {
      await heal()
      shards.proxies.four.hang()
      const app = shards.app({ timeout: 200 })
      const part = rightOf(await Session.run(app)(Session.partially(Session.query(byId)))())
      expect(ids(part.value)).toEqual(without('four'))
      expect(part.faults).toMatchObject([{ _tag: 'DatabaseError', shard: 'four', operation: 'query' }])
      const sum = pipe(
        items,
        selectScalar((q) => q.fn.sum('n')),
      )
      shards.proxies.four.hang()
      const both = pipe(
        Session.rows(sum),
        Session.chain(([all]) => Session.map((count: number) => [all, count] as const)(Session.count(items))),
        Session.partially,
      )
      const summed = rightOf(await Session.run(app)(both)())
      expect(summed.value).toEqual([9, 9])
      expect(summed.faults.map(({ operation, shard }) => [operation, shard])).toEqual([
        ['query', 'four'],
        ['count', 'four'],
      ])
      await heal()
    })

    it('that are down fail at once, or are left out, and come back', async () => {
      await heal()
      await shards.proxies.one.down()
      const failed = leftOf(await Session.run(shards.app())(Session.query(byId))())
      expect(failed).toMatchObject({ _tag: 'DatabaseError', shard: 'one', retryable: true })
      const part = rightOf(await Session.run(shards.app())(Session.partially(Session.query(byId)))())
      expect(ids(part.value)).toEqual(without('one'))
      expect(part.faults).toMatchObject([{ shard: 'one', cause: { reason: { _tag: 'ConnectionLost' } } }])
      const streamed: number[] = []
      const stream = pipe(
        byId,
        Session.foldChunks([] as ReadonlyArray<number>, (all, some) => Session.of([...all, ...ids(some)]), {
          chunk: 2,
        }),
        Session.partially,
      )
      streamed.push(...rightOf(await Session.run(shards.app())(stream)()).value)
      expect(streamed).toEqual(without('one'))
      const [found] = await Promise.all([
        Session.run(shards.app({ retry: { attempts: 20, delay: () => 50 } }))(Session.query(byId))(),
        new Promise((resolve) => setTimeout(resolve, 200)).then(() => shards.proxies.one.up()),
      ])
      expect(ids(rightOf(found))).toEqual(everyId)
      await heal()
    })

    it('that lose the connection in the middle of a query are asked again, and no row comes twice', async () => {
      await heal()
      const slow = pipe(
        byId,
        where(() => sql<boolean>`${sql.raw(sleeps(0.1))}`),
      )
      const cutting = (home: Home) =>
        new Promise((resolve) => setTimeout(resolve, 150)).then(() => shards.proxies[home].cut())
      const [failed] = await Promise.all([Session.run(shards.app())(Session.query(slow))(), cutting('two')])
      expect(leftOf(failed)).toMatchObject({ shard: 'two', cause: { reason: { _tag: 'ConnectionLost' } } })
      const [found] = await Promise.all([Session.run(shards.app({ retry }))(Session.query(slow))(), cutting('three')])
      expect(ids(rightOf(found))).toEqual(everyId)
      await heal()
    })

    it('are given up at once when the run is aborted', async () => {
      await heal()
      shards.proxies.two.hang()
      const controller = new AbortController()
      setTimeout(() => controller.abort(), 100)
      const [outcome, took] = await timed(Session.run(shards.app(), { signal: controller.signal })(Session.query(byId)))
      expect(leftOf(outcome)).toEqual({ _tag: 'Interrupted' })
      expect(took).toBeLessThan(600)
      await soon(() => shards.pooled('two') === 0)
      await heal()
    })

    it('that hang in the middle of a stream fail it', async () => {
      await heal()
      const program = pipe(
        byId,
        Session.foldChunks(
          0,
          (count, some) => {
            shards.proxies.one.hang()
            return Session.of(count + some.length)
          },
          { chunk: 1 },
        ),
      )
      const [outcome, took] = await timed(Session.run(shards.app({ timeout: 250 }))(program))
      // mysql2 may have read all of the few rows by then
      if (name === 'MariaDB' && outcome._tag === 'Right') expect(outcome.right).toBe(12)
      else expect(leftOf(outcome)).toMatchObject({ shard: 'one', operation: 'query' })
      expect(took).toBeLessThan(2000)
      await heal()
    })

    it('lose no write and do none twice', async () => {
      await heal()
      const before = rightOf(await direct(Session.query(byId)))
      const raise = pipe(update(model.Item), set({ n: 100 }), Session.execute())
      for (const fault of ['hang', 'cut'] as const) {
        const program = pipe(
          Session.query(pipe(byId, limit(1))),
          Session.chain(() => {
            shards.proxies.two[fault]()
            return raise
          }),
          Session.chain(() => Session.commit),
        )
        const failed = leftOf(await Session.run(shards.app({ timeout: 250, retry }))(program)())
        expect(failed).toMatchObject({ _tag: 'DatabaseError', shard: 'two' })
        await soon(async () => (await Promise.all(homes.map(busy))).every((count) => count === 0))
        expect(rightOf(await direct(Session.query(byId)))).toEqual(before)
        await heal()
      }
    })

    it('that lose what was written in them do not commit without it', async () => {
      await heal()
      const program = pipe(
        Session.addAll(
          model.Item,
          homes.map((home, at) => ({ id: 100 + at, home, n: 7 })),
        ),
        Session.chain(() => Session.flush),
        Session.chain(() => {
          shards.proxies.four.hang()
          return Session.attempt(Session.query(byId))
        }),
        Session.chain((asked) =>
          Session.map((committed: unknown) => [asked, committed] as const)(Session.attempt(Session.commit)),
        ),
      )
      const [asked, committed] = rightOf(await Session.run(shards.app({ timeout: 250, retry }))(program)())
      expect(asked).toMatchObject({ left: { shard: 'four', cause: { reason: { _tag: 'StatementTimeout' } } } })
      expect(committed).toMatchObject({
        left: { operation: 'commit', shard: 'four', cause: { message: expect.stringMatching(/a part of it is lost/) } },
      })
      expect(ids(rightOf(await direct(Session.query(byId))))).toEqual(everyId)
      await heal()
    })

    it('that refuse to serialize are asked again, where the transaction has seen nothing yet', async () => {
      await heal()
      const setUp =
        name === 'PostgreSQL'
          ? [
              'create sequence tries',
              `create function flaky() returns boolean language plpgsql as $$ begin
                 if nextval('tries') < 3 then raise exception 'could not serialize' using errcode = '40001'; end if;
                 return true; end $$`,
            ]
          : [
              'create sequence tries',
              `create function flaky() returns boolean begin
                 if nextval(tries) < 3 then signal sqlstate '40001' set mysql_errno = 1213, message_text = 'deadlock'; end if;
                 return true; end`,
            ]
      for (const statement of setUp) {
        rightOf(
          await direct(
            pipe(
              Session.sql(sql.raw(statement), { shard: 'two' }),
              Session.chain(() => Session.commit),
            ),
          ),
        )
      }
      const flaky = pipe(
        items,
        where(() => sql<boolean>`(select flaky())`),
        onShard('two'),
      )
      expect(leftOf(await Session.run(shards.app())(Session.query(flaky))())).toMatchObject({
        shard: 'two',
        retryable: true,
        cause: { reason: { _tag: name === 'PostgreSQL' ? 'SerializationFailure' : 'Deadlock' } },
      })
      const again = shards.app({ retry }, { isolationLevel: 'serializable' })
      expect(ids(rightOf(await Session.run(again)(Session.query(flaky))()))).toEqual([10, 11, 12])
      for (const statement of ['drop function flaky', 'drop sequence tries']) {
        rightOf(
          await direct(
            pipe(
              Session.sql(sql.raw(statement), { shard: 'two' }),
              Session.chain(() => Session.commit),
            ),
          ),
        )
      }
    })

    it.skipIf(name !== 'PostgreSQL')('that refuse to serialize two transactions run one of them anew', async () => {
      await heal()
      // write skew: each reads what the other writes
      const swap = (from: number, to: number, meet: () => Promise<void>) =>
        pipe(
          Session.rows(pipe(items, where('id', '=', from), selectScalar('n'), onShard('two'))),
          Session.chainFirst(() => Session.fromTask(meet)),
          Session.chain(([n]) =>
            pipe(update(model.Item), set({ n: (n ?? 0) + 1 }), where('id', '=', to), onShard('two'), Session.execute()),
          ),
          Session.transactRetrying(retry),
        )
      let here = 0
      const meet = async () => {
        here++
        await soon(() => here >= 2)
      }
      const app = shards.app({}, { isolationLevel: 'serializable' })
      const outcomes = await Promise.all([
        Session.run(app)(swap(10, 11, meet))(),
        Session.run(app)(swap(11, 10, meet))(),
      ])
      outcomes.forEach(rightOf)
      const after = rightOf(await direct(Session.rows(pipe(byId, where('id', 'in', [10, 11]), selectScalar('n')))))
      // one after the other, in either order: 0 and 1 become 2 and 1, or 2 and 3
      expect([
        [2, 1],
        [2, 3],
      ]).toContainEqual(after)
      expect(here).toBeGreaterThan(2)
      rightOf(
        await direct(
          pipe(
            Session.execute()(pipe(update(model.Item), set({ n: 0 }), where('id', '=', 10))),
            Session.chain(() => Session.execute()(pipe(update(model.Item), set({ n: 1 }), where('id', '=', 11)))),
            Session.chain(() => Session.commit),
          ),
        ),
      )
    })

    // PostgreSQL has to be set up for it: max_prepared_transactions
    it.skipIf(name === 'PostgreSQL')(
      'commit atomically when the whole is run again, and when some were left out',
      async () => {
        await heal()
        for (const home of homes) rightOf(await createCommitTables(shards.engines[home])())
        const app = shards.app({ retry, timeout: 2000 }, { commit: atomic({ application: 'fan-out' }) })
        const slow = pipe(
          byId,
          where(() => sql<boolean>`${sql.raw(sleeps(0.1))}`),
        )
        const addAll = (from: number, some: ReadonlyArray<Home>) =>
          Session.addAll(
            model.Item,
            some.map((home, at) => ({ id: from + at, home, n: 1 })),
          )
        const adding = (from: number, some: ReadonlyArray<Home>) =>
          Session.chain(() => Session.commit)(addAll(from, some))
        const [asked] = await Promise.all([
          Session.run(app)(
            pipe(
              Session.query(slow),
              Session.chain(() => addAll(200, homes)),
              Session.transactRetrying(retry),
            ),
          )(),
          new Promise((resolve) => setTimeout(resolve, 150)).then(() => shards.proxies.one.cut()),
        ])
        rightOf(asked)
        // the first one names who decides
        await shards.proxies.four.down()
        const left = pipe(
          Session.partially(Session.query(byId)),
          Session.chain(({ faults }) =>
            Session.map(() => faults.map(({ shard }) => shard))(adding(300, ['two', 'three'])),
          ),
        )
        const outcome = await Session.run(app)(left)()
        await shards.proxies.four.up()
        expect(rightOf(outcome)).toEqual(['four'])
        const added = pipe(byId, where('id', '>=', 200))
        expect(ids(rightOf(await direct(Session.query(added))))).toEqual([200, 201, 202, 203, 300, 301])
        rightOf(
          await direct(
            pipe(
              deleteFrom(model.Item),
              where('id', '>=', 200),
              Session.execute(),
              Session.chain(() => Session.commit),
            ),
          ),
        )
        await heal()
      },
    )

    it('behind a pool that the engine does not know fail in their time too, and keep a connection until they answer', async () => {
      const unknown = await open({ isPoolKnown: false })
      const app = unknown.app({ timeout: 250 })
      rightOf(await Session.run(app)(Session.query(byId))())
      unknown.proxies.two.hang()
      const [failed, took] = await timed(Session.run(app)(Session.query(byId)))
      expect(leftOf(failed)).toMatchObject({ shard: 'two', cause: { reason: { _tag: 'StatementTimeout' } } })
      expect(took).toBeLessThan(1000)
      expect(unknown.pooled('two')).toBe(1)
      unknown.proxies.two.pass()
      // nobody else gets the one that hangs
      expect(ids(rightOf(await Session.run(app)(Session.query(byId))()))).toEqual(everyId)
      expect(unknown.pooled('two')).toBe(2)
      unknown.proxies.two.cut()
      await soon(() => unknown.pooled('two') === 0)
      await unknown.close()
    }, 30_000)
  })
})
