import { bigint, blob, defineModel, entity, primaryKey } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import { model, open, openOn } from '../app.js'

/** A session whose next flush inserts, updates and deletes. */
const arrange = () => {
  const app = open({ autoflush: false })
  const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
  const old = app.run(Session.add(model.Country, { code: 'su', title: 'Soviet Union' }))
  app.run(Session.commit)
  app.run(Session.set(model.User, { name: 'edward' })(ed))
  app.run(Session.add(model.User, { name: 'wendy', addresses: [{ email: 'b' }, { email: 'c', user: ed }] }))
  app.run(Session.remove(model.Country)(old))
  return app
}

test('explain shows each step with its rows, and what it waits for', () => {
  expect(Session.explain(arrange().run(Session.flushPlan))).toMatchInlineSnapshot(`
    "1. update users (1 row)
         #0: name = 'edward' where id = 1
    2. insert into users (1 row), after 1
         #3: name = 'wendy', nickname = null, joined = '2026-11-21T12:00:00.000Z'; the database gives id
    3. insert into addresses (1 row), after 1, 2
         #4: email = 'b', isPrimary = false, userId = id of #3; the database gives id
    4. insert into addresses (1 row), after 1, 2, 3
         #5: email = 'c', isPrimary = false, userId = 1; the database gives id
    5. delete from countries (1 row), after 1, 2, 3, 4
         #2: where code = 'su'"
  `)
})

test('explain counts the rows that it does not show', () => {
  const app = open()
  app.run(
    Session.addAll(
      model.Country,
      ['a', 'b', 'c'].map((code) => ({ code, title: code })),
    ),
  )
  expect(Session.explain(app.run(Session.flushPlan), { rows: 1 })).toMatchInlineSnapshot(`
    "1. insert into countries (3 rows)
         #0: code = 'a', title = 'a'
         and 2 more rows"
  `)
})

test('explain says so where there is nothing to do', () => {
  expect(Session.explain(open().run(Session.flushPlan))).toBe('nothing to flush')
})

test('summary counts rows by kind of write and table', () => {
  expect(Session.summary(arrange().run(Session.flushPlan))).toMatchInlineSnapshot(`
    [
      {
        "rows": 1,
        "shard": null,
        "steps": 1,
        "table": "users",
        "write": "Update",
      },
      {
        "rows": 1,
        "shard": null,
        "steps": 1,
        "table": "users",
        "write": "Insert",
      },
      {
        "rows": 2,
        "shard": null,
        "steps": 2,
        "table": "addresses",
        "write": "Insert",
      },
      {
        "rows": 1,
        "shard": null,
        "steps": 1,
        "table": "countries",
        "write": "Delete",
      },
    ]
  `)
})

test('toJson gives plain data', () => {
  const app = open()
  app.run(Session.add(model.Country, { code: 'fr', title: 'France' }))
  const json = Session.toJson(app.run(Session.flushPlan))
  expect(JSON.parse(JSON.stringify(json))).toEqual(json)
  const source = { _tag: 'Literal' }
  expect(json).toMatchObject({
    _tag: 'FlushPlan',
    steps: [
      {
        _tag: 'Insert',
        id: 0,
        entity: 'Country',
        table: 'countries',
        columns: [
          { attribute: 'code', column: 'code', source },
          { attribute: 'title', column: 'title', source },
        ],
        instances: [0],
        rows: [['fr', 'France']],
        key: ['code'],
        returning: [],
        after: [],
        token: null,
      },
    ],
  })
})

test('toJson and explain show integers beyond doubles, and bytes', () => {
  const Blob = entity('Blob', 'blobs', { id: pipe(bigint, primaryKey), data: blob })
  const blobs = defineModel({ Blob })(() => ({}))
  const app = openOn(blobs)
  app.run(Session.add(blobs.Blob, { id: 2n ** 60n, data: new Uint8Array([1, 2]) }))
  const plan = app.run(Session.flushPlan)
  expect(Session.toJson(plan)).toMatchObject({
    steps: [{ rows: [[{ bigint: '1152921504606846976' }, { bytes: 'AQI=' }]] }],
  })
  expect(Session.explain(plan)).toContain('#0: id = 1152921504606846976n, data = 2 bytes')
})

test('toMermaid draws steps, and arrows from what has to be done first', () => {
  expect(Session.toMermaid(arrange().run(Session.flushPlan))).toMatchInlineSnapshot(`
    "flowchart TD
      s0["update users<br/>1 row"]
      s1["insert into users<br/>1 row"]
      s2["insert into addresses<br/>1 row"]
      s3["insert into addresses<br/>1 row"]
      s4["delete from countries<br/>1 row"]
      s0 --> s1
      s0 --> s2
      s1 --> s2
      s0 --> s3
      s1 --> s3
      s2 --> s3
      s0 --> s4
      s1 --> s4
      s2 --> s4
      s3 --> s4"
  `)
})
