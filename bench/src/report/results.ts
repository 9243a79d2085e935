/**
 * Results as files: figures as JSON, with what they were measured on, and a picture.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../results/', import.meta.url))

/** What the figures depend on besides the code. */
const machine = () => ({
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  loadAverage: loadavg()[0],
})

const write = (file: string, content: string): string => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, file), content)
  return `bench/results/${file}`
}

/** Writes what was measured, and gives the file's path. */
export const writeResults = (name: string, measured: unknown): string =>
  write(
    `${name}.json`,
    `${JSON.stringify({ measuredAt: new Date().toISOString(), machine: machine(), measured }, null, 2)}\n`,
  )

/** Writes a picture, and gives the file's path. */
export const writePicture = (name: string, svg: string): string => write(`${name}.svg`, svg)
