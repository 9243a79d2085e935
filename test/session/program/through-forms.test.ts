import {
  asSet,
  defineModel,
  entity,
  generated,
  groupedBy,
  integer,
  joined,
  keyedBy,
  nullable,
  primaryKey,
  recordBy,
  select,
  selectin,
  text,
  through,
  viewThrough,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { none, some } from 'fp-ts/lib/Option.js'
import { describe, expect, test } from 'vitest'
import { type App, explained, found, openOn } from '../app.js'
import { openOnServer, servers } from '../server-app.js'

const id = pipe(integer, primaryKey, generated)
const userId = pipe(integer, nullable)

const Team = entity('Team', 'teams', { id, name: text })
const User = entity('User', 'users', { id, name: text, teamId: pipe(integer, nullable) })
const Setting = entity('Setting', 'settings', { id, name: text, value: pipe(text, nullable), source: text, userId })
const Tagging = entity('Tagging', 'taggings', { id, userId, tagId: pipe(integer, nullable) })
const Tag = entity('Tag', 'tags', { id, label: text })
const Credit = entity('Credit', 'credits', { id, role: text, person: text, since: integer, userId })
const Profile = entity('Profile', 'profiles', { id, bio: text, views: integer, userId })
const Badge = entity('Badge', 'badges', { id, words: text, profileId: pipe(integer, nullable) })
const Drawer = entity('Drawer', 'drawers', { id, key: text, userId })
const Value = entity('Value', 'drawer_values', { id, value: integer, drawerId: integer })

const owned = ['save-update', 'merge', 'delete', 'delete-orphan'] as const
const own = { foreignKey: 'userId', cascade: owned } as const

const model = defineModel({ Team, User, Setting, Tagging, Tag, Credit, Profile, Badge, Drawer, Value })((r) => ({
  Team: {
    members: r.Team.hasMany('User', { foreignKey: 'teamId', orderBy: 'id' }),
    roster: r.Team.hasMany('User', { foreignKey: 'teamId', collection: keyedBy('name'), viewonly: true }),
  },
  User: {
    settings: r.User.hasMany('Setting', { ...own, collection: keyedBy('name') }),
    taggings: r.User.hasMany('Tagging', { ...own, collection: asSet }),
    credits: r.User.hasMany('Credit', { ...own, collection: groupedBy('role') }),
    profile: r.User.hasOne('Profile', { ...own, inverse: 'user' }),
    drawers: r.User.hasMany('Drawer', { ...own, collection: keyedBy('key') }),
    boxes: r.User.hasMany('Drawer', { foreignKey: 'userId', collection: recordBy('key'), viewonly: true }),
  },
  Tagging: { tag: r.Tagging.belongsTo('Tag', { foreignKey: 'tagId' }) },
  Profile: {
    user: r.Profile.belongsTo('User', { foreignKey: 'userId', inverse: 'profile' }),
    badge: r.Profile.hasOne('Badge', { foreignKey: 'profileId', cascade: owned }),
  },
  Drawer: { values: r.Drawer.hasMany('Value', { foreignKey: 'drawerId', cascade: owned, collection: asSet }) },
}))

const settings = through(model.User, 'settings', 'value', {
  make: (value, name) => ({ name, value, source: 'user' }),
})
const labels = through(model.User, 'taggings', through(model.Tagging, 'tag', 'label'), {
  make: (label) => ({ tag: { label } }),
})
const people = through(model.User, 'credits', 'person', {
  make: (person, role) => ({ person, role, since: 2026 }),
})
const numbers = through(model.Drawer, 'values', 'value', { make: (value) => ({ value }) })
/** A dictionary of sets of numbers, over three tables. */
const drawers = through(model.User, 'drawers', numbers, {
  make: (values, key) => ({ key, values: [...values].map((value) => ({ value })) }),
})
const boxes = through(model.User, 'boxes', numbers)
const bio = through(model.User, 'profile', 'bio', { make: (words) => ({ bio: words, views: 0 }) })
const badge = through(model.User, 'profile', through(model.Profile, 'badge', 'words', { make: (words) => ({ words }) }))
const ownerName = through(model.Profile, 'user', 'name')
const ownerDrawers = through(model.Profile, 'user', drawers)

const fill = Session.gen(function* () {
  yield* Session.add(model.User, {
    name: 'ed',
    settings: [
      { name: 'colour', value: 'red', source: 'import' },
      { name: 'size', value: null, source: 'import' },
    ],
    taggings: [{ tag: { label: 'new' } }, { tag: { label: 'vip' } }],
    credits: [
      { role: 'bass', person: 'ann', since: 1999 },
      { role: 'drums', person: 'bob', since: 2001 },
      { role: 'drums', person: 'cid', since: 2002 },
    ],
    profile: { bio: 'a painter', views: 7 },
    drawers: [
      { key: 'a', values: [{ value: 1 }, { value: 2 }] },
      { key: 'b', values: [] },
    ],
  })
  yield* Session.add(model.User, { name: 'sue' })
  yield* Session.commit
})

const filled = (): App => {
  const app = openOn(model)
  app.run(fill)
  app.run(Session.close)
  app.clear()
  return app
}

const all = Session.gen(function* () {
  const user = yield* pipe(select(model.User), where('name', '=', 'ed'), Session.one)
  const profile = yield* pipe(select(model.Profile), Session.one)
  return {
    settings: yield* pipe(user, Session.loadThrough(settings)),
    labels: yield* pipe(user, Session.loadThrough(labels)),
    people: yield* pipe(user, Session.loadThrough(people)),
    drawers: yield* pipe(user, Session.loadThrough(drawers)),
    boxes: yield* pipe(user, Session.loadThrough(boxes)),
    bio: yield* pipe(user, Session.loadThrough(bio)),
    owner: yield* pipe(profile, Session.loadThrough(ownerName)),
    owned: yield* pipe(profile, Session.loadThrough(ownerDrawers)),
  }
})

const shownAtFirst = {
  settings: new Map([
    ['colour', 'red'],
    ['size', null],
  ]),
  labels: new Set(['new', 'vip']),
  people: new Map([
    ['bass', ['ann']],
    ['drums', ['bob', 'cid']],
  ]),
  drawers: new Map([
    ['a', new Set([1, 2])],
    ['b', new Set()],
  ]),
  boxes: { a: new Set([1, 2]), b: new Set() },
  bio: some('a painter'),
  owner: some('ed'),
  owned: new Map([
    ['a', new Set([1, 2])],
    ['b', new Set()],
  ]),
}

describe('what a proxy shows', () => {
  test('runs lists and sets together, and keeps what is kept by key', () => {
    const app = filled()
    const [ed, sue] = [found(app, model.User, 1), found(app, model.User, 2)]
    const team = app.run(Session.add(model.Team, { name: 'a', members: [ed, sue] }))
    app.run(pipe(sue, Session.appendThrough(labels, 'vip')))
    app.run(Session.commit)
    const shown = Session.gen(function* () {
      return {
        list: yield* pipe(team, Session.loadThrough(through(model.Team, 'members', labels))),
        dictionaries: yield* pipe(team, Session.loadThrough(through(model.Team, 'members', drawers))),
        groups: yield* pipe(team, Session.loadThrough(through(model.Team, 'roster', people))),
        options: yield* pipe(team, Session.loadThrough(through(model.Team, 'roster', bio))),
        members: yield* pipe(team, Session.loadThrough(through(model.Team, 'roster', 'taggings'))),
      }
    })
    const { members, ...others } = app.run(shown)
    expect(others).toEqual({
      list: ['new', 'vip', 'vip'],
      dictionaries: [shownAtFirst.drawers, new Map()],
      groups: new Map([
        ['ed', shownAtFirst.people],
        ['sue', new Map()],
      ]),
      options: new Map([['ed', 'a painter']]),
    })
    expect([...members].map(([name, { size }]) => [name, size])).toEqual([
      ['ed', 2],
      ['sue', 1],
    ])
  })

  test('has the form of the collections that it leads over', () => {
    expect(filled().run(all)).toEqual(shownAtFirst)
  })

  test('takes one statement for each relationship on its way', () => {
    const app = filled()
    const ed = found(app, model.User, 1)
    app.clear()
    expect(app.counted(pipe(ed, Session.loadThrough(drawers)))[1]).toHaveLength(2)
  })

  test('is empty where there is nothing, over a reference too', () => {
    const app = filled()
    const sue = found(app, model.User, 2)
    expect(app.run(pipe(sue, Session.loadThrough(drawers)))).toEqual(new Map())
    expect(app.run(pipe(sue, Session.loadThrough(boxes)))).toEqual({})
    expect(app.run(pipe(sue, Session.loadThrough(labels)))).toEqual(new Set())
    expect(app.run(pipe(sue, Session.loadThrough(bio)))).toEqual(none)
    const profile = app.run(Session.add(model.Profile, { bio: 'nobody', views: 0 }))
    expect(app.run(pipe(profile, Session.loadThrough(ownerDrawers)))).toEqual(new Map())
  })

  test('is viewed alike in snapshots', () => {
    const app = filled()
    const ed = app.run(
      pipe(
        select(model.User),
        where('name', '=', 'ed'),
        selectin('settings'),
        selectin('taggings', joined('tag')),
        selectin('credits'),
        selectin('drawers', selectin('values')),
        selectin('boxes', selectin('values')),
        joined('profile'),
        Session.one,
      ),
    )
    expect({
      settings: viewThrough(settings)(ed),
      labels: viewThrough(labels)(ed),
      people: viewThrough(people)(ed),
      drawers: viewThrough(drawers)(ed),
      boxes: viewThrough(boxes)(ed),
      bio: viewThrough(bio)(ed),
    }).toEqual({ ...shownAtFirst, owner: undefined, owned: undefined })
    expect(viewThrough(ownerDrawers)({ user: none })).toEqual(new Map())
  })
})

describe('by key', () => {
  test('a value is set on the link that is there, which keeps all else', () => {
    const app = filled()
    const ed = found(app, model.User, 1)
    app.run(pipe(ed, Session.setKeyThrough(settings, 'colour', 'blue')))
    app.run(pipe(ed, Session.setKeyThrough(settings, 'font', 'serif')))
    app.run(pipe(ed, Session.removeKeyThrough(settings, 'size')))
    expect(app.run(pipe(ed, Session.loadThrough(settings)))).toEqual(
      new Map([
        ['colour', 'blue'],
        ['font', 'serif'],
      ]),
    )
    app.run(Session.commit)
    expect(app.rows('settings')).toEqual([
      { id: 1, name: 'colour', value: 'blue', source: 'import', userId: 1 },
      { id: 3, name: 'font', value: 'serif', source: 'user', userId: 1 },
    ])
  })

  test('all is replaced, and only what differs is written', () => {
    const app = filled()
    const ed = found(app, model.User, 1)
    app.run(
      pipe(
        ed,
        Session.replaceThrough(
          settings,
          new Map([
            ['size', 'small'],
            ['font', 'serif'],
          ]),
        ),
      ),
    )
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update settings (1 row)
           #18: value = 'small' where id = 2
      2. insert into settings (1 row), after 1
           #19: name = 'font', value = 'serif', source = 'user', userId = 1; the database gives id
      3. delete from settings (1 row), after 1, 2
           #17: where id = 1"
    `)
    app.run(Session.commit)
    expect(app.rows('settings')).toMatchObject([
      { id: 2, name: 'size', value: 'small', source: 'import' },
      { id: 3, name: 'font', value: 'serif', source: 'user' },
    ])
  })

  test('a link that make gives another key is refused', () => {
    const app = filled()
    const wrong = through(model.User, 'settings', 'value', {
      make: (value) => ({ name: 'other', value, source: 'user' }),
    })
    expect(app.fails(pipe(found(app, model.User, 1), Session.setKeyThrough(wrong, 'font', 'serif')))).toMatchObject({
      _tag: 'InvalidValue',
      attribute: 'settings',
      problem: "make gives a link under 'other' for 'font'",
    })
  })

  test('what is not there cannot be taken away, and what is no dictionary cannot be put', () => {
    const app = filled()
    const ed = found(app, model.User, 1)
    expect(app.fails(pipe(ed, Session.removeKeyThrough(settings, 'font')))).toMatchObject({ value: 'font' })
    expect(app.fails(pipe(ed, Session.replaceThrough(settings, ['red'] as never)))).toMatchObject({
      _tag: 'InvalidValue',
      problem: 'what a proxy over it leads to is given as keyedBy(name) shows it',
    })
    expect(app.fails(pipe(ed, Session.replaceThrough(labels, 'new' as never)))).toMatchObject({
      problem: 'what a proxy over it leads to is given as an array or a set',
    })
  })
})

describe('a set', () => {
  test('has one link to what it has', () => {
    const app = filled()
    const ed = found(app, model.User, 1)
    app.run(pipe(ed, Session.appendThrough(labels, 'new', 'old', 'old')))
    expect(app.run(pipe(ed, Session.loadThrough(labels)))).toEqual(new Set(['new', 'vip', 'old']))
    app.run(Session.commit)
    expect(app.rows('taggings')).toHaveLength(3)
    app.run(pipe(ed, Session.replaceThrough(labels, ['vip', 'top', 'vip', 'top'])))
    app.run(Session.commit)
    expect(app.rows('taggings')).toMatchObject([{ id: 2 }, { id: 4 }])
  })

  test('keeps all links to what stays, and takes all away', () => {
    const app = filled()
    const ed = found(app, model.User, 1)
    app.run(pipe(ed, Session.append(model.User, 'taggings', { tag: found(app, model.Tag, 1) })))
    app.run(Session.commit)
    app.run(pipe(ed, Session.replaceThrough(labels, new Set(['new']))))
    app.run(Session.commit)
    expect(app.rows('taggings')).toMatchObject([{ id: 1 }, { id: 3 }])
    app.run(pipe(ed, Session.detachThrough(labels, 'new')))
    app.run(Session.commit)
    expect(app.rows('taggings')).toEqual([])
  })
})

describe('groups', () => {
  test('keep the links to those who stay in their group', () => {
    const app = filled()
    const ed = found(app, model.User, 1)
    const given = new Map([
      ['bass', ['bob']],
      ['drums', ['cid', 'bob']],
    ])
    app.run(pipe(ed, Session.replaceThrough(people, given)))
    expect(app.run(pipe(ed, Session.loadThrough(people)))).toEqual(given)
    app.run(Session.commit)
    expect(app.rows('credits')).toMatchObject([
      { id: 2, role: 'drums', person: 'bob', since: 2001 },
      { id: 3, role: 'drums', person: 'cid', since: 2002 },
      { id: 4, role: 'bass', person: 'bob', since: 2026 },
    ])
  })
})

const changedDrawers = new Map([
  ['b', new Set([7])],
  ['a', new Set([2, 3])],
  ['c', new Set([1])],
])

describe('a dictionary of sets of numbers', () => {
  test('is made of a value', () => {
    const app = filled()
    const sue = found(app, model.User, 2)
    app.run(pipe(sue, Session.replaceThrough(drawers, changedDrawers)))
    app.run(Session.commit)
    app.run(Session.expireAll)
    expect(app.run(pipe(sue, Session.loadThrough(drawers)))).toEqual(changedDrawers)
  })

  test('is replaced in depth, by what differs', () => {
    const app = filled()
    const ed = found(app, model.User, 1)
    app.run(pipe(ed, Session.replaceThrough(drawers, changedDrawers)))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. insert into drawers (1 row)
           #23: key = 'c', userId = 1; the database gives id
      2. insert into drawer_values (2 rows), after 1
           #21: value = 7, drawerId = 2; the database gives id
           #22: value = 3, drawerId = 1; the database gives id
      3. insert into drawer_values (1 row), after 1, 2
           #24: value = 1, drawerId = id of #23; the database gives id
      4. delete from drawer_values (1 row), after 1, 2, 3
           #19: where id = 1"
    `)
    app.run(Session.commit)
    app.run(Session.expireAll)
    expect(app.run(pipe(ed, Session.loadThrough(drawers)))).toEqual(changedDrawers)
  })

  test('takes no statement for each key', () => {
    const app = filled()
    const sue = found(app, model.User, 2)
    const many = new Map(Array.from({ length: 20 }, (_, i) => [`key ${i}`, new Set([i])]))
    app.run(pipe(sue, Session.replaceThrough(drawers, many)))
    app.run(Session.commit)
    app.run(Session.expireAll)
    const again = new Map([...many].map(([key, values]) => [key, new Set([...values, 99])]))
    const fresh = found(app, model.User, 2)
    const [, statements] = app.counted(pipe(fresh, Session.replaceThrough(drawers, again)))
    expect(statements).toHaveLength(2)
  })

  test('is changed by a function, a set that is not there yet too', () => {
    const app = filled()
    const ed = found(app, model.User, 1)
    const adding =
      (key: string, value: number) =>
      (shown: ReadonlyMap<string, ReadonlySet<number>>): ReadonlyMap<string, ReadonlySet<number>> =>
        new Map([...shown, [key, new Set([...(shown.get(key) ?? []), value])]])
    app.run(pipe(ed, Session.modifyThrough(drawers, adding('a', 5))))
    app.run(pipe(ed, Session.modifyThrough(drawers, adding('z', 1))))
    app.run(pipe(ed, Session.setKeyThrough(drawers, 'b', [4, 4])))
    app.run(Session.commit)
    app.run(Session.expireAll)
    expect(app.run(pipe(ed, Session.loadThrough(drawers)))).toEqual(
      new Map([
        ['a', new Set([1, 2, 5])],
        ['b', new Set([4])],
        ['z', new Set([1])],
      ]),
    )
    expect(app.rows('drawer_values')).toMatchObject([{ id: 1, value: 1 }, { id: 2, value: 2 }, {}, {}, {}])
  })
})

