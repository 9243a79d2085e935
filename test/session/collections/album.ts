/**
 * An album with a collection of each kind, one of them the tests' own.
 */
import {
  asSet,
  type CollectionShape,
  collectionKind,
  defineModel,
  entity,
  generated,
  groupedBy,
  integer,
  keyedBy,
  nullable,
  positioned,
  primaryKey,
  recordBy,
  text,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'

/** The best three, the best first. */
export interface Best<out A> {
  readonly _tag: 'Best'
  readonly items: ReadonlyArray<A>
}

interface BestShape extends CollectionShape {
  readonly shown: Best<this['member']>
  readonly key: never
}

interface Rated {
  readonly stars: number
}

export const bestOf = <A extends Rated>(items: ReadonlyArray<A>): Best<A> => ({
  _tag: 'Best',
  items: [...items].sort((a, b) => b.stars - a.stars).slice(0, 3),
})

const asBest = collectionKind<BestShape, Rated>({
  name: 'best',
  is: (value) => typeof value === 'object' && value !== null && '_tag' in value && value._tag === 'Best',
  from: bestOf,
  to: ({ items }) => items,
  add:
    (member) =>
    ({ items }) =>
      bestOf([...items, member]),
  isUnique: true,
})

const id = pipe(integer, primaryKey, generated)
const albumId = pipe(integer, nullable)

const Album = entity('Album', 'albums', { id, title: text })
const Track = entity('Track', 'tracks', { id, name: text, position: integer, albumId })
const Tag = entity('Tag', 'tags', { id, label: text })
const Note = entity('Note', 'notes', { id, title: text, body: pipe(text, nullable), albumId })
const Price = entity('Price', 'prices', { id, currency: text, cents: integer, albumId })
const Credit = entity('Credit', 'credits', { id, role: text, person: text, albumId })
const Review = entity('Review', 'reviews', { id, stars: integer, albumId })

const link = { table: 'album_tags', own: ['album_id'], target: ['tag_id'] }

export const model = defineModel({ Album, Track, Tag, Note, Price, Credit, Review })((r) => ({
  Album: {
    tracks: r.Album.hasMany('Track', {
      foreignKey: 'albumId',
      inverse: 'album',
      collection: positioned('position'),
    }),
    tags: r.Album.manyToMany('Tag', { through: link, inverse: 'albums', collection: asSet, orderBy: 'id' }),
    notes: r.Album.hasMany('Note', {
      foreignKey: 'albumId',
      inverse: 'album',
      orderBy: 'id',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
      collection: keyedBy('title'),
    }),
    prices: r.Album.hasMany('Price', {
      foreignKey: 'albumId',
      inverse: 'album',
      orderBy: 'id',
      collection: recordBy('currency'),
    }),
    credits: r.Album.hasMany('Credit', {
      foreignKey: 'albumId',
      inverse: 'album',
      orderBy: 'id',
      collection: groupedBy('role'),
    }),
    reviews: r.Album.hasMany('Review', {
      foreignKey: 'albumId',
      inverse: 'album',
      orderBy: 'id',
      collection: asBest,
    }),
  },
  Tag: {
    albums: r.Tag.manyToMany('Album', {
      through: { table: 'album_tags', own: ['tag_id'], target: ['album_id'] },
      inverse: 'tags',
      collection: asSet,
      orderBy: 'id',
    }),
  },
  Track: { album: r.Track.belongsTo('Album', { foreignKey: 'albumId', inverse: 'tracks' }) },
  Note: { album: r.Note.belongsTo('Album', { foreignKey: 'albumId', inverse: 'notes' }) },
  Price: { album: r.Price.belongsTo('Album', { foreignKey: 'albumId', inverse: 'prices' }) },
  Credit: { album: r.Credit.belongsTo('Album', { foreignKey: 'albumId', inverse: 'credits' }) },
  Review: { album: r.Review.belongsTo('Album', { foreignKey: 'albumId', inverse: 'reviews' }) },
}))
