/**
 * Plans for people: as text, as JSON, as a Mermaid graph. All of it pure.
 */
import type { FlushPlan, InsertStep, PlanColumn, Step, UpdateStep } from './step.js'

/** @category model */
export interface ExplainOptions {
  /** Rows shown of each step; the rest is counted. Default 10. */
  readonly rows?: number
}

/**
 * A plan as text: each step with its rows and what it waits for.
 *
 * @example
 * explain(plan)
 * // 1. insert into users (1 row)
 * //      #0: name = 'ed', nickname = null; the database gives id
 * // 2. insert into addresses (1 row), after 1
 * //      #1: email = 'ed@example.org', userId = id of #0; the database gives id
 *
 * @category interpreters
 */
export const explain = (plan: FlushPlan, options: ExplainOptions = {}): string => {
  if (plan.steps.length === 0) return 'nothing to flush'
  const most = options.rows ?? 10
  const parts = plan.steps.map((step) => [headline(step), ...rowLines(step, most)].join('\n'))
  const notices = plan.notices.map((notice) =>
    notice._tag === 'AlreadyGone'
      ? `notice: the row of ${notice.entity} ${show(notice.key)} was gone already`
      : `notice: ${notice.entity}.${notice.relationship} refers to ${notice.target} outside the unit of work; not written`,
  )
  const draws = (plan.draws ?? []).map((drawn) => `drawn: ${count(drawn.count, 'id')} from ${drawn.generator}`)
  return [...draws, ...parts, ...notices].join('\n')
}

const verbs = {
  Insert: 'insert into',
  Update: 'update',
  Vacate: 'vacate in',
  Delete: 'delete from',
  Link: 'link in',
  Unlink: 'unlink in',
} as const

const headline = (step: Step): string => {
  const on = step.token === null ? '' : ` on ${step.token}`
  const after = step.after.length === 0 ? '' : `, after ${step.after.map((id) => id + 1).join(', ')}`
  return `${step.id + 1}. ${verbs[step._tag]} ${step.table}${on} (${count(step.rows.length, 'row')})${after}`
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`

const rowLines = (step: Step, most: number): ReadonlyArray<string> => {
  const lines = step.rows.slice(0, most).map((row, i) => `     #${step.instances[i]}: ${rowText(step, row)}`)
  const more = step.rows.length - lines.length
  return more > 0 ? [...lines, `     and ${count(more, 'more row')}`] : lines
}

const rowText = (step: Step, row: ReadonlyArray<unknown>): string => {
  switch (step._tag) {
    case 'Insert':
      return `${cells(step.columns, row, 0) || 'defaults'}${givenText(step)}`
    case 'Update':
      return `${cells(step.set, row, 0)} where ${cells(step.where, row, step.set.length)}${givenText(step)}`
    case 'Vacate':
      return `${cells(step.set, row, 0)} where ${cells(step.where, row, step.set.length)}`
    case 'Link':
      return cells(step.columns, row, 0)
    case 'Delete':
    case 'Unlink':
      return `where ${cells(step.where, row, 0)}`
  }
}

const givenText = ({ computed = [], returning }: InsertStep | UpdateStep): string => {
  const names = computed.map(({ attribute }) => attribute)
  const given = returning.map(({ attribute }) => attribute).filter((attribute) => !names.includes(attribute))
  const computing = names.length === 0 ? '' : `; the database computes ${names.join(', ')}`
  return given.length === 0 ? computing : `${computing}; the database gives ${given.join(', ')}`
}

const cells = (columns: ReadonlyArray<PlanColumn>, row: ReadonlyArray<unknown>, from: number): string =>
  columns
    .map(({ attribute, source }, i) => {
      const cell = row[from + i]
      return `${attribute} = ${source._tag === 'Key' ? `${source.of} of #${String(cell)}` : show(cell)}`
    })
    .join(', ')

const show = (value: unknown): string => {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 37)}...` : value}'`
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  return JSON.stringify(value) ?? String(value)
}

/**
 * A plan in short: rows by kind of write, table and shard.
 *
 * @category interpreters
 */
export const summary = (
  plan: FlushPlan,
): ReadonlyArray<{
  readonly write: Step['_tag']
  readonly table: string
  readonly shard: string | null
  readonly steps: number
  readonly rows: number
}> => {
  const lines = new Map<
    string,
    { write: Step['_tag']; table: string; shard: string | null; steps: number; rows: number }
  >()
  for (const step of plan.steps) {
    const key = JSON.stringify([step._tag, step.table, step.token])
    const line = lines.get(key) ?? { write: step._tag, table: step.table, shard: step.token, steps: 0, rows: 0 }
    lines.set(key, { ...line, steps: line.steps + 1, rows: line.rows + step.rows.length })
  }
  return [...lines.values()]
}

/**
 * A plan as plain JSON: bytes as base64 and integers beyond doubles as text, each marked with its kind.
 *
 * @category interpreters
 */
export const toJson = (plan: FlushPlan): unknown =>
  JSON.parse(
    JSON.stringify(plan, (_, value: unknown) =>
      typeof value === 'bigint'
        ? { bigint: String(value) }
        : value instanceof Uint8Array
          ? { bytes: Buffer.from(value).toString('base64') }
          : value,
    ),
  )

/**
 * A plan as a Mermaid graph: a box a step, an arrow from what has to be done first.
 *
 * @category interpreters
 */
export const toMermaid = (plan: FlushPlan): string =>
  [
    'flowchart TD',
    ...plan.steps.map((step) => {
      const on = step.token === null ? '' : `<br/>${step.token}`
      return `  s${step.id}["${verbs[step._tag]} ${step.table}${on}<br/>${count(step.rows.length, 'row')}"]`
    }),
    ...plan.steps.flatMap((step) => step.after.map((id) => `  s${id} --> s${step.id}`)),
  ].join('\n')
