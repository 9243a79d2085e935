/**
 * One connection to three files of SQLite, and a model whose tables are in all of them.
 */
import { join } from 'node:path'
import { defineModel, type Engine, entity, integer, primaryKey } from '@unitary/core'
import * as Session from '@unitary/session'
import { atomic, choosers, onlyOn, shardedRuntime, shardMap } from '@unitary/shard'
import Database from 'better-sqlite3'

const columns = { id: primaryKey(integer) }

const model = defineModel({
  Here: entity('Here', 'items', columns),
  There: entity('There', 'b.items', columns),
  Yonder: entity('Yonder', 'c.items', columns),
})(() => ({}))

/** The main file, with the two others attached. */
export const openAttached = (folder: string, main = join(folder, 'a.db')): Database.Database => {
  const database = new Database(main)
  for (const name of ['b', 'c']) database.prepare(`attach ? as ${name}`).run(join(folder, `${name}.db`))
  for (const table of ['items', 'b.items', 'c.items']) {
    database.exec(`create table if not exists ${table} (id integer primary key)`)
  }
  return database
}

export const attachedRuntime = (engine: Engine) =>
  shardedRuntime(model, {
    shards: shardMap({ only: engine }),
    choosers: choosers(model)({ Here: onlyOn('only'), There: onlyOn('only'), Yonder: onlyOn('only') }),
    commit: atomic({ application: 'attached' }),
  })

/** Adds an item to each file, and commits. */
export const addEverywhere = (item: number) =>
  Session.gen(function* () {
    yield* Session.add(model.Here, { id: item })
    yield* Session.add(model.There, { id: item })
    yield* Session.add(model.Yonder, { id: item })
    yield* Session.commit
  })
