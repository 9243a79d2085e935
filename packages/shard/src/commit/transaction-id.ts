/**
 * How transactions over several shards are named.
 *
 * A name says whose the transaction is, when it began, and on which shard its decision stands or will stand: `shop.` and
 * the instant and some randomness, and `.asia`. So whoever finds a prepared branch knows whom to ask, and a shard that has
 * left the map is missed rather than taken for one that has not decided. It fits what PostgreSQL (less than 200 bytes with
 * the branch) and XA (64) allow.
 */
import { createHash } from 'node:crypto'
import type { Services } from '@unitary/core'

/** SHA-256 of lines, in hexadecimal digits. */
export const digestOf = (lines: ReadonlyArray<string>): string =>
  createHash('sha256').update(lines.join('\n')).digest('hex')

const digits = (text: string, count: number): string => digestOf([text]).slice(0, count)

/** A shard's token as part of a name: itself where it is short and plain, else a digest of it. */
export const shardKey = (token: string): string => (/^[a-z0-9_-]{1,12}$/.test(token) ? token : `~${digits(token, 11)}`)

/** What a transaction is called before its decider is known. The digest spreads what UUIDs of some kinds have in common. */
export const newTransaction = (application: string, { now, uuid }: Pick<Services, 'now' | 'uuid'>): string =>
  `${application}.${now.getTime().toString(36).padStart(9, '0')}${digits(uuid(), 20)}`

export const decidedOn = (transaction: string, decider: string): string => `${transaction}.${shardKey(decider)}`

/** @category model */
export interface TransactionName {
  readonly application: string
  readonly begun: Date
  /** The `shardKey` of the shard that decides. */
  readonly decider: string
}

/** What a name says; null where it is none. */
export const parseTransaction = (transaction: string): TransactionName | null => {
  const [, application = '', instant = '', decider = ''] =
    /^([a-z0-9_-]{1,20})\.([0-9a-z]{9})[0-9a-f]{20}\.([a-z0-9_~-]{1,12})$/.exec(transaction) ?? []
  return application === '' ? null : { application, begun: new Date(Number.parseInt(instant, 36)), decider }
}
