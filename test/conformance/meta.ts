/**
 * What a test of a scenario tells the reporter that prints the table.
 */
import 'vitest'

/** What a scenario is up for. `missing`: it needs what is not there yet. */
export type Plan = 'replayed' | 'pending' | 'differing' | 'missing'

declare module 'vitest' {
  interface TaskMeta {
    conformance?: { readonly area: string; readonly outcome: Plan }
  }
}
