/**
 * Replays a scenario through the public API, and says where Unitary does something else than what is expected.
 */
import type { AnyModel, InstanceId } from '@unitary/core'
import { Snapshot } from '@unitary/core'
import { createStore, type Hooks, inspect, type SessionState, type Store } from '@unitary/session'
import type { Either } from 'fp-ts/lib/Either.js'
import { isSome } from 'fp-ts/lib/Option.js'
import { type AnyProgram, api, referenceTo } from './api.js'
import { canonical, Expected, type Mismatch, type Observed, sorted } from './compare.js'
import type { Case } from './corpus.js'
import type { Host, Layout } from './database.js'
import { separateFiles, sqlite } from './databases/sqlite.js'
import { errorOf } from './errors.js'
import { freezeState } from './freeze.js'
import { modelOf, type ScenarioModel } from './model.js'
import {
  asRecorded,
  type Numbering,
  ownStep,
  recordedKeyOf,
  recordedRow,
  renumbering,
  type States,
} from './numbering.js'
import { keyOf, type Named, Objects } from './objects.js'
import { statementOf, writesOf } from './recording.js'
import type { Scenario, Step, Tables } from './scenario.js'
import { lastRows } from './sharding.js'
import { openSite, type Site, type SiteRuntime } from './site.js'
import type { MergeSource, Situation } from './situation.js'
import { isOption, loadOf, programOf } from './steps.js'

/** How programs are run. */
export type Mode = 'runSync' | 'run'

/** Where a scenario went another way: the step (none for the rows at the end), and how. */
export interface Failure {
  readonly step: number | null
  readonly what: string
  readonly mismatches: ReadonlyArray<Mismatch>
}

interface OpenSession {
  readonly name: string
  readonly store: Store
  readonly take: SiteRuntime['take']
  /** The names of its open savepoints, the outermost first. */
  savepoints: ReadonlyArray<string>
}

/** Replays a scenario on SQLite in sessions with hooks; null where all of it went as expected. */
export const replayHooked = async (given: Case, hooksOf: (model: AnyModel) => Hooks): Promise<Failure | null> => {
  const model = modelOf(given.model)
  return (await replayOn(sqlite, given.scenario, model, 'runSync', asRecorded, hooksOf(model.model))).failure
}

/** Replays a scenario; null where all of it went as expected. */
export const replay = async (given: Case, mode: Mode, host: Host = sqlite): Promise<Failure | null> => {
  const model = modelOf(given.model)
  if (host.isRecorded) return (await replayOn(host, given.scenario, model, mode, asRecorded)).failure
  const reference = await replayOn(sqlite, given.scenario, model, 'runSync', asRecorded)
  return (await replayOn(host, given.scenario, model, mode, renumbering(model, reference.states))).failure
}

/** Replays a sharded scenario on a layout of its shards; null where all of it went as expected. */
export const replaySharded = async (given: Case, mode: Mode, layout: Layout): Promise<Failure | null> =>
  (await replayOn(sqlite, given.scenario, modelOf(given.model), mode, asRecorded, null, layout)).failure

interface Replayed {
  readonly failure: Failure | null
  /** The states of all sessions after each step that was reached. */
  readonly states: ReadonlyArray<States>
}

const replayOn = async (
  host: Host,
  scenario: Scenario,
  model: ScenarioModel,
  mode: Mode,
  numbering: Numbering,
  hooks: Hooks | null = null,
  layout: Layout = separateFiles,
): Promise<Replayed> => {
  const site = await openSite(host, layout, scenario, model)
  const replayed = new Replay(scenario, model, site, mode, numbering, hooks)
  try {
    return await replayed.run()
  } finally {
    await replayed.close()
    await site.close()
  }
}

class Replay {
  readonly #scenario: Scenario
  readonly #model: ScenarioModel
  readonly #site: Site
  readonly #mode: Mode
  readonly #numbering: Numbering
  readonly #hooks: Hooks | null
  readonly #objects: Objects
  readonly #expected: Expected
  /** Relationships that a query has loaded eagerly. */
  readonly #eager = new Set<string>()
  readonly #sessions = new Map<string, OpenSession>()

