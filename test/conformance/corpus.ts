/**
 * Reading the scenarios from a folder that holds `corpus/` and `random/`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CorpusFile, ModelDescription, Scenario } from './scenario.js'

/** A scenario with the model that it is about. */
export interface Case {
  readonly scenario: Scenario
  readonly model: ModelDescription
}

/** The folder that `UNITARY_CORPUS` names, or this one. */
export const corpusFolder = (): string =>
  process.env.UNITARY_CORPUS === undefined
    ? dirname(fileURLToPath(import.meta.url))
    : resolve(process.env.UNITARY_CORPUS)

/** All scenarios of a folder: first the designed ones, then the random ones, each by the name of its file. */
export const readCases = (folder: string): ReadonlyArray<Case> =>
  ['corpus', 'random'].flatMap((kind) => {
    const path = join(folder, kind)
    return existsSync(path)
      ? readdirSync(path)
          .filter((name) => name.endsWith('.json'))
          .sort()
          .flatMap((name) => casesOf(JSON.parse(readFileSync(join(path, name), 'utf8')) as CorpusFile))
      : []
  })

const casesOf = (file: CorpusFile): ReadonlyArray<Case> =>
  file.scenarios.map((scenario) => ({ scenario, model: file.models[scenario.model] as ModelDescription }))
