/**
 * Sorting by dependency: generic, pure, deterministic.
 */

/** An order was found, in levels that do not depend on themselves; or a cycle. @category model */
export type Sorted<A> =
  | { readonly _tag: 'Levels'; readonly levels: ReadonlyArray<ReadonlyArray<A>> }
  | { readonly _tag: 'Cycle'; readonly cycle: ReadonlyArray<A> }

/**
 * Nodes in levels: each node stands after all that it depends on, and every level keeps the order in which its nodes were
 * given. Kahn's algorithm, by levels. O(V + E).
 *
 * @category combinators
 */
export const sortByLevels = <A>(nodes: ReadonlyArray<A>, dependsOn: (node: A) => ReadonlyArray<A>): Sorted<A> => {
  const waitingFor = new Map<A, number>(nodes.map((node) => [node, 0]))
  const dependents = new Map<A, A[]>()
  for (const node of nodes) {
    for (const dependency of new Set(dependsOn(node))) {
      if (!waitingFor.has(dependency)) continue
      waitingFor.set(node, (waitingFor.get(node) as number) + 1)
      const list = dependents.get(dependency)
      if (list === undefined) dependents.set(dependency, [node])
      else list.push(node)
    }
  }
  const place = new Map(nodes.map((node, i) => [node, i]))
  const levels: A[][] = []
  let level = nodes.filter((node) => waitingFor.get(node) === 0)
  let done = 0
  while (level.length > 0) {
    levels.push(level)
    done += level.length
    const next: A[] = []
    for (const node of level) {
      for (const dependent of dependents.get(node) ?? []) {
        const left = (waitingFor.get(dependent) as number) - 1
        waitingFor.set(dependent, left)
        if (left === 0) next.push(dependent)
      }
    }
    level = next.sort((a, b) => (place.get(a) as number) - (place.get(b) as number))
  }
  if (done === nodes.length) return { _tag: 'Levels', levels }
  return {
    _tag: 'Cycle',
    cycle: findCycle(
      nodes.filter((node) => (waitingFor.get(node) as number) > 0),
      dependsOn,
    ),
  }
}

/** Every node of `stuck` waits for another of them, so walking dependencies must come around. */
const findCycle = <A>(stuck: ReadonlyArray<A>, dependsOn: (node: A) => ReadonlyArray<A>): ReadonlyArray<A> => {
  const isStuck = new Set(stuck)
  const path: A[] = []
  const places = new Map<A, number>()
  let node = stuck[0]
  while (node !== undefined) {
    const place = places.get(node)
    if (place !== undefined) return [...path.slice(place), node]
    places.set(node, path.length)
    path.push(node)
    node = dependsOn(node).find((dependency) => isStuck.has(dependency))
  }
  return path
}

/**
 * The strongly connected components of a graph, dependencies first (Tarjan, "Depth-first search and linear graph
 * algorithms", 1972). Iteration over `nodes` fixes the order among independent ones. O(V + E).
 *
 * @category combinators
 */
export const components = <A>(
  nodes: ReadonlyArray<A>,
  dependsOn: (node: A) => ReadonlyArray<A>,
): ReadonlyArray<ReadonlyArray<A>> => {
  const found: A[][] = []
  const index = new Map<A, number>()
  const low = new Map<A, number>()
  const open: A[] = []
  const isOpen = new Set<A>()
  for (const root of nodes) {
    if (index.has(root)) continue
    const work: Array<{ readonly node: A; readonly edges: ReadonlyArray<A>; next: number }> = []
    const enter = (node: A): void => {
      index.set(node, index.size)
      low.set(node, index.get(node) as number)
      open.push(node)
      isOpen.add(node)
      work.push({ node, edges: dependsOn(node), next: 0 })
    }
    enter(root)
    for (let top = work.at(-1); top !== undefined; top = work.at(-1)) {
      const target = top.edges[top.next++]
      if (target !== undefined) {
        if (!index.has(target)) enter(target)
        else if (isOpen.has(target)) lower(low, top.node, index.get(target) as number)
        continue
      }
      work.pop()
      const parent = work.at(-1)
      if (parent !== undefined) lower(low, parent.node, low.get(top.node) as number)
      if (low.get(top.node) === index.get(top.node)) {
        const component = open.splice(open.lastIndexOf(top.node))
        for (const node of component) isOpen.delete(node)
        found.push(component)
      }
    }
  }
  return found
}

const lower = <A>(low: Map<A, number>, node: A, value: number): void => {
  if (value < (low.get(node) as number)) low.set(node, value)
}
