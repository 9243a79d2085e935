/**
 * What `defineModel` refuses, and the line that it says: every kind of bad mapping that types cannot see, or that a program
 * without types can make.
 */
import {
  type AnyEntity,
  arrayOf,
  blob,
  counter,
  decimal,
  deferred,
  defineModel,
  type ExtensionBuilder,
  entity,
  enumOf,
  generated,
  generatedBy,
  hiLo,
  integer,
  ModelError,
  named,
  nullable,
  ofType,
  positioned,
  primaryKey,
  references,
  sequence,
  serverVersion,
  subtype,
  text,
  unique,
  validate,
  version,
  withDefault,
  withInsertDefault,
  withUpdateDefault,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { type ExpressionBuilder, sql } from 'kysely'
import { expect, test } from 'vitest'

type Entities = Readonly<Record<string, AnyEntity>>
type Make = (target: string, options?: object) => unknown
type Method = 'hasMany' | 'hasOne' | 'belongsTo' | 'manyToMany' | 'joinsMany' | 'joinsOne'
type Builders = Readonly<Record<string, Readonly<Record<Method, Make>>>>
type Relate = (r: { readonly User: Builders[string]; readonly Post: Builders[string] }) => unknown

/** What a model gives its entities beside columns. */
type Extend = (a: Readonly<Record<string, ExtensionBuilder<Entities, string>>>) => unknown

/** Defines a model regardless of what its types say. */
const define = defineModel as unknown as (entities: Entities) => (relationships: Relate, attributes?: Extend) => unknown

const faultsOf = (entities: Entities, relationships: Relate, attributes?: Extend): ReadonlyArray<string> => {
  try {
    define(entities)(relationships, attributes)
    return []
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    return error.faults.map(({ path, message }) => `${path}: ${message}`)
  }
}

const id = pipe(integer, primaryKey, generated)
const User = entity('User', 'users', { id, name: text })
const Post = entity('Post', 'posts', { id, title: text, userId: integer, label: text })
const Seat = entity('Seat', 'seats', { row: pipe(integer, primaryKey), number: pipe(integer, primaryKey) })
/** Its code is as good as its key. */
const Coded = entity('User', 'users', { id, code: pipe(integer, unique) })
const Kind = entity('Kind', 'kinds', { id, kind: text }, { discriminator: 'kind', identity: 'kind' })

/** A user with some more columns, whatever their types. */
const user = (columns: object, options?: object): Entities => ({
  User: entity('User', 'users', { id, ...columns } as never, options as never) as AnyEntity,
})
const keyed = (key: unknown, columns: object = {}): Entities => ({
  User: entity('User', 'users', { id: key, ...columns } as never) as AnyEntity,
})
const anything = (...columns: ReadonlyArray<unknown>): never => columns[0] as never
const posts =
  (options: object): Relate =>
  ({ User: r }) => ({ User: { posts: r?.hasMany('Post', { foreignKey: 'userId', ...options }) } })
const author =
  (options: object): Relate =>
  ({ Post: r }) => ({ Post: { author: r?.belongsTo('User', { foreignKey: 'userId', ...options }) } })
const links =
  (through: object, options: object = {}): Relate =>
  ({ User: r }) => ({ User: { posts: r?.manyToMany('Post', { through, ...options }) } })
const joins =
  (options: object): Relate =>
  ({ User: r }) => ({ User: { posts: r?.joinsMany('Post', { on: sameName, ...options }) } })
const sameName = (eb: ExpressionBuilder<never, never>) =>
  eb('target.label' as never, '=', eb.ref('owner.name' as never) as never)
const condition = (text: string) => (eb: ExpressionBuilder<never, never>) =>
  eb(text as never, '=', eb.ref('owner.name' as never) as never)
const link = { table: 'users_posts', own: ['user_id'], target: ['post_id'] }

const nothing: Relate = () => ({})
const both = { User, Post }

/** Attributes that a model gives its users. */
const given =
  (attributes: (a: ExtensionBuilder<Entities, string>) => object): Extend =>
  ({ User: a }) => ({ User: attributes(a as ExtensionBuilder<Entities, string>) })
const anExpression = (eb: unknown) => (eb as ExpressionBuilder<never, never>).lit(1) as never

const table: ReadonlyArray<
  readonly [fault: string, entities: Entities, relate: Relate, said: string, attributes?: Extend]
> = [
  // entities
  ['another name', { Person: User }, nothing, "Person: the entity is called 'User'; give it the same name here"],
  [
    'a reserved name',
    { mappings: entity('mappings', 'm', { id }) },
    nothing,
    'mappings: the name is reserved; choose another',
  ],
  [
    'two entities of one table',
    { User, Other: entity('Other', 'users', { id }) },
    nothing,
    "Other: table 'users' belongs to User already; name another, or make it a subtype",
  ],
  [
    'no primary key',
    { User: entity('User', 'users', { name: text }) },
    nothing,
    'User: no column is a primaryKey, which tells its rows apart; make one so',
  ],
  [
    'two attributes of one column',
    user({ name: text, title: pipe(text, named('name')) }),
    nothing,
    "User.title: column 'name' belongs to attribute 'name' already; say named for one of them",
  ],
  [
    'a column without a name',
    user({ name: pipe(text, named('')) }),
    nothing,
    'User.name: its column has no name; give named one, or leave it out',
  ],
  [
    'a unique constraint of nothing',
    user({}, { unique: [[]] }),
    nothing,
    'User.unique: a unique constraint names no attribute; name one, or leave it out',
  ],
  [
    'a unique constraint that repeats itself',
    user({ name: text }, { unique: [['name', 'name']] }),
    nothing,
    'User.unique: [name, name] names an attribute twice; leave one out',
  ],
  [
    'a unique constraint of strangers',
    user({}, { unique: [['nickname']] }),
    nothing,
    "User.unique: 'nickname' is no attribute of User; name one that it has",
  ],
  // names
  [
    'an entity with a name of two',
    { 'User.Old': entity('User.Old', 'users', { id }) },
    nothing,
    'User.Old: a name with a dot is taken for a column of a table; choose another',
  ],
  [
    'an attribute with a dot',
    user({ 'a.b': text }),
    nothing,
    'User.a.b: a name with a dot is taken for a column of a table; choose another',
  ],
  [
    'an attribute that reads as an alias',
    user({ 'a as b': text }),
    nothing,
    "User.a as b: a name with 'as' in it is taken for two; choose another",
  ],
  ['an attribute without a name', user({ '': pipe(text, named('a')) }), nothing, 'User.: it has no name; give it one'],
  [
    'an attribute that every object has',
    user({ toString: text }),
    nothing,
    "User.toString: every object has a property 'toString'; choose another name",
  ],
  [
    'a relationship that every object has',
    both,
    ({ User: r }) => ({ User: { constructor: r?.hasMany('Post', { foreignKey: 'userId' }) } }),
    "User.constructor: every object has a property 'constructor'; choose another name",
  ],
  ['a table without a name', { User: entity('User', '', { id }) }, nothing, 'User: its table has no name; give it one'],
  [
    'a table in a schema of a schema',
    { User: entity('User', 'a.b.users', { id }) },
    nothing,
    "User: 'a.b.users' names no table; say 'table' or 'schema.table'",
  ],
  [
    'a type without a name',
    user({ name: pipe(text, ofType({ postgres: '' })) }),
    nothing,
    'User.name: its type in the table is empty; give ofType one, or leave it out',
  ],
  // constraints
  [
    'an index of nothing',
    user({}, { indexes: [[]] }),
    nothing,
    'User.indexes: an index names no attribute; name one, or leave it out',
  ],
  [
    'an index of strangers',
    user({}, { indexes: [{ attributes: [['born', 'desc']] }] }),
    nothing,
    "User.indexes: 'born' is no attribute of User; name one that it has",
  ],
  [
    'two constraints of one name',
    user(
      { a: integer, b: integer },
      { unique: [{ attributes: ['a'], name: 'once' }], indexes: [{ attributes: ['b'], name: 'once' }] },
    ),
    nothing,
    "User.indexes: the table has something named 'once' already; choose another",
  ],
  [
    'a constraint whose name is empty',
    user({ a: integer }, { unique: [{ attributes: ['a'], name: '' }] }),
    nothing,
    'User.unique: its name is empty; give it one, or leave the name out',
  ],
  [
    'a foreign key of several tables',
    {
      Seat,
      Post: entity(
        'Post',
        'posts',
        { id, row: integer, number: integer },
        { foreignKeys: [{ attributes: ['row', 'number'], references: ['seats.row', 'posts.id'] }] },
      ),
    },
    nothing,
    'Post.foreignKeys: [seats.row, posts.id] are columns of several tables; refer to one',
  ],
  [
    'a foreign key of too many columns',
    {
      Seat,
      Post: entity(
        'Post',
        'posts',
        { id, row: integer },
        { foreignKeys: [{ attributes: ['row'], references: ['seats.row', 'seats.number'] }] },
      ),
    },
    nothing,
    'Post.foreignKeys: [row] cannot refer to [seats.row, seats.number]: give a column for each attribute',
  ],
  // keys
  [
    'a nullable key',
    keyed(pipe(integer, nullable, primaryKey)),
    nothing,
    'User.id: a primary key needs a column that cannot be nullable; leave nullable out',
  ],
  [
    'a deferred key',
    keyed(pipe(integer, primaryKey, deferred)),
    nothing,
    'User.id: a primary key is loaded with its row, and cannot be deferred; leave deferred out',
  ],
  [
    'a computed key',
    keyed(pipe(text, primaryKey, withInsertDefault(sql<string>`'a'`))),
    nothing,
    'User.id: a primary key cannot be an expression, since its row is found by it; give it a value, or draw it by generatedBy',
  ],
  [
    'a key that changes by itself',
    keyed(
      pipe(
        integer,
        primaryKey,
        withUpdateDefault(() => 1),
      ),
    ),
    nothing,
    'User.id: an update cannot give a row another primary key by itself; leave withUpdateDefault out',
  ],
  [
    'a generated column beside the key',
    user({ serial: pipe(integer, generated) }),
    nothing,
    'User.serial: only a primary key column can be generated; say withServerDefault or generatedBy of others',
  ],
  [
    'a generated part of a key',
    user({ part: pipe(integer, primaryKey) }),
    nothing,
    'User.id: a generated column must be the whole primary key; draw it by generatedBy, or take the others out of the key',
  ],
  [
    'a generated key with a default',
    keyed(
      pipe(
        integer,
        primaryKey,
        generated,
        withDefault(() => 1),
      ),
    ),
    nothing,
    'User.id: what the database generates has no default; leave one of them out',
  ],
  // generators
  [
    'a generated key with a generator',
    keyed(pipe(integer, primaryKey, generated, generatedBy(sequence('s')))),
    nothing,
    'User.id: what the database generates has no default; leave one of them out',
  ],
  [
    'a generator with a default',
    user({
      n: pipe(
        integer,
        generatedBy(sequence('s')),
        withDefault(() => 1),
      ),
    }),
    nothing,
    'User.n: sequence s gives its value, and it has a default too; leave one of them out',
  ],
  [
    'a generator of texts',
    user({ n: generatedBy(counter('counters', 'users'))(anything(text)) }),
    nothing,
    'User.n: counter users gives integers, and the column is text; make it integer or bigint',
  ],
  [
    'a block of nothing',
    user({ n: pipe(integer, generatedBy(pipe(sequence('s'), hiLo({ block: 0 })))) }),
    nothing,
    'User.n: sequence s cannot give ids in blocks of 0; a block has 1 at the least',
  ],
  [
    'a sequence without a name',
    user({ n: pipe(integer, generatedBy(sequence(''))) }),
    nothing,
    'User.n: its sequence has no name; give it one',
  ],
  [
    'a counter without a table',
    user({ n: pipe(integer, generatedBy(counter('', 'users'))) }),
    nothing,
    "User.n: counter users counts in '', which names no table; say 'table' or 'schema.table'",
  ],
  [
    'a sequence of blocks of two sizes',
    user({
      n: pipe(integer, generatedBy(sequence('s'))),
      m: pipe(integer, generatedBy(pipe(sequence('s'), hiLo({ block: 10 })))),
    }),
    nothing,
    'User.m: sequence s counts blocks of 1 for User.n, and of 10 here; give it one size',
  ],
  [
    'a counter in a table that has no counters',
    user({ n: pipe(integer, generatedBy(counter('users', 'n'))), name: text }),
    nothing,
    "User.n: counter n counts in 'users', the table of User, which has no column 'next'; add it, or count in another table",
  ],
  [
    'a counter of texts',
    {
      ...user({ n: pipe(integer, generatedBy(counter('counters', 'n'))) }),
      Counter: entity('Counter', 'counters', { name: pipe(text, primaryKey), next: text }),
    },
    nothing,
    "User.n: counter n counts in 'counters', the table of Counter, whose column 'next' is text; make it integer or bigint",
  ],
  [
    'a counter that is not found by its name',
    {
      ...user({ n: pipe(integer, generatedBy(counter('counters', 'n'))) }),
      Counter: entity('Counter', 'counters', { id, name: text, next: integer }),
    },
    nothing,
    "User.n: counter n counts in 'counters', the table of Counter, whose key is not 'name'; make it so, or count in another table",
  ],
  // versions
  [
    'a version of texts',
    user({ v: version(anything(text)) }),
    nothing,
    'User.v: a version counts, and the column is text; make it an integer',
  ],
  [
    'a version that is set besides',
    user({
      v: pipe(
        integer,
        version,
        withUpdateDefault(() => 1),
      ),
    }),
    nothing,
    'User.v: a version counts by itself; leave withUpdateDefault out',
  ],
  [
    'a deferred version of the database',
    user({ v: pipe(integer, serverVersion, deferred) }),
    nothing,
    'User.v: a version is loaded with its row, and cannot be deferred; leave deferred out',
  ],
  [
    'a deferred version',
    user({ v: pipe(integer, version, deferred) }),
    nothing,
    'User.v: a version is loaded with its row, and cannot be deferred; leave deferred out',
  ],
  [
    'a nullable version',
    user({ v: pipe(integer, version, nullable) }),
    nothing,
    'User.v: every row has a version; it cannot be nullable',
  ],
  [
    'two versions',
    user({ v: pipe(integer, version), w: pipe(integer, version) }),
    nothing,
    "User.w: an entity has one version, and 'v' is it already; leave one out",
  ],
  [
    'a version in the key',
    keyed(pipe(integer, primaryKey, version)),
    nothing,
    'User.id: a version changes with every update, and cannot be part of the primary key; give it a column of its own',
  ],
  // kinds
  [
    'an impossible decimal',
    user({ n: decimal(3, 5) }),
    nothing,
    'User.n: decimal(3, 5) is none: it has 1 to 65 digits, at most 30 of them after the point',
  ],
  [
    'an enum that repeats itself',
    user({ n: enumOf('a', 'a') }),
    nothing,
    'User.n: the enum names a value twice; leave one out',
  ],
  [
    'an enum of nothing',
    user({ n: anything({ ...enumOf('a'), detail: { _tag: 'Enum', values: [] } }) }),
    nothing,
    'User.n: the enum has no values; give it one at the least',
  ],
  [
    'an array of impossible decimals',
    user({ n: arrayOf(decimal(0, 0)) }),
    nothing,
    'User.n: decimal(0, 0) is none: it has 1 to 65 digits, at most 30 of them after the point',
  ],
  [
    'an array of bytes',
    user({ n: arrayOf(blob) }),
    nothing,
    'User.n: an array cannot hold blob; keep such lists as JSON, by jsonOf',
  ],
  // references
  [
    'a reference to no table',
    user({ n: pipe(integer, references('nobody.id')) }),
    nothing,
    "User.n.references: no entity has the table 'nobody'; add one to the model, or leave the reference out",
  ],
  [
    'a reference to no column',
    user({ n: pipe(integer, references('users.nothing')) }),
    nothing,
    "User.n.references: 'users' has no column 'nothing'; name one that it has",
  ],
  [
    'a reference to an attribute rather than its column',
    {
      User: entity('User', 'users', { id, email: pipe(text, unique, named('e_mail')) }),
      Post: entity('Post', 'posts', { id, author: pipe(text, references('users.email')) }),
    },
    nothing,
    "Post.author.references: 'users' has no column 'email'; the column of its attribute 'email' is 'e_mail'",
  ],
  [
    'a reference to another kind',
    { User, Post: entity('Post', 'posts', { id, author: pipe(text, references('users.id')) }) },
    nothing,
    "Post.author.references: 'author' is text, and users.id is integer; give both one kind",
  ],
  [
    'a reference to what several rows have',
    { User, Post: entity('Post', 'posts', { id, author: pipe(text, references('users.name')) }) },
    nothing,
    "Post.author.references: several rows of 'users' may have the same name; make it unique, or refer to the primary key",
  ],
  [
    'a reference to a part of a key',
    { Seat, Post: entity('Post', 'posts', { id, row: pipe(integer, references('seats.row')) }) },
    nothing,
    "Post.row.references: several rows of 'seats' may have the same row; make it unique, or refer to the primary key",
  ],
  [
    'a reference that becomes null, and cannot',
    {
      User,
      Post: entity('Post', 'posts', { id, userId: pipe(integer, references('users.id', { onDelete: 'set null' })) }),
    },
    nothing,
    "Post.userId.references: on delete set null needs columns that may be NULL; make 'userId' nullable, or choose another action",
  ],
  [
    'a reference that becomes its default, and has none',
    {
      User,
      Post: entity('Post', 'posts', { id, userId: pipe(integer, references('users.id', { onUpdate: 'set default' })) }),
    },
    nothing,
    "Post.userId.references: on update set default needs a default of the table; give 'userId' one by withServerDefault, or choose another action",
  ],
  // subtypes
  [
    'a discriminator with a default',
    {
      Kind: entity(
        'Kind',
        'kinds',
        {
          id,
          kind: pipe(
            text,
            withDefault(() => 'kind'),
          ),
        },
        { discriminator: 'kind', identity: 'kind' },
      ),
    },
    nothing,
    "Kind.discriminator: 'kind' is given by the entity of a row; leave its default out",
  ],
  [
    'a discriminator that may be null',
    user({ kind: pipe(text, nullable) }, { discriminator: 'kind', identity: 'a' }),
    nothing,
    "User.discriminator: 'kind' may be null, and every row has a discriminator; leave nullable out",
  ],
  [
    'an identity of another type',
    { Kind, Sub: subtype(Kind)('Sub', {}, { identity: anything(7) }) },
    nothing,
    "Sub.identity: 7 is no value of 'kind'; give one that is",
  ],
  [
    'an abstract entity without subtypes',
    user({ kind: text }, { discriminator: 'kind' }),
    nothing,
    'User.identity: without one it is abstract, and it has no subtype; give it an identity, or the model a subtype of it',
  ],
  [
    'a subtype that has what it inherits',
    { Kind, Sub: subtype(Kind)('Sub', { kind: text } as never, { identity: 'sub' }) },
    nothing,
    'Sub.kind: Kind has an attribute of that name; choose another',
  ],
  [
    'a subtype with a version of its own',
    { Kind, Sub: subtype(Kind)('Sub', { v: pipe(integer, version) }, { identity: 'sub' }) },
    nothing,
    'Sub.v: a version is for Kind to have, whose key it shares; declare it there',
  ],
  [
    'a subtype of nobody',
    { Sub: subtype(Kind)('Sub', {}, { identity: 'sub' }) },
    nothing,
    'Sub: it is a subtype of Kind, which is not in the model; add it',
  ],
  [
    'an identity twice',
    { Kind, Sub: subtype(Kind)('Sub', {}, { identity: 'kind' }) },
    nothing,
    'Sub.identity: "kind" is the identity of Kind already; choose another',
  ],
  [
    'a discriminator that is no attribute',
    user({}, { discriminator: 'kind', identity: 'a' }),
    nothing,
    "User.discriminator: 'kind' is no attribute of User; name one that it has",
  ],
  // relationships
  [
    'relationships of nobody',
    { User },
    () => ({ Ghost: {} }),
    'Ghost: relationships are declared for it, but it is no entity of the model',
  ],
  [
    'a target that is none',
    { User },
    ({ User: r }) => ({ User: { pets: r?.hasMany('Pet', { foreignKey: 'userId' }) } }),
    "User.pets: target 'Pet' is no entity of the model",
  ],
  [
    'a name that a column has',
    both,
    ({ User: r }) => ({ User: { name: r?.hasMany('Post', { foreignKey: 'userId' }) } }),
    'User.name: a column has the same name',
  ],
  [
    'a foreign key that is none',
    both,
    posts({ foreignKey: 'ownerId' }),
    "User.posts.foreignKey: 'ownerId' is no attribute of Post",
  ],
  [
    'a foreign key of another kind',
    both,
    posts({ foreignKey: 'label' }),
    "User.posts.foreignKey: 'label' is text, and User.id is integer",
  ],
  [
    'a foreign key of another length',
    { User, Post, Seat },
    ({ Post: r }) => ({ Post: { seat: r?.belongsTo('Seat', { foreignKey: 'userId' }) } }),
    'Post.seat.foreignKey: 1 attributes cannot hold the key of Seat, which has 2',
  ],
  [
    'a foreign key that repeats itself',
    { User, Post, Seat },
    ({ Post: r }) => ({ Post: { seat: r?.belongsTo('Seat', { foreignKey: ['userId', 'userId'] }) } }),
    "Post.seat.foreignKey: it names 'userId' twice",
  ],
  ['an order by strangers', both, posts({ orderBy: 'born' }), "User.posts.orderBy: 'born' is no attribute of Post"],
  [
    'an inverse that is none',
    both,
    posts({ inverse: 'owner' }),
    "User.posts.inverse: 'owner' is no relationship of Post",
  ],
  [
    'an inverse that leads elsewhere',
    both,
    ({ Post: p, User: u }) => ({
      User: { posts: u?.hasMany('Post', { foreignKey: 'userId', inverse: 'next' }) },
      Post: { next: p?.belongsTo('Post', { foreignKey: 'userId' }) },
    }),
    'User.posts.inverse: Post.next does not lead back to User',
  ],
  [
    'orphans of a shared target',
    both,
    author({ cascade: ['delete-orphan'] }),
    'Post.author.cascade: delete-orphan would delete what another Post may have too; say singleParent, or leave it out',
  ],
  [
    'a view that writes',
    both,
    posts({ viewonly: true, cascade: ['save-update', 'delete'] }),
    'User.posts.cascade: what is viewonly writes nothing, and cannot cascade save-update, delete',
  ],
  [
    'deletes left to the database, and not',
    both,
    posts({ passiveDeletes: 'all', cascade: ['delete'] }),
    "User.posts.passiveDeletes: 'all' leaves every delete to the database, and so the cascade cannot have delete or delete-orphan",
  ],
  [
    'links of another length',
    both,
    links({ ...link, own: ['a', 'b'] }),
    'User.posts.through.own: 2 columns cannot hold the key of User, which has 1',
  ],
  [
    'links whose ends are one column',
    both,
    links({ ...link, own: ['post_id'] }),
    "User.posts.through: column 'post_id' cannot hold two parts of the keys of a link",
  ],
  [
    'links that an entity has',
    { ...both, Seat },
    links({ ...link, table: 'seats' }),
    "User.posts.through: table 'seats' belongs to Seat, whose rows would be links too; say viewonly",
  ],
  [
    'a load that there is not',
    { Kind, Sub: subtype(Kind)('Sub', 'subs', {}, { identity: 'sub', load: anything('eager') }) },
    nothing,
    "Sub.load: \"eager\" is no load of a subtype; say 'inline' or 'selectin'",
  ],
  // attributes beside columns
  [
    'attributes of nobody',
    { User },
    nothing,
    'Person: attributes are given to it, but it is no entity of the model',
    () => ({ Person: {} }),
  ],
  [
    'an expression that is none',
    both,
    nothing,
    'User.one: it gives no expression; return one of the builder, as in (eb) => eb.fn(...)',
    given((a) => ({ one: a.expression(integer, () => 1 as never) })),
  ],
  [
    'an expression that is called as a column',
    { User },
    nothing,
    'User.name: a column has the same name',
    given((a) => ({ name: a.expression(text, anExpression) })),
  ],
  [
    'an expression that is called as a relationship',
    both,
    posts({}),
    'User.posts: a column has the same name',
    given((a) => ({ posts: a.expression(integer, anExpression) })),
  ],
  [
    'an expression with a default',
    { User },
    nothing,
    "User.n: an expression has no column, which could be 'default'; say of its values only whether they are nullable and deferred",
    given((a) => ({
      n: a.expression(
        pipe(
          integer,
          withDefault(() => 1),
        ),
        anExpression,
      ),
    })),
  ],
  [
    'an expression of another name',
    { User },
    nothing,
    "User.n: an expression has no column, which could be 'columnName'; say of its values only whether they are nullable and deferred",
    given((a) => ({ n: a.expression(pipe(integer, named('m')), anExpression) })),
  ],
  [
    'an expression with rules',
    { User },
    nothing,
    "User.n: an expression has no column, which could be 'validate'; say of its values only whether they are nullable and deferred",
    given((a) => ({
      n: a.expression(
        pipe(
          integer,
          validate('positive', (n) => n > 0),
        ),
        anExpression,
      ),
    })),
  ],
  [
    'another name of a stranger',
    { User },
    nothing,
    "User.title: 'nickname' is no attribute of User",
    given((a) => ({ title: a.synonym(anything('nickname')) })),
  ],
  [
    'another name of itself',
    { User },
    nothing,
    "User.title: 'title' is no column of User itself; a synonym is another name of a column",
    given((a) => ({ title: a.synonym(anything('title')) })),
  ],
  [
    'another name of another name',
    { User },
    nothing,
    "User.title: 'label' is no column of User itself; a synonym is another name of a column",
    given((a) => ({ label: a.synonym(anything('name')), title: a.synonym(anything('label')) })),
  ],
  [
    'another name that every object has',
    { User },
    nothing,
    "User.constructor: every object has a property 'constructor'; choose another name",
    given((a) => ({ constructor: a.synonym(anything('name')) })),
  ],
  [
    'an expression with a dot in its name',
    { User },
    nothing,
    'User.a.b: a name with a dot is taken for a column of a table; choose another',
    given((a) => ({ 'a.b': a.expression(text, anExpression) })),
  ],
  [
    'another name of what tells entities apart',
    { Kind, Sub: subtype(Kind)('Sub', { level: pipe(integer, nullable) }, { identity: 'sub' }) },
    nothing,
    "Kind.sort: 'kind' tells Kind from others in drafts, by that name alone",
    ({ Kind: kind }) => ({ Kind: { sort: kind?.synonym(anything('kind')) } }),
  ],
  [
    'another name that a column has',
    { User },
    nothing,
    'User.id: a column has the same name',
    given((a) => ({ id: a.synonym(anything('name')) })),
  ],
  [
    'another name that a relationship has',
    both,
    posts({}),
    "User.posts: 'posts' is another name of 'name' already",
    given((a) => ({ posts: a.synonym(anything('name')) })),
  ],
  [
    'a name that a parent was given',
    { Kind, Sub: subtype(Kind)('Sub', { level: pipe(integer, nullable) }, { identity: 'sub' }) },
    nothing,
    'Sub.label: Kind has an attribute of that name',
    ({ Kind: kind, Sub: sub }) => ({
      Kind: { label: kind?.expression(text, anExpression) },
      Sub: { label: sub?.synonym(anything('level')) },
    }),
  ],
  [
    'a column that a parent was given as a synonym',
    { Kind, Sub: subtype(Kind)('Sub', { level: pipe(integer, nullable) }, { identity: 'sub' }) },
    nothing,
    "Sub.level: it is another name of 'id' already",
    ({ Kind: kind }) => ({ Kind: { level: kind?.synonym(anything('id')) } }),
  ],
  [
    'a condition on what a target has not',
    both,
    joins({ on: condition('target.nane') }),
    "User.posts.on: 'target.nane' is no attribute of Post",
  ],
  [
    'a condition on what an owner has not',
    both,
    joins({
      on: (eb: ExpressionBuilder<never, never>) =>
        eb('target.label' as never, '=', eb.ref('owner.nane' as never) as never),
    }),
    "User.posts.on: 'owner.nane' is no attribute of User",
  ],
  [
    'a condition on the targets alone',
    both,
    joins({ on: (eb: ExpressionBuilder<never, never>) => eb('target.label' as never, '=', 'x' as never) }),
    "User.posts.on: it says nothing of the owner; a condition on the targets alone is a 'where'",
  ],
  [
    'a condition through no entity',
    both,
    joins({ through: { tag: 'Tag' } }),
    "User.posts.through: 'Tag' is no entity of the model",
  ],
  [
    'a condition through a side',
    both,
    joins({ through: { target: 'User' } }),
    "User.posts.through: 'target' is the name of a side; choose another",
  ],
  [
    'places in what is only joined',
    { User, Post },
    joins({ collection: positioned('userId') }),
    'User.posts.collection: nothing writes what is only joined, and so nobody would keep its places',
  ],
  [
    'a reference by a condition',
    both,
    author({
      on: (eb: ExpressionBuilder<never, never>) =>
        eb('target.name' as never, '=', eb.ref('owner.label' as never) as never),
    }),
    'Post.author.on: it goes by its foreign key; joinsOne goes by a condition',
  ],
  [
    'a condition that gives no expression',
    both,
    joins({ on: () => true }),
    'User.posts.on: it gives no expression; return one of the builder, as in (eb) => eb(...)',
  ],
  [
    'an inverse of what is only joined',
    both,
    ({ User: u, Post: p }) => ({
      User: { posts: u?.joinsMany('Post', { on: sameName }) },
      Post: { author: p?.belongsTo('User', { foreignKey: 'userId', inverse: 'posts' }) },
    }),
    'Post.author.inverse: User.posts does not lead back to Post',
  ],
  [
    'a foreign key to attributes of another number',
    { User: Coded, Post },
    author({ references: ['id', 'code'] }),
    'Post.author.references: [userId] cannot refer to [id, code]: give an attribute for each',
  ],
  [
    'a foreign key to what rows may have alike',
    both,
    ({ Post: r }) => ({ Post: { author: r?.belongsTo('User', { foreignKey: 'label', references: 'name' }) } }),
    'Post.author.references: several rows of User may have the same name; make it unique',
  ],
  [
    'a foreign key to what is no attribute',
    both,
    author({ references: 'nane' }),
    "Post.author.references: 'nane' is no attribute of User",
  ],
  [
    'a foreign key to what the flush gives',
    {
      User: entity('User', 'users', {
        id,
        code: pipe(
          text,
          unique,
          withInsertDefault(() => 'x'),
        ),
      }),
      Post,
    },
    ({ Post: r }) => ({ Post: { author: r?.belongsTo('User', { foreignKey: 'label', references: 'code' }) } }),
    "Post.author.references: 'code' is not known when a row comes to refer to it; it is to be given before, and not deferred",
  ],
  [
    'inverses that refer to different attributes',
    { User: Coded, Post },
    ({ User: u, Post: p }) => ({
      User: { posts: u?.hasMany('Post', { foreignKey: 'userId', inverse: 'author' }) },
      Post: { author: p?.belongsTo('User', { foreignKey: 'userId', references: 'code' }) },
    }),
    'User.posts.inverse: Post.author refers to other attributes',
  ],
  [
    'others of another table',
    both,
    author({ accepts: ['Post'] }),
    'Post.author.accepts: Post shares no table with User',
  ],
  [
    'others of no entity',
    both,
    author({ accepts: ['Guest'] }),
    "Post.author.accepts: 'Guest' is no entity of the model",
  ],
  [
    'others without the foreign key',
    {
      User: entity('User', 'users', { id }),
      Post: subtype(Kind)('Post', { userId: integer }, { identity: 'post' }),
      Kind,
    },
    posts({ accepts: ['Kind'] }),
    "User.posts.accepts: Kind has no 'userId', which Post is told by",
  ],
]

test('the table has no fault twice', () => {
  expect(new Set(table.map(([fault]) => fault)).size).toBe(table.length)
  expect(table.length).toBeGreaterThanOrEqual(80)
})

const rows = table.map(([fault, entities, relate, said, attributes]) => ({ fault, entities, relate, said, attributes }))

test.each(rows)('$fault', ({ attributes, entities, relate, said }) => {
  expect(faultsOf(entities, relate, attributes)).toEqual([said])
})

test('of several faults each has its line', () => {
  expect(() => define(user({ v: pipe(integer, version, nullable), n: decimal(3, 5) }))(nothing)).toThrow(
    [
      'the model has 2 faults:',
      '  User.v: every row has a version; it cannot be nullable',
      '  User.n: decimal(3, 5) is none: it has 1 to 65 digits, at most 30 of them after the point',
    ].join('\n'),
  )
})

test('every line names a place, and says what to do or what is missing', () => {
  for (const [, , , said] of table) {
    expect(said).toMatch(/^[\w. ]*: \S/)
    expect(said).not.toMatch(/undefined|\[object|\n/)
  }
})
