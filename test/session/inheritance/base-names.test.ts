/** Queries of a subtype that speak of what it inherits by the table of its base, as conditions that are shared do. */
import {
  concrete,
  defineModel,
  entity,
  generated,
  integer,
  named,
  orderBy,
  primaryKey,
  select,
  selectRows,
  subtype,
  text,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { hostsOf } from '../hosts.js'

const id = pipe(integer, primaryKey, generated)
const Person = entity(
  'Person',
  'people',
  { id, kind: text, name: pipe(text, named('full_name')) },
  { discriminator: 'kind', identity: 'person' },
)
const Engineer = subtype(Person)('Engineer', 'engineers', { language: text }, { identity: 'engineer' })
const Lead = subtype(Engineer)('Lead', { team: text }, { identity: 'lead' })
const Manager = subtype(Person)('Manager', { level: integer }, { identity: 'manager' })
const Shape = entity('Shape', 'shapes', { id, kind: text, label: pipe(text, named('lbl')) }, { discriminator: 'kind' })
const Square = concrete(Shape)('Square', 'squares', { side: integer }, { identity: 'square' })
const model = defineModel({ Person, Engineer, Lead, Manager, Shape, Square })(() => ({}))

describe.each(hostsOf(model))('on $title', ({ onHost }) => {
  onHost('a base is spoken of in queries of its subtypes', async ({ run }) => {
    await run(Session.add(model.Engineer, { name: 'ed', language: 'ts' }))
    await run(Session.add(model.Lead, { name: 'lee', language: 'js', team: 'core' }))
    await run(Session.add(model.Manager, { name: 'mary', level: 3 }))
    await run(Session.add(model.Square, { label: 'box', side: 2 }))
    await run(Session.commit)
    const ofPeople = sql<boolean>`${sql.ref('people.name')} <> ${'nobody'}`
    const named = (name: string) => (eb: (a: never, b: '=', c: never) => unknown) =>
      eb('people.name' as never, '=', name as never) as never
    const names = (found: ReadonlyArray<{ readonly name: string }>) => found.map(({ name }) => name)
    expect(names(await run(Session.query(pipe(select(model.Engineer), where(named('ed') as never)))))).toEqual(['ed'])
    expect(names(await run(Session.query(pipe(select(model.Lead), where(named('lee') as never)))))).toEqual(['lee'])
    expect(names(await run(Session.query(pipe(select(model.Manager), where(named('mary') as never)))))).toEqual([
      'mary',
    ])
    expect(
      names(
        await run(
          Session.query(
            pipe(
              select(model.Engineer),
              where(() => ofPeople),
              orderBy('name'),
            ),
          ),
        ),
      ),
    ).toEqual(['ed', 'lee'])
    // by the table of a subtype that is a base itself
    const js = where(
      (eb: (a: never, b: '=', c: never) => unknown) => eb('engineers.language' as never, '=', 'js' as never) as never,
    )
    expect(names(await run(Session.query(js(select(model.Lead) as never) as never)))).toEqual(['lee'])
    const labelled = where(
      (eb: (a: never, b: '=', c: never) => unknown) => eb('shapes.label' as never, '=', 'box' as never) as never,
    )
    expect(await run(Session.query(labelled(select(model.Square) as never) as never))).toHaveLength(1)
    // where the base is read, it is meant itself
    const rows = pipe(
      select(model.Engineer),
      where((eb) =>
        eb.exists(
          eb
            .selectFrom('people')
            .whereRef('people.id', '=', 'engineers.id')
            .where('people.name', '=', 'lee')
            .select('people.id'),
        ),
      ),
      selectRows('name'),
    )
    expect(names(await run(Session.rows(rows)))).toEqual(['lee'])
  })
})

test('types say that a query of a subtype reads its own table alone', () => {
  // @ts-expect-error what is inherited is its own
  pipe(select(model.Engineer), where('people.name', '=', 'ed'))
  pipe(select(model.Engineer), where('name', '=', 'ed'))
})
