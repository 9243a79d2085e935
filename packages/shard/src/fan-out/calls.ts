/**
 * Calls that see more rows than one: aggregates and window functions, wherever they stand in a tree.
 */
import { mapChildren } from '@unitary/core'
import { AggregateFunctionNode, FunctionNode, type OperationNode, RawNode, SelectQueryNode } from 'kysely'

/** A call that takes the rows of a group together. */
export interface AggregateCall {
  readonly _tag: 'Aggregate'
  /** In lower case. */
  readonly name: string
  readonly node: AggregateFunctionNode | FunctionNode
}

/** A call that looks at the rows beside. */
export interface WindowCall {
  readonly _tag: 'Window'
  readonly name: string
  readonly node: AggregateFunctionNode
}

/** Raw text that has either in it, as far as can be told. */
export interface TextCall {
  readonly _tag: 'Text'
  readonly name: string
  readonly node: RawNode
}

export type RowsCall = AggregateCall | WindowCall | TextCall

/** Of SQLite, PostgreSQL and MySQL. */
const aggregates: ReadonlySet<string> = new Set(
  (
    'count sum avg min max total any_value mode median bool_and bool_or every bit_and bit_or bit_xor ' +
    'group_concat string_agg array_agg xmlagg range_agg range_intersect_agg ' +
    'json_agg jsonb_agg json_object_agg jsonb_object_agg json_arrayagg json_objectagg ' +
    'json_group_array json_group_object jsonb_group_array jsonb_group_object ' +
    'std stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp ' +
    'percentile percentile_cont percentile_disc ' +
    'regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy'
  ).split(' '),
)

const inText = new RegExp(`\\b(${[...aggregates].join('|')})\\s*\\(`, 'i')

/**
 * The first call in a tree that sees more rows than one and is wanted, but for those of subqueries; null where there is none.
 *
 * @category combinators
 */
export const callIn = (node: OperationNode, isWanted: (call: RowsCall) => boolean = () => true): RowsCall | null => {
  if (SelectQueryNode.is(node)) return null
  const own = callAt(node)
  if (own !== null && isWanted(own)) return own
  let found: RowsCall | null = null
  mapChildren(node, (child) => {
    found ??= callIn(child, isWanted)
    return child
  })
  return found
}

/** The call that a node itself is. */
export const callAt = (node: OperationNode): RowsCall | null => {
  if (AggregateFunctionNode.is(node)) {
    const name = node.func.toLowerCase()
    return node.over === undefined ? { _tag: 'Aggregate', name, node } : { _tag: 'Window', name, node }
  }
  if (FunctionNode.is(node)) {
    const name = node.func.toLowerCase()
    // of several arguments, SQLite's min and max are the least and the greatest of them
    const isAggregate = aggregates.has(name) && !((name === 'min' || name === 'max') && node.arguments.length > 1)
    return isAggregate ? { _tag: 'Aggregate', name, node } : null
  }
  if (!RawNode.is(node)) return null
  const text = node.sqlFragments.join(' ')
  const name = inText.exec(text)?.[1]?.toLowerCase() ?? (/\bover\b\s*[(\w"`]/i.test(text) ? 'over' : null)
  return name === null ? null : { _tag: 'Text', name, node }
}

/** What a call is, for errors. */
export const called = ({ _tag, name }: RowsCall): string =>
  _tag === 'Aggregate' ? `aggregate ${name}` : _tag === 'Window' ? `window function ${name}` : `raw text with ${name}`
