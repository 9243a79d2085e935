import {
  type AnyEntity,
  concrete,
  ddlOf,
  deferred,
  defineModel,
  entity,
  generated,
  integer,
  isKindOf,
  ModelError,
  nullable,
  primaryKey,
  subtype,
  text,
  version,
  withDescendants,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { staff } from './staff.js'

const { Person, Engineer, Architect, Lead, Manager, Machine } = staff

describe('the mapping of a subtype', () => {
  test('has what its parent has, then its own: the very same attributes, key and relationships', () => {
    const { mapping } = Architect
    expect(mapping.attributes.map(({ name }) => name)).toEqual([
      'id',
      'kind',
      'name',
      'companyId',
      'language',
      'mentorId',
      'style',
    ])
    expect(mapping.attributes.every(({ position }, i) => position === i)).toBe(true)
    expect(mapping.attributes[4]).toBe(Engineer.mapping.attributeOf.get('language'))
    expect(mapping.key).toBe(Person.mapping.key)
    expect(mapping.relationships.map(({ name }) => name)).toEqual(['company', 'machines', 'mentor', 'pupils'])
    expect(mapping.relationships[0]).toBe(Person.mapping.relationshipOf.get('company'))
    expect(mapping.relationships.every(({ position }, i) => position === i)).toBe(true)
  })

  test('knows its line, and each entity its own value of the discriminator', () => {
    expect(Architect.mapping.parent).toBe(Engineer.mapping)
    expect(Architect.mapping.root).toBe(Person.mapping)
    expect(Person.mapping.subtypes.map(({ name }) => name)).toEqual(['Engineer', 'Manager'])
    expect(withDescendants(Person.mapping).map(({ name, identity }) => [name, identity])).toEqual([
      ['Person', 'person'],
      ['Engineer', 'engineer'],
      ['Architect', 'architect'],
      ['Lead', 'lead'],
      ['Manager', 'manager'],
    ])
    expect(isKindOf(Architect.mapping, Person.mapping)).toBe(true)
    expect(isKindOf(Person.mapping, Architect.mapping)).toBe(false)
    const { discriminator } = Lead.mapping
    expect(discriminator?.column.codec.is('lead')).toBe(true)
    expect(discriminator?.column.codec.is('engineer')).toBe(false)
    expect(Machine.mapping).toMatchObject({ parent: null, discriminator: null, identity: null, subtypes: [] })
    expect(Machine.mapping.root).toBe(Machine.mapping)
  })

  test('says which table holds what', () => {
    const parts = ({ mapping }: typeof Person | typeof Architect | typeof Lead | typeof Manager) =>
      mapping.parts.map(({ table, key, attributes }) => [table, key, attributes.map(({ name }) => name)])
    const people = ['id', 'kind', 'name', 'companyId']
    expect(parts(Architect)).toEqual([
      ['people', ['id'], people],
      ['engineers', ['person_id'], ['language', 'mentorId']],
      ['architects', ['id'], ['style']],
    ])
    expect(parts(Lead)).toEqual([
      ['people', ['id'], people],
      ['engineers', ['person_id'], ['language', 'mentorId', 'team']],
    ])
    expect(parts(Manager)).toEqual([['people', ['id'], [...people, 'level']]])
  })
})

test('the tables of a hierarchy: a key that refers to the parent, columns of subtypes in the table they share', () => {
  const { compile, dialect } = sqliteEngine(new Database(':memory:'))
  expect(ddlOf(staff)(dialect).create.map(({ node }) => compile(node).sql)).toMatchInlineSnapshot(`
    [
      "create table if not exists "companies" ("id" integer not null primary key, "name" text not null)",
      "create table if not exists "people" ("id" integer not null primary key, "kind" text not null, "full_name" text not null, "company_id" integer, "level" integer, constraint "people_company_id_fkey" foreign key ("company_id") references "companies" ("id"))",
      "create index if not exists "people_company_id_idx" on "people" ("company_id")",
      "create table if not exists "engineers" ("person_id" integer not null primary key, "lang" text not null, "mentor_id" integer, "team" text, constraint "engineers_person_id_fkey" foreign key ("person_id") references "people" ("id") on delete cascade on update cascade, constraint "engineers_mentor_id_fkey" foreign key ("mentor_id") references "engineers" ("person_id"))",
      "create index if not exists "engineers_mentor_id_idx" on "engineers" ("mentor_id")",
      "create table if not exists "architects" ("id" integer not null primary key, "style" text, constraint "architects_id_fkey" foreign key ("id") references "engineers" ("person_id") on delete cascade on update cascade)",
      "create table if not exists "machines" ("id" integer not null primary key, "label" text not null, "engineer_id" integer, constraint "machines_engineer_id_fkey" foreign key ("engineer_id") references "engineers" ("person_id"))",
      "create index if not exists "machines_engineer_id_idx" on "machines" ("engineer_id")",
    ]
  `)
})

const id = pipe(integer, primaryKey, generated)
const base = { id, kind: text, name: text }

/** The faults of a model, as `path: message`. */
const faultsOf = (
  entities: Readonly<Record<string, AnyEntity>>,
  relationships: (r: never) => unknown = () => ({}),
): ReadonlyArray<string> => {
  try {
    ;(defineModel as unknown as (e: typeof entities) => (r: typeof relationships) => unknown)(entities)(relationships)
    return []
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    return error.faults.map(({ path, message }) => `${path}: ${message}`)
  }
}

describe('defineModel refuses', () => {
  const A = entity('A', 'a', base, { discriminator: 'kind', identity: 'a' })

  test('a subtype whose parent is not in the model', () => {
    const B = subtype(A)('B', 'b', { own: text }, { identity: 'b' })
    expect(faultsOf({ B })).toContain('B: it is a subtype of A, which is not in the model; add it')
  })

  test('a subtype of an entity without discriminator', () => {
    const Plain = entity('Plain', 'plain', { id })
    const B = subtype(Plain as never)('B', 'b', { own: text }, { identity: 'b' as never }) as AnyEntity
    expect(faultsOf({ Plain, B })).toEqual(['B: Plain has no discriminator, and so can have no subtypes; give it one'])
  })

  test('a discriminator that is no attribute, or one that cannot tell rows apart', () => {
    const of = (columns: Parameters<typeof entity>[2], discriminator: string) =>
      faultsOf({ X: entity('X', 'x', columns, { discriminator, identity: 'x' } as never) })
    expect(of({ id }, 'kind')).toEqual(["X.discriminator: 'kind' is no attribute of X; name one that it has"])
    expect(of({ kind: pipe(text, primaryKey) }, 'kind')).toEqual([
      "X.discriminator: 'kind' is part of the primary key, and cannot be the discriminator; take another attribute",
    ])
    expect(of({ id, kind: pipe(text, nullable) }, 'kind')).toEqual([
      "X.discriminator: 'kind' may be null, and every row has a discriminator; leave nullable out",
    ])
    expect(of({ id, kind: pipe(text, deferred) }, 'kind')).toEqual([
      "X.discriminator: 'kind' is deferred, and every row is read with its discriminator; leave deferred out",
    ])
  })

  test('an identity that another has, or that is no value of the discriminator', () => {
    const B = subtype(A)('B', { b: text }, { identity: 'b' })
    const C = subtype(B)('C', { c: text }, { identity: 'b' })
    expect(faultsOf({ A, B, C })).toEqual(['C.identity: "b" is the identity of B already; choose another'])
    const D = subtype(A)('D', { d: text }, { identity: 5 as never }) as AnyEntity
    expect(faultsOf({ A, D })).toEqual(["D.identity: 5 is no value of 'kind'; give one that is"])
  })

  test('an abstract entity without subtypes', () => {
    const Abstract = entity('Abstract', 'x', base, { discriminator: 'kind' })
    expect(faultsOf({ Abstract })).toEqual([
      'Abstract.identity: without one it is abstract, and it has no subtype; give it an identity, or the model a subtype of it',
    ])
  })

  test('an attribute or relationship that is inherited already', () => {
    const B = subtype(A)('B', 'b', { name: text }, { identity: 'b' })
    expect(faultsOf({ A, B })).toContain('B.name: A has an attribute of that name; choose another')
    const C = subtype(A)('C', 'c', { partnerId: integer, friend: text }, { identity: 'c' })
    const relationships = ((r: Record<string, { belongsTo: (target: string, options: object) => unknown }>) => ({
      A: { friend: r.A?.belongsTo('A', { foreignKey: 'id' }) },
      C: { friend: r.C?.belongsTo('A', { foreignKey: 'partnerId' }) },
    })) as never
    expect(faultsOf({ A, C }, relationships)).toEqual([
      'C.friend: A has a relationship of that name',
      'C.friend: a column has the same name',
      'C.friend: A has a relationship of that name',
    ])
  })

  test('a key or a version of a subtype', () => {
    const B = subtype(A)('B', 'b', { b: pipe(integer, primaryKey), v: version(integer) }, { identity: 'b' })
    expect(faultsOf({ A, B })).toEqual([
      'B.b: a primary key is for A to have, whose key it shares; declare it there',
      'B.v: a version is for A to have, whose key it shares; declare it there',
    ])
  })

  test('a key of a wrong number of columns, and a column that holds the key already', () => {
    const B = subtype(A)('B', 'b', { ref: text }, { identity: 'b', key: ['x', 'y'] })
    expect(faultsOf({ A, B })).toEqual(['B.key: 2 columns cannot hold the key of A, which has 1'])
    const C = subtype(A)('C', 'c', { ref: text }, { identity: 'c', key: 'ref' })
    expect(faultsOf({ A, C })).toEqual([
      "C.ref: column 'ref' belongs to attribute 'id' already; say named for one of them",
    ])
  })

  test('columns of two kinds under one name in one table', () => {
    const B = subtype(A)('B', { size: integer }, { identity: 'b' })
    const C = subtype(A)('C', { size: text }, { identity: 'c' })
    expect(faultsOf({ A, B, C })).toEqual([
      "C.size: column 'size' is integer for B; give both one kind, or say named for one",
    ])
    expect(faultsOf({ A, B, D: subtype(A)('D', { size: integer }, { identity: 'd' }) })).toEqual([])
  })

  test('a constraint of what stands in another table, or in none', () => {
    const B = subtype(A)('B', 'b', { own: text }, { identity: 'b', indexes: [['own', 'name' as never]] })
    expect(faultsOf({ A, B })).toEqual([
      "B.indexes: 'name' does not stand in the table of B; leave it out, or say it of the entity whose table has it",
    ])
    const Whole = subtype(A)('Whole', 'w', { own: text }, { identity: 'w', indexes: [['own', 'id']] })
    const C = subtype(Whole)('C', { more: text }, { identity: 'c', unique: [['more', 'own', 'id', 'kind']] })
    expect(faultsOf({ A, Whole, C })).toEqual([
      "C.unique: 'kind' does not stand in the table of C; leave it out, or say it of the entity whose table has it",
    ])
    const Base = entity('Base', 'base', base, { discriminator: 'kind', unique: [['name']] })
    const D = concrete(Base)('D', 'd', { own: text }, { identity: 'd', indexes: [['kind', 'own']] })
    expect(faultsOf({ Base, D })).toEqual([
      'Base: it has no table, since it is abstract and its subtypes are concrete; give these the constraints',
      "D.indexes: 'kind' does not stand in the table of D; leave it out, or say it of the entity whose table has it",
    ])
  })

  test('a foreign key to a table that is none', () => {
    const B = subtype(A)(
      'B',
      { aId: integer },
      { identity: 'b', foreignKeys: [{ attributes: ['aId'], references: ['B.id'] }] },
    )
    expect(faultsOf({ A, B })).toEqual([
      "B.foreignKeys: no entity has the table 'B'; add one to the model, or leave the reference out",
    ])
  })

  test('an inverse that is declared for a parent', () => {
    const B = subtype(A)('B', 'b', { own: text }, { identity: 'b' })
    const O = entity('O', 'o', { id, aId: integer })
    const relationships = ((r: Record<string, Record<string, (target: string, options: object) => unknown>>) => ({
      A: { os: r.A?.hasMany?.('O', { foreignKey: 'aId' }) },
      O: { b: r.O?.belongsTo?.('B', { foreignKey: 'aId', inverse: 'os' }) },
    })) as never
    expect(faultsOf({ A, B, O }, relationships)).toEqual(["O.b.inverse: 'os' is a relationship of A; declare one of B"])
  })
})
