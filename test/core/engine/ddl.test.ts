import {
  arrayOf,
  bigint,
  blob,
  boolean,
  compile,
  createAll,
  createAllSync,
  type DdlCondition,
  type DdlStatement,
  type DriverRow,
  ddlOf,
  decimal,
  defineModel,
  dropAll,
  dropAllSync,
  type Engine,
  type EngineCall,
  entity,
  enumOf,
  generated,
  type InstanceId,
  instant,
  integer,
  jsonOf,
  named,
  nullable,
  parseDecimal,
  plainDate,
  primaryKey,
  real,
  references,
  rowReaderOf,
  select,
  text,
  unique,
  uuid,
  withServerDefault,
} from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { toNullable } from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { MysqlDialect, PostgresDialect, SqliteDialect, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Host,
  kyselySqliteHost,
  mysqlHost,
  postgresHost,
  skipped,
  sqliteHost,
  type TestDatabase,
} from './databases.js'
import { ask, connect, failure, idsOf, insert, rightOf } from './engine-conformance.js'

const shop = defineModel({
  Item: entity('Item', 'items', {
    orderId: pipe(integer, primaryKey, named('order_id')),
    position: pipe(integer, primaryKey),
    label: pipe(text, nullable),
  }),
  Remark: entity('Remark', 'remarks', {
    id: pipe(bigint, primaryKey, generated),
    orderId: pipe(integer, named('order_id')),
    position: pipe(integer),
    isPublic: pipe(boolean, named('is_public')),
  }),
  Order: entity('Order', 'orders', {
    id: pipe(integer, primaryKey, generated),
    code: pipe(text, unique),
    previousId: pipe(integer, nullable, named('previous_id'), references('orders.id', { onDelete: 'set null' })),
  }),
})((r) => ({
  Order: { items: r.Order.hasMany('Item', { foreignKey: 'orderId', inverse: 'order' }) },
  Item: {
    order: r.Item.belongsTo('Order', { foreignKey: 'orderId', inverse: 'items' }),
    remarks: r.Item.hasMany('Remark', { foreignKey: ['orderId', 'position'] }),
  },
}))

const everything = defineModel({
  Thing: entity('Thing', 'things', {
    id: pipe(uuid, primaryKey),
    code: pipe(enumOf('a', "b'c"), unique, named('the_code')),
    price: pipe(decimal(12, 2), withServerDefault(sql.val(toNullable(parseDecimal('-1.50'))))),
    at: pipe(instant, withServerDefault(sql.val(new Date(0)))),
    day: plainDate,
    data: jsonOf(t.unknown),
    tags: arrayOf(text),
    prices: pipe(arrayOf(decimal(12, 2)), nullable),
    total: bigint,
    bytes: blob,
    size: real,
  }),
})(() => ({}))

/** Constraints over several columns, one of which serves a foreign key as its index. */
const theatre = defineModel({
  Hall: entity('Hall', 'halls', { id: pipe(integer, primaryKey, generated), name: text }, { unique: [['name']] }),
  Seat: entity(
    'Seat',
    'seats',
    {
      id: pipe(integer, primaryKey, generated),
      hallId: pipe(integer, named('hall_id'), references('halls.id')),
      row: pipe(text, named('seat_row'), nullable),
      number: pipe(integer, named('seat_number')),
    },
    { unique: [['hallId', 'row', 'number']] },
  ),
})(() => ({}))

/** Two tables that refer to each other. */
const cycle = defineModel({
  Team: entity('Team', 'teams', {
    id: pipe(integer, primaryKey, generated),
    leadId: pipe(
      integer,
      nullable,
      named('lead_id'),
      references('people.id', { onDelete: 'set null', onUpdate: 'cascade' }),
    ),
  }),
  Person: entity('Person', 'people', {
    id: pipe(integer, primaryKey, generated),
    teamId: pipe(integer, named('team_id'), references('teams.id')),
  }),
})(() => ({}))

const engines = {
  sqlite: () => kyselyEngine(new SqliteDialect({ database: new Database(':memory:') })),
  postgres: () => kyselyEngine(new PostgresDialect({ pool: null as never })),
  mysql: () => kyselyEngine(new MysqlDialect({ pool: null as never })),
}

