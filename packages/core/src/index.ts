/**
 * `@unitary/core`: models, codecs, statements and engines. Knows no session.
 */
export {
  bigInt,
  bytes,
  IntegerType,
  isoDate,
  json,
  NullableType,
} from './codec/codecs.js'
export {
  compareDecimals,
  type Decimal,
  DecimalType,
  isDecimal,
  parseDecimal,
  sortableDecimal,
} from './codec/decimal.js'
export { listOf } from './codec/list.js'
export {
  DecodeFault,
  type ReadMode,
  type RowClass,
  type RowColumns,
  type RowReader,
  type RowViewer,
  rowClassOf,
  rowReaderOf,
} from './codec/row-class.js'
export { type PlainDate, type PlainTime, parsePlainDate, parsePlainTime } from './codec/time.js'
export type {
  Answer,
  BeginCall,
  BranchId,
  CloseCursorCall,
  CompiledStatement,
  ComputedColumn,
  CursorCall,
  DeleteCall,
  DriverRow,
  EndPreparedCall,
  EngineCall,
  FetchCall,
  InsertCall,
  IsolationLevel,
  ListPreparedCall,
  OpenCursorCall,
  PrepareCall,
  QueryAnswer,
  QueryCall,
  Returned,
  TransactionCall,
  TwoPhaseCall,
  UpdateAnswer,
  UpdateCall,
} from './engine/call.js'
export { fitsStatement } from './engine/chunk.js'
export type {
  Capabilities,
  CursorSupport,
  Dialect,
  ParameterPlace,
  Returning,
  Selected,
  StatementLimits,
  TextComparison,
} from './engine/dialect.js'
export type { AsyncConnection, Connection, Engine, Layout, SyncConnection } from './engine/engine.js'
export {
  type CheckViolation,
  type EngineError,
  type EngineReason,
  engineError,
  type ForeignKeyViolation,
  type NotNullViolation,
  type PlainReason,
  type UniqueViolation,
  type UnknownColumn,
  type UnknownTable,
} from './engine/error.js'
export { renamedEngine } from './engine/layout.js'
export { mysqlDialect } from './engine/mysql-dialect.js'
export { postgresDialect } from './engine/postgres-dialect.js'
export { createAll, createAllSync, dropAll, dropAllSync } from './engine/schema.js'
export { sqliteDialect } from './engine/sqlite-dialect.js'
export type { TableNames } from './engine/table-names.js'
export {
  type AnyCollectionKind,
  asList,
  asSet,
  type CollectionForm,
  type CollectionFunctions,
  type CollectionKey,
  type CollectionKind,
  type CollectionOf,
  type CollectionShape,
  collectionKind,
  type Entries,
  type GroupedForm,
  type GroupsShape,
  groupedBy,
  type KeyedForm,
  type KeyOfCollection,
  keyedBy,
  type ListForm,
  type ListShape,
  type MapShape,
  membersGiven,
  type Position,
  type PositionedShape,
  positioned,
  type RecordShape,
  recordBy,
  type SetForm,
  type SetShape,
} from './model/collection.js'
export {
  type AnyColumn,
  type Column,
  type ColumnDetail,
  type ColumnExpression,
  type ColumnFlag,
  type ColumnKind,
  type ColumnType,
  column,
  deferred,
  deferredIn,
  generated,
  named,
  nullable,
  ofType,
  primaryKey,
  type Rule,
  references,
  type SqlTypes,
  unique,
  validate,
} from './model/column.js'
export {
  generatedBy,
  withDefault,
  withInsertDefault,
  withServerDefault,
  withUpdateDefault,
} from './model/column-default.js'
export {
  arrayOf,
  bigint,
  blob,
  boolean,
  decimal,
  enumOf,
  instant,
  integer,
  jsonOf,
  plainDate,
  plainTime,
  real,
  text,
  uuid,
} from './model/column-kinds.js'
export { serverVersion, version } from './model/column-version.js'
export { type AttributesOf, type Composite, composite, type PartsOf } from './model/composite.js'
export type {
  Check,
  CheckOptions,
  Constraints,
  ForeignKeyOptions,
  Index,
  IndexedAttribute,
  IndexOptions,
  TableForeignKey,
  TableOptions,
  UniqueConstraint,
  UniqueOptions,
} from './model/constraint.js'
export type { Database, TableOf } from './model/database.js'
export {
  type AnyEntity,
  type Base,
  type BaseOptions,
  type Columns,
  type ColumnsOf,
  type Concrete,
  type Entity,
  type EntityOptions,
  entity,
  type Family,
  type Inheritance,
  type Insertable,
  type Joined,
  type Key,
  type OptionalAttributes,
  type Polymorphic,
  type Row,
  type RowOptions,
  type RowValidator,
  type Simplify,
  type Single,
  type SubtypeLoad,
  type ValueOf,
} from './model/entity.js'
export type {
  ExpressionAttribute,
  ExtendedEntities,
  ExtendedEntity,
  Extension,
  ExtensionAttribute,
  ExtensionBuilder,
  Extensions,
  Synonym,
} from './model/extension.js'
export { ModelError, type ModelFault } from './model/fault.js'
export { type ForeignKeyConstraint, foreignKeysOf } from './model/foreign-keys.js'
export {
  type Counter,
  counter,
  type Generator,
  type GeneratorOptions,
  generatorName,
  hiLo,
  type Sequence,
  sequence,
} from './model/generator.js'
export { type SnowflakeOptions, type SnowflakeParts, snowflake, snowflakeParts, uuidV7 } from './model/ids.js'
export type {
  CollectionGiven,
  CollectionKeyOf,
  CollectionName,
  CollectionWith,
  DeferredAttribute,
  DeferredIn,
  DiscriminatorOf,
  Draft,
  DraftOrInstance,
  EntityOf,
  ExpressionName,
  GivenTo,
  IdentityOf,
  JoinedName,
  KeyAttribute,
  KeyedCollectionName,
  KeyOf,
  Managed,
  OwnName,
  Pending,
  ReferenceName,
  Related,
  RelationshipName,
  RelationshipsOf,
  RowOf,
  ShapeOf,
  SnapshotOf,
  StoredName,
  StoredRow,
  SubtypeName,
  SynonymName,
  TakenBy,
  TargetOf,
  WritableCollection,
  WritableReference,
} from './model/infer.js'
export {
  type Attribute,
  isKindOf,
  isOnlyJoined,
  type Mapping,
  mayHaveSeveral,
  type RelationshipMapping,
  type TablePart,
  takes,
  withDescendants,
} from './model/mapping.js'
export {
  type AnyModel,
  defineModel,
  type Mapped,
  type Model,
  type ModelBuilder,
  type TypeFault,
} from './model/model.js'
export { introducing, subtypeColumn } from './model/parts.js'
export { decodedKeyOf, encodedKeyOf, type RawKey, rawKeyOf, rawKeyOfValue } from './model/raw-key.js'
export type { Deferrable, ForeignKey, ReferenceOptions, ReferentialAction } from './model/reference.js'
export type {
  Behaviour,
  BelongsTo,
  Between,
  Cascade,
  Entities,
  HasMany,
  HasOne,
  JoinCondition,
  JoinsMany,
  JoinsOne,
  Link,
  LoadStrategy,
  ManyToMany,
  OrderDirection,
  Relationship,
  Relationships,
  TargetCondition,
} from './model/relationship.js'
export type { RelationshipBuilder, Sides } from './model/relationship-builder.js'
export { type InstanceId, noInstance, Snapshot } from './model/snapshot.js'
export { type SqlDefault, sqlDefaultOf } from './model/sql-default.js'
export { storedMappings } from './model/stored.js'
export {
  type ConcreteBuilder,
  concrete,
  type JoinedOptions,
  type SubtypeBuilder,
  type SubtypeOptions,
  subtype,
} from './model/subtype.js'
export {
  type AnyThrough,
  type Far,
  formOver,
  isThrough,
  type Reach,
  type ReachOver,
  relationshipsThrough,
  type Through,
  type ThroughForm,
  type ThroughLinks,
  type ThroughTo,
  through,
} from './model/through.js'
export { byOwnNames, faultsOf, rowFaults, ruleFaults, type ValueFault, valueFaults } from './model/validate.js'
export { formThrough, type Linked, viewThrough, type Walk, walkThrough } from './model/view-through.js'
export { type Ddl, type DdlCondition, type DdlOptions, type DdlStatement, ddlOf, renderDdl } from './schema/ddl.js'
export type { Services } from './services.js'
export type { Alias, AliasPath } from './statement/alias.js'
export { type AnalysedTable, type Analysis, analyse } from './statement/analyse.js'
export { applyActive, applyCriteria } from './statement/apply-criteria.js'
export {
  alsoSelecting,
  columnsAs,
  columnsOf,
  defer,
  loadOnly,
  rowColumns,
  undefer,
  undeferGroup,
} from './statement/attributes.js'
export { checkStatement } from './statement/check.js'
export { distinct, groupBy, having, limit, type NamedIn, offset, orderBy } from './statement/clauses.js'
export { compareBytes, compareText } from './statement/compare.js'
export { type Compiler, compile, compileNode, compileStatistics } from './statement/compile.js'
export type { CompileStatistics } from './statement/compile-cache.js'
export { type Enclosed, except, intersect, type SetOperation, union, unionAll } from './statement/compound.js'
export { type ComputedAttribute, computed, computedValue } from './statement/computed.js'
export {
  type AliasFor,
  type Contained,
  type ContainsEager,
  containedColumns,
  containsEager,
} from './statement/contains.js'
export { countColumn, counting, existing } from './statement/count.js'
export { type Criteria, type Filterable, filterBy, type Operand, where, whereOf } from './statement/criteria.js'
export { type DefaultExtent, type DefaultLoads, type DefaultSubtype, select } from './statement/default-subtypes.js'
export { type AnyDelete, type Delete, deleteFrom } from './statement/delete.js'
export { fromQuery, fromSql, type Given, type KeyRow, type QueryOf, type QueryOver } from './statement/derived.js'
export { conditionAt, type EntityCondition } from './statement/entity-condition.js'
export {
  type ActiveCriteria,
  activeCriteria,
  allCriteriaOff,
  type CriteriaOf,
  type CriteriaOptions,
  type Criterion,
  combineCriteria,
  criteria,
  criteriaOff,
  type EntityCriteria,
  withoutCriteria,
} from './statement/entity-criteria.js'
export {
  type Clause,
  type EncodeError,
  type InvalidClause,
  invalidClause,
  type MissingValue,
  missingValue,
  type NotPortable,
  type NoUniqueKey,
  renderStatementError,
  type SeveralTables,
  type StatementError,
  type UnknownAttribute,
  type UnorderedValue,
} from './statement/error.js'
export {
  type EvaluableChanges,
  type EvaluableCriteria,
  evaluateChanges,
  evaluateCriteria,
  type Truth,
} from './statement/evaluate.js'
export type { NotEvaluable } from './statement/evaluate-term.js'
export { type Any, any, type CollectionPath, type Has, has, type ReferencePath } from './statement/exists.js'
export type {
  AliasOf,
  Extent,
  ExtentOf,
  JoinedAs,
  JoinedDatabase,
  JoinedTables,
  Whole,
} from './statement/extent.js'
export {
  type AnyInsert,
  fromSelect,
  type Insert,
  type Inserting,
  type InsertRow,
  insertInto,
  mapRows,
  returningEntities,
  values,
} from './statement/insert.js'
export {
  canHaveDefaults,
  type InsertDraw,
  insertDraws,
  withDefaults,
  withDrawnValues,
} from './statement/insert-defaults.js'
export {
  Computed,
  type InsertRows,
  insertOfRows,
  insertRowsOf,
  type RowRun,
  rowRuns,
  runCells,
} from './statement/insert-rows.js'
export {
  type EntityAt,
  type Join,
  type Joining,
  type JoinOn,
  join,
  joinOn,
  leftJoin,
  leftJoinOn,
  type NameAt,
  type Path,
  type TargetAt,
} from './statement/join.js'
export {
  canBeJoined,
  canJoin,
  containedParts,
  type JoinedLoad,
  type JoinedPart,
  joinedColumnsAs,
  joinedParts,
  joinedRow,
  joinedSelect,
  joinsInPlace,
} from './statement/joined.js'
export {
  canReturnKeys,
  changesKey,
  keyReaderOf,
  type MetKey,
  returningKeys,
  selectingKeys,
} from './statement/keys.js'
export {
  type Eager,
  immediate,
  joined,
  type Levels,
  lazy,
  none,
  raise,
  recursively,
  type SelfReference,
  selectin,
  subquery,
  type Targets,
  type Tree,
  type Without,
} from './statement/load.js'
export { forShare, forUpdate, type LockOptions } from './statement/lock.js'
export { type BuilderOf, modify } from './statement/modify.js'
export { shownThrough, targetsOfOwners, targetsWithOwner, withoutOffset } from './statement/owners.js'
export { type PageTerm, type Place, pageAfter, pageAmongOthers, pageTerms, placeOf } from './statement/page.js'
export { withoutPartialKeys } from './statement/partial-keys.js'
export * as Ranges from './statement/ranges.js'
export { ReadFault, type Reading, readingIn, readingOf, valueReaderOf } from './statement/reading.js'
export { resolve } from './statement/resolve.js'
export {
  type AnyQuery,
  type AnyRows,
  type EntityOutput,
  entitiesOf,
  type Output,
  ofEntities,
  type ResultOf,
  type RowShape,
  type Rows,
  type ValueOutput,
} from './statement/rows.js'
export {
  type AnySelect,
  type Load,
  type RelatedWith,
  type Resulting,
  type Select,
  selectOwn,
} from './statement/select.js'
export {
  type AliasedResult,
  type EntityPart,
  type PartResult,
  type ReadPart,
  type RowExpressions,
  type RowFunctions,
  type RowPart,
  type RowResult,
  selectRows,
  selectScalar,
} from './statement/select-rows.js'
export {
  type AnyStatement,
  type DatabaseOf,
  type ExecutionOptions,
  type ExpressionsOf,
  type ModelOf,
  mappingsOf,
  type NameOf,
  optionsOver,
  type Statement,
  type TablesOf,
  trusted,
  withOptions,
} from './statement/statement.js'
export {
  isA,
  joinsOnlySubtypes,
  type OneOf,
  type ReadingSubtypes,
  selectinSubtypes,
  withSubtypes,
} from './statement/subtypes.js'
export {
  type Bound,
  bind,
  linkedOwner,
  refineByAttributes,
  selectByAttributes,
  selectByKey,
  selectOfOwners,
  type Template,
} from './statement/template.js'
export { mapChildren } from './statement/tree.js'
export {
  type AnyUpdate,
  assignmentsOf,
  type Changes,
  missingUpdateDefaults,
  set,
  type Update,
  update,
  withUpdateDefaults,
} from './statement/update.js'
export { type KeyedChanges, type UpdateRun, updateRowsOf } from './statement/update-rows.js'
export {
  type AttributeOf,
  type ConflictChanges,
  type ConflictExpressions,
  type ConflictTarget,
  onConflictDoNothing,
  onConflictDoUpdate,
} from './statement/upsert.js'
export * as ValueSet from './statement/value-set.js'
export { valueThrough } from './statement/value-through.js'
export {
  canSkip,
  conflictKeys,
  inGivenOrder,
  loadedAttributes,
  returningRows,
  tellingApart,
} from './statement/written-rows.js'
