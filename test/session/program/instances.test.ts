import * as Session from '@unitary/session'
import fc from 'fast-check'
import { left, right } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, test } from 'vitest'
import { model, open } from '../app.js'

type Program = Session.Program<string, number>

/** A program of a few steps that may add, count and fail. */
const program: fc.Arbitrary<Program> = fc.letrec<{ program: Program }>((tie) => ({
  program: fc.oneof(
    { maxDepth: 3 },
    fc.nat(9).map((n): Program => Session.of(n)),
    fc.constant<Program>(Session.fail('failed')),
    fc.constant<Program>(
      pipe(
        Session.add(model.Country, { code: 'x', title: 'y' }),
        Session.mapLeft(({ _tag }) => _tag),
        Session.chain(() => Session.gets((state) => state.added.size)),
      ),
    ),
    fc
      .tuple(tie('program'), tie('program'))
      .map(([a, b]): Program => Session.chain((n: number) => Session.map((m: number) => n + m)(b))(a)),
    tie('program').map((a): Program => Session.catchError((_: string) => Session.of(-1))(a)),
  ),
})).program

const kleisli = program.map(
  (p) =>
    (n: number): Program =>
      Session.map((m: number) => n * 2 + m)(p),
)

/** What a program does: its result, and the number of instances that it leaves pending. */
const observe = (p: Program) => {
  const [result, state] = Session.runStateSync(open().runtime)(p)
  return [result, state.added.size]
}

const same = (a: Program, b: Program): void => expect(observe(a)).toEqual(observe(b))

const { Monad, MonadTask } = Session

describe('the Monad of programs', () => {
  test('keeps the laws', () => {
    fc.assert(
      fc.property(program, kleisli, kleisli, fc.nat(9), (p, f, g, n) => {
        same(Monad.chain(Monad.of<string, number>(n), f), f(n))
        same(
          Monad.chain(p, (x: number) => Monad.of<string, number>(x)),
          p,
        )
        same(
          Monad.chain(Monad.chain(p, f), g),
          Monad.chain(p, (x: number) => Monad.chain(f(x), g)),
        )
        same(
          Monad.map(p, (x) => x + 1),
          Monad.chain(p, (x) => Monad.of<string, number>(x + 1)),
        )
        same(
          Monad.ap(
            Monad.map(p, (x) => (y: number) => x - y),
            p,
          ),
          Monad.chain(p, (x) => Monad.map(p, (y) => x - y)),
        )
      }),
      { numRuns: 30 },
    )
  })

  test('ap runs the function first', () => {
    const app = open()
    const count = Session.chain(() => Session.gets((state) => state.added.size))(
      Session.add(model.Country, { code: 'x', title: 'y' }),
    )
    expect(
      app.run(
        Monad.ap(
          Monad.map(count, (a) => (b: number) => [a, b]),
          count,
        ),
      ),
    ).toEqual([1, 2])
  })
})

describe('programs of effects', () => {
  test('fromIO runs with and without waiting', async () => {
    const app = open()
    expect(Session.runSync(app.runtime)(MonadTask.fromIO(() => 3))).toEqual(right(3))
    expect(await Session.run(app.runtime)(MonadTask.fromIO(() => 3))()).toEqual(right(3))
  })

  test('fromTask waits, and is NotSynchronous where nobody can', async () => {
    const app = open()
    const program = Session.fromTask(async () => 3)
    expect(await Session.run(app.runtime)(program)()).toEqual(right(3))
    expect(Session.runSync(app.runtime)(program)).toEqual(left({ _tag: 'NotSynchronous', operation: 'a task' }))
  })

  test('fromTaskEither fails as its task does', async () => {
    const app = open()
    expect(await Session.run(app.runtime)(Session.fromTaskEither(TE.left('no')))()).toEqual(left('no'))
    expect(await Session.run(app.runtime)(Session.fromTaskEither(TE.right(1)))()).toEqual(right(1))
    expect(await Session.run(app.runtime)(Session.fromEither(left('no')))()).toEqual(left('no'))
  })
})
