/**
 * The journal: what each step asked of which shards, and how long it took.
 */
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import type { Meter, Reading } from './meter.js'

export interface Entry extends Reading {
  readonly step: string
  readonly milliseconds: number
}

export interface Journal {
  /** The same program; when it has run, an entry is written and shown, with what `describe` says of its value. */
  readonly measured: <A>(
    step: string,
    describe?: (value: A) => string,
  ) => <E>(program: Session.Program<E, A>) => Session.Program<E, A>
  readonly entries: () => ReadonlyArray<Entry>
}

/** A journal that shows each entry as it is written, with what was found. */
export const createJournal = (meter: Meter, show: (entry: Entry, found: string | undefined) => void): Journal => {
  const entries: Entry[] = []
  return {
    measured: (step, describe) => (program) =>
      pipe(
        Session.fromIO(() => {
          meter.read()
          return performance.now()
        }),
        Session.chain((start) =>
          pipe(
            program,
            Session.map((value) => {
              const entry: Entry = { step, milliseconds: performance.now() - start, ...meter.read() }
              entries.push(entry)
              show(entry, describe?.(value))
              return value
            }),
          ),
        ),
      ),
    entries: () => entries,
  }
}
