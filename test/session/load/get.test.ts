import * as Session from '@unitary/session'
import { describe, expect, test } from 'vitest'
import { model, open } from '../app.js'

/** A session that has committed Ed, number 1, and a visit of his to France. */
const arrange = () => {
  const app = open()
  const ed = app.run(Session.add(model.User, { name: 'ed' }))
  app.run(Session.flush)
  app.run(Session.add(model.Visit, { userId: 1, times: 3, country: { code: 'fr', title: 'France' } }))
  app.run(Session.commit)
  return { app, ed }
}

describe('get', () => {
  test('asks the database once, and the identity map from then on', () => {
    const { app } = arrange()
    const [first, statements] = app.counted(Session.get(model.User, 1))
    expect(first).toMatchObject({ _tag: 'Some', value: { id: 1, name: 'ed' } })
    expect(statements).toHaveLength(1)
    const [again, none] = app.counted(Session.get(model.User, 1))
    expect(none).toEqual([])
    if (first._tag === 'Some' && again._tag === 'Some') expect(again.value).toBe(first.value)
  })

  test('finds what this session has added and flushed without asking', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    const [found, statements] = app.counted(Session.get(model.User, 1))
    expect(statements).toEqual([])
    expect(found).toMatchObject({ value: { id: 1 } })
    expect(found._tag === 'Some' && found.value).toBe(app.run(Session.read(model.User)(ed)))
  })

  test('is none where there is no row, and asks again the next time', () => {
    const { app } = arrange()
    expect(app.counted(Session.get(model.User, 9))).toMatchObject([{ _tag: 'None' }, [expect.any(String)]])
    app.database.exec("insert into users (id, name, joined_at) values (9, 'nine', '2026-01-01T00:00:00.000Z')")
    expect(app.run(Session.get(model.User, 9))).toMatchObject({ value: { name: 'nine' } })
  })

  test('takes a record for a key of several columns', () => {
    const { app } = arrange()
    expect(app.run(Session.get(model.Visit, { userId: 1, countryCode: 'fr' }))).toMatchObject({ value: { times: 3 } })
    expect(app.counted(Session.get(model.Visit, { countryCode: 'fr', userId: 1 }))[1]).toEqual([])
    expect(app.run(Session.get(model.Visit, { userId: 1, countryCode: 'de' }))).toEqual({ _tag: 'None' })
  })

  test('an expired instance whose row is gone leaves the session', () => {
    const { app, ed } = arrange()
    app.database.exec('pragma foreign_keys = off; delete from users')
    expect(app.run(Session.get(model.User, 1))).toEqual({ _tag: 'None' })
    expect(Session.inspect(app.store.getState(), ed)?.status).not.toBe('persistent')
    const [, statements] = app.counted(Session.get(model.User, 1))
    expect(statements).toHaveLength(1)
    app.run(Session.commit)
    expect(Session.inspect(app.store.getState(), ed)?.status).toBe('detached')
  })

  test('populateExisting overwrites what is known', () => {
    const { app } = arrange()
    app.run(Session.get(model.User, 1))
    app.database.exec("update users set name = 'edward'")
    expect(app.run(Session.get(model.User, 1))).toMatchObject({ value: { name: 'ed' } })
    expect(app.run(Session.get(model.User, 1, { populateExisting: true }))).toMatchObject({ value: { name: 'edward' } })
    expect(app.run(Session.get(model.User, 1))).toMatchObject({ value: { name: 'edward' } })
  })

  test('flushes first where it has to ask', () => {
    const { app } = arrange()
    app.run(Session.add(model.User, { id: 5, name: 'five' }))
    const [found, statements] = app.counted(Session.get(model.User, 5))
    expect(found).toMatchObject({ value: { name: 'five' } })
    expect(statements[0]).toBe('Insert users 1')
  })
})

describe('read', () => {
  test('gives the same snapshot while the instance has not changed', () => {
    const { app, ed } = arrange()
    const first = app.run(Session.read(model.User)(ed))
    app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.flush)
    expect(app.run(Session.read(model.User)(ed))).toBe(first)
    expect(app.run(Session.read(model.User)(first))).toBe(first)
  })

  test('snapshots are frozen rows: they compare by their attributes, and a copy is plain data', () => {
    const { app, ed } = arrange()
    const read = app.run(Session.read(model.User)(ed))
    expect(Object.isFrozen(read)).toBe(true)
    expect(Object.keys(read)).toEqual(['id', 'name', 'nickname', 'joined'])
    expect(JSON.parse(JSON.stringify(read))).toMatchObject({ id: 1, name: 'ed', nickname: null })
    expect(app.fails(Session.read(model.User)({ ...read } as never))).toEqual({ _tag: 'NotInSession', entity: 'User' })
  })

  test('of a pending instance gives what is known of it', () => {
    const { app } = arrange()
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    const [read, statements] = app.counted(Session.read(model.User)(wendy))
    expect(read).toBe(wendy)
    expect(statements).toEqual([])
  })
})
