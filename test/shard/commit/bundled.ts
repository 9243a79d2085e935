/**
 * A program of the tests' own in one file, as a process of its own is to run it: from the sources, and quick to start.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

// below node_modules, so that drivers are found from there
const cache = fileURLToPath(new URL('../../node_modules/.cache/bundled/', import.meta.url))

export interface Bundled {
  readonly file: string
  readonly remove: () => void
}

export const bundled = async (source: URL): Promise<Bundled> => {
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(cache)
  const bundle = await rolldown({
    input: fileURLToPath(source),
    platform: 'node',
    external: ['pg', 'mysql2', 'better-sqlite3'],
    resolve: { conditionNames: ['@unitary/source', 'import', 'node', 'default'] },
  })
  const file = join(folder, 'main.mjs')
  await bundle.write({ file, format: 'esm', codeSplitting: false })
  await bundle.close()
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
