import type { AnyStatement, Bound, Compiler } from '@unitary/core'
import {
  type CompiledStatement,
  column,
  compile,
  defineModel,
  entity,
  generated,
  integer,
  isoDate,
  json,
  named,
  nullable,
  primaryKey,
  text,
  withDefault,
} from '@unitary/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import {
  type Dialect as KyselyDialect,
  MysqlQueryCompiler,
  PostgresQueryCompiler,
  type QueryId,
  SqliteQueryCompiler,
} from 'kysely'

/** Kept as `G` and `B`; its encode throws for anything else, as a union's does. */
export const Grade = new t.Type<'good' | 'bad', string, unknown>(
  'Grade',
  (u): u is 'good' | 'bad' => u === 'good' || u === 'bad',
  (u, c) => (u === 'G' ? t.success('good') : u === 'B' ? t.success('bad') : t.failure(u, c)),
  (grade) => {
    const letters: Record<string, string> = { good: 'G', bad: 'B' }
    const letter = letters[grade]
    if (letter === undefined) throw new Error(`no grade: ${String(grade)}`)
    return letter
  },
)

export const User = entity('User', 'users', {
  id: pipe(integer, primaryKey, generated),
  name: text,
  age: pipe(integer, nullable),
  joined: pipe(
    column(isoDate, 'text'),
    named('joined_at'),
    withDefault((services) => services.now),
  ),
  tags: pipe(column(json(t.array(t.string)), 'json'), nullable),
  grade: pipe(column(Grade, 'text'), nullable),
})

export const Address = entity('Address', 'addresses', {
  id: pipe(integer, primaryKey, generated),
  email: text,
  userId: pipe(integer, named('user_id')),
  cityId: pipe(integer, named('city_id'), nullable),
  since: pipe(column(isoDate, 'text'), nullable),
})

/** Nothing about a city is called or written otherwise in its table. */
export const City = entity('City', 'cities', {
  id: pipe(integer, primaryKey),
  name: text,
  population: pipe(integer, nullable),
})

export const Stay = entity('Stay', 'stays', {
  userId: pipe(integer, named('user_id'), primaryKey),
  from: pipe(column(isoDate, 'text'), named('from_day'), primaryKey),
  nights: integer,
})

export const model = defineModel({ User, Address, City, Stay })((r) => ({
  User: { addresses: r.User.hasMany('Address', { foreignKey: 'userId', inverse: 'user', orderBy: 'email' }) },
  Address: {
    user: r.Address.belongsTo('User', { foreignKey: 'userId', inverse: 'addresses' }),
    city: r.Address.belongsTo('City', { foreignKey: 'cityId' }),
  },
}))

/** A model of which nothing needs translation. */
export const plain = defineModel({ City })(() => ({}))

const queryId: QueryId = { queryId: 'test' }

const compilerOf = (
  name: Compiler['dialect']['name'],
  compiler: ReturnType<KyselyDialect['createQueryCompiler']>,
): Compiler => ({
  dialect: {
    name,
    toDriver: (value) => value,
    written: () => null,
    selectedAs: () => null,
    parameterType: () => null,
    fromDriver: () => null,
    columnType: () => '',
    textComparison: 'code points',
    limits: { rows: 100, parameters: 32_766, bytes: null },
  },
  compile: (node) => {
    const { sql, parameters } = compiler.compileQuery(node, queryId)
    return { sql, parameters }
  },
})

export const sqlite = compilerOf('sqlite', new SqliteQueryCompiler())
export const postgres = compilerOf('postgres', new PostgresQueryCompiler())
export const mysql = compilerOf('mysql', new MysqlQueryCompiler())

export const rightOf = <E, A>(either: Either<E, A>): A => {
  if (either._tag === 'Left') throw new Error(`left: ${JSON.stringify(either.left)}`)
  return either.right
}

export const compiled = (statement: AnyStatement | Bound, on: Compiler = sqlite): CompiledStatement =>
  rightOf(compile(on)(statement))

/** SQL without the entity's own selections, which every select has. */
export const tail = ({ sql }: CompiledStatement): string =>
  sql.replace(/^select (distinct )?.*? from /, 'select $1... from ')
