/**
 * Random work for a session over the tests' model: actions as data, and the program of each.
 */
import { type Snapshot, select } from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { model } from '../session/app.js'

/** Numbers choose among the instances that are there by then. */
export type Action =
  | {
      readonly _tag: 'addUser'
      readonly name: string
      readonly emails: ReadonlyArray<string>
      readonly titles: ReadonlyArray<string>
    }
  | { readonly _tag: 'makeUser'; readonly name: string }
  | { readonly _tag: 'addMade'; readonly user: number }
  | { readonly _tag: 'addAddress'; readonly email: string; readonly user: number | null }
  | { readonly _tag: 'addNode'; readonly label: string; readonly parent: number | null }
  | { readonly _tag: 'rename'; readonly user: number; readonly name: string; readonly nickname: string | null }
  | { readonly _tag: 'setEmail'; readonly address: number; readonly email: string }
  | { readonly _tag: 'setUser'; readonly address: number; readonly user: number | null }
  | { readonly _tag: 'setParent'; readonly node: number; readonly parent: number | null }
  | { readonly _tag: 'append'; readonly user: number; readonly address: number }
  | { readonly _tag: 'appendPost'; readonly user: number; readonly post: number }
  | { readonly _tag: 'detach'; readonly user: number; readonly address: number }
  | { readonly _tag: 'detachPost'; readonly user: number; readonly post: number }
  | { readonly _tag: 'replace'; readonly user: number; readonly addresses: ReadonlyArray<number> }
  | { readonly _tag: 'remove'; readonly user: number }
  | { readonly _tag: 'removeNode'; readonly node: number }
  | { readonly _tag: 'load'; readonly user: number; readonly name: 'addresses' | 'posts' }
  | { readonly _tag: 'loadUser'; readonly address: number }
  | { readonly _tag: 'read'; readonly user: number }
  | { readonly _tag: 'get'; readonly id: number }
  | { readonly _tag: 'expire'; readonly user: number }
  | { readonly _tag: 'refresh'; readonly address: number }
  | { readonly _tag: 'query' | 'expireAll' | 'flush' | 'plan' | 'beginNested' | 'commitNested' | 'rollbackNested' }
  | { readonly _tag: 'commit' | 'rollback' }

const at = fc.nat(20)
const maybe = fc.option(at)
// few of them, so that constraints are met now and then
const word = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')

/** Work within a transaction. */
export const work: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      _tag: fc.constant('addUser' as const),
      name: word,
      emails: fc.uniqueArray(word, { maxLength: 2 }),
      titles: fc.array(word, { maxLength: 2 }),
    }),
  },
  fc.record({ _tag: fc.constant('makeUser' as const), name: word }),
  fc.record({ _tag: fc.constant('addMade' as const), user: at }),
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant('addAddress' as const), email: word, user: maybe }) },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant('addNode' as const), label: word, parent: maybe }) },
  {
    weight: 2,
    arbitrary: fc.record({ _tag: fc.constant('rename' as const), user: at, name: word, nickname: fc.option(word) }),
  },
  fc.record({ _tag: fc.constant('setEmail' as const), address: at, email: word }),
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant('setUser' as const), address: at, user: maybe }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant('setParent' as const), node: at, parent: maybe }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant('append' as const), user: at, address: at }) },
  fc.record({ _tag: fc.constant('appendPost' as const), user: at, post: at }),
  fc.record({ _tag: fc.constant('detach' as const), user: at, address: at }),
  fc.record({ _tag: fc.constant('detachPost' as const), user: at, post: at }),
  fc.record({ _tag: fc.constant('replace' as const), user: at, addresses: fc.array(at, { maxLength: 3 }) }),
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant('remove' as const), user: at }) },
  fc.record({ _tag: fc.constant('removeNode' as const), node: at }),
  fc.record({
    _tag: fc.constant('load' as const),
    user: at,
    name: fc.constantFrom('addresses' as const, 'posts' as const),
  }),
  fc.record({ _tag: fc.constant('loadUser' as const), address: at }),
  fc.record({ _tag: fc.constant('read' as const), user: at }),
  fc.record({ _tag: fc.constant('get' as const), id: fc.nat(6) }),
  fc.record({ _tag: fc.constant('expire' as const), user: at }),
  fc.record({ _tag: fc.constant('refresh' as const), address: at }),
  {
    weight: 2,
    arbitrary: fc.record({ _tag: fc.constantFrom('query' as const, 'expireAll' as const, 'plan' as const) }),
  },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant('flush' as const) }) },
)

