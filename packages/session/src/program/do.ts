/**
 * Do notation, as in fp-ts.
 */
import { chain, map, of, type Program } from './program.js'

/** @category do notation */
export const Do: Program<never, Record<never, never>> = of({})

type With<R, K extends string, A> = { readonly [P in keyof R | K]: P extends keyof R ? R[P] : A }

/**
 * Runs a program that may use what was bound before, and binds its value to a name.
 *
 * @example
 * pipe(
 *   Session.Do,
 *   Session.bind('ed', () => Session.add(model.User, { name: 'ed' })),
 *   Session.bind('found', ({ ed }) => Session.read(model.User)(ed)),
 * )
 *
 * @category do notation
 */
export const bind = <K extends string, R, E2, A>(
  name: Exclude<K, keyof R>,
  f: (bound: R) => Program<E2, A>,
): (<E>(self: Program<E, R>) => Program<E | E2, With<R, K, A>>) =>
  chain((bound: R) => map((value: A) => ({ ...bound, [name]: value }) as With<R, K, A>)(f(bound)))

/** Binds the value of a program that needs nothing bound before. @category do notation */
export const apS = <K extends string, R, E2, A>(
  name: Exclude<K, keyof R>,
  program: Program<E2, A>,
): (<E>(self: Program<E, R>) => Program<E | E2, With<R, K, A>>) => bind<K, R, E2, A>(name, () => program)

/** Binds a value. @category do notation */
export const let_ = <K extends string, R, A>(
  name: Exclude<K, keyof R>,
  f: (bound: R) => A,
): (<E>(self: Program<E, R>) => Program<E, With<R, K, A>>) =>
  map((bound: R) => ({ ...bound, [name]: f(bound) }) as With<R, K, A>)

/** Gives the value of a program a name, to start from. @category do notation */
export const bindTo =
  <K extends string>(name: K) =>
  <E, A>(self: Program<E, A>): Program<E, { readonly [P in K]: A }> =>
    map((value: A) => ({ [name]: value }) as { readonly [P in K]: A })(self)

/** Runs a second program and keeps the value of the first. @category combinators */
export const chainFirst = <A, E2, B>(
  f: (value: A) => Program<E2, B>,
): (<E>(self: Program<E, A>) => Program<E | E2, A>) => chain((value: A) => map(() => value)(f(value)))
