/**
 * What rows a database gives is what a program would compute from all rows itself.
 */
import {
  defineModel,
  distinct,
  entity,
  except,
  groupBy,
  having,
  integer,
  intersect,
  leftJoin,
  limit,
  nullable,
  offset,
  orderBy,
  primaryKey,
  select,
  selectRows,
  selectScalar,
  text,
  union,
  unionAll,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { none, some } from 'fp-ts/lib/Option.js'
import { describe, expect, test } from 'vitest'
import { openOn } from '../session/app.js'

const Team = entity('Team', 'teams', { id: pipe(integer, primaryKey), name: text })
const Player = entity('Player', 'players', {
  id: pipe(integer, primaryKey),
  name: text,
  score: pipe(integer, nullable),
  teamId: pipe(integer, nullable),
})
const model = defineModel({ Team, Player })((r) => ({
  Player: { team: r.Player.belongsTo('Team', { foreignKey: 'teamId' }) },
}))

interface PlayerRow {
  readonly id: number
  readonly name: string
  readonly score: number | null
  readonly teamId: number | null
}

const players = fc
  .array(
    fc.record({
      name: fc.constantFrom('ann', 'bob', 'cleo'),
      score: fc.option(fc.integer({ min: -3, max: 9 }), { nil: null }),
      teamId: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
    }),
    { maxLength: 14 },
  )
  .map((rows) => rows.map((row, i): PlayerRow => ({ id: i + 1, ...row })))

const allTeams = [1, 2, 3].map((id) => ({ id, name: `team ${id}` }))
const teams = fc.subarray(allTeams)

const opened = (
  rows: ReadonlyArray<PlayerRow>,
  teamRows: ReadonlyArray<{ readonly id: number; readonly name: string }>,
) => {
  const app = openOn(model)
  app.run(Session.addAll(model.Team, teamRows))
  app.run(Session.addAll(model.Player, rows))
  app.run(Session.commit)
  app.run(Session.expungeAll)
  return app
}

const known = (values: ReadonlyArray<number | null>): ReadonlyArray<number> => values.flatMap((value) => value ?? [])
const sum = (values: ReadonlyArray<number>): number | null =>
  values.length === 0 ? null : values.reduce((a, b) => a + b, 0)

const grouped = <A, K>(rows: ReadonlyArray<A>, by: (row: A) => K): ReadonlyArray<readonly [K, ReadonlyArray<A>]> => {
  const groups = new Map<K, A[]>()
  for (const row of rows) groups.set(by(row), [...(groups.get(by(row)) ?? []), row])
  return [...groups]
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1)
const byId = (a: { readonly id: number }, b: { readonly id: number }): number => a.id - b.id

describe('rows are those that a program would compute', () => {
  test('of groups, with aggregates and conditions on them', () => {
    fc.assert(
      fc.property(players, fc.integer({ min: -3, max: 9 }), fc.integer({ min: 0, max: 4 }), (rows, least, more) => {
        const app = opened(rows, allTeams)
        const found = app.run(
          pipe(
            select(model.Player),
            where('id', '>', least),
            groupBy('name'),
            having((eb) => eb(eb.fn.countAll(), '>', more)),
            orderBy('name'),
            selectRows((q) => ({
              name: q.ref('name'),
              players: q.fn.countAll(),
              scores: q.fn.count('score'),
              teams: q.fn.count('teamId').distinct(),
              sum: q.fn.sum('score'),
              max: q.fn.max('score'),
              isMany: q(q.fn.countAll(), '>', 2),
            })),
            Session.rows,
          ),
        )
        const expected = grouped(
          rows.filter(({ id }) => id > least),
          ({ name }) => name,
        )
          .filter(([, some]) => some.length > more)
          .map(([name, some]) => {
            const scores = known(some.map(({ score }) => score))
            return {
              name,
              players: some.length,
              scores: scores.length,
              teams: new Set(known(some.map(({ teamId }) => teamId))).size,
              sum: sum(scores),
              max: scores.length === 0 ? null : Math.max(...scores),
              isMany: some.length > 2,
            }
          })
          .sort(byName)
        expect(found).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  test('of distinct values, counted, with a window', () => {
    fc.assert(
      fc.property(players, fc.nat(6), fc.nat(6), (rows, start, size) => {
        const app = opened(rows, allTeams)
        const asked = pipe(
          select(model.Player),
          selectRows((q) => [q.ref('name'), q.ref('score')]),
          distinct,
          orderBy((eb) => eb.ref('players.name')),
          orderBy(
            (eb) => eb.ref('players.score'),
            (order) => order.asc().nullsFirst(),
          ),
          limit(size),
          offset(start),
        )
        const pairs = [...new Map(rows.map(({ name, score }) => [`${name} ${score}`, [name, score] as const])).values()]
        const expected = pairs
          .sort(([a, x], [b, y]) => (a === b ? (x ?? -99) - (y ?? -99) : a < b ? -1 : 1))
          .slice(start, start + size)
        expect(app.run(Session.rows(asked))).toEqual(expected)
        expect(app.run(Session.count(asked))).toBe(expected.length)
        expect(app.run(Session.exists(asked))).toBe(expected.length > 0)
      }),
      { numRuns: 60 },
    )
  })

  test('of outer joins, with entities beside values', () => {
    fc.assert(
      fc.property(players, teams, (rows, teamRows) => {
        const app = opened(
          rows.map((row) => (teamRows.some(({ id }) => id === row.teamId) ? row : { ...row, teamId: null })),
          teamRows,
        )
        const found = app.run(
          pipe(
            select(model.Player),
            leftJoin('team', 't'),
            orderBy('id'),
            selectRows((q) => [q.entity(), q.entity('t'), q.ref('t.name')]),
            Session.rows,
          ),
        )
        expect(found.map(([player, team, name]) => [player.id, team, name])).toEqual(
          rows.map(({ id, teamId }) => {
            const team = teamRows.find((one) => one.id === teamId)
            return team === undefined ? [id, none, null] : [id, some(expect.objectContaining(team)), team.name]
          }),
        )
      }),
      { numRuns: 40 },
    )
  })

  test('of set operations', () => {
    const part = fc.record({ from: fc.nat(14), to: fc.nat(14) })
    fc.assert(
      fc.property(players, part, part, (rows, a, b) => {
        const app = opened(rows, allTeams)
        const within = ({ from, to }: typeof a) =>
          pipe(select(model.Player), where('id', '>=', from), where('id', '<=', to), orderBy('id', 'desc'))
        const idsIn = ({ from, to }: typeof a) => rows.map(({ id }) => id).filter((id) => id >= from && id <= to)
        const [left, right] = [idsIn(a), idsIn(b)]
        const idsOf = (combine: typeof union) =>
          app.run(pipe(within(a), combine(within(b)), orderBy('id'), selectScalar('id'), Session.rows))
        const sorted = (ids: ReadonlyArray<number>) =>
          ids
            .map((id) => ({ id }))
            .sort(byId)
            .map(({ id }) => id)
        expect(idsOf(union)).toEqual(sorted([...new Set([...left, ...right])]))
        expect(idsOf(unionAll)).toEqual(sorted([...left, ...right]))
        expect(idsOf(intersect)).toEqual(left.filter((id) => right.includes(id)))
        expect(idsOf(except)).toEqual(left.filter((id) => !right.includes(id)))
      }),
      { numRuns: 40 },
    )
  })
})
