import {
  criteria,
  defineModel,
  deleteFrom,
  entity,
  generated,
  integer,
  named,
  nullable,
  orderBy,
  primaryKey,
  select,
  serverVersion,
  set,
  subtype,
  text,
  unique,
  update,
  version,
  where,
  withServerDefault,
  withSubtypes,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { staff } from '../../core/model/staff.js'
import { type App, found, openOn } from '../app.js'
import { openOnServer, servers } from '../server-app.js'

const filled = (options: Session.RuntimeOptions = {}): App => {
  const app = openOn(staff, options)
  app.run(
    pipe(
      Session.add(staff.Company, {
        name: 'acme',
        employees: [
          { name: 'pat' },
          { kind: 'engineer', name: 'ed', language: 'ts' },
          { kind: 'manager', name: 'mary', level: 3 },
          { kind: 'lead', name: 'lee', language: 'js', team: 'core' },
        ],
      }),
      Session.chain(() => Session.commit),
      Session.chain(() => Session.expungeAll),
    ),
  )
  app.clear()
  return app
}

describe('bulk statements on a hierarchy', () => {
  test('update what the session holds of every subtype', () => {
    const app = filled()
    const lee = found(app, staff.Lead, 4)
    expect(app.run(pipe(update(staff.Person), set({ name: 'x' }), where('id', '>', 2), Session.execute()))).toBe(2)
    expect(app.counted(Session.read(staff.Lead)(lee))).toMatchObject([{ name: 'x', language: 'js' }, []])
  })

  test('update one table of a subtype by conditions on another', () => {
    const app = filled()
    const ed = found(app, staff.Engineer, 2)
    const change = pipe(update(staff.Engineer), set({ language: 'rust' }), where('name', '=', 'ed'))
    expect(app.run(Session.execute()(change))).toBe(1)
    expect(app.run(Session.read(staff.Engineer)(ed)).language).toBe('rust')
    const fetched = pipe(update(staff.Lead), set({ team: 'x' }), Session.execute({ synchronize: 'fetch' }))
    expect(app.run(fetched)).toBe(1)
    expect(found(app, staff.Lead, 4).team).toBe('x')
    const raise = pipe(
      update(staff.Manager),
      set((eb) => ({ level: eb('level', '+', 1) })),
      Session.execute(),
    )
    expect(app.run(raise)).toBe(1)
    expect(found(app, staff.Manager, 3).level).toBe(4)
    expect(app.rows('engineers')).toMatchObject([{ lang: 'rust' }, { lang: 'js', team: 'x' }])
  })

  test('delete the rows of a subtype from all of its tables, and no others', () => {
    const app = filled()
    const lee = found(app, staff.Lead, 4)
    expect(app.run(pipe(deleteFrom(staff.Engineer), where('language', '=', 'js'), Session.execute()))).toBe(1)
    expect(app.rows('people')).toHaveLength(3)
    expect(app.rows('engineers')).toHaveLength(1)
    expect(Session.inspect(app.store.getState(), lee)?.status).toBe('deleted')
    expect(app.run(pipe(deleteFrom(staff.Manager), Session.execute({ synchronize: 'fetch' })))).toBe(1)
    expect(app.rows('people')).toHaveLength(2)
  })

  test('refuse to write several tables', () => {
    const app = filled()
    const both = pipe(update(staff.Engineer), set({ language: 'x', name: 'y' }), Session.execute())
    const error = app.fails(both)
    expect(error).toMatchObject({ _tag: 'InvalidStatement', operation: 'bulk update', entity: 'Engineer' })
    expect(Session.render(error)).toMatchInlineSnapshot(
      `"The bulk update cannot run: Engineer: one update cannot write the tables people, engineers; say it of each by a statement of its own."`,
    )
  })
})

describe('a session', () => {
  test('merges a draft into an instance of what it is', () => {
    const app = filled()
    app.run(Session.merge(staff.Engineer, { id: 2, name: 'edward', language: 'go' }))
    app.run(Session.merge(staff.Person, { id: 4, name: 'leo' }))
    app.run(Session.commit)
    expect(found(app, staff.Engineer, 2)).toMatchObject({ name: 'edward', language: 'go' })
    expect(found(app, staff.Lead, 4)).toMatchObject({ name: 'leo', team: 'core' })
    const made = app.run(
      Session.merge(staff.Company, { name: 'new', employees: [{ kind: 'lead', name: 'l', language: 'x', team: 't' }] }),
    )
    app.run(Session.commit)
    expect(app.run(pipe(made as never, Session.load(staff.Company, 'employees')))).toMatchObject([{ kind: 'lead' }])
    expect(app.rows('engineers')).toHaveLength(3)
  })

  test('attaches and merges instances of another session', () => {
    const app = filled()
    const lee = found(app, staff.Lead, 4)
    const from = app.store.getState()
    const other = filled()
    expect(other.run(Session.merge(staff.Person, lee, { from }))).toMatchObject({ kind: 'lead', team: 'core' })
    const empty = openOn(staff)
    empty.run(Session.add(staff.Company, { name: 'other' }))
    expect(empty.run(Session.merge(staff.Person, lee, { from }))).toMatchObject({ kind: 'lead', team: 'core' })
    empty.run(Session.commit)
    expect(empty.rows('engineers')).toEqual([{ person_id: 4, lang: 'js', mentor_id: null, team: 'core' }])
  })

  test('knows history, expires, refreshes and expunges through the base', () => {
    const app = filled()
    const lee = found(app, staff.Lead, 4)
    app.run(Session.set(staff.Person, { name: 'leo' })(lee))
    expect(app.run(Session.history(staff.Person, 'name')(lee))).toMatchObject({ added: ['leo'], deleted: ['lee'] })
    app.run(Session.expire(staff.Person)(lee))
    app.database.exec("update engineers set team = 'shell' where person_id = 4")
    expect(app.run(Session.refresh(staff.Person)(lee))).toMatchObject({ name: 'lee', team: 'shell' })
    app.run(Session.expunge(staff.Person)(lee))
    expect(Session.inspect(app.store.getState(), lee)?.status).toBe('detached')
  })

  test('walks a mixed graph, and says what its unit of work is', () => {
    const app = filled()
    const company = found(app, staff.Company, 1)
    const employees = app.run(Session.load(staff.Company, 'employees')(company))
    for (const one of employees) app.run(Session.set(staff.Person, { name: `${one.name}!` })(one))
    const { changed } = Session.unitOfWork(staff.Person)(app.store.getState())
    expect(changed.map(({ name }) => name)).toEqual(['pat!', 'ed!', 'mary!', 'lee!'])
    expect(Session.unitOfWork(staff.Engineer)(app.store.getState()).changed).toHaveLength(2)
  })

  test('streams subtypes as what they are', () => {
    const app = filled()
    app.run(Session.commit)
    const seen: unknown[] = []
    const wide = pipe(select(staff.Person), withSubtypes('*'))
    for (const one of Session.streamSync(app.runtime)(wide)) {
      if (one._tag === 'Right') seen.push(one.right.kind === 'lead' ? one.right.team : one.right.kind)
    }
    expect(seen).toEqual(['person', 'engineer', 'manager', 'core'])
  })

  test('calls hooks of a base for its subtypes, before their own', () => {
    const calls: string[] = []
    const note = (name: string) => () => {
      calls.push(name)
      return Session.keep()
    }
    const hooks = Session.defineHooks(staff)({
      Person: { set: { name: note('person name') }, load: note('person load') },
      Engineer: {
        set: { name: note('engineer name'), language: note('engineer language') },
        load: note('engineer load'),
      },
    })
    const app = filled({ hooks })
    calls.length = 0
    const lee = found(app, staff.Lead, 4)
    expect(calls).toEqual(['person load', 'engineer load'])
    calls.length = 0
    app.run(Session.set(staff.Lead, { name: 'x', language: 'y' })(lee))
    expect(calls).toEqual(['person name', 'engineer name', 'engineer language'])
    calls.length = 0
    app.run(pipe(select(staff.Person), Session.query))
    expect(calls).toEqual(['person load', 'person load', 'engineer load', 'person load'])
  })
})

describe('a version', () => {
  const Doc = entity(
    'Doc',
    'docs',
    { id: pipe(integer, primaryKey, generated), kind: text, title: text, version: version(integer) },
    { discriminator: 'kind', identity: 'doc' },
  )
  const Letter = subtype(Doc)('Letter', 'letters', { recipient: text }, { identity: 'letter' })
  const model = defineModel({ Doc, Letter })(() => ({}))

  test('in the root counts what changes in any table, and is checked there', () => {
    const app = openOn(model)
    const letter = app.run(Session.add(model.Letter, { title: 't', recipient: 'r' }))
    app.run(Session.commit)
    app.run(Session.read(model.Letter)(letter))
    app.run(Session.set(model.Letter, { recipient: 'x' })(letter))
    expect(app.counted(Session.flush)[1]).toEqual(['Update docs 1', 'Update letters 1'])
    app.run(Session.commit)
    expect(app.rows('docs')).toMatchObject([{ version: 2 }])
    found(app, model.Letter, 1)
    app.database.exec('update docs set version = 9')
    app.run(Session.set(model.Letter, { recipient: 'y' })(letter))
    expect(app.fails(Session.flush)).toMatchObject({ _tag: 'StaleData', entity: 'Letter', table: 'docs', key: 1 })
    app.run(Session.rollback)
    expect(app.rows('letters')).toMatchObject([{ recipient: 'x' }])
  })

  test('is checked by a delete, in the table that has it', () => {
    const app = openOn(model)
    const letter = app.run(Session.add(model.Letter, { title: 't', recipient: 'r' }))
    app.run(Session.commit)
    found(app, model.Letter, 1)
    app.database.exec('update docs set version = 9')
    app.run(Session.remove(model.Doc)(letter))
    expect(app.fails(Session.flush)).toMatchObject({ _tag: 'StaleData', entity: 'Letter', table: 'docs' })
    app.run(Session.rollback)
    expect(app.rows('letters')).toHaveLength(1)
  })
})

describe('a version that the database gives', () => {
  const Doc = entity(
    'Doc',
    'docs',
    {
      id: pipe(integer, primaryKey, generated),
      kind: text,
      title: text,
      version: pipe(integer, withServerDefault(sql`1`), serverVersion),
    },
    { discriminator: 'kind', identity: 'doc' },
  )
  const Letter = subtype(Doc)('Letter', 'letters', { recipient: text }, { identity: 'letter' })
  const model = defineModel({ Doc, Letter })(() => ({}))

  test('is another with a change of any table, since the root is written with it', () => {
    const app = openOn(model)
    app.database.exec(
      'create trigger counting after update on docs for each row begin update docs set version = old.version + 1 where id = old.id; end',
    )
    app.run(Session.add(model.Letter, { title: 't', recipient: 'r' }))
    app.run(Session.commit)
    app.run(Session.set(model.Letter, { recipient: 'x' })(found(app, model.Letter, 1)))
    expect(Session.explain(app.run(Session.flushPlan))).toMatchInlineSnapshot(`
      "1. update docs (1 row)
           #0: kind = 'letter' where id = 1, version = 1
      2. update letters (1 row), after 1
           #0: recipient = 'x' where id = 1"
    `)
    app.run(Session.commit)
    expect(app.rows('docs')).toMatchObject([{ version: 2 }])
    expect(found(app, model.Letter, 1)).toMatchObject({ version: 2, recipient: 'x' })
  })
})

test('an abstract entity has no instances that are not of a subtype', () => {
  const Shape = entity(
    'Shape',
    'shapes',
    { id: pipe(integer, primaryKey, generated), kind: text },
    { discriminator: 'kind' },
  )
  const Circle = subtype(Shape)('Circle', { radius: integer }, { identity: 'circle' })
  const model = defineModel({ Shape, Circle })(() => ({}))
  const app = openOn(model)
  expect(app.fails(Session.add(model.Shape, {} as never))).toEqual({
    _tag: 'InvalidValue',
    entity: 'Shape',
    attribute: 'kind',
    value: undefined,
    problem: 'Shape is abstract, and this is the identity of none of its subtypes',
  })
  app.run(Session.add(model.Shape, { kind: 'circle', radius: 2 } as never))
  app.run(Session.commit)
  expect(app.run(pipe(select(model.Shape), withSubtypes('*'), Session.query))).toMatchObject([
    { kind: 'circle', radius: 2 },
  ])
})

describe('unique values', () => {
  const Item = entity(
    'Item',
    'items',
    { id: pipe(integer, primaryKey, generated), kind: text, code: pipe(text, unique) },
    { discriminator: 'kind', identity: 'item' },
  )
  const Book = subtype(Item)('Book', 'books', { isbn: pipe(text, unique) }, { identity: 'book' })
  const Tag = entity('Tag', 'tags', { name: pipe(text, primaryKey), place: pipe(integer, unique) })
  const model = defineModel({ Item, Book, Tag })(() => ({}))

  test('change places in each table of a hierarchy, and beside it', () => {
    const app = openOn(model)
    app.run(Session.add(model.Item, { code: 'a' }))
    app.run(
      Session.addAll(model.Book, [
        { code: 'b', isbn: '1' },
        { code: 'c', isbn: '2' },
      ]),
    )
    app.run(
      Session.addAll(model.Tag, [
        { name: 'x', place: 1 },
        { name: 'y', place: 2 },
      ]),
    )
    app.run(Session.commit)
    const [a, b, c] = app.run(pipe(select(model.Item), withSubtypes('*'), orderBy('id'), Session.query))
    const [x, y] = app.run(pipe(select(model.Tag), orderBy('name'), Session.query))
    if (a === undefined || x === undefined || y === undefined || b?.kind !== 'book' || c?.kind !== 'book') {
      throw new Error('not there')
    }
    app.run(Session.set(model.Item, { code: 'b' })(a))
    app.run(Session.set(model.Book, { code: 'a', isbn: '2' })(b))
    app.run(Session.set(model.Book, { isbn: '1' })(c))
    app.run(Session.set(model.Tag, { place: 2 })(x))
    app.run(Session.set(model.Tag, { place: 1 })(y))
    app.run(Session.commit)
    expect(app.rows('items')).toMatchObject([{ code: 'b' }, { code: 'a' }, { code: 'c' }])
    expect(app.rows('books')).toMatchObject([{ isbn: '2' }, { isbn: '1' }])
    expect(app.rows('tags')).toMatchObject([{ place: 2 }, { place: 1 }])
  })
})

describe('unique values of a column that subtypes call by different names', () => {
  const id = pipe(integer, primaryKey, generated)
  const Person = entity('Person', 'people', { id, kind: text }, { discriminator: 'kind', identity: 'person' })
  const Guard = subtype(Person)(
    'Guard',
    { badge: pipe(integer, nullable, unique, named('number')) },
    { identity: 'guard' },
  )
  const Guest = subtype(Person)(
    'Guest',
    // its own word for another column
    { ticket: pipe(integer, nullable, unique, named('number')), badge: pipe(text, nullable, named('colour')) },
    { identity: 'guest' },
  )
  const model = defineModel({ Person, Guard, Guest })(() => ({}))

  const fill = Session.gen(function* () {
    yield* Session.add(model.Guard, { badge: 1 })
    yield* Session.addAll(model.Guest, [
      { ticket: 2, badge: 'red' },
      { ticket: 3, badge: 'blue' },
    ])
    yield* Session.commit
    const guard = yield* pipe(select(model.Guard), Session.one)
    const [guest, other] = yield* pipe(select(model.Guest), orderBy('id'), Session.query)
    return [guard, guest!, other!] as const
  })
  const numbers = (rows: ReadonlyArray<unknown>) => rows.map((row) => (row as { readonly number: unknown }).number)

  const swap = Session.gen(function* () {
    const [guard, guest, other] = yield* fill
    yield* pipe(guard, Session.set(model.Guard, { badge: 2 }))
    yield* pipe(guest, Session.set(model.Guest, { ticket: 3 }))
    yield* pipe(other, Session.set(model.Guest, { ticket: 1, badge: 'green' }))
    yield* Session.commit
  })

  const leave = Session.gen(function* () {
    const [guard, guest, other] = yield* fill
    yield* pipe(guest, Session.remove(model.Guest))
    yield* pipe(guard, Session.set(model.Guard, { badge: 2 }))
    yield* pipe(other, Session.set(model.Guest, { ticket: 1 }))
    yield* Session.add(model.Guard, { badge: 3 })
    yield* Session.commit
  })

  test('change places, and are taken from what goes', () => {
    const swapped = openOn(model)
    swapped.run(swap)
    expect(numbers(swapped.rows('people'))).toEqual([2, 3, 1])
    const left = openOn(model)
    left.run(leave)
    expect(numbers(left.rows('people'))).toEqual([2, 1, 3])
  })

  for (const { host, title, isMissing } of servers) {
    test.skipIf(isMissing)(`on ${title} too`, async () => {
      const swapped = await openOnServer(host, model)
      await swapped.run(swap)
      expect(numbers(await swapped.rows('people'))).toEqual([2, 3, 1])
      const left = await openOnServer(host, model)
      await left.run(leave)
      expect(numbers(await left.rows('people'))).toEqual([2, 1, 3])
    })
  }
})

describe('what holds for every query of a base', () => {
  const rules = criteria(staff)({ Person: { named: (eb) => eb('name', '!=', 'lee') } })

  test('holds for its subtypes', () => {
    const app = filled({ criteria: rules })
    const names = (query: Session.Program<unknown, ReadonlyArray<{ readonly name: string }>>) =>
      app.run(query).map(({ name }) => name)
    expect(names(pipe(select(staff.Person), orderBy('id'), Session.query))).toEqual(['pat', 'ed', 'mary'])
    expect(names(pipe(select(staff.Person), withSubtypes('*'), orderBy('id'), Session.query))).toHaveLength(3)
    expect(names(pipe(select(staff.Engineer), Session.query))).toEqual(['ed'])
    expect(app.run(Session.get(staff.Lead, 4))._tag).toBe('None')
    expect(app.run(pipe(update(staff.Engineer), set({ language: 'x' }), Session.execute()))).toBe(1)
  })
})

test('inserts and updates of many rows past the session are refused where they would write several tables', () => {
  const app = filled()
  expect(app.fails(Session.updateMany(staff.Engineer, [{ id: 2, language: 'x' }]))).toMatchObject({
    cause: { _tag: 'SeveralTables', operation: 'update' },
  })
  expect(app.run(Session.updateMany(staff.Person, [{ id: 2, name: 'edward' }]))).toBe(1)
  expect(app.rows('people')).toMatchObject([{}, { full_name: 'edward' }, {}, {}])
})
