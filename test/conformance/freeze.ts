/**
 * Freezing a state as deep as it goes, so that whoever changes one in place is found out.
 */
import type { SessionState } from '@unitary/session'

const frozen = new WeakSet<object>()

/** Freezes the state and all that it holds, but for its model. Costs what no earlier state had. */
export const freezeState = (state: SessionState): void => {
  frozen.add(state.model)
  for (const mapping of state.model.mappings) frozen.add(mapping)
  const stack: unknown[] = [state]
  while (stack.length > 0) {
    const value = stack.pop()
    if (typeof value !== 'object' || value === null || frozen.has(value)) continue
    frozen.add(value)
    if (!ArrayBuffer.isView(value)) Object.freeze(value)
    if (value instanceof Map || value instanceof Set) stack.push(...value.keys(), ...value.values())
    for (const key of Reflect.ownKeys(value)) stack.push((value as Record<string | symbol, unknown>)[key])
  }
}
