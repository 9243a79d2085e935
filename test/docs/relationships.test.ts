import {
  type AnyModel,
  any,
  createAllSync,
  defineModel,
  entity,
  generated,
  integer,
  join,
  joined,
  nullable,
  orderBy,
  primaryKey,
  references,
  select,
  selectin,
  subtype,
  text,
  unique,
  where,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { toError, tryCatch } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const id = pipe(integer, primaryKey, generated)

const Country = entity('Country', 'countries', { id, code: pipe(text, unique), name: text })
const City = entity('City', 'cities', {
  id,
  name: text,
  founded: integer,
  countryCode: pipe(text, nullable, references('countries.code', { onUpdate: 'cascade' })),
})
const Person = entity('Person', 'people', {
  id,
  name: text,
  age: integer,
  town: pipe(text, nullable),
  bornIn: pipe(integer, nullable),
  livesIn: pipe(integer, nullable),
})
const Band = entity('Band', 'bands', { id, low: integer, high: integer })
const Decree = entity('Decree', 'decrees', { id, year: integer, cityId: pipe(integer, nullable) })
const Shop = entity('Shop', 'shops', { id, cityId: integer })
const Sale = entity('Sale', 'sales', { id, shopId: integer, personId: integer })

const twinned = { table: 'twins', own: ['city_id'], target: ['twin_id'] }

const model = defineModel({ Country, City, Person, Band, Decree, Shop, Sale })((r) => ({
  Country: {
    cities: r.Country.hasMany('City', {
      foreignKey: 'countryCode',
      references: 'code',
      inverse: 'country',
      orderBy: ['founded', 'desc'],
    }),
  },
  City: {
    country: r.City.belongsTo('Country', { foreignKey: 'countryCode', references: 'code', inverse: 'cities' }),
    natives: r.City.hasMany('Person', { foreignKey: 'bornIn', inverse: 'birthplace' }),
    residents: r.City.hasMany('Person', { foreignKey: 'livesIn', inverse: 'home' }),
    twins: r.City.manyToMany('City', { through: twinned, inverse: 'twinOf' }),
    twinOf: r.City.manyToMany('City', {
      through: { table: twinned.table, own: twinned.target, target: twinned.own },
      inverse: 'twins',
    }),
    older: r.City.manyToMany('City', {
      through: twinned,
      viewonly: true,
      on: (eb) => eb('target.founded', '<', eb.ref('owner.founded')),
    }),
    minors: r.City.hasMany('Person', {
      foreignKey: 'livesIn',
      viewonly: true,
      where: (eb) => eb('age', '<', 18),
    }),
    decrees: r.City.hasMany('Decree', {
      foreignKey: 'cityId',
      on: (eb) => eb('target.year', '>=', eb.ref('owner.founded')),
      orderBy: 'year',
    }),
    registered: r.City.joinsMany('Person', {
      on: (eb) => eb(eb.fn('lower', ['target.town']), '=', eb.fn('lower', ['owner.name'])),
      orderBy: 'id',
    }),
    customers: r.City.joinsMany('Person', {
      through: { shop: 'Shop', sale: 'Sale' },
      on: (eb) =>
        eb.and([
          eb('shop.cityId', '=', eb.ref('owner.id')),
          eb('sale.shopId', '=', eb.ref('shop.id')),
          eb('target.id', '=', eb.ref('sale.personId')),
        ]),
      orderBy: 'id',
    }),
  },
  Person: {
    birthplace: r.Person.belongsTo('City', { foreignKey: 'bornIn', inverse: 'natives' }),
    home: r.Person.belongsTo('City', { foreignKey: 'livesIn', inverse: 'residents', loadOnPending: true }),
    band: r.Person.joinsOne('Band', {
      on: (eb) => eb.and([eb('target.low', '<=', eb.ref('owner.age')), eb('target.high', '>=', eb.ref('owner.age'))]),
    }),
  },
}))

/** A database with the tables of a model. */
const databaseOf = (on: AnyModel) => {
  const database = new Database(':memory:')
  createAllSync(on)(sqliteEngine(database))
  return database
}

/** Two cities and some people. */
const open = () => {
  const database = databaseOf(model)
  database.exec(`
    insert into countries values (1, 'de', 'Germany'), (2, 'jp', 'Japan');
    insert into cities values (1, 'Ulm', 850, 'de'), (2, 'Kiel', 1233, 'de'), (3, 'Kobe', 201, 'jp');
    insert into people values
      (1, 'Ann', 9, 'ULM', 1, 1), (2, 'Bob', 30, 'kiel', 1, 2), (3, 'Cid', 70, 'Ulm', null, 1);
    insert into twins values (1, 2), (1, 3);
    insert into bands values (1, 0, 17), (2, 18, 64), (3, 65, 120);
    insert into decrees values (1, 800, 1), (2, 1155, 1);
    insert into shops values (1, 1), (2, 2);
    insert into sales values (1, 1, 2), (2, 1, 2), (3, 2, 3);
  `)
  return Session.runtime(model, sqliteEngine(database))
}

/** What a program fails with, in a sentence. */
const failure = <A>(program: Session.Program<Session.SessionError, A>) =>
  pipe(
    program,
    Session.map(() => 'nothing'),
    Session.catchError((error: Session.SessionError) => Session.of(Session.render(error))),
  )

const cities = pipe(select(model.City), orderBy('id'))
const people = pipe(select(model.Person), orderBy('id'))
const ulm = pipe(cities, where('name', '=', 'Ulm'))
const ann = pipe(people, where('name', '=', 'Ann'))

const names = (found: ReadonlyArray<{ readonly name: string }>) => found.map(({ name }) => name)
// #endregion

const example = examplesOf('relationships')

/** Examples that are the body of a program, on some database. */
const programOn =
  (runtime: () => Session.Runtime) =>
  (name: string, body: () => Generator<Session.Program<unknown, unknown>, void, never>): void =>
    example(name, () => {
      resultOf(Session.runSync(runtime())(Session.gen(body)))
    })

const program = programOn(open)
const emptyOf = (on: AnyModel) => programOn(() => Session.runtime(on, sqliteEngine(databaseOf(on))))

program('sides', function* () {
  // #region sides
  const city = yield* pipe(ulm, selectin('natives'), selectin('residents'), Session.one)
  console.log(names(city.natives), names(city.residents)) // => [ 'Ann', 'Bob' ] [ 'Ann', 'Cid' ]
  // #endregion
})

program('references', function* () {
  // #region references
  const germany = yield* pipe(select(model.Country), where('code', '=', 'de'), selectin('cities'), Session.one)
  console.log(names(germany.cities)) // => [ 'Kiel', 'Ulm' ]

  yield* pipe(germany, Session.append(model.Country, 'cities', { name: 'Jena', founded: 1182 }))
  yield* pipe(germany, Session.set(model.Country, { code: 'DE' }))
  yield* Session.commit
  console.log((yield* Session.query(cities)).map(({ countryCode }) => countryCode)) // => [ 'DE', 'DE', 'jp', 'DE' ]
  // #endregion
})

// #region composite
const Seat = entity('Seat', 'seats', { row: pipe(integer, primaryKey), number: pipe(integer, primaryKey) })
const Ticket = entity('Ticket', 'tickets', { id, row: pipe(integer, nullable), number: pipe(integer, nullable) })

const theatre = defineModel({ Seat, Ticket })((r) => ({
  Ticket: { seat: r.Ticket.belongsTo('Seat', { foreignKey: ['row', 'number'] }) },
}))
// #endregion

emptyOf(theatre)('composite', function* () {
  // #region composite
  const ticket = yield* Session.add(theatre.Ticket, { seat: { row: 3, number: 14 } })
  yield* Session.flush
  console.log(yield* pipe(ticket, Session.read(theatre.Ticket))) // => Ticket { id: 1, row: 3, number: 14 }
  // #endregion
})

program('inverse', function* () {
  // #region inverse
  const city = yield* pipe(ulm, selectin('residents'), selectin('minors'), Session.one)
  yield* pipe(city, Session.append(model.City, 'residents', { name: 'Dan', age: 5 }))
  const residents = yield* pipe(city, Session.related(model.City, 'residents'))
  const dan = residents.find(({ name }) => name === 'Dan')
  const home = dan === undefined ? null : yield* pipe(dan, Session.related(model.Person, 'home'))
  console.log(home?._tag === 'Some' ? home.value.name : null) // => Ulm

  // nobody keeps this one in step: it is loaded again once it has expired
  console.log(names(yield* pipe(city, Session.related(model.City, 'minors')))) // => [ 'Ann' ]
  yield* Session.commit
  console.log(names(yield* pipe(city, Session.load(model.City, 'minors')))) // => [ 'Ann', 'Dan' ]
  // #endregion
})

program('condition', function* () {
  // #region condition
  const city = yield* pipe(ulm, joined('registered'), selectin('customers'), Session.one)
  console.log(names(city.registered), names(city.customers)) // => [ 'Ann', 'Cid' ] [ 'Bob' ]

  const child = yield* pipe(ann, joined('band'), Session.one)
  console.log(child.band) // => { _tag: 'Some', value: Band { id: 1, low: 0, high: 17 } }

  console.log(names(yield* pipe(cities, where(any('customers', where('age', '>', 65))), Session.query))) // => [ 'Kiel' ]
  console.log(names(yield* pipe(cities, join('registered', 'p', where('age', '>', 65)), Session.query))) // => [ 'Ulm' ]
  // #endregion
})

program('unwritten', function* () {
  // #region unwritten
  const city = yield* Session.one(ulm)
  const child = yield* Session.one(ann)
  // @ts-expect-error nothing is added to it
  console.log(yield* failure(pipe(city, Session.append(model.City, 'registered', child)))) // => City.registered cannot be "changed": it is only joined; change what its condition speaks of.
  // #endregion
})

program('beside', function* () {
  // #region beside
  const city = yield* pipe(ulm, selectin('decrees'), Session.one)
  console.log(city.decrees.map(({ year }) => year)) // => [ 1155 ]

  yield* pipe(city, Session.append(model.City, 'decrees', { year: 1397 }))
  yield* Session.commit
  console.log((yield* Session.sql<{ cityId: number }>(sql`select cityId from decrees where year = 1397`))[0]) // => { cityId: 1 }
  // #endregion
})

program('links', function* () {
  // #region links
  const city = yield* pipe(ulm, selectin('twins'), selectin('older'), Session.one)
  console.log(names(city.twins), names(city.older)) // => [ 'Kiel', 'Kobe' ] [ 'Kobe' ]

  const kobe = yield* pipe(cities, where('name', '=', 'Kobe'), Session.one)
  yield* pipe(kobe, Session.append(model.City, 'twins', city))
  console.log(names(yield* pipe(city, Session.load(model.City, 'twinOf')))) // => [ 'Kobe' ]
  // #endregion
})

// #region mapped links
const Student = entity('Student', 'students', { id, name: text })
const Course = entity('Course', 'courses', { id, name: text })
const Grade = entity('Grade', 'grades', { id, studentId: integer, courseId: integer, mark: integer })

const school = defineModel({ Student, Course, Grade })((r) => ({
  Student: {
    grades: r.Student.hasMany('Grade', { foreignKey: 'studentId', inverse: 'student' }),
    passed: r.Student.joinsMany('Course', {
      through: { grade: 'Grade' },
      on: (eb) =>
        eb.and([
          eb('grade.studentId', '=', eb.ref('owner.id')),
          eb('grade.courseId', '=', eb.ref('target.id')),
          eb('grade.mark', '<=', 4),
        ]),
    }),
  },
  Grade: {
    student: r.Grade.belongsTo('Student', { foreignKey: 'studentId', inverse: 'grades' }),
    course: r.Grade.belongsTo('Course', { foreignKey: 'courseId' }),
  },
}))
// #endregion

emptyOf(school)('mapped links', function* () {
  // #region mapped links
  yield* Session.add(school.Student, {
    name: 'Ann',
    grades: [
      { mark: 2, course: { name: 'Logic' } },
      { mark: 5, course: { name: 'Music' } },
    ],
  })
  yield* Session.commit
  const student = yield* pipe(select(school.Student), selectin('passed'), Session.one)
  console.log(names(student.passed)) // => [ 'Logic' ]
  // #endregion
})

// #region rows that go
const Album = entity('Album', 'albums', { id, title: text, coverId: pipe(integer, nullable) })
const Photo = entity('Photo', 'photos', {
  id,
  albumId: pipe(integer, nullable, references('albums.id', { onDelete: 'cascade' })),
})
const Frame = entity('Frame', 'frames', { id, photoId: pipe(integer, nullable) })

const prints = defineModel({ Album, Photo, Frame })((r) => ({
  Album: {
    photos: r.Album.hasMany('Photo', { foreignKey: 'albumId', inverse: 'album', passiveDeletes: true }),
    cover: r.Album.belongsTo('Photo', { foreignKey: 'coverId', postUpdate: true }),
  },
  Photo: { album: r.Photo.belongsTo('Album', { foreignKey: 'albumId', inverse: 'photos' }) },
  Frame: {
    photo: r.Frame.belongsTo('Photo', {
      foreignKey: 'photoId',
      singleParent: true,
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
    }),
  },
}))
// #endregion

emptyOf(prints)('post update', function* () {
  // #region post update
  const photo = yield* Session.make(prints.Photo, {})
  yield* Session.add(prints.Album, { title: 'Summer', cover: photo, photos: [photo] })
  console.log(Session.explain(yield* Session.flushPlan))
  // #endregion
})

emptyOf(prints)('passive deletes', function* () {
  // #region passive deletes
  const album = yield* Session.add(prints.Album, { title: 'Summer', photos: [{}, {}] })
  yield* Session.commit
  yield* Session.expungeAll
  const again = yield* Session.one(select(prints.Album))
  yield* pipe(again, Session.remove(prints.Album))
  const { deleted } = yield* Session.commit
  console.log(album.title, deleted, (yield* Session.query(select(prints.Photo))).length) // => Summer 1 0
  // #endregion
})

emptyOf(prints)('single parent', function* () {
  // #region single parent
  const photo = yield* Session.add(prints.Photo, {})
  yield* Session.add(prints.Frame, { photo })
  console.log(yield* failure(Session.add(prints.Frame, { photo })))
  // #endregion
})

// #region passive updates
const Team = entity('Team', 'teams', { name: pipe(text, primaryKey) })
const Player = entity('Player', 'players', {
  id,
  team: pipe(text, nullable, references('teams.name', { deferrable: 'initially deferred' })),
})

const league = defineModel({ Team, Player })((r) => ({
  Team: { players: r.Team.hasMany('Player', { foreignKey: 'team', passiveUpdates: false }) },
}))
// #endregion

emptyOf(league)('passive updates', function* () {
  // #region passive updates
  const reds = yield* Session.add(league.Team, { name: 'reds', players: [{}] })
  yield* Session.commit
  yield* pipe(reds, Session.set(league.Team, { name: 'blues' }))
  console.log((yield* Session.query(select(league.Player))).map(({ team }) => team)) // => [ 'blues' ]
  // #endregion
})

program('pending', function* () {
  // #region pending
  const dan = yield* Session.add(model.Person, { name: 'Dan', age: 5, livesIn: 1, bornIn: 2 })
  const home = yield* pipe(dan, Session.load(model.Person, 'home'))
  console.log(home._tag === 'Some' ? home.value.name : null) // => Ulm
  console.log(yield* Session.noAutoflush(pipe(dan, Session.load(model.Person, 'birthplace')))) // => { _tag: 'None' }
  // #endregion
})

// #region accepts
const Firm = entity('Firm', 'firms', { id, name: text })
const Worker = entity(
  'Worker',
  'workers',
  { id, kind: text, name: text, firmId: pipe(integer, nullable) },
  { discriminator: 'kind', identity: 'worker' },
)
const Engineer = subtype(Worker)('Engineer', 'engineers', { language: text }, { identity: 'engineer' })
const Trainee = subtype(Worker)('Trainee', { year: integer }, { identity: 'trainee' })

const industry = defineModel({ Firm, Worker, Engineer, Trainee })((r) => ({
  Firm: { engineers: r.Firm.hasMany('Engineer', { foreignKey: 'firmId', accepts: ['Trainee'] }) },
}))
// #endregion

emptyOf(industry)('accepts', function* () {
  // #region accepts
  const tim = yield* Session.add(industry.Trainee, { name: 'Tim', year: 1 })
  const firm = yield* Session.add(industry.Firm, { name: 'Acme' })
  yield* pipe(firm, Session.append(industry.Firm, 'engineers', { name: 'Ed', language: 'ts' }, tim))
  console.log(names(yield* pipe(firm, Session.related(industry.Firm, 'engineers')))) // => [ 'Ed', 'Tim' ]
  yield* Session.commit
  console.log((yield* Session.query(select(industry.Trainee))).map(({ firmId }) => firmId)) // => [ 1 ]
  console.log(names(yield* pipe(firm, Session.load(industry.Firm, 'engineers')))) // => [ 'Ed' ]

  const wendy = yield* Session.add(industry.Worker, { name: 'Wendy' })
  // @ts-expect-error she is neither
  console.log(yield* failure(pipe(firm, Session.append(industry.Firm, 'engineers', wendy)))) // => The value given for Engineer is no snapshot of an instance in this session; get or add it first.
  // #endregion
})

// #region schemas
const Author = entity('Author', 'main.authors', { id, name: text })
const Book = entity('Book', 'archive.books', { id, title: text, authorId: integer })

const library = defineModel({ Author, Book })((r) => ({
  Author: { books: r.Author.hasMany('Book', { foreignKey: 'authorId' }) },
}))

const attached = () => {
  const database = new Database(':memory:')
  database.exec(`
    attach ':memory:' as archive;
    create table main.authors (id integer primary key, name text);
    create table archive.books (id integer primary key, title text, authorId integer);
  `)
  return Session.runtime(library, sqliteEngine(database))
}
// #endregion

programOn(attached)('schemas', function* () {
  // #region schemas
  yield* Session.add(library.Author, { name: 'Le Guin', books: [{ title: 'The Dispossessed' }] })
  yield* Session.commit
  const author = yield* pipe(select(library.Author), joined('books'), Session.one)
  console.log(author.books.map(({ title }) => title)) // => [ 'The Dispossessed' ]
  // #endregion
})

example('refused', () => {
  // #region refused
  const refused = tryCatch(
    () =>
      defineModel({ Country, City, Person })((r) => ({
        City: {
          old: r.City.joinsMany('Person', { on: (eb) => eb('target.age', '>', 65) }),
          named: r.City.hasMany('Person', { foreignKey: 'town', references: 'name' }),
        },
        Person: {
          home: r.Person.belongsTo('City', { foreignKey: 'livesIn', cascade: ['delete-orphan'] }),
          birthplace: r.Person.belongsTo('City', { foreignKey: 'bornIn', accepts: ['Person'] }),
        },
      })),
    toError,
  )
  if (refused._tag === 'Left') console.log(String(refused.left))
  // #endregion
})
