import {
  boolean,
  createAllSync,
  criteria,
  defineModel,
  entity,
  generated,
  has,
  integer,
  join,
  joined,
  leftJoin,
  named,
  orderBy,
  primaryKey,
  select,
  selectin,
  set,
  text,
  update,
  where,
  withDefault,
  withOptions,
  withoutCriteria,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { byAttribute, choosers, shardedRuntime, shardMap, withParent } from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { isNone } from 'fp-ts/lib/Option.js'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region rules
declare module '@unitary/core' {
  interface ExecutionOptions {
    readonly tenant?: string
  }
}

const id = pipe(integer, primaryKey, generated)
const isHidden = pipe(
  boolean,
  named('is_hidden'),
  withDefault(() => false),
)

const Article = entity('Article', 'articles', { id, title: text, tenant: text, isHidden })
const Comment = entity('Comment', 'comments', { id, body: text, isHidden, articleId: integer })

const model = defineModel({ Article, Comment })((r) => ({
  Article: {
    comments: r.Article.hasMany('Comment', {
      foreignKey: 'articleId',
      inverse: 'article',
      orderBy: 'id',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
    }),
  },
  Comment: { article: r.Comment.belongsTo('Article', { foreignKey: 'articleId', inverse: 'comments' }) },
}))

const rules = criteria(model)({
  Article: {
    visible: (eb) => eb('isHidden', '=', false),
    tenant: (eb, { tenant }) => (tenant === undefined ? null : eb('tenant', '=', tenant)),
  },
  Comment: { visible: (eb) => eb('isHidden', '=', false) },
})
// #endregion

// #region setup
/** What the database is asked; the names of columns are left out. */
const log: string[] = []
const verbose = (statement: unknown) => {
  const sql = String(statement).replaceAll('"', '').replaceAll('.0', '')
  if (!/^(begin|commit|insert)/.test(sql)) log.push(sql.replace(/^select .*? from/, 'select ... from'))
}
const asked = Session.fromIO(() => log.splice(0).join('\n'))

/** Three articles, one of them hidden, and three comments. */
const open = (options: Session.RuntimeOptions) => {
  const database = new Database(':memory:', { verbose })
  const engine = sqliteEngine(database)
  createAllSync(model)(engine)
  database.exec(`
    insert into articles values (1, 'Rain', 'acme', 0), (2, 'Snow', 'other', 0), (3, 'Hail', 'acme', 1);
    insert into comments values (1, 'wet', 0, 1), (2, 'spam', 1, 1), (3, 'cold', 0, 2);
  `)
  return Session.runtime(model, engine, options)
}

const articles = pipe(select(model.Article), orderBy('id'))
const titles = (found: ReadonlyArray<{ readonly title: string }>) => found.map(({ title }) => title)
const bodies = (found: ReadonlyArray<{ readonly body: string }>) => found.map(({ body }) => body)
// #endregion

const example = examplesOf('criteria')

const program = (name: string, body: () => Generator<Session.Program<unknown, unknown>, void, never>): void =>
  example(name, () => {
    const app = open({ criteria: rules })
    log.length = 0
    resultOf(Session.runSync(app)(Session.gen(body)))
  })

example('first', () => {
  // #region first
  const app = open({ criteria: rules })

  const found = Session.runSync(app)(Session.query(articles))
  console.log(resultOf(found).map(({ title }) => title)) // => [ 'Rain', 'Snow' ]
  // #endregion
})

program('everywhere', function* () {
  yield* asked
  // #region everywhere
  const [rain] = yield* pipe(articles, joined('comments'), Session.query)
  console.log(yield* asked)
  console.log(bodies(rain?.comments ?? [])) // => [ 'wet' ]
  // #endregion
  yield* asked
  // #region everywhere
  const cold = pipe(
    select(model.Comment),
    join('article', 'a'),
    where((eb) => eb('a.title', '=', 'Hail')),
  )
  console.log((yield* Session.query(cold)).length) // => 0

  const ofHail = pipe(select(model.Comment), where(has('article', where('title', '=', 'Hail'))))
  console.log((yield* Session.query(ofHail)).length) // => 0

  const without = pipe(
    articles,
    leftJoin('comments', 'c'),
    where((eb) => eb('c.id', 'is', null)),
  )
  console.log(titles(yield* Session.query(without))) // => []

  console.log(isNone(yield* Session.get(model.Article, 3))) // => true

  console.log(yield* pipe(update(model.Article), set({ title: 'Fog' }), Session.execute())) // => 2
  // #endregion
})

program('off', function* () {
  // #region off
  const everything = pipe(articles, withoutCriteria(rules, 'visible'), selectin('comments'))
  const [rain, , hail] = yield* Session.query(everything)
  console.log(hail?.title, bodies(rain?.comments ?? [])) // => Hail [ 'wet', 'spam' ]

  // only the comments, only in this load
  const moderated = pipe(articles, selectin('comments', withoutCriteria(rules, 'visible')))
  console.log((yield* Session.query(moderated)).map(({ comments }) => bodies(comments))) // => [ [ 'wet', 'spam' ], [ 'cold' ] ]

  // whatever a program asks
  const found = yield* pipe(Session.query(articles), Session.withoutCriteria(rules))
  console.log(titles(found)) // => [ 'Rain', 'Snow', 'Hail' ]
  // #endregion
})

example('tenants', () => {
  // #region tenants
  const app = open({ criteria: rules, executionOptions: { tenant: 'acme' } })

  const program = Session.gen(function* () {
    console.log(titles(yield* Session.query(articles))) // => [ 'Rain' ]
    console.log(titles(yield* pipe(articles, withOptions({ tenant: 'other' }), Session.query))) // => [ 'Snow' ]
    console.log(titles(yield* pipe(Session.query(articles), Session.withOptions({ tenant: 'other' })))) // => [ 'Snow' ]
  })
  Session.runSync(app)(program)
  // #endregion
})

example('shards', () => {
  // #region shards
  const engineOf = (name: string) => {
    const database = new Database(':memory:', { verbose: (statement) => log.push(`${name}: ${String(statement)}`) })
    const engine = sqliteEngine(database)
    createAllSync(model)(engine)
    return engine
  }
  const app = shardedRuntime(model, {
    shards: shardMap({ first: engineOf('first'), second: engineOf('second') }),
    choosers: choosers(model)({
      Article: byAttribute('tenant', { acme: 'first', other: 'second' }),
      Comment: withParent('article'),
    }),
    criteria: rules,
    executionOptions: { tenant: 'other' },
  })
  log.length = 0
  Session.runSync(app)(Session.query(articles))
  Session.runSync(app)(Session.get(model.Article, 1))
  console.log(log.filter((sql) => sql.includes('select')).map((sql) => sql.slice(0, 14))) // => [ 'second: select', 'second: select' ]
  // #endregion
})

program('delete', function* () {
  // #region delete
  const [rain] = yield* Session.query(articles)
  if (rain === undefined) return
  console.log(bodies(yield* pipe(rain, Session.load(model.Article, 'comments')))) // => [ 'wet' ]

  // what is replaced is what is shown
  yield* pipe(rain, Session.replace(model.Article, 'comments', [{ body: 'dry' }]))
  yield* Session.flush
  const left = yield* pipe(select(model.Comment), orderBy('id'), withoutCriteria(), Session.query)
  console.log(bodies(left)) // => [ 'spam', 'cold', 'dry' ]

  // what goes along is all that there is
  yield* pipe(rain, Session.remove(model.Article))
  const { deleted } = yield* Session.commit
  console.log(deleted) // => 3
  // #endregion
})
