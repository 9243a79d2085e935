/** Sources that are printed: type-checked as their users would have them, and loaded. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))

export interface Printed {
  /** Writes a source to a file, whose module it gives. */
  readonly load: <A>(name: string, source: string) => Promise<A>
  /** What the compiler says of all files so far. */
  readonly check: () => string
  readonly remove: () => void
}

export const printed = (): Printed => {
  const cache = join(root, 'test/node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'printed-'))
  return {
    load: async (name, source) => {
      const file = join(folder, `${name}.ts`)
      writeFileSync(file, source)
      return await import(/* @vite-ignore */ file)
    },
    check: () => {
      const compilerOptions = {
        composite: false,
        noEmit: true,
        rootDir: root,
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
        declaration: false,
        declarationMap: false,
      }
      const config = { extends: join(root, 'tsconfig.base.json'), compilerOptions, include: ['*.ts'] }
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
      const compiler = join(root, 'node_modules/typescript/bin/tsc')
      return spawnSync(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], { encoding: 'utf8' }).stdout
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
