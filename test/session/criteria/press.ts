/**
 * A model for criteria to work on: articles of tenants, with what may be hidden of them.
 */
import {
  boolean,
  criteria,
  defineModel,
  entity,
  generated,
  integer,
  named,
  nullable,
  primaryKey,
  text,
  withDefault,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { type App, openOn } from '../app.js'

declare module '@unitary/core' {
  interface ExecutionOptions {
    readonly tenant?: string
  }
}

const isHidden = pipe(
  boolean,
  named('is_hidden'),
  withDefault(() => false),
)

const Author = entity('Author', 'authors', { id: pipe(integer, primaryKey, generated), name: text, isHidden })

const Article = entity('Article', 'articles', {
  id: pipe(integer, primaryKey, generated),
  title: text,
  tenant: text,
  isHidden,
  authorId: pipe(integer, named('author_id'), nullable),
})

const Comment = entity('Comment', 'comments', {
  id: pipe(integer, primaryKey, generated),
  body: text,
  isHidden,
  articleId: pipe(integer, named('article_id')),
})

const Cover = entity('Cover', 'covers', {
  id: pipe(integer, primaryKey, generated),
  image: text,
  isHidden,
  articleId: pipe(integer, named('article_id'), nullable),
})

const Tag = entity('Tag', 'tags', { id: pipe(integer, primaryKey, generated), label: text, isHidden })

export const press = defineModel({ Author, Article, Comment, Cover, Tag })((r) => ({
  Author: { articles: r.Author.hasMany('Article', { foreignKey: 'authorId', inverse: 'author', orderBy: 'id' }) },
  Article: {
    author: r.Article.belongsTo('Author', { foreignKey: 'authorId', inverse: 'articles' }),
    comments: r.Article.hasMany('Comment', {
      foreignKey: 'articleId',
      orderBy: 'id',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
    }),
    cover: r.Article.hasOne('Cover', { foreignKey: 'articleId', cascade: ['save-update', 'merge', 'delete'] }),
    tags: r.Article.manyToMany('Tag', {
      through: { table: 'article_tags', own: ['article_id'], target: ['tag_id'] },
      orderBy: 'id',
    }),
  },
}))

export const rules = criteria(press)({
  Author: { visible: (eb) => eb('isHidden', '=', false) },
  Article: {
    visible: (eb) => eb('isHidden', '=', false),
    tenant: (eb, { tenant }) => (tenant === undefined ? null : eb('tenant', '=', tenant)),
  },
  Comment: { visible: (eb) => eb('isHidden', '=', false) },
  Cover: { visible: (eb) => eb('isHidden', '=', false) },
  Tag: { visible: (eb) => eb('isHidden', '=', false) },
})

/** Article 1 has comments 1 and 3 and tag 1 to show, and hides comment 2, tag 2 and its cover; article 3 is hidden. */
export const fill = (app: App): void => {
  app.database.exec(`
    insert into authors (id, name, is_hidden) values (1, 'ann', 0), (2, 'bob', 1);
    insert into articles (id, title, tenant, is_hidden, author_id)
      values (1, 'a', 'acme', 0, 1), (2, 'b', 'other', 0, 2), (3, 'c', 'acme', 1, 1);
    insert into comments (id, body, is_hidden, article_id)
      values (1, 'x', 0, 1), (2, 'y', 1, 1), (3, 'z', 0, 1), (4, 'w', 0, 3);
    insert into covers (id, image, is_hidden, article_id) values (1, 'i', 1, 1), (2, 'j', 0, 2);
    insert into tags (id, label, is_hidden) values (1, 'news', 0), (2, 'old', 1);
    insert into article_tags (article_id, tag_id) values (1, 1), (1, 2), (2, 2);
  `)
}

export const opened = (options: Parameters<typeof openOn>[1] = {}): App => {
  const app = openOn(press, { criteria: rules, ...options })
  fill(app)
  return app
}
