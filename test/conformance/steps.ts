/**
 * Steps of the corpus as programs.
 */
import type { CollectionKey, RelationshipMapping, Snapshot } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { isNone, isSome, none, type Option, some } from 'fp-ts/lib/Option.js'
import { type RawBuilder, sql } from 'kysely'
import { type AnyProgram, api, referenceTo } from './api.js'
import type { AnyMapped, ScenarioModel } from './model.js'
import { keyOf, type Named } from './objects.js'
import { deletion, selection, updating } from './queries.js'
import type { Step } from './scenario.js'
import type { Situation } from './situation.js'

type Shape = 'column' | 'reference' | 'collection'

class On {
  readonly entity: AnyMapped
  readonly reference: Snapshot
  readonly #named: Named
  readonly #at: Situation

  constructor(at: Situation, name: string) {
    const named = at.objects.get(name)
    if (named === undefined) throw new Error(`the scenario names ${name}, which the session has not met`)
    this.#named = named
    this.#at = at
    this.entity = at.model.entity(named.entity)
    this.reference = referenceTo(named.id)
  }

  shapeOf(attribute: string): Shape {
    return shapeOf(this.#at.model, this.#named.entity, attribute)
  }

  /** Loads the row, or a deferred attribute of it. Gives the snapshot. */
  loadColumn(attribute: string): AnyProgram {
    const isDeferred = this.#at.model.description.entities[this.#named.entity]?.columns[attribute]?.deferred === true
    return isDeferred
      ? api.loadAttributes(this.entity, attribute)(this.reference)
      : api.read(this.entity)(this.reference)
  }

  /** What a collection of another kind than a list shows. */
  asShown(attribute: string, held: unknown, keys: ReadonlyArray<unknown> | undefined): unknown {
    const { collection } = this.entity.mapping.relationshipOf.get(attribute) as RelationshipMapping
    return Array.isArray(held) ? collection.from(held, (keys ?? []) as ReadonlyArray<CollectionKey>) : held
  }

  inspect(): Session.Program<never, Session.Inspected> {
    return Session.gets((state) => Session.inspect(state, this.reference) as Session.Inspected)
  }
}

const shapeOf = (model: ScenarioModel, entity: string, attribute: string): Shape => {
  const kind = model.relationship(entity, attribute)?.kind
  if (kind === undefined) return 'column'
  return kind === 'oneToMany' || kind === 'manyToMany' ? 'collection' : 'reference'
}

const referenceOf = (at: Situation, name: string): Snapshot => new On(at, name).reference

/** A value as the API takes it: names of objects become references. */
const given = (at: Situation, shape: Shape, value: unknown): unknown => {
  if (shape === 'column' || value === null) return value
  if (shape === 'reference') return referenceOf(at, value as string)
  return (value as ReadonlyArray<string>).map((name) => referenceOf(at, name))
}

/** The program of a step. */
export const programOf = (at: Situation, step: Step): AnyProgram => {
  const on = (): On => new On(at, step.obj as string)
  const onOne = (make: (entity: AnyMapped) => (reference: Snapshot) => AnyProgram): AnyProgram => {
    const { entity, reference } = on()
    return make(entity)(reference)
  }
  const attribute = step.attr as string
  switch (step.do) {
    case 'new':
      return api.make(at.model.entity(step.entity as string), draftOf(at, step))
    case 'set':
      return setTo(at, on(), attribute, step.value)
    case 'unset':
      return setTo(at, on(), attribute, null)
    case 'append':
      return onOne((entity) => api.append(entity, attribute, referenceOf(at, step.value as string)))
    case 'remove':
      return onOne((entity) => api.detach(entity, attribute, referenceOf(at, step.value as string)))
    case 'insertAt':
      return onOne((entity) =>
        api.insertAt(entity, attribute, step.index as number, referenceOf(at, step.value as string)),
      )
    case 'removeKey':
      return onOne((entity) => api.removeKey(entity, attribute, step.key))
    case 'clear':
      return onOne((entity) => api.clear(entity, attribute))
    case 'add':
      return added(at, step.obj as string)
    case 'addAll':
      return Session.traverseArray((name: string) => added(at, name))(step.objs ?? [])
    case 'delete':
      return onOne(api.remove)
    case 'expunge':
      return onOne(api.expunge)
    case 'makeTransient':
      return onOne(api.makeTransient)
    case 'makeDetached':
      return onOne(api.makeDetached)
    case 'expire':
      return onOne((entity) => api.expire(entity, ...(step.attrs ?? [])))
    case 'refresh':
      return onOne((entity) => api.refresh(entity, ...(step.attrs ?? [])))
    case 'get':
      return get(at, step)
    case 'query':
      return query(at, step)
    case 'read':
      return readOf(on(), attribute)
    case 'history':
      return onOne((entity) => api.history(entity, attribute))
    case 'identity':
      return identityOf(at, on())
    case 'merge':
      return mergeOf(at, step)
    case 'bulkUpdate':
      return pipe(updating(at, step), api.execute({ synchronize: step.sync }))
    case 'bulkDelete':
      return pipe(deletion(at, step), api.execute({ synchronize: step.sync }))
    case 'sql':
      // the recording went past the session, which flushes nothing for it
      return api.noAutoflush(
        Session.traverseArray((text: string) => api.sql(textOn(at.model, text), shardOf(step)))(step.sql ?? []),
      )
    case 'commitNested':
      return repeated(api.commitNested, at.savepointsDownTo(step.name as string))
    case 'rollbackNested':
      return repeated(api.rollbackNested, at.savepointsDownTo(step.name as string))
    case 'begin':
      return api.begin
    case 'expungeAll':
    case 'expireAll':
    case 'flush':
    case 'commit':
    case 'rollback':
    case 'close':
    case 'beginNested':
      return api[step.do]
    default:
      throw new Error(`no step of the corpus: ${step.do}`)
  }
}

/** The explicit load of an attribute that a step of SQLAlchemy's would load by itself. */
export const loadOf = (at: Situation, name: string, attribute: string): AnyProgram => {
  const on = new On(at, name)
  return on.shapeOf(attribute) === 'column' ? on.loadColumn(attribute) : api.load(on.entity, attribute)(on.reference)
}

/** The one shard that a step is for. */
const shardOf = ({ shard }: Step): { readonly shard?: string } => (shard === undefined ? {} : { shard })

/** The text with its tables as nodes: they may have other names in the database. */
const textOn = (model: ScenarioModel, text: string): RawBuilder<unknown> => {
  const tables = new Set(model.model.mappings.map(({ table }) => table))
  const words = text.split(/\b(\w+)\b/)
  return sql.join(
    words.map((word) => (tables.has(word) ? sql.table(word) : sql.raw(word))),
    sql.raw(''),
  )
}

/** Added to its own session; an object of another comes from that one's state. */
const added = (at: Situation, name: string): AnyProgram => {
  const { entity, from, reference } = at.sourceOf(name)
  const mapped = at.model.entity(entity)
  return from.from === undefined ? api.add(mapped, reference) : api.attach(mapped, reference, from.from)
}

const mergeOf = (at: Situation, step: Step): AnyProgram => {
  const { entity, from, reference } = at.sourceOf(step.obj as string)
  return api.merge(at.model.entity(entity), reference, { ...from, ...(step.load === false ? { load: false } : {}) })
}

const repeated = (program: AnyProgram, times: number): AnyProgram =>
  Session.map(() => undefined)(Session.all(new Array<AnyProgram>(times).fill(program)))

const draftOf = (at: Situation, step: Step): unknown => {
  const entity = step.entity as string
  return Object.fromEntries(
    Object.entries(step.values ?? {}).map(([name, value]) => [name, given(at, shapeOf(at.model, entity, name), value)]),
  )
}

const setTo = (at: Situation, on: On, attribute: string, value: unknown): AnyProgram => {
  const shape = on.shapeOf(attribute)
  const to = given(at, shape, value)
  return shape === 'collection'
    ? api.replace(on.entity, attribute, to as ReadonlyArray<unknown>)(on.reference)
    : api.set(on.entity, { [attribute]: to })(on.reference)
}

const get = (at: Situation, step: Step): AnyProgram => {
  const entity = at.model.entity(step.entity as string)
  const { pk, populateExisting, token } = step
  const key = Array.isArray(pk) ? Object.fromEntries(entity.mapping.key.map(({ name }, i) => [name, pk[i]])) : pk
  const found = api.get(entity, key, {
    ...(populateExisting === true ? { populateExisting } : {}),
    ...(token === undefined ? {} : { shard: token }),
  })
  return step.one === true ? Session.chain(mustBeThere(step))(found) : found
}

const mustBeThere =
  ({ entity }: Step) =>
  (found: unknown): AnyProgram =>
    isNone(found as Option<unknown>) ? Session.fail({ _tag: 'NoResult', entity }) : Session.of(found)

const query = (at: Situation, step: Step): AnyProgram => {
  // the key of a pending object that a condition names is known after the flush that the query does anyway
  const statement = (): AnyProgram => Session.suspend((state) => execute(selection(at, step, state)))
  const execute = (selected: unknown): AnyProgram => {
    switch (step.mode ?? 'all') {
      case 'all':
        return api.query(selected)
      case 'first':
        return api.first(selected)
      case 'one':
        return api.one(selected)
      case 'oneOrNone':
        return Session.chain(atMostOne(step))(api.query(selected))
    }
  }
  return statement()
}

const atMostOne =
  ({ entity }: Step) =>
  (found: unknown): AnyProgram => {
    const results = found as ReadonlyArray<unknown>
    return results.length > 1
      ? Session.fail({ _tag: 'MultipleResults', entity, count: results.length, shards: [] })
      : Session.of(results.length === 0 ? none : some(results[0]))
  }

/** The value of an attribute: as the session knows it, or loaded. */
const readOf = (on: On, attribute: string): AnyProgram =>
  Session.chain((known: Session.Inspected): AnyProgram => {
    if (on.shapeOf(attribute) !== 'column') {
      const held = known.related[attribute]
      return held === undefined
        ? api.load(on.entity, attribute)(on.reference)
        : Session.of(on.asShown(attribute, heldBy(held), known.keys[attribute]))
    }
    if (attribute in known.attributes) return Session.of(known.attributes[attribute])
    if (known.status === 'transient' || known.status === 'pending') return Session.of(null)
    return Session.map((row: unknown) => (row as Readonly<Record<string, unknown>>)[attribute])(
      on.loadColumn(attribute),
    )
  })(on.inspect())

/** Instances that a relationship is known to hold; their rows need not be known for that. */
const heldBy = (held: Session.Inspected['related'][string]): unknown =>
  typeof held === 'number' ? some(referenceTo(held)) : held === null ? none : held.map(referenceTo)

const identityOf = (at: Situation, on: On): AnyProgram =>
  Session.map((known: Session.Inspected) =>
    known.identity === null
      ? null
      : {
          entity: known.identity.entity,
          pk: keyOf(at.model.model, known),
          ...(known.identity.shard === null ? {} : { token: known.identity.shard }),
        },
  )(on.inspect())

/** Is it an option, as gets and references answer? */
export const isOption = (value: unknown): value is Option<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  '_tag' in value &&
  (isSome(value as Option<unknown>) || isNone(value as Option<unknown>))
