/**
 * Whether two expressions of SQL say the same, as far as can be told from their text: databases give conditions and
 * defaults back in words of their own, with casts, parentheses and operators that nobody wrote.
 *
 * An expression is read into terms: without casts and needless parentheses, `between` and `in` as PostgreSQL resolves
 * them, NOT as MariaDB does. What cannot be read is compared by its tokens. So two texts that are told apart may still mean
 * the same, and two that are not mean the same up to types.
 */
import type { Dialect } from '../engine/dialect.js'
import { isSign, isWord, type Token, tokensOf } from './tokens.js'

/** A text that is the same for expressions that say the same. O(length). */
export const canonical = (text: string, dialect: Dialect['name']): string => {
  const tokens = tokensOf(text, dialect)
  const reader: Reader = { tokens, dialect, at: 0 }
  const term = disjunction(reader)
  return JSON.stringify(term !== null && reader.at === tokens.length ? term : tokens.map(plain))
}

/** A name, a literal, or an operator and its operands. */
type Term = string | Application

interface Application {
  readonly operator: string
  readonly operands: ReadonlyArray<Term>
}

const apply = (operator: string, ...operands: ReadonlyArray<Term>): Application => ({ operator, operands })

/** The operands of a term that has the operator; null of any other. */
const operandsOf = (term: Term | null, operator: string): ReadonlyArray<Term> | null =>
  term !== null && typeof term !== 'string' && term.operator === operator ? term.operands : null

interface Reader {
  readonly tokens: ReadonlyArray<Token>
  readonly dialect: Dialect['name']
  at: number
}

/** The term that begins at the reader's place; null where it is not understood. */
type Parser = (reader: Reader) => Term | null

const plain = ({ kind, value }: Token): string => (kind === 'text' ? textLiteral(value) : value.toLowerCase())

/** A number that is written as text, as databases do with negative ones and exact ones, is the number. */
const textLiteral = (value: string): string =>
  /^-?\d+(?:\.\d+)?$/.test(value) ? value : `'${instantText(value).replaceAll("'", "''")}'`

/** PostgreSQL writes an instant in the time zone of whoever asks. */
const instantText = (value: string): string => {
  const [, day, time, zone = ''] =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d(?::?\d\d)?)$/.exec(value) ?? []
  if (day === undefined) return value
  const at = new Date(`${day}T${time}${zone.length === 3 ? `${zone}:00` : zone}`)
  return Number.isNaN(at.getTime()) ? value : at.toISOString()
}

const peek = (reader: Reader, ahead = 0): Token | undefined => reader.tokens[reader.at + ahead]

const takeWord = (reader: Reader, word: string): boolean => {
  if (!isWord(peek(reader), word)) return false
  reader.at += 1
  return true
}

const takeSign = (reader: Reader, sign: string): boolean => {
  if (!isSign(peek(reader), sign)) return false
  reader.at += 1
  return true
}

const joined =
  (operator: 'and' | 'or', operand: Parser): Parser =>
  (reader) => {
    const operands: Term[] = []
    do {
      const next = operand(reader)
      if (next === null) return null
      operands.push(next)
    } while (takeWord(reader, operator))
    return combined(operator, operands)
  }

/** With the operands of operands that have the same operator. */
const combined = (operator: 'and' | 'or', operands: ReadonlyArray<Term>): Term => {
  const [only, ...more] = operands
  return only !== undefined && more.length === 0
    ? only
    : apply(operator, ...operands.flatMap((operand) => operandsOf(operand, operator) ?? [operand]))
}

const negation: Parser = (reader) => {
  if (!takeWord(reader, 'not')) return comparison(reader)
  const operand = negation(reader)
  return operand === null ? null : negated(operand)
}

const opposites: ReadonlyMap<string, string> = new Map(
  [
    ['=', '<>'],
    ['<', '>='],
    ['>', '<='],
    ['in', 'not in'],
    ['is', 'is not'],
    ['like', 'not like'],
    ['ilike', 'not ilike'],
  ].flatMap(([one = '', other = '']) => [
    [one, other],
    [other, one],
  ]),
)

/** NOT is pushed down to comparisons; three truth values make no difference to it. */
const negated = (term: Term): Term => {
  if (typeof term === 'string') return apply('not', term)
  const { operator, operands } = term
  if (operator === 'and') return combined('or', operands.map(negated))
  if (operator === 'or') return combined('and', operands.map(negated))
  const opposite = opposites.get(operator)
  return opposite === undefined ? apply('not', term) : apply(opposite, ...operands)
}

