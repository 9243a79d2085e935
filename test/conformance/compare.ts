/**
 * Comparing what a step did with what is expected of it.
 */
import { type Inspected, inspect, inspectAll, type SessionState } from '@unitary/session'
import { referenceTo } from './api.js'
import type { CorpusError } from './errors.js'
import type { ScenarioModel } from './model.js'
import { type Numbering, recordedValue, recordedWrite } from './numbering.js'
import type { Objects } from './objects.js'
import type { Memory, Step, Write } from './scenario.js'
import { keyIn, merged } from './sharding.js'

/** What a step did. */
export interface Observed {
  readonly error: CorpusError | null
  readonly value: unknown
  readonly writes: ReadonlyArray<Write>
  /** Statements of queries and bulk steps, as `select things` or `bulk update things`. */
  readonly statements: ReadonlyArray<string>
}

export interface Mismatch {
  readonly what: string
  readonly expected: unknown
  readonly actual: unknown
}

/** JSON with keys in order, so that equal values are equal text. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  ) ?? 'undefined'

/** Names in the order that a set has them in the corpus. */
export const sorted = (names: Iterable<unknown>): ReadonlyArray<unknown> =>
  [...names].sort((a, b) => (String(a) < String(b) ? -1 : 1))

const valued = new Set(['get', 'query', 'read', 'history', 'identity', 'merge', 'bulkUpdate', 'bulkDelete'])

/** What is expected of all objects so far, and how a step changes it. */
export class Expected {
  readonly #model: ScenarioModel
  readonly #objects: Objects
  readonly #numbering: Numbering
  readonly #isSharded: boolean
  readonly #states = new Map<string, string>()
  readonly #memory = new Map<string, Memory>()
  /** Objects that the next flush deletes: of what a commit deletes and detaches in one step nothing is recorded. */
  #marked: ReadonlyArray<string> = []

  constructor(model: ScenarioModel, objects: Objects, numbering: Numbering, isSharded: boolean) {
    this.#isSharded = isSharded
    this.#model = model
    this.#objects = objects
    this.#numbering = numbering
  }

