/**
 * Any changes of a collection, against what plain JavaScript does: the collection is what the model is, before a flush, after it
 * and loaded again.
 */
import type { Snapshot } from '@unitary/core'
import * as Session from '@unitary/session'
import * as fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, it } from 'vitest'
import { type App, openOn } from '../app.js'
import { bestOf, model } from './album.js'

type Change =
  | { readonly _tag: 'append' | 'detach'; readonly one: number }
  | { readonly _tag: 'insertAt' | 'move'; readonly one: number; readonly index: number }
  | { readonly _tag: 'removeKey'; readonly key: string }
  | { readonly _tag: 'replace'; readonly all: ReadonlyArray<number> }
  | { readonly _tag: 'clear' | 'flush' | 'expire' | 'commit' }

/** Members of a pool of so many, so that they meet again. */
const pool = 6
const one = fc.nat({ max: pool - 1 })
const index = fc.nat({ max: pool })
const replace = fc.record({
  _tag: fc.constant('replace' as const),
  all: fc.uniqueArray(one, { maxLength: pool }),
})
const bare = fc.record({
  _tag: fc.constantFrom('clear' as const, 'flush' as const, 'expire' as const, 'commit' as const),
})
const member = fc.record({ _tag: fc.constantFrom('append' as const, 'append' as const, 'detach' as const), one })

const changes = (...others: ReadonlyArray<fc.Arbitrary<Change>>): fc.Arbitrary<ReadonlyArray<Change>> =>
  fc.array(fc.oneof(member, member, bare, replace, ...others), { maxLength: 14 })

/** Members that are in no order have none to compare. */
const byId = (ids: Iterable<number>): ReadonlyArray<number> => [...ids].sort((a, b) => a - b)

interface Subject<A> {
  readonly name: 'tags' | 'prices' | 'credits' | 'reviews' | 'tracks'
  readonly entity: 'Tag' | 'Price' | 'Credit' | 'Review' | 'Track'
  readonly draft: (i: number) => object
  readonly change: (model: A, change: Change) => A
  readonly empty: A
  /** What the model is like, as data. */
  readonly data: (model: A) => unknown
  /** What the collection is like, members by their numbers. */
  readonly shown: (collection: never, numberOf: (member: Snapshot) => number) => unknown
}

const agrees = <A>(subject: Subject<A>, steps: ReadonlyArray<Change>): void => {
  const app = openOn(model)
  const entity = model[subject.entity] as never
  const members = app.run(
    Session.addAll(entity, Array.from({ length: pool }, (_, i) => subject.draft(i)) as never),
  ) as unknown as ReadonlyArray<Snapshot<never>>
  const album = app.run(Session.add(model.Album, { title: 'one' }))
  app.run(Session.commit)
  const ids = new Map(members.map((one, i) => [JSON.stringify(Session.inspect(app.store.getState(), one)?.id), i]))
  const numberOf = (one: Snapshot): number =>
    ids.get(JSON.stringify(Session.inspect(app.store.getState(), one)?.id)) as number
  const compare = (expected: A): void => {
    const collection = app.run(Session.load(model.Album, subject.name)(album))
    const [ours, theirs] = [subject.shown(collection as never, numberOf), subject.data(expected)]
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) {
      throw new Error(`${JSON.stringify(ours)} is not ${JSON.stringify(theirs)}`)
    }
  }
  let expected = subject.empty
  compare(expected)
  for (const step of steps) {
    expected = subject.change(expected, step)
    perform(app, album, subject.name, members, step)
    compare(expected)
  }
  app.run(Session.commit)
  compare(expected)
}

const perform = (
  app: App,
  album: Snapshot<'Album'>,
  name: Subject<unknown>['name'],
  members: ReadonlyArray<Snapshot<never>>,
  step: Change,
): unknown => {
  const entity = model.Album as never
  const chosen = (i: number): never => members[i] as never
  // what is not there, or out of range, is refused
  const tried = (program: Session.Program<unknown, unknown>) => app.store.runSync(program)
  switch (step._tag) {
    case 'append':
      return tried(pipe(album, Session.append(model.Album, name, chosen(step.one))))
    case 'detach':
      return tried(pipe(album, Session.detach(model.Album, name, chosen(step.one))))
    case 'insertAt':
      return tried(pipe(album as never, Session.insertAt(entity, name as never, step.index, chosen(step.one))))
    case 'move':
      return tried(pipe(album as never, Session.move(entity, name as never, chosen(step.one), step.index)))
    case 'removeKey':
      return tried(pipe(album, Session.removeKey(model.Album, 'prices', step.key)))
    case 'replace':
      return tried(pipe(album, Session.replace(model.Album, name, step.all.map(chosen))))
    case 'clear':
      return tried(pipe(album, Session.clear(model.Album, name)))
    case 'flush':
      return tried(Session.flush)
    case 'expire':
      return tried(Session.chain(() => Session.expireAll)(Session.flush))
    case 'commit':
      return tried(Session.commit)
  }
}

