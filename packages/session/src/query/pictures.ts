/**
 * Rows as plain pictures: what a query gives that belongs to no session.
 *
 * A picture is what a snapshot is, typed and frozen, but for being an instance of anything: a session that is given one
 * says `NotInSession`. A copy by spread is a draft, and `merge` takes the picture itself.
 */
import {
  DecodeFault,
  type DriverRow,
  type InstanceId,
  noInstance,
  type ReadMode,
  rowClassOf,
  rowReaderOf,
  type Snapshot,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { DecodeError, HookError, RequestError } from '../error.js'
import { hasLoadHooks } from '../hook/hooks.js'
import { requestRows } from '../hook/loaded.js'
import { inOrder } from '../load/populate.js'
import type { View } from '../load/view.js'
import { chain, type Outcome, type Program, request, suspend } from '../program/program.js'
import type { QueryAnswer } from '../program/request.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import { decodeError } from '../transition/absorb.js'
import { type OpenQuery, type Portion, showPortion, takePortion } from './open-query.js'
import type { QueryError } from './query.js'

/** Snapshots, or rows of any shape with snapshots in them. */
type Pictures = ReadonlyArray<unknown>

/**
 * The next rows of an open query as pictures, with what it loads beside them: as many as asked for, and fewer only at the
 * end. To be run in a session of its own, which it may fill.
 *
 * @category queries
 */
export const nextPictures = (query: OpenQuery, count: number): Program<QueryError, Pictures> =>
  suspend((state) =>
    query.statement._tag === 'Select' &&
    query.loads.length === 0 &&
    query.mapping.subtypes.length === 0 &&
    !hasLoadHooks(state.hooks, query.mapping)
      ? read(query, count)
      : loaded(state, query, count),
  )

/** Nobody has to know which row is which. */
const read = (query: OpenQuery, count: number): Program<RequestError | DecodeError, Pictures> =>
  request(
    { _tag: 'Fetch', cursor: query.cursor, count },
    (answer, state): Outcome<RequestError | DecodeError, Pictures> => [
      isLeft(answer) ? answer : readAll(query, answer.right),
      state,
    ],
  )

const readAll = ({ columns, mapping, statement }: OpenQuery, answer: QueryAnswer): Either<DecodeError, Pictures> => {
  const mode: ReadMode = statement.options.strict === false ? 'trusted' : 'strict'
  const batches: Array<ReadonlyArray<Snapshot>> = []
  for (const { dialect, rows, token } of answer.batches) {
    const readRow = rowReaderOf(mapping, dialect, mode, columns)
    const pictures = new Array<Snapshot>(rows.length)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as DriverRow
      const picture = readRow(row, noInstance)
      if (picture instanceof DecodeFault) return left(decodeError(mapping, dialect, row, picture, token, columns))
      pictures[i] = picture
    }
    batches.push(pictures)
  }
  return right(inOrder(batches, answer.order))
}

const loaded = (before: SessionState, query: OpenQuery, count: number): Program<QueryError, Pictures> =>
  chain((portion: Portion) => showPortion(query, portion, picturing()))(
    requestRows(
      before,
      { _tag: 'Fetch', cursor: query.cursor, count },
      (answer, state, given): Outcome<RequestError | DecodeError | HookError, Portion> => {
        if (isLeft(answer)) return [answer, state]
        const taken = takePortion(state, query, answer.right, given)
        return isLeft(taken) ? [taken, state] : [right(taken.right[0]), taken.right[1]]
      },
    ),
  )

/** Shows instances as pictures; each instance by one, so that what is shared stays shared. */
const picturing = (): ((state: SessionState) => View) => {
  const shown = new Map<InstanceId, Snapshot>()
  return (state) => (id) => {
    const known = shown.get(id)
    if (known !== undefined) return known
    const { mapping, snapshot } = instanceAt(state, id)
    const made = rowClassOf(mapping).make(noInstance, snapshot as unknown as Readonly<Record<string, unknown>>)
    shown.set(id, made)
    return made
  }
}
