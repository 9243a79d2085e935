/**
 * Locks on the rows of a query, held against another connection.
 */
import {
  forShare,
  forUpdate,
  leftJoin,
  orderBy,
  select,
  selectin,
  set,
  update,
  where,
  withOptions,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, resultOf } from '../app.js'
import { hosts, type JoinsApp, model, openJoins } from './joins-app.js'

const users = pipe(select(model.User), orderBy('id'))
const ed = pipe(users, where('id', '=', 1))
const ids = (found: ReadonlyArray<{ readonly id: number }>): ReadonlyArray<number> => found.map(({ id }) => id)

const [sqlite, ...servers] = hosts

test('SQLite refuses them', async () => {
  const app = await openJoins((sqlite as NonNullable<typeof sqlite>).host)
  const error = await app.fails(Session.query(pipe(users, forUpdate())))
  expect(error).toMatchObject({ _tag: 'InvalidStatement', entity: 'User', cause: { clause: 'lock' } })
  expect(Session.render(error)).toBe(
    'The query cannot run: lock of users in a query of User: SQLite has no locks of rows; leave it out there, since a transaction that writes has the database to itself.',
  )
  const beside = pipe(users, selectin('addresses', forShare()))
  expect(await app.fails(Session.query(beside))).toMatchObject({ _tag: 'InvalidStatement', entity: 'Address' })
  await app.close()
})

for (const { host, title, isMissing } of servers) {
  describe.skipIf(isMissing)(`on ${title}`, () => {
    let app: JoinsApp
    beforeAll(async () => {
      app = await openJoins(host)
    })
    afterAll(() => app.close())

    /** A session that has run a program, and has its transaction open. */
    const holding = async <E, A>(
      program: Session.Program<E, A>,
      meanwhile: (other: Session.Store) => Promise<void>,
    ): Promise<void> => {
      const runtime = Session.runtime(model, app.engine)
      const [one, two] = [Session.createStore(runtime), Session.createStore(runtime)]
      resultOf(await one.run(program)())
      await meanwhile(two)
      await two.run(Session.rollback)()
      await one.run(Session.rollback)()
    }

    test('for an update, others fail at once or leave the rows out', async () => {
      await holding(Session.query(pipe(ed, forUpdate())), async (other) => {
        const failed = errorOf(await other.run(Session.query(pipe(ed, forUpdate({ wait: 'noWait' }))))())
        expect(failed).toMatchObject({ _tag: 'DatabaseError', cause: { reason: { _tag: 'LockTimeout' } } })
        await other.run(Session.rollback)()
        const shared = errorOf(await other.run(Session.query(pipe(ed, forShare({ wait: 'noWait' }))))())
        expect(shared).toMatchObject({ _tag: 'DatabaseError' })
        await other.run(Session.rollback)()
        const free = resultOf(await other.run(Session.query(pipe(users, forUpdate({ wait: 'skipLocked' }))))())
        expect(ids(free)).toEqual([2, 3])
        expect(ids(resultOf(await other.run(Session.query(users))()))).toEqual([1, 2, 3])
      })
    })

    test('are shared with those that share', async () => {
      await holding(Session.query(pipe(ed, forShare())), async (other) => {
        expect(ids(resultOf(await other.run(Session.query(pipe(ed, forShare({ wait: 'noWait' }))))()))).toEqual([1])
        expect(ids(resultOf(await other.run(Session.query(pipe(ed, forShare())))()))).toEqual([1])
        const failed = errorOf(await other.run(Session.query(pipe(ed, forUpdate({ wait: 'noWait' }))))())
        expect(failed).toMatchObject({ _tag: 'DatabaseError' })
      })
    })

    test('of one table leave the joined ones free, where the database can', async () => {
      const joined = pipe(ed, leftJoin('addresses', 'a'), forUpdate({ of: ['users'] }))
      await holding(Session.query(joined), async (other) => {
        const addresses = pipe(select(model.Address), where('userId', '=', 1), forUpdate({ wait: 'skipLocked' }))
        const free = resultOf(await other.run(Session.query(addresses))())
        expect(free.length).toBe(host.name.includes('Maria') ? 0 : 2)
        expect(resultOf(await other.run(Session.query(pipe(ed, forUpdate({ wait: 'skipLocked' }))))())).toEqual([])
      })
    })

    test('wait, and read anew what has been changed meanwhile where that is asked for', async () => {
      const runtime = Session.runtime(model, app.engine)
      const [one, two] = [Session.createStore(runtime), Session.createStore(runtime)]
      // two sessions know ed; no transaction is open
      for (const store of [one, two]) resultOf(await store.run(Session.query(ed))())
      resultOf(await one.run(Session.query(pipe(ed, forUpdate())))())
      resultOf(
        await one.run(pipe(update(model.User), set({ name: 'edward' }), where('id', '=', 1), Session.execute()))(),
      )
      resultOf(await two.run(Session.rollback)())
      const waiting = two.run(Session.query(pipe(ed, forUpdate(), withOptions({ populateExisting: true }))))()
      resultOf(await one.run(Session.commit)())
      expect(resultOf(await waiting)).toMatchObject([{ name: 'edward' }])
      resultOf(await two.run(Session.rollback)())
      resultOf(
        await one.run(
          pipe(
            update(model.User),
            set({ name: 'ed' }),
            where('id', '=', 1),
            Session.execute(),
            Session.chain(() => Session.commit),
          ),
        )(),
      )
    })
  })
}
