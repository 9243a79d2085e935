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

const Rate = entity('Rate', 'rates', { id: pipe(integer, primaryKey, generated), value: real })

const Tag = entity('Tag', 'tags', { name: pipe(text, primaryKey) })

export const market = defineModel({ Seller, Offer, Line, Remark, Rate, Tag })((r) => ({
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

const OldSeller = entity(
  'Seller',
  'sellers',
  {
    id: pipe(integer, primaryKey, generated),
    email: pipe(text, ofType('varchar(255)')),
    country: pipe(text, ofType('varchar(2)'), withServerDefault(sql`'de'`)),
    joined: pipe(column(isoDate, 'timestamp')),
    telephone: pipe(text, nullable),
  },
  {
    unique: [['joined']],
    checks: [
      { check: (eb) => eb(eb.fn('length', ['country']), '>=', 2), name: 'iso' },
      (eb) => eb('telephone', '<>', ''),
    ],
    indexes: [{ attributes: ['country'], name: 'by_country' }],
  },
)

const OldOffer = entity(
  'Offer',
  'offers',
  {
    id: pipe(bigint, primaryKey, generated),
    sellerId: pipe(integer, named('seller_id'), references('sellers.id')),
    approvedBy: pipe(integer, nullable, named('approved_by'), references('sellers.id', { index: false })),
    title: pipe(text, nullable),
    price: integer,
    state: pipe(text, ofType('varchar(20)')),
    stock: pipe(integer, withServerDefault(sql`5`)),
    details: pipe(column(json(t.UnknownRecord), 'json'), nullable),
    picture: pipe(blob, nullable),
  },
  { checks: [(eb) => eb('price', '>=', 0)], indexes: [['stock']] },
)

const OldLine = entity('Line', 'order_lines', {
  orderId: pipe(integer, primaryKey, named('order_id')),
  position: integer,
  offerId: pipe(bigint, named('offer_id')),
})

const OldRate = entity('Rate', 'rates', { id: pipe(integer, primaryKey), value: real })

const Coupon = entity('Coupon', 'coupons', {
  code: pipe(text, primaryKey),
  sellerId: pipe(integer, named('seller_id'), references('sellers.id', { onDelete: 'cascade' })),
})

/** The market as it was before. */
export const oldMarket = defineModel({
  Seller: OldSeller,
  Offer: OldOffer,
  Line: OldLine,
  Rate: OldRate,
  Coupon,
})(() => ({}))
