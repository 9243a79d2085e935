/** Attributes that SQL expressions compute: read with their rows, by whatever loads these, and never written. */
import {
  createAllSync,
  criteria,
  type Decimal,
  distinct as distinctRows,
  fromQuery,
  fromSql,
  insertInto,
  join,
  joined,
  orderBy,
  returningEntities,
  select,
  selectin,
  selectRows,
  set,
  subquery,
  undefer,
  union,
  update,
  values,
  where,
  withSubtypes,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { isSome, none, toNullable } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { resultOf } from '../app.js'
import { hostsOf } from '../hosts.js'
import { model } from './expression.js'

const ed = {
  first: 'Ed',
  last: 'Jones',
  born: 1985,
  addresses: [{ email: 'a@x' }, { email: 'b@x' }, { email: 'none' }],
}
const mary = { first: 'Mary', last: 'Ann' }

const seeded = Session.gen(function* () {
  yield* Session.addAll(model.User, [ed, mary])
  yield* Session.commit
})

describe.each(hostsOf(model))('on $title', ({ onHost }) => {
  onHost('are read with the row', async ({ run }) => {
    await run(seeded)
    const users = await run(Session.query(pipe(select(model.User), orderBy('id'))))
    expect(users.map((user) => ({ ...user }))).toEqual([
      {
        id: 1,
        first: 'Ed',
        last: 'Jones',
        born: 1985,
        fullName: 'Ed Jones',
        addressCount: 2,
        initial: undefined,
        age: 41,
      },
      {
        id: 2,
        first: 'Mary',
        last: 'Ann',
        born: null,
        fullName: 'Mary Ann',
        addressCount: 0,
        initial: undefined,
        age: null,
      },
    ])
    const [got] = await run(Session.query(pipe(select(model.User), where('id', '=', 1))))
    expect(got).toBe(users[0])
    expect(toNullable(await run(Session.get(model.User, 2)))).toBe(users[1])
  })

  onHost('can be deferred, and asked for', async ({ run }) => {
    await run(seeded)
    const [user] = await run(Session.query(pipe(select(model.User), orderBy('id'), undefer('initial'))))
    expect(user?.initial).toBe('E')
    await run(Session.expireAll)
    const [later] = await run(Session.query(pipe(select(model.User), orderBy('id'))))
    expect(await run(pipe(later!, Session.loadAttributes(model.User, 'initial')))).toMatchObject({ initial: 'E' })
  })

  onHost('can be asked for in conditions, orders and rows', async ({ run }) => {
    await run(seeded)
    const found = await run(
      Session.query(
        pipe(
          select(model.User),
          where('fullName', '=', 'Ed Jones'),
          where((eb) => eb.or([eb('addressCount', '>', 1), eb('users.age', 'in', [3])])),
        ),
      ),
    )
    expect(found.map(({ first }) => first)).toEqual(['Ed'])
    const ordered = await run(Session.query(pipe(select(model.User), orderBy('addressCount'), orderBy('fullName'))))
    expect(ordered.map(({ first }) => first)).toEqual(['Mary', 'Ed'])
    const rows = pipe(
      select(model.User),
      orderBy('fullName', 'desc'),
      selectRows((q) => ({ user: q.entity(), name: q.ref('fullName'), count: q.ref('users.addressCount') })),
    )
    expect((await run(Session.rows(rows))).map(({ count, name, user }) => [user.age, name, count])).toEqual([
      [null, 'Mary Ann', 0],
      [41, 'Ed Jones', 2],
    ])
    const sums = pipe(
      select(model.User),
      selectRows((q) => ({ most: q.fn.max('addressCount') })),
    )
    expect(await run(Session.rows(sums))).toEqual([{ most: 2 }])
  })

  onHost('are there whichever way a relationship is loaded', async ({ run }) => {
    await run(seeded)
    for (const strategy of [selectin, joined, subquery]) {
      await run(Session.expireAll)
      const addresses = await run(Session.query(pipe(select(model.Address), orderBy('id'), strategy('user'))))
      expect(addresses.map(({ user }) => toNullable(user)?.fullName)).toEqual(['Ed Jones', 'Ed Jones', 'Ed Jones'])
      expect(toNullable(addresses[0]!.user)?.addressCount).toBe(2)
    }
    await run(Session.expireAll)
    const [address] = await run(Session.query(pipe(select(model.Address), orderBy('id'))))
    expect(toNullable(await run(pipe(address!, Session.load(model.Address, 'user'))))?.age).toBe(41)
  })

  onHost('speak of the alias that their row has', async ({ run }) => {
    await run(seeded)
    const rows = pipe(
      select(model.Address),
      join('user', 'owner'),
      where((eb) => eb('owner.addressCount', '>', 0)),
      orderBy('id'),
      selectRows((q) => ({ email: q.ref('email'), owner: q.entity('owner'), name: q.ref('owner.fullName') })),
    )
    const [first] = await run(Session.rows(rows))
    expect([first?.name, first?.owner.fullName, first?.owner.addressCount]).toEqual(['Ed Jones', 'Ed Jones', 2])
  })

  onHost('of a table that refers to itself count what refers to each row', async ({ fails, run }) => {
    await run(
      Session.add(model.Node, { name: 'root', children: [{ name: 'a', children: [{ name: 'c' }] }, { name: 'b' }] }),
    )
    await run(Session.commit)
    const nodes = pipe(select(model.Node), orderBy('name'), joined('children'))
    expect((await run(Session.query(nodes))).map(({ childCount, name }) => `${name}${childCount}`)).toEqual([
      'a1',
      'b0',
      'c0',
      'root2',
    ])
    const parents = pipe(
      select(model.Node),
      join('parent', 'p'),
      orderBy('name'),
      selectRows((q) => [q.ref('name'), q.ref('p.childCount'), q.ref('childCount')]),
    )
    expect(await run(Session.rows(parents))).toEqual([
      ['a', 2, 1],
      ['b', 2, 0],
      ['c', 1, 0],
    ])
    const captured = pipe(
      select(model.Node),
      join('parent', 'child'),
      where((eb) => eb('child.childCount', '>', 1)),
    )
    expect(Session.render(await fails(Session.query(captured)))).toContain(
      "expression of childCount in a query of Node: it reads a table under the name 'child', which the query has for Node; give one of them another alias",
    )
  })

  onHost('are unknown once their row is written, and known when it is read again', async ({ run, store }) => {
    await run(seeded)
    const [user] = await run(Session.query(pipe(select(model.User), where('id', '=', 1))))
    const changed = await run(pipe(user!, Session.set(model.User, { first: 'Al' })))
    // until the flush it is what the database had
    expect(changed.fullName).toBe('Ed Jones')
    await run(Session.flush)
    expect(Session.inspect(store.getState(), user!)?.attributes).not.toHaveProperty('fullName')
    expect((await run(pipe(user!, Session.read(model.User)))).fullName).toBe('Al Jones')
    await run(Session.add(model.Address, { email: 'c@x', userId: 1 }))
    await run(Session.flush)
    // what another row is computed by is not looked after
    expect((await run(pipe(user!, Session.read(model.User)))).addressCount).toBe(2)
    await run(Session.expireAll)
    expect((await run(pipe(user!, Session.read(model.User)))).addressCount).toBe(3)
  })

  onHost('are known again whatever reads the row after a flush', async ({ run }) => {
    await run(seeded)
    const [user] = await run(Session.query(pipe(select(model.User), where('id', '=', 1))))
    const [address] = await run(Session.query(pipe(select(model.Address), where('id', '=', 1))))
    const renamed = (first: string) =>
      pipe(
        user!,
        Session.set(model.User, { first }),
        Session.chain(() => Session.flush),
      )
    const alone = pipe(select(model.Address), where('id', '=', 1))
    await run(renamed('Al'))
    expect(toNullable(await run(Session.get(model.User, 1)))?.fullName).toBe('Al Jones')
    await run(renamed('Bo'))
    expect(toNullable(await run(pipe(address!, Session.load(model.Address, 'user'))))?.fullName).toBe('Bo Jones')
    await run(renamed('Cy'))
    expect(toNullable((await run(Session.query(pipe(alone, selectin('user')))))[0]!.user)?.fullName).toBe('Cy Jones')
    await run(renamed('Di'))
    expect(toNullable((await run(Session.query(pipe(alone, joined('user')))))[0]!.user)?.fullName).toBe('Di Jones')
  })

  onHost('of an instance that was inserted are loaded when it is read', async ({ run }) => {
    const added = await run(Session.add(model.User, mary))
    expect((added as object as { fullName?: string }).fullName).toBeUndefined()
    await run(Session.flush)
    expect(await run(pipe(added, Session.read(model.User)))).toMatchObject({ fullName: 'Mary Ann', addressCount: 0 })
  })

  onHost('are not settable', async ({ fails, run }) => {
    await run(seeded)
    const refused = await fails(Session.add(model.User, { ...mary, fullName: 'x' } as never))
    expect(Session.render(refused)).toBe('User.fullName cannot be "x": the database computes it; leave it out.')
    const [user] = await run(Session.query(pipe(select(model.User), where('id', '=', 1))))
    expect(await fails(pipe(user!, Session.set(model.User, { fullName: 'x' } as never)))).toMatchObject({
      _tag: 'InvalidValue',
      attribute: 'fullName',
    })
    const bulk = pipe(update(model.User), set({ fullName: 'x' } as never))
    expect(Session.render(await fails(pipe(bulk, Session.execute())))).toContain(
      'set of fullName in a query of User: the database computes it; set what it is computed of',
    )
    const row = pipe(insertInto(model.User), values([{ ...mary, fullName: 'x' } as never]))
    expect(await fails(pipe(row, Session.execute()))).toMatchObject({ _tag: 'InvalidStatement' })
  })

  onHost('are looked after by bulk statements', async ({ run }) => {
    await run(seeded)
    const [user] = await run(Session.query(pipe(select(model.User), where('id', '=', 1))))
    const renamed = pipe(update(model.User), set({ last: 'Smith' }), where('fullName', '=', 'Ed Jones'))
    expect(await run(pipe(renamed, Session.execute()))).toBe(1)
    expect((await run(pipe(user!, Session.read(model.User)))).fullName).toBe('Ed Smith')
    expect((await run(Session.query(pipe(select(model.User), where('last', '=', 'Smith'))))).length).toBe(1)
  })

  onHost('are those of a subtype too, in whichever tables its rows stand', async ({ run }) => {
    await run(Session.add(model.Engineer, { name: 'ed', pay: 2, language: 'ts' }))
    await run(Session.add(model.Manager, { name: 'mary', pay: 3, level: 4 }))
    await run(Session.add(model.Square, { name: 'box', side: 3 }))
    await run(Session.add(model.Shape, { name: 'blob' }))
    await run(Session.commit)
    const read = async <A>(query: Session.Program<unknown, A>): Promise<A> => {
      await run(Session.expireAll)
      return run(query)
    }
    const [engineer] = await read(Session.query(pipe(select(model.Engineer), where('title', '=', 'ed: ts'))))
    expect([engineer?.yearly, engineer?.title]).toEqual([24, 'ed: ts'])
    const [manager] = await read(Session.query(pipe(select(model.Manager), where('yearly', '>', 30))))
    expect([manager?.yearly, manager?.weight]).toEqual([36, 12])
    const all = await read(Session.query(pipe(select(model.Employee), withSubtypes('*'), orderBy('id'))))
    expect(
      all.map((one) => [one.yearly, one.kind === 'engineer' ? one.title : one.kind === 'manager' ? one.weight : null]),
    ).toEqual([
      [24, 'ed: ts'],
      [36, 12],
    ])
    const plain = await read(Session.query(pipe(select(model.Employee), orderBy('yearly', 'desc'))))
    expect(plain.map(({ name }) => name)).toEqual(['mary', 'ed'])
    const heavy = pipe(
      select(model.Employee),
      withSubtypes('*'),
      where((eb) => eb.or([eb('Manager.weight', '>', 11), eb('Engineer.title', '=', 'x')])),
    )
    expect((await read(Session.query(heavy))).map(({ name }) => name)).toEqual(['mary'])
    const shapes = await read(Session.query(pipe(select(model.Shape), withSubtypes('*'), orderBy('upper'))))
    expect(shapes.map((shape) => [shape.upper, shape.kind === 'square' ? shape.area : null])).toEqual([
      ['BLOB', null],
      ['BOX', 9],
    ])
    const [square] = await read(Session.query(pipe(select(model.Square), where('area', '=', 9))))
    expect([square?.upper, square?.area]).toEqual(['BOX', 9])
    await read(pipe(square!, Session.set(model.Square, { side: 4 })))
    await run(Session.flush)
    expect((await run(pipe(square!, Session.read(model.Square)))).area).toBe(16)
  })

  onHost('are given with rows that an insert answers', async ({ run }) => {
    const inserted = await run(
      pipe(insertInto(model.User), values([mary, { first: 'Ed', last: 'J' }]), returningEntities, Session.execute()),
    )
    expect(inserted.map(({ addressCount, fullName }) => [fullName, addressCount])).toEqual([
      ['Mary Ann', 0],
      ['Ed J', 0],
    ])
  })

  onHost('stand in pages, unions, subqueries and whole rows of Kysely', async ({ run }) => {
    await run(seeded)
    await run(Session.add(model.User, { first: 'Al', last: 'Bo' }))
    await run(Session.commit)
    const query = pipe(select(model.User), orderBy('addressCount', 'desc'), orderBy('fullName'))
    const names: string[] = []
    let after: Session.Page<unknown>['next'] = none
    do {
      const page: Session.Page<{ readonly fullName: string }> = await run(pipe(query, Session.page({ size: 1, after })))
      names.push(...page.rows.map(({ fullName }) => fullName))
      after = page.next
    } while (isSome(after))
    expect(names).toEqual(['Ed Jones', 'Al Bo', 'Mary Ann'])
    const both = pipe(
      select(model.User),
      where('fullName', '=', 'Al Bo'),
      union(pipe(select(model.User), where('addressCount', '=', 2))),
      orderBy('fullName'),
    )
    expect((await run(Session.query(both))).map(({ fullName }) => fullName)).toEqual(['Al Bo', 'Ed Jones'])
    const given = pipe(
      fromQuery(model.User, (db) => db.selectFrom('users').selectAll().where('fullName', '<>', 'Al Bo')),
      orderBy('fullName', 'desc'),
    )
    await run(Session.expungeAll)
    expect((await run(Session.query(given))).map(({ addressCount, initial }) => [addressCount, initial])).toEqual([
      [0, 'M'],
      [2, 'E'],
    ])
    const text = pipe(fromSql(model.User, sql`select * from users where id < ${3}`), orderBy('fullName'))
    expect((await run(Session.query(text))).map(({ fullName }) => fullName)).toEqual(['Ed Jones', 'Mary Ann'])
    expect(await run(Session.count(pipe(select(model.User), where('addressCount', '=', 0))))).toBe(2)
  })

  onHost('are read as columns of their kind', async ({ run }) => {
    const at = new Date('2026-01-31T12:00:00.123Z')
    const big = 2n ** 60n
    await run(Session.add(model.Payment, { amount: '1.25' as Decimal, at, isPaid: true, big, tags: ['a'] }))
    await run(Session.commit)
    const [payment] = await run(Session.query(select(model.Payment)))
    expect([payment?.cost, payment?.latest, payment?.isSmall, payment?.bigger, payment?.labels]).toEqual([
      '1.25',
      at,
      true,
      big + 1n,
      ['a'],
    ])
    const found = pipe(
      select(model.Payment),
      where('cost', '=', '1.250' as Decimal),
      where('latest', '=', at),
      where('bigger', '=', big + 1n),
      orderBy('cost'),
      selectRows((q) => ({ cost: q.ref('cost'), latest: q.ref('latest'), big: q.ref('bigger') })),
    )
    expect(await run(Session.rows(found))).toEqual([{ cost: '1.25', latest: at, big: big + 1n }])
    const distinct = pipe(select(model.Payment), distinctRows, orderBy('latest'))
    expect((await run(Session.query(distinct))).map(({ cost }) => cost)).toEqual(['1.25'])
  })

  onHost('can be forgotten and refreshed by name', async ({ run, store }) => {
    await run(seeded)
    const [user] = await run(Session.query(pipe(select(model.User), where('id', '=', 1), undefer('initial'))))
    await run(pipe(user!, Session.expire(model.User, 'fullName', 'initial')))
    const known = Session.inspect(store.getState(), user!)?.attributes as { readonly [name: string]: unknown }
    expect([known?.fullName, known?.initial, known?.first]).toEqual([undefined, undefined, 'Ed'])
    expect((await run(pipe(user!, Session.read(model.User)))).fullName).toBe('Ed Jones')
    expect(await run(pipe(user!, Session.refresh(model.User, 'initial')))).toMatchObject({ initial: 'E' })
  })

  onHost('are as they were after a savepoint is rolled back', async ({ run }) => {
    await run(seeded)
    const [user] = await run(Session.query(pipe(select(model.User), where('id', '=', 1))))
    await run(Session.beginNested)
    await run(pipe(user!, Session.set(model.User, { first: 'Al' })))
    await run(Session.flush)
    expect((await run(pipe(user!, Session.read(model.User)))).fullName).toBe('Al Jones')
    await run(Session.rollback)
    expect((await run(pipe(user!, Session.read(model.User)))).fullName).toBe('Ed Jones')
    const added = await run(Session.add(model.User, mary))
    await run(Session.flush)
    await run(pipe(added, Session.read(model.User)))
    await run(Session.rollback)
    expect(Object.keys({ ...added }).length).toBeGreaterThan(0)
    expect(((await run(Session.add(model.User, added))) as object as { fullName?: string }).fullName).toBeUndefined()
  })

  onHost('of a snapshot are not merged', async ({ run }) => {
    await run(seeded)
    const [user] = await run(Session.query(pipe(select(model.User), where('id', '=', 1))))
    await run(Session.expungeAll)
    const merged = await run(Session.merge(model.User, user!))
    expect((await run(pipe(merged, Session.read(model.User)))).fullName).toBe('Ed Jones')
    await run(Session.flush)
  })
})

test('subqueries of expressions see every row, as those of criteria do', () => {
  const engine = sqliteEngine(new Database(':memory:'))
  resultOf(createAllSync(model)(engine))
  const rules = criteria(model)({ Address: { shown: (eb) => eb('email', '<>', 'a@x') } })
  const store = Session.createStore(Session.runtime(model, engine, { criteria: rules }))
  resultOf(store.runSync(seeded))
  resultOf(store.runSync(Session.expungeAll))
  const [user] = resultOf(store.runSync(Session.query(pipe(select(model.User), orderBy('id'), selectin('addresses')))))
  expect([user?.addressCount, user?.addresses.length]).toEqual([2, 2])
  resultOf(store.runSync(pipe(user!, Session.expire(model.User, 'addressCount'))))
  expect(resultOf(store.runSync(pipe(user!, Session.read(model.User)))).addressCount).toBe(2)
})
