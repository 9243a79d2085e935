/**
 * JSON's null and NULL are two things: a column of JSON that may not be NULL has the one, one that may has the other.
 */
import {
  createAll,
  defineModel,
  entity,
  filterBy,
  generated,
  integer,
  jsonOf,
  nullable,
  orderBy,
  primaryKey,
  select,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resultOf } from '../app.js'
import { type Opened, setups } from './databases.js'

const Note = entity('Note', 'notes', {
  id: pipe(integer, primaryKey, generated),
  doc: jsonOf(t.union([t.null, t.number])),
  maybe: pipe(jsonOf(t.union([t.null, t.number])), nullable),
})
const model = defineModel({ Note })(() => ({}))

describe.each(setups.map((setup) => [setup.name, setup] as const))('%s', (_, setup) => {
  describe.skipIf(setup.isMissing)('null', () => {
    let opened: Opened
    beforeAll(async () => {
      opened = await setup.open()
      resultOf(await createAll(model)(opened.engine)())
      await run(
        Session.gen(function* () {
          yield* Session.add(model.Note, { doc: null, maybe: null })
          yield* Session.add(model.Note, { doc: 1, maybe: 1 })
          yield* Session.commit
        }),
      )
    })
    afterAll(() => opened?.drop())
    const run = async <E, A>(program: Session.Program<E, A>): Promise<A> =>
      resultOf(await Session.run(Session.runtime(model, opened.engine))(program)())
    const notes = pipe(select(model.Note), orderBy('id'))
    const ids = async (query: typeof notes) => (await run(Session.query(query))).map(({ id }) => id)

    test('of the codec is JSON where the column may not be NULL', async () => {
      const rows = await run(
        Session.sql<{ readonly id: number }>(
          sql`select id from notes where doc is null or (maybe is not null and id = 1)`,
        ),
      )
      expect(rows).toEqual([])
      expect(await run(Session.query(notes))).toMatchObject([
        { doc: null, maybe: null },
        { doc: 1, maybe: 1 },
      ])
    })

    test('is found by =, and NULL by is', async () => {
      expect(
        await ids(
          pipe(
            notes,
            where((eb) => eb('doc', '=', null)),
          ),
        ),
      ).toEqual([1])
      expect(await ids(pipe(notes, filterBy({ doc: null })))).toEqual([1])
      expect(
        await ids(
          pipe(
            notes,
            where((eb) => eb('doc', 'is', null)),
          ),
        ),
      ).toEqual([])
      expect(
        await ids(
          pipe(
            notes,
            where((eb) => eb('maybe', 'is', null)),
          ),
        ),
      ).toEqual([1])
      expect(await ids(pipe(notes, filterBy({ maybe: null })))).toEqual([1])
    })

    test('of JSON in a nullable column is null too, where its codec has one', async () => {
      const write = sql`insert into notes (doc, maybe) values ('2', 'null')`
      await run(Session.chain(() => Session.commit)(Session.sql(write)))
      const [found] = await run(pipe(select(model.Note), where('id', '=', 3), Session.query))
      expect(found).toMatchObject({ doc: 2, maybe: null })
      expect(await ids(pipe(notes, filterBy({ maybe: null })))).toEqual([1])
    })
  })
})
