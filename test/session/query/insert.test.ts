/**
 * Inserts past the unit of work, on every database.
 */
import {
  column,
  defineModel,
  entity,
  fromSelect,
  generated,
  insertInto,
  integer,
  isoDate,
  modify,
  named,
  nullable,
  onConflictDoNothing,
  onConflictDoUpdate,
  primaryKey,
  references,
  returningEntities,
  select,
  text,
  unique,
  values,
  version,
  withDefault,
  withInsertDefault,
  withOptions,
  withServerDefault,
  withUpdateDefault,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { type Host, kyselySqliteHost, sqliteHost } from '../../core/engine/databases.js'
import { openOn, services } from '../app.js'
import { openOnServer, type ServerApp, servers } from '../server-app.js'

const hosts = [
  { host: sqliteHost('SQLite'), title: 'SQLite', isMissing: false },
  { host: kyselySqliteHost, title: kyselySqliteHost.name, isMissing: false },
  ...servers,
]

const User = entity('User', 'users', {
  id: pipe(integer, primaryKey, generated),
  email: pipe(text, unique),
  name: pipe(text, named('full_name')),
  nickname: pipe(text, nullable),
  joined: pipe(
    column(isoDate, 'text'),
    named('joined_at'),
    withDefault(({ now }) => now),
  ),
  status: pipe(
    text,
    withInsertDefault(() => 'new'),
  ),
  visits: pipe(integer, withServerDefault(sql`7`)),
})

/** A key that the program gives, and a counted version. */
const Page = entity('Page', 'pages', {
  path: pipe(text, primaryKey),
  title: text,
  hits: integer,
  edited: pipe(
    text,
    nullable,
    withUpdateDefault(() => 'edited'),
  ),
  version: pipe(integer, version),
})

/** A key of two columns, and one that refers to users. */
const Visit = entity('Visit', 'visits', {
  userId: pipe(integer, named('user_id'), primaryKey, references('users.id')),
  country: pipe(text, primaryKey),
  times: integer,
})

/** Nothing is unique but what the database gives. */
const Note = entity('Note', 'notes', { id: pipe(integer, primaryKey, generated), body: text })

const model = defineModel({ User, Page, Visit, Note })((r) => ({
  User: { visited: r.User.hasMany('Visit', { foreignKey: 'userId' }) },
}))

const people = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ email: `u${i}@example.org`, name: `u${i}` }))

const byEmail = (users: ReadonlyArray<{ readonly email: string }>) => users.map(({ email }) => email)

