/**
 * Running inserts past the unit of work on one connection.
 *
 * Rows that are plain values go by the engine's own batches, as those of a flush do. What a batch cannot say - expressions,
 * conflicts, clauses of Kysely's - goes as statements of many rows each.
 */
import {
  type AnyInsert,
  type Attribute,
  bind,
  type CompiledStatement,
  type Connection,
  canSkip,
  compile,
  type DriverRow,
  type Engine,
  type EngineError,
  engineError,
  fitsStatement,
  type InsertRows,
  inGivenOrder,
  insertOfRows,
  loadedAttributes,
  type QueryAnswer,
  type Returned,
  type RowRun,
  returningRows,
  rowRuns,
  runCells,
  type StatementError,
  selectByAttributes,
  tellingApart,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { RequestError } from '../error.js'
import type { InsertRequest } from '../program/request.js'
import type { ShardToken } from '../state/identity-map.js'
import type { Inserted } from '../transition/inserted.js'
import type { InsertStep } from '../unit-of-work/step.js'
import { call, type Effect } from './effect.js'
import { stepError, violation } from './execute.js'
import { failureOf } from './query.js'
import { kindsOf, selectedKinds, spelt } from './spelling.js'

/** An insert under way on one connection. */
interface Inserting {
  readonly connection: Connection
  readonly engine: Engine
  readonly statement: AnyInsert
  readonly token: ShardToken | null
  /** The rows that were written so far, where they are wanted, and which of those given they are. */
  readonly answered: DriverRow[]
  readonly places: number[]
}

/**
 * Runs an insert. Of rows that were given, those that come back stand in their order. Where it fails, some may have been
 * written.
 *
 * @category interpreters
 */
export function* runInsert(
  connection: Connection,
  engine: Engine,
  { rows, statement }: InsertRequest,
  token: ShardToken | null,
): Effect<Either<RequestError, Inserted>> {
  const inserting: Inserting = { connection, engine, statement, token, answered: [], places: [] }
  const unable = unanswerable(inserting, rows)
  if (unable !== null) return left(failed(inserting, unable))
  const affected = yield* rows === null ? insertQuery(inserting) : insertRuns(inserting, rows)
  if (isLeft(affected)) return affected
  const { answered, places } = inserting
  return right({
    dialect: engine.dialect,
    token,
    affected: affected.right,
    rows: wantsRows(statement) ? answered : null,
    places: rows === null ? null : places,
  })
}

const wantsRows = ({ answers }: AnyInsert): boolean => answers === 'entities'

const unable = (message: string): EngineError => engineError({ _tag: 'Unsupported' }, message)

/** Why the database cannot tell the rows that an insert wrote; null where it can, or need not. */
const unanswerable = ({ engine, statement }: Inserting, rows: InsertRows | null): EngineError | null => {
  if (!wantsRows(statement)) return null
  if (engine.dialect.name === 'mysql' && canSkip(statement)) {
    return unable(
      'MySQL and MariaDB do not tell which rows an upsert has left alone; leave out returningEntities, and query the rows',
    )
  }
  return rows === null && !engine.capabilities.returning.insert
    ? unable(
        'the database has no INSERT ... RETURNING, which the entities of an insert from a query need; leave out returningEntities, and query the rows',
      )
    : null
}

type Affected = Either<RequestError, number>

function* insertRuns(inserting: Inserting, rows: InsertRows): Effect<Affected> {
  const isBatch = rows.isLiteral && isPlain(inserting.statement)
  let affected = 0
  for (const run of rowRuns(rows)) {
    const written = yield* isBatch ? insertBatch(inserting, rows, run) : insertStatements(inserting, rows, run)
    if (isLeft(written)) return written
    affected += written.right
  }
  return right(affected)
}

const plainClauses: ReadonlySet<string> = new Set(['kind', 'into', 'columns', 'values', 'defaultValues'])

/** Is it rows and nothing else? */
const isPlain = ({ node }: AnyInsert): boolean =>
  Object.entries(node).every(([clause, given]) => given === undefined || plainClauses.has(clause))

// rows of plain values

function* insertBatch(inserting: Inserting, rows: InsertRows, run: RowRun): Effect<Affected> {
  const { connection, engine, statement } = inserting
  const { mapping } = statement.entity
  const attributes = run.places.map((place) => rows.attributes[place] as Attribute)
  const { generatedKey } = mapping
  const isGenerated = generatedKey !== null && !attributes.includes(generatedKey)
  const isGiven = mapping.key.every((attribute) => attribute === generatedKey || attributes.includes(attribute))
  // of a key that is given in part the rest tells the rows apart that the call inserts
  const key = !isGiven ? [] : isGenerated ? [generatedKey] : mapping.key
  const returned = !wantsRows(statement)
    ? []
    : engine.capabilities.returning.insert
      ? loadedAttributes(statement)
      : isGenerated
        ? [generatedKey]
        : []
  if (wantsRows(statement) && !engine.capabilities.returning.insert && !isGiven) {
    return left(failed(inserting, unable(noKey(statement))))
  }
  const step = stepOf(inserting, attributes, runCells(rows, run))
  const kinds = kindsOf({ mappings: [mapping] }, step)
  const cells = spelt(step.rows, step, kinds, engine.dialect)
  const answer = yield* call(connection, {
    _tag: 'Insert',
    table: mapping.table,
    columns: attributes.map(({ columnName }) => columnName),
    rows: cells,
    key: key.map(({ columnName }) => columnName),
    returning: returned.map(({ columnName }) => columnName),
    ...(returned.length === 0
      ? {}
      : selectedKinds(
          [...returned, ...key].map(({ columnName }) => columnName),
          kinds,
          engine.dialect,
        )),
  })
  if (isLeft(answer)) return left(stepError(step, null, answer.left))
  if (wantsRows(statement)) {
    const found = engine.capabilities.returning.insert
      ? right(rowsIn(returned, answer.right, cells.length))
      : yield* selected(inserting, rows, run, mapping.key, isGenerated ? (answer.right[0] ?? null) : null)
    const taken = isLeft(found) ? found : take(inserting, run.from, found.right)
    if (isLeft(taken)) return taken
  }
  return right(cells.length)
}

const noKey = ({ entity: { mapping } }: AnyInsert): string =>
  `the database has no INSERT ... RETURNING, and nothing that the rows bring along tells which rows of ${mapping.name} they are; give them their keys (${mapping.key.map(({ name }) => name).join(', ')}), or leave out returningEntities`

/** Rows by attribute names, of what came back by columns. */
const rowsIn = (attributes: ReadonlyArray<Attribute>, returned: Returned, count: number): ReadonlyArray<DriverRow> => {
  const rows = new Array<DriverRow>(count)
  for (let i = 0; i < count; i++) {
    const row: Record<string, unknown> = {}
    for (let j = 0; j < attributes.length; j++) row[(attributes[j] as Attribute).name] = returned[j]?.[i]
    rows[i] = row
  }
  return rows
}

/** The batch as the step of a flush, for what is said of its failure. */
const stepOf = (
  { statement: { entity }, token }: Inserting,
  attributes: ReadonlyArray<Attribute>,
  rows: ReadonlyArray<ReadonlyArray<unknown>>,
): InsertStep => ({
  _tag: 'Insert',
  id: 0,
  entity: entity.name,
  table: entity.mapping.table,
  token,
  instances: [],
  after: [],
  columns: attributes.map((attribute) => ({
    attribute: attribute.name,
    column: attribute.columnName,
    source: { _tag: 'Literal' },
    ...refersTo(entity.mapping.relationships, attribute),
  })),
  rows,
  key: entity.mapping.key.map(({ columnName }) => columnName),
  returning: [],
})

const refersTo = (
  relationships: AnyInsert['entity']['mapping']['relationships'],
  attribute: Attribute,
): { readonly refersTo?: string } => {
  const found = relationships.find(({ foreignKey, kind }) => kind === 'BelongsTo' && foreignKey.includes(attribute))
  return found === undefined ? {} : { refersTo: found.target.name }
}

// statements

function* insertStatements(inserting: Inserting, rows: InsertRows, run: RowRun): Effect<Affected> {
  const { engine, statement } = inserting
  const { dialect } = engine
  const isWanted = wantsRows(statement)
  const by = isWanted ? tellingApart(statement, rows, run, dialect) : null
  const isReturned = isWanted && engine.capabilities.returning.insert
  if (isWanted && !isReturned && by === null) return left(failed(inserting, unable(noKey(statement))))
  const isSingle = run.places.length === 0 || (isWanted && by === null)
  let size = isSingle
    ? 1
    : Math.max(1, Math.min(dialect.limits.rows, Math.floor(dialect.limits.parameters / run.places.length)))
  let affected = 0
  for (let from = run.from; from < run.to; ) {
    const to = Math.min(run.to, from + size)
    const plain: AnyInsert = { ...statement, node: insertOfRows(statement, rows, run, from, to) }
    const compiled = compile(engine)(isReturned ? returningRows(plain) : plain)
    if (isLeft(compiled)) return left(failed(inserting, compiled.left))
    if (to - from > 1 && !fitsStatement(compiled.right.parameters, dialect.limits)) {
      // expressions have parameters of their own, and values their length
      size = Math.ceil((to - from) / 2)
      continue
    }
    const answer = yield* query(inserting, compiled.right)
    if (isLeft(answer)) return answer
    affected += countOf(inserting, answer.right, to - from)
    if (isReturned) {
      const found =
        by === null
          ? answer.right.rows
          : inGivenOrder(by, rows, from, to, answer.right.rows, dialect, canSkip(statement))
      const taken =
        found === null ? left(failed(inserting, unable(strangeRows(statement)))) : take(inserting, from, found)
      if (isLeft(taken)) return taken
    }
    from = to
  }
  if (isWanted && !isReturned && by !== null) {
    const found = yield* selected(inserting, rows, run, by, null)
    const taken = isLeft(found) ? found : take(inserting, run.from, found.right)
    if (isLeft(taken)) return taken
  }
  return right(affected)
}

const strangeRows = ({ entity }: AnyInsert): string =>
  `the rows of ${entity.name} that came back have other keys than those given, so that they cannot be told apart; leave out returningEntities`

/** A row that a conflict does not leave alone is written, whatever a database counts it for. */
const countOf = ({ engine, statement }: Inserting, { affected, rows }: QueryAnswer, given: number): number => {
  const isAll = statement.node.onConflict !== undefined && (engine.dialect.name === 'mysql' || !canSkip(statement))
  return isAll ? given : Math.max(affected, rows.length)
}

function* insertQuery(inserting: Inserting): Effect<Affected> {
  const { engine, statement } = inserting
  const compiled = compile(engine)(wantsRows(statement) ? returningRows(statement) : statement)
  if (isLeft(compiled)) return left(failed(inserting, compiled.left))
  const answer = yield* query(inserting, compiled.right)
  if (isLeft(answer)) return answer
  if (wantsRows(statement)) for (const row of answer.right.rows) inserting.answered.push(row)
  return right(Math.max(answer.right.affected, answer.right.rows.length))
}

function* query(inserting: Inserting, statement: CompiledStatement): Effect<Either<RequestError, QueryAnswer>> {
  const answer = yield* call(inserting.connection, { _tag: 'Query', statement })
  return isLeft(answer) ? left(failed(inserting, answer.left)) : answer
}

const failed = ({ statement: { entity }, token }: Inserting, error: StatementError | EngineError): RequestError =>
  (error._tag === 'EngineError' ? violation(entity.mapping, token, error) : null) ??
  failureOf(error, 'insert', entity.name, token)

// rows that come back

/** Notes rows that stand for those given from a place on; undefined for one that was left alone. */
const take = (
  inserting: Inserting,
  from: number,
  found: ReadonlyArray<DriverRow | undefined>,
): Either<RequestError, undefined> => {
  const { answered, places, statement } = inserting
  for (let i = 0; i < found.length; i++) {
    const row = found[i]
    if (row === undefined) {
      if (canSkip(statement)) continue
      return left(failed(inserting, unable(strangeRows(statement))))
    }
    answered.push(row)
    places.push(from + i)
  }
  return right(undefined)
}

/** Keys that one statement looks for at the most. */
const keysPerStatement = 256

/** The rows of a run as they are now, found by their keys, or by the ids that the database gave them. */
function* selected(
  inserting: Inserting,
  rows: InsertRows,
  run: RowRun,
  by: ReadonlyArray<Attribute>,
  ids: ReadonlyArray<unknown> | null,
): Effect<Either<RequestError, ReadonlyArray<DriverRow | undefined>>> {
  const { connection, engine, statement } = inserting
  const { mapping } = statement.entity
  const known = withIds(mapping.generatedKey, rows, run, ids)
  const places = by.map((attribute) => known.attributes.indexOf(attribute))
  const found: Array<DriverRow | undefined> = []
  for (let from = 0; from < known.given.length; from += keysPerStatement) {
    const to = Math.min(known.given.length, from + keysPerStatement)
    const values = known.given.slice(from, to).flatMap((cells) => places.map((place) => cells[place]))
    const compiled = compile(engine)(bind(selectByAttributes(mapping, by, to - from, []), values))
    if (isLeft(compiled)) return left(failed(inserting, compiled.left))
    const answer = yield* call(connection, { _tag: 'Query', statement: compiled.right })
    if (isLeft(answer)) return left(failed(inserting, answer.left))
    const ordered = inGivenOrder(by, known, from, to, answer.right.rows, engine.dialect, false)
    if (ordered === null) return left(failed(inserting, unable(strangeRows(statement))))
    for (const row of ordered) found.push(row)
  }
  return right(found)
}

/** The rows of a run, with the key that the database gave them where it did. */
const withIds = (
  key: Attribute | null,
  rows: InsertRows,
  { from, to }: RowRun,
  ids: ReadonlyArray<unknown> | null,
): InsertRows => {
  const given = rows.given.slice(from, to)
  const encoded = rows.encoded.slice(from, to)
  if (ids === null || key === null) return { ...rows, given, encoded }
  const place = rows.attributes.indexOf(key)
  const at = place < 0 ? rows.attributes.length : place
  return {
    ...rows,
    attributes: place < 0 ? [...rows.attributes, key] : rows.attributes,
    given: given.map((cells, i) => cells.toSpliced(at, 1, decodedId(key, ids[i]))),
    encoded: encoded.map((cells, i) => cells.toSpliced(at, 1, ids[i])),
  }
}

const decodedId = ({ column }: Attribute, id: unknown): unknown => {
  const decoding = column.codec.decode(id)
  return isLeft(decoding) ? id : decoding.right
}
