/**
 * A model for databases that distribute themselves: every key begins with the tenant.
 */
import {
  defineModel,
  entity,
  integer,
  named,
  nullable,
  primaryKey,
  subtype,
  text,
  uuid,
  uuidV7,
  withDefault,
} from '@unitary/core'
import { byAttribute, choosers, withParent } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'

const tenantId = pipe(uuid, named('tenant_id'), primaryKey)
const id = pipe(uuid, primaryKey, withDefault(uuidV7))

const Tenant = entity('Tenant', 'tenants', { id, name: text })
const Account = entity(
  'Account',
  'accounts',
  { tenantId, id, kind: text, owner: text, balance: integer },
  { discriminator: 'kind', identity: 'current' },
)
const Savings = subtype(Account)('Savings', 'savings', { interest: integer }, { identity: 'savings' })
const Booking = entity('Booking', 'bookings', {
  tenantId,
  id,
  accountId: pipe(uuid, named('account_id')),
  amount: integer,
  currency: pipe(text, nullable),
})

export const bank = defineModel({ Tenant, Account, Savings, Booking })((r) => ({
  Tenant: { accounts: r.Tenant.hasMany('Account', { foreignKey: 'tenantId', inverse: 'tenant' }) },
  Account: {
    tenant: r.Account.belongsTo('Tenant', { foreignKey: 'tenantId', inverse: 'accounts' }),
    bookings: r.Account.hasMany('Booking', { foreignKey: ['tenantId', 'accountId'], inverse: 'account' }),
  },
  Booking: {
    account: r.Booking.belongsTo('Account', { foreignKey: ['tenantId', 'accountId'], inverse: 'bookings' }),
  },
}))

/** Any function of the tenant would do: the database has its own. */
const anywhere = () => 'cluster'

export const byTenant = choosers(bank)({
  Tenant: byAttribute('id', anywhere),
  Account: withParent('tenant'),
  Booking: withParent('account'),
})
