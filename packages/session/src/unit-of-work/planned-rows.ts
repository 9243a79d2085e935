/**
 * The rows of a plan by what they hold: the values that a row has before a write of it, and those that it has after.
 *
 * It speaks of the cells that will be written rather than of attributes, so that foreign keys which follow from
 * relationships count like any others. What the session does not know of a row is `undefined`, and never compared.
 */
import {
  type AnyModel,
  type Attribute,
  encodedKeyOf,
  type InstanceId,
  type Mapping,
  type RawKey,
  rawKeyOfValue,
  storedMappings,
} from '@unitary/core'
import * as Instance from '../state/instance.js'
import { instanceAt, isExpired, type SessionState } from '../state/session-state.js'
import { columnsOf, type PlanColumn, type Step } from './step.js'

type Instance = Instance.Instance
type Attributes = ReadonlyArray<Attribute>

/** The write of one row by a step. @category model */
export interface Write {
  readonly step: Step
  readonly row: number
}

/** Writes by what their rows held before, and those of rows of which that is not known. @category model */
export interface Holders {
  readonly of: ReadonlyMap<RawKey, ReadonlyArray<Write>>
  readonly unknown: ReadonlyArray<Write>
}

/** @category combinators */
export const writtenBy = ({ step, row }: Write): InstanceId => step.instances[row] as InstanceId

/** Does the step set one of the attributes? @category guards */
export const touches = (columns: ReadonlyArray<PlanColumn>, attributes: Attributes): boolean =>
  columns.some(({ column }) => attributes.some(({ columnName }) => columnName === column))

/** The place of an attribute of the table among columns, which single-table subtypes may call by another name. */
const placeOf = (columns: ReadonlyArray<PlanColumn>, { columnName }: Attribute): number =>
  columns.findIndex(({ column }) => column === columnName)

/** Values as one that can be compared: null where one of them is NULL, undefined where one is not known. */
const together = (values: ReadonlyArray<unknown>): RawKey | null | undefined => {
  if (values.length === 1) return values[0] === undefined ? undefined : rawKeyOfValue(values[0])
  if (values.includes(undefined)) return undefined
  if (values.includes(null)) return null
  return JSON.stringify(values.map(rawKeyOfValue))
}

/**
 * Answers about the rows of one plan; it remembers what it was asked.
 */
export class PlannedRows {
  readonly #state: SessionState
  readonly #switches: ReadonlyMap<InstanceId, Instance>
  readonly #steps: ReadonlyMap<Mapping, ReadonlyArray<Step>>
  readonly #writes = new Map<Step, ReadonlyArray<Write>>()
  /** The first step that updates or deletes. */
  readonly #firstChange: number
  #byInstance: ReadonlyMap<InstanceId, ReadonlyArray<Write>> | null = null
  readonly #losing = new Map<Attributes, Holders>()
  readonly #gaining = new Map<Attributes, ReadonlyMap<RawKey, ReadonlyArray<Write>>>()

  constructor(state: SessionState, switches: ReadonlyMap<InstanceId, Instance>, steps: ReadonlyArray<Step>) {
    this.#state = state
    this.#switches = switches
    this.#steps = rowStepsOf(state, steps)
    this.#firstChange = steps.findIndex(({ _tag }) => _tag === 'Update' || _tag === 'Delete')
  }

  /** Steps that write rows of the table, in their order. */
  stepsOf(mapping: Mapping): ReadonlyArray<Step> {
    return this.#steps.get(mapping) ?? []
  }

  /** The same objects, whenever they are asked for. */
  writesOf(step: Step): ReadonlyArray<Write> {
    const known = this.#writes.get(step) ?? step.rows.map((_, row) => ({ step, row }))
    this.#writes.set(step, known)
    return known
  }

  /** The row as the database has it: the instance's own, or the one that it takes over. */
  rowOf(id: InstanceId): Instance {
    return this.#switches.get(id) ?? instanceAt(this.#state, id)
  }