describe.each(hosts)('on $title', ({ host, isMissing }) => {
  const open = () => openOnServer(host, model)
  const isMaria = host.name.endsWith('MariaDB')

  describe.skipIf(isMissing)('an insert of rows', () => {
    test('answers how many there were, and fills in the defaults of each', async () => {
      const app = await open()
      const joined = new Date(0)
      const rows = [
        { email: 'ed', name: 'ed' },
        { email: 'wendy', name: 'wendy', nickname: 'w', joined, status: 'old', visits: 1 },
        { email: 'jack', name: 'jack', nickname: 'j' },
      ]
      expect(await app.run(pipe(insertInto(model.User), values(rows), Session.execute()))).toBe(3)
      await app.run(Session.commit)
      const now = expect.any(String)
      expect(await app.rows('users')).toMatchObject([
        { full_name: 'ed', nickname: null, joined_at: now, status: 'new', visits: 7 },
        { full_name: 'wendy', nickname: 'w', joined_at: joined.toISOString(), status: 'old', visits: 1 },
        { full_name: 'jack', nickname: 'j', joined_at: now, status: 'new', visits: 7 },
      ])
    })

    test('gives the entities in their order, persistent, as the database has them', async () => {
      const app = await open()
      const users = await app.run(
        pipe(
          insertInto(model.User),
          values([
            { email: 'ed', name: 'ed' },
            { email: 'wendy', name: 'wendy', visits: 1 },
            { email: 'jack', name: 'jack' },
          ]),
          returningEntities,
          Session.execute(),
        ),
      )
      expect(users.map(({ email, visits }) => [email, visits])).toEqual([
        ['ed', 7],
        ['wendy', 1],
        ['jack', 7],
      ])
      expect(users[0]?.joined).toBeInstanceOf(Date)
      const ids = users.map(({ id }) => id)
      expect(ids).toEqual(ids.toSorted((a, b) => a - b))
      for (const user of users) {
        expect(await app.run(Session.get(model.User, user.id))).toEqual({ _tag: 'Some', value: user })
        expect(Session.inspect(app.store.getState(), user)?.status).toBe('persistent')
      }
      const [ed] = users
      if (ed === undefined) throw new Error('no ed')
      await app.run(Session.chain(() => Session.commit)(Session.set(model.User, { nickname: 'e' })(ed)))
      expect(await app.rows('users')).toMatchObject([{ nickname: 'e' }, {}, {}])
    })

    test('takes keys of several parts, and those that the program gives', async () => {
      const app = await open()
      const [ed] = await app.run(pipe(insertInto(model.User), values(people(1)), returningEntities, Session.execute()))
      const userId = ed?.id ?? 0
      const visits = await app.run(
        pipe(
          insertInto(model.Visit),
          values([
            { userId, country: 'no', times: 2 },
            { userId, country: 'dk', times: 1 },
          ]),
          returningEntities,
          Session.execute(),
        ),
      )
      expect(visits).toMatchObject([
        { userId, country: 'no', times: 2 },
        { userId, country: 'dk', times: 1 },
      ])
    })

    test('splits as many rows as the database takes parameters for several times over', async () => {
      const app = await open()
      const count = 12_000
      expect(await app.run(pipe(insertInto(model.User), values(people(count)), Session.execute()))).toBe(count)
      await app.run(Session.commit)
      const counted = sql<{ readonly n: unknown }>`select count(*) as n from users where visits = 7`
      const [answer] = await app.run(Session.sql(counted))
      expect(Number(answer?.n)).toBe(count)
    })

    test('splits rows that are too long for one statement', async () => {
      const app = await open()
      const rows = Array.from({ length: 100 }, (_, i) => ({ path: `/${i}`, title: 'x'.repeat(300_000), hits: i }))
      const pages = pipe(insertInto(model.Page), values(rows))
      expect(await app.run(Session.execute()(pages))).toBe(100)
      expect(await app.run(pipe(pages, onConflictDoUpdate('path', ['title']), Session.execute()))).toBe(100)
    }, 60_000)

    test('writes expressions, beside values that are encoded, in statements of their own', async () => {
      const app = await open()
      const rows = Array.from({ length: 250 }, (_, i) => ({
        email: `u${i}`,
        name: sql<string>`upper(${`u${i}`})`,
        joined: new Date(i),
      }))
      const users = await app.run(pipe(insertInto(model.User), values(rows), returningEntities, Session.execute()))
      expect(byEmail(users)).toEqual(rows.map(({ email }) => email))
      expect(users.map(({ name }) => name)).toEqual(rows.map(({ email }) => email.toUpperCase()))
      expect(users[249]?.joined).toEqual(new Date(249))
    })

    test('that fails for a row leaves none, and a transaction that goes on', async () => {
      const app = await open()
      await app.run(pipe(insertInto(model.Page), values({ path: '/', title: 'home', hits: 0 }), Session.execute()))
      const taken = [...people(150), { email: 'u0@example.org', name: 'other' }]
      const error = await app.fails(pipe(insertInto(model.User), values(taken), Session.execute()))
      expect(error).toMatchObject({
        _tag: 'IntegrityError',
        entity: 'User',
        reason: { _tag: 'UniqueViolation' },
        // MariaDB names the index
        ...(isMaria ? {} : { attributes: ['email'], values: ['u0@example.org'] }),
      })
      await app.run(Session.commit)
      expect(await app.rows('users')).toEqual([])
      expect(await app.rows('pages')).toHaveLength(1)
    })

    test('is undone by a rollback', async () => {
      const app = await open()
      await app.run(pipe(insertInto(model.User), values(people(2)), Session.execute()))
      await app.run(Session.rollback)
      expect(await app.rows('users')).toEqual([])
    })
  })

  describe.skipIf(isMissing)('an insert from a query', () => {
    test('encodes what it lists, and adds the defaults that the program gives', async () => {
      const app = await open()
      await app.run(pipe(insertInto(model.User), values(people(3)), Session.execute()))
      const joined = new Date(5)
      const copies = pipe(
        insertInto(model.User),
        fromSelect(['email', 'name', 'joined'], (eb) =>
          eb
            .selectFrom('users')
            .select((of) => [
              of.fn<string>('concat', ['users.email', sql`'.copy'`]).as('email'),
              'users.name',
              of.val(joined).as('joined'),
            ])
            .where('users.name', '<>', 'u1'),
        ),
      )
      expect(await app.run(Session.execute()(copies))).toBe(2)
      const found = await app.run(Session.query(select(model.User)))
      expect(found.filter(({ email }) => email.endsWith('.copy'))).toMatchObject([
        { name: 'u0', joined, status: 'new', visits: 7 },
        { name: 'u2', joined, status: 'new', visits: 7 },
      ])
    })

    test('gives the entities', async () => {
      const app = await open()
      await app.run(pipe(insertInto(model.User), values(people(2)), Session.execute()))
      const made = await app.run(
        pipe(
          insertInto(model.Page),
          fromSelect(['path', 'title', 'hits'], (eb) =>
            eb.selectFrom('users').select(['users.email', 'users.name', 'users.visits']),
          ),
          onConflictDoUpdate('path', ['title']),
          returningEntities,
          Session.execute(),
        ),
      )
      expect(made.map((page) => `${page.title} ${page.hits} ${page.version}`).toSorted()).toEqual(['u0 7 1', 'u1 7 1'])
    })
  })

  describe.skipIf(isMissing)('an upsert', () => {
    const pages = pipe(
      insertInto(model.Page),
      values([
        { path: '/a', title: 'a', hits: 1 },
        { path: '/b', title: 'b', hits: 2 },
      ]),
    )
    const again = pipe(
      insertInto(model.Page),
      values([
        { path: '/b', title: 'B', hits: 5 },
        { path: '/c', title: 'C', hits: 6 },
      ]),
    )
    const stored = async (app: ServerApp) => {
      await app.run(Session.commit)
      return (await app.rows('pages')).map(({ edited, hits, path, title, version: v }) => [
        path,
        title,
        hits,
        v,
        edited,
      ])
    }

    test('leaves alone what is there', async () => {
      const app = await open()
      await app.run(Session.execute()(pages))
      const written = await app.run(pipe(again, onConflictDoNothing('path'), Session.execute()))
      // MySQL and MariaDB do not tell
      expect(written).toBe(isMaria ? 2 : 1)
      expect(await stored(app)).toEqual([
        ['/a', 'a', 1, 1, null],
        ['/b', 'b', 2, 1, null],
        ['/c', 'C', 6, 1, null],
      ])
    })

    test('sets what it names to what was to be inserted, counts the version up and sets what updates do', async () => {
      const app = await open()
      await app.run(Session.execute()(pages))
      expect(await app.run(pipe(again, onConflictDoUpdate('path', ['title']), Session.execute()))).toBe(2)
      expect(await stored(app)).toEqual([
        ['/a', 'a', 1, 1, null],
        ['/b', 'B', 2, 2, 'edited'],
        ['/c', 'C', 6, 1, null],
      ])
    })

    test('sets what expressions over both rows give, which read the row as it was before', async () => {
      const app = await open()
      await app.run(Session.execute()(pages))
      const adding = onConflictDoUpdate<typeof again>('path', (eb) => ({
        hits: eb('hits', '+', eb.ref('excluded.hits')),
        title: eb.case().when('hits', '=', 2).then('was two').else('was not').end(),
      }))
      await app.run(pipe(again, adding, Session.execute()))
      expect(await stored(app)).toMatchObject([
        ['/a', 'a', 1, 1, null],
        ['/b', 'was two', 7, 2, 'edited'],
        ['/c', 'C', 6, 1, null],
      ])
    })

    test('updates only what meets its condition, which reads the row as it was before', async () => {
      const app = await open()
      await app.run(Session.execute()(pages))
      const more = pipe(
        insertInto(model.Page),
        values([
          { path: '/a', title: 'A', hits: 0 },
          { path: '/b', title: 'B', hits: 5 },
        ]),
        onConflictDoUpdate('path', ['hits', 'title'], (eb) => eb('hits', '<', eb.ref('excluded.hits'))),
      )
      expect(await app.run(Session.execute()(more))).toBe(isMaria ? 2 : 1)
      expect(await stored(app)).toEqual([
        ['/a', 'a', 1, 1, null],
        ['/b', 'B', 5, 2, 'edited'],
      ])
    })

    test('updates only what differs', async () => {
      const app = await open()
      await app.run(Session.execute()(pages))
      const same = pipe(
        insertInto(model.Page),
        values([
          { path: '/a', title: 'a', hits: 1 },
          { path: '/b', title: 'b', hits: 3 },
        ]),
        onConflictDoUpdate('path', ['hits', 'title'], (eb) =>
          eb.or([eb('hits', '<>', eb.ref('excluded.hits')), eb('title', '<>', eb.ref('excluded.title'))]),
        ),
      )
      await app.run(Session.execute()(same))
      expect(await stored(app)).toEqual([
        ['/a', 'a', 1, 1, null],
        ['/b', 'b', 3, 2, 'edited'],
      ])
    })

    test('encodes values by the column that they are set for or compared with', async () => {
      const app = await open()
      const [early, late] = [new Date(0), new Date(1_000_000)]
      const one = { email: 'ed', name: 'ed', joined: early }
      await app.run(pipe(insertInto(model.User), values(one), Session.execute()))
      const joins = pipe(
        insertInto(model.User),
        values({ ...one, name: 'Ed' }),
        onConflictDoUpdate(
          'email',
          () => ({ joined: late }),
          (eb) => eb('excluded.joined', '=', early),
        ),
      )
      await app.run(Session.execute()(joins))
      expect(await app.run(Session.query(select(model.User)))).toMatchObject([{ name: 'ed', joined: late }])
    })

    test('gives the entities as they are then, in the order of the rows, but for pending changes', async () => {
      const app = await open()
      await app.run(Session.execute()(pages))
      const [a, b] = await app.run(Session.query(pipe(select(model.Page))))
      if (a === undefined || b === undefined) throw new Error('no pages')
      await app.run(Session.set(model.Page, { hits: 100 })(b))
      const written = await app.run(
        pipe(
          insertInto(model.Page),
          values([
            { path: '/c', title: 'C', hits: 6 },
            { path: '/b', title: 'B', hits: 5 },
            { path: '/a', title: 'A', hits: 4 },
          ]),
          onConflictDoUpdate('path', ['title', 'hits']),
          returningEntities,
          withOptions({ autoflush: false }),
          Session.execute(),
        ),
      )
      expect(written.map(({ hits, path, title, version: v }) => [path, title, hits, v])).toEqual([
        ['/c', 'C', 6, 1],
        ['/b', 'B', 100, 2],
        ['/a', 'A', 4, 2],
      ])
      await app.run(Session.commit)
      expect(await stored(app)).toMatchObject([
        ['/a', 'A', 4, 2, 'edited'],
        ['/b', 'B', 100, 3, 'edited'],
        ['/c', 'C', 6, 1, null],
      ])
    })

    test('expires the instances that it may have updated, by whatever is unique', async () => {
      const app = await open()
      const users = await app.run(pipe(insertInto(model.User), values(people(3)), returningEntities, Session.execute()))
      await app.run(
        pipe(
          insertInto(model.User),
          values({ email: 'u1@example.org', name: 'renamed' }),
          onConflictDoUpdate('email', ['name']),
          Session.execute(),
        ),
      )
      const names = await app.run(Session.traverseArray(Session.read(model.User))(users))
      expect(names.map(({ name }) => name)).toEqual(['u0', 'renamed', 'u2'])
    })

    test('of many rows by another key than the primary one gives the entities in order', async () => {
      const app = await open()
      await app.run(pipe(insertInto(model.User), values(people(300)), Session.execute()))
      const rows = people(400)
        .toReversed()
        .map((one) => ({ ...one, name: `${one.name}!` }))
      const users = await app.run(
        pipe(
          insertInto(model.User),
          values(rows),
          onConflictDoUpdate('email', ['name']),
          returningEntities,
          Session.execute(),
        ),
      )
      expect(users.map(({ email, name }) => ({ email, name }))).toEqual(rows)
    })

    test('that leaves rows alone gives those that it wrote, where the database tells', async () => {
      const app = await open()
      await app.run(Session.execute()(pages))
      const asked = pipe(again, onConflictDoNothing(), returningEntities, Session.execute())
      if (isMaria) {
        expect(await app.fails(asked)).toMatchObject({
          _tag: 'DatabaseError',
          cause: { reason: { _tag: 'Unsupported' } },
        })
        return
      }
      expect((await app.run(asked)).map(({ path }) => path)).toEqual(['/c'])
    })

    test("has Kysely's own words where ours do not do", async () => {
      const app = await open()
      await app.run(Session.execute()(pages))
      const written = pipe(
        again,
        modify((qb) => qb.onConflict((oc) => oc.column('path').doUpdateSet({ hits: 9 }))),
        Session.execute(),
      )
      await app.run(written)
      expect(await stored(app)).toMatchObject([
        ['/a', 'a', 1, 1, null],
        ['/b', 'b', 9, 1, 'edited'],
        ['/c', 'C', 6, 1, null],
      ])
    })
  })
})

