/** What hooks say about themselves, in types. Checked by `tsc`; nothing here runs. */
import { type Snapshot, select, update, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import type { Option } from 'fp-ts/lib/Option.js'
import { expectTypeOf } from 'vitest'
import { model } from '../app.js'

type M = typeof model

const { accept, defineHooks, keep, refuse } = Session

// what hooks are given
export const given = defineHooks(model)(
  {
    User: {
      load: ({ instance, isRefresh }) => {
        expectTypeOf(instance.name).toEqualTypeOf<string | undefined>()
        expectTypeOf(isRefresh).toEqualTypeOf<boolean>()
        return keep(Session.set(model.User, { name: 'ed' })(instance))
      },
      set: {
        nickname: ({ attribute, value, before, instance }) => {
          expectTypeOf(attribute).toEqualTypeOf<'nickname'>()
          expectTypeOf(value).toEqualTypeOf<string | null>()
          expectTypeOf(before).toEqualTypeOf<Option<string | null>>()
          expectTypeOf(instance).toExtend<Snapshot<'User'>>()
          return value === null ? keep() : accept(value.trim())
        },
      },
      append: {
        addresses: ({ value, services }) => {
          expectTypeOf(value).toExtend<Snapshot<'Address'>>()
          expectTypeOf(value.email).toEqualTypeOf<string | undefined>()
          expectTypeOf(services.now).toEqualTypeOf<Date>()
          return accept(value)
        },
      },
      remove: { posts: ({ value }) => (value.title === 'p' ? refuse('it stays') : keep()) },
      replace: {
        addresses: ({ value }) => {
          expectTypeOf(value).toExtend<ReadonlyArray<Session.Known<M, 'Address'>>>()
          return accept(value.slice(1))
        },
      },
      beforeExecute: ({ statement, purpose }) => {
        expectTypeOf(purpose).toEqualTypeOf<'query' | 'load' | 'get' | 'bulk'>()
        return accept(pipe(statement, where('name', '=', 'ed')))
      },
    },
    Address: {
      set: {
        user: ({ value, before }) => {
          expectTypeOf(value).toEqualTypeOf<Session.Known<M, 'User'> | null>()
          expectTypeOf(before).toEqualTypeOf<Option<Session.Known<M, 'User'> | null>>()
          return accept(null)
        },
      },
    },
  },
  {
    beforeFlush: ({ state }) => keep(...Session.unitOfWork(model.User)(state).added.map(Session.expunge(model.User))),
    afterFlush: ({ flushed, plan }) => (flushed.inserted > plan.steps.length ? refuse('too many') : keep()),
    afterCommit: ({ frame }) => {
      expectTypeOf(frame).toEqualTypeOf<'transaction' | 'savepoint'>()
      return keep(Session.expireAll, Session.attempt(Session.add(model.Node, { label: 'n' })))
    },
    beforeExecute: ({ statement }) => (statement._tag === 'Select' ? keep() : refuse('it is read only')),
  },
)
expectTypeOf(given).toEqualTypeOf<Session.Hooks>()

// what may go wrong with them is part of what may go wrong
expectTypeOf<Session.HookRefused>().toExtend<Session.AddError>()
expectTypeOf<Session.HookLoop>().toExtend<Session.ChangeError>()
expectTypeOf<Session.HookError>().toExtend<Session.FlushError>()
expectTypeOf<Session.HookError>().toExtend<Session.QueryError>()
expectTypeOf<Session.HookError>().toExtend<Session.GetError>()
expectTypeOf<Session.HookError>().toExtend<Session.LoadError>()
expectTypeOf<Session.HookError>().toExtend<Session.BulkError>()
expectTypeOf<Session.HookError>().toExtend<Session.MergeError>()
expectTypeOf(Session.rollback).toEqualTypeOf<Session.Program<Session.RequestError, undefined>>()

export const wrong = [
  // @ts-expect-error a misspelt entity
  defineHooks(model)({ Usr: { load: () => keep() } }),
  // @ts-expect-error a misspelt event
  defineHooks(model)({ User: { loaded: () => keep() } }),
  // @ts-expect-error a misspelt attribute
  defineHooks(model)({ User: { set: { nane: () => keep() } } }),
  // @ts-expect-error a misspelt relationship
  defineHooks(model)({ User: { append: { adresses: () => keep() } } }),
  // @ts-expect-error a collection is not set
  defineHooks(model)({ User: { set: { addresses: () => keep() } } }),
  // @ts-expect-error a reference is not appended to
  defineHooks(model)({ Address: { append: { user: () => keep() } } }),
  // @ts-expect-error a misspelt event of the session
  defineHooks(model)({}, { beforeFlsh: () => keep() }),
  // @ts-expect-error a value of the wrong type
  defineHooks(model)({ User: { set: { name: () => accept(5) } } }),
  // @ts-expect-error null where the column has none
  defineHooks(model)({ User: { set: { name: () => accept(null) } } }),
  // @ts-expect-error an instance of another entity
  defineHooks(model)({ User: { append: { addresses: ({ instance }) => accept(instance) } } }),
  // @ts-expect-error a value that leaves cannot become another
  defineHooks(model)({ User: { remove: { addresses: ({ value }) => accept(value) } } }),
  // @ts-expect-error a hook answers
  defineHooks(model)({ User: { set: { name: () => undefined } } }),
  // @ts-expect-error what a hook asks for asks no database
  defineHooks(model)({ User: { load: () => keep(Session.query(select(model.User))) } }),
  // @ts-expect-error what a hook asks for asks no database
  defineHooks(model)({}, { beforeFlush: () => keep(Session.flush) }),
  // @ts-expect-error what is committed cannot be refused
  defineHooks(model)({}, { afterCommit: () => refuse('too late') }),
  // @ts-expect-error nor may what follows it fail
  defineHooks(model)({}, { afterRollback: () => keep(Session.add(model.Node, { label: 'n' })) }),
  // @ts-expect-error a statement of another entity
  defineHooks(model)({ User: { beforeExecute: () => accept(update(model.Node)) } }),
  // @ts-expect-error a misspelt attribute in a condition
  defineHooks(model)({ User: { beforeExecute: ({ statement }) => accept(where('nane', '=', 'x')(statement)) } }),
]
