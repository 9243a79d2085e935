import { defineModel, entity, generated, integer, nullable, primaryKey, text } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, explained, found, openOn, tablesAsked } from '../app.js'

const id = pipe(integer, primaryKey, generated)

const Ticket = entity('Ticket', 'tickets', { id, title: text, reportId: pipe(integer, nullable) })
/** The one report of a ticket, which knows its tickets. */
const Report = entity('Report', 'reports', { id, body: text })
const Bug = entity('Bug', 'bugs', { id, traceId: pipe(integer, nullable) })
/** The one trace of a bug, which knows nothing. */
const Trace = entity('Trace', 'traces', { id, body: text })
const Article = entity('Article', 'articles', { id, title: text })
/** An image of one article. */
const Image = entity('Image', 'images', { id, file: text })
/** A table of one article, which does not know it. */
const Chart = entity('Chart', 'charts', { id, file: text })

const owning = {
  singleParent: true,
  cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
} as const

const model = defineModel({ Ticket, Report, Bug, Trace, Article, Image, Chart })((r) => ({
  Ticket: { report: r.Ticket.belongsTo('Report', { foreignKey: 'reportId', inverse: 'tickets', ...owning }) },
  Report: { tickets: r.Report.hasMany('Ticket', { foreignKey: 'reportId', inverse: 'report' }) },
  Bug: { trace: r.Bug.belongsTo('Trace', { foreignKey: 'traceId', ...owning }) },
  Article: {
    images: r.Article.manyToMany('Image', {
      through: { table: 'article_images', own: ['article_id'], target: ['image_id'] },
      inverse: 'articles',
      ...owning,
    }),
    charts: r.Article.manyToMany('Chart', {
      through: { table: 'article_charts', own: ['article_id'], target: ['chart_id'] },
      ...owning,
    }),
  },
  Image: {
    articles: r.Image.manyToMany('Article', {
      through: { table: 'article_images', own: ['image_id'], target: ['article_id'] },
      inverse: 'images',
    }),
  },
}))

