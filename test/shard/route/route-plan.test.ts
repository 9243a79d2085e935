import { defineModel, entity, generated, integer, named, nullable, primaryKey, select, text } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { byAttribute, choosers, routePlan, shardedRuntime, shardMap, withParent } from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { beforeEach, describe, expect, it } from 'vitest'
import { counting, type Journal, journal, summaries } from '../counting-engine.js'
import { rightOf } from '../weather.js'

const Owner = entity('Owner', 'owners', { id: pipe(integer, primaryKey, generated), region: text, name: text })

/** Lives in a region of its own, whichever its owner's is. */
const Thing = entity('Thing', 'things', {
  id: pipe(integer, primaryKey, generated),
  region: text,
  ownerId: pipe(integer, named('owner_id'), nullable),
})

/** A tree: roots by their region, all others beside their parents. */
const Node = entity('Node', 'nodes', {
  id: pipe(integer, primaryKey, generated),
  region: pipe(text, nullable),
  parentId: pipe(integer, named('parent_id'), nullable),
})

const model = defineModel({ Owner, Thing, Node })((r) => ({
  Owner: { things: r.Owner.hasMany('Thing', { foreignKey: 'ownerId', inverse: 'owner' }) },
  Thing: { owner: r.Thing.belongsTo('Owner', { foreignKey: 'ownerId', inverse: 'things' }) },
  Node: {
    parent: r.Node.belongsTo('Node', { foreignKey: 'parentId', inverse: 'children' }),
    children: r.Node.hasMany('Node', { foreignKey: 'parentId', inverse: 'parent', orderBy: 'id' }),
  },
}))

const ddl = `
  create table owners (id integer primary key, region text, name text);
  create table things (id integer primary key, region text, owner_id integer);
  create table nodes (id integer primary key, region text, parent_id integer references nodes);
`

const byRegion = byAttribute('region', { east: 'east', west: 'west' })
const rules = choosers(model)({ Owner: byRegion, Thing: byRegion, Node: withParent('parent', byRegion) })

let entries: Journal
let databases: { readonly east: Database.Database; readonly west: Database.Database }
let shards: ReturnType<typeof open>

const open = () => {
  const engine = (shard: 'east' | 'west') => {
    databases[shard].exec(ddl)
    return counting(sqliteEngine(databases[shard]), shard, entries)
  }
  return shardMap({ east: engine('east'), west: engine('west') })
}

beforeEach(() => {
  entries = journal()
  databases = { east: new Database(':memory:'), west: new Database(':memory:') }
  shards = open()
})

const app = () => shardedRuntime(model, { shards, choosers: rules })

const planOf = (program: Session.Program<unknown, unknown>): Session.FlushPlan => {
  const [, state] = Session.runStateSync(app())(program)
  return rightOf(routePlan(state, rightOf(Session.plan(state)), shards, rules))
}

const explained = (program: Session.Program<unknown, unknown>): string => Session.explain(planOf(program))

describe('a routed plan', () => {
  it('waits on its own shard only', () => {
    const plan = planOf(
      Session.addAll(model.Owner, [
        { region: 'west', name: 'w', things: [{ region: 'west' }] },
        { region: 'east', name: 'e', things: [{ region: 'east' }] },
      ]),
    )
    expect(Session.explain(plan)).toMatchInlineSnapshot(`
      "1. insert into owners on east (1 row)
           #2: region = 'east', name = 'e'; the database gives id
      2. insert into owners on west (1 row)
           #0: region = 'west', name = 'w'; the database gives id
      3. insert into things on east (1 row), after 1
           #3: region = 'east', ownerId = id of #2; the database gives id
      4. insert into things on west (1 row), after 2
           #1: region = 'west', ownerId = id of #0; the database gives id"
    `)
  })

  it('waits for another shard where a row holds a key that it gives', () => {
    expect(
      explained(
        Session.addAll(model.Owner, [
          { region: 'west', name: 'w', things: [{ region: 'east' }, { region: 'west' }] },
          { region: 'east', name: 'e', things: [{ region: 'east' }] },
        ]),
      ),
    ).toMatchInlineSnapshot(`
      "1. insert into owners on east (1 row)
           #3: region = 'east', name = 'e'; the database gives id
      2. insert into owners on west (1 row)
           #0: region = 'west', name = 'w'; the database gives id
      3. insert into things on east (2 rows), after 1, 2
           #1: region = 'east', ownerId = id of #0; the database gives id
           #4: region = 'east', ownerId = id of #3; the database gives id
      4. insert into things on west (1 row), after 2
           #2: region = 'west', ownerId = id of #0; the database gives id"
    `)
  })

  it('leaves a step that is on one shard as it is', () => {
    const [, state] = Session.runStateSync(app())(
      Session.addAll(model.Owner, [
        { region: 'west', name: 'v' },
        { region: 'west', name: 'w' },
      ]),
    )
    const plan = rightOf(Session.plan(state))
    const routed = rightOf(routePlan(state, plan, shards, rules))
    expect(routed.steps).toHaveLength(1)
    expect(routed.steps[0]?.rows).toBe(plan.steps[0]?.rows)
    expect(plan.steps[0]?.token).toBe(null)
  })

  it('sends the keys that one shard gives to the others', () => {
    const things = rightOf(
      Session.runSync(app())(
        pipe(
          Session.addAll(model.Owner, [
            { region: 'east', name: 'e' },
            { region: 'west', name: 'v' },
            { region: 'west', name: 'w', things: [{ region: 'east' }, { region: 'west' }] },
          ]),
          Session.chain(() => Session.commit),
          Session.chain(() => Session.query(select(model.Thing))),
        ),
      ),
    )
    expect(things.map(({ region, ownerId }) => [region, ownerId])).toEqual([
      ['east', 2],
      ['west', 2],
    ])
    expect(summaries(entries.asked).slice(0, 4)).toEqual([
      'east: insert owners (1)',
      'west: insert owners (2)',
      'east: insert things (1)',
      'west: insert things (1)',
    ])
  })

  it('keeps trees together, level by level', () => {
    const plan = planOf(
      Session.addAll(model.Node, [
        { region: 'east', children: [{}, { children: [{}] }] },
        { region: 'west', children: [{}] },
      ]),
    )
    expect(plan.steps.map(({ token, rows, after }) => [token, rows.length, after])).toEqual([
      ['east', 1, []],
      ['west', 1, []],
      ['east', 2, [0]],
      ['west', 1, [1]],
      ['east', 1, [2]],
    ])
  })

  it('of a long chain is made without a deep stack', () => {
    const node = (parent: Session.Program<never, unknown>) =>
      pipe(
        parent,
        Session.chain((above) =>
          Session.add(model.Node, above === null ? { region: 'west' } : { parent: above as never }),
        ),
      )
    const plan = planOf(
      Session.gen(function* () {
        let above: unknown = null
        for (let i = 0; i < 2_000; i++) above = yield* node(Session.of(above)) as Session.Program<never, never>
      }),
    )
    expect(plan.steps).toHaveLength(2_000)
    expect(new Set(plan.steps.map(({ token }) => token))).toEqual(new Set(['west']))
  })
})
