/**
 * A map of bounded size: when it is full, the entry that was put first goes.
 *
 * Statement texts come from programs, of which there are few, so the bound is rarely met; it is there so that a program
 * that makes texts without end (literals in SQL, say) fills no memory.
 */

export interface BoundedCache<V> {
  readonly get: (key: string) => V | undefined
  readonly set: (key: string, value: V) => V
  readonly clear: () => void
}

/**
 * @category constructors
 */
export const boundedCache = <V>(limit: number): BoundedCache<V> => {
  const entries = new Map<string, V>()
  return {
    get: (key) => entries.get(key),
    set: (key, value) => {
      if (entries.size >= limit && !entries.has(key)) {
        const oldest = entries.keys().next()
        if (oldest.done !== true) entries.delete(oldest.value)
      }
      entries.set(key, value)
      return value
    },
    clear: () => entries.clear(),
  }
}
