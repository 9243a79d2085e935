import { defineModel, entity, generated, integer, nullable, primaryKey, type Snapshot, text } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, explained, found, openOn, tablesAsked } from '../app.js'

const id = pipe(integer, primaryKey, generated)
const optional = pipe(integer, nullable)

const Project = entity('Project', 'projects', { id, name: text })
const Person = entity('Person', 'persons', { id, name: text })
/** It needs its project, and its person if it has one. */
const Task = entity('Task', 'tasks', { id, title: text, projectId: optional, personId: optional })
/** It goes with its task. */
const Note = entity('Note', 'notes', { id, body: text, taskId: optional })
/** It goes with its note. */
const Mark = entity('Mark', 'marks', { id, noteId: optional })
/** It outlives its task. */
const Bill = entity('Bill', 'bills', { id, taskId: optional })
/** It is of one folder, which does not know it. */
const Sheet = entity('Sheet', 'sheets', { id, folderId: optional })
const Folder = entity('Folder', 'folders', { id, name: text })

const orphaning = ['save-update', 'merge', 'delete', 'delete-orphan'] as const

const model = defineModel({ Project, Person, Task, Note, Mark, Bill, Folder, Sheet })((r) => ({
  Project: {
    tasks: r.Project.hasMany('Task', {
      foreignKey: 'projectId',
      inverse: 'project',
      cascade: orphaning,
      orderBy: 'id',
    }),
  },
  Person: {
    tasks: r.Person.hasMany('Task', { foreignKey: 'personId', inverse: 'person', cascade: orphaning, orderBy: 'id' }),
  },
  Task: {
    project: r.Task.belongsTo('Project', { foreignKey: 'projectId', inverse: 'tasks' }),
    person: r.Task.belongsTo('Person', { foreignKey: 'personId', inverse: 'tasks' }),
    notes: r.Task.hasMany('Note', { foreignKey: 'taskId', cascade: ['save-update', 'merge', 'delete'] }),
    bills: r.Task.hasMany('Bill', { foreignKey: 'taskId' }),
  },
  Note: { marks: r.Note.hasMany('Mark', { foreignKey: 'noteId', cascade: ['save-update', 'merge', 'delete'] }) },
  Folder: { sheets: r.Folder.hasMany('Sheet', { foreignKey: 'folderId', cascade: orphaning }) },
}))

/** Project 1 has the tasks 1 and 2, project 2 has none; all of it expired. */
const arrange = () => {
  const app = openOn(model)
  const a = app.run(Session.add(model.Project, { name: 'a' }))
  const b = app.run(Session.add(model.Project, { name: 'b' }))
  const one = app.run(Session.add(model.Task, { title: 'one', project: a }))
  const two = app.run(Session.add(model.Task, { title: 'two', project: a }))
  app.run(Session.commit)
  app.clear()
  return { app, a, b, one, two }
}

const titles = (app: App) => app.rows('tasks').map((row) => (row as { title: string }).title)

