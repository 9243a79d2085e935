/**
 * A process that commits over attached files until it is killed: see attached.test.ts.
 */
import { writeSync } from 'node:fs'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { addEverywhere, attachedRuntime, openAttached } from './attached-model.js'

const [, , folder = '', first = ''] = process.argv
const app = attachedRuntime(sqliteEngine(openAttached(folder), { journalMode: 'delete' }))

writeSync(1, 'ready\n')
for (let item = Number(first); ; item++) {
  const done = Session.runSync(app)(addEverywhere(item))
  if (done._tag === 'Left') {
    writeSync(2, Session.render(done.left))
    process.exit(1)
  }
}
