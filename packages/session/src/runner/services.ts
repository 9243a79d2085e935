/**
 * The system's own services.
 */
import { randomUUID } from 'node:crypto'
import type { Services } from '@unitary/core'

/**
 * A memory for generators, for services of your own: what it remembers lasts as long as it does.
 *
 * @example
 * const remember = remembering()
 * const services = () => ({ now: new Date(), random: Math.random, uuid: randomUUID, remember })
 *
 * @category constructors
 */
export const remembering = (): Services['remember'] => {
  const memory = new Map<string, unknown>()
  return (name, next) => {
    const [value, last] = next((memory.get(name) ?? null) as Parameters<typeof next>[0])
    memory.set(name, last)
    return value
  }
}

/** One for the process, since ids of one node are to be in order whichever runtime asks. */
const remember = remembering()

/**
 * The clock, chance and UUIDs of the machine, as they are at the moment of the call, and one memory for all of the process.
 *
 * @category constructors
 */
export const systemServices = (): Services => ({ now: new Date(), random: Math.random, uuid: randomUUID, remember })