const savepoint: fc.Arbitrary<Action> = fc.record({
  _tag: fc.constantFrom('beginNested' as const, 'commitNested' as const, 'rollbackNested' as const),
})

const ending: fc.Arbitrary<Action> = fc.record({ _tag: fc.constantFrom('commit' as const, 'rollback' as const) })

/** Work over several transactions, with savepoints. */
export const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 10, arbitrary: work },
  { weight: 1, arbitrary: savepoint },
  { weight: 1, arbitrary: ending },
)

/** The instances that a program has come by so far, by entity. */
export interface Refs {
  readonly users: Array<Snapshot<'User'>>
  readonly addresses: Array<Snapshot<'Address'>>
  readonly posts: Array<Snapshot<'Post'>>
  readonly nodes: Array<Snapshot<'Node'>>
}

export const noRefs = (): Refs => ({ users: [], addresses: [], posts: [], nodes: [] })

type AnyProgram = Session.Program<unknown, unknown>

const choose = <A>(all: ReadonlyArray<A>, index: number): A | undefined =>
  all.length === 0 ? undefined : all[index % all.length]

/** Runs `f` on the chosen instances; nothing where there are none. */
const on = <A, B>(a: A | undefined, b: B | undefined, f: (a: A, b: B) => AnyProgram): AnyProgram =>
  a === undefined || b === undefined ? Session.of('nothing to work on') : f(a, b)

const keep = <A>(into: A[], values: ReadonlyArray<A>): void => {
  for (const value of values) into.push(value)
}

