/**
 * The SQL of layouts: tables under other names, and nothing else.
 */
import { type AnyStatement, compile, deleteFrom, forUpdate, modify, select, set, update, where } from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import { schemaTranslate, tablePrefix } from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresDialect,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely'
import { Pool } from 'pg'
import { describe, expect, test } from 'vitest'
import { model, rightOf } from '../weather.js'

const postgres = kyselyEngine(new PostgresDialect({ pool: new Pool() }))
const inSchema = schemaTranslate('asia')(postgres)
const prefixed = tablePrefix('asia_')(postgres)

const sqlOf = (engine: Parameters<typeof compile>[0], statement: AnyStatement): string =>
  rightOf(compile(engine)(statement)).sql

// biome-ignore lint/suspicious/noExplicitAny: any tables
const db = new Kysely<any>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (of) => new PostgresIntrospector(of),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

const joined = pipe(
  select(model.Report),
  modify((qb) => qb.innerJoin('weather_locations as l', 'l.id', 'weather_reports.locationId')),
)

describe('a table in another schema', () => {
  test('is read there, and referred to by its name', () => {
    expect(sqlOf(inSchema, pipe(select(model.Location), where('city', '=', 'x')))).toBe(
      'select "weather_locations"."id", "weather_locations"."continent", "weather_locations"."city" from "asia"."weather_locations" where "weather_locations"."city" = $1',
    )
    expect(sqlOf(inSchema, pipe(deleteFrom(model.Report), where('id', '=', 1)))).toBe(
      'delete from "asia"."weather_reports" where "weather_reports"."id" = $1',
    )
  })

  test('of the model is in the one that is named for it', () => {
    const engine = schemaTranslate({ '': 'asia', app: 'asia_app' })(postgres)
    expect(engine.layout?.names.table('users')).toBe('asia.users')
    expect(engine.layout?.names.table('app.users')).toBe('asia_app.users')
    expect(engine.layout?.names.table('other.users')).toBe('other.users')
  })
})

describe('a table with a prefix', () => {
  test('is referred to by it, wherever it stands under its own name', () => {
    expect(sqlOf(prefixed, pipe(select(model.Location), where('id', '=', 1)))).toBe(
      'select "asia_weather_locations"."id", "asia_weather_locations"."continent", "asia_weather_locations"."city" from "asia_weather_locations" where "asia_weather_locations"."id" = $1',
    )
    expect(sqlOf(prefixed, pipe(update(model.Report), set({ temperature: 1 })))).toBe(
      'update "asia_weather_reports" set "temperature" = $1',
    )
  })

  test('keeps its alias, also one that is called as another table', () => {
    expect(sqlOf(prefixed, joined)).toContain(
      'inner join "asia_weather_locations" as "l" on "l"."id" = "asia_weather_reports"."location_id"',
    )
    const inner = pipe(
      select(model.Location),
      where((eb) =>
        eb.exists(
          eb
            .selectFrom('weather_locations as weather_reports')
            .select('weather_reports.id')
            .where((inside) =>
              inside.exists(
                inside
                  .selectFrom('weather_reports')
                  .select('weather_reports.id')
                  .whereRef('weather_reports.id', '=', 'weather_locations.id'),
              ),
            ),
        ),
      ),
    )
    expect(sqlOf(prefixed, inner)).toMatch(
      /from "asia_weather_locations" as "weather_reports" where exists \(select "asia_weather_reports"."id" from "asia_weather_reports" where "asia_weather_reports"."id" = "asia_weather_locations"."id"\)/,
    )
  })

  test('is not what a common table expression is called', () => {
    const query = db
      .with('weather_reports', (qb) => qb.selectFrom('weather_reports').select('weather_reports.id'))
      .with('warm', (qb) => qb.selectFrom('weather_reports').select('weather_reports.id'))
      .selectFrom('weather_reports')
      .innerJoin('weather_locations', 'weather_locations.id', 'weather_reports.id')
      .select('weather_reports.id')
    expect(prefixed.compile(query.toOperationNode()).sql).toBe(
      'with "weather_reports" as (select "asia_weather_reports"."id" from "asia_weather_reports"), "warm" as (select "weather_reports"."id" from "weather_reports") select "weather_reports"."id" from "weather_reports" inner join "asia_weather_locations" on "asia_weather_locations"."id" = "weather_reports"."id"',
    )
    const tree = db
      .withRecursive('weather_reports', (qb) => qb.selectFrom('weather_reports').select('weather_reports.id'))
      .selectFrom('weather_reports')
      .selectAll()
    expect(prefixed.compile(tree.toOperationNode()).sql).toBe(
      'with recursive "weather_reports" as (select "weather_reports"."id" from "weather_reports") select * from "weather_reports"',
    )
  })

  test('is locked by it', () => {
    expect(sqlOf(prefixed, pipe(joined, forUpdate({ of: ['weather_reports'] })))).toMatch(
      /for update of "asia_weather_reports"$/,
    )
    expect(sqlOf(inSchema, pipe(joined, forUpdate({ of: ['weather_reports'] })))).toMatch(
      /for update of "weather_reports"$/,
    )
  })

  test('in text is one by sql.table, and none where it is only written', () => {
    const engine = tablePrefix('asia_')(sqliteEngine(new Database(':memory:')))
    const node = sql`select * from ${sql.table('weather_reports')}, weather_reports, ${sql.table('information_schema.tables')}`
    expect(engine.compile(node.toOperationNode() as never).sql).toBe(
      'select * from "asia_weather_reports", weather_reports, "information_schema"."tables"',
    )
  })
})
