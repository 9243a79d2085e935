import {
  defineModel,
  entity,
  generated,
  integer,
  nullable,
  primaryKey,
  type ReferentialAction,
  references,
  text,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, explained, found, openOn, tablesAsked } from '../app.js'

const id = pipe(integer, primaryKey, generated)
const optional = pipe(integer, nullable)
const all = ['save-update', 'merge', 'delete'] as const

const Company = entity('Company', 'companies', { id, name: text })
const Department = entity('Department', 'departments', { id, name: text, companyId: integer })
const Team = entity('Team', 'teams', { id, name: text, departmentId: integer })
const Member = entity('Member', 'members', { id, name: text, teamId: integer })
/** It outlives its department, and does not know it. */
const Room = entity('Room', 'rooms', { id, name: text, departmentId: optional })
/** Teams share them, and they go with the team all the same. */
const Tool = entity('Tool', 'tools', { id, name: text })

const model = defineModel({ Company, Department, Team, Member, Room, Tool })((r) => ({
  Company: {
    departments: r.Company.hasMany('Department', { foreignKey: 'companyId', inverse: 'company', cascade: all }),
  },
  Department: {
    company: r.Department.belongsTo('Company', { foreignKey: 'companyId', inverse: 'departments' }),
    teams: r.Department.hasMany('Team', { foreignKey: 'departmentId', inverse: 'department', cascade: all }),
    rooms: r.Department.hasMany('Room', { foreignKey: 'departmentId' }),
  },
  Team: {
    department: r.Team.belongsTo('Department', { foreignKey: 'departmentId', inverse: 'teams' }),
    members: r.Team.hasMany('Member', { foreignKey: 'teamId', inverse: 'team', cascade: all }),
    tools: r.Team.manyToMany('Tool', {
      through: { table: 'team_tools', own: ['team_id'], target: ['tool_id'] },
      cascade: all,
    }),
  },
  Member: { team: r.Member.belongsTo('Team', { foreignKey: 'teamId', inverse: 'members' }) },
}))

const names = (app: App, table: string) => app.rows(table).map((row) => (row as { name: string }).name)

/** A company of two departments with two teams of two members each, and another company. */
const arrange = () => {
  const app = openOn(model)
  const team = (name: string) => ({
    name,
    members: [{ name: `${name}1` }, { name: `${name}2` }],
    tools: [{ name: `${name}-tool` }],
  })
  const company = app.run(
    Session.add(model.Company, {
      name: 'a',
      departments: [
        { name: 'a1', teams: [team('a1x'), team('a1y')], rooms: [{ name: 'r1' }] },
        { name: 'a2', teams: [team('a2x'), team('a2y')], rooms: [{ name: 'r2' }] },
      ],
    }),
  )
  const other = app.run(
    Session.add(model.Company, { name: 'b', departments: [{ name: 'b1', teams: [{ name: 'b1x' }] }] }),
  )
  app.run(Session.commit)
  app.clear()
  return { app, company, other }
}

