/**
 * What becomes of children under the delete-orphan cascade, whichever way they come and go: after a flush a child's row is
 * there if and only if it belongs to a parent, and its own children with it.
 */
import { defineModel, entity, generated, integer, nullable, primaryKey, type Snapshot } from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import { type App, openOn } from '../app.js'

const id = pipe(integer, primaryKey, generated)

const Parent = entity('Parent', 'parents', { id })
const Child = entity('Child', 'children', { id, n: integer, parentId: pipe(integer, nullable) })
const Toy = entity('Toy', 'toys', { id, childId: integer })

const model = defineModel({ Parent, Child, Toy })((r) => ({
  Parent: {
    children: r.Parent.hasMany('Child', {
      foreignKey: 'parentId',
      inverse: 'parent',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
      orderBy: 'id',
    }),
  },
  Child: {
    parent: r.Child.belongsTo('Parent', { foreignKey: 'parentId', inverse: 'children' }),
    toys: r.Child.hasMany('Toy', { foreignKey: 'childId', cascade: ['save-update', 'merge', 'delete'] }),
  },
}))

type Action =
  | { readonly _tag: 'add'; readonly parent: number }
  | { readonly _tag: 'append' | 'set' | 'detach'; readonly parent: number; readonly child: number }
  | { readonly _tag: 'clear' | 'loadParent'; readonly child: number }
  | { readonly _tag: 'replace'; readonly parent: number; readonly children: ReadonlyArray<number> }
  | { readonly _tag: 'remove' | 'load'; readonly parent: number }
  | { readonly _tag: 'flush' | 'commit' }

const parent = fc.nat(2)
const child = fc.nat(9)

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant('add' as const), parent }) },
  {
    weight: 6,
    arbitrary: fc.record({
      _tag: fc.constantFrom('append' as const, 'set' as const, 'detach' as const),
      parent,
      child,
    }),
  },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constantFrom('clear' as const, 'loadParent' as const), child }) },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant('replace' as const),
      parent,
      children: fc.uniqueArray(child, { maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ _tag: fc.constantFrom('load' as const, 'load' as const, 'remove' as const), parent }),
  },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constantFrom('flush' as const, 'commit' as const) }) },
)

/** Where a child belongs; `left` where it belongs to nobody, `gone` once that has been flushed. */
interface Fact {
  place: number | 'left' | 'gone'
  /** Whether a flush has stored it. */
  isStored: boolean
  readonly snapshot: Snapshot<'Child'>
}

class World {
  readonly app: App = openOn(model)
  readonly parents: ReadonlyArray<Snapshot<'Parent'>>
  readonly gone = new Set<number>()
  readonly children: Fact[] = []

  constructor() {
    this.parents = this.app.run(Session.addAll(model.Parent, [{}, {}, {}]))
    this.app.run(Session.commit)
  }

  /** Children that still can be worked with: those whose row is not gone. */
  #child(index: number): Fact | undefined {
    const there = this.children.filter(({ place }) => place !== 'gone')
    return there.length === 0 ? undefined : there[index % there.length]
  }

  #parent(index: number): Snapshot<'Parent'> | undefined {
    return this.gone.has(index) ? undefined : this.parents[index]
  }

  #isTransient({ snapshot }: Fact): boolean {
    return Session.inspect(this.app.store.getState(), snapshot)?.status === 'transient'
  }

  perform(one: Action): void {
    const { app } = this
    const at = 'parent' in one ? one.parent : -1
    const owner = 'parent' in one ? this.#parent(at) : undefined
    const fact = 'child' in one ? this.#child(one.child) : undefined
    switch (one._tag) {
      case 'add': {
        if (owner === undefined) return
        const made = app.run(Session.make(model.Child, { n: this.children.length, toys: [{}] }))
        app.run(Session.append(model.Parent, 'children', made)(owner))
        this.children.push({ place: at, isStored: false, snapshot: made })
        return
      }
      case 'append':
        if (owner === undefined || fact === undefined || fact.place === at) return
        app.run(Session.append(model.Parent, 'children', fact.snapshot)(owner))
        fact.place = at
        return
      case 'set':
        // an instance outside of the unit of work does not join it along an inverse
        if (owner === undefined || fact === undefined || this.#isTransient(fact)) return
        app.run(Session.set(model.Child, { parent: owner })(fact.snapshot))
        fact.place = at
        return
      case 'detach':
        if (owner === undefined || fact?.place !== at) return
        app.run(Session.detach(model.Parent, 'children', fact.snapshot)(owner))
        fact.place = 'left'
        return
      case 'clear':
        if (fact === undefined || this.#isTransient(fact)) return
        // nobody is an orphan of a parent that is not known
        app.run(Session.load(model.Child, 'parent')(fact.snapshot))
        this.#noteFlush()
        if (fact.place === 'gone') return
        app.run(Session.set(model.Child, { parent: null })(fact.snapshot))
        fact.place = 'left'
        return
      case 'loadParent':
        if (fact === undefined || this.#isTransient(fact)) return
        app.run(Session.load(model.Child, 'parent')(fact.snapshot))
        this.#noteFlush()
        return
      case 'replace': {
        if (owner === undefined) return
        app.run(Session.load(model.Parent, 'children')(owner))
        this.#noteFlush()
        const members = new Set(one.children.flatMap((n) => this.#child(n) ?? []))
        app.run(
          Session.replace(
            model.Parent,
            'children',
            [...members].map(({ snapshot }) => snapshot),
          )(owner),
        )
        for (const other of this.children) {
          if (members.has(other)) other.place = at
          else if (other.place === at) other.place = 'left'
        }
        return
      }
      case 'load':
        if (owner === undefined) return
        app.run(Session.load(model.Parent, 'children')(owner))
        this.#noteFlush()
        return
      case 'remove':
        if (owner === undefined) return
        app.run(Session.flush)
        this.#noteFlush()
        app.run(Session.remove(model.Parent)(owner))
        app.run(Session.flush)
        this.gone.add(at)
        for (const other of this.children) if (other.place === at) other.place = 'gone'
        this.holds()
        return
      case 'flush':
      case 'commit':
        app.run(one._tag === 'flush' ? Session.flush : Session.commit)
        this.#noteFlush()
        this.holds()
    }
  }

  /** If all is flushed, who had left is gone. */
  #noteFlush(): void {
    const { added, changed, deleted } = this.app.store.getState()
    if (added.size + changed.size + deleted.size > 0) return
    for (const fact of this.children) {
      if (fact.place !== 'left') fact.isStored = true
      else if (fact.isStored) fact.place = 'gone'
    }
  }

  holds(): void {
    const kept = this.children.flatMap(({ place }, n) =>
      typeof place === 'number' ? [{ n, parentId: place + 1 }] : [],
    )
    const rows = this.app.rows('children') as ReadonlyArray<{ id: number; n: number; parentId: number }>
    expect(rows.map(({ n, parentId }) => ({ n, parentId })).sort((a, b) => a.n - b.n)).toEqual(kept)
    const toys = this.app.rows('toys') as ReadonlyArray<{ childId: number }>
    expect(toys.map(({ childId }) => childId).sort((a, b) => a - b)).toEqual(rows.map((row) => row.id))
    expect(this.app.rows('parents')).toHaveLength(3 - this.gone.size)
  }
}

test('a child’s row is there if and only if it belongs to a parent', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 15, size: 'max' }), (actions) => {
      const world = new World()
      for (const one of actions) world.perform(one)
      world.perform({ _tag: 'commit' })
    }),
    { numRuns: 300 },
  )
})
