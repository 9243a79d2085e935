import {
  type AnyModel,
  concrete,
  createAllSync,
  defineModel,
  deleteFrom,
  entity,
  generated,
  integer,
  isA,
  nullable,
  orderBy,
  primaryKey,
  select,
  selectin,
  selectinSubtypes,
  selectOwn,
  selectScalar,
  set,
  subtype,
  text,
  update,
  where,
  withSubtypes,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const id = pipe(integer, primaryKey, generated)

const Company = entity('Company', 'companies', { id, name: text })
const Person = entity(
  'Person',
  'people',
  { id, kind: text, name: text, companyId: pipe(integer, nullable) },
  { discriminator: 'kind', identity: 'person' },
)
const Engineer = subtype(Person)('Engineer', 'engineers', { language: text }, { identity: 'engineer' })
const Lead = subtype(Engineer)('Lead', { team: text }, { identity: 'lead' })
const Manager = subtype(Person)('Manager', { level: integer }, { identity: 'manager' })
const Machine = entity('Machine', 'machines', { id, label: text, engineerId: integer })

const model = defineModel({ Company, Person, Engineer, Lead, Manager, Machine })((r) => ({
  Company: {
    employees: r.Company.hasMany('Person', {
      foreignKey: 'companyId',
      inverse: 'company',
      orderBy: 'id',
      cascade: ['save-update', 'merge', 'delete'],
    }),
  },
  Person: { company: r.Person.belongsTo('Company', { foreignKey: 'companyId', inverse: 'employees' }) },
  Engineer: { machines: r.Engineer.hasMany('Machine', { foreignKey: 'engineerId', inverse: 'engineer' }) },
  Machine: { engineer: r.Machine.belongsTo('Engineer', { foreignKey: 'engineerId', inverse: 'machines' }) },
}))

/** What the database is asked; the names of columns are left out. */
const log: string[] = []
const verbose = (statement: unknown) => {
  log.push(
    String(statement)
      .replaceAll(/select .*? from/g, 'select ... from')
      .replaceAll(/"|\.0\b/g, ''),
  )
}

const open = (on: AnyModel = model) => {
  const engine = sqliteEngine(new Database(':memory:', { verbose }))
  createAllSync(on)(engine)
  return Session.runtime(on, engine)
}

/** The statements since they were last asked for, without those of transactions. */
const asked = Session.fromIO(() => log.splice(0).filter((sql) => /^(select|insert|update|delete)/.test(sql)))

const people = pipe(select(model.Person), orderBy('id'))
// #endregion

const example = examplesOf('inheritance')

const filling = pipe(
  Session.add(model.Company, {
    name: 'acme',
    employees: [
      { name: 'pat' },
      { kind: 'engineer', name: 'ed', language: 'ts', machines: [{ label: 'lathe' }] },
      { kind: 'lead', name: 'lee', language: 'js', team: 'core' },
      { kind: 'manager', name: 'mary', level: 3 },
    ],
  }),
  Session.chain(() => Session.commit),
  Session.chain(() => Session.expungeAll),
)

/** Examples that are the body of a program, run after another. */
const programAfter =
  <E, A>(on: AnyModel, before: Session.Program<E, A>) =>
  (name: string, body: () => Generator<Session.Program<unknown, unknown>, void, never>): void =>
    example(name, () => {
      const made = pipe(
        before,
        Session.chain(() => Session.fromIO(() => log.splice(0))),
        Session.chain(() => Session.gen(body)),
      )
      resultOf(Session.runSync(open(on))(made as Session.Program<unknown, void>))
    })

const drafting = programAfter(model, Session.of(undefined))
const program = programAfter(model, filling)

drafting('add', function* () {
  // #region add
  yield* Session.add(model.Company, {
    name: 'acme',
    employees: [
      { name: 'pat' },
      { kind: 'engineer', name: 'ed', language: 'ts', machines: [{ label: 'lathe' }] },
      { kind: 'lead', name: 'lee', language: 'js', team: 'core' },
      { kind: 'manager', name: 'mary', level: 3 },
    ],
  })
  console.log(Session.explain(yield* Session.flushPlan))
  // #endregion
})

program('identity', function* () {
  // #region identity
  const person = yield* pipe(select(model.Person), where('name', '=', 'ed'), Session.one)
  const engineer = yield* Session.get(model.Engineer, person.id)
  const same = yield* Session.read(model.Person)(person)
  console.log(engineer._tag === 'Some' && engineer.value === same) // => true
  // #endregion
})

program('base', function* () {
  // #region base
  const all = yield* Session.query(people)
  console.log(all.map(({ kind, name }) => `${name}: ${kind}`)) // => [ 'pat: person', 'ed: engineer', 'lee: lead', 'mary: manager' ]
  console.log(yield* asked) // => [ 'select ... from people order by people.id' ]

  const [ed] = all.filter(isA(model.Engineer))
  if (ed !== undefined) {
    const { language } = yield* pipe(ed, Session.read(model.Engineer))
    console.log(language) // => ts
    console.log((yield* asked).length) // => 1
    console.log((yield* Session.get(model.Manager, ed.id))._tag) // => None
    console.log((yield* asked).length) // => 0
  }
  // #endregion
})

program('wide', function* () {
  // #region wide
  const all = yield* pipe(people, withSubtypes('*'), Session.query)
  const about = all.map((person) => {
    if (person.kind === 'lead') return `${person.name} leads ${person.team}`
    if (person.kind === 'engineer') return `${person.name} writes ${person.language}`
    return person.name
  })
  console.log(about) // => [ 'pat', 'ed writes ts', 'lee leads core', 'mary' ]
  console.log(yield* asked)
  // #endregion
})

program('conditions', function* () {
  // #region conditions
  const wanted = pipe(
    people,
    withSubtypes('Engineer', 'Manager'),
    where((eb) => eb.or([eb('Engineer.language', '=', 'js'), eb('Manager.level', '>', 2)])),
  )
  console.log((yield* Session.query(wanted)).map(({ name }) => name)) // => [ 'lee', 'mary' ]
  // #endregion
})

program('second', function* () {
  // #region second
  const all = yield* pipe(people, selectinSubtypes('Engineer'), Session.query)
  console.log(all.flatMap((person) => (person.kind === 'engineer' ? [person.language] : []))) // => [ 'ts' ]
  console.log((yield* asked).length) // => 2

  const companies = yield* pipe(select(model.Company), selectin('employees', withSubtypes('*')), Session.query)
  console.log(companies.flatMap(({ employees }) => employees.map(({ kind }) => kind))) // => [ 'person', 'engineer', 'lead', 'manager' ]
  // #endregion
})

// #region fleet model
const Vehicle = entity('Vehicle', 'vehicles', { id, kind: text, name: text }, { discriminator: 'kind' })
const Car = subtype(Vehicle)('Car', 'cars', { doors: integer }, { identity: 'car', load: 'inline' })
const Boat = subtype(Vehicle)('Boat', 'boats', { draught: integer }, { identity: 'boat', load: 'selectin' })
const fleet = defineModel({ Vehicle, Car, Boat })(() => ({}))
// #endregion

programAfter(fleet, Session.of(undefined))('fleet', function* () {
  // #region fleet
  yield* Session.add(fleet.Car, { name: 'beetle', doors: 2 })
  yield* Session.add(fleet.Boat, { name: 'tub', draught: 1 })
  yield* Session.commit
  yield* Session.expungeAll
  yield* asked
  const all = yield* pipe(select(fleet.Vehicle), orderBy('id'), Session.query)
  console.log(all.map((one) => (one.kind === 'car' ? one.doors : one.draught))) // => [ 2, 1 ]
  console.log((yield* asked).length) // => 2

  const names = yield* pipe(selectOwn(fleet.Vehicle), orderBy('id'), selectScalar('name'), Session.rows)
  console.log(names, yield* asked) // => [ 'beetle', 'tub' ] [ 'select ... from vehicles order by vehicles.id' ]
  // #endregion
})

program('subtype', function* () {
  // #region subtype
  const engineers = pipe(select(model.Engineer), where('language', 'in', ['ts', 'js']), where('name', '!=', 'lee'))
  console.log(yield* Session.query(engineers))
  // #endregion
})

program('change', function* () {
  // #region change
  const lee = yield* Session.one(pipe(select(model.Lead), where('name', '=', 'lee')))
  yield* pipe(lee, Session.set(model.Lead, { team: 'shell' }))
  console.log(Session.explain(yield* Session.flushPlan))
  // #endregion
  // #region change
  yield* pipe(lee, Session.set(model.Lead, { name: 'leo' }))
  yield* Session.flush
  yield* pipe(lee, Session.remove(model.Person))
  yield* asked
  yield* Session.flush
  console.log(yield* asked)
  // #endregion
})

program('bulk', function* () {
  // #region bulk
  const moved = pipe(update(model.Engineer), set({ language: 'rust' }), where('name', '=', 'ed'))
  console.log(yield* pipe(moved, Session.execute())) // => 1
  const fired = pipe(deleteFrom(model.Manager), where('level', '>', 2))
  console.log(yield* pipe(fired, Session.execute())) // => 1

  const both = pipe(update(model.Engineer), set({ language: 'go', name: 'x' }))
  const refused = yield* pipe(
    both,
    Session.execute(),
    Session.catchError((error) => Session.of(Session.render(error))),
  )
  console.log(refused)
  // #endregion
})

// #region concrete model
const Shape = entity('Shape', 'shapes', { id, kind: text, name: text }, { discriminator: 'kind' })
const Circle = concrete(Shape)('Circle', 'circles', { radius: integer }, { identity: 'circle' })
const Square = concrete(Shape)('Square', 'squares', { side: integer }, { identity: 'square' })
const shapes = defineModel({ Shape, Circle, Square })(() => ({}))
// #endregion

programAfter(shapes, Session.of(undefined))('concrete', function* () {
  // #region concrete
  yield* Session.add(shapes.Circle, { name: 'o', radius: 2 })
  yield* Session.add(shapes.Square, { name: 'box', side: 3 })
  const all = yield* pipe(select(shapes.Shape), withSubtypes('*'), orderBy('name'), Session.query)
  console.log(all.map((shape) => (shape.kind === 'circle' ? shape.radius : shape.side))) // => [ 3, 2 ]
  // #endregion
})
