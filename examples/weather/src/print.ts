/**
 * What the program shows: numbers, lines and tables.
 */
import * as Session from '@unitary/session'
import Table from 'cli-table3'
import type { Entry } from './journal.js'
import { shardNames } from './shards.js'

const english = new Intl.NumberFormat('en')

/** 171075 as 171,075. */
export const number = (n: number): string => english.format(n)

export const count = (n: number, noun: string, plural = `${noun}s`): string => `${number(n)} ${n === 1 ? noun : plural}`

export const celsius = (temperature: number): string => `${temperature.toFixed(1)} °C`

export const latitude = (degrees: number): string => `${Math.abs(degrees).toFixed(2)}° ${degrees < 0 ? 'S' : 'N'}`

const shardsOf = ({ shards: asked }: Entry): string => {
  if (asked.size === 0) return 'none'
  if (asked.size === shardNames.length) return `all ${asked.size}`
  return shardNames.filter((shard) => asked.has(shard)).join(', ')
}

const timeOf = ({ milliseconds }: Entry): string =>
  milliseconds < 1000 ? `${milliseconds.toFixed(1)} ms` : `${(milliseconds / 1000).toFixed(2)} s`

/** A heading, as a step of a program. */
export const chapter = (title: string): Session.Program<never, void> => Session.fromIO(() => console.log(`\n${title}`))

/** A step that was taken, and what it found. */
export const entryLine = (entry: Entry, found: string | undefined): string => {
  const cost = `${count(entry.statements, 'statement')}, ${count(entry.rows, 'row')}, ${timeOf(entry)}`
  const lines = [`- ${entry.step}`, ...(found?.split('\n') ?? []), `shards: ${shardsOf(entry)}; ${cost}`]
  return lines.join('\n    ')
}

const table = (head: ReadonlyArray<string>, numbersFrom: number): Table.Table =>
  new Table({
    head: [...head],
    colAligns: head.map((_, i) => (i < numbersFrom ? 'left' : 'right')),
    // plain text: no colours, no rules between rows
    style: { head: [], border: [], compact: true },
  })

/** A flush plan in short. */
export const summaryTable = (plan: Session.FlushPlan): string => {
  const shown = table(['write', 'table', 'shard', 'steps', 'rows'], 3)
  const lines = Session.summary(plan)
  const total = (of: 'steps' | 'rows'): string => number(lines.reduce((sum, line) => sum + line[of], 0))
  for (const { write, table, shard, steps, rows } of lines) {
    shown.push([write.toLowerCase(), table, shard ?? '', number(steps), number(rows)])
  }
  shown.push(['all', '', '', total('steps'), total('rows')])
  return shown.toString()
}

/** All steps that were taken. */
export const journalTable = (entries: ReadonlyArray<Entry>): string => {
  const shown = table(['step', 'shards', 'statements', 'rows', 'time'], 2)
  for (const entry of entries) {
    shown.push([entry.step, shardsOf(entry), number(entry.statements), number(entry.rows), timeOf(entry)])
  }
  return shown.toString()
}
