/** People with attributes that SQL expressions compute, and what follows for those who read them, on any database. */
import {
  bigint,
  boolean,
  concrete,
  type Decimal,
  decimal,
  deferred,
  defineModel,
  entity,
  generated,
  instant,
  integer,
  jsonOf,
  named,
  nullable,
  primaryKey,
  subtype,
  text,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { sql } from 'kysely'

const id = pipe(integer, primaryKey, generated)

export const User = entity('User', 'users', {
  id,
  first: pipe(text, named('first_name')),
  last: pipe(text, named('last_name')),
  born: pipe(integer, nullable),
})
export const Address = entity('Address', 'addresses', {
  id,
  email: text,
  userId: pipe(integer, named('user_id'), nullable),
})
const Payment = entity('Payment', 'payments', {
  id,
  amount: pipe(decimal(10, 2), named('amt')),
  at: pipe(instant, named('paid_at')),
  isPaid: boolean,
  big: bigint,
  tags: jsonOf(t.array(t.string)),
})
const Node = entity('Node', 'nodes', { id, name: text, parentId: pipe(integer, nullable) })
const Employee = entity(
  'Employee',
  'employees',
  { id, kind: text, name: text, pay: integer },
  { discriminator: 'kind', identity: 'employee' },
)
const Engineer = subtype(Employee)('Engineer', 'engineers', { language: text }, { identity: 'engineer' })
const Manager = subtype(Employee)('Manager', { level: pipe(integer, named('lvl')) }, { identity: 'manager' })
const Shape = entity('Shape', 'shapes', { id, kind: text, name: text }, { discriminator: 'kind', identity: 'shape' })
const Square = concrete(Shape)('Square', 'squares', { side: integer }, { identity: 'square' })

export const model = defineModel({ User, Address, Payment, Node, Employee, Engineer, Manager, Shape, Square })(
  (r) => ({
    User: { addresses: r.User.hasMany('Address', { foreignKey: 'userId', inverse: 'user', orderBy: 'id' }) },
    Address: { user: r.Address.belongsTo('User', { foreignKey: 'userId', inverse: 'addresses' }) },
    Node: {
      children: r.Node.hasMany('Node', { foreignKey: 'parentId', inverse: 'parent', orderBy: 'id' }),
      parent: r.Node.belongsTo('Node', { foreignKey: 'parentId', inverse: 'children' }),
    },
  }),
  (a) => ({
    User: {
      fullName: a.User.expression(text, (eb) => eb.fn('concat', ['first', sql`' '`, eb.ref('last')])),
      addressCount: a.User.expression(integer, (eb) =>
        eb
          .selectFrom('addresses')
          .whereRef('addresses.userId', '=', 'users.id')
          .where('addresses.email', '<>', 'none')
          .select(({ fn }) => fn.countAll().as('count')),
      ),
      initial: a.User.expression(pipe(text, deferred), (eb) => sql`substr(${eb.ref('first')}, 1, 1)`),
      age: a.User.expression(pipe(integer, nullable), (eb) => eb(sql.lit(2026), '-', eb.ref('born'))),
    },
    Payment: {
      cost: a.Payment.expression(decimal(12, 2), (eb) => eb.fn.coalesce('amount', 'amount')),
      latest: a.Payment.expression(pipe(instant, nullable), (eb) =>
        eb.selectFrom('payments as other').select(({ fn }) => fn.max('other.at').as('at')),
      ),
      isSmall: a.Payment.expression(boolean, (eb) => eb('amount', '<', '10.00' as Decimal)),
      bigger: a.Payment.expression(bigint, (eb) => eb('big', '+', sql.lit(1) as never)),
      labels: a.Payment.expression(jsonOf(t.array(t.string)), (eb) => eb.ref('tags')),
    },
    Node: {
      childCount: a.Node.expression(integer, (eb) =>
        eb
          .selectFrom('nodes as child')
          .whereRef('child.parentId', '=', 'nodes.id')
          .select(({ fn }) => fn.countAll().as('count')),
      ),
    },
    Employee: { yearly: a.Employee.expression(integer, (eb) => eb('pay', '*', sql.lit(12))) },
    Engineer: {
      title: a.Engineer.expression(text, (eb) => eb.fn('concat', ['name', sql`': '`, eb.ref('language')])),
    },
    Manager: { weight: a.Manager.expression(integer, (eb) => eb('level', '*', eb.ref('pay'))) },
    Shape: { upper: a.Shape.expression(text, (eb) => eb.fn('upper', ['name'])) },
    Square: { area: a.Square.expression(integer, (eb) => eb('side', '*', eb.ref('side'))) },
  }),
)
