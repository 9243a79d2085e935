import * as Session from '@unitary/session'
import { left, right } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { model, open } from '../app.js'

interface OutOfStock {
  readonly _tag: 'OutOfStock'
}
const outOfStock: OutOfStock = { _tag: 'OutOfStock' }

const pendingCount = Session.gets((state) => state.added.size)
const addUser = (name: string) => Session.add(model.User, { name })

describe('a program', () => {
  test('does nothing when it is built, and the same each time that it runs', () => {
    let ran = 0
    const program = pipe(
      Session.fromIO(() => ++ran),
      Session.chain(() => addUser('ed')),
      Session.chain(() => pendingCount),
    )
    expect(ran).toBe(0)
    const app = open()
    expect([app.run(program), app.run(program)]).toEqual([1, 2])
    expect(ran).toBe(2)
  })

  test('a failure skips what follows', () => {
    const app = open()
    let reached = false
    const program = pipe(
      addUser('ed'),
      Session.chain(() => Session.fail(outOfStock)),
      Session.chain(() => {
        reached = true
        return Session.of(undefined)
      }),
    )
    expect(app.fails(program)).toBe(outOfStock)
    expect(reached).toBe(false)
  })

  test('the state survives a failure', () => {
    const app = open()
    app.fails(
      pipe(
        addUser('ed'),
        Session.chainFirst(() => Session.fail(outOfStock)),
      ),
    )
    expect(app.run(pendingCount)).toBe(1)
  })
})

describe('catchError', () => {
  test('sees the session as it was when the step failed', () => {
    const app = open()
    const program = pipe(
      addUser('ed'),
      Session.chain(() => Session.fail(outOfStock)),
      Session.catchError((error) => Session.map((n: number) => `${error._tag} ${n}`)(pendingCount)),
    )
    expect(app.run(program)).toBe('OutOfStock 1')
  })

  test('does not see what happens after it', () => {
    const app = open()
    const program = pipe(
      Session.of(1),
      Session.catchError(() => Session.of(2)),
      Session.chain(() => Session.fail(outOfStock)),
    )
    expect(app.fails(program)).toBe(outOfStock)
  })

  test('the innermost handler handles, and may fail again', () => {
    const app = open()
    const program = pipe(
      Session.fail('first'),
      Session.catchError((error: string) => Session.fail(`${error} second`)),
      Session.catchError((error: string) => Session.of(`${error} third`)),
      Session.catchError((error: never) => Session.of(error)),
    )
    expect(app.run(program)).toBe('first second third')
  })

  test('a handled failure of the database leaves the session to be rolled back', () => {
    const app = open()
    const program = pipe(
      Session.addAll(model.Address, [{ email: 'a' }, { email: 'a' }]),
      Session.chain(() => Session.flush),
      Session.map(() => 'written'),
      Session.catchError((error) => Session.of(error._tag)),
      Session.chainFirst(() => Session.rollback),
      Session.chainFirst(() => Session.add(model.Address, { email: 'b' })),
      Session.chainFirst(() => Session.commit),
    )
    expect(app.run(program)).toBe('IntegrityError')
    expect(app.rows('addresses')).toMatchObject([{ email: 'b' }])
  })

  test('mapLeft and attempt make values of failures', () => {
    const app = open()
    expect(
      app.fails(
        pipe(
          Session.fail(1),
          Session.mapLeft((n) => n + 1),
        ),
      ),
    ).toBe(2)
    expect(app.run(Session.attempt(Session.fail(1)))).toEqual(left(1))
    expect(app.run(Session.attempt(Session.of(1)))).toEqual(right(1))
  })
})

