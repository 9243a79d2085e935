/**
 * Values as PostgreSQL writes arrays, in text that drivers pass on as it is.
 *
 * Drivers write an array while they send it, item by item. Here it can be written before, and texts without a character to be
 * escaped are joined at once.
 *
 * @example
 * arrayText(['a', 'NULL']) // {"a","NULL"}
 * arrayText(['"', null, 1]) // {"\"",NULL,1}
 */

/** Less than V8 has texts for: what may come near that is left to the driver, and to its failures. */
const mostCharacters = 2 ** 27

/**
 * The array as text; null where it holds what only the driver knows how to write, or too much. O(n).
 */
export const arrayText = (values: ReadonlyArray<unknown>): string | null => {
  const characters = charactersOf(values)
  if (characters === null) return mixedText(values)
  if (values.length === 0 || characters > mostCharacters) return null
  const text = `{"${values.join('","')}"}`
  return isEscapeFree(text, values.length) ? text : mixedText(values)
}

/** In quotation marks any text stands for itself, `NULL` and the empty one too. */
export const quotedItem = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

/** How many characters there are, where all values are texts. */
const charactersOf = (values: ReadonlyArray<unknown>): number | null => {
  let characters = 0
  for (const value of values) {
    if (typeof value !== 'string') return null
    characters += value.length
  }
  return characters
}

/** Are all of its quotation marks those around its items? */
const isEscapeFree = (text: string, items: number): boolean => {
  if (text.includes('\\')) return false
  let marks = 0
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) marks++
  return marks === 2 * items
}

const mixedText = (values: ReadonlyArray<unknown>): string | null => {
  const items = new Array<string>(values.length)
  let characters = 0
  for (let i = 0; i < values.length; i++) {
    const item = itemText(values[i])
    if (item === null) return null
    items[i] = item
    characters += item.length
  }
  return characters > mostCharacters ? null : `{${items.join()}}`
}

const itemText = (value: unknown): string | null => {
  switch (typeof value) {
    case 'string':
      return quotedItem(value)
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      if (value === null || value === undefined) return 'NULL'
      return value instanceof Uint8Array
        ? `"\\\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}"`
        : null
  }
}
