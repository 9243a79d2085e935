import { type Database, resolve, select, where } from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import {
  DummyDriver,
  type Expression,
  Kysely,
  type OperationNodeSource,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RootOperationNode,
  type SqlBool,
  sql,
} from 'kysely'
import { describe, expect, test } from 'vitest'
import { model, plain, postgres, rightOf } from './fixture.js'

const db = new Kysely<Database<typeof model>>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (instance) => new PostgresIntrospector(instance),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

const node = (query: OperationNodeSource): RootOperationNode => query.toOperationNode() as RootOperationNode

/** The compiled text, with each parameter in its place. */
const show = (query: OperationNodeSource): string => {
  const { sql: text, parameters } = postgres.compile(rightOf(resolve(model.mappings)(node(query))))
  return text.replaceAll('"', '').replace(/\$(\d+)/g, (_, i) => showValue(parameters[Number(i) - 1]))
}

const showValue = (value: unknown): string => (value instanceof Date ? 'a Date' : JSON.stringify(value))

const date = new Date('2026-01-31T12:00:00.000Z')
const users = db.selectFrom('users').select('id')

describe('names', () => {
  test('are right through aliases, joins and nested queries', () => {
    expect(
      show(
        db
          .selectFrom('users as u')
          .innerJoin('addresses as a', 'a.userId', 'u.id')
          .select(['u.joined', 'a.userId as owner'])
          .where((eb) =>
            eb.exists(
              eb
                .selectFrom('addresses')
                .select('id')
                .whereRef('addresses.userId', '=', 'u.id')
                .where('joined', '>', date),
            ),
          )
          .orderBy('u.joined')
          .groupBy('joined'),
      ),
    ).toMatchInlineSnapshot(
      `"select u.joined_at as joined, a.user_id as owner from users as u inner join addresses as a on a.user_id = u.id where exists (select id from addresses where addresses.user_id = u.id and joined_at > "2026-01-31T12:00:00.000Z") group by joined_at order by u.joined_at"`,
    )
  })

  test('of a subquery are the attributes, and its values are encoded all the same', () => {
    expect(
      show(
        db
          .selectFrom((eb) => eb.selectFrom('users').select(['id', 'joined as since']).as('recent'))
          .select('recent.since')
          .where('since', '>', date),
      ),
    ).toMatchInlineSnapshot(
      `"select recent.since from (select id, joined_at as since from users) as recent where since > "2026-01-31T12:00:00.000Z""`,
    )
  })

  test('of a CTE hide the table, also within later CTEs', () => {
    expect(
      show(
        db
          .with('old', (qb) => qb.selectFrom('users').selectAll().where('joined', '<', date))
          .with('named(who, at)', (qb) => qb.selectFrom('old').select(['name as who', 'joined as at']))
          .selectFrom('named')
          .selectAll()
          .where('at', '=', date),
      ),
    ).toMatchInlineSnapshot(
      `"with old as (select users.id, users.name, users.age, users.joined_at as joined, users.tags, users.grade from users where joined_at < "2026-01-31T12:00:00.000Z"), named(who, at) as (select name as who, joined as at from old) select * from named where at = "2026-01-31T12:00:00.000Z""`,
    )
    expect(
      show(
        db
          .with('users', (qb) => qb.selectFrom('users').select(['id', 'joined']))
          .selectFrom('users')
          .select('joined'),
      ),
    ).toMatchInlineSnapshot(`"with users as (select id, joined_at as joined from users) select joined from users"`)
  })

  test('of a recursive CTE are known inside of it', () => {
    expect(
      show(
        db
          .withRecursive('chain', (qb) =>
            qb
              .selectFrom('addresses')
              .select(['id', 'userId'])
              .unionAll(
                qb
                  .selectFrom('addresses')
                  .innerJoin('chain', 'chain.userId', 'addresses.id')
                  .select(['addresses.id', 'addresses.userId']),
              ),
          )
          .selectFrom('chain')
          .select('userId'),
      ),
    ).toMatchInlineSnapshot(
      `"with recursive chain as (select id, user_id as userId from addresses union all select addresses.id, addresses.user_id as userId from addresses inner join chain on chain.userId = addresses.id) select userId from chain"`,
    )
  })

  test('that an expression was given come before columns in ORDER BY', () => {
    expect(
      show(
        db
          .selectFrom('users')
          .select((eb) => eb.fn.min('joined').as('joined'))
          .orderBy('joined'),
      ),
    ).toBe('select min(joined_at) as joined from users order by joined')
    expect(
      show(db.selectFrom('users').select('joined').union(db.selectFrom('users').select('joined')).orderBy('joined')),
    ).toBe('select joined_at as joined from users union select joined_at as joined from users order by joined')
  })

  test('are spelt out for a star that holds a renamed column, and for no other', () => {
    expect(
      show(db.selectFrom('cities').innerJoin('stays', 'stays.nights', 'cities.id').selectAll()),
    ).toMatchInlineSnapshot(
      `"select cities.*, stays.user_id as userId, stays.from_day as from, stays.nights from cities inner join stays on stays.nights = cities.id"`,
    )
    expect(
      show(db.selectFrom('cities').innerJoin('stays', 'stays.nights', 'cities.id').selectAll('cities')),
    ).toMatchInlineSnapshot(`"select cities.* from cities inner join stays on stays.nights = cities.id"`)
  })

  test('in raw SQL are translated where they are references', () => {
    expect(
      show(
        db
          .selectFrom('users')
          .select('id')
          .where(sql<SqlBool>`${sql.ref('users.joined')} > ${'x'}`),
      ),
    ).toBe('select id from users where users.joined_at > "x"')
  })

  test('of tables that are not of the model are left alone', () => {
    const other = db as unknown as Kysely<{ others: { joined: Date; userId: number } }>
    expect(show(other.selectFrom('others').select('joined').where('joined', '=', date))).toBe(
      'select joined from others where joined = a Date',
    )
    // nor is an unqualified name looked for in the query around one
    expect(
      show(
        users.where((eb) =>
          eb.exists(sql.table('others').$castTo<{ joined: Date }>() as unknown as Expression<SqlBool>),
        ),
      ),
    ).toBe('select id from users where exists others')
  })
})

