/**
 * Moving rows from one shard to another.
 */
import {
  type AnyModel,
  type AnySelect,
  type Attribute,
  type InstanceId,
  isKindOf,
  type Managed,
  type Mapped,
  type Mapping,
  type RelationshipMapping,
  Snapshot,
  select,
  where,
  withOptions,
} from '@unitary/core'
import type { RoutingError } from '@unitary/session'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import type { ExpressionBuilder } from 'kysely'
import type { Choosers } from './chooser/chooser.js'
import { noToken, unknownShard } from './error.js'
import type { ShardedRuntime } from './runner/runtime.js'

/** Why an instance cannot be moved. @category errors */
export type MoveError = Session.QueryError | Session.ReadError | Session.RemoveError | Session.AddError | RoutingError

/**
 * Moves the row of a persistent instance to another shard, and with it the rows that belong beside it (see `withParent`). Gives
 * the new instance, which has the key of the old one, and whose version begins anew; the old one is marked for deletion. What is
 * pending is flushed first; the next flush inserts and deletes, and one commit does both.
 *
 * What decides the shard is left as it is: where it names another shard, set it too, so that the row is looked for where it is.
 * Rows that refer to a moved one without belonging beside it stay where they are, and lose it as by `remove`.
 *
 * @example
 * const moved = await run(app)(pipe(tokyo, moveToShard(app, model.Location, 'europe')))()
 *
 * @category work
 */
export const moveToShard =
  <M, N extends string, Token extends string>(
    { choosers, shards }: ShardedRuntime<Token>,
    entity: Mapped<M, N>,
    token: NoInfer<Token>,
  ) =>
  (instance: Snapshot<N>): Session.Program<MoveError, Managed<M, N>> =>
    pipe(
      // what is pending belongs beside it too, and is found once it has rows
      Session.flush,
      Session.chain(() => Session.read(entity)(instance)),
      Session.chain((known) =>
        Session.suspend((state): Session.Program<MoveError, Managed<M, N>> => {
          const found = Session.inspect(state, instance)
          const home = found?.identity?.shard ?? null
          const { name } = entity
          if (!shards.places.has(token)) return Session.fail(unknownShard(shards, 'move', name, token, 'moveToShard'))
          if (home === null) return Session.fail(noToken('move', name, found?.identity?.key ?? null))
          // what is on every shard is there already
          const isThere = home === token || choosers.basisOf?.(name)?.kind === 'everywhere'
          if (isThere) return Session.of(known)
          const moving = new Moving(state.model, choosers, home, token)
          return Session.map((moved: Snapshot) => moved as unknown as Managed<M, N>)(
            Session.noAutoflush(moving.move(instance)),
          )
        }),
      ),
    )

type Work<A> = Session.Program<MoveError, A>

/** The session's functions, for entities that only a model knows. */
interface Untyped {
  readonly read: (entity: AnyMapped) => (instance: Snapshot) => Work<Snapshot>
  readonly loadAttributes: (
    entity: AnyMapped,
    ...names: ReadonlyArray<string>
  ) => (instance: Snapshot) => Work<Snapshot>
  readonly remove: (entity: AnyMapped) => (instance: Snapshot) => Work<undefined>
  readonly add: (entity: AnyMapped, draft: object) => Work<Snapshot>
  readonly placeOn: (entity: AnyMapped, token: string) => (instance: Snapshot) => Work<undefined>
  readonly query: (statement: unknown) => Work<ReadonlyArray<Snapshot>>
}

type AnyMapped = Mapped<unknown, string>

const untyped = Session as unknown as Untyped

/** An entity whose rows belong beside those of another, over a foreign key of its own. */
interface Beside {
  readonly relationship: RelationshipMapping
  readonly entity: AnyMapped
}

class Moving {
  readonly #model: AnyModel
  readonly #home: string
  readonly #token: string
  readonly #beside: ReadonlyArray<Beside>

  constructor(model: AnyModel, choosers: Choosers, home: string, token: string) {
    this.#model = model
    this.#home = home
    this.#token = token
    this.#beside = model.mappings.flatMap((mapping) => {
      const basis = choosers.basisOf?.(mapping.name) ?? null
      const relationship = basis?.kind === 'relationship' ? mapping.relationshipOf.get(basis.name) : undefined
      // a subtype comes with the entity that it is one of
      return relationship === undefined || relationship.owner !== mapping
        ? []
        : [{ relationship, entity: this.#entity(mapping) }]
    })
  }