/** A host as if its database had no RETURNING. */
const withoutReturning = (host: Host): Host => ({
  ...host,
  create: async () => {
    const database = await host.create()
    const open = () => {
      const engine = database.open()
      const returning = { insert: false, update: false, delete: false, triggered: false }
      return {
        ...engine,
        get capabilities() {
          return { ...engine.capabilities, returning }
        },
      }
    }
    return { ...database, open }
  },
})

describe.each([hosts[0], hosts[3]].filter((one) => one !== undefined))(
  'without RETURNING, on $title',
  ({ host, isMissing }) => {
    const open = () => openOnServer(withoutReturning(host), model)

    describe.skipIf(isMissing)('an insert', () => {
      test('gives the entities by their keys', async () => {
        const app = await open()
        const rows = people(300).map((one, i) => ({ ...one, ...(i % 7 === 0 ? { visits: i } : {}) }))
        const users = await app.run(pipe(insertInto(model.User), values(rows), returningEntities, Session.execute()))
        expect(users.map(({ email, visits }) => [email, visits])).toEqual(
          rows.map(({ email, visits }) => [email, visits ?? 7]),
        )
        const [ed] = users
        const visits = await app.run(
          pipe(
            insertInto(model.Visit),
            values([
              { userId: ed?.id ?? 0, country: 'no', times: 2 },
              { userId: ed?.id ?? 0, country: 'dk', times: sql<number>`1 + 1` },
            ]),
            returningEntities,
            Session.execute(),
          ),
        )
        expect(visits).toMatchObject([
          { country: 'no', times: 2 },
          { country: 'dk', times: 2 },
        ])
      })

      test('that nothing tells the rows of says so, and writes none', async () => {
        const app = await open()
        const rows = [{ body: 'a' }, { body: sql<string>`upper('x')` }]
        expect(
          await app.fails(pipe(insertInto(model.Note), values(rows), returningEntities, Session.execute())),
        ).toMatchObject({
          _tag: 'DatabaseError',
          cause: { reason: { _tag: 'Unsupported' }, message: expect.stringContaining('RETURNING') },
        })
        const copies = pipe(
          insertInto(model.Note),
          fromSelect(['body'], (eb) => eb.selectFrom('users').select('users.name')),
          returningEntities,
        )
        expect(await app.fails(Session.execute()(copies))).toMatchObject({ cause: { reason: { _tag: 'Unsupported' } } })
        await app.run(Session.commit)
        expect(await app.rows('notes')).toEqual([])
      })
    })
  },
)

