/**
 * Queries of an entity whose model says which of its subtypes they load besides: `load` of a subtype.
 */
import type { FamilyOf, SubtypeLoad } from '../model/entity.js'
import type { EntityOf, SubtypeName } from '../model/infer.js'
import { type Mapping, withDescendants } from '../model/mapping.js'
import type { Mapped } from '../model/model.js'
import type { Whole } from './extent.js'
import { type AnySelect, type Select, selectOwn } from './select.js'
import { type OneOf, type ReadingSubtypes, selectinSubtypes, withSubtypes } from './subtypes.js'

/** The subtypes of `N` that its queries load, as their model says. @category model */
export type DefaultSubtype<M, N, Load = SubtypeLoad> = {
  [K in SubtypeName<M, N>]: [FamilyOf<EntityOf<M, K>>['load']] extends [Load] ? K : never
}[SubtypeName<M, N>]

/** What queries of `N` add to its rows where they say nothing else. @category model */
export type DefaultLoads<M, N extends string> = [FamilyOf<EntityOf<M, N>>] extends [never]
  ? unknown
  : [DefaultSubtype<M, N>] extends [never]
    ? unknown
    : OneOf<M, N, DefaultSubtype<M, N>>

/** The extent that they have. @category model */
export type DefaultExtent<M, N extends string> = [FamilyOf<EntityOf<M, N>>] extends [never]
  ? Whole
  : [DefaultSubtype<M, N, 'inline'>] extends [never]
    ? Whole
    : ReadingSubtypes<M, N, Whole, DefaultSubtype<M, N, 'inline'>>

const defaults = new WeakMap<Mapped<unknown, string>, AnySelect>()

/** Has the model said of any subtype that queries of the entity load it? */
export const loadsSubtypes = (mapping: Mapping): boolean =>
  mapping.subtypes.length > 0 && withDescendants(mapping).some((one) => one !== mapping && one.load !== null)

/**
 * Queries an entity. Without anything else: every row, in no particular order, with what its model loads of its subtypes.
 *
 * @category constructors
 */
export const select = <M, N extends string>(
  entity: Mapped<M, N>,
): Select<M, N, DefaultLoads<M, N>, DefaultExtent<M, N>> => {
  if (!loadsSubtypes(entity.mapping)) return selectOwn(entity) as never
  const known = defaults.get(entity)
  if (known !== undefined) return known as never
  const [, ...subtypes] = withDescendants(entity.mapping)
  const named = (load: SubtypeLoad): readonly [never] =>
    subtypes.filter((one) => one.load === load).map(({ name }) => name) as unknown as readonly [never]
  const plain: AnySelect = selectOwn(entity)
  const inline = withSubtypes(...named('inline'))(plain as never) as AnySelect
  const read = new Set(inline.aliases.map(({ mapping }) => mapping))
  const all = selectinSubtypes(...named('selectin'))(inline as never) as AnySelect
  const made: AnySelect = { ...all, subtypes: all.subtypes.filter((subtype) => !read.has(subtype)) }
  defaults.set(entity, made)
  return made as never
}
