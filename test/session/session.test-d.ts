/** What programs say about themselves, in types. Checked by `tsc`; nothing here runs. */
import {
  deleteFrom,
  insertInto,
  type Managed,
  type Pending,
  returningEntities,
  type Snapshot,
  select,
  selectin,
  values,
} from '@unitary/core'
import * as Session from '@unitary/session'
import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Option } from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { expectTypeOf } from 'vitest'
import { model } from './app.js'

type M = typeof model

declare const user: Managed<M, 'User'>
declare const address: Managed<M, 'Address'>
declare const node: Managed<M, 'Node'>
declare const runtime: Session.Runtime
declare const state: Session.SessionState

// values
expectTypeOf(Session.add(model.User, { name: 'ed' })).toEqualTypeOf<
  Session.Program<Session.AddError, Pending<M, 'User'>>
>()
expectTypeOf(Session.get(model.User, 1)).toEqualTypeOf<Session.Program<Session.GetError, Option<Managed<M, 'User'>>>>()
expectTypeOf(Session.read(model.User)(user)).toEqualTypeOf<Session.Program<Session.ReadError, Managed<M, 'User'>>>()
expectTypeOf(Session.load(model.User, 'addresses')(user)).toEqualTypeOf<
  Session.Program<Session.LoadError, ReadonlyArray<Managed<M, 'Address'>>>
>()
expectTypeOf(Session.load(model.Address, 'user')(address)).toEqualTypeOf<
  Session.Program<Session.LoadError, Option<Managed<M, 'User'>>>
>()
expectTypeOf(Session.query(select(model.User))).toExtend<
  Session.Program<Session.QueryError, ReadonlyArray<Managed<M, 'User'>>>
>()
expectTypeOf(
  pipe(
    select(model.User),
    selectin('addresses'),
    Session.query,
    Session.map((users) => users.map(({ addresses }) => addresses.map(({ email }) => email))),
  ),
).toEqualTypeOf<Session.Program<Session.QueryError, string[][]>>()

// what is written past the unit of work counts its rows, or gives them
const inserting = pipe(insertInto(model.User), values([{ name: 'ed' }]))
expectTypeOf(Session.execute()(inserting)).toEqualTypeOf<Session.Program<Session.InsertError, number>>()
expectTypeOf(pipe(inserting, returningEntities, Session.execute())).toEqualTypeOf<
  Session.Program<Session.InsertError, ReadonlyArray<Managed<M, 'User'>>>
>()
expectTypeOf(pipe(deleteFrom(model.User), Session.execute())).toEqualTypeOf<
  Session.Program<Session.BulkError, number>
>()
// @ts-expect-error entities are given by inserts
returningEntities(deleteFrom(model.User))

// rows to update have their keys, and what is to change
expectTypeOf(Session.updateMany(model.User, [{ id: 1, name: 'ed' }, { id: 2 }])).toEqualTypeOf<
  Session.Program<Session.UpdateManyError, number>
>()
// @ts-expect-error a key is missing
Session.updateMany(model.User, [{ name: 'ed' }])
// @ts-expect-error a misspelt attribute
Session.updateMany(model.User, [{ id: 1, nmae: 'ed' }])
// @ts-expect-error a value of the wrong type
Session.updateMany(model.User, [{ id: 1, name: 3 }])

// however a query is read, its results are the same
type Loaded = Managed<M, 'User'> & { readonly addresses: ReadonlyArray<Managed<M, 'Address'>> }
const loading = pipe(select(model.User), selectin('addresses'))
declare const signal: AbortSignal
expectTypeOf(Session.streamSync(runtime)(loading)).toExtend<Iterable<Either<Session.QueryError, Loaded>>>()
expectTypeOf(Session.streamChunksSync(runtime, { chunk: 10 })(loading)).toExtend<
  Iterable<Either<Session.QueryError, ReadonlyArray<Loaded>>>
>()
expectTypeOf(Session.stream(runtime, { chunk: 10 })(loading)).toExtend<
  AsyncIterable<Either<Session.QueryError, Loaded>>
>()
expectTypeOf(Session.streamChunks(runtime)(loading)).toExtend<
  AsyncIterable<Either<Session.QueryError, ReadonlyArray<Loaded>>>
>()
// only what can be aborted can be interrupted
expectTypeOf(Session.stream(runtime, { signal })(loading)).toExtend<
  AsyncIterable<Either<Session.QueryError | Session.Interrupted, Loaded>>
>()
expectTypeOf(Session.stream(runtime, { signal })(loading)).not.toExtend<
  AsyncIterable<Either<Session.QueryError, Loaded>>
