import {
  defineModel,
  entity,
  generated,
  integer,
  named,
  nullable,
  primaryKey,
  type Snapshot,
  text,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import * as Option from 'fp-ts/lib/Option.js'
import { describe, expect, test } from 'vitest'
import { type App, explained, found, openOn, tablesAsked } from '../app.js'

const id = pipe(integer, primaryKey, generated)
const userId = pipe(integer, nullable, named('user_id'))

const User = entity('User', 'users', { id, name: text })
/** It stays when its user lets go of it. */
const Profile = entity('Profile', 'profiles', { id, bio: text, userId })
/** It does not. */
const Passport = entity('Passport', 'passports', { id, code: text, userId })
/** It does not know whose it is. */
const Locker = entity('Locker', 'lockers', { id, place: text, userId })

const model = defineModel({ User, Profile, Passport, Locker })((r) => ({
  User: {
    profile: r.User.hasOne('Profile', { foreignKey: 'userId', inverse: 'user' }),
    passport: r.User.hasOne('Passport', {
      foreignKey: 'userId',
      inverse: 'user',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
    }),
    locker: r.User.hasOne('Locker', { foreignKey: 'userId' }),
  },
  Profile: { user: r.Profile.belongsTo('User', { foreignKey: 'userId', inverse: 'profile' }) },
  Passport: { user: r.Passport.belongsTo('User', { foreignKey: 'userId', inverse: 'passport' }) },
}))

const profileOf = (app: App, user: Snapshot<'User'>): string | null =>
  pipe(
    app.run(Session.related(model.User, 'profile')(user)),
    Option.match(
      () => null,
      ({ bio }) => bio,
    ),
  )

const userOf = (app: App, profile: Snapshot<'Profile'>): string | null =>
  pipe(
    app.run(Session.related(model.Profile, 'user')(profile)),
    Option.match(
      () => null,
      ({ name }) => name,
    ),
  )

/** Ed has the profile `a`, wendy has `b`, and `c` is nobody's. All of it new, or known from the database. */
const arrange = (isLoaded: boolean) => {
  const app = openOn(model)
  const ed = app.run(Session.add(model.User, { name: 'ed' }))
  const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
  const a = app.run(Session.add(model.Profile, { bio: 'a', user: ed }))
  const b = app.run(Session.add(model.Profile, { bio: 'b', user: wendy }))
  const c = app.run(Session.add(model.Profile, { bio: 'c' }))
  if (isLoaded) {
    app.run(Session.commit)
    for (const user of [ed, wendy]) app.run(Session.load(model.User, 'profile')(user))
    for (const profile of [a, b, c]) app.run(Session.load(model.Profile, 'user')(profile))
    app.clear()
  }
  return { app, ed, wendy, a, b, c }
}

const holders = (app: App): ReadonlyArray<unknown> =>
  app.rows('profiles').map((row) => (row as { user_id: unknown }).user_id)

describe.each([
  ['new', false],
  ['known', true],
])('both sides of a has-one between %s instances stay in step', (_, isLoaded) => {
  test('when it is set', () => {
    const { app, ed, a, c } = arrange(isLoaded)
    app.run(Session.set(model.User, { profile: c })(ed))
    expect(profileOf(app, ed)).toBe('c')
    expect([userOf(app, a), userOf(app, c)]).toEqual([null, 'ed'])
    app.run(Session.commit)
    expect(holders(app)).toEqual([null, 2, 1])
  })

  test('when it is set to null', () => {
    const { app, ed, a } = arrange(isLoaded)
    app.run(Session.set(model.User, { profile: null })(ed))
    expect(profileOf(app, ed)).toBeNull()
    expect(userOf(app, a)).toBeNull()
    app.run(Session.commit)
    expect(holders(app)).toEqual([null, 2, null])
  })

  test('when it is set to a draft', () => {
    const { app, ed, a } = arrange(isLoaded)
    app.run(Session.set(model.User, { profile: { bio: 'd' } })(ed))
    expect(profileOf(app, ed)).toBe('d')
    expect(userOf(app, a)).toBeNull()
    app.run(Session.commit)
    expect(holders(app)).toEqual([null, 2, null, 1])
  })

  test('when the reference is set', () => {
    const { app, ed, c } = arrange(isLoaded)
    app.run(Session.set(model.Profile, { user: ed })(c))
    expect(profileOf(app, ed)).toBe('c')
    expect(userOf(app, c)).toBe('ed')
    if (isLoaded) {
      app.run(Session.commit)
      expect(holders(app)).toEqual([null, 2, 1])
    }
  })

  test('when the reference is set to null', () => {
    const { app, ed, a } = arrange(isLoaded)
    app.run(Session.set(model.Profile, { user: null })(a))
    expect(profileOf(app, ed)).toBeNull()
    expect(userOf(app, a)).toBeNull()
    app.run(Session.commit)
    expect(holders(app)).toEqual([null, 2, null])
  })

  test('when it goes and comes back, which is no change', () => {
    const { app, ed, a } = arrange(isLoaded)
    app.run(Session.set(model.User, { profile: null })(ed))
    app.run(Session.set(model.Profile, { user: ed })(a))
    expect(profileOf(app, ed)).toBe('a')
    expect(userOf(app, a)).toBe('ed')
    expect(app.store.getState().changed.size).toBe(0)
    app.run(Session.commit)
    expect(holders(app)).toEqual([1, 2, null])
  })

  test('when two owners swap what they have', () => {
    const { app, ed, wendy, a, b } = arrange(isLoaded)
    app.run(Session.set(model.User, { profile: b })(ed))
    app.run(Session.set(model.User, { profile: a })(wendy))
    expect([profileOf(app, ed), profileOf(app, wendy)]).toEqual(['b', 'a'])
    expect([userOf(app, a), userOf(app, b)]).toEqual(['wendy', 'ed'])
    app.run(Session.commit)
    expect(holders(app)).toEqual([2, 1, null])
  })
})

describe('what is taken from another', () => {
  test('belongs to who took it, and the other says that it has it until it is loaded again', () => {
    const { app, ed, wendy, b } = arrange(true)
    app.run(Session.set(model.User, { profile: b })(ed))
    expect(userOf(app, b)).toBe('ed')
    expect([profileOf(app, ed), profileOf(app, wendy)]).toEqual(['b', 'b'])
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update profiles (2 rows)
           #2: userId = null where id = 1
           #3: userId = 1 where id = 2"
    `)
    app.run(Session.commit)
    expect(holders(app)).toEqual([null, 1, null])
    app.run(Session.load(model.User, 'profile')(wendy))
    expect(profileOf(app, wendy)).toBeNull()
  })

  test('leaves what its new owner had, where the reference took it there', () => {
    const { app, ed, wendy, a, b } = arrange(true)
    app.run(Session.set(model.Profile, { user: ed })(b))
    expect([profileOf(app, ed), profileOf(app, wendy)]).toEqual(['b', null])
    expect(userOf(app, b)).toBe('ed')
    // setting one side sets the other, and goes no further
    expect(userOf(app, a)).toBe('ed')
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update profiles (2 rows)
           #2: userId = null where id = 1
           #3: userId = 1 where id = 2"
    `)
    app.run(Session.commit)
    expect(holders(app)).toEqual([null, 1, null])
    expect(userOf(app, app.run(Session.read(model.Profile)(a)))).toBeNull()
  })

  test('stays with who took it when the other lets go of it', () => {
    const { app, ed, wendy, b } = arrange(true)
    app.run(Session.set(model.User, { profile: b })(ed))
    app.run(Session.flush)
    expect(profileOf(app, wendy)).toBe('b')
    app.run(Session.set(model.User, { profile: null })(wendy))
    expect(userOf(app, b)).toBe('ed')
    app.run(Session.commit)
    expect(holders(app)).toEqual([null, 1, null])
  })

  test('stays with who took it when the other is removed', () => {
    const { app, ed, wendy, b } = arrange(true)
    app.run(Session.set(model.User, { profile: b })(ed))
    app.run(Session.flush)
    app.run(Session.set(model.User, { profile: null })(wendy))
    app.run(Session.remove(model.User)(wendy))
    app.run(Session.commit)
    expect(holders(app)).toEqual([null, 1, null])
    expect(app.rows('users')).toHaveLength(1)
  })
})