describe('the delete cascade over several levels', () => {
  test('loads each relationship of each level once, however many instances there are', () => {
    const { app, company } = arrange()
    app.run(Session.remove(model.Company)(company))
    expect(tablesAsked(app)).toEqual(['select departments', 'select teams', 'select members', 'select tools'])
    const marked = Session.inspectAll(app.store.getState()).filter(({ isMarkedForDeletion }) => isMarkedForDeletion)
    expect(marked).toHaveLength(1 + 2 + 4 + 8 + 4)
    expect(app.rows('members')).toHaveLength(8)
  })

  test('deletes from the leaves, a step for each table', () => {
    const { app, company } = arrange()
    app.run(Session.remove(model.Company)(company))
    app.clear()
    expect(app.run(Session.flush)).toEqual({ inserted: 0, updated: 2, deleted: 19, notices: [] })
    expect(tablesAsked(app)).toEqual([
      // what is no part of the cascade, but loses its foreign key
      'select rooms',
      'Delete team_tools 4',
      'Update rooms 2',
      'Delete tools 4',
      'Delete members 8',
      'Delete teams 4',
      'Delete departments 2',
      'Delete companies 1',
    ])
    expect(names(app, 'companies')).toEqual(['b'])
    expect(names(app, 'teams')).toEqual(['b1x'])
    expect(app.rows('rooms')).toMatchObject([{ departmentId: null }, { departmentId: null }])
    app.run(Session.commit)
    expect(Session.inspect(app.store.getState(), company)).toMatchObject({ status: 'detached' })
  })

  test('needs no statement for what is known', () => {
    const { app, company } = arrange()
    app.run(Session.remove(model.Company)(company))
    app.run(Session.rollback)
    app.run(
      Session.gen(function* () {
        for (const department of yield* Session.load(model.Company, 'departments')(company)) {
          for (const team of yield* Session.load(model.Department, 'teams')(department)) {
            yield* Session.load(model.Team, 'members')(team)
            yield* Session.load(model.Team, 'tools')(team)
          }
        }
      }),
    )
    expect(app.counted(Session.remove(model.Company)(company))[1]).toEqual([])
  })

  test('starts in the middle, too', () => {
    const { app } = arrange()
    app.run(Session.remove(model.Department)(found(app, model.Department, 1)))
    app.run(Session.commit)
    expect(names(app, 'departments')).toEqual(['a2', 'b1'])
    expect(names(app, 'members')).toEqual(['a2x1', 'a2x2', 'a2y1', 'a2y2'])
    expect(names(app, 'rooms')).toEqual(['r1', 'r2'])
  })

  test('spares what went elsewhere before', () => {
    const { app, company } = arrange()
    const team = found(app, model.Team, 1)
    const elsewhere = found(app, model.Department, 3)
    app.run(Session.set(model.Team, { department: elsewhere })(team))
    app.run(Session.remove(model.Company)(company))
    app.run(Session.commit)
    expect(names(app, 'teams').toSorted()).toEqual(['a1x', 'b1x'])
    expect(names(app, 'members')).toEqual(['a1x1', 'a1x2'])
  })

  test('spares what goes elsewhere after it was marked, for one flush', () => {
    const { app, company } = arrange()
    const member = found(app, model.Member, 1)
    const elsewhere = found(app, model.Team, 5)
    app.run(Session.remove(model.Company)(company))
    app.run(Session.set(model.Member, { team: elsewhere })(member))
    app.run(Session.flush)
    expect(app.rows('members')).toMatchObject([{ name: 'a1x1', teamId: 5 }])
    // it is marked all the same, until it is added again
    expect(Session.inspect(app.store.getState(), member)).toMatchObject({
      status: 'persistent',
      isMarkedForDeletion: true,
    })
    app.run(Session.add(model.Member, member))
    app.run(Session.commit)
    expect(app.rows('members')).toMatchObject([{ name: 'a1x1', teamId: 5 }])
  })

  test('spares what is added again, and nothing that was to go with it', () => {
    const { app, company } = arrange()
    app.run(Session.remove(model.Company)(company))
    app.run(Session.add(model.Company, company))
    app.run(Session.commit)
    expect(names(app, 'companies')).toEqual(['a', 'b'])
    expect(names(app, 'departments')).toEqual(['b1'])
  })
})