describe('an insert', () => {
  const nothingAsked = (statement: Parameters<ReturnType<typeof Session.execute>>[0]) => {
    const app = openOn(model)
    const error = app.fails(Session.execute()(statement) as Session.Program<Session.InsertError, number>)
    expect(app.asked()).toEqual([])
    return error
  }

  test('of no rows asks nothing', () => {
    const app = openOn(model)
    const none = pipe(insertInto(model.User), values([]))
    expect(app.run(Session.execute()(none))).toBe(0)
    expect(app.run(Session.execute()(insertInto(model.User)))).toBe(0)
    expect(app.run(pipe(none, returningEntities, Session.execute()))).toEqual([])
    expect(app.asked()).toEqual([])
  })

  test('takes rows that are all defaults', () => {
    const Count = entity('Count', 'counts', {
      id: pipe(integer, primaryKey, generated),
      n: pipe(integer, withServerDefault(sql`3`)),
    })
    const counts = defineModel({ Count })(() => ({}))
    const app = openOn(counts)
    const made = app.run(pipe(insertInto(counts.Count), values([{}, {}]), returningEntities, Session.execute()))
    expect(made).toMatchObject([
      { id: 1, n: 3 },
      { id: 2, n: 3 },
    ])
  })

  test('runs as few batches as there are shapes beside each other', () => {
    const app = openOn(model)
    const rows = people(1000).map((one, i) => ({ ...one, ...(i % 2 === 0 ? { nickname: 'n' } : {}) }))
    const [, statements] = app.counted(pipe(insertInto(model.User), values(rows), Session.execute()))
    expect(statements).toEqual(['Insert users 1000'])
  })

  test('flushes what is pending first', () => {
    const app = openOn(model)
    app.run(Session.add(model.User, { email: 'ed', name: 'ed' }))
    app.run(pipe(insertInto(model.User), values(people(1)), Session.execute()))
    expect(app.rows('users')).toMatchObject([{ email: 'ed' }, { email: 'u0@example.org' }])
  })

  test('that names what is no attribute says which row does', () => {
    const rows = [...people(2), { email: 'x', name: 'x', age: 3 }]
    expect(nothingAsked(pipe(insertInto(model.User), values(rows)))).toMatchObject({
      _tag: 'InvalidStatement',
      operation: 'insert',
      entity: 'User',
      attribute: 'age',
      cause: { _tag: 'UnknownAttribute', row: 2 },
    })
  })

  test('that lacks a value says which row does', () => {
    const rows = [...people(2), { email: 'x' }] as ReturnType<typeof people>
    expect(nothingAsked(pipe(insertInto(model.User), values(rows)))).toMatchObject({
      _tag: 'InvalidStatement',
      attribute: 'name',
      cause: { _tag: 'MissingValue', row: 2 },
    })
    const nulls = [{ email: 'x', name: null as never }]
    expect(nothingAsked(pipe(insertInto(model.User), values(nulls)))).toMatchObject({ cause: { row: 0 } })
    const keyless = [{ title: 'x', hits: 0 }] as never
    expect(nothingAsked(pipe(insertInto(model.Page), values(keyless)))).toMatchObject({ attribute: 'path' })
  })

  test('of a value that its codec does not know says which row has it', () => {
    const rows = [...people(2), { email: 'x', name: 3 as never }]
    expect(nothingAsked(pipe(insertInto(model.User), values(rows)))).toMatchObject({
      _tag: 'InvalidStatement',
      attribute: 'name',
      value: 3,
      cause: { _tag: 'EncodeError', row: 2 },
    })
    const dates = [{ email: 'x', name: 'x', joined: 'yesterday' as never }]
    expect(nothingAsked(pipe(insertInto(model.User), values(dates)))).toMatchObject({ attribute: 'joined' })
  })

  test('that conflicts by what is not unique is refused', () => {
    const statement = pipe(insertInto(model.User), values(people(1)), onConflictDoUpdate('name', ['nickname']))
    expect(nothingAsked(statement)).toMatchObject({
      _tag: 'InvalidStatement',
      cause: { _tag: 'NoUniqueKey', attributes: ['name'] },
    })
  })

  test('of another model is refused', () => {
    const other = defineModel({ User, Page, Visit, Note })(() => ({}))
    expect(nothingAsked(pipe(insertInto(other.User), values(people(1))))).toEqual({
      _tag: 'ModelMismatch',
      entity: 'User',
    })
  })

  test('gives each row a default of its own', () => {
    let n = 0
    const Token = entity('Token', 'tokens', {
      id: pipe(
        text,
        primaryKey,
        withDefault(({ uuid }) => uuid()),
      ),
    })
    const tokens = defineModel({ Token })(() => ({}))
    const app = openOn(tokens, { services: () => ({ ...services, uuid: () => `token ${n++}` }) })
    const made = app.run(pipe(insertInto(tokens.Token), values([{}, {}]), returningEntities, Session.execute()))
    expect(made).toMatchObject([{ id: 'token 0' }, { id: 'token 1' }])
  })
})
