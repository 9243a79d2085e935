/**
 * Hooks: pure functions that a session calls when something happens to it.
 *
 * They are given values and answer with values: keep what is given, accept another value, or refuse; and which changes are
 * to follow. They live on the state of their session, so that transitions can call them. Nothing that they are given can be
 * changed, and where one refuses, the state stays as it was.
 *
 * What happens calls hooks in this order:
 *
 * | step | hooks, in their order |
 * | --- | --- |
 * | `set` | `set` of the attributes, then of the references, each in the order in which the entity declares them; after each reference its other sides: `remove` (or `set`) of what it held, `append` (or `set`) of what it holds |
 * | `append` | for each member: `append`, then on the other side `set` (or `append`), then `remove` where it was before; `remove` of a member whose key or place it takes, with its other side |
 * | `detach` | `remove`, then on the other side `set` (or `remove`) |
 * | `replace` | the load of the collection, where it is not loaded; `replace`; then as with `append` for each that is new; then as with `detach` for each that goes |
 * | `make`, `add` of drafts | for each instance, what is nested in a draft before it: as with `set` for what it gives, its relationships in the order in which the entity declares them, collections as with `replace` |
 * | `set`, `append`, `replace` given drafts | those of the drafts, then those of the change |
 * | `merge` | for each instance: as with `set` and `replace`, whether or not a value differs |
 * | a query, get or load | `beforeExecute` of the entity, then of the session; the autoflush; the statement; `load` of each instance in the order of the rows |
 * | a bulk statement | `beforeExecute`, the autoflush, the statement |
 * | an insert past the unit of work | `beforeInsert` of the entity, then of the session; the autoflush; the statement; `load` of each instance that it returns |
 * | `flush` | `beforeFlush`, the plan, its statements, `afterFlush` |
 * | `commit` | as with `flush` while there is work; the commit; `afterCommit` |
 * | `rollback` | the rollback; `afterRollback` |
 *
 * Hooks of an entity are those of its subtypes too, and come before their own. A query of an entity calls those of the entity
 * alone, whatever its rows are of.
 *
 * A hook sees the state as it stands when it is asked: what came before it in the same step is in it, the change that it
 * is asked about is not. Where several are for the same event they are asked in the order in which they were combined, each
 * with the value that the one before it accepted, until one refuses. What they ask for is done right after the change and
 * calls hooks itself, up to 32 deep; after that it is a `HookLoop`. A step is done with all that follows from it, or not at
 * all.
 *
 * What a query would join is loaded by a statement of its own where hooks look at its rows or rewrite its statements.
 *
 * Not called: `set` for what a flush gives (keys, defaults, foreign keys) and for what bulk statements, inserts past the
 * unit of work and `updateMany` write, of which the last calls nothing at all; `remove` for
 * members that `Session.remove` marks for deletion; `beforeExecute` for rows of instances that are known again, for loads
 * that a removal or a flush needs for itself, and for `Session.sql`; `load` for attributes that were deferred;
 * `afterRollback` for the rollback that a failed flush does (it comes with the program's own), and neither it nor
 * `afterCommit` for `close`.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/events.html
 */
import { type AnyModel, type Mapping, withDescendants } from '@unitary/core'
import type { Monoid } from 'fp-ts/lib/Monoid.js'
import type { HookEvent } from '../error.js'
import type { Hooks } from '../state/hooks.js'
import type { EntityHooks, HookContext, SessionHooks } from './definition.js'
import type { Verdict } from './verdict.js'

/** A hook as it is called: what its context holds follows from where it was defined. */
export type Hook = (context: HookContext & Readonly<Record<string, unknown>>) => Verdict<unknown>

type List = ReadonlyArray<Hook>
type Named = ReadonlyMap<string, List>

/** Events of attributes and relationships. */
export type ChangeEvent = 'set' | 'append' | 'remove' | 'replace'

type SessionEvent = keyof SessionHooks

interface EntityRegistry {
  readonly changes: Readonly<Record<ChangeEvent, Named>>
  readonly load: List
  readonly beforeExecute: List
  readonly beforeInsert: List
}

