import { defineModel, entity, integer, primaryKey, select, text } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import { openOn } from '../session/app.js'

test('uow/pk_swap: rows exchange their keys by way of a temporary one', () => {
  const Thing = entity('Thing', 'things', { id: pipe(integer, primaryKey), name: text })
  const model = defineModel({ Thing })(() => ({}))
  const app = openOn(model, { autoflush: false })
  app.database.exec("insert into things values (1, 'a'), (2, 'b')")
  for (const thing of app.run(Session.query(select(model.Thing)))) {
    app.run(Session.set(model.Thing, { id: 3 - thing.id })(thing))
  }
  app.run(Session.commit)
  expect(app.rows('things')).toEqual([
    { id: 1, name: 'b' },
    { id: 2, name: 'a' },
  ])
})
