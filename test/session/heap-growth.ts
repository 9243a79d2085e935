/**
 * How much the heap has grown, garbage apart.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const held = (): number => {
  collect()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

export interface HeapGrowth {
  readonly measure: () => void
  /** The most that was measured over what there was at the beginning, in bytes. */
  readonly most: () => number
}

export const heapGrowth = (): HeapGrowth => {
  const before = held()
  let most = 0
  return {
    measure: () => {
      most = Math.max(most, held() - before)
    },
    most: () => most,
  }
}
