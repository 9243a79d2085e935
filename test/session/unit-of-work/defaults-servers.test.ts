/**
 * Defaults on every database: who gives a value, when it shows, and that what shows is what is stored.
 */
import {
  bigint,
  defineModel,
  entity,
  generated,
  insertInto,
  instant,
  integer,
  jsonOf,
  nullable,
  primaryKey,
  returningEntities,
  type Services,
  snowflake,
  text,
  uuid,
  uuidV7,
  values,
  withDefault,
  withInsertDefault,
  withServerDefault,
  withUpdateDefault,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { databases, openOnServer } from '../server-app.js'

const Article = entity('Article', 'articles', {
  id: pipe(uuid, primaryKey, withDefault(uuidV7)),
  serial: pipe(bigint, withDefault(snowflake(3))),
  title: text,
  /** A value. */
  state: pipe(text, withDefault('draft')),
  labels: pipe(jsonOf(t.readonlyArray(t.string)), withDefault(['new'])),
  /** What services give. */
  token: pipe(
    text,
    withDefault((services) => services.uuid()),
  ),
  created: pipe(
    instant,
    withDefault((services) => services.now),
  ),
  /** What an insert gives. */
  kind: pipe(text, withInsertDefault('page')),
  price: pipe(integer, nullable, withInsertDefault(null)),
  saves: pipe(integer, withInsertDefault(sql<number>`40 + 2`), withUpdateDefault(sql<number>`${sql.ref('saves')} + 1`)),
  /** What the table gives. */
  language: pipe(text, withServerDefault(sql`'en'`)),
  /** What an update gives. */
  updatedAt: pipe(
    instant,
    nullable,
    withUpdateDefault((services) => services.now),
  ),
  editor: pipe(text, nullable, withUpdateDefault('someone')),
})
const Comment = entity('Comment', 'comments', {
  id: pipe(integer, primaryKey, generated),
  articleId: uuid,
})
const model = defineModel({ Article, Comment })((r) => ({
  Article: { comments: r.Article.hasMany('Comment', { foreignKey: 'articleId' }) },
}))

/** A clock that goes on by a minute each time, and tokens that do. */
const ticking = (): (() => Services) => {
  let minutes = 0
  const remember = Session.remembering()
  return () => ({
    now: new Date(Date.UTC(2026, 0, 31, 12, minutes++)),
    random: () => 0.5,
    uuid: () => `00000000-0000-4000-8000-${String(minutes).padStart(12, '0')}`,
    remember,
  })
}

describe.each(databases)('defaults on $title', ({ host, isMissing }) => {
  const open = () => openOnServer(host, model, { services: ticking() })

  test.skipIf(isMissing)('of the program show on the draft at once, and what shows is stored', async () => {
    const { run } = await open()
    const made = await run(Session.add(model.Article, { title: 'Maps', comments: [{}] }))
    const { created, id, labels, serial, state, token } = made
    expect(state).toBe('draft')
    expect(labels).toEqual(['new'])
    expect(created).toBeInstanceOf(Date)
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7/)
    expect(typeof serial).toBe('bigint')
    // what the flush or the table gives is not there yet
    expect([made.kind, made.saves, made.language, made.updatedAt]).toEqual([undefined, undefined, undefined, undefined])
    await run(Session.commit)
    const stored = await run(
      pipe(
        Session.expireAll,
        Session.chain(() => Session.read(model.Article)(made)),
      ),
    )
    expect(stored).toMatchObject({ created, id, labels, serial, state, token })
    expect(stored).toMatchObject({
      kind: 'page',
      price: null,
      saves: 42,
      language: 'en',
      updatedAt: null,
      editor: null,
    })
    expect((await run(Session.load(model.Article, 'comments')(made))).map(({ articleId }) => articleId)).toEqual([id])
  })

  test.skipIf(isMissing)('of an update come with every update, and with no other', async () => {
    const { run } = await open()
    const made = await run(Session.add(model.Article, { title: 'Maps' }))
    await run(Session.commit)
    const before = await run(Session.read(model.Article)(made))
    expect(before.updatedAt).toBe(null)
    await run(Session.set(model.Article, { title: 'Charts' })(made))
    await run(Session.commit)
    const first = await run(Session.read(model.Article)(made))
    expect(first).toMatchObject({ saves: 43, editor: 'someone', created: before.created, state: 'draft' })
    expect(first.updatedAt).toBeInstanceOf(Date)
    await run(Session.set(model.Article, { title: 'Plans', editor: 'ann' })(made))
    await run(Session.commit)
    const second = await run(Session.read(model.Article)(made))
    expect(second).toMatchObject({ saves: 44, editor: 'ann' })
    expect(Number(second.updatedAt)).toBeGreaterThan(Number(first.updatedAt))
  })

  test.skipIf(isMissing)('give way to what is given, and are those of rows past the unit of work too', async () => {
    const { run } = await open()
    const given = { title: 'a', state: 'sent', kind: 'note', saves: 7, language: 'de', created: new Date(0) }
    const made = await run(Session.add(model.Article, given))
    await run(Session.commit)
    expect(await run(Session.read(model.Article)(made))).toMatchObject(given)
    const [inserted] = await run(
      pipe(insertInto(model.Article), values([{ title: 'b' }]), returningEntities, Session.execute()),
    )
    expect(inserted).toMatchObject({
      state: 'draft',
      labels: ['new'],
      kind: 'page',
      price: null,
      saves: 42,
      language: 'en',
    })
  })
})
