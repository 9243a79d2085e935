import {
  createAllSync,
  deferred,
  defineModel,
  deleteFrom,
  entity,
  fromSelect,
  generated,
  insertInto,
  integer,
  type Managed,
  nullable,
  onConflictDoNothing,
  onConflictDoUpdate,
  primaryKey,
  returningEntities,
  type Snapshot,
  select,
  set,
  text,
  unique,
  update,
  values,
  version,
  where,
  withDefault,
  withInsertDefault,
  withServerDefault,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { constant, pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const id = pipe(integer, primaryKey, generated)

const User = entity('User', 'users', { id, name: pipe(text, unique), nickname: pipe(text, nullable) })
const Address = entity('Address', 'addresses', { id, email: text, userId: pipe(integer, nullable) })
const Post = entity('Post', 'posts', {
  id,
  title: text,
  body: pipe(text, nullable, deferred),
  status: pipe(text, withDefault(constant('draft'))),
  language: pipe(text, withInsertDefault(constant('en'))),
  views: pipe(integer, withServerDefault(sql`0`)),
  revision: pipe(integer, version),
  authorId: integer,
})
const Tag = entity('Tag', 'tags', { name: pipe(text, primaryKey) })

const model = defineModel({ User, Address, Post, Tag })((r) => ({
  User: {
    addresses: r.User.hasMany('Address', { foreignKey: 'userId', inverse: 'user', orderBy: 'id' }),
    posts: r.User.hasMany('Post', {
      foreignKey: 'authorId',
      inverse: 'author',
      orderBy: 'id',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
    }),
  },
  Address: { user: r.Address.belongsTo('User', { foreignKey: 'userId', inverse: 'addresses' }) },
  Post: {
    author: r.Post.belongsTo('User', { foreignKey: 'authorId', inverse: 'posts' }),
    tags: r.Post.manyToMany('Tag', {
      through: { table: 'posts_tags', own: ['post_id'], target: ['tag'] },
      inverse: 'posts',
    }),
  },
  Tag: {
    posts: r.Tag.manyToMany('Post', {
      through: { table: 'posts_tags', own: ['tag'], target: ['post_id'] },
      inverse: 'tags',
    }),
  },
}))

/** An empty database. */
const open = () => {
  const engine = sqliteEngine(new Database(':memory:'))
  createAllSync(model)(engine)
  return Session.runtime(model, engine)
}

/** Where an instance stands. */
const status = (instance: Snapshot) => Session.gets((state) => Session.inspect(state, instance)?.status)

/** What a program fails with. */
const failure = <A>(program: Session.Program<Session.SessionError, A>) =>
  pipe(
    program,
    Session.map(() => null),
    Session.catchError((error: Session.SessionError) => Session.of(error._tag)),
  )
// #endregion

const example = examplesOf('session')

/** An example that is the body of a program, run on an empty database. */
const program = (name: string, body: () => Generator<Session.Program<unknown, unknown>, void, never>): void =>
  example(name, () => resultOf(Session.runSync(open())(Session.gen(body))))

example('branches', () => {
  // #region branches
  const app = open()
  const [, stored] = Session.runStateSync(app)(Session.transact(Session.add(model.User, { name: 'ed' })))

  const rename = (name: string) =>
    Session.gen(function* () {
      const ed = yield* Session.one(select(model.User))
      yield* pipe(ed, Session.set(model.User, { name }))
    })

  const [, edward] = Session.runStateSync(app, stored)(rename('edward'))
  const [, edwin] = Session.runStateSync(app, stored)(rename('edwin'))
  console.log(stored.changed.size, edward.changed.size, edwin.changed.size) // => 0 1 1

  // goes on from one of them; the other never happened
  Session.runStateSync(app, edward)(Session.commit)
  const [users] = Session.runStateSync(app)(Session.query(select(model.User)))
  if (users._tag === 'Right') console.log(users.right) // => [ User { id: 1, name: 'edward', nickname: null } ]
  // #endregion
})

example('store', () => {
  // #region store
  const store = Session.createStore(open())
  const leave = store.subscribe((state) => console.log(state.added.size, 'to insert'))
  store.runSync(Session.add(model.User, { name: 'ed' })) // => 1 to insert
  const before = store.getState()
  store.runSync(Session.commit) // => 0 to insert
  leave()
  console.log(before.added.size, store.getState().added.size) // => 1 0
  store.closeSync()
  // #endregion
})

example('interruption', async () => {
  // #region interruption
  const controller = new AbortController()
  const slow = Session.gen(function* () {
    yield* Session.add(model.User, { name: 'ed' })
    yield* Session.flush
    controller.abort()
    yield* Session.commit
  })
  const result = await Session.run(open(), { signal: controller.signal })(slow)()
  console.log(result) // => { _tag: 'Left', left: { _tag: 'Interrupted' } }
  // #endregion
})

program('standings', function* () {
  // #region standings
  const ed = yield* Session.make(model.User, { name: 'ed' })
  console.log(yield* status(ed)) // => transient
  yield* Session.add(model.User, ed)
  console.log(yield* status(ed)) // => pending
  yield* Session.flush
  console.log(yield* status(ed)) // => persistent
  yield* pipe(ed, Session.remove(model.User))
  yield* Session.flush
  console.log(yield* status(ed)) // => deleted
  yield* Session.commit
  console.log(yield* status(ed)) // => detached
  console.log(yield* failure(Session.add(model.User, ed))) // => InvalidState
  // #endregion
})

program('absent', function* () {
  // #region absent
  const ed = yield* Session.add(model.User, { name: 'ed' })
  const post = yield* Session.add(model.Post, { title: 'one', author: ed })
  console.log(post)
  // #endregion
  // #region absent
  yield* Session.flush
  console.log(yield* Session.gets((state) => Session.inspect(state, post)?.attributes))
  // #endregion
  // #region absent
  const { views } = yield* pipe(post, Session.read(model.Post))
  console.log(views) // => 0
  // #endregion
})

program('both sides', function* () {
  // #region both sides
  const ed = yield* Session.add(model.User, { name: 'ed' })
  const wendy = yield* Session.add(model.User, { name: 'wendy' })
  const address = yield* Session.add(model.Address, { email: 'ed@example.org', user: ed })
  yield* Session.flush

  yield* pipe(wendy, Session.append(model.User, 'addresses', address))
  console.log(yield* pipe(ed, Session.related(model.User, 'addresses'))) // => []
  const owner = yield* pipe(address, Session.related(model.Address, 'user'))
  console.log(owner) // => { _tag: 'Some', value: User { id: 2, name: 'wendy', nickname: null } }
  // #endregion
})

program('backrefs', function* () {
  // #region backrefs
  const ed = yield* Session.add(model.User, { name: 'ed' })
  const post = yield* Session.make(model.Post, { title: 'one', author: ed })
  console.log(yield* status(post)) // => transient
  yield* Session.add(model.User, ed)
  console.log(yield* status(post)) // => pending
  // #endregion
})

program('computed', function* () {
  // #region computed
  // of what is loaded: a function
  const published = (posts: ReadonlyArray<Managed<typeof model, 'Post'>>) =>
    posts.filter((post) => post.status === 'published')

  // of what is not: a query
  const publishedBy = (user: Managed<typeof model, 'User'>) =>
    pipe(select(model.Post), where('authorId', '=', user.id), where('status', '=', 'published'), Session.query)

  yield* Session.add(model.User, { name: 'ed', posts: [{ title: 'one' }, { title: 'two', status: 'published' }] })
  const ed = yield* Session.one(select(model.User))
  const posts = yield* pipe(ed, Session.load(model.User, 'posts'))
  console.log(published(posts).map(({ title }) => title)) // => [ 'two' ]
  console.log((yield* publishedBy(ed)).map(({ title }) => title)) // => [ 'two' ]
  // #endregion
})

program('plan', function* () {
  // #region plan
  yield* Session.add(model.User, { name: 'ed', posts: [{ title: 'one', tags: [{ name: 'red' }] }] })
  yield* Session.commit

  const ed = yield* Session.one(select(model.User))
  const one = yield* Session.one(select(model.Post))
  yield* pipe(ed, Session.set(model.User, { nickname: 'eddie' }))
  yield* Session.add(model.User, { name: 'wendy', addresses: [{ email: 'wendy@example.org' }] })
  yield* pipe(one, Session.remove(model.Post))
  console.log(Session.explain(yield* Session.flushPlan))
  // #endregion
})

program('orphans', function* () {
  // #region orphans
  const ed = yield* Session.add(model.User, { name: 'ed' })
  const wendy = yield* Session.add(model.User, { name: 'wendy' })
  const one = yield* Session.add(model.Post, { title: 'one', author: ed })
  const two = yield* Session.add(model.Post, { title: 'two', author: ed })
  yield* Session.flush

  yield* pipe(ed, Session.detach(model.User, 'posts', one))
  yield* pipe(ed, Session.detach(model.User, 'posts', two))
  yield* pipe(wendy, Session.append(model.User, 'posts', two))
  console.log(Session.explain(yield* Session.flushPlan))
  // #endregion
})

program('row switch', function* () {
  // #region row switch
  const red = yield* Session.add(model.User, { id: 7, name: 'red', nickname: 'r' })
  yield* Session.flush
  yield* pipe(red, Session.remove(model.User))
  yield* Session.add(model.User, { id: 7, name: 'blue' })
  console.log(Session.explain(yield* Session.flushPlan))
  // #endregion
})

program('swap', function* () {
  // #region swap
  const ed = yield* Session.add(model.User, { name: 'ed' })
  const wendy = yield* Session.add(model.User, { name: 'wendy' })
  yield* Session.flush
  yield* pipe(ed, Session.set(model.User, { name: 'wendy' }))
  yield* pipe(wendy, Session.set(model.User, { name: 'ed' }))
  console.log(Session.explain(yield* Session.flushPlan))
  // #endregion
})

example('stale', () => {
  // #region stale
  const app = open()
  const publish = Session.gen(function* () {
    const post = yield* Session.one(select(model.Post))
    yield* pipe(post, Session.set(model.Post, { status: 'published' }))
    yield* Session.commit
  })
  const written = Session.gen(function* () {
    yield* Session.add(model.User, { name: 'ed', posts: [{ title: 'one' }] })
    yield* Session.commit
    yield* Session.query(select(model.Post))
  })

  const [, read] = Session.runStateSync(app)(written)
  Session.runStateSync(app, read)(publish)
  const [late] = Session.runStateSync(app, read)(failure(publish))
  console.log(late) // => { _tag: 'Right', right: 'StaleData' }
  // #endregion
})

program('merge', function* () {
  // #region merge
  yield* Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }, { email: 'b' }] })
  yield* Session.commit

  yield* Session.merge(model.User, { id: 1, name: 'edward', addresses: [{ id: 2, email: 'B' }, { email: 'c' }] })
  console.log(Session.explain(yield* Session.flushPlan))
  // #endregion
})

