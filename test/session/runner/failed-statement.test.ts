/**
 * What a failed statement does to its session, on every database: PostgreSQL refuses all that follows in the transaction,
 * MariaDB has ended the transaction itself after a deadlock, SQLite goes on.
 */
import { createAll, type Engine, select, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Host,
  kyselySqliteHost,
  mysqlHost,
  postgresHost,
  skipped,
  sqliteHost,
  type TestDatabase,
} from '../../core/engine/databases.js'
import { errorOf, model, resultOf, services } from '../app.js'

const broken = Session.sql(sql`select * from no_such_table`)
const add = (label: string) => Session.add(model.Node, { label })
const caught = <E, A>(program: Session.Program<E, A>): Session.Program<never, E | A> =>
  Session.catchError((error: E) => Session.of<E | A>(error))(program)

interface Manner {
  /** Does a transaction take statements after one has failed? */
  readonly goesOn: boolean
  /** What is left after a deadlock; null where sessions cannot come into one. */
  readonly afterDeadlock: 'savepoint' | 'nothing' | null
}

const onDatabase = (host: Host, { goesOn, afterDeadlock }: Manner): void => {
  const why = skipped(host)
  describe.skipIf(why !== null)(why === null ? host.name : `${host.name} (${why})`, () => {
    let database: TestDatabase
    let engine: Engine
    let store: Session.Store
    beforeEach(async () => {
      database = await host.create()
      engine = database.open()
      resultOf(await createAll(model)(engine)())
      store = open()
    })
    afterEach(async () => {
      await store.close()
      await engine.close()
      await database.drop()
    })
    const open = (): Session.Store => Session.createStore(Session.runtime(model, engine, { services: () => services }))
    const run = async <E, A>(program: Session.Program<E, A>): Promise<A> => resultOf(await store.run(program)())

    const labels = async (): Promise<ReadonlyArray<string>> => {
      const reader = open()
      const found = resultOf(await reader.run(Session.query(select(model.Node)))())
      await reader.close()
      return found.map(({ label }) => label).toSorted()
    }

    test('within a savepoint leaves the transaction as it was before', async () => {
      await run(add('before'))
      const risky = Session.gen(function* () {
        yield* add('within')
        yield* broken
      })
      const error = await run(caught(Session.nested(risky)))
      expect(error).toMatchObject({ _tag: 'DatabaseError', cause: { reason: { _tag: 'UnknownTable' } } })
      await run(add('after'))
      await run(Session.commit)
      expect(await labels()).toEqual(['after', 'before'])
    })

    test('without a savepoint leaves all of the transaction or nothing', async () => {
      await run(Session.chain(() => Session.flush)(add('before')))
      await run(caught(broken))
      await run(add('after'))
      if (goesOn) {
        await run(Session.commit)
        expect(await labels()).toEqual(['after', 'before'])
      } else {
        const refused = { _tag: 'DatabaseError', cause: { reason: { _tag: 'UnknownTable' } } }
        expect(errorOf(await store.run(Session.commit)())).toMatchObject(refused)
        expect(errorOf(await store.run(Session.commit)())).toMatchObject({ _tag: 'PendingRollback' })
        await run(Session.rollback)
        await run(add('anew'))
        await run(Session.commit)
        expect(await labels()).toEqual(['anew'])
      }
    })

    if (afterDeadlock === null) return

    test('by a deadlock goes back to the savepoint, or refuses to go on', async () => {
      const rename = (id: number, label: string) =>
        Session.gen(function* () {
          const node = yield* Session.one(pipe(select(model.Node), where('id', '=', id)))
          yield* pipe(node, Session.set(model.Node, { label }))
          yield* Session.flush
        })
      await run(
        Session.gen(function* () {
          yield* add('a')
          yield* add('b')
          yield* Session.commit
        }),
      )
      const other = open()
      await run(rename(1, 'a of the first'))
      resultOf(await other.run(rename(2, 'b of the other'))())
      const attempts = [
        store.run(Session.nested(rename(2, 'b of the first')))(),
        other.run(Session.nested(rename(1, 'a of the other')))(),
      ]
      const { at, error } = await Promise.any(
        attempts.map(async (attempt, i) => ({ at: i, error: errorOf(await attempt) })),
      )
      expect(error).toMatchObject({ _tag: 'DatabaseError', retryable: true })
      const [loser, winner] = at === 0 ? [store, other] : [other, store]
      const committed = await loser.run(Session.commit)()
      resultOf(await (attempts[1 - at] as (typeof attempts)[0]))
      resultOf(await winner.run(Session.rollback)())
      if (afterDeadlock === 'savepoint') {
        resultOf(committed)
        expect(await labels()).toEqual(at === 0 ? ['a of the first', 'b'] : ['a', 'b of the other'])
      } else {
        expect(errorOf(committed)).toMatchObject({ _tag: 'PendingRollback' })
        expect(await labels()).toEqual(['a', 'b'])
        resultOf(await loser.run(Session.rollback)())
        resultOf(await loser.run(rename(1, 'once more'))())
        resultOf(await loser.run(Session.commit)())
        expect(await labels()).toEqual(['b', 'once more'])
      }
      await other.close()
    })
  })
}

onDatabase(sqliteHost('SQLite'), { goesOn: true, afterDeadlock: null })
onDatabase(kyselySqliteHost, { goesOn: true, afterDeadlock: null })
onDatabase(postgresHost, { goesOn: false, afterDeadlock: 'savepoint' })
onDatabase(mysqlHost, { goesOn: true, afterDeadlock: 'nothing' })