describe('values', () => {
  const condition = (f: Parameters<typeof users.where>[0]): string =>
    show(users.where(f)).replace('select id from users where ', '')

  test('are encoded by the column on the other side, in whichever way they are compared', () => {
    expect(condition((eb) => eb('joined', 'in', [date]))).toBe('joined_at in ("2026-01-31T12:00:00.000Z")')
    expect(condition((eb) => eb('joined', 'not in', [date, eb.ref('users.joined')]))).toBe(
      'joined_at not in ("2026-01-31T12:00:00.000Z", users.joined_at)',
    )
    expect(condition((eb) => eb.between('joined', date, date))).toBe(
      'joined_at between "2026-01-31T12:00:00.000Z" and "2026-01-31T12:00:00.000Z"',
    )
    expect(condition((eb) => eb(eb.val(date), '<', eb.ref('joined')))).toBe('"2026-01-31T12:00:00.000Z" < joined_at')
    expect(condition((eb) => eb(eb.parens(eb.ref('joined')) as never, '=', date as never))).toBe(
      '(joined_at) = "2026-01-31T12:00:00.000Z"',
    )
    expect(condition((eb) => eb(eb.fn.max('joined'), '>', date))).toBe('max(joined_at) > "2026-01-31T12:00:00.000Z"')
    expect(condition((eb) => eb(eb.fn.coalesce('joined', eb.val(date)), '>', date))).toBe(
      'coalesce(joined_at, "2026-01-31T12:00:00.000Z") > "2026-01-31T12:00:00.000Z"',
    )
  })

  test('are encoded part by part in tuples', () => {
    expect(
      show(
        db
          .selectFrom('stays')
          .select('nights')
          .where((eb) => eb(eb.refTuple('userId', 'from'), 'in', [eb.tuple(1, date), eb.tuple(2, date)])),
      ),
    ).toBe(
      'select nights from stays where (user_id, from_day) in ((1, "2026-01-31T12:00:00.000Z"), (2, "2026-01-31T12:00:00.000Z"))',
    )
  })

  test('are encoded in the branches of a CASE, and where it compares', () => {
    expect(
      condition((eb) =>
        eb(
          'grade',
          '=',
          eb
            .case()
            .when('age', '>', 5)
            .then('good' as const)
            .else('bad' as const)
            .end(),
        ),
      ),
    ).toBe('grade = case when age > 5 then "G" else "B" end')
    expect(condition((eb) => eb(eb.case('grade').when('good').then(1).else(0).end(), '=', 1))).toBe(
      'case grade when "G" then 1 else 0 end = 1',
    )
    expect(
      condition((eb) => eb(eb.case().when('age', '>', 5).then(eb.ref('joined')).else(eb.val(date)).end(), '=', date)),
    ).toBe('case when age > 5 then joined_at else "2026-01-31T12:00:00.000Z" end = "2026-01-31T12:00:00.000Z"')
  })

  test('that are arrays are one value of a column that holds arrays', () => {
    expect(condition((eb) => eb('tags', '=', ['a', 'b'] as never))).toBe('tags = "[\\"a\\",\\"b\\"]"')
    expect(condition((eb) => eb('tags', 'is', null))).toBe('tags is null')
  })

  test('that stand for themselves are left as they are', () => {
    expect(condition((eb) => eb('joined', 'like', '2026%' as never))).toBe('joined_at like "2026%"')
    expect(condition((eb) => eb(eb('age', '+', 1), '>', 5))).toBe('age + 1 > 5')
    expect(show(users.select((eb) => eb.val('x').as('x')).limit(3))).toBe('select id, "x" as x from users limit 3')
  })
})

