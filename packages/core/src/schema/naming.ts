/**
 * Names of constraints and indexes: the same for the same model, whichever database it is made on.
 */

/**
 * What a name is of: its kind, the table without its schema, and the columns.
 *
 * @category model
 */
export interface NamedThing {
  readonly kind: 'pkey' | 'key' | 'fkey' | 'idx' | 'check'
  readonly table: string
  readonly columns: ReadonlyArray<string>
}

/**
 * How constraints and indexes are named that no one gives a name.
 *
 * @example
 * const naming: NamingConvention = ({ kind, table, columns }) => [kind, table, ...columns].join('__')
 *
 * @category model
 */
export type NamingConvention = (thing: NamedThing) => string

/**
 * The names that PostgreSQL itself would choose: `users_email_key`, `addresses_user_id_fkey`, `users_pkey`.
 *
 * @category constructors
 */
export const postgresNaming: NamingConvention = ({ kind, table, columns }) => [table, ...columns, kind].join('_')

/** PostgreSQL cuts names off at 63 bytes, MySQL refuses those of more than 64 characters. */
const longestName = 63

/** A name as every database takes it: one that is too long ends in a hash of all of it. */
export const fitting = (name: string): string => {
  if (byteLength(name) <= longestName) return name
  let kept = name.slice(0, longestName - 9)
  while (byteLength(kept) > longestName - 9) kept = kept.slice(0, -1)
  return `${kept}_${hash(name)}`
}

/** A table's name without its schema. */
export const unqualified = (table: string): string => table.slice(table.lastIndexOf('.') + 1)

/** The schema that a table's name says; null where it says none. */
export const schemaIn = (table: string): string | null => {
  const dot = table.lastIndexOf('.')
  return dot === -1 ? null : table.slice(0, dot)
}

const byteLength = (text: string): number => new TextEncoder().encode(text).length

/** FNV-1a of 32 bits, as 8 hexadecimal digits. */
const hash = (text: string): string => {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return (value >>> 0).toString(16).padStart(8, '0')
}