  /** The mismatches of one step, given the states of all sessions after it. */
  check(
    step: Step,
    observed: Observed,
    session: string,
    states: ReadonlyMap<string, SessionState>,
    mayRead: boolean,
  ): ReadonlyArray<Mismatch> {
    const found: Mismatch[] = []
    const compare = (what: string, expected: unknown, actual: unknown): void => {
      if (canonical(expected) !== canonical(actual)) found.push({ what, expected, actual })
    }
    this.#advance(step)
    const { expect } = step
    if (expect.ok && observed.error === null) {
      if (valued.has(step.do) && 'value' in expect) {
        const entity = this.#objects.get(step.obj ?? '')?.entity ?? step.entity ?? ''
        compare(
          'value',
          this.#expectedValue(step, states.get(session)),
          recordedValue(this.#numbering, this.#model, entity, step, observed.value),
        )
      }
      const writes = observed.writes.map((write) => recordedWrite(this.#numbering, write))
      checkStatements(step, { ...observed, writes }, mayRead, compare)
    } else {
      const { type, detail } = expect.error ?? {}
      compare('error', expect.ok ? null : detail === undefined ? { type } : { type, detail }, observed.error)
    }
    const known = new Map([...states].map(([name, state]) => [name, byId(state)]))
    this.#checkSets(step, known.get(session) ?? new Map(), session, compare)
    for (const [name, state] of this.#states) {
      compare(`state of ${name}`, state, this.#inspected(name, known)?.status ?? 'not met')
    }
    for (const [name, memory] of this.#memory) this.#checkMemory(name, memory, known, compare)
    return found
  }

  #expectedValue(step: Step, state: SessionState | undefined): unknown {
    const { value } = step.expect
    if (step.do !== 'query' || !this.#isSharded || state === undefined) return value
    return merged(step, value, (name) => {
      const named = this.#objects.get(name)
      const inspected = named === undefined ? null : inspect(state, referenceTo(named.id))
      return inspected === null ? keyIn(name) : Number(inspected.identity?.key)
    })
  }

  #advance({ expect }: Step): void {
    for (const [name, memory] of Object.entries(expect.mem ?? {})) this.#memory.set(name, memory)
    for (const [name, state] of Object.entries(expect.states ?? {})) {
      this.#states.set(name, state)
      if (state === 'deleted' || (state === 'detached' && this.#marked.includes(name))) this.#memory.delete(name)
    }
    this.#marked = expect.deleted ?? []
  }

  #inspected(name: string, known: Known): Inspected | undefined {
    const named = this.#objects.get(name)
    return named === undefined ? undefined : known.get(named.session)?.get(named.id)
  }

  /** `new`, `deleted`, `changed` and `changedScalar` of the step's session. */
  #checkSets(step: Step, instances: ReadonlyMap<number, Inspected>, session: string, compare: Compare): void {
    const { expect } = step
    const names = (choose: (inspected: Inspected) => boolean): ReadonlyArray<string> =>
      [...instances.values()]
        .filter(choose)
        .map(({ id }) => this.#objects.nameOf(session, id) ?? `instance ${id}`)
        .sort()
    // what waits for a collection that is not loaded is no net change yet
    const changesOf = ({ changed, entity, isMarkedForDeletion, related, status }: Inspected): ReadonlyArray<string> =>
      status === 'persistent' && !isMarkedForDeletion
        ? changed.filter((name) => !this.#isCollection(entity, name) || name in related)
        : []
    compare(
      'new',
      expect.new ?? [],
      names(({ status }) => status === 'pending'),
    )
    compare(
      'deleted',
      expect.deleted ?? [],
      names(({ isMarkedForDeletion }) => isMarkedForDeletion),
    )
    const changed = names((inspected) => changesOf(inspected).length > 0)
    compare(
      'changed',
      (expect.changed ?? []).filter((name) => changed.includes(name) || !this.#holdsMore(name, session, instances)),
      changed,
    )
    compare(
      'changedScalar',
      expect.changedScalar ?? [],
      names((inspected) => changesOf(inspected).some((name) => !this.#isCollection(inspected.entity, name))),
    )
  }

  /** Is a collection of the object loaded there and not here? Then a change of it is no net change here. */
  #holdsMore(name: string, session: string, instances: ReadonlyMap<number, Inspected>): boolean {
    const named = this.#objects.get(name)
    const inspected = named?.session === session ? instances.get(named.id) : undefined
    return (
      inspected !== undefined &&
      Object.keys(this.#memory.get(name) ?? {}).some(
        (attribute) => this.#isCollection(inspected.entity, attribute) && !(attribute in inspected.related),
      )
    )
  }

  #isCollection(entity: string, name: string): boolean {
    const kind = this.#model.relationship(entity, name)?.kind
    return kind === 'oneToMany' || kind === 'manyToMany'
  }

  /** Names as the kind of the collection shows them. */
  #collected({ entity, keys }: Inspected, attribute: string, shown: unknown): unknown {
    const collection = this.#model.relationship(entity, attribute)?.collection
    if (collection === undefined || collection === 'list') return shown
    const names = shown as ReadonlyArray<unknown>
    return collection === 'set'
      ? sorted(names)
      : Object.fromEntries((keys[attribute] ?? []).map((key, i) => [key, names[i]]))
  }

  /** Where both sides hold an attribute, the values are equal. */
  #checkMemory(name: string, memory: Memory, known: Known, compare: Compare): void {
    const named = this.#objects.get(name)
    const inspected = this.#inspected(name, known)
    if (named === undefined || inspected === undefined) return
    for (const [attribute, expected] of Object.entries(memory)) {
      const related = inspected.related[attribute]
      if (related !== undefined) {
        const shown = namesOf(this.#objects, named.session, related)
        compare(`${name}.${attribute}`, expected, this.#collected(inspected, attribute, shown))
      } else if (attribute in inspected.attributes) {
        const { table } = this.#model.entity(named.entity).mapping
        const shown = this.#numbering.recorded(table, attribute, inspected.attributes[attribute])
        compare(`${name}.${attribute}`, expected, shown)
      }
    }
  }
}

type Compare = (what: string, expected: unknown, actual: unknown) => void
type Known = ReadonlyMap<string, ReadonlyMap<number, Inspected>>

const byId = (state: SessionState): ReadonlyMap<number, Inspected> =>
  new Map(inspectAll(state).map((inspected) => [inspected.id, inspected]))

const namesOf = (objects: Objects, session: string, related: Inspected['related'][string]): unknown => {
  if (related === null) return null
  const nameOf = (id: number): string => objects.nameOf(session, id) ?? `instance ${id}`
  return typeof related === 'number' ? nameOf(related) : related.map(nameOf)
}

/** Of one database, or of a shard: `asia: select things`. */
const isOf = (kind: 'bulk' | 'select', statement: string): boolean =>
  statement.startsWith(`${kind} `) || statement.includes(`: ${kind} `)

/** Raw SQL is not recorded. */
const mayLoad = new Set(['sql', 'external'])

const checkStatements = (step: Step, observed: Observed, mayRead: boolean, compare: Compare): void => {
  const { sql = {}, writes = [] } = step.expect
  compare('writes', writes.map(canonical).sort(), observed.writes.map(canonical).sort())
  if (step.do === 'sql') return
  const bulk = (statement: string): boolean => isOf('bulk', statement)
  const counted: Record<string, number> = {}
  for (const statement of observed.statements.filter(bulk)) counted[statement] = (counted[statement] ?? 0) + 1
  compare('bulk statements', Object.fromEntries(Object.entries(sql).filter(([name]) => bulk(name))), counted)
  const reading = mayRead || mayLoad.has(step.do) || Object.keys(sql).some((name) => isOf('select', name))
  const reads = observed.statements.filter((statement) => isOf('select', statement))
  if (!reading) compare('selects', [], reads)
}
