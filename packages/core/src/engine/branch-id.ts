/**
 * How the branches of transactions over several databases are named in SQL.
 *
 * MySQL knows the two parts of a name; PostgreSQL has one text, of less than 200 bytes, in which they stand one after the
 * other.
 */
import type { BranchId } from './call.js'

const part = /^[\w.~-]{1,64}$/

/** Why a name cannot be one; null where it can. */
export const branchFault = ({ branch, transaction }: BranchId): string | null => {
  const wrong = part.test(transaction) ? (part.test(branch) ? null : branch) : transaction
  return wrong === null
    ? null
    : `'${wrong}' cannot name a prepared transaction; 1 to 64 characters of A-Z a-z 0-9 . _ ~ - can`
}

export const isSame = (one: BranchId, other: BranchId): boolean =>
  one.transaction === other.transaction && one.branch === other.branch

/** As PostgreSQL has it. */
export const textOfBranch = ({ branch, transaction }: BranchId): string => `${transaction}/${branch}`

/** A name of PostgreSQL; null for one of somebody else's making. */
export const branchOfText = (text: string): BranchId | null => {
  const [transaction = '', branch = '', ...rest] = text.split('/')
  const id = { transaction, branch }
  return rest.length > 0 || branchFault(id) !== null ? null : id
}

/** A row of XA RECOVER: both parts in one, and how long each is. Null for one of somebody else's making. */
export const branchOfXa = (row: Readonly<Record<string, unknown>>): BranchId | null => {
  const text = String(row.data)
  const length = Number(row.gtrid_length)
  const id = { transaction: text.slice(0, length), branch: text.slice(length) }
  return Number(row.formatID) !== 1 || branchFault(id) !== null ? null : id
}
