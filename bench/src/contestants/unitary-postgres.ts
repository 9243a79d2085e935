/** Unitary on PostgreSQL, through Kysely's dialect. */
import { select } from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { PostgresDialect } from 'kysely'
import { serve } from '../contest/serve.js'
import type { Contestant } from '../contest/workload.js'
import { customers } from '../database.js'
import { dropPostgres, openPostgres } from '../postgres.js'
import { model, orDie } from './unitary.js'

const opened = async (rows: number) => {
  const { name, pool } = await openPostgres(rows)
  const engine = kyselyEngine(new PostgresDialect({ pool }))
  return { name, engine, store: Session.createStore(Session.runtime(model, engine)) }
}

type Opened = Awaited<ReturnType<typeof opened>>

const loaded = async (rows: number) => {
  const context = await opened(rows)
  return { ...context, all: orDie(await context.store.run(Session.query(select(model.Customer)))()) }
}

type Loaded = Awaited<ReturnType<typeof loaded>>

const close = async ({ engine, name, store }: Opened): Promise<void> => {
  await store.close()
  await engine.close()
  await dropPostgres(name)
}

const unitary: Contestant = {
  insert: (size) => ({
    prepare: () => opened(0),
    run: async ({ store }: Opened) => {
      const program = pipe(
        Session.addAll(model.Customer, customers(size)),
        Session.chain(() => Session.commit),
      )
      return orDie(await store.run(program)())
    },
    dispose: close,
  }),
  load: (size) => ({
    prepare: () => opened(size),
    run: async ({ store }: Opened) => orDie(await store.run(Session.query(select(model.Customer)))()),
    dispose: close,
  }),
  flushAll: (size) => ({
    prepare: () => loaded(size),
    run: async ({ all, store }: Loaded) => {
      const change = Session.traverseArrayWithIndex((i: number, one: Loaded['all'][number]) =>
        pipe(one, Session.set(model.Customer, { description: `changed ${i}` })),
      )
      const program = pipe(
        change(all),
        Session.chain(() => Session.commit),
      )
      return orDie(await store.run(program)())
    },
    dispose: close,
  }),
}

serve(unitary)
