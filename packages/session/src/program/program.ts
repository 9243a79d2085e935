/**
 * Programs: descriptions of what a session is to do.
 *
 * A program is data. Building one does nothing; an interpreter (`../runner`) steps it against a state and answers its
 * requests. Programs compose with `pipe`, with `Do` notation, and in generators (`yield*`).
 */
import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from 'fp-ts/lib/Either.js'
import type { RequestError } from '../error.js'
import type { SessionState } from '../state/session-state.js'
import type { Transition } from '../transition/transition.js'
import type { AnswerOf, Request } from './request.js'

declare const error: unique symbol
declare const value: unique symbol

/**
 * A program that, run against a session, gives an `A` or fails with an `E`. The session's state goes along unseen.
 *
 * @category model
 */
export interface Program<out E, out A> {
  readonly [error]?: E
  readonly [value]?: A
  /** Lets `yield*` in `gen` have the program's value. */
  [Symbol.iterator](): Iterator<Program<E, unknown>, A, unknown>
}

/** What came of a step, and the state after it: of a failed one too. */
export type Outcome<E, A> = readonly [result: Either<E, A>, state: SessionState]

/** The forms of a program, for interpreters. */
export type Node = Pure | Fail | Step | Ask | Chain | Recover | Gen | Each | Suspend

type AnyProgram = Program<unknown, unknown>

class Base {
  // typed by the interface: what it yields and gives is the program's own
  *[Symbol.iterator](): Generator<Program<never, never>, never, unknown> {
    return (yield this as unknown as Program<never, never>) as never
  }
}

export class Pure extends Base {
  readonly _tag = 'Pure'
  readonly value: unknown
  constructor(value: unknown) {
    super()
    this.value = value
  }
}

export class Fail extends Base {
  readonly _tag = 'Fail'
  readonly error: unknown
  constructor(error: unknown) {
    super()
    this.error = error
  }
}

export class Step extends Base {
  readonly _tag = 'Step'
  readonly run: Transition<unknown, unknown>
  constructor(run: Transition<unknown, unknown>) {
    super()
    this.run = run
  }
}

export class Ask extends Base {
  readonly _tag = 'Ask'
  readonly request: Request
  readonly resume: (answer: Either<RequestError, unknown>, state: SessionState) => Outcome<unknown, unknown>
  constructor(request: Request, resume: Ask['resume']) {
    super()
    this.request = request
    this.resume = resume
  }
}

export class Chain extends Base {
  readonly _tag = 'Chain'
  readonly self: AnyProgram
  readonly next: (value: never) => AnyProgram
  constructor(self: AnyProgram, next: (value: never) => AnyProgram) {
    super()
    this.self = self
    this.next = next
  }
}

export class Recover extends Base {
  readonly _tag = 'Recover'
  readonly self: AnyProgram
  readonly handle: (error: never) => AnyProgram
  constructor(self: AnyProgram, handle: (error: never) => AnyProgram) {
    super()
    this.self = self
    this.handle = handle
  }
}

export class Gen extends Base {
  readonly _tag = 'Gen'
  readonly make: () => Iterator<AnyProgram, unknown, unknown>
  constructor(make: () => Iterator<AnyProgram, unknown, unknown>) {
    super()
    this.make = make
  }
}

export class Each extends Base {
  readonly _tag = 'Each'
  readonly items: ReadonlyArray<unknown>
  readonly f: (index: number, item: never) => AnyProgram
  constructor(items: ReadonlyArray<unknown>, f: (index: number, item: never) => AnyProgram) {
    super()
    this.items = items
    this.f = f
  }
}

export class Suspend extends Base {
  readonly _tag = 'Suspend'
  readonly f: (state: SessionState) => AnyProgram
  constructor(f: (state: SessionState) => AnyProgram) {
    super()
    this.f = f
  }
}

/** @category constructors */
export const of = <A>(value: A): Program<never, A> => new Pure(value)

/** The program that fails. @category constructors */
export const fail = <E>(error: E): Program<E, never> => new Fail(error)

/** @category constructors */
export const fromEither = <E, A>(either: Either<E, A>): Program<E, A> =>
  either._tag === 'Left' ? new Fail(either.left) : new Pure(either.right)

