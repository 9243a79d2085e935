/**
 * A magazine: publications have issues, issues have locations, and at each location stands a page, which is one of a magazine or
 * of the classified ads. The pages form a hierarchy, mapped to joined tables or to a single one.
 */
import { defineModel, entity, generated, integer, named, nullable, primaryKey, subtype, text } from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'

const id = pipe(integer, primaryKey, generated)

const Publication = entity('Publication', 'publication', { id, name: text })

const Issue = entity('Issue', 'issue', {
  id,
  number: pipe(integer, named('issue')),
  publicationId: pipe(integer, named('publication_id'), nullable),
})

const LocationName = entity('LocationName', 'location_name', { id, name: text })

const Location = entity('Location', 'location', {
  id,
  ref: text,
  issueId: pipe(integer, named('issue_id'), nullable),
  nameId: pipe(integer, named('location_name_id'), nullable),
})

const PageSize = entity('PageSize', 'page_size', { id, name: text, width: integer, height: integer })

const Magazine = entity('Magazine', 'magazine', {
  id,
  locationId: pipe(integer, named('location_id'), nullable),
  sizeId: pipe(integer, named('page_size_id'), nullable),
})

const Page = entity(
  'Page',
  'page',
  { id, kind: pipe(text, named('type')), pageNo: pipe(integer, named('page_no')) },
  { discriminator: 'kind', identity: 'p' },
)

const magazine = { magazineId: pipe(integer, named('magazine_id')), orders: pipe(text, nullable) }
const titles = { titles: pipe(text, nullable) }

const JoinedMagazinePage = subtype(Page)('MagazinePage', 'magazine_page', magazine, { identity: 'm', key: 'page_id' })
const JoinedClassifiedPage = subtype(JoinedMagazinePage)('ClassifiedPage', 'classified_page', titles, {
  identity: 'c',
  key: 'magazine_page_id',
})
const SingleMagazinePage = subtype(Page)('MagazinePage', magazine, { identity: 'm' })
const SingleClassifiedPage = subtype(SingleMagazinePage)('ClassifiedPage', titles, { identity: 'c' })
const MixedClassifiedPage = subtype(JoinedMagazinePage)('ClassifiedPage', titles, { identity: 'c' })

const rest = { Publication, Issue, LocationName, Location, PageSize, Magazine, Page }

/** Each page in a table, and in one more for what each subtype adds. */
export const joinedPages = defineModel({
  ...rest,
  MagazinePage: JoinedMagazinePage,
  ClassifiedPage: JoinedClassifiedPage,
})((r) => ({
  Publication: {
    issues: r.Publication.hasMany('Issue', { foreignKey: 'publicationId', inverse: 'publication', orderBy: 'number' }),
  },
  Issue: {
    publication: r.Issue.belongsTo('Publication', { foreignKey: 'publicationId', inverse: 'issues' }),
    locations: r.Issue.hasMany('Location', { foreignKey: 'issueId', inverse: 'issue', orderBy: 'id' }),
  },
  Location: {
    issue: r.Location.belongsTo('Issue', { foreignKey: 'issueId', inverse: 'locations' }),
    name: r.Location.belongsTo('LocationName', { foreignKey: 'nameId' }),
    magazine: r.Location.hasOne('Magazine', { foreignKey: 'locationId', inverse: 'location' }),
  },
  Magazine: {
    location: r.Magazine.belongsTo('Location', { foreignKey: 'locationId', inverse: 'magazine' }),
    size: r.Magazine.belongsTo('PageSize', { foreignKey: 'sizeId' }),
    pages: r.Magazine.hasMany('MagazinePage', { foreignKey: 'magazineId', inverse: 'magazine', orderBy: 'pageNo' }),
  },
  MagazinePage: {
    magazine: r.MagazinePage.belongsTo('Magazine', { foreignKey: 'magazineId', inverse: 'pages' }),
  },
}))

/** The same relationships over pages that are mapped otherwise. */
const mappedAs = (pages: object): typeof joinedPages =>
  defineModel({ ...rest, ...pages })(() => joinedPages.relationships as never) as unknown as typeof joinedPages

/** All pages in one table. */
export const singlePages = mappedAs({ MagazinePage: SingleMagazinePage, ClassifiedPage: SingleClassifiedPage })

/** Magazine pages in a table of their own, which classified ones share. */
export const mixedPages = mappedAs({ MagazinePage: JoinedMagazinePage, ClassifiedPage: MixedClassifiedPage })