const conjunction = joined('and', negation)
const disjunction = joined('or', conjunction)

const comparisons: Readonly<Record<string, string>> = {
  '=': '=',
  '==': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  '~~': 'like',
  '!~~': 'not like',
  '~~*': 'ilike',
  '!~~*': 'not ilike',
}

const comparison: Parser = (reader) => {
  const left = operation(reader)
  if (left === null) return null
  const token = peek(reader)
  if (token === undefined) return left
  const operator = token.kind === 'sign' ? comparisons[token.value] : undefined
  if (operator !== undefined) {
    reader.at += 1
    const list = quantified(reader, operator)
    if (list !== null) return listed(left, operator === '=', list)
    const right = operation(reader)
    return right === null ? null : apply(operator, left, right)
  }
  if (takeWord(reader, 'is')) {
    const isNegated = takeWord(reader, 'not')
    const isDistinct = takeWord(reader, 'distinct') && takeWord(reader, 'from')
    const right = operation(reader)
    if (right === null) return null
    const said = apply(isDistinct ? 'is not' : 'is', left, right)
    return isNegated ? negated(said) : said
  }
  const isNegated = isWord(token, 'not') && matching.has(peek(reader, 1)?.value.toLowerCase() ?? '')
  if (isNegated) reader.at += 1
  const word = peek(reader)?.value.toLowerCase() ?? ''
  if (peek(reader)?.kind !== 'word' || !matching.has(word)) return left
  reader.at += 1
  if (word === 'in') {
    const list = parenthesised(reader, ')')
    return list === null ? null : listed(left, !isNegated, list)
  }
  const right = operation(reader)
  if (right === null) return null
  const last = word === 'between' && takeWord(reader, 'and') ? operation(reader) : null
  if (word === 'between' && last === null) return null
  const said =
    last === null ? apply(word, left, right) : apply('and', apply('>=', left, right), apply('<=', left, last))
  return isNegated ? negated(said) : said
}

const matching: ReadonlySet<string> = new Set(['in', 'between', 'like', 'ilike', 'glob', 'regexp', 'rlike'])

/** PostgreSQL has `in` as a comparison with any of an array, `not in` as one with all of it. */
const quantified = (reader: Reader, operator: string): ReadonlyArray<Term> | null => {
  const start = reader.at
  if (!(operator === '=' && takeWord(reader, 'any')) && !(operator === '<>' && takeWord(reader, 'all'))) return null
  const elements = operandsOf(primary(reader), 'array')
  if (elements === null) reader.at = start
  return elements
}

const listed = (left: Term, isIn: boolean, list: ReadonlyArray<Term>): Term => {
  const [only, ...more] = list
  return only !== undefined && more.length === 0
    ? apply(isIn ? '=' : '<>', left, only)
    : apply(isIn ? 'in' : 'not in', left, ...list)
}

/** Operators that bind closer than comparisons, the loosest first. */
const operators: ReadonlyArray<ReadonlySet<string>> = [
  new Set(['||', '&&', '->', '->>', '|', '&', '@', '~', '#', '?']),
  new Set(['+', '-']),
  new Set(['*', '/', '%']),
]

const binary =
  (level: number): Parser =>
  (reader) => {
    const operand = level + 1 < operators.length ? binary(level + 1) : unary
    let left = operand(reader)
    for (;;) {
      const token = peek(reader)
      if (left === null || token?.kind !== 'sign' || operators[level]?.has(token.value) !== true) return left
      reader.at += 1
      const right = operand(reader)
      left = right === null ? null : apply(token.value, left, right)
    }
  }

const operation = binary(0)

const unary: Parser = (reader) => {
  if (takeSign(reader, '+')) return unary(reader)
  if (!takeSign(reader, '-')) return postfix(reader)
  const operand = unary(reader)
  if (operand === null) return null
  return typeof operand === 'string' && /^[\d.]/.test(operand) ? `-${operand}` : apply('-', operand)
}

/** Casts are PostgreSQL's own as often as not. */
const postfix: Parser = (reader) => {
  let value = primary(reader)
  for (;;) {
    if (takeSign(reader, '::')) skipType(reader)
    else if (takeWord(reader, 'collate')) {
      value = value === null ? null : apply('collate', value, plain(peek(reader) as Token))
      reader.at += 1
    } else return value
  }
}

