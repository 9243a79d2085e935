/**
 * What an editor shows while the pointer rests on a name, of a small model and of a large one: it is to be read, and may not grow
 * with the model.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Editor, editorOf } from './language-server.js'

/** Each entity refers to the next and to the one seven further on, and has what the one before it refers by. */
const sourceOf = (entities: number): string => {
  const name = (i: number): string => `Entity${(i + entities) % entities}`
  const indexes = Array.from({ length: entities }, (_, i) => i)
  return `
import {
  type Draft, defineModel, entity, generated, instant, integer, type Managed, nullable, type Pending, primaryKey, select,
  selectin, selectRows, text, where, withDefault,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'

${indexes
  .map(
    (i) => `const ${name(i)} = entity('${name(i)}', 'entities_${i}', {
  id: pipe(integer, primaryKey, generated), name: text, note: pipe(text, nullable),
  made: pipe(instant, withDefault((services) => services.now)), nextId: integer, otherId: pipe(integer, nullable),
})`,
  )
  .join('\n')}

export const model = defineModel({ ${indexes.map(name).join(', ')} })((r) => ({
${indexes
  .map(
    (i) => `  ${name(i)}: {
    next: r.${name(i)}.belongsTo('${name(i + 1)}', { foreignKey: 'nextId', inverse: 'before' }),
    before: r.${name(i)}.hasMany('${name(i - 1)}', { foreignKey: 'nextId', inverse: 'next' }),
    other: r.${name(i)}.belongsTo('${name(i + 7)}', { foreignKey: 'otherId' }),
  },`,
  )
  .join('\n')}
}))
type M = typeof model

declare const managedOne: Managed<M, 'Entity0'>
declare const pendingOne: Pending<M, 'Entity0'>
declare const draftOne: Draft<M, 'Entity0'>
declare const runtime: Session.Runtime
const mappedOne = model.Entity0
const adding = Session.add(model.Entity0, { name: 'a', next: { name: 'b', nextId: 1 } })
const withBefore = pipe(
  select(model.Entity0),
  where('name', '=', 'a'),
  selectin('before', (before) => pipe(before, selectin('other'))),
)
const asking = Session.query(withBefore)
const chained = pipe(Session.get(model.Entity0, 1), Session.chain(() => asking))
const rowsOfTwo = Session.rows(pipe(select(model.Entity0), selectRows((q) => ({ one: q.entity(), n: q.fn.countAll() }))))
export const generator = Session.gen(function* () {
  const added = yield* adding
  const [found] = yield* asking
  const reread = yield* Session.read(model.Entity0)(added)
  const relatedOnes = yield* Session.load(model.Entity0, 'before')(added)
  return [reread, relatedOnes, found?.before]
})
const ran = Session.runSync(runtime)(asking)
`
}

const row = `{
    readonly id: number;
    readonly name: string;
    readonly note: string | null;
    readonly made: Date;
    readonly nextId: number;
    readonly otherId: number | null;
}`
const pending = `{
    readonly id?: number;
    readonly made?: Date;
    readonly name: string;
    readonly nextId?: number;
    readonly note?: string | null;
    readonly otherId?: number | null;
}`

const indented = (text: string): string => text.replaceAll('\n', '\n    ')

const sizes = { small: 10, large: 100 } as const
const editors: { small?: Editor; large?: Editor } = {}

beforeAll(async () => {
  editors.small = await editorOf(sourceOf(sizes.small))
  editors.large = await editorOf(sourceOf(sizes.large))
  // the first question has the project checked
  for (const editor of Object.values(editors)) await editor.hover('managedOne')
}, 120_000)

afterAll(() => {
  for (const editor of Object.values(editors)) editor.close()
})

describe.each(Object.keys(sizes) as ReadonlyArray<keyof typeof sizes>)('of a %s model an editor shows', (size) => {
  const hover = async (name: string): Promise<string> => (await (editors[size] as Editor).hover(name)).text

  test('an instance as its row', async () => {
    expect(await hover('managedOne')).toBe(`const managedOne: ${row} & Snapshot<"Entity0">`)
    expect(await hover('reread')).toBe(`const reread: ${row} & Snapshot<"Entity0">`)
  })

  test('a pending one as what its draft may leave out', async () => {
    expect(await hover('pendingOne')).toBe(`const pendingOne: ${pending} & Snapshot<"Entity0">`)
    expect(await hover('added')).toBe(`const added: ${pending} & Snapshot<"Entity0">`)
  })

  test('a program as its errors and its value', async () => {
    expect(await hover('adding')).toBe(
      `const adding: Session.Program<Session.AddError, ${pending} & Snapshot<"Entity0">>`,
    )
    expect(await hover('rowsOfTwo')).toBe(
      `const rowsOfTwo: Session.Program<Session.QueryError, readonly {\n    readonly one: ${indented(row)} & Snapshot<"Entity0">;\n    readonly n: number;\n}[]>`,
    )
  })

  test('what a query gives, with what is loaded beside it', async () => {
    const shown = await hover('asking')
    expect(shown).toContain(`Session.Program<Session.QueryError, readonly (${row} & Snapshot<"Entity0"> & {`)
    expect(shown).toContain('readonly before: readonly ({')
    expect(shown).not.toContain('Model<')
  })

  test('what a relationship holds as a list of rows', async () => {
    const last = sizes[size] - 1
    expect(await hover('relatedOnes')).toBe(`const relatedOnes: readonly (${row} & Snapshot<"Entity${last}">)[]`)
  })

  test('a draft with the drafts in it, as deep as it goes, and no model', async () => {
    const shown = await hover('draftOne')
    expect(shown).toMatch(/^const draftOne: \{\n {4}readonly before\?: readonly \(Snapshot<"Entity\d+"> \| \{/)
    expect(shown).not.toMatch(/Model<|Column</)
  })
})

test('nothing that is shown grows with the model, nor takes long', async () => {
  const names = [
    'managedOne',
    'pendingOne',
    'draftOne',
    'mappedOne',
    'adding',
    'withBefore',
    'asking',
    'chained',
    'rowsOfTwo',
    'generator',
    'found',
    'ran',
  ]
  for (const name of names) {
    const small = await (editors.small as Editor).hover(name)
    const large = await (editors.large as Editor).hover(name)
    expect([name, large.text.length < Math.max(small.text.length, 1000) * 1.2]).toEqual([name, true])
    expect([name, large.text.length < 4000, large.milliseconds < 2000]).toEqual([name, true, true])
  }
})