describe('writes', () => {
  test('assign by the names of columns and encode what they assign', () => {
    expect(
      show(
        db
          .updateTable('users')
          .set({ joined: date, grade: 'good', age: null })
          .set((eb) => ({ name: eb.case().when('joined', '<', date).then('x').end() as never }))
          .where('joined', '=', date)
          .returning(['id', 'joined']),
      ),
    ).toMatchInlineSnapshot(
      `"update users set joined_at = "2026-01-31T12:00:00.000Z", grade = "G", age = null, name = case when joined_at < "2026-01-31T12:00:00.000Z" then "x" end where joined_at = "2026-01-31T12:00:00.000Z" returning id, joined_at as joined"`,
    )
  })

  test('insert rows, upsert and return by attributes', () => {
    expect(
      show(
        db
          .insertInto('stays')
          .values([
            { userId: 1, from: date, nights: 2 },
            { userId: 2, from: date, nights: (eb) => eb.selectFrom('stays').select(eb.fn.max('nights').as('n')) },
          ])
          .onConflict((oc) =>
            oc
              .columns(['userId', 'from'])
              .doUpdateSet((eb) => ({ from: eb.ref('excluded.from'), nights: 1 }))
              .where('stays.from', '<', date),
          )
          .returningAll(),
      ),
    ).toMatchInlineSnapshot(
      `"insert into stays (user_id, from_day, nights) values (1, "2026-01-31T12:00:00.000Z", 2), (2, "2026-01-31T12:00:00.000Z", (select max(nights) as n from stays)) on conflict (user_id, from_day) do update set from_day = excluded.from_day, nights = 1 where stays.from_day < "2026-01-31T12:00:00.000Z" returning stays.user_id as userId, stays.from_day as from, stays.nights"`,
    )
  })

  test('insert from a query', () => {
    expect(
      show(
        db
          .insertInto('stays')
          .columns(['userId', 'from', 'nights'])
          .expression((eb) => eb.selectFrom('users').select(['id', 'joined', 'age']).where('joined', '=', date)),
      ),
    ).toMatchInlineSnapshot(
      `"insert into stays (user_id, from_day, nights) select id, joined_at as joined, age from users where joined_at = "2026-01-31T12:00:00.000Z""`,
    )
  })

  test('delete and update over joined tables', () => {
    expect(
      show(
        db
          .deleteFrom('addresses')
          .using('users as u')
          .whereRef('u.id', '=', 'addresses.userId')
          .where('u.joined', '<', date),
      ),
    ).toBe(
      'delete from addresses using users as u where u.id = addresses.user_id and u.joined_at < "2026-01-31T12:00:00.000Z"',
    )
    expect(
      show(
        db
          .updateTable('addresses as a')
          .from('users')
          .set((eb) => ({ since: eb.ref('users.joined') }))
          .whereRef('users.id', '=', 'a.userId'),
      ),
    ).toBe('update addresses as a set since = users.joined_at from users where users.id = a.user_id')
  })

  test('merge', () => {
    expect(
      show(
        db
          .mergeInto('stays as s')
          .using('users', 'users.id', 's.userId')
          .whenMatched()
          .thenUpdateSet({ from: date })
          .whenNotMatched()
          .thenInsertValues({ userId: 1, from: date, nights: 0 }),
      ),
    ).toMatchInlineSnapshot(
      `"merge into stays as s using users on users.id = s.user_id when matched then update set from_day = "2026-01-31T12:00:00.000Z" when not matched then insert (user_id, from_day, nights) values (1, "2026-01-31T12:00:00.000Z", 0)"`,
    )
  })
})

describe('sharing', () => {
  test('gives the very same tree where nothing needs translation', () => {
    const tree = pipe(select(model.City), where('name', 'in', ['x'])).node
    expect(rightOf(resolve(model.mappings)(tree))).toBe(tree)
    expect(rightOf(resolve(plain.mappings)(tree))).toBe(tree)
  })

  test('keeps what it was given as it is, and shares what did not change', () => {
    const query = users.where('joined', '=', date).where('name', '=', 'ed')
    const tree = node(query)
    const before = JSON.stringify(tree)
    const resolved = rightOf(resolve(model.mappings)(tree))
    expect(JSON.stringify(tree)).toBe(before)
    expect((resolved as { from: unknown }).from).toBe((tree as { from: unknown }).from)
  })

  test('gives the first value that cannot be encoded as an error', () => {
    expect(
      resolve(model.mappings)(node(db.insertInto('users').values({ name: 'ed', grade: 'ugly' as never }))),
    ).toMatchObject({
      left: {
        _tag: 'EncodeError',
        entity: 'User',
        attribute: 'grade',
        value: 'ugly',
        cause: new Error('no grade: ugly'),
      },
    })
  })
})
