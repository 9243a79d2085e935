import * as Session from '@unitary/session'
import { expect, test } from 'vitest'
import { model, open } from './app.js'

test('a foreign key that refers to no row is named with its value', () => {
  const app = open()
  const program = Session.gen(function* () {
    yield* Session.add(model.Address, { email: 'ed@example.org', userId: 99 } as never)
    yield* Session.flush
  })
  const error = app.fails(program)
  expect(error).toMatchObject({
    _tag: 'IntegrityError',
    reason: { _tag: 'ForeignKeyViolation' },
    entity: 'Address',
    attributes: ['userId'],
    values: [99],
  })
  expect(Session.render(error)).toContain('userId = 99')
})
