/**
 * How the targets of a relationship belong to their owners: which columns are equal, on the way over a table of links too.
 */
import {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  type OperationNode,
  OperatorNode,
  ReferenceNode,
  TableNode,
} from 'kysely'
import type { Attribute, RelationshipMapping } from '../model/mapping.js'

/** Columns that are equal. */
export type Pairs = ReadonlyArray<readonly [OperationNode, OperationNode]>

/** What is equal between owners, the links where there are any, and targets. */
export interface Relation {
  /** A link and its owner; null where no table of links lies between. */
  readonly link: Pairs | null
  /** A target and its link, or its owner. */
  readonly target: Pairs
}

/** Under which name a query joins the links on the way to an alias. */
export const linkAlias = (alias: string): string => `unitary_link_${alias}`

/**
 * The relation between targets and links under some names and the owner's columns.
 */
export const relationOf = (
  { foreignKey, key, kind, target, through }: RelationshipMapping,
  alias: string,
  link: string,
  own: (attribute: Attribute) => OperationNode,
): Relation => {
  if (through !== null) {
    return {
      link: through.own.map((name, i) => [columnIn(link, name), own(key[i] as Attribute)]),
      target: through.target.map((name, i) => [
        columnIn(alias, (target.key[i] as Attribute).name),
        columnIn(link, name),
      ]),
    }
  }
  return {
    link: null,
    target: foreignKey.map((held, i) => {
      const referred = key[i] as Attribute
      return kind === 'BelongsTo'
        ? [columnIn(alias, referred.name), own(held)]
        : [columnIn(alias, held.name), own(referred)]
    }),
  }
}

/** All pairs are equal. */
export const allEqual = (pairs: Pairs): OperationNode =>
  pairs
    .map(([a, b]): OperationNode => BinaryOperationNode.create(a, OperatorNode.create('='), b))
    .reduce((a, b) => AndNode.create(a, b))

/** A column of a table or alias. */
export const columnIn = (table: string, name: string): ReferenceNode =>
  ReferenceNode.create(ColumnNode.create(name), TableNode.create(table))