/** The program of an action. Instances that it comes by are kept in `refs`. */
export const perform = (refs: Refs, action: Action): AnyProgram => {
  const user = 'user' in action && action.user !== null ? choose(refs.users, action.user) : undefined
  const address = 'address' in action ? choose(refs.addresses, action.address) : undefined
  switch (action._tag) {
    case 'addUser':
      return Session.gen(function* () {
        const { name, emails, titles } = action
        const added = yield* Session.add(model.User, {
          name,
          addresses: emails.map((email) => ({ email })),
          posts: titles.map((title) => ({ title })),
        })
        refs.users.push(added)
        keep(refs.addresses, yield* Session.related(model.User, 'addresses')(added))
        keep(refs.posts, yield* Session.related(model.User, 'posts')(added))
        return added
      })
    case 'makeUser':
      return Session.map((made: Snapshot<'User'>) => refs.users.push(made))(
        Session.make(model.User, { name: action.name }),
      )
    case 'addMade':
      return on(user, true, (a) => Session.add(model.User, a))
    case 'addAddress':
      return Session.map((added: Snapshot<'Address'>) => refs.addresses.push(added))(
        Session.add(model.Address, { email: action.email, ...(user === undefined ? {} : { user }) }),
      )
    case 'addNode': {
      const parent = action.parent === null ? undefined : choose(refs.nodes, action.parent)
      return Session.map((added: Snapshot<'Node'>) => refs.nodes.push(added))(
        Session.add(model.Node, { label: action.label, ...(parent === undefined ? {} : { parent }) }),
      )
    }
    case 'rename':
      return on(user, true, (a) => Session.set(model.User, { name: action.name, nickname: action.nickname })(a))
    case 'setEmail':
      return on(address, true, (a) => Session.set(model.Address, { email: action.email })(a))
    case 'setUser':
      return on(address, action.user === null ? null : user, (a, u) => Session.set(model.Address, { user: u })(a))
    case 'setParent': {
      const parent = action.parent === null ? null : choose(refs.nodes, action.parent)
      return on(choose(refs.nodes, action.node), parent, (a, p) => Session.set(model.Node, { parent: p })(a))
    }
    case 'append':
      return on(user, address, (u, a) => Session.append(model.User, 'addresses', a)(u))
    case 'appendPost':
      return on(user, choose(refs.posts, action.post), (u, p) => Session.append(model.User, 'posts', p)(u))
    case 'detach':
      return on(user, address, (u, a) => Session.detach(model.User, 'addresses', a)(u))
    case 'detachPost':
      return on(user, choose(refs.posts, action.post), (u, p) => Session.detach(model.User, 'posts', p)(u))
    case 'replace': {
      const members = action.addresses.flatMap((index) => choose(refs.addresses, index) ?? [])
      return on(user, true, (u) => Session.replace(model.User, 'addresses', members)(u))
    }
    case 'remove':
      return on(user, true, (u) => Session.remove(model.User)(u))
    case 'removeNode':
      return on(choose(refs.nodes, action.node), true, (n) => Session.remove(model.Node)(n))
    case 'load':
      return on(user, true, (u) =>
        action.name === 'addresses'
          ? Session.map((found: ReadonlyArray<Snapshot<'Address'>>) => {
              keep(refs.addresses, found)
              return found
            })(Session.load(model.User, 'addresses')(u))
          : Session.load(model.User, 'posts')(u),
      )
    case 'loadUser':
      return on(address, true, (a) => Session.load(model.Address, 'user')(a))
    case 'read':
      return on(user, true, (u) => Session.read(model.User)(u))
    case 'get':
      return Session.map((found: { readonly _tag: string; readonly value?: Snapshot<'User'> }) => {
        if (found.value !== undefined) refs.users.push(found.value)
        return found
      })(Session.get(model.User, action.id))
    case 'expire':
      return on(user, true, (u) => Session.expire(model.User)(u))
    case 'refresh':
      return on(address, true, (a) => Session.refresh(model.Address)(a))
    case 'query':
      return pipe(
        Session.query(select(model.User)),
        Session.map((found) => {
          keep(refs.users, found)
          return found
        }),
      )
    case 'plan':
      return Session.map(Session.explain)(Session.flushPlan)
    case 'expireAll':
    case 'flush':
    case 'beginNested':
    case 'commitNested':
    case 'rollbackNested':
    case 'commit':
    case 'rollback':
      return plain[action._tag]
  }
}

const plain = {
  expireAll: Session.expireAll,
  flush: Session.flush,
  beginNested: Session.beginNested,
  commitNested: Session.commitNested,
  rollbackNested: Session.rollbackNested,
  commit: Session.commit,
  rollback: Session.rollback,
}

/** The same, with its failure as a value, and rolled back where the session wants that. */
export const attempt = (refs: Refs, action: Action): Session.Program<never, unknown> =>
  pipe(
    Session.attempt(Session.suspend(() => perform(refs, action))),
    Session.chainFirst(() =>
      Session.suspend((state) => {
        if (state.failure === null) return Session.of(undefined)
        const undo: AnyProgram = state.failure.depth === 0 ? Session.rollback : Session.rollbackNested
        return Session.map(() => undefined)(Session.attempt(undo))
      }),
    ),
  )

const tables = ['users', 'addresses', 'posts', 'comments', 'nodes', 'countries', 'visits']

/** All rows of all tables. */
export const dump = (rows: (table: string) => ReadonlyArray<unknown>): Record<string, ReadonlyArray<unknown>> =>
  Object.fromEntries(tables.map((table) => [table, rows(table)]))
