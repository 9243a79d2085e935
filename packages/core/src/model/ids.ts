/**
 * Ids that a program makes by itself, in the order in which it makes them: for keys that are there before any flush, and for
 * tables that are spread over shards.
 *
 * They come of the clock and of chance, as services give them, and of the id before, which services remember: two of one
 * millisecond are in order too, and so are those of a clock that is set back.
 */
import type { Services } from '../services.js'

/** What is remembered of the last UUID: its millisecond, and the 74 bits that are not fixed. */
interface LastUuid {
  readonly time: number
  readonly bits: bigint
}

const allBits = (1n << 74n) - 1n

/**
 * A UUID of version 7: its first 48 bits are the instant in milliseconds, so that keys are inserted near each other, and the
 * rest is chance, which counts up within a millisecond.
 *
 * @example
 * const id = pipe(uuid, primaryKey, withDefault(uuidV7))
 *
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
 * @category constructors
 */
export const uuidV7 = (services: Services): string => {
  const { time, bits } = services.remember<LastUuid, LastUuid>('uuidV7', (last) => {
    const next = nextUuid(last, services)
    return [next, next]
  })
  const hex = `${digits(BigInt(time), 12)}7${digits(bits >> 62n, 3)}${digits((bits & ((1n << 62n) - 1n)) | (1n << 63n), 16)}`
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

const digits = (value: bigint, count: number): string => value.toString(16).padStart(count, '0')

const nextUuid = (last: LastUuid | null, { now, uuid }: Services): LastUuid => {
  const chance = BigInt(`0x0${uuid().replaceAll('-', '')}`)
  const time = now.getTime()
  // the highest bit is left for counting
  if (last === null || time > last.time) return { time, bits: chance & (allBits >> 1n) }
  const bits = last.bits + 1n + (chance & 0xffffffffn)
  return bits > allBits ? { time: last.time + 1, bits: chance & (allBits >> 1n) } : { time: last.time, bits }
}

/** @category model */
export interface SnowflakeOptions {
  /** The instant from which milliseconds are counted, for 69 years. Default: the start of 2020. */
  readonly epoch?: Date
}

/** What is remembered of the last id: its millisecond since the epoch, and the how manieth of it it is. */
interface LastSnowflake {
  readonly time: bigint
  readonly count: bigint
}

const defaultEpoch = new Date('2020-01-01T00:00:00Z')

/**
 * Ids of 63 bits, in the order in which one node makes them, and never the same on two nodes: 41 bits of milliseconds, 10 of
 * the node's number (0 to 1023; of a larger one the lowest bits), and 12 that count the ids of a millisecond. After 4096 of
 * them those of the next millisecond are used.
 *
 * Each process that makes ids at the same time needs a node of its own. One that starts again counts from the clock.
 *
 * @example
 * const id = pipe(bigint, primaryKey, withDefault(snowflake(7)))
 *
 * @see {@link snowflakeParts}
 * @category constructors
 */
export const snowflake = (node: number, { epoch = defaultEpoch }: SnowflakeOptions = {}) => {
  const bits = BigInt.asUintN(10, BigInt(Math.trunc(node)))
  const start = epoch.getTime()
  const name = `snowflake ${bits} ${start}`
  return (services: Services): bigint =>
    services.remember<LastSnowflake, bigint>(name, (last) => {
      const next = nextSnowflake(last, BigInt(services.now.getTime() - start))
      return [(next.time << 22n) | (bits << 12n) | next.count, next]
    })
}

const nextSnowflake = (last: LastSnowflake | null, time: bigint): LastSnowflake => {
  if (last === null || time > last.time) return { time, count: 0n }
  return last.count === 4095n ? { time: last.time + 1n, count: 0n } : { time: last.time, count: last.count + 1n }
}

/** @category model */
export interface SnowflakeParts {
  readonly at: Date
  readonly node: number
  readonly count: number
}

/**
 * What a snowflake tells: when and by which node it was made. Where each shard is a node, its key tells the shard of a row.
 *
 * @example
 * snowflakeParts(id).node // 7
 *
 * @category combinators
 */
export const snowflakeParts = (id: bigint, { epoch = defaultEpoch }: SnowflakeOptions = {}): SnowflakeParts => ({
  at: new Date(Number(id >> 22n) + epoch.getTime()),
  node: Number((id >> 12n) & 0x3ffn),
  count: Number(id & 0xfffn),
})
