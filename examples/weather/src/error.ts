/**
 * What a program of this example can fail with, as a sentence.
 */
import type { BulkError, SessionError } from '@unitary/session'
import { render } from '@unitary/session'

export type WeatherError = SessionError | BulkError

export const explainError = (error: WeatherError): string =>
  error._tag === 'NotEvaluable' ? `Only a database can evaluate ${error.expression}.` : render(error)
