/**
 * What a step of a program costs, by both interpreters, whichever way the steps are nested.
 */
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { model } from '../contestants/unitary.js'
import { instantEngine } from './instant-engine.js'
import { nsPer } from './time.js'

type Counting = Session.Program<Session.RequestError, number>

const leftNested = (count: number, step: (n: number) => Counting): Counting => {
  let program: Counting = Session.of(0)
  for (let i = 0; i < count; i++) program = pipe(program, Session.chain(step))
  return program
}

const rightNested = (count: number, step: (n: number) => Counting): Counting => {
  const from = (n: number): Counting =>
    n === count
      ? Session.of(n)
      : pipe(
          step(n),
          Session.chain(() => from(n + 1)),
        )
  return from(0)
}

const pure = (n: number): Counting => Session.of(n + 1)

/** The least that can be asked for: the services, which take the interpreter no time. */
const request = (n: number): Counting =>
  pipe(
    Session.services,
    Session.map(() => n + 1),
  )

/** Nanoseconds a step, by what is measured, interpreter and nesting. */
export const steps = async (count: number): Promise<ReadonlyArray<readonly [name: string, ns: number]>> => {
  const app = Session.runtime(model, instantEngine())
  const kinds = [
    ['pure step', pure],
    ['request', request],
  ] as const
  const nestings = [
    ['left', leftNested],
    ['right', rightNested],
  ] as const
  const measured: [string, number][] = []
  for (const [kind, step] of kinds) {
    for (const [nesting, nest] of nestings) {
      const prepare = () => nest(count, step)
      measured.push([
        `${kind}, ${nesting}, runSync`,
        await nsPer(count, prepare, (program) => Session.runSync(app)(program)),
      ])
      measured.push([`${kind}, ${nesting}, run`, await nsPer(count, prepare, (program) => Session.run(app)(program)())])
    }
  }
  return measured
}
