// Installs the peers, unless that was done, and makes Prisma's client of its schema. Prisma's schema engine is not needed
// for that, and not downloaded.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { install, npx } from '../../scripts/pnpm.mjs'

const folder = fileURLToPath(new URL('.', import.meta.url))

if (!process.argv.includes('--no-peers')) {
  if (!existsSync(`${folder}node_modules/.modules.yaml`)) console.log('Installing the peers.')
  install('Installing the peers', folder)
  if (!existsSync(`${folder}prisma-client`)) {
    npx("Making Prisma's client", ['prisma', 'generate'], {
      cwd: folder,
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', PRISMA_HIDE_UPDATE_MESSAGE: 'true' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }
}
