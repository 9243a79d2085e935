/**
 * The system's own services.
 */
import { randomUUID } from 'node:crypto'
import type { Services } from '@unitary/core'

/**
 * The clock, chance and UUIDs of the machine, as they are at the moment of the call.
 *
 * @category constructors
 */
export const systemServices = (): Services => ({ now: new Date(), random: Math.random, uuid: randomUUID })
