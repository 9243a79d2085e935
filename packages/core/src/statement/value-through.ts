/**
 * The value that a proxy over references shows, as an expression of a query: for conditions, orders and rows.
 */
import { ExpressionWrapper, type OperationNode, SelectionNode } from 'kysely'
import type { Snapshot } from '../model/snapshot.js'
import { type AnyThrough, isThrough, type Reach, type Through } from '../model/through.js'
import { noPath, pathFrom, pathIn } from './alias.js'
import type { Filterable } from './criteria.js'
import { invalidClause } from './error.js'
import { relatedSelecting } from './exists.js'
import type { AliasOf, ExtentOf } from './extent.js'
import { faultNode } from './fault.js'
import type { EntityAt } from './join.js'
import { renamed } from './qualify.js'
import { aliased } from './relation.js'
import { attributeNode, type ExpressionsOf, type ModelOf, mappingsOf, type NameOf, statementOf } from './statement.js'
import { targetsOf } from './targets.js'

/** A proxy that shows a value of one thing at most. */
type ToValue<R extends Reach> = R['form'] extends 'one'
  ? [R['member']] extends [Snapshot]
    ? { readonly fault: 'it shows an entity, which is no value: ask with has' }
    : unknown
  : { readonly fault: 'it leads to many: ask with any' }

/**
 * What a proxy shows, as an expression: of the query's entity, or of what an alias stands for. NULL where it leads nowhere.
 *
 * @example
 * const city = through(model.User, 'address', 'city')
 * pipe(
 *   select(model.User),
 *   where((eb) => eb(valueThrough(eb, city), '=', 'Paris')),
 *   orderBy((eb) => valueThrough(eb, city)),
 * )
 *
 * @category combinators
 */
export function valueThrough<S extends Filterable, R extends Reach>(
  eb: ExpressionsOf<S>,
  proxy: Through<ModelOf<S>, NameOf<S>, R> & ToValue<R>,
): ExpressionWrapper<never, never, R['member'] | null>
export function valueThrough<S extends Filterable, A extends AliasOf<ExtentOf<S>>, R extends Reach>(
  eb: ExpressionsOf<S>,
  alias: A,
  proxy: Through<ModelOf<S>, EntityAt<ExtentOf<S>, A> & string, R> & ToValue<R>,
): ExpressionWrapper<never, never, R['member'] | null>
export function valueThrough(
  eb: ExpressionsOf<Filterable>,
  first: string | AnyThrough,
  second?: AnyThrough,
): ExpressionWrapper<never, never, unknown> {
  const self = statementOf(eb)
  const [alias, proxy] = isThrough(first) ? [null, first] : [first, second as AnyThrough]
  return new ExpressionWrapper(valueFrom(self, alias, proxy.path, proxy.attribute ?? ''))
}

/** The value of an attribute at the end of a path. Each step is a query of one value, correlated with the one before. */
const valueFrom = (
  self: Filterable,
  alias: string | null,
  [first = '', ...further]: ReadonlyArray<string>,
  name: string,
): OperationNode => {
  const { mapping, name: entity } = self.entity
  const path = pathFrom(alias, first)
  const reached = pathIn(mapping, 'aliases' in self ? self.aliases : [], path)
  if (reached === null) return faultNode(invalidClause(entity, 'valueThrough', path, noPath(mapping, path)))
  const targets = targetsOf(self.entity, reached.relationship, null)
  const { target } = reached.relationship
  const value = further.length === 0 ? attributeNode(target, { name }) : valueFrom(targets, null, further, name)
  return relatedSelecting(
    self,
    reached,
    targets,
    (as) => SelectionNode.create(aliased(renamed(mappingsOf(targets), target, value, as), 'found')),
    value,
  )
}
