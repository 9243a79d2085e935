/** What collections of each kind are, in types. Checked by `tsc`; nothing here runs. */
import {
  asSet,
  type CollectionGiven,
  column,
  type Draft,
  defineModel,
  entity,
  groupedBy,
  integer,
  isoDate,
  keyedBy,
  type Managed,
  nullable,
  positioned,
  primaryKey,
  type Related,
  recordBy,
  select,
  selectin,
  text,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { expectTypeOf } from 'vitest'
import type { Best } from './album.js'
import { model } from './album.js'

type M = typeof model

// what is shown follows from the kind, without annotations
expectTypeOf<Related<M, 'Album', 'tracks'>>().toEqualTypeOf<ReadonlyArray<Managed<M, 'Track'>>>()
expectTypeOf<Related<M, 'Album', 'tags'>>().toEqualTypeOf<ReadonlySet<Managed<M, 'Tag'>>>()
expectTypeOf<Related<M, 'Album', 'notes'>>().toEqualTypeOf<ReadonlyMap<string, Managed<M, 'Note'>>>()
expectTypeOf<Related<M, 'Album', 'prices'>>().toEqualTypeOf<Readonly<Record<string, Managed<M, 'Price'>>>>()
expectTypeOf<Related<M, 'Album', 'credits'>>().toEqualTypeOf<ReadonlyMap<string, ReadonlyArray<Managed<M, 'Credit'>>>>()
expectTypeOf<Related<M, 'Album', 'reviews'>>().toEqualTypeOf<Best<Managed<M, 'Review'>>>()

declare const album: Managed<M, 'Album'>
declare const runtime: Session.Runtime

// of programs and of queries, with what is nested
const loaded = Session.runSync(runtime)(Session.load(model.Album, 'notes')(album))
if (loaded._tag === 'Right') expectTypeOf(loaded.right.get('a')).toEqualTypeOf<Managed<M, 'Note'> | undefined>()
const queried = Session.runSync(runtime)(
  Session.query(pipe(select(model.Album), selectin('notes'), selectin('tags', selectin('albums')))),
)
if (queried._tag === 'Right') {
  for (const result of queried.right) {
    expectTypeOf(result.notes.get('a')?.body).toEqualTypeOf<string | null | undefined>()
    for (const tag of result.tags) expectTypeOf(tag.albums).toExtend<ReadonlySet<Managed<M, 'Album'>>>()
  }
}

// drafts take the kind's own value or an array; places are the flush's
const draft: Draft<M, 'Album'> = {
  title: 'one',
  tracks: [{ name: 'a' }],
  tags: new Set([{ label: 'live' }]),
  notes: new Map([['a', { title: 'a' }]]),
  prices: { EUR: { currency: 'EUR', cents: 1 } },
  credits: [{ role: 'bass', person: 'ann' }],
  reviews: { _tag: 'Best', items: [{ stars: 3 }] },
}
Session.add(model.Album, draft)
expectTypeOf<Draft<M, 'Track'>['position']>().toEqualTypeOf<number | undefined>()
expectTypeOf<CollectionGiven<M, 'Album', 'tags', number>>().toEqualTypeOf<ReadonlyArray<number> | ReadonlySet<number>>()

// @ts-expect-error a set is no map
const wrongKind: Draft<M, 'Album'> = { title: 'one', tags: new Map() }
// @ts-expect-error keys have the type of their attribute
const wrongKey: Draft<M, 'Album'> = { title: 'one', notes: new Map([[1, { title: 'a' }]]) }
void [wrongKind, wrongKey]

// places and keys are named where there are any
Session.removeKey(model.Album, 'notes', 'a')
Session.removeKey(model.Album, 'prices', 'EUR')
// @ts-expect-error keys are texts
Session.removeKey(model.Album, 'notes', 1)
// @ts-expect-error a set has no keys
Session.removeKey(model.Album, 'tags', 'a')
Session.insertAt(model.Album, 'tracks', 0, { name: 'a' })
// @ts-expect-error a set has no places
Session.insertAt(model.Album, 'tags', 0, { label: 'a' })
// @ts-expect-error nor has a map
Session.move(model.Album, 'notes', album, 0)

// what a kind reads is there, and fits
const Owner = entity('Owner', 'owners', { id: pipe(integer, primaryKey) })
const Item = entity('Item', 'items', {
  id: pipe(integer, primaryKey),
  number: integer,
  code: pipe(text, nullable),
  made: column(isoDate, 'text'),
  ownerId: integer,
})
const foreignKey = 'ownerId'
const owned = defineModel({ Owner, Item })((r) => ({
  Owner: {
    byNumber: r.Owner.hasMany('Item', { foreignKey, collection: keyedBy('number') }),
    byCode: r.Owner.hasMany('Item', { foreignKey, collection: groupedBy('code') }),
    // @ts-expect-error there is no such attribute
    byNothing: r.Owner.hasMany('Item', { foreignKey, collection: keyedBy('nothing') }),
    // @ts-expect-error two dates of one instant are not the same key
    byDate: r.Owner.hasMany('Item', { foreignKey, collection: keyedBy('made') }),
    // @ts-expect-error a record has texts for keys
    byRecord: r.Owner.hasMany('Item', { foreignKey, collection: recordBy('number') }),
    // @ts-expect-error places are numbers
    inOrder: r.Owner.hasMany('Item', { foreignKey, collection: positioned('code') }),
    distinct: r.Owner.hasMany('Item', { foreignKey, collection: asSet }),
  },
}))
type O = typeof owned
expectTypeOf<Related<O, 'Owner', 'byNumber'>>().toEqualTypeOf<ReadonlyMap<number, Managed<O, 'Item'>>>()
expectTypeOf<Related<O, 'Owner', 'byCode'>>().toEqualTypeOf<
  ReadonlyMap<string | null, ReadonlyArray<Managed<O, 'Item'>>>
>()
Session.removeKey(owned.Owner, 'byNumber', 7)