/** Hooks as they are looked up. */
interface Registry extends Hooks {
  readonly entities: ReadonlyMap<Mapping, EntityRegistry>
  readonly session: Readonly<Record<SessionEvent, List>>
  /** Is anything called when an attribute or relationship changes? */
  readonly areOnChanges: boolean
  readonly areOnLoads: boolean
}

const none: List = []
const noNames: Named = new Map()

export const changeEvents: ReadonlyArray<ChangeEvent> = ['set', 'append', 'remove', 'replace']

const registry = (entities: Registry['entities'], session: Registry['session']): Registry => {
  const all = [...entities.values()]
  return {
    _tag: 'Hooks',
    mappings: [...entities.keys()],
    entities,
    session,
    areOnChanges: all.some(({ changes }) => changeEvents.some((event) => changes[event].size > 0)),
    areOnLoads: all.some(({ load }) => load.length > 0),
  }
}

type Definition = Readonly<Record<string, Hook | Readonly<Record<string, Hook>> | undefined>>

const listOf = (hook: unknown): List => (hook === undefined ? none : [hook as Hook])

const namedOf = (hooks: unknown): Named =>
  hooks === undefined ? noNames : new Map(Object.entries(hooks as object).map(([name, hook]) => [name, listOf(hook)]))

const entityOf = (hooks: Definition): EntityRegistry => ({
  changes: {
    set: namedOf(hooks.set),
    append: namedOf(hooks.append),
    remove: namedOf(hooks.remove),
    replace: namedOf(hooks.replace),
  },
  load: listOf(hooks.load),
  beforeExecute: listOf(hooks.beforeExecute),
  beforeInsert: listOf(hooks.beforeInsert),
})

const sessionOf = (hooks: SessionHooks): Registry['session'] => ({
  beforeFlush: listOf(hooks.beforeFlush),
  afterFlush: listOf(hooks.afterFlush),
  afterCommit: listOf(hooks.afterCommit),
  afterRollback: listOf(hooks.afterRollback),
  beforeExecute: listOf(hooks.beforeExecute),
  beforeInsert: listOf(hooks.beforeInsert),
})

/**
 * Defines hooks for entities of a model, and for the whole session. Give them to `runtime` or `empty`; the order in which
 * they are asked is in this module's description.
 *
 * @example
 * const hooks = Session.defineHooks(model)({
 *   User: {
 *     set: { name: ({ value }) => (value === '' ? Session.refuse('a user has a name') : Session.keep()) },
 *     beforeExecute: ({ statement }) => Session.accept(pipe(statement, where('tenant', '=', 'acme'))),
 *   },
 * })
 * const app = Session.runtime(model, engine, { hooks })
 *
 * @category hooks
 */
export const defineHooks =
  <M extends AnyModel>(model: M) =>
  (entities: EntityHooks<M>, session: SessionHooks = {}): Hooks => {
    const defined = entities as Readonly<Record<string, Definition | undefined>>
    return registry(
      new Map(
        model.mappings.flatMap((mapping) => {
          const line = hooksOfLine(mapping, defined)
          return line === null ? [] : [[mapping, line] as const]
        }),
      ),
      sessionOf(session),
    )
  }

/** The hooks of an entity, after those of what it is a subtype of. */
const hooksOfLine = (
  { name, parent }: Mapping,
  defined: Readonly<Record<string, Definition | undefined>>,
): EntityRegistry | null => {
  const inherited = parent === null ? null : hooksOfLine(parent, defined)
  const own = defined[name]
  if (own === undefined) return inherited
  return inherited === null ? entityOf(own) : bothEntities(inherited, entityOf(own))
}

const both = (a: List, b: List): List => (b.length === 0 ? a : a.length === 0 ? b : [...a, ...b])

const bothMaps = <K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>, combine: (a: V, b: V) => V): ReadonlyMap<K, V> => {
  const all = new Map(a)
  for (const [key, value] of b) {
    const known = all.get(key)
    all.set(key, known === undefined ? value : combine(known, value))
  }
  return all
}