describe('over a reference', () => {
  test('a value is set on the link, or on one that is made', () => {
    const app = filled()
    const [ed, sue] = [found(app, model.User, 1), found(app, model.User, 2)]
    app.run(pipe(ed, Session.setThrough(bio, 'a writer')))
    app.run(pipe(sue, Session.setThrough(bio, 'a singer')))
    expect(app.run(pipe(sue, Session.loadThrough(bio)))).toEqual(some('a singer'))
    app.run(pipe(found(app, model.Profile, 1), Session.setThrough(ownerName, 'edward')))
    app.run(pipe(ed, Session.setThrough(badge, 'gold')))
    app.run(pipe(ed, Session.setThrough(badge, 'silver')))
    app.run(Session.commit)
    expect(app.rows('profiles')).toEqual([
      { id: 1, bio: 'a writer', views: 7, userId: 1 },
      { id: 2, bio: 'a singer', views: 0, userId: 2 },
    ])
    expect(app.rows('badges')).toEqual([{ id: 1, words: 'silver', profileId: 1 }])
    expect(app.rows('users')).toMatchObject([{ name: 'edward' }, { name: 'sue' }])
  })

  test('a proxy without make needs a link', () => {
    const app = filled()
    const profile = app.run(Session.add(model.Profile, { bio: 'nobody', views: 0 }))
    expect(app.fails(pipe(profile, Session.setThrough(ownerName, 'ann')))).toMatchObject({
      _tag: 'InvalidValue',
      entity: 'Profile',
      attribute: 'user',
      problem: 'there is no link to set it on, and the proxy has no make',
    })
  })

  test('what is there is changed by a function, and what a proxy of it leads to', () => {
    const app = filled()
    const [ed, sue] = [found(app, model.User, 1), found(app, model.User, 2)]
    const upper = Session.modifyThrough(bio, (words) => words.toUpperCase())
    app.run(pipe(ed, upper))
    app.run(pipe(sue, upper))
    expect(app.run(pipe(ed, Session.loadThrough(bio)))).toEqual(some('A PAINTER'))
    expect(app.run(pipe(sue, Session.loadThrough(bio)))).toEqual(none)
    const profile = found(app, model.Profile, 1)
    app.run(pipe(profile, Session.setThrough(ownerDrawers, changedDrawers)))
    expect(app.run(pipe(ed, Session.loadThrough(drawers)))).toEqual(changedDrawers)
  })
})

