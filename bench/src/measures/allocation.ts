/**
 * What a workload allocates: all of it, what is garbage at once included. Unlike time it is the same however busy a machine
 * is, and much of the time goes where it does: into making things, and into collecting them.
 */
import { Session as Inspector } from 'node:inspector/promises'
import { type WorkloadName, workload } from '../contest/workload.js'
import { contestant } from '../contestants/unitary.js'

/** Bytes for each row or operation. */
export interface Allocated {
  readonly workload: string
  readonly bytes: number
}

/** A look at every so many bytes. */
const samplingInterval = 4_096

const measured: ReadonlyArray<WorkloadName> = [
  'insert',
  'insertGraph',
  'load',
  'getMiss',
  'getHit',
  'flushAll',
  'flushFew',
  'loadSelectin',
  'loadJoined',
  'transactions',
]

interface Node {
  readonly selfSize: number
  readonly children: ReadonlyArray<Node>
}

const sizeOf = ({ children, selfSize }: Node): number => children.reduce((sum, child) => sum + sizeOf(child), selfSize)

/** The last of a few runs, once code is compiled. */
const allocatedBy = async (inspector: Inspector, name: WorkloadName, scale: number): Promise<Allocated> => {
  const { count, size, title } = workload(name, scale)
  const one = contestant({})[name]?.(size)
  let bytes = Number.NaN
  for (let run = 0; one !== undefined && run < 3; run++) {
    const context = await one.prepare(run)
    await inspector.post('HeapProfiler.startSampling', {
      samplingInterval,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    })
    await one.run(context)
    const { profile } = await inspector.post('HeapProfiler.stopSampling')
    bytes = sizeOf(profile.head) / count
    await one.dispose(context)
  }
  return { workload: title, bytes }
}

/** Each workload that Unitary does on one database. */
export const allocation = async (scale: number): Promise<ReadonlyArray<Allocated>> => {
  const inspector = new Inspector()
  inspector.connect()
  const all: Allocated[] = []
  for (const name of measured) all.push(await allocatedBy(inspector, name, scale))
  inspector.disconnect()
  return all
}
