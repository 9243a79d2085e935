/**
 * The weather of the world: `npm run demo -- [--cities N] [--reports N] [--keep DIR]`.
 */
import * as Session from '@unitary/session'
import * as Either from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { changeHottest } from './change.js'
import { type City, mostSharedName, readGazetteer, sample } from './cities.js'
import { monthsOf } from './climate.js'
import { takeIds } from './counter.js'
import { type Filling, fill, planOfOne } from './fill.js'
import { type Folder, openFolder } from './folder.js'
import { createJournal } from './journal.js'
import { createMeter } from './meter.js'
import { type Options, readOptions } from './options.js'
import { count, entryLine, journalTable, number } from './print.js'
import { createProgress } from './progress.js'
import { readByName, readings } from './read.js'
import { openWorld, shardNames, type World } from './shards.js'

const progress = createProgress()
const meter = createMeter(progress.advance)
const journal = createJournal(meter, (entry, found) => console.log(entryLine(entry, found)))

/** The cities that take part. Those that no continent has are named. */
const chooseCities = (options: Options): ReadonlyArray<City> => {
  const { cities, unplaced } = readGazetteer()
  for (const [country, missing] of unplaced) {
    console.log(`left out: ${count(missing, 'city', 'cities')} of ${country}, which is on no continent known here`)
  }
  return sample(cities, options.cities)
}

/** All that the demo does, each program in a session of its own. */
const visit = (
  world: World,
  cities: ReadonlyArray<City>,
  reports: number,
): Either.Either<Session.SessionError, unknown> => {
  const inSession = <A>(program: Session.Program<Session.SessionError, A>): Either.Either<Session.SessionError, A> =>
    Session.runSync(world.runtime)(program)
  const months = monthsOf(reports)
  const someName = mostSharedName(cities)
  return pipe(
    Either.Do,
    Either.bind('firstCity', () => inSession(takeIds(journal, 'cities', cities.length))),
    Either.bind('firstReport', () => inSession(takeIds(journal, 'reports', cities.length * reports))),
    Either.map(({ firstCity, firstReport }): Filling => ({ cities, months, firstCity, firstReport })),
    Either.chainFirst((filling) => inSession(planOfOne(journal, filling))),
    Either.chainFirst((filling) => inSession(fill(journal, progress, filling))),
    Either.chain(({ firstCity }) => {
      const someId = firstCity + Math.floor(cities.length / 2)
      return pipe(readings(journal, someId, someName), Either.traverseArray(inSession))
    }),
    Either.chain(() => inSession(changeHottest(journal))),
    Either.chain((names) => inSession(readByName(journal, names))),
  )
}

/** Runs the demo in a folder; gives the exit code. */
const run = async ({ path }: Folder, options: Options): Promise<number> => {
  const started = performance.now()
  const cities = chooseCities(options)
  console.log(`${count(cities.length, 'city', 'cities')} on ${count(shardNames.length, 'shard')} in ${path}`)
  console.log(`${count(options.reports, 'report')} each, with temperatures computed from latitude and month`)
  const world = openWorld(path, meter)
  const outcome = pipe(
    world,
    Either.chainW((opened) => visit(opened, cities, options.reports)),
  )
  if (Either.isRight(world)) await world.right.close()
  if (Either.isLeft(outcome)) {
    console.error(Session.render(outcome.left))
    return 1
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const peak = Math.round(process.resourceUsage().maxRSS / 1024)
  console.log(`\nAll steps\n\n${journalTable(journal.entries())}\n`)
  console.log(`${seconds} s in all, peak memory ${number(peak)} MiB`)
  return 0
}

const main = async (): Promise<number> => {
  const ready = pipe(
    Either.Do,
    Either.apS('options', readOptions(process.argv.slice(2))),
    Either.bind('folder', ({ options }) => openFolder(options.keep)),
  )
  if (Either.isLeft(ready)) {
    console.error(`weather: ${ready.left}`)
    return 2
  }
  const { options, folder } = ready.right
  try {
    return await run(folder, options)
  } finally {
    folder.close()
  }
}

process.exitCode = await main()
