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
import { byHash, choosers, everywhere, withParent } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'

const tenantId = pipe(uuid, named('tenant_id'), primaryKey)
const id = pipe(uuid, primaryKey, withDefault(uuidV7))

const Currency = entity('Currency', 'currencies', { code: pipe(text, primaryKey), name: text })
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
  currencyCode: pipe(text, named('currency_code'), nullable),
})

export const bank = defineModel({ Currency, Tenant, Account, Savings, Booking })((r) => ({
  Tenant: { accounts: r.Tenant.hasMany('Account', { foreignKey: 'tenantId', inverse: 'tenant' }) },
  Account: {
    tenant: r.Account.belongsTo('Tenant', { foreignKey: 'tenantId', inverse: 'accounts' }),
    bookings: r.Account.hasMany('Booking', { foreignKey: ['tenantId', 'accountId'], inverse: 'account' }),
  },
  Booking: {
    account: r.Booking.belongsTo('Account', { foreignKey: ['tenantId', 'accountId'], inverse: 'bookings' }),
    currency: r.Booking.belongsTo('Currency', { foreignKey: 'currencyCode' }),
  },
}))

/** Which shard it is, the database knows better: only the attribute counts. */
export const byTenant = choosers(bank)({
  Currency: everywhere(),
  Tenant: byHash('id', ['cluster']),
  Account: withParent('tenant'),
  Booking: withParent('account'),
})