const nameOf = (condition: DdlCondition): string =>
  'schema' in condition ? condition.schema : 'constraint' in condition ? condition.constraint : condition.index

const render = (engine: Engine, statements: ReadonlyArray<DdlStatement>): string =>
  statements
    .map(({ node, condition }) => {
      // a line for each column and constraint
      const lines = engine.compile(node).sql.replaceAll(/, (?=["`]\w+["`] \w|constraint)/g, ',\n  ')
      return condition === null
        ? lines
        : `${lines} -- if ${nameOf(condition)} ${condition.exists ? 'exists' : 'does not exist'}`
    })
    .join('\n')

describe('the DDL of a model', () => {
  test('on SQLite', () => {
    const engine = engines.sqlite()
    expect(render(engine, ddlOf(shop)(engine.dialect).create)).toMatchInlineSnapshot(`
      "create table if not exists "orders" ("id" integer not null primary key,
        "code" text not null,
        "previous_id" integer,
        constraint "orders_code_key" unique ("code"),
        constraint "orders_previous_id_fkey" foreign key ("previous_id") references "orders" ("id") on delete set null)
      create index if not exists "orders_previous_id_idx" on "orders" ("previous_id")
      create table if not exists "items" ("order_id" integer not null,
        "position" integer not null,
        "label" text,
        constraint "items_pkey" primary key ("order_id", "position"),
        constraint "items_order_id_fkey" foreign key ("order_id") references "orders" ("id"))
      create table if not exists "remarks" ("id" integer not null primary key,
        "order_id" integer not null,
        "position" integer not null,
        "is_public" boolean not null,
        constraint "remarks_order_id_position_fkey" foreign key ("order_id", "position") references "items" ("order_id", "position"))
      create index if not exists "remarks_order_id_position_idx" on "remarks" ("order_id", "position")"
    `)
  })

  test('on PostgreSQL', () => {
    const engine = engines.postgres()
    expect(render(engine, ddlOf(shop)(engine.dialect).create)).toMatchInlineSnapshot(`
      "create table if not exists "orders" ("id" integer generated by default as identity not null primary key,
        "code" text not null,
        "previous_id" integer,
        constraint "orders_code_key" unique ("code"),
        constraint "orders_previous_id_fkey" foreign key ("previous_id") references "orders" ("id") on delete set null)
      create index if not exists "orders_previous_id_idx" on "orders" ("previous_id")
      create table if not exists "items" ("order_id" integer not null,
        "position" integer not null,
        "label" text,
        constraint "items_pkey" primary key ("order_id", "position"),
        constraint "items_order_id_fkey" foreign key ("order_id") references "orders" ("id"))
      create table if not exists "remarks" ("id" bigint generated by default as identity not null primary key,
        "order_id" integer not null,
        "position" integer not null,
        "is_public" boolean not null,
        constraint "remarks_order_id_position_fkey" foreign key ("order_id", "position") references "items" ("order_id", "position"))
      create index if not exists "remarks_order_id_position_idx" on "remarks" ("order_id", "position")"
    `)
  })

  test('on MySQL', () => {
    const engine = engines.mysql()
    expect(render(engine, ddlOf(shop)(engine.dialect).create)).toMatchInlineSnapshot(`
      "create table if not exists \`orders\` (\`id\` integer not null primary key auto_increment,
        \`code\` varchar(255) collate utf8mb4_bin not null,
        \`previous_id\` integer,
        constraint \`orders_code_key\` unique (\`code\`),
        constraint \`orders_previous_id_fkey\` foreign key (\`previous_id\`) references \`orders\` (\`id\`) on delete set null)
      create table if not exists \`items\` (\`order_id\` integer not null,
        \`position\` integer not null,
        \`label\` longtext collate utf8mb4_bin,
        constraint \`items_pkey\` primary key (\`order_id\`, \`position\`),
        constraint \`items_order_id_fkey\` foreign key (\`order_id\`) references \`orders\` (\`id\`))
      create table if not exists \`remarks\` (\`id\` bigint not null primary key auto_increment,
        \`order_id\` integer not null,
        \`position\` integer not null,
        \`is_public\` boolean not null,
        constraint \`remarks_order_id_position_fkey\` foreign key (\`order_id\`, \`position\`) references \`items\` (\`order_id\`, \`position\`))"
    `)
  })

  test('has each kind of column in the words of each database', () => {
    const columnsOn = (engine: Engine) => render(engine, ddlOf(everything)(engine.dialect).create)
    expect(columnsOn(engines.sqlite())).toMatchInlineSnapshot(`
      "create table if not exists "things" ("id" text not null primary key,
        "the_code" text not null,
        "price" text default '-98:8.4~' not null,
        "at" text default '1970-01-01T00:00:00.000Z' not null,
        "day" text not null,
        "data" text not null,
        "tags" text not null,
        "prices" text,
        "total" bigint not null,
        "bytes" blob not null,
        "size" real not null,
        constraint "things_the_code_key" unique ("the_code"),
        constraint "things_the_code_check" check ("the_code" in ('a', 'b''c')))"
    `)
    expect(columnsOn(engines.postgres())).toMatchInlineSnapshot(`
      "create table if not exists "things" ("id" uuid not null primary key,
        "the_code" text not null,
        "price" numeric(12, 2) default '-1.5' not null,
        "at" timestamptz(3) default '1970-01-01T00:00:00.000Z' not null,
        "day" date not null,
        "data" jsonb not null,
        "tags" text[] not null,
        "prices" numeric(12, 2)[],
        "total" bigint not null,
        "bytes" bytea not null,
        "size" double precision not null,
        constraint "things_the_code_key" unique ("the_code"),
        constraint "things_the_code_check" check ("the_code" in ('a', 'b''c')))"
    `)
    expect(columnsOn(engines.mysql())).toMatchInlineSnapshot(`
      "create table if not exists \`things\` (\`id\` char(36) collate ascii_bin not null primary key,
        \`the_code\` varchar(255) collate utf8mb4_bin not null,
        \`price\` decimal(12, 2) default '-1.5' not null,
        \`at\` datetime(3) default '1970-01-01 00:00:00.000' not null,
        \`day\` date not null,
        \`data\` json not null,
        \`tags\` json not null,
        \`prices\` json,
        \`total\` bigint not null,
        \`bytes\` longblob not null,
        \`size\` double not null,
        constraint \`things_the_code_key\` unique (\`the_code\`),
        constraint \`things_the_code_check\` check (\`the_code\` in ('a', 'b''c')))"
    `)
  })

  test('drops children before parents', () => {
    const engine = engines.postgres()
    expect(render(engine, ddlOf(shop)(engine.dialect).drop)).toMatchInlineSnapshot(`
      "drop table if exists "remarks"
      drop table if exists "items"
      drop table if exists "orders""
    `)
  })

  test('closes a cycle of tables after they are made, and opens it before they are dropped', () => {
    const engine = engines.postgres()
    const { create, drop } = ddlOf(cycle)(engine.dialect)
    expect(render(engine, [...create.slice(-1), ...drop])).toMatchInlineSnapshot(`
      "alter table "people" add constraint "people_team_id_fkey" foreign key ("team_id") references "teams" ("id") -- if people_team_id_fkey does not exist
      alter table "people" drop constraint "people_team_id_fkey" -- if people_team_id_fkey exists
      drop table if exists "teams"
      drop table if exists "people""
    `)
  })

  test('names unique constraints of several columns, which serve as indexes too', () => {
    const postgres = engines.postgres()
    expect(render(postgres, ddlOf(theatre)(postgres.dialect).create)).toMatchInlineSnapshot(`
      "create table if not exists "halls" ("id" integer generated by default as identity not null primary key,
        "name" text not null,
        constraint "halls_name_key" unique ("name"))
      create table if not exists "seats" ("id" integer generated by default as identity not null primary key,
        "hall_id" integer not null,
        "seat_row" text,
        "seat_number" integer not null,
        constraint "seats_hall_id_seat_row_seat_number_key" unique ("hall_id", "seat_row", "seat_number"),
        constraint "seats_hall_id_fkey" foreign key ("hall_id") references "halls" ("id"))"
    `)
    const mysql = engines.mysql()
    expect(render(mysql, ddlOf(theatre)(mysql.dialect).create)).toContain('`seat_row` varchar(255)')
  })

  test('gives long names an end of their own', () => {
    const long = 'a_table_with_a_name_that_is_very_long_indeed_for_a_table'
    const model = defineModel({
      A: entity('A', long, {
        id: pipe(integer, primaryKey),
        first: pipe(integer, named('some_long_column'), references(`${long}.id`)),
        second: pipe(integer, named('some_longer_column'), references(`${long}.id`)),
      }),
    })(() => ({}))
    const engine = engines.mysql()
    const sql = render(engine, ddlOf(model)(engine.dialect).create)
    const names = Array.from(sql.matchAll(/constraint `(.+?)`/g), ([, name]) => name)
    expect(new Set(names).size).toBe(2)
    for (const name of names) expect(name).toHaveLength(63)
  })
})

