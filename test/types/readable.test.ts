/**
 * What an editor shows of inferred types. TypeScript 7 has no compiler API, so the types are read from the messages of
 * `tsc` about a file in which each of them is assigned to `never`.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

const fixture = `
import {
  column, subtype, withSubtypes, type Draft, defineModel, entity, generated, integer, isoDate, type Managed, nullable, type Pending,
  primaryKey, type Related, select, selectin, selectRows, text, withDefault,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'

const User = entity('User', 'users', {
  id: pipe(integer, primaryKey, generated),
  name: text,
  nickname: pipe(text, nullable),
  joined: pipe(column(isoDate, 'text'), withDefault((services) => services.now)),
})
const Address = entity('Address', 'addresses', {
  id: pipe(integer, primaryKey, generated),
  email: text,
  userId: integer,
})
const model = defineModel({ User, Address })((r) => ({
  User: { addresses: r.User.hasMany('Address', { foreignKey: 'userId', inverse: 'user' }) },
  Address: { user: r.Address.belongsTo('User', { foreignKey: 'userId', inverse: 'addresses' }) },
}))
type M = typeof model

const Person = entity('Person', 'people', {
  id: pipe(integer, primaryKey, generated),
  kind: text,
  name: text,
}, { discriminator: 'kind', identity: 'person' })
const Engineer = subtype(Person)('Engineer', 'engineers', { language: text }, { identity: 'engineer' })
const staff = defineModel({ Person, Engineer })(() => ({}))
declare const engineer: Managed<typeof staff, 'Engineer'>
export const engineerType: never = engineer
const people = Session.query(pipe(select(staff.Person), withSubtypes('*')))
const staffed = Session.runSync(undefined as never as Session.Runtime)(people)
if (staffed._tag === 'Right') {
  const person = staffed.right[0]!
  if (person.kind === 'engineer') {
    const narrowed: never = person
  }
}

const extended = defineModel({ User, Address })(
  (r) => ({ Address: { user: r.Address.belongsTo('User', { foreignKey: 'userId' }) } }),
  (a) => ({
    User: {
      count: a.User.expression(integer, (eb) => eb.selectFrom('addresses').select(({ fn }) => fn.countAll().as('n'))),
      title: a.User.synonym('name'),
    },
  }),
)
declare const computedUser: Managed<typeof extended, 'User'>
declare const computedDraft: Draft<typeof extended, 'User'>
const represented = Session.represent(extended.User, {
  fromRow: ({ id, name }) => ({ id, name }),
  toRow: ({ id, name }) => ({ id, name }),
})
export const extendedType: never = computedUser
export const namedDraftType: never = computedDraft
export const representedType: never = represented.add({ id: 1, name: 'ed' })

declare const user: Managed<M, 'User'>
declare const pending: Pending<M, 'User'>
declare const draft: Draft<M, 'Address'>
declare const related: Related<M, 'User', 'addresses'>
declare const runtime: Session.Runtime
const added = Session.add(model.User, { name: 'ed' })
const result = Session.runSync(runtime)(pipe(select(model.User), selectin('addresses'), Session.query))

const asked = pipe(select(model.User), selectRows((q) => ({ user: q.entity(), joined: q.fn.max('joined'), n: q.fn.countAll() })))
const rows = Session.runSync(runtime)(Session.rows(asked))

export const onlyProgram: never = pipe(select(model.User), Session.one)
if (rows._tag === 'Right') {
  const rowType: never = rows.right[0]!
}
export const managedType: never = user
export const pendingType: never = pending
export const draftType: never = draft
export const relatedType: never = related
export const programType: never = added
export const tag: never = Session.runSync(runtime)(added)._tag
if (result._tag === 'Right') {
  const found: never = result.right[0]!
  const inverse = found
}
export const wrongInverse = defineModel({ User, Address })((r) => ({
  User: { addresses: r.User.hasMany('Address', { foreignKey: 'userId', inverse: 'owner' }) },
  Address: { user: r.Address.belongsTo('User', { foreignKey: 'userId' }) },
}))
export const wrongColumn = Session.add(model.User, { name: 5 })
`

let folder = ''
let messages: ReadonlyArray<string> = []

beforeAll(() => {
  const cache = join(root, 'test/node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  folder = mkdtempSync(join(cache, 'readable-'))
  writeFileSync(join(folder, 'fixture.ts'), fixture)
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        composite: false,
        noEmit: true,
        rootDir: root,
        types: [],
        declaration: false,
        declarationMap: false,
      },
      files: ['fixture.ts'],
    }),
  )
  const { stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder, '--pretty', 'false'],
    {
      encoding: 'utf8',
    },
  )
  messages = stdout.split(/\n(?=\S)/)
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The type that the compiler names where it is assigned to `name`. */
const typeOf = (name: string): string => {
  const line = fixture.split('\n').findIndex((text) => text.includes(`const ${name}:`)) + 1
  const message = messages.find((text) => text.includes(`fixture.ts(${line},`))
  return (
    /Type '(.*)' is not assignable to type 'never'/.exec(message ?? '')?.[1] ?? `no message: ${messages.join('\n')}`
  )
}

