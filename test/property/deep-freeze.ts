/**
 * Freezes a value and all that it reaches, so that whoever writes to it throws. What is frozen already is taken to be
 * frozen all through.
 */
export const deepFreeze = <A>(root: A): A => {
  const stack: unknown[] = [root]
  for (let value = stack.pop(); value !== undefined || stack.length > 0; value = stack.pop()) {
    if (typeof value !== 'object' || value === null || Object.isFrozen(value)) continue
    // bytes cannot be frozen, and dates would still take a new time
    if (ArrayBuffer.isView(value) || value instanceof Date) continue
    if (value instanceof Map || value instanceof Set) seal(value)
    for (const part of value instanceof Map ? value.values() : []) stack.push(part)
    for (const name of Reflect.ownKeys(value)) stack.push((value as Record<PropertyKey, unknown>)[name])
    Object.freeze(value)
  }
  return root
}

/** A Map or Set keeps what it holds where freezing does not reach. */
const seal = (collection: object): void => {
  for (const name of ['set', 'add', 'delete', 'clear']) {
    Object.defineProperty(collection, name, {
      value: () => {
        throw new TypeError('a frozen collection was written to')
      },
    })
  }
}
