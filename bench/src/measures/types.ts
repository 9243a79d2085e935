/**
 * What a large model costs the compiler: a hundred entities with three hundred relationships, and queries over each.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What `tsc --extendedDiagnostics` says of it. */
export interface TypeCost {
  readonly entities: number
  readonly relationships: number
  readonly instantiations: number
  readonly checkSeconds: number
  readonly totalSeconds: number
}

const name = (i: number): string => `Entity${i}`

/** Each entity refers to the next and to the one seven further on, and has what the one before it refers by. */
const source = (entities: number): string => {
  const at = (i: number): number => i % entities
  const indexes = Array.from({ length: entities }, (_, i) => i)
  return `
import { defineModel, entity, filterBy, generated, integer, limit, nullable, orderBy, primaryKey, select, selectin, text, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'

${indexes
  .map(
    (i) => `const ${name(i)} = entity('${name(i)}', 'entities_${i}', {
  id: pipe(integer, primaryKey, generated), name: text, note: pipe(text, nullable), nextId: integer, otherId: pipe(integer, nullable),
})`,
  )
  .join('\n')}

export const model = defineModel({ ${indexes.map(name).join(', ')} })((r) => ({
${indexes
  .map(
    (i) => `  ${name(i)}: {
    next: r.${name(i)}.belongsTo('${name(at(i + 1))}', { foreignKey: 'nextId', inverse: 'before' }),
    before: r.${name(i)}.hasMany('${name(at(i + entities - 1))}', { foreignKey: 'nextId', inverse: 'next' }),
    other: r.${name(i)}.belongsTo('${name(at(i + 7))}', { foreignKey: 'otherId' }),
  },`,
  )
  .join('\n')}
}))

${indexes
  .map(
    (i) => `export const program${i} = Session.gen(function* () {
  const added = yield* Session.add(model.${name(i)}, { name: 'a', next: { name: 'b', next: { name: 'c', nextId: 1 } } })
  yield* pipe(added, Session.set(model.${name(i)}, { note: added.name }))
  const found = yield* pipe(
    select(model.${name(i)}),
    where((eb) => eb('name', '=', 'a').and('note', 'is not', null)),
    filterBy({ nextId: 1 }),
    orderBy('name'),
    limit(10),
    selectin('before', (before) => pipe(before, selectin('other'))),
    Session.query,
  )
  return found.flatMap((one) => one.before.map(({ name }) => name))
})`,
  )
  .join('\n')}
`
}

const config = {
  extends: '../../tsconfig.base.json',
  compilerOptions: {
    composite: false,
    incremental: false,
    noEmit: true,
    declaration: false,
    declarationMap: false,
    sourceMap: false,
    inlineSources: false,
    rootDir: '../..',
    tsBuildInfoFile: null,
  },
  include: ['.'],
}

const figure = (output: string, label: string): number =>
  Number(new RegExp(`^${label}:\\s*([\\d.]+)`, 'm').exec(output)?.[1] ?? Number.NaN)

/** Type-checks such a model in a process of its own; its source is left in bench/types, to be looked at. */
export const typeCost = (entities: number): TypeCost => {
  const folder = fileURLToPath(new URL('../../types/', import.meta.url))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'model.ts'), source(entities))
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config, null, 2))
  const { status, stdout } = spawnSync('npx', ['tsc', '-p', folder, '--extendedDiagnostics'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stdout)
  return {
    entities,
    relationships: 3 * entities,
    instantiations: figure(stdout, 'Instantiations'),
    checkSeconds: figure(stdout, 'Check time'),
    totalSeconds: figure(stdout, 'Total time'),
  }
}
