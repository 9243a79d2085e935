/**
 * The two sides of relationships of every kind under any sequence of changes from either side: in memory, wherever both
 * sides are known, and in the database after a flush. Some of it is known at the start, some is not.
 */
import { defineModel, entity, integer, nullable, primaryKey, type Snapshot } from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import { type App, openOn } from '../app.js'

const id = pipe(integer, primaryKey)

const Owner = entity('Owner', 'owners', { id })
const Item = entity('Item', 'items', { id, ownerId: pipe(integer, nullable) })
const Badge = entity('Badge', 'badges', { id, holderId: pipe(integer, nullable) })
const Tag = entity('Tag', 'tags', { id })

const model = defineModel({ Owner, Item, Badge, Tag })((r) => ({
  Owner: {
    items: r.Owner.hasMany('Item', { foreignKey: 'ownerId', inverse: 'owner', orderBy: 'id' }),
    badge: r.Owner.hasOne('Badge', { foreignKey: 'holderId', inverse: 'holder' }),
    tags: r.Owner.manyToMany('Tag', {
      through: { table: 'tagged', own: ['owner_id'], target: ['tag_id'] },
      inverse: 'owners',
      orderBy: 'id',
    }),
  },
  Item: { owner: r.Item.belongsTo('Owner', { foreignKey: 'ownerId', inverse: 'items' }) },
  Badge: { holder: r.Badge.belongsTo('Owner', { foreignKey: 'holderId', inverse: 'badge' }) },
  Tag: {
    owners: r.Tag.manyToMany('Owner', {
      through: { table: 'tagged', own: ['tag_id'], target: ['owner_id'] },
      inverse: 'tags',
      orderBy: 'id',
    }),
  },
}))

const size = 3
const places = [0, 1, 2]

type Kind = 'Owner' | 'Item' | 'Badge' | 'Tag'

type Action =
  | {
      readonly _tag: 'append' | 'detach'
      readonly on: 'items' | 'tags' | 'owners'
      readonly a: number
      readonly b: number
    }
  | {
      readonly _tag: 'replace'
      readonly on: 'items' | 'tags' | 'owners'
      readonly a: number
      readonly all: ReadonlyArray<number>
    }
  | { readonly _tag: 'set'; readonly on: 'owner' | 'badge' | 'holder'; readonly a: number; readonly b: number | null }
  | { readonly _tag: 'load'; readonly kind: Kind; readonly a: number }
  | { readonly _tag: 'flush' | 'commit' }

const place = fc.constantFrom(...places)
const collection = fc.constantFrom('items' as const, 'tags' as const, 'owners' as const)

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      _tag: fc.constantFrom('append' as const, 'detach' as const),
      on: collection,
      a: place,
      b: place,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant('replace' as const),
      on: collection,
      a: place,
      all: fc.uniqueArray(place),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      _tag: fc.constant('set' as const),
      on: fc.constantFrom('owner' as const, 'badge' as const, 'holder' as const),
      a: place,
      b: fc.option(place),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant('load' as const),
      kind: fc.constantFrom('Owner' as const, 'Item' as const, 'Badge' as const, 'Tag' as const),
      a: place,
    }),
  },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constantFrom('flush' as const, 'commit' as const) }) },
)

/** What the tables are to hold: the owner of each item, the holder of each badge, the tags of each owner. */
interface Facts {
  readonly owner: Array<number | null>
  readonly holder: Array<number | null>
  readonly links: Set<string>
}

const facts = fc.record({
  owner: fc.array(fc.option(place), { minLength: size, maxLength: size }),
  // no two badges of one holder
  holder: fc.shuffledSubarray([...places, null, null, null], { minLength: size, maxLength: size }),
  links: fc.subarray(places.flatMap((o) => places.map((t) => `${o} ${t}`))).map((all) => new Set(all)),
})

class World {
  readonly app: App = openOn(model)
  readonly facts: Facts
  readonly all: { readonly [K in Kind]: ReadonlyArray<Snapshot<K>> }

