// Runs a script of package.json with the pnpm that package.json pins: installs what the lock file says, then runs
// `pnpm run <script> ...args`. Stops at the first failure, with its exit code.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { install, npx, pnpm, root } from './pnpm.mjs'

const [script, ...args] = process.argv.slice(2)
if (script === undefined) {
  console.error('usage: node scripts/with-pnpm.mjs <script> [...args]')
  process.exit(2)
}

if (!existsSync(join(root, 'node_modules', '.modules.yaml'))) {
  console.log(`Installing the dependencies with ${pnpm}; where SQLite has to be compiled this takes a minute or two.`)
}
install('Installing the dependencies')
npx(`"${script}"`, [pnpm, 'run', script, ...args], { stdio: 'inherit' })