program('merge null', function* () {
  // #region merge null
  yield* Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] })
  yield* Session.commit

  yield* Session.merge(model.Address, { id: 1, email: 'A', userId: 1, user: null })
  console.log(Session.explain(yield* Session.flushPlan))
  // #endregion
  // #region merge null
  yield* Session.rollback
  yield* Session.merge(model.Address, { id: 1, email: 'A', userId: 1 })
  yield* Session.flush
  const [address] = yield* Session.query(select(model.Address))
  console.log(address) // => Address { id: 1, email: 'A', userId: 1 }
  // #endregion
})

program('staleness', function* () {
  // #region staleness
  const ed = yield* Session.add(model.User, { name: 'ed' })
  yield* Session.flush
  yield* Session.sql(sql`update users set nickname = 'eddie'`)

  const [held] = yield* Session.query(select(model.User))
  console.log(held?.nickname) // => null
  const fresh = yield* pipe(ed, Session.refresh(model.User, 'nickname'))
  console.log(held?.nickname, fresh.nickname) // => null eddie
  // #endregion
})

program('foreign key', function* () {
  // #region foreign key
  const ed = yield* Session.add(model.User, { name: 'ed' })
  const wendy = yield* Session.add(model.User, { name: 'wendy' })
  const address = yield* Session.add(model.Address, { email: 'a', user: ed })
  yield* Session.flush

  const { id: userId } = yield* pipe(wendy, Session.read(model.User))
  yield* pipe(address, Session.set(model.Address, { userId }))
  yield* Session.flush
  const before = yield* pipe(address, Session.load(model.Address, 'user'))
  yield* pipe(address, Session.expire(model.Address, 'user'))
  const after = yield* pipe(address, Session.load(model.Address, 'user'))
  console.log(before) // => { _tag: 'Some', value: User { id: 1, name: 'ed', nickname: null } }
  console.log(after) // => { _tag: 'Some', value: User { id: 2, name: 'wendy', nickname: null } }
  // #endregion
})

