import {
  arrayOf,
  defineModel,
  entity,
  faultsOf,
  generated,
  integer,
  nullable,
  primaryKey,
  select,
  subtype,
  text,
  validate,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { found, openOn } from '../app.js'

interface EmailBrand {
  readonly Email: unique symbol
}

const Email = t.brand(t.string, (value): value is t.Branded<string, EmailBrand> => value.includes('@'), 'Email')

const id = pipe(integer, primaryKey, generated)

const Event = entity(
  'Event',
  'events',
  {
    id,
    kind: text,
    title: pipe(
      text,
      validate('title', (value) => value !== ''),
      validate('short title', (value) => value.length < 20),
    ),
    start: integer,
    end: integer,
    contact: pipe(text, validate(Email), nullable),
    tags: pipe(
      arrayOf(
        pipe(
          text,
          validate('tag', (value) => value !== ''),
        ),
      ),
      nullable,
    ),
    parentId: pipe(integer, nullable),
  },
  {
    discriminator: 'kind',
    identity: 'event',
    validate: ({ end, start }) =>
      start === undefined || end === undefined || start <= end ? {} : { end: 'it is before the start' },
  },
)
const Concert = subtype(Event)(
  'Concert',
  { band: pipe(text, nullable) },
  { identity: 'concert', validate: ({ band, title }) => (band === title ? { band: 'it is the title' } : {}) },
)

const model = defineModel({ Event, Concert })((r) => ({
  Event: {
    parts: r.Event.hasMany('Event', { foreignKey: 'parentId', inverse: 'whole', orderBy: 'id' }),
    whole: r.Event.belongsTo('Event', { foreignKey: 'parentId', inverse: 'parts' }),
  },
}))

const fair = { title: 'fair', start: 1, end: 3 }

describe('rules of an attribute', () => {
  test('are held by drafts, nested ones too, and a fault says which', () => {
    const app = openOn(model)
    expect(app.fails(Session.add(model.Event, { ...fair, parts: [{ ...fair, title: '' }] }))).toEqual({
      _tag: 'InvalidValue',
      entity: 'Event',
      attribute: 'title',
      value: '',
      problem: 'it is no title',
    })
    expect(app.fails(Session.add(model.Event, { ...fair, title: 'the fair of all the fairs' }))).toMatchObject({
      problem: 'it is no short title',
    })
    expect(Session.render(app.fails(Session.add(model.Event, { ...fair, contact: 'ed' })))).toBe(
      'Event.contact cannot be "ed": it is no Email.',
    )
  })

  test('are held by changes', () => {
    const app = openOn(model)
    const event = app.run(Session.add(model.Event, { ...fair, contact: 'ed@example.org' }))
    expect(app.fails(pipe(event, Session.set(model.Event, { contact: 'ed' })))).toMatchObject({ attribute: 'contact' })
    app.run(pipe(event, Session.set(model.Event, { contact: null })))
    expect(app.run(Session.flush)).toBeDefined()
  })

  test('are held by each item of a list', () => {
    const app = openOn(model)
    expect(app.fails(Session.add(model.Event, { ...fair, tags: ['a', ''] }))).toMatchObject({
      attribute: 'tags',
      problem: 'it is no list of tag',
    })
    app.run(Session.add(model.Event, { ...fair, tags: ['a'] }))
  })

  test('are held by merges, and by what hooks make of a value', () => {
    const app = openOn(model)
    app.run(Session.add(model.Event, fair))
    app.run(Session.commit)
    expect(app.fails(Session.merge(model.Event, { id: 1, ...fair, title: '' }))).toMatchObject({ attribute: 'title' })
    const blanking = Session.defineHooks(model)({ Event: { set: { title: () => Session.accept('') } } })
    const hooked = openOn(model, { hooks: blanking })
    expect(hooked.fails(Session.add(model.Event, fair))).toMatchObject({ problem: 'it is no title' })
  })

  test('do not keep a row from being read', () => {
    const app = openOn(model)
    app.database.exec(`insert into events (kind, title, start, "end") values ('event', '', 9, 1)`)
    expect(app.run(pipe(select(model.Event), Session.query))).toMatchObject([{ title: '' }])
    expect(app.fails(pipe(found(app, model.Event, 1), Session.set(model.Event, { start: 8 })))).toMatchObject({
      attribute: 'end',
      value: 1,
    })
  })
})

describe('rules of a row', () => {
  test('are held by drafts', () => {
    const app = openOn(model)
    expect(app.fails(Session.add(model.Event, { ...fair, end: 0 }))).toEqual({
      _tag: 'InvalidValue',
      entity: 'Event',
      attribute: 'end',
      value: 0,
      problem: 'it is before the start',
    })
  })

  test('are held by instances with their changes', () => {
    const app = openOn(model)
    app.run(Session.add(model.Event, fair))
    app.run(Session.commit)
    const event = found(app, model.Event, 1)
    expect(app.fails(pipe(event, Session.set(model.Event, { start: 4 })))).toMatchObject({ attribute: 'end', value: 3 })
    app.run(pipe(event, Session.set(model.Event, { start: 4, end: 5 })))
    app.run(Session.commit)
    expect(app.rows('events')).toMatchObject([{ start: 4, end: 5 }])
  })

  test('say nothing of what is not known', () => {
    const app = openOn(model)
    app.run(Session.add(model.Event, fair))
    app.run(Session.commit)
    const event = found(app, model.Event, 1)
    app.run(Session.expireAll)
    app.run(pipe(event, Session.set(model.Event, { start: 9 })))
    expect(app.run(Session.flushPlan).steps).toHaveLength(1)
  })

  test('are held by merges and hooked changes', () => {
    const app = openOn(model)
    app.run(Session.add(model.Event, fair))
    app.run(Session.commit)
    expect(app.fails(Session.merge(model.Event, { id: 1, title: 'fair', start: 5, end: 4 }))).toMatchObject({
      attribute: 'end',
    })
    const late = Session.defineHooks(model)({ Event: { set: { start: ({ value }) => Session.accept(value + 10) } } })
    const hooked = openOn(model, { hooks: late })
    expect(hooked.fails(Session.add(model.Event, fair))).toMatchObject({ attribute: 'end' })
  })

  test('of a subtype come beside those of its parent', () => {
    const app = openOn(model)
    expect(app.fails(Session.add(model.Concert, { ...fair, end: 0 }))).toMatchObject({ attribute: 'end' })
    expect(app.fails(Session.add(model.Concert, { ...fair, band: 'fair' }))).toMatchObject({
      entity: 'Concert',
      attribute: 'band',
    })
  })
})

test('all faults of a draft are told without a session', () => {
  expect(faultsOf(model.Event)({ title: '', start: 4, end: 2, contact: 7 })).toEqual([
    { attribute: 'title', value: '', problem: 'it is no title' },
    { attribute: 'contact', value: 7, problem: 'it is no string | null' },
    { attribute: 'end', value: 2, problem: 'it is before the start' },
  ])
  expect(faultsOf(model.Event)(fair)).toEqual([])
})