/** Passes over a type, of which the words are given: its words, what is in parentheses, brackets of an array. */
const skipType = (reader: Reader): string => {
  const words: string[] = []
  for (let token = peek(reader); token !== undefined; token = peek(reader)) {
    const isFirst = words.length === 0
    if (
      token.kind === 'name' ? !isFirst : token.kind !== 'word' || !(isFirst || typeWords.has(token.value.toLowerCase()))
    )
      break
    words.push(token.value.toLowerCase())
    reader.at += 1
    if (isSign(peek(reader), '(')) skipParentheses(reader)
    if (takeSign(reader, '.')) words.pop()
  }
  while (takeSign(reader, '[')) takeSign(reader, ']')
  return words.join(' ')
}

const typeWords: ReadonlySet<string> = new Set(['varying', 'precision', 'with', 'without', 'time', 'zone'])

const skipParentheses = (reader: Reader): void => {
  let depth = 0
  do {
    if (isSign(peek(reader), '(')) depth += 1
    if (isSign(peek(reader), ')')) depth -= 1
    reader.at += 1
  } while (depth > 0 && peek(reader) !== undefined)
}

const primary: Parser = (reader) => {
  const token = peek(reader)
  if (token === undefined) return null
  if (isSign(token, '(')) {
    const list = parenthesised(reader, ')')
    return list === null ? null : list.length === 1 ? (list[0] as Term) : apply('row', ...list)
  }
  reader.at += 1
  switch (token.kind) {
    case 'text':
      return textLiteral(token.value)
    case 'number':
      return token.value.toLowerCase()
    case 'sign':
      return null
    case 'name':
    case 'word':
      return named(reader, token)
  }
}

/** Words that begin what is not read here, or end what is. */
const stopping: ReadonlySet<string> = new Set([
  'and',
  'or',
  'not',
  'case',
  'when',
  'then',
  'else',
  'end',
  'exists',
  'select',
  'interval',
  'from',
])

const named = (reader: Reader, token: Token): Term | null => {
  const name = token.value.toLowerCase()
  if (token.kind === 'word') {
    if (stopping.has(name)) return null
    // the character set that MySQL puts before a text
    if (name.startsWith('_') && peek(reader)?.kind === 'text') return primary(reader)
    if (name === 'true') return '1'
    if (name === 'false') return '0'
    if (name === 'array' && isSign(peek(reader), '[')) {
      const elements = parenthesised(reader, ']')
      return elements === null ? null : apply('array', ...elements)
    }
    if (name === 'cast' && isSign(peek(reader), '(')) return cast(reader)
  }
  if (takeSign(reader, '.')) {
    const rest = peek(reader)
    if (rest?.kind !== 'word' && rest?.kind !== 'name') return null
    reader.at += 1
    return named(reader, rest)
  }
  if (!isSign(peek(reader), '(')) return aliases[name] ?? name
  const list = parenthesised(reader, ')')
  if (list === null) return null
  const called = aliases[name] ?? name
  // to how many digits is said by the column
  return list.length <= 1 && constants.has(called) ? called : apply(called, ...list)
}

const cast: Parser = (reader) => {
  reader.at += 1
  const value = disjunction(reader)
  if (value === null || !takeWord(reader, 'as')) return null
  const type = skipType(reader)
  if (!takeSign(reader, ')')) return null
  return reader.dialect === 'postgres' ? value : apply('cast', value, type)
}

/** One name for functions that have several. */
const aliases: Readonly<Record<string, string>> = {
  now: 'current_timestamp',
  octet_length: 'length',
  char_length: 'character_length',
  lcase: 'lower',
  ucase: 'upper',
  substr: 'substring',
}

/** Functions that are called without parentheses too. */
const constants: ReadonlySet<string> = new Set(['current_timestamp', 'current_date', 'current_time', 'current_user'])

/** The expressions between parentheses or brackets, parted by commas. */
const parenthesised = (reader: Reader, close: ')' | ']'): ReadonlyArray<Term> | null => {
  reader.at += 1
  const list: Term[] = []
  if (takeSign(reader, close)) return list
  for (;;) {
    const item = disjunction(reader)
    if (item === null) return null
    list.push(item)
    if (takeSign(reader, close)) return list
    if (!takeSign(reader, ',')) return null
  }
}
