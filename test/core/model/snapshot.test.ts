import { Snapshot } from '@unitary/core'
import { expect, test } from 'vitest'

test('instanceOf gives the number of a snapshot, and null for anything else', () => {
  const snapshot = new Snapshot(5)
  expect(Snapshot.instanceOf(snapshot)).toBe(5)
  expect(Snapshot.instanceOf(new Snapshot(0))).toBe(0)
  for (const other of [null, undefined, 5, 'x', {}, [], () => 5, { ...snapshot }, Object.create(snapshot)]) {
    expect(Snapshot.instanceOf(other)).toBeNull()
  }
})

test('a snapshot shows no property of its own making', () => {
  expect(Object.keys(new Snapshot(5))).toEqual([])
  expect(JSON.stringify(new Snapshot(5))).toBe('{}')
})
