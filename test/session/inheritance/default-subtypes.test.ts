/** Subtypes that a model has loaded with the rows of their base: what queries ask, give and leave alone. */
import {
  createAllSync,
  defineModel,
  entity,
  generated,
  integer,
  joined,
  type Managed,
  nullable,
  orderBy,
  primaryKey,
  select,
  selectin,
  selectOwn,
  subtype,
  text,
  where,
  withSubtypes,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { resultOf } from '../app.js'
import { hostsOf } from '../hosts.js'

const id = pipe(integer, primaryKey, generated)
const Company = entity('Company', 'companies', { id, name: text })
const Person = entity(
  'Person',
  'people',
  { id, kind: text, name: text, companyId: pipe(integer, nullable) },
  { discriminator: 'kind', identity: 'person' },
)
const Engineer = subtype(Person)('Engineer', 'engineers', { language: text }, { identity: 'engineer', load: 'inline' })
const Lead = subtype(Engineer)('Lead', { team: text }, { identity: 'lead', load: 'selectin' })
const Manager = subtype(Person)('Manager', 'managers', { level: integer }, { identity: 'manager', load: 'selectin' })
const Guest = subtype(Person)('Guest', 'guests', { until: text }, { identity: 'guest' })
const model = defineModel({ Company, Person, Engineer, Lead, Manager, Guest })((r) => ({
  Company: {
    employees: r.Company.hasMany('Person', { foreignKey: 'companyId', inverse: 'company', orderBy: 'id' }),
  },
  Person: { company: r.Person.belongsTo('Company', { foreignKey: 'companyId', inverse: 'employees' }) },
}))

/** What SQLite was asked. */
const log: string[] = []

const openSqlite = async () => {
  const engine = sqliteEngine(new Database(':memory:', { verbose: (sql) => log.push(String(sql)) }))
  resultOf(createAllSync(model)(engine))
  const store = Session.createStore(Session.runtime(model, engine))
  return { run: async <E, A>(program: Session.Program<E, A>): Promise<A> => resultOf(store.runSync(program)) }
}

const seeded = Session.gen(function* () {
  yield* Session.add(model.Company, {
    name: 'acme',
    employees: [
      { name: 'pat' },
      { kind: 'engineer', name: 'ed', language: 'ts' },
      { kind: 'lead', name: 'lee', language: 'js', team: 'core' },
      { kind: 'manager', name: 'mary', level: 3 },
      { kind: 'guest', name: 'gus', until: 'noon' },
    ],
  })
  yield* Session.commit
})

const about = (person: {
  readonly kind: string
  readonly language?: string
  readonly level?: number
  readonly team?: string
}) => [person.kind, person.language, person.team, person.level]

const everyone = [
  ['person', undefined, undefined, undefined],
  ['engineer', 'ts', undefined, undefined],
  ['lead', 'js', 'core', undefined],
  ['manager', undefined, undefined, 3],
  ['guest', undefined, undefined, undefined],
]

describe.each(hostsOf(model))('on $title', ({ onHost }) => {
  onHost('queries of the base have what the model says', async ({ run }) => {
    await run(seeded)
    const people = await run(pipe(select(model.Person), orderBy('id'), Session.query))
    expect(people.map(about)).toEqual(everyone)
    const [lead] = await run(
      pipe(
        select(model.Person),
        where((eb) => eb('Engineer.language', '=', 'js')),
        Session.query,
      ),
    )
    expect(lead?.kind === 'lead' ? [lead.language, lead.team] : []).toEqual(['js', 'core'])
  })

  onHost('so have loads of relationships to it', async ({ run }) => {
    await run(seeded)
    for (const strategy of [selectin, joined]) {
      await run(Session.expungeAll)
      const [company] = await run(pipe(select(model.Company), strategy('employees'), Session.query))
      const own = company!.employees.map((one) => (one.kind === 'engineer' ? one.language : null))
      expect(own).toEqual([null, 'ts', null, null, null])
      expect(company!.employees.map(about)).toEqual(everyone)
    }
  })

  onHost('a query may want otherwise', async ({ run }) => {
    await run(seeded)
    const plain = await run(pipe(selectOwn(model.Person), orderBy('id'), Session.query))
    expect(plain.map(about).map(([, language]) => language)).toEqual(everyone.map(() => undefined))
    await run(Session.expungeAll)
    const guests = await run(pipe(selectOwn(model.Person), withSubtypes('Guest'), orderBy('id'), Session.query))
    expect(guests.map((one) => (one.kind === 'guest' ? one.until : null))).toEqual([null, null, null, null, 'noon'])
    expect(guests.map(about).map(([, language]) => language)).toEqual(everyone.map(() => undefined))
    await run(Session.expungeAll)
    const more = await run(pipe(select(model.Person), withSubtypes('*'), orderBy('id'), Session.query))
    expect(more.map(about)).toEqual(everyone)
  })
})

test('inline subtypes are joined, and others asked for by a statement for each among the results', async () => {
  const { run } = await openSqlite()
  await run(seeded)
  await run(Session.expungeAll)
  log.length = 0
  await run(pipe(select(model.Person), orderBy('id'), Session.query))
  const asked = log.filter((sql) => sql.startsWith('select'))
  expect(asked[0]).toMatch(/left join "engineers" as "Engineer"/)
  expect(asked).toHaveLength(3)
})

test('types tell what is there', () => {
  type One = typeof people extends Session.Program<infer _E, ReadonlyArray<infer A>> ? A : never
  const people = Session.query(select(model.Person))
  expectTypeOf<Extract<One, { readonly kind: 'lead' }>['team']>().toEqualTypeOf<string>()
  expectTypeOf<Extract<One, { readonly kind: 'manager' }>['level']>().toEqualTypeOf<number>()
  expectTypeOf<Extract<keyof Extract<One, { readonly kind: 'guest' }>, 'until'>>().toEqualTypeOf<never>()
  const own = Session.query(selectOwn(model.Person))
  type Plain = typeof own extends Session.Program<infer _E, ReadonlyArray<infer A>> ? A : never
  expectTypeOf<Plain>().toEqualTypeOf<Managed<typeof model, 'Person'>>()
  // @ts-expect-error it is not read inline
  pipe(select(model.Person), where('Manager.level', '>', 1))
})