const bothNamed = (a: Named, b: Named): Named => bothMaps(a, b, both)

const bothEntities = (a: EntityRegistry, b: EntityRegistry): EntityRegistry => ({
  changes: {
    set: bothNamed(a.changes.set, b.changes.set),
    append: bothNamed(a.changes.append, b.changes.append),
    remove: bothNamed(a.changes.remove, b.changes.remove),
    replace: bothNamed(a.changes.replace, b.changes.replace),
  },
  load: both(a.load, b.load),
  beforeExecute: both(a.beforeExecute, b.beforeExecute),
  beforeInsert: both(a.beforeInsert, b.beforeInsert),
})

const bothSessions = (a: Registry['session'], b: Registry['session']): Registry['session'] => ({
  beforeFlush: both(a.beforeFlush, b.beforeFlush),
  afterFlush: both(a.afterFlush, b.afterFlush),
  afterCommit: both(a.afterCommit, b.afterCommit),
  afterRollback: both(a.afterRollback, b.afterRollback),
  beforeExecute: both(a.beforeExecute, b.beforeExecute),
  beforeInsert: both(a.beforeInsert, b.beforeInsert),
})

/** Only `registry` makes hooks. */
const registryOf = (hooks: Hooks): Registry => hooks as Registry

/**
 * Hooks put together: those of the first are asked first. Without any it is hooks that do nothing.
 *
 * @example
 * concatAll(HooksMonoid)([validation, audit])
 *
 * @category instances
 */
export const HooksMonoid: Monoid<Hooks> = {
  empty: registry(new Map(), sessionOf({})),
  concat: (a, b) => {
    const [first, second] = [registryOf(a), registryOf(b)]
    return registry(
      bothMaps(first.entities, second.entities, bothEntities),
      bothSessions(first.session, second.session),
    )
  },
}

/**
 * Hooks put together, in their order.
 *
 * @example
 * const app = Session.runtime(model, engine, { hooks: Session.combineHooks(validation, audit, tenancy('acme')) })
 *
 * @category hooks
 */
export const combineHooks = (...all: ReadonlyArray<Hooks>): Hooks => all.reduce(HooksMonoid.concat, HooksMonoid.empty)

/** Is a hook called when an attribute or relationship of any entity changes? @category guards */
export const areOnChanges = (hooks: Hooks | null): boolean => hooks !== null && registryOf(hooks).areOnChanges

/** Is a hook called when a row is loaded? @category guards */
export const areOnLoads = (hooks: Hooks | null): boolean => hooks !== null && registryOf(hooks).areOnLoads

/** The hooks on an attribute or relationship. @category combinators */
export const hooksOnChange = (hooks: Hooks | null, event: ChangeEvent, mapping: Mapping, name: string): List =>
  hooks === null ? none : (registryOf(hooks).entities.get(mapping)?.changes[event].get(name) ?? none)

/** Is a hook called when rows of the entity are loaded, which may be of its subtypes? @category guards */
export const hasLoadHooks = (hooks: Hooks | null, mapping: Mapping): boolean =>
  areOnLoads(hooks) && withDescendants(mapping).some((one) => hooksOnLoad(hooks, one).length > 0)

/** @category combinators */
export const hooksOnLoad = (hooks: Hooks | null, mapping: Mapping): List =>
  hooks === null ? none : (registryOf(hooks).entities.get(mapping)?.load ?? none)

/** @category combinators */
export const hooksOnSession = (hooks: Hooks | null, event: Exclude<SessionEvent, StatementEvent> & HookEvent): List =>
  hooks === null ? none : registryOf(hooks).session[event]

/** A statement is about to run. */
export type StatementEvent = 'beforeExecute' | 'beforeInsert'

/** Those of the entity, and those of the session. @category combinators */
export const hooksOnStatement = (
  hooks: Hooks | null,
  event: StatementEvent,
  mapping: Mapping,
): readonly [own: List, session: List] =>
  hooks === null
    ? [none, none]
    : [registryOf(hooks).entities.get(mapping)?.[event] ?? none, registryOf(hooks).session[event]]
