import {
  column,
  generated,
  integer,
  isoDate,
  named,
  nullable,
  primaryKey,
  references,
  text,
  unique,
  withDefault,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'

describe('columns', () => {
  test('combinators make new columns, in any order, and leave the one given as it was', () => {
    const id = pipe(integer, primaryKey, generated, named('user_id'), unique)
    expect(id).toMatchObject({
      flags: ['primaryKey', 'generated'],
      columnName: 'user_id',
      unique: true,
      kind: 'integer',
    })
    expect(integer).toMatchObject({ flags: [], columnName: null, unique: false, foreignKey: null, defaultValue: null })
    expect(pipe(text, named('n'), nullable)).toMatchObject({ columnName: 'n', flags: ['nullable'] })
  })

  test('a nullable column takes null and what it took before', () => {
    const joined = pipe(column(isoDate, 'text'), nullable)
    expect(joined.codec.is(null)).toBe(true)
    expect(joined.codec.is(new Date())).toBe(true)
    expect(joined.codec.is(undefined)).toBe(false)
    expect(joined.codec.encode(null)).toBeNull()
    expect(joined.codec.encode(new Date(0))).toBe('1970-01-01T00:00:00.000Z')
    expect(joined.codec.name).toBe('isoDate | null')
  })

  test('a default is asked of the services', () => {
    const at = pipe(
      column(isoDate, 'text'),
      withDefault((services) => services.now),
    )
    const now = new Date(7)
    expect(
      at.defaultValue?.({
        now,
        random: () => 0,
        uuid: () => '',
        remember: <L, A>(_: string, next: (last: L | null) => readonly [A, L]): A => next(null)[0],
      }),
    ).toBe(now)
    expect(at.flags).toEqual(['default'])
  })

  test('a reference names a table, with its schema where it has one, a column and actions', () => {
    expect(pipe(integer, references('users.id')).foreignKey).toEqual({
      table: 'users',
      column: 'id',
      onDelete: null,
      onUpdate: null,
      deferrable: null,
      name: null,
      index: true,
    })
    const actions = { onDelete: 'cascade', onUpdate: 'set null' } as const
    const said = { ...actions, deferrable: 'initially deferred', name: 'owner', index: false } as const
    expect(pipe(integer, references('crm.users.id', said)).foreignKey).toEqual({
      table: 'crm.users',
      column: 'id',
      ...said,
    })
  })
})
