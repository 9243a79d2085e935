/**
 * What `npm run conformance` prints: failures, then the table by area. Vitest runs it as a reporter, and exits non-zero
 * where a scenario failed.
 */
import type { TestCase, TestModule } from 'vitest/node'
import type { Plan } from './meta.js'
import { type Outcome, type Replayed, renderTable } from './table.js'

export default class ConformanceReporter {
  readonly #replayed: Replayed[] = []

  onTestCaseResult(test: TestCase): void {
    const { conformance } = test.meta()
    const { state, errors = [] } = test.result()
    if (conformance !== undefined) {
      this.#replayed.push({ ...conformance, outcome: outcomeOf(conformance.outcome, state) })
    }
    if (state !== 'failed') return
    for (const { message } of errors) process.stdout.write(`${message}\n\n`)
  }

  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<unknown>): void {
    // of a module: what was to be done before its tests
    const errors = modules.flatMap((module) => module.errors().map(({ message }) => message))
    for (const error of [...errors, ...unhandled]) process.stderr.write(`${String(error)}\n`)
    process.stdout.write(`${renderTable(this.#replayed)}\n`)
  }
}

const outcomeOf = (known: Plan, state: string): Outcome =>
  state === 'failed' ? 'failed' : known === 'replayed' ? 'passed' : known
