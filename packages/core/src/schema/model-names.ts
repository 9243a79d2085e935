/**
 * Names of a model made of names of tables and columns: `order_lines` has entities `OrderLine`, and is `orderLines` to what
 * refers to it.
 */

/** The words of a name, in lower case. */
const wordsOf = (name: string): ReadonlyArray<string> =>
  name
    .replaceAll(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase())

/** With a first letter in upper case. */
export const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** `user_id` as `userId`. */
export const camelCase = (name: string): string => {
  const [first = 'unnamed', ...others] = wordsOf(name)
  const joined = [first, ...others.map(capitalised)].join('')
  return /^\d/.test(joined) ? `_${joined}` : joined
}

/** `user_roles` as `UserRole`. */
export const entityName = (table: string): string => capitalised(singular(camelCase(table)))

const irregular: ReadonlyArray<readonly [one: string, many: string]> = [
  ['person', 'people'],
  ['child', 'children'],
  ['man', 'men'],
]

const ending = (name: string, from: string, to: string): string | null => {
  if (name.endsWith(from)) return name.slice(0, -from.length) + to
  return name.endsWith(capitalised(from)) ? name.slice(0, -from.length) + capitalised(to) : null
}

/** One of what an English plural names, by rule of thumb. */
export const singular = (name: string): string => {
  for (const [one, many] of irregular) {
    const found = ending(name, many, one)
    if (found !== null) return found
  }
  if (/[^aeiou]ies$/i.test(name)) return `${name.slice(0, -3)}y`
  if (/(?:ss|x|ch|sh)es$/i.test(name)) return name.slice(0, -2)
  return /(?:[^sui]|[^aeiou]i)s$/i.test(name) ? name.slice(0, -1) : name
}

/** Many of what an English name is one of; a plural stays what it is. */
export const plural = (name: string): string => {
  for (const [one, many] of irregular) {
    const found = ending(name, one, many)
    if (found !== null) return found
  }
  if (singular(name) !== name) return name
  if (/[^aeiou]y$/i.test(name)) return `${name.slice(0, -1)}ies`
  return /(?:s|x|ch|sh)$/i.test(name) ? `${name}es` : `${name}s`
}

/** A name that is not taken yet, which it is afterwards: the first that is free, or the last with a number. */
export const freeName = (taken: Set<string>, ...names: ReadonlyArray<string>): string => {
  const last = names.at(-1) ?? 'unnamed'
  let free = names.find((name) => !taken.has(name)) ?? last
  for (let i = 2; taken.has(free); i++) free = `${last}${i}`
  taken.add(free)
  return free
}
