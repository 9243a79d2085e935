/**
 * An option of the tests' own, as an application adds it.
 */
import type {} from '@unitary/core'

declare module '@unitary/core' {
  interface ExecutionOptions {
    readonly tenant?: string
  }
}
