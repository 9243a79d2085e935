import { postgresDialect } from '@unitary/core'
import { distributionOf, citusStatements } from '@unitary/shard'
import { test, expect } from 'vitest'
import { bank, byTenant } from './bank.js'
test('x', () => {
  console.dir(distributionOf(bank, byTenant)(postgresDialect), { depth: 4 })
})