  constructor(given: Facts) {
    this.facts = { owner: [...given.owner], holder: [...given.holder], links: new Set(given.links) }
    const { app } = this
    const ids = places.map((n) => ({ id: n }))
    this.all = {
      Owner: app.run(Session.addAll(model.Owner, ids)),
      Item: app.run(
        Session.addAll(
          model.Item,
          ids.map((one) => ({ ...one, ownerId: given.owner[one.id] ?? null })),
        ),
      ),
      Badge: app.run(
        Session.addAll(
          model.Badge,
          ids.map((one) => ({ ...one, holderId: given.holder[one.id] ?? null })),
        ),
      ),
      Tag: app.run(Session.addAll(model.Tag, ids)),
    }
    app.run(Session.flush)
    for (const link of given.links) {
      const [owner, tag] = link.split(' ').map(Number)
      app.run(
        Session.append(
          model.Owner,
          'tags',
          this.all.Tag[tag as number] as Snapshot<'Tag'>,
        )(this.at('Owner', owner as number)),
      )
    }
    app.run(Session.commit)
  }

  at<K extends Kind>(kind: K, n: number): Snapshot<K> {
    return this.all[kind][n] as Snapshot<K>
  }

  /** What a relationship holds as the session knows it, by places; undefined where it does not. */
  known(kind: Kind, n: number, name: string): ReadonlyArray<number> | undefined {
    const state = this.app.store.getState()
    const related = Session.inspect(state, this.at(kind, n))?.related[name]
    if (related === undefined) return undefined
    const ids = related === null ? [] : typeof related === 'number' ? [related] : related
    return ids.map((instance) => Number(Session.inspectAll(state).find((one) => one.id === instance)?.identity?.key))
  }

  /** What the tables hold. */
  rows(): unknown {
    const column = (table: string, name: string) =>
      this.app.rows(table).map((row) => (row as Record<string, unknown>)[name])
    return {
      owner: column('items', 'ownerId'),
      holder: column('badges', 'holderId'),
      links: new Set(
        this.app
          .rows('tagged')
          .map((row) => `${(row as { owner_id: number }).owner_id} ${(row as { tag_id: number }).tag_id}`),
      ),
    }
  }

  isInStep(): void {
    for (const o of places) {
      const items = this.known('Owner', o, 'items')
      const tags = this.known('Owner', o, 'tags')
      for (const n of places) {
        const owner = this.known('Item', n, 'owner')
        if (items !== undefined && owner !== undefined) expect(items.includes(n)).toBe(owner.includes(o))
        const owners = this.known('Tag', n, 'owners')
        if (tags !== undefined && owners !== undefined) expect(tags.includes(n)).toBe(owners.includes(o))
      }
    }
  }

