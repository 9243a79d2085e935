/**
 * Pages of the guide, and the tests that run them.
 *
 * Each ```ts block of docs/PAGE.md stands in test/docs/PAGE.test.ts too, between `// #region EXAMPLE` and `// #endregion`,
 * in the page's order; blocks of one example bear its name, and go on from each other. What a block logs stands in it, as
 * `// => ...` of a single line, or in the ```text block that follows it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format } from 'node:util'
import { expect, test, vi } from 'vitest'

interface Block {
  readonly code: string
  /** The lines that it logs. */
  readonly logs: ReadonlyArray<string>
}

interface Region {
  readonly example: string
  readonly code: string
}

export interface Page {
  readonly blocks: ReadonlyArray<Block>
  readonly regions: ReadonlyArray<Region>
  /** The source of its tests. */
  readonly source: string
}

const folder = fileURLToPath(new URL('../../docs/', import.meta.url))

/** The names of all pages. */
export const pages: ReadonlyArray<string> = readdirSync(folder).flatMap((file) => /^(.*)\.md$/.exec(file)?.[1] ?? [])

export const readPage = (name: string): Page => {
  const source = readFileSync(new URL(`${name}.test.ts`, import.meta.url), 'utf8')
  return { blocks: blocksOf(readFileSync(`${folder}${name}.md`, 'utf8')), regions: regionsOf(source), source }
}

const blocksOf = (page: string): ReadonlyArray<Block> => {
  const fences = [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, body = '']) => ({ language, body }))
  return fences.flatMap(({ language, body }, i) => {
    if (language !== 'ts') return []
    const next = fences[i + 1]
    const logs = next?.language === 'text' ? next.body.trimEnd().split('\n') : loggedIn(body)
    return [{ code: body.trimEnd(), logs }]
  })
}

const loggedIn = (code: string): ReadonlyArray<string> =>
  [...code.matchAll(/\/\/ => (.*)$/gm)].map(([, line = '']) => line)

const regionsOf = (source: string): ReadonlyArray<Region> =>
  [...source.matchAll(/^( *)\/\/ #region ([^\n]+)\n(.*?)^ *\/\/ #endregion$/gms)].map(
    ([, indent = '', example = '', code = '']) => ({
      example,
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trim(),
    }),
  )

/** Makes the tests of a page: each runs the body of one example, which has to log what the page says. */
export const examplesOf = (page: string): ((example: string, body: () => void | Promise<void>) => void) => {
  const { blocks, regions } = readPage(page)
  return (example, body) => {
    test(example, async () => {
      const log = vi.spyOn(console, 'log').mockImplementation(() => {})
      try {
        await body()
        const lines = log.mock.calls.flatMap((given) => format(...given).split('\n'))
        expect(lines).toEqual(blocks.flatMap(({ logs }, i) => (regions[i]?.example === example ? logs : [])))
      } finally {
        log.mockRestore()
      }
    })
  }
}