describe('a child that left its parent', () => {
  test('is deleted, whether or not the collection was loaded', () => {
    const { app, a, one, two } = arrange()
    app.run(Session.detach(model.Project, 'tasks', one)(a))
    expect(app.asked()).toEqual([])
    app.run(Session.flush)
    expect(titles(app)).toEqual(['two'])
    app.run(Session.load(model.Project, 'tasks')(a))
    app.run(Session.detach(model.Project, 'tasks', two)(a))
    app.run(Session.commit)
    expect(titles(app)).toEqual([])
  })

  test('stays where it comes back', () => {
    const { app, a, one } = arrange()
    app.run(Session.detach(model.Project, 'tasks', one)(a))
    app.run(Session.set(model.Task, { project: a })(one))
    expect(app.run(Session.commit)).toMatchObject({ deleted: 0 })
    expect(app.rows('tasks')).toMatchObject([{ projectId: 1 }, { projectId: 1 }])
  })

  test('stays where another parent takes it, by whichever side', () => {
    const { app, a, b, one, two } = arrange()
    app.run(Session.load(model.Project, 'tasks')(a))
    app.run(Session.replace(model.Project, 'tasks', [])(a))
    app.run(Session.append(model.Project, 'tasks', one)(b))
    app.run(Session.set(model.Task, { project: b })(two))
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 2, deleted: 0, notices: [] })
    expect(app.rows('tasks')).toMatchObject([{ projectId: 2 }, { projectId: 2 }])
  })

  test('stays where a parent takes it that is inserted by the same flush', () => {
    const { app, a, one } = arrange()
    app.run(Session.detach(model.Project, 'tasks', one)(a))
    app.run(Session.add(model.Project, { name: 'c', tasks: [one] }))
    app.run(Session.commit)
    expect(app.rows('tasks')).toMatchObject([{ projectId: 3 }, { projectId: 1 }])
  })

  test('is deleted where it was passed on before, though nobody knows whom it belonged to', () => {
    const { app, b, one } = arrange()
    app.run(Session.append(model.Project, 'tasks', one)(b))
    app.run(Session.set(model.Task, { project: null })(one))
    app.run(Session.commit)
    expect(titles(app)).toEqual(['two'])
  })

  test('is deleted where it was passed on to a collection that is loaded', () => {
    const { app, b, one } = arrange()
    app.run(Session.load(model.Project, 'tasks')(b))
    app.run(Session.replace(model.Project, 'tasks', [one])(b))
    app.run(Session.replace(model.Project, 'tasks', [])(b))
    app.run(Session.commit)
    expect(titles(app)).toEqual(['two'])
  })

  test('is no orphan where it is set to null and nobody knows whom it belonged to', () => {
    const { app, one } = arrange()
    app.run(Session.set(model.Task, { project: null })(one))
    app.run(Session.commit)
    expect(app.rows('tasks')).toMatchObject([{ projectId: null }, { projectId: 1 }])
  })

  test('is no orphan where its foreign key is set to null', () => {
    const { app, one } = arrange()
    app.run(Session.read(model.Task)(one))
    app.run(Session.set(model.Task, { projectId: null })(one))
    app.run(Session.commit)
    expect(app.rows('tasks')).toMatchObject([{ projectId: null }, { projectId: 1 }])
  })

  test('is no orphan where it never had a parent', () => {
    const { app } = arrange()
    app.run(Session.add(model.Task, { title: 'three' }))
    app.run(Session.commit)
    expect(titles(app)).toEqual(['one', 'two', 'three'])
  })

  test('is deleted with the changes that nobody has written', () => {
    const { app, a, one } = arrange()
    app.run(Session.set(model.Task, { title: 'ONE' })(one))
    app.run(Session.detach(model.Project, 'tasks', one)(a))
    expect(explained(app)).toBe(['1. delete from tasks (1 row)', '     #2: where id = 1'].join('\n'))
    app.run(Session.commit)
    expect(titles(app)).toEqual(['two'])
  })

  test('comes back with a rollback', () => {
    const { app, a, one } = arrange()
    app.run(Session.detach(model.Project, 'tasks', one)(a))
    app.run(Session.flush)
    expect(Session.inspect(app.store.getState(), one)).toMatchObject({ status: 'deleted' })
    app.run(Session.rollback)
    expect(Session.inspect(app.store.getState(), one)).toMatchObject({ status: 'persistent' })
    expect(app.run(Session.load(model.Project, 'tasks')(a))).toHaveLength(2)
  })
})

