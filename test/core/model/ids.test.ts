/**
 * Ids that programs make: their order, and that no two are the same, whatever the clock does.
 */
import { type Services, snowflake, snowflakeParts, uuid, uuidV7 } from '@unitary/core'
import { remembering } from '@unitary/session'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const servicesAt = (): ((now: number, chance?: string) => Services) => {
  const remember = remembering()
  return (now, chance = '00000000-0000-4000-8000-000000000000') => ({
    now: new Date(now),
    random: () => 0.5,
    uuid: () => chance,
    remember,
  })
}

/** Clocks that stand, go on and are set back. */
const clocks = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: -50, max: 50 })), { minLength: 2, maxLength: 60 })
  .map((steps) => {
    let now = Date.UTC(2026, 0, 1)
    return steps.map((step) => {
      now += step
      return now
    })
  })

const isAscending = <A>(ids: ReadonlyArray<A>): boolean => ids.every((id, i) => i === 0 || (ids[i - 1] as A) < id)

describe('uuidV7', () => {
  test('is a UUID of version 7 that begins with its instant', () => {
    const id = uuidV7(servicesAt()(Date.UTC(2026, 0, 1), 'ffffffff-ffff-4fff-bfff-ffffffffffff'))
    expect(uuid.codec.is(id)).toBe(true)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(Date.UTC(2026, 0, 1))
  })

  test('each is after the one before', () => {
    fc.assert(
      fc.property(clocks, fc.infiniteStream(fc.uuid({ version: 4 })), (times, chances) => {
        const at = servicesAt()
        const ids = times.map((now) => uuidV7(at(now, chances.next().value as string)))
        expect(ids.every((id) => uuid.codec.is(id))).toBe(true)
        expect(isAscending(ids)).toBe(true)
      }),
    )
  })

  test('two memories give different ids by chance', () => {
    const [one, other] = [servicesAt(), servicesAt()]
    const now = Date.UTC(2026, 0, 1)
    expect(uuidV7(one(now, '00000000-0000-4000-8000-000000000001'))).not.toBe(
      uuidV7(other(now, '00000000-0000-4000-8000-000000000002')),
    )
  })
})

describe('snowflake', () => {
  test('each is after the one before, and tells its node', () => {
    fc.assert(
      fc.property(clocks, fc.integer({ min: 0, max: 1023 }), (times, node) => {
        const [at, next] = [servicesAt(), snowflake(node)]
        const ids = times.map((now) => next(at(now)))
        expect(isAscending(ids)).toBe(true)
        expect(ids.every((id) => snowflakeParts(id).node === node && id < 2n ** 63n)).toBe(true)
        expect(snowflakeParts(ids[0] as bigint).at).toEqual(new Date(times[0] as number))
      }),
    )
  })

  test('those of two nodes are never the same', () => {
    const at = servicesAt()
    const now = Date.UTC(2026, 0, 1)
    const ids = [3, 4].flatMap((node) => Array.from({ length: 100 }, () => snowflake(node)(at(now))))
    expect(new Set(ids).size).toBe(200)
  })

  test('after 4096 of a millisecond come those of the next', () => {
    const [at, next] = [servicesAt(), snowflake(0)]
    const now = Date.UTC(2026, 0, 1)
    const ids = Array.from({ length: 5000 }, () => next(at(now)))
    expect(isAscending(ids)).toBe(true)
    expect(snowflakeParts(ids[4096] as bigint)).toEqual({ at: new Date(now + 1), node: 0, count: 0 })
  })

  test('counts from an epoch of its own', () => {
    const epoch = new Date('2026-01-01')
    const id = snowflake(1, { epoch })(servicesAt()(epoch.getTime() + 5))
    expect(id).toBe((5n << 22n) | (1n << 12n))
    expect(snowflakeParts(id, { epoch }).at).toEqual(new Date(epoch.getTime() + 5))
  })
})