  /** Writes of the same row that stand before it. */
  earlier(write: Write): ReadonlyArray<Write> {
    // a step writes a row once
    if (write.step.id === this.#firstChange) return []
    const all = this.#ofInstances().get(writtenBy(write)) ?? []
    return all.length < 2 ? [] : all.filter(({ step }) => step.id < write.step.id)
  }

  before(write: Write, attributes: Attributes): RawKey | null | undefined {
    return together(attributes.map((attribute) => this.#valueBefore(write, attribute)))
  }

  after(write: Write, attributes: Attributes): RawKey | null | undefined {
    return together(this.valuesAfter(write, attributes))
  }

  /** The values that the row has after the write; none after it is deleted. */
  valuesAfter(write: Write, attributes: Attributes): ReadonlyArray<unknown> {
    const { step, row } = write
    if (step._tag === 'Delete') return attributes.map(() => null)
    const columns = step._tag === 'Update' ? step.set : columnsOf(step)
    return attributes.map((attribute) => {
      const place = placeOf(columns, attribute)
      if (place >= 0) return literalIn(columns, step.rows[row], place)
      return step._tag === 'Update' ? this.#valueBefore(write, attribute) : undefined
    })
  }

  /** Updates and deletes by what their rows hold in the attributes before. */
  losing(mapping: Mapping, attributes: Attributes): Holders {
    const known = this.#losing.get(attributes)
    if (known !== undefined) return known
    const of = new Map<RawKey, Write[]>()
    const unknown: Write[] = []
    for (const step of this.stepsOf(mapping)) {
      if (step._tag === 'Insert') continue
      const isSet = step._tag === 'Delete' || (step._tag === 'Update' && touches(step.set, attributes))
      for (const write of this.writesOf(step)) {
        // a row that is inserted by the same plan holds nothing yet
        if (this.rowOf(writtenBy(write)).key === null) continue
        const value = this.before(write, attributes)
        if (value === undefined && isSet) unknown.push(write)
        if (value !== undefined && value !== null) push(of, value, write)
      }
    }
    const found = { of, unknown }
    this.#losing.set(attributes, found)
    return found
  }

  /** Inserts and updates by what they make their rows hold in the attributes. */
  gaining(mapping: Mapping, attributes: Attributes): ReadonlyMap<RawKey, ReadonlyArray<Write>> {
    const known = this.#gaining.get(attributes)
    if (known !== undefined) return known
    const found = new Map<RawKey, Write[]>()
    for (const step of this.stepsOf(mapping)) {
      if (step._tag === 'Delete' || !touches(columnsOf(step), attributes)) continue
      for (const write of this.writesOf(step)) {
        const value = this.after(write, attributes)
        if (value !== undefined && value !== null) push(found, value, write)
      }
    }
    this.#gaining.set(attributes, found)
    return found
  }

  #ofInstances(): ReadonlyMap<InstanceId, ReadonlyArray<Write>> {
    if (this.#byInstance !== null) return this.#byInstance
    const found = new Map<InstanceId, Write[]>()
    for (const steps of this.#steps.values()) {
      for (const step of steps) {
        if (step._tag === 'Insert') continue
        for (const write of this.writesOf(step)) push(found, writtenBy(write), write)
      }
    }
    this.#byInstance = found
    return found
  }

  #valueBefore(write: Write, attribute: Attribute): unknown {
    const row = this.rowOf(writtenBy(write))
    for (const { step, row: at } of this.earlier(write).toReversed()) {
      const columns = step._tag === 'Update' ? step.set : []
      const place = placeOf(columns, attribute)
      if (place >= 0) return literalIn(columns, step.rows[at], place)
    }
    return attribute.isKey && row.key !== null
      ? encodedKeyOf(row.mapping, row.key)[row.mapping.key.findIndex(({ name }) => name === attribute.name)]
      : committedOf(this.#state, row, ownAttribute(row.mapping, write.step.table, attribute))
  }
}

const rowStepsOf = (state: SessionState, steps: ReadonlyArray<Step>): ReadonlyMap<Mapping, ReadonlyArray<Step>> => {
  const found = new Map<Mapping, Step[]>()
  for (const step of steps) {
    if (step._tag === 'Link' || step._tag === 'Unlink') continue
    push(found, tableOf(state.model, step), step)
  }
  return found
}

/** The table that a step writes, as the database has it: a subtype's may have some of its attributes only. */
export const tableOf = ({ mappings, mappingOf }: AnyModel, { entity, table }: Step): Mapping => {
  const stored = storedMappings(mappings)
  if (stored === mappings) return mappingOf.get(entity) as Mapping
  const known = byTables.get(stored) ?? new Map(stored.map((mapping) => [mapping.table, mapping]))
  byTables.set(stored, known)
  return known.get(table) as Mapping
}

const byTables = new WeakMap<ReadonlyArray<Mapping>, ReadonlyMap<string, Mapping>>()

/** Undefined where the cell stands for a key that the database is still to give. */
const literalIn = (
  columns: ReadonlyArray<PlanColumn>,
  row: ReadonlyArray<unknown> | undefined,
  place: number,
): unknown => (columns[place]?.source._tag === 'Literal' ? row?.[place] : undefined)

/** What an entity calls an attribute of one of its tables; null where it is another's, which knows what it holds. */
const ownAttribute = (mapping: Mapping, table: string, attribute: Attribute): Attribute | null => {
  if (mapping.attributeOf.get(attribute.name) === attribute) return attribute
  const part = mapping.parts.find((one) => one.table === table)
  return part?.attributes.find(({ columnName }) => columnName === attribute.columnName) ?? null
}

/** The encoded value that the database has, as far as it is known. */
const committedOf = (state: SessionState, row: Instance, attribute: Attribute | null): unknown => {
  if (attribute === null || isExpired(state, row)) return undefined
  const { committed } = row
  const isSet = committed !== null && attribute.name in committed
  const before = isSet ? committed[attribute.name] : Instance.valueAt(row, attribute)
  return before === undefined || before === Instance.unknown ? undefined : attribute.encode(before)
}

const push = <K, A>(lists: Map<K, A[]>, key: K, value: A): void => {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}
