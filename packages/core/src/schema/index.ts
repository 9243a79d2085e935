/**
 * `@unitary/core/schema`: what a database has compared with what a model says, starting models, drafts of migrations.
 */
export { drift, driftSync } from '../engine/drift.js'
export { introspect, introspectSync } from '../engine/introspect.js'
export { modelFrom, modelFromSync } from '../engine/model-from.js'
export type {
  CheckSchema,
  ColumnSchema,
  DatabaseSchema,
  ForeignKeySchema,
  IndexPart,
  IndexSchema,
  KeySchema,
  SchemaNote,
  SequenceSchema,
  TableSchema,
  ViewSchema,
} from './database-schema.js'
export type {
  CheckExpression,
  ColumnType,
  Counting,
  Default,
  Difference,
  ExtraCheck,
  ExtraColumn,
  ExtraForeignKey,
  ExtraIndex,
  ExtraSequence,
  ExtraTable,
  ExtraUnique,
  ForeignKeyRules,
  IndexDefinition,
  MissingCheck,
  MissingColumn,
  MissingForeignKey,
  MissingIndex,
  MissingSequence,
  MissingTable,
  MissingUnique,
  Nullability,
  PrimaryKey,
} from './difference.js'
export { type Drift, type DriftOptions, driftBetween } from './drift.js'
export type { IntrospectOptions } from './introspect.js'
export { diffToMigration } from './migration.js'
export { modelSource } from './model-source.js'
export { type NamedThing, type NamingConvention, postgresNaming } from './naming.js'
export { renderDrift } from './render-drift.js'
export { type SchemaOptions, schemaOf } from './schema-of.js'
