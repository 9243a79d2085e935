/**
 * The folder of the databases: a temporary one, or one that stays.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as Either from 'fp-ts/lib/Either.js'
import { fileOf, shardNames } from './shards.js'

export interface Folder {
  readonly path: string
  /** Removes it, where it is temporary. */
  readonly close: () => void
}

/** The folder to keep, made where it is not there; null for a temporary one. Or, in one line, why it cannot be used. */
export const openFolder = (keep: string | null): Either.Either<string, Folder> =>
  Either.tryCatch(
    () => (keep === null ? temporary() : kept(keep)),
    (error) => (error as Error).message,
  )

const temporary = (): Folder => {
  const path = mkdtempSync(join(tmpdir(), 'unitary-weather-'))
  return { path, close: () => rmSync(path, { recursive: true, force: true }) }
}

const kept = (path: string): Folder => {
  mkdirSync(path, { recursive: true })
  const taken = shardNames.map((shard) => fileOf(path, shard)).find((file) => existsSync(file))
  if (taken !== undefined) throw new Error(`${taken} is there already; name a folder without it`)
  return { path, close: () => undefined }
}