describe('a reference to what has one parent', () => {
  const arrange = () => {
    const app = openOn(model)
    const a = app.run(Session.add(model.Ticket, { title: 'a', report: { body: 'x' } }))
    const b = app.run(Session.add(model.Ticket, { title: 'b', report: { body: 'y' } }))
    app.run(Session.commit)
    return { app, a, b, x: found(app, model.Report, 1), y: found(app, model.Report, 2) }
  }
  const bodies = (app: App) => app.rows('reports').map((row) => (row as { body: string }).body)

  test('deletes it when it is set to null', () => {
    const { app, a } = arrange()
    app.run(Session.load(model.Ticket, 'report')(a))
    app.run(Session.set(model.Ticket, { report: null })(a))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update tickets (1 row)
           #0: reportId = null where id = 1
      2. delete from reports (1 row), after 1
           #1: where id = 1"
    `)
    app.run(Session.commit)
    expect(bodies(app)).toEqual(['y'])
  })

  test('deletes it when another takes its place', () => {
    const { app, a } = arrange()
    app.run(Session.load(model.Ticket, 'report')(a))
    app.run(Session.set(model.Ticket, { report: { body: 'z' } })(a))
    app.run(Session.commit)
    expect(bodies(app)).toEqual(['y', 'z'])
    expect(app.rows('tickets')).toMatchObject([{ reportId: 3 }, { reportId: 2 }])
  })

  test('has the flush load what it held, where that is not known', () => {
    const { app, a, b } = arrange()
    app.run(Session.expireAll)
    app.clear()
    app.run(Session.set(model.Ticket, { report: null })(a))
    app.run(Session.set(model.Ticket, { report: { body: 'z' } })(b))
    expect(app.asked()).toEqual([])
    app.run(Session.flush)
    expect(tablesAsked(app)).toEqual([
      // both tickets, what they held, and what else refers to that
      'select tickets',
      'select reports',
      'select tickets',
      'Insert reports 1',
      'Update tickets 1',
      'Update tickets 1',
      'Delete reports 2',
    ])
    expect(bodies(app)).toEqual(['z'])
  })

  test('does not insert it where it is pending and another takes its place', () => {
    const { app, a } = arrange()
    const z = app.run(Session.make(model.Report, { body: 'z' }))
    app.run(Session.set(model.Ticket, { report: z })(a))
    expect(Session.inspect(app.store.getState(), z)).toMatchObject({ status: 'pending' })
    app.run(Session.set(model.Ticket, { report: { body: 'w' } })(a))
    expect(Session.inspect(app.store.getState(), z)).toMatchObject({ status: 'transient' })
    app.run(Session.commit)
    expect(bodies(app)).toEqual(['y', 'w'])
  })

  test('takes it along when its owner goes', () => {
    const { app, a } = arrange()
    app.run(Session.remove(model.Ticket)(a))
    expect(app.run(Session.commit)).toMatchObject({ deleted: 2 })
    expect(bodies(app)).toEqual(['y'])
  })

  test('is refused for one that belongs to another', () => {
    const { app, a, b, y } = arrange()
    app.run(Session.load(model.Report, 'tickets')(y))
    const error = app.fails(Session.set(model.Ticket, { report: y })(a))
    expect(error).toEqual({ _tag: 'SingleParent', entity: 'Ticket', relationship: 'report', target: 'Report', key: 2 })
    expect(Session.render(error)).toMatchInlineSnapshot(
      `"Report 2 belongs to another Ticket by report, which allows one only; take it from there first."`,
    )
    // nothing has changed
    expect(app.run(Session.load(model.Ticket, 'report')(b))).toMatchObject({ value: { body: 'y' } })
    expect(app.store.getState().changed.size).toBe(0)
  })

  test('is refused for one that belongs to another that is new', () => {
    const { app, a } = arrange()
    const c = app.run(Session.add(model.Ticket, { title: 'c', report: { body: 'z' } }))
    const z = app.run(Session.related(model.Ticket, 'report')(c))
    if (z._tag === 'None') throw new Error('no report')
    const error = app.fails(Session.set(model.Ticket, { report: z.value })(a))
    expect(error).toMatchObject({ _tag: 'SingleParent', key: null })
    expect(Session.render(error as never)).toMatchInlineSnapshot(
      `"Report belongs to another Ticket by report, which allows one only; take it from there first."`,
    )
  })

  test('is accepted for the one that it has, and for one that was given up', () => {
    const { app, a, b, x, y } = arrange()
    for (const ticket of [a, b]) app.run(Session.load(model.Ticket, 'report')(ticket))
    app.run(Session.set(model.Ticket, { report: x })(a))
    expect(app.store.getState().changed.size).toBe(0)
    app.run(Session.set(model.Ticket, { report: null })(b))
    app.run(Session.set(model.Ticket, { report: y })(a))
    app.run(Session.commit)
    expect(bodies(app)).toEqual(['y'])
    expect(app.rows('tickets')).toMatchObject([{ reportId: 2 }, { reportId: null }])
  })

  test('is left by an owner that a collection of the other side takes', () => {
    const { app, a, x, y } = arrange()
    app.run(Session.load(model.Ticket, 'report')(a))
    expect(x).toMatchObject({ body: 'x' })
    app.run(Session.append(model.Report, 'tickets', a)(y))
    app.run(Session.commit)
    // the ticket has one report only, and gave up the other
    expect(app.rows('tickets')).toMatchObject([{ reportId: 2 }, { reportId: 2 }])
    expect(bodies(app)).toEqual(['y'])
  })
})

describe('a reference without inverse to what has one parent', () => {
  const arrange = () => {
    const app = openOn(model)
    const a = app.run(Session.add(model.Bug, { trace: { body: 'x' } }))
    const b = app.run(Session.add(model.Bug, {}))
    app.run(Session.commit)
    for (const bug of [a, b]) app.run(Session.load(model.Bug, 'trace')(bug))
    return { app, a, b, x: found(app, model.Trace, 1) }
  }

  test('is refused for one that another is known to have', () => {
    const { app, b, x } = arrange()
    expect(app.fails(Session.set(model.Bug, { trace: x })(b))).toEqual({
      _tag: 'SingleParent',
      entity: 'Bug',
      relationship: 'trace',
      target: 'Trace',
      key: 1,
    })
  })

  test('is refused in a draft', () => {
    const { app, x } = arrange()
    expect(app.fails(Session.add(model.Bug, { trace: x }))).toMatchObject({ _tag: 'SingleParent', key: 1 })
    expect(Session.inspectAll(app.store.getState()).filter(({ status }) => status === 'pending')).toEqual([])
  })

  test('goes to another once it is given up, and stays', () => {
    const { app, a, b, x } = arrange()
    app.run(Session.set(model.Bug, { trace: null })(a))
    app.run(Session.set(model.Bug, { trace: x })(b))
    expect(app.run(Session.commit)).toMatchObject({ deleted: 0 })
    expect(app.rows('bugs')).toMatchObject([{ traceId: null }, { traceId: 1 }])
  })

  test('goes to another when its owner is removed by the same flush', () => {
    const { app, a, b, x } = arrange()
    app.run(Session.set(model.Bug, { trace: null })(a))
    app.run(Session.set(model.Bug, { trace: x })(b))
    app.run(Session.remove(model.Bug)(a))
    app.run(Session.commit)
    expect(app.rows('bugs')).toEqual([{ id: 2, traceId: 1 }])
    expect(app.rows('traces')).toHaveLength(1)
  })
})

describe('a collection over links of what has one parent', () => {
  const arrange = () => {
    const app = openOn(model)
    const a = app.run(
      Session.add(model.Article, { title: 'a', images: [{ file: 'x' }, { file: 'y' }], charts: [{ file: 'c' }] }),
    )
    const b = app.run(Session.add(model.Article, { title: 'b' }))
    app.run(Session.commit)
    return {
      app,
      a,
      b,
      x: found(app, model.Image, 1),
      y: found(app, model.Image, 2),
      c: found(app, model.Chart, 1),
    }
  }
  const files = (app: App) => app.rows('images').map((row) => (row as { file: string }).file)

  test('deletes what leaves it, with its link', () => {
    const { app, a, x } = arrange()
    app.run(Session.load(model.Article, 'images')(a))
    app.run(Session.detach(model.Article, 'images', x)(a))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. unlink in article_images (1 row)
           #0: where article_id = 1, image_id = 1
      2. delete from images (1 row), after 1
           #2: where id = 1"
    `)
    app.run(Session.commit)
    expect(files(app)).toEqual(['y'])
    expect(app.rows('article_images')).toEqual([{ article_id: 1, image_id: 2 }])
  })

  test('deletes what leaves it from the other side', () => {
    const { app, a, x } = arrange()
    app.run(Session.load(model.Article, 'images')(a))
    app.run(Session.detach(model.Image, 'articles', a)(x))
    app.run(Session.commit)
    expect(files(app)).toEqual(['y'])
  })

  test('keeps what goes on to another', () => {
    const { app, a, b, x, c } = arrange()
    for (const article of [a, b]) {
      app.run(Session.load(model.Article, 'images')(article))
      app.run(Session.load(model.Article, 'charts')(article))
    }
    app.run(Session.detach(model.Article, 'images', x)(a))
    app.run(Session.append(model.Article, 'images', x)(b))
    app.run(Session.detach(model.Article, 'charts', c)(a))
    app.run(Session.append(model.Article, 'charts', c)(b))
    expect(app.run(Session.commit)).toMatchObject({ deleted: 0 })
    expect(app.rows('article_images')).toEqual([
      { article_id: 1, image_id: 2 },
      { article_id: 2, image_id: 1 },
    ])
    expect(app.rows('article_charts')).toEqual([{ article_id: 2, chart_id: 1 }])
  })

  test('does not insert what is pending and leaves it', () => {
    const { app, a } = arrange()
    const z = app.run(Session.make(model.Image, { file: 'z' }))
    const d = app.run(Session.make(model.Chart, { file: 'd' }))
    app.run(Session.append(model.Article, 'images', z)(a))
    app.run(Session.append(model.Article, 'charts', d)(a))
    app.run(Session.detach(model.Article, 'images', z)(a))
    app.run(Session.detach(model.Article, 'charts', d)(a))
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
    expect(files(app)).toEqual(['x', 'y'])
  })

  test.each(['append', 'replace'] as const)('refuses what another has: %s', (how) => {
    const { app, a, b, x, c } = arrange()
    app.run(Session.load(model.Image, 'articles')(x))
    app.run(Session.load(model.Article, 'charts')(a))
    app.run(Session.load(model.Article, 'images')(b))
    app.run(Session.load(model.Article, 'charts')(b))
    const before = app.store.getState()
    const images =
      how === 'append' ? Session.append(model.Article, 'images', x) : Session.replace(model.Article, 'images', [x])
    const charts =
      how === 'append' ? Session.append(model.Article, 'charts', c) : Session.replace(model.Article, 'charts', [c])
    expect(app.fails(images(b))).toEqual({
      _tag: 'SingleParent',
      entity: 'Article',
      relationship: 'images',
      target: 'Image',
      key: 1,
    })
    expect(app.fails(charts(b))).toMatchObject({ _tag: 'SingleParent', relationship: 'charts', target: 'Chart' })
    expect(app.store.getState()).toBe(before)
  })

  test('takes all along when its owner goes', () => {
    const { app, a } = arrange()
    app.run(Session.remove(model.Article)(a))
    app.clear()
    app.run(Session.flush)
    expect(tablesAsked(app)).toEqual([
      // the images may have other articles
      'select articles',
      'Delete article_images 2',
      'Delete article_charts 1',
      'Delete charts 1',
      'Delete images 2',
      'Delete articles 1',
    ])
    expect([files(app), app.rows('article_images'), app.rows('charts')]).toEqual([[], [], []])
  })
})