  constructor(
    scenario: Scenario,
    model: ScenarioModel,
    site: Site,
    mode: Mode,
    numbering: Numbering,
    hooks: Hooks | null,
  ) {
    this.#hooks = hooks
    this.#scenario = scenario
    this.#model = model
    this.#site = site
    this.#mode = mode
    this.#numbering = numbering
    this.#objects = new Objects((inspected) => recordedKeyOf(numbering, model, inspected))
    this.#expected = new Expected(model, this.#objects, numbering, scenario.session.sharding !== undefined)
  }

  async run(): Promise<Replayed> {
    const states: States[] = []
    for (const [index, step] of this.#scenario.steps.entries()) {
      const mismatches = await this.#step(index, step)
      states.push(this.#states())
      if (mismatches.length > 0) return { failure: { step: index, what: describe(step), mismatches }, states }
    }
    await this.close()
    return { failure: await this.#rows(), states }
  }

  async #rows(): Promise<Failure | null> {
    const expected = sortedRows(lastRows(this.#scenario))
    const contents = Object.entries(await this.#site.contents()).map(([table, rows]) => [
      table,
      rows.map((row) => recordedRow(this.#numbering, table, row)),
    ])
    const actual = sortedRows(Object.fromEntries(contents) as Tables)
    return canonical(expected) === canonical(actual)
      ? null
      : { step: null, what: 'the rows at the end', mismatches: [{ what: 'rows', expected, actual }] }
  }

  #states(): States {
    return new Map([...this.#sessions].map(([name, { store }]) => [name, store.getState()]))
  }

  async close(): Promise<void> {
    const sessions = [...this.#sessions.values()]
    this.#sessions.clear()
    for (const { store } of sessions) await store.close()
  }

  async #step(index: number, step: Step): Promise<ReadonlyArray<Mismatch>> {
    const name = step.session ?? 'main'
    const session = this.#session(name)
    const before = this.#states()
    const observed = step.do === 'external' ? await this.#external(step) : await this.#perform(session, this.#own(step))
    this.#objects.settle(step.expect.states)
    const states = this.#states()
    this.#numbering.learn(index, before, states)
    this.#remember(step)
    return this.#expected.check(step, observed, name, states, this.#mayRead(step))
  }

  #own(step: Step): Step {
    const entity = step.entity ?? this.#objects.get(step.obj ?? '')?.entity
    return entity === undefined ? step : ownStep(this.#numbering, this.#model, entity, step)
  }

  #remember({ options = [] }: Step): void {
    for (const option of options) {
      const path = option.selectin ?? option.joined ?? option.subquery
      if (typeof path === 'string') for (const name of path.split('.')) this.#eager.add(name)
    }
  }

  /**
   * May a step ask the database where SQLAlchemy does not? Its queries leave their eager loads on the objects, which then
   * load them along with any refresh; here they are loaded when they are read. A get of a subtype, and a reference to one, load
   * what a query of its base has left out. A
   * database may have no words for an update that gives the keys of its rows.
   */
  #mayRead(step: Step): boolean {
    if (step.sync === 'fetch' && this.#site.selectsKeys) return true
    const { entities } = this.#model.description
    const relationship = this.#model.relationship(this.#objects.get(step.obj ?? '')?.entity ?? '', step.attr ?? '')
    const wanted = step.do === 'get' ? step.entity : step.do === 'read' ? relationship?.target : undefined
    if (entities[wanted ?? '']?.inherits !== undefined) return true
    return (step.do === 'read' && this.#eager.has(step.attr ?? '')) || (step.do === 'get' && this.#eager.size > 0)
  }

  #session(name: string): OpenSession {
    const known = this.#sessions.get(name)
    if (known !== undefined) return known
    const { autoflush = true, expireOnCommit = true } = this.#scenario.session
    const options = { autoflush, expireOnCommit, ...(this.#hooks === null ? {} : { hooks: this.#hooks }) }
    const { runtime, take } = this.#site.runtime(options)
    const opened = { name, store: createStore(runtime), take, savepoints: [] }
    this.#sessions.set(name, opened)
    return opened
  }

  async #external(step: Step): Promise<Observed> {
    await this.#site.external(step.sql ?? [])
    return { error: null, value: undefined, writes: [], statements: [] }
  }

  async #perform(session: OpenSession, step: Step): Promise<Observed> {
    const before = session.store.getState()
    let result = await this.#load(session, step)
    if (result === null) {
      result = await this.#run(session, step, () => programOf(this.#situation(session), step))
      if (result._tag === 'Right') {
        this.#nest(session, step)
        await this.#loadWritten(session, step)
      }
    }
    this.#name(session, step, result, before)
    const calls = session.take()
    return {
      error: result._tag === 'Left' ? errorOf(result.left) : null,
      value: result._tag === 'Right' ? this.#shown(session, result.right) : undefined,
      writes: calls.flatMap(({ call, shard }) => writesOf(call, this.#model, shard)),
      statements: calls.flatMap(({ call, inModel, shard }) => statementOf(call, shard, inModel)),
    }
  }

  /**
   * Loads what SQLAlchemy loads in the course of the step, before it. Gives the failure, if one of them fails.
   *
   * What a flush loads for its own work the session loads by itself. Any other load flushes, as it does there, also where
   * the session knows already what is to be loaded.
   */
  async #load(session: OpenSession, step: Step): Promise<Either<unknown, unknown> | null> {
    const wanted = Object.entries(step.expect.loads ?? {}).flatMap(([name, attributes]) =>
      attributes.map((attribute) => ({ name, attribute })),
    )
    if (wanted.length === 0) return null
    if (withinFlush.has(step.do)) {
      for (const { name, attribute } of wanted) {
        if (this.#isRelationship(name, attribute))
          await this.#loadOne(session, { ...step, autoflush: false }, name, attribute)
      }
      return null
    }
    if (this.#autoflushes(step)) {
      const flushed = await this.#run(session, step, () => api.flush)
      if (flushed._tag === 'Left') return flushed
    }
    for (const [i, { name, attribute }] of wanted.entries()) {
      // the first has been flushed for; a flush may leave work to the next one, which would come too early
      const result = await this.#loadOne(session, i === 0 ? { ...step, autoflush: false } : step, name, attribute)
      if (result?._tag === 'Left') return result
    }
    return null
  }

  /** SQLAlchemy's flush loads the rows of expired objects that it writes: they are known after the step. */
  async #loadWritten(session: OpenSession, step: Step): Promise<void> {
    if (!withinFlush.has(step.do)) return
    for (const [name, attributes] of Object.entries(step.expect.loads ?? {})) {
      const columns = attributes.filter((attribute) => !this.#isRelationship(name, attribute))
      for (const attribute of columns) await this.#loadOne(session, { ...step, autoflush: false }, name, attribute)
    }
  }

  #isRelationship(name: string, attribute: string): boolean {
    return this.#model.relationship(this.#objects.get(name)?.entity ?? '', attribute) !== undefined
  }

  #autoflushes(step: Step): boolean {
    return step.autoflush !== false && (this.#scenario.session.autoflush ?? true)
  }

  /** Null where there is nothing to be done: the object is not met yet, or the step itself loads it. */
  async #loadOne(
    session: OpenSession,
    step: Step,
    name: string,
    attribute: string,
  ): Promise<Either<unknown, unknown> | null> {
    const named = this.#objects.get(name)
    if (named?.session !== session.name) return null
    const known = inspect(session.store.getState(), referenceTo(named.id))
    // loaded for a flush that has deleted it
    if (known?.status === 'deleted' && name !== step.obj) return null
    const relationship = this.#model.relationship(named.entity, attribute)
    // what may not be loaded by itself is loaded by the step alone
    if (relationship?.lazy === 'raise' && step.do !== 'read') return null
    const isColumn = relationship === undefined
    if (
      isColumn &&
      ((step.do === 'refresh' && name === step.obj) || (step.do === 'get' && this.#isAsked(session, step, named)))
    )
      return null
    const result = await this.#run(session, step, () => loadOf(this.#situation(session), name, attribute))
    this.#objects.meet(session.name, session.store.getState())
    return result
  }

  /** Is it the object that a get asks for? */
  #isAsked(session: OpenSession, step: Step, named: Named): boolean {
    const known = inspect(session.store.getState(), referenceTo(named.id))
    return (
      known !== null &&
      known.entity === step.entity &&
      canonical(keyOf(this.#model.model, known)) === canonical([step.pk].flat())
    )
  }

  async #run(session: OpenSession, step: Step, make: () => AnyProgram): Promise<Either<unknown, unknown>> {
    const program = step.autoflush === false ? api.noAutoflush(make()) : make()
    const { store } = session
    const result = this.#mode === 'runSync' ? store.runSync(program) : await store.run(program)()
    freezeState(store.getState())
    return result
  }

  #nest(session: OpenSession, step: Step): void {
    const { savepoints } = session
    if (step.do === 'beginNested') session.savepoints = [...savepoints, step.as ?? '']
    if (step.do === 'commitNested' || step.do === 'rollbackNested') {
      session.savepoints = savepoints.slice(0, savepoints.indexOf(step.name ?? ''))
    }
    if (step.do === 'commit' || step.do === 'rollback' || step.do === 'close') session.savepoints = []
  }

  #name(session: OpenSession, step: Step, result: Either<unknown, unknown>, before: SessionState): void {
    const { name, store } = session
    const made = result._tag === 'Right' ? instanceIn(result.right) : null
    if (step.do === 'new' && made !== null) this.#objects.give(step.as ?? '', name, step.entity ?? '', made)
    if (step.do === 'add' && made !== null && this.#objects.get(step.obj ?? '')?.session !== name) {
      const { entity } = this.#objects.get(step.obj ?? '') as Named
      this.#objects.give(step.obj ?? '', name, entity, made)
    }
    if (step.do === 'merge' && made !== null) {
      const from = this.#objects.get(step.obj ?? '') as Named
      const sources =
        from.session === name ? before : (this.#sessions.get(from.session) as OpenSession).store.getState()
      this.#objects.meetMerged(name, store.getState(), from, sources, made)
    }
    this.#objects.meet(name, store.getState())
  }

  #situation(session: OpenSession): Situation {
    return {
      model: this.#model,
      objects: this.#objects,
      sourceOf: (name) => this.#sourceOf(session, name),
      savepointsDownTo: (name) => {
        const at = session.savepoints.indexOf(name)
        // one that has ended already is ended once more
        return at < 0 ? 1 : session.savepoints.length - at
      },
    }
  }

  #sourceOf(session: OpenSession, name: string): MergeSource {
    const { id, entity, session: from } = this.#objects.get(name) as Named
    return {
      entity,
      reference: referenceTo(id),
      from: from === session.name ? {} : { from: (this.#sessions.get(from) as OpenSession).store.getState() },
    }
  }

  /** A value with names in the place of instances. */
  #shown(session: OpenSession, value: unknown): unknown {
    const id = Snapshot.instanceOf(value)
    if (id !== null) return this.#objects.nameOf(session.name, id) ?? `instance ${id}`
    if (isOption(value)) return isSome(value) ? this.#shown(session, value.value) : null
    if (Array.isArray(value)) return value.map((one) => this.#shown(session, one))
    if (value instanceof Set) return sorted([...value].map((one) => this.#shown(session, one)))
    if (value instanceof Map) {
      return Object.fromEntries([...value].map(([key, one]) => [key, this.#shown(session, one)]))
    }
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.#shown(session, one)]))
    }
    return value
  }
}

/** In the order of what they hold: databases give them in one of their own. */
const sortedRows = (tables: Tables): Tables =>
  Object.fromEntries(
    Object.entries(tables).map(([table, rows]) => [
      table,
      [...rows].sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1)),
    ]),
  )

/** Steps that load nothing themselves but what their flush needs. */
const withinFlush = new Set([
  'flush',
  'commit',
  'beginNested',
  'commitNested',
  'query',
  'get',
  'bulkUpdate',
  'bulkDelete',
])

const instanceIn = (value: unknown): InstanceId | null => Snapshot.instanceOf(value)

const describe = ({ expect: _, ...step }: Step): string => JSON.stringify(step)
