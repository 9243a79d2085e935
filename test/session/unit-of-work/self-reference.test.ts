import { defineModel, entity, generated, integer, nullable, primaryKey, type Snapshot, text } from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, explained, openOn, model as shared, tablesAsked } from '../app.js'

const id = pipe(integer, primaryKey, generated)

/** Children stay when their parent goes. */
const Node = entity('Node', 'nodes', { id, name: text, parentId: pipe(integer, nullable) })
const model = defineModel({ Node })((r) => ({
  Node: {
    parent: r.Node.belongsTo('Node', { foreignKey: 'parentId', inverse: 'children' }),
    children: r.Node.hasMany('Node', { foreignKey: 'parentId', inverse: 'parent', orderBy: 'id' }),
  },
}))

const written = (app: App) =>
  app.run(Session.flushPlan).steps.map(({ _tag, table, rows }) => `${_tag} ${table} ${rows.length}`)

/** Names with those of their parents, as the database has them. */
const tree = (app: App): ReadonlyArray<string> => {
  const rows = app.rows('nodes') as ReadonlyArray<{ id: number; name: string; parentId: number | null }>
  return rows.map(({ name, parentId }) => `${rows.find((row) => row.id === parentId)?.name ?? ''}/${name}`)
}

/** a, and under it b, and under that c. */
const arrange = () => {
  const app = openOn(model, { autoflush: false })
  const a = app.run(Session.add(model.Node, { name: 'a' }))
  const b = app.run(Session.add(model.Node, { name: 'b', parent: a }))
  const c = app.run(Session.add(model.Node, { name: 'c', parent: b }))
  app.run(Session.commit)
  app.clear()
  return { app, a, b, c }
}

