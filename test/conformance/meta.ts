/**
 * What a test of a scenario tells the reporter that prints the table.
 */
import 'vitest'

/**
 * What a scenario is up for. `skipped`: the database cannot do it, or there is none.
 */
export type Plan = 'replayed' | 'differing' | 'skipped'

declare module 'vitest' {
  interface TaskMeta {
    conformance?: {
      readonly area: string
      readonly database: string
      readonly outcome: Plan
      /** Why it is skipped. */
      readonly reason: string | null
    }
  }
}
