/**
 * The workloads: each the same work, by hand and by the library.
 */
import { insertInto, select, values, where } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { isLeft } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { close, customer, insertByHand, model, type Opened, open, seedCustomers } from './database.js'
import { compare, type Measured, type Side } from './harness.js'

/** A bench has no use for a failure: it ends the run. */
const orDie = <E, A>(
  result: { readonly _tag: 'Left'; readonly left: E } | { readonly _tag: 'Right'; readonly right: A },
): A => {
  if (isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const runtimeOf = ({ database }: Opened): Session.Runtime => Session.runtime(model, sqliteEngine(database))

/** Flush-insert of new rows, generated ids back in the session, one transaction. */
export const insert = (count: number, runs: number): Measured =>
  compare('flush-insert', count, runs, {
    limit: {
      prepare: open,
      run: ({ database }) => {
        const rows = Array.from({ length: count }, (_, i) => ({ id: 0, ...customer(i) }))
        database.exec('BEGIN')
        insertByHand(
          database,
          'customer',
          ['name', 'description'],
          rows,
          (row) => [row.name, row.description],
          (row, id) => {
            row.id = id
          },
        )
        database.exec('COMMIT')
      },
      dispose: close,
    },
    ours: {
      prepare: open,
      run: (opened) => {
        const rows = Array.from({ length: count }, (_, i) => customer(i))
        const program = pipe(
          Session.addAll(model.Customer, rows),
          Session.chain(() => Session.commit),
        )
        orDie(Session.runSync(runtimeOf(opened))(program))
      },
      dispose: close,
    },
  })

/** The same rows past the session, whose state learns nothing of them. */
export const insertPast = (count: number, runs: number): Measured =>
  compare('insert past the session', count, runs, {
    limit: {
      prepare: open,
      run: ({ database }) => {
        const rows = Array.from({ length: count }, (_, i) => customer(i))
        database.exec('BEGIN')
        insertByHand(
          database,
          'customer',
          ['name', 'description'],
          rows,
          (row) => [row.name, row.description],
          () => {},
        )
        database.exec('COMMIT')
      },
      dispose: close,
    },
    ours: {
      prepare: open,
      run: (opened) => {
        const rows = Array.from({ length: count }, (_, i) => customer(i))
        const program = pipe(
          insertInto(model.Customer),
          values(rows),
          Session.execute(),
          Session.chain(() => Session.commit),
        )
        orDie(Session.runSync(runtimeOf(opened))(program))
      },
      dispose: close,
    },
  })

/** Parents with ten children each through a relationship, one flush. */
export const insertGraph = (parents: number, runs: number): Measured => {
  const draft = (i: number) => ({
    name: `p${i}`,
    children: Array.from({ length: 10 }, (_, j) => ({ name: `c${j}` })),
  })
  return compare('flush-insert of a graph', parents * 11, runs, {
    limit: {
      prepare: open,
      run: ({ database }) => {
        const rows = Array.from({ length: parents }, (_, i) => ({ id: 0, ...draft(i) }))
        database.exec('BEGIN')
        insertByHand(
          database,
          'parent',
          ['name'],
          rows,
          (row) => [row.name],
          (row, id) => {
            row.id = id
          },
        )
        const children = rows.flatMap((row) => row.children.map((child) => ({ id: 0, parentId: row.id, ...child })))
        insertByHand(
          database,
          'child',
          ['parentId', 'name'],
          children,
          (row) => [row.parentId, row.name],
          (row, id) => {
            row.id = id
          },
        )
        database.exec('COMMIT')
      },
      dispose: close,
    },
    ours: {
      prepare: open,
      run: (opened) => {
        const drafts = Array.from({ length: parents }, (_, i) => draft(i))
        const program = pipe(
          Session.addAll(model.Parent, drafts),
          Session.chain(() => Session.commit),
        )
        orDie(Session.runSync(runtimeOf(opened))(program))
      },
      dispose: close,
    },
  })
}

const seeded = (count: number) => (): Opened => {
  const opened = open()
  seedCustomers(opened.database, count)
  return opened
}

/** Load of all rows as entities into the identity map. */
export const load = (count: number, runs: number): Measured =>
  compare('load', count, runs, {
    limit: {
      prepare: seeded(count),
      run: ({ database }) => {
        const identityMap = new Map<number, unknown>()
        for (const row of database.prepare('SELECT id, name, description FROM customer').all()) {
          identityMap.set((row as { readonly id: number }).id, row)
        }
      },
      dispose: close,
    },
    ours: {
      prepare: seeded(count),
      run: (opened) => {
        orDie(Session.runSync(runtimeOf(opened))(Session.query(select(model.Customer))))
      },
      dispose: close,
    },
  })

/** All rows one by one, of which only one at a time is held. */
export const stream = (count: number, runs: number): Measured =>
  compare('stream', count, runs, {
    limit: {
      prepare: seeded(count),
      run: ({ database }) => {
        let length = 0
        for (const row of database.prepare('SELECT id, name, description FROM customer').iterate()) {
          length += (row as { readonly name: string }).name.length
        }
        if (length === 0) throw new Error('no rows')
      },
      dispose: close,
    },
    ours: {
      prepare: seeded(count),
      run: (opened) => {
        let length = 0
        for (const row of Session.streamSync(runtimeOf(opened))(select(model.Customer)))
          length += orDie(row).name.length
        if (length === 0) throw new Error('no rows')
      },
      dispose: close,
    },
  })

/** How much more is held while rows are streamed, garbage apart: the most of many looks. */
export interface Held {
  readonly workload: string
  readonly count: number
  readonly bytes: number
}

const heldNow = (): number => {
  globalThis.gc?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const looks = 50

/** Rows that are only read, with chunks of a thousand. */
export const streamHeld = (count: number): Held => {
  const opened = seeded(count)()
  const before = heldNow()
  let bytes = 0
  let rows = 0
  for (const chunk of Session.streamChunksSync(runtimeOf(opened))(select(model.Customer))) {
    const next = rows + orDie(chunk).length
    if (Math.floor((next * looks) / count) > Math.floor((rows * looks) / count))
      bytes = Math.max(bytes, heldNow() - before)
    rows = next
  }
  close(opened)
  return { workload: 'stream', count, bytes }
}

/** Rows that a session changes and flushes, chunk by chunk, in one transaction. */
export const changeHeld = (count: number): Held => {
  const opened = seeded(count)()
  const before = heldNow()
  let bytes = 0
  let rows = 0
  const program = pipe(
    select(model.Customer),
    Session.forEachChunk((customers) => {
      const next = rows + customers.length
      if (Math.floor((next * looks) / count) > Math.floor((rows * looks) / count))
        bytes = Math.max(bytes, heldNow() - before)
      rows = next
      return Session.traverseArray((one: (typeof customers)[number]) =>
        pipe(one, Session.set(model.Customer, { description: 'changed' })),
      )(customers)
    }),
    Session.chain(() => Session.commit),
  )
  orDie(Session.runSync(runtimeOf(opened))(program))
  close(opened)
  return { workload: 'change in chunks', count, bytes }
}

/** Gets by primary key that ask the database. */
export const get = (count: number, runs: number): Measured => {
  const ids = Array.from({ length: count }, (_, i) => ((i * 7919) % count) + 1)
  return compare('get by key', count, runs, {
    limit: {
      prepare: seeded(count),
      run: ({ database }) => {
        const identityMap = new Map<number, unknown>()
        const statement = database.prepare('SELECT id, name, description FROM customer WHERE id = ?')
        for (const id of ids) identityMap.set(id, statement.get(id))
      },
      dispose: close,
    },
    ours: {
      prepare: seeded(count),
      run: (opened) => {
        const program = Session.traverseArray((id: number) => Session.get(model.Customer, id))(ids)
        orDie(Session.runSync(runtimeOf(opened))(program))
      },
      dispose: close,
    },
  })
}

const tableRows = 100_000
const changedRows = 100

/** A session that has loaded every n-th row of the table, and a hundred of its instances, far from each other. */
const loadedSession = (loaded: number) => {
  const opened = seeded(tableRows)()
  const store = Session.createStore(runtimeOf(opened))
  const every = tableRows / loaded
  const all = orDie(
    store.runSync(
      pipe(
        select(model.Customer),
        where((eb) => eb(eb('id', '%', every), '=', 0)),
        Session.query,
      ),
    ),
  )
  return { opened, store, changed: all.filter((_, i) => i % (loaded / changedRows) === 0) }
}

type LoadedSession = ReturnType<typeof loadedSession>

const closeSession = ({ opened, store }: LoadedSession): void => {
  store.closeSync()
  close(opened)
}

const change = ({ changed }: LoadedSession) =>
  pipe(
    changed,
    Session.traverseArrayWithIndex((i, instance) =>
      pipe(instance, Session.set(model.Customer, { description: `changed ${i}` })),
    ),
  )

/** A hundred of the loaded instances are changed and flushed, against as many prepared UPDATEs. */
export const flushChanged = (loaded: number, runs: number): Measured =>
  compare(`flush ${changedRows} changed of`, loaded, runs, {
    limit: {
      prepare: seeded(tableRows),
      run: ({ database }) => {
        const update = database.prepare('UPDATE customer SET description = ? WHERE id = ?')
        database.exec('BEGIN')
        for (let i = 0; i < changedRows; i++) update.run(`changed ${i}`, i * (tableRows / changedRows) + 1)
        database.exec('COMMIT')
      },
      dispose: close,
    },
    ours: {
      prepare: () => loadedSession(loaded),
      run: (session) => {
        const program = pipe(
          change(session),
          Session.chain(() => Session.commit),
        )
        orDie(session.store.runSync(program))
      },
      dispose: closeSession,
    },
  })

/**
 * The same without the database: a hundred instances are changed and the flush is planned, in a session that has loaded
 * many and in one that has loaded few. What it costs must depend on the hundred.
 */
export const planChanged = (few: number, many: number, runs: number): Measured => {
  const sideOf = (loaded: number): Side<LoadedSession> => ({
    prepare: () => loadedSession(loaded),
    run: (session) => {
      const program = pipe(
        change(session),
        Session.chain(() => Session.flushPlan),
      )
      orDie(session.store.runSync(program))
    },
    dispose: closeSession,
  })
  return compare(`plan ${changedRows} of ${many / 1000}k / ${few / 1000}k`, changedRows, runs, {
    limit: sideOf(few),
    ours: sideOf(many),
  })
}