describe('a has-one that is not loaded', () => {
  const arrangeUnloaded = () => {
    const arranged = arrange(false)
    arranged.app.run(Session.commit)
    arranged.app.clear()
    return arranged
  }

  test('is set without asking, and the flush loads what it held', () => {
    const { app, ed, c } = arrangeUnloaded()
    app.run(Session.set(model.User, { profile: c })(ed))
    expect(app.asked()).toEqual([])
    expect(app.run(Session.flush)).toMatchObject({ updated: 2 })
    expect(tablesAsked(app)).toEqual(['select profiles', 'Update profiles 2'])
    expect(holders(app)).toEqual([null, 2, 1])
  })

  test('is set to null without asking, and the flush loads what it held', () => {
    const { app, ed, wendy } = arrangeUnloaded()
    app.run(Session.set(model.User, { profile: null })(ed))
    app.run(Session.set(model.User, { profile: null })(wendy))
    expect(app.asked()).toEqual([])
    app.run(Session.flush)
    // of both owners at once
    expect(tablesAsked(app)).toEqual(['select profiles', 'Update profiles 2'])
    expect(holders(app)).toEqual([null, null, null])
  })

  test('is set to what it holds already, and the flush finds nothing to write', () => {
    const { app, ed, a } = arrangeUnloaded()
    app.run(Session.read(model.User)(ed))
    app.run(Session.read(model.Profile)(a))
    app.run(Session.set(model.User, { profile: a })(ed))
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
  })

  test('loses what the reference takes away', () => {
    const { app, a } = arrangeUnloaded()
    app.run(Session.set(model.Profile, { user: null })(a))
    app.run(Session.commit)
    expect(holders(app)).toEqual([null, 2, null])
  })

  test('gives way to what the reference brings', () => {
    const { app, ed, c } = arrangeUnloaded()
    app.run(Session.set(model.Profile, { user: ed })(c))
    app.run(Session.commit)
    expect(holders(app)).toEqual([null, 2, 1])
  })

  test('is loaded as an option, by one statement', () => {
    const { app, ed } = arrangeUnloaded()
    const lonely = app.run(Session.add(model.User, { name: 'jack' }))
    app.run(Session.commit)
    const [one, statements] = app.counted(Session.load(model.User, 'profile')(ed))
    expect(one).toMatchObject({ _tag: 'Some', value: { id: 1, bio: 'a', userId: 1 } })
    expect(statements).toHaveLength(1)
    expect(app.counted(Session.load(model.User, 'profile')(ed))).toEqual([one, []])
    expect(app.run(Session.load(model.User, 'profile')(lonely))).toEqual({ _tag: 'None' })
    expect(app.counted(Session.load(model.User, 'profile')(lonely))).toEqual([{ _tag: 'None' }, []])
  })

  test('cannot be looked at', () => {
    const { app, ed } = arrangeUnloaded()
    expect(app.fails(Session.related(model.User, 'profile')(ed))).toEqual({
      _tag: 'NotLoaded',
      entity: 'User',
      key: 1,
      attribute: 'profile',
    })
  })
})

