/**
 * SQL as tokens, as far as reading what a database says of its own tables needs it.
 */

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

const pattern =
  /\s+|--[^\n]*|\/\*.*?\*\/|(?<text>[eE]?'(?:[^'\\]|''|\\.?)*')|(?<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|(?<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|(?<word>[\p{L}_][\p{L}\p{N}_$]*)|(?<sign>::|!~~\*|!~~|~~\*|~~|<=>|<>|!=|<=|>=|==|\|\||&&|->>|->|.)/suy

/** The tokens of a text, without white space and comments. O(length). */
export const tokensOf = (source: string): ReadonlyArray<Token> => {
  const tokens: Token[] = []
  pattern.lastIndex = 0
  for (let match = pattern.exec(source); match !== null; match = pattern.exec(source)) {
    const { text, name, number, word, sign } = match.groups as Readonly<Record<string, string | undefined>>
    const start = match.index
    const end = pattern.lastIndex
    if (text !== undefined) tokens.push({ kind: 'text', value: textValue(text), start, end })
    else if (name !== undefined) tokens.push({ kind: 'name', value: nameValue(name), start, end })
    else if (number !== undefined) tokens.push({ kind: 'number', value: number, start, end })
    else if (word !== undefined) tokens.push({ kind: 'word', value: word, start, end })
    else if (sign !== undefined) tokens.push({ kind: 'sign', value: sign, start, end })
  }
  return tokens
}

const textValue = (quoted: string): string => quoted.slice(quoted.indexOf("'") + 1, -1).replaceAll("''", "'")

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
