import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { components, sortByLevels } from '../../../packages/session/src/unit-of-work/topological-sort.js'

interface Graph {
  readonly nodes: ReadonlyArray<number>
  readonly edges: ReadonlyMap<number, ReadonlyArray<number>>
}

const graph: fc.Arbitrary<Graph> = fc.integer({ min: 0, max: 12 }).chain((n) =>
  fc.array(fc.tuple(fc.nat(Math.max(0, n - 1)), fc.nat(Math.max(0, n - 1))), { maxLength: n * 2 }).map((pairs) => ({
    nodes: Array.from({ length: n }, (_, i) => i),
    edges: new Map(
      Array.from({ length: n }, (_, i) => [i, pairs.filter(([from]) => from === i).map(([, to]) => to)] as const),
    ),
  })),
)

const dependsOn =
  ({ edges }: Graph) =>
  (node: number): ReadonlyArray<number> =>
    edges.get(node) ?? []

/** The nodes that a node reaches by one edge or more. */
const reach = (of: Graph, from: number): ReadonlySet<number> => {
  const reached = new Set<number>()
  const stack = [...dependsOn(of)(from)]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (reached.has(node)) continue
    reached.add(node)
    stack.push(...dependsOn(of)(node))
  }
  return reached
}

describe('sortByLevels', () => {
  test('puts every node after all that it depends on, as early as that allows, or names a cycle', () => {
    fc.assert(
      fc.property(graph, (g) => {
        const sorted = sortByLevels(g.nodes, dependsOn(g))
        if (sorted._tag === 'Cycle') {
          expect(sorted.cycle.length).toBeGreaterThan(1)
          expect(sorted.cycle[0]).toBe(sorted.cycle.at(-1))
          sorted.cycle.slice(1).forEach((node, i) => {
            expect(dependsOn(g)(sorted.cycle[i] as number)).toContain(node)
          })
          return
        }
        expect(g.nodes.some((node) => reach(g, node).has(node))).toBe(false)
        expect(sorted.levels.flat().sort((a, b) => a - b)).toEqual(g.nodes)
        const levelOf = new Map(sorted.levels.flatMap((level, i) => level.map((node) => [node, i] as const)))
        for (const node of g.nodes) {
          const below = dependsOn(g)(node).map((dependency) => levelOf.get(dependency) as number)
          expect(levelOf.get(node)).toBe(Math.max(-1, ...below) + 1)
        }
        for (const level of sorted.levels) expect(level).toEqual([...level].sort((a, b) => a - b))
      }),
      { numRuns: 300 },
    )
  })

  test('takes no notice of dependencies outside of the nodes', () => {
    expect(sortByLevels(['a', 'b'], () => ['elsewhere'])).toEqual({ _tag: 'Levels', levels: [['a', 'b']] })
  })

  test('a node that depends on itself is a cycle', () => {
    expect(sortByLevels(['a'], () => ['a'])).toEqual({ _tag: 'Cycle', cycle: ['a', 'a'] })
  })
})

describe('components', () => {
  test('groups the nodes that reach each other, dependencies first', () => {
    fc.assert(
      fc.property(graph, (g) => {
        const found = components(g.nodes, dependsOn(g))
        expect(found.flat().sort((a, b) => a - b)).toEqual(g.nodes)
        const groupOf = new Map(found.flatMap((group, i) => group.map((node) => [node, i] as const)))
        for (const a of g.nodes) {
          for (const b of g.nodes) {
            const together = a === b || (reach(g, a).has(b) && reach(g, b).has(a))
            expect(groupOf.get(a) === groupOf.get(b)).toBe(together)
          }
          for (const b of dependsOn(g)(a)) {
            expect(groupOf.get(b) as number).toBeLessThanOrEqual(groupOf.get(a) as number)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  test('walks a chain of 100,000 nodes without overflowing the stack', () => {
    const nodes = Array.from({ length: 100_000 }, (_, i) => i)
    expect(components(nodes, (node) => (node + 1 < nodes.length ? [node + 1] : []))).toHaveLength(100_000)
  })
})
