/**
 * A database in memory with prepared transactions, and with clients that die and connections that lose answers: as much of
 * one as commits over several shards have to do with, and no more.
 */
import {
  type AsyncConnection,
  type BranchId,
  type Engine,
  type EngineCall,
  type EngineError,
  engineError,
  mysqlDialect,
  sqliteDialect,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import Database from 'better-sqlite3'
import { type Either, left, right } from 'fp-ts/lib/Either.js'

/** A process. Once it is dead nothing that it asks has an effect, and what it had open is rolled back. */
export interface Client {
  isDead: boolean
  /** What befalls its calls, by their number from 0. */
  readonly fates: ReadonlyMap<number, Fate>
  calls: number
  readonly onDeath: Array<() => void>
}

/** The client dies before or after a call, or the connection breaks: before the call, or after it and before its answer. */
export type Fate = 'dies before' | 'dies after' | 'is lost before' | 'is lost after'

/** Whether a transaction is named when it is prepared, or from its beginning, as by XA. */
export type Kind = 'named late' | 'named early'

/** Lets others have their turn; gives control back in an order that the test chooses. */
export type Turn = (label: string) => Promise<unknown>

interface Transaction {
  readonly begunAs: BranchId | null
  readonly rows: Map<string, Row>
  readonly waiting: Array<() => void>
  isOver: boolean
}

type Row = Readonly<Record<string, unknown>>

const lost: EngineError = engineError({ _tag: 'ConnectionLost' }, 'the connection is lost')
const clash = (key: string): EngineError =>
  engineError({ _tag: 'UniqueViolation', constraint: null, table: null, columns: [] }, `duplicate ${key}`)

const { capabilities, compile } = sqliteEngine(new Database(':memory:'))

const textOf = ({ branch, transaction }: BranchId): string => `${transaction}/${branch}`

const isSame = (one: BranchId | null, other: BranchId): boolean => one !== null && textOf(one) === textOf(other)

export class ModelServer {
  readonly name: string
  /** Committed rows, by table and key. */
  readonly rows = new Map<string, Row>()
  readonly prepared = new Map<string, { readonly branch: BranchId; readonly transaction: Transaction }>()
  readonly #open = new Set<Transaction>()
  readonly #turn: Turn
  readonly #kind: Kind

  constructor(name: string, turn: Turn, kind: Kind) {
    this.name = name
    this.#turn = turn
    this.#kind = kind
  }

  /** The committed keys of a table. */
  keys(table: string): ReadonlyArray<string> {
    return [...this.rows.keys()].flatMap((key) => (key.startsWith(`${table}:`) ? [key.slice(table.length + 1)] : []))
  }

  engine(client: Client): Engine {
    return {
      _tag: 'Engine',
      dialect: { ...(this.#kind === 'named early' ? mysqlDialect : sqliteDialect) },
      capabilities: { ...capabilities, synchronous: false, twoPhase: true },
      compile,
      connect: async () => (client.isDead ? left(lost) : right(this.#connection(client))),
      connectSync: null,
      close: () => Promise.resolve(),
    }
  }

  #connection(client: Client): AsyncConnection {
    let transaction: Transaction | null = null
    let isBroken = false
    const breakOff = (): void => {
      isBroken = true
      if (transaction !== null) this.#end(transaction)
      transaction = null
    }
    client.onDeath.push(breakOff)
    const die = (): void => {
      client.isDead = true
      for (const end of client.onDeath) end()
    }
    const perform = async (call: EngineCall): Promise<Either<EngineError, unknown>> => {
      if (isBroken) return left(lost)
      switch (call._tag) {
        case 'Begin':
          transaction = { begunAs: call.branch ?? null, rows: new Map(), waiting: [], isOver: false }
          this.#open.add(transaction)
          return right(undefined)
        case 'Commit':
          if (transaction !== null) this.#commit(transaction)
          transaction = null
          return right(undefined)
        case 'Rollback':
          if (transaction !== null) this.#end(transaction)
          transaction = null
          return right(undefined)
        case 'Prepare': {
          if (transaction === null) return left(lost)
          if (this.#kind === 'named early' && !isSame(transaction.begunAs, call.branch)) {
            throw new Error(`${textOf(call.branch)} was begun as another`)
          }
          this.prepared.set(textOf(call.branch), { branch: call.branch, transaction })
          transaction = null
          return right(undefined)
        }
        case 'CommitPrepared':
        case 'RollbackPrepared':
          return right(this.#endPrepared(call._tag, call.branch))
        case 'ListPrepared':
          return right([...this.prepared.values()].map(({ branch }) => branch))
        case 'Insert': {
          for (const cells of call.rows) {
            const row = Object.fromEntries(call.columns.map((column, i) => [column, cells[i]]))
            const error = await this.#insert(`${call.table}:${String(cells[0])}`, row, transaction, () => isBroken)
            if (error !== null) return left(error)
          }
          return right([])
        }
        case 'Query': {
          const [id, outcome] = call.statement.parameters
          if (call.statement.sql.startsWith('select outcome')) {
            const found = this.rows.get(`unitary_commits:${String(id)}`)
            return right({ rows: found === undefined ? [] : [found], affected: 0 })
          }
          if (call.statement.sql.startsWith('insert')) {
            const error = await this.#insert(`unitary_commits:${String(id)}`, { outcome }, transaction, () => isBroken)
            return error === null ? right({ rows: [], affected: 1 }) : left(error)
          }
          return right({ rows: [], affected: 0 })
        }
        default:
          return left(engineError({ _tag: 'Unsupported' }, call._tag))
      }
    }
    const call = async (asked: EngineCall): Promise<Either<EngineError, unknown>> => {
      const number = client.calls++
      const fate = client.fates.get(number)
      await this.#turn(`${this.name} gets ${asked._tag}`)
      if (fate === 'dies before') die()
      if (fate === 'is lost before') breakOff()
      if (client.isDead || isBroken) return left(lost)
      const answer = await perform(asked)
      if (fate === 'dies after') die()
      if (fate === 'is lost after') breakOff()
      await this.#turn(`${this.name} answers ${asked._tag}`)
      return client.isDead || isBroken ? left(lost) : answer
    }
    return {
      _tag: 'AsyncConnection',
      call: call as AsyncConnection['call'],
      release: async () => breakOff(),
    }
  }

  /** Waits for whoever has inserted the same and is not done. */
  async #insert(key: string, row: Row, own: Transaction | null, isBroken: () => boolean): Promise<EngineError | null> {
    for (;;) {
      if (isBroken()) return lost
      if (this.rows.has(key)) return clash(key)
      const holder = this.#holderOf(key)
      if (holder === undefined) break
      if (holder === own) return clash(key)
      await new Promise<void>((resolve) => holder.waiting.push(resolve))
    }
    if (own === null) this.rows.set(key, row)
    else own.rows.set(key, row)
    return null
  }

  #holderOf(key: string): Transaction | undefined {
    const prepared = [...this.prepared.values()].map(({ transaction }) => transaction)
    return [...this.#open, ...prepared].find(({ isOver, rows }) => !isOver && rows.has(key))
  }

  #commit(transaction: Transaction): void {
    for (const [key, row] of transaction.rows) this.rows.set(key, row)
    this.#end(transaction)
  }

  #end(transaction: Transaction): void {
    transaction.isOver = true
    this.#open.delete(transaction)
    for (const wake of transaction.waiting.splice(0)) wake()
  }

  #endPrepared(end: 'CommitPrepared' | 'RollbackPrepared', branch: BranchId): boolean {
    const found = this.prepared.get(textOf(branch))
    if (found === undefined) return false
    this.prepared.delete(textOf(branch))
    if (end === 'CommitPrepared') this.#commit(found.transaction)
    else this.#end(found.transaction)
    return true
  }
}

export const newClient = (fates: ReadonlyMap<number, Fate> = new Map()): Client => ({
  isDead: false,
  fates,
  calls: 0,
  onDeath: [],
})
