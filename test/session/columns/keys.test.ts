/**
 * Values of all kinds as keys: of instances, of references to them and of links between them, on every database.
 */
import {
  any,
  containsEager,
  createAll,
  defineModel,
  deleteFrom,
  distinct,
  entity,
  immediate,
  integer,
  joined,
  leftJoin,
  nullable,
  orderBy,
  primaryKey,
  select,
  selectin,
  set,
  subquery,
  text,
  unique,
  update,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { isSome } from 'fp-ts/lib/Option.js'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { resultOf } from '../app.js'
import { type Opened, setups } from './databases.js'
import { type Kind, kinds } from './kinds.js'

process.env.TZ = 'Europe/Berlin'

const names = [
  'integer',
  'branded',
  'bigint',
  'text',
  'decimal',
  'instant',
  'isoDate of kind timestamp',
  'plainDate',
  'plainTime',
  'uuid',
  'enum',
]
const keyed = kinds.filter(({ name }) => names.includes(name))

const modelOf = ({ column }: Kind, i: number) => {
  const Owner = entity('Owner', `owners_${i}`, { key: pipe(column, primaryKey), name: text })
  const Item = entity('Item', `items_${i}`, { id: pipe(integer, primaryKey), ownerKey: pipe(column, nullable) })
  // a key of two columns
  const Pair = entity('Pair', `pairs_${i}`, {
    ownerKey: pipe(column, primaryKey),
    place: pipe(integer, primaryKey),
    note: text,
  })
  const Tag = entity('Tag', `tags_${i}`, { key: pipe(column, primaryKey) })
  const Node = entity('Node', `nodes_${i}`, {
    key: pipe(column, primaryKey),
    parentKey: pipe(column, nullable),
    mark: pipe(column, unique),
  })
  return defineModel({ Owner, Item, Pair, Tag, Node })((r) => ({
    Owner: {
      items: r.Owner.hasMany('Item', { foreignKey: 'ownerKey', inverse: 'owner', orderBy: 'id' }),
      pairs: r.Owner.hasMany('Pair', {
        foreignKey: 'ownerKey',
        inverse: 'owner',
        orderBy: 'place',
        cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
      }),
      tags: r.Owner.manyToMany('Tag', {
        through: { table: `owner_tags_${i}`, own: ['owner_key'], target: ['tag_key'] },
        inverse: 'owners',
      }),
    },
    Item: { owner: r.Item.belongsTo('Owner', { foreignKey: 'ownerKey', inverse: 'items' }) },
    Pair: { owner: r.Pair.belongsTo('Owner', { foreignKey: 'ownerKey', inverse: 'pairs' }) },
    Tag: {
      owners: r.Tag.manyToMany('Owner', {
        through: { table: `owner_tags_${i}`, own: ['tag_key'], target: ['owner_key'] },
        inverse: 'tags',
      }),
    },
    Node: {
      parent: r.Node.belongsTo('Node', { foreignKey: 'parentKey', inverse: 'children' }),
      children: r.Node.hasMany('Node', { foreignKey: 'parentKey', inverse: 'parent' }),
    },
  }))
}
const models = keyed.map((kind, i) => ({ kind, model: modelOf(kind, i) }))

describe.each(setups.map((setup) => [setup.name, setup] as const))('%s', (_, setup) => {
  describe.skipIf(setup.isMissing)('keys', () => {
    let opened: Opened
    beforeAll(async () => {
      opened = await setup.open()
      for (const { model } of models) resultOf(await createAll(model)(opened.engine)())
    })
    afterAll(() => opened?.drop())

    describe.each(models.map((one) => [one.kind.name, one] as const))('of %s', (_, { kind, model }) => {
      const [low, high] = [kind.values[0], kind.values.at(-1)]
      let store: Session.Store
      const run = async <E, A>(program: Session.Program<E, A>): Promise<A> => resultOf(await store.run(program)())
      const empty = Session.gen(function* () {
        for (const { mapping } of [model.Item, model.Pair]) expect(mapping.key.length).toBeGreaterThan(0)
        yield* pipe(deleteFrom(model.Item), Session.execute({ synchronize: 'none' }))
        yield* pipe(deleteFrom(model.Pair), Session.execute({ synchronize: 'none' }))
        yield* pipe(update(model.Node), set({ parentKey: null }), Session.execute({ synchronize: 'none' }))
        yield* pipe(deleteFrom(model.Node), Session.execute({ synchronize: 'none' }))
        yield* pipe(deleteFrom(model.Owner), Session.execute({ synchronize: 'none' }))
        yield* pipe(deleteFrom(model.Tag), Session.execute({ synchronize: 'none' }))
        yield* Session.commit
        yield* Session.expungeAll
      })
      const filled = Session.gen(function* () {
        yield* Session.add(model.Owner, {
          key: high,
          name: 'high',
          items: [{ id: 1 }, { id: 2 }],
          pairs: [
            { place: 1, note: 'a' },
            { place: 2, note: 'b' },
          ],
          tags: [{ key: low }, { key: high }],
        } as never)
        yield* Session.add(model.Owner, { key: low, name: 'low', items: [{ id: 3 }] } as never)
        yield* Session.commit
        yield* Session.expungeAll
      })
      beforeEach(async () => {
        store = Session.createStore(Session.runtime(model, opened.engine))
        await run(empty)
        await run(filled)
      })
      afterEach(() => store.close())

      test('are those that are looked for', async () => {
        const found = await run(Session.get(model.Owner, high as never))
        expect(isSome(found) && found.value).toMatchObject({ key: high, name: 'high' })
        // the same instance, by whichever way
        const [again] = await run(pipe(select(model.Owner), where('key', '=', high as never), Session.query))
        expect(isSome(found) && found.value).toBe(again)
        expect(await run(Session.get(model.Owner, high as never))).toEqual(found)
        const pair = await run(Session.get(model.Pair, { ownerKey: high, place: 2 } as never))
        expect(isSome(pair) && pair.value).toMatchObject({ ownerKey: high, place: 2, note: 'b' })
      })

      test.each([
        ['selectin', selectin],
        ['joined', joined],
        ['subquery', subquery],
        ['immediate', immediate],
      ] as const)('tell whose members are whose, loaded by %s', async (_, load) => {
        const owners = await run(
          pipe(select(model.Owner), load('items'), load('pairs'), load('tags'), orderBy('name'), Session.query),
        )
        expect(
          owners.map(({ key, items, pairs, tags }) => ({
            key,
            items: items.map(({ id }) => id),
            places: pairs.map(({ place }) => place),
            tags: tags.length,
          })),
        ).toEqual([
          { key: high, items: [1, 2], places: [1, 2], tags: 2 },
          { key: low, items: [3], places: [], tags: 0 },
        ])
        const items = await run(pipe(select(model.Item), load('owner'), orderBy('id'), Session.query))
        expect(items.map(({ owner }) => isSome(owner) && owner.value.name)).toEqual(['high', 'high', 'low'])
        const tags = await run(pipe(select(model.Tag), load('owners'), Session.query))
        expect(tags.map(({ owners: of }) => of.map(({ name }) => name))).toEqual([['high'], ['high']])
      })

      test('tell whose members are whose, taken out of the rows of a join', async () => {
        const query = pipe(
          select(model.Owner),
          leftJoin('tags', 't'),
          containsEager('tags', 't'),
          where((eb) => eb('name', '=', 'high')),
        )
        for (const one of [query, pipe(query, distinct)]) {
          const owners = await run(Session.query(one))
          expect(owners.map(({ key, tags }) => [key, tags.length])).toEqual([[high, 2]])
          await run(Session.expungeAll)
        }
        const tagged = pipe(select(model.Owner), where(any('tags')))
        expect((await run(Session.query(tagged))).map(({ key }) => key)).toEqual([high])
      })

      test('tell whose members are whose, loaded later', async () => {
        const found = await run(Session.get(model.Owner, high as never))
        if (!isSome(found)) return expect.fail('it is there')
        expect(await run(Session.load(model.Owner, 'items')(found.value))).toHaveLength(2)
        expect(await run(Session.load(model.Owner, 'tags')(found.value))).toHaveLength(2)
        const members = await run(pipe(found.value, Session.members(model.Owner, 'tags'), Session.chain(Session.query)))
        expect(members).toHaveLength(2)
      })

      test('refresh, change, detach and delete the rows that are meant', async () => {
        await run(
          Session.gen(function* () {
            const owner = (yield* pipe(
              select(model.Owner),
              where('name', '=', 'high'),
              selectin('items'),
              selectin('tags'),
              Session.query,
            ))[0]
            if (owner === undefined) return
            yield* Session.refresh(model.Owner)(owner)
            yield* Session.set(model.Owner, { name: 'higher' })(owner)
            const [tag] = owner.tags
            if (tag !== undefined) yield* Session.detach(model.Owner, 'tags', tag)(owner)
            yield* Session.commit
            const [low_] = yield* pipe(select(model.Owner), where('name', '=', 'low'), Session.query)
            const [item] = yield* pipe(select(model.Item), where('id', '=', 3), Session.query)
            if (item !== undefined) yield* Session.remove(model.Item)(item)
            if (low_ !== undefined) yield* Session.remove(model.Owner)(low_)
            yield* Session.commit
            yield* Session.expungeAll
          }),
        )
        const owners = await run(pipe(select(model.Owner), selectin('items'), selectin('tags'), Session.query))
        expect(owners).toMatchObject([{ key: high, name: 'higher' }])
        expect(owners[0]?.items).toHaveLength(2)
        expect(owners[0]?.tags).toHaveLength(1)
      })

      test('are found in memory by bulk statements', async () => {
        const [owner] = await run(pipe(select(model.Owner), where('name', '=', 'high'), Session.query))
        const met = await run(
          pipe(update(model.Owner), set({ name: 'met' }), where('key', '=', high as never), Session.execute()),
        )
        expect(met).toBe(1)
        const [now] = await run(pipe(select(model.Owner), where('key', '=', high as never), Session.query))
        expect(now?.name).toBe('met')
        expect(owner?.name).toBe('high')
        expect(
          await run(
            pipe(
              deleteFrom(model.Pair),
              where('ownerKey', 'in', [high] as never),
              Session.execute({ synchronize: 'fetch' }),
            ),
          ),
        ).toBe(2)
        await run(Session.rollback)
      })

      test('are merged into what is there', async () => {
        const merged = await run(Session.merge(model.Owner, { key: high, name: 'merged' } as never))
        expect(merged).toMatchObject({ key: high, name: 'merged' })
        await run(Session.commit)
        expect(await run(pipe(select(model.Owner), orderBy('name'), Session.query))).toMatchObject([
          { name: 'low' },
          { key: high, name: 'merged' },
        ])
      })

      test('order the rows of one entity, and are taken over from each other', async () => {
        await run(
          Session.gen(function* () {
            yield* Session.add(model.Node, { key: low, mark: low, parent: { key: high, mark: high } } as never)
            yield* Session.commit
          }),
        )
        // a value of its own for the time being is not to be had of two values only
        if (kind.name !== 'enum') {
          await run(
            Session.gen(function* () {
              const [one, other] = yield* pipe(select(model.Node), Session.query)
              if (one === undefined || other === undefined) return
              yield* Session.set(model.Node, { mark: other.mark } as never)(one)
              yield* Session.set(model.Node, { mark: one.mark } as never)(other)
              yield* Session.commit
              yield* Session.expungeAll
            }),
          )
          const nodes = await run(pipe(select(model.Node), Session.query))
          expect(nodes.map(({ key, mark }) => ({ key, mark }))).toEqual(
            expect.arrayContaining([
              { key: low, mark: high },
              { key: high, mark: low },
            ]),
          )
        }
        const children = await run(
          pipe(select(model.Node), where('key', '=', high as never), selectin('children'), Session.query),
        )
        expect(children[0]?.children.map(({ key }) => key)).toEqual([low])
      })
    })
  })
})
