// Runs a script of package.json with the pnpm that package.json pins, on a machine that has just Node and npm:
// installs what the lock file says, then runs `pnpm run <script> ...args`. Stops at the first failure, with its exit code.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { devEngines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const pnpm = `pnpm@${devEngines.packageManager.version}`

const runPnpm = (args, options) =>
  spawnSync('npx', ['--loglevel=error', '-y', pnpm, ...args], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    ...options,
  })

const stopUnlessDone = (what, { status, signal, error, stdout, stderr }) => {
  if (status === 0) return
  if (stdout || stderr) console.error(`${stdout}${stderr}`)
  console.error(`${what} failed: ${error?.message ?? (signal ? `ended by ${signal}` : `exit code ${status}`)}`)
  process.exit(status ?? 1)
}

// Native packages are compiled without a download where Node's headers lie beside its binary.
const installEnv = () => {
  const prefix = dirname(dirname(process.execPath))
  const hasHeaders = existsSync(join(prefix, 'include', 'node', 'node_version.h'))
  return hasHeaders ? { ...process.env, npm_config_nodedir: prefix } : process.env
}

const [script, ...args] = process.argv.slice(2)
if (script === undefined) {
  console.error('usage: node scripts/with-pnpm.mjs <script> [...args]')
  process.exit(2)
}

if (!existsSync(join(root, 'node_modules', '.modules.yaml'))) {
  console.log(`Installing the dependencies with ${pnpm}; where SQLite has to be compiled this takes a minute or two.`)
}
stopUnlessDone(
  'Installing the dependencies',
  // Its output matters only when it fails.
  runPnpm(['install', '--frozen-lockfile', '--prefer-offline'], {
    env: installEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 256 * 1024 * 1024,
  }),
)
stopUnlessDone(`"${script}"`, runPnpm(['run', script, ...args], { stdio: 'inherit' }))
