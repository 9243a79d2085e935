import {
  defineModel,
  entity,
  generated,
  integer,
  nullable,
  primaryKey,
  references,
  type Snapshot,
  text,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { isRight } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, model, open, openOn } from '../app.js'

/** The plan of the next flush: what is written, to which table, how many rows. */
const steps = (app: App) =>
  app.run(Session.flushPlan).steps.map((step) => `${step._tag} ${step.table} ${step.rows.length}`)

describe('the plan of a flush', () => {
  test('is made without a connection, from the state alone, and leaves it as it is', () => {
    const app = open()
    app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    const state = app.store.getState()
    const first = Session.plan(state)
    expect(isRight(first)).toBe(true)
    expect(Session.plan(state)).toEqual(first)
    expect(app.run(Session.flushPlan)).toEqual(isRight(first) && first.right)
    expect(app.asked()).toEqual([])
    expect(app.store.getState()).toBe(state)
  })

  test('inserts parents before children, whichever was added first', () => {
    const app = open()
    app.run(Session.add(model.Address, { email: 'a', user: { name: 'ed' } }))
    app.run(Session.add(model.Visit, { userId: 1, times: 1, country: { code: 'fr', title: 'France' } }))
    app.run(Session.add(model.User, { name: 'wendy', posts: [{ title: 'p', comments: [{ body: 'x' }] }] }))
    const planned = steps(app)
    const at = (table: string) => planned.indexOf(`Insert ${table}`)
    expect(at('users 2')).toBeLessThan(at('addresses 1'))
    expect(at('users 2')).toBeLessThan(at('posts 1'))
    expect(at('posts 1')).toBeLessThan(at('comments 1'))
    expect(at('countries 1')).toBeLessThan(at('visits 1'))
    // by a foreign key that no relationship stands for
    expect(at('users 2')).toBeLessThan(at('visits 1'))
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }, { name: 'wendy' }])
  })

  test('inserts rows of an entity in the order in which they were added, so that their keys follow it', () => {
    const app = open()
    const names = Array.from({ length: 50 }, (_, i) => `${i}`)
    app.run(
      Session.addAll(
        model.User,
        names.map((name) => ({ name })),
      ),
    )
    app.run(Session.flush)
    expect(app.rows('users').map((row) => (row as { name: string }).name)).toEqual(names)
  })

  test('deletes children before parents, after all that is saved', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 'p', comments: [{ body: 'x' }] }] }))
    app.run(Session.commit)
    app.run(Session.remove(model.User)(ed))
    app.run(Session.add(model.User, { name: 'wendy' }))
    expect(steps(app)).toEqual(['Insert users 1', 'Update comments 1', 'Delete posts 1', 'Delete users 1'])
  })

  test('inserts a tree level by level, from the root', () => {
    const app = open()
    app.run(
      Session.add(model.Node, {
        label: 'a',
        parent: { label: 'b', parent: { label: 'c', children: [{ label: 'd' }] } },
      }),
    )
    expect(steps(app)).toEqual(['Insert nodes 1', 'Insert nodes 2', 'Insert nodes 1'])
    app.run(Session.commit)
    expect(app.rows('nodes')).toMatchObject([
      { label: 'c', parent_id: null },
      { label: 'b', parent_id: 1 },
      { label: 'd', parent_id: 1 },
      { label: 'a', parent_id: 2 },
    ])
  })

  test('moves a subtree under a new root in one flush', () => {
    const app = open()
    const root = app.run(Session.add(model.Node, { label: 'root', children: [{ label: 'leaf' }] }))
    app.run(Session.commit)
    const [leaf] = app.run(Session.load(model.Node, 'children')(root))
    app.run(Session.add(model.Node, { label: 'new', children: [leaf as Snapshot<'Node'>] }))
    app.run(Session.commit)
    expect(app.rows('nodes')).toMatchObject([
      { label: 'root', parent_id: null },
      { label: 'leaf', parent_id: 3 },
      { label: 'new', parent_id: null },
    ])
  })

  test('a parent and child that swap places need no order', () => {
    const app = open()
    const a = app.run(Session.add(model.Node, { label: 'a', children: [{ label: 'b' }] }))
    app.run(Session.commit)
    const [b] = app.run(Session.load(model.Node, 'children')(a))
    app.run(Session.set(model.Node, { parent: null })(b as Snapshot<'Node'>))
    app.run(Session.set(model.Node, { parent: b as Snapshot<'Node'> })(a))
    app.run(Session.commit)
    expect(app.rows('nodes')).toMatchObject([
      { label: 'a', parent_id: 2 },
      { label: 'b', parent_id: null },
    ])
  })

  test('is a CircularDependency where new rows need each other’s keys', () => {
    const app = open()
    const a = app.run(Session.make(model.Node, { label: 'a' }))
    const b = app.run(Session.make(model.Node, { label: 'b', parent: a }))
    app.run(Session.set(model.Node, { parent: b })(a))
    app.run(Session.add(model.Node, a))
    expect(app.fails(Session.flush)).toEqual({
      _tag: 'CircularDependency',
      path: ['Node #0', 'Node #1', 'Node #0'],
    })
    app.run(Session.rollback)
    app.run(Session.set(model.Node, { parent: null })(a))
    app.run(Session.add(model.Node, b))
    app.run(Session.commit)
    expect(app.rows('nodes')).toHaveLength(2)
  })

  test('inserts entities that refer to each other, as far as their rows have an order', () => {
    const Chicken = entity('Chicken', 'chickens', {
      id: pipe(integer, primaryKey, generated),
      eggId: pipe(integer, nullable),
    })
    const Egg = entity('Egg', 'eggs', { id: pipe(integer, primaryKey, generated), chickenId: pipe(integer, nullable) })
    const farm = defineModel({ Chicken, Egg })((r) => ({
      Chicken: { egg: r.Chicken.belongsTo('Egg', { foreignKey: 'eggId' }) },
      Egg: { chicken: r.Egg.belongsTo('Chicken', { foreignKey: 'chickenId' }) },
    }))
    const app = openOn(farm)
    app.run(Session.add(farm.Chicken, { egg: { chicken: { egg: {} } } }))
    expect(steps(app)).toEqual(['Insert eggs 1', 'Insert chickens 1', 'Insert eggs 1', 'Insert chickens 1'])
    app.run(Session.commit)
    expect(app.rows('chickens')).toEqual([
      { id: 1, eggId: 1 },
      { id: 2, eggId: 2 },
    ])
    expect(app.rows('eggs')).toEqual([
      { id: 1, chickenId: null },
      { id: 2, chickenId: 1 },
    ])
  })

  test('a row may refer to itself where its key is given', () => {
    const app = open()
    const root = app.run(Session.make(model.Node, { id: 5, label: 'root' }))
    app.run(Session.set(model.Node, { parent: root })(root))
    app.run(Session.add(model.Node, root))
    app.run(Session.commit)
    expect(app.rows('nodes')).toEqual([{ id: 5, label: 'root', parent_id: 5 }])
  })

  test('gathers the rows of one shape into one step', () => {
    const app = open({ autoflush: false })
    app.run(Session.addAll(model.User, [{ name: 'a' }, { id: 9, name: 'b' }, { id: 10, name: 'c' }]))
    expect(steps(app)).toEqual(['Insert users 1', 'Insert users 2'])
    app.run(Session.commit)
    for (const id of [9, 10]) {
      const found = app.run(Session.get(model.User, id))
      if (found._tag === 'Some') app.run(Session.set(model.User, { nickname: 'n' })(found.value))
    }
    const found = app.run(Session.get(model.User, 1))
    if (found._tag === 'Some') app.run(Session.set(model.User, { nickname: 'n', name: 'x' })(found.value))
    expect(steps(app)).toEqual(['Update users 1', 'Update users 2'])
  })

  test('holds the steps that each one waits for', () => {
    const app = open()
    app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    app.run(Session.add(model.Country, { code: 'fr', title: 'France' }))
    const plan = app.run(Session.flushPlan)
    const step = (table: string) => plan.steps.find((one) => one.table === table)
    expect(step('addresses')?.after).toEqual([step('users')?.id])
    expect(step('users')?.after).toEqual([])
    expect(step('countries')?.after).toEqual([])
  })

  test('waits for what a plain foreign key refers to', () => {
    const Parent = entity('Parent', 'parents', { id: pipe(integer, primaryKey), name: text })
    const Child = entity('Child', 'children', {
      id: pipe(integer, primaryKey),
      parentId: pipe(integer, references('parents.id')),
    })
    const plain = defineModel({ Child, Parent })(() => ({}))
    const app = openOn(plain, { autoflush: false })
    const child = app.run(Session.add(plain.Child, { id: 1, parentId: 1 }))
    const parent = app.run(Session.add(plain.Parent, { id: 1, name: 'p' }))
    expect(app.run(Session.flushPlan).steps.map(({ table, after }) => [table, after])).toEqual([
      ['parents', []],
      ['children', [0]],
    ])
    app.run(Session.commit)
    app.run(Session.remove(plain.Parent)(parent))
    app.run(Session.remove(plain.Child)(child))
    expect(app.run(Session.flushPlan).steps.map(({ table, after }) => [table, after])).toEqual([
      ['children', []],
      ['parents', [0]],
    ])
    app.run(Session.commit)
  })
})
