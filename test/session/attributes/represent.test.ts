/** Entities as values of the program's own: a class with private fields, an Immutable.Record, an opaque type. */
import {
  createAllSync,
  defineModel,
  entity,
  generated,
  integer,
  nullable,
  orderBy,
  primaryKey,
  type RowOf,
  select,
  selectin,
  text,
  where,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import * as fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { toNullable } from 'fp-ts/lib/Option.js'
import { Record } from 'immutable'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { errorOf, resultOf } from '../app.js'
import { hostsOf } from '../hosts.js'

const id = pipe(integer, primaryKey, generated)
const User = entity('User', 'users', { id, name: text, nick: pipe(text, nullable) })
const Post = entity('Post', 'posts', { id, title: text, userId: integer })
const Tag = entity('Tag', 'tags', { id, label: text })

const model = defineModel({ User, Post, Tag })(
  (r) => ({
    User: { posts: r.User.hasMany('Post', { foreignKey: 'userId', inverse: 'user', orderBy: 'id' }) },
    Post: { user: r.Post.belongsTo('User', { foreignKey: 'userId', inverse: 'posts' }) },
  }),
  (a) => ({
    Post: { loud: a.Post.expression(text, (eb) => eb.fn('upper', ['title'])) },
  }),
)
type M = typeof model

/** A class that keeps its state to itself. */
class Person {
  static made = 0
  readonly #id: number | undefined
  readonly #name: string
  readonly #nick: string | null
  constructor(name: string, nick: string | null = null, key?: number) {
    Person.made++
    this.#id = key
    this.#name = name
    this.#nick = nick
  }
  get greeting(): string {
    return `hello, ${this.#nick ?? this.#name}`
  }
  renamed(name: string): Person {
    return name === this.#name ? this : new Person(name, this.#nick, this.#id)
  }
  called(nick: string): Person {
    return new Person(this.#name, nick, this.#id)
  }
  static row(person: Person): { readonly id?: number; readonly name: string; readonly nick: string | null } {
    return {
      ...(person.#id === undefined ? {} : { id: person.#id }),
      name: person.#name,
      nick: person.#nick,
    }
  }
}

const people = Session.represent(model.User, {
  fromRow: ({ id: key, name, nick }) => new Person(name, nick, key),
  toRow: (person) => Person.row(person),
})

interface Article {
  readonly id: number | undefined
  readonly title: string
  readonly userId: number
  readonly loud: string
}
const Article = Record<Article>({ id: undefined, title: '', userId: 0, loud: '' })

const articles = Session.represent(model.Post, {
  fromRow: ({ id: key, loud, title, userId }) => Article({ id: key, loud, title, userId }),
  toRow: (article) => ({
    ...(article.id === undefined ? {} : { id: article.id }),
    title: article.title,
    userId: article.userId,
  }),
})

/** What it is made of only its own functions know. */
declare const opaque: unique symbol
interface Label {
  readonly [opaque]: 'Label'
}
const labelOf = (row: { readonly id?: number; readonly label: string }): Label => Object.freeze([row]) as never
const inside = (label: Label) => (label as unknown as readonly [{ readonly id?: number; readonly label: string }])[0]
const labels = Session.represent(model.Tag, { fromRow: (row) => labelOf({ ...row }), toRow: inside })

describe.each(hostsOf(model))('on $title', ({ onHost }) => {
  onHost('a value stands for the instance that it was added as', async ({ run }) => {
    const ed = new Person('ed')
    expect(await run(people.add(ed))).toBe(ed)
    expect(await run(people.add(ed))).toBe(ed)
    await run(Session.commit)
    const found = await run(pipe(select(model.User), people.query))
    expect(found.map(({ greeting }) => greeting)).toEqual(['hello, ed'])
    expect(Person.row(found[0]!)).toEqual({ id: 1, name: 'ed', nick: null })
    // and so does what is shown for it now
    expect(await run(people.read(ed))).toBe(found[0])
  })

  onHost('an instance that has not changed is the same value', async ({ run }) => {
    await run(people.addAll([new Person('ed'), new Person('al')]))
    await run(Session.commit)
    const all = await run(pipe(select(model.User), orderBy('id'), people.query))
    const made = Person.made
    const [ed] = await run(pipe(select(model.User), where('name', '=', 'ed'), people.query))
    expect(ed).toBe(all[0])
    expect(toNullable(await run(people.get(1)))).toBe(ed)
    expect(toNullable(await run(people.get(7)))).toBeNull()
    expect(Person.made).toBe(made)
  })

  onHost('values are changed by functions from value to value', async ({ run }) => {
    await run(people.add(new Person('ed')))
    await run(Session.commit)
    const [ed] = await run(pipe(select(model.User), people.query))
    const al = await run(
      pipe(
        ed!,
        people.set((person) => person.renamed('al')),
      ),
    )
    expect(Person.row(al)).toEqual({ id: 1, name: 'al', nick: null })
    expect(Person.row(ed!)).toEqual({ id: 1, name: 'ed', nick: null })
    expect(await run(people.read(ed!))).toBe(al)
    // only what the function changed is set, whatever was set since
    await run(
      pipe(
        ed!,
        people.set((person) => person.called('eddie')),
      ),
    )
    expect(Person.row(await run(people.read(ed!)))).toEqual({ id: 1, name: 'al', nick: 'eddie' })
    await run(Session.commit)
    expect((await run(pipe(select(model.User), people.query))).map(({ greeting }) => greeting)).toEqual([
      'hello, eddie',
    ])
    await run(people.remove(al))
    await run(Session.commit)
    expect(await run(pipe(select(model.User), people.query))).toEqual([])
  })

  onHost('records are values like any other, with what the database computes', async ({ run }) => {
    const ed = await run(people.add(new Person('ed')))
    await run(Session.flush)
    const user = await run(people.snapshot(ed))
    const draft = Article({ title: 'a', userId: user.id ?? 0 })
    await run(articles.add(draft))
    await run(Session.flush)
    const stored = await run(articles.read(draft))
    expect(stored.toObject()).toEqual({ id: 1, title: 'a', userId: 1, loud: 'A' })
    const renamed = await run(
      pipe(
        stored,
        articles.set((article) => article.set('title', 'b')),
      ),
    )
    expect(renamed.title).toBe('b')
    await run(Session.flush)
    expect((await run(articles.read(renamed))).loud).toBe('B')
    // a record that is set to what it is is the record itself
    expect(
      await run(
        pipe(
          stored,
          articles.set((article) => article.set('title', 'a')),
        ),
      ),
    ).toBe(stored)
  })

  onHost('what is related is shown by the representation of its own entity', async ({ run }) => {
    const ed = await run(people.add(new Person('ed')))
    const user = await run(people.snapshot(ed))
    await run(
      Session.addAll(model.Post, [
        { title: 'a', user },
        { title: 'b', user },
      ]),
    )
    await run(Session.commit)
    const found = await run(pipe(select(model.User), selectin('posts'), Session.query))
    const shown = await run(
      pipe(
        found,
        Session.traverseArray((one) =>
          Session.gen(function* () {
            return [yield* people.show(one), yield* articles.showAll(one.posts)] as const
          }),
        ),
      ),
    )
    expectTypeOf(shown).toEqualTypeOf<ReadonlyArray<readonly [Person, ReadonlyArray<ReturnType<typeof Article>>]>>()
    const [person, posts] = shown[0]!
    expect([person.greeting, posts.map(({ title }) => title)]).toEqual(['hello, ed', ['a', 'b']])
    const loaded = await run(
      pipe(people.snapshot(person), Session.chain(Session.load(model.User, 'posts')), Session.chain(articles.showAll)),
    )
    expect(loaded[0]).toBe(posts[0])
  })

  onHost('opaque values are merged into what the session has', async ({ run }) => {
    await run(labels.add(labelOf({ label: 'a' })))
    await run(Session.commit)
    const merged = await run(labels.merge(labelOf({ id: 1, label: 'b' })))
    expect(inside(merged)).toEqual({ id: 1, label: 'b' })
    const fresh = labelOf({ label: 'c' })
    expect(await run(labels.merge(fresh))).toBe(fresh)
    await run(Session.commit)
    expect((await run(pipe(select(model.Tag), orderBy('id'), labels.query))).map((one) => inside(one).label)).toEqual([
      'b',
      'c',
    ])
  })

  onHost('values that the session does not know, and functions that fail, are told', async ({ fails, run }) => {
    expect(await fails(people.read(new Person('who')))).toEqual({ _tag: 'NotInSession', entity: 'User' })
    await run(people.addAll([new Person('ed'), new Person('al')]))
    await run(Session.commit)
    const one = new Person('one')
    const shared = Session.represent(model.User, { fromRow: () => one, toRow: (person) => Person.row(person) })
    expect(Session.render(await fails(pipe(select(model.User), shared.query)))).toBe(
      'fromRow of the representation of User failed: the object that it gave stands for another instance already.',
    )
    const throwing = Session.represent(model.User, {
      fromRow: (): Person => {
        throw new Error('no such person')
      },
      toRow: () => 7 as never,
    })
    expect(await fails(pipe(select(model.User), throwing.query))).toMatchObject({
      _tag: 'Misrepresented',
      step: 'fromRow',
      problem: 'no such person',
    })
    expect(Session.render(await fails(throwing.add(one)))).toBe(
      'toRow of the representation of User failed: it gave number, which is no object.',
    )
    const wrong = Session.represent(model.Tag, { fromRow: labelOf, toRow: () => ({ label: 7 as never }) })
    expect(await fails(wrong.add(labelOf({ label: 'a' })))).toMatchObject({ _tag: 'InvalidValue', attribute: 'label' })
  })
})

test('a rollback shows what was there before', () => {
  const engine = sqliteEngine(new Database(':memory:'))
  resultOf(createAllSync(model)(engine))
  const store = Session.createStore(Session.runtime(model, engine))
  const run = <E, A>(program: Session.Program<E, A>): A => resultOf(store.runSync(program))
  run(people.add(new Person('ed')))
  run(Session.commit)
  const [ed] = run(pipe(select(model.User), people.query))
  run(
    pipe(
      ed!,
      people.set((person) => person.renamed('al')),
    ),
  )
  run(Session.flush)
  run(Session.rollback)
  expect(run(people.read(ed!)).greeting).toBe('hello, ed')
  const other = Session.createStore(Session.runtime(model, engine))
  expect(errorOf(other.runSync(people.read(ed!)))).toEqual({ _tag: 'NotInSession', entity: 'User' })
})

const anyUser: fc.Arbitrary<RowOf<M, 'User'>> = fc.record({
  id: fc.integer(),
  name: fc.string(),
  nick: fc.option(fc.string()),
})

test('the laws of a representation are a property of any row', () => {
  fc.assert(fc.property(anyUser, (row) => Session.representationFaults(people)(row).length === 0))
  const row = { id: 1, name: 'ed', nick: 'e' }
  const losing = Session.represent(model.User, {
    fromRow: ({ name }) => new Person(name),
    toRow: (person) => Person.row(person),
  })
  expect(Session.representationFaults(losing)(row)).toEqual([
    "toRow(fromRow(row)) has another value for 'id'",
    "toRow(fromRow(row)) has another value for 'nick'",
  ])
  const growing = Session.represent(model.User, {
    fromRow: ({ id: key, name, nick }) => new Person(`${name}!`, nick, key),
    toRow: (person) => Person.row(person),
  })
  expect(Session.representationFaults(growing)(row)).toEqual([
    "toRow(fromRow(row)) has another value for 'name'",
    "'name' changes with each way there and back",
  ])
})

test('what the database computes may stand in the row of a value', () => {
  const engine = sqliteEngine(new Database(':memory:'))
  resultOf(createAllSync(model)(engine))
  const store = Session.createStore(Session.runtime(model, engine))
  const run = <E, A>(program: Session.Program<E, A>): A => resultOf(store.runSync(program))
  const plain = Session.represent(model.Post, { fromRow: (row) => ({ ...row }), toRow: (row) => row })
  run(people.add(new Person('ed')))
  run(Session.flush)
  run(Session.add(model.Post, { title: 'a', userId: 1 }))
  run(Session.flush)
  const [post] = run(pipe(select(model.Post), plain.query))
  const changed = run(
    pipe(
      post!,
      plain.set((row) => ({ ...row, title: 'b' })),
    ),
  )
  run(Session.flush)
  expect([post?.loud, run(plain.read(changed)).loud]).toEqual(['A', 'B'])
})

test('a value that a hook has changed is shown as it was accepted', () => {
  const engine = sqliteEngine(new Database(':memory:'))
  resultOf(createAllSync(model)(engine))
  const hooks = Session.defineHooks(model)({ User: { set: { name: ({ value }) => Session.accept(value.trim()) } } })
  const store = Session.createStore(Session.runtime(model, engine, { hooks }))
  const run = <E, A>(program: Session.Program<E, A>): A => resultOf(store.runSync(program))
  run(people.add(new Person('ed')))
  run(Session.commit)
  const [ed] = run(pipe(select(model.User), people.query))
  const set = (name: string) =>
    run(
      pipe(
        ed!,
        people.set((person) => person.renamed(name)),
      ),
    )
  expect(Person.row(set(' al '))).toEqual({ id: 1, name: 'al', nick: null })
  expect(Person.row(set('bo'))).toEqual({ id: 1, name: 'bo', nick: null })
})

test('types follow the representation', () => {
  expectTypeOf(people.query).returns.toExtend<Session.Program<unknown, ReadonlyArray<Person>>>()
  expectTypeOf(articles.get).parameter(0).toEqualTypeOf<number>()
  Session.represent(model.User, {
    fromRow: ({ name }) => new Person(name),
    // @ts-expect-error a name is missing
    toRow: () => ({ nick: null }),
  })
  // @ts-expect-error a query of another entity
  people.query(select(model.Tag))
})
