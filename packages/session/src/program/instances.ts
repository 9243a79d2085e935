/**
 * fp-ts instances of programs.
 */
import type { Applicative2 } from 'fp-ts/lib/Applicative.js'
import type { Apply2 } from 'fp-ts/lib/Apply.js'
import type { Chain2 } from 'fp-ts/lib/Chain.js'
import type { Either } from 'fp-ts/lib/Either.js'
import type { FromEither2 } from 'fp-ts/lib/FromEither.js'
import type { FromIO2 } from 'fp-ts/lib/FromIO.js'
import type { FromTask2 } from 'fp-ts/lib/FromTask.js'
import type { Functor2 } from 'fp-ts/lib/Functor.js'
import type { IO } from 'fp-ts/lib/IO.js'
import type { Monad2 } from 'fp-ts/lib/Monad.js'
import type { MonadIO2 } from 'fp-ts/lib/MonadIO.js'
import type { MonadTask2 } from 'fp-ts/lib/MonadTask.js'
import type { MonadThrow2 } from 'fp-ts/lib/MonadThrow.js'
import type { Pointed2 } from 'fp-ts/lib/Pointed.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { ask, chain, fail, fromEither, map, of, type Program } from './program.js'

/** @category type lambdas */
export const URI = '@unitary/session/Program'

/** @category type lambdas */
export type URI = typeof URI

// only types are augmented: Node never sees this path
declare module 'fp-ts/HKT' {
  interface URItoKind2<E, A> {
    readonly [URI]: Program<E, A>
  }
}

/**
 * An effect of the application's own. It runs when the program comes to it, and each time that it does; it must not fail.
 * Under `runSync` it is `NotSynchronous`.
 *
 * @category constructors
 */
export const fromTask = <A, E = never>(task: Task<A>): Program<E, A> =>
  // the only way in which it fails is a defect of how it is run
  ask({ _tag: 'Task', task }) as unknown as Program<E, A>

/** An effect that may fail. @category constructors */
export const fromTaskEither = <E, A>(task: TaskEither<E, A>): Program<E, A> =>
  chain((either: Either<E, A>) => fromEither(either))(fromTask<Either<E, A>, E>(task))

/** An effect that needs no waiting; `runSync` runs it too. @category constructors */
export const fromIO = <A, E = never>(io: IO<A>): Program<E, A> => chain(() => of(io()))(of(undefined))

const ap = <E, A>(fa: Program<E, A>): (<B>(fab: Program<E, (a: A) => B>) => Program<E, B>) => chain((f) => map(f)(fa))

/** @category instances */
export const Pointed: Pointed2<URI> = { URI, of }

/** @category instances */
export const Functor: Functor2<URI> = { URI, map: (fa, f) => map(f)(fa) }

/** One after another, from left to right: the state goes along. @category instances */
export const Apply: Apply2<URI> = { ...Functor, ap: (fab, fa) => ap(fa)(fab) }

/** @category instances */
export const Applicative: Applicative2<URI> = { ...Apply, of }

/** @category instances */
export const Chain: Chain2<URI> = { ...Apply, chain: (fa, f) => chain(f)(fa) }

/** @category instances */
export const Monad: Monad2<URI> = { ...Applicative, ...Chain }

/** @category instances */
export const MonadThrow: MonadThrow2<URI> = { ...Monad, throwError: fail }

/** @category instances */
export const FromEither: FromEither2<URI> = { URI, fromEither }

/** @category instances */
export const FromIO: FromIO2<URI> = { URI, fromIO }

/** @category instances */
export const FromTask: FromTask2<URI> = { ...FromIO, fromTask }

/** @category instances */
export const MonadIO: MonadIO2<URI> = { ...Monad, ...FromIO }

/** @category instances */
export const MonadTask: MonadTask2<URI> = { ...MonadIO, ...FromTask }
