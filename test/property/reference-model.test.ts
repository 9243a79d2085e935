/**
 * The session against a simple model of what it stands for: three tables in memory, a copy of them for the transaction and
 * for each savepoint, and what the database holds by the last flush.
 */
import { orderBy, type Snapshot, select } from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import { type App, model as entities, open } from '../session/app.js'

interface UserRow {
  readonly name: string
  readonly nickname: string | null
}
interface AddressRow {
  readonly isPrimary: boolean
  readonly user: string | null
}
interface PostRow {
  readonly author: string
}

/** Rows by names that are theirs for good. */
interface Tables {
  readonly users: ReadonlyMap<string, UserRow>
  readonly addresses: ReadonlyMap<string, AddressRow>
  readonly posts: ReadonlyMap<string, PostRow>
}

class Model {
  tables: Tables = { users: new Map(), addresses: new Map(), posts: new Map() }
  /** What the database holds. */
  flushed: Tables = this.tables
  /** What to return to: the transaction's beginning, then the savepoints'. */
  frames: Tables[] = [this.tables]
}

interface Real {
  readonly app: App
  readonly users: Map<string, Snapshot<'User'>>
  readonly addresses: Map<string, Snapshot<'Address'>>
  readonly posts: Map<string, Snapshot<'Post'>>
}

type Command = fc.Command<Model, Real>

const named = <A>(all: ReadonlyMap<string, A>, index: number): string => [...all.keys()][index % all.size] as string
const changed = <A>(all: ReadonlyMap<string, A>, name: string, row: A): ReadonlyMap<string, A> =>
  new Map(all).set(name, row)
const without = <A>(all: ReadonlyMap<string, A>, gone: (row: A, name: string) => boolean): ReadonlyMap<string, A> =>
  new Map([...all].filter(([name, row]) => !gone(row, name)))

/** The rows of the database, by the same names. */
const stored = ({ app }: Real): Tables => {
  const users = app.rows('users') as ReadonlyArray<{ id: number; name: string; nickname: string | null }>
  const nameOf = (id: unknown): string | null => users.find((user) => user.id === id)?.name.split('/')[0] ?? null
  const rows = (table: string) => app.rows(table) as ReadonlyArray<Record<string, unknown>>
  return {
    users: new Map(users.map(({ name, nickname }) => [name.split('/')[0] as string, { name, nickname }])),
    addresses: new Map(
      rows('addresses').map((row) => [
        row.email as string,
        { isPrimary: row.is_primary === 1, user: nameOf(row.user_id) },
      ]),
    ),
    posts: new Map(rows('posts').map((row) => [row.title as string, { author: nameOf(row.author_id) as string }])),
  }
}

const flushed = (m: Model): void => {
  m.flushed = m.tables
}

const holds = (m: Model, r: Real): void => expect(stored(r)).toEqual(m.flushed)

const get = <A>(all: ReadonlyMap<string, A>, name: string): A => all.get(name) as A

abstract class Base implements Command {
  check(_: Readonly<Model>): boolean {
    return true
  }
  run(m: Model, r: Real): void {
    this.act(m, r)
    // reads may have flushed
    const { added, changed, deleted } = r.app.store.getState()
    if (added.size + changed.size + deleted.size === 0) flushed(m)
  }
  abstract act(m: Model, r: Real): void
  toString(): string {
    return `${this.constructor.name}${JSON.stringify({ ...this })}`
  }
}

let count = 0
const fresh = (kind: string): string => `${kind}${count++}`

