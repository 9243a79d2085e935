import { deleteFrom, set, update, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { model, open } from '../app.js'

const arrange = () => {
  const app = open()
  const [ed, wendy, jack] = app.run(
    Session.addAll(model.User, [{ name: 'ed' }, { name: 'wendy', nickname: 'w' }, { name: 'jack' }]),
  )
  app.run(Session.flush)
  if (ed === undefined || wendy === undefined || jack === undefined) throw new Error('not added')
  return { app, ed, wendy, jack }
}

const nicknames = ({ app, ed, wendy, jack }: ReturnType<typeof arrange>) =>
  [ed, wendy, jack].map((user) => app.run(Session.read(model.User)(user)).nickname)

const give = pipe(update(model.User), set({ nickname: 'n' }), where('name', 'in', ['ed', 'jack']))

describe('a bulk update', () => {
  test.each(['auto', 'evaluate', 'fetch'] as const)(
    'gives the number of rows, and the instances that it met have the new values: %s',
    (synchronize) => {
      const all = arrange()
      expect(all.app.run(Session.execute({ synchronize })(give))).toBe(2)
      const before = all.app.asked().length
      expect(nicknames(all)).toEqual(['n', 'w', 'n'])
      expect(all.app.asked()).toHaveLength(before)
      expect(all.app.rows('users')).toMatchObject([{ nickname: 'n' }, { nickname: 'w' }, { nickname: 'n' }])
    },
  )

  test('tells instances nothing where it is told so, until they expire', () => {
    const all = arrange()
    all.app.run(Session.execute({ synchronize: 'none' })(give))
    expect(nicknames(all)).toEqual([null, 'w', null])
    all.app.run(Session.expireAll)
    expect(nicknames(all)).toEqual(['n', 'w', 'n'])
  })

  test('flushes first', () => {
    const { app } = arrange()
    app.run(Session.add(model.User, { name: 'ed' }))
    expect(app.run(Session.execute()(give))).toBe(3)
  })

  test('is undone by a rollback, in the session too', () => {
    const all = arrange()
    all.app.run(Session.commit)
    nicknames(all)
    all.app.run(Session.commit)
    all.app.run(Session.execute()(give))
    all.app.run(Session.rollback)
    expect(nicknames(all)).toEqual([null, 'w', null])
  })
})

describe('a bulk delete', () => {
  const drop = pipe(deleteFrom(model.User), where('nickname', 'is', null))

  test.each(['auto', 'evaluate', 'fetch'] as const)('deletes the instances that it met: %s', (synchronize) => {
    const { app, ed, wendy, jack } = arrange()
    expect(app.run(Session.execute({ synchronize })(drop))).toBe(2)
    const statusOf = () => [ed, wendy, jack].map((user) => Session.inspect(app.store.getState(), user)?.status)
    expect(statusOf()).toEqual(['deleted', 'persistent', 'deleted'])
    expect(app.run(Session.get(model.User, 1))).toEqual({ _tag: 'None' })
    app.run(Session.commit)
    expect(statusOf()).toEqual(['detached', 'persistent', 'detached'])
    expect(app.rows('users')).toMatchObject([{ name: 'wendy' }])
  })
})

test('a bulk statement that the database refuses is a failure, and leaves all rows', () => {
  const { app } = arrange()
  app.run(Session.add(model.Address, { email: 'a', userId: 1 }))
  app.run(Session.flush)
  expect(app.fails(Session.execute()(deleteFrom(model.User)))).toMatchObject({
    _tag: 'DatabaseError',
    operation: 'bulk delete',
    cause: { reason: { _tag: 'ForeignKeyViolation' } },
  })
  expect(app.rows('users')).toHaveLength(3)
})
