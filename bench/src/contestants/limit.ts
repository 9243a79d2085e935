/**
 * The limit: the same work by hand with bare better-sqlite3, as fast as it is known how.
 */
import type Database from 'better-sqlite3'
import { serve } from '../contest/serve.js'
import type { Contestant } from '../contest/workload.js'
import {
  close,
  customers,
  family,
  type Opened,
  open,
  seedCustomers,
  seedFamilies,
  seedShard,
  shuffled,
} from '../database.js'

/** Rows of one INSERT. */
const chunk = 100

/** Inserts rows in chunks; `give` gets the id of each, where ids are wanted. */
const insertRows = <Row>(
  database: Database.Database,
  table: string,
  columns: ReadonlyArray<string>,
  rows: ReadonlyArray<Row>,
  values: (row: Row) => ReadonlyArray<unknown>,
  give: ((row: Row, id: number) => void) | null,
): void => {
  const places = `(${columns.map(() => '?').join(', ')})`
  const statement = (count: number): Database.Statement => {
    const text = `INSERT INTO ${table}(${columns.join(', ')}) VALUES ${Array(count).fill(places).join(', ')}`
    return give === null ? database.prepare(text) : database.prepare(`${text} RETURNING id`).pluck()
  }
  const whole = statement(Math.min(chunk, rows.length))
  for (let from = 0; from < rows.length; from += chunk) {
    const until = Math.min(from + chunk, rows.length)
    const insert = until - from === Math.min(chunk, rows.length) ? whole : statement(until - from)
    const parameters: unknown[] = []
    for (let i = from; i < until; i++) for (const value of values(rows[i] as Row)) parameters.push(value)
    if (give === null) {
      insert.run(parameters)
      continue
    }
    const ids = insert.all(parameters) as number[]
    for (let i = from; i < until; i++) give(rows[i] as Row, ids[i - from] as number)
  }
}

const transaction = (database: Database.Database, work: () => void): void => {
  database.exec('BEGIN')
  work()
  database.exec('COMMIT')
}

interface Identified {
  id: number
}

const giveId = (row: Identified, id: number): void => {
  row.id = id
}

interface ParentRow extends Identified {
  readonly name: string
  readonly children: ChildRow[]
}
interface ChildRow extends Identified {
  readonly parent_id: number
  readonly name: string
  readonly grandchildren: GrandchildRow[]
}
interface GrandchildRow extends Identified {
  readonly child_id: number
  readonly name: string
}

/** The rows whose column has one of the keys, so many keys a statement. */
const rowsWith = <Row>(
  database: Database.Database,
  table: string,
  column: string,
  keys: ReadonlyArray<number>,
): Row[] => {
  const rows: Row[] = []
  const perStatement = 500
  const statement = (count: number): Database.Statement =>
    database.prepare(
      `SELECT id, ${column}, name FROM ${table} WHERE ${column} IN (${Array(count).fill('?').join(',')})`,
    )
  const whole = statement(Math.min(perStatement, keys.length))
  for (let from = 0; from < keys.length; from += perStatement) {
    const some = keys.slice(from, from + perStatement)
    const found = (some.length === Math.min(perStatement, keys.length) ? whole : statement(some.length)).all(some)
    for (const row of found) rows.push(row as Row)
  }
  return rows
}

interface Named {
  readonly name: string
}

const openShards = (size: number): ReadonlyArray<Opened> => [0, 1, 2, 3].map((shard) => open(seedShard(shard, 4, size)))

/** The first rows of four ordered lists, read no further than needed. */
const mergeLazily = (shards: ReadonlyArray<Opened>, limit: number): ReadonlyArray<Named> => {
  const rows = shards.map(({ database }) =>
    database
      .prepare<[number], Named>('SELECT id, name, description FROM customer ORDER BY name LIMIT ?')
      .iterate(limit),
  )
  const heads = rows.map((iterator) => iterator.next())
  const merged: Named[] = []
  while (merged.length < limit) {
    let least = -1
    for (let k = 0; k < heads.length; k++) {
      const head = heads[k] as IteratorResult<Named>
      if (!head.done && (least < 0 || head.value.name < (heads[least] as IteratorYieldResult<Named>).value.name))
        least = k
    }
    if (least < 0) break
    merged.push(heads[least]?.value as Named)
    heads[least] = (rows[least] as IterableIterator<Named>).next()
  }
  for (const iterator of rows) iterator.return?.()
  return merged
}

