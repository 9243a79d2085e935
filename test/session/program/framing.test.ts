import { type Snapshot, select } from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { type App, model, open } from '../app.js'

const add = (email: string) => Session.add(model.Address, { email })
const outOfStock = Session.fail({ _tag: 'OutOfStock' as const })
const emails = (app: App) => app.rows('addresses').map((row) => (row as { email: string }).email)
const caught = <E, A>(program: Session.Program<E, A>): Session.Program<never, E | A> =>
  Session.catchError((error: E) => Session.of<E | A>(error))(program)
const after =
  <E2, B>(next: Session.Program<E2, B>) =>
  <E, A>(first: Session.Program<E, A>): Session.Program<E | E2, B> =>
    Session.chain(() => next)(first)

describe('transact', () => {
  test('commits what its program did, and gives its value', () => {
    const app = open()
    const value = app.run(Session.transact(pipe(add('a'), after(Session.of(42)))))
    expect(value).toBe(42)
    expect(app.asked()).toEqual(['Begin', 'Insert addresses 1', 'Commit'])
    expect(app.database.inTransaction).toBe(false)
  })

  test('rolls back where its program fails, and fails with the same error', () => {
    const app = open()
    const before = app.store.getState()
    const error = app.fails(Session.transact(pipe(add('a'), after(Session.flush), after(outOfStock))))
    expectTypeOf(error).toEqualTypeOf<Session.AddError | Session.FlushError | { _tag: 'OutOfStock' }>()
    expect(error).toEqual({ _tag: 'OutOfStock' })
    expect(app.asked()).toEqual(['Begin', 'Insert addresses 1', 'Rollback'])
    expect(emails(app)).toEqual([])
    expect(app.store.getState().added).toBe(before.added)
    expect(app.database.inTransaction).toBe(false)
  })

  test('rolls back where its commit fails, and the session works on', () => {
    const app = open()
    app.run(Session.transact(add('a')))
    expect(app.fails(Session.transact(pipe(add('b'), after(add('a')))))).toMatchObject({
      _tag: 'IntegrityError',
      attributes: ['email'],
      values: ['a'],
    })
    expect(app.store.getState().failure).toBeNull()
    app.run(Session.transact(add('c')))
    expect(emails(app)).toEqual(['a', 'c'])
  })

  test('commits and rolls back what was there before it too, since there is one transaction', () => {
    const app = open()
    app.run(add('before'))
    app.run(Session.transact(add('a')))
    expect(emails(app).toSorted()).toEqual(['a', 'before'])
    app.run(add('lost'))
    app.fails(Session.transact(outOfStock))
    app.run(Session.commit)
    expect(emails(app)).toHaveLength(2)
  })

  test('within a transact ends the transaction for both', () => {
    const app = open()
    const inner = pipe(add('inner'), Session.transact)
    app.fails(Session.transact(pipe(add('outer'), after(inner), after(add('late')), after(outOfStock))))
    expect(emails(app).toSorted()).toEqual(['inner', 'outer'])
  })
})