const ddlRoundTrip = (host: Host): void => {
  const why = skipped(host)
  describe.skipIf(why !== null)(why === null ? host.name : `${host.name} (${why})`, () => {
    let database: TestDatabase
    let engine: Engine
    beforeAll(async () => {
      database = await host.create()
      engine = database.open()
    })
    afterAll(async () => {
      await engine?.close()
      await database?.drop()
    })

    test('creates tables that hold what the model says, and drops them', async () => {
      rightOf(await createAll(shop)(engine)())
      rightOf(await createAll(shop)(engine)())
      const connection = await connect(engine)
      expect(
        await ask(
          connection,
          insert(
            'orders',
            ['code', 'previous_id'],
            [
              ['a', null],
              ['b', 1],
            ],
            'id',
          ),
        ),
      ).toEqual([[1, 2]])
      await ask(
        connection,
        insert(
          'items',
          ['order_id', 'position'],
          [
            [1, 1],
            [1, 2],
          ],
        ),
      )
      const ids = await idsOf(
        connection,
        insert('remarks', ['order_id', 'position', 'is_public'], [[1, 2, true]], 'id'),
      )
      expect(ids.map(Number)).toEqual([1])
      const refused = async (call: EngineCall, reason: string) =>
        expect((await failure(connection, call)).reason._tag).toBe(reason)
      await refused(insert('items', ['order_id', 'position'], [[9, 1]]), 'ForeignKeyViolation')
      await refused(insert('items', ['order_id', 'position'], [[1, 1]]), 'UniqueViolation')
      await refused(insert('remarks', ['order_id', 'position', 'is_public'], [[2, 2, true]]), 'ForeignKeyViolation')
      await refused(insert('orders', ['code'], [['a']]), 'UniqueViolation')
      await refused(insert('orders', ['code'], [[null]]), 'NotNullViolation')
      await ask(connection, { _tag: 'Delete', table: 'remarks', where: ['id'], rows: [[1]] })
      await ask(connection, { _tag: 'Delete', table: 'items', where: ['order_id'], rows: [[1]] })
      expect(await ask(connection, { _tag: 'Delete', table: 'orders', where: ['id'], rows: [[1]] })).toEqual([1])
      const left = { _tag: 'Delete', table: 'orders', where: ['id', 'previous_id'], rows: [[2, null]] } as const
      expect(await ask(connection, left)).toEqual([1])
      await connection.release()
      rightOf(await dropAll(shop)(engine)())
      const after = await connect(engine)
      expect((await failure(after, insert('items', ['position'], [[1]]))).reason._tag).toBe('UnknownTable')
      await after.release()
    })

    test('refuses what is no value of an enum, and fills in defaults of the program', async () => {
      rightOf(await createAll(everything)(engine)())
      const connection = await connect(engine)
      const array = engine.dialect.written('array') ?? ((list: unknown) => list)
      const row = (code: string) => [
        crypto.randomUUID(),
        code,
        '2026-01-31',
        '{}',
        array('["a"]'),
        1n,
        Buffer.of(1),
        1.5,
      ]
      const columns = ['id', 'the_code', 'day', 'data', 'tags', 'total', 'bytes', 'size']
      await ask(connection, insert('things', columns, [row("b'c")]))
      const statement = rightOf(compile(engine)(select(everything.Thing)))
      const [found] = (await ask(connection, { _tag: 'Query', statement })).rows
      const read = rowReaderOf(everything.Thing.mapping, engine.dialect, 'strict')
      expect(read(found as DriverRow, 0 as InstanceId)).toMatchObject({ price: '-1.5', at: new Date(0), tags: ['a'] })
      expect(await failure(connection, insert('things', columns, [row('c')]))).toMatchObject({
        reason: { _tag: 'CheckViolation', constraint: 'things_the_code_check' },
      })
      await connection.release()
      rightOf(await dropAll(everything)(engine)())
    })

    test('makes text that differs in case or accents another text', async () => {
      rightOf(await createAll(shop)(engine)())
      const connection = await connect(engine)
      const codes = ['e', 'E', 'é', 'ss', 'ß']
      await ask(
        connection,
        insert(
          'orders',
          ['code'],
          codes.map((code) => [code]),
        ),
      )
      await ask(connection, insert('items', ['order_id', 'position', 'label'], [[1, 1, 'e']]))
      const found = { _tag: 'Update', returning: [], table: 'items', set: ['position'], where: ['label'] } as const
      expect(await ask(connection, { ...found, rows: [[2, 'E']] })).toEqual({ matched: [0], returned: [] })
      expect(await ask(connection, { ...found, rows: [[2, 'e']] })).toEqual({ matched: [1], returned: [] })
      await connection.release()
      rightOf(await dropAll(shop)(engine)())
    })

    test('creates unique constraints of several columns', async () => {
      rightOf(await createAll(theatre)(engine)())
      rightOf(await createAll(theatre)(engine)())
      const connection = await connect(engine)
      await ask(connection, insert('halls', ['name'], [['small'], ['large']]))
      const seats = (...rows: ReadonlyArray<ReadonlyArray<unknown>>) =>
        insert('seats', ['hall_id', 'seat_row', 'seat_number'], rows)
      await ask(connection, seats([1, 'a', 1], [1, 'a', 2], [2, 'a', 1], [1, null, 1], [1, null, 1]))
      expect((await failure(connection, seats([1, 'a', 2]))).reason._tag).toBe('UniqueViolation')
      expect((await failure(connection, insert('halls', ['name'], [['large']]))).reason._tag).toBe('UniqueViolation')
      await connection.release()
      rightOf(await dropAll(theatre)(engine)())
    })

    test('creates and drops a cycle of tables whose rows refer to each other', async () => {
      rightOf(await createAll(cycle)(engine)())
      rightOf(await createAll(cycle)(engine)())
      const connection = await connect(engine)
      const [team] = await idsOf(connection, insert('teams', [], [[]], 'id'))
      const [person] = await idsOf(connection, insert('people', ['team_id'], [[team]], 'id'))
      const lead = {
        _tag: 'Update',
        returning: [],
        table: 'teams',
        set: ['lead_id'],
        where: ['id'],
        rows: [[person, team]],
      } as const
      expect(await ask(connection, lead)).toEqual({ matched: [1], returned: [] })
      expect((await failure(connection, { ...lead, rows: [[99, team]] })).reason._tag).toBe('ForeignKeyViolation')
      await connection.release()
      rightOf(await dropAll(cycle)(engine)())
      rightOf(await dropAll(cycle)(engine)())
      rightOf(await createAll(cycle)(engine)())
      rightOf(await dropAll(cycle)(engine)())
    })
  })
}

describe('tables', () => {
  for (const host of [sqliteHost('SQLite'), kyselySqliteHost, postgresHost, mysqlHost]) ddlRoundTrip(host)

  test('are created and dropped without a promise on a synchronous engine', () => {
    const engine = sqliteEngine(new Database(':memory:'))
    rightOf(createAllSync(cycle)(engine))
    rightOf(dropAllSync(cycle)(engine))
    expect(createAllSync(shop)(engines.sqlite())).toMatchObject({ left: { reason: { _tag: 'Unsupported' } } })
  })

  test('are all there or none', () => {
    const database = new Database(':memory:')
    const engine = sqliteEngine(database)
    const failing = defineModel({
      New: entity('New', 'new_table', { id: pipe(integer, primaryKey) }),
      Team: entity('Team', 'sqlite_reserved', { id: pipe(integer, primaryKey) }),
    })(() => ({}))
    expect(createAllSync(failing)(engine)).toMatchObject({ _tag: 'Left' })
    expect(database.prepare(`select name from sqlite_schema where type = 'table'`).all()).toEqual([])
  })
})
