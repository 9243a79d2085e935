import {
  type CriteriaOptions,
  combineCriteria,
  criteria,
  criteriaOff,
  deleteFrom,
  type EntityCriteria,
  type Select,
  select,
  withoutCriteria,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expectTypeOf, test } from 'vitest'
import { model } from './fixture.js'

type M = ReturnType<typeof model.User.model>

const rules = criteria(model)({
  User: { adult: (eb) => eb('age', '>=', 18), named: (eb) => eb('users.name', '<>', '') },
  Address: { adult: (eb) => eb('userId', 'in', eb.selectFrom('users').select('users.id')) },
})

describe('criteria', () => {
  test('carry their names', () => {
    expectTypeOf(rules).toEqualTypeOf<EntityCriteria<'adult' | 'named'>>()
    const more = criteria(model)({ City: { large: (eb) => eb('population', '>', 1000) } })
    expectTypeOf(combineCriteria(rules, more)).toEqualTypeOf<EntityCriteria<'adult' | 'named' | 'large'>>()
    expectTypeOf(rules).toExtend<EntityCriteria>()
  })

  test('know entities, attributes and the types of values', () => {
    // @ts-expect-error no entity of that name
    criteria(model)({ Nobody: { adult: () => null } })
    // @ts-expect-error no attribute of that name
    criteria(model)({ User: { adult: (eb) => eb('years', '>=', 18) } })
    // @ts-expect-error an attribute of another entity
    criteria(model)({ User: { adult: (eb) => eb('addresses.email', '=', '') } })
    // @ts-expect-error a number
    criteria(model)({ User: { adult: (eb) => eb('age', '>=', '18') } })
    // @ts-expect-error a condition
    criteria(model)({ User: { adult: (eb) => eb.ref('name') } })
    // @ts-expect-error nothing is no condition
    criteria(model)({ User: { adult: () => undefined } })
  })

  test('depend on the options that an application adds, and no others', () => {
    criteria(model)({ User: { tenant: (eb, { tenant }) => (tenant === undefined ? null : eb('name', '=', tenant)) } })
    // @ts-expect-error it may be absent
    criteria(model)({ User: { tenant: (eb, { tenant }) => eb('name', '=', tenant) } })
    // @ts-expect-error no such option
    criteria(model)({ User: { tenant: (eb, { nobody }) => eb('name', '=', nobody) } })
    expectTypeOf<keyof CriteriaOptions>().extract<'tenant' | 'shard' | 'strict'>().toEqualTypeOf<'tenant'>()
  })

  test('are switched off by their names', () => {
    expectTypeOf(pipe(select(model.User), withoutCriteria(rules, 'adult'))).toEqualTypeOf<Select<M, 'User'>>()
    pipe(deleteFrom(model.User), withoutCriteria(rules, 'adult', 'named'))
    pipe(select(model.User), withoutCriteria(rules), withoutCriteria())
    pipe(Session.get(model.User, 1), Session.withoutCriteria(rules, 'named'))
    Session.get(model.User, 1, criteriaOff(rules, 'adult'))
    // @ts-expect-error no criterion of that name
    withoutCriteria(rules, 'large')
    // @ts-expect-error no criterion of that name
    Session.withoutCriteria(rules, 'large')
    // @ts-expect-error no criterion of that name
    criteriaOff(rules, 'large')
  })
})