describe('nested', () => {
  test('keeps what its program did for the transaction to commit', () => {
    const app = open()
    app.run(Session.transact(pipe(add('a'), after(Session.nested(add('b'))), after(add('c')))))
    expect(app.asked()).toEqual([
      'Begin',
      'Insert addresses 1',
      'Savepoint unitary_1',
      'Insert addresses 1',
      'ReleaseSavepoint unitary_1',
      'Insert addresses 1',
      'Commit',
    ])
    expect(emails(app)).toEqual(['a', 'b', 'c'])
  })

  test('undoes what its program did where that fails, and the transaction goes on', () => {
    const app = open()
    const risky = Session.nested(pipe(add('b'), after(Session.flush), after(outOfStock)))
    const program = Session.transact(
      Session.gen(function* () {
        yield* add('a')
        const error = yield* caught(risky)
        yield* add('c')
        return error
      }),
    )
    expect(app.run(program)).toEqual({ _tag: 'OutOfStock' })
    expect(emails(app)).toEqual(['a', 'c'])
  })

  test('a flush that fails in it costs no more than it', () => {
    const app = open()
    const program = Session.gen(function* () {
      yield* add('a')
      const error = yield* caught(Session.nested(pipe(add('b'), after(add('a')))))
      yield* add('c')
      yield* Session.commit
      return error
    })
    expect(app.run(program)).toMatchObject({ _tag: 'IntegrityError', attributes: ['email'], values: ['a'] })
    expect(emails(app)).toEqual(['a', 'c'])
  })

  test.each([0, 1, 2, 3])('fails at level %i of three and costs that level and those in it', (failing) => {
    const app = open()
    const level = (at: number): Session.Program<unknown, unknown> => {
      const inner = at < 3 ? caught(Session.nested(level(at + 1))) : Session.of(null)
      const all = pipe(add(`before ${at}`), after(inner), after(add(`after ${at}`)))
      return at === failing ? pipe(all, after(outOfStock)) : all
    }
    const result = app.run(Session.attempt(Session.transact(level(0))))
    expect(result._tag).toBe(failing === 0 ? 'Left' : 'Right')
    const kept = [0, 1, 2, 3].filter((at) => at < failing)
    expect(emails(app).toSorted()).toEqual(kept.flatMap((at) => [`after ${at}`, `before ${at}`]).toSorted())
    expect(app.database.inTransaction).toBe(false)
  })

  test('that fails to begin has nothing to undo: the transaction around it is what failed', () => {
    const app = open()
    app.run(add('a'))
    app.run(add('a'))
    expect(app.fails(Session.nested(add('b')))).toMatchObject({ _tag: 'IntegrityError' })
    expect(app.fails(Session.rollbackNested)).toEqual({ _tag: 'NoSavepoint' })
    expect(app.fails(Session.nested(add('b')))).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.rollback)
    app.run(Session.nested(add('b')))
    app.run(Session.commit)
    expect(emails(app)).toEqual(['b'])
  })

  test('whose program ends the transaction fails, with the program’s own error where there is one', () => {
    const app = open()
    expect(app.fails(Session.nested(pipe(add('a'), after(Session.commit))))).toEqual({ _tag: 'NoSavepoint' })
    expect(emails(app)).toEqual(['a'])
    expect(app.fails(Session.nested(pipe(add('b'), after(Session.rollback), after(outOfStock))))).toEqual({
      _tag: 'OutOfStock',
    })
    app.run(Session.rollback)
    expect(emails(app)).toEqual(['a'])
  })

  test('ends what its program began in it, and leaves what is around it', () => {
    const app = open()
    const left = pipe(add('a'), after(Session.beginNested), after(add('b')))
    app.run(Session.nested(left))
    expect(app.fails(Session.rollbackNested)).toEqual({ _tag: 'NoSavepoint' })
    app.run(Session.beginNested)
    app.fails(Session.nested(pipe(add('c'), after(Session.beginNested), after(add('d')), after(outOfStock))))
    app.run(add('e'))
    app.run(Session.commitNested)
    app.run(Session.commit)
    expect(emails(app).toSorted()).toEqual(['a', 'b', 'e'])
  })

  test('gives back instances that were made in it, to be added again', () => {
    const app = open()
    let made: Snapshot<'Address'> | null = null
    const risky = Session.gen(function* () {
      made = yield* add('a')
      yield* Session.flush
      yield* outOfStock
    })
    app.fails(Session.nested(risky))
    expect(Session.inspect(app.store.getState(), made as never)).toMatchObject({
      status: 'transient',
      identity: null,
      attributes: { email: 'a', isPrimary: false },
    })
    app.run(Session.transact(Session.add(model.Address, made as never)))
    expect(emails(app)).toEqual(['a'])
  })
})

