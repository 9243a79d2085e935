/**
 * SQL as tokens, as far as reading what a database says of its own tables needs it.
 */
import type { Dialect } from '../engine/dialect.js'

/**
 * - `word`: a keyword or a name without quotes.
 * - `name`: a quoted name, without its quotes.
 * - `text`: a string literal, as it stands for.
 * - `sign`: anything else, operators of several characters whole.
 */
export interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'sign'
  readonly value: string
  readonly start: number
  readonly end: number
}

const pattern = (text: RegExp, name: RegExp): RegExp =>
  new RegExp(
    [
      /\s+|--[^\n]*|\/\*.*?\*\//,
      new RegExp(`(?<text>${text.source})`),
      new RegExp(`(?<name>${name.source})`),
      /(?<number>\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+)/,
      /(?<word>[\p{L}_][\p{L}\p{N}_$]*)/u,
      /(?<sign>::|!~~\*|!~~|~~\*|~~|<=>|<>|!=|<=|>=|==|\|\||&&|->>|->|.)/,
    ]
      .map(({ source }) => source)
      .join('|'),
    'isuy',
  )

const text = /'(?:[^']|'')*'/
const doubleQuoted = /"(?:[^"]|"")*"/
const backQuoted = /`(?:[^`]|``)*`/

const patterns: Readonly<Record<Dialect['name'], RegExp>> = {
  sqlite: pattern(text, new RegExp(`${doubleQuoted.source}|${backQuoted.source}|\\[[^\\]]*\\]`)),
  // where brackets are of arrays
  postgres: pattern(text, doubleQuoted),
  mysql: pattern(/'(?:[^'\\]|''|\\.)*'/, backQuoted),
}

/** The tokens of a text, without white space and comments; a quote is escaped by a backslash on MySQL only. O(length). */
export const tokensOf = (source: string, dialect: Dialect['name']): ReadonlyArray<Token> => {
  const next = patterns[dialect]
  const tokens: Token[] = []
  next.lastIndex = 0
  for (let match = next.exec(source); match !== null; match = next.exec(source)) {
    const { text: literal, name, number, word, sign } = match.groups as Readonly<Record<string, string | undefined>>
    const at = { start: match.index, end: next.lastIndex }
    if (literal !== undefined) tokens.push({ kind: 'text', value: textValue(literal, dialect), ...at })
    else if (name !== undefined) tokens.push({ kind: 'name', value: nameValue(name), ...at })
    else if (number !== undefined) tokens.push({ kind: 'number', value: number, ...at })
    else if (word !== undefined) tokens.push({ kind: 'word', value: word, ...at })
    else if (sign !== undefined) tokens.push({ kind: 'sign', value: sign, ...at })
  }
  return tokens
}

const textValue = (quoted: string, dialect: Dialect['name']): string => {
  const value = quoted.slice(1, -1).replaceAll("''", "'")
  return dialect === 'mysql' ? value.replaceAll(/\\(.)/gs, '$1') : value
}

const nameValue = (quoted: string): string => {
  const quote = quoted[0] as string
  const inner = quoted.slice(1, -1)
  return quote === '[' ? inner : inner.replaceAll(quote + quote, quote)
}

/** The place behind the parenthesis that closes the one at a place. */
export const closing = (tokens: ReadonlyArray<Token>, open: number): number => {
  let depth = 0
  for (let i = open; i < tokens.length; i++) {
    if (isSign(tokens[i], '(')) depth += 1
    if (isSign(tokens[i], ')') && --depth === 0) return i + 1
  }
  return tokens.length
}

/** The parts between commas that stand in no parentheses. */
export const separated = (tokens: ReadonlyArray<Token>): ReadonlyArray<ReadonlyArray<Token>> => {
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (isSign(token, '(')) depth += 1
    if (isSign(token, ')')) depth -= 1
    if (depth === 0 && isSign(token, ',')) parts.push([])
    else parts.at(-1)?.push(token)
  }
  return parts
}

export const isSign = (token: Token | undefined, value: string): boolean =>
  token?.kind === 'sign' && token.value === value

/** Whether it is a keyword, given in lower case. */
export const isWord = (token: Token | undefined, value: string): boolean =>
  token?.kind === 'word' && token.value.toLowerCase() === value