>()
expectTypeOf(
  pipe(
    loading,
    Session.foldChunks(0, (sum, users) => Session.of(sum + users.flatMap(({ addresses }) => addresses).length)),
  ),
).toEqualTypeOf<Session.Program<Session.QueryError, number>>()
expectTypeOf(
  pipe(
    loading,
    Session.forEachChunk(
      Session.traverseArray((one) => pipe(one, Session.set(model.User, { name: one.addresses[0]?.email ?? '' }))),
    ),
  ),
).toEqualTypeOf<Session.Program<Session.QueryError | Session.ChangeError, undefined>>()
pipe(
  select(model.User),
  // @ts-expect-error what was not loaded is not there
  Session.forEachChunk((users) => Session.of(users[0]?.addresses)),
)

// what an instance is given as is what it comes back as
expectTypeOf(Session.set(model.User, { name: 'x' })(user)).toEqualTypeOf<
  Session.Program<Session.ChangeError, Managed<M, 'User'>>
>()

// errors add up by themselves, and a handler takes all of them away
const program = pipe(
  Session.add(model.User, { name: 'ed' }),
  Session.chain((ed) => Session.load(model.User, 'addresses')(ed)),
  Session.chain(() => Session.fail({ _tag: 'OutOfStock' as const })),
)
expectTypeOf(program).toEqualTypeOf<
  Session.Program<Session.AddError | Session.LoadError | { _tag: 'OutOfStock' }, never>
>()
expectTypeOf(
  pipe(
    program,
    Session.catchError((error) => Session.of(error._tag)),
  ),
).toExtend<Session.Program<never, string>>()
expectTypeOf(Session.run(runtime)(program)).toExtend<TaskEither<{ readonly _tag: string }, never>>()
expectTypeOf(Session.runSync(runtime)(Session.of(1))).toEqualTypeOf<Either<never, number>>()

// generators and do notation infer both
const generated = Session.gen(function* () {
  const ed = yield* Session.add(model.User, { name: 'ed' })
  expectTypeOf(ed).toEqualTypeOf<Pending<M, 'User'>>()
  const found = yield* Session.get(model.User, 1)
  yield* Session.fail('no' as const)
  return found
})
expectTypeOf(generated).toEqualTypeOf<
  Session.Program<Session.AddError | Session.GetError | 'no', Option<Managed<M, 'User'>>>
>()
expectTypeOf(
  pipe(
    Session.Do,
    Session.bind('ed', () => Session.add(model.User, { name: 'ed' })),
    Session.let('name', ({ ed }) => ed.name),
  ),
).toExtend<Session.Program<Session.AddError, { readonly ed: Pending<M, 'User'>; readonly name: string }>>()

export const wrong = [
  // @ts-expect-error a required attribute is missing
  Session.add(model.User, {}),
  // @ts-expect-error a misspelt attribute
  Session.add(model.User, { name: 'ed', nickNane: 'e' }),
  // @ts-expect-error a column of the wrong type
  Session.add(model.User, { name: 5 }),
  // @ts-expect-error a key of the wrong type
  Session.get(model.User, 'one'),
  // @ts-expect-error a part of the key is missing
  Session.get(model.Visit, { userId: 1 }),
  // @ts-expect-error a patch of the wrong type
  Session.set(model.User, { name: 5 }),
  // @ts-expect-error a misspelt attribute in a patch
  Session.set(model.User, { nane: 'x' }),
  // @ts-expect-error a collection is not set
  Session.set(model.User, { addresses: [] }),
  // @ts-expect-error a misspelt relationship
  Session.load(model.User, 'adresses'),
  // @ts-expect-error a reference is no collection
  Session.append(model.Address, 'user', { name: 'ed' }),
  // @ts-expect-error a member of another entity
  Session.append(model.User, 'addresses', user),
  // @ts-expect-error a snapshot of another entity
  Session.read(model.User)(address),
  // @ts-expect-error a snapshot of another entity
  Session.set(model.Node, { parent: user }),
  // @ts-expect-error a snapshot of another entity
  Session.add(model.Address, user),
  // @ts-expect-error a snapshot of another entity among others
  Session.addAll(model.Address, [address, user]),
  // @ts-expect-error a snapshot of another entity
  Session.attach(model.Address, user, state),
  // @ts-expect-error plain data is no snapshot
  Session.read(model.User)({ id: 1, name: 'ed' }),
  // @ts-expect-error a relationship of another entity
  selectin('children')(select(model.User)),
]

export const right = [
  Session.set(model.Node, { parent: node })(node),
  Session.set(model.Node, { parent: null })(node),
  Session.set(model.Node, { parent: { label: 'new' } })(node),
  Session.append(model.User, 'addresses', { email: 'a' }, address)(user),
  Session.add(model.Address, { email: 'a', user }),
  Session.addAll(model.Address, [address, { email: 'a' }]),
  Session.attach(model.Address, address, state),
  Session.remove(model.User)(user as Snapshot<'User'>),
]
