/**
 * Joins and conditions on what is related, on each database.
 */
import {
  any,
  containsEager,
  deleteFrom,
  distinct,
  has,
  join,
  joined,
  joinOn,
  leftJoin,
  leftJoinOn,
  limit,
  loadOnly,
  orderBy,
  select,
  selectin,
  set,
  subquery,
  update,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { flow, pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hosts, type JoinsApp, model, openJoins, recently } from './joins-app.js'

const users = pipe(select(model.User), orderBy('id'))
const addresses = pipe(select(model.Address), orderBy('id'))
const nodes = pipe(select(model.Node), orderBy('id'))

const names = (found: ReadonlyArray<{ readonly name: string }>): ReadonlyArray<string> => found.map(({ name }) => name)
const labels = (found: ReadonlyArray<{ readonly label: string }>): ReadonlyArray<string> =>
  found.map(({ label }) => label)

for (const { host, title, isMissing } of hosts) {
  describe.skipIf(isMissing)(`on ${title}`, () => {
    let app: JoinsApp
    beforeAll(async () => {
      app = await openJoins(host)
    })
    afterAll(() => app.close())
    const run = <E, A>(program: Session.Program<E, A>): Promise<A> => app.run(program)

    describe('join', () => {
      test('gives the entity once for each row', async () => {
        const found = await run(Session.query(pipe(users, join('addresses'))))
        expect(names(found)).toEqual(['ed', 'ed', 'wendy'])
        expect(found[0]).toBe(found[1])
        expect(names(await run(Session.query(pipe(users, join('addresses'), distinct))))).toEqual(['ed', 'wendy'])
        expect(names(await run(Session.query(pipe(users, leftJoin('addresses')))))).toEqual([
          'ed',
          'ed',
          'wendy',
          'jack',
        ])
      })

      test('is filtered and ordered by its alias', async () => {
        const query = pipe(
          select(model.User),
          join('addresses', 'a'),
          leftJoin('a.city', 'c'),
          where((eb) => eb.or([eb('a.since', '>', recently), eb('c.name', '=', 'Bonn')])),
          where('id', '<', 3),
          orderBy((eb) => eb.ref('c.name')),
        )
        expect(names(await run(Session.query(query)))).toEqual(['wendy', 'ed'])
      })

      test('keeps the rows that an outer join has no target for', async () => {
        const without = pipe(
          users,
          leftJoin('addresses', 'a', where('since', '>', recently)),
          where((eb) => eb('a.id', 'is', null)),
        )
        expect(names(await run(Session.query(without)))).toEqual(['wendy', 'jack'])
        const text = pipe(
          users,
          leftJoin(
            'addresses',
            'a',
            where(() => sql<boolean>`email like 'ed%'`),
          ),
          where((eb) => eb('a.id', 'is', null)),
        )
        expect(names(await run(Session.query(text)))).toEqual(['wendy', 'jack'])
      })

      test('goes over a table of links', async () => {
        const blue = pipe(
          users,
          join('tags', 't'),
          where((eb) => eb('t.name', '=', 'blue')),
        )
        expect(names(await run(Session.query(blue)))).toEqual(['ed', 'wendy'])
        expect(names(await run(Session.query(pipe(users, join('tags', 't', where('name', '=', 'red'))))))).toEqual([
          'ed',
        ])
        expect(names(await run(Session.query(pipe(users, leftJoin('tags')))))).toEqual(['ed', 'ed', 'wendy', 'jack'])
        // links to other tags keep no rows of their own
        const red = pipe(users, leftJoin('tags', 't', where('name', '=', 'red')))
        expect(names(await run(Session.query(red)))).toEqual(['ed', 'wendy', 'jack'])
        const notRed = pipe(
          red,
          where((eb) => eb('t.id', 'is', null)),
        )
        expect(names(await run(Session.query(notRed)))).toEqual(['wendy', 'jack'])
      })

      test('has the condition of its relationship', async () => {
        expect(names(await run(Session.query(pipe(users, join('recent')))))).toEqual(['ed'])
        expect(names(await run(Session.query(pipe(users, leftJoin('recent')))))).toEqual(['ed', 'wendy', 'jack'])
      })

      test('of an entity to itself, twice', async () => {
        const grandchildren = pipe(
          nodes,
          join('parent', 'p'),
          join('p.parent', 'g'),
          where((eb) => eb('g.label', '=', 'root')),
          where('id', '>', 0),
        )
        expect(labels(await run(Session.query(grandchildren)))).toEqual(['aa', 'ab'])
        const leaves = pipe(
          nodes,
          leftJoin('children', 'c'),
          where((eb) => eb('c.id', 'is', null)),
        )
        expect(labels(await run(Session.query(leaves)))).toEqual(['b', 'aa', 'ab'])
      })

      test('on a condition', async () => {
        const later = pipe(
          users,
          joinOn(model.User, 'other', (eb) => eb('other.id', '>', eb.ref('users.id'))),
          leftJoinOn(model.Tag, 't', (eb) => eb.and([eb('t.id', '=', eb.ref('other.id')), eb('t.name', '=', 'blue')])),
          where((eb) => eb('t.id', 'is not', null)),
        )
        expect(names(await run(Session.query(later)))).toEqual(['ed'])
      })

      test('leaves each way to load relationships as it is', async () => {
        const query = pipe(
          users,
          join('addresses', 'a', where('email', '!=', 'ed@b')),
          leftJoin('tags', 't'),
          where((eb) => eb('t.name', 'in', ['red', 'blue'])),
        )
        const expected = [
          { name: 'ed', addresses: [{ id: 1 }, { id: 2 }] },
          { name: 'ed', addresses: [{ id: 1 }, { id: 2 }] },
          { name: 'wendy', addresses: [{ id: 3 }] },
        ]
        for (const load of [joined, selectin, subquery]) {
          expect(await run(Session.query(pipe(query, load('addresses'))))).toMatchObject(expected)
          expect(await run(Session.query(pipe(query, load('addresses', load('user')), limit(2))))).toMatchObject(
            expected.slice(0, 2),
          )
        }
        const referring = pipe(
          addresses,
          join('user', 'u'),
          where((eb) => eb('u.name', '=', 'ed')),
          joined('user', joined('tags')),
        )
        expect(await run(Session.query(referring))).toMatchObject([
          { id: 1, user: { value: { name: 'ed', tags: [{}, {}] } } },
          { id: 2, user: { value: { name: 'ed', tags: [{}, {}] } } },
        ])
      })
    })

    test('a joined load has the order of its own query, without numbering all of its table', async () => {
      const emails = async (ordered: (addresses: typeof all) => typeof all): Promise<ReadonlyArray<string>> => {
        const [found, statements] = await app.counted(Session.query(pipe(users, joined('addresses', ordered))))
        expect(statements).toHaveLength(1)
        expect(statements[0]).not.toContain('over')
        return (found as ReadonlyArray<{ readonly addresses: ReadonlyArray<{ readonly email: string }> }>).flatMap(
          ({ addresses: own }) => own.map(({ email }) => email),
        )
      }
      const all = select(model.Address)
      expect(await emails(orderBy('since'))).toEqual(['ed@b', 'ed@a', 'wendy@a'])
      expect(await emails(flow(orderBy('since', 'desc'), orderBy('id')))).toEqual(['ed@a', 'ed@b', 'wendy@a'])
      expect(await emails(orderBy((eb) => eb.fn('upper', ['email']), 'desc'))).toEqual(['ed@b', 'ed@a', 'wendy@a'])
    })

    describe('any and has', () => {
      test('give each row once', async () => {
        expect(names(await run(Session.query(pipe(users, where(any('addresses'))))))).toEqual(['ed', 'wendy'])
        expect(
          names(await run(Session.query(pipe(users, where(any('addresses', where('since', '>', recently))))))),
        ).toEqual(['ed'])
        expect(names(await run(Session.query(pipe(users, where(any('recent'))))))).toEqual(['ed'])
        const found = await run(Session.query(pipe(addresses, where(has('user', where('name', '=', 'wendy'))))))
        expect(found).toMatchObject([{ email: 'wendy@a' }])
      })

      test('combine with other conditions', async () => {
        const query = pipe(
          users,
          where((eb) =>
            eb.or([eb('name', '=', 'jack'), any(eb, 'addresses', where(has('city', where('name', '=', 'Paris'))))]),
          ),
          where((eb) => eb.not(any(eb, 'tags', where('name', '=', 'green')))),
        )
        expect(names(await run(Session.query(query)))).toEqual(['ed', 'jack'])
        const none = pipe(
          users,
          where((eb) => eb.not(any(eb, 'addresses'))),
        )
        expect(names(await run(Session.query(none)))).toEqual(['jack'])
        const either = pipe(
          users,
          where(
            any(
              'addresses',
              where((eb) => eb.or([eb('id', '=', 3), has(eb, 'user', where('name', '=', 'nobody'))])),
            ),
          ),
        )
        expect(names(await run(Session.query(either)))).toEqual(['wendy'])
      })

      test('go over a table of links', async () => {
        expect(names(await run(Session.query(pipe(users, where(any('tags'))))))).toEqual(['ed', 'wendy'])
        expect(names(await run(Session.query(pipe(users, where(any('tags', where('name', '=', 'red')))))))).toEqual([
          'ed',
        ])
        const sharing = pipe(addresses, where(has('user', where(any('tags', where('name', '=', 'blue'))))))
        expect((await run(Session.query(sharing))).map(({ id }) => id)).toEqual([1, 2, 3])
      })

      test('nest in an entity that refers to itself', async () => {
        expect(labels(await run(Session.query(pipe(nodes, where(any('children'))))))).toEqual(['root', 'a'])
        const old = pipe(nodes, where(any('children', where(any('children', where('label', '=', 'ab'))))))
        expect(labels(await run(Session.query(old)))).toEqual(['root'])
        const young = pipe(nodes, where(has('parent', where(has('parent', where('label', '=', 'root'))))))
        expect(labels(await run(Session.query(young)))).toEqual(['aa', 'ab'])
        const siblings = pipe(nodes, where(has('parent', where(any('children', where('label', '=', 'aa'))))))
        expect(labels(await run(Session.query(siblings)))).toEqual(['aa', 'ab'])
      })

      test('start at an alias', async () => {
        const query = pipe(
          nodes,
          join('parent', 'p'),
          where(any('p.children', where('label', '=', 'b'))),
          where((eb) => eb.not(has(eb, 'p.parent'))),
        )
        expect(labels(await run(Session.query(query)))).toEqual(['a', 'b'])
      })

      test('take a refinement that is more than a condition', async () => {
        const joining = pipe(
          users,
          where(
            any('addresses', (some) =>
              pipe(
                some,
                join('city', 'c'),
                where((eb) => eb('c.name', '=', 'Bonn')),
              ),
            ),
          ),
        )
        expect(names(await run(Session.query(joining)))).toEqual(['wendy'])
        const text = pipe(
          users,
          where(
            any(
              'addresses',
              where(() => sql<boolean>`email like '%@b'`),
            ),
          ),
        )
        expect(names(await run(Session.query(text)))).toEqual(['ed'])
      })

      test('narrow updates and deletes', async () => {
        const renamed = pipe(
          update(model.User),
          set({ name: 'x' }),
          where(any('addresses', where('id', '=', 3))),
          Session.execute(),
        )
        const removed = pipe(
          deleteFrom(model.User),
          where((eb) => eb.not(any(eb, 'addresses'))),
          Session.execute(),
        )
        const rest = pipe(
          renamed,
          Session.chain(() => removed),
          Session.chain(() => Session.query(users)),
        )
        // not committed
        expect(names(await run(rest))).toEqual(['ed', 'x'])
        expect(names(await run(Session.query(users)))).toEqual(['ed', 'wendy', 'jack'])
      })
    })

    describe('containsEager', () => {
      test('takes a collection out of the rows, by one statement', async () => {
        const query = pipe(
          select(model.User),
          leftJoin('addresses', 'a', where('email', '!=', 'ed@a')),
          containsEager('addresses', 'a'),
          orderBy('name', 'desc'),
        )
        const [found, statements] = await app.counted(Session.query(query))
        expect(statements).toHaveLength(1)
        expect(found.map(({ name, addresses }) => [name, addresses])).toMatchObject([
          ['wendy', [{ email: 'wendy@a', since: null, userId: 2 }]],
          ['jack', []],
          ['ed', [{ email: 'ed@b', since: new Date('2001-01-01T00:00:00.000Z'), cityId: null }]],
        ])
      })

      test('has the members in the order of the rows, and as many as they are', async () => {
        const query = pipe(
          select(model.User),
          join('addresses'),
          containsEager('addresses'),
          orderBy((eb) => eb.ref('addresses.email'), 'desc'),
        )
        expect(await run(Session.query(query))).toMatchObject([
          { name: 'wendy', addresses: [{ id: 3 }] },
          { name: 'ed', addresses: [{ id: 2 }, { id: 1 }] },
        ])
        expect(await run(Session.query(pipe(query, limit(2))))).toMatchObject([
          { name: 'wendy', addresses: [{ id: 3 }] },
          { name: 'ed', addresses: [{ id: 2 }] },
        ])
        expect(await run(Session.query(pipe(query, distinct)))).toMatchObject([{ name: 'wendy' }, { name: 'ed' }])
      })

      test('nests, beside other ways to load', async () => {
        const nested = pipe(
          users,
          join('addresses', 'a'),
          leftJoin('a.city', 'c'),
          containsEager('addresses', 'a', containsEager('city', 'c')),
        )
        const graph = [
          {
            name: 'ed',
            addresses: [
              { id: 1, city: { value: { name: 'Paris' } } },
              { id: 2, city: { _tag: 'None' } },
            ],
          },
          { name: 'wendy', addresses: [{ id: 3, city: { value: { name: 'Bonn' } } }] },
        ]
        const sorted = pipe(
          nested,
          orderBy((eb) => eb.ref('a.id')),
        )
        const [found, statements] = await app.counted(Session.query(sorted))
        expect(statements).toHaveLength(1)
        expect(found).toMatchObject(graph)
        for (const load of [joined, selectin, subquery]) {
          const beside = pipe(
            users,
            join('addresses', 'a'),
            containsEager('addresses', 'a', load('city')),
            orderBy((eb) => eb.ref('a.id')),
            load('tags'),
          )
          expect(await run(Session.query(beside))).toMatchObject([
            { ...graph[0], tags: [{}, {}] },
            { ...graph[1], tags: [{ name: 'blue' }] },
          ])
          expect(await run(Session.query(pipe(beside, limit(1))))).toMatchObject([
            { addresses: [graph[0]?.addresses[0]], tags: [{}, {}] },
          ])
        }
      })

      test('takes references, of the same entity too', async () => {
        const query = pipe(
          nodes,
          join('parent', 'p'),
          leftJoin('p.parent', 'g'),
          containsEager('parent', 'p', containsEager('parent', 'g')),
        )
        expect(await run(Session.query(query))).toMatchObject([
          { label: 'a', parent: { value: { label: 'root', parent: { _tag: 'None' } } } },
          { label: 'b', parent: { value: { label: 'root' } } },
          { label: 'aa', parent: { value: { label: 'a', parent: { value: { label: 'root' } } } } },
          { label: 'ab', parent: { value: { label: 'a' } } },
        ])
      })

      test('goes over a table of links', async () => {
        const query = pipe(users, leftJoin('tags', 't', where('name', '!=', 'red')), containsEager('tags', 't'))
        expect(await run(Session.query(query))).toMatchObject([
          { name: 'ed', tags: [{ name: 'blue' }] },
          { name: 'wendy', tags: [{ name: 'blue' }] },
          { name: 'jack', tags: [] },
        ])
      })

      test('selects what is asked for of the targets', async () => {
        const query = pipe(users, join('addresses', 'a'), containsEager('addresses', 'a', loadOnly('email')))
        const [found] = await run(Session.query(query))
        expect(found?.addresses[0]?.email).toBe('ed@a')
        expect(Object.entries(found?.addresses[0] ?? {}).filter(([, value]) => value !== undefined)).toEqual([
          ['id', 1],
          ['email', 'ed@a'],
        ])
      })

      test('within a load of its own', async () => {
        const query = pipe(users, selectin('addresses', flow(join('city', 'c'), containsEager('city', 'c'))))
        const [found, statements] = await app.counted(Session.query(query))
        expect(statements).toHaveLength(2)
        expect(found).toMatchObject([
          { name: 'ed', addresses: [{ id: 1, city: { value: { name: 'Paris' } } }] },
          { name: 'wendy', addresses: [{ id: 3, city: { value: { name: 'Bonn' } } }] },
          { name: 'jack', addresses: [] },
        ])
      })

      test('does not take the rows for the whole collection', async () => {
        const query = pipe(users, join('addresses', 'a', where('email', '=', 'ed@b')), containsEager('addresses', 'a'))
        const program = pipe(
          Session.query(query),
          Session.chain(([ed]) => pipe(ed as NonNullable<typeof ed>, Session.load(model.User, 'addresses'))),
        )
        expect(await run(program)).toMatchObject([{ id: 1 }, { id: 2 }])
      })

      test('is read in portions where it is a reference', async () => {
        const query = pipe(addresses, join('user', 'u'), containsEager('user', 'u'))
        const program = pipe(
          query,
          Session.foldChunks(
            [] as ReadonlyArray<string>,
            (seen, chunk) =>
              Session.of([...seen, ...chunk.map(({ user }) => (user._tag === 'Some' ? user.value.name : ''))]),
            { chunk: 2 },
          ),
        )
        const [seen, statements] = await app.counted(program)
        expect(seen).toEqual(['ed', 'ed', 'wendy'])
        expect(statements.filter((statement) => !/user_id/.test(statement))).toEqual([])
        const collection = pipe(users, join('addresses', 'a'), containsEager('addresses', 'a'))
        const refused = pipe(
          collection,
          Session.forEachChunk(() => Session.of(undefined)),
        )
        expect(await app.fails(refused)).toMatchObject({ _tag: 'InvalidStatement', attribute: 'addresses' })
      })

      test('refuses what is not joined, and what narrows it', async () => {
        const missing = pipe(users, join('addresses', 'a'), containsEager('addresses', 'b' as 'a'))
        expect(await app.fails(Session.query(missing))).toMatchObject({
          _tag: 'InvalidStatement',
          cause: { problem: 'the query has not joined Address as b' },
        })
        const narrow = pipe(users, join('addresses', 'a'), containsEager('addresses', 'a', where('id', '=', 1)))
        expect(await app.fails(Session.query(narrow))).toMatchObject({
          _tag: 'InvalidStatement',
          cause: { clause: 'containsEager' },
        })
      })
    })

    test('a query that cannot be is refused', async () => {
      expect(await app.fails(Session.query(pipe(users, join('addresses', 'users' as 'a'))))).toMatchObject({
        _tag: 'InvalidStatement',
        attribute: 'users',
        cause: { _tag: 'InvalidClause', clause: 'join' },
      })
      expect(await app.fails(Session.query(pipe(users, where(any('adresses' as 'addresses')))))).toMatchObject({
        _tag: 'InvalidStatement',
        cause: { _tag: 'InvalidClause', clause: 'any', problem: 'adresses is no relationship of User' },
      })
      const loading = pipe(users, selectin('addresses', where(has('usr' as 'user'))))
      expect(await app.fails(Session.query(loading))).toMatchObject({ _tag: 'InvalidStatement' })
    })
  })
}
