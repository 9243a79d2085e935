/**
 * What makes two constraints or indexes of a table the same, whatever their names.
 */
import type { Dialect } from '../engine/dialect.js'
import {
  type CheckSchema,
  type ForeignKeySchema,
  type IndexSchema,
  type KeySchema,
  plainColumns,
} from './database-schema.js'
import { canonical } from './same-expression.js'

type DialectName = Dialect['name']

/** Its columns, in whatever order. */
export const keyIdentity = ({ columns }: KeySchema): string => JSON.stringify(columns.toSorted())

/** A unique index that is as good as a constraint. */
export const uniqueIndex = (index: IndexSchema): KeySchema | null => {
  const columns = index.unique && index.where === null ? plainColumns(index) : null
  return columns === null ? null : { name: index.name, columns }
}

/** Its pairs of columns, in whatever order. */
export const foreignKeyIdentity = ({ columns, table, targetColumns }: ForeignKeySchema): string =>
  JSON.stringify([table, ...columns.map((column, i) => JSON.stringify([column, targetColumns[i]])).toSorted()])

/** Its parts, its condition and its kind. */
export const indexIdentity = ({ parts, unique, where, method }: IndexSchema, dialect: DialectName): string =>
  JSON.stringify([
    parts.map((part) => [
      part._tag === 'Column' ? part.column : canonical(part.expression, dialect),
      part._tag,
      part.direction,
    ]),
    unique,
    where === null ? null : canonical(where, dialect),
    method,
  ])

/** What it says. */
export const checkIdentity = ({ expression }: CheckSchema, dialect: DialectName): string =>
  canonical(expression, dialect)
