import {
  column,
  concrete,
  entity,
  integer,
  isoDate,
  named,
  ofType,
  primaryKey,
  references,
  subtype,
  text,
} from '@unitary/core'
import type { Difference, driftBetween } from '@unitary/core/schema'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expectTypeOf, test } from 'vitest'

const columns = {
  id: pipe(integer, primaryKey),
  name: pipe(text, named('full_name'), ofType('varchar(40)')),
  at: column(isoDate, 'timestamp'),
}

describe('the options of an entity', () => {
  test('speak of its attributes, and their values', () => {
    entity('A', 'a', columns, {
      unique: [['name', 'at'], { attributes: ['at'], name: 'once' }],
      indexes: [
        ['at'],
        { attributes: [['at', 'desc'], 'name'], unique: true, where: (eb) => eb('at', '>', new Date(0)) },
      ],
      checks: [(eb) => eb('name', '<>', ''), { check: (eb) => eb('id', '>', 0), name: 'positive' }],
      foreignKeys: [{ attributes: ['id', 'name'], references: ['b.id', 'b.name'], deferrable: 'initially deferred' }],
    })
  })

  test('name no others, and compare with no others', () => {
    // @ts-expect-error an index names attributes
    entity('A', 'a', columns, { indexes: [['full_name']] })
    // @ts-expect-error in pairs too
    entity('A', 'a', columns, { indexes: [{ attributes: [['full_name', 'desc']] }] })
    // @ts-expect-error an index has at least one attribute
    entity('A', 'a', columns, { indexes: [[]] })
    // @ts-expect-error a foreign key names attributes
    entity('A', 'a', columns, { foreignKeys: [{ attributes: ['full_name'], references: ['b.id'] }] })
    // @ts-expect-error and columns of a table
    entity('A', 'a', columns, { foreignKeys: [{ attributes: ['name'], references: ['b'] }] })
    // @ts-expect-error a check compares attributes
    entity('A', 'a', columns, { checks: [(eb) => eb('full_name', '<>', '')] })
    // @ts-expect-error with values of theirs
    entity('A', 'a', columns, { checks: [(eb) => eb('at', '>', 'yesterday')] })
    // @ts-expect-error is checked at one of two times
    pipe(integer, references('b.id', { deferrable: 'deferred' }))
    // @ts-expect-error of databases that there are
    pipe(text, ofType({ oracle: 'varchar2(40)' }))
  })
})

describe('the options of a subtype', () => {
  const Base = entity('Base', 'base', { ...columns, kind: text }, { discriminator: 'kind', indexes: [['kind']] })

  test('speak of what stands in its table', () => {
    subtype(Base)(
      'Joined',
      'joined',
      { size: integer },
      { identity: 'j', unique: [['id', 'size']], checks: [(eb) => eb('joined.size', '>', 0)] },
    )
    subtype(Base)(
      'Single',
      { size: integer },
      { identity: 's', indexes: [['name', 'size']], checks: [(eb) => eb('Single.at', '>', new Date(0))] },
    )
    concrete(Base)('Other', 'others', { size: integer }, { identity: 'o', indexes: [['name', 'size']] })
    // @ts-expect-error the name stands in the table of the base
    subtype(Base)('Joined', 'joined', { size: integer }, { identity: 'j', unique: [['name']] })
    // @ts-expect-error no subtype has such an attribute
    subtype(Base)('Single', { size: integer }, { identity: 's', indexes: [['weight']] })
    // @ts-expect-error a size is a number
    subtype(Base)('Single', { size: integer }, { identity: 's', checks: [(eb) => eb('size', '>', 'x')] })
  })
})

test('a difference tells by its tag what it has', () => {
  type ColumnType = Extract<Difference, { _tag: 'ColumnType' }>
  expectTypeOf<ColumnType['model']>().toEqualTypeOf<string>()
  expectTypeOf<Extract<Difference, { _tag: 'Nullability' }>['model']>().toEqualTypeOf<boolean>()
  expectTypeOf<ReturnType<typeof driftBetween>['differences']>().toEqualTypeOf<ReadonlyArray<Difference>>()
})
