/**
 * What is measured, and what a contestant is: for each workload that it can do, how.
 */

/**
 * A workload at a size.
 */
export interface Workload {
  readonly name: WorkloadName
  readonly title: string
  /** Of the table, or parents. */
  readonly size: number
  /** Rows or operations. */
  readonly count: number
}

interface Declared {
  readonly title: string
  /** Of the table, or parents. */
  readonly size: number
  /** Rows for each of them. */
  readonly rowsOfOne: number
  /** Rows or operations, where that does not depend on the size. */
  readonly count?: number
}

/** In the order in which they are shown, at the sizes at which they are compared. */
export const workloads = {
  insert: { title: 'flush-insert, ids back', size: 100_000, rowsOfOne: 1 },
  insertWithIds: { title: 'flush-insert, ids given', size: 100_000, rowsOfOne: 1 },
  insertPast: { title: 'insert past the session', size: 100_000, rowsOfOne: 1 },
  insertGraph: { title: 'flush-insert of a graph', size: 10_000, rowsOfOne: 11 },
  load: { title: 'load as entities', size: 100_000, rowsOfOne: 1 },
  stream: { title: 'stream, a row at a time', size: 1_000_000, rowsOfOne: 1 },
  getMiss: { title: 'get by key, a miss', size: 10_000, rowsOfOne: 1 },
  getHit: { title: 'get by key, a hit', size: 100_000, rowsOfOne: 1 },
  flushAll: { title: 'flush, all changed', size: 10_000, rowsOfOne: 1 },
  flushFew: { title: 'flush, 100 changed of all', size: 100_000, rowsOfOne: 1, count: 100 },
  loadSelectin: { title: 'load a graph, selectin', size: 1_000, rowsOfOne: 31 },
  loadJoined: { title: 'load a graph, joined', size: 1_000, rowsOfOne: 31 },
  transactions: { title: 'transactions of one insert', size: 1_000, rowsOfOne: 1 },
  shardsLimit: { title: 'four shards, first 1,000 ordered', size: 100_000, rowsOfOne: 1, count: 1_000 },
  shardsAll: { title: 'four shards, all ordered', size: 100_000, rowsOfOne: 1 },
} as const satisfies Readonly<Record<string, Declared>>

export type WorkloadName = keyof typeof workloads

export const workloadNames = Object.keys(workloads) as ReadonlyArray<WorkloadName>

const sized = (name: WorkloadName, size: number): Workload => {
  const { count, rowsOfOne, title }: Declared = workloads[name]
  return { name, title, size, count: count ?? rowsOfOne * size }
}

/** Rows of a workload at the least. */
const leastRows = 1_000

/** A workload at its size times `scale`. */
export const workload = (name: WorkloadName, scale = 1): Workload => {
  const { rowsOfOne, size } = workloads[name]
  return sized(name, Math.round(Math.max(leastRows / rowsOfOne, size * scale)))
}

/** A workload over about so many rows. */
export const workloadOver = (name: WorkloadName, rows: number): Workload =>
  sized(name, Math.round(rows / workloads[name].rowsOfOne))

/** One way to do a workload. Only `run` is measured. */
export interface Case<Context> {
  readonly prepare: (run: number) => Context | Promise<Context>
  readonly run: (context: Context) => unknown
  readonly dispose: (context: Context) => void | Promise<void>
}

// biome-ignore lint/suspicious/noExplicitAny: each case has a context of its own, which nobody else looks at
export type AnyCase = Case<any>

/** The workloads that a library can do, by size. */
export type Contestant = Readonly<Partial<Record<WorkloadName, (size: number) => AnyCase>>>
