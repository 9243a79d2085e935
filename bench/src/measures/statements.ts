/**
 * What a statement costs that is built anew for each request: to compile, and all the way to its instances.
 */
import { compile, select, where } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { model, orDie } from '../contestants/unitary.js'
import { close, open, seedCustomers } from '../database.js'
import { nsPer } from './time.js'

const byId = (id: number) => pipe(select(model.Customer), where('id', '=', id))

const byMany = (id: number) =>
  pipe(
    select(model.Customer),
    where('name', '=', `customer ${id}`),
    where((eb) => eb.or([eb('id', 'in', [id, id + 1, id + 2]), eb('description', 'like', `%${id}`)])),
  )

const kysely = new Kysely<{
  customer: { readonly id: number; readonly name: string; readonly description: string }
}>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/** Nanoseconds a statement. */
export const statements = async (count: number): Promise<ReadonlyArray<readonly [name: string, ns: number]>> => {
  const ids = Array.from({ length: count }, (_, i) => (i % 1_000) + 1)
  const opened = open(seedCustomers(1_000))
  const keeping = sqliteEngine(opened.database)
  const keepingNothing = sqliteEngine(opened.database, { compiledStatements: 0 })
  const prepared = opened.database.prepare('SELECT id, name, description FROM customer WHERE id = ?')
  const each = (make: (id: number) => unknown) =>
    nsPer(
      count,
      () => ids,
      (all) => all.forEach(make),
    )
  const compiling = (build: typeof byId | typeof byMany) =>
    nsPer(
      count,
      () => ids.map(build),
      (all) => all.forEach(compile(keeping)),
    )
  const querying = (engine: typeof keeping) =>
    nsPer(
      count,
      () => Session.traverseArray((id: number) => Session.query(byId(id)))(ids),
      (program) => orDie(Session.runSync(Session.runtime(model, engine))(program)),
    )
  const measured = [
    ['compile: a hit, where id = x', await compiling(byId)],
    ['compile: a hit, four conditions', await compiling(byMany)],
    ['build and compile: a hit', await each((id) => compile(keeping)(byId(id)))],
    ['build and compile: a miss', await each((id) => compile(keepingNothing)(byId(id)))],
    [
      'Kysely: build and compile',
      await each((id) =>
        kysely.selectFrom('customer').select(['id', 'name', 'description']).where('id', '=', id).compile(),
      ),
    ],
    ['query where id = x', await querying(keeping)],
    ['the same, keeping nothing', await querying(keepingNothing)],
    ['better-sqlite3, prepared', await each((id) => prepared.all(id))],
  ] as const
  close(opened)
  return measured
}
