// The pnpm that package.json pins, on a machine that has just Node and npm.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { devEngines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
export const pnpm = `pnpm@${devEngines.packageManager.version}`

const stopUnlessDone = (what, { status, signal, error, stdout, stderr }) => {
  if (status === 0) return
  if (stdout || stderr) console.error(`${stdout}${stderr}`)
  console.error(`${what} failed: ${error?.message ?? (signal ? `ended by ${signal}` : `exit code ${status}`)}`)
  process.exit(status ?? 1)
}

/** Runs a command by npx in a folder, and ends this process where it fails, with its exit code. */
export const npx = (what, args, { cwd = root, ...options } = {}) =>
  stopUnlessDone(
    what,
    spawnSync('npx', ['--loglevel=error', '-y', ...args], {
      cwd,
      encoding: 'utf8',
      shell: process.platform === 'win32',
      ...options,
    }),
  )

// Native packages are compiled without a download where Node's headers lie beside its binary.
const installEnv = () => {
  const prefix = dirname(dirname(process.execPath))
  const hasHeaders = existsSync(join(prefix, 'include', 'node', 'node_version.h'))
  return hasHeaders ? { ...process.env, npm_config_nodedir: prefix } : process.env
}

/** Installs what a folder's lock file says, whose output matters only where it fails. */
export const install = (what, cwd = root) =>
  npx(what, [pnpm, 'install', '--frozen-lockfile', '--prefer-offline'], {
    cwd,
    env: installEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 256 * 1024 * 1024,
  })
