/**
 * What can be wrong with names that types let through.
 */

/**
 * Why an entity, an attribute or a relationship cannot be called so; null where it can.
 *
 * @category guards
 */
export const nameFault = (name: string): string | null => {
  if (name === '') return 'it has no name; give it one'
  if (name in Object.prototype) return `every object has a property '${name}'; choose another name`
  // Kysely reads them so
  if (name.includes('.')) return 'a name with a dot is taken for a column of a table; choose another'
  return / as /i.test(name) ? "a name with 'as' in it is taken for two; choose another" : null
}

/**
 * Why a table cannot be called so; null where it can.
 *
 * @category guards
 */
export const tableFault = (table: string): string | null => {
  const parts = table.split('.')
  if (parts.length <= 2 && !parts.includes('')) return null
  return table === ''
    ? 'its table has no name; give it one'
    : `'${table}' names no table; say 'table' or 'schema.table'`
}