  perform(one: Action): void {
    const { app, facts: now } = this
    switch (one._tag) {
      case 'append':
      case 'detach':
        this.#change(one._tag, one.on, one.a, one.b)
        return
      case 'replace': {
        if (this.known(one.on === 'owners' ? 'Tag' : 'Owner', one.a, one.on) === undefined) return
        const { a, all } = one
        switch (one.on) {
          case 'items':
            app.run(
              Session.replace(
                model.Owner,
                'items',
                all.map((b) => this.at('Item', b)),
              )(this.at('Owner', a)),
            )
            now.owner.forEach((owner, n) => {
              if (all.includes(n)) now.owner[n] = a
              else if (owner === a) now.owner[n] = null
            })
            return
          case 'tags':
            app.run(
              Session.replace(
                model.Owner,
                'tags',
                all.map((b) => this.at('Tag', b)),
              )(this.at('Owner', a)),
            )
            for (const n of places) this.#link(all.includes(n), a, n)
            return
          case 'owners':
            app.run(
              Session.replace(
                model.Tag,
                'owners',
                all.map((b) => this.at('Owner', b)),
              )(this.at('Tag', a)),
            )
            for (const n of places) this.#link(all.includes(n), n, a)
            return
        }
        return
      }
      case 'set': {
        const { a, b } = one
        switch (one.on) {
          case 'owner':
            app.run(Session.set(model.Item, { owner: b === null ? null : this.at('Owner', b) })(this.at('Item', a)))
            now.owner[a] = b
            return
          case 'badge': {
            // what it says already, though another has stolen it, is no change
            if (
              this.known('Owner', a, 'badge')?.[0] === (b ?? undefined) &&
              this.known('Owner', a, 'badge') !== undefined
            )
              return
            // nor does an owner know that its badge is stolen, and what came to it since the last flush it would write
            if (b !== null && this.#isComing('Owner', this.known('Badge', b, 'holder')?.[0], 'badge')) return
            app.run(Session.set(model.Owner, { badge: b === null ? null : this.at('Badge', b) })(this.at('Owner', a)))
            now.holder.forEach((holder, n) => {
              if (holder === a) now.holder[n] = null
            })
            if (b !== null) now.holder[b] = a
            return
          }
          case 'holder': {
            const known = this.known('Badge', a, 'holder')
            if (known !== undefined && known[0] === (b ?? undefined)) return
            // a badge that is given up for it, and was related only since the last flush, goes on saying so
            if (b !== null && this.#isComing('Badge', this.known('Owner', b, 'badge')?.[0], 'holder')) return
            app.run(Session.set(model.Badge, { holder: b === null ? null : this.at('Owner', b) })(this.at('Badge', a)))
            if (b !== null) {
              now.holder.forEach((holder, n) => {
                if (holder === b) now.holder[n] = null
              })
            }
            now.holder[a] = b
            return
          }
        }
        return
      }
      case 'load': {
        const { a } = one
        switch (one.kind) {
          case 'Owner':
            for (const name of ['items', 'badge', 'tags'] as const)
              app.run(Session.load(model.Owner, name)(this.at('Owner', a)))
            return
          case 'Item':
            app.run(Session.load(model.Item, 'owner')(this.at('Item', a)))
            return
          case 'Badge':
            app.run(Session.load(model.Badge, 'holder')(this.at('Badge', a)))
            return
          case 'Tag':
            app.run(Session.load(model.Tag, 'owners')(this.at('Tag', a)))
            return
        }
        return
      }
      case 'flush':
      case 'commit':
        app.run(one._tag === 'flush' ? Session.flush : Session.commit)
        expect(this.rows()).toEqual(now)
    }
  }

  #isComing(kind: Kind, n: number | undefined, name: string): boolean {
    if (n === undefined) return false
    return Session.inspect(this.app.store.getState(), this.at(kind, n))?.changed.includes(name) === true
  }

  #link(isThere: boolean, owner: number, tag: number): void {
    if (isThere) this.facts.links.add(`${owner} ${tag}`)
    else this.facts.links.delete(`${owner} ${tag}`)
  }

  #change(verb: 'append' | 'detach', on: 'items' | 'tags' | 'owners', a: number, b: number): void {
    const { app, facts: now } = this
    const isThere = on === 'items' ? now.owner[b] === a : now.links.has(on === 'tags' ? `${a} ${b}` : `${b} ${a}`)
    // a list holds what is appended once more, and the database does not; what is not there cannot be taken
    if (isThere === (verb === 'append')) return
    if (on === 'items') {
      const item = this.at('Item', b)
      app.run(
        verb === 'append'
          ? Session.append(model.Owner, 'items', item)(this.at('Owner', a))
          : Session.detach(model.Owner, 'items', item)(this.at('Owner', a)),
      )
      now.owner[b] = verb === 'append' ? a : null
    } else if (on === 'tags') {
      const tag = this.at('Tag', b)
      app.run(
        verb === 'append'
          ? Session.append(model.Owner, 'tags', tag)(this.at('Owner', a))
          : Session.detach(model.Owner, 'tags', tag)(this.at('Owner', a)),
      )
      this.#link(verb === 'append', a, b)
    } else {
      const owner = this.at('Owner', b)
      app.run(
        verb === 'append'
          ? Session.append(model.Tag, 'owners', owner)(this.at('Tag', a))
          : Session.detach(model.Tag, 'owners', owner)(this.at('Tag', a)),
      )
      this.#link(verb === 'append', b, a)
    }
  }
}

test('both sides stay in step in memory, and the database says the same', () => {
  fc.assert(
    fc.property(facts, fc.array(action, { maxLength: 12, size: 'max' }), (given, actions) => {
      const world = new World(given)
      for (const one of actions) {
        world.perform(one)
        world.isInStep()
      }
      world.perform({ _tag: 'commit' })
    }),
    { numRuns: 300 },
  )
})
