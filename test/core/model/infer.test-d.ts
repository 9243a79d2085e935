/** What a model says about its entities, in types. Checked by `tsc`; nothing here runs. */
import {
  bigint,
  type CollectionName,
  type Column,
  column,
  type Database,
  type Draft,
  deferred,
  defineModel,
  entity,
  generated,
  type Insertable,
  integer,
  isoDate,
  type Key,
  type KeyOf,
  type Managed,
  named,
  nullable,
  type Pending,
  primaryKey,
  type ReferenceName,
  type Related,
  type RelationshipName,
  type Row,
  type RowOf,
  type Snapshot,
  serverVersion,
  type TargetOf,
  text,
  withDefault,
  withInsertDefault,
  withUpdateDefault,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import type { Option } from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import type { ColumnType } from 'kysely'
import { expectTypeOf } from 'vitest'

const User = entity('User', 'users', {
  id: pipe(integer, primaryKey, generated),
  name: text,
  nickname: pipe(text, nullable),
  joined: pipe(
    column(isoDate, 'text'),
    named('joined_at'),
    withDefault((services) => services.now),
  ),
})
const Address = entity('Address', 'addresses', {
  id: pipe(bigint, primaryKey),
  email: text,
  userId: integer,
  notes: pipe(text, deferred),
})
const Visit = entity('Visit', 'visits', {
  userId: pipe(integer, primaryKey),
  place: pipe(text, primaryKey),
  times: integer,
})
const model = defineModel({ User, Address, Visit })((r) => ({
  User: { addresses: r.User.hasMany('Address', { foreignKey: 'userId', inverse: 'user' }) },
  Address: { user: r.Address.belongsTo('User', { foreignKey: 'userId', inverse: 'addresses' }) },
  Visit: { user: r.Visit.belongsTo('User', { foreignKey: 'userId' }) },
}))
type M = typeof model

interface UserRow {
  readonly id: number
  readonly name: string
  readonly nickname: string | null
  readonly joined: Date
}
interface UserDraft {
  readonly id?: number
  readonly name: string
  readonly nickname?: string | null
  readonly joined?: Date
}

// rows have every attribute, decoded; inserts leave out what is generated, defaulted, nullable
expectTypeOf<Row<typeof User>>().toEqualTypeOf<UserRow>()
expectTypeOf<RowOf<M, 'User'>>().toEqualTypeOf<UserRow>()
expectTypeOf<Insertable<typeof User>>().toEqualTypeOf<UserDraft>()
expectTypeOf<Insertable<typeof Visit>>().toEqualTypeOf<{
  readonly userId: number
  readonly place: string
  readonly times: number
}>()

// a key of one column is its value, of several a record of them
expectTypeOf<Key<typeof User>>().toEqualTypeOf<number>()
expectTypeOf<KeyOf<M, 'Address'>>().toEqualTypeOf<bigint>()
expectTypeOf<KeyOf<M, 'Visit'>>().toEqualTypeOf<{ readonly userId: number; readonly place: string }>()

// relationships
expectTypeOf<RelationshipName<M, 'User'>>().toEqualTypeOf<'addresses'>()
expectTypeOf<CollectionName<M, 'User'>>().toEqualTypeOf<'addresses'>()
expectTypeOf<ReferenceName<M, 'Address'>>().toEqualTypeOf<'user'>()
expectTypeOf<CollectionName<M, 'Address'>>().toEqualTypeOf<never>()
expectTypeOf<TargetOf<M, 'User', 'addresses'>>().toEqualTypeOf<'Address'>()
expectTypeOf<Related<M, 'User', 'addresses'>>().toEqualTypeOf<ReadonlyArray<Managed<M, 'Address'>>>()
expectTypeOf<Related<M, 'Address', 'user'>>().toEqualTypeOf<Option<Managed<M, 'User'>>>()

// snapshots are rows that know which instance they picture; what is deferred is not among their attributes
expectTypeOf<Managed<M, 'User'>>().toEqualTypeOf<{ [K in keyof UserRow]: UserRow[K] } & Snapshot<'User'>>()
expectTypeOf<keyof Managed<M, 'Address'>>().toEqualTypeOf<'id' | 'email' | 'userId'>()
expectTypeOf<Pending<M, 'User'>>().toEqualTypeOf<{ [K in keyof UserDraft]: UserDraft[K] } & Snapshot<'User'>>()
expectTypeOf<Managed<M, 'User'>>().toExtend<UserRow>()
expectTypeOf<Managed<M, 'User'>>().toExtend<Snapshot<'User'>>()
expectTypeOf<Managed<M, 'User'>>().not.toExtend<Snapshot<'Address'>>()

// a foreign key that a relationship fills may be left out of a draft, a column without relationship may not
expectTypeOf<Draft<M, 'Visit'>['userId']>().toEqualTypeOf<number | undefined>()
expectTypeOf<Draft<M, 'Visit'>['times']>().toEqualTypeOf<number>()

export const drafts: ReadonlyArray<Draft<M, 'User'>> = [
  { name: 'ed' },
  { name: 'ed', nickname: null, joined: new Date(), id: 1 },
  { name: 'ed', addresses: [] },
  { name: 'ed', addresses: [{ id: 1n, email: 'a', notes: '' }] },
  // @ts-expect-error a required attribute is missing
  {},
  // @ts-expect-error a column of the wrong type
  { name: 5 },
  // @ts-expect-error a column that cannot be null
  { name: null },
  // @ts-expect-error a misspelt attribute
  { name: 'ed', nickName: 'e' },
  // @ts-expect-error a misspelt relationship
  { name: 'ed', adresses: [] },
  // @ts-expect-error a collection is an array
  { name: 'ed', addresses: { id: 1n, email: 'a', notes: '' } },
  // @ts-expect-error a nested draft lacks a required attribute
  { name: 'ed', addresses: [{ id: 1n, notes: '' }] },
  // @ts-expect-error a nested draft has a column of the wrong type
  { name: 'ed', addresses: [{ id: 1, email: 'a', notes: '' }] },
]

// Kysely sees tables, attributes by their names in the program, and the program's types
expectTypeOf<keyof Database<M>>().toEqualTypeOf<'users' | 'addresses' | 'visits'>()
expectTypeOf<Database<M>['users']['joined']>().toEqualTypeOf<ColumnType<Date, Date | undefined, Date>>()
expectTypeOf<Database<M>['users']['name']>().toEqualTypeOf<ColumnType<string, string, string>>()

// a cyclic model needs no annotations
const Node = entity('Node', 'nodes', { id: pipe(integer, primaryKey, generated), parentId: pipe(integer, nullable) })
const tree = defineModel({ Node })((r) => ({
  Node: {
    parent: r.Node.belongsTo('Node', { foreignKey: 'parentId', inverse: 'children' }),
    children: r.Node.hasMany('Node', { foreignKey: 'parentId', inverse: 'parent' }),
  },
}))
export const nested: Draft<typeof tree, 'Node'> = { children: [{ children: [{}] }], parent: { parent: null } }

// unique constraints name attributes of their entity, and do not show in its type
const Seat = entity(
  'Seat',
  'seats',
  { id: integer, row: text, number: integer },
  { unique: [['row', 'number'], ['id']] },
)
expectTypeOf<Row<typeof Seat>>().toEqualTypeOf<{ readonly id: number; readonly row: string; readonly number: number }>()
export const faultyEntities = [
  // @ts-expect-error no attribute of that name
  entity('Seat', 'seats', { id: integer, row: text }, { unique: [['row', 'place']] }),
  // @ts-expect-error a constraint without attributes
  entity('Seat', 'seats', { id: integer, row: text }, { unique: [[]] }),
]

export const faulty = [
  defineModel({ User, Address })((r) => ({
    // @ts-expect-error no entity of that name
    User: { pets: r.User.hasMany('Pet', { foreignKey: 'userId' }) },
  })),
  defineModel({ User, Address })((r) => ({
    // @ts-expect-error Address has no attribute of that name
    User: { addresses: r.User.hasMany('Address', { foreignKey: 'ownerId' }) },
  })),
  defineModel({ User, Address })((r) => ({
    // @ts-expect-error of a belongsTo the foreign key is this entity's: User has no userId
    User: { address: r.User.belongsTo('Address', { foreignKey: 'userId' }) },
  })),
  defineModel({ User, Address })((r) => ({
    // @ts-expect-error Address has no relationship of that name
    User: { addresses: r.User.hasMany('Address', { foreignKey: 'userId', inverse: 'owner' }) },
    Address: { user: r.Address.belongsTo('User', { foreignKey: 'userId' }) },
  })),
  defineModel({ User, Address })((r) => ({
    // @ts-expect-error nothing to order by
    User: { addresses: r.User.hasMany('Address', { foreignKey: 'userId', orderBy: 'street' }) },
  })),
  // @ts-expect-error relationships of what is no entity
  defineModel({ User, Address })((r) => ({
    Pet: { user: r.Address.belongsTo('User', { foreignKey: 'userId' }) },
  })),
  defineModel({ User, Address })((r) => ({
    // @ts-expect-error a cascade that does not exist
    User: { addresses: r.User.hasMany('Address', { foreignKey: 'userId', cascade: ['save'] }) },
  })),
]

// a version that the database gives has any type, and no draft need give it
const Versioned = entity('Versioned', 'versioned', {
  id: pipe(integer, primaryKey),
  version: pipe(text, named('xmin'), serverVersion),
})
expectTypeOf<Row<typeof Versioned>>().toEqualTypeOf<{ readonly id: number; readonly version: string }>()
expectTypeOf<{ readonly id: number }>().toExtend<Insertable<typeof Versioned>>()
// a default may be of a narrower type than its column
const status = column(t.union([t.literal('open'), t.literal('done')]), 'text')
const defaults = {
  points: pipe(
    integer,
    nullable,
    withDefault(() => 3),
  ),
  rank: pipe(
    integer,
    nullable,
    withInsertDefault(() => null),
  ),
  status: pipe(
    status,
    withInsertDefault(() => 'open'),
  ),
  changed: pipe(
    column(isoDate, 'text'),
    nullable,
    withUpdateDefault((services) => services.now),
  ),
}
expectTypeOf(defaults.points).toEqualTypeOf<Column<number | null, number | null, 'nullable' | 'default'>>()
expectTypeOf(defaults.status).toEqualTypeOf<Column<'open' | 'done', 'open' | 'done', 'default'>>()
expectTypeOf(defaults.changed).toEqualTypeOf<Column<Date | null, string | null, 'nullable'>>()

export const wrongDefaults = () => [
  pipe(
    integer,
    // @ts-expect-error a text is no integer
    withDefault(() => 'three'),
  ),
  pipe(
    integer,
    // @ts-expect-error the column is never null
    withInsertDefault(() => null),
  ),
  pipe(
    status,
    // @ts-expect-error none of the values
    withUpdateDefault(() => 'lost'),
  ),
]
