/**
 * Values that are encoded already: as databases have them, whatever codecs would make of them.
 */
import { type OperationNode, ValueNode } from 'kysely'
import type { Attribute } from '../model/mapping.js'

/** Stands for a value of an attribute, on its portable side. */
export class Encoded {
  readonly attribute: Attribute
  readonly value: unknown
  constructor(attribute: Attribute, value: unknown) {
    this.attribute = attribute
    this.value = value
  }
}

/** A parameter that no codec encodes; a dialect spells it all the same. */
export const encodedNode = (attribute: Attribute, value: unknown): OperationNode =>
  ValueNode.create(new Encoded(attribute, value))
