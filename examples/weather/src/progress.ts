/**
 * A progress bar on the terminal's error output. Where that is no terminal it shows nothing.
 */
import * as Session from '@unitary/session'
import { Presets, SingleBar } from 'cli-progress'
import { pipe } from 'fp-ts/lib/function.js'

export interface Progress {
  /** Moves the bar on, if one is shown. */
  readonly advance: (rows: number) => void
  /** The same program, with a bar while it runs. */
  readonly during: (title: string, rows: number) => <E, A>(program: Session.Program<E, A>) => Session.Program<E, A>
}

export const createProgress = (): Progress => {
  let bar: SingleBar | null = null

  const start = (title: string, rows: number): void => {
    const format = `  ${title} {bar} {percentage}% | {value}/{total} rows`
    bar = new SingleBar({ format, clearOnComplete: true, hideCursor: true }, Presets.shades_classic)
    bar.start(rows, 0)
  }

  const stop = (): void => {
    bar?.stop()
    bar = null
  }

  return {
    advance: (rows) => bar?.increment(rows),
    during: (title, rows) => (program) =>
      pipe(
        Session.fromIO(() => start(title, rows)),
        Session.chain(() => Session.attempt(program)),
        Session.chainFirst(() => Session.fromIO(stop)),
        Session.chain(Session.fromEither),
      ),
  }
}