program('gone', function* () {
  // #region gone
  yield* Session.add(model.User, { name: 'ed', posts: [{ title: 'one', body: 'Once upon a time' }] })
  yield* Session.commit
  const post = yield* Session.one(select(model.Post))
  const { body } = yield* pipe(post, Session.loadAttributes(model.Post, 'body'))
  console.log(body) // => Once upon a time

  yield* Session.sql(sql`delete from posts`)
  yield* Session.expireAll
  console.log(yield* failure(pipe(post, Session.read(model.Post)))) // => ObjectDeleted
  console.log(yield* Session.get(model.Post, 1)) // => { _tag: 'None' }
  // #endregion
})

program('rollback', function* () {
  // #region rollback
  yield* Session.add(model.User, { name: 'ed' })
  yield* Session.commit

  const ed = yield* Session.one(select(model.User))
  yield* pipe(ed, Session.set(model.User, { name: 'edward' }))
  const wendy = yield* Session.add(model.User, { name: 'wendy' })
  yield* Session.flush
  yield* Session.rollback
  console.log(yield* status(ed), yield* status(wendy)) // => persistent transient
  console.log(yield* pipe(ed, Session.read(model.User))) // => User { id: 1, name: 'ed', nickname: null }
  console.log(yield* Session.gets((state) => Session.inspect(state, wendy)?.attributes)) // => { name: 'wendy' }
  // #endregion
})

