/**
 * What was compiled for one engine, found again by shape. Bounded: where it is full, what was not used for longest goes,
 * as the CLOCK algorithm finds it (each has a second chance), so that a hit has nothing to move.
 */
import type { CompiledStatement } from '../engine/call.js'
import type { ColumnKind } from '../model/column.js'
import type { Mapping } from '../model/mapping.js'
import { hasTokens, type Shape, type Token } from './shape.js'

/**
 * How an engine's compiled statements are used.
 *
 * @category model
 */
export interface CompileStatistics {
  /** How many shapes are held. */
  readonly size: number
  /** How many are held at the most. */
  readonly capacity: number
  /** Statements for which nothing was compiled: their shape was held, or their very tree had been compiled before. */
  readonly hits: number
  /** Statements that were compiled, whether their shape was kept or not. */
  readonly misses: number
  /** Shapes that went to make room for others. */
  readonly evictions: number
}

/** What was said of how columns of the result are read. */
type Kinds = ReadonlyMap<string, ColumnKind>

/** A shape, and what it was compiled to. */
export interface CompiledShape {
  readonly mappings: ReadonlyArray<Mapping>
  readonly kinds: Kinds
  readonly tokens: ReadonlyArray<Token>
  /** In its names. */
  readonly characters: number
  readonly compiled: CompiledStatement
  /** Whether the parameters are the shape's values, as they are. */
  readonly isPlain: boolean
}

export interface CompileCache {
  readonly capacity: number
  /** What the shape was compiled to for a model. Counts a hit where it was. */
  readonly find: (mappings: ReadonlyArray<Mapping>, kinds: Kinds, shape: Shape) => CompiledShape | null
  /** Holds a shape that `find` did not find. */
  readonly keep: (hash: number, shape: CompiledShape) => void
  readonly hit: () => void
  readonly miss: () => void
  readonly statistics: () => CompileStatistics
}

/** Shapes of one hash. */
interface Bucket {
  readonly shapes: CompiledShape[]
  isUsed: boolean
}

/** Hashes are good enough that more than one is rare. */
const mostInBucket = 8

/**
 * @category constructors
 */
export const compileCache = (capacity: number): CompileCache => {
  const buckets = new Map<number, Bucket>()
  let size = 0
  let hits = 0
  let misses = 0
  let evictions = 0

  const find: CompileCache['find'] = (mappings, kinds, shape) => {
    const bucket = buckets.get(shape.hash)
    if (bucket === undefined) return null
    for (const known of bucket.shapes) {
      if (known.mappings !== mappings || !isSame(known.kinds, kinds) || !hasTokens(known.tokens, shape)) continue
      bucket.isUsed = true
      hits++
      return known
    }
    return null
  }

  /** The oldest of a bucket goes. */
  const drop = (hash: number, { shapes }: Bucket): void => {
    shapes.shift()
    if (shapes.length === 0) buckets.delete(hash)
    size--
    evictions++
  }

  const evict = (): void => {
    for (const [hash, bucket] of buckets) {
      if (!bucket.isUsed) {
        drop(hash, bucket)
        return
      }
      bucket.isUsed = false
      buckets.delete(hash)
      buckets.set(hash, bucket)
    }
  }

  const keep: CompileCache['keep'] = (hash, shape) => {
    const bucket = buckets.get(hash)
    if (bucket?.shapes.length === mostInBucket) drop(hash, bucket)
    else if (size === capacity) evict()
    // the bucket may have gone
    const held = buckets.get(hash)
    if (held === undefined) buckets.set(hash, { shapes: [shape], isUsed: false })
    else held.shapes.push(shape)
    size++
  }

  return {
    capacity,
    find,
    keep,
    hit: () => {
      hits++
    },
    miss: () => {
      misses++
    },
    statistics: () => ({ size, capacity, hits, misses, evictions }),
  }
}

const isSame = (a: Kinds, b: Kinds): boolean => {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const [name, kind] of a) if (b.get(name) !== kind) return false
  return true
}