const mergeAll = (shards: ReadonlyArray<Opened>): ReadonlyArray<Named> => {
  const lists = shards.map(({ database }) =>
    database.prepare<[], Named>('SELECT id, name, description FROM customer ORDER BY name').all(),
  )
  const at = lists.map(() => 0)
  const merged: Named[] = []
  while (true) {
    let least = -1
    let name = ''
    for (let k = 0; k < lists.length; k++) {
      const head = lists[k]?.[at[k] as number]
      if (head !== undefined && (least < 0 || head.name < name)) {
        least = k
        name = head.name
      }
    }
    if (least < 0) return merged
    merged.push(lists[least]?.[(at[least] as number)++] as Named)
  }
}

const limit: Contestant = {
  insert: (size) => ({
    prepare: () => open(),
    run: ({ database }: Opened) => {
      const rows = customers(size).map((row) => ({ id: 0, ...row }))
      transaction(database, () =>
        insertRows(database, 'customer', ['name', 'description'], rows, (row) => [row.name, row.description], giveId),
      )
      return rows
    },
    dispose: close,
  }),
  insertWithIds: (size) => ({
    prepare: () => open(),
    run: ({ database }: Opened) => {
      const rows = customers(size).map((row, i) => ({ id: i + 1, ...row }))
      transaction(database, () =>
        insertRows(
          database,
          'customer',
          ['id', 'name', 'description'],
          rows,
          (row) => [row.id, row.name, row.description],
          null,
        ),
      )
      return rows
    },
    dispose: close,
  }),
  insertPast: (size) => ({
    prepare: () => open(),
    run: ({ database }: Opened) => {
      const columns = ['name', 'description']
      transaction(database, () =>
        insertRows(database, 'customer', columns, customers(size), (row) => [row.name, row.description], null),
      )
    },
    dispose: close,
  }),
  insertGraph: (size) => ({
    prepare: () => open(),
    run: ({ database }: Opened) => {
      const parents = Array.from({ length: size }, (_, i) => ({ id: 0, ...family(i) }))
      transaction(database, () => {
        insertRows(database, 'parent', ['name'], parents, (row) => [row.name], giveId)
        const children = parents.flatMap((row) => row.children.map((child) => ({ id: 0, parent: row.id, ...child })))
        insertRows(database, 'child', ['parent_id', 'name'], children, (row) => [row.parent, row.name], giveId)
      })
      return parents
    },
    dispose: close,
  }),
  load: (size) => ({
    prepare: () => open(seedCustomers(size)),
    run: ({ database }: Opened) => {
      const identityMap = new Map<number, unknown>()
      for (const row of database.prepare<[], Identified>('SELECT id, name, description FROM customer').all()) {
        identityMap.set(row.id, row)
      }
      return identityMap
    },
    dispose: close,
  }),
  stream: (size) => ({
    prepare: () => open(seedCustomers(size)),
    run: ({ database }: Opened) => {
      let length = 0
      const rows = database.prepare<[], Named>('SELECT id, name, description FROM customer').iterate()
      for (const { name } of rows) length += name.length
      return length
    },
    dispose: close,
  }),
  getMiss: (size) => ({
    prepare: () => ({ opened: open(seedCustomers(size)), ids: shuffled(size) }),
    run: ({ opened: { database }, ids }) => {
      const identityMap = new Map<number, unknown>()
      const statement = database.prepare('SELECT id, name, description FROM customer WHERE id = ?')
      for (const id of ids) identityMap.set(id, statement.get(id))
      return identityMap
    },
    dispose: ({ opened }) => close(opened),
  }),
  getHit: (size) => ({
    prepare: () => ({ ids: shuffled(size), identityMap: new Map(shuffled(size).map((id) => [id, { id }])) }),
    run: ({
      identityMap,
      ids,
    }: {
      readonly ids: ReadonlyArray<number>
      readonly identityMap: Map<number, Identified>
    }) => {
      const found: unknown[] = []
      for (const id of ids) found.push(identityMap.get(id))
      return found
    },
    dispose: () => {},
  }),
  flushAll: (size) => ({
    prepare: () => open(seedCustomers(size)),
    run: ({ database }: Opened) => {
      const update = database.prepare('UPDATE customer SET description = ? WHERE id = ?')
      transaction(database, () => {
        for (let id = 1; id <= size; id++) update.run(`changed ${id}`, id)
      })
    },
    dispose: close,
  }),
  flushFew: (size) => ({
    prepare: () => open(seedCustomers(size)),
    run: ({ database }: Opened) => {
      const update = database.prepare('UPDATE customer SET description = ? WHERE id = ?')
      transaction(database, () => {
        for (let i = 0; i < 100; i++) update.run(`changed ${i}`, i * (size / 100) + 1)
      })
    },
    dispose: close,
  }),
  loadSelectin: (size) => ({
    prepare: () => open(seedFamilies(size)),
    run: ({ database }: Opened) => {
      const parents = new Map<number, ParentRow>()
      const children = new Map<number, ChildRow>()
      for (const row of database.prepare('SELECT id, name FROM parent').all() as Omit<ParentRow, 'children'>[]) {
        parents.set(row.id, { ...row, children: [] })
      }
      for (const row of rowsWith<ChildRow>(database, 'child', 'parent_id', [...parents.keys()])) {
        const child = { ...row, grandchildren: [] }
        children.set(child.id, child)
        parents.get(child.parent_id)?.children.push(child)
      }
      for (const row of rowsWith<GrandchildRow>(database, 'grandchild', 'child_id', [...children.keys()])) {
        children.get(row.child_id)?.grandchildren.push(row)
      }
      return parents
    },
    dispose: close,
  }),
  loadJoined: (size) => ({
    prepare: () => open(seedFamilies(size)),
    run: ({ database }: Opened) => {
      const parents = new Map<number, ParentRow>()
      const children = new Map<number, ChildRow>()
      const rows = database
        .prepare(
          `SELECT p.id, p.name, c.id, c.parent_id, c.name, g.id, g.child_id, g.name FROM parent p
           LEFT JOIN child c ON c.parent_id = p.id LEFT JOIN grandchild g ON g.child_id = c.id`,
        )
        .raw()
        .all() as [number, string, number, number, string, number, number, string][]
      for (const row of rows) {
        let parent = parents.get(row[0])
        if (parent === undefined) {
          parent = { id: row[0], name: row[1], children: [] }
          parents.set(row[0], parent)
        }
        let child = children.get(row[2])
        if (child === undefined) {
          child = { id: row[2], parent_id: row[3], name: row[4], grandchildren: [] }
          children.set(row[2], child)
          parent.children.push(child)
        }
        child.grandchildren.push({ id: row[5], child_id: row[6], name: row[7] })
      }
      return parents
    },
    dispose: close,
  }),
  transactions: (size) => ({
    prepare: () => open(),
    run: ({ database }: Opened) => {
      const insert = database.prepare('INSERT INTO customer(name, description) VALUES (?, ?)')
      const one = database.transaction((name: string, description: string) => insert.run(name, description))
      for (const { name, description } of customers(size)) one(name, description)
    },
    dispose: close,
  }),
  shardsLimit: (size) => ({
    prepare: () => openShards(size),
    run: (shards: ReadonlyArray<Opened>) => mergeLazily(shards, 1_000),
    dispose: (shards) => shards.forEach(close),
  }),
  shardsAll: (size) => ({
    prepare: () => openShards(size),
    run: mergeAll,
    dispose: (shards) => shards.forEach(close),
  }),
}

serve(limit)
