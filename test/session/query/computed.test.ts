import {
  boolean,
  computed,
  computedValue,
  defineModel,
  entity,
  generated,
  instant,
  integer,
  join,
  mysqlDialect,
  nullable,
  orderBy,
  primaryKey,
  select,
  selectRows,
  set,
  sqliteDialect,
  text,
  update,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { isRight, right } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { openOn } from '../app.js'
import { openOnServer, servers } from '../server-app.js'

const id = pipe(integer, primaryKey, generated)

const User = entity('User', 'users', {
  id,
  first: text,
  last: text,
  nickname: pipe(text, nullable),
  age: integer,
  seen: instant,
})
const Post = entity('Post', 'posts', { id, title: text, age: integer, userId: integer })

const model = defineModel({ User, Post })((r) => ({
  User: { posts: r.User.hasMany('Post', { foreignKey: 'userId', inverse: 'user' }) },
  Post: { user: r.Post.belongsTo('User', { foreignKey: 'userId', inverse: 'posts' }) },
}))

const fullName = computed(model.User, text, (eb) => eb.fn('concat', ['first', eb.val(' '), 'last']))
const isAdult = computed(model.User, boolean, (eb) => eb('age', '>=', 18))
const shownAs = computed(model.User, text, (eb) => eb.fn.coalesce('nickname', fullName(eb)))
const turning = computed(model.User, integer, (eb) => eb('age', '+', 1))
const lastSeen = computed(model.User, instant, (eb) => eb.ref('seen'))
const initial = computed(model.User, text, () => sql`substr(first, 1, 1)`, { value: ({ first }) => first.slice(0, 1) })

const seen = new Date('2026-01-02T03:04:05.678Z')

const fill = Session.gen(function* () {
  yield* Session.addAll(model.User, [
    { first: 'Ed', last: 'Jones', nickname: 'eddie', age: 41, seen, posts: [{ title: 'one', age: 3 }] },
    { first: 'Wendy', last: 'Adams', age: 17, seen },
  ])
  yield* Session.commit
})

const asked = Session.gen(function* () {
  const eds = yield* pipe(
    select(model.User),
    where((eb) => eb(fullName(eb), '=', 'Ed Jones')),
    Session.query,
  )
  const adults = yield* pipe(
    select(model.User),
    where((eb) => isAdult(eb)),
    Session.query,
  )
  const doubled = yield* pipe(
    select(model.User),
    where((eb) => eb(eb(turning(eb), '*', 2), '=', 36)),
    Session.query,
  )
  const ordered = yield* pipe(
    select(model.User),
    orderBy((eb) => shownAs(eb)),
    Session.query,
  )
  const joinedOnes = yield* pipe(
    select(model.User),
    join('posts', 'p'),
    where((eb) => eb.and([isAdult(eb), eb(turning(eb), '>', eb.ref('p.age'))])),
    Session.query,
  )
  const rows = yield* pipe(
    select(model.User),
    selectRows((q) => ({
      user: q.entity(),
      name: q.computed(fullName),
      isAdult: q.computed(isAdult),
      turning: turning(q),
      initial: q.computed(initial),
      seen: q.computed(lastSeen),
    })),
    orderBy((eb) => turning(eb)),
    Session.rows,
  )
  return {
    eds: eds.map(({ first }) => first),
    adults: adults.map(({ first }) => first),
    doubled: doubled.map(({ first }) => first),
    ordered: ordered.map(({ first }) => first),
    joined: joinedOnes.map(({ first }) => first),
    rows,
  }
})

const answers = {
  eds: ['Ed'],
  adults: ['Ed'],
  doubled: ['Wendy'],
  joined: ['Ed'],
  rows: [
    { name: 'Wendy Adams', isAdult: false, turning: 18, initial: 'W', seen },
    { name: 'Ed Jones', isAdult: true, turning: 42, initial: 'E', seen },
  ],
}

type FoundBy<P> = P extends Session.Program<unknown, infer A> ? A : never

/** What each row says of its user has to be what the user says of itself. */
const agrees = ({ rows }: FoundBy<typeof asked>): void => {
  for (const { initial: first, isAdult: adult, name, seen: at, turning: next, user } of rows) {
    expect(computedValue(fullName)(user)).toEqual(right(name))
    expect(computedValue(isAdult)(user)).toEqual(right(adult))
    expect(computedValue(turning)(user)).toEqual(right(next))
    expect(computedValue(initial)(user)).toEqual(right(first))
    expect(computedValue(lastSeen)(user)).toEqual(right(at))
  }
}

describe('a computed attribute', () => {
  test('is where queries are, and on snapshots', () => {
    const app = openOn(model)
    app.run(fill)
    const found = app.run(asked)
    expect(found).toMatchObject({ ...answers, ordered: ['Wendy', 'Ed'] })
    agrees(found)
  })

  for (const { host, title, isMissing } of servers) {
    test.skipIf(isMissing)(`answers alike on ${title}`, async () => {
      const app = await openOnServer(host, model)
      await app.run(fill)
      const found = await app.run(asked)
      expect(found).toMatchObject(answers)
      agrees(found)
    })
  }

  test('narrows bulk statements, whose effect the session knows', () => {
    const app = openOn(model)
    app.run(fill)
    const users = app.run(pipe(select(model.User), orderBy('id'), Session.query))
    const birthday = pipe(
      update(model.User),
      set((eb) => ({ age: turning(eb) })),
      where((eb) => isAdult(eb)),
      Session.execute(),
    )
    const [, statements] = app.counted(birthday)
    expect(statements).toHaveLength(1)
    expect(app.run(Session.traverseArray(Session.read(model.User))(users)).map(({ age }) => age)).toEqual([42, 17])
  })

  test('has the same value for the database and in memory', () => {
    const app = openOn(model)
    fc.assert(
      fc.property(
        fc.record({ first: fc.string(), last: fc.string(), nickname: fc.option(fc.string()), age: fc.integer() }),
        (given) => {
          const [row] = app.run(
            Session.gen(function* () {
              const user = yield* Session.add(model.User, { ...given, seen })
              yield* Session.flush
              const { id: key } = yield* Session.read(model.User)(user)
              return yield* pipe(
                select(model.User),
                where('id', '=', key),
                selectRows((q) => ({ user: q.entity(), name: shownAs(q), adult: q.computed(isAdult) })),
                Session.rows,
              )
            }),
          )
          if (row === undefined) throw new Error('no row')
          expect(computedValue(isAdult)(row.user)).toEqual(right(row.adult))
          expect(computedValue(shownAs, sqliteDialect)(row.user)).toEqual(right(row.name))
        },
      ),
      { numRuns: 50 },
    )
  })

  test('is told in memory only as far as databases agree', () => {
    const isEd = computed(model.User, boolean, (eb) => eb('first', '=', 'ed'))
    const half = computed(model.User, integer, (eb) => eb('age', '/', 2))
    const app = openOn(model)
    app.run(fill)
    const user = app.run(pipe(select(model.User), where('id', '=', 1), Session.one))
    expect(isRight(computedValue(isEd, sqliteDialect)(user))).toBe(true)
    expect(computedValue(isEd, mysqlDialect)(user)).toEqual({
      _tag: 'Left',
      left: { _tag: 'NotEvaluable', entity: 'User', expression: 'BinaryOperationNode' },
    })
    expect(computedValue(half)(user)).toMatchObject({ left: { expression: '/' } })
  })
})
