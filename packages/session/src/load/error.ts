/**
 * Why loads fail.
 */
import type {
  DecodeError,
  HookError,
  InvalidState,
  InvalidValue,
  ModelMismatch,
  MultipleResults,
  NotInSession,
  ObjectDeleted,
  RaisedLoad,
} from '../error.js'
import type { FlushError } from '../program/flush.js'

/** Why a get fails. @category errors */
export type GetError = LoadError

/** Why an instance cannot be known again. @category errors */
export type ReadError =
  | FlushError
  | ModelMismatch
  | NotInSession
  | InvalidState
  | DecodeError
  | ObjectDeleted
  | MultipleResults
  | HookError

/** Why a relationship cannot be loaded. @category errors */
export type LoadError = ReadError | InvalidValue | RaisedLoad
