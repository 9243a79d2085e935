import {
  any,
  type Extent,
  has,
  isA,
  join,
  joined,
  limit,
  loadOnly,
  orderBy,
  type Select,
  select,
  selectin,
  selectinSubtypes,
  where,
  withSubtypes,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { staff } from '../../core/model/staff.js'
import { type App, found, openOn } from '../app.js'

const filled = (): App => {
  const app = openOn(staff)
  app.run(
    pipe(
      Session.add(staff.Company, {
        name: 'acme',
        employees: [
          { name: 'pat' },
          { kind: 'engineer', name: 'ed', language: 'ts', machines: [{ label: 'lathe' }] },
          { kind: 'manager', name: 'mary', level: 3 },
          { kind: 'lead', name: 'lee', language: 'js', team: 'core' },
          { kind: 'architect', name: 'ada', language: 'c', style: 'bold' },
        ],
      }),
      Session.chain(() => Session.commit),
      Session.chain(() => Session.expungeAll),
    ),
  )
  app.clear()
  return app
}

const people = pipe(select(staff.Person), orderBy('id'))

describe('a query of an entity with subtypes', () => {
  test('gives instances of what the rows are; what it did not select is loaded when it is read', () => {
    const app = filled()
    const [found, statements] = app.counted(Session.query(people))
    expect(statements).toHaveLength(1)
    expect(found.map(({ kind, name }) => [kind, name])).toEqual([
      ['person', 'pat'],
      ['engineer', 'ed'],
      ['manager', 'mary'],
      ['lead', 'lee'],
      ['architect', 'ada'],
    ])
    const architects = found.filter(isA(staff.Architect))
    expect(architects).toHaveLength(1)
    const engineers = found.filter(isA(staff.Engineer))
    expect(engineers.map(({ name }) => name)).toEqual(['ed', 'lee', 'ada'])
    const [ada, read] = app.counted(Session.read(staff.Architect)(architects[0] as never))
    expect(ada).toMatchObject({ name: 'ada', language: 'c', style: 'bold', companyId: 1 })
    expect(read).toHaveLength(1)
    // as a person it is known
    expect(app.counted(Session.read(staff.Person)(ada))[1]).toEqual([])
    expect(app.counted(Session.get(staff.Person, 5))[1]).toEqual([])
    expect(app.counted(Session.get(staff.Person, 4))[1]).toEqual([])
    expect(app.counted(Session.get(staff.Engineer, 4))[1]).toHaveLength(1)
    expect(app.counted(Session.get(staff.Engineer, 4))[1]).toEqual([])
  })

  test('with subtypes has all of them in one statement, as a union that the discriminator narrows', () => {
    const app = filled()
    const [found, statements] = app.counted(pipe(people, withSubtypes('*'), Session.query))
    expect(statements).toHaveLength(1)
    const shownOf = (person: (typeof found)[number]): string | number => {
      switch (person.kind) {
        case 'person':
          return person.name
        case 'engineer':
          return person.language
        case 'lead':
          return `${person.language} ${person.team}`
        case 'architect':
          return `${person.language} ${person.style}`
        case 'manager':
          return person.level
      }
    }
    const shown = found.map(shownOf)
    expect(shown).toEqual(['pat', 'ts', 3, 'js core', 'c bold'])
    expect(app.counted(Session.read(staff.Architect)(found[4] as never))[1]).toEqual([])
  })

  test('with some subtypes leaves the others to be read', () => {
    const app = filled()
    const [found] = app.counted(pipe(people, withSubtypes('Engineer'), Session.query))
    const lead = found[3]
    expect(lead).toMatchObject({ kind: 'lead', language: 'js' })
    if (lead?.kind !== 'lead') throw new Error('no lead')
    expect(lead.language).toBe('js')
    // @ts-expect-error -- not loaded
    expect(lead.team).toBeUndefined()
    expect(app.counted(Session.read(staff.Engineer)(lead))[1]).toEqual([])
    expect(app.counted(Session.read(staff.Lead)(lead))[1]).toHaveLength(1)
  })

  test('selectinSubtypes asks once more for each subtype among the results', () => {
    const app = filled()
    const [found, statements] = app.counted(pipe(people, selectinSubtypes('*'), Session.query))
    expect(statements).toHaveLength(5)
    expect(found[4]).toMatchObject({ kind: 'architect', style: 'bold', language: 'c' })
    const some = filled()
    const query = pipe(people, where('id', '<', 3), selectinSubtypes('Engineer', 'Manager'))
    expect(some.counted(Session.query(query))[1]).toHaveLength(2)
  })

  test('has conditions on its subtypes, by their names', () => {
    const app = filled()
    const names = <M, N extends string, L, X extends Extent>(query: Select<M, N, L, X>) =>
      app.run(Session.query(query)).map((one) => (one as unknown as { readonly name: string }).name)
    const wide = pipe(people, withSubtypes('*'))
    expect(
      names(
        pipe(
          wide,
          where((eb) => eb('Engineer.language', 'in', ['ts', 'js'])),
        ),
      ),
    ).toEqual(['ed', 'lee'])
    expect(
      names(
        pipe(
          wide,
          where((eb) => eb('Lead.team', '=', 'core')),
        ),
      ),
    ).toEqual(['lee'])
    expect(
      names(
        pipe(
          wide,
          where((eb) => eb('Manager.level', '>', 2)),
        ),
      ),
    ).toEqual(['mary'])
    expect(
      names(
        pipe(
          wide,
          where((eb) => eb('Architect.name', '=', 'ada')),
        ),
      ),
    ).toEqual(['ada'])
    expect(names(pipe(wide, where('id', '>', 3), limit(1)))).toEqual(['lee'])
    const deep = pipe(
      select(staff.Engineer),
      withSubtypes('Lead'),
      where((eb) => eb('Lead.team', '=', 'core')),
    )
    expect(app.run(Session.query(deep)).map(({ name }) => name)).toEqual(['lee'])
    pipe(
      people,
      withSubtypes('Manager'),
      // @ts-expect-error -- not among the subtypes that the query reads
      where((eb) => eb('Engineer.language', '=', 'ts')),
    )
  })

  test('keeps changes that no flush has written when the rest is loaded', () => {
    const app = filled()
    const [, ed] = app.run(Session.query(people))
    app.run(pipe(ed as never, Session.set(staff.Person, { name: 'edward' })))
    expect(app.run(Session.read(staff.Engineer)(ed as never))).toMatchObject({ name: 'edward', language: 'ts' })
  })

  test('loadOnly keeps the discriminator', () => {
    const app = filled()
    const found = app.run(pipe(people, loadOnly('name'), Session.query))
    expect(found.map((person) => (person as { kind?: string }).kind)).toEqual([
      'person',
      'engineer',
      'manager',
      'lead',
      'architect',
    ])
  })

  test('refuses a row of a kind that it does not know', () => {
    const app = filled()
    app.database.exec("insert into people (id, kind, full_name) values (9, 'robot', 'r2')")
    expect(app.fails(Session.query(people))).toMatchObject({
      _tag: 'DecodeError',
      entity: 'Person',
      attribute: 'kind',
      key: 9,
      value: 'robot',
    })
  })
})

describe('a subtype', () => {
  test('is queried with what it inherits', () => {
    const app = filled()
    const query = pipe(select(staff.Engineer), where('name', '!=', 'lee'), orderBy('language'))
    expect(app.run(Session.query(query))).toMatchObject([
      { kind: 'architect', language: 'c' },
      { kind: 'engineer', language: 'ts' },
    ])
    const managers = pipe(select(staff.Manager), where('level', '>', 1))
    expect(app.run(Session.query(managers))).toMatchObject([{ name: 'mary', level: 3 }])
  })

  test('is not got by the key of another', () => {
    const app = filled()
    expect(app.run(Session.get(staff.Manager, 2))._tag).toBe('None')
    expect(app.run(Session.get(staff.Person, 2))).toMatchObject({ _tag: 'Some', value: { kind: 'engineer' } })
    const [manager, statements] = app.counted(Session.get(staff.Manager, 2))
    expect([manager._tag, statements]).toEqual(['None', []])
    expect(app.run(Session.get(staff.Engineer, 2))).toMatchObject({ _tag: 'Some', value: { language: 'ts' } })
  })
})

describe('relationships', () => {
  test('lead to instances of any subtype, and to those of one', () => {
    const app = filled()
    const company = found(app, staff.Company, 1)
    const [employees, statements] = app.counted(Session.load(staff.Company, 'employees')(company))
    expect(employees.map(({ kind }) => kind)).toEqual(['person', 'engineer', 'manager', 'lead', 'architect'])
    expect(statements).toHaveLength(1)
    const engineers = app.run(Session.load(staff.Company, 'engineers')(company))
    expect(engineers.map(({ language }) => language)).toEqual(['ts', 'js', 'c'])
    const [again, none] = app.counted(Session.load(staff.Company, 'employees')(company))
    expect(again).toHaveLength(5)
    expect(none).toEqual([])
  })

  test('of a base are those of its subtypes', () => {
    const app = filled()
    const lee = found(app, staff.Lead, 4)
    expect(app.run(Session.load(staff.Lead, 'company')(lee))).toMatchObject({ value: { name: 'acme' } })
    const ed = found(app, staff.Engineer, 2)
    expect(app.run(Session.load(staff.Engineer, 'machines')(ed))).toMatchObject([{ label: 'lathe' }])
    const moved = app.run(Session.add(staff.Machine, { label: 'drill', engineer: lee }))
    app.run(Session.commit)
    expect(moved).toBeDefined()
    expect(app.run(Session.load(staff.Engineer, 'machines')(lee))).toMatchObject([{ label: 'drill' }])
  })

  test('are loaded eagerly, with subtypes by select-in and join', () => {
    const app = filled()
    const [companies, statements] = app.counted(
      pipe(select(staff.Company), selectin('employees', withSubtypes('*')), Session.query),
    )
    expect(statements).toHaveLength(2)
    const [first] = companies
    expect(first?.employees.map((one) => (one.kind === 'lead' ? one.team : one.kind))).toEqual([
      'person',
      'engineer',
      'manager',
      'core',
      'architect',
    ])
    // the collection is all that there is, and kept
    expect(app.counted(Session.load(staff.Company, 'employees')(first as never))[1]).toEqual([])
    const machines = pipe(select(staff.Machine), selectin('engineer'))
    expect(filled().run(Session.query(machines))).toMatchObject([{ engineer: { value: { language: 'ts' } } }])
  })

  test('are joined to what owns them, whichever side has the subtypes', () => {
    const app = filled()
    const companies = pipe(select(staff.Company), joined('employees', withSubtypes('*')))
    const [[first], statements] = app.counted(Session.query(companies))
    expect(statements).toHaveLength(1)
    expect(first?.employees.map((one) => (one.kind === 'lead' ? one.team : one.kind))).toEqual([
      'person',
      'engineer',
      'manager',
      'core',
      'architect',
    ])
    const owners = pipe(select(staff.Person), withSubtypes('*'), joined('company'), orderBy('id'), limit(4))
    const [found, asked] = filled().counted(Session.query(owners))
    expect(asked).toHaveLength(1)
    expect(found[3]).toMatchObject({ kind: 'lead', team: 'core', company: { value: { name: 'acme' } } })
    const machines = pipe(select(staff.Engineer), joined('machines'), orderBy('id'), limit(2))
    expect(filled().run(Session.query(machines))).toMatchObject([
      { language: 'ts', machines: [{ label: 'lathe' }] },
      { language: 'js', machines: [] },
    ])
    const nested = pipe(select(staff.Machine), joined('engineer', joined('company')))
    const [some, one] = filled().counted(Session.query(nested))
    expect(one).toHaveLength(1)
    expect(some).toMatchObject([{ engineer: { value: { name: 'ed', company: { value: { name: 'acme' } } } } }])
    const eager = pipe(select(staff.Company), selectin('employees', selectinSubtypes('Engineer')))
    const [[acme], three] = filled().counted(Session.query(eager))
    expect(three).toHaveLength(3)
    expect(acme?.employees[1]).toMatchObject({ language: 'ts' })
  })

  test('may be joined, and asked about', () => {
    const app = filled()
    const withMachine = pipe(
      select(staff.Person),
      withSubtypes('Engineer'),
      where((eb) => eb('Engineer.language', '=', 'ts')),
    )
    expect(app.run(Session.query(withMachine))).toHaveLength(1)
    const companies = pipe(select(staff.Company), where(any('engineers', where('language', '=', 'c'))))
    expect(app.run(Session.query(companies))).toHaveLength(1)
    const engineers = pipe(
      select(staff.Engineer),
      where(any('machines')),
      where(has('company', where('name', '=', 'acme'))),
    )
    expect(app.run(Session.query(engineers)).map(({ name }) => name)).toEqual(['ed'])
    const joining = pipe(
      select(staff.Machine),
      join('engineer', 'e'),
      where((eb) => eb('e.name', '=', 'ed')),
      where((eb) => eb('e.language', '=', 'ts')),
    )
    expect(app.run(Session.query(joining))).toHaveLength(1)
  })
})

test('a row that has become another kind is another instance', () => {
  const app = filled()
  const ed = found(app, staff.Engineer, 2)
  app.run(Session.commit)
  app.database.exec("update people set kind = 'manager', level = 9 where id = 2")
  const [manager] = app.run(pipe(select(staff.Person), where('id', '=', 2), withSubtypes('*'), Session.query))
  expect(manager).toMatchObject({ kind: 'manager', level: 9 })
  expect(Session.inspect(app.store.getState(), ed)?.status).toBe('detached')
  expect(app.run(Session.get(staff.Engineer, 2))._tag).toBe('None')
})
