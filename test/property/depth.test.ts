import * as Session from '@unitary/session'
import { right } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { model, open } from '../session/app.js'

const count = 100_000

type Program = Session.Program<never, number>

const increment = Session.chain((n: number) => Session.of(n + 1))

const leftNested = (): Program => {
  let program: Program = Session.of(0)
  for (let i = 0; i < count; i++) program = increment(program)
  return program
}

const rightNested = (n: number): Program =>
  n === count ? Session.of(n) : Session.chain((m: number) => rightNested(m))(Session.of(n + 1))

const mapped = (): Program => {
  let program: Program = Session.of(0)
  for (let i = 0; i < count; i++) program = Session.map((n: number) => n + 1)(program)
  return program
}

const handled = (): Program => {
  let program: Session.Program<number, number> = Session.fail(0)
  for (let i = 0; i < count; i++) program = Session.catchError((n: number) => Session.fail(n + 1))(program)
  return Session.catchError((n: number) => Session.of(n))(program)
}

const suspended = (n: number): Program => (n === count ? Session.of(n) : Session.suspend(() => suspended(n + 1)))

const stepping = Session.gets((state) => state.added.size)

const generated = Session.gen(function* () {
  let n = 0
  for (let i = 0; i < count; i++) n += 1 + (yield* stepping)
  return n
})

const nestedGenerators = (n: number): Program =>
  Session.gen(function* () {
    if (n === count) return n
    const inner: number = yield* nestedGenerators(n + 1)
    return inner
  })

const traversed: Program = Session.map((all: ReadonlyArray<number>) => all.length)(
  Session.traverseArray((n: number) => Session.of(n))(Array.from({ length: count }, (_, i) => i)),
)

const all: Program = Session.map((values: ReadonlyArray<number>) => values.length)(
  Session.all(Array.from({ length: count }, () => stepping)),
)

/** As many requests that are answered at once. */
const requests: Session.Program<unknown, number> = Session.map((values: ReadonlyArray<unknown>) => values.length)(
  Session.traverseArray(() => Session.services)(Array.from({ length: count }, () => null)),
)

const programs: ReadonlyArray<readonly [string, () => Session.Program<unknown, number>]> = [
  ['chains nested to the left', leftNested],
  ['chains nested to the right', () => rightNested(0)],
  ['maps', mapped],
  ['handlers', handled],
  ['suspensions', () => suspended(0)],
  ['steps of one generator', () => generated],
  ['generators in generators', () => nestedGenerators(0)],
  ['items of an array', () => traversed],
  ['programs of an array', () => all],
  ['requests', () => requests],
]

describe.each(programs)('100,000 %s', (_, program) => {
  test('do not overflow the stack, with or without waiting', async () => {
    const { runtime } = open()
    expect(Session.runSync(runtime)(program())).toEqual(right(count))
    expect(await Session.run(runtime)(program())()).toEqual(right(count))
  })
})

test('100,000 transitions through a program cost no stack, and leave what they did', () => {
  const app = open()
  const program = Session.traverseArray((i: number) => Session.add(model.Country, { code: `${i}`, title: '' }))(
    Array.from({ length: count }, (_, i) => i),
  )
  app.run(program)
  expect(app.store.getState().added.size).toBe(count)
})