class AddUser extends Base {
  readonly addresses: number
  readonly posts: number
  constructor(addresses: number, posts: number) {
    super()
    this.addresses = addresses
    this.posts = posts
  }
  act(m: Model, r: Real): void {
    const name = fresh('user')
    const emails = Array.from({ length: this.addresses }, () => fresh('address'))
    const titles = Array.from({ length: this.posts }, () => fresh('post'))
    const user = r.app.run(
      Session.add(entities.User, {
        name,
        nickname: null,
        addresses: emails.map((email) => ({ email })),
        posts: titles.map((title) => ({ title })),
      }),
    )
    r.users.set(name, user)
    for (const address of r.app.run(Session.related(entities.User, 'addresses')(user)))
      r.addresses.set(address.email, address)
    for (const post of r.app.run(Session.related(entities.User, 'posts')(user))) r.posts.set(post.title, post)
    m.tables = {
      users: changed(m.tables.users, name, { name, nickname: null }),
      addresses: new Map([
        ...m.tables.addresses,
        ...emails.map((email) => [email, { isPrimary: false, user: name }] as const),
      ]),
      posts: new Map([...m.tables.posts, ...titles.map((title) => [title, { author: name }] as const)]),
    }
  }
}

abstract class OfUser extends Base {
  readonly user: number
  constructor(user: number) {
    super()
    this.user = user
  }
  override check(m: Readonly<Model>): boolean {
    return m.tables.users.size > 0
  }
  act(m: Model, r: Real): void {
    const name = named(m.tables.users, this.user)
    this.onUser(m, r, name, get(r.users, name))
  }
  abstract onUser(m: Model, r: Real, name: string, user: Snapshot<'User'>): void
}

class Rename extends OfUser {
  readonly to: string
  readonly nickname: string | null
  constructor(user: number, to: string, nickname: string | null) {
    super(user)
    this.to = to
    this.nickname = nickname
  }
  onUser(m: Model, r: Real, name: string, user: Snapshot<'User'>): void {
    const row = { name: `${name}/${this.to}`, nickname: this.nickname }
    r.app.run(Session.set(entities.User, row)(user))
    m.tables = { ...m.tables, users: changed(m.tables.users, name, row) }
  }
}

class RemoveUser extends OfUser {
  onUser(m: Model, r: Real, name: string, user: Snapshot<'User'>): void {
    // a remove is for what has a row
    r.app.run(Session.flush)
    r.app.run(Session.remove(entities.User)(user))
    m.tables = {
      users: without(m.tables.users, (_, other) => other === name),
      addresses: new Map(
        [...m.tables.addresses].map(([email, row]) => [email, row.user === name ? { ...row, user: null } : row]),
      ),
      posts: without(m.tables.posts, ({ author }) => author === name),
    }
    r.app.run(Session.flush)
    // as in SQLAlchemy, addresses show the user that is gone until they expire
    r.app.run(Session.expireAll)
    flushed(m)
    holds(m, r)
  }
}

class ReadUser extends OfUser {
  onUser(m: Model, r: Real, name: string, user: Snapshot<'User'>): void {
    expect(r.app.run(Session.read(entities.User)(user))).toMatchObject(get(m.tables.users, name))
  }
}

class LoadAddresses extends OfUser {
  onUser(m: Model, r: Real, name: string, user: Snapshot<'User'>): void {
    const loaded = r.app.run(Session.load(entities.User, 'addresses')(user)).map(({ email }) => email)
    expect(new Set(loaded)).toEqual(
      new Set([...m.tables.addresses].flatMap(([email, row]) => (row.user === name ? [email] : []))),
    )
  }
}

class LoadPosts extends OfUser {
  onUser(m: Model, r: Real, name: string, user: Snapshot<'User'>): void {
    const loaded = r.app.run(Session.load(entities.User, 'posts')(user)).map(({ title }) => title)
    expect(new Set(loaded)).toEqual(
      new Set([...m.tables.posts].flatMap(([title, { author }]) => (author === name ? [title] : []))),
    )
  }
}

/** Forgets the user's own changes that no flush has written; those of its addresses are theirs. */
class ExpireUser extends OfUser {
  onUser(m: Model, r: Real, name: string, user: Snapshot<'User'>): void {
    const row = m.flushed.users.get(name)
    const outcome = r.app.run(Session.attempt(Session.expire(entities.User)(user)))
    expect(outcome._tag).toBe(row === undefined ? 'Left' : 'Right')
    if (row !== undefined) m.tables = { ...m.tables, users: changed(m.tables.users, name, row) }
  }
}

