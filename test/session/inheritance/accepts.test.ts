/**
 * Relationships that take instances of other entities of their target's hierarchy than the target's own.
 */
import {
  defineModel,
  entity,
  generated,
  integer,
  nullable,
  primaryKey,
  select,
  subtype,
  type TakenBy,
  text,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { hosts, openOnServer } from '../server-app.js'

const id = pipe(integer, primaryKey, generated)

const Company = entity('Company', 'companies', { id, name: text, bossId: pipe(integer, nullable) })
const Person = entity(
  'Person',
  'people',
  { id, kind: text, name: text, companyId: pipe(integer, nullable) },
  { discriminator: 'kind', identity: 'person' },
)
const Engineer = subtype(Person)('Engineer', 'engineers', { language: text }, { identity: 'engineer' })
const Manager = subtype(Person)('Manager', { level: integer }, { identity: 'manager' })

const model = defineModel({ Company, Person, Engineer, Manager })((r) => ({
  Company: {
    engineers: r.Company.hasMany('Engineer', { foreignKey: 'companyId', orderBy: 'id', accepts: ['Manager'] }),
    boss: r.Company.belongsTo('Manager', { foreignKey: 'bossId', accepts: ['Person'] }),
    fans: r.Company.manyToMany('Engineer', {
      through: { table: 'fans', own: ['company_id'], target: ['person_id'] },
      orderBy: 'id',
      accepts: ['Person'],
    }),
    strict: r.Company.hasMany('Engineer', { foreignKey: 'companyId', viewonly: true }),
  },
}))

describe.each(hosts)('a relationship that accepts others, on $title', ({ host, isMissing }) => {
  test.skipIf(isMissing)('is written with them, and loads its targets', async () => {
    const app = await openOnServer(host, model)
    const found = await app.run(
      Session.gen(function* () {
        const mary = yield* Session.add(model.Manager, { name: 'mary', level: 1 })
        const pat = yield* Session.add(model.Person, { name: 'pat' })
        const ed = yield* Session.add(model.Engineer, { name: 'ed', language: 'ts' })
        const acme = yield* Session.add(model.Company, { name: 'acme', engineers: [ed, mary], boss: pat, fans: [pat] })
        yield* Session.append(model.Company, 'fans', mary, { name: 'eve', language: 'c' })(acme)
        const before = yield* Session.noAutoflush(Session.load(model.Company, 'engineers')(acme))
        yield* Session.commit
        yield* Session.expungeAll
        const [again] = yield* Session.query(select(model.Company))
        if (again === undefined) return null
        const engineers = yield* Session.load(model.Company, 'engineers')(again)
        const fans = yield* Session.load(model.Company, 'fans')(again)
        yield* Session.commit
        return { before, engineers, fans, bossId: again.bossId }
      }),
    )
    expect(found?.before.map(({ name }) => name)).toEqual(['ed', 'mary'])
    expect(found?.engineers.map(({ name }) => name)).toEqual(['ed'])
    expect(found?.fans.map(({ name }) => name)).toEqual(['eve'])
    const people = await app.rows('people')
    const idOf = (name: string) => people.find((row) => row.name === name)?.id
    expect(people.map((row) => [row.name, row.companyId])).toEqual(
      expect.arrayContaining([
        ['mary', 1],
        ['ed', 1],
        ['pat', null],
        ['eve', null],
      ]),
    )
    expect((await app.rows('companies')).map((row) => row.bossId)).toEqual([idOf('pat')])
    expect((await app.rows('fans')).length).toBe(3)
  })

  test.skipIf(isMissing)('takes no others', async () => {
    const app = await openOnServer(host, model)
    const failure = await app.fails(
      Session.gen(function* () {
        const acme = yield* Session.add(model.Company, { name: 'acme' })
        const pat = yield* Session.add(model.Person, { name: 'pat' })
        // @ts-expect-error it is neither an engineer nor a manager
        yield* Session.append(model.Company, 'engineers', pat)(acme)
      }),
    )
    expect(failure).toEqual({ _tag: 'NotInSession', entity: 'Engineer' })
  })
})

test('types tell what a relationship takes', () => {
  expectTypeOf<TakenBy<typeof model, 'Company', 'engineers'>>().toEqualTypeOf<'Engineer' | 'Manager'>()
  expectTypeOf<TakenBy<typeof model, 'Company', 'strict'>>().toEqualTypeOf<'Engineer'>()
})
