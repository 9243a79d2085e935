/**
 * Which rows a bulk update or delete meets, by their keys: returned by the statement itself where the database can, or
 * selected before it.
 *
 * An update that changes keys returns the new ones only. Its rows are selected before it wherever it runs, with the old
 * key and what becomes of it.
 */
import { isLeft } from 'fp-ts/lib/Either.js'
import {
  AliasNode,
  IdentifierNode,
  type OperationNode,
  QueryNode,
  SelectionNode,
  SelectModifierNode,
  SelectQueryNode,
  TableNode,
  ValueNode,
} from 'kysely'
import type { DriverRow } from '../engine/call.js'
import type { Dialect } from '../engine/dialect.js'
import type { Engine } from '../engine/engine.js'
import type { Attribute, Mapping } from '../model/mapping.js'
import { type RawKey, rawKeyOf } from '../model/raw-key.js'
import type { AnyDelete } from './delete.js'
import { tableName } from './source.js'
import { type AnyStatement, attributeNode, tableNode } from './statement.js'
import { type AnyUpdate, assignmentsOf } from './update.js'

type Write = AnyUpdate | AnyDelete

/**
 * The key of a row that a statement meets, before and after it. They differ where an update sets a part of it; `after` is
 * null where the row can no longer be told by it.
 *
 * @category model
 */
export interface MetKey {
  readonly before: RawKey
  readonly after: RawKey | null
}

/** Does a statement set a part of the primary key? @category guards */
export const changesKey = (statement: Write): boolean =>
  statement._tag === 'Update' && assignmentsOf(statement).some(([attribute]) => attribute.isKey)

/**
 * Can the statement itself tell the keys of the rows that it meets? To be asked when it runs: of some databases it is known
 * only once they are connected to.
 *
 * @example
 * const asked = canReturnKeys(engine, statement) ? returningKeys(statement) : selectingKeys(statement, engine.dialect)
 *
 * @category guards
 */
export const canReturnKeys = (
  { capabilities, dialect }: Pick<Engine, 'capabilities' | 'dialect'>,
  statement: Write,
): boolean =>
  capabilities.returning[statement._tag === 'Update' ? 'update' : 'delete'] &&
  !changesKey(statement) &&
  // MariaDB returns rows of one table only
  (dialect.name !== 'mysql' || (otherTables(statement).length === 0 && statement.node.joins === undefined))

const returning = new WeakMap<Write['node'], Write['node']>()

/**
 * The statement, returning the keys of the rows that it meets and nothing else. The same tree for the same tree.
 *
 * @example
 * returningKeys(deleteFrom(model.User)) // delete from "users" returning "users"."id"
 *
 * @category combinators
 */
export const returningKeys = <S extends Write>(statement: S): S => {
  const { node } = statement
  let returned = returning.get(node)
  if (returned === undefined) {
    returned = QueryNode.cloneWithReturning(QueryNode.cloneWithoutReturning(node), keySelections(statement))
    returning.set(node, returned)
  }
  return { ...statement, node: returned }
}

const selecting = new WeakMap<Write['node'], Map<Dialect['name'], SelectQueryNode>>()

/**
 * A query of the keys of the rows that the statement will meet. It locks them where the database can, so that they are the
 * same when the statement runs. The same tree for the same tree and dialect.
 *
 * @example
 * selectingKeys(deleteFrom(model.User), mysqlDialect) // select `users`.`id` from `users` for update
 *
 * @category combinators
 */
export const selectingKeys = (statement: Write, { name }: Dialect): AnyStatement => {
  let byDialect = selecting.get(statement.node)
  if (byDialect === undefined) {
    byDialect = new Map()
    selecting.set(statement.node, byDialect)
  }
  const node = byDialect.get(name) ?? keysNode(statement, name)
  byDialect.set(name, node)
  return { entity: statement.entity, node, options: statement.options }
}