describe('removing', () => {
  test('twice is removing once', () => {
    const { app, other } = arrange()
    app.run(Session.remove(model.Company)(other))
    app.run(Session.remove(model.Company)(other))
    expect(app.run(Session.commit)).toMatchObject({ deleted: 3, notices: [] })
  })

  test('parent and child is removing either once', () => {
    const { app, other } = arrange()
    const department = found(app, model.Department, 3)
    app.run(
      Session.noAutoflush(
        Session.gen(function* () {
          yield* Session.remove(model.Department)(department)
          yield* Session.remove(model.Company)(other)
        }),
      ),
    )
    expect(app.run(Session.commit)).toMatchObject({ deleted: 3, notices: [] })
    expect(names(app, 'companies')).toEqual(['a'])
  })

  test('what a flush has deleted already comes to a notice', () => {
    const { app } = arrange()
    const room = found(app, model.Room, 1)
    app.run(Session.remove(model.Room)(room))
    app.run(Session.flush)
    app.run(Session.remove(model.Room)(room))
    expect(app.run(Session.commit)).toEqual({
      inserted: 0,
      updated: 0,
      deleted: 1,
      notices: [{ _tag: 'AlreadyGone', entity: 'Room', key: 1, shard: null }],
    })
  })

  test('what is detached brings it back to the session, to be deleted', () => {
    const { app } = arrange()
    const room = found(app, model.Room, 1)
    app.run(Session.expunge(model.Room)(room))
    expect(Session.inspect(app.store.getState(), room)).toMatchObject({ status: 'detached' })
    app.run(Session.remove(model.Room)(room))
    expect(Session.inspect(app.store.getState(), room)).toMatchObject({
      status: 'persistent',
      isMarkedForDeletion: true,
    })
    app.run(Session.commit)
    expect(names(app, 'rooms')).toEqual(['r2'])
  })

  test('what is gone for good is refused', () => {
    const { app } = arrange()
    const room = found(app, model.Room, 1)
    app.run(Session.remove(model.Room)(room))
    app.run(Session.commit)
    expect(app.fails(Session.remove(model.Room)(room))).toEqual({
      _tag: 'InvalidState',
      entity: 'Room',
      key: 1,
      status: 'deleted',
      operation: 'add',
    })
  })

  test('what is transient is refused', () => {
    const { app } = arrange()
    const room = app.run(Session.make(model.Room, { name: 'r' }))
    expect(app.fails(Session.remove(model.Room)(room))).toEqual({
      _tag: 'InvalidState',
      entity: 'Room',
      key: null,
      status: 'transient',
      operation: 'remove',
    })
  })

  test('what others have deleted is a notice, with its children', () => {
    const { app, other } = arrange()
    app.run(Session.load(model.Company, 'departments')(other))
    app.run(Session.load(model.Department, 'teams')(found(app, model.Department, 3)))
    app.database.exec('delete from teams where id = 5')
    app.run(Session.remove(model.Company)(other))
    expect(app.run(Session.commit)).toMatchObject({
      deleted: 3,
      notices: [{ _tag: 'AlreadyGone', entity: 'Team', key: 5, shard: null }],
    })
  })

  test('is told by the plan before, and undone by a rollback', () => {
    const { app, other } = arrange()
    app.run(Session.remove(model.Company)(other))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. delete from teams (1 row)
           #23: where id = 5
      2. delete from departments (1 row), after 1
           #22: where id = 3
      3. delete from companies (1 row), after 2
           #21: where id = 2"
    `)
    app.run(Session.flush)
    app.run(Session.rollback)
    expect(names(app, 'companies')).toEqual(['a', 'b'])
    expect(Session.inspect(app.store.getState(), other)).toMatchObject({
      status: 'persistent',
      isMarkedForDeletion: false,
    })
  })
})

describe('children without inverse whose parent goes', () => {
  const arrangeRooms = () => {
    const { app } = arrange()
    const [one, two] = [found(app, model.Department, 1), found(app, model.Department, 2)]
    return { app, one, two, room: found(app, model.Room, 1) }
  }
  const departments = (app: App) => app.rows('rooms').map((row) => (row as { departmentId: unknown }).departmentId)

  test.each([
    ['taken by another', false, false],
    ['taken by another, and flushed', false, true],
    ['detached and taken by another', true, false],
    ['detached and taken by another, and flushed', true, true],
  ])('keep a foreign key where they were %s', (_, isDetached, isFlushed) => {
    const { app, one, two, room } = arrangeRooms()
    app.run(Session.load(model.Department, 'rooms')(one))
    app.run(
      Session.noAutoflush(
        Session.gen(function* () {
          if (isDetached) yield* Session.detach(model.Department, 'rooms', room)(one)
          yield* Session.append(model.Department, 'rooms', room)(two)
          if (isFlushed) yield* Session.flush
          yield* Session.remove(model.Department)(one)
        }),
      ),
    )
    app.run(Session.commit)
    expect(departments(app)).toEqual([2, 2])
  })

  test('lose it where they were detached before', () => {
    const { app, one, room } = arrangeRooms()
    app.run(Session.detach(model.Department, 'rooms', room)(one))
    app.run(Session.noAutoflush(Session.remove(model.Department)(one)))
    app.run(Session.commit)
    expect(departments(app)).toEqual([null, 2])
  })
})

/** Owners whose pets the database takes care of, with the action that it is told. */
const passive = (passiveDeletes: true | 'all', onDelete: ReferentialAction, isCascading: boolean) => {
  const Owner = entity('Owner', 'owners', { id, name: text })
  const Pet = entity('Pet', 'pets', { id, name: text, ownerId: pipe(optional, references('owners.id', { onDelete })) })
  const pets = defineModel({ Owner, Pet })((r) => ({
    Owner: {
      pets: r.Owner.hasMany('Pet', {
        foreignKey: 'ownerId',
        inverse: 'owner',
        passiveDeletes,
        ...(isCascading ? { cascade: all } : {}),
      }),
    },
    Pet: { owner: r.Pet.belongsTo('Owner', { foreignKey: 'ownerId', inverse: 'pets' }) },
  }))
  const app = openOn(pets)
  const owner = app.run(Session.add(pets.Owner, { name: 'ed', pets: [{ name: 'rex' }, { name: 'tom' }] }))
  app.run(Session.commit)
  app.clear()
  return { app, pets, owner, rex: found(app, pets.Pet, 1) }
}

describe('passive deletes', () => {
  test('leave what is not loaded to the database', () => {
    const { app, pets, owner, rex } = passive(true, 'cascade', true)
    app.clear()
    app.run(Session.remove(pets.Owner)(owner))
    app.run(Session.flush)
    expect(tablesAsked(app)).toEqual(['Delete owners 1'])
    expect(app.rows('pets')).toEqual([])
    // the session learns it when it looks
    expect(Session.inspect(app.store.getState(), rex)).toMatchObject({ status: 'persistent' })
    app.run(Session.commit)
    expect(app.fails(Session.read(pets.Pet)(rex))).toEqual({
      _tag: 'ObjectDeleted',
      entity: 'Pet',
      key: 1,
      shard: null,
    })
  })

  test('delete what is loaded, as far as it is', () => {
    const { app, pets, owner, rex } = passive(true, 'cascade', true)
    app.run(Session.load(pets.Owner, 'pets')(owner))
    app.clear()
    app.run(Session.remove(pets.Owner)(owner))
    app.run(Session.flush)
    expect(tablesAsked(app)).toEqual(['Delete pets 2', 'Delete owners 1'])
    expect(Session.inspect(app.store.getState(), rex)).toMatchObject({ status: 'deleted' })
  })

  test('empty the foreign keys of what is loaded, where it stays', () => {
    const { app, pets, owner } = passive(true, 'set null', false)
    app.run(Session.load(pets.Owner, 'pets')(owner))
    app.clear()
    app.run(Session.remove(pets.Owner)(owner))
    app.run(Session.flush)
    expect(tablesAsked(app)).toEqual(['Update pets 2', 'Delete owners 1'])
    expect(app.rows('pets')).toMatchObject([{ ownerId: null }, { ownerId: null }])
  })

  test('leave the foreign keys of what is not loaded to the database', () => {
    const { app, pets, owner, rex } = passive(true, 'set null', false)
    app.clear()
    app.run(Session.remove(pets.Owner)(owner))
    app.run(Session.commit)
    expect(tablesAsked(app)).toEqual(['Delete owners 1'])
    expect(app.run(Session.read(pets.Pet)(rex))).toMatchObject({ ownerId: null })
  })

  test('of all leave loaded ones to the database, too', () => {
    const { app, pets, owner } = passive('all', 'set null', false)
    app.run(Session.load(pets.Owner, 'pets')(owner))
    app.clear()
    app.run(Session.remove(pets.Owner)(owner))
    app.run(Session.commit)
    expect(tablesAsked(app)).toEqual(['Delete owners 1'])
    expect(app.rows('pets')).toMatchObject([{ ownerId: null }, { ownerId: null }])
  })

  test('of all have the database refuse, where it is told to', () => {
    const { app, pets, owner } = passive('all', 'restrict', false)
    app.run(Session.load(pets.Owner, 'pets')(owner))
    app.run(Session.remove(pets.Owner)(owner))
    const error = app.fails(Session.commit)
    expect(error).toMatchObject({
      _tag: 'IntegrityError',
      reason: { _tag: 'ForeignKeyViolation' },
      entity: 'Owner',
      table: 'owners',
      key: 1,
    })
    app.run(Session.rollback)
    expect(app.rows('owners')).toHaveLength(1)
    expect(Session.inspect(app.store.getState(), owner)).toMatchObject({ isMarkedForDeletion: false })
  })
})

test('a pending child of what goes is deleted with it once it is stored', () => {
  const { app } = arrange()
  const team = found(app, model.Team, 1)
  app.run(Session.append(model.Team, 'members', { name: 'new' })(team))
  app.run(Session.remove(model.Team)(team))
  expect(app.run(Session.commit)).toMatchObject({ notices: [] })
  expect(names(app, 'members')).not.toContain('new')
})
