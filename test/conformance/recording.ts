/**
 * An engine that keeps what it is asked: the writes and statements that a scenario expects are engine calls, as data.
 */
import type { Connection, Engine, EngineCall, EngineError, SyncConnection } from '@unitary/core'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import type { ScenarioModel } from './model.js'
import type { Write } from './scenario.js'

export interface RecordingEngine {
  readonly engine: Engine
  /** The calls since this was last called, in order. */
  readonly take: () => ReadonlyArray<EngineCall>
}

/** Wraps an engine; its answers are its own. */
export const recording = (inner: Engine): RecordingEngine => {
  let calls: EngineCall[] = []
  const wrap = (connection: Connection): Connection =>
    ({
      ...connection,
      call: (call: EngineCall) => {
        calls.push(call)
        return connection.call(call)
      },
    }) as Connection
  const wrapEither = (answer: Either<EngineError, Connection>): Either<EngineError, Connection> =>
    isLeft(answer) ? answer : right(wrap(answer.right))
  const { connectSync, layout } = inner
  return {
    engine: {
      ...inner,
      // where engines share a database, the session connects to that
      ...(layout === undefined
        ? {}
        : { layout: { ...layout, over: <C extends Connection>(lent: C) => wrap(layout.over(lent)) as C } }),
      // they may become more with the first connection
      get capabilities() {
        return inner.capabilities
      },
      connect: async () => wrapEither(await inner.connect()),
      connectSync: connectSync === null ? null : () => wrapEither(connectSync()) as Either<EngineError, SyncConnection>,
    },
    take: () => {
      const taken = calls
      calls = []
      return taken
    },
  }
}

const rowOf = (columns: ReadonlyArray<string>, values: ReadonlyArray<unknown>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(columns.map((column, i) => [column, values[i]]))

const withoutNulls = (row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null))

/** What happened on a shard, as the corpus has it: `asia: insert`. */
const on = (shard: string | null, what: string): string => (shard === null ? what : `${shard}: ${what}`)

/** The rows that a call writes, as the corpus records them. */
export const writesOf = (call: EngineCall, model: ScenarioModel, shard: string | null): ReadonlyArray<Write> =>
  writtenBy(call, model).map(([kind, ...rest]) => [on(shard, kind), ...rest] as unknown as Write)

const writtenBy = (call: EngineCall, model: ScenarioModel): ReadonlyArray<Write> => {
  switch (call._tag) {
    case 'Insert':
      return call.rows.map((row) => [
        'insert',
        call.table,
        model.portable(call.table, withoutNulls(rowOf(call.columns, row))),
      ])
    case 'Update': {
      const width = call.set.length
      return call.rows.map((row) => [
        'update',
        call.table,
        model.portable(call.table, rowOf(call.set, row.slice(0, width))),
        model.portable(call.table, rowOf(call.where, row.slice(width))),
      ])
    }
    case 'Delete':
      return call.rows.map((row) => ['delete', call.table, model.portable(call.table, rowOf(call.where, row))])
    default:
      return []
  }
}

/** A table in SQL, with its schema where it has one. */
const named = /(?:["`]\w+["`]\.)?["`](\w+)["`]/

const selected = new RegExp(`\\bfrom ${named.source}`, 'i')
const written = new RegExp(`^\\s*(select|update|delete)\\b.*?(?:from |update )?${named.source}`, 'is')

/** The first words of a statement and its table, as the model calls it. */
export const statementOf = (
  call: EngineCall,
  shard: string | null,
  inModel: (table: string) => string,
): ReadonlyArray<string> => {
  if (call._tag !== 'Query') return []
  const { sql } = call.statement
  const [, kind = '', table = ''] = written.exec(sql) ?? []
  if (kind === 'select') return [on(shard, `select ${inModel(selected.exec(sql)?.[1] ?? table)}`)]
  return kind === '' ? [] : [on(shard, `bulk ${kind} ${inModel(table)}`)]
}
