/**
 * A hierarchy that tests share: people of a company, in two joined tables below one, and two entities without a table of their
 * own.
 */
import {
  defineModel,
  entity,
  generated,
  integer,
  named,
  nullable,
  primaryKey,
  subtype,
  text,
  withDefault,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'

const Company = entity('Company', 'companies', { id: pipe(integer, primaryKey, generated), name: text })

const Person = entity(
  'Person',
  'people',
  {
    id: pipe(integer, primaryKey, generated),
    kind: text,
    name: pipe(text, named('full_name')),
    companyId: pipe(integer, named('company_id'), nullable),
  },
  { discriminator: 'kind', identity: 'person' },
)

/** Its own table, whose key has another name. */
const Engineer = subtype(Person)(
  'Engineer',
  'engineers',
  { language: pipe(text, named('lang')), mentorId: pipe(integer, named('mentor_id'), nullable) },
  { identity: 'engineer', key: 'person_id' },
)

/** A table below that. */
const Architect = subtype(Engineer)(
  'Architect',
  'architects',
  { style: pipe(text, nullable) },
  { identity: 'architect' },
)

/** In the table of engineers. */
const Lead = subtype(Engineer)('Lead', { team: text }, { identity: 'lead' })

/** In the table of people. */
const Manager = subtype(Person)(
  'Manager',
  {
    level: pipe(
      integer,
      withDefault(() => 1),
    ),
  },
  { identity: 'manager' },
)

const Machine = entity('Machine', 'machines', {
  id: pipe(integer, primaryKey, generated),
  label: text,
  engineerId: pipe(integer, named('engineer_id'), nullable),
})

export const staff = defineModel({ Company, Person, Engineer, Architect, Lead, Manager, Machine })((r) => ({
  Company: {
    employees: r.Company.hasMany('Person', {
      foreignKey: 'companyId',
      inverse: 'company',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
      orderBy: 'id',
    }),
    engineers: r.Company.hasMany('Engineer', { foreignKey: 'companyId', viewonly: true, orderBy: 'id' }),
  },
  Person: { company: r.Person.belongsTo('Company', { foreignKey: 'companyId', inverse: 'employees' }) },
  Engineer: {
    machines: r.Engineer.hasMany('Machine', {
      foreignKey: 'engineerId',
      inverse: 'engineer',
      cascade: ['save-update', 'merge', 'delete'],
      orderBy: 'id',
    }),
    mentor: r.Engineer.belongsTo('Engineer', { foreignKey: 'mentorId', inverse: 'pupils' }),
    pupils: r.Engineer.hasMany('Engineer', { foreignKey: 'mentorId', inverse: 'mentor', orderBy: 'id' }),
  },
  Machine: { engineer: r.Machine.belongsTo('Engineer', { foreignKey: 'engineerId', inverse: 'machines' }) },
}))

export type Staff = typeof staff
