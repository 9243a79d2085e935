import { randomUUID } from 'node:crypto'
import {
  bigint,
  counter,
  createAllSync,
  ddlOf,
  decimal,
  defineModel,
  entity,
  generated,
  generatedBy,
  hiLo,
  insertInto,
  instant,
  integer,
  nullable,
  orderBy,
  postgresDialect,
  primaryKey,
  real,
  references,
  renderDdl,
  returningEntities,
  type Services,
  select,
  sequence,
  snowflake,
  snowflakeParts,
  text,
  uuid,
  uuidV7,
  values,
  withDefault,
  withInsertDefault,
  withServerDefault,
  withUpdateDefault,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { explain } from '@unitary/session'
import { byAttribute, choosers, shardedRuntime, shardMap } from '@unitary/shard'
import Database from 'better-sqlite3'
import { toError, tryCatch as tryCatchWith } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const Article = entity('Article', 'articles', {
  id: pipe(integer, primaryKey, generated),
  title: text,
  /** A value, as soon as there is an article. */
  created: pipe(
    instant,
    withDefault((services) => services.now),
  ),
  /** A value that the flush puts in. */
  state: pipe(text, withInsertDefault('draft')),
  /** What the database computes, with each insert and update. */
  saves: pipe(integer, withInsertDefault(sql<number>`1`), withUpdateDefault(sql<number>`${sql.ref('saves')} + 1`)),
  /** What the table puts in. */
  language: pipe(text, withServerDefault(sql`'en'`)),
  /** A value with each update. */
  updatedAt: pipe(
    instant,
    nullable,
    withUpdateDefault((services) => services.now),
  ),
})
const Message = entity('Message', 'messages', { id: pipe(uuid, primaryKey, withDefault(uuidV7)), body: text })
const Reading = entity('Reading', 'readings', {
  id: pipe(bigint, primaryKey, withDefault(snowflake(7))),
  degrees: real,
})

const Counter = entity('Counter', 'counters', { name: pipe(text, primaryKey), next: integer })
const Order = entity('Order', 'orders', {
  id: pipe(integer, primaryKey, generatedBy(counter('counters', 'orders'))),
  customer: text,
})
const Line = entity('Line', 'lines', {
  id: pipe(integer, primaryKey, generatedBy(pipe(counter('counters', 'lines'), hiLo({ block: 1000 })))),
  product: text,
  orderId: integer,
})

const Region = entity('Region', 'regions', { code: pipe(text, primaryKey) })
const Town = entity('Town', 'towns', {
  region: pipe(text, primaryKey, references('regions.code', { onUpdate: 'cascade' })),
  name: pipe(text, primaryKey),
})

const model = defineModel({ Article, Message, Reading, Counter, Order, Line, Region, Town })((r) => ({
  Region: { towns: r.Region.hasMany('Town', { foreignKey: 'region' }) },
  Order: { lines: r.Order.hasMany('Line', { foreignKey: 'orderId', inverse: 'order' }) },
  Line: { order: r.Line.belongsTo('Order', { foreignKey: 'orderId', inverse: 'lines' }) },
}))
// #endregion

const example = examplesOf('keys')

const log: string[] = []
const asked = (table: string) =>
  Session.fromIO(() =>
    log
      .splice(0)
      .filter((text) => text.includes(table))
      .map((text) => text.replaceAll(/["']|\.0\b/g, '')),
  )
const tryCatch = <A>(f: () => A) => tryCatchWith(f, toError)

const program = (name: string, body: () => Generator<Session.Program<unknown, unknown>, void, never>): void =>
  example(name, () => {
    const engine = sqliteEngine(new Database(':memory:', { verbose: (statement) => log.push(String(statement)) }))
    resultOf(createAllSync(model)(engine))
    const made = Session.gen(body) as Session.Program<unknown, void>
    resultOf(Session.runSync(Session.runtime(model, engine, { services: fixed }))(made))
  })

program('defaults', function* () {
  // #region defaults
  const article = yield* Session.add(model.Article, { title: 'Maps' })
  console.log(article.created, article.state, article.saves) // => 2026-01-31T12:00:00.000Z undefined undefined

  yield* Session.flush
  const { created, language, saves, state } = yield* Session.read(model.Article)(article)
  console.log(created, state, saves, language) // => 2026-01-31T12:00:00.000Z draft 1 en
  // #endregion

  // #region defaults
  yield* Session.set(model.Article, { title: 'Charts' })(article)
  console.log(explain(yield* Session.flushPlan))
  // #endregion

  // #region defaults
  yield* Session.flush
  const saved = yield* Session.read(model.Article)(article)
  console.log(saved.saves, saved.updatedAt) // => 2 2026-01-31T12:00:00.000Z
  // #endregion
})

program('ids', function* () {
  // #region ids
  const first = yield* Session.add(model.Message, { body: 'hello' })
  const second = yield* Session.add(model.Message, { body: 'again' })
  console.log(String(first.id) < String(second.id), first.id?.slice(0, 8)) // => true 019c13ec

  const reading = yield* Session.add(model.Reading, { degrees: 21.5 })
  console.log(snowflakeParts(reading.id ?? 0n)) // => { at: 2026-01-31T12:00:00.000Z, node: 7, count: 0 }
  // #endregion
})

// #region services
const remember = Session.remembering()
const fixed = (): Services => ({ now: new Date('2026-01-31T12:00:00Z'), random: () => 0.5, uuid: randomUUID, remember })
// #endregion

program('generators', function* () {
  // #region generators
  yield* Session.add(model.Order, { customer: 'ann', lines: [{ product: 'tea' }, { product: 'milk' }] })
  console.log(explain(yield* Session.flushPlan))
  // #endregion

  // #region generators
  yield* asked('counters')
  yield* Session.commit
  console.log(...(yield* asked('counters'))) // => update counters set next = next + 1 where name = orders returning next
  // #endregion

  // #region generators
  yield* asked('counters')
  const { id: orderId } = yield* pipe(select(model.Order), Session.one)
  const lines = [
    { product: 'jam', orderId },
    { id: 5000, product: 'tea', orderId },
  ]
  const made = yield* pipe(insertInto(model.Line), values(lines), returningEntities, Session.execute())
  console.log(made.map(({ id, product }) => [id, product])) // => [ [ 5, 'jam' ], [ 5000, 'tea' ] ]
  console.log(yield* asked('counters')) // => []
  // #endregion

  // #region generators
  const Job = entity('Job', 'jobs', { id: pipe(integer, primaryKey, generatedBy(sequence('job_ids'))), name: text })
  const Task = entity('Task', 'tasks', { id: pipe(integer, primaryKey, generatedBy(counter('counters', 'tasks'))) })
  console.log(renderDdl(ddlOf(defineModel({ Job, Task })(() => ({})))(postgresDialect)))
  // #endregion
})

example('shards', () => {
  const asia = sqliteEngine(new Database(':memory:'))
  const europe = sqliteEngine(new Database(':memory:'))

  // #region shards
  const Place = entity('Place', 'places', {
    id: pipe(integer, primaryKey, generatedBy(counter('counters', 'places', { shard: 'europe' }))),
    home: text,
  })
  const places = defineModel({ Place })(() => ({}))
  for (const engine of [asia, europe]) resultOf(createAllSync(places)(engine))
  const world = shardedRuntime(places, {
    shards: shardMap({ asia, europe }),
    choosers: choosers(places)({ Place: byAttribute('home', { Delhi: 'asia', Rome: 'europe', Tokyo: 'asia' }) }),
  })
  const added = Session.gen(function* () {
    yield* Session.addAll(places.Place, [{ home: 'Delhi' }, { home: 'Rome' }, { home: 'Tokyo' }])
    yield* Session.commit
    return yield* pipe(select(places.Place), orderBy('id'), Session.query)
  })
  console.log(resultOf(Session.runSync(world)(added)).map(({ home, id }) => `${id}: ${home}`)) // => [ '1: Delhi', '2: Rome', '3: Tokyo' ]
  // #endregion
})

program('natural', function* () {
  // #region natural
  const region = yield* Session.add(model.Region, { code: 'n', towns: [{ name: 'Ayr' }] })
  yield* Session.commit
  const ayr = yield* Session.get(model.Town, { region: 'n', name: 'Ayr' })
  console.log(ayr._tag) // => Some
  // #endregion

  // #region natural
  yield* Session.set(model.Region, { code: 'north' })(region)
  console.log(explain(yield* Session.flushPlan))
  // #endregion

  // #region natural
  yield* Session.commit
  const moved = yield* Session.get(model.Town, { region: 'north', name: 'Ayr' })
  console.log(moved._tag, (yield* Session.load(model.Region, 'towns')(region)).length) // => Some 1
  // #endregion
})

example('faults', () => {
  // #region faults
  const Bad = entity('Bad', 'bad', {
    id: pipe(integer, primaryKey, generated, generatedBy(sequence('bad_ids'))),
    total: pipe(decimal(3, 5), nullable),
  })
  const refused = tryCatch(() => defineModel({ Bad })(() => ({})))
  if (refused._tag === 'Left') console.log(String(refused.left))
  // #endregion
})