program('failed', function* () {
  // #region failed
  yield* Session.add(model.User, { name: 'ed' })
  yield* Session.commit

  const wendy = yield* Session.add(model.User, { name: 'wendy' })
  const taken = Session.add(model.User, { name: 'ed' })
  console.log(yield* failure(Session.nested(taken))) // => IntegrityError
  console.log(yield* status(wendy)) // => persistent

  yield* taken
  console.log(yield* failure(Session.flush)) // => IntegrityError
  console.log(yield* failure(Session.query(select(model.User)))) // => PendingRollback
  yield* Session.rollback
  console.log(yield* status(wendy)) // => transient
  // #endregion
})

program('retrying', function* () {
  // #region retrying
  yield* Session.add(model.User, { name: 'ed' })
  yield* Session.commit

  const refused = { _tag: 'Refused' } as const
  let attempts = 0
  const rename = Session.gen(function* () {
    attempts += 1
    const ed = yield* Session.one(select(model.User))
    yield* pipe(ed, Session.set(model.User, { name: 'edward' }))
    if (attempts === 1) yield* Session.fail(refused)
  })
  const policy = { attempts: 3, delay: Session.backoff(), mayRetry: (error: unknown) => error === refused }
  yield* pipe(rename, Session.transactRetrying(policy))
  console.log(attempts, (yield* Session.one(select(model.User))).name) // => 2 edward
  // #endregion
})

program('unique', function* () {
  // #region unique
  const red = Session.unique(model.Tag, { name: 'red' }, () => ({ name: 'red' }))
  const first = yield* red
  const again = yield* red
  console.log(first === again) // => true
  // #endregion
})