describe('laws', () => {
  const keys = fc.constantFrom('a', 'b', 'c', 'size', 'colour')
  const words = fc.constantFrom('red', 'blue', 'small')
  const byKey = <A>(values: fc.Arbitrary<A>): fc.Arbitrary<ReadonlyMap<string, A>> =>
    fc.uniqueArray(fc.tuple(keys, values), { maxLength: 4, selector: ([key]) => key }).map((all) => new Map(all))
  const sets = <A>(values: fc.Arbitrary<A>): fc.Arbitrary<ReadonlySet<A>> =>
    fc.array(values, { maxLength: 4 }).map((all) => new Set(all))

  /** A lens of the owner's: `stored` tells whether the database keeps what was put as it was, with its order. */
  interface Lens<A> {
    readonly given: fc.Arbitrary<A>
    readonly get: (app: App) => unknown
    readonly put: (app: App, whole: A) => void
    /** What was put, as it is shown. */
    readonly shown: (whole: A) => unknown
  }

  const ed = (app: App) => found(app, model.User, 1)
  const itself = (whole: unknown) => whole

  const lenses: Readonly<Record<string, Lens<never>>> = {
    'of values by key': {
      given: byKey(fc.option(words)),
      get: (app) => app.run(pipe(ed(app), Session.loadThrough(settings))),
      put: (app, whole) => app.run(pipe(ed(app), Session.replaceThrough(settings, whole))),
      shown: itself,
    } satisfies Lens<ReadonlyMap<string, string | null>>,
    'of a set': {
      given: sets(words),
      get: (app) => app.run(pipe(ed(app), Session.loadThrough(labels))),
      put: (app, whole) => app.run(pipe(ed(app), Session.replaceThrough(labels, whole))),
      shown: itself,
    } satisfies Lens<ReadonlySet<string>>,
    'of groups': {
      given: byKey(fc.array(words, { minLength: 1, maxLength: 3 })),
      get: (app) => app.run(pipe(ed(app), Session.loadThrough(people))),
      put: (app, whole) => app.run(pipe(ed(app), Session.replaceThrough(people, whole))),
      shown: itself,
    } satisfies Lens<ReadonlyMap<string, ReadonlyArray<string>>>,
    'of a dictionary of sets': {
      given: byKey(sets(fc.integer({ min: 0, max: 3 }))),
      get: (app) => app.run(pipe(ed(app), Session.loadThrough(drawers))),
      put: (app, whole) => app.run(pipe(ed(app), Session.replaceThrough(drawers, whole))),
      shown: itself,
    } satisfies Lens<ReadonlyMap<string, ReadonlySet<number>>>,
    'over a reference': {
      given: words,
      get: (app) => app.run(pipe(ed(app), Session.loadThrough(bio))),
      put: (app, whole) => app.run(pipe(ed(app), Session.setThrough(bio, whole))),
      shown: some,
    } satisfies Lens<string>,
  } as never

  for (const [name, { get, given, put, shown }] of Object.entries(lenses)) {
    const runs = { numRuns: 30 }

    test(`${name}: what was put is got, from the database too`, () => {
      fc.assert(
        fc.property(given, fc.boolean(), given, (first, isFlushed, second) => {
          const app = filled()
          for (const whole of [first, second]) {
            put(app, whole)
            expect(get(app)).toEqual(shown(whole))
            if (isFlushed) app.run(Session.flush)
          }
          app.run(Session.commit)
          app.run(Session.expungeAll)
          expect(ordered(get(app))).toEqual(ordered(shown(second)))
        }),
        runs,
      )
    })

    test(`${name}: to put what was got changes nothing`, () => {
      fc.assert(
        fc.property(given, fc.boolean(), (whole, isFlushed) => {
          const app = filled()
          put(app, whole)
          if (isFlushed) app.run(Session.flush)
          const before = explained(app)
          const got = get(app)
          put(app, ((got as { readonly value?: unknown }).value ?? got) as never)
          expect(explained(app)).toBe(before)
        }),
        runs,
      )
    })

    test(`${name}: of two puts the second counts`, () => {
      fc.assert(
        fc.property(given, given, (first, second) => {
          const [twice, once] = [filled(), filled()]
          put(twice, first)
          put(twice, second)
          put(once, second)
          expect(get(twice)).toEqual(get(once))
        }),
        runs,
      )
    })
  }

  test('to modify by functions one after the other is to modify by both, and by none nothing', () => {
    const doubled = (all: ReadonlyMap<string, ReadonlySet<number>>) =>
      new Map([...all].map(([key, values]) => [key, new Set([...values].map((value) => value * 2))]))
    const without = (dropped: string) => (all: ReadonlyMap<string, ReadonlySet<number>>) =>
      new Map([...all].filter(([key]) => key !== dropped))
    fc.assert(
      fc.property(byKey(sets(fc.integer({ min: 0, max: 3 }))), keys, (whole, dropped) => {
        const [stepwise, atOnce] = [filled(), filled()]
        for (const app of [stepwise, atOnce]) {
          app.run(pipe(ed(app), Session.replaceThrough(drawers, whole)))
          app.run(Session.commit)
        }
        const before = explained(stepwise)
        stepwise.run(
          pipe(
            ed(stepwise),
            Session.modifyThrough(drawers, (all) => all),
          ),
        )
        expect(explained(stepwise)).toBe(before)
        stepwise.run(pipe(ed(stepwise), Session.modifyThrough(drawers, doubled)))
        stepwise.run(pipe(ed(stepwise), Session.modifyThrough(drawers, without(dropped))))
        atOnce.run(
          pipe(
            ed(atOnce),
            Session.modifyThrough(drawers, (all) => without(dropped)(doubled(all))),
          ),
        )
        // but for the numbers of instances
        const written = (app: App) => explained(app).replaceAll(/#\d+/g, '#')
        expect(written(stepwise)).toBe(written(atOnce))
      }),
      { numRuns: 20 },
    )
  })

  /** Groups have an order that rows do not. */
  const ordered = (shown: unknown): unknown =>
    shown instanceof Map
      ? new Map(
          [...shown].map(([key, value]) => [
            key,
            Array.isArray(value) ? value.toSorted((a: string, b: string) => a.localeCompare(b)) : value,
          ]),
        )
      : shown
})

describe('on servers', () => {
  for (const { host, title, isMissing } of servers) {
    test.skipIf(isMissing)(`the same is shown and written on ${title}`, async () => {
      const app = await openOnServer(host, model)
      await app.run(fill)
      expect(await app.run(all)).toEqual(shownAtFirst)
      await app.run(
        Session.gen(function* () {
          const user = yield* pipe(select(model.User), where('name', '=', 'ed'), Session.one)
          yield* pipe(user, Session.replaceThrough(drawers, changedDrawers))
          yield* pipe(user, Session.setKeyThrough(settings, 'colour', 'blue'))
          yield* pipe(user, Session.removeKeyThrough(settings, 'size'))
          yield* pipe(user, Session.appendThrough(labels, 'old'))
          yield* pipe(user, Session.setThrough(bio, 'a writer'))
          yield* Session.commit
          yield* Session.expungeAll
        }),
      )
      expect(await app.run(all)).toMatchObject({
        settings: new Map([['colour', 'blue']]),
        labels: new Set(['new', 'vip', 'old']),
        drawers: changedDrawers,
        bio: some('a writer'),
      })
    })
  }
})
