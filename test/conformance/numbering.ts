/**
 * Keys that a database generates, in the numbers of the recording.
 *
 * SQLite gives a new row the highest key of its table and one more, so that a key whose row was rolled back or deleted is
 * given again. Sequences and AUTO_INCREMENT never go back. On a database that has them, scenarios are compared modulo a
 * renumbering of generated keys, and of nothing else. Which key stands for which is read off the instances: the scenario
 * is replayed on SQLite first, and an instance that a step has inserted has its recorded key there.
 */
import { type Inspected, inspect, inspectAll, type SessionState } from '@unitary/session'
import { referenceTo } from './api.js'
import type { ScenarioModel } from './model.js'
import { keyOf } from './objects.js'
import type { ColumnDescription, ModelDescription, Plain, Step, TableRow, Where, Write } from './scenario.js'

/** The states of all sessions, by name. */
export type States = ReadonlyMap<string, SessionState>

/** A value in the place of another, by the table and column that it stands in. */
type Translate = <V>(table: string, column: string, value: V) => V

export interface Numbering {
  /** Takes notice of what a step has inserted. */
  readonly learn: (step: number, before: States, after: States) => void
  /** The recorded value in the place of the database's own. */
  readonly recorded: Translate
  /** The database's own value in the place of the recorded one. */
  readonly own: Translate
}

const asItIs: Translate = (_table, _column, value) => value

/** That of the database of the recording. */
export const asRecorded: Numbering = { learn: () => {}, recorded: asItIs, own: asItIs }

/** That of another database, given the states after each step on the one of the recording. */
export const renumbering = (model: ScenarioModel, reference: ReadonlyArray<States>): Numbering => {
  const { description } = model
  const recorded = new Map<string, number>()
  const own = new Map<string, number>()

  const bind = (inspected: Inspected, there: Inspected): void => {
    const { key, table } = model.entity(inspected.entity).mapping
    const ours = keyOf(model.model, inspected)
    const theirs = keyOf(model.model, there)
    for (const [i, { columnName }] of key.entries()) {
      const source = sourceOf(description, table, columnName)
      const [mine, recordedKey] = [ours[i], theirs[i]]
      if (source === null || typeof mine !== 'number' || typeof recordedKey !== 'number') continue
      recorded.set(`${source} ${mine}`, recordedKey)
      // one that SQLite has given twice is the last of ours: the row of the other is gone
      own.set(`${source} ${recordedKey}`, mine)
    }
  }

  const translate =
    (keys: ReadonlyMap<string, number>): Translate =>
    <V>(table: string, column: string, value: V): V => {
      const source = typeof value === 'number' ? sourceOf(description, table, column) : null
      return source === null ? value : ((keys.get(`${source} ${String(value)}`) as V | undefined) ?? value)
    }

  return {
    learn: (step, before, after) => {
      for (const [session, state] of after) {
        const there = reference[step]?.get(session)
        const earlier = before.get(session)
        if (there === undefined || earlier === undefined) continue
        for (const inspected of inspectAll(state)) {
          const reference = referenceTo(inspected.id)
          // one that was loaded has the key that its row has on both
          if (inspected.identity === null || inspect(earlier, reference)?.identity !== null) continue
          const same = inspect(there, reference)
          if (same?.entity === inspected.entity && same.identity !== null) bind(inspected, same)
        }
      }
    },
    recorded: translate(recorded),
    own: translate(own),
  }
}

/** The table whose generated keys a column holds: its own, or the one that it refers to. */
const sourceOf = (model: ModelDescription, named: string, column: string): string | null => {
  const table = storedTable(model, named)
  const { primaryKey, generated, foreignKey } = columnOf(model, table, column) ?? {}
  if (primaryKey === true && generated === true) return table
  return foreignKey === undefined ? null : sourceOf(model, foreignKey.table, foreignKey.column)
}

/** An entity without a table of its own is in its parent's. */
const storedTable = (model: ModelDescription, table: string): string => {
  const entity = model.entities[table]
  if (entity?.inherits === undefined || entity.table !== undefined) return table
  return storedTable(model, model.entities[entity.inherits]?.table ?? entity.inherits)
}

