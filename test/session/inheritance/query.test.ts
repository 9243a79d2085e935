import {
  any,
  fromQuery,
  fromSql,
  groupBy,
  join,
  orderBy,
  select,
  selectRows,
  selectScalar,
  unionAll,
  where,
  withSubtypes,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { staff } from '../../core/model/staff.js'
import { type App, openOn } from '../app.js'

const filled = (): App => {
  const app = openOn(staff)
  app.run(
    pipe(
      Session.add(staff.Company, {
        name: 'acme',
        employees: [
          { name: 'pat' },
          { kind: 'engineer', name: 'ed', language: 'ts', machines: [{ label: 'lathe' }] },
          { kind: 'manager', name: 'mary', level: 3 },
          { kind: 'lead', name: 'lee', language: 'js', team: 'core' },
        ],
      }),
      Session.chain(() => Session.commit),
      Session.chain(() => Session.expungeAll),
    ),
  )
  app.clear()
  return app
}

describe('queries of other shapes', () => {
  test('count, and ask whether there is any', () => {
    const app = filled()
    expect(app.run(Session.count(select(staff.Engineer)))).toBe(2)
    expect(app.run(Session.count(pipe(select(staff.Person), withSubtypes('*'), where('id', '>', 1))))).toBe(3)
    expect(app.run(Session.exists(pipe(select(staff.Manager), where('level', '>', 3))))).toBe(false)
  })

  test('give rows of entities and values', () => {
    const app = filled()
    const rows = pipe(
      select(staff.Machine),
      join('engineer', 'e'),
      selectRows((q) => ({ machine: q.entity(), language: q.ref('e.language'), name: q.ref('e.name') })),
    )
    expect(app.run(Session.rows(rows))).toMatchObject([{ machine: { label: 'lathe' }, language: 'ts', name: 'ed' }])
    expect(app.run(pipe(select(staff.Engineer), orderBy('id'), selectScalar('language'), Session.rows))).toEqual([
      'ts',
      'js',
    ])
    const kinds = pipe(
      select(staff.Person),
      groupBy('companyId'),
      selectRows((q) => ({ companyId: q.ref('people.companyId'), count: q.fn.countAll() })),
    )
    expect(app.run(Session.rows(kinds))).toEqual([{ companyId: 1, count: 4 }])
  })

  test('combine, and take what any query gives', () => {
    const app = filled()
    const engineers = pipe(select(staff.Engineer), where('language', '=', 'ts'))
    const others = pipe(select(staff.Engineer), where('language', '=', 'js'))
    expect(app.run(pipe(engineers, unionAll(others), orderBy('name'), Session.query)).map(({ name }) => name)).toEqual([
      'ed',
      'lee',
    ])
    const from = fromQuery(staff.Person, (db) => db.selectFrom('people').selectAll().where('name', 'like', 'e%'))
    expect(app.run(Session.query(from))).toMatchObject([{ kind: 'engineer', name: 'ed' }])
    const ofSubtype = fromQuery(staff.Engineer, (db) =>
      db.selectFrom('engineers').selectAll().where('language', '=', 'js'),
    )
    expect(app.run(Session.query(ofSubtype))).toMatchObject([{ kind: 'lead', language: 'js' }])
    const text = fromSql(staff.Person, sql`select * from people where id < 3`)
    expect(app.run(Session.query(text))).toMatchObject([{ kind: 'person' }, { kind: 'engineer' }])
    const owners = pipe(select(staff.Company), where(any('employees', where('kind', '=', 'lead'))))
    expect(app.run(Session.query(owners))).toHaveLength(1)
  })

  test('without the discriminator are no queries of an entity with subtypes', () => {
    const app = filled()
    const blind = fromQuery(staff.Person, (db) => db.selectFrom('people').select(['id', 'name']))
    expect(app.fails(Session.query(blind))).toMatchObject({ _tag: 'InvalidStatement', attribute: 'kind' })
  })
})