const row = '{ readonly id: number; readonly name: string; readonly nickname: string | null; readonly joined: Date; }'

describe('an editor shows', () => {
  test('a snapshot as its row, not as the model', () => {
    expect(typeOf('managedType')).toBe(`${row} & Snapshot<"User">`)
  })

  test('an instance of a subtype as its row, and what it is', () => {
    expect(typeOf('engineerType')).toBe(
      '{ readonly id: number; readonly kind: "engineer"; readonly name: string; readonly language: string; } & Snapshot<"Person"> & Snapshot<"Engineer">',
    )
    expect(typeOf('narrowed')).toMatchInlineSnapshot(
      `"{ readonly id: number; readonly kind: "engineer" | "person"; readonly name: string; } & Snapshot<"Person"> & { readonly kind: "engineer"; readonly language: string; } & Snapshot<...>"`,
    )
  })

  test('a pending snapshot as what its draft may leave out', () => {
    expect(typeOf('pendingType')).toBe(
      '{ readonly id?: number; readonly joined?: Date; readonly name: string; readonly nickname?: string | null; } & Snapshot<"User">',
    )
  })

  test('a snapshot with what a model gives beside columns as one row', () => {
    expect(typeOf('extendedType')).toMatchInlineSnapshot(
      `"{ readonly id: number; readonly name: string; readonly nickname: string | null; readonly joined: Date; readonly count: number; readonly title: string; } & Snapshot<"User">"`,
    )
  })

  test('a draft that gives an attribute by one of its names as a choice', () => {
    expect(typeOf('namedDraftType')).toMatchInlineSnapshot(
      `"{ readonly id?: number; readonly joined?: Date; readonly name: string; readonly nickname?: string | null; readonly title?: never; } | { readonly id?: number; readonly joined?: Date; readonly name?: never; readonly nickname?: string | null; readonly title: string; }"`,
    )
  })

  test('a value of the own kind as what it is', () => {
    expect(typeOf('representedType')).toMatchInlineSnapshot(
      `"Program<Misrepresented | AddError, { id: number; name: string; }>"`,
    )
  })

  test('a draft as a record', () => {
    expect(typeOf('draftType')).toMatch(
      /^\{ readonly email: string; readonly id\?: number; readonly user\?: Snapshot<"User"> \| \{ readonly addresses\?: /,
    )
    expect(typeOf('draftType')).not.toContain('Model<')
  })

  test('what a relationship holds as an array of rows', () => {
    expect(typeOf('relatedType')).toBe(
      'readonly ({ readonly id: number; readonly email: string; readonly userId: number; } & Snapshot<"Address">)[]',
    )
  })

  test('a program by its error and value', () => {
    expect(typeOf('programType')).toMatch(/^Program<AddError, \{ readonly id\?: number; .* \} & Snapshot<"User">>$/)
    expect(typeOf('tag')).toBe('"Left" | "Right"')
  })

  test('the result of a query as rows with what was loaded beside them', () => {
    expect(typeOf('found')).toContain(row)
    expect(typeOf('found')).toContain('readonly addresses:')
    expect(typeOf('found')).not.toContain('Column<')
    expect(typeOf('found')).not.toContain('Model<')
  })
})

describe('an editor shows of rows', () => {
  test('what each of them holds', () => {
    expect(typeOf('rowType')).toBe(
      `{ readonly user: ${row} & Snapshot<"User">; readonly joined: Date | null; readonly n: number; }`,
    )
  })

  test('a program of one result by its row, not by the model', () => {
    expect(typeOf('onlyProgram')).toBe(`Program<NoResult | QueryError, ${row} & Snapshot<"User">>`)
  })
})

describe('the compiler says', () => {
  test('which inverse is no relationship of which entity', () => {
    expect(messages.join('\n')).toContain("'owner' is no relationship of Address")
  })

  test('which attribute has the wrong type', () => {
    expect(messages.join('\n')).toMatch(/Type 'number' is not assignable to type 'string'/)
  })
})