const keysNode = (statement: Write, dialect: Dialect['name']): SelectQueryNode => {
  const { mapping } = statement.entity
  const { with: expressions, joins, where, orderBy, limit } = statement.node
  const froms = [tableNode(mapping), ...otherTables(statement)]
  const moved = movedKeys(statement).map(({ attribute, value }) =>
    SelectionNode.create(AliasNode.create(value, IdentifierNode.create(movedKey(attribute)))),
  )
  return {
    ...SelectQueryNode.createFrom(froms, expressions),
    selections: [...keySelections(statement), ...moved],
    ...(joins === undefined ? {} : { joins }),
    ...(where === undefined ? {} : { where }),
    ...(orderBy === undefined ? {} : { orderBy }),
    ...(limit === undefined ? {} : { limit }),
    ...(dialect === 'sqlite' ? {} : { endModifiers: [lock(mapping, dialect)] }),
  }
}

/** Of the rows of this table only; PostgreSQL has it without schema, MariaDB not at all. */
const lock = ({ table }: Mapping, dialect: Dialect['name']): SelectModifierNode =>
  SelectModifierNode.create(
    'ForUpdate',
    dialect === 'postgres' ? [TableNode.create(table.slice(table.indexOf('.') + 1))] : undefined,
  )

const keySelections = ({ entity: { mapping } }: Write): ReadonlyArray<SelectionNode> =>
  mapping.key.map((attribute) => SelectionNode.create(attributeNode(mapping, attribute)))

/** The tables that a statement reads beside the one that it writes. */
const otherTables = ({ entity, node }: Write): ReadonlyArray<OperationNode> => {
  const tables = node.kind === 'UpdateQueryNode' ? (node.from?.froms ?? []) : (node.using?.tables ?? [])
  // MySQL names the table itself among those that are used
  return tables.filter((table) => !TableNode.is(table) || tableName(table) !== entity.mapping.table)
}

interface MovedKey {
  readonly attribute: Attribute
  readonly value: OperationNode
}

/** The parts of the key that become what only the database can tell. */
const movedKeys = (statement: Write): ReadonlyArray<MovedKey> =>
  statement._tag === 'Delete'
    ? []
    : assignmentsOf(statement).flatMap(([attribute, value]) =>
        attribute.isKey && !ValueNode.is(value) ? [{ attribute, value }] : [],
      )

/** Under which name a row tells what becomes of a part of its key. */
const movedKey = ({ position }: Attribute): string => `unitary_key_${position}`

/**
 * Reads the keys out of the rows of `returningKeys` or `selectingKeys`; null where a row's key is none that its codecs
 * know, which no session has.
 *
 * @example
 * const keys = rows.map(keyReaderOf(statement, engine.dialect)) // [{ before: 1, after: 1 }, ...]
 *
 * @category interpreters
 */
export const keyReaderOf = (statement: Write, dialect: Dialect): ((row: DriverRow) => MetKey | null) => {
  const { mapping } = statement.entity
  const read = mapping.key.map((attribute) => partReader(attribute, dialect))
  const key = (value: (attribute: Attribute, i: number) => unknown): RawKey | null => {
    const parts: Record<string, unknown> = {}
    for (let i = 0; i < mapping.key.length; i++) {
      const attribute = mapping.key[i] as Attribute
      parts[attribute.name] = value(attribute, i)
    }
    return rawKeyOf(mapping, parts)
  }
  const before = (row: DriverRow): RawKey | null => key(({ name }, i) => read[i]?.(row[name]))
  if (!changesKey(statement)) {
    return (row) => {
      const found = before(row)
      return found === null ? null : { before: found, after: found }
    }
  }
  const set = new Map(statement._tag === 'Update' ? assignmentsOf(statement) : [])
  return (row) => {
    const found = before(row)
    if (found === null) return null
    const after = key((attribute, i) => {
      const value = set.get(attribute)
      if (value === undefined) return read[i]?.(row[attribute.name])
      return ValueNode.is(value) ? value.value : read[i]?.(row[movedKey(attribute)])
    })
    return { before: found, after }
  }
}

/** The program's value of a part of a key, as the driver gives it; null where the codec does not know it. */
export const partReader = ({ column }: Attribute, dialect: Dialect): ((value: unknown) => unknown) => {
  const convert = dialect.fromDriver(column.kind)
  return (value) => {
    const decoding = column.codec.decode(convert === null ? value : convert(value))
    return isLeft(decoding) ? null : decoding.right
  }
}