/**
 * A pure step of the session.
 *
 * @category constructors
 */
export const transition = <E, A>(run: Transition<E, A>): Program<E, A> => new Step(run)

/**
 * Looks at the state.
 *
 * @example
 * const pending = Session.gets((state) => state.added.size)
 *
 * @category constructors
 */
export const gets = <A>(f: (state: SessionState) => A): Program<never, A> =>
  new Step((state) => right([f(state), state]))

/**
 * The program that a look at the state chooses.
 *
 * @category constructors
 */
export const suspend = <E, A>(f: (state: SessionState) => Program<E, A>): Program<E, A> => new Suspend(f)

/**
 * Asks the interpreter, and takes the answer into the state: also where it failed.
 *
 * @category constructors
 */
export const request = <R extends Request, E, A>(
  asked: R,
  resume: (answer: Either<RequestError, AnswerOf<R>>, state: SessionState) => Outcome<E, A>,
): Program<E, A> => new Ask(asked, resume as Ask['resume'])

/** Asks, and leaves the state as it is. @category constructors */
export const ask = <R extends Request>(asked: R): Program<RequestError, AnswerOf<R>> =>
  request(asked, (answer, state) => [answer, state])

/** @category combinators */
export const chain =
  <A, E2, B>(f: (value: A) => Program<E2, B>) =>
  <E>(self: Program<E, A>): Program<E | E2, B> =>
    new Chain(self, f as never)

/** @category combinators */
export const map =
  <A, B>(f: (value: A) => B) =>
  <E>(self: Program<E, A>): Program<E, B> =>
    new Chain(self, ((value: A) => new Pure(f(value))) as never)

/**
 * Handles failures. The handler sees the session as it was when the step failed.
 *
 * @example
 * pipe(program, Session.catchError((error) => Session.of(null)))
 *
 * @category combinators
 */
export const catchError =
  <E, E2, B>(handle: (error: E) => Program<E2, B>) =>
  <A>(self: Program<E, A>): Program<E2, A | B> =>
    new Recover(self, handle as never)

/** @category combinators */
export const mapLeft = <E, E2>(f: (error: E) => E2): (<A>(self: Program<E, A>) => Program<E2, A>) =>
  catchError((error: E) => new Fail(f(error)) as Program<E2, never>)

/**
 * The failure as a value.
 *
 * @category combinators
 */
export const attempt = <E, A>(self: Program<E, A>): Program<never, Either<E, A>> =>
  new Recover(
    new Chain(self, ((value: A) => new Pure(right(value))) as never),
    ((error: E) => new Pure(left(error))) as never,
  )

/**
 * Runs a program for each item, one after another, and gives all values. Costs no stack, however many there are.
 *
 * @example
 * Session.traverseArray((name: string) => Session.add(model.User, { name }))(['ed', 'wendy'])
 *
 * @category combinators
 */
export const traverseArray =
  <A, E, B>(f: (item: A) => Program<E, B>) =>
  (items: ReadonlyArray<A>): Program<E, ReadonlyArray<B>> =>
    new Each(items, ((_: number, item: A) => f(item)) as never)

/** @category combinators */
export const traverseArrayWithIndex =
  <A, E, B>(f: (index: number, item: A) => Program<E, B>) =>
  (items: ReadonlyArray<A>): Program<E, ReadonlyArray<B>> =>
    new Each(items, f as never)

/** One after another; all their values. @category combinators */
export const all = <E, A>(programs: ReadonlyArray<Program<E, A>>): Program<E, ReadonlyArray<A>> =>
  new Each(programs, ((_: number, program: Program<E, A>) => program) as never)

type ErrorOf<P> = P extends Program<infer E, unknown> ? E : never

/**
 * A program written as statements. `yield*` runs a program and gives its value; a failure ends the generator.
 *
 * @example
 * const program = Session.gen(function* () {
 *   const ed = yield* Session.add(model.User, { name: 'ed' })
 *   yield* Session.commit
 *   return yield* Session.read(model.User)(ed)
 * })
 *
 * @category constructors
 */
export const gen = <Y extends Program<unknown, unknown>, A>(
  body: () => Generator<Y, A, never>,
): Program<ErrorOf<Y>, A> => new Gen(body as never)
