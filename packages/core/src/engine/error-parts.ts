/**
 * How a driver's error is taken apart. Drivers throw errors of their own classes with their own fields; nothing is
 * known of them but what is looked up.
 */
import type { PlainReason } from './error.js'

/** What is known of the failed call besides the driver's error. */
export interface ErrorDetails {
  readonly sql?: string | null
  readonly row?: number | null
}

/** A field of an error, where it is text. */
export const textOf = (cause: unknown, field: string): string | null => {
  if (typeof cause !== 'object' || cause === null) return null
  const value = (cause as Readonly<Record<string, unknown>>)[field]
  return typeof value === 'string' ? value : null
}

/** The error's code, empty where it has none. */
export const codeOf = (cause: unknown): string => textOf(cause, 'code') ?? ''

/** The first line of the error's message. An `AggregateError` of failed connection attempts speaks by its first. */
export const messageOf = (cause: unknown): string => {
  const own = textOf(cause, 'message') ?? String(cause)
  const first = own === '' && cause instanceof AggregateError ? textOf(cause.errors[0], 'message') : null
  return (first ?? own).split('\n', 1)[0] ?? ''
}

export const plain = (tag: PlainReason['_tag']): PlainReason => ({ _tag: tag })

/** The first group of a match. */
export const firstGroup = (pattern: RegExp, text: string): string | null => pattern.exec(text)?.[1] ?? null

const networkCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
])

/**
 * What goes wrong between a driver and its server, or in Kysely before the driver is asked; null for what the server
 * itself said.
 */
export const connectionReason = (code: string, message: string): PlainReason | null => {
  if (/driver has already been destroyed|pool after calling end|pool is closed/i.test(message))
    return plain('Unavailable')
  if (networkCodes.has(code)) return plain('ConnectionLost')
  return /connection terminated|client was closed|not queryable|timeout exceeded when trying to connect|in closed state|connection lost/i.test(
    message,
  )
    ? plain('ConnectionLost')
    : null
}
