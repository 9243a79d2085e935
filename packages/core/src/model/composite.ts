/**
 * Composites: several attributes of a row as one value of the program's own, such as a point, an amount with its currency, or a
 * span of time.
 *
 * A composite is a lens, a value beside the model: it reads its value from any snapshot, and gives the attributes of a value for
 * drafts, changes and conditions, which so need to know nothing of it.
 *
 * @example
 * const start = composite(model.Edge, { x: 'startX', y: 'startY' }, { make: ({ x, y }) => point(x, y), parts: ({ x, y }) => ({ x, y }) })
 *
 * start.get(edge)                                             // a point
 * Session.add(model.Edge, { name: 'a', ...start.of(origin) })
 * pipe(edge, Session.set(model.Edge, start.of(point(1, 2))))
 * pipe(select(model.Edge), filterBy(start.of(origin)))
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/composites.html
 */
import type { Simplify } from './entity.js'
import type { RowOf } from './infer.js'
import type { Mapped } from './model.js'

type Attributes<M, N> = Readonly<Record<string, keyof RowOf<M, N> & string>>

/** The values of a composite's parts, by their names in it. @category model */
export type PartsOf<M, N, P extends Attributes<M, N>> = Simplify<{
  readonly [K in keyof P]: P[K] extends keyof RowOf<M, N> ? RowOf<M, N>[P[K]] : never
}>

/** No attribute is two parts: which of them would it be? */
type Distinct<P> = {
  readonly [K in keyof P]: P[K] extends P[Exclude<keyof P, K>]
    ? { readonly fault: 'the attribute is another part already' }
    : unknown
}

/** The attributes of a composite, of a row. @category model */
export type AttributesOf<M, N, P extends Attributes<M, N>> = Simplify<{
  readonly [A in P[keyof P] & keyof RowOf<M, N>]: RowOf<M, N>[A]
}>

/**
 * A value of several attributes. `Attributes` are those of the row.
 *
 * @category model
 */
export interface Composite<in out Value, in out Parts> {
  readonly _tag: 'Composite'
  /** The value that a row has. */
  readonly get: (row: Parts) => Value
  /** The attributes that make a value, for drafts, patches and conditions. */
  readonly of: (value: Value) => Parts
  /** The row with another value, as plain data. */
  readonly set: (value: Value) => <R extends Parts>(row: R) => Omit<R, keyof Parts> & Parts
  /** The row with the value changed, as plain data. */
  readonly modify: (f: (value: Value) => Value) => <R extends Parts>(row: R) => Omit<R, keyof Parts> & Parts
}

/**
 * A composite of attributes of an entity. `make` gives the value of its parts, and `parts` the parts of a value: one undoes the
 * other. Parts are named as the value has them. Where columns hold NULL, parts are null: `make` says what that means.
 *
 * @example
 * const price = composite(
 *   model.Item,
 *   { amount: 'priceAmount', currency: 'priceCurrency' },
 *   { make: (parts) => parts, parts: (money) => money },
 * )
 *
 * @category constructors
 */
export const composite = <M, N extends string, const P extends Attributes<M, N>, Value>(
  _entity: Mapped<M, N>,
  attributes: P & Distinct<P>,
  {
    make,
    parts,
  }: {
    readonly make: (parts: PartsOf<M, N, P>) => Value
    readonly parts: (value: NoInfer<Value>) => PartsOf<M, N, P>
  },
): Composite<Value, AttributesOf<M, N, P>> => {
  const named = Object.entries(attributes)
  const get = (row: AttributesOf<M, N, P>): Value =>
    make(Object.fromEntries(named.map(([part, name]) => [part, (row as Values)[name]])) as PartsOf<M, N, P>)
  const of = (value: Value): AttributesOf<M, N, P> => {
    const values = parts(value) as Values
    return Object.fromEntries(named.map(([part, name]) => [name, values[part]])) as AttributesOf<M, N, P>
  }
  return {
    _tag: 'Composite',
    get,
    of,
    set: (value) => (row) => ({ ...row, ...of(value) }),
    modify: (f) => (row) => ({ ...row, ...of(f(get(row))) }),
  }
}

type Values = Readonly<Record<string, unknown>>
