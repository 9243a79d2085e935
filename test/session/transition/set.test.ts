import { bytes, column, defineModel, entity, integer, isoDate, json, primaryKey } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { model, now, open, openOn, resultOf } from '../app.js'

const changedOf = (app: ReturnType<typeof open>, snapshot: Parameters<typeof Session.inspect>[1]) =>
  Session.inspect(app.store.getState(), snapshot)?.changed

describe('set', () => {
  test('gives a snapshot with the changes, and leaves the one given as it was', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    const edward = app.run(Session.set(model.User, { name: 'edward' })(ed))
    expect(edward.name).toBe('edward')
    expect(ed.name).toBe('ed')
    expect(app.run(Session.gets((state) => Session.inspect(state, ed)?.attributes.name))).toBe('edward')
  })

  test('only what differs is written', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', nickname: 'e' }))
    app.run(Session.flush)
    app.clear()
    app.run(Session.set(model.User, { name: 'edward', nickname: 'e' })(ed))
    expect(changedOf(app, ed)).toEqual(['name'])
    expect(Session.explain(app.run(Session.flushPlan))).toBe(
      ['1. update users (1 row)', "     #0: name = 'edward' where id = 1"].join('\n'),
    )
  })

  test('an attribute set back to its database value is no change', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    const other = app.run(Session.set(model.User, { name: 'edward', joined: new Date(0) })(ed))
    app.run(Session.set(model.User, { name: 'ed', joined: new Date(now) })(other))
    expect(changedOf(app, ed)).toEqual([])
    app.clear()
    expect(app.run(Session.flush)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
    expect(app.asked()).toEqual([])
  })

  test('setting nothing new gives the same snapshot and the same state', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    const current = app.run(Session.read(model.User)(ed))
    const before = app.store.getState()
    expect(app.run(Session.set(model.User, { name: 'ed', joined: new Date(now) })(current))).toBe(current)
    expect(app.run(Session.set(model.User, {})(current))).toBe(current)
    expect(app.store.getState()).toBe(before)
  })

  test('values are compared as the database would have them', () => {
    const Thing = entity('Thing', 'things', {
      id: pipe(integer, primaryKey),
      at: column(isoDate, 'text'),
      tags: column(json(t.array(t.string)), 'json'),
      data: column(bytes, 'blob'),
    })
    const things = defineModel({ Thing })(() => ({}))
    const app = openOn(things)
    const thing = app.run(
      Session.add(things.Thing, { id: 1, at: new Date(5), tags: ['a'], data: new Uint8Array([1, 2]) }),
    )
    app.run(Session.flush)
    app.run(Session.set(things.Thing, { at: new Date(5), tags: ['a'], data: new Uint8Array([1, 2]) })(thing))
    expect(app.run(Session.flush).updated).toBe(0)
    app.run(Session.set(things.Thing, { data: new Uint8Array([1, 3]) })(thing))
    expect(app.run(Session.flush).updated).toBe(1)
    app.run(Session.set(things.Thing, { data: new Uint8Array([1]), tags: [] })(thing))
    app.run(Session.commit)
    expect(app.rows('things')).toEqual([{ id: 1, at: '1970-01-01T00:00:00.005Z', tags: '[]', data: Buffer.from([1]) }])
  })

  test('an attribute set while it has expired is written without being read first', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', nickname: 'e' }))
    app.run(Session.commit)
    app.clear()
    const edward = app.run(Session.set(model.User, { name: 'edward' })(ed))
    expect({ ...edward }).toMatchObject({ name: 'edward', nickname: 'e' })
    app.run(Session.flush)
    expect(app.asked()).toEqual(['Begin', 'Update users 1'])
    expect(app.run(Session.read(model.User)(edward))).toMatchObject({ id: 1, name: 'edward', nickname: 'e' })
  })

  test('reading what had expired keeps the changes made meanwhile', () => {
    const app = open({ autoflush: false })
    const ed = app.run(Session.add(model.User, { name: 'ed', nickname: 'e' }))
    app.run(Session.commit)
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    expect(app.run(Session.read(model.User)(ed))).toMatchObject({ name: 'edward', nickname: 'e' })
    expect(changedOf(app, ed)).toEqual(['name'])
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'edward' }])
  })

  test('sets a reference to an instance, a draft, or nothing', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    const address = app.run(Session.add(model.Address, { email: 'a' }))
    app.run(Session.set(model.Address, { user: ed })(address))
    app.run(Session.flush)
    expect(app.rows('addresses')).toMatchObject([{ user_id: 1 }])
    app.run(Session.set(model.Address, { user: { name: 'wendy' }, email: 'b' })(address))
    app.run(Session.flush)
    expect(app.rows('addresses')).toMatchObject([{ user_id: 2, email: 'b' }])
    app.run(Session.set(model.Address, { user: null })(address))
    app.run(Session.flush)
    expect(app.rows('addresses')).toMatchObject([{ user_id: null, email: 'b' }])
  })

  test('a reference set to what it is already is no change', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    app.run(Session.commit)
    const [address] = app.run(Session.load(model.User, 'addresses')(ed))
    app.run(Session.set(model.Address, { user: null })(address as never))
    app.run(Session.set(model.Address, { user: ed })(address as never))
    expect(app.run(Session.flush).updated).toBe(0)
    expect(app.store.getState().changed.size).toBe(0)
  })

  test('a collection is not set', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    expect(app.fails(Session.set(model.User, { addresses: [] } as never)(ed))).toMatchObject({
      _tag: 'InvalidValue',
      attribute: 'addresses',
      problem: 'a collection is changed by append, detach or replace',
    })
  })

  test('a changed key moves the instance in the identity map', () => {
    const app = open()
    const country = app.run(Session.add(model.Country, { code: 'fr', title: 'France' }))
    app.run(Session.commit)
    app.run(Session.set(model.Country, { code: 'FR' })(country))
    app.run(Session.flush)
    expect(app.rows('countries')).toEqual([{ code: 'FR', title: 'France' }])
    const [found, statements] = app.counted(Session.get(model.Country, 'FR'))
    expect(found).toMatchObject({ _tag: 'Some', value: { code: 'FR', title: 'France' } })
    expect(statements).toHaveLength(1) // its title had expired
    expect(app.run(Session.get(model.Country, 'fr'))).toEqual({ _tag: 'None' })
  })

  test('what refers to an instance whose key changes in the same flush gets the new key', () => {
    const app = open()
    app.run(Session.add(model.User, { name: 'ed' }))
    const country = app.run(Session.add(model.Country, { code: 'fr', title: 'France' }))
    app.run(Session.flush)
    app.run(Session.set(model.Country, { code: 'FR' })(country))
    app.run(Session.add(model.Visit, { userId: 1, times: 1, country }))
    app.run(Session.commit)
    expect(app.rows('visits')).toEqual([{ user_id: 1, country_code: 'FR', times: 1 }])
  })

  test('runs as a program of its own on a transient instance', () => {
    const app = open()
    const result = Session.runSync(app.runtime)(
      Session.chain((ed: { readonly name: string } & Parameters<typeof Session.inspect>[1]) => Session.of(ed.name))(
        Session.make(model.User, { name: 'ed' }) as never,
      ),
    )
    expect(resultOf(result)).toBe('ed')
  })
})
