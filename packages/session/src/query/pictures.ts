/**
 * Rows as plain pictures: what a query gives that belongs to no session.
 *
 * A picture is what a snapshot is, typed and frozen, but for being an instance of anything: a session that is given one
 * says `NotInSession`. A copy by spread is a draft, and `merge` takes the picture itself.
 */
import {
  type AnySelect,
  DecodeFault,
  type DriverRow,
  type InstanceId,
  type Mapping,
  noInstance,
  type ReadMode,
  rowClassOf,
  rowReaderOf,
  type Snapshot,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { DecodeError } from '../error.js'
import { inOrder, populate } from '../load/populate.js'
import { chain, fail, gets, of, type Program, transition } from '../program/program.js'
import type { QueryAnswer } from '../program/request.js'
import { instanceAt } from '../state/session-state.js'
import { decodeError } from '../transition/absorb.js'
import { loadAll, type QueryError, type Views } from './query.js'

/**
 * The pictures of a query's rows, with what it loads beside them. To be run in a session of its own, which it fills.
 *
 * @category queries
 */
export const picturesOf = (
  statement: AnySelect,
  mapping: Mapping,
  answer: QueryAnswer,
): Program<QueryError, ReadonlyArray<Snapshot>> => {
  if (statement.loads.length > 0) return loaded(statement, mapping, answer)
  const read = readAll(statement, mapping, answer)
  return isLeft(read) ? fail(read.left) : of(read.right)
}

/** Nothing is loaded beside them, so that nobody has to know which row is which. */
const readAll = (
  { options }: AnySelect,
  mapping: Mapping,
  answer: QueryAnswer,
): Either<DecodeError, ReadonlyArray<Snapshot>> => {
  const mode: ReadMode = options.strict === false ? 'trusted' : 'strict'
  const batches: Array<ReadonlyArray<Snapshot>> = []
  for (const { dialect, rows, token } of answer.batches) {
    const read = rowReaderOf(mapping, dialect, mode)
    const pictures = new Array<Snapshot>(rows.length)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as DriverRow
      const picture = read(row, noInstance)
      if (picture instanceof DecodeFault) return left(decodeError(mapping, row, picture, token))
      pictures[i] = picture
    }
    batches.push(pictures)
  }
  return right(inOrder(batches, answer.order))
}

const loaded = (
  statement: AnySelect,
  mapping: Mapping,
  answer: QueryAnswer,
): Program<QueryError, ReadonlyArray<Snapshot>> =>
  chain((ids: ReadonlyArray<InstanceId>) =>
    chain((views: Views) => gets((state) => ids.map((id) => views(state, id))))(loadAll(statement, ids, pictures())),
  )(transition((state) => populate(state, mapping, answer, statement.options)))

/** Shows instances as pictures; each instance by one, so that what is shared stays shared. */
const pictures = (): Views => {
  const shown = new Map<InstanceId, Snapshot>()
  return (state, id) => {
    const known = shown.get(id)
    if (known !== undefined) return known
    const { mapping, snapshot } = instanceAt(state, id)
    const made = rowClassOf(mapping).make(noInstance, snapshot as unknown as Readonly<Record<string, unknown>>)
    shown.set(id, made)
    return made
  }
}