describe('what belongs to an orphan', () => {
  const arrangeBranch = () => {
    const app = openOn(model)
    const a = app.run(
      Session.add(model.Project, {
        name: 'a',
        tasks: [
          {
            title: 'one',
            notes: [
              { body: 'x', marks: [{}, {}] },
              { body: 'y', marks: [{}] },
            ],
            bills: [{}],
          },
          { title: 'two', notes: [{ body: 'z' }], bills: [{}] },
          { title: 'three', notes: [{ body: 'w', marks: [{}] }] },
        ],
      }),
    )
    app.run(Session.commit)
    const [one, two] = app.run(Session.load(model.Project, 'tasks')(a))
    app.run(Session.detach(model.Project, 'tasks', one as Snapshot<'Task'>)(a))
    app.run(Session.detach(model.Project, 'tasks', two as Snapshot<'Task'>)(a))
    app.clear()
    return app
  }

  test('goes with it or loses its foreign key, loaded by as many statements as there are relationships', () => {
    const app = arrangeBranch()
    app.run(Session.flush)
    expect(tablesAsked(app)).toEqual([
      'select notes',
      'select bills',
      'select marks',
      'Update bills 2',
      'Delete marks 3',
      'Delete notes 3',
      'Delete tasks 2',
    ])
    expect(titles(app)).toEqual(['three'])
    expect(app.rows('notes')).toMatchObject([{ body: 'w' }])
    expect(app.rows('marks')).toHaveLength(1)
    expect(app.rows('bills')).toMatchObject([{ taskId: null }, { taskId: null }])
  })

  test('is told by the plan that goes before', () => {
    const app = arrangeBranch()
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update bills (2 rows)
           #4: taskId = null where id = 1
           #10: taskId = null where id = 2
      2. delete from marks (3 rows), after 1
           #7: where id = 1
           #8: where id = 2
           #9: where id = 3
      3. delete from notes (3 rows), after 1, 2
           #5: where id = 1
           #6: where id = 2
           #11: where id = 3
      4. delete from tasks (2 rows), after 1, 3
           #1: where id = 1
           #2: where id = 2"
    `)
    // the plan has loaded it, so that the flush need not
    app.clear()
    app.run(Session.flush)
    expect(app.asked()).toEqual(['Update bills 2', 'Delete marks 3', 'Delete notes 3', 'Delete tasks 2'])
  })

  test('stays where it went to another before', () => {
    const app = arrangeBranch()
    app.run(
      Session.noAutoflush(
        Session.gen(function* () {
          const x = yield* Session.get(model.Note, 1)
          const three = yield* Session.get(model.Task, 3)
          if (x._tag === 'Some' && three._tag === 'Some')
            yield* Session.append(model.Task, 'notes', x.value)(three.value)
        }),
      ),
    )
    app.run(Session.commit)
    expect(app.rows('notes')).toMatchObject([
      { body: 'x', taskId: 3 },
      { body: 'w', taskId: 3 },
    ])
    expect(app.rows('marks')).toHaveLength(3)
  })

  test('is not inserted where the orphan is not', () => {
    const app = openOn(model)
    const a = app.run(Session.add(model.Project, { name: 'a' }))
    const task = app.run(Session.make(model.Task, { title: 'one', notes: [{ body: 'x', marks: [{}] }], bills: [{}] }))
    app.run(Session.append(model.Project, 'tasks', task)(a))
    app.run(Session.detach(model.Project, 'tasks', task)(a))
    const statuses = Session.inspectAll(app.store.getState()).map(({ entity: name, status }) => `${name} ${status}`)
    expect(statuses).toEqual(['Project pending', 'Task transient', 'Bill pending', 'Note transient', 'Mark transient'])
    app.run(Session.commit)
    expect([app.rows('tasks'), app.rows('notes'), app.rows('marks')]).toEqual([[], [], []])
    expect(app.rows('bills')).toEqual([{ id: 1, taskId: null }])
  })
})

describe('a child of two parents', () => {
  const arrangeTwo = () => {
    const app = openOn(model)
    const project = app.run(Session.add(model.Project, { name: 'a' }))
    const ed = app.run(Session.add(model.Person, { name: 'ed' }))
    const wendy = app.run(Session.add(model.Person, { name: 'wendy' }))
    const task = app.run(Session.add(model.Task, { title: 'one', project, person: ed }))
    return { app, project, ed, wendy, task }
  }

  test('is an orphan without either', () => {
    const { app, ed, task } = arrangeTwo()
    app.run(Session.commit)
    app.run(Session.detach(model.Person, 'tasks', task)(ed))
    app.run(Session.commit)
    expect(titles(app)).toEqual([])
  })

  test('stays where it goes from one of a kind to another', () => {
    const { app, ed, wendy, task } = arrangeTwo()
    app.run(Session.commit)
    app.run(Session.detach(model.Person, 'tasks', task)(ed))
    app.run(Session.append(model.Person, 'tasks', task)(wendy))
    app.run(Session.commit)
    expect(app.rows('tasks')).toMatchObject([{ projectId: 1, personId: 2 }])
  })

  test('is not inserted without either', () => {
    const { app, project, task } = arrangeTwo()
    app.run(Session.detach(model.Project, 'tasks', task)(project))
    expect(Session.inspect(app.store.getState(), task)).toMatchObject({ status: 'transient' })
    app.run(Session.commit)
    expect(titles(app)).toEqual([])
  })
})

describe('without inverse', () => {
  const arrangeFolders = () => {
    const app = openOn(model)
    const a = app.run(Session.add(model.Folder, { name: 'a', sheets: [{}, {}] }))
    const b = app.run(Session.add(model.Folder, { name: 'b' }))
    app.run(Session.commit)
    return { app, a, b, one: found(app, model.Sheet, 1), two: found(app, model.Sheet, 2) }
  }
  const sheets = (app: App) => app.rows('sheets')

  test('a child that is appended where it is already, and detached, is an orphan', () => {
    const { app, a, one } = arrangeFolders()
    app.run(Session.append(model.Folder, 'sheets', one)(a))
    app.run(Session.detach(model.Folder, 'sheets', one)(a))
    app.run(Session.commit)
    expect(sheets(app)).toEqual([{ id: 2, folderId: 1 }])
  })

  test('a child that is detached and appended again stays', () => {
    const { app, a, one } = arrangeFolders()
    app.run(Session.detach(model.Folder, 'sheets', one)(a))
    app.run(Session.append(model.Folder, 'sheets', one)(a))
    expect(app.run(Session.commit)).toMatchObject({ deleted: 0 })
    expect(sheets(app)).toEqual([
      { id: 1, folderId: 1 },
      { id: 2, folderId: 1 },
    ])
  })

  test('a child that another folder takes stays, whichever came first', () => {
    const { app, a, b, one, two } = arrangeFolders()
    app.run(Session.detach(model.Folder, 'sheets', one)(a))
    app.run(Session.append(model.Folder, 'sheets', one)(b))
    app.run(Session.append(model.Folder, 'sheets', two)(b))
    app.run(Session.detach(model.Folder, 'sheets', two)(a))
    app.run(Session.commit)
    expect(sheets(app)).toEqual([
      { id: 1, folderId: 2 },
      { id: 2, folderId: 2 },
    ])
  })

  test('a pending child that is detached is not inserted', () => {
    const { app, a } = arrangeFolders()
    const three = app.run(Session.add(model.Sheet, {}))
    app.run(Session.append(model.Folder, 'sheets', three)(a))
    app.run(Session.detach(model.Folder, 'sheets', three)(a))
    expect(app.run(Session.commit)).toMatchObject({ inserted: 0 })
    expect(sheets(app)).toHaveLength(2)
  })

  test('a pending child that another folder took before it was given up is inserted there', () => {
    const { app, a, b } = arrangeFolders()
    const three = app.run(Session.add(model.Sheet, {}))
    app.run(Session.append(model.Folder, 'sheets', three)(a))
    app.run(Session.append(model.Folder, 'sheets', three)(b))
    app.run(Session.detach(model.Folder, 'sheets', three)(a))
    app.run(Session.commit)
    expect(sheets(app)).toMatchObject([{}, {}, { id: 3, folderId: 2 }])
  })

  test('a pending child that both gave up is not inserted', () => {
    const { app, a, b } = arrangeFolders()
    const three = app.run(Session.add(model.Sheet, {}))
    app.run(Session.append(model.Folder, 'sheets', three)(a))
    app.run(Session.append(model.Folder, 'sheets', three)(b))
    app.run(Session.detach(model.Folder, 'sheets', three)(a))
    app.run(Session.detach(model.Folder, 'sheets', three)(b))
    expect(app.run(Session.commit)).toMatchObject({ inserted: 0 })
    app.run(Session.add(model.Sheet, {}))
    expect(app.run(Session.commit)).toMatchObject({ inserted: 1 })
  })

  const Box = entity('Box', 'boxes', { id, name: text })
  const Lid = entity('Lid', 'lids', { id, boxId: optional })
  const boxes = defineModel({ Box, Lid })((r) => ({
    Box: { lid: r.Box.hasOne('Lid', { foreignKey: 'boxId', cascade: orphaning }) },
  }))

  for (const isStored of [true, false]) {
    const arrangeBoxes = () => {
      const app = openOn(boxes)
      const a = app.run(Session.add(boxes.Box, { name: 'a', ...(isStored ? {} : { lid: {} }) }))
      const b = app.run(Session.add(boxes.Box, { name: 'b' }))
      if (isStored) app.run(Session.commit)
      if (isStored) app.run(Session.set(boxes.Box, { lid: {} })(a))
      const lid = app.run(Session.related(boxes.Box, 'lid')(a))
      if (lid._tag === 'None') throw new Error('no lid')
      return { app, a, b, lid: lid.value }
    }
    const where = isStored ? 'between rows' : 'between pending ones'

    test(`a pending has-one that passes on ${where} stays, whichever came first`, () => {
      for (const isTakenFirst of [true, false]) {
        const { app, a, b, lid } = arrangeBoxes()
        const take = () => app.run(Session.set(boxes.Box, { lid })(b))
        if (isTakenFirst) take()
        app.run(Session.set(boxes.Box, { lid: null })(a))
        if (!isTakenFirst) take()
        app.run(Session.commit)
        expect(app.rows('lids')).toEqual([{ id: 1, boxId: 2 }])
      }
    })

    test(`a pending has-one that came back ${where}, and is given up, is not inserted`, () => {
      const { app, a, b, lid } = arrangeBoxes()
      app.run(Session.set(boxes.Box, { lid })(b))
      app.run(Session.set(boxes.Box, { lid: null })(b))
      app.run(Session.set(boxes.Box, { lid: null })(a))
      app.run(Session.commit)
      expect(app.rows('lids')).toEqual([])
    })
  }
})
