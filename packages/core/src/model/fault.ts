/**
 * What can be wrong with a model that its types let through.
 */

/**
 * One fault: where it is (`User.addresses.inverse`) and what to do about it.
 *
 * @category model
 */
export interface ModelFault {
  readonly path: string
  readonly message: string
}

/**
 * Thrown by `defineModel`, with every fault that it found. A faulty model is a defect of the program, to be met when
 * it loads, not a failure to be handled.
 *
 * @category errors
 */
export class ModelError extends Error {
  readonly _tag = 'ModelError'
  readonly faults: ReadonlyArray<ModelFault>
  constructor(faults: ReadonlyArray<ModelFault>) {
    super(
      `the model has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((f) => `  ${f.path}: ${f.message}`).join('\n')}`,
    )
    this.name = 'ModelError'
    this.faults = faults
  }
}
