import {
  any,
  asSet,
  defineModel,
  entity,
  generated,
  groupedBy,
  has,
  integer,
  join,
  keyedBy,
  type Managed,
  orderBy,
  primaryKey,
  recordBy,
  select,
  selectin,
  selectRows,
  text,
  through,
  valueThrough,
  viewThrough,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import type { Option } from 'fp-ts/lib/Option.js'
import { expectTypeOf, test } from 'vitest'

const id = pipe(integer, primaryKey, generated)
const User = entity('User', 'users', { id, name: text })
const Setting = entity('Setting', 'settings', { id, name: text, rank: integer, value: text, userId: integer })
const Profile = entity('Profile', 'profiles', { id, bio: text, userId: integer })
const Drawer = entity('Drawer', 'drawers', { id, key: text, userId: integer })
const Value = entity('Value', 'drawer_values', { id, value: integer, drawerId: integer })

const model = defineModel({ User, Setting, Profile, Drawer, Value })((r) => ({
  User: {
    settings: r.User.hasMany('Setting', { foreignKey: 'userId', collection: keyedBy('rank') }),
    named: r.User.hasMany('Setting', { foreignKey: 'userId', collection: recordBy('name'), viewonly: true }),
    kinds: r.User.hasMany('Setting', { foreignKey: 'userId', collection: groupedBy('rank'), viewonly: true }),
    profile: r.User.hasOne('Profile', { foreignKey: 'userId', inverse: 'user' }),
    drawers: r.User.hasMany('Drawer', { foreignKey: 'userId', collection: keyedBy('key') }),
  },
  Profile: { user: r.Profile.belongsTo('User', { foreignKey: 'userId', inverse: 'profile' }) },
  Drawer: { values: r.Drawer.hasMany('Value', { foreignKey: 'drawerId', collection: asSet }) },
}))

type M = typeof model
declare const user: Managed<M, 'User'>
declare const app: Session.Runtime

type ValueOf<P> = P extends Session.Program<unknown, infer A> ? A : never

const settings = through(model.User, 'settings', 'value', {
  make: (value, rank) => {
    expectTypeOf(value).toEqualTypeOf<string>()
    expectTypeOf(rank).toEqualTypeOf<number>()
    return { value, rank, name: value }
  },
})
const named = through(model.User, 'named', 'rank')
const kinds = through(model.User, 'kinds', 'value', {
  make: (value, rank) => {
    expectTypeOf(rank).toEqualTypeOf<number>()
    return { value, rank, name: value }
  },
})
const numbers = through(model.Drawer, 'values', 'value', { make: (value) => ({ value }) })
const drawers = through(model.User, 'drawers', numbers, {
  make: (values, key) => {
    expectTypeOf(values).toEqualTypeOf<ReadonlyArray<number> | ReadonlySet<number>>()
    expectTypeOf(key).toEqualTypeOf<string>()
    return { key, values: [...values].map((value) => ({ value })) }
  },
})
const bio = through(model.User, 'profile', 'bio', { make: (words) => ({ bio: words }) })
const userDrawers = through(model.User, 'drawers', 'values')

test('has the form of the collections that it leads over', () => {
  const shown = {
    settings: pipe(user, Session.loadThrough(settings)),
    named: pipe(user, Session.loadThrough(named)),
    kinds: pipe(user, Session.loadThrough(kinds)),
    drawers: pipe(user, Session.loadThrough(drawers)),
    members: pipe(user, Session.loadThrough(userDrawers)),
    bio: pipe(user, Session.loadThrough(bio)),
  }
  type Shown = { readonly [K in keyof typeof shown]: ValueOf<(typeof shown)[K]> }
  expectTypeOf<Shown>().toEqualTypeOf<{
    readonly settings: ReadonlyMap<number, string>
    readonly named: Readonly<Record<string, number>>
    readonly kinds: ReadonlyMap<number, ReadonlyArray<string>>
    readonly drawers: ReadonlyMap<string, ReadonlySet<number>>
    readonly members: ReadonlyMap<string, ReadonlySet<Managed<M, 'Value'>>>
    readonly bio: Option<string>
  }>()
})

test('is viewed in snapshots that have all of it', () => {
  const found = Session.runSync(app)(pipe(select(model.User), selectin('drawers', selectin('values')), Session.query))
  if (found._tag === 'Right') {
    expectTypeOf(found.right.map(viewThrough(drawers))).toEqualTypeOf<ReadonlyMap<string, ReadonlySet<number>>[]>()
  }
  const shallow = Session.runSync(app)(pipe(select(model.User), selectin('drawers'), Session.query))
  // @ts-expect-error its values are not loaded
  if (shallow._tag === 'Right') shallow.right.map(viewThrough(drawers))
})

test('is changed as what it shows', () => {
  pipe(user, Session.replaceThrough(settings, new Map([[1, 'red']])))
  pipe(user, Session.replaceThrough(drawers, new Map([['a', [1, 2]]])))
  pipe(user, Session.setKeyThrough(drawers, 'a', new Set([1])))
  pipe(user, Session.removeKeyThrough(settings, 1))
  pipe(user, Session.setThrough(bio, 'a painter'))
  pipe(
    user,
    Session.modifyThrough(bio, (words) => words.trim()),
    Session.chain(
      Session.modifyThrough(settings, (all) => {
        expectTypeOf(all).toEqualTypeOf<ReadonlyMap<number, string>>()
        return all
      }),
    ),
  )
  // @ts-expect-error its keys are numbers
  pipe(user, Session.setKeyThrough(settings, 'one', 'red'))
  // @ts-expect-error its values are texts
  pipe(user, Session.setKeyThrough(settings, 1, 2))
  // @ts-expect-error what is kept by key has no end to append to
  pipe(user, Session.appendThrough(settings, 'red'))
  // @ts-expect-error groups have several under a key
  pipe(user, Session.setKeyThrough(kinds, 1, 'red'))
  // @ts-expect-error it leads over many links
  pipe(user, Session.setThrough(settings, new Map([[1, 'red']])))
  // @ts-expect-error it leads over one link
  pipe(user, Session.replaceThrough(bio, 'a painter'))
  // @ts-expect-error nobody knows how to make its links
  pipe(user, Session.replaceThrough(named, { red: 1 }))
  const same = <A>(shown: A): A => shown
  // @ts-expect-error nor for a function
  pipe(user, Session.modifyThrough(named, same))
})

test('is asked for, of the entity and of aliases', () => {
  const users = select(model.User)
  const joined = pipe(select(model.Profile), join('user', 'u'))
  pipe(joined, where(any('u', drawers, where('value', '>', 1))))
  pipe(
    joined,
    where((eb) => eb.or([has(eb, 'u', bio), any(eb, 'u', named, where('rank', '=', 1))])),
  )
  pipe(users, where(has(bio, where('bio', '=', 'a painter'))))
  // @ts-expect-error it leads to many
  pipe(users, where(has(drawers)))
  // @ts-expect-error the alias is of another entity
  pipe(joined, where(any('u', numbers)))
  // @ts-expect-error no such alias
  pipe(joined, where(any('p', drawers)))
})

test('is a value of a query over references', () => {
  const rows = pipe(
    select(model.User),
    where((eb) => eb(valueThrough(eb, bio), '=', 'a painter')),
    orderBy((eb) => valueThrough(eb, bio), 'desc'),
    selectRows((q) => ({ name: q.ref('name'), bio: valueThrough(q, bio) })),
    Session.rows,
  )
  expectTypeOf<ValueOf<typeof rows>>().toEqualTypeOf<
    ReadonlyArray<{ readonly name: string; readonly bio: string | null }>
  >()
  pipe(
    select(model.Profile),
    join('user', 'u'),
    where((eb) => eb(valueThrough(eb, 'u', bio), 'is', null)),
  )
  pipe(
    select(model.User),
    // @ts-expect-error it is a text
    where((eb) => eb(valueThrough(eb, bio), '=', 1)),
  )
  pipe(
    select(model.User),
    // @ts-expect-error it leads to many
    orderBy((eb) => valueThrough(eb, named)),
  )
  const entities = through(model.Profile, 'user', 'profile')
  pipe(
    select(model.Profile),
    // @ts-expect-error it shows an entity
    orderBy((eb) => valueThrough(eb, entities)),
  )
})
