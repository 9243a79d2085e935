import { describe, expect, test } from 'vitest'
import { pages, readPage } from './page.js'

describe.each(pages)('docs/%s.md', (name) => {
  const { blocks, regions, source } = readPage(name)

  test('shows the code of its tests, all of it and in the same order', () => {
    expect(blocks.map(({ code }) => code)).toEqual(regions.map(({ code }) => code))
  })

  test('says what is logged only where an example runs it', () => {
    const logging = regions.filter((_, i) => blocks[i]?.logs.length !== 0)
    expect(logging.filter(({ example }) => !source.includes(`('${example}', `))).toEqual([])
  })
})
