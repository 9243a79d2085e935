import type { Draft } from '@unitary/core'
import {
  defineModel,
  deleteFrom,
  entity,
  integer,
  primaryKey,
  select,
  set,
  subtype,
  text,
  update,
  where,
  withSubtypes,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type Staff, staff } from '../../core/model/staff.js'
import { type App, found, openOn } from '../app.js'

const acme: Draft<Staff, 'Company'> = {
  name: 'acme',
  employees: [
    { name: 'pat' },
    { kind: 'engineer', name: 'ed', language: 'ts', machines: [{ label: 'lathe' }] },
    { kind: 'manager', name: 'mary', level: 3 },
    { kind: 'lead', name: 'lee', language: 'js', team: 'core' },
    { kind: 'architect', name: 'ada', language: 'c', style: 'bold' },
    { kind: 'manager', name: 'max' },
  ],
}

const filled = (): App => {
  const app = openOn(staff)
  app.run(
    pipe(
      Session.add(staff.Company, acme),
      Session.chain(() => Session.commit),
    ),
  )
  app.clear()
  return app
}

const flushed = (app: App) => app.counted(Session.flush)[1]

describe('the flush of a hierarchy', () => {
  test('inserts the rows of the root first, in the order of the drafts, then what the subtypes add', () => {
    const app = openOn(staff)
    app.run(Session.add(staff.Company, acme))
    const plan = app.run(Session.flushPlan)
    expect(Session.explain(plan)).toMatchInlineSnapshot(`
      "1. insert into companies (1 row)
           #0: name = 'acme'; the database gives id
      2. insert into people (2 rows), after 1
           #1: kind = 'person', name = 'pat', companyId = id of #0; the database gives id
           #2: kind = 'engineer', name = 'ed', companyId = id of #0; the database gives id
      3. insert into people (1 row), after 1, 2
           #3: kind = 'manager', name = 'mary', companyId = id of #0, level = 3; the database gives id
      4. insert into people (2 rows), after 1, 3
           #4: kind = 'lead', name = 'lee', companyId = id of #0; the database gives id
           #5: kind = 'architect', name = 'ada', companyId = id of #0; the database gives id
      5. insert into people (1 row), after 1, 4
           #6: kind = 'manager', name = 'max', companyId = id of #0, level = 1; the database gives id
      6. insert into engineers (2 rows), after 1, 5
           #2: id = id of #2, language = 'ts', mentorId = null
           #5: id = id of #5, language = 'c', mentorId = null
      7. insert into engineers (1 row), after 1, 6
           #4: id = id of #4, language = 'js', mentorId = null, team = 'core'
      8. insert into architects (1 row), after 1, 7
           #5: id = id of #5, style = 'bold'
      9. insert into machines (1 row), after 8
           #7: label = 'lathe', engineerId = id of #2; the database gives id"
    `)
    expect(app.run(Session.flush)).toMatchObject({ inserted: 8, updated: 0, deleted: 0, notices: [] })
    expect(app.rows('people')).toEqual([
      { id: 1, kind: 'person', full_name: 'pat', company_id: 1, level: null },
      { id: 2, kind: 'engineer', full_name: 'ed', company_id: 1, level: null },
      { id: 3, kind: 'manager', full_name: 'mary', company_id: 1, level: 3 },
      { id: 4, kind: 'lead', full_name: 'lee', company_id: 1, level: null },
      { id: 5, kind: 'architect', full_name: 'ada', company_id: 1, level: null },
      { id: 6, kind: 'manager', full_name: 'max', company_id: 1, level: 1 },
    ])
    expect(app.rows('engineers')).toEqual([
      { person_id: 2, lang: 'ts', mentor_id: null, team: null },
      { person_id: 4, lang: 'js', mentor_id: null, team: 'core' },
      { person_id: 5, lang: 'c', mentor_id: null, team: null },
    ])
    expect(app.rows('architects')).toEqual([{ id: 5, style: 'bold' }])
    expect(app.rows('machines')).toEqual([{ id: 1, label: 'lathe', engineer_id: 2 }])
  })

  test('writes the table that changed, and no other', () => {
    const app = filled()
    const ada = found(app, staff.Architect, 5)
    app.run(pipe(ada, Session.set(staff.Architect, { style: 'plain' })))
    expect(flushed(app)).toEqual(['Update architects 1'])
    app.run(pipe(ada, Session.set(staff.Person, { name: 'Ada' })))
    expect(flushed(app)).toEqual(['Update people 1'])
    app.run(pipe(ada, Session.set(staff.Architect, { language: 'rust', style: null, name: 'A' })))
    const [done, statements] = app.counted(Session.flush)
    expect(statements).toEqual(['Update people 1', 'Update engineers 1', 'Update architects 1'])
    expect(done.updated).toBe(1)
    app.run(Session.commit)
    expect(found(app, staff.Architect, 5)).toMatchObject({
      name: 'A',
      language: 'rust',
      style: null,
      kind: 'architect',
    })
  })

  test('deletes what subtypes add before the rows of the root', () => {
    const app = filled()
    const company = found(app, staff.Company, 1)
    app.run(pipe(company, Session.remove(staff.Company)))
    const [done, statements] = app.counted(Session.flush)
    expect(statements.filter((sql) => !sql.startsWith('select'))).toEqual([
      'Delete machines 1',
      'Delete architects 1',
      'Delete engineers 3',
      'Delete people 6',
      'Delete companies 1',
    ])
    expect(done.deleted).toBe(8)
    expect(app.rows('people')).toEqual([])
    expect(app.rows('engineers')).toEqual([])
  })

  test('deletes one through its base', () => {
    const app = filled()
    app.run(pipe(found(app, staff.Person, 4), Session.remove(staff.Person)))
    app.run(Session.commit)
    expect(app.rows('engineers')).toHaveLength(2)
    expect(app.run(Session.get(staff.Lead, 4))._tag).toBe('None')
  })

  test('sorts instances that refer to each other within the hierarchy', () => {
    const app = filled()
    app.run(
      Session.add(staff.Lead, {
        name: 'new',
        language: 'go',
        team: 'x',
        mentor: { kind: 'architect', name: 'old', language: 'c', style: null },
      }),
    )
    app.run(Session.commit)
    const lead = found(app, staff.Lead, 8)
    expect(lead).toMatchObject({ name: 'new', mentorId: 7 })
    const mentor = app.run(pipe(lead, Session.load(staff.Engineer, 'mentor')))
    expect(mentor).toMatchObject({ _tag: 'Some', value: { name: 'old', kind: 'architect' } })
    app.run(pipe(mentor._tag === 'Some' ? mentor.value : lead, Session.remove(staff.Engineer)))
    app.run(pipe(lead, Session.remove(staff.Lead)))
    app.run(Session.commit)
    expect(app.rows('people')).toHaveLength(6)
  })

  test('takes what a rollback undoes out of all tables', () => {
    const app = filled()
    const [ed] = app.run(pipe(select(staff.Engineer), withSubtypes('*'), Session.query))
    app.run(Session.beginNested)
    app.run(pipe(ed as never, Session.set(staff.Engineer, { name: 'x', language: 'y' })))
    app.run(Session.flush)
    app.run(Session.rollbackNested)
    expect(app.run(pipe(ed as never, Session.read(staff.Engineer)))).toMatchObject({ name: 'ed', language: 'ts' })
  })

  test('refuses a draft of an identity that is not its own, and keeps an instance what it is', () => {
    const app = filled()
    expect(app.fails(Session.add(staff.Manager, { name: 'x', kind: 'engineer' as never }))).toMatchObject({
      _tag: 'InvalidValue',
      entity: 'Manager',
      attribute: 'kind',
    })
    const pat = found(app, staff.Person, 1)
    expect(app.fails(pipe(pat, Session.set(staff.Person, { kind: 'engineer' })))).toMatchObject({
      _tag: 'InvalidValue',
    })
  })
})