program('bulk', function* () {
  // #region bulk
  const ed = yield* Session.add(model.User, { name: 'ed' })
  const wendy = yield* Session.add(model.User, { name: 'wendy' })

  const rename = pipe(update(model.User), set({ nickname: 'eddie' }), where('name', '=', 'ed'))
  console.log(yield* pipe(rename, Session.execute())) // => 1
  console.log(yield* pipe(ed, Session.read(model.User))) // => User { id: 1, name: 'ed', nickname: 'eddie' }

  const others = pipe(deleteFrom(model.User), where('name', 'like', 'w%'))
  console.log(yield* failure(pipe(others, Session.execute({ synchronize: 'evaluate' })))) // => NotEvaluable
  yield* pipe(others, Session.execute())
  console.log(yield* status(wendy)) // => deleted
  // #endregion
})

program('past', function* () {
  // #region past
  const rows = [{ name: 'ed' }, { name: 'wendy', nickname: 'w' }]
  const users = yield* pipe(insertInto(model.User), values(rows), returningEntities, Session.execute())
  console.log(users.map(({ id, name }) => `${id} ${name}`)) // => [ '1 ed', '2 wendy' ]

  // one post for each user, whom nobody reads
  const welcome = pipe(
    insertInto(model.Post),
    fromSelect(['title', 'authorId'], (eb) => eb.selectFrom('users').select(['users.name', 'users.id'])),
  )
  console.log(yield* pipe(welcome, Session.execute())) // => 2
  // #endregion

  // #region past
  const known = pipe(
    insertInto(model.User),
    values([
      { name: 'ed', nickname: 'eddie' },
      { name: 'jack', nickname: 'j' },
    ]),
  )
  console.log(yield* pipe(known, onConflictDoNothing('name'), Session.execute())) // => 1
  console.log(yield* pipe(known, onConflictDoUpdate('name', ['nickname']), Session.execute())) // => 2
  console.log(yield* Session.one(pipe(select(model.User), where('name', '=', 'ed')))) // => User { id: 1, name: 'ed', nickname: 'eddie' }

  const longer = onConflictDoUpdate<typeof known>(
    'name',
    (eb) => ({ nickname: eb.ref('excluded.nickname') }),
    (eb) => eb(eb.fn('length', ['excluded.nickname']), '>', eb.fn('length', ['nickname'])),
  )
  console.log(yield* pipe(known, longer, Session.execute())) // => 0
  // #endregion

  // #region past
  const changes = [
    { id: 1, nickname: null },
    { id: 2, name: 'Wendy', nickname: 'w.' },
  ]
  console.log(yield* Session.updateMany(model.User, changes)) // => 2
  console.log(yield* Session.one(pipe(select(model.User), where('id', '=', 2)))) // => User { id: 2, name: 'Wendy', nickname: 'w.' }
  // #endregion
})

example('hooks', () => {
  // #region hooks
  const { accept, keep, refuse } = Session
  const written = Session.info('rows written', 0)

  const hooks = Session.defineHooks(model)(
    {
      User: {
        // decides on the value that is stored
        set: { name: ({ value }) => (value.trim() === '' ? refuse('a user has a name') : accept(value.trim())) },
        // keeps another attribute in step, by a change like any other
        append: {
          addresses: ({ instance, value }) =>
            keep(Session.set(model.User, { nickname: value.email ?? null })(instance)),
        },
      },
      // rewrites every query, load, get, update and delete of posts before it runs
      Post: { beforeExecute: ({ statement }) => accept(pipe(statement, where('status', '=', 'published'))) },
    },
    { afterFlush: ({ flushed }) => keep(written.update((rows) => rows + flushed.inserted)) },
  )

  const write = Session.gen(function* () {
    const posts = [{ title: 'one' }, { title: 'two', status: 'published' }]
    const ed = yield* Session.add(model.User, { name: ' ed ', addresses: [{ email: 'ed@example.org' }], posts })
    console.log(ed.name, ed.nickname) // => ed ed@example.org
    yield* Session.commit
    const shown = yield* Session.query(select(model.Post))
    console.log(shown.map(({ title }) => title)) // => [ 'two' ]
    yield* Session.add(model.User, { name: '' })
  })

  const [result, state] = Session.runStateSync(open(), Session.empty(model, { hooks }))(write)
  console.log(written.get(state)) // => 4
  if (result._tag === 'Left') console.log(Session.render(result.left)) // => The set hook of User.name refused: a user has a name.
  // #endregion
})
