/**
 * Relationships by a condition, of and to entities of a hierarchy: their rows come of several tables.
 */
import {
  any,
  defineModel,
  entity,
  generated,
  has,
  immediate,
  integer,
  join,
  joined,
  leftJoin,
  named,
  nullable,
  orderBy,
  primaryKey,
  select,
  selectin,
  subquery,
  subtype,
  text,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { hosts, openOnServer } from '../server-app.js'

const id = pipe(integer, primaryKey, generated)

const Company = entity('Company', 'companies', { id, name: text, language: text })
const Person = entity(
  'Person',
  'people',
  { id, kind: text, name: pipe(text, named('full_name')) },
  { discriminator: 'kind', identity: 'person' },
)
const Engineer = subtype(Person)(
  'Engineer',
  'engineers',
  { language: pipe(text, named('lang')) },
  { identity: 'engineer', key: 'person_id' },
)
const Manager = subtype(Person)('Manager', { employer: pipe(text, nullable) }, { identity: 'manager' })

const model = defineModel({ Company, Person, Engineer, Manager })((r) => ({
  Company: {
    coders: r.Company.joinsMany('Engineer', {
      on: (eb) => eb(eb.fn('lower', ['target.language']), '=', eb.fn('lower', ['owner.language'])),
      orderBy: 'id',
    }),
    // through an entity of the hierarchy
    alike: r.Company.joinsMany('Manager', {
      through: { coder: 'Engineer' },
      on: (eb) =>
        eb.and([eb('coder.language', '=', eb.ref('owner.language')), eb('target.name', '=', eb.ref('coder.name'))]),
      orderBy: 'id',
    }),
  },
  Engineer: {
    companies: r.Engineer.joinsMany('Company', {
      on: (eb) => eb(eb.fn('lower', ['target.language']), '=', eb.fn('lower', ['owner.language'])),
      orderBy: 'id',
    }),
  },
  Manager: { company: r.Manager.joinsOne('Company', { on: (eb) => eb('target.name', '=', eb.ref('owner.employer')) }) },
}))

const names = (some: ReadonlyArray<{ readonly name: string }>) => some.map(({ name }) => name)

describe.each(hosts)('relationships by a condition in a hierarchy, on $title', ({ host, isMissing }) => {
  const filled = async () => {
    const app = await openOnServer(host, model)
    await app.run(
      Session.gen(function* () {
        yield* Session.addAll(model.Company, [
          { name: 'acme', language: 'ts' },
          { name: 'bolt', language: 'c' },
        ])
        yield* Session.addAll(model.Engineer, [
          { name: 'ed', language: 'TS' },
          { name: 'eve', language: 'c' },
        ])
        yield* Session.addAll(model.Manager, [{ name: 'eve', employer: 'acme' }, { name: 'max' }])
        yield* Session.commit
        yield* Session.expungeAll
      }),
    )
    return app
  }
  const companies = pipe(select(model.Company), orderBy('id'))
  const engineers = pipe(select(model.Engineer), orderBy('id'))
  const managers = pipe(select(model.Manager), orderBy('id'))

  test.skipIf(isMissing)('they are loaded by every strategy', async () => {
    const app = await filled()
    for (const given of [selectin, joined, subquery, immediate]) {
      const eager = given as typeof selectin
      const found = await app.run(
        Session.gen(function* () {
          yield* Session.expungeAll
          const some = yield* pipe(companies, eager('coders'), eager('alike'), Session.query)
          yield* Session.expungeAll
          const others = yield* pipe(engineers, eager('companies'), Session.query)
          const last = yield* pipe(managers, eager('company'), Session.query)
          return [
            some.map((company) => [names(company.coders), names(company.alike)]),
            others.map((engineer) => names(engineer.companies)),
            last.map(({ company }) => (company._tag === 'Some' ? company.value.name : null)),
          ]
        }),
      )
      expect(found).toEqual([
        [
          [['ed'], []],
          [['eve'], ['eve']],
        ],
        [['acme'], ['bolt']],
        ['acme', null],
      ])
    }
  })

  test.skipIf(isMissing)('they are loaded one by one, joined and asked about', async () => {
    const app = await filled()
    const found = await app.run(
      Session.gen(function* () {
        const [acme, bolt] = yield* Session.query(companies)
        const [ed] = yield* Session.query(engineers)
        if (acme === undefined || bolt === undefined || ed === undefined) return null
        return [
          names(yield* Session.load(model.Company, 'coders')(acme)),
          names(yield* Session.load(model.Company, 'alike')(bolt)),
          names(yield* Session.load(model.Engineer, 'companies')(ed)),
          names(yield* pipe(companies, where(any('coders', where('name', '=', 'ed'))), Session.query)),
          names(yield* pipe(managers, where(has('company')), Session.query)),
          names(yield* pipe(engineers, join('companies', 'c', where('name', '=', 'bolt')), Session.query)),
          names(
            yield* pipe(
              companies,
              leftJoin('alike', 'a'),
              where((eb) => eb('a.id', 'is', null)),
              Session.query,
            ),
          ),
        ]
      }),
    )
    expect(found).toEqual([['ed'], ['eve'], ['acme'], ['acme'], ['eve'], ['eve'], ['acme']])
  })
})