describe("a key of the program's own", () => {
  const Place = entity(
    'Place',
    'places',
    { country: pipe(text, primaryKey), code: pipe(text, primaryKey), kind: text, name: text },
    { discriminator: 'kind', identity: 'place' },
  )
  const City = subtype(Place)('City', 'cities', { mayor: text }, { identity: 'city', key: ['land', 'sign'] })
  const Port = subtype(City)('Port', 'ports', { docks: integer }, { identity: 'port' })
  const cities = defineModel({ Place, City, Port })(() => ({}))

  test('of several columns stands in each table, and changes in all of them', () => {
    const app = openOn(cities)
    app.run(Session.add(cities.Port, { country: 'de', code: 'hh', name: 'Hamburg', mayor: 'm', docks: 4 }))
    app.run(Session.commit)
    expect(app.rows('cities')).toEqual([{ land: 'de', sign: 'hh', mayor: 'm' }])
    const port = found(app, cities.Port, { country: 'de', code: 'hh' })
    app.run(Session.set(cities.Port, { code: 'ham', docks: 5, mayor: 'n' })(port))
    app.run(Session.commit)
    expect(app.rows('ports')).toEqual([{ country: 'de', code: 'ham', docks: 5 }])
    expect(app.rows('cities')).toEqual([{ land: 'de', sign: 'ham', mayor: 'n' }])
    expect(found(app, cities.Place, { country: 'de', code: 'ham' })).toMatchObject({ kind: 'port', name: 'Hamburg' })
    const renamed = pipe(update(cities.City), set({ mayor: 'o' }), where('name', '=', 'Hamburg'))
    expect(app.run(Session.execute({ synchronize: 'fetch' })(renamed))).toBe(1)
    expect(app.run(pipe(deleteFrom(cities.Port), Session.execute()))).toBe(1)
    expect(app.rows('places')).toEqual([])
  })
})