abstract class OfAddress extends Base {
  readonly address: number
  readonly user: number | null
  constructor(address: number, user: number | null) {
    super()
    this.address = address
    this.user = user
  }
  override check(m: Readonly<Model>): boolean {
    return m.tables.addresses.size > 0 && m.tables.users.size > 0
  }
  act(m: Model, r: Real): void {
    const email = named(m.tables.addresses, this.address)
    const name = this.user === null ? null : named(m.tables.users, this.user)
    this.onAddress(m, r, email, name)
  }
  abstract onAddress(m: Model, r: Real, email: string, name: string | null): void
  give(m: Model, email: string, user: string | null): void {
    const row = { ...get(m.tables.addresses, email), user }
    m.tables = { ...m.tables, addresses: changed(m.tables.addresses, email, row) }
  }
}

class SetUser extends OfAddress {
  onAddress(m: Model, r: Real, email: string, name: string | null): void {
    const user = name === null ? null : get(r.users, name)
    r.app.run(Session.set(entities.Address, { user, isPrimary: true })(get(r.addresses, email)))
    this.give(m, email, name)
    m.tables = { ...m.tables, addresses: changed(m.tables.addresses, email, { isPrimary: true, user: name }) }
  }
}

class Append extends OfAddress {
  onAddress(m: Model, r: Real, email: string, name: string | null): void {
    // a list may hold a member twice, and then it takes two to be rid of it
    if (name === null || get(m.tables.addresses, email).user === name) return
    r.app.run(Session.append(entities.User, 'addresses', get(r.addresses, email))(get(r.users, name)))
    this.give(m, email, name)
  }
}

class Detach extends OfAddress {
  onAddress(m: Model, r: Real, email: string, name: string | null): void {
    if (name === null) return
    const isMember = get(m.tables.addresses, email).user === name
    const detach = Session.detach(entities.User, 'addresses', get(r.addresses, email))(get(r.users, name))
    // of what has expired the session does not know that it is no member
    if (!isMember) return
    r.app.run(detach)
    this.give(m, email, null)
  }
}

class LoadUser extends OfAddress {
  onAddress(m: Model, r: Real, email: string): void {
    const found = r.app.run(Session.load(entities.Address, 'user')(get(r.addresses, email)))
    const { user } = get(m.tables.addresses, email)
    expect(found).toMatchObject(user === null ? { _tag: 'None' } : { value: get(m.tables.users, user) })
  }
}

class MovePost extends Base {
  readonly post: number
  readonly user: number | null
  constructor(post: number, user: number | null) {
    super()
    this.post = post
    this.user = user
  }
  override check(m: Readonly<Model>): boolean {
    return m.tables.posts.size > 0
  }
  act(m: Model, r: Real): void {
    const title = named(m.tables.posts, this.post)
    const post = get(r.posts, title)
    r.app.run(Session.flush)
    flushed(m)
    // known again first, so that the session knows whom it leaves
    r.app.run(Session.load(entities.Post, 'author')(post))
    if (this.user === null) {
      r.app.run(Session.detach(entities.User, 'posts', post)(get(r.users, get(m.tables.posts, title).author)))
      m.tables = { ...m.tables, posts: without(m.tables.posts, (_, other) => other === title) }
    } else {
      const name = named(m.tables.users, this.user)
      if (get(m.tables.posts, title).author === name) return
      r.app.run(Session.append(entities.User, 'posts', post)(get(r.users, name)))
      m.tables = { ...m.tables, posts: changed(m.tables.posts, title, { author: name }) }
    }
  }
}

