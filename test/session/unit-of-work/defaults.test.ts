/**
 * Attributes that nobody has set: what they are before and after an insert, and who fills them.
 */
import {
  boolean,
  column,
  createAllSync,
  type Draft,
  defineModel,
  entity,
  generated,
  integer,
  isoDate,
  nullable,
  orderBy,
  primaryKey,
  type Services,
  type Snapshot,
  select,
  text,
  withDefault,
  withInsertDefault,
  withServerDefault,
  withUpdateDefault,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { resultOf, services } from '../app.js'
import { briefly, isStatement, recordingEngine } from '../recording-engine.js'

const Task = entity('Task', 'tasks', {
  id: pipe(integer, primaryKey, generated),
  title: text,
  note: pipe(text, nullable),
  due: pipe(text, nullable),
  /** Given to drafts. */
  urgent: pipe(
    boolean,
    withDefault(() => false),
  ),
  /** Given to rows. */
  state: pipe(
    text,
    withInsertDefault(() => 'open'),
  ),
  points: pipe(
    integer,
    nullable,
    withInsertDefault(() => 3),
  ),
  /** Given by the table. */
  kind: pipe(text, withServerDefault(sql`'std'`)),
  /** Given to updates. */
  changed: pipe(
    column(isoDate, 'text'),
    nullable,
    withUpdateDefault((given) => given.now),
  ),
})

const tasks = defineModel({ Task })(() => ({}))

/** A session over a model, which writes down how often it was asked for services. */
const openCounting = (options: Session.RuntimeOptions = {}) => {
  const database = new Database(':memory:')
  const { engine, calls, clear } = recordingEngine(sqliteEngine(database))
  resultOf(createAllSync(tasks)(engine))
  clear()
  let asked = 0
  const counting = (): Services => {
    asked++
    return services
  }
  const store = Session.createStore(Session.runtime(tasks, engine, { services: counting, ...options }))
  const run = <E, A>(program: Session.Program<E, A>): A => resultOf(store.runSync(program))
  return {
    store,
    run,
    database,
    /** Statements since the last time. */
    statements: () => {
      const ran = calls.filter(isStatement).map(briefly)
      clear()
      return ran
    },
    /** How often services were asked for since the last time. */
    services: () => {
      const times = asked
      asked = 0
      return times
    },
    attributes: (task: Snapshot) => Session.inspect(store.getState(), task)?.attributes ?? {},
    changes: (task: Snapshot) => Session.inspect(store.getState(), task)?.changed,
    rows: () => database.prepare('select * from tasks order by id').all() as ReadonlyArray<Record<string, unknown>>,
  }
}

const { Task: task } = tasks
const tasksByTitle = pipe(select(task), orderBy('title'))

describe('an attribute that nobody has set', () => {
  test('is absent while the instance is pending, and null once it is inserted', () => {
    const app = openCounting()
    const made = app.run(Session.add(task, { title: 't' }))
    expectTypeOf(made.note).toEqualTypeOf<string | null | undefined>()
    expect(app.attributes(made)).toEqual({ title: 't', urgent: false })
    expect(made.note).toBeUndefined()
    expect(app.run(Session.history(task, 'note')(made))).toEqual({ added: [], unchanged: [], deleted: [] })
    app.run(Session.flush)
    expect(app.attributes(made)).toMatchObject({ note: null, due: null, changed: null })
    // nobody has set it, and so it has no history still
    expect(app.run(Session.history(task, 'note')(made))).toEqual({ added: [], unchanged: [], deleted: [] })
    expect(app.run(Session.history(task, 'title')(made))).toEqual({ added: [], unchanged: ['t'], deleted: [] })
  })

  test('counts as changed when it is set later, whatever it is set to', () => {
    for (const note of [null, 'n']) {
      const app = openCounting()
      const made = app.run(Session.add(task, { title: 't' }))
      app.run(Session.flush)
      app.run(Session.set(task, { note })(made))
      expect(app.changes(made)).toEqual(['note'])
      expect(app.run(Session.history(task, 'note')(made))).toEqual({ added: [note], unchanged: [], deleted: [] })
      expect(app.run(Session.flush).updated).toBe(1)
      app.run(Session.commit)
      expect(app.rows()).toMatchObject([{ note }])
    }
  })

  test('is an attribute like any other once it was set to null, or read', () => {
    const app = openCounting()
    const explicit = app.run(Session.add(task, { title: 'explicit', note: null }))
    const read = app.run(Session.add(task, { title: 'read' }))
    app.run(Session.commit)
    app.run(Session.traverseArray(Session.read(task))([explicit, read]))
    for (const one of [explicit, read]) {
      app.run(Session.set(task, { note: null })(one))
      expect(app.changes(one)).toEqual([])
      expect(app.run(Session.history(task, 'note')(one))).toEqual({ added: [], unchanged: [null], deleted: [] })
    }
    expect(app.run(Session.flush).updated).toBe(0)
  })

  test('does not make a read load the row: what the table did not fill in is known', () => {
    const app = openCounting()
    const made = app.run(Session.add(task, { title: 't', kind: 'own' }))
    app.run(Session.flush)
    app.statements()
    expect(app.run(Session.read(task)(made))).toMatchObject({ id: 1, note: null, kind: 'own' })
    expect(app.statements()).toEqual([])
  })
})

describe('withDefault', () => {
  test('shows on the instance from the start, and is stored', () => {
    const app = openCounting()
    const made = app.run(Session.make(task, { title: 't' }))
    expect(made.urgent).toBe(false)
    app.run(Session.add(task, made))
    app.run(Session.commit)
    expect(app.rows()).toMatchObject([{ urgent: 0 }])
  })

  test('gives way to what is given', () => {
    const app = openCounting()
    app.run(Session.add(task, { title: 't', urgent: true }))
    app.run(Session.commit)
    expect(app.rows()).toMatchObject([{ urgent: 1 }])
  })
})

describe('withInsertDefault', () => {
  test('is absent until the flush, and known after it without a statement', () => {
    const app = openCounting()
    const made = app.run(Session.add(task, { title: 't', kind: 'own' }))
    expect(app.attributes(made)).not.toHaveProperty('state')
    app.run(Session.flush)
    expect(app.attributes(made)).toMatchObject({ state: 'open', points: 3 })
    app.statements()
    expect(app.run(Session.read(task)(made))).toMatchObject({ state: 'open', points: 3 })
    expect(app.statements()).toEqual([])
    expect(app.rows()).toMatchObject([{ state: 'open', points: 3 }])
  })

  test('gives way to what is set before the flush, but not to null', () => {
    const app = openCounting()
    const made = app.run(Session.add(task, { title: 'set', points: null }))
    app.run(Session.set(task, { state: 'done' })(made))
    app.run(Session.add(task, { title: 'given', points: 5 }))
    app.run(Session.commit)
    expect(app.rows()).toMatchObject([
      { state: 'done', points: 3 },
      { state: 'open', points: 5 },
    ])
  })

  test('has no say once the row is there: null is null then', () => {
    const app = openCounting()
    const made = app.run(Session.add(task, { title: 't' }))
    app.run(Session.flush)
    app.run(Session.set(task, { points: null })(made))
    app.run(Session.commit)
    expect(app.rows()).toMatchObject([{ points: null }])
  })

  test('is taken back by a rollback, and given anew by the next insert', () => {
    const app = openCounting()
    const made = app.run(Session.add(task, { title: 't' }))
    app.run(Session.flush)
    app.run(Session.rollback)
    expect(app.attributes(made)).toEqual({ title: 't', urgent: false })
    app.run(Session.set(task, { state: 'done' })(made))
    app.run(Session.add(task, made))
    app.run(Session.commit)
    expect(app.rows()).toMatchObject([{ state: 'done', points: 3 }])
  })
})

describe('withServerDefault', () => {
  test('is put in where a draft leaves it out, and can be read after the flush', () => {
    const app = openCounting()
    const made = app.run(Session.add(task, { title: 't' }))
    expect(app.attributes(made)).not.toHaveProperty('kind')
    app.run(Session.flush)
    expect(app.run(Session.read(task)(made)).kind).toBe('std')
    app.run(Session.commit)
    expect(app.rows()).toMatchObject([{ kind: 'std' }])
  })

  test('gives way to what is given', () => {
    const app = openCounting()
    const made = app.run(Session.add(task, { title: 't', kind: 'own' }))
    app.run(Session.flush)
    expect(app.attributes(made)).toMatchObject({ kind: 'own' })
    expect(app.rows()).toMatchObject([{ kind: 'own' }])
  })
})

describe('withUpdateDefault', () => {
  test('is set by an update of something else, and known after it without a statement', () => {
    const app = openCounting()
    const made = app.run(Session.add(task, { title: 't', kind: 'own' }))
    app.run(Session.flush)
    expect(app.attributes(made)).toMatchObject({ changed: null })
    app.run(Session.set(task, { title: 'u' })(made))
    app.run(Session.flush)
    app.statements()
    expect(app.run(Session.read(task)(made)).changed).toEqual(services.now)
    expect(app.statements()).toEqual([])
    expect(app.rows()).toMatchObject([{ changed: services.now.toISOString() }])
  })

  test('gives way to what is set, null too, and is no reason to update by itself', () => {
    const app = openCounting()
    const made = app.run(Session.add(task, { title: 't', changed: new Date(5) }))
    app.run(Session.commit)
    app.run(Session.read(task)(made))
    app.run(Session.set(task, { title: 't' })(made))
    expect(app.run(Session.flush).updated).toBe(0)
    app.run(Session.set(task, { title: 'u', changed: null })(made))
    app.run(Session.flush)
    expect(app.rows()).toMatchObject([{ title: 'u', changed: null }])
    app.run(Session.set(task, { title: 'v', changed: new Date(7) })(made))
    app.run(Session.commit)
    expect(app.rows()).toMatchObject([{ changed: new Date(7).toISOString() }])
  })

  test('is set again by every update', () => {
    let at = 0
    const app = openCounting({ services: () => ({ ...services, now: new Date(++at) }) })
    const made = app.run(Session.add(task, { title: 't' }))
    app.run(Session.flush)
    const times = ['u', 'v'].map((title) => {
      app.run(Session.set(task, { title })(made))
      app.run(Session.flush)
      return Date.parse(app.rows()[0]?.changed as string)
    })
    expect(times[1]).toBeGreaterThan(times[0] as number)
  })
})

describe('services', () => {
  test('are asked for where a draft or a row may need them, once for all of them, and else not', () => {
    const app = openCounting()
    const [made] = app.run(Session.addAll(task, [{ title: 'a' }, { title: 'b' }]))
    expect(app.services()).toBe(1)
    app.run(Session.flush)
    expect(app.services()).toBe(1)
    app.run(Session.flush)
    app.run(Session.commit)
    app.run(Session.get(task, 1))
    app.run(Session.query(tasksByTitle))
    expect(app.services()).toBe(0)
    app.run(Session.set(task, { title: 'c' })(made as Snapshot<'Task'>))
    app.services()
    app.run(Session.flush)
    expect(app.services()).toBe(1)
    app.run(Session.remove(task)(made as Snapshot<'Task'>))
    // rows of others may lose their reference to it, which is an update of theirs
    app.run(Session.flush)
    expect(app.services()).toBe(1)
  })
})

describe('the shape of inserts', () => {
  test('rows that leave out different nullable attributes share one statement', () => {
    const app = openCounting()
    app.run(
      Session.addAll(task, [
        { title: 'a' },
        { title: 'b', note: 'n' },
        { title: 'c', due: 'd', changed: null },
        { title: 'd', note: null, points: 1 },
      ]),
    )
    app.run(Session.flush)
    expect(app.statements()).toEqual(['Insert tasks 4'])
    expect(app.rows()).toMatchObject([
      { title: 'a', note: null, due: null, points: 3 },
      { title: 'b', note: 'n', due: null, points: 3 },
      { title: 'c', note: null, due: 'd', points: 3 },
      { title: 'd', note: null, due: null, points: 1 },
    ])
  })

  test('rows of which the table fills in different columns do not', () => {
    const app = openCounting()
    app.run(Session.addAll(task, [{ title: 'a' }, { title: 'b' }, { title: 'c', kind: 'own' }, { title: 'd' }]))
    app.run(Session.flush)
    expect(app.statements().toSorted()).toHaveLength(3)
    expect(app.rows().map(({ title, kind }) => [title, kind])).toEqual([
      ['a', 'std'],
      ['b', 'std'],
      ['c', 'own'],
      ['d', 'std'],
    ])
  })

  test('whatever is left out, each row has what was given, and the defaults of the rest', () => {
    const draft: fc.Arbitrary<Draft<typeof tasks, 'Task'>> = fc.record(
      {
        title: fc.constantFrom('a', 'b'),
        note: fc.option(fc.constant('n')),
        due: fc.option(fc.constant('d')),
        urgent: fc.boolean(),
        state: fc.constantFrom('open', 'done'),
        points: fc.option(fc.nat(5)),
        kind: fc.constantFrom('std', 'own'),
      },
      { requiredKeys: ['title'] },
    )
    fc.assert(
      fc.property(fc.array(draft, { minLength: 1, maxLength: 12 }), (drafts) => {
        const app = openCounting()
        const made = app.run(Session.addAll(task, drafts))
        app.run(Session.flush)
        const expected = drafts.map(({ title, note, due, urgent, state, points, kind }) => ({
          title,
          note: note ?? null,
          due: due ?? null,
          urgent: urgent ?? false,
          state: state ?? 'open',
          points: points ?? 3,
          kind: kind ?? 'std',
          changed: null,
        }))
        const known = app.run(Session.traverseArray(Session.read(task))(made))
        expect(known.map((one) => ({ ...one }))).toEqual(expected.map((one, i) => ({ id: i + 1, ...one })))
        app.run(Session.commit)
        const stored = app.run(Session.traverseArray(Session.read(task))(made))
        expect(stored).toEqual(known)
      }),
      { numRuns: 100 },
    )
  }, 60_000)
})