  /** Moves an instance and what is beside it; gives the new one. */
  move(instance: Snapshot): Work<Snapshot> {
    return pipe(
      this.#gather([instance], []),
      Session.chain((all) =>
        pipe(
          // children before parents
          Session.traverseArray((one: Snapshot) => this.#on(one, untyped.remove))([...all].reverse()),
          Session.chain(() => Session.traverseArray((one: Snapshot) => this.#copy(one))(all)),
        ),
      ),
      Session.map(([moved]) => moved as Snapshot),
    )
  }

  /** Whole instances with what is beside them, parents before children. */
  #gather(level: ReadonlyArray<Snapshot>, before: ReadonlyArray<Snapshot>): Work<ReadonlyArray<Snapshot>> {
    if (level.length === 0) return Session.of(before)
    return pipe(
      Session.traverseArray((one: Snapshot) => this.#whole(one))(level),
      Session.chain((whole) =>
        pipe(
          Session.traverseArray((one: Snapshot) => this.#children(one))(whole),
          Session.chain((children) => {
            const known = new Set([...before, ...whole].map((one) => Snapshot.instanceOf(one)))
            const next = children.flat().filter((one) => !known.has(Snapshot.instanceOf(one)))
            return this.#gather(next, [...before, ...whole])
          }),
        ),
      ),
    )
  }

  /** With its deferred attributes. */
  #whole(instance: Snapshot): Work<Snapshot> {
    return pipe(
      this.#on(instance, untyped.read),
      Session.chain(() => {
        return Session.suspend((state): Work<Snapshot> => {
          const mapping = this.#mappingOf(state, instance)
          const deferred = mapping.attributes.filter(({ isDeferred }) => isDeferred).map(({ name }) => name)
          const entity = this.#entity(mapping)
          return deferred.length === 0
            ? untyped.read(entity)(instance)
            : untyped.loadAttributes(entity, ...deferred)(instance)
        })
      }),
    )
  }

  #children(parent: Snapshot): Work<ReadonlyArray<Snapshot>> {
    return Session.suspend((state) => {
      const mapping = this.#mappingOf(state, parent)
      const values = parent as unknown as Readonly<Record<string, unknown>>
      const queries = this.#beside
        .filter(({ relationship: { target } }) => isKindOf(mapping, target))
        .map(({ entity, relationship: { foreignKey, key } }) =>
          pipe(
            select(entity) as unknown as AnySelect,
            where(((eb: Eb) =>
              eb.and(foreignKey.map(({ name }, i) => eb(name, '=', values[(key[i] as Attribute).name])))) as never),
            withOptions({ shard: this.#home }),
          ),
        )
      return Session.map((found: ReadonlyArray<ReadonlyArray<Snapshot>>) => found.flat())(
        Session.traverseArray((query: unknown) => untyped.query(query))(queries),
      )
    })
  }

  #copy(instance: Snapshot): Work<Snapshot> {
    return Session.suspend((state) => {
      const mapping = this.#mappingOf(state, instance)
      const entity = this.#entity(mapping)
      const values = instance as unknown as Readonly<Record<string, unknown>>
      const draft = Object.fromEntries(
        mapping.attributes
          .filter((attribute) => attribute !== mapping.discriminator && attribute !== mapping.version)
          .map(({ name }) => [name, values[name]]),
      )
      return Session.chainFirst((copy: Snapshot) => untyped.placeOn(entity, this.#token)(copy))(
        untyped.add(entity, draft),
      )
    })
  }

  #on<A>(instance: Snapshot, f: (entity: AnyMapped) => (instance: Snapshot) => Work<A>): Work<A> {
    return Session.suspend((state) => f(this.#entity(this.#mappingOf(state, instance)))(instance))
  }

  #mappingOf(state: Session.SessionState, instance: Snapshot): Mapping {
    return Session.instanceAt(state, Snapshot.instanceOf(instance) as InstanceId).mapping
  }

  #entity({ name }: Mapping): AnyMapped {
    return (this.#model as unknown as Readonly<Record<string, AnyMapped>>)[name] as AnyMapped
  }
}

// biome-ignore lint/suspicious/noExplicitAny: columns of an entity that only a model knows
type Eb = ExpressionBuilder<any, any>
