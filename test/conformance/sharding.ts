/**
 * Scenarios over several shards: the choosers that a description names, the rows of each shard, and what a query over
 * all of them gives.
 */
import type { AnyModel } from '@unitary/core'
import { byAttribute, type Choosers, choosers, withParent } from '@unitary/shard'
import { orderOf } from './model.js'
import type { Scenario, ShardingDescription, Step, Tables } from './scenario.js'

/** The choosers that a scenario is recorded with. Reads follow the same columns, and keys tell no shard. */
export const choosersOf = (model: AnyModel, { shardChooser }: ShardingDescription): Choosers => {
  const strategies = Object.entries(shardChooser).map(([entity, chooser]) => [
    entity,
    'via' in chooser ? withParent(chooser.via) : byAttribute(chooser.column, chooser.map),
  ])
  return (choosers(model) as (strategies: unknown) => Choosers)(Object.fromEntries(strategies))
}

/** The rows that a shard begins with. */
export const rowsOn = ({ rows }: Scenario, shard: string): Tables =>
  (rows as unknown as Readonly<Record<string, Tables>>)[shard] ?? {}

/** The rows at the end, those of a shard as `asia: reports`. */
export const lastRows = ({ final, session }: Scenario): Tables =>
  session.sharding === undefined ? final.rows : byTable(final.rows as unknown as Readonly<Record<string, Tables>>)

/** Tables of shards, each under the name of both. */
export const byTable = (shards: Readonly<Record<string, Tables>>): Tables =>
  Object.fromEntries(
    Object.entries(shards).flatMap(([shard, tables]) =>
      Object.entries(tables).map(([table, rows]) => [`${shard}: ${table}`, rows]),
    ),
  )

/** The key in `Location:7@asia`. */
export const keyIn = (name: string): number => Number(/:(\d+)@/.exec(name)?.[1] ?? Number.NaN)

/**
 * A recorded result of several shards, as one result: there each shard has ordered and limited its own rows, here the
 * order and the limit hold for all of them ("shards merge").
 *
 * Only the key is ever ordered by; rows of the same key come in the order of the shards, as recorded.
 */
export const merged = (
  { limit, offset, orderBy = [] }: Step,
  recorded: unknown,
  keyOf: (name: string) => number,
): unknown => {
  const [by, another] = orderBy
  if (!Array.isArray(recorded) || by === undefined) return recorded
  if (another !== undefined || offset !== undefined) throw new Error('no such query is recorded over several shards')
  const [name, direction] = orderOf(by)
  if (name !== 'id') throw new Error(`results of several shards are not merged by ${name}`)
  const sign = direction === 'asc' ? 1 : -1
  const rows = [...(recorded as ReadonlyArray<string>)].sort((a, b) => sign * (keyOf(a) - keyOf(b)))
  return limit === undefined ? rows : rows.slice(0, limit)
}