describe('a has-one with the delete-orphan cascade', () => {
  const arrangePassports = (isLoaded: boolean) => {
    const app = openOn(model)
    const ed = app.run(Session.add(model.User, { name: 'ed', passport: { code: 'a' } }))
    const wendy = app.run(Session.add(model.User, { name: 'wendy', passport: { code: 'b' } }))
    const codes = app.run(Session.traverseArray(Session.related(model.User, 'passport'))([ed, wendy]))
    app.run(Session.commit)
    if (isLoaded) for (const user of [ed, wendy]) app.run(Session.load(model.User, 'passport')(user))
    const [a, b] = codes.flatMap((one) => (one._tag === 'Some' ? [one.value] : []))
    app.clear()
    return { app, ed, wendy, a: a as Snapshot<'Passport'>, b: b as Snapshot<'Passport'> }
  }

  test.each([true, false])('deletes what is replaced (loaded before: %s)', (isLoaded) => {
    const { app, ed } = arrangePassports(isLoaded)
    app.run(Session.set(model.User, { passport: { code: 'c' } })(ed))
    expect(explained(app)).toBe(
      [
        '1. insert into passports (1 row)',
        "     #4: code = 'c', userId = 1; the database gives id",
        '2. delete from passports (1 row), after 1',
        '     #1: where id = 1',
      ].join('\n'),
    )
    app.run(Session.commit)
    expect(app.rows('passports')).toEqual([
      { id: 2, code: 'b', user_id: 2 },
      { id: 3, code: 'c', user_id: 1 },
    ])
  })

  test.each([true, false])('deletes what is set to null (loaded before: %s)', (isLoaded) => {
    const { app, ed, a } = arrangePassports(isLoaded)
    app.run(Session.set(model.User, { passport: null })(ed))
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 1, notices: [] })
    expect(app.rows('passports')).toMatchObject([{ code: 'b' }])
    expect(Session.inspect(app.store.getState(), a)).toMatchObject({ status: 'detached' })
  })

  test('deletes what is told that it belongs to nobody', () => {
    const { app, ed, a } = arrangePassports(true)
    app.run(Session.set(model.Passport, { user: null })(a))
    expect(app.run(Session.related(model.User, 'passport')(ed))).toEqual({ _tag: 'None' })
    app.run(Session.commit)
    expect(app.rows('passports')).toMatchObject([{ code: 'b' }])
  })

  test.each([true, false])('keeps what two owners swap (loaded before: %s)', (isLoaded) => {
    const { app, ed, wendy, a, b } = arrangePassports(isLoaded)
    app.run(Session.set(model.User, { passport: b })(ed))
    app.run(Session.set(model.User, { passport: a })(wendy))
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 2, deleted: 0, notices: [] })
    expect(app.rows('passports')).toMatchObject([{ user_id: 2 }, { user_id: 1 }])
  })

  test('deletes what gives way to one that is taken from another', () => {
    const { app, ed, b } = arrangePassports(true)
    app.run(Session.set(model.User, { passport: b })(ed))
    app.run(Session.commit)
    expect(app.rows('passports')).toEqual([{ id: 2, code: 'b', user_id: 1 }])
  })

  test('deletes what gives way to one that the reference brings', () => {
    const { app, ed, b } = arrangePassports(true)
    app.run(Session.set(model.Passport, { user: ed })(b))
    app.run(Session.commit)
    expect(app.rows('passports')).toEqual([{ id: 2, code: 'b', user_id: 1 }])
  })

  test('does not insert what is pending and given up', () => {
    const { app, ed } = arrangePassports(true)
    app.run(Session.set(model.User, { passport: { code: 'c' } })(ed))
    const c = app.run(Session.related(model.User, 'passport')(ed))
    if (c._tag === 'None') throw new Error('no passport')
    app.run(Session.set(model.User, { passport: { code: 'd' } })(ed))
    expect(Session.inspect(app.store.getState(), c.value)).toMatchObject({ status: 'transient' })
    app.run(Session.commit)
    expect(app.rows('passports')).toMatchObject([{ code: 'b' }, { code: 'd', user_id: 1 }])
  })

  test('inserts what is pending and was taken by another before it is given up', () => {
    const { app, ed, wendy } = arrangePassports(true)
    app.run(Session.set(model.User, { passport: { code: 'c' } })(ed))
    const c = app.run(Session.related(model.User, 'passport')(ed))
    if (c._tag === 'None') throw new Error('no passport')
    app.run(Session.set(model.User, { passport: c.value })(wendy))
    app.run(Session.set(model.User, { passport: null })(ed))
    app.run(Session.commit)
    expect(app.rows('passports')).toMatchObject([{ code: 'c', user_id: 2 }])
  })

  test('goes with its owner', () => {
    const { app, ed } = arrangePassports(false)
    app.run(Session.remove(model.User)(ed))
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 2, notices: [] })
    expect(app.rows('passports')).toMatchObject([{ code: 'b' }])
  })
})

