import {
  arrayOf,
  bigint,
  column,
  createAllSync,
  type Decimal,
  decimal,
  defineModel,
  entity,
  enumOf,
  generated,
  instant,
  integer,
  jsonOf,
  type KeyOf,
  nullable,
  orderBy,
  type PlainDate,
  parseDecimal,
  parsePlainDate,
  parsePlainTime,
  plainDate,
  plainTime,
  primaryKey,
  references,
  select,
  selectin,
  text,
  trusted,
  unique,
  uuid,
  where,
  withDefault,
  withServerDefault,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { sql } from 'kysely'
import { resultOf, services } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const CustomerId = t.brand(
  t.number,
  (n): n is t.Branded<number, { readonly CustomerId: symbol }> => n > 0,
  'CustomerId',
)

const Customer = entity('Customer', 'customers', {
  id: pipe(column(CustomerId, 'integer'), primaryKey, generated),
  name: pipe(text, unique),
  since: pipe(instant, withServerDefault(sql.val(new Date('2026-01-31T12:00:00.000Z')))),
})

const Invoice = entity('Invoice', 'invoices', {
  id: pipe(
    uuid,
    primaryKey,
    withDefault((services) => services.uuid()),
  ),
  customerId: pipe(column(CustomerId, 'integer'), references('customers.id')),
  state: enumOf('open', 'paid', 'void'),
  total: decimal(12, 2),
  due: plainDate,
  until: pipe(plainTime, nullable),
  paidAt: pipe(instant, nullable),
  tags: arrayOf(text),
  address: pipe(jsonOf(t.type({ street: t.string, city: t.string })), nullable),
  serial: bigint,
})

const model = defineModel({ Customer, Invoice })((r) => ({
  Customer: { invoices: r.Customer.hasMany('Invoice', { foreignKey: 'customerId', orderBy: 'due' }) },
}))
// #endregion

// #region values
const invoice = {
  state: 'open',
  total: '12.5' as Decimal,
  due: '2026-02-28' as PlainDate,
  tags: ['new', 'red'],
  address: { street: 'Main Street 1', city: 'Bath' },
  serial: 9_007_199_254_740_993n,
} as const
// #endregion

const example = examplesOf('columns')

const program = (name: string, body: () => Generator<Session.Program<unknown, unknown>, void, never>) =>
  example(name, () => {
    const database = new Database(':memory:')
    const engine = sqliteEngine(database)
    createAllSync(model)(engine)
    let made = 0
    const uuids = { ...services, uuid: () => `00000000-0000-4000-8000-00000000000${++made}` }
    const app = Session.runtime(model, engine, { services: () => uuids })
    resultOf(Session.runSync(app)(Session.gen(body)))
  })

const filled = Session.gen(function* () {
  yield* Session.addAll(model.Customer, [{ name: 'ann' }, { name: 'bob' }])
  yield* Session.flush
  const ann = yield* pipe(select(model.Customer), where('name', '=', 'ann'), Session.one)
  yield* Session.add(model.Invoice, { ...invoice, customerId: ann.id })
  yield* Session.add(model.Invoice, {
    ...invoice,
    customerId: ann.id,
    total: '9' as Decimal,
    due: '2026-01-31' as PlainDate,
    paidAt: new Date(0),
    state: 'paid',
  })
  yield* Session.commit
})

program('first', function* () {
  // #region first
  const ann = yield* Session.add(model.Customer, { name: 'ann' })
  yield* Session.flush
  const { id, since } = yield* pipe(ann, Session.read(model.Customer))
  console.log(since.toISOString()) // => 2026-01-31T12:00:00.000Z

  yield* Session.add(model.Invoice, { ...invoice, customerId: id })
  yield* Session.commit
  const [found] = yield* pipe(select(model.Invoice), where('tags', '=', ['new', 'red']), Session.query)
  console.log(found?.total, found?.due, found?.serial) // => 12.5 2026-02-28 9007199254740993n
  console.log(found?.address) // => { city: 'Bath', street: 'Main Street 1' }
  // #endregion
})

program('parse', function* () {
  // #region parse
  console.log(parseDecimal('12.50')) // => { _tag: 'Some', value: '12.5' }
  console.log(parseDecimal('1e3')) // => { _tag: 'None' }
  console.log(parsePlainDate('2026-02-30')) // => { _tag: 'None' }
  console.log(parsePlainTime('09:30')) // => { _tag: 'Some', value: '09:30:00' }

  const wrong = yield* Session.attempt(Session.add(model.Invoice, { ...invoice, total: '12.50' as Decimal }))
  if (wrong._tag === 'Left') console.log(Session.render(wrong.left))
  // => Invoice.total cannot be "12.50": it is no decimal(12, 2).
  // #endregion
})

program('compare', function* () {
  yield* filled
  // #region compare
  const dear = pipe(select(model.Invoice), where('total', '>', '9.99' as Decimal), Session.query)
  console.log((yield* dear).length) // => 1

  const inOrder = pipe(select(model.Invoice), orderBy('total', 'desc'), Session.query)
  console.log((yield* inOrder).map(({ total }) => total)) // => [ '12.5', '9' ]

  const early = pipe(select(model.Invoice), where('paidAt', '<', new Date('2000-01-01')), Session.query)
  console.log((yield* early).map(({ state }) => state)) // => [ 'paid' ]
  // #endregion
  // #region compare
  const chosen = pipe(
    select(model.Invoice),
    where((eb) =>
      eb(
        'due',
        '=',
        eb
          .case()
          .when('state', '=', 'paid')
          .then('2026-01-31' as PlainDate)
          .else('2026-12-31' as PlainDate)
          .end(),
      ),
    ),
    Session.query,
  )
  console.log((yield* chosen).length) // => 1
  // #endregion
})

program('brands', function* () {
  yield* filled
  // #region brands
  const key: KeyOf<typeof model, 'Customer'> = (yield* pipe(
    select(model.Customer),
    where('name', '=', 'ann'),
    Session.one,
  )).id
  const ann = yield* Session.get(model.Customer, key)
  console.log(ann._tag) // => Some

  const serial = 7
  // @ts-expect-error any number is not the number of a customer
  pipe(select(model.Invoice), where('customerId', '=', serial))
  // #endregion
})

program('own codec', function* () {
  // #region own codec
  /** Centimetres in the program, millimetres in the table. */
  const Length = new t.Type<number, number, unknown>(
    'length',
    t.number.is,
    (u, c) => (typeof u === 'number' ? t.success(u / 10) : t.failure(u, c)),
    (centimetres) => centimetres * 10,
  )
  const Board = entity('Board', 'boards', {
    id: pipe(integer, primaryKey, generated),
    length: column(Length, 'integer'),
  })
  const boards = defineModel({ Board })(() => ({}))
  // #endregion
  // #region own codec
  const engine = sqliteEngine(new Database(':memory:'))
  createAllSync(boards)(engine)
  const cut = Session.gen(function* () {
    yield* Session.add(boards.Board, { length: 25 })
    yield* Session.flush
    const stored = yield* Session.sql<{ readonly length: number }>(sql`select length from boards`)
    const found = yield* pipe(select(boards.Board), where('length', 'in', [25, 30]), Session.query)
    return [stored.map(({ length }) => length), found.map(({ length }) => length)]
  })
  console.log(resultOf(Session.runSync(Session.runtime(boards, engine))(cut))) // => [ [ 250 ], [ 25 ] ]
  // #endregion
  yield* Session.commit
})

program('checked', function* () {
  yield* filled
  // #region checked
  yield* Session.sql(sql`update customers set since = 'yesterday' where name = 'bob'`)
  const customers = pipe(select(model.Customer), orderBy('name'))
  const failed = yield* Session.attempt(Session.query(customers))
  if (failed._tag === 'Left') console.log(Session.render(failed.left))
  // #endregion
})

program('trusted', function* () {
  yield* filled
  // #region trusted
  yield* Session.sql(sql`pragma ignore_check_constraints = on`)
  yield* Session.sql(sql`update invoices set state = 'lost' where total = '01:9'`)
  const invoices = pipe(select(model.Customer), where('name', '=', 'ann'), selectin('invoices'))
  console.log((yield* Session.attempt(Session.one(invoices)))._tag) // => Left

  const ann = yield* pipe(invoices, trusted, Session.one)
  console.log(ann.invoices.map(({ state, total }) => [state, total])) // => [ [ 'lost', '9' ], [ 'open', '12.5' ] ]
  // #endregion
})
