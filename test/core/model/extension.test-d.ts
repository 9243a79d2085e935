import {
  type Database,
  type Draft,
  deferred,
  defineModel,
  entity,
  fromSelect,
  generated,
  insertInto,
  integer,
  loadOnly,
  type Managed,
  nullable,
  type Pending,
  primaryKey,
  select,
  set,
  subtype,
  text,
  undefer,
  update,
  where,
  withSubtypes,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { byAttribute, choosers, withParent } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import type { Selectable } from 'kysely'
import { expectTypeOf, test } from 'vitest'

const id = pipe(integer, primaryKey, generated)
const User = entity('User', 'users', { id, first: text, last: text, nick: pipe(text, nullable) })
const Person = entity('Person', 'people', { id, kind: text, name: text }, { discriminator: 'kind', identity: 'person' })
const Engineer = subtype(Person)('Engineer', 'engineers', { language: text }, { identity: 'engineer' })
const Post = entity('Post', 'posts', { id, title: text, userId: integer })

const model = defineModel({ User, Person, Engineer, Post })(
  (r) => ({ Post: { user: r.Post.belongsTo('User', { foreignKey: 'userId' }) } }),
  (a) => ({
    User: {
      posts: a.User.expression(integer, (eb) =>
        eb
          .selectFrom('posts')
          .whereRef('posts.userId', '=', 'users.id')
          .select(({ fn }) => fn.countAll().as('n')),
      ),
      initials: a.User.expression(pipe(text, deferred), (eb) => eb.fn('concat', ['first', 'last'])),
      given: a.User.synonym('first'),
      alias: a.User.synonym('nick'),
    },
    Person: { upper: a.Person.expression(text, (eb) => eb.fn('upper', ['name'])) },
    Engineer: { tag: a.Engineer.expression(text, (eb) => eb.fn('concat', ['name', 'language'])) },
  }),
)
type M = typeof model

test('stand in snapshots as columns do', () => {
  expectTypeOf<Pick<Managed<M, 'User'>, 'posts' | 'given' | 'alias' | 'first'>>().toEqualTypeOf<{
    readonly first: string
    readonly posts: number
    readonly given: string
    readonly alias: string | null
  }>()
  expectTypeOf<Extract<keyof Managed<M, 'User'>, 'initials'>>().toEqualTypeOf<never>()
  expectTypeOf<Managed<M, 'Engineer'>['upper']>().toEqualTypeOf<string>()
  const withInitials = pipe(select(model.User), undefer('initials'))
  expectTypeOf(Session.query(withInitials)).toExtend<
    Session.Program<unknown, ReadonlyArray<{ readonly initials: string }>>
  >()
  type One = typeof every extends Session.Program<infer _E, ReadonlyArray<infer A>> ? A : never
  const every = Session.query(pipe(select(model.Person), withSubtypes('*')))
  expectTypeOf<Extract<One, { readonly kind: 'engineer' }>['tag']>().toEqualTypeOf<string>()
})

test('of what is not flushed, expressions are not there', () => {
  expectTypeOf<Extract<keyof Pending<M, 'User'>, 'posts' | 'initials' | 'given'>>().toEqualTypeOf<'given'>()
})

test('are columns of the entity table in queries', () => {
  expectTypeOf<Selectable<Database<M>['users']>>().toEqualTypeOf<{
    id: number
    first: string
    last: string
    nick: string | null
    posts: number
    initials: string
    given: string
    alias: string | null
  }>()
  pipe(select(model.User), where('posts', '>', 1), where('given', '=', 'ed'))
  // @ts-expect-error compared with a text
  where<never>('posts', '>', 'one')
})

test('expressions are given by nobody, and what has two names by one of them', () => {
  const one: Draft<M, 'User'> = { first: 'a', last: 'b' }
  const other: Draft<M, 'User'> = { given: 'a', last: 'b', alias: 'c' }
  expectTypeOf([one, other]).toExtend<ReadonlyArray<Draft<M, 'User'>>>()
  // @ts-expect-error computed
  const computed: Draft<M, 'User'> = { first: 'a', last: 'b', posts: 1 }
  // @ts-expect-error named twice
  const twice: Draft<M, 'User'> = { first: 'a', given: 'a', last: 'b' }
  // @ts-expect-error by none of its names
  const none: Draft<M, 'User'> = { last: 'b' }
  expectTypeOf([computed, twice, none]).toBeArray()
  Session.set(model.User, { given: 'b' })
  // @ts-expect-error computed
  Session.set(model.User, { posts: 1 })
  pipe(update(model.User), set({ given: 'b' }))
  // @ts-expect-error computed
  pipe(update(model.User), set({ posts: 1 }))
})

test('speak of what there is', () => {
  defineModel({ User, Post })(
    () => ({}),
    (a) => ({
      User: {
        // @ts-expect-error no such attribute
        a: a.User.synonym('frist'),
        // @ts-expect-error no such column
        b: a.User.expression(text, (eb) => eb.ref('frist')),
        // @ts-expect-error no such table
        c: a.User.expression(integer, (eb) => eb.selectFrom('poss').select('poss.id')),
      },
    }),
  )
})

test('are no names of what is stored', () => {
  pipe(
    insertInto(model.User),
    // @ts-expect-error computed
    fromSelect(['posts'], (eb) => eb.selectFrom('users').select('users.posts')),
  )
  // @ts-expect-error by its own name
  Session.history(model.User, 'given')
  Session.history(model.User, 'first')
  // @ts-expect-error by its own name
  pipe(select(model.User), loadOnly('given'))
  choosers(model)({
    // @ts-expect-error shards are chosen by what is stored
    User: byAttribute('given', { a: 'a' }),
  })
  const chosen = byAttribute('first', { a: 'a' })
  choosers(model)({ User: chosen, Post: withParent('user'), Person: byAttribute('name', { a: 'a' }) })
})
