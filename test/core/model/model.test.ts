import {
  type AnyColumn,
  type AnyEntity,
  arrayOf,
  blob,
  decimal,
  deferred,
  defineModel,
  entity,
  enumOf,
  generated,
  groupedBy,
  integer,
  keyedBy,
  ModelError,
  named,
  nullable,
  positioned,
  primaryKey,
  references,
  serverVersion,
  text,
  unique,
  version,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'

const id = pipe(integer, primaryKey, generated)

const User = entity('User', 'users', { id, name: text })
const Address = entity('Address', 'addresses', { id, email: text, userId: integer, otherId: pipe(integer, nullable) })

/** Defines a model regardless of what its types say. */
const define = defineModel as unknown as (
  entities: Readonly<Record<string, AnyEntity>>,
) => (relationships: (r: never) => unknown) => unknown

/** The faults of a model, as `path: message`. */
const faultsOf = (
  entities: Readonly<Record<string, AnyEntity>>,
  relationships: (
    r: Record<string, Record<string, (...args: ReadonlyArray<unknown>) => unknown>>,
  ) => unknown = () => ({}),
): ReadonlyArray<string> => {
  try {
    define(entities)(relationships as never)
    return []
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    return error.faults.map(({ path, message }) => `${path}: ${message}`)
  }
}

describe('defineModel', () => {
  test('gives the mapped entities, by name and in order, with relationships resolved at both ends', () => {
    const model = defineModel({ User, Address })((r) => ({
      User: {
        addresses: r.User.hasMany('Address', { foreignKey: 'userId', inverse: 'user', orderBy: ['email', 'desc'] }),
      },
      Address: { user: r.Address.belongsTo('User', { foreignKey: 'userId', inverse: 'addresses' }) },
    }))
    expect(model.mappings.map(({ name, table, index }) => [name, table, index])).toEqual([
      ['User', 'users', 0],
      ['Address', 'addresses', 1],
    ])
    expect(model.User.model()).toBe(model)
    expect(model.User.mapping).toBe(model.mappingOf.get('User'))
    const [addresses] = model.User.mapping.relationships
    const [user] = model.Address.mapping.relationships
    expect(addresses?.inverse).toBe(user)
    expect(user?.inverse).toBe(addresses)
    expect(addresses).toMatchObject({ kind: 'HasMany', name: 'addresses', position: 0, isCollection: true })
    expect(user).toMatchObject({ kind: 'BelongsTo', isCollection: false })
    expect(addresses?.foreignKey.map(({ name }) => name)).toEqual(['userId'])
    expect(addresses?.key.map(({ name }) => name)).toEqual(['id'])
    expect(addresses?.orderBy.map(([{ name }, direction]) => [name, direction])).toEqual([['email', 'desc']])
    expect([...(addresses?.cascade ?? [])]).toEqual(['save-update', 'merge'])
  })

  test.each([
    ['email', [['email', 'asc']]],
    [['email', 'desc'], [['email', 'desc']]],
    [
      ['email', 'id'],
      [
        ['email', 'asc'],
        ['id', 'asc'],
      ],
    ],
    [
      [['email', 'desc'], 'id'],
      [
        ['email', 'desc'],
        ['id', 'asc'],
      ],
    ],
    [undefined, []],
  ] as const)('reads an order given as %j', (orderBy, expected) => {
    const model = defineModel({ User, Address })((r) => ({
      User: {
        addresses: r.User.hasMany('Address', { foreignKey: 'userId', ...(orderBy === undefined ? {} : { orderBy }) }),
      },
    }))
    expect(model.User.mapping.relationships[0]?.orderBy.map(([{ name }, direction]) => [name, direction])).toEqual(
      expected,
    )
  })

  test('an entity without relationships, and cyclic ones, need no more than others', () => {
    const Node = entity('Node', 'nodes', { id, parentId: pipe(integer, nullable) })
    const model = defineModel({ Node })((r) => ({
      Node: {
        parent: r.Node.belongsTo('Node', { foreignKey: 'parentId', inverse: 'children' }),
        children: r.Node.hasMany('Node', { foreignKey: 'parentId', inverse: 'parent' }),
      },
    }))
    const [parent, children] = model.Node.mapping.relationships
    expect(parent?.inverse).toBe(children)
    expect(children?.target).toBe(model.Node.mapping)
  })
})

describe('the unique keys of an entity', () => {
  const Member = entity(
    'Member',
    'members',
    { id, tenantId: integer, email: text, handle: pipe(text, unique) },
    { unique: [['tenantId', 'email']] },
  )

  test('are its unique columns, then what it names of several', () => {
    const { mapping } = defineModel({ Member })(() => ({})).Member
    expect(mapping.uniqueKeys.map((key) => key.map(({ name }) => name))).toEqual([['handle'], ['tenantId', 'email']])
    expect(mapping.key.map(({ name }) => name)).toEqual(['id'])
  })

  test('are those of unique indexes too, as far as all rows are in them', () => {
    const Seat = entity(
      'Seat',
      'seats',
      { id, row: text, place: integer },
      {
        indexes: [
          { attributes: ['row', ['place', 'desc']], unique: true },
          { attributes: ['row'], unique: true, where: (eb) => eb('place', '>', 3) },
          ['place'],
        ],
      },
    )
    const { mapping } = defineModel({ Seat })(() => ({})).Seat
    expect(mapping.uniqueKeys.map((key) => key.map(({ name }) => name))).toEqual([['row', 'place']])
  })
})

describe('the constraints of an entity', () => {
  test('name attributes, at least one, and none of them twice', () => {
    const of = (names: ReadonlyArray<string>) => ({ attributes: names, name: null })
    const Faulty = {
      ...entity('Member', 'members', { id, tenantId: integer, email: text }),
      constraints: {
        unique: [of(['tenantId', 'mail']), of([]), of(['email', 'email'])],
        indexes: [{ attributes: [['mail', 'desc']], name: null, unique: false, where: null }],
        checks: [],
        foreignKeys: [],
      },
    } as const
    expect(faultsOf({ Member: Faulty })).toEqual([
      "Member.unique: 'mail' is no attribute of Member; name one that it has",
      'Member.unique: a unique constraint names no attribute; name one, or leave it out',
      'Member.unique: [email, email] names an attribute twice; leave one out',
      "Member.indexes: 'mail' is no attribute of Member; name one that it has",
    ])
  })

  test('refer to as many columns as they have attributes, all of one table of the model', () => {
    const Tenant = entity('Tenant', 'tenants', { id })
    const Member = entity(
      'Member',
      'members',
      { id, tenantId: integer, email: text },
      {
        foreignKeys: [
          { attributes: ['tenantId', 'email'], references: ['tenants.id'] },
          { attributes: ['tenantId', 'id'], references: ['tenants.id', 'members.id'] },
          { attributes: ['tenantId'], references: ['tenants.key'] },
          { attributes: ['tenantId'], references: ['people.id'] },
        ],
      },
    )
    expect(faultsOf({ Tenant, Member })).toEqual([
      'Member.foreignKeys: [tenantId, email] cannot refer to [tenants.id]: give a column for each attribute',
      'Member.foreignKeys: [tenants.id, members.id] are columns of several tables; refer to one',
      "Member.foreignKeys: 'tenants' has no column 'key'; name one that it has",
      "Member.foreignKeys: no entity has the table 'people'; add one to the model, or leave the reference out",
    ])
  })
})

describe('a faulty model', () => {
  test('throws a ModelError with every fault, one a line', () => {
    const Nameless = entity('Nameless', 'users', { name: text })
    expect(() => define({ User, Nameless })(() => ({}))).toThrow(
      new ModelError([
        { path: 'Nameless', message: "table 'users' belongs to User already; name another, or make it a subtype" },
        { path: 'Nameless', message: 'no column is a primaryKey, which tells its rows apart; make one so' },
      ]),
    )
    expect(new ModelError([{ path: 'A.b', message: 'is wrong' }]).message).toBe(
      'the model has a fault:\n  A.b: is wrong',
    )
    expect(
      new ModelError([
        { path: 'A.b', message: 'is wrong' },
        { path: 'C', message: 'too' },
      ]).message,
    ).toBe('the model has 2 faults:\n  A.b: is wrong\n  C: too')
  })

  test('a name that differs from the entity’s', () => {
    expect(faultsOf({ Person: User })).toEqual(["Person: the entity is called 'User'; give it the same name here"])
  })

  test('a reserved name', () => {
    expect(faultsOf({ mappings: entity('mappings', 'users', { id }) })).toEqual([
      'mappings: the name is reserved; choose another',
    ])
  })

  test('two entities on one table', () => {
    expect(faultsOf({ User, Person: entity('Person', 'users', { id }) })).toEqual([
      "Person: table 'users' belongs to User already; name another, or make it a subtype",
    ])
  })

  test('no primary key', () => {
    expect(faultsOf({ User: entity('User', 'users', { name: text }) })).toEqual([
      'User: no column is a primaryKey, which tells its rows apart; make one so',
    ])
  })

  test('two attributes on one column', () => {
    expect(faultsOf({ User: entity('User', 'users', { id, name: text, title: pipe(text, named('name')) }) })).toEqual([
      "User.title: column 'name' belongs to attribute 'name' already; say named for one of them",
    ])
  })

  test('a primary key that may be NULL', () => {
    expect(faultsOf({ User: entity('User', 'users', { id: pipe(integer, nullable, primaryKey) }) })).toEqual([
      'User.id: a primary key needs a column that cannot be nullable; leave nullable out',
    ])
  })

  test.each([
    [decimal(0, 0), 'decimal(0, 0) is none: it has 1 to 65 digits, at most 30 of them after the point'],
    [decimal(2, 5), 'decimal(2, 5) is none: it has 1 to 65 digits, at most 30 of them after the point'],
    [decimal(66, 2), 'decimal(66, 2) is none: it has 1 to 65 digits, at most 30 of them after the point'],
    [enumOf('a', 'b', 'a'), 'the enum names a value twice; leave one out'],
    [arrayOf(arrayOf(text)), 'an array cannot hold array; keep such lists as JSON, by jsonOf'],
    [arrayOf(blob), 'an array cannot hold blob; keep such lists as JSON, by jsonOf'],
    [arrayOf(decimal(2, 5)), 'decimal(2, 5) is none: it has 1 to 65 digits, at most 30 of them after the point'],
  ])('a column that no database has', (column, message) => {
    expect(faultsOf({ User: entity('User', 'users', { id, value: column as AnyColumn }) })).toEqual([
      `User.value: ${message}`,
    ])
  })

  test('a generated column outside of the primary key', () => {
    expect(faultsOf({ User: entity('User', 'users', { id, serial: pipe(integer, generated) }) })).toEqual([
      'User.serial: only a primary key column can be generated; say withServerDefault or generatedBy of others',
    ])
  })

  test('a generated column that is only a part of the primary key', () => {
    expect(faultsOf({ User: entity('User', 'users', { id, part: pipe(integer, primaryKey) }) })).toEqual([
      'User.id: a generated column must be the whole primary key; draw it by generatedBy, or take the others out of the key',
    ])
  })

  test('has a version that is not loaded with its row', () => {
    const message = 'User.version: a version is loaded with its row, and cannot be deferred; leave deferred out'
    for (const kind of [version, serverVersion]) {
      expect(faultsOf({ User: entity('User', 'users', { id, version: pipe(integer, kind, deferred) }) })).toEqual([
        message,
      ])
    }
  })

  test('relationships of something that is no entity', () => {
    expect(faultsOf({ User }, () => ({ Pet: {} }))).toEqual([
      'Pet: relationships are declared for it, but it is no entity of the model',
    ])
  })

  test('a target that is no entity', () => {
    expect(faultsOf({ User }, (r) => ({ User: { pets: r.User?.hasMany?.('Pet', { foreignKey: 'userId' }) } }))).toEqual(
      ["User.pets: target 'Pet' is no entity of the model"],
    )
  })

  test('a relationship with the name of a column', () => {
    expect(
      faultsOf({ User, Address }, (r) => ({ User: { name: r.User?.hasMany?.('Address', { foreignKey: 'userId' }) } })),
    ).toEqual(['User.name: a column has the same name'])
  })

  test('orphans of what several may have', () => {
    const cascade = ['save-update', 'delete', 'delete-orphan']
    const through = { table: 'links', own: ['user_id'], target: ['address_id'] }
    const relationships =
      (singleParent: boolean) => (r: Parameters<NonNullable<Parameters<typeof faultsOf>[1]>>[0]) => ({
        User: {
          addresses: r.User?.hasMany?.('Address', { foreignKey: 'userId', cascade }),
          others: r.User?.manyToMany?.('Address', { through, cascade, singleParent }),
        },
        Address: { user: r.Address?.belongsTo?.('User', { foreignKey: 'userId', cascade, singleParent }) },
      })
    expect(faultsOf({ User, Address }, relationships(false))).toEqual([
      'User.others.cascade: delete-orphan would delete what another User may have too; say singleParent, or leave it out',
      'Address.user.cascade: delete-orphan would delete what another Address may have too; say singleParent, or leave it out',
    ])
    expect(faultsOf({ User, Address }, relationships(true))).toEqual([])
  })

  test('collections of what their members do not have, or not always, or share', () => {
    const through = { table: 'links', own: ['user_id'], target: ['address_id'] }
    const Letter = entity('Letter', 'letters', {
      id: pipe(integer, primaryKey),
      body: pipe(text, deferred),
      place: integer,
      userId: integer,
    })
    expect(
      faultsOf({ User, Letter }, (r) => ({
        User: {
          byNothing: r.User?.hasMany?.('Letter', { foreignKey: 'userId', collection: keyedBy('nothing') }),
          byBody: r.User?.hasMany?.('Letter', { foreignKey: 'userId', collection: groupedBy('body') }),
          placed: r.User?.hasMany?.('Letter', { foreignKey: 'userId', collection: positioned('place') }),
          shared: r.User?.manyToMany?.('Letter', { through, collection: positioned('place') }),
          backwards: r.User?.hasMany?.('Letter', {
            foreignKey: 'userId',
            collection: positioned('place'),
            orderBy: ['place', 'desc'],
          }),
        },
      })),
    ).toEqual([
      "User.byNothing.collection: 'nothing' is no attribute of Letter",
      "User.byBody.collection: 'body' is deferred, and groupedBy(body) has to know it",
      "User.shared.collection: 'place' is one place for all who share a Letter; map the links as an entity that holds it, and lead on by through()",
      "User.backwards.collection: it loads in the order of 'place'; leave orderBy out",
    ])
  })

  test('a foreign key that is no attribute of the side that holds it', () => {
    expect(
      faultsOf({ User, Address }, (r) => ({
        User: { addresses: r.User?.hasMany?.('Address', { foreignKey: 'ownerId' }) },
        Address: { user: r.Address?.belongsTo?.('User', { foreignKey: ['name'] }) },
      })),
    ).toEqual([
      "User.addresses.foreignKey: 'ownerId' is no attribute of Address",
      "Address.user.foreignKey: 'name' is no attribute of Address",
    ])
  })

  test('a foreign key with more or fewer columns than the key that it holds', () => {
    const Visit = entity('Visit', 'visits', { user: pipe(integer, primaryKey), place: pipe(integer, primaryKey) })
    expect(
      faultsOf({ User, Address, Visit }, (r) => ({
        Address: {
          user: r.Address?.belongsTo?.('User', { foreignKey: ['userId', 'otherId'] }),
          visit: r.Address?.belongsTo?.('Visit', { foreignKey: 'userId' }),
        },
      })),
    ).toEqual([
      'Address.user.foreignKey: 2 attributes cannot hold the key of User, which has 1',
      'Address.visit.foreignKey: 1 attributes cannot hold the key of Visit, which has 2',
    ])
  })

  test('a foreign key of another type than the key that it holds', () => {
    expect(
      faultsOf({ User, Address }, (r) => ({
        Address: { user: r.Address?.belongsTo?.('User', { foreignKey: 'email' }) },
      })),
    ).toEqual(["Address.user.foreignKey: 'email' is text, and User.id is integer"])
  })

  test('an order by something that is no attribute of the target', () => {
    expect(
      faultsOf({ User, Address }, (r) => ({
        User: { addresses: r.User?.hasMany?.('Address', { foreignKey: 'userId', orderBy: 'street' }) },
      })),
    ).toEqual(["User.addresses.orderBy: 'street' is no attribute of Address"])
  })

  test('an inverse that is no relationship, that does not lead back, that goes over another foreign key', () => {
    const owns =
      (inverse: string) => (r: Record<string, Record<string, (...args: ReadonlyArray<unknown>) => unknown>>) => ({
        User: { addresses: r.User?.hasMany?.('Address', { foreignKey: 'userId', inverse }) },
        Address: {
          other: r.Address?.belongsTo?.('User', { foreignKey: 'otherId' }),
          self: r.Address?.belongsTo?.('Address', { foreignKey: 'otherId' }),
        },
      })
    expect(faultsOf({ User, Address }, owns('user'))).toEqual([
      "User.addresses.inverse: 'user' is no relationship of Address",
    ])
    expect(faultsOf({ User, Address }, owns('self'))).toEqual([
      'User.addresses.inverse: Address.self does not lead back to User',
    ])
    expect(faultsOf({ User, Address }, owns('other'))).toEqual([
      'User.addresses.inverse: Address.other goes over another foreign key',
    ])
  })

  test('a collection as the inverse of a collection', () => {
    const Node = entity('Node', 'nodes', { id, parentId: pipe(integer, nullable) })
    expect(
      faultsOf({ Node }, (r) => ({
        Node: { children: r.Node?.hasMany?.('Node', { foreignKey: 'parentId', inverse: 'children' }) },
      })),
    ).toEqual(['Node.children.inverse: Node.children does not lead back to Node'])
  })

  test('a table of links whose columns cannot hold a key', () => {
    const through = { table: 'links', own: ['a', 'b'], target: [] }
    expect(
      faultsOf({ User, Address }, (r) => ({ User: { addresses: r.User?.manyToMany?.('Address', { through }) } })),
    ).toEqual([
      'User.addresses.through.own: 2 columns cannot hold the key of User, which has 1',
      'User.addresses.through.target: 0 columns cannot hold the key of Address, which has 1',
    ])
  })

  test('a foreign key to a table or column that is not there', () => {
    expect(
      faultsOf({
        User,
        Pet: entity('Pet', 'pets', {
          id,
          a: pipe(integer, references('owners.id')),
          b: pipe(integer, references('users.uuid')),
          c: pipe(integer, references('users.id')),
        }),
      }),
    ).toEqual([
      "Pet.a.references: no entity has the table 'owners'; add one to the model, or leave the reference out",
      "Pet.b.references: 'users' has no column 'uuid'; name one that it has",
    ])
  })
})
