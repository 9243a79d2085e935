/** A model with something of all that tables can have. */
import {
  bigint,
  blob,
  boolean,
  column,
  defineModel,
  entity,
  generated,
  integer,
  isoDate,
  json,
  named,
  nullable,
  ofType,
  primaryKey,
  real,
  references,
  text,
  unique,
  withServerDefault,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { sql } from 'kysely'

const Seller = entity(
  'Seller',
  'sellers',
  {
    id: pipe(integer, primaryKey, generated),
    email: pipe(text, unique),
    country: pipe(text, ofType('varchar(2)'), withServerDefault(sql`'de'`)),
    joined: column(isoDate, 'timestamp'),
    isActive: pipe(boolean, named('is_active'), withServerDefault(sql`true`)),
    bestOfferId: pipe(
      bigint,
      nullable,
      named('best_offer_id'),
      references('offers.id', { onDelete: 'set null', name: 'seller_best' }),
    ),
  },
  {
    unique: [{ attributes: ['country', 'email'], name: 'one_email_a_country' }],
    checks: [
      (eb) => eb('email', 'like', '%@%'),
      { check: (eb) => eb(eb.fn('length', ['country']), '=', 2), name: 'iso' },
    ],
    indexes: [
      ['joined'],
      { attributes: ['country', ['joined', 'desc']], name: 'by_country' },
      { attributes: ['joined', 'id'], where: (eb) => eb('isActive', '=', true), unique: true },
    ],
  },
)

const Offer = entity(
  'Offer',
  'offers',
  {
    id: pipe(bigint, primaryKey, generated),
    sellerId: pipe(
      integer,
      named('seller_id'),
      references('sellers.id', { onDelete: 'cascade', onUpdate: 'cascade', deferrable: 'initially deferred' }),
    ),
    title: text,
    price: real,
    state: pipe(text, withServerDefault(sql`'new'`), ofType('varchar(20)')),
    stock: pipe(integer, withServerDefault(sql`0`)),
    details: pipe(column(json(t.UnknownRecord), 'json'), nullable),
    picture: pipe(blob, nullable),
  },
  {
    checks: [
      (eb) => eb('price', '>=', 0),
      (eb) => eb.between('stock', 0, 1000),
      (eb) => eb('state', 'in', ['new', "it's used"]),
      (eb) => eb.or([eb('state', '=', 'new'), eb.and([eb('price', '<', 100), eb('stock', '<>', 7)])]),
    ],
    indexes: [{ attributes: ['sellerId', 'price'] }],
  },
)

const Line = entity('Line', 'order_lines', {
  orderId: pipe(integer, primaryKey, named('order_id')),
  position: pipe(integer, primaryKey),
  offerId: pipe(bigint, named('offer_id'), references('offers.id', { onDelete: 'restrict', index: false })),
})

const Remark = entity(
  'Remark',
  'remarks',
  {
    id: pipe(integer, primaryKey),
    orderId: pipe(integer, nullable, named('order_id')),
    position: pipe(integer, nullable),
    repliesTo: pipe(integer, nullable, named('replies_to'), references('remarks.id')),
    body: text,
  },
  {
    foreignKeys: [
      {
        attributes: ['orderId', 'position'],
        references: ['order_lines.order_id', 'order_lines.position'],
        onDelete: 'set null',
        name: 'remark_of_line',
      },
    ],
  },
)

const Tag = entity('Tag', 'tags', { name: pipe(text, primaryKey) })

export const market = defineModel({ Seller, Offer, Line, Remark, Tag })((r) => ({
  Seller: { offers: r.Seller.hasMany('Offer', { foreignKey: 'sellerId', inverse: 'seller' }) },
  Offer: {
    seller: r.Offer.belongsTo('Seller', { foreignKey: 'sellerId', inverse: 'offers' }),
    tags: r.Offer.manyToMany('Tag', {
      through: { table: 'offers_tags', own: ['offer_id'], target: ['tag'] },
      inverse: 'offers',
    }),
  },
  Tag: {
    offers: r.Tag.manyToMany('Offer', {
      through: { table: 'offers_tags', own: ['tag'], target: ['offer_id'] },
      inverse: 'tags',
    }),
  },
  Remark: { line: r.Remark.belongsTo('Line', { foreignKey: ['orderId', 'position'] }) },
}))
