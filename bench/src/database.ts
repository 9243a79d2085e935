/**
 * The schema, the settings and the data that every workload shares.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { column, defineModel, entity, enumOf, generated, instant, integer, primaryKey, text } from '@unitary/core'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'

const Customer = entity('Customer', 'customer', {
  id: pipe(integer, primaryKey, generated),
  name: text,
  description: text,
})
const Parent = entity('Parent', 'parent', { id: pipe(integer, primaryKey, generated), name: text })
const Child = entity('Child', 'child', {
  id: pipe(integer, primaryKey, generated),
  parentId: integer,
  name: text,
})

const Amount = t.brand(t.number, (n): n is t.Branded<number, { readonly Amount: symbol }> => n >= 0, 'Amount')
/** Columns whose codecs do more than name a type. */
const Purchase = entity('Purchase', 'purchase', {
  id: pipe(integer, primaryKey, generated),
  state: enumOf('open', 'paid', 'sent'),
  amount: column(Amount, 'integer'),
  name: text,
  at: instant,
})

export const model = defineModel({ Customer, Parent, Child, Purchase })((r) => ({
  Parent: { children: r.Parent.hasMany('Child', { foreignKey: 'parentId', inverse: 'parent' }) },
  Child: { parent: r.Child.belongsTo('Parent', { foreignKey: 'parentId', inverse: 'children' }) },
}))

const schema = `
  CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL);
  CREATE TABLE parent(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
  CREATE TABLE child(id INTEGER PRIMARY KEY, parentId INTEGER NOT NULL REFERENCES parent(id), name TEXT NOT NULL);
  CREATE INDEX child_parent ON child(parentId);
  CREATE TABLE purchase(id INTEGER PRIMARY KEY, state TEXT NOT NULL, amount INTEGER NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL);`

export interface Opened {
  readonly database: Database.Database
  readonly folder: string
}

/** A fresh database file: WAL, synchronous NORMAL, 16 MB of cache, foreign keys on. */
export const open = (): Opened => {
  const folder = mkdtempSync(join(tmpdir(), 'unitary-bench-'))
  const database = new Database(join(folder, 'bench.db'))
  for (const pragma of ['journal_mode=WAL', 'synchronous=NORMAL', 'cache_size=-16000', 'foreign_keys=ON']) {
    database.pragma(pragma)
  }
  database.exec(schema)
  return { database, folder }
}

export const close = ({ database, folder }: Opened): void => {
  database.close()
  rmSync(folder, { recursive: true, force: true })
}

export const customer = (i: number): { readonly name: string; readonly description: string } => ({
  name: `customer name ${i}`,
  description: `customer description ${i}`,
})

/** Fills the customer table. */
export const seedCustomers = (database: Database.Database, count: number): void => {
  const insert = database.prepare('INSERT INTO customer(name, description) VALUES (?, ?)')
  database.transaction(() => {
    for (let i = 0; i < count; i++) insert.run(customer(i).name, customer(i).description)
  })()
}

/** Fills the purchase table. */
export const seedPurchases = (database: Database.Database, count: number): void => {
  const insert = database.prepare('INSERT INTO purchase(state, amount, name, at) VALUES (?, ?, ?, ?)')
  database.transaction(() => {
    for (let i = 0; i < count; i++) {
      insert.run(['open', 'paid', 'sent'][i % 3], i, `purchase ${i}`, new Date(i * 1e6).toISOString())
    }
  })()
}

/** Inserts rows in chunks of a hundred and gives the ids to `give`: how one would write it by hand. */
export const insertByHand = <Row>(
  database: Database.Database,
  table: string,
  columns: ReadonlyArray<string>,
  rows: ReadonlyArray<Row>,
  values: (row: Row) => ReadonlyArray<unknown>,
  give: (row: Row, id: number) => void,
): void => {
  const chunk = 100
  const places = Array(chunk)
    .fill(`(${columns.map(() => '?').join(', ')})`)
    .join(', ')
  const insert = database.prepare(`INSERT INTO ${table}(${columns.join(', ')}) VALUES ${places} RETURNING id`).pluck()
  for (let from = 0; from < rows.length; from += chunk) {
    const parameters: unknown[] = []
    for (let i = from; i < from + chunk; i++) for (const value of values(rows[i] as Row)) parameters.push(value)
    const ids = insert.all(parameters) as number[]
    for (let i = 0; i < chunk; i++) give(rows[from + i] as Row, ids[i] as number)
  }
}