describe('a has-one whose owner goes', () => {
  test.each([true, false])('loses its foreign key (loaded before: %s)', (isLoaded) => {
    const { app, ed, a } = arrange(isLoaded)
    app.run(Session.commit)
    if (isLoaded) app.run(Session.load(model.User, 'profile')(ed))
    app.run(Session.remove(model.User)(ed))
    expect(explained(app)).toBe(
      [
        '1. update profiles (1 row)',
        '     #2: userId = null where id = 1',
        '2. delete from users (1 row), after 1',
        '     #0: where id = 1',
      ].join('\n'),
    )
    app.run(Session.commit)
    expect(app.run(Session.read(model.Profile)(a))).toMatchObject({ userId: null })
  })

  test('keeps its foreign key where it went to another owner', () => {
    const { app, ed, wendy, a } = arrange(true)
    app.run(Session.set(model.User, { profile: a })(wendy))
    app.run(Session.remove(model.User)(ed))
    app.run(Session.commit)
    expect(holders(app)).toEqual([2, null, null])
  })
})

describe('a has-one in a draft', () => {
  test('is made with its owner, and each refers to the other', () => {
    const app = openOn(model)
    const ed = app.run(
      Session.add(model.User, { name: 'ed', profile: { bio: 'a' }, passport: { code: 'x' }, locker: { place: 'l' } }),
    )
    expect(profileOf(app, ed)).toBe('a')
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. insert into users (1 row)
           #0: name = 'ed'; the database gives id
      2. insert into profiles (1 row), after 1
           #3: bio = 'a', userId = id of #0; the database gives id
      3. insert into passports (1 row), after 1
           #2: code = 'x', userId = id of #0; the database gives id
      4. insert into lockers (1 row), after 1
           #1: place = 'l', userId = id of #0; the database gives id"
    `)
    app.run(Session.flush)
    expect(app.rows('profiles')).toEqual([{ id: 1, bio: 'a', user_id: 1 }])
    expect(app.rows('lockers')).toEqual([{ id: 1, place: 'l', user_id: 1 }])
    expect(app.counted(Session.read(model.Profile)(found(app, model.Profile, 1)))[0]).toMatchObject({ userId: 1 })
  })

  test('may be an instance, which its owner before gives up', () => {
    const { app, ed, a } = arrange(true)
    const jack = app.run(Session.add(model.User, { name: 'jack', profile: a }))
    expect(profileOf(app, jack)).toBe('a')
    expect(userOf(app, a)).toBe('jack')
    app.run(Session.commit)
    expect(holders(app)).toEqual([3, 2, null])
    app.run(Session.load(model.User, 'profile')(ed))
    expect(profileOf(app, ed)).toBeNull()
  })

  test('may lead to its owner', () => {
    const app = openOn(model)
    const a = app.run(Session.add(model.Profile, { bio: 'a', user: { name: 'ed', passport: { code: 'x' } } }))
    const ed = app.run(Session.related(model.Profile, 'user')(a))
    if (ed._tag === 'None') throw new Error('no user')
    expect(profileOf(app, ed.value)).toBe('a')
    app.run(Session.commit)
    expect(app.rows('passports')).toEqual([{ id: 1, code: 'x', user_id: 1 }])
    expect(holders(app)).toEqual([1])
  })

  test('may be null, and the owner holds nothing', () => {
    const app = openOn(model)
    const ed = app.run(Session.add(model.User, { name: 'ed', profile: null }))
    expect(profileOf(app, ed)).toBeNull()
    expect(app.run(Session.commit)).toMatchObject({ inserted: 1 })
  })

  test('is nothing where it is left out, without asking', () => {
    const app = openOn(model)
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    expect(app.counted(Session.load(model.User, 'profile')(ed))).toEqual([{ _tag: 'None' }, []])
  })
})

describe('merging a has-one', () => {
  const merged = (draft: Parameters<typeof Session.merge<typeof model, 'User'>>[1]) => {
    const { app } = arrange(false)
    app.run(Session.commit)
    app.run(Session.expungeAll)
    const ed = app.run(Session.merge(model.User, draft))
    const shown = app.run(Session.load(model.User, 'profile')(ed))
    app.run(Session.commit)
    return { app, shown, profiles: app.rows('profiles') }
  }

  test('changes the one that it has', () => {
    const { shown, profiles } = merged({ id: 1, name: 'ed', profile: { id: 1, bio: 'x' } })
    expect(shown).toMatchObject({ value: { id: 1, bio: 'x', userId: 1 } })
    expect(profiles).toMatchObject([{ bio: 'x', user_id: 1 }, { user_id: 2 }, { user_id: null }])
  })

  test('puts another in its place, which is new where it has no key', () => {
    const { profiles } = merged({ id: 1, name: 'ed', profile: { bio: 'x' } })
    expect(profiles).toEqual([
      { id: 1, bio: 'a', user_id: null },
      { id: 2, bio: 'b', user_id: 2 },
      { id: 3, bio: 'c', user_id: null },
      { id: 4, bio: 'x', user_id: 1 },
    ])
  })

  test('takes it from whom it belongs to', () => {
    const { profiles } = merged({ id: 1, name: 'ed', profile: { id: 2, bio: 'b' } })
    expect(profiles).toMatchObject([{ user_id: null }, { user_id: 1 }, { user_id: null }])
  })

  test('gives it up where it is null, and leaves it alone where it is left out', () => {
    expect(merged({ id: 1, name: 'ed', profile: null }).profiles).toMatchObject([
      { user_id: null },
      { user_id: 2 },
      { user_id: null },
    ])
    expect(merged({ id: 1, name: 'ed' }).profiles).toMatchObject([{ user_id: 1 }, { user_id: 2 }, { user_id: null }])
  })

  test('deletes the orphan that it leaves', () => {
    const app = openOn(model)
    app.run(Session.add(model.User, { name: 'ed', passport: { code: 'a' } }))
    app.run(Session.commit)
    app.run(Session.expungeAll)
    app.run(Session.merge(model.User, { id: 1, name: 'ed', passport: { code: 'b' } }))
    app.run(Session.commit)
    expect(app.rows('passports')).toEqual([{ id: 2, code: 'b', user_id: 1 }])
  })
})

describe('a has-one without inverse', () => {
  const arrangeLockers = () => {
    const app = openOn(model)
    const ed = app.run(Session.add(model.User, { name: 'ed', locker: { place: 'a' } }))
    const wendy = app.run(Session.add(model.User, { name: 'wendy', locker: { place: 'b' } }))
    app.run(Session.commit)
    return { app, ed, wendy, a: found(app, model.Locker, 1), b: found(app, model.Locker, 2) }
  }
  const lockers = (app: App) => app.rows('lockers').map((row) => (row as { user_id: unknown }).user_id)

  test('is replaced, and the one before it is loaded by the flush and let go', () => {
    const { app, ed } = arrangeLockers()
    app.run(Session.set(model.User, { locker: { place: 'c' } })(ed))
    app.run(Session.commit)
    expect(lockers(app)).toEqual([null, 2, 1])
  })

  test('is set to null', () => {
    const { app, ed } = arrangeLockers()
    app.run(Session.set(model.User, { locker: null })(ed))
    app.run(Session.commit)
    expect(lockers(app)).toEqual([null, 2])
  })

  test('is taken from another', () => {
    const { app, ed, b } = arrangeLockers()
    app.run(Session.set(model.User, { locker: b })(ed))
    app.run(Session.commit)
    expect(lockers(app)).toEqual([null, 1])
  })

  test('is swapped', () => {
    const { app, ed, wendy, a, b } = arrangeLockers()
    app.run(Session.set(model.User, { locker: b })(ed))
    app.run(Session.set(model.User, { locker: a })(wendy))
    app.run(Session.commit)
    expect(lockers(app)).toEqual([2, 1])
  })

  test.each([true, false])('is handed on by an owner that goes (flushed in between: %s)', (autoflush) => {
    const { app, ed, wendy, a } = arrangeLockers()
    app.run(Session.load(model.User, 'locker')(ed))
    const handOn = Session.gen(function* () {
      yield* Session.set(model.User, { locker: a })(wendy)
      yield* Session.remove(model.User)(ed)
    })
    app.run(autoflush ? handOn : Session.noAutoflush(handOn))
    app.run(Session.commit)
    expect(lockers(app)).toEqual([2, null])
  })
})

describe('what a has-one refuses', () => {
  test('a value that is no instance', () => {
    const { app, ed } = arrange(true)
    expect(app.fails(Session.set(model.User, { profile: 7 as never })(ed))).toEqual({
      _tag: 'InvalidValue',
      entity: 'User',
      attribute: 'profile',
      value: 7,
      problem: 'a draft or an instance of Profile is needed',
    })
  })

  test('an instance of another entity', () => {
    const { app, ed, wendy } = arrange(true)
    expect(app.fails(Session.set(model.User, { profile: wendy as never })(ed))).toEqual({
      _tag: 'NotInSession',
      entity: 'Profile',
    })
  })

  test('being changed as a collection', () => {
    const { app, ed, c } = arrange(true)
    // @ts-expect-error a has-one is no collection
    expect(app.fails(Session.append(model.User, 'profile', c)(ed))).toMatchObject({
      _tag: 'InvalidValue',
      entity: 'User',
      problem: 'User has no collection of that name',
    })
  })

  test('a draft with a wrong value, and nothing has changed', () => {
    const { app, ed } = arrange(true)
    const before = app.store.getState()
    expect(app.fails(Session.set(model.User, { profile: { bio: 1 as never } })(ed))).toMatchObject({
      _tag: 'InvalidValue',
      entity: 'Profile',
      attribute: 'bio',
    })
    expect(app.store.getState()).toBe(before)
  })
})
