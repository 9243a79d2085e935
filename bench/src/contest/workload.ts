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

const each = (size: number): number => size

/** In the order in which they are shown, at the sizes at which they are compared. */
export const workloads = {
  insert: { title: 'flush-insert, ids back', size: 100_000, rows: each },
  insertWithIds: { title: 'flush-insert, ids given', size: 100_000, rows: each },
  insertPast: { title: 'insert past the session', size: 100_000, rows: each },
  insertGraph: { title: 'flush-insert of a graph', size: 10_000, rows: (parents) => 11 * parents },
  load: { title: 'load as entities', size: 100_000, rows: each },
  stream: { title: 'stream, a row at a time', size: 1_000_000, rows: each },
  getMiss: { title: 'get by key, a miss', size: 10_000, rows: each },
  getHit: { title: 'get by key, a hit', size: 100_000, rows: each },
  flushAll: { title: 'flush, all changed', size: 10_000, rows: each },
  flushFew: { title: 'flush, 100 changed of all', size: 100_000, rows: () => 100 },
  loadSelectin: { title: 'load a graph, selectin', size: 1_000, rows: (parents) => 31 * parents },
  loadJoined: { title: 'load a graph, joined', size: 1_000, rows: (parents) => 31 * parents },
  transactions: { title: 'transactions of one insert', size: 1_000, rows: each },
  shardsLimit: { title: 'four shards, first 1,000 ordered', size: 100_000, rows: () => 1_000 },
  shardsAll: { title: 'four shards, all ordered', size: 100_000, rows: each },
} as const satisfies Readonly<
  Record<string, { readonly title: string; readonly size: number; readonly rows: (size: number) => number }>
>

export type WorkloadName = keyof typeof workloads

export const workloadNames = Object.keys(workloads) as ReadonlyArray<WorkloadName>

/** A workload at its size times `scale`. */
export const workload = (name: WorkloadName, scale = 1): Workload => {
  const { title, size, rows } = workloads[name]
  const scaled = Math.max(1_000, Math.round(size * scale))
  return { name, title, size: scaled, count: rows(scaled) }
}

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