class QueryUsers extends Base {
  act(m: Model, r: Real): void {
    const found = r.app.run(Session.query(pipe(select(entities.User), orderBy('id'))))
    flushed(m)
    expect(new Set(found.map(({ name, nickname }) => JSON.stringify({ name, nickname })))).toEqual(
      new Set([...m.tables.users.values()].map((row) => JSON.stringify(row))),
    )
    for (const user of found) r.users.set(user.name.split('/')[0] as string, user)
  }
}

class Flush extends Base {
  act(m: Model, r: Real): void {
    r.app.run(Session.flush)
    flushed(m)
    holds(m, r)
  }
}

class Commit extends Base {
  act(m: Model, r: Real): void {
    r.app.run(Session.commit)
    flushed(m)
    m.frames = [m.tables]
    holds(m, r)
    expect(r.app.database.inTransaction).toBe(false)
  }
}

class ExpireAll extends Base {
  act(_: Model, r: Real): void {
    r.app.run(Session.flush)
    r.app.run(Session.expireAll)
  }
}

class Rollback extends Base {
  act(m: Model, r: Real): void {
    r.app.run(Session.rollback)
    m.tables = m.frames[0] as Tables
    m.frames = [m.tables]
    flushed(m)
    holds(m, r)
  }
}

class BeginNested extends Base {
  act(m: Model, r: Real): void {
    r.app.run(Session.beginNested)
    flushed(m)
    m.frames.push(m.tables)
  }
}

class CommitNested extends Base {
  override check(m: Readonly<Model>): boolean {
    return m.frames.length > 1
  }
  act(m: Model, r: Real): void {
    r.app.run(Session.commitNested)
    flushed(m)
    m.frames.pop()
  }
}

class RollbackNested extends Base {
  override check(m: Readonly<Model>): boolean {
    return m.frames.length > 1
  }
  act(m: Model, r: Real): void {
    r.app.run(Session.rollbackNested)
    m.tables = m.frames.pop() as Tables
    flushed(m)
    holds(m, r)
  }
}

const at = fc.nat(15)
const maybe = fc.option(at)
const word = fc.constantFrom('a', 'b', 'c')

const commands = fc.commands(
  [
    fc.tuple(fc.nat(2), fc.nat(2)).map(([addresses, posts]) => new AddUser(addresses, posts)),
    fc.tuple(at, word, fc.option(word)).map(([user, to, nickname]) => new Rename(user, to, nickname)),
    at.map((user) => new RemoveUser(user)),
    at.map((user) => new ReadUser(user)),
    at.map((user) => new LoadAddresses(user)),
    at.map((user) => new LoadPosts(user)),
    at.map((user) => new ExpireUser(user)),
    fc.tuple(at, maybe).map(([address, user]) => new SetUser(address, user)),
    fc.tuple(at, at).map(([address, user]) => new Append(address, user)),
    fc.tuple(at, at).map(([address, user]) => new Detach(address, user)),
    fc.tuple(at, at).map(([address, user]) => new LoadUser(address, user)),
    fc.tuple(at, maybe).map(([post, user]) => new MovePost(post, user)),
    fc.constant(new QueryUsers()),
    fc.constant(new Flush()),
    fc.constant(new Commit()),
    fc.constant(new ExpireAll()),
    fc.constant(new Rollback()),
    fc.constant(new BeginNested()),
    fc.constant(new CommitNested()),
    fc.constant(new RollbackNested()),
  ],
  { maxCommands: 60, size: 'max' },
)

test.each([
  ['expires at a commit', true],
  ['keeps what it knows over a commit', false],
])('a session that %s is the tables that it stands for', (_, expireOnCommit) => {
  fc.assert(
    fc.property(commands, (all) => {
      const app = open({ expireOnCommit })
      fc.modelRun(
        () => ({ model: new Model(), real: { app, users: new Map(), addresses: new Map(), posts: new Map() } }),
        all,
      )
      app.run(Session.attempt(Session.commit))
    }),
    { numRuns: 150 },
  )
})
