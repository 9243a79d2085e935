/**
 * What only the text of a table of SQLite tells: names of constraints, checks, collations, expressions of computed
 * columns, and whether a foreign key is deferrable.
 */
import type { Deferrable } from '../model/reference.js'
import type { CheckSchema } from './database-schema.js'
import { closing, isSign, isWord, separated, type Token, tokensOf } from './tokens.js'

export interface SqliteTable {
  readonly checks: ReadonlyArray<CheckSchema>
  /** By the columns, joined by line breaks. */
  readonly uniqueNames: ReadonlyMap<string, string>
  readonly foreignKeys: ReadonlyMap<string, { readonly name: string | null; readonly deferrable: Deferrable | null }>
  readonly primaryKeyName: string | null
  readonly collations: ReadonlyMap<string, string>
  readonly computed: ReadonlyMap<string, string>
}

/** Columns as a key of the maps above. */
export const columnsKey = (columns: ReadonlyArray<string>): string => columns.join('\n')

type Draft = {
  -readonly [K in keyof SqliteTable]: SqliteTable[K] extends ReadonlyMap<infer A, infer B>
    ? Map<A, B>
    : SqliteTable[K] extends ReadonlyArray<infer A>
      ? A[]
      : SqliteTable[K]
}

/** Reads `create table ... (...)`. */
export const parseSqliteTable = (source: string): SqliteTable => {
  const tokens = tokensOf(source, 'sqlite')
  const open = tokens.findIndex((token) => isSign(token, '('))
  const read: Draft = {
    checks: [],
    uniqueNames: new Map(),
    foreignKeys: new Map(),
    primaryKeyName: null,
    collations: new Map(),
    computed: new Map(),
  }
  if (open === -1) return read
  for (const part of separated(tokens.slice(open + 1, closing(tokens, open) - 1))) {
    const isConstraint = part[0]?.kind === 'word' && starting.has(part[0].value.toLowerCase())
    readConstraints(read, source, isConstraint ? part : part.slice(1), isConstraint ? null : (part[0]?.value ?? ''))
  }
  return read
}

const starting: ReadonlySet<string> = new Set(['constraint', 'primary', 'unique', 'check', 'foreign'])

/** The constraints of the table, or those of one column; whatever is none is passed over. */
const readConstraints = (read: Draft, source: string, tokens: ReadonlyArray<Token>, column: string | null): void => {
  let name: string | null = null
  let referring: string | null = null
  for (let i = 0; i < tokens.length; ) {
    const token = tokens[i] as Token
    const next = tokens[i + 1]
    const isList = isSign(next, '(')
    const end = isList ? closing(tokens, i + 1) : i + 1
    if (isWord(token, 'constraint')) {
      name = next?.value ?? null
      i += 2
      continue
    }
    if (isWord(token, 'check') && isList) {
      read.checks.push({ name, expression: textOf(source, tokens, i + 2, end - 1) })
      name = null
    } else if (isWord(token, 'as') && isList && column !== null) {
      read.computed.set(column, textOf(source, tokens, i + 2, end - 1))
    } else if (isWord(token, 'collate') && column !== null) {
      read.collations.set(column, next?.value ?? '')
    } else if (isWord(token, 'unique') && (isList || column !== null)) {
      const columns = column === null ? namesIn(tokens.slice(i + 2, end - 1)) : [column]
      if (name !== null) read.uniqueNames.set(columnsKey(columns), name)
      name = null
    } else if (isWord(token, 'primary')) {
      read.primaryKeyName = name
      name = null
    } else if (isWord(token, 'foreign')) {
      const listEnd = closing(tokens, i + 2)
      referring = columnsKey(namesIn(tokens.slice(i + 3, listEnd - 1)))
      read.foreignKeys.set(referring, { name, deferrable: null })
      name = null
      i = listEnd
      continue
    } else if (isWord(token, 'references') && column !== null) {
      referring = column
      read.foreignKeys.set(referring, { name, deferrable: null })
      name = null
    } else if (isWord(token, 'deferrable') && referring !== null && !isWord(tokens[i - 1], 'not')) {
      const isDeferred = isWord(next, 'initially') && isWord(tokens[i + 2], 'deferred')
      const known = read.foreignKeys.get(referring)
      const deferrable = isDeferred ? 'initially deferred' : 'initially immediate'
      read.foreignKeys.set(referring, { name: known?.name ?? null, deferrable })
    }
    i = end
  }
}

/** What an index of SQLite is on: the text of each of its parts, and its condition. */
export const parseSqliteIndex = (
  source: string,
): { readonly parts: ReadonlyArray<string>; readonly where: string | null } => {
  const tokens = tokensOf(source, 'sqlite')
  const open = tokens.findIndex((token) => isSign(token, '('))
  const end = closing(tokens, open)
  const parts = separated(tokens.slice(open + 1, end - 1)).map((part) =>
    textOf(source, part, 0, part.length - (isWord(part.at(-1), 'asc') || isWord(part.at(-1), 'desc') ? 1 : 0)),
  )
  return { parts, where: isWord(tokens[end], 'where') ? textOf(source, tokens, end + 1, tokens.length) : null }
}

const textOf = (source: string, tokens: ReadonlyArray<Token>, from: number, to: number): string =>
  source.slice(tokens[from]?.start, tokens[to - 1]?.end)

const namesIn = (tokens: ReadonlyArray<Token>): ReadonlyArray<string> =>
  separated(tokens).map(([name]) => name?.value ?? '')
