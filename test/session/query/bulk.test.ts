import {
  defineModel,
  deleteFrom,
  entity,
  generated,
  integer,
  nullable,
  primaryKey,
  select,
  set,
  text,
  update,
  version,
  where,
  withUpdateDefault,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { type App, model, open, openOn } from '../app.js'

const arrange = (options: Session.RuntimeOptions = {}) => {
  const app = open(options)
  const [ed, wendy, jack] = app.run(
    Session.addAll(model.User, [{ name: 'ed' }, { name: 'wendy', nickname: 'w' }, { name: 'jack' }]),
  )
  app.run(Session.flush)
  if (ed === undefined || wendy === undefined || jack === undefined) throw new Error('not added')
  return { app, ed, wendy, jack }
}

type All = ReturnType<typeof arrange>

const nicknames = ({ app, ed, wendy, jack }: All) =>
  [ed, wendy, jack].map((user) => app.run(Session.read(model.User)(user)).nickname)

const statuses = ({ app, ed, wendy, jack }: All) =>
  [ed, wendy, jack].map((user) => Session.inspect(app.store.getState(), user)?.status)

/** What the session knows of a user at the moment. */
const known = (app: App, user: All['ed']) => Session.inspect(app.store.getState(), user)?.attributes

const changed = (app: App, user: All['ed']) => Session.inspect(app.store.getState(), user)?.changed

const give = pipe(update(model.User), set({ nickname: 'n' }), where('name', 'in', ['ed', 'jack']))

const every = ['auto', 'evaluate', 'fetch'] as const

describe('a bulk update', () => {
  test.each(every)(
    'gives the number of rows, and the instances that it met have the new values, by one statement: %s',
    (synchronize) => {
      const all = arrange()
      const [affected, statements] = all.app.counted(Session.execute({ synchronize })(give))
      expect(affected).toBe(2)
      expect(statements).toHaveLength(1)
      const before = all.app.asked().length
      expect(nicknames(all)).toEqual(['n', 'w', 'n'])
      expect(all.app.asked()).toHaveLength(before)
      expect(all.app.rows('users')).toMatchObject([{ nickname: 'n' }, { nickname: 'w' }, { nickname: 'n' }])
    },
  )

  test('tells instances nothing where it is told so, until they expire', () => {
    const all = arrange()
    all.app.run(Session.execute({ synchronize: 'none' })(give))
    expect(nicknames(all)).toEqual([null, 'w', null])
    all.app.run(Session.expireAll)
    expect(nicknames(all)).toEqual(['n', 'w', 'n'])
  })

  test('flushes first', () => {
    const { app } = arrange()
    app.run(Session.add(model.User, { name: 'ed' }))
    expect(app.run(Session.execute()(give))).toBe(3)
  })

  test('is undone by a rollback, in the session too', () => {
    const all = arrange()
    all.app.run(Session.commit)
    nicknames(all)
    all.app.run(Session.commit)
    all.app.run(Session.execute()(give))
    all.app.run(Session.rollback)
    expect(nicknames(all)).toEqual([null, 'w', null])
  })

  test('leaves snapshots as they are that it did not change', () => {
    const { app, wendy } = arrange()
    const before = app.run(Session.read(model.User)(wendy))
    const same = pipe(update(model.User), set({ nickname: 'w' }), where('name', '=', 'wendy'))
    for (const synchronize of every) app.run(Session.execute({ synchronize })(same))
    expect(app.run(Session.read(model.User)(wendy))).toBe(before)
  })

  test('expires what it sets to something that only the database can tell', () => {
    const { app, ed } = arrange()
    const shout = pipe(
      update(model.User),
      set((eb) => ({ nickname: eb.fn<string>('hex', ['name']) })),
    )
    app.run(Session.execute({ synchronize: 'evaluate' })(shout))
    expect(known(app, ed)).not.toHaveProperty('nickname')
    expect(known(app, ed)).toMatchObject({ name: 'ed' })
    expect(app.run(Session.read(model.User)(ed)).nickname).toBe('6564')
  })

  test('by evaluate leaves out what has expired, and refuses what cannot be evaluated', () => {
    const all = arrange()
    all.app.run(Session.expire(model.User)(all.ed))
    all.app.run(Session.execute({ synchronize: 'evaluate' })(give))
    expect(known(all.app, all.ed)).toEqual({})
    expect(nicknames(all)).toEqual(['n', 'w', 'n'])
    const alike = pipe(
      update(model.User),
      set({ nickname: 'x' }),
      where((eb) => eb(eb.fn('hex', ['name']), '=', '6564')),
    )
    expect(all.app.fails(Session.execute({ synchronize: 'evaluate' })(alike))).toMatchObject({
      _tag: 'NotEvaluable',
      expression: 'hex()',
    })
    expect(all.app.run(Session.execute()(alike))).toBe(1)
    expect(nicknames(all)).toEqual(['x', 'w', 'n'])
  })

  test('by evaluate leaves out what has expired though some of it was set since then', () => {
    const { app, ed } = arrange({ autoflush: false })
    app.run(Session.expire(model.User)(ed))
    app.run(pipe(ed, Session.set(model.User, { nickname: 'mine' })))
    app.run(Session.execute({ synchronize: 'evaluate' })(pipe(update(model.User), set({ nickname: 'n' }))))
    expect(known(app, ed)).toEqual({ id: 1, nickname: 'mine' })
    app.run(Session.flush)
    expect(app.rows('users')[0]).toMatchObject({ nickname: 'mine' })
    app.run(Session.execute({ synchronize: 'evaluate' })(pipe(update(model.User), set({ nickname: 'n' }))))
    expect(known(app, ed)).toEqual({ id: 1, nickname: 'n' })
  })

  test('by evaluate expires what it sets on an instance that is known too little to tell', () => {
    const { app, ed, wendy } = arrange()
    app.run(Session.expire(model.User, 'name')(ed))
    app.run(Session.expire(model.User, 'name')(wendy))
    app.run(Session.execute({ synchronize: 'evaluate' })(give))
    expect(known(app, ed)).not.toHaveProperty('nickname')
    expect(known(app, wendy)).not.toHaveProperty('nickname')
    expect(app.run(Session.read(model.User)(wendy)).nickname).toBe('w')
  })

  test.each(every)(
    'forgets changes that no flush has written of what it sets, and of nothing else: %s',
    (synchronize) => {
      const { app, ed } = arrange({ autoflush: false })
      app.run(pipe(ed, Session.set(model.User, { name: 'edward', nickname: 'mine' })))
      const byKey = pipe(update(model.User), set({ nickname: 'n' }), where('id', '=', 1))
      app.run(Session.execute({ synchronize })(byKey))
      expect(changed(app, ed)).toEqual(['name'])
      expect(known(app, ed)).toMatchObject({ name: 'edward' })
      expect(known(app, ed)).not.toHaveProperty('nickname')
      app.run(Session.flush)
      expect(app.rows('users')[0]).toMatchObject({ name: 'edward', nickname: 'n' })
    },
  )

  test('does not compute from changes that no flush has written', () => {
    const { app, ed } = arrange({ autoflush: false })
    app.run(pipe(ed, Session.set(model.User, { name: 'edward' })))
    const copy = pipe(
      update(model.User),
      set((eb) => ({ nickname: eb.ref('name') })),
      where('id', '=', 1),
    )
    app.run(Session.execute()(copy))
    expect(known(app, ed)).not.toHaveProperty('nickname')
    expect(known(app, ed)).toMatchObject({ name: 'edward' })
  })

  test('that compares by order with NULL is refused before anything is flushed', () => {
    const { app } = arrange()
    app.run(Session.add(model.User, { name: 'new' }))
    const wrong = pipe(
      update(model.User),
      set({ nickname: 'n' }),
      where((eb) => eb('nickname', '>', null)),
    )
    expect(app.fails(Session.execute()(wrong))).toMatchObject({
      _tag: 'InvalidStatement',
      operation: 'bulk update',
      attribute: 'nickname',
    })
    const query = pipe(
      select(model.User),
      where((eb) => eb('nickname', '>', null)),
    )
    expect(app.fails(Session.query(query))).toMatchObject({ _tag: 'InvalidStatement', operation: 'query' })
    expect(app.rows('users')).toHaveLength(3)
  })
})

describe('a bulk update by fetch', () => {
  test('has the statement itself return the keys', () => {
    const { app } = arrange()
    const [, statements] = app.counted(Session.execute({ synchronize: 'fetch' })(give))
    expect(statements).toEqual([
      'update "users" set "nickname" = ? where "users"."name" in (?, ?) returning "users"."id"',
    ])
  })

  test('leaves instances expired that had expired', () => {
    const all = arrange()
    all.app.run(Session.commit)
    all.app.run(Session.execute({ synchronize: 'fetch' })(give))
    expect(known(all.app, all.ed)).toEqual({})
    expect(nicknames(all)).toEqual(['n', 'w', 'n'])
  })
})

describe('a bulk update of keys', () => {
  const countries = () => {
    const app = open()
    const [at, be, ch] = app.run(
      Session.addAll(model.Country, [
        { code: 'at', title: 'Austria' },
        { code: 'be', title: 'Belgium' },
        { code: 'ch', title: 'Switzerland' },
      ]),
    )
    app.run(Session.commit)
    if (at === undefined || be === undefined || ch === undefined) throw new Error('not added')
    return { app, at, be, ch }
  }
  const rename = pipe(update(model.Country), set({ code: 'aut' }), where('title', '=', 'Austria'))
  const titleOf = (app: App, country: ReturnType<typeof countries>['at']) =>
    app.run(Session.read(model.Country)(country)).title

  test.each(every)('keeps instances to their rows: %s', (synchronize) => {
    const { app, at } = countries()
    titleOf(app, at)
    expect(app.run(Session.execute({ synchronize })(rename))).toBe(1)
    expect(app.run(Session.read(model.Country)(at)).code).toBe('aut')
    expect(app.run(Session.get(model.Country, 'at'))._tag).toBe('None')
    const again = app.run(Session.get(model.Country, 'aut'))
    expect(again).toMatchObject({ value: { code: 'aut', title: 'Austria' } })
    expect(again).toMatchObject({ value: app.run(Session.read(model.Country)(at)) })
    app.run(pipe(at, Session.set(model.Country, { title: 'Österreich' })))
    app.run(Session.commit)
    expect(app.rows('countries')[0]).toEqual({ code: 'aut', title: 'Österreich' })
  })

  test.each(['auto', 'fetch'] as const)('keeps expired instances to them too: %s', (synchronize) => {
    const { app, at } = countries()
    const [, statements] = app.counted(Session.execute({ synchronize })(rename))
    expect(statements).toEqual([
      'select "countries"."code" from "countries" where "countries"."title" = ?',
      'update "countries" set "code" = ? where "countries"."title" = ?',
    ])
    expect(titleOf(app, at)).toBe('Austria')
  })

  test('gives what becomes of them from what the database computes', () => {
    const { app, at, be } = countries()
    const shout = pipe(
      update(model.Country),
      set((eb) => ({ code: eb.fn<string>('upper', ['code']) })),
      where('code', '<', 'c'),
    )
    expect(app.run(Session.execute()(shout))).toBe(2)
    expect([titleOf(app, at), titleOf(app, be)]).toEqual(['Austria', 'Belgium'])
    expect(app.run(Session.get(model.Country, 'BE'))).toMatchObject({ value: { title: 'Belgium' } })
    expect(app.fails(Session.execute({ synchronize: 'evaluate' })(shout))).toMatchObject({ _tag: 'NotEvaluable' })
  })

  test('takes what another row had, when that row has gone or moved on', () => {
    const { app, at, be, ch } = countries()
    for (const country of [at, be, ch]) titleOf(app, country)
    const shift = pipe(
      update(model.Country),
      set((eb) => ({
        code: eb.fn<string>('replace', [
          eb.fn<string>('replace', ['code', eb.val('b'), eb.val('c')]),
          eb.val('a'),
          eb.val('b'),
        ]),
      })),
      where('code', '<', 'c'),
    )
    app.run(Session.sql(sql`delete from countries where code = 'ch'`))
    app.run(Session.sql(sql`update countries set code = 'bt' where code = 'be'`))
    app.run(Session.execute()(pipe(update(model.Country), set({ code: 'be' }), where('code', '=', 'at'))))
    expect(titleOf(app, at)).toBe('Austria')
    expect(Session.inspect(app.store.getState(), be)?.status).toBe('deleted')
    app.run(Session.execute()(shift))
    expect(titleOf(app, at)).toBe('Austria')
    expect(app.run(Session.read(model.Country)(at)).code).toBe('ce')
  })

  test('is undone by a rollback, for instances that were loaded since too', () => {
    const { app } = countries()
    const at = app.run(Session.one(pipe(select(model.Country), where('code', '=', 'at'))))
    app.run(Session.execute()(rename))
    app.run(Session.rollback)
    expect(titleOf(app, at)).toBe('Austria')
    expect(app.run(Session.get(model.Country, 'at'))).toMatchObject({ value: { code: 'at' } })
  })

  test('knows the parts that it leaves alone', () => {
    const { app } = countries()
    app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    const visit = app.run(Session.add(model.Visit, { userId: 1, countryCode: 'at', times: 3 }))
    app.run(Session.commit)
    const moved = pipe(update(model.Visit), set({ countryCode: 'be', times: 4 }), where('times', '=', 3))
    app.run(Session.execute()(moved))
    expect(app.run(Session.get(model.Visit, { userId: 1, countryCode: 'be' }))).toMatchObject({ value: { times: 4 } })
    expect(app.run(Session.read(model.Visit)(visit))).toMatchObject({ userId: 1, countryCode: 'be', times: 4 })
  })
})

describe('a bulk delete', () => {
  const drop = pipe(deleteFrom(model.User), where('nickname', 'is', null))

  test.each(every)('deletes the instances that it met: %s', (synchronize) => {
    const all = arrange()
    const { app } = all
    expect(app.run(Session.execute({ synchronize })(drop))).toBe(2)
    expect(statuses(all)).toEqual(['deleted', 'persistent', 'deleted'])
    expect(app.run(Session.get(model.User, 1))).toEqual({ _tag: 'None' })
    app.run(Session.commit)
    expect(statuses(all)).toEqual(['detached', 'persistent', 'detached'])
    expect(app.rows('users')).toMatchObject([{ name: 'wendy' }])
  })

  test('by fetch deletes instances that had expired too, by one statement', () => {
    const all = arrange()
    all.app.run(Session.commit)
    const [, statements] = all.app.counted(Session.execute({ synchronize: 'fetch' })(drop))
    expect(statements).toEqual(['delete from "users" where "users"."nickname" is null returning "users"."id"'])
    expect(statuses(all)).toEqual(['deleted', 'persistent', 'deleted'])
  })

  test('by evaluate expires an instance that is known too little to tell, and forgets its changes', () => {
    const all = arrange({ autoflush: false })
    const { app, ed, wendy } = all
    app.run(Session.expire(model.User, 'nickname')(ed))
    app.run(Session.expire(model.User, 'nickname')(wendy))
    app.run(pipe(wendy, Session.set(model.User, { name: 'Wendy' })))
    app.run(Session.execute({ synchronize: 'evaluate' })(drop))
    expect(statuses(all)).toEqual(['persistent', 'persistent', 'deleted'])
    expect(app.run(Session.read(model.User)(wendy)).name).toBe('wendy')
    expect(app.fails(Session.read(model.User)(ed))).toMatchObject({ _tag: 'ObjectDeleted' })
  })

  test('leaves what is to be deleted by a flush to it no more', () => {
    const { app, ed } = arrange({ autoflush: false })
    app.run(Session.remove(model.User)(ed))
    app.run(Session.execute()(drop))
    expect(app.run(Session.flush)).toMatchObject({ deleted: 0 })
  })
})

test('a bulk statement that the database refuses is a failure, and leaves all rows', () => {
  const { app } = arrange()
  app.run(Session.add(model.Address, { email: 'a', userId: 1 }))
  app.run(Session.flush)
  expect(app.fails(Session.execute()(deleteFrom(model.User)))).toMatchObject({
    _tag: 'DatabaseError',
    operation: 'bulk delete',
    cause: { reason: { _tag: 'ForeignKeyViolation' } },
  })
  expect(app.rows('users')).toHaveLength(3)
})

describe('a bulk update of rows with attributes that updates set by themselves', () => {
  const Page = entity('Page', 'pages', {
    id: pipe(integer, primaryKey, generated),
    body: text,
    edited: pipe(
      text,
      nullable,
      withUpdateDefault(({ now }): string | null => now.toISOString()),
    ),
    revision: pipe(integer, version),
  })
  const pages = defineModel({ Page })(() => ({}))
  const rewrite = pipe(update(pages.Page), set({ body: 'new' }))

  test.each(every)('sets them, in the session too, and counts up no version: %s', (synchronize) => {
    const app = openOn(pages)
    const page = app.run(Session.add(pages.Page, { body: 'old' }))
    app.run(Session.flush)
    app.run(Session.execute({ synchronize })(rewrite))
    const after = { id: 1, body: 'new', edited: '2026-11-21T12:00:00.000Z', revision: 1 }
    expect(app.rows('pages')).toEqual([after])
    expect(Session.inspect(app.store.getState(), page)?.attributes).toEqual(after)
  })
})
