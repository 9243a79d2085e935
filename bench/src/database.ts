/**
 * The schema, the settings and the data that every contestant shares.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'

const schema = `
  CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL);
  CREATE TABLE parent(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
  CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id INTEGER NOT NULL REFERENCES parent(id), name TEXT NOT NULL);
  CREATE INDEX child_parent ON child(parent_id);
  CREATE TABLE grandchild(id INTEGER PRIMARY KEY, child_id INTEGER NOT NULL REFERENCES child(id), name TEXT NOT NULL);
  CREATE INDEX grandchild_child ON grandchild(child_id);`

/** WAL, synchronous NORMAL, 16 MB of cache, foreign keys on: of every connection of every contestant. */
export const pragmas: ReadonlyArray<string> = [
  'journal_mode=WAL',
  'synchronous=NORMAL',
  'cache_size=-16000',
  'foreign_keys=ON',
]

export interface Opened {
  readonly database: Database.Database
  readonly file: string
  readonly folder: string
}

/** A fresh database file, filled by `seed`. */
export const open = (seed: (database: Database.Database) => void = () => {}): Opened => {
  const folder = mkdtempSync(join(tmpdir(), 'unitary-bench-'))
  const file = join(folder, 'bench.db')
  const database = new Database(file)
  for (const pragma of pragmas) database.pragma(pragma)
  database.exec(schema)
  seed(database)
  return { database, file, folder }
}

/** The same, for a contestant that makes its own connection to the file. */
export const openFile = (seed?: (database: Database.Database) => void): Omit<Opened, 'database'> => {
  const { database, file, folder } = open(seed)
  database.close()
  return { file, folder }
}

export const removeFile = ({ folder }: Pick<Opened, 'folder'>): void => rmSync(folder, { recursive: true, force: true })

export const close = (opened: Opened): void => {
  opened.database.close()
  removeFile(opened)
}

export interface Customer {
  readonly name: string
  readonly description: string
}

export const customer = (i: number): Customer => ({
  name: `customer name ${i}`,
  description: `customer description ${i}`,
})

export const customers = (count: number): ReadonlyArray<Customer> =>
  Array.from({ length: count }, (_, i) => customer(i))

/** A parent with ten children. */
export const family = (
  i: number,
): { readonly name: string; readonly children: ReadonlyArray<{ readonly name: string }> } => ({
  name: `p${i}`,
  children: Array.from({ length: 10 }, (_, j) => ({ name: `c${j}` })),
})

/** Fills the customer table. */
export const seedCustomers =
  (count: number) =>
  (database: Database.Database): void => {
    const insert = database.prepare('INSERT INTO customer(name, description) VALUES (?, ?)')
    database.transaction(() => {
      for (let i = 0; i < count; i++) insert.run(customer(i).name, customer(i).description)
    })()
  }

/** Parents with ten children each, each with two children of its own. */
export const seedFamilies =
  (parents: number) =>
  (database: Database.Database): void => {
    const parent = database.prepare('INSERT INTO parent(name) VALUES (?)')
    const child = database.prepare('INSERT INTO child(parent_id, name) VALUES (?, ?)')
    const grandchild = database.prepare('INSERT INTO grandchild(child_id, name) VALUES (?, ?)')
    database.transaction(() => {
      for (let i = 0; i < parents; i++) {
        const parentId = parent.run(`p${i}`).lastInsertRowid
        for (let j = 0; j < 10; j++) {
          const childId = child.run(parentId, `c${j}`).lastInsertRowid
          for (let k = 0; k < 2; k++) grandchild.run(childId, `g${k}`)
        }
      }
    })()
  }

/** Every n-th of `count` customers, for one of `shards` files, under names that no order of insertion gives. */
export const seedShard =
  (shard: number, shards: number, count: number) =>
  (database: Database.Database): void => {
    database.exec('CREATE INDEX customer_name ON customer(name)')
    const insert = database.prepare('INSERT INTO customer(id, name, description) VALUES (?, ?, ?)')
    database.transaction(() => {
      for (let i = shard; i < count; i += shards) {
        insert.run(i + 1, `customer name ${String((i * 7919) % count).padStart(7, '0')}`, `description ${i}`)
      }
    })()
  }

/** The numbers from 1 to `count`, each once, in an order that is always the same and no pattern. */
export const shuffled = (count: number): ReadonlyArray<number> => {
  const numbers = Array.from({ length: count }, (_, i) => i + 1)
  let state = 12345
  for (let i = count - 1; i > 0; i--) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    const j = state % (i + 1)
    const held = numbers[i] as number
    numbers[i] = numbers[j] as number
    numbers[j] = held
  }
  return numbers
}
