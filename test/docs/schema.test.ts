import {
  createAllSync,
  ddlOf,
  defineModel,
  dropAllSync,
  entity,
  enumOf,
  generated,
  instant,
  integer,
  mysqlDialect,
  named,
  nullable,
  ofType,
  postgresDialect,
  primaryKey,
  real,
  references,
  renderDdl,
  text,
  unique,
  withServerDefault,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import {
  diffToMigration,
  driftBetween,
  driftSync,
  introspectSync,
  modelFromSync,
  renderDrift,
  schemaOf,
} from '@unitary/core/schema'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const id = pipe(integer, primaryKey, generated)

const Seller = entity('Seller', 'sellers', {
  id,
  email: pipe(text, unique),
  country: pipe(text, ofType('varchar(2)'), withServerDefault(sql`'de'`)),
})

const Offer = entity(
  'Offer',
  'offers',
  {
    id,
    sellerId: pipe(integer, named('seller_id'), references('sellers.id', { onDelete: 'cascade' })),
    title: text,
    price: real,
    state: enumOf('new', 'used'),
    endsAt: pipe(instant, nullable, named('ends_at')),
  },
  {
    unique: [['sellerId', 'title']],
    checks: [(eb) => eb('price', '>=', 0), { check: (eb) => eb('title', '<>', ''), name: 'has_title' }],
    indexes: [{ attributes: ['state', ['endsAt', 'desc']], where: (eb) => eb('endsAt', 'is not', null) }],
  },
)

const Stop = entity('Stop', 'stops', {
  route: pipe(integer, primaryKey),
  position: pipe(integer, primaryKey),
})

const Halt = entity(
  'Halt',
  'halts',
  { id, route: integer, position: integer },
  {
    foreignKeys: [
      {
        attributes: ['route', 'position'],
        references: ['stops.route', 'stops.position'],
        deferrable: 'initially deferred',
        name: 'halt_at_stop',
      },
    ],
  },
)

const model = defineModel({ Seller, Offer })((r) => ({
  Seller: { offers: r.Seller.hasMany('Offer', { foreignKey: 'sellerId', inverse: 'seller' }) },
  Offer: { seller: r.Offer.belongsTo('Seller', { foreignKey: 'sellerId', inverse: 'offers' }) },
}))
// #endregion

const example = examplesOf('schema')

example('ddl', () => {
  // #region ddl
  console.log(renderDdl(ddlOf(model)(postgresDialect)))
  // #endregion
})

example('notes', () => {
  // #region notes
  const routes = defineModel({ Stop, Halt })(() => ({}))
  for (const { table, message } of ddlOf(routes)(mysqlDialect).notes) console.log(table, message)
  // #endregion
})

example('create', () => {
  // #region create
  const engine = sqliteEngine(new Database(':memory:'))
  resultOf(createAllSync(model)(engine))
  resultOf(createAllSync(model)(engine)) // what is there is left as it is
  const again = createAllSync(model, { ifNotExists: false })(engine)
  if (again._tag === 'Left') console.log(again.left.message) // => table "sellers" already exists
  resultOf(dropAllSync(model)(engine))
  // #endregion
})

example('schemas', () => {
  // #region schemas
  const Author = entity('Author', 'archive.authors', { id, name: pipe(text, unique) })
  const Letter = entity('Letter', 'archive.letters', { id, authorId: pipe(integer, references('archive.authors.id')) })
  const archive = defineModel({ Author, Letter })(() => ({}))

  const database = new Database(':memory:')
  database.exec(`attach ':memory:' as archive`)
  const engine = sqliteEngine(database)
  resultOf(createAllSync(archive)(engine))
  console.log(renderDrift(resultOf(driftSync(archive)(engine)))) // => the database is as the model says
  // #endregion

  // #region schemas
  console.log(renderDdl(ddlOf(archive)(postgresDialect)))
  // #endregion
})

example('drift', () => {
  // #region drift
  const database = new Database(':memory:')
  const engine = sqliteEngine(database)
  resultOf(createAllSync(model)(engine))
  console.log(renderDrift(resultOf(driftSync(model)(engine)))) // => the database is as the model says
  // #endregion

  // #region drift
  database.exec(
    'alter table sellers add column phone text; drop index offers_state_ends_at_idx; create table log (line text)',
  )
  const found = resultOf(driftSync(model, { ignore: (table) => table.startsWith('audit_') })(engine))
  console.log(renderDrift(found))
  // #endregion

  // #region drift
  for (const { _tag, table } of found.differences) console.log(_tag, table)
  // #endregion
})

example('introspect', () => {
  // #region introspect
  const database = new Database(':memory:')
  database.exec('create table rates (currency text primary key, rate real not null check (rate > 0))')
  const schema = resultOf(introspectSync(sqliteEngine(database)))
  console.log(schema.tables[0]?.columns.map(({ name, type, isNullable }) => [name, type, isNullable]))
  console.log(schema.tables[0]?.checks)
  // #endregion
})

example('migration', () => {
  // #region migration
  const OldSeller = entity('Seller', 'sellers', { id, mail: text, country: pipe(text, ofType('varchar(3)'), nullable) })
  const older = defineModel({ Seller: OldSeller })(() => ({}))
  const newer = defineModel({ Seller })(() => ({}))
  const drift = driftBetween(schemaOf(newer)(postgresDialect), schemaOf(older)(postgresDialect))
  console.log(diffToMigration(drift).trimEnd())
  // #endregion
})

example('start', () => {
  // #region start
  const database = new Database(':memory:')
  database.exec(`
    create table people (id integer primary key, name text not null, boss_id integer references people (id));
    create table projects (id integer primary key, title text not null unique);
    create table assignments (
      person_id integer not null references people (id) on delete cascade,
      project_id integer not null references projects (id) on delete cascade,
      primary key (person_id, project_id)
    );
    create view titles as select title from projects;
  `)
  console.log(resultOf(modelFromSync(sqliteEngine(database))).trimEnd())
  // #endregion
})