/** A list without a member where it stands first. */
const without = (list: ReadonlyArray<number>, one: number): ReadonlyArray<number> =>
  list.filter((other) => other !== one)

const listChange = (list: ReadonlyArray<number>, step: Change): ReadonlyArray<number> => {
  switch (step._tag) {
    case 'append':
      return list.includes(step.one) ? list : [...list, step.one]
    case 'detach':
      return without(list, step.one)
    case 'insertAt':
      return list.includes(step.one) || step.index > list.length ? list : list.toSpliced(step.index, 0, step.one)
    case 'move':
      return list.includes(step.one) && step.index < list.length
        ? without(list, step.one).toSpliced(step.index, 0, step.one)
        : list
    case 'replace':
      return step.all
    case 'clear':
      return []
    default:
      return list
  }
}

const tags: Subject<ReadonlySet<number>> = {
  name: 'tags',
  entity: 'Tag',
  draft: (i) => ({ label: `${i}` }),
  empty: new Set(),
  change: (set, step) => new Set(listChange([...set], step)),
  data: byId,
  shown: (collection: ReadonlySet<Snapshot>, numberOf) => byId([...collection].map(numberOf)),
}

/** Three keys for all, so that they clash. */
const keyOf = (i: number): string => 'abc'[i % 3] as string

const prices: Subject<ReadonlyMap<string, number>> = {
  name: 'prices',
  entity: 'Price',
  draft: (i) => ({ currency: keyOf(i), cents: i }),
  empty: new Map(),
  change: (map, step) => {
    switch (step._tag) {
      case 'append':
        return new Map(map).set(keyOf(step.one), step.one)
      case 'detach':
        return new Map([...map].filter(([, i]) => i !== step.one))
      case 'removeKey':
        return new Map([...map].filter(([key]) => key !== step.key))
      case 'replace':
        return new Map(step.all.map((i) => [keyOf(i), i]))
      case 'clear':
        return new Map()
      default:
        return map
    }
  },
  data: (map) => [...map].sort(([a], [b]) => (a < b ? -1 : 1)),
  shown: (collection: Readonly<Record<string, Snapshot>>, numberOf) =>
    Object.entries(collection)
      .map(([key, price]) => [key, numberOf(price)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
}

const credits: Subject<ReadonlyArray<number>> = {
  name: 'credits',
  entity: 'Credit',
  draft: (i) => ({ role: keyOf(i), person: `${i}` }),
  empty: [],
  change: listChange,
  data: (list) => ['a', 'b', 'c'].map((key) => byId(list.filter((i) => keyOf(i) === key))),
  shown: (collection: ReadonlyMap<string, ReadonlyArray<Snapshot>>, numberOf) =>
    ['a', 'b', 'c'].map((key) => byId((collection.get(key) ?? []).map(numberOf))),
}

const tracks: Subject<ReadonlyArray<number>> = {
  name: 'tracks',
  entity: 'Track',
  draft: (i) => ({ name: `${i}`, position: 0 }),
  empty: [],
  change: listChange,
  data: (list) => list,
  shown: (collection: ReadonlyArray<Snapshot>, numberOf) => collection.map(numberOf),
}

/** The stars are the numbers. */
const best = (list: ReadonlyArray<number>): ReadonlyArray<number> =>
  bestOf(list.map((stars) => ({ stars }))).items.map(({ stars }) => stars)

const reviews: Subject<ReadonlyArray<number>> = {
  name: 'reviews',
  entity: 'Review',
  draft: (stars) => ({ stars }),
  empty: [],
  change: (list, step) => (step._tag === 'append' ? best(listChange(list, step)) : listChange(list, step)),
  data: (list) => list,
  shown: ({ items }: { readonly items: ReadonlyArray<Snapshot> }, numberOf) => items.map(numberOf),
}

const places = fc.record({ _tag: fc.constantFrom('insertAt' as const, 'move' as const), one, index })
const keys = fc.record({ _tag: fc.constant('removeKey' as const), key: fc.constantFrom('a', 'b', 'c', 'd') })

describe('a collection, whatever is done to it', () => {
  const holds = <A>(subject: Subject<A>, steps: fc.Arbitrary<ReadonlyArray<Change>>): void =>
    fc.assert(fc.property(steps, (given) => agrees(subject, given)))

  it('is a set, where it is kept as one', () => holds(tags, changes()))
  it('is a map, where it is kept by key', () => holds(prices, changes(keys)))
  it('is as many lists as there are groups', () => holds(credits, changes()))
  it('is a list in the order of its places', () => holds(tracks, changes(places, places)))
  it("is a program's own collection", () => {
    // as many as it has room for
    const steps = changes().map((given) =>
      given.map((step) => (step._tag === 'replace' ? { ...step, all: best(step.all) } : step)),
    )
    return holds(reviews, steps)
  })
})