describe('a tree that is inserted', () => {
  test('takes a statement for each level, whichever node was added', () => {
    const app = openOn(model)
    const leaf = (name: string) => ({ name, children: [{ name: `${name}1` }, { name: `${name}2` }] })
    app.run(Session.add(model.Node, { name: 'x', parent: { name: 'r', children: [leaf('y'), leaf('z')] } }))
    app.run(Session.flush)
    expect(tablesAsked(app)).toEqual(['Insert nodes 1', 'Insert nodes 3', 'Insert nodes 4'])
    expect(tree(app).toSorted()).toEqual(['/r', 'r/x', 'r/y', 'r/z', 'y/y1', 'y/y2', 'z/z1', 'z/z2'])
  })

  test('goes by levels where the program gives the keys, too', () => {
    const app = openOn(model)
    app.run(Session.add(model.Node, { id: 1, name: 'b', parent: { id: 2, name: 'a' } }))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. insert into nodes (1 row)
           #1: id = 2, name = 'a', parentId = null
      2. insert into nodes (1 row), after 1
           #0: id = 1, name = 'b', parentId = 2"
    `)
    app.run(Session.commit)
    expect(tree(app)).toEqual(['a/b', '/a'])
  })

  test('hangs under rows that are there', () => {
    const { app, b, c } = arrange()
    app.run(Session.append(model.Node, 'children', { name: 'd', children: [{ name: 'e' }] })(b))
    app.run(Session.append(model.Node, 'children', { name: 'f' })(c))
    expect(written(app)).toEqual(['Insert nodes 2', 'Insert nodes 1'])
    app.run(Session.commit)
    expect(tree(app)).toEqual(['/a', 'a/b', 'b/c', 'b/d', 'c/f', 'd/e'])
  })

  test('comes between a parent and its child', () => {
    const { app, b, c } = arrange()
    app.run(Session.add(model.Node, { name: 'm', parent: b, children: [c] }))
    expect(written(app)).toEqual(['Insert nodes 1', 'Update nodes 1'])
    app.run(Session.commit)
    expect(tree(app)).toEqual(['/a', 'a/b', 'm/c', 'b/m'])
  })
})

describe('nodes that move', () => {
  test('a chain is turned over', () => {
    const { app, a, b, c } = arrange()
    for (const node of [a, b, c]) app.run(Session.load(model.Node, 'parent')(node))
    app.run(Session.set(model.Node, { parent: null })(c))
    app.run(Session.set(model.Node, { parent: c })(b))
    app.run(Session.set(model.Node, { parent: b })(a))
    expect(app.run(Session.load(model.Node, 'children')(b)).map(({ name }) => name)).toEqual(['a'])
    app.run(Session.commit)
    expect(tree(app)).toEqual(['b/a', 'c/b', '/c'])
  })

  test('rows that are there may refer to each other in a ring', () => {
    const { app, a, c } = arrange()
    app.run(Session.set(model.Node, { parent: c })(a))
    app.run(Session.commit)
    expect(tree(app)).toEqual(['c/a', 'a/b', 'b/c'])
    // and let go of it again
    app.run(Session.set(model.Node, { parent: null })(a))
    app.run(Session.commit)
    expect(tree(app)).toEqual(['/a', 'a/b', 'b/c'])
  })

  test('a row may refer to itself, and not any more', () => {
    const { app, a } = arrange()
    app.run(Session.load(model.Node, 'children')(a))
    app.run(Session.set(model.Node, { parent: a })(a))
    expect(app.run(Session.load(model.Node, 'children')(a)).map(({ name }) => name)).toEqual(['b', 'a'])
    app.run(Session.commit)
    expect(app.rows('nodes')).toMatchObject([{ id: 1, parentId: 1 }, {}, {}])
    app.run(Session.set(model.Node, { parent: null })(a))
    app.run(Session.commit)
    expect(tree(app)).toEqual(['/a', 'a/b', 'b/c'])
  })

  test('a new row may refer to itself where its key is given', () => {
    const app = openOn(model)
    const a = app.run(Session.make(model.Node, { id: 7, name: 'a' }))
    app.run(Session.append(model.Node, 'children', a)(a))
    app.run(Session.add(model.Node, a))
    expect(written(app)).toEqual(['Insert nodes 1'])
    app.run(Session.commit)
    expect(app.rows('nodes')).toEqual([{ id: 7, name: 'a', parentId: 7 }])
  })
})

describe('new rows that need each other', () => {
  test('are refused by name, with the way round, and nothing is written', () => {
    const { app, a } = arrange()
    const x = app.run(Session.make(model.Node, { name: 'x' }))
    const y = app.run(Session.make(model.Node, { name: 'y', parent: x }))
    const z = app.run(Session.make(model.Node, { name: 'z', parent: y }))
    app.run(Session.set(model.Node, { parent: z })(x))
    app.run(Session.add(model.Node, x))
    app.run(Session.add(model.Node, { name: 'w', parent: a }))
    const error = app.fails(Session.flush)
    expect(error).toEqual({ _tag: 'CircularDependency', path: ['Node #3', 'Node #5', 'Node #4', 'Node #3'] })
    expect(Session.render(error)).toMatchInlineSnapshot(
      `"No order of writes exists for Node #3 -> Node #5 -> Node #4 -> Node #3: each row needs the key of the next."`,
    )
    expect(app.rows('nodes')).toHaveLength(3)
    expect(app.fails(Session.commit)).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.rollback)
    expect(Session.inspect(app.store.getState(), x)).toMatchObject({ status: 'transient' })
  })

  test('are refused by the plan alone, too, which changes nothing', () => {
    const { app } = arrange()
    const x = app.run(Session.make(model.Node, { name: 'x' }))
    app.run(Session.set(model.Node, { parent: x })(x))
    app.run(Session.add(model.Node, x))
    const state = app.store.getState()
    expect(Session.plan(state)).toEqual({
      _tag: 'Left',
      left: { _tag: 'CircularDependency', path: ['Node #3', 'Node #3'] },
    })
    expect(app.fails(Session.flushPlan)).toMatchObject({ _tag: 'CircularDependency' })
    expect(app.store.getState()).toBe(state)
    app.run(Session.set(model.Node, { parent: null })(x))
    app.run(Session.commit)
    expect(app.rows('nodes')).toHaveLength(4)
  })

  test('are refused where a row that is there waits for them', () => {
    const { app, a } = arrange()
    const x = app.run(Session.make(model.Node, { name: 'x' }))
    const y = app.run(Session.make(model.Node, { name: 'y', parent: x }))
    app.run(Session.set(model.Node, { parent: y })(x))
    app.run(Session.set(model.Node, { parent: y })(a))
    app.run(Session.add(model.Node, x))
    expect(app.fails(Session.flush)).toMatchObject({ path: ['Node #4', 'Node #3', 'Node #4'] })
  })

  test('of several entities are named by their entities', () => {
    const Man = entity('Man', 'men', { id, wifeId: pipe(integer, nullable) })
    const Wife = entity('Wife', 'wives', { id, husbandId: pipe(integer, nullable) })
    const couples = defineModel({ Man, Wife })((r) => ({
      Man: { wife: r.Man.belongsTo('Wife', { foreignKey: 'wifeId' }) },
      Wife: { husband: r.Wife.belongsTo('Man', { foreignKey: 'husbandId' }) },
    }))
    const app = openOn(couples)
    const man = app.run(Session.make(couples.Man, {}))
    const wife = app.run(Session.make(couples.Wife, { husband: man }))
    app.run(Session.set(couples.Man, { wife })(man))
    app.run(Session.add(couples.Man, man))
    expect(app.fails(Session.flush)).toEqual({
      _tag: 'CircularDependency',
      path: ['Man #0', 'Wife #1', 'Man #0'],
    })
  })
})

describe('nodes that go', () => {
  test('go from the leaves, a statement for each level, in whatever order they were removed', () => {
    const { app, a, b, c } = arrange()
    for (const node of [b, a, c]) app.run(Session.remove(model.Node)(node))
    app.clear()
    app.run(Session.flush)
    // where each of them stands, and what else refers to them
    expect(tablesAsked(app)).toEqual([
      'select nodes',
      'select nodes',
      'Delete nodes 1',
      'Delete nodes 1',
      'Delete nodes 1',
    ])
    expect(app.rows('nodes')).toEqual([])
  })

  test('go from the leaves, though these have let go of a parent that nobody knew', () => {
    const { app, a, b, c } = arrange()
    for (const node of [b, c]) app.run(Session.set(model.Node, { parent: null })(node))
    for (const node of [a, b, c]) app.run(Session.remove(model.Node)(node))
    app.run(Session.commit)
    expect(app.rows('nodes')).toEqual([])
  })

  test('leave their children without parent', () => {
    const { app, b } = arrange()
    app.run(Session.remove(model.Node)(b))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update nodes (1 row)
           #2: parentId = null where id = 3
      2. delete from nodes (1 row), after 1
           #1: where id = 2"
    `)
    app.run(Session.commit)
    expect(tree(app)).toEqual(['/a', '/c'])
  })

  test('leave alone what moved away by the same flush', () => {
    const { app, a, b, c } = arrange()
    for (const node of [a, b]) app.run(Session.load(model.Node, 'children')(node))
    app.run(Session.set(model.Node, { parent: a })(c))
    app.run(Session.remove(model.Node)(b))
    app.run(Session.commit)
    expect(tree(app)).toEqual(['/a', 'a/c'])
  })

  test('take their branch along where the cascade says so, however deep', () => {
    const app = openOn(shared)
    let deepest: object = { label: 'leaf' }
    for (let depth = 0; depth < 30; depth++) deepest = { label: `${depth}`, children: [deepest, { label: 'x' }] }
    const root = app.run(Session.add(shared.Node, deepest as never))
    app.run(Session.commit)
    app.run(Session.remove(shared.Node)(root))
    app.clear()
    app.run(Session.flush)
    expect(app.asked().filter((call) => call.startsWith('Delete'))).toHaveLength(31)
    expect(app.rows('nodes')).toEqual([])
  })

  test('may refer to themselves', () => {
    const { app, a, b } = arrange()
    app.run(Session.set(model.Node, { parent: b })(b))
    app.run(Session.commit)
    app.run(Session.remove(model.Node)(b))
    app.run(Session.commit)
    expect(tree(app)).toEqual(['/a', '/c'])
    expect(Session.inspect(app.store.getState(), a)).toMatchObject({ status: 'persistent' })
  })

  test('in a ring are refused, until one of them lets go', () => {
    const { app, a, b, c } = arrange()
    app.run(Session.set(model.Node, { parent: c })(a))
    app.run(Session.commit)
    for (const node of [a, b, c]) app.run(Session.remove(model.Node)(node))
    expect(app.fails(Session.flush)).toEqual({
      _tag: 'CircularDependency',
      path: ['Node 1', 'Node 2', 'Node 3', 'Node 1'],
    })
    app.run(Session.rollback)
    app.run(Session.set(model.Node, { parent: null })(a))
    app.run(Session.flush)
    for (const node of [a, b, c]) app.run(Session.remove(model.Node)(node))
    app.run(Session.commit)
    expect(app.rows('nodes')).toEqual([])
  })

  test('go before what comes, and after what moves', () => {
    const { app, a, b, c } = arrange()
    app.run(Session.load(model.Node, 'children')(a))
    app.run(Session.set(model.Node, { parent: null })(c))
    app.run(Session.remove(model.Node)(b))
    app.run(Session.add(model.Node, { name: 'd', parent: c }))
    app.run(Session.commit)
    expect(tree(app)).toEqual(['/a', '/c', 'c/d'])
  })
})

