/** Unitary's loads with rows that are trusted, not checked. */
import { serve } from '../contest/serve.js'
import type { Contestant } from '../contest/workload.js'
import { contestant } from './unitary.js'

const loads = new Set(['load', 'stream', 'loadSelectin', 'loadJoined', 'shardsLimit', 'shardsAll'])

serve(
  Object.fromEntries(Object.entries(contestant({ strict: false })).filter(([name]) => loads.has(name))) as Contestant,
)