describe('any nesting of frames', () => {
  type Part =
    | { readonly _tag: 'add'; readonly email: string }
    | { readonly _tag: 'flush' | 'query' | 'fail' | 'invalid' }
    | { readonly _tag: 'transact' | 'nested' | 'caught' | 'noAutoflush'; readonly parts: ReadonlyArray<Part> }

  const word = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
  const { parts } = fc.letrec<{ part: Part; parts: ReadonlyArray<Part> }>((tie) => ({
    part: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 5, arbitrary: fc.record({ _tag: fc.constant('add' as const), email: word }) },
      { weight: 1, arbitrary: fc.record({ _tag: fc.constantFrom('flush', 'query', 'fail', 'invalid') }) },
      {
        weight: 3,
        arbitrary: fc.record({
          _tag: fc.constantFrom('transact', 'nested', 'nested', 'nested', 'noAutoflush'),
          parts: tie('parts'),
        }),
      },
      { weight: 3, arbitrary: fc.record({ _tag: fc.constant('caught' as const), parts: tie('parts') }) },
    ) as fc.Arbitrary<Part>,
    parts: fc.array(tie('part'), { maxLength: 5 }),
  }))

  const programOf = (all: ReadonlyArray<Part>): Session.Program<unknown, unknown> =>
    Session.traverseArray((part: Part): Session.Program<unknown, unknown> => {
      switch (part._tag) {
        case 'add':
          return add(part.email)
        case 'flush':
          return Session.flush
        case 'query':
          return Session.query(select(model.Address))
        case 'fail':
          return outOfStock
        case 'invalid':
          return Session.add(model.Address, { email: 5 } as never)
        case 'transact':
          return Session.transact(programOf(part.parts))
        case 'nested':
          return Session.nested(programOf(part.parts))
        case 'noAutoflush':
          return Session.noAutoflush(programOf(part.parts))
        case 'caught':
          return caught(programOf(part.parts))
      }
    })(all)

  /** What frames come to: rows that are committed, those of the transaction and of its savepoints, and what is pending. */
  class Plain {
    committed: ReadonlyArray<string> = []
    rows: ReadonlyArray<string> = []
    pending: ReadonlyArray<string> = []
    /** To what each open savepoint returns. */
    savepoints: Array<ReadonlyArray<string>> = []
    hasFailed = false
    autoflush = true

    flush(): void {
      if (this.pending.length === 0) return
      if (this.hasFailed) throw 'PendingRollback'
      const all = [...this.rows, ...this.pending]
      this.pending = []
      if (new Set(all).size < all.length) {
        this.rows = this.savepoints.at(-1) ?? this.committed
        this.hasFailed = true
        throw 'IntegrityError'
      }
      this.rows = all
    }

    unlessFailed(): void {
      if (this.hasFailed) throw 'PendingRollback'
    }

    commit(): void {
      this.unlessFailed()
      this.flush()
      this.committed = this.rows
      this.savepoints = []
    }

    rollback(): void {
      this.rows = this.committed
      this.pending = []
      this.savepoints = []
      this.hasFailed = false
    }

    transact(body: () => void): void {
      try {
        body()
        this.commit()
      } catch (error) {
        this.rollback()
        throw error
      }
    }

    nested(body: () => void): void {
      this.unlessFailed()
      this.flush()
      const before = this.rows
      this.savepoints.push(before)
      const { savepoints } = this
      const isOpen = () => this.savepoints === savepoints && savepoints.at(-1) === before
      try {
        body()
        if (!isOpen()) throw 'NoSavepoint'
        this.unlessFailed()
        this.flush()
        this.savepoints.pop()
      } catch (error) {
        if (isOpen()) {
          this.savepoints.pop()
          this.rows = before
          this.pending = []
          this.hasFailed = false
        }
        throw error
      }
    }

    run(all: ReadonlyArray<Part>): void {
      for (const part of all) {
        switch (part._tag) {
          case 'add':
            this.pending = [...this.pending, part.email]
            break
          case 'flush':
            this.flush()
            break
          case 'query':
            this.unlessFailed()
            if (this.autoflush) this.flush()
            break
          case 'fail':
            throw 'OutOfStock'
          case 'invalid':
            throw 'InvalidValue'
          case 'transact':
            this.transact(() => this.run(part.parts))
            break
          case 'nested':
            this.nested(() => this.run(part.parts))
            break
          case 'noAutoflush': {
            const { autoflush } = this
            this.autoflush = false
            try {
              this.run(part.parts)
            } finally {
              this.autoflush = autoflush
            }
            break
          }
          case 'caught':
            try {
              this.run(part.parts)
            } catch {
              // as if nothing had been wrong
            }
        }
      }
    }

    /** What the whole fails with, null where it succeeds. */
    outcome(all: ReadonlyArray<Part>): string | null {
      try {
        this.transact(() => this.run(all))
        return null
      } catch (error) {
        return error as string
      }
    }
  }

  const tagOf = (result: Either<unknown, unknown>): string | null =>
    result._tag === 'Left' ? (result.left as { readonly _tag: string })._tag : null

  test('leaves exactly the rows of the parts that succeeded, and no transaction open', () => {
    fc.assert(
      fc.property(parts, (all) => {
        const app = open()
        const plain = new Plain()
        expect(tagOf(app.store.runSync(Session.transact(programOf(all))))).toBe(plain.outcome(all))
        expect(emails(app).toSorted()).toEqual(plain.committed.toSorted())
        expect(app.database.inTransaction).toBe(false)
        // and nothing of it is waiting to be written
        expect(app.store.getState()).toMatchObject({ frames: null, failure: null, isWritten: false })
        expect(app.store.getState().options.autoflush).toBe(true)
        expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
        const known = app.run(Session.query(select(model.Address)))
        expect(known.map(({ email }) => email).toSorted()).toEqual(plain.committed.toSorted())
      }),
      { numRuns: 500 },
    )
  }, 60_000)

  test('a run that ends with all of it open leaves what was committed', async () => {
    await fc.assert(
      fc.asyncProperty(parts, async (all) => {
        const app = open()
        const plain = new Plain()
        let failed: string | null = null
        try {
          plain.run(all)
        } catch (error) {
          failed = error as string
        }
        expect(tagOf(await Session.run(app.runtime)(programOf(all))())).toBe(failed)
        expect(emails(app).toSorted()).toEqual(plain.committed.toSorted())
        expect(app.database.inTransaction).toBe(false)
      }),
      { numRuns: 200 },
    )
  }, 60_000)
})