/** Moves and removals among a few nodes, and what the tree is then. */
interface Step {
  readonly node: number
  readonly parent: number | null
  readonly isRemoved: boolean
  readonly isNew: boolean
}

test('any tree becomes any other, in one flush', () => {
  const size = 6
  const forest = (n: number) => fc.tuple(...Array.from({ length: n }, (_, i) => fc.option(fc.nat(Math.max(0, i - 1)))))
  fc.assert(
    fc.property(
      forest(size),
      fc.array(
        fc.record({
          node: fc.nat(size - 1),
          parent: fc.option(fc.nat(size - 1)),
          isRemoved: fc.boolean(),
          isNew: fc.boolean(),
        }),
        { maxLength: 6 },
      ),
      fc.boolean(),
      (before, steps: ReadonlyArray<Step>, isLoaded) => {
        const app = openOn(model, { autoflush: false })
        const nodes: Array<Snapshot<'Node'>> = []
        const parents = new Map<number, number | null>()
        before.forEach((parent, i) => {
          const isRoot = parent === null || i === 0
          parents.set(i, isRoot ? null : parent)
          const above = isRoot ? null : (nodes[parent] as Snapshot<'Node'>)
          nodes.push(app.run(Session.add(model.Node, { name: `${i}`, parent: above })))
        })
        app.run(Session.commit)
        if (isLoaded) {
          for (const node of nodes) {
            app.run(Session.load(model.Node, 'parent')(node))
            app.run(Session.load(model.Node, 'children')(node))
          }
        }
        const moved = new Set<number>()
        const isAbove = (above: number, below: number | null): boolean =>
          below !== null && (below === above || isAbove(above, parents.get(below) ?? null))
        for (const { node, parent, isNew, isRemoved } of steps) {
          const under = parent !== null && parents.has(parent) ? parent : null
          if (isNew) {
            const place = nodes.length
            const above = under === null ? null : (nodes[under] as Snapshot<'Node'>)
            nodes.push(app.run(Session.add(model.Node, { name: `${place}`, parent: above })))
            parents.set(place, under)
          } else if (!parents.has(node)) {
          } else if (isRemoved) {
            // what came under it since refers to what goes, and the database would refuse that
            const under = [...parents].filter(([, above]) => above === node).map(([other]) => other)
            if (under.some((other) => other >= size || moved.has(other))) continue
            for (const other of under) parents.set(other, null)
            app.run(Session.remove(model.Node)(nodes[node] as Snapshot<'Node'>))
            parents.delete(node)
          } else {
            if (isAbove(node, under)) continue
            const above = under === null ? null : (nodes[under] as Snapshot<'Node'>)
            app.run(Session.set(model.Node, { parent: above })(nodes[node] as Snapshot<'Node'>))
            parents.set(node, under)
            moved.add(node)
          }
        }
        app.run(Session.commit)
        expect(tree(app).toSorted()).toEqual([...parents].map(([n, above]) => `${above ?? ''}/${n}`).toSorted())
      },
    ),
    { numRuns: 200 },
  )
})