const columnOf = (model: ModelDescription, table: string, column: string): ColumnDescription | undefined => {
  const holders = Object.entries(model.entities).filter(([name, entity]) => (entity.table ?? name) === table)
  return (
    holders.map(([, { columns }]) => columns[column]).find((found) => found !== undefined) ??
    model.tables?.[table]?.columns[column]
  )
}

/** A row with recorded keys. */
export const recordedRow = (numbering: Numbering, table: string, row: TableRow): TableRow =>
  Object.fromEntries(Object.entries(row).map(([column, value]) => [column, numbering.recorded(table, column, value)]))

/** A write with recorded keys. */
export const recordedWrite = (numbering: Numbering, write: Write): Write => {
  const [kind, table, ...rows] = write
  return [kind, table, ...rows.map((row) => recordedRow(numbering, table, row))] as unknown as Write
}

/** The recorded key of an instance, in its parts. */
export const recordedKeyOf = (
  numbering: Numbering,
  model: ScenarioModel,
  inspected: Inspected,
): ReadonlyArray<unknown> => {
  const { key, table } = model.entity(inspected.entity).mapping
  return keyOf(model.model, inspected).map((value, i) => numbering.recorded(table, key[i]?.columnName ?? '', value))
}

/** What a step about an instance of an entity has given, with recorded keys. */
export const recordedValue = (
  numbering: Numbering,
  model: ScenarioModel,
  entity: string,
  step: Step,
  value: unknown,
): unknown => {
  const { key, table } = model.entity(entity).mapping
  const recorded = (one: unknown): unknown => numbering.recorded(table, step.attr ?? '', one)
  switch (step.do) {
    case 'read':
      return recorded(value)
    case 'history':
      return mapLists(value, recorded)
    case 'identity':
      return mapLists(value, (one, i) => numbering.recorded(table, key[i]?.columnName ?? '', one))
    default:
      return value
  }
}

/** Changes what is in the lists of an object: of a history, of an identity. */
const mapLists = (value: unknown, f: (one: unknown, index: number) => unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value).map(([name, held]: [string, unknown]) => [
          name,
          Array.isArray(held) ? held.map(f) : held,
        ]),
      )
    : value

/** A step about an entity, with the database's own keys in what it gives. Raw SQL stays as it is. */
export const ownStep = (numbering: Numbering, model: ScenarioModel, entity: string, step: Step): Step => {
  const { table, key } = model.entity(entity).mapping
  const own = (column: string, value: unknown): unknown => numbering.own(table, column, value)
  const { attr, pk, value, values, where } = step
  return {
    ...step,
    ...(pk === undefined ? {} : { pk: ownKey(pk, (part, i) => numbering.own(table, key[i]?.columnName ?? '', part)) }),
    ...(attr === undefined || value === undefined ? {} : { value: own(attr, value) }),
    ...(values === undefined
      ? {}
      : { values: Object.fromEntries(Object.entries(values).map(([name, one]) => [name, own(name, one)])) }),
    ...(where == null ? {} : { where: ownWhere(numbering, model, entity, where) }),
  }
}

const ownKey = (
  pk: Plain | ReadonlyArray<Plain>,
  f: (part: Plain, index: number) => Plain,
): Plain | ReadonlyArray<Plain> => (typeof pk === 'object' && pk !== null ? pk.map(f) : f(pk, 0))

const ownWhere = (numbering: Numbering, model: ScenarioModel, entity: string, where: Where): Where => {
  const [operator, first, second] = where
  const { table } = model.entity(entity).mapping
  const within = (part: unknown, of = entity): unknown =>
    Array.isArray(part) ? ownWhere(numbering, model, of, part as unknown as Where) : part
  switch (operator) {
    case 'and':
    case 'or':
    case 'not':
      return [operator, ...where.slice(1).map((part) => within(part))]
    case 'any':
    case 'has':
      return [operator, first, within(second, model.relationship(entity, String(first))?.target)]
    case 'in':
      return [
        operator,
        first,
        (second as ReadonlyArray<unknown>).map((one) => numbering.own(table, String(first), one)),
      ]
    default:
      return second === undefined ? where : [operator, first, numbering.own(table, String(first), second)]
  }
}
