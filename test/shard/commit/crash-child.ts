/**
 * A process that commits over several shards and is killed on the way: see crash.test.ts, which bundles it and runs it.
 */
import {
  type Connection,
  defineModel,
  type Engine,
  type EngineCall,
  type EngineError,
  entity,
  integer,
  primaryKey,
  text,
} from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { atomic, byAttribute, choosers, shardedRuntime, shardMap } from '@unitary/shard'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { MysqlDialect, PostgresDialect } from 'kysely'

/** Where a shard is. */
export type Place =
  | { readonly kind: 'postgres'; readonly host: string; readonly database: string }
  | {
      readonly kind: 'mysql'
      readonly host: string
      readonly port: number
      readonly user: string
      readonly database: string
    }
  | { readonly kind: 'sqlite'; readonly file: string }

/** Before a call, while it is under way, or when it has been answered. */
export type Moment = 'before' | 'during' | 'after'

/** When to die. */
export interface Death {
  readonly item: number
  /** The call of the commit, from 0; beyond the last for none. */
  readonly call: number
  readonly when: Moment
}

export interface Orders extends Death {
  readonly places: Readonly<Record<string, Place>>
}

/** What one that lives has to say. */
export interface Said {
  readonly isDone: boolean
  readonly asks: ReadonlyArray<string>
  readonly error: unknown
}

const { call: fatal, item, places, when } = JSON.parse(process.argv[2] ?? '') as Orders

/** Drivers take long to load; only those that are needed are. */
const open = async (place: Place): Promise<Engine> => {
  switch (place.kind) {
    case 'postgres': {
      const { default: pg } = await import('pg')
      const { database, host } = place
      return kyselyEngine(new PostgresDialect({ pool: new pg.Pool({ host, user: 'postgres', database, max: 2 }) }))
    }
    case 'mysql': {
      const { kind: _, ...settings } = place
      const { createPool } = await import('mysql2')
      return kyselyEngine(new MysqlDialect({ pool: createPool(settings) }))
    }
    case 'sqlite': {
      const { default: Database } = await import('better-sqlite3')
      return sqliteEngine(new Database(place.file))
    }
  }
}

/** What the commit has asked; null before it. */
let asks: string[] | null = null

const die = (): never => {
  process.kill(process.pid, 'SIGKILL')
  // the signal may take a moment
  for (;;);
}

/** How far the server gets with what it was sent: a moment, which differs from item to item. */
const during = (answer: unknown): unknown => {
  if (!(answer instanceof Promise)) return die()
  setTimeout(die, item % 3)
  return new Promise(() => {})
}

const mortal = (connection: Connection, token: string): Connection =>
  ({
    ...connection,
    call: (asked: EngineCall): unknown => {
      const isFatal = asks !== null && asks.push(`${token} ${asked._tag}`) - 1 === fatal
      if (!isFatal) return connection.call(asked)
      if (when === 'before') return die()
      const answer = connection.call(asked)
      if (when === 'during') return during(answer)
      return answer instanceof Promise ? answer.then(die) : die()
    },
  }) as Connection

const mortalEngine = (engine: Engine, token: string): Engine => {
  const { connectSync } = engine
  const lend = <C extends Connection>(connected: Either<EngineError, C>): Either<EngineError, C> =>
    isLeft(connected) ? connected : right(mortal(connected.right, token) as C)
  return {
    ...engine,
    connect: async () => lend(await engine.connect()),
    connectSync: connectSync === null ? null : () => lend(connectSync()),
  }
}

const Item = entity('Item', 'items', { id: pipe(integer, primaryKey), home: text })
const model = defineModel({ Item })(() => ({}))

const tokens = Object.keys(places)
const engines = await Promise.all(tokens.map((token) => open(places[token] as Place)))
const app = shardedRuntime(model, {
  shards: shardMap(Object.fromEntries(tokens.map((token, i) => [token, mortalEngine(engines[i] as Engine, token)]))),
  choosers: choosers(model)({ Item: byAttribute('home', Object.fromEntries(tokens.map((token) => [token, token]))) }),
  commit: atomic({ application: 'crash' }),
})

const done = await Session.run(app)(
  Session.gen(function* () {
    yield* Session.addAll(
      model.Item,
      tokens.map((home) => ({ id: item, home })),
    )
    yield* Session.flush
    yield* Session.fromIO(() => {
      asks = []
    })
    yield* Session.commit
  }),
)()
const said: Said = { isDone: done._tag === 'Right', asks: asks ?? [], error: isLeft(done) ? done.left : null }
process.stdout.write(JSON.stringify(said), () => process.exit(0))
