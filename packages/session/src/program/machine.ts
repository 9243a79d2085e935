/**
 * The machine that steps a program. Both interpreters drive this one; it asks nothing of the world itself.
 *
 * It runs on a stack of its own, so that programs nest to any depth, and stops only where a request has to be answered.
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { RequestError } from '../error.js'
import type { SessionState } from '../state/session-state.js'
import type { Ask, Node, Outcome, Program } from './program.js'
import type { Request } from './request.js'

type AnyProgram = Program<unknown, unknown>

/** Where the value of the running program goes. */
type Frame =
  | { readonly _tag: 'Then'; readonly f: (value: never) => AnyProgram }
  | { readonly _tag: 'Handle'; readonly f: (error: never) => AnyProgram }
  | { readonly _tag: 'Iterate'; readonly iterator: Iterator<AnyProgram, unknown, unknown> }
  | {
      readonly _tag: 'Collect'
      readonly items: ReadonlyArray<unknown>
      readonly f: (index: number, item: never) => AnyProgram
      readonly values: unknown[]
    }

/** The program waits for an answer, or is done. */
export type Progress =
  | { readonly _tag: 'Asking'; readonly request: Request }
  | { readonly _tag: 'Done'; readonly outcome: Outcome<unknown, unknown> }

export class Machine {
  #state: SessionState
  readonly #stack: Frame[] = []
  #asking: Ask | null = null

  constructor(state: SessionState) {
    this.#state = state
  }

  /** The state as it stands. */
  get state(): SessionState {
    return this.#state
  }

  /** Runs until the first request. */
  start(program: AnyProgram): Progress {
    return this.#run(program as unknown as Node)
  }

  /** Goes on with the answer. */
  answer(answer: Either<RequestError, unknown>): Progress {
    const [result, state] = (this.#asking as Ask).resume(answer, this.#state)
    this.#asking = null
    this.#state = state
    if (result._tag === 'Left') {
      const handler = this.#failed(result.left)
      return handler === null ? this.#done(result) : this.#run(handler)
    }
    const next = this.#succeeded(result.right)
    return next === null ? this.#done({ _tag: 'Right', right: this.#last }) : this.#run(next)
  }

  /** Gives up: generators that are running are closed, and nothing more is run. */
  abandon(): void {
    for (let frame = this.#stack.pop(); frame !== undefined; frame = this.#stack.pop()) {
      if (frame._tag === 'Iterate') frame.iterator.return?.()
    }
  }

  #done(result: Either<unknown, unknown>): Progress {
    return { _tag: 'Done', outcome: [result, this.#state] }
  }

  #run(program: Node): Progress {
    let node: Node = program
    for (;;) {
      let next: Node | null
      switch (node._tag) {
        case 'Chain':
          this.#stack.push({ _tag: 'Then', f: node.next })
          node = node.self as unknown as Node
          continue
        case 'Pure':
          next = this.#succeeded(node.value)
          if (next === null) return this.#done({ _tag: 'Right', right: this.#last })
          break
        case 'Step': {
          const result = node.run(this.#state)
          if (result._tag === 'Right') {
            this.#state = result.right[1]
            next = this.#succeeded(result.right[0])
            if (next === null) return this.#done({ _tag: 'Right', right: this.#last })
          } else {
            next = this.#failed(result.left)
            if (next === null) return this.#done(result)
          }
          break
        }
        case 'Fail':
          next = this.#failed(node.error)
          if (next === null) return this.#done({ _tag: 'Left', left: node.error })
          break
        case 'Ask':
          this.#asking = node
          return { _tag: 'Asking', request: node.request }
        case 'Suspend':
          node = node.f(this.#state) as unknown as Node
          continue
        case 'Recover':
          this.#stack.push({ _tag: 'Handle', f: node.handle })
          node = node.self as unknown as Node
          continue
        case 'Gen':
          this.#stack.push({ _tag: 'Iterate', iterator: node.make() })
          next = this.#succeeded(undefined)
          if (next === null) return this.#done({ _tag: 'Right', right: this.#last })
          break
        case 'Each':
          this.#stack.push({ _tag: 'Collect', items: node.items, f: node.f, values: [] })
          next = this.#collect()
          if (next === null) return this.#done({ _tag: 'Right', right: this.#last })
          break
      }
      node = next
    }
  }

  /** The value that nothing more is to be done with. */
  #last: unknown

  /** Hands a value to whoever waits for it; null where nobody does. */
  #succeeded(given: unknown): Node | null {
    let value = given
    for (;;) {
      const frame = this.#stack[this.#stack.length - 1]
      if (frame === undefined) {
        this.#last = value
        return null
      }
      switch (frame._tag) {
        case 'Then':
          this.#stack.pop()
          return frame.f(value as never) as unknown as Node
        case 'Handle':
          this.#stack.pop()
          break
        case 'Iterate': {
          const step = frame.iterator.next(value)
          if (step.done !== true) return step.value as unknown as Node
          this.#stack.pop()
          value = step.value
          break
        }
        case 'Collect': {
          frame.values.push(value)
          const { length } = frame.values
          if (length < frame.items.length) return frame.f(length, frame.items[length] as never) as unknown as Node
          this.#stack.pop()
          value = frame.values
          break
        }
      }
    }
  }

  /** Starts on the items of the `Collect` frame on top. */
  #collect(): Node | null {
    const frame = this.#stack[this.#stack.length - 1] as Extract<Frame, { _tag: 'Collect' }>
    if (frame.items.length > 0) return frame.f(0, frame.items[0] as never) as unknown as Node
    this.#stack.pop()
    return this.#succeeded(frame.values)
  }

  /** Looks for a handler; null where there is none. Generators that are left are closed. */
  #failed(error: unknown): Node | null {
    for (let frame = this.#stack.pop(); frame !== undefined; frame = this.#stack.pop()) {
      if (frame._tag === 'Handle') return frame.f(error as never) as unknown as Node
      if (frame._tag === 'Iterate') frame.iterator.return?.()
    }
    return null
  }
}
