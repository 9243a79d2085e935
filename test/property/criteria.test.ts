/**
 * A query under criteria is the same query over the data without what they hide, whatever it joins and asks for.
 */
import * as Core from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { resultOf } from '../session/app.js'
import { press, rules } from '../session/criteria/press.js'

// biome-ignore lint/suspicious/noExplicitAny: queries are known at run time only
type Any = any

const paths = {
  Author: { articles: 'Article' },
  Article: { author: 'Author', comments: 'Comment', cover: 'Cover', tags: 'Tag' },
  Comment: {},
  Cover: {},
  Tag: {},
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>

type Name = keyof typeof paths

const tables = ['authors', 'articles', 'comments', 'covers', 'tags'] as const

/** A step from an alias by their numbers, so that any numbers make a query. */
interface JoinPlan {
  readonly from: number
  readonly pick: number
  readonly isOptional: boolean
  readonly refine: 'none' | 'where' | 'text'
}

interface ExistsPlan {
  readonly pick: number
  readonly isNot: boolean
  readonly within: number
}

interface Plan {
  readonly root: 'Author' | 'Article'
  readonly joins: ReadonlyArray<JoinPlan>
  readonly exists: ReadonlyArray<ExistsPlan>
  readonly limit: number | null
  readonly isDistinct: boolean
}

const plans: fc.Arbitrary<Plan> = fc.record({
  root: fc.constantFrom('Author' as const, 'Article' as const),
  joins: fc.array(
    fc.record({
      from: fc.nat({ max: 5 }),
      pick: fc.nat({ max: 5 }),
      isOptional: fc.boolean(),
      refine: fc.constantFrom('none' as const, 'none' as const, 'where' as const, 'text' as const),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  exists: fc.array(fc.record({ pick: fc.nat({ max: 5 }), isNot: fc.boolean(), within: fc.nat({ max: 5 }) }), {
    maxLength: 2,
  }),
  limit: fc.option(fc.nat({ max: 5 }), { freq: 1 }),
  isDistinct: fc.constantFrom(true, false, false),
})

const data = fc.record({
  authors: fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
  articles: fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 3 })), { minLength: 2, maxLength: 4 }),
  comments: fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 4 })), { maxLength: 4 }),
  covers: fc.array(fc.boolean(), { maxLength: 3 }),
  tags: fc.array(fc.boolean(), { minLength: 2, maxLength: 3 }),
  links: fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 })), { minLength: 4, maxLength: 10 }),
})

type Data = typeof data extends fc.Arbitrary<infer D> ? D : never

const statements = ({ articles, authors, comments, covers, links, tags }: Data): ReadonlyArray<string> => [
  'create table authors (id integer, name text, is_hidden integer)',
  'create table articles (id integer, title text, tenant text, is_hidden integer, author_id integer)',
  'create table comments (id integer, body text, is_hidden integer, article_id integer)',
  'create table covers (id integer, image text, is_hidden integer, article_id integer)',
  'create table tags (id integer, label text, is_hidden integer)',
  'create table article_tags (article_id integer, tag_id integer)',
  ...authors.map((isHidden, i) => `insert into authors values (${i + 1}, 'a${i}', ${Number(isHidden)})`),
  ...articles.map(
    ([isHidden, author], i) =>
      `insert into articles values (${i + 1}, 't', 'acme', ${Number(isHidden)}, ${author === 0 ? 'null' : author})`,
  ),
  ...comments.map(
    ([isHidden, article], i) => `insert into comments values (${i + 1}, 'b', ${Number(isHidden)}, ${article})`,
  ),
  ...covers.map((isHidden, i) => `insert into covers values (${i + 1}, 'i', ${Number(isHidden)}, ${i + 1})`),
  ...tags.map((isHidden, i) => `insert into tags values (${i + 1}, 'l', ${Number(isHidden)})`),
  ...links.map(([article, tag]) => `insert into article_tags values (${article}, ${tag})`),
]

/** Leaves out what is hidden, and links that lead to nothing. */
const pruned = [
  ...tables.map((table) => `delete from ${table} where is_hidden`),
  'delete from article_tags where tag_id not in (select id from tags)',
]

const open = (all: ReadonlyArray<string>): Database.Database => {
  const database = new Database(':memory:')
  for (const one of all) database.exec(one)
  return database
}

const core = Core as unknown as Readonly<Record<string, (...given: ReadonlyArray<Any>) => Any>>

const namesOf = (entity: Name): ReadonlyArray<string> => Object.keys(paths[entity])

const targetOf = (entity: Name, name: string): Name => (paths[entity] as Readonly<Record<string, Name>>)[name] as Name

const refined = ({ refine }: JoinPlan): ((targets: Any) => Any) | undefined => {
  if (refine === 'none') return undefined
  return refine === 'where' ? core.where?.('id', '>', 1) : core.where?.(() => sql`id > 1`)
}

const queryOf = (plan: Plan): Any => {
  let query: Any = core.select?.(press[plan.root])
  const aliases: Array<readonly [prefix: string, entity: Name]> = [['', plan.root]]
  for (const [i, step] of plan.joins.entries()) {
    const [prefix, entity] = aliases[step.from % aliases.length] as readonly [string, Name]
    const names = namesOf(entity)
    if (names.length === 0) continue
    const name = names[step.pick % names.length] as string
    const given = refined(step)
    query = core[step.isOptional ? 'leftJoin' : 'join']?.(
      `${prefix}${name}`,
      `j${i}`,
      ...(given === undefined ? [] : [given]),
    )(query)
    aliases.push([`j${i}.`, targetOf(entity, name)])
  }
  for (const { isNot, pick, within } of plan.exists) {
    const [prefix, entity] = aliases[pick % aliases.length] as readonly [string, Name]
    const names = namesOf(entity)
    if (names.length === 0) continue
    const name = names[within % names.length] as string
    const ask = name === 'author' || name === 'cover' ? core.has : core.any
    query = core.where?.((eb: Any) => {
      const found = ask?.(eb, `${prefix}${name}`)
      return isNot ? eb.not(found) : found
    })(query)
  }
  query = core.orderBy?.('id')(query)
  for (const [prefix] of aliases.slice(1)) {
    if (!plan.isDistinct) query = core.orderBy?.((eb: Any) => eb.ref(`${prefix}id`))(query)
  }
  if (plan.isDistinct) query = core.distinct?.(query)
  return plan.limit === null ? query : core.limit?.(plan.limit)(query)
}

describe('a query under criteria', () => {
  test('is the query over what they show', () => {
    fc.assert(
      fc.property(data, plans, (given, plan) => {
        const full = open(statements(given))
        const visible = open([...statements(given), ...pruned])
        const ids = (database: Database.Database, options: Session.RuntimeOptions): ReadonlyArray<number> => {
          const runtime = Session.runtime(press, sqliteEngine(database), options)
          const found = resultOf(Session.runSync(runtime)(Session.query(queryOf(plan)))) as ReadonlyArray<Any>
          return found.map(({ id }) => id)
        }
        expect(ids(full, { criteria: rules })).toEqual(ids(visible, {}))
        full.close()
        visible.close()
      }),
      { numRuns: 800 },
    )
  })
})
