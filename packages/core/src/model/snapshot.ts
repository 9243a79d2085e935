/**
 * A snapshot: a readonly row that knows which instance of a session it is a picture of.
 *
 * It is an ordinary frozen object of attributes. The instance's number is kept in a private field rather than a
 * property, so that snapshots compare and print as plain rows, and a copy by spread (`{ ...user, name: 'ed' }`) is plain
 * data again instead of a second picture that claims to be the instance.
 */

declare const pictured: unique symbol

/**
 * The number of an instance within its session: dense, from 0, given in order. `Name` is the entity's.
 *
 * @category model
 */
export type InstanceId<Name extends string = string> = number & { readonly [pictured]?: Name }

/**
 * In place of an instance's number: of snapshots that picture a row and belong to no session. No session has such an
 * instance.
 *
 * @category model
 */
export const noInstance: InstanceId = -1

/**
 * Base of the row classes that a session's decoders make, and the type of any reference to an instance: what
 * `Managed`, `Pending` and every function that takes "an instance" have in common.
 *
 * @category model
 */
export class Snapshot<out Name extends string = string> {
  readonly #instance: InstanceId<Name>
  // for types alone: declaration files leave out what a private field is of, and keep what a protected one is
  // a function, so that an instance of a subtype can be one of its parent too
  declare protected readonly entityName?: () => Name
  constructor(instance: InstanceId<Name>) {
    this.#instance = instance
  }

  /**
   * The number of the instance that a value pictures, null where it is no snapshot.
   *
   * @category guards
   */
  static instanceOf(value: unknown): InstanceId | null {
    return typeof value === 'object' && value !== null && #instance in value ? value.#instance : null
  }
}