describe('Do', () => {
  test('binds values to names, from left to right', () => {
    const app = open()
    const program = pipe(
      Session.Do,
      Session.bind('ed', () => addUser('ed')),
      Session.apS('pending', pendingCount),
      Session.let('text', ({ ed, pending }) => `${ed.name} ${pending}`),
      Session.bind('length', ({ text }) => Session.of(text.length)),
    )
    expect(app.run(program)).toMatchObject({ ed: { name: 'ed' }, pending: 1, text: 'ed 1', length: 4 })
    expect(app.run(pipe(Session.of(1), Session.bindTo('one')))).toEqual({ one: 1 })
  })
})

describe('gen', () => {
  test('yields values, returns a value, and starts anew each time that it runs', () => {
    const app = open()
    const program = Session.gen(function* () {
      const ed = yield* addUser('ed')
      const n = yield* pendingCount
      return `${ed.name} ${n}`
    })
    expect([app.run(program), app.run(program)]).toEqual(['ed 1', 'ed 2'])
  })

  test('a failure ends it, and runs what it does at last', () => {
    const app = open()
    const seen: string[] = []
    const program = Session.gen(function* () {
      try {
        yield* addUser('ed')
        yield* Session.fail(outOfStock)
        seen.push('not reached')
      } finally {
        seen.push('finally')
      }
    })
    expect(app.fails(program)).toBe(outOfStock)
    expect(seen).toEqual(['finally'])
    expect(app.run(pendingCount)).toBe(1)
  })

  test('nests, and a handler inside it keeps it going', () => {
    const app = open()
    const inner = Session.gen(function* () {
      yield* Session.fail('inner')
      return 'value'
    })
    const program = Session.gen(function* () {
      const value = yield* pipe(
        inner,
        Session.catchError((error: string) => Session.of(`caught ${error}`)),
      )
      yield* addUser('ed')
      return value
    })
    expect(app.run(program)).toBe('caught inner')
    expect(app.run(pendingCount)).toBe(1)
  })

  test('an error thrown in it is a defect, not a failure', () => {
    const app = open()
    const program = Session.gen(function* () {
      yield* addUser('ed')
      throw new Error('bug')
    })
    expect(() =>
      app.run(
        pipe(
          program,
          Session.catchError(() => Session.of(1)),
        ),
      ),
    ).toThrow('bug')
  })
})

describe('arrays', () => {
  test('traverseArray runs one after another and gives all values', () => {
    const app = open()
    const program = Session.traverseArray((name: string) =>
      pipe(
        addUser(name),
        Session.chain(() => pendingCount),
      ),
    )
    expect(app.run(program(['a', 'b', 'c']))).toEqual([1, 2, 3])
    expect(app.run(program([]))).toEqual([])
  })

  test('traverseArray stops at the first failure, and what was done before it stays', () => {
    const app = open()
    const program = Session.traverseArrayWithIndex(
      (i, name: string): Session.Program<unknown, unknown> => (i === 2 ? Session.fail(`${name} ${i}`) : addUser(name)),
    )
    expect(app.fails(program(['a', 'b', 'c', 'd']))).toBe('c 2')
    expect(app.run(pendingCount)).toBe(2)
  })

  test('running a program twice gives two arrays', () => {
    const app = open()
    const program = Session.all([Session.of(1), Session.of(2)])
    const first = app.run(program)
    expect(app.run(program)).toEqual([1, 2])
    expect(first).toEqual([1, 2])
  })
})

describe('a transition of the application', () => {
  test('is a step: what it gives is the next state', () => {
    const app = open()
    const turnOff: Session.Transition<never, string> = (state) =>
      right(['off', { ...state, options: { ...state.options, autoflush: false } }])
    expect(app.run(Session.transition(turnOff))).toBe('off')
    expect(app.store.getState().options.autoflush).toBe(false)
  })

  test('that fails leaves the state as it was', () => {
    const app = open()
    const before = app.store.getState()
    expect(app.fails(Session.transition(() => left('no')))).toBe('no')
    expect(app.store.getState()).toBe(before)
  })
})

test('services are those of the runtime', () => {
  const app = open()
  expect(app.run(Session.services).uuid()).toBe('00000000-0000-4000-8000-000000000000')
})
