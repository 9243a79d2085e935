/**
 * The phases of a session's work without a database: what the library itself costs for each instance.
 */
import { select } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { model, orDie } from '../contestants/unitary.js'
import { customer, customers } from '../database.js'
import { instantEngine } from './instant-engine.js'
import { nsPer } from './time.js'

/** Nanoseconds for each instance, by phase. */
export type Phases = ReadonlyArray<readonly [phase: string, ns: number]>

const storeOf = (count: number) => {
  const rows = Array.from({ length: count }, (_, i) => ({ id: i + 1, ...customer(i) }))
  return Session.createStore(Session.runtime(model, instantEngine(rows)))
}

/** A store that has loaded so many instances, over a database that takes no time. */
export const loaded = (count: number) => {
  const store = storeOf(count)
  return { store, all: orDie(store.runSync(Session.query(select(model.Customer)))) }
}

type Loaded = ReturnType<typeof loaded>

const setAll = Session.traverseArrayWithIndex((i: number, one: Loaded['all'][number]) =>
  pipe(one, Session.set(model.Customer, { description: `changed ${i}` })),
)

const added = (count: number) => {
  const store = storeOf(0)
  orDie(store.runSync(Session.addAll(model.Customer, customers(count))))
  return store
}

const changed = (count: number) => {
  const { all, store } = loaded(count)
  orDie(store.runSync(setAll(all)))
  return store
}

type Store = ReturnType<typeof added>

const plan = (store: Store): unknown => orDie(store.runSync(Session.flushPlan))
const flush = (store: Store): unknown => orDie(store.runSync(Session.flush))

/** A flush, which is planned, run in no time and applied: its plan, and the rest of it. */
const flushed = async (count: number, what: string, make: (count: number) => Store): Promise<Phases> => {
  const planned = await nsPer(count, () => make(count), plan)
  const whole = await nsPer(count, () => make(count), flush)
  return [
    [`plan ${what}`, planned],
    [`apply ${what}`, Math.max(0, whole - planned)],
  ]
}

/** Each phase for `count` instances at once. */
export const phases = async (count: number): Promise<Phases> => [
  [
    'add',
    await nsPer(
      count,
      () => ({ store: storeOf(0), rows: customers(count) }),
      ({ rows, store }) => orDie(store.runSync(Session.addAll(model.Customer, rows))),
    ),
  ],
  [
    'set',
    await nsPer(
      count,
      () => loaded(count),
      ({ all, store }) => orDie(store.runSync(setAll(all))),
    ),
  ],
  ...(await flushed(count, 'inserts', added)),
  ...(await flushed(count, 'updates', changed)),
  [
    'absorb rows',
    await nsPer(
      count,
      () => storeOf(count),
      (store) => orDie(store.runSync(Session.query(select(model.Customer)))),
    ),
  ],
  [
    'absorb known rows',
    await nsPer(
      count,
      () => loaded(count).store,
      (store) => orDie(store.runSync(Session.query(select(model.Customer)))),
    ),
  ],
  [
    'read a snapshot',
    await nsPer(
      count,
      () => loaded(count),
      ({ all, store }) => orDie(store.runSync(Session.traverseArray(Session.read(model.Customer))(all))),
    ),
  ],
  [
    'get what is known',
    await nsPer(
      count,
      () => loaded(count),
      ({ all, store }) =>
        orDie(
          store.runSync(Session.traverseArray((one: (typeof all)[number]) => Session.get(model.Customer, one.id))(all)),
        ),
    ),
  ],
]
