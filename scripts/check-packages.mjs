// Packs every package as it would be published and looks at the tarball: publint and attw find nothing to say, and
// nothing of the workspace (the source condition, workspace: and catalog: versions) is left in its package.json.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = join(dirname(dirname(fileURLToPath(import.meta.url))), 'packages')
const scratch = mkdtempSync(join(tmpdir(), 'unitary-pack-'))
const shell = process.platform === 'win32'

const run = (cwd, command, ...args) => {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', shell })
  return { ok: status === 0, output: error ? error.message : `${stdout}${stderr}` }
}

const check = (name) => {
  const cwd = join(packages, name)
  const tarball = join(scratch, `${name}.tgz`)
  const packed = run(cwd, 'pnpm', 'pack', '--out', tarball)
  if (!packed.ok) return [`pnpm pack: ${packed.output}`]
  const manifest = run(cwd, 'tar', '-xzOf', tarball, 'package/package.json')
  const leftovers = ['@unitary/source', '"workspace:', '"catalog:'].filter((word) => manifest.output.includes(word))
  const publint = run(cwd, 'publint', '--strict', tarball)
  const attw = run(cwd, 'attw', '--profile', 'esm-only', '--no-emoji', tarball)
  return [
    ...(manifest.ok ? leftovers.map((word) => `the packed package.json has ${word}`) : [manifest.output]),
    ...(publint.ok ? [] : [publint.output]),
    ...(attw.ok ? [] : [attw.output]),
  ]
}

let failed = false
for (const name of readdirSync(packages).sort()) {
  const problems = check(name)
  failed ||= problems.length > 0
  console.log(`${problems.length === 0 ? 'ok    ' : 'FAILED'} ${name}`)
  for (const problem of problems) console.error(problem)
}
rmSync(scratch, { recursive: true, force: true })
process.exit(failed ? 1 : 0)
