/** What types know of subtypes. Checked by `tsc`; nothing here runs. */
import {
  type Database,
  type Draft,
  defineModel,
  entity,
  generated,
  integer,
  type KeyOf,
  type Managed,
  primaryKey,
  type RelationshipName,
  type Snapshot,
  type SnapshotOf,
  subtype,
  text,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { expectTypeOf } from 'vitest'
import type { Staff } from './staff.js'

declare const person: Managed<Staff, 'Person'>
declare const engineer: Managed<Staff, 'Engineer'>
declare const lead: Managed<Staff, 'Lead'>
declare const manager: Managed<Staff, 'Manager'>

// a subtype's row has what its parent has, and its own; its discriminator holds what its rows can have
expectTypeOf(engineer.name).toEqualTypeOf<string>()
expectTypeOf(engineer.language).toEqualTypeOf<string>()
expectTypeOf(person.kind).toEqualTypeOf<'person' | 'engineer' | 'architect' | 'lead' | 'manager'>()
expectTypeOf(engineer.kind).toEqualTypeOf<'engineer' | 'architect' | 'lead'>()
expectTypeOf(lead.kind).toEqualTypeOf<'lead'>()
expectTypeOf<KeyOf<Staff, 'Lead'>>().toEqualTypeOf<number>()
// @ts-expect-error -- a person has no language
export const language = person.language

// an instance of a subtype is one of its parents, and of nothing else
expectTypeOf(lead).toExtend<Snapshot<'Lead'>>()
expectTypeOf(lead).toExtend<Snapshot<'Engineer'>>()
expectTypeOf(lead).toExtend<Snapshot<'Person'>>()
expectTypeOf(lead).toExtend<SnapshotOf<Staff, 'Engineer'>>()
expectTypeOf(lead).toExtend<Managed<Staff, 'Person'>>()
expectTypeOf(lead).not.toExtend<Snapshot<'Manager'>>()
expectTypeOf(person).not.toExtend<Snapshot<'Engineer'>>()
expectTypeOf(manager).not.toExtend<Snapshot<'Engineer'>>()

// the relationships of its parents are its own
expectTypeOf<RelationshipName<Staff, 'Lead'>>().toExtend<'company' | 'machines' | 'mentor' | 'pupils'>()
expectTypeOf<'company' | 'machines' | 'mentor' | 'pupils'>().toExtend<RelationshipName<Staff, 'Lead'>>()
expectTypeOf<RelationshipName<Staff, 'Manager'>>().toExtend<'company'>()

// the entity fills its discriminator in, and what relationships fill may be left out
const draft: Draft<Staff, 'Lead'> = { name: 'ed', language: 'ts', team: 'core' }
const whole: Draft<Staff, 'Lead'> = { ...draft, kind: 'lead', company: { name: 'acme' }, machines: [{ label: 'm' }] }
expectTypeOf(whole).toExtend<Draft<Staff, 'Lead'>>()
// @ts-expect-error -- a lead has a team
export const withoutTeam: Draft<Staff, 'Lead'> = { name: 'ed', language: 'ts' }
// @ts-expect-error -- a lead is no engineer of its own
export const another: Draft<Staff, 'Lead'> = { ...draft, kind: 'engineer' }

// drafts of a collection say of which subtype they are
export const company: Draft<Staff, 'Company'> = {
  name: 'acme',
  employees: [
    { name: 'p' },
    { kind: 'engineer', name: 'e', language: 'ts' },
    { kind: 'manager', name: 'm', level: 2 },
    lead,
  ],
}
// @ts-expect-error -- an engineer has a language
export const wrong: Draft<Staff, 'Company'> = { name: 'acme', employees: [{ kind: 'engineer', name: 'e' }] }

// in expressions each entity is a table, by its own name where it has none
expectTypeOf<keyof Database<Staff>>().toEqualTypeOf<
  'companies' | 'people' | 'engineers' | 'architects' | 'Lead' | 'Manager' | 'machines'
>()
expectTypeOf<Database<Staff>['engineers']['name']['__select__']>().toEqualTypeOf<string>()

const Shape = entity(
  'Shape',
  'shapes',
  { id: pipe(integer, primaryKey, generated), kind: text },
  { discriminator: 'kind' },
)
const Circle = subtype(Shape)('Circle', 'circles', { radius: integer }, { identity: 'circle' })
const shapes = defineModel({ Shape, Circle })(() => ({}))

// an abstract entity has instances of its subtypes alone
declare const shape: Managed<typeof shapes, 'Shape'>
expectTypeOf(shape.kind).toEqualTypeOf<'circle'>()
// @ts-expect-error -- Shape is abstract
export const abstract: Draft<typeof shapes, 'Shape'> = { id: 1 }

// @ts-expect-error -- the discriminator is an attribute
entity('X', 'x', { id: integer }, { discriminator: 'kind', identity: 'x' })
// @ts-expect-error -- an identity is a value of the discriminator
entity('X', 'x', { id: integer, kind: text }, { discriminator: 'kind', identity: 5 })
// @ts-expect-error -- of the root's, whoever is between
subtype(Circle)('Ring', { inner: integer }, { identity: 5 })
subtype(Circle)('Ring', { inner: integer }, { identity: 'ring' })
const Plain = entity('Plain', 'plain', { id: pipe(integer, primaryKey) })
// @ts-expect-error -- what has no discriminator has no subtypes
subtype(Plain)('Sub', { inner: integer }, { identity: 'sub' })
