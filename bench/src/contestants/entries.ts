/**
 * Who takes part: the limit first, then Unitary, then the peers, whose packages are installed apart (see `peers/`).
 */
import { fileURLToPath } from 'node:url'
import type { Entry } from '../contest/contest.js'

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

const peer = (file: string): string => here(`../../peers/${file}`)

export const limit: Entry = { name: 'better-sqlite3 by hand', program: here('limit.js') }

export const unitary: Entry = { name: 'Unitary', program: here('unitary-strict.js') }

export const trusted: Entry = { name: 'Unitary, trusted', program: here('unitary-trusted.js') }

export const peers: ReadonlyArray<Entry> = [
  { name: 'Kysely', program: peer('kysely.mjs') },
  { name: 'Drizzle', program: peer('drizzle.mjs') },
  { name: 'MikroORM', program: peer('mikro-orm.mjs'), runs: 3 },
  { name: 'TypeORM', program: peer('typeorm.mjs'), runs: 3 },
  { name: 'Prisma', program: peer('prisma.mjs'), runs: 3 },
]

/** The limit and Unitary on PostgreSQL. */
export const postgres: ReadonlyArray<Entry> = [
  { name: 'pg by hand', program: here('limit-postgres.js') },
  { name: 'Unitary', program: here('unitary-postgres.js') },
]
