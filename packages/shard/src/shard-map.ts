/**
 * A shard map: the databases of one session, each under a token.
 *
 * The order of the map is the order in which shards are asked and in which their answers follow each other. Tokens are
 * written into identity keys, so a shard keeps its token for as long as its rows are known anywhere.
 */
import type { Engine } from '@unitary/core'

/**
 * @category model
 */
export interface ShardMap<out Token extends string = string> {
  readonly _tag: 'ShardMap'
  /** In the order of the map. */
  readonly tokens: ReadonlyArray<Token>
  readonly engines: ReadonlyMap<string, Engine>
  /** The place of each token in the map. */
  readonly places: ReadonlyMap<string, number>
}

/**
 * A shard map of engines by token, in the order of the record. (JavaScript puts keys that look like whole numbers
 * first, in ascending order.)
 *
 * @example
 * const shards = shardMap({
 *   asia: sqliteEngine(new Database('asia.db')),
 *   europe: sqliteEngine(new Database('europe.db')),
 * })
 *
 * @category constructors
 */
export const shardMap = <Token extends string>(engines: Readonly<Record<Token, Engine>>): ShardMap<Token> => {
  const tokens = Object.keys(engines) as Token[]
  return {
    _tag: 'ShardMap',
    tokens,
    engines: new Map(tokens.map((token) => [token, engines[token]])),
    places: new Map(tokens.map((token, place) => [token, place])),
  }
}

/**
 * Why a map cannot be used; null where it can. An engine that stood under two tokens would give each of its rows two
 * identities, and a session would wait for itself where the engine has one connection.
 */
export const faultOf = ({ engines }: ShardMap): string | null => {
  if (engines.size === 0) return 'the shard map is empty; give it at least one engine'
  const seen = new Map<Engine, string>()
  for (const [token, engine] of engines) {
    const other = seen.get(engine)
    if (other !== undefined) {
      return `shards '${other}' and '${token}' are the same engine; give each shard an engine of its own`
    }
    seen.set(engine, token)
  }
  return null
}

/** The engine of the database that an engine is on. */
export const databaseOf = (engine: Engine): Engine => engine.layout?.engine ?? engine

/** The first shard of each database. */
export const firstOfEach = ({ engines }: ShardMap): ReadonlyMap<string, Engine> => {
  const first = new Map<Engine, string>()
  for (const [token, engine] of engines) if (!first.has(databaseOf(engine))) first.set(databaseOf(engine), token)
  return new Map(Array.from(first, ([database, token]) => [token, database]))
}

/** Why a map cannot be committed as one: who has prepared what is told by shards, each of a database of its own. */
export const atomicFaultOf = (shards: ShardMap): string | null => {
  const databases = firstOfEach(shards).size
  return databases === 1 || databases === shards.tokens.length
    ? null
    : 'several shards of the map share a database, and others do not; atomic commits need each on a database of its own, or all on one'
}
