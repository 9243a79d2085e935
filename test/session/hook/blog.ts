/**
 * A model for hooks to work on: posts of tenants, hidden rather than deleted, that count their comments.
 */
import {
  column,
  defineModel,
  entity,
  generated,
  integer,
  isoDate,
  nullable,
  primaryKey,
  text,
  withDefault,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'

const Post = entity('Post', 'posts', {
  id: pipe(integer, primaryKey, generated),
  tenant: text,
  title: text,
  editedBy: pipe(text, nullable),
  hiddenAt: pipe(column(isoDate, 'text'), nullable),
  commentCount: pipe(
    integer,
    withDefault(() => 0),
  ),
})

const Comment = entity('Comment', 'comments', {
  id: pipe(integer, primaryKey, generated),
  body: text,
  hiddenAt: pipe(column(isoDate, 'text'), nullable),
  postId: pipe(integer, nullable),
})

/** What was done, by whom. */
const Entry = entity('Entry', 'entries', {
  id: pipe(integer, primaryKey, generated),
  action: text,
  at: pipe(
    column(isoDate, 'text'),
    withDefault((services) => services.now),
  ),
})

export const blog = defineModel({ Post, Comment, Entry })((r) => ({
  Post: {
    comments: r.Post.hasMany('Comment', {
      foreignKey: 'postId',
      inverse: 'post',
      orderBy: 'id',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
    }),
  },
  Comment: { post: r.Comment.belongsTo('Post', { foreignKey: 'postId', inverse: 'comments' }) },
}))
