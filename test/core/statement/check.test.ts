import { checkStatement, compile, renderStatementError, select, where } from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import { model, sqlite } from './fixture.js'

const unordered = pipe(
  select(model.User),
  where((eb) => eb.or([eb('name', '=', 'ed'), eb('age', '>', null)])),
)

test('what compares by order with NULL is refused before it is compiled', () => {
  const error = { _tag: 'UnorderedValue', entity: 'User', attribute: 'age', operator: '>', value: null } as const
  expect(checkStatement(unordered)).toEqual(error)
  expect(compile(sqlite)(unordered)).toEqual({ _tag: 'Left', left: error })
  expect(renderStatementError(error)).toBe(
    'User.age: `>` compares with null, which has no order; compare by `=`, `is` or `is not`',
  )
})

test('so is what compares by order with a truth value, on either side', () => {
  const statement = pipe(
    select(model.User),
    where((eb) => eb(eb.lit(true), '<=', eb('age', '=', 3) as never)),
  )
  expect(checkStatement(statement)).toMatchObject({ entity: 'User', attribute: '', operator: '<=', value: true })
})

test('what has an order is not, nor equality', () => {
  const statement = pipe(
    select(model.User),
    where('age', '>', 3),
    where('age', '=', null),
    where((eb) => eb.and([eb.lit(true), eb('age', 'is not', null)])),
  )
  expect(checkStatement(statement)).toBeNull()
})
