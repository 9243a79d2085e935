/**
 * What a session holds: bytes for each instance, garbage apart.
 */
import { select } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { model, orDie, runtimeOf } from '../contestants/unitary.js'
import { close, customers, open, seedCustomers } from '../database.js'
import { instantEngine } from './instant-engine.js'

const held = (): number => {
  // what the first finds to be garbage, the second frees
  for (let i = 0; i < 4; i++) globalThis.gc?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** What is measured: it is there until it is closed. */
interface Kept {
  readonly closeSync: () => void
}

/** Bytes of what `make` gives, for each of `count`. What is made with the first, code above all, is nobody's own. */
const bytesPer = (count: number, make: () => Kept): number => {
  make().closeSync()
  const before = held()
  const kept = make()
  const bytes = held() - before
  kept.closeSync()
  return bytes / count
}

/** What a session may hold of a clean instance beyond its row, in bytes. */
export const mostBeyondRow = 300

/** Bytes for each instance of three columns, rows included; and of the rows alone, as the driver makes them. */
export const memory = (count: number): ReadonlyArray<readonly [name: string, bytes: number, bound: number | null]> => {
  const opened = open(seedCustomers(count))
  const rows = bytesPer(count, () => {
    const all = opened.database.prepare('SELECT id, name, description FROM customer').all()
    return { closeSync: () => all.splice(0) }
  })
  const loaded = bytesPer(count, () => {
    const store = Session.createStore(runtimeOf(opened))
    orDie(
      store.runSync(
        pipe(
          Session.query(select(model.Customer)),
          Session.map(() => undefined),
        ),
      ),
    )
    return store
  })
  const pending = bytesPer(count, () => {
    const store = Session.createStore(Session.runtime(model, instantEngine()))
    orDie(
      store.runSync(
        pipe(
          Session.addAll(model.Customer, customers(count)),
          Session.map(() => undefined),
        ),
      ),
    )
    return store
  })
  close(opened)
  return [
    ["a driver's row", rows, null],
    ['a loaded instance', loaded, null],
    ['  beyond the row', loaded - rows, mostBeyondRow],
    ['a pending instance', pending, rows + mostBeyondRow],
  ]
}

/** The most that is held beside what was before while rows are streamed. */
export interface Held {
  readonly workload: string
  readonly count: number
  readonly bytes: number
}

const looks = 50

/** Looks at what is held so many times while `count` rows go by. */
const watching = (count: number): { readonly passed: (rows: number) => void; readonly most: () => number } => {
  const before = held()
  let most = 0
  let rows = 0
  return {
    passed: (more) => {
      const next = rows + more
      if (Math.floor((next * looks) / count) > Math.floor((rows * looks) / count))
        most = Math.max(most, held() - before)
      rows = next
    },
    most: () => most,
  }
}

/** Rows that are only read, with chunks of a thousand. */
export const streamHeld = (count: number): Held => {
  const opened = open(seedCustomers(count))
  const watch = watching(count)
  for (const chunk of Session.streamChunksSync(runtimeOf(opened))(select(model.Customer))) {
    watch.passed(orDie(chunk).length)
  }
  close(opened)
  return { workload: 'stream', count, bytes: watch.most() }
}

/** Rows that a session changes and flushes, chunk by chunk, in one transaction. */
export const changeHeld = (count: number): Held => {
  const opened = open(seedCustomers(count))
  const watch = watching(count)
  const program = pipe(
    select(model.Customer),
    Session.forEachChunk((some) => {
      watch.passed(some.length)
      return Session.traverseArray((one: (typeof some)[number]) =>
        pipe(one, Session.set(model.Customer, { description: 'changed' })),
      )(some)
    }),
    Session.chain(() => Session.commit),
  )
  orDie(Session.runSync(runtimeOf(opened))(program))
  close(opened)
  return { workload: 'change in chunks', count, bytes: watch.most() }
}
