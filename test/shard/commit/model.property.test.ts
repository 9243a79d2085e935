/**
 * Commits over three shards, with crashes and lost answers at every step, and recoveries beside them and after them.
 */
import { defineModel, entity, integer, primaryKey, text } from '@unitary/core'
import * as Session from '@unitary/session'
import { atomic, byAttribute, choosers, type RecoveryReport, recover, shardedRuntime, shardMap } from '@unitary/shard'
import fc from 'fast-check'
import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, it } from 'vitest'
import { rightOf } from '../weather.js'
import { type Client, type Fate, type Kind, ModelServer, newClient, type Turn } from './model-server.js'

const Item = entity('Item', 'items', { id: pipe(integer, primaryKey), home: text })
const model = defineModel({ Item })(() => ({}))
const homes = ['a', 'b', 'c'] as const
const rules = choosers(model)({ Item: byAttribute('home', { a: 'a', b: 'b', c: 'c' }) })

type Servers = Readonly<Record<(typeof homes)[number], ModelServer>>

const mapFor = ({ a, b, c }: Servers, client: Client) =>
  shardMap({ a: a.engine(client), b: b.engine(client), c: c.engine(client) })

const application = 'model'

/** Adds one item to each shard, and commits. */
const commitOn = (servers: Servers, client: Client, id: number) =>
  Session.run(
    shardedRuntime(model, { shards: mapFor(servers, client), choosers: rules, commit: atomic({ application }) }),
  )(
    pipe(
      Session.addAll(
        model.Item,
        homes.map((home) => ({ id, home })),
      ),
      Session.chain(() => Session.commit),
    ),
  )()

const recoverOn = (servers: Servers, client: Client) => recover(mapFor(servers, client), { application })()

const onDirectly: Turn = () => Promise.resolve()

type Kinds = Readonly<Record<(typeof homes)[number], Kind>>

const late: Kinds = { a: 'named late', b: 'named late', c: 'named late' }

const serversWith = (turn: Turn, kinds: Kinds = late): Servers => ({
  a: new ModelServer('a', turn, kinds.a),
  b: new ModelServer('b', turn, kinds.b),
  c: new ModelServer('c', turn, kinds.c),
})

const kind = fc.constantFrom<Kind>('named late', 'named early')
const anyKinds: fc.Arbitrary<Kinds> = fc.record({ a: kind, b: kind, c: kind })

/** On how many shards an item is. */
const placesOf = (servers: Servers, id: number): number =>
  homes.filter((home) => servers[home].keys('items').includes(String(id))).length

type Committed = Either<Session.SessionError, unknown>

/** All or none, and as the coordinator was told, where it was told and lived. */
const expectWhole = (servers: Servers, id: number, client: Client, committed: Committed): void => {
  const places = placesOf(servers, id)
  expect([0, 3]).toContain(places)
  if (client.isDead) return
  if (committed._tag === 'Right') expect(places).toBe(3)
  else if (committed.left._tag !== 'CommitUnknown') expect(places).toBe(0)
}

const expectNothingLeft = (servers: Servers, report: Either<unknown, RecoveryReport>): void => {
  expect(rightOf(report)).toMatchObject({ unfinished: [], unreachable: [] })
  for (const home of homes) expect([...servers[home].prepared.keys()]).toEqual([])
}

const fates: ReadonlyArray<Fate> = ['dies before', 'dies after', 'is lost before', 'is lost after']

/** How many calls a commit takes: the flush and the protocol. */
const callsOf = async (): Promise<number> => {
  const client = newClient()
  expect(await commitOn(serversWith(onDirectly), client, 1)).toMatchObject({ _tag: 'Right' })
  return client.calls
}

it('asks each shard no more than it has to', async () => {
  const asked: string[] = []
  const servers = serversWith(async (label) => {
    if (label.includes('gets')) asked.push(label.replace(' gets', ''))
  })
  expect(await commitOn(servers, newClient(), 1)).toMatchObject({ right: { inserted: 3, notices: [] } })
  expect(asked.slice(-6)).toEqual([
    'a Prepare',
    'b Prepare',
    'c Query',
    'c Commit',
    'a CommitPrepared',
    'b CommitPrepared',
  ])
})

it('is whole or absent after a failure at any one call, whatever fails', async () => {
  const calls = await callsOf()
  for (const fate of fates) {
    for (let number = 0; number < calls; number++) {
      const servers = serversWith(onDirectly)
      const client = newClient(new Map([[number, fate]]))
      const committed = await commitOn(servers, client, 1)
      // who lives through one failure leaves nothing to recover
      if (!client.isDead) for (const home of homes) expect([...servers[home].prepared.keys()]).toEqual([])
      expectNothingLeft(servers, await recoverOn(servers, newClient()))
      expectWhole(servers, 1, client, committed)
    }
  }
})

it('is whole or absent after failures at any two calls', async () => {
  const calls = await callsOf()
  const losses = fates.filter((fate) => fate.startsWith('is lost'))
  // what is asked after a failure comes on top
  for (let first = 0; first < calls; first++) {
    for (let second = first + 1; second < calls + 3; second++) {
      for (const fate of losses) {
        for (const last of fates) {
          const servers = serversWith(onDirectly)
          const client = newClient(
            new Map([
              [first, fate],
              [second, last],
            ]),
          )
          const committed = await commitOn(servers, client, 1)
          expectNothingLeft(servers, await recoverOn(servers, newClient()))
          expectWhole(servers, 1, client, committed)
        }
      }
    }
  }
})

it('is whole or absent after failures at any calls, of the recovery too', async () => {
  const calls = await callsOf()
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.nat(calls).map(String), fc.constantFrom(...fates), { maxKeys: 3 }),
      fc.dictionary(fc.nat(8).map(String), fc.constantFrom(...fates), { maxKeys: 2 }),
      anyKinds,
      async (ofCommit, ofRecovery, kinds) => {
        const fatesOf = (given: Readonly<Record<string, Fate>>) =>
          newClient(new Map(Object.entries(given).map(([number, fate]) => [Number(number), fate])))
        const servers = serversWith(onDirectly, kinds)
        const client = fatesOf(ofCommit)
        const committed = await commitOn(servers, client, 1)
        await recoverOn(servers, fatesOf(ofRecovery))
        expectNothingLeft(servers, await recoverOn(servers, newClient()))
        expectWhole(servers, 1, client, committed)
      },
    ),
    { numRuns: 500 },
  )
})

it('is whole or absent with two recoveries beside it, in any order of events', async () => {
  const calls = await callsOf()
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.option(fc.tuple(fc.nat(calls), fc.constantFrom(...fates)), { nil: null }),
      anyKinds,
      async (scheduler, fate, kinds) => {
        const servers = serversWith((label) => scheduler.schedule(Promise.resolve(), label), kinds)
        const client = newClient(new Map(fate === null ? [] : [fate]))
        const others = [newClient(), newClient()]
        const [committed] = await scheduler.waitFor(
          Promise.all([
            commitOn(servers, client, 1),
            commitOn(servers, others[0] as Client, 2),
            recoverOn(servers, newClient()),
            recoverOn(servers, newClient()),
          ] as const).then((all) => all),
        )
        expectNothingLeft(servers, await scheduler.waitFor(recoverOn(servers, newClient())))
        expectWhole(servers, 1, client, committed)
      },
    ),
    { numRuns: 500 },
  )
})
