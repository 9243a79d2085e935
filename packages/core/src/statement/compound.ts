/**
 * Set operations: the entities of two queries taken together.
 *
 * Each query keeps its own conditions, order and limit; what comes after speaks of what they give together.
 *
 * @example
 * pipe(
 *   select(model.User),
 *   where('age', '<', 18),
 *   union(pipe(select(model.User), where('age', '>', 66))),
 *   orderBy('name'),
 *   limit(10),
 * )
 */
import { SelectionNode, SelectQueryNode, SetOperationNode, type SetOperator } from 'kysely'
import type { Attribute } from '../model/mapping.js'
import { type Omitting, selectedAttributes } from './attributes.js'
import { uncontained } from './contains.js'
import { derivedNode } from './derived.js'
import type { Extent, Whole } from './extent.js'
import type { AnySelect, Select } from './select.js'
import { attributeNode } from './statement.js'

/** The extent of a query that stands in a subquery: its aliases are not seen any more. @category model */
export type Enclosed<X extends Extent> = [X['omitted']] extends [never] ? Whole : Omitting<Whole, X['omitted']>

/** Takes the entities of another query together with those of a query. @category model */
export type SetOperation = <M, N extends string, X2 extends Extent>(
  other: Select<M, N, unknown, X2>,
) => <L, X extends Extent>(self: Select<M, N, L, X>) => Select<M, N, L, Enclosed<X>>

const combine =
  (operator: SetOperator, all: boolean) =>
  (other: AnySelect) =>
  (first: AnySelect): AnySelect => {
    const self = uncontained(first, 'union', 'load the relationship by selectin')
    const { mapping } = self.entity
    const attributes = selectedAttributes(self)
    const together: SelectQueryNode = {
      ...operand(self, attributes),
      setOperations: [SetOperationNode.create(operator, operand(other, attributes), all)],
    }
    return {
      ...self,
      aliases: [],
      node: derivedNode(mapping, together, attributes),
    }
  }

/** A query as it can stand beside others: SQLite takes neither parentheses nor an order or limit there. */
const operand = ({ entity, node }: AnySelect, attributes: ReadonlyArray<Attribute>): SelectQueryNode => {
  const { mapping } = entity
  const { orderBy, ...rest } = node
  const isPlain =
    node.limit === undefined &&
    node.offset === undefined &&
    node.fetch === undefined &&
    node.top === undefined &&
    node.distinctOn === undefined &&
    node.with === undefined &&
    node.setOperations === undefined &&
    node.endModifiers === undefined
  const selections = attributes.map((attribute) => SelectionNode.create(attributeNode(mapping, attribute)))
  return isPlain
    ? { ...rest, selections }
    : derivedNode(
        mapping,
        SelectQueryNode.cloneWithSelections(SelectQueryNode.cloneWithoutSelections(node), selections),
        attributes,
      )
}

/**
 * The entities that either query gives, each once.
 *
 * @category combinators
 */
export const union: SetOperation = combine('union', false) as never

/**
 * The entities of both queries, one after another: twice where both give them.
 *
 * @category combinators
 */
export const unionAll: SetOperation = combine('union', true) as never

/**
 * The entities that both queries give.
 *
 * @category combinators
 */
export const intersect: SetOperation = combine('intersect', false) as never

/**
 * The entities that the query gives and the other does not.
 *
 * @category combinators
 */
export const except: SetOperation = combine('except', false) as never
