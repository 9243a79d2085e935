/**
 * How relationships of a query's results are loaded: as many statements as a strategy promises, and the same graph by all.
 */
import {
  columnsOf,
  defer,
  deferred,
  deferredIn,
  defineModel,
  entity,
  generated,
  immediate,
  integer,
  joined,
  lazy,
  limit,
  loadOnly,
  named,
  none as nothing,
  nullable,
  orderBy,
  primaryKey,
  raise,
  recursively,
  references,
  select,
  selectin,
  subquery,
  text,
  undefer,
  undeferGroup,
  where,
  withOptions,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { flow, pipe } from 'fp-ts/lib/function.js'
import { isSome, none, some } from 'fp-ts/lib/Option.js'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { type App, openOn } from '../app.js'

const Country = entity('Country', 'countries', { code: pipe(text, primaryKey), title: text })

const City = entity('City', 'cities', {
  id: pipe(integer, primaryKey, generated),
  name: text,
  countryCode: pipe(text, named('country_code')),
})

const User = entity('User', 'users', {
  id: pipe(integer, primaryKey, generated),
  name: text,
  bio: pipe(text, nullable, deferred),
  notes: pipe(text, nullable, deferredIn('long')),
  plan: pipe(text, nullable, deferredIn('long')),
})

const Address = entity('Address', 'addresses', {
  id: pipe(integer, primaryKey, generated),
  email: text,
  userId: pipe(integer, named('user_id'), nullable),
  cityId: pipe(integer, named('city_id'), nullable),
})

const Tag = entity('Tag', 'tags', { id: pipe(integer, primaryKey, generated), name: text })

const Node = entity('Node', 'nodes', {
  id: pipe(integer, primaryKey, generated),
  label: text,
  parentId: pipe(integer, named('parent_id'), nullable),
})

/** More of them than anyone would load. */
const Event = entity('Event', 'events', {
  id: pipe(integer, primaryKey, generated),
  kind: text,
  userId: pipe(integer, named('user_id'), nullable, references('users.id')),
})

const links = { table: 'user_tags', own: ['user_id'], target: ['tag_id'] }

const model = defineModel({ Country, City, User, Address, Tag, Node, Event })((r) => ({
  City: { country: r.City.belongsTo('Country', { foreignKey: 'countryCode' }) },
  User: {
    addresses: r.User.hasMany('Address', { foreignKey: 'userId', inverse: 'user', orderBy: 'id' }),
    tags: r.User.manyToMany('Tag', { through: links, orderBy: ['name', 'desc'] }),
    events: r.User.hasMany('Event', { foreignKey: 'userId', load: 'writeOnly', orderBy: 'id' }),
  },
  Address: {
    user: r.Address.belongsTo('User', { foreignKey: 'userId', inverse: 'addresses' }),
    city: r.Address.belongsTo('City', { foreignKey: 'cityId' }),
  },
  Node: {
    parent: r.Node.belongsTo('Node', { foreignKey: 'parentId', inverse: 'children' }),
    children: r.Node.hasMany('Node', { foreignKey: 'parentId', inverse: 'parent', orderBy: 'id' }),
  },
}))

/** Three users with 2, 1 and 0 addresses in two cities, and tags; nothing known to the session. */
const arrange = (): App => {
  const app = openOn(model)
  app.database.exec(`
    insert into countries values ('fr', 'France'), ('de', 'Germany');
    insert into cities (id, name, country_code) values (1, 'Paris', 'fr'), (2, 'Bonn', 'de');
    insert into users (id, name, bio, notes, plan) values (1, 'ed', 'b', 'n', 'p'), (2, 'wendy', null, null, null), (3, 'jack', null, null, null);
    insert into addresses (id, email, user_id, city_id) values (1, 'a', 1, 1), (2, 'b', 1, null), (3, 'c', 2, 2);
    insert into tags values (1, 'red'), (2, 'blue');
    insert into user_tags (user_id, tag_id) values (1, 1), (1, 2), (3, 1);
    insert into nodes (id, label, parent_id) values (1, 'root', null), (2, 'a', 1), (3, 'b', 1), (4, 'aa', 2), (5, 'aaa', 4);
    insert into events (id, kind, user_id) values (1, 'in', 1), (2, 'out', 1), (3, 'in', 2);
  `)
  return app
}

const users = pipe(select(model.User), orderBy('id'))
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const graph = [
  {
    name: 'ed',
    addresses: [
      { email: 'a', city: { value: { name: 'Paris' } } },
      { email: 'b', city: none },
    ],
  },
  { name: 'wendy', addresses: [{ email: 'c', city: { value: { name: 'Bonn' } } }] },
  { name: 'jack', addresses: [] },
]

describe('each strategy gives the same graph, by so many statements', () => {
  test('selectin: one for each relationship', () => {
    const app = arrange()
    const [found, statements] = app.counted(Session.query(pipe(users, selectin('addresses', selectin('city')))))
    expect(found).toMatchObject(graph)
    expect(statements).toHaveLength(3)
  })

  test('selectin of many owners: one for so many keys', () => {
    const app = openOn(model)
    app.database.exec(`
      with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 1100)
      insert into users (name) select 'user ' || n from numbers;
      insert into addresses (email, user_id) select name, id from users`)
    const [found, statements] = app.counted(Session.query(pipe(users, selectin('addresses'))))
    expect(found.every(({ addresses, name }) => addresses.length === 1 && addresses[0]?.email === name)).toBe(true)
    expect(statements).toHaveLength(1 + 3)
  })

  test('joined: none beside the query', () => {
    const app = arrange()
    const [found, statements] = app.counted(Session.query(pipe(users, joined('addresses', joined('city')))))
    expect(found).toMatchObject(graph)
    expect(statements).toHaveLength(1)
  })

  test('joined inside of selectin: one for both', () => {
    const app = arrange()
    const [found, statements] = app.counted(Session.query(pipe(users, selectin('addresses', joined('city')))))
    expect(found).toMatchObject(graph)
    expect(statements).toHaveLength(2)
  })

  test('selectin inside of joined', () => {
    const app = arrange()
    const [found, statements] = app.counted(Session.query(pipe(users, joined('addresses', selectin('city')))))
    expect(found).toMatchObject(graph)
    expect(statements).toHaveLength(2)
  })

  test('subquery: one for each relationship, with the query in it', () => {
    const app = arrange()
    const [found, statements] = app.counted(Session.query(pipe(users, subquery('addresses', subquery('city')))))
    expect(found).toMatchObject(graph)
    expect(statements).toHaveLength(3)
    expect(app.asked().at(-1)).toMatch(/in \(select .*in \(select/)
  })

  test('immediate: one for each result that the identity map does not answer for', () => {
    const app = arrange()
    const [found, statements] = app.counted(Session.query(pipe(users, immediate('addresses', immediate('city')))))
    expect(found).toMatchObject(graph)
    // three users, and two of three addresses with a city
    expect(statements).toHaveLength(1 + 3 + 2)
    const [, again] = app.counted(
      Session.query(pipe(select(model.Address), orderBy('id'), immediate('city'), immediate('user'))),
    )
    expect(again).toHaveLength(1)
  })

  test('none: nothing is asked and nothing is there', () => {
    const app = arrange()
    const [found, statements] = app.counted(Session.query(pipe(users, nothing('addresses'))))
    expect(found.map(({ addresses }) => addresses)).toEqual([[], [], []])
    expect(statements).toHaveLength(1)
    // which the session does not take for the truth
    expect(app.run(Session.load(model.User, 'addresses')(found[0] as never))).toHaveLength(2)
  })

  test('over a table of links', () => {
    const expected = [['red', 'blue'], [], ['red']]
    for (const strategy of [selectin, joined, subquery, immediate] as const) {
      const app = arrange()
      const found = app.run(Session.query(pipe(users, strategy('tags'))))
      expect(found.map(({ tags }) => tags.map(({ name }) => name))).toEqual(expected)
    }
  })
})

describe('a joined load', () => {
  test('keeps limit, offset and order of the query, and whole collections', () => {
    const app = arrange()
    const last = pipe(select(model.User), orderBy('name', 'desc'), limit(2), joined('addresses'), joined('tags'))
    const [found, statements] = app.counted(Session.query(last))
    expect(found).toMatchObject([
      { name: 'wendy', addresses: [{ email: 'c' }], tags: [] },
      { name: 'jack', addresses: [], tags: [{ name: 'red' }] },
    ])
    expect(statements).toHaveLength(1)
  })

  test('is right beside conditions of any form', () => {
    const app = arrange()
    const [found, statements] = app.counted(
      Session.query(
        pipe(
          select(model.User),
          where((eb) => eb('name', '=', 'ed')),
          where((eb) => eb.exists(eb.selectFrom('addresses').select('email').where('email', '=', 'a'))),
          joined('addresses'),
        ),
      ),
    )
    expect(found).toMatchObject([{ name: 'ed', addresses: [{ email: 'a' }, { email: 'b' }] }])
    expect(statements).toHaveLength(1)
  })

  test('takes conditions and an order of its own, which are shown and not kept', () => {
    const app = arrange()
    const [found, statements] = app.counted(
      Session.query(pipe(users, joined('addresses', flow(where('id', '<', 3), orderBy('email', 'desc'))))),
    )
    expect(found.map(({ addresses }) => addresses.map(({ email }) => email))).toEqual([['b', 'a'], [], []])
    expect(statements).toHaveLength(1)
    expect(app.run(Session.load(model.User, 'addresses')(found[1] as never))).toMatchObject([{ email: 'c' }])
  })

  test('joins inside where there always is a target', () => {
    const app = arrange()
    app.run(Session.query(pipe(select(model.City), joined('country'))))
    expect(app.asked().at(-1)).toContain('inner join')
    app.run(Session.query(pipe(select(model.Address), joined('city', joined('country')))))
    expect(app.asked().at(-1)).not.toContain('inner join')
  })

  test('leaves changes that no flush has written', () => {
    const app = arrange()
    const [ed] = app.run(Session.query(pipe(users, selectin('addresses'))))
    app.run(Session.set(model.User, { name: 'edward' })(ed as never))
    const quiet = pipe(users, joined('addresses'), withOptions({ autoflush: false }))
    expect(app.run(Session.query(quiet))[0]).toMatchObject({ name: 'edward', addresses: [{}, {}] })
    const fresh = pipe(quiet, withOptions({ populateExisting: true }))
    expect(app.run(Session.query(fresh))[0]).toMatchObject({ name: 'ed', addresses: [{}, {}] })
  })
})

describe('a joined load that one statement cannot do', () => {
  test('is done as selectin where it would join more tables than databases do', () => {
    const app = arrange()
    const leaf = pipe(select(model.Node), where('id', '=', 5))
    type Query = typeof leaf
    const up =
      (levels: number) =>
      (query: Query): Query =>
        levels === 0 ? query : pipe(query, joined('parent', up(levels - 1)))
    const [few, one] = app.counted(Session.query(up(20)(leaf)))
    app.run(Session.expungeAll)
    const [many, several] = app.counted(Session.query(up(70)(leaf)))
    expect(one).toHaveLength(1)
    expect(several.length).toBeGreaterThan(1)
    expect(plain(many)).toMatchObject(plain(few) as object)
  })
})

describe('recursively', () => {
  const root = pipe(select(model.Node), where('parentId', 'is', null))

  test('loads all levels, each by one statement', () => {
    const app = arrange()
    const [found, statements] = app.counted(Session.query(pipe(root, recursively('children'))))
    expect(plain(found)).toMatchObject([
      { label: 'root', children: [{ label: 'a', children: [{ children: [{ children: [] }] }] }, { children: [] }] },
    ])
    expect(statements).toHaveLength(5)
    expectTypeOf(found[0]?.children[0]?.children[0]?.children[0]?.label).toEqualTypeOf<string | undefined>()
  })

  test('loads so many levels', () => {
    const app = arrange()
    const [found, statements] = app.counted(Session.query(pipe(root, recursively('children', 2))))
    const deepest = found[0]?.children[0]?.children[0]
    expect(deepest).toMatchObject({ label: 'aa' })
    expect(deepest).not.toHaveProperty('children')
    // @ts-expect-error no third level is loaded
    expect(deepest?.children).toBeUndefined()
    expect(statements).toHaveLength(3)
  })

  test('follows a reference to the top', () => {
    const app = arrange()
    const [leaf] = app.run(Session.query(pipe(select(model.Node), where('id', '=', 5), recursively('parent'))))
    expect(plain(leaf)).toMatchObject({
      label: 'aaa',
      parent: { value: { label: 'aa', parent: { value: { label: 'a', parent: { value: { label: 'root' } } } } } },
    })
  })

  test('ends in a circle of rows, and shows it', () => {
    const app = arrange()
    app.database.exec('update nodes set parent_id = 5 where id = 1')
    const [first] = app.run(Session.query(pipe(select(model.Node), where('id', '=', 1), recursively('children'))))
    const around = first?.children[0]?.children[0]?.children[0]?.children[0]
    expect(around).toBe(first)
    expect(first?.children).toHaveLength(2)
  })

  test('is as deep as the rows are', () => {
    const app = openOn(model)
    const insert = app.database.prepare('insert into nodes (id, label, parent_id) values (?, ?, ?)')
    app.database.transaction(() => {
      for (let i = 1; i <= 3000; i++) insert.run(i, `${i}`, i === 1 ? null : i - 1)
    })()
    const [found] = app.run(Session.query(pipe(root, recursively('children'))))
    let depth = 0
    for (let at = found; at !== undefined; at = at.children[0]) depth++
    expect(depth).toBe(3000)
  })
})

describe('raise', () => {
  test('makes a later load an error, for the one relationship', () => {
    const app = arrange()
    const [ed] = app.run(Session.query(pipe(users, raise('addresses'))))
    const error = app.fails(Session.load(model.User, 'addresses')(ed as never))
    expect(error).toMatchObject({ _tag: 'RaisedLoad', entity: 'User', key: 1, relationship: 'addresses' })
    expect(Session.render(error)).toContain('selectin')
    expect(app.run(Session.load(model.User, 'tags')(ed as never))).toHaveLength(2)
  })

  test('for all but what the query loads', () => {
    const app = arrange()
    const [ed] = app.run(Session.query(pipe(users, selectin('addresses', raise('*')), raise('*'))))
    expect(app.run(Session.load(model.User, 'addresses')(ed as never))).toHaveLength(2)
    expect(app.fails(Session.load(model.User, 'tags')(ed as never))).toMatchObject({ relationship: 'tags' })
    const [first] = ed?.addresses ?? []
    expect(app.fails(Session.load(model.Address, 'city')(first as never))).toMatchObject({ relationship: 'city' })
  })

  test('reaches what a later load gives, where that says so', () => {
    const app = arrange()
    const [ed] = app.run(Session.query(pipe(users, lazy('addresses', raise('*')))))
    const [first] = app.run(Session.load(model.User, 'addresses')(ed as never))
    expect(app.fails(Session.load(model.Address, 'city')(first as never))).toMatchObject({ _tag: 'RaisedLoad' })
  })

  test('does not keep the session from loading for its own work', () => {
    const app = arrange()
    const [ed] = app.run(Session.query(pipe(users, raise('*'))))
    app.run(Session.remove(model.User)(ed as never))
    app.database.exec('delete from user_tags; delete from events')
    app.run(Session.flush)
    expect(app.rows('addresses')).toMatchObject([{ user_id: null }, { user_id: null }, { user_id: 2 }])
  })

  test('is lifted by lazy, whether the model or an earlier query says it', () => {
    const guarded = defineModel({ User, Address })((r) => ({
      User: { addresses: r.User.hasMany('Address', { foreignKey: 'userId', load: 'raise' }) },
    }))
    const app = openOn(guarded)
    app.database.exec("insert into users (id, name) values (1, 'ed')")
    const [ed] = app.run(Session.query(select(guarded.User)))
    expect(app.fails(Session.load(guarded.User, 'addresses')(ed as never))).toMatchObject({ _tag: 'RaisedLoad' })
    app.run(Session.query(pipe(select(guarded.User), lazy('addresses'))))
    expect(app.run(Session.load(guarded.User, 'addresses')(ed as never))).toEqual([])
    app.run(Session.query(pipe(select(guarded.User), raise('addresses'), withOptions({ populateExisting: true }))))
    expect(app.fails(Session.load(guarded.User, 'addresses')(ed as never))).toMatchObject({ _tag: 'RaisedLoad' })
    app.run(Session.query(pipe(select(guarded.User), lazy('*'))))
    expect(app.run(Session.load(guarded.User, 'addresses')(ed as never))).toEqual([])
  })

  test('leaves nothing typed as loaded', () => {
    const query = pipe(users, selectin('addresses'), raise('addresses'))
    const app = arrange()
    const [ed] = app.run(Session.query(query))
    expect(ed).not.toHaveProperty('addresses')
    // @ts-expect-error it is not loaded any more
    expect(ed?.addresses).toBeUndefined()
  })
})

describe('a relationship that is only written', () => {
  test('is never loaded, and tells its query', () => {
    const app = arrange()
    const [ed] = app.run(Session.query(users))
    const error = app.fails(Session.load(model.User, 'events')(ed as never))
    expect(error).toMatchObject({ _tag: 'RaisedLoad', strategy: 'writeOnly' })
    expect(Session.render(error)).toContain('Session.members')
    const events = app.run(Session.members(model.User, 'events')(ed as never))
    expect(app.run(Session.query(pipe(events, where('kind', '=', 'out'))))).toMatchObject([{ id: 2 }])
  })

  test('takes and gives members without being loaded', () => {
    const app = arrange()
    const [ed] = app.run(Session.query(users))
    app.run(Session.append(model.User, 'events', { kind: 'new' })(ed as never))
    const [first] = app.run(Session.query(app.run(Session.members(model.User, 'events')(ed as never))))
    app.run(Session.detach(model.User, 'events', first as never)(ed as never))
    app.run(Session.flush)
    expect(app.rows('events')).toMatchObject([
      { id: 1, user_id: null },
      { id: 2, user_id: 1 },
      { id: 3, user_id: 2 },
      { kind: 'new', user_id: 1 },
    ])
    expect(app.asked().filter((sql) => sql.startsWith('select') && sql.includes('events'))).toHaveLength(1)
  })

  test('is not loaded by a query either', () => {
    const app = arrange()
    expect(app.fails(Session.query(pipe(users, selectin('events'))))).toMatchObject({
      _tag: 'InvalidValue',
      attribute: 'events',
    })
  })

  test('cannot be replaced, since nobody knows what would go', () => {
    const app = arrange()
    const [ed] = app.run(Session.query(users))
    expect(app.fails(Session.replace(model.User, 'events', [])(ed as never))).toMatchObject({
      _tag: 'RaisedLoad',
      strategy: 'writeOnly',
    })
  })

  test('has a query for any kind of relationship', () => {
    const app = arrange()
    const [ed] = app.run(Session.query(users))
    const tags = app.run(Session.members(model.User, 'tags')(ed as never))
    expect(app.run(Session.query(tags))).toMatchObject([{ name: 'red' }, { name: 'blue' }])
    const [first] = app.run(Session.query(pipe(select(model.Address), orderBy('id'))))
    const city = app.run(Session.members(model.Address, 'city')(first as never))
    expect(app.run(Session.query(city))).toMatchObject([{ name: 'Paris' }])
    const pending = app.run(Session.add(model.User, { name: 'new' }))
    expect(app.fails(Session.members(model.User, 'tags')(pending))).toMatchObject({
      _tag: 'InvalidState',
      status: 'pending',
    })
  })
})

describe('parts of an entity', () => {
  test('defer leaves attributes out, of the row and of the type', () => {
    const app = arrange()
    const query = pipe(select(model.User), where('id', '=', 1), defer('name'))
    const [ed] = app.run(Session.query(query))
    expect(app.asked().at(-1)).not.toContain('"name"')
    expect(ed).toMatchObject({ id: 1, name: undefined })
    // @ts-expect-error it was left out
    expect(ed?.name).toBeUndefined()
    const [whole, statements] = app.counted(Session.read(model.User)(ed as never))
    expect(whole).toMatchObject({ name: 'ed' })
    expect(statements).toHaveLength(1)
  })

  test('loadOnly keeps the key', () => {
    const app = arrange()
    const query = pipe(select(model.Address), loadOnly('email'), orderBy('id'))
    const [first] = app.run(Session.query(query))
    expect(plain(first)).toEqual({ id: 1, email: 'a' })
    expectTypeOf(first?.id).toEqualTypeOf<number | undefined>()
    expectTypeOf(first?.email).toEqualTypeOf<string | undefined>()
    // @ts-expect-error it was left out
    expect(first?.userId).toBeUndefined()
    expect(columnsOf(query)).toEqual(['id', 'email', null, null])
  })

  test('what the session knows already is not lost', () => {
    const app = arrange()
    app.run(Session.query(users))
    const [ed] = app.run(Session.query(pipe(users, loadOnly('id'))))
    expect(ed).toMatchObject({ name: 'ed' })
    expect(app.counted(Session.read(model.User)(ed as never))[1]).toEqual([])
  })

  test('a later query of the whole fills in what was left out', () => {
    const app = arrange()
    const [ed] = app.run(Session.query(pipe(users, defer('name'))))
    app.run(Session.query(users))
    expect(app.counted(Session.read(model.User)(ed as never))).toMatchObject([{ name: 'ed' }, []])
  })

  test('undefer and undeferGroup select what is deferred, also for instances that are known', () => {
    const app = arrange()
    const [before] = app.run(Session.query(users))
    expect(before).toMatchObject({ bio: undefined, notes: undefined })
    const [ed] = app.run(Session.query(pipe(users, undefer('bio'))))
    expectTypeOf(ed?.bio).toEqualTypeOf<string | null | undefined>()
    expect(ed).toMatchObject({ bio: 'b', notes: undefined })
    const [all] = app.run(Session.query(pipe(users, undeferGroup('long'))))
    expectTypeOf(all?.plan).toEqualTypeOf<string | null | undefined>()
    expect(all).toMatchObject({ bio: 'b', notes: 'n', plan: 'p' })
    // @ts-expect-error it is not of the group
    expect(all?.bio).toBe('b')
  })

  test('of the targets of any load', () => {
    for (const strategy of [selectin, joined, subquery] as const) {
      const app = arrange()
      const [ed] = app.run(Session.query(pipe(users, strategy('addresses', loadOnly('email')))))
      expect(ed?.addresses).toMatchObject([
        { id: 1, email: 'a', cityId: undefined },
        { id: 2, email: 'b', cityId: undefined },
      ])
      // @ts-expect-error it was left out
      expect(ed?.addresses[0]?.cityId).toBeUndefined()
    }
  })

  test('changes are written though the rest is not known', () => {
    const app = arrange()
    const [ed] = app.run(Session.query(pipe(users, loadOnly('id'))))
    app.run(Session.set(model.User, { name: 'edward' })(ed as never))
    app.run(Session.commit)
    expect(app.rows('users')[0]).toMatchObject({ name: 'edward', bio: 'b' })
  })
})

describe('options of a query', () => {
  test('flow to later loads', () => {
    const app = arrange()
    app.database.exec('pragma ignore_check_constraints = on; update addresses set email = 7 where id = 1')
    const [ed] = app.run(Session.query(pipe(users, withOptions({ strict: false }))))
    const found = app.run(Session.load(model.User, 'addresses')(ed as never))
    expect(found).toHaveLength(2)
  })

  test.each(['selectin', 'joined', 'subquery', 'immediate'] as const)('reach what %s loads beside it', (strategy) => {
    const by = { selectin, joined, subquery, immediate }[strategy]
    const app = arrange()
    const query = pipe(users, by('addresses'))
    app.run(Session.query(query))
    app.database.exec("update addresses set email = 'new' where id = 1")
    expect(app.run(Session.query(query))[0]?.addresses[0]?.email).toBe('a')
    const fresh = pipe(query, withOptions({ populateExisting: true }))
    expect(app.run(Session.query(fresh))[0]?.addresses[0]?.email).toBe('new')
    app.run(Session.add(model.User, { name: 'pending' }))
    const quiet = pipe(fresh, withOptions({ autoflush: false }))
    expect(app.run(Session.query(quiet))).toHaveLength(3)
    expect(app.rows('users')).toHaveLength(3)
    app.database.exec("update addresses set email = x'00' where id = 1")
    const trusting = pipe(quiet, withOptions({ strict: false }))
    expect(app.run(Session.query(trusting))[0]?.addresses).toHaveLength(2)
  })

  test('of a refinement hold for its targets', () => {
    const app = arrange()
    app.run(Session.query(pipe(users, selectin('addresses'))))
    app.database.exec("update addresses set email = 'new' where id = 1; update users set name = 'new' where id = 1")
    const query = pipe(users, selectin('addresses', withOptions({ populateExisting: true })))
    expect(app.run(Session.query(query))[0]).toMatchObject({ name: 'ed', addresses: [{ email: 'new' }, {}] })
  })

  test('without them a load is strict', () => {
    const app = arrange()
    app.database.exec(
      'create table raw as select * from addresses; drop table addresses; alter table raw rename to addresses',
    )
    app.database.exec("update addresses set email = x'00' where id = 1")
    const [ed] = app.run(Session.query(users))
    expect(app.fails(Session.load(model.User, 'addresses')(ed as never))).toMatchObject({
      _tag: 'DecodeError',
      table: 'addresses',
      column: 'email',
      key: 1,
    })
    const [trusting] = app.run(Session.query(pipe(users, withOptions({ strict: false, populateExisting: true }))))
    expect(app.run(Session.load(model.User, 'addresses')(trusting as never))).toHaveLength(2)
  })
})

describe('a strategy of the model', () => {
  const eager = (load: 'selectin' | 'joined' | 'subquery' | 'immediate') =>
    defineModel({ Country, City, User, Address, Tag, Node, Event })((r) => ({
      User: { addresses: r.User.hasMany('Address', { foreignKey: 'userId', inverse: 'user', orderBy: 'id', load }) },
      Address: { user: r.Address.belongsTo('User', { foreignKey: 'userId', inverse: 'addresses', load }) },
      City: { country: r.City.belongsTo('Country', { foreignKey: 'countryCode' }) },
    }))

  test.each([
    ['selectin', 2],
    ['joined', 1],
    ['subquery', 2],
    ['immediate', 4],
  ] as const)('%s holds where a query says nothing', (strategy, count) => {
    const own = eager(strategy)
    const app = openOn(own)
    app.database.exec(`
      insert into users (id, name) values (1, 'ed'), (2, 'wendy'), (3, 'jack');
      insert into addresses (id, email, user_id) values (1, 'a', 1), (2, 'b', 1), (3, 'c', 2)`)
    const [found, statements] = app.counted(Session.query(pipe(select(own.User), orderBy('id'))))
    expect(statements).toHaveLength(count)
    const [ed] = found
    expect(app.counted(Session.related(own.User, 'addresses')(ed as never))).toMatchObject([[{}, {}], []])
    app.run(Session.expungeAll)
    const [, got] = app.counted(Session.get(own.User, 1))
    expect(got).toHaveLength(strategy === 'joined' ? 1 : 2)
    app.run(Session.expungeAll)
    const [lazily, asked] = app.counted(Session.query(pipe(select(own.User), lazy('*'))))
    expect([lazily.length, asked.length]).toEqual([3, 1])
  })
})

test('a collection that is not loaded is loaded before it is replaced', () => {
  const app = arrange()
  const [ed] = app.run(Session.query(users))
  app.run(Session.replace(model.User, 'addresses', [{ email: 'new' }])(ed as never))
  app.run(Session.flush)
  expect(app.rows('addresses')).toMatchObject([
    { email: 'a', user_id: null },
    { email: 'b', user_id: null },
    { email: 'c', user_id: 2 },
    { email: 'new', user_id: 1 },
  ])
})

test('a load of what is no relationship is refused', () => {
  const app = arrange()
  const wrong = pipe(users, selectin('adresses' as never))
  expect(app.fails(Session.query(wrong))).toMatchObject({ _tag: 'InvalidValue', attribute: 'adresses' })
  expect(app.fails(Session.query(pipe(users, joined('addresses', limit(1)))))).toMatchObject({
    _tag: 'InvalidValue',
    attribute: 'addresses',
  })
})

test('a reference without a target is none', () => {
  const app = arrange()
  const found = app.run(Session.query(pipe(select(model.Address), orderBy('id'), joined('city'))))
  expect(found.map(({ city }) => isSome(city))).toEqual([true, false, true])
  expect(found[0]?.city).toMatchObject(some({ name: 'Paris' }))
})
